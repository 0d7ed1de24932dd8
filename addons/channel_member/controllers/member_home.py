from odoo import fields, http
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal

from ..tools.admission import EDITABLE_STATES, OPEN_STATES

URL = "/my/channel/qualifications"


class ChannelMemberHome(CustomerPortal):
    """What a member has to do, its admissions and re-audits, and the change of its particulars."""

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "channel_task_count" in counters:
            values["channel_task_count"] = len(self._channel_tasks())
        if "channel_admission_count" in counters:
            admissions = request.env["channel.admission"]
            values["channel_admission_count"] = (
                admissions.search_count(self._prepare_admissions_domain()) if admissions.has_access("read") else 0
            )
        return values

    # Internal users may open the portal too: the domain keeps to the own company, whatever rules they have.

    def _prepare_admissions_domain(self):
        return [("partner_id", "=", request.env.user.commercial_partner_id.id), ("state", "!=", "cancelled")]

    @http.route("/my/channel/tasks", type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_tasks(self, **kwargs):
        return request.render("channel_member.portal_my_tasks", {
            **self._prepare_portal_layout_values(),
            "page_name": "channel_tasks",
            "tasks": self._channel_tasks(),
        })

    @http.route("/my/channel/admissions", type="http", auth="user", website=True, readonly=True)
    def portal_my_channel_admissions(self, **kwargs):
        admissions = request.env["channel.admission"]
        return request.render("channel_member.portal_my_admissions", {
            **self._prepare_portal_layout_values(),
            "page_name": "channel_admissions",
            "records": admissions.search(self._prepare_admissions_domain())
            if admissions.has_access("read")
            else admissions,
            "may_change": self._channel_member(),
        })

    @http.route("/my/channel/change", type="http", auth="user", website=True, methods=["POST"])
    def portal_my_channel_change(self, **post):
        """Open the form of a change of particulars: the one that is begun already, else a new one."""
        member = self._channel_member()
        if not member:
            return request.redirect("/my/channel/admissions")
        if request.env["channel.portal.hit"]._hit("post", f"user {request.env.uid}"):
            return request.redirect("/my/channel/admissions")
        # sudo: a dealer asks for changes of its own company and of no other; Compliance approves them
        admissions = request.env["channel.admission"].sudo()
        admission = admissions.search([
            ("partner_id", "=", member.id), ("kind", "=", "change"), ("state", "in", OPEN_STATES),
        ], limit=1)
        if not admission:
            admission = admissions.create({
                "kind": "change",
                "partner_id": member.id,
                "source": "portal",
                "company_id": (member.company_id or request.env.company).id,
                "contact_name": request.env.user.name,
                "email": request.env.user.email,
            })
        return request.redirect(f"{admission.access_url}?step=company", code=303)

    def _channel_member(self):
        """The company of the user when it is an admitted member, with superuser rights; else empty."""
        # sudo: the state of the user's own company
        member = request.env.user.sudo().commercial_partner_id
        return member if member.channel_state in ("active", "suspended") else member.browse()

    def _channel_tasks(self):
        """What waits for the dealer, the most urgent first.

        :return: list of ``{"level": "danger" or "warning" or "info", "title", "text", "date", "url", "action"}``
        """
        tasks = self._channel_open_tasks()
        order = {"danger": 0, "warning": 1, "info": 2}
        return sorted(tasks, key=lambda task: (order[task["level"]], task["date"] or fields.Date.to_date("9999-12-31")))

    def _channel_open_tasks(self):
        """The tasks in any order; add-ons add theirs."""
        return self._channel_admission_tasks() + self._channel_document_tasks()

    def _channel_admission_tasks(self):
        admissions = request.env["channel.admission"]
        if not admissions.has_access("read"):
            return []
        tasks = []
        for admission in admissions.search([
            *self._prepare_admissions_domain(), ("state", "in", EDITABLE_STATES),
        ]):
            returned = admission.state == "returned"
            kind = dict(admission._fields["kind"]._description_selection(request.env))[admission.kind]
            tasks.append({
                "level": "danger" if returned else "warning" if admission.kind == "reaudit" else "info",
                "title": f"{kind} {admission.reference}",
                "text": admission.return_reason or request.env._("It was returned to you: please mend it.")
                if returned
                else request.env._("Complete the form and submit it."),
                "date": admission.due_date,
                "url": admission.access_url,
                "action": request.env._("Mend it") if returned else request.env._("Go on"),
            })
        return tasks

    def _channel_document_tasks(self):
        qualifications = request.env["channel.qualification"]
        member = self._channel_member()
        if not member or not qualifications.has_access("read"):
            return []
        # sudo: the user's own company, which the domains name
        own = qualifications.sudo().search([("partner_id", "=", member.id), ("type_id.active", "=", True)])
        waiting = own.filtered(lambda document: document.state == "to_verify").type_id
        tasks = [
            self._channel_document_task(
                document.type_id, "danger", document.return_reason, f"{URL}/{document.id}/correct",
                request.env._("Correct it"),
            )
            for document in own.filtered(lambda document: document.state == "draft" and document.return_reason)
        ]
        due = own.filtered(lambda document: document.status in ("expired", "expiring") and not document.renewed)
        for document in due:
            expired = document.status == "expired"
            tasks.append(self._channel_document_task(
                document.type_id,
                "danger" if expired else "warning",
                request.env._("Expired: please send the renewed document.")
                if expired
                else request.env._("Expires soon: please send the renewed document."),
                f"{URL}/{document.id}/renew",
                request.env._("Send it"),
                date=document.expiry_date,
                waiting=waiting,
            ))
        missing = self._channel_missing_types(member, fields.Date.context_today(qualifications))
        return tasks + [
            self._channel_document_task(
                document_type, "danger", request.env._("Missing: without it we may not supply you."),
                f"{URL}/new?type_id={document_type.id}", request.env._("Send it"), waiting=waiting,
            )
            for document_type in missing - due.type_id
        ]

    def _channel_document_task(self, document_type, level, text, url, action, date=False, waiting=()):
        """A task of :meth:`_channel_tasks`; of a kind that was handed in already it only says so."""
        if document_type in waiting:
            level, url, action = "info", URL, request.env._("See it")
            text = request.env._("Handed in: we are checking it.")
        return {
            "level": level, "title": document_type.name, "text": text, "date": date, "url": url, "action": action,
        }

    def _channel_missing_types(self, member, today):
        """Mandatory kinds of documents that the member lacks, for the classes of devices its documents are about."""
        # sudo: of the user's own company
        types = member.channel_qualification_ids.type_id
        classes = [
            device_class for device_class, name in (
                ("I", "device_class_i"), ("II", "device_class_ii"), ("III", "device_class_iii"),
            ) if any(types.mapped(name))
        ]
        gaps = request.env["channel.qualification"].sudo()._gaps([
            (member.id, today, device_class) for device_class in classes or [None]
        ])
        missing = types.browse()
        for found in gaps.values():
            for document_type, _last in found:
                missing |= document_type
        return missing
