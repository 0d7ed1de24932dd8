from odoo import api, fields, models


class ResUsers(models.Model):
    _inherit = "res.users"

    channel_is_regional = fields.Boolean(
        string="Regional Channel User",
        compute="_compute_channel_is_regional",
        help="Sees only the members of the own regions and below.",
    )

    channel_region_ids = fields.Many2many(
        "channel.region",
        relation="channel_region_res_users_rel",
        column1="user_id",
        column2="region_id",
        string="Channel Regions",
        help="The regions this user is in charge of. A regional user sees the members of these regions and below.",
    )

    @api.depends("all_group_ids")
    def _compute_channel_is_regional(self):
        sales = self.env.ref("channel_base.group_channel_sales")
        everywhere = self.env.ref("channel_base.group_channel_all_regions")
        for user in self:
            groups = user.all_group_ids
            user.channel_is_regional = sales in groups and everywhere not in groups

    @api.model
    def _get_invalidation_fields(self):
        # record rules name the user's regions, and the evaluated rules are cached
        return super()._get_invalidation_fields() | {"channel_region_ids"}
