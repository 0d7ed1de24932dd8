from datetime import date
from decimal import Decimal

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.channel_member.models.channel_tier_measure import TierAsk

from .common import ChannelMemberCommon


class TierCommon(ChannelMemberCommon):
    """A policy for dealers over the year: turnover from 0 to 10,000 gives 0 to 100 points; bronze below 40 points,
    silver from 40, gold from 80."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bronze, cls.silver, cls.gold, cls.partner_grade = cls.env["res.partner.grade"].create([
            {"name": name, "company_id": cls.company.id} for name in ("Bronze", "Silver", "Gold", "Strategic")
        ])
        (cls.dealer | cls.other_dealer).grade_id = cls.bronze

    @classmethod
    def _policy(cls, criteria=None, approve=True, **values):
        policy = cls.env["channel.tier.rule"].create({
            "name": "Dealers",
            "role": "distributor",
            "company_id": cls.company.id,
            "criterion_ids": [
                Command.create({"value_zero": 0, "value_full": 10000, **criterion})
                for criterion in criteria or [{"measure": "turnover"}]
            ],
            "threshold_ids": [
                Command.create({"points": 80, "grade_id": cls.gold.id}),
                Command.create({"points": 40, "grade_id": cls.silver.id}),
            ],
            "floor_grade_id": cls.bronze.id,
            **values,
        })
        if approve:
            policy.with_user(cls.user_manager).action_approve()
        return policy

    @classmethod
    def _review(cls, policy, compute=True, **values):
        review = cls.env["channel.tier.review"].create({
            "rule_id": policy.id, "date_to": date(2025, 12, 31), "effective_date": date(2026, 1, 1), **values,
        })
        if compute:
            review.action_compute()
        return review

    @classmethod
    def _sale(cls, amount, day="2025-06-01", partner=None, refund=False, pay=None, **values):
        """Post an invoice (or credit note) over an amount without tax."""
        move = cls.env["account.move"].create({
            "move_type": "out_refund" if refund else "out_invoice",
            "partner_id": (partner or cls.dealer).id,
            "invoice_date": day,
            "invoice_payment_term_id": False,
            "invoice_date_due": day,
            "invoice_line_ids": [Command.create({
                "product_id": cls.consumable.id, "quantity": 1, "price_unit": amount, "tax_ids": [],
            })],
            **values,
        })
        move.action_post()
        if pay:
            cls.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create({
                "payment_date": pay,
            })._create_payments()
        return move

    def _line(self, review, partner=None):
        return review.line_ids.filtered(lambda line: line.partner_id == (partner or self.dealer))

    def _measure(self, key, members=None, date_from=date(2025, 1, 1), date_to=date(2025, 12, 31)):
        members = members or self.dealer
        return self.env["channel.tier.measure"]._values(
            key, TierAsk(members.ids, self.company.ids, date_from, date_to)
        )


@tagged("post_install", "-at_install")
class TestTierPoints(TierCommon):
    """From a value to points, from points to a tier."""

    def _points(self, value, **values):
        policy = self._policy([{"measure": "turnover", **values}], approve=False)
        return policy.criterion_ids._points(None if value is None else Decimal(str(value)))

    def test_linear(self):
        cases = ((-5000, 0), (0, 0), (1, "0.01"), (4000, 40), (9999.99, "99.9999"), (10000, 100), (10001, 100))
        for value, points in cases:
            self.assertEqual(self._points(value), Decimal(str(points)), value)

    def test_linear_downwards(self):
        for value, points in ((-3, 100), (0, 100), (15, 50), (30, 0), (90, 0)):
            self.assertEqual(self._points(value, value_zero=30, value_full=0), points, value)

    def test_bands_begin_with_their_value(self):
        steps = ((0, 80), (30.5, 10), (15, 40))
        bands = [Command.create({"value": value, "points": points}) for value, points in steps]
        for value, points in (
            (-0.01, 100), (0, 80), (14.99, 80), (15, 40), (30.49, 40), (30.5, 10), (1000, 10),
        ):
            self.assertEqual(self._points(value, scale="bands", band_ids=bands, points_below=100), points, value)

    def test_no_history(self):
        self.assertEqual(self._points(None), 0)
        self.assertEqual(self._points(None, missing_points=55.5), Decimal("55.5"))
        self.assertIsNone(self._points(None, missing="skip"))

    def test_threshold_is_reached_by_its_very_points(self):
        policy = self._policy(approve=False)
        for points, grade in (
            ("0", self.bronze), ("39.99", self.bronze), ("40.00", self.silver), ("79.99", self.silver),
            ("80.00", self.gold), ("100", self.gold),
        ):
            self.assertEqual(policy._grade_of(Decimal(points)), grade, points)

    def test_points_are_rounded_half_up_once(self):
        """Three criteria of a third each: 39.995 is 40.00, and reaches silver."""
        policy = self._policy([{"measure": "turnover"}, {"measure": "service", "value_full": 100}], approve=False)
        points, _detail = policy.criterion_ids._score({"turnover": Decimal("7998"), "service": Decimal("0.01")})
        self.assertEqual(points, Decimal("40.00"), "(79.98 + 0.01) / 2 = 39.995")
        points, _detail = policy.criterion_ids._score({"turnover": Decimal("7998"), "service": Decimal("0.00")})
        self.assertEqual(points, Decimal("39.99"))

    def test_weights_are_proportions_and_what_is_left_out_does_not_weigh(self):
        policy = self._policy(
            [{"measure": "turnover", "weight": 3}, {"measure": "service", "value_full": 100, "missing": "skip"}],
            approve=False,
        )
        criteria = policy.criterion_ids
        self.assertEqual(criteria._score({"turnover": Decimal(10000), "service": Decimal(20)})[0], 80)
        self.assertEqual(criteria._score({"turnover": Decimal(10000)})[0], 100)

    def test_nothing_to_judge_by(self):
        policy = self._policy([{"measure": "service", "value_full": 100, "missing": "skip"}], approve=False)
        self.assertIsNone(policy.criterion_ids._score({})[0])

    def test_what_a_policy_refuses(self):
        for values, error in (
            ([{"measure": "turnover", "value_full": 0}], ValidationError),
            ([{"measure": "turnover", "weight": 0}], IntegrityError),
            ([{"measure": "turnover"}, {"measure": "turnover"}], IntegrityError),
        ):
            with mute_logger("odoo.sql_db"), self.assertRaises(error), self.env.cr.savepoint():
                self._policy(values, approve=False)
        with self.assertRaisesRegex(UserError, "bands"):
            self._policy([{"measure": "turnover", "scale": "bands"}])

    def test_every_measure_is_named_and_registered(self):
        model = self.env["channel.tier.measure"]
        methods = {
            name.removeprefix("_measure_") for name in dir(type(model))
            if name.startswith("_measure_") and name != "_measure_flush"
        }
        self.assertEqual(set(model._measures()), methods)


@tagged("post_install", "-at_install")
class TestTierMeasures(TierCommon):
    def test_turnover_is_net_of_credit_notes_and_tax_within_the_period(self):
        self._sale(1000, "2025-01-01")
        self._sale(500, "2025-12-31")
        self._sale(9999, "2024-12-31")
        self._sale(9999, "2026-01-01")
        self._sale(200.25, "2025-07-01", refund=True)
        self.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": self.dealer.id, "invoice_date": "2025-05-05",
            "invoice_line_ids": [Command.create({"product_id": self.consumable.id, "price_unit": 7777})],
        })
        self.assertEqual(self._measure("turnover"), {self.dealer.id: Decimal("1299.75")})

    def test_turnover_of_a_contact_counts_for_the_member(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.dealer.id})
        self._sale(10, partner=contact)
        self.assertEqual(self._measure("turnover"), {self.dealer.id: Decimal("10.00")})

    def test_turnover_in_another_currency_counts_as_it_is_booked(self):
        currency = self.setup_other_currency("CNY", rates=[("2025-01-01", 8.0), ("2025-06-01", 10.0)])
        self._sale(800, "2025-05-31", currency_id=currency.id)
        self._sale(800, "2025-06-01", currency_id=currency.id)
        self.assertEqual(self._measure("turnover"), {self.dealer.id: Decimal("180.00")})

    def test_negative_turnover_and_none(self):
        self._sale(300, refund=True)
        values = self._measure("turnover", self.dealer | self.other_dealer)
        self.assertEqual(values, {self.dealer.id: Decimal("-300.00")}, "Without an invoice there is no value")

    def test_other_companies_do_not_count(self):
        self._sale(100)
        other = self.setup_other_company()["company"]
        values = self.env["channel.tier.measure"]._values(
            "turnover", TierAsk(self.dealer.ids, other.ids, date(2025, 1, 1), date(2025, 12, 31))
        )
        self.assertEqual(values, {})

    def test_payment_days_are_weighted_by_amount(self):
        self._sale(300, "2025-03-01", pay="2025-03-11")
        self._sale(100, "2025-03-01", pay="2025-02-19")
        self.assertEqual(self._measure("payment_days"), {self.dealer.id: Decimal("5.00")}, "2000 / 400")

    def test_what_is_open_counts_until_the_end_of_the_period(self):
        self._sale(100, "2025-12-21")
        self.assertEqual(self._measure("payment_days"), {self.dealer.id: Decimal("10.00")})

    def test_a_payment_after_the_period_is_not_known_in_it(self):
        self._sale(100, "2025-12-21", pay="2026-03-01")
        self.assertEqual(self._measure("payment_days"), {self.dealer.id: Decimal("10.00")})

    def test_what_was_credited_is_no_delay(self):
        invoice = self._sale(100, "2025-03-01")
        refund = self._sale(100, "2025-10-01", refund=True)
        (invoice | refund).line_ids.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.assertEqual(self._measure("payment_days"), {})

    def test_days_without_a_gap(self):
        self.dealer.sudo().channel_active_since = date(2020, 1, 1)
        self.assertEqual(self._measure("qualified_days"), {self.dealer.id: 100})
        self.licence.with_user(self.user_compliance).action_revoke("Withdrawn", date=date(2025, 12, 2))
        self.assertEqual(
            self._measure("qualified_days"), {self.dealer.id: Decimal("91.78")}, "335 of 365 days, 1 December included"
        )

    def test_a_gap_between_two_documents(self):
        self.dealer.sudo().channel_active_since = date(2020, 1, 1)
        self.licence.with_user(self.user_compliance).action_revoke("Replaced", date=date(2025, 6, 1))
        self._channel_qualification(self.dealer, number="LIC-NEXT", issue_date=date(2025, 6, 11))
        self.assertEqual(self._measure("qualified_days"), {self.dealer.id: Decimal("97.26")}, "10 of 365 days missing")

    def test_a_suspension_is_a_gap(self):
        self.dealer.sudo().channel_active_since = date(2020, 1, 1)
        compliance = self.licence.with_user(self.user_compliance)
        compliance.action_suspend("Inspection", date=date(2025, 3, 1))
        compliance.action_lift("Passed", date=date(2025, 3, 11))
        self.assertEqual(self._measure("qualified_days"), {self.dealer.id: Decimal("97.26")}, "10 of 365 days missing")

    def test_days_before_joining_do_not_count(self):
        self.dealer.sudo().channel_active_since = date(2025, 12, 22)
        self.licence.with_user(self.user_compliance).action_revoke("Withdrawn", date=date(2025, 12, 27))
        self.assertEqual(self._measure("qualified_days"), {self.dealer.id: 50}, "5 of 10 days")
        self.dealer.sudo().channel_active_since = date(2026, 1, 1)
        self.assertEqual(self._measure("qualified_days"), {})

    def _finding(self, code, **values):
        self.env["channel.gate.finding"].sudo().create({
            "check_id": self.env["channel.gate.check"].search([("code", "=", code)]).id,
            "operation_id": self.env["channel.gate.operation"].search([("code", "=", "order")]).id,
            "severity": "block",
            "message": "Test",
            "fingerprint": f"test-{code}-{values}",
            "res_model": "sale.order",
            "company_id": self.company.id,
            "member_id": self.dealer.id,
            "document_date": date(2025, 5, 5),
            **values,
        })

    def test_findings_of_the_gate(self):
        self._finding("member_authorization", state="refused", attempt_count=2, basis={"reason": "territory"})
        self._finding("member_authorization", basis={"reason": "period"})
        self._finding("member_qualification", state="overridden", override_user_id=self.user_compliance.id)
        self._finding("member_qualification", attempt_count=1, document_date=date(2026, 1, 1))
        both = self.dealer | self.other_dealer
        for key, value in (("gate_refusals", 1), ("gate_overrides", 1), ("territory_breaches", 1)):
            self.assertEqual(self._measure(key, both), {self.dealer.id: value, self.other_dealer.id: 0}, key)

    def test_service_scores(self):
        self.env["channel.tier.score"].create([
            {"partner_id": self.dealer.id, "date": day, "score": score, "reason": "Visit"}
            for day, score in (("2025-01-01", 50), ("2025-12-31", 75.5), ("2026-01-01", 0))
        ])
        self.assertEqual(self._measure("service"), {self.dealer.id: Decimal("62.75")})
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.env["channel.tier.score"].create({"partner_id": self.dealer.id, "score": 101, "reason": "Too good"})


@tagged("post_install", "-at_install")
class TestTierPeriod(TierCommon):
    def _period(self, period, day, last=False):
        policy = self._policy(approve=False, period=period)
        return policy._last_period(date.fromisoformat(day)) if last else policy._period_of(date.fromisoformat(day))

    def test_periods(self):
        for period, day, start, end in (
            ("year", "2025-01-01", "2025-01-01", "2025-12-31"),
            ("half", "2025-06-30", "2025-01-01", "2025-06-30"),
            ("half", "2025-07-01", "2025-07-01", "2025-12-31"),
            ("quarter", "2025-12-31", "2025-10-01", "2025-12-31"),
            ("rolling", "2025-02-28", "2024-03-01", "2025-02-28"),
            ("rolling", "2024-02-29", "2023-03-01", "2024-02-29"),
        ):
            self.assertEqual(
                self._period(period, day), (date.fromisoformat(start), date.fromisoformat(end)), (period, day)
            )

    def test_financial_year(self):
        self.company.write({"fiscalyear_last_month": "3", "fiscalyear_last_day": 31})
        self.assertEqual(self._period("quarter", "2025-04-01"), (date(2025, 4, 1), date(2025, 6, 30)))
        self.assertEqual(self._period("year", "2025-03-31"), (date(2024, 4, 1), date(2025, 3, 31)))

    def test_last_period(self):
        self.assertEqual(self._period("year", "2026-01-01", last=True), (date(2025, 1, 1), date(2025, 12, 31)))
        self.assertEqual(self._period("half", "2026-01-01", last=True), (date(2025, 7, 1), date(2025, 12, 31)))
        self.assertEqual(self._period("rolling", "2026-01-01", last=True), (date(2025, 1, 1), date(2025, 12, 31)))

    @freeze_time("2026-02-10")
    def test_defaults_of_a_review(self):
        policy = self._policy()
        regular = self.env["channel.tier.review"].create({"rule_id": policy.id})
        self.assertEqual(
            (regular.date_from, regular.date_to, regular.effective_date),
            (date(2025, 1, 1), date(2025, 12, 31), date(2026, 2, 10)),
        )
        interim = self.env["channel.tier.review"].create({"rule_id": policy.id, "kind": "interim"})
        self.assertEqual((interim.date_from, interim.date_to), (date(2026, 1, 1), date(2026, 2, 9)))

    def test_regular_reviews_end_with_a_period_and_are_held_once(self):
        policy = self._policy()
        with self.assertRaisesRegex(ValidationError, "Last Day"):
            self._review(policy, date_to=date(2025, 11, 30))
        first = self._review(policy, compute=False)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._review(policy, compute=False)
        first.action_cancel()
        self.assertTrue(self._review(policy, compute=False))


@tagged("post_install", "-at_install")
class TestTierReview(TierCommon):
    def test_proposals(self):
        self._sale(8000)
        self._sale(3999.99, partner=self.other_dealer)
        review = self._review(self._policy())
        self.assertEqual(review.line_ids.partner_id, self.dealer | self.other_dealer, "Dealers only")
        self.assertRecordValues(self._line(review) | self._line(review, self.other_dealer), [
            {"points": 80, "current_grade_id": self.bronze.id, "grade_id": self.gold.id, "direction": "up",
             "basis": "earned"},
            {"points": 40, "current_grade_id": self.bronze.id, "grade_id": self.silver.id, "direction": "up",
             "basis": "earned"},
        ])
        self.assertEqual((review.member_count, review.up_count, review.down_count), (2, 2, 0))

    def test_why_in_words(self):
        self._sale(4000)
        review = self._review(self._policy([{"measure": "turnover", "weight": 60}, {
            "measure": "service", "value_full": 100, "missing": "skip"}]))
        why = self._line(review).why
        self.assertIn("4,000.00", why)
        self.assertIn("40.00 of 100 points, weight 60", why)
        self.assertIn("left out", why)

    def test_negative_turnover_scores_nothing(self):
        self._sale(100, refund=True)
        line = self._line(self._review(self._policy()))
        self.assertEqual((line.points, line.grade_id), (0, self.bronze))
        self.assertEqual(line.detail[0]["value"], -100)

    def test_no_history_at_all_keeps_the_tier(self):
        self.dealer.grade_id = self.gold
        policy = self._policy([{"measure": "service", "value_full": 100, "missing": "skip"}])
        line = self._line(self._review(policy))
        self.assertEqual((line.basis, line.grade_id), ("unknown", self.gold))

    def test_a_tier_of_no_policy_is_kept(self):
        self.dealer.grade_id = self.partner_grade
        line = self._line(self._review(self._policy()))
        self.assertEqual((line.basis, line.grade_id, line.direction), ("outside", self.partner_grade, "same"))

    def test_what_an_interim_review_may_do(self):
        self._sale(8000)
        self.other_dealer.grade_id = self.silver
        for between, up, down in (
            ("immediate", self.gold, self.bronze),
            ("upgrade_only", self.gold, self.silver),
            ("frozen", self.bronze, self.silver),
        ):
            policy = self._policy(between=between)
            review = self._review(policy, kind="interim", date_to=date(2025, 9, 30))
            self.assertEqual(
                (self._line(review).grade_id, self._line(review, self.other_dealer).grade_id), (up, down), between
            )
            regular = self._review(policy)
            self.assertEqual(self._line(regular, self.other_dealer).grade_id, self.bronze, between)
            policy.action_withdraw()

    def test_adjusting_needs_a_reason_and_survives_computing_again(self):
        review = self._review(self._policy())
        line = self._line(review)
        with self.assertRaisesRegex(ValidationError, "Reason"):
            line.grade_id = self.gold
        line.write({"grade_id": self.gold.id, "adjust_reason": "New hospital contract"})
        self.assertIn("New hospital contract", line.why)
        review.action_compute()
        line = self._line(review)
        self.assertRecordValues(line, [{"grade_id": self.gold.id, "adjusted": True, "direction": "up"}])
        self.assertEqual(review.adjusted_count, 1)

    def test_figures_are_not_entered(self):
        review = self._review(self._policy())
        line = self._line(review).with_user(self.user_manager)
        for values in ({"points": 100}, {"proposed_grade_id": self.gold.id}, {"current_rank": 9}):
            with self.assertRaises(AccessError):
                line.write(values)
        with self.assertRaises(AccessError):
            line.unlink()
        with self.assertRaises(AccessError):
            line.create({"review_id": review.id, "partner_id": self.sub_dealer.id, "basis": "earned"})

    def test_other_days_forget_the_figures(self):
        review = self._review(self._policy())
        review.date_to = date(2024, 12, 31)
        self.assertFalse(review.line_ids)
        self.assertFalse(review.computed_at)
        with self.assertRaisesRegex(UserError, "computed"):
            review.with_user(self.user_manager).action_approve()

    def test_author_does_not_approve(self):
        policy = self._policy()
        review = self._review(policy, compute=False)
        review.with_user(self.user_manager).action_compute()
        with self.assertRaisesRegex(UserError, "author"):
            review.with_user(self.user_manager).action_approve()
        with self.assertRaisesRegex(UserError, "author"):
            policy = self._policy(approve=False, name="Second")
            policy.action_approve()

    def test_approval_takes_effect_on_the_day(self):
        self._sale(8000)
        self.other_dealer.grade_id = self.gold
        today = self.env["res.partner"]._fields["channel_state_date"].context_today(self.dealer)
        review = self._review(self._policy(), effective_date=today)
        review.with_user(self.user_manager).action_approve()
        self.assertEqual(review.state, "approved")
        self.assertEqual(self.dealer.grade_id, self.gold)
        self.assertEqual(self.other_dealer.grade_id, self.bronze)
        entry = self.env["channel.audit.entry"].sudo().search([
            ("model", "=", "channel.tier.review"), ("res_id", "=", review.id), ("action", "=", "approval.approved"),
        ])
        self.assertIn("Gold", entry.after)
        alert = self.env["channel.alert"].search([("source", "=", "tier"), ("state", "=", "open")])
        self.assertEqual((alert.res_model, alert.res_id), ("res.partner", self.other_dealer.id))
        self.assertIn("Gold", alert.name)

    def test_a_later_day_waits(self):
        self._sale(8000)
        review = self._review(self._policy(), effective_date=date(2099, 1, 1))
        review.with_user(self.user_manager).action_approve()
        self.assertEqual(self.dealer.grade_id, self.bronze)
        period = self.env["channel.member.period"]._as_of([(self.dealer.id, date(2099, 1, 1))])
        self.assertEqual(period[self.dealer.id, date(2099, 1, 1)].grade_id, self.gold)

    def test_tier_changed_meanwhile(self):
        self._sale(8000)
        review = self._review(self._policy())
        self.dealer.grade_id = self.silver
        with self.assertRaisesRegex(UserError, "Compute it again"):
            review.with_user(self.user_manager).action_approve()

    def test_approved_reviews_and_policies_do_not_change(self):
        policy = self._policy()
        review = self._review(policy)
        review.with_user(self.user_manager).action_approve()
        with self.assertRaises(UserError):
            self._line(review).write({"grade_id": self.gold.id, "adjust_reason": "Too late"})
        with self.assertRaises(UserError):
            review.action_compute()
        with self.assertRaises(UserError):
            review.action_cancel()
        with self.assertRaises(UserError):
            policy.threshold_ids[:1].points = 10
        with self.assertRaises(UserError):
            policy.write({"criterion_ids": [Command.create({"measure": "service", "value_full": 100})]})

    def test_one_policy_for_a_role(self):
        self._policy()
        with self.assertRaisesRegex(UserError, "withdraw"):
            self._policy(name="Everybody", role=False)
        self._policy(name="Hospitals", role="hospital")

    def test_number_of_queries_does_not_depend_on_the_number_of_members(self):
        keys = [key for key, _label in self.env["channel.tier.measure"]._selection()]
        policy = self._policy([{"measure": key} for key in keys])

        def count(members):
            self.env["res.partner"].create([
                self._channel_member_values(f"M{number}", self.region_city) for number in range(members)
            ]).action_channel_activate()
            review = self._review(policy, compute=False, kind="interim", date_to=date(2025, 9, 30))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            review.action_compute()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(2)
        few = count(10)
        self.assertLessEqual(count(100), few + 5)


@tagged("post_install", "-at_install")
class TestTierAccess(TierCommon):
    def test_sales_sees_what_was_decided_about_own_members(self):
        review = self._review(self._policy(), effective_date=date(2099, 1, 1))
        lines = self.env["channel.tier.review.line"].with_user(self.user_sales)
        self.assertFalse(lines.search([("review_id", "=", review.id)]))
        review.with_user(self.user_manager).action_approve()
        self.assertEqual(lines.search([("review_id", "=", review.id)]).partner_id, self.dealer)

    def test_scores_are_signed_and_regional(self):
        score = self.env["channel.tier.score"].with_user(self.user_compliance).create({
            "partner_id": self.other_dealer.id, "score": 10, "reason": "Complaint", "user_id": self.user_sales.id,
        })
        self.assertEqual(score.user_id, self.user_compliance)
        self.assertFalse(score.with_user(self.user_sales).search([("id", "=", score.id)]))
        with self.assertRaises(AccessError):
            self.env["channel.tier.score"].with_user(self.user_sales).create({
                "partner_id": self.dealer.id, "score": 100, "reason": "My dealer",
            })

    def test_executive_reads_and_changes_nothing(self):
        review = self._review(self._policy())
        own = review.with_user(self.user_executive)
        self.assertTrue(own.line_ids.mapped("why"))
        with self.assertRaises(AccessError):
            own.action_compute()
