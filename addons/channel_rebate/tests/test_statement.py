import io

from openpyxl import load_workbook

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestRebateStatement(ChannelRebateCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._program("STMT", [(0, 10), (1000, 25)], name="Volume rebate")
        cls._invoice([1200, 800], "2026-01-10")
        cls._invoice(100, "2026-05-10")
        cls.program.accrue("2026-03-31")

    def test_statement(self):
        """First quarter: 25 % of 2,000 = 500 accrued, 500 settled after settlement; the second quarter is not in it."""
        self._settle(self.program, "2026-03-31")
        statement = self.env["channel.rebate.program"].statement(self.dealer.id, "2026-Q1")
        self.assertEqual(
            (statement["member"], statement["date_from"], statement["date_to"]),
            (self.dealer.name, "2026-01-01", "2026-03-31"),
        )
        (program,) = statement["programs"]
        self.assertEqual(
            [program[key] for key in ("code", "entitlement", "accrued", "settled", "open")], ["STMT", 500, 500, 500, 0]
        )
        self.assertEqual([line["rebate"] for line in program["lines"]], [300, 200])
        self.assertEqual([paid["amount"] for paid in program["settlements"]], [500])
        self.assertEqual([b["window"] for b in program["balances"]], ["2026-Q1"])

    def test_periods(self):
        program = self.env["channel.rebate.program"]
        expected = {
            "2026": ("2026-01-01", "2026-12-31"),
            "2026-H2": ("2026-07-01", "2026-12-31"),
            "2026-Q4": ("2026-10-01", "2026-12-31"),
            "2024-02": ("2024-02-01", "2024-02-29"),
        }
        for period, days in expected.items():
            self.assertEqual(tuple(day.isoformat() for day in program._period(period)), days)
        self.assertEqual(program._period(["2026-01-15", "2026-02-03"])[1].isoformat(), "2026-02-03")
        for wrong in ("2026-13", "2026-Q5", "26", "", None, ["2026-02-01", "2026-01-01"], ["2026-01-01"]):
            with self.subTest(period=wrong), self.assertRaisesRegex(ValidationError, "cannot be read"):
                program._period(wrong)
        with self.assertRaisesRegex(ValidationError, "no member"):
            program.statement(0, "2026")

    def test_empty(self):
        statement = self.env["channel.rebate.program"].statement(self.other_dealer.id, "2026")
        self.assertEqual(statement["programs"], [])

    def test_xlsx(self):
        """The workbook has the figures of the statement as numbers and days."""
        statement = self.env["channel.rebate.program"].statement(self.dealer.id, "2026-Q1")
        content = self.env["report.channel_rebate.report_statement"]._statement_xlsx(statement)
        book = load_workbook(io.BytesIO(content))
        self.assertEqual(book.sheetnames, ["Summary", "Lines"])
        rows = list(book["Summary"].iter_rows(min_row=4, values_only=True))
        row = dict(zip(rows[0], rows[1], strict=True))
        self.assertEqual(
            [
                row[key]
                for key in ("Code", "Window", "Base", "Tier Rate (%)", "Entitlement", "Accrued", "Settled", "Open")
            ],
            ["STMT", "2026-Q1", 2000, 25, 500, 500, None, 500][:6] + [0, 500],
        )
        lines = list(book["Lines"].iter_rows(min_row=4, values_only=True))
        self.assertEqual([line[lines[0].index("Rebate")] for line in lines[1:]], [300, 200])

    def test_xlsx_text_is_text(self):
        """A product named like a formula stays text."""
        self.consumable.name = "=1+1"
        statement = self.env["channel.rebate.program"].statement(self.dealer.id, "2026-Q1")
        book = load_workbook(io.BytesIO(self.env["report.channel_rebate.report_statement"]._statement_xlsx(statement)))
        cells = [cell for row in book["Lines"].iter_rows(min_row=5) for cell in row if cell.value == "=1+1"]
        self.assertEqual({cell.data_type for cell in cells}, {"s"})

    def test_html(self):
        """The report shows the totals and each line, in the member's language."""
        html, _type = self.env["ir.actions.report"]._render_qweb_html(
            "channel_rebate.report_statement",
            self.dealer.ids,
            data={"member_id": self.dealer.id, "period": ["2026-01-01", "2026-03-31"]},
        )
        text = html.decode()
        for part in ("Volume rebate", "2,000.00", "500.00", "300.00", "200.00"):
            self.assertIn(part, text)

    def test_pdf(self):
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        with self.allow_pdf_render():
            content, _type = report._render_qweb_pdf(
                "channel_rebate.report_statement",
                self.dealer.ids,
                data={"member_id": self.dealer.id, "period": ["2026-01-01", "2026-03-31"]},
            )
        self.assertEqual(content[:4], b"%PDF")

    def test_wizard(self):
        wizard = self.env["channel.rebate.statement.wizard"].create(
            {"member_id": self.dealer.id, "date_from": "2026-01-01", "date_to": "2026-03-31"}
        )
        action = wizard.with_context(discard_logo_check=True).action_pdf()
        self.assertEqual(action["data"]["period"], ["2026-01-01", "2026-03-31"])
        self.assertIn("date_from=2026-01-01", wizard.action_xlsx()["url"])
        wizard.date_from = "2026-05-01"
        with self.assertRaises(UserError):
            wizard.action_pdf()
