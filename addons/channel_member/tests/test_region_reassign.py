import time
from datetime import date

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestRegionReassign(ChannelMemberCommon):
    """East (area, with a city; ``user_sales`` in charge) and west (area); a sales area "Key accounts" of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key_area = cls.env["channel.region"].create(
            {"name": "Key Accounts", "code": "T-KEY", "level": "custom", "country_id": cls.env.ref("base.nz").id}
        )
        cls.user_key = new_test_user(
            cls.env, login="channel_key", groups="channel_base.group_channel_sales", company_id=cls.company.id
        )
        cls.user_key.channel_region_ids = cls.key_area

    def _wizard(self, user=None, **values):
        return self.env["channel.region.reassign"].with_user(user or self.user_manager).create({
            "reason": "New sales plan", **values
        })

    def _shown(self, **values):
        wizard = self._wizard(**values)
        wizard.action_show()
        return wizard

    def test_preview_says_who_moves_and_what_follows(self):
        wizard = self._shown(source_region_id=self.region_east.id, target_region_id=self.key_area.id)
        self.assertRecordValues(wizard.line_ids, [{
            "from_region_id": self.region_city.id,
            "to_region_id": self.key_area.id,
            "member_count": 1,
            "hospital_count": 1,
            "lost_user_ids": self.user_sales.ids,
            "gained_user_ids": self.user_key.ids,
            "charge_user_ids": self.user_key.ids,
        }])
        self.assertIn(self.authorization, wizard.line_ids.lost_authorization_ids)
        self.assertFalse(wizard.line_ids.gained_authorization_ids)
        self.assertEqual(self.hospital.channel_region_id, self.region_city, "The preview writes nothing")
        self.assertEqual(wizard.line_ids.action_view_members()["domain"], [("id", "in", self.hospital.ids)])

    def test_apply_moves_and_leaves_its_trace(self):
        wizard = self._shown(
            member_domain="[]", source_region_id=self.region_east.id, target_region_id=self.key_area.id
        )
        wizard.action_apply()
        for member in self.dealer | self.sub_dealer | self.hospital:
            self.assertEqual(member.channel_region_id, self.key_area)
        self.assertEqual(self.other_dealer.channel_region_id, self.region_west)
        entry = self.env["channel.audit.entry"].sudo().search([
            ("model", "=", "res.partner"), ("res_id", "=", self.hospital.id), ("action", "=", "member.changed"),
            ("reason", "=", "New sales plan"),
        ])
        self.assertEqual(len(entry), 1)
        # the rights follow
        partners = self.env["res.partner"]
        self.assertFalse(partners.with_user(self.user_sales).search([("id", "=", self.hospital.id)]))
        self.assertTrue(partners.with_user(self.user_key).search([("id", "=", self.hospital.id)]))

    def test_orders_of_the_new_territory_are_judged_by_it(self):
        self.assertNotIn("member_authorization", self._channel_codes(customer=self.hospital))
        self._shown(partner_ids=self.hospital.ids, target_region_id=self.region_west.id).action_apply()
        self.assertIn("member_authorization", self._channel_codes(customer=self.hospital))

    def test_back_to_the_address(self):
        state = self.env["res.country.state"].create(
            {"name": "Test Province", "code": "T-P", "country_id": self.env.ref("base.nz").id}
        )
        province = self.env["channel.region"].create(
            {"name": "Test Province", "code": "T-PROV", "level": "province", "parent_id": self.region_east.id,
             "state_id": state.id}
        )
        self.hospital.write({"state_id": state.id, "channel_region_manual_id": self.key_area.id})
        wizard = self._shown(partner_ids=self.hospital.ids, by_address=True)
        self.assertEqual(wizard.line_ids.to_region_id, province)
        wizard.action_apply()
        self.assertEqual(self.hospital.channel_region_id, province)
        self.assertFalse(self.hospital.channel_region_manual_id)

    def test_later_day(self):
        day = fields.Date.add(fields.Date.context_today(self.hospital), days=30)
        self._shown(partner_ids=self.hospital.ids, target_region_id=self.key_area.id, date=day).action_apply()
        self.assertEqual(self.hospital.channel_region_id, self.region_city)
        period = self.env["channel.member.period"]._as_of([(self.hospital.id, day)])[self.hospital.id, day]
        self.assertEqual(period.region_id, self.key_area)
        with self.assertRaisesRegex(UserError, "Nobody would move"):
            self._shown(partner_ids=self.hospital.ids, target_region_id=self.key_area.id, date=day)

    def test_region_under_another_parent(self):
        wizard = self._shown(mode="region", region_id=self.region_city.id, parent_id=self.key_area.id)
        self.assertRecordValues(wizard.line_ids, [{
            "from_region_id": self.region_east.id, "to_region_id": self.key_area.id, "member_count": 3,
            "hospital_count": 1, "lost_user_ids": self.user_sales.ids, "gained_user_ids": self.user_key.ids,
        }])
        self.assertIn(self.authorization, wizard.line_ids.lost_authorization_ids)
        wizard.action_apply()
        self.assertEqual(self.region_city.parent_id, self.key_area)
        self.assertFalse(self.dealer.with_user(self.user_sales).search([("id", "=", self.dealer.id)]))
        entry = self.env["channel.audit.entry"].sudo().search([
            ("model", "=", "channel.region"), ("res_id", "=", self.region_city.id), ("action", "=", "region.moved"),
        ])
        self.assertIn("Key Accounts", entry.after)

    def test_excluded_and_listed_hospitals_do_not_change_hands(self):
        listed = self._channel_authorization(
            self.other_dealer, approve=False, customer_ids=[Command.set(self.hospital.ids)]
        )
        excluded = self._channel_authorization(
            self.other_dealer, self.region_east, approve=False,
            excluded_region_ids=[Command.set(self.region_city.ids)],
        )
        past = self._channel_authorization(
            self.other_dealer, self.region_east, approve=False, date_to=date(2021, 1, 1)
        )
        for authorization in listed | excluded | past:
            authorization.with_user(self.user_manager).action_approve()
        wizard = self._shown(partner_ids=self.hospital.ids, target_region_id=self.key_area.id)
        self.assertFalse(wizard.line_ids.lost_authorization_ids & (listed | excluded | past))

    def test_what_is_refused(self):
        with self.assertRaisesRegex(UserError, "Nobody would move"):
            self._shown(partner_ids=self.hospital.ids, target_region_id=self.region_city.id)
        with self.assertRaisesRegex(UserError, "To Region"):
            self._shown(partner_ids=self.hospital.ids)
        with self.assertRaisesRegex(UserError, "Choose members"):
            self._shown(member_domain="[]", target_region_id=self.key_area.id)
        with self.assertRaisesRegex(UserError, "not a domain"):
            self._shown(member_domain="[(", target_region_id=self.key_area.id)
        with self.assertRaisesRegex(ValidationError, "cannot lie within"):
            self._shown(mode="region", region_id=self.region_east.id, parent_id=self.region_city.id)
        wizard = self._wizard(partner_ids=self.hospital.ids, target_region_id=self.key_area.id)
        with self.assertRaisesRegex(UserError, "Show what happens"):
            wizard.action_apply()
        wizard.action_show()
        wizard.reason = False
        with self.assertRaisesRegex(UserError, "Reason"):
            wizard.action_apply()

    def test_what_was_shown_is_what_happens(self):
        wizard = self._shown(source_region_id=self.region_east.id, target_region_id=self.key_area.id)
        self.env["res.partner"].create(self._channel_hospital_values("Newcomer", self.region_city))
        with self.assertRaisesRegex(UserError, "Show what happens"):
            wizard.action_apply()
        wizard.action_show()
        wizard.target_region_id = self.region_west
        self.assertEqual(wizard.state, "draft")

    def test_who_may(self):
        for user in (self.user_sales, self.user_compliance, self.user_auditor):
            with self.assertRaises(AccessError):
                self._wizard(user=user, partner_ids=self.hospital.ids, target_region_id=self.key_area.id)

    def test_number_of_queries_of_the_preview_does_not_depend_on_the_number_of_members(self):
        def count(number):
            hospitals = self.env["res.partner"].create([
                self._channel_hospital_values(f"H{index}", self.region_city) for index in range(number)
            ])
            wizard = self._wizard(partner_ids=hospitals.ids, target_region_id=self.key_area.id)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            wizard.action_show()
            return self.env.cr.sql_log_count - before

        count(2)
        self.assertLessEqual(count(100), count(10) + 3)

    def test_many_hospitals(self):
        self.env["res.partner"].create([
            self._channel_hospital_values(f"H{index}", self.region_city) for index in range(500)
        ])
        self.env.flush_all()
        start = time.perf_counter()
        wizard = self._shown(source_region_id=self.region_east.id, target_region_id=self.key_area.id)
        shown = time.perf_counter() - start
        wizard.action_apply()
        self.env.flush_all()
        self.assertEqual(wizard.move_count, 501)
        self.assertLess(shown, 3)
        self.assertLess(time.perf_counter() - start, 60)
