import base64
import binascii
import re
import uuid
from collections import defaultdict

from markupsafe import Markup

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tools import SQL, format_date
from odoo.tools.mail import email_normalize

from odoo.addons.channel_base.tools.private_key import PrivateKey

from ..tools.identity import number_key
from .res_partner import CHANNEL_ROLES

#: States in which an application is still being worked on.
OPEN_STATES = ("draft", "returned", "submitted")
#: States in which the applicant may edit it.
EDITABLE_STATES = ("draft", "returned")
DEVICE_CLASSES = {"I": "device_class_i", "II": "device_class_ii", "III": "device_class_iii"}
#: Roles that trade devices, so that the classes decide which documents they need.
TRADING_ROLES = ("manufacturer", "importer", "distributor", "sub_distributor", "agent", "platform")
#: Particulars of a company: field of the admission -> field of the member.
PARTICULARS = {
    "name": "name",
    "vat": "vat",
    "legal_person": "channel_legal_person",
    "role": "channel_role",
    "country_id": "country_id",
    "state_id": "state_id",
    "city": "city",
    "street": "street",
    "street2": "street2",
    "zip": "zip",
    "phone": "phone",
    "website": "website",
    "lang": "lang",
    "parent_id": "channel_parent_id",
}
#: What an applicant fills in by the portal or the API. Nothing else is ever taken from there.
APPLICANT_FIELDS = (
    "role", "name", "vat", "legal_person", "country_id", "state_id", "city", "street", "street2", "zip", "contact_name",
    "email", "phone", "mobile", "website", "lang", "device_class_i", "device_class_ii", "device_class_iii",
    "region_ids", "product_categ_ids", "customer_ids", "bank_account", "bank_name", "note",
)
#: Longest value that an applicant may give to a line of text, and to a text of several lines.
MAX_CHAR = 256
MAX_TEXT = 4000
PATH_PATTERN = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
EMAIL_PATTERN = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
REAUDIT_ALERT = "admission_reaudit"
ACTIVITY_TYPE = "channel_member.mail_activity_type_admission"

#: Opens the transitions of an admission to the code of this model.
_DECIDER = PrivateKey("channel_admission_decider")


class AdmissionError(UserError):
    """Values that cannot be taken over.

    ``errors`` is a list of ``{"field": str, "value": any, "message": str, "remedy": str}``, with ``document`` (the code
    of its type) for a document's field, for forms and programs; the text of the error holds the same.
    """

    def __init__(self, errors):
        super().__init__("\n".join(
            " ".join(filter(None, (
                ".".join(filter(None, (error.get("document"), error.get("field")))) + ":",
                error["message"],
                error.get("remedy") or "",
            )))
            for error in errors
        ))
        self.errors = errors


