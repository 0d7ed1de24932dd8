import base64
import io
import zipfile
from datetime import date, datetime

import xlsxwriter

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import TransactionCase, freeze_time, tagged
from odoo.tools import mute_logger

from ..tools import register
from .common import ChannelMemberCommon

XML = """<?xml version="1.0" encoding="UTF-8"?>
<udid version="1"><devices>
  <device><zxxsdycpbs>06901234567892</zxxsdycpbs><number> REG-1 </number><name>Stent &amp; system</name>
    <packingList><packing><bzcpbs>16901234567899</bzcpbs></packing></packingList><valid_to>2030-01-31</valid_to></device>
  <device><number>REG-2</number><name>Catheter</name></device>
</devices></udid>"""


def xlsx(rows):
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    for line, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, date):
                sheet.write_datetime(line, column, datetime.combine(value, datetime.min.time()))
            else:
                sheet.write(line, column, value)
    book.close()
    return stream.getvalue()


@tagged("post_install", "-at_install")
class TestRegisterFiles(TransactionCase):
    """Rows out of files, and numbers as they are searched by."""

    def test_key(self):
        self.assertEqual(register.key(" 沪浦食药监械经营许20160123号\u200b"), "沪浦食药监械经营许20160123号")
        self.assertEqual(register.key("ＡＢ－１２３〔2〕"), "AB-123(2)")
        self.assertEqual(register.key(None), "")

    def test_dates(self):
        for text in (
            "2030-01-31", "2030/1/31", "2030.01.31", "20300131", "2030年1月31日", "2030-01-31 00:00:00",
            "２０３０－０１－３１",
        ):
            self.assertEqual(register.to_date(text), date(2030, 1, 31), text)
        self.assertEqual(register.to_date(datetime(2030, 1, 31, 12)), date(2030, 1, 31))
        for text in ("", None, "长期", "永久有效", "-"):
            self.assertIsNone(register.to_date(text), text)
        for text in ("31.31.2030", "soon", "2030-02-30"):
            with self.assertRaises(ValueError):
                register.to_date(text)

    def test_csv(self):
        for encoding in ("utf-8-sig", "utf-8", "gb18030"):
            content = "许可证编号;企业名称\n沪1;甲公司\n\n沪2;\"乙;公司\"\n".encode(encoding)
            self.assertEqual(
                list(register.rows(content, "a.CSV")),
                [(2, {"许可证编号": "沪1", "企业名称": "甲公司"}), (4, {"许可证编号": "沪2", "企业名称": "乙;公司"})],
                encoding,
            )

    def test_csv_cut_inside_a_character(self):
        """The sample by which the encoding is told may end in the middle of a character."""
        for padding in range(6):
            content = ("number,name\n" + "x" * padding + "号" * 40000 + ",甲\n").encode()
            (_line, row), = register.rows(content, "a.csv")
            self.assertEqual(row["name"], "甲")

    def test_xlsx(self):
        content = xlsx([["number", "valid to"], ["REG-1", date(2030, 1, 31)], [], ["REG-2", "长期"]])
        rows = [
            (line, row["number"], register.to_date(row["valid to"])) for line, row in register.rows(content, "a.xlsx")
        ]
        self.assertEqual(rows, [(2, "REG-1", date(2030, 1, 31)), (4, "REG-2", None)])

    def test_xml(self):
        rows = [row for _line, row in register.rows(XML.encode(), "a.xml")]
        self.assertEqual([row["number"] for row in rows], ["REG-1", "REG-2"])
        self.assertEqual(rows[0]["name"], "Stent & system")
        self.assertEqual(rows[0]["bzcpbs"], "16901234567899")

    def test_xml_does_not_read_other_files(self):
        content = (
            '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r><device><number>1</number><name>&x;</name>'
            "</device></r>"
        )
        rows = [row for _line, row in register.rows(content.encode(), "a.xml")]
        self.assertEqual([row["number"] for row in rows], ["1"])
        self.assertFalse(rows[0].get("name"))

    def test_zip_of_several_parts(self):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("UDID_PART2.csv", "number\nC\n")
            archive.writestr("UDID_PART1.xml", XML)
        self.assertEqual(
            [(line, row["number"]) for line, row in register.rows(stream.getvalue(), "day.zip")],
            [(1, "REG-1"), (2, "REG-2"), (3, "C")],
        )

    def test_broken_files(self):
        for content, name, code in (
            (b"x", "a.pdf", "kind"), (b"not a zip", "a.zip", "kind"), (b"not a book", "a.xlsx", "kind"),
            (b"", "a.csv", "empty"), (b"<r><device><number>1", "a.xml", "xml"),
            (b"number\n\xff\xff\xff\xff\xff", "a.csv", "encoding"),
        ):
            with self.subTest(name=name, code=code), self.assertRaises(register.RegisterFileError) as error:
                list(register.rows(content, name))
            self.assertEqual(error.exception.code, code)


