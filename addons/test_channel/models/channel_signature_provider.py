import json

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import consteq, hmac

from odoo.addons.channel_contract.tools.signature import SignatureEvent


class ChannelSignatureProvider(models.AbstractModel):
    """A service that collects signatures outside: as an add-on for a licensed service would bring it.

    It asks everybody at once, tells by signed messages, and seals with the company's certificate, for want of its own.
    """

    _inherit = "channel.signature.provider"

    @api.model
    def _providers(self):
        return {**super()._providers(), "test": "Test Service"}

    @api.model
    def _test_parameter(self, name):
        # sudo: settings of a service that only tests know
        return self.env["ir.config_parameter"].sudo().get_param(f"test_channel.provider_{name}")

    @api.model
    def _test_signature(self, body):
        return hmac(self.env(su=True), "test_channel_provider", body.decode())

    @api.model
    def _prepare_test(self, request):
        if not self._test_parameter("account"):
            raise UserError(self.env._("The test service has no account."))

    @api.model
    def _send_test(self, request):
        request._set_reference(f"envelope-{request.id}")
        for signatory in request.signatory_ids:
            signatory._set_reference(f"person-{signatory.id}")
        request.signatory_ids._ask(notify=False)

    @api.model
    def _cancel_test(self, request):
        self.env["ir.config_parameter"].sudo().set_param("test_channel.provider_cancelled", request.reference)

    @api.model
    def _poll_test(self, requests):
        return self._test_events(self._test_parameter("news") or "[]")

    @api.model
    def _callback_test(self, body, headers):
        if not consteq(headers.get("X-Test-Signature", ""), self._test_signature(body)):
            raise AccessError(self.env._("This message is not from the test service."))
        return self._test_events(body)

    @api.model
    def _finish_test(self, request):
        return self._finish_portal(request)

    @api.model
    def _test_events(self, text):
        return [SignatureEvent(**event) for event in json.loads(text)]
