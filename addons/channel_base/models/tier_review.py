from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError

from .channel_approval_mixin import _APPROVER

_DECISIONS = ("approved", "rejected")
_OPEN = ("waiting", "pending")
_ALERT = "approval"


class TierReview(models.Model):
    """Reviews of channel documents: decided by who may, in order, and never by an author.

    base_tier_validation gives every internal user write access to reviews, so the rules are kept here and not in
    the buttons.
    """

    _inherit = "tier.review"

    document_name = fields.Char(string="Document", compute="_compute_document_name")
    channel_for_id = fields.Many2one(
        "res.users", string="Decided for", readonly=True, help="In whose place a deputy has decided."
    )
    channel_pending_since = fields.Datetime(string="Its Turn since", readonly=True)
    channel_deadline = fields.Date(
        string="Deadline", compute="_compute_channel_deadline", store=True, help="The last day in time."
    )
    channel_escalated_at = fields.Datetime(string="Escalated on", readonly=True)

    _channel_overdue = models.Index(
        "(channel_deadline) WHERE status = 'pending' AND channel_escalated_at IS NULL"
    )

    @api.depends("model", "res_id")
    def _compute_document_name(self):
        for model, reviews in self.grouped("model").items():
            if not self._has_resource_model(model):
                reviews.document_name = False
                continue
            documents = self.env[model].browse(reviews.mapped("res_id")).exists()
            # What the reader may not see has no name here.
            names = {document.id: document.display_name for document in documents._filtered_access("read")}
            for review in reviews:
                review.document_name = names.get(review.res_id, False)

    def _of_channel(self):
        """Return the reviews whose document inherits the approval mixin."""
        names = set(self.env["tier.definition"]._get_channel_model_names())
        return self.filtered(lambda review: review.model in names)

    @api.depends("channel_pending_since", "definition_id.channel_deadline_days")
    def _compute_channel_deadline(self):
        """The last of so many working days of the company, not counting the day on which the turn came.

        Calendar days where the company's working hours name no days.
        """
        companies = self._companies()
        known = {}
        for review in self:
            days = review.definition_id.channel_deadline_days
            # reviews of before there were deadlines
            since = review.channel_pending_since or review.status == "pending" and review.create_date
            if not days or not since:
                review.channel_deadline = False
                continue
            company = companies[review]
            place = company, company._channel_date(since), days
            if place not in known:
                known[place] = self._working_day(*place)
            review.channel_deadline = known[place]

    @api.model
    def _working_day(self, company, day, days):
        """:return: the ``days``-th working day of a company after a day"""
        # sudo: the working hours of the company are no secret
        calendar = company.sudo().resource_calendar_id
        # a day of the company, as its calendar names it, whatever zone that keeps its hours in
        zone = pytz.timezone(calendar.tz or company._channel_zone())
        start = zone.localize(datetime.combine(day + timedelta(days=1), time.min))
        end = calendar and calendar.plan_days(days, start, compute_leaves=True)
        return end.astimezone(zone).date() if end else day + timedelta(days=days)

    def _companies(self):
        """:return: ``{review: company}`` of the document, else of the current one"""
        companies = {}
        for model, reviews in self.grouped("model").items():
            documents = {}
            if self._has_resource_model(model):
                # sudo: only the company is looked at
                documents = {
                    document.id: document
                    for document in self.env[model].sudo().browse(set(reviews.mapped("res_id"))).exists()
                }
            for review in reviews:
                document = documents.get(review.res_id)
                companies[review] = document._get_company().sudo(False) if document else self.env.company
        return companies

    # === REVIEWERS === #

    @api.model
    def _get_reviewer_fields(self):
        return super()._get_reviewer_fields() + [
            "channel_escalated_at",
            "definition_id.channel_escalation_user_id",
            "definition_id.channel_escalation_group_id.user_ids",
        ]

    def _compute_reviewer_ids(self):
        """Deputies review as well: of those who may review themselves, not of other deputies."""
        ours = self._of_channel()
        super(TierReview, self - ours)._compute_reviewer_ids()
        own, authors = ours._own_reviewers()
        reviewers = dict(own)
        reviews = ours.filtered(lambda review: review.res_id and review.status in _OPEN)
        principals = self.env["res.users"].union(*(own[review] for review in reviews))
        near = principals and self.env["channel.approval.deputy"]._near([("user_id", "in", principals.ids)])
        if near:
            companies = reviews._companies()
            holding = {}
            for review in reviews:
                place = review.model, companies[review]
                if place not in holding:
                    holding[place] = near._holding(*place)
                deputies = holding[place].filtered(lambda line, users=own[review]: line.user_id in users).deputy_id
                reviewers[review] = own[review] | (deputies - authors[review])
        # many reviews have the same reviewers, and are written together
        for users, same in ours.grouped(lambda review: frozenset(reviewers[review].ids)).items():
            same.reviewer_ids = self.env["res.users"].browse(sorted(users))

    def _recompute_reviewers(self):
        if self:
            self.env.add_to_compute(self._fields["reviewer_ids"], self)
            # and what follows from it, as if it had been written
            self.modified(["reviewer_ids"])

    def _get_reviewers(self):
        """Authors of the document are no reviewers of it; after the deadline others are, too."""
        if not self._of_channel():
            return super()._get_reviewers()
        own, _authors = self._own_reviewers()
        return own[self]

    def _own_reviewers(self):
        """:return: ``({review: users}, {review: users})``: who reviews, deputies aside, and the authors who may not"""
        own, authors = {}, {}
        for model, reviews in self.grouped("model").items():
            documents = self.env[model].browse(set(reviews.mapped("res_id"))).exists()
            by_id = {document.id: document for document in documents}
            for review in reviews:
                document = by_id.get(review.res_id)
                authors[review] = document._approval_authors() if document else self.env["res.users"]
                # pylint: disable-next=super-method-mismatch  # the override asks this method
                users = super(TierReview, review)._get_reviewers()
                if review.channel_escalated_at:
                    users |= review._escalation_users()
                own[review] = users - authors[review]
        return own, authors

    def _escalation_users(self):
        """Return whom the tier names for when its deadline has passed."""
        definition = self.definition_id
        users = definition.channel_escalation_user_id | definition.channel_escalation_group_id.all_user_ids
        return users.filtered(lambda user: user.active and not user.share)

    def _decided_for(self):
        """Return for whom the current user reviews: the user, somebody as whose deputy, or nobody."""
        self.ensure_one()
        user = self.env.user
        # sudo: who reviews, whoever asks
        review = self.sudo()
        own = review._get_reviewers()
        if user in own:
            return user
        company = review._companies()[review]
        lines = self.env["channel.approval.deputy"]._near(
            [("deputy_id", "=", user.id), ("user_id", "in", own.ids)]
        )
        return lines._holding(review.model, company).user_id.sorted("id")[:1].sudo(False)

    def _update_review_status(self):
        # Which review is next follows from the reviews alone, whoever asks.
        return super(TierReview, _APPROVER.open(self))._update_review_status()

    # === ACTION === #

    def action_open_document(self):
        """Open the document that is to be reviewed."""
        self.ensure_one()
        return self.env[self.model].browse(self.res_id).get_formview_action()

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        if not _APPROVER.opens(self):
            names = set(self.env["tier.definition"]._get_channel_model_names())
            default = self.default_get(["model"]).get("model")
            if any(vals.get("model", default) in names for vals in vals_list):
                raise UserError(self.env._("Reviews are made by requesting the validation of a document, not by hand."))
        return super(TierReview, _APPROVER.close(self)).create(vals_list)

    def write(self, vals):
        reviews = self._of_channel()
        if not reviews:
            return super().write(vals)
        trusted = _APPROVER.opens(self)
        self = _APPROVER.close(self)
        reviews = _APPROVER.close(reviews)
        decision = vals.get("status") if vals.get("status") in _DECISIONS else None
        if decision:
            places = reviews._check_may_decide()
            vals = {
                "status": decision,
                "done_by": self.env.uid,
                "reviewed_date": fields.Datetime.now(),
                **({"comment": vals["comment"]} if vals.get("comment") else {}),
            }
            for place, decided in places.items():
                if place != self.env.user:
                    super(TierReview, decided).write({"channel_for_id": place.id})
        elif not trusted:
            reviews._check_write_by_hand(vals)
        if vals.get("status") == "pending":
            vals = {**vals, "channel_pending_since": fields.Datetime.now()}
        result = super().write(vals)
        if decision:
            reviews._clear_escalation()
            reviews._after_decision(decision)
        return result

    def unlink(self):
        self._clear_escalation()
        return super().unlink()

    def _clear_escalation(self):
        escalated = self.filtered("channel_escalated_at")
        if escalated:
            self.env["channel.alert"]._clear_alerts(_ALERT, [str(review.id) for review in escalated])

    @api.ondelete(at_uninstall=False)
    def _unlink_except_of_channel(self):
        if not _APPROVER.opens(self) and self._of_channel():
            raise UserError(self.env._("Reviews cannot be deleted: restart the validation of the document instead."))

    # === RULES === #

    def _check_write_by_hand(self, vals):
        """Outside a decision only the comment may be written, by a reviewer, while the review is open."""
        if not self.env.su and set(vals) - {"comment"}:
            raise UserError(self.env._("Reviews are changed by validating or rejecting the document, not by hand."))
        if "comment" in vals:
            for review in self:
                if review.status not in _OPEN or self.env.user not in review.reviewer_ids:
                    raise UserError(
                        self.env._(
                            "Only a reviewer of tier “%s” comments it, while it is open.",
                            review.name,
                        )
                    )

    def _check_may_decide(self):
        """Refuse a decision by who is no reviewer, out of order, or an author of the document.

        :return: ``{user: reviews}``: in whose place the current user decides, the own one or a deputy's
        """
        user = self.env.user
        places = {}
        for review in self:
            document = self.env[review.model].browse(review.res_id)
            document.check_access("read")
            if document[document._state_field] not in document._state_from:
                raise UserError(self.env._("%s is not under validation.", document.display_name))
            if user in document._approval_authors():
                raise UserError(
                    self.env._(
                        "%(user)s is an author of %(document)s (creator, last editor or requester): "
                        "somebody else decides.",
                        user=user.name,
                        document=document.display_name,
                    )
                )
            place = review._decided_for()
            if not place:
                raise UserError(
                    self.env._(
                        "%(user)s is not a reviewer of tier “%(tier)s” of %(document)s.",
                        user=user.name,
                        tier=review.name,
                        document=document.display_name,
                    )
                )
            before = document.review_ids - self
            if (
                review.status != "pending"
                or any(other.status == "rejected" for other in before)
                or review.approve_sequence
                and any(other.status in _OPEN and other.sequence < review.sequence for other in before)
            ):
                raise UserError(
                    self.env._(
                        "It is not the turn of tier “%(tier)s” of %(document)s.",
                        tier=review.name,
                        document=document.display_name,
                    )
                )
            places[place] = places.get(place, self.browse()) | review
        return places

    def _after_decision(self, decision):
        """Write the journal, and approve the documents of which this was the last review."""
        Entry = self.env["channel.audit.entry"]
        code = {"approved": "approval.validated", "rejected": "approval.rejected"}
        for review in self.sorted("sequence"):
            document = self.env[review.model].browse(review.res_id)
            Entry._record(
                code[decision],
                document,
                reason=review.comment,
                after={
                    "tier": review.name,
                    "level": review.sequence,
                    "status": decision,
                    # sudo: a name for the journal
                    **({"for": review.sudo().channel_for_id.name} if review.channel_for_id else {}),
                },
            )
            if review.channel_for_id:
                document._log_deputy(review.sudo().channel_for_id)  # sudo: as above
            document._approval_step("validated" if decision == "approved" else decision)
        if decision == "rejected":
            return
        for model, reviews in self.grouped("model").items():
            documents = self.env[model].browse(set(reviews.mapped("res_id")))
            for document in documents:
                if (
                    document.validation_status == "validated"
                    and document[document._state_field] in document._state_from
                ):
                    document._approve()

    # === DEADLINE === #

    @api.model
    def _cron_deadlines(self):
        """Bring deputies in step with the day, and escalate what has passed its deadline; again changes nothing."""
        Deputy = self.env["channel.approval.deputy"]
        today = fields.Date.today()
        # those that began or ended lately, in one time zone or another, or while the job stood still
        Deputy.search([("date_to", ">=", fields.Date.subtract(today, days=31)),
                       ("date_from", "<=", fields.Date.add(today, days=1))])._refresh_reviews()
        overdue = self.search(
            [
                ("status", "=", "pending"),
                ("channel_escalated_at", "=", False),
                ("channel_deadline", "<", fields.Date.add(today, days=1)),
                ("model", "in", self.env["tier.definition"]._get_channel_model_names()),
            ]
        )
        companies = overdue._companies()
        overdue.filtered(lambda review: review.channel_deadline < companies[review]._channel_today())._escalate()

    def _escalate(self):
        """Tell whom the tier names that reviews are late, and make them reviewers: once for each review."""
        if not self:
            return
        # pylint: disable-next=super-method-mismatch  # an hour that only this method sets
        super().write({"channel_escalated_at": fields.Datetime.now()})
        self._recompute_reviewers()
        companies = self._companies()
        for model, reviews in self.grouped("model").items():
            documents = self.env[model].browse(set(reviews.mapped("res_id"))).exists()
            by_id = {document.id: document for document in documents}
            alerts, told = [], {}
            for review in reviews.filtered(lambda review, by_id=by_id: review.res_id in by_id):
                document = by_id[review.res_id]
                users = (review._escalation_users() - document._approval_authors()).sorted("id")
                told[review] = users
                alerts.append(
                    {
                        "key": str(review.id),
                        "name": self.env._(
                            "%(document)s waits for tier “%(tier)s” since %(date)s, deadline %(deadline)s",
                            document=document.display_name,
                            tier=review.name,
                            date=companies[review]._channel_date(review.channel_pending_since or review.create_date),
                            deadline=review.channel_deadline,
                        ),
                        "record": document,
                        "company": companies[review],
                        "user": users[:1],
                    }
                )
            raised = self.env["channel.alert"]._raise_alerts(_ALERT, alerts)
            for alert, users in zip(raised, told.values(), strict=True):
                for user in users - alert.user_id:
                    alert._schedule_activity(user)
            late = {}
            for review, users in told.items():
                late.setdefault(review.res_id, []).append(
                    {
                        "tier": review.name,
                        "level": review.sequence,
                        "deadline": review.channel_deadline,
                        "to": users.mapped("name"),
                    }
                )
            self.env["channel.audit.entry"]._record(
                "approval.escalated",
                documents,
                after={res_id: {"reviews": reviews_late} for res_id, reviews_late in late.items()},
            )
