from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal, pager as portal_pager


class ChannelContractPortal(CustomerPortal):
    """A member reads its own contracts.

    Contracts are shown to users who have logged in, by their record rules, and never by a link with a token:
    a forwarded mail must not open somebody's terms.
    """

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "channel_contract_count" in counters:
            contracts = request.env["channel.contract"]
            values["channel_contract_count"] = (
                contracts.search_count(self._prepare_contracts_domain()) if contracts.has_access("read") else 0
            )
        return values

    def _prepare_contracts_domain(self):
        # Internal users may open the portal too: the domain keeps to the own company, whatever rules they have
        return [
            ("member_id", "=", request.env.user.commercial_partner_id.id),
            ("version_ids.state", "in", ("approved", "superseded")),
        ]

    @http.route(
        ["/my/channel/contracts", "/my/channel/contracts/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def portal_my_channel_contracts(self, page=1, **kwargs):
        contracts = request.env["channel.contract"]
        domain = self._prepare_contracts_domain()
        readable = contracts.has_access("read")
        pager = portal_pager(
            url="/my/channel/contracts",
            total=contracts.search_count(domain) if readable else 0,
            page=page,
            step=self._items_per_page,
        )
        return request.render(
            "channel_contract.portal_my_contracts",
            {
                **self._prepare_portal_layout_values(),
                "contracts": contracts.search(domain, limit=self._items_per_page, offset=pager["offset"])
                if readable
                else contracts,
                "pager": pager,
                "default_url": "/my/channel/contracts",
                "page_name": "channel_contract",
            },
        )

    @http.route("/my/channel/contracts/<int:contract_id>", type="http", auth="user", website=True, readonly=True)
    def portal_channel_contract(self, contract_id, **kwargs):
        try:
            contract_sudo = self._document_check_access("channel.contract", contract_id)
        except (AccessError, MissingError):
            return request.redirect("/my")
        return request.render(
            "channel_contract.portal_contract",
            {
                **self._prepare_portal_layout_values(),
                "contract": contract_sudo,
                "versions": contract_sudo.version_ids.filtered(lambda v: v.state in ("approved", "superseded")),
                "page_name": "channel_contract",
            },
        )

    # Not readonly: rendering the PDF may store its assets
    @http.route(
        "/my/channel/contracts/<int:contract_id>/versions/<int:version_id>", type="http", auth="user", website=True
    )
    def portal_channel_contract_version(self, contract_id, version_id, report_type="pdf", download=False, **kwargs):
        try:
            version_sudo = self._document_check_access("channel.contract.version", version_id)
        except (AccessError, MissingError):
            return request.redirect("/my")
        if version_sudo.contract_id.id != contract_id or report_type not in ("html", "pdf", "text"):
            return request.redirect("/my")
        return self._show_report(
            model=version_sudo,
            report_type=report_type,
            report_ref="channel_contract.channel_contract_report",
            download=download,
        )

    @http.route(
        "/my/channel/contracts/<int:contract_id>/documents/<int:attachment_id>",
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def portal_channel_contract_document(self, contract_id, attachment_id, **kwargs):
        """A document of a version that the user may read; attachments themselves are not open to portal users."""
        try:
            contract_sudo = self._document_check_access("channel.contract", contract_id)
        except (AccessError, MissingError):
            return request.redirect("/my")
        shown = contract_sudo.version_ids.filtered(lambda v: v.state in ("approved", "superseded")).document_ids
        document = shown.filtered(lambda attachment: attachment.id == attachment_id)
        if not document:
            return request.redirect("/my")
        return request.env["ir.binary"]._get_stream_from(document).get_response(as_attachment=True)
