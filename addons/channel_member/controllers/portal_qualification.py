from odoo import fields, http
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.http import request

from .portal import ChannelMemberPortal

URL = "/my/channel/qualifications"


class ChannelQualificationPortal(ChannelMemberPortal):
    """A member hands in the documents it holds and sees what became of them.

    Whatever id a request names, it is looked up among the documents of the user's own company first.
    """

    def _channel_own_qualification(self, qualification_id):
        """The own document of this id, empty for any other."""
        qualifications = request.env["channel.qualification"]
        if not qualification_id or not qualifications.has_access("read"):
            return qualifications
        return qualifications.with_context(active_test=False).search(
            Domain("id", "=", qualification_id) & Domain(self._prepare_qualifications_domain())
        )

    def _channel_qualification_values(self, qualification):
        """What the page of a document shows beside its fields."""
        member = request.env.user.commercial_partner_id
        # sudo: versions and suspensions of the member's own document, which the portal has no rights on.
        own = qualification.sudo()
        return {
            "page_name": "channel_qualification",
            "qualification": qualification,
            "record": qualification,
            "versions": own._versions(),
            "suspension": own.suspension_ids.filtered(lambda pause: not pause.lifted_on)[:1],
            "may_renew": own._portal_may_renew(member),
            "may_correct": own._portal_may_correct(member),
            "may_withdraw": own._portal_may_withdraw(member),
        }

    # === PAGES === #

    @http.route([URL, f"{URL}/page/<int:page>"], type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_qualifications(self, page=1, filterby="current", **kwargs):
        member = request.env.user.commercial_partner_id
        domain = Domain(self._prepare_qualifications_domain())
        filters = {
            "current": {"label": request.env._("Current"), "domain": Domain("status", "!=", "replaced")},
            "all": {"label": request.env._("All versions"), "domain": Domain.TRUE},
        }
        filterby = filterby if filterby in filters else "current"
        values = self._channel_list_values(
            "channel.qualification", domain & filters[filterby]["domain"], URL, page, "expiry_date, id",
        )
        return request.render("channel_member.portal_my_qualifications", {
            **values,
            "page_name": "channel_qualification",
            "searchbar_filters": filters,
            "filterby": filterby,
            # sudo: kinds of documents that the own company needs, nothing about anybody else
            "missing": request.env["channel.qualification"].sudo()._missing_types(
                member.filtered("channel_role"), request.env.company._channel_today()
            ).get(member.id, []),
            "may_hand_in": bool(member.channel_role),
            "handed_in": bool(kwargs.get("handed_in")),
        })

    @http.route(f"{URL}/<int:qualification_id>", type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_qualification(self, qualification_id, **kwargs):
        qualification = self._channel_own_qualification(qualification_id)
        if not qualification:
            return request.redirect(URL)
        return request.render("channel_member.portal_my_qualification", {
            **self._prepare_portal_layout_values(),
            **self._channel_qualification_values(qualification),
            "handed_in": bool(kwargs.get("handed_in")),
        })

    # === HANDING IN === #

    @http.route(
        [f"{URL}/new", f"{URL}/<int:qualification_id>/renew", f"{URL}/<int:qualification_id>/correct"],
        type="http", auth="user", methods=["GET", "POST"], website=True,
    )
    def portal_channel_qualification_form(self, qualification_id=None, type_id=None, **post):
        """Show the form of a first document, a renewal or a correction, and take what was filled in."""
        member = request.env.user.commercial_partner_id
        qualification = self._channel_own_qualification(qualification_id)
        if not member.channel_role or qualification_id and not qualification:
            return request.redirect(URL)
        # sudo: only for the questions below, about the own document
        own = qualification.sudo()
        correcting = bool(qualification_id) and request.httprequest.path.endswith("/correct")
        if qualification_id and not (
            own._portal_may_correct(member) if correcting else own._portal_may_renew(member)
        ):
            return request.redirect(f"{URL}/{qualification_id}")
        # sudo: kinds of documents are no secret; which apply is decided by the own company
        types = qualification.type_id if qualification else (
            request.env["channel.qualification.type"].sudo()._portal_types(member)
        )
        given = post if request.httprequest.method == "POST" else self._channel_form_defaults(qualification, correcting)
        chosen = types.filtered(lambda kind: str(kind.id) == str(type_id)) or (types if len(types) == 1 else types[:0])
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "channel_qualification",
            "qualification": qualification,
            "correcting": correcting,
            "types": types,
            "chosen": chosen,
            "given": given,
            "error": None,
            "limits": request.env["channel.qualification"]._upload_limits(),
        }
        if request.httprequest.method == "POST":
            file = request.httprequest.files.get("document")
            try:
                with request.env.cr.savepoint():
                    # sudo: members have no right to write; the method checks what it is given, and takes the member
                    # from the session alone.
                    handed_in = request.env["channel.qualification"].sudo()._portal_hand_in(
                        member, chosen, given,
                        file_name=file.filename if file else "", content=file.read() if file else b"",
                        previous=own if qualification and not correcting else None,
                        draft=own if correcting else None,
                    )
            except AccessError:
                raise  # a fault of the program or an attack, nothing that the form could explain
            except UserError as error:
                values["error"] = str(error)
            else:
                return request.redirect(f"{URL}/{handed_in.id}?handed_in=1")
        return request.render("channel_member.portal_qualification_form", values)

    def _channel_form_defaults(self, qualification, correcting):
        if not qualification:
            return {}
        if correcting:
            return {
                "number": qualification.number, "issuer": qualification.issuer or "",
                "issue_date": qualification.issue_date, "expiry_date": qualification.expiry_date or "",
            }
        start = qualification.expiry_date and fields.Date.add(qualification.expiry_date, days=1)
        return {"number": qualification.number, "issuer": qualification.issuer or "", "issue_date": start or ""}

    @http.route(f"{URL}/<int:qualification_id>/withdraw", type="http", auth="user", methods=["POST"], website=True)
    def portal_channel_qualification_withdraw(self, qualification_id, **post):
        qualification = self._channel_own_qualification(qualification_id)
        # sudo: as in the form; asked about the own document only
        if not qualification or not qualification.sudo()._portal_may_withdraw(request.env.user.commercial_partner_id):
            return request.redirect(URL)
        qualification.sudo()._portal_withdraw()
        return request.redirect(f"{URL}/{qualification_id}")

    @http.route(f"{URL}/check_number", type="jsonrpc", auth="user", website=True, readonly=True)
    def portal_channel_qualification_check_number(self, type_id, number):
        """Say at once whether a number can be that of a kind of document.

        :return: ``{"valid": bool, "message": str}``
        """
        kind = request.env["channel.qualification.type"].browse(int(type_id)).exists()
        if not kind or not kind.has_access("read"):
            return {"valid": False, "message": ""}
        result = kind._validate(number)
        return {"valid": result["valid"], "message": kind._validation_message(result) or request.env._("Looks right.")}
