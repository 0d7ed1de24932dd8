from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-06-15 04:00:00")
class TestPriceVersionAccess(ChannelPricingCommon):
    """Pricing edits, somebody else approves, sales see what was approved."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule_device = cls._channel_rule(90)
        cls.draft = cls._channel_price_version(date(2026, 7, 1), approve=False, rule_device=85)
        cls.first = cls.table.channel_version_ids - cls.draft

    def test_pricing_makes_and_changes_drafts_but_does_not_approve(self):
        draft = self.draft.with_user(self.user_pricing)
        draft.purpose = "Dearer steel"
        draft.item_ids.fixed_price = 86
        other = self.env["res.users"].create({
            "name": "Second of Pricing", "login": "pricing2",
            "group_ids": [(6, 0, self.user_pricing.group_ids.ids)],
        })  # fmt: skip
        with self.assertRaisesRegex(Exception, "somebody of the group"):
            draft.with_user(other).action_approve()

    def test_manager_compares_and_approves_without_changing(self):
        draft = self.draft.with_user(self.user_manager)
        draft.action_refresh_preview()
        self.assertEqual(draft.change_ids.mapped("price_after"), [85])
        with self.assertRaises(AccessError):
            draft.purpose = "Mine"
        draft.action_approve()
        self.assertEqual(self.draft.state, "approved")

    def test_sales_see_approved_versions_only(self):
        for user in (self.user_sales, self.user_finance, self.user_compliance):
            with self.subTest(user.name):
                versions = self.env["channel.price.version"].with_user(user).search([])
                self.assertEqual(versions & (self.draft | self.first), self.first)
                rules = self.env["product.pricelist.item"].with_user(user).search([])
                self.assertFalse(rules & self.draft.item_ids)
                with self.assertRaises(AccessError):
                    self.draft.with_user(user).action_refresh_preview()
                with self.assertRaises(AccessError):
                    self.env["channel.price.change"].with_user(user).search([])

    def test_sales_have_the_price_of_a_version(self):
        self.draft.with_user(self.user_manager).action_approve()
        for user in (self.user_sales, self.user_internal):
            order = self.env["sale.order"].with_user(user).create({
                "partner_id": self.dealer.id, "date_order": "2026-07-02 04:00:00",
                "order_line": [(0, 0, {"product_id": self.device.id})],
            })  # fmt: skip
            self.assertEqual(order.order_line.price_unit, 85)
        [answer] = self.env["channel.pricing"].with_user(self.user_portal).quote(
            self.dealer.id, [{"product_id": self.device.id}], date="2026-07-01"
        )
        self.assertEqual(answer["price_unit"], 85)

    def test_auditor_reads_everything_and_changes_nothing(self):
        self.draft.action_refresh_preview()
        draft = self.draft.with_user(self.user_auditor)
        self.assertEqual(draft.change_ids.mapped("price_after"), [85])
        self.assertEqual(draft.item_ids.mapped("fixed_price"), [85])
        with self.assertRaises(AccessError):
            draft.purpose = "Mine"

    def test_margin_is_for_those_who_may_know_costs(self):
        self.draft.with_user(self.user_manager).action_approve()
        self.assertTrue(self.draft.with_user(self.user_pricing).lowest_margin)
        with self.assertRaises(AccessError):
            self.draft.with_user(self.user_sales).read(["lowest_margin"])

    def test_regional_user_sees_no_rule_of_a_member_elsewhere(self):
        rules = self.env["product.pricelist.item"]._channel_beside_versions().create([
            {"pricelist_id": self.table.id, "fixed_price": 1, "channel_member_id": member.id}
            for member in (self.dealer, self.other_dealer)
        ])  # fmt: skip
        found = self.env["product.pricelist.item"].with_user(self.user_sales).search([("id", "in", rules.ids)])
        self.assertEqual(found.channel_member_id, self.dealer)

    def test_portal_user_reads_no_version_and_no_rule(self):
        for model in ("channel.price.version", "channel.price.change"):
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(self.user_portal).search([])
