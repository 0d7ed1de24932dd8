from odoo import fields, models


class ChannelPriceEffect(models.Model):
    """What a version of a price table would have meant for last year's sales of one product to one member.

    Written by one statement (`channel.price.version._compute_effect`), never by hand.
    """

    _name = "channel.price.effect"
    _description = "Effect of a Price Table Version"
    _order = "difference, id"
    _log_access = False

    version_id = fields.Many2one("channel.price.version", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="version_id.company_id")
    currency_id = fields.Many2one(related="version_id.currency_id")
    member_id = fields.Many2one("res.partner", readonly=True, ondelete="cascade")
    product_id = fields.Many2one("product.product", readonly=True, ondelete="cascade")
    quantity = fields.Float(digits="Product Unit", readonly=True, help="Ordered, in the product's own unit.")
    amount_ordered = fields.Monetary(
        string="Ordered for", readonly=True, help="What the orders say, with their discounts and prices by hand."
    )
    amount_before = fields.Monetary(
        string="By the Version Before", readonly=True, help="The same quantities at its prices, before tax."
    )
    amount_after = fields.Monetary(string="By this Version", readonly=True, help="The same quantities at its prices.")
    difference = fields.Monetary(readonly=True, help="Positive: the member would have paid more.")
