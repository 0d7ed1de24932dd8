from odoo import api, fields, models
from odoo.exceptions import UserError

#: Decision -> (model, method that takes date and reason). A closed list: the wizard calls nothing else.
DECISIONS = {
    "end_limit": ("channel.price.limit", "action_end"),
    "end_discount_limit": ("channel.discount.limit", "action_end"),
}


class ChannelPriceDecision(models.TransientModel):
    """Asks for the last day and the reason of an early end, and ends with the rights of the user."""

    _name = "channel.price.decision"
    _description = "End with a Reason"
    _inherit = "channel.decision.mixin"

    decision = fields.Selection(
        [("end_limit", "End price limit"), ("end_discount_limit", "End discount limit")],
        required=True,
        readonly=True,
    )
    reason = fields.Char(required=True)
    date = fields.Date(string="Last Day", help="The last day on which it holds; empty for today.")

    @api.model
    def _decisions(self):
        return DECISIONS

    def action_decide(self):
        self.ensure_one()
        if not (self.reason or "").strip():
            raise UserError(self.env._("Reason: say why, it is kept in the audit journal."))
        self._method()(date=self.date, reason=self.reason)
        return {"type": "ir.actions.act_window_close"}
