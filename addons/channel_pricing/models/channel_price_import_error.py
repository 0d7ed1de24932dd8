from odoo import fields, models


class ChannelPriceImportError(models.Model):
    _name = "channel.price.import.error"
    _description = "Quarantined Price Row"
    _order = "row_number, id"

    import_id = fields.Many2one("channel.price.import", required=True, index=True, ondelete="cascade")
    row_number = fields.Integer(string="Row", aggregator=None)
    product_code = fields.Char()
    segment_code = fields.Char()
    min_qty = fields.Char(string="Min. Quantity")
    price = fields.Char()
    currency = fields.Char()
    valid_from = fields.Char()
    valid_to = fields.Char()
    applies_to = fields.Char()
    category = fields.Char()
    member_code = fields.Char()
    customer_code = fields.Char()
    kind = fields.Char()
    discount = fields.Char()
    base = fields.Char()
    rounding = fields.Char()
    surcharge = fields.Char()
    min_margin = fields.Char()
    max_margin = fields.Char()
    codes = fields.Char(
        help="Machine-readable reasons, separated by commas: product_missing, product_unknown, product_ambiguous, "
        "segment_unknown, segment_ambiguous (and so for member, customer, category, base), applies_to_invalid, "
        "target_ambiguous, kind_invalid, column_foreign, discount_missing, rounding_invalid, margins_reversed, "
        "price_missing, price_invalid, price_negative, min_qty_invalid, "
        "currency_mismatch, date_invalid, dates_reversed, duplicate, conflict."
    )
    reason = fields.Char(required=True)
