from odoo.tests import BaseCase, tagged

from ..tools import clause_text
from ..tools.word_diff import line_diff, plain_lines, word_diff, words


@tagged("post_install", "-at_install")
class TestWordDiff(BaseCase):
    def test_only_the_words_that_changed_are_marked(self):
        self.assertEqual(
            word_diff("<p>Pay in <b>30 days</b> by transfer.</p>", "<p>Pay in <b>45 days</b> by transfer.</p>"),
            "<p>Pay in <del>30 </del><ins>45 </ins>days by transfer.</p>",
        )

    def test_chinese_is_compared_character_by_character_and_numerals_as_one(self):
        self.assertEqual(
            word_diff("<p>收货后三十日内付款。</p>", "<p>收货后四十五日内转账付款。</p>"),
            "<p>收货后<del>三十</del><ins>四十五</ins>日内<ins>转账</ins>付款。</p>",
        )

    def test_numbers_percentages_and_variables_are_words(self):
        self.assertEqual(
            word_diff("<p>1,000.00 at 5% from {{ valid_from }}</p>", "<p>1,200.00 at 6% from {{ valid_to }}</p>"),
            "<p><del>1,000.00 </del><ins>1,200.00 </ins>at <del>5% </del><ins>6% </ins>from "
            "<del>{{ valid_from }}</del><ins>{{ valid_to }}</ins></p>",
        )

    def test_layout_is_no_change(self):
        self.assertEqual(words("<p>One <b>two</b></p><p>three</p>"), words("<div>One two<br/> three</div>"))
        self.assertNotEqual(words("<p>One two</p>"), words("<p>One  two three</p>"))

    def test_paragraphs_lists_and_tables_are_lines(self):
        self.assertEqual(
            plain_lines("<p>A\n b</p><ul><li>x</li><li>y</li></ul><table><tr><td>1</td><td>2</td></tr></table>"),
            "A b\n• x\n• y\n1 | 2",
        )
        self.assertEqual(
            word_diff("<p>One.</p>", "<p>One.</p><p>Two.</p><p>Three.</p>"),
            "<p>One.</p><p><ins>Two.</ins></p><p><ins>Three.</ins></p>",
        )

    def test_nothing_on_one_side_or_both(self):
        self.assertEqual(word_diff("", "<p>New</p>"), "<p><ins>New</ins></p>")
        self.assertEqual(word_diff("<p>Old</p>", False), "<p><del>Old</del></p>")
        self.assertEqual(word_diff(False, ""), "")

    def test_markup_in_the_text_stays_text(self):
        self.assertEqual(
            word_diff("<p>a</p>", "<p>a &lt;script&gt;</p>"), "<p>a <ins>&lt;script&gt;</ins></p>"
        )
        self.assertEqual(line_diff("Price <= 5", "Price <= 6"), "Price &lt;= <del>5</del><ins>6</ins>")

    def test_comments_and_broken_markup_do_not_stop_it(self):
        self.assertEqual(plain_lines("<p>a<!-- hidden -->b"), "ab")
        self.assertEqual(plain_lines("<!-- only -->"), "")


@tagged("post_install", "-at_install")
class TestClauseText(BaseCase):
    def test_values_are_escaped_and_markup_is_not(self):
        self.assertEqual(clause_text.render("<p>{{ name }}</p>", {"name": "A & <b>"}), "<p>A &amp; &lt;b&gt;</p>")

    def test_default_where_there_is_no_value(self):
        text = "until {{ valid_to ||| further notice }}"
        self.assertEqual(clause_text.render(text, {"valid_to": ""}), "until further notice")
        self.assertEqual(clause_text.empty(text, {"valid_to": ""}), [])
        self.assertEqual(clause_text.empty("{{ valid_to }}", {"valid_to": ""}), ["valid_to"])

    def test_only_known_names_are_evaluated(self):
        for expression in ("object", "name.upper()", "1 + 1", "env.cr", "[].__class__", "<b>name</b>", "user"):
            with self.subTest(expression):
                text = "{{ %s }}" % expression  # noqa: UP031
                self.assertEqual(clause_text.unknown(text, {"name"}), [expression])
                self.assertEqual(clause_text.render(text, {"name": "x"}), text)

    def test_braces_without_their_other_half(self):
        self.assertEqual(clause_text.unknown("{{ name", {"name"}), ["{{"])
        self.assertEqual(clause_text.unknown("name }}", {"name"}), ["}}"])
        self.assertEqual(clause_text.unknown("{{ name }} { }", {"name"}), [])
