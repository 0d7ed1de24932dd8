from odoo import SUPERUSER_ID, models
from odoo.tools import float_compare, format_date, formatLang, hmac

from .channel_price_limit import UPPER

#: Prices and percentages that agree to so many decimals are the same: what is compared is a quotient of floats.
DIGITS = 6


class ChannelGate(models.AbstractModel):
    """Checks on prices, after all discounts: floor, ceiling, the seller's discount and margin.

    What is judged is :attr:`GateLine.price_unit`: net of the line's own discount, without tax, and with whatever makes
    the whole order cheaper (global discount, reward of a loyalty programme, any negative line) spread over its lines
    in proportion to their amounts. Free goods are lines of price 0. Messages are read by salespeople and, when they
    accept a quotation, by dealers: no floor, no cost and no seller's limit stands in them, nor in the basis. Those are
    the ``figures`` of a finding.

    An invoice bills what was agreed: a line at its order's price has been judged there.
    """

    _inherit = "channel.gate"

    # === CHECKS ===#

    def _check_price_floor(self, requests):
        """Nothing is sold below its floor.

        A tender's or award's price below the floor has been promised: it takes the floor's place.
        """
        below = [
            (request, line, floor, amount)
            for request, line, floor, amount in self._floors(requests)
            if self._compare(line.price_unit, amount) < 0
        ]
        below_lines = [(request, line) for request, line, _floor, _amount in below]
        special = self._special_prices(below_lines)
        remedies = self._special_price_remedies(below_lines)
        for request, line, floor, amount in below:
            approved = special.get(line)
            if approved is not None and self._compare(line.price_unit, approved) >= 0:
                continue
            yield request.finding(
                self.env._(
                    "%(price)s for %(product)s is less than it may be sold for without approval.",
                    price=self._money(request, line.price_unit),
                    product=line.product.display_name,
                ),
                line=line,
                basis={**self._price_basis(request, line), "limit": floor.id},
                remedy=remedies.get(line),
                figures=floor._in_words(amount, request.currency),
            )

    def _check_price_ceiling(self, requests):
        """Nothing is sold above the price that a tender or an award has set."""
        exchange = self._exchange()
        for request, line, limits in self._price_limits(requests):
            for kind in UPPER:
                limit = limits.get(kind)
                if not limit:
                    continue
                allowed = exchange(request, *limit._price_for(line.product, request.company))
                if self._compare(line.price_unit, allowed) > 0:
                    yield request.finding(
                        self.env._(
                            "%(price)s for %(product)s is more than what was awarded. %(limit)s.",
                            price=self._money(request, line.price_unit),
                            product=line.product.display_name,
                            limit=limit._in_words(allowed, request.currency),
                        ),
                        line=line,
                        basis={**self._price_basis(request, line), "limit": limit.id},
                    )

    def _check_price_discount(self, requests):
        """No seller goes further below the price table than the position allows."""
        limited = [
            (request, line, limits)
            for request, line, limits in self._discount_limits(requests)
            if any(limit.has_max_discount for limit in limits.values())
        ]
        lines = [(request, line) for request, line, _limits in limited]
        tables, remedies = self._table_prices(lines), self._special_price_remedies(lines)
        for request, line, limits in limited:
            table = tables[line]
            if table <= 0:
                continue
            sellers = self._sellers(request)
            allowed = min((self._largest_discount(seller, limits) for seller in sellers), default=0.0)
            discount = 100 * (table - line.price_unit) / table
            if self._compare(discount, allowed) > 0:
                yield request.finding(
                    self.env._(
                        "%(price)s for %(product)s is %(discount)s %% below the price table, which is more than "
                        "%(sellers)s may give.",
                        price=self._money(request, line.price_unit),
                        product=line.product.display_name,
                        discount=self._number(discount),
                        sellers=", ".join(sellers.mapped("name")) or self.env._("anybody"),
                    ),
                    line=line,
                    basis={**self._price_basis(request, line), "sellers": sorted(sellers.ids)},
                    remedy=remedies.get(line),
                    figures=self.env._(
                        "Price table: %(table)s; largest discount: %(allowed)s %%",
                        table=self._money(request, table),
                        allowed=self._number(allowed),
                    ),
                )

    def _check_price_margin(self, requests):
        """The seller leaves the margin that the position has to."""
        exchange = self._exchange()
        for request, line, limits in self._discount_limits(requests):
            if not any(limit.has_min_margin for limit in limits.values()):
                continue
            product = line.product.with_company(request.company)
            cost = exchange(request, product.standard_price, product.cost_currency_id)
            if not cost:
                continue
            sellers = self._sellers(request)
            asked = max(
                (self._smallest_margin(seller, limits) for seller in sellers),
                default=self._smallest_margin(sellers, limits),
            )
            # Not divided by the price, which may be 0
            if self._compare(line.price_unit * (100 - asked), 100 * cost) < 0:
                margin = 100 * (line.price_unit - cost) / line.price_unit if line.price_unit else None
                yield request.finding(
                    self.env._(
                        "%(price)s for %(product)s leaves less margin than is asked for.",
                        price=self._money(request, line.price_unit),
                        product=line.product.display_name,
                    ),
                    line=line,
                    basis={
                        **self._price_basis(request, line),
                        "sellers": sorted(sellers.ids),
                        # Changes with the cost, and does not tell it
                        "cost": hmac(self.env(su=True), "channel_pricing.cost", (product.id, cost))[:16],
                    },
                    figures=self.env._(
                        "Cost: %(cost)s; margin: %(margin)s %%, asked for: %(asked)s %%",
                        cost=self._money(request, cost),
                        margin="-" if margin is None else self._number(margin),
                        asked=self._number(asked),
                    ),
                )

    def _check_special_price_quantity(self, requests):
        """No more is ordered at a special price than was approved.

        Whoever confirms writes what has been used on the special price itself: of two who confirm at once, the second
        is repeated by the server, finds what the first has taken, and is stopped here.
        """
        asked = [
            (request, line, line.record.channel_request_line_id)
            for request, line in self._special_lines(requests)
        ]
        orders = self.env["sale.order"].union(*(request.record for request, _line, _special in asked))
        specials = self.env["channel.price.request.line"].union(*(special for _request, _line, special in asked))
        used = specials._used_on([("state", "=", "sale"), ("order_id", "not in", orders._origin.ids)])
        wanted = {}
        for request, line, special in asked:
            lines = wanted.setdefault((id(request), special), (request, []))[1]
            lines.append(line)
        for (_key, special), (request, lines) in wanted.items():
            quantity = sum(line.quantity for line in lines)
            left = special.quantity - used.get(special.id, 0.0)
            if special.product_id.uom_id.compare(quantity, left) > 0:
                for line in lines:
                    yield request.finding(
                        self.env._(
                            "Special price %(reference)s for %(product)s: %(wanted)s ordered, %(left)s left of "
                            "%(quantity)s.",
                            reference=special.request_id.name,
                            product=line.product.display_name,
                            wanted=self._number(quantity),
                            left=self._number(max(left, 0.0)),
                            quantity=self._number(special.quantity),
                        ),
                        line=line,
                        basis={"special": special.id, "quantity": quantity, "left": left},
                    )
            if request.record.state == "sale":  # of several confirmed at once, the next finds what is left
                used[special.id] = used.get(special.id, 0.0) + quantity

    def _check_special_price_period(self, requests):
        """A special price is for its parties and its days, also on a quotation that was made in time."""
        for request, line in self._special_lines(requests):
            special = line.record.channel_request_line_id
            if not special._holds_for(request.record):
                yield request.finding(
                    self.env._(
                        "Special price %(reference)s for %(product)s does not hold for this order: it is for "
                        "%(member)s, from %(start)s to %(end)s.",
                        reference=special.request_id.name,
                        product=line.product.display_name,
                        member=" / ".join(
                            filter(None, (special.member_id.name, special.customer_id.name))
                        ),
                        start=format_date(self.env, special.request_id.date_from),
                        end=format_date(self.env, special.request_id._last_day()),
                    ),
                    line=line,
                    basis={"special": special.id, "date": request.date.isoformat()},
                )

    def _check_price_validity(self, requests):
        """Prices of a quotation are promised until its expiration date."""
        for request in requests:
            order = request.record
            if order is None or order._name != "sale.order" or not order.validity_date:
                continue
            day = request.date if order.state == "sale" else max(request.date, request.company._channel_today())
            if day > order.validity_date:
                yield request.finding(
                    self.env._(
                        "The quotation was valid until %s: its prices are not promised any more.",
                        format_date(self.env, order.validity_date),
                    ),
                    basis={"valid_until": order.validity_date.isoformat()},
                )

    # === SPECIAL PRICES ===#

    def _special_lines(self, requests):
        """The order lines that are sold at a special price, as ``(request, line)``."""
        return [
            (request, line)
            for request in requests
            for line in request.lines
            if line.record is not None
            and line.record._name == "sale.order.line"
            and line.record.channel_request_line_id
        ]

    def _special_prices(self, lines):
        """What may be asked for by special prices.

        Of an order's or invoice's line by the special price that it takes from; of a mere question by whatever is in
        force and not used up.

        :param lines: list of ``(request, line)``
        :return: ``{line: price without tax, in the currency of the request}``
        """
        exchange = self._exchange()
        open_prices = self._open_special_prices(
            [(request, line) for request, line in lines if line.record is None], ("approved",)
        )
        prices = {}
        for request, line in lines:
            if line.record is None:
                specials = [
                    special
                    for special in open_prices[line]
                    if special.remaining_quantity and self._is_in_force(special, request)
                ]
            else:
                order_lines = line.record.sale_line_ids if self._is_invoice_line(line) else line.record
                specials = [
                    special
                    for special in order_lines.channel_request_line_id
                    if self._is_invoice_line(line) or self._is_in_force(special, request)
                ]
            if specials:
                prices[line] = min(
                    self._without_tax(request, line, exchange(request, special.price, special.currency_id))
                    for special in specials
                )
        return prices

    def _special_price_remedies(self, lines):
        """Where somebody has asked for a special price already, what became of it, as a remedy: ``{line: text}``."""
        remedies = {}
        for line, specials in self._open_special_prices(lines, ("draft", "submitted", "approved")).items():
            for special in specials[:1]:
                reference = special.request_id.name
                match special.state:
                    case "draft":
                        text = self.env._("Special price request %s is still a draft: submit it.", reference)
                    case "submitted":
                        text = self.env._("Special price request %s waits for its approval.", reference)
                    case _:
                        text = self.env._(
                            "Special price %(reference)s is %(price)s until %(end)s, %(left)s left: update the prices, "
                            "or request another one.",
                            reference=reference,
                            price=formatLang(
                                self.env, special.price, currency_obj=special.currency_id, dp="Product Price"
                            ),
                            end=format_date(self.env, special.request_id._last_day()),
                            left=self._number(special.remaining_quantity),
                        )
                remedies[line] = text
        return remedies

    def _open_special_prices(self, lines, states):
        """Special prices in some states for the parties and products of lines, the newest first: in one query.

        :return: ``{line: list of channel.price.request.line}``
        """
        found = {line: [] for _request, line in lines}
        if not found:
            return found
        specials = self.env["channel.price.request.line"].search(
            [
                ("state", "in", states),
                ("company_id", "in", list({request.company.id for request, _line in lines})),
                ("member_id", "in", list({request.member._origin.id for request, _line in lines})),
                ("product_id", "in", list({line.product._origin.id for _request, line in lines})),
            ],
            order="id desc",
        )
        for request, line in lines:
            found[line] = [
                special
                for special in specials
                if special.company_id == request.company
                and special.member_id == request.member._origin
                and special.product_id == line.product._origin
                and (not special.customer_id or special.customer_id == request.customer._origin)
            ]
        return found

    def _is_in_force(self, special, request):
        return special._holds(request.member._origin, request.customer._origin, request.date)

    # === INPUT ===#

    def _prepare_request(self, operation, member_id, lines, customer_id, date):
        """What dealers ask before they order is not judged by a price of their own: they could feel for the floor."""
        request = super()._prepare_request(operation, member_id, lines, customer_id, date)
        if not self.env.user._is_internal():
            for line in request.lines:
                line.price_unit = None
        return request

    # === WHAT IS HELD AGAINST THE PRICES ===#

    def _priced_lines(self, requests):
        """The lines whose price is judged, as ``(request, line)``."""
        lines = [
            (request, line)
            for request in requests
            if request.currency
            for line in request.lines
            if line.price_unit is not None
        ]
        invoiced = self.env["account.move.line"].union(
            *(line.record for _request, line in lines if self._is_invoice_line(line))
        )
        agreed = invoiced._channel_price_agreed()
        return [
            (request, line) for request, line in lines if not (self._is_invoice_line(line) and line.record in agreed)
        ]

    def _is_invoice_line(self, line):
        return line.record is not None and line.record._name == "account.move.line"

    def _price_limits(self, requests):
        """Yield ``(request, line, {kind: channel.price.limit})`` for the lines that any limit holds."""
        return self._limited(requests, "channel.price.limit", "kind")

    def _floors(self, requests):
        """Yield ``(request, line, floor, its amount in the currency of the request)`` for the lines that have one."""
        exchange = self._exchange()
        for request, line, limits in self._price_limits(requests):
            if "floor" in limits:
                amounts = {
                    kind: exchange(request, *limits[kind]._price_for(line.product, request.company))
                    for kind in ("floor", *UPPER)
                    if kind in limits
                }
                yield request, line, limits["floor"], min(amounts.values())

    def _discount_limits(self, requests):
        """Yield ``(request, line, {group id: channel.discount.limit})`` for the lines that any limit holds."""
        return self._limited(requests, "channel.discount.limit", "group_id")

    def _limited(self, requests, model, partition):
        lines = self._priced_lines(requests)
        found = self.env[model]._limits_of(
            [
                {
                    "member_id": request.member._origin.id,
                    "customer_id": request.customer._origin.id if request.customer else False,
                    "product_id": line.product._origin.id,
                    "date": request.date,
                    "company_id": request.company.id,
                }
                for request, line in lines
            ],
            partition,
        )
        for (request, line), limits in zip(lines, found, strict=True):
            if limits:
                yield request, line, limits

    def _table_prices(self, lines):
        """What the price table of each buyer says for its lines, in the currency of the request, without tax.

        The buyer's own table, whichever one the order names. The number of queries depends on the number of buyers and
        dates, not of lines.

        :param lines: iterable of ``(request, line)``
        :return: ``{line: price per the product's own unit}``
        """
        by_request = {}
        for request, line in lines:
            by_request.setdefault(id(request), (request, []))[1].append(line)
        exchange = self._exchange(rounded=False)
        prices = {}
        for request, of_request in by_request.values():
            pricing = self.env["channel.pricing"].with_company(request.company)
            answers = pricing._price_lines(
                request.member._origin,
                request.customer._origin if request.customer else self.env["res.partner"],
                [(line.product._origin, line.quantity, line.product.uom_id) for line in of_request],
                self._price_moment(request),
            )
            for line, answer in zip(of_request, answers, strict=True):
                price = exchange(request, answer["price"], answer["currency"])
                prices[line] = self._without_tax(request, line, price)
        return prices

    def _price_moment(self, request):
        record = request.record
        if record is not None and record._name == "sale.order" and record.date_order:
            return record.date_order
        return self.env["channel.pricing"]._moment(request.date, request.company)

    def _without_tax(self, request, line, price):
        """A price of the table less the taxes that it includes."""
        if line.record is not None:
            taxes = line.record.tax_ids
        else:
            taxes = line.product.taxes_id._filter_taxes_by_company(request.company)
        if not any(taxes.flatten_taxes_hierarchy().mapped("price_include")):
            return price
        return taxes.with_context(round=False, round_base=False).compute_all(
            price, currency=request.currency, product=line.product, partner=request.member
        )["total_excluded"]

    # === SELLERS ===#

    def _sellers(self, request):
        """Whose authority the price rests on.

        Who confirms answers for it, whoever is named as salesperson: that field is anybody's to fill in. Where nobody
        of the company acts (a dealer accepts on the portal, a job runs), those who made the offer do, and the strictest
        of their limits counts.
        """
        user = self.env.user
        if user._is_internal() and user.id != SUPERUSER_ID:
            return user
        record = request.record
        authors = record._channel_gate_authors() if record is not None else user.browse()
        return authors.filtered(lambda author: author._is_internal() and author.id != SUPERUSER_ID)

    def _largest_discount(self, seller, limits):
        """Of several limits of a seller the most generous; whom no limit names may give nothing."""
        own = [limits[group_id] for group_id in seller.all_group_ids.ids if group_id in limits]
        limited = [limit.max_discount for limit in own if limit.has_max_discount]
        return max(limited) if limited else 100.0 if own else 0.0

    def _smallest_margin(self, seller, limits):
        """Of several limits of a seller the most generous; whom no limit names leaves the greatest margin of all."""
        own = [limits[group_id] for group_id in seller.all_group_ids.ids if group_id in limits]
        limited = [limit.min_margin for limit in own if limit.has_min_margin]
        if limited or own:
            return min(limited, default=float("-inf"))
        return max(limit.min_margin for limit in limits.values() if limit.has_min_margin)

    # === TOOLING ===#

    def _exchange(self, rounded=True):
        """A function ``(request, amount, currency)`` -> the amount in the currency of the request, at its date.

        Rounded as that currency is: who quotes in it cannot come nearer to a limit than its smallest coin. Each
        rate is asked for once.
        """
        rates = {}

        def exchange(request, amount, currency):
            target = request.currency
            if currency == target:
                return amount
            key = currency, target, request.company, request.date
            if key not in rates:
                rates[key] = currency._get_conversion_rate(currency, target, request.company, request.date)
            amount *= rates[key]
            return target.round(amount) if rounded else amount

        return exchange

    def _compare(self, one, other):
        return float_compare(one, other, precision_digits=DIGITS)

    def _price_basis(self, request, line):
        return {"price": round(line.price_unit, DIGITS), "currency": request.currency.name}

    def _money(self, request, amount):
        return formatLang(self.env, amount, currency_obj=request.currency, dp="Product Price")

    def _number(self, value):
        return f"{round(value, 2):g}"
