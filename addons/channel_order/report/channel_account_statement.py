import io

import xlsxwriter

from odoo import api, fields, models

from ..models.channel_account_statement_content_mixin import FLOWS


class ReportChannelAccountStatement(models.AbstractModel):
    """The statement of account as PDF (QWeb) and XLSX, both drawn from its frozen figures."""

    _name = "report.channel_order.report_account_statement"
    _description = "Statement of Account Report"

    @api.model
    def _get_report_values(self, docids, data=None):
        statements = self.env["channel.account.statement"].browse(docids)
        return {
            "doc_ids": statements.ids, "doc_model": statements._name, "docs": statements,
            "values": {
                statement.id: statement.with_context(
                    lang=statement.member_id.lang or self.env.lang
                )._content_values()
                for statement in statements
            },
        }

    @api.model
    def _xlsx(self, statement):
        """:return: bytes of a workbook with the sheets Summary (one row per currency) and Lines"""
        report = self.with_context(lang=statement.env.lang)
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
            formats = {
                "title": book.add_format({"bold": True, "font_size": 14}),
                "head": book.add_format({"bold": True, "bg_color": "#E7E9ED", "bottom": 1, "text_wrap": True}),
                "text": book.add_format({"valign": "top"}),
                "money": book.add_format({"num_format": "#,##0.00", "valign": "top"}),
                "number": book.add_format({"num_format": "0", "valign": "top"}),
                "date": book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"}),
            }
            titles = statement._section_titles()
            report._xlsx_sheet(book, formats, statement, self.env._("Summary"), [
                (report.env._("Currency"), "text", 10, "currency"),
                (report.env._("Opening balance"), "money", 16, "opening"),
                (report.env._("Posted later"), "money", 16, "late"),
                *((titles[flow], "money", 16, flow) for flow in FLOWS),
                (report.env._("Closing balance"), "money", 16, "closing"),
                (report.env._("Of it overdue"), "money", 16, "overdue"),
            ], statement.content["currencies"])
            report._xlsx_sheet(book, formats, statement, self.env._("Lines"), [
                (report.env._("Section"), "text", 26, "section"),
                (report.env._("Date"), "date", 12, "date"),
                (report.env._("Document"), "text", 22, "document"),
                (report.env._("Reference"), "text", 20, "reference"),
                (report.env._("Description"), "text", 36, "text"),
                (report.env._("Orders"), "text", 18, "orders"),
                (report.env._("Contract"), "text", 20, "contract"),
                (report.env._("Fapiao"), "text", 22, "fapiao"),
                (report.env._("Due"), "date", 12, "due"),
                (report.env._("Days overdue"), "number", 10, "overdue"),
                (report.env._("Currency"), "text", 10, "currency"),
                (report.env._("Amount"), "money", 16, "amount"),
            ], [
                {**line, "section": titles.get(section["code"], section["code"])}
                for section in statement.content["sections"] for line in section["lines"]
            ])
        return buffer.getvalue()

    def _xlsx_sheet(self, book, formats, statement, name, columns, records):
        sheet = book.add_worksheet(name)
        sheet.write(0, 0, self.env._("Statement of account %s", statement.name), formats["title"])
        sheet.write(1, 0, f"{statement.content['company']} – {statement.content['member']}")
        sheet.write(2, 0, f"{statement.date_from} – {statement.date_to}")
        for index, (label, _kind, width, _key) in enumerate(columns):
            sheet.set_column(index, index, width)
            sheet.write(4, index, label, formats["head"])
        for row, record in enumerate(records, 5):
            for index, (_label, kind, _width, key) in enumerate(columns):
                value = record.get(key)
                if kind == "text":
                    sheet.write_string(row, index, str(value or ""), formats[kind])
                elif kind == "date":
                    if value:
                        sheet.write_datetime(row, index, fields.Datetime.to_datetime(value), formats[kind])
                elif value or kind == "money":
                    sheet.write_number(row, index, value or 0.0, formats[kind])
        sheet.freeze_panes(5, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
