from odoo import fields, http
from odoo.exceptions import AccessError, MissingError, ValidationError
from odoo.http import content_disposition, request

from odoo.addons.portal.controllers.portal import CustomerPortal


class ChannelRebatePortal(CustomerPortal):
    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "channel_rebate_count" in counters:
            balance = request.env["channel.rebate.balance"]
            values["channel_rebate_count"] = (
                balance.search_count(self._channel_rebate_domain(), limit=1) if balance.has_access("read") else 0
            )
        return values

    def _channel_rebate_domain(self):
        # The record rule says the same for portal users; internal users see their own company here too.
        return [("member_id", "=", request.env.user.partner_id.commercial_partner_id.id)]

    def _channel_rebate_period(self, date_from=None, date_to=None):
        """The asked-for days, else the current year. A malformed one is a wrong address, not an error."""
        today = fields.Date.context_today(request.env.user)
        try:
            period = [fields.Date.to_date(date_from), fields.Date.to_date(date_to)]
        except ValueError:
            raise MissingError(request.env._("There is no such period.")) from None
        if not all(period) or period[0] > period[1]:
            period = [today.replace(month=1, day=1), today.replace(month=12, day=31)]
        return [day.isoformat() for day in period]

    @http.route("/my/channel/rebates", type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_rebates(self, year=None, **kw):
        balance = request.env["channel.rebate.balance"]
        if not balance.has_access("read"):
            return request.redirect("/my")
        balances = balance.search(self._channel_rebate_domain(), order="window_start desc, program_id")
        years = sorted({day.year for b in balances for day in (b.window_start, b.window_end)}, reverse=True)
        chosen = int(year) if (year or "").isdigit() and int(year) in years else (years or [0])[0]
        shown = balances.filtered(lambda b: b.window_start.year <= chosen <= b.window_end.year)
        # sudo: names of the programmes and terms of the member's own balances, which were found with the user's rights.
        groups = shown.sudo().grouped("program_id")
        values = {
            "page_name": "channel_rebates",
            "years": years,
            "year": chosen,
            "programs": [
                {
                    "program": program,
                    "version": lines[:1].version_id,
                    "balances": lines,
                    "entitlement": sum(lines.mapped("entitlement")),
                    "accrued": sum(lines.mapped("accrued_amount")),
                    "settled": sum(lines.mapped("settled_amount")),
                    "open": sum(lines.mapped("open_amount")),
                }
                for program, lines in groups.items()
            ],
            "progress": self._channel_rebate_progress(),
            "date_from": f"{chosen}-01-01",
            "date_to": f"{chosen}-12-31",
            "default_url": "/my/channel/rebates",
        }
        return request.render("channel_rebate.portal_my_rebates", self._prepare_portal_layout_values() | values)

    def _channel_rebate_progress(self):
        """``[(words, share of the way in %)]`` of the windows of today that have a tier ahead."""
        today = fields.Date.context_today(request.env.user)
        balances = request.env["channel.rebate.balance"]._current(request.env.user.partner_id, today)
        # sudo: the own balances, found with the user's rights
        balances = balances.sudo()
        return [
            (balance._progress_words(progress), balance._progress_share(progress))
            for balance, progress in zip(balances, balances._progress(today), strict=True)
            if progress["to_go"] is not None
        ]

    @http.route("/my/channel/rebates/<int:balance_id>", type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_rebate(self, balance_id, **kw):
        try:
            balance_sudo = self._document_check_access("channel.rebate.balance", balance_id)
        except (AccessError, MissingError):
            return request.redirect("/my")
        values = {
            "page_name": "channel_rebates",
            "balance": balance_sudo,
            "explanation": request.env["channel.rebate.program"].explain(balance=balance_id),
            "entries": balance_sudo._entries(),
            "date_from": balance_sudo.window_start.isoformat(),
            "date_to": balance_sudo.window_end.isoformat(),
        }
        return request.render("channel_rebate.portal_my_rebate", self._prepare_portal_layout_values() | values)

    @http.route(["/my/channel/rebates/statement.<string:kind>"], type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_rebate_statement(self, kind, date_from=None, date_to=None, **kw):
        member = request.env.user.partner_id.commercial_partner_id
        return self._channel_rebate_statement(member, kind, self._channel_rebate_period(date_from, date_to))

    @http.route("/channel/rebates/<int:member_id>/statement.xlsx", type="http", auth="user", readonly=True)
    def channel_rebate_statement_xlsx(self, member_id, date_from=None, date_to=None, **kw):
        member = request.env["res.partner"].browse(member_id)
        return self._channel_rebate_statement(member, "xlsx", self._channel_rebate_period(date_from, date_to))

    def _channel_rebate_statement(self, member, kind, period):
        """Answer with the statement as a file. `statement` itself checks whether the user may see the member."""
        try:
            statement = request.env["channel.rebate.program"].statement(member.id, period)
        except (AccessError, ValidationError):
            raise request.not_found() from None
        title = request.env._("Rebate statement")
        name = f"{title} {statement['member']} {period[0]} {period[1]}.{kind}"
        if kind == "xlsx":
            content = request.env["report.channel_rebate.report_statement"]._statement_xlsx(statement)
            mimetype = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        elif kind == "pdf":
            # sudo: a portal user may not read reports; the data were collected with his own rights above, and the
            # template is given nothing else than the same call.
            content, _type = (
                request.env["ir.actions.report"]
                .sudo()
                ._render_qweb_pdf(
                    "channel_rebate.report_statement", member.ids, data={"member_id": member.id, "period": period}
                )
            )
            mimetype = "application/pdf"
        else:
            raise request.not_found()
        return request.make_response(
            content, headers=[("Content-Type", mimetype), ("Content-Disposition", content_disposition(name))]
        )
