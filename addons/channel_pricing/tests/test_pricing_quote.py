from datetime import datetime

from odoo.exceptions import ValidationError
from odoo.tests import freeze_time, tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
class TestPricingQuote(ChannelPricingCommon):
    # === WHICH RULE WINS ===#

    def test_rule_of_a_segment_goes_before_the_rule_for_everybody(self):
        self._channel_rule(90)
        self._channel_rule(80, segment=self.segment_dealer)
        self.assertEqual(self._price(), 80)
        self.assertEqual(self._price(self.other_dealer), 90)

    def test_segment_of_the_smaller_sequence_wins_whatever_the_prices(self):
        self._channel_rule(85, segment=self.segment_hospital)
        self._channel_rule(80, segment=self.segment_dealer)
        self.assertEqual(self._price(customer=self.hospital), 85)
        self.assertEqual(self._price(), 80, "Without the hospital only the dealer's segment holds")

    def test_moving_a_segment_moves_its_rules(self):
        self._channel_rule(85, segment=self.segment_hospital)
        self._channel_rule(80, segment=self.segment_dealer)
        self.segment_dealer.sequence = 5
        self.assertEqual(self._price(customer=self.hospital), 80)

    def test_segment_goes_before_quantity_within_the_same_product(self):
        self._channel_rule(60, min_quantity=10)
        self._channel_rule(80, segment=self.segment_dealer)
        self.assertEqual(self._price(quantity=10), 80)

    def test_quantity_breaks_within_a_segment(self):
        self._channel_rule(80, segment=self.segment_dealer)
        self._channel_rule(70, segment=self.segment_dealer, min_quantity=10)
        self.assertEqual(self._price(quantity=9.99), 80)
        self.assertEqual(self._price(quantity=10), 70)

    def test_rule_of_the_product_goes_before_a_segment_rule_of_the_category(self):
        self.device.categ_id = self.env["product.category"].create({"name": "Catheters"})
        self._channel_rule(90)
        self._channel_rule(
            segment=self.segment_dealer,
            product_tmpl_id=False,
            categ_id=self.device.categ_id.id,
            applied_on="2_product_category",
            compute_price="percentage",
            percent_price=50,
        )
        self.assertEqual(self._price(), 90)

    def test_first_and_last_moment_of_a_rule(self):
        self._channel_rule(80, date_start=datetime(2026, 3, 1, 0, 0, 0), date_end=datetime(2026, 3, 31, 23, 59, 59))
        for date, price in (
            ("2026-02-28", 100),
            ("2026-02-28 23:59:59", 100),
            ("2026-03-01 00:00:00", 80),
            ("2026-03-01", 80),
            ("2026-03-31", 80),
            ("2026-03-31 23:59:59", 80),
            ("2026-04-01 00:00:00", 100),
            ("2026-04-01", 100),
        ):
            with self.subTest(date):
                self.assertEqual(self._price(date=date), price)

    def test_date_without_a_date_is_now(self):
        self._channel_rule(80, date_start=datetime(2026, 3, 1))
        with freeze_time("2026-02-28 12:00:00"):
            self.assertEqual(self._price(), 100)
        with freeze_time("2026-03-01 12:00:00"):
            self.assertEqual(self._price(), 80)

    def test_day_is_the_day_where_the_company_is(self):
        self.company.partner_id.tz = "Pacific/Auckland"
        self._channel_rule(80, date_start=datetime(2026, 2, 28, 11, 0, 0))  # midnight in Auckland
        self.assertEqual(self._price(date="2026-03-01"), 80)
        self.assertEqual(self._price(date="2026-02-28"), 100)

    def test_no_price_list_means_the_sales_price(self):
        self.table.action_archive()
        answer = self._quote()
        self.assertEqual((answer["price_unit"], answer["pricelist_item_id"]), (100, False))

    def test_contact_is_priced_as_its_company(self):
        self._channel_rule(80, segment=self.segment_dealer)
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.dealer.id})
        self.assertEqual(self._price(contact), 80)

    def test_price_is_per_unit_of_measure_asked_for(self):
        self._channel_rule(80)
        self._channel_rule(70, min_quantity=20)
        line = {"product_id": self.device.id, "quantity": 2, "uom_id": self.uom_box.id}
        [answer] = self.env["channel.pricing"].quote(self.dealer.id, [line])
        self.assertEqual(answer["price_unit"], 700, "Two boxes are twenty units")
        self.assertEqual(answer["uom_id"], self.uom_box.id)

    def test_answers_come_in_the_order_of_the_lines(self):
        self._channel_rule(80)
        self._channel_rule(5, product=self.consumable)
        lines = [
            {"product_id": product.id, "quantity": quantity}
            for product, quantity in ((self.consumable, 1), (self.device, 2), (self.consumable, 3))
        ]
        answers = self.env["channel.pricing"].quote(self.dealer.id, lines)
        self.assertEqual([a["price_unit"] for a in answers], [5, 80, 5])
        self.assertEqual([a["quantity"] for a in answers], [1, 2, 3])

    # === STEPS ===#

    def test_steps_say_why_each_other_rule_did_not_apply(self):
        rules = {
            "winner": self._channel_rule(80, segment=self.segment_hospital, min_quantity=5),
            "segment": self._channel_rule(10, segment=self.segment_west),
            "not_started": self._channel_rule(11, date_start=datetime(2027, 1, 1)),
            "ended": self._channel_rule(12, date_end=datetime(2025, 1, 1)),
            "quantity": self._channel_rule(13, segment=self.segment_hospital, min_quantity=100),
            "segment_priority": self._channel_rule(14, segment=self.segment_dealer),
            "quantity_break": self._channel_rule(15, segment=self.segment_hospital, min_quantity=2),
            "specificity": self._channel_rule(
                segment=self.segment_hospital,
                product_tmpl_id=False,
                applied_on="3_global",
                compute_price="percentage",
                percent_price=1,
            ),
        }
        other_product = self._channel_rule(1, product=self.consumable)
        answer = self._quote(customer=self.hospital, quantity=5, date="2026-06-01")
        steps = answer["steps"]
        self.assertEqual(answer["pricelist_item_id"], rules["winner"].id)
        self.assertEqual([s["rule_id"] for s in steps if s["code"] == "won"], rules["winner"].ids)
        self.assertEqual([s["segment"] for s in steps if s["code"] == "won"], ["T-HOSP"])
        lost = {step["rule_id"]: step["reason"] for step in steps if step["code"] == "lost"}
        self.assertEqual(lost, {rule.id: reason for reason, rule in rules.items() if reason != "winner"})
        self.assertNotIn(other_product.id, lost)
        self.assertEqual(steps[-1]["code"], "price")
        self.assertEqual(steps[-1]["amount"], answer["price_unit"])
        self.assertTrue(all(step["message"] for step in steps))

    def test_older_rule_with_the_same_key_loses_to_the_newer(self):
        older, newer = self._channel_rule(80), self._channel_rule(81)
        answer = self._quote()
        self.assertEqual(answer["pricelist_item_id"], newer.id)
        self.assertEqual([s["reason"] for s in answer["steps"] if s.get("rule_id") == older.id], ["newer"])

    def test_steps_count_losers_beyond_the_first(self):
        for number in range(20):
            self._channel_rule(50 + number, min_quantity=100 + number)
        steps = self._quote()["steps"]
        self.assertEqual(sum(step["code"] == "lost" for step in steps), 12)
        self.assertEqual([step["count"] for step in steps if step["code"] == "more"], [8])

    def test_last_amount_of_each_formula_is_the_price(self):
        self.device.standard_price = 40
        base_table = self.env["product.pricelist"].create({"name": "Base", "company_id": False})
        self.env["product.pricelist.item"].create(
            {"pricelist_id": base_table.id, "compute_price": "percentage", "percent_price": 10}
        )
        formula = {"compute_price": "formula"}
        for values in (
            {"compute_price": "percentage", "percent_price": 12.5},
            {"compute_price": "percentage", "percent_price": -5},
            {
                "compute_price": "percentage",
                "percent_price": 5,
                "base": "pricelist",
                "base_pricelist_id": base_table.id,
            },
            {**formula, "price_discount": 20, "price_round": 7, "price_surcharge": -0.01},
            {**formula, "base": "standard_price", "price_markup": 35, "price_min_margin": 20, "price_max_margin": 30},
            {**formula, "price_discount": 99, "price_min_margin": 3, "price_max_margin": 50},
            {**formula, "price_discount": -99, "price_min_margin": 3, "price_max_margin": 50},
            {**formula, "base": "pricelist", "base_pricelist_id": base_table.id, "price_surcharge": 3},
        ):
            for uom in (self.uom_unit, self.uom_box):
                with self.subTest(values=values, uom=uom.name):
                    rule = self._channel_rule(**values)
                    line = {"product_id": self.device.id, "quantity": 3, "uom_id": uom.id}
                    [answer] = self.env["channel.pricing"].quote(self.dealer.id, [line])
                    amounts = [step["amount"] for step in answer["steps"] if "amount" in step]
                    self.assertEqual(answer["pricelist_item_id"], rule.id)
                    self.assertAlmostEqual(amounts[-2], answer["price_unit"], places=6)
                    self.assertEqual(amounts[-1], answer["price_unit"])

    def test_chained_table_tells_its_own_steps_and_knows_segments(self):
        base_table = self.env["product.pricelist"].create({"name": "Base", "company_id": False})
        inner = self.env["product.pricelist.item"].create(
            {
                "pricelist_id": base_table.id,
                "compute_price": "percentage",
                "percent_price": 5,
                "channel_segment_id": self.segment_dealer.id,
            }
        )
        self._channel_rule(
            compute_price="percentage", percent_price=10, base="pricelist", base_pricelist_id=base_table.id
        )
        answer = self._quote()
        self.assertAlmostEqual(answer["price_unit"], 85.5)
        [base] = [step for step in answer["steps"] if step["code"] == "base"]
        self.assertEqual([s["rule_id"] for s in base["steps"] if s["code"] == "won"], inner.ids)
        self.assertAlmostEqual(self._price(self.other_dealer), 90)

    def test_explanation_can_be_left_out(self):
        self.assertEqual(self._quote(explain=False)["steps"], [])

    # === ARGUMENTS ===#

    def test_wrong_arguments_are_named(self):
        quote = self.env["channel.pricing"].quote
        good = {"product_id": self.device.id, "quantity": 1}
        unit_of_time = self.env.ref("uom.product_uom_hour")
        for message, arguments in (
            ("member_id", (0, [good])),
            ("member_id", ("7", [good])),
            ("member_id", (2**30, [good])),
            ("customer_id", (self.dealer.id, [good], "x")),
            ("company_id", (self.dealer.id, [good], None, None, 2**30)),
            ("date", (self.dealer.id, [good], None, "31/03/2026")),
            ("date", (self.dealer.id, [good], None, 20260331)),
            ("lines", (self.dealer.id, good)),
            ("lines", (self.dealer.id, None)),
            ("Line 1.*product_id", (self.dealer.id, [{"quantity": 1}])),
            ("Line 2.*no product", (self.dealer.id, [good, {"product_id": 2**30}])),
            ("Line 1.*quantity", (self.dealer.id, [{**good, "quantity": 0}])),
            ("Line 1.*quantity", (self.dealer.id, [{**good, "quantity": "3"}])),
            ("Line 1.*quantity", (self.dealer.id, [{**good, "quantity": float("nan")}])),
            ("Line 1.*price", (self.dealer.id, [{**good, "price": 3}])),
            ("Line 1.*uom_id", (self.dealer.id, [{**good, "uom_id": "x"}])),
            ("Line 1.*unit of measure", (self.dealer.id, [{**good, "uom_id": 2**30}])),
            ("Line 1.*converted", (self.dealer.id, [{**good, "uom_id": unit_of_time.id}])),
        ):
            with self.subTest(message, arguments=arguments), self.assertRaisesRegex(ValidationError, message):
                quote(*arguments)

    def test_no_lines_have_no_prices(self):
        self.assertEqual(self.env["channel.pricing"].quote(self.dealer.id, []), [])

    # === SHAPE ===#

    def test_number_of_queries_does_not_depend_on_the_number_of_lines(self):
        base_table = self.env["product.pricelist"].create({"name": "Base", "company_id": False})
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{number}", list_price=number + 1) for number in range(110)]
        )
        self.env["product.pricelist.item"].create(
            [
                {"pricelist_id": base_table.id, "product_tmpl_id": product.product_tmpl_id.id, "fixed_price": 3}
                for product in products
            ]
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
                    "channel_segment_id": segment.id,
                }
                for product in products
                for segment in (self.segment_hospital, self.segment_west)
            ]
        )

        def count(chosen):
            self.env.flush_all()
            self.env.invalidate_all()
            lines = [{"product_id": product_id, "quantity": 1} for product_id in chosen.ids]
            before = self.env.cr.sql_log_count
            self.env["channel.pricing"].quote(self.dealer.id, lines, customer_id=self.hospital.id)
            return self.env.cr.sql_log_count - before

        count(products[:1])
        few, many = count(products[:10]), count(products[10:])
        self.assertLessEqual(many, few + 3)
