from odoo import fields, models


class ChannelGateOperation(models.Model):
    _name = "channel.gate.operation"
    _description = "Gate Operation"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True,
        help="Technical name by which documents ask: order, delivery, invoice.",
    )
    sequence = fields.Integer(default=10)

    _code_uniq = models.UniqueIndex("(code)", "There is already a gate operation with this code.")
