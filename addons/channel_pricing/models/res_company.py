from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    channel_price_min_margin = fields.Float(
        string="Minimum Margin of Prices (%)",
        digits=(16, 2),
        help="Prices of a table below cost plus this percentage of it are found by its quality check. 0: below cost.",
    )
    channel_price_spread_percent = fields.Float(
        string="Largest Spread of Prices (%)",
        digits=(16, 2),
        default=20.0,
        help="The dearest price of a product for members of one segment may lie so much above the cheapest. "
        "0: not checked.",
    )
    channel_price_drift_percent = fields.Float(
        string="Largest Drift of Exchange Rates (%)",
        digits=(16, 2),
        default=5.0,
        help="The rate of a price table in a foreign currency may have moved so much since its version was made. "
        "0: not checked.",
    )

    channel_stacking_policy_id = fields.Many2one(
        "channel.stacking.policy",
        string="Stacking Policy of Price Tables",
        domain="[('state', '=', 'approved'), ('company_id', 'in', [id, False])]",
        ondelete="restrict",
        help="How offers on price tables combine, for versions that are made from now on.",
    )

    _channel_price_limits = models.Constraint(
        "CHECK (channel_price_min_margin >= 0 AND channel_price_spread_percent >= 0"
        " AND channel_price_drift_percent >= 0)",
        "Minimum margin, largest spread and largest drift of prices are 0 or more.",
    )
