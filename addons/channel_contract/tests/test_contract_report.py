import io
from datetime import date

from pypdf import PdfReader
from reportlab.pdfgen import canvas

from odoo.fields import Command
from odoo.tests import tagged

from ..models.ir_actions_report import number_pages
from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractReport(ChannelContractCommon):
    def _html(self, version):
        report = self.env["ir.actions.report"]
        return report._render_qweb_html("channel_contract.channel_contract_report", version.ids)[0].decode()

    def test_printed_contract_says_everything_that_was_agreed(self):
        contract = self._channel_contract(
            self.dealer,
            valid_from=date(2026, 1, 1),
            pricelist_id=self.table.id,
            notice_days=45,
            company_signatory="Wang Fang, General Manager",
            clause_ids=self._channel_clause_commands("Quality", "Term"),
            commitment_ids=[Command.create({"name": "Stents", "amount": 123456})],
        )
        self._channel_authorization(self.dealer, self.region_east, contract_version_id=contract.version_ids.id)
        html = self._html(contract.version_ids)
        for text in (
            contract.name,
            contract.title,
            self.company.name,
            self.dealer.name,
            "Text of Quality",
            "Text of Term",
            "123,456",
            "45",
            "Test Table",
            "Wang Fang",
            "Test East",
        ):
            with self.subTest(text):
                self.assertIn(text, html)
        self.assertNotIn("Draft. Not valid", html)

    def test_commitment_by_quantity_prints_quantity_unit_and_scope(self):
        contract = self._channel_contract(
            self.dealer,
            approve=False,
            commitment_ids=[
                Command.create(
                    {
                        "name": "Tender volume",
                        "measure": "quantity",
                        "quantity": 1250,
                        "product_tmpl_ids": [Command.set(self.device.product_tmpl_id.ids)],
                        "region_id": self.region_east.id,
                        "customer_id": self.hospital.id,
                    }
                ),
                Command.create({"name": "Gauze", "measure": "quantity", "quantity": 2.5}),
            ],
        )
        [row, any_product] = contract.version_ids._document_commitments()
        self.assertEqual(row["committed"], f"1,250 {self.uom_unit.name}")
        for text in ("Test Catheter", "Test East", "Test Hospital"):
            self.assertIn(text, row["products"])
        self.assertEqual((any_product["committed"], any_product["products"]), ("2.50 units", "All products"))
        html = self._html(contract.version_ids)
        self.assertIn(row["committed"], html)
        self.assertNotIn("0.00", html)

    def test_draft_says_that_it_is_one(self):
        contract = self._channel_contract(self.dealer, approve=False)
        self.assertIn("Draft. Not valid", self._html(contract.version_ids))

    def test_contract_in_two_languages_has_both_of_them(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        clause = self._channel_clause(
            "Term",
            "From {{ valid_from }}.",
            texts=[{"lang": "zh_CN", "title": "期限", "body": "<p>自{{ valid_from }}起。</p>"}],
        )
        section = self.env["channel.clause.category"].create({"name": "General"})
        section.with_context(lang="zh_CN").name = "总则"
        contract = self._channel_contract(
            self.dealer,
            valid_from=date(2026, 1, 1),
            lang="zh_CN",
            second_lang="en_US",
            clause_ids=[
                Command.create(vals)
                for vals in clause._prepare_clause_line_vals("zh_CN", "en_US", {clause.id: section})
            ],
        )
        html = self._html(contract.version_ids)
        for text in ("自2026年1月1日起", "From January 1, 2026", "期限", "Term", "总则 / General", "Chinese", "英语"):
            with self.subTest(text):
                self.assertIn(text, html)

    def test_clause_left_out_is_not_printed(self):
        clause = self._channel_clause("Recall", "Recall within a day.", mandatory=True)
        contract = self._channel_contract(
            self.dealer,
            approve=False,
            lang="en_US",
            clause_ids=[*self._channel_library_lines(clause), *self._channel_clause_commands("Term")],
        )
        line = contract.version_ids.clause_ids[0]
        line.write({"omitted": True, "deviation_reason": "Nothing to recall"})
        html = self._html(contract.version_ids)
        self.assertNotIn("Recall within", html)
        self.assertNotIn("Nothing to recall", html)
        self.assertRegex(html, r"1\.\s*<span>Term")

    def test_pages_are_numbered(self):
        stream = io.BytesIO()
        paper = canvas.Canvas(stream)
        for text in ("first", "second"):
            paper.drawString(50, 500, text)
            paper.showPage()
        paper.save()
        pages = PdfReader(number_pages(stream, "CT-1 v2")).pages
        self.assertEqual(
            [" ".join(page.extract_text().split()) for page in pages],
            ["first CT-1 v2 · 1 / 2", "second CT-1 v2 · 2 / 2"],
        )
        self.assertIn("1 / 2", PdfReader(number_pages(stream, "合同一")).pages[0].extract_text())
