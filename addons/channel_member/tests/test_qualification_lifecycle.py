from datetime import date

from psycopg2.errors import ExclusionViolation, UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestQualificationLifecycle(ChannelMemberCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.old = cls._channel_qualification(
            cls.hospital, number="H-1", issue_date=date(2021, 7, 1), expiry_date=date(2026, 6, 30)
        )
        cls.user_compliance_2 = new_test_user(
            cls.env, login="channel_compliance_2", groups="channel_base.group_channel_compliance",
            company_id=cls.company.id, company_ids=[(6, 0, cls.company.ids)],
        )

    def _draft(self, **values):
        return self._channel_qualification(self.hospital, verify=False, **{"number": "H-1", **values})

    def _renewal(self, **values):
        return self._draft(**{
            "previous_id": self.old.id, "issue_date": date(2026, 5, 1), "expiry_date": date(2031, 4, 30), **values,
        })

    def _in_force_days(self, documents, *days):
        return [documents._in_force(day) for day in days]

    def _entries(self, document):
        return self.env["channel.audit.entry"].sudo().search(
            [("model", "=", document._name), ("res_id", "=", document.id)], order="id"
        ).mapped("action")

    # === SUBMIT, VERIFY, RETURN === #

    def test_way_of_a_document(self):
        self.region_east.user_ids = self.user_sales
        draft = self._draft()
        self.assertEqual((draft.state, draft.status), ("draft", "draft"))
        draft.with_user(self.user_sales).action_submit()
        self.assertEqual((draft.state, draft.status), ("to_verify", "to_verify"))
        self.assertEqual(draft.activity_ids.user_id, self.user_sales, "who is in charge of the region")
        with self.assertRaisesRegex(UserError, "is not a draft"):
            draft.action_submit()
        draft.with_user(self.user_compliance).action_reject(reason="The stamp is missing")
        self.assertRecordValues(draft, [{
            "state": "draft", "return_reason": "The stamp is missing", "returned_by_id": self.user_compliance.id,
        }])
        self.assertFalse(draft.activity_ids)
        draft.action_submit()
        self.assertFalse(draft.return_reason)
        draft.with_user(self.user_compliance).action_verify()
        self.assertEqual((draft.state, draft.status, draft.is_evidence), ("verified", "valid", True))
        self.assertFalse(draft.activity_ids)
        self.assertEqual(self._entries(draft), ["qualification.returned", "qualification.verified"])

    def test_returned_documents_are_told_by_mail(self):
        self.hospital.write({"email": "h@example.com", "lang": "en_US"})
        draft = self._draft()
        draft.action_submit()
        draft.with_user(self.user_compliance).action_reject(reason="The stamp is missing")
        mail = self.env["mail.mail"].sudo().search([
            ("model", "=", draft._name), ("res_id", "=", draft.id), ("recipient_ids", "in", self.hospital.ids),
        ])
        self.assertEqual(mail.recipient_ids, self.hospital)
        self.assertIn("The stamp is missing", mail.body_html)

    def test_withdraw(self):
        draft = self._draft()
        draft.action_submit()
        with self.assertRaises(AccessError):
            draft.with_user(self.user_sales).action_withdraw()
        with self.assertRaisesRegex(UserError, "return it first"):
            draft.unlink()
        draft.action_withdraw()
        self.assertEqual(draft.state, "draft")
        draft.unlink()

    def test_everybody_who_had_a_hand_in_it_is_an_author(self):
        """A trifling change by somebody else does not make the first author free to verify."""
        draft = self.env["channel.qualification"].with_user(self.user_compliance).create({
            "partner_id": self.hospital.id, "type_id": self.licence_type.id, "number": "1",
            "issue_date": date(2026, 1, 1), "expiry_date": date(2030, 1, 1),
        })
        draft.with_user(self.user_compliance_2).write({"issuer": "Authority"})
        for user in (self.user_compliance, self.user_compliance_2):
            with self.assertRaisesRegex(UserError, "somebody else verifies"):
                draft.with_user(user).action_verify()
        draft.with_user(self.user_admin).action_verify()

    def test_decisions_need_compliance(self):
        for call in (
            lambda: self.old.with_user(self.user_manager).action_suspend(reason="x"),
            lambda: self.old.with_user(self.user_sales).action_revoke(reason="x"),
            lambda: self.old.with_user(self.user_manager).action_draft(reason="x"),
            lambda: self.old.with_user(self.user_sales).write({"replaced_on": date(2026, 1, 1)}),
            lambda: self.old.with_user(self.user_compliance).write({"is_evidence": False}),
            lambda: self.env["channel.qualification.suspension"].with_user(self.user_compliance).create({
                "qualification_id": self.old.id, "date_from": date(2026, 1, 1), "reason": "x",
                "suspended_by_id": self.user_compliance.id,
            }),
        ):
            with self.assertRaises(AccessError):
                call()

    def test_wizard_takes_the_date(self):
        action = self.old.with_user(self.user_compliance).action_suspend()
        wizard = self.env["channel.member.decision"].with_user(self.user_compliance).with_context(
            **action["context"]
        ).create({"reason": "Inspection", "date": date(2026, 3, 1)})
        self.assertTrue(wizard.dated)
        wizard.action_decide()
        self.assertEqual(self.old.suspension_ids.date_from, date(2026, 3, 1))

    # === SUSPENSION === #

    @freeze_time("2026-03-10 04:00:00")
    def test_suspension_is_dated(self):
        """The past keeps its answer, whatever is decided later."""
        self.old.with_user(self.user_compliance).action_suspend(reason="Inspection", date=date(2026, 3, 1))
        self.assertEqual((self.old.state, self.old.status), ("suspended", "suspended"))
        before, first, now = date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 10)
        self.assertEqual(
            self._in_force_days(self.old, before, first, now), [self.old, self.old.browse(), self.old.browse()]
        )
        with freeze_time("2026-03-20 04:00:00"):
            self.old.with_user(self.user_compliance).action_lift(reason="Nothing found")
            self.assertEqual((self.old.state, self.old.status), ("verified", "valid"))
            self.assertEqual(self.old.suspension_ids.lifted_on, date(2026, 3, 20))
            self.assertEqual(
                self._in_force_days(self.old, before, first, date(2026, 3, 19), date(2026, 3, 20)),
                [self.old, self.old.browse(), self.old.browse(), self.old],
            )
        self.assertEqual(
            self._entries(self.old), ["qualification.verified", "qualification.suspended", "qualification.lifted"]
        )

    @freeze_time("2026-03-10 04:00:00")
    def test_suspension_twice_and_never(self):
        compliance = self.old.with_user(self.user_compliance)
        compliance.action_suspend(reason="First", date=date(2026, 1, 1))
        with self.assertRaisesRegex(UserError, "is not Verified but Suspended"):
            compliance.action_suspend(reason="Again")
        compliance.action_lift(reason="ok", date=date(2026, 1, 10))
        # Overlapping rows are refused by the database, also where two people decide at the same time.
        with self.assertRaises(ExclusionViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            compliance.action_suspend(reason="Overlap", date=date(2026, 1, 9))
            self.env.flush_all()
        self.env.invalidate_all()
        # Announced for later and lifted before it began: it was never suspended.
        compliance.action_suspend(reason="Later", date=date(2026, 4, 1))
        self.assertEqual(self.old.state, "suspended")
        self.assertNotEqual(self.old.status, "suspended")
        compliance.action_lift(reason="Not needed")
        self.assertTrue(self.old._in_force(date(2026, 4, 2)))
        self.assertFalse(self.old._in_force(date(2026, 1, 5)))

    @freeze_time("2026-03-10 04:00:00")
    def test_suspended_licence_stops_the_gate(self):
        day = date(2026, 3, 10)
        self.assertNotIn("member_qualification", self._channel_codes(self.dealer, customer=self.hospital, day=day))
        self.licence.with_user(self.user_compliance).action_suspend(reason="Inspection")
        findings = self._channel_evaluate(self.dealer, customer=self.hospital, day=day)
        message = next(f["message"] for f in findings if f["code"] == "member_qualification")
        self.assertIn("is suspended on", message)
        self.assertNotIn(
            "member_qualification", self._channel_codes(self.dealer, customer=self.hospital, day=date(2026, 3, 9)),
            "documents from before the suspension are judged as they were",
        )

    def test_revoked_ends_the_suspension(self):
        compliance = self.old.with_user(self.user_compliance)
        compliance.action_suspend(reason="x", date=date(2026, 1, 1))
        with self.assertRaisesRegex(UserError, "but Suspended"):
            compliance.action_draft(reason="typing error")
        compliance.action_revoke(reason="y", date=date(2026, 2, 1))
        self.assertEqual(self.old.suspension_ids.lifted_on, date(2026, 2, 1))
        compliance.action_draft(reason="typing error")
        self.assertFalse(self.old._in_force(date(2025, 12, 31)))
        self.old.with_user(self.user_admin).action_verify()
        self.assertTrue(self.old._in_force(date(2025, 12, 31)))
        self.assertFalse(self.old._in_force(date(2026, 1, 15)), "the suspension stays where it was")

    # === VERSIONS === #

    def test_renewal_replaces_without_hole_or_double(self):
        renewal = self._renewal()
        both = self.old | renewal
        self.assertEqual((self.old.version, renewal.version), (1, 2))
        self.assertEqual(both._in_force(date(2026, 5, 1)), self.old, "not before it is verified")
        renewal.with_user(self.user_compliance).action_verify()
        self.assertRecordValues(self.old, [{"replaced_by_id": renewal.id, "replaced_on": date(2026, 5, 1)}])
        for day, expected in (
            (date(2026, 4, 30), self.old),
            (date(2026, 5, 1), renewal),
            (date(2026, 6, 30), renewal),
            (date(2031, 4, 30), renewal),
        ):
            self.assertEqual(both._in_force(day), expected, day)
        with freeze_time("2026-04-30 04:00:00"):
            both.invalidate_recordset()
            self.assertEqual(self.old.status, "expiring")
        with freeze_time("2026-05-01 14:00:00"):
            both.invalidate_recordset()
            self.assertEqual(self.old.status, "replaced")
            self.assertEqual(both.search([("id", "in", both.ids), ("status", "=", "replaced")]), self.old)
        third = self._draft(previous_id=renewal.id, issue_date=date(2031, 5, 1), expiry_date=date(2036, 4, 30))
        self.assertEqual(self.old._versions(), third | renewal | self.old)
        self.assertEqual(third._versions(), third | renewal | self.old)
        self.assertEqual(set(self.old.action_versions()["domain"][0][2]), set((both | third).ids))

    def test_renewal_set_back_gives_the_place_back(self):
        renewal = self._renewal()
        renewal.with_user(self.user_compliance).action_verify()
        renewal.with_user(self.user_compliance).action_draft(reason="wrong date")
        self.assertRecordValues(self.old, [{"replaced_by_id": False, "replaced_on": False}])
        self.assertEqual((self.old | renewal)._in_force(date(2026, 6, 1)), self.old)
        renewal.issue_date = date(2026, 6, 1)
        renewal.with_user(self.user_compliance).action_verify()
        self.assertEqual(self.old.replaced_on, date(2026, 6, 1))

    def test_revoked_renewal_does_not_bring_the_old_one_back(self):
        renewal = self._renewal()
        renewal.with_user(self.user_compliance).action_verify()
        renewal.with_user(self.user_compliance).action_revoke(reason="x", date=date(2026, 5, 10))
        both = self.old | renewal
        self.assertEqual(both._in_force(date(2026, 5, 9)), renewal)
        self.assertFalse(both._in_force(date(2026, 5, 10)))

    def test_order_of_verification_does_not_matter(self):
        """The document before may be verified after its renewal: entered together, decided in any order."""
        first = self._draft(issue_date=date(2020, 1, 1), expiry_date=date(2025, 12, 31))
        second = self._draft(previous_id=first.id, issue_date=date(2025, 6, 1), expiry_date=date(2030, 5, 31))
        second.with_user(self.user_compliance).action_verify()
        first.with_user(self.user_compliance).action_verify()
        self.assertEqual((first | second)._in_force(date(2025, 6, 1)), second)

    def test_one_renewal_only(self):
        first, second = self._renewal(), self._renewal(number="H-2")
        first.with_user(self.user_compliance).action_verify()
        with self.assertRaisesRegex(UserError, "has been renewed by"):
            second.with_user(self.user_compliance).action_verify()
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self.env.cr.execute("UPDATE channel_qualification SET state = 'verified' WHERE id = %s", [second.id])

    def test_previous_is_of_the_same_member_and_type(self):
        with self.assertRaisesRegex(ValidationError, "of the same member and type"):
            self._channel_qualification(self.dealer, verify=False, previous_id=self.old.id)
        with self.assertRaisesRegex(ValidationError, "before .* that it renews"):
            self._renewal(issue_date=date(2021, 6, 30))
        renewal = self._renewal()
        with self.assertRaisesRegex(ValidationError, "cannot renew itself"), self.env.cr.savepoint():
            renewal.previous_id = renewal
        renewal.with_user(self.user_compliance).action_verify()
        with self.assertRaisesRegex(UserError, "does not change"):
            renewal.previous_id = False

    def test_renew_button_links_and_brings_no_file(self):
        renewal = self.old.browse(self.old.action_renew()["res_id"])
        self.assertRecordValues(renewal, [{
            "previous_id": self.old.id, "issue_date": date(2026, 7, 1), "version": 2, "document": False,
            "document_name": False, "state": "draft",
        }])

    # === MIDNIGHT === #

    def test_last_day_ends_at_midnight_of_the_company(self):
        """Shanghai is eight hours ahead: its 30 June ends at 16:00 UTC, its 1 July begins there."""
        self.company.partner_id.tz = "Asia/Shanghai"
        found = {}
        for moment in (
            "2026-06-29 15:59:00",  # 23:59 of the 29th
            "2026-06-30 00:00:00",  # 08:00 of the 30th
            "2026-06-30 15:59:00",  # 23:59 of the last day
            "2026-06-30 16:00:00",  # 00:00 of the day after, still the 30th in UTC
            "2026-07-01 00:00:00",
        ):
            # The users' own time zones have no say.
            for tz in ("America/Los_Angeles", "Pacific/Auckland"):
                with freeze_time(moment):
                    document = self.old.with_context(tz=tz)
                    document.invalidate_recordset(["status", "days_left"])
                    found[moment] = document.status, document.days_left
                    self.assertEqual(
                        document.search([("id", "=", document.id), ("status", "=", document.status)]), document
                    )
        self.assertEqual(found, {
            "2026-06-29 15:59:00": ("expiring", 1),
            "2026-06-30 00:00:00": ("expiring", 0),
            "2026-06-30 15:59:00": ("expiring", 0),
            "2026-06-30 16:00:00": ("expired", -1),
            "2026-07-01 00:00:00": ("expired", -1),
        })

    def test_each_company_has_its_own_midnight(self):
        """A member of another company is judged by the other one's midnight; a shared one by the current one's."""
        west = self.env["res.company"].create({"name": "West Coast"})
        west.partner_id.tz = "America/Los_Angeles"
        self.user_compliance.company_ids += west
        self.company.partner_id.tz = "Asia/Shanghai"
        member = self.env["res.partner"].create({
            "name": "Western Hospital", "is_company": True, "channel_role": "hospital", "company_id": west.id,
            "country_id": self.env.ref("base.nz").id,
        })
        theirs = self._channel_qualification(
            member, issue_date=date(2021, 7, 1), expiry_date=date(2026, 6, 30)
        )
        both = theirs | self.old
        with freeze_time("2026-06-30 20:00:00"):  # noon in Los Angeles, past midnight in Shanghai
            both.invalidate_recordset(["status"])
            self.assertEqual(theirs.status, "expiring")
            self.assertEqual(self.old.status, "expired")
            self.assertEqual(both.search([("id", "in", both.ids), ("status", "=", "expired")]), self.old)
            self.assertEqual(self.old.with_company(west).status, "expiring")

    def test_status_search_agrees_with_the_field(self):
        """Every document has exactly one status, and the search finds it by that one."""
        compliance = self.user_compliance
        self._draft().action_submit()
        self._draft()
        for index, (start, end) in enumerate((
            (date(2020, 1, 1), False), (date(2020, 1, 1), date(2026, 7, 1)), (date(2020, 1, 1), date(2026, 5, 31)),
        )):
            for action in ("none", "suspend", "revoke", "renew"):
                document = self._channel_qualification(
                    self.hospital, number=f"S-{index}-{action}", issue_date=start, expiry_date=end
                )
                if action == "suspend":
                    document.with_user(compliance).action_suspend(reason="x", date=date(2026, 5, 20))
                elif action == "revoke":
                    document.with_user(compliance).action_revoke(reason="x", date=date(2026, 5, 20))
                elif action == "renew":
                    self._draft(
                        previous_id=document.id, issue_date=date(2026, 5, 20), expiry_date=date(2031, 5, 20)
                    ).with_user(compliance).action_verify()
        with freeze_time("2026-06-01 04:00:00"):
            Qualification = self.env["channel.qualification"]
            everything = Qualification.search([("partner_id", "=", self.hospital.id)])
            everything.invalidate_recordset(["status"])
            statuses = [key for key, _label in Qualification._fields["status"].selection]
            for status in statuses:
                found = Qualification.search([("partner_id", "=", self.hospital.id), ("status", "=", status)])
                self.assertEqual(found, everything.filtered(lambda q, status=status: q.status == status), status)
                self.assertTrue(found, status)
                rest = Qualification.search([("partner_id", "=", self.hospital.id), ("status", "!=", status)])
                self.assertEqual(rest, everything - found, status)
