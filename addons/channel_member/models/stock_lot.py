from odoo import fields, models


class StockLot(models.Model):
    _inherit = "stock.lot"

    channel_production_date = fields.Date(
        string="Production Date",
        tracking=True,
        help="Day on which the lot was made: a device is lawful when its registration certificate was valid then.",
    )
