from odoo import api, fields, models


class ChannelGateOverride(models.TransientModel):
    _name = "channel.gate.override"
    _description = "Override Gate Findings"

    finding_ids = fields.Many2many(
        "channel.gate.finding",
        "channel_gate_override_finding_rel",
        string="Findings",
        required=True,
    )
    reason = fields.Text()
    refused_ids = fields.Many2many(
        "channel.gate.finding",
        "channel_gate_override_refused_rel",
        string="Not Yours to Override",
        compute="_compute_refused_ids",
    )

    @api.depends("finding_ids")
    @api.depends_context("uid")
    def _compute_refused_ids(self):
        for wizard in self:
            wizard.refused_ids = wizard.finding_ids.filtered(lambda finding: not finding._may_override())

    def action_override(self):
        self.ensure_one()
        self.finding_ids.action_override(self.reason)
        return {"type": "ir.actions.act_window_close"}
