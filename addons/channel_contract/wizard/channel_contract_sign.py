from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.http import request


class ChannelContractSign(models.TransientModel):
    """A colleague signs a contract version: the same steps and the same evidence as on the portal."""

    _name = "channel.contract.sign"
    _description = "Sign a Contract"

    version_id = fields.Many2one("channel.contract.version", required=True, readonly=True)
    signatory_name = fields.Char(string="Name", compute="_compute_signatory")
    email = fields.Char(compute="_compute_signatory")
    document_sha256 = fields.Char(string="Fingerprint (SHA-256)", compute="_compute_signatory")
    document_url = fields.Char(compute="_compute_signatory")
    consent_text = fields.Text(string="Consent", compute="_compute_signatory")
    consented = fields.Boolean(string="I agree")
    code = fields.Char(help="Six digits, sent to your e-mail address.")
    code_sent = fields.Boolean(readonly=True)
    signature = fields.Binary(attachment=False)

    # === COMPUTE METHODS ===#

    @api.depends_context("uid")
    @api.depends("version_id")
    def _compute_signatory(self):
        for wizard in self:
            signatory = wizard.version_id._own_signatory()
            wizard.signatory_name = signatory.name
            wizard.email = signatory.email
            wizard.document_sha256 = signatory.request_id.document_sha256
            wizard.document_url = f"/channel/contract/document/{signatory.request_id.id}" if signatory else False
            wizard.consent_text = wizard.version_id.company_id.channel_signature_consent

    # === ACTION METHODS ===#

    def action_send_code(self):
        """Mail the code, and stay in the dialog."""
        self.ensure_one()
        signatory = self._signatory()
        if wait := self.env["channel.portal.hit"]._hit("contract_code", signatory.email or ""):
            raise UserError(self.env._("Too many codes were asked for. Try again in %s minutes.", -(-wait // 60)))
        signatory._send_code()
        self.code_sent = True
        return self._reopen()

    def action_sign(self):
        """Sign with code, consent and signature."""
        self.ensure_one()
        signatory = self._signatory()
        if not signatory.read_at:
            raise UserError(self.env._("Open the document first."))
        if not self.consented:
            raise UserError(self.env._("Agree to sign electronically first."))
        if not self.signature:
            raise UserError(self.env._("Draw or type your signature first."))
        # a wrong code is counted, and therefore told without undoing
        problem = signatory._check_code(self.code)
        if problem:
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {"type": "danger", "message": problem, "next": self._reopen()},
            }
        now = fields.Datetime.now()
        company = self.version_id.company_id
        signatory._sign(
            {
                "typed_name": signatory.name,
                "user_id": self.env.uid,
                "method": "backend",
                "signature": self.signature,
                "consent_text": self.consent_text,
                "consent_version": company.channel_signature_consent_version,
                "consented_at": now,
                "code_at": now,
                "read_at": signatory.read_at,
                "ip_address": request.httprequest.remote_addr if request else False,
                "user_agent": request.httprequest.user_agent.string[:500] if request else False,
            }
        )
        return {"type": "ir.actions.act_window_close"}

    def _signatory(self):
        signatory = self.version_id._own_signatory()
        if not signatory:
            raise UserError(self.env._("You are not asked to sign %s now.", self.version_id.display_name))
        return signatory

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Sign"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }
