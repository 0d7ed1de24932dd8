from odoo import fields, models


class ChannelRebateCollection(models.Model):
    """Paid in full within so many days, a line earns so much of its rebate."""

    _name = "channel.rebate.collection"
    _description = "Collection Factor"
    _inherit = ["channel.version.line.mixin"]
    _version_field = "version_id"
    _version_key_fields = ("days",)
    _order = "version_id, days, id"
    _rec_name = "days"

    version_id = fields.Many2one("channel.rebate.program.version", required=True, ondelete="cascade", index=True)
    days = fields.Integer(string="Within Days", required=True, help="Counted from the chosen date, this day included.")
    factor = fields.Float(string="Factor (%)", required=True, digits=(16, 6), min_display_digits=0)

    _factor_range = models.Constraint("CHECK (factor >= 0 AND factor <= 1000)", "A factor lies between 0 and 1,000 %.")
    _days_unique = models.UniqueIndex("(version_id, days)", "Two factors of one version cannot have the same days.")
