from odoo import api, fields, models


class ChannelContractTemplateApply(models.TransientModel):
    """Choice of a template, and of those of its clauses that are optional."""

    _name = "channel.contract.template.apply"
    _description = "Clauses from a Template"

    version_id = fields.Many2one("channel.contract.version", required=True, readonly=True, ondelete="cascade")
    template_id = fields.Many2one("channel.contract.template", required=True)
    suitable_template_ids = fields.Many2many("channel.contract.template", compute="_compute_suitable_template_ids")
    applicable_ids = fields.Many2many("channel.contract.template.line", compute="_compute_line_ids")
    always_ids = fields.Many2many("channel.contract.template.line", compute="_compute_line_ids")
    optional_ids = fields.Many2many(
        "channel.contract.template.line",
        "channel_contract_template_apply_line_rel",
        help="Those that this contract takes as well.",
    )

    @api.depends("version_id")
    def _compute_suitable_template_ids(self):
        Template = self.env["channel.contract.template"]
        for wizard in self:
            contract = wizard.version_id.contract_id
            wizard.suitable_template_ids = Template.search(
                [
                    ("company_id", "in", (False, contract.company_id.id)),
                    "|",
                    ("type_ids", "=", False),
                    ("type_ids", "in", contract.type_id.ids),
                ]
            )

    @api.depends("version_id", "template_id")
    def _compute_line_ids(self):
        for wizard in self:
            contract = wizard.version_id.contract_id
            lines = wizard.template_id._applicable_lines(contract).get(contract.id)
            wizard.applicable_ids = lines
            wizard.always_ids = lines and lines.filtered("preselected")

    @api.onchange("template_id")
    def _onchange_template_id(self):
        self.optional_ids &= self.template_id.line_ids

    def action_apply(self):
        """Order the clauses of the version by the template, and add those that are missing."""
        self.ensure_one()
        self.version_id._apply_template(self.template_id, (self.always_ids | self.optional_ids).clause_id)
        return {"type": "ir.actions.act_window_close"}
