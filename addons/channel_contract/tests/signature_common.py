from contextlib import contextmanager
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user

from .common import ChannelContractCommon
from .pki import Authority, pdf, pem64

#: A signature as a form sends it: a PNG of one pixel.
IMAGE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)


class ChannelSignatureCommon(ChannelContractCommon):
    """A contract whose version waits for the signatures of two people of the dealer and one of the company.

    * ``version``: approved, ``signer_first`` (1, theirs), ``signer_second`` (2, theirs, a portal user),
      ``signer_own`` (3, ours: ``user_boss``)
    * the company has a seal certificate of ``authority``
    * nothing is printed: ``PAGES`` of one line stand for the contract and the evidence; :attr:`print_pages` off prints
    * codes that were mailed: ``self.codes[e-mail address]``
    """

    print_pages = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority = Authority()
        cls.seal_certificate, cls.seal_key = cls.authority.issue("Test Company")
        cls._channel_seal(cls.seal_certificate, cls.seal_key)
        cls.user_boss = new_test_user(
            cls.env,
            login="channel_boss",
            name="Boss Own",
            email="boss@company.example.com",
            groups="channel_base.group_channel_executive",
            company_id=cls.company.id,
        )
        Partner = cls.env["res.partner"]
        cls.person_first = Partner.create(
            {"name": "First Signer", "parent_id": cls.dealer.id, "email": "first@dealer.example.com"}
        )
        cls.user_portal.partner_id.write({"name": "Second Signer", "email": "second@dealer.example.com"})
        cls.person_second = cls.user_portal.partner_id
        cls.contract.signature_required = True
        cls.version = cls._channel_version(
            cls.contract, signatory_ids=[Command.create(values) for values in cls._channel_signatories()]
        )
        cls.signer_first, cls.signer_second, cls.signer_own = cls.version.signatory_ids

    @classmethod
    def _channel_seal(cls, certificate, key, **values):
        keys = cls.env["certificate.key"].create({"name": "Seal", "content": pem64(key), "company_id": cls.company.id})
        Certificate = cls.env["certificate.certificate"]
        cls.company.write(
            {
                "channel_seal_certificate_id": Certificate.create(
                    {"name": "Seal", "content": pem64(certificate), "private_key_id": keys.id}
                ).id,
                "channel_seal_chain_ids": [
                    Command.set(Certificate.create({"name": "Root", "content": pem64(cls.authority.root)}).ids)
                ],
                **values,
            }
        )

    @classmethod
    def _channel_signatories(cls):
        return [
            {"side": "theirs", "sequence": 1, "partner_id": cls.person_first.id, "role": "General Manager"},
            {"side": "theirs", "sequence": 2, "partner_id": cls.person_second.id},
            {"side": "ours", "sequence": 3, "user_id": cls.user_boss.id},
        ]

    def setUp(self):
        super().setUp()
        self.codes = {}
        Signatory = type(self.env["channel.contract.signatory"])
        mail_code = Signatory._mail_code

        def remember(signatory, code):
            self.codes[signatory.email] = code
            return mail_code(signatory, code)

        self._patch(Signatory, "_mail_code", remember)
        if self.print_pages:
            self._patch(type(self.version), "_signature_pdf", lambda version: pdf(f"Terms of {version.display_name}"))
            self._patch(
                type(self.env["channel.contract.signature.request"]),
                "_evidence_pdf",
                lambda request: pdf("Signed by " + ", ".join(request.signature_ids.mapped("name"))),
            )

    @contextmanager
    def assertUserError(self, pattern):
        """The block is refused with such a message; what it did before is undone, as a request would be."""
        with self.assertRaises(UserError) as catcher:
            yield
        self.assertRegex(str(catcher.exception), pattern)

    def _patch(self, target, name, value):
        patcher = patch.object(target, name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def _send(self, version=None):
        version = version or self.version
        version.with_user(self.user_contract).action_send_for_signature()
        return version.signature_request_id

    def _sign(self, signatory, **values):
        """Sign as somebody whom the caller knows."""
        return signatory.sudo()._sign({"method": "portal", "signature": IMAGE, **values})

    def _sign_all(self, version=None):
        version = version or self.version
        for signatory in version.signatory_ids.sorted("sequence"):
            self._sign(signatory)
        return version.signature_request_id

    def _actions(self, version=None):
        """What the journal says about a version's signatures, oldest first."""
        entries = self.env["channel.audit.entry"].search(
            [("model", "=", "channel.contract.version"), ("res_id", "=", (version or self.version).id)], order="id"
        )
        return [entry.action.removeprefix("signature.") for entry in entries if entry.action.startswith("signature.")]
