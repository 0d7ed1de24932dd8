"""Price tables as XLSX, in two layouts.

``rows``: one rule a row, by the columns of ``COLUMNS``. ``grid``: a row for each product and quantity, a column for
each segment (headed by its code; ``EVERYBODY`` for everybody), a fixed price in each cell.
"""

from collections import Counter

from odoo.addons.channel_base.tools.table_file import TableFileError, fold, read_table, write_table

COLUMNS = (
    "product_code", "segment_code", "min_qty", "price", "currency", "valid_from", "valid_to",
    # What is beside one price of one product for a segment
    "applies_to", "category", "member_code", "customer_code", "kind", "discount", "base", "rounding", "surcharge",
    "min_margin", "max_margin",
)
REQUIRED_COLUMNS = ("product_code", "price")
GRID_COLUMNS = ("product_code", "product_name", "min_qty")
EVERYBODY = "everybody"

#: Words of the file -> values of the rule
APPLIES_TO = {
    "variant": "0_product_variant", "product": "1_product", "category": "2_product_category", "all": "3_global",
}
KINDS = {"fixed": "fixed", "discount": "percentage", "formula": "formula"}
#: A name that is none of these is that of another price table
BASES = {"sales price": "list_price", "cost": "standard_price"}


def read_prices(content, segment_codes=()):
    """Read a file of either layout.

    Prices may be computed in the file: what a cell showed when it was saved is taken.

    :param bytes content: an XLSX file; columns may stand in any order, others than `COLUMNS` are not read
    :param segment_codes: codes that may head a column of a grid
    :return: ``(layout, rows, unknown)``: ``rows`` or ``grid``; ``[(row number, {column: cell value})]`` of the rows
        that are not blank, for a grid one for each price; headings of a grid that name no segment
    :raises TableFileError: ``unreadable`` when it is no XLSX file, ``empty``, or ``columns`` when a required one is
        missing
    """
    if not content.startswith(b"PK"):
        raise TableFileError("unreadable")
    limits = {"max_rows": None, "max_bytes": None, "computed": True}
    try:
        table = read_table(content, {column: column for column in COLUMNS}, REQUIRED_COLUMNS, **limits)
        return "rows", table.rows, []
    except TableFileError as error:
        if error.code != "columns" or "product_code" in error.missing:
            raise
    codes = [EVERYBODY, *segment_codes]
    folded = Counter(map(fold, codes))
    # Of codes that differ in nothing but case none is guessed
    headings = {code: code for code in codes if folded[fold(code)] == 1} | {column: column for column in GRID_COLUMNS}
    table = read_table(content, headings, ("product_code",), **limits)
    columns = [column for column in table.columns if column not in GRID_COLUMNS]
    if not columns:
        raise TableFileError("columns", missing=["price"])
    rows = [
        (number, {
            "product_code": cells["product_code"],
            "min_qty": cells.get("min_qty"),
            "segment_code": None if column == EVERYBODY else column,
            "price": cells[column],
        })
        for number, cells in table.rows
        for column in columns
        if cells[column] is not None and cells[column] != ""
    ]
    return "grid", rows, table.unknown


def write_rows(rows, extra=()):
    """:param rows: dicts by column; dates as ``date`` or ``datetime``
    :param extra: names of further columns
    :returns: the XLSX file
    """
    return write_table([(column, column) for column in (*COLUMNS, *extra)], rows, sheet="prices")


def write_grid(segment_codes, rows):
    """:param rows: dicts by ``GRID_COLUMNS`` and segment code
    :returns: the XLSX file
    """
    columns = (*GRID_COLUMNS, *segment_codes)
    return write_table([(column, column) for column in columns], rows, sheet="prices")
