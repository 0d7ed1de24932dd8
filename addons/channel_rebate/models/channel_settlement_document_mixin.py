from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

#: How a settlement reaches the payee
FORMS = [
    ("credit_note", "Credit note"),
    ("discount", "Discount on an invoice"),
    ("offset", "Credit note, offset against open invoices"),
    ("payment", "Credit note, paid to the bank account"),
    ("bill", "Bill of the payee"),
    ("goods", "Free goods"),
]


class ChannelSettlementDocumentMixin(models.AbstractModel):
    """The document by which a settlement reaches the payee. Inherited by ``channel.settlement``.

    A discount on the invoice and a credit note (in China a red-letter invoice) are the two ways in which a rebate
    lowers what was sold for. Whatever its form, its lines go to the accrued rebate account and so clear the accrual;
    they carry the balance, by which they count as settled, and the role, by which they never enter a rebate base. Money
    goes to the payee's own bank account, which somebody has marked as trusted, and never through cash.
    """

    _name = "channel.settlement.document.mixin"
    _description = "Document of a Rebate Settlement"

    settlement_form = fields.Selection(
        FORMS, string="Form", required=True, compute="_compute_settlement_form", store=True, readonly=False,
        precompute=True, help="What is charged back is always an invoice, or a refund of the payee's bill.",
    )
    bank_id = fields.Many2one(
        "res.partner.bank", string="Bank Account", check_company=True, ondelete="restrict",
        compute="_compute_bank_id", store=True, readonly=False, precompute=True,
        domain="[('partner_id', 'child_of', payee_id), ('allow_out_payment', '=', True)]",
        help="Of the payee itself, and marked as trusted.",
    )
    invoice_id = fields.Many2one(
        "account.move", string="Discounted Invoice", check_company=True, copy=False, index="btree_not_null",
        domain="[('move_type', '=', 'out_invoice'), ('state', '=', 'draft'), ('partner_id', 'child_of', payee_id),"
        " ('currency_id', '=', currency_id), ('company_id', '=', company_id)]",
        help="A draft invoice of the payee, on which the rebate is deducted by lines of its own. It is posted with the "
        "approval.",
    )
    payment_id = fields.Many2one(
        "account.payment", readonly=True, copy=False, check_company=True, index="btree_not_null"
    )
    order_id = fields.Many2one(
        "sale.order", string="Free Goods Order", readonly=True, copy=False, check_company=True, index="btree_not_null"
    )

    # === COMPUTE METHODS === #

    @api.depends("program_id")
    def _compute_settlement_form(self):
        for settlement in self:
            settlement.settlement_form = settlement.program_id.settlement_form or "credit_note"

    @api.depends("payee_id", "settlement_form")
    def _compute_bank_id(self):
        for settlement in self:
            banks = settlement.payee_id.commercial_partner_id.bank_ids.filtered("allow_out_payment")
            settlement.bank_id = banks[:1] if settlement.settlement_form == "payment" else False

    # === CHECKS === #

    def _check_form(self):
        """Refuse a form that cannot be carried out, before anything is posted."""
        self.ensure_one()
        match self.settlement_form:
            case "payment" if self.amount_total > 0:
                self._check_bank()
            case "discount" if self.amount_total > 0:
                self._check_invoice()
            case "bill":
                if not self.program_id.bill_journal_id:
                    raise UserError(self.env._(
                        "Programme %s has no journal for bills: choose one on its page Accounting.",
                        self.program_id.code,
                    ))
            case "goods" if self.amount_total > 0:
                for line in self.line_ids:
                    line._goods_quantity()

    def _check_invoice(self):
        invoice, money = self.invoice_id, self.currency_id.format
        if not invoice:
            raise UserError(self.env._(
                "Discounted Invoice: choose a draft invoice of %s, or settle by credit note.",
                self.payee_id.display_name,
            ))
        fits = (
            invoice.move_type == "out_invoice" and invoice.state == "draft"
            and invoice.commercial_partner_id == self.payee_id.commercial_partner_id
            and invoice.currency_id == self.currency_id and invoice.company_id == self.company_id
        )
        if not fits:
            raise UserError(self.env._(
                "Discounted Invoice: %(invoice)s is no draft invoice of %(payee)s in %(currency)s. Choose another one.",
                invoice=invoice.display_name, payee=self.payee_id.display_name, currency=self.currency_id.name,
            ))
        if self.currency_id.compare_amounts(invoice.amount_untaxed, self.amount_total) < 0:
            raise UserError(self.env._(
                "Discounted Invoice: %(invoice)s comes to %(total)s, %(amount)s cannot be deducted from it. Choose a "
                "larger one, or settle by credit note.",
                invoice=invoice.display_name, total=money(invoice.amount_untaxed), amount=money(self.amount_total),
            ))

    def _check_bank(self):
        payee, bank, journal = self.payee_id.commercial_partner_id, self.bank_id, self.program_id.payment_journal_id
        if not bank:
            raise UserError(self.env._(
                "Bank Account: %s has none that is trusted. Have its account confirmed and marked as trusted on the "
                "contact, or settle by credit note.",
                payee.display_name,
            ))
        if bank.partner_id.commercial_partner_id != payee:
            raise UserError(self.env._(
                "Bank Account: %(account)s belongs to %(holder)s, not to %(payee)s. A rebate is paid to the party that "
                "earned it.",
                account=bank.acc_number, holder=bank.partner_id.display_name, payee=payee.display_name,
            ))
        if not bank.allow_out_payment:
            raise UserError(self.env._(
                "Bank Account: %s is not trusted. Have somebody confirm it with the payee and mark it on the contact.",
                bank.acc_number,
            ))
        if journal.type != "bank":
            raise UserError(self.env._(
                "Programme %s has no bank journal for payments: choose one on its page Accounting. Rebates are "
                "never paid in cash.",
                self.program_id.code,
            ))

    # === DOCUMENTS === #

    def _create_document(self):
        """Post the document that settles the lines, and what follows from its form.

        :return: the posted ``account.move``
        """
        self.ensure_one()
        if self.settlement_form == "goods" and self.amount_total > 0:
            move = self.env["account.move"].with_company(self.company_id).create(self._prepare_goods_entry())
            self.order_id = self.env["sale.order"].with_company(self.company_id).create(self._prepare_goods_order())
        elif self.settlement_form == "discount" and self.amount_total > 0:
            move = self.invoice_id.with_company(self.company_id)
            # The amounts of a settlement are without tax, as are those of the lines that it is deducted from
            taxes = self._discount_taxes(move)
            move.write({"invoice_line_ids": [
                Command.create({**line, "price_unit": -line["price_unit"], "tax_ids": [Command.set(taxes.ids)]})
                for _command, _id, line in self._prepare_document()["invoice_line_ids"]
            ]})
        else:
            move = self.env["account.move"].with_company(self.company_id).create(self._prepare_document())
        move._post(soft=False)
        self._check_document(move)
        match self.settlement_form:
            case "offset" if self.amount_total > 0:
                self._offset(move)
            case "payment" if self.amount_total > 0:
                self.payment_id = self._pay(move)
        return move

    def _discount_taxes(self, invoice):
        """The taxes that the lines of the invoice share: a discount lowers them in the same proportion."""
        lines = invoice.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        taxes = lines[:1].tax_ids
        if any(line.tax_ids != taxes for line in lines):
            raise UserError(self.env._(
                "Discounted Invoice: the lines of %s bear different taxes, so it is not known which ones the discount "
                "lowers. Choose another invoice, or settle by credit note.", invoice.display_name,
            ))
        return taxes

    def _prepare_document(self):
        program = self.program_id
        sign = -1 if self.amount_total < 0 else 1
        is_bill = self.settlement_form == "bill"
        taxes = program.product_id.supplier_taxes_id if is_bill else program.product_id.taxes_id
        taxes = taxes.filtered_domain(self.env["account.tax"]._check_company_domain(self.company_id))
        position = self.env["account.fiscal.position"].with_company(self.company_id)._get_fiscal_position(self.payee_id)
        if is_bill:
            move_type = "in_invoice" if sign > 0 else "in_refund"
        else:
            move_type = "out_refund" if sign > 0 else "out_invoice"
        return {
            "move_type": move_type,
            "partner_id": self.payee_id.id,
            "journal_id": (program.bill_journal_id if is_bill else program.settlement_journal_id).id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "invoice_date": self.date,
            "invoice_origin": self.name,
            "ref": self._document_reference(),
            "partner_bank_id": self.bank_id.id if self.settlement_form == "payment" and sign > 0 else False,
            "fiscal_position_id": position.id,
            "invoice_line_ids": [
                Command.create({
                    "product_id": program.product_id.id,
                    "name": line._document_label(),
                    "quantity": 1,
                    "price_unit": sign * line.amount,
                    "tax_ids": [Command.set(position.map_tax(taxes).ids)],
                    "account_id": program.liability_account_id.id,
                    "channel_rebate_role": "settlement",
                    "channel_rebate_balance_id": line.balance_id.id,
                })
                for line in self._document_lines()
            ],
        }

    def _document_reference(self):
        return self.env._("Rebate %(program)s, %(number)s", program=self.program_id.code, number=self.name)

    def _document_lines(self):
        return self.line_ids.filtered(lambda line: not self.currency_id.is_zero(line.amount))

    def _check_document(self, move):
        """A tax included in the price would make the document smaller than the settlement: refuse it."""
        own = move.line_ids.filtered(
            lambda item: item.channel_rebate_role == "settlement"
            and item.channel_rebate_balance_id in self.line_ids.balance_id
        )
        settled = sum(own.mapped("amount_currency"))
        if self.currency_id.compare_amounts(settled, self.amount_total):
            raise UserError(self.env._(
                "The document of %(settlement)s would settle %(settled)s instead of %(amount)s: taxes of product "
                "%(product)s are included in its price. Use a tax that is added to it.",
                settlement=self.name,
                settled=self.currency_id.format(settled),
                amount=self.currency_id.format(self.amount_total),
                product=self.program_id.product_id.display_name,
            ))

    # === OFFSET AND PAYMENT === #

    def _offset(self, move):
        """Reconcile the credit note with the payee's open invoices, the ones due first; what is left stays open."""
        own = move.line_ids.filtered(lambda item: item.account_type == "asset_receivable" and not item.reconciled)
        invoices = self.env["account.move.line"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("account_id", "in", own.account_id.ids),
                ("partner_id", "child_of", self.payee_id.commercial_partner_id.id),
                ("parent_state", "=", "posted"),
                ("move_id.move_type", "=", "out_invoice"),
                ("reconciled", "=", False),
                ("amount_residual", ">", 0),
            ],
            order="date_maturity, id",
        )
        for invoice in invoices:
            if all(item.reconciled for item in own):
                break
            (own + invoice).filtered(lambda item: not item.reconciled).reconcile()

    def _pay(self, move):
        """Pay the credit note to the bank account. -> the posted ``account.payment``"""
        wizard = self.env["account.payment.register"].with_company(self.company_id).with_context(
            active_model="account.move", active_ids=move.ids
        ).create({
            "journal_id": self.program_id.payment_journal_id.id,
            "partner_bank_id": self.bank_id.id,
            "payment_date": self.date,
            "communication": move.name,
        })
        payments = wizard._create_payments()
        payments.ensure_one()
        return payments

    # === FREE GOODS === #

    def _prepare_goods_entry(self):
        """The accrual is taken back: what the goods cost is booked by their delivery."""
        program, items = self.program_id, []
        company_currency = self.company_id.currency_id
        for line in self._document_lines():
            company_amount = self.currency_id._convert(line.amount, company_currency, self.company_id, self.date)
            for role, account, sign in (
                ("settlement", program.liability_account_id, 1), ("expense", program.expense_account_id, -1)
            ):
                items.append(Command.create({
                    "name": line._document_label(),
                    "account_id": account.id,
                    "partner_id": self.member_id.id,
                    "currency_id": self.currency_id.id,
                    "amount_currency": sign * line.amount,
                    "balance": sign * company_amount,
                    "channel_rebate_role": role,
                    "channel_rebate_balance_id": line.balance_id.id,
                    "analytic_distribution": program.analytic_distribution if role == "expense" else False,
                }))
        return {
            "move_type": "entry",
            "journal_id": program.journal_id.id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "date": self.date,
            "ref": self._document_reference(),
            "line_ids": items,
        }

    def _prepare_goods_order(self):
        quantities = {}
        for line in self._document_lines():
            product, quantity = line._goods_quantity()
            quantities[product] = quantities.get(product, 0.0) + quantity
        return {
            "partner_id": self.payee_id.id,
            "company_id": self.company_id.id,
            "origin": self.name,
            "client_order_ref": self._document_reference(),
            "order_line": [
                Command.create({
                    "product_id": product.id,
                    "product_uom_qty": quantity,
                    "discount": 100,
                    "name": self.env._(
                        "%(product)s: free goods of %(reference)s",
                        product=product.display_name, reference=self._document_reference(),
                    ),
                })
                for product, quantity in quantities.items()
            ],
        }
