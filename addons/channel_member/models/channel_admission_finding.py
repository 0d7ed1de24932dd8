from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from odoo.addons.channel_base.tools.canonical import canonical_json


class ChannelAdmissionFinding(models.Model):
    """What an automatic check says about an admission.

    Stored are a code and its parameters; the sentences are made when they are read, in the reader's language. A finding
    stays the same record while its cause lasts, so that who accepted it need not do so again.
    """

    _name = "channel.admission.finding"
    _description = "Finding of an Admission"
    _order = "admission_id, severity_rank, weight desc, code, id"
    _rec_name = "code"

    admission_id = fields.Many2one("channel.admission", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="admission_id.company_id", store=True, index=True)
    document_id = fields.Many2one(
        "channel.admission.document", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    code = fields.Char(required=True, readonly=True)
    severity = fields.Selection(
        [("block", "Block"), ("warn", "Warn"), ("info", "Note")],
        required=True,
        readonly=True,
        help="Blocking findings stop the approval; the others only raise the risk.",
    )
    severity_rank = fields.Integer(compute="_compute_severity_rank", store=True, aggregator=None)
    weight = fields.Integer(readonly=True, aggregator="sum", help="What it adds to the risk score.")
    for_applicant = fields.Boolean(readonly=True, help="The applicant can see and mend it.")
    params = fields.Json(readonly=True)
    message = fields.Char(compute="_compute_message")
    remedy = fields.Char(compute="_compute_message")
    state = fields.Selection(
        [("open", "Open"), ("accepted", "Accepted")], default="open", required=True, readonly=True
    )
    accepted_by_id = fields.Many2one("res.users", readonly=True)
    accept_reason = fields.Char(readonly=True)

    #=== COMPUTE METHODS ===#

    @api.depends("severity")
    def _compute_severity_rank(self):
        ranks = {"block": 0, "warn": 1, "info": 2}
        for finding in self:
            finding.severity_rank = ranks.get(finding.severity, 3)

    @api.depends("code", "params", "document_id")
    @api.depends_context("lang")
    def _compute_message(self):
        texts = self.env["channel.admission.check"]._texts()
        for finding in self:
            message, remedy = texts.get(finding.code, (finding.code, ""))
            params = finding._readable_params()
            finding.message = message % params
            finding.remedy = remedy % params

    def _readable_params(self):
        """Parameters as a person reads them; unknown names give an empty text."""
        self.ensure_one()
        # sudo: names of the kind of document and of fields, for who may read the finding
        qualification_type = self.document_id.sudo().type_id
        readable = _Params({"type": qualification_type.name or ""})
        for name, value in (self.params or {}).items():
            if name.endswith("_date") and value:
                value = format_date(self.env, value)
            elif name == "reason":
                value = qualification_type._validation_reasons().get(value, value)
            elif name == "field":
                value = self.env["channel.admission"]._fields[value]._description_string(self.env)
            readable[name] = ", ".join(map(str, value)) if isinstance(value, list) else value
        return readable

    #=== ACTION METHODS ===#

    def action_accept(self, reason=None):
        """Accept warnings with a reason: they do not count any more. Who accepts does not approve.

        :param str reason: why; without it the wizard that asks for it is returned
        :raise UserError: the finding blocks, or the admission is not submitted
        """
        if not reason:
            return self.env["channel.admission.decision"]._open(self, "accept")
        if not self.env["res.partner"]._channel_may_govern():
            raise AccessError(self.env._("Findings are accepted by Compliance or Channel Manager."))
        self.check_access("read")
        for finding in self:
            if finding.severity == "block":
                raise UserError(self.env._(
                    "Finding “%s” blocks: its cause has to be mended, it is not accepted.", finding.message
                ))
            if finding.admission_id.state != "submitted":
                raise UserError(self.env._("%s is not submitted.", finding.admission_id.display_name))
            # sudo: whether reviews are open
            if finding.admission_id.sudo().review_ids.filtered(lambda review: review.status == "approved"):
                raise UserError(self.env._(
                    "A tier of %s has validated already: restart the validation before findings are accepted.",
                    finding.admission_id.display_name,
                ))
        # sudo: decided above; findings are written by the checks and by this decision only
        self.sudo().write({"state": "accepted", "accepted_by_id": self.env.uid, "accept_reason": reason})
        for admission in self.admission_id:
            codes = self.filtered(lambda f, admission=admission: f.admission_id == admission).mapped("code")
            self.env["channel.audit.entry"]._record(
                "admission.finding_accepted", admission, reason=reason, after={"findings": sorted(codes)}
            )
        self.admission_id._note_editor()
        return True

    #=== BUSINESS METHODS ===#

    @api.model
    def _replace(self, admissions, found):
        """Make ``found`` the findings of ``admissions``: what is the same stays, what is gone goes.

        :param found: list of values as :meth:`channel.admission.check._run` returns them
        """
        wanted = {self._key(values): values for values in found}
        # sudo: only the checks write findings
        standing = self.sudo().search([("admission_id", "in", admissions.ids)])
        gone = standing.filtered(lambda f: self._key({
            "admission_id": f.admission_id.id,
            "document_id": f.document_id.id,
            "code": f.code,
            "severity": f.severity,
            "weight": f.weight,
            "params": f.params,
        }) not in wanted)
        for finding in standing - gone:
            wanted.pop(self._key({
                "admission_id": finding.admission_id.id,
                "document_id": finding.document_id.id,
                "code": finding.code,
                "severity": finding.severity,
                "weight": finding.weight,
                "params": finding.params,
            }), None)
        gone.unlink()
        # sudo: findings are the system's own answers, nobody enters them by hand
        self.sudo().create(list(wanted.values()))

    @api.model
    def _key(self, values):
        return (
            values["admission_id"], values.get("document_id") or False, values["code"], values["severity"],
            values["weight"], canonical_json(values.get("params") or {}),
        )

    def _as_json(self):
        """``{code, severity, field, document, message, remedy}``"""
        self.ensure_one()
        return {
            "code": self.code,
            "severity": self.severity,
            "field": (self.params or {}).get("field") or False,
            # sudo: code of a kind of document
            "document": self.document_id.sudo().type_id.code or False,
            "message": self.message,
            "remedy": self.remedy,
        }

    def _as_error(self):
        """As an entry of :class:`AdmissionError`."""
        self.ensure_one()
        return {
            "field": (self.params or {}).get("field") or self.document_id.type_id.code or self.code,
            "value": (self.params or {}).get("value"),
            "message": self.message,
            "remedy": self.remedy,
        }


class _Params(dict):
    """Parameters of a sentence; one that is missing is left empty instead of hiding the sentence."""

    def __missing__(self, key):
        return ""
