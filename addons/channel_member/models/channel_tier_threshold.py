from odoo import fields, models


class ChannelTierThreshold(models.Model):
    _name = "channel.tier.threshold"
    _description = "Threshold of a Tier"
    _inherit = ["channel.version.line.mixin"]
    _order = "points desc, id"
    _rec_name = "grade_id"
    _check_company_auto = True
    _version_field = "rule_id"

    rule_id = fields.Many2one("channel.tier.rule", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="rule_id.company_id", store=True, index=True)
    points = fields.Float(string="From Points", required=True, digits=(5, 2), help="Reached by this very score.")
    grade_id = fields.Many2one(
        "res.partner.grade", string="Tier", required=True, ondelete="restrict", check_company=True
    )

    _points_range = models.Constraint("CHECK(points >= 0 AND points <= 100)", "Points lie between 0 and 100.")
    _points_uniq = models.Constraint("unique(rule_id, points)", "Two tiers cannot begin at the same points.")
    _grade_uniq = models.Constraint("unique(rule_id, grade_id)", "A tier has one threshold.")
