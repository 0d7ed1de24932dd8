import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ChannelGateCheck(models.Model):
    _name = "channel.gate.check"
    _description = "Gate Check"
    _inherit = ["mail.thread"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True,
        help="Technical name. The check itself is the method _check_<code> of the model channel.gate.",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    operation_ids = fields.Many2many("channel.gate.operation", string="Operations", required=True)
    severity = fields.Selection(
        [("block", "Block"), ("warn", "Warn"), ("off", "Off")],
        required=True,
        default="block",
        tracking=True,
        help="Holds for every company that sets nothing else.",
    )
    severity_ids = fields.One2many("channel.gate.severity", "check_id", string="Severity by Company")
    law = fields.Text(
        string="Law or Clause",
        translate=True,
        help="The rule behind the check, shown with each of its findings.",
    )
    remedy = fields.Text(
        translate=True,
        help="What can be done about a finding, unless the finding says so itself.",
    )
    override_group_id = fields.Many2one(
        "res.groups",
        string="May Override",
        required=True,
        tracking=True,
        ondelete="restrict",
        default=lambda self: self.env.ref("channel_base.group_channel_compliance", raise_if_not_found=False),
        help="Who may let a blocked document pass, with a reason.",
    )

    _code_uniq = models.UniqueIndex("(code)", "There is already a gate check with this code.")

    # === CONSTRAINT METHODS === #

    @api.constrains("code")
    def _check_code(self):
        gate = self.env["channel.gate"]
        for check in self:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", check.code):
                raise ValidationError(
                    self.env._(
                        "The code %s of a gate check must consist of lower case letters, digits and underscores, "
                        "and begin with a letter.",
                        check.code,
                    )
                )
            if not callable(getattr(gate, check._method_name(), None)):
                raise ValidationError(
                    self.env._(
                        "Nothing implements the gate check %(code)s: write the method %(method)s(self, requests) "
                        "on the model channel.gate first.",
                        code=check.code,
                        method=check._method_name(),
                    )
                )

    # === CRUD METHODS === #

    def write(self, vals):
        audited = {"severity", "active", "override_group_id"} & vals.keys()
        before = {check.id: check._audit_vals() for check in self} if audited else {}
        result = super().write(vals)
        changed = self.filtered(lambda check: audited and check._audit_vals() != before[check.id])
        self.env["channel.audit.entry"]._record(
            "gate.check", changed, before=before, after={check.id: check._audit_vals() for check in changed}
        )
        return result

    # === BUSINESS METHODS === #

    def _audit_vals(self):
        """:return: what the audit journal keeps of a check"""
        self.ensure_one()
        return {
            "check": self.code,
            "severity": self.severity,
            "active": self.active,
            "override_group": self.override_group_id.full_name,
        }

    def _method_name(self):
        self.ensure_one()
        return f"_check_{self.code}"

    @api.model
    def _severities(self, operation, companies):
        """Which checks run for an operation, and how severe they are.

        :param str operation: code of the operation
        :param companies: ``res.company``
        :return: ``{company_id: {check: "block" | "warn"}}``, checks in their order, those that are off left out
        """
        checks = self.search([("operation_ids.code", "=", operation)])
        by_company = {
            (row.check_id.id, row.company_id.id): row.severity
            for row in self.env["channel.gate.severity"].search(
                [("check_id", "in", checks.ids), ("company_id", "in", companies.ids)]
            )
        }
        result = {}
        for company in companies:
            severities = {check: by_company.get((check.id, company.id), check.severity) for check in checks}
            result[company.id] = {check: value for check, value in severities.items() if value != "off"}
        return result
