import base64

from odoo import models
from odoo.exceptions import UserError

from .channel_contract_archive_mixin import archive_json, archive_record


class ChannelContractVersionArchiveMixin(models.AbstractModel):
    """What a contract version puts into the archive of its contract."""

    _name = "channel.contract.version.archive.mixin"
    _description = "Archive of a Contract Version"

    def _archive_files(self, folder):
        """Yield ``(path, bytes)``; called with superuser rights."""
        self.ensure_one()
        request = self.signature_request_ids.filtered(lambda one: one.state in ("open", "signed"))[:1]
        content, problem = request.document_id.raw, None
        if not content:
            try:
                content = self._signature_pdf()
            except UserError as error:
                problem = str(error)
        if content:
            yield f"{folder}/contract.pdf", content
        yield f"{folder}/terms.json", archive_json(self.with_context(lang=None)._version_snapshot())
        names = (
            "number", "previous_number", "purpose", "state", "valid_from", "valid_to", "signature_state", "signed_on",
            "text_sha256", "create_date", "create_uid", "terms_editor_id", "approval_requested_by_id", "approved_by_id",
            "approved_at",
        )
        yield (
            f"{folder}/version.json",
            archive_json({**archive_record(self, *names), "text_code": self.text_code or None, "pdf_problem": problem}),
        )
        names = ("name", "sequence", "status", "todo_by", "requested_by", "done_by", "reviewed_date", "comment")
        reviews = self.env["tier.review"].search([("model", "=", self._name), ("res_id", "=", self.id)], order="id")
        yield f"{folder}/approvals.json", archive_json([archive_record(review, *names) for review in reviews])
        for document in self.document_ids:
            yield f"{folder}/documents/{document.id}-{_safe(document.name)}", document.raw or b""
        for one in self.signature_request_ids.sorted("number"):
            yield from self._archive_request(one, f"{folder}/requests/{one.number}")
        names = (
            "filename", "sha256", "code", "signed_on", "signed_by", "state", "create_uid", "create_date",
            "decided_by_id", "decided_at", "reason",
        )
        for original in self.original_ids.sorted("id"):
            place = f"{folder}/originals/{original.id}-{_safe(original.filename)}"
            yield place, original._content()
            yield f"{place}.json", archive_json(archive_record(original, *names))

    def _archive_request(self, request, folder):
        names = (
            "number", "provider", "reference", "state", "sent_by_id", "sent_at", "deadline", "closed_at", "reason",
            "document_sha256", "sealed_sha256", "sealed_at", "seal_level", "seal_fingerprint", "seal_problem",
        )
        seal = request._verify_stored()
        yield (
            f"{folder}/request.json",
            archive_json(
                {
                    **archive_record(request, *names),
                    "annexes": request.annexes or [],
                    "seal": {"verdict": seal[0], "text": seal[1]},
                }
            ),
        )
        yield f"{folder}/document.pdf", request.document_id.raw or b""
        if request.sealed_id:
            yield f"{folder}/sealed.pdf", request.sealed_id.raw or b""
        signatures = request.signature_ids.with_context(bin_size=False)
        yield f"{folder}/signatures.json", archive_json([signature._as_json() for signature in signatures])
        for signature in signatures.filtered("signature"):
            yield f"{folder}/signature-{signature.signatory_key}.png", base64.b64decode(signature.signature)
        for person in request.signatory_ids.with_context(bin_size=False).filtered("authority_file"):
            name = _safe(person.authority_filename or "authority")
            yield f"{folder}/authority-{person.id}-{name}", base64.b64decode(person.authority_file)


def _safe(name):
    """A name that is one file in one folder on every system."""
    return "".join(sign if sign.isalnum() or sign in " .-_()" else "_" for sign in name).strip(". ")[-80:] or "file"
