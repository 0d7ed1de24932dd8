from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestSettlementForm(ChannelRebateCommon):
    """How what is owed reaches the payee: each form clears the accrual and counts as settled once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Journal = cls.env["account.journal"]
        cls.bank_journal = Journal.search([("type", "=", "bank"), ("company_id", "=", cls.company.id)], limit=1)
        cls.cash_journal = Journal.search([("type", "=", "cash"), ("company_id", "=", cls.company.id)], limit=1)
        cls.bill_journal = Journal.search([("type", "=", "purchase"), ("company_id", "=", cls.company.id)], limit=1)
        cls.bank = cls.env["res.partner.bank"].create(
            {"acc_number": "6222020200112233445", "partner_id": cls.dealer.id, "allow_out_payment": True}
        )

    def _earn(self, code, amount=1000, **values):
        program = self._program(code, [(0, 10)], **values)
        self._invoice(amount, "2026-01-10")
        return program

    def _draft(self, program, **values):
        settlement = self.env["channel.settlement"].browse(program.propose_settlements("2026-03-31"))
        settlement.write(values)
        return settlement

    def _approve(self, settlement):
        settlement.with_user(self.user_manager).action_approve()
        return settlement

    def assertSettled(self, program, amount):
        balance = self._balance(program)
        self.assertEqual((balance.settled_amount, balance.open_amount), (amount, 0))
        self.assertBooked(program, 0)

    # === DISCOUNT ON AN INVOICE === #

    def test_discount_on_a_draft_invoice(self):
        tax = self.env["account.tax"].create({"name": "VAT 13 %", "amount": 13, "type_tax_use": "sale"})
        program = self._earn("DISC", settlement_form="discount")
        invoice = self._invoice(500, "2026-04-02", post=False)
        invoice.invoice_line_ids.tax_ids = tax
        settlement = self._approve(self._draft(program, invoice_id=invoice.id))
        self.assertEqual((settlement.move_id, invoice.state), (invoice, "posted"))
        self.assertEqual((invoice.amount_untaxed, invoice.amount_tax), (400, 52), "the discount lowers the tax")
        self.assertSettled(program, 100)
        # Not a sale of less: what is paid on stays what was sold
        program.accrue("2026-06-30")
        self.assertEqual(self._balance(program, start="2026-04-01").base_amount, 500)

    def test_discount_needs_a_fitting_invoice(self):
        program = self._earn("DISCX", settlement_form="discount")
        settlement = self._draft(program)
        foreign = self._invoice(500, "2026-04-02", member=self.other_dealer, post=False)
        small = self._invoice(99.99, "2026-04-02", post=False)
        posted = self._invoice(500, "2026-04-02")
        mixed = self._invoice([300, 300], "2026-04-02", post=False)
        mixed.invoice_line_ids[0].tax_ids = self.env["account.tax"].create({
            "name": "VAT 6 %", "amount": 6, "type_tax_use": "sale",
        })
        for invoice, words in ((False, "choose a draft invoice"), (foreign, "is no draft invoice"),
                               (small, "cannot be deducted"), (posted, "is no draft invoice"),
                               (mixed, "different taxes")):
            settlement.invoice_id = invoice
            with self.assertRaises(UserError) as caught, self.cr.savepoint():
                self._approve(settlement)
            self.assertIn(words, str(caught.exception))
        self.assertEqual((settlement.state, small.state), ("draft", "draft"))

    def test_two_programmes_discount_one_invoice(self):
        programs = [self._earn(code, settlement_form="discount") for code in ("DA", "DB")]
        invoice = self._invoice(900, "2026-04-02", post=False)
        self._approve(self._draft(programs[0], invoice_id=invoice.id))
        invoice.button_draft()
        settlement = self._approve(self._draft(programs[1], invoice_id=invoice.id))
        self.assertEqual(settlement.move_id.amount_untaxed, 900 - 200 - 200)

    # === OFFSET === #

    def test_offset_closes_the_invoice_that_is_due_first(self):
        program = self._earn("OFF", settlement_form="offset")
        first, second = (self._invoice(60, f"2026-02-{day}") for day in ("01", "02"))
        self.assertNotEqual(first.payment_state, "paid")
        open_before = self.env["account.move"].search([
            ("move_type", "=", "out_invoice"), ("partner_id", "=", self.dealer.id), ("payment_state", "=", "not_paid"),
        ])
        settlement = self._approve(self._draft(program))
        self.assertEqual(settlement.settlement_form, "offset")
        self.assertEqual(settlement.amount_total, 112)
        self.assertEqual(settlement.payment_state, "paid")
        self.assertEqual(sum(open_before.mapped("amount_residual")), sum(open_before.mapped("amount_total")) - 112)
        self.assertEqual(second.payment_state, "not_paid", "the invoice of January is due first")
        self.assertSettled(program, 112)

    def test_what_is_left_of_an_offset_stays_open(self):
        program = self._earn("OFFL", settlement_form="offset")
        invoice = self.env["account.move"].search([("partner_id", "=", self.dealer.id)])
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create(
            {"amount": 950, "journal_id": self.bank_journal.id}
        )._create_payments()
        settlement = self._approve(self._draft(program))
        self.assertEqual((settlement.payment_state, settlement.move_id.amount_residual), ("partial", 50))

    # === PAYMENT === #

    def test_paid_to_the_own_trusted_account(self):
        program = self._earn("PAY", settlement_form="payment", payment_journal_id=self.bank_journal.id)
        settlement = self._draft(program)
        self.assertEqual(settlement.bank_id, self.bank)
        self._approve(settlement)
        self.assertRecordValues(settlement.payment_id, [{
            "payment_type": "outbound", "amount": 100, "partner_id": self.dealer.id, "partner_bank_id": self.bank.id,
            "journal_id": self.bank_journal.id,
        }])
        self.assertIn(settlement.payment_state, ("paid", "in_payment"))
        self.assertSettled(program, 100)

    def test_account_of_somebody_else(self):
        other = self.bank.copy({"partner_id": self.other_dealer.id, "acc_number": "1", "allow_out_payment": True})
        program = self._earn("PAYO", settlement_form="payment", payment_journal_id=self.bank_journal.id)
        settlement = self._draft(program, bank_id=other.id)
        with self.assertRaisesRegex(UserError, "belongs to"):
            self._approve(settlement)
        self.assertFalse(settlement.move_id)

    def test_account_that_nobody_trusts(self):
        self.bank.allow_out_payment = False
        program = self._earn("PAYT", settlement_form="payment", payment_journal_id=self.bank_journal.id)
        settlement = self._draft(program)
        self.assertFalse(settlement.bank_id)
        with self.assertRaisesRegex(UserError, "none that is trusted"):
            self._approve(settlement)
        settlement.bank_id = self.bank
        with self.assertRaisesRegex(UserError, "not trusted"):
            self._approve(settlement)

    def test_never_in_cash(self):
        program = self._earn("CASH", settlement_form="payment", payment_journal_id=self.cash_journal.id)
        with self.assertRaisesRegex(UserError, "never paid in cash"):
            self._approve(self._draft(program))

    def test_a_charge_back_is_an_invoice_whatever_the_form(self):
        program = self._earn("BACK", settlement_form="payment", payment_journal_id=self.bank_journal.id)
        self._approve(self._draft(program))
        self._invoice(1000, "2026-03-20", refund=True)
        charge = self._approve(self._draft(program))
        self.assertEqual((charge.move_id.move_type, charge.amount_total), ("out_invoice", -100))
        self.assertFalse(charge.payment_id)

    # === BILL === #

    def test_bill_of_the_payee(self):
        program = self._earn("BILL", settlement_form="bill", bill_journal_id=self.bill_journal.id)
        settlement = self._approve(self._draft(program))
        self.assertRecordValues(settlement.move_id, [
            {"move_type": "in_invoice", "partner_id": self.dealer.id, "amount_total": 100, "state": "posted"}
        ])
        self.assertSettled(program, 100)
        self._invoice(1000, "2026-03-20", refund=True)
        back = self._approve(self._draft(program))
        self.assertEqual((back.move_id.move_type, back.move_id.amount_total), ("in_refund", 100))
        self.assertSettled(program, 0)

    def test_bill_needs_a_journal(self):
        program = self._earn("BILLJ", settlement_form="bill")
        with self.assertRaisesRegex(UserError, "no journal for bills"):
            self._approve(self._draft(program))

    def test_a_commission_goes_to_who_earned_it(self):
        person = self.user_sales.partner_id
        program = self._program(
            "COMM", [(0, 5)], purpose="commission", payee_kind="salesperson",
            bill_journal_id=self.bill_journal.id,
        )
        self._invoice(1000, "2026-01-10", invoice_user_id=self.user_sales.id)
        self.assertEqual(program.settlement_form, "bill")
        settlement = self._draft(program)
        self.assertEqual(settlement.payee_id, person)
        with self.assertRaises(ValidationError):
            settlement.payee_id = self.dealer
        self._approve(settlement)
        self.assertRecordValues(settlement.move_id, [
            {"move_type": "in_invoice", "partner_id": person.id, "amount_total": 50, "state": "posted"}
        ])

    # === FREE GOODS === #

    def _goods_program(self, code, **values):
        return self._program(
            code, [(0, 2)], settlement_form="goods", payout="goods", goods_product_id=self.consumable.id,
            goods_value=8, **{"kind": "fixed", **values},
        )

    def test_free_goods(self):
        program = self._goods_program("GOODS")
        self._invoice(1000, "2026-01-10")
        settlement = self._draft(program)
        self.assertEqual(settlement.amount_total, 16)
        self._approve(settlement)
        self.assertEqual(settlement.move_id.move_type, "entry")
        self.assertRecordValues(settlement.order_id.order_line, [
            {"product_id": self.consumable.id, "product_uom_qty": 2, "discount": 100, "price_subtotal": 0}
        ])
        self.assertEqual((settlement.order_id.partner_id, settlement.order_id.origin), (self.dealer, settlement.name))
        self.assertSettled(program, 16)
        expense = settlement.move_id.line_ids.filtered(lambda item: item.account_id == self.rebate_account)
        self.assertEqual(expense.balance, -16, "the goods cost what they cost: nothing else is expense")

    def test_money_is_not_settled_in_goods(self):
        program = self._earn("NOGOODS", settlement_form="goods")
        with self.assertRaisesRegex(UserError, "not earned in free goods"):
            self._approve(self._draft(program))
        self.assertFalse(self.env["sale.order"].search([("client_order_ref", "like", "NOGOODS")]))

    def test_part_of_a_unit_is_not_sent(self):
        program = self._goods_program("PART")
        self._invoice(1000, "2026-01-10")
        program.accrue("2026-03-31")
        self.env["channel.rebate.hold"].hold(self._balance(program), "Appeal", 3)
        with self.assertRaisesRegex(UserError, "units of"):
            self._approve(self._draft(program))

    # === WHICH FORM === #

    def test_the_programme_says_unless_the_settlement_does(self):
        program = self._earn("FORM")
        settlement = self._draft(program)
        self.assertEqual(settlement.settlement_form, "credit_note")
        settlement.settlement_form = "offset"
        self._approve(settlement)
        self.assertEqual(settlement.payment_state, "paid")
        with self.assertRaises(UserError):
            settlement.settlement_form = "bill"
        self.assertTrue(settlement.move_id.invoice_line_ids)
