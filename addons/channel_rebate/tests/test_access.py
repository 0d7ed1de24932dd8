from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ChannelRebateCommon

POSITIONS = ("sales", "manager", "pricing", "contract", "finance", "compliance", "executive", "auditor", "admin")
READERS = {"sales", "manager", "finance", "executive", "auditor", "admin"}
EDITORS = {"finance", "admin"}


@tagged("post_install", "-at_install")
class TestRebateAccess(ChannelRebateCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._program("ACCESS", [(0, 10)])
        cls._invoice(1000, "2026-01-10")
        cls._invoice(2000, "2026-01-10", member=cls.other_dealer)
        cls.program.accrue("2026-03-31")
        cls.settlements = cls.env["channel.settlement"].browse(cls.program.propose_settlements("2026-03-31"))
        Balance = cls.env["channel.rebate.balance"]
        cls.own = Balance.search([("program_id", "=", cls.program.id), ("member_id", "=", cls.dealer.id)])
        cls.foreign = Balance.search([("program_id", "=", cls.program.id), ("member_id", "=", cls.other_dealer.id)])

    def test_matrix(self):
        """Every position x every model x every operation."""
        everybody = set(POSITIONS)
        expected = {
            # model: (read, write, create, unlink)
            "channel.rebate.program": (everybody, EDITORS, EDITORS, EDITORS),
            "channel.rebate.program.version": (everybody, EDITORS, EDITORS, EDITORS),
            "channel.rebate.tier": (everybody, EDITORS, EDITORS, EDITORS),
            "channel.rebate.entry": (READERS, set(), set(), set()),
            "channel.rebate.balance": (READERS, set(), set(), set()),
            "channel.settlement": (READERS, EDITORS, EDITORS, EDITORS),
            "channel.settlement.line": (READERS, EDITORS, EDITORS, EDITORS),
        }
        for model, groups in expected.items():
            for operation, allowed in zip(("read", "write", "create", "unlink"), groups, strict=True):
                found = {
                    position
                    for position in POSITIONS
                    if self.env[model].with_user(self[f"user_{position}"]).has_access(operation)
                }
                self.assertEqual(found, allowed, f"{model}: {operation}")
            for user in (self.user_internal, self.user_portal):
                readable = self.env[model].with_user(user).has_access("read")
                self.assertEqual(
                    readable,
                    user == self.user_portal and model in ("channel.rebate.entry", "channel.rebate.balance"),
                    f"{model}: {user.login}",
                )

    def __getitem__(self, name):
        return getattr(self, name)

    def test_sales_sees_own_region(self):
        """The salesperson of the east sees the dealer of the east in balances, entries and settlements."""
        for model in ("channel.rebate.balance", "channel.rebate.entry", "channel.settlement"):
            found = self.env[model].with_user(self.user_sales).search([("program_id", "=", self.program.id)])
            self.assertEqual(found.member_id, self.dealer, model)
            found = self.env[model].with_user(self.user_manager).search([("program_id", "=", self.program.id)])
            self.assertEqual(found.member_id, self.dealer + self.other_dealer, model)
        lines = self.env["channel.settlement.line"].with_user(self.user_sales).search([])
        self.assertEqual(lines.settlement_id.member_id, self.dealer)

    def test_public_methods_regional(self):
        program = self.program.with_user(self.user_sales)
        self.assertEqual(program.statement(self.dealer.id, "2026-Q1")["programs"][0]["entitlement"], 100)
        with self.assertRaises(AccessError):
            program.statement(self.other_dealer.id, "2026-Q1")
        self.assertEqual(program.explain(balance=self.own.id)["entitlement"], 100)
        with self.assertRaises(AccessError):
            program.explain(balance=self.foreign.id)
        with self.assertRaises(AccessError):
            program.explain(self.foreign._entries().id)
        with self.assertRaises(AccessError):
            program.accrue("2026-03-31")
        with self.assertRaises(AccessError):
            program.simulate("2026-01-01", "2026-03-31")

    def test_portal_sees_own_company_only(self):
        program = self.env["channel.rebate.program"].with_user(self.user_portal)
        balances = self.env["channel.rebate.balance"].with_user(self.user_portal).search([])
        self.assertEqual(balances, self.own)
        entries = self.env["channel.rebate.entry"].with_user(self.user_portal).search([])
        self.assertEqual(entries.member_id, self.dealer)
        self.assertEqual(program.explain(balance=self.own.id)["entitlement"], 100)
        statement = program.statement(self.dealer.id, "2026-Q1")
        self.assertEqual(statement["programs"][0]["open"], 100)
        with self.assertRaises(AccessError):
            program.explain(balance=self.foreign.id)
        with self.assertRaises(AccessError):
            program.statement(self.other_dealer.id, "2026-Q1")
        with self.assertRaises(AccessError):
            program.accrue("2026-03-31")
        with self.assertRaises(AccessError):
            program.simulate("2026-01-01", "2026-03-31")
        with self.assertRaises(AccessError):
            self.program.with_user(self.user_portal).read(["name"])

    def test_finance_does_the_work(self):
        """The rebate accountant makes a programme, accrues, drafts; the manager, who cannot edit, approves."""
        program = self.program.with_user(self.user_finance)
        self._invoice(500, "2026-02-10")
        rows = program.accrue("2026-03-31")
        self.assertEqual(sum(row["booked"] for row in rows), 50)
        self.settlements.with_user(self.user_finance).action_update_amounts()
        self.settlements.with_user(self.user_manager).action_approve()
        self.assertEqual(set(self.settlements.move_id.mapped("state")), {"posted"})
        with self.assertRaises(AccessError):
            self.settlements.with_user(self.user_manager).write({"note": "x"})

    def test_auditor_changes_nothing(self):
        program = self.program.with_user(self.user_auditor)
        self.assertTrue(program.simulate("2026-01-01", "2026-03-31"))
        self.assertTrue(program.statement(self.dealer.id, "2026"))
        with self.assertRaises(AccessError):
            program.accrue("2026-03-31")
        with self.assertRaises(AccessError):
            program.propose_settlements("2026-03-31")
