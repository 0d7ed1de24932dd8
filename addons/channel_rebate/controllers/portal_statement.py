import base64

from odoo import http
from odoo.exceptions import UserError
from odoo.http import content_disposition, request

from odoo.addons.portal.controllers.portal import CustomerPortal

URL = "/my/channel/statements"


class ChannelRebateStatementPortal(CustomerPortal):
    """A payee reads the statements that were sent to its own company, and confirms or disputes them."""

    def _channel_statement(self, statement_id=None):
        statements = request.env["channel.rebate.statement"]
        if not statements.has_access("read"):
            return statements
        # The record rule says the same for portal users; internal users see their own company here too.
        domain = [("member_id", "=", request.env.user.commercial_partner_id.id), ("state", "!=", "draft")]
        return statements.search([*domain, ("id", "=", statement_id)] if statement_id else domain)

    @http.route(URL, type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_statements(self, **kw):
        return request.render("channel_rebate.portal_my_statements", {
            **self._prepare_portal_layout_values(), "page_name": "channel_statements",
            "statements": self._channel_statement(),
        })

    @http.route(f"{URL}/<int:statement_id>", type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_statement(self, statement_id, **kw):
        statement = self._channel_statement(statement_id)
        return self._channel_statement_page(statement) if statement else request.redirect(URL)

    def _channel_statement_page(self, statement, problem=None, given=None):
        currencies = request.env["res.currency"].search([])
        return request.render("channel_rebate.portal_my_statement", {
            **self._prepare_portal_layout_values(), "page_name": "channel_statements", "statement": statement,
            "currencies": {currency.name: currency for currency in currencies}, "problem": problem,
            "given": given or {}, "appeals": self._channel_statement_appeals(statement),
        })

    def _channel_statement_appeals(self, statement):
        disputes = request.env["channel.dispute"]
        if not disputes.has_access("read"):
            return disputes
        return disputes.search([("statement_id", "=", statement.id)], order="id")

    @http.route(f"{URL}/<int:statement_id>/file.<string:kind>", type="http", auth="user", website=True)
    def portal_my_channel_statement_file(self, statement_id, kind, **kw):
        statement = self._channel_statement(statement_id)
        if not statement or kind not in ("pdf", "xlsx"):
            return request.redirect(URL)
        content = statement._file(kind)
        mimetype = "application/pdf" if kind == "pdf" else (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        )
        name = f"{statement._file_name()}.{kind}"
        return request.make_response(
            content, headers=[("Content-Type", mimetype), ("Content-Disposition", content_disposition(name))]
        )

    @http.route(
        f"{URL}/<int:statement_id>/compare", type="http", auth="user", methods=["GET", "POST"], website=True,
        max_content_length=3 * 1024 * 1024,
    )
    def portal_my_channel_statement_compare(self, statement_id, **post):
        """Show what differs between the statement and the payee's own file, and keep both."""
        statement = self._channel_statement(statement_id)
        if not statement:
            return request.redirect(URL)
        problem = result = None
        if request.httprequest.method == "POST":
            file = request.httprequest.files.get("file")
            try:
                with request.env.cr.savepoint():
                    # sudo: payees may not write; it is a statement of the own company, and its figures stay as they are
                    match = request.env["channel.rebate.statement.match"].sudo().create({
                        "statement_id": statement.id,
                        "file": base64.b64encode(file.read() if file else b""),
                        "file_name": file.filename if file and file.filename else statement.name,
                    })
                    result = match._compare()
            except UserError as error:
                problem = str(error)
        name = statement.content["programs"][0]["currency"]
        return request.render("channel_rebate.portal_statement_compare", {
            **self._prepare_portal_layout_values(), "page_name": "channel_statements", "statement": statement,
            "result": result, "problem": problem,
            "currency": request.env["res.currency"].with_context(active_test=False).search([("name", "=", name)]),
        })

    @http.route(f"{URL}/<int:statement_id>/answer", type="http", auth="user", methods=["POST"], website=True)
    def portal_my_channel_statement_answer(self, statement_id, answer=None, words=None, **post):
        statement = self._channel_statement(statement_id)
        url = f"{URL}/{statement_id}"
        if not statement or statement.state != "sent":
            return request.redirect(url)
        address = request.httprequest.remote_addr
        try:
            # sudo: payees may not write; it is a statement of the own company, and it is only answered
            if answer == "confirm":
                statement.sudo()._confirm(address)
            else:
                with request.env.cr.savepoint():
                    statement.sudo()._dispute(words, address, self._channel_claims(post))
        except UserError as error:
            return self._channel_statement_page(statement, str(error), {**post, "words": words})
        return request.redirect(url)

    def _channel_claims(self, post):
        """``{balance id: amount}`` of the fields ``claim_<balance id>`` that were filled in."""
        claims = {}
        for key, value in post.items():
            number, text = key.removeprefix("claim_"), (value or "").strip().replace(",", ".")
            if key.startswith("claim_") and number.isdecimal() and text:
                try:
                    claims[int(number)] = float(text)
                except ValueError:
                    raise UserError(request.env._(
                        "Claimed: %s is no plain number: write 1200.50.", value
                    )) from None
        return claims
