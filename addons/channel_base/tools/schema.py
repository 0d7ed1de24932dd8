"""Columns of models with very many rows."""

from odoo.tools import SQL
from odoo.tools.sql import column_exists, table_exists


def add_column(cr, table, column, kind, value=None):
    """Add a column that a model is about to get, all rows with one value, so that nothing is computed for each.

    To be called in ``_auto_init``, before ``super()``: the ORM computes a stored field of rows that exist already only
    where it makes the column itself. PostgreSQL keeps the value of a new column beside the table, so that a million
    rows take no longer than one. A column that exists is left alone, and so is a table that is still to be made.

    :param str kind: PostgreSQL's name of the type, as the field has it (``int4``, ``bool``, ``varchar``)
    :param value: what rows that exist already get; none: NULL
    """
    if not table_exists(cr, table) or column_exists(cr, table, column):
        return
    named = {"table": SQL.identifier(table), "column": SQL.identifier(column), "kind": SQL.identifier(kind)}
    if value is None:
        cr.execute(SQL("ALTER TABLE %(table)s ADD COLUMN %(column)s %(kind)s", **named))
        return
    cr.execute(SQL("ALTER TABLE %(table)s ADD COLUMN %(column)s %(kind)s DEFAULT %(value)s", value=value, **named))
    # The value is one for today's rows, no default of later ones
    cr.execute(SQL("ALTER TABLE %(table)s ALTER COLUMN %(column)s DROP DEFAULT", **named))
