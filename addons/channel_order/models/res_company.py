from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    channel_portal_confirms = fields.Boolean(
        string="Dealers Confirm Orders",
        help="An order that a dealer submits is confirmed at once when nothing blocks it. Otherwise, and without this, "
        "it waits for the sales office.",
    )
    channel_portal_shows_stock = fields.Boolean(
        string="Dealers See Quantities in Stock",
        help="Without it they are told in words whether there is enough.",
    )
    channel_portal_low_stock = fields.Float(
        string="Few Left below",
        digits="Product Unit",
        default=10.0,
        help="Dealers read “Few left” when less than this is free, in the product's own unit.",
    )

    channel_acceptance_days = fields.Integer(
        string="Days to Accept", default=7,
        help="In which receivers may refuse what was delivered, from the day of shipping, unless a contract says "
        "otherwise. 0: no limit.",
    )
    channel_silence_accepts = fields.Boolean(
        string="Silence Accepts", help="No answer within these days is acceptance, unless a contract says otherwise."
    )

    channel_return_days = fields.Integer(
        string="Days to Return", help="In which receivers may send accepted goods back. 0: no limit."
    )

    _channel_acceptance_days_positive = models.Constraint(
        "CHECK (channel_acceptance_days >= 0)", "Days to Accept are 0 or more."
    )
    _channel_portal_low_stock_positive = models.Constraint(
        "CHECK (channel_portal_low_stock >= 0)", "The quantity below which few are left is 0 or more."
    )
