from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import HttpCase, JsonRpcException, freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from .common import ChannelContractCommon

ACTIVITY = "channel_contract.mail_activity_type_obligation"


class ChannelObligationCommon(ChannelContractCommon):
    def _obligation(self, contract=None, **values):
        return self.env["channel.contract.obligation"].create(
            {
                "contract_id": (contract or self.contract).id,
                "name": "Report of stock",
                "side": "member",
                "user_id": self.user_sales.id,
                "date_due": date(2026, 3, 31),
                **values,
            }
        )

    def _night(self, day):
        with freeze_time(f"{day} 12:00:00"):
            self.env["channel.contract.obligation"]._run_calendar()
            self.env.flush_all()

    def _alerts(self, obligations, **values):
        domain = [("source", "=", "contract_obligation"), ("key", "in", [str(row.id) for row in obligations])]
        return self.env["channel.alert"].sudo().search([*domain, *((name, "=", values[name]) for name in values)])

    def _activities(self, obligations):
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", obligations._name),
                ("res_id", "in", obligations.ids),
                ("activity_type_id", "=", self.env.ref(ACTIVITY).id),
            ]
        )

    def _series(self, obligation):
        return self.env["channel.contract.obligation"].search(
            [("contract_id", "=", obligation.contract_id.id), ("name", "=", obligation.name)]
        )

    def _journal(self, obligation):
        return (
            self.env["channel.audit.entry"]
            .sudo()
            .search([("model", "=", obligation._name), ("res_id", "=", obligation.id)])
        )


