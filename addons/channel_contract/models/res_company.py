import base64
from hashlib import sha256

from asn1crypto import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.fetchers.requests_fetchers import RequestsFetcherBackend

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..tools import pdf_seal

#: Seconds for each answer of a time stamp service or of a source of validation material.
TIMEOUT = 8


class ResCompany(models.Model):
    _inherit = "res.company"

    channel_seal_certificate_id = fields.Many2one(
        "certificate.certificate",
        string="Seal Certificate",
        domain="[('private_key_id', '!=', False), ('company_id', '=', id)]",
        groups="base.group_system",
        help="With its private key: seals signed contracts in the name of the company.",
    )
    channel_seal_chain_ids = fields.Many2many(
        "certificate.certificate",
        "channel_seal_chain_rel",
        "company_id",
        "certificate_id",
        string="Certificates above It",
        groups="base.group_system",
        help="Those of the authorities that issued the seal certificate and the certificate of the time stamp service, "
        "up to the roots. Seals are verified against the roots among them.",
    )
    channel_seal_timestamp_url = fields.Char(
        string="Time Stamp Service",
        groups="base.group_system",
        help="Address of an RFC 3161 service. Empty: seals have no time stamp (PAdES B-B).",
    )
    channel_seal_long_term = fields.Boolean(
        string="Embed Validation Material",
        groups="base.group_system",
        help="Put certificates and proofs that they were not revoked (OCSP, CRL) into the seal, so that it can be "
        "verified when the authorities are gone (PAdES B-LT). Needs the time stamp service and a root.",
    )
    channel_signature_consent = fields.Text(
        string="Consent to Sign Electronically",
        translate=True,
        default=lambda self: self.env._(
            "I have read the document shown above and agree to it. I agree to sign it electronically, and that my "
            "electronic signature has the same effect as one by hand. I am authorised to sign for the party that I am "
            "named for. Time, network address, browser and the code sent to my e-mail address are kept as evidence."
        ),
        help="What signatories agree to. Each signature keeps the text as it was.",
    )
    channel_signature_consent_version = fields.Integer(
        string="Version of the Consent", default=1, readonly=True, copy=False
    )
    channel_signature_days = fields.Integer(
        string="Days to Sign", default=14, help="After these days a request for signature expires."
    )
    channel_signature_reminder_days = fields.Integer(
        string="Remind to Sign after Days", default=3, help="Who has been asked is reminded this often; 0: never."
    )

    _channel_signature_days_positive = models.Constraint(
        "CHECK (channel_signature_days > 0 AND channel_signature_reminder_days >= 0)",
        "Days to sign must be above 0, days between reminders cannot be negative.",
    )

    @api.constrains("channel_seal_long_term", "channel_seal_timestamp_url", "channel_seal_chain_ids")
    def _check_channel_seal_long_term(self):
        # sudo: settings of the seal are the administrator's, whoever saves the company
        for company in self.sudo():
            if company.channel_seal_long_term and not (
                company.channel_seal_timestamp_url and company.channel_seal_chain_ids
            ):
                raise ValidationError(
                    self.env._(
                        "%s: validation material can be embedded only with a time stamp service and the certificates "
                        "above the seal certificate.",
                        company.name,
                    )
                )

    def write(self, vals):
        """Another consent is another version of it."""
        if "channel_signature_consent" in vals:
            for company in self:
                if company.channel_signature_consent != vals["channel_signature_consent"]:
                    version = company.channel_signature_consent_version + 1
                    super(ResCompany, company).write({"channel_signature_consent_version": version})
        return super().write(vals)

    # === SEAL ===#

    def _channel_seal_check(self):
        """Refuse when the company could not seal now: to be known before people sign, not after."""
        self.ensure_one()
        # sudo: certificates are the administrator's; what is told is only what is wrong with them
        certificate = self.sudo().channel_seal_certificate_id
        if not certificate:
            problem = self.env._("no certificate is chosen")
        elif not certificate.private_key_id:
            problem = self.env._("certificate %s has no private key", certificate.display_name)
        elif not certificate.is_valid:
            problem = self.env._(
                "certificate %(name)s is valid from %(start)s to %(end)s only",
                name=certificate.display_name,
                start=certificate.date_start,
                end=certificate.date_end,
            )
        else:
            return
        raise UserError(
            self.env._(
                "%(company)s cannot seal contracts: %(problem)s. An administrator sets it in the company's channel "
                "settings.",
                company=self.name,
                problem=problem,
            )
        )

    def _channel_seal(self, content, reason):
        """Seal a PDF in the name of the company, as high as the services allow at this moment.

        :return: :class:`~..tools.pdf_seal.Seal`
        :raise UserError: when there is no usable certificate
        """
        self._channel_seal_check()
        return pdf_seal.seal(
            content,
            self._channel_seal_signer(),
            name=self.name,
            reason=reason,
            location=self.city or None,
            timestamper=self._channel_seal_timestamper(),
            # sudo: a setting, read by whoever completes a contract
            validation_context=self._channel_seal_context if self.sudo().channel_seal_long_term else None,
        )

    def _channel_seal_signer(self):
        # sudo: the key stays within this process; who signs last, signs with the company's seal
        certificate = self.sudo().channel_seal_certificate_id.with_context(bin_size=False)
        pem = base64.b64decode(certificate.private_key_id.with_context(bin_size=False).pem_key)
        key = serialization.load_pem_private_key(pem, password=None).private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain = [der for der in self._channel_seal_chain() if not _is_root(der)]
        return pdf_seal.load_signer(_der(certificate), key, chain)

    def _channel_seal_chain(self):
        """DER of the certificates above the seal's."""
        # sudo: certificates without keys, which every seal shows
        return [_der(certificate) for certificate in self.sudo().channel_seal_chain_ids]

    def _channel_seal_timestamper(self):
        """The time stamp service as pyHanko asks it, or None."""
        # sudo: an address, asked by whoever completes a contract
        url = self.sudo().channel_seal_timestamp_url
        return RequestsHTTPTimeStamper(url, timeout=TIMEOUT) if url else None

    def _channel_seal_context(self):
        """What validation material is collected against, when a seal is made."""
        chain = self._channel_seal_chain()
        return ValidationContext(
            trust_roots=[x509.Certificate.load(der) for der in chain if _is_root(der)],
            other_certs=[x509.Certificate.load(der) for der in chain if not _is_root(der)],
            allow_fetching=True,
            fetcher_backend=RequestsFetcherBackend(per_request_timeout=TIMEOUT),
            revocation_mode="require",
        )

    def _channel_seal_verify(self, content):
        """What is left of a seal on a PDF, judged by pyHanko against the company's roots.

        :return: :class:`~..tools.pdf_seal.SealCheck`; ``own`` in its ``signer`` text is not assumed: the caller
            compares the fingerprint with the one it keeps
        """
        return pdf_seal.check(content, trust_roots=[der for der in self._channel_seal_chain() if _is_root(der)])

    def _channel_seal_fingerprint(self):
        """SHA-256 of the seal certificate."""
        # sudo: the certificate is in every file that it seals
        return sha256(_der(self.sudo().channel_seal_certificate_id)).hexdigest()


def _der(certificate):
    return certificate._get_der_certificate_bytes(formatting="")


def _is_root(der):
    return x509.Certificate.load(der).self_issued
