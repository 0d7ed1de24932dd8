from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal, pager as portal_pager


class ChannelContractPortal(CustomerPortal):
    """A member reads its own contracts, and says what it thinks of their clauses.

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
            ("version_ids.on_portal", "=", True),
        ]

    def _contract_and_version(self, contract_id, version_id):
        """:returns: both, sudoed, of a version that the user may read and that is on the portal

        :raise MissingError: there is none such
        """
        version_sudo = self._document_check_access("channel.contract.version", version_id)
        if version_sudo.contract_id.id != contract_id or not version_sudo.on_portal:
            raise MissingError(request.env._("There is no such version of the contract."))
        return version_sudo.contract_id, version_sudo

    def _contract_page_values(self, contract_sudo, **values):
        return {
            **self._prepare_portal_layout_values(),
            "contract": contract_sudo,
            "versions": contract_sudo.version_ids.filtered("on_portal"),
            "page_name": "channel_contract",
            **values,
        }

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
        Obligation = request.env["channel.contract.obligation"]
        version_sudo = contract_sudo.current_version_id
        return request.render(
            "channel_contract.portal_contract",
            self._contract_page_values(
                contract_sudo,
                progress=version_sudo._portal_progress() if version_sudo.on_portal else {},
                # By the rules of the user; internal users who look see what the member sees
                obligations=Obligation.search([("contract_id", "=", contract_id), ("side", "=", "member")])
                if Obligation.has_access("read")
                else Obligation,
            ),
        )

    # Not readonly: rendering the PDF may store its assets
    @http.route(
        "/my/channel/contracts/<int:contract_id>/versions/<int:version_id>", type="http", auth="user", website=True
    )
    def portal_channel_contract_version(self, contract_id, version_id, report_type="pdf", download=False, **kwargs):
        try:
            _contract_sudo, version_sudo = self._contract_and_version(contract_id, version_id)
        except (AccessError, MissingError):
            return request.redirect("/my")
        if report_type not in ("html", "pdf", "text"):
            return request.redirect("/my")
        if report_type == "pdf" and version_sudo.sealed_id:
            # what was signed, and no new print of it
            return request.env["ir.binary"]._get_stream_from(version_sudo.sealed_id).get_response(
                as_attachment=bool(download)
            )
        return self._show_report(
            model=version_sudo,
            report_type=report_type,
            report_ref="channel_contract.channel_contract_report",
            download=download,
        )

    @http.route(
        "/my/channel/contracts/<int:contract_id>/versions/<int:version_id>/read",
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def portal_channel_contract_read(self, contract_id, version_id, **kwargs):
        """The clauses, and what has been said about them."""
        try:
            contract_sudo, version_sudo = self._contract_and_version(contract_id, version_id)
        except (AccessError, MissingError):
            return request.redirect("/my")
        version = request.env["channel.contract.version"].browse(version_id)
        threads = version._threads()
        return request.render(
            "channel_contract.portal_contract_read",
            self._contract_page_values(
                contract_sudo,
                version=version_sudo,
                threads=threads.grouped(lambda thread: thread.key or ""),
                may_comment=version_sudo.state in ("draft", "approved"),
                error=request.session.pop("channel_contract_error", None),
            ),
        )

    @http.route(
        "/my/channel/contracts/<int:contract_id>/versions/<int:version_id>/comment",
        type="http",
        auth="user",
        website=True,
        methods=["POST"],
    )
    def portal_channel_contract_comment(self, contract_id, version_id, body="", line_id=None, parent_id=None, **kwargs):
        try:
            _contract_sudo, version_sudo = self._contract_and_version(contract_id, version_id)
        except (AccessError, MissingError):
            return request.redirect("/my")
        url, anchor = version_sudo._portal_read_url(), f"#clause_{line_id}" if line_id else "#comments"
        if request.env["channel.portal.hit"]._hit("post", f"user {request.env.uid}"):
            request.session["channel_contract_error"] = request.env._(
                "Too many comments within an hour. Wait a while, or call your contact."
            )
            return request.redirect(url)
        try:
            # with the rights of the user, not superuser's
            with request.env.cr.savepoint():
                request.env["channel.contract.version"].browse(version_id).comment(
                    body, line_id=_number(line_id), parent_id=_number(parent_id)
                )
        except UserError as error:
            request.session["channel_contract_error"] = str(error)
            return request.redirect(url)
        return request.redirect(url + anchor)

    @http.route(
        "/my/channel/contracts/<int:contract_id>/compare", type="http", auth="user", website=True, readonly=True
    )
    def portal_channel_contract_compare(self, contract_id, before=None, after=None, **kwargs):
        """Two versions of the contract, clause by clause."""
        try:
            contract_sudo, before_sudo = self._contract_and_version(contract_id, _number(before) or 0)
            _contract_sudo, after_sudo = self._contract_and_version(contract_id, _number(after) or 0)
        except (AccessError, MissingError):
            return request.redirect("/my")
        # with the rights of the user, not superuser's
        comparison = request.env["channel.contract.version"].browse(after_sudo.id).compare(before_sudo.id)
        return request.render(
            "channel_contract.portal_contract_compare",
            self._contract_page_values(contract_sudo, comparison=comparison, only_changes=True),
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
        shown = contract_sudo.version_ids.filtered("on_portal").document_ids
        document = shown.filtered(lambda attachment: attachment.id == attachment_id)
        if not document:
            return request.redirect("/my")
        return request.env["ir.binary"]._get_stream_from(document).get_response(as_attachment=True)


def _number(text):
    return int(text) if text and str(text).isdecimal() else None
