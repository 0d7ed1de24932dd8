from odoo import models
from odoo.exceptions import UserError

from odoo.addons.channel_base.tools import table_file
from odoo.addons.channel_base.tools.document_match import RESULTS, match_documents, read_documents

HEADINGS = {
    "document": "document", "number": "document", "invoice": "document", "单据": "document", "发票": "document",
    "rebate": "rebate", "amount": "rebate", "返利": "rebate", "金额": "rebate",
    "date": "date", "invoice date": "date", "日期": "date", "开票日期": "date",
}


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
        rows = [self._match_row(**row) for row in match_documents(ours, theirs, tolerance, days)]
        return {
            "rows": rows, "bad": bad,
            "counts": {result: sum(row["result"] == result for row in rows) for result in RESULTS},
        }

    def _match_read(self, content):
        try:
            theirs, bad = read_documents(content, HEADINGS, "rebate")
        except table_file.TableFileError as error:
            raise UserError(self.env._(
                "The file cannot be read (%s). Give an XLSX or CSV file of at most 2 MB and 5,000 rows, with the "
                "columns Document and Rebate in its first row.", error.code,
            )) from None
        reasons = {
            "document": lambda _text: self.env._("Document is empty."),
            "date": lambda text: self.env._("Date %r is no plain day: write 2026-03-31.", text),
            "amount": lambda text: self.env._("Rebate %r is no plain number: write 1200.50.", text),
        }
        return theirs, [{"row": row, "reason": reasons[code](text)} for row, code, text in bad]

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

    def _match_row(self, result, own, their, difference):
        return {
            "result": result, "document": own and own["document"], "their_document": their and their["document"],
            "ours": own and round(own["amount"], 6), "theirs": their and round(their["amount"], 6),
            "date": own and own["date"], "their_date": their and their["date"],
            "difference": difference, "balance_id": own and own["balance_id"], "entry_id": own and own["entry_id"],
        }
