from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
class TestPricingOrder(ChannelPricingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._channel_rule(90)
        cls._channel_rule(80, segment=cls.segment_dealer)
        cls._channel_rule(70, segment=cls.segment_dealer, min_quantity=10)
        cls._channel_rule(60, segment=cls.segment_hospital)

    def _catalogue_price(self, order, product):
        return order._get_product_catalog_order_data(product)[product.id]["price"]

    def test_order_catalogue_and_quote_agree(self):
        for member, customer in (
            (self.dealer, None),
            (self.dealer, self.hospital),
            (self.other_dealer, None),
            (self.other_dealer, self.hospital),
        ):
            with self.subTest(member=member.name, customer=customer and customer.name):
                order = self._channel_order([(self.device, 1)], partner=member, customer=customer)
                quoted = self._quote(member, customer)
                self.assertEqual(order.order_line.price_unit, quoted["price_unit"])
                self.assertEqual(order.order_line.pricelist_item_id.id, quoted["pricelist_item_id"])
                self.assertEqual(self._catalogue_price(order, self.device), quoted["price_unit"])

    def test_line_shown_several_times_in_the_catalogue_has_the_same_price(self):
        order = self._channel_order([(self.device, 1), (self.device, 2)], customer=self.hospital)
        data = order.order_line._get_product_catalog_lines_data()
        self.assertEqual(data["price"], 60)

    def test_quantity_break_on_the_line(self):
        order = self._channel_order([(self.device, 1)])
        self.assertEqual(order.order_line.price_unit, 80)
        order.order_line.product_uom_qty = 10
        self.assertEqual(order.order_line.price_unit, 70)

    def test_draft_follows_its_end_customer(self):
        order = self._channel_order([(self.device, 1)])
        order.channel_end_customer_id = self.hospital
        self.assertEqual(order.order_line.price_unit, 60)
        order.channel_end_customer_id = False
        self.assertEqual(order.order_line.price_unit, 80)

    def test_draft_follows_its_member(self):
        order = self._channel_order([(self.device, 1)])
        order.partner_id = self.other_dealer
        self.assertEqual(order.order_line.price_unit, 90)

    def test_price_typed_by_hand_stays_until_prices_are_updated(self):
        order = self._channel_order([(self.device, 1), (self.device, 1)])
        order.order_line[0].price_unit = 55.5
        order.channel_end_customer_id = self.hospital
        self.assertEqual(order.order_line.mapped("price_unit"), [55.5, 60])
        order.action_update_prices()
        self.assertEqual(order.order_line.mapped("price_unit"), [60, 60])

    def test_quotation_that_was_sent_keeps_its_prices(self):
        order = self._channel_order([(self.device, 1)])
        order.state = "sent"
        order.channel_end_customer_id = self.hospital
        self.assertEqual(order.order_line.price_unit, 80)

    def test_form_reprices_and_offers_the_update(self):
        order = self._channel_order([(self.device, 1), (self.device, 1)])
        order.order_line[1].price_unit = 55.5
        with Form(order) as form:
            form.channel_end_customer_id = self.hospital
            self.assertTrue(form.show_update_pricelist)
            with form.order_line.edit(0) as line:
                self.assertEqual(line.price_unit, 60)
        self.assertEqual(order.order_line.mapped("price_unit"), [60, 55.5])

    def test_discount_of_a_segment_is_shown_where_discounts_are(self):
        self.env.user.group_ids += self.env.ref("sale.group_discount_per_so_line")
        self.env.ref("base.group_user").implied_ids += self.env.ref("sale.group_discount_per_so_line")
        self._channel_rule(
            product=self.consumable, segment=self.segment_hospital, compute_price="percentage", percent_price=20
        )
        order = self._channel_order([(self.consumable, 1)])
        self.assertEqual((order.order_line.price_unit, order.order_line.discount), (10, 0))
        order.channel_end_customer_id = self.hospital
        self.assertEqual((order.order_line.price_unit, order.order_line.discount), (10, 20))
        self.assertEqual(
            order.order_line.price_reduce_taxexcl, self._price(customer=self.hospital, product=self.consumable)
        )

    def test_salesperson_outside_the_channel_gets_the_same_prices(self):
        order = (
            self.env["sale.order"]
            .with_user(self.user_internal)
            .create(
                {
                    "partner_id": self.dealer.id,
                    "channel_end_customer_id": self.hospital.id,
                    "order_line": [Command.create({"product_id": self.device.id})],
                }
            )
        )
        self.assertEqual(order.order_line.price_unit, 60)

    def test_reinvoiced_expense_costs_what_the_order_says(self):
        self.device.expense_policy = "sales_price"
        order = self._channel_order([(self.consumable, 1)], customer=self.hospital)
        line = self.env["account.move.line"].new({"product_id": self.device.id, "product_uom_id": self.uom_unit.id})
        self.assertEqual(line._sale_get_invoice_price(order), 60)

    def test_number_of_queries_does_not_depend_on_the_number_of_lines(self):
        base_table = self.env["product.pricelist"].create({"name": "Base", "company_id": False})
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{number}", list_price=number + 1) for number in range(110)]
        )
        self.env["product.pricelist.item"].create(
            [
                {
                    "pricelist_id": self.table.id,
                    "product_tmpl_id": product.product_tmpl_id.id,
                    "compute_price": "percentage",
                    "percent_price": 5,
                    "base": "pricelist",
                    "base_pricelist_id": base_table.id,
                    "channel_segment_id": self.segment_dealer.id,
                }
                for product in products
            ]
        )
        few = self._channel_order([(product, 1) for product in products[:10]])
        many = self._channel_order([(product, 1) for product in products[10:]])

        def count(method, order):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            method(order)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        for method in (
            lambda order: order.order_line.mapped("pricelist_item_id"),
            lambda order: order._recompute_prices(),
            lambda order: order.write(
                {"channel_end_customer_id": not order.channel_end_customer_id and self.hospital.id}
            ),
        ):
            count(method, few)
            self.assertLessEqual(count(method, many), count(method, few) + 6)
