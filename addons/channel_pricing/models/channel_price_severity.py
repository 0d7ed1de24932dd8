from odoo import api, fields, models


class ChannelPriceSeverity(models.Model):
    """How severe a quality check of price tables is in one company, where it is not as the check itself says.

    Tables for all companies are checked by the severities of the company that looks at them. Whoever weakens a check is
    in the audit journal.
    """

    _name = "channel.price.severity"
    _description = "Severity of a Price Check in a Company"
    _rec_name = "code"
    _order = "company_id, code"

    company_id = fields.Many2one(
        "res.company", required=True, index=True, ondelete="cascade", default=lambda self: self.env.company
    )
    code = fields.Selection(selection="_selection_code", string="Check", required=True)
    severity = fields.Selection(
        [("block", "Blocks"), ("warn", "Warns"), ("off", "Off")],
        required=True,
        default="warn",
        help="Blocks: a version with such findings is not approved until somebody accepts them with a reason. "
        "Off: not looked for.",
    )

    _company_code_uniq = models.UniqueIndex(
        "(company_id, code)", "The severity of this check is already set for this company."
    )

    @api.model
    def _selection_code(self):
        return self.env["channel.price.issue"]._selection_code()

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows._audit(dict.fromkeys(rows.ids), dict(zip(rows.ids, rows.mapped("severity"), strict=True)))
        return rows

    def write(self, vals):
        before = {row.id: row.severity for row in self}
        result = super().write(vals)
        self._audit(before, {row.id: row.severity for row in self})
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_audit(self):
        self._audit({row.id: row.severity for row in self}, dict.fromkeys(self.ids))

    def _audit(self, before, after):
        """
        :param before: ``{id: severity}``, None where the check's own holds
        :param after: the same
        """
        checks = self.env["channel.price.quality"]._checks()

        def told(row, severities):
            return {"check": row.code, "severity": severities[row.id] or checks[row.code].severity}

        changed = self.filtered(lambda row: told(row, before) != told(row, after))
        self.env["channel.audit.entry"]._record(
            "price.severity", changed, before={row.id: told(row, before) for row in changed},
            after={row.id: told(row, after) for row in changed},
        )

    # === BUSINESS METHODS ===#

    @api.model
    def _severities(self, company):
        """The checks that a company runs: ``{code: "block" or "warn"}``."""
        # sudo: how severe a check is, is no secret, and no user's right to read decides it
        own = {row.code: row.severity for row in self.sudo().search([("company_id", "=", company.id)])}
        severities = {
            code: own.get(code, check.severity) for code, check in self.env["channel.price.quality"]._checks().items()
        }
        return {code: severity for code, severity in severities.items() if severity != "off"}
