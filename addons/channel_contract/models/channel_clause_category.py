from odoo import fields, models


class ChannelClauseCategory(models.Model):
    """What clauses are about; printed as the heading of a section where a template asks for sections."""

    _name = "channel.clause.category"
    _description = "Category of Clauses"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
