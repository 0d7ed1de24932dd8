from datetime import date

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractWorksheet(ChannelContractCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls.env["res.partner"].create(cls._channel_member_values("Test Renewing Dealer", cls.region_city))
        cls._channel_activate(cls.member, date(2020, 1, 1))
        cls._channel_qualification(cls.member)
        cls._channel_authorization(cls.member, cls.region_east)
        cls.renewing = cls._channel_contract(
            cls.member,
            valid_from=date(2025, 1, 1),
            valid_to=date(2026, 12, 31),
            notice_days=90,
            purpose="First agreement",
            commitment_ids=[
                Command.create({"name": "Turnover", "amount": 1000}),
                Command.create({"name": "Catheters", "measure": "quantity", "quantity": 40}),
            ],
        )

    def _invoice(self, day, amount, refund=False):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_refund" if refund else "out_invoice",
                "partner_id": self.member.id,
                "invoice_date": day,
                "invoice_date_due": day,
                "invoice_line_ids": [
                    Command.create({"product_id": self.device.id, "quantity": 1, "price_unit": amount, "tax_ids": []})
                ],
            }
        )
        invoice.action_post()
        return invoice

    def _sheet(self, day="2026-10-01", user=None):
        with freeze_time(f"{day} 12:00:00"):
            self.env.invalidate_all()
            return self.renewing.with_user(user or self.user_contract)._renewal_worksheet()

    def test_turnover_by_quarter_and_receivables(self):
        for day, amount in (("2024-12-31", 7), ("2025-03-31", 100), ("2025-04-01", 200), ("2026-09-30", 400)):
            self._invoice(day, amount)
        self._invoice("2026-10-01", 50)
        self._invoice("2026-08-15", 30, refund=True)
        sheet = self._sheet()
        self.assertEqual(
            sheet["turnover"],
            [
                {"year": 2025, "quarters": [100.0, 200.0, 0.0, 0.0], "total": 300.0},
                {"year": 2026, "quarters": [0.0, 0.0, 370.0, 50.0], "total": 420.0},
            ],
            "What was invoiced before the contract began is not its",
        )
        self.assertEqual(sheet["receivables"]["open"], 720)
        self.assertEqual(sheet["receivables"]["overdue"], 670, "Due today is not overdue")
        self.assertEqual(sheet["receivables"]["overdue_days"], (date(2026, 10, 1) - date(2025, 3, 31)).days)

    def test_term_commitments_and_amendments(self):
        self._invoice("2025-06-01", 1200)
        sheet = self._sheet()
        self.assertEqual(sheet["term"]["notice_until"], date(2026, 10, 2))
        self.assertEqual(sheet["term"]["days_left"], 91)
        rows = {(row["name"], row["period_start"].year): row for row in sheet["commitments"]}
        self.assertEqual(rows["Turnover", 2025]["status"], "met")
        self.assertEqual(rows["Turnover", 2026]["status"], "behind")
        self.assertEqual((rows["Catheters", 2025]["target"], rows["Catheters", 2025]["achieved"]), (40, 1))
        self.assertEqual(
            [(row["version"], row["purpose"]) for row in sheet["amendments"]], [(1, "First agreement")]
        )

    def test_obligations_findings_and_special_prices(self):
        late, _open, overdue = self.env["channel.contract.obligation"].create(
            [
                {"contract_id": self.renewing.id, "name": name, "date_due": day}
                for name, day in (("Late", "2026-01-31"), ("Open", "2026-10-01"), ("Overdue", "2026-09-30"))
            ]
        )
        late.action_done("2026-02-01")
        self.env["channel.gate.finding"].sudo().create(
            {
                "check_id": self.env["channel.gate.check"].search([("code", "=", "contract_in_force")]).id,
                "operation_id": self.env["channel.gate.operation"].search([], limit=1).id,
                "severity": "block",
                "state": "overridden",
                "message": "No contract",
                "fingerprint": "f",
                "document_name": "S001",
                "document_date": date(2026, 5, 5),
                "company_id": self.company.id,
                "member_id": self.member.id,
                "override_user_id": self.user_manager.id,
                "override_reason": "Urgent surgery",
            }
        )
        sheet = self._sheet(user=self.user_manager)
        obligations = sheet["obligations"]
        self.assertEqual([row["name"] for row in obligations.pop("rows")], ["Overdue", "Open", "Late"])
        self.assertEqual(obligations, {"done": 0, "done_late": 1, "open": 1, "overdue": 1, "waived": 0})
        self.assertEqual([row["reason"] for row in sheet["findings"]["overrides"]], ["Urgent surgery"])
        self.assertEqual([row["overridden"] for row in sheet["findings"]["counts"]], [1])
        self.assertEqual(sheet["special_prices"]["count"], 0)
        html = self._html(self.user_manager)
        for text in ("Urgent surgery", "Done late", "Renewal Worksheet", "Test Renewing Dealer"):
            self.assertIn(text, html)

    def _html(self, user):
        report = self.env["ir.actions.report"].with_user(user)
        with freeze_time("2026-10-01 12:00:00"):
            return report._render_qweb_html(
                "channel_contract.channel_contract_worksheet_report", self.renewing.ids
            )[0].decode()

    def test_contract_without_a_version_has_an_empty_worksheet(self):
        draft = self._channel_contract(self.member, approve=False)
        sheet = draft._renewal_worksheet()
        self.assertEqual((sheet["turnover"], sheet["commitments"], sheet["amendments"]), ([], [], []))

    def test_only_people_of_the_channel_who_read_the_contract(self):
        for user in (self.user_sales, self.user_auditor, self.user_finance):
            self.assertEqual(self._sheet(user=user)["contract"]["number"], self.renewing.name)
        self.user_portal.partner_id.parent_id = self.member
        for user in (self.user_portal, self.user_internal):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self._sheet(user=user)
        self.member.channel_region_manual_id = self.region_west
        self.env.flush_all()
        with self.assertRaises(AccessError):
            self._sheet(user=self.user_sales)

    def test_ten_and_a_hundred_take_the_same_queries(self):
        def measure(more):
            self.env["channel.contract.obligation"].create(
                [
                    {"contract_id": self.renewing.id, "name": str(place), "date_due": "2026-01-01"}
                    for place in range(more)
                ]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            with freeze_time("2026-10-01 12:00:00"):
                before = self.env.cr.sql_log_count
                self.renewing.with_user(self.user_manager)._renewal_worksheet()
                return self.env.cr.sql_log_count - before

        measure(1)
        ten, hundred = measure(9), measure(90)
        self.assertLessEqual(hundred, ten + 2)
