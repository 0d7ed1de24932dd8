import base64
import io
import zipfile
from datetime import date

import openpyxl

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, tagged

from ..tools import pdf_archive
from .common import ChannelContractCommon

PDF = b"%PDF-1.4 the paper"


def pack(files):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


@tagged("post_install", "-at_install")
class TestPdfArchive(BaseCase):
    def _refused(self, content):
        with self.assertRaises(pdf_archive.ArchiveError) as refusal:
            pdf_archive.read_archive(content)
        return refusal.exception.code

    def test_files_are_found_by_their_names_without_folder_and_ending(self):
        files = pdf_archive.read_archive(
            pack({"2026/CT-1.PDF": PDF, "合同 2.pdf": PDF, "__MACOSX/._CT-1.PDF": b"", ".DS": b"", "notes.txt": b"x"})
        )
        self.assertEqual(set(files), {"ct-1", "合同 2", "notes.txt"})
        self.assertEqual(files["ct-1"].name, "CT-1.PDF")
        self.assertEqual([files[name].is_pdf for name in ("ct-1", "notes.txt")], [True, False])

    def test_names_of_chinese_windows(self):
        name = "经销合同.pdf".encode("gb18030")
        content = pack({"x" * len(name): PDF}).replace(b"x" * len(name), name)
        self.assertEqual(list(pdf_archive.read_archive(content)), ["经销合同"])

    def test_archives_that_are_refused(self):
        self.assertEqual(self._refused(b"no zip"), "unreadable")
        self.assertEqual(self._refused(pack({"a.pdf": PDF})[:-30]), "unreadable")
        self.assertEqual(self._refused(pack({"1/a.pdf": PDF, "2/A.pdf": PDF})), "twice")
        self.patch(pdf_archive, "MAX_FILES", 1)
        self.assertEqual(self._refused(pack({"a.pdf": PDF, "b.pdf": PDF})), "too_many")
        self.patch(pdf_archive, "MAX_FILE", 3)
        self.assertEqual(self._refused(pack({"a.pdf": PDF})), "too_big")


