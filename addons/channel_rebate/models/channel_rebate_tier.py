from odoo import fields, models


class ChannelRebateTier(models.Model):
    """A band of a programme version: from `lower_bound` up to the next bound, and what it pays.

    Only lower bounds are stored, so that bands are continuous: there is no amount between
    two bands that belongs to neither, and the highest band is open.
    """

    _name = "channel.rebate.tier"
    _description = "Rebate Tier"
    _inherit = ["channel.version.line.mixin"]
    _version_field = "version_id"
    _order = "version_id, lower_bound, id"
    _rec_name = "lower_bound"

    version_id = fields.Many2one("channel.rebate.program.version", required=True, ondelete="cascade", index=True)
    lower_bound = fields.Float(
        string="From",
        required=True,
        digits=(16, 6),
        min_display_digits=2,
        help="From which total (or per cent, where bounds are compared with per cent) this tier applies.",
    )
    rate = fields.Float(
        required=True,
        digits=(16, 6),
        min_display_digits=2,
        help="Per cent, amount for each unit or lot, or amount of the tier, as the method says.",
    )
    payout_cap = fields.Monetary(string="Tier Pays at Most", help="For each window. 0: no cap.")
    currency_id = fields.Many2one(related="version_id.currency_id")

    _bound_positive = models.Constraint(
        "CHECK (lower_bound >= 0)", "A tier cannot begin below zero: returns are settled by the first tier."
    )
    _rate_range = models.Constraint("CHECK (rate >= 0)", "A rate cannot be negative.")
    _bound_unique = models.UniqueIndex(
        "(version_id, lower_bound)", "Two tiers of one version cannot begin at the same amount."
    )
