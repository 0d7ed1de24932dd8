from odoo.tests import TransactionCase, tagged

from ..tools.medical_numbers import check_pair

#: Code of the type -> accepted numbers, then refused ones with the reason.
NUMBERS = {
    "gln": (
        ["7300010000001", "4012345000009"],
        [("7300010000002", "check_digit"), ("7300010000010", "check_digit"), ("3700010000001", "check_digit"),
         ("730001000000", "check_digit"), ("73000100000011", "check_digit"), ("73000100000", "length"),
         ("730001000000A", "format"), ("GLN7300010000001", "format"), ("96385074", "format"), ("0", "length"),
         ("7300010000001x", "format")],
    ),
    "gtin": (
        ["06901234567892", "6901234567892", "96385074", "036000291452"],
        [("06901234567893", "check_digit"), ("6901234567829", "check_digit"), ("96385047", "check_digit"),
         ("690123456789", "check_digit"), ("069012345678921", "length"), ("0690123456789A", "format"),
         ("1", "length"), ("123456789", "length"), ("1234567890", "length"), ("GTIN 96385074", "format")],
    ),
    "eu_srn": (
        ["DE-MF-000006709", "FR-AR-000000001", "CN-MF-000012345", "IE-IM-000000123", "NL-PR-000000999"],
        [("DE-MF-00000670", "format"), ("DE-MF-0000067090", "format"), ("DE-XX-000006709", "format"),
         ("D-MF-000006709", "format"), ("de-mf-000006709", "format"), ("DEMF000006709", "format"),
         ("DE MF 000006709", "format"), ("DE-MF-00000670A", "format"), ("DEU-MF-000006709", "format"),
         ("DE-MF", "format"), ("SRN DE-MF-000006709", "format")],
    ),
    "eu_basic_udi_di": (
        # Published examples: GS1 General Specifications (Global Model Number), EUDAMED help (HIBC).
        ["1987654Ad4X4bL5ttr2310c2K", "++A999MODELIDENTIFIER11S8", "PP12345GROUP.142", "B-DE-MF-000006709-ABC"],
        [("1987654Ad4X4bL5ttr2310c2L", "check_digit"), ("1987654Ad4X4bL5ttr2301c2K", "check_digit"),
         ("1987654Bd4X4bL5ttr2310c2K", "check_digit"), ("++A999MODELIDENTIFIER11S9", "check_digit"),
         ("++A999MODELIDENTIFIER12S8", "check_digit"), ("++B999MODELIDENTIFIER11S8", "check_digit"),
         ("+A999MODELIDENTIFIER11S8", "format"), ("++9999MODELIDENTIFIER11S8", "format"), ("PPABCDE12", "format"),
         ("PP12345GROUP.1AB", "format"), ("B-", "format"), ("1987654Ad4X4bL5ttr2310cXXX2K", "format"),
         ("1987654#d4X4bL5ttr2310c2K", "format")],
    ),
    "iso_13485": (
        ["MD 123456", "MD 123456 (NB 0123)", "MD 123456 (0123)", "SX 2012345-1", "FM 12345/2024"],
        [("MD", "format"), ("(NB 0123)", "format"), ("MD 123456 (NB 012)", "format"),
         ("MD 123456 (NB 01234)", "format"),
         ("MD 123456 (TUV)", "format"), ("MD 123456 NB 0123)", "format"), ("MD_12345#6", "format"), ("-", "format"),
         ("M" * 60, "format"), ("MD 123456 (NB 0123) x", "format"), ("?MD 123456", "format")],
    ),
    "us_fei": (
        ["3003456789", "1234567", "30034567"],
        [("123456", "format"), ("12345678901", "format"), ("0123456", "format"), ("300345678A", "format"),
         ("FEI 3003456789", "format"), ("3003-456789", "format"), ("-3003456789", "format"), ("3003 456789", "format"),
         ("3.0e9", "format"), ("0000000", "format")],
    ),
    "us_state_licence": (
        ["CA 12345", "TX: D-0012345", "ny-99 88 77", "FL 0123.4/5"],
        [("12345", "format"), ("ZZ 12345", "component"), ("XX 12", "component"), ("UK 12345", "component"),
         ("CA", "format"), ("CA ", "format"), ("CAL 12345", "format"), ("C 12345", "format"), ("CA #12345", "format"),
         ("CA12345", "format"), ("CA " + "1" * 50, "format")],
    ),
    "us_hin": (
        ["0112345F2", "A1B2C3D00", "123456789"],
        [("0112345F", "format"), ("0112345F21", "format"), ("0112345f2", "format"), ("0112-45F2", "format"),
         ("HIN 0112345F2", "format"), ("0112345F ", "format"), ("01123 5F2", "format"), ("０112345F2", "format"),
         ("!112345F2", "format"), ("0", "format")],
    ),
    "us_dea": (
        # By hand: 1+3+5 = 9, 2*(2+4+6) = 24, together 33.
        ["AB1234563", "f91234563"],
        [("AB1234564", "check_digit"), ("AB1234653", "check_digit"), ("AB2134563", "check_digit"),
         ("AB123456", "length"), ("AB12345633", "length"), ("1B1234563", "format"), ("A81234563", "format"),
         ("AB123456X", "format"), ("ABC234563", "format"), ("AB-123456", "format"), ("DEA", "length")],
    ),
}


