from odoo import api, fields, models

#: Who may see what can be told of costs.
COST_GROUPS = (
    "channel_base.group_channel_pricing,channel_base.group_channel_manager,channel_base.group_channel_executive,"
    "channel_base.group_channel_auditor"
)


class ChannelPriceChange(models.Model):
    """A rule by which a version of a price table differs from the one that it was made from.

    Written by one statement (`channel.price.version._compare_rules`), never by hand.
    """

    _name = "channel.price.change"
    _description = "Changed Price Rule"
    _order = "id"
    _log_access = False

    version_id = fields.Many2one(
        "channel.price.version", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="version_id.company_id")
    currency_id = fields.Many2one(related="version_id.currency_id")
    kind = fields.Selection(
        [("added", "Added"), ("changed", "Changed"), ("removed", "Removed")], required=True, readonly=True
    )
    before_id = fields.Many2one(
        "product.pricelist.item", string="Rule Before", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    after_id = fields.Many2one(
        "product.pricelist.item", string="Rule After", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    name = fields.Char(string="Applied On", compute="_compute_name")
    product_tmpl_id = fields.Many2one("product.template", string="Product", readonly=True, ondelete="cascade")
    product_id = fields.Many2one("product.product", string="Variant", readonly=True, ondelete="cascade")
    categ_id = fields.Many2one("product.category", string="Category", readonly=True, ondelete="cascade")
    segment_id = fields.Many2one("channel.segment", readonly=True, ondelete="cascade")
    member_id = fields.Many2one("res.partner", readonly=True, ondelete="cascade")
    customer_id = fields.Many2one("res.partner", string="End Customer", readonly=True, ondelete="cascade")
    min_quantity = fields.Float(digits="Product Unit", readonly=True, aggregator=None)
    words_before = fields.Char(related="before_id.price", string="Before")
    words_after = fields.Char(related="after_id.price", string="After")
    price_before = fields.Float(
        min_display_digits="Product Price",
        readonly=True,
        aggregator="avg",
        help="Per unit, of the rule's own product at the rule's quantity. Empty for rules of categories and of "
        "everything that give no fixed price.",
    )
    price_after = fields.Float(min_display_digits="Product Price", readonly=True, aggregator="avg")
    is_comparable = fields.Boolean(
        readonly=True, help="Off: by how many per cent the price changes depends on more than these two rules."
    )
    change = fields.Float(
        string="Change (%)", digits=(16, 2), readonly=True, aggregator="avg", help="Positive: it gets dearer."
    )
    has_margin = fields.Boolean(readonly=True, groups=COST_GROUPS)
    margin = fields.Float(
        string="Margin (%)",
        digits=(16, 2),
        readonly=True,
        aggregator="min",
        groups=COST_GROUPS,
        help="Of the price after, less the cost of today, in per cent of the price.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("after_id.name", "before_id.name")
    def _compute_name(self):
        for change in self:
            change.name = (change.after_id or change.before_id).name
