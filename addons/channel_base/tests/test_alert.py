from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ChannelCommon


@tagged("post_install", "-at_install")
class TestAlert(ChannelCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Alert = cls.env["channel.alert"]
        cls.env["channel.alert.escalation"].search([]).active = False

    def _raise(self, key="licence-1", **values):
        return self.Alert._raise_alerts("test", [{"key": key, "name": "Licence expires", **values}])

    def test_raise_refresh_resolve_reopen(self):
        with freeze_time("2026-03-01 08:00:00"):
            alert = self._raise(record=self.dealer, user=self.user_compliance)
        self.assertRecordValues(
            alert,
            [
                {
                    "state": "open",
                    "severity": "warning",
                    "count": 1,
                    "res_name": self.dealer.display_name,
                    "company_id": self.company.id,
                    "user_id": self.user_compliance.id,
                }
            ],
        )
        with freeze_time("2026-03-02 08:00:00"):
            again = self._raise(record=self.dealer, severity="critical", note="More")
        self.assertEqual(again, alert)
        self.assertEqual((alert.count, alert.severity, alert.note), (2, "critical", "More"))
        self.assertEqual(alert.user_id, self.user_compliance)
        self.assertEqual(
            (alert.first_seen, alert.last_seen),
            (
                fields.Datetime.to_datetime("2026-03-01 08:00:00"),
                fields.Datetime.to_datetime("2026-03-02 08:00:00"),
            ),
        )
        self.Alert._clear_alerts("other", ["licence-1"])
        self.assertEqual(alert.state, "open")
        self.Alert._clear_alerts("test", ["licence-1"])
        self.assertEqual(alert.state, "resolved")
        new = self._raise(record=self.dealer)
        self.assertNotEqual(new, alert)
        self.assertEqual(new.count, 1)

    def test_order_of_the_result(self):
        first = self._raise("b")
        alerts = self.Alert._raise_alerts(
            "test",
            [
                {"key": "a", "name": "A"},
                {"key": "b", "name": "B"},
                {"key": "c", "name": "C"},
            ],
        )
        self.assertEqual(alerts.mapped("key"), ["a", "b", "c"])
        self.assertEqual(alerts[1], first)

    @mute_logger("odoo.sql_db")
    def test_one_open_alert_in_the_database(self):
        alert = self._raise()
        with self.assertRaises(UniqueViolation), self.env.cr.savepoint():
            alert.copy({"key": "licence-1"})
        # without a company too
        values = {"source": "test", "key": "global", "name": "Global"}
        self.Alert.sudo().create(values)
        with self.assertRaises(UniqueViolation), self.env.cr.savepoint():
            self.Alert.sudo().create(values)

    @mute_logger("odoo.sql_db")
    def test_concurrent_raise_is_retried(self):
        """An alert that somebody else raised meanwhile, which our snapshot does not show, asks for a retry."""
        self._raise()
        with (
            patch.object(type(self.Alert), "search", lambda self, *args, **kw: self.browse()),
            self.assertRaises(ConcurrencyError),
        ):
            self._raise()

    def test_owner(self):
        in_charge = self._raise("1", region=self.region_city)
        self.assertEqual(in_charge.user_id, self.user_sales)
        self.company.channel_alert_user_id = self.user_compliance
        self.assertEqual(
            self._raise("2", region=self.region_west).user_id,
            self.region_west._people_in_charge()[:1] or self.user_compliance,
        )
        self.assertEqual(self._raise("3").user_id, self.user_compliance)
        self.company.channel_alert_user_id = False
        manager = self._raise("4").user_id
        self.assertTrue(manager.has_group("channel_base.group_channel_manager"))

    def test_owner_with_companies_that_the_user_has_not(self):
        other = self.env["res.company"].create({"name": "Other company of the person in charge"})
        self.user_sales.company_ids |= other
        self.env.flush_all()
        self.env.invalidate_all()
        alerts = self.Alert.with_user(self.user_manager)
        region = self.region_city.with_user(self.user_manager)
        alert = alerts._raise_alerts("test", [
            {"key": "foreign", "name": "Foreign", "region": region, "company": self.company},
        ])
        self.assertEqual(alert.sudo().user_id, self.user_sales)

    def test_activity_follows_owner_and_state(self):
        alert = self._raise(user=self.user_sales)
        activity = alert.activity_ids
        self.assertEqual(activity.user_id, self.user_sales)
        self.assertEqual(
            activity.activity_type_id,
            self.env.ref("channel_base.mail_activity_type_alert"),
        )
        self._raise(user=self.user_sales)
        self.assertEqual(alert.activity_ids, activity)
        alert.with_user(self.user_manager).write({"user_id": self.user_compliance.id})
        self.assertEqual(alert.activity_ids.user_id, self.user_compliance)
        todo = alert.activity_schedule("mail.mail_activity_data_todo", user_id=self.user_sales.id)
        self.Alert._clear_alerts("test", ["licence-1"])
        self.assertEqual(alert.activity_ids, todo, "other activities stay")

    def test_acknowledge_and_resolve(self):
        alert = self._raise(user=self.user_compliance)
        own = alert.with_user(self.user_compliance)
        own.action_acknowledge()
        self.assertEqual(alert.state, "acknowledged")
        self.assertEqual(alert.acknowledged_by_id, self.user_compliance)
        self.assertTrue(alert.acknowledged_at)
        own.action_resolve("Renewed")
        self.assertEqual(alert.state, "resolved")
        self.assertEqual(alert.resolved_by_id, self.user_compliance)
        self.assertEqual(alert.resolution, "Renewed")
        self.assertFalse(alert.activity_ids)
        with self.assertRaises(UserError):
            own.action_resolve("Again")
        with self.assertRaises(UserError):
            own.action_acknowledge()

    def test_access(self):
        alert = self._raise(region=self.region_west, user=self.user_manager)
        Alert = self.Alert
        self.assertIn(alert, Alert.with_user(self.user_manager).search([]))
        self.assertNotIn(alert, Alert.with_user(self.user_sales).search([]))
        with self.assertRaises(AccessError):
            alert.with_user(self.user_sales).action_acknowledge()
        alert.user_id = self.user_sales
        self.assertIn(alert, Alert.with_user(self.user_sales).search([]))
        east = self._raise("east", region=self.region_city, user=self.user_manager)
        self.assertIn(east, Alert.with_user(self.user_sales).search([]))
        nowhere = self._raise("nowhere", user=self.user_manager)
        self.assertNotIn(nowhere, Alert.with_user(self.user_sales).search([]))
        with self.assertRaises(AccessError):
            east.with_user(self.user_auditor).action_acknowledge()
        for vals in (
            {"state": "resolved"},
            {"acknowledged_by_id": self.user_admin.id},
            {"severity": "info"},
            {"key": "x"},
        ):
            with self.assertRaises(UserError):
                east.with_user(self.user_manager).write(vals)
        with self.assertRaises(AccessError):
            Alert.with_user(self.user_manager).create({"name": "x", "source": "x", "key": "x"})

    def test_open_record(self):
        action = self._raise(record=self.dealer).action_open_record()
        self.assertEqual(action["res_id"], self.dealer.id)
        with self.assertRaises(UserError):
            self._raise("none").action_open_record()

    # === ESCALATION === #

    def test_escalation_is_idempotent(self):
        rule = self.env["channel.alert.escalation"].create(
            {
                "name": "Critical after 4 hours",
                "severity": "critical",
                "hours": 4,
                "user_id": self.user_executive.id,
            }
        )
        alert = self._raise(severity="critical", user=self.user_sales)
        mild = self._raise("mild", severity="warning", user=self.user_sales)
        taken = self._raise("taken", severity="critical", user=self.user_sales)
        taken.action_acknowledge()
        cron = self.env.ref("channel_base.ir_cron_alert_escalation")

        def run(hours):
            with (
                freeze_time(alert.first_seen + timedelta(hours=hours)),
                self.enter_registry_test_mode(),
            ):
                cron.method_direct_trigger()
            self.env.invalidate_all()

        run(3.9)
        self.assertFalse(alert.escalation_ids)
        run(4.1)
        run(5)
        self.assertEqual(alert.escalation_ids, rule)
        self.assertEqual(alert.activity_ids.user_id, self.user_sales | self.user_executive)
        self.assertEqual(len(alert.activity_ids), 2)
        self.assertFalse((mild | taken).escalation_ids)
        rule.acknowledged = True
        run(6)
        self.assertEqual(taken.escalation_ids, rule)
        alert.action_resolve()
        self.assertFalse(alert.activity_ids)

    def test_escalation_to_a_group(self):
        rule = self.env["channel.alert.escalation"].create(
            {
                "name": "To compliance",
                "severity": "critical",
                "hours": 0,
                "group_id": self.env.ref("channel_base.group_channel_compliance").id,
            }
        )
        alert = self._raise(severity="critical", user=self.user_sales)
        rule.sudo()._escalate()
        users = alert.activity_ids.user_id
        self.assertIn(self.user_compliance, users)
        self.assertNotIn(self.user_manager, users)

    def test_raising_is_set_based(self):
        """Refreshing 100 alerts asks the database as often as refreshing 10 (but for the writes, which are batched)."""

        def values(number):
            return [{"key": f"k{index}", "name": "N", "user": self.user_compliance} for index in range(number)]

        self.Alert._raise_alerts("test", values(100))

        def queries(number):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.Alert._raise_alerts("test", values(number))
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        queries(1)
        self.assertLessEqual(queries(100), queries(10) + 3)
