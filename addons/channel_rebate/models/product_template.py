from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    channel_rebate_points = fields.Float(
        string="Rebate Points",
        digits=(16, 6),
        min_display_digits=2,
        help="Points of one unit, for programmes that count points.",
    )
    channel_is_freight = fields.Boolean(
        string="Freight", help="Programmes say whether freight counts towards a tier, and whether it is paid on."
    )
