import base64

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.signature import LIVE

#: What makes an attachment the file of its record.
PLACE = {"res_model", "res_id", "res_field"}
#: Models whose files are evidence from the moment that they are there.
EVIDENCE_MODELS = ("channel.contract.signature.request", "channel.contract.original")


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    channel_contract_kind = fields.Selection(
        [
            ("contract", "Contract"),
            ("annex", "Annex"),
            ("prices", "Price Annex"),
            ("quality", "Quality Agreement"),
            ("proxy", "Power of Attorney"),
            ("award", "Award Notice"),
            ("other", "Other"),
        ],
        string="Kind of Document",
        help="Of a document of a contract version.",
    )

    def write(self, vals):
        """Refuse to exchange or move a file that was signed, or that belongs to an approved contract version."""
        if (PLACE | {"raw", "datas", "name", "channel_contract_kind"}) & vals.keys():
            self._check_channel_contract_kept(vals)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_channel_contract(self):
        for file in self._channel_contract_evidence():
            raise UserError(
                self.env._("File %s belongs to what was agreed or signed: it cannot be deleted.", file.name)
            )

    def _channel_contract_evidence(self):
        """The attachments among these that were signed or sealed, or are documents of an approved version."""
        # sudo: whether a file may go does not depend on who may read what it belongs to
        files = self.sudo()
        evidence = files.filtered(lambda file: file.res_model in EVIDENCE_MODELS and file.res_id)
        authorities = files.filtered(lambda file: file.res_model == "channel.contract.signatory" and file.res_id)
        if authorities:
            people = files.env["channel.contract.signatory"].browse(authorities.mapped("res_id")).exists()
            fixed = people.filtered(lambda person: person.state == "signed" or person.request_id.state in LIVE)
            evidence |= authorities.filtered(lambda file: file.res_id in fixed.ids)
        if files:
            versions = files.env["channel.contract.version"].search(
                [("document_ids", "in", files.ids), ("state", "in", ("approved", "superseded"))]
            )
            evidence |= files & versions.document_ids
        return evidence

    def _check_channel_contract_kept(self, vals):
        """Refuse another content, name or place; the same content may move to another storage."""
        for file in self._channel_contract_evidence():
            changed = any(
                name in vals and (vals[name] or False) != (file[name] or False)
                for name in (*PLACE, "name", "channel_contract_kind")
            )
            content = vals.get("raw", base64.b64decode(vals["datas"] or b"") if "datas" in vals else None)
            content = content.encode() if isinstance(content, str) else content
            if changed or content is not None and self._compute_checksum(content or b"") != file.checksum:
                raise UserError(
                    self.env._("File %s belongs to what was agreed or signed: it does not change.", file.name)
                )
