from datetime import date

from werkzeug.exceptions import NotFound, abort

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import consteq
from odoo.tools.mail import email_normalize

from ..tools.admission import DEVICE_CLASSES, EDITABLE_STATES, TRADING_ROLES, AdmissionError

#: What each form sends; nothing else is taken from a request.
START_FIELDS = ("name", "role", "country_id", "contact_name", "email")
COMPANY_FIELDS = (
    "vat", "legal_person", "street", "street2", "zip", "city", "state_id", "phone", "mobile", "website", "note",
)
BANK_FIELDS = ("bank_name", "bank_account")
DOCUMENT_FIELDS = ("number", "issue_date", "expiry_date", "issuer", "holder_name", "scope_text")
STEPS = ("start", "documents", "company", "review")
#: Forms are small; files have a limit each, and this many may come at once.
MAX_FILES = 5
FORM_BYTES = 1 << 20
#: What a page is sent with: the link holds a secret, and the page what a stranger wrote.
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "frame-ancestors 'self'",
}


def upload_bytes(_controller):
    """Largest request with files; a single file beyond its own limit is refused with a sentence, this is the wall."""
    limits = request.env["channel.admission.document"]._file_limits()
    return MAX_FILES * limits["max_bytes"] + FORM_BYTES


class ChannelAdmissionPortal(http.Controller):
    """The application form for strangers, the same pages for a member's re-audits and changes of particulars.

    An application is opened by its reference and its secret token, by somebody without an account; or without the
    token by a portal user whose company it concerns, as the record rules say. Whatever is refused before that looks
    the same: not found. Every form is sent by POST, saved as far as it can be saved, and answered by a redirect.
    """

    # === ACCESS AND LIMITS === #

    def _admission(self, reference, access_token=None):
        """The admission that the request may act on, with superuser rights.

        :return: ``(admission, token)``, the token False for a portal user who needs none
        :raise NotFound: unknown reference or wrong token, which nobody can tell apart
        """
        Admission = request.env["channel.admission"]
        if not access_token and not request.env.user._is_public():
            admission = self._find(Admission, reference) if Admission.has_access("read") else Admission
            if admission:
                # sudo: the record rules have just let the user read it; its applicant acts on it from here
                return admission.sudo(), False
            raise NotFound()
        # sudo: visitors have no right on admissions; the token, compared below, is the right
        admission = self._find(Admission.sudo(), reference)
        expected = admission.access_token or ""
        # compared whether or not there is one, so that the time tells nothing
        if not consteq(expected or "-" * 36, str(access_token or "")) or not expected:
            self._wrong_link()
        return admission, access_token

    def _find(self, admissions, key):
        """By the reference, or by the id when the sequence gives references that cannot stand in a path."""
        return admissions.search([("reference", "=", key)]) or (
            admissions.search([("id", "=", int(key))]) if key.isdecimal() and len(key) < 10 else admissions
        )

    def _wrong_link(self):
        wait = self._hit("wrong")
        if wait:
            abort(self._too_many(wait))
        raise NotFound()

    def _hit(self, kind):
        return request.env["channel.portal.hit"]._hit(kind, request.httprequest.remote_addr or "")

    def _too_many(self, wait):
        response = self._render("channel_member.portal_too_many", {"minutes": -(-wait // 60)}, status=429)
        response.headers["Retry-After"] = str(wait)
        response.flatten()  # an aborted request does not render its answer any more
        return response

    def _render(self, template, values, status=200):
        response = request.render(template, values, status=status)
        response.headers.update(HEADERS)
        return response

    def _url(self, admission, token, step=None, anchor=None):
        url = admission.access_url
        query = {key: value for key, value in (("step", step), ("access_token", token)) if value}
        if query:
            url = f"{url}?{'&'.join(f'{key}={value}' for key, value in query.items())}"
        return f"{url}#{anchor}" if anchor else url

    # === PAGES === #

    @http.route(
        "/channel/apply", type="http", auth="public", website=True, methods=["GET", "POST"], sitemap=True,
        captcha="channel_apply",
    )
    def channel_apply(self, **post):
        """Step one for a stranger: who, as what, where, for which devices."""
        if request.httprequest.method != "POST":
            return self._render("channel_member.portal_apply", self._start_values({}))
        if wait := self._hit("apply"):
            return self._too_many(wait)
        values, errors = self._read_start(post)
        if not errors:
            try:
                # sudo: anybody may apply; only the fields above are taken over, and _portal_save checks them
                admission = request.env["channel.admission"].sudo()._portal_save({
                    **values, "lang": request.lang.code, "company_id": request.env.company.id,
                })
            except AdmissionError as error:
                errors = self._error_map(error)
            else:
                self._send_link(admission)
                return request.redirect(self._url(admission, admission.access_token, "documents"), code=303)
        return self._render("channel_member.portal_apply", self._start_values(post, errors), status=422)

    @http.route(
        "/channel/apply/link", type="http", auth="public", website=True, methods=["GET", "POST"], sitemap=False,
        captcha="channel_apply_link",
    )
    def channel_apply_link(self, email=None, **post):
        """Send the links of open applications to their address again. The answer never says whether there are any."""
        sent = False
        if request.httprequest.method == "POST":
            if wait := self._hit("apply"):
                return self._too_many(wait)
            sent = True
            if address := email_normalize(email or ""):
                # sudo: the links go to the address of the application only, never to the page
                admissions = request.env["channel.admission"].sudo().search([
                    ("email", "=ilike", address), ("kind", "=", "new"), ("state", "not in", ("approved", "cancelled")),
                ], limit=5)
                for admission in admissions:
                    self._send_link(admission)
        return self._render("channel_member.portal_apply_link", {"sent": sent})

    @http.route(
        "/channel/apply/<string:reference>", type="http", auth="public", website=True, methods=["GET"], sitemap=False
    )
    def channel_apply_page(self, reference, access_token=None, step=None, **kwargs):
        admission, token = self._admission(reference, access_token)
        return self._page(admission, token, step)

    @http.route(
        "/channel/apply/<string:reference>/start", type="http", auth="public", website=True, methods=["POST"],
        sitemap=False,
    )
    def channel_apply_start(self, reference, access_token=None, **post):
        admission, token = self._admission(reference, access_token)
        values, errors = self._read_start(post)
        return self._save(admission, token, "start", "documents", values, post, errors)

    @http.route(
        "/channel/apply/<string:reference>/company", type="http", auth="public", website=True, methods=["POST"],
        sitemap=False,
    )
    def channel_apply_company(self, reference, access_token=None, **post):
        admission, token = self._admission(reference, access_token)
        names = COMPANY_FIELDS + (BANK_FIELDS if admission.kind == "change" else ())
        values = {name: post[name] for name in names if name in post}
        if "regions_shown" in post:
            values["regions"] = request.httprequest.form.getlist("regions")
        return self._save(admission, token, "company", "review", values, post)

    @http.route(
        "/channel/apply/<string:reference>/document/<int:document_id>", type="http", auth="public", website=True,
        methods=["POST"], sitemap=False, max_content_length=upload_bytes,
    )
    def channel_apply_document(self, reference, document_id, access_token=None, **post):
        """Files and values of one line of the checklist."""
        admission, token = self._admission(reference, access_token)
        document = self._document(admission, document_id)
        uploads = [file for file in request.httprequest.files.getlist("files") if file and file.filename]
        if wait := self._hit("upload" if uploads else "post"):
            return self._too_many(wait)
        anchor = f"document-{document.id}"
        files = [{"name": file.filename, "content": file.read()} for file in uploads[:MAX_FILES]]
        # The fields that the form had: an empty one empties the value, one that was not there leaves it.
        values = {name: post[name].strip() for name in DOCUMENT_FIELDS if name in post}
        try:
            admission._portal_add_document(document.type_id, files, **values)
        except AdmissionError as error:
            errors = {f"{document.id}-{field}": message for field, message in self._error_map(error).items()}
            return self._page(admission, token, "documents", post={document.id: post}, errors=errors, status=422)
        except UserError as error:
            return self._page(admission, token, "documents", errors={"": str(error)}, status=422)
        for file in files:
            if document._read_file(file["content"]):
                break
        return request.redirect(self._url(admission, token, "documents", anchor), code=303)

    @http.route(
        "/channel/apply/<string:reference>/document/<int:document_id>/file/<int:attachment_id>", type="http",
        auth="public", website=True, methods=["GET", "POST"], sitemap=False,
    )
    def channel_apply_file(self, reference, document_id, attachment_id, access_token=None, **post):
        """GET downloads a file of the application, POST takes it off the checklist."""
        admission, token = self._admission(reference, access_token)
        document = self._document(admission, document_id)
        attachment = document.attachment_ids.filtered(lambda file: file.id == attachment_id)
        if not attachment:
            raise NotFound()
        if request.httprequest.method == "GET":
            # Always as a download: what a stranger sent is not shown in a page of ours.
            return attachment._to_http_stream().get_response(as_attachment=True)
        if wait := self._hit("post"):
            return self._too_many(wait)
        try:
            document._remove_file(attachment.id)
        except UserError as error:
            return self._page(admission, token, "documents", errors={"": str(error)}, status=422)
        return request.redirect(self._url(admission, token, "documents", f"document-{document.id}"), code=303)

    @http.route(
        "/channel/apply/<string:reference>/submit", type="http", auth="public", website=True, methods=["POST"],
        sitemap=False, captcha="channel_apply_submit",
    )
    def channel_apply_submit(self, reference, access_token=None, confirmed=None, **post):
        admission, token = self._admission(reference, access_token)
        if wait := self._hit("post"):
            return self._too_many(wait)
        if not confirmed:
            errors = {"confirmed": request.env._("Please confirm that your statements are complete and true.")}
            return self._page(admission, token, "review", errors=errors, status=422)
        if admission.state in EDITABLE_STATES:
            try:
                with request.env.cr.savepoint():
                    admission._submit()
            except UserError as error:
                errors = {} if isinstance(error, AdmissionError) else {"": str(error)}
                return self._page(admission, token, "review", errors=errors, status=422)
        return request.redirect(self._url(admission, token), code=303)

    # === WHAT FORMS SEND === #

    def _read_start(self, post):
        """:return: values for ``_portal_save`` and what is missing, ``{field: sentence}``"""
        values = {name: (post.get(name) or "").strip() for name in START_FIELDS}
        values["device_classes"] = [
            device_class for device_class in DEVICE_CLASSES if post.get(DEVICE_CLASSES[device_class])
        ]
        errors = {
            name: request.env._("Please fill in this field.") for name in START_FIELDS if not values[name]
        }
        if values["role"] in TRADING_ROLES and not values["device_classes"]:
            errors["device_classes"] = request.env._("Please tick the classes of the devices you want to trade.")
        return values, errors

    def _error_map(self, error):
        """Errors of an :class:`AdmissionError` by the field of the form that shows them."""
        names = {"country": "country_id", "state": "state_id", "region_ids": "regions"}
        errors = {}
        for entry in error.errors:
            # of a document: code of its type, a point, and the field
            field = (entry.get("field") or "").rpartition(".")[2]
            field = names.get(field, field)
            sentence = " ".join(filter(None, (entry["message"], entry.get("remedy"))))
            errors[field] = f"{errors[field]} {sentence}" if field in errors else sentence
        return errors

    def _save(self, admission, token, step, following, values, post, errors=None):
        """Save a form of particulars and go on; what was typed is shown again when something is wrong with it."""
        if wait := self._hit("post"):
            return self._too_many(wait)
        if not errors:
            try:
                admission._portal_save(values)
            except AdmissionError as error:
                errors = self._error_map(error)
            except UserError as error:
                errors = {"": str(error)}
        if errors:
            return self._page(admission, token, step, post=post, errors=errors, status=422)
        return request.redirect(self._url(admission, token, following), code=303)

    def _document(self, admission, document_id):
        document = admission.document_ids.filtered(lambda line: line.id == document_id)
        if not document:
            raise NotFound()
        return document

    def _send_link(self, admission):
        """Mail the secret link to the applicant; not more than a few times per address, whoever asks for it."""
        address = email_normalize(admission.email or "")
        if address and not request.env["channel.portal.hit"]._hit("mail", address):
            admission._send_mail("channel_member.mail_template_admission_link")

    # === WHAT PAGES SHOW === #

    def _start_values(self, post, errors=None):
        country = request.env["res.country"]
        if not post and (code := request.geoip.country_code):
            # sudo: names of countries are no secret
            country = country.sudo().search([("code", "=", code)])
        return {
            **self._choices(),
            "admission": None,
            "post": post,
            "errors": errors or {},
            "country": post.get("country_id") or (country or request.env.company.country_id).id,
        }

    def _choices(self):
        # sudo: names of countries and labels of roles, for a visitor without an account
        env = request.env(su=True)
        roles = dict(env["channel.admission"]._fields["role"]._description_selection(env))
        return {
            "countries": env["res.country"].search([]),
            "roles": {key: (label, self._role_hints().get(key, "")) for key, label in roles.items()},
            "trading_roles": TRADING_ROLES,
            "device_classes": DEVICE_CLASSES,
        }

    def _role_hints(self):
        return {
            "manufacturer": request.env._("makes the devices and holds their registration"),
            "importer": request.env._("brings devices into the country"),
            "distributor": request.env._("buys from us and sells to hospitals or other dealers"),
            "sub_distributor": request.env._("buys from one of our dealers"),
            "agent": request.env._("arranges sales without buying"),
            "platform": request.env._("runs an online market or logistics for others"),
            "hospital": request.env._("uses the devices"),
            "buying_group": request.env._("buys for several hospitals"),
        }

    def _page(self, admission, token, step=None, post=None, errors=None, status=200):
        editable = admission.state in EDITABLE_STATES
        if not editable:
            template = "channel_member.portal_apply_status"
        else:
            step = step if step in STEPS else self._next_step(admission)
            template = f"channel_member.portal_apply_{step}"
        progress = admission._progress()
        values = {
            "admission": admission,
            "token": token,
            "step": step,
            "editable": editable,
            "progress": progress,
            "url": lambda step=None: self._url(admission, token, step),
            "action": lambda path: f"{admission.access_url}/{path}",
            "post": post or {},
            "errors": errors or {},
            "required": admission._required_fields(),
            "limits": request.env["channel.admission.document"]._file_limits(),
            "steps": self._steps(admission, progress),
            "document_findings": self._document_findings(progress),
            "today": date.today(),
        }
        if step == "start":
            values.update(self._choices(), country=(post or {}).get("country_id") or admission.country_id.id)
        if step == "company":
            values.update(self._company_values(admission))
        return self._render(template, values, status=status)

    def _next_step(self, admission):
        """Where an applicant who comes back goes on."""
        if any(admission.document_ids.mapped("return_reason")):
            return "documents"
        steps = self._steps(admission, admission._progress())
        return next((step["key"] for step in steps if not step["complete"]), "review")

    def _steps(self, admission, progress):
        counts = {entry["key"]: entry for entry in progress["steps"]}

        def complete(key):
            return counts[key]["done"] >= counts[key]["total"]

        # All that must be known of the company may be known already; the step is done when it has been gone through.
        described = any(admission[name] for name in ("vat", "street", "city", "phone"))
        return [
            {"key": "start", "label": request.env._("Application"), "complete": True},
            {"key": "documents", "label": request.env._("Documents"), "complete": complete("documents")},
            {"key": "company", "label": request.env._("Company"), "complete": complete("particulars") and described},
            {"key": "review", "label": request.env._("Submit"), "complete": complete("submitted")},
        ]

    def _document_findings(self, progress):
        """Findings for the applicant by the line of the checklist that they are about."""
        findings = {}
        for finding in progress["findings"]:
            if finding.get("document"):
                findings.setdefault(finding["document"], []).append(finding)
        return findings

    def _company_values(self, admission):
        # sudo: names of provinces, for a visitor without an account; sales areas below and above are not shown
        env = request.env(su=True)
        return {
            "states": env["res.country.state"].search([("country_id", "=", admission.country_id.id)]),
            "regions": env["channel.region"].search([
                ("level", "=", "province"), ("country_id", "=", admission.country_id.id), ("code", "!=", False),
            ]),
            "proposal": self._company_proposal(admission),
        }

    def _company_proposal(self, admission):
        """Particulars that the applicant's own documents state and that are not filled in yet."""
        names = {"vat": "uscc", "legal_person": "legal_person", "street": "domicile"}
        proposal = {}
        for document in admission.document_ids:
            for name, read in names.items():
                value = (document.read_values or {}).get(read)
                if value and not admission[name]:
                    proposal.setdefault(name, value)
        return proposal