class ChannelAdmission(models.Model):
    """An application to take part in the channel, the periodic re-audit of a member, or a change of its particulars.

    The applicant's data stay on the admission until somebody approves it: no partner is made before. Documents asked
    for come from the qualification types that apply to role, country and device classes; checks run at each save and
    leave findings that explain themselves; the sum of their weights is the risk, and the risk decides who approves.
    What was submitted is frozen in ``submission_ids``.

    States: ``draft`` and ``returned`` belong to the applicant, ``submitted`` to the reviewers; ``approved``,
    ``rejected`` and ``cancelled`` are final. They change by ``_submit``, ``action_return``, ``action_reject``,
    ``action_cancel`` and the approval only.
    """

    _name = "channel.admission"
    _description = "Admission"
    _inherit = ["channel.approval.mixin", "portal.mixin"]
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

    @api.depends("before_values", *PARTICULARS, "bank_name")
    def _compute_difference_html(self):
        for admission in self:
            changes = admission._difference()
            rows = Markup().join(
                Markup("<tr><td>%s</td><td class='text-muted'><del>%s</del></td><td>%s</td></tr>")
                % (change["label"], change["before"] or "", change["after"] or "")
                for change in changes
            )
            admission.difference_html = changes and Markup(
                "<div class='table-responsive'><table class='table table-sm'>"
                "<thead><tr><th>%s</th><th>%s</th><th>%s</th></tr></thead><tbody>%s</tbody></table></div>"
            ) % (self.env._("Particular"), self.env._("Before"), self.env._("After"), rows)

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
        people = people.filtered(lambda user: self.company_id in user.sudo().company_ids)
        if not people:
            return people
        load = {
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
            _DECIDER.open(self.sudo()).write({"editor_ids": [Command.link(self.env.uid)]})

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
        _DECIDER.open(self.sudo()).write({"state": state, **values})
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

    #=== CHECKLIST AND CHECKS ===#

    def _device_classes(self):
        """The classes applied for, a list of ``I``, ``II``, ``III``."""
        self.ensure_one()
        return [device_class for device_class, name in DEVICE_CLASSES.items() if self[name]]

    def _required_fields(self):
        """Names of the fields without which this admission cannot be submitted."""
        self.ensure_one()
        return ["role", "name", "country_id", "contact_name", "email"]

    def _refresh(self):
        """Bring checklist and findings in step with the data, of those not decided yet.

        Set-based: a fixed number of queries, however many admissions; writes only what has changed.
        """
        # sudo: findings compare with members of every region, and only this method writes them.
        admissions = self.sudo().filtered(lambda a: a.state in OPEN_STATES)
        if admissions:
            self.env["channel.admission.document"].sudo()._sync(admissions)
            self.env["channel.admission.finding"]._replace(
                admissions, self.env["channel.admission.check"].sudo()._run(admissions)
            )

    def _checklist(self):
        """Types of documents that concern each admission, in one query.

        A type without class, country and role is optional for everybody and not listed; it can be added by hand.

        :return: ``{admission_id: {type_id: mandatory}}``
        """
        self.flush_recordset(["country_id", "role"])
        types = self.env["channel.qualification.type"]
        types.flush_model()
        asks = [
            (admission.id, device_class)
            for admission in self.filtered("role")
            # A class that no type has: those who do not trade are asked for what every class asks for.
            for device_class in admission._device_classes() or ["-"]
        ]
        if not asks:
            return {}
        rows = self.env.execute_query(SQL(
            """
            SELECT member.id, type.id, bool_or(COALESCE(type.mandatory, FALSE))
              FROM (
                    SELECT a.id, a.country_id, a.role AS channel_role, ask.device_class
                      FROM unnest(%s::int[], %s::varchar[]) AS ask(id, device_class)
                      JOIN channel_admission a ON a.id = ask.id
                   ) member
              JOIN channel_qualification_type type ON %s
             WHERE type.mandatory
                OR type.country_id IS NOT NULL
                OR EXISTS (SELECT FROM channel_qualification_type_role_rel rel WHERE rel.type_id = type.id)
          GROUP BY member.id, type.id
            """,
            [ask[0] for ask in asks],
            [ask[1] for ask in asks],
            types._applies_sql(SQL("type"), SQL("member"), SQL("member.device_class")),
        ))
        checklist = defaultdict(dict)
        for admission_id, type_id, mandatory in rows:
            checklist[admission_id][type_id] = mandatory
        return checklist

    def _similar_partners(self):
        """Companies with the identification number of the admissions, in a fixed number of queries.

        :return: ``{admission: partners}``, superuser rights, the admission's own partner left out
        """
        keys = {admission: number_key(admission.vat) for admission in self}
        if not any(keys.values()):
            return {}
        # sudo: a company that applies again must be seen although it lies in another region.
        partners = self.env["res.partner"].sudo().with_context(active_test=False)
        # Members are known by their keys, however the number is written; others by the spellings that are usual.
        spellings = {admission.vat for admission in self if admission.vat} | {
            key.upper() for key in keys.values() if key
        }
        members = self.env["channel.member.key"].sudo()._members_by_key("vat", {key for key in keys.values() if key})
        by_key = defaultdict(partners.browse)
        for key, partner_ids in members.items():
            by_key[key] |= partners.browse(partner_ids)
        for partner in partners.search([("vat", "in", list(spellings)), ("parent_id", "=", False)], order="id"):
            by_key[number_key(partner.vat)] |= partner
        return {
            admission: by_key[key].sorted("id") - admission.partner_id for admission, key in keys.items() if key
        }

    def _progress_counts(self):
        """``(done, total)`` of required fields and mandatory documents."""
        self.ensure_one()
        wanted = [bool(self[name]) for name in self._required_fields()]
        wanted += [document._is_provided() for document in self.document_ids if document.mandatory]
        return sum(wanted), len(wanted)

    #=== PARTICULARS: BEFORE AND AFTER ===#

    @api.model
    def _particulars(self, partner):
        """Particulars of a member as plain JSON: ``{field of the admission: value}``, ids for relations."""
        values = {}
        for name, partner_field in PARTICULARS.items():
            value = partner[partner_field]
            values[name] = (value.id if partner._fields[partner_field].type == "many2one" else value) or False
        bank = partner.bank_ids[:1]
        return {**values, "bank_account": bank.acc_number or False, "bank_name": bank.bank_id.name or False}

    @api.model
    def _member_vals(self, partner):
        """Values of a re-audit or a change, prefilled from the member."""
        contact = partner.child_ids.filtered(lambda child: child.type == "contact" and child.email)[:1]
        values = self._particulars(partner)
        scope_types = partner.channel_qualification_ids.filtered(lambda q: q.state == "verified").type_id
        return {
            **values,
            "contact_name": contact.name or partner.name,
            "email": contact.email or partner.email,
            "grade_id": partner.grade_id.id,
            **{
                field: any(scope_types.filtered("mandatory").mapped(field))
                for field in DEVICE_CLASSES.values()
            },
        }

    def _difference(self):
        """What a change of particulars changes: ``[{"field", "label", "before", "after"}]``, as a person reads it."""
        self.ensure_one()
        # sudo: account numbers are compared for everybody and shown masked
        admission = self.sudo()
        if admission.kind == "new" or not admission.before_values:
            return []
        changes = []
        for name in (*PARTICULARS, "bank_name", "bank_account"):
            before = admission.before_values.get(name) or False
            value = admission[name]
            after = (value.id if self._fields[name].type == "many2one" else value) or False
            if before == after:
                continue
            changes.append({
                "field": name,
                "label": self._fields[name]._description_string(self.env),
                "before": self._readable(name, before),
                "after": self._readable(name, after),
            })
        return changes

    def _readable(self, name, value):
        field = self._fields[name]
        if not value:
            return ""
        if name == "bank_account":
            return self._masked(value)
        if field.type == "many2one":
            # sudo: a name only, of what the reader's own document points to
            return self.env[field.comodel_name].sudo().browse(value).exists().display_name or ""
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        return str(value)

    @api.model
    def _masked(self, account):
        """The last four characters of an account number, enough to recognise it."""
        return f"…{account[-4:]}" if account else None

    #=== OUTCOME ===#

    # Runs with superuser rights in the name of who gave the last approval, see _approval_done of the mixin.

    def _outcome_new(self):
        """Make the applicant a member in good standing, without any further keying."""
        self.ensure_one()
        member = self._write_member(self._applied_vals())
        contact = self._write_contact(member)
        if not member.email:
            member.email = contact.email
        self._write_bank(member)
        self._make_qualifications(member)
        reason = self._reason()
        deciding = member.with_user(self._deciding_user()).sudo()
        if member.channel_state == "terminated":
            deciding.action_channel_readmit(reason)
        if member.channel_state == "applicant":
            deciding.action_channel_activate(reason)
        self._make_authorization(member)
        self._plan_next_audit(member)
        self._invite(member)

    def _outcome_change(self):
        """Write what was changed, and nothing else: other fields may have moved on since."""
        self.ensure_one()
        member = self.partner_id
        before = self._particulars(member)
        changed = {change["field"] for change in self._difference()}
        self._write_member({name: self._plain(name) for name in PARTICULARS if name in changed})
        if "bank_account" in changed:
            self._write_bank(member)
        self._make_qualifications(member)
        after = self._particulars(member)

        def journal(values):
            return {
                name: self._masked(values[name]) if name == "bank_account" else values[name] or None
                for name in sorted(changed)
            }

        if changed:
            self.env["channel.audit.entry"]._record(
                "member.changed", member, reason=self._reason(), before=journal(before), after=journal(after)
            )

    def _outcome_reaudit(self):
        """Take over renewed documents and plan the next audit, or suspend the member."""
        self.ensure_one()
        member = self.partner_id
        self._outcome_change()
        if self.outcome == "suspend" and member.channel_state == "active":
            member.with_user(self._deciding_user()).sudo().action_channel_suspend(self._reason())
        self._plan_next_audit(member)
        self.env["channel.alert"]._clear_alerts(REAUDIT_ALERT, [str(self.id)])

    def _reason(self):
        return self.env._("Admission %(reference)s (%(kind)s)", reference=self.reference, kind=dict(
            self._fields["kind"]._description_selection(self.env)
        )[self.kind])

    def _deciding_user(self):
        """Of those who approved this admission, one who may admit members; else the last approver.

        The tiers of high risk end with people who approve admissions, but do not admit members themselves: the
        admission is then the decision of all of them, and is entered for the one whose position it is.
        """
        return self._approver_of("channel_base.group_channel_compliance", "channel_base.group_channel_manager")

    def _approver_of(self, *groups):
        approvers = self.env.user | self.review_ids.done_by
        for group in groups:
            if found := approvers.filtered(lambda user, group=group: user.has_group(group))[:1]:
                return found
        return self.env.user

    def _plain(self, name):
        value = self[name]
        return value.id if self._fields[name].type == "many2one" else value

    def _applied_vals(self):
        """Particulars that the applicant gave; an existing partner keeps what was left empty."""
        return {name: self._plain(name) for name in PARTICULARS if self[name] or not self.partner_id}

    def _write_member(self, values):
        """Create or update the partner from particulars.

        :param dict values: ``{field of the admission: value}``
        :return: the member
        """
        self.ensure_one()
        vals = {PARTICULARS[name]: value for name, value in values.items()}
        if self.partner_id:
            if vals:
                self.partner_id.write(vals)
            member = self.partner_id
        else:
            member = self.env["res.partner"].create({**vals, "is_company": True, "company_id": False})
            _DECIDER.open(self).write({"partner_id": member.id})
        if self.grade_id and member.grade_id != self.grade_id:
            member._channel_change({"grade_id": self.grade_id.id}, reason=self._reason())
        return member

    def _write_contact(self, member):
        """The person who applied, as a contact of the member.

        :return: the contact; empty when no e-mail address was given
        """
        email = email_normalize(self.email or "")
        contacts = member.child_ids.filtered(lambda child: child.type == "contact")
        if not email:
            return contacts.browse()
        contact = contacts.filtered(lambda child: email_normalize(child.email or "") == email)[:1]
        return contact or member.create({
            "parent_id": member.id,
            "type": "contact",
            "name": self.contact_name or self.name,
            "email": email,
            "phone": self.mobile or self.phone,
            "lang": self.lang,
        })

    def _write_bank(self, member):
        """Add the account; the existing ones stay, because invoices and payments name them."""
        if not self.bank_account:
            return
        accounts = member.with_context(active_test=False).bank_ids
        wanted = accounts.new({"acc_number": self.bank_account}).sanitized_acc_number
        if wanted in accounts.mapped("sanitized_acc_number"):
            return
        bank = self.env["res.bank"]
        if self.bank_name:
            bank = bank.search([("name", "=ilike", self.bank_name)], limit=1) or bank.create({"name": self.bank_name})
        accounts.create({
            "partner_id": member.id,
            "acc_number": self.bank_account,
            "bank_id": bank.id,
            "acc_holder_name": self.name,
            # First, so that it is the one proposed.
            "sequence": min(accounts.mapped("sequence"), default=10) - 1,
        })

    def _make_qualifications(self, member):
        """Documents of the checklist become verified qualifications.

        Entered for who submitted them and verified by who approved: two persons.
        """
        qualifications = self.env["channel.qualification"]
        for document in self.document_ids.filtered(lambda d: d._is_new_version()):
            qualification = qualifications.create(document._qualification_vals(member))
            document._hand_over_files(qualification)
            document.qualification_id = qualification
            qualifications |= qualification
        if not qualifications:
            return qualifications
        # The approver presses the button, but wrote none of it: its authors are those of the admission.
        qualifications.write({
            "submitted_by_id": (self.submitted_by_id or self.create_uid).id,
            "author_ids": [Command.set(self._approval_authors().ids)],
        })
        verifier = self._deciding_user()
        if verifier.has_group("channel_base.group_channel_compliance"):
            qualifications.with_user(verifier).sudo().action_verify()
        else:
            self._message_log(body=self.env._(
                "Nobody of Compliance took part in the approval: the documents wait to be verified."
            ))
        return qualifications

    def _make_authorization(self, member):
        """Prepare what the member asked for: products x territory. Approve it where the company wants that.

        :return: the authorization; empty when no product or no territory was asked for
        """
        authorization = self.env["channel.authorization"]
        mode = self.company_id.channel_admission_authorization
        if mode == "none" or not self.product_categ_ids or not (self.region_ids or self.customer_ids):
            return authorization
        # The author is the applicant, who has no user: entered by the system, approved by a person.
        authorization = authorization.with_user(SUPERUSER_ID).create({
            "partner_id": member.id,
            "company_id": self.company_id.id,
            "product_categ_ids": [Command.set(self.product_categ_ids.ids)],
            "region_ids": [Command.set(self.region_ids.ids)],
            "customer_ids": [Command.set(self.customer_ids.ids)],
        }).with_user(self.env.user).sudo()
        if mode == "approved":
            if authorization.need_validation:
                authorization.request_validation()
                return authorization
            try:
                with self.env.cr.savepoint():
                    # Its tiers do not match, and the admission that asks for it has just been approved.
                    authorization._approve()
            except UserError as error:
                self._message_log(body=self.env._(
                    "Authorization %(number)s stays a draft: %(error)s", number=authorization.number, error=error
                ))
        return authorization

    def _plan_next_audit(self, member):
        date = self.next_audit_date or self.env["channel.reaudit.rule"]._next_date(member, self.risk_level)
        member.write({"channel_next_audit_date": date, "channel_risk_level": self.risk_level})

    def _invite(self, member):
        """Invite the contact to the portal by Odoo's own invitation; who has an account already is left alone."""
        contact = member.child_ids.filtered(
            lambda child: email_normalize(child.email or "") == email_normalize(self.email or "-")
        )[:1]
        if not contact or contact.user_ids:
            return
        wizard = self.env["portal.wizard"].create({"partner_ids": [Command.set(contact.ids)]})
        invitation = wizard.user_ids.filtered(lambda user: user.partner_id == contact)
        if invitation.email_state != "ok":
            self._message_log(body=self.env._(
                "%s was not invited to the portal: the address belongs to another user.", contact.email
            ))
            return
        invitation.action_grant_access()

    #=== API ===#

    @api.model
    def apply(self, values):
        """Hand in an application, or complete one that was sent before.

        Idempotent by ``external_id``: sent again, it completes a draft or a returned one, and changes nothing once it
        is submitted or decided.

        :param dict values: fields of the applicant: ``name``, ``role``, ``vat``, ``legal_person``, ``country`` (ISO
            code), ``state`` (code or name), ``city``, ``street``, ``street2``, ``zip``, ``contact_name``, ``email``,
            ``phone``, ``mobile``, ``website``, ``lang``, ``device_classes`` (list of I, II, III), ``regions`` (codes),
            ``product_categories`` (complete names or ids), ``hospitals`` (member codes or ids), ``bank_account``,
            ``bank_name``, ``note``; ``external_id``; ``submit`` (default True: submit when nothing is missing);
            ``documents``: list of ``{type, number, issue_date, expiry_date, issuer, holder_name, scope_text,
            files: [{name, content}]}`` with the code of a qualification type, ISO dates and base64 contents
        :return: ``{"reference", "token", "state", "missing": [...], "findings": [...]}``. ``missing`` and ``findings``
            hold ``{code, severity, field, document, message, remedy}``; ``token`` opens the application on the portal.
        :raise AdmissionError: values that cannot be taken over, all of them with field, value and remedy; nothing is
            stored then
        """
        self.browse().check_access("create")
        values = dict(values or {})
        external_id = values.pop("external_id", None)
        submit = values.pop("submit", True)
        documents = values.pop("documents", None) or []
        admission = self.browse()
        if external_id:
            external_id = str(external_id)[:MAX_CHAR]
            # Two calls at once: the second waits for the first one's end and then finds what it made.
            self.env.cr.execute(SQL(
                "SELECT pg_advisory_xact_lock(hashtext('channel.admission'), hashtext(%s))", external_id
            ))
            admission = self.search([("external_id", "=", external_id), ("company_id", "=", self.env.company.id)])
        if not admission or admission.state in EDITABLE_STATES:
            admission = admission._portal_save({
                **values, "source": "api", "external_id": external_id, "company_id": self.env.company.id,
            })
            for document in documents:
                admission._api_document(document)
            if submit and not admission._missing():
                admission._submit()
        return admission._api_result()

    @api.model
    @api.readonly
    def status(self, reference):
        """How far an application is.

        :param str reference: the reference that :meth:`apply` returned, or the external one
        :return: as :meth:`apply`, without the token, and ``progress`` (percent), ``return_reason``,
            ``decision_reason``, ``member`` (code, once admitted)
        :raise UserError: no application that the user may read has this reference
        """
        admission = self.search([
            "|", ("reference", "=", reference), ("external_id", "=", reference),
        ], limit=1)
        if not admission:
            raise UserError(self.env._(
                "Reference: there is no admission %s. Give the reference that apply() returned.", reference
            ))
        result = admission._api_result()
        del result["token"]
        return {
            **result,
            "progress": admission.progress,
            "return_reason": admission.return_reason or False,
            "decision_reason": admission.decision_reason or False,
            "member": admission.partner_id.channel_code or False,
        }

    def _api_result(self):
        # sudo: the caller may read the admission; the token goes to who sent it, findings are those for applicants.
        admission = self.sudo()
        return {
            "reference": admission.reference,
            "token": admission.access_token,
            "state": admission.state,
            "missing": self._missing(),
            "findings": self._applicant_findings(),
        }

    def _api_document(self, values):
        values = dict(values)
        files = []
        for file in values.pop("files", None) or []:
            try:
                content = base64.b64decode(file.get("content") or "", validate=True)
            except (binascii.Error, ValueError):
                raise AdmissionError([{
                    "field": "files",
                    "value": file.get("name"),
                    "message": self.env._("The content of %s is not base64.", file.get("name") or ""),
                    "remedy": self.env._("Encode the bytes of the file as base64."),
                }]) from None
            files.append({"name": file.get("name"), "content": content})
        return self._portal_add_document(values.pop("type", None), files, **values)

    def _applicant_findings(self):
        """Open findings that the applicant may see: ``[{code, severity, field, document, message, remedy}]``."""
        # sudo: findings for applicants are made for those who have the token
        findings = self.sudo().finding_ids.filtered(lambda f: f.for_applicant and f.state == "open")
        return [finding._as_json() for finding in findings]

    def _missing(self):
        """Of :meth:`_applicant_findings`, those that keep the application from being submitted."""
        return [finding for finding in self._applicant_findings() if finding["severity"] == "block"]

    #=== PORTAL ===#

    @api.model
    def _portal_requirements(self, role, country, device_classes):
        """Documents that an applicant will be asked for.

        :param str role: a value of ``channel_role``
        :param country: ``res.country`` record or id
        :param device_classes: iterable of ``I``, ``II``, ``III``; may be empty
        :return: list in the order of the types: ``{"type_id", "code", "name", "description", "law", "mandatory",
            "has_scope", "expires"}``
        """
        # sudo: names of kinds of documents, for a visitor who has no account
        admissions = self.sudo()
        country_id = country.id if isinstance(country, models.BaseModel) else int(country or 0)
        types = self.env["channel.qualification.type"].sudo()
        types.flush_model()
        rows = self.env.execute_query(SQL(
            """
            SELECT type.id, bool_or(COALESCE(type.mandatory, FALSE))
              FROM (SELECT %s::int AS country_id, %s::varchar AS channel_role, unnest(%s::varchar[]) AS device_class)
                    member
              JOIN channel_qualification_type type ON %s
             WHERE type.mandatory
                OR type.country_id IS NOT NULL
                OR EXISTS (SELECT FROM channel_qualification_type_role_rel rel WHERE rel.type_id = type.id)
          GROUP BY type.id, type.sequence, type.code
          ORDER BY type.sequence, type.code, type.id
            """,
            country_id or None,
            role or None,
            [name for name in device_classes or () if name in DEVICE_CLASSES] or ["-"],
            types._applies_sql(SQL("type"), SQL("member"), SQL("member.device_class")),
        ))
        mandatory = dict(rows)
        return [
            {
                "type_id": qualification_type.id,
                "code": qualification_type.code,
                "name": qualification_type.name,
                "description": qualification_type.description or "",
                "law": qualification_type.law or "",
                "mandatory": mandatory[qualification_type.id],
                "has_scope": qualification_type.has_scope,
                "expires": bool(qualification_type.validity_months),
            }
            for qualification_type in admissions.env["channel.qualification.type"].browse(mandatory)
        ]

    def _portal_save(self, values):
        """Create a draft, or complete this one, from what an applicant filled in.

        :param dict values: as :meth:`apply` without documents; also the names of the fields themselves
            (:data:`APPLICANT_FIELDS`) with ids. Left out: unchanged. Anything else than these, ``source``,
            ``external_id`` and (of a new one) ``company_id`` is refused.
        :return: the admission, in the environment of the caller (controllers call with sudo, after they have checked
            the token)
        :raise AdmissionError: values that cannot be taken over; ``errors`` lists all of them
        """
        vals = self._applicant_vals(values)
        if not self:
            own = {
                name: values[name] for name in ("source", "external_id", "company_id") if values.get(name)
            }
            # sudo: the source is written by this method alone
            created = self.sudo().create({**vals, "source": "portal", **own})
            return created.sudo(self.env.su)
        self.ensure_one()
        self._check_editable()
        if vals:
            self.check_access("write")
            # sudo: an account number may be given by who may not read it; only fields of the applicant are written.
            self.sudo().write(vals)
        return self

    def _portal_add_document(self, document_type, files=None, **values):
        """Fill in a line of the checklist.

        :param document_type: code of a ``channel.qualification.type``, its record or id; one that is not in the
            checklist is added to it
        :param list files: ``{"name": str, "content": bytes}``, added to those that are there; types and sizes by
            ``channel.admission.document._file_limits()``
        :param values: ``number``, ``issue_date``, ``expiry_date`` (dates or ISO text), ``issuer``, ``holder_name``,
            ``scope_text``
        :return: the ``channel.admission.document``
        :raise AdmissionError: a file or a value that cannot be taken over
        """
        self.ensure_one()
        self._check_editable()
        return self.env["channel.admission.document"]._fill(self, document_type, files or [], values)

    def _progress(self):
        """What an applicant and a reviewer see of the way: plain JSON.

        :return: ``{"percent": int, "state": str, "steps": [{"key", "label", "done", "total"}], "missing": [...],
            "findings": [...]}``; the last two as of :meth:`apply`
        """
        self.ensure_one()
        fields_wanted = self._required_fields()
        documents = self.document_ids.filtered("mandatory")
        findings = self._applicant_findings()
        submitted = self.state not in EDITABLE_STATES
        return {
            "percent": self.progress,
            "state": self.state,
            "steps": [
                {
                    "key": "particulars",
                    "label": self.env._("Company"),
                    "done": sum(bool(self[name]) for name in fields_wanted),
                    "total": len(fields_wanted),
                },
                {
                    "key": "documents",
                    "label": self.env._("Documents"),
                    "done": sum(document._is_provided() for document in documents),
                    "total": len(documents),
                },
                {"key": "submitted", "label": self.env._("Submitted"), "done": int(submitted), "total": 1},
                {
                    "key": "decided",
                    "label": self.env._("Decided"),
                    "done": int(self.state in ("approved", "rejected")),
                    "total": 1,
                },
            ],
            "missing": [finding for finding in findings if finding["severity"] == "block"],
            "findings": findings,
        }

    def _check_editable(self):
        """Refuse changes by the applicant of what is being reviewed or decided."""
        for admission in self:
            if admission.state not in EDITABLE_STATES:
                raise UserError(self.env._(
                    "%s has been submitted: it can be changed when the reviewers return it.", admission.reference
                ))

    def _applicant_vals(self, values):
        """Values for create or write from what an applicant sent, checked one by one."""
        vals, errors = {}, []

        def error(field, value, message, remedy=""):
            errors.append({"field": field, "value": value, "message": message, "remedy": remedy})

        aliases = {"country", "state", "device_classes", "regions", "product_categories", "hospitals"}
        allowed = {*APPLICANT_FIELDS, *aliases, "source", "external_id", "company_id"}
        for name in values.keys() - allowed:
            error(name, values[name], self.env._("“%s” is not a field of an application.", name),
                  self.env._("Leave it out."))
        for name in APPLICANT_FIELDS:
            if name in values and not self._fields[name].relational:
                try:
                    vals[name] = self._applicant_value(name, values[name])
                except ValueError as problem:
                    error(name, values[name], *problem.args)
        self._applicant_places(values, vals, error)
        self._applicant_wishes(values, vals, error)
        if errors:
            raise AdmissionError(errors)
        return vals

    def _applicant_value(self, name, value):
        """One plain value, checked.

        :raise ValueError: with message and remedy
        """
        field = self._fields[name]
        if field.type == "boolean":
            return value in (True, 1, "1", "on", "true", "True")
        if value in (None, False, ""):
            return False
        if field.type == "selection":
            keys = dict(field._description_selection(self.env))
            if value not in keys:
                raise ValueError(
                    self.env._("“%s” is not known.", value), self.env._("Use one of: %s.", ", ".join(keys))
                )
            return value
        text = str(value).strip()
        limit = MAX_TEXT if field.type == "text" else MAX_CHAR
        if len(text) > limit:
            raise ValueError(self.env._("The text is too long."), self.env._("Use %s characters at most.", limit))
        if name == "email" and not (email_normalize(text) and EMAIL_PATTERN.fullmatch(text)):
            raise ValueError(
                self.env._("“%s” is not an e-mail address.", text), self.env._("Write it as name@company.com.")
            )
        return text

    def _applicant_places(self, values, vals, error):
        """Country and province, by code, name or id."""
        # sudo: names of countries are no secret
        countries, states = self.env["res.country"].sudo(), self.env["res.country.state"].sudo()
        country = self.country_id.sudo()
        if "country" in values or "country_id" in values:
            value = values.get("country", values.get("country_id"))
            country = (
                countries.search([("code", "=", value.strip().upper())])
                if isinstance(value, str) and not value.strip().isdigit()
                else countries.browse(int(value or 0)).exists()
            )
            if value and not country:
                error("country", value, self.env._("There is no country “%s”.", value),
                      self.env._("Use the two letters of ISO 3166."))
            vals["country_id"] = country.id
        if "state" in values or "state_id" in values:
            value = values.get("state", values.get("state_id"))
            if isinstance(value, str) and not value.strip().isdigit():
                value = value.strip()
                state = states.search([
                    ("country_id", "=", country.id), "|", ("code", "=", value), ("name", "=ilike", value),
                ], limit=1)
            else:
                state = states.browse(int(value or 0)).exists()
            if value and (not state or state.country_id != country):
                error("state", value, self.env._("“%(state)s” is not a province of %(country)s.", state=value,
                                                 country=country.name or ""),
                      self.env._("Use its code or its name."))
            vals["state_id"] = state.id

    def _applicant_wishes(self, values, vals, error):
        """Device classes, regions, products and hospitals, by code, name or id."""
        if "device_classes" in values:
            wanted = values["device_classes"] or []
            for value in set(wanted) - set(DEVICE_CLASSES):
                error("device_classes", value, self.env._("There is no device class “%s”.", value),
                      self.env._("Use I, II and III."))
            vals.update({name: device_class in wanted for device_class, name in DEVICE_CLASSES.items()})
        for alias, name, by in (
            ("regions", "region_ids", "code"),
            ("product_categories", "product_categ_ids", "complete_name"),
            ("hospitals", "customer_ids", "channel_code"),
        ):
            if alias not in values and name not in values:
                continue
            wanted = list(values.get(alias, values.get(name)) or [])
            # sudo: an applicant names what it wants; what is found here is not shown to it.
            model = self.env[self._fields[name].comodel_name].sudo()
            domain = Domain("channel_role", "=", "hospital") if name == "customer_ids" else Domain.TRUE
            ids = [int(value) for value in wanted if isinstance(value, int) or str(value).isdigit()]
            codes = [str(value) for value in wanted]
            found = model.search(domain & (Domain("id", "in", ids) | Domain(by, "in", codes))) if wanted else model
            by_code = {record[by]: record for record in found}
            by_id = {record.id: record for record in found}
            records = model
            for value in wanted:
                # A code may be all digits: it goes before the id when codes were asked for.
                keys = (by_code.get(str(value)), by_id.get(int(value)) if str(value).isdigit() else None)
                record = next(filter(None, keys if alias in values else reversed(keys)), None)
                if record is None:
                    error(alias, value, self.env._("“%s” was not found.", value),
                          self.env._("Use a code of the list, or its id."))
                else:
                    records |= record
            vals[name] = [Command.set(records.ids)]

    #=== PERIODIC RE-AUDIT ===#

    @api.model
    def _cron_open_reaudits(self):
        """Open the re-audits that are due and raise alerts about those overdue. Running it again changes nothing."""
        self.env["channel.reaudit.rule"]._open_due()
        self._alert_overdue()

    def _remind_reviewer(self):
        """Give a re-audit opened by the calendar to who is in charge of the member's region."""
        self.ensure_one()
        reviewer = self._choose_reviewer()
        if reviewer:
            self.reviewer_id = reviewer
            self.activity_schedule(
                ACTIVITY_TYPE,
                user_id=reviewer.id,
                date_deadline=self.due_date,
                summary=self.env._("Re-audit of %s", self.partner_id.name),
            )

    @api.model
    def _alert_overdue(self):
        """One alert for each open re-audit whose day has passed; the alerts of others are closed."""
        today = fields.Date.context_today(self)
        # sudo: the job looks at the members of every region and tidies the alerts of its own source.
        overdue = self.sudo().search([
            ("kind", "=", "reaudit"), ("state", "in", OPEN_STATES), ("due_date", "<", today),
        ])
        keys = {str(admission.id) for admission in overdue}
        alerts = self.env["channel.alert"].sudo()
        standing = alerts.search([("source", "=", REAUDIT_ALERT), ("state", "!=", "resolved")]).mapped("key")
        alerts._clear_alerts(REAUDIT_ALERT, [key for key in standing if key not in keys])
        alerts._raise_alerts(REAUDIT_ALERT, [
            {
                "key": str(admission.id),
                "name": self.env._(
                    "The re-audit of %(member)s was due on %(date)s",
                    member=admission.partner_id.name,
                    date=format_date(self.env, admission.due_date),
                ),
                "severity": "warning",
                "record": admission,
                "company": admission.company_id,
                "user": admission.reviewer_id,
                "region": admission.region_id,
            }
            for admission in overdue
        ])
