import re
import uuid

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tools.mail import email_normalize

from odoo.addons.channel_base.tools.private_key import PrivateKey

from ..tools.admission import (
    ACTIVITY_TYPE,
    APPLICANT_FIELDS,
    EDITABLE_STATES,
    OPEN_STATES,
    PARTICULARS,
    AdmissionError,
)
from .res_partner import CHANNEL_ROLES

PATH_PATTERN = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
#: Opens the transitions of an admission to the code of this model.
_DECIDER = PrivateKey("channel_admission_decider")


class ChannelAdmission(models.Model):
    """An application to take part in the channel, the periodic re-audit of a member, or a change of its particulars.

    The applicant's data stay on the admission until somebody approves it: no partner is made before. Documents asked
    for come from the qualification types that apply to role, country and device classes; checks run at each save and
    leave findings that explain themselves; the sum of their weights is the risk, and the risk decides who approves.
    What was submitted is frozen in ``submission_ids``. Here are the fields, the states, their transitions and the
    approval; what else an admission does stands in its mixins, one file each.

    States: ``draft`` and ``returned`` belong to the applicant, ``submitted`` to the reviewers; ``approved``,
    ``rejected`` and ``cancelled`` are final. They change by ``_submit``, ``action_return``, ``action_reject``,
    ``action_cancel`` and the approval only.
    """

    _name = "channel.admission"
    _description = "Admission"
    _inherit = [
        "channel.approval.mixin",
        "portal.mixin",
        "channel.admission.checklist.mixin",
        "channel.admission.change.mixin",
        "channel.admission.outcome.mixin",
        "channel.admission.reaudit.mixin",
        "channel.admission.applicant.mixin",
        "channel.admission.api.mixin",
    ]
    _rec_name = "reference"
    _rec_names_search = ["reference", "name", "vat"]
    _order = "id desc"
    _check_company_auto = True

    # Editable means: not decided. Only a submitted one can be approved, see _check_state_from_condition.
    _state_from = list(OPEN_STATES)
    _approval_group = "channel_base.group_channel_compliance"

    reference = fields.Char(readonly=True, copy=False, index="trigram")
    kind = fields.Selection(
        [("new", "Application"), ("reaudit", "Re-audit"), ("change", "Change of Particulars")],
        default="new",
        required=True,
        index=True,
        tracking=True,
    )
    state = fields.Selection(
        selection_add=[
            ("draft", "Draft"),
            ("submitted", "Submitted"),
            ("returned", "Returned"),
            ("approved", "Approved"),
            ("rejected", "Rejected"),
            ("cancelled", "Cancelled"),
        ],
        ondelete={"submitted": "set default", "returned": "set default", "rejected": "set default"},
        group_expand=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company, help="Company that admits."
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Member",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        copy=False,
        tracking=True,
        help="The member concerned; of an application: the partner that becomes the member, empty to make a new one.",
    )
    source = fields.Selection(
        [("backend", "Entered by us"), ("portal", "Portal"), ("api", "Interface"), ("calendar", "Calendar")],
        default="backend",
        required=True,
        readonly=True,
        copy=False,
    )
    external_id = fields.Char(
        string="External Reference", copy=False, help="Of the system that sent it: the same one is not taken twice."
    )
    # Whoever has the token acts as the applicant, so nobody of the company reads it.
    access_token = fields.Char(groups=fields.NO_ACCESS)

    # The applicant
    role = fields.Selection(CHANNEL_ROLES, default="distributor", tracking=True)
    name = fields.Char(string="Company Name", tracking=True, help="As registered.")
    vat = fields.Char(string="Identification Number", index="btree_not_null", tracking=True)
    legal_person = fields.Char(string="Legal Representative", tracking=True)
    country_id = fields.Many2one(
        "res.country", default=lambda self: self.env.company.country_id, ondelete="restrict", tracking=True
    )
    state_id = fields.Many2one(
        "res.country.state", string="Province", domain="[('country_id', '=?', country_id)]", ondelete="restrict"
    )
    city = fields.Char()
    street = fields.Char()
    street2 = fields.Char()
    zip = fields.Char()
    contact_name = fields.Char(string="Contact")
    email = fields.Char(help="The contact is invited to the portal under this address.")
    phone = fields.Char()
    mobile = fields.Char()
    website = fields.Char()
    lang = fields.Selection(
        selection=lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        default=lambda self: self.env.lang,
    )
    bank_account = fields.Char(
        copy=False,
        groups="channel_base.group_channel_compliance,channel_base.group_channel_finance,"
        "channel_base.group_channel_auditor",
    )
    bank_name = fields.Char(
        string="Bank",
        copy=False,
        groups="channel_base.group_channel_compliance,channel_base.group_channel_finance,"
        "channel_base.group_channel_auditor",
    )

    # What it applies for
    device_class_i = fields.Boolean(string="Class I")
    device_class_ii = fields.Boolean(string="Class II")
    device_class_iii = fields.Boolean(string="Class III")
    region_ids = fields.Many2many(
        "channel.region", "channel_admission_region_rel", "admission_id", "region_id", string="Regions Wanted"
    )
    product_categ_ids = fields.Many2many(
        "product.category",
        "channel_admission_product_category_rel",
        "admission_id",
        "category_id",
        string="Products Wanted",
        help="Empty: no authorization is prepared.",
    )
    customer_ids = fields.Many2many(
        "res.partner",
        "channel_admission_customer_rel",
        "admission_id",
        "partner_id",
        string="Hospitals Wanted",
        domain="[('channel_role', '=', 'hospital')]",
    )
    grade_id = fields.Many2one("res.partner.grade", string="Tier", ondelete="restrict", tracking=True)
    parent_id = fields.Many2one(
        "res.partner",
        string="Parent Member",
        ondelete="restrict",
        domain="[('channel_role', '!=', False), ('id', '!=', partner_id)]",
    )
    note = fields.Text(string="Message", help="From the applicant.")
    internal_note = fields.Text(groups="channel_base.group_channel_user")

    # Review
    region_id = fields.Many2one(
        "channel.region",
        compute="_compute_region_id",
        store=True,
        index="btree_not_null",
        help="Of the member, else of the address: decides who reviews it.",
    )
    reviewer_id = fields.Many2one(
        "res.users", domain="[('share', '=', False)]", copy=False, index="btree_not_null", tracking=True
    )
    editor_ids = fields.Many2many(
        "res.users",
        "channel_admission_editor_rel",
        "admission_id",
        "user_id",
        string="Editors",
        readonly=True,
        copy=False,
        help="Edited terms, documents or findings: they are authors and do not approve.",
    )
    document_ids = fields.One2many("channel.admission.document", "admission_id", string="Checklist")
    finding_ids = fields.One2many("channel.admission.finding", "admission_id", string="Findings", readonly=True)
    submission_ids = fields.One2many(
        "channel.admission.submission", "admission_id", string="Submissions", readonly=True
    )
    risk_score = fields.Integer(
        compute="_compute_risk",
        store=True,
        aggregator="avg",
        groups="channel_base.group_channel_user",
        help="Sum of the weights of the open findings.",
    )
    risk_level = fields.Selection(
        [("low", "Low"), ("medium", "Medium"), ("high", "High")],
        string="Risk",
        compute="_compute_risk",
        store=True,
        groups="channel_base.group_channel_user",
    )
    blocking_count = fields.Integer(compute="_compute_risk", store=True, string="Blocking Findings")
    progress = fields.Integer(compute="_compute_progress", help="Share of what is asked for that is there, in percent.")
    similar_names = fields.Char(
        compute="_compute_similar_names",
        string="Same Identification Number",
        help="Companies that have the identification number already, archived ones and those of other regions too.",
    )
    return_reason = fields.Text(readonly=True, copy=False, help="What the applicant is asked to mend.")
    decision_reason = fields.Text(readonly=True, copy=False)
    submitted_at = fields.Datetime(readonly=True, copy=False)
    submitted_by_id = fields.Many2one("res.users", readonly=True, copy=False)

    # Change and re-audit
    # Holds an account number: what it says is shown by the difference, masked.
    before_values = fields.Json(readonly=True, copy=False, groups=fields.NO_ACCESS)
    difference_html = fields.Html(string="Changes", compute="_compute_difference_html", sanitize=False)
    due_date = fields.Date(copy=False, help="Of a re-audit: day by which it is to be done.")
    outcome = fields.Selection(
        [("continue", "Membership continues"), ("suspend", "Suspend the member")],
        default="continue",
        help="Of a re-audit: what its approval does.",
    )
    next_audit_date = fields.Date(
        string="Next Audit", copy=False, help="Proposed by the re-audit rules when it is approved; empty to let them."
    )

    _reference_uniq = models.Constraint("unique(reference)", "The reference of an admission must be unique.")
    _external_uniq = models.UniqueIndex(
        "(company_id, external_id) WHERE external_id IS NOT NULL",
        "An admission with this external reference has been received already.",
    )
    _open_reaudit_uniq = models.UniqueIndex(
        "(company_id, partner_id) WHERE kind = 'reaudit' AND state IN ('draft', 'returned', 'submitted')",
        "A re-audit of this member is open already.",
    )
    _member_of_kind = models.Constraint(
        "CHECK(kind = 'new' OR partner_id IS NOT NULL)", "A re-audit and a change of particulars concern a member."
    )

    #=== COMPUTE METHODS ===#

    @api.depends("reference", "name")
    def _compute_display_name(self):
        for admission in self:
            admission.display_name = " ".join(filter(None, (admission.reference, admission.name)))

    def _compute_access_url(self):
        super()._compute_access_url()
        for admission in self:
            # A company may give its sequence signs that cannot stand in a path.
            safe = PATH_PATTERN.fullmatch(admission.reference or "")
            admission.access_url = f"/channel/apply/{admission.reference if safe else admission.id}"

    @api.depends("partner_id.channel_region_id", "country_id", "state_id", "city", "region_ids")
    def _compute_region_id(self):
        addresses = {
            admission: (admission.country_id.id, admission.state_id.id, admission.city or False) for admission in self
        }
        regions = self.env["channel.region"]._regions_of_addresses(set(addresses.values()))
        for admission, address in addresses.items():
            admission.region_id = (
                admission.partner_id.channel_region_id.id or regions[address] or admission.region_ids[:1]._origin.id
            )

    @api.depends(
        "finding_ids.weight", "finding_ids.state", "finding_ids.severity",
        "company_id.channel_admission_medium_score", "company_id.channel_admission_high_score",
    )
    def _compute_risk(self):
        for admission in self:
            open_findings = admission.finding_ids.filtered(lambda f: f.state == "open")
            score = sum(open_findings.mapped("weight"))
            company = admission.company_id
            admission.risk_score = score
            admission.blocking_count = len(open_findings.filtered(lambda f: f.severity == "block"))
            if score >= company.channel_admission_high_score:
                admission.risk_level = "high"
            elif score >= company.channel_admission_medium_score:
                admission.risk_level = "medium"
            else:
                admission.risk_level = "low"

    @api.depends(
        "document_ids.number", "document_ids.attachment_ids", "document_ids.mandatory", "role", *PARTICULARS,
        "contact_name", "email", "device_class_i", "device_class_ii", "device_class_iii",
    )
    def _compute_progress(self):
        for admission in self:
            done, total = admission._progress_counts()
            admission.progress = round(100 * done / total) if total else 0

    @api.depends("vat", "partner_id")
    def _compute_similar_names(self):
        similar = self._similar_partners()
        states = dict(self.env["res.partner"]._fields["channel_state"]._description_selection(self.env))
        for admission in self:
            # sudo (in _similar_partners): name, code and state only, so that nobody is admitted twice.
            admission.similar_names = ", ".join(
                " ".join(filter(None, (
                    partner.name,
                    partner.channel_code and f"[{partner.channel_code}]",
                    partner.channel_state and f"({states[partner.channel_state]})",
                )))
                for partner in similar.get(admission, ())
            )

    @api.depends("state", "blocking_count")
    def _compute_can_approve(self):
        super()._compute_can_approve()
        for admission in self:
            if admission.state != "submitted" or admission.blocking_count:
                admission.can_approve = False

    def _get_applicant_url(self):
        """Path under which the applicant works on it, with the token: whoever has it acts as the applicant."""
        self.ensure_one()
        # sudo: only the applicant is sent this
        return f"{self.access_url}?access_token={self.sudo()._portal_ensure_token()}"

    #=== ONCHANGE METHODS ===#

    @api.onchange("partner_id", "kind")
    def _onchange_partner_id(self):
        if self.partner_id and self.kind != "new":
            # sudo: who may not read accounts and documents is not shown them, their classes only
            values = self._member_vals(self.partner_id.sudo())
            self.update({name: value for name, value in values.items() if not self._fields[name].groups})

    #=== CONSTRAINT METHODS ===#

    @api.constrains("kind", "partner_id")
    def _check_member(self):
        for admission in self:
            partner = admission.partner_id
            if admission.kind != "new" and partner.channel_state not in ("active", "suspended"):
                raise ValidationError(self.env._(
                    "Member: %(partner)s is not an active member. A re-audit or a change of particulars concerns one; "
                    "for anybody else enter an application.",
                    partner=partner.display_name or "",
                ))
            if partner and partner.commercial_partner_id != partner:
                raise ValidationError(self.env._(
                    "Member: %(contact)s belongs to %(company)s. Choose the company itself.",
                    contact=partner.display_name,
                    company=partner.commercial_partner_id.display_name,
                ))

    #=== CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        # sudo: who may enter an application may use up a number of the sequence.
        sequence = self.env["ir.sequence"].sudo()
        prepared, hidden = [], []
        for vals in vals_list:
            if vals.get("state", "draft") != "draft":
                raise UserError(self._message_by_methods())
            vals = dict(self._normalized(vals))
            self._check_own_fields(vals)
            # What the user may not write by itself is written below.
            own = {"access_token": str(uuid.uuid4()), "before_values": False}
            partner = self.env["res.partner"].browse(vals.get("partner_id"))
            if partner and vals.get("kind", self.env.context.get("default_kind", "new")) != "new":
                partner.check_access("read")
                # sudo: the member that the user was just seen to read
                own["before_values"] = self._particulars(partner.sudo())
                for name, value in self._member_vals(partner.sudo()).items():
                    if name not in vals:
                        (own if self._fields[name].groups else vals)[name] = value
            hidden.append(own)
            prepared.append({
                **vals,
                # Never by the default values of a client's context.
                **{
                    name: vals.get(name, False)
                    for name in self._own_fields() if not self._fields[name].groups
                },
                "state": "draft",
                "source": vals.get("source") or "backend",
                "reference": sequence.next_by_code("channel.admission"),
            })
        admissions = super().create(prepared)
        for admission, own in zip(admissions.sudo(), hidden, strict=True):
            # sudo: the token is for the applicant alone, and an account that the user may not read is the member's own.
            super(ChannelAdmission, admission).write(own)  # pylint: disable=super-method-mismatch
        admissions._refresh()
        return admissions

    def write(self, vals):
        vals = self._normalized(vals)
        if not _DECIDER.opens(self):
            self._check_own_fields(vals)
        touches_terms = self._touches_terms(vals)
        if touches_terms and self.env.user._is_internal():
            vals = {**vals, "editor_ids": [Command.link(self.env.uid)]}
        result = super().write(vals)
        if touches_terms:
            self._refresh()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        for admission in self:
            # sudo: whether there is a submission, whoever asks
            if admission.sudo().submission_ids:
                raise UserError(self.env._(
                    "%s has been submitted and is kept as evidence: reject or cancel it instead.",
                    admission.display_name,
                ))

    @api.model
    def _normalized(self, vals):
        """Numbers are compared, so they are kept without blanks around and in capitals."""
        if isinstance(vals.get("vat"), str):
            vals = {**vals, "vat": "".join(vals["vat"].split()).upper()}
        return vals

    @api.model
    def _own_fields(self):
        """Fields that only the methods of this model write."""
        return (
            "before_values", "editor_ids", "return_reason", "decision_reason", "submitted_at", "submitted_by_id",
        )

    def _write_own(self, vals):
        """Write what follows from a decision: the state and the fields that nobody writes by hand.

        The caller has checked who decides.
        """
        _DECIDER.open(self).write(vals)

    def _check_own_fields(self, vals):
        if self.env.su:
            return
        for name in ("access_token", "source", *self._own_fields()):
            if vals.get(name) and not (name == "source" and vals[name] == "backend"):
                raise AccessError(self.env._(
                    "Field “%(field)s” of an admission is filled by the admission itself and cannot be written.",
                    field=self._fields[name].string,
                ))

    def _check_state_by_hand(self, vals):
        if _DECIDER.opens(self) or self._state_field not in vals:
            return
        if any(admission.state != vals["state"] for admission in self):
            raise UserError(self._message_by_methods())

    def _touches_terms(self, vals):
        # What follows from a decision makes nobody an author.
        return not _DECIDER.opens(self) and super()._touches_terms(vals)

    def _check_terms_locked(self, vals):
        # The outcome names the member that was made of it.
        if not _DECIDER.opens(self):
            super()._check_terms_locked(vals)

    def _message_by_methods(self):
        return self.env._(
            "The state of an admission is changed by Submit, Return, Approve, Reject and Cancel, not by writing it."
        )

    #=== APPROVAL ===#

    def _approval_terms(self):
        return [
            *APPLICANT_FIELDS, "kind", "partner_id", "company_id", "grade_id", "parent_id", "outcome",
            "next_audit_date",
        ]

    def _approval_authors(self):
        # sudo: names of users only, as in the mixin
        admission = self.sudo()
        return super()._approval_authors() | admission.editor_ids | admission.submitted_by_id

    def _get_under_validation_exceptions(self):
        return super()._get_under_validation_exceptions() + ["reviewer_id", "internal_note", "due_date", "editor_ids"]

    def _check_state_from_condition(self):
        """Only what was submitted is validated; drafts and returned ones belong to the applicant."""
        return super()._check_state_from_condition() and self.state == "submitted"

    def _check_may_approve(self):
        if self.state in EDITABLE_STATES:
            raise UserError(self.env._(
                "%(admission)s cannot be approved: it is “%(state)s” and waits for the applicant to submit it.",
                admission=self.display_name,
                state=dict(self._fields["state"]._description_selection(self.env))[self.state],
            ))
        super()._check_may_approve()
        self._check_blocking()

    def _check_blocking(self):
        # sudo: findings are read by the reviewers whom this answers
        blocking = self.sudo().finding_ids.filtered(lambda f: f.severity == "block" and f.state == "open")
        if blocking:
            raise UserError("\n".join((
                self.env._("%s cannot be approved:", self.display_name),
                *(f"[{finding.code}] {finding.message} {finding.remedy or ''}".rstrip() for finding in blocking),
            )))

    def _approval_before(self):
        super()._approval_before()
        for admission in self:
            # Of two approvers at once one goes on; the other is told, or repeated by the server and then told.
            if not admission.try_lock_for_update():
                raise UserError(self.env._(
                    "%s is being decided by somebody else at this moment. Look at it again.", admission.display_name
                ))
            if admission.state != "submitted":
                raise UserError(self.env._("%s is not submitted any more.", admission.display_name))
            admission._refresh()
            admission._check_blocking()
            reviewed = admission.review_ids.definition_id
            missing = self.env["tier.definition"].search(
                Domain("model", "=", self._name) & Domain("company_id", "in", [False, admission.company_id.id])
            ).filtered(lambda tier, admission=admission: admission.evaluate_tier(tier)) - reviewed
            if reviewed and missing:
                raise UserError(self.env._(
                    "%(admission)s: since the validation was requested its risk has become “%(risk)s”, which "
                    "“%(tiers)s” decides too. Restart the validation and request it again.",
                    admission=admission.display_name,
                    risk=dict(self._fields["risk_level"]._description_selection(self.env))[admission.risk_level],
                    tiers=", ".join(missing.mapped("name")),
                ))

    def _approval_audit_values(self):
        return {
            admission.id: {
                "reference": admission.reference,
                "kind": admission.kind,
                "name": admission.name,
                "vat": admission.vat or None,
                "role": admission.role,
                "risk_score": admission.risk_score,
                "risk_level": admission.risk_level,
                "submission": max(admission.submission_ids, key=lambda s: s.number).digest,
                "findings": sorted(admission.finding_ids.mapped("code")),
                "accepted": sorted(admission.finding_ids.filtered(lambda f: f.state == "accepted").mapped("code")),
            }
            for admission in self
        }

    def _approval_done(self):
        super()._approval_done()
        for admission in self:
            getattr(admission, f"_outcome_{admission.kind}")()
            admission.activity_unlink([ACTIVITY_TYPE])
            admission._send_mail("channel_member.mail_template_admission_approved")

    #=== ACTION METHODS ===#

    def action_submit(self):
        """Hand the application in: the data are frozen and the reviewers asked.

        :raise AdmissionError: something that the applicant has to mend is missing or wrong; the message lists all
        """
        for admission in self:
            admission.check_access("write")
            admission._submit()
        return True

    def action_check(self):
        """Run the automatic checks again, for what has changed elsewhere."""
        self.check_access("write")
        self._refresh()
        return True

    def action_return(self, reason=None, documents=None):
        """Give submitted admissions back to the applicant, with reasons.

        :param str reason: what is to be mended; without it the wizard that asks for it is returned
        :param dict documents: ``{document id: reason}`` for single documents of the checklist
        :raise UserError: an admission is not submitted
        """
        if not reason and not documents:
            return self.env["channel.admission.decision"]._open(self, "return")
        self.check_access("write")
        self._check_submitted()
        documents = {int(key): value for key, value in (documents or {}).items()}
        foreign = set(documents) - set(self.document_ids.ids)
        if foreign:
            raise UserError(self.env._(
                "Documents: %s are not of the checklist of this admission.", ", ".join(map(str, sorted(foreign)))
            ))
        self._drop_reviews()
        for document in self.document_ids.filtered(lambda d: d.id in documents):
            document._return(documents[document.id])
        self._decide("returned", {"return_reason": reason or False})
        self._record_decision("admission.returned", reason, {
            admission.id: {"state": "returned", "documents": {
                document.type_id.code: documents[document.id]
                for document in admission.document_ids if document.id in documents
            }} for admission in self
        })
        for admission in self:
            admission._send_mail("channel_member.mail_template_admission_returned")
        return True

    def action_reject(self, reason=None):
        """Refuse submitted admissions. Compliance or Channel Manager.

        :param str reason: why, sent to the applicant; without it the wizard that asks for it is returned
        """
        if not reason:
            return self.env["channel.admission.decision"]._open(self, "reject")
        if not self.env["res.partner"]._channel_may_govern():
            raise AccessError(self.env._("Admissions are rejected by Channel Manager or Compliance."))
        self.check_access("read")
        self._check_submitted()
        self._drop_reviews()
        self._decide("rejected", {"decision_reason": reason})
        self._record_decision("admission.rejected", reason, {"state": "rejected"})
        for admission in self:
            admission._send_mail("channel_member.mail_template_admission_rejected")
        return True

    def action_reopen(self, reason=None):
        """Give rejected admissions back to the applicant after all. Compliance or Channel Manager."""
        if not reason:
            return self.env["channel.admission.decision"]._open(self, "reopen")
        if not self.env["res.partner"]._channel_may_govern():
            raise AccessError(self.env._("Admissions are reopened by Channel Manager or Compliance."))
        self.check_access("read")
        for admission in self:
            if admission.state != "rejected":
                raise UserError(self.env._("%s is not rejected.", admission.display_name))
        self._decide("returned", {"return_reason": reason, "decision_reason": False})
        self._record_decision("admission.reopened", reason, {"state": "returned"}, before="rejected")
        self._refresh()
        for admission in self:
            admission._send_mail("channel_member.mail_template_admission_returned")
        return True

    def action_cancel(self, reason=None):
        """Withdraw admissions that are not decided."""
        self.check_access("write")
        before = {}
        for admission in self:
            if admission.state not in OPEN_STATES:
                raise UserError(self.env._("%s is decided and cannot be cancelled.", admission.display_name))
            before[admission.id] = {"state": admission.state}
        self._drop_reviews()
        self._decide("cancelled", {"decision_reason": reason or False})
        self.env["channel.audit.entry"]._record(
            "admission.cancelled", self, reason=reason, before=before, after={"state": "cancelled"}
        )
        return True

    def action_link_similar(self):
        """Take the one partner that has the identification number already as the member to be."""
        self.ensure_one()
        partners = self._similar_partners().get(self, self.env["res.partner"]).sudo(False)
        if len(partners) != 1:
            raise UserError(self.env._(
                "Identification Number: %(count)s partners have %(vat)s. Choose the member by hand.",
                count=len(partners),
                vat=self.vat or "",
            ))
        partners.check_access("read")
        self.partner_id = partners
        return True

    def action_open_member(self):
        self.ensure_one()
        return self.partner_id._get_records_action()

    #=== SUBMISSION ===#

    def _submit(self):
        """Hand in, as :meth:`action_submit`; the caller has checked that it acts for the applicant.

        :return: the ``channel.admission.submission``, with superuser rights
        :raise AdmissionError: what the applicant has to mend; ``errors`` lists it
        """
        self.ensure_one()
        if self.state not in EDITABLE_STATES:
            raise UserError(self.env._(
                "%(admission)s cannot be submitted: it is “%(state)s”.",
                admission=self.display_name,
                state=dict(self._fields["state"]._description_selection(self.env))[self.state],
            ))
        # sudo: applicants have no account; only what follows from submitting is written.
        admission = self.sudo()
        admission._refresh()
        blocking = admission.finding_ids.filtered(
            lambda f: f.severity == "block" and f.state == "open" and f.for_applicant
        )
        if blocking:
            raise AdmissionError([finding._as_error() for finding in blocking])
        before = admission.state
        admission._decide("submitted", {
            "submitted_at": fields.Datetime.now(),
            "submitted_by_id": self.env.uid,
            "return_reason": False,
            "reviewer_id": admission.reviewer_id.id or admission._choose_reviewer().id,
        })
        admission.document_ids._return_answered()
        submission = self.env["channel.admission.submission"]._freeze(admission)
        admission._record_decision(
            "admission.submitted", None, {"state": "submitted", "submission": submission.digest}, before=before
        )
        admission._request_reviews()
        if admission.reviewer_id:
            admission.activity_schedule(
                ACTIVITY_TYPE, user_id=admission.reviewer_id.id, summary=self.env._("Review %s", admission.reference)
            )
        admission._send_mail("channel_member.mail_template_admission_received")
        return submission

    def _request_reviews(self):
        """Ask the tiers; when a tier has nobody, that is our own matter and not the applicant's."""
        try:
            with self.env.cr.savepoint():
                self.request_validation()
        except UserError as error:
            self._message_log(body=self.env._("The validation could not be requested: %s", error))

    def _choose_reviewer(self):
        """The person in charge of the region with the fewest open admissions; empty when nobody is."""
        self.ensure_one()
        people = self.region_id._people_in_charge() if self.region_id else self.env["res.users"]
        # sudo: whose companies are read only to leave out who may not work in this one
        people = people.filtered(lambda user: self.company_id in user.sudo().company_ids)
        if not people:
            return people
        load = {
            # sudo: all of a reviewer's admissions count, whatever the caller may see; it is a number only
            user.id: count for user, count in self.sudo()._read_group(
                [("reviewer_id", "in", people.ids), ("state", "=", "submitted")], ["reviewer_id"], ["__count"]
            )
        }
        return people.sorted(lambda user: (load.get(user.id, 0), user.id))[:1]

    def _snapshot(self):
        """What is submitted, as plain JSON: particulars and documents with the digests of their files."""
        self.ensure_one()

        def plain(record, name):
            value = record[name]
            if record._fields[name].relational:
                return [[one.id, one.display_name] for one in value]
            return value or None

        # Account numbers are masked: submissions are read by more people than they are.
        particulars = {name: plain(self, name) for name in (
            *(name for name in APPLICANT_FIELDS if name != "bank_account"), "kind", "partner_id", "grade_id",
            "parent_id",
        )}
        return {
            **particulars,
            "bank_account": self._masked(self.bank_account),
            "documents": [document._snapshot() for document in self.document_ids.sorted("id")],
        }

    def _note_editor(self):
        """Whoever of us edits what belongs to an admission is an author of it."""
        if self.env.user._is_internal():
            # sudo: the one who edited was allowed to; the list is the admission's own
            self.sudo()._write_own({"editor_ids": [Command.link(self.env.uid)]})

    #=== DECISIONS ===#

    def _check_submitted(self):
        for admission in self:
            if admission.state != "submitted":
                raise UserError(self.env._(
                    "%(admission)s is not submitted: it is “%(state)s”.",
                    admission=admission.display_name,
                    state=dict(self._fields["state"]._description_selection(self.env))[admission.state],
                ))

    def _decide(self, state, values):
        """Write a transition that the caller has checked."""
        # sudo: the caller checked who decides; only the state and its reasons are written.
        self.sudo()._write_own({"state": state, **values})
        if state != "submitted":
            self.sudo().activity_unlink([ACTIVITY_TYPE])

    def _record_decision(self, action, reason, after, before="submitted"):
        self.env["channel.audit.entry"]._record(action, self, reason=reason, before={"state": before}, after=after)

    def _drop_reviews(self):
        """Close the validation: the journal keeps its steps."""
        # sudo: a reviewer who decides need not be allowed to restart validations.
        self.sudo().filtered("review_ids").restart_validation()

    def _send_mail(self, template):
        """Write to the applicant in its language; nothing when there is no address."""
        for admission in self:
            if email_normalize(admission.email or ""):
                # sudo: templates and mails are not the user's, the text is fixed.
                self.env.ref(template).sudo().send_mail(admission.id, force_send=False)
