from odoo import models
from odoo.exceptions import UserError

from odoo.addons.channel_base.tools.document_match import RESULTS, match_documents, read_documents
from odoo.addons.channel_base.tools.table_file import TableFileError, fold

from .channel_account_statement_content_mixin import FLOWS

HEADINGS = {
    "document": "document", "number": "document", "invoice": "document", "单据": "document", "发票": "document",
    "单号": "document", "amount": "amount", "金额": "amount",
    "date": "date", "invoice date": "date", "日期": "date", "开票日期": "date",
}


class ChannelAccountStatementMatchMixin(models.AbstractModel):
    """A statement of account beside the dealer's own ledger. Inherited by ``channel.account.statement``."""

    _name = "channel.account.statement.match.mixin"
    _description = "Statement of Account: the Dealer's Own Ledger"

    def _match_file(self, content, currency, tolerance=0.01, days=0):
        """Compare the documents of the period with a table of the dealer's; nothing is stored.

        A document is known by its number, by its fapiao number, or by a similar number with the same amount.

        :param bytes content: XLSX or CSV with the columns ``Document``, ``Amount`` (what raises the debt is positive)
            and, if dates are to be compared, ``Date``
        :return: dict ``rows`` (list of dicts ``result`` (of ``RESULTS``), ``own``, ``their``, ``difference``), ``bad``
            (list of dicts ``row``, ``reason``), ``counts`` (by result)
        :raises UserError: a file that cannot be read
        """
        self.ensure_one()
        try:
            theirs, bad = read_documents(content, HEADINGS, "amount")
        except TableFileError as error:
            raise UserError(self.env._(
                "The file cannot be read (%s). Give an XLSX or CSV file of at most 2 MB and 5,000 rows, with the "
                "columns Document and Amount in its first row.", error.code,
            )) from None
        ours, by_fapiao = {}, {}
        for section in self.content["sections"]:
            for line in section["lines"]:
                if section["code"] not in FLOWS or line["currency"] != currency.name:
                    continue
                key = fold(line["document"])
                found = ours.setdefault(key, {
                    "document": line["document"], "amount": 0.0, "date": line["date"], "key": line["key"],
                })
                found["amount"] += line["amount"]
                if line["fapiao"]:
                    by_fapiao[fold(line["fapiao"])] = key
        for number, key in by_fapiao.items():
            if number in theirs and key not in theirs and number not in ours:
                theirs[key] = theirs.pop(number)
        rows = match_documents(ours, theirs, tolerance, days)
        reasons = {
            "document": lambda _text: self.env._("Document is empty."),
            "date": lambda text: self.env._("Date %r is no plain day: write 2026-03-31.", text),
            "amount": lambda text: self.env._("Amount %r is no plain number: write 1200.50.", text),
        }
        return {
            "rows": rows, "bad": [{"row": row, "reason": reasons[code](text)} for row, code, text in bad],
            "counts": {result: sum(row["result"] == result for row in rows) for result in RESULTS},
        }
