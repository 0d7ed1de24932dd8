from odoo import fields, models

from ..tools import stacking
from .channel_stacking_policy import BASES, MODES


class ChannelStackingPolicyLine(models.Model):
    """How a policy treats one group of offers."""

    _name = "channel.stacking.policy.line"
    _description = "Group of a Stacking Policy"
    _inherit = ["channel.version.line.mixin"]
    _order = "sequence, id"
    _rec_name = "group_id"
    _version_field = "policy_id"

    policy_id = fields.Many2one("channel.stacking.policy", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="policy_id.company_id", store=True, index="btree_not_null")
    currency_id = fields.Many2one(related="policy_id.currency_id")
    sequence = fields.Integer(default=10)
    group_id = fields.Many2one("channel.stacking.group", required=True, index=True, ondelete="restrict")
    mode = fields.Selection(MODES, string="Offers Combine", help="Empty: as the policy says.")
    basis = fields.Selection(BASES, string="Percentages Are", help="Empty: as the policy says.")
    across = fields.Selection(
        [
            (stacking.TOGETHER, "On top of earlier groups"),
            (stacking.BEST, "Only the best of such groups"),
            (stacking.FINAL, "Ends the search"),
        ],
        string="With Other Groups",
        default=stacking.TOGETHER,
        required=True,
        help="Only the best of such groups: it competes with the other groups of this kind. "
        "Ends the search: when the group gives something, later groups are not tried.",
    )
    cap_percent = fields.Float(string="At Most %", digits=(5, 2), help="Of the original amount; 0: no such limit.")
    cap = fields.Monetary(string="At Most", help="0: no such limit.")

    _group_uniq = models.UniqueIndex("(policy_id, group_id)", "A policy names a group of offers once.")
    _cap_range = models.Constraint(
        "CHECK(cap >= 0 AND cap_percent >= 0 AND cap_percent <= 100)", "A cap lies between 0 and 100 %."
    )

    def _stacking_group(self):
        """:returns: `tools.stacking.Group`"""
        self.ensure_one()
        return stacking.Group(
            key=self.group_id.code,
            mode=self.mode or None,
            basis=self.basis or None,
            across=self.across,
            cap_percent=self.cap_percent or None,
            cap=self.cap or None,
        )
