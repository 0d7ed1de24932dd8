import base64
from datetime import timedelta
from hashlib import sha256

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.channel_base.models.channel_approval_mixin import _APPROVER
from odoo.addons.channel_base.tools.canonical import canonical_json
from odoo.addons.channel_member.tools.qr import qr_image

from ..tools.signature import LIVE, SIGNER, STANDING
from .channel_contract_version_renewal_mixin import _RENEWER

#: What the journal says about signatures, and the kind of the line on the timeline that tells the same.
EVENTS = {
    "signature.sent": "sent",
    "signature.signed": "signature",
    "signature.cancelled": "taken_back",
    "signature.declined": "refused",
    "signature.expired": "overdue",
    "signature.completed": "signed",
    "signature.sealed": "sealed",
}


class ChannelContractVersionSignatureMixin(models.AbstractModel):
    """Signatures of a contract version: what is asked, what there is, and what it counts without.

    Where the contract asks for signatures, an approved version waits for them (``pending``): it is not in force, and
    the version before it goes on. With the last signature it makes room for itself as versions do at their approval.
    """

    _name = "channel.contract.version.signature.mixin"
    _description = "Signatures of a Contract Version"

    signature_state = fields.Selection(
        [
            ("none", "Not asked"),
            ("pending", "Waiting for signatures"),
            ("signed", "Signed"),
            ("refused", "Refused"),
        ],
        string="Signature",
        required=True,
        readonly=True,
        default="none",
        copy=False,
        index=True,
        tracking=True,
        help="Decided when the version is approved: whether its contract asks for signatures.",
    )
    signed_on = fields.Date(
        readonly=True, copy=False, help="The day of the last signature; of a paper original, the day written on it."
    )
    signature_provider = fields.Selection(
        lambda self: list(self.env["channel.signature.provider"]._providers().items()),
        string="Signed on",
        required=True,
        default="portal",
    )
    signature_deadline = fields.Date(
        string="Sign until", copy=False, help="Empty: so many days after it is sent as the company says."
    )
    signatory_ids = fields.One2many("channel.contract.signatory", "version_id", string="Signatories", copy=True)
    signature_request_ids = fields.One2many(
        "channel.contract.signature.request", "version_id", string="Requests for Signature"
    )
    signature_request_id = fields.Many2one(
        "channel.contract.signature.request",
        string="Request for Signature",
        compute="_compute_signature_request_id",
        store=True,
        help="The latest one.",
    )
    signature_request_state = fields.Selection(related="signature_request_id.state", string="State of the Request")
    signature_ids = fields.One2many("channel.contract.signature", "version_id", string="Signatures")
    original_ids = fields.One2many("channel.contract.original", "version_id", string="Paper Originals")
    sealed_id = fields.Many2one(related="signature_request_id.sealed_id")
    seal_level = fields.Selection(related="signature_request_id.seal_level")
    seal_problem = fields.Char(related="signature_request_id.seal_problem")
    is_signatory = fields.Boolean(compute="_compute_is_signatory", help="The user is asked to sign now.")
    text_sha256 = fields.Char(
        string="Text (SHA-256)",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Of the approved terms. Its beginning is printed on the contract, so that a paper original is matched.",
    )
    text_code = fields.Char(string="Code of the Text", compute="_compute_text_code")

    # === COMPUTE METHODS ===#

    @api.depends("signature_request_ids")
    def _compute_signature_request_id(self):
        for version in self:
            version.signature_request_id = version.signature_request_ids.sorted("id", reverse=True)[:1]

    @api.depends_context("uid")
    @api.depends("signatory_ids.state", "signature_request_ids.state")
    def _compute_is_signatory(self):
        for version in self:
            version.is_signatory = bool(version._own_signatory())

    @api.depends("text_sha256")
    def _compute_text_code(self):
        for version in self:
            version.text_code = _short(version.text_sha256)

    # === HOOKS OF THE VERSION ===#

    @api.model
    def _approval_technical_fields(self):
        return super()._approval_technical_fields() | (
            self.env["channel.contract.version.signature.mixin"]._fields.keys() - set(models.MAGIC_COLUMNS)
        )

    @api.model
    def _version_standing_domain(self):
        return super()._version_standing_domain() & Domain("signature_state", "in", STANDING)

    @api.model
    def _standing_sql(self, version):
        """:return: the domain above as an SQL condition on the alias ``version`` of ``channel_contract_version``"""
        return SQL("(%(v)s.state = 'approved' AND %(v)s.signature_state IN ('none', 'signed'))", v=version)

    @api.model
    def _unsigned_sql(self, version):
        """:return: SQL condition: approved, and out for signature"""
        return SQL("(%(v)s.state = 'approved' AND %(v)s.signature_state IN ('pending', 'refused'))", v=version)

    def _version_stands_when_approved(self):
        return super()._version_stands_when_approved() and self.signature_state in STANDING

    def _stands(self):
        """Whether an approved version counts on the days of its period: no signature is missing."""
        self.ensure_one()
        return self.state == "approved" and self.signature_state in STANDING

    def _approval_before(self):
        # What follows by itself was signed with the version that says so, and a paper original on paper
        asked = self.filtered(lambda v: v.contract_id.signature_required and not v._is_paper_original())
        if _RENEWER.opens(self):
            asked = self.browse()
        SIGNER.open(_APPROVER.open(asked)).write({"signature_state": "pending"})
        return super()._approval_before()

    def _approval_done(self):
        result = super()._approval_done()
        self._freeze_text()
        return result

    def _make_room(self):
        """And versions before this one that still wait for signatures are overtaken."""
        super()._make_room()
        overtaken = self.search(
            [
                ("contract_id", "=", self.contract_id.id),
                ("state", "=", "approved"),
                ("signature_state", "not in", STANDING),
                ("number", "<", self.number),
            ]
        )
        if overtaken:
            reason = self.env._("Followed by %s", self.display_name)
            overtaken._end_unsigned("superseded", reason)
            self.env["channel.audit.entry"]._record("version.superseded", overtaken, reason=reason)

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_signature_fields(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_signature_fields(vals)
        return super(ChannelContractVersionSignatureMixin, SIGNER.close(self)).write(vals)

    @api.model
    def _signature_protected_fields(self):
        """Names of the fields that only signing itself writes."""
        return {"signature_state", "signed_on", "text_sha256"}

    def _check_signature_fields(self, vals):
        protected = self._signature_protected_fields() & vals.keys()
        if protected and not SIGNER.opens(self):
            raise UserError(
                self.env._(
                    "%(fields)s of a contract version cannot be written: send the version out for signature instead.",
                    fields=", ".join(sorted(self._fields[name]._description_string(self.env) for name in protected)),
                )
            )

    # === ACTION METHODS ===#

    def action_send_for_signature(self):
        """Freeze the file and ask the first signatories."""
        self.check_access("write")
        for version in self:
            version._check_sendable()
            company = version.company_id
            deadline = version.signature_deadline or (
                company._channel_today() + timedelta(days=company.channel_signature_days)
            )
            if version.signature_state == "refused":
                SIGNER.open(version).write({"signature_state": "pending"})
            self.env["channel.contract.signature.request"]._send(version, version.signature_provider, deadline)
        return True

    def action_cancel_signature(self):
        """Take a request back: its links are void, the signatories can be changed, and it can be sent again."""
        self.check_access("write")
        for version in self:
            # sudo: the right was checked; requests are written by signing alone
            request = version.sudo().signature_request_id
            if request.state != "open":
                raise UserError(self.env._("%s is not out for signature.", version.display_name))
            request._close("cancelled", self.env._("Taken back by %s", self.env.user.name))
        return True

    def action_withdraw(self):
        """Give up an approved version that was not signed: it will never be in force."""
        self.check_access("write")
        for version in self:
            if version.state != "approved" or version._stands():
                raise UserError(
                    self.env._("%s does not wait for signatures: it cannot be withdrawn.", version.display_name)
                )
        reason = self.env._("Withdrawn by %s", self.env.user.name)
        # sudo: the right was checked; only the state is written
        self.sudo()._end_unsigned("cancelled", reason)
        self.env["channel.audit.entry"]._record("version.withdrawn", self, reason=reason)
        return True

    def action_sign(self):
        """The dialog in which a colleague who is asked signs."""
        self.ensure_one()
        signatory = self._own_signatory()
        if not signatory:
            raise UserError(self.env._("You are not asked to sign %s now.", self.display_name))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Sign"),
            "res_model": "channel.contract.sign",
            "view_mode": "form",
            "target": "new",
            "context": {"default_version_id": self.id},
        }

    def action_upload_original(self):
        """The form for a scan of what was signed on paper."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Paper Original"),
            "res_model": "channel.contract.original",
            "view_mode": "form",
            "context": {"default_version_id": self.id},
        }

    def action_verify_seal(self):
        self.ensure_one()
        return self.signature_request_id.action_verify_seal()

    def action_open_signature_requests(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "domain": [("version_id", "=", self.id)],
            "name": self.env._("Requests for Signature"),
            "res_model": "channel.contract.signature.request",
            "view_mode": "list,form",
        }

    # === BUSINESS METHODS ===#

    def _check_sendable(self):
        """Refuse to send what cannot be signed: everything that is missing, in one message."""
        self.ensure_one()
        if self.state != "approved" or self.signature_state == "signed":
            raise UserError(
                self.env._("%s cannot be sent out for signature: only an approved version is, once.", self.display_name)
            )
        # sudo: there is one at a time, whoever looks
        if self.sudo().signature_request_id.state in LIVE:
            raise UserError(self.env._("%s is out for signature already: take it back first.", self.display_name))
        today = self.company_id._channel_today()
        problems = self.signatory_ids._problems(today)
        for side, party in (("theirs", self.member_id), ("ours", self.company_id)):
            if not self.signatory_ids.filtered(lambda signatory, side=side: signatory.side == side):
                problems.append(self.env._("Nobody is named to sign for %s.", party.name))
        if self.signature_deadline and self.signature_deadline < today:
            problems.append(self.env._("The day until which it is to be signed, %s, is over.", self.signature_deadline))
        if problems:
            raise UserError("\n".join([self.env._("%s cannot be sent out:", self.display_name), *problems]))

    def _own_signatory(self):
        """The signatory that the user is, if asked now."""
        self.ensure_one()
        # sudo: only whether it is the user's own turn
        return self.sudo().signatory_ids.filtered(
            lambda signatory: signatory.user_id == self.env.user
            and signatory.state == "asked"
            and signatory.request_id.state == "open"
        )[:1]

    def _portal_sign_urls(self, user):
        """:return: ``[(version, address)]`` of those of these versions that a user is asked to sign now"""
        # sudo: only what is the user's own turn; pages call this for who is logged in
        asked = self.sudo().signatory_ids.filtered(
            lambda signatory: signatory.state == "asked"
            and signatory.request_id.state == "open"
            and signatory.request_id.provider == "portal"
            and user in signatory._accounts()
        )
        return [(signatory.version_id, f"/channel/contract/sign/{signatory.token}") for signatory in asked]

    def _signed(self, reason, signed_on=None):
        """The signatures are there: from now on the version counts, and the one before it ends.

        :raise UserError: when it cannot take effect beside what else was agreed
        """
        for version in self:
            if version.state != "approved":
                raise UserError(
                    self.env._("%s is not approved any more: it cannot take effect.", version.display_name)
                )
            if not version._stands():
                version._make_room()
            SIGNER.open(version).write(
                {"signature_state": "signed", "signed_on": signed_on or version.company_id._channel_today()}
            )
            version._signature_trail("signature.completed", reason=reason, after={"signed_on": version.signed_on})
        # Which price list a member has may be another one from now on
        self.env["res.partner"].invalidate_model(["property_product_pricelist"])

    def _end_unsigned(self, state, reason):
        """Move approved versions that were never in force out of the way, with their requests."""
        self.signature_request_ids._close("cancelled", reason)
        _APPROVER.open(self).write({"state": state})
        self.flush_recordset()

    def _signature_trail(self, action, reason=None, after=None):
        """What happened with the signatures of these versions, for the journal and the timeline of the contract."""
        self.env["channel.audit.entry"]._record(action, self, reason=reason, after=after)
        if kind := EVENTS.get(action):
            self._log_event(kind, note=reason or (after or {}).get("name"))

    # === TEXT AND FILE ===#

    def _freeze_text(self):
        """Keep the digest of what was approved: whatever a paper shows, it shows this text or another one."""
        for version in self:
            snapshot = version.with_context(lang=None)._version_snapshot()
            contract = version.contract_id
            text = canonical_json(
                {
                    "contract": contract.name,
                    "company": contract.company_id.id,
                    "member": contract.member_id.id,
                    **snapshot,
                }
            )
            SIGNER.open(version).write({"text_sha256": sha256(text.encode()).hexdigest()})

    def _text_qr(self):
        """The code of the text as a QR code: the ``src`` of an image."""
        self.ensure_one()
        return qr_image(self.text_code)

    def _signature_pdf(self):
        """The file that is signed."""
        self.ensure_one()
        return self.with_context(channel_freeze=True)._print_pdf("channel_contract.channel_contract_report", self.ids)

    @api.model
    def _print_pdf(self, report, res_ids):
        # sudo: what is printed is frozen for all signatories, and does not depend on who sends it
        content = self.env["ir.actions.report"].sudo()._render_qweb_pdf(report, res_ids)[0]
        if not content.startswith(b"%PDF"):
            raise UserError(
                self.env._("The contract could not be printed as PDF: wkhtmltopdf is needed on the server.")
            )
        return content


def _short(digest):
    """The beginning of a digest as one types it: ``7K4QF-2M6PX-XXXXX-XXXXX``, 100 bits, in base32 (no 0, 1, 8, 9)."""
    if not digest:
        return False
    text = base64.b32encode(bytes.fromhex(digest))[:20].decode()
    return "-".join(text[place : place + 5] for place in range(0, 20, 5))
