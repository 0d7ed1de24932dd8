"""Documents of ours beside those of somebody else's file: matched by number, amount and date."""

import datetime

from rapidfuzz import fuzz, process

from . import table_file

#: Results of a comparison, those that need somebody first
RESULTS = ("different", "dated", "ours", "theirs", "matched")
#: From here on two document numbers are one that was mistyped, if their amounts agree as well
SIMILAR = 85
#: Rows of one file: what a portal page can show and compare in a second
MAX_ROWS = 5_000
MAX_BYTES = 2 * 1024 * 1024


def read_documents(content, headings, amount):
    """Read a table of documents, summed up by number.

    :param bytes content: XLSX or CSV with a column ``document``, one for the amount and, if it is there, ``date``
    :param dict headings: folded heading -> name of the column
    :param str amount: name of the column of the amount
    :return: ``({folded number: {"document", "amount", "date" (ISO or None)}}, [(row, code, text)])``; the code of a row
        that was left out is ``date``, ``document`` or ``amount``
    :raise TableFileError: a file that cannot be read
    """
    table = table_file.read_table(content, headings, ("document", amount), max_rows=MAX_ROWS, max_bytes=MAX_BYTES)
    found, bad = {}, []
    for number, row in table.rows:
        document = table_file.cell_text(row["document"]).strip()
        try:
            date = table_file.to_date(row.get("date"))
        except ValueError:
            bad.append((number, "date", table_file.cell_text(row["date"])))
            continue
        try:
            value = table_file.to_number(row[amount])
        except ValueError:
            value = None
        if not document:
            bad.append((number, "document", ""))
        elif value is None:
            bad.append((number, "amount", table_file.cell_text(row[amount])))
        else:
            line = found.setdefault(
                table_file.fold(document), {"document": document, "amount": 0.0, "date": date and date.isoformat()}
            )
            line["amount"] += value
    return found, bad


def match_documents(ours, theirs, tolerance, days):
    """Pair documents of both sides: those with the same number, then similar numbers where the amounts agree.

    Each similar number has one such partner only, or none.

    :param dict ours: ``{folded number: {"document", "amount", "date", ...}}``; ``theirs`` is the same
    :param float tolerance: difference of a document up to which it counts as matched
    :param int days: how far the dates of a document may lie apart
    :return: list of dicts ``result`` (of ``RESULTS``, in this order), ``own`` and ``their`` (what was given, or None),
        ``difference`` (theirs less ours)
    """
    pairs = [(key, key) for key in ours if key in theirs]
    pairs += _similar(
        {key: ours[key] for key in ours if key not in theirs},
        {key: theirs[key] for key in theirs if key not in ours}, tolerance,
    )
    seen_ours, seen_theirs = {own for own, _their in pairs}, {their for _own, their in pairs}
    pairs += [(key, None) for key in ours if key not in seen_ours]
    pairs += [(None, key) for key in theirs if key not in seen_theirs]
    rows = [_compare(ours.get(own), theirs.get(their), tolerance, days) for own, their in pairs]
    rows.sort(key=lambda row: (RESULTS.index(row["result"]), (row["own"] or row["their"])["document"]))
    return rows


def _similar(ours, theirs, tolerance):
    candidates = {}
    for own, line in ours.items():
        same = [key for key, row in theirs.items() if abs(row["amount"] - line["amount"]) <= tolerance + 1e-9]
        found = process.extract(own, same, scorer=fuzz.ratio, score_cutoff=SIMILAR, limit=2)
        if len(found) == 1:
            candidates.setdefault(found[0][0], []).append(own)
    return [(owns[0], their) for their, owns in candidates.items() if len(owns) == 1]


def _compare(own, their, tolerance, days):
    difference = round((their["amount"] if their else 0.0) - (own["amount"] if own else 0.0), 6)
    if own and their:
        result = "matched" if abs(difference) <= tolerance + 1e-9 else "different"
        if result == "matched" and own["date"] and their["date"]:
            apart = datetime.date.fromisoformat(own["date"]) - datetime.date.fromisoformat(their["date"])
            result = "matched" if abs(apart.days) <= days else "dated"
    else:
        result = "ours" if own else "theirs"
    return {"result": result, "own": own, "their": their, "difference": difference}
