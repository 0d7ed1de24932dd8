from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    channel_rebate_balance_ids = fields.One2many("channel.rebate.balance", "member_id", string="Rebate Balances")
    channel_rebate_balance_count = fields.Integer(compute="_compute_channel_rebate_balance_count", compute_sudo=False)

    def _compute_channel_rebate_balance_count(self):
        balance = self.env["channel.rebate.balance"]
        counts = {}
        if balance.has_access("read"):
            counts = dict(balance._read_group([("member_id", "in", self.ids)], ["member_id"], ["__count"]))
        for partner in self:
            partner.channel_rebate_balance_count = counts.get(partner._origin, 0)

    def action_channel_rebate_balances(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("channel_rebate.channel_rebate_balance_action")
        return {**action, "domain": [("member_id", "=", self.id)], "context": {}}

    def action_channel_rebate_statement(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("channel_rebate.channel_rebate_statement_wizard_action")
        return {**action, "context": {"default_member_id": self.commercial_partner_id.id}}
