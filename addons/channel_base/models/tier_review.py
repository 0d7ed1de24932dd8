from odoo import api, fields, models
from odoo.exceptions import UserError

from .channel_approval_mixin import _APPROVER

_DECISIONS = ("approved", "rejected")
_OPEN = ("waiting", "pending")


class TierReview(models.Model):
    """Reviews of channel documents: decided by who may, in order, and never by an author.

    base_tier_validation gives every internal user write access to reviews, so the rules are kept here and not in
    the buttons.
    """

    _inherit = "tier.review"

    document_name = fields.Char(string="Document", compute="_compute_document_name")

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

    def _get_reviewers(self):
        """Authors of the document are no reviewers of it."""
        reviewers = super()._get_reviewers()
        if self._of_channel() and self.res_id:
            document = self.env[self.model].browse(self.res_id).exists()
            if document:
                reviewers -= document._approval_authors()
        return reviewers

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
            reviews._check_may_decide()
            vals = {
                "status": decision,
                "done_by": self.env.uid,
                "reviewed_date": fields.Datetime.now(),
                **({"comment": vals["comment"]} if vals.get("comment") else {}),
            }
        elif not trusted:
            reviews._check_write_by_hand(vals)
        result = super().write(vals)
        if decision:
            reviews._after_decision(decision)
        return result

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
        """Refuse a decision by who is no reviewer, out of order, or an author of the document."""
        user = self.env.user
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
            if user not in review.reviewer_ids:
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
                },
            )
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
