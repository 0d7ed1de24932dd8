from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Command

DECISIONS = [
    ("credit", "Credit note"),
    ("take_back", "Take back and credit"),
    ("replace", "Take back and replace"),
    ("reject", "Reject"),
]


class ChannelClaim(models.Model):
    """What a receiver did not accept, or sends back later, and what is done about it.

    Somebody else than its author decides; the documents that follow, Odoo's own return, replacement delivery and credit
    note, are made with that decision, once. A claim never covers more than was refused, or accepted and not claimed.
    """

    _name = "channel.claim"
    _description = "Claim about a Delivery"
    _inherit = ["channel.approval.mixin"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    date = fields.Date(string="Claimed on", required=True, readonly=True, default=fields.Date.context_today, copy=False)
    kind = fields.Selection(
        [("difference", "Difference at the acceptance"), ("return", "Return")], required=True, default="return",
    )
    acceptance_id = fields.Many2one(
        "channel.acceptance", required=True, ondelete="restrict", index=True, check_company=True,
        domain="[('accepted_at', '!=', False)]",
    )
    company_id = fields.Many2one(related="acceptance_id.company_id", store=True, precompute=True, index=True)
    member_id = fields.Many2one(related="acceptance_id.member_id", store=True, precompute=True, index=True)
    sale_id = fields.Many2one(related="acceptance_id.sale_id", store=True, precompute=True)
    line_ids = fields.One2many("channel.claim.line", "claim_id", string="Lines", copy=False)
    state = fields.Selection(selection_add=[("cancelled", "Cancelled")])
    decision = fields.Selection(DECISIONS, tracking=True, copy=False)
    answer = fields.Text(copy=False, help="Why it is decided so; the receiver reads it.")
    return_id = fields.Many2one(
        "stock.picking", string="Return Delivery", readonly=True, copy=False, check_company=True, index="btree_not_null"
    )
    refund_ids = fields.One2many("account.move", "channel_claim_id", string="Credit Notes", readonly=True)

    # === CHECKS === #

    @api.constrains("line_ids", "kind")
    def _check_lines(self):
        for claim in self:
            claim.line_ids._check_quantity()

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            company = self.env["channel.acceptance"].browse(vals.get("acceptance_id")).company_id
            vals["name"] = self.env["ir.sequence"].with_company(company).next_by_code("channel.claim")
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        for claim in self:
            if claim.state == "approved":
                raise UserError(self.env._("%s is decided and carried out: it stays.", claim.name))

    # === APPROVAL === #

    def _approval_terms(self):
        return ["acceptance_id", "kind", "line_ids", "decision", "answer"]

    def _approval_audit_values(self):
        return {
            claim.id: {
                "member": claim.member_id.display_name, "delivery": claim.acceptance_id.picking_id.name,
                "decision": claim.decision, "answer": claim.answer or None,
                "lines": [
                    {"product": line.product_id.display_name, "lot": line.lot_id.name or None,
                     "quantity": line.quantity, "reason": line.reason}
                    for line in claim.line_ids
                ],
            }
            for claim in self
        }

    def _approval_before(self):
        result = super()._approval_before()
        # Two claims about one delivery at once: the later one counts what the earlier has taken
        try:
            self.acceptance_id.lock_for_update()
        except LockError as error:
            raise UserError(self.env._("Another claim about the same delivery is being decided: try again.")) from error
        for claim in self:
            if not claim.decision:
                raise UserError(self.env._("Decision: say what is to be done about %s.", claim.name))
            if claim.decision == "reject" and not (claim.answer or "").strip():
                raise UserError(self.env._("Answer: say why %s is rejected; the receiver reads it.", claim.name))
            if not claim.line_ids:
                raise UserError(self.env._("%s claims nothing: add a line.", claim.name))
            claim.line_ids._check_quantity()
        return result

    def _approval_done(self):
        result = super()._approval_done()
        for claim in self:
            # sudo: who decides need not be warehouse and accountant; the documents are those of the delivery
            claim.sudo()._carry_out()
        return result

    # === CARRYING OUT === #

    def _carry_out(self):
        self.ensure_one()
        if self.decision in ("take_back", "replace"):
            self.return_id = self._take_back()
        if self.decision in ("credit", "take_back"):
            self._credit()

    def _take_back(self):
        """-> the return picking, and where it is replaced Odoo's new delivery follows"""
        picking = self.acceptance_id.picking_id
        wizard = self.env["stock.return.picking"].with_context(
            active_id=picking.id, active_model="stock.picking"
        ).create({"picking_id": picking.id})
        for line in wizard.product_return_moves:
            line.quantity = sum(
                own.product_id.uom_id._compute_quantity(own.quantity, line.uom_id)
                for own in self.line_ids if own.acceptance_line_id.move_line_id.move_id == line.move_id
            )
        if self.decision == "replace":
            return self.env["stock.picking"].browse(wizard.action_create_exchanges()["res_id"])
        return wizard._create_return()

    def _credit(self):
        """Credit what was invoiced of the claimed lines, at the price and with the taxes of its invoice.

        What is not invoiced yet is not credited: it is simply not due, see the rule of invoicing.
        """
        wanted = {}
        for line in self.line_ids:
            sale_line = line.acceptance_line_id.move_line_id.move_id.sale_line_id
            quantity = line.product_id.uom_id._compute_quantity(line.quantity, sale_line.product_uom_id)
            wanted[sale_line] = wanted.get(sale_line, 0.0) + quantity
        by_invoice = {}
        for sale_line, quantity in wanted.items():
            for invoiced, part in self._invoiced(sale_line, quantity):
                by_invoice.setdefault(invoiced.move_id, []).append((invoiced, part))
        for invoice, parts in by_invoice.items():
            refund = self.env["account.move"].create(self._prepare_refund(invoice, parts))
            refund.action_post()

    def _invoiced(self, sale_line, quantity):
        """Yield ``(invoice line, quantity in its unit)``, the newest first, until the quantity is covered."""
        credited = {}
        for refund in sale_line.invoice_lines.filtered(
            lambda item: item.move_id.move_type == "out_refund" and item.parent_state == "posted"
        ):
            origin = refund.move_id.reversed_entry_id
            credited[origin] = credited.get(origin, 0.0) + refund.product_uom_id._compute_quantity(
                refund.quantity, sale_line.product_uom_id
            )
        invoiced = sale_line.invoice_lines.filtered(
            lambda item: item.move_id.move_type == "out_invoice" and item.parent_state == "posted"
        ).sorted(lambda item: (item.move_id.invoice_date, item.id), reverse=True)
        for item in invoiced:
            there = item.product_uom_id._compute_quantity(item.quantity, sale_line.product_uom_id)
            free = there - credited.pop(item.move_id, 0.0)
            part = min(free, quantity)
            if sale_line.product_uom_id.compare(part, 0) > 0:
                quantity -= part
                yield item, sale_line.product_uom_id._compute_quantity(part, item.product_uom_id)

    def _prepare_refund(self, invoice, parts):
        return {
            "move_type": "out_refund",
            "company_id": invoice.company_id.id,
            "journal_id": invoice.journal_id.id,
            "partner_id": invoice.partner_id.id,
            "currency_id": invoice.currency_id.id,
            "fiscal_position_id": invoice.fiscal_position_id.id,
            "invoice_date": fields.Date.context_today(self),
            "reversed_entry_id": invoice.id,
            "invoice_origin": self.sale_id.name,
            "ref": self.env._("%(claim)s about %(invoice)s", claim=self.name, invoice=invoice.name),
            "channel_claim_id": self.id,
            "channel_end_customer_id": invoice.channel_end_customer_id.id,
            "invoice_line_ids": [
                Command.create({
                    "product_id": item.product_id.id,
                    "name": item.name,
                    "quantity": quantity,
                    "product_uom_id": item.product_uom_id.id,
                    "price_unit": item.price_unit,
                    "discount": item.discount,
                    "tax_ids": [Command.set(item.tax_ids.ids)],
                    "account_id": item.account_id.id,
                    "analytic_distribution": item.analytic_distribution,
                    "sale_line_ids": [Command.set(item.sale_line_ids.ids)],
                })
                for item, quantity in parts
            ],
        }

    # === ACTIONS === #

    def action_cancel(self):
        """Cancel drafts."""
        self.write({"state": "cancelled"})
        return True

    def action_view_return(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "res_model": "stock.picking", "view_mode": "form",
            "res_id": self.return_id.id,
        }

    def action_view_refunds(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "name": self.env._("Credit Notes"), "res_model": "account.move",
            "view_mode": "list,form", "domain": [("id", "in", self.refund_ids.ids)],
        }
