from odoo import fields, models


class ChannelContractOriginalReject(models.TransientModel):
    _name = "channel.contract.original.reject"
    _description = "Reject a Paper Original"

    original_id = fields.Many2one("channel.contract.original", required=True, readonly=True)
    reason = fields.Char(required=True)

    def action_reject(self):
        self.ensure_one()
        self.original_id._reject(self.reason)
        return {"type": "ir.actions.act_window_close"}
