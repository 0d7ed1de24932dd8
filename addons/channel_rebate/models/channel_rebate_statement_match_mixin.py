from rapidfuzz import fuzz, process

from odoo import fields, models
from odoo.exceptions import UserError

from odoo.addons.channel_base.tools import table_file

HEADINGS = {
    "document": "document", "number": "document", "invoice": "document", "单据": "document", "发票": "document",
    "rebate": "rebate", "amount": "rebate", "返利": "rebate", "金额": "rebate",
    "date": "date", "invoice date": "date", "日期": "date", "开票日期": "date",
}
#: Rows of one file: what a portal page can show and compare in a second
MAX_ROWS = 5_000
MAX_BYTES = 2 * 1024 * 1024
#: From here on two document numbers are one that was mistyped, if their rebates agree as well
SIMILAR = 85


class ChannelRebateStatementMatchMixin(models.AbstractModel):
    """A statement beside the payee's own file. Inherited by ``channel.rebate.statement``."""

    _name = "channel.rebate.statement.match.mixin"
    _description = "Rebate Statement: the Payee's Own File"

    def _match_file(self, content, tolerance=0.01, days=0):
        """Compare the frozen lines with a table of documents and rebates; nothing is stored.

        Numbers are compared without case and blanks, and summed by document on both sides. What is left is matched by
        similar numbers where the rebates agree, and each of them has one such partner only.

        :param bytes content: XLSX or CSV with the columns ``Document``, ``Rebate`` (currency of the statement) and, if
            dates are to be compared, ``Date``
        :param float tolerance: difference of a document up to which it counts as matched
        :param int days: how far the dates of a document may lie apart
        :return: dict ``rows`` (list of dicts ``result`` (``different``, ``dated``: the amount is the same and the date
            is not, ``ours``, ``theirs`` or ``matched``, in this order), ``document``, ``their_document``, ``date`` and
            ``their_date`` (ISO), ``ours``, ``theirs``, ``difference``, ``balance_id`` and ``entry_id`` for an appeal,
            None where it is theirs only), ``bad`` (list of dicts ``row``, ``reason``:
            rows that were left out), ``counts`` (by result)
        :raises UserError: a file that cannot be read, or a statement in several currencies
        """
        self.ensure_one()
        currencies = {program["currency"] for program in self.content["programs"]}
        if len(currencies) > 1:
            raise UserError(self.env._(
                "%(name)s is in several currencies (%(currencies)s): its documents cannot be summed up. "
                "Compare its programmes one by one.", name=self.name, currencies=", ".join(sorted(currencies)),
            ))
        theirs, bad = self._match_read(content)
        ours = self._match_ours()
        pairs = [(key, key) for key in ours if key in theirs]
        pairs += self._match_similar(
            {key: ours[key] for key in ours if key not in theirs},
            {key: theirs[key] for key in theirs if key not in ours}, tolerance,
        )
        seen_ours, seen_theirs = {own for own, _their in pairs}, {their for _own, their in pairs}
        pairs += [(key, None) for key in ours if key not in seen_ours]
        pairs += [(None, key) for key in theirs if key not in seen_theirs]
        rows = [self._match_row(ours.get(own), theirs.get(their), tolerance, days) for own, their in pairs]
        order = ["different", "dated", "ours", "theirs", "matched"]
        rows.sort(key=lambda row: (order.index(row["result"]), row["document"] or row["their_document"]))
        return {
            "rows": rows, "bad": bad,
            "counts": {result: sum(row["result"] == result for row in rows) for result in order},
        }

    def _match_read(self, content):
        try:
            table = table_file.read_table(
                content, HEADINGS, ("document", "rebate"), max_rows=MAX_ROWS, max_bytes=MAX_BYTES
            )
        except table_file.TableFileError as error:
            raise UserError(self.env._(
                "The file cannot be read (%s). Give an XLSX or CSV file of at most 2 MB and 5,000 rows, with the "
                "columns Document and Rebate in its first row.", error.code,
            )) from None
        theirs, bad = {}, []
        for number, row in table.rows:
            document = table_file.cell_text(row["document"]).strip()
            try:
                rebate = table_file.to_number(row["rebate"])
            except ValueError:
                rebate = None
            try:
                date = table_file.to_date(row.get("date"))
            except ValueError:
                bad.append({"row": number, "reason": self.env._(
                    "Date %r is no plain day: write 2026-03-31.", table_file.cell_text(row["date"])
                )})
                continue
            if not document:
                bad.append({"row": number, "reason": self.env._("Document is empty.")})
            elif rebate is None:
                bad.append({"row": number, "reason": self.env._(
                    "Rebate %r is no plain number: write 1200.50.", table_file.cell_text(row["rebate"])
                )})
            else:
                found = theirs.setdefault(
                    table_file.fold(document),
                    {"document": document, "amount": 0.0, "date": date and date.isoformat()},
                )
                found["amount"] += rebate
        return theirs, bad

    def _match_ours(self):
        ours = {}
        for program in self.content["programs"]:
            windows = {balance["window"]: balance["balance_id"] for balance in program["balances"]}
            for line in program["lines"]:
                if line["document"]:
                    found = ours.setdefault(table_file.fold(line["document"]), {
                        "document": line["document"], "amount": 0.0, "entry_id": line["entry_id"],
                        "balance_id": windows.get(line["window"]), "date": line["date"],
                    })
                    found["amount"] += line["rebate"]
        return ours

    def _match_similar(self, ours, theirs, tolerance):
        candidates = {}
        for own, line in ours.items():
            same = [key for key, row in theirs.items() if abs(row["amount"] - line["amount"]) <= tolerance + 1e-9]
            found = process.extract(own, same, scorer=fuzz.ratio, score_cutoff=SIMILAR, limit=2)
            if len(found) == 1:
                candidates.setdefault(found[0][0], []).append(own)
        return [(owns[0], their) for their, owns in candidates.items() if len(owns) == 1]

    def _match_row(self, own, their, tolerance, days):
        difference = round((their["amount"] if their else 0.0) - (own["amount"] if own else 0.0), 6)
        if own and their:
            result = "matched" if abs(difference) <= tolerance + 1e-9 else "different"
            if result == "matched" and own["date"] and their["date"]:
                apart = fields.Date.to_date(own["date"]) - fields.Date.to_date(their["date"])
                result = "matched" if abs(apart.days) <= days else "dated"
        else:
            result = "ours" if own else "theirs"
        return {
            "result": result, "document": own and own["document"], "their_document": their and their["document"],
            "ours": own and round(own["amount"], 6), "theirs": their and round(their["amount"], 6),
            "date": own and own["date"], "their_date": their and their["date"],
            "difference": difference, "balance_id": own and own["balance_id"], "entry_id": own and own["entry_id"],
        }
