"""Tables in files: XLSX and CSV, read to rows of cells, and written as XLSX.

What a cell says is read by ``to_*``; none of them guesses: ``1,200``, ``1/2/2026`` or a formula are refused, because
two readers would read two different things.
"""

import csv
import io
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple
from zipfile import BadZipFile

import openpyxl
import xlsxwriter
from openpyxl.utils.exceptions import InvalidFileException

#: What openpyxl raises on broken files, or lets through of zipfile and the XML parser
UNREADABLE = (BadZipFile, InvalidFileException, OSError, KeyError, ValueError, IndexError, EOFError, SyntaxError)
#: Rows that are read at most: what one transaction writes in a few minutes
MAX_ROWS = 50_000
MAX_BYTES = 30 * 1024 * 1024
#: Tried in this order when none is asked for: the order matters, since GB18030 reads almost everything
ENCODINGS = ("utf-8-sig", "gb18030")
DELIMITERS = ",;\t|"
#: Spreadsheets keep 15 digits of a number: of a longer one the last digits are lost
NUMBER_DIGITS = 10**15


class TableFileError(ValueError):
    """The file as a whole cannot be read.

    ``code``: ``no_file``, ``too_big``, ``old_excel``, ``unreadable``, ``encoding``, ``empty``, ``too_many`` or
    ``columns``; ``details`` has ``sheets`` (names read), ``missing`` (columns) and ``limit`` where they apply.
    """

    def __init__(self, code, **details):
        super().__init__(code)
        self.code = code
        self.details = details

    @property
    def missing(self):
        return self.details.get("missing", ())


class Formula(NamedTuple):
    """A cell that computes: what it shows depends on who opened the file last."""

    text: str


class CellError(NamedTuple):
    """A cell that shows an error, such as ``#N/A``."""

    text: str


class Table(NamedTuple):
    """One sheet: ``sheet`` its name (empty for CSV), ``encoding`` (empty for XLSX), ``rows`` as ``(number, {column:
    cell})`` with the blank ones left out, ``columns`` the names found, ``unknown`` the headings nobody asked for."""

    sheet: str
    encoding: str
    columns: list
    unknown: list
    rows: list


def fold(heading):
    """A heading as it is compared: case, blanks and the star of required columns do not matter."""
    return " ".join(str(heading).replace("*", " ").split()).casefold()


def read_table(
    content, headings, required=(), encoding=None, max_rows=MAX_ROWS, max_bytes=MAX_BYTES, computed=False
):
    """Read the sheet that has the columns.

    :param bytes content: the file; XLSX is told by its signature, everything else is read as CSV
    :param dict headings: ``{heading: column name}``: every spelling that is understood; compared by :func:`fold`.
        Columns may stand in any order, others are not read.
    :param required: names of columns that must be there
    :param encoding: of a CSV file; by default UTF-8, then GB18030
    :param max_rows: refuse more; None for any number
    :param max_bytes: refuse a greater file; None for any size
    :param computed: take from cells that compute what they showed when the file was saved, in place of
        :class:`Formula` and :class:`CellError`
    :rtype: Table
    :raises TableFileError: when the file cannot be read, or no sheet has the columns
    """
    if not content:
        raise TableFileError("no_file")
    if max_bytes is not None and len(content) > max_bytes:
        raise TableFileError("too_big", limit=max_bytes)
    names = {fold(heading): name for heading, name in headings.items()}
    if content.startswith(b"PK"):
        return _read_book(content, names, required, max_rows, computed)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableFileError("old_excel")
    return _read_text(content, names, required, encoding, max_rows)


def _read_book(content, names, required, max_rows, computed):
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=computed)
        sheets = book.worksheets
        best = None
        for sheet in sheets:
            header = next(sheet.iter_rows(values_only=True), None) or ()
            positions, unknown = _positions(header, names)
            missing = [name for name in required if name not in positions]
            if positions and not missing:
                lines = sheet.iter_rows(min_row=2, values_only=computed)
                rows = _collect(
                    lines if computed else ([_cell(cell) for cell in line] for line in lines), positions, max_rows
                )
                return Table(sheet.title, "", list(positions), unknown, rows)
            if header and (best is None or len(missing) < len(best)):
                best = missing
        titles = [sheet.title for sheet in sheets]
    except UNREADABLE as error:
        if isinstance(error, TableFileError):
            raise
        raise TableFileError("unreadable") from error
    if best is None:
        raise TableFileError("empty", sheets=titles)
    raise TableFileError("columns", sheets=titles, missing=best or list(dict.fromkeys(names.values())))


def _cell(cell):
    match getattr(cell, "data_type", "n"):
        case "f":
            return Formula(str(cell.value))
        case "e":
            return CellError(str(cell.value))
    return cell.value


