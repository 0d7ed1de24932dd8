import threading

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestAdmissionConcurrency(BaseCase):
    """Two approvers press the button at the same moment: real transactions, committed, removed at the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())

    def _env(self, cr, user_id=SUPERUSER_ID):
        return api.Environment(cr, user_id, {})

    def setUp(self):
        super().setUp()
        with self.registry.cursor() as cr:
            env = self._env(cr)
            company = env.ref("base.main_company")
            group = env.ref("channel_base.group_channel_compliance")
            self.user_ids = env["res.users"].with_context(no_reset_password=True).create([
                {
                    "name": login, "login": login, "group_ids": [Command.set(group.ids)],
                    "company_id": company.id, "company_ids": [Command.set(company.ids)],
                }
                for login in ("concurrent_one", "concurrent_two")
            ]).ids
            member = env["res.partner"].create({
                # No document concerns a buying group of this country.
                "name": "Concurrent Group", "is_company": True, "channel_role": "buying_group", "street": "Old",
                "country_id": env.ref("base.aq").id,
            })
            cr.execute("UPDATE res_partner SET channel_state = 'active' WHERE id = %s", [member.id])
            member.invalidate_recordset()
            admission = env["channel.admission"].create({
                "kind": "change", "partner_id": member.id, "company_id": company.id, "street": "New",
                "contact_name": "A", "email": "nobody@concurrent.example",
            })
            self.assertFalse(admission.document_ids.filtered("mandatory"))
            admission._submit()
            self.assertEqual(admission.review_ids.reviewer_ids.ids and admission.validation_status, "pending")
            self.member_id, self.admission_id = member.id, admission.id
        self.addCleanup(self._remove)

    def _remove(self):
        with self.registry.cursor() as cr:
            env = self._env(cr)
            cr.execute("ALTER TABLE channel_audit_entry DISABLE TRIGGER USER")
            cr.execute(
                "DELETE FROM channel_audit_entry WHERE seq IS NULL AND (user_id = ANY(%s) OR model = "
                "'channel.admission' AND res_id = %s OR model = 'res.partner' AND res_id = %s)",
                [self.user_ids, self.admission_id, self.member_id],
            )
            cr.execute("ALTER TABLE channel_audit_entry ENABLE TRIGGER USER")
            cr.execute(
                "DELETE FROM tier_review WHERE model = 'channel.admission' AND res_id = %s", [self.admission_id]
            )
            cr.execute("DELETE FROM mail_mail WHERE mail_message_id IN (SELECT id FROM mail_message "
                       "WHERE model = 'channel.admission' AND res_id = %s)", [self.admission_id])
            cr.execute(
                "DELETE FROM channel_admission_submission WHERE admission_id = %s", [self.admission_id]
            )
            cr.execute("DELETE FROM channel_admission WHERE id = %s", [self.admission_id])
            cr.execute("UPDATE res_partner SET channel_state = 'applicant' WHERE id = %s", [self.member_id])
            env["res.partner"].browse(self.member_id).unlink()
            users = env["res.users"].browse(self.user_ids)
            partners = users.partner_id
            users.unlink()
            partners.unlink()

    @mute_logger("odoo.sql_db", "odoo.service.model")  # that one of the two is repeated is what is tested
    def test_two_approvers_at_once(self):
        start = threading.Barrier(2, timeout=30)
        results = [None, None]

        def approve(number):
            tries = []

            def attempt():
                admission = self._env(cr, self.user_ids[number])["channel.admission"].browse(self.admission_id)
                self.assertTrue(admission.name)  # takes the snapshot
                if not tries:
                    start.wait()
                tries.append(True)
                admission.action_approve()
                return "approved"

            try:
                with self.registry.cursor() as cr:
                    results[number] = retrying(attempt, self._env(cr, self.user_ids[number]))
            except UserError as error:
                results[number] = str(error)

        threads = [threading.Thread(target=approve, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(results.count("approved"), 1, results)
        self.assertRegex(next(result for result in results if result != "approved"), "Approved|somebody else")
        with self.registry.cursor() as cr:
            env = self._env(cr)
            self.assertEqual(env["channel.admission"].browse(self.admission_id).state, "approved")
            self.assertEqual(env["res.partner"].browse(self.member_id).street, "New")
            actions = env["channel.audit.entry"].search([
                ("model", "=", "channel.admission"), ("res_id", "=", self.admission_id),
            ]).mapped("action")
            self.assertEqual(actions.count("approval.approved"), 1)
            self.assertEqual(actions.count("approval.validated"), 1)
