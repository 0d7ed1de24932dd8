from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon


@tagged("post_install", "-at_install")
class TestFapiao(AccountTestInvoicingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.init_invoice("out_invoice", invoice_date=fields.Date.to_date("2026-03-02"))

    def test_paper_and_digital_numbers_are_accepted(self):
        for number in ("12345678", "25332000000012345678", False):
            with self.subTest(number):
                self.move.fapiao = number
                self.env.flush_all()
                self.move.invalidate_recordset()
                self.assertEqual(self.move.fapiao, number)

    def test_other_numbers_are_refused(self):
        for number in ("1234567", "123456789", "2533200000001234567", "2533200000001234567X", "２５３３２０００"):
            with self.subTest(number), self.assertRaisesRegex(ValidationError, number):
                self.move.fapiao = number

    def test_one_wrong_number_among_right_ones_is_found(self):
        other = self.init_invoice("out_invoice", invoice_date=fields.Date.to_date("2026-03-02"))
        with self.assertRaisesRegex(ValidationError, "4711"):
            (self.move | other).write({"fapiao": "4711"})

    def test_a_number_that_is_on_another_invoice_is_warned_of(self):
        for number in ("12345678", "25332000000012345678"):
            with self.subTest(number):
                other = self.init_invoice("out_invoice", invoice_date=fields.Date.to_date("2026-03-03"))
                other.fapiao = self.move.fapiao = number
                self.assertIn(number, other.channel_fapiao_warning)
                self.assertTrue(self.move.channel_fapiao_warning)
                other.fapiao = False
                self.assertFalse(other.channel_fapiao_warning)
                self.move.invalidate_recordset()
                self.assertFalse(self.move.channel_fapiao_warning)

    def test_vendors_may_have_our_numbers(self):
        bill = self.init_invoice("in_invoice", invoice_date=fields.Date.to_date("2026-03-03"))
        bill.fapiao = self.move.fapiao = "12345678"
        self.assertFalse(bill.channel_fapiao_warning)
        self.assertFalse(self.move.channel_fapiao_warning)
