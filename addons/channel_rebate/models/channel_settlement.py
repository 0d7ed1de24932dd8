from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

from odoo.addons.channel_base.tools.gate import GateRequest
from odoo.addons.channel_base.tools.schema import add_column


class ChannelSettlement(models.Model):
    """What is owed to one payee under one programme becomes a document, after somebody else than its author agreed.

    The amount is entitlement less everything settled before, window by window; a negative one is charged back. The
    document goes to the payee itself and to nobody else: a discount that is neither open nor booked by the party that
    earned it is a hidden rebate, which commercial bribery law forbids. Its forms are in
    ``channel.settlement.document.mixin``.
    """

    _name = "channel.settlement"
    _description = "Rebate Settlement"
    _inherit = ["channel.approval.mixin", "channel.gate.document.mixin", "channel.settlement.document.mixin"]
    _channel_gate_operation = "settlement"
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    program_id = fields.Many2one(
        "channel.rebate.program",
        string="Programme",
        required=True,
        ondelete="restrict",
        check_company=True,
        index=True,
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="program_id.currency_id", store=True, precompute=True)
    member_id = fields.Many2one(
        "res.partner",
        required=True,
        index=True,
        ondelete="restrict",
        domain="['|', '&', ('channel_role', '!=', False), ('is_company', '=', True), ('user_ids', '!=', False)]",
    )
    payee_id = fields.Many2one(
        "res.partner",
        string="Paid to",
        required=True,
        compute="_compute_payee_id",
        store=True,
        readonly=False,
        precompute=True,
        ondelete="restrict",
        help="The member that earned the rebate, one of its own addresses, or a company that the contract names.",
    )
    date = fields.Date(required=True, default=fields.Date.context_today, help="Day of the credit note.")
    line_ids = fields.One2many("channel.settlement.line", "settlement_id", string="Windows", copy=False)
    amount_total = fields.Monetary(string="Amount", compute="_compute_amount_total", store=True, tracking=True)
    direction = fields.Selection(
        [("credit", "Credit note"), ("charge", "Charge back")], compute="_compute_amount_total", store=True
    )
    move_id = fields.Many2one(
        "account.move", string="Document", readonly=True, copy=False, check_company=True, index="btree_not_null"
    )
    move_state = fields.Selection(related="move_id.state", string="Document State")
    payment_state = fields.Selection(related="move_id.payment_state", string="Payment Status")
    note = fields.Text(string="Internal Note")
    allowed_payee_ids = fields.Many2many("res.partner", compute="_compute_allowed_payee_ids")

    def _auto_init(self):
        # As for programmes
        add_column(self.env.cr, self._table, "settlement_form", "varchar", "credit_note")
        add_column(self.env.cr, self._table, "bank_id", "int4")
        return super()._auto_init()

    # === COMPUTE METHODS === #

    @api.depends("member_id")
    def _compute_payee_id(self):
        for settlement in self:
            settlement.payee_id = settlement.member_id

    @api.depends("member_id", "line_ids.balance_id")
    def _compute_allowed_payee_ids(self):
        """Companies; their addresses go with them."""
        for settlement in self:
            settlement.allowed_payee_ids = settlement.member_id.commercial_partner_id | settlement._named_payees()

    @api.depends("line_ids.amount")
    def _compute_amount_total(self):
        for settlement in self:
            settlement.amount_total = settlement.currency_id.round(sum(settlement.line_ids.mapped("amount")))
            settlement.direction = "charge" if settlement.amount_total < 0 else "credit"

    # === CONSTRAINT METHODS === #

    @api.constrains("payee_id", "member_id", "line_ids")
    def _check_payee(self):
        for settlement in self:
            if settlement.program_id.purpose == "commission":
                settlement._check_commission_payee()
                continue
            if settlement.member_id != settlement.member_id.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "Member %(member)s is a contact of %(company)s: settle with the company.",
                        member=settlement.member_id.display_name,
                        company=settlement.member_id.commercial_partner_id.display_name,
                    )
                )
            payee = settlement.payee_id.commercial_partner_id
            if payee != settlement.member_id and payee not in settlement._named_payees():
                raise ValidationError(
                    self.env._(
                        "The rebate of %(member)s cannot be paid to %(payee)s: a rebate goes to the party that earned "
                        "it, openly and booked on both sides. Choose the member, one of its own addresses, or a "
                        "company that the contract names.",
                        member=settlement.member_id.display_name,
                        payee=settlement.payee_id.display_name,
                    )
                )

    def _named_payees(self):
        """-> companies that the contracts behind all windows name as payees"""
        self.ensure_one()
        contracts = [balance.version_id.contract_version_id for balance in self.line_ids.balance_id]
        named = contracts[0].rebate_payee_ids if contracts else self.env["res.partner"]
        for contract in contracts:
            named &= contract.rebate_payee_ids
        return named

    def _check_commission_payee(self):
        """A commission goes to who earned it: a person of ours, or an agent and its addresses."""
        payee, earner = self.payee_id, self.member_id
        is_address = earner == earner.commercial_partner_id and payee.commercial_partner_id == earner
        if payee != earner and not is_address:
            raise ValidationError(self.env._(
                "The commission of %(earner)s cannot be paid to %(payee)s: it goes to who earned it. "
                "Choose %(earner)s.",
                earner=earner.display_name, payee=payee.display_name,
            ))

    @api.constrains("program_id", "member_id", "line_ids")
    def _check_lines(self):
        for settlement in self:
            for balance in settlement.line_ids.balance_id:
                if balance.program_id != settlement.program_id or balance.member_id != settlement.member_id:
                    raise ValidationError(
                        self.env._(
                            "Window %(window)s does not belong to programme %(program)s and member %(member)s.",
                            window=balance.display_name,
                            program=settlement.program_id.code,
                            member=settlement.member_id.display_name,
                        )
                    )

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            company = self.env["channel.rebate.program"].browse(vals.get("program_id")).company_id
            vals["name"] = self.env["ir.sequence"].with_company(company).next_by_code("channel.settlement")
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_approved(self):
        for settlement in self:
            if settlement.state == "approved":
                raise UserError(
                    self.env._("%s is approved and booked: reverse its document instead.", settlement.display_name)
                )

    # === APPROVAL === #

    def _approval_terms(self):
        return [
            "program_id", "member_id", "payee_id", "date", "line_ids", "amount_total", "settlement_form", "bank_id",
            "invoice_id",
        ]

    def _approval_before(self):
        result = super()._approval_before()
        # The programmes are taken first, so that of two approvals of one window the second sees the first.
        self.program_id._begin_run()
        for settlement in self:
            settlement._check_ready()
        self.env["channel.gate"]._enforce("settlement", self)
        return result

    def _approval_done(self):
        result = super()._approval_done()
        for settlement in self:
            settlement.move_id = settlement._create_document()
        return result

    def _check_ready(self):
        """Refuse what would pay too much, pay what is not booked, or pay nothing."""
        self.ensure_one()
        held = self.env["channel.rebate.hold"]._held(self.line_ids.balance_id)
        if not self.line_ids or all(self.currency_id.is_zero(line.amount) for line in self.line_ids):
            if held:
                raise UserError(self.env._(
                    "%(settlement)s settles nothing: what is open is on hold (%(holds)s). Release it first.",
                    settlement=self.display_name,
                    holds=", ".join(sorted({f"{h.name}: {h.reason}" for _amount, hs in held.values() for h in hs})),
                ))
            raise UserError(self.env._("%s settles nothing: there is no open amount on it.", self.display_name))
        self.program_id._recompute_balances(self.program_id.accrued_to)
        self._check_payee()
        self._check_form()
        held = self.env["channel.rebate.hold"]._held(self.line_ids.balance_id)
        for line in self.line_ids:
            balance = line.balance_id
            payable = balance.open_amount - (held[balance.id][0] if balance.id in held else 0.0)
            if self.currency_id.compare_amounts(payable, line.amount):
                raise UserError(
                    self.env._(
                        "%(window)s: %(open)s can be settled now, and not %(amount)s as when %(settlement)s was "
                        "drafted, because something was settled, invoiced, returned or held since. Press “Update "
                        "Amounts”.",
                        window=balance.display_name,
                        open=self.currency_id.format(payable),
                        amount=self.currency_id.format(line.amount),
                        settlement=self.name,
                    )
                )
            if self.currency_id.compare_amounts(balance.accrued_amount, balance.entitled_amount):
                raise UserError(
                    self.env._(
                        "%(window)s: %(accrued)s is booked by posted accrual entries, the entitlement is "
                        "%(entitlement)s. Accrue programme %(program)s first: what is not booked is not paid.",
                        window=balance.display_name,
                        accrued=self.currency_id.format(balance.accrued_amount),
                        entitlement=self.currency_id.format(balance.entitled_amount),
                        program=self.program_id.code,
                    )
                )

    # === GATE === #

    def _channel_gate_is_pending(self):
        self.ensure_one()
        return self.state == "draft"

    def _channel_gate_depends(self):
        return ["state", "program_id", "member_id", "date", "line_ids.balance_id"]

    def _channel_gate_authors(self):
        return self._approval_authors()

    def _channel_gate_requests(self, operation):
        if operation != self._channel_gate_operation:
            return super()._channel_gate_requests(operation)
        return [
            GateRequest(
                operation=operation,
                company=settlement.company_id,
                date=settlement.date,
                member=settlement.member_id,
                customer=self.env["res.partner"],
                lines=[],
                record=settlement,
                currency=settlement.currency_id,
            )
            for settlement in self
            if settlement.program_id and settlement.member_id and settlement.date
        ]

    # === ACTIONS === #

    def action_update_amounts(self):
        """Accrue the programmes and take the figures of the windows as they are now."""
        self.check_access("write")
        self.program_id.accrue(self.program_id.accrued_to)
        self.line_ids._check_draft()
        self.line_ids._take_figures()
        return True

    def action_cancel(self):
        """Cancel drafts. What is approved is reversed by its document."""
        self.write({"state": "cancelled"})
        return True

    def action_view_document(self):
        return self._action_record(self.move_id)

    def action_view_payment(self):
        return self._action_record(self.payment_id)

    def action_view_order(self):
        return self._action_record(self.order_id)

    def _action_record(self, record):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "res_model": record._name, "view_mode": "form", "res_id": record.id,
        }

    def _action_show(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("channel_rebate.channel_settlement_action")
        if len(self) == 1:
            return {**action, "res_id": self.id, "view_mode": "form", "views": [(False, "form")], "context": {}}
        return {**action, "domain": [("id", "in", self.ids)], "context": {}}

    # === BUSINESS METHODS === #

    def _propose(self, balances):
        """Draft one settlement for each programme and member with something open. -> the new settlements

        Windows that a draft settles already are left out, and those of which all that is open is on hold.
        """
        drafted = self.env["channel.settlement.line"].search(
            [("balance_id", "in", balances.ids), ("settlement_id.state", "=", "draft")]
        )
        due = balances - drafted.balance_id
        held = self.env["channel.rebate.hold"]._held(due)
        due = due.filtered(
            lambda b: not b.currency_id.is_zero(b.open_amount - (held[b.id][0] if b.id in held else 0.0))
        )
        return self.create(
            [
                {
                    "program_id": program.id,
                    "member_id": member.id,
                    "line_ids": [Command.create({"balance_id": balance.id}) for balance in group],
                }
                for (program, member), group in due.grouped(lambda b: (b.program_id, b.member_id)).items()
            ]
        )
