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
            ("waive", "Waive obligation"),
            ("reopen", "Open obligation again"),
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
            "waive": ("channel.contract.obligation", "action_waive"),
            "reopen": ("channel.contract.obligation", "action_reopen"),
        }

    def action_decide(self):
        self.ensure_one()
        options = {"side": self.side} if self.decision in ("terminate", "notice") else {}
        if self.decision not in ("waive", "reopen"):
            options["date"] = self.date
        self._method()(reason=self.reason, **options)
        return {"type": "ir.actions.act_window_close"}
