from datetime import date

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestRebateContract(ChannelRebateCommon):
    def test_programme_of_one_contract(self):
        """Agreed in the dealer's contract: nobody else earns it, and its window is the term of the contract.

        Term 15 January to 14 July: 1,000 inside at 10 % = 100; the day after does not count.
        """
        term = self._channel_version(
            self._channel_contract(self.dealer, approve=False),
            valid_from=date(2026, 1, 15),
            valid_to=date(2026, 7, 14),
        )
        program = self._program(
            "TERM", [(0, 10)], window_type="contract", contract_version_id=term.id, valid_from="2026-01-15"
        )
        version = program.version_ids
        self.assertEqual((version.period_from, version.period_to), (date(2026, 1, 15), date(2026, 7, 14)))
        self._invoice(1000, "2026-07-14")
        self._invoice(1000, "2026-07-15")
        self._invoice(1000, "2026-03-01", member=self.other_dealer)
        (row,) = program.accrue("2026-12-31")
        self.assertEqual((row["member_id"], row["entitlement"]), (self.dealer.id, 100))
        self.assertEqual((row["window_start"], row["window_end"]), ("2026-01-15", "2026-07-14"))

    def test_contract_must_be_approved_first(self):
        draft = self._channel_version(self._channel_contract(self.dealer, approve=False), approve=False)
        with self.assertRaisesRegex(UserError, "approve the contract first"):
            self._program("DRAFTC", [(0, 10)], contract_version_id=draft.id)

    def test_gate(self):
        """A rebate without a contract is found on the settlement; a company that blocks it refuses the approval."""
        self._channel_severity("rebate_contract", "block")
        program = self._program("GATE", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        self._invoice(1000, "2026-01-10", member=self.other_dealer)
        settlements = self.env["channel.settlement"].browse(program.propose_settlements("2026-03-31"))
        self.contract_west.version_ids._version_end(date(2026, 2, 28))
        with_contract = settlements.filtered(lambda s: s.member_id == self.dealer)
        without = settlements - with_contract
        self.assertFalse(with_contract.channel_gate_banner)
        self.assertIn(self.other_dealer.name, without.channel_gate_banner)
        with_contract.with_user(self.user_manager).action_approve()
        self.assertEqual(with_contract.state, "approved")
        with self.assertRefused("rebate_contract"), self.cr.savepoint():
            without.with_user(self.user_manager).action_approve()
        without.invalidate_recordset()
        self.assertEqual(without.state, "draft")
        self._channel_severity("rebate_contract", "warn")
        without.with_user(self.user_manager).action_approve()
        self.assertEqual(without.channel_finding_ids.mapped("code"), ["rebate_contract"])
