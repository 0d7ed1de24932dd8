from datetime import date

from freezegun import freeze_time
from hypothesis import given, strategies as st

from odoo.exceptions import ValidationError
from odoo.tests import BaseCase, TransactionCase, tagged

from ..tools import udi
from ..tools.udi import GS

GTIN = "06901234567892"


def told(text):
    found = udi.parse(text)
    return (found.agency, found.di, found.lot, found.serial, found.made, found.expiry)


def codes(text):
    return [code for code, _about in udi.parse(text).warnings]


@tagged("post_install", "-at_install")
@freeze_time("2026-11-27")
class TestUdi(BaseCase):
    # === GS1 === #

    def test_the_order_of_the_regulation(self):
        """NMPA's own example: (01) device, (11) made, (17) expiry, (10) lot, (21) serial."""
        whole = ("GS1", GTIN, "A213B1", "1234", date(2014, 12, 31), date(2015, 7, 7))
        for text in (
            f"({'01'}){GTIN}(11)141231(17)150707(10)A213B1(21)1234",
            f"]d201{GTIN}1114123117150707" f"10A213B1{GS}211234",
            f"01{GTIN}111412311715070710A213B1<GS>211234",
        ):
            with self.subTest(text):
                self.assertEqual(told(text), whole)
                self.assertEqual(codes(text), [])

    def test_a_lost_separator_is_told_and_not_guessed(self):
        text = f"01{GTIN}10A213B117150707"
        self.assertEqual(udi.parse(text).lot, "A213B117150707")
        self.assertIn("fnc1", codes(text))

    def test_a_value_that_is_too_long(self):
        self.assertIn("fnc1", codes(f"01{GTIN}10{'A' * 21}"))

    def test_the_last_value_needs_no_separator(self):
        text = f"01{GTIN}1727123110LOT"
        self.assertEqual(told(text), ("GS1", GTIN, "LOT", None, None, date(2027, 12, 31)))
        self.assertEqual(codes(text), [])

    def test_day_zero_is_the_last_of_the_month(self):
        self.assertEqual(udi.parse(f"(01){GTIN}(17)280200").expiry, date(2028, 2, 29))

    def test_century(self):
        self.assertEqual(udi.parse(f"(01){GTIN}(17)760101").expiry, date(2076, 1, 1))
        self.assertEqual(udi.parse(f"(01){GTIN}(11)770101").made, date(1977, 1, 1))

    def test_check_digit_and_date_and_rest(self):
        self.assertEqual(codes("(01)06901234567893"), ["check"])
        self.assertEqual(codes(f"(01){GTIN}(17)271332"), ["date"])
        self.assertIn("rest", codes(f"01{GTIN}1727"))
        self.assertEqual(codes("(10)LOT"), ["no_di"])

    def test_the_bare_number_beside_a_code(self):
        self.assertEqual(udi.parse("6901234567892").di, GTIN)

    def test_digital_link(self):
        self.assertEqual(
            told(f"https://id.gs1.org/01/{GTIN}/10/A213%2FB1/21/1234?17=271231"),
            ("GS1", GTIN, "A213/B1", "1234", None, date(2027, 12, 31)),
        )
        self.assertEqual(codes("https://example.com/shop"), ["unknown"])

    @given(
        lot=st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-/", min_size=1, max_size=20),
        serial=st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-/", min_size=1, max_size=20),
    )
    def test_what_is_separated_is_read_as_it_is(self, lot, serial):
        self.assertEqual(told(f"01{GTIN}10{lot}{GS}21{serial}"), ("GS1", GTIN, lot, serial, None, None))

    # === MA === #

    def test_ma(self):
        code = "MA.156.M0.100126.1SAM12M7"
        self.assertEqual(
            told(f"{code}.M141211.L20141211.S1234567890.E161211"),
            ("MA", code, "20141211", "1234567890", date(2014, 12, 11), date(2016, 12, 11)),
        )
        self.assertEqual(codes("MA.156.broken"), ["unknown"])

    # === HIBC === #

    def test_hibc_primary(self):
        """ANSI/HIBC 2.6: manufacturer A123, product BJC5D6E7, unit 1, check character G."""
        found = udi.parse("+A123BJC5D6E71G")
        self.assertEqual((found.agency, found.di, found.warnings), ("HIBC", "A123BJC5D6E71", []))
        self.assertEqual(codes("+A123BJC5D6E71H"), ["check"])

    def test_hibc_with_lot_and_expiry(self):
        data = "+A99912345/$$3271231LOT7/S77"
        check = udi._HIBC_CHARACTERS[sum(map(udi._HIBC_CHARACTERS.index, data)) % 43]
        self.assertEqual(
            told(data + check), ("HIBC", "A99912345", "LOT7", "77", None, date(2027, 12, 31))
        )

    def test_hibc_dates(self):
        for coded, day in (
            ("$$0928LOT", date(2028, 9, 30)), ("$$2093028LOT", date(2028, 9, 30)), ("$$528274LOT", date(2028, 9, 30)),
            ("$$3280930LOT", date(2028, 9, 30)),
        ):
            with self.subTest(coded):
                data = f"+A99912345/{coded}"
                check = udi._HIBC_CHARACTERS[sum(map(udi._HIBC_CHARACTERS.index, data)) % 43]
                found = udi.parse(data + check)
                self.assertEqual((found.expiry, found.lot), (day, "LOT"))

    # === Anything else === #

    def test_what_is_no_carrier(self):
        self.assertEqual(codes("Balloon catheter"), ["unknown"])
        self.assertIsNone(udi.parse("Balloon catheter").agency)

    @given(st.text(max_size=60))
    def test_nothing_breaks_it(self, text):
        udi.parse(text)


@tagged("post_install", "-at_install")
class TestUdiApi(TransactionCase):
    def test_answer(self):
        answer = self.env["channel.udi"].parse(f"(01){GTIN}(17)271231(10)LOT")
        self.assertEqual(answer, {
            "agency": "GS1", "di": GTIN, "lot": "LOT", "serial": None, "made": None, "expiry": "2027-12-31",
            "warnings": [],
        })

    def test_warnings_say_what_to_do(self):
        [warning] = self.env["channel.udi"].parse("(01)06901234567893")["warnings"]
        self.assertEqual(warning["code"], "check")
        self.assertIn("scan it again", warning["message"])

    def test_no_text(self):
        for value in ("", "  ", None, 5):
            with self.assertRaisesRegex(ValidationError, "text"):
                self.env["channel.udi"].parse(value)
