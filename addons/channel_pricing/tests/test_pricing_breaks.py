from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
class TestPricingBreaks(ChannelPricingCommon):
    """Quantity breaks are counted over the lines of an order as the table says (Odoo issues 30036 and 105503)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Category = cls.env["product.category"]
        cls.parent = Category.create({"name": "Catheters"})
        cls.child = Category.create({"name": "Balloons", "parent_id": cls.parent.id})
        attribute = cls.env["product.attribute"].create(
            {"name": "Diameter", "value_ids": [Command.create({"name": name}) for name in ("2 mm", "3 mm")]}
        )
        template = cls.env["product.template"].create({
            **cls._channel_product_values("Balloon catheter", list_price=100, categ_id=cls.child.id),
            "attribute_line_ids": [
                Command.create({"attribute_id": attribute.id, "value_ids": [Command.set(attribute.value_ids.ids)]})
            ],
        })  # fmt: skip
        cls.small, cls.large = template.product_variant_ids
        cls.sheath = cls.env["product.product"].create(
            cls._channel_product_values("Sheath", list_price=100, categ_id=cls.parent.id)
        )
        for price, quantity in ((90, 0), (80, 10)):
            cls._channel_rule(price, product=cls.small, min_quantity=quantity)
        cls.rule_category = cls._channel_rule(
            applied_on="2_product_category", categ_id=cls.parent.id, compute_price="percentage", percent_price=30,
            min_quantity=12,
        )  # fmt: skip

    def _prices(self, scope, *lines):
        """Prices of an order and of a quote with these ``(product, quantity)``, which must agree."""
        self.table.channel_break_scope = scope
        prices = self._channel_order(lines).order_line.mapped("price_unit")
        quoted = self.env["channel.pricing"].quote(
            self.dealer.id, [{"product_id": product.id, "quantity": quantity} for product, quantity in lines]
        )
        self.assertEqual([answer["price_unit"] for answer in quoted], prices)
        return prices

    def test_each_line(self):
        self.assertEqual(self._prices("line", (self.small, 5), (self.large, 5)), [90, 90])
        self.assertEqual(self._prices("line", (self.small, 10), (self.large, 5)), [80, 90])

    def test_variants(self):
        self.assertEqual(self._prices("template", (self.small, 5), (self.large, 4)), [90, 90])
        self.assertEqual(self._prices("template", (self.small, 5), (self.large, 5)), [80, 80])
        self.assertEqual(self._prices("template", (self.small, 5), (self.sheath, 50)), [90, 70])

    def test_same_product_on_two_lines(self):
        self.assertEqual(self._prices("template", (self.small, 6), (self.small, 4)), [80, 80])

    def test_category(self):
        # The rule of the category counts all below it; those of the product count its own category
        self.assertEqual(self._prices("category", (self.small, 7), (self.sheath, 5)), [90, 70])
        self.assertEqual(self._prices("category", (self.small, 7), (self.sheath, 4)), [90, 100])
        self.assertEqual(self._prices("category", (self.small, 7), (self.large, 3), (self.sheath, 2)), [80, 80, 70])

    def test_whole_order(self):
        self.assertEqual(self._prices("order", (self.small, 1), (self.consumable, 9))[0], 80)
        self.assertEqual(self._prices("order", (self.small, 1), (self.consumable, 8))[0], 90)

    def test_units_are_turned_into_that_of_the_product(self):
        self.table.channel_break_scope = "template"
        order = self._channel_order([(self.small, 1), (self.large, 1)])
        self.assertEqual(order.order_line[0].price_unit, 90)
        order.order_line[1].product_uom_id = self.uom_box
        box = self.uom_box._compute_quantity(1, self.uom_unit)
        self.assertEqual(order.order_line[0].price_unit, 80 if box + 1 >= 10 else 90)

    def test_lines_are_priced_together_when_one_of_them_changes(self):
        self.table.channel_break_scope = "template"
        order = self._channel_order([(self.small, 5), (self.large, 4)])
        small, large = order.order_line
        large.product_uom_qty = 5
        self.assertEqual((small.price_unit, large.price_unit), (80, 80))
        large.product_uom_qty = 4
        self.assertEqual((small.price_unit, large.price_unit), (90, 90))
        order.order_line = [Command.create({"product_id": self.large.id, "product_uom_qty": 1})]
        self.assertEqual(order.order_line.mapped("price_unit"), [80, 80, 80])
        order.order_line[2].unlink()
        self.assertEqual(order.order_line.mapped("price_unit"), [90, 90])

    def test_price_typed_by_hand_stays(self):
        self.table.channel_break_scope = "template"
        order = self._channel_order([(self.small, 5), (self.large, 4)])
        order.order_line[0].price_unit = 55.5
        order.order_line[1].product_uom_qty = 5
        self.assertEqual(order.order_line.mapped("price_unit"), [55.5, 80])

    def test_quotation_that_was_sent_changes_only_where_it_is_changed(self):
        self.table.channel_break_scope = "template"
        order = self._channel_order([(self.small, 5), (self.large, 4)])
        order.state = "sent"
        order.order_line[1].product_uom_qty = 5
        self.assertEqual(order.order_line.mapped("price_unit"), [90, 80])

    def test_form_prices_lines_together(self):
        self.table.channel_break_scope = "template"
        order = self._channel_order([(self.small, 5), (self.large, 4)])
        with Form(order) as form:
            with form.order_line.edit(1) as line:
                line.product_uom_qty = 5
            with form.order_line.edit(0) as line:
                self.assertEqual(line.price_unit, 80)
        self.assertEqual(order.order_line.mapped("price_unit"), [80, 80])

    def test_table_based_on_another_counts_as_that_one_says(self):
        chained = self.env["product.pricelist"].create(
            {"name": "Chained", "company_id": False, "channel_break_scope": "order"}
        )
        self.env["product.pricelist.item"].create({
            "pricelist_id": chained.id, "compute_price": "percentage", "percent_price": 50, "base": "pricelist",
            "base_pricelist_id": self.table.id,
        })  # fmt: skip
        self.dealer.property_product_pricelist = chained
        lines = [{"product_id": product.id, "quantity": 5} for product in (self.small, self.large)]
        quote = self.env["channel.pricing"].quote
        self.assertEqual([answer["price_unit"] for answer in quote(self.dealer.id, lines)], [45, 45])
        self.table.channel_break_scope = "template"
        self.assertEqual([answer["price_unit"] for answer in quote(self.dealer.id, lines)], [40, 40])

    def test_explanation_says_what_was_counted(self):
        self._prices("template", (self.small, 5), (self.large, 5))
        answers = self.env["channel.pricing"].quote(
            self.dealer.id, [{"product_id": product.id, "quantity": 5} for product in (self.small, self.large)]
        )
        for answer in answers:
            [step] = [step for step in answer["steps"] if step["code"] == "counted"]
            self.assertEqual((step["scope"], step["quantity"]), ("template", 10))

    def test_number_of_queries_does_not_depend_on_the_number_of_lines(self):
        products = self.env["product.product"].create([
            self._channel_product_values(f"P{number}", list_price=number + 1, categ_id=self.child.id)
            for number in range(60)
        ])  # fmt: skip

        def queries(number):
            order = self._channel_order([(product, 1 + index) for index, product in enumerate(products[:number])])
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            order.order_line[0].product_uom_qty += 5
            self.env.flush_all()
            return self.cr.sql_log_count - before

        for scope in ("template", "category", "order"):
            with self.subTest(scope):
                self.table.channel_break_scope = scope
                queries(2)
                self.assertLessEqual(queries(60), queries(6) + 6)
