from odoo import api, fields, models


class ChannelRegionReassignLine(models.TransientModel):
    """Members that move from one region to another, and what follows from it."""

    _name = "channel.region.reassign.line"
    _description = "Move between Regions"
    _order = "member_count desc, id"

    wizard_id = fields.Many2one("channel.region.reassign", required=True, index=True, ondelete="cascade")
    from_region_id = fields.Many2one("channel.region", string="From", readonly=True)
    to_region_id = fields.Many2one("channel.region", string="To", readonly=True)
    partner_ids = fields.Json(readonly=True)
    member_count = fields.Integer(string="Members", readonly=True)
    hospital_count = fields.Integer(string="Hospitals", readonly=True)
    lost_user_ids = fields.Many2many(
        "res.users", "channel_region_reassign_lost_user_rel", string="See Them No Longer", readonly=True
    )
    gained_user_ids = fields.Many2many(
        "res.users", "channel_region_reassign_gained_user_rel", string="See Them Now", readonly=True
    )
    charge_user_ids = fields.Many2many(
        "res.users", "channel_region_reassign_charge_user_rel", string="In Charge Now", readonly=True
    )
    lost_authorization_ids = fields.Many2many(
        "channel.authorization", "channel_region_reassign_lost_rel", string="Lose the Hospitals", readonly=True,
        help="Authorizations by region that cover the old region and not the new one.",
    )
    gained_authorization_ids = fields.Many2many(
        "channel.authorization", "channel_region_reassign_gained_rel", string="Gain the Hospitals", readonly=True,
        help="Authorizations by region that cover the new region and not the old one.",
    )
    lost_authorization_count = fields.Integer(compute="_compute_counts")
    gained_authorization_count = fields.Integer(compute="_compute_counts")

    @api.depends("lost_authorization_ids", "gained_authorization_ids")
    def _compute_counts(self):
        for line in self:
            line.lost_authorization_count = len(line.lost_authorization_ids)
            line.gained_authorization_count = len(line.gained_authorization_ids)

    def action_view_members(self):
        """Open the members that move."""
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("channel_member.channel_member_action"),
            "domain": [("id", "in", self.partner_ids or [])],
        }
