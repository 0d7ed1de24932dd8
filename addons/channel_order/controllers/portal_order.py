import json

from odoo import fields, http
from odoo.fields import Domain
from odoo.http import content_disposition, request
from odoo.tools import formatLang

from odoo.addons.channel_base.tools.table_file import TableFileError
from odoo.addons.channel_pricing.controllers.special_price import ChannelSpecialPricePortal
from odoo.addons.sale.controllers.portal import CustomerPortal

from ..models.channel_order_cart_mixin import MAX_BYTES, MAX_ROWS
from ..tools.order_rows import OrderRow, split_rows

URL = "/my/channel/order"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Hospitals to choose from at once, products of one page of the catalogue, orders to repeat
HOSPITALS, PRODUCTS, ORDERS = 8, 20, 8
HEADER = ("client_order_ref", "tender_reference", "requested_date", "note")


class ChannelOrderQuotations(CustomerPortal):
    def _prepare_quotations_domain(self, partner):
        # What the dealer has submitted waits for us; it is to be reviewed when we ask for a signature
        return [
            *super()._prepare_quotations_domain(partner),
            "|", ("channel_submitted_date", "=", False), ("require_signature", "=", True),
        ]


class ChannelOrderPortal(ChannelSpecialPricePortal):
    """A dealer orders for its own company. The cart is a draft ``sale.order``: what is typed is kept at once.

    Every page finds the order with the user's rights and within the own company, and only then works on it as
    superuser: dealers have no right to write orders.
    """

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "channel_order_count" in counters:
            values["channel_order_count"] = (
                request.env["sale.order"].search_count(self._channel_carts_domain()) if self._channel_role() else 0
            )
        return values

    def _channel_own_domain(self):
        # The record rule says the same for portal users; internal users see their own company here too.
        return Domain("partner_id", "child_of", request.env.user.commercial_partner_id.id)

    def _channel_carts_domain(self):
        return (
            self._channel_own_domain() & Domain("state", "=", "draft") & Domain("channel_source", "!=", False)
            & Domain("channel_submitted_date", "=", False) & Domain("company_id", "=", request.env.company.id)
        )

    def _channel_cart(self, order_id):
        """The own cart, with superuser rights; empty when there is none."""
        if not self._channel_role():
            return request.env["sale.order"].sudo()  # sudo: nothing is in it
        # sudo: found with the user's rights, as a draft that the own company is filling in
        return request.env["sale.order"].search(self._channel_carts_domain() & Domain("id", "=", order_id)).sudo()

    def _channel_order_api(self, order=None):
        # sudo: what the dealer is told of the own order; see `channel.order`
        api = request.env["channel.order"].sudo()
        return api.with_company(order.company_id) if order else api

    # === START === #

    @http.route(URL, type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_order(self, search=None, cart=None, **kwargs):
        """Drafts, a new order for a hospital, orders to repeat; or another hospital for a `cart`."""
        if not self._channel_role():
            return request.redirect("/my")
        orders = request.env["sale.order"]
        changed = orders.sudo()
        if str(cart or "").isdecimal():
            changed = self._channel_cart(int(str(cart)[:9]))
        search = (search or "").strip()
        earlier = orders.search(
            self._channel_own_domain() & Domain("company_id", "=", request.env.company.id)
            & (Domain("state", "=", "sale") | Domain("channel_submitted_date", "!=", False)),
            order="date_order desc, id desc", limit=ORDERS,
        )
        hospitals, total = self._channel_hospitals(search, earlier)
        return request.render("channel_order.portal_order_start", {
            **self._prepare_portal_layout_values(), "page_name": "channel_order", "changed": changed,
            # sudo: names of hospitals of the own orders, which were found with the user's rights
            "carts": orders.search(self._channel_carts_domain(), order="write_date desc", limit=20).sudo(),
            "earlier": earlier.sudo(), "hospitals": hospitals, "hospital_total": total, "search": search,
        })

    def _channel_hospitals(self, search, earlier):
        """Hospitals to choose from: those of the last orders first."""
        api = self._channel_order_api()
        domain = api._hospitals_domain(request.env.user.commercial_partner_id.sudo())
        if search:
            domain &= Domain("name", "ilike", search)
        # sudo: dealers may not read hospitals; these are the ones that they may name
        partners = request.env["res.partner"].sudo()
        recent = earlier.sudo().channel_end_customer_id.commercial_partner_id
        recent = recent.filtered_domain(domain) if recent else recent
        found = recent[:HOSPITALS]
        if len(found) < HOSPITALS:
            found |= partners.search(
                domain & Domain("id", "not in", found.ids), order="name", limit=HOSPITALS - len(found)
            )
        return found, partners.search_count(domain)

    @http.route(f"{URL}/new", type="http", auth="user", methods=["POST"], website=True)
    def portal_my_channel_order_new(self, customer_id=None, **post):
        if not self._channel_role() or self._channel_hit():
            return request.redirect("/my")
        order = self._channel_make_cart(customer_id)
        return request.redirect(f"{URL}/{order.id}" if order else URL, code=303)

    @http.route(f"{URL}/repeat/<int:order_id>", type="http", auth="user", methods=["POST"], website=True)
    def portal_my_channel_order_repeat(self, order_id, **post):
        """A new cart with what an earlier order had; what may not be ordered any more is listed with its reason."""
        earlier = request.env["sale.order"].search(
            self._channel_own_domain() & Domain("id", "=", order_id) & Domain("company_id", "=", request.env.company.id)
        )
        if not earlier or not self._channel_role() or self._channel_hit():
            return request.redirect(URL)
        # sudo: the own order, found with the user's rights
        earlier = earlier.sudo()
        order = self._channel_make_cart(earlier.channel_end_customer_id.commercial_partner_id.id)
        if not order:
            order = self._channel_make_cart(None)
        order.channel_tender_reference = earlier.channel_tender_reference
        self._channel_order_api(order)._repeat(order, earlier)
        return request.redirect(f"{URL}/{order.id}", code=303)

    def _channel_make_cart(self, customer_id):
        """:return: a new cart, empty when the dealer may not name this hospital"""
        api, problems = request.env["channel.order"], []
        member = request.env.user.commercial_partner_id
        customer = api._read_customer(member, self._channel_id(customer_id), True, problems)
        # sudo: dealers have no right to write; it is for the own company and one of the hospitals it may name
        orders = request.env["sale.order"].sudo()
        if problems:
            return orders
        return api._make(orders, {
            "partner_id": member.id, "company_id": request.env.company.id, "channel_source": "portal",
            "channel_end_customer_id": customer.id,
        })

    # === CART === #

    # Not readonly: a cart that lay for a while gets the prices of now
    @http.route(f"{URL}/<int:order_id>", type="http", auth="user", website=True)
    def portal_my_channel_order_cart(self, order_id, **kwargs):
        order = self._channel_cart(order_id)
        if not order:
            return self._channel_done_page(order_id)
        order._channel_refresh_cart()
        return self._channel_cart_page(order)

    def _channel_cart_page(self, order, problem=None, given=None):
        return request.render("channel_order.portal_order_cart", {
            **self._prepare_portal_layout_values(), "page_name": "channel_order", "cart": order, "problem": problem,
            "seen": self._channel_seen(order),
            "given": {**self._channel_header(order), **(given or {})},
            "today": fields.Date.to_string(order.company_id._channel_today()),
            **self._channel_cart_values(order), **self._channel_catalogue_values(order),
        })

    def _channel_done_page(self, order_id):
        """The own order after it was submitted."""
        order = request.env["sale.order"].search(
            self._channel_own_domain() & Domain("id", "=", order_id) & Domain("channel_submitted_date", "!=", False)
        )
        if not order or not self._channel_role():
            return request.redirect(URL)
        # sudo: the own order, found with the user's rights
        order = order.sudo()
        waits = order._channel_dealer_state() == "submitted"
        return request.render("channel_order.portal_order_done", {
            **self._prepare_portal_layout_values(), "page_name": "channel_order", "done": order,
            "findings": self._channel_order_api(order)._summary(order)["findings"] if waits else [],
        })

    def _channel_cart_values(self, order):
        api = self._channel_order_api(order)
        return {
            "order": order, "summary": api._summary(order), "pending": api._pending_rows(order), "url": URL,
            "pending_text": "\n".join(OrderRow(*row).text for row in order.channel_pending_rows or []),
        }

    def _channel_catalogue_values(self, order, search=None, offset=0):
        search = (search or "").strip()[:100]
        book = self._channel_order_api(order)._catalogue(
            order.partner_id, order.channel_end_customer_id, search or None, offset, PRODUCTS
        )
        currency = order.currency_id
        if currency.name != book["currency"]:
            # sudo: names of currencies are no secret
            currency = request.env["res.currency"].sudo().search([("name", "=", book["currency"])], limit=1)
        return {
            "rows": book["rows"], "total": book["total"], "book_currency": currency,
            "more": offset + PRODUCTS if book["total"] > offset + PRODUCTS else 0,
        }

    def _channel_header(self, order):
        requested = order.commitment_date and order.company_id._channel_date(order.commitment_date)
        return {
            "client_order_ref": order.client_order_ref or "", "tender_reference": order.channel_tender_reference or "",
            "requested_date": requested.isoformat() if requested else "", "note": order.channel_dealer_note or "",
        }

    # === CHANGES === #

    @http.route(f"{URL}/<int:order_id>/cart", type="jsonrpc", auth="user")
    def portal_my_channel_order_change(self, order_id, lines=None, header=None, typing=False):
        """Keep what was typed, and tell what the order comes to.

        :param lines: ``[{"id", "quantity", "uom_id"}]``
        :param header: dict of what else was filled in
        :param typing: somebody types in the lines: if they are the same ones, only what stands below each is told
        """
        order = self._channel_cart(order_id)
        if not order:
            return {"gone": True}
        problems = self._channel_keep(order, lines, header)
        shown = [self._channel_id(line.get("id")) for line in lines] if typing and lines and not problems else None
        return self._channel_answer(order, problems, shown)

    @http.route(f"{URL}/<int:order_id>/add", type="jsonrpc", auth="user")
    def portal_my_channel_order_add(self, order_id, text=None, product_id=None, quantity=1, uom_id=None):
        """Add one product of the catalogue, or a row ``CODE QTY``."""
        order = self._channel_cart(order_id)
        if not order:
            return {"gone": True}
        api, problems = self._channel_order_api(order), []
        if text:
            rows = split_rows(text)[:MAX_ROWS]
            # Quick entry: without a quantity it is one
            wanted = [{"code": row.code, "quantity": row.quantity or 1, "uom": row.uom} for row in rows]
        else:
            wanted = [{"product_id": product_id, "quantity": quantity, "uom_id": uom_id}]
        found = api._read_lines(wanted, order.partner_id, order.channel_end_customer_id, True, problems)
        taken = [line for line in found if line]
        order._channel_fill_cart(taken)
        texts = [" ".join(filter(None, (problem.reason, problem.remedy))) for problem in problems]
        return {**self._channel_answer(order, texts), "added": len(taken)}

    @http.route(f"{URL}/<int:order_id>/catalogue", type="jsonrpc", auth="user", readonly=True)
    def portal_my_channel_order_catalogue(self, order_id, search=None, offset=0):
        order = self._channel_cart(order_id)
        if not order:
            return {"gone": True}
        values = self._channel_catalogue_values(order, str(search or ""), max(self._channel_id(offset) or 0, 0))
        return {"html": self._channel_html("channel_order.portal_order_products", values)}

    @http.route(
        f"{URL}/<int:order_id>/rows", type="http", auth="user", methods=["POST"], website=True,
        max_content_length=MAX_BYTES + 256 * 1024,
    )
    def portal_my_channel_order_rows(self, order_id, text=None, mode=None, **post):
        """Take a pasted list, a file, or rows that stayed and were mended. Nothing of it is lost: what cannot be taken
        over stays with the cart, each row with its reason."""
        order = self._channel_cart(order_id)
        if not order:
            return request.redirect(URL)
        if self._channel_hit():
            problem = request.env._("Too many lists were sent within an hour. Wait a little, then send this one again.")
            return self._channel_cart_page(order, problem, {"text": text})
        api, file = self._channel_order_api(order), request.httprequest.files.get("file")
        rows = [] if mode == "mend" else [OrderRow(*row) for row in order.channel_pending_rows or []]
        try:
            if file and file.filename:
                rows += api._read_file(file.read())
            rows += split_rows(text)
        except TableFileError as error:
            return self._channel_cart_page(order, api._file_problem(error), {"text": text})
        if len(rows) > MAX_ROWS:
            problem = request.env._("There are more than %s rows. Split the list.", MAX_ROWS)
            return self._channel_cart_page(order, problem, {"text": text})
        if not rows and mode != "mend":
            problem = request.env._("Nothing was pasted and no file was chosen.")
            return self._channel_cart_page(order, problem)
        api._take_rows(order, rows)
        return request.redirect(f"{URL}/{order.id}#cart", code=303)

    @http.route(f"{URL}/<int:order_id>/customer", type="http", auth="user", methods=["POST"], website=True)
    def portal_my_channel_order_customer(self, order_id, customer_id=None, **post):
        """Another hospital: prices and what the gate says follow."""
        order = self._channel_cart(order_id)
        if not order:
            return request.redirect(URL)
        problems = []
        customer = request.env["channel.order"]._read_customer(
            order.partner_id, self._channel_id(customer_id), True, problems
        )
        if not problems:
            order.channel_end_customer_id = customer
        return request.redirect(f"{URL}/{order.id}", code=303)

    @http.route(f"{URL}/<int:order_id>/delete", type="http", auth="user", methods=["POST"], website=True)
    def portal_my_channel_order_delete(self, order_id, **post):
        order = self._channel_cart(order_id)
        if order:
            order._action_cancel()
        return request.redirect(URL, code=303)

    @http.route(f"{URL}/<int:order_id>/submit", type="http", auth="user", methods=["POST"], website=True)
    def portal_my_channel_order_submit(self, order_id, seen=None, **post):
        order = self._channel_cart(order_id)
        if not order:
            return self._channel_done_page(order_id)
        header = {name: post[name] for name in HEADER if name in post}
        # Without JavaScript quantities come with the form
        lines = [
            {"id": line.id, "quantity": post[f"quantity_{line.id}"], "uom_id": post.get(f"uom_{line.id}")}
            for line in order.order_line if f"quantity_{line.id}" in post
        ]
        problems = self._channel_keep(order, lines, header)
        if "save" in post and not problems:
            return request.redirect(f"{URL}/{order.id}", code=303)
        order._channel_refresh_cart()
        if not problems and not order.order_line:
            problems.append(request.env._("There is nothing in the order yet. Add a product first."))
        if not problems and order.channel_pending_rows:
            problems.append(request.env._(
                "Some rows of your list were not taken over yet. Mend them or leave them out, then submit."
            ))
        if not problems and seen and seen != self._channel_seen(order):
            problems.append(request.env._(
                "The total is %s now. Please look at it, then submit again.",
                formatLang(request.env, order.amount_total, currency_obj=order.currency_id),
            ))
        if not problems:
            problems += self._channel_unfit(order) + self._channel_twice(order)
        if problems:
            return self._channel_cart_page(order, " ".join(problems), header)
        order._channel_submit(confirm=True)
        return request.redirect(f"{URL}/{order.id}", code=303)

    @http.route(f"{URL}/<int:order_id>/<string:name>.xlsx", type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_order_file(self, order_id, name, **kwargs):
        """Our order form to fill in, or the rows that were not taken over."""
        order = self._channel_cart(order_id)
        if not order or name not in ("form", "rejected"):
            return request.redirect(URL)
        api = self._channel_order_api(order)
        if name == "form":
            content, title = api._order_form(order), request.env._("Order Form")
        else:
            content, title = api._rejected_rows(order), request.env._("Rows Not Taken Over")
        return request.make_response(content, [
            ("Content-Type", XLSX), ("Content-Disposition", content_disposition(f"{title}.xlsx")),
        ])

    # === TOOLING === #

    def _channel_hit(self):
        return request.env["channel.portal.hit"]._hit("post", f"user {request.env.uid}")

    def _channel_id(self, value):
        """An id as a form or a client sends it; what is none is handed on, so that the answer can name it."""
        text = str(value or "").strip()
        return int(text) if text.isdecimal() and len(text) < 10 else text or None

    def _channel_keep(self, order, lines, header):
        """Write what was typed into the cart.

        :return: sentences about what could not be taken over; that stays as it was
        """
        api, problems = request.env["channel.order"], []
        wanted, own, changes = {}, {line.id: line for line in order.order_line}, {}
        for sent in lines if isinstance(lines, list) else []:
            line = own.get(self._channel_id(sent.get("id"))) if isinstance(sent, dict) else None
            if not line:
                continue
            quantity, uom_id = sent.get("quantity"), self._channel_id(sent.get("uom_id")) or line.product_uom_id.id
            if str(quantity).strip() in ("0", ""):
                wanted[line] = 0.0, line.product_uom_id
            elif str(quantity) != f"{line.product_uom_qty:g}" or uom_id != line.product_uom_id.id:
                changes[line] = {"product_id": line.product_id.id, "quantity": quantity, "uom_id": uom_id}
        for line, vals in zip(changes, self._channel_read(order, changes.values(), problems), strict=True):
            if vals:
                wanted[line] = vals["product_uom_qty"], line.product_uom_id.browse(vals["product_uom_id"])
        order._channel_change_cart(wanted)
        if isinstance(header, dict):
            vals = api._read_header({name: header[name] for name in HEADER if name in header}, problems)
            changed = {name: value for name, value in vals.items() if (order[name] or False) != value}
            if changed and not any(problem.index is None for problem in problems):
                order.write(changed)
        return [self._channel_sentence(problem) for problem in problems]

    def _channel_read(self, order, lines, problems):
        # sudo: products of the own cart; what the member may buy is for the gate to say, with the remedy
        return request.env["channel.order"].sudo()._read_lines(
            list(lines), order.partner_id, order.channel_end_customer_id, True, problems, authorized=False
        )

    def _channel_unfit(self, order):
        """What of a cart cannot be ordered any more as it was put in: another pack since, no longer sold."""
        problems = []
        self._channel_read(order, [
            {
                "product_id": line.product_id.id, "quantity": line.product_uom_qty, "uom_id": line.product_uom_id.id,
            }
            for line in order.order_line if not line.display_type
        ], problems)
        return [self._channel_sentence(problem) for problem in problems]

    def _channel_sentence(self, problem):
        labels = {
            "client_order_ref": request.env._("Your reference"),
            "tender_reference": request.env._("Tender or award"),
            "requested_date": request.env._("Requested date"),
            "note": request.env._("Note"),
            "quantity": request.env._("Quantity"),
        }
        label = labels.get(problem.field)
        text = " ".join(filter(None, (problem.reason, problem.remedy)))
        return f"{label}: {text}" if label else text

    def _channel_twice(self, order):
        """The own number stands for one order."""
        if not order.client_order_ref:
            return []
        other = request.env["sale.order"].search(
            self._channel_own_domain() & Domain("client_order_ref", "=", order.client_order_ref)
            & Domain("id", "!=", order.id) & Domain("company_id", "=", order.company_id.id)
            & Domain("state", "!=", "cancel") & Domain("channel_submitted_date", "!=", False), limit=1,
        )
        if not other:
            return []
        return [request.env._(
            "Your reference %(reference)s stands on order %(order)s already. If this is another order, give it another "
            "reference.", reference=order.client_order_ref, order=other.name,
        )]

    def _channel_seen(self, order):
        return json.dumps([order.currency_id.name, order.currency_id.round(order.amount_total)])

    def _channel_html(self, template, values):
        return request.env["ir.qweb"]._render(template, values)

    def _channel_answer(self, order, problems, shown=None):
        """:param shown: ids of the lines that stay on the page as they are, with new words below them"""
        values = self._channel_cart_values(order)
        answer = {
            "problems": problems,
            "seen": self._channel_seen(order),
            "summary": self._channel_html("channel_order.portal_order_summary", values),
            "total": self._channel_html("channel_order.portal_order_total", values),
        }
        told = {told["line"].id: told for told in values["summary"]["lines"]}
        if problems and not shown:
            # What was typed and not taken over stays in its field
            shown = list(told)
        if shown and set(shown) == told.keys():
            answer["infos"] = {
                str(line_id): self._channel_html(
                    "channel_order.portal_order_line_info", {**values, "told": one, "line": one["line"]}
                )
                for line_id, one in told.items()
            }
        else:
            answer["lines"] = self._channel_html("channel_order.portal_order_lines", values)
        return answer
