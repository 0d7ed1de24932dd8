from odoo import api, fields, models


class ChannelRegisterImportRow(models.Model):
    """A row of a file that could not be read, with the reason, as it stood there."""

    _name = "channel.register.import.row"
    _description = "Row Put Aside"
    _order = "import_id, line, id"
    _rec_name = "message"

    import_id = fields.Many2one("channel.register.import", required=True, index=True, ondelete="cascade")
    line = fields.Integer(required=True, aggregator=None)
    reason = fields.Selection(
        [
            ("number", "No number"),
            ("date", "Not a date"),
            ("order", "Expires before it begins"),
            ("device_class", "Unknown class"),
            ("status", "Unknown status"),
        ],
        required=True,
    )
    message = fields.Char(required=True)
    values = fields.Json()
    text = fields.Text(string="Row", compute="_compute_text")

    @api.depends("values")
    def _compute_text(self):
        for row in self:
            row.text = "\n".join(f"{header}: {value}" for header, value in (row.values or {}).items())
