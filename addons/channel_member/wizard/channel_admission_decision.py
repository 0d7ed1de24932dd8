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
    res_ids = fields.Json(required=True)
    subjects = fields.Char(compute="_compute_subjects")
    reason = fields.Text(help="Sent to the applicant.")
    line_ids = fields.One2many("channel.admission.decision.line", "wizard_id", string="Documents")

    @api.depends("decision", "res_ids")
    def _compute_subjects(self):
        for wizard in self:
            wizard.subjects = ", ".join(wizard._records().mapped("display_name"))

    def _records(self):
        return self.env[DECISIONS[self.decision][0]].browse(self.res_ids or [])

    @api.model
    def _open(self, records, decision):
        """Return the action that asks for the reasons of ``decision`` on ``records``."""
        return {
            "type": "ir.actions.act_window",
            "name": dict(self._fields["decision"]._description_selection(self.env))[decision],
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_decision": decision,
                "default_res_ids": records.ids,
                **({"default_line_ids": [
                    Command.create({"document_id": document.id}) for document in records.document_ids
                ]} if decision == "return" else {}),
            },
        }

    def action_decide(self):
        self.ensure_one()
        reason = (self.reason or "").strip()
        documents = {
            line.document_id.id: line.reason.strip() for line in self.line_ids if (line.reason or "").strip()
        }
        if not reason and not documents:
            raise UserError(self.env._("Reason: say why, it is sent to the applicant and kept in the audit journal."))
        records = self._records()
        if self.decision == "return":
            records.action_return(reason=reason, documents=documents)
        else:
            getattr(records, DECISIONS[self.decision][1])(reason=reason)
        return {"type": "ir.actions.act_window_close"}
