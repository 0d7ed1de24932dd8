import base64
import re

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged

from .account_common import ChannelAccountCommon

URL = "/my/channel/account"


class ChannelAccountSentCommon(ChannelAccountCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls._bill(1000, "2025-01-05", due="2025-01-20")
        cls.second = cls._bill(40, "2025-01-10", refund=True)
        cls.foreign_bill = cls._bill(7, "2025-01-12", currency=cls.foreign)
        cls._bill(5, "2025-01-07", member=cls.other_dealer)

    def setUp(self):
        super().setUp()
        self.statement = self._send()
        self.west = self._send(member=self.other_dealer)

    def _match(self, *rows, user=None, currency=None, **values):
        content = "\n".join(["单据,金额,日期", *rows]).encode()
        return self.env["channel.account.match"].with_user(user or self.user_finance).create({
            "statement_id": self.statement.id, "currency_id": (currency or self.company.currency_id).id,
            "file": base64.b64encode(content), "file_name": "mine.csv", **values,
        })


@tagged("post_install", "-at_install")
class TestAccountMatch(ChannelAccountSentCommon):
    """The dealer's own ledger beside the statement: what differs is a task."""

    def _found(self, match):
        return sorted((line.result, line.difference) for line in match.difference_ids)

    def test_matched_by_number_amount_date_and_tolerance(self):
        first, second = self.first.name, self.second.name
        match = self._match(f"{first.lower()},1000,2025-01-05", f"{second},-40,2025-01-10")
        self.assertEqual((match.matched_count, self._found(match)), (2, []))
        match = self._match(f"{first},1000.01,2025-01-05", f"{second},-39,2025-01-10")
        self.assertEqual(self._found(match), [("different", 1)])
        match = self._match(f"{first},1000,2025-01-08", f"{second},-40,")
        self.assertEqual(self._found(match), [("dated", 0)])
        match = self._match(f"{first},1000,2025-01-08", f"{second},-40,", days=3, tolerance=5)
        self.assertEqual(self._found(match), [])

    def test_mistyped_and_missing_numbers(self):
        match = self._match(f"{self.first.name}X,1000,", "ELSEWHERE,77,")
        self.assertEqual((match.matched_count, self._found(match)), (1, [("ours", 40), ("theirs", 77)]))

    def test_currencies_are_compared_apart(self):
        match = self._match(f"{self.foreign_bill.name},7,", currency=self.foreign)
        self.assertEqual((match.matched_count, self._found(match)), (1, []))

    def test_differences_are_tasks_until_a_later_file_agrees(self):
        match = self._match(f"{self.first.name},900,")
        self.assertEqual(self._found(match), [("different", -100), ("ours", 40)])
        self.assertEqual(match.difference_ids.activity_ids.user_id, self.user_finance)
        self.assertEqual(self.statement.open_difference_count, 2)
        self._match(f"{self.first.name},1000,", f"{self.second.name},-40,")
        self.assertEqual(set(match.difference_ids.mapped("state")), {"solved"})
        self.assertFalse(match.difference_ids.activity_ids)
        with self.assertRaises(UserError):
            match.tolerance = 5

    def test_bad_rows_and_files(self):
        match = self._match(f"{self.first.name},much,", ",5,", f"{self.second.name},-40,1/2/2025")
        self.assertEqual(len(match.bad_rows.splitlines()), 3)
        for content in (b"", b"A,B\n1,2", b"PK broken"):
            with self.assertRaises(UserError), self.cr.savepoint():
                self.env["channel.account.match"].create({
                    "statement_id": self.statement.id, "file": base64.b64encode(content), "file_name": "x",
                })

    def test_a_fapiao_number_is_a_number(self):
        if "fapiao" not in self.env["account.move"]._fields:
            self.skipTest("needs l10n_cn")
        self.first.fapiao = "12345678"
        self.statement = self._send()
        match = self._match("12345678,1000,", f"{self.second.name},-40,")
        self.assertEqual((match.matched_count, self._found(match)), (2, []))

    def test_who_compares(self):
        for user in (self.user_manager, self.user_sales, self.user_portal):
            with self.assertRaises(AccessError):
                self._match(f"{self.first.name},1000,", user=user)
        self.statement._confirm()
        with self.assertRaises(UserError):
            self._match(f"{self.first.name},1000,")


@tagged("post_install", "-at_install")
class TestAccountPortal(ChannelAccountSentCommon, HttpCase):
    """A dealer answers its own statements, and learns nothing of those of others."""

    def setUp(self):
        super().setUp()
        self.authenticate("channel_portal", "channel_portal")
        self.url = f"{URL}/{self.statement.id}"

    def _post(self, path, files=None, url=None, **values):
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.url_open(self.url).text).group(1)
        return self.url_open(f"{url or self.url}/{path}", data={"csrf_token": token, **values}, files=files)

    def test_read_and_confirm(self):
        self.assertIn(self.statement.name, self.url_open(URL).text)
        page = self.url_open(self.url).text
        self.assertIn(self.first.name, page)
        self.assertRegex(page, r"<textarea[^>]*name=\"words\"")
        self.assertRegex(page, r"11</?[^<]*>? ?days overdue|11 days overdue")
        self._post("answer", answer="confirm")
        self.assertRecordValues(self.statement, [{"state": "confirmed", "answered_by_id": self.user_portal.id}])
        self.assertTrue(self.statement.answered_from)
        self.assertEqual(self.statement.state, "confirmed")

    def test_dispute_a_line(self):
        page = self._post("answer", answer="dispute", words=" ")
        self.assertIn("Say what is wrong", page.text)
        key = self._lines(self.statement, "invoices")[0]["key"]
        page = self._post("answer", answer="dispute", **{f"reason_{key}": "Price", "reason_entry_0": "x"})
        self.assertEqual(self.statement.state, "disputed")
        self.assertRecordValues(self.statement.difference_ids, [{"line_key": key, "reason": "Price", "state": "open"}])
        self.assertIn("Price", page.text)

    def test_compare(self):
        file = f"Document,Amount\n{self.first.name},900\n{self.second.name},-40".encode()
        page = self._post("compare", files=[("file", ("mine.csv", file))], currency="USD")
        self.assertIn("Another amount", page.text)
        self.assertRecordValues(self.statement.match_ids, [
            {"file_name": "mine.csv", "matched_count": 1, "create_uid": self.user_portal.id}
        ])
        page = self._post("compare", files=[("file", ("mine.csv", b"PK"))])
        self.assertIn("cannot be read", page.text)

    def test_files(self):
        self.assertEqual(self.url_open(f"{self.url}/file.xlsx").content[:2], b"PK")
        # Reports are drawn as HTML while tests run
        self.assertIn(self.first.name, self.url_open(f"{self.url}/file.pdf").text)

    def test_guessed_ids(self):
        draft = self._make("2025-02")
        for statement in (self.west, draft):
            url = f"{URL}/{statement.id}"
            self.assertNotIn(statement.name, self.url_open(url).text)
            self.assertNotEqual(self.url_open(f"{url}/file.xlsx").content[:2], b"PK")
            before = statement.state
            self._post("answer", url=url, answer="confirm")
            self._post("compare", url=url, files=[("file", ("x.csv", b"Document,Amount\nX,1"))])
            self.assertEqual((statement.state, len(statement.match_ids)), (before, 0))
        self.west._dispute({}, "All")
        portal = self.env(user=self.user_portal)
        self.assertEqual(portal["channel.account.statement"].search([]), self.statement)
        self.assertFalse(portal["channel.account.difference"].search([]))
        with self.assertRaises(AccessError):
            portal["channel.account.statement"].browse(self.west.id).compare()
        with self.assertRaises(AccessError):
            self.statement.with_user(self.user_portal).write({"answer": "x"})
