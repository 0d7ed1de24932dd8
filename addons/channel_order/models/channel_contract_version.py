from odoo import fields, models

INVOICE_ON = [("order", "Order"), ("delivery", "Delivery")]


class ChannelContractVersion(models.Model):
    _inherit = "channel.contract.version"

    channel_invoice_on = fields.Selection(
        INVOICE_ON, string="Invoice on", help="When goods are invoiced. Empty: as the company has it."
    )
