from odoo import api, fields, models
from odoo.exceptions import ValidationError

INVOICE_ON = [("order", "Order"), ("delivery", "Delivery"), ("acceptance", "Acceptance")]


class ChannelContractVersion(models.Model):
    _inherit = "channel.contract.version"

    channel_invoice_on = fields.Selection(
        INVOICE_ON, string="Invoice on", help="When goods are invoiced. Empty: as the company has it."
    )
    has_acceptance_terms = fields.Boolean(
        string="Terms of Acceptance", help="Else those of the company hold."
    )
    acceptance_days = fields.Integer(
        string="Days to Accept", help="From the day of shipping, on which the receiver may refuse goods. 0: no limit."
    )
    silence_accepts = fields.Boolean(help="No answer within these days is acceptance.")

    @api.constrains("acceptance_days", "silence_accepts", "has_acceptance_terms")
    def _check_acceptance_days(self):
        for version in self.filtered("has_acceptance_terms"):
            if version.acceptance_days < 0 or version.silence_accepts and not version.acceptance_days:
                raise ValidationError(self.env._(
                    "Days to Accept: %s. Silence accepts only after a number of days above 0.", version.acceptance_days
                ))
