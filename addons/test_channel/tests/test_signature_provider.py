import json

from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged

from odoo.addons.channel_contract.tests.signature_common import ChannelSignatureCommon


@tagged("post_install", "-at_install")
class TestSignatureProvider(ChannelSignatureCommon, HttpCase):
    """Signatures collected by a service outside, by the interface that add-ons extend."""

    def setUp(self):
        super().setUp()
        self.parameters = self.env["ir.config_parameter"].sudo()
        self.parameters.set_param("test_channel.provider_account", "ours")
        self.version.signature_provider = "test"

    def _event(self, signatory, kind="signed", **values):
        return {
            "request_reference": self.version.signature_request_id.reference,
            "signatory_reference": signatory.reference,
            "kind": kind,
            "values": values,
        }

    def _tell(self, *events, provider="test", signature=None):
        body = json.dumps(events).encode()
        signature = signature or self.env["channel.signature.provider"]._test_signature(body)
        return self.url_open(
            f"/channel/contract/signature/{provider}", data=body, headers={"X-Test-Signature": signature}
        ).status_code

    def test_the_service_is_prepared_before_anything_is_sent(self):
        self.parameters.set_param("test_channel.provider_account", False)
        with self.assertRaises(UserError):
            self._send()
        self.assertFalse(self.version.signature_request_ids)

    def test_the_service_asks_in_its_own_order_and_its_messages_sign(self):
        request = self._send()
        self.assertEqual(set(self.version.signatory_ids.mapped("state")), {"asked"})
        self.assertEqual(self._tell(self._event(self.signer_own)), 204)
        self.assertEqual(self.signer_own.state, "signed")
        self.assertEqual(
            self._tell(
                self._event(self.signer_first, typed_name="First", ip_address="203.0.113.9", detail='{"id": 7}'),
                self._event(self.signer_first),
                self._event(self.signer_second),
            ),
            204,
        )
        self.assertEqual((request.state, self.version.signature_state), ("signed", "signed"))
        evidence = request.signature_ids.filtered(lambda one: one.signatory_key == self.signer_first.id)
        self.assertRecordValues(
            evidence,
            [
                {
                    "method": "test",
                    "typed_name": "First",
                    "ip_address": "203.0.113.9",
                    "reference": self.signer_first.reference,
                    "document_sha256": request.document_sha256,
                }
            ],
        )
        self.assertEqual(request._verify_stored()[0], "valid")

    def test_messages_of_somebody_else_do_nothing(self):
        self._send()
        self.assertEqual(self._tell(self._event(self.signer_first), signature="0" * 64), 403)
        self.assertEqual(self.signer_first.state, "asked")

    def test_messages_about_others_do_nothing(self):
        self._send()
        event = self._event(self.signer_first)
        self.assertEqual(self._tell({**event, "request_reference": "envelope-0"}), 204)
        self.assertEqual(self._tell({**event, "signatory_reference": "person-0"}), 204)
        self.assertEqual(set(self.version.signatory_ids.mapped("state")), {"asked"})

    def test_the_nightly_job_asks_for_news(self):
        request = self._send()
        news = [self._event(signatory) for signatory in self.version.signatory_ids]
        self.parameters.set_param("test_channel.provider_news", json.dumps(news))
        self.env["channel.contract.signature.request"]._cron_signatures()
        self.assertEqual((request.state, bool(request.sealed_id)), ("signed", True))

    def test_refused_at_the_service(self):
        request = self._send()
        self._tell(self._event(self.signer_second, kind="declined", reason="Not these prices"))
        self.assertEqual((request.state, self.version.signature_state), ("declined", "refused"))
        self.assertIn("Not these prices", request.reason)

    def test_taken_back_the_service_is_told(self):
        request = self._send()
        self.version.with_user(self.user_contract).action_cancel_signature()
        self.assertEqual(self.parameters.get_param("test_channel.provider_cancelled"), request.reference)
        self.assertEqual(self._tell(self._event(self.signer_first)), 204)
        self.assertFalse(request.signature_ids)
