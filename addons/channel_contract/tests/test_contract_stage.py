from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractStage(ChannelContractCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls.env["res.partner"].create(cls._channel_member_values("Test New Dealer", cls.region_city))
        cls.type = cls.env.ref("channel_contract.contract_type_distribution")
        cls.type.expiring_days = 30

    def _stages(self, contract, *days):
        """The stages to which the nightly job brings a contract on days."""
        stages = []
        for day in days:
            with freeze_time(f"{day} 12:00:00"):
                self.env["channel.contract"]._cron_contracts()
                stages.append(contract.stage)
        return stages

    def test_by_the_calendar_on_first_and_last_days(self):
        with freeze_time("2026-01-01 12:00:00"):
            contract = self._channel_contract(self.member, valid_from=date(2026, 3, 1), valid_to=date(2026, 12, 31))
        self.assertEqual(contract.stage, "signed")
        self.assertEqual(
            self._stages(contract, "2026-02-28", "2026-03-01", "2026-11-30", "2026-12-01", "2026-12-31", "2027-01-01"),
            ["signed", "in_force", "in_force", "expiring", "expiring", "expired"],
        )
        self.assertEqual(
            [(event.stage, event.date) for event in contract.event_ids.sorted("id") if event.kind == "stage"],
            [
                ("signed", date(2026, 1, 1)),
                ("in_force", date(2026, 3, 1)),
                ("expiring", date(2026, 12, 1)),
                ("expired", date(2027, 1, 1)),
            ],
        )

    def test_every_night_again_changes_nothing(self):
        contract = self._channel_contract(self.member, valid_from=date(2026, 3, 1))
        with freeze_time("2026-06-01 12:00:00"):
            self.env["channel.contract"]._cron_contracts()
            events, since = contract.event_ids, contract.stage_since
            self.assertFalse(self.env["channel.contract"].search([])._update_stages())
        with freeze_time("2026-06-02 12:00:00"):
            self.env["channel.contract"]._cron_contracts()
        self.assertEqual((contract.event_ids, contract.stage_since), (events, since))

    def test_a_late_job_dates_the_stage_by_the_day_it_holds_from(self):
        with freeze_time("2026-01-01 12:00:00"):
            contract = self._channel_contract(self.member, valid_from=date(2026, 3, 1), valid_to=date(2026, 12, 31))
        self._stages(contract, "2026-05-05")
        self.assertEqual(contract.stage_since, date(2026, 3, 1))

    def test_the_day_is_the_company_s(self):
        with freeze_time("2026-01-01 12:00:00"):
            contract = self._channel_contract(self.member, valid_from=date(2026, 3, 1))
        with freeze_time("2026-02-28 20:00:00"):
            for zone, stage in (("America/Los_Angeles", "signed"), ("Asia/Shanghai", "in_force")):
                self.company.partner_id.tz = zone
                contract._update_stages()
                self.assertEqual(contract.stage, stage)

    def test_notice_period_that_begins_earlier_makes_it_expire_earlier(self):
        with freeze_time("2026-01-01 12:00:00"):
            contract = self._channel_contract(
                self.member, valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31), notice_days=60
            )
        self.assertEqual(self._stages(contract, "2026-10-31", "2026-11-01"), ["in_force", "expiring"])

    def test_a_following_version_keeps_it_from_expiring(self):
        with freeze_time("2026-12-15 12:00:00"):
            contract = self._channel_contract(self.member, valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
            self.assertEqual(contract.stage, "expiring")
            self._channel_version(contract, valid_from=date(2027, 1, 1), valid_to=date(2027, 12, 31))
            self.assertEqual(contract.stage, "in_force")
        self.assertEqual(self._stages(contract, "2027-01-01", "2028-01-01"), ["in_force", "expired"])

    def test_gap_between_versions(self):
        with freeze_time("2026-01-01 12:00:00"):
            contract = self._channel_contract(self.member, valid_from=date(2026, 1, 1), valid_to=date(2026, 1, 31))
            self._channel_version(contract, valid_from=date(2026, 3, 1))
        self.assertEqual(
            self._stages(contract, "2026-01-31", "2026-02-01", "2026-03-01"), ["in_force", "signed", "in_force"]
        )

    def test_draft_until_a_version_counts(self):
        contract = self.env["channel.contract"].create({"title": "New", "member_id": self.member.id})
        self.assertEqual(contract.stage, "draft")
        version = self._channel_version(contract, approve=False)
        self.assertEqual(contract.stage, "draft")
        version.with_user(self.user_manager).action_approve()
        self.assertEqual(contract.stage, "in_force")
        self.assertEqual(contract.event_ids.sorted("id").mapped("kind"), ["drafted", "approved", "stage"])
        self.assertEqual(contract.event_ids.user_id, self.env.user | self.user_manager)

    def test_approval_in_tiers_shows_while_it_lasts(self):
        self.env["tier.definition"].create(
            {
                "name": "Manager",
                "model_id": self.env.ref("channel_contract.model_channel_contract_version").id,
                "review_type": "individual",
                "reviewer_id": self.user_manager.id,
            }
        )
        contract = self._channel_contract(self.member, approve=False)
        version = contract.version_ids
        version.request_validation()
        self.assertEqual(contract.stage, "approval")
        version.restart_validation()
        self.assertEqual(contract.stage, "draft")
        version.request_validation()
        version.with_user(self.user_manager).review_ids.write({"status": "rejected"})
        self.assertEqual(contract.stage, "draft")
        version.restart_validation()
        version.request_validation()
        version.with_user(self.user_manager).validate_tier()
        self.assertEqual(contract.stage, "in_force")

    def test_stage_and_timeline_are_not_written_by_hand(self):
        event = self.contract.event_ids[:1]
        for write in (
            lambda: self.contract.write({"stage": "terminated"}),
            lambda: self.contract.create({"title": "X", "member_id": self.member.id, "stage": "in_force"}),
            lambda: self.contract.with_context(channel_contract_stage=True).write({"stage": "expired"}),
            lambda: event.write({"note": "X"}),
            lambda: event.unlink(),
            lambda: event.create({"contract_id": self.contract.id, "kind": "approved", "date": "2026-01-01"}),
        ):
            with self.assertRaises(UserError):
                write()
        with self.assertRaises(AccessError):
            self.contract_west.event_ids.with_user(self.user_sales).check_access("read")

    def test_number_of_queries_does_not_depend_on_the_number_of_contracts(self):
        with freeze_time("2026-01-01 12:00:00"):
            contracts = self.env["channel.contract"].concat(
                *(self._channel_contract(self.member, valid_from=date(2026, 3, 1)) for _number in range(33))
            )

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(some._update_stages(), some)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        with freeze_time("2026-03-01 12:00:00"):
            count(contracts[0])
            self.assertLessEqual(count(contracts[3:]), count(contracts[1:3]) + 1)
