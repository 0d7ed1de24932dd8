from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from .common import ChannelRebateCommon

YEAR = ("2026-01-01", "2026-12-31")


@tagged("post_install", "-at_install")
class TestStatementReplay(ChannelRebateCommon):
    """An auditor comes to the cents of a past statement again, whatever has happened to its lines and terms since."""

    def _statement(self, member=None, period=YEAR):
        Statement = self.env["channel.rebate.statement"]
        return Statement.browse(Statement.with_user(self.user_finance).make((member or self.dealer).ids, period))

    def _stated(self, statement):
        return [balance["entitlement"] for balance in statement.content["programs"][0]["balances"]]

    def test_lines_that_were_changed_since(self):
        program = self._program("RPL", [(0, 2), (1000, 5)], window_type="quarter")
        first = self._invoice([333.33, 700.01], "2026-02-10")
        self._invoice(100, "2026-05-10")
        program.accrue("2026-06-30")
        statement = self._statement()
        self.assertEqual(self._stated(statement), [51.67, 2])
        first.button_draft()
        first.invoice_line_ids[0].unlink()
        self._invoice(5000, "2026-05-11")
        program.accrue("2026-06-30")
        self.assertTrue(statement.compare())
        self.assertEqual(statement.with_user(self.user_auditor).replay(), [])

    def test_terms_that_were_replaced_backwards(self):
        program = self._program("RPT", [(0, 2)], window_type="quarter")
        self._invoice(1000, "2026-02-10")
        program.accrue("2026-03-31")
        statement = self._statement()
        action = program.with_user(self.user_finance).action_new_version()
        version = self.env["channel.rebate.program.version"].browse(action["res_id"])
        version.write({"valid_from": "2026-01-01", "tier_ids": [
            Command.clear(), Command.create({"lower_bound": 0, "rate": 7}),
        ]})
        version.with_user(self.user_manager).action_approve()
        program.accrue("2026-03-31")
        self.assertEqual(self._balance(program).entitlement, 70)
        self.assertEqual(self._stated(statement), [20])
        self.assertEqual(statement.replay(), [])

    def test_growth_and_a_cap_over_several_windows(self):
        program = self._program(
            "RPG", [(0, 1), (10, 4)], window_type="quarter", tier_measure="growth_rate", baseline_source="year",
            payout_cap=45, first_window="prior",
        )
        self._invoice(1000, "2025-02-10")
        self._invoice(1200, "2026-02-10")
        self._invoice(900, "2025-05-10")
        self._invoice(910.55, "2026-05-10")
        program.accrue("2026-06-30")
        statement = self._statement()
        self.assertEqual(self._stated(statement), [45, 9.11])
        self.assertEqual(statement.replay(), [])

    def test_a_group_that_adds_up(self):
        self.dealer.channel_parent_id = False
        program = self._program(
            "RPP", [(0, 2), (1500, 4)], window_type="quarter", payee_kind="parent", distribution="contribution",
        )
        self._invoice(1000, "2026-02-10")
        self._invoice(600, "2026-02-11", member=self.sub_dealer)
        program.accrue("2026-03-31")
        statement = self._statement(self.sub_dealer)
        self.assertEqual(statement.replay(), [])

    def test_what_does_not_hold_is_told(self):
        program = self._program("RPX", [(0, 2)], window_type="quarter")
        self._invoice(1000, "2026-02-10")
        program.accrue("2026-03-31")
        statement = self._statement()
        # As a superuser of the database might
        self.env.cr.execute(SQL("ALTER TABLE channel_rebate_tier DISABLE TRIGGER USER"))
        self.env.cr.execute(
            SQL("UPDATE channel_rebate_tier SET rate = 3 WHERE version_id = %s", program.version_ids.id)
        )
        self.env.cr.execute(SQL("ALTER TABLE channel_rebate_tier ENABLE TRIGGER USER"))
        self.env.invalidate_all()
        [problem] = statement.replay()
        self.assertIn("come to 30.00, 20.00 was stated", problem)

    def test_sources_are_frozen_and_not_for_everybody(self):
        program = self._program("RPA", [(0, 2)], window_type="quarter")
        self._invoice(1000, "2026-02-10")
        program.accrue("2026-03-31")
        statement = self._statement()
        self.assertTrue(statement.with_user(self.user_auditor).sources)
        with self.assertRaises(AccessError):
            statement.with_user(self.user_sales).read(["sources"])
        statement.with_user(self.user_finance).state = "sent"
        with self.assertRaises(AccessError):
            statement.with_user(self.user_portal).read(["sources"])
        with self.assertRaises(UserError):
            statement.sources = False
