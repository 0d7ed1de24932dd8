from odoo import fields, models


class ChannelRebateTemplateChoice(models.TransientModel):
    """Begin a version of a programme with the terms of a usual one."""

    _name = "channel.rebate.template.choice"
    _description = "Choice of a Programme Template"

    program_id = fields.Many2one("channel.rebate.program", string="Programme", required=True, ondelete="cascade")
    purpose = fields.Selection(related="program_id.purpose")
    template_id = fields.Many2one(
        "channel.rebate.template", required=True, ondelete="cascade", domain="[('purpose', '=', purpose)]"
    )
    description = fields.Text(related="template_id.description")
    to_fill_in = fields.Text(related="template_id.to_fill_in")
    valid_from = fields.Date(required=True, default=fields.Date.context_today)

    def action_make(self):
        """Make the draft and open it."""
        self.ensure_one()
        version = self.template_id._make_version(self.program_id, self.valid_from)
        return {
            "type": "ir.actions.act_window", "res_model": version._name, "res_id": version.id, "view_mode": "form",
        }