@tagged("post_install", "-at_install")
class TestContractObligation(ChannelObligationCommon):
    # === DUE ===#

    def test_overdue_from_the_day_after_its_day(self):
        obligation = self._obligation()
        for day, status in (("2026-03-31", "open"), ("2026-04-01", "overdue")):
            with self.subTest(day), freeze_time(f"{day} 12:00:00"):
                obligation.invalidate_recordset(["status"])
                self.assertEqual(obligation.status, status)
                found = obligation.search([("id", "=", obligation.id), ("status", "=", status)])
                self.assertEqual(found, obligation)
                other = "overdue" if status == "open" else "open"
                self.assertFalse(obligation.search([("id", "=", obligation.id), ("status", "=", other)]))

    def test_day_is_the_company_s(self):
        self.company.partner_id.tz = "Asia/Shanghai"
        obligation = self._obligation()
        with freeze_time("2026-03-31 15:59:00"):
            self.assertEqual(obligation.status, "open")
        with freeze_time("2026-03-31 16:00:00"):
            obligation.invalidate_recordset(["status"])
            self.assertEqual(obligation.status, "overdue", "It is April in Shanghai")

    # === REMINDER AND ALERT ===#

    def test_owner_is_reminded_once_from_the_first_day_of_reminder(self):
        obligation = self._obligation(reminder_days=10)
        self._night("2026-03-20")
        self.assertFalse(self._activities(obligation))
        self._night("2026-03-21")
        self._night("2026-03-22")
        self.assertRecordValues(
            self._activities(obligation), [{"user_id": self.user_sales.id, "date_deadline": date(2026, 3, 31)}]
        )

    def test_overdue_is_alerted_once_and_cleared_when_done(self):
        obligation = self._obligation()
        self._night("2026-03-31")
        self.assertFalse(self._alerts(obligation))
        self._night("2026-04-01")
        self._night("2026-04-02")
        self.assertRecordValues(
            self._alerts(obligation), [{"count": 1, "state": "open", "user_id": self.user_sales.id}]
        )
        with freeze_time("2026-04-03 12:00:00"):
            obligation.with_user(self.user_sales).action_done()
        self.assertEqual(self._alerts(obligation).state, "resolved")
        self.assertFalse(self._activities(obligation))
        self.assertTrue(obligation.done_late)
        self._night("2026-04-04")
        self.assertFalse(self._alerts(obligation, state="open"))

    def test_other_day_or_owner_is_told_anew(self):
        obligation = self._obligation()
        self._night("2026-04-01")
        obligation.date_due = date(2026, 4, 30)
        self.assertEqual(self._alerts(obligation).state, "resolved")
        self.assertFalse(self._activities(obligation))
        self._night("2026-04-20")
        obligation.user_id = self.user_contract
        self._night("2026-04-20")
        self.assertEqual(self._activities(obligation).user_id, self.user_contract)

    def test_draft_contract_reminds_nobody(self):
        draft = self._channel_contract(self.dealer, approve=False)
        obligation = self._obligation(draft, recurrence="monthly")
        self._night("2026-06-01")
        self.assertFalse(self._activities(obligation) or self._alerts(obligation))
        self.assertEqual(self._series(obligation), obligation, "Nothing follows before anything is agreed")

    # === SERIES ===#

    def test_end_of_month_stays_at_the_end(self):
        obligation = self._obligation(date_due=date(2026, 1, 31), recurrence="monthly")
        self._night("2026-04-15")
        self.assertEqual(
            self._series(obligation).mapped("date_due"),
            [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)],
        )
        self._night("2026-04-15")
        self.assertEqual(len(self._series(obligation)), 4, "Running again makes nothing")

    def test_steps_of_recurrence(self):
        for recurrence, start in (
            ("monthly", date(2026, 1, 30)),
            ("quarterly", date(2025, 11, 30)),
            ("half_yearly", date(2025, 8, 31)),
            ("yearly", date(2025, 2, 28)),
        ):
            with self.subTest(recurrence), freeze_time("2026-02-01 12:00:00"):
                obligation = self._obligation(name=recurrence, date_due=start, recurrence=recurrence)
                obligation.action_done()
                self.assertEqual(self._series(obligation).mapped("date_due"), [start, date(2026, 2, 28)])

    def test_leap_day_comes_back(self):
        obligation = self._obligation(date_due=date(2024, 2, 29), recurrence="yearly")
        self._night("2027-03-01")
        self.assertEqual(
            self._series(obligation).mapped("date_due"),
            [date(2024, 2, 29), date(2025, 2, 28), date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29)],
        )

    def test_next_follows_when_done_and_not_again_when_its_day_passes(self):
        obligation = self._obligation(recurrence="quarterly")
        with freeze_time("2026-03-10 12:00:00"):
            obligation.action_done()
        following = self._series(obligation) - obligation
        self.assertRecordValues(
            following,
            [{"date_due": date(2026, 6, 30), "state": "open", "side": "member", "user_id": self.user_sales.id}],
        )
        self._night("2026-04-01")
        self.assertEqual(self._series(obligation), obligation + following)

    def test_due_today_is_followed_tomorrow(self):
        obligation = self._obligation(recurrence="monthly")
        self._night("2026-03-31")
        self.assertEqual(self._series(obligation), obligation)
        self._night("2026-04-01")
        self.assertEqual(len(self._series(obligation)), 2)

    def test_a_later_one_moves_alone(self):
        obligation = self._obligation(date_due=date(2026, 1, 31), recurrence="monthly")
        self._night("2026-02-01")
        second = self._series(obligation) - obligation
        second.date_due = date(2026, 3, 5)
        self._night("2026-03-06")
        self.assertEqual(self._series(obligation)[-1].date_due, date(2026, 3, 31))

    def test_series_ends_with_the_contract(self):
        contract = self._channel_contract(self.dealer, valid_from=date(2026, 1, 1), valid_to=date(2026, 3, 31))
        obligation = self._obligation(contract, date_due=date(2026, 1, 31), recurrence="monthly")
        self._night("2026-08-01")
        self.assertEqual(self._series(obligation)[-1].date_due, date(2026, 3, 31), "Due on the last day still")
        self.assertEqual(len(self._series(obligation)), 3)

    # === DECISIONS ===#

    def test_waived_with_a_reason(self):
        obligation = self._obligation(recurrence="yearly")
        self._night("2026-04-01")
        for reason in ("", "  ", None):
            with self.assertRaises(UserError):
                obligation.action_waive(reason)
        obligation.with_user(self.user_contract).action_waive("Stock is nil")
        self.assertEqual((obligation.status, obligation.waive_reason), ("waived", "Stock is nil"))
        self.assertFalse(self._alerts(obligation, state="open"))
        self.assertRecordValues(self._journal(obligation), [{"action": "obligation.waived", "reason": "Stock is nil"}])
        self.assertEqual(self._series(obligation)[-1].date_due, date(2027, 3, 31))

    def test_done_is_dated_and_in_the_journal(self):
        obligation = self._obligation()
        with freeze_time("2026-04-05 12:00:00"):
            with self.assertRaises(UserError):
                obligation.action_done(date="2026-04-06")
            with self.assertRaises(ValidationError):
                obligation.action_done(date="yesterday")
            obligation.action_done(date="2026-03-31")
        self.assertRecordValues(
            obligation,
            [{"state": "done", "done_on": date(2026, 3, 31), "done_late": False, "settled_by_id": self.env.uid}],
        )
        self.assertEqual(self._journal(obligation).action, "obligation.done")
        with self.assertRaises(UserError):
            obligation.action_done()

    def test_what_is_settled_is_not_edited(self):
        obligation = self._obligation()
        obligation.action_done("2026-03-01")
        for values in ({"name": "Other"}, {"date_due": "2026-05-01"}, {"state": "open"}):
            with self.subTest(values), self.assertRaises(UserError):
                obligation.write(values)
        with self.assertRaises(UserError):
            obligation.unlink()
        with self.assertRaises(UserError):
            self._obligation(state="done")
        obligation.attachment_ids = [Command.create({"name": "proof.txt", "raw": b"proof"})]
        obligation.action_reopen("Wrong report")
        self.assertRecordValues(obligation, [{"state": "open", "done_on": False, "settled_by_id": False}])
        self.assertEqual(self._journal(obligation).mapped("action"), ["obligation.reopened", "obligation.done"])

    def test_dialog_waives(self):
        obligation = self._obligation()
        action = obligation.action_ask_waive()
        wizard = self.env["channel.contract.decision"].with_context(**action["context"]).create({"reason": "Agreed"})
        wizard.action_decide()
        self.assertEqual(obligation.state, "waived")

    # === RIGHTS ===#

    def test_owner_settles_and_only_contract_people_waive(self):
        obligation = self._obligation()
        with self.assertRaises(AccessError):
            obligation.with_user(self.user_manager).action_done()
        with self.assertRaises(AccessError):
            obligation.with_user(self.user_sales).action_waive("No")
        with self.assertRaises(AccessError):
            obligation.with_user(self.user_sales).name = "Other"
        self.assertTrue(obligation.with_user(self.user_sales).may_settle)
        self.assertFalse(obligation.with_user(self.user_manager).may_settle)
        obligation.with_user(self.user_sales).action_done("2026-03-01")
        self.assertEqual(obligation.settled_by_id, self.user_sales)

    def test_region_company_and_position(self):
        west = self._obligation(self.contract_west)
        company = self.env["res.company"].create({"name": "Other company"})
        foreign = self._obligation(
            self._channel_contract(
                self.dealer, approve=False, contract_values={"company_id": company.id, "user_id": False}
            )
        )
        own = self._obligation()
        Obligation = self.env["channel.contract.obligation"]
        self.assertEqual(Obligation.with_user(self.user_sales).search([]), own)
        self.assertEqual(Obligation.with_user(self.user_contract).search([]) & (own + west + foreign), own + west)
        with self.assertRaises(AccessError):
            Obligation.with_user(self.user_internal).search([])

    # === SHAPE ===#

    def test_ten_and_a_hundred_take_the_same_queries(self):
        def night(count, day):
            for place in range(count):
                self._obligation(name=f"{day} {place}", date_due=day, recurrence="yearly", reminder_days=0)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            with freeze_time("2026-05-01 12:00:00"):
                self.env["channel.contract.obligation"]._make_next()
                self.env["channel.contract.obligation"]._next_rows(None)
                self.env.flush_all()
            return self.env.cr.sql_log_count - before

        night(1, date(2026, 1, 1))
        ten, hundred = night(10, date(2026, 1, 2)), night(100, date(2026, 1, 3))
        self.assertLessEqual(hundred, ten + 12)


