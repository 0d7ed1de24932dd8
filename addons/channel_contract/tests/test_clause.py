from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, freeze_time, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestClause(ChannelContractCommon):
    """The library, templates, variables, and how far a contract is from the standard."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("zh_CN")
        cls.quality = cls._channel_clause(
            "Quality",
            "Keep records for five years.",
            mandatory=True,
            texts=[
                {"rank": 1, "level": 1, "body": "<p>Keep records for three years.</p>"},
                {"rank": 2, "level": 3, "body": "<p>Keep records.</p>"},
                {"lang": "zh_CN", "title": "质量", "body": "<p>记录保存五年。</p>"},
            ],
        )
        cls.term = cls._channel_clause(
            "Term",
            "From {{ valid_from }} to {{ valid_to ||| further notice }}.",
            texts=[{"lang": "zh_CN", "title": "期限", "body": "<p>自{{ valid_from }}起。</p>"}],
        )

    def _draft(self, clauses=None, **values):
        if clauses is not None:
            values["clause_ids"] = self._channel_library_lines(clauses, second_lang=values.get("second_lang"))
        values.setdefault("lang", "en_US")
        return self._channel_contract(self.dealer, approve=False, **values).version_ids

    def _approve(self, version):
        version.with_user(self.user_manager).action_approve()
        return version

    # === LIBRARY ===#

    def test_text_of_the_library_is_approved_by_somebody_else(self):
        draft = self._channel_clause_version(self.quality, "New", approve=False, valid_from=date(2026, 1, 1))
        with self.assertRaises(UserError):
            draft.action_approve()
        self._approve(draft)
        with self.assertRaises(UserError):
            draft.text_ids.body = "<p>Other</p>"

    def test_contract_takes_over_the_text_in_force(self):
        self._channel_clause_version(self.quality, "Keep records for ten years.", valid_from=date(2026, 6, 1))
        for day, text in (("2026-05-31", "five"), ("2026-06-01", "ten")):
            with self.subTest(day), freeze_time(f"{day} 12:00:00"):
                [values] = self.quality._prepare_clause_line_vals("en_US")
                self.assertIn(text, values["body"])

    def test_clause_without_a_text_in_force_cannot_be_taken_over(self):
        draft = self._channel_clause("Draft", "Text", approve=False)
        with self.assertRaisesRegex(UserError, "Draft"):
            draft._prepare_clause_line_vals("en_US")

    def test_text_in_the_language_of_the_contract_or_none(self):
        english = self._channel_clause("English only", "Text")
        with self.assertRaisesRegex(UserError, "zh_CN.*English only"):
            (self.quality | english)._prepare_clause_line_vals("zh_CN")
        [values] = self.quality._prepare_clause_line_vals("zh_CN", "en_US")
        self.assertEqual((values["title"], values["second_title"]), ("质量", "Quality"))
        self.assertIn("五年", values["body"])
        self.assertIn("five", values["second_body"])

    def test_text_with_an_unknown_variable_is_not_approved(self):
        draft = self._channel_clause("Bad", "Dear {{ object.create_uid.login }}", approve=False).version_ids
        with self.assertRaisesRegex(UserError, r"object\.create_uid\.login.*contract_number"):
            self._approve(draft)
        draft.text_ids.body = "<p>{{ member_name</p>"
        with self.assertRaisesRegex(UserError, "braces"):
            self._approve(draft)
        draft.text_ids.body = "<p>{{ member_name }}</p>"
        self._approve(draft)

    def test_fallback_needs_a_standard_in_its_language(self):
        draft = self._channel_clause(
            "Half", "Text", approve=False, texts=[{"lang": "zh_CN", "rank": 1, "body": "<p>文</p>"}]
        ).version_ids
        with self.assertRaisesRegex(UserError, "zh_CN"):
            self._approve(draft)

    def test_applies_by_type_company_and_segment(self):
        kind = self.env["channel.contract.type"].create({"name": "Other kind", "code": "other_kind"})
        west = self.env["channel.segment"].create(
            {"name": "West", "member_domain": repr([("id", "=", self.other_dealer.id)])}
        )
        other_company = self.env["res.company"].create({"name": "Other company"})
        by_type = self._channel_clause("By type", "T", type_ids=[Command.set(kind.ids)])
        by_segment = self._channel_clause("By segment", "S", segment_ids=[Command.set(west.ids)])
        by_company = self._channel_clause("By company", "C", company_id=self.company.id)
        of_kind = self._channel_contract(self.dealer, approve=False, contract_values={"type_id": kind.id})
        abroad = self._channel_contract(
            self.dealer, approve=False, contract_values={"company_id": other_company.id, "user_id": False}
        )
        found = self.env["channel.clause"]._applicable(self.contract | self.contract_west | of_kind | abroad)
        specific = by_type | by_segment | by_company
        self.assertEqual(found[self.contract.id] & specific, by_company)
        self.assertEqual(found[self.contract_west.id] & specific, by_segment | by_company)
        self.assertEqual(found[of_kind.id] & specific, by_type | by_company)
        self.assertEqual(found[abroad.id] & specific, self.env["channel.clause"])

    def test_what_applies_takes_a_fixed_number_of_queries(self):
        contracts = self.env["channel.contract"].create(
            [{"title": str(number), "member_id": self.dealer.id} for number in range(100)]
        )

        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.env["channel.clause"]._applicable(records)
            return self.env.cr.sql_log_count - start

        count(contracts[:10])
        self.assertLessEqual(count(contracts), count(contracts[:10]) + 3)

    # === TEMPLATES ===#

    def _template(self, *entries):
        return self.env["channel.contract.template"].create(
            {
                "name": "Distribution",
                "line_ids": [
                    Command.create({"sequence": place, "clause_id": clause.id, "optional": optional})
                    for place, (clause, optional) in enumerate(entries)
                ],
            }
        )

    def test_template_orders_and_completes_the_clauses(self):
        extra = self._channel_clause("Extra", "Extra text")
        template = self._template((self.term, False), (extra, True), (self.quality, False))
        version = self._draft(self.quality)
        version.clause_ids.body = "<p>Negotiated.</p>"
        version.clause_ids = [Command.create({"title": "Own", "body": "<p>Own text</p>", "sequence": 1})]
        version._apply_template(template)
        self.assertEqual(version.clause_ids.mapped("title"), ["Term", "Quality", "Own"])
        self.assertIn("Negotiated", version.clause_ids[1].body)
        self.assertEqual(version.template_id, template)
        version._apply_template(template, extra | self.term | self.quality)
        self.assertEqual(version.clause_ids.mapped("title"), ["Term", "Extra", "Quality", "Own"])

    def test_wizard_offers_what_is_optional_and_applies(self):
        extra, other = (self._channel_clause(name, "Text") for name in ("Extra", "Other"))
        template = self._template((self.term, False), (extra, True), (other, True), (self.quality, True))
        version = self._draft()
        wizard = Form(self.env["channel.contract.template.apply"].with_context(default_version_id=version.id))
        wizard.template_id = template
        record = wizard.save()
        self.assertEqual(record.always_ids.clause_id, self.term | self.quality, "What is mandatory is no choice")
        record.optional_ids = template.line_ids.filtered(lambda line: line.clause_id == other)
        record.action_apply()
        self.assertEqual(version.clause_ids.mapped("title"), ["Term", "Other", "Quality"])

    def test_first_version_starts_with_the_template_of_its_type(self):
        category = self.env["channel.clause.category"].create({"name": "General"})
        self.term.category_id = category
        kind = self.env["channel.contract.type"].create(
            {"name": "Templated", "code": "templated", "template_id": self._template((self.term, False)).id}
        )
        contract = self.env["channel.contract"].create(
            {"title": "New", "member_id": self.dealer.id, "type_id": kind.id}
        )
        contract.action_new_version()
        self.assertRecordValues(
            contract.version_ids.clause_ids,
            [{"title": "Term", "section": "General"}, {"title": "Quality", "section": False}],
        )

    # === DEVIATION ===#

    def test_level_of_what_was_negotiated(self):
        version = self._draft(self.quality | self.term)
        quality, term = version.clause_ids
        self.assertEqual((version.deviation_level, version.deviating_count), (0, 0))
        texts = self.quality.version_ids.text_ids

        def level(line):
            return line.deviation, line.deviation_level, version.deviation_level

        quality.write(texts.filtered(lambda text: text.rank == 1)._prepare_line_vals())
        self.assertEqual(level(quality), ("fallback", 1, 1))
        quality.write(texts.filtered(lambda text: text.rank == 2)._prepare_line_vals())
        self.assertEqual(level(quality), ("fallback", 3, 3))
        quality.action_take_over()
        self.assertEqual(level(quality), ("none", 0, 0))
        quality.body = "<div>Keep   records for <b>five</b> years.</div>"
        self.assertEqual(level(quality), ("none", 0, 0), "Layout is no deviation")
        term.body = "<p>For ever.</p>"
        self.assertEqual(level(term), ("deviates", 2, 2))
        quality.body = "<p>Keep nothing.</p>"
        self.assertEqual(level(quality), ("deviates", 3, 3), "Of a mandatory clause")
        self.assertIn("<del>records for five years</del><ins>nothing</ins>", quality.difference_html)

    def test_own_clause_is_not_from_the_library(self):
        version = self._draft(self.quality)
        version.clause_ids = self._channel_clause_commands("Own")
        self.assertEqual(version.clause_ids.mapped("deviation"), ["none", "added"])
        self.assertEqual(version.deviation_level, 2)

    def test_mandatory_clause_is_missing_or_left_out_with_a_reason(self):
        version = self._draft()
        self.assertEqual(version.missing_clause_ids, self.quality)
        with self.assertRaisesRegex(UserError, "Quality"):
            self._approve(version)
        version.action_add_mandatory_clauses()
        self.assertFalse(version.missing_clause_ids)
        line = version.clause_ids
        with self.assertRaisesRegex(ValidationError, "reason"):
            line.omitted = True
        line.write({"omitted": True, "deviation_reason": "The member makes nothing"})
        self.assertEqual((line.deviation, version.deviation_level, line.number), ("missing", 3, 0))
        self._approve(version)
        self.assertFalse(version.contract_id.terms_at("2026-01-01")["clauses"])

    def test_judgement_stays_as_it_was_when_approved(self):
        version = self._draft(self.quality | self.term)
        version.clause_ids[1].body = "<p>For ever.</p>"
        self._approve(version)
        self.term.mandatory = True
        self.env.flush_all()
        self.assertEqual(version.deviation_level, 2)

    def test_new_text_of_the_library_is_offered_to_drafts(self):
        version = self._draft(self.quality | self.term)
        approved = self._approve(self._draft(self.quality))
        self.assertEqual(version.outdated_count, 0)
        self._channel_clause_version(self.quality, "Keep records for ten years.", valid_from=date(2021, 1, 1))
        self.env.invalidate_all()
        self.assertEqual(version.outdated_count, 1)
        self.assertEqual(version.deviation_level, 0, "It is what the library said when it was taken over")
        version.action_take_over_library()
        self.assertIn("ten", version.clause_ids[0].body)
        self.assertEqual(version.outdated_count, 0)
        self.assertIn("five", approved.clause_ids.text)

    def test_choosing_a_clause_or_a_text_fills_the_line(self):
        version = self._draft(second_lang="zh_CN")
        with Form(version) as form, form.clause_ids.new() as line:
            line.clause_id = self.quality
            self.assertEqual((line.title, line.second_title), ("Quality", "质量"))
            line.text_id = self.quality.version_ids.text_ids.filtered(lambda text: text.rank == 1)
        self.assertIn("three", version.clause_ids.body)
        self.assertEqual((version.clause_ids.deviation, version.clause_ids.number), ("fallback", 1))

    def test_text_is_of_the_same_clause(self):
        version = self._draft(self.quality)
        with self.assertRaisesRegex(ValidationError, "Term"):
            version.clause_ids.text_id = self.term.version_ids.text_ids[0]

    def test_second_language_comes_from_the_library_too(self):
        version = self._draft(self.quality | self.term)
        with Form(version) as form:
            form.second_lang = "zh_CN"
        self.assertEqual(version.clause_ids.mapped("second_title"), ["质量", "期限"])
        self.assertEqual(version.deviation_level, 0)
        version.clause_ids[0].second_body = "<p>记录保存三年。</p>"
        self.assertEqual(version.clause_ids[0].deviation, "deviates")

    # === VARIABLES ===#

    def test_variables_are_filled_in_by_language(self):
        version = self._draft(self.quality | self.term, valid_from=date(2026, 3, 1), second_lang="zh_CN")
        line = version.clause_ids[1]
        self.assertIn("From March 1, 2026 to further notice.", line.text)
        self.assertIn("自2026年3月1日起", line.second_text)

    def test_every_variable_has_a_value_for_a_full_contract(self):
        self.dealer.write({"vat": "NZ49098576", "street": "1 Test Road", "channel_code": "T-1"})
        self.company.partner_id.write({"vat": "NZ49098576", "street": "2 Test Road"})
        version = self._draft(
            valid_from=date(2026, 1, 1),
            valid_to=date(2026, 12, 31),
            pricelist_id=self.table.id,
            payment_term_id=self.env.ref("account.account_payment_term_30days").id,
            company_signatory="A",
            member_signatory="B",
            commitment_ids=[Command.create({"name": "Stents <all>", "amount": 1000})],
        )
        values = version._clause_values()
        self.assertEqual(values.keys(), version._clause_variables().keys())
        self.assertEqual([name for name, value in values.items() if not value], [])
        self.assertIn("Stents &lt;all&gt;", values["commitments"])

    def test_text_is_frozen_by_the_approval(self):
        version = self._draft(self.quality | self.term)
        self.assertFalse(version.clause_ids[1].frozen_body)
        self._approve(version)
        self.dealer.name = "Renamed"
        line = version.clause_ids[1]
        self.assertIn("From January 1, 2020 to further notice.", line.frozen_body)
        self.assertEqual(line.text, line.frozen_body)
        self.assertIn(
            "From January 1, 2020", version.contract_id.terms_at("2026-01-01")["clauses"][1]["body"]
        )
        for values in ({"frozen_body": "<p>x</p>"}, {"frozen_second_body": "<p>x</p>"}, {"key": "x"}):
            with self.subTest(values), self.assertRaises(UserError):
                line.write(values)
        with self.assertRaises(UserError):
            line.with_context(channel_clause_freezer=True).write({"frozen_body": "<p>x</p>"})
        draft = self.env["channel.contract.version"].browse(version.contract_id.action_new_version()["res_id"])
        self.assertFalse(draft.clause_ids[1].frozen_body)
        self.assertIn("{{ valid_from }}", draft.clause_ids[1].body)
        self.assertEqual(draft.clause_ids.mapped("key"), version.clause_ids.mapped("key"))

    def test_version_is_not_approved_with_a_variable_that_is_unknown_or_empty(self):
        version = self._draft(self.quality)
        version.clause_ids.body = "<p>Keep {{ five_years }}.</p>"
        with self.assertRaisesRegex(UserError, r"clause 1 “Quality”.*five_years.*valid_from"):
            self._approve(version)
        version.clause_ids.body = "<p>Until {{ valid_to }}.</p>"
        with self.assertRaisesRegex(UserError, r"Last day \(valid_to\)"):
            self._approve(version)
        version.valid_to = date(2030, 12, 31)
        self._approve(version)
        self.assertIn("December 31, 2030", version.clause_ids.frozen_body)

    def test_preview_fills_in_the_terms_of_a_contract(self):
        version = self._draft(valid_from=date(2026, 3, 1))
        library = self.term.version_ids.with_user(self.user_contract)
        with Form(library) as form:
            form.preview_version_id = version
            self.assertIn("March 1, 2026", form.preview_html)
            self.assertIn("{{ valid_from }}", form.variables_html)

    # === ACCESS ===#

    def test_library_is_written_by_contract_and_read_by_the_channel(self):
        clause = self.env["channel.clause"].with_user(self.user_contract).create({"name": "New"})
        clause.action_new_version()
        clause.version_ids.text_ids.body = "<p>Text</p>"
        self._approve(clause.version_ids)
        self.assertIn("Text", clause.with_user(self.user_sales).body)
        with self.assertRaises(AccessError):
            clause.with_user(self.user_sales).mandatory = True
        for model in ("channel.clause", "channel.clause.version", "channel.clause.text", "channel.contract.template"):
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(self.user_portal).search([])

    def test_member_does_not_read_what_else_would_have_been_offered(self):
        version = self._approve(self._draft(self.quality))
        lines = version.clause_ids.with_user(self.user_portal)
        self.assertIn("five", lines.text)
        for name in ("clause_id", "text_id", "deviation", "deviation_level", "deviation_reason", "difference_html"):
            with self.subTest(name), self.assertRaises(AccessError):
                lines.read([name])
        with self.assertRaises(AccessError):
            lines.version_id.read(["deviation_level"])
