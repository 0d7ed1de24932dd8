from odoo import api, fields, models
from odoo.exceptions import UserError


class ChannelContractComparison(models.TransientModel):
    """Any two versions that the user may read, next to each other, on screen and as PDF."""

    _name = "channel.contract.comparison"
    _description = "Comparison of Contract Versions"

    contract_id = fields.Many2one("channel.contract", ondelete="cascade", help="Offers its versions.")
    before_id = fields.Many2one(
        "channel.contract.version", string="Earlier", ondelete="cascade", domain="[('contract_id', '=?', contract_id)]"
    )
    after_id = fields.Many2one(
        "channel.contract.version", string="Later", ondelete="cascade", domain="[('contract_id', '=?', contract_id)]"
    )
    only_changes = fields.Boolean(string="Changes Only", default=True)
    html = fields.Html(compute="_compute_html", sanitize=False)

    @api.depends("before_id", "after_id", "only_changes")
    def _compute_display_name(self):
        for wizard in self:
            wizard.display_name = f"{wizard.before_id.display_name} → {wizard.after_id.display_name}"

    @api.depends("before_id", "after_id", "only_changes")
    def _compute_html(self):
        for wizard in self:
            comparison = wizard._comparison()
            wizard.html = comparison and self.env["ir.qweb"]._render(
                "channel_contract.comparison", {"comparison": comparison, "only_changes": wizard.only_changes}
            )

    @api.model
    def _open(self, after, before):
        wizard = self.create({"contract_id": after.contract_id.id, "after_id": after.id, "before_id": before.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Compare Versions"),
            "res_model": self._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def action_print(self):
        self.ensure_one()
        if not self._comparison():
            raise UserError(self.env._("Choose two different versions."))
        return self.env.ref("channel_contract.channel_contract_comparison_report").report_action(self)

    def _comparison(self):
        """:returns: as ``channel.contract.version.compare``, None while two versions are not chosen"""
        if not self.before_id or not self.after_id or self.before_id == self.after_id:
            return None
        return self.after_id.compare(self.before_id.id)
