from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal, pager as portal_pager


class ChannelMemberPortal(CustomerPortal):
    """A member sees its own documents and authorizations: the record rules of the portal decide what is its own."""

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        for counter, model, domain in (
            ("channel_qualification_count", "channel.qualification", self._prepare_qualifications_domain()),
            ("channel_authorization_count", "channel.authorization", self._prepare_authorizations_domain()),
        ):
            if counter in counters:
                records = request.env[model]
                values[counter] = records.search_count(domain) if records.has_access("read") else 0
        return values

    # Internal users may open the portal too: the domain keeps to the own company, whatever rules they have.

    def _prepare_qualifications_domain(self):
        return [("partner_id", "=", request.env.user.commercial_partner_id.id)]

    def _prepare_authorizations_domain(self):
        return [("partner_id", "=", request.env.user.commercial_partner_id.id), ("state", "!=", "draft")]

    def _channel_list_values(self, model, domain, url, page, order):
        records = request.env[model]
        readable = records.has_access("read")
        pager = portal_pager(
            url=url,
            total=records.search_count(domain) if readable else 0,
            page=page,
            step=self._items_per_page,
        )
        return {
            **self._prepare_portal_layout_values(),
            "records": records.search(domain, order=order, limit=self._items_per_page, offset=pager["offset"])
            if readable
            else records,
            "pager": pager,
            "default_url": url,
        }

    @http.route(
        ["/my/channel/authorizations", "/my/channel/authorizations/page/<int:page>"],
        type="http", auth="user", website=True, readonly=True,
    )
    def portal_my_channel_authorizations(self, page=1, **kwargs):
        values = self._channel_list_values(
            "channel.authorization", self._prepare_authorizations_domain(), "/my/channel/authorizations", page,
            "date_from desc, id desc",
        )
        return request.render(
            "channel_member.portal_my_authorizations", {**values, "page_name": "channel_authorization"}
        )

    # Not readonly: rendering the letter may store the PDF's assets.
    @http.route("/my/channel/authorizations/<int:authorization_id>", type="http", auth="public", website=True)
    def portal_channel_authorization(
        self, authorization_id, report_type=None, access_token=None, download=False, **kwargs
    ):
        try:
            authorization_sudo = self._document_check_access(
                "channel.authorization", authorization_id, access_token=access_token
            )
        except (AccessError, MissingError):
            return request.redirect("/my")
        if report_type in ("html", "pdf", "text"):
            return self._show_report(
                model=authorization_sudo,
                report_type=report_type,
                report_ref="channel_member.channel_authorization_report",
                download=download,
            )
        return request.render("channel_member.portal_authorization", {
            **self._prepare_portal_layout_values(),
            "page_name": "channel_authorization",
            "authorization": authorization_sudo,
            "token": access_token,
        })
