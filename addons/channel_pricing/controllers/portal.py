from urllib.parse import urlencode

from odoo import fields, http
from odoo.exceptions import AccessError, MissingError, ValidationError
from odoo.http import content_disposition, request

from odoo.addons.portal.controllers.portal import CustomerPortal, pager as portal_pager

URL = "/my/prices"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ChannelPricePortal(CustomerPortal):
    """A member sees its own prices: never another's, whatever ids a request names.

    All prices come from ``channel.pricing``, which refuses a portal user every company but his own.
    """

    _items_per_page = 40

    # === ARGUMENTS ===#

    def _channel_price_member(self):
        """The company of the user when it is a member; else empty."""
        # sudo: the role of the user's own company
        member = request.env.user.sudo().commercial_partner_id
        return member if member.channel_role else member.browse()

    def _channel_price_question(self, customer_id=None, date=None, quantity=None, search=None, **_unknown):
        """What the page is asked for, with what makes no sense left out.

        :returns: dict of ``member``, ``customers`` to choose from, ``customer``, ``date`` (ISO text or None),
            ``quantity``, ``search``
        """
        member = self._channel_price_member()
        # sudo: limited to the end customers of the own member
        customers = request.env["channel.pricing"].sudo()._portal_customers(member)
        chosen = customers.filtered(lambda customer: str(customer.id) == str(customer_id))
        try:
            day = fields.Date.to_string(fields.Date.to_date(date)) if date else None
        except ValueError:
            day = None
        try:
            quantity = float(quantity or 1)
        except ValueError:
            quantity = 1.0
        return {
            "member": member,
            "customers": customers,
            "customer": chosen,
            "date": day,
            "quantity": quantity if 0 < quantity < float("inf") else 1.0,
            "search": (search or "").strip(),
        }

    def _channel_price_arguments(self, question):
        return {
            "member_id": question["member"].id,
            "customer_id": question["customer"].id or None,
            "date": question["date"],
        }

    def _channel_price_query(self, question):
        """The question as URL arguments, for links to other pages."""
        return urlencode({
            name: value
            for name, value in (
                ("customer_id", question["customer"].id), ("date", question["date"]), ("search", question["search"])
            )
            if value
        })

    # === PAGES ===#

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "channel_price_count" in counters:
            # The number of prices is dear and says nothing: whether there are any
            values["channel_price_count"] = int(bool(self._channel_price_member()))
        return values

    @http.route([URL, f"{URL}/page/<int:page>"], type="http", auth="user", website=True, readonly=True)
    def portal_my_prices(self, page=1, **kwargs):
        question = self._channel_price_question(**kwargs)
        if not question["member"]:
            return request.redirect("/my")
        arguments = {**self._channel_price_arguments(question), "search": question["search"] or None}
        step = self._items_per_page
        try:
            book = request.env["channel.pricing"].price_book(**arguments, offset=(max(page, 1) - 1) * step, limit=step)
        except AccessError:
            return request.redirect("/my")
        if page > 1 and not book["rows"]:
            return request.redirect(f"{URL}?{self._channel_price_query(question)}")
        return request.render("channel_pricing.portal_my_prices", {
            **self._prepare_portal_layout_values(),
            **question,
            "page_name": "channel_prices",
            "rows": book["rows"],
            "total": book["total"],
            "amount": self._channel_price_amount(book["currency"]),
            "query": self._channel_price_query(question),
            "pager": portal_pager(
                url=URL, total=book["total"], page=page, step=step,
                url_args={key: value for key, value in kwargs.items() if key in ("customer_id", "date", "search")},
            ),
        })

    @http.route(f"{URL}/download", type="http", auth="user", website=True, readonly=True)
    def portal_my_prices_download(self, **kwargs):
        question = self._channel_price_question(**kwargs)
        if not question["member"]:
            return request.redirect("/my")
        arguments = {**self._channel_price_arguments(question), "search": question["search"] or None}
        pricing = request.env["channel.pricing"]
        try:
            book = pricing.price_book(**arguments)
        except AccessError:
            return request.redirect("/my")
        content = pricing._book_file(book, question["member"], question["customer"], question["date"])
        return request.make_response(content, [
            ("Content-Type", XLSX),
            ("Content-Disposition", content_disposition(f"{request.env._('Prices')}.xlsx")),
        ])

    @http.route(f"{URL}/<int:product_id>", type="http", auth="user", website=True, readonly=True)
    def portal_my_price(self, product_id, **kwargs):
        """What one product costs, and why: the price check of a dealer."""
        question = self._channel_price_question(**kwargs)
        if not question["member"]:
            return request.redirect("/my")
        pricing, arguments = request.env["channel.pricing"], self._channel_price_arguments(question)
        try:
            # What is no product of the member's book is asked for in vain
            rows = pricing.price_book(**arguments, product_ids=[product_id])["rows"]
            if not rows:
                return request.redirect(URL)
            [answer] = pricing.quote(
                arguments["member_id"], [{"product_id": product_id, "quantity": question["quantity"]}],
                customer_id=arguments["customer_id"], date=arguments["date"],
            )
        except (AccessError, ValidationError):
            return request.redirect(URL)
        return request.render("channel_pricing.portal_my_price", {
            **self._prepare_portal_layout_values(),
            **question,
            "page_name": "channel_prices",
            "price_row": rows[0],
            "answer": answer,
            "amount": self._channel_price_amount(answer["currency"]),
            "query": self._channel_price_query(question),
        })

    @http.route("/my/orders/<int:order_id>/price/<int:line_id>", type="http", auth="public", website=True)
    def portal_order_line_price(self, order_id, line_id, access_token=None, **kwargs):
        """Why a line of the own order costs what it does."""
        try:
            order_sudo = self._document_check_access("sale.order", order_id, access_token=access_token)
        except (AccessError, MissingError):
            return request.redirect("/my")
        line_sudo = order_sudo.order_line.filtered(lambda line: line.id == line_id and line._channel_has_table_price())
        if not line_sudo:
            return request.redirect(order_sudo.get_portal_url())
        steps = line_sudo._channel_explain_price()
        return request.render("channel_pricing.portal_order_line_price", {
            **self._prepare_portal_layout_values(),
            "page_name": "order",
            "sale_order": order_sudo,
            "token": access_token,
            "line": line_sudo,
            "steps": line_sudo.env["channel.pricing"]._portal_steps(steps),
        })

    def _channel_price_amount(self, currency_name):
        """A function that writes an amount of the currency."""
        pricing = request.env["channel.pricing"]
        # sudo: names of currencies are no secret
        currency = request.env["res.currency"].sudo().with_context(active_test=False).search(
            [("name", "=", currency_name)], limit=1
        )
        return lambda value: pricing._amount(value, currency)
