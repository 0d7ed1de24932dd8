import threading
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, new_test_user, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestApprovalConcurrency(BaseCase):
    """Two managers approve at the same moment: real transactions, committed, removed at the end."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        # mandatory clauses of the library are not what this is about
        patcher = patch.object(self.registry["channel.contract.version"], "_check_clauses", lambda version: None)
        patcher.start()
        self.addCleanup(patcher.stop)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env.ref("base.main_company")
            self.users = [
                new_test_user(
                    env, login=f"concurrent_{name}", groups="channel_base.group_channel_manager", company_id=company.id
                ).id
                for name in ("one", "two")
            ]
            member = env["res.partner"].create(
                {"name": "Concurrent Dealer", "is_company": True, "channel_role": "distributor"}
            )
            contract = env["channel.contract"].create(
                {"title": "Concurrent", "member_id": member.id, "company_id": company.id}
            )
            version = env["channel.contract.version"].create(
                {
                    "contract_id": contract.id,
                    "valid_from": fields.Date.today(),
                    "clause_ids": [fields.Command.clear()],
                }
            )
            self.member_id, self.contract_id, self.version_id = member.id, contract.id, version.id
        self.addCleanup(self._remove)

    def _remove(self):
        models = {"channel.contract": self.contract_id, "channel.contract.version": self.version_id}
        with self.registry.cursor() as cr:
            cr.execute("SELECT set_config('channel.version_door', txid_current()::text, true)")
            cr.execute("ALTER TABLE channel_audit_entry DISABLE TRIGGER USER")
            for model, res_id in models.items():
                for table, column in (
                    ("channel_audit_entry", "model"),
                    ("mail_message", "model"),
                    ("mail_followers", "res_model"),
                    ("mail_activity", "res_model"),
                    ("channel_alert", "res_model"),
                ):
                    cr.execute(f"DELETE FROM {table} WHERE {column} = %s AND res_id = %s", [model, res_id])
            cr.execute("DELETE FROM channel_contract_event WHERE contract_id = %s", [self.contract_id])
            cr.execute("DELETE FROM channel_contract WHERE id = %s", [self.contract_id])
            cr.execute("ALTER TABLE channel_audit_entry ENABLE TRIGGER USER")
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["res.partner"].browse(self.member_id).unlink()
            people = env["res.users"].browse(self.users)
            partners = people.partner_id
            people.unlink()
            partners.unlink()

    def _approve_at_once(self):
        """Both approve, as the server runs requests: repeated when the database asks for it.

        :return: for each ``True`` or the ``UserError``
        """
        start = threading.Barrier(2, timeout=30)
        results = [None, None]

        def run(number):
            waited = []
            with self.registry.cursor() as cr:
                env = api.Environment(cr, self.users[number], {})

                def attempt():
                    version = env["channel.contract.version"].browse(self.version_id)
                    version.mapped("state")  # what is known before the other acts
                    if not waited:
                        waited.append(start.wait())
                    return version.action_approve()

                try:
                    results[number] = retrying(attempt, env)
                    cr.commit()  # pylint: disable=invalid-commit  # a cursor of the test's own
                except UserError as error:
                    cr.rollback()
                    results[number] = error

        threads = [threading.Thread(target=run, args=[number]) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results

    @mute_logger("odoo.sql_db", "odoo.service.model")  # that one of the two is repeated is what is tested
    def test_only_one_approves(self):
        results = self._approve_at_once()
        self.assertEqual(sorted(isinstance(result, UserError) for result in results), [False, True], results)
        self.assertIn("cannot be approved", str(next(result for result in results if result is not True)))
        winner = self.users[results.index(True)]
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            version = env["channel.contract.version"].browse(self.version_id)
            self.assertEqual((version.state, version.approved_by_id.id), ("approved", winner))
            entries = env["channel.audit.entry"].search(
                [
                    ("action", "=", "approval.approved"),
                    ("model", "=", version._name),
                    ("res_id", "=", version.id),
                ]
            )
            self.assertEqual(entries.user_id.ids, [winner])
