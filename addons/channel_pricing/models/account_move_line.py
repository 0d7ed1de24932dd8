from odoo import api, fields, models
from odoo.tools import float_compare

from ..tools import RuleBook, in_own_unit


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    channel_table_price = fields.Float(
        string="Price of the Table",
        copy=False,
        help="Technical: what the price table gave. A unit price that differs was typed by hand and stays.",
    )

    # === COMPUTE METHODS ===#

    def _compute_price_unit(self):
        """A line made by hand on an invoice to a member costs what the same product costs on an order."""
        from_table = self.filtered(lambda line: line._channel_is_from_table())
        super(AccountMoveLine, self - from_table)._compute_price_unit()
        for line, price in from_table._channel_prices():
            line.price_unit = line.channel_table_price = price

    # === ONCHANGE METHODS ===#

    @api.onchange("quantity")
    def _onchange_channel_quantity(self):
        self._channel_reprice()

    # === BUSINESS METHODS ===#

    def _channel_reprice(self):
        """Price again the lines whose price was not typed by hand."""
        lines = self.filtered(
            lambda line: line._channel_is_from_table()
            and not line.currency_id.compare_amounts(line.price_unit, line.channel_table_price)
        )
        for line, price in lines._channel_prices():
            line.price_unit = line.channel_table_price = price

    def _channel_is_from_table(self):
        """Whether the price is one of a member's price table: not on lines of an order, nor on imported ones."""
        self.ensure_one()
        return bool(
            self.product_id
            and self.display_type == "product"
            and self.move_id.is_sale_document(include_receipts=True)
            and self.move_id.commercial_partner_id.channel_role
            and not self.sale_line_ids
            and not self.is_imported
        )

    def _channel_prices(self):
        """
        :returns: ``[(line, its unit price by the member's table, in the currency of the invoice)]``
        """
        priced = []
        for move, lines in self.grouped("move_id").items():
            lines = lines.with_company(move.company_id)
            moment = move._channel_price_moment()
            parties = move._channel_pricing_kwargs()
            pricelist = lines.env["channel.pricing"]._pricelists_of(parties["member"], moment)[parties["member"].id]
            book = RuleBook(
                lines.product_id,
                moment,
                [
                    (line.product_id.id, in_own_unit(line.product_id, line.quantity, line.product_uom_id))
                    for line in lines
                ],
                **parties,
            )
            for line in lines:
                currency = pricelist.currency_id or move.company_currency_id
                uom = line.product_uom_id or line.product_id.uom_id
                price = pricelist._get_product_price(
                    line.product_id, line.quantity, currency=currency, uom=uom, date=moment, rule_book=book, **parties
                )
                priced.append((line, line.product_id._get_tax_included_unit_price(
                    move.company_id,
                    move.currency_id,
                    move.date,
                    "sale",
                    # The price is one of the line's unit already
                    product_uom=line.product_id.uom_id,
                    product_currency=currency,
                    product_price_unit=price,
                    fiscal_position=move.fiscal_position_id,
                )))
        return priced

    def _sale_get_invoice_price(self, order):
        """An expense re-invoiced at sales price costs what the same product costs on the order."""
        self.ensure_one()
        if self.product_id.expense_policy != "sales_price":
            return super()._sale_get_invoice_price(order)
        return order.pricelist_id._get_product_price(
            self.product_id,
            1.0,
            uom=self.product_uom_id,
            date=order.date_order,
            **order._channel_pricing_kwargs(),
        )

    def _channel_price_agreed(self):
        """Those of these invoice lines that bill an order's line at the price of the order.

        Their price was judged when the order was confirmed: a limit of today does not undo what was agreed. Where the
        invoice has discounts of its own nothing is as agreed.
        """
        agreed = self.browse()
        for move, lines in self.grouped("move_id").items():
            if any(
                line._channel_gate_is_discount() and not line.sale_line_ids
                for line in move.invoice_line_ids
                if line.display_type == "product"
            ):
                continue
            agreed |= lines.filtered(lambda line: line._channel_is_at_order_price())
        return agreed

    def _channel_is_at_order_price(self):
        self.ensure_one()
        orders = self.sale_line_ids
        return bool(orders) and all(
            order_line.state == "sale"
            and order_line.product_id == self.product_id
            and order_line.product_uom_id == self.product_uom_id
            and order_line.currency_id == self.currency_id
            and order_line.tax_ids == self.tax_ids
            and not float_compare(self.price_unit, order_line.price_unit, precision_digits=6)
            and not float_compare(self.discount, order_line.discount, precision_digits=6)
            for order_line in orders
        )
