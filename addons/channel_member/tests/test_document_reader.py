import os
import stat
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.tests import TransactionCase, tagged

from odoo.addons.channel_member.models import channel_document_reader
from odoo.addons.channel_member.tools import pdf_text

from . import pdf

CERTIFICATE = [
    "CERTIFICATE",
    "Certificate No.: QM-4711/26",
    "Company name: Kauri Medical Ltd <script>alert(1)</script>",
    "Registered office: 1 Queen Street, Auckland",
    "Scope of certification: Distribution of sterile",
    "devices of class II and III",
    "Issued by: Standards Board",
    "Date of issue: 1 March 2026      Valid until: 2029-02-28",
]


@tagged("post_install", "-at_install")
class TestDocumentReader(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reader = cls.env["channel.document.reader"]
        cls.type = cls.env["channel.qualification.type"].create({
            "name": "Test Certificate", "code": "test_certificate", "number_format": r"QM-\d{4}/(?P<year>\d\d)",
        })

    def _set(self, name, value):
        self.env["ir.config_parameter"].set_param(f"channel_member.{name}", value)

    # === TEXT LAYER === #

    def test_text_layer(self):
        result = self.reader._read(pdf.text_pdf(CERTIFICATE), qualification_type=self.type)
        self.assertEqual(result["source"], "text_layer")
        self.assertFalse(result["error"])
        self.assertEqual(result["pages"], 1)
        self.assertEqual(result["values"], {
            "number": "QM-4711/26",
            "name": "Kauri Medical Ltd <script>alert(1)</script>",
            "domicile": "1 Queen Street, Auckland",
            "scope_text": "Distribution of sterile\ndevices of class II and III",
            "issuer": "Standards Board",
            "issue_date": "2026-03-01",
            "expiry_date": "2029-02-28",
        })
        self.assertEqual(result["confidence"]["number"], "high", "its format confirms it")
        self.assertEqual(result["confidence"]["name"], "medium")

    def test_attachment(self):
        attachment = self.env["ir.attachment"].create({"name": "c.pdf", "raw": pdf.text_pdf(CERTIFICATE)})
        self.assertEqual(
            self.reader._read(attachment, qualification_type=self.type)["values"]["number"], "QM-4711/26"
        )

    def test_number_without_label(self):
        """A number whose format the type knows is found wherever it stands; one that it does not know is not."""
        content = pdf.text_pdf(["We certify (see QM-4711/26) that", "all is well"])
        self.assertEqual(self.reader._read(content, qualification_type=self.type)["values"], {"number": "QM-4711/26"})
        self.assertEqual(self.reader._read(content)["values"], {})

    def test_wrong_number_is_not_confirmed(self):
        content = pdf.text_pdf(["Certificate No: QM-47/26"])
        result = self.reader._read(content, qualification_type=self.type)
        self.assertEqual(result["values"], {"number": "QM-47/26"})
        self.assertEqual(result["confidence"], {"number": "medium"})

    def test_dates(self):
        for text, expected in (
            ("2026-02-30 2026/03/01", ["2026-03-01"]),
            ("31.12.2026 and 2025.1.2", ["2026-12-31", "2025-01-02"]),
            ("March 5, 2026; 6th Sept 2027", ["2026-03-05", "2027-09-06"]),
            ("03/04/2026", []),
            ("12026-01-011, 5 Xyz 2026", []),
        ):
            with self.subTest(text=text):
                self.assertEqual(self.reader._read_dates(text), expected)

    # === FILES THAT MEAN NO GOOD === #

    def test_unreadable(self):
        good = pdf.text_pdf(CERTIFICATE)
        for name, content, error in (
            ("nothing", b"", "empty"),
            ("a page of HTML called pdf", b"<html><body>QM-4711/26</body></html>", "format"),
            ("a program", b"\x7fELF\x02\x01\x01" + b"\0" * 60, "format"),
            ("only the first line of a PDF", b"%PDF-1.7\n", "broken"),
            ("rubbish after the first line", b"%PDF-1.4\n" + bytes(range(256)) * 40, "broken"),
            ("cut off", good[: len(good) // 3], "broken"),
            ("scan", pdf.scanned_pdf(), "no_text"),
            ("photo", pdf.picture(), "no_text"),
            ("photo", pdf.picture("PNG"), "no_text"),
            ("password", pdf.encrypted_pdf("secret", CERTIFICATE), "encrypted"),
            ("page tree that contains itself", self._loop_pdf(), "broken"),
        ):
            with self.subTest(name=name):
                result = self.reader._read(content, qualification_type=self.type)
                self.assertEqual((result["error"], result["values"], result["source"]), (error, {}, False))
                self.assertTrue(result["message"])

    @staticmethod
    def _loop_pdf():
        return (
            b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
            b"2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\n"
            b"trailer<</Root 1 0 R>>\n%%EOF\n"
        )

    def test_empty_password(self):
        """Protected against changes only, as authorities issue their electronic licences."""
        result = self.reader._read(pdf.encrypted_pdf("", CERTIFICATE), qualification_type=self.type)
        self.assertEqual(result["values"]["number"], "QM-4711/26")

    def test_page_limit(self):
        self._set("reader_max_pages", "2")
        content = pdf.text_pdf(["one"], ["two"], ["three QM-4711/26"], *[["more"]] * 200)
        result = self.reader._read(content, qualification_type=self.type)
        self.assertEqual(result["pages"], 203)
        self.assertEqual(result["text"].split(), ["one", "two"])
        self.assertEqual(result["values"], {})

    def test_size_limit(self):
        self._set("reader_max_mb", "1")
        self.assertEqual(self.reader._read(pdf.text_pdf(CERTIFICATE) + b" " * (1 << 20))["error"], "size")

    def test_text_limit(self):
        result = self.reader._read(pdf.text_pdf(*[["x" * 2000] * 40]))
        self.assertLessEqual(len(result["text"]), channel_document_reader.MAX_CHARACTERS)
        long_name = self.reader._read(pdf.text_pdf(["Company name: " + "y" * 5000]))["values"]["name"]
        self.assertEqual(len(long_name), channel_document_reader.MAX_LINE)

    def test_time_limit(self):
        """A program that does not come back is ended, and the caller goes on."""
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder, "loop.py")
            script.write_text("while True: pass")
            with patch.object(channel_document_reader, "PDF_SCRIPT", script):
                self._set("reader_seconds", "1")
                self.assertEqual(self.reader._read(pdf.text_pdf(CERTIFICATE))["error"], "timeout")

    def test_memory_limit(self):
        """A file that unpacks into gigabytes ends the program that reads it, not the server."""
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder, "bomb.py")
            script.write_text(
                f"import sys; sys.path.insert(0, {os.path.dirname(pdf_text.__file__)!r})\n"
                "import pdf_text; pdf_text.limit(5, 64); bytearray(1 << 30)"
            )
            with patch.object(channel_document_reader, "PDF_SCRIPT", script):
                self.assertEqual(self.reader._read(pdf.text_pdf(CERTIFICATE))["error"], "broken")

    def test_pattern_that_stumbles(self):
        with patch.object(type(self.reader), "_read_labelled", side_effect=RecursionError):
            result = self.reader._read(pdf.text_pdf(CERTIFICATE))
        self.assertEqual((result["error"], result["values"]), ("broken", {}))

    def test_labels_stay_linear(self):
        """Text made to make the labels backtrack costs no more than its length."""
        text = ("c e r t i f i c a t e " + " " * 60) * 400
        self.assertEqual(self.reader._read_labelled(text, {"number": ["certificate no"]}), {})

    # === PICTURES === #

    def _tesseract(self, folder, lines):
        program = Path(folder, "tesseract")
        program.write_text("#!/bin/sh\n" + lines)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return patch.dict(os.environ, {"PATH": folder})

    def test_ocr(self):
        """Off unless switched on; what it sees is never more than a weak proposal."""
        with tempfile.TemporaryDirectory() as folder, self._tesseract(
            folder, 'echo "Certificate No.: QM-4711/26"\necho "Company name: $*"\n'
        ):
            self.assertEqual(self.reader._read(pdf.picture(), qualification_type=self.type)["error"], "no_text")
            self._set("reader_ocr", "True")
            result = self.reader._read(pdf.picture(), qualification_type=self.type)
            self.assertEqual(result["source"], "ocr")
            self.assertEqual(result["values"]["number"], "QM-4711/26")
            self.assertTrue(result["values"]["name"].startswith("stdin stdout -l "))
            self.assertEqual(set(result["confidence"].values()), {"low"})
            # A PDF is not drawn
            self.assertEqual(self.reader._read(pdf.scanned_pdf())["error"], "no_text")

    def test_ocr_that_fails(self):
        self._set("reader_ocr", "True")
        with tempfile.TemporaryDirectory() as folder:
            with patch.dict(os.environ, {"PATH": folder}):
                self.assertEqual(self.reader._read(pdf.picture())["error"], "no_text", "not installed")
            with self._tesseract(folder, "exit 1"):
                self.assertEqual(self.reader._read(pdf.picture())["error"], "broken")
            with self._tesseract(folder, "while true; do :; done"):
                self._set("reader_ocr_seconds", "1")
                self.assertEqual(self.reader._read(pdf.picture())["error"], "timeout")
            with self._tesseract(folder, "echo never"), patch.object(channel_document_reader, "MAX_PIXELS", 1000):
                self.assertEqual(self.reader._read(pdf.picture())["error"], "size")

    def test_parameters(self):
        for value in ("-1", "0", "many", ""):
            self._set("reader_max_mb", value)
            self.assertEqual(self.reader._reader_param("reader_max_mb", 20), 20)
