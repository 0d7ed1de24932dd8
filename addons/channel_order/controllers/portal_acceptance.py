from odoo import http
from odoo.exceptions import UserError, ValidationError
from odoo.http import content_disposition, request

from odoo.addons.channel_member.controllers.portal_files import sent_files, upload_bytes, upload_limits
from odoo.addons.portal.controllers.portal import CustomerPortal, pager as portal_pager

URL = "/my/channel/acceptances"
PAGE = 40


class ChannelAcceptancePortal(CustomerPortal):
    """Who receives a delivery confirms its arrival and accepts it, line by line, on a phone."""

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "channel_acceptance_count" in counters:
            acceptances = request.env["channel.acceptance"]
            values["channel_acceptance_count"] = (
                acceptances.search_count([*self._channel_acceptance_domain(), ("state", "in", ("waiting", "arrived"))])
                if acceptances.has_access("read") else 0
            )
        return values

    def _channel_acceptance_domain(self):
        # The record rule says the same for portal users; internal users see their own company here too.
        own = request.env.user.commercial_partner_id.id
        return ["|", ("member_id", "=", own), ("end_customer_id", "child_of", own)]

    def _channel_acceptance(self, acceptance_id):
        """The own acceptance, with the user's rights; empty when there is none."""
        acceptances = request.env["channel.acceptance"]
        if not acceptances.has_access("read"):
            return acceptances
        return acceptances.search([("id", "=", acceptance_id), *self._channel_acceptance_domain()])

    @http.route([URL, f"{URL}/page/<int:page>"], type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_acceptances(self, page=1, **kw):
        acceptances = request.env["channel.acceptance"]
        if not acceptances.has_access("read"):
            return request.redirect("/my")
        domain = self._channel_acceptance_domain()
        pager = portal_pager(url=URL, total=acceptances.search_count(domain), page=page, step=PAGE)
        # sudo: numbers of the deliveries and orders of the own acceptances, found with the user's rights
        found = acceptances.search(domain, limit=PAGE, offset=pager["offset"]).sudo()
        return request.render("channel_order.portal_my_acceptances", {
            **self._prepare_portal_layout_values(), "page_name": "channel_acceptances", "acceptances": found,
            "pager": pager, "default_url": URL,
        })

    @http.route(f"{URL}/<int:acceptance_id>", type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_acceptance(self, acceptance_id, **kw):
        acceptance = self._channel_acceptance(acceptance_id)
        return self._channel_acceptance_page(acceptance) if acceptance else request.redirect(URL)

    def _channel_acceptance_page(self, acceptance, problems=None, given=None):
        reasons = request.env["channel.acceptance.line"]._fields["reason"]._description_selection(request.env)
        return request.render("channel_order.portal_my_acceptance", {
            **self._prepare_portal_layout_values(), "page_name": "channel_acceptances", "record": acceptance,
            # sudo: as in the list
            "acceptance": acceptance.sudo(), "reasons": reasons, "problems": problems, "given": given or {},
            "limits": upload_limits(), "files": acceptance._portal_files(),
        })

    @http.route(f"{URL}/<int:acceptance_id>/arrive", type="http", auth="user", methods=["POST"], website=True)
    def portal_my_channel_acceptance_arrive(self, acceptance_id, **post):
        acceptance = self._channel_acceptance(acceptance_id)
        if not acceptance:
            return request.redirect(URL)
        try:
            acceptance.arrive()
        except UserError as error:
            return self._channel_acceptance_page(acceptance, str(error))
        return request.redirect(f"{URL}/{acceptance_id}")

    @http.route(
        f"{URL}/<int:acceptance_id>/accept", type="http", auth="user", methods=["POST"], website=True,
        max_content_length=upload_bytes,
    )
    def portal_my_channel_acceptance_accept(self, acceptance_id, **post):
        acceptance = self._channel_acceptance(acceptance_id)
        if not acceptance:
            return request.redirect(URL)
        try:
            with request.env.cr.savepoint():
                answers = acceptance._read_answers(self._channel_acceptance_lines(acceptance, post))
                acceptance._for_answer()._accept(
                    answers, post.get("signed_by"), address=request.httprequest.remote_addr
                )
                acceptance._portal_attach(sent_files())
        except (UserError, ValidationError) as error:
            return self._channel_acceptance_page(acceptance, str(error), post)
        return request.redirect(f"{URL}/{acceptance_id}", code=303)

    def _channel_acceptance_lines(self, acceptance, post):
        """What was filled in, as ``channel.acceptance.accept`` takes it; a number that is none as it is."""
        lines = []
        # sudo: lines of the own acceptance
        for line in acceptance.sudo().line_ids:
            values = {"line_id": line.id}
            for key in ("accepted", "temperature"):
                text = (post.get(f"{key}_{line.id}") or "").strip().replace(",", ".")
                if text:
                    try:
                        values[key] = float(text)
                    except ValueError:
                        values[key] = text
            values |= {
                key: post[f"{key}_{line.id}"].strip() for key in ("reason", "lot", "note")
                if (post.get(f"{key}_{line.id}") or "").strip()
            }
            values["intact"] = not post.get(f"flawed_{line.id}")
            lines.append(values)
        return lines

    @http.route(f"{URL}/<int:acceptance_id>/scan", type="jsonrpc", auth="user", website=True, readonly=True)
    def portal_my_channel_acceptance_scan(self, acceptance_id, text):
        acceptance = self._channel_acceptance(acceptance_id)
        return acceptance.scan(text) if acceptance and (text or "").strip() else None

    @http.route(f"{URL}/<int:acceptance_id>/sheet", type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_acceptance_sheet(self, acceptance_id, **kw):
        acceptance = self._channel_acceptance(acceptance_id)
        if not acceptance or not acceptance.accepted_at:
            return request.redirect(URL)
        # sudo: receivers may not read reports; it is the sheet of an acceptance that the user reads
        content, _type = request.env["ir.actions.report"].sudo()._render_qweb_pdf(
            "channel_order.report_acceptance", acceptance.ids
        )
        name = content_disposition(f"{acceptance.name.replace('/', '-')}.pdf")
        return request.make_response(
            content, headers=[("Content-Type", "application/pdf"), ("Content-Disposition", name)]
        )
