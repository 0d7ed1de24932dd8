from odoo.tests import TransactionCase, freeze_time, tagged

USCC = "91330100716105852F"
NHSA = "C" + "0123456789" * 2

#: Code of the type -> accepted numbers, then refused ones with the reason. The refused ones are made from real ones.
NUMBERS = {
    "cn_registration": (
        ["国械注准20193030166", "内械注准20262210005", "川械注准20202090126", "国械注许20203010640",
         "国药监械(进)字2004第3461234", "浙食药监械(准)字2013第240089号"],
        [("蒙械注准20262210005", "cn_province"), ("蜀械注准20202090126", "cn_province"),
         ("台械注准20202090126", "cn_province"), ("国械注准20193990166", "cn_catalogue"),
         ("国械注准20191030166", "cn_class"), ("国械注准20190030166", "cn_class"),
         ("川械注准20203090126", "cn_level"), ("川械注进20202090126", "cn_level"),
         ("国械注准20133030166", "cn_year"), ("国械注准20273030166", "cn_year"),
         ("国械注准2019303016", "format"), ("国械注准201930301x6", "format"), ("国械准注20193030166", "format"),
         ("械注准20193030166", "format"), ("国械注准20193030166号", "format"), ("浙温械备20140027号", "cn_kind")],
    ),
    "cn_class1_filing": (
        ["粤潮械备20140023", "浙温械备20140027号", "国械备20180123号", "内呼械备20200001"],
        [("粤潮械备20130023", "cn_year"), ("粤潮械备20270023", "cn_year"), ("蒙呼械备20200001", "cn_province"),
         ("蜀械备20200001", "cn_province"), ("粤潮械备2014002", "format"), ("粤潮械备2014", "format"),
         ("粤潮备20140023", "format"), ("粤潮械注备20140023", "format"), ("潮械备20140023", "cn_province"),
         ("粤潮械备２０１４00-23", "format"), ("国械注准20193030166", "cn_kind"), ("GD械备20140023", "format")],
    ),
    "cn_trading_licence": (
        ["粤穗食药监械经营许20171161号", "京丰食药监械经营许20150100号", "京海药监械经营许20180099",
         "川蓉药监械经营许20200012号", "内呼药监械经营许2021A012号"],
        [("鄂汉食药监械经营备2018H006号", "cn_kind"), ("蒙呼药监械经营许2021A012号", "cn_province"),
         ("蜀蓉药监械经营许20200012号", "cn_province"), ("粤穗食药监械经营许19991161号", "cn_year"),
         ("粤穗食药监械经营许20271161号", "cn_year"), ("粤穗食药监械经营许2017号", "format"),
         ("粤穗食药监械经营许20171号", "format"), ("粤穗食药监械经营许20171234567号", "format"),
         ("粤穗食药监经营许20171161号", "format"), ("粤穗药品经营许20171161号", "format"),
         ("苏食药监械生产许20080046号", "cn_kind"), ("20171161", "format")],
    ),
    "cn_trading_filing": (
        ["鄂汉食药监械经营备2018H006号", "京经食药监械经营备20170029", "川蓉药监械经营备20200012"],
        [("粤穗食药监械经营许20171161号", "cn_kind"), ("蜀蓉药监械经营备20200012", "cn_province"),
         ("蒙呼药监械经营备20200012", "cn_province"), ("京经食药监械经营备19980029", "cn_year"),
         ("京经食药监械经营备20300029", "cn_year"), ("京经食药监械经营备2017", "format"),
         ("京经食药监械经营备201700", "format"), ("京经食药监械备20170029", "cn_kind"),
         ("京经食药监械经营20170029", "format"), ("京经食药监械经营备2017-029", "format"),
         ("浙温械备20140027号", "cn_kind")],
    ),
    "cn_production_licence": (
        ["苏食药监械生产许20080046号", "沪食药监械生产许20000240号", "川药监械生产许20210012"],
        [("蜀药监械生产许20210012", "cn_province"), ("蒙药监械生产许20210012", "cn_province"),
         ("苏食药监械生产许19990046号", "cn_year"), ("苏食药监械生产许20290046号", "cn_year"),
         ("苏食药监械生产许2008046号", "format"), ("苏食药监械生产20080046号", "format"),
         ("苏食药监械生产备20080046号", "cn_kind"), ("粤穗食药监械经营许20171161号", "cn_kind"),
         ("食药监械生产许20080046号", "cn_province"), ("苏药生产许20080046号", "format"),
         ("苏食药监械生产许2008004612345号", "format")],
    ),
    "cn_production_filing": (
        ["浙杭食药监械生产备20150001号", "川药监械生产备20210012", "苏苏药监械生产备2022A001号"],
        [("浙杭食药监械生产许20150001号", "cn_kind"), ("蜀药监械生产备20210012", "cn_province"),
         ("蒙药监械生产备20210012", "cn_province"), ("浙杭食药监械生产备19990001号", "cn_year"),
         ("浙杭食药监械生产备20290001号", "cn_year"), ("浙杭食药监械生产备2015号", "format"),
         ("浙杭食药监械生产20150001号", "format"), ("浙杭药品生产备20150001号", "format"),
         ("京经食药监械经营备20170029", "cn_kind"), ("浙温械备20140027号", "cn_kind"), ("备20150001", "format")],
    ),
    "cn_uscc": (
        [USCC, "91320594346302401E", "12100000425006133D"],
        [(USCC[:-1], "length"), (USCC + "0", "length"), ("9133010O716105852F", "cn_alphabet"),
         ("9I330100716105852F", "cn_alphabet"), ("91330100716105825F", "check_digit"),
         ("19330100716105852F", "check_digit"), ("91330100716105852E", "check_digit"),
         ("914403001922038217", "check_digit"), ("9133010057462616XH", "check_digit"),
         ("B1330100716105852F", "format"), ("913301007161058-F", "length"), ("统一社会信用代码", "length")],
    ),
    "cn_nhsa_code": (
        [NHSA[:20], NHSA[:20] + "0000001"],
        [(NHSA[:19], "length"), (NHSA, "length"), (NHSA[:20] + "000001", "length"), (NHSA[:20] + "00000012", "length"),
         ("D" + NHSA[1:20], "format"), ("0" + NHSA[1:20], "format"), (NHSA[:19] + "A", "format"),
         ("CC" + NHSA[2:20], "format"), (NHSA[:10], "length"), ("C", "length"), (NHSA[:20] + "ABCDEFG", "format")],
    ),
    "cn_nhsa_institution": (
        ["H31010600037", "h51010600001"],
        [("H3101060003", "length"), ("H310106000377", "length"), ("P31010600037", "format"), ("31010600037", "length"),
         ("H99010600037", "cn_region"), ("H00010600037", "cn_region"), ("HA1010600037", "format"),
         ("H3101060003A", "format"), ("HH1010600037", "format"), ("H16010600037", "cn_region"), ("H", "length")],
    ),
    "cn_fapiao": (
        ["24312000000012345678", "21440000000000000001", "２４312000000012345678"],
        [("2431200000001234567", "length"), ("243120000000123456789", "length"), ("12345678", "length"),
         ("2431200000001234567A", "format"), ("20312000000012345678", "cn_year"), ("27312000000012345678", "cn_year"),
         ("99312000000012345678", "cn_year"), ("2431-000000012345678", "format"), ("A4312000000012345678", "format"),
         ("0" * 20, "cn_year"), ("第24312000000012345678号", "length")],
    ),
}


@freeze_time("2026-06-01 04:00:00")
@tagged("post_install", "-at_install")
class TestNumbersRefused(TransactionCase):
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

    def test_every_validator_of_china_is_in_the_table(self):
        known = {key for key, _label in self.env["channel.qualification.type"]._selection_validator()}
        self.assertEqual({key for key in known if key.startswith("cn_")}, set(NUMBERS))

    def test_every_reason_has_a_sentence(self):
        reasons = self.env["channel.qualification.type"]._validation_reasons()
        for _accepted, refused in NUMBERS.values():
            self.assertLessEqual({reason for _number, reason in refused}, set(reasons))

    def test_fapiao_parts(self):
        parsed = self.env["channel.qualification.type"].validate("cn_fapiao", "24312000000012345678")["parsed"]
        self.assertEqual(
            (parsed["year"], parsed["bureau"], parsed["channel"], parsed["serial"]),
            (2024, "31", "2", "000000012345678"),
        )
