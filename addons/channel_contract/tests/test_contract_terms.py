import json
from datetime import date

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractTerms(ChannelContractCommon):
    def test_terms_of_the_version_in_force_on_the_day(self):
        contract = self._channel_contract(
            self.dealer,
            valid_from=date(2026, 1, 1),
            pricelist_id=self.table.id,
            payment_term_id=self.env.ref("account.account_payment_term_30days").id,
            clause_ids=self._channel_clause_commands("Quality", "Term"),
            commitment_ids=[Command.create({"name": "Stents", "amount": 1000, "period": "quarter"})],
        )
        self._channel_version(contract, valid_from=date(2026, 7, 1), valid_to=date(2026, 12, 31))
        self.assertIsNone(contract.terms_at("2025-12-31"))
        self.assertIsNone(contract.terms_at("2027-01-01"))
        self.assertEqual(contract.terms_at("2026-07-01")["version"], 2)
        terms = contract.terms_at("2026-06-30")
        self.assertEqual(json.loads(json.dumps(terms)), terms, "JSON in and out")
        self.assertEqual(
            {key: terms[key] for key in ("version", "valid_from", "valid_to", "pricelist", "member_id", "currency")},
            {
                "version": 1,
                "valid_from": "2026-01-01",
                "valid_to": "2026-06-30",
                "pricelist": "Test Table",
                "member_id": self.dealer.id,
                "currency": self.company.currency_id.name,
            },
        )
        self.assertEqual([(c["number"], c["title"]) for c in terms["clauses"]], [(1, "Quality"), (2, "Term")])
        self.assertEqual(
            terms["commitments"],
            [
                {
                    "name": "Stents",
                    "period": "quarter",
                    "amount": 1000,
                    "currency": self.company.currency_id.name,
                    "product_categ_id": None,
                }
            ],
        )

    def test_without_a_date_it_is_today_where_the_company_is(self):
        contract = self._channel_contract(self.dealer, valid_from=date(2026, 3, 2))
        with freeze_time("2026-03-01 12:00:00"):
            self.assertIsNone(contract.terms_at())
            self.company.partner_id.tz = "Pacific/Auckland"
            self.assertEqual(contract.terms_at()["version"], 1)

    def test_drafts_do_not_count(self):
        self.assertIsNone(self._channel_contract(self.dealer, approve=False).terms_at("2026-03-01"))

    def test_several_contracts_answer_in_their_order(self):
        contracts = self.contract_west + self._channel_contract(self.dealer, approve=False) + self.contract
        answers = contracts.terms_at("2026-03-01")
        self.assertEqual(
            [answer and answer["contract_id"] for answer in answers], [self.contract_west.id, None, self.contract.id]
        )

    def test_wrong_date_is_named(self):
        for value in ("31/03/2026", "tomorrow", 20260331, ""):
            with self.subTest(value), self.assertRaisesRegex(ValidationError, "date"):
                self.contract.terms_at(value)

    def test_terms_need_read_access(self):
        for user in (self.user_portal, self.user_sales):
            self.assertTrue(self.contract.with_user(user).terms_at("2026-03-01"))
            with self.assertRaises(AccessError):
                self.contract_west.with_user(user).terms_at("2026-03-01")

    def test_number_of_queries_does_not_depend_on_the_number_of_contracts(self):
        contracts = self.env["channel.contract"]
        for _number in range(33):
            contracts += self._channel_contract(
                self.dealer,
                clause_ids=self._channel_clause_commands("A", "B"),
                commitment_ids=[Command.create({"name": "C", "amount": 1})],
            )

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some.terms_at("2026-03-01")
            return self.env.cr.sql_log_count - before

        count(contracts)
        self.assertLessEqual(count(contracts[3:]), count(contracts[:3]) + 1)
