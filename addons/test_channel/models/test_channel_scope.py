from odoo import fields, models


class TestChannelScope(models.Model):
    """A rule that has nothing but a scope."""

    _name = "test.channel.scope"
    _description = "Test Channel Scope"
    _inherit = "channel.scope.mixin"

    name = fields.Char()
    # Declared again, so that its table of pairs is this add-on's and goes away with it.
    segment_ids = fields.Many2many()
