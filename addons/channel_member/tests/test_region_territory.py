from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestRegionTerritory(ChannelMemberCommon):
    """What the lists of a territory mean for members: history, rights, authorizations, reassignment."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        country = cls.env.ref("base.nz")
        state = cls.env["res.country.state"].create(
            {"name": "Listed Province", "code": "T-L", "country_id": country.id}
        )
        cls.province = cls.env["channel.region"].create({
            "name": "Listed Province", "code": "T-LIST", "level": "province", "parent_id": cls.region_west.id,
            "state_id": state.id,
        })
        cls.address = {"country_id": country.id, "state_id": state.id, "channel_region_manual_id": False}
        (cls.hospital + cls.dealer).write(cls.address)
        cls.env.flush_all()

    def _hospitals(self, count):
        return self.env["res.partner"].create([
            {**self._channel_hospital_values(f"Listed {index}", self.region_west), **self.address}
            for index in range(count)
        ])

    def test_lists_are_dated_in_the_history(self):
        period = self.env["channel.member.period"]
        today = fields.Date.context_today(self.dealer)
        for member in self.dealer + self.hospital:
            self.assertEqual(member.channel_region_id, self.province)
        self.region_east.include_region_ids = self.province
        self.env.flush_all()
        for member in self.dealer + self.hospital:
            self.assertEqual(member.channel_region_id, self.region_east)
            now = period._as_of([(member.id, today)])[member.id, today]
            self.assertEqual((now.region_id, now.valid_from, now.valid_to), (self.region_east, today, False))
        self.region_east.exclude_partner_ids = self.dealer
        self.env.flush_all()
        now = period._as_of([(self.dealer.id, today)])[self.dealer.id, today]
        self.assertEqual(now.region_id, self.province, "the last of a day counts for all of it")
        rows = self.dealer.channel_period_ids
        self.assertEqual(len(rows.filtered(lambda row: not row.valid_to)), 1)

    def test_rights_follow_the_lists(self):
        partners = self.env["res.partner"].with_user(self.user_sales)

        def sees(partner):
            return bool(partners.search([("id", "=", partner.id)]))

        self.assertFalse(sees(self.hospital))
        self.region_east.with_user(self.user_manager).include_partner_ids = self.hospital
        self.assertTrue(sees(self.hospital))
        self.assertFalse(sees(self.dealer))
        self.region_east.with_user(self.user_manager).include_region_ids = self.province
        self.assertTrue(sees(self.dealer))
        self.region_east.with_user(self.user_manager).exclude_partner_ids = self.dealer
        self.assertFalse(sees(self.dealer))

    def test_orders_are_judged_by_the_territory(self):
        self.assertIn("member_authorization", self._channel_codes(customer=self.hospital))
        self.region_east.include_partner_ids = self.hospital
        self.assertNotIn("member_authorization", self._channel_codes(customer=self.hospital))

    def test_taken_back_by_address_goes_to_the_territory(self):
        self.region_east.include_partner_ids = self.hospital
        self.hospital.channel_region_manual_id = self.region_west
        wizard = self.env["channel.region.reassign"].with_user(self.user_manager).create(
            {"reason": "Back", "partner_ids": self.hospital.ids, "by_address": True}
        )
        wizard.action_show()
        self.assertEqual(wizard.line_ids.to_region_id, self.region_east)
        wizard.action_apply()
        self.assertEqual(self.hospital.channel_region_id, self.region_east)
        self.assertFalse(self.hospital.channel_region_manual_id)

    def test_dated_decision_that_agrees_with_the_lists_needs_no_hand(self):
        self.region_east.include_partner_ids = self.hospital
        self.hospital.channel_region_manual_id = self.region_west
        self.hospital.with_user(self.user_manager)._channel_change({"channel_region_manual_id": False})
        today = fields.Date.context_today(self.hospital)
        now = self.env["channel.member.period"]._as_of([(self.hospital.id, today)])[self.hospital.id, today]
        self.assertEqual((now.region_id, self.hospital.channel_region_id), (self.region_east, self.region_east))

    def test_counts(self):
        self.region_east.include_region_ids = self.province
        before = self.region_east.member_count
        self.region_east.exclude_partner_ids = self.dealer
        self.env.invalidate_all()
        self.assertEqual(self.region_east.member_count, before - 1)
        self.assertEqual(self.region_east.hospital_count, 1)
        self.assertEqual(self.province.member_count, 1)
        self.assertEqual(self.province.hospital_count, 0)

    def test_number_of_queries_does_not_depend_on_the_number_of_members(self):
        def count(number):
            self._hospitals(number)
            self.region_east.include_region_ids = False
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.region_east.include_region_ids = [Command.set(self.province.ids)]
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(2)
        few, many = count(10), count(100)
        self.assertLessEqual(many, few + 3)
