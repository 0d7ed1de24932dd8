from collections import Counter

from odoo import api, fields, models
from odoo.tools import format_date

from odoo.addons.channel_base.tools import table_file
from odoo.addons.channel_base.tools.gate import GateRequest

from ..tools.order_rows import OrderRow

#: Names of the columns of an uploaded list, in the languages that lists come in; see ``channel.base`` ``table_file``
HEADINGS = {
    "code": ("code", "Code", "Product Code", "Internal Reference", "Barcode", "编码", "产品编码", "货号", "条码"),
    "quantity": ("quantity", "Quantity", "Qty", "数量", "订购数量"),
    "uom": ("uom", "Unit", "UoM", "单位"),
}
#: Rows of an uploaded list
MAX_ROWS = 1000
MAX_BYTES = 3 * 1024 * 1024


class ChannelOrderCartMixin(models.AbstractModel):
    """What an order of a dealer comes to: prices, stock, credit and what the gate says, before it is submitted; and
    lists that are read into it. Part of ``channel.order``.
    """

    _name = "channel.order.cart.mixin"
    _description = "Orders of Dealers: Cart"

    # === WHAT AN ORDER COMES TO === #

    @api.model
    def _summary(self, order):
        """What a dealer is told of an order that is not confirmed. Needs superuser rights.

        :param order: ``sale.order``, also one that is not stored
        :return: ``{"lines": [{"line", "stock", "findings", "shown"}], "findings", "general", "blocks", "credit",
            "currency"}``; findings are dicts as ``channel.gate.evaluate`` returns them. To be shown, what is said of
            several lines in the same words stands once in ``general``, beside what is about the whole; ``shown`` is
            what is left of the line.
        """
        lines = order.order_line.filtered(lambda line: not line.display_type)
        requests, findings = self.env["channel.gate"]._evaluate_documents("order", order)
        keys = {line.id: index for index, line in enumerate(lines)}
        told, by_line = {}, {}
        for finding in findings:
            if finding.state == "overridden":
                continue
            index = keys.get(finding.line.key) if finding.line else None
            answer = {
                "code": finding.code,
                "severity": finding.severity,
                "message": finding.message,
                "line": index,
                "law": finding.law,
                "remedy": finding.remedy or finding.check.remedy or "",
            }
            if index is not None:
                by_line.setdefault(index, []).append(answer)
            told[finding.code, finding.message, index] = answer
        figures = self._stock_of(lines.product_id)
        words = Counter((finding["code"], finding["message"]) for finding in told.values())
        general = {
            (finding["code"], finding["message"]): finding for finding in told.values()
            if finding["line"] is None or words[finding["code"], finding["message"]] > 1
        }
        return {
            "lines": [
                {
                    "line": line,
                    "stock": self._promise(line.product_id, line._channel_gate_quantity(), figures),
                    "findings": by_line.get(index, []),
                    "shown": [
                        finding for finding in by_line.get(index, [])
                        if (finding["code"], finding["message"]) not in general
                    ],
                }
                for index, line in enumerate(lines)
            ],
            "findings": list(told.values()),
            "general": list(general.values()),
            "blocks": any(finding.blocks for finding in findings),
            "credit": self._credit(requests[0]) if requests else None,
            "currency": order.currency_id,
        }

    @api.model
    def _credit(self, request: GateRequest):
        """What the contract in force lets the member owe, and what is left of it when this is ordered.

        :return: None without such a contract, else ``{"currency", "limit", "owed", "order", "left"}``
        """
        Gate = self.env["channel.gate"]
        [(_request, versions)] = Gate._governed([request]) or [(request, self.env["channel.contract.version"])]
        version = versions[:1]
        if not version.has_credit_limit:
            return None
        company = request.company
        currency = company.currency_id
        limit = version.currency_id._convert(version.credit_limit, currency, company, request.date)
        owed, _oldest = Gate._credit_owed([request]).get((request.member.id, company.id), (0.0, None))
        amount = Gate._credit_of_request(request)
        return {
            "currency": currency.name,
            "limit": currency.round(limit),
            "owed": currency.round(owed),
            "order": currency.round(amount),
            "left": currency.round(limit - owed - amount),
        }

    # === STOCK === #

    @api.model
    def _stock_of(self, products):
        """What is free and what is coming of products that are stocked, in the company's warehouses, at this moment.

        :return: ``{product_id: (free, coming)}``
        """
        company = self.env.company
        # sudo: who sells need not read stock; callers tell whether there is enough
        warehouses = self.env["stock.warehouse"].sudo().search([("company_id", "=", company.id)])
        storable = products.sudo().filtered("is_storable").with_company(company)
        storable = storable.with_context(warehouse_id=warehouses.ids)
        # Not the fields, which keep what they said before while somebody receives or takes goods
        figures = storable._compute_quantities_dict(None, None, None) if storable else {}
        return {id_: (row["free_qty"], row["incoming_qty"]) for id_, row in figures.items()}

    @api.model
    def _promise(self, product, quantity, figures):
        """What a dealer is told of the stock, in words; the number only where the company shows it.

        :param float quantity: how much is asked for, in the product's own unit
        :param dict figures: of :meth:`_stock_of`
        :return: ``{"level", "text", "days"}``, with ``"quantity"`` where it is shown; ``level`` is ``in_stock``,
            ``low``, ``partly``, ``incoming``, ``none`` or ``not_stocked``
        """
        company = self.env.company
        days = int(product.sale_delay)
        if product.id not in figures:
            level = "not_stocked"
        else:
            free, coming = figures[product.id]
            uom = product.uom_id
            if uom.compare(free, quantity) >= 0 and free > 0:
                level = "low" if uom.compare(free, company.channel_portal_low_stock) < 0 else "in_stock"
            elif free > 0:
                level = "partly"
            else:
                level = "incoming" if coming > 0 else "none"
        text = {
            "in_stock": self.env._("In stock"),
            "low": self.env._("Few left"),
            "partly": self.env._("Partly in stock"),
            "incoming": self.env._("Not in stock, more is on its way"),
            "none": self.env._("Not in stock"),
            "not_stocked": self.env._("Made to order"),
        }[level]
        if days and level not in ("in_stock", "low"):
            text = self.env._("%(stock)s, about %(days)s days", stock=text, days=days)
        promise = {"level": level, "text": text, "days": days}
        if company.channel_portal_shows_stock and product.id in figures:
            promise["quantity"] = max(0.0, figures[product.id][0])
            promise["text"] = self.env._(
                "%(stock)s (%(quantity)s %(uom)s)", stock=text, quantity=f"{promise['quantity']:g}",
                uom=product.uom_id.name,
            )
        return promise

    # === LISTS === #

    @api.model
    def _take_rows(self, order, rows):
        """Read rows into a cart. What cannot be taken over stays with the cart, each with its reasons.

        :param order: ``sale.order`` of a dealer, with superuser rights
        :param list rows: :class:`OrderRow` values; they take the place of those that stayed before
        :return: how many were taken over
        """
        lines, problems = self._read_rows(order, rows)
        order._channel_fill_cart([line for line in lines if line])
        refused = [row for row, line in zip(rows, lines, strict=True) if not line]
        order.channel_pending_rows = [
            [row.number, row.code, table_file.cell_text(row.quantity) if row.quantity is not None else "", row.uom]
            for row in refused
        ] or False
        return len(rows) - len(refused)

    def _read_rows(self, order, rows):
        problems = []
        lines = self._read_lines(
            [{"code": row.code, "quantity": self._row_quantity(row), "uom": row.uom} for row in rows],
            order.partner_id, order.channel_end_customer_id, True, problems,
        )
        return lines, problems

    def _row_quantity(self, row):
        if isinstance(row.quantity, (table_file.Formula, table_file.CellError)):
            return table_file.cell_text(row.quantity)
        return row.quantity

    @api.model
    def _pending_rows(self, order):
        """Rows that stayed with a cart, with what is wrong with them now.

        :return: ``[{"row": OrderRow, "reasons": [text], "remedies": [text]}]``
        """
        rows = [OrderRow(number, code, quantity or None, uom) for number, code, quantity, uom in (
            order.channel_pending_rows or []
        )]
        if not rows:
            return []
        _lines, problems = self._read_rows(order, rows)
        return [
            {
                "row": row,
                "reasons": [problem.reason for problem in problems if problem.index == index],
                "remedies": list(dict.fromkeys(
                    problem.remedy for problem in problems if problem.index == index and problem.remedy
                )),
            }
            for index, row in enumerate(rows)
        ]

    @api.model
    def _read_file(self, content):
        """Read rows from an XLSX or CSV file; rows without a quantity order nothing, as in our order form.

        :return: list of :class:`OrderRow`
        :raise TableFileError: the file as a whole cannot be read
        """
        headings = {spelling: name for name, spellings in HEADINGS.items() for spelling in spellings}
        headings |= {self.env._("Code"): "code", self.env._("Quantity"): "quantity", self.env._("Unit"): "uom"}
        table = table_file.read_table(
            content, headings, required=("code", "quantity"), max_rows=MAX_ROWS, max_bytes=MAX_BYTES
        )
        return [
            OrderRow(
                number, table_file.cell_text(cells["code"]) if cells["code"] is not None else "",
                cells["quantity"].strip() if isinstance(cells["quantity"], str) else cells["quantity"],
                table_file.cell_text(cells["uom"]) if cells.get("uom") is not None else "",
            )
            for number, cells in table.rows
            if not table_file.is_blank(cells["quantity"])
        ]

    def _file_problem(self, error):
        """A sentence about a file that cannot be read, with the remedy."""
        match error.code:
            case "no_file":
                return self.env._("No file was chosen, or it is empty. Choose an XLSX or CSV file.")
            case "too_big":
                return self.env._("The file is larger than %s MB. Split it.", MAX_BYTES // 1024 // 1024)
            case "too_many":
                return self.env._("The file has more than %s rows. Split it.", MAX_ROWS)
            case "old_excel":
                return self.env._("The file is in the old Excel format (.xls). Save it as .xlsx or as CSV UTF-8.")
            case "columns" | "empty":
                return self.env._(
                    "The first row of the file must name the columns Code and Quantity. Start from our order form."
                )
        return self.env._("The file is broken, or neither XLSX nor CSV. Save it as .xlsx again.")

    @api.model
    def _order_form(self, order):
        """The catalogue as an XLSX file in which a dealer fills in quantities.

        :return: the file
        """
        book = self.env["channel.order"]._catalogue(order.partner_id, order.channel_end_customer_id, limit=None)
        columns = {
            "code": self.env._("Code"),
            "name": self.env._("Product"),
            "uom": self.env._("Unit"),
            "price_unit": self.env._("Price"),
            "currency": self.env._("Currency"),
            "quantity": self.env._("Quantity"),
        }
        rows = (
            {**row, "code": row["code"] or row["barcode"], "currency": book["currency"]}
            for row in book["rows"]
        )
        return table_file.write_table(list(columns.items()), rows)

    @api.model
    def _rejected_rows(self, order):
        """The rows that stayed with a cart as an XLSX file, each with its reason and remedy."""
        columns = {
            "code": self.env._("Code"),
            "quantity": self.env._("Quantity"),
            "uom": self.env._("Unit"),
            "reason": self.env._("Reason"),
            "remedy": self.env._("Remedy"),
        }
        return table_file.write_table(list(columns.items()), (
            {
                "code": pending["row"].code,
                "quantity": pending["row"].quantity,
                "uom": pending["row"].uom,
                "reason": " ".join(pending["reasons"]),
                "remedy": " ".join(pending["remedies"]),
            }
            for pending in self._pending_rows(order)
        ))

    @api.model
    def _repeat(self, order, earlier):
        """Read what was ordered before into a cart; what may not be ordered any more stays as rows with reasons."""
        rows = [
            OrderRow(
                number, line.product_id.default_code or line.product_id.barcode or line.product_id.display_name,
                line.product_uom_qty, line.product_uom_id.name,
            )
            for number, line in enumerate(
                earlier.order_line.filtered(lambda line: line._channel_gate_matters()), 1
            )
        ]
        return self._take_rows(order, rows)

    def _day(self, moment):
        """A moment as the day where the company is, written for the user."""
        return format_date(self.env, self.env.company._channel_date(moment or fields.Datetime.now()))
