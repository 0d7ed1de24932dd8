from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.base.tests.common import BaseCommon


@tagged("post_install", "-at_install")
class TestRegion(BaseCommon):
    """The tree: one country > one sales area > two provinces > prefectures > counties."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # a country of our own: no localisation has drawn regions in it
        cls.country = cls.env["res.country"].create({"name": "Testland", "code": "XZ"})
        cls.state_north, cls.state_south, cls.state_bare = cls.env["res.country.state"].create(
            [
                {"name": "North", "code": "N", "country_id": cls.country.id},
                {"name": "South", "code": "S", "country_id": cls.country.id},
                {"name": "Bare", "code": "B", "country_id": cls.country.id},
            ]
        )
        cls.whole = cls._region("Testland", level="country", country_id=cls.country.id)
        cls.area = cls._region("Coast", level="area", parent_id=cls.whole.id)
        cls.north = cls._region("North", level="province", parent_id=cls.area.id, state_id=cls.state_north.id)
        cls.south = cls._region("South", level="province", parent_id=cls.area.id, state_id=cls.state_south.id)
        cls.hang = cls._region("Hangzhou", level="prefecture", parent_id=cls.north.id, match_names="杭州市\n杭州")
        cls.ning = cls._region("Ningbo", level="prefecture", parent_id=cls.north.id)
        cls.county = cls._region("Yuhang", level="county", parent_id=cls.hang.id)

    @classmethod
    def _region(cls, name, **values):
        return cls.env["channel.region"].create({"name": name, "code": values.pop("code", False), **values})

    @classmethod
    def _partner(cls, name="Partner", **values):
        return cls.env["res.partner"].create({"name": name, "is_company": True, "country_id": cls.country.id, **values})

    def _region_of(self, city, state=None, **values):
        return self._partner(city=city, state_id=state.id if state else False, **values).channel_region_id

    # === THE TREE === #

    def test_state_and_country_come_from_the_parent(self):
        self.assertEqual(self.county.country_id, self.country)
        self.assertEqual(self.county.state_id, self.state_north)
        self.hang.parent_id = self.south
        self.assertEqual(self.county.state_id, self.state_south)

    def test_code_is_unique_within_a_country(self):
        self.ning.code = "0574"
        other = self.env["res.country"].create({"name": "Otherland", "code": "XY"})
        self._region("Elsewhere", code="0574", country_id=other.id)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._region("Again", code="0574", parent_id=self.south.id)

    def test_region_cannot_lie_in_itself(self):
        with self.assertRaisesRegex(ValidationError, "Coast cannot lie within .*Yuhang"):
            self.area.parent_id = self.county
        with self.assertRaisesRegex(ValidationError, "Coast cannot lie within"):
            self.area.parent_id = self.area

    def test_state_must_lie_in_the_country(self):
        with self.assertRaisesRegex(ValidationError, "does not belong to the country"):
            self._region("Wrong", country_id=self.env.ref("base.fr").id, state_id=self.state_north.id)

    def test_state_must_be_that_of_the_parent(self):
        with self.assertRaisesRegex(ValidationError, "Ningbo lies in South.*North lies in North"):
            self.ning.state_id = self.state_south

    def test_archiving_takes_what_lies_within(self):
        self.north.write({"active": False, "code": "N"})
        self.assertFalse((self.hang + self.county).filtered("active"))
        self.assertEqual(self.hang.code, False, "other values concern the region itself only")
        self.assertTrue(self.south.active)
        with self.assertRaisesRegex(ValidationError, "below the archived region"):
            self.county.active = True

    # === PEOPLE IN CHARGE === #

    def test_people_in_charge_are_those_of_the_nearest_region(self):
        head, local = (new_test_user(self.env, login=f"region_{name}") for name in ("head", "local"))
        self.whole.user_ids = head
        self.assertEqual(self.county._people_in_charge(), head)
        self.hang.user_ids = local
        self.assertEqual(self.county._people_in_charge(), local)
        self.assertEqual(self.ning._people_in_charge(), head)
        local.active = False
        self.assertEqual(self.county._people_in_charge(), head, "who has left is not in charge")

    def test_nobody_in_charge(self):
        self.assertFalse(self.county._people_in_charge())

    def test_users_regions_reach_record_rules_at_once(self):
        """Rules are cached with the regions they name: from both sides a change must be seen."""
        user = new_test_user(self.env, login="region_user", groups="base.group_user,base.group_partner_manager")
        self.env["ir.rule"].create(
            {
                "name": "own regions",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": "[('channel_region_id', 'child_of', user.channel_region_ids.ids)]"
                f" if user.id == {user.id} else [(1, '=', 1)]",
            }
        )
        partner = self._partner(city="Yuhang", state_id=self.state_north.id)
        partners = self.env["res.partner"].with_user(user)

        def sees():
            return bool(partners.search([("id", "=", partner.id)]))

        self.assertFalse(sees())
        user.channel_region_ids = self.hang
        self.assertTrue(sees(), "the region and below")
        user.channel_region_ids = self.south
        self.assertFalse(sees())
        self.area.user_ids = [Command.link(user.id)]
        self.assertTrue(sees(), "changed from the side of the region")
        self.area.user_ids = [Command.unlink(user.id)]
        self.assertFalse(sees())

    # === PARTNERS === #

    def test_city_within_the_state(self):
        self.assertEqual(self._region_of("Ningbo", self.state_north), self.ning)
        self.assertEqual(self._region_of("Yuhang", self.state_north), self.county)

    def test_other_spellings(self):
        self.assertEqual(self._region_of("杭州", self.state_north), self.hang)
        self.assertEqual(self._region_of("杭州市", self.state_north), self.hang)

    def test_width_case_and_blanks_do_not_matter(self):
        self.assertEqual(self._region_of(" ＨＡＮＧ zhou ", self.state_north), self.hang)

    def test_name_in_another_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.ning.with_context(lang="fr_FR").name = "Ningpo"
        self.assertEqual(self._region_of("ningpo", self.state_north), self.ning)
        self.assertEqual(self._region_of("Ningbo", self.state_north), self.ning)

    def test_city_of_another_state_is_not_taken(self):
        self.assertEqual(self._region_of("Ningbo", self.state_south), self.south)

    def test_unknown_city_falls_back_to_the_state(self):
        self.assertEqual(self._region_of("Nowhere", self.state_north), self.north)
        self.assertEqual(self._region_of(False, self.state_north), self.north)

    def test_state_without_region_falls_back_to_the_country(self):
        self.assertEqual(self._region_of("Nowhere", self.state_bare), self.whole)

    def test_no_state(self):
        self.assertEqual(self._region_of("Ningbo"), self.ning, "the only region of that name in the country")
        self.assertEqual(self._region_of("Nowhere"), self.whole)

    def test_country_without_region(self):
        partner = self._partner(country_id=self.env["res.country"].create({"name": "Void", "code": "XV"}).id)
        self.assertFalse(partner.channel_region_id)

    def test_two_counties_of_one_name_are_not_guessed(self):
        self._region("Gulou", level="county", parent_id=self.hang.id)
        self._region("Gulou", level="county", parent_id=self.ning.id)
        self.assertEqual(self._region_of("Gulou", self.state_north), self.north, "the region around both")

    def test_deeper_region_goes_first(self):
        deep = self._region("Ningbo", level="county", parent_id=self.ning.id)
        self.assertEqual(self._region_of("Ningbo", self.state_north), deep)

    def test_name_goes_before_another_spelling(self):
        self._region("Chaoyang", level="county", parent_id=self.hang.id, match_names="Ningbo")
        self.assertEqual(self._region_of("Ningbo", self.state_north), self.ning)

    def test_hand_set_region_overrules_the_address(self):
        partner = self._partner(city="Ningbo", state_id=self.state_north.id, channel_region_manual_id=self.south.id)
        self.assertEqual(partner.channel_region_id, self.south)
        partner.channel_region_manual_id = False
        self.assertEqual(partner.channel_region_id, self.ning)

    def test_contact_shares_delivery_address_has_its_own(self):
        company = self._partner(city="Ningbo", state_id=self.state_north.id)
        contact, delivery, phone = self.env["res.partner"].create(
            [
                {"name": "Contact", "parent_id": company.id, "type": "contact"},
                {
                    "name": "Warehouse",
                    "parent_id": company.id,
                    "type": "delivery",
                    "country_id": self.country.id,
                    "state_id": self.state_south.id,
                },
                {"name": "Without address", "parent_id": company.id, "type": "other"},
            ]
        )
        self.assertEqual(contact.channel_region_id, self.ning)
        self.assertEqual(delivery.channel_region_id, self.south)
        self.assertEqual(phone.channel_region_id, self.ning)
        company.channel_region_manual_id = self.hang
        self.assertEqual(contact.channel_region_id, self.hang)
        self.assertEqual(delivery.channel_region_id, self.south)
        self.assertEqual(phone.channel_region_id, self.hang)

    # === CHANGES OF THE TREE === #

    def test_new_spelling_assigns_partners_again(self):
        partner = self._partner(city="Ning-po", state_id=self.state_north.id)
        contact = self.env["res.partner"].create({"name": "Contact", "parent_id": partner.id})
        self.assertEqual((partner + contact).channel_region_id, self.north)
        self.ning.match_names = "Ning-po"
        self.assertEqual(partner.channel_region_id, self.ning)
        self.assertEqual(contact.channel_region_id, self.ning)

    def test_new_and_deleted_region(self):
        partner = self._partner(city="Wenzhou", state_id=self.state_north.id)
        region = self._region("Wenzhou", level="prefecture", parent_id=self.north.id)
        self.assertEqual(partner.channel_region_id, region)
        region.unlink()
        self.assertEqual(partner.channel_region_id, self.north)

    def test_archived_region_leaves_nobody_behind(self):
        partner = self._partner(city="Yuhang", state_id=self.state_north.id, active=False)
        self.hang.active = False
        self.assertEqual(partner.channel_region_id, self.north)
        self.hang.active = True
        self.county.active = True
        self.assertEqual(partner.channel_region_id, self.county)

    def test_region_moved_to_another_state(self):
        north = self._partner(city="Ningbo", state_id=self.state_north.id)
        south = self._partner(city="Ningbo", state_id=self.state_south.id)
        self.assertEqual((north.channel_region_id, south.channel_region_id), (self.ning, self.south))
        self.ning.parent_id = self.south
        self.assertEqual((north.channel_region_id, south.channel_region_id), (self.north, self.ning))

    def test_hand_set_partners_stay(self):
        partner = self._partner(city="Ning-po", state_id=self.state_north.id, channel_region_manual_id=self.south.id)
        self.ning.match_names = "Ning-po"
        self.assertEqual(partner.channel_region_id, self.south)

    # === SHAPE === #

    def _queries(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        start = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - start

    def test_any_number_of_addresses_is_answered_without_a_query_for_each(self):
        def answer(count):
            self.env.registry.clear_cache()
            addresses = {(self.country.id, self.state_north.id, f"City {number}") for number in range(count)}
            return self._queries(lambda: self.env["channel.region"]._regions_of_addresses(addresses))

        answer(1)
        self.assertEqual(answer(1000), answer(10))

    def test_tree_change_with_any_number_of_partners(self):
        def change(count, spelling):
            self.env["res.partner"].create(
                [
                    {
                        "name": f"{spelling} {number}",
                        "is_company": True,
                        "country_id": self.country.id,
                        "state_id": self.state_north.id,
                        "city": spelling,
                    }
                    for number in range(count)
                ]
            )

            def respell():
                self.ning.match_names = spelling

            return self._queries(respell)

        change(5, "warm")
        few, many = change(10, "Ning1"), change(100, "Ning2")
        self.assertEqual(self.env["res.partner"].search_count([("channel_region_id", "=", self.ning.id)]), 100)
        self.assertLessEqual(many, few + 3)
