from collections.abc import Callable
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

#: Column that a basis may offer -> its type. What it does not offer is NULL.
SOURCE_COLUMNS = {
    "source_id": "int",  # the line, by which entries find it again
    "move_line_id": "int",  # the invoice line, where there is one
    "document_id": "int",
    "company_id": "int",
    "buyer_id": "int",  # commercial partner
    "customer_id": "int",  # end customer; 0 for none
    "product_id": "int",
    "date": "date",  # of the event: puts the line into a period
    "sale_date": "date",  # of a return: day of the sale that it takes back, where it is known
    "order_date": "date",
    "invoice_date": "date",
    "due_date": "date",
    "paid_date": "date",  # of the last payment of an invoice that is paid in full
    "currency_id": "int",
    # Positive for sales, negative for returns. In the document's currency but for `company_amount`.
    "net_amount": "numeric",
    "company_amount": "numeric",  # the net amount as booked
    "gross_amount": "numeric",  # before the line's discount
    "tax_amount": "numeric",
    "cash_amount": "numeric",  # net amount less the early payment discount
    "contract_amount": "numeric",  # by the price list of the order
    "list_amount": "numeric",  # by the product's sales price, in the company's currency
    "quantity": "numeric",  # in the product's own unit
    "seller_id": "int",  # partner of the salesperson
    "team_id": "int",
    "is_rebate": "boolean",  # a rebate document: never counts
}


class Watch(NamedTuple):
    """A table whose changes make lines of a basis be looked at again."""

    table: str
    columns: tuple  # a change of any other column is none of our business
    condition: str  # SQL over the row `r`: which rows matter at all
    lines: Callable = lambda ids: ids  # select of ids of the table -> select of `source_id`


