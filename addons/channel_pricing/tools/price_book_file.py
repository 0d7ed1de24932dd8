"""A price book as XLSX: one sheet, a line that says whose it is, a header row, one price a row."""

import io
from datetime import date

import xlsxwriter

from odoo.addons.channel_base.tools.table_file import cell_text


def write(title, headings, rows):
    """Write a file of any number of rows in the memory of one row.

    :param rows: iterable of tuples in the order of `headings`
    :returns: the file
    :rtype: bytes
    """
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
    page = book.add_worksheet("prices")
    bold = book.add_format({"bold": True, "bottom": 1})
    page.set_column(0, 0, 18)
    page.set_column(1, 1, 44)
    page.set_column(2, len(headings) - 1, 14)
    page.write_string(0, 0, cell_text(title), book.add_format({"bold": True}))
    page.write_row(2, 0, headings, bold)
    page.freeze_panes(3, 0)
    for number, row in enumerate(rows, 3):
        for column, value in enumerate(row):
            # Not `in`: a price of 0 equals False
            if value is None or value is False or value == "":
                continue
            if isinstance(value, date):
                page.write_datetime(number, column, value)
            elif isinstance(value, (int, float)):
                page.write_number(number, column, value)
            else:
                # A name that begins with "=" must not become a formula
                page.write_string(number, column, cell_text(value))
    book.close()
    return target.getvalue()
