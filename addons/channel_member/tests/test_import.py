import base64
import io
from datetime import date, datetime

import openpyxl

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.channel_base.tools import table_file

from .common import ChannelMemberCommon


class ImportCase(ChannelMemberCommon):
    #: Name of the import and its columns
    model = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.env.ref("base.nz")
        cls.state = cls.env["res.country.state"].create(
            {"name": "Test Province", "code": "T-P", "country_id": cls.env.ref("base.nz").id}
        )
        cls.region_province = cls.env["channel.region"].create({
            "name": "Test Province", "code": "T-PROV", "level": "province", "parent_id": cls.region_west.id,
            "state_id": cls.state.id,
        })

    def _file(self, rows, columns=None):
        """:return: an XLSX file with the rows; columns by their technical names, in the order of the first row"""
        columns = columns or list(dict.fromkeys(name for row in rows for name in row))
        return table_file.write_table([(name, name) for name in columns], rows)

    def _import(self, rows=None, content=None, user=None, check=True, **values):
        record = self.env[self.model].with_user(user or self.user_manager).create({
            "file_name": "file.xlsx",
            "file": base64.b64encode(content if content is not None else self._file(rows)),
            **values,
        })
        if check:
            record.action_check()
        return record

    def _counts(self, record):
        return record.row_count, record.new_count, record.changed_count, record.unchanged_count, record.error_count

    def _problems(self, record):
        return [(line.row_number, line.code) for line in record.problem_ids]


