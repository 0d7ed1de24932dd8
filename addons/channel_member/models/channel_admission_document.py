from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tools.mimetypes import guess_mimetype

from odoo.addons.channel_base.tools.private_key import PrivateKey

from ..tools.admission import MAX_CHAR, AdmissionError

#: What the applicant fills in, besides the files.
DOCUMENT_FIELDS = ("number", "issue_date", "expiry_date", "issuer", "holder_name", "scope_text")
MIMETYPES = ("application/pdf", "image/jpeg", "image/png", "image/webp")
MAX_FILES = 10
MAX_SCOPE = 20000

_CHECKLIST = PrivateKey("channel_admission_checklist")


class ChannelAdmissionDocument(models.Model):
    """A line of an admission's checklist: a document that is asked for, and what the applicant sent of it.

    Lines follow the qualification types that apply to the admission: those not asked for any more go when they are
    empty and stay as additional documents when something was filled in.
    """

    _name = "channel.admission.document"
    _description = "Document of an Admission"
    _inherit = ["channel.document.reading.mixin"]
    _order = "admission_id, mandatory desc, sequence, id"
    _rec_name = "type_id"

    admission_id = fields.Many2one("channel.admission", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="admission_id.company_id", store=True, index=True)
    state = fields.Selection(related="admission_id.state", string="State of the Admission")
    type_id = fields.Many2one("channel.qualification.type", required=True, index=True, ondelete="restrict")
    sequence = fields.Integer(related="type_id.sequence", store=True)
    mandatory = fields.Boolean(readonly=True, help="Without it the application cannot be submitted.")
    listed = fields.Boolean(readonly=True, help="Asked for by the rules; additional documents are not.")
    has_scope = fields.Boolean(related="type_id.has_scope")
    number = fields.Char(index="trigram")
    issue_date = fields.Date(help="First day in force.")
    expiry_date = fields.Date(help="Last day in force; empty when it does not expire.")
    issuer = fields.Char(help="Authority or body that issued it, as written on the document.")
    holder_name = fields.Char(string="Holder", help="Name of the company, as written on the document.")
    scope_text = fields.Text(string="Scope as Printed", help="The scope of business, as written on the document.")
    attachment_ids = fields.Many2many(
        "ir.attachment",
        "channel_admission_document_attachment_rel",
        "document_id",
        "attachment_id",
        string="Files",
        copy=False,
    )
    finding_ids = fields.One2many("channel.admission.finding", "document_id", string="Findings", readonly=True)
    check_result = fields.Selection(
        [("missing", "Missing"), ("blocked", "To be mended"), ("warning", "To be looked at"), ("ok", "In order")],
        compute="_compute_check_result",
        help="What the automatic checks make of it.",
    )
    return_reason = fields.Char(readonly=True, copy=False, help="What the applicant is asked to mend.")
    qualification_id = fields.Many2one(
        "channel.qualification",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The member's document that it became, or from which a re-audit took it.",
    )

    _type_uniq = models.Constraint(
        "unique(admission_id, type_id)", "A kind of document stands once in a checklist; add more files to it."
    )
    _dates_order = models.Constraint(
        "CHECK(expiry_date IS NULL OR issue_date IS NULL OR expiry_date >= issue_date)",
        "A document cannot expire before it is issued.",
    )

    #=== COMPUTE METHODS ===#

    @api.depends("number", "attachment_ids", "finding_ids.severity", "finding_ids.state")
    def _compute_check_result(self):
        for document in self:
            severities = set(document.finding_ids.filtered(lambda f: f.state == "open").mapped("severity"))
            if not document._is_provided():
                document.check_result = "missing"
            elif "block" in severities:
                document.check_result = "blocked"
            elif "warn" in severities:
                document.check_result = "warning"
            else:
                document.check_result = "ok"

    #=== CONSTRAINT METHODS ===#

    @api.constrains("attachment_ids")
    def _check_files(self):
        for document in self:
            # sudo: size and type only, of files that _own_files has taken over
            attachments = document.sudo().attachment_ids
            errors = self._file_errors([
                {"name": attachment.name, "size": attachment.file_size, "mimetype": attachment.mimetype}
                for attachment in attachments
            ])
            if errors:
                raise ValidationError("\n".join(f"{error['message']} {error['remedy']}" for error in errors))

    #=== CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        trusted = _CHECKLIST.opens(self)
        self = _CHECKLIST.close(self)
        if not trusted:
            vals_list = [{**vals, "mandatory": False, "listed": False} for vals in vals_list]
        documents = super().create(vals_list)
        documents._own_files()
        if not trusted:
            documents._check_changeable()
            documents._edited()
        return documents

    def write(self, vals):
        if _CHECKLIST.opens(self):
            return super(ChannelAdmissionDocument, _CHECKLIST.close(self)).write(vals)
        own = {"admission_id", "mandatory", "listed", "return_reason", "qualification_id"} & vals.keys()
        if own and not self.env.su:
            raise AccessError(self.env._(
                "Field “%s” of a document is filled by the admission and cannot be written.",
                self._fields[min(own)].string,
            ))
        content = {*DOCUMENT_FIELDS, "attachment_ids", "type_id"} & vals.keys()
        if content:
            self._check_changeable()
        result = super().write(vals)
        if "attachment_ids" in vals:
            self._own_files()
        if content:
            self._edited()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_listed(self):
        if _CHECKLIST.opens(self):
            return
        self._check_changeable()
        for document in self:
            if document.listed:
                raise UserError(self.env._(
                    "%s is asked for and stays in the checklist: empty it instead.", document.type_id.name
                ))

    def unlink(self):
        admissions = self.admission_id
        result = super().unlink()
        if not _CHECKLIST.opens(self):
            admissions._refresh()
        return result

    def _check_changeable(self):
        """Documents change while their admission may be edited, as its terms do."""
        for admission in self.admission_id:
            # sudo: whether reviews are open, whoever asks
            if admission.state not in ("draft", "returned", "submitted") or admission.sudo().review_ids:
                raise UserError(self.env._(
                    "The documents of %s are decided or under validation and do not change. Return it, or restart the "
                    "validation to correct them.", admission.display_name,
                ))

    def _edited(self):
        """Who edits a document is an author of the admission."""
        self.admission_id._note_editor()
        self.admission_id._refresh()

    #=== FILES ===#

    @api.model
    def _file_limits(self):
        """:return: ``{"max_bytes", "max_files", "mimetypes"}`` of the files of one document"""
        # sudo: a limit that every applicant is told
        megabytes = self.env["ir.config_parameter"].sudo().get_param("channel_member.admission_file_mb", "10")
        return {"max_bytes": int(megabytes) * 1024 * 1024, "max_files": MAX_FILES, "mimetypes": list(MIMETYPES)}

    @api.model
    def _file_errors(self, files):
        """What stands against files: ``[{"field", "value", "message", "remedy"}]``.

        :param files: all files of a document, ``[{"name", "size" (bytes), "mimetype" (of the content)}]``
        """
        limits = self._file_limits()
        errors = []

        def error(name, message, remedy):
            errors.append({"field": "files", "value": name, "message": message, "remedy": remedy})

        for file in files:
            if not file["size"]:
                error(file["name"], self.env._("File %s is empty.", file["name"]), self.env._("Choose another file."))
            elif file["size"] > limits["max_bytes"]:
                error(
                    file["name"],
                    self.env._("File %s is too large.", file["name"]),
                    self.env._("Send at most %s MB.", limits["max_bytes"] // 1024 // 1024),
                )
            if file["size"] and file["mimetype"] not in limits["mimetypes"]:
                error(
                    file["name"],
                    self.env._("File %(name)s is of type %(type)s.", name=file["name"], type=file["mimetype"]),
                    self.env._("Send a PDF or a picture (JPEG, PNG, WebP)."),
                )
        if len(files) > limits["max_files"]:
            error(
                False,
                self.env._("%s files are too many.", len(files)),
                self.env._("Send at most %s files for one document, best as one PDF.", limits["max_files"]),
            )
        return errors

    def _own_files(self):
        """Files belong to their document, so that who may read the one may read the other.

        A file of another record is copied, and only for who may read it: linking must not open it to others.
        """
        for document in self:
            # sudo: which record a file belongs to; what it holds is checked below with the user's rights
            for attachment in document.sudo().attachment_ids:
                if (attachment.res_model, attachment.res_id) == (self._name, document.id):
                    continue
                attachment.sudo(self.env.su).check_access("read")
                if not attachment.res_id and attachment.create_uid == self.env.user:
                    attachment.write({"res_model": self._name, "res_id": document.id, "public": False})
                    continue
                copy = attachment.copy({"res_model": self._name, "res_id": document.id, "public": False})
                # pylint: disable-next=super-method-mismatch
                super(ChannelAdmissionDocument, document.sudo()).write({
                    "attachment_ids": [Command.unlink(attachment.id), Command.link(copy.id)]
                })

    #=== BUSINESS METHODS ===#

    def _is_provided(self):
        """Whether the applicant has sent it: a number and a file, or a document of the member that stands."""
        self.ensure_one()
        return bool(self.number and (self.attachment_ids or self.qualification_id))

    def _is_filled(self):
        self.ensure_one()
        return any(self[name] for name in DOCUMENT_FIELDS) or bool(self.attachment_ids)

    def _is_new_version(self):
        """Whether it says something that the member's own document does not: then it becomes a new one."""
        self.ensure_one()
        if not self._is_provided():
            return False
        qualification = self.qualification_id
        return not qualification or bool(self.attachment_ids) or any(
            (self[name] or False) != (qualification[name] or False) for name in ("number", "issue_date", "expiry_date")
        )

    def _return(self, reason):
        """Say what the applicant is to mend."""
        self.ensure_one()
        # sudo: who may return the admission has been checked there
        super(ChannelAdmissionDocument, self.sudo()).write(  # pylint: disable=super-method-mismatch
            {"return_reason": reason}
        )

    def _return_answered(self):
        """Handed in again: what was asked for is up to the reviewers again."""
        super(ChannelAdmissionDocument, self.filtered("return_reason")).write(  # pylint: disable=super-method-mismatch
            {"return_reason": False}
        )

    @api.model
    def _sync(self, admissions):
        """Keep the checklist in step with role, country and device classes. Superuser rights; a few queries."""
        checklist = admissions._checklist()
        missing, documents = [], self.search([("admission_id", "in", admissions.ids)])
        by_admission = documents.grouped("admission_id")
        gone = self.browse()
        for admission in admissions:
            wanted = checklist.get(admission.id, {})
            present = {document.type_id.id: document for document in by_admission.get(admission, ())}
            for type_id, mandatory in wanted.items():
                document = present.get(type_id)
                if not document:
                    missing.append({
                        "admission_id": admission.id, "type_id": type_id, "mandatory": mandatory, "listed": True,
                    })
                elif (document.mandatory, document.listed) != (mandatory, True):
                    _CHECKLIST.open(document).write({"mandatory": mandatory, "listed": True})
            for type_id, document in present.items():
                if type_id in wanted or not document.listed:
                    continue
                if document._is_filled():
                    _CHECKLIST.open(document).write({"mandatory": False, "listed": False})
                else:
                    gone |= document
        _CHECKLIST.open(gone).unlink()
        created = _CHECKLIST.open(self).create(missing)
        _CHECKLIST.close(created)._take_from_members()

    def _take_from_members(self):
        """Re-audits and changes start from the documents that the member holds, in one query."""
        documents = self.filtered(lambda d: d.admission_id.kind != "new" and d.admission_id.partner_id)
        if not documents:
            return
        held = self.env["channel.qualification"].search([
            ("partner_id", "in", documents.admission_id.partner_id.ids),
            ("type_id", "in", documents.type_id.ids),
            ("state", "not in", ("draft", "to_verify", "revoked", "replaced")),
        ], order="expiry_date desc nulls first, id desc")
        by_key = {}
        for qualification in held:
            by_key.setdefault((qualification.partner_id.id, qualification.type_id.id), qualification)
        for document in documents:
            qualification = by_key.get((document.admission_id.partner_id.id, document.type_id.id))
            if qualification:
                _CHECKLIST.open(document).write({
                    "qualification_id": qualification.id,
                    **{name: qualification[name] for name in ("number", "issue_date", "expiry_date", "issuer")},
                })

    @api.model
    def _fill(self, admission, document_type, files, values):
        """See :meth:`channel.admission._portal_add_document`."""
        errors = []
        # sudo: kinds of documents are no secret
        types = self.env["channel.qualification.type"].sudo()
        if isinstance(document_type, models.BaseModel):
            types = document_type.sudo()
        elif isinstance(document_type, int):
            types = types.browse(document_type).exists()
        else:
            types = types.search([("code", "=", document_type or "")])
        if not types:
            raise AdmissionError([{
                "field": "type",
                "value": document_type,
                "message": self.env._("There is no kind of document “%s”.", document_type or ""),
                "remedy": self.env._("Use a code of the checklist."),
            }])
        document = admission.document_ids.filtered(lambda d: d.type_id.id == types.id)
        vals = self._fill_vals(values, errors)
        prepared = [
            {
                "name": str(file.get("name") or types.code)[:MAX_CHAR],
                "size": len(file["content"]),
                "mimetype": guess_mimetype(file["content"]),
                "content": file["content"],
            }
            for file in files
        ]
        # sudo: sizes of the files that are there
        present = document.sudo().attachment_ids
        errors += self._file_errors([
            *({"name": a.name, "size": a.file_size, "mimetype": a.mimetype} for a in present), *prepared,
        ])
        if errors:
            raise AdmissionError([{**error, "document": types.code} for error in errors])
        if not document:
            document = self.create({"admission_id": admission.id, "type_id": types.id})
        # The same file sent twice is kept once.
        known = set(present.mapped("checksum"))
        Attachment = self.env["ir.attachment"]
        attachments = Attachment.create([
            {
                "name": file["name"], "raw": file["content"], "res_model": self._name, "res_id": document.id,
            }
            for file in prepared
            if Attachment._compute_checksum(file["content"]) not in known
        ])
        if attachments:
            vals["attachment_ids"] = [Command.link(attachment.id) for attachment in attachments]
        if vals:
            document.write(vals)
        return document

    def _fill_vals(self, values, errors):
        """Values of the fields that an applicant fills in, checked; what is wrong goes to ``errors``."""
        vals = {}
        for name, value in values.items():
            problem = None
            if name not in DOCUMENT_FIELDS:
                problem = (self.env._("“%s” is not a field of a document.", name), self.env._("Leave it out."))
            elif value in (None, False, ""):
                vals[name] = False
            elif self._fields[name].type == "date":
                try:
                    vals[name] = fields.Date.to_date(value)
                except (ValueError, TypeError):
                    problem = (
                        self.env._("“%s” is not a date.", value), self.env._("Write it as year-month-day: 2026-01-31.")
                    )
            else:
                vals[name] = str(value).strip()
                limit = MAX_SCOPE if name == "scope_text" else MAX_CHAR
                if len(vals[name]) > limit:
                    problem = (
                        self.env._("The text is too long."), self.env._("Use %s characters at most.", limit)
                    )
            if problem:
                errors.append({"field": name, "value": value, "message": problem[0], "remedy": problem[1]})
        if vals.get("issue_date") and vals.get("expiry_date") and vals["expiry_date"] < vals["issue_date"]:
            errors.append({
                "field": "expiry_date",
                "value": values["expiry_date"],
                "message": self.env._("The document would expire before it is issued."),
                "remedy": self.env._("Check both dates."),
            })
        return vals

    def _remove_file(self, attachment_id):
        """Take one file out of the document and delete it. The caller has checked who asks."""
        self.ensure_one()
        self._check_changeable()
        # sudo: the file belongs to this document, see _own_files
        attachment = self.sudo().attachment_ids.filtered(lambda a: a.id == int(attachment_id))
        if attachment:
            self.write({"attachment_ids": [Command.unlink(attachment.id)]})
            # Files of a submission are kept: it names their digests.
            if not self.env["channel.admission.submission"]._names_file(self.admission_id, attachment):
                attachment.unlink()

    def _snapshot(self):
        """What is submitted of it, as plain JSON."""
        self.ensure_one()
        return {
            "type": self.type_id.code,
            "mandatory": self.mandatory,
            **{name: self[name] or None for name in DOCUMENT_FIELDS},
            "qualification": self.qualification_id.display_name or None,
            "files": [
                {
                    "id": attachment.id,
                    "name": attachment.name,
                    "mimetype": attachment.mimetype,
                    "size": attachment.file_size,
                    "checksum": attachment.checksum,
                }
                for attachment in self.attachment_ids.sorted("id")
            ],
        }

    def _qualification_vals(self, member):
        """Values of the member's document that it becomes."""
        self.ensure_one()
        qualification_type, previous = self.type_id, self.qualification_id
        parsed = qualification_type._validate(self.number)["parsed"]
        attachments = self.attachment_ids.sorted("id")
        issue_date = self.issue_date or fields.Date.to_date(self.admission_id.submitted_at)
        scope = {}
        if qualification_type.has_scope and self.scope_text:
            scope = self.env["channel.qualification"]._scope_values(
                self.scope_text, qualification_type._parse_scope(self.scope_text)
            )
        return {
            "partner_id": member.id,
            "type_id": qualification_type.id,
            "previous_id": previous.id if previous and issue_date >= previous.issue_date else False,
            "number": parsed.get("number") or self.number,
            "issuer": self.issuer,
            "issue_date": issue_date,
            "expiry_date": self.expiry_date,
            "document": attachments[:1].datas,
            "document_name": attachments[:1].name,
            **scope,
        }

    def _hand_over_files(self, qualification):
        """Further files of the document go with the qualification; the first is its document."""
        self.ensure_one()
        for attachment in self.attachment_ids.sorted("id")[1:]:
            attachment.copy({"res_model": qualification._name, "res_id": qualification.id})

    #=== REGISTER ===#

    def _register_facts(self):
        """What the applicant says about the document, to be compared with an official list."""
        self.ensure_one()
        admission = self.admission_id
        return {
            "holder_name": self.holder_name or admission.name,
            "holder_code": admission.vat or False,
            "date_from": self.issue_date,
            "date_to": self.expiry_date,
            "status": "in_force",
        }
