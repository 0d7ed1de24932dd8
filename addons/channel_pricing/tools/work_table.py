"""Temporary relations: what one transaction works on, known to the planner, gone with it."""

from odoo.tools import SQL


def work_table(name):
    """:return: the SQL name of a relation"""
    return SQL.identifier(f"channel_price_work_{name}")


def make_work_table(cr, name, query, *indexes):
    """Make a relation of this transaction, in place of one of the same name.

    :param SQL query: its rows
    :param indexes: names of columns, separated by commas
    """
    drop_work_tables(cr, name)
    table = work_table(name)
    cr.execute(SQL("CREATE TEMPORARY TABLE %s ON COMMIT DROP AS %s", table, query))
    for columns in indexes:
        cr.execute(SQL("CREATE INDEX ON %s (%s)", table, SQL(", ").join(map(SQL.identifier, columns.split(",")))))
    # The planner knows nothing of a new table, and would walk it once for each row of another
    cr.execute(SQL("ANALYZE %s", table))


def drop_work_tables(cr, *names):
    cr.execute(SQL("DROP TABLE IF EXISTS %s", SQL(", ").join(map(work_table, names))))
