from odoo import api, fields, models
from odoo.fields import Domain


class ChannelContractObligationsMixin(models.AbstractModel):
    """The calendar of a contract. Inherited by ``channel.contract``."""

    _name = "channel.contract.obligations.mixin"
    _description = "Obligations of a Contract"

    obligation_ids = fields.One2many("channel.contract.obligation", "contract_id", string="Obligations")
    open_obligation_count = fields.Integer(compute="_compute_open_obligation_count", string="Open Obligations")

    @api.depends("obligation_ids.state")
    def _compute_open_obligation_count(self):
        counts = dict(
            self.env["channel.contract.obligation"]._read_group(
                Domain("contract_id", "in", self.ids) & Domain("state", "=", "open"), ["contract_id"], ["__count"]
            )
        )
        for contract in self:
            contract.open_obligation_count = counts.get(contract._origin, 0)

    def action_open_obligations(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_contract.channel_contract_obligation_action"),
            "domain": [("contract_id", "=", self.id)],
            "context": {"default_contract_id": self.id},
        }

    def _archive_documents(self):
        return {**super()._archive_documents(), "channel.contract.obligation": self.obligation_ids.ids}
