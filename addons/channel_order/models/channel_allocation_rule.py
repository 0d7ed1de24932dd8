from odoo import fields, models


class ChannelAllocationRule(models.Model):
    """By what orders are put in a row when stock is short. Where a rule leaves two alike, the next one decides."""

    _name = "channel.allocation.rule"
    _description = "Rule of Allocation"
    _order = "sequence, id"
    _rec_name = "key"

    sequence = fields.Integer(default=10)
    key = fields.Selection(
        [
            ("tier", "Tier of the member, the best first"),
            ("requested", "Day of delivery, the earliest first"),
            ("ordered", "Day of the order, the oldest first"),
            ("small", "Quantity, the smallest first"),
        ],
        string="First Comes", required=True,
    )
    company_id = fields.Many2one("res.company", help="Empty: for all companies.")

    _key_once = models.UniqueIndex("(key, COALESCE(company_id, 0))", "There is such a rule already.")
