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

    # === ACTION METHODS ===#

    def action_channel_explain_price(self):
        """Open the dialog that says how the price of the line came about."""
        self.ensure_one()
        self.check_access("read")
        check = self.env["channel.price.check"].create({"order_line_id": self.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Why this price?"),
            "res_model": check._name,
            "res_id": check.id,
            "view_mode": "form",
            "target": "new",
        }

    # === BUSINESS METHODS ===#

    def _channel_explain_price(self):
        """How the price of the line came about, as the tables stand for the day of the order.

        :returns: list of steps as in ``channel.pricing.quote``, after its ``price`` those of the line: ``taxes``,
            ``by_hand``, ``since``, ``line_discount``; last ``net``
        """
        self.ensure_one()
        self.check_access("read")
        line = self.with_company(self.company_id)._with_rule_books()
        order, product = line.order_id, line.product_id.with_context(**line._get_product_price_context())
        keywords = line._get_pricelist_kwargs()
        answer = {
            "price": line._get_pricelist_price(),
            "rule": line.pricelist_item_id,
            "pricelist": order.pricelist_id,
            "currency": line.currency_id,
        }
        line.env["channel.pricing"]._explain_lines(
            keywords["member"], keywords["customer"], [(product, keywords["quantity"], keywords["uom"])], [answer],
            keywords["date"],
        )
        return [*answer["steps"], *line._channel_explain_line(answer["price"])]

    def _channel_explain_line(self, table_price):
        """How the line goes on from the price of its table."""
        pricing, currency = self.env["channel.pricing"], self.currency_id

        def amount(value):
            return pricing._amount(value, currency)

        def step(code, value, message):
            return {"code": code, "amount": value, "currency": currency.name, "message": message}

        if self.combo_item_id or self.product_type == "combo":
            yield step("net", self.price_unit, self.env._("Part of a set: its price is shared out among the parts"))
            return
        after_taxes = self._channel_tax_mapped(table_price)
        if currency.compare_amounts(after_taxes, table_price):
            yield step("taxes", after_taxes, self.env._(
                "Without the taxes that it includes elsewhere → %s", amount(after_taxes)
            ))
        from_table = self._channel_tax_mapped(self._get_display_price())
        if currency.compare_amounts(self.price_unit, self.technical_price_unit):
            yield step("by_hand", self.price_unit, self.env._(
                "Agreed by hand for this order: %s", amount(self.price_unit)
            ))
        elif currency.compare_amounts(self.price_unit, from_table):
            yield step("since", self.price_unit, self.env._(
                "The table was changed since: when the line was priced it gave %s", amount(self.price_unit)
            ))
        if self.discount:
            yield step("line_discount", self.price_unit, self.env._(
                "%(price)s less %(percent)s %% on the line",
                price=amount(self.price_unit), percent=pricing._number(self.discount),
            ))
        net = self.price_unit * (1 - self.discount / 100)
        yield step("net", net, self.env._(
            "On the order: %(amount)s per %(uom)s", amount=amount(net), uom=self.product_uom_id.name
        ))

    def _channel_tax_mapped(self, price):
        """`price` as the fiscal position of the order turns it, as core does when it fills the unit price."""
        return self.product_id._get_tax_included_unit_price_from_price(
            price,
            product_taxes=self.product_id.taxes_id._filter_taxes_by_company(self.company_id),
            fiscal_position=self.order_id.fiscal_position_id,
        )

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
