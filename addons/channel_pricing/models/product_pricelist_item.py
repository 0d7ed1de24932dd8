from odoo import api, fields, models

# An Integer column of Odoo holds 0, never NULL, for "no value": rules without a segment carry the greatest
# integer, so that they are tried after those of every segment.
NO_SEGMENT_SEQUENCE = 2**31 - 1


class ProductPricelistItem(models.Model):
    _inherit = "product.pricelist.item"
    # Which rule wins is this order and nothing else: within the same product, category or "everything", the
    # segment that comes first; then as in core.
    _order = "applied_on, channel_segment_sequence, min_quantity desc, categ_id desc, id desc"

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

    @api.depends("channel_segment_id.sequence")
    def _compute_channel_segment_sequence(self):
        for item in self:
            segment = item.channel_segment_id
            item.channel_segment_sequence = segment.sequence if segment else NO_SEGMENT_SEQUENCE
