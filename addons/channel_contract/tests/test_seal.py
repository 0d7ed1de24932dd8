import re
import shutil
import subprocess
import tempfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from unittest import skipUnless

from asn1crypto import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader, PdfWriter

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.channel_contract.tools import pdf_seal

from .pki import der, pdf
from .signature_common import ChannelSignatureCommon

#: pyHanko warns of what these tests want: no fetching, unknown authorities
PYHANKO = "pyhanko"
SEAL_LOG = "odoo.addons.channel_contract.tools.pdf_seal"
REQUEST_LOG = "odoo.addons.channel_contract.models.channel_contract_signature_request"


@tagged("post_install", "-at_install")
class TestSeal(ChannelSignatureCommon):
    def _sealed(self):
        self._send()
        request = self._sign_all()
        self.assertTrue(request.sealed_id, request.seal_problem)
        return request

    def _long_term(self):
        """A time stamp service and sources of validation material that answer without a network."""
        self.company.write(
            {"channel_seal_timestamp_url": "http://stamps.example.com", "channel_seal_long_term": True}
        )
        stamper, revocations, root = self.authority.stamper(), self.authority.revocations(), self._root()
        Company = type(self.company)
        self._patch(Company, "_channel_seal_timestamper", lambda company: stamper)
        self._patch(
            Company,
            "_channel_seal_context",
            lambda company: ValidationContext(
                trust_roots=[root], crls=[revocations], allow_fetching=False, revocation_mode="require"
            ),
        )

    def _root(self):
        return x509.Certificate.load(der(self.authority.root))

    def _pyhanko(self, content):
        """pyHanko's own verdict: valid, trusted, and the whole file is covered."""
        try:
            (signature,) = PdfFileReader(BytesIO(content)).embedded_signatures
            status = validate_pdf_signature(signature, ValidationContext(trust_roots=[self._root()]))
        except Exception:
            return False
        return status.bottom_line and status.coverage.name == "ENTIRE_FILE"

    def _pdfsig(self, content):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "sealed.pdf")
            path.write_bytes(content)
            return subprocess.run(
                ["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False, timeout=60
            ).stdout

    def _places(self, content):
        """Where a byte is changed: all over what is signed, and in the signature itself."""
        start, end = (int(number) for number in re.search(rb"/ByteRange ?\[0 (\d+) (\d+)", content).groups())
        signed = [*range(0, start, max(1, start // 60)), start - 1, *range(end, len(content), 40), len(content) - 2]
        # the container begins with the identity of the content and ends, before its filling, with the signature
        length = len(content[start:end].rstrip(b"0>"))
        return signed, [start + 3, start + length - 3, start + length - 200]

    # === WHAT IS SEALED ===#

    def test_the_sealed_file_has_the_signed_pages_the_evidence_and_the_very_file_that_was_signed(self):
        request = self._sealed()
        content = request.sealed_id.raw
        self.assertEqual(request.sealed_sha256, sha256(content).hexdigest())
        reader = PdfReader(BytesIO(content))
        self.assertEqual(len(reader.pages), 2)
        self.assertIn("Terms of", reader.pages[0].extract_text())
        self.assertIn("First Signer, Second Signer, Boss Own", reader.pages[1].extract_text())
        (attached,) = reader.attachments.values()
        self.assertEqual(sha256(attached[0]).hexdigest(), request.document_sha256)
        self.assertTrue(self._pyhanko(content))

    def test_sealing_again_changes_nothing(self):
        request = self._sealed()
        before = request.sealed_sha256, request.sealed_id, request.sealed_at
        request._complete()
        request._seal()
        self.env["channel.contract.signature.request"]._cron_signatures()
        self.assertEqual((request.sealed_sha256, request.sealed_id, request.sealed_at), before)
        self.assertEqual(self._actions().count("sealed"), 1)

    def test_the_sealed_file_is_neither_changed_nor_deleted(self):
        file = self._sealed().sealed_id
        for change in (
            lambda: file.write({"raw": pdf("Other")}),
            lambda: file.write({"datas": b"Tm90aGluZw=="}),
            lambda: file.write({"res_id": 0}),
            lambda: file.write({"name": "other.pdf"}),
            lambda: file.unlink(),
            lambda: file.with_user(self.user_admin).unlink(),
        ):
            with self.assertRaises(UserError):
                change()

    def test_documents_of_an_approved_version_do_not_change_either(self):
        document = self.env["ir.attachment"].create({"name": "annex.txt", "raw": b"annex"})
        draft = self._channel_version(
            self.contract, approve=False, valid_from=fields.Date.today(), document_ids=[Command.set(document.ids)]
        )
        document.raw = b"annex, corrected"
        draft.with_user(self.user_manager).action_approve()
        for change in (lambda: document.write({"raw": b"other annex"}), lambda: document.unlink()):
            with self.assertRaises(UserError):
                change()

    def test_annexes_are_named_with_their_digests(self):
        document = self.env["ir.attachment"].create({"name": "annex.txt", "raw": b"annex"})
        version = self._channel_version(
            self.contract,
            document_ids=[Command.set(document.ids)],
            signatory_ids=[Command.create(values) for values in self._channel_signatories()],
        )
        self.assertEqual(
            self._send(version).annexes, [{"name": "annex.txt", "sha256": sha256(b"annex").hexdigest()}]
        )

    # === ANY BYTE ===#

    def test_any_change_of_one_byte_is_found_by_pyhanko(self):
        content = self._sealed().sealed_id.raw
        self.assertTrue(self._pyhanko(content))
        signed, container = self._places(content)
        for place in (*signed, *container):
            changed = bytearray(content)
            changed[place] ^= 1
            self.assertFalse(self._pyhanko(bytes(changed)), f"Byte {place} was changed unnoticed")
        self.assertFalse(self._pyhanko(content + b"\n%"), "Something was appended unnoticed")

    def test_what_pyhanko_does_not_look_at_is_looked_at(self):
        """The filling of the container means nothing to a validator; a changed file is a changed file."""
        content = self._sealed().sealed_id.raw
        verify = self.company._channel_seal_verify
        self.assertTrue(verify(content).intact)
        start, end = (int(number) for number in re.search(rb"/ByteRange ?\[0 (\d+) (\d+)", content).groups())
        letter = start + re.search(rb"[A-Fa-f]", content[start:end]).start()
        for place, mask in ((end - 3, 1), (letter, 0x20)):
            changed = bytearray(content)
            changed[place] ^= mask
            self.assertFalse(verify(bytes(changed)).intact)

    @skipUnless(shutil.which("pdfsig"), "pdfsig of poppler-utils is not installed: no second opinion on seals")
    def test_any_change_of_one_byte_is_found_by_pdfsig(self):
        content = self._sealed().sealed_id.raw
        report = self._pdfsig(content)
        self.assertIn("Signature is Valid.", report)
        self.assertIn("Total document signed", report)
        self.assertIn("ETSI.CAdES.detached", report)
        signed, container = self._places(content)
        for place in (*signed[::6], *container):
            changed = bytearray(content)
            changed[place] ^= 1
            self.assertNotIn("Signature is Valid.", self._pdfsig(bytes(changed)), f"Byte {place}")

    # === LEVELS ===#

    @skipUnless(shutil.which("pdfsig"), "pdfsig of poppler-utils is not installed: no second opinion on seals")
    @mute_logger(PYHANKO)
    def test_long_term_seals_have_no_byte_outside_the_signature(self):
        self._long_term()
        request = self._sealed()
        self.assertEqual(request.seal_level, "b_lt")
        content = request.sealed_id.raw
        self.assertTrue(self._pyhanko(content))
        report = self._pdfsig(content)
        self.assertIn("Signature is Valid.", report)
        self.assertIn("Total document signed", report)
        check = self.company._channel_seal_verify(content)
        self.assertEqual((check.intact, check.trusted, check.level), (True, True, "b_lt"))
        security = PdfFileReader(BytesIO(content)).root["/DSS"]
        self.assertTrue(security["/CRLs"])
        self.assertTrue(security["/Certs"])

    def test_with_a_time_stamp_service_only(self):
        stamper = self.authority.stamper()
        self._patch(type(self.company), "_channel_seal_timestamper", lambda company: stamper)
        request = self._sealed()
        self.assertEqual((request.seal_level, request.seal_problem), ("b_t", False))
        self.assertEqual(self.company._channel_seal_verify(request.sealed_id.raw).level, "b_t")

    @mute_logger(SEAL_LOG, PYHANKO)
    def test_a_time_stamp_service_that_does_not_answer_lowers_the_level_and_loses_nothing(self):
        self._long_term()

        class Dead(type(self.authority.stamper())):
            async def async_request_tsa_response(self, req):
                raise TimestampRequestError("Error in communication with timestamp server")

        dead = Dead(None, None)
        self._patch(type(self.company), "_channel_seal_timestamper", lambda company: dead)
        request = self._sealed()
        self.assertEqual((request.seal_level, self.version.signature_state), ("b_b", "signed"))
        self.assertTrue(self._pyhanko(request.sealed_id.raw))
        self.assertIn("timestamp server", request.seal_problem)
        alert = self.env["channel.alert"].search([("key", "=", f"seal-{self.version.id}")])
        self.assertEqual(alert.severity, "warning")

    @mute_logger(SEAL_LOG, PYHANKO)
    def test_without_proofs_of_revocation_there_is_still_a_time_stamp(self):
        self._long_term()
        root = self._root()
        self._patch(
            type(self.company),
            "_channel_seal_context",
            lambda company: ValidationContext(trust_roots=[root], allow_fetching=False, revocation_mode="require"),
        )
        request = self._sealed()
        self.assertEqual(request.seal_level, "b_t")
        self.assertTrue(request.seal_problem)

    def test_validation_material_needs_a_service_and_a_root(self):
        with self.assertRaises(ValidationError):
            self.company.channel_seal_long_term = True

    @mute_logger(REQUEST_LOG)
    def test_a_seal_that_cannot_be_made_is_made_later(self):
        self._send()
        certificate = self.company.channel_seal_certificate_id
        self.company.channel_seal_certificate_id = False
        request = self._sign_all()
        self.assertEqual((request.state, self.version.signature_state), ("signed", "signed"))
        self.assertFalse(request.sealed_id)
        alert = self.env["channel.alert"].search([("key", "=", f"seal-{self.version.id}")])
        self.assertEqual((alert.severity, alert.state), ("critical", "open"))
        self.company.channel_seal_certificate_id = certificate
        self.env["channel.contract.signature.request"]._cron_signatures()
        self.assertTrue(request.sealed_id)
        self.assertEqual(alert.state, "resolved")

    # === VERSIONS ===#

    def test_later_versions_never_invalidate_earlier_signatures(self):
        first = self._sealed()
        later = self._channel_version(
            self.contract, signatory_ids=[Command.create(values) for values in self._channel_signatories()]
        )
        self._send(later)
        second = self._sign_all(later)
        self.assertEqual(self.version.state, "superseded")
        for request in (first, second):
            self.assertEqual(request._verify_stored()[0], "valid")
            self.assertTrue(self._pyhanko(request.sealed_id.raw))
        # nor does another certificate from then on
        self._channel_seal(*self.authority.issue("Renewed Company"))
        self.assertEqual(first._verify_stored()[0], "valid")

    # === VERIFICATION ===#

    @mute_logger(PYHANKO)
    def test_button_verifies_the_stored_file(self):
        request = self._sealed()
        action = self.version.with_user(self.user_auditor).action_verify_seal()
        self.assertEqual(action["params"]["type"], "success")
        self.assertIn("Test Company", action["params"]["message"])
        self.company.channel_seal_chain_ids = False
        self.assertEqual(request._verify_stored()[0], "untrusted")
        changed = bytearray(request.sealed_id.raw)
        changed[500] ^= 1
        self.env.cr.execute(
            "UPDATE ir_attachment SET store_fname = NULL, db_datas = %s WHERE id = %s",
            [bytes(changed), request.sealed_id.id],
        )
        self.env.invalidate_all()
        self.assertEqual(request._verify_stored()[0], "changed")
        self.assertEqual(request.action_verify_seal()["params"]["type"], "danger")

    @mute_logger(PYHANKO)
    def test_files_of_anybody(self):
        verify = self.company._channel_seal_verify
        self.assertEqual(verify(pdf("Not sealed")).problems, ["unsigned"])
        for content in (b"", b"no PDF", b"%PDF-1.7\n" + b"x" * 100):
            with self.subTest(content[:9]):
                self.assertEqual((verify(content).intact, verify(content).problems), (False, ["unreadable"]))
        certificate, key = self.authority.issue("Stranger")
        other = pdf_seal.seal(
            pdf("Sealed by a stranger"),
            pdf_seal.load_signer(der(certificate), self._pkcs8(key)),
            name="Stranger",
            reason="mine",
        )
        check = verify(other.content)
        self.assertTrue(check.intact)
        self.assertEqual(check.fingerprint, sha256(der(certificate)).hexdigest())

    def _pkcs8(self, key):
        return key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def test_a_change_through_an_allowed_update_is_no_allowed_update(self):
        """Sealed as by its author: nothing may be added, not even in a revision of its own."""
        content = self._sealed().sealed_id.raw
        writer = PdfWriter(BytesIO(content), incremental=True)
        writer.add_metadata({"/Subject": "Added later"})
        output = BytesIO()
        writer.write(output)
        self.assertTrue(output.getvalue().startswith(content[:100]))
        self.assertFalse(self.company._channel_seal_verify(output.getvalue()).intact)


@tagged("post_install", "-at_install")
@skipUnless(shutil.which("wkhtmltopdf"), "wkhtmltopdf is not installed: nothing is printed")
class TestSealPrinted(ChannelSignatureCommon):
    """With the pages as they are really printed."""

    print_pages = False

    def test_printed_contract_and_evidence(self):
        with self.allow_pdf_render():
            request = self._send(self.version.with_context(force_report_rendering=True))
            self._sign(self.signer_first, ip_address="203.0.113.7", user_agent="Telephone 5", consent_text="I agree.")
            self._sign(self.signer_second)
            self._sign(self.signer_own.with_context(force_report_rendering=True))
        self.assertEqual(request.seal_problem, False)
        reader = PdfReader(BytesIO(request.sealed_id.raw))
        text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
        for expected in (
            self.contract.name,
            self.version.text_code,
            "Certificate of Signatures",
            "First Signer",
            "General Manager",
            "203.0.113.7",
            "I agree.",
            request.token[:20],
        ):
            with self.subTest(expected):
                self.assertIn(expected, text)
        self.assertIn(request.document_sha256, re.sub(r"\s", "", text))
        self.assertEqual(request._verify_stored()[0], "valid")
