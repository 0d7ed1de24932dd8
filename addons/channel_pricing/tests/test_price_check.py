from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, HttpCase, tagged

from .common import ChannelPricingCommon


def codes(steps):
    return [step["code"] for step in steps]


@tagged("post_install", "-at_install")
class TestPriceCheck(ChannelPricingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._channel_rule(90)
        cls._channel_rule(80, segment=cls.segment_dealer)
        cls._channel_rule(60, segment=cls.segment_hospital)

    def _steps(self, line):
        return line._channel_explain_price()

    def _code(self, steps, code):
        [step] = [step for step in steps if step["code"] == code]
        return step

    # === ORDER LINE ===#

    def test_line_tells_the_rule_that_won_and_why_the_others_did_not(self):
        line = self._channel_order([(self.device, 2)], customer=self.hospital).order_line
        steps = self._steps(line)
        self.assertEqual(self._code(steps, "won")["rule_id"], line.pricelist_item_id.id)
        self.assertEqual(
            [step["reason"] for step in steps if step["code"] == "lost"], ["segment_priority", "segment_priority"]
        )
        self.assertEqual((self._code(steps, "price")["amount"], self._code(steps, "net")["amount"]), (60, 60))
        self.assertEqual(codes(steps)[-2:], ["price", "net"])

    def test_price_typed_by_hand_and_discount_of_the_line(self):
        line = self._channel_order([(self.device, 1)]).order_line
        line.price_unit = 70
        line.discount = 10
        steps = self._steps(line)
        self.assertEqual(codes(steps)[-4:], ["price", "by_hand", "line_discount", "net"])
        self.assertEqual([step["amount"] for step in steps[-4:]], [80, 70, 70, 63])

    def test_discount_of_a_rule_that_the_line_shows(self):
        self.env.user.group_ids += self.env.ref("sale.group_discount_per_so_line")
        self.env.ref("base.group_user").implied_ids += self.env.ref("sale.group_discount_per_so_line")
        self._channel_rule(
            product=self.consumable, segment=self.segment_dealer, compute_price="percentage", percent_price=20
        )
        line = self._channel_order([(self.consumable, 1)]).order_line
        steps = self._steps(line)
        self.assertEqual(codes(steps)[-3:], ["price", "line_discount", "net"])
        self.assertEqual([step["amount"] for step in steps[-3:]], [8, 10, 8])

    def test_line_of_the_past_is_explained_as_of_its_day(self):
        order = self._channel_order([(self.device, 1)])
        order.date_order = fields.Datetime.now() - timedelta(days=30)
        old = self._channel_rule(
            72, segment=self.segment_dealer, min_quantity=1,
            date_end=fields.Datetime.now() - timedelta(days=10),
        )
        order.action_update_prices()
        steps = self._steps(order.order_line)
        self.assertEqual(self._code(steps, "won")["rule_id"], old.id)
        self.assertEqual(self._code(steps, "net")["amount"], 72)

    def test_table_that_was_changed_after_the_line_was_priced(self):
        line = self._channel_order([(self.device, 1)]).order_line
        line.pricelist_item_id.fixed_price = 85
        self.env.invalidate_all()
        steps = self._steps(line)
        self.assertEqual(codes(steps)[-3:], ["price", "since", "net"])
        self.assertEqual([step["amount"] for step in steps[-3:]], [85, 80, 80])

    def test_taxes_included_that_the_fiscal_position_takes_out(self):
        tax = self.env["account.tax"].create(
            {"name": "VAT incl.", "amount": 25, "price_include_override": "tax_included", "company_id": self.company.id}
        )
        export = self.env["account.tax"].create(
            {"name": "Export", "amount": 0, "price_include_override": "tax_included", "company_id": self.company.id,
             "original_tax_ids": tax.ids}
        )
        position = self.env["account.fiscal.position"].create(
            {"name": "Export", "company_id": self.company.id, "tax_ids": export.ids}
        )
        export.fiscal_position_ids = position
        self.device.taxes_id = tax
        order = self._channel_order([(self.device, 1)])
        order.fiscal_position_id = position
        order.action_update_prices()
        self.assertEqual(order.order_line.price_unit, 64)
        steps = self._steps(order.order_line)
        self.assertEqual(codes(steps)[-3:], ["price", "taxes", "net"])
        self.assertEqual([step["amount"] for step in steps[-3:]], [80, 64, 64])

    def test_button_of_the_line_opens_the_dialog(self):
        line = self._channel_order([(self.device, 1)]).order_line.with_user(self.user_sales)
        action = line.action_channel_explain_price()
        check = self.env[action["res_model"]].with_user(self.user_sales).browse(action["res_id"])
        self.assertEqual(check.price, 80)
        self.assertIn('data-code="won"', check.steps)

    def test_button_is_the_channel_s(self):
        line = self._channel_order([(self.device, 1)]).order_line.with_user(self.user_internal)
        with self.assertRaises(AccessError):
            line.action_channel_explain_price()

    def test_regional_user_explains_no_line_of_another_region(self):
        line = self._channel_order([(self.device, 1)], partner=self.other_dealer).order_line
        with self.assertRaises(AccessError):
            line.with_user(self.user_sales).action_channel_explain_price()
        # Nor by naming it to the dialog
        check = self.env["channel.price.check"].with_user(self.user_sales)
        with self.assertRaises(AccessError):
            check.create({"order_line_id": line.id}).read(["price", "steps"])

    # === WITHOUT AN ORDER ===#

    def test_check_answers_as_a_quote_does(self):
        form = Form(self.env["channel.price.check"].with_user(self.user_sales))
        self.assertFalse(form.steps)
        form.member_id = self.dealer
        form.product_id = self.device
        self.assertEqual(form.price, 80)
        form.customer_id = self.hospital
        self.assertEqual(form.price, 60)
        self.assertIn('data-code="won"', form.steps)
        form.quantity = 0
        self.assertFalse(form.steps)

    def test_check_of_a_day_to_come(self):
        self._channel_rule(50, segment=self.segment_dealer, min_quantity=1,
                           date_start=fields.Datetime.now() + timedelta(days=5))
        form = Form(self.env["channel.price.check"])
        form.member_id = self.dealer
        form.product_id = self.device
        self.assertEqual(form.price, 80)
        form.date = fields.Datetime.now() + timedelta(days=6)
        self.assertEqual(form.price, 50)

    def test_regional_user_checks_no_member_of_another_region(self):
        check = self.env["channel.price.check"].with_user(self.user_sales)
        with self.assertRaises(AccessError):
            check.create({"member_id": self.other_dealer.id, "product_id": self.device.id}).read(["price"])

    def test_words_of_a_rule_are_no_markup(self):
        self.device.name = "<b>Device</b>"
        check = self.env["channel.price.check"].create({"member_id": self.dealer.id, "product_id": self.device.id})
        self.assertNotIn("<b>Device", check.steps)
        self.assertIn("&lt;b&gt;Device", check.steps)

    # === PORTAL ===#

    def test_portal_user_reads_terms_without_formula_and_segment(self):
        self.device.standard_price = 33.33
        rule = self._channel_rule(
            segment=self.segment_dealer, min_quantity=1, compute_price="formula", base="standard_price",
            price_markup=50, date_end="2099-12-31 12:00:00",
        )
        [answer] = self.env["channel.pricing"].with_user(self.user_portal).quote(
            self.dealer.id, [{"product_id": self.device.id}]
        )
        self.assertEqual(answer["pricelist_item_id"], rule.id)
        text = str(answer["steps"])
        for secret in ("33.33", "T-DEAL", "markup", "cost"):
            self.assertNotIn(secret, text)
        self.assertIn("12/31/2099", text)


@tagged("post_install", "-at_install")
class TestPriceCheckTour(ChannelPricingCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._channel_rule(90)
        cls._channel_rule(80, segment=cls.segment_dealer)
        cls._channel_rule(60, segment=cls.segment_hospital)

    def test_why_this_price_on_the_order_line(self):
        order = self._channel_order([(self.device, 1)], customer=self.hospital)
        order.user_id = self.user_sales
        self.start_tour(f"/odoo/sales/{order.id}", "channel_why_this_price", login=self.user_sales.login)
        checks = self.env["channel.price.check"].with_user(self.user_sales)
        check = checks.search([("order_line_id", "=", order.order_line.id)])
        self.assertEqual((check.create_uid, check.price), (self.user_sales, 60))
        self.assertEqual(order.order_line.price_unit, 60)
