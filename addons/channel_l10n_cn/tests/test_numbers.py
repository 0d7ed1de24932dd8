import csv

from odoo.tests import TransactionCase, freeze_time, tagged
from odoo.tools import file_open

from ..tools import cn_numbers

TYPE_OF_KIND = {
    "REG": "cn_registration",
    "OLD": "cn_registration",
    "FIL": "cn_class1_filing",
    "OPL": "cn_trading_licence",
    "OPF": "cn_trading_filing",
    "PRD": "cn_production_licence",
}


def samples(name):
    with file_open(f"channel_l10n_cn/tests/data/{name}", "r") as file:
        return list(csv.DictReader(file))


@freeze_time("2026-06-01")
@tagged("post_install", "-at_install")
class TestNumbers(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.china = cls.env.ref("base.cn")

    def validate(self, code, number):
        return self.env["channel.qualification.type"].validate(code, number)

    def assertRefused(self, code, number, reason):
        self.assertEqual(self.validate(code, number), {"valid": False, "reason": reason, "parsed": {}}, number)

    # === REAL NUMBERS === #

    def test_every_number_seen_is_accepted_as_its_own_kind_only(self):
        seen = samples("nmpa_numbers_seen.csv")
        self.assertEqual(len(seen), 18)
        for row in seen:
            own = TYPE_OF_KIND[row["kind"]]
            with self.subTest(row["number"]):
                result = self.validate(own, row["number"])
                self.assertTrue(result["valid"], result)
                self.assertEqual(result["parsed"]["number"], row["number"])
                if row["kind"] in ("REG", "OLD", "FIL"):
                    self.assertEqual(result["parsed"]["device_class"], row["class"])
                for other in set(TYPE_OF_KIND.values()) - {own}:
                    self.assertIn(self.validate(other, row["number"])["reason"], ("cn_kind", "format"))

    def test_every_uscc_seen_has_the_verdict_of_stdnum(self):
        seen = samples("uscc_seen.csv")
        self.assertEqual({row["stdnum_valid"] for row in seen}, {"True", "False"})
        for row in seen:
            with self.subTest(row["uscc"]):
                result = self.validate("cn_uscc", row["uscc"])
                self.assertEqual(result["valid"], row["stdnum_valid"] == "True")
                if not result["valid"]:
                    self.assertEqual(result["reason"], "check_digit")

    # === REGISTRATION === #

    def test_registration_parts(self):
        parsed = self.validate("cn_registration", "川械注准20202090126")["parsed"]
        region = parsed.pop("region")
        self.assertEqual(region["code"], "510000")
        self.assertEqual(parsed, {
            "number": "川械注准20202090126",
            "scheme": "2014",
            "issuer": "川",
            "province_code": "510000",
            "city": "",
            "level": "province",
            "origin": "domestic",
            "year": 2020,
            "device_class": "II",
            "catalogue": "09",
            "categories": [{"scheme": "cn_2017", "code": "09"}],
            "serial": "0126",
            "ivd": False,
            "changed": False,
            "warnings": [],
        })

    def test_registration_of_import_and_reagent(self):
        imported = self.validate("cn_registration", "国械注进20162705149")["parsed"]
        self.assertEqual((imported["origin"], imported["province_code"]), ("import", False))
        self.assertEqual(imported["categories"], [{"scheme": "cn_2002", "code": "6870"}])
        reagent = self.validate("cn_registration", "国械注准20233400253")["parsed"]
        self.assertTrue(reagent["ivd"])
        self.assertEqual(reagent["categories"], [{"scheme": "cn_2002", "code": "6840"}])
        hong_kong = self.validate("cn_registration", "国械注许20203010640")["parsed"]
        self.assertEqual(hong_kong["origin"], "hk_mo_tw")

    def test_registration_of_the_years_of_two_catalogues_is_not_decided(self):
        parsed = self.validate("cn_registration", "国械注准20163220001")["parsed"]
        self.assertEqual(
            parsed["categories"], [{"scheme": "cn_2017", "code": "22"}, {"scheme": "cn_2002", "code": "6822"}]
        )

    def test_registration_before_2014(self):
        parsed = self.validate("cn_registration", "国食药监械（准）字2013第3461234号（更）")["parsed"]
        self.assertEqual(parsed["number"], "国食药监械(准)字2013第3461234号(更)")
        self.assertEqual((parsed["scheme"], parsed["device_class"], parsed["serial"]), ("pre_2014", "III", "1234"))
        self.assertTrue(parsed["changed"])
        self.assertEqual(parsed["categories"], [{"scheme": "cn_2002", "code": "6846"}])
        self.assertEqual(parsed["warnings"], ["historical"])
        # 食 and 号 may be missing.
        self.assertTrue(self.validate("cn_registration", "国药监械(进)字2004第3461234")["valid"])

    def test_registration_refused(self):
        for number, reason in (
            ("蒙械注准20202090126", "cn_province"),
            ("蜀械注准20202090126", "cn_province"),
            ("国械注准20191030166", "cn_class"),
            ("国械注准20194030166", "cn_class"),
            ("川械注准20203090126", "cn_level"),
            ("川械注进20202090126", "cn_level"),
            ("国械注准20193990166", "cn_catalogue"),
            ("国械注准20133030166", "cn_year"),
            ("国械注准20273030166", "cn_year"),
            ("国械注准2019303016", "format"),
            ("粤潮械备20140023", "cn_kind"),
            ("", "empty"),
        ):
            with self.subTest(number):
                self.assertRefused("cn_registration", number, reason)

    def test_home_class_ii_by_the_state_is_odd_but_accepted(self):
        result = self.validate("cn_registration", "国械注准20202090126")
        self.assertEqual(result["parsed"]["warnings"], ["state_class_ii"])

    # === LICENCES AND FILINGS === #

    def test_spelling_of_licences(self):
        for number, canonical in (
            (" 京海食药监械经营许 20180099 号\u200b", "京海食药监械经营许20180099号"),
            ("京海食药监械经营许２０１８００９９号", "京海食药监械经营许20180099号"),
            ("京海药监械经营许20180099", "京海药监械经营许20180099"),
        ):
            result = self.validate("cn_trading_licence", number)
            self.assertTrue(result["valid"], number)
            self.assertEqual(result["parsed"]["number"], canonical)
        self.assertEqual(self.validate("cn_trading_filing", "鄂汉食药监械经营备2018h006号")["parsed"]["serial"], "H006")

    def test_licence_parts(self):
        parsed = self.validate("cn_trading_licence", "粤穗食药监械经营许20171161号")["parsed"]
        self.assertEqual(
            {key: parsed[key] for key in ("issuer", "city", "province_code", "year", "serial")},
            {"issuer": "粤", "city": "穗", "province_code": "440000", "year": 2017, "serial": "1161"},
        )
        self.assertEqual(parsed["region"]["code"], "440000")

    def test_licences_refused(self):
        for code, number, reason in (
            ("cn_trading_licence", "鄂汉食药监械经营备2018H006号", "cn_kind"),
            ("cn_trading_filing", "粤穗食药监械经营许20171161号", "cn_kind"),
            ("cn_trading_licence", "国械注准20193030166", "cn_kind"),
            ("cn_trading_licence", "蒙呼食药监械经营许20171161号", "cn_province"),
            ("cn_trading_licence", "粤穗食药监械经营许20271161号", "cn_year"),
            ("cn_trading_licence", "粤穗食药监械经营许2017号", "format"),
            ("cn_production_licence", "粤穗食药监械经营许20171161号", "cn_kind"),
            ("cn_production_licence", "台食药监械生产许20080046号", "cn_province"),
            ("cn_class1_filing", "国械注准20193030166", "cn_kind"),
            ("cn_class1_filing", "粤潮械备20130023", "cn_year"),
            ("cn_class1_filing", "蜀潮械备20140023", "cn_province"),
        ):
            with self.subTest(number):
                self.assertRefused(code, number, reason)

    def test_import_filing_of_class_i(self):
        self.assertEqual(self.validate("cn_class1_filing", "国械备20180123号")["parsed"]["origin"], "import")

    # === SOCIAL CREDIT CODE === #

    def test_uscc_parts(self):
        parsed = self.validate("cn_uscc", "９１33０１００－716105852f")["parsed"]
        self.assertEqual(parsed.pop("region")["code"], "330100")
        self.assertEqual(parsed, {
            "number": "91330100716105852F",
            "department": "market",
            "type": "company",
            "region_code": "330100",
            "province_code": "330000",
            "organisation_code": "716105852",
            "check_digit": "F",
            "warnings": [],
        })
        hospital_like = self.validate("cn_uscc", "12100000425006133D")["parsed"]
        self.assertEqual((hospital_like["type"], "region" in hospital_like), ("public_institution", False))

    def test_uscc_of_bodies_that_stdnum_does_not_know(self):
        """Codes that begin with a letter: the check character is that of weights 1, 3, 9 … modulo 31."""
        alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
        for beginning, kind in (("A1", "military"), ("N1", "rural_collective"), ("Y1", "other")):
            body = f"{beginning}330100MA00000A1"
            total = sum(alphabet.index(char) * pow(3, place, 31) for place, char in enumerate(body))
            number = body + alphabet[-total % 31]
            self.assertEqual(self.validate("cn_uscc", number)["parsed"]["type"], kind)
            wrong = body + alphabet[(-total + 1) % 31]
            self.assertRefused("cn_uscc", wrong, "check_digit")

    def test_uscc_refused(self):
        for number, reason in (
            ("9133010071610585F", "length"),
            ("9133010O716105852F", "cn_alphabet"),
            ("B1330100716105852F", "format"),
            ("91330100716105825F", "check_digit"),
        ):
            with self.subTest(number):
                self.assertRefused("cn_uscc", number, reason)

    def test_uscc_of_an_unknown_province(self):
        alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
        body = "91990100716105852"
        total = sum(alphabet.index(char) * pow(3, place, 31) for place, char in enumerate(body))
        self.assertRefused("cn_uscc", body + alphabet[-total % 31], "cn_region")

    def test_member_of_a_military_hospital_can_be_admitted(self):
        alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
        body = "A1110000MA00000A1"
        total = sum(alphabet.index(char) * pow(3, place, 31) for place, char in enumerate(body))
        hospital = self.env["res.partner"].new({"vat": body + alphabet[-total % 31], "country_id": self.china.id})
        self.assertFalse(hospital._channel_vat_problem())
        hospital.vat = "91330100716105825F"
        self.assertIn("check digit", hospital._channel_vat_problem())
        hospital.country_id = self.env.ref("base.de")
        self.assertTrue(hospital._channel_vat_problem())

    # === HEALTH INSURANCE === #

    def test_health_insurance_codes(self):
        parsed = self.validate("cn_nhsa_institution", "h31010600037")["parsed"]
        self.assertEqual((parsed["region_code"], parsed["serial"]), ("310106", "00037"))
        self.assertRefused("cn_nhsa_institution", "H3101060003", "length")
        self.assertRefused("cn_nhsa_institution", "H99010600037", "cn_region")
        self.assertRefused("cn_nhsa_institution", "P31010600037", "format")
        base = "C" + "0123456789" + "012345678"
        self.assertEqual(self.validate("cn_nhsa_code", base)["parsed"]["specification"], False)
        self.assertEqual(self.validate("cn_nhsa_code", base + "7654321")["parsed"]["specification"], "7654321")
        self.assertRefused("cn_nhsa_code", base + "765432", "length")
        self.assertRefused("cn_nhsa_code", "D" + base[1:], "format")

    # === REASONS === #

    def test_every_reason_has_a_sentence(self):
        reasons = self.env["channel.qualification.type"]._validation_reasons()
        with file_open("channel_l10n_cn/tools/cn_numbers.py", "r") as file:
            source = file.read()
        given = {part.split('"')[0] for part in source.split('NumberError("')[1:]}
        self.assertGreaterEqual(given, {"cn_kind", "cn_year", "length"})
        self.assertLessEqual(given - {"format"}, set(reasons))

    def test_province_characters_are_not_odoos(self):
        """蒙 and 蜀 are Odoo's codes for Inner Mongolia and Sichuan, 内 and 川 those of the law."""
        codes = set(self.env["res.country.state"].search([("country_id.code", "=", "CN")]).mapped("code"))
        self.assertEqual(set(cn_numbers.PROVINCES) - codes, {"内", "川", "兵"})
        self.assertEqual(codes - set(cn_numbers.PROVINCES), {"蒙", "蜀", "台", "港", "澳"})
