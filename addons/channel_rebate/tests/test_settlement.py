from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestSettlement(ChannelRebateCommon):
    def test_credit_note_clears_accrual(self):
        """500 earned and accrued; the credit note of 500 debits the accrued rebate account, which ends at zero."""
        program = self._program("CN", [(0, 25)])
        self._invoice(2000, "2026-01-10")
        settlement = self._settle(program, "2026-03-31")
        move = settlement.move_id
        self.assertRecordValues(
            move,
            [
                {
                    "move_type": "out_refund",
                    "state": "posted",
                    "partner_id": self.dealer.id,
                    "amount_total": 500,
                    "invoice_date": settlement.date,
                }
            ],
        )
        self.assertRecordValues(
            move.invoice_line_ids,
            [{"account_id": self.accrued_account.id, "product_id": self.rebate_product.id, "balance": 500}],
        )
        self.assertBooked(program, 0)
        balance = self._balance(program)
        self.assertEqual((balance.settled_amount, balance.open_amount), (500, 0))
        # nothing is left to settle
        self.assertEqual(program.propose_settlements("2026-03-31"), [])

    def test_second_settlement_subtracts_the_first(self):
        """OCA agreement issue 36: a second settlement in the same window subtracts what the first one paid.

        10 % of 1,000 = 100 paid; an invoice of 500 comes late: 150 - 100 = 50.
        """
        program = self._program("B14", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        self.assertEqual(self._settle(program, "2026-03-31").amount_total, 100)
        self._invoice(500, "2026-03-30")
        second = self._settle(program, "2026-03-31")
        self.assertRecordValues(second.line_ids, [{"entitlement": 150, "settled_before": 100, "amount": 50}])
        self.assertEqual(second.move_id.amount_total, 50)

    def test_claw_back(self):
        """100 settled, then all goods come back in the same window: entitlement 0, so 100 are charged by an invoice."""
        program = self._program("CLAW", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        self._settle(program, "2026-03-31")
        self._invoice(1000, "2026-03-20", refund=True)
        settlement = self._settle(program, "2026-03-31")
        self.assertEqual((settlement.amount_total, settlement.direction), (-100, "charge"))
        self.assertRecordValues(
            settlement.move_id, [{"move_type": "out_invoice", "state": "posted", "amount_total": 100}]
        )
        balance = self._balance(program)
        self.assertEqual((balance.entitlement, balance.settled_amount, balance.open_amount), (0, 0, 0))
        self.assertBooked(program, 0)
        # the invoice that charges back is no purchase
        program.accrue("2026-12-31")
        self.assertEqual(balance.base_amount, 0)

    def test_several_windows_net(self):
        """January earned 100, February lost 30 by returns: one credit note of 70 with both on it."""
        program = self._program("NET", [(0, 10)], window_type="month")
        self._invoice(1000, "2026-01-10")
        self._invoice(300, "2026-02-10", refund=True)
        settlement = self._settle(program, "2026-02-28")
        self.assertEqual(sorted(settlement.line_ids.mapped("amount")), [-30, 100])
        self.assertEqual(settlement.move_id.amount_total, 70)
        self.assertEqual({b.window_start.month: b.open_amount for b in settlement.line_ids.balance_id}, {1: 0, 2: 0})

    def test_rebate_documents_never_count(self):
        """The credit note, the charge back and copies of them stay out of the base, whatever their product."""
        program = self._program("SELF", [(0, 10)])
        program.product_id = self.rebate_product
        self._invoice(1000, "2026-01-10")
        settlement = self._settle(program, "2026-03-31")
        settlement.move_id.button_draft()
        settlement.move_id.invoice_date = "2026-03-01"
        settlement.move_id.action_post()
        (row,) = program.accrue("2026-03-31")
        self.assertEqual((row["base"], row["entitlement"]), (1000, 100))
        entry = self.env["channel.rebate.entry"].search(
            [("program_id", "=", program.id), ("move_id", "=", settlement.move_id.id)]
        )
        self.assertEqual((entry.exclusion, entry.earning_amount), ("rebate_document", 0))

    def test_reversed_credit_note_is_open_again(self):
        """A credit note that is reversed was not paid, and its reversal is no sale."""
        program = self._program("UNDO", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        settlement = self._settle(program, "2026-03-31")
        settlement.move_id._reverse_moves([{"invoice_date": "2026-03-05", "date": "2026-03-05"}], cancel=True)
        balance = self._balance(program)
        self.assertEqual((balance.settled_amount, balance.open_amount), (0, 100))
        (row,) = program.accrue("2026-03-31")
        self.assertEqual((row["base"], row["open"]), (1000, 100))
        self.assertEqual(self._settle(program, "2026-03-31").amount_total, 100)

    def test_author_does_not_approve(self):
        program = self._program("AUTH", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        settlement = self.env["channel.settlement"].browse(
            program.with_user(self.user_finance).propose_settlements("2026-03-31")
        )
        self.assertEqual(settlement.create_uid, self.user_finance)
        self.user_finance.group_ids += self.env.ref("channel_base.group_channel_manager")
        with self.assertRaises(UserError):
            settlement.with_user(self.user_finance).action_approve()
        settlement.with_user(self.user_manager).action_approve()
        self.assertEqual((settlement.state, settlement.move_id.state), ("approved", "posted"))

    def test_paid_to_nobody_else(self):
        """A rebate goes to the member that earned it or one of its own addresses."""
        program = self._program("PAYEE", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        settlement = self.env["channel.settlement"].browse(program.propose_settlements("2026-03-31"))
        with self.assertRaisesRegex(ValidationError, "cannot be paid"):
            settlement.payee_id = self.other_dealer
        person = self.env["res.partner"].create({"name": "Somebody"})
        with self.assertRaisesRegex(ValidationError, "cannot be paid"):
            settlement.payee_id = person
        office = self.env["res.partner"].create({"name": "Accounts", "parent_id": self.dealer.id, "type": "invoice"})
        settlement.payee_id = office
        settlement.with_user(self.user_manager).action_approve()
        self.assertEqual(settlement.move_id.commercial_partner_id, self.dealer)

    def test_paid_to_a_company_that_the_contract_names(self):
        platform = self.env["res.partner"].create({"name": "Platform", "is_company": True})
        person = self.env["res.partner"].create({"name": "Somebody"})
        contract = self._channel_version(self.contract, approve=False, valid_from="2026-01-01")
        with self.assertRaises(ValidationError), self.cr.savepoint():
            contract.rebate_payee_ids = person
        contract.rebate_payee_ids = platform
        contract.with_user(self.user_manager).action_approve()
        program = self._program("NAMED", [(0, 10)], contract_version_id=contract.id)
        self._invoice(1000, "2026-01-10")
        settlement = self.env["channel.settlement"].browse(program.propose_settlements("2026-03-31"))
        self.assertEqual(settlement.allowed_payee_ids, self.dealer | platform)
        for other in (person, self.other_dealer):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                settlement.payee_id = other
        settlement.payee_id = platform
        settlement.with_user(self.user_manager).action_approve()
        self.assertEqual(settlement.move_id.partner_id, platform)
        self.assertEqual(self._balance(program).open_amount, 0)

    def test_two_drafts_of_one_window(self):
        """Two drafts of the same 100: the second approval finds nothing open and is refused; nothing is paid twice."""
        program = self._program("TWO", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        first = self.env["channel.settlement"].browse(program.propose_settlements("2026-03-31"))
        self.assertEqual(program.propose_settlements("2026-03-31"), [])
        second = first.create(
            {
                "program_id": program.id,
                "member_id": self.dealer.id,
                "line_ids": [Command.create({"balance_id": first.line_ids.balance_id.id})],
            }
        )
        self.assertEqual(second.amount_total, 100)
        first.with_user(self.user_manager).action_approve()
        with self.assertRaisesRegex(UserError, "Update Amounts"), self.cr.savepoint():
            second.with_user(self.user_manager).action_approve()
        second.invalidate_recordset()
        self.assertEqual(second.state, "draft")
        second.action_update_amounts()
        self.assertEqual(second.amount_total, 0)
        with self.assertRaisesRegex(UserError, "settles nothing"):
            second.with_user(self.user_manager).action_approve()
        self.assertEqual(self._balance(program).settled_amount, 100)

    def test_stale_amount_is_refused(self):
        """A return posted after the draft changes what is open: the old amount is not paid."""
        program = self._program("STALE", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        settlement = self.env["channel.settlement"].browse(program.propose_settlements("2026-03-31"))
        self._invoice(400, "2026-02-10", refund=True)
        with self.assertRaisesRegex(UserError, "Update Amounts"), self.cr.savepoint():
            settlement.with_user(self.user_manager).action_approve()
        settlement.invalidate_recordset()
        settlement.action_update_amounts()
        settlement.with_user(self.user_manager).action_approve()
        self.assertEqual(settlement.move_id.amount_total, 60)

    def test_unbooked_accrual_is_refused(self):
        """What no posted accrual entry covers is not paid."""
        program = self._program("UNBOOKED", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        settlement = self.env["channel.settlement"].browse(program.propose_settlements("2026-03-31"))
        self._balance(program).booking_ids.move_id.button_draft()
        with self.assertRaisesRegex(UserError, "Accrue programme"), self.cr.savepoint():
            settlement.with_user(self.user_manager).action_approve()

    def test_approved_is_fixed(self):
        program = self._program("LOCKED", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        settlement = self._settle(program, "2026-03-31")
        with self.assertRaises(UserError):
            settlement.date = "2026-01-01"
        with self.assertRaises(UserError):
            settlement.line_ids.unlink()
        with self.assertRaises(UserError):
            settlement.line_ids.entitlement = 5000
        with self.assertRaises(UserError):
            settlement.unlink()

    def test_foreign_window_is_refused(self):
        program, other = self._program("W1", [(0, 10)]), self._program("W2", [(0, 20)])
        self._invoice(1000, "2026-01-10")
        (program + other).accrue("2026-03-31")
        with self.assertRaisesRegex(ValidationError, "does not belong"):
            self.env["channel.settlement"].create(
                {
                    "program_id": program.id,
                    "member_id": self.dealer.id,
                    "line_ids": [Command.create({"balance_id": self._balance(other).id})],
                }
            )

    def test_taxes_of_the_product(self):
        """15 % tax of the product: 100 settled, 115 credited; one included in the price would settle less: refused."""
        self.dealer.country_id = self.company.country_id  # abroad, the fiscal position takes the tax away
        self.rebate_product.taxes_id = self.company_data["default_tax_sale"]
        rate = self.company_data["default_tax_sale"].amount
        program = self._program("TAX", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        settlement = self._settle(program, "2026-03-31")
        self.assertAlmostEqual(settlement.move_id.amount_total, 100 * (1 + rate / 100), 2)
        self.assertEqual(self._balance(program).settled_amount, 100)
        self._invoice(1000, "2026-02-10")
        self.rebate_product.taxes_id = self.company_data["default_tax_sale"].copy(
            {"name": "Included", "price_include_override": "tax_included"}
        )
        with self.assertRaisesRegex(UserError, "included in its price"), self.cr.savepoint():
            self._settle(program, "2026-03-31")

    def test_foreign_currency_settlement(self):
        """Programme in a currency at 2 for 1: 160 earned, credited in that currency, half of it in the books."""
        foreign = self.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        program = self._program("CURS", [(0, 10)], currency_id=foreign.id)
        self._invoice(1600, "2026-01-10", currency_id=foreign.id)
        settlement = self._settle(program, "2026-03-31")
        line = settlement.move_id.invoice_line_ids
        self.assertEqual((settlement.move_id.currency_id, line.amount_currency, line.balance), (foreign, 160, 80))
        self.assertBooked(program, 0)

    def test_audit_journal(self):
        """The approval of a settlement is in the audit journal with what was approved."""
        program = self._program("AUDIT", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        settlement = self._settle(program, "2026-03-31")
        entry = self.env["channel.audit.entry"].search(
            [("action", "=", "approval.approved"), ("model", "=", "channel.settlement"), ("res_id", "=", settlement.id)]
        )
        self.assertEqual(len(entry), 1)
