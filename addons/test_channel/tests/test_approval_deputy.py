from datetime import date

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from .test_approval import ApprovalCommon

DAY_BEFORE, FIRST, LAST, DAY_AFTER = (f"2030-03-{day:02} 12:00:00" for day in (3, 4, 8, 9))


class DeputyCommon(ApprovalCommon):
    """Finance reviews; its deputy from 4 to 8 March 2030 is somebody of the contract department."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deputy = cls.user_contract
        cls.Deputy = cls.env["channel.approval.deputy"]

    def _delegate(self, user=None, deputy=None, **values):
        user = user or self.user_finance
        return self.Deputy.with_user(user).create(
            {
                "user_id": user.id,
                "deputy_id": (deputy or self.deputy).id,
                "date_from": date(2030, 3, 4),
                "date_to": date(2030, 3, 8),
                "reason": "Leave",
                **values,
            }
        )

    def _reviewed(self, **values):
        """A request that Finance alone reviews."""
        self._tier("finance", 100, 20, review_type="individual", reviewer_group_id=False,
                   reviewer_id=self.user_finance.id, **values)
        request = self._request()
        request.request_validation()
        return request

    def _after(self, document, action):
        return self.Entry.search(
            [("model", "=", document._name), ("res_id", "=", document.id), ("action", "=", action)]
        ).after


@tagged("post_install", "-at_install")
class TestApprovalDeputy(DeputyCommon):
    def test_only_within_the_period(self):
        with freeze_time(DAY_BEFORE):
            self._delegate()
            requests = [self._reviewed(), self._request(), self._request()]
            for request in requests[1:]:
                request.request_validation()
            early, first, last = (request.with_user(self.deputy) for request in requests)
            self.assertFalse(early.can_review)
            self._refused(early.action_approve, "waits for")
            self._refused(lambda: early.review_ids.write({"status": "approved"}), "not a reviewer")
        with freeze_time(FIRST):
            first.action_approve()
        with freeze_time(LAST):
            last.validate_tier()
        with freeze_time(DAY_AFTER):
            # the list of reviewers is brought in step by a job that has not run yet
            self.assertIn(self.deputy, early.review_ids.sudo().reviewer_ids)
            self._refused(lambda: early.review_ids.write({"status": "approved"}), "not a reviewer")
            self.env["tier.review"]._cron_deadlines()
            self.assertNotIn(self.deputy, early.review_ids.sudo().reviewer_ids)
        self.assertEqual([request.state for request in requests], ["draft", "approved", "approved"])

    def test_review_journal_and_page_say_for_whom(self):
        with freeze_time(FIRST):
            self._delegate()
            request = self._reviewed()
            request.with_user(self.deputy).validate_tier()
        self.assertRecordValues(
            request.review_ids, [{"done_by": self.deputy.id, "channel_for_id": self.user_finance.id}]
        )
        self.assertIn(f'"for":"{self.user_finance.name}"', self._after(request, "approval.validated"))
        self.assertIn(f"{self.deputy.name} for {self.user_finance.name}", request.message_ids.mapped("body")[0])

    def test_own_review_is_nobody_elses(self):
        with freeze_time(FIRST):
            self._delegate()
            request = self._reviewed()
            request.with_user(self.user_finance).validate_tier()
        self.assertFalse(request.review_ids.channel_for_id)
        self.assertNotIn('"for"', self._after(request, "approval.validated"))

    def test_deputy_rejects(self):
        with freeze_time(FIRST):
            self._delegate()
            request = self._reviewed()
            request.with_user(self.deputy).reject_tier()
        self.assertEqual(request.review_ids.status, "rejected")
        self.assertEqual(request.review_ids.channel_for_id, self.user_finance)

    def test_author_is_no_deputy(self):
        with freeze_time(FIRST):
            self._delegate(deputy=self.user_pricing)
            request = self._reviewed()
            self.assertFalse(request.can_review)
            self._refused(request.action_approve, "author")
            self._refused(lambda: request.review_ids.write({"status": "approved"}), "author")

    def test_deputy_of_an_author_reviews_nothing(self):
        with freeze_time(FIRST):
            self._delegate(user=self.user_pricing)
            self._tier("finance", 100, 20, review_type="individual", reviewer_group_id=False,
                       reviewer_id=self.user_pricing.id)
            self._refused(self._request().request_validation, "no reviewer beside the author")

    def test_deputies_make_no_chain(self):
        with freeze_time(FIRST):
            self._delegate()
            self._delegate(user=self.deputy, deputy=self.user_compliance)
            request = self._reviewed()
            self._refused(request.with_user(self.user_compliance).action_approve, "waits for")

    def test_other_documents_and_other_companies(self):
        with freeze_time(FIRST):
            elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
            self._delegate(model="test.channel.document.version")
            self.Deputy.create(
                {"user_id": self.user_finance.id, "deputy_id": self.deputy.id, "date_to": "2030-03-08",
                 "reason": "Leave", "company_id": elsewhere.id}
            )
            request = self._reviewed()
            self._refused(request.with_user(self.deputy).action_approve, "waits for")
            self._delegate(model="test.channel.request", company_id=self.company.id)
            request.with_user(self.deputy).action_approve()
        self.assertEqual(request.state, "approved")

    def test_ended_early(self):
        with freeze_time(FIRST):
            line = self._delegate(date_from="2030-03-01")
            request = self._reviewed()
            self.assertTrue(request.with_user(self.deputy).can_review)
            line.date_to = "2030-03-03"
            self.assertFalse(request.with_user(self.deputy).can_review)

    def test_group_approves_by_deputy(self):
        with freeze_time(FIRST):
            request = self._request()
            own = request.with_user(self.deputy)
            self._refused(own.action_approve, "group")
            self._delegate(user=self.user_finance)  # who could not approve either
            self._refused(own.action_approve, "group")
            self._delegate(user=self.user_manager)
            own.invalidate_recordset(["can_approve"])
            self.assertTrue(own.can_approve)
            own.action_approve()
        self.assertEqual(request.approved_by_id, self.deputy)
        self.assertIn(f'"for":"{self.user_manager.name}"', self._after(request, "approval.approved"))

    def test_group_author_cannot_lend_the_approval(self):
        with freeze_time(FIRST):
            self._delegate(user=self.user_manager)
            request = self.Request.with_user(self.user_manager).create({"name": "Request", "amount": 1})
            self._refused(request.with_user(self.deputy).action_approve, "group")
            own = self.Request.with_user(self.deputy).create({"name": "Request", "amount": 1})
            self._refused(own.action_approve, "author")

    # === WHO NAMES WHOM === #

    def test_named_for_oneself_or_by_the_administrator(self):
        with freeze_time(DAY_BEFORE):
            line = self._delegate()
            values = {"user_id": self.user_manager.id, "deputy_id": self.user_finance.id, "date_to": "2030-03-08",
                      "reason": "Mine"}
            self._refused(lambda: self.Deputy.with_user(self.user_finance).create(values), error=AccessError)
            self._refused(lambda: line.with_user(self.deputy).write({"date_to": "2031-01-01"}), error=AccessError)
            self._refused(
                lambda: line.with_user(self.user_executive).create({**values, "user_id": self.user_executive.id}),
                error=AccessError,
            )
            self.Deputy.with_user(self.user_admin).create(values)
        readers = {
            user: self.Deputy.with_user(user).search([("id", "=", line.id)])
            for user in (self.user_finance, self.deputy, self.user_admin, self.user_auditor, self.user_sales)
        }
        self.assertEqual([bool(found) for found in readers.values()], [True, True, True, True, False])

    def test_what_has_begun_stays(self):
        with freeze_time(FIRST):
            line = self._delegate()
            self._refused(line.unlink, "stays on record")
            self._refused(lambda: line.write({"deputy_id": self.user_sales.id}), "began")
            line.write({"date_to": "2030-03-05"})
            later = self._delegate(date_from="2030-03-05")
            later.unlink()
        actions = self.Entry.search([("model", "=", "channel.approval.deputy")]).sorted("id").mapped("action")
        self.assertEqual(actions[-4:], ["deputy.created", "deputy.changed", "deputy.created", "deputy.deleted"])

    def test_dates_and_people(self):
        self._refused(lambda: self._delegate(deputy=self.user_portal), "internal", ValidationError)
        for values in ({"date_to": date(2030, 3, 3)}, {"deputy_id": self.user_finance.id}):
            with mute_logger("odoo.sql_db"):
                self._refused(lambda values=values: self._delegate(**values), error=IntegrityError)
        self._delegate(date_to=date(2030, 3, 4))


@tagged("post_install", "-at_install")
class TestApprovalDeadline(DeputyCommon):
    """Requested on Monday 4 March 2030, three working days: until Thursday 7 March."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boss = new_test_user(cls.env, login="channel_boss_of_all", groups="channel_base.group_channel_manager",
                                 company_id=cls.company.id)
        calendar = cls.company.resource_calendar_id
        cls.assertTrue(cls, calendar.attendance_ids)
        calendar.tz = "UTC"

    def _late(self, days=3, **values):
        return self._reviewed(channel_deadline_days=days, channel_escalation_user_id=self.boss.id, **values)

    def _escalate(self, moment):
        with freeze_time(moment):
            self.env["tier.review"]._cron_deadlines()

    def _alerts(self, request):
        return self.env["channel.alert"].search([("source", "=", "approval"), ("res_id", "in", request.ids)])

    def test_working_days(self):
        with freeze_time("2030-03-04 12:00:00"):
            request = self._late()
            self.assertEqual(request.review_ids.channel_deadline, date(2030, 3, 7))
            request.sudo().review_ids.definition_id.channel_deadline_days = 5
            self.assertEqual(request.review_ids.channel_deadline, date(2030, 3, 11))
            self.company.sudo().resource_calendar_id = False
            request.sudo().review_ids.definition_id.channel_deadline_days = 6
            self.assertEqual(request.review_ids.channel_deadline, date(2030, 3, 10))
            request.sudo().review_ids.definition_id.channel_deadline_days = 0
            self.assertFalse(request.review_ids.channel_deadline)

    def test_the_last_day_is_in_time(self):
        with freeze_time("2030-03-04 12:00:00"):
            request = self._late()
        self._escalate("2030-03-06 12:00:00")
        self._escalate("2030-03-07 23:59:59")
        self.assertFalse(self._alerts(request))
        self._refused(request.with_user(self.boss).action_approve, "waits for")
        self._escalate("2030-03-08 00:00:01")
        alert = self._alerts(request)
        self.assertRecordValues(
            alert, [{"user_id": self.boss.id, "state": "open", "count": 1, "company_id": self.company.id}]
        )
        self.assertIn("approval.escalated", self._actions(request))

    def test_the_day_is_the_companys(self):
        self.company.partner_id.tz = "Asia/Shanghai"
        with freeze_time("2030-03-04 12:00:00"):
            request = self._late()
        self._escalate("2030-03-07 15:59:59")
        self.assertFalse(self._alerts(request))
        self._escalate("2030-03-07 16:00:00")
        self.assertTrue(self._alerts(request))

    def test_twice_is_once(self):
        with freeze_time("2030-03-04 12:00:00"):
            request = self._late()
        self._escalate("2030-03-08 12:00:00")
        self._escalate("2030-03-09 12:00:00")
        self.assertEqual(self._alerts(request).count, 1)
        self._alerts(request).with_user(self.boss).action_resolve("seen")
        self._escalate("2030-03-10 12:00:00")
        self.assertEqual(self._alerts(request).mapped("state"), ["resolved"])
        self.assertEqual(self._actions(request).count("approval.escalated"), 1)

    def test_done_in_time(self):
        with freeze_time("2030-03-04 12:00:00"):
            request = self._late()
            request.with_user(self.user_finance).validate_tier()
        self._escalate("2030-03-08 12:00:00")
        self.assertFalse(self._alerts(request))

    def test_who_is_told_reviews_and_the_alert_is_cleared(self):
        with freeze_time("2030-03-04 12:00:00"):
            request = self._late()
        self._escalate("2030-03-08 12:00:00")
        request.with_user(self.boss).validate_tier()
        self.assertEqual(request.state, "approved")
        self.assertEqual(request.review_ids.done_by, self.boss)
        self.assertEqual(self._alerts(request).state, "resolved")

    def test_restart_clears_the_alert(self):
        with freeze_time("2030-03-04 12:00:00"):
            request = self._late()
        self._escalate("2030-03-08 12:00:00")
        request.restart_validation()
        self.assertEqual(self._alerts(request).state, "resolved")

    def test_author_is_told_nothing_and_reviews_nothing(self):
        with freeze_time("2030-03-04 12:00:00"):
            request = self._late()
            request.sudo().review_ids.definition_id.channel_escalation_user_id = self.user_pricing
        self._escalate("2030-03-08 12:00:00")
        self.assertNotEqual(self._alerts(request).user_id, self.user_pricing)
        self.assertNotIn(self.user_pricing, request.review_ids.reviewer_ids)
        self._refused(request.action_approve, "author")

    def test_group(self):
        with freeze_time("2030-03-04 12:00:00"):
            request = self._late(channel_escalation_group_id=self.env.ref("channel_base.group_channel_compliance").id)
        self._escalate("2030-03-08 12:00:00")
        request.with_user(self.user_compliance).validate_tier()
        self.assertEqual(request.state, "approved")

    def test_waiting_review_has_no_deadline(self):
        self._tier("compliance", 100, 30)
        with freeze_time("2030-03-04 12:00:00"):
            request = self._late()
        review = request.review_ids.filtered(lambda review: review.name == "Finance")
        self.assertFalse(review.channel_deadline)
        self._escalate("2030-03-20 12:00:00")
        self.assertFalse(self._alerts(request))
        with freeze_time("2030-03-20 12:00:00"):
            request.with_user(self.user_compliance).validate_tier()
        self.assertEqual(review.channel_deadline, date(2030, 3, 25))

    def test_nobody_writes_the_deadline(self):
        request = self._late()
        for name in ("channel_deadline", "channel_pending_since", "channel_escalated_at", "channel_for_id"):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                request.review_ids.with_user(self.user_finance).write({name: False})

    def test_reviewers_of_many_late_at_once(self):
        with freeze_time("2030-03-04 12:00:00"):
            self._late()
            few, many = (
                self.Request.create([{"name": str(number), "amount": 500} for number in range(size)])
                for size in (10, 100)
            )
            (few | many).request_validation()
        with freeze_time("2030-03-08 12:00:00"):
            self._delegate(user=self.boss)
            (few | many).sudo().review_ids._escalate()
            counts = []
            for requests in (few, many):
                reviews = requests.sudo().review_ids
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                reviews._recompute_reviewers()
                self.assertTrue(all(self.deputy in review.reviewer_ids for review in reviews))
                reviews._companies()
                reviews._compute_channel_deadline()
                counts.append(self.env.cr.sql_log_count - before)
        self.assertLess(counts[1] - counts[0], 5, counts)
        self.assertEqual(len(self._alerts(many)), 100)
