from odoo import api, fields, models
from odoo.exceptions import UserError

#: Decision -> (model, method that takes the reason). A closed list: the wizard calls nothing else.
DECISIONS = {
    "suspend": ("res.partner", "action_channel_suspend"),
    "terminate": ("res.partner", "action_channel_terminate"),
    "readmit": ("res.partner", "action_channel_readmit"),
    "revoke": ("channel.authorization", "action_revoke"),
    "revoke_qualification": ("channel.qualification", "action_revoke"),
    "reset_qualification": ("channel.qualification", "action_draft"),
    "reject_qualification": ("channel.qualification", "action_reject"),
    "suspend_qualification": ("channel.qualification", "action_suspend"),
    "lift_qualification": ("channel.qualification", "action_lift"),
    "cancel_registration": ("channel.registration", "action_cancel"),
    "reset_registration": ("channel.registration", "action_draft"),
}
#: Decisions whose method takes the first day on which they hold.
DATED = {"revoke_qualification", "suspend_qualification", "lift_qualification", "cancel_registration"}


class ChannelMemberDecision(models.TransientModel):
    """Asks for the reason of a decision and takes it with the rights of the user."""

    _name = "channel.member.decision"
    _description = "Decision with a Reason"
    _inherit = "channel.decision.mixin"

    decision = fields.Selection(
        [
            ("suspend", "Suspend member"),
            ("terminate", "Terminate member"),
            ("readmit", "Readmit member"),
            ("revoke", "Revoke authorization"),
            ("revoke_qualification", "Revoke qualification"),
            ("reset_qualification", "Set qualification back to draft"),
            ("reject_qualification", "Return qualification"),
            ("suspend_qualification", "Suspend qualification"),
            ("lift_qualification", "Lift suspension of qualification"),
            ("cancel_registration", "Cancel registration certificate"),
            ("reset_registration", "Set registration certificate back to draft"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Char(required=True)
    date = fields.Date(string="From", help="First day on which it holds; empty for today.")
    dated = fields.Boolean(compute="_compute_dated")

    @api.depends("decision")
    def _compute_dated(self):
        for wizard in self:
            wizard.dated = wizard.decision in DATED

    @api.model
    def _decisions(self):
        return DECISIONS

    def action_decide(self):
        self.ensure_one()
        if not (self.reason or "").strip():
            raise UserError(self.env._("Reason: say why, it is kept in the audit journal."))
        options = {"date": self.date} if self.dated else {}
        self._method()(reason=self.reason, **options)
        return {"type": "ir.actions.act_window_close"}