@tagged("post_install", "-at_install")
class TestContractImport(ChannelContractCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls.env["res.partner"].create(
            cls._channel_member_values("Test New Dealer", cls.region_city, channel_code="ND-1")
        )

    def _row(self, number="CT-1", **values):
        return {
            "number": number, "title": "Agreement", "member": "ND-1", "valid_from": date(2026, 1, 1), **values,
        }

    def _file(self, **sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            page = book.create_sheet(title)
            columns = list(dict.fromkeys(name for row in rows for name in row))
            page.append(columns)
            for row in rows:
                page.append([row.get(name) for name in columns])
        target = io.BytesIO()
        book.save(target)
        return base64.b64encode(target.getvalue())

    def _import(self, *rows, files=None, commitments=None, clauses=None, user=None, check=True, **values):
        sheets = {"Contracts": rows}
        if commitments:
            sheets["Commitments"] = commitments
        if clauses:
            sheets["Clauses"] = clauses
        record = self.env["channel.contract.import"].with_user(user or self.user_contract).create(
            {
                "file": self._file(**sheets),
                "file_name": "contracts.xlsx",
                "archive": base64.b64encode(pack(files)) if files else False,
                **values,
            }
        )
        if check:
            record.action_check()
        return record

    def _problems(self, record):
        return [(line.row_number, line.code) for line in record.problem_ids]

    def _contract(self, number="CT-1"):
        return self.env["channel.contract"].search([("name", "=", number)])

    def test_dry_run_writes_nothing_and_apply_writes_all_that_belongs_together(self):
        record = self._import(
            self._row(valid_to=date(2026, 12, 31), notice_days=60, renewal="agreement", signed_on=date(2025, 12, 1)),
            commitments=[
                {"number": "CT-1", "subject": "Implants", "period": "year", "amount": 600000},
                {"number": "ct-1 ", "subject": "Catheters", "period": "quarter", "amount": 50000},
            ],
            clauses=[{"number": "CT-1", "clause_title": "Quality", "clause_text": "Keep records.\n5 < 6 years."}],
            files={"papers/CT-1.pdf": PDF, "other.pdf": PDF},
        )
        self.assertEqual((record.new_count, record.error_count), (1, 0), record.problem_ids.mapped("reason"))
        self.assertFalse(self._contract())
        self.assertEqual(record.unmatched_files, "other.pdf")
        self.assertIn("Commitments: 2", record.preview_ids.summary)
        record.action_apply()
        contract = self._contract()
        self.assertRecordValues(
            contract, [{"title": "Agreement", "member_id": self.member.id, "user_id": self.user_contract.id}]
        )
        version = contract.version_ids
        self.assertRecordValues(
            version,
            [{
                "state": "draft", "valid_from": date(2026, 1, 1), "valid_to": date(2026, 12, 31), "notice_days": 60,
                "renewal": "agreement", "imported": True, "paper_signed_on": date(2025, 12, 1),
            }],
        )
        self.assertRecordValues(
            version.commitment_ids,
            [
                {"name": "Implants", "period": "year", "amount": 600000},
                {"name": "Catheters", "period": "quarter", "amount": 50000},
            ],
        )
        self.assertEqual(version.clause_ids.body, "<p>Keep records.</p><p>5 &lt; 6 years.</p>")
        self.assertEqual(version.document_ids.raw, PDF)

    def test_paper_original_is_approved_by_somebody_else_and_counts_as_signed(self):
        self._channel_clause("Recall", "Recall", mandatory=True)
        self._import(
            self._row(), self._row("CT-2"), files={"CT-1.pdf": PDF}
        ).action_apply()
        paper, plain = self._contract().version_ids, self._contract("CT-2").version_ids
        (paper | plain).contract_id.signature_required = True
        with self.assertRaises(UserError):
            paper.with_user(self.user_contract).action_approve()
        paper.with_user(self.user_manager).action_approve()
        self.assertRecordValues(
            paper, [{"state": "approved", "signature_state": "signed", "signed_on": date(2026, 1, 1)}]
        )
        self.assertTrue(self._contract().terms_at("2026-01-01"))
        with self.assertRaisesRegex(UserError, "Recall"):
            plain.with_user(self.user_manager).action_approve()

    def test_nobody_says_by_hand_that_a_paper_was_signed(self):
        version = self._channel_contract(self.member, approve=False).version_ids
        for values in ({"imported": True}, {"paper_signed_on": date(2026, 1, 1)}):
            with self.subTest(values), self.assertRaises(UserError):
                version.write(values)
            with self.subTest(values), self.assertRaises(UserError):
                version.with_context(channel_contract_importer=True).copy({"valid_from": date(2027, 1, 1), **values})

    def test_second_import_changes_nothing_and_a_changed_row_changes_the_draft(self):
        self._import(self._row(), files={"CT-1.pdf": PDF}).action_apply()
        again = self._import(self._row(), files={"CT-1.pdf": PDF})
        self.assertEqual((again.new_count, again.changed_count, again.unchanged_count), (0, 0, 1))
        self._import(self._row(notice_days=30)).action_apply()
        self.assertEqual(self._contract().version_ids.notice_days, 30)
        self._contract().version_ids.with_user(self.user_manager).action_approve()
        self.assertEqual(self._problems(self._import(self._row(notice_days=60))), [(2, "decided")])

    def test_versions_of_one_contract(self):
        self._import(
            self._row(valid_from=date(2025, 1, 1), valid_to=date(2025, 12, 31), purpose="Second"),
            self._row(valid_from=date(2024, 1, 1), valid_to=date(2024, 12, 31), purpose="First"),
            commitments=[
                {"number": "CT-1", "valid_from": date(2024, 1, 1), "subject": "A", "period": "year", "amount": 1}
            ],
        ).action_apply()
        versions = self._contract().version_ids.sorted("number")
        self.assertEqual(versions.mapped("purpose"), ["First", "Second"])
        self.assertEqual(versions.commitment_ids.version_id, versions[0])

    def test_every_bad_row_and_every_reason(self):
        other = self._channel_contract(self.dealer, contract_values={"name": "TAKEN"})
        record = self._import(
            self._row("A", member="nobody"),
            self._row("B", valid_to=date(2025, 1, 1), notice_days=-1),
            self._row("TAKEN"),
            self._row("D", document="missing.pdf"),
            self._row("E", document="E.pdf"),
            self._row("F", signed_on=date(2025, 1, 1)),
            self._row("G"), self._row("G", valid_from=date(2027, 1, 1), title="Another"),
            self._row("H"),
            self._row("I"), self._row("I", valid_from=date(2027, 1, 1)),
            self._row("J", valid_from="1/2/2026"),
            files={"E.pdf": b"no pdf"},
            commitments=[
                {"number": "H", "subject": "S", "period": "decade", "amount": 1},
                {"number": "I", "subject": "S", "period": "year", "amount": 1},
                {"number": "J", "subject": "S", "period": "year", "amount": 1},
            ],
        )
        self.assertEqual(
            self._problems(record),
            [
                (2, "unknown"), (3, "dates_reversed"), (3, "negative"), (4, "other_contract"), (5, "no_file"),
                (6, "no_pdf"), (7, "no_file"), (9, "conflict"), (10, "selection_invalid"), (11, "ambiguous"),
                (12, "ambiguous"), (13, "date_invalid"),
            ],
        )
        reasons = " ".join(record.problem_ids.mapped("reason"))
        self.assertIn("sheet Commitments, row 2, Period “decade”", reasons)
        self.assertTrue(all(record.problem_ids.mapped("remedy")))
        with self.assertRaises(UserError):
            record.action_apply()
        record.policy = "good"
        record.action_apply()
        self.assertTrue(self._contract("G"))
        self.assertFalse(self.env["channel.contract"].search([("name", "in", list("ABDEFHIJ"))]))
        self.assertEqual(len(other.version_ids), 1)

    def test_lines_of_a_contract_that_is_not_there(self):
        with self.assertRaisesRegex(UserError, "Commitments.*2"):
            self._import(
                self._row(), commitments=[{"number": "CT-9", "subject": "S", "period": "year", "amount": 1}]
            )

    def test_what_the_models_refuse_takes_the_whole_version_with_it(self):
        record = self._import(
            self._row("A"), self._row("B"), policy="good",
            commitments=[{"number": "A", "subject": "S", "period": "year", "amount": -5}],
            files={"A.pdf": PDF},
        )
        record.action_apply()
        self.assertEqual(self._problems(record), [(2, "refused")])
        self.assertFalse(self._contract("A"))
        self.assertTrue(self._contract("B"))
        self.assertFalse(self.env["ir.attachment"].search([("name", "=", "A.pdf")]))

    def test_clause_of_the_library_is_taken_over(self):
        clause = self._channel_clause("Recall", "Recall within a day.", code="RECALL")
        self._import(
            self._row(language="en_US"),
            clauses=[
                {"number": "CT-1", "clause_title": "Recall", "clause": "RECALL"},
                {"number": "CT-1", "clause_title": "Recall of implants", "clause": "RECALL", "clause_text": "Never."},
            ],
        ).action_apply()
        lines = self._contract().version_ids.clause_ids
        self.assertEqual(lines.clause_id, clause)
        self.assertEqual(lines.mapped("deviation"), ["none", "deviates"])
        self.assertEqual(lines.mapped("title"), ["Recall", "Recall of implants"])

    def test_archive_that_changed_since_the_check_is_checked_again(self):
        record = self._import(self._row())
        record.archive = base64.b64encode(pack({"CT-1.pdf": PDF}))
        self.assertEqual(record.state, "draft")
        record.archive = base64.b64encode(b"no zip")
        with self.assertRaisesRegex(UserError, "no ZIP"):
            record.action_check()

    def test_template_can_be_filled_in(self):
        record = self._import(self._row(), check=False)
        book = openpyxl.load_workbook(io.BytesIO(base64.b64decode(record.template_file)))
        self.assertLessEqual({"Commitments", "Clauses"}, set(book.sheetnames))
        page = book.worksheets[0]
        headings = [cell.value for cell in page[1]]
        row = {"Contract Number *": "CT-7", "Title *": "T", "Member *": "ND-1", "Valid From *": date(2026, 1, 1)}
        page.append([row.get(heading) for heading in headings])
        page = book["Commitments"]
        line = {"Contract Number *": "CT-7", "Commitment *": "S", "Period *": "Year", "Amount before Tax *": 5}
        page.append([line.get(cell.value) for cell in page[1]])
        target = io.BytesIO()
        book.save(target)
        record.file = base64.b64encode(target.getvalue())
        record.action_check()
        record.action_apply()
        self.assertEqual(self._contract("CT-7").version_ids.commitment_ids.amount, 5)

    def test_who_may(self):
        for user in (self.user_sales, self.user_manager, self.user_auditor):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self._import(self._row(), user=user)

    def test_number_of_queries_of_a_check_does_not_depend_on_the_number_of_rows(self):
        def count(number):
            record = self._import(
                *(self._row(f"Q-{place}") for place in range(number)),
                commitments=[
                    {"number": f"Q-{place}", "subject": "S", "period": "year", "amount": 1} for place in range(number)
                ],
                check=False,
            )
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            record._plan()
            return self.env.cr.sql_log_count - start

        count(10)
        self.assertLessEqual(count(100), count(10) + 5)
