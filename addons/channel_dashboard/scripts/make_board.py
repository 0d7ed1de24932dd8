#!/usr/bin/env python3
"""Write the spreadsheet boards of channel_dashboard.

Odoo Community shows spreadsheet dashboards but has no editor for them, so the boards are made
here and checked in: run this script after a change, a test compares its output with the files.
Numbers come only from reporting models; this file says where they stand and how they look.
"""

import json
import sys
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

FILES = Path(__file__).resolve().parent.parent / "data" / "files"
INVOICED = [
    ["channel_role", "!=", False],
    ["state", "=", "posted"],
    ["move_type", "in", ["out_invoice", "out_refund"]],
    ["channel_is_rebate", "=", False],
]
DECIDED = ["draft", "sent", "sale"]
BLUE, ORANGE, GREEN, RED = "#EFF6FF", "#FFF7ED", "#F0FDF4", "#FEF2F2"

PERIOD, REGION, TIER = "period", "region", "tier"


def uid(name):
    """A stable identifier: the same board always gives the same file."""
    return str(uuid5(NAMESPACE_URL, f"channel_dashboard/{name}"))


class Board:
    """Collects pivots, figures and cells, and serialises an o-spreadsheet document."""

    def __init__(self):
        self.pivots, self.figures, self.menus = {}, [], {}
        self.cells, self.styles, self.borders, self.rows = {}, {}, {}, {}
        self.data = {"A1": '=_t("Measure")', "B1": '=_t("Current")', "C1": '=_t("Previous")'}
        self.data_row = 1

    # ------------------------------------------------------------------ sources
    def matching(self, period=None, region=None, tier=None, offset=0):
        fields = {}
        if period:
            chain, kind = period
            fields[uid(PERIOD)] = {"chain": chain, "type": kind, "offset": offset}
        if region:
            fields[uid(REGION)] = {"chain": region, "type": "many2one"}
        if tier:
            fields[uid(TIER)] = {"chain": tier, "type": "many2one"}
        return fields

    def pivot(self, name, model, measures, domain, matching, rows=(), sort=None):
        """:param measures: ``{field: label}``; :returns: the pivot's number in formulas"""
        number = str(len(self.pivots) + 1)
        self.pivots[number] = {
            "type": "ODOO",
            "id": number,
            "formulaId": number,
            "name": name,
            "model": model,
            "domain": domain,
            "context": {},
            "measures": [
                {"id": field, "fieldName": field, "userDefinedName": label}
                for field, label in measures.items()
            ],
            "columns": [],
            "rows": [{"fieldName": field} for field in rows],
            "fieldMatching": matching,
            **({"sortedColumn": {"measure": sort, "order": "desc", "domain": []}} if sort else {}),
        }
        return number

    # ------------------------------------------------------------------ figures
    def score(self, label, current, previous, position, color, menu, down_is_good=False, kind="large"):
        """One key figure; ``current``/``previous`` are formulas over pivots."""
        self.data_row += 1
        row = self.data_row
        self.data[f"A{row}"] = f'=_t("{label}")'
        self.data[f"B{row}"] = f"=IFERROR({current},0)"
        self.data[f"C{row}"] = f"=IFERROR({previous},0)" if previous else ""
        shown = {
            "large": "=FORMAT.LARGE.NUMBER({cell})",
            "percent": '=TEXT({cell},"0.0%")',
            "ratio": '=TEXT({cell},"0.0")',
            "count": '=TEXT({cell},"0")',
        }[kind]
        self.data[f"D{row}"] = shown.format(cell=f"B{row}")
        figure = {
            "type": "scorecard",
            "title": {"text": label, "bold": True, "color": "#434343"},
            "background": color,
            "keyValue": f"Data!D{row}",
            "humanize": False,
            "baselineMode": "text",
            "baselineColorUp": "#DC6965" if down_is_good else "#00A04A",
            "baselineColorDown": "#00A04A" if down_is_good else "#DC6965",
        }
        if previous:
            # Nothing is better than a comparison with a period that has no figures.
            former = shown.format(cell=f"C{row}")[1:]
            self.data[f"E{row}"] = f'=IF(C{row}=0,"",{former})'
            figure["baseline"] = f"Data!E{row}"
            figure["baselineDescr"] = {"text": "in the period before"}
            if kind == "large":
                figure["baselineMode"] = "percentage"
                figure["baselineDescr"] = {"text": "since last period"}
        column, line = position
        self._figure(f"score/{label}", figure, 15 + column * 243, 15 + line * 122, 228, 107, menu)

    def chart(self, label, kind, model, group, measure, domain, matching, at, size, menu, **extra):
        figure = {
            "type": f"odoo_{kind}",
            "title": {"text": label, "bold": True, "color": "#434343", "fontSize": 14},
            "background": "#FFFFFF",
            "legendPosition": "none",
            "metaData": {
                "groupBy": [group],
                "measure": measure,
                "order": extra.pop("order", None),
                "resModel": model,
                "mode": kind,
                "cumulatedStart": False,
            },
            "searchParams": {
                "comparison": None,
                "context": {},
                "domain": domain,
                "groupBy": [group],
                "orderBy": [],
            },
            "dataSets": [{}],
            "stacked": False,
            "verticalAxisPosition": "left",
            "cumulatedStart": False,
            "fieldMatching": matching,
            **extra,
        }
        self._figure(f"chart/{label}", figure, *at, *size, menu)

    def _figure(self, name, figure, x, y, width, height, menu):
        identifier = uid(name)
        figure["chartId"] = identifier
        self.figures.append({
            "id": identifier,
            "tag": "chart",
            "width": width,
            "height": height,
            "col": 0,
            "row": 0,
            "offset": {"x": x, "y": y},
            "data": figure,
        })
        if menu:
            self.menus[identifier] = menu

    def table(self, title, pivot, row, rows=10, column="A", last="C"):
        self.cells[f"{column}{row}"] = f'=_t("{title}")'
        self.cells[f"{column}{row + 1}"] = f"=PIVOT({pivot},{rows},FALSE,FALSE)"
        self.styles[f"{column}{row}"] = 1
        self.styles[f"{column}{row + 1}:{last}{row + 1}"] = 2
        self.styles[f"{column}{row + 2}:{last}{row + 1 + rows}"] = 3
        self.borders[f"{column}{row}:{last}{row}"] = 1
        self.borders[f"{column}{row + 2}:{last}{row + 1 + rows}"] = 2

    # ------------------------------------------------------------------ output
    def document(self, columns, row_count):
        empty = {
            "merges": [], "conditionalFormats": [], "dataValidationRules": [], "tables": [],
            "formats": {}, "headerGroups": {"ROW": [], "COL": []}, "comments": {},
        }
        return {
            "version": "18.5.10",
            "sheets": [
                {
                    **empty,
                    "id": "sheet1", "name": "Dashboard",
                    "colNumber": len(columns), "rowNumber": row_count,
                    "rows": self.rows,
                    "cols": {str(i): {"size": size} for i, size in enumerate(columns)},
                    "cells": self.cells, "styles": self.styles, "borders": self.borders,
                    "figures": self.figures, "areGridLinesVisible": False, "isVisible": True,
                },
                {
                    **empty,
                    "id": uid("sheet/data"), "name": "Data",
                    "colNumber": 5, "rowNumber": 40, "rows": {},
                    "cols": {"0": {"size": 220}},
                    "cells": {cell: value for cell, value in self.data.items() if value},
                    "styles": {"A1:E1": 4}, "borders": {}, "figures": [],
                    "areGridLinesVisible": True, "isVisible": True,
                },
            ],
            "styles": {
                "1": {"textColor": "#01666b", "bold": True, "fontSize": 14},
                "2": {"textColor": "#434343", "bold": True, "fontSize": 11},
                "3": {"textColor": "#434343", "verticalAlign": "middle"},
                "4": {"bold": True},
            },
            "formats": {},
            "borders": {
                "1": {"bottom": {"style": "thin", "color": "#CCCCCC"}},
                "2": {"bottom": {"style": "thin", "color": "#EEEEEE"}},
            },
            "revisionId": "START_REVISION",
            "uniqueFigureIds": True,
            "settings": {"locale": {
                "name": "English (US)", "code": "en_US", "thousandsSeparator": ",",
                "decimalSeparator": ".", "dateFormat": "mm/dd/yyyy", "timeFormat": "hh:mm:ss",
                "formulaArgSeparator": ",", "weekStart": 7,
            }},
            "pivots": self.pivots,
            "pivotNextId": len(self.pivots) + 1,
            "customTableStyles": {},
            "globalFilters": [
                {"id": uid(PERIOD), "type": "date", "label": "Period",
                 "defaultValue": "last_90_days"},
                {"id": uid(REGION), "type": "relation", "label": "Region",
                 "modelName": "channel.region", "defaultValueDisplayNames": []},
                {"id": uid(TIER), "type": "relation", "label": "Member Tier",
                 "modelName": "res.partner.grade", "defaultValueDisplayNames": []},
            ],
            "lists": {},
            "listNextId": 1,
            "chartOdooMenusReferences": self.menus,
        }


