from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    channel_rebate_reverse_on = fields.Date(
        string="Rebate Accrual Reversed on", readonly=True, copy=False, index="btree_not_null",
        help="The day on which this accrual of windows that had not ended is to be taken back.",
    )
