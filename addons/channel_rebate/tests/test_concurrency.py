from psycopg2.errors import SerializationFailure

from odoo import api
from odoo.exceptions import LockError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger


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