@tagged("post_install", "-at_install")
class TestMemberImport(ImportCase):
    model = "channel.member.import"

    def _row(self, **values):
        return {"name": "New Dealer", "channel_role": "distributor", "vat": "NZ-1", **values}

    def setUp(self):
        super().setUp()
        # numbers of a country without a check digit of its own, so that tests may make them up
        self.company.country_id = self.env.ref("base.aq")

    def _member(self, name):
        return self.env["res.partner"].search([("name", "=", name)])

    # === THE WAY OF A FILE === #

    def test_dry_run_writes_nothing_and_apply_writes_what_was_shown(self):
        rows = [
            self._row(
                channel_code="T-1", country="NZ", state="Test Province", city="Testville", street="1 Road",
                email="a@example.com", phone="123", contact_name="Ann", contact_email="ann@example.com", vat=None,
            ),
            self._row(name="New Hospital", channel_role="Hospital", region="T-EAST", vat="NZ-2", parent="T-1"),
        ]
        record = self._import(rows)
        self.assertEqual(self._counts(record), (2, 2, 0, 0, 0))
        self.assertEqual(record.preview_ids.mapped("summary"), ["T-1 New Dealer", "New Hospital"])
        self.assertFalse(self._member("New Dealer"))
        record.action_apply()
        dealer, hospital = self._member("New Dealer"), self._member("New Hospital")
        self.assertRecordValues(dealer | hospital, [
            {"channel_code": "T-1", "channel_role": "distributor", "channel_state": "applicant", "is_company": True,
             "country_id": self.env.ref("base.nz").id, "state_id": self.state.id, "city": "Testville",
             "email": "a@example.com", "channel_region_id": self.region_province.id},
            {"channel_code": hospital.channel_code, "channel_role": "hospital", "channel_state": "applicant",
             "is_company": True, "country_id": self.env.ref("base.aq").id, "state_id": False, "city": False,
             "email": False, "channel_region_id": self.region_east.id},
        ])
        self.assertTrue(hospital.channel_code)
        self.assertEqual(hospital.channel_parent_id, dealer)
        self.assertRecordValues(dealer.child_ids, [{"name": "Ann", "email": "ann@example.com"}])
        entry = self.env["channel.audit.entry"].sudo().search([("action", "=", "import.applied")], limit=1)
        self.assertIn('"new":2', entry.after.replace(" ", ""))

    def test_second_import_changes_nothing(self):
        rows = [self._row(channel_code="T-1", contact_name="Ann"), self._row(name="By Number", vat="NZ-7"),
                self._row(name="By Name", vat=None)]
        self._import(rows).action_apply()
        again = self._import(rows)
        self.assertEqual(self._counts(again), (3, 0, 0, 3, 0))

    def test_changes_are_shown_and_blank_cells_leave_what_is_there(self):
        self._import([self._row(channel_code="T-1", city="Old", email="a@example.com")]).action_apply()
        record = self._import([{"channel_code": "T-1", "name": "New Dealer", "city": "New", "email": None}])
        self.assertEqual(self._counts(record), (1, 0, 1, 0, 0))
        self.assertEqual(record.preview_ids.changes, "City: Old → New")
        record.action_apply()
        member = self._member("New Dealer")
        self.assertEqual((member.city, member.email), ("New", "a@example.com"))

    def test_a_contact_is_added_once(self):
        self._import([self._row(contact_name="Ann", contact_email="a@example.com")]).action_apply()
        self._import([self._row(contact_name="Bob", contact_email="b@example.com")]).action_apply()
        self._import([self._row(contact_name="Ann", contact_email="a@example.com")]).action_apply()
        self.assertEqual(self._member("New Dealer").child_ids.mapped("name"), ["Ann", "Bob"])

    # === BAD ROWS === #

    def test_every_bad_row_and_every_reason(self):
        self.env["res.partner"].create([
            self._channel_member_values("Twin", self.region_east), self._channel_member_values("Twin", self.region_east)
        ])
        cases = [
            ({"name": None}, ["missing"]),
            ({"channel_role": "wizard"}, ["selection_invalid"]),
            ({"channel_role": None}, ["missing"]),
            ({"country": "Atlantis"}, ["unknown"]),
            ({"country": "NZ", "state": "Nowhere", "vat": None}, ["unknown"]),
            ({"region": "T-NOWHERE"}, ["unknown"]),
            ({"grade": "Diamond"}, ["unknown"]),
            ({"parent": "Nobody"}, ["unknown"]),
            ({"parent": "Twin"}, ["ambiguous"]),
            ({"hospital_grade": "9Z"}, ["unknown"]),
            ({"vat": 912345678901234567.0}, ["digits_lost"]),
            ({"country": "NZ", "vat": "12"}, ["number_invalid"]),
            ({"name": "Twin", "vat": None}, ["record_ambiguous"]),
            ({"country": "Atlantis", "region": "T-NOWHERE"}, ["unknown", "unknown"]),
        ]
        rows = [self._row(**{"name": f"Bad {index}", "vat": f"BAD-{index}", **values})
                for index, (values, _codes) in enumerate(cases)]
        record = self._import([self._row(), *rows])
        self.assertEqual(
            self._problems(record),
            [(index, code) for index, (_values, codes) in enumerate(cases, 3) for code in codes],
        )
        self.assertEqual(self._counts(record), (15, 1, 0, 0, 14))
        for line in record.problem_ids:
            self.assertTrue(line.reason, line.code)
            self.assertTrue(line.remedy, line.code)
        self.assertEqual(record.problem_ids[1].value, "wizard")
        self.assertEqual(record.problem_ids[1].column, "Role")
        with self.assertRaisesRegex(UserError, "not in order"):
            record.action_apply()
        self.assertFalse(self._member("New Dealer"))

    def test_good_rows_are_applied_and_the_others_come_back(self):
        record = self._import([self._row(), self._row(name="Bad", vat="NZ-2", region="T-NOWHERE")], policy="good")
        record.action_apply()
        self.assertTrue(self._member("New Dealer"))
        self.assertEqual(record.state, "done")
        sheet = openpyxl.load_workbook(io.BytesIO(base64.b64decode(record.rejected_file))).active
        rows = list(sheet.iter_rows(values_only=True))
        self.assertEqual(len(rows), 2)
        self.assertEqual(rows[0][-2:], ("Reason", "Remedy"))
        self.assertIn("Region Set by Hand: is not known", rows[1])
        # mended, it goes in
        mended = self._import(content=self._mended(rows))
        self.assertEqual(self._counts(mended), (1, 1, 0, 0, 0))
        self.assertIn("Reason", mended.ignored_columns)

    def _mended(self, rows):
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append([value if value != "T-NOWHERE" else "T-EAST" for value in row])
        target = io.BytesIO()
        book.save(target)
        return target.getvalue()

    def test_repeated_and_contradicting_rows(self):
        record = self._import([
            self._row(), self._row(), self._row(name="A", vat="NZ-5"), self._row(name="B", vat="nz-5"),
        ])
        self.assertEqual(self._problems(record), [(3, "duplicate"), (4, "conflict"), (5, "conflict")])

    def test_a_child_of_a_rejected_row_is_rejected(self):
        record = self._import([
            self._row(channel_code="T-1", state="Nowhere"),
            self._row(name="Child", vat="NZ-2", channel_role="sub_distributor", parent="T-1"),
            self._row(name="Grandchild", vat="NZ-3", channel_role="sub_distributor", parent="Child"),
        ])
        self.assertEqual(self._problems(record), [(2, "unknown"), (3, "parent_rejected"), (4, "parent_rejected")])

    def test_a_circle_within_the_file_is_found_when_it_is_written(self):
        rows = [self._row(name="A", vat="NZ-1", parent="B"), self._row(name="B", vat="NZ-2", parent="A")]
        record = self._import(rows)
        self.assertFalse(record.problem_ids)
        record.action_apply()
        self.assertEqual(record.state, "checked", "Nothing is applied")
        self.assertIn("refused", record.problem_ids.mapped("code"))
        self.assertFalse(self._member("A") | self._member("B"))

    def test_what_the_models_refuse_is_told_by_row(self):
        """A rule that the check does not know stops its row only."""
        partners = self.env["res.partner"]

        def refuse(self, vals_list):
            if any(vals.get("name") == "Refused" for vals in vals_list):
                raise UserError("Not this one")  # pylint: disable=translation-required
            return create(self, vals_list)

        create = type(partners).create
        rows = [self._row(name=f"Good {index}", vat=f"NZ-{index}") for index in range(5)]
        rows.insert(2, self._row(name="Refused", vat="NZ-9"))
        record = self._import(rows, policy="good")
        self.patch(type(partners), "create", refuse)
        record.action_apply()
        self.assertEqual(
            [(line.row_number, line.code, line.reason) for line in record.problem_ids], [(4, "refused", "Not this one")]
        )
        self.assertEqual(record.new_count, 5)
        self.assertTrue(self._member("Good 4"))

    def test_data_changed_since_the_check(self):
        record = self._import([self._row()])
        self.env["res.partner"].create(self._channel_member_values(
            "Somebody", self.region_east, vat="NZ-1", country_id=self.env.ref("base.aq").id
        ))
        with self.assertRaisesRegex(UserError, "Check again"):
            record.action_apply()

    def test_results_are_not_entered(self):
        record = self._import([self._row()], check=False)
        record.write({"state": "checked", "fingerprint": "x", "new_count": 5})
        self.assertEqual((record.state, record.fingerprint, record.new_count), ("draft", False, 0))
        forged = self._import([self._row()], check=False, state="checked", fingerprint="x")
        self.assertEqual(forged.state, "draft")
        with self.assertRaisesRegex(UserError, "Check the file first"):
            forged.action_apply()

    # === FILES === #

    def test_csv_in_the_encodings_of_spreadsheets(self):
        text = "Name,Role,Member Code,City\n北京医疗,distributor,T-9,北京\n"
        names = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "gb18030": "GB18030", "utf-16": "UTF-16"}
        for encoding, name in names.items():
            record = self._import(content=text.encode(encoding), file_name="members.csv")
            self.assertEqual(record.preview_ids.summary, "T-9 北京医疗", encoding)
            self.assertEqual(record.sheet_name, name)
        record = self._import(content="Name;Role\nSociété;distributor\n".encode("cp1252"), encoding="cp1252")
        self.assertEqual(record.preview_ids.summary, "Société")

    def test_files_that_are_none(self):
        book = io.BytesIO()
        workbook = openpyxl.Workbook()
        workbook.active.title = "Notes"
        workbook.active.append(["Nothing", "here"])
        workbook.save(book)
        empty = io.BytesIO()
        openpyxl.Workbook().save(empty)
        cases = (
            (b"\xd0\xcf\x11\xe0 old", "old Excel format"),
            (b"PK\x03\x04 broken", "broken"),
            (book.getvalue(), r"No sheet of file.xlsx \(Notes\).*Missing: Name"),
            (empty.getvalue(), "no rows"),
            (b"Foo,Bar\n1,2\n", "Missing: Name"),
            (b"Name\n\xff\xff\xfe", "encoding"),
            (b"\n\n", "no rows"),
        )
        for content, message in cases:
            with self.assertRaisesRegex(UserError, message):
                self._import(content=content)

    def test_the_sheet_with_the_columns_is_read_wherever_it_is(self):
        workbook = openpyxl.Workbook()
        workbook.active.append(["Cover"])
        sheet = workbook.create_sheet("Members")
        sheet.append(["Role *", "NAME", "My notes"])
        sheet.append(["distributor", "From the second sheet", "x"])
        target = io.BytesIO()
        workbook.save(target)
        record = self._import(content=target.getvalue())
        self.assertEqual((record.sheet_name, record.ignored_columns), ("Members", "My notes"))
        self.assertEqual(record.new_count, 1)

    def test_formulas_and_errors_of_the_spreadsheet(self):
        workbook = openpyxl.Workbook()
        workbook.active.append(["name", "channel_role", "city"])
        workbook.active.append(["=A1&\"x\"", "distributor", "Here"])
        workbook.active.append(["Good", "distributor", "#N/A"])
        target = io.BytesIO()
        workbook.save(target)
        self.assertEqual(
            self._problems(self._import(content=target.getvalue())), [(2, "formula"), (3, "cell_error")]
        )

    def test_headings_in_another_language(self):
        from odoo.tools.translate import code_translations

        self.env["res.lang"]._activate_lang("zh_CN")
        translations = code_translations.get_python_translations("channel_member", "zh_CN")
        self.patch(
            code_translations, "get_python_translations",
            lambda module, lang: {**translations, "Name": "名称", "Role": "角色"} if lang == "zh_CN" else {},
        )
        record = self._import(content="名称,角色\n新经销商,distributor\n".encode())
        self.assertEqual(record.new_count, 1)

    def test_template_can_be_filled_in(self):
        record = self._import([self._row()], check=False)
        book = openpyxl.load_workbook(io.BytesIO(base64.b64decode(record.template_file)))
        sheet = book.worksheets[0]
        headings = [cell.value for cell in sheet[1]]
        self.assertEqual(headings[:3], ["Member Code", "Name *", "Role *"])
        sheet.append([None, "From the template", "distributor"])
        target = io.BytesIO()
        book.save(target)
        self.assertEqual(self._counts(self._import(content=target.getvalue())), (1, 1, 0, 0, 0))
        guide = {row[0]: row for row in book.worksheets[1].iter_rows(values_only=True)}
        self.assertIn("Dealer", guide["Role"][2])

    # === RIGHTS === #

    def test_regional_user_enters_members_of_own_regions(self):
        rows = [
            self._row(region="T-CITY"), self._row(name="West", vat="NZ-2", region="T-WEST"),
            self._row(name="By address", vat=None, country="NZ", state="T-P"),
        ]
        record = self._import(rows, user=self.user_sales, policy="good")
        self.assertEqual(self._problems(record), [(3, "foreign_region"), (4, "foreign_region")])
        record.action_apply()
        self.assertEqual(self._member("New Dealer").create_uid, self.user_sales)

    def test_regional_user_learns_that_a_number_is_taken_elsewhere(self):
        self.other_dealer.write({"country_id": self.env.ref("base.aq").id, "vat": "NZ-1"})
        record = self._import([self._row(region="T-CITY")], user=self.user_sales)
        self.assertEqual(self._problems(record), [(2, "taken")])
        self.assertNotIn(self.other_dealer.name, record.problem_ids.reason)

    def test_admitted_members_are_changed_by_those_who_admit(self):
        row = {"channel_code": self.dealer.channel_code, "name": self.dealer.name, "channel_role": "agent"}
        self.assertEqual(self._problems(self._import([row], user=self.user_sales)), [(2, "governed")])
        record = self._import([row])
        record.action_apply()
        self.assertEqual(self.dealer.channel_role, "agent")

    def test_who_may(self):
        for user in (self.user_auditor, self.user_executive, self.user_finance, self.user_portal):
            with self.assertRaises(AccessError):
                self._import([self._row()], user=user)

    # === MANY ROWS === #

    def test_number_of_queries_of_a_check_does_not_depend_on_the_number_of_rows(self):
        def count(number):
            record = self._import([
                self._row(
                    name=f"M{index}", vat=f"NZ-{number}-{index}", country="NZ", state="T-P", region="T-CITY",
                    parent="Test Dealer",
                ) for index in range(number)
            ], check=False)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            record.action_check()
            return self.env.cr.sql_log_count - before

        self.company.country_id = self.env.ref("base.nz")
        self.patch(type(self.env["res.partner"]), "_channel_vat_fits", lambda *args: True)
        count(2)
        self.assertLessEqual(count(100), count(10) + 4)

    def test_a_thousand_members(self):
        rows = [self._row(name=f"M{index}", vat=f"NZ-{index}", city="Testville") for index in range(1000)]
        record = self._import(rows)
        record.action_apply()
        self.env.flush_all()
        self.assertEqual(self._counts(record), (1000, 1000, 0, 0, 0))


@tagged("post_install", "-at_install")
class TestQualificationImport(ImportCase):
    model = "channel.qualification.import"

    def _row(self, **values):
        return {
            "member": self.dealer.channel_code, "type": "test_licence", "number": "NEW-1",
            "issue_date": date(2026, 1, 1), "expiry_date": "2030-12-31", **values,
        }

    def _found(self, number="NEW-1"):
        return self.env["channel.qualification"].search([("number", "=", number)])

    def test_documents_are_handed_in_and_somebody_else_verifies(self):
        record = self._import([self._row(issuer="Office")], user=self.user_compliance)
        self.assertFalse(self._found())
        record.action_apply()
        document = self._found()
        self.assertRecordValues(document, [{
            "partner_id": self.dealer.id, "type_id": self.licence_type.id, "state": "to_verify",
            "issue_date": date(2026, 1, 1), "expiry_date": date(2030, 12, 31),
            "submitted_by_id": self.user_compliance.id, "issuer": "Office",
        }])
        with self.assertRaises(UserError):
            document.with_user(self.user_compliance).action_verify()

    def test_second_import_and_changes(self):
        self._import([self._row()]).action_apply()
        self.assertEqual(self._counts(self._import([self._row(number="new-1")])), (1, 0, 1, 0, 0))
        again = self._import([self._row(expiry_date="2031-01-01")])
        self.assertEqual(self._counts(again), (1, 0, 1, 0, 0))
        again.action_apply()
        self.assertEqual(self._found().expiry_date, date(2031, 1, 1))
        self.assertEqual(self._counts(self._import([self._row(expiry_date="2031-01-01")])), (1, 0, 0, 1, 0))

    def test_dates_as_cells_and_texts(self):
        texts = ("2026/3/31", "2026.03.31", "20260331", "2026年3月31日", datetime(2026, 3, 31), date(2026, 3, 31))
        record = self._import([self._row(number=f"N{index}", issue_date=text) for index, text in enumerate(texts)])
        record.action_apply()
        for index in range(len(texts)):
            self.assertEqual(self._found(f"N{index}").issue_date, date(2026, 3, 31), texts[index])

    def test_bad_rows(self):
        self.licence_type.number_format = "[A-Z0-9-]+"
        cases = [
            ({"issue_date": "1/2/2026"}, "date_invalid"),
            ({"issue_date": "2026-02-30"}, "date_invalid"),
            ({"expiry_date": "2025-12-31"}, "dates_reversed"),
            ({"type": "no_such"}, "unknown"),
            ({"member": "Nobody"}, "unknown"),
            ({"number": "lower"}, "number_invalid"),
            ({"number": None}, "missing"),
            ({"number": self.licence.number, "issue_date": date(2020, 1, 1)}, "decided"),
        ]
        record = self._import([self._row(**values) for values, _code in cases])
        self.assertEqual(self._problems(record), [(row, code) for row, (_values, code) in enumerate(cases, 2)])

    def test_scope_is_read_from_its_text(self):
        self.licence_type.write({"scope_parser": "codes", "scope_scheme": "test"})
        self._import([self._row(scope_text="T13-07, T99")]).action_apply()
        document = self._found()
        self.assertEqual(document.scope_ids.category_id, self.device_category)
        self.assertEqual(document.scope_unparsed, "T99")
        self.assertEqual(
            self._counts(self._import([self._row(scope_text="T13-07, T99")])), (1, 0, 0, 1, 0)
        )

    def test_regional_user_enters_documents_of_own_members(self):
        rows = [self._row(), self._row(member=self.other_dealer.channel_code)]
        self.assertEqual(self._problems(self._import(rows, user=self.user_sales)), [(3, "unknown")])


