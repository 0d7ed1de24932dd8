from odoo import fields, models


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

    channel_acceptance_line_ids = fields.One2many("channel.acceptance.line", "move_line_id", string="Acceptance")
