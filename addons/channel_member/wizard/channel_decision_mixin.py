from odoo import api, fields, models


class ChannelDecisionMixin(models.AbstractModel):
    """Wizards that ask for the reason of a decision about records and then call one method of theirs.

    A wizard that inherits this has a required selection ``decision`` and says in :meth:`_decisions` what each calls.
    """

    _name = "channel.decision.mixin"
    _description = "Asks for a Reason"

    res_ids = fields.Json(required=True)
    subjects = fields.Char(compute="_compute_subjects")

    @api.depends("decision", "res_ids")
    def _compute_subjects(self):
        for wizard in self:
            wizard.subjects = ", ".join(wizard._records().mapped("display_name"))

    @api.model
    def _decisions(self):
        """Return ``{decision: (model, method that takes the reason)}``, a closed list: nothing else is ever called."""
        return {}

    def _records(self):
        return self.env[self._decisions()[self.decision][0]].browse(self.res_ids or [])

    def _method(self):
        """The method of the records that takes the decision, with the rights of the user."""
        return getattr(self._records(), self._decisions()[self.decision][1])

    @api.model
    def _open(self, records, decision):
        """Return the action that asks for the reason of ``decision`` on ``records``."""
        return {
            "type": "ir.actions.act_window",
            "name": dict(self._fields["decision"]._description_selection(self.env))[decision],
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {"default_decision": decision, "default_res_ids": records.ids},
        }