@tagged("post_install", "-at_install")
class TestAuthorizationImport(ImportCase):
    model = "channel.authorization.import"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.device.default_code = "DEV-1"
        cls.consumable.default_code = "CON-1"

    def _row(self, **values):
        return {
            "number": "AUTH-T-1", "member": self.dealer.channel_code, "products": "DEV-1; CON-1", "regions": "T-EAST",
            "date_from": date(2026, 1, 1), "date_to": date(2026, 12, 31), "exclusive": "no", **values,
        }

    def test_enters_as_drafts(self):
        record = self._import([
            self._row(excluded_regions="T-CITY", device_categories="test/T13"),
            self._row(number=None, products=None, all_products="yes", regions=None,
                      customers=f"{self.hospital.channel_code}；{self.hospital_west.channel_code}"),
        ])
        self.assertFalse(self.env["channel.authorization"].search([("number", "=", "AUTH-T-1")]))
        record.action_apply()
        first = self.env["channel.authorization"].search([("number", "=", "AUTH-T-1")])
        second = self.env["channel.authorization"].search([("customer_ids", "in", self.hospital.ids)])
        self.assertRecordValues(first | second, [
            {"state": "draft", "partner_id": self.dealer.id, "product_ids": (self.device | self.consumable).ids,
             "all_products": False, "region_ids": self.region_east.ids, "excluded_region_ids": self.region_city.ids,
             "device_category_ids": self.device_category_parent.ids, "customer_ids": [], "exclusive": False},
            {"state": "draft", "partner_id": self.dealer.id, "product_ids": [], "all_products": True,
             "region_ids": [], "excluded_region_ids": [], "device_category_ids": [],
             "customer_ids": (self.hospital | self.hospital_west).ids, "exclusive": False},
        ])
        with self.assertRaisesRegex(UserError, "author"):
            first.with_user(self.user_manager).action_approve()

    def test_second_import_makes_no_second_draft(self):
        rows = [self._row(), self._row(number=None, date_from=date(2026, 2, 1))]
        self._import(rows).action_apply()
        self.assertEqual(self._counts(self._import(rows)), (2, 0, 0, 2, 0))
        record = self._import([self._row(date_to=date(2027, 12, 31))])
        self.assertEqual(self._counts(record), (1, 0, 1, 0, 0))

    def test_bad_rows(self):
        cases = [
            ({"products": None}, "no_products"),
            ({"regions": None}, "no_territory"),
            ({"products": "DEV-1;NO-SUCH"}, "unknown"),
            ({"date_to": "2025-01-01"}, "dates_reversed"),
            ({"exclusive": "perhaps"}, "boolean_invalid"),
            ({"customers": self.dealer.channel_code}, "unknown"),
            ({"number": self.authorization.number, "date_to": "2027-01-01"}, "decided"),
        ]
        record = self._import([
            self._row(**{"number": f"AUTH-{index}", **values}) for index, (values, _code) in enumerate(cases)
        ])
        self.assertEqual(self._problems(record), [(row, code) for row, (_values, code) in enumerate(cases, 2)])
        self.assertEqual(record.problem_ids[2].value, "NO-SUCH")

    def test_contract_imports_too(self):
        record = self._import([self._row()], user=self.user_contract)
        record.action_apply()
        self.assertTrue(self.env["channel.authorization"].search([("number", "=", "AUTH-T-1")]))
