from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.channel_base.tools.private_key import PrivateKey

from .channel_tier_measure import TierAsk

#: Opens the figures of the lines to the computation: nobody enters scores by hand.
COMPUTER = PrivateKey("channel_tier_computer")
ALERT_SOURCE = "tier"


class ChannelTierReview(models.Model):
    """The members of one tier policy, judged over one period.

    *Compute* scores every member and proposes a tier; people may differ with a reason; somebody else approves; then
    each change takes effect on the day chosen. A regular review belongs to the end of a period, once; an interim one
    may be held at any time, and what it may change is said by the policy (``between``).
    """

    _name = "channel.tier.review"
    _description = "Tier Review"
    _inherit = ["channel.approval.mixin"]
    _order = "date_to desc, id desc"
    _check_company_auto = True
    _version_line_fields = ("line_ids",)

    name = fields.Char(compute="_compute_name", store=True)
    rule_id = fields.Many2one(
        "channel.tier.rule", string="Policy", required=True, index=True, ondelete="restrict", check_company=True,
        domain="[('state', '=', 'approved')]", tracking=True,
    )
    company_id = fields.Many2one(related="rule_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        [("regular", "Regular"), ("interim", "Interim")],
        default="regular",
        required=True,
        tracking=True,
        help="Regular: at the end of a period. Interim: at any time, within what the policy allows.",
    )
    date_to = fields.Date(
        string="Last Day", required=True, compute="_compute_date_to", store=True, readonly=False, precompute=True,
        tracking=True, help="Last day that is judged.",
    )
    date_from = fields.Date(
        string="First Day", compute="_compute_date_from", store=True, precompute=True,
        help="First day that is judged: of the period in which the last day lies.",
    )
    effective_date = fields.Date(
        string="Takes Effect", required=True, compute="_compute_effective_date", store=True, readonly=False,
        precompute=True, tracking=True, help="First day of the new tiers.",
    )
    note = fields.Text()
    computed_at = fields.Datetime(readonly=True, copy=False)
    line_ids = fields.One2many("channel.tier.review.line", "review_id", string="Members")
    member_count = fields.Integer(compute="_compute_counts")
    up_count = fields.Integer(string="Up", compute="_compute_counts")
    down_count = fields.Integer(string="Down", compute="_compute_counts")
    adjusted_count = fields.Integer(string="Adjusted", compute="_compute_counts")
    state = fields.Selection(selection_add=[("cancelled", "Cancelled")])

    _regular_uniq = models.UniqueIndex(
        "(rule_id, date_to) WHERE kind = 'regular' AND state != 'cancelled'",
        "There is a regular review of this period already.",
    )

    # === COMPUTE METHODS === #

    @api.depends("rule_id.name", "date_from", "date_to", "kind")
    def _compute_name(self):
        for review in self:
            review.name = f"{review.rule_id.name or ''} {review.date_from or ''} – {review.date_to or ''}".strip()

    @api.depends("rule_id", "kind")
    def _compute_date_to(self):
        today = fields.Date.context_today(self)
        for review in self:
            if not review.rule_id:
                review.date_to = review.date_to
            elif review.kind == "regular":
                review.date_to = review.rule_id._last_period(today)[1]
            else:
                review.date_to = today + relativedelta(days=-1)

    @api.depends("rule_id", "date_to")
    def _compute_date_from(self):
        for review in self:
            review.date_from = (
                review.rule_id and review.date_to and review.rule_id._period_of(review.date_to)[0]
            )

    @api.depends("date_to")
    def _compute_effective_date(self):
        today = fields.Date.context_today(self)
        for review in self:
            review.effective_date = max(today, review.date_to + relativedelta(days=1)) if review.date_to else today

    @api.depends("line_ids.direction", "line_ids.adjusted")
    def _compute_counts(self):
        counts = {}
        for review, direction, adjusted, count in self.env["channel.tier.review.line"]._read_group(
            [("review_id", "in", self.ids)], ["review_id", "direction", "adjusted"], ["__count"]
        ):
            for key in ("all", direction, adjusted and "adjusted"):
                counts[review.id, key] = counts.get((review.id, key), 0) + count
        for review in self:
            review.member_count = counts.get((review.id, "all"), 0)
            review.up_count = counts.get((review.id, "up"), 0)
            review.down_count = counts.get((review.id, "down"), 0)
            review.adjusted_count = counts.get((review.id, "adjusted"), 0)

    # === CONSTRAINT METHODS === #

    @api.constrains("kind", "date_to", "rule_id")
    def _check_date_to(self):
        for review in self:
            if review.kind != "regular" or review.rule_id.period == "rolling":
                continue
            last = review.rule_id._period_of(review.date_to)[1]
            if review.date_to != last:
                raise ValidationError(self.env._(
                    "Last Day: %(day)s does not end a period of %(policy)s. Choose %(last)s, or hold an interim one.",
                    day=review.date_to, policy=review.rule_id.name, last=last,
                ))

    # === CRUD METHODS === #

    def write(self, vals):
        if {"rule_id", "kind", "date_to"} & vals.keys():
            # figures of other days or of another policy must not stay
            self.filtered(lambda r: r.state == "draft")._forget()
        return super().write(vals)

    # === ACTIONS === #

    def action_compute(self):
        """Score the members and propose their tiers. What people adjusted stays adjusted.

        The number of queries does not depend on the number of members: one for each criterion, and those that write
        the lines in batches.
        """
        self.check_access("write")
        for review in self:
            if review.state != "draft":
                raise UserError(self.env._("%s is not a draft any more: its figures stay.", review.name))
            if review.rule_id.state != "approved":
                raise UserError(self.env._("Policy: %s is not approved.", review.rule_id.name))
            review._compute_lines()
        return True

    def action_cancel(self):
        """Give a draft up. An approved review has taken effect; a new one changes what it did."""
        for review in self:
            if review.state != "draft":
                raise UserError(self.env._(
                    "%s has taken effect: hold an interim review to change tiers again.", review.name
                ))
        self.write({"state": "cancelled"})
        # at once, so that another review of the period finds its place free
        self.flush_recordset(["state"])
        return True

    def action_view_lines(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("channel_member.channel_tier_review_line_action"),
            "domain": [("review_id", "=", self.id)],
            "context": {"search_default_changes": True} if self.up_count or self.down_count else {},
        }

    # === COMPUTATION === #

    def _forget(self):
        lines = self.line_ids
        COMPUTER.open(lines).unlink()
        self.filtered("computed_at").write({"computed_at": False})

    def _compute_lines(self):
        self.ensure_one()
        adjusted = {
            line.partner_id.id: {"grade_id": line.grade_id.id, "adjust_reason": line.adjust_reason}
            for line in self.line_ids
            if line.adjusted
        }
        COMPUTER.open(self.line_ids).unlink()
        members = self.rule_id._members()
        members.fetch(["grade_id"])
        scores = self._scores(members)
        ranks = self.rule_id._grade_ranks()
        vals_list = []
        for member in members:
            points, detail = scores[member.id]
            current = member.grade_id
            proposed, basis = self._proposal(current, points, ranks)
            vals = {
                "review_id": self.id,
                "partner_id": member.id,
                "points": float(points or 0),
                "detail": detail,
                "basis": basis,
                "current_grade_id": current.id,
                "proposed_grade_id": proposed.id,
                "grade_id": proposed.id,
                "current_rank": ranks.get(current, -1),
            }
            vals_list.append({**vals, **adjusted.get(member.id, {})})
        COMPUTER.open(self.env["channel.tier.review.line"]).create(vals_list)
        self.computed_at = fields.Datetime.now()

    def _scores(self, members):
        """Return ``{member_id: (points, detail)}``, see ``channel.tier.criterion._score``; one query a criterion."""
        self.ensure_one()
        companies = self.env["res.company"].search([("id", "child_of", self.company_id.id)])
        ask = TierAsk(members.ids, companies.ids, self.date_from, self.date_to)
        # sudo: a score rests on every invoice, finding and document of the member, whoever computes it; what comes
        # back are the figures of the score.
        measures = self.env["channel.tier.measure"].sudo()
        values = {
            criterion.measure: measures._values(criterion.measure, ask) for criterion in self.rule_id.criterion_ids
        }
        return {
            member_id: self.rule_id.criterion_ids._score(
                {key: by_member[member_id] for key, by_member in values.items() if by_member.get(member_id) is not None}
            )
            for member_id in members.ids
        }

    def _proposal(self, current, points, ranks):
        """Return ``(tier, basis)``: what the policy makes of a score, and why it is not simply the earned tier.

        ``basis``: ``earned``; ``outside`` = the current tier is none of the policy's and stays (given by hand);
        ``unknown`` = nothing to judge by; ``frozen``, ``upgrade_only`` = kept until the end of the period.
        """
        self.ensure_one()
        if current not in ranks:
            return current, "outside"
        if points is None:
            return current, "unknown"
        earned = self.rule_id._grade_of(points)
        if self.kind == "interim" and earned != current:
            if self.rule_id.between == "frozen":
                return current, "frozen"
            if self.rule_id.between == "upgrade_only" and ranks[earned] < ranks[current]:
                return current, "upgrade_only"
        return earned, "earned"

    # === APPROVAL === #

    def _approval_terms(self):
        return ["rule_id", "kind", "date_to", "effective_date", "note"]

    def _approval_before(self):
        super()._approval_before()
        for review in self:
            if not review.computed_at:
                raise UserError(self.env._("%s has not been computed yet.", review.name))
            moved = review.line_ids.filtered(lambda line: line.partner_id.grade_id != line.current_grade_id)
            if moved:
                raise UserError(self.env._(
                    "The tier of %(members)s has changed since %(review)s was computed. Compute it again.",
                    members=", ".join(moved[:5].partner_id.mapped("display_name")), review=review.name,
                ))

    def _approval_audit_values(self):
        return {
            review.id: {
                "policy": review.rule_id.name,
                "kind": review.kind,
                "date_from": review.date_from,
                "date_to": review.date_to,
                "effective_date": review.effective_date,
                "members": review.member_count,
                "changes": [
                    {
                        "member": line.partner_id.channel_code or line.partner_id.name,
                        "points": line.points,
                        "before": line.current_grade_id.name or None,
                        "after": line.grade_id.name or None,
                        "adjusted": line.adjust_reason if line.adjusted else None,
                    }
                    for line in review.line_ids
                    if line.grade_id != line.current_grade_id
                ],
            }
            for review in self
        }

    def _approval_done(self):
        super()._approval_done()
        for review in self:
            changed = review.line_ids.filtered(lambda line: line.grade_id != line.current_grade_id)
            for grade, lines in changed.grouped("grade_id").items():
                lines.partner_id._channel_change(
                    {"grade_id": grade.id}, date=review.effective_date, reason=review.name
                )
            review._alert_downgrades()

    def _alert_downgrades(self):
        """Tell the people in charge which of their members go down; alerts of members that do not are closed."""
        self.ensure_one()
        down = self.line_ids.filtered(lambda line: line.direction == "down")
        alerts = self.env["channel.alert"]
        alerts._clear_alerts(ALERT_SOURCE, [f"{line.partner_id.id}" for line in self.line_ids - down])
        alerts._raise_alerts(ALERT_SOURCE, [
            {
                "key": f"{line.partner_id.id}",
                "name": self.env._(
                    "%(member)s goes down from %(before)s to %(after)s on %(date)s",
                    member=line.partner_id.display_name,
                    before=line.current_grade_id.name,
                    after=line.grade_id.name or self.env._("no tier"),
                    date=self.effective_date,
                ),
                "severity": "warning",
                "record": line.partner_id,
                "company": self.company_id,
                "region": line.partner_id.channel_region_id,
                "note": line.why,
            }
            for line in down
        ])
