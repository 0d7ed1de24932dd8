import json
from datetime import date

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestQualificationWarning(ChannelMemberCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.partner_id.tz = "UTC"
        cls.hospital.write({"email": "hospital@example.com", "lang": "en_US"})
        cls.region_east.user_ids = cls.user_sales
        cls.user_sales.write({"email": "sales@example.com"})
        cls.expiring = cls._channel_qualification(
            cls.hospital, number="H-1", issue_date=date(2021, 7, 1), expiry_date=date(2026, 6, 30)
        )

    def _run(self, day):
        with freeze_time(f"{day} 04:00:00"):
            return self.env["channel.qualification"].with_company(self.company).sudo()._cron_alert_expiry()[
                self.company.id
            ]

    def _warnings(self, document=None):
        rows = self.env["channel.qualification.warning"].search(
            [("qualification_id", "=", (document or self.expiring).id)], order="due_date, id"
        )
        return [(row.step, row.result) for row in rows]

    def _mails(self, document=None):
        return self.env["mail.mail"].sudo().search([
            ("model", "=", "channel.qualification"), ("res_id", "=", (document or self.expiring).id),
        ])

    def test_each_step_once(self):
        """Alert, activity, mail to the member and mail to the owner; nothing on the other days."""
        sent = {}
        for day in (
            "2025-12-31", "2026-01-01", "2026-01-02", "2026-04-01", "2026-04-02", "2026-05-01", "2026-05-31",
            "2026-06-01", "2026-06-30", "2026-07-01", "2026-07-02", "2026-12-31",
        ):
            counts = self._run(day)
            if counts["sent"]:
                sent[day] = next(iter(counts["sent"]))
                self.assertEqual((counts["mails_to_members"], counts["mails_to_owners"]), (1, 1), day)
            else:
                self.assertEqual((counts["mails_to_members"], counts["mails_to_owners"]), (0, 0), day)
        self.assertEqual(sent, {
            "2026-01-01": "180", "2026-04-01": "90", "2026-05-01": "60", "2026-05-31": "30", "2026-07-01": "expired",
        })
        self.assertEqual(self._warnings(), [(step, "sent") for step in ("180", "90", "60", "30", "expired")])
        mails = self._mails()
        self.assertEqual(len(mails), 10)
        for partner in (self.hospital, self.user_sales.partner_id):
            self.assertEqual(len(mails.filtered(lambda mail, to=partner: mail.recipient_ids == to)), 5)
        alerts = self.env["channel.alert"].sudo().search(
            [("source", "=", "qualification"), ("res_id", "=", self.expiring.id)]
        )
        self.assertEqual(len(alerts), 5)
        self.assertEqual(alerts.user_id, self.user_sales)
        standing = alerts.filtered(lambda alert: alert.state != "resolved")
        self.assertEqual(standing.mapped("key"), [f"{self.expiring.id}:expired"])
        self.assertEqual(alerts.activity_ids.user_id, self.user_sales)
        self.assertEqual(len(alerts.activity_ids), 1, "the activities of the steps before are closed")

    def test_twice_a_night(self):
        first = self._run("2026-05-31")
        self.assertEqual(first["sent"], {"30": 1})
        mails = self._mails()
        again = self._run("2026-05-31")
        self.assertEqual((again["sent"], again["skipped"]), ({}, 0))
        self.assertEqual(self._mails(), mails)
        # Whoever closed the alert has taken note: the same step is not said again.
        self.env["channel.alert"].sudo().search([("res_id", "=", self.expiring.id)]).action_resolve("known")
        self.assertEqual(self._run("2026-06-01")["sent"], {})

    def test_after_a_gap_only_the_most_urgent(self):
        """The job did not run for half a year: one warning, the others are marked."""
        counts = self._run("2026-06-10")
        self.assertEqual((counts["sent"], counts["skipped"]), ({"30": 1}, 3))
        self.assertEqual(
            self._warnings(), [("180", "skipped"), ("90", "skipped"), ("60", "skipped"), ("30", "sent")]
        )
        self.assertEqual(len(self._mails()), 2)
        self.assertEqual(self._run("2026-06-11")["skipped"], 0)

    def test_a_row_for_each_step_by_the_database(self):
        self._run("2026-05-31")
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self.env["channel.qualification.warning"].sudo().create({
                "qualification_id": self.expiring.id, "step": "30", "due_date": date(2026, 5, 31),
                "expiry_date": date(2026, 6, 30), "result": "sent",
            })
            self.env.flush_all()

    def test_corrected_expiry_warns_again(self):
        self._run("2026-05-31")
        self.expiring.with_user(self.user_compliance).action_draft(reason="misread")
        self.expiring.expiry_date = date(2026, 12, 31)
        self.expiring.with_user(self.user_compliance).action_verify()
        self.assertEqual(self._run("2026-06-01")["cleared"], 1)
        self.assertEqual(self._run("2026-07-04")["sent"], {"180": 1})

    def test_wider_window_says_nothing_twice(self):
        """A step that lies before what was announced already is passed over."""
        self._run("2026-04-01")
        self.licence_type.write({"renewal_window_days": 120, "renewal_deadline_days": 20})
        counts = self._run("2026-04-02")
        self.assertEqual((counts["sent"], counts["skipped"]), ({}, 1))

    def test_renewal_ends_the_warnings(self):
        self._run("2026-05-31")
        renewal = self._channel_qualification(
            self.hospital, number="H-1", previous_id=self.expiring.id, issue_date=date(2026, 6, 5),
            expiry_date=date(2031, 6, 4),
        )
        alert = self.env["channel.alert"].sudo().search([("key", "=", f"{self.expiring.id}:30")])
        self.assertEqual(alert.state, "resolved")
        counts = self._run("2026-07-01")
        self.assertEqual((counts["sent"], counts["documents"]), ({}, 0))
        self.assertFalse(self._warnings(renewal))

    def test_history_is_left_in_peace(self):
        """An old document that expired, with a gap, before the one that is in force."""
        old = self._channel_qualification(self.dealer, issue_date=date(2010, 1, 1), expiry_date=date(2015, 1, 1))
        self._run("2026-03-01")
        self.assertFalse(self._warnings(old))

    def test_suspended_documents_expire_too(self):
        self.expiring.with_user(self.user_compliance).action_suspend(reason="x", date=date(2026, 5, 1))
        self.assertEqual(self._run("2026-05-31")["sent"], {"30": 1})

    def test_renewal_window(self):
        """Opening and last days, in calendar days; said once each."""
        self.licence_type.write({"renewal_window_days": 170, "renewal_deadline_days": 100})
        self.assertEqual(
            (self.expiring.renewal_opens, self.expiring.renewal_closes), (date(2026, 1, 11), date(2026, 3, 22))
        )
        self.assertEqual(self._run("2026-01-11")["sent"], {"renewal": 1})
        self.assertEqual(self._run("2026-03-11")["sent"], {})
        self.assertEqual(self._run("2026-03-12")["sent"], {"renewal_last": 1})
        self.assertEqual(self._run("2026-03-23")["sent"], {"renewal_over": 1})

    def test_member_without_address(self):
        self.hospital.email = False
        counts = self._run("2026-05-31")
        self.assertEqual((counts["mails_to_members"], counts["members_without_address"]), (0, 1))
        self.assertIn("no e-mail address", self._mails().body_html)
        contact = self.env["res.partner"].create(
            {"name": "Pharmacist", "parent_id": self.hospital.id, "email": "p@example.com"}
        )
        self.assertEqual(self.expiring.notified_partner_ids, contact)

    def test_language_of_the_member(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        template = self.env.ref("channel_member.mail_template_qualification_expiry")
        template.with_context(lang="zh_CN").subject = "{{ object.number }} 即将到期"
        self.hospital.lang = "zh_CN"
        self._run("2026-05-31")
        to_member = self._mails().filtered(lambda mail: mail.recipient_ids == self.hospital)
        self.assertEqual(to_member.subject, "H-1 即将到期")

    def test_owner(self):
        """Who is in charge of the region, else the member's salesperson, else who the company names."""
        self.assertEqual(self.expiring.responsible_user_id, self.user_sales)
        self.region_east.user_ids = False
        self.hospital.user_id = self.user_manager
        self.expiring.invalidate_recordset(["responsible_user_id"])
        self.assertEqual(self.expiring.responsible_user_id, self.user_manager)
        self.hospital.user_id = False
        self.company.channel_alert_user_id = self.user_admin
        self.expiring.invalidate_recordset(["responsible_user_id"])
        self.assertEqual(self.expiring.responsible_user_id, self.user_admin)

    def test_auditor_sees_what_was_done(self):
        counts = self._run("2026-05-31")
        entry = self.env["channel.audit.entry"].with_user(self.user_auditor).search(
            [("action", "=", "qualification.expiry_job"), ("res_id", "=", self.company.id)], limit=1
        )
        self.assertEqual(entry.company_id, self.company)
        self.assertEqual(json.loads(entry.after), counts)
        self.assertEqual(counts["date"], "2026-05-31")
        self.assertEqual(len(self.env["channel.qualification.warning"].with_user(self.user_auditor).search([
            ("qualification_id", "=", self.expiring.id)
        ])), 4)
        with self.assertRaises(AccessError):
            self.env["channel.qualification.warning"].with_user(self.user_admin).search([]).unlink()

    def test_companies_apart(self):
        """Each company's documents by its own day, and one entry of the journal for each."""
        west = self.env["res.company"].create({"name": "West Coast"})
        west.partner_id.tz = "America/Los_Angeles"
        self.user_compliance.company_ids += west
        member = self.env["res.partner"].create({
            "name": "Western Hospital", "is_company": True, "channel_role": "hospital", "company_id": west.id,
            "country_id": self.env.ref("base.nz").id,
        })
        member.action_channel_activate()
        theirs = self._channel_qualification(member, issue_date=date(2021, 7, 1), expiry_date=date(2026, 6, 30))
        self._run("2026-05-31")  # 04:00 UTC: still the 30th on the west coast
        self.assertEqual(self._warnings()[-1], ("30", "sent"))
        self.assertEqual(self._warnings(theirs)[-1], ("60", "sent"))
        alert = self.env["channel.alert"].sudo().search([("res_id", "=", theirs.id), ("source", "=", "qualification")])
        self.assertEqual(alert.company_id, west)

    def test_shape(self):
        """What is read does not grow with the documents; what is written does, in batches."""
        def due(number):
            with freeze_time("2026-05-31 04:00:00"):
                documents = self.env["channel.qualification"].union(*(
                    self._channel_qualification(
                        self.hospital, number=f"N-{index}", issue_date=date(2021, 7, 1), expiry_date=date(2026, 6, 30)
                    )
                    for index in range(number)
                ))
                Warnings = self.env["channel.qualification.warning"].sudo()
                self.env.flush_all()
                self.env.invalidate_all()
                start = self.env.cr.sql_log_count
                candidates = Warnings._candidates(self.company, True, date(2026, 5, 31))
                steps = Warnings._due_steps(candidates, date(2026, 5, 31))
                self.assertLessEqual(set(documents.ids), {vals["qualification_id"] for vals in steps})
                return self.env.cr.sql_log_count - start

        few = due(3)
        self.assertLessEqual(due(60), few + 3)
