from odoo import api, fields, models


class ChannelGateSeverity(models.Model):
    """How severe a check is in one company. Whoever turns a check off is in the audit journal."""

    _name = "channel.gate.severity"
    _description = "Severity of a Gate Check in a Company"
    _rec_name = "check_id"
    _order = "check_id, company_id"

    check_id = fields.Many2one("channel.gate.check", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, ondelete="cascade", default=lambda self: self.env.company
    )
    severity = fields.Selection(
        [("block", "Block"), ("warn", "Warn"), ("off", "Off")],
        required=True,
        default="block",
    )

    _check_company_uniq = models.UniqueIndex(
        "(check_id, company_id)", "The severity of this check is already set for this company."
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows._audit(
            {row.id: {"severity": row.check_id.severity} for row in rows},
            {row.id: {"severity": row.severity} for row in rows},
        )
        return rows

    def write(self, vals):
        before = {row.id: {"severity": row.severity} for row in self}
        result = super().write(vals)
        changed = self.filtered(lambda row: row.severity != before[row.id]["severity"])
        changed._audit(before, {row.id: {"severity": row.severity} for row in changed})
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_audit(self):
        self._audit(
            {row.id: {"severity": row.severity} for row in self},
            {row.id: {"severity": row.check_id.severity} for row in self},
        )

    def _audit(self, before, after):
        """Values of both: ``{id: {"severity": ...}}``; the code of the check is added."""
        for row in self:
            for values in (before, after):
                values[row.id]["check"] = row.check_id.code
        self.env["channel.audit.entry"]._record("gate.severity", self, before=before, after=after)
