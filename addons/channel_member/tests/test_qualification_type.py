from psycopg2.errors import UniqueViolation

from odoo.exceptions import UserError, ValidationError
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestQualificationType(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Type = cls.env["channel.qualification.type"]

    def test_gln(self):
        # 7300010000001 and 5412345000013: GLNs of GS1's own examples
        for number in ("7300010000001", "5412345000013"):
            self.assertEqual(
                self.Type.validate("gln", number),
                {"valid": True, "reason": False, "parsed": {"number": number}},
            )
        self.assertEqual(self.Type.validate("gln", "7300010000002")["reason"], "check_digit")
        self.assertEqual(self.Type.validate("gln", "73000100000A1")["reason"], "format")
        self.assertEqual(self.Type.validate("gln", "96385074")["reason"], "format", "a valid EAN-8 is not a GLN")

    def test_gtin(self):
        # 73513537 and 4006381333931: published EAN-8 and EAN-13; 06901234567892: GTIN-14 of the Chinese UDI standard
        for number in ("73513537", "4006381333931", "06901234567892"):
            self.assertTrue(self.Type.validate("gtin", number)["valid"], number)
        self.assertEqual(self.Type.validate("gtin", "06901234567893")["reason"], "check_digit")
        self.assertEqual(self.Type.validate("gtin", "123")["reason"], "length")

    def test_eu_srn(self):
        self.assertEqual(
            self.Type.validate("eu_srn", " DE-MF-000005342 "),
            {
                "valid": True,
                "reason": False,
                "parsed": {"number": "DE-MF-000005342", "country": "DE", "role": "MF", "serial": "000005342"},
            },
        )
        for number in ("DE-XX-000005342", "DE-MF-5342", "de-MF-000005342", "DE-MF-0000053421"):
            self.assertEqual(
                self.Type.validate("eu_srn", number), {"valid": False, "reason": "format", "parsed": {}}, number
            )

    def test_empty(self):
        for number in ("", "  ", None, False):
            self.assertEqual(self.Type.validate("gln", number)["reason"], "empty")

    def test_unknown_code(self):
        with self.assertRaisesRegex(UserError, "no qualification type with code nowhere.*gln"):
            self.Type.validate("nowhere", "1")

    def test_portal_may_validate(self):
        portal = self.env["res.users"].with_context(no_reset_password=True).create({
            "name": "Portal", "login": "qualification_portal",
            "group_ids": [(6, 0, self.env.ref("base.group_portal").ids)],
        })
        self.assertTrue(self.Type.with_user(portal).validate("gln", "7300010000001")["valid"])

    def test_every_reason_has_a_sentence(self):
        for code, number in (("gln", ""), ("gln", "7300010000002"), ("eu_srn", "x")):
            result = self.Type.validate(code, number)
            message = self.Type._validation_message(result)
            self.assertNotEqual(message, result["reason"])
        self.assertFalse(self.Type._validation_message(self.Type.validate("gln", "7300010000001")))

    def test_stdnum_of_a_country(self):
        uscc = self.Type.create(
            {"name": "Test", "code": "test_uscc", "validator": "stdnum", "validator_param": "cn.uscc"}
        )
        self.assertEqual(uscc._validate("91110000 600037341l")["parsed"]["number"], "91110000600037341L")
        self.assertEqual(uscc._validate("91110000600037342L")["reason"], "check_digit")
        self.assertEqual(uscc._validate("9111")["reason"], "length")

    def test_validators_are_found(self):
        keys = {key for key, _label in self.Type._selection_validator()}
        self.assertLessEqual({"regex", "stdnum"}, keys)
        self.assertNotIn("fields", keys)

    def test_bad_settings(self):
        for values, message in (
            ({"number_format": "(["}, "not a regular expression"),
            ({"validator": "stdnum", "validator_param": "os.path"}, "not a module of python-stdnum"),
            ({"validator": "stdnum", "validator_param": "../ean"}, "not a module of python-stdnum"),
            ({"validator": "stdnum"}, "not a module of python-stdnum"),
            ({"validator": "regex"}, "validated by its number format"),
        ):
            with self.subTest(values=values), self.assertRaisesRegex(ValidationError, message), \
                    self.env.cr.savepoint():
                self.Type.create({"name": "Bad", "code": "bad", **values})

    def test_code_is_unique(self):
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"):
            self.Type.create({"name": "Twice", "code": "gln"})
