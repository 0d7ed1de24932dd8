from odoo import fields, models
from odoo.exceptions import UserError


class ChannelDiscountLimit(models.Model):
    """How far a position may go below the price table, and how much margin it has to leave.

    Of several groups of a seller the most generous limit counts. Where limits hold for a product, a seller who is in
    none of their groups may give no discount.
    """

    _name = "channel.discount.limit"
    _description = "Discount Limit"
    _inherit = ["channel.limit.mixin"]
    _rec_names_search = ["number", "group_id.name"]
    _check_company_auto = True
    _limit_sequence = "channel.discount.limit"
    _limit_ending = "end_discount_limit"

    # Declared again, so that its table of pairs is this add-on's and goes away with it.
    segment_ids = fields.Many2many()
    group_id = fields.Many2one(
        "res.groups", string="Position", required=True, index=True, ondelete="restrict", tracking=True
    )
    previous_id = fields.Many2one(
        "channel.discount.limit",
        string="Takes the Place of",
        readonly=True,
        index="btree_not_null",
        help="Ends the day before this one begins, when this one is approved.",
    )
    has_max_discount = fields.Boolean(string="Limit the Discount", default=True, tracking=True)
    max_discount = fields.Float(
        string="Largest Discount (%)",
        digits=(16, 4),
        tracking=True,
        aggregator="max",
        help="After all discounts, off the price of the member's own price table. 0: no discount at all.",
    )
    has_min_margin = fields.Boolean(string="Ask for a Margin", tracking=True)
    min_margin = fields.Float(
        string="Smallest Margin (%)",
        digits=(16, 4),
        tracking=True,
        aggregator="min",
        groups="channel_base.group_channel_pricing,channel_base.group_channel_manager,"
        "channel_base.group_channel_auditor",
        help="Net price less cost, in percent of the net price. 0: never below cost.",
    )

    _discount_range = models.Constraint(
        "CHECK(max_discount >= 0 AND max_discount <= 100)", "The largest discount lies between 0 and 100 %."
    )
    _margin_range = models.Constraint("CHECK(min_margin < 100)", "The smallest margin lies below 100 %.")

    def _approval_terms(self):
        return [
            *super()._approval_terms(), "group_id", "has_max_discount", "max_discount", "has_min_margin", "min_margin",
        ]

    def _approval_before(self):
        super()._approval_before()
        for limit in self:
            if not (limit.has_max_discount or limit.has_min_margin):
                raise UserError(
                    self.env._("%s limits nothing: give a largest discount or a smallest margin.", limit.number)
                )

    def _approval_audit_values(self):
        return {
            limit.id: {
                "position": limit.group_id.full_name,
                "product": limit.product_tmpl_id.display_name or None,
                "product_domain": limit.product_domain or None,
                "segments": sorted(limit.segment_ids.mapped("code")),
                "max_discount": limit.max_discount if limit.has_max_discount else None,
                "min_margin": limit.min_margin if limit.has_min_margin else None,
                "date_from": limit.date_from or None,
                "date_to": limit.date_to or None,
                "replaces": limit.previous_id.number or None,
            }
            for limit in self
        }
