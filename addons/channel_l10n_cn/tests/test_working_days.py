from odoo import fields
from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestWorkingDays(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.days = cls.env["channel.cn.day"]

    def before(self, date, count):
        return fields.Date.to_string(self.days._working_days_before(fields.Date.to_date(date), count))

    def test_holidays_and_worked_weekends(self):
        self.assertEqual(self.before("2026-03-02", 0), "2026-03-02")
        # Monday 2 March 2026: Saturday 28 February is worked, Sunday 1 March is not.
        self.assertEqual(self.before("2026-03-02", 1), "2026-02-28")
        # 24 to 28 February and then, across Spring Festival (15 to 23), Saturday 14 February, which is worked.
        self.assertEqual(self.before("2026-03-02", 5), "2026-02-24")
        self.assertEqual(self.before("2026-03-02", 6), "2026-02-14")
        # National Day and Mid-Autumn of 2025: 1 to 8 October off, 28 September and 11 October worked.
        self.assertEqual(self.before("2025-10-13", 1), "2025-10-11")
        self.assertEqual(self.before("2025-10-13", 3), "2025-10-09")
        self.assertEqual(self.before("2025-10-13", 4), "2025-09-30")
        self.assertEqual(self.before("2025-10-13", 6), "2025-09-28")

    def test_plain_weekdays_where_no_holiday_is_known(self):
        self.assertEqual(self.before("2031-06-16", 5), "2031-06-09")

    def test_lists_are_those_of_the_state_council(self):
        """Days off and worked weekends of each year, counted in the notices for 2024, 2025 and 2026."""
        for year, off, worked in ((2024, 28, 8), (2025, 28, 5), (2026, 33, 6)):
            of_year = self.days.search([("date", ">=", f"{year}-01-01"), ("date", "<=", f"{year}-12-31")])
            self.assertEqual(len(of_year.filtered("is_working")), worked)
            self.assertEqual(len(of_year) - worked, off)
            self.assertTrue(all(day.date.weekday() >= 5 for day in of_year.filtered("is_working")))

    def test_a_new_holiday_counts_at_once(self):
        self.assertEqual(self.before("2031-06-16", 1), "2031-06-13")
        day = self.days.create({"date": "2031-06-13", "name": "Holiday"})
        self.assertEqual(self.before("2031-06-16", 1), "2031-06-12")
        day.date = "2031-06-12"
        self.assertEqual(self.before("2031-06-16", 1), "2031-06-13")
        day.unlink()
        self.assertEqual(self.before("2031-06-16", 2), "2031-06-12")

    def test_renewal_window_of_a_trading_licence(self):
        member = self.env["res.partner"].create({
            "name": "Dealer", "is_company": True, "country_id": self.env.ref("base.cn").id,
            "channel_role": "distributor",
        })
        licence = self.env["channel.qualification"].create({
            "partner_id": member.id,
            "type_id": self.env.ref("channel_l10n_cn.qualification_type_trading_licence").id,
            "number": "粤穗食药监械经营许20171161号",
            "issue_date": "2021-07-01",
        })
        self.assertEqual(licence.expiry_date, fields.Date.to_date("2026-06-30"))
        opens, closes = licence._renewal_window()
        # Counted by hand: June 29 back to 1 without 19 to 21 gives 20 days, the other ten are 29, 28, 27, 26, 25
        # and 22, 21, 20, 19, 18 May.
        self.assertEqual(closes, fields.Date.to_date("2026-05-18"))
        worked = sum(
            self.days._special_days().get(day, day.weekday() < 5)
            for day in (fields.Date.add(opens, days=offset) for offset in range((licence.expiry_date - opens).days))
        )
        self.assertEqual(worked, 90)

    def test_renewal_of_a_registration_is_asked_for_six_months_before(self):
        kind = self.env.ref("channel_l10n_cn.qualification_type_registration")
        self.assertRecordValues(kind, [
            {"validity_months": 60, "renewal_deadline_days": 184, "renewal_day_kind": "calendar"}
        ])
