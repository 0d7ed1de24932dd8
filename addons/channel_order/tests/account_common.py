from odoo import fields
from odoo.fields import Command

from .common import ChannelOrderCommon


class ChannelAccountCommon(ChannelOrderCommon):
    """Posted invoices, credit notes and payments of dealers, of plain amounts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign = cls.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        cls.service = cls.env["product.product"].create({
            "name": "Training", "type": "service", "taxes_id": [Command.clear()],
        })
        cls.bank = cls.company_data["default_journal_bank"]

    @classmethod
    def _bill(cls, amount, date, member=None, currency=None, refund=False, due=None, post=True):
        move = cls.env["account.move"].create({
            "move_type": "out_refund" if refund else "out_invoice", "partner_id": (member or cls.dealer).id,
            "invoice_date": date, "date": date, "currency_id": (currency or cls.company.currency_id).id,
            "invoice_payment_term_id": False, "invoice_date_due": due or date,
            "invoice_line_ids": [Command.create({
                "product_id": cls.service.id, "quantity": 1, "price_unit": amount, "tax_ids": [Command.clear()],
            })],
        })
        if post:
            move.action_post()
        return move

    @classmethod
    def _pay(cls, amount, date, member=None, currency=None, invoice=None):
        payment = cls.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": (member or cls.dealer).id,
            "amount": amount, "date": date, "currency_id": (currency or cls.company.currency_id).id,
            "journal_id": cls.bank.id,
        })
        payment.action_post()
        if not payment.move_id:
            payment._generate_journal_entry()
            payment.move_id.action_post()
        if invoice:
            (payment.move_id.line_ids + invoice.line_ids).filtered(
                lambda line: line.account_id.account_type == "asset_receivable" and not line.reconciled
            ).reconcile()
        return payment

    def _make(self, period="2025-01", member=None, user=None):
        Statement = self.env["channel.account.statement"]
        ids = Statement.with_user(user or self.user_finance).make((member or self.dealer).ids, period)
        return Statement.browse(ids)

    def _send(self, *args, **kwargs):
        statement = self._make(*args, **kwargs)
        statement.with_user(self.user_finance).action_send()
        return statement

    def _lines(self, statement, code):
        return [line for section in statement.content["sections"] if section["code"] == code
                for line in section["lines"]]

    def _ledger(self, day, member=None):
        """Odoo's receivables of a member, currency by currency, read without any of our code."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT c.name, sum(l.amount_currency) FROM account_move_line l JOIN res_currency c ON c.id = l.currency_id"
            " JOIN account_account a ON a.id = l.account_id WHERE a.account_type = 'asset_receivable'"
            " AND l.parent_state = 'posted' AND l.partner_id = %s AND l.date <= %s AND l.company_id = %s"
            " GROUP BY c.name", [(member or self.dealer).id, fields.Date.to_date(day), self.company.id],
        )
        return {name: round(float(total), 2) for name, total in self.env.cr.fetchall()}
