import re

from odoo import http
from odoo.http import request

#: What a token looks like; nothing else is looked up.
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class ChannelVerify(http.Controller):
    """Tells whoever holds a letter of authorization whether it is valid.

    Without login: the token in the address is the key (256 random bits, compared by the unique index; a wrong one and
    one of a draft get the same answer). What is shown is on the letter anyhow, without products and territory.
    """

    @http.route("/channel/verify/<string:token>", type="http", auth="public", readonly=True, sitemap=False)
    def channel_verify(self, token, **kwargs):
        letter = request.env["channel.authorization"]._verify(token) if TOKEN.fullmatch(token) else None
        response = request.render(
            "channel_member.verify_page", {"letter": letter}, status=200 if letter else 404
        )
        # An answer is of today and for the holder of the letter: kept by nobody, found by no search engine, and the
        # address is not told to other sites.
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response
