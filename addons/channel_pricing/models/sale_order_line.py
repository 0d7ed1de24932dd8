from odoo import api, models

from ..tools import RuleBook, in_own_unit

# What differs from line to line, all other pricing keywords are the order's
LINE_KEYWORDS = ("quantity", "uom", "date", "currency")


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # === COMPUTE METHODS ===#

    @api.depends("order_id.partner_id", "order_id.channel_end_customer_id")
    def _compute_pricelist_item_id(self):
        super(SaleOrderLine, self._with_rule_books())._compute_pricelist_item_id()

    def _compute_price_unit(self):
        super(SaleOrderLine, self._with_rule_books())._compute_price_unit()

    def _compute_discount(self):
        super(SaleOrderLine, self._with_rule_books())._compute_discount()

    # === BUSINESS METHODS ===#

    def _get_pricelist_kwargs(self):
        kwargs = {**super()._get_pricelist_kwargs(), **self.order_id._channel_pricing_kwargs()}
        rule_book = self.env.context.get("channel_rule_books", {}).get(self.order_id)
        return {**kwargs, "rule_book": rule_book} if rule_book else kwargs

    def _channel_rule_question(self):
        """What core will ask the rule book for this line."""
        product = self.product_id
        return product.id, in_own_unit(product, self.product_uom_qty or 1.0, self.product_uom_id)

    def _with_rule_books(self):
        """`self` with the candidate rules of each order at hand, for the time of one computation.

        The book travels in the context only from here to `_get_pricelist_kwargs`, because the methods between
        take no arguments; it is not read anywhere else.
        """
        known = self.env.context.get("channel_rule_books", {})
        books = {}
        for order, lines in self.filtered("product_id").grouped("order_id").items():
            if not order.pricelist_id:
                continue
            kwargs = lines[:1]._get_pricelist_kwargs()
            date = kwargs["date"]
            dimensions = {
                key: value for key, value in kwargs.items() if key not in LINE_KEYWORDS and key != "rule_book"
            }
            book = known.get(order)
            if book is None or not book.covers(lines.product_id, date, dimensions):
                book = RuleBook(
                    lines.product_id,
                    date,
                    [line._channel_rule_question() for line in lines],
                    **dimensions,
                )
            books[order] = book
        return self.with_context(channel_rule_books=books) if books else self

    def _get_product_catalog_lines_data(self, **kwargs):
        if len(self) > 1:
            kwargs = {**self.order_id._channel_pricing_kwargs(), **kwargs}
        return super()._get_product_catalog_lines_data(**kwargs)
