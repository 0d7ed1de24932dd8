from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractPortal(ChannelContractCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        document = cls.env["ir.attachment"].create({"name": "annex.txt", "raw": b"annex of the dealer"})
        cls.own = cls._channel_contract(
            cls.dealer,
            contract_values={"title": "Own agreement"},
            clause_ids=cls._channel_clause_commands("Quality"),
            document_ids=[(6, 0, document.ids)],
            pricelist_id=cls.table.id,
        )
        foreign_document = cls.env["ir.attachment"].create({"name": "secret.txt", "raw": b"annex of the other"})
        cls.foreign = cls._channel_contract(
            cls.other_dealer,
            contract_values={"title": "Foreign agreement"},
            clause_ids=cls._channel_clause_commands("Secret"),
            document_ids=[(6, 0, foreign_document.ids)],
        )
        cls.draft = cls._channel_contract(cls.dealer, approve=False, contract_values={"title": "Unapproved agreement"})
        cls.user_portal_west = new_test_user(
            cls.env,
            login="channel_portal_west",
            groups="base.group_portal",
            partner_id=cls.env["res.partner"].create({"name": "West Buyer", "parent_id": cls.other_dealer.id}).id,
        )

    def setUp(self):
        super().setUp()
        self.authenticate("channel_portal", "channel_portal")

    def _get(self, url):
        return self.url_open(url, allow_redirects=False)

    def test_list_shows_own_approved_contracts(self):
        page = self._get("/my/channel/contracts").text
        self.assertIn("Own agreement", page)
        self.assertNotIn("Foreign agreement", page)
        self.assertNotIn("Unapproved agreement", page)

    def test_detail_shows_terms_and_documents(self):
        page = self._get(f"/my/channel/contracts/{self.own.id}").text
        for text in ("Own agreement", "Text of Quality", "Test Table", "annex.txt"):
            self.assertIn(text, page)

    def test_pdf_of_the_own_version(self):
        url = f"/my/channel/contracts/{self.own.id}/versions/{self.own.version_ids.id}?download=true"
        answer = self._get(url)
        self.assertEqual((answer.status_code, answer.headers["Content-Type"]), (200, "application/pdf"))
        self.assertIn(self.own.name.replace("-", "_"), answer.headers["Content-Disposition"])
        # During tests Odoo hands out the HTML from which the PDF is made
        self.assertIn(b"Text of Quality", answer.content)

    def test_document_of_the_own_version(self):
        url = f"/my/channel/contracts/{self.own.id}/documents/{self.own.version_ids.document_ids.id}"
        self.assertEqual(self._get(url).content, b"annex of the dealer")

    def test_nothing_of_another_member_opens_with_a_guessed_id(self):
        version, document = self.foreign.version_ids, self.foreign.version_ids.document_ids
        token = self.foreign.sudo()._portal_ensure_token()
        urls = [
            f"/my/channel/contracts/{self.foreign.id}",
            f"/my/channel/contracts/{self.foreign.id}?access_token={token}",
            f"/my/channel/contracts/{self.foreign.id}/versions/{version.id}",
            f"/my/channel/contracts/{self.own.id}/versions/{version.id}",
            f"/my/channel/contracts/{self.foreign.id}/versions/{version.id}?report_type=html&access_token={token}",
            f"/my/channel/contracts/{self.foreign.id}/documents/{document.id}",
            f"/my/channel/contracts/{self.own.id}/documents/{document.id}",
            f"/my/channel/contracts/{self.draft.id}",
            f"/my/channel/contracts/{self.draft.id}/versions/{self.draft.version_ids.id}?report_type=html",
            f"/report/html/channel_contract.report_contract/{version.id}",
            f"/report/pdf/channel_contract.report_contract/{version.id}",
            f"/web/content/{document.id}",
            f"/web/content/channel.contract.version/{version.id}/difference_html",
        ]
        for url in urls:
            with self.subTest(url), mute_logger("odoo.http"):
                answer = self._get(url)
                self.assertNotIn(b"Secret", answer.content)
                self.assertNotIn(b"annex of the other", answer.content)
                self.assertNotEqual(answer.status_code, 200)

    def test_other_member_reads_its_own(self):
        self.authenticate("channel_portal_west", "channel_portal_west")
        page = self._get("/my/channel/contracts").text
        self.assertIn("Foreign agreement", page)
        self.assertNotIn("Own agreement", page)

    def test_visitors_are_asked_to_log_in(self):
        self.authenticate(None, None)
        for url in ("/my/channel/contracts", f"/my/channel/contracts/{self.own.id}"):
            self.assertIn("/web/login", self._get(url).headers["Location"])
