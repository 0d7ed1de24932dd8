import base64
from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestQualificationRetention(ChannelMemberCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.partner_id.tz = "Asia/Shanghai"
        cls.licence_type.write({"retention_law": "Test Act, art. 38"})
        cls.document = cls._channel_qualification(
            cls.hospital, number="H-1", issue_date=date(2021, 7, 1), expiry_date=date(2026, 6, 30),
            document=base64.b64encode(b"%PDF-1.4 first"), document_name="first.pdf",
        )
        cls.file = cls.env["ir.attachment"].sudo().search(
            [
                ("res_model", "=", "channel.qualification"), ("res_id", "=", cls.document.id),
                ("res_field", "=", "document"),
            ]
        )

    def _refused(self, call, message="kept as evidence until 06/30/2028 .Test Act, art. 38."):
        with self.assertRaisesRegex(UserError, message), self.env.cr.savepoint():
            call()

    def test_until(self):
        """Two years after the expiry; five after the entry without one; never with the rule for implants."""
        self.assertEqual(self.document.retention_until, date(2028, 6, 30))
        with freeze_time("2026-01-15 04:00:00"):
            endless = self._channel_qualification(self.hospital, number="H-2", expiry_date=False)
        entered = endless.create_date.date()
        self.assertEqual(endless.retention_until, entered.replace(year=entered.year + 5))
        endless.with_user(self.user_compliance).action_revoke(reason="x", date=date(2040, 1, 1))
        self.assertEqual(endless.retention_until, date(2045, 1, 1))
        self.licence_type.retention_years = 3
        self.assertEqual(self.document.retention_until, date(2029, 6, 30))
        self.licence_type.retention_forever = True
        self.assertFalse(self.document.retention_until)

    def test_refused_until_the_last_minute(self):
        """30 June 2028 ends in Shanghai at 16:00 UTC."""
        compliance = self.document.with_user(self.user_compliance)
        for moment in ("2026-06-01 00:00:00", "2028-06-30 15:59:00"):
            with freeze_time(moment):
                self._refused(compliance.unlink)
                self._refused(compliance.action_archive)
                self._refused(lambda: compliance.sudo().write({"active": False}))
                self._refused(self.file.unlink)
        with freeze_time("2028-06-30 16:00:00"):
            compliance.action_archive()
            self.assertFalse(self.document.active)
            self.assertTrue(self.document._in_force(date(2026, 1, 1)), "archived, but the past stays")
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.document.with_user(self.user_sales).unlink()
            document_id = self.document.id
            compliance.unlink()
            self.assertFalse(self.file.exists())
            entry = self.env["channel.audit.entry"].sudo().search(
                [("model", "=", "channel.qualification"), ("res_id", "=", document_id)], limit=1
            )
            self.assertEqual(entry.action, "qualification.deleted")
            self.assertIn("H-1", entry.before)

    def test_for_ever(self):
        self.licence_type.retention_forever = True
        with freeze_time("2099-01-01"):
            self._refused(self.document.with_user(self.user_compliance).unlink, "for ever .Test Act")

    def test_in_force_is_never_let_go(self):
        self.licence_type.retention_years_no_expiry = 0
        endless = self._channel_qualification(self.hospital, number="H-2", expiry_date=False)
        with freeze_time("2060-01-01"):
            self._refused(endless.with_user(self.user_compliance).unlink, "is in force")

    def test_set_back_to_draft_is_still_evidence(self):
        """Otherwise the way to delete a verified document would be Back to Draft."""
        self.document.with_user(self.user_compliance).action_draft(reason="typing error")
        with freeze_time("2026-06-01"):
            self._refused(self.document.with_user(self.user_sales).unlink)
            self._refused(lambda: self.document.write({"document": False}))

    def test_drafts_are_nobodys_evidence(self):
        draft = self._channel_qualification(
            self.hospital, verify=False, document=base64.b64encode(b"%PDF-1.4 draft"), document_name="draft.pdf"
        )
        draft.document = base64.b64encode(b"%PDF-1.4 better")
        draft.action_archive()
        draft.with_user(self.user_sales).unlink()
        self.assertFalse(draft.exists())

    def test_file_is_not_exchanged_behind_the_documents_back(self):
        for vals in (
            {"raw": b"%PDF-1.4 forged"},
            {"datas": base64.b64encode(b"%PDF-1.4 forged")},
            {"res_id": self.licence.id},
            {"res_model": False},
            {"res_field": False},
        ):
            with self.subTest(vals=vals), self.assertRaisesRegex(UserError, "it does not change"):
                self.file.write(vals)
        # The same content may move to another storage, and what is no content may change.
        self.file.write({"raw": b"%PDF-1.4 first", "description": "scanned"})
        posted = self.env["ir.attachment"].create({
            "name": "letter.pdf", "raw": b"x", "res_model": "channel.qualification", "res_id": self.document.id,
        })
        with freeze_time("2026-06-01"):
            self._refused(posted.unlink)

    def test_every_file_is_kept(self):
        """A correction gets another file; what it held when it was verified stays attached to it."""
        self.document.with_user(self.user_compliance).action_draft(reason="wrong page")
        self.document.with_user(self.user_sales).write({
            "document": base64.b64encode(b"%PDF-1.4 second"), "document_name": "second.pdf",
        })
        kept = self.env["ir.attachment"].sudo().search([
            ("res_model", "=", "channel.qualification"), ("res_id", "=", self.document.id), ("res_field", "=", False),
        ])
        self.assertEqual((kept.name, kept.raw), ("first.pdf", b"%PDF-1.4 first"))
        self.assertEqual(base64.b64decode(self.document.document), b"%PDF-1.4 second")
