from odoo import api, fields, models
from odoo.tools import float_round

from odoo.addons.channel_base.tools.schema import add_column

from ..tools import RuleBook, in_own_unit

# What differs from line to line, all other pricing keywords are the order's
LINE_KEYWORDS = ("quantity", "uom", "date", "currency", "rule_book", "offers_on")
# What counts for quantity breaks of other lines
COUNTED_FIELDS = {"product_id", "product_uom_qty", "product_uom_id"}
# States of an order whose prices are open; a line that is not saved yet may have none
OPEN_STATES = ("draft", "sent", False)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    channel_request_line_id = fields.Many2one(
        "channel.price.request.line",
        string="Special Price",
        compute="_compute_channel_request_line_id",
        store=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The approved special price at which it is sold. Confirmed, the line takes from its quantity.",
    )

    channel_table_price = fields.Float(
        string="Table Price",
        readonly=True,
        copy=False,
        min_display_digits="Product Price",
        groups="base.group_user",
        help="What the price table said when the order was confirmed, special prices left out: per unit of the line, "
        "in the currency of the order. It is never worked out again.",
    )
    channel_table_date = fields.Datetime(
        string="Table Price of", readonly=True, copy=False, groups="base.group_user",
        help="Empty: of a line that was confirmed before table prices were kept, or has no price table.",
    )
    channel_price_version_id = fields.Many2one(
        "channel.price.version", string="Price Table Version", readonly=True, copy=False, index="btree_not_null",
        ondelete="set null", groups="base.group_user",
    )
    channel_price_user_id = fields.Many2one(
        "res.users", string="Price Entered by", readonly=True, copy=False, groups="base.group_user",
        help="Who last saved a unit price or discount of the line.",
    )

    def _auto_init(self):
        # Lines that exist already are sold at no special price: known without pricing each of them again.
        add_column(self.env.cr, self._table, "channel_request_line_id", "int4")
        return super()._auto_init()

    # === COMPUTE METHODS ===#

    @api.depends(
        "product_id",
        "product_uom_id",
        "product_uom_qty",
        "price_unit",
        "discount",
        "order_id.partner_id",
        "order_id.channel_end_customer_id",
    )
    def _compute_channel_request_line_id(self):
        """The special price whose rule wins, where the line is sold at it: who pays more takes nothing from it.

        What a confirmed order has taken stays taken, also when the rule has ended since.
        """
        confirmed = self.filtered(lambda line: line.state not in OPEN_STATES and line.channel_request_line_id)
        for line in confirmed:
            if line.product_id != line.channel_request_line_id.product_id:
                line.channel_request_line_id = False
        # Asked for while a form still fills the line in: its price must not be computed before it knows its order
        unplaced = self.filtered(lambda line: not line.order_id)
        unplaced.channel_request_line_id = False
        for line in (self - confirmed - unplaced)._with_rule_books():
            special = line.pricelist_item_id.channel_request_line_id
            net = line.price_unit * (1 - (line.discount or 0.0) / 100)
            sold_at_it = special and line.currency_id.compare_amounts(net, line._get_pricelist_price()) <= 0
            line.channel_request_line_id = special if sold_at_it else False

    @api.depends("order_id.partner_id", "order_id.channel_end_customer_id")
    def _compute_pricelist_item_id(self):
        super(SaleOrderLine, self._with_rule_books())._compute_pricelist_item_id()

    def _compute_price_unit(self):
        super(SaleOrderLine, self._channel_open_to_prices()._with_rule_books())._compute_price_unit()

    def _compute_discount(self):
        super(SaleOrderLine, self._channel_open_to_prices()._with_rule_books())._compute_discount()

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create([self._channel_with_price_user(vals) for vals in vals_list])
        lines.order_id._channel_reprice_counted()
        lines.filtered(lambda line: line.state == "sale")._channel_note_table_prices()
        return lines

    def write(self, vals):
        result = super().write(self._channel_with_price_user(vals))
        if COUNTED_FIELDS & vals.keys():
            self.order_id._channel_reprice_counted()
        return result

    def unlink(self):
        orders = self.order_id
        result = super().unlink()
        orders._channel_reprice_counted()
        return result

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

    def action_channel_request_special_price(self):
        """Open a special price request for this line; see the same method of the order."""
        self.ensure_one()
        return self.order_id._channel_request_special_price(self)

    # === BUSINESS METHODS ===#

    @api.model
    def _channel_with_price_user(self, vals):
        """`vals` with the user who saves a price or discount; what a computation writes is nobody's."""
        if vals.keys().isdisjoint(("price_unit", "discount")) or self.env.context.get("sale_write_from_compute"):
            return vals
        return {**vals, "channel_price_user_id": self.env.uid}

    def _channel_note_table_prices(self):
        """Keep what the price table says at the date of the order, special prices left out; asked when it is confirmed.

        The number of queries does not depend on the number of lines of an order.
        """
        for order, lines in self.grouped("order_id").items():
            lines = lines.filtered(
                lambda line: line.product_id
                and not (line.display_type or line.is_downpayment or line.combo_item_id)
                and line.product_type != "combo"
                and not line._is_global_discount()
            ).with_company(order.company_id)
            pricelist, date = order.pricelist_id.with_company(order.company_id), order.date_order
            if not (pricelist and lines):
                continue
            parties = {**order._channel_pricing_kwargs(), "special_prices": False}
            book = RuleBook(
                lines.product_id, date, [line._channel_rule_question() for line in lines],
                basket=order._channel_basket(lines), **parties,
            )
            version_id = pricelist._channel_version_at(date).id
            for line in lines:
                price = pricelist._get_product_price(
                    line.product_id.with_context(**line._get_product_price_context()),
                    line.product_uom_qty or 1.0,
                    currency=line.currency_id,
                    uom=line.product_uom_id,
                    date=date,
                    rule_book=book,
                    **parties,
                )
                # sudo: who confirms on the portal may not write order lines; nothing but these notes is written
                line.sudo().write({
                    "channel_table_price": line._channel_tax_mapped(price),
                    "channel_table_date": date,
                    "channel_price_version_id": version_id,
                })

    def _channel_open_to_prices(self):
        """Lines that a price table may price: what was confirmed at a special price stays at it."""
        return self.filtered(
            lambda line: line.state in OPEN_STATES
            or not line.channel_request_line_id
            or line.channel_request_line_id.product_id != line.product_id
        )

    def _channel_price_is_agreed(self):
        """Whether the price was agreed with the member for this very deal, so that no price table changes it.

        Add-ons that know other agreements extend it.
        """
        self.ensure_one()
        return bool(self.channel_request_line_id) and self.channel_request_line_id._holds_for(self.order_id)

    def _channel_request_vals(self):
        """These lines as lines of a special price request: what is left of the price after every discount.

        Several lines of one product are one, at the lowest of their prices.
        """
        gate_lines = {line.key: line for line in self.order_id.order_line._channel_gate_lines()}
        digits = self.env["decimal.precision"].precision_get("Product Price")
        asked = {}
        for line in self:
            gate_line = gate_lines.get(line.id)
            if not gate_line or gate_line.price_unit is None:
                continue
            # With the taxes that the price includes, as the price table has it
            net = line._channel_gate_amount()
            gross = line.price_unit * (1 - (line.discount or 0.0) / 100) * line.product_uom_qty
            price = gate_line.price_unit * (gross / net if net else 1.0)
            # Rounded down: what was offered must not lie below what is asked for
            price = float_round(price, precision_digits=digits, rounding_method="DOWN")
            vals = asked.setdefault(
                line.product_id, {"product_id": line.product_id.id, "quantity": 0.0, "price": price}
            )
            vals["quantity"] += gate_line.quantity
            vals["price"] = min(vals["price"], price)
        return list(asked.values())

    def _channel_has_table_price(self):
        """Whether there is anything to explain: not on sections, notes, down payments and the like."""
        self.ensure_one()
        return bool(self.product_id and not self.display_type and not self.is_downpayment)

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
            keywords["date"], order._channel_basket(),
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
        order = self.order_id
        kwargs = {
            **super()._get_pricelist_kwargs(), **order._channel_pricing_kwargs(), "offers_on": order.pricelist_id
        }
        rule_book = self.env.context.get("channel_rule_books", {}).get(order)
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
                key: value for key, value in kwargs.items() if key not in LINE_KEYWORDS
            }
            book = known.get(order)
            if book is None or not book.covers(lines.product_id, date, dimensions):
                book = RuleBook(
                    lines.product_id,
                    date,
                    [line._channel_rule_question() for line in lines],
                    basket=order._channel_basket(lines),
                    **dimensions,
                )
            books[order] = book
        return self.with_context(channel_rule_books=books) if books else self

    def _get_product_catalog_lines_data(self, **kwargs):
        if len(self) > 1:
            kwargs = {**self.order_id._channel_pricing_kwargs(), **kwargs}
        return super()._get_product_catalog_lines_data(**kwargs)