@freeze_time("2026-06-15 08:00:00")
@tagged("post_install", "-at_install")
class TestRegister(ChannelMemberCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.list = cls.env["channel.register.list"].create({
            "name": "Licences of the authority", "type_ids": [Command.set(cls.licence_type.ids)], "complete": True,
        })
        cls.dealer.vat = "49098576"
        cls.licence.flush_recordset()
        cls.env["channel.verification"].search([]).unlink()

    def _import(self, text, name="list.csv", apply=True, user=None, **values):
        content = text if isinstance(text, bytes) else text.encode()
        record = self.env["channel.register.import"].with_user(user or self.user_compliance).create({
            "list_id": self.list.id, "file": base64.b64encode(content), "file_name": name, "as_of": date(2026, 6, 14),
            **values,
        })
        record.action_import() if apply else record.action_check()
        return record

    def _row(self, **values):
        row = {
            "number": self.licence.number, "holder": self.dealer.name, "uscc": "49098576", "valid from": "2020-01-01",
            "valid to": "2099-12-31", "status": "valid", **values,
        }
        return ",".join(row) + "\n" + ",".join(row.values()) + "\n"

    def _verify(self, record=None, user=None):
        record = (record or self.licence).with_user(user or self.user_compliance)
        return record._verify_in_register()

    # === IMPORT === #

    def test_dry_run_changes_nothing_and_says_why(self):
        text = (
            "number,holder,valid from,valid to,class,secret\n"
            "A-1,Alpha,2020-01-01,2025-01-01,III,x\n"
            ",Beta,,,,x\n"
            "A-3,Gamma,tomorrow,,,x\n"
            "A-4,Delta,2025-01-02,2025-01-01,,x\n"
            "A-5,Epsilon,,,IV,x\n"
        )
        record = self._import(text, apply=False)
        self.assertRecordValues(record, [{
            "state": "checked", "row_count": 5, "good_count": 1, "bad_count": 4, "stored_count": 0,
            "columns_ignored": "secret",
        }])
        self.assertFalse(self.list.entry_ids)
        self.assertEqual(
            record.row_ids.mapped(lambda row: (row.line, row.reason)),
            [(3, "number"), (4, "date"), (5, "order"), (6, "device_class")],
        )
        self.assertIn("tomorrow", record.row_ids[1].message)
        self.assertIn("holder: Beta", record.row_ids[0].text)
        record.action_import()
        self.assertEqual(self.list.entry_ids.mapped("number"), ["A-1"])
        self.assertEqual((self.list.as_of, record.state), (date(2026, 6, 14), "done"))
        with self.assertRaisesRegex(UserError, "imported already"):
            record.action_import()
        with self.assertRaisesRegex(UserError, "is kept"):
            record.unlink()

    def test_no_column_with_a_number(self):
        with self.assertRaisesRegex(UserError, "no column with a number.*colour"):
            self._import("colour\nred\n")
        with self.assertRaisesRegex(UserError, "has no rows"):
            self._import("number\n")
        with self.assertRaisesRegex(UserError, "CSV, XLSX, XML"):
            self._import("x", name="list.pdf")

    def test_importing_again_replaces_and_keeps_newer_versions(self):
        self._import("key,number,name,version\nK1,A-1,old,9\nK2,A-2,other,1\n")
        self._import("key,number,name,version\nK1,A-1,newer,10\n")
        self.assertEqual(self.list.entry_ids.sorted("key").mapped("name"), ["newer", "other"])
        record = self._import("key,number,name,version\nK1,A-1,outdated,2\n")
        self.assertEqual(record.stored_count, 0)
        self.assertEqual(self.list.entry_ids.sorted("key").mapped("name"), ["newer", "other"])
        self._import("key,number,name\nK3,A-3,only\n", replace=True)
        self.assertEqual(self.list.entry_ids.mapped("key"), ["K3"])

    def test_many_rows_few_queries(self):
        """Ten times the rows are ten times the blocks, not ten times the statements of each row."""
        def count(rows):
            text = "number,holder\n" + "".join(f"N-{index},Company {index}\n" for index in range(rows))
            self.env.flush_all()
            start = self.env.cr.sql_log_count
            self._import(text)
            return self.env.cr.sql_log_count - start

        count(10)
        self.assertLessEqual(abs(count(4000) - count(20)), 5)

    def test_who_may_import(self):
        for user in (self.user_sales, self.user_manager, self.user_auditor):
            with self.assertRaises(AccessError):
                self._import(self._row(), user=user)

    # === LOOK-UP === #

    def test_match(self):
        number = f"{self.licence.number[:3]} {self.licence.number[3:]}"
        self._import(self._row(holder=f" {self.dealer.name.upper()} ", number=number))
        verification = self._verify()
        self.assertRecordValues(verification, [{
            "result": "match", "res_id": self.licence.id, "partner_id": self.dealer.id, "provider": "list",
            "differences": False, "list_id": self.list.id, "user_id": self.user_compliance.id,
        }])
        self.assertIn("06/14/2026", verification.source)
        self.assertEqual(self.licence.channel_register_result, "match")

    def test_differences_field_by_field(self):
        self._import(self._row(**{"holder": "Somebody Else", "valid to": "2027-01-31", "status": "cancelled"}))
        verification = self._verify()
        self.assertEqual(verification.result, "mismatch")
        self.assertEqual(
            {difference["fact"]: (difference["ours"], difference["theirs"]) for difference in verification.differences},
            {
                "holder_name": (self.dealer.name, "Somebody Else"),
                "date_to": ("2099-12-31", "2027-01-31"),
                "status": ("in_force", "cancelled"),
            },
        )
        self.assertIn("Valid to: 2099-12-31 here, 2027-01-31 in the register", verification.difference_text)
        alert = self.env["channel.alert"].search([("source", "=", "register"), ("state", "!=", "resolved")])
        self.assertRecordValues(alert, [{
            "res_model": "channel.qualification", "res_id": self.licence.id, "severity": "warning",
        }])
        self._import(self._row())
        self.assertEqual(self._verify().result, "match")
        self.assertEqual(alert.state, "resolved")

    def test_end_that_we_do_not_know(self):
        self.licence.with_user(self.user_compliance).action_draft(reason="x")
        self.licence.expiry_date = False
        self._import(self._row())
        self.assertEqual([d["fact"] for d in self._verify().differences], ["date_to"])

    def test_not_found_and_disappeared(self):
        self._import(self._row())
        self._verify()
        self._import("number,holder\nOTHER-1,Other\n", replace=True)
        verification = self._verify()
        self.assertRecordValues(verification, [{"result": "not_found", "disappeared": True, "complete": True}])
        alert = self.env["channel.alert"].search([("source", "=", "register"), ("state", "!=", "resolved")])
        self.assertIn("has disappeared from", alert.name)
        self.assertEqual(alert.severity, "critical")
        again = self._verify()
        self.assertEqual(again, verification, "the same answer is confirmed, not doubled")

    def test_incomplete_list_does_not_alarm(self):
        self.list.complete = False
        self._import("number,holder\nOTHER-1,Other\n")
        verification = self._verify()
        self.assertRecordValues(verification, [{"result": "not_found", "disappeared": False, "complete": False}])
        self.assertFalse(self.env["channel.alert"].search_count([("source", "=", "register")]))

    def test_no_list_is_kept(self):
        self.list.active = False
        with self.assertRaisesRegex(UserError, "No official list"):
            self.licence.with_user(self.user_compliance).action_verify_in_register()
        self.assertFalse(self._verify())

    def test_member(self):
        self._import(self._row(holder="Renamed Company"))
        verification = self._verify(self.dealer)
        self.assertRecordValues(verification, [{"res_model": "res.partner", "result": "mismatch"}])
        self.assertEqual([d["fact"] for d in verification.differences], ["holder_name"])
        self.assertFalse(self._verify(self.hospital), "it has no number to look up")

    def test_certificate(self):
        kind = self.env["channel.qualification.type"].create({
            "name": "Certificate", "code": "test_certificate", "certifies_products": True, "device_class_iii": True,
        })
        self.list.type_ids = [Command.link(kind.id)]
        self.registration.with_user(self.user_compliance).action_draft(reason="x")
        self.registration.type_id = kind
        self._import(self._row(number=self.registration.number, holder="Maker", **{"class": "II"}))
        self.assertEqual([d["fact"] for d in self._verify(self.registration).differences], ["device_class"])

    def test_newest_row_answers(self):
        self._import(
            "key,number,valid to,valid from,holder\n"
            f"1,{self.licence.number},2019-12-31,2015-01-01,{self.dealer.name}\n"
            f"2,{self.licence.number},2099-12-31,2020-01-01,{self.dealer.name}\n"
        )
        self.assertEqual(self._verify().result, "match")

    def test_button_and_rights(self):
        self._import(self._row())
        action = self.licence.with_user(self.user_manager).action_verify_in_register()
        verification = self.env["channel.verification"].browse(action["res_id"])
        self.assertEqual(verification.user_id, self.user_manager)
        for user in (self.user_auditor, self.user_executive, self.user_finance):
            with self.assertRaises(AccessError):
                self.licence.with_user(user).action_verify_in_register()
            self.assertEqual(verification.with_user(user).result, "match")
        for user in (self.user_manager, self.user_compliance, self.user_admin):
            for operation in ("write", "create", "unlink"):
                self.assertFalse(verification.with_user(user).has_access(operation))

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_regions(self):
        self._import(self._row())
        foreign = self.other_dealer.channel_qualification_ids
        verification = foreign._verify_in_register()
        self.assertFalse(verification.with_user(self.user_sales).has_access("read"))
        self.assertTrue(self._verify().with_user(self.user_sales).has_access("read"))

    # === EVERY NIGHT === #

    def _night(self):
        with self.enter_registry_test_mode():
            self.env.ref("channel_member.ir_cron_register_verify").method_direct_trigger()

    def test_every_night(self):
        self._import(self._row())
        self._night()
        verifications = self.env["channel.verification"].search([])
        mine = verifications.filtered(lambda v: v.res_id == self.licence.id)
        self.assertRecordValues(mine, [{"result": "match", "user_id": False}])
        self.assertEqual(
            set(verifications.mapped("res_id")),
            set(self.env["channel.qualification"].search([("type_id", "=", self.licence_type.id)]).ids),
        )
        self._night()
        self.assertEqual(self.env["channel.verification"].search([]), verifications, "safe to run twice")
        with freeze_time("2026-06-16 08:00:00"):
            self._night()
            self.assertEqual(mine.last_date, datetime(2026, 6, 16, 8))
            self.assertEqual(mine.date, datetime(2026, 6, 15, 8))

    def test_not_every_night(self):
        self._import(self._row())
        self.list.auto_verify = False
        self._night()
        self.assertFalse(self.env["channel.verification"].search_count([]))

    def test_only_what_is_in_force(self):
        self._import(self._row())
        self.licence.with_user(self.user_compliance).action_revoke(reason="withdrawn", date=date(2026, 6, 1))
        self._night()
        self.assertNotIn(self.licence.id, self.env["channel.verification"].search([]).mapped("res_id"))

    def test_shape(self):
        """The look-up costs the same number of queries for 5 documents and for 50."""
        self._import(self._row())

        def count(number):
            documents = self.env["channel.qualification"].create([
                {
                    "partner_id": self.dealer.id, "type_id": self.licence_type.id, "number": f"S-{number}-{index}",
                    "issue_date": date(2020, 1, 1),
                }
                for index in range(number)
            ])
            asks = [document._register_ask() for document in documents]
            self.env.flush_all()
            start = self.env.cr.sql_log_count
            answers = self.env["channel.register"]._lookup(asks)
            self.assertFalse(any(answer["found"] for answer in answers))
            return self.env.cr.sql_log_count - start

        count(1)
        self.assertEqual(count(5), count(50))
