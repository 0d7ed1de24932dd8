import shutil
import subprocess
import tempfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from unittest import skipUnless

from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader

from odoo.tests import HttpCase, tagged

from odoo.addons.channel_contract.models import channel_contract_signatory
from odoo.addons.channel_contract.tests.pki import der
from odoo.addons.channel_contract.tests.signature_common import ChannelSignatureCommon


@tagged("post_install", "-at_install")
@skipUnless(shutil.which("wkhtmltopdf"), "wkhtmltopdf is not installed: nothing is printed")
class TestSignatureTour(ChannelSignatureCommon, HttpCase):
    """From an approved version to the sealed file, on telephones: a colleague in the backend, two on the portal."""

    print_pages = False
    browser_size = "390x844"
    touch_enabled = True

    def setUp(self):
        super().setUp()
        # The code is mailed; the telephone of the tour has no mailbox
        self._patch(channel_contract_signatory.secrets, "randbelow", lambda limit: 123456)
        render = type(self.env["ir.actions.report"])._render_qweb_pdf

        def really(report, *args, **kwargs):
            return render(report.with_context(force_report_rendering=True), *args, **kwargs)

        self._patch(type(self.env["ir.actions.report"]), "_render_qweb_pdf", really)

    def _url(self, signatory):
        return f"/channel/contract/sign/{signatory.sudo().token}"

    def test_from_approved_to_sealed(self):
        self.signer_own.sequence = 0
        request = self._send()
        self.assertTrue(request.document_id.raw.startswith(b"%PDF"))
        people = self.signer_own + self.signer_first + self.signer_second
        self.assertEqual(people.mapped("state"), ["asked", "pending", "pending"])
        form = f"/odoo/channel-contract-versions/{self.version.id}"
        self.start_tour(form, "channel_sign_backend", login="channel_boss", timeout=180)
        self.assertEqual(people.mapped("state"), ["signed", "asked", "pending"])
        self.start_tour(self._url(self.signer_first), "channel_sign_typed", timeout=180)
        self.assertEqual(people.mapped("state"), ["signed", "signed", "asked"])
        self.start_tour(self._url(self.signer_second), "channel_sign_drawn", login="channel_portal", timeout=180)
        self.start_tour(self._url(self.signer_second), "channel_sign_sealed", login="channel_portal", timeout=180)

        today = self.company._channel_today()
        self.assertRecordValues(self.version, [{"state": "approved", "signature_state": "signed", "signed_on": today}])
        self.assertEqual(self.contract.current_version_id, self.version)
        signatures = request.signature_ids
        self.assertEqual(signatures.mapped("name"), ["Boss Own", "First Signer", "Second Signer"])
        self.assertEqual(signatures.mapped("method"), ["backend", "portal", "portal"])
        self.assertEqual(set(signatures.mapped("document_sha256")), {sha256(request.document_id.raw).hexdigest()})
        for signature in signatures:
            self.assertTrue(signature.signature)
            self.assertTrue(signature.consent_text and signature.code_at and signature.read_at and signature.ip_address)
            self.assertTrue(signature._is_whole())
        self._assert_sealed(request.sealed_id.raw)

    def _assert_sealed(self, content):
        """By pyHanko and, where it is there, by pdfsig; and what stands in it."""
        (signature,) = PdfFileReader(BytesIO(content)).embedded_signatures
        root = x509.Certificate.load(der(self.authority.root))
        status = validate_pdf_signature(signature, ValidationContext(trust_roots=[root]))
        self.assertTrue(status.bottom_line)
        self.assertEqual(status.coverage.name, "ENTIRE_FILE")
        if shutil.which("pdfsig"):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "sealed.pdf")
                path.write_bytes(content)
                report = subprocess.run(
                    ["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False, timeout=60
                ).stdout
            self.assertIn("Signature is Valid.", report)
            self.assertIn("Total document signed", report)
        reader = PdfReader(BytesIO(content))
        (attached,) = reader.attachments.values()
        self.assertEqual(sha256(attached[0]).hexdigest(), self.version.signature_request_id.document_sha256)
        self.assertGreater(len(reader.pages), len(PdfReader(BytesIO(attached[0])).pages))
