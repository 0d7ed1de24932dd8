import base64
from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .pki import pdf
from .signature_common import ChannelSignatureCommon


@tagged("post_install", "-at_install")
class TestContractOriginal(ChannelSignatureCommon):
    """A contract signed on paper: matched by the code of its text, confirmed by a second person."""

    def _upload(self, version=None, user=None, **values):
        version = version or self.version
        return (
            self.env["channel.contract.original"]
            .with_user(user or self.user_contract)
            .create(
                {
                    "version_id": version.id,
                    "file": base64.b64encode(pdf("Scan")),
                    "filename": "scan.pdf",
                    "code": version.text_code,
                    "signed_on": self.company._channel_today(),
                    **values,
                }
            )
        )

    def test_confirmed_by_somebody_else_the_version_is_signed_on_the_day_of_the_paper(self):
        day = self.company._channel_today() - timedelta(days=3)
        original = self._upload(signed_on=day)
        self.assertEqual(self.version.signature_state, "pending")
        with self.assertUserError("somebody else"):
            original.action_confirm()
        original.with_user(self.user_manager).action_confirm()
        self.assertEqual((self.version.signature_state, self.version.signed_on), ("signed", day))
        self.assertRecordValues(original, [{"state": "confirmed", "decided_by_id": self.user_manager.id}])
        self.assertEqual(self.contract.current_version_id, self.version)
        self.assertEqual(self._actions(), ["original_uploaded", "original_confirmed", "completed"])

    def test_an_open_request_ends_with_the_paper(self):
        request = self._send()
        self._upload().with_user(self.user_manager).action_confirm()
        self.assertEqual(request.state, "cancelled")
        with self.assertUserError("not out for signature"):
            self._sign(self.signer_first)

    def test_the_code_is_that_of_the_text(self):
        first = self.contract.version_ids.filtered(lambda version: version.number == 1)
        self.assertNotEqual(first.text_code, self.version.text_code)
        typed = self.version.text_code.lower().replace("-", " ")
        self.assertTrue(self._upload(code=typed))
        with self.assertRaises(ValidationError) as catcher:
            self._upload(code=first.text_code)
        self.assertIn(f"but of {first.display_name}", str(catcher.exception))
        for code in ("AAAAA-AAAAA-AAAAA-AAAAA", "---"):
            with self.assertRaises(ValidationError):
                self._upload(code=code)

    def test_the_code_changes_with_a_word_and_stays_when_the_version_ends(self):
        code = self.version.text_code
        other = self._channel_version(self.contract, clause_ids=self._channel_clause_commands("Quality"))
        self.assertNotEqual(other.text_code, code)
        self._upload().with_user(self.user_manager).action_confirm()
        self.assertEqual(self.version.text_code, code)

    def test_what_is_no_scan_is_refused(self):
        tomorrow = self.company._channel_today() + timedelta(days=1)
        for values in ({"file": base64.b64encode(b"text")}, {"signed_on": tomorrow}, {"state": "confirmed"}):
            with self.subTest(values), self.assertRaises(UserError):
                self._upload(**values)
        draft = self._channel_version(self.contract, approve=False, valid_from=tomorrow)
        with self.assertRaises(ValidationError):
            self._upload(draft, code=self.version.text_code)

    def test_rejected_with_a_reason_another_one_can_follow(self):
        original = self._upload()
        wizard = (
            self.env["channel.contract.original.reject"]
            .with_user(self.user_manager)
            .create({"original_id": original.id, "reason": "Page 3 is missing"})
        )
        wizard.action_reject()
        self.assertRecordValues(original, [{"state": "rejected", "reason": "Page 3 is missing"}])
        with self.assertUserError("decided on already"):
            original.with_user(self.user_manager).action_confirm()
        self._upload().with_user(self.user_manager).action_confirm()
        self.assertEqual(self.version.signature_state, "signed")

    def test_what_was_uploaded_stays_as_it_is(self):
        original = self._upload()
        file = self.env["ir.attachment"].search(
            [("res_model", "=", original._name), ("res_field", "=", "file"), ("res_id", "=", original.id)]
        )
        for change in (
            lambda: original.write({"file": base64.b64encode(pdf("Other"))}),
            lambda: original.write({"state": "confirmed"}),
            lambda: original.sudo().unlink(),
            lambda: file.write({"raw": pdf("Other")}),
            lambda: file.unlink(),
        ):
            with self.assertRaises(UserError):
                change()

    def test_who_uploads_and_who_confirms(self):
        for user in (self.user_sales, self.user_manager, self.user_auditor, self.user_portal):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self._upload(user=user)
        original = self._upload()
        for user in (self.user_sales, self.user_auditor, self.user_finance):
            with self.subTest(user.login), self.assertRaises(AccessError):
                original.with_user(user).action_confirm()

    def test_what_is_signed_on_paper_is_not_sent_any_more(self):
        self._upload().with_user(self.user_manager).action_confirm()
        with self.assertRaises(UserError):
            self._send()
        with self.assertRaises(ValidationError):
            self._upload()
        later = self._channel_version(
            self.contract, signatory_ids=[Command.create(values) for values in self._channel_signatories()]
        )
        self.assertEqual(later.signature_state, "pending")
