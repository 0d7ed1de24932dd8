from odoo import api, fields, models

from ..models.channel_contract_lifecycle_mixin import SIDES


class ChannelContractDecision(models.TransientModel):
    """Asks for reason and day of a decision about contracts, and takes it with the rights of the user."""

    _name = "channel.contract.decision"
    _description = "Decision about a Contract"
    _inherit = "channel.decision.mixin"

    decision = fields.Selection(
        [
            ("suspend", "Suspend contract"),
            ("resume", "Put contract in force again"),
            ("terminate", "Terminate contract"),
            ("notice", "Give notice"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Char(required=True)
    date = fields.Date(help="Empty: today.")
    side = fields.Selection(SIDES, string="By", default="company", required=True)

    @api.model
    def _decisions(self):
        return {
            "suspend": ("channel.contract", "action_suspend"),
            "resume": ("channel.contract", "action_resume"),
            "terminate": ("channel.contract", "action_terminate"),
            "notice": ("channel.contract", "action_give_notice"),
        }

    def action_decide(self):
        self.ensure_one()
        options = {"side": self.side} if self.decision in ("terminate", "notice") else {}
        self._method()(reason=self.reason, date=self.date, **options)
        return {"type": "ir.actions.act_window_close"}
