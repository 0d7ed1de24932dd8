from odoo import api, fields, models


class ChannelOrderTransferDecision(models.TransientModel):
    """Asks why a transfer is taken back, and takes it back with the rights of the user."""

    _name = "channel.order.transfer.decision"
    _description = "Decision about an Order Transfer"
    _inherit = "channel.decision.mixin"

    decision = fields.Selection([("take_back", "Take back the transfer")], required=True, readonly=True)
    reason = fields.Char(required=True)

    @api.model
    def _decisions(self):
        return {"take_back": ("channel.order.transfer", "action_take_back")}

    def action_decide(self):
        self.ensure_one()
        self._method()(reason=self.reason)
        return {"type": "ir.actions.act_window_close"}
