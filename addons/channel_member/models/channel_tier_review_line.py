from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from .channel_tier_review import COMPUTER

#: What people enter; the rest of a line is computed.
ENTERED = {"grade_id", "adjust_reason"}


class ChannelTierReviewLine(models.Model):
    """One member in a review: its score, where it stands, what is proposed, and why."""

    _name = "channel.tier.review.line"
    _description = "Member in a Tier Review"
    _inherit = ["channel.version.line.mixin"]
    _order = "review_id desc, points desc, id"
    _rec_name = "partner_id"
    _check_company_auto = True
    _version_field = "review_id"

    review_id = fields.Many2one("channel.tier.review", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="review_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(related="review_id.state", store=True)
    effective_date = fields.Date(related="review_id.effective_date")
    partner_id = fields.Many2one(
        "res.partner", string="Member", required=True, index=True, ondelete="restrict", readonly=True
    )
    region_id = fields.Many2one(related="partner_id.channel_region_id", string="Region")
    points = fields.Float(readonly=True, digits=(5, 2), aggregator="avg")
    detail = fields.Json(readonly=True, help="Technical: value, points and weight of every measure.")
    basis = fields.Selection(
        [
            ("earned", "Earned by the score"),
            ("outside", "Tier of no policy, kept"),
            ("unknown", "Nothing to judge by, kept"),
            ("frozen", "Kept until the end of the period"),
            ("upgrade_only", "Not lowered within the period"),
        ],
        required=True,
        readonly=True,
    )
    current_grade_id = fields.Many2one(
        "res.partner.grade", string="Current Tier", readonly=True, ondelete="restrict"
    )
    current_rank = fields.Integer(readonly=True, aggregator=None)
    proposed_grade_id = fields.Many2one(
        "res.partner.grade", string="Proposed Tier", readonly=True, ondelete="restrict"
    )
    grade_id = fields.Many2one(
        "res.partner.grade", string="New Tier", ondelete="restrict", check_company=True,
        help="As proposed, unless somebody differs with a reason.",
    )
    adjust_reason = fields.Char(string="Reason to Differ")
    adjusted = fields.Boolean(compute="_compute_adjusted", store=True)
    direction = fields.Selection(
        [("up", "Up"), ("down", "Down"), ("same", "Unchanged"), ("other", "Other")],
        compute="_compute_direction",
        store=True,
        help="Other: from or to a tier that the policy does not know.",
    )
    why = fields.Text(compute="_compute_why")

    _member_uniq = models.Constraint("unique(review_id, partner_id)", "A member stands in a review once.")

    # === COMPUTE METHODS === #

    @api.depends("grade_id", "proposed_grade_id")
    def _compute_adjusted(self):
        for line in self:
            line.adjusted = line.grade_id != line.proposed_grade_id

    @api.depends("grade_id", "current_grade_id", "current_rank")
    def _compute_direction(self):
        for review, lines in self.grouped("review_id").items():
            ranks = review.rule_id._grade_ranks()
            for line in lines:
                rank = ranks.get(line.grade_id)
                if line.grade_id == line.current_grade_id:
                    line.direction = "same"
                elif rank is None or line.current_rank < 0:
                    line.direction = "other"
                else:
                    line.direction = "up" if rank > line.current_rank else "down"

    @api.depends("detail", "basis", "points", "grade_id", "proposed_grade_id", "adjust_reason")
    @api.depends_context("lang")
    def _compute_why(self):
        criteria = self.env["channel.tier.criterion"]
        labels = dict(self._fields["basis"]._description_selection(self.env))
        for line in self:
            texts = [
                self.env._("%(points).2f points: %(basis)s", points=line.points, basis=labels.get(line.basis, "")),
                *criteria._explain(line.detail, line.currency_id),
            ]
            if line.adjusted:
                texts.append(self.env._(
                    "%(tier)s instead of %(proposed)s: %(reason)s",
                    tier=line.grade_id.name or self.env._("no tier"),
                    proposed=line.proposed_grade_id.name or self.env._("no tier"),
                    reason=line.adjust_reason,
                ))
            line.why = "\n".join(texts)

    # === CONSTRAINT METHODS === #

    @api.constrains("grade_id", "adjust_reason")
    def _check_adjust_reason(self):
        for line in self:
            if line.adjusted and not (line.adjust_reason or "").strip():
                raise ValidationError(self.env._(
                    "Reason to Differ: say why %(member)s becomes %(tier)s and not %(proposed)s.",
                    member=line.partner_id.display_name,
                    tier=line.grade_id.name or self.env._("no tier"),
                    proposed=line.proposed_grade_id.name or self.env._("no tier"),
                ))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not COMPUTER.opens(self):
            raise AccessError(self.env._("Members of a review are scored by Compute, not entered."))
        return super(ChannelTierReviewLine, COMPUTER.close(self)).create(vals_list)

    def write(self, vals):
        if not COMPUTER.opens(self) and set(vals) - ENTERED and not self.env.su:
            raise AccessError(self.env._("Of a scored member only the new tier and its reason are changed by hand."))
        return super(ChannelTierReviewLine, COMPUTER.close(self)).write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_computed(self):
        if not COMPUTER.opens(self):
            raise AccessError(self.env._("Members of a review go with the review, or by computing it again."))

    def _version_terms(self):
        return [*ENTERED, "partner_id", "points", "detail", "current_grade_id", "proposed_grade_id"]
