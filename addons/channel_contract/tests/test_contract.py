from datetime import date

from psycopg2.errors import ExclusionViolation

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContract(ChannelContractCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls.env["res.partner"].create(cls._channel_member_values("Test New Dealer", cls.region_city))

    def _states(self, contract, *days):
        states = []
        for day in days:
            with freeze_time(f"{day} 12:00:00"):
                contract.invalidate_recordset(["state", "current_version_id"])
                found = self.env["channel.contract"].search(
                    [("id", "=", contract.id), ("state", "in", [contract.state])]
                )
                self.assertEqual(found, contract, "The search agrees with the field")
                states.append(contract.state)
        return states

    # === IDENTITY ===#

    def test_number_is_given_and_unique_in_the_company(self):
        first, second = (self._channel_contract(self.member, approve=False) for _number in range(2))
        self.assertTrue(first.name)
        self.assertNotEqual(first.name, second.name)

    def test_party_must_be_a_member(self):
        stranger = self.env["res.partner"].create({"name": "Stranger", "is_company": True})
        with self.assertRaisesRegex(ValidationError, "Stranger"):
            self._channel_contract(stranger)

    def test_parties_are_fixed_once_a_version_is_approved(self):
        contract = self._channel_contract(self.member, approve=False)
        contract.member_id = self.other_dealer
        contract.version_ids.with_user(self.user_manager).action_approve()
        for values in ({"member_id": self.member.id}, {"currency_id": self.env.ref("base.JPY").id}, {"name": "X"}):
            with self.subTest(values), self.assertRaises(UserError):
                contract.write(values)
        contract.write({"member_id": self.other_dealer.id, "title": "Another title"})

    def test_approved_contract_is_not_deleted(self):
        with self.assertRaises(UserError):
            self.contract.unlink()
        draft = self._channel_contract(self.member, approve=False)
        draft.unlink()
        self.assertFalse(draft.exists())

    # === DATES ===#

    def test_state_on_first_and_last_day_and_the_days_beside(self):
        contract = self._channel_contract(self.member, valid_from=date(2026, 3, 1), valid_to=date(2026, 3, 31))
        self.assertEqual(
            self._states(contract, "2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01"),
            ["future", "in_force", "in_force", "ended"],
        )

    def test_contract_without_approved_version_is_a_draft(self):
        contract = self._channel_contract(self.member, approve=False)
        self.assertEqual(self._states(contract, "2026-03-01"), ["draft"])

    def test_next_version_ends_the_one_before_on_the_day_before(self):
        contract = self._channel_contract(self.member, valid_from=date(2026, 1, 1))
        first = contract.version_ids
        second = self._channel_version(contract, valid_from=date(2026, 7, 1))
        self.assertEqual(first.valid_to, date(2026, 6, 30))
        self.assertEqual(contract._version_at("2026-06-30"), first)
        self.assertEqual(contract._version_at("2026-07-01"), second)

    def test_approved_versions_do_not_overlap_even_in_sql(self):
        contract = self._channel_contract(self.member, valid_from=date(2026, 1, 1), valid_to=date(2026, 6, 30))
        draft = self._channel_version(contract, approve=False, valid_from=date(2026, 7, 1))
        self.env.flush_all()
        with self.assertRaises(ExclusionViolation), mute_logger("odoo.sql_db"), self.cr.savepoint():
            self.cr.execute(
                "UPDATE channel_contract_version SET state = 'approved', valid_from = '2026-06-30' WHERE id = %s",
                [draft.id],
            )

    # === APPROVAL ===#

    def test_author_does_not_approve(self):
        contract = self._channel_contract(self.member, approve=False)
        with self.assertRaises(UserError):
            contract.version_ids.action_approve()
        contract.version_ids.with_user(self.user_manager).action_approve()
        self.assertEqual(contract.version_ids.approved_by_id, self.user_manager)

    def test_approval_is_in_the_journal_with_its_terms(self):
        contract = self._channel_contract(
            self.member, pricelist_id=self.table.id, clause_ids=self._channel_clause_commands("Quality")
        )
        entry = (
            self.env["channel.audit.entry"]
            .sudo()
            .search([("model", "=", "channel.contract.version"), ("res_id", "=", contract.version_ids.id)], limit=1)
        )
        self.assertEqual((entry.action, entry.user_id), ("approval.approved", self.user_manager))
        self.assertIn("Test Table", entry.after)
        self.assertIn("Text of Quality", entry.after)

    def test_approved_terms_cannot_be_written(self):
        contract = self._channel_contract(
            self.member,
            clause_ids=self._channel_clause_commands("Quality"),
            commitment_ids=[Command.create({"name": "Stents", "amount": 1000})],
        )
        version = contract.version_ids
        for write in (
            lambda: version.write({"pricelist_id": self.table.id}),
            lambda: version.write({"valid_from": date(2019, 1, 1)}),
            lambda: version.write({"clause_ids": self._channel_clause_commands("More")}),
            lambda: version.write({"document_ids": [Command.clear()]}),
            lambda: version.clause_ids.write({"body": "<p>Other</p>"}),
            lambda: version.clause_ids.unlink(),
            lambda: version.commitment_ids.write({"amount": 1}),
            lambda: version.commitment_ids.create({"version_id": version.id, "name": "X", "amount": 1}),
            lambda: version.write({"state": "draft"}),
            lambda: version.unlink(),
        ):
            with self.assertRaises(UserError):
                write()

    def test_new_version_copies_terms_and_shows_what_changes(self):
        contract = self._channel_contract(
            self.member,
            pricelist_id=self.table.id,
            notice_days=30,
            clause_ids=self._channel_clause_commands("Quality", "Term"),
            commitment_ids=[Command.create({"name": "Stents", "amount": 1000})],
        )
        action = contract.action_new_version()
        draft = self.env["channel.contract.version"].browse(action["res_id"])
        self.assertEqual(draft.clause_ids.mapped("title"), ["Quality", "Term"])
        self.assertEqual(draft.commitment_ids.amount, 1000)
        draft.write({"pricelist_id": False, "notice_days": 60})
        draft.commitment_ids.amount = 1200
        draft.clause_ids[1].body = "<p>Two years</p>"
        paths = {change["path"]: (change["before"], change["after"]) for change in draft.difference()}
        self.assertEqual(paths["notice_days"], (30, 60))
        self.assertEqual(paths["pricelist_id"], (self.table.display_name, None))
        self.assertEqual(paths["commitment_ids[Stents].amount"], (1000, 1200))
        self.assertIn("clause_ids[Term].body", paths)
        self.assertNotIn("clause_ids[Quality].body", paths)
        self.assertIn("60", str(draft.difference_html))

    # === CLAUSES ===#

    def test_commitment_is_above_zero(self):
        with self.assertRaisesRegex(ValidationError, "Stents"):
            self._channel_contract(self.member, commitment_ids=[Command.create({"name": "Stents", "amount": 0})])

    # === AUTHORIZATIONS ===#

    def _authorized(self, day):
        [match] = self.env["channel.authorization"]._match_lines(
            [
                {
                    "member_id": self.member.id,
                    "customer_id": self.hospital.id,
                    "product_id": self.device.id,
                    "date": date.fromisoformat(day),
                    "company_id": self.company.id,
                }
            ]
        )
        return bool(match.covering)

    def test_authorization_holds_while_its_version_does(self):
        contract = self._channel_contract(
            self.member, approve=False, valid_from=date(2026, 3, 1), valid_to=date(2026, 3, 31)
        )
        version = contract.version_ids
        authorization = self._channel_authorization(self.member, self.region_east, contract_version_id=version.id)
        self.assertFalse(self._authorized("2026-03-15"), "A draft version carries nothing")
        version.with_user(self.user_manager).action_approve()
        self.assertEqual(
            [self._authorized(day) for day in ("2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01")],
            [False, True, True, False],
        )
        Authorization = self.env["channel.authorization"]
        for day, status in (("2026-02-28", "future"), ("2026-03-15", "valid"), ("2026-04-01", "expired")):
            with self.subTest(day), freeze_time(f"{day} 12:00:00"):
                authorization.invalidate_recordset(["status"])
                self.assertEqual(authorization.status, status)
                for other in ("future", "valid", "expiring", "expired", "draft"):
                    found = Authorization.search([("id", "=", authorization.id), ("status", "=", other)])
                    self.assertEqual(bool(found), other == status)

    def test_authorizations_follow_only_by_being_drafted_again(self):
        contract = self._channel_contract(self.member, valid_from=date(2026, 1, 1))
        self._channel_authorization(self.member, self.region_east, contract_version_id=contract.version_ids.id)
        draft = self.env["channel.contract.version"].browse(contract.action_new_version()["res_id"])
        draft.write({"valid_from": date(2027, 1, 1), "valid_to": date(2027, 12, 31)})
        draft.action_copy_authorizations()
        self.assertRecordValues(
            draft.authorization_ids,
            [{"state": "draft", "date_from": date(2027, 1, 1), "date_to": date(2027, 12, 31), "all_products": True}],
        )
        draft.with_user(self.user_manager).action_approve()
        self.assertTrue(self._authorized("2026-12-31"))
        self.assertFalse(self._authorized("2027-01-01"))

    def test_authorization_and_version_are_of_the_same_member(self):
        with self.assertRaises(ValidationError):
            self._channel_authorization(self.member, self.region_east, contract_version_id=self.contract.version_ids.id)
