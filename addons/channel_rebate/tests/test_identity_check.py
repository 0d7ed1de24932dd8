from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestIdentityCheck(ChannelRebateCommon):
    """Settled + open = earned + corrections, the books say the same, and the lines add up; each fault is found."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._program("IDC", [(0, 10)])
        cls._invoice([600, 400], "2026-01-10")
        cls._invoice(3000, "2026-01-10", member=cls.other_dealer)
        cls.program.accrue("2026-03-31")

    def _problems(self):
        found = self.env["channel.rebate.identity"].check(self.program.ids)
        return [(row["problem"], row["expected"], row["found"]) for row in found]

    def _tamper(self, column, value):
        self.env.flush_all()
        balance = self._balance(self.program)
        self.env.cr.execute(
            f"UPDATE channel_rebate_balance SET {column} = %s WHERE id = %s", (value, balance.id)  # noqa: S608
        )
        self.env.invalidate_all()

    def test_it_holds_after_settlement_correction_return_and_hold(self):
        self.assertEqual(self._problems(), [])
        balance = self._balance(self.program)
        self.env["channel.rebate.hold"].hold(balance, "Appeal", 10)
        self._settle(self.program, "2026-03-31")
        correction = self.env["channel.rebate.correction"].with_user(self.user_finance).create(
            {"balance_id": balance.id, "amount": -3.33, "reason": "Agreed"}
        )
        correction.with_user(self.user_manager).action_approve()
        self._invoice(77.77, "2026-03-20", refund=True)
        self.program.accrue("2026-03-31")
        self.assertEqual(self._problems(), [])

    def test_accrued_without_books(self):
        self._tamper("accrued_amount", 90)
        self.assertEqual(self._problems(), [("accrued", 100, 90)])

    def test_corrected_without_a_correction(self):
        self._tamper("correction_amount = 5, open_amount", 105)
        self.assertEqual(self._problems(), [("corrected", 0, 5)])

    def test_lines_that_do_not_add_up(self):
        self.env.flush_all()
        entry = self._balance(self.program)._entries()[:1]
        self.env.cr.execute("UPDATE channel_rebate_entry SET rebate_amount = 0 WHERE id = %s", (entry.id,))
        self.env.invalidate_all()
        [(problem, expected, found)] = self._problems()
        self.assertEqual((problem, expected), ("lines", 100))
        self.assertLess(found, 100)

    def test_a_nightly_alert_until_it_holds_again(self):
        Alert = self.env["channel.alert"]
        domain = [("res_model", "=", "channel.rebate.program"), ("res_id", "=", self.program.id)]
        self._tamper("accrued_amount", 90)
        self.env["channel.rebate.identity"]._cron_check()
        alert = Alert.search(domain)
        self.assertEqual(alert.severity, "critical")
        self._tamper("accrued_amount", 100)
        self.env["channel.rebate.identity"]._cron_check()
        self.assertNotIn("open", Alert.search(domain).mapped("state"))

    def test_the_number_of_queries_does_not_grow(self):
        def count():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["channel.rebate.identity"].check(self.program.ids)
            return self.env.cr.sql_log_count - before

        few = count()
        for month in range(4, 13):
            self._invoice(100, f"2026-{month:02}-10")
        self.program.accrue("2026-12-31")
        self.assertLessEqual(count(), few)

    def test_auditors_check_and_others_do_not(self):
        self.assertEqual(self.env["channel.rebate.identity"].with_user(self.user_auditor).check(), [])
        for user in (self.user_internal, self.user_portal):
            with self.assertRaises(AccessError):
                self.env["channel.rebate.identity"].with_user(user).check()
