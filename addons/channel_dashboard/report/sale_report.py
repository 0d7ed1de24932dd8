from odoo import fields, models

from odoo.addons.channel_member.models.res_partner import CHANNEL_ROLES


class SaleReport(models.Model):
    """Odoo's own sales analysis with the member's columns, for order conversion by region."""

    _inherit = "sale.report"

    channel_role = fields.Selection(CHANNEL_ROLES, "Member Role", readonly=True)
    channel_grade_id = fields.Many2one("res.partner.grade", "Member Tier", readonly=True)
    channel_region_id = fields.Many2one("channel.region", "Member Region", readonly=True)
    channel_end_customer_id = fields.Many2one("res.partner", "End Customer", readonly=True)

    def _select_additional_fields(self):
        return {
            **super()._select_additional_fields(),
            "channel_role": "channel_member.channel_role",
            "channel_grade_id": "channel_member.grade_id",
            "channel_region_id": "channel_member.channel_region_id",
            "channel_end_customer_id": "s.channel_end_customer_id",
        }

    def _from_sale(self):
        # The core report builds its query from strings; these are constants of ours.
        return (
            super()._from_sale()
            + " LEFT JOIN res_partner channel_member"
            + " ON channel_member.id = partner.commercial_partner_id"
        )

    def _group_by_sale(self):
        return (
            super()._group_by_sale()
            + ", channel_member.channel_role, channel_member.grade_id"
            + ", channel_member.channel_region_id, s.channel_end_customer_id"
        )
