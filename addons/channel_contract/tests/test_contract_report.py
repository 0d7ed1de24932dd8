from datetime import date

from odoo.fields import Command
from odoo.tests import tagged

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

    def test_draft_says_that_it_is_one(self):
        contract = self._channel_contract(self.dealer, approve=False)
        self.assertIn("Draft. Not valid", self._html(contract.version_ids))
