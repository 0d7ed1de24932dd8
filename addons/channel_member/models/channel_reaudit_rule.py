from dateutil.relativedelta import relativedelta

from odoo import api, fields, models

from .res_partner import CHANNEL_ROLES


class ChannelReauditRule(models.Model):
    """How often members are audited again: the first rule, by sequence, that fits tier, role and risk."""

    _name = "channel.reaudit.rule"
    _description = "Re-audit Rule"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index="btree_not_null", help="Empty for all companies.")
    grade_ids = fields.Many2many(
        "res.partner.grade", "channel_reaudit_rule_grade_rel", "rule_id", "grade_id", string="Tiers",
        help="Empty for every tier, and for members without one.",
    )
    role = fields.Selection(CHANNEL_ROLES, help="Empty for every role but hospitals.")
    risk_level = fields.Selection(
        [("low", "Low"), ("medium", "Medium"), ("high", "High")], string="Risk", help="Empty for every risk."
    )
    months = fields.Integer(default=12, required=True, help="From one audit to the next.")
    notice_days = fields.Integer(
        string="Opened Before (days)", default=30, required=True, help="The re-audit is opened so many days before."
    )

    _months_positive = models.Constraint(
        "CHECK(months > 0 AND notice_days >= 0)", "Months are at least one, and days are not negative."
    )

    #=== BUSINESS METHODS ===#

    @api.model
    def _rules_of(self, members, risk_levels=None):
        """The rule of each member.

        :param members: partners with a channel role
        :param dict risk_levels: ``{member: risk level}`` where another one than the member's own counts
        :return: ``{member: rule}``, the rule maybe empty
        """
        # sudo: rules are no secret, and the job runs for every member
        rules = self.sudo().search([("company_id", "in", [False, self.env.company.id])])
        risk_levels = risk_levels or {}
        return {
            member: rules.filtered(
                lambda rule, member=member: (
                    (not rule.grade_ids or member.grade_id in rule.grade_ids)
                    and (rule.role == member.channel_role if rule.role else member.channel_role != "hospital")
                    and rule.risk_level in (False, risk_levels.get(member, member.channel_risk_level))
                )
            )[:1]
            for member in members
        }

    @api.model
    def _next_date(self, member, risk_level):
        """Day of the next audit of a member that has just been audited, or False when no rule asks for one."""
        rule = self._rules_of(member, {member: risk_level})[member]
        return bool(rule) and fields.Date.context_today(self) + relativedelta(months=rule.months)

    @api.model
    def _open_due(self):
        """Open the re-audits of active members that come due within the notice of their rule.

        Members without a day yet get one, counted from their admission. One open re-audit per member and company:
        running it again opens nothing.

        :return: the admissions opened
        """
        today = fields.Date.context_today(self)
        admissions = self.env["channel.admission"]
        # sudo: the job looks at the members of every region
        members = self.env["res.partner"].sudo().search([
            ("channel_state", "=", "active"), ("company_id", "in", [False, self.env.company.id]),
        ])
        rules = self._rules_of(members)
        for member in members.filtered(lambda m: rules[m] and not m.channel_next_audit_date):
            member.channel_next_audit_date = (member.channel_active_since or today) + relativedelta(
                months=rules[member].months
            )
        due = members.filtered(
            lambda m: rules[m] and m.channel_next_audit_date
            and m.channel_next_audit_date <= fields.Date.add(today, days=rules[m].notice_days)
        )
        # sudo: the nightly job opens audits of every region, and none twice
        audited = admissions.sudo().search([
            ("kind", "=", "reaudit"), ("partner_id", "in", due.ids), ("company_id", "=", self.env.company.id),
            ("state", "in", ("draft", "returned", "submitted")),
        ]).partner_id
        opened = admissions.sudo().create([
            {
                "kind": "reaudit",
                "partner_id": member.id,
                "company_id": self.env.company.id,
                "source": "calendar",
                "due_date": member.channel_next_audit_date,
            }
            for member in due - audited
        ])
        for admission in opened:
            admission._remind_reviewer()
        return opened
