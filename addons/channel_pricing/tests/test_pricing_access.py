from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
class TestPricingAccess(ChannelPricingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls._channel_rule(80, segment=cls.segment_dealer)
        cls._channel_rule(75, segment=cls.segment_west)

    def _quote_as(self, user, member):
        return self.env["channel.pricing"].with_user(user).quote(member.id, [{"product_id": self.device.id}])

    def test_every_position_may_ask(self):
        for position in ("manager", "pricing", "contract", "finance", "compliance", "executive", "auditor", "admin"):
            with self.subTest(position):
                [answer] = self._quote_as(getattr(self, f"user_{position}"), self.other_dealer)
                self.assertEqual(answer["price_unit"], 75)

    def test_regional_user_asks_for_members_of_the_own_regions(self):
        self.assertEqual(self._quote_as(self.user_sales, self.dealer)[0]["price_unit"], 80)
        with self.assertRaises(AccessError):
            self._quote_as(self.user_sales, self.other_dealer)

    def test_user_without_a_position_may_not_ask(self):
        with self.assertRaises(AccessError):
            self._quote_as(self.user_internal, self.dealer)

    def test_portal_user_asks_for_the_own_company_only(self):
        [answer] = self._quote_as(self.user_portal, self.dealer)
        self.assertEqual(answer["price_unit"], 80)
        for member in (self.other_dealer, self.sub_dealer, self.hospital):
            with self.subTest(member.name), self.assertRaises(AccessError):
                self._quote_as(self.user_portal, member)

    def test_portal_user_sees_no_rule_of_others_and_no_calculation(self):
        self.device.standard_price = 33.33
        self.rule.write({"compute_price": "formula", "base": "standard_price", "price_markup": 10})
        [answer] = self._quote_as(self.user_portal, self.dealer)
        self.assertLessEqual({step["code"] for step in answer["steps"]}, {"pricelist", "won", "no_rule", "price"})
        self.assertNotIn("33.33", str(answer))
        self.assertNotIn("T-WEST", str(answer))

    def test_another_company_is_refused(self):
        other = self.env["res.company"].create({"name": "Other company"})
        with self.assertRaises(AccessError):
            self.env["channel.pricing"].with_user(self.user_pricing).quote(self.dealer.id, [], company_id=other.id)

    def test_pricing_edits_rules_and_others_do_not(self):
        self.rule.with_user(self.user_pricing).fixed_price = 79
        self.assertEqual(self._quote()["price_unit"], 79)
        for user in (self.user_sales, self.user_contract, self.user_finance, self.user_auditor, self.user_portal):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.rule.with_user(user).write({"fixed_price": 1})

    def test_imports_are_pricing_s(self):
        values = {"pricelist_id": self.table.id, "file": b"UEs=", "file_name": "x.xlsx"}
        record = self.env["channel.price.import"].with_user(self.user_pricing).create(values)
        self.assertTrue(record.with_user(self.user_auditor).file_name)
        for user in (self.user_sales, self.user_contract, self.user_auditor, self.user_portal):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.env["channel.price.import"].with_user(user).create(values)

    def test_segment_of_a_rule_is_of_the_table_s_company(self):
        other = self.env["res.company"].create({"name": "Other company"})
        segment = self.env["channel.segment"].create({"name": "Foreign", "code": "F", "company_id": other.id})
        self.table.company_id = self.company
        with self.assertRaisesRegex(Exception, "Foreign"):
            self._channel_rule(1, segment=segment)
