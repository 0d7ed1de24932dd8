import re
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import HttpCase, freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.channel_contract.models.channel_portal_hit import LIMITS

from .signature_common import IMAGE, ChannelSignatureCommon


@tagged("post_install", "-at_install")
class TestSignaturePortal(ChannelSignatureCommon, HttpCase):
    def setUp(self):
        super().setUp()
        self._send()

    def _url(self, signatory, suffix=""):
        return f"/channel/contract/sign/{signatory.sudo().token}{suffix}"

    def _get(self, signatory, suffix="", **kwargs):
        return self.url_open(self._url(signatory, suffix), **kwargs)

    def _post(self, signatory, suffix, **data):
        page = self._get(signatory).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        self.assertTrue(token, "There is no form on the page")
        return self.url_open(self._url(signatory, suffix), data={"csrf_token": token[1], **data})

    def _accept(self, signatory, name="First Signer", signature=IMAGE):
        return self.make_jsonrpc_request(
            self._url(signatory, "/accept"),
            {"name": name, "signature": signature},
            headers={"User-Agent": "Telephone of the test"},
        )

    def _identify(self, signatory):
        self._post(signatory, "/code")
        return self._post(signatory, "/check", code=self.codes[signatory.email])

    def _read_and_agree(self, signatory):
        self._identify(signatory)
        self._get(signatory, "/document")
        return self._post(signatory, "/consent", consent="1")

    # === WITHOUT AN ACCOUNT ===#

    def test_code_reading_consent_signature(self):
        signer = self.signer_first
        page = self._get(signer)
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        self.assertIn(self.contract.name, page.text)
        self.assertIn("f***@dealer.example.com", page.text)
        self.assertNotIn("Test Dealer", page.text, "Without the code the link says nothing about the terms")
        page = self._identify(signer)
        self.assertIn(self.version.signature_request_id.document_sha256, page.text)
        document = self._get(signer, "/document")
        self.assertEqual(document.content, self.version.signature_request_id.document_id.raw)
        self.assertEqual(document.headers["Content-Type"], "application/pdf")
        page = self._post(signer, "/consent", consent="1")
        self.assertIn("portal.signature_form", page.text)
        answer = self._accept(signer, name="F. Signer")
        self.assertTrue(answer.get("force_refresh"), answer)
        self.assertIn("Thank you, you have signed", self._get(signer).text)
        evidence = self.version.signature_ids
        self.assertRecordValues(
            evidence,
            [
                {
                    "name": "First Signer",
                    "typed_name": "F. Signer",
                    "email": "first@dealer.example.com",
                    "user_id": False,
                    "method": "portal",
                    "ip_address": "127.0.0.1",
                    "user_agent": "Telephone of the test",
                    "consent_text": self.company.channel_signature_consent,
                    "consent_version": self.company.channel_signature_consent_version,
                }
            ],
        )
        self.assertTrue(evidence.code_at <= evidence.read_at <= evidence.consented_at <= evidence.signed_at)
        self.assertTrue(evidence._is_whole())
        self.assertEqual(
            self._actions(),
            ["sent", "asked", "code_sent", "code_right", "read", "consented", "signed", "asked"],
        )

    def test_no_step_can_be_left_out(self):
        signer = self.signer_first
        self.assertIn("error", self._accept(signer))
        self.assertNotEqual(self._get(signer, "/document").headers["Content-Type"], "application/pdf")
        self._post(signer, "/code")
        self.assertIn("error", self._accept(signer))
        self._post(signer, "/check", code=self.codes[signer.email])
        self.assertIn("error", self._accept(signer))
        self.assertIn("Open the document first", self._post(signer, "/consent", consent="1").text)
        self._get(signer, "/document")
        self.assertIn("Agree to sign", self._post(signer, "/consent").text)
        self.assertIn("error", self._accept(signer))
        self._post(signer, "/consent", consent="1")
        for name, signature in (("", IMAGE), ("First Signer", ""), ("First Signer", "bm8gaW1hZ2U=")):
            self.assertIn("error", self._accept(signer, name=name, signature=signature))
        self.assertFalse(self.version.signature_ids)

    def test_the_steps_hold_half_an_hour(self):
        self._read_and_agree(self.signer_first)
        with freeze_time(fields.Datetime.now() + timedelta(minutes=31)):
            self.assertIn("error", self._accept(self.signer_first))
            self.assertIn("Send me the code", self._get(self.signer_first).text)
        self.assertFalse(self.version.signature_ids)

    def test_the_steps_are_of_this_browser_and_this_link(self):
        self._read_and_agree(self.signer_first)
        self.opener.cookies.clear()
        self.authenticate(None, None)
        self.assertIn("error", self._accept(self.signer_first))
        self._read_and_agree(self.signer_first)
        self.version.action_cancel_signature()
        self._send()
        self.assertIn("error", self._accept(self.signer_first))

    def test_a_wrong_code_is_counted_and_told(self):
        signer = self.signer_first
        self._post(signer, "/code")
        code = self.codes[signer.email]
        wrong = f"{(int(code) + 1) % 10**6:06}"
        for left in (4, 3, 2, 1, 0):
            self.assertIn(f"Tries left: {left}", self._post(signer, "/check", code=wrong).text)
        self.assertIn("Too many wrong codes", self._post(signer, "/check", code=code).text)
        self.assertEqual(self._actions().count("code_wrong"), 5)

    def test_codes_are_limited_per_mailbox(self):
        for _number in range(LIMITS["contract_code"]):
            self.assertEqual(self._post(self.signer_first, "/code").status_code, 200)
        answer = self._post(self.signer_first, "/code")
        self.assertEqual(answer.status_code, 429)
        self.assertTrue(answer.headers["Retry-After"])

    def test_refusing(self):
        signer = self.signer_first
        self._identify(signer)
        self.assertIn("Tell why", self._post(signer, "/decline", reason=" ").text)
        self.assertIn("You have refused", self._post(signer, "/decline", reason="Too little time").text)
        self.assertEqual(self.version.signature_state, "refused")
        self.assertIn("First Signer: Too little time", self.version.signature_request_id.reason)

    def test_a_stranger_with_a_forwarded_link_refuses_nothing(self):
        self._post(self.signer_first, "/code")
        page = self._get(self.signer_first).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        self.url_open(self._url(self.signer_first, "/decline"), data={"csrf_token": token, "reason": "No"})
        self.assertEqual(self.signer_first.state, "asked")

    @mute_logger("odoo.http")
    def test_wrong_links_are_not_found_and_counted(self):
        counted = []

        # Cursors of tests share one transaction, which a failing request rolls back: the count is kept here instead.
        def hit(_self, kind, address):
            counted.append((kind, address))
            return 0 if len(counted) <= 2 else 60

        with patch.object(self.env.registry["channel.portal.hit"], "_hit", hit):
            answers = [
                self.url_open(f"/channel/contract/sign/{token}{suffix}").status_code
                for token, suffix in (("x" * 43, ""), ("wrong", "/document"), ("wrong", "/annex/1"))
            ]
            self.assertEqual(answers, [404, 404, 429])
            self.assertEqual(set(counted), {("wrong", "127.0.0.1")})
            self.assertEqual(self._get(self.signer_first).status_code, 200)

    def test_who_signs_while_it_is_taken_back_is_told(self):
        self._read_and_agree(self.signer_first)
        self.version.with_user(self.user_contract).action_cancel_signature()
        self.assertIn("not out for signature any more", self._accept(self.signer_first)["error"])
        self.assertIn("not out for signature any more", self._get(self.signer_first).text)

    def test_all_have_signed_the_sealed_file_is_there_after_the_code(self):
        for signatory in (self.signer_first, self.signer_second, self.signer_own):
            self._sign(signatory)
        request = self.version.signature_request_id
        page = self._get(self.signer_first).text
        self.assertIn("All have signed", page)
        self.assertNotIn("Download the sealed file", page)
        with patch.object(type(self.signer_first), "_sign_problem", lambda signatory: None):
            self._post(self.signer_first, "/code")
        self._post(self.signer_first, "/check", code=self.codes["first@dealer.example.com"])
        self.assertIn("Download the sealed file", self._get(self.signer_first).text)
        self.assertEqual(self._get(self.signer_first, "/document?download=1").content, request.sealed_id.raw)

    # === WITH AN ACCOUNT ===#

    def test_who_has_an_account_signs_logged_in_only(self):
        self._sign(self.signer_first)
        signer = self.signer_second
        answer = self._get(signer, allow_redirects=False)
        self.assertIn("/web/login?redirect=", answer.headers["Location"])
        self.authenticate("channel_manager", "channel_manager")
        self.assertEqual(self._get(signer).status_code, 403)
        self.assertIn("error", self._accept(signer))
        self.authenticate("channel_portal", "channel_portal")
        self.assertIn(self._url(signer), self.url_open(f"/my/channel/contracts/{self.contract.id}").text)
        self.assertIn(self._url(signer), self.url_open("/my/channel/tasks").text)
        self.assertIn(self.dealer.name, self._get(signer).text)
        self._read_and_agree(signer)
        self.assertTrue(self._accept(signer, name="Second Signer").get("force_refresh"))
        self.assertEqual(self.version.signature_ids.user_id, self.user_portal)
        self.assertNotIn(self._url(signer), self.url_open(f"/my/channel/contracts/{self.contract.id}").text)

    def test_an_account_opens_only_its_own_link(self):
        self.authenticate("channel_portal", "channel_portal")
        page = self._get(self.signer_first).text
        self.assertNotIn("Test Dealer", page)
        self.assertNotIn(self._url(self.signer_first), self.url_open(f"/my/channel/contracts/{self.contract.id}").text)

    def test_files_of_requests_are_for_colleagues(self):
        request = self.version.signature_request_id
        url = f"/channel/contract/document/{request.id}"
        self.authenticate("channel_auditor", "channel_auditor")
        self.assertEqual(self.url_open(url).content, request.document_id.raw)
        for login in ("channel_portal", "channel_nobody"):
            self.authenticate(login, login)
            for address in (url, f"/web/content/{request.document_id.id}"):
                with self.subTest(f"{login} {address}"), mute_logger("odoo.http"):
                    self.assertEqual(self.url_open(address).status_code, 404)

    def test_the_member_downloads_the_sealed_file_and_nobody_else_does(self):
        request = self.version.signature_request_id
        for signatory in self.version.signatory_ids:
            self._sign(signatory)
        url = f"/my/channel/contracts/{self.contract.id}/versions/{self.version.id}?download=true"
        self.authenticate("channel_portal", "channel_portal")
        self.assertEqual(self.url_open(url).content, request.sealed_id.raw)
        west = new_test_user(
            self.env,
            login="channel_portal_west",
            groups="base.group_portal",
            partner_id=self.env["res.partner"].create({"name": "West", "parent_id": self.other_dealer.id}).id,
        )
        self.authenticate(west.login, west.login)
        for address in (
            url,
            f"/channel/contract/document/{request.id}",
            f"/web/content/{request.sealed_id.id}",
            f"/web/content/channel.contract.signatory/{self.signer_first.id}/authority_file",
            f"/report/pdf/channel_contract.report_evidence/{request.id}",
            f"/channel/contract/{self.contract.id}/archive.zip",
        ):
            with self.subTest(address), mute_logger("odoo.http"):
                self.assertNotIn(b"%PDF", self.url_open(address).content)

    # === PROVIDERS ===#

    def test_messages_of_unknown_providers_are_not_found(self):
        for provider in ("portal", "nobody", "portal/../x"):
            with self.subTest(provider), mute_logger("odoo.http"):
                answer = self.url_open(f"/channel/contract/signature/{provider}", data="{}")
                self.assertEqual(answer.status_code, 404)
