from odoo import fields, models


class ChannelRebateVersionLimitMixin(models.AbstractModel):
    """What bounds a rebate. Applied in the order of the fields, whatever the method."""

    _name = "channel.rebate.version.limit.mixin"
    _description = "Rebate Terms: Limits"

    currency_id = fields.Many2one("res.currency")  # the programme's: see the version
    measure_cap = fields.Float(
        string="Paid on at Most",
        digits=(16, 6),
        min_display_digits=2,
        help="In the earning measure, for each window. What is beyond counts towards the tier and earns nothing. "
        "0: no cap.",
    )
    # here: tiers, each with a cap of its own, then the gate
    payout_cap = fields.Monetary(string="Pays at Most", help="For each window. 0: no cap.")
    payout_floor = fields.Monetary(
        string="Pays at Least", help="What a window that earns anything earns at least. 0: no floor."
    )
    minimum_claim = fields.Monetary(help="A window that earns less earns nothing. 0: no minimum.")
    guarantee = fields.Monetary(
        string="Guaranteed",
        help="What each window earns, with or without lines. Figures of the programme set it for single payees. "
        "0: no guarantee.",
    )
    guarantee_carry = fields.Boolean(
        string="Excess Carried On",
        help="The guarantee is one sum for all windows since the first: what one earned above it lowers the next.",
    )
    collection_from = fields.Selection(
        [("invoice", "Invoice date"), ("due", "Due date")],
        string="Days to Pay from",
        required=True,
        default="invoice",
    )
    collection_ids = fields.One2many(
        "channel.rebate.collection",
        "version_id",
        string="Collection Factors",
        copy=True,
        help="Factor on the rebate of each line by the days until its invoice was paid in full; later, or not yet, "
        "nothing. Applied last.",
    )
