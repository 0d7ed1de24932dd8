from odoo import api, fields, models


class ResUsers(models.Model):
    _inherit = "res.users"

    channel_is_regional = fields.Boolean(
        string="Regional Channel User",
        compute="_compute_channel_is_regional",
        help="Sees only the members of the own regions and below.",
    )

    @api.depends("all_group_ids")
    def _compute_channel_is_regional(self):
        sales = self.env.ref("channel_base.group_channel_sales")
        everywhere = self.env.ref("channel_base.group_channel_all_regions")
        for user in self:
            groups = user.all_group_ids
            user.channel_is_regional = sales in groups and everywhere not in groups
