from datetime import datetime, time

from dateutil.relativedelta import relativedelta
from pytz import timezone

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tools import format_date

from .channel_qualification_questions_mixin import EXPIRING_DAYS

VERIFY_ACTIVITY = "channel_member.mail_activity_type_verify"
TERMS = {
    "partner_id", "type_id", "number", "issuer", "issue_date", "expiry_date", "previous_id",
    "document", "document_name",
    "scope_ids", "scope_text", "scope_unparsed",
}
DECISION_FIELDS = {
    "state", "author_ids", "submitted_by_id", "submitted_at", "verified_by_id", "verified_at", "revoked_on",
    "is_evidence", "replaced_by_id", "replaced_on", "suspension_ids", "return_reason", "returned_by_id", "returned_at",
}
#: Somebody still works on the document: its terms may change, and it is in force on no day.
OPEN_STATES = ("draft", "to_verify")


class ChannelQualification(models.Model):
    """A document that a member holds: its number, its validity and what it allows.

    ``state`` is what people decided; ``status`` adds what the calendar makes of it today, in the time zone of the
    document's company (of the current company where the member belongs to none): the day of expiry is the last day in
    force, until midnight there. Checks use dates, never ``status``: they ask :meth:`_in_force_sql` about the date of
    a document.

    A verified document does not change: a renewal is a new version (``previous_id``) with a file of its own, and
    takes the place of the one before from its first day on. Suspensions are dated rows. So the question whether a
    document was in force on a day keeps its answer. What was verified once is evidence and stays until
    ``retention_until``.
    """

    _name = "channel.qualification"
    _description = "Qualification"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "channel.register.mixin",
        "channel.qualification.questions.mixin",
        "channel.qualification.portal.mixin",
    ]
    _order = "partner_id, type_id, expiry_date desc, id desc"
    _rec_names_search = ["number", "partner_id.name", "type_id.name"]
    _check_company_auto = True

    partner_id = fields.Many2one(
        "res.partner",
        string="Member",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('channel_role', '!=', False)]",
        tracking=True,
    )
    company_id = fields.Many2one(related="partner_id.company_id", store=True, index="btree_not_null")
    region_id = fields.Many2one(related="partner_id.channel_region_id", store=True, index="btree_not_null")
    type_id = fields.Many2one(
        "channel.qualification.type", required=True, index=True, ondelete="restrict", tracking=True
    )
    has_scope = fields.Boolean(related="type_id.has_scope")
    number = fields.Char(required=True, index="trigram", tracking=True)
    issuer = fields.Char(help="Authority or body that issued it, as written on the document.")
    issue_date = fields.Date(required=True, tracking=True, help="First day in force.")
    expiry_date = fields.Date(
        compute="_compute_expiry_date",
        store=True,
        readonly=False,
        copy=False,
        index="btree_not_null",
        tracking=True,
        help="Last day in force; empty when it does not expire.",
    )
    document = fields.Binary(attachment=True, copy=False, help="Stamped copy, best as one PDF.")
    document_name = fields.Char(copy=False)
    scope_ids = fields.One2many(
        "channel.qualification.scope",
        "qualification_id",
        copy=True,
        help="What the document allows, line by line. Without any line it allows everything, unless its type wants a "
        "scope: then it allows nothing.",
    )
    scope_text = fields.Text(string="Scope as Printed", help="Scope of business, word for word as on the document.")
    scope_unparsed = fields.Text(
        string="Scope Not Understood",
        help="Parts of the printed scope that are in no scope line: they allow nothing.",
    )
    scope_missing = fields.Boolean(
        compute="_compute_scope_missing", help="The type wants a scope and the document has no line: it allows nothing."
    )
    note = fields.Text()
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("to_verify", "To verify"),
            ("verified", "Verified"),
            ("suspended", "Suspended"),
            ("revoked", "Revoked"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
        help="What people decided.",
    )
    status = fields.Selection(
        [
            ("draft", "Draft"),
            ("to_verify", "To verify"),
            ("valid", "Valid"),
            ("expiring", "Expiring"),
            ("expired", "Expired"),
            ("suspended", "Suspended"),
            ("revoked", "Revoked"),
            ("replaced", "Replaced"),
        ],
        compute="_compute_status",
        search="_search_status",
        help="As of today, where the company is.",
    )
    days_left = fields.Integer(compute="_compute_status", help="Days until the expiry; negative after it.")
    renewed = fields.Boolean(
        compute="_compute_renewed", help="Another verified document of the same type takes over without a gap."
    )
    renewal_opens = fields.Date(compute="_compute_renewal_window", help="First day to request the renewal.")
    renewal_closes = fields.Date(compute="_compute_renewal_window", help="Last day to request the renewal.")

    # Versions
    previous_id = fields.Many2one(
        "channel.qualification",
        string="Renews",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        domain="[('partner_id', '=', partner_id), ('type_id', '=', type_id), ('id', '!=', id)]",
        help="Document whose place this one takes from its first day in force on.",
    )
    next_ids = fields.One2many("channel.qualification", "previous_id", string="Renewals")
    version = fields.Integer(compute="_compute_version", store=True, recursive=True, aggregator=None)
    replaced_by_id = fields.Many2one(
        "channel.qualification", readonly=True, copy=False, index="btree_not_null", ondelete="set null"
    )
    replaced_on = fields.Date(readonly=True, copy=False, help="First day in force of the document that replaces it.")

    # Decisions
    author_ids = fields.Many2many(
        "res.users",
        "channel_qualification_author_rel",
        "qualification_id",
        "user_id",
        string="Entered By",
        readonly=True,
        copy=False,
        help="Everybody who entered or changed it: somebody else verifies it.",
    )
    submitted_by_id = fields.Many2one(
        "res.users", string="Last Changed By", readonly=True, copy=False, help="Who entered or last changed it."
    )
    submitted_at = fields.Datetime(readonly=True, copy=False, help="When it was handed in for verification.")
    verified_by_id = fields.Many2one("res.users", readonly=True, copy=False, tracking=True)
    verified_at = fields.Datetime(readonly=True, copy=False)
    returned_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    returned_at = fields.Datetime(readonly=True, copy=False)
    return_reason = fields.Char(
        readonly=True, copy=False, tracking=True, help="Why it was not accepted; the member reads it on the portal."
    )
    suspension_ids = fields.One2many("channel.qualification.suspension", "qualification_id", string="Suspensions")
    revoked_on = fields.Date(readonly=True, copy=False, help="From this day on it is not in force.")

    # Keeping
    active = fields.Boolean(default=True, copy=False)
    is_evidence = fields.Boolean(
        string="Evidence", readonly=True, copy=False, help="It was verified once, so that decisions may rest on it."
    )
    retention_until = fields.Date(
        compute="_compute_retention_until",
        store=True,
        help="Last day on which it can be neither deleted nor archived; empty when it is kept for ever.",
    )

    # Who cares
    responsible_user_id = fields.Many2one(
        "res.users",
        string="Owner",
        compute="_compute_responsible_user_id",
        compute_sudo=True,
        help="Who is in charge of the member's region, else the member's salesperson, else who the company names.",
    )
    notified_partner_ids = fields.Many2many(
        "res.partner",
        string="Notified Contacts",
        compute="_compute_notified_partner_ids",
        compute_sudo=True,
        help="Who is written to: the member, else its contacts with a portal account, else any contact with an e-mail.",
    )

    _dates_order = models.Constraint(
        "CHECK(expiry_date IS NULL OR expiry_date >= issue_date)", "A document cannot expire before it is issued."
    )
    _member_type_idx = models.Index("(partner_id, type_id, expiry_date)")
    _one_renewal = models.UniqueIndex(
        "(previous_id) WHERE previous_id IS NOT NULL AND state NOT IN ('draft', 'to_verify')",
        "The document has been renewed by another one already.",
    )

    #=== COMPUTE METHODS ===#

    @api.depends("type_id", "number")
    def _compute_display_name(self):
        for qualification in self:
            qualification.display_name = " ".join(
                filter(None, (qualification.type_id.name, qualification.number))
            )

    @api.depends("type_id", "issue_date")
    def _compute_expiry_date(self):
        for qualification in self:
            months = qualification.type_id.validity_months
            if months and qualification.issue_date:
                qualification.expiry_date = qualification.issue_date + relativedelta(months=months, days=-1)
            else:
                qualification.expiry_date = qualification.expiry_date

    @api.depends("state", "expiry_date", "revoked_on", "replaced_on", "company_id", "suspension_ids.date_from",
                 "suspension_ids.lifted_on")
    @api.depends_context("company")
    def _compute_status(self):
        todays = self._todays()
        for qualification in self:
            today, expiry = todays[qualification.company_id], qualification.expiry_date
            qualification.days_left = (expiry - today).days if expiry else 0
            if qualification.state in OPEN_STATES:
                qualification.status = qualification.state
            elif qualification.revoked_on and qualification.revoked_on <= today:
                qualification.status = "revoked"
            elif qualification.replaced_on and qualification.replaced_on <= today:
                qualification.status = "replaced"
            elif expiry and expiry < today:
                qualification.status = "expired"
            elif qualification._suspended_on(today):
                qualification.status = "suspended"
            elif expiry and qualification.days_left <= EXPIRING_DAYS:
                qualification.status = "expiring"
            else:
                qualification.status = "valid"

    def _search_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: every company that a document may belong to; rules decide which documents are seen.
        # pylint: disable-next=no-search-all  # companies of the database
        companies = self.env["res.company"].sudo().search([])
        by_day = companies.grouped(lambda company: company._channel_today())
        return Domain.OR(
            Domain("company_id", "in", [*of_day.ids, *([False] if self.env.company in of_day else [])])
            & self._status_domain(value, today)
            for today, of_day in by_day.items()
        )

    def _status_domain(self, statuses, today):
        """Domain of the documents that have one of ``statuses`` on the day ``today``."""
        soon = today + relativedelta(days=EXPIRING_DAYS)
        left = Domain("state", "not in", OPEN_STATES)
        domains = {state: Domain("state", "=", state) for state in OPEN_STATES}
        for status, domain in (
            ("revoked", Domain("revoked_on", "<=", today)),
            ("replaced", Domain("replaced_on", "<=", today)),
            ("expired", Domain("expiry_date", "<", today)),
            # Without the rights on suspensions, which dealers on the portal do not have: who sees the document may know
            # that it is suspended.
            ("suspended", Domain("suspension_ids", "any!", [
                ("date_from", "<=", today), "|", ("lifted_on", "=", False), ("lifted_on", ">", today),
            ])),
            ("expiring", Domain("expiry_date", "<=", soon)),
            ("valid", Domain.TRUE),
        ):
            domains[status] = left & domain
            left &= ~domain
        return Domain.OR(domains[status] for status in statuses if status in domains)

    @api.depends(
        "expiry_date", "company_id", "type_id.renewal_window_days", "type_id.renewal_deadline_days",
        "type_id.renewal_day_kind",
    )
    @api.depends_context("company")
    def _compute_renewal_window(self):
        for qualification in self:
            qualification.renewal_opens, qualification.renewal_closes = qualification._renewal_window()

    @api.depends("previous_id.version")
    def _compute_version(self):
        for qualification in self:
            qualification.version = (qualification.previous_id.version or 0) + 1

    @api.depends(
        "expiry_date", "revoked_on", "replaced_on", "type_id.retention_forever", "type_id.retention_years",
        "type_id.retention_years_no_expiry",
    )
    def _compute_retention_until(self):
        for qualification in self:
            kind = qualification.type_id
            if kind.retention_forever:
                qualification.retention_until = False
            elif qualification.expiry_date:
                qualification.retention_until = qualification.expiry_date + relativedelta(years=kind.retention_years)
            else:
                entered = (qualification.create_date or fields.Datetime.now()).date()
                end = max(filter(None, (entered, qualification.revoked_on, qualification.replaced_on)))
                qualification.retention_until = end + relativedelta(years=kind.retention_years_no_expiry)

    @api.depends("partner_id.user_id", "region_id", "company_id")
    @api.depends_context("company")
    def _compute_responsible_user_id(self):
        in_charge = {region: region._people_in_charge() for region in self.region_id}
        for qualification in self:
            company = qualification.company_id or self.env.company
            users = in_charge.get(qualification.region_id, self.env["res.users"])
            users |= qualification.partner_id.user_id
            qualification.responsible_user_id = (
                # sudo: people in charge come with the rights of who asks, who may be a portal user.
                users.sudo().filtered(lambda user, company=company: user.active and company in user.company_ids)[:1]
                or company._channel_alert_user()
            )

    @api.depends("partner_id.email", "partner_id.child_ids.email", "partner_id.child_ids.user_ids")
    def _compute_notified_partner_ids(self):
        for qualification in self:
            member = qualification.partner_id
            contacts = member.child_ids.filtered("email")
            qualification.notified_partner_ids = (
                member.filtered("email") or contacts.filtered("user_ids") or contacts[:1]
            )

    @api.depends("type_id.has_scope", "type_id.scope_required", "scope_ids")
    def _compute_scope_missing(self):
        for qualification in self:
            wanted = qualification.type_id.has_scope and qualification.type_id.scope_required
            qualification.scope_missing = wanted and not qualification.scope_ids

    @api.depends("state", "partner_id", "type_id", "expiry_date")
    def _compute_renewed(self):
        renewed = self._renewed_ids()
        for qualification in self:
            qualification.renewed = qualification.id in renewed

    #=== CONSTRAINT METHODS ===#

    @api.constrains("partner_id")
    def _check_partner_id(self):
        for qualification in self:
            if not qualification.partner_id.channel_role:
                raise ValidationError(self.env._(
                    "%s is not a member of the channel: give it a channel role first.",
                    qualification.partner_id.display_name,
                ))

    @api.constrains("previous_id", "partner_id", "type_id", "issue_date")
    def _check_previous_id(self):
        if self._has_cycle("previous_id"):
            raise ValidationError(self.env._("A document cannot renew itself: choose another one under Renews."))
        for qualification in self.filtered("previous_id"):
            previous = qualification.previous_id
            if (previous.partner_id, previous.type_id) != (qualification.partner_id, qualification.type_id):
                raise ValidationError(self.env._(
                    "%(document)s cannot renew %(previous)s: choose under Renews a document of the same member and "
                    "type.",
                    document=qualification.display_name,
                    previous=previous.display_name,
                ))
            if qualification.issue_date < previous.issue_date:
                raise ValidationError(self.env._(
                    "%(document)s is of %(date)s, before %(previous)s that it renews (%(previous_date)s): correct the "
                    "issue date or Renews.",
                    document=qualification.display_name,
                    date=format_date(self.env, qualification.issue_date),
                    previous=previous.display_name,
                    previous_date=format_date(self.env, previous.issue_date),
                ))

    @api.constrains("state", "number", "type_id")
    def _check_number(self):
        for qualification in self.filtered(lambda q: q.state == "verified"):
            result = qualification.type_id._validate(qualification.number)
            if not result["valid"]:
                raise ValidationError(self.env._(
                    "Number %(number)s is not valid for %(type)s: %(reason)s Correct it before it is verified.",
                    number=qualification.number,
                    type=qualification.type_id.name,
                    reason=qualification.type_id._validation_message(result),
                ))

    @api.constrains("type_id")
    def _check_scope(self):
        """Lines that fitted the type before may not fit the new one."""
        self.scope_ids._check_scheme()

    #=== CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if not self.env.su and DECISION_FIELDS & vals.keys() and vals.get("state", "draft") != "draft":
                raise AccessError(self.env._("A document is entered as a draft and verified by somebody else."))
        vals_list = [
            {**vals, "submitted_by_id": self.env.uid, "author_ids": [Command.set([self.env.uid])]} for vals in vals_list
        ]
        if not self.env.su:
            # A client must not decide by the default values of its context either.
            neutral = {name: False for name in DECISION_FIELDS - {"state", "submitted_by_id", "author_ids"}}
            vals_list = [{**vals, **neutral, "state": "draft"} for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and DECISION_FIELDS & vals.keys():
            raise AccessError(self.env._(
                "Use the buttons (Submit, Verify, Return, Suspend, Revoke, Back to Draft): the state of a document is "
                "not edited."
            ))
        if TERMS & vals.keys():
            decided = self.filtered(lambda q: not q._is_open())
            if decided:
                raise UserError(self.env._(
                    "%s is verified or revoked and does not change. Enter a renewal as a new document, or set it back "
                    "to draft to correct it.", decided[0].display_name,
                ))
            vals = {**vals, "submitted_by_id": self.env.uid, "author_ids": [Command.link(self.env.uid)]}
        if "active" in vals and not vals["active"]:
            self._check_retention()
        if "document" in vals:
            self._keep_replaced_file()
        return super().write(vals)

    def unlink(self):
        evidence = self.filtered("is_evidence")
        if evidence:
            evidence._check_retention()
            evidence._check_may_decide()
            self.env["channel.audit.entry"]._record(
                "qualification.deleted", evidence, before=evidence._audit_values(),
                reason=self.env._("Kept as long as the law asks."),
            )
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_waiting(self):
        for qualification in self:
            if qualification.state == "to_verify":
                raise UserError(self.env._(
                    "%s waits for verification: return it first, then it can be deleted.", qualification.display_name
                ))

    def _keep_replaced_file(self):
        """Keep the file of an evidence that is about to get another one as an attachment of the document."""
        for qualification in self.filtered(lambda q: q.is_evidence and q.document):
            name = qualification.document_name or self.env._("document")
            # sudo: whoever may write the document; nothing but a copy of its own file is added to it.
            qualification.sudo()._message_log(
                body=self.env._("Another file takes the place of this one."),
                attachment_ids=self.env["ir.attachment"].sudo().create({
                    "name": name,
                    "datas": qualification.document,
                    "res_model": self._name,
                    "res_id": qualification.id,
                }).ids,
            )

    #=== ACTION METHODS ===#

    def action_submit(self):
        """Hand drafts in for verification. Who is in charge of the member gets an activity.

        :raise UserError: a document is no draft
        """
        self.check_access("write")
        for qualification in self:
            if qualification.state != "draft":
                raise UserError(self.env._("%s is not a draft.", qualification.display_name))
        # sudo: the right to write has been checked; only the hand-in is written.
        self.sudo().write({
            "state": "to_verify", "submitted_at": fields.Datetime.now(), "return_reason": False,
            "returned_by_id": False, "returned_at": False,
        })
        self._schedule_verification()
        return True

    def action_withdraw(self):
        """Take back what was handed in, to correct or delete it. Who entered it, or Compliance.

        :raise AccessError: the user is neither
        :raise UserError: a document does not wait for verification
        """
        self.check_access("read")
        for qualification in self:
            if self.env.user not in qualification.author_ids:
                qualification._check_may_decide()
            if qualification.state != "to_verify":
                raise UserError(self.env._("%s is not waiting for verification.", qualification.display_name))
        # sudo: checked above; only the hand-in is taken back.
        self.sudo().write({"state": "draft", "submitted_at": False})
        self._close_verification(self.env._("Withdrawn"))
        return True

    def action_verify(self):
        """Confirm that the documents were seen and are genuine. Compliance, and not who entered or changed them.

        A renewal takes the place of the document before it from its first day in force on. Drafts can be verified
        without having been submitted.

        :raise AccessError: the user is not of Compliance
        :raise UserError: a document is decided already, the user entered or changed it, or the document that it
            renews has been renewed by another one
        :raise ValidationError: a number is not valid; the message says why
        """
        self._check_may_decide()
        for qualification in self:
            if qualification.state not in OPEN_STATES:
                raise UserError(self.env._("%s is not waiting for verification.", qualification.display_name))
            if not qualification.active:
                raise UserError(self.env._("%s is archived: restore it first.", qualification.display_name))
            if self.env.user in qualification.author_ids and self.env.uid != SUPERUSER_ID:
                raise UserError(self.env._(
                    "%(user)s entered or changed %(document)s: somebody else verifies it.",
                    user=self.env.user.name,
                    document=qualification.display_name,
                ))
            other = qualification.previous_id.replaced_by_id
            if other and other != qualification:
                raise UserError(self.env._(
                    "%(previous)s has been renewed by %(other)s already: choose that one under Renews.",
                    previous=qualification.previous_id.display_name,
                    other=other.display_name,
                ))
        before = {qualification.id: {"state": qualification.state} for qualification in self}
        # sudo: the decision has been checked above; only the decision is written.
        self.sudo().write({
            "state": "verified", "verified_by_id": self.env.uid, "verified_at": fields.Datetime.now(),
            "is_evidence": True, "return_reason": False, "returned_by_id": False, "returned_at": False,
        })
        self._link_versions()
        self.env["channel.audit.entry"]._record(
            "qualification.verified", self, before=before, after=self._audit_values()
        )
        self._close_verification(self.env._("Verified"))
        self._clear_renewed_alerts()
        return True

    def action_reject(self, reason=None):
        """Return what was handed in, with the reason; the member reads it on the portal and gets a mail. Compliance.

        :param str reason: what is to be corrected; without it the wizard that asks for it is returned
        """
        if not reason:
            return self.env["channel.member.decision"]._open(self, "reject_qualification")
        self._check_may_decide()
        for qualification in self:
            if qualification.state != "to_verify":
                raise UserError(self.env._("%s is not waiting for verification.", qualification.display_name))
        self._return(reason, "qualification.returned")
        self._close_verification(reason)
        self._send_template("channel_member.mail_template_qualification_returned")
        return True

    def action_suspend(self, reason=None, date=None):
        """Take documents out of force for the time being. Compliance.

        :param str reason: why; without it the wizard that asks for it is returned
        :param date: first day that it is not in force; today when not given
        """
        if not reason:
            return self.env["channel.member.decision"]._open(self, "suspend_qualification")
        self._check_may_decide()
        self._check_state("verified")
        todays = self._todays()
        # sudo: as in action_verify
        self.sudo().write({"state": "suspended"})
        days = {q.id: fields.Date.to_date(date) or todays[q.company_id] for q in self}
        self.env["channel.qualification.suspension"].sudo().create([
            {
                "qualification_id": qualification.id, "date_from": days[qualification.id], "reason": reason,
                "suspended_by_id": self.env.uid,
            }
            for qualification in self
        ])
        self.env["channel.audit.entry"]._record(
            "qualification.suspended", self, reason=reason, before={"state": "verified"},
            after={q.id: {"state": "suspended", "date_from": days[q.id]} for q in self},
        )
        return True

    def action_lift(self, reason=None, date=None):
        """End the suspension of documents: they are in force again. Compliance.

        :param str reason: why; without it the wizard that asks for it is returned
        :param date: first day that it is in force again; today when not given
        """
        if not reason:
            return self.env["channel.member.decision"]._open(self, "lift_qualification")
        self._check_may_decide()
        self._check_state("suspended")
        days = self._end_suspensions(date, reason)
        # sudo: as in action_verify
        self.sudo().write({"state": "verified"})
        self.env["channel.audit.entry"]._record(
            "qualification.lifted", self, reason=reason, before={"state": "suspended"},
            after={q.id: {"state": "verified", "lifted_on": days.get(q.id)} for q in self},
        )
        return True

    def action_revoke(self, reason=None, date=None):
        """Take documents out of force. Compliance.

        :param str reason: why; without it the wizard that asks for it is returned
        :param date: first day that it is not in force any more; today when not given
        """
        if not reason:
            return self.env["channel.member.decision"]._open(self, "revoke_qualification")
        self._check_may_decide()
        self._check_state("verified", "suspended")
        before = {qualification.id: {"state": qualification.state} for qualification in self}
        todays = self._todays()
        for day, of_day in self.grouped(lambda q: fields.Date.to_date(date) or todays[q.company_id]).items():
            of_day._end_suspensions(day, reason)
            # sudo: as in action_verify
            of_day.sudo().write({"state": "revoked", "revoked_on": day})
            self.env["channel.audit.entry"]._record(
                "qualification.revoked", of_day, reason=reason, before=before,
                after={"state": "revoked", "revoked_on": day},
            )
        return True

    def action_draft(self, reason=None):
        """Set documents back to draft to correct what was entered; they are not in force until verified again.

        :param str reason: why; without it the wizard that asks for it is returned
        :raise UserError: a document is suspended: the suspension is lifted first, so that its days stay as they were
        """
        if not reason:
            return self.env["channel.member.decision"]._open(self, "reset_qualification")
        self._check_may_decide()
        self._check_state("to_verify", "verified", "revoked")
        self._return(reason, "qualification.reset")
        self._close_verification(reason)
        return True

    def action_renew(self):
        """Open a draft that follows this document: same member, type, number and scope, from the day after."""
        self.ensure_one()
        start = self.expiry_date and fields.Date.add(self.expiry_date, days=1)
        renewal = self.copy({
            "issue_date": start or self._todays()[self.company_id],
            "previous_id": self.id if self.state not in OPEN_STATES else False,
        })
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": renewal.id,
            "view_mode": "form",
        }

    def action_versions(self):
        """Open all versions of the document: those before it and those after it."""
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("channel_member.channel_qualification_action"),
            "domain": [("id", "in", self._versions().ids)],
            "context": {"active_test": False},
        }

    #=== BUSINESS METHODS ===#

    def _check_may_decide(self):
        if not self.env.user.has_group("channel_base.group_channel_compliance"):
            raise AccessError(self.env._("Qualifications are verified and revoked by Channel Compliance."))
        self.check_access("read")

    def _is_open(self):
        """Whether the document is still worked on: its terms may change, and it is in force on no day."""
        self.ensure_one()
        return self.state in OPEN_STATES

    def _check_state(self, *states):
        labels = dict(self._fields["state"]._description_selection(self.env))
        for qualification in self:
            if qualification.state not in states:
                raise UserError(self.env._(
                    "%(document)s is not %(expected)s but %(state)s.",
                    document=qualification.display_name,
                    expected=self.env._(" or ").join(labels[state] for state in states),
                    state=labels[qualification.state],
                ))

    def _return(self, reason, action):
        """Set documents back to draft and undo what their verification had done."""
        before = self._audit_values()
        # sudo: the callers have checked that the user may decide; only the decision is written.
        self.sudo().write({
            "state": "draft", "submitted_at": False, "verified_by_id": False, "verified_at": False,
            "revoked_on": False, "return_reason": reason, "returned_by_id": self.env.uid,
            "returned_at": fields.Datetime.now(),
        })
        self._link_versions()
        self.env["channel.audit.entry"]._record(action, self, reason=reason, before=before, after={"state": "draft"})

    def _link_versions(self):
        """Say on the documents before and on these ones by which decided document they are replaced, and when."""
        # sudo: which version follows is a fact, whoever decides about one of them.
        documents = (self | self.previous_id).sudo()
        follower = {
            successor.previous_id: successor
            for successor in self.sudo().with_context(active_test=False).search([
                ("previous_id", "in", documents.ids), ("state", "not in", OPEN_STATES),
            ])
        }
        for document in documents:
            successor = follower.get(document, self.browse())
            if document.replaced_by_id != successor or document.replaced_on != (successor.issue_date or False):
                document.write({"replaced_by_id": successor.id, "replaced_on": successor.issue_date})

    def _end_suspensions(self, date, reason):
        """Close the open suspensions: ``{qualification_id: first day in force again}``.

        :param date: that day; today when empty. A suspension that begins later never takes effect.
        """
        todays = self._todays()
        days = {}
        # sudo: the callers have checked that the user may decide.
        for suspension in self.suspension_ids.sudo().filtered(lambda s: not s.lifted_on):
            wanted = fields.Date.to_date(date) or todays[suspension.qualification_id.company_id]
            days[suspension.qualification_id.id] = max(wanted, suspension.date_from)
            suspension.write({
                "lifted_on": max(wanted, suspension.date_from), "lift_reason": reason, "lifted_by_id": self.env.uid,
            })
        return days

    def _suspended_on(self, day):
        self.ensure_one()
        # sudo: who sees the document may know that it is suspended.
        return any(
            pause.date_from <= day and (not pause.lifted_on or pause.lifted_on > day)
            for pause in self.sudo().suspension_ids
        )

    def _versions(self):
        """All versions of the documents ``self``, the newest first."""
        versions = self.with_context(active_test=False)
        found = versions
        while found:
            found = (found.previous_id | found.next_ids) - versions
            versions |= found
        return versions.sorted(lambda q: (q.version, q.id), reverse=True)

    def _todays(self):
        """``{company: today}`` of the companies of ``self``, the empty one (no company of its own) included."""
        current = self.env.company
        return {
            company: (company or current)._channel_today() for company in [*self.company_id, self.env["res.company"]]
        }

    def _check_retention(self):
        """Refuse to let go of evidence before its time.

        :raise UserError: names the document, the law, and the day until which it is kept
        """
        todays = self._todays()
        # sudo: who may not read a document may not delete it either, and a message needs its name.
        for document in self.sudo().filtered("is_evidence"):
            kind = document.type_id
            values = {
                "document": document.display_name,
                "law": kind.retention_law or kind.law or self.env._("rule of the qualification type"),
            }
            today = todays[document.company_id]
            if kind.retention_forever:
                raise UserError(self.env._(
                    "%(document)s has been verified and is kept as evidence for ever (%(law)s): it can neither be "
                    "deleted nor archived. Revoke it if it is not to be used any more.", **values,
                ))
            if today <= document.retention_until:
                raise UserError(self.env._(
                    "%(document)s has been verified and is kept as evidence until %(date)s (%(law)s): it can neither "
                    "be deleted nor archived before. Revoke it if it is not to be used any more.",
                    **values,
                    date=format_date(self.env, document.retention_until),
                ))
            if document._in_force(today):
                raise UserError(self.env._(
                    "%(document)s is in force: it can neither be deleted nor archived before it is revoked or "
                    "replaced.", **values,
                ))

    def _schedule_verification(self):
        """Tell who is in charge of the members that documents wait for verification."""
        # sudo: members hand documents in on the portal and may not write activities.
        for qualification in self.sudo():
            if qualification.responsible_user_id:
                qualification.activity_schedule(
                    VERIFY_ACTIVITY, user_id=qualification.responsible_user_id.id,
                    summary=self.env._("Verify %s", qualification.display_name),
                )

    def _close_verification(self, feedback):
        # sudo: the activity of somebody else is done as well.
        self.sudo().activity_feedback([VERIFY_ACTIVITY], feedback=feedback)

    def _send_template(self, xmlid):
        """Queue a mail about each document whose member has an address.

        :return: the documents about which a mail was queued
        """
        documents = self.sudo().filtered("notified_partner_ids")  # sudo: the template reads the member's contacts
        if documents:
            self.env.ref(xmlid).sudo().send_mail_batch(documents.ids)
        return documents

    def _audit_values(self):
        return {
            qualification.id: {
                "state": qualification.state,
                "type": qualification.type_id.code,
                "member": qualification.partner_id.channel_code or qualification.partner_id.name,
                "number": qualification.number,
                "issue_date": qualification.issue_date,
                "expiry_date": qualification.expiry_date or None,
                "scope": qualification.scope_ids._audit_values(),
            }
            for qualification in self
        }

    #=== SCOPE ===#

    def action_review_scope(self):
        """Open the screen that reads the printed scope and shows what it could not read."""
        self.ensure_one()
        return self.env["channel.scope.review"]._open(self)

    def _apply_scope_text(self, text):
        """Read the printed scope of drafts into lines, in place of those they have.

        What cannot be read is kept in ``scope_unparsed``; it allows nothing.

        :param str text: as printed; empty removes the scope
        :return: ``{qualification_id: result}``, the results of :meth:`channel.qualification.type._parse_scope`
        """
        results = {}
        for qualification in self:
            result = results[qualification.id] = qualification.type_id._parse_scope(text)
            qualification.write(qualification._scope_values(text, result))
        return results

    @api.model
    def _scope_values(self, text, result):
        """Values that put a result of :meth:`channel.qualification.type._parse_scope` on a document."""
        return {
            "scope_text": text,
            "scope_unparsed": "\n".join(part["text"] for part in result["rest"]) or False,
            "scope_ids": [Command.clear(), *(Command.create(values) for values in result["values"])],
        }

    def _scope_touched(self):
        """Who changes the scope changed the document, and so does not verify it."""
        # sudo: whoever may write the lines of a draft; the field is not writable for clients.
        self.filtered(
            lambda q: q.submitted_by_id != self.env.user or self.env.user not in q.author_ids
        ).sudo().write({"submitted_by_id": self.env.uid, "author_ids": [Command.link(self.env.uid)]})

    #=== REGISTER ===#

    @api.model
    def _register_domain(self):
        """Documents that are relied on today, and so looked up again every night."""
        return Domain("state", "=", "verified") & Domain("status", "in", ("valid", "expiring")) & Domain(
            "partner_id.channel_state", "in", ("active", "suspended")
        )

    def _register_ask(self):
        self.ensure_one()
        return {"type_id": self.type_id.id, "number": self.number}

    def _register_facts(self):
        self.ensure_one()
        return {
            "holder_name": self.partner_id.name,
            "holder_code": self._register_holder_code(self.partner_id),
            "date_from": self.issue_date,
            "date_to": self.expiry_date,
            "status": "in_force" if self.state == "verified" else False,
        }

    def _register_member(self):
        return self.partner_id

    #=== ALERTS ===#

    @api.model
    def _cron_alert_expiry(self):
        """Warn about verified documents of members that expire, and clear the warnings whose cause is gone.

        Each step is announced once for each document; see :class:`channel.qualification.warning`. What was done is
        written to the log and to the audit journal, one entry for each company.

        :return: ``{company_id: counts}``, the counts of :meth:`channel.qualification.warning._run`
        """
        # sudo: the job works for every company.
        # pylint: disable-next=no-search-all  # companies of the database
        companies = self.env["res.company"].sudo().search([])
        return {company.id: self.env["channel.qualification.warning"]._run(company) for company in companies}

    def _renewal_window(self):
        """First and last day on which the renewal may be requested, ``(False, False)`` when the type sets none.

        Working days are those of the company's working hours without its public holidays.
        """
        self.ensure_one()
        window = self.type_id.renewal_window_days
        if not window or not self.expiry_date:
            return False, False
        return self._days_before_expiry(window), self._days_before_expiry(self.type_id.renewal_deadline_days)

    def _days_before_expiry(self, days):
        if self.type_id.renewal_day_kind == "working" and days:
            calendar = (self.company_id or self.env.company).resource_calendar_id
            start = timezone(calendar.tz or "UTC").localize(datetime.combine(self.expiry_date, time.min))
            moment = calendar and calendar.plan_days(-days, start, compute_leaves=True)
            if moment:
                return moment.date()
        return self.expiry_date - relativedelta(days=days)

    def _clear_renewed_alerts(self):
        """Resolve the alerts about documents that these ones renew, without waiting for the night."""
        older = self.with_context(active_test=False).search([
            ("partner_id", "in", self.partner_id.ids),
            ("type_id", "in", self.type_id.ids),
            ("state", "not in", OPEN_STATES),
        ])
        renewed = older.browse(older._renewed_ids()) | self.previous_id
        self.env["channel.qualification.warning"]._clear_alerts(renewed)
