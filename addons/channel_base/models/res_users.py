from odoo import api, fields, models


class ResUsers(models.Model):
    _inherit = "res.users"

    channel_is_regional = fields.Boolean(
        string="Regional Channel User",
        compute="_compute_channel_is_regional",
        help="Sees only the members of the own regions and below.",
    )

    channel_reads_only = fields.Boolean(
        string="Only Reads the Channel",
        compute="_compute_channel_reads_only",
        help="Auditor or Executive, with no position or right that changes documents.",
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

    @api.depends("all_group_ids")
    def _compute_channel_reads_only(self):
        reading = self.env.ref("channel_base.group_channel_auditor") | self.env.ref(
            "channel_base.group_channel_executive"
        )
        changing = (
            self.env.ref("sales_team.group_sale_salesman")
            | self.env.ref("stock.group_stock_user")
            | self.env.ref("account.group_account_invoice")
        )
        for user in self:
            groups = user.all_group_ids
            user.channel_reads_only = bool(groups & reading) and not groups & changing

    @api.model
    def _get_invalidation_fields(self):
        # record rules name the user's regions, and the evaluated rules are cached
        return super()._get_invalidation_fields() | {"channel_region_ids"}
