from odoo import http
from odoo.http import request

from .signature import HEADERS

#: The largest file that is looked at; a sealed contract is far smaller.
MAX_BYTES = 25 << 20


class ChannelContractVerify(http.Controller):
    """Tells whoever holds a sealed contract whether it is the file that was sealed.

    Without login: the token printed on the file, or the file itself, is the key. A file is compared by its digest, not
    read and not kept.
    """

    @http.route(
        ["/channel/contract/verify", "/channel/contract/verify/<string:token>"],
        type="http",
        auth="public",
        website=True,
        methods=["GET", "POST"],
        sitemap=False,
        max_content_length=MAX_BYTES,
    )
    def channel_contract_verify(self, token=None, file=None, **kwargs):
        wait = request.env["channel.portal.hit"]._hit("contract_verify", request.httprequest.remote_addr or "")
        if wait:
            response = request.render("channel_member.portal_too_many", {"minutes": -(-wait // 60)}, status=429)
            response.headers["Retry-After"] = str(wait)
            return response
        content = file.read() if request.httprequest.method == "POST" and hasattr(file, "read") else None
        result = None
        if token or content:
            result = request.env["channel.contract.signature.request"]._verify_public(token, content or None)
        response = request.render(
            "channel_contract.verify_page",
            {"result": result, "token": token, "asked": bool(token or content)},
            status=404 if token and not result else 200,
        )
        response.headers.update(HEADERS)
        return response
