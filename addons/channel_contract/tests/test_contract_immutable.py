from datetime import date

from psycopg2.errors import RestrictViolation

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractImmutable(ChannelContractCommon):
    """What was approved is changed through no door: ORM, RPC, import, SQL."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.document = cls.env["ir.attachment"].create({"name": "annex.pdf", "raw": b"x"})
        cls.agreed = cls._channel_contract(
            cls.other_dealer,
            notice_days=30,
            valid_to=date(2099, 12, 31),
            document_ids=[Command.set(cls.document.ids)],
            clause_ids=cls._channel_clause_commands("Quality"),
            commitment_ids=[
                Command.create(
                    {
                        "name": "Stents",
                        "amount": 1000,
                        "product_tmpl_ids": [Command.link(cls.device.product_tmpl_id.id)],
                    }
                )
            ],
            service_level_ids=[Command.create({"name": "Delivery", "target": 5, "unit": "days"})],
        ).version_ids
        cls.draft = cls._channel_contract(cls.other_dealer, approve=False, notice_days=30).version_ids
        cls.env.flush_all()

    def assertSqlRefused(self, query, *params):
        with (
            self.subTest(query),
            self.assertRaises(RestrictViolation),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(SQL(query, *params))

    def test_orm_and_rpc(self):
        """The same as a client sends it, with whatever context it likes."""
        version = self.agreed
        contract_user = self.env(user=self.user_contract)
        for model, ids, method, args in (
            ("channel.contract.version", version.ids, "write", [{"notice_days": 5}]),
            ("channel.contract.version", version.ids, "write", [{"valid_from": "2019-01-01"}]),
            ("channel.contract.version", version.ids, "write", [{"state": "draft"}]),
            ("channel.contract.version", version.ids, "write", [{"contract_id": self.contract.id}]),
            ("channel.contract.version", version.ids, "write", [{"document_ids": [Command.clear()]}]),
            ("channel.contract.version", version.ids, "unlink", []),
            ("channel.contract.clause.line", version.clause_ids.ids, "write", [{"body": "<p>X</p>"}]),
            ("channel.contract.clause.line", version.clause_ids.ids, "unlink", []),
            ("channel.contract.commitment", version.commitment_ids.ids, "write", [{"amount": 1}]),
            ("channel.contract.commitment", [], "create", [{"version_id": version.id, "name": "X", "amount": 1}]),
            ("channel.contract.service.level", version.service_level_ids.ids, "write", [{"target": 1}]),
        ):
            context = {"skip_validation_check": True, "channel_approver": True, "active_test": False}
            arguments = args if method == "create" else [ids, *args]
            with self.subTest(model=model, method=method, args=args), self.assertRaises(UserError):
                call_kw(contract_user[model], method, arguments, {"context": context})

    def test_import(self):
        self.env["ir.model.data"].create(
            {
                "module": "test_channel_contract",
                "name": "agreed",
                "model": "channel.contract.version",
                "res_id": self.agreed.id,
            }
        )
        result = (
            self.env["channel.contract.version"]
            .with_user(self.user_contract)
            .load(["id", "notice_days"], [["test_channel_contract.agreed", "5"]])
        )
        self.assertFalse(result["ids"])
        self.assertIn("draft", result["messages"][0]["message"])
        result = (
            self.env["channel.contract.version"]
            .with_user(self.user_contract)
            .load([".id", "commitment_ids/name", "commitment_ids/amount"], [[str(self.agreed.id), "More", "5"]])
        )
        self.assertFalse(result["ids"])
        self.assertEqual(self.agreed.commitment_ids.mapped("amount"), [1000])

    def test_sql_terms(self):
        version = self.agreed.id
        for assignment in (
            "notice_days = 5",
            "valid_from = '2019-01-01'",
            "valid_to = NULL",
            "valid_to = '2100-01-01'",
            "pricelist_id = NULL, payment_term_id = NULL, credit_limit = 9",
            "state = 'draft'",
            "approved_by_id = 1, approved_at = now()",
            f"contract_id = {self.contract.id}",
            "number = 9",
        ):
            self.assertSqlRefused(f"UPDATE channel_contract_version SET {assignment} WHERE id = %s", version)
        self.assertSqlRefused("DELETE FROM channel_contract_version WHERE id = %s", version)

    def test_sql_lines(self):
        version = self.agreed.id
        self.assertSqlRefused("UPDATE channel_contract_clause_line SET body = 'X' WHERE version_id = %s", version)
        self.assertSqlRefused("DELETE FROM channel_contract_clause_line WHERE version_id = %s", version)
        self.assertSqlRefused("UPDATE channel_contract_commitment SET amount = 1 WHERE version_id = %s", version)
        self.assertSqlRefused(
            "UPDATE channel_contract_commitment SET version_id = %s WHERE version_id = %s", self.draft.id, version
        )
        self.assertSqlRefused(
            "INSERT INTO channel_contract_service_level (version_id, name, side, comparison, target, unit) "
            "VALUES (%s, 'X', 'company', 'max', 1, 'days')",
            version,
        )
        self.assertSqlRefused("DELETE FROM channel_contract_version_document_rel WHERE version_id = %s", version)
        self.assertSqlRefused("DELETE FROM ir_attachment WHERE id = %s", self.document.id)

    def test_sql_leaves_what_is_no_term(self):
        """Drafts are free, an end may come earlier, and what belongs to another place of the system goes on."""
        self.env.cr.execute(SQL("UPDATE channel_contract_version SET notice_days = 5 WHERE id = %s", self.draft.id))
        self.env.cr.execute(
            SQL("UPDATE channel_contract_version SET valid_to = '2098-12-31' WHERE id = %s", self.agreed.id)
        )
        self.env.cr.execute(SQL("UPDATE channel_contract_version SET region_id = NULL WHERE id = %s", self.agreed.id))
        self.env.cr.execute(
            SQL("UPDATE channel_contract_version SET state = 'superseded' WHERE id = %s", self.agreed.id)
        )
        self.assertSqlRefused("UPDATE channel_contract_version SET state = 'approved' WHERE id = %s", self.agreed.id)

    def test_the_door_of_migrations_is_open_for_one_transaction_only(self):
        query = "UPDATE channel_contract_version SET notice_days = 5 WHERE id = %s"
        self.env.cr.execute("SELECT set_config('channel.version_door', 'open', true)")
        self.assertSqlRefused(query, self.agreed.id)
        self.env.cr.execute("SELECT set_config('channel.version_door', txid_current()::text, true)")
        self.env.cr.execute(SQL(query, self.agreed.id))
