import hashlib
import io
import json
import zipfile

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.channel_base.tools.canonical import canonical_json

from .signature_common import IMAGE, ChannelSignatureCommon


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@tagged("post_install", "-at_install")
class TestContractArchive(ChannelSignatureCommon, HttpCase):
    """The auditor's file: complete, and verified with nothing but itself."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        document = cls.env["ir.attachment"].create({"name": "annex/one.txt", "raw": b"annex"})
        cls.third = cls._channel_version(
            cls.contract,
            approve=False,
            purpose="Third terms",
            valid_from=cls.company._channel_today(),
            document_ids=[Command.set(document.ids)],
            clause_ids=cls._channel_clause_commands("Quality"),
        )

    def _archive(self, user=None):
        output = io.BytesIO()
        self.contract.with_user(user or self.user_auditor)._write_archive(output)
        with zipfile.ZipFile(output) as archive:
            self.assertEqual(len(archive.namelist()), len(set(archive.namelist())))
            return {name: archive.read(name) for name in archive.namelist()}

    def _signed(self):
        self._send()
        self._sign(self.signer_first, consent_text="I agree.", ip_address="203.0.113.7")
        self._sign(self.signer_second)
        self._sign(self.signer_own)
        self.contract.message_post(body="A word about it", message_type="comment")
        self.version.with_user(self.user_contract).comment("A question about it")

    def test_every_file_has_the_digest_of_the_manifest_and_none_is_missing(self):
        self._signed()
        files = self._archive()
        manifest = json.loads(files.pop("manifest.json"))
        self.assertEqual({entry["file"] for entry in manifest["files"]}, set(files))
        for entry in manifest["files"]:
            content = files[entry["file"]]
            self.assertEqual((entry["sha256"], entry["size"]), (sha256(content), len(content)), entry["file"])

    def test_the_manifest_is_in_the_journal(self):
        files = self._archive()
        entry = self.env["channel.audit.entry"].search([("action", "=", "contract.archived")], limit=1)
        self.assertIn(sha256(files["manifest.json"]), entry.after)
        self.assertEqual(entry.user_id, self.user_auditor)

    def test_it_is_complete(self):
        self._signed()
        files = self._archive()
        for name in (
            "README.txt",
            "contract.json",
            "journal.json",
            "timeline.json",
            "comments.json",
            "messages.json",
            *(
                f"versions/v{number:03}/{name}"
                for number in (1, 2, 3)
                for name in ("terms.json", "version.json", "approvals.json", "contract.pdf")
            ),
            "versions/v002/requests/1/request.json",
            "versions/v002/requests/1/document.pdf",
            "versions/v002/requests/1/sealed.pdf",
            "versions/v002/requests/1/signatures.json",
            f"versions/v002/requests/1/signature-{self.signer_own.id}.png",
        ):
            with self.subTest(name):
                self.assertIn(name, files)
        annex = next(name for name in files if name.startswith("versions/v003/documents/"))
        self.assertEqual((annex.count("/"), files[annex]), (3, b"annex"))
        self.assertEqual(json.loads(files["versions/v003/terms.json"])["purpose"], "Third terms")
        self.assertEqual(files["versions/v002/contract.pdf"], files["versions/v002/requests/1/document.pdf"])
        self.assertIn("A word about it", files["messages.json"].decode())
        self.assertIn("A question about it", files["comments.json"].decode())

    def test_signatures_and_journal_verify_with_what_is_in_the_file(self):
        self._signed()
        self.env["channel.audit.entry"]._seal()
        files = self._archive()
        folder = "versions/v002/requests/1"
        request = json.loads(files[f"{folder}/request.json"])
        self.assertEqual(request["document_sha256"], sha256(files[f"{folder}/document.pdf"]))
        self.assertEqual(request["sealed_sha256"], sha256(files[f"{folder}/sealed.pdf"]))
        self.assertEqual(request["seal"]["verdict"], "valid")
        signatures = json.loads(files[f"{folder}/signatures.json"])
        self.assertEqual([one["payload"]["name"] for one in signatures], ["First Signer", "Second Signer", "Boss Own"])
        journal = json.loads(files["journal.json"])
        self.assertEqual(journal["verification"], "whole")
        told = " ".join(entry["payload"] for entry in journal["entries"] if entry["action"] == "signature.signed")
        for signature in signatures:
            payload = signature["payload"]
            self.assertEqual(signature["digest"], f"$1${sha256(canonical_json(payload).encode())}")
            self.assertEqual(payload["document_sha256"], request["document_sha256"])
            image = files[f"{folder}/signature-{payload['signatory_key']}.png"]
            self.assertEqual(payload["signature_sha256"], sha256(image))
            self.assertIn(signature["digest"], told)
        self.assertTrue(journal["entries"])
        for entry in journal["entries"]:
            self.assertEqual(entry["digest"], f"$1${sha256(entry['payload'].encode())}")
            if entry["hash"]:
                self.assertEqual(entry["hash"], f"$1${sha256((entry['previous_hash'] + entry['payload']).encode())}")
        self.assertTrue(any(entry["hash"] for entry in journal["entries"]))

    def test_originals_are_in_it(self):
        original = (
            self.env["channel.contract.original"]
            .with_user(self.user_contract)
            .create(
                {
                    "version_id": self.version.id,
                    "file": IMAGE,
                    "filename": "../scan.png",
                    "code": self.version.text_code,
                    "signed_on": self.company._channel_today(),
                }
            )
        )
        files = self._archive(self.user_manager)
        place = next(name for name in files if "/originals/" in name and name.endswith(".png"))
        self.assertNotIn("..", place)
        self.assertEqual(sha256(files[place]), original.sha256)

    def test_who_takes_it(self):
        for user in (self.user_auditor, self.user_contract, self.user_manager):
            self.assertEqual(self.contract.with_user(user).action_archive_file()["type"], "ir.actions.act_url")
        for user in (self.user_sales, self.user_finance, self.user_executive, self.user_portal, self.user_internal):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.contract.with_user(user)._write_archive(io.BytesIO())

    def test_by_http(self):
        url = f"/channel/contract/{self.contract.id}/archive.zip"
        self.authenticate("channel_auditor", "channel_auditor")
        answer = self.url_open(url)
        self.assertEqual((answer.status_code, answer.headers["Content-Type"]), (200, "application/zip"))
        self.assertIn("manifest.json", zipfile.ZipFile(io.BytesIO(answer.content)).namelist())
        for login in ("channel_portal", "channel_sales", "channel_nobody"):
            self.authenticate(login, login)
            with self.subTest(login), mute_logger("odoo.http"):
                self.assertIn(self.url_open(url).status_code, (403, 404))
        self.authenticate(None, None)
        self.assertIn("/web/login", self.url_open(url, allow_redirects=False).headers["Location"])

    def test_nothing_of_another_contract_is_in_it(self):
        self._channel_version(self.contract_west, purpose="Terms of the west", valid_from=self.company._channel_today())
        content = b"".join(self._archive().values())
        for text in (b"Terms of the west", self.contract_west.name.encode(), b"Test Dealer West"):
            with self.subTest(text):
                self.assertNotIn(text, content)
