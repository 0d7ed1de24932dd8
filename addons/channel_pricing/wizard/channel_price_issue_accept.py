from odoo import fields, models


class ChannelPriceIssueAccept(models.TransientModel):
    _name = "channel.price.issue.accept"
    _description = "Accept Price Table Findings"

    issue_ids = fields.Many2many("channel.price.issue", string="Findings", required=True)
    reason = fields.Char(required=True)

    def action_accept(self):
        self.ensure_one()
        self.issue_ids.action_accept(self.reason)
        return {"type": "ir.actions.act_window_close"}
