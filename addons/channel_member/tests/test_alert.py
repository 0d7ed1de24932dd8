from datetime import date

from odoo.tests import freeze_time, tagged

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestAlert(ChannelMemberCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.expiring = cls._channel_qualification(
            cls.hospital, issue_date=date(2021, 7, 1), expiry_date=date(2026, 6, 30)
        )

    def _run(self, day):
        with freeze_time(day), self.enter_registry_test_mode():
            self.env.ref("channel_member.ir_cron_qualification_expiry").method_direct_trigger()
        return self._open()

    def _open(self):
        alerts = self.env["channel.alert"].sudo().search([
            ("source", "=", "qualification"), ("res_id", "=", self.expiring.id), ("state", "!=", "resolved"),
        ])
        return {alert.key.partition(":")[2]: alert.severity for alert in alerts}

    def test_steps(self):
        for day, expected in (
            ("2025-12-31", {}),  # 181 days left
            ("2026-01-01", {"180": "info"}),
            ("2026-04-01", {"90": "warning"}),
            ("2026-05-01", {"60": "warning"}),
            ("2026-05-31", {"30": "critical"}),
            ("2026-06-30", {"30": "critical"}),
            ("2026-07-01", {"expired": "critical"}),
        ):
            with self.subTest(day=day):
                self.assertEqual(self._run(day), expected)

    def test_same_day_twice(self):
        self._run("2026-05-31")
        alerts = self.env["channel.alert"].sudo().search([("source", "=", "qualification")])
        self._run("2026-05-31")
        self.assertEqual(self.env["channel.alert"].sudo().search([("source", "=", "qualification")]), alerts)

    def test_cleared_by_renewal(self):
        """Verifying the renewal closes the alert at once."""
        self._run("2026-05-31")
        renewal = self._channel_qualification(
            self.hospital, verify=False, issue_date=date(2026, 7, 1), expiry_date=date(2031, 6, 30)
        )
        self.assertEqual(self._open(), {"30": "critical"})
        renewal.with_user(self.user_compliance).action_verify()
        self.assertEqual(self._open(), {})
        self.assertEqual(self._run("2026-06-01"), {})

    def test_renewal_with_gap_keeps_alarm(self):
        self._channel_qualification(self.hospital, issue_date=date(2026, 7, 2), expiry_date=date(2031, 6, 30))
        self.assertEqual(self._run("2026-05-31"), {"30": "critical"})

    def test_terminated_members_are_left_alone(self):
        self._run("2026-05-31")
        self.hospital.with_user(self.user_manager).action_channel_terminate(reason="closed")
        self.assertEqual(self._run("2026-06-01"), {})

    def test_renewal_window_in_calendar_days(self):
        self.licence_type.write({"renewal_window_days": 100, "renewal_deadline_days": 40})
        self.assertEqual(self.expiring._renewal_window(), (date(2026, 3, 22), date(2026, 5, 21)))
        # One open alert for each document: the last step reached, never milder than one before it.
        self.assertEqual(self._run("2026-03-21"), {"180": "info"})
        self.assertEqual(self._run("2026-03-22"), {"renewal": "warning"})
        self.assertEqual(self._run("2026-04-01"), {"90": "warning"})
        self.assertEqual(self._run("2026-05-01"), {"60": "warning"})
        self.assertEqual(self._run("2026-05-11"), {"renewal_last": "critical"})
        self.assertEqual(self._run("2026-05-21"), {"renewal_last": "critical"})
        self.assertEqual(self._run("2026-05-22"), {"renewal_over": "critical"})
        self.assertEqual(self._run("2026-05-31"), {"30": "critical"})

    def test_renewal_window_in_working_days(self):
        """The window of 54号令 art. 16: 90 to 30 working days before the expiry, public holidays not counted.

        By hand: 2026-06-30 is a Tuesday. Thirty weekdays before it end with Tuesday 2026-05-19 (six whole weeks);
        ninety with Tuesday 2026-02-24 (eighteen weeks). A public holiday in June moves both one weekday back.
        """
        self.licence_type.write({
            "renewal_window_days": 90, "renewal_deadline_days": 30, "renewal_day_kind": "working",
        })
        calendar = self.env["resource.calendar"].create({"name": "Five days", "tz": "Asia/Shanghai"})
        self.company.resource_calendar_id = calendar
        self.assertEqual(self.expiring._renewal_window(), (date(2026, 2, 24), date(2026, 5, 19)))
        self.env["resource.calendar.leaves"].create({
            "name": "Dragon Boat Festival", "calendar_id": calendar.id, "company_id": self.company.id,
            "date_from": "2026-06-18 16:00:00", "date_to": "2026-06-19 15:59:59",
        })
        self.assertEqual(self.expiring._renewal_window(), (date(2026, 2, 23), date(2026, 5, 18)))

    def test_region_owner(self):
        """The alert goes to who is in charge of the member's region."""
        self.region_east.user_ids = self.user_sales
        with freeze_time("2026-05-31"):
            self.env["channel.qualification"].sudo()._cron_alert_expiry()
        alert = self.env["channel.alert"].sudo().search(
            [("source", "=", "qualification"), ("res_id", "=", self.expiring.id)]
        )
        self.assertEqual(alert.user_id, self.user_sales)
        self.assertEqual(alert.region_id, self.region_city)
