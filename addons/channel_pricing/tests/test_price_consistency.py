from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
class TestPriceConsistency(ChannelPricingCommon):
    """What the table said when an order was confirmed is kept, and orders that differ from it are listed."""

    def _order(self, price=None, confirm=True, **values):
        order = self._channel_order(customer=self.hospital)
        if price is not None:
            order.order_line[0].price_unit = price
        order.order_line[0].write(values)
        if confirm:
            order.action_confirm()
        return order

    def _rows(self, order, user=None):
        self.env.flush_all()
        report = self.env["channel.price.consistency"]
        return report.with_user(user or self.user_pricing).search([("order_id", "=", order.id)])

    def test_table_price_is_kept_at_confirmation(self):
        rule = self._channel_rule(90)
        order = self._order(confirm=False)
        self.assertFalse(order.order_line.channel_table_date)
        order.action_confirm()
        self.assertEqual(order.order_line.channel_table_price, 90)
        self.assertEqual(order.order_line.channel_table_date, order.date_order)
        rule.fixed_price = 80
        order.order_line.invalidate_recordset()
        self.assertEqual(order.order_line.channel_table_price, 90, "what was said then stays")
        self.assertFalse(self._rows(order))

    def test_price_by_hand_names_who_entered_it(self):
        self._channel_rule(90)
        order = self._order(confirm=False)
        order.with_user(self.user_admin).order_line.write({"price_unit": 81, "product_uom_qty": 3})
        order.action_confirm()
        row = self._rows(order)
        self.assertRecordValues(row, [{
            "table_price": 90, "order_price": 81, "difference": -9, "percent": -10, "amount": -27,
            "allowed_by": "manual", "allowed_user_id": self.user_admin.id, "member_id": self.dealer.id,
            "customer_id": self.hospital.id, "product_id": self.device.id,
        }])

    def test_what_rounds_to_nothing_is_no_difference(self):
        self._channel_rule(90)
        self.assertFalse(self._rows(self._order(89.996)))
        self.assertTrue(self._rows(self._order(89.99)))

    def test_discount_of_the_line_counts(self):
        self._channel_rule(90)
        self.assertRecordValues(self._rows(self._order(discount=10)), [{"order_price": 81, "percent": -10}])

    def test_line_added_to_a_confirmed_order(self):
        self._channel_rule(9, product=self.consumable)
        order = self._order()
        line = self.env["sale.order.line"].create(
            {"order_id": order.id, "product_id": self.consumable.id, "price_unit": 8}
        )
        self.assertEqual(line.channel_table_price, 9)
        self.assertEqual(self._rows(order).filtered(lambda row: row.product_id == self.consumable).difference, -1)

    def test_currency_of_the_company(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": euro.id, "company_id": self.company.id, "name": "2020-01-01", "rate": 0.5}
        )
        self.table.currency_id = euro
        self._channel_rule(90)
        row = self._rows(self._order(80))
        self.assertEqual((row.difference, row.amount), (-10, -20))

    def test_unit_of_the_line(self):
        self._channel_rule(90)
        order = self._order(product_uom_id=self.uom_box.id)
        self.assertEqual(order.order_line.channel_table_price, 900)
        self.assertFalse(self._rows(order))

    def test_gate_override_is_named(self):
        self._channel_rule(90)
        order = self._order(80)
        check = self.env.ref("channel_pricing.gate_check_price_floor", raise_if_not_found=False) or self.env[
            "channel.gate.check"].search([("code", "=", "price_floor")])
        self.env["channel.gate.finding"].sudo().create({
            "check_id": check.id, "operation_id": self.env["channel.gate.operation"].search(
                [("code", "=", "order")]).id,
            "severity": "block", "state": "overridden", "message": "x", "fingerprint": "x", "res_model": "sale.order",
            "res_id": order.id, "company_id": self.company.id, "product_id": self.device.id,
            "override_user_id": self.user_manager.id, "override_reason": "Tender",
        })
        self.assertRecordValues(
            self._rows(order),
            [{"allowed_by": "override", "allowed_user_id": self.user_manager.id, "reason": "Tender"}],
        )

    def test_access(self):
        self._channel_rule(90)
        order = self._order(80)
        for user in (self.user_pricing, self.user_manager, self.user_finance, self.user_executive, self.user_auditor):
            self.assertTrue(self._rows(order, user))
        for user in (self.user_sales, self.user_portal):
            with self.assertRaises(AccessError):
                self._rows(order, user)

    def test_number_of_queries_does_not_depend_on_the_number_of_lines(self):
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{n}", list_price=10) for n in range(110)]
        )

        def count(chosen):
            order = self._channel_order(customer=self.hospital)
            order.order_line = [(0, 0, {"product_id": product.id}) for product in chosen]
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            order.order_line._channel_note_table_prices()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(products[:1])
        self.assertLessEqual(count(products[10:]), count(products[:10]) + 5)