def _read_text(content, names, required, encoding, max_rows):
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ("utf-16",)
    else:
        candidates = (encoding,) if encoding else ENCODINGS
    for candidate in candidates:
        try:
            text = content.decode(candidate)
        except UnicodeError:
            continue
        break
    else:
        raise TableFileError("encoding", tried=candidates)
    if "\0" in text:
        raise TableFileError("unreadable")
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise TableFileError("empty", sheets=[])
    delimiter = max(DELIMITERS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = next(lines)
        positions, unknown = _positions(header, names)
        missing = [name for name in required if name not in positions]
        if missing or not positions:
            raise TableFileError("columns", sheets=[], missing=missing or list(dict.fromkeys(names.values())))
        rows = _collect(lines, positions, max_rows)
    except csv.Error as error:
        raise TableFileError("unreadable") from error
    return Table("", candidate.removesuffix("-sig").upper(), list(positions), unknown, rows)


def _positions(header, names):
    """:return: ``({column: index}, [headings that are not columns])``; of a repeated column the first counts"""
    positions, unknown = {}, []
    for index, cell in enumerate(header):
        if cell is None or not str(cell).strip():
            continue
        name = names.get(fold(cell))
        if name is None:
            unknown.append(str(cell).strip())
        else:
            positions.setdefault(name, index)
    return positions, unknown


def _collect(lines, positions, max_rows):
    rows = []
    for number, cells in enumerate(lines, 2):
        row = {name: cells[index] if index < len(cells) else None for name, index in positions.items()}
        if all(value is None or isinstance(value, str) and not value.strip() for value in row.values()):
            continue
        if len(rows) == max_rows:
            raise TableFileError("too_many", limit=max_rows)
        rows.append((number, row))
    return rows


def write_table(columns, rows, sheet="data", notes=None):
    """Write an XLSX file: one sheet with a header row, codes as text.

    :param columns: ``[(key, heading)]``; a key in upper case is not special
    :param rows: iterable of dicts by key; dates as ``date`` or ``datetime``, :class:`Formula` as its text
    :param notes: ``(title, [row of texts])`` of a second sheet that explains the first
    :return: the file
    :rtype: bytes
    """
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    page = book.add_worksheet(sheet[:31])
    bold = book.add_format({"bold": True, "bottom": 1})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    text = book.add_format({"num_format": "@"})
    page.write_row(0, 0, [heading for _key, heading in columns], bold)
    page.freeze_panes(1, 0)
    # text format: whoever fills in a long code keeps all its digits
    page.set_column(0, max(len(columns) - 1, 0), 18, text if notes else None)
    for number, row in enumerate(rows, 1):
        for index, (key, _heading) in enumerate(columns):
            value = row.get(key)
            # Not `in`: a price of 0 equals False
            if value is None or value is False or value == "":
                continue
            if isinstance(value, datetime):
                page.write_datetime(number, index, value, moment)
            elif isinstance(value, date):
                page.write_datetime(number, index, value)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                page.write_number(number, index, value)
            else:
                # A code that begins with "=" must not become a formula
                page.write_string(number, index, cell_text(value))
    if notes:
        title, lines = notes
        page = book.add_worksheet(title[:31])
        for number, line in enumerate(lines):
            for index, value in enumerate(line):
                page.write_string(number, index, str(value), bold if not number else None)
        page.set_column(0, 3, 28)
    book.close()
    return target.getvalue()


def cell_text(value):
    """What a cell shows, for messages and lists."""
    if isinstance(value, (Formula, CellError)):
        return value.text
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return to_code(value)


def is_blank(value):
    return value is None or isinstance(value, str) and not value.strip()


def to_code(value):
    """A code as text: spreadsheets turn the code 1001 into the number 1001.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if value is not None else ""


def to_number(value):
    """:return: float, or None for an empty cell
    :raises ValueError: for anything that is not plainly a number, such as "1,200" or "12 CNY"
    """
    if is_blank(value):
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
    """:return: ``date``, ``datetime`` when the cell has a time of day, or None for an empty cell
    :raises ValueError: for anything else than a date cell or an ISO text
    """
    if is_blank(value):
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


def to_date(value):
    """A day: a date cell, or a text with the year first (``2026-03-31``, ``2026/3/31``, ``2026.3.31``, ``20260331``,
    ``2026年3月31日``).

    :return: ``date``, or None for an empty cell
    :raises ValueError: for anything else; ``1/2/2026`` is the first of February or the second of January
    """
    if is_blank(value):
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = to_code(value)
    if len(text) == 8 and text.isdigit():
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    for sign in "年月/.":
        text = text.replace(sign, "-")
    parts = text.removesuffix("日").removesuffix(" 00:00:00").split("-")
    if len(parts) != 3 or len(parts[0].strip()) != 4:
        raise ValueError(value)
    return date(*(int(part) for part in parts))
