import re

from odoo.tests import HttpCase, tagged

from .signature_common import ChannelSignatureCommon


@tagged("post_install", "-at_install")
class TestSignatureVerify(ChannelSignatureCommon, HttpCase):
    """The public page: whether a file is the one that was sealed."""

    def setUp(self):
        super().setUp()
        self._send()
        self.request = self._sign_all()
        self.content = self.request.sealed_id.raw
        self.url = f"/channel/contract/verify/{self.request.token}"

    def _post(self, url, content):
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.url_open(url).text)[1]
        return self.url_open(
            url, data={"csrf_token": token}, files={"file": ("contract.pdf", content, "application/pdf")}
        ).text

    def test_by_the_token(self):
        answer = self.url_open(self.url)
        self.assertEqual((answer.status_code, answer.headers["Cache-Control"]), (200, "no-store"))
        for text in (self.contract.name, self.dealer.name, "F*** S***", "B*** O**", self.request.sealed_sha256):
            with self.subTest(text):
                self.assertIn(text, answer.text)
        self.assertIn("o_verify_known", answer.text)
        for secret in ("First Signer", "first@dealer", "o_verify_valid"):
            self.assertNotIn(secret, answer.text)

    def test_by_token_and_file(self):
        changed = bytearray(self.content)
        changed[len(changed) // 2] ^= 1
        for status, content in (
            ("valid", self.content),
            ("changed", bytes(changed)),
            ("changed", self.content + b" "),
            ("unsigned", self.request.document_id.raw),
        ):
            with self.subTest(status):
                self.assertIn(f"o_verify_{status}", self._post(self.url, content))

    def test_by_the_file_alone(self):
        url = "/channel/contract/verify"
        page = self._post(url, self.content)
        self.assertIn("o_verify_valid", page)
        self.assertIn(self.contract.name, page)
        page = self._post(url, self.content + b" ")
        self.assertIn("o_verify_unknown", page)
        self.assertNotIn(self.contract.name, page)

    def test_nothing_is_known_before_the_seal_or_by_a_wrong_token(self):
        later = self._channel_version(
            self.contract,
            signatory_ids=[(0, 0, values) for values in self._channel_signatories()],
        )
        request = self._send(later)
        for token in (request.token, "x" * 43, self.request.token[:-1], "%00", "' OR 1=1"):
            with self.subTest(token):
                answer = self.url_open(f"/channel/contract/verify/{token}")
                self.assertEqual(answer.status_code, 404)
                self.assertNotIn(self.contract.name, answer.text)
        self.assertIn("o_verify_unknown", self._post("/channel/contract/verify", request.document_id.raw))

    def test_a_later_version_is_told(self):
        self.assertIn("Yes", self.url_open(self.url).text)
        later = self._channel_version(
            self.contract, signatory_ids=[(0, 0, values) for values in self._channel_signatories()]
        )
        self._send(later)
        self._sign_all(later)
        page = self._post(self.url, self.content)
        self.assertIn("o_verify_valid", page)
        self.assertIn("a later version has followed", page)

    def test_limit(self):
        self.env["ir.config_parameter"].sudo().set_param("channel_member.portal_limit_contract_verify", "2")
        answers = [self.url_open(self.url).status_code for _number in range(3)]
        self.assertEqual(answers, [200, 200, 429])
