from odoo.tests import TransactionCase, tagged

from ..tools.schema import add_column


@tagged("post_install", "-at_install")
class TestSchema(TransactionCase):
    """Columns of large tables are added with one value for all rows."""

    def setUp(self):
        super().setUp()
        self.env.cr.execute("CREATE TABLE channel_test_rows (id int4)")
        self.env.cr.execute("INSERT INTO channel_test_rows VALUES (1), (2)")

    def _values(self):
        self.env.cr.execute("SELECT id, added FROM channel_test_rows ORDER BY id")
        return self.env.cr.fetchall()

    def test_rows_that_exist_get_the_value_and_later_ones_none(self):
        add_column(self.env.cr, "channel_test_rows", "added", "int4", 7)
        self.env.cr.execute("INSERT INTO channel_test_rows (id) VALUES (3)")
        self.assertEqual(self._values(), [(1, 7), (2, 7), (3, None)])

    def test_false_is_a_value(self):
        add_column(self.env.cr, "channel_test_rows", "added", "bool", False)
        self.assertEqual(self._values(), [(1, False), (2, False)])

    def test_without_a_value_rows_have_none(self):
        add_column(self.env.cr, "channel_test_rows", "added", "int4")
        self.assertEqual(self._values(), [(1, None), (2, None)])

    def test_a_table_that_is_still_to_be_made_is_left_alone(self):
        add_column(self.env.cr, "channel_test_not_there", "added", "int4", 7)

    def test_a_column_that_exists_is_left_alone(self):
        add_column(self.env.cr, "channel_test_rows", "added", "int4", 7)
        add_column(self.env.cr, "channel_test_rows", "added", "int4", 8)
        self.assertEqual(self._values(), [(1, 7), (2, 7)])
