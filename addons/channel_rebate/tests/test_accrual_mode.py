from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestAccrualMode(ChannelRebateCommon):
    """What is accrued before a window ends, what is booked when it has ended, and what nobody claims."""

    def _accrued(self, program):
        return self._balance(program).accrued_amount

    def test_tier_reached(self):
        program = self._program("ACT", [(0, 2), (1000, 5)])
        self._invoice(900, "2026-01-10")
        program.accrue("2026-02-14")
        self.assertEqual(self._accrued(program), 18)

    def test_tier_expected(self):
        """900 in 45 of 90 days: 1,800 at the end, all of it at 5 %. Half of these 90 are accrued to date."""
        program = self._program("EXP", [(0, 2), (1000, 5)])
        program.accrual_mode = "expected"
        self._invoice(900, "2026-01-10")
        program.accrue("2026-02-14")
        self.assertEqual(self._accrued(program), 45)
        program.accrue("2026-02-14")
        self.assertEqual(self._accrued(program), 45, "once")
        self.assertEqual(self._balance(program).entitlement, 18)
        program.accrue("2026-03-31")
        self.assertEqual(self._accrued(program), 18, "the window has ended: what was earned is booked")
        self.assertBooked(program, 18)

    def test_fixed_rate(self):
        program = self._program("FIX", [(0, 2), (1000, 5)])
        program.write({"accrual_mode": "fixed", "accrual_rate": 3})
        self._invoice(900, "2026-01-10")
        program.accrue("2026-02-14")
        self.assertEqual(self._accrued(program), 27)
        program.accrue("2026-04-01")
        self.assertEqual(self._accrued(program), 18)

    def test_the_last_day_of_the_window_is_its_end(self):
        program = self._program("END", [(0, 2)])
        program.write({"accrual_mode": "fixed", "accrual_rate": 3})
        self._invoice(900, "2026-01-10")
        program.accrue("2026-03-30")
        self.assertEqual(self._accrued(program), 27)
        program.accrue("2026-03-31")
        self.assertEqual(self._accrued(program), 18)

    def test_a_method_that_is_not_told_in_advance_accrues_what_is_reached(self):
        program = self._program("GRO", [(0, 0), (100, 2)], tier_measure="achievement", target=1000)
        program.accrual_mode = "expected"
        self._invoice(1200, "2026-01-10")
        program.accrue("2026-02-14")
        self.assertEqual(self._accrued(program), 24)

    def test_corrections_are_accrued_in_full(self):
        program = self._program("COR", [(0, 2)])
        program.write({"accrual_mode": "fixed", "accrual_rate": 3})
        self._invoice(900, "2026-01-10")
        program.accrue("2026-02-14")
        correction = self.env["channel.rebate.correction"].with_user(self.user_finance).create(
            {"balance_id": self._balance(program).id, "amount": 10, "reason": "Agreed"}
        )
        correction.with_user(self.user_manager).action_approve()
        self.assertEqual(self._accrued(program), 37)

    def test_analytic_distribution_of_the_expense(self):
        plan = self.env["account.analytic.plan"].create({"name": "Channels"})
        account = self.env["account.analytic.account"].create({"name": "East", "plan_id": plan.id})
        program = self._program("ANA", [(0, 2)])
        program.analytic_distribution = {str(account.id): 100}
        self._invoice(900, "2026-01-10")
        program.accrue("2026-03-31")
        items = self._balance(program).booking_ids
        by_role = {item.channel_rebate_role: item.analytic_distribution for item in items}
        self.assertEqual(by_role, {"expense": {str(account.id): 100}, "accrual": False})
        lines = self.env["account.analytic.line"].search([("move_line_id", "in", items.ids)])
        self.assertEqual(lines.mapped("amount"), [-18])

    # === What nobody claims === #

    def _write_offs(self, program, day):
        return self.env["channel.rebate.correction"].browse(program.propose_write_offs(day))

    def test_written_off_after_so_many_months(self):
        program = self._program("WRO", [(0, 2)])
        program.write_off_months = 12
        self._invoice(900, "2026-01-10")
        program.accrue("2026-03-31")
        self.assertFalse(self._write_offs(program, "2027-03-30"))
        correction = self._write_offs(program, "2027-03-31")
        self.assertRecordValues(correction, [{"amount": -18, "state": "draft"}])
        self.assertFalse(self._write_offs(program, "2027-03-31"), "drafted already")
        correction.with_user(self.user_manager).action_approve()
        self.assertRecordValues(self._balance(program), [
            {"entitlement": 18, "correction_amount": -18, "open_amount": 0, "accrued_amount": 0}
        ])
        self.assertBooked(program, 0)

    def test_what_is_on_hold_or_being_settled_is_not_written_off(self):
        program = self._program("WRH", [(0, 2)])
        program.write_off_months = 1
        self._invoice(900, "2026-01-10")
        program.accrue("2026-03-31")
        hold = self.env["channel.rebate.hold"].hold(self._balance(program), "Appeal", 5)
        self.assertFalse(self._write_offs(program, "2026-12-31"))
        hold.release()
        program.propose_settlements("2026-03-31")
        self.assertFalse(self._write_offs(program, "2026-12-31"))

    def test_never_unless_the_programme_says_so(self):
        program = self._program("WRN", [(0, 2)])
        self._invoice(900, "2026-01-10")
        program.accrue("2026-03-31")
        self.assertFalse(self._write_offs(program, "2099-12-31"))

    def test_written_off_to_an_account_of_its_own(self):
        gains = self.env["account.account"].create(
            {"name": "Unclaimed rebates", "code": "709900", "account_type": "income_other"}
        )
        program = self._program("WOACC", [(0, 5)])
        program.write({"write_off_months": 12, "write_off_account_id": gains.id})
        self._invoice(1000, "2026-01-10")
        program.accrue("2026-03-31")
        self._write_offs(program, "2027-03-31").with_user(self.user_manager).action_approve()
        self.assertEqual(self._booked_on(program, gains), -50)
        self.assertEqual(self._booked_on(program, program.expense_account_id), 50)
        self.assertBooked(program, 0)
        # A late return: what was written off stays, the expense follows what was earned
        self._invoice(200, "2026-03-20", refund=True)
        program.accrue("2027-03-31")
        self.assertEqual(self._booked_on(program, gains), -50)
        self.assertEqual(self._booked_on(program, program.expense_account_id), 40)
        self.assertBooked(program, -10)

    def _booked_on(self, program, account, before=None):
        lines = self.env["account.move.line"].search([
            ("account_id", "=", account.id), ("channel_rebate_balance_id.program_id", "=", program.id),
            ("parent_state", "=", "posted"), ("date", "<=", before or "2099-12-31"),
        ])
        return sum(lines.mapped("balance"))

    def test_running_windows_are_reversed_at_the_month_end(self):
        program = self._program("REV", [(0, 5)], window_type="quarter")
        program.reverses_accruals = True
        self._invoice(1000, "2026-01-10")
        program.accrue("2026-01-20")
        self._invoice(400, "2026-01-25")
        program.accrue("2026-01-31")
        self.assertEqual(self._balance(program).accrued_amount, 70)
        program.accrue("2026-02-28")
        expense = program.expense_account_id
        self.assertEqual(self._booked_on(program, expense, "2026-01-31"), 70)
        self.assertEqual(self._booked_on(program, expense, "2026-02-01"), 0, "February begins with the reversal")
        self.assertEqual(self._booked_on(program, expense, "2026-02-28"), 70)
        domain = [("line_ids.channel_rebate_balance_id.program_id", "=", program.id)]
        count = self.env["account.move"].search_count(domain)
        program.accrue("2026-02-28")
        self.assertEqual(self.env["account.move"].search_count(domain), count, "running twice books once")
        program.accrue("2026-03-31")
        program.accrue("2026-04-30")
        # The window ended: what it earned is booked for good
        self.assertEqual(self._booked_on(program, expense, "2026-03-31"), 70)
        self.assertEqual(self._booked_on(program, expense), 70)
        self.assertBooked(program, 70)
        self.assertEqual(self._settle(program, "2026-03-31").amount_total, 70)

    def test_an_accrual_reversed_by_hand_is_not_reversed_twice(self):
        program = self._program("REV2", [(0, 5)], window_type="quarter")
        program.reverses_accruals = True
        self._invoice(1000, "2026-01-10")
        program.accrue("2026-01-31")
        move = self.env["account.move"].search([("channel_rebate_reverse_on", "=", "2026-02-01")])
        move._reverse_moves([{"date": "2026-02-01"}])._post(soft=False)
        program.accrue("2026-02-28")
        self.assertEqual(self._booked_on(program, program.expense_account_id), 50)
        self.assertBooked(program, 50)

    def test_the_reversal_waits_for_the_first_open_day(self):
        program = self._program("REV3", [(0, 5)], window_type="quarter")
        program.reverses_accruals = True
        self._invoice(1000, "2026-01-10")
        program.accrue("2026-01-31")
        self.env.company.fiscalyear_lock_date = "2026-02-28"
        program.accrue("2026-02-28")
        self.assertEqual(self._booked_on(program, program.expense_account_id, "2026-02-28"), 50)
        self.assertEqual(self._booked_on(program, program.expense_account_id), 50)
        self.assertEqual(self._booked_on(program, program.expense_account_id, "2026-03-01"), 50)
