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
                    "measure": "amount",
                    "amount": 1000,
                    "quantity": None,
                    "currency": self.company.currency_id.name,
                    "period": "quarter",
                    "anchor": "calendar",
                    "basis": "invoiced",
                    "tolerance": 0,
                    "product_categ_id": None,
                    "product_tmpl_ids": [],
                    "region_id": None,
                    "customer_id": None,
                    "award_reference": None,
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

    def test_further_terms(self):
        document = self.env["ir.attachment"].create(
            {"name": "quality.pdf", "raw": b"x", "channel_contract_kind": "quality"}
        )
        contract = self._channel_contract(
            self.dealer,
            has_credit_limit=True,
            credit_limit=5000,
            stops_overdue=True,
            overdue_days=10,
            renewal="automatic",
            renewal_months=12,
            quality_form="agreement",
            quality_note="Complaints within a day",
            after_sales_side="company",
            document_ids=[Command.set(document.ids)],
            service_level_ids=[Command.create({"name": "Delivery", "target": 5, "unit": "working days"})],
            commitment_ids=[
                Command.create(
                    {
                        "name": "Volume",
                        "measure": "quantity",
                        "quantity": 40,
                        "customer_id": self.hospital.id,
                        "region_id": self.region_east.id,
                        "product_tmpl_ids": [Command.link(self.device.product_tmpl_id.id)],
                    }
                )
            ],
        )
        authorization = self._channel_authorization(
            self.dealer, self.region_east, contract_version_id=contract.version_ids.id
        )
        terms = contract.terms_at("2026-03-01")
        self.assertEqual(
            (terms["credit_limit"], terms["overdue_days"], terms["renewal_months"], terms["notice_days"]),
            (5000, 10, 12, 0),
        )
        self.assertEqual(
            terms["quality"], {"form": "agreement", "note": "Complaints within a day", "after_sales": "company"}
        )
        [level], [commitment], [file] = terms["service_levels"], terms["commitments"], terms["documents"]
        self.assertEqual((level["comparison"], level["target"], level["unit"]), ("max", 5, "working days"))
        self.assertEqual(
            (commitment["amount"], commitment["quantity"], commitment["product_tmpl_ids"], commitment["customer_id"]),
            (None, 40, self.device.product_tmpl_id.ids, self.hospital.id),
        )
        self.assertEqual((file["kind"], file["sha1"]), ("quality", document.checksum))
        self.assertEqual([line["number"] for line in terms["authorizations"]], [authorization.number])
        self.assertEqual(json.loads(json.dumps(terms)), terms, "JSON in and out")
        plain = self.contract.terms_at("2026-03-01")
        self.assertIsNone(plain["credit_limit"])
        self.assertIsNone(plain["overdue_days"])

    def test_names_are_in_the_reader_s_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.table.with_context(lang="fr_FR").name = "Tarif"
        contract = self._channel_contract(self.dealer, pricelist_id=self.table.id)
        self.assertEqual(contract.with_context(lang="fr_FR").terms_at("2026-03-01")["pricelist"], "Tarif")
        self.assertEqual(contract.terms_at("2026-03-01")["pricelist"], "Test Table")

    # === AS KNOWN ===#

    def _known(self, contract, date, *known):
        return [(contract.terms_at(date, known_on=day) or {}).get("version") for day in known]

    def test_what_was_known_before_an_amendment_for_the_past(self):
        with freeze_time("2026-01-01 12:00:00"):
            contract = self._channel_contract(self.dealer, valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
        with freeze_time("2026-07-10 12:00:00"):
            self._channel_version(contract, valid_from=date(2026, 3, 1))
        for day, known in (
            ("2026-02-28", [1, 1, 1]),
            ("2026-03-01", [1, 1, 2]),
            ("2027-01-01", [None, None, 2]),
        ):
            with self.subTest(day):
                self.assertEqual(self._known(contract, day, "2026-01-01", "2026-07-09", "2026-07-10"), known)
                self.assertEqual(self._known(contract, day, "2026-07-10"), self._known(contract, day, None))
        self.assertEqual(contract.terms_at("2026-03-01", known_on="2026-07-09")["valid_to"], "2026-12-31")
        self.assertEqual(contract.terms_at("2026-02-01")["valid_to"], "2026-02-28")
        self.assertIsNone(contract.terms_at("2026-03-01", known_on="2025-12-31"), "Nothing was approved then")

    def test_what_was_known_before_a_version_was_replaced(self):
        with freeze_time("2026-01-01 12:00:00"):
            contract = self._channel_contract(self.dealer, valid_from=date(2026, 1, 1))
        with freeze_time("2026-02-10 12:00:00"):
            self._channel_version(contract, valid_from=date(2026, 1, 1), valid_to=date(2026, 1, 31))
        self.assertEqual(self._known(contract, "2026-01-15", "2026-02-09", "2026-02-10"), [1, 2])
        self.assertEqual(self._known(contract, "2026-02-01", "2026-02-09", "2026-02-10"), [1, None])

    def test_what_was_known_before_termination_and_suspension(self):
        with freeze_time("2026-01-01 12:00:00"):
            contract = self._channel_contract(self.dealer, valid_from=date(2026, 1, 1))
        with freeze_time("2026-02-01 12:00:00"):
            contract.action_suspend("X", date="2026-02-05")
        with freeze_time("2026-02-20 12:00:00"):
            contract.action_resume("X", date="2026-02-10")
        with freeze_time("2026-03-01 12:00:00"):
            contract.action_terminate("X", date="2026-03-31")
        self.assertEqual(self._known(contract, "2026-02-07", "2026-01-31", "2026-02-01", "2026-02-20"), [1, None, None])
        self.assertEqual(self._known(contract, "2026-02-15", "2026-01-31", "2026-02-19", "2026-02-20"), [1, None, 1])
        self.assertEqual(self._known(contract, "2026-04-01", "2026-02-28", "2026-03-01"), [1, None])
        self.assertEqual(self._known(contract, "2026-03-31", "2026-02-28", "2026-03-01"), [1, 1])

    def test_the_day_of_knowledge_ends_where_the_company_is(self):
        self.company.partner_id.tz = "Asia/Shanghai"
        with freeze_time("2026-01-10 15:59:00"):
            contract = self._channel_contract(self.dealer, valid_from=date(2026, 1, 1))
        self.assertEqual(self._known(contract, "2026-01-05", "2026-01-09", "2026-01-10"), [None, 1])
        with freeze_time("2026-01-10 16:00:00"):
            later = self._channel_contract(self.dealer, valid_from=date(2026, 1, 1))
        self.assertEqual(self._known(later, "2026-01-05", "2026-01-10", "2026-01-11"), [None, 1])

    def test_wrong_day_of_knowledge_is_named(self):
        with self.assertRaisesRegex(ValidationError, "known_on"):
            self.contract.terms_at("2026-01-01", known_on="yesterday")

    # === COST ===#

    def test_any_number_of_contracts_is_one_query(self):
        contracts = self.env["channel.contract"]
        for _number in range(100):
            contracts += self._channel_contract(
                self.dealer,
                clause_ids=self._channel_clause_commands("A", "B"),
                commitment_ids=[Command.create({"name": "C", "amount": 1})],
            )

        def count(some, user, *arguments):
            some = some.with_user(user)
            self.env.flush_all()
            some.check_access("read")
            before = self.env.cr.sql_log_count
            self.assertEqual(len(some.terms_at(*arguments)), len(some))
            return self.env.cr.sql_log_count - before

        for arguments in (("2026-03-01",), (), ("2026-03-01", "2026-03-01")):
            for user in (self.env.user, self.user_sales):
                count(contracts, user, *arguments)
                few, many = count(contracts[:3], user, *arguments), count(contracts, user, *arguments)
                self.assertEqual(few, many)
                self.assertLessEqual(many, 3, "The rights, the companies' days, and the terms")
        self.assertEqual(count(contracts.sudo(), self.env.user, "2026-03-01"), 1)
