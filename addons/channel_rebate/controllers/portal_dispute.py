from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError, ValidationError
from odoo.http import request

from odoo.addons.channel_member.controllers.portal_files import sent_files, upload_bytes, upload_limits
from odoo.addons.portal.controllers.portal import CustomerPortal, pager as portal_pager

URL = "/my/channel/appeals"
PAGE = 40


class ChannelDisputePortal(CustomerPortal):
    """A payee appeals against what was calculated for its own company, and sees what became of it."""

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "channel_dispute_count" in counters:
            disputes = request.env["channel.dispute"]
            values["channel_dispute_count"] = (
                disputes.search_count(self._channel_dispute_domain()) if disputes.has_access("read") else 0
            )
        return values

    def _channel_dispute_domain(self):
        # The record rule says the same for portal users; internal users see their own company here too.
        return [("member_id", "=", request.env.user.commercial_partner_id.id)]

    def _channel_dispute(self, dispute_id):
        """The own appeal, with the user's rights; empty when there is none."""
        disputes = request.env["channel.dispute"]
        if not disputes.has_access("read"):
            return disputes
        return disputes.search([("id", "=", dispute_id), *self._channel_dispute_domain()])

    # === PAGES === #

    @http.route([URL, f"{URL}/page/<int:page>"], type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_disputes(self, page=1, **kw):
        disputes = request.env["channel.dispute"]
        if not disputes.has_access("read"):
            return request.redirect("/my")
        domain = self._channel_dispute_domain()
        pager = portal_pager(url=URL, total=disputes.search_count(domain), page=page, step=PAGE)
        # sudo: names of programmes and windows of the own appeals, which were found with the user's rights
        found = disputes.search(domain, limit=PAGE, offset=pager["offset"]).sudo()
        return request.render("channel_rebate.portal_my_disputes", {
            **self._prepare_portal_layout_values(), "page_name": "channel_disputes", "disputes": found, "pager": pager,
            "default_url": URL,
        })

    @http.route(f"{URL}/<int:dispute_id>", type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_dispute(self, dispute_id, submitted=None, **kw):
        dispute = self._channel_dispute(dispute_id)
        if not dispute:
            return request.redirect(URL)
        return request.render("channel_rebate.portal_my_dispute", {
            **self._prepare_portal_layout_values(), "page_name": "channel_disputes", "record": dispute,
            # sudo: as in the list
            "dispute": dispute.sudo(), "submitted": bool(submitted), "files": dispute._portal_files(),
        })

    @http.route(
        f"{URL}/<int:dispute_id>/file/<int:attachment_id>", type="http", auth="user", website=True, readonly=True
    )
    def portal_my_channel_dispute_file(self, dispute_id, attachment_id, **kw):
        dispute = self._channel_dispute(dispute_id)
        file = dispute._portal_files().filtered(lambda attachment: attachment.id == attachment_id)
        if not file:
            return request.redirect(URL)
        # Always as a download: what somebody sent is not shown in a page of ours
        return file._to_http_stream().get_response(as_attachment=True)

    @http.route(f"{URL}/<int:dispute_id>/withdraw", type="http", auth="user", methods=["POST"], website=True)
    def portal_my_channel_dispute_withdraw(self, dispute_id, **post):
        dispute = self._channel_dispute(dispute_id)
        if dispute and dispute.state in ("submitted", "review"):
            # sudo: payees may not write; it is their own, and nothing else than withdrawing it happens
            dispute.sudo()._withdraw()
        return request.redirect(f"{URL}/{dispute_id}")

    @http.route(
        "/my/channel/rebates/<int:balance_id>/appeal", type="http", auth="user", methods=["GET", "POST"], website=True,
        max_content_length=upload_bytes,
    )
    def portal_my_channel_dispute_new(self, balance_id, entry_id=None, **post):
        """Show the form, and take what was filled in."""
        try:
            balance_sudo = self._document_check_access("channel.rebate.balance", balance_id)
        except (AccessError, MissingError):
            return request.redirect("/my")
        entries = balance_sudo._entries()
        entry = entries.filtered(lambda line: str(line.id) == (entry_id or ""))
        problems = None
        if request.httprequest.method == "POST":
            if request.env["channel.portal.hit"]._hit("post", f"user {request.env.uid}"):
                return request.redirect(URL)
            try:
                with request.env.cr.savepoint():
                    values = self._channel_dispute_values(post, balance_id, entry)
                    answer = request.env["channel.dispute"].submit(values)
                    dispute = request.env["channel.dispute"].search([("name", "=", answer["reference"])])
                    dispute._portal_attach(sent_files())
            except (UserError, ValidationError, AccessError) as error:
                problems = str(error)
            else:
                return request.redirect(f"{URL}/{dispute.id}?submitted=1", code=303)
        reasons = request.env["channel.dispute"]._fields["reason"]._description_selection(request.env)
        return request.render("channel_rebate.portal_dispute_form", {
            **self._prepare_portal_layout_values(), "page_name": "channel_disputes", "is_new": True,
            "balance": balance_sudo, "entry": entry, "reasons": reasons, "given": post, "problems": problems,
            "limits": upload_limits(),
        })

    # === WHAT THE FORM SAYS === #

    def _channel_dispute_values(self, post, balance_id, entry):
        """What was filled in, as ``channel.dispute.submit`` takes it."""
        text = (post.get("claimed_amount") or "").strip().replace(",", ".")
        try:
            claimed = float(text or 0)
        except ValueError:
            claimed = text  # handed on as it is, so that the answer can name it
        return {
            "balance_id": balance_id,
            "entry_id": entry.id or None,
            "reason": post.get("reason"),
            "description": post.get("description"),
            "claimed_amount": claimed,
        }

