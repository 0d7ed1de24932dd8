from odoo import api, fields, models
from odoo.exceptions import UserError

#: Decision -> (model, method that takes date and reason). A closed list: the wizard calls nothing else.
DECISIONS = {
    "end_request": ("channel.price.request", "action_end"),
    "reject_request": ("channel.price.request", "action_reject"),
    "cancel_request": ("channel.price.request", "action_cancel"),
    "end_limit": ("channel.price.limit", "action_end"),
    "end_discount_limit": ("channel.discount.limit", "action_end"),
}
#: Decisions whose method takes the last day on which it holds.
DATED = {"end_request", "end_limit", "end_discount_limit"}


class ChannelPriceDecision(models.TransientModel):
    """Asks for the reason of a decision, and the last day of an early end, and takes it with the rights of the user."""

    _name = "channel.price.decision"
    _description = "Pricing Decision with a Reason"
    _inherit = "channel.decision.mixin"

    decision = fields.Selection(
        [
            ("end_request", "End special price"),
            ("reject_request", "Reject special price"),
            ("cancel_request", "Cancel special price request"),
            ("end_limit", "End price limit"),
            ("end_discount_limit", "End discount limit"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Char(required=True)
    date = fields.Date(string="Last Day", help="The last day on which it holds; empty for today.")

    dated = fields.Boolean(compute="_compute_dated")

    @api.depends("decision")
    def _compute_dated(self):
        for wizard in self:
            wizard.dated = wizard.decision in DATED

    @api.model
    def _decisions(self):
        return DECISIONS

    def action_decide(self):
        self.ensure_one()
        if not (self.reason or "").strip():
            raise UserError(self.env._("Reason: say why, it is kept in the audit journal."))
        options = {"date": self.date} if self.dated else {}
        self._method()(reason=self.reason, **options)
        return {"type": "ir.actions.act_window_close"}
