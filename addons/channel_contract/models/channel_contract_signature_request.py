import logging
import secrets
from hashlib import sha256
from io import BytesIO

from psycopg2 import OperationalError
from pypdf import PdfReader, PdfWriter

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.channel_member.tools.qr import qr_image

from ..tools.signature import LIVE, SIGNER, TOKEN

_logger = logging.getLogger(__name__)

ALERT = "contract_signature"


class ChannelContractSignatureRequest(models.Model):
    """A contract version that was sent out for signature: the very file, who is asked, and what became of it.

    The file is frozen when the request is sent, and its SHA-256 is what everybody signs. Taken back and sent again,
    a version gets a new request with a new file and new links; what was signed before stays as evidence of the old
    one. When all have signed, the version takes effect, and frozen file and evidence are sealed into one.
    """

    _name = "channel.contract.signature.request"
    _description = "Contract Version out for Signature"
    _order = "id desc"

    version_id = fields.Many2one(
        "channel.contract.version", required=True, readonly=True, index=True, ondelete="restrict"
    )
    contract_id = fields.Many2one(related="version_id.contract_id", store=True, index=True)
    member_id = fields.Many2one(related="version_id.member_id", store=True)
    company_id = fields.Many2one(related="version_id.company_id", store=True, index=True)
    region_id = fields.Many2one(related="version_id.region_id", store=True, index="btree_not_null")
    number = fields.Integer(required=True, readonly=True, aggregator=None, help="The how manieth of the version.")
    provider = fields.Selection(
        lambda self: list(self.env["channel.signature.provider"]._providers().items()), required=True, readonly=True
    )
    reference = fields.Char(readonly=True, index="btree_not_null", help="Of the provider.")
    state = fields.Selection(
        [
            ("open", "Out for Signature"),
            ("signed", "Signed by all"),
            ("declined", "Refused"),
            ("expired", "Expired"),
            ("cancelled", "Taken back"),
        ],
        required=True,
        readonly=True,
        default="open",
        index=True,
    )
    sent_by_id = fields.Many2one("res.users", string="Sent by", required=True, readonly=True, ondelete="restrict")
    sent_at = fields.Datetime(string="Sent on", required=True, readonly=True)
    deadline = fields.Date(string="Sign until", required=True, readonly=True)
    touched_at = fields.Datetime(readonly=True, help="Last step; written at each, so that two at once are ordered.")
    closed_at = fields.Datetime(string="Closed on", readonly=True)
    reason = fields.Char(readonly=True)
    token = fields.Char(
        string="Verification Token", required=True, readonly=True, copy=False,
        help="Key of the public page that tells whether a file is what was sealed. Printed on it.",
    )
    document_id = fields.Many2one(
        "ir.attachment", readonly=True, ondelete="restrict", bypass_search_access=True
    )
    document_sha256 = fields.Char(string="Document (SHA-256)", readonly=True, index="btree_not_null")
    annexes = fields.Json(readonly=True, help="Names and digests of the documents that belong to the version.")
    sealed_id = fields.Many2one(
        "ir.attachment", string="Sealed File", readonly=True, ondelete="restrict", bypass_search_access=True
    )
    sealed_sha256 = fields.Char(string="Sealed File (SHA-256)", readonly=True, index="btree_not_null")
    sealed_at = fields.Datetime(string="Sealed on", readonly=True)
    seal_level = fields.Selection(
        [
            ("b_b", "PAdES B-B"),
            ("b_t", "PAdES B-T (with time stamp)"),
            ("b_lt", "PAdES B-LT (with time stamp and validation material)"),
        ],
        readonly=True,
    )
    seal_fingerprint = fields.Char(string="Certificate of the Seal (SHA-256)", readonly=True)
    seal_problem = fields.Char(string="Why not sealed, or not as wanted", readonly=True)
    signatory_ids = fields.One2many("channel.contract.signatory", "request_id", string="Signatories", readonly=True)
    signature_ids = fields.One2many("channel.contract.signature", "request_id", string="Signatures", readonly=True)

    _token_uniq = models.UniqueIndex("(token)")
    _live_uniq = models.UniqueIndex(
        "(version_id) WHERE state IN ('open', 'signed')", "This version is out for signature already."
    )

    def init(self):
        """Create the guard of digests and rows also towards who bypasses Odoo (idempotent)."""
        self.env.cr.execute(
            SQL(
                """
            CREATE OR REPLACE FUNCTION channel_contract_signature_request_guard() RETURNS trigger
            LANGUAGE plpgsql AS $guard$
            BEGIN
                IF TG_OP = 'UPDATE'
                    AND (OLD.document_sha256 IS NULL
                         OR (OLD.document_sha256, OLD.document_id, OLD.token, OLD.version_id)
                            IS NOT DISTINCT FROM (NEW.document_sha256, NEW.document_id, NEW.token, NEW.version_id))
                    AND (OLD.sealed_sha256 IS NULL
                         OR (OLD.sealed_sha256, OLD.sealed_id, OLD.sealed_at)
                            IS NOT DISTINCT FROM (NEW.sealed_sha256, NEW.sealed_id, NEW.sealed_at))
                THEN
                    RETURN NEW;
                END IF;
                RAISE EXCEPTION USING
                    MESSAGE = 'What was sent and sealed is evidence: ' || TG_OP || ' is refused.',
                    ERRCODE = 'restrict_violation';
            END $guard$;
            CREATE OR REPLACE TRIGGER channel_contract_signature_request_guard_row
                BEFORE UPDATE OR DELETE ON channel_contract_signature_request
                FOR EACH ROW EXECUTE FUNCTION channel_contract_signature_request_guard();
            """
            )
        )

    # === COMPUTE METHODS ===#

    @api.depends("version_id", "number")
    def _compute_display_name(self):
        for request in self:
            request.display_name = f"{request.version_id.display_name} #{request.number}"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        if not SIGNER.opens(self):
            raise UserError(self.env._("Send the contract version out for signature instead."))
        return super(ChannelContractSignatureRequest, SIGNER.close(self)).create(vals_list)

    def write(self, vals):
        if not SIGNER.opens(self):
            raise UserError(self.env._("How far a request for signature is follows from what happens: not written."))
        return super(ChannelContractSignatureRequest, SIGNER.close(self)).write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("What was sent out for signature cannot be deleted."))

    # === SENDING ===#

    @api.model
    def _send(self, version, provider, deadline):
        """Freeze the version's file and ask the first signatories.

        :param version: ``channel.contract.version``, checked by the caller
        :return: the request, with superuser rights
        """
        # sudo: requests are written by this code alone; who may send was checked
        version = version.sudo()
        self.flush_model(["state"])  # one that was just taken back must be gone in the database as well
        request = SIGNER.open(self.sudo()).create(
            [
                {
                    "version_id": version.id,
                    "number": len(version.signature_request_ids) + 1,
                    "provider": provider,
                    "sent_by_id": self.env.uid,
                    "sent_at": fields.Datetime.now(),
                    "deadline": deadline,
                    "token": secrets.token_urlsafe(32),
                }
            ]
        )
        request = request.browse(request.ids)
        content = version._signature_pdf()
        SIGNER.open(request).write(
            {
                "document_id": request._attach(content).id,
                "document_sha256": sha256(content).hexdigest(),
                "annexes": [
                    {"name": document.name, "sha256": sha256(document.raw or b"").hexdigest()}
                    for document in version.document_ids
                ],
            }
        )
        SIGNER.open(version.signatory_ids).write(
            {
                **dict.fromkeys(self.env["channel.contract.signatory"]._protected_fields(), False),
                "request_id": request.id,
                "state": "pending",
            }
        )
        Provider = self.env["channel.signature.provider"].sudo()
        Provider._do("prepare", provider, request)
        version._signature_trail(
            "signature.sent",
            after={
                "request": request.number,
                "provider": provider,
                "document_sha256": request.document_sha256,
                "annexes": request.annexes,
                "deadline": deadline,
                "signatories": [
                    {
                        "order": signatory.sequence,
                        "side": signatory.side,
                        "name": signatory.name,
                        "email": signatory.email,
                        "authority": signatory.authority,
                        "until": signatory.authority_to or None,
                    }
                    for signatory in request.signatory_ids
                ],
            },
        )
        Provider._do("send", provider, request)
        return request

    def _set_reference(self, reference):
        """Remember how a provider calls this request."""
        SIGNER.open(self).write({"reference": reference})

    def _attach(self, content, suffix=""):
        """Store a file of this request."""
        self.ensure_one()
        name = f"{self.contract_id.name}-v{self.version_id.number}{suffix}.pdf".replace("/", "-")
        return self.env["ir.attachment"].create(
            {"name": name, "raw": content, "mimetype": "application/pdf", "res_model": self._name, "res_id": self.id}
        )

    # === STEPS ===#

    def _lock(self):
        """Let one step after the other happen: wait for whoever is at it, and see what he did.

        Who waited for somebody that changed the request is refused by the database, and repeated by the server.
        """
        self.ensure_one()
        self.env.cr.execute(
            SQL("SELECT FROM channel_contract_signature_request WHERE id = %s FOR NO KEY UPDATE", self.id)
        )
        self.invalidate_recordset(["state"])
        return self

    def _touch(self):
        SIGNER.open(self).write({"touched_at": fields.Datetime.now()})

    def _check_document(self):
        """Refuse when the frozen file is not what was frozen."""
        self.ensure_one()
        if sha256(self.document_id.raw or b"").hexdigest() != self.document_sha256:
            raise UserError(
                self.env._("The document of %s is not the one that was sent: take it back and send it again.",
                           self.display_name)
            )

    def _next_signatories(self):
        """Who is to be asked now: of those who have not signed, the first and all with the same number."""
        self.ensure_one()
        waiting = self.signatory_ids.filtered(lambda signatory: signatory.state != "signed")
        first = waiting.sorted("sequence")[:1].sequence
        return waiting.filtered(lambda signatory: signatory.sequence == first and signatory.state == "pending")

    def _advance(self):
        """After a signature: ask the next ones, or complete."""
        self.ensure_one()
        self._touch()
        if all(signatory.state == "signed" for signatory in self.signatory_ids):
            SIGNER.open(self).write({"state": "signed", "closed_at": fields.Datetime.now()})
            self._complete()
        elif self.provider == "portal":
            self._next_signatories()._ask()

    def _apply_events(self, events):
        """Take over what a provider tells; what is told twice counts once."""
        for event in events:
            request = self.search(
                [("reference", "=", event.request_reference), ("state", "=", "open"), ("id", "in", self.ids)], limit=1
            )
            signatory = request.signatory_ids.filtered(
                lambda signatory, event=event: signatory.reference == event.signatory_reference
                and signatory.state == "asked"
            )[:1]
            if not signatory:
                _logger.info("Provider %s tells about an unknown or settled signatory: %s", self[:1].provider, event)
            elif event.kind == "signed":
                values = {"method": request.provider, **event.values}
                signatory._sign({**values, "signed_at": event.at} if event.at else values)
            elif event.kind == "declined":
                signatory._decline(event.values.get("reason") or self.env._("Refused at the provider"))

    def _close(self, state, reason=None):
        """End requests that are not complete; their links are void from here."""
        for request in self:
            request._lock()
            if request.state not in LIVE:
                continue
            SIGNER.open(request).write(
                {"state": state, "reason": reason, "closed_at": fields.Datetime.now()}
            )
            request.signatory_ids._close_activity()
            self.env["channel.signature.provider"]._do("cancel", request.provider, request)
            request.version_id._signature_trail(
                f"signature.{state}", reason=reason, after={"request": request.number}
            )

    def _refused(self, signatory):
        """Somebody declined: the version is refused until it is sent out again."""
        self.ensure_one()
        reason = self.env._("%(name)s: %(reason)s", name=signatory.name, reason=signatory.reason)
        self._close("declined", reason)
        version = self.version_id
        if version.signature_state == "pending":
            SIGNER.open(version).write({"signature_state": "refused"})
        self._raise_alert("declined", self.env._("%s was refused", version.display_name), reason, "warning")

    # === COMPLETION ===#

    def _complete(self):
        """Everybody has signed: the version takes effect, and the file is sealed.

        Neither a version that cannot take effect nor a seal that cannot be made undoes a signature: both are told by
        an alert and tried again every night.
        """
        for request in self:
            request._take_effect()
            request._seal()

    def _take_effect(self):
        self.ensure_one()
        version = self.version_id
        if version.signature_state == "signed":
            return
        try:
            with self.env.cr.savepoint():
                version._signed(self.env._("Signed by all"))
        except UserError as error:
            self._raise_alert(
                "effect",
                self.env._("%s is signed and cannot take effect", version.display_name),
                str(error),
                "critical",
            )
        else:
            self._clear_alert("effect")

    def _seal(self):
        """Seal frozen file and evidence into one; once."""
        self.ensure_one()
        if self.sealed_id or self.state != "signed":
            return
        name = self.version_id.display_name
        try:
            with self.env.cr.savepoint():
                seal = self.env["channel.signature.provider"]._do("finish", self.provider, self)
                check = self.company_id._channel_seal_verify(seal.content)
                SIGNER.open(self).write(
                    {
                        "sealed_id": self._attach(seal.content, "-signed").id,
                        "sealed_sha256": sha256(seal.content).hexdigest(),
                        "sealed_at": fields.Datetime.now(),
                        "seal_level": seal.level,
                        "seal_fingerprint": check.fingerprint,
                        "seal_problem": "; ".join(text for _level, text in seal.problems)[:500] or False,
                    }
                )
        except OperationalError:
            raise  # the server repeats the whole request
        except Exception as error:
            # Printing, certificate, disk: whatever keeps the seal away, people have signed, and that must be kept
            _logger.exception("Sealing %s failed", name)
            SIGNER.open(self).write({"seal_problem": str(error)[:500]})
            self._raise_alert("seal", self.env._("%s is signed and not sealed", name), str(error), "critical")
            return
        self.version_id._signature_trail(
            "signature.sealed",
            after={"request": self.number, "sealed_sha256": self.sealed_sha256, "level": self.seal_level},
        )
        if seal.problems:
            self._raise_alert(
                "seal", self.env._("%s is sealed without what was wanted", name), self.seal_problem, "warning"
            )
        else:
            self._clear_alert("seal")
        self.signatory_ids._notify("channel_contract.mail_template_signature_done")

    def _sealable_pdf(self):
        """The frozen file and the page of evidence as one file, with the frozen file attached as it was signed."""
        self.ensure_one()
        self._check_document()
        content = self.document_id.raw
        writer = PdfWriter()
        writer.append(PdfReader(BytesIO(content)), import_outline=False)
        writer.append(PdfReader(BytesIO(self._evidence_pdf())), import_outline=False)
        writer.add_attachment(self.document_id.name, content)
        writer.add_metadata({"/Title": f"{self.contract_id.name} v{self.version_id.number}"})
        output = BytesIO()
        writer.write(output)
        return output.getvalue()

    def _evidence_pdf(self):
        """The page that tells who signed what, when and how."""
        self.ensure_one()
        return self.version_id._print_pdf("channel_contract.channel_contract_evidence_report", self.ids)

    def _raise_alert(self, key, name, note, severity):
        self.env["channel.alert"]._raise_alerts(
            ALERT,
            [
                {
                    "key": f"{key}-{self.version_id.id}",
                    "name": name,
                    "severity": severity,
                    "record": self.version_id,
                    "company": self.company_id,
                    "user": self.contract_id.user_id or self.sent_by_id,
                    "region": self.region_id,
                    "note": note,
                }
            ],
        )

    def _clear_alert(self, key):
        self.env["channel.alert"]._clear_alerts(ALERT, [f"{key}-{self.version_id.id}"])

    # === NIGHTLY ===#

    @api.model
    def _cron_signatures(self):
        """Ask providers for news, end what is overdue, remind, and complete what could not be completed."""
        # sudo: the job looks at the requests of every company
        Request = self.sudo()
        for provider, requests in Request.search([("state", "=", "open")]).grouped("provider").items():
            try:
                with self.env.cr.savepoint():
                    events = self.env["channel.signature.provider"].sudo()._do("poll", provider, requests)
                    requests._apply_events(events)
            except OperationalError:
                raise
            except Exception:
                # One service out of reach must not keep the others from being asked
                _logger.exception("Provider %s could not be asked", provider)
        for company in Request.search([("state", "=", "open")]).company_id:
            Request._end_overdue(company)
            Request._remind(company)
        waiting = Request.search(
            Domain("state", "=", "signed")
            & (Domain("sealed_id", "=", False) | Domain("version_id.signature_state", "!=", "signed"))
        )
        waiting._complete()

    @api.model
    def _end_overdue(self, company):
        overdue = self.search(
            [("state", "=", "open"), ("company_id", "=", company.id), ("deadline", "<", company._channel_today())]
        )
        for request in overdue:
            waiting = request.signatory_ids.filtered(lambda signatory: signatory.state in ("pending", "asked"))
            SIGNER.open(waiting).write({"state": "expired"})
            request._close("expired", self.env._("Not signed until %s", request.deadline))
            request._raise_alert(
                "expired",
                self.env._("%s was not signed in time", request.version_id.display_name),
                self.env._("Take up with the signatories, and send it out again."),
                "warning",
            )

    @api.model
    def _remind(self, company):
        days = company.channel_signature_reminder_days
        if not days:
            return
        since = fields.Datetime.subtract(fields.Datetime.now(), days=days)
        late = self.env["channel.contract.signatory"].search(
            [
                ("state", "=", "asked"),
                ("request_id.state", "=", "open"),
                ("request_id.company_id", "=", company.id),
                ("asked_at", "<=", since),
                "|",
                ("reminded_at", "=", False),
                ("reminded_at", "<=", since),
            ]
        )
        late = late.filtered(lambda signatory: signatory.request_id.provider == "portal")
        if late:
            late._notify("channel_contract.mail_template_signature_reminder")
            SIGNER.open(late).write({"reminded_at": fields.Datetime.now()})
            late._trail("signature.reminded")

    # === VERIFICATION ===#

    def _verification_url(self):
        """Address that is printed with the signatures."""
        self.ensure_one()
        return f"{self.get_base_url()}/channel/contract/verify/{self.token}"

    def _verification_qr(self):
        return qr_image(self._verification_url())

    @api.model
    def _verify_public(self, token=None, content=None):
        """What the public page says about a sealed file.

        :param str token: printed on the file; None: the file alone is asked about
        :param bytes content: the file at hand; None: only what is known by the token
        :return: None when there is no such token, else a dict of ``status``: ``known`` (no file was given), ``valid``
            (not a byte differs from what was sealed), ``unsigned`` (the document as it was sent out, without
            signatures), ``changed`` (another file than the one that was sealed) or ``unknown`` (without a token: no
            file of ours); and but for ``unknown``: ``number``, ``version``, ``company``, ``member``, ``signed_on``,
            ``sealed_at``, ``level``, ``sha256``, ``signers`` (masked), ``standing`` (in force today)
        """
        # sudo: whoever holds the file may ask; the token or the digest is the key, and what is told stands on the file
        Request = self.sudo()
        digest = sha256(content).hexdigest() if content is not None else None
        sealed = Domain("sealed_id", "!=", False)
        if token:
            known = Domain("token", "=", token) if TOKEN.fullmatch(token) else Domain.FALSE
            request = Request.search(sealed & known, limit=1)
            if not request:
                return None
        else:
            known = Domain("sealed_sha256", "=", digest) | Domain("document_sha256", "=", digest)
            request = Request.search(sealed & known, limit=1) if digest else Request
            if not request:
                return {"status": "unknown"}
        version = request.version_id
        today = request.company_id._channel_today()
        return {
            "status": {None: "known", request.sealed_sha256: "valid", request.document_sha256: "unsigned"}.get(
                digest, "changed"
            ),
            "number": request.contract_id.name,
            "version": version.number,
            "company": request.company_id.name,
            "member": request.member_id.name,
            "signed_on": version.signed_on,
            "sealed_at": request.sealed_at,
            "level": request.seal_level,
            "sha256": request.sealed_sha256,
            "signers": [_masked(signature.name) for signature in request.signature_ids],
            "standing": version._stands() and version._covers(today),
        }

    def action_verify_seal(self):
        """Have the sealed file verified, and tell what was found."""
        self.ensure_one()
        self.check_access("read")
        verdict, text = self._verify_stored()
        return self.env["channel.audit"]._notification(
            "success" if verdict == "valid" else "danger", self.display_name, text
        )

    def _verify_stored(self):
        """What the stored file is, by its digest and by pyHanko.

        :return: ``(code, text)``; ``valid``, ``changed``, ``untrusted``, ``none``
        """
        self.ensure_one()
        # sudo: the request may be read; its file is read to look at its seal
        request = self.sudo()
        if not request.sealed_id:
            return "none", self.env._("There is no sealed file yet.")
        content = request.sealed_id.raw or b""
        check = request.company_id._channel_seal_verify(content)
        if sha256(content).hexdigest() != request.sealed_sha256 or not check.intact:
            return "changed", self.env._("The sealed file was changed after it had been sealed.")
        levels = dict(self._fields["seal_level"]._description_selection(self.env))
        facts = {
            "signer": check.signer,
            "date": fields.Datetime.to_string(check.signed_at),
            "level": levels.get(check.level, check.level),
        }
        if not check.trusted:
            return "untrusted", self.env._(
                "Not a byte was changed since %(signer)s sealed it on %(date)s UTC (%(level)s). No root certificate "
                "of the company vouches for that certificate.",
                **facts,
            )
        return "valid", self.env._(
            "Valid: not a byte was changed since %(signer)s sealed it on %(date)s UTC (%(level)s).", **facts
        )


def _masked(name):
    """A name that its owner recognises: ``J*** D***``, ``王**``."""
    return " ".join(f"{word[0]}{'*' * min(len(word) - 1, 3)}" for word in name.split())
