import logging

from odoo import api, fields, models

_logger = logging.getLogger(__name__)


class ChannelGateDocumentMixin(models.AbstractModel):
    """A document that the gate judges: its findings, and the banner that shows them before anybody confirms.

    The document names its operation in ``_channel_gate_operation``, describes itself in ``_channel_gate_requests``
    and says in ``_channel_gate_is_pending`` whether the operation still lies ahead. The hook that calls
    ``channel.gate._enforce`` is the document's own.
    """

    _name = "channel.gate.document.mixin"
    _description = "Document Judged by the Gate"

    _channel_gate_operation = None

    channel_finding_ids = fields.One2many(
        "channel.gate.finding",
        "res_id",
        string="Gate Findings",
        domain=lambda self: [("res_model", "=", self._name)],
        readonly=True,
        copy=False,
        groups="channel_base.group_channel_user",
    )
    channel_finding_count = fields.Integer(
        "Number of Gate Findings",
        compute="_compute_channel_finding_count",
        groups="channel_base.group_channel_user",
    )
    channel_gate_banner = fields.Html(
        "Gate",
        compute="_compute_channel_gate_banner",
        sanitize=False,
        groups="base.group_user",
    )
    channel_gate_overridable = fields.Boolean(
        compute="_compute_channel_gate_banner",
        groups="base.group_user",
        help="Something blocks that the user may override.",
    )

    # === COMPUTE METHODS === #

    @api.depends("channel_finding_ids.state")
    def _compute_channel_finding_count(self):
        counts = dict(
            self.env["channel.gate.finding"]._read_group(
                [("res_model", "=", self._name), ("res_id", "in", self.ids), ("state", "!=", "resolved")],
                ["res_id"],
                ["__count"],
            )
        )
        for document in self:
            document.channel_finding_count = counts.get(document.id, 0)

    @api.depends(lambda self: self._channel_gate_depends())
    @api.depends_context("uid", "lang")
    def _compute_channel_gate_banner(self):
        """What the gate would say now. Never raises: a form must open whatever a check thinks of its document."""
        pending = self.filtered(lambda document: document._channel_gate_is_pending())
        by_document = pending._channel_gate_findings()
        user = self.env.user
        groups = user.all_group_ids
        for document in self:
            findings = by_document.get(document, [])
            document.channel_gate_banner = document._channel_gate_render(findings) if findings else False
            document.channel_gate_overridable = (
                bool(document._origin)
                and any(finding.blocks and finding.check.override_group_id in groups for finding in findings)
                and user not in document._channel_gate_authors()
            )

    def _channel_gate_findings(self):
        """:return: ``{document: [GateFinding]}``, empty when the checks fail, which is logged"""
        if not self:
            return {}
        try:
            # Without flush: the form's unsaved values must not reach the database by looking at them.
            with self.env.cr.savepoint(flush=False):
                _requests, findings = self.env["channel.gate"]._evaluate_documents(self._channel_gate_operation, self)
        except Exception:
            _logger.exception("The gate could not be shown on %s", self)
            return {}
        result = {}
        for finding in findings:
            result.setdefault(finding.request.record.with_env(self.env), []).append(finding)
        return result

    def _channel_gate_render(self, findings):
        """:return: the banner as ``Markup``; the same fact on several lines is shown once"""
        self.ensure_one()
        unique = {finding.fingerprint: finding for finding in reversed(findings)}
        findings = [finding for finding in findings if unique[finding.fingerprint] is finding]
        Finding = self.env["channel.gate.finding"]
        return self.env["ir.qweb"]._render(
            "channel_base.gate_banner",
            {
                "blocking": [finding for finding in findings if finding.blocks],
                "warning": [finding for finding in findings if finding.severity == "warn"],
                "overridden": [finding for finding in findings if finding.state == "overridden"],
                "with_figures": Finding._has_field_access(Finding._fields["figures"], "read"),
            },
        )

    # === ACTION METHODS === #

    def action_channel_findings(self):
        """Bring the findings up to date and open them."""
        self.ensure_one()
        self.check_access("read")
        if self._channel_gate_is_pending():
            self.env["channel.gate"]._check_documents(self._channel_gate_operation, self)
        action = self.env["ir.actions.act_window"]._for_xml_id("channel_base.channel_gate_finding_action")
        action["domain"] = [("res_model", "=", self._name), ("res_id", "=", self.id)]
        action["context"] = {}
        return action

    def action_channel_override(self):
        """Open the wizard by which what blocks this document may be allowed."""
        self.ensure_one()
        self.check_access("read")
        self.env["channel.gate"]._check_documents(self._channel_gate_operation, self)
        findings = self.channel_finding_ids.filtered(
            lambda finding: finding.severity == "block" and finding.state in ("open", "refused")
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Override"),
            "res_model": "channel.gate.override",
            "view_mode": "form",
            "target": "new",
            "context": {"default_finding_ids": findings.ids},
        }

    # === HOOKS === #

    def _channel_gate_requests(self, operation):
        """Describe these documents to the gate.

        :param str operation: code of the operation; a document that has nothing to do with it gives nothing
        :return: list of ``GateRequest``
        """
        return []

    def _channel_gate_depends(self):
        """:return: names of the fields (dotted paths) from which the banner is made anew"""
        return []

    def _channel_gate_is_pending(self):
        """:return: whether the operation still lies ahead, so that it makes sense to say what would stop it"""
        self.ensure_one()
        return False

    def _channel_gate_authors(self):
        """:return: ``res.users`` who made this document, and so may not override its findings"""
        return self.create_uid