class ChannelRebateEngineBasisMixin(models.AbstractModel):
    """Bases: which lines count, and on which day.

    A basis `x` is a method `_basis_x(companies, columns)` -> select of `columns` (names of SOURCE_COLUMNS) of all lines
    of members in these companies, and `_watch_x()` -> list of Watch: whose changes concern it. Add `("x", label)` to
    `_selection_basis`.
    """

    _name = "channel.rebate.engine.basis.mixin"
    _description = "Rebate Engine: Bases"

    @api.model
    def _selection_basis(self):
        return [
            ("ordered", self.env._("Ordered: confirmed order lines, on the day of the order")),
            ("delivered", self.env._("Delivered: what left the warehouse, on that day")),
            ("invoiced", self.env._("Invoiced: posted invoices, on the invoice date")),
            ("paid", self.env._("Paid: invoices paid in full, on the day of the last payment")),
        ]

    def _basis(self, code, companies, columns):
        return getattr(self, f"_basis_{code}")(companies, columns)

    def _watch(self, code):
        return getattr(self, f"_watch_{code}")()

    def _sql_source_columns(self, offered, columns):
        """The select list of `columns`: what a basis offers, NULL for the rest."""
        return SQL(", ").join(
            SQL(
                "(%s)::%s AS %s",
                offered.get(name, SQL("NULL")),
                SQL(SOURCE_COLUMNS[name]),  # pylint: disable=sql-injection
                SQL.identifier(name),
            )
            for name in columns
        )

    # === INVOICED AND PAID === #

    def _basis_invoiced(self, companies, columns):
        """Posted lines of customer invoices and credit notes of channel members, on the invoice date."""
        return self._sql_invoice_lines(companies, columns)

    def _basis_paid(self, companies, columns):
        """The same, of documents paid in full or reversed, on the day on which the last payment arrived."""
        return self._sql_invoice_lines(companies, columns, paid_only=True)

    def _sql_invoice_lines(self, companies, columns, paid_only=False):
        sign = SQL("(CASE am.move_type WHEN 'out_refund' THEN -1 ELSE 1 END)")
        net = SQL("-aml.amount_currency")
        offered = {
            "source_id": SQL("aml.id"),
            "move_line_id": SQL("aml.id"),
            "document_id": SQL("aml.move_id"),
            "company_id": SQL("aml.company_id"),
            "buyer_id": SQL("am.commercial_partner_id"),
            "customer_id": SQL("COALESCE(am.channel_end_customer_id, 0)"),
            "product_id": SQL("aml.product_id"),
            "date": SQL("paid.date") if paid_only else SQL("am.invoice_date"),
            "sale_date": SQL("sale.invoice_date"),
            "order_date": SQL("ordered.date"),
            "invoice_date": SQL("am.invoice_date"),
            "due_date": SQL("COALESCE(am.invoice_date_due, am.invoice_date)"),
            "paid_date": SQL("CASE WHEN am.payment_state = 'paid' THEN paid.date END"),
            "currency_id": SQL("aml.currency_id"),
            "net_amount": net,
            "company_amount": SQL("-aml.balance"),
            "gross_amount": SQL(
                """CASE WHEN COALESCE(aml.discount, 0) BETWEEN 0.000001 AND 99.999999
                        THEN %s / (1 - aml.discount / 100)
                        WHEN COALESCE(aml.discount, 0) = 0 THEN %s
                        ELSE %s * aml.quantity * aml.price_unit END""",
                net,
                net,
                sign,
            ),
            "tax_amount": SQL("%s * (aml.price_total - aml.price_subtotal)", sign),
            "cash_amount": SQL(
                "%s * (1 - CASE WHEN terms.early_discount THEN terms.discount_percentage::numeric / 100 ELSE 0 END)",
                net,
            ),
            "contract_amount": SQL("COALESCE(%s * aml.quantity * ordered.price, %s)", sign, net),
            "list_amount": SQL(
                """COALESCE(%s * NULLIF(aml.channel_list_price, 0) * aml.quantity * uom.factor / own.factor,
                            -aml.balance)""",
                sign,
            ),
            "quantity": SQL("%s * aml.quantity * COALESCE(uom.factor / own.factor, 1)", sign),
            "seller_id": SQL("seller.partner_id"),
            "team_id": SQL("am.team_id"),
            "is_rebate": SQL("aml.channel_rebate_role IS NOT NULL"),
        }
        return SQL(
            """SELECT %(columns)s
                 FROM account_move_line aml
                 JOIN account_move am ON am.id = aml.move_id
                 JOIN res_partner member ON member.id = am.commercial_partner_id AND member.channel_role IS NOT NULL
            LEFT JOIN account_move sale ON sale.id = am.reversed_entry_id
            LEFT JOIN account_payment_term terms ON terms.id = am.invoice_payment_term_id
            LEFT JOIN res_users seller ON seller.id = am.invoice_user_id
            LEFT JOIN uom_uom uom ON uom.id = aml.product_uom_id
            LEFT JOIN product_product product ON product.id = aml.product_id
            LEFT JOIN product_template template ON template.id = product.product_tmpl_id
            LEFT JOIN uom_uom own ON own.id = template.uom_id
                 %(ordered)s
                 %(paid)s
                WHERE am.state = 'posted'
                  AND am.move_type IN ('out_invoice', 'out_refund')
                  AND aml.display_type = 'product'
                  AND am.company_id = ANY(%(companies)s)
                  AND %(condition)s""",
            columns=self._sql_source_columns(offered, columns),
            companies=list(companies.ids),
            condition=SQL("am.payment_state IN ('paid', 'reversed')") if paid_only else SQL("TRUE"),
            # looked up line by line only where a programme asks for them
            ordered=SQL(
                """LEFT JOIN LATERAL (
                    SELECT %s AS date, sol.technical_price_unit AS price
                      FROM sale_order_line_invoice_rel rel
                      JOIN sale_order_line sol ON sol.id = rel.order_line_id
                      JOIN sale_order so ON so.id = sol.order_id
                     WHERE rel.invoice_line_id = aml.id
                     ORDER BY sol.id LIMIT 1) ordered ON TRUE""",
                self._sql_day(SQL("so.date_order"), SQL("so.company_id"), companies),
            )
            if {"order_date", "contract_amount"} & set(columns)
            else SQL(""),
            paid=SQL(
                """LEFT JOIN LATERAL (
                    SELECT max(other.date) AS date
                      FROM account_move_line due
                      JOIN account_partial_reconcile part ON due.id IN (part.debit_move_id, part.credit_move_id)
                      JOIN account_move_line other ON other.id = part.debit_move_id + part.credit_move_id - due.id
                     WHERE due.move_id = am.id AND due.display_type = 'payment_term') paid ON TRUE"""
            )
            if paid_only or "paid_date" in columns
            else SQL(""),
        )

    def _watch_invoiced(self):
        return [
            Watch(
                "account_move_line",
                (
                    "parent_state", "display_type", "move_id", "product_id", "product_uom_id", "currency_id",
                    "quantity",
                    "discount", "price_unit", "price_subtotal", "price_total", "amount_currency", "balance",
                    "channel_rebate_role", "channel_list_price",
                ),
                "r.display_type = 'product' AND r.parent_state = 'posted'",
            ),
            Watch(
                "account_move",
                (
                    "state", "invoice_date", "invoice_date_due", "commercial_partner_id", "channel_end_customer_id",
                    "payment_state", "invoice_user_id", "team_id", "reversed_entry_id", "invoice_payment_term_id",
                ),
                "r.move_type IN ('out_invoice', 'out_refund') AND r.state = 'posted'",
                lambda ids: SQL("SELECT id FROM account_move_line WHERE move_id IN (%s)", ids),
            ),
        ]  # fmt: skip

    _watch_paid = _watch_invoiced

    # === ORDERED === #

    def _basis_ordered(self, companies, columns):
        """Lines of confirmed orders of channel members, on the day of the order."""
        day = self._sql_day(SQL("so.date_order"), SQL("so.company_id"), companies)
        offered = {
            "source_id": SQL("sol.id"),
            "document_id": SQL("sol.order_id"),
            "quantity": SQL("sol.product_uom_qty * COALESCE(uom.factor / own.factor, 1)"),
            "date": day,
            **self._order_columns(day, SQL("1")),
        }
        return SQL(
            """SELECT %(columns)s
                 FROM sale_order_line sol
                 %(order)s
                WHERE so.state = 'sale'
                  AND sol.display_type IS NULL AND NOT COALESCE(sol.is_downpayment, FALSE)
                  AND so.company_id = ANY(%(companies)s)""",
            columns=self._sql_source_columns(offered, columns),
            order=self._sql_order_joins(),
            companies=list(companies.ids),
        )

    def _order_columns(self, day, part):
        """What a line says that comes from the order: `part` of its amounts."""
        net = SQL("sol.price_subtotal * %s", part)
        return {
            "company_id": SQL("so.company_id"),
            "buyer_id": SQL("buyer.commercial_partner_id"),
            "customer_id": SQL("COALESCE(so.channel_end_customer_id, 0)"),
            "product_id": SQL("sol.product_id"),
            "order_date": day,
            "invoice_date": day,
            "due_date": day,
            "currency_id": SQL("so.currency_id"),
            "net_amount": net,
            "company_amount": SQL(
                "round(%s / COALESCE(NULLIF(so.currency_rate, 0), 1) / cur.rounding) * cur.rounding", net
            ),
            "gross_amount": SQL(
                """CASE WHEN COALESCE(sol.discount, 0) BETWEEN 0.000001 AND 99.999999
                        THEN %(net)s / (1 - sol.discount / 100)
                        WHEN COALESCE(sol.discount, 0) = 0 THEN %(net)s
                        ELSE sol.product_uom_qty * sol.price_unit * %(part)s END""",
                net=net,
                part=part,
            ),
            "tax_amount": SQL("sol.price_tax::numeric * %s", part),
            "cash_amount": SQL(
                "%s * (1 - CASE WHEN terms.early_discount THEN terms.discount_percentage::numeric / 100 ELSE 0 END)",
                net,
            ),
            "contract_amount": SQL(
                "sol.product_uom_qty * COALESCE(NULLIF(sol.technical_price_unit, 0), sol.price_unit)::numeric * %s",
                part,
            ),
            "list_amount": SQL(
                """COALESCE(NULLIF(sol.channel_list_price, 0) * sol.product_uom_qty * uom.factor / own.factor * %s,
                            %s / COALESCE(NULLIF(so.currency_rate, 0), 1))""",
                part,
                net,
            ),
            "seller_id": SQL("seller.partner_id"),
            "team_id": SQL("so.team_id"),
            "is_rebate": SQL("FALSE"),
        }

    def _sql_order_joins(self):
        return SQL(
            """JOIN sale_order so ON so.id = sol.order_id
               JOIN res_partner buyer ON buyer.id = so.partner_id
               JOIN res_partner member ON member.id = buyer.commercial_partner_id AND member.channel_role IS NOT NULL
               JOIN res_company company ON company.id = so.company_id
               JOIN res_currency cur ON cur.id = company.currency_id
          LEFT JOIN account_payment_term terms ON terms.id = so.payment_term_id
          LEFT JOIN res_users seller ON seller.id = so.user_id
          LEFT JOIN uom_uom uom ON uom.id = sol.product_uom_id
          LEFT JOIN product_product product ON product.id = sol.product_id
          LEFT JOIN product_template template ON template.id = product.product_tmpl_id
          LEFT JOIN uom_uom own ON own.id = template.uom_id"""
        )

    #: Of a line, and of its order.
    _ORDER_LINE_WATCH = (
        "product_id", "product_uom_id", "product_uom_qty", "price_unit", "price_subtotal", "price_tax", "discount",
        "technical_price_unit", "state", "channel_list_price",
    )  # fmt: skip
    _ORDER_WATCH = (
        "state", "date_order", "partner_id", "channel_end_customer_id", "user_id", "team_id", "payment_term_id",
        "currency_rate",
    )  # fmt: skip

    def _watch_ordered(self):
        return [
            Watch("sale_order_line", self._ORDER_LINE_WATCH, "r.state = 'sale'"),
            Watch(
                "sale_order",
                self._ORDER_WATCH,
                "r.state = 'sale'",
                lambda ids: SQL("SELECT id FROM sale_order_line WHERE order_id IN (%s)", ids),
            ),
        ]

    # === DELIVERED === #

    def _basis_delivered(self, companies, columns):
        """Done moves of order lines to and from customers, on the day of the move, at the price of the order."""
        sign = SQL("(CASE WHEN dest.usage = 'customer' THEN 1 ELSE -1 END)")
        moved = SQL("%s * sm.quantity * moved_uom.factor / uom.factor", sign)
        day = self._sql_day(SQL("so.date_order"), SQL("so.company_id"), companies)
        offered = {
            **self._order_columns(day, SQL("(%s / NULLIF(sol.product_uom_qty, 0))::numeric", moved)),
            "source_id": SQL("sm.id"),
            "document_id": SQL("sol.order_id"),
            "quantity": SQL("%s * sm.quantity * COALESCE(moved_uom.factor / own.factor, 1)", sign),
            "date": self._sql_day(SQL("sm.date"), SQL("sm.company_id"), companies),
            "sale_date": self._sql_day(SQL("origin.date"), SQL("sm.company_id"), companies),
        }
        return SQL(
            """SELECT %(columns)s
                 FROM stock_move sm
                 JOIN sale_order_line sol ON sol.id = sm.sale_line_id
                 %(order)s
                 JOIN stock_location source ON source.id = sm.location_id
                 JOIN stock_location dest ON dest.id = sm.location_dest_id
                 JOIN uom_uom moved_uom ON moved_uom.id = sm.product_uom
            LEFT JOIN stock_move origin ON origin.id = sm.origin_returned_move_id AND sm.location_id <>
                sm.location_dest_id
                WHERE sm.state = 'done'
                  AND sm.product_id = sol.product_id
                  AND (dest.usage = 'customer') <> (source.usage = 'customer')
                  AND sm.company_id = ANY(%(companies)s)""",
            columns=self._sql_source_columns(offered, columns),
            order=self._sql_order_joins(),
            companies=list(companies.ids),
        )

    def _watch_delivered(self):
        return [
            Watch("stock_move", ("state", "date", "quantity", "sale_line_id"), "r.state = 'done'"),
            Watch(
                "sale_order_line",
                self._ORDER_LINE_WATCH,
                "r.state = 'sale'",
                lambda ids: SQL("SELECT id FROM stock_move WHERE sale_line_id IN (%s)", ids),
            ),
            Watch(
                "sale_order",
                self._ORDER_WATCH,
                "r.state = 'sale'",
                lambda ids: SQL(
                    """SELECT sm.id FROM stock_move sm JOIN sale_order_line sol ON sol.id = sm.sale_line_id
                        WHERE sol.order_id IN (%s)""",
                    ids,
                ),
            ),
        ]

    # === DAYS === #

    def _sql_day(self, moment, company, companies):
        """The calendar day of a moment (UTC) where the company is, as `res.company._channel_date` says it."""
        # Superuser: the time zone of a company is no secret.
        zones = {c.id: c.partner_id.tz or c.resource_calendar_id.tz or "UTC" for c in companies.sudo()}
        if len(set(zones.values())) <= 1:
            zone = SQL("%s", next(iter(zones.values()), "UTC"))
        else:
            zone = SQL(
                "CASE %s %s END", company, SQL(" ").join(SQL("WHEN %s THEN %s", i, zone) for i, zone in zones.items())
            )
        return SQL("((%s AT TIME ZONE 'UTC') AT TIME ZONE %s)::date", moment, zone)
