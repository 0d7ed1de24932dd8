from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

FLOWS = ("invoices", "credits", "payments", "other")


class ChannelAccountStatementContentMixin(models.AbstractModel):
    """What a statement of account says. Inherited by ``channel.account.statement``.

    All sums are of the receivable lines of Odoo's ledger, currency by currency, so that they agree with it to the cent.
    """

    _name = "channel.account.statement.content.mixin"
    _description = "Statement of Account: Figures"

    @api.model
    def _content(self, member, company, date_from, date_to):
        """:return: dict as ``channel.account.statement.content`` has it; sections and currencies may be empty"""
        # sudo: whoever may make statements may know the whole account of a member that he sees, also without the
        # rights of a salesperson or of the warehouse; the caller has checked both
        source = self.sudo().with_company(company).with_context(
            lang=member.lang or self.env.lang, allowed_company_ids=company.ids
        )
        scope = {"member": member.sudo(), "company": company, "date_from": date_from, "date_to": date_to}
        sections = {code: method(scope) for code, method in source._sections().items()}
        return {
            "member": member.name, "company": company.name,
            "date_from": date_from.isoformat(), "date_to": date_to.isoformat(),
            **source._content_figures(scope, sections),
            "sections": [{"code": code, "lines": lines} for code, lines in sections.items() if lines],
        }

    @api.model
    def _sections(self):
        """Return the sections of a statement in their order: ``{code: method}``.

        To be extended. A method is given a dict ``member``, ``company``, ``date_from``, ``date_to`` and returns the
        lines of its section, as :meth:`_section_line` makes them; :meth:`_section_titles` names it. Sections beyond the
        ledger (``invoices``, ``credits``, ``payments``, ``other``) explain, and count in no balance.
        """
        return {
            "orders": self._section_orders,
            "deliveries": self._section_deliveries,
            "acceptances": self._section_acceptances,
            "claims": self._section_claims,
            "invoices": lambda scope: self._section_ledger(scope)["invoices"],
            "credits": lambda scope: self._section_ledger(scope)["credits"],
            "payments": lambda scope: self._section_ledger(scope)["payments"],
            "other": lambda scope: self._section_ledger(scope)["other"],
            "rebates": self._section_rebates,
            "open": self._section_open,
        }

    @api.model
    def _section_titles(self):
        """:return: ``{code: name of the section}`` in the language of the reader"""
        return {
            "orders": self.env._("Ordered, not delivered yet"),
            "deliveries": self.env._("Delivered, not invoiced yet"),
            "acceptances": self.env._("Not accepted, or not accepted yet"),
            "claims": self.env._("Claims that are being decided"),
            "invoices": self.env._("Invoices"),
            "credits": self.env._("Credit notes"),
            "payments": self.env._("Payments"),
            "other": self.env._("Other entries"),
            "rebates": self.env._("Rebates"),
            "open": self.env._("Open at the end of the period"),
        }

    @api.model
    def _section_line(self, key, currency, amount, document, date, **values):
        """A line of a section. Its key is the same whenever the statement is made again.

        :param values: ``reference``, ``text``, ``due`` (date), ``overdue`` (days), ``orders``, ``contract``, ``fapiao``
        """
        return {
            "key": key, "currency": currency.name, "amount": currency.round(amount), "document": document or "",
            "date": date and date.isoformat(), "reference": values.get("reference") or "",
            "text": values.get("text") or "", "due": values.get("due") and values["due"].isoformat(),
            "overdue": values.get("overdue") or 0, "orders": values.get("orders") or "",
            "contract": values.get("contract") or "", "fapiao": values.get("fapiao") or "",
        }

    # === WHAT IS NOT INVOICED YET === #

    def _section_orders(self, scope):
        lines = self._section_sale_lines(scope, SQL("line.product_uom_qty > line.qty_delivered"))
        return [
            self._section_sale_line("order", line, line.product_uom_qty - line.qty_delivered, line.order_id.name)
            for line in lines
        ]

    def _section_deliveries(self, scope):
        lines = self._section_sale_lines(scope, SQL(
            "(line.qty_delivered > line.qty_invoiced"
            " OR line.qty_delivered < line.qty_invoiced AND line.qty_to_invoice < 0)"
        ))
        result = []
        for line in lines:
            pickings = line.move_ids.picking_id.filtered(lambda picking: picking.state == "done")
            result.append(self._section_sale_line(
                "delivery", line, line.qty_delivered - line.qty_invoiced,
                ", ".join(pickings.sorted("id").mapped("name")) or line.order_id.name,
            ))
        return result

    def _section_acceptances(self, scope):
        """Deliveries until the end of the period that wait for the receiver, and what of the others was refused."""
        after = fields.Datetime.to_datetime(scope["date_to"] + timedelta(days=1))
        acceptances = self.env["channel.acceptance"].search([
            ("member_id.commercial_partner_id", "=", scope["member"].id), ("company_id", "=", scope["company"].id),
            ("shipped_at", "<", after), "|", ("state", "in", ("waiting", "arrived")),
            "&", ("state", "=", "differs"), ("shipped_at", ">=", fields.Datetime.to_datetime(scope["date_from"])),
        ], order="shipped_at, id")
        states = dict(acceptances._fields["state"]._description_selection(self.env))
        result = []
        for acceptance in acceptances:
            amount = 0.0
            for line in acceptance.line_ids:
                sold = line.move_line_id.move_id.sale_line_id
                quantity = line.quantity if acceptance.state in ("waiting", "arrived") else line.refused_quantity
                if sold.product_uom_qty:
                    quantity = line.uom_id._compute_quantity(quantity, sold.product_uom_id, round=False)
                    amount += sold.price_total / sold.product_uom_qty * quantity
            order = acceptance.sale_id
            result.append(self._section_line(
                f"acceptance_{acceptance.id}", order.currency_id or scope["company"].currency_id, amount,
                acceptance.name, scope["company"]._channel_date(acceptance.shipped_at), due=acceptance.due_date,
                text=f"{acceptance.picking_id.name}: {states[acceptance.state]}", orders=order.name,
                reference=order.client_order_ref,
            ))
        return result

    def _section_claims(self, scope):
        """What would be credited if every open claim were granted: in favour of the dealer, so negative."""
        after = fields.Datetime.to_datetime(scope["date_to"] + timedelta(days=1))
        claims = self.env["channel.claim"].search([
            ("acceptance_id.member_id", "=", scope["member"].id), ("company_id", "=", scope["company"].id),
            ("acceptance_id.shipped_at", "<", after), ("state", "=", "draft"),
        ], order="date, id")
        result = []
        for line in claims.line_ids:
            sale_line = line.acceptance_line_id.move_line_id.move_id.sale_line_id
            order = sale_line.order_id or line.claim_id.sale_id
            price = sale_line.price_total / sale_line.product_uom_qty if sale_line.product_uom_qty else 0.0
            quantity = line.uom_id._compute_quantity(line.quantity, sale_line.product_uom_id or line.uom_id)
            result.append(self._section_line(
                f"claim_{line.id}", order.currency_id, -price * quantity, line.claim_id.name, line.claim_id.date,
                reference=order.client_order_ref, orders=order.name,
                text=f"{line.product_id.display_name} {line.lot_id.name or ''}: {line.quantity:g} {line.uom_id.name}",
                contract=order.channel_contract_version_id.display_name,
            ))
        return result

    def _section_sale_lines(self, scope, condition):
        """Lines of orders until the end of the period, as they stand now: the quantities have no history."""
        Line = self.env["sale.order.line"]
        Line.flush_model(["product_uom_qty", "qty_delivered", "qty_invoiced", "qty_to_invoice"])
        after = fields.Datetime.to_datetime(scope["date_to"] + timedelta(days=1))
        self.env["sale.order"].flush_model(["state", "date_order", "company_id", "partner_id"])
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        rows = self.env.execute_query(SQL(
            """
            SELECT line.id FROM sale_order_line line
              JOIN sale_order o ON o.id = line.order_id
              JOIN res_partner partner ON partner.id = o.partner_id
             WHERE o.state = 'sale' AND line.display_type IS NULL AND NOT coalesce(line.is_downpayment, FALSE)
               AND o.company_id = %(company)s AND partner.commercial_partner_id = %(member)s
               AND o.date_order < %(after)s AND %(condition)s
             ORDER BY o.date_order, o.id, line.sequence, line.id
            """,
            company=scope["company"].id, member=scope["member"].id, after=after, condition=condition,
        ))
        return Line.browse(row[0] for row in rows)

    def _section_sale_line(self, kind, line, quantity, document):
        unit_price = line.price_total / line.product_uom_qty if line.product_uom_qty else line.price_unit
        order = line.order_id
        return self._section_line(
            f"{kind}_{line.id}", line.currency_id, unit_price * quantity, document,
            order.company_id._channel_date(order.date_order),
            reference=order.client_order_ref, orders=order.name,
            text=f"{line.product_id.display_name}: {quantity:g} {line.product_uom_id.name}",
            contract=order.channel_contract_version_id.display_name,
        )

    # === THE LEDGER === #

    def _ledger_domain(self, scope):
        return [
            ("account_id.account_type", "=", "asset_receivable"), ("parent_state", "=", "posted"),
            ("partner_id.commercial_partner_id", "=", scope["member"].id), ("company_id", "=", scope["company"].id),
        ]

    def _section_ledger(self, scope):
        """:return: ``{flow: lines}`` of the period; read once for a statement"""
        if "ledger" not in scope:
            lines = self.env["account.move.line"].search([
                *self._ledger_domain(scope), ("date", ">=", scope["date_from"]), ("date", "<=", scope["date_to"]),
            ], order="date, move_name, id")
            scope["ledger"] = result = defaultdict(list)
            for line in lines:
                result[self._ledger_flow(line)].append(self._ledger_line(line, line.amount_currency))
        return scope["ledger"]

    def _ledger_flow(self, line):
        if line.move_id.move_type in ("out_invoice", "out_receipt"):
            return "invoices"
        if line.move_id.move_type == "out_refund":
            return "credits"
        return "payments" if line.journal_id.type in ("bank", "cash", "credit") else "other"

    def _ledger_line(self, line, amount, prefix="entry", **values):
        move = line.move_id
        orders = move.invoice_line_ids.sale_line_ids.order_id
        return self._section_line(
            f"{prefix}_{line.id}", line.currency_id, amount, move.name, line.date,
            reference=move.payment_reference if move.is_invoice() and move.payment_reference != move.name else move.ref,
            due=line.date_maturity if move.is_invoice() else None,
            orders=", ".join(orders.sorted("id").mapped("name")),
            contract=move.channel_contract_version_id.display_name,
            # Of Chinese localisation, where it is there
            fapiao=move.fapiao if "fapiao" in move._fields else "", **values,
        )

    def _section_rebates(self, scope):
        """To be extended by who knows which credit notes are rebates."""
        return []

    def _section_open(self, scope):
        """What was not matched with anything on the last day of the period, with the days that it is late."""
        lines = self.env["account.move.line"].search([
            *self._ledger_domain(scope), ("date", "<=", scope["date_to"]),
        ], order="date_maturity, date, move_name, id")
        matched = self._matched_until(lines, scope["date_to"])
        result = []
        for line in lines:
            amount = line.currency_id.round(line.amount_currency - matched.get(line.id, 0.0))
            if line.currency_id.is_zero(amount):
                continue
            late = line.move_id.is_invoice() and amount > 0 and line.date_maturity
            result.append(self._ledger_line(
                line, amount, prefix="open",
                overdue=max((scope["date_to"] - line.date_maturity).days, 0) if late else 0,
            ))
        return result

    def _matched_until(self, lines, day):
        """:return: ``{line id: what was matched of it until the day, in its currency and with its sign}``"""
        Partial = self.env["account.partial.reconcile"]
        result = {}
        for field, amount, sign in (
            ("debit_move_id", "debit_amount_currency", 1), ("credit_move_id", "credit_amount_currency", -1),
        ):
            for line, total in Partial._read_group(
                [(field, "in", lines.ids), ("max_date", "<=", day)], [field], [f"{amount}:sum"]
            ):
                result[line.id] = result.get(line.id, 0.0) + sign * total
        return result

    def _balances(self, scope, operator, day):
        """:return: ``{currency: balance}`` of the ledger"""
        return dict(self.env["account.move.line"]._read_group(
            [*self._ledger_domain(scope), ("date", operator, day)], ["currency_id"], ["amount_currency:sum"]
        ))

    def _content_figures(self, scope, sections):
        """One row for each currency: opening, late, invoices, credits, payments and other add up to closing.

        Opening is the closing of the confirmed statement before, if there is one; ``late`` is what was posted into its
        period since.
        """
        before = self._balances(scope, "<", scope["date_from"])
        after = self._balances(scope, "<=", scope["date_to"])
        previous = self._previous_confirmed(scope)
        confirmed = {row["currency"]: row["closing"] for row in (previous.content or {}).get("currencies", [])}
        flows = defaultdict(float)
        for flow in FLOWS:
            for line in sections.get(flow, []):
                flows[line["currency"], flow] += line["amount"]
        overdue = defaultdict(float)
        for line in sections.get("open", []):
            if line["overdue"]:
                overdue[line["currency"]] += line["amount"]
        rows = []
        for currency in (before.keys() | after.keys()):
            ledger = currency.round(before.get(currency, 0.0))
            opening = confirmed.get(currency.name, 0.0) if previous else ledger
            row = {
                "currency": currency.name, "opening": opening, "late": currency.round(ledger - opening),
                **{flow: currency.round(flows[currency.name, flow]) for flow in FLOWS},
                "closing": currency.round(after.get(currency, 0.0)), "overdue": currency.round(overdue[currency.name]),
            }
            if any(value for name, value in row.items() if name != "currency"):
                rows.append(row)
        return {"previous": previous.name or "", "currencies": sorted(rows, key=lambda row: row["currency"])}

    def _previous_confirmed(self, scope):
        return self.search([
            ("member_id", "=", scope["member"].id), ("company_id", "=", scope["company"].id),
            ("state", "=", "confirmed"), ("date_to", "=", scope["date_from"] - timedelta(days=1)),
        ], limit=1)
