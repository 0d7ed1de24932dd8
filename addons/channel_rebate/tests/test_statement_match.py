import base64
import re

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged

from .test_statement_sent import ChannelStatementCommon


@tagged("post_install", "-at_install")
class TestStatementMatch(ChannelStatementCommon, HttpCase):
    """A payee compares a statement with its own file."""

    def setUp(self):
        super().setUp()
        self._invoice(500, "2026-02-10")
        self.program.accrue("2026-03-31")
        self.statement = self._make()
        lines = self.statement.content["programs"][0]["lines"]
        self.first, self.second = sorted({line["document"] for line in lines})

    def _file(self, *rows):
        return "\n".join(["Document,Rebate", *rows]).encode()

    def _results(self, *rows):
        result = self.statement._match_file(self._file(*rows))
        return [(row["result"], row["difference"]) for row in result["rows"]]

    def test_matched_different_and_on_one_side_only(self):
        self.assertEqual(
            self._results(f"{self.first.lower()},60", f"{self.first},40", f"{self.second},55"),
            [("different", 5), ("matched", 0)],
        )
        self.assertEqual(self._results(f"{self.first},100"), [("ours", -50), ("matched", 0)])
        self.assertEqual(
            self._results(f"{self.first},100", f"{self.second},50", "ELSEWHERE,7"),
            [("theirs", 7), ("matched", 0), ("matched", 0)],
        )

    def test_the_tolerance_is_included(self):
        self.assertEqual(self._results(f"{self.first},100.01", f"{self.second},50.02"),
                         [("different", 0.02), ("matched", 0.01)])

    def test_a_mistyped_number_with_the_same_rebate(self):
        self.assertEqual(self._results(f"{self.first}X,100", f"{self.second},50"), [("matched", 0), ("matched", 0)])
        self.assertIn(("theirs", 90), self._results(f"{self.first}X,90"))

    def test_bad_rows_are_left_out_and_named(self):
        result = self.statement._match_file(self._file(f"{self.first},100", f"{self.second},much", ",5"))
        self.assertEqual([bad["row"] for bad in result["bad"]], [3, 4])
        self.assertEqual(result["counts"], {"different": 0, "dated": 0, "ours": 1, "theirs": 0, "matched": 1})
        for content in (b"", b"A,B\n1,2", b"PK broken"):
            with self.assertRaisesRegex(UserError, "Document and Rebate"):
                self.statement._match_file(content)

    def test_dates_are_compared_where_the_file_has_them(self):
        file = "\n".join([
            "单据,返利,日期", f"{self.first},100,2026-01-10", f"{self.second},50,2026-02-12",
        ]).encode()
        result = self.statement._match_file(file)
        self.assertEqual([(row["result"], row["their_date"]) for row in result["rows"]],
                         [("dated", "2026-02-12"), ("matched", "2026-01-10")])
        self.assertEqual(self.statement._match_file(file, days=2)["counts"]["dated"], 0)
        self.assertEqual(self.statement._match_file(file, days=1)["counts"]["dated"], 1)
        bad = self.statement._match_file(file.replace(b"2026-02-12", b"1/2/2026"))
        self.assertEqual([row["row"] for row in bad["bad"]], [3])

    def _match(self, *rows, user=None, **values):
        return self.env["channel.rebate.statement.match"].with_user(user or self.user_finance).create({
            "statement_id": self.statement.id, "file": base64.b64encode(self._file(*rows)), "file_name": "mine.csv",
            **values,
        })

    def test_kept_with_the_statement(self):
        match = self._match(f"{self.first},100", f"{self.second},55", f"{self.second},much")
        self.assertRecordValues(match, [{"difference": 5, "open_count": 1, "member_id": self.dealer.id}])
        self.assertIn("Row 4", match.bad_rows)
        match.tolerance = 5
        self.assertRecordValues(match, [{"difference": 5, "open_count": 0}])
        self.assertEqual(self.statement.match_ids, match)
        with self.assertRaises(UserError):
            match.tolerance = -1
        with self.assertRaises(UserError), self.cr.savepoint():
            match.file = base64.b64encode(b"PK broken")
        self.assertEqual(len(match.line_ids), 2, "nothing is lost by a file that cannot be read")

    def test_who_compares(self):
        match = self._match(f"{self.first},100")
        self.assertTrue(match.with_user(self.user_manager).line_ids)
        for user in (self.user_manager, self.user_sales, self.user_portal):
            with self.assertRaises(AccessError):
                self._match(f"{self.first},100", user=user)
        with self.assertRaises(AccessError):
            match.with_user(self.user_portal).read(["difference"])

    def test_on_the_portal(self):
        self.statement.with_user(self.user_finance).write({"state": "sent"})
        self.authenticate("channel_portal", "channel_portal")
        url = f"/my/channel/statements/{self.statement.id}/compare"
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.url_open(url).text).group(1)
        page = self.url_open(url, data={"csrf_token": token}, files=[
            ("file", ("mine.csv", self._file(f"{self.first},100", f"{self.second},55")))
        ])
        self.assertIn("Different", page.text)
        self.assertIn("/appeal?entry_id=", page.text)
        self.assertRecordValues(self.statement.match_ids, [{
            "file_name": "mine.csv", "difference": 5, "create_uid": self.user_portal.id,
        }])
        foreign = self._make(self.other_dealer)
        page = self.url_open(f"/my/channel/statements/{foreign.id}/compare")
        self.assertNotIn("Compare with your file", page.text)
