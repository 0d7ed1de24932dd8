from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 12:00:00")
class TestPriceRequest(ChannelPricingCommon):
    """A special price from the question to its last day."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._channel_rule(100)
        cls._channel_rule(90, segment=cls.segment_dealer)
        cls.floor = cls._channel_price_limit(80)
        cls.device.standard_price = 50

    def _entries(self, request):
        return (
            self.env["channel.audit.entry"]
            .search([("model", "=", request._name), ("res_id", "=", request.id)], order="id")
            .mapped("action")
        )

    # === FIGURES ===#

    def test_figures_are_those_of_the_table_the_floor_and_the_cost(self):
        request = self._channel_request([(self.device, 10, 75)], approve=False, submit=False)
        self.assertRecordValues(
            request.line_ids,
            [{
                "table_price": 90, "floor_price": 80, "is_below_floor": True, "cost": 50, "margin": 100 * 25 / 75,
                "amount": 750, "table_amount": 900,
            }],
        )
        self.assertAlmostEqual(request.largest_discount, 16.67, 2)
        self.assertEqual((request.amount, request.table_amount, request.is_below_floor), (750, 900, True))
        request.line_ids.price = 80
        self.assertFalse(request.is_below_floor)

    def test_a_special_price_in_force_is_not_the_table_s_price(self):
        self._channel_request([(self.device, 10, 75)])
        self.assertEqual(self._channel_request([(self.device, 10, 70)], approve=False).line_ids.table_price, 90)

    def test_figures_in_the_form_before_it_is_saved(self):
        with Form(self.env["channel.price.request"]) as form:
            form.member_id = self.dealer
            form.reason = "Competition"
            with form.line_ids.new() as line:
                line.product_id = self.device
                line.quantity = 5
                line.price = 45
                self.assertEqual((line.table_price, line.discount), (90, 50))

    def test_figures_are_worked_out_anew_when_it_is_submitted(self):
        request = self._channel_request([(self.device, 10, 75)], approve=False, submit=False)
        self.assertTrue(request.is_below_floor)
        self.floor.with_user(self.user_pricing).action_end("2026-03-01", "Test")
        self.assertTrue(request.is_below_floor)
        request.action_submit()
        self.assertFalse(request.is_below_floor)

    # === APPROVAL ===#

    def test_what_is_missing_is_said(self):
        request = self._channel_request([], approve=False, submit=False, reason=" ", date_to=date(2026, 3, 10))
        with freeze_time("2026-03-11 12:00:00"), self.assertRaises(UserError) as catcher:
            request.action_submit()
        for field in ("Prices", "To", "Reason"):
            self.assertIn(field, str(catcher.exception))

    def test_who_asks_does_not_approve(self):
        request = self._channel_request([(self.device, 10, 75)], approve=False, user=self.user_manager)
        with self.assertRaisesRegex(UserError, "author"):
            request.with_user(self.user_manager).action_approve()
        with self.assertRaises(UserError):
            self._channel_request([(self.device, 10, 75)], approve=False).with_user(self.user_sales).action_approve()

    def test_a_draft_is_not_approved_and_what_is_submitted_does_not_change(self):
        request = self._channel_request([(self.device, 10, 75)], approve=False, submit=False)
        with self.assertRaisesRegex(UserError, "not been submitted"):
            request.with_user(self.user_manager).action_approve()
        request.action_submit()
        for vals in (
            {"date_to": date(2026, 12, 31)},
            {"line_ids": [Command.update(request.line_ids.id, {"price": 1})]},
            {"line_ids": [Command.create({"product_id": self.consumable.id, "price": 1})]},
            {"line_ids": [Command.delete(request.line_ids.id)]},
            {"state": "approved"},
        ):
            with self.subTest(vals), self.assertRaises(UserError):
                request.write(vals)
        for model, vals in ((request, {"ended_on": date(2026, 3, 1)}), (request, {"name": "X"})):
            with self.subTest(vals), self.assertRaises(AccessError):
                model.write(vals)
        request.action_take_back()
        request.line_ids.price = 77
        self.assertEqual(request.amount, 770)

    def test_tiers_are_chosen_by_figures_that_the_asker_may_not_read(self):
        self.env["tier.definition"].create(
            {
                "name": "Below the floor",
                "model_id": self.env.ref("channel_pricing.model_channel_price_request").id,
                "definition_type": "formula",
                "python_code": "rec.is_below_floor or rec.largest_discount > 30",
                "review_type": "individual",
                "reviewer_id": self.user_executive.id,
            }
        )
        high = self._channel_request([(self.device, 10, 80)], approve=False)
        self.assertFalse(high.review_ids)
        low = self._channel_request([(self.device, 10, 79)], approve=False)
        self.assertEqual(low.review_ids.reviewer_ids, self.user_executive)
        self.assertEqual(low.activity_ids.user_id, self.user_executive)
        with self.assertRaises(UserError):
            low.with_user(self.user_manager).action_approve()
        low.with_user(self.user_executive).action_approve()
        self.assertEqual(low.state, "approved")
        self.assertFalse(low.activity_ids)
        refused = self._channel_request([(self.device, 10, 79)], approve=False)
        refused.with_user(self.user_executive).reject_tier()
        self.assertEqual(refused.state, "rejected")

    def test_approver_has_an_activity_and_the_asker_is_told(self):
        self.region_city.user_ids = self.user_manager
        request = self._channel_request([(self.device, 10, 75)], approve=False)
        self.assertEqual(request.activity_ids.user_id, self.user_manager)
        request.with_user(self.user_manager).action_reject("Too low")
        self.assertFalse(request.activity_ids)
        self.assertEqual((request.state, request.decision_reason), ("rejected", "Too low"))
        self.assertIn(self.user_sales.partner_id, request.message_ids[0].notified_partner_ids)
        self.assertEqual(self._entries(request)[-1], "price_request.rejected")

    def test_salespeople_do_not_reject(self):
        request = self._channel_request([(self.device, 10, 75)], approve=False)
        with self.assertRaises(AccessError):
            request.with_user(self.user_sales).action_reject("No")
        request.with_user(self.user_sales).action_cancel("Dealer bought elsewhere")
        self.assertEqual(request.state, "cancelled")

    # === THE PRICE ===#

    def test_approved_it_is_the_price_of_its_member_hospital_product_and_days(self):
        request = self._channel_request(
            [(self.device, 10, 75)], customer=self.hospital, date_from=date(2026, 3, 10), date_to=date(2026, 3, 31)
        )
        rule = request.line_ids.rule_ids
        self.assertEqual((rule.pricelist_id, rule.channel_member_id), (self.table, self.dealer))
        self.assertEqual(self._price(customer=self.hospital), 75)
        self.assertEqual(self._quote(customer=self.hospital)["pricelist_item_id"], rule.id)
        self.assertEqual(self._price(), 90)
        self.assertEqual(self._price(self.other_dealer, self.hospital), 100)
        for moment, price in (
            ("2026-03-09", 90), ("2026-03-10", 75), ("2026-03-31", 75), ("2026-04-01", 90),
            ("2026-03-31 23:59:59", 75), ("2026-04-01 00:00:00", 90),
        ):
            with self.subTest(moment):
                self.assertEqual(self._price(customer=self.hospital, date=moment), price)

    def test_it_beats_every_other_rule_of_the_product(self):
        self.device.product_tmpl_id.attribute_line_ids.unlink()
        self._channel_rule(
            60, applied_on="0_product_variant", product_id=self.device.id, channel_member_id=self.dealer.id,
            channel_customer_id=self.hospital.id,
        )
        self.assertEqual(self._price(customer=self.hospital), 60)
        self._channel_request([(self.device, 10, 75)])
        self.assertEqual(self._price(customer=self.hospital), 75)

    def test_it_stands_beside_the_versions_of_a_table(self):
        table = self.env["product.pricelist"].create(
            {"name": "Versions", "currency_id": self.company.currency_id.id, "sequence": 0}
        )
        version = self.env["channel.price.version"].with_user(self.user_pricing).create(
            {"pricelist_id": table.id, "valid_from": date(2026, 1, 1)}
        )
        self._channel_rule(85, pricelist_id=table.id, channel_version_id=version.id)
        version.with_user(self.user_manager).action_approve()
        self.assertEqual(self._price(), 85)
        request = self._channel_request([(self.device, 10, 75)])
        self.assertEqual(request.line_ids.rule_ids.pricelist_id, table)
        self.assertEqual(self._price(), 75)

    def test_its_rule_is_nobody_s_to_write(self):
        rule = self._channel_request([(self.device, 10, 75)]).line_ids.rule_ids
        for user in (self.user_pricing, self.user_admin):
            with self.subTest(user.login), self.assertRaisesRegex(UserError, "special price"):
                rule.with_user(user).fixed_price = 1
            with self.subTest(user.login), self.assertRaisesRegex(UserError, "special price"):
                rule.with_user(user).unlink()
        with self.assertRaises(UserError):
            self._channel_rule(1, channel_request_line_id=rule.channel_request_line_id.id)

    def test_the_floor_lets_it_pass_and_nothing_below_it(self):
        self._channel_request([(self.device, 10, 75)])
        order = self._channel_order([(self.device, 5)])
        self.assertEqual(order.order_line.price_unit, 75)
        order.order_line.discount = 1
        with self.assertRefused("price_floor"):
            order.action_confirm()
        order.order_line.discount = 0
        order.action_confirm()

    def test_the_gate_knows_it_without_a_document(self):
        def codes(price):
            line = {"product_id": self.device.id, "quantity": 1, "price_unit": price}
            found = self.env["channel.gate"].evaluate("order", self.dealer.id, [line])
            return [finding["code"] for finding in found if finding["code"].startswith("price_")]

        self.assertEqual(codes(75), ["price_floor"])
        self._channel_request([(self.device, 10, 75)])
        self.assertEqual(codes(75), [])
        self.assertEqual(codes(74.99), ["price_floor"])

    def test_another_currency_s_order_may_ask_for_it_too(self):
        currency = self.env.ref("base.CHF")
        currency.active = True
        currency.rate_ids.unlink()
        currency.rate_ids.create({"currency_id": currency.id, "name": "2026-01-01", "rate": 2})
        self._channel_request([(self.device, 10, 75)])
        chf = self.env["product.pricelist"].create({"name": "CHF", "currency_id": currency.id})
        self._channel_rule(
            pricelist_id=chf.id, compute_price="percentage", percent_price=0, base="pricelist",
            base_pricelist_id=self.table.id,
        )
        order = self._channel_order([(self.device, 5)], pricelist_id=chf.id)
        self.assertEqual(order.order_line.price_unit, 150)

    # === ITS QUANTITY ===#

    def test_confirmed_orders_use_it_up_and_cancelled_ones_give_it_back(self):
        line = self._channel_request([(self.device, 10, 75)]).line_ids
        first = self._channel_order([(self.device, 6)])
        self.assertEqual(first.order_line.channel_request_line_id, line)
        self.assertEqual(line.used_quantity, 0)
        first.action_confirm()
        self.assertEqual((line.used_quantity, line.remaining_quantity), (6, 4))
        too_much = self._channel_order([(self.device, 4), (self.device, 1)])
        with self.assertRefused("special_price_quantity"):
            too_much.action_confirm()
        self.assertEqual(line.used_quantity, 6)
        last = self._channel_order([(self.device, 4)])
        last.action_confirm()
        self.assertEqual((line.remaining_quantity, line.rule_ids.channel_exhausted), (0, True))
        self.assertEqual(self._price(), 90)
        first._action_cancel()
        self.assertEqual((line.used_quantity, line.rule_ids.channel_exhausted), (4, False))
        self.assertEqual(self._price(), 75)

    def test_a_box_takes_ten(self):
        line = self._channel_request([(self.device, 10, 75)]).line_ids
        order = self.env["sale.order"].create(
            {
                "partner_id": self.dealer.id,
                "order_line": [Command.create({"product_id": self.device.id, "product_uom_id": self.uom_box.id})],
            }
        )
        self.assertEqual(order.order_line.price_unit, 750)
        order.action_confirm()
        self.assertEqual(line.used_quantity, 10)

    def test_several_orders_confirmed_at_once_share_it(self):
        self._channel_request([(self.device, 10, 75)])
        orders = self._channel_order([(self.device, 6)]) | self._channel_order([(self.device, 6)])
        with self.assertRefused("special_price_quantity"):
            orders.action_confirm()

    def test_who_pays_more_takes_nothing(self):
        line = self._channel_request([(self.device, 10, 75)]).line_ids
        order = self._channel_order([(self.device, 20, 85)])
        self.assertFalse(order.order_line.channel_request_line_id)
        order.action_confirm()
        self.assertEqual(line.used_quantity, 0)

    def test_a_confirmed_line_keeps_price_and_counter_when_its_quantity_changes(self):
        line = self._channel_request([(self.device, 10, 75)]).line_ids
        order = self._channel_order([(self.device, 10)])
        order.action_confirm()
        order.order_line.product_uom_qty = 8
        self.assertEqual((order.order_line.price_unit, line.used_quantity), (75, 8))
        with self.assertRefused("special_price_quantity"):
            order.order_line.product_uom_qty = 11

    def test_a_quotation_made_before_it_was_used_up_is_stopped(self):
        self._channel_request([(self.device, 10, 75)])
        early = self._channel_order([(self.device, 1)])
        self._channel_order([(self.device, 10)]).action_confirm()
        with self.assertRefused("special_price_quantity"):
            early.action_confirm()

    def test_the_counter_asks_a_fixed_number_of_queries(self):
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{number}", list_price=100) for number in range(100)]
        )
        self._channel_request([(product, 10, 75) for product in products])

        def count(number):
            order = self._channel_order([(product, 1) for product in products[:number]])
            self.assertTrue(order.order_line[-1].channel_request_line_id)
            self.env.flush_all()
            self.env.invalidate_all()
            requests = order._channel_gate_requests("order")
            before = self.env.cr.sql_log_count
            for code in ("price_floor", "special_price_quantity", "special_price_period"):
                self.assertFalse(list(getattr(self.env["channel.gate"], f"_check_{code}")(requests)))
            return self.env.cr.sql_log_count - before

        count(1)
        ten, hundred = count(10), count(100)
        self.assertLessEqual(hundred, ten + 3, f"10 lines: {ten} queries, 100 lines: {hundred}")

    # === ITS TIME ===#

    def test_a_quotation_made_in_time_is_not_confirmed_too_late(self):
        self._channel_request([(self.device, 10, 85)], date_to=date(2026, 3, 31))
        order = self._channel_order([(self.device, 1)])
        with freeze_time("2026-03-31 20:00:00"), self.env.cr.savepoint() as savepoint:
            order.action_confirm()
            savepoint.rollback()
        with freeze_time("2026-04-01 08:00:00"), self.assertRefused("special_price_period"):
            order.action_confirm()

    def test_an_early_end_holds_from_the_next_day(self):
        request = self._channel_request([(self.device, 10, 75)], date_to=date(2026, 12, 31))
        with self.assertRaises(AccessError):
            request.with_user(self.user_sales).action_end("2026-03-31", "No")
        request.with_user(self.user_pricing).action_end("2026-03-31", "Competitor gave up")
        self.assertEqual(self._price(date="2026-03-31"), 75)
        self.assertEqual(self._price(date="2026-04-01"), 90)
        self.assertEqual(self._entries(request)[-1], "price_request.ended")
        with self.assertRaisesRegex(UserError, "or a later day"):
            request.with_user(self.user_pricing).action_end("2026-03-08", "It held on the 9th")
        with self.assertRaisesRegex(UserError, "ends on"):
            request.with_user(self.user_pricing).action_end("2026-04-01", "Later")

    def test_what_ends_before_it_begins_never_holds(self):
        request = self._channel_request([(self.device, 10, 75)], date_from=date(2026, 4, 1), date_to=date(2026, 4, 30))
        request.with_user(self.user_pricing).action_end(None, "Not wanted")
        self.assertEqual(request.ended_on, date(2026, 3, 10))
        self.assertFalse(request.line_ids.rule_ids)
        self.assertEqual(self._price(date="2026-04-01"), 90)

    def test_the_nightly_job_closes_the_day_after_the_last(self):
        request = self._channel_request([(self.device, 10, 75)], date_to=date(2026, 3, 31))
        cron = self.env.ref("channel_pricing.ir_cron_price_request_close")
        with freeze_time("2026-03-31 23:00:00"), self.enter_registry_test_mode():
            cron.method_direct_trigger()
        request.invalidate_recordset()
        self.assertEqual(request.state, "approved")
        with freeze_time("2026-04-01 01:00:00"), self.enter_registry_test_mode():
            cron.method_direct_trigger()
        request.invalidate_recordset()
        self.assertEqual(request.state, "closed")
        self.assertEqual(self._entries(request)[-1], "price_request.closed")

    def test_it_follows_the_member_to_another_price_table(self):
        request = self._channel_request([(self.device, 10, 75)])
        other = self.env["product.pricelist"].create(
            {"name": "New Table", "currency_id": self.company.currency_id.id, "sequence": 0}
        )
        self.assertEqual(self._price(), 100)
        self.env["channel.price.request"]._cron_close()
        self.assertEqual(request.line_ids.rule_ids.pricelist_id, other)
        self.assertEqual(self._price(), 75)

    def test_a_renewal_begins_the_day_after(self):
        request = self._channel_request([(self.device, 10, 75)], date_to=date(2026, 3, 31))
        renewal = self.env["channel.price.request"].browse(request.action_renew()["res_id"])
        self.assertRecordValues(
            renewal,
            [{
                "state": "draft", "previous_id": request.id, "date_from": date(2026, 4, 1),
                "date_to": date(2026, 4, 22), "ended_on": False,
            }],
        )
        self.assertRecordValues(renewal.line_ids, [{"price": 75, "quantity": 10, "used_quantity": 0}])

    # === FROM THE QUOTATION ===#

    def test_from_what_the_gate_refuses_to_the_confirmed_order(self):
        order = self._channel_order(
            [(self.device, 5, 70), (self.consumable, 3)], user_id=self.user_sales.id, customer=self.hospital
        )
        quotation = order.with_user(self.user_sales)
        action = quotation.action_channel_request_special_price()
        request = self.env["channel.price.request"].with_user(self.user_sales).browse(action["res_id"])
        self.assertRecordValues(
            request,
            [{"member_id": self.dealer.id, "customer_id": self.hospital.id, "order_id": order.id, "state": "draft"}],
        )
        self.assertRecordValues(request.line_ids, [{"product_id": self.device.id, "quantity": 5, "price": 70}])
        self.assertEqual(quotation.action_channel_request_special_price()["res_id"], request.id)

        def remedy():
            _requests, findings = self.env["channel.gate"]._evaluate_documents("order", order)
            return next(finding.remedy for finding in findings if finding.code == "price_floor")

        self.assertIn(request.name, remedy())
        request.reason = "Tender of the hospital"
        request.action_submit()
        self.assertIn("waits", remedy())
        request.with_user(self.user_manager).action_approve()
        self.assertEqual(order.order_line[0].price_unit, 70)
        self.assertEqual(order.order_line[0].channel_request_line_id, request.line_ids.sudo())
        quotation.action_confirm()
        self.assertEqual(request.line_ids.used_quantity, 5)

    def test_a_quotation_for_somebody_else_by_now_keeps_its_prices(self):
        order = self._channel_order([(self.device, 5, 70)], customer=self.hospital)
        request = self.env["channel.price.request"].browse(order.action_channel_request_special_price()["res_id"])
        request.reason = "Tender"
        request.action_submit()
        order.state = "sent"
        order.channel_end_customer_id = False
        request.with_user(self.user_manager).action_approve()
        self.assertEqual(order.order_line.price_unit, 70)

    def test_nothing_is_made_in_another_state_than_draft(self):
        for state in ("submitted", "approved", "closed"):
            with self.subTest(state), self.assertRaises(UserError):
                self._channel_request([], approve=False, submit=False, state=state)

    def test_what_is_asked_for_is_what_is_left_after_all_discounts(self):
        order = self._channel_order([(self.device, 1, 100), (self.device, 2, 100)])
        order.order_line[0].discount = 10
        reward = self.env["product.product"].create(self._channel_product_values("Reward", type="service"))
        order.order_line = [Command.create({"product_id": reward.id, "price_unit": -58})]
        # 232 of 290: the cheaper line is left with 72, the others with 80
        self.assertEqual(
            order.order_line._channel_request_vals(), [{"product_id": self.device.id, "quantity": 3, "price": 72}]
        )

    # === WHY THIS PRICE ===#

    def test_the_explanation_says_what_bounds_the_price(self):
        self._channel_price_limit(99, "ceiling")
        self._channel_request([(self.device, 10, 85)])
        self._channel_order([(self.device, 4)]).action_confirm()

        def steps(user):
            quote = self.env["channel.pricing"].with_user(user).quote(self.dealer.id, [{"product_id": self.device.id}])
            return {step["code"]: step for step in quote[0]["steps"]}

        told = steps(self.user_pricing)
        self.assertEqual(told["special_price"]["remaining"], 6)
        self.assertEqual((told["floor"]["amount"], told["ceiling"]["amount"]), (80, 99))
        self.assertEqual([*told][-1], "price")
        self.assertLess({"special_price", "ceiling"}, steps(self.user_sales).keys())
        for user in (self.user_sales, self.user_portal):
            self.assertNotIn("floor", steps(user))

    # === CLAIMS ===#

    def test_what_was_sold_at_it_is_known_to_later_claims(self):
        request = self._channel_request([(self.device, 10, 75)])
        order = self._channel_order([(self.device, 4)])
        order.action_confirm()
        invoice = self._channel_invoice(order, date=date(2026, 3, 10))
        [sold] = request.line_ids._sold(date(2026, 3, 1), date(2026, 3, 31))
        self.assertEqual((sold["invoice_line"].move_id, sold["quantity"]), (invoice, 4))
        self.assertEqual((sold["table_price"], sold["price"]), (90, 75))
        self.assertFalse(request.line_ids._sold(date(2026, 4, 1)))
        credit = invoice._reverse_moves([{"invoice_date": date(2026, 3, 20)}])
        credit.action_post()
        self.assertEqual([sold["quantity"] for sold in request.line_ids._sold()], [4, -4])
        self.assertEqual(request.claim_count, 0)

    # === ACCESS ===#

    def test_who_sees_what(self):
        request = self._channel_request([(self.device, 10, 75)], approve=False, submit=False)
        west = self._channel_request([(self.device, 10, 75)], member=self.other_dealer, user=self.user_manager)
        Request = self.env["channel.price.request"]
        self.assertEqual(Request.with_user(self.user_sales).search([]) & (request | west), request)
        for user in (self.user_pricing, self.user_manager, self.user_auditor, self.user_finance):
            self.assertEqual(Request.with_user(user).search([]) & (request | west), request | west)
        with self.assertRaises(AccessError):
            Request.with_user(self.user_internal).search([])
        with self.assertRaises(AccessError):
            request.with_user(self.user_auditor).write({"reason": "x"})

    def test_secrets_are_for_pricing_managers_and_auditors(self):
        request = self._channel_request([(self.device, 10, 75)])
        for user in (self.user_pricing, self.user_manager, self.user_auditor):
            self.assertEqual(request.line_ids.with_user(user).floor_price, 80)
        for user in (self.user_sales, self.user_finance, self.user_portal):
            for name in ("floor_price", "cost", "margin", "is_below_floor"):
                with self.subTest(user=user.login, name=name), self.assertRaises(AccessError):
                    request.line_ids.with_user(user).read([name])
                with self.subTest(user=user.login, name=name), self.assertRaises(AccessError):
                    request.line_ids.with_user(user).search([(name, "!=", False)])
            for name in ("smallest_margin", "is_below_floor"):
                with self.subTest(user=user.login, name=name), self.assertRaises(AccessError):
                    request.with_user(user).read([name])
            self.assertNotIn("floor_price", request.line_ids.with_user(user).read()[0])

    def test_parties_are_companies(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.dealer.id})
        with self.assertRaisesRegex(ValidationError, "names the company itself"):
            self._channel_request([(self.device, 1, 1)], member=contact, approve=False, submit=False)
