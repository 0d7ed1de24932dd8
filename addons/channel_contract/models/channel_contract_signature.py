import base64
import binascii
import json
from hashlib import sha256

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.mimetypes import guess_mimetype

from odoo.addons.channel_base.tools.canonical import canonical_json, digest

from ..tools.signature import SIGNER

#: What the digest of a signature is made of: everything except the image, which goes in by its own digest.
PAYLOAD = (
    "request_id",
    "version_id",
    "signatory_key",
    "side",
    "name",
    "typed_name",
    "role",
    "authority",
    "authority_from",
    "authority_to",
    "authority_sha256",
    "email",
    "user_id",
    "method",
    "reference",
    "signature_sha256",
    "document_sha256",
    "consent_text",
    "consent_version",
    "consented_at",
    "code_at",
    "read_at",
    "asked_at",
    "signed_at",
    "ip_address",
    "user_agent",
    "detail",
)


class ChannelContractSignature(models.Model):
    """The evidence of one signature: who, what, when, from where, and what was agreed to. Written once.

    Neither the ORM nor the database changes or deletes it: a trigger refuses. Its digest stands in the audit journal.
    """

    _name = "channel.contract.signature"
    _description = "Evidence of a Signature"
    _order = "signed_at, id"
    # The evidence has its own time and user: Odoo's four columns would be a second, unprotected truth.
    _log_access = False

    request_id = fields.Many2one(
        "channel.contract.signature.request", required=True, readonly=True, index=True, ondelete="restrict"
    )
    version_id = fields.Many2one(
        "channel.contract.version", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    region_id = fields.Many2one(related="version_id.region_id")
    signatory_key = fields.Integer(
        required=True, readonly=True, aggregator=None, help="ID of the signatory, who may be replaced later."
    )
    side = fields.Selection(
        lambda self: self.env["channel.contract.signatory"]._fields["side"].selection, required=True, readonly=True
    )
    name = fields.Char(required=True, readonly=True, help="Of the signatory who was asked.")
    typed_name = fields.Char(readonly=True, help="As the person typed it below the signature.")
    role = fields.Char(string="Position", readonly=True)
    authority = fields.Selection(
        lambda self: self.env["channel.contract.signatory"]._fields["authority"].selection, readonly=True
    )
    authority_from = fields.Date(string="Authorised from", readonly=True)
    authority_to = fields.Date(string="Authorised until", readonly=True)
    authority_sha256 = fields.Char(string="Power of Attorney (SHA-256)", readonly=True)
    email = fields.Char(readonly=True, help="The address to which link and code went.")
    user_id = fields.Many2one("res.users", string="Account", readonly=True, ondelete="restrict")
    method = fields.Char(required=True, readonly=True, help="portal, backend, or the key of a provider.")
    reference = fields.Char(readonly=True, help="Of the provider.")
    signature = fields.Binary(attachment=False, readonly=True)
    signature_sha256 = fields.Char(readonly=True, help="Of the image.")
    document_sha256 = fields.Char(
        string="Document (SHA-256)", required=True, readonly=True, help="Of the very bytes that were signed."
    )
    consent_text = fields.Text(readonly=True)
    consent_version = fields.Integer(readonly=True, aggregator=None)
    consented_at = fields.Datetime(readonly=True)
    code_at = fields.Datetime(string="Code Entered on", readonly=True)
    read_at = fields.Datetime(string="Document Opened on", readonly=True)
    asked_at = fields.Datetime(readonly=True)
    signed_at = fields.Datetime(required=True, readonly=True)
    ip_address = fields.Char(string="Network Address", readonly=True)
    user_agent = fields.Char(string="Browser", readonly=True)
    detail = fields.Text(readonly=True, help="What else a provider vouches for, as JSON.")
    digest = fields.Char(required=True, readonly=True, help="Of all the above.")

    _one_each = models.UniqueIndex("(request_id, signatory_key)", "This person has signed this document already.")

    def init(self):
        """Create the guard that refuses changes also to who bypasses Odoo (idempotent)."""
        self.env.cr.execute(
            SQL(
                """
            CREATE OR REPLACE FUNCTION channel_contract_signature_guard() RETURNS trigger
            LANGUAGE plpgsql AS $guard$
            BEGIN
                RAISE EXCEPTION USING
                    MESSAGE = 'Signatures are evidence: ' || TG_OP || ' of channel_contract_signature is refused.',
                    ERRCODE = 'restrict_violation';
            END $guard$;
            CREATE OR REPLACE TRIGGER channel_contract_signature_guard_row
                BEFORE UPDATE OR DELETE ON channel_contract_signature
                FOR EACH ROW EXECUTE FUNCTION channel_contract_signature_guard();
            CREATE OR REPLACE TRIGGER channel_contract_signature_guard_truncate
                BEFORE TRUNCATE ON channel_contract_signature
                FOR EACH STATEMENT EXECUTE FUNCTION channel_contract_signature_guard();
            """
            )
        )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        if not SIGNER.opens(self):
            raise UserError(self.env._("Evidence of a signature is written by signing, not by hand."))
        return super(ChannelContractSignature, SIGNER.close(self)).create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("Evidence of a signature cannot be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("Evidence of a signature cannot be deleted."))

    # === BUSINESS METHODS ===#

    @api.model
    def _record(self, signatory, values):
        """Write the evidence of one signature: the only writer.

        :param signatory: ``channel.contract.signatory``, its request being open
        :param dict values: what is known of how it happened, see ``signatory._sign``
        """
        # sudo: whoever signs may not write evidence; what is written comes from the code that let him sign
        signatory = signatory.sudo()
        request = signatory.request_id
        authority_file = base64.b64decode(signatory.with_context(bin_size=False).authority_file or b"")
        values = {
            "request_id": request.id,
            "version_id": request.version_id.id,
            "company_id": request.company_id.id,
            "signatory_key": signatory.id,
            "side": signatory.side,
            "name": signatory.name,
            "role": signatory.role,
            "authority": signatory.authority,
            "authority_from": signatory.authority_from,
            "authority_to": signatory.authority_to,
            "authority_sha256": sha256(authority_file).hexdigest() if authority_file else False,
            "email": signatory.email,
            "user_id": signatory.user_id.id,
            "reference": signatory.reference,
            "document_sha256": request.document_sha256,
            "asked_at": signatory.asked_at,
            **values,
        }
        image = self._image(values.get("signature"))
        values["signature_sha256"] = sha256(image).hexdigest() if image else False
        evidence = SIGNER.open(self.sudo()).create(
            [{**values, "digest": self._digest(values)}]
        )
        return evidence.browse(evidence.ids)

    @api.model
    def _image(self, signature):
        """The bytes of a signature as it comes from a form; refuses what is no image."""
        if not signature:
            return b""
        try:
            image = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            image = b""
        if guess_mimetype(image) not in ("image/png", "image/jpeg") or len(image) > 1 << 20:
            raise UserError(self.env._("The signature is no image, or too large. Draw or type it again."))
        return image

    @api.model
    def _digest(self, values):
        """The digest of the evidence in these values, as they are stored."""
        fresh = self.new(values)
        return digest(canonical_json({name: self._plain(fresh, name) for name in PAYLOAD}))

    @api.model
    def _plain(self, record, name):
        value = record[name]
        if self._fields[name].type == "many2one":
            return value._origin.id or None
        return value or None

    def _is_whole(self):
        """Whether the evidence still has the digest that was taken when it was written."""
        self.ensure_one()
        image = base64.b64decode(self.with_context(bin_size=False).signature or b"")
        return (
            digest(canonical_json({name: self._plain(self, name) for name in PAYLOAD})) == self.digest
            and (sha256(image).hexdigest() if image else False) == (self.signature_sha256 or False)
        )

    def _as_json(self):
        """The evidence for other readers.

        :return: ``payload``, of whose canonical JSON ``digest`` is the digest, and what is not in it
        """
        self.ensure_one()
        return {
            "payload": json.loads(canonical_json({name: self._plain(self, name) for name in PAYLOAD})),
            "digest": self.digest,
            "whole": self._is_whole(),
            "account": self.user_id.login or None,
        }
