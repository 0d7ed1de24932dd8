from collections import defaultdict

from odoo import fields, models


class ChannelRegion(models.Model):
    _inherit = "channel.region"

    member_count = fields.Integer(
        string="Members", compute="_compute_member_count", help="In this region and below, without hospitals."
    )
    hospital_count = fields.Integer(
        string="Hospitals", compute="_compute_member_count", help="In this region and below."
    )

    # === COMPUTE METHODS === #

    def _compute_member_count(self):
        counts = defaultdict(lambda: [0, 0])
        groups = self.env["res.partner"]._read_group(
            [("channel_region_id", "child_of", self.ids), ("channel_role", "!=", False)],
            ["channel_region_id", "channel_role"], ["__count"],
        )
        for region, role, count in groups:
            counts[region][role == "hospital"] += count
        for region in self:
            path = region.parent_path or "-"
            below = [pair for other, pair in counts.items() if (other.parent_path or "").startswith(path)]
            region.member_count = sum(members for members, _hospitals in below)
            region.hospital_count = sum(hospitals for _members, hospitals in below)
