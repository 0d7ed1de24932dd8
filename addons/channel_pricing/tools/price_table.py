"""Price tables as XLSX: one sheet, a header row, one price a row."""

from odoo.addons.channel_base.tools.table_file import TableFileError, read_table, write_table

COLUMNS = ("product_code", "segment_code", "min_qty", "price", "currency", "valid_from", "valid_to")
REQUIRED_COLUMNS = ("product_code", "price")


def read_rows(content):
    """Return ``[(row number, {column: cell value})]`` of the rows that are not blank.

    Prices may be computed in the file: what a cell showed when it was saved is taken.

    :param bytes content: an XLSX file; columns may stand in any order, others than `COLUMNS` are not read
    :raises TableFileError: ``unreadable`` when it is no XLSX file, ``empty``, or ``columns`` when a required one is
        missing
    """
    if not content.startswith(b"PK"):
        raise TableFileError("unreadable")
    headings = {column: column for column in COLUMNS}
    return read_table(content, headings, REQUIRED_COLUMNS, max_rows=None, max_bytes=None, computed=True).rows


def write_rows(rows, extra=()):
    """:param rows: dicts by column; dates as ``date`` or ``datetime``
    :param extra: names of further columns
    :returns: the XLSX file
    """
    return write_table([(column, column) for column in (*COLUMNS, *extra)], rows, sheet="prices")
