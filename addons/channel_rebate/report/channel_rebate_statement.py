import io

import xlsxwriter

from odoo import api, fields, models


class ReportChannelRebateStatement(models.AbstractModel):
    """The statement of a member as PDF (QWeb) and XLSX, both drawn from `channel.rebate.program.statement`."""

    _name = "report.channel_rebate.report_statement"
    _description = "Rebate Statement Report"

    @api.model
    def _get_report_values(self, docids, data=None):
        data = data or {}
        member = self.env["res.partner"].browse(data.get("member_id") or (docids or [])[:1])
        period = data.get("period") or str(fields.Date.context_today(self).year)
        lang = member.lang or self.env.lang
        # A statement that was frozen is drawn as it is
        statement = data.get("statement") or (
            self.with_context(lang=lang).env["channel.rebate.program"].statement(member.id, period)
        )
        return {
            "doc_ids": member.ids,
            "doc_model": "res.partner",
            # sudo: `statement` has checked that the user may see the member; the layout reads its address only.
            "docs": member.sudo(),
            "lang": lang,
            "statement": statement,
            "companies": self._companies(statement),
            "currencies": {
                currency.name: currency
                for currency in self.env["res.currency"].search(
                    [("name", "in", [program["currency"] for program in statement["programs"]])]
                )
            },
            "day": fields.Date.to_date,
            "reasons": dict(
                self.env["channel.rebate.entry"]
                ._fields["exclusion"]
                ._description_selection(self.with_context(lang=lang).env)
            ),
        }

    @api.model
    def _companies(self, statement):
        """The company whose letterhead the statement carries: that of the programmes, if it is only one."""
        ids = [program["program_id"] for program in statement["programs"]]
        # sudo: name and address of the company that makes the statement, for its own member
        companies = self.env["channel.rebate.program"].sudo().browse(ids).company_id
        return companies if len(companies) == 1 else self.env.company

    @api.model
    def _statement_xlsx(self, statement):
        """The statement as a workbook with the sheets Summary (one row per window) and Lines (one per source line).

        :param statement: what `channel.rebate.program.statement` returns
        :return: bytes
        """
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
            title = book.add_format({"bold": True, "font_size": 14})
            head = book.add_format(
                {"bold": True, "bg_color": "#E7E9ED", "bottom": 1, "text_wrap": True, "valign": "top"}
            )
            total = book.add_format({"bold": True, "top": 1, "num_format": "#,##0.00"})
            formats = {
                "text": book.add_format({"valign": "top"}),
                "money": book.add_format({"num_format": "#,##0.00", "valign": "top"}),
                "rate": book.add_format({"num_format": "0.######", "valign": "top"}),
                "date": book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"}),
            }
            self._xlsx_summary(book, statement, title, head, total, formats)
            self._xlsx_lines(book, statement, title, head, formats)
        return buffer.getvalue()

    def _xlsx_heading(self, sheet, statement, title):
        sheet.write(0, 0, self.env._("Rebate Statement: %s", statement["member"]), title)
        sheet.write(1, 0, f"{statement['date_from']} – {statement['date_to']}")

    def _xlsx_table(self, sheet, row, columns, records, head, formats):
        """Write a table: `columns` is a list of (label, kind, width, function of the record). -> the row after it"""
        for index, (label, _kind, width, _value) in enumerate(columns):
            sheet.set_column(index, index, width)
            sheet.write(row, index, label, head)
        for record in records:
            row += 1
            for index, (_label, kind, _width, value) in enumerate(columns):
                cell = value(record)
                if cell is None or cell is False:
                    continue
                if kind == "date":
                    sheet.write_datetime(row, index, fields.Datetime.to_datetime(cell), formats["date"])
                elif kind == "text":
                    sheet.write_string(row, index, str(cell), formats["text"])
                else:
                    sheet.write_number(row, index, cell, formats[kind])
        return row + 1

    def _xlsx_summary(self, book, statement, title, head, total, formats):
        sheet = book.add_worksheet(self.env._("Summary"))
        self._xlsx_heading(sheet, statement, title)
        rows = [(program, balance) for program in statement["programs"] for balance in program["balances"]]
        columns = [
            (self.env._("Code"), "text", 12, lambda r: r[0]["code"]),
            (self.env._("Programme"), "text", 32, lambda r: r[0]["name"]),
            (self.env._("Window"), "text", 14, lambda r: r[1]["window"]),
            (self.env._("From"), "date", 12, lambda r: r[1]["window_start"]),
            (self.env._("To"), "date", 12, lambda r: r[1]["window_end"]),
            (self.env._("Currency"), "text", 10, lambda r: r[1]["currency"]),
            (self.env._("Lines"), "rate", 8, lambda r: r[1]["lines"]),
            (self.env._("Base"), "money", 16, lambda r: r[1]["base"]),
            (self.env._("Tier from"), "money", 14, lambda r: r[1]["tier_from"]),
            (self.env._("Tier Rate (%)"), "rate", 10, lambda r: r[1]["rate"]),
            (self.env._("Entitlement"), "money", 16, lambda r: r[1]["entitlement"]),
            (self.env._("Corrections"), "money", 16, lambda r: r[1]["correction"]),
            (self.env._("Accrued"), "money", 16, lambda r: r[1]["accrued"]),
            (self.env._("Settled"), "money", 16, lambda r: r[1]["settled"]),
            (self.env._("Open"), "money", 16, lambda r: r[1]["open"]),
        ]
        last = self._xlsx_table(sheet, 3, columns, rows, head, formats)
        for program in statement["programs"]:
            sheet.write_string(last, 0, program["code"], total)
            sheet.write_string(last, 1, self.env._("Total"), total)
            sheet.write_string(last, 5, program["currency"], total)
            for index, key in (
                (10, "entitlement"), (11, "correction"), (12, "accrued"), (13, "settled"), (14, "open")
            ):
                sheet.write_number(last, index, program[key], total)
            last += 1
        sheet.freeze_panes(4, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)

    def _xlsx_lines(self, book, statement, title, head, formats):
        sheet = book.add_worksheet(self.env._("Lines"))
        self._xlsx_heading(sheet, statement, title)
        reasons = dict(self.env["channel.rebate.entry"]._fields["exclusion"]._description_selection(self.env))
        rows = [(program, line) for program in statement["programs"] for line in program["lines"]]
        columns = [
            (self.env._("Code"), "text", 12, lambda r: r[0]["code"]),
            (self.env._("Window"), "text", 14, lambda r: r[1]["window"]),
            (self.env._("Date"), "date", 12, lambda r: r[1]["date"]),
            (self.env._("Document"), "text", 20, lambda r: r[1]["document"]),
            (self.env._("Product"), "text", 40, lambda r: r[1]["product"]),
            (self.env._("Currency"), "text", 10, lambda r: r[0]["currency"]),
            (self.env._("Amount Counted"), "money", 16, lambda r: r[1]["earning"]),
            (self.env._("Rate (%)"), "rate", 10, lambda r: r[1]["rate"] or None),
            (self.env._("Rebate"), "money", 16, lambda r: r[1]["rebate"]),
            (self.env._("Why Not Counted"), "text", 40, lambda r: reasons.get(r[1]["excluded"])),
        ]
        last = self._xlsx_table(sheet, 3, columns, rows, head, formats)
        sheet.autofilter(3, 0, max(last - 1, 3), len(columns) - 1)
        sheet.freeze_panes(4, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
