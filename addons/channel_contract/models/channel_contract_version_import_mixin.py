from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.channel_base.models.channel_approval_mixin import _APPROVER
from odoo.addons.channel_base.tools.private_key import PrivateKey

from ..tools.signature import SIGNER

#: Opens what only an import writes to the import.
_IMPORTER = PrivateKey("channel_contract_importer")


class ChannelContractVersionImportMixin(models.AbstractModel):
    """Versions that were agreed on paper before the system knew of them.

    The paper is attached and its words are the contract: clauses need not be complete, and nobody is asked to sign
    again. Somebody else than who imported it still approves the version. Inherited by ``channel.contract.version``.
    """

    _name = "channel.contract.version.import.mixin"
    _description = "Imported Contract Version"

    imported = fields.Boolean(
        string="From a Paper Original", readonly=True, copy=False, help="Imported with the paper that was signed."
    )
    paper_signed_on = fields.Date(string="Paper Signed on", readonly=True, copy=False)

    @api.model_create_multi
    def create(self, vals_list):
        trusted = _IMPORTER.opens(self)
        self = _IMPORTER.close(self)
        if not trusted and any(vals.get("imported") or vals.get("paper_signed_on") for vals in vals_list):
            raise UserError(
                self.env._("Paper originals come in by the import of contracts: use it, with the PDF of the paper.")
            )
        return super().create(vals_list)

    def write(self, vals):
        if {"imported", "paper_signed_on"} & vals.keys():
            raise UserError(
                self.env._("Paper originals come in by the import of contracts: use it, with the PDF of the paper.")
            )
        return super().write(vals)

    @api.model
    def _approval_technical_fields(self):
        return super()._approval_technical_fields() | {"imported", "paper_signed_on"}

    def _is_paper_original(self):
        return self.imported

    def _approval_before(self):
        self.filtered("imported")._import_mark_signed()
        return super()._approval_before()

    def _import_mark_signed(self):
        """The paper was signed by both sides: the version counts as signed from its approval on."""
        for version in self:
            if not version.document_ids:
                raise UserError(
                    self.env._("%s lost the PDF of its paper original: attach it again.", version.display_name)
                )
            SIGNER.open(_APPROVER.open(version)).write(
                {"signature_state": "signed", "signed_on": version.paper_signed_on or version.valid_from}
            )
