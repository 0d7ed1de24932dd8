from datetime import date, datetime

from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractBinding(ChannelContractCommon):
    """What a contract promises, against documents: performance, and the gate's answers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls.env["res.partner"].create(cls._channel_member_values("Test New Dealer", cls.region_city))
        cls._channel_activate(cls.member, date(2020, 1, 1))
        cls._channel_qualification(cls.member)
        cls._channel_authorization(cls.member, cls.region_east)
        for code in ("contract_scope", "contract_commitment", "contract_credit"):
            cls._channel_severity(code, "warn")

    def _committed(self, **values):
        return self._channel_contract(
            self.member,
            valid_from=date(2026, 1, 1),
            valid_to=date(2026, 12, 31),
            commitment_ids=[
                Command.create({"name": "Devices", "amount": 1000, "period": "quarter", "basis": "ordered", **values})
            ],
        )

    def _order_on(self, day, quantity=1, price=100, product=None, **values):
        with freeze_time(f"{day} 12:00:00"):
            order = self._channel_order(
                [(product or self.device, quantity, price)], partner=self.member, customer=self.hospital, **values
            )
            order.action_confirm()
        return order

    def _rows(self, contract, day="2026-05-15"):
        with freeze_time(f"{day} 12:00:00"):
            self.env["channel.contract.performance"].invalidate_model()
            rows = self.env["channel.contract.performance"].search(
                [("contract_id", "=", contract.id)], order="period_start"
            )
            rows.fetch()
            return rows

    def _codes(self, day, **values):
        return {
            code
            for code in self._channel_codes(
                self.member, customer=self.hospital, day=date.fromisoformat(day), **values
            )
            if code.startswith("contract_")
        }

    # === PERFORMANCE ===#

    def test_periods_progress_forecast_and_status(self):
        contract = self._committed()
        self._order_on("2026-01-01", 6)
        self._order_on("2026-03-31", 4)
        self._order_on("2026-04-01", 3)
        rows = self._rows(contract, "2026-04-30")
        self.assertRecordValues(
            rows,
            [
                {"period_start": date(2026, 1, 1), "period_end": date(2026, 3, 31), "achieved": 1000, "status": "met"},
                {
                    "period_start": date(2026, 4, 1),
                    "period_end": date(2026, 6, 30),
                    "achieved": 300,
                    "status": "behind",
                },
                {"period_start": date(2026, 7, 1), "period_end": date(2026, 9, 30), "achieved": 0, "status": "future"},
                {
                    "period_start": date(2026, 10, 1),
                    "period_end": date(2026, 12, 31),
                    "achieved": 0,
                    "status": "future",
                },
            ],
        )
        self.assertAlmostEqual(rows[1].forecast, 300 * 91 / 30)
        self.assertAlmostEqual(rows[1].shortfall, 1000 - 300 * 91 / 30)
        self.assertEqual((rows[1].progress, rows[0].target), (30, 1000))

    def test_missed_beyond_the_tolerance_only(self):
        contract = self._committed(tolerance=10)
        self._order_on("2026-02-01", 9)
        self.assertEqual(self._rows(contract, "2026-04-01")[0].status, "met", "Exactly at the tolerance")
        contract = self._committed(tolerance=9.9)
        self.assertEqual(self._rows(contract, "2026-04-01")[0].status, "missed")

    def test_a_period_covered_in_part_counts_in_part(self):
        contract = self._committed(period="year", amount=3650)
        self._channel_version(
            contract,
            valid_from=date(2026, 7, 1),
            valid_to=date(2026, 12, 31),
            commitment_ids=[Command.create({"name": "Devices", "amount": 7300, "period": "year"})],
        )
        rows = self._rows(contract)
        self.assertEqual([row.period_end for row in rows], [date(2026, 6, 30), date(2026, 12, 31)])
        self.assertAlmostEqual(rows[0].target, 3650 * 181 / 365)
        self.assertAlmostEqual(rows[1].target, 7300 * 184 / 365)

    def test_periods_from_the_first_day_of_the_contract(self):
        contract = self._channel_contract(
            self.member,
            valid_from=date(2026, 2, 15),
            valid_to=date(2027, 2, 14),
            commitment_ids=[Command.create({"name": "A", "amount": 10, "period": "half", "anchor": "contract"})],
        )
        self.assertEqual(
            [(row.period_start, row.period_end, row.target) for row in self._rows(contract)],
            [(date(2026, 2, 15), date(2026, 8, 14), 10), (date(2026, 8, 15), date(2027, 2, 14), 10)],
        )

    def test_only_what_the_commitment_is_about_counts(self):
        contract = self._committed(product_tmpl_ids=[Command.link(self.device.product_tmpl_id.id)], measure="quantity",
                                   quantity=5, customer_id=self.hospital.id)
        elsewhere = self._committed(region_id=self.region_west.id)
        self._order_on("2026-01-10", 2)
        self._order_on("2026-01-10", 7, product=self.consumable)
        self.assertEqual(self._rows(contract)[0].achieved, 2)
        self.assertEqual(self._rows(elsewhere)[0].achieved, 0)

    def test_deliveries_and_invoices_with_returns_and_credit_notes(self):
        contract = self._committed()
        with freeze_time("2026-02-10 12:00:00"):
            order = self._order_on("2026-02-10", 4)
            self._channel_deliver(order, self._channel_lot("LOT-B", quantity=10))
            invoice = self._channel_invoice(order, date=date(2026, 2, 10))
            self.assertEqual(invoice.channel_contract_version_id, contract.version_ids)
            refund = invoice._reverse_moves([{"invoice_date": date(2026, 2, 10)}])
            refund.invoice_line_ids.quantity = 1
            refund.action_post()
        self.assertEqual(refund.channel_contract_version_id, contract.version_ids)
        row = self._rows(contract)[0]
        self.assertEqual((row.ordered, row.delivered, row.invoiced), (400, 400, 300))

    def test_the_day_of_an_order_is_the_company_s(self):
        self.company.partner_id.tz = "Asia/Shanghai"
        contract = self._committed()
        with freeze_time("2026-03-31 16:30:00"):
            self._channel_order([(self.device, 1, 100)], partner=self.member, customer=self.hospital, confirm=True)
        self.assertEqual([row.achieved for row in self._rows(contract)][:2], [0, 100])

    def test_shortfalls_are_told_and_cleared(self):
        contract = self._committed()
        with freeze_time("2026-02-14 12:00:00"):
            self.env["channel.contract.performance"]._alert_shortfalls()
        alert = self.env["channel.alert"].search(
            [("source", "=", "contract_commitment"), ("res_id", "=", contract.id)]
        )
        self.assertEqual((alert.state, alert.user_id), ("open", contract.user_id))
        self._order_on("2026-02-14", 10)
        with freeze_time("2026-02-15 12:00:00"):
            self.env["channel.contract.performance"].invalidate_model()
            self.env["channel.contract.performance"]._alert_shortfalls()
        self.assertEqual(alert.state, "resolved")

    # === GATE ===#

    def test_outside_the_contract(self):
        contract = self._channel_contract(self.member, valid_from=date(2026, 1, 1))
        self.assertNotIn("contract_scope", self._codes("2026-03-01"), "Nothing rests on it: it limits nothing")
        self._channel_authorization(self.member, self.region_west, contract_version_id=contract.version_ids.id)
        self.assertIn("contract_scope", self._codes("2026-03-01"), "The hospital is in the east")
        self._channel_authorization(self.member, self.region_east, contract_version_id=contract.version_ids.id)
        self.assertNotIn("contract_scope", self._codes("2026-03-01"))

    def test_missed_commitment_warns_from_the_day_after_the_period(self):
        self._committed()
        self.assertNotIn("contract_commitment", self._codes("2026-03-31"))
        with freeze_time("2026-04-01 12:00:00"):
            self.assertIn("contract_commitment", self._codes("2026-04-01"))

    def test_credit_at_the_limit_and_beyond(self):
        contract = self._channel_contract(
            self.member, valid_from=date(2026, 1, 1), has_credit_limit=True, credit_limit=1000
        )
        self.assertTrue(contract)
        self.device.taxes_id = False
        self._order_on("2026-02-01", 6)
        for price, refused in ((400, False), (400.01, True)):
            order = self._channel_order(
                [(self.device, 1, price)], partner=self.member, customer=self.hospital,
                date_order=datetime(2026, 2, 2, 12),
            )
            findings = self.env["channel.gate"]._check_documents("order", order)
            self.assertEqual("contract_credit" in [finding.code for finding in findings], refused)

    def test_overdue_beyond_the_days_of_grace(self):
        self._channel_contract(self.member, valid_from=date(2026, 1, 1), stops_overdue=True, overdue_days=10)
        with freeze_time("2026-02-01 12:00:00"):
            order = self._order_on("2026-02-01", 1)
            self._channel_deliver(order, self._channel_lot("LOT-B", quantity=10))
            invoice = self._channel_invoice(order, post=False, date=date(2026, 2, 1))
            invoice.invoice_payment_term_id = False
            invoice.invoice_date_due = date(2026, 2, 1)
            invoice.action_post()
        self.assertNotIn("contract_credit", self._codes("2026-02-11"))
        self.assertIn("contract_credit", self._codes("2026-02-12"))

    def test_number_of_queries_does_not_depend_on_the_number_of_requests(self):
        contract = self._committed()
        contract = self._channel_contract(self.member, has_credit_limit=True, credit_limit=1)
        self._channel_authorization(self.member, self.region_west, contract_version_id=contract.version_ids.id)
        orders = self.env["sale.order"]
        for _number in range(22):
            orders += self._channel_order(partner=self.member, customer=self.hospital)
        gate = self.env["channel.gate"].sudo()
        for check in ("scope", "commitment", "credit"):

            def count(some, check=check):
                requests = some.sudo()._channel_gate_requests("order")
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                list(getattr(gate, f"_check_contract_{check}")(requests))
                return self.env.cr.sql_log_count - before

            count(orders)
            with self.subTest(check):
                self.assertLessEqual(count(orders[2:]), count(orders[:2]) + 2)
