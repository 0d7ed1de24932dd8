from odoo import fields, models


class ChannelRebateTier(models.Model):
    """A band of a programme version: from `lower_bound` up to the next bound, `rate` per cent.

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
    lower_bound = fields.Monetary(
        string="From", required=True, help="Total of the window from which this tier applies, in programme currency."
    )
    rate = fields.Float(string="Rate (%)", required=True, digits=(16, 6), min_display_digits=2)
    currency_id = fields.Many2one(related="version_id.currency_id")

    _bound_positive = models.Constraint(
        "CHECK (lower_bound >= 0)", "A tier cannot begin below zero: returns are settled by the first tier."
    )
    _rate_range = models.Constraint("CHECK (rate >= 0 AND rate <= 100)", "A rebate rate lies between 0 and 100 %.")
    _bound_unique = models.UniqueIndex(
        "(version_id, lower_bound)", "Two tiers of one version cannot begin at the same amount."
    )