@tagged("post_install", "-at_install")
class TestMedicalNumbers(TransactionCase):
    def test_table(self):
        """At least ten wrong numbers of each format, each refused for its own reason."""
        Type = self.env["channel.qualification.type"]
        for code, (accepted, refused) in NUMBERS.items():
            self.assertGreaterEqual(len(refused), 10, code)
            for number in accepted:
                with self.subTest(code=code, number=number):
                    self.assertTrue(Type.validate(code, number)["valid"])
            for number, reason in refused:
                with self.subTest(code=code, number=number):
                    self.assertEqual(Type.validate(code, number)["reason"], reason)

    def test_every_type_of_the_add_on_is_in_the_table(self):
        data = self.env["ir.model.data"].search([
            ("module", "=", "channel_member"), ("model", "=", "channel.qualification.type")
        ])
        types = self.env["channel.qualification.type"].with_context(active_test=False).browse(data.mapped("res_id"))
        self.assertEqual(set(types.filtered(lambda t: t.validator or t.number_format).mapped("code")), set(NUMBERS))

    def test_parts(self):
        validate = self.env["channel.qualification.type"].validate
        self.assertEqual(validate("iso_13485", "MD 123456 (NB 0123)")["parsed"], {
            "number": "MD 123456 (NB 0123)", "certificate": "MD 123456", "notified_body": "0123",
        })
        self.assertEqual(validate("us_state_licence", "ca: 123")["parsed"], {
            "number": "CA 123", "state": "CA", "licence": "123",
        })
        self.assertEqual(validate("eu_basic_udi_di", "++A999MODELIDENTIFIER11S8")["parsed"], {
            "number": "++A999MODELIDENTIFIER11S8", "agency": "hibcc", "labeler": "A999",
            "model": "MODELIDENTIFIER11",
        })
        self.assertEqual(validate("us_dea", "ab1234563")["parsed"]["number"], "AB1234563")

    def test_every_single_error_is_found(self):
        """The check pair of a model number finds each changed character and each swap of neighbours."""
        model = "1987654Ad4X4bL5ttr2310c"
        expected = check_pair(model)
        for place, character in enumerate(model):
            for other in "0189AZaz":
                if other != character:
                    self.assertNotEqual(check_pair(model[:place] + other + model[place + 1:]), expected)
            if place and model[place - 1] != character:
                swapped = model[:place - 1] + character + model[place - 1] + model[place + 1:]
                self.assertNotEqual(check_pair(swapped), expected)
