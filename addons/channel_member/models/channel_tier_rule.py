from decimal import Decimal

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .res_partner import CHANNEL_ROLES

#: Length of a period in months
PERIOD_MONTHS = {"year": 12, "half": 6, "quarter": 3, "rolling": 12}


class ChannelTierRule(models.Model):
    """A tier policy: how members earn their tier.

    Each criterion gives 0 to 100 points; their average, weighted, is the member's score, rounded to two decimals; the
    highest threshold that the score reaches (reaching it exactly is enough) names the tier. What a review proposes
    takes effect only by its approval, from the day chosen there.
    """

    _name = "channel.tier.rule"
    _description = "Tier Policy"
    _inherit = ["channel.approval.mixin"]
    _order = "company_id, role, id desc"
    _check_company_auto = True
    #: The children that are as fixed as the policy, see ``channel.version.line.mixin``
    _version_line_fields = ("criterion_ids", "threshold_ids")

    name = fields.Char(required=True, tracking=True)
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(related="company_id.currency_id")
    role = fields.Selection(CHANNEL_ROLES, tracking=True, help="Members of this role; empty for every role.")
    period = fields.Selection(
        [
            ("year", "Financial Year"),
            ("half", "Half-Year"),
            ("quarter", "Quarter"),
            ("rolling", "Last 12 Months"),
        ],
        default="year",
        required=True,
        tracking=True,
        help="Over which time members are judged. Parts of a year are counted from its first day.",
    )
    between = fields.Selection(
        [
            ("immediate", "Up and down at any time"),
            ("upgrade_only", "Up at any time, down at the end of a period"),
            ("frozen", "Only at the end of a period"),
        ],
        string="Changes within a Period",
        default="immediate",
        required=True,
        tracking=True,
        help="What an interim review may propose.",
    )
    criterion_ids = fields.One2many("channel.tier.criterion", "rule_id", string="Criteria", copy=True)
    threshold_ids = fields.One2many("channel.tier.threshold", "rule_id", string="Thresholds", copy=True)
    floor_grade_id = fields.Many2one(
        "res.partner.grade", string="Tier below All Thresholds", check_company=True, ondelete="restrict",
        help="Empty: no tier.",
    )
    note = fields.Text()
    tier_review_ids = fields.One2many("channel.tier.review", "rule_id", string="Reviews")
    tier_review_count = fields.Integer(compute="_compute_tier_review_count")
    state = fields.Selection(selection_add=[("cancelled", "Withdrawn")])

    @api.depends("tier_review_ids")
    def _compute_tier_review_count(self):
        counts = dict(self.env["channel.tier.review"]._read_group(
            [("rule_id", "in", self.ids)], ["rule_id"], ["__count"]
        ))
        for rule in self:
            rule.tier_review_count = counts.get(rule, 0)

    # === APPROVAL === #

    def _approval_terms(self):
        return ["company_id", "role", "period", "between", "criterion_ids", "threshold_ids", "floor_grade_id"]

    def _approval_audit_values(self):
        return {
            rule.id: {
                "role": rule.role or None,
                "period": rule.period,
                "between": rule.between,
                "criteria": [criterion._summary_values() for criterion in rule.criterion_ids],
                "thresholds": [
                    {"points": threshold.points, "grade": threshold.grade_id.name} for threshold in rule.threshold_ids
                ],
                "below": rule.floor_grade_id.name or None,
            }
            for rule in self
        }

    def _approval_before(self):
        super()._approval_before()
        for rule in self:
            if not rule.criterion_ids:
                raise UserError(self.env._("Criteria: %s has none. Add what members are scored by.", rule.name))
            if not rule.threshold_ids:
                raise UserError(self.env._("Thresholds: %s has none. Add the points that a tier asks for.", rule.name))
            rule.criterion_ids._check_complete()
            other = self.search([
                ("state", "=", "approved"), ("company_id", "=", rule.company_id.id), ("id", "!=", rule.id),
                *([("role", "in", [rule.role, False])] if rule.role else []),
            ], limit=1)
            if other:
                raise UserError(self.env._(
                    "%(policy)s judges the same members: withdraw it before %(new)s is approved.",
                    policy=other.name, new=rule.name,
                ))

    # === ACTIONS === #

    def action_withdraw(self):
        """Take a policy out of use; reviews that rest on it stay. Channel Manager."""
        self.check_access("write")
        self.write({"state": "cancelled"})
        self.env["channel.audit.entry"]._record("tier_policy.withdrawn", self)
        return True

    def action_review(self):
        """Open a new regular review of the last period that has ended."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Tier Review"),
            "res_model": "channel.tier.review",
            "view_mode": "form",
            "context": {"default_rule_id": self.id},
        }

    def action_view_reviews(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("channel_member.channel_tier_review_action"),
            "domain": [("rule_id", "=", self.id)],
            "context": {"default_rule_id": self.id},
        }

    # === BUSINESS METHODS === #

    def _period_of(self, day):
        """Return ``(first day, last day)`` of the period of a day; the 12 months up to it for ``rolling``."""
        self.ensure_one()
        if self.period == "rolling":
            return day + relativedelta(days=1) - relativedelta(months=12), day
        start = self.company_id.compute_fiscalyear_dates(day)["date_from"]
        months = PERIOD_MONTHS[self.period]
        while start + relativedelta(months=months) <= day:
            start += relativedelta(months=months)
        return start, start + relativedelta(months=months, days=-1)

    def _last_period(self, today):
        """Return ``(first day, last day)`` of the last period that has ended before ``today``."""
        self.ensure_one()
        if self.period == "rolling":
            return self._period_of(today + relativedelta(days=-1))
        return self._period_of(self._period_of(today)[0] + relativedelta(days=-1))

    def _members(self):
        """Return the members that the policy judges."""
        self.ensure_one()
        return self.env["res.partner"].search([
            ("channel_role", "=", self.role) if self.role else ("channel_role", "!=", False),
            ("channel_state", "in", ("active", "suspended")),
            ("company_id", "in", (False, self.company_id.id)),
        ], order="id")

    def _grade_of(self, points):
        """Return the tier that a score earns.

        :param Decimal points: rounded to two decimals; a threshold is reached by its very value
        """
        self.ensure_one()
        for threshold in self.threshold_ids.sorted("points", reverse=True):
            if points >= Decimal(str(round(threshold.points, 2))):
                return threshold.grade_id
        return self.floor_grade_id

    def _grade_ranks(self):
        """Return ``{grade: rank}`` of the tiers that the policy knows, no tier and the floor below all."""
        self.ensure_one()
        ranks = {self.env["res.partner.grade"]: 0, self.floor_grade_id: 0 if not self.floor_grade_id else 1}
        for rank, threshold in enumerate(self.threshold_ids.sorted("points"), 2):
            ranks[threshold.grade_id] = rank
        return ranks

    @api.constrains("floor_grade_id", "threshold_ids")
    def _check_floor(self):
        for rule in self:
            if rule.floor_grade_id and rule.floor_grade_id in rule.threshold_ids.grade_id:
                raise ValidationError(self.env._(
                    "Tier below All Thresholds: %s has a threshold of its own. Choose another tier, or none.",
                    rule.floor_grade_id.name,
                ))
