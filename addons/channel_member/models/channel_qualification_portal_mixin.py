import base64

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date
from odoo.tools.mimetypes import guess_mimetype

#: Limits of handed in files where the system parameters name none.
UPLOAD_MAX_MB = 10.0
UPLOAD_TYPES = "application/pdf,image/jpeg,image/png"


class ChannelQualificationPortalMixin(models.AbstractModel):
    """Documents that members hand in, correct, renew and withdraw on the portal, and the limits of their files.

    Inherited by ``channel.qualification``.
    """

    _name = "channel.qualification.portal.mixin"
    _description = "Qualifications Handed In by Members"

    @api.model
    def _upload_limits(self):
        """What members may hand in, from ``channel_member.upload_max_mb`` and ``channel_member.upload_types``.

        :return: ``{"max_mb": float, "max_bytes": int, "mimetypes": [str], "kinds": str}``
        """
        # sudo: limits that the form shows to everybody
        parameters = self.env["ir.config_parameter"].sudo()
        try:
            max_mb = float(parameters.get_param("channel_member.upload_max_mb") or UPLOAD_MAX_MB)
        except ValueError:
            max_mb = UPLOAD_MAX_MB
        mimetypes = [
            mimetype.strip()
            for mimetype in (parameters.get_param("channel_member.upload_types") or UPLOAD_TYPES).split(",")
            if mimetype.strip()
        ]
        return {
            "max_mb": f"{max_mb:g}",
            "max_bytes": int(max_mb * 1024 * 1024),
            "mimetypes": mimetypes,
            "kinds": ", ".join(mimetype.rpartition("/")[2].upper() for mimetype in mimetypes),
        }

    @api.model
    def _check_upload(self, name, content, label=None):
        """Refuse a file that is empty, too big, or of another kind than accepted, whatever its name says.

        :param str name: as the browser sent it
        :param bytes content: the file
        :param str label: of the field of the form; the stamped copy when missing
        :raise UserError: names the file, its size or kind, and what is accepted
        """
        limits, label = self._upload_limits(), label or self.env._("Stamped copy")
        if not content:
            raise UserError(self.env._(
                "%(label)s: the file %(file)s is empty. Choose it again.", label=label, file=name
            ))
        if len(content) > limits["max_bytes"]:
            raise UserError(self.env._(
                "%(label)s: %(file)s has %(size)s MB, at most %(limit)s MB are accepted. Make it smaller, for "
                "example by a lower resolution.",
                label=label,
                file=name,
                size=f"{len(content) / 1024 / 1024:.1f}",
                limit=limits["max_mb"],
            ))
        mimetype = guess_mimetype(content)
        if mimetype not in limits["mimetypes"]:
            raise UserError(self.env._(
                "%(label)s: %(file)s is of kind %(kind)s; accepted are %(kinds)s.",
                label=label,
                file=name,
                kind=mimetype,
                kinds=limits["kinds"],
            ))

    @api.model
    def _portal_hand_in(self, member, qualification_type, values, file_name="", content=b"", previous=None, draft=None):
        """Take a document that a member hands in on the portal. Called with superuser rights; checks all it is given.

        :param member: commercial partner of the portal user
        :param qualification_type: empty when none was chosen
        :param dict values: texts ``number``, ``issuer``, ``issue_date`` and ``expiry_date`` (ISO dates)
        :param str file_name: name of the stamped copy
        :param bytes content: the copy; may be missing on a correction only
        :param previous: the member's document that this one renews
        :param draft: the member's returned document that is corrected
        :return: the document, waiting for verification
        :raise UserError: names the field that is wrong, and the remedy
        """
        if not qualification_type:
            raise UserError(self.env._("Kind of document: choose one."))
        for document in (previous, draft):
            if document and (document.partner_id != member or document.type_id != qualification_type):
                raise UserError(self.env._("This is not a document of your company."))
        result = qualification_type._validate(values.get("number"))
        if not result["valid"]:
            raise UserError(self.env._(
                "Number: %(reason)s", reason=qualification_type._validation_message(result)
            ))
        vals = {
            "number": result["parsed"]["number"],
            "issuer": (values.get("issuer") or "").strip() or False,
            **self._portal_dates(qualification_type, values),
        }
        if content or not (draft and draft.document):
            if not file_name:
                raise UserError(self.env._("Stamped copy: choose the file."))
            self._check_upload(file_name, content)
            vals.update({"document": base64.b64encode(content), "document_name": file_name})
        waiting = self.search([
            ("partner_id", "=", member.id), ("type_id", "=", qualification_type.id), ("state", "=", "to_verify"),
            ("number", "=", vals["number"]), ("previous_id", "=", previous.id if previous else False),
        ], limit=1)
        if waiting and not draft:
            raise UserError(self.env._(
                "%s has been handed in already and waits for verification. Withdraw it first to hand in another.",
                waiting.display_name,
            ))
        if draft:
            draft.write(vals)
        elif previous:
            draft = previous.copy({**vals, "previous_id": previous.id})
        else:
            draft = self.create({**vals, "partner_id": member.id, "type_id": qualification_type.id})
        draft.action_submit()
        return draft

    @api.model
    def _portal_dates(self, qualification_type, values):
        dates = {}
        for name in ("issue_date", "expiry_date"):
            text = str(values.get(name) or "").strip()
            try:
                dates[name] = fields.Date.to_date(text) if text else False
            except ValueError:
                raise UserError(self.env._(
                    "%(field)s: %(value)s is no date. Write it as 2026-12-31.",
                    field=self._fields[name].get_description(self.env, ["string"])["string"],
                    value=text,
                )) from None
        issued, expires = dates["issue_date"], dates["expiry_date"]
        if not issued:
            raise UserError(self.env._("First day in force: fill it in."))
        if not expires and qualification_type.validity_months:
            raise UserError(self.env._(
                "Last day in force: a %s expires, fill in the date that is written on it.", qualification_type.name
            ))
        if expires and expires < issued:
            raise UserError(self.env._("Last day in force: it lies before the first day. Correct one of them."))
        if expires and expires < self.env.company._channel_today():
            raise UserError(self.env._(
                "Last day in force: the document expired on %s. Hand in the one that follows it.",
                format_date(self.env, expires),
            ))
        return dates

    def _portal_may_renew(self, member):
        """Whether the portal offers to hand in a renewal: decided, not renewed yet, and none is waiting."""
        return bool(
            self and self.partner_id == member and not self._is_open() and self.active
            and not self.replaced_by_id and self.type_id.portal_upload and self.status != "revoked"
            and not self.next_ids.filtered(lambda q: q.state == "to_verify")
        )

    def _portal_may_correct(self, member):
        """Whether it is a draft that the member itself has handed in before."""
        return bool(self and self.partner_id == member and self.state == "draft" and self._portal_entered_by(member))

    def _portal_may_withdraw(self, member):
        waiting = bool(self) and self.partner_id == member and self.state == "to_verify"
        return waiting and self._portal_entered_by(member)

    def _portal_entered_by(self, member):
        return member in self.author_ids.partner_id.commercial_partner_id

    def _portal_withdraw(self):
        """Take back what the member handed in; called with superuser rights after :meth:`_portal_may_withdraw`."""
        self.write({"state": "draft", "submitted_at": False})
        self._close_verification(self.env._("Withdrawn by the member"))
