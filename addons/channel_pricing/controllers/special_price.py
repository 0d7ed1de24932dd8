import re

from odoo import http
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.http import request

from odoo.addons.channel_member.controllers.portal import ChannelMemberPortal
from odoo.addons.channel_member.controllers.portal_files import sent_files, upload_bytes, upload_limits

URL = "/my/channel/special-prices"

#: Rows that an empty form has, and how many more a press of the button gives
ROWS = 3
#: Products that one request takes from the form
MAX_ROWS = 100

_PRODUCT = re.compile(r"product_(\d{1,3})")


class ChannelSpecialPricePortal(ChannelMemberPortal):
    """A dealer asks for special prices of its own company, and sees what became of them.

    Nothing on these pages comes from floors, costs or limits: a request is taken over or not for its own form alone.
    """

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "channel_special_price_count" in counters:
            requests = request.env["channel.price.request"]
            values["channel_special_price_count"] = (
                requests.search_count(self._prepare_special_prices_domain()) if requests.has_access("read") else 0
            )
        return values

    def _prepare_special_prices_domain(self):
        # Internal users may open the portal too: the domain keeps to the own company, whatever rules they have
        return [
            ("member_id", "=", request.env.user.commercial_partner_id.id),
            "|",
            ("source", "=", "portal"),
            ("state", "in", ("approved", "closed")),
        ]

    # === PAGES ===#

    @http.route([URL, f"{URL}/page/<int:page>"], type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_special_prices(self, page=1, **kwargs):
        values = self._channel_list_values(
            "channel.price.request", self._prepare_special_prices_domain(), URL, page, "id desc"
        )
        return request.render(
            "channel_pricing.portal_my_special_prices",
            {**values, "page_name": "channel_special_price", "may_ask": bool(self._channel_role())},
        )

    @http.route(f"{URL}/<int:request_id>", type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_special_price(self, request_id, **kwargs):
        requests = request.env["channel.price.request"]
        special = requests
        if requests.has_access("read"):
            special = requests.search([("id", "=", request_id), *self._prepare_special_prices_domain()])
        if not special:
            return request.redirect(URL)
        return request.render(
            "channel_pricing.portal_my_special_price",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "channel_special_price",
                "special": special,
                # sudo: names of products and of the hospital, and the dealer's own words; of the own request
                "own": special.sudo(),
                "submitted": bool(kwargs.get("submitted")),
                "files": special._portal_files(),
            },
        )

    @http.route(
        f"{URL}/<int:request_id>/file/<int:attachment_id>", type="http", auth="user", website=True, readonly=True
    )
    def portal_my_channel_special_price_file(self, request_id, attachment_id, **kwargs):
        requests = request.env["channel.price.request"]
        if requests.has_access("read"):
            special = requests.search([("id", "=", request_id), *self._prepare_special_prices_domain()])
            file = special._portal_files().filtered(lambda attachment: attachment.id == attachment_id)
            if file:
                # Always as a download: what somebody sent is not shown in a page of ours
                return file._to_http_stream().get_response(as_attachment=True)
        return request.redirect(URL)

    @http.route(
        f"{URL}/new", type="http", auth="user", methods=["GET", "POST"], website=True, max_content_length=upload_bytes
    )
    def portal_my_channel_special_price_new(self, **post):
        """Show the form, and take what was filled in."""
        if not self._channel_role():
            return request.redirect(URL)
        products, hospitals = self._channel_known_products(), self._channel_known_hospitals()
        problems = None
        rows = max([ROWS - 1, *self._channel_rows(post)]) + 1
        if "more" in post:
            rows += ROWS
        elif request.httprequest.method == "POST":
            if request.env["channel.portal.hit"]._hit("post", f"user {request.env.uid}"):
                return request.redirect(URL)
            try:
                with request.env.cr.savepoint():
                    answer = request.env["channel.price.request"].submit(
                        self._channel_special_price_values(post, products, hospitals)
                    )
                    special = request.env["channel.price.request"].search([("name", "=", answer["reference"])])
                    special._portal_attach(sent_files())
            except (UserError, ValidationError, AccessError) as error:
                problems = str(error)
            else:
                return request.redirect(f"{URL}/{special.id}?submitted=1", code=303)
        purposes = request.env["channel.price.request"]._fields["purpose"]._description_selection(request.env)
        return request.render(
            "channel_pricing.portal_special_price_form",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "channel_special_price",
                "is_new": True,
                "products": products,
                "hospitals": hospitals,
                "purposes": purposes,
                "given": post,
                "rows": range(min(rows, MAX_ROWS)),
                "may_have_more": rows < MAX_ROWS,
                "limits": upload_limits(),
                "problems": problems,
            },
        )

    # === WHAT THE FORM SAYS ===#

    def _channel_rows(self, post):
        """Numbers of the rows that were sent, ascending."""
        return sorted(int(found[1]) for name in post if (found := _PRODUCT.fullmatch(name)))


    def _channel_role(self):
        # sudo: the role of the user's own company
        return request.env.user.sudo().commercial_partner_id.channel_role

    def _channel_known_products(self):
        """``{name: id}`` of what the own company has ordered; others are named by their code."""
        # sudo: products of the own company's orders
        lines = request.env["sale.order.line"].sudo()._read_group(
            [
                ("order_id.partner_id", "child_of", request.env.user.commercial_partner_id.id),
                ("product_id.sale_ok", "=", True),
            ],
            ["product_id"],
        )
        return {product.display_name: product.id for (product,) in lines}

    def _channel_known_hospitals(self):
        """``{id: name}`` of the hospitals that the own company has ordered for or is authorised for."""
        member = request.env.user.commercial_partner_id
        # sudo: hospitals of the own company's orders and authorizations
        orders = request.env["sale.order"].sudo()._read_group(
            [("partner_id", "child_of", member.id), ("channel_end_customer_id", "!=", False)],
            ["channel_end_customer_id"],
        )
        authorizations = request.env["channel.authorization"].sudo().search(
            [("partner_id", "=", member.id), ("state", "=", "approved")]
        )
        hospitals = authorizations.customer_ids.union(*(hospital.commercial_partner_id for (hospital,) in orders))
        return {hospital.id: hospital.name for hospital in hospitals if hospital.channel_role == "hospital"}

    def _channel_special_price_values(self, post, products, hospitals):
        """What was filled in, as ``channel.price.request.submit`` takes it; empty rows left out."""
        lines = []
        for row in self._channel_rows(post):
            name = (post.get(f"product_{row}") or "").strip()
            price = (post.get(f"price_{row}") or "").strip()
            if not name and not price:
                continue
            line = {
                "quantity": self._channel_number(post.get(f"quantity_{row}")),
                "price": self._channel_number(price),
            }
            competitor_price = self._channel_number(post.get(f"competitor_price_{row}"))
            if competitor_price is not None:
                line["competitor_price"] = competitor_price
            if name in products:
                line["product_id"] = products[name]
            else:
                line["product_code"] = name
            lines.append(line)
        if len(lines) > MAX_ROWS:
            raise UserError(request.env._(
                "Products: %(count)s were named, a request takes at most %(limit)s. Ask for the others in another one.",
                count=len(lines), limit=MAX_ROWS,
            ))
        customer = post.get("customer_id") or ""
        return {
            "customer_id": int(customer) if customer.isdecimal() and int(customer) in hospitals else None,
            "date_from": post.get("date_from") or None,
            "date_to": post.get("date_to") or None,
            "purpose": post.get("purpose"),
            "competitor": post.get("competitor"),
            "reason": post.get("reason"),
            "lines": lines,
        }

    def _channel_number(self, text):
        """A number as a form sends it; what is none is handed on, so that the answer can name it."""
        text = (text or "").strip()
        if not text:
            return None
        try:
            return float(text.replace(",", "."))
        except ValueError:
            return text
