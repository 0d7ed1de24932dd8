import base64

from odoo import api, models
from odoo.exceptions import UserError

#: What makes an attachment the file of its document.
PLACE = {"res_model", "res_id", "res_field"}
MODEL = "channel.qualification"


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    def write(self, vals):
        """Refuse to exchange or move a file of a decided document behind its back."""
        if (PLACE | {"raw", "datas"}) & vals.keys():
            self._check_channel_evidence_kept(vals)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_channel_evidence(self):
        for document in self._channel_evidence().values():
            document._check_retention()

    def _channel_evidence(self):
        """``{attachment: document}`` of the attachments that belong to a document which was verified once."""
        # sudo: whether a file may go does not depend on who may read what it belongs to.
        files = self.sudo().filtered(lambda file: file.res_model == MODEL and file.res_id)
        documents = {document.id: document for document in files.env[MODEL].browse(files.mapped("res_id")).exists()}
        return {
            file: documents[file.res_id]
            for file in files
            if file.res_id in documents and documents[file.res_id].is_evidence
        }

    def _check_channel_evidence_kept(self, vals):
        """Refuse another content or place for a file of evidence; the same content may move to another storage.

        The file field of a document that was set back to draft may get another content: what it held before has been
        attached to the document then.
        """
        for file, document in self._channel_evidence().items():
            if file.res_field == "document" and document.state in ("draft", "to_verify") and not PLACE & vals.keys():
                continue
            moved = any(name in vals and (vals[name] or False) != (file[name] or False) for name in PLACE)
            content = vals.get("raw", base64.b64decode(vals["datas"] or b"") if "datas" in vals else None)
            content = content.encode() if isinstance(content, str) else content
            if moved or content is not None and self._compute_checksum(content or b"") != file.checksum:
                raise UserError(self.env._(
                    "File %(file)s belongs to %(document)s, which has been verified: it does not change. Enter a "
                    "renewal as a new document, or set it back to draft to correct it.",
                    file=file.name,
                    document=document.display_name,
                ))
