from odoo import api, fields, models


class TierDefinition(models.Model):
    _inherit = "tier.definition"

    channel_deadline_days = fields.Integer(
        string="Deadline (working days)",
        help="Working days of the company's calendar from the day after the review's turn has come; the last one still "
        "counts. 0: none.",
    )
    channel_escalation_user_id = fields.Many2one(
        "res.users",
        string="Then Also",
        domain="[('share', '=', False)]",
        help="Is told when the deadline has passed, and may then review as well.",
    )
    channel_escalation_group_id = fields.Many2one("res.groups", string="Then Also Group")

    _channel_deadline_positive = models.Constraint(
        "CHECK (channel_deadline_days >= 0)", "A deadline cannot lie before the request."
    )

    @api.model
    def _get_tier_validation_model_names(self):
        """Every document that inherits the approval mixin can have tiers, without being listed."""
        names = super()._get_tier_validation_model_names()
        return names + [name for name in self._get_channel_model_names() if name not in names]

    @api.model
    def _get_channel_model_names(self):
        """Return the names of the models that inherit the approval mixin."""
        documents = self.env.registry.descendants(["channel.approval.mixin"], "_inherit")
        return [name for name in documents if not self.env[name]._abstract]
