from odoo import api, fields, models
from odoo.tools import SQL

# An Integer column of Odoo holds 0, never NULL, for "no value": rules without a segment carry the greatest
# integer, so that they are tried after those of every segment.
NO_SEGMENT_SEQUENCE = 2**31 - 1


class ProductPricelistItem(models.Model):
    _inherit = "product.pricelist.item"
    # Which rule wins is this order and nothing else: within the same product, category or "everything", the
    # segment that comes first; then as in core.
    _order = "applied_on, channel_segment_sequence, min_quantity desc, categ_id desc, id desc"
    # The order for which `tools.RuleBook` knows a short way: an add-on that changes `_order` loses it, not the prices.
    _channel_order = _order

    channel_segment_id = fields.Many2one(
        comodel_name="channel.segment",
        string="Segment",
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
        help="The price holds only for members and end customers of this segment. It is tried before rules "
        "without a segment for the same product, category or all products.",
    )
    channel_segment_sequence = fields.Integer(
        string="Segment Priority",
        compute="_compute_channel_segment_sequence",
        store=True,
        aggregator=None,
        help="Technical: the smaller, the earlier the rule is tried.",
    )

    # What RuleBook asks for: the rules of one table and one product or category; of one segment, largest break first.
    _channel_lookup_idx = models.Index(
        "(pricelist_id, applied_on, (CASE applied_on WHEN '0_product_variant' THEN product_id"
        " WHEN '1_product' THEN product_tmpl_id WHEN '2_product_category' THEN categ_id ELSE 0 END),"
        " COALESCE(channel_segment_id, 0), min_quantity DESC, id DESC)"
    )

    @api.depends("channel_segment_id.sequence")
    def _compute_channel_segment_sequence(self):
        for item in self:
            segment = item.channel_segment_id
            item.channel_segment_sequence = segment.sequence if segment else NO_SEGMENT_SEQUENCE

    @api.model
    def _channel_target_sql(self):
        """The id of what a rule is about, by its kind; the expression of `_channel_lookup_idx`."""
        return SQL(
            """(CASE product_pricelist_item.applied_on
                WHEN '0_product_variant' THEN product_pricelist_item.product_id
                WHEN '1_product' THEN product_pricelist_item.product_tmpl_id
                WHEN '2_product_category' THEN product_pricelist_item.categ_id
                ELSE 0 END)"""
        )
