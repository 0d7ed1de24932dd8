"""What a dealer wants, as it comes in: rows of text, and what is wrong with them."""

import re
from typing import Any, NamedTuple

#: One row: a code, a quantity, perhaps a unit. Codes may have blanks in them, but no word of digits: that is the
#: quantity. Columns of their own have no such limits.
_ROW = re.compile(r"(?P<code>\S.*?)[\s,;|,;×*]+(?P<quantity>[-+]?\d[\d.,]*)\s*(?P<uom>[^\d\s,;].*)?")
#: Between the columns of what was copied from a spreadsheet
_COLUMNS = re.compile(r"[\t;;|]")


class OrderRow(NamedTuple):
    """A row as it was typed, pasted or read from a file. ``number`` is where it stood."""

    number: int
    code: str
    quantity: Any
    uom: str = ""

    @property
    def text(self):
        """The row as one types it."""
        return "\t".join(filter(None, (self.code, str(self.quantity or ""), self.uom)))


class OrderProblem(NamedTuple):
    """What is wrong with one value. ``index`` is the line, None when it is about the whole; ``reason`` and ``remedy``
    are sentences."""

    index: int | None
    field: str
    reason: str
    remedy: str = ""

    @property
    def text(self):
        name = self.field if self.index is None else f"lines[{self.index}].{self.field}"
        return " ".join(filter(None, (f"{name}: {self.reason}", self.remedy)))


def split_rows(text):
    """Read rows ``CODE QTY [UNIT]``; columns may be parted by blanks, tabs, commas or semicolons.

    :return: list of :class:`OrderRow`; of a row that names no quantity, ``quantity`` is None
    """
    rows = []
    for number, line in enumerate((text or "").splitlines(), 1):
        line = line.strip()
        if not line:
            continue
        cells = [cell.strip() for cell in _COLUMNS.split(line)]
        if len(cells) > 1:
            code, quantity, uom = (*cells, "", "")[:3]
            rows.append(OrderRow(number, code, quantity or None, uom))
        elif found := _ROW.fullmatch(line):
            rows.append(OrderRow(number, found["code"], found["quantity"], (found["uom"] or "").strip()))
        else:
            rows.append(OrderRow(number, line, None))
    return rows
