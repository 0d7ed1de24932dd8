from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestRebatePortal(ChannelRebateCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._program("PORTAL", [(0, 10), (1000, 25)], name="Portal volume rebate")
        cls._invoice([1200, 800], "2026-01-10")
        cls._invoice(4000, "2026-01-10", member=cls.other_dealer)
        cls.program.accrue("2026-03-31")
        Balance = cls.env["channel.rebate.balance"]
        cls.own = Balance.search([("program_id", "=", cls.program.id), ("member_id", "=", cls.dealer.id)])
        cls.foreign = Balance.search([("program_id", "=", cls.program.id), ("member_id", "=", cls.other_dealer.id)])

    def setUp(self):
        super().setUp()
        self.authenticate("channel_portal", "channel_portal")

    def test_list_and_detail(self):
        page = self.url_open("/my/channel/rebates")
        self.assertEqual(page.status_code, 200)
        self.assertIn("Portal volume rebate", page.text)
        self.assertIn("500.00", page.text)
        self.assertNotIn("1,000.00</span></span>", page.text.split("Open: ")[0])
        page = self.url_open(f"/my/channel/rebates/{self.own.id}")
        self.assertIn("25 % of", page.text)
        self.assertIn("300.00", page.text)

    @mute_logger("odoo.http")
    def test_foreign_balance(self):
        page = self.url_open(f"/my/channel/rebates/{self.foreign.id}", allow_redirects=False)
        self.assertEqual(page.status_code, 303)
        page = self.url_open(f"/channel/rebates/{self.other_dealer.id}/statement.xlsx")
        self.assertEqual(page.status_code, 404)

    @mute_logger("odoo.http")
    def test_statement_files(self):
        url = "/my/channel/rebates/statement.%s?date_from=2026-01-01&date_to=2026-03-31"
        page = self.url_open(url % "xlsx")
        self.assertEqual(page.status_code, 200)
        self.assertEqual(page.content[:2], b"PK")
        # under test Odoo answers with the HTML that would be rendered; the PDF itself is in test_statement
        page = self.url_open(url % "pdf", timeout=60)
        self.assertEqual((page.status_code, page.headers["Content-Type"]), (200, "application/pdf"))
        self.assertIn("Portal volume rebate", page.text)
        self.assertEqual(self.url_open(url % "exe").status_code, 404)
        self.assertEqual(self.url_open("/my/channel/rebates/statement.xlsx?date_from=yesterday").status_code, 404)

    def test_staff_download(self):
        self.authenticate("channel_finance", "channel_finance")
        page = self.url_open(
            f"/channel/rebates/{self.dealer.id}/statement.xlsx?date_from=2026-01-01&date_to=2026-03-31"
        )
        self.assertEqual(page.content[:2], b"PK")
