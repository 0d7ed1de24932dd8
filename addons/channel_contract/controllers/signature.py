from datetime import datetime, timedelta
from urllib.parse import quote

from werkzeug.exceptions import NotFound, abort

from odoo import fields, http
from odoo.exceptions import AccessError, UserError
from odoo.http import request

from odoo.addons.channel_member.controllers.member_home import ChannelMemberHome

from ..tools.signature import SESSION_MINUTES

#: What a page is sent with: its address is a key, and it shows what two parties agreed.
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "frame-ancestors 'self'",
}
#: What a visitor's session remembers of the steps, by signatory.
SESSION = "channel_contract_sign"


class ChannelContractSignature(http.Controller):
    """A named person signs a contract version, by a personal link.

    The link alone opens nothing of the contract: whoever has an account must be logged in with it, and everybody else
    shows by a code from his mailbox that he is who was asked; a forwarded mail shows nobody's terms. The steps are the
    code, reading and consent, signature; each is checked on the server, and the session remembers the ones that were
    done for half an hour.
    """

    # === ACCESS AND LIMITS === #

    def _signatory(self, token):
        """The signatory of a link, with superuser rights.

        :raise NotFound: for a wrong token
        """
        signatory = request.env["channel.contract.signatory"]._by_token(token)
        if not signatory:
            self._limit("wrong")
            raise NotFound()
        return signatory

    def _limit(self, kind, address=None):
        """Count a request, and end it when there were too many."""
        wait = request.env["channel.portal.hit"]._hit(kind, address or request.httprequest.remote_addr or "")
        if wait:
            response = self._render("channel_member.portal_too_many", {"minutes": -(-wait // 60)}, status=429)
            response.headers["Retry-After"] = str(wait)
            response.flatten()  # an aborted request does not render its answer any more
            abort(response)

    def _render(self, template, values, status=200):
        response = request.render(template, values, status=status)
        response.headers.update(HEADERS)
        return response

    def _login(self, signatory):
        """What whoever is not the signatory gets to see instead: the login, or a page that says so; None else."""
        users = signatory._accounts()
        if not users or request.env.user in users:
            return None
        if request.env.user._is_public():
            return request.redirect(f"/web/login?redirect={quote(self._url(signatory))}")
        return self._render("channel_contract.portal_sign_other", {"signatory": signatory}, status=403)

    def _url(self, signatory, suffix=""):
        return f"/channel/contract/sign/{signatory.token}{suffix}"

    # === STEPS, AS THE SESSION REMEMBERS THEM === #

    def _done(self, signatory):
        """``{step: datetime}`` of the steps done in this session for this link and within the time: ``code_at``,
        ``read_at``, ``consented_at``."""
        known = request.session.get(SESSION, {}).get(str(signatory.id), {})
        if known.get("token") != signatory._session_key():
            return {}
        steps = {name: datetime.fromisoformat(at) for name, at in known.items() if name != "token"}
        code_at = steps.get("code_at")
        over = code_at and code_at < fields.Datetime.now() - timedelta(minutes=SESSION_MINUTES)
        return {} if over else steps

    def _remember(self, signatory, step):
        steps = {**self._done(signatory), step: fields.Datetime.now()}
        request.session[SESSION] = {
            **request.session.get(SESSION, {}),
            str(signatory.id): {
                "token": signatory._session_key(), **{name: at.isoformat() for name, at in steps.items()}
            },
        }

    def _may_read(self, signatory):
        return request.env.user in signatory._accounts() or "code_at" in self._done(signatory)

    def _page(self, signatory, error=None, status=200):
        done = self._done(signatory)
        problem = signatory._sign_problem()
        return self._render(
            "channel_contract.portal_sign",
            {
                "signatory": signatory,
                "version": signatory.version_id,
                "sign_request": signatory.request_id,
                "company": signatory.company_id,
                "may_read": self._may_read(signatory),
                "problem": problem,
                "step": "done" if problem else "code" if "code_at" not in done
                else "sign" if "consented_at" in done else "read",
                "read": "read_at" in done,
                "code_asked": bool(signatory.code_until and signatory.code_until > fields.Datetime.now()),
                "error": error,
                "url": self._url(signatory),
            },
            status=status,
        )

    def _back(self, signatory):
        return request.redirect(self._url(signatory), code=303)

    # === PAGES === #

    @http.route("/channel/contract/sign/<string:token>", type="http", auth="public", website=True, sitemap=False)
    def channel_sign(self, token, **kwargs):
        signatory = self._signatory(token)
        return self._login(signatory) or self._page(signatory)

    @http.route(
        "/channel/contract/sign/<string:token>/code", type="http", auth="public", website=True, methods=["POST"],
        sitemap=False,
    )
    def channel_sign_code(self, token, **post):
        """Mail a code to the signatory's address, never to one from the request."""
        signatory = self._signatory(token)
        if other := self._login(signatory):
            return other
        self._limit("contract_code", signatory.email)
        try:
            signatory._send_code()
        except UserError as error:
            return self._page(signatory, error=str(error), status=422)
        return self._back(signatory)

    @http.route(
        "/channel/contract/sign/<string:token>/check", type="http", auth="public", website=True, methods=["POST"],
        sitemap=False,
    )
    def channel_sign_check(self, token, code=None, **post):
        signatory = self._signatory(token)
        if other := self._login(signatory):
            return other
        self._limit("contract_sign")
        problem = signatory._check_code(code)
        if problem:
            return self._page(signatory, error=problem, status=422)
        self._remember(signatory, "code_at")
        return self._back(signatory)

    @http.route(
        "/channel/contract/sign/<string:token>/document", type="http", auth="public", website=True, sitemap=False
    )
    def channel_sign_document(self, token, download=None, **kwargs):
        """The very bytes that are signed; sealed, the sealed file."""
        signatory = self._signatory(token)
        if other := self._login(signatory):
            return other
        sign_request = signatory.request_id
        if not self._may_read(signatory) or sign_request.state not in ("open", "signed"):
            return self._back(signatory)
        if sign_request.state == "open" and "read_at" not in self._done(signatory):
            self._remember(signatory, "read_at")
            signatory._opened()
        file = sign_request.sealed_id or sign_request.document_id
        response = request.env["ir.binary"]._get_stream_from(file).get_response(as_attachment=bool(download))
        response.headers.update(HEADERS)
        return response

    @http.route(
        "/channel/contract/sign/<string:token>/annex/<int:attachment_id>", type="http", auth="public", website=True,
        sitemap=False,
    )
    def channel_sign_annex(self, token, attachment_id, **kwargs):
        signatory = self._signatory(token)
        if other := self._login(signatory):
            return other
        annex = signatory.version_id.document_ids.filtered(lambda file: file.id == attachment_id)
        if not annex or not self._may_read(signatory):
            return self._back(signatory)
        response = request.env["ir.binary"]._get_stream_from(annex).get_response(as_attachment=True)
        response.headers.update(HEADERS)
        return response

    @http.route(
        "/channel/contract/sign/<string:token>/consent", type="http", auth="public", website=True, methods=["POST"],
        sitemap=False,
    )
    def channel_sign_consent(self, token, consent=None, **post):
        signatory = self._signatory(token)
        if other := self._login(signatory):
            return other
        self._limit("contract_sign")
        done = self._done(signatory)
        if "code_at" not in done or signatory._sign_problem():
            return self._back(signatory)
        if "read_at" not in done:
            return self._page(signatory, error=request.env._("Open the document first."), status=422)
        if not consent:
            return self._page(signatory, error=request.env._("Agree to sign electronically first."), status=422)
        self._remember(signatory, "consented_at")
        signatory._trail(
            "signature.consented",
            after={"consent_version": signatory.company_id.channel_signature_consent_version},
        )
        return self._back(signatory)

    @http.route("/channel/contract/sign/<string:token>/accept", type="jsonrpc", auth="public", website=True)
    def channel_sign_accept(self, token, name=None, signature=None):
        """What portal's signature form sends.

        :return: ``{"error": text}``, or where to go on
        """
        signatory = self._signatory(token)
        if self._login(signatory):
            return {"error": request.env._("Log in first.")}
        self._limit("contract_sign")
        done = self._done(signatory)
        if not {"code_at", "read_at", "consented_at"} <= done.keys():
            return {"error": request.env._("Too much time has passed. Load the page again.")}
        name = (name or "").strip()
        if not name or not signature:
            return {"error": request.env._("Name or signature is missing.")}
        company = signatory.company_id
        try:
            signatory._sign(
                {
                    "typed_name": name[:100],
                    "signature": signature,
                    "method": "portal",
                    "user_id": False if request.env.user._is_public() else request.env.uid,
                    "consent_text": company.channel_signature_consent,
                    "consent_version": company.channel_signature_consent_version,
                    **done,
                    "ip_address": request.httprequest.remote_addr,
                    "user_agent": request.httprequest.user_agent.string[:500],
                }
            )
        except UserError as error:
            return {"error": str(error)}
        return {"force_refresh": True, "redirect_url": self._url(signatory)}

    @http.route(
        "/channel/contract/sign/<string:token>/decline", type="http", auth="public", website=True, methods=["POST"],
        sitemap=False,
    )
    def channel_sign_decline(self, token, reason=None, **post):
        signatory = self._signatory(token)
        if other := self._login(signatory):
            return other
        self._limit("contract_sign")
        if not self._may_read(signatory):
            return self._back(signatory)
        try:
            signatory._decline(reason)
        except UserError as error:
            return self._page(signatory, error=str(error), status=422)
        return self._back(signatory)

    # === COLLEAGUES AND PROVIDERS === #

    @http.route("/channel/contract/document/<int:request_id>", type="http", auth="user")
    def channel_signature_document(self, request_id, download=None, **kwargs):
        """The file of a request, for whoever may read the request or is asked to sign it."""
        # sudo: looked at only after the checks that follow
        sign_request = request.env["channel.contract.signature.request"].sudo().browse(request_id).exists()
        readable = sign_request and (
            sign_request.with_user(request.env.user).has_access("read")
            or sign_request.version_id.with_user(request.env.user)._own_signatory()
        )
        if not readable:
            raise NotFound()
        if own := sign_request.version_id.with_user(request.env.user)._own_signatory():
            own._opened()
        file = sign_request.sealed_id or sign_request.document_id
        return request.env["ir.binary"]._get_stream_from(file).get_response(as_attachment=bool(download))

    @http.route(
        "/channel/contract/signature/<string:provider>", type="http", auth="public", methods=["POST"], csrf=False,
        save_session=False,
    )
    def channel_signature_callback(self, provider, **kwargs):
        """A message of a provider, which the provider's own code has to believe."""
        self._limit("contract_callback")
        # sudo: what is told is applied only when the provider's code finds it to be the service's
        Provider = request.env["channel.signature.provider"].sudo()
        if provider == "portal" or provider not in Provider._providers():
            raise NotFound()
        try:
            events = Provider._do(
                "callback", provider, request.httprequest.get_data(), dict(request.httprequest.headers)
            )
        except AccessError:
            return request.make_response("", status=403)
        # sudo: found by the token of the link, which only its signatory has
        requests = request.env["channel.contract.signature.request"].sudo().search(
            [("provider", "=", provider), ("state", "=", "open")]
        )
        requests._apply_events(events)
        return request.make_response("", status=204)


class ChannelSignatureHome(ChannelMemberHome):
    """What waits for the signature of a portal user is one of the tasks."""

    def _channel_open_tasks(self):
        contracts = request.env["channel.contract"]
        if not contracts.has_access("read"):
            return super()._channel_open_tasks()
        own = contracts.search([("member_id", "=", request.env.user.commercial_partner_id.id)])
        return super()._channel_open_tasks() + [
            {
                "level": "warning",
                "title": request.env._("Contract %s", version.contract_id.name),
                "text": request.env._("It waits for your signature."),
                "date": version.signature_request_id.deadline,
                "url": url,
                "action": request.env._("Read and sign"),
            }
            for version, url in own.version_ids._portal_sign_urls(request.env.user)
        ]
