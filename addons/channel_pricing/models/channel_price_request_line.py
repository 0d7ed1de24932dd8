from odoo import api, fields, models

from odoo.addons.channel_base.tools.gate import GateLine, GateRequest

from ..tools import RuleBook

#: Who may read floors, costs and margins
SECRET = "channel_base.group_channel_pricing,channel_base.group_channel_manager,channel_base.group_channel_auditor"


class ChannelPriceRequestLine(models.Model):
    """One product of a special price request: what is asked for, what it costs otherwise, what has been used."""

    _name = "channel.price.request.line"
    _description = "Special Price"
    _inherit = ["channel.version.line.mixin"]
    _order = "request_id desc, id"
    _check_company_auto = True
    _version_field = "request_id"

    request_id = fields.Many2one("channel.price.request", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="request_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="request_id.currency_id")
    state = fields.Selection(related="request_id.state", store=True, index=True)
    member_id = fields.Many2one(related="request_id.member_id", store=True, index=True)
    customer_id = fields.Many2one(related="request_id.customer_id", store=True, index="btree_not_null")
    product_id = fields.Many2one(
        "product.product",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        domain="[('sale_ok', '=', True)]",
    )
    product_uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    quantity = fields.Float(
        required=True,
        digits="Product Unit",
        default=1.0,
        help="How much may be ordered at this price, in the product's own unit of measure.",
    )
    price = fields.Float(
        string="Price Asked For",
        required=True,
        min_display_digits="Product Price",
        help="Net of every discount, like a price of the table, per the product's own unit of measure.",
    )
    competitor_price = fields.Float(
        string="Competitor's Price", min_display_digits="Product Price", groups="base.group_user"
    )

    # What it costs otherwise: as of the first day, worked out when the request is edited and when it is submitted
    table_price = fields.Float(
        string="Price of the Table",
        min_display_digits="Product Price",
        compute="_compute_figures",
        store=True,
        help="Of the member's table, without special prices.",
    )
    discount = fields.Float(
        string="Discount (%)", compute="_compute_figures", store=True, digits=(16, 2), aggregator="max"
    )
    floor_price = fields.Float(
        string="Floor",
        min_display_digits="Product Price",
        compute="_compute_figures",
        store=True,
        groups=SECRET,
        aggregator=None,
    )
    is_below_floor = fields.Boolean(string="Below the Floor", compute="_compute_figures", store=True, groups=SECRET)
    cost = fields.Float(
        min_display_digits="Product Price", compute="_compute_figures", store=True, groups=SECRET, aggregator=None
    )
    margin = fields.Float(
        string="Margin (%)",
        compute="_compute_figures",
        store=True,
        groups=SECRET,
        digits=(16, 2),
        aggregator="min",
        help="Price without tax less cost, in percent of the price.",
    )
    amount = fields.Monetary(compute="_compute_amount", store=True)
    table_amount = fields.Monetary(string="Amount by the Table", compute="_compute_amount", store=True)

    # Use
    rule_ids = fields.One2many(
        "product.pricelist.item",
        "channel_request_line_id",
        string="Price Rule",
        copy=False,
        groups="base.group_user",
    )
    order_line_ids = fields.One2many(
        "sale.order.line", "channel_request_line_id", string="Order Lines", copy=False, groups="base.group_user"
    )
    used_quantity = fields.Float(
        string="Used",
        digits="Product Unit",
        compute="_compute_used_quantity",
        store=True,
        copy=False,
        help="On confirmed orders, in the product's own unit of measure.",
    )
    remaining_quantity = fields.Float(string="Left", digits="Product Unit", compute="_compute_remaining_quantity")

    _price_positive = models.Constraint("CHECK(price >= 0)", "A special price cannot be negative.")
    _quantity_positive = models.Constraint("CHECK(quantity > 0)", "The quantity of a special price must be above 0.")
    _product_uniq = models.UniqueIndex(
        "(request_id, product_id)", "A request names each product once: put its quantities together."
    )

    # === COMPUTE METHODS ===#

    @api.depends("request_id.name", "product_id")
    def _compute_display_name(self):
        for line in self:
            # sudo: names only, also for dealers, who may not read products
            own = line.sudo()
            line.display_name = f"{own.request_id.name or ''}: {own.product_id.display_name or ''}"

    @api.depends(
        "product_id",
        "quantity",
        "price",
        "request_id.member_id",
        "request_id.customer_id",
        "request_id.company_id",
        "request_id.date_from",
        "request_id.pricelist_id",
    )
    def _compute_figures(self):
        gate = self.env["channel.gate"]
        exchange = gate._exchange()
        asked = {line: None for line in self}
        for request, lines in self.grouped("request_id").items():
            known = lines.filtered(lambda line: line.product_id)
            if not (request.member_id and request.date_from and request.company_id and known):
                continue
            tables = known._table_prices()
            question = GateRequest(
                operation="order",
                company=request.company_id,
                date=request.date_from,
                member=request.member_id.commercial_partner_id._origin,
                customer=request.customer_id.commercial_partner_id._origin,
                lines=[],
                currency=request.currency_id,
            )
            for line in known:
                gate_line = GateLine(key=line.id, product=line.product_id._origin, quantity=line.quantity)
                gate_line.price_unit = gate._without_tax(question, gate_line, line.price)
                question.lines.append(gate_line)
                asked[line] = (question, gate_line, tables[line])
        floors = {
            gate_line: amount
            for _request, gate_line, _limit, amount in gate._floors(
                {id(ask[0]): ask[0] for ask in asked.values() if ask}.values()
            )
        }
        for line, ask in asked.items():
            if not ask:
                line.table_price = line.discount = line.floor_price = line.cost = line.margin = 0.0
                line.is_below_floor = False
                continue
            question, gate_line, table = ask
            net = gate_line.price_unit
            product = gate_line.product.with_company(question.company)
            floor = floors.get(gate_line)
            line.table_price = table
            line.discount = 100 * (table - line.price) / table if table else 0.0
            line.floor_price = floor or 0.0
            line.is_below_floor = floor is not None and gate._compare(net, floor) < 0
            line.cost = exchange(question, product.standard_price, product.cost_currency_id)
            line.margin = 100 * (net - line.cost) / net if net else 0.0

    @api.depends("price", "quantity", "table_price", "currency_id")
    def _compute_amount(self):
        for line in self:
            currency = line.currency_id or line.env.company.currency_id
            line.amount = currency.round(line.price * line.quantity)
            line.table_amount = currency.round(line.table_price * line.quantity)

    @api.depends(
        "order_line_ids.channel_request_line_id",
        "order_line_ids.state",
        "order_line_ids.product_uom_qty",
        "order_line_ids.product_uom_id",
    )
    def _compute_used_quantity(self):
        """What confirmed orders take.

        Stored on purpose: whoever confirms an order writes this row, so that of two who do it at once the second is
        repeated by the server and then sees what the first has taken.
        """
        used = self._used_on([("state", "=", "sale")])
        for line in self:
            line.used_quantity = used.get(line._origin.id, 0.0)

    @api.depends("quantity", "used_quantity")
    def _compute_remaining_quantity(self):
        for line in self:
            line.remaining_quantity = max(0.0, line.quantity - line.used_quantity)

    # === BUSINESS METHODS ===#

    def _check_version_open(self):
        # sudo: the state of the line's own request
        self.sudo().request_id._check_editable()
        super()._check_version_open()

    def _holds_for(self, order):
        """Whether this special price is in force for the parties of an order, on its date."""
        parties = order._channel_pricing_kwargs()
        return self._holds(parties["member"], parties["customer"], order._channel_gate_date())

    def _holds(self, member, customer, day):
        self.ensure_one()
        # sudo: what an agreement says about a price that the caller sees
        request = self.sudo().request_id
        return (
            request.state in ("approved", "closed")
            and request.member_id == member._origin
            and request.customer_id in (customer._origin, customer.browse())
            and request.date_from <= day <= request._last_day()
        )

    def _refresh_figures(self):
        """Have the figures worked out anew, and what rests on them: tables, limits and costs may have changed."""
        self.modified(["price"])

    def _table_prices(self):
        """What these lines of one request cost by the member's table, special prices left out.

        :return: ``{line: price}`` in the currency of the request
        """
        request = self.request_id
        pricing = self.env["channel.pricing"].with_company(request.company_id)
        table = request.pricelist_id.with_env(pricing.env)
        moment = pricing._moment(request.date_from, request.company_id)
        parties = {
            "member": request.member_id.commercial_partner_id._origin,
            "customer": request.customer_id.commercial_partner_id._origin,
            "special_prices": False,
        }
        products = self.product_id._origin.with_env(pricing.env)
        book = RuleBook(
            products, moment, [(line.product_id._origin.id, line.quantity or 1.0) for line in self], **parties
        )
        return {
            line: table._get_product_price(
                line.product_id._origin.with_env(pricing.env),
                line.quantity or 1.0,
                currency=request.currency_id,
                date=moment,
                rule_book=book,
                **parties,
            )
            for line in self
        }

    def _used_on(self, domain):
        """What order lines take of these special prices, in the products' own units: in one query.

        :param domain: on ``sale.order.line``
        :return: ``{line id: quantity}``
        """
        used = {}
        for line, unit, quantity in self.env["sale.order.line"]._read_group(
            [("channel_request_line_id", "in", self._origin.ids), *domain],
            ["channel_request_line_id", "product_uom_id"],
            ["product_uom_qty:sum"],
        ):
            own = line.product_id.uom_id
            used[line.id] = used.get(line.id, 0.0) + (unit or own)._compute_quantity(quantity, own, round=False)
        return used

    def _audit_vals(self):
        self.ensure_one()
        return {
            "product": self.product_id.display_name,
            "quantity": self.quantity,
            "price": self.price,
            "table_price": self.table_price,
            "discount": self.discount,
            "below_floor": self.is_below_floor,
        }

    def _sold(self, date_from=None, date_to=None):
        """What was invoiced at these special prices: what a member may claim for, and add-ons that know claims ask.

        :param date_from: first day of the invoices
        :param date_to: last day of the invoices
        :return: list of ``{"line": special price, "invoice_line": account.move.line, "quantity": in the product's own
            unit, negative on credit notes, "table_price", "price": per that unit, in the currency of the request}``
        """
        domain = [
            ("sale_line_ids.channel_request_line_id", "in", self.ids),
            ("parent_state", "=", "posted"),
            ("move_type", "in", ("out_invoice", "out_refund", "out_receipt")),
        ]
        if date_from:
            domain.append(("invoice_date", ">=", date_from))
        if date_to:
            domain.append(("invoice_date", "<=", date_to))
        sold = []
        for invoice_line in self.env["account.move.line"].search(domain, order="invoice_date, id"):
            line = invoice_line.sale_line_ids.channel_request_line_id & self
            own = invoice_line.product_id.uom_id
            unit = invoice_line.product_uom_id or own
            quantity = unit._compute_quantity(invoice_line.quantity, own, round=False)
            sold.append(
                {
                    "line": line[:1],
                    "invoice_line": invoice_line,
                    "quantity": quantity if invoice_line.move_type != "out_refund" else -quantity,
                    "table_price": line[:1].table_price,
                    "price": line[:1].price,
                }
            )
        return sold

    # === PRICE RULES ===#

    def _rule_vals(self):
        """The rule of a price table that a line becomes."""
        self.ensure_one()
        request = self.request_id
        start, end = request._bounds()
        return {
            "pricelist_id": request.pricelist_id.id,
            "applied_on": "0_product_variant",
            "product_tmpl_id": self.product_id.product_tmpl_id.id,
            "product_id": self.product_id.id,
            "compute_price": "fixed",
            "fixed_price": self.price,
            "min_quantity": 0,
            "date_start": start,
            "date_end": end,
            "channel_member_id": request.member_id.id,
            "channel_customer_id": request.customer_id.id,
            "channel_request_line_id": self.id,
        }

    def _make_rules(self):
        """Write approved prices into the price tables. Superuser rights."""
        Item = self.env["product.pricelist.item"]._channel_beside_versions()
        return Item.create([line._rule_vals() for line in self])

    def _end_rules(self):
        for request, lines in self.grouped("request_id").items():
            rules = lines.rule_ids._channel_beside_versions()
            if request._last_day() < request.date_from:
                rules.unlink()  # they never held
            else:
                rules.write({"date_end": request._bounds()[1]})

    def _follow_price_table(self):
        """Move the rules of members that have got another price table, in the same currency, over to that one."""
        for request in self.request_id:
            # sudo: a job
            request = request.sudo()
            today = request.company_id._channel_today()
            pricing = self.env["channel.pricing"].with_company(request.company_id)
            member = request.member_id
            table = pricing._pricelists_of(member, pricing._moment(today, request.company_id))[member.id]
            rules = request.line_ids.rule_ids
            if not table or table == rules.pricelist_id:
                continue
            if table.currency_id != request.currency_id:
                request._alert_currency(table)
                continue
            rules._channel_beside_versions().write({"pricelist_id": table.id})
            request._journal("price_request.moved", after={"price_table": table.display_name})