def executive():
    board = Board()
    date_of_invoice = {"period": ("invoice_date", "date"), "region": "channel_region_id",
                       "tier": "channel_grade_id"}
    money = {"price_subtotal": "Revenue", "price_margin": "Margin"}
    now = board.pivot("Revenue", "account.invoice.report", money, INVOICED,
                      board.matching(**date_of_invoice))
    before = board.pivot("Revenue, period before", "account.invoice.report", money, INVOICED,
                         board.matching(**date_of_invoice, offset=-1))
    date_of_order = {"period": ("date", "datetime"), "region": "channel_region_id",
                     "tier": "channel_grade_id"}
    orders_domain = [["channel_role", "!=", False], ["state", "in", DECIDED]]
    orders = board.pivot("Orders", "sale.report", {"order_reference": "Orders"}, orders_domain,
                         board.matching(**date_of_order), rows=["state"])
    orders_before = board.pivot("Orders, period before", "sale.report",
                                {"order_reference": "Orders"}, orders_domain,
                                board.matching(**date_of_order, offset=-1), rows=["state"])
    coverage = board.pivot("Coverage", "channel.report.coverage",
                           {"served": "Served", "hospitals": "Hospitals"}, [],
                           board.matching(region="region_id"))
    stock = board.pivot("Stock", "channel.report.stock",
                        {"issued_value": "Issued", "stock_value": "Stock",
                         "near_expiry_value": "Near expiry"}, [], {})
    # What is open is open today, whichever period the other figures are of.
    rebate = board.pivot("Rebates", "channel.rebate.balance",
                         {"entitlement": "Entitled", "settled_amount": "Settled", "open_amount": "Open"}, [],
                         board.matching(region="member_id.channel_region_id",
                                        tier="member_id.grade_id"))
    risk = board.pivot("Documents at risk", "channel.report.risk",
                       {"documents": "Documents", "revenue_at_risk": "Revenue at risk"},
                       [["days_left", "<=", 90]],
                       board.matching(region="region_id", tier="grade_id"))
    refused = board.pivot("Refused", "channel.gate.finding", {"__count": "Findings"},
                          [["state", "=", "refused"]],
                          board.matching(period=("create_date", "datetime"),
                                         region="member_id.channel_region_id"))
    refused_before = board.pivot("Refused, period before", "channel.gate.finding",
                                 {"__count": "Findings"}, [["state", "=", "refused"]],
                                 board.matching(period=("create_date", "datetime"),
                                                region="member_id.channel_region_id", offset=-1))

    def value(pivot, measure, *group):
        arguments = "".join(f',"{part}"' for part in group)
        return f'PIVOT.VALUE({pivot},"{measure}"{arguments})'

    def conversion(pivot):
        won = value(pivot, "order_reference", "state", "sale")
        return f'{won}/{value(pivot, "order_reference")}'

    invoices, quotations = "channel_dashboard.menu_revenue", "channel_dashboard.menu_conversion"
    board.score("Revenue", value(now, "price_subtotal"), value(before, "price_subtotal"),
                (0, 0), BLUE, invoices)
    board.score("Margin", f'{value(now, "price_margin")}/{value(now, "price_subtotal")}',
                f'{value(before, "price_margin")}/{value(before, "price_subtotal")}',
                (1, 0), BLUE, invoices, kind="percent")
    board.score("Order Conversion", conversion(orders), conversion(orders_before),
                (2, 0), GREEN, quotations, kind="percent")
    board.score("Hospital Coverage", f'{value(coverage, "served")}/{value(coverage, "hospitals")}',
                None, (3, 0), GREEN, "channel_dashboard.menu_coverage", kind="percent")
    board.score("Stock Turns", f'{value(stock, "issued_value")}/{value(stock, "stock_value")}',
                None, (0, 1), GREEN, "channel_dashboard.menu_stock", kind="ratio")
    board.score("Open Rebates", value(rebate, "open_amount"), None, (1, 1), ORANGE,
                "channel_rebate.menu_channel_rebate_balances")
    board.score("Revenue at Risk", value(risk, "revenue_at_risk"), None, (2, 1), RED,
                "channel_dashboard.menu_risk")
    board.score("Refused by the Gate", value(refused, "__count"), value(refused_before, "__count"),
                (3, 1), RED, "channel_base.menu_channel_gate_finding", down_is_good=True,
                kind="count")

    wide, half = (957, 300), (471, 300)
    # The trend always shows a year, whatever the period of the figures.
    year = [*INVOICED, ["invoice_date", ">=", "today -12m =1d"]]
    board.chart("Revenue by Month, Last Year", "line", "account.invoice.report",
                "invoice_date:month", "price_subtotal", year,
                board.matching(region="channel_region_id", tier="channel_grade_id"),
                (15, 270), wide, invoices, fillArea=True)
    board.chart("Revenue by Member Region", "bar", "account.invoice.report", "channel_region_id",
                "price_subtotal", INVOICED, board.matching(**date_of_invoice), (15, 585), half,
                invoices, order="DESC")
    board.chart("Hospitals Served by Region", "bar", "channel.report.coverage", "region_id",
                "served", [["served", "=", 1]], board.matching(region="region_id"), (501, 585), half,
                "channel_dashboard.menu_coverage", order="DESC")
    board.chart("Open Rebates by Programme", "bar", "channel.rebate.balance", "program_id",
                "open_amount",
                [], board.matching(region="member_id.channel_region_id", tier="member_id.grade_id"),
                (15, 900), half, "channel_rebate.menu_channel_rebate_balances", order="DESC")
    board.chart("Gate Findings by Check", "bar", "channel.gate.finding", "check_id", "__count", [],
                board.matching(period=("create_date", "datetime"), region="member_id.channel_region_id"),
                (501, 900), half, "channel_base.menu_channel_gate_finding", order="DESC")

    members = board.pivot("Members", "account.invoice.report",
                          {"price_subtotal": "Revenue", "price_margin": "Margin"}, INVOICED,
                          board.matching(**date_of_invoice), rows=["commercial_partner_id"],
                          sort="price_subtotal")
    items = board.pivot("Products", "account.invoice.report",
                        {"quantity": "Quantity", "price_subtotal": "Revenue"}, INVOICED,
                        board.matching(**date_of_invoice), rows=["product_id"],
                        sort="price_subtotal")
    first_row = 54  # below the figures: 1,215 px of rows of 23 px
    board.table("Top Members", members, first_row, column="A", last="C")
    board.table("Top Products", items, first_row, column="E", last="G")
    return board.document([275, 105, 105, 20, 275, 105, 105], first_row + 14)


BOARDS = {"executive_dashboard.json": executive}


def render():
    """:returns: ``{file name: text}`` of all boards"""
    return {
        name: json.dumps(make(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        for name, make in BOARDS.items()
    }


if __name__ == "__main__":
    FILES.mkdir(parents=True, exist_ok=True)
    for file_name, text in render().items():
        (FILES / file_name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{file_name}: {len(text)} characters\n")
