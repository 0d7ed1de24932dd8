from lxml import etree

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.private_key import PrivateKey

#: Opens the transitions of an approved document, and the reviews, to the code of this add-on.
_APPROVER = PrivateKey("channel_approver")

#: Context keys by which base_tier_validation lets callers pass; a client must not.
_OPEN_CONTEXT = ("skip_validation_check", "skip_check_state_condition")


class ChannelApprovalMixin(models.AbstractModel):
    """A document that somebody else than its author approves.

    Inherits OCA's tier validation and Odoo's chatter and activities (so do not list ``mail.thread`` before it):
    tier definitions can be made for the model, its form (with a ``<header>``) gets the buttons and the reviews, and
    each step is written to the audit journal.

    * With matching tier definitions: somebody requests the validation, each tier's reviewer validates in
      order, and the last validation approves the document at once.
    * Without: a user of the group :attr:`_approval_group` presses *Approve*.

    The author (creator, last editor of the terms, requester) is never the approver.
    """

    _name = "channel.approval.mixin"
    _description = "Document to Approve"
    _inherit = ["tier.validation", "mail.thread", "mail.activity.mixin"]

    _state_field = "state"
    _state_from = ["draft"]
    _state_to = ["approved"]
    _cancel_state = "cancelled"
    _tier_validation_manual_config = False
    _tier_validation_buttons_xpath = "/form/header/*[last()]"

    #: Who approves when no tier definition matches (XML id of a group).
    _approval_group = "channel_base.group_channel_manager"

    state = fields.Selection(
        [("draft", "Draft"), ("approved", "Approved"), ("cancelled", "Cancelled")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    approved_by_id = fields.Many2one("res.users", string="Approved by", readonly=True, copy=False)
    approved_at = fields.Datetime(string="Approved on", readonly=True, copy=False)
    terms_editor_id = fields.Many2one("res.users", string="Last Editor of the Terms", readonly=True, copy=False)
    approval_requested_by_id = fields.Many2one("res.users", string="Approval Requested by", readonly=True, copy=False)
    can_approve = fields.Boolean(compute="_compute_can_approve")

    # === COMPUTE === #

    @api.depends_context("uid")
    @api.depends("state", "review_ids.status", "terms_editor_id")
    def _compute_can_approve(self):
        in_group = self.env.user.has_group(self._approval_group)
        lines = self.env["channel.approval.deputy"] if in_group else self._deputy_lines()
        for document in self:
            document.can_approve = (
                (in_group or bool(document._approves_for(lines)))
                and document[self._state_field] in self._state_from
                and not document.review_ids
                and self.env.user not in document._approval_authors()
                and not document.need_validation
            )

    @api.depends("review_ids")
    def _compute_need_validation(self):
        return super()._compute_need_validation()

    # === HOOKS === #

    def _approval_terms(self):
        """Return the names of the fields that are approved.

        When named, they cannot be written any more once the document has left its first states. By default
        none is named: then every stored field counts for "last editor", and none is locked.
        """
        return []

    def _approval_done(self):
        """Called when documents have just been approved.

        Runs with superuser rights in the name of the approver, who may have no write access of their own.
        """

    def _approval_step(self, step):
        """Called when the validation of documents was ``requested``, ``restarted``, or one tier of it was
        ``validated`` or ``rejected``."""

    def _approval_before(self):
        """Called just before documents become approved; raise to refuse. Superuser rights, as above."""

    def _approval_audit_values(self):
        """Return ``{id: dict}``: what the journal keeps of each approved document."""
        terms = [name for name in self._approval_terms() if name in self._fields]
        return {document.id: {name: document[name] for name in terms} for document in self}

    def _approval_authors(self):
        """Return the users who may not approve this document: creator, last editor, requester."""
        self.ensure_one()
        # sudo: names of users only, whoever asks may not read all of them
        document = self.sudo()
        return document.create_uid | document.terms_editor_id | document.approval_requested_by_id

    def _deputy_lines(self):
        """Return whose deputy of the approving group the current user is, on one of these days or another."""
        lines = self.env["channel.approval.deputy"]._near([("deputy_id", "=", self.env.uid)])
        # sudo: whose positions are asked for is nobody's secret from the rule that needs them
        return lines.filtered(lambda line: line.user_id.has_group(self._approval_group))

    def _approves_for(self, lines):
        """Return in whose place the current user may approve a document that has no tiers; may be empty.

        :param lines: what :meth:`_deputy_lines` answered
        """
        self.ensure_one()
        if not lines:
            return self.env["res.users"]
        # sudo: only the company is looked at
        company = self.sudo()._get_company()
        authors = self._approval_authors()
        return (lines._holding(self._name, company).user_id - authors).sorted("id")[:1].sudo(False)

    def _log_deputy(self, user):
        """Say on the page in whose place the current user has decided."""
        body = self.env._("Decided by %(deputy)s for %(user)s.", deputy=self.env.user.name, user=user.name)
        # sudo: an approver needs no right to write the document
        self.sudo()._message_log_batch(bodies=dict.fromkeys(self.ids, body))

    def _refresh_deputies(self):
        """Who became a deputy today is a reviewer now, not when the job has run."""
        self.env["channel.approval.deputy"]._near([("deputy_id", "=", self.env.uid)])._refresh_reviews()

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        trusted = _APPROVER.opens(self)
        self = _APPROVER.close(self)
        if not trusted:
            for vals in vals_list:
                self._check_protected_fields(vals)
        documents = super().create([{**vals, "terms_editor_id": self.env.uid} for vals in vals_list])
        if not trusted:
            for document in documents:
                if document[self._state_field] not in (
                    *self._state_from,
                    self._cancel_state,
                ):
                    raise UserError(self._message_not_by_hand(document))
        return documents

    def write(self, vals):
        trusted = _APPROVER.opens(self)
        self = self._without_open_context()
        if not trusted:
            self._check_protected_fields(vals)
            self._check_state_by_hand(vals)
            self._check_terms_locked(vals)
            if self._touches_terms(vals):
                vals = {**vals, "terms_editor_id": self.env.uid}
        else:
            # Dates and the approval itself are written while the reviews are there.
            self = self.with_context(skip_validation_check=True)
        result = super().write(vals)
        # Which definitions match depends on any field, which a compute cannot declare.
        self.invalidate_recordset(["need_validation"], flush=False)
        if vals.get("terms_editor_id"):
            self._refresh_reviewers()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_approved(self):
        for document in self:
            if document[self._state_field] not in (*self._state_from, self._cancel_state):
                raise UserError(self.env._("%s is approved and cannot be deleted.", document.display_name))

    def unlink(self):
        # The reviews go with their document; nobody may delete them alone.
        return super(ChannelApprovalMixin, _APPROVER.open(self)).unlink()

    def _without_open_context(self):
        """Return the documents without the context keys by which checks could be skipped."""
        context = {
            key: value for key, value in self.env.context.items() if key not in _OPEN_CONTEXT and key != _APPROVER.name
        }
        return (
            self
            if len(context) == len(self.env.context)
            # the whole context: keywords could not take keys out
            else self.with_context(context)  # pylint: disable=context-overridden
        )

    @api.model
    def _approval_protected_fields(self):
        """Return the names of the fields that only the approval itself writes."""
        return [
            "approved_by_id",
            "approved_at",
            "terms_editor_id",
            "approval_requested_by_id",
        ]

    def _check_protected_fields(self, vals):
        for name in self._approval_protected_fields():
            if vals.get(name):
                raise UserError(
                    self.env._(
                        "Field “%(field)s” of %(model)s is filled by the approval itself and cannot be written.",
                        field=self._fields[name].string,
                        model=self._description,
                    )
                )

    def _check_state_by_hand(self, vals):
        """Refuse to leave the first states for anything but cancelled without an approval."""
        state = vals.get(self._state_field)
        if not state or state in (*self._state_from, self._cancel_state):
            return
        for document in self:
            if document[self._state_field] in (*self._state_from, self._cancel_state):
                raise UserError(self._message_not_by_hand(document))

    def _message_not_by_hand(self, document):
        return self.env._(
            "%(document)s becomes approved by its approval only: press Approve, or request the validation.",
            document=document.display_name or self._description,
        )

    def _check_terms_locked(self, vals):
        locked = set(vals) & set(self._approval_terms())
        if not locked:
            return
        for document in self:
            if document[self._state_field] not in self._state_from:
                raise UserError(
                    self.env._(
                        "%(document)s is not a draft any more: %(fields)s cannot be changed.",
                        document=document.display_name,
                        fields=", ".join(sorted(self._fields[name].string for name in locked)),
                    )
                )

    def _touches_terms(self, vals):
        terms = self._approval_terms()
        if terms:
            return bool(set(vals) & set(terms))
        return any(name in self._fields and name not in self._approval_technical_fields() for name in vals)

    @api.model
    def _approval_technical_fields(self):
        """Return the names of fields that are never terms: state, approval, chatter, reviews."""
        inherited = (
            self.env["channel.approval.mixin"]._fields.keys()
            | set(models.MAGIC_COLUMNS)
            | {"display_name", self._state_field}
        )
        return inherited

    def _refresh_reviewers(self):
        """An editor of the terms stops being a reviewer of the same document."""
        reviews = self.review_ids.filtered(lambda r: r.status in ("waiting", "pending"))
        if reviews:
            reviews._recompute_reviewers()

    # === TIER VALIDATION === #

    def request_validation(self):
        """Ask the reviewers of the matching tier definitions.

        :return: the reviews (``tier.review``); empty when no definition matches
        :raise UserError: when a tier has no reviewer left beside the author
        """
        self.check_access("write")
        needing = self.filtered("need_validation")
        if needing:
            _APPROVER.open(needing).write({"approval_requested_by_id": self.env.uid})
        reviews = super(ChannelApprovalMixin, _APPROVER.open(self._without_open_context())).request_validation()
        for review in reviews:
            # sudo: names of reviewers, for the message
            if not review.sudo().reviewer_ids:
                raise UserError(
                    self.env._(
                        "Tier “%(tier)s” has no reviewer beside the author of the document. "
                        "Add somebody to it, or let somebody else request the validation.",
                        tier=review.definition_id.name,
                    )
                )
        requested = self.browse(set(reviews.mapped("res_id")))
        self.env["channel.audit.entry"]._record(
            "approval.requested",
            requested,
            after={
                document.id: {"tiers": document.review_ids.sorted("sequence").mapped("name")} for document in requested
            },
        )
        requested._approval_step("requested")
        return reviews.browse(reviews.ids)

    def restart_validation(self):
        """Take back a request: the reviews are dropped, the terms can be edited again."""
        self.check_access("write")
        reviewed = self.filtered(lambda d: d.review_ids and d[d._state_field] in d._state_from)
        before = {
            document.id: {
                "reviews": [
                    {"tier": review.name, "status": review.status} for review in document.review_ids.sorted("sequence")
                ]
            }
            for document in reviewed
        }
        result = super(ChannelApprovalMixin, _APPROVER.open(self._without_open_context())).restart_validation()
        self.env["channel.audit.entry"]._record("approval.restarted", reviewed, before=before)
        reviewed._approval_step("restarted")
        return result

    def validate_tier(self):
        self._refresh_deputies()
        return super().validate_tier()

    def reject_tier(self):
        self._refresh_deputies()
        return super().reject_tier()

    def _validate_tier(self, tiers=False):
        return super(ChannelApprovalMixin, _APPROVER.open(self))._validate_tier(tiers and _APPROVER.open(tiers))

    def _rejected_tier(self, tiers=False):
        return super(ChannelApprovalMixin, _APPROVER.open(self))._rejected_tier(tiers and _APPROVER.open(tiers))

    def _check_allow_write_under_validation(self, vals):
        # The last editor is written beside what was edited.
        edited = {name: value for name, value in vals.items() if name != "terms_editor_id"}
        return super()._check_allow_write_under_validation(edited)

    def _get_fields_to_write_validation(self, vals, records_exception_function):
        edited = {name: value for name, value in vals.items() if name != "terms_editor_id"}
        return super()._get_fields_to_write_validation(edited, records_exception_function)

    def _add_tier_validation_buttons(self, node, params):
        """Add our *Approve*, for documents that no tier definition matches, to the buttons of the tiers."""
        buttons = super()._add_tier_validation_buttons(node, params)
        ours = self.env["ir.qweb"]._render("channel_base.approval_buttons", params)
        buttons.extend(etree.fromstring(ours))
        return buttons

    @api.model
    def get_view(self, view_id=None, view_type="form", **options):
        """Put *Approve* first in the header: a telephone shows the first button only, the others behind a menu."""
        view = super().get_view(view_id=view_id, view_type=view_type, **options)
        if view_type == "form":
            arch = etree.fromstring(view["arch"])
            for approve in arch.xpath("/form/header/button[@name='action_approve']"):
                approve.getparent().insert(0, approve)
                view["arch"] = etree.tostring(arch)
        return view

    def _tier_validation_check_write_remove_reviews(self, vals):
        return super(ChannelApprovalMixin, _APPROVER.open(self))._tier_validation_check_write_remove_reviews(vals)

    # === ACTION === #

    def action_approve(self):
        """Approve the documents, or one's own tier of them.

        :return: ``True``, or the action of the comment wizard when the reviewer's tier wants a comment
        :raise UserError: for the author, for who is not a reviewer (or, without tiers, not in the group), and
            while other tiers are open
        """
        self.check_access("read")
        self._refresh_deputies()
        for document in self:
            document._check_may_approve()
            if document.review_ids:
                result = document.validate_tier()
                if isinstance(result, dict):
                    return result
            else:
                document._approve()
        return True

    def _check_may_approve(self):
        self.ensure_one()
        if self[self._state_field] not in self._state_from:
            raise UserError(
                self.env._(
                    "%(document)s cannot be approved: it is “%(state)s”.",
                    document=self.display_name,
                    state=dict(self._fields[self._state_field]._description_selection(self.env)).get(
                        self[self._state_field]
                    ),
                )
            )
        if self.env.user in self._approval_authors():
            raise UserError(
                self.env._(
                    "%(user)s is an author of %(document)s (creator, last editor or requester): "
                    "somebody else approves it.",
                    user=self.env.user.name,
                    document=self.display_name,
                )
            )
        if self.review_ids:
            if not self.can_review:
                raise UserError(
                    self.env._(
                        "%(document)s waits for: %(reviewers)s.",
                        document=self.display_name,
                        reviewers=", ".join(
                            filter(
                                None,
                                self.review_ids.filtered(lambda r: r.status == "pending").mapped("todo_by"),
                            )
                        )
                        or self.env._("a new request after the rejection"),
                    )
                )
        elif self.need_validation:
            raise UserError(
                self.env._(
                    "%(document)s is approved in tiers: request the validation first.",
                    document=self.display_name,
                )
            )
        elif not self.env.user.has_group(self._approval_group) and not self._approves_for(self._deputy_lines()):
            raise UserError(
                self.env._(
                    "%(document)s is approved by somebody of the group “%(group)s”.",
                    document=self.display_name,
                    group=self.env.ref(self._approval_group).sudo().full_name,
                )
            )

    def _approve(self):
        """Move documents to approved, once whoever approves has been checked."""
        # sudo: the approver was checked (reviewer of the last tier, or of the approval group, and no author), and may
        # have no write access of their own; only the state and the approval are written.
        documents = self.sudo()._without_open_context()
        principals = self._approval_principals()
        documents._approval_before()
        _APPROVER.open(documents).write(
            {
                self._state_field: self._state_to[0],
                "approved_by_id": self.env.uid,
                "approved_at": fields.Datetime.now(),
            }
        )
        after = documents._approval_audit_values()
        for document, user in principals.items():
            after[document.id] = {**after.get(document.id, {}), "for": user.name}
            document._log_deputy(user)
        self.env["channel.audit.entry"]._record("approval.approved", documents, after=after)
        documents._approval_done()

    def _approval_principals(self):
        """:return: ``{document: user}``: those without tiers that the current user approves in somebody's place"""
        if self.env.user.has_group(self._approval_group) or not (lines := self._deputy_lines()):
            return {}
        places = {document: document._approves_for(lines) for document in self if not document.review_ids}
        return {document: user for document, user in places.items() if user}
