from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.channel_member.models.res_partner import CHANNEL_ROLES


class AccountInvoiceReport(models.Model):
    """Revenue and margin are Odoo's own invoice statistics, seen through the channel's columns.

    The member is the report's own ``commercial_partner_id``; its role, tier and region are the
    member's of today, because a board asks "what do the dealers of this region bring", not
    "where was this dealer filed then".
    """

    _inherit = "account.invoice.report"

    channel_role = fields.Selection(CHANNEL_ROLES, "Member Role", readonly=True)
    channel_grade_id = fields.Many2one("res.partner.grade", "Member Tier", readonly=True)
    channel_region_id = fields.Many2one("channel.region", "Member Region", readonly=True)
    channel_end_customer_id = fields.Many2one("res.partner", "End Customer", readonly=True)
    channel_is_rebate = fields.Boolean(
        "Rebate",
        readonly=True,
        help="Settles a rebate that was accrued before: it clears a liability and is no revenue.",
    )

    _depends = {
        "account.move": ["channel_end_customer_id"],
        "account.move.line": ["channel_rebate_role"],
        "res.partner": ["channel_role", "grade_id", "channel_region_id"],
    }

    @api.model
    def _select(self) -> SQL:
        return SQL(
            """%s,
                commercial_partner.channel_role,
                commercial_partner.grade_id AS channel_grade_id,
                commercial_partner.channel_region_id,
                move.channel_end_customer_id,
                line.channel_rebate_role IS NOT NULL AS channel_is_rebate""",
            super()._select(),
        )
