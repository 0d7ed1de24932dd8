from odoo import fields, models


class ChannelGateSeverity(models.Model):
    _name = "channel.gate.severity"
    _description = "Severity of a Gate Check in a Company"
    _rec_name = "check_id"
    _order = "check_id, company_id"

    check_id = fields.Many2one("channel.gate.check", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, ondelete="cascade", default=lambda self: self.env.company
    )
    severity = fields.Selection(
        [("block", "Block"), ("warn", "Warn"), ("off", "Off")],
        required=True,
        default="block",
    )

    _check_company_uniq = models.UniqueIndex(
        "(check_id, company_id)", "The severity of this check is already set for this company."
    )
