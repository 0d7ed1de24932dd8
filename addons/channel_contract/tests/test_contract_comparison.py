from datetime import date
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractComparison(ChannelContractCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agreed = cls._channel_contract(
            cls.dealer,
            lang="en_US",
            notice_days=30,
            clause_ids=[
                Command.create({"sequence": place, "title": title, "body": f"<p>Text of {title}.</p>"})
                for place, title in enumerate(("Subject", "Prices", "Quality", "Term", "Law"))
            ],
            commitment_ids=[Command.create({"name": "Stents", "amount": 1000})],
        )
        cls.first = cls.agreed.version_ids
        cls.second = cls.env["channel.contract.version"].browse(cls.agreed.action_new_version()["res_id"])
        cls.second.valid_from = date(2026, 1, 1)

    def _line(self, version, title):
        return version.clause_ids.filtered(lambda line: line.title == title)

    def _statuses(self):
        self.second.invalidate_recordset(["clause_ids"])
        return [
            (clause["title"], clause["status"], clause["moved"], clause["number_before"], clause["number_after"])
            for clause in self.second.compare(self.first.id)["clauses"]
        ]

    def test_copy_says_the_same(self):
        comparison = self.second.compare(self.first.id)
        self.assertEqual({clause["status"] for clause in comparison["clauses"]}, {"same"})
        self.assertEqual({clause["body"] for clause in comparison["clauses"]}, {""})
        self.assertEqual([term["path"] for term in comparison["terms"]], ["valid_from"])

    def test_changed_words_terms_and_commitments(self):
        self._line(self.second, "Prices").body = "<p>Text of all Prices.</p>"
        self.second.notice_days = 60
        self.second.commitment_ids.amount = 1500
        comparison = self.second.compare(self.first.id)
        [changed] = [clause for clause in comparison["clauses"] if clause["status"] != "same"]
        self.assertEqual((changed["title"], changed["status"]), ("Prices", "changed"))
        self.assertEqual(changed["body"], "<p>Text of <ins>all </ins>Prices.</p>")
        self.assertEqual(
            {term["path"]: (term["before"], term["after"]) for term in comparison["terms"][1:]},
            {"notice_days": (30, 60), "commitment_ids[Stents].amount": (1000, 1500)},
        )

    def test_inserted_deleted_and_moved(self):
        self._line(self.second, "Quality").unlink()
        self._line(self.second, "Law").sequence = -1
        self.second.clause_ids = [Command.create({"sequence": 2, "title": "Recall", "body": "<p>Recall.</p>"})]
        self.assertEqual(
            self._statuses(),
            [
                ("Law", "same", True, 5, 1),
                ("Subject", "same", False, 1, 2),
                ("Prices", "same", False, 2, 3),
                ("<del>Quality</del>", "deleted", False, 3, None),
                ("<ins>Recall</ins>", "inserted", False, None, 4),
                ("Term", "same", False, 4, 5),
            ],
        )

    def test_clause_is_found_again_under_another_title(self):
        self._line(self.second, "Law").title = "Governing Law"
        self.assertEqual(self._statuses()[-1], ("<ins>Governing </ins>Law", "changed", False, 5, 5))

    def test_clause_written_anew_is_found_by_the_library_or_its_title(self):
        clause = self._channel_clause("Recall", "Recall within a day.")
        first, second = (
            self._channel_contract(
                self.dealer,
                approve=False,
                lang="en_US",
                clause_ids=[
                    *self._channel_library_lines(clause),
                    *self._channel_clause_commands("Own"),
                ],
            ).version_ids
            for _number in range(2)
        )
        second.clause_ids[0].title = "Product recall"
        self.assertEqual(
            [clause["status"] for clause in second.compare(first.id)["clauses"]], ["changed", "same"]
        )

    def test_clause_left_out_counts_as_deleted(self):
        clause = self._channel_clause("Recall", "Recall within a day.", mandatory=True)
        version = self._channel_contract(
            self.dealer, approve=False, lang="en_US", clause_ids=self._channel_library_lines(clause)
        ).version_ids
        after = version.copy({"valid_from": date(2026, 1, 1)})
        after.clause_ids.write({"omitted": True, "deviation_reason": "Nothing to recall"})
        [compared] = after.compare(version.id)["clauses"]
        self.assertEqual((compared["status"], compared["number_after"]), ("deleted", None))
        [compared] = version.compare(after.id)["clauses"]
        self.assertEqual(compared["status"], "inserted")

    def test_second_language_is_compared_too(self):
        line = self._line(self.second, "Law")
        line.write({"second_title": "法律", "second_body": "<p>中国法律。</p>"})
        compared = self.second.compare(self.first.id)["clauses"][-1]
        self.assertEqual((compared["status"], compared["second_body"]), ("changed", "<p><ins>中国法律。</ins></p>"))

    def test_changes_of_a_draft_are_shown_word_by_word(self):
        self.assertIn("2026-01-01", self.second.difference_html)
        self._line(self.second, "Prices").body = "<p>Text of all Prices.</p>"
        self.second.invalidate_recordset(["difference_html"])
        html = self.second.difference_html
        self.assertIn("<ins>all </ins>", html)
        self.assertNotIn("Subject", html)
        self.assertFalse(self.first.difference_html)

    def test_wizard_takes_any_two(self):
        self._line(self.second, "Prices").body = "<p>Text of all Prices.</p>"
        user = self.user_sales
        action = self.second.with_user(user).action_compare()
        wizard = self.env["channel.contract.comparison"].with_user(user).browse(action["res_id"])
        self.assertEqual((wizard.before_id, wizard.after_id), (self.first, self.second))
        self.assertIn("<ins>all </ins>", wizard.html)
        self.assertNotIn("Unchanged", wizard.html)
        with Form(wizard) as form:
            form.only_changes = False
            self.assertIn("Unchanged", form.html)
            form.before_id = self.second
            self.assertFalse(form.html)
        with self.assertRaises(UserError):
            wizard.action_print()
        both = (self.second | self.first).with_user(user).action_compare()
        self.assertEqual(wizard.browse(both["res_id"]).before_id, self.first)
        with self.assertRaises(UserError):
            (self.first | self.second | self.contract.version_ids).action_compare()

    def test_printed_comparison(self):
        self._line(self.second, "Prices").body = "<p>Text of all Prices.</p>"
        wizard = self.env["channel.contract.comparison"].browse(self.second.action_compare()["res_id"])
        html = self.env["ir.actions.report"]._render_qweb_html(
            "channel_contract.channel_contract_comparison_report", wizard.ids
        )[0]
        self.assertIn("<ins>all </ins>", html.decode())
        self.assertIn(self.agreed.name, html.decode())

    def test_only_versions_that_the_user_may_read(self):
        foreign = self.contract_west.version_ids
        with self.assertRaises(AccessError):
            self.first.with_user(self.user_sales).compare(foreign.id)
        with self.assertRaises(AccessError):
            self.first.with_user(self.user_portal).compare(self.second.id)
        self.assertTrue(self.first.with_user(self.user_portal).compare(self.first.id)["clauses"])

    def test_member_compares_terms_that_name_what_it_may_not_open(self):
        self.second.commitment_ids.product_tmpl_ids = self.device.product_tmpl_id
        self.second.with_user(self.user_manager).action_approve()
        comparison = self.second.with_user(self.user_portal).compare(self.first.id)
        self.assertIn("commitment_ids[Stents].product_tmpl_ids", [term["path"] for term in comparison["terms"]])
        with patch.object(self.env.registry["channel.contract.version"].notice_days, "groups", "base.group_no_one"):
            self.assertFalse(self.second.with_user(self.user_portal)._may_read_term("notice_days"))
        self.assertTrue(self.second.with_user(self.user_portal)._may_read_term("notice_days"))

    def test_number_of_queries_does_not_depend_on_the_clauses(self):
        def versions(count):
            version = self._channel_contract(
                self.dealer,
                approve=False,
                lang="en_US",
                clause_ids=[
                    Command.create({"sequence": place, "title": f"Clause {place}", "body": f"<p>Text {place}</p>"})
                    for place in range(count)
                ],
            ).version_ids
            after = version.copy({"valid_from": date(2026, 1, 1)})
            for line in after.clause_ids[::10]:
                line.body = "<p>Other</p>"
            return version, after

        def queries(before, after):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            after.compare(before.id)
            return self.env.cr.sql_log_count - start

        few, many = versions(10), versions(300)
        queries(*few)
        self.assertLessEqual(queries(*many), queries(*few) + 5)
