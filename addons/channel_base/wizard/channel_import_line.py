from odoo import fields, models


class ChannelImportLine(models.TransientModel):
    """What the check of an import says about one row: what is wrong with it, or what applying it would do."""

    _name = "channel.import.line"
    _description = "Row of an Import"
    _order = "row_number, id"

    res_model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Import", model_field="res_model", required=True, readonly=True, index=True
    )
    kind = fields.Selection(
        [("problem", "Problem"), ("create", "New"), ("update", "Change")], required=True, readonly=True
    )
    row_number = fields.Integer(string="Row", readonly=True, aggregator=None, help="As the spreadsheet counts it.")
    column = fields.Char(readonly=True)
    value = fields.Char(string="Found", readonly=True)
    code = fields.Char(readonly=True, help="Machine-readable reason.")
    reason = fields.Char(readonly=True)
    remedy = fields.Char(readonly=True)
    summary = fields.Char(string="Record", readonly=True)
    changes = fields.Char(readonly=True, help="Fields that change: what is there now, and what will be.")
