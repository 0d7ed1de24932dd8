from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestRebateCorrection(ChannelRebateCommon):
    """An agreed difference stands beside what was earned: accrued, settled, on the statement, never in its place."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._program("CORR", [(0, 10)])
        cls._invoice(1000, "2026-01-10")
        cls.program.accrue("2026-03-31")

    def _correct(self, amount, approve=True, **values):
        correction = self.env["channel.rebate.correction"].with_user(self.user_finance).create(
            {"balance_id": self._balance(self.program).id, "amount": amount, "reason": "Agreed on 3 April", **values}
        )
        if approve:
            correction.with_user(self.user_manager).action_approve()
        return correction

    def test_accrued_and_settled(self):
        self._correct(25)
        balance = self._balance(self.program)
        self.assertRecordValues(balance, [
            {"entitlement": 100, "correction_amount": 25, "entitled_amount": 125, "accrued_amount": 125,
             "settled_amount": 0, "open_amount": 125}
        ])
        self.assertBooked(self.program, 125)
        settlement = self._settle(self.program, "2026-03-31")
        self.assertEqual(settlement.move_id.amount_total, 125)
        self.assertEqual((balance.settled_amount, balance.open_amount), (125, 0))
        self.assertBooked(self.program, 0)

    def test_a_draft_changes_nothing(self):
        self._correct(25, approve=False)
        self.assertRecordValues(self._balance(self.program), [{"correction_amount": 0, "open_amount": 100}])

    def test_later_runs_keep_it(self):
        self._correct(25)
        self._invoice(500, "2026-03-01")
        self.program.accrue("2026-03-31")
        self.assertRecordValues(self._balance(self.program), [
            {"entitlement": 150, "correction_amount": 25, "open_amount": 175, "accrued_amount": 175}
        ])

    def test_it_stays_where_nothing_is_earned_any_more(self):
        self._correct(25)
        self._invoice(1000, "2026-03-20", refund=True)
        self.program.accrue("2026-03-31")
        self.assertRecordValues(self._balance(self.program), [
            {"entitlement": 0, "correction_amount": 25, "open_amount": 25, "accrued_amount": 25}
        ])

    def test_after_settlement_the_difference_is_paid_or_charged(self):
        self._settle(self.program, "2026-03-31")
        self._correct(25)
        self.assertEqual(self._settle(self.program, "2026-03-31").move_id.amount_total, 25)
        self._correct(-40)
        charge = self._settle(self.program, "2026-03-31")
        self.assertEqual((charge.direction, charge.move_id.move_type, charge.move_id.amount_total),
                         ("charge", "out_invoice", 40))

    def test_undone_by_another_one(self):
        self._correct(25)
        self._correct(-25, reason="Undone")
        self.assertRecordValues(self._balance(self.program), [{"correction_amount": 0, "open_amount": 100}])
        self.assertBooked(self.program, 100)

    def test_a_locked_period_books_in_the_open_one(self):
        self.company.fiscalyear_lock_date = "2026-03-31"
        self._correct(25)
        entry = self._balance(self.program).booking_ids.move_id.sorted("id")[-1]
        self.assertEqual(str(entry.date), "2026-04-01")
        self.assertIn("late difference", entry.ref)

    def test_the_author_does_not_approve(self):
        correction = self._correct(25, approve=False)
        own = self.env["channel.rebate.correction"].with_user(self.user_manager).create(
            {"balance_id": correction.balance_id.id, "amount": 5, "reason": "Own"}
        )
        with self.assertRaises(UserError):
            own.action_approve()
        with self.assertRaises(UserError):
            correction.with_user(self.user_sales).action_approve()

    def test_what_was_approved_is_fixed(self):
        correction = self._correct(25)
        with self.assertRaises(UserError):
            correction.with_user(self.user_finance).amount = 30
        with self.assertRaisesRegex(UserError, "other way"):
            correction.with_user(self.user_finance).unlink()

    def test_zero_corrects_nothing(self):
        with self.assertRaisesRegex(ValidationError, "corrects nothing"):
            self._correct(0)

    def test_the_statement_tells_it(self):
        self._correct(25)
        told = self.program.statement(self.dealer.id, ["2026-01-01", "2026-03-31"])["programs"][0]
        self.assertEqual((told["entitlement"], told["correction"], told["open"]), (100, 25, 125))
        self.assertEqual([(row["reason"], row["amount"]) for row in told["corrections"]], [("Agreed on 3 April", 25)])
        self.assertEqual(told["balances"][0]["correction"], 25)
