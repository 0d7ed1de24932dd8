from datetime import date

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestQualification(ChannelMemberCommon):
    def test_author_does_not_verify(self):
        """Who entered or last changed a document has somebody else verify it, whatever the position."""
        draft = self._channel_qualification(self.dealer, verify=False)
        with self.assertRaises(AccessError):
            draft.with_user(self.user_manager).action_verify()
        draft.with_user(self.user_compliance).write({"issuer": "Authority"})
        with self.assertRaisesRegex(UserError, "somebody else verifies"):
            draft.with_user(self.user_compliance).action_verify()
        draft.with_user(self.user_admin).action_verify()
        self.assertRecordValues(draft, [{
            "state": "verified", "verified_by_id": self.user_admin.id, "submitted_by_id": self.user_compliance.id,
        }])
        entry = self.env["channel.audit.entry"].sudo().search(
            [("model", "=", draft._name), ("res_id", "=", draft.id)], limit=1
        )
        self.assertEqual((entry.action, entry.user_id), ("qualification.verified", self.user_admin))
        self.assertIn(draft.number, entry.after)

    def test_state_is_not_written(self):
        draft = self._channel_qualification(self.dealer, verify=False)
        for user in (self.user_sales, self.user_compliance, self.user_admin):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    draft.with_user(user).write({"state": "verified"})
                with self.assertRaises(AccessError):
                    draft.with_user(user).write({"submitted_by_id": self.user_sales.id})
                with self.assertRaises(AccessError):
                    draft.with_user(user).copy({"state": "verified"})
                sly = draft.with_user(user).with_context(default_state="verified").copy()
                self.assertEqual(sly.state, "draft")

    def test_verified_does_not_change(self):
        changes = (
            {"number": "2"}, {"expiry_date": date(2100, 1, 1)}, {"scope_ids": [Command.clear()]}, {"scope_text": "x"},
        )
        for values in changes:
            with self.subTest(values=values), self.assertRaisesRegex(UserError, "does not change"):
                self.licence.write(values)
        self.licence.note = "a remark is no term"
        with self.assertRaisesRegex(UserError, "kept as evidence"):
            self.licence.unlink()

    def test_number_is_checked_when_verified(self):
        draft = self._channel_qualification(
            self.dealer, verify=False, type_id=self.env.ref("channel_member.qualification_type_gln").id,
            number="7300010000002",
        )
        with self.assertRaisesRegex(ValidationError, "check digit"), self.env.cr.savepoint():
            draft.with_user(self.user_compliance).action_verify()
        draft.number = "7300010000001"
        draft.with_user(self.user_compliance).action_verify()
        self.assertEqual(draft.state, "verified")

    def test_only_members(self):
        with self.assertRaisesRegex(ValidationError, "not a member"):
            self._channel_qualification(self.env["res.partner"].create({"name": "Stranger"}), verify=False)

    def test_scope_is_of_the_types_catalogue(self):
        self.licence_type.scope_scheme = "other, third"
        with self.assertRaisesRegex(ValidationError, "written in catalogue other, third"):
            self._channel_qualification(
                self.dealer, verify=False, scope_ids=self._channel_scope(self.device_category)
            )
        self.licence_type.scope_scheme = "other,test"
        self._channel_qualification(
            self.dealer, verify=False, scope_ids=self._channel_scope(self.device_category)
        )
        with self.assertRaisesRegex(ValidationError, "no scope of business"):
            self._channel_qualification(
                self.dealer, verify=False, type_id=self.env.ref("channel_member.qualification_type_gln").id,
                scope_ids=self._channel_scope(self.device_category),
            )

    def test_dates(self):
        with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"):
            self._channel_qualification(
                self.dealer, verify=False, issue_date=date(2026, 1, 2), expiry_date=date(2026, 1, 1)
            )

    def test_expiry_is_proposed(self):
        self.licence_type.validity_months = 60
        draft = self.env["channel.qualification"].create({
            "partner_id": self.dealer.id,
            "type_id": self.licence_type.id,
            "number": "1",
            "issue_date": date(2026, 3, 1),
        })
        self.assertEqual(draft.expiry_date, date(2031, 2, 28))

    def test_in_force(self):
        first = self._channel_qualification(self.dealer, issue_date=date(2024, 1, 1), expiry_date=date(2024, 12, 31))
        second = self._channel_qualification(self.dealer, issue_date=date(2025, 1, 1), expiry_date=False)
        draft = self._channel_qualification(self.dealer, verify=False)
        documents = first | second | draft
        self.assertEqual(documents._in_force(date(2024, 12, 31)), first)
        self.assertEqual(documents._in_force(date(2025, 1, 1)), second)
        self.assertFalse(documents._in_force(date(2023, 12, 31)))

    @freeze_time("2026-06-01")
    def test_status(self):
        today = date(2026, 6, 1)
        cases = {
            "valid": {"expiry_date": date(2026, 8, 31)},
            "expiring": {"expiry_date": date(2026, 8, 30)},
            "expired": {"expiry_date": date(2026, 5, 31)},
        }
        documents = {}
        for status, values in cases.items():
            documents[status] = self._channel_qualification(self.dealer, **values)
        documents["expiring"] |= self._channel_qualification(self.dealer, expiry_date=today)
        documents["valid"] |= self._channel_qualification(self.dealer, expiry_date=False)
        documents["draft"] = self._channel_qualification(self.dealer, verify=False, expiry_date=date(2026, 5, 31))
        documents["revoked"] = self._channel_qualification(self.dealer)
        documents["revoked"].with_user(self.user_compliance).action_revoke(reason="x")
        everything = self.env["channel.qualification"].union(*documents.values())
        for status, records in documents.items():
            self.assertEqual(set(records.mapped("status")), {status})
            self.assertEqual(
                everything.search([("status", "=", status), ("id", "in", everything.ids)]),
                everything.search([("id", "in", records.ids)]),
            )
        self.assertEqual(
            everything.search_count([("status", "not in", ("draft", "revoked")), ("id", "in", everything.ids)]), 5
        )

    def test_renew(self):
        licence = self._channel_qualification(self.dealer, issue_date=date(2024, 1, 1), expiry_date=date(2026, 6, 30))
        self.assertTrue(licence.renewed, "the licence of the test data lasts longer")
        action = self.licence.action_renew()
        renewal = self.env["channel.qualification"].browse(action["res_id"])
        self.assertRecordValues(renewal, [{
            "issue_date": date(2100, 1, 1), "number": self.licence.number, "state": "draft",
            "partner_id": self.dealer.id, "type_id": self.licence_type.id,
        }])
        self.assertFalse(self.licence.renewed)

    def test_shape_of_gaps(self):
        """One query, whatever the number of questions."""
        Qualification = self.env["channel.qualification"]

        def count(asks):
            self.env.flush_all()
            start = self.env.cr.sql_log_count
            gaps = Qualification._gaps(asks)
            self.assertTrue(gaps)
            return self.env.cr.sql_log_count - start

        def asks(number):
            return [
                (partner.id, date(2100 + index % 3, 1, 1 + index % 28), ("II", "III")[index % 2])
                for index in range(number)
                for partner in (self.dealer, self.other_dealer)
            ]

        self.assertEqual(count(asks(5)), 1)
        self.assertEqual(count(asks(500)), 1)
