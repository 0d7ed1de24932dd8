import base64
import binascii

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools.admission import DEVICE_CLASSES, EDITABLE_STATES, MAX_CHAR, AdmissionError


class ChannelAdmissionApiMixin(models.AbstractModel):
    """The ways in from outside: ``apply`` and ``status`` for programs, ``_portal_*`` and ``_progress`` for the portal.

    Inherited by ``channel.admission``. Callers of the portal's methods have checked the token.
    """

    _name = "channel.admission.api.mixin"
    _description = "Admissions by Portal and Interface"

    #=== INTERFACE ===#

    @api.model
    def apply(self, values):
        """Hand in an application, or complete one that was sent before.

        Idempotent by ``external_id``: sent again, it completes a draft or a returned one, and changes nothing once it
        is submitted or decided.

        :param dict values: fields of the applicant: ``name``, ``role``, ``vat``, ``legal_person``, ``country`` (ISO
            code), ``state`` (code or name), ``city``, ``street``, ``street2``, ``zip``, ``contact_name``, ``email``,
            ``phone``, ``mobile``, ``website``, ``lang``, ``device_classes`` (list of I, II, III), ``regions`` (codes),
            ``product_categories`` (complete names or ids), ``hospitals`` (member codes or ids), ``bank_account``,
            ``bank_name``, ``note``; ``external_id``; ``submit`` (default True: submit when nothing is missing);
            ``documents``: list of ``{type, number, issue_date, expiry_date, issuer, holder_name, scope_text,
            files: [{name, content}]}`` with the code of a qualification type, ISO dates and base64 contents
        :return: ``{"reference", "token", "state", "missing": [...], "findings": [...]}``. ``missing`` and ``findings``
            hold ``{code, severity, field, document, message, remedy}``; ``token`` opens the application on the portal.
        :raise AdmissionError: values that cannot be taken over, all of them with field, value and remedy; nothing is
            stored then
        """
        self.browse().check_access("create")
        values = dict(values or {})
        external_id = values.pop("external_id", None)
        submit = values.pop("submit", True)
        documents = values.pop("documents", None) or []
        admission = self.browse()
        if external_id:
            external_id = str(external_id)[:MAX_CHAR]
            # Two calls at once: the second waits for the first one's end and then finds what it made.
            self.env.cr.execute(SQL(
                "SELECT pg_advisory_xact_lock(hashtext('channel.admission'), hashtext(%s))", external_id
            ))
            admission = self.search([("external_id", "=", external_id), ("company_id", "=", self.env.company.id)])
        if not admission or admission.state in EDITABLE_STATES:
            admission = admission._portal_save({
                **values, "source": "api", "external_id": external_id, "company_id": self.env.company.id,
            })
            for document in documents:
                admission._api_document(document)
            if submit and not admission._missing():
                admission._submit()
        return admission._api_result()

    @api.model
    @api.readonly
    def status(self, reference):
        """How far an application is.

        :param str reference: the reference that :meth:`apply` returned, or the external one
        :return: as :meth:`apply`, without the token, and ``progress`` (percent), ``return_reason``,
            ``decision_reason``, ``member`` (code, once admitted)
        :raise UserError: no application that the user may read has this reference
        """
        admission = self.search([
            "|", ("reference", "=", reference), ("external_id", "=", reference),
        ], limit=1)
        if not admission:
            raise UserError(self.env._(
                "Reference: there is no admission %s. Give the reference that apply() returned.", reference
            ))
        result = admission._api_result()
        del result["token"]
        return {
            **result,
            "progress": admission.progress,
            "return_reason": admission.return_reason or False,
            "decision_reason": admission.decision_reason or False,
            "member": admission.partner_id.channel_code or False,
        }

    def _api_result(self):
        # sudo: the caller may read the admission; the token goes to who sent it, findings are those for applicants.
        admission = self.sudo()
        return {
            "reference": admission.reference,
            "token": admission.access_token,
            "state": admission.state,
            "missing": self._missing(),
            "findings": self._applicant_findings(),
        }

    def _api_document(self, values):
        values = dict(values)
        files = []
        for file in values.pop("files", None) or []:
            try:
                content = base64.b64decode(file.get("content") or "", validate=True)
            except (binascii.Error, ValueError):
                raise AdmissionError([{
                    "field": "files",
                    "value": file.get("name"),
                    "message": self.env._("The content of %s is not base64.", file.get("name") or ""),
                    "remedy": self.env._("Encode the bytes of the file as base64."),
                }]) from None
            files.append({"name": file.get("name"), "content": content})
        return self._portal_add_document(values.pop("type", None), files, **values)

    def _applicant_findings(self):
        """Open findings that the applicant may see: ``[{code, severity, field, document, message, remedy}]``."""
        # sudo: findings for applicants are made for those who have the token
        findings = self.sudo().finding_ids.filtered(lambda f: f.for_applicant and f.state == "open")
        return [finding._as_json() for finding in findings]

    def _missing(self):
        """Of :meth:`_applicant_findings`, those that keep the application from being submitted."""
        return [finding for finding in self._applicant_findings() if finding["severity"] == "block"]

    #=== PORTAL ===#

    @api.model
    def _portal_requirements(self, role, country, device_classes):
        """Documents that an applicant will be asked for.

        :param str role: a value of ``channel_role``
        :param country: ``res.country`` record or id
        :param device_classes: iterable of ``I``, ``II``, ``III``; may be empty
        :return: list in the order of the types: ``{"type_id", "code", "name", "description", "law", "mandatory",
            "has_scope", "expires"}``
        """
        country_id = country.id if isinstance(country, models.BaseModel) else int(country or 0)
        classes = [name for name in device_classes or () if name in DEVICE_CLASSES]
        mandatory = self._types_asked_for([(0, country_id, role, classes)]).get(0, {})
        return [
            {
                "type_id": qualification_type.id,
                "code": qualification_type.code,
                "name": qualification_type.name,
                "description": qualification_type.description or "",
                "law": qualification_type.law or "",
                "mandatory": mandatory[qualification_type.id],
                "has_scope": qualification_type.has_scope,
                "expires": bool(qualification_type.validity_months),
            }
            # sudo: names of kinds of documents, for a visitor who has no account
            for qualification_type in self.env["channel.qualification.type"].sudo().browse(mandatory)
        ]

    def _portal_save(self, values):
        """Create a draft, or complete this one, from what an applicant filled in.

        :param dict values: as :meth:`apply` without documents; also the names of the fields themselves
            (:data:`APPLICANT_FIELDS`) with ids. Left out: unchanged. Anything else than these, ``source``,
            ``external_id`` and (of a new one) ``company_id`` is refused.
        :return: the admission, in the environment of the caller (controllers call with sudo, after they have checked
            the token)
        :raise AdmissionError: values that cannot be taken over; ``errors`` lists all of them
        """
        vals = self._applicant_vals(values)
        if not self:
            own = {
                name: values[name] for name in ("source", "external_id", "company_id") if values.get(name)
            }
            # sudo: the source is written by this method alone
            created = self.sudo().create({**vals, "source": "portal", **own})
            return created.sudo(self.env.su)
        self.ensure_one()
        self._check_editable()
        if vals:
            self.check_access("write")
            # sudo: an account number may be given by who may not read it; only fields of the applicant are written.
            self.sudo().write(vals)
        return self

    def _portal_add_document(self, document_type, files=None, **values):
        """Fill in a line of the checklist.

        :param document_type: code of a ``channel.qualification.type``, its record or id; one that is not in the
            checklist is added to it
        :param list files: ``{"name": str, "content": bytes}``, added to those that are there; types and sizes by
            ``channel.admission.document._file_limits()``
        :param values: ``number``, ``issue_date``, ``expiry_date`` (dates or ISO text), ``issuer``, ``holder_name``,
            ``scope_text``
        :return: the ``channel.admission.document``
        :raise AdmissionError: a file or a value that cannot be taken over
        """
        self.ensure_one()
        self._check_editable()
        return self.env["channel.admission.document"]._fill(self, document_type, files or [], values)

    def _progress(self):
        """What an applicant and a reviewer see of the way: plain JSON.

        :return: ``{"percent": int, "state": str, "steps": [{"key", "label", "done", "total"}], "missing": [...],
            "findings": [...]}``; the last two as of :meth:`apply`
        """
        self.ensure_one()
        fields_wanted = self._required_fields()
        documents = self.document_ids.filtered("mandatory")
        findings = self._applicant_findings()
        submitted = self.state not in EDITABLE_STATES
        return {
            "percent": self.progress,
            "state": self.state,
            "steps": [
                {
                    "key": "particulars",
                    "label": self.env._("Company"),
                    "done": sum(bool(self[name]) for name in fields_wanted),
                    "total": len(fields_wanted),
                },
                {
                    "key": "documents",
                    "label": self.env._("Documents"),
                    "done": sum(document._is_provided() for document in documents),
                    "total": len(documents),
                },
                {"key": "submitted", "label": self.env._("Submitted"), "done": int(submitted), "total": 1},
                {
                    "key": "decided",
                    "label": self.env._("Decided"),
                    "done": int(self.state in ("approved", "rejected")),
                    "total": 1,
                },
            ],
            "missing": [finding for finding in findings if finding["severity"] == "block"],
            "findings": findings,
        }

    def _check_editable(self):
        """Refuse changes by the applicant of what is being reviewed or decided."""
        for admission in self:
            if admission.state not in EDITABLE_STATES:
                raise UserError(self.env._(
                    "%s has been submitted: it can be changed when the reviewers return it.", admission.reference
                ))
