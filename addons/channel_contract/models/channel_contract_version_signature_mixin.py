from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.channel_base.models.channel_approval_mixin import _APPROVER
from odoo.addons.channel_base.tools.private_key import PrivateKey

#: Opens what signing itself writes to the code of this add-on.
_SIGNER = PrivateKey("channel_contract_signer")

#: States in which an approved version counts: nobody's signature is asked, or everybody has signed.
STANDING = ("none", "signed")


class ChannelContractVersionSignatureMixin(models.AbstractModel):
    """Signatures of a contract version: what is asked, what there is, and what it counts without.

    Where the contract asks for signatures, an approved version waits for them (``pending``): it is not in force, and
    the version before it goes on. With the last signature it makes room for itself as versions do at their approval.
    """

    _name = "channel.contract.version.signature.mixin"
    _description = "Signatures of a Contract Version"

    signature_state = fields.Selection(
        [
            ("none", "Not asked"),
            ("pending", "Waiting for signatures"),
            ("signed", "Signed"),
            ("refused", "Refused"),
        ],
        string="Signature",
        required=True,
        readonly=True,
        default="none",
        copy=False,
        index=True,
        tracking=True,
        help="Decided when the version is approved: whether its contract asks for signatures.",
    )

    # === HOOKS OF THE VERSION ===#

    @api.model
    def _approval_technical_fields(self):
        return super()._approval_technical_fields() | (
            self.env["channel.contract.version.signature.mixin"]._fields.keys() - set(models.MAGIC_COLUMNS)
        )

    @api.model
    def _version_standing_domain(self):
        return super()._version_standing_domain() & Domain("signature_state", "in", STANDING)

    @api.model
    def _standing_sql(self, version):
        """:return: the domain above as an SQL condition on the alias ``version`` of ``channel_contract_version``"""
        return SQL("(%(v)s.state = 'approved' AND %(v)s.signature_state IN ('none', 'signed'))", v=version)

    @api.model
    def _unsigned_sql(self, version):
        """:return: SQL condition: approved, and out for signature"""
        return SQL("(%(v)s.state = 'approved' AND %(v)s.signature_state IN ('pending', 'refused'))", v=version)

    def _version_stands_when_approved(self):
        return super()._version_stands_when_approved() and self.signature_state in STANDING

    def _stands(self):
        """Whether an approved version counts on the days of its period: no signature is missing."""
        self.ensure_one()
        return self.state == "approved" and self.signature_state in STANDING

    def _approval_before(self):
        asked = self.filtered("contract_id.signature_required")
        _SIGNER.open(_APPROVER.open(asked)).write({"signature_state": "pending"})
        return super()._approval_before()

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_signature_fields(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_signature_fields(vals)
        return super(ChannelContractVersionSignatureMixin, _SIGNER.close(self)).write(vals)

    @api.model
    def _signature_protected_fields(self):
        """Names of the fields that only signing itself writes."""
        return {"signature_state"}

    def _check_signature_fields(self, vals):
        protected = self._signature_protected_fields() & vals.keys()
        if protected and not _SIGNER.opens(self):
            raise UserError(
                self.env._(
                    "%(fields)s of a contract version cannot be written: send the version out for signature instead.",
                    fields=", ".join(sorted(self._fields[name]._description_string(self.env) for name in protected)),
                )
            )
