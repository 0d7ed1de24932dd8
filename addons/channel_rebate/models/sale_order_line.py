from odoo import api, fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    channel_list_price = fields.Float(
        string="Sales Price of the Product",
        digits="Product Price",
        compute="_compute_channel_list_price",
        store=True,
        precompute=True,
        help="Of one unit of the product, in company currency, when the product was chosen: "
        "rebates on the list price do not follow later price changes.",
    )

    @api.depends("product_id")
    def _compute_channel_list_price(self):
        for line in self:
            line.channel_list_price = line.product_id.lst_price
