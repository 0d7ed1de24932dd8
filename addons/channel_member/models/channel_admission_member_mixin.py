from odoo import fields, models


class ChannelAdmissionMemberMixin(models.AbstractModel):
    """What admissions and audits leave on a member. Inherited by ``res.partner``."""

    _name = "channel.admission.member.mixin"
    _description = "Member That Was Admitted"

    channel_risk_level = fields.Selection(
        [("low", "Low"), ("medium", "Medium"), ("high", "High")],
        string="Risk",
        readonly=True,
        copy=False,
        help="Of the last admission or re-audit.",
    )
    channel_next_audit_date = fields.Date(string="Next Audit", readonly=True, copy=False)
    channel_admission_ids = fields.One2many("channel.admission", "partner_id", string="Admissions")
    channel_admission_count = fields.Integer(compute="_compute_channel_admission_count", compute_sudo=False)

    def _compute_channel_admission_count(self):
        admissions = self.env["channel.admission"]
        counts = {
            partner.id: count for partner, count in admissions._read_group(
                [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
            )
        } if admissions.has_access("read") else {}
        for partner in self:
            partner.channel_admission_count = counts.get(partner.id, 0)

    def action_channel_admissions(self):
        """Open the admissions of this member."""
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("channel_member.channel_admission_action"),
            "domain": [("partner_id", "=", self.id)],
            "context": {"default_partner_id": self.id},
        }

    def action_channel_change_particulars(self):
        """Open a change of particulars, prefilled from this member; an open one is taken up again."""
        return self._channel_open_admission("change")

    def action_channel_reaudit(self):
        """Open a re-audit before its time; an open one is taken up again."""
        return self._channel_open_admission("reaudit")

    def _channel_open_admission(self, kind):
        self.ensure_one()
        admissions = self.env["channel.admission"]
        admission = admissions.search([
            ("partner_id", "=", self.id), ("kind", "=", kind), ("state", "in", ("draft", "returned", "submitted")),
            ("company_id", "=", self.env.company.id),
        ], limit=1) or admissions.create({
            "kind": kind,
            "partner_id": self.id,
            "due_date": kind == "reaudit" and fields.Date.context_today(self),
        })
        return admission._get_records_action()
