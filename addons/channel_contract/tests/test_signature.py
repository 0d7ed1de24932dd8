from datetime import timedelta
from hashlib import sha256
from unittest.mock import patch

from psycopg2.errors import RestrictViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL, mute_logger

from .pki import pdf
from .signature_common import IMAGE, ChannelSignatureCommon


@tagged("post_install", "-at_install")
class TestSignature(ChannelSignatureCommon):
    # === SENDING ===#

    def test_everybody_is_asked_in_order_and_the_last_signature_puts_the_version_into_force(self):
        request = self._send()
        states = []
        for signatory in self.version.signatory_ids:
            states.append(self.version.signatory_ids.mapped("state"))
            self.assertEqual(self.version.signature_state, "pending")
            self._sign(signatory)
        self.assertEqual(
            states,
            [["asked", "pending", "pending"], ["signed", "asked", "pending"], ["signed", "signed", "asked"]],
        )
        self.assertEqual(self.version.signature_state, "signed")
        self.assertEqual(self.version.signed_on, self.company._channel_today())
        self.assertEqual(self.contract.current_version_id, self.version)
        self.assertEqual((request.state, request.seal_level), ("signed", "b_b"))
        self.assertEqual(
            self._actions(),
            ["sent", "asked", "signed", "asked", "signed", "asked", "signed", "completed", "sealed"],
        )

    def test_the_same_number_means_at_the_same_time(self):
        self.signer_second.sequence = 1
        self._send()
        self.assertEqual(self.version.signatory_ids.mapped("state"), ["asked", "asked", "pending"])
        self._sign(self.signer_second)
        self.assertEqual(self.signer_own.state, "pending")
        self._sign(self.signer_first)
        self.assertEqual(self.signer_own.state, "asked")

    def test_what_is_signed_is_the_file_that_was_sent(self):
        request = self._send()
        content = request.document_id.raw
        self.assertEqual(request.document_sha256, sha256(content).hexdigest())
        self.assertEqual(self._sign(self.signer_first).document_sha256, request.document_sha256)
        # Somebody with access to the file store exchanges the file
        self.env.cr.execute(
            SQL("UPDATE ir_attachment SET db_datas = %s, store_fname = NULL WHERE id = %s",
                pdf("Other terms"), request.document_id.id)
        )
        self.env.invalidate_all()
        with self.assertUserError("not the one that was sent"):
            self._sign(self.signer_second)

    def test_everything_that_is_missing_is_told_at_once(self):
        self.signer_first.write(
            {"authority": "power", "authority_to": self.company._channel_today() - timedelta(days=1), "email": False}
        )
        self.signer_own.unlink()
        with self.assertRaises(UserError) as catcher:
            self._send()
        for text in ("First Signer has no e-mail", "power of attorney", "authorised from", self.company.name):
            self.assertIn(text, str(catcher.exception))
        self.assertFalse(self.version.signature_request_ids)

    def test_without_a_certificate_nothing_is_sent(self):
        certificate, key = self.authority.issue("Expired", start=-30, end=-1)
        self._channel_seal(certificate, key)
        with self.assertUserError("valid from"):
            self._send()
        self.company.channel_seal_certificate_id = False
        with self.assertUserError("no certificate is chosen"):
            self._send()

    def test_drafts_and_signed_versions_are_not_sent(self):
        draft = self._channel_version(self.contract, approve=False, valid_from=fields.Date.today())
        with self.assertRaises(UserError):
            self._send(draft)
        self._send()
        with self.assertUserError("already"):
            self._send()
        self._sign_all()
        with self.assertRaises(UserError):
            self._send()

    def test_who_sends_and_who_does_not(self):
        for user in (self.user_sales, self.user_auditor, self.user_executive, self.user_portal):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.version.with_user(user).action_send_for_signature()
        self.version.with_user(self.user_contract).action_send_for_signature()
        with self.assertRaises(AccessError):
            self.version.with_user(self.user_compliance).action_cancel_signature()

    # === SIGNATORIES ===#

    def test_signatories_belong_to_their_side(self):
        foreigner = self.env["res.partner"].create({"name": "Foreigner", "parent_id": self.other_dealer.id})
        for values in (
            {"partner_id": foreigner.id},
            {"side": "ours", "user_id": self.user_portal.id, "partner_id": False},
            {"side": "ours", "partner_id": self.person_first.id},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.signer_first.write(values)

    def test_signatories_are_fixed_while_the_version_is_out_and_when_it_is_signed(self):
        self._send()
        for _state in ("open", "signed"):
            for change in (
                lambda: self.signer_second.write({"email": "other@dealer.example.com"}),
                lambda: self.signer_second.unlink(),
                lambda: self.version.write({"signatory_ids": [Command.create(self._channel_signatories()[0])]}),
            ):
                with self.assertUserError("out for signature or signed"):
                    change()
            self.env.invalidate_all()
            if self.version.signature_state != "signed":
                self._sign_all()

    def test_how_far_a_signatory_is_is_not_written_by_hand(self):
        self._send()
        for values in ({"state": "signed"}, {"token": "x"}, {"request_id": False}, {"signed_at": False}):
            with self.subTest(values), self.assertRaises(UserError):
                self.signer_first.write(values)
        with self.assertRaises(UserError):
            self.signer_first.with_context(channel_contract_signer=True).write({"state": "signed"})
        with self.assertRaises(AccessError):
            self.signer_first.with_user(self.user_contract).read(["token"])

    def test_signatories_go_to_the_next_version_without_what_they_signed(self):
        self._send()
        self._sign_all()
        copy = self.version.copy({"valid_from": fields.Date.today()})
        self.assertEqual(copy.signatory_ids.mapped("name"), self.version.signatory_ids.mapped("name"))
        self.assertEqual(set(copy.signatory_ids.mapped("state")), {"pending"})
        self.assertFalse(copy.signatory_ids.request_id)

    # === TAKING BACK, REFUSING, TIME ===#

    def test_taken_back_the_links_are_void_and_a_new_request_has_new_ones(self):
        first = self._send()
        self._sign(self.signer_first)
        token = self.signer_second.sudo().token
        self.version.with_user(self.user_contract).action_cancel_signature()
        self.assertEqual(first.state, "cancelled")
        with self.assertUserError("not out for signature any more"):
            self._sign(self.signer_second)
        self.signer_second.email = "changed@dealer.example.com"
        second = self._send()
        self.assertEqual((second.number, second.state), (2, "open"))
        self.assertEqual(self.version.signatory_ids.mapped("state"), ["asked", "pending", "pending"])
        self.assertFalse(self.env["channel.contract.signatory"]._by_token(token))
        self.assertEqual(first.signature_ids.mapped("name"), ["First Signer"], "The evidence of the old request stays")
        self._sign_all()
        self.assertEqual(self.version.signature_state, "signed")
        self.assertEqual(len(second.signature_ids), 3)

    def test_who_refuses_ends_the_request(self):
        request = self._send()
        self._sign(self.signer_first)
        with self.assertRaises(UserError):
            self.signer_second.sudo()._decline("  ")
        self.signer_second.sudo()._decline("The territory is too small")
        self.assertEqual((request.state, self.version.signature_state), ("declined", "refused"))
        self.assertIn("territory", request.reason)
        alert = self.env["channel.alert"].search([("key", "=", f"declined-{self.version.id}")])
        self.assertEqual(alert.note, "Second Signer: The territory is too small")
        with self.assertRaises(UserError):
            self._sign(self.signer_own)
        self._send()
        self.assertEqual(self.version.signature_state, "pending")

    def test_deadline_last_day_and_the_day_after(self):
        with freeze_time("2026-06-01 10:00:00"):
            self._seal_on_frozen_days()
            request = self._send()
            self.assertEqual(str(request.deadline), "2026-06-15")
        with freeze_time("2026-06-15 10:00:00"):
            self.env["channel.contract.signature.request"]._cron_signatures()
            self.assertEqual(request.state, "open")
            self._sign(self.signer_first)
        with freeze_time("2026-06-16 00:30:00"):
            with self.assertUserError("ended on"):
                self._sign(self.signer_second)
            for _twice in range(2):
                self.env["channel.contract.signature.request"]._cron_signatures()
        self.assertEqual(request.state, "expired")
        self.assertEqual(self.version.signatory_ids.mapped("state"), ["signed", "expired", "expired"])
        self.assertEqual(self.version.signature_state, "pending")
        self.assertEqual(self._actions().count("expired"), 1)

    def _seal_on_frozen_days(self):
        """The certificate of these tests is valid today; on other days the check is not what is tested."""
        self._patch(type(self.company), "_channel_seal_check", lambda company: None)

    def test_reminders_come_every_so_many_days_and_once(self):
        self._seal_on_frozen_days()
        cron = self.env["channel.contract.signature.request"]._cron_signatures
        reminded = []
        with freeze_time("2026-06-01 10:00:00"):
            self._send()
        for day in ("03", "04", "04", "06", "07"):
            with freeze_time(f"2026-06-{day} 10:00:00"):
                cron()
                reminded.append(self._actions().count("reminded"))
        self.assertEqual(reminded, [0, 1, 1, 1, 2])
        self.company.channel_signature_reminder_days = 0
        with freeze_time("2026-06-14 10:00:00"):
            cron()
        self.assertEqual(self._actions().count("reminded"), 2)

    # === VERSIONS BESIDE ===#

    def test_a_later_version_overtakes_one_that_waits(self):
        request = self._send()
        later = self._channel_version(
            self.contract, signatory_ids=[Command.create(values) for values in self._channel_signatories()]
        )
        self.assertEqual(request.state, "open", "Approving the next one changes nothing yet")
        self._send(later)
        self._sign_all(later)
        self.assertEqual((request.state, self.version.state), ("cancelled", "superseded"))
        with self.assertRaises(UserError):
            self._sign(self.signer_first)
        self.assertEqual(self.contract.current_version_id, later)

    def test_withdrawn_it_is_never_in_force(self):
        request = self._send()
        with self.assertRaises(AccessError):
            self.version.with_user(self.user_sales).action_withdraw()
        self.version.with_user(self.user_contract).action_withdraw()
        self.assertEqual((self.version.state, request.state), ("cancelled", "cancelled"))
        with self.assertRaises(UserError):
            self.contract.version_ids.filtered(lambda version: version.number == 1).action_withdraw()

    def test_what_cannot_take_effect_is_told_and_loses_no_signature(self):
        request = self._send()
        self._sign(self.signer_first)
        self._sign(self.signer_second)

        def refuse(version, *args, **kwargs):
            raise UserError(version.env._("In the way of another one"))

        with self._patched_signed(refuse):
            self._sign(self.signer_own)
        self.assertEqual((request.state, len(request.signature_ids)), ("signed", 3))
        self.assertEqual(self.version.signature_state, "pending")
        alert = self.env["channel.alert"].search([("key", "=", f"effect-{self.version.id}")])
        self.assertEqual(alert.severity, "critical")
        self.env["channel.contract.signature.request"]._cron_signatures()
        self.assertEqual(self.version.signature_state, "signed")
        self.assertEqual(alert.state, "resolved")

    def _patched_signed(self, method):
        return patch.object(type(self.version), "_signed", method)

    def test_a_contract_that_does_not_ask_may_be_signed_and_stays_in_force_meanwhile(self):
        self.contract_west.signature_required = False
        person = self.env["res.partner"].create(
            {"name": "West Person", "parent_id": self.other_dealer.id, "email": "w@west.example.com"}
        )
        version = self._channel_version(
            self.contract_west,
            signatory_ids=[
                Command.create({"side": "theirs", "partner_id": person.id}),
                Command.create({"side": "ours", "user_id": self.user_boss.id, "sequence": 20}),
            ],
        )
        self._send(version)
        self.assertEqual((version.signature_state, self.contract_west.current_version_id), ("none", version))
        self._sign_all(version)
        self.assertEqual(version.signature_state, "signed")

    # === EVIDENCE ===#

    def test_evidence_keeps_what_was_at_that_moment(self):
        self._send()
        evidence = self._sign(
            self.signer_first,
            typed_name="F. Signer",
            ip_address="203.0.113.7",
            user_agent="Telephone",
            consent_text="I agree.",
            consent_version=3,
        )
        self.assertRecordValues(
            evidence,
            [
                {
                    "name": "First Signer",
                    "typed_name": "F. Signer",
                    "role": "General Manager",
                    "authority": "legal",
                    "email": "first@dealer.example.com",
                    "ip_address": "203.0.113.7",
                    "user_agent": "Telephone",
                    "consent_text": "I agree.",
                    "consent_version": 3,
                    "method": "portal",
                }
            ],
        )
        self.env.invalidate_all()
        self.assertTrue(evidence._is_whole())
        journal = self.env["channel.audit.entry"].search([("action", "=", "signature.signed")], limit=1)
        self.assertIn(evidence.digest, journal.after)

    def test_evidence_is_neither_changed_nor_deleted_through_any_door(self):
        self._send()
        evidence = self._sign(self.signer_first)
        request = self.version.signature_request_id
        admin = evidence.with_user(self.user_admin)
        for change in (
            lambda: evidence.write({"name": "Another"}),
            lambda: evidence.with_context(channel_contract_signer=True).write({"name": "Another"}),
            lambda: evidence.unlink(),
            lambda: evidence.copy(),
            lambda: admin.write({"name": "Another"}),
            lambda: self.env["channel.contract.signature"].create({"name": "By hand"}),
            lambda: request.write({"document_sha256": "0" * 64}),
            lambda: request.write({"state": "cancelled"}),
            lambda: request.unlink(),
            lambda: request.document_id.write({"raw": pdf("Other terms")}),
            lambda: request.document_id.write({"res_id": 0}),
            lambda: request.document_id.unlink(),
        ):
            with self.assertRaises(UserError):
                change()
        for statement in (
            SQL("UPDATE channel_contract_signature SET name = 'Another' WHERE id = %s", evidence.id),
            SQL("DELETE FROM channel_contract_signature WHERE id = %s", evidence.id),
            SQL("TRUNCATE channel_contract_signature"),
            SQL("UPDATE channel_contract_signature_request SET document_sha256 = 'x' WHERE id = %s", request.id),
            SQL("DELETE FROM channel_contract_signature_request WHERE id = %s", request.id),
        ):
            with self.subTest(statement.code), mute_logger("odoo.sql_db"), self.assertRaises(RestrictViolation):
                self.env.cr.execute(statement)

    def test_a_signature_is_an_image(self):
        self._send()
        for signature in ("bm8gaW1hZ2U=", "not base64!", "PHN2Zy8+"):
            with self.subTest(signature), self.assertUserError("no image"):
                self._sign(self.signer_first, signature=signature)
        self.assertEqual(self.signer_first.state, "asked")

    def test_nobody_signs_out_of_turn_or_twice(self):
        self._send()
        with self.assertUserError("not the turn"):
            self._sign(self.signer_own)
        self._sign(self.signer_first)
        with self.assertUserError("signed already"):
            self._sign(self.signer_first)

    def test_a_power_of_attorney_is_kept_by_its_digest_and_does_not_change(self):
        self.signer_first.write(
            {
                "authority": "power",
                "authority_file": "UG93ZXI=",
                "authority_filename": "power.txt",
                "authority_to": self.company._channel_today(),
            }
        )
        self._send()
        evidence = self._sign(self.signer_first)
        self.assertEqual(evidence.authority_sha256, sha256(b"Power").hexdigest())
        file = self.env["ir.attachment"].search(
            [("res_model", "=", "channel.contract.signatory"), ("res_id", "=", self.signer_first.id),
             ("res_field", "=", "authority_file")]
        )
        for change in (lambda: file.write({"raw": b"More power"}), lambda: file.unlink()):
            with self.assertRaises(UserError):
                change()

    # === THE CODE ===#

    def test_a_code_is_used_once_tried_five_times_and_holds_ten_minutes(self):
        self._send()
        signer = self.signer_first.sudo()
        with freeze_time("2026-06-01 10:00:00"):
            self._patch(type(signer), "_sign_problem", lambda signatory: None)
            signer._send_code()
            code = self.codes["first@dealer.example.com"]
            self.assertRegex(code, r"^\d{6}$")
            self.assertNotIn(code, signer.code_digest)
            wrong = f"{(int(code) + 1) % 10**6:06}"
            for left in (4, 3, 2, 1):
                self.assertIn(str(left), signer._check_code(wrong))
            self.assertIsNone(signer._check_code(f" {code} "))
            self.assertTrue(signer._check_code(code), "Used up")
            signer._send_code()
            for _try in range(5):
                signer._check_code("")
            self.assertIn("Too many", signer._check_code(self.codes["first@dealer.example.com"]))
            signer._send_code()
            code = self.codes["first@dealer.example.com"]
        with freeze_time("2026-06-01 10:10:01"):
            self.assertIn("not valid any more", signer._check_code(code))
        with freeze_time("2026-06-01 10:10:00"):
            self.assertIsNone(signer._check_code(code))

    # === CONSENT ===#

    def test_another_consent_is_another_version_of_it(self):
        version = self.company.channel_signature_consent_version
        text = self.company.channel_signature_consent
        self.company.channel_signature_consent = text
        self.assertEqual(self.company.channel_signature_consent_version, version)
        self.company.channel_signature_consent = "Other words"
        self.assertEqual(self.company.channel_signature_consent_version, version + 1)

    # === DIALOG ===#

    def _dialog(self, user):
        action = self.version.with_user(user).action_sign()
        return self.env["channel.contract.sign"].with_user(user).with_context(**action["context"]).create({})

    def test_a_colleague_signs_in_the_dialog(self):
        self._send()
        self._sign(self.signer_first)
        self._sign(self.signer_second)
        self.assertTrue(self.version.with_user(self.user_boss).is_signatory)
        self.assertEqual(self.version.activity_ids.user_id, self.user_boss)
        dialog = self._dialog(self.user_boss)
        self.assertEqual(dialog.document_sha256, self.version.signature_request_id.document_sha256)
        dialog.action_send_code()
        with self.assertUserError("Open the document"):
            dialog.action_sign()
        self.signer_own.sudo()._opened()
        with self.assertUserError("Agree"):
            dialog.action_sign()
        dialog.consented = True
        with self.assertUserError("signature first"):
            dialog.action_sign()
        dialog.write({"signature": IMAGE, "code": "abc"})
        self.assertEqual(dialog.action_sign()["tag"], "display_notification")
        self.assertEqual(self.signer_own.state, "asked")
        dialog.code = self.codes["boss@company.example.com"]
        dialog.action_sign()
        evidence = self.version.signature_ids.filtered(lambda signature: signature.side == "ours")
        self.assertRecordValues(
            evidence,
            [
                {
                    "user_id": self.user_boss.id,
                    "method": "backend",
                    "consent_text": self.company.channel_signature_consent,
                    "name": "Boss Own",
                    "read_at": self.signer_own.read_at,
                }
            ],
        )
        self.assertTrue(evidence.read_at)
        self.assertEqual(self.version.signature_state, "signed")
        self.assertFalse(self.version.activity_ids)

    def test_nobody_else_opens_the_dialog(self):
        self._send()
        for user in (self.user_boss, self.user_contract, self.user_admin):
            with self.subTest(user.login), self.assertRaises(UserError):
                self._dialog(user)

    # === WHO SEES ===#

    def test_who_sees_the_evidence(self):
        self._send()
        evidence = self._sign(self.signer_first)
        for user in (self.user_contract, self.user_manager, self.user_compliance, self.user_auditor):
            self.assertEqual(evidence.with_user(user).ip_address, False)
        for user in (self.user_sales, self.user_finance, self.user_executive, self.user_portal):
            with self.subTest(user.login), self.assertRaises(AccessError):
                evidence.with_user(user).read(["ip_address"])

    def test_regional_users_see_requests_of_their_region_only(self):
        self._send()
        west = self._channel_version(self.contract_west)
        Request = self.env["channel.contract.signature.request"].with_user(self.user_sales)
        self.assertEqual(Request.search([]), self.version.signature_request_id)
        self.version.contract_id.member_id.channel_region_manual_id = self.region_west
        self.assertFalse(Request.search([]))
        self.assertTrue(west)
