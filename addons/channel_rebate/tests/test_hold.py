from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestRebateHold(ChannelRebateCommon):
    """Settlements leave out what is on hold, and pay it once it is released."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._program("HOLD", [(0, 10)])
        cls._invoice(1000, "2026-01-10")
        cls.program.accrue("2026-03-31")

    def _hold(self, amount=0.0, **values):
        balance = self._balance(self.program)
        return self.env["channel.rebate.hold"].with_user(self.user_finance).create({
            "program_id": self.program.id, "member_id": self.dealer.id, "balance_id": balance.id, "amount": amount,
            "reason": "Appeal", **values,
        })

    def _propose(self):
        return self.env["channel.settlement"].browse(self.program.propose_settlements("2026-03-31"))

    def test_part_of_a_window(self):
        hold = self._hold(30)
        first = self._settle(self.program, "2026-03-31")
        self.assertRecordValues(
            first.line_ids, [{"entitlement": 100, "settled_before": 0, "held": 30, "amount": 70}]
        )
        self.assertIn("30", first.move_id.invoice_line_ids.name)
        self.assertEqual(self._propose(), self.env["channel.settlement"], "what is left is on hold")
        hold.with_user(self.user_finance).release("Appeal rejected")
        second = self._settle(self.program, "2026-03-31")
        self.assertEqual(second.amount_total, 30)
        balance = self._balance(self.program)
        self.assertEqual((balance.settled_amount, balance.open_amount), (100, 0))

    def test_a_whole_window_and_a_whole_payee(self):
        for values in ({}, {"balance_id": False}):
            with self.subTest(**values):
                hold = self._hold(**values)
                self.assertFalse(self._propose())
                hold.release()
        self.assertEqual(self._propose().amount_total, 100)

    def test_more_than_is_open_holds_what_is_open(self):
        self._hold(500)
        self.assertFalse(self._propose())

    def test_held_after_the_draft(self):
        """A draft that would pay more than may be paid now is refused, and says what to press."""
        settlement = self._propose()
        self._hold(30)
        with self.assertRaisesRegex(UserError, "Update Amounts"):
            settlement.with_user(self.user_manager).action_approve()
        settlement.action_update_amounts()
        self.assertEqual(settlement.amount_total, 70)
        settlement.with_user(self.user_manager).action_approve()
        self.assertEqual(settlement.move_id.amount_total, 70)

    def test_held_wholly_after_the_draft(self):
        settlement = self._propose()
        self._hold()
        settlement.action_update_amounts()
        with self.assertRaisesRegex(UserError, "on hold.*Appeal"):
            settlement.with_user(self.user_manager).action_approve()

    def test_what_is_charged_back_is_not_held(self):
        self._settle(self.program, "2026-03-31")
        self._invoice(1000, "2026-03-20", refund=True)
        self._hold()
        self.assertEqual(self._propose().amount_total, -100)

    def test_what_cannot_be_held(self):
        with self.assertRaisesRegex(ValidationError, "choose it"):
            self._hold(5, balance_id=False)
        with self.assertRaisesRegex(ValidationError, "not one of"):
            self._hold(member_id=self.other_dealer.id)

    def test_history_stays(self):
        hold = self._hold(30)
        hold.release("Rejected")
        self.assertEqual((hold.state, hold.released_by_id, hold.release_reason),
                         ("released", self.user_finance, "Rejected"))
        with self.assertRaisesRegex(UserError, "history"):
            hold.amount = 40
        with self.assertRaisesRegex(UserError, "release it instead"):
            hold.sudo().unlink()
        actions = self.env["channel.audit.entry"].search(
            [("model", "=", hold._name), ("res_id", "=", hold.id)], order="id"
        ).mapped("action")
        self.assertEqual(actions, ["rebate.held", "rebate.released"])

    def test_finance_holds_and_sales_reads(self):
        hold = self._hold(30)
        self.assertEqual(hold.with_user(self.user_manager).reason, "Appeal")
        with self.assertRaises(AccessError):
            hold.with_user(self.user_manager).action_release()
        with self.assertRaises(AccessError):
            hold.with_user(self.user_sales).write({"reason": "No"})

    def test_holds_are_found_for_all_balances_at_once(self):
        self._hold(30)
        for month in range(4, 12):
            self._invoice(100, f"2026-{month:02}-10")
        self.program.accrue("2026-12-31")
        Balance = self.env["channel.rebate.balance"]
        balances = Balance.search([("program_id", "=", self.program.id)], order="window_start")
        self.assertGreater(len(balances), 2)

        def count(some):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["channel.rebate.hold"]._held(some)
            return self.env.cr.sql_log_count - before

        self.assertLessEqual(count(balances), count(balances[:2]) + 1)
