from odoo.tests import tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
class TestDiscountLimit(ChannelPricingCommon):
    """How far a seller may go below the price table, and how much margin is left."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._channel_rule(100)
        cls._channel_rule(90, segment=cls.segment_dealer, min_quantity=10)

    def _codes(self, order, user=None):
        gate = self.env["channel.gate"].with_user(user or self.user_sales)
        _requests, findings = gate._evaluate_documents("order", order.with_user(user or self.user_sales))
        return sorted(finding.code for finding in findings if finding.code.startswith("price_"))

    def _order_at(self, price, quantity=1, **values):
        return self._channel_order([(self.device, quantity, price)], **values)

    def test_exactly_the_largest_discount_passes(self):
        self._channel_discount_limit("sales", max_discount=10)
        self.assertEqual(self._codes(self._order_at(90)), [])
        self.assertEqual(self._codes(self._order_at(89.99)), ["price_discount"])

    def test_what_counts_is_the_table_s_price_for_this_quantity(self):
        self._channel_discount_limit("sales", max_discount=10)
        self.assertEqual(self._codes(self._order_at(81, quantity=10)), [])
        self.assertEqual(self._codes(self._order_at(80.99, quantity=10)), ["price_discount"])

    def test_another_price_list_on_the_order_is_no_way_around(self):
        self._channel_discount_limit("sales", max_discount=10)
        cheap = self.env["product.pricelist"].create({"name": "Cheap", "company_id": False})
        self._channel_rule(50, pricelist_id=cheap.id)
        order = self._channel_order([(self.device, 1)], pricelist_id=cheap.id)
        self.assertEqual(order.order_line.price_unit, 50)
        self.assertEqual(self._codes(order), ["price_discount"])

    def test_who_confirms_answers_not_who_is_named(self):
        self._channel_discount_limit("sales", max_discount=10)
        self._channel_discount_limit("manager", max_discount=30)
        order = self._order_at(75, user_id=self.user_manager.id)
        self.assertEqual(self._codes(order, self.user_sales), ["price_discount"])
        # a manager is in the group of sales too: the more generous limit counts
        self.assertEqual(self._codes(order, self.user_manager), [])

    def test_a_dealer_who_accepts_rests_on_who_made_the_offer(self):
        self._channel_discount_limit("sales", max_discount=10)
        self._channel_discount_limit("manager", max_discount=30)
        order = self.env["sale.order"].with_user(self.user_sales).create({"partner_id": self.dealer.id}).sudo()
        order.order_line = [(0, 0, {"product_id": self.device.id, "price_unit": 75})]
        # Naming the manager does not borrow the manager's limit
        order.user_id = self.user_manager
        with self.assertRefused("price_discount"):
            order.with_user(self.user_portal).sudo().action_confirm()

    def test_whom_no_limit_names_may_give_no_discount(self):
        self.assertEqual(self._codes(self._order_at(1), self.user_internal), [])
        self._channel_discount_limit("manager", max_discount=30)
        self.assertEqual(self._codes(self._order_at(100), self.user_internal), [])
        self.assertEqual(self._codes(self._order_at(99.99), self.user_internal), ["price_discount"])

    def test_a_group_without_a_limit_of_discounts_may_give_any(self):
        self._channel_discount_limit("manager", max_discount=30)
        self._channel_discount_limit("sales", has_min_margin=True, min_margin=0)
        self.assertEqual(self._codes(self._order_at(1)), [])

    def test_tax_in_the_table_s_price_is_taken_out(self):
        self._channel_discount_limit("sales", max_discount=0)
        tax = self.env["account.tax"].create(
            {"name": "13 % included", "amount": 13, "price_include_override": "tax_included"}
        )
        self.device.taxes_id = tax
        order = self._channel_order([(self.device, 1)])
        self.assertEqual(self._codes(order), [])
        order.order_line.price_unit = 99.9
        self.assertEqual(self._codes(order), ["price_discount"])

    def test_margin_at_its_limit_passes(self):
        self.device.standard_price = 60
        self._channel_discount_limit("sales", has_min_margin=True, min_margin=25)
        self.assertEqual(self._codes(self._order_at(80)), [])
        self.assertEqual(self._codes(self._order_at(79.99)), ["price_margin"])
        order = self._order_at(80)
        order.order_line.discount = 100
        self.assertEqual(self._codes(order), ["price_margin"])

    def test_margin_warns_and_does_not_stop(self):
        self.device.standard_price = 60
        self._channel_discount_limit("admin", has_min_margin=True, min_margin=25)
        order = self._order_at(70)
        order.action_confirm()
        finding = order.channel_finding_ids.filtered(lambda f: f.code == "price_margin")
        self.assertEqual(finding.severity, "warn")

    def test_a_product_without_a_cost_has_no_margin_to_ask_for(self):
        self._channel_discount_limit("sales", has_min_margin=True, min_margin=25)
        self.assertEqual(self._codes(self._order_at(1)), [])
