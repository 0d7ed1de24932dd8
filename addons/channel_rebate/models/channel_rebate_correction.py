from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class ChannelRebateCorrection(models.Model):
    """An agreed difference to what one payee earned in one window, for example the outcome of an appeal.

    It stands beside what the engine calculated and never changes it: lines, tiers and entitlement stay as they are, so
    that everything said before can be said again. Once somebody else than its author approved it, it is accrued and
    settled like what was earned. A correction is undone by another one.
    """

    _name = "channel.rebate.correction"
    _description = "Rebate Correction"
    _inherit = ["channel.approval.mixin"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    balance_id = fields.Many2one(
        "channel.rebate.balance", string="Window", required=True, ondelete="restrict", index=True, check_company=True
    )
    program_id = fields.Many2one(related="balance_id.program_id", store=True, precompute=True, index=True)
    company_id = fields.Many2one(related="balance_id.company_id", store=True, precompute=True, index=True)
    currency_id = fields.Many2one(related="balance_id.currency_id")
    member_id = fields.Many2one(related="balance_id.member_id", store=True, precompute=True, index=True)
    amount = fields.Monetary(required=True, help="Added to what was earned; negative: taken off.", tracking=True)
    reason = fields.Char(required=True, tracking=True, help="The payee reads it on statements.")
    account_id = fields.Many2one(
        "account.account", check_company=True, ondelete="restrict",
        domain="[('internal_group', 'in', ('income', 'expense'))]",
        help="Where the other side is booked. Empty: the rebate account of the programme.",
    )
    origin = fields.Char(help="Contract clause, minutes or appeal on which it rests.")
    state = fields.Selection(selection_add=[("cancelled", "Cancelled")])

    # === CONSTRAINT METHODS === #

    @api.constrains("amount")
    def _check_amount(self):
        for correction in self:
            if correction.currency_id.is_zero(correction.amount):
                raise ValidationError(self.env._(
                    "Amount: a correction of %s corrects nothing. Say by how much the rebate differs.",
                    correction.currency_id.format(correction.amount),
                ))

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            company = self.env["channel.rebate.balance"].browse(vals.get("balance_id")).company_id
            vals["name"] = self.env["ir.sequence"].with_company(company).next_by_code("channel.rebate.correction")
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_approved(self):
        for correction in self:
            if correction.state == "approved":
                raise UserError(self.env._(
                    "%s is approved and booked: make a correction the other way instead.", correction.name
                ))

    # === APPROVAL === #

    def _approval_terms(self):
        return ["balance_id", "amount", "reason", "origin", "account_id"]

    def _approval_audit_values(self):
        return {
            correction.id: {
                "program": correction.program_id.code, "member": correction.member_id.display_name,
                "window": correction.balance_id._window_name(), "amount": correction.amount,
                "reason": correction.reason, "origin": correction.origin or None,
            }
            for correction in self
        }

    def _approval_before(self):
        result = super()._approval_before()
        # A run or a settlement of the programme at the same time sees it wholly or not at all.
        self.program_id._begin_run()
        return result

    def _approval_done(self):
        result = super()._approval_done()
        # sudo: whoever approves need not be an accountant; the difference is booked where the programme says
        self.program_id.sudo()._book()
        return result

    # === ACTIONS === #

    def action_cancel(self):
        """Cancel drafts. What is approved is undone by another correction."""
        self.write({"state": "cancelled"})
        return True
