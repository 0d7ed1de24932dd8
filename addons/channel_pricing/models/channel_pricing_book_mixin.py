from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..tools import RuleBook, price_book_file


class ChannelPricingBookMixin(models.AbstractModel):
    """What everything costs one member: the price book, part of ``channel.pricing``.

    The same prices as a quote's for each product and quantity, found in a number of queries that does not depend on
    the number of products.
    """

    _name = "channel.pricing.book.mixin"
    _description = "Price Book"

    # === PUBLIC METHODS ===#

    @api.model
    @api.readonly
    def price_book(
        self, member_id, customer_id=None, date=None, company_id=None, product_ids=None, search=None, category_id=None,
        authorized_only=True, offset=0, limit=None,
    ):
        """What products cost a member, each with its quantity breaks.

        :param int member_id: ``res.partner`` of the buyer (a contact stands for its company)
        :param int customer_id: ``res.partner`` of the end customer, if the price may depend on it
        :param str date: as in ``quote``
        :param int company_id: the selling company; the current one when missing
        :param list product_ids: ``product.product`` ids, to ask for these only
        :param str search: part of a product's code, name or barcode
        :param int category_id: ``product.category``: products of it and below
        :param bool authorized_only: leave out what the member is not authorised for on the date, for the end
            customer when there is one. Always so for portal users; nothing is left out where the company does
            not check authorizations, or the member needs none
        :param int offset: how many rows to skip
        :param int limit: how many rows to return at most; all when missing
        :returns: ::

                {'currency': 'CNY', 'pricelist_id': int | False, 'total': int,   # rows without offset and limit
                 'rows': [{'product_id': int, 'code': str, 'name': str, 'uom': str,
                           'prices': [{'quantity': float,   # from this quantity on, in the product's unit
                                       'price_unit': float, # per unit, before tax
                                       'pricelist_item_id': int | False,
                                       'valid_to': str | False}]}]}   # datetime in UTC when the rule ends

            Rows are in the order of code, then name. Quantities counted over several lines of an order give the
            price of their sum.
        :rtype: dict
        :raises AccessError: as ``quote``
        :raises ValidationError: when an argument is of the wrong type or names nothing
        """
        member, customer, company, moment = self._check_quote_parties(member_id, customer_id, date, company_id)
        portal = self._check_quote_access(member)
        # As in `quote`: tables, segments and products are not the portal user's to read; it is his own company
        pricing = (self.sudo() if portal else self).with_company(company)
        member, customer = member.with_env(pricing.env), customer.with_env(pricing.env)
        self._check_page(offset, limit)
        products = pricing._book_products(
            member, customer, moment, product_ids, search, category_id, authorized_only or portal
        )
        page = products[offset:None if limit is None else offset + limit]
        pricelist, currency, prices = pricing._book_prices(member, customer, page, moment)
        return {
            "currency": currency.name,
            "pricelist_id": pricelist.id,
            "total": len(products),
            "rows": [
                pricing._book_row(product, prices[product.id])
                for product in page.with_context(display_default_code=False)
            ],
        }

    # === BUSINESS METHODS ===#

    def _book_products(
        self, member, customer, moment, product_ids=None, search=None, category_id=None, authorized_only=True
    ):
        """The products of a price book, in order: what is sold, and what the member may buy."""
        domain = Domain("sale_ok", "=", True) & Domain("type", "!=", "combo")
        domain &= Domain("company_id", "in", [False, self.env.company.id])
        if product_ids is not None:
            domain &= Domain("id", "in", self._check_ids("product_ids", product_ids))
        if search:
            domain &= Domain.OR(Domain(name, "ilike", search) for name in ("default_code", "name", "barcode"))
        if category_id:
            domain &= Domain("categ_id", "child_of", self._check_ids("category_id", [category_id]))
        products = self.env["product.product"].search(domain, order="default_code, name, id")
        return self._book_authorized(member, customer, products, moment) if authorized_only else products

    def _book_authorized(self, member, customer, products, moment):
        """Those of `products` that the gate lets the member order at that moment."""
        company, member = self.env.company, member.commercial_partner_id
        # sudo: which checks a company runs is asked for, not shown
        checks = self.env["channel.gate.check"].sudo()._severities("order", company)[company.id]
        if "member_authorization" not in {check.code for check in checks} or not member._channel_needs_authorization():
            return products
        restricted = products.filtered("channel_needs_authorization")
        day = company._channel_date(moment)
        matches = self.env["channel.authorization"]._match_lines([
            {
                "member_id": member.id,
                "customer_id": customer.commercial_partner_id.id,
                "product_id": product.id,
                "date": day,
                "company_id": company.id,
            }
            for product in restricted
        ])
        refused = {product.id for product, match in zip(restricted, matches, strict=True) if not match.covering}
        return products.browse(product_id for product_id in products.ids if product_id not in refused)

    def _book_prices(self, member, customer, products, moment):
        """
        :returns: ``(pricelist, currency, {product_id: [(from quantity, price, rule)]})``, only where the price changes
        """
        pricelist = self._pricelists_of(member, moment)[member.id]
        currency = pricelist.currency_id or self.env.company.currency_id
        parties = {"member": member.commercial_partner_id, "customer": customer.commercial_partner_id}
        # At once, not by the thousand as they are read
        products.fetch(["product_tmpl_id", "default_code", "combination_indices"])
        products.product_tmpl_id.fetch(["name", "categ_id", "uom_id", "list_price", "company_id"])
        book = RuleBook(products, moment, **parties)
        breaks = book.breaks(pricelist._channel_underlying_tables())
        # What is bought by the piece has no price below one
        book.quantities = {(product_id, 1.0) for product_id in products.ids}
        book.quantities.update(
            (product_id, quantity)
            for product_id, quantities in breaks.items() for quantity in quantities if quantity > 1
        )
        winners = book.winners(pricelist)
        self.env["product.pricelist.item"].union(*winners.values()).fetch(["compute_price", "fixed_price", "date_end"])
        by_id, offers = dict(zip(products.ids, products, strict=True)), book.offers(pricelist)
        found = {product_id: [] for product_id in products.ids}
        for product_id, quantity in sorted(winners):
            rule, product = winners[product_id, quantity], by_id[product_id]
            # As a line of an order asks the rule; a fixed price is one of the product's own unit already
            price = rule.fixed_price if rule.compute_price == "fixed" and not offers else rule._compute_price(
                product, quantity, product.uom_id, moment, currency, rule_book=book, offers_on=pricelist, **parties
            )
            if not found[product_id] or found[product_id][-1][1] != price:
                found[product_id].append((quantity, price, rule))
        return pricelist, currency, found

    def _book_row(self, product, prices):
        # Of the template: the variant's own fields would be computed for each; so would its display name be, which
        # says no more where there are no variants
        template = product.product_tmpl_id
        return {
            "product_id": product.id,
            "code": product.default_code or "",
            "name": product.display_name if product.combination_indices else template.name,
            "uom": template.uom_id.name,
            "prices": [
                {
                    "quantity": quantity,
                    "price_unit": price,
                    "pricelist_item_id": rule.id,
                    "valid_to": rule.date_end and fields.Datetime.to_string(rule.date_end),
                }
                for quantity, price, rule in prices
            ],
        }

    def _book_file(self, book, member, customer, date=None):
        """A price book as XLSX, a row for each price.

        :param dict book: what `price_book` returns
        """
        company = self.env.company
        day = date or fields.Date.to_string(company._channel_today())
        about = [self.env._("Prices of %s", member.commercial_partner_id.name)]
        if customer:
            about.append(self.env._("for %s", customer.commercial_partner_id.name))
        about.append(self.env._("on %s", day))

        def last_day(price):
            return price["valid_to"] and company._channel_date(fields.Datetime.to_datetime(price["valid_to"]))

        return price_book_file.write(
            " ".join(about),
            [
                self.env._("Code"), self.env._("Product"), self.env._("Unit"), self.env._("From Quantity"),
                self.env._("Price"), self.env._("Currency"), self.env._("Valid To"),
            ],
            (
                (row["code"], row["name"], row["uom"], price["quantity"], price["price_unit"], book["currency"],
                 last_day(price))
                for row in book["rows"]
                for price in row["prices"]
            ),
        )

    @api.model
    def _portal_customers(self, member):
        """The end customers that a member may name on the portal: of its own orders and authorizations.

        Needs superuser rights: partners of others are not the portal user's to read.
        """
        member = member.commercial_partner_id
        if not member:
            return member
        orders = self.env["sale.order"]._read_group(
            [("partner_id", "child_of", member.ids), ("channel_end_customer_id", "!=", False)],
            ["channel_end_customer_id"],
        )
        authorized = self.env["channel.authorization"].search(
            [("partner_id", "=", member.id), ("state", "=", "approved"), ("customer_ids", "!=", False)]
        ).customer_ids
        customers = self.env["res.partner"].union(*(customer for [customer] in orders)) | authorized
        return customers.commercial_partner_id.sorted("name")

    # === ARGUMENTS ===#

    def _check_page(self, offset, limit):
        for name, value in (("offset", offset), ("limit", limit)):
            if value is None and name == "limit":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValidationError(self.env._(
                    "%(argument)s: expected a whole number from 0, got %(value)r.", argument=name, value=value
                ))

    def _check_ids(self, argument, values):
        if not isinstance(values, list) or any(isinstance(v, bool) or not isinstance(v, int) for v in values):
            raise ValidationError(self.env._(
                "%(argument)s: expected ids, got %(value)r.", argument=argument, value=values
            ))
        return values
