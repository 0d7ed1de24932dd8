from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
class TestPriceLimit(ChannelPricingCommon):
    """Floors and ceilings at order and invoice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._channel_rule(100)
        # Made by the salesperson, so that the manager is no author of anything
        cls.floor = cls._channel_price_limit(80)

    def _codes(self, order):
        _requests, findings = self.env["channel.gate"]._evaluate_documents("order", order)
        return sorted(finding.code for finding in findings if finding.code.startswith("price_"))

    def _order_at(self, price, **values):
        return self._channel_order([(self.device, 10, price)], **values)

    # === FLOOR ===#

    def test_a_price_at_its_floor_passes_and_just_below_is_refused(self):
        self._order_at(80).action_confirm()
        with self.assertRefused("price_floor"):
            self._order_at(79.99).action_confirm()

    def test_discount_of_the_line_counts(self):
        order = self._order_at(100)
        order.order_line.discount = 20
        self.assertEqual(self._codes(order), [])
        order.order_line.discount = 20.01
        self.assertEqual(self._codes(order), ["price_floor"])

    def test_free_goods_are_below_every_floor(self):
        order = self._order_at(100)
        order.order_line.discount = 100
        self.assertEqual(self._codes(order), ["price_floor"])

    def test_what_makes_the_whole_order_cheaper_is_spread_over_its_lines(self):
        order = self._channel_order([(self.device, 1, 100), (self.consumable, 10, 10)])
        reward = self.env["product.product"].create(self._channel_product_values("Reward", type="service"))
        order.order_line = [Command.create({"product_id": reward.id, "price_unit": -40})]
        self.assertEqual(self._codes(order), [])  # 100 - 20 and 100 - 20
        order.order_line[-1].price_unit = -40.1
        self.assertEqual(self._codes(order), ["price_floor"])

    def test_the_floor_is_of_the_product_s_own_unit(self):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.dealer.id,
                "order_line": [
                    Command.create(
                        {"product_id": self.device.id, "product_uom_id": self.uom_box.id, "price_unit": 800}
                    )
                ],
            }
        )
        self.assertEqual(self._codes(order), [])
        order.order_line.price_unit = 799
        self.assertEqual(self._codes(order), ["price_floor"])

    def test_a_price_that_includes_tax_is_judged_without_it(self):
        tax = self.env["account.tax"].create(
            {"name": "13 % included", "amount": 13, "price_include_override": "tax_included"}
        )
        order = self._order_at(90.4)
        order.order_line.tax_ids = tax
        self.assertEqual(self._codes(order), [])  # 90.40 with tax is 80.00
        order.order_line.price_unit = 90.39
        self.assertEqual(self._codes(order), ["price_floor"])

    def test_a_quotation_in_another_currency_is_compared_at_the_rate_of_its_day(self):
        currency = self.env.ref("base.CHF")
        currency.active = True
        currency.rate_ids.unlink()
        for day, rate in (("2026-01-01", 3.0), ("2026-03-01", 2.0)):
            currency.rate_ids.create(
                {"currency_id": currency.id, "name": day, "rate": rate, "company_id": self.company.id}
            )
        table = self.env["product.pricelist"].create({"name": "CHF", "currency_id": currency.id})
        order = self._channel_order([(self.device, 1)], pricelist_id=table.id, date_order="2026-02-28 12:00:00")
        order.order_line.price_unit = 240
        self.assertEqual(self._codes(order), [])
        order.order_line.price_unit = 239.99
        self.assertEqual(self._codes(order), ["price_floor"])
        order.date_order = "2026-03-01 12:00:00"
        order.order_line.price_unit = 160
        self.assertEqual(self._codes(order), [])

    def test_a_floor_holds_on_its_first_and_last_day(self):
        self.floor.action_end("2020-01-01", "Test")
        self._channel_price_limit(90, date_from=date(2026, 3, 1), date_to=date(2026, 3, 31))
        for moment, codes in (
            ("2026-02-28 12:00:00", []),
            ("2026-03-01 12:00:00", ["price_floor"]),
            ("2026-03-31 12:00:00", ["price_floor"]),
            ("2026-04-01 12:00:00", []),
        ):
            with self.subTest(moment):
                self.assertEqual(self._codes(self._order_at(85, date_order=moment)), codes)

    def test_drafts_and_other_companies_hold_nobody(self):
        other = self.env["res.company"].create({"name": "Other company"})
        self._channel_price_limit(95, approve=False)
        self.user_pricing.company_ids |= other
        self.user_manager.company_ids |= other
        self._channel_price_limit(95, company_id=other.id, sequence=1, product=False)
        self.assertEqual(self._codes(self._order_at(90)), [])

    def test_the_smallest_sequence_wins_then_the_product_before_the_filter(self):
        self._channel_price_limit(85, product=False, product_domain=repr([("id", "=", self.device.id)]))
        self.assertEqual(self._codes(self._order_at(80)), [])
        self._channel_price_limit(85, segment_ids=self.segment_dealer.ids, sequence=5)
        self.assertEqual(self._codes(self._order_at(80)), ["price_floor"])
        self.assertEqual(self._codes(self._order_at(80, partner=self.other_dealer)), [])

    def test_a_floor_may_be_a_part_of_cost_or_sales_price(self):
        self.device.standard_price = 70
        self._channel_price_limit(price_base="standard_price", percent=120, sequence=1)
        self.assertEqual(self._codes(self._order_at(84)), [])
        self.assertEqual(self._codes(self._order_at(83.99)), ["price_floor"])
        self._channel_price_limit(price_base="list_price", percent=95, sequence=0)
        self.assertEqual(self._codes(self._order_at(95)), [])
        self.assertEqual(self._codes(self._order_at(94.99)), ["price_floor"])

    def test_manager_overrides_for_this_price_only(self):
        order = self._order_at(70)
        order.user_id = self.user_sales
        self.env["channel.gate"]._check_documents("order", order)
        order.channel_finding_ids.filtered(lambda f: f.code == "price_floor").with_user(
            self.user_manager
        ).action_override("Year-end stock")
        self.assertNotIn("open", order.channel_finding_ids.filtered(lambda f: f.code == "price_floor").mapped("state"))
        order.order_line.price_unit = 69
        with self.assertRefused("price_floor"):
            order.action_confirm()
        order.order_line.price_unit = 70
        order.action_confirm()

    # === CEILINGS ===#

    def test_nothing_is_sold_above_a_tender(self):
        self._channel_price_limit(95, "ceiling", reference="Tender 2026/7")
        self.assertEqual(self._codes(self._order_at(95)), [])
        with self.assertRefused("price_ceiling") as refusal:
            self._order_at(95.01).action_confirm()
        self.assertIn("Tender 2026/7", str(refusal.exception))

    def test_an_award_below_the_floor_takes_its_place(self):
        self._channel_price_limit(
            60, "award", committed_quantity=100, date_from=date(2020, 1, 1), date_to=date(2099, 12, 31)
        )
        self.assertEqual(self._codes(self._order_at(60)), [])
        self.assertEqual(self._codes(self._order_at(60.01)), ["price_ceiling"])
        self.assertEqual(self._codes(self._order_at(59.99)), ["price_floor"])

    def test_progress_of_an_award(self):
        award = self._channel_price_limit(
            60, "award", committed_quantity=40, date_from=date(2026, 3, 1), date_to=date(2026, 3, 31),
            segment_ids=self.segment_dealer.ids,
        )
        self._channel_severity("price_floor", "off")
        with freeze_time("2026-03-31 12:00:00"):
            order = self._order_at(60, date_order="2026-03-31 12:00:00")
            order.order_line.product_uom_id = self.uom_box
            order.order_line.write({"price_unit": 600, "product_uom_qty": 1})
            order.action_confirm()
            self._order_at(60)  # a quotation
            self._order_at(60, partner=self.other_dealer).action_confirm()  # another market
            self._channel_order([(self.consumable, 10)]).action_confirm()  # another product
        with freeze_time("2026-04-01 12:00:00"):
            self._order_at(60).action_confirm()  # after the term
        self.assertEqual((award.ordered_quantity, award.open_quantity, award.progress), (10, 30, 25))
        self.assertEqual(award.invoiced_quantity, 0)
        self._channel_invoice(order)
        award.invalidate_recordset()
        self.assertEqual(award.invoiced_quantity, 10)
        order._action_cancel()
        award.invalidate_recordset()
        self.assertEqual(award.ordered_quantity, 0)

    def test_an_award_has_a_term_and_a_quantity(self):
        with self.assertRaisesRegex(UserError, "term"):
            self._channel_price_limit(60, "award", date_from=date(2026, 1, 1), date_to=date(2026, 12, 31))
        with self.assertRaisesRegex(UserError, "price is 0"):
            self._channel_price_limit(0)
        with self.assertRaisesRegex(ValidationError, "tell the cost"):
            self._channel_price_limit(kind="ceiling", price_base="standard_price", percent=110)

    # === INVOICE ===#

    def test_an_invoice_at_the_order_s_price_bills_what_was_agreed(self):
        order = self._order_at(80)
        order.action_confirm()
        self._channel_price_limit(90, sequence=1)  # raised since
        self._channel_invoice(order)

    def test_an_invoice_that_goes_below_the_order_is_judged(self):
        order = self._order_at(80)
        order.action_confirm()
        invoice = self._channel_invoice(order, post=False)
        invoice.invoice_line_ids.price_unit = 79
        with self.assertRefused("price_floor"):
            invoice.action_post()
        invoice.invoice_line_ids.price_unit = 80
        invoice.invoice_line_ids = [Command.create({"name": "Bonus", "quantity": 1, "price_unit": -1})]
        with self.assertRefused("price_floor"):
            invoice.action_post()

    def test_an_invoice_without_an_order_is_judged_by_its_date(self):
        self._channel_price_limit(90, date_from=date(2026, 3, 1), sequence=1)
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.dealer.id,
                "invoice_date": "2026-02-28",
                "invoice_line_ids": [Command.create({"product_id": self.device.id, "price_unit": 85})],
            }
        )
        self.assertFalse([f for f in self.env["channel.gate"]._evaluate_documents("invoice", invoice)[1]
                          if f.code == "price_floor"])
        invoice.invoice_date = "2026-03-01"
        with self.assertRefused("price_floor"):
            invoice.action_post()

    # === LIFE OF A LIMIT ===#

    def test_an_approved_limit_does_not_change(self):
        floor = self.floor.with_user(self.user_pricing)
        for vals in ({"price": 1}, {"date_to": "2026-01-01"}, {"segment_ids": [Command.set(self.segment_west.ids)]}):
            with self.subTest(vals), self.assertRaises(UserError):
                floor.write(vals)
        with self.assertRaises(AccessError):
            floor.write({"ended_on": "2026-01-01"})
        with self.assertRaises(UserError):
            floor.unlink()

    def test_the_author_does_not_approve(self):
        limit = self._channel_price_limit(90, approve=False)
        with self.assertRaises(UserError):
            limit.with_user(self.user_pricing).action_approve()

    @freeze_time("2026-03-10")
    def test_a_revision_takes_the_place_of_the_limit_on_its_first_day(self):
        action = self.floor.with_user(self.user_pricing).action_revise()
        draft = self.env["channel.price.limit"].with_user(self.user_pricing).browse(action["res_id"])
        draft.write({"price": 90, "date_from": "2026-04-01"})
        self.assertFalse(self.floor.ended_on)
        draft.with_user(self.user_manager).action_approve()
        self.assertEqual(self.floor.ended_on, date(2026, 3, 31))
        self.assertEqual(self._codes(self._order_at(80, date_order="2026-03-31 12:00:00")), [])
        self.assertEqual(self._codes(self._order_at(80, date_order="2026-04-01 12:00:00")), ["price_floor"])

    def test_an_early_end_is_journaled_and_only_ever_earlier(self):
        self.floor.with_user(self.user_pricing).action_end("2026-03-31", "Sold out")
        self.assertEqual(self._codes(self._order_at(70, date_order="2026-03-31 12:00:00")), ["price_floor"])
        self.assertEqual(self._codes(self._order_at(70, date_order="2026-04-01 12:00:00")), [])
        entry = self.env["channel.audit.entry"].search([("action", "=", "price_limit.ended")], limit=1, order="id desc")
        self.assertEqual((entry.res_id, entry.reason), (self.floor.id, "Sold out"))
        with self.assertRaisesRegex(UserError, "only earlier"):
            self.floor.action_end("2026-04-30", "Once more")

    @freeze_time("2026-03-31 12:00:00")
    def test_status(self):
        Limit = self.env["channel.price.limit"]
        for status, values in {
            "draft": {"approve": False},
            "valid": {"date_to": date(2026, 3, 31)},
            "ended": {"date_to": date(2026, 3, 30)},
            "future": {"date_from": date(2026, 4, 1)},
        }.items():
            with self.subTest(status):
                limit = self._channel_price_limit(1, product=self.consumable, **values)
                self.assertEqual(limit.status, status)
                self.assertIn(limit, Limit.search([("status", "=", status)]))
                self.assertNotIn(limit, Limit.search([("status", "!=", status)]))

    # === SECRETS ===#

    def test_nobody_who_sells_or_buys_learns_the_floor(self):
        self.floor.action_end("2020-01-01", "Test")
        floor = self._channel_price_limit(81.37)
        self.device.standard_price = 55.55
        self.user_sales.group_ids += self.env.ref("base.group_allow_export")
        self._channel_discount_limit("sales", max_discount=5, has_min_margin=True, min_margin=43.21)
        order = self._order_at(70)
        order.message_subscribe(self.user_portal.partner_id.ids)
        self.env["channel.gate"].with_user(self.user_sales)._check_documents("order", order.with_user(self.user_sales))
        findings = order.channel_finding_ids.filtered(lambda f: f.code.startswith("price_"))
        self.assertEqual(set(findings.mapped("code")), {"price_floor", "price_discount", "price_margin"})
        self.assertIn("81.37", "".join(findings.with_user(self.user_pricing).mapped("figures")))
        self.assertIn("55.55", "".join(findings.with_user(self.user_manager).mapped("figures")))
        self.assertIn("81.37", order.with_user(self.user_pricing).channel_gate_banner)

        seen = [
            str(findings.with_user(self.user_sales).read()),
            str(findings.with_user(self.user_sales).export_data(["message", "remedy", "basis"])),
            str(order.with_user(self.user_sales).channel_gate_banner),
            str(order.with_user(self.user_sales).message_ids.mapped("body")),
        ]
        for text in seen:
            for secret in ("81.37", "55.55", "43.21"):
                self.assertNotIn(secret, text)
        with self.assertRaises(AccessError):
            findings.with_user(self.user_sales).read(["figures"])
        with self.assertRaises(AccessError):
            findings.with_user(self.user_sales).export_data(["figures"])
        with self.assertRaises(AccessError):
            findings.with_user(self.user_sales).search([("figures", "like", "81")])
        with self.assertRaises(AccessError):
            floor.with_user(self.user_sales).read(["price"])
        self.assertFalse(self.env["channel.price.limit"].with_user(self.user_sales).search([("kind", "=", "floor")]))
        for model in ("channel.price.limit", "channel.discount.limit", "channel.gate.finding"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.user_portal).search([])

    def test_a_dealer_who_accepts_learns_no_figure(self):
        order = self._order_at(70)
        with self.assertRefused("price_floor") as refusal:
            order.with_user(self.user_portal).sudo().action_confirm()
        self.assertNotIn("80", str(refusal.exception).replace("70.80", ""))

    def test_a_dealer_cannot_feel_for_the_floor(self):
        line = {"product_id": self.device.id, "quantity": 1, "price_unit": 1.0}
        gate = self.env["channel.gate"]
        codes = [finding["code"] for finding in gate.evaluate("order", self.dealer.id, [line])]
        self.assertIn("price_floor", codes)
        found = gate.with_user(self.user_portal).evaluate("order", self.dealer.id, [line])
        self.assertFalse([finding for finding in found if finding["code"].startswith("price_")])

    # === SPEED ===#

    def test_lines_cost_no_queries(self):
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{number}", list_price=100) for number in range(100)]
        )
        for product in products[:20]:
            self._channel_price_limit(50, product=product)
        self._channel_discount_limit("manager", max_discount=50, has_min_margin=True, min_margin=1)

        def count(number):
            order = self._channel_order([(product, 1, 49) for product in products[:number]])
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            requests = order._channel_gate_requests("order")
            asked = self.env.cr.sql_log_count
            findings = [
                finding
                for code in ("floor", "ceiling", "discount", "margin")
                for finding in getattr(self.env["channel.gate"], f"_check_price_{code}")(requests)
            ]
            self.assertTrue(findings)
            self.assertGreater(asked, before)
            return self.env.cr.sql_log_count - asked

        count(1)
        ten, hundred = count(10), count(100)
        self.assertLessEqual(hundred, ten + 3, f"10 lines: {ten} queries, 100 lines: {hundred}")
