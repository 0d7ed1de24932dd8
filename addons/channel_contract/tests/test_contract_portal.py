from datetime import date
from unittest.mock import patch

from odoo import http
from odoo.tests import HttpCase, JsonRpcException, new_test_user, tagged
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
        cls.foreign = cls._channel_contract(
            cls.other_dealer,
            approve=False,
            contract_values={"title": "Foreign agreement"},
            clause_ids=cls._channel_clause_commands("Secret"),
        )
        cls.foreign.version_ids.document_ids = cls.env["ir.attachment"].create(
            {
                "name": "secret.txt",
                "raw": b"annex of the other",
                "res_model": "channel.contract.version",
                "res_id": cls.foreign.version_ids.id,
            }
        )
        cls.foreign.version_ids.with_user(cls.user_manager).action_approve()
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
        for text in ("Own agreement", "Test Table", "annex.txt"):
            self.assertIn(text, page)
        self.assertIn(self.own.version_ids._portal_read_url(), page)

    def test_clauses_are_read_on_the_page(self):
        page = self._get(self.own.version_ids._portal_read_url()).text
        for text in ("Own agreement", "Text of Quality", "Test Table", "Comment"):
            self.assertIn(text, page)

    def _post(self, version, **values):
        return self.url_open(
            f"/my/channel/contracts/{version.contract_id.id}/versions/{version.id}/comment",
            data={"csrf_token": http.Request.csrf_token(self), **values},
            allow_redirects=False,
        )

    def test_member_comments_on_a_clause(self):
        version = self.own.version_ids
        answer = self._post(version, body="Too <b>strict</b>", line_id=version.clause_ids.id)
        self.assertIn(f"#clause_{version.clause_ids.id}", answer.headers["Location"])
        comment = version.comment_ids
        self.assertRecordValues(
            comment,
            [{"line_id": version.clause_ids.id, "side": "member", "author_id": self.user_portal.partner_id.id}],
        )
        page = self._get(version._portal_read_url()).text
        self.assertIn("Too &lt;b&gt;strict&lt;/b&gt;", page)
        self._post(version, body="Still", parent_id=comment.id)
        self.assertEqual(comment.reply_ids.body, "Still")

    def test_comment_that_cannot_be_taken_says_why(self):
        version = self.own.version_ids
        self._post(version, body="  ")
        self.assertIn("The comment is empty", self._get(version._portal_read_url()).text)
        self.assertNotIn("The comment is empty", self._get(version._portal_read_url()).text)
        self.assertFalse(version.comment_ids)

    def test_comments_within_an_hour_are_limited(self):
        self.env["ir.config_parameter"].set_param("channel_member.portal_limit_post", "1")
        version = self.own.version_ids
        with patch.object(type(self.env["channel.portal.hit"]), "_hit", lambda self, kind, address: 60):
            self._post(version, body="Once too often")
        self.assertFalse(version.comment_ids)
        self.assertIn("Too many comments", self._get(version._portal_read_url()).text)

    def test_nobody_comments_on_another_s_contract(self):
        version, line = self.foreign.version_ids, self.foreign.version_ids.clause_ids
        comment = version.sudo().with_user(self.user_portal_west).comment("Mine", line_id=line.id)
        own = self.own.version_ids
        for target, values in (
            (version, {"body": "Intruder"}),
            (own, {"body": "Intruder", "line_id": line.id}),
            (own, {"body": "Intruder", "parent_id": comment["id"]}),
            (own, {"body": "Intruder", "line_id": "1; DROP"}),
        ):
            with self.subTest(values), mute_logger("odoo.http"):
                self._post(target, **values)
        found = self.env["channel.contract.comment"].search([("body", "=", "Intruder")])
        self.assertEqual((found.version_id, found.line_id.id), (own, False), "What is no number names no clause")
        self.assertEqual(len(version.comment_ids), 1)

    def test_what_changed_is_shown_for_own_versions_only(self):
        first = self.own.version_ids
        second = self.env["channel.contract.version"].browse(self.own.action_new_version()["res_id"])
        second.valid_from = date(2026, 1, 1)
        second.clause_ids.body = "<p>Text of all Quality</p>"
        url = f"/my/channel/contracts/{self.own.id}/compare?before={first.id}&after={second.id}"
        self.assertNotEqual(self._get(url).status_code, 200, "A draft that nobody has shared")
        second.with_user(self.user_manager).action_approve()
        self.assertIn("<ins>all </ins>", self._get(url).text)
        foreign = self.foreign.version_ids.id
        for before, after in ((foreign, first.id), (first.id, foreign), ("", ""), ("x", "y")):
            url = f"/my/channel/contracts/{self.own.id}/compare?before={before}&after={after}"
            self.assertNotEqual(self._get(url).status_code, 200)

    def test_shared_draft_is_read(self):
        version = self.draft.version_ids
        self.assertNotEqual(self._get(version._portal_read_url()).status_code, 200)
        version.action_share()
        page = self._get(version._portal_read_url()).text
        self.assertIn("A draft to discuss", page)
        self.assertIn("Unapproved agreement", self._get("/my/channel/contracts").text)

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
        comparison = self.env["channel.contract.comparison"].create(
            {"before_id": version.id, "after_id": version.copy({"valid_from": date(2027, 1, 1)}).id}
        )
        urls = [
            f"/my/channel/contracts/{self.foreign.id}",
            f"/my/channel/contracts/{self.foreign.id}?access_token={token}",
            f"/my/channel/contracts/{self.foreign.id}/versions/{version.id}",
            f"/my/channel/contracts/{self.own.id}/versions/{version.id}",
            f"/my/channel/contracts/{self.foreign.id}/versions/{version.id}?report_type=html&access_token={token}",
            f"/my/channel/contracts/{self.foreign.id}/versions/{version.id}/read?access_token={token}",
            f"/my/channel/contracts/{self.own.id}/versions/{version.id}/read",
            f"/my/channel/contracts/{self.foreign.id}/documents/{document.id}",
            f"/my/channel/contracts/{self.own.id}/documents/{document.id}",
            f"/my/channel/contracts/{self.draft.id}",
            f"/my/channel/contracts/{self.draft.id}/versions/{self.draft.version_ids.id}?report_type=html",
            f"/report/html/channel_contract.report_contract/{version.id}",
            f"/report/pdf/channel_contract.report_contract/{version.id}",
            f"/my/channel/contracts/{self.draft.id}/versions/{self.draft.version_ids.id}/read",
            f"/report/pdf/channel_contract.report_comparison/{comparison.id}",
            f"/report/html/channel_contract.report_comparison/{comparison.id}",
            f"/web/content/{document.id}",
            f"/web/content/channel.contract.clause.line/{version.clause_ids.id}/body",
            f"/web/content/channel.contract.version/{version.id}/difference_html",
        ]
        for url in urls:
            with self.subTest(url), mute_logger("odoo.http"):
                answer = self._get(url)
                self.assertNotIn(b"Secret", answer.content)
                self.assertNotIn(b"annex of the other", answer.content)
                self.assertNotEqual(answer.status_code, 200)
        image = self._get(f"/web/image/{document.id}")
        self.assertNotIn(b"annex of the other", image.content, "A picture stands in for what may not be seen")

    def test_other_member_reads_its_own(self):
        self.authenticate("channel_portal_west", "channel_portal_west")
        page = self._get("/my/channel/contracts").text
        self.assertIn("Foreign agreement", page)
        self.assertNotIn("Own agreement", page)

    def test_visitors_are_asked_to_log_in(self):
        self.authenticate(None, None)
        for url in ("/my/channel/contracts", f"/my/channel/contracts/{self.own.id}"):
            self.assertIn("/web/login", self._get(url).headers["Location"])

    def _rpc(self, model, method, *args, **kwargs):
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/{model}/{method}", {"model": model, "method": method, "args": args, "kwargs": kwargs}
        )

    def test_nothing_of_another_member_by_rpc(self):
        version = self.foreign.version_ids
        comment_id = version.with_user(self.user_portal_west).comment("Secret", line_id=version.clause_ids.id)["id"]
        asked = (
            ("channel.contract", "read", [self.foreign.id], ["title"]),
            ("channel.contract", "terms_at", [self.foreign.id]),
            ("channel.contract.version", "read", [version.id], ["purpose"]),
            ("channel.contract.version", "comments", [version.id]),
            ("channel.contract.version", "compare", [self.own.version_ids.id], version.id),
            ("channel.contract.version", "comment", [version.id], "Intruder"),
            ("channel.contract.clause.line", "read", [version.clause_ids.id], ["text"]),
            ("channel.contract.comment", "read", [comment_id], ["body"]),
            ("channel.contract.comment", "resolve", [comment_id]),
            ("channel.contract.comment", "create", [{"version_id": self.own.version_ids.id, "body": "Intruder"}]),
            ("channel.contract.clause.line", "write", [self.own.version_ids.clause_ids.id], {"body": "Intruder"}),
            ("channel.contract.clause.line", "write", [version.clause_ids.id], {"body": "Intruder"}),
            ("channel.contract.clause.line", "unlink", [version.clause_ids.id]),
            ("channel.contract.clause.line", "read", [self.own.version_ids.clause_ids.id], ["deviation_reason"]),
            ("channel.contract.comparison", "create", [{"after_id": version.id}]),
        )
        for model, method, *args in asked:
            with self.subTest(model=model, method=method), mute_logger("odoo.http"):
                with self.assertRaisesRegex(JsonRpcException, "AccessError") as refusal:
                    self._rpc(model, method, *args)
                self.assertNotIn("Foreign agreement", str(refusal.exception))
        self.assertEqual(self._rpc("channel.contract.comment", "search_read", [], ["body"]), [])
        lines = self._rpc("channel.contract.clause.line", "search_read", [], ["title"])
        self.assertEqual([line["title"] for line in lines], ["Quality"])

    def test_own_comments_by_rpc(self):
        version = self.own.version_ids
        said = self._rpc("channel.contract.version", "comment", [version.id], "Hello", line_id=version.clause_ids.id)
        self.assertEqual((said["clause"], said["side"]), ("Quality", "member"))
        self.assertEqual(self._rpc("channel.contract.version", "comments", [version.id]), [said])
