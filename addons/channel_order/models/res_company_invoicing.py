from odoo import fields, models

from .channel_contract_version import INVOICE_ON


class ResCompany(models.Model):
    _inherit = "res.company"

    channel_invoice_on = fields.Selection(
        INVOICE_ON, string="Invoice Members on",
        help="When goods that members of the channel order are invoiced, unless their contract says otherwise. "
        "Empty: as the product has it.",
    )
