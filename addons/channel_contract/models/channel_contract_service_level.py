from odoo import fields, models


class ChannelContractServiceLevel(models.Model):
    """What one side promises to do, how well or how fast."""

    _name = "channel.contract.service.level"
    _description = "Service Level of a Contract Version"
    _inherit = ["channel.version.line.mixin"]
    _order = "version_id, sequence, id"
    _version_field = "version_id"
    _version_key_fields = ("name",)

    version_id = fields.Many2one("channel.contract.version", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    name = fields.Char(string="Service", required=True)
    side = fields.Selection(
        [("company", "The Company"), ("member", "The Member")], string="Owed by", required=True, default="company"
    )
    comparison = fields.Selection(
        [("max", "At most"), ("min", "At least")], string="Measure", required=True, default="max"
    )
    target = fields.Float(required=True, aggregator=None)
    unit = fields.Char(required=True, help="For example: working days, hours, %.")
    note = fields.Char(string="Consequence", help="What follows when it is not kept.")
