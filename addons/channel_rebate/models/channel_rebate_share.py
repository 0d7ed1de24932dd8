from odoo import fields, models


class ChannelRebateShare(models.Model):
    """Which part of a rebate or commission belongs to whom.

    Shares of a rebate add up to 100 %; those of a team may exceed it, where a second person is credited on top.
    """

    _name = "channel.rebate.share"
    _description = "Share of a Payee"
    _inherit = ["channel.version.line.mixin"]
    _version_field = "version_id"
    _version_key_fields = ("partner_id", "team_id")
    _order = "version_id, id"
    _rec_name = "partner_id"

    version_id = fields.Many2one("channel.rebate.program.version", required=True, ondelete="cascade", index=True)
    partner_id = fields.Many2one("res.partner", string="Payee", required=True, ondelete="restrict")
    team_id = fields.Many2one(
        "crm.team", string="Sales Team", ondelete="restrict", help="Lines of this team only. Empty: of all teams."
    )
    share = fields.Float(string="Share (%)", required=True, digits=(16, 6), min_display_digits=2)

    _share_range = models.Constraint("CHECK (share > 0 AND share <= 100)", "A share lies above 0 and up to 100 %.")
    _partner_once = models.UniqueIndex(
        "(version_id, partner_id, COALESCE(team_id, 0))", "A payee has one share for each team."
    )
