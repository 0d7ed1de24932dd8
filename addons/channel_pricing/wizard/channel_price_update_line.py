from odoo import fields, models


class ChannelPriceUpdateLine(models.TransientModel):
    _name = "channel.price.update.line"
    _description = "Price of a Quotation that Changes"

    update_id = fields.Many2one("channel.price.update", string="Dialog", required=True, ondelete="cascade", index=True)
    order_line_id = fields.Many2one("sale.order.line", required=True, readonly=True, ondelete="cascade")
    product_id = fields.Many2one(related="order_line_id.product_id")
    currency_id = fields.Many2one(related="update_id.currency_id")
    chosen = fields.Boolean(string="Update", default=True)
    is_agreed = fields.Boolean(string="Agreed", readonly=True, help="By a special price or a contract.")
    price_before = fields.Float(string="Price", min_display_digits="Product Price", readonly=True)
    discount_before = fields.Float(string="Disc. %", readonly=True)
    subtotal_before = fields.Monetary(string="Amount", readonly=True)
    price_after = fields.Float(string="New Price", min_display_digits="Product Price", readonly=True)
    discount_after = fields.Float(string="New Disc. %", readonly=True)
    subtotal_after = fields.Monetary(string="New Amount", readonly=True)
