from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    channel_contract_ids = fields.One2many(
        "channel.contract",
        "member_id",
        string="Contracts",
        groups="channel_base.group_channel_user",
    )
    channel_contract_count = fields.Integer(
        compute="_compute_channel_contract_count", groups="channel_base.group_channel_user"
    )

    def _compute_channel_contract_count(self):
        counts = dict(
            self.env["channel.contract"]._read_group([("member_id", "in", self.ids)], ["member_id"], ["__count"])
        )
        for partner in self:
            partner.channel_contract_count = counts.get(partner._origin, 0)

    def action_channel_contracts(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_contract.channel_contract_action"),
            "domain": [("member_id", "=", self.id)],
            "context": {"default_member_id": self.id},
        }
