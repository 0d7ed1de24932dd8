from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

#: Decision -> (model, method that takes the reason). A closed list: the wizard calls nothing else.
DECISIONS = {
    "return": ("channel.admission", "action_return"),
    "reject": ("channel.admission", "action_reject"),
    "reopen": ("channel.admission", "action_reopen"),
    "accept": ("channel.admission.finding", "action_accept"),
}


class ChannelAdmissionDecision(models.TransientModel):
    """Asks for the reasons of a decision about admissions and takes it with the rights of the user."""

    _name = "channel.admission.decision"
    _description = "Decision about an Admission"
    _inherit = "channel.decision.mixin"

    decision = fields.Selection(
        [
            ("return", "Return to the applicant"),
            ("reject", "Reject"),
            ("reopen", "Reopen"),
            ("accept", "Accept findings"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Text(help="Sent to the applicant.")
    line_ids = fields.One2many("channel.admission.decision.line", "wizard_id", string="Documents")

    @api.model
    def _decisions(self):
        return DECISIONS

    @api.model
    def _open(self, records, decision):
        action = super()._open(records, decision)
        if decision == "return":
            action["context"]["default_line_ids"] = [
                Command.create({"document_id": document.id}) for document in records.document_ids
            ]
        return action

    def action_decide(self):
        self.ensure_one()
        reason = (self.reason or "").strip()
        documents = {
            line.document_id.id: line.reason.strip() for line in self.line_ids if (line.reason or "").strip()
        }
        if not reason and not documents:
            raise UserError(self.env._("Reason: say why, it is sent to the applicant and kept in the audit journal."))
        options = {"documents": documents} if self.decision == "return" else {}
        self._method()(reason=reason, **options)
        return {"type": "ir.actions.act_window_close"}
