import base64

from odoo import http
from odoo.exceptions import UserError, ValidationError
from odoo.http import content_disposition, request

from odoo.addons.portal.controllers.portal import CustomerPortal

URL = "/my/channel/account"
MIMETYPES = {
    "pdf": "application/pdf", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ChannelAccountPortal(CustomerPortal):
    """A dealer reads the statements of account that were sent to its own company, and confirms or disputes them."""

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "channel_account_count" in counters:
            values["channel_account_count"] = len(self._channel_account())
        return values

    def _channel_account(self, statement_id=None):
        statements = request.env["channel.account.statement"]
        if not statements.has_access("read"):
            return statements
        # The record rule says the same for portal users; internal users see their own company here too
        domain = [("member_id", "=", request.env.user.commercial_partner_id.id), ("state", "!=", "draft")]
        return statements.search([*domain, ("id", "=", statement_id)] if statement_id else domain)

    @http.route(URL, type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_accounts(self, **kw):
        return request.render("channel_order.portal_my_accounts", {
            **self._prepare_portal_layout_values(), "page_name": "channel_account",
            "statements": self._channel_account(),
        })

    @http.route(f"{URL}/<int:statement_id>", type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_account(self, statement_id, **kw):
        statement = self._channel_account(statement_id)
        return self._channel_account_page(statement) if statement else request.redirect(URL)

    def _channel_account_page(self, statement, problem=None, given=None):
        return request.render("channel_order.portal_my_account", {
            **self._prepare_portal_layout_values(), **statement._content_values(), "page_name": "channel_account",
            "problem": problem, "given": given or {},
            "differences": request.env["channel.account.difference"].search(
                [("statement_id", "=", statement.id)], order="id"
            ),
        })

    @http.route(f"{URL}/<int:statement_id>/file.<string:kind>", type="http", auth="user", website=True)
    def portal_my_channel_account_file(self, statement_id, kind, **kw):
        statement = self._channel_account(statement_id)
        if not statement or kind not in MIMETYPES:
            return request.redirect(URL)
        return request.make_response(statement._file(kind), headers=[
            ("Content-Type", MIMETYPES[kind]),
            ("Content-Disposition", content_disposition(f"{statement._file_name()}.{kind}")),
        ])

    @http.route(f"{URL}/<int:statement_id>/answer", type="http", auth="user", methods=["POST"], website=True)
    def portal_my_channel_account_answer(self, statement_id, answer=None, words=None, **post):
        statement = self._channel_account(statement_id)
        url = f"{URL}/{statement_id}"
        if not statement or statement.state != "sent":
            return request.redirect(url)
        address = request.httprequest.remote_addr
        reasons = {key.removeprefix("reason_"): text for key, text in post.items() if key.startswith("reason_")}
        try:
            # sudo: dealers may not write; it is a statement of the own company, and it is only answered
            if answer == "confirm":
                statement.sudo()._confirm(address)
            else:
                with request.env.cr.savepoint():
                    statement.sudo()._dispute(reasons, words, address)
        except UserError as error:
            return self._channel_account_page(statement, str(error), {**post, "words": words})
        return request.redirect(url)

    @http.route(
        f"{URL}/<int:statement_id>/compare", type="http", auth="user", methods=["POST"], website=True,
        max_content_length=3 * 1024 * 1024,
    )
    def portal_my_channel_account_compare(self, statement_id, currency=None, **post):
        """Compare the dealer's own ledger; what differs becomes a task for the accountant."""
        statement = self._channel_account(statement_id)
        url = f"{URL}/{statement_id}"
        if not statement or statement.state not in ("sent", "disputed"):
            return request.redirect(url)
        file = request.httprequest.files.get("file")
        names = {row["currency"] for row in statement.content["currencies"]}
        chosen = {"currency_id": statement._currencies()[currency].id} if currency in names else {}
        try:
            with request.env.cr.savepoint():
                # sudo: dealers may not write; it is a statement of the own company, and its figures stay as they are
                request.env["channel.account.match"].sudo().create({
                    "statement_id": statement.id, **chosen,
                    "file": base64.b64encode(file.read() if file else b""),
                    "file_name": file.filename if file and file.filename else statement.name,
                })
        except (UserError, ValidationError) as error:
            return self._channel_account_page(statement, str(error))
        return request.redirect(f"{url}#differences")
