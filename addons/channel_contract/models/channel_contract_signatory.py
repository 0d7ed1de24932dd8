import logging
import secrets
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import consteq, hmac

from ..tools.signature import CODE_MINUTES, CODE_TRIES, LIVE, SIGNER, TOKEN

_logger = logging.getLogger(__name__)


class ChannelContractSignatory(models.Model):
    """A person who signs a contract version for one of its sides, by what authority, and how far that is.

    People are named while nothing is out for signature; sending the version out fixes them. Each is asked when
    everybody with a smaller number has signed; the same number means at the same time.
    """

    _name = "channel.contract.signatory"
    _description = "Signatory of a Contract Version"
    _order = "version_id, sequence, id"
    _rec_name = "name"

    version_id = fields.Many2one("channel.contract.version", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="version_id.company_id")
    member_id = fields.Many2one(related="version_id.member_id")
    side = fields.Selection(
        [("theirs", "Member"), ("ours", "Company")], required=True, default="theirs", help="The party that is bound."
    )
    sequence = fields.Integer(
        string="Order", default=10, help="Smaller ones sign first; the same number: at the same time."
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('id', 'child_of', member_id), ('is_company', '=', False)]",
        help="Of the member.",
    )
    user_id = fields.Many2one(
        "res.users",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Of the company.",
    )
    name = fields.Char(compute="_compute_person", store=True, readonly=False, required=True, precompute=True)
    email = fields.Char(compute="_compute_person", store=True, readonly=False, precompute=True)
    role = fields.Char(string="Position", help="For example: General Manager.")
    authority = fields.Selection(
        [("legal", "Legal Representative"), ("power", "Power of Attorney")],
        required=True,
        default="legal",
        help="By what the person binds the party.",
    )
    authority_file = fields.Binary(string="Power of Attorney", attachment=True)
    authority_filename = fields.Char()
    authority_from = fields.Date(string="Authorised from")
    authority_to = fields.Date(string="Authorised until")
    state = fields.Selection(
        [
            ("pending", "Waiting"),
            ("asked", "Asked"),
            ("signed", "Signed"),
            ("declined", "Declined"),
            ("expired", "Expired"),
        ],
        required=True,
        readonly=True,
        default="pending",
        copy=False,
    )
    request_id = fields.Many2one(
        "channel.contract.signature.request", readonly=True, copy=False, index="btree_not_null", ondelete="restrict"
    )
    reference = fields.Char(readonly=True, copy=False, help="Of the provider, where another one collects signatures.")
    asked_at = fields.Datetime(string="Asked on", readonly=True, copy=False)
    read_at = fields.Datetime(string="Document Opened on", readonly=True, copy=False)
    signed_at = fields.Datetime(string="Signed on", readonly=True, copy=False)
    reminded_at = fields.Datetime(string="Reminded on", readonly=True, copy=False)
    reason = fields.Char(string="Reason of Refusal", readonly=True, copy=False)
    # The key of the personal link, and the code mailed for it: only for the code that compares them
    token = fields.Char(readonly=True, copy=False, groups=fields.NO_ACCESS)
    code_digest = fields.Char(readonly=True, copy=False, groups=fields.NO_ACCESS)
    code_until = fields.Datetime(readonly=True, copy=False, groups=fields.NO_ACCESS)
    code_tries = fields.Integer(readonly=True, copy=False, groups=fields.NO_ACCESS)

    _token_uniq = models.UniqueIndex("(token) WHERE token IS NOT NULL")
    _authority_period = models.Constraint(
        "CHECK (authority_to IS NULL OR authority_from IS NULL OR authority_to >= authority_from)",
        "An authority cannot end before it begins.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("side", "partner_id", "user_id")
    def _compute_person(self):
        for signatory in self:
            person = signatory.user_id.partner_id if signatory.side == "ours" else signatory.partner_id
            if person:
                signatory.name = person.name
                signatory.email = person.email
            else:
                signatory.name = signatory.name
                signatory.email = signatory.email

    # === CONSTRAINT METHODS ===#

    @api.constrains("side", "partner_id", "user_id", "version_id")
    def _check_person(self):
        for signatory in self:
            # sudo: whose contact somebody is, for whoever may name signatories
            version, partner = signatory.version_id.sudo(), signatory.partner_id.sudo()
            if signatory.side == "theirs" and (
                signatory.user_id or partner.commercial_partner_id != version.member_id
            ):
                raise ValidationError(
                    self.env._(
                        "%(name)s is no contact of %(member)s: choose one of its contacts to sign for it.",
                        name=signatory.name,
                        member=version.member_id.name,
                    )
                )
            # sudo: one flag of a user, to say which input is wrong
            if signatory.side == "ours" and (partner or not signatory.user_id or signatory.user_id.sudo().share):
                raise ValidationError(
                    self.env._("%s is no user of the company: choose one to sign for it.", signatory.name)
                )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        protected = self._protected_fields()
        for vals in vals_list:
            if protected & vals.keys() and not SIGNER.opens(self):
                raise UserError(self._message_by_hand())
        signatories = super(ChannelContractSignatory, SIGNER.close(self)).create(vals_list)
        signatories._check_open()
        return signatories

    def write(self, vals):
        if SIGNER.opens(self):
            return super(ChannelContractSignatory, SIGNER.close(self)).write(vals)
        if self._protected_fields() & vals.keys():
            raise UserError(self._message_by_hand())
        self._check_open()
        result = super().write(vals)
        self._check_open()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_asked(self):
        self._check_open()

    @api.model
    def _protected_fields(self):
        """Names of the fields that only signing itself writes."""
        return {
            "state",
            "request_id",
            "reference",
            "asked_at",
            "read_at",
            "signed_at",
            "reminded_at",
            "reason",
            "token",
            "code_digest",
            "code_until",
            "code_tries",
        }

    def _message_by_hand(self):
        return self.env._("How far a signatory is follows from what happens: it cannot be written.")

    def _check_open(self):
        """Refuse while the version is out for signature, and once it is signed."""
        # sudo: the state of the version, also for who does not see its requests
        for version in self.sudo().version_id:
            if version.signature_state == "signed" or version.signature_request_id.state in LIVE:
                raise UserError(
                    self.env._(
                        "%s is out for signature or signed: its signatories cannot be changed. Take the request back "
                        "first.",
                        version.display_name,
                    )
                )

    # === BEFORE SENDING ===#

    def _problems(self, day):
        """What is missing before these people can be asked on a day.

        :return: list of sentences
        """
        problems = []
        for signatory in self:
            # sudo: whether somebody can be written to
            person = signatory.sudo()
            if not person.email:
                problems.append(self.env._("%s has no e-mail address.", person.name))
            if person.authority == "power":
                if not person.authority_file:
                    problems.append(self.env._("The power of attorney of %s is missing.", person.name))
                if (person.authority_from and person.authority_from > day) or (
                    person.authority_to and person.authority_to < day
                ):
                    problems.append(
                        self.env._(
                            "%(name)s is authorised from %(start)s to %(end)s only.",
                            name=person.name,
                            start=person.authority_from or "…",
                            end=person.authority_to or "…",
                        )
                    )
        return problems

    # === ASKING ===#

    def _ask(self, notify=True):
        """Ask these people now: a personal link for each, and the mail or the activity that tells of it."""
        now = fields.Datetime.now()
        for signatory in self:
            SIGNER.open(signatory).write({"state": "asked", "asked_at": now, "token": secrets.token_urlsafe(32)})
        self._trail("signature.asked")
        if notify:
            self._notify("channel_contract.mail_template_signature_request")
            for signatory in self.filtered("user_id"):
                signatory.version_id.activity_schedule(
                    "channel_contract.mail_activity_type_sign",
                    user_id=signatory.user_id.id,
                    date_deadline=signatory.request_id.deadline,
                )

    def _set_reference(self, reference):
        """Remember how a provider calls this signatory."""
        SIGNER.open(self).write({"reference": reference})

    def _notify(self, template):
        """Mail each of these people in their own language; a mail that cannot be made undoes no signature."""
        for request, signatories in self.grouped("request_id").items():
            try:
                with self.env.cr.savepoint():
                    # sudo: mails go to the signatories whoever asks them
                    self.env.ref(template).sudo().send_mail_batch(signatories.ids)
            except OperationalError:
                raise  # the server repeats the whole request
            except Exception as error:
                # A template that somebody edited, a mail server: whatever it is, it is no reason to lose a step
                _logger.exception("Mail %s could not be made", template)
                request._raise_alert(
                    "mail",
                    self.env._("A mail about signing %s could not be sent", request.version_id.display_name),
                    f"{', '.join(signatories.mapped('name'))}: {error}",
                    "warning",
                )

    def _mail_code(self, code):
        """Send the code at once; who waits for it is told when that fails."""
        # sudo: the mail goes to the signatory, whoever asks for it
        template = self.env.ref("channel_contract.mail_template_signature_code").sudo()
        template.with_context(channel_signature_code=code).send_mail(self.id, force_send=True)

    def _lang(self):
        """The language of this person."""
        self.ensure_one()
        # sudo: a language
        signatory = self.sudo()
        return (signatory.user_id.partner_id or signatory.partner_id).lang or self.env.lang

    def _accounts(self):
        """The accounts of this person, one of which must be logged in to sign; empty when there is none."""
        self.ensure_one()
        # sudo: whether somebody has an account, for the page that asks for the login
        signatory = self.sudo()
        return signatory.user_id or signatory.partner_id.user_ids.filtered("active")

    def _masked_email(self):
        """The address as far as its owner knows it by: ``f***@dealer.example.com``."""
        self.ensure_one()
        name, _at, domain = (self.email or "").partition("@")
        return f"{name[:1]}***@{domain}"

    def _session_key(self):
        """What a session that has done steps for this link remembers it by; of a new link it is another one."""
        return hmac(self.env(su=True), "channel_contract_session", f"{self.id}/{self.token}")

    def _sign_url(self):
        """Where this person signs: colleagues who work with contracts in the backend, others by the personal link."""
        self.ensure_one()
        # sudo: for the mail that goes to the signatory alone
        signatory = self.sudo()
        if signatory.user_id and signatory.user_id.has_group("channel_base.group_channel_user"):
            return f"{signatory.get_base_url()}/odoo/channel-contract-versions/{signatory.version_id.id}"
        return f"{signatory.get_base_url()}/channel/contract/sign/{signatory.token}"

    @api.model
    def _by_token(self, token):
        """The signatory whose personal link has this token, with superuser rights; empty for a wrong one."""
        # sudo: the token, 256 random bits compared by the unique index, is the right; what it opens the caller decides
        return self.sudo().search([("token", "=", token)], limit=1) if TOKEN.fullmatch(token) else self.sudo()

    # === THE CODE ===#

    def _send_code(self):
        """Mail a new code of six digits; the one before is void."""
        self.ensure_one()
        self._check_may_sign()
        code = f"{secrets.randbelow(10**6):06}"
        SIGNER.open(self).write(
            {
                "code_digest": self._code_digest(code),
                "code_until": fields.Datetime.now() + timedelta(minutes=CODE_MINUTES),
                "code_tries": 0,
            }
        )
        self._mail_code(code)
        self._trail("signature.code_sent", after={"email": self.email})

    def _check_code(self, code):
        """Try a code. Each may be used once, tried a few times, and for a few minutes.

        :return: None when it is right, else what to tell the person
        """
        self.ensure_one()
        request = self.request_id._lock()
        if not self.code_digest or not self.code_until or self.code_until < fields.Datetime.now():
            return self.env._("This code is not valid any more. Ask for a new one.")
        if self.code_tries >= CODE_TRIES:
            return self.env._("Too many wrong codes. Ask for a new one.")
        if consteq(self.code_digest, self._code_digest((code or "").strip())):
            SIGNER.open(self).write({"code_digest": False, "code_until": False, "code_tries": 0})
            self._trail("signature.code_right")
            return None
        SIGNER.open(self).write({"code_tries": self.code_tries + 1})
        # of two tries at once the second is repeated by the server, and counts
        request._touch()
        self._trail("signature.code_wrong", after={"tries": self.code_tries})
        return self.env._("The code is wrong. Tries left: %s.", CODE_TRIES - self.code_tries)

    def _code_digest(self, code):
        return hmac(self.env(su=True), "channel_contract_signature", f"{self.id}/{self.token}/{code}")

    # === SIGNING ===#

    def _sign_problem(self):
        """Why this person cannot sign now, or None."""
        self.ensure_one()
        request = self.request_id
        if self.state == "signed":
            return self.env._("%s has signed already.", self.name)
        if request.state == "open" and self.state == "asked":
            if request.deadline < request.company_id._channel_today():
                return self.env._("The time to sign ended on %s.", request.deadline)
            if self.version_id.state == "approved":
                return None
        if self.state == "pending" and request.state == "open":
            return self.env._("It is not the turn of %s yet.", self.name)
        return self.env._("%s is not out for signature any more.", self.version_id.display_name)

    def _check_may_sign(self):
        problem = self._sign_problem()
        if problem:
            raise UserError(problem)

    def _sign(self, values):
        """Sign, with what is known of how it happened.

        Called with superuser rights, after the caller has made sure of who it is. Two who sign at once are ordered by
        the lock on the request; who signs while it is taken back is refused.

        :param dict values: of ``channel.contract.signature``: ``typed_name``, ``signature`` (base64 of an image),
            ``method``, ``code_at``, ``read_at``, ``consented_at``, ``consent_text``, ``consent_version``,
            ``ip_address``, ``user_agent``, and whatever else the evidence has
        :return: the evidence
        :raise UserError: when the person cannot sign now
        """
        self.ensure_one()
        request = self.request_id._lock()
        self._check_may_sign()
        request._check_document()
        now = fields.Datetime.now()
        evidence = self.env["channel.contract.signature"]._record(self, {"signed_at": now, **values})
        SIGNER.open(self).write({"state": "signed", "signed_at": evidence.signed_at, "code_digest": False})
        self._trail(
            "signature.signed",
            after={"digest": evidence.digest, "document_sha256": request.document_sha256, "method": evidence.method},
        )
        self._close_activity()
        request._advance()
        return evidence

    def _opened(self):
        """The document was opened by this person, for the first time since the request was sent."""
        self.ensure_one()
        if not self.read_at and not self._sign_problem():
            SIGNER.open(self).write({"read_at": fields.Datetime.now()})
            self._trail("signature.read")

    def _decline(self, reason):
        """Refuse to sign: the whole request ends.

        :param str reason: in the person's own words, required
        """
        self.ensure_one()
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Tell why: whoever sent the contract reads it."))
        request = self.request_id._lock()
        self._check_may_sign()
        SIGNER.open(self).write({"state": "declined", "reason": reason[:500]})
        self._trail("signature.declined", reason=reason[:500])
        request._refused(self)

    def _close_activity(self):
        for signatory in self.filtered("user_id"):
            signatory.version_id.activity_unlink(
                ["channel_contract.mail_activity_type_sign"], user_id=signatory.user_id.id
            )

    # === TRAIL ===#

    def _trail(self, action, reason=None, after=None):
        """Write what happened with each of these people to the journal, at their version."""
        for signatory in self:
            signatory.version_id._signature_trail(
                action,
                reason=reason,
                after={"request": signatory.request_id.number, "name": signatory.name, **(after or {})},
            )
