from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL


class ChannelOrder(models.AbstractModel):
    """Orders of dealers by API, and what the pages of the portal stand on. Orders are Odoo's own ``sale.order``."""

    _name = "channel.order"
    _description = "Orders of Dealers"
    _inherit = ["channel.order.input.mixin", "channel.order.cart.mixin"]

    # === PUBLIC METHODS === #

    @api.model
    @api.readonly
    def catalogue(self, member_id=None, customer_id=None, search=None, offset=0, limit=80):
        """The products that a member may buy for a hospital, with its prices and what the stock promises.

        :param int member_id: ``res.partner`` that buys; a dealer leaves it out
        :param int customer_id: ``res.partner`` for which it buys, if any
        :param str search: part of a product's code, name or barcode
        :param int offset: how many rows to skip
        :param int limit: how many rows to return at most
        :return: ::

                {'currency': 'CNY', 'total': int,      # rows without offset and limit
                 'rows': [{'product_id': int, 'code': str, 'barcode': str, 'name': str,
                           'uom_id': int, 'uom': str,  # the unit of the price: a whole pack where dealers order those
                           'price_unit': float,        # per that unit, before tax
                           'packs': [{'uom_id': int, 'uom': str, 'quantity': float}],  # units it is sold in
                           'stock': {'level': str, 'text': str, 'days': int}}]}

            ``level`` is ``in_stock``, ``low``, ``partly``, ``incoming``, ``none`` or ``not_stocked``, ``days`` the
            lead time; a ``quantity`` is there only where the company shows it to dealers. ``quantity`` of a pack is
            in the product's own unit.
        :raise AccessError: a dealer who asks for another company, or somebody without a position in the channel
        :raise ValidationError: arguments that make no sense, all of them with value and remedy
        """
        pricing = self.env["channel.pricing"]
        pricing._check_page(offset, limit)
        problems = []
        dealer, member, customer = self._parties(member_id, customer_id, problems)
        self._raise(problems)
        pricing._check_quote_access(member)
        # sudo: products and prices are not the dealer's to read; what is told is its own catalogue
        book = self.sudo() if dealer else self
        return book._catalogue(
            member.with_env(book.env), customer.with_env(book.env), search, offset, limit
        )

    @api.model
    @api.readonly
    def check(self, values):
        """What would become of an order, without storing anything.

        :param dict values: as :meth:`submit`
        :return: ::

                {'currency': 'CNY', 'amount_untaxed': float, 'amount_tax': float, 'amount_total': float,
                 'blocks': bool,       # whether the gate would refuse to confirm it
                 'findings': [{'code', 'severity', 'message', 'line', 'law', 'remedy'}],
                 'credit': None | {'currency', 'limit', 'owed', 'order', 'left'},   # left after this order
                 'lines': [{'product_id', 'code', 'name', 'quantity', 'uom_id', 'uom', 'price_unit', 'discount',
                            'subtotal', 'stock', 'findings'}]}

            Findings are those of ``channel.gate.evaluate``, ``line`` is the index in ``lines`` or None; ``price_unit``
            is per ``uom`` and before ``discount`` (%), as on the order; ``stock`` as in :meth:`catalogue`.
        :raise AccessError: as :meth:`catalogue`
        :raise ValidationError: values that cannot be taken over, all of them with field, value and remedy
        """
        dealer = self._is_dealer()
        problems = []
        member, vals = self._read_values(self._dict(values), dealer, problems, authorized=False)
        self._raise(problems)
        self.env["channel.pricing"]._check_quote_access(member)
        # sudo: the order is never stored, and is the caller's own or one that the caller may make; the gate runs as
        # superuser anyway
        return self.sudo()._told(self.sudo()._unsaved(vals))

    @api.model
    def submit(self, values, key=None):
        """Order. The same order twice is one order.

        Idempotent by ``key`` and by ``client_order_ref``, for each member: sent again it changes nothing and answers
        what became of the order. With a new key the number of a cancelled order can be used again.

        :param dict values: ``member_id`` (a dealer leaves it out), ``customer_id`` (the hospital), ``client_order_ref``
            (the member's own number), ``tender_reference``, ``requested_date`` (``2026-03-31``), ``note``, ``submit``
            (default True; False leaves a draft), ``lines``: list of ``{product_id or default_code or barcode (or
            code: either of these two), quantity, uom_id or uom}``; the unit is the product's own when left out, or the
            one that the barcode stands on
        :param str key: number of the order in the calling system
        :return: as :meth:`status`
        :raise AccessError: a dealer who orders for another company, or a user who may not make sales orders
        :raise ValidationError: values that cannot be taken over, all of them with field, value and remedy; nothing is
            stored then
        """
        values = self._dict(values)
        dealer = self._is_dealer()
        orders = self.env["sale.order"]
        if not dealer:
            orders.check_access("create")
        problems = []
        member = self._read_member(values.get("member_id"), dealer, problems)
        reference = str(values.get("client_order_ref") or "").strip()
        if key is not None and (type(key) not in (str, int) or not 0 < len(str(key).strip()) <= 64):
            self._raise([self._problem("key", key)])
        key = str(key).strip() if key is not None else None
        if member and (known := self._known(member, key, reference)):
            return known._channel_order_answer()
        problems = []
        member, vals = self._read_values(values, dealer, problems)
        if values.get("submit") not in (None, True, False):
            problems.append(self._problem("submit", values["submit"]))
        self._raise(problems)
        # sudo: dealers have no right to write; it is their own company, and the values were checked
        orders = orders.sudo() if dealer else orders
        order = self._make(orders, {**vals, "channel_source": "api", "channel_order_key": key or False})
        if values.get("submit", True) is not False:
            order._channel_submit(confirm=dealer)
        return order.with_env(self.env)._channel_order_answer()

    @api.model
    @api.readonly
    def status(self, reference):
        """What became of an order.

        :param str reference: the reference that :meth:`submit` returned, the key, or the member's own number
        :return: ::

                {'reference': str, 'key': str | None, 'client_order_ref': str | None, 'state': str,
                 'member_id': int, 'customer_id': int | None, 'tender_reference': str | None,
                 'requested_date': str | None, 'note': str | None, 'currency': 'CNY', 'amount_untaxed': float,
                 'amount_tax': float, 'amount_total': float, 'blocks': bool, 'findings': [...], 'credit': ...,
                 'lines': [{..., 'delivered': float}]}

            ``state`` is ``draft``, ``submitted`` (waits for the sales office), ``quotation`` (waits for the dealer),
            ``confirmed`` or ``cancelled``; findings and credit as in :meth:`check`, of an order that is not confirmed.
        :raise ValidationError: no order that the user may read has this reference
        """
        return self._find(reference)._channel_order_answer()

    @api.model
    def cancel(self, reference):
        """Cancel an order that is still a draft.

        :param str reference: as in :meth:`status`
        :return: as :meth:`status`
        :raise ValidationError: there is no such order
        :raise UserError: it is submitted or confirmed already
        """
        order = self._find(reference)
        if order.state == "cancel":
            return order._channel_order_answer()
        if not order.sudo()._channel_is_cart():
            raise UserError(self.env._(
                "Order %s is no draft any more. Ask the sales office to cancel it.", order.name
            ))
        if not self._is_dealer():
            order.check_access("write")
        # sudo: dealers have no right to write; it is a draft of their own that they may read
        order.sudo()._action_cancel()
        return order._channel_order_answer()

    # === CATALOGUE === #

    def _parties(self, member_id, customer_id, problems):
        dealer = self._is_dealer()
        member = self._read_member(member_id, dealer, problems)
        customer = self._read_customer(member, customer_id, dealer, problems) if member else member
        return dealer, member, customer

    def _catalogue(self, member, customer, search=None, offset=0, limit=80):
        pricing = self.env["channel.pricing"]
        products = pricing._book_products(
            member, customer, fields.Datetime.now(), search=str(search).strip() if search else None
        )
        page = products[offset:None if limit is None else offset + limit].with_prefetch()
        units = {product: product.channel_pack_uom_id or product.uom_id for product in page}
        quotes = pricing.quote(
            member.id,
            [{"product_id": product.id, "quantity": 1.0, "uom_id": units[product].id} for product in page],
            customer_id=customer.id or None, explain=False,
        ) if page else []
        figures = self._stock_of(page)
        return {
            "currency": quotes[0]["currency"] if quotes else self.env.company.currency_id.name,
            "total": len(products),
            "rows": [
                {
                    "product_id": product.id,
                    "code": product.default_code or "",
                    "barcode": product.barcode or "",
                    "name": product.with_context(display_default_code=False).display_name,
                    "uom_id": units[product].id,
                    "uom": units[product].name,
                    "price_unit": quote["price_unit"],
                    "packs": [
                        {
                            "uom_id": uom.id,
                            "uom": uom.name,
                            "quantity": uom._compute_quantity(1.0, product.uom_id, round=False),
                        }
                        for uom in product.uom_id | product.uom_ids
                    ],
                    "stock": self._promise(
                        product, units[product]._compute_quantity(1.0, product.uom_id, round=False), figures
                    ),
                }
                for product, quote in zip(page, quotes, strict=True)
            ],
        }

    # === ORDERS === #

    def _make(self, orders, vals):
        """Make an order of a dealer. It is confirmed by us, or by submitting it where the company has it so: not by a
        signature or a payment for something that nobody has looked at."""
        return orders.create({**vals, "require_signature": False, "require_payment": False})

    def _unsaved(self, vals):
        """An order that is not stored, from values as :meth:`_read_values` returns them."""
        lines = [line for _command, _id, line in vals["order_line"]]
        # Read at once what lines that are not stored would read one by one
        products = self.env["product.product"].browse([line["product_id"] for line in lines])
        products.mapped("product_tmpl_id.name")
        products.mapped("product_tmpl_id.uom_ids.name")
        products.mapped("product_tmpl_id.taxes_id.name")
        for line in lines:
            # Of no concern to the dealer, and looked for line by line
            line["analytic_distribution"] = False
        return self.env["sale.order"].new({**vals, "date_order": fields.Datetime.now()})

    def _known(self, member, key, reference):
        """The order that a member's system has sent already by this key, or by its own number."""
        orders = self.env["sale.order"]
        if not key and not reference:
            return orders
        company = self.env.company
        names = Domain("channel_order_key", "=", key) if key else Domain.FALSE
        if reference:
            by_reference = Domain("client_order_ref", "=", reference)
            if key:
                # A new key says that it is meant anew; without one it may be the old message, late
                by_reference &= Domain("state", "!=", "cancel")
            names |= by_reference
        domain = Domain("partner_id", "child_of", member.id) & Domain("company_id", "=", company.id) & names
        # One submission of a member after the other: the second waits for the end of the first.
        self.env.cr.execute(SQL("SELECT pg_advisory_xact_lock(hashtext('channel.order'), %s)", member.id))
        # sudo: the number is taken, whoever took it; what it says is read with the user's rights
        known = orders.sudo().search(domain, order="id", limit=1)
        if not known:
            # What the first has committed while this one waited lies after this one's snapshot: look again from now.
            self.env.flush_all()
            with self.env.registry.cursor() as cr:
                if orders.with_env(self.env(cr=cr, su=True)).search_count(domain, limit=1):
                    raise ConcurrencyError(self.env._("The same order was sent at the same moment."))
        known = known.with_env(self.env)
        known.check_access("read")
        return known

    def _find(self, reference):
        text = str(reference or "").strip()
        orders = self.env["sale.order"]
        domain = Domain("company_id", "=", self.env.company.id)
        if self._is_dealer():
            # As the record rule says; drafts of our own people are not for the dealer yet
            own = self.env.user.commercial_partner_id
            domain &= Domain("partner_id", "child_of", own.id)
            domain &= Domain("state", "!=", "draft") | Domain("channel_source", "!=", False)
        for name in ("name", "channel_order_key", "client_order_ref"):
            order = orders.search(domain & Domain(name, "=", text), order="id desc", limit=1) if text else orders
            if order:
                return order
        raise ValidationError(self.env._(
            "reference: there is no order %r. Give the reference that submit() returned.", reference
        ))

    def _told(self, order):
        """What :meth:`check` returns of an order, and :meth:`status` of one that is not confirmed."""
        summary = self._summary(order)
        return {
            "currency": order.currency_id.name,
            "amount_untaxed": order.amount_untaxed,
            "amount_tax": order.amount_tax,
            "amount_total": order.amount_total,
            "blocks": summary["blocks"],
            "findings": summary["findings"],
            "credit": summary["credit"],
            "lines": [
                {**self._told_line(told["line"]), "stock": told["stock"], "findings": told["findings"]}
                for told in summary["lines"]
            ],
        }

    def _told_line(self, line):
        return {
            "product_id": line.product_id.id,
            "code": line.product_id.default_code or "",
            "name": line.product_id.with_context(display_default_code=False).display_name,
            "quantity": line.product_uom_qty,
            "uom_id": line.product_uom_id.id,
            "uom": line.product_uom_id.name,
            "price_unit": line.price_unit,
            "discount": line.discount,
            "subtotal": line.price_subtotal,
        }

    # === INPUT === #

    def _dict(self, values):
        if not isinstance(values, dict):
            raise ValidationError(self.env._("values: expected a dictionary, got %r.", values))
        return dict(values)

    def _problem(self, field, value):
        if field == "key":
            return self.env._(
                "key: %r is no key. Give a text of 1 to 64 characters, the number of the order in your system.", value
            )
        return self.env._("%(field)s: %(value)r is neither true nor false.", field=field, value=value)

    def _raise(self, problems):
        if problems:
            raise ValidationError("\n".join(getattr(problem, "text", problem) for problem in problems))
