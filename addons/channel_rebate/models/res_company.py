from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    channel_dispute_days = fields.Integer(
        string="Days to Decide Appeals", default=15, help="By when an appeal against a rebate is to be decided."
    )

    _channel_dispute_days = models.Constraint(
        "CHECK (channel_dispute_days > 0)", "Appeals are decided within one day or more."
    )
