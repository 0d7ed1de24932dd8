import re
from hashlib import sha256

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools.mimetypes import guess_mimetype

from ..tools.signature import LIVE, SIGNER

#: What a scan may be, and how large.
MIMETYPES = ("application/pdf", "image/jpeg", "image/png")
MAX_BYTES = 25 << 20


class ChannelContractOriginal(models.Model):
    """A scan of a contract version that was signed on paper, matched to its text by two people.

    Each printed contract bears the code of its text. Who uploads the scan types the code that stands on the paper;
    somebody else looks at the scan, and confirms that it is that text and that it is signed. Then the version is
    signed, on the day written on the paper.
    """

    _name = "channel.contract.original"
    _description = "Paper Original of a Contract"
    _order = "id desc"
    _rec_name = "filename"

    version_id = fields.Many2one("channel.contract.version", required=True, index=True, ondelete="restrict")
    contract_id = fields.Many2one(related="version_id.contract_id", store=True, index=True)
    member_id = fields.Many2one(related="version_id.member_id")
    company_id = fields.Many2one(related="version_id.company_id", store=True, index=True)
    region_id = fields.Many2one(related="version_id.region_id", store=True, index="btree_not_null")
    file = fields.Binary(string="Scan", required=True, attachment=True)
    filename = fields.Char(required=True)
    sha256 = fields.Char(string="Scan (SHA-256)", readonly=True, copy=False)
    code = fields.Char(
        string="Code on the Paper", required=True, help="As printed at the places to sign; with or without dashes."
    )
    signed_on = fields.Date(required=True, help="The day of the last signature, as written on the paper.")
    signed_by = fields.Char(help="Names below the signatures, as one can read them.")
    state = fields.Selection(
        [("to_confirm", "To Confirm"), ("confirmed", "Confirmed"), ("rejected", "Rejected")],
        required=True,
        readonly=True,
        default="to_confirm",
        copy=False,
        index=True,
    )
    decided_by_id = fields.Many2one("res.users", string="Decided by", readonly=True, copy=False, ondelete="restrict")
    decided_at = fields.Datetime(string="Decided on", readonly=True, copy=False)
    reason = fields.Char(string="Why not", copy=False)

    # === CONSTRAINT METHODS ===#

    @api.constrains("version_id", "code")
    def _check_code(self):
        for original in self:
            version = original.version_id
            if version.state != "approved" or version.signature_state == "signed":
                raise ValidationError(
                    self.env._("%s does not wait for signatures: no original is needed.", version.display_name)
                )
            code = _plain(original.code)
            if not code or code != _plain(version.text_code):
                other = version.contract_id.version_ids.filtered(lambda one, code=code: _plain(one.text_code) == code)
                raise ValidationError(
                    self.env._(
                        "Code %(code)s is not that of %(version)s (%(expected)s)%(other)s. A paper with another code "
                        "has another text: print this version, and have that signed.",
                        code=original.code,
                        version=version.display_name,
                        expected=version.text_code,
                        other=self.env._(", but of %s", other[0].display_name) if other else "",
                    )
                )

    @api.constrains("signed_on", "company_id")
    def _check_signed_on(self):
        for original in self:
            if original.signed_on > original.company_id._channel_today():
                raise ValidationError(
                    self.env._("Signed on: %s has not come yet. Enter the day on the paper.", original.signed_on)
                )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if {"state", "decided_by_id", "decided_at", "sha256"} & vals.keys():
                raise UserError(self._message_by_hand())
        originals = super().create(vals_list)
        for original in originals:
            content = original._content()
            if guess_mimetype(content) not in MIMETYPES or len(content) > MAX_BYTES:
                raise UserError(
                    self.env._(
                        "%(file)s: a scan is a PDF, JPEG or PNG file of at most %(size)s MB.",
                        file=original.filename,
                        size=MAX_BYTES >> 20,
                    )
                )
            # sudo: who may upload writes nothing afterwards; the digest is computed here
            SIGNER.open(original.sudo()).write({"sha256": sha256(content).hexdigest()})
            original.version_id._signature_trail(
                "signature.original_uploaded",
                after={"file": original.filename, "sha256": original.sha256, "signed_on": original.signed_on},
            )
        return originals

    def write(self, vals):
        if not SIGNER.opens(self):
            raise UserError(self._message_by_hand())
        return super(ChannelContractOriginal, SIGNER.close(self)).write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("An original that was uploaded stays, also when it was rejected."))

    def _message_by_hand(self):
        return self.env._("What was uploaded does not change: it is confirmed or rejected. Upload another one.")

    # === ACTION METHODS ===#

    def action_confirm(self):
        """The scan shows this text, signed by all: by somebody else than who uploaded it."""
        for original in self:
            original._check_may_decide()
            # sudo: who decides was checked; the version is moved by signing alone
            version = original.sudo().version_id
            request = version.signature_request_id
            if request:
                request._lock()
            if version.signature_state == "signed":
                raise UserError(self.env._("%s is signed already.", version.display_name))
            # sudo: reads the bytes of the original itself, to compare their hash
            if sha256(original.sudo()._content()).hexdigest() != original.sha256:
                raise UserError(self.env._("File %s is not the one that was uploaded.", original.filename))
            reason = self.env._("Paper original %s", original.filename)
            if request.state in LIVE:
                request._close("cancelled", reason)
            original._decide("confirmed")
            version._signed(reason, signed_on=original.signed_on)
        return True

    def action_reject(self):
        """The scan does not show this text, or not all signatures: with a reason."""
        self.ensure_one()
        self._check_may_decide()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reject the Original"),
            "res_model": "channel.contract.original.reject",
            "view_mode": "form",
            "target": "new",
            "context": {"default_original_id": self.id},
        }

    def _reject(self, reason):
        self.ensure_one()
        self._check_may_decide()
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Tell why the original is rejected: who uploaded it has to mend it."))
        self._decide("rejected", reason)

    def _decide(self, state, reason=None):
        # sudo: who decides was checked
        SIGNER.open(self.sudo()).write(
            {"state": state, "decided_by_id": self.env.uid, "decided_at": fields.Datetime.now(), "reason": reason}
        )
        self.version_id._signature_trail(
            f"signature.original_{state}", reason=reason, after={"file": self.filename, "sha256": self.sha256}
        )

    def _check_may_decide(self):
        self.ensure_one()
        self.check_access("read")
        user = self.env.user
        if not user.has_group("channel_base.group_channel_contract") and not user.has_group(
            "channel_base.group_channel_manager"
        ):
            raise AccessError(self.env._("Contract people and channel managers confirm originals."))
        if self.state != "to_confirm":
            raise UserError(self.env._("%s has been decided on already.", self.filename))
        if self.create_uid == user:
            raise UserError(
                self.env._("You uploaded %s yourself: somebody else confirms that it is this text.", self.filename)
            )

    def _content(self):
        return self.env["ir.attachment"].sudo().search(
            [("res_model", "=", self._name), ("res_field", "=", "file"), ("res_id", "=", self.id)], limit=1
        ).raw or b""  # sudo: the file of an original that the caller reads


def _plain(code):
    """A code without what one may type or leave out, and with what looks alike as base32 means it."""
    return re.sub(r"[^A-Z2-7]", "", (code or "").upper().replace("0", "O").replace("1", "I").replace("8", "B"))
