from datetime import date, datetime

from odoo.tests import freeze_time, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractGate(ChannelContractCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls.env["res.partner"].create(cls._channel_member_values("Test New Dealer", cls.region_city))
        cls.member.action_channel_activate()
        cls._channel_qualification(cls.member)
        cls._channel_authorization(cls.member, cls.region_east)

    def _refused(self, day, member=None):
        return "contract_in_force" in self._channel_codes(
            member or self.member, customer=self.hospital, day=date.fromisoformat(day)
        )

    def test_member_without_a_contract_does_not_order(self):
        order = self._channel_order(partner=self.member, customer=self.hospital)
        with self.assertRefused("contract_in_force"):
            order.action_confirm()

    def test_member_with_a_contract_orders(self):
        self._channel_contract(self.member)
        order = self._channel_order(partner=self.member, customer=self.hospital, confirm=True)
        self.assertEqual(order.state, "sale")

    def test_first_and_last_day_and_the_days_beside(self):
        self._channel_contract(self.member, valid_from=date(2026, 3, 1), valid_to=date(2026, 3, 31))
        self.assertEqual(
            [self._refused(day) for day in ("2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01")],
            [True, False, False, True],
        )

    def test_draft_cancelled_and_superseded_versions_do_not_count(self):
        contract = self._channel_contract(self.member, approve=False, valid_from=date(2026, 3, 1))
        self.assertTrue(self._refused("2026-03-15"))
        contract.version_ids.action_cancel()
        self.assertTrue(self._refused("2026-03-15"))
        self._channel_version(contract, valid_from=date(2026, 3, 1))
        self.assertFalse(self._refused("2026-03-15"))
        self._channel_version(contract, valid_from=date(2026, 3, 1), valid_to=date(2026, 3, 10))
        self.assertTrue(self._refused("2026-03-15"), "What replaced it ends on the 10th")

    def test_ended_version_does_not_count_after_its_end(self):
        contract = self._channel_contract(self.member, valid_from=date(2026, 3, 1))
        contract.version_ids._version_end(date(2026, 3, 10), reason="Terminated")
        self.assertFalse(self._refused("2026-03-10"))
        self.assertTrue(self._refused("2026-03-11"))

    def test_date_of_the_order_counts_and_not_today(self):
        self._channel_contract(self.member, valid_from=date(2026, 3, 1), valid_to=date(2026, 3, 31))
        with freeze_time("2026-05-01 12:00:00"):
            order = self._channel_order(
                partner=self.member, customer=self.hospital, date_order=datetime(2026, 3, 31, 12)
            )
            findings = self.env["channel.gate"]._check_documents("order", order)
        self.assertNotIn("contract_in_force", [finding.code for finding in findings])

    def test_hospitals_need_no_contract(self):
        self.assertFalse(self._refused("2026-03-15", member=self.hospital))

    def test_contract_with_another_company_does_not_count(self):
        company = self.env["res.company"].create({"name": "Other company"})
        self._channel_contract(
            self.member, approve=False, contract_values={"company_id": company.id, "user_id": False}
        ).version_ids.sudo().with_context(allowed_company_ids=[company.id])._approve()
        self.assertTrue(self._refused("2026-03-15"))

    def test_warning_lets_the_order_pass_and_stays_on_it(self):
        self._channel_severity("contract_in_force", "warn")
        order = self._channel_order(partner=self.member, customer=self.hospital, confirm=True)
        self.assertEqual(order.state, "sale")

    def test_number_of_queries_does_not_depend_on_the_number_of_requests(self):
        orders = self.env["sale.order"]
        for _number in range(33):
            orders += self._channel_order(partner=self.member, customer=self.hospital)
        gate = self.env["channel.gate"].sudo()

        def count(some):
            requests = some.sudo()._channel_gate_requests("order")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(list(gate._check_contract_in_force(requests))), len(some))
            return self.env.cr.sql_log_count - before

        count(orders)
        self.assertLessEqual(count(orders[3:]), count(orders[:3]) + 1)
