from odoo import fields, models


class ChannelTierBand(models.Model):
    """From a value on, so many points; until the next band begins."""

    _name = "channel.tier.band"
    _description = "Band of a Tier Criterion"
    _inherit = ["channel.version.line.mixin"]
    _order = "value, id"
    _rec_name = "value"
    _version_field = "rule_id"

    criterion_id = fields.Many2one("channel.tier.criterion", required=True, index=True, ondelete="cascade")
    rule_id = fields.Many2one(related="criterion_id.rule_id", store=True, index=True)
    company_id = fields.Many2one(related="rule_id.company_id", store=True, index=True)
    value = fields.Float(string="From Value", required=True, digits=(16, 2), help="Reached by this very value.")
    points = fields.Float(required=True, digits=(5, 2))

    _points_range = models.Constraint("CHECK(points >= 0 AND points <= 100)", "Points lie between 0 and 100.")
    _value_uniq = models.Constraint("unique(criterion_id, value)", "Two bands cannot begin at the same value.")
