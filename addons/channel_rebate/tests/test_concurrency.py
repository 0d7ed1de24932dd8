import os
import signal

from psycopg2.errors import SerializationFailure

from odoo import api, sql_db
from odoo.exceptions import LockError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError


@tagged("post_install", "-at_install")
class TestRebateConcurrency(BaseCase):
    """Two real transactions on one committed programme, removed again at the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())
        with cls.registry.cursor() as cr:
            env = cls._env(cr)
            company = env.ref("base.main_company")
            env = env(context={"allowed_company_ids": company.ids})
            account = env["account.account"].create(
                [
                    {"name": "Rebates", "code": "40990X", "account_type": "income", "company_ids": company.ids},
                    {
                        "name": "Accrued",
                        "code": "22990X",
                        "account_type": "liability_current",
                        "company_ids": company.ids,
                    },
                ]
            )
            journals = env["account.journal"].create(
                [
                    {"name": "Sales", "code": "SX", "type": "sale", "company_id": company.id},
                    {"name": "Misc", "code": "MX", "type": "general", "company_id": company.id},
                ]
            )
            product = env["product.product"].create({"name": "Concurrency rebate", "type": "service"})
            cls.program_id = (
                env["channel.rebate.program"]
                .create(
                    {
                        "name": "Concurrency",
                        "code": "CONCURRENCY",
                        "company_id": company.id,
                        "journal_id": journals[1].id,
                        "settlement_journal_id": journals[0].id,
                        "expense_account_id": account[0].id,
                        "liability_account_id": account[1].id,
                        "product_id": product.id,
                    }
                )
                .id
            )
            cls.made = {
                "channel.rebate.program": [cls.program_id],
                "product.template": product.product_tmpl_id.ids,
                "account.journal": journals.ids,
                "account.account": account.ids,
            }
        cls.addClassCleanup(cls._remove)

    @classmethod
    def _env(cls, cr):
        return api.Environment(cr, api.SUPERUSER_ID, {})

    @classmethod
    def _remove(cls):
        with cls.registry.cursor() as cr:
            env = cls._env(cr)
            for model, ids in cls.made.items():
                env[model].browse(ids).unlink()

    def test_second_run_is_refused_while_one_works(self):
        with self.registry.cursor() as first, self.registry.cursor() as second:
            self._env(first)["channel.rebate.program"].browse(self.program_id)._begin_run()
            with self.assertRaises(LockError):
                self._env(second)["channel.rebate.program"].browse(self.program_id).accrue("2026-01-31")
            first.rollback()
            second.rollback()

    def test_killed_run(self):
        """kill -9 in the middle: nothing is lost and nothing is there twice; the next run does the work."""
        with self.registry.cursor() as cr:
            env = self._env(cr)
            program = env["channel.rebate.program"].browse(self.program_id)
            member = env["res.partner"].create(
                {"name": "Killed", "is_company": True, "channel_role": "distributor"}
            )
            version = env["channel.rebate.program.version"].create(
                {"program_id": program.id, "valid_from": "2026-01-01", "valid_to": "2026-03-31"}
            )
            env["channel.rebate.tier"].create({"version_id": version.id, "lower_bound": 0, "rate": 1})
            figure = env["channel.rebate.figure"].create(
                {
                    "program_id": program.id,
                    "member_id": member.id,
                    "kind": "guarantee",
                    "value": 500,
                    "date_from": "2026-01-01",
                }
            )
            env.flush_all()
            # approval needs a second person; here it is only a state
            cr.execute("UPDATE channel_rebate_program_version SET state = 'approved' WHERE id = %s", [version.id])
            cr.execute("UPDATE channel_rebate_figure SET state = 'approved' WHERE id = %s", [figure.id])
        self.addCleanup(self._remove_killed, version.id, figure.id, member.id)
        self.assertEqual(self._run_and_die(lambda program: program.calculate("2026-03-31")), signal.SIGKILL)
        self.assertEqual(self._entitlements(), [])
        for _again in range(2):
            with self.registry.cursor() as cr:
                self._env(cr)["channel.rebate.program"].browse(self.program_id).calculate("2026-03-31")
            self.assertEqual(self._entitlements(), [500])

    def test_blocks_of_members(self):
        """One block is killed, one is done, a third waits for neither: then nothing is missing and nothing doubled."""
        with self.registry.cursor() as cr:
            env = self._env(cr)
            members = env["res.partner"].create(
                [{"name": f"Block {n}", "is_company": True, "channel_role": "distributor"} for n in range(3)]
            )
            version = env["channel.rebate.program.version"].create(
                {"program_id": self.program_id, "valid_from": "2026-01-01", "valid_to": "2026-03-31"}
            )
            env["channel.rebate.tier"].create({"version_id": version.id, "lower_bound": 0, "rate": 1})
            figures = env["channel.rebate.figure"].create(
                [
                    {
                        "program_id": self.program_id,
                        "member_id": member.id,
                        "kind": "guarantee",
                        "value": 100,
                        "date_from": "2026-01-01",
                    }
                    for member in members
                ]
            )
            env.flush_all()
            cr.execute("UPDATE channel_rebate_program_version SET state = 'approved' WHERE id = %s", [version.id])
            cr.execute("UPDATE channel_rebate_figure SET state = 'approved' WHERE id = ANY(%s)", [figures.ids])
        for figure, member in zip(figures, members, strict=True):
            self.addCleanup(self._remove_killed, version.id, figure.id, member.id)
        killed = members[0].id % 3
        others = [number for number in range(3) if number != killed]
        self.assertEqual(
            self._run_and_die(lambda program: program._job_calculate("2026-03-31", killed, 3)), signal.SIGKILL
        )
        self.assertEqual(self._entitlements(), [])
        with self.registry.cursor() as first, self.registry.cursor() as second, self.registry.cursor() as third:
            # at once, in transactions that do not see each other
            for cr, number in zip((first, second), others, strict=True):
                self._env(cr)["channel.rebate.program"].browse(self.program_id)._job_calculate("2026-03-31", number, 3)
            whole = self._env(third)["channel.rebate.program"].browse(self.program_id)
            with self.assertRaises(LockError):
                whole.calculate("2026-03-31")
            with self.assertRaises(RetryableJobError):
                whole._job_calculate("2026-03-31", others[0], 3)
            third.rollback()
            first.commit()
            second.commit()
        self.assertEqual(self._entitlements(), [100, 100])
        for _again in range(2):
            with self.registry.cursor() as cr:
                self._env(cr)["channel.rebate.program"].browse(self.program_id).calculate("2026-03-31")
            self.assertEqual(self._entitlements(), [100, 100, 100])

    def _run_and_die(self, work):
        """Do `work` on the programme in a process of its own that kills itself when everything is written but not
        committed.
        """
        child = os.fork()
        if not child:
            try:
                sql_db._Pool = None  # the connections of the parent are not ours
                with sql_db.db_connect(self.registry.db_name).cursor() as cr:
                    env = self._env(cr)
                    engine = type(env["channel.rebate.engine"])
                    engine._remember = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
                    work(env["channel.rebate.program"].browse(self.program_id))
            finally:
                os._exit(1)
        return os.WTERMSIG(os.waitpid(child, 0)[1])

    def _entitlements(self):
        with self.registry.cursor() as cr:
            cr.execute("SELECT entitlement FROM channel_rebate_balance WHERE program_id = %s", [self.program_id])
            return [row[0] for row in cr.fetchall()]

    def _remove_killed(self, version_id, figure_id, member_id):
        with self.registry.cursor() as cr:
            cr.execute("DELETE FROM channel_rebate_balance WHERE program_id = %s", [self.program_id])
            cr.execute("DELETE FROM channel_rebate_figure WHERE id = %s", [figure_id])
            cr.execute("DELETE FROM channel_rebate_program_version WHERE id = %s", [version_id])
            self._env(cr)["res.partner"].browse(member_id).unlink()

    def test_run_on_an_old_snapshot_does_not_serialise(self):
        """The second transaction looked before the first committed: it must not book on what it saw."""
        with self.registry.cursor() as first, self.registry.cursor() as second:
            program = self._env(second)["channel.rebate.program"].browse(self.program_id)
            self.assertEqual(program.code, "CONCURRENCY")  # takes the snapshot
            self._env(first)["channel.rebate.program"].browse(self.program_id)._begin_run()
            first.commit()
            with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
                program.accrue("2026-01-31")
            second.rollback()

    def test_two_accountants_settle_at_once(self):
        """Of two approvals the second finds the programme taken, or has to look again: no window is paid twice."""
        with self.registry.cursor() as cr:
            env = self._env(cr)
            member = env["res.partner"].create({"name": "Concurrency member", "is_company": True})
            drafts = env["channel.settlement"].create(
                [{"program_id": self.program_id, "member_id": member.id} for _accountant in range(2)]
            )
            draft_ids, member_id = drafts.ids, member.id
        try:
            with self.registry.cursor() as first, self.registry.cursor() as second:
                mine, theirs = (
                    self._env(cr)["channel.settlement"].browse(id_)
                    for cr, id_ in zip((first, second), draft_ids, strict=True)
                )
                self.assertEqual(theirs.state, "draft")  # takes the snapshot
                mine.program_id._begin_run()
                with self.assertRaises(LockError):
                    theirs._approval_before()
                first.commit()
                second.rollback()
                self.assertEqual(theirs.state, "draft")
                mine.program_id._begin_run()
                first.commit()
                with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
                    theirs._approval_before()
                second.rollback()
        finally:
            with self.registry.cursor() as cr:
                env = self._env(cr)
                env["channel.settlement"].browse(draft_ids).unlink()
                env["res.partner"].browse(member_id).unlink()
