from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractAccess(ChannelContractCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.draft = cls._channel_contract(cls.dealer, approve=False, clause_ids=cls._channel_clause_commands("Quality"))
        cls.contract_west.version_ids.flush_recordset()

    def test_contract_edits_and_other_positions_read(self):
        contract = self.draft.with_user(self.user_contract)
        contract.title = "Edited"
        contract.version_ids.notice_days = 10
        contract.version_ids.clause_ids.body = "<p>Edited</p>"
        for position in ("sales", "manager", "pricing", "finance", "compliance", "executive", "auditor"):
            user = getattr(self, f"user_{position}")
            contract = self.draft.with_user(user)
            with self.subTest(position):
                self.assertEqual(contract.title, "Edited")
                self.assertEqual(contract.version_ids.clause_ids.title, "Quality")
                for record in (contract, contract.version_ids, contract.version_ids.clause_ids):
                    self.assertFalse(record.has_access("write"))
                    self.assertFalse(record.has_access("unlink"))
                    self.assertFalse(record.has_access("create"))

    def test_contract_position_creates_and_manager_approves(self):
        contract = (
            self.env["channel.contract"]
            .with_user(self.user_contract)
            .create({"title": "New", "member_id": self.other_dealer.id})
        )
        contract.action_new_version()
        version = contract.version_ids
        with self.assertRaises(UserError):
            version.action_approve()
        version.with_user(self.user_manager).action_approve()
        self.assertEqual(version.state, "approved")

    def test_regional_user_sees_contracts_of_the_own_regions(self):
        user = self.user_sales
        seen = self.env["channel.contract"].with_user(user).search([])
        self.assertIn(self.contract, seen)
        self.assertNotIn(self.contract_west, seen)
        for model in ("channel.contract.version", "channel.contract.clause.line", "channel.contract.commitment"):
            records = self.env[model].with_user(user).search([])
            versions = records if model == "channel.contract.version" else records.version_id
            self.assertNotIn(self.other_dealer, versions.member_id)
        with self.assertRaises(AccessError):
            self.contract_west.with_user(user).check_access("read")
        self.assertIn(self.contract_west, self.env["channel.contract"].with_user(self.user_manager).search([]))

    def test_user_without_a_position_sees_no_contract(self):
        for model in ("channel.contract", "channel.contract.version", "channel.clause"):
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(self.user_internal).search([])

    def test_portal_user_sees_approved_contracts_of_the_own_company_only(self):
        user = self.user_portal
        self.assertEqual(self.env["channel.contract"].with_user(user).search([]), self.contract)
        self.assertEqual(self.env["channel.contract.version"].with_user(user).search([]), self.contract.version_ids)
        for record in (
            self.contract_west,
            self.contract_west.version_ids,
            self.draft,
            self.draft.version_ids,
            self.draft.version_ids.clause_ids,
        ):
            with self.subTest(record), self.assertRaises(AccessError):
                record.with_user(user).read()
        for record in (self.contract, self.contract.version_ids):
            for operation in ("write", "create", "unlink"):
                self.assertFalse(record.with_user(user).has_access(operation))

    def test_other_company_s_contracts_are_hidden(self):
        company = self.env["res.company"].create({"name": "Other company"})
        contract = self._channel_contract(
            self.dealer, approve=False, contract_values={"company_id": company.id, "user_id": False}
        )
        seen = self.env["channel.contract"].with_user(self.user_contract).search([])
        self.assertNotIn(contract, seen)
        with self.assertRaises(AccessError):
            contract.version_ids.with_user(self.user_contract).check_access("read")
