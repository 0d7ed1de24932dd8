"""Price tables as XLSX: one sheet, a header row, one price a row."""

import io
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from zipfile import BadZipFile

import openpyxl
import xlsxwriter
from openpyxl.utils.exceptions import InvalidFileException

COLUMNS = ("product_code", "segment_code", "min_qty", "price", "currency", "valid_from", "valid_to")
# What openpyxl raises on broken files, or lets through of zipfile and the XML parser
UNREADABLE = (BadZipFile, InvalidFileException, OSError, KeyError, ValueError, IndexError, EOFError, SyntaxError)
REQUIRED_COLUMNS = ("product_code", "price")


class PriceTableError(ValueError):
    """The file as a whole cannot be read. ``code``: ``unreadable``, ``empty`` or ``columns`` (with ``missing``)."""

    def __init__(self, code, missing=()):
        super().__init__(code)
        self.code = code
        self.missing = missing


def read_rows(content):
    """Yield ``(row number, {column: cell value})`` for each row that is not blank.

    :param bytes content: an XLSX file; columns may stand in any order, others than `COLUMNS` are not read
    :raises PriceTableError: when it is no XLSX file, or a required column is missing
    """
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows = book.worksheets[0].iter_rows(values_only=True)
        header = next(rows, None)
    except UNREADABLE as error:
        raise PriceTableError("unreadable") from error
    if not header:
        raise PriceTableError("empty")
    positions = {str(cell).strip().lower(): index for index, cell in enumerate(header) if cell is not None}
    if missing := [column for column in REQUIRED_COLUMNS if column not in positions]:
        raise PriceTableError("columns", missing)
    wanted = [(column, positions[column]) for column in COLUMNS if column in positions]
    for number, cells in enumerate(rows, 2):
        if any(cell not in (None, "") for cell in cells):
            yield number, {column: cells[index] if index < len(cells) else None for column, index in wanted}


def write_rows(rows, extra=()):
    """:param rows: dicts by column; dates as ``date`` or ``datetime``
    :param extra: names of further columns
    :returns: the XLSX file
    """
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("prices")
    bold = book.add_format({"bold": True, "bottom": 1})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    columns = (*COLUMNS, *extra)
    sheet.write_row(0, 0, columns, bold)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns) - 1, 16)
    for number, row in enumerate(rows, 1):
        for index, column in enumerate(columns):
            value = row.get(column)
            # Not `in`: a price of 0 equals False
            if value is None or value is False or value == "":
                continue
            if isinstance(value, datetime):
                sheet.write_datetime(number, index, value, moment)
            elif isinstance(value, date):
                sheet.write_datetime(number, index, value)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                sheet.write_number(number, index, value)
            else:
                # A code that begins with "=" must not become a formula
                sheet.write_string(number, index, str(value))
    book.close()
    return target.getvalue()


def to_code(value):
    """A code as text: spreadsheets turn the code 1001 into the number 1001.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if value is not None else ""


def to_number(value):
    """:returns: float, or None for an empty cell
    :raises ValueError: for anything that is not plainly a number, such as "1,200" or "12 CNY"
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool):
        raise ValueError(value)
    try:
        number = Decimal(value.strip()) if isinstance(value, str) else Decimal(str(value))
    except (InvalidOperation, AttributeError) as error:
        raise ValueError(value) from error
    if not number.is_finite():
        raise ValueError(value)
    return float(number)


def to_moment(value):
    """:returns: ``date``, ``datetime`` when the cell has a time of day, or None for an empty cell
    :raises ValueError: for anything else than a date cell or an ISO text
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
        if value.tzinfo:
            raise ValueError(value)
    if isinstance(value, datetime):
        return value if value.time() != datetime.min.time() else value.date()
    if isinstance(value, date):
        return value
    raise ValueError(value)
