from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, new_test_user, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractLifecycle(ChannelContractCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls.env["res.partner"].create(cls._channel_member_values("Test New Dealer", cls.region_city))
        cls._channel_activate(cls.member, date(2020, 1, 1))
        cls._channel_qualification(cls.member)
        cls._channel_authorization(cls.member, cls.region_east)

    def _contract(self, **values):
        return self._channel_contract(self.member, **{"valid_from": date(2026, 1, 1), **values})

    def _in_force(self, contract, *days):
        [answers] = [[bool(contract._version_at(day)) for day in days]]
        asked = self.env["channel.contract"]._versions_in_force(
            [(self.member.id, self.company.id, date.fromisoformat(day)) for day in days]
        )
        self.assertEqual(answers, [bool(versions) for versions in asked], "Both questions have one answer")
        return answers

    def _journal(self, contract):
        return (
            self.env["channel.audit.entry"]
            .sudo()
            .search([("model", "=", "channel.contract"), ("res_id", "=", contract.id)])
        )

    # === SUSPENSION ===#

    def test_suspended_from_its_first_day_until_the_day_it_is_lifted(self):
        contract = self._contract()
        with freeze_time("2026-03-10 12:00:00"):
            contract.action_suspend("Licence in doubt")
            self.assertEqual((contract.stage, contract.stage_since), ("suspended", date(2026, 3, 10)))
            self.assertTrue(contract.is_suspended)
            self.assertFalse(contract.current_version_id)
        with freeze_time("2026-03-20 12:00:00"):
            contract.action_resume("Licence seen")
            self.assertEqual((contract.stage, contract.stage_since), ("in_force", date(2026, 3, 20)))
        self.assertEqual(
            self._in_force(contract, "2026-03-09", "2026-03-10", "2026-03-19", "2026-03-20"),
            [True, False, False, True],
        )
        self.assertEqual(self._journal(contract).mapped("action"), ["contract.resumed", "contract.suspended"])
        self.assertEqual(self._journal(contract).mapped("reason"), ["Licence seen", "Licence in doubt"])

    def test_suspension_that_begins_later_is_brought_in_by_the_calendar(self):
        with freeze_time("2026-03-01 12:00:00"):
            contract = self._contract()
            contract.action_suspend("Announced", date="2026-03-10")
            self.assertEqual(contract.stage, "in_force")
        for day, stage in (("2026-03-09", "in_force"), ("2026-03-10", "suspended")):
            with freeze_time(f"{day} 12:00:00"):
                self.env["channel.contract"]._cron_contracts()
                self.assertEqual(contract.stage, stage)

    def test_nothing_is_ordered_while_suspended(self):
        contract = self._contract()
        contract.action_suspend("Licence in doubt")
        order = self._channel_order(partner=self.member, customer=self.hospital)
        self.assertFalse(order.channel_contract_version_id)
        with self.assertRefused("contract_in_force"):
            order.action_confirm()
        contract.action_resume("Licence seen")
        order.action_confirm()
        self.assertEqual(order.channel_contract_version_id, contract.version_ids)

    def test_authorizations_rest_while_the_contract_is_suspended(self):
        contract = self._contract()
        authorization = self._channel_authorization(
            self.member, self.region_east, contract_version_id=contract.version_ids.id
        )
        self.assertEqual(authorization.status, "valid")
        contract.action_suspend("Licence in doubt")
        authorization.invalidate_recordset(["status"])
        self.assertEqual(authorization.status, "future")
        Authorization = self.env["channel.authorization"]
        for status in ("valid", "future", "expired"):
            found = Authorization.search([("id", "=", authorization.id), ("status", "=", status)])
            self.assertEqual(bool(found), status == "future")
        today = self.company._channel_today()
        [match] = Authorization._match_lines(
            [
                {
                    "member_id": self.member.id,
                    "customer_id": self.hospital.id,
                    "product_id": self.device.id,
                    "date": today,
                    "company_id": self.company.id,
                }
            ]
        )
        self.assertNotIn(authorization, match.covering)

    def test_suspended_twice_or_when_not_in_force_is_refused(self):
        contract = self._contract(valid_to=date(2026, 12, 31))
        with freeze_time("2026-06-01 12:00:00"):
            with self.assertRaises(UserError):
                contract.action_resume("Nothing to lift")
            with self.assertRaises(UserError):
                contract.action_suspend("Too late", date="2027-01-01")
            contract.action_suspend("Once")
            with self.assertRaises(UserError):
                contract.action_suspend("Twice")

    # === TERMINATION ===#

    def test_terminated_after_its_last_day(self):
        with freeze_time("2026-06-01 12:00:00"):
            contract = self._contract()
            later = self._channel_version(contract, valid_from=date(2026, 9, 1))
            draft = self._channel_version(contract, approve=False, valid_from=date(2027, 1, 1))
            contract.action_terminate("Breach", date="2026-06-30", side="company")
        first = contract.version_ids.filtered(lambda version: version.number == 1)
        self.assertRecordValues(
            first + later + draft,
            [
                {"state": "approved", "valid_to": date(2026, 6, 30)},
                {"state": "superseded", "valid_to": False},
                {"state": "cancelled", "valid_to": False},
            ],
        )
        self.assertEqual(
            self._in_force(contract, "2026-06-30", "2026-07-01", "2026-09-01"), [True, False, False]
        )
        stages = []
        for day in ("2026-06-30", "2026-07-01"):
            with freeze_time(f"{day} 12:00:00"):
                self.env["channel.contract"]._cron_contracts()
                stages.append((contract.stage, contract.stage_since))
        self.assertEqual([stages[0][0], stages[1]], ["expiring", ("terminated", date(2026, 7, 1))])
        self.assertEqual(self._journal(contract)[-1].reason, "Breach")
        event = contract.event_ids.filtered(lambda event: event.kind == "terminated")
        self.assertEqual((event.date, event.note, event.user_id), (date(2026, 6, 30), "Breach", self.env.user))
        with self.assertRaises(UserError):
            contract.action_terminate("Again")
        for amend in (contract.action_new_version, contract.action_renew):
            with self.assertRaisesRegex(UserError, "terminated"):
                amend()
        with self.assertRaisesRegex(UserError, "terminated"):
            self._channel_version(contract, approve=False, valid_from=date(2027, 1, 1))

    def test_the_past_under_which_something_was_done_is_not_taken_away(self):
        contract = self._contract()
        with freeze_time("2026-03-10 12:00:00"):
            self._channel_order(partner=self.member, customer=self.hospital, confirm=True)
        with freeze_time("2026-03-20 12:00:00"):
            for decide in (
                lambda: contract.action_terminate("Breach", date="2026-03-09"),
                lambda: contract.action_suspend("Breach", date="2026-03-10"),
            ):
                with self.assertRaisesRegex(UserError, "rests on it"):
                    decide()
            contract.action_terminate("Breach", date="2026-03-10")
        self.assertEqual(contract.version_ids.valid_to, date(2026, 3, 10))

    def test_decisions_need_a_reason_a_day_and_the_right(self):
        contract = self._contract()
        for decide in (contract.action_suspend, contract.action_terminate, contract.action_give_notice):
            with self.assertRaisesRegex(UserError, "Reason"):
                decide("  ")
        with self.assertRaisesRegex(ValidationError, "date"):
            contract.action_suspend("X", date="31/03/2026")
        with self.assertRaisesRegex(ValidationError, "side"):
            contract.action_terminate("X", side="nobody")
        for user in (self.user_manager, self.user_sales, self.user_auditor):
            with self.assertRaises(AccessError):
                contract.with_user(user).action_terminate("X")
        contract.with_user(self.user_contract).action_suspend("X")
        self.assertEqual(contract.suspension_ids.suspended_by_id, self.user_contract)

    def test_what_follows_from_decisions_is_not_typed(self):
        contract = self._contract()
        for values in ({"terminated_on": "2026-01-01"}, {"notice_given_on": "2026-01-01"}, {"predecessor_id": 1}):
            with self.assertRaises(UserError):
                contract.with_user(self.user_contract).write(values)
        with self.assertRaises(AccessError):
            self.env["channel.contract.suspension"].with_user(self.user_contract).create(
                {"contract_id": contract.id, "date_from": "2026-01-01", "reason": "X", "suspended_by_id": 1}
            )

    def test_wizard_takes_the_decision(self):
        contract = self._contract()
        user = self.user_contract
        action = contract.with_user(user).action_ask_terminate()
        wizard = (
            self.env["channel.contract.decision"]
            .with_user(user)
            .with_context(**action["context"])
            .create({"reason": "Both agree", "date": "2099-12-31", "side": "both"})
        )
        wizard.action_decide()
        self.assertRecordValues(
            contract,
            [{"terminated_on": date(2099, 12, 31), "termination_side": "both", "termination_reason": "Both agree"}],
        )

    # === INTERNAL REVIEW AND SUBMISSION ===#

    def test_draft_goes_through_review_to_approval(self):
        contract = self._contract(approve=False)
        version = contract.version_ids
        with self.assertRaisesRegex(UserError, "Readers"):
            version.action_request_review()
        readers = self.user_sales + self.user_compliance
        version.reader_ids = readers
        version.action_request_review()
        self.assertEqual((version.phase, contract.stage), ("review", "review"))
        self.assertEqual(version.activity_ids.user_id, readers)
        version.with_user(self.user_sales).action_read("Fine by me")
        with self.assertRaises(UserError):
            version.with_user(self.user_sales).action_read()
        self.assertEqual((version.phase, version.reading_ids), ("review", self.user_compliance))
        version.with_user(self.user_compliance).action_read()
        self.assertEqual((version.phase, contract.stage), ("draft", "draft"))
        version.action_submit()
        self.assertEqual((version.phase, contract.stage), ("approval", "approval"))
        with self.assertRaises(UserError):
            version.action_submit()
        with self.assertRaises(UserError):
            version.action_approve()
        version.with_user(self.user_manager).action_approve()
        self.assertEqual((version.phase, contract.stage), (False, "in_force"))
        self.assertFalse(version.activity_ids)
        self.assertEqual(
            contract.event_ids.sorted("id").mapped("kind"),
            ["drafted", "review", "stage", "reviewed", "reviewed", "stage", "requested", "stage", "approved", "stage"],
        )

    def test_submitted_draft_can_be_taken_back(self):
        contract = self._contract(approve=False)
        version = contract.version_ids
        version.reader_ids = self.user_sales
        version.action_request_review()
        version.action_submit()
        self.assertFalse(version.reading_ids, "Who goes on does not wait for the readers")
        version.action_return()
        self.assertEqual((version.phase, contract.stage), ("draft", "draft"))

    def test_submission_asks_the_reviewers_of_tiers(self):
        self.env["tier.definition"].create(
            {
                "name": "Manager",
                "model_id": self.env.ref("channel_contract.model_channel_contract_version").id,
                "review_type": "individual",
                "reviewer_id": self.user_manager.id,
            }
        )
        contract = self._contract(approve=False)
        version = contract.version_ids
        version.action_submit()
        self.assertEqual(version.review_ids.reviewer_ids, self.user_manager)
        version.action_return()
        self.assertFalse(version.review_ids)
        self.assertEqual(contract.stage, "draft")

    def test_review_is_asked_by_who_may_edit(self):
        version = self._contract(approve=False).version_ids
        version.reader_ids = self.user_sales
        for action in ("action_request_review", "action_submit", "action_return"):
            with self.assertRaises(AccessError):
                getattr(version.with_user(self.user_sales), action)()
        for values in ({"submitted_at": "2026-01-01 00:00:00"}, {"reading_ids": [Command.link(self.user_sales.id)]}):
            with self.assertRaises(UserError):
                version.write(values)

    # === RENEWAL ===#

    def _renewing(self, renewal="automatic", **values):
        return self._contract(
            **{"valid_to": date(2026, 12, 31), "renewal": renewal, "notice_days": 30, "approve": True, **values}
        )

    def _night(self, day):
        with freeze_time(f"{day} 20:00:00"):
            self.env["channel.contract"]._cron_contracts()

    def test_renews_itself_once_no_notice_can_be_given_any_more(self):
        with freeze_time("2026-06-01 12:00:00"):
            contract = self._renewing(
                commitment_ids=[Command.create({"name": "Stents", "amount": 1000})],
                clause_ids=self._channel_clause_commands("Quality"),
            )
            authorization = self._channel_authorization(
                self.member,
                self.region_east,
                contract_version_id=contract.version_ids.id,
                date_from=date(2026, 1, 1),
                date_to=date(2026, 12, 31),
            )
        first = contract.version_ids
        self._night("2026-12-01")
        self.assertEqual(contract.version_ids, first, "Notice could still be given on 1 December")
        self._night("2026-12-02")
        second = contract.version_ids - first
        self.assertRecordValues(
            second,
            [
                {
                    "state": "approved",
                    "valid_from": date(2027, 1, 1),
                    "valid_to": date(2027, 12, 31),
                    "renewal": "automatic",
                    "renewal_of_id": first.id,
                    "approved_by_id": self.env.user.id,
                }
            ],
        )
        self.assertEqual(second.commitment_ids.amount, 1000)
        self.assertEqual(second.clause_ids.mapped("title"), ["Quality"])
        self.assertRecordValues(
            second.authorization_ids,
            [{"state": "approved", "date_from": date(2027, 1, 1), "date_to": date(2027, 12, 31)}],
        )
        self.assertEqual(authorization.state, "approved")
        self.assertEqual(contract.stage, "in_force", "It does not expire")
        self._night("2026-12-02")
        self._night("2027-01-01")
        self.assertEqual(contract.version_ids, first + second, "Again changes nothing")
        self.assertEqual(contract.event_ids.filtered(lambda event: event.kind == "renewed").date, date(2027, 1, 1))

    def test_renewal_that_stood_still_catches_up(self):
        with freeze_time("2026-06-01 12:00:00"):
            contract = self._renewing(renewal_months=6)
        self._night("2028-02-01")
        self.assertEqual(
            contract.version_ids.sorted("valid_from").mapped("valid_to"),
            [date(2026, 12, 31), date(2027, 6, 30), date(2027, 12, 31), date(2028, 6, 30)],
        )

    def test_a_term_of_days_is_renewed_by_as_many_days(self):
        with freeze_time("2026-01-05 12:00:00"):
            contract = self._renewing(valid_to=date(2026, 1, 10), notice_days=0)
        self._night("2026-01-11")
        self.assertEqual(max(contract.version_ids.mapped("valid_to")), date(2026, 1, 20))

    def test_notice_on_the_last_day_stops_the_renewal(self):
        with freeze_time("2026-06-01 12:00:00"):
            contract = self._renewing()
        with freeze_time("2026-12-02 12:00:00"), self.assertRaisesRegex(UserError, "too late"):
            contract.action_give_notice("Enough")
        with freeze_time("2026-12-01 12:00:00"):
            contract.action_give_notice("Enough", side="member")
            self.assertEqual(contract.stage, "expiring")
        self._night("2027-01-01")
        self.assertEqual((len(contract.version_ids), contract.stage), (1, "expired"))
        self.assertEqual(self._journal(contract)[:1].action, "contract.notice")

    def test_signatures_are_not_asked_again_for_what_renews_itself(self):
        with freeze_time("2026-06-01 12:00:00"):
            contract = self._renewing()
            contract.signature_required = True
        self._night("2026-12-02")
        self.assertEqual(contract._last_version().signature_state, "none")
        self.assertTrue(contract._version_at("2027-01-01"))

    def test_renewal_by_agreement_opens_one_draft_for_the_owner(self):
        self.env.ref("channel_contract.contract_type_distribution").expiring_days = 90
        with freeze_time("2026-06-01 12:00:00"):
            contract = self._renewing("agreement")
        self._night("2026-10-01")
        self.assertEqual(len(contract.version_ids), 1)
        self._night("2026-10-02")
        draft = contract.version_ids.filtered(lambda version: version.state == "draft")
        self.assertEqual((draft.valid_from, draft.valid_to), (date(2027, 1, 1), date(2027, 12, 31)))
        self.assertEqual((contract.activity_ids.user_id, contract.stage), (contract.user_id, "expiring"))
        draft.with_user(self.user_contract).notice_days = 60
        self._night("2026-10-03")
        self.assertEqual(len(contract.version_ids), 2)
        draft.action_cancel()
        self._night("2026-10-04")
        self.assertEqual(len(contract.version_ids), 2, "What somebody has dropped is not opened again")

    def test_without_renewal_it_ends(self):
        with freeze_time("2026-06-01 12:00:00"):
            contract = self._renewing("none")
        self._night("2027-01-01")
        self.assertEqual((len(contract.version_ids), contract.stage), (1, "expired"))

    def test_renew_button_opens_the_same_draft_twice(self):
        contract = self._renewing("none")
        first = contract.action_renew()["res_id"]
        self.assertEqual(contract.action_renew()["res_id"], first)
        open_ended = self._contract()
        with self.assertRaisesRegex(UserError, "no end"):
            open_ended.action_renew()

    def test_successor_takes_the_place_of_the_contract(self):
        with freeze_time("2026-12-15 12:00:00"):
            contract = self._renewing("none", notice_days=60)
            successor = self.env["channel.contract"].browse(contract.action_renew_as_contract()["res_id"])
            self.assertEqual(contract.action_renew_as_contract()["res_id"], successor.id)
            self.assertNotEqual(successor.name, contract.name)
            self.assertEqual((successor.predecessor_id, successor.member_id), (contract, self.member))
            self.assertRecordValues(
                successor.version_ids,
                [{"state": "draft", "valid_from": date(2027, 1, 1), "number": 1, "notice_days": 60}],
            )
            self.assertEqual(contract.stage, "expiring")
            successor.version_ids.with_user(self.user_manager).action_approve()
            contract._update_stages()
            self.assertEqual(contract.stage, "in_force")
        self._night("2027-01-01")
        self.assertEqual((contract.stage, successor.stage), ("renewed", "in_force"))

    def test_a_renewal_that_fails_is_told_to_somebody_and_stops_no_other(self):
        other = self.env["res.partner"].create(self._channel_member_values("Test Other Dealer", self.region_city))
        with freeze_time("2026-06-01 12:00:00"):
            failing = self._renewing()
            fine = self._channel_contract(
                other, valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31), renewal="automatic"
            )
        original = type(failing.version_ids)._renew_authorizations

        def renew(version, draft):
            if version.contract_id == failing:
                raise UserError(version.env._("Something is wrong"))
            return original(version, draft)

        self.patch(type(failing.version_ids), "_renew_authorizations", renew)
        self._night("2027-01-01")
        self.assertEqual((len(failing.version_ids), len(fine.version_ids)), (1, 2))
        alert = self.env["channel.alert"].search([("source", "=", "contract_renewal")])
        self.assertEqual((alert.res_id, alert.note), (failing.id, "Something is wrong"))

    def test_two_decide_at_the_same_time(self):
        user = new_test_user(
            self.env, "second_contract", groups="channel_base.group_channel_contract", company_id=self.company.id
        )
        contract = self._contract()
        contract.with_user(self.user_contract).action_suspend("First")
        with self.assertRaises(UserError):
            contract.with_user(user).action_suspend("Second")
