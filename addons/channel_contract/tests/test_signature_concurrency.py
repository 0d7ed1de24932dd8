import threading
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from .pki import pdf
from .signature_common import IMAGE


@tagged("post_install", "-at_install")
class TestSignatureConcurrency(BaseCase):
    """Two people at the same moment: real transactions, committed, removed at the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())

    def _env(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {})

    def setUp(self):
        super().setUp()
        self._patch("channel.contract.version", "_signature_pdf", lambda version: pdf("Terms"))
        self._patch("channel.contract.signature.request", "_seal", lambda requests: None)
        self._patch("res.company", "_channel_seal_check", lambda company: None)
        self._patch("channel.contract.signatory", "_notify", lambda signatories, template: None)
        with self.registry.cursor() as cr:
            env = self._env(cr)
            member = env["res.partner"].create(
                {
                    "name": "Concurrent Dealer",
                    "is_company": True,
                    "channel_role": "distributor",
                    "child_ids": [
                        Command.create({"name": name, "email": f"{name}@concurrent.example.com"})
                        for name in ("one", "two")
                    ],
                }
            )
            contract = env["channel.contract"].create(
                {
                    "title": "Concurrent",
                    "member_id": member.id,
                    "company_id": env.ref("base.main_company").id,
                    "signature_required": True,
                }
            )
            version = env["channel.contract.version"].create(
                {
                    "contract_id": contract.id,
                    "valid_from": fields.Date.today(),
                    "clause_ids": [Command.clear()],
                    "signatory_ids": [
                        Command.create({"side": "theirs", "sequence": 1, "partner_id": person.id})
                        for person in member.child_ids
                    ],
                }
            )
            with patch.object(self.registry["channel.contract.version"], "_check_clauses", lambda version: None):
                version._approve()
            env["channel.contract.signature.request"]._send(version, "portal", fields.Date.today())
            self.member_id, self.contract_id, self.version_id = member.id, contract.id, version.id
            self.request_id, self.signatory_ids = version.signature_request_id.id, version.signatory_ids.ids
        self.addCleanup(self._remove)

    def _patch(self, model, name, value):
        patcher = patch.object(self.registry[model], name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def _remove(self):
        guarded = ("channel_audit_entry", "channel_contract_signature", "channel_contract_signature_request")
        models = {
            "channel.contract": self.contract_id,
            "channel.contract.version": self.version_id,
            "channel.contract.signature.request": self.request_id,
        }
        with self.registry.cursor() as cr:
            cr.execute("SELECT set_config('channel.version_door', txid_current()::text, true)")
            for table in guarded:
                cr.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            for model, res_id in models.items():
                for table, column in (
                    ("channel_audit_entry", "model"),
                    ("mail_message", "model"),
                    ("mail_followers", "res_model"),
                    ("mail_activity", "res_model"),
                    ("channel_alert", "res_model"),
                ):
                    cr.execute(f"DELETE FROM {table} WHERE {column} = %s AND res_id = %s", [model, res_id])
            cr.execute("DELETE FROM channel_contract_signature WHERE request_id = %s", [self.request_id])
            cr.execute(
                "UPDATE channel_contract_version SET signature_request_id = NULL WHERE id = %s", [self.version_id]
            )
            cr.execute("DELETE FROM channel_contract_signatory WHERE version_id = %s", [self.version_id])
            cr.execute("DELETE FROM channel_contract_signature_request WHERE id = %s", [self.request_id])
            cr.execute("DELETE FROM ir_attachment WHERE res_model = %s AND res_id = %s",
                       ["channel.contract.signature.request", self.request_id])
            cr.execute("DELETE FROM channel_contract_event WHERE contract_id = %s", [self.contract_id])
            cr.execute("DELETE FROM channel_contract WHERE id = %s", [self.contract_id])
            for table in guarded:
                cr.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            member = self._env(cr)["res.partner"].browse(self.member_id)
            (member.child_ids + member).unlink()

    def _at_once(self, *acts):
        """Run acts at the same moment, each as the server runs a request: repeated when the database asks for it.

        :return: for each its result or its ``UserError``
        """
        start = threading.Barrier(len(acts), timeout=30)
        results = [None] * len(acts)

        def run(number):
            waited = []

            def attempt():
                records = acts[number][0](env)
                records.mapped("state")  # what is known before the others act
                if not waited:
                    waited.append(start.wait())
                return acts[number][1](records)

            try:
                with self.registry.cursor() as cr:
                    env = self._env(cr)
                    results[number] = retrying(attempt, env)
            except UserError as error:
                results[number] = error

        threads = [threading.Thread(target=run, args=[number]) for number in range(len(acts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results

    def _signing(self, number):
        signatory_id = self.signatory_ids[number]
        return (
            lambda env: env["channel.contract.signatory"].browse(signatory_id),
            lambda signatory: bool(signatory._sign({"method": "portal", "signature": IMAGE})),
        )

    def _state(self):
        with self.registry.cursor() as cr:
            env = self._env(cr)
            version = env["channel.contract.version"].browse(self.version_id)
            return version.signature_state, version.signature_request_id.state, len(version.signature_ids)

    @mute_logger("odoo.sql_db", "odoo.service.model")  # that one of the two is repeated is what is tested
    def test_the_last_two_sign_at_once(self):
        self.assertEqual(self._at_once(self._signing(0), self._signing(1)), [True, True])
        self.assertEqual(self._state(), ("signed", "signed", 2))
        with self.registry.cursor() as cr:
            completed = self._env(cr)["channel.audit.entry"].search_count(
                [
                    ("action", "=", "signature.completed"),
                    ("model", "=", "channel.contract.version"),
                    ("res_id", "=", self.version_id),
                ]
            )
        self.assertEqual(completed, 1)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_one_person_signs_twice_at_once(self):
        results = self._at_once(self._signing(0), self._signing(0))
        self.assertEqual(sorted(isinstance(result, UserError) for result in results), [False, True])
        self.assertEqual(self._state(), ("pending", "open", 1))

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_signing_while_it_is_taken_back(self):
        taking_back = (
            lambda env: env["channel.contract.signature.request"].browse(self.request_id),
            lambda request: request._close("cancelled", "Taken back") or True,
        )
        signed, _taken_back = self._at_once(self._signing(0), taking_back)
        state, request_state, signatures = self._state()
        # Whoever was first: it is taken back, and there is a signature only when it was given before
        self.assertEqual((state, request_state), ("pending", "cancelled"))
        self.assertEqual(signatures, 0 if isinstance(signed, UserError) else 1)

    @mute_logger("odoo.sql_db", "odoo.service.model")
    def test_the_last_one_signs_while_the_version_is_withdrawn(self):
        with self.registry.cursor() as cr:
            self._env(cr)["channel.contract.signatory"].browse(self.signatory_ids[0])._sign(
                {"method": "portal", "signature": IMAGE}
            )
        withdrawing = (
            lambda env: env["channel.contract.version"].browse(self.version_id),
            lambda version: version.action_withdraw(),
        )
        results = self._at_once(self._signing(1), withdrawing)
        self.assertEqual(sorted(isinstance(result, UserError) for result in results), [False, True], results)
        with self.registry.cursor() as cr:
            version = self._env(cr)["channel.contract.version"].browse(self.version_id)
            signed = not isinstance(results[0], UserError)
            self.assertEqual(
                (version.state, version.signature_state),
                ("approved", "signed") if signed else ("cancelled", "pending"),
            )