@tagged("post_install", "-at_install")
class TestContractObligationPortal(ChannelObligationCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.committed = cls._channel_contract(
            cls.dealer,
            valid_from=date(2026, 1, 1),
            valid_to=date(2036, 12, 31),
            commitment_ids=[
                Command.create(
                    {
                        "name": "Stents a year",
                        "measure": "quantity",
                        "quantity": 200,
                        "basis": "ordered",
                        "product_tmpl_ids": [Command.set(cls.device.product_tmpl_id.ids)],
                        "customer_id": cls.hospital.id,
                    }
                )
            ],
        )
        cls.user_portal_west = new_test_user(
            cls.env,
            login="channel_portal_west",
            groups="base.group_portal",
            partner_id=cls.env["res.partner"].create({"name": "West Buyer", "parent_id": cls.other_dealer.id}).id,
        )

    def _page(self, contract):
        return self.url_open(f"/my/channel/contracts/{contract.id}", allow_redirects=False)

    def test_member_sees_its_commitments_and_what_it_has_to_do(self):
        self._obligation(self.committed, description="As a workbook")
        self._obligation(self.committed, name="Inner affair", side="company")
        order = self._channel_order(lines=[(self.device, 50)], customer=self.hospital)
        order.state = "sale"
        self.env.flush_all()
        self.authenticate("channel_portal", "channel_portal")
        page = self._page(self.committed).text
        for text in ("Stents a year", "200 Units", "50 Units of 200 Units (25 %)", "width: 25%", "Test Hospital"):
            self.assertIn(text, page)
        for text in ("Report of stock", "As a workbook", "03/31/2026"):
            self.assertIn(text, page)
        self.assertNotIn("Inner affair", page)

    def test_nothing_of_another_member(self):
        own, foreign = self._obligation(self.committed), self._obligation(self.contract_west, name="Secret audit")
        inner = self._obligation(self.committed, name="Inner affair", side="company")
        draft = self._obligation(self._channel_contract(self.dealer, approve=False), name="Not agreed")
        Obligation = self.env["channel.contract.obligation"].with_user(self.user_portal)
        self.assertEqual(Obligation.search([]), own)
        for hidden in foreign + inner + draft:
            with self.subTest(hidden.name), self.assertRaises(AccessError):
                hidden.with_user(self.user_portal).read(["name"])
        for operation in ("write", "create", "unlink"):
            self.assertFalse(own.with_user(self.user_portal).has_access(operation))
        with self.assertRaises(AccessError):
            own.with_user(self.user_portal).action_done()
        with self.assertRaises(AccessError):
            own.with_user(self.user_portal).read(["waive_reason"])
        self.authenticate("channel_portal", "channel_portal")
        for url in (
            f"/my/channel/contracts/{self.contract_west.id}",
            f"/web/content/channel.contract.obligation/{foreign.id}/description",
            f"/mail/view?model=channel.contract.obligation&res_id={foreign.id}",
            f"/report/html/channel_contract.report_worksheet/{self.contract_west.id}",
            f"/report/html/channel_contract.report_worksheet/{self.committed.id}",
        ):
            with self.subTest(url), mute_logger("odoo.http"):
                answer = self.url_open(url, allow_redirects=False)
                self.assertNotEqual(answer.status_code, 200)
                self.assertNotIn("Secret audit", answer.text)
        with mute_logger("odoo.http"), self.assertRaisesRegex(JsonRpcException, "AccessError"):
            self.make_jsonrpc_request(
                "/web/dataset/call_kw/channel.contract.obligation/read",
                {"model": Obligation._name, "method": "read", "args": [foreign.ids, ["name"]], "kwargs": {}},
            )
