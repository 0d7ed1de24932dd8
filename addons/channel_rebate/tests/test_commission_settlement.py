from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelRebateCommon

END = "2026-03-31"


class ChannelCommissionCommon(ChannelRebateCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bill_journal = cls.env["account.journal"].search(
            [("type", "=", "purchase"), ("company_id", "=", cls.company.id)], limit=1
        )
        cls.commissions = cls.env["account.account"].create(
            {"name": "Commissions", "code": "660900", "account_type": "expense"}
        )
        cls.agent = cls.env["res.partner"].create(
            cls._channel_member_values("Agent", cls.region_city, channel_role="agent")
        )
        cls._channel_activate(cls.agent)
        cls.dealer._channel_change({"channel_parent_id": cls.agent.id}, date="2020-01-01", reason="Agreed")

    def _commission(self, code, payee, tiers=((0, 3),), **values):
        return self._program(
            code, list(tiers), purpose="commission", payee_kind=payee, bill_journal_id=self.bill_journal.id,
            expense_account_id=self.commissions.id, **values,
        )

    def _draft(self, program):
        return self.env["channel.settlement"].browse(program.propose_settlements(END))

    def _booked(self, program):
        """(expense, still owed) of a programme, from posted journal items."""
        items = self.env["account.move.line"].search([
            ("channel_rebate_balance_id.program_id", "=", program.id), ("parent_state", "=", "posted"),
        ])
        return tuple(
            round(sum(items.filtered(lambda i, a=account: i.account_id == a).mapped("balance")), 2)
            for account in (self.commissions, self.accrued_account)
        )


@tagged("post_install", "-at_install")
class TestCommissionSettlement(ChannelCommissionCommon):
    """Commissions are an expense, and go by a bill to who earned them, and to nobody else."""

    def test_the_agent_bills_its_commission(self):
        program = self._commission("CAG", "agent")
        self._invoice(1000, "2026-01-10")
        settlement = self._draft(program)
        self.assertRecordValues(settlement, [
            {"member_id": self.agent.id, "amount_total": 30, "settlement_form": "bill", "payee_id": self.agent.id}
        ])
        self.assertEqual(self._booked(program), (30, -30))
        for other in (self.dealer, self.user_sales.partner_id):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                settlement.payee_id = other
        settlement.with_user(self.user_manager).action_approve()
        bill = settlement.move_id
        self.assertEqual((bill.move_type, bill.partner_id, bill.state), ("in_invoice", self.agent, "posted"))
        self.assertEqual(bill.amount_total, 30)
        self.assertEqual(self._booked(program), (30, 0))
        self.assertEqual(program.balance_ids.open_amount, 0)

    def test_each_of_a_team_is_paid_its_own_part(self):
        first, second = self.user_sales.partner_id, self.user_internal.partner_id
        program = self._commission("CTM", "team", [(0, 2)], share_ids=[
            Command.create({"partner_id": first.id, "share": 66.67}),
            Command.create({"partner_id": second.id, "share": 33.33}),
        ])
        self._invoice(1000.01, "2026-01-10")
        settlements = self._draft(program)
        amounts = {settlement.member_id: settlement.amount_total for settlement in settlements}
        # 2 % of 66.67 % and of 33.33 % of 1,000.01
        self.assertEqual(amounts, {first: 13.33, second: 6.67})
        settlements.with_user(self.user_manager).action_approve()
        self.assertEqual(settlements.move_id.mapped("move_type"), ["in_invoice", "in_invoice"])
        self.assertEqual({move.partner_id for move in settlements.move_id}, {first, second})
        self.assertEqual(self._booked(program), (20, 0))

    def test_a_return_after_the_bill_is_taken_back(self):
        program = self._commission("CRT", "salesperson")
        self._invoice(1000, "2026-01-10", invoice_user_id=self.user_sales.id)
        self._draft(program).with_user(self.user_manager).action_approve()
        self._invoice(400, "2026-03-30", invoice_user_id=self.user_sales.id, refund=True)
        settlement = self._draft(program)
        self.assertRecordValues(settlement, [{"amount_total": -12, "direction": "charge"}])
        settlement.with_user(self.user_manager).action_approve()
        self.assertEqual((settlement.move_id.move_type, settlement.move_id.amount_total), ("in_refund", 12))
        self.assertEqual(self._booked(program), (18, 0))

    def test_who_left_is_paid_what_was_earned(self):
        program = self._commission("CLV", "salesperson")
        self._invoice(1000, "2026-01-10", invoice_user_id=self.user_sales.id)
        program.accrue("2026-01-31")
        self.user_sales.active = False
        settlement = self._draft(program)
        settlement.with_user(self.user_manager).action_approve()
        self.assertEqual(settlement.move_id.partner_id, self.user_sales.partner_id)
        self.assertEqual(program.balance_ids.open_amount, 0)


@tagged("post_install", "-at_install")
class TestSettlementOfChange(ChannelCommissionCommon):
    """What changes after a settlement is settled by the difference: terms, returns, and payees that leave."""

    def _paid(self, program, tiers=((0, 10),), **values):
        program = self._program(program, list(tiers), window_type="quarter", **values)
        self._invoice(1000, "2026-01-10")
        self._settle(program, END)
        return program

    def _amend(self, program, tiers, **values):
        version = self._version(program, tiers, valid_from="2026-01-01", window_type="quarter", **values)
        version.with_user(self.user_manager).action_approve()

    def test_terms_amended_backwards_for_the_better(self):
        program = self._paid("UP")
        self._amend(program, [(0, 12)])
        settlement = self._settle(program, END)
        self.assertRecordValues(settlement, [{"amount_total": 20, "direction": "credit"}])
        self.assertBooked(program, 0)

    def test_terms_amended_backwards_for_the_worse(self):
        program = self._paid("DOWN")
        self._amend(program, [(0, 7)])
        settlement = self._settle(program, END)
        self.assertRecordValues(settlement, [{"amount_total": -30, "direction": "charge"}])
        self.assertEqual(settlement.move_id.move_type, "out_invoice")
        self.assertBooked(program, 0)

    def test_a_contract_amended_backwards_takes_its_programme_along(self):
        contract = self._channel_version(self.contract, valid_from="2026-01-01")
        program = self._paid("CON", contract_version_id=contract.id)
        amended = self._channel_version(self.contract, approve=False, valid_from="2026-02-01")
        amended.request_validation()
        for user in (self.user_manager, self.user_executive):
            amended.invalidate_recordset()
            amended.with_user(user).validate_tier()
        self.assertEqual(amended.state, "approved")
        version = self._version(
            program, [(0, 12)], valid_from="2026-02-01", window_type="quarter", contract_version_id=amended.id
        )
        version.with_user(self.user_manager).action_approve()
        # Its terms hold from February on: January was paid under those before
        self._invoice(500, "2026-02-10")
        settlement = self._settle(program, END)
        self.assertEqual(settlement.amount_total, 60)
        self.assertEqual(self._balance(program).entitlement, 160)

    def test_a_credit_note_after_the_settlement(self):
        program = self._paid("CN", [(0, 5), (1000, 10)])
        self._invoice(0.01, "2026-03-31", refund=True)
        settlement = self._settle(program, END)
        # 999.99 lie in the tier below: 50.00 of 100 were paid too much
        self.assertRecordValues(settlement, [{"amount_total": -50, "direction": "charge"}])

    def test_a_member_that_leaves_is_settled_and_earns_nothing_new(self):
        program = self._program("LEAVE", [(0, 10)], window_type="quarter")
        self._invoice(1000, "2026-01-10")
        program.accrue("2026-01-31")
        self.dealer.action_channel_suspend(reason="It gives up business")
        settlement = self.env["channel.settlement"].browse(program.propose_settlements(END))
        self.assertEqual(settlement.amount_total, 100)
        settlement.with_user(self.user_manager).action_approve()
        self.assertEqual(self._balance(program).open_amount, 0)

    def _licence_until(self, day):
        licence = self.licence.with_user(self.user_compliance)
        licence.action_draft(reason="Mistyped")
        self.licence.expiry_date = day
        licence.action_verify()

    def test_a_payee_without_its_licence_is_not_settled(self):
        """The licence is asked for on the day of the settlement, and only where the goods ask for it."""
        program = self._program("LIC", [(0, 10)], window_type="quarter")
        self._invoice(1000, "2026-01-10", product=self.device)
        self._channel_severity("settlement_qualification", "block")
        self._licence_until("2026-04-30")
        settlement = self.env["channel.settlement"].browse(program.propose_settlements(END))
        settlement.date = "2026-05-01"
        with self.assertRefused("settlement_qualification"), self.cr.savepoint():
            settlement.with_user(self.user_manager).action_approve()
        settlement.invalidate_recordset()
        self.assertEqual((settlement.state, self._balance(program).open_amount), ("draft", 100), "nothing is lost")
        self.assertIn("expired", settlement.channel_gate_banner)
        settlement.date = "2026-04-30"
        settlement.with_user(self.user_manager).action_approve()
        self.assertEqual(settlement.state, "approved")

    def test_goods_that_need_no_licence_ask_for_none(self):
        program = self._program("NOLIC", [(0, 10)], window_type="quarter")
        self._invoice(1000, "2026-01-10")
        self._channel_severity("settlement_qualification", "block")
        self._licence_until("2026-02-01")
        self.assertEqual(self._settle(program, END).state, "approved")
