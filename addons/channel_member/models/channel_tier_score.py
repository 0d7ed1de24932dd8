from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ChannelTierScore(models.Model):
    """What a person thinks of a member's service: complaints answered, reports on time, staff trained."""

    _name = "channel.tier.score"
    _description = "Service Score"
    _order = "date desc, id desc"
    _rec_name = "reason"
    _check_company_auto = True

    partner_id = fields.Many2one(
        "res.partner", string="Member", required=True, index=True, ondelete="restrict",
        domain="[('channel_role', '!=', False)]", check_company=True,
    )
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    date = fields.Date(required=True, default=fields.Date.context_today)
    score = fields.Float(required=True, aggregator="avg", help="From 0 (bad) to 100 (excellent).")
    reason = fields.Char(required=True, help="What it rests on: the complaint, the visit, the report.")
    user_id = fields.Many2one(
        "res.users", string="Given by", required=True, readonly=True, default=lambda self: self.env.user
    )

    _score_range = models.Constraint("CHECK(score >= 0 AND score <= 100)", "A score lies between 0 and 100.")

    @api.constrains("partner_id")
    def _check_partner_id(self):
        for score in self:
            if not score.partner_id.channel_role:
                raise ValidationError(self.env._(
                    "Member: %s has no channel role. Choose a member of the channel.", score.partner_id.display_name
                ))

    @api.model_create_multi
    def create(self, vals_list):
        # Whoever gives a score signs it.
        return super().create([{**vals, "user_id": self.env.uid} for vals in vals_list])

    def write(self, vals):
        return super().write({**vals, "user_id": self.env.uid})
