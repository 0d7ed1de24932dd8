from contextlib import contextmanager
from unittest.mock import patch

from hypothesis import given, settings, strategies as st

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.base.tests.common import BaseCommon


@tagged("post_install", "-at_install")
class TestRegionTerritory(BaseCommon):
    """Testland > North (Hangzhou > Yuhang; Ningbo) and South (Xiamen); the area Coast > Delta stands beside it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.country = cls.env["res.country"].create({"name": "Testland", "code": "XZ"})
        cls.states = {
            name: cls.env["res.country.state"].create({"name": name, "code": name[0], "country_id": cls.country.id})
            for name in ("North", "South")
        }
        cls.whole = cls._region("Testland", None, level="country", country_id=cls.country.id)
        cls.north = cls._region("North", cls.whole, level="province", state_id=cls.states["North"].id)
        cls.south = cls._region("South", cls.whole, level="province", state_id=cls.states["South"].id)
        cls.hang = cls._region("Hangzhou", cls.north, level="prefecture")
        cls.ning = cls._region("Ningbo", cls.north, level="prefecture")
        cls.yuhang = cls._region("Yuhang", cls.hang, level="county")
        cls.xiamen = cls._region("Xiamen", cls.south, level="prefecture")
        # without a country: a sales area need not lie in one
        cls.coast = cls._region("Coast", None, level="area")
        cls.delta = cls._region("Delta", cls.coast)

    @classmethod
    def _region(cls, name, parent, **values):
        return cls.env["channel.region"].create({"name": name, "parent_id": parent and parent.id, **values})

    @classmethod
    def _partner(cls, region, **values):
        """:return: a company whose address names this region"""
        return cls.env["res.partner"].create({"is_company": True, **cls._address(region), **values})

    @classmethod
    def _address(cls, region):
        return {
            "name": f"Company in {region.name}", "city": region.name, "country_id": cls.country.id,
            "state_id": region.state_id.id,
        }

    # === BY REGION === #

    def test_included_region_brings_what_lies_within(self):
        inner, beside, south = self._partner(self.yuhang), self._partner(self.ning), self._partner(self.south)
        self.coast.include_region_ids = self.hang
        self.assertEqual(inner.channel_region_id, self.coast)
        self.assertEqual(beside.channel_region_id, self.ning)
        self.assertEqual(south.channel_region_id, self.south)
        self.assertEqual(self._partner(self.hang).channel_region_id, self.coast, "also who comes later")

    def test_the_deepest_include_wins(self):
        inner, outer = self._partner(self.yuhang), self._partner(self.ning)
        self.coast.include_region_ids = self.north
        self.delta.include_region_ids = self.hang
        self.assertEqual(inner.channel_region_id, self.delta)
        self.assertEqual(outer.channel_region_id, self.coast)

    def test_excluded_region_stays_where_it_is(self):
        inner, beside = self._partner(self.yuhang), self._partner(self.ning)
        self.coast.write({"include_region_ids": self.north.ids, "exclude_region_ids": self.hang.ids})
        self.assertEqual(inner.channel_region_id, self.yuhang)
        self.assertEqual(beside.channel_region_id, self.coast)

    def test_include_within_an_exclude_within_an_include(self):
        inner, middle = self._partner(self.yuhang), self._partner(self.hang)
        self.coast.write({
            "include_region_ids": (self.north + self.yuhang).ids, "exclude_region_ids": self.hang.ids
        })
        self.assertEqual(inner.channel_region_id, self.coast)
        self.assertEqual(middle.channel_region_id, self.hang)

    def test_excluded_from_the_inner_territory_belongs_to_the_outer_one(self):
        by_name, by_region, left = (self._partner(region) for region in (self.hang, self.yuhang, self.hang))
        self.coast.include_region_ids = self.north
        self.delta.write({
            "include_region_ids": self.hang.ids,
            "exclude_region_ids": self.yuhang.ids,
            "exclude_partner_ids": by_name.ids,
        })
        self.assertEqual(by_name.channel_region_id, self.coast)
        self.assertEqual(by_region.channel_region_id, self.coast)
        self.assertEqual(left.channel_region_id, self.delta)

    # === BY NAME === #

    def test_company_included_by_name_goes_before_regions(self):
        partner = self._partner(self.yuhang)
        self.coast.write({"include_region_ids": self.hang.ids})
        self.delta.include_partner_ids = partner
        self.assertEqual(partner.channel_region_id, self.delta)
        self.delta.include_partner_ids = False
        self.assertEqual(partner.channel_region_id, self.coast)

    def test_company_by_name_within_a_region_excluded_by_the_same_territory(self):
        partner = self._partner(self.yuhang)
        self.coast.write({
            "include_region_ids": self.north.ids,
            "exclude_region_ids": self.hang.ids,
            "include_partner_ids": partner.ids,
        })
        self.assertEqual(partner.channel_region_id, self.coast)

    def test_company_without_address(self):
        partner = self.env["res.partner"].create({"name": "Nowhere", "is_company": True})
        self.assertFalse(partner.channel_region_id)
        self.delta.include_partner_ids = partner
        self.assertEqual(partner.channel_region_id, self.delta)
        self.delta.active = False
        self.assertFalse(partner.channel_region_id)

    def test_excluded_company_stays_where_its_address_is(self):
        partner = self._partner(self.hang)
        self.coast.write({"include_region_ids": self.north.ids, "exclude_partner_ids": partner.ids})
        self.assertEqual(partner.channel_region_id, self.hang)
        self.coast.exclude_partner_ids = False
        self.assertEqual(partner.channel_region_id, self.coast)

    def test_set_by_hand_goes_before_everything(self):
        partner = self._partner(self.hang, channel_region_manual_id=self.south.id)
        self.coast.write({"include_region_ids": self.north.ids, "include_partner_ids": partner.ids})
        self.assertEqual(partner.channel_region_id, self.south)
        partner.channel_region_manual_id = False
        self.assertEqual(partner.channel_region_id, self.coast)

    def test_contacts_follow_other_addresses_have_their_own(self):
        company = self._partner(self.ning)
        contact, delivery = self.env["res.partner"].create([
            {"name": "Contact", "parent_id": company.id},
            {**self._address(self.south), "name": "Warehouse", "type": "delivery", "parent_id": company.id},
        ])
        self.delta.include_partner_ids = company
        self.assertEqual(contact.channel_region_id, self.delta)
        self.assertEqual(delivery.channel_region_id, self.south)
        self.coast.include_region_ids = self.south
        self.assertEqual(delivery.channel_region_id, self.coast)

    # === CHANGES === #

    def test_moved_company(self):
        self.coast.include_region_ids = self.hang
        partner = self._partner(self.ning)
        partner.city = "Yuhang"
        self.assertEqual(partner.channel_region_id, self.coast)

    def test_region_moved_into_an_included_one(self):
        self.coast.include_region_ids = self.hang
        partner = self._partner(self.ning)
        self.ning.parent_id = self.hang
        self.assertEqual(partner.channel_region_id, self.coast)
        self.ning.parent_id = self.north
        self.assertEqual(partner.channel_region_id, self.ning)

    def test_archived_and_deleted_territory_gives_back(self):
        named, inside = self._partner(self.south), self._partner(self.hang, active=False)
        self.delta.write({"include_region_ids": self.north.ids, "include_partner_ids": named.ids})
        self.assertEqual((named + inside).channel_region_id, self.delta)
        self.coast.active = False  # takes Delta, which lies within
        self.assertEqual((named.channel_region_id, inside.channel_region_id), (self.south, self.hang))
        (self.coast + self.delta).active = True
        self.assertEqual((named + inside).channel_region_id, self.delta)
        self.delta.unlink()
        self.assertEqual((named.channel_region_id, inside.channel_region_id), (self.south, self.hang))

    def test_deleted_include(self):
        partner = self._partner(self.yuhang)
        self.delta.include_region_ids = self.yuhang
        self.assertEqual(partner.channel_region_id, self.delta)
        self.yuhang.unlink()
        self.assertEqual(partner.channel_region_id, self.north, "the city is known no more")

    def test_included_region_without_a_country(self):
        """What lies within decides which partners are looked at."""
        roof = self._region("Roof", None)
        self.whole.parent_id = roof
        partner = self._partner(self.ning)
        self.coast.include_region_ids = roof
        self.assertEqual(partner.channel_region_id, self.coast)
        self.coast.include_region_ids = False
        self.assertEqual(partner.channel_region_id, self.ning)

    def test_new_territory_with_lists(self):
        partner, named = self._partner(self.ning), self._partner(self.south)
        territory = self._region(
            "New", None, include_region_ids=self.ning.ids, include_partner_ids=[Command.link(named.id)]
        )
        self.assertEqual((partner + named).channel_region_id, territory)
        self.assertFalse(territory.copy().include_region_ids, "nothing belongs to two territories")

    def test_lists_are_in_the_journal(self):
        partner = self._partner(self.ning)
        self.coast.write({"include_region_ids": self.north.ids, "exclude_partner_ids": partner.ids})
        self.coast.include_region_ids = self.south
        entries = self.env["channel.audit.entry"].sudo().search(
            [("model", "=", "channel.region"), ("res_id", "=", self.coast.id)], order="id"
        )
        self.assertEqual(entries.mapped("action"), ["region.territory"] * 2)
        self.assertIn(f'"include_region_ids":[{self.north.id}]', (entries[1].before or "").replace(" ", ""))
        self.assertIn(f'"include_region_ids":[{self.south.id}]', (entries[1].after or "").replace(" ", ""))
        self.assertNotIn("exclude_partner_ids", entries[1].after)

    # === WHAT IS REFUSED === #

    @contextmanager
    def _refused(self, message):
        with self.assertRaisesRegex(ValidationError, message), self.env.cr.savepoint():
            yield

    def test_nothing_belongs_to_two_territories(self):
        partner = self._partner(self.south)
        self.coast.write({"include_region_ids": self.hang.ids, "include_partner_ids": partner.ids})
        with self._refused("Included Regions: .*Hangzhou.* cannot belong to Delta and to Coast at once"):
            self.delta.include_region_ids = self.hang
        with self._refused("Included Companies: Company in South cannot belong to Delta and to Coast at once"):
            self.delta.include_partner_ids = partner
        self.coast.active = False
        with self._refused("cannot belong to New and to Coast at once"):
            # an archived territory may be restored
            self._region("New", None, include_region_ids=self.hang.ids)

    def test_included_and_excluded(self):
        partner = self._partner(self.south)
        with self._refused("Territory Coast: Company in South is included and excluded"):
            self.coast.write({"include_partner_ids": partner.ids, "exclude_partner_ids": partner.ids})
        with self._refused("Territory Coast: .*Hangzhou.* is included and excluded"):
            self.coast.write({"include_region_ids": self.hang.ids, "exclude_region_ids": self.hang.ids})

    def test_included_region_stands_elsewhere(self):
        with self._refused("Yuhang lies within Hangzhou already"):
            self.hang.include_region_ids = self.yuhang
        with self._refused("Yuhang lies within North and cannot include it"):
            self.yuhang.include_region_ids = self.north
        with self._refused("cannot include it"):
            self.coast.include_region_ids = self.coast
        self.coast.include_region_ids = self.hang
        with self._refused("Hangzhou lies within Coast already"):
            # the tree changes above it
            self.whole.parent_id = self.coast

    def test_territories_do_not_include_one_another(self):
        self.hang.include_region_ids = self.xiamen
        with self._refused("Hangzhou includes others itself and cannot be included in Coast"):
            self.coast.include_region_ids = self.hang
        self.coast.include_region_ids = self.ning
        with self._refused("Ningbo includes others itself and cannot be included in Coast"):
            self.ning.include_partner_ids = self._partner(self.south)

    def test_exclude_that_excludes_nothing(self):
        with self._refused("Xiamen lies within no included region of Coast"):
            self.coast.write({"include_region_ids": self.north.ids, "exclude_region_ids": self.xiamen.ids})
        self.coast.write({"include_region_ids": self.north.ids, "exclude_region_ids": self.hang.ids})
        with self._refused("Hangzhou lies within no included region of Coast"):
            self.coast.include_region_ids = self.south

    def test_contacts_are_not_listed(self):
        company = self._partner(self.ning)
        contact, branch = self.env["res.partner"].create([
            {"name": "Contact", "parent_id": company.id},
            {"name": "Branch", "parent_id": company.id, "is_company": True},
        ])
        for partner in contact, branch:
            for fname in ("include_partner_ids", "exclude_partner_ids"):
                with self._refused(f"{partner.name} shares the region of Company in Ningbo"):
                    self.coast[fname] = partner

    def test_who_may_draw(self):
        manager = new_test_user(self.env, login="territory_manager", groups="channel_base.group_channel_manager")
        sales = new_test_user(self.env, login="territory_sales", groups="channel_base.group_channel_sales")
        partner = self._partner(self.ning)
        with self.assertRaises(AccessError):
            self.coast.with_user(sales).include_partner_ids = partner
        self.coast.with_user(manager).include_partner_ids = partner
        self.assertEqual(partner.channel_region_id, self.coast)
        self.assertEqual(self.coast.with_user(sales).include_region_ids, self.env["channel.region"])

    # === COUNTS, QUESTIONS, SHAPE === #

    def test_counts(self):
        company = self._partner(self.ning)
        self.env["res.partner"].create({"name": "Contact", "parent_id": company.id})
        self.coast.include_region_ids = self.north
        self.assertEqual((self.coast.partner_count, self.coast.company_count), (2, 1))
        self.assertEqual((self.ning.partner_count, self.ning.company_count), (0, 0))

    def test_address_of_nobody_in_particular(self):
        named = self._partner(self.ning)
        self.delta.include_partner_ids = named
        self.coast.include_region_ids = self.hang
        address = (self.country.id, self.states["North"].id, "Yuhang")
        region = self.env["channel.region"]
        self.assertEqual(region._regions_of_addresses({address}), {address: self.coast.id})
        self.assertEqual(region._administrative_regions({address}), {address: self.yuhang.id})
        self.assertEqual(
            region._regions_of_partners([(named.id, address), (False, address)]),
            {(named.id, address): self.delta.id, (False, address): self.coast.id},
        )

    def test_the_older_territory_has_what_a_race_gave_to_two(self):
        partner = self._partner(self.hang)
        with patch.object(type(self.coast), "_check_territory_twice", lambda self: None):
            self.delta.include_region_ids = self.hang
            self.coast.include_region_ids = self.hang
        self.assertEqual(partner.channel_region_id, self.coast)

    def _queries(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        start = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - start

    def test_number_of_queries_does_not_depend_on_the_number_of_partners(self):
        def partners(count):
            return self.env["res.partner"].create(
                [{**self._address(self.hang), "is_company": True} for _number in range(count)]
            )

        def draw(count):
            partners(count)
            self.coast.include_region_ids = False
            return self._queries(lambda: self.coast.write({"include_region_ids": self.hang.ids}))

        def name(count):
            named = partners(count)
            self.delta.include_partner_ids = False
            return self._queries(lambda: self.delta.write({"include_partner_ids": named.ids}))

        for change in draw, name:
            change(2)
            few, many = change(10), change(100)
            self.assertLessEqual(many, few + 3, change.__name__)

    def test_any_number_of_partners_is_answered_without_a_query_for_each(self):
        self.coast.include_region_ids = self.north

        def answer(count):
            self.env.registry.clear_cache()
            asks = [(number, (self.country.id, self.states["North"].id, "Ningbo")) for number in range(1, count + 1)]
            return self._queries(lambda: self.env["channel.region"]._regions_of_partners(asks))

        answer(1)
        self.assertEqual(answer(1000), answer(10))

    # === PROPERTY === #

    def _naive(self, partner, territories):
        """The rule, read aloud for one partner."""
        if partner.channel_region_manual_id:
            return partner.channel_region_manual_id
        for territory in territories:
            if partner in territory.include_partner_ids:
                return territory
        own = self.env["channel.region"].search([("name", "=", partner.city), ("country_id", "=", self.country.id)])
        chain = own
        while chain[-1].parent_id:
            chain += chain[-1].parent_id
        for depth, region in enumerate(chain):
            for territory in territories:
                if (
                    region in territory.include_region_ids
                    and partner not in territory.exclude_partner_ids
                    and not territory.exclude_region_ids & chain[:depth]
                ):
                    return territory
        return own

    def test_any_lists_mean_what_the_rule_says(self):
        regions = [self.whole, self.north, self.south, self.hang, self.ning, self.yuhang, self.xiamen]
        partners = self.env["res.partner"].union(*(
            self._partner(region) for region in regions for _number in range(2)
        ))
        partners[:1].channel_region_manual_id = self.south
        territories = [self._region(name, None) for name in ("A", "B", "C")]
        one = st.sampled_from([None, 0, 1, 2])
        some = st.frozensets(st.sampled_from([0, 1, 2]))

        @settings(max_examples=20, deadline=None, database=None)
        @given(
            st.tuples(*[one] * len(regions)), st.tuples(*[some] * len(regions)),
            st.tuples(*[one] * len(partners)), st.tuples(*[some] * len(partners)),
        )
        def check(region_in, region_out, partner_in, partner_out):
            for territory in territories:
                territory.write(dict.fromkeys(
                    ("include_region_ids", "exclude_region_ids", "include_partner_ids", "exclude_partner_ids"),
                    [Command.clear()],
                ))
            for index, territory in enumerate(territories):
                included = [region for region, own in zip(regions, region_in, strict=True) if own == index]
                excluded = [
                    region for region, others in zip(regions, region_out, strict=True)
                    if index in others and region not in included
                    and any(region.parent_path.startswith(outer.parent_path) for outer in included)
                ]
                named = [partner for partner, own in zip(partners, partner_in, strict=True) if own == index]
                unwanted = [
                    partner for partner, others in zip(partners, partner_out, strict=True)
                    if index in others and partner not in named
                ]
                territory.write({
                    fname: [Command.set([record.id for record in records])]
                    for fname, records in (
                        ("include_region_ids", included), ("exclude_region_ids", excluded),
                        ("include_partner_ids", named), ("exclude_partner_ids", unwanted),
                    )
                })
            for partner in partners:
                self.assertEqual(partner.channel_region_id, self._naive(partner, territories), partner.name)

        check()
