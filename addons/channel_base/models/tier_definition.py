from odoo import api, models


class TierDefinition(models.Model):
    _inherit = "tier.definition"

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
