from datetime import date, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.channel_contract.tests.common import ChannelContractCommon

TODAY = date(2026, 6, 30)


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestReports(ChannelContractCommon):
    @classmethod
    def _invoice(cls, member, day, amount, customer=None, move_type="out_invoice", product=None):
        invoice = cls.env["account.move"].create({
            "move_type": move_type,
            "partner_id": member.id,
            "invoice_date": day,
            "channel_end_customer_id": customer.id if customer else False,
            "invoice_line_ids": [Command.create({
                "product_id": (product or cls.device).id, "quantity": 1, "price_unit": amount, "tax_ids": [],
            })],
        })
        invoice.action_post()
        return invoice

    def _flush(self):
        self.env.flush_all()
        self.env.invalidate_all()

    # === REVENUE === #

    def test_revenue_and_margin_of_members_by_region(self):
        self.device.standard_price = 40.0
        self._invoice(self.dealer, TODAY, 100.0, self.hospital)
        self._invoice(self.dealer, TODAY, 30.0, self.hospital, move_type="out_refund")
        self._invoice(self.other_dealer, TODAY, 500.0, self.hospital_west)
        self._flush()
        rows = {
            region: (revenue, margin)
            for region, revenue, margin in self.env["account.invoice.report"]._read_group(
                [("commercial_partner_id", "in", self.members.ids), ("state", "=", "posted")],
                ["channel_region_id"],
                ["price_subtotal:sum", "price_margin:sum"],
            )
        }
        # 100 - 30 returned; margin (100 - 40) - (30 - 40) as core counts a refund: its cost comes back.
        self.assertEqual(rows[self.region_city], (70.0, 70.0))
        self.assertEqual(rows[self.region_west], (500.0, 460.0))

    def test_end_customer_and_role_stand_on_the_invoice_analysis(self):
        invoice = self._invoice(self.dealer, TODAY, 100.0, self.hospital)
        self._flush()
        line = self.env["account.invoice.report"].search([("move_id", "=", invoice.id)])
        self.assertRecordValues(line, [{
            "channel_end_customer_id": self.hospital.id, "channel_role": "distributor", "channel_is_rebate": False,
        }])

    # === COVERAGE === #

    def _coverage(self, hospital):
        self._flush()
        return self.env["channel.report.coverage"].search([
            ("customer_id", "=", hospital.id), ("company_id", "=", self.company.id)
        ])

    def test_a_hospital_counts_as_served_for_twelve_months(self):
        self._invoice(self.dealer, TODAY.replace(year=2025), 100.0, self.hospital)
        self.assertRecordValues(self._coverage(self.hospital), [{"served": 0, "coverage": 0.0, "members": 0}])
        self._invoice(self.dealer, TODAY.replace(year=2025) + timedelta(days=1), 100.0, self.hospital)
        self.assertRecordValues(
            self._coverage(self.hospital), [{"served": 1, "coverage": 100.0, "members": 1, "revenue": 100.0}]
        )

    def test_a_hospital_that_buys_itself_is_served(self):
        self._invoice(self.hospital_west, TODAY, 10.0)
        self.assertEqual(self._coverage(self.hospital_west).served, 1)

    def test_a_credit_note_alone_serves_nobody(self):
        self._invoice(self.dealer, TODAY, 10.0, self.hospital, move_type="out_refund")
        self.assertEqual(self._coverage(self.hospital).served, 0)

    def test_another_companys_invoices_do_not_count(self):
        other = self.env["res.company"].create({"name": "Other company"})
        self._invoice(self.dealer, TODAY, 100.0, self.hospital)
        self._flush()
        row = self.env["channel.report.coverage"].sudo().search([
            ("customer_id", "=", self.hospital.id), ("company_id", "=", other.id)
        ])
        self.assertEqual(row.served, 0)

    # === STOCK === #

    def test_turns_are_issues_of_a_year_over_stock(self):
        self.device.standard_price = 40.0
        near = self._channel_lot("NEAR", quantity=5, expiration_date="2026-12-01 00:00:00")
        self._channel_lot("FAR", quantity=15, expiration_date="2028-12-01 00:00:00")
        order = self._channel_order([(self.device, 2)], customer=self.hospital, confirm=True)
        self._channel_deliver(order, near)
        self._flush()
        row = self.env["channel.report.stock"].search([
            ("product_id", "=", self.device.id), ("company_id", "=", self.company.id)
        ])
        # 20 received, 2 issued, 18 left of which 3 expire within 180 days; cost 40.
        self.assertRecordValues(row, [{
            "stock_quantity": 18.0, "stock_value": 720.0, "near_expiry_value": 120.0,
            "issued_quantity": 2.0, "issued_value": 80.0, "days_of_stock": 18 * 365 / 2,
        }])

    # === DOCUMENTS AT RISK === #

    def _risk(self, member):
        self._flush()
        return self.env["channel.report.risk"].search([
            ("member_id", "=", member.id), ("company_id", "=", self.company.id)
        ])

    def test_revenue_at_risk_counts_each_member_once(self):
        self._channel_qualification(
            self.dealer, number="SECOND", type_id=self.licence_type.copy({"code": "test_second"}).id,
            expiry_date=TODAY + timedelta(days=30),
        )
        self._invoice(self.dealer, TODAY, 100.0, self.hospital)
        rows = self._risk(self.dealer)
        self.assertEqual(len(rows), 2)
        first = rows.filtered(lambda row: row.number == "SECOND")
        self.assertRecordValues(first, [{"days_left": 30, "revenue_at_risk": 100.0}])
        self.assertEqual(sum(rows.mapped("revenue_at_risk")), 100.0)

    def test_a_renewed_document_is_no_risk(self):
        self._channel_qualification(
            self.dealer, number="OLD", issue_date=date(2015, 1, 1), expiry_date=date(2020, 1, 1)
        )
        self.assertNotIn("OLD", self._risk(self.dealer).mapped("number"))

    def test_suspended_and_revoked_documents_stay(self):
        """They end today, not on the day of their expiry, and the member's revenue hangs on them."""
        self._channel_qualification(
            self.dealer, number="SOON", type_id=self.licence_type.copy({"code": "test_second"}).id,
            expiry_date=TODAY + timedelta(days=30),
        )
        self._invoice(self.dealer, TODAY, 100.0, self.hospital)
        self.licence.with_user(self.user_compliance).action_suspend(reason="Inspection", date=TODAY)
        row = self._risk(self.dealer).filtered(lambda row: row.type_id == self.licence_type)
        self.assertRecordValues(row, [{
            "number": self.licence.number, "status": "suspended", "days_left": 0, "revenue_at_risk": 100.0,
        }])
        self.licence.with_user(self.user_compliance).action_lift(reason="Passed", date=TODAY)
        row = self._risk(self.dealer).filtered(lambda row: row.type_id == self.licence_type)
        self.assertRecordValues(row, [{
            "status": "valid", "days_left": (self.licence.expiry_date - TODAY).days, "revenue_at_risk": 0.0,
        }])
        self.licence.with_user(self.user_compliance).action_revoke(reason="x", date=TODAY)
        row = self._risk(self.dealer).filtered(lambda row: row.type_id == self.licence_type)
        self.assertRecordValues(row, [{"status": "revoked", "days_left": 0, "revenue_at_risk": 100.0}])

    def test_replaced_documents_end_with_their_successor(self):
        """A shorter one that has replaced a longer one counts, from its first day."""
        renewal = self._channel_qualification(
            self.dealer, number="SHORTER", issue_date=TODAY + timedelta(days=10), previous_id=self.licence.id,
            expiry_date=TODAY + timedelta(days=40),
        )
        self.assertEqual(self.licence.replaced_on, renewal.issue_date)
        self.assertEqual(self._risk(self.dealer).mapped("number"), [self.licence.number])
        with freeze_time(TODAY + timedelta(days=10)):
            row = self._risk(self.dealer)
            self.assertRecordValues(row, [{"number": "SHORTER", "days_left": 30}])

    def test_a_gap_before_the_renewal_is_a_risk(self):
        """Of two documents in a row the first counts until the second begins, if days are left between."""
        for gap, expected in ((9, "BEFORE"), (0, "AFTER")):
            with self.subTest(gap=gap):
                type_id = self.licence_type.copy({"code": f"test_gap_{gap}"}).id
                end = TODAY + timedelta(days=20)
                self._channel_qualification(self.dealer, number="BEFORE", type_id=type_id, expiry_date=end)
                self._channel_qualification(
                    self.dealer, number="AFTER", type_id=type_id, issue_date=end + timedelta(days=1 + gap),
                    expiry_date=TODAY + timedelta(days=400),
                )
                rows = self._risk(self.dealer).filtered(lambda row, type_id=type_id: row.type_id.id == type_id)
                self.assertEqual(rows.mapped("number"), [expected])

    # === ACCESS === #

    def test_a_regional_user_reads_the_own_region_only(self):
        self._invoice(self.dealer, TODAY, 100.0, self.hospital)
        self._invoice(self.other_dealer, TODAY, 500.0, self.hospital_west)
        self._flush()
        reports = self.env(user=self.user_sales)
        members = reports["account.invoice.report"].search([("channel_role", "!=", False)]).commercial_partner_id
        self.assertIn(self.dealer, members)
        self.assertNotIn(self.other_dealer, members)
        hospitals = reports["channel.report.coverage"].search([]).customer_id
        self.assertIn(self.hospital, hospitals)
        self.assertNotIn(self.hospital_west, hospitals)
        self.assertNotIn(self.other_dealer, reports["channel.report.risk"].search([]).member_id)

    def test_stock_values_are_closed_to_regional_users(self):
        with self.assertRaises(AccessError):
            self.env["channel.report.stock"].with_user(self.user_sales).search([])
        self.env["channel.report.stock"].with_user(self.user_executive).search([])

    def test_reports_are_read_only_for_the_executive(self):
        for model in ("channel.report.coverage", "channel.report.stock", "channel.report.risk"):
            report = self.env[model].with_user(self.user_executive)
            self.assertTrue(report.has_access("read"))
            for operation in ("write", "create", "unlink"):
                self.assertFalse(report.has_access(operation), f"{model} {operation}")
