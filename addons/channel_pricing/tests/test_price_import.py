import base64
import io
import time
from datetime import date, datetime

import xlsxwriter

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.channel_pricing.tools import price_table

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
class TestPriceImport(ChannelPricingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.device.default_code = "DEV-1"
        cls.consumable.default_code = "1001"
        cls.currency = cls.company.currency_id.name

    def _row(self, **values):
        return {
            "product_code": "DEV-1",
            "segment_code": "T-DEAL",
            "min_qty": 1,
            "price": 80.5,
            "currency": self.currency,
            "valid_from": date(2026, 1, 1),
            "valid_to": date(2026, 12, 31),
            **values,
        }

    def _import(self, rows, check=True):
        record = self.env["channel.price.import"].create(
            {
                "pricelist_id": self.table.id,
                "file_name": "prices.xlsx",
                "file": base64.b64encode(price_table.write_rows(rows)),
            }
        )
        if check:
            record.action_check()
        return record

    def _counts(self, record):
        return (
            record.row_count,
            record.new_count,
            record.changed_count,
            record.unchanged_count,
            record.error_count,
        )

    def test_check_writes_nothing_and_apply_writes_what_was_shown(self):
        record = self._import([self._row(), self._row(segment_code=None, price=90)])
        self.assertEqual(self._counts(record), (2, 2, 0, 0, 0))
        self.assertFalse(self.table.item_ids)
        record.action_apply()
        self.assertRecordValues(
            self.table.item_ids.sorted("fixed_price"),
            [
                {
                    "applied_on": "1_product",
                    "product_tmpl_id": self.device.product_tmpl_id.id,
                    "channel_segment_id": self.segment_dealer.id,
                    "min_quantity": 1,
                    "fixed_price": 80.5,
                    "date_start": datetime(2026, 1, 1),
                    "date_end": datetime(2026, 12, 31, 23, 59, 59),
                },
                {
                    "applied_on": "1_product",
                    "product_tmpl_id": self.device.product_tmpl_id.id,
                    "channel_segment_id": False,
                    "min_quantity": 1,
                    "fixed_price": 90,
                    "date_start": datetime(2026, 1, 1),
                    "date_end": datetime(2026, 12, 31, 23, 59, 59),
                },
            ],
        )
        self.assertEqual(self._price(date="2026-12-31"), 80.5)
        self.assertEqual(self._price(date="2027-01-01"), 100)

    def test_second_import_of_the_same_file_changes_nothing(self):
        rows = [self._row(), self._row(min_qty=10, price=70)]
        self._import(rows).action_apply()
        again = self._import(rows)
        self.assertEqual(self._counts(again), (2, 0, 0, 2, 0))
        again.action_apply()
        self.assertEqual(len(self.table.item_ids), 2)

    def test_changed_price_and_end_change_the_rule(self):
        self._import([self._row()]).action_apply()
        rule = self.table.item_ids
        changed = self._import([self._row(price=81, valid_to=None)])
        self.assertEqual(self._counts(changed), (1, 0, 1, 0, 0))
        changed.action_apply()
        self.assertEqual(self.table.item_ids, rule)
        self.assertRecordValues(rule, [{"fixed_price": 81, "date_end": False}])

    def test_rules_not_named_stay(self):
        kept = self._channel_rule(5, product=self.consumable)
        self._import([self._row()]).action_apply()
        self.assertIn(kept, self.table.item_ids)
        self.assertEqual(kept.fixed_price, 5)

    def test_rows_that_cannot_be_understood_are_kept_apart_with_every_reason(self):
        self.env["product.product"].create([{"name": name, "default_code": "TWICE"} for name in "AB"])
        cases = [
            ({"product_code": "NO-SUCH"}, "product_unknown"),
            ({"product_code": None}, "product_missing"),
            ({"product_code": "TWICE"}, "product_ambiguous"),
            ({"segment_code": "NO-SUCH"}, "segment_unknown"),
            ({"price": None}, "price_missing"),
            ({"price": "12 CNY"}, "price_invalid"),
            ({"price": "1,200"}, "price_invalid"),
            ({"price": -1}, "price_negative"),
            ({"min_qty": "many"}, "min_qty_invalid"),
            ({"min_qty": -1}, "min_qty_invalid"),
            ({"currency": "ABC"}, "currency_mismatch"),
            ({"valid_from": "1/2/2026"}, "date_invalid"),
            ({"valid_from": date(2026, 5, 2), "valid_to": date(2026, 5, 1)}, "dates_reversed"),
            ({"product_code": "NO-SUCH", "price": "x"}, "product_unknown,price_invalid"),
        ]
        record = self._import([self._row(), *(self._row(**values) for values, _codes in cases)])
        self.assertEqual(self._counts(record), (15, 1, 0, 0, 14))
        self.assertEqual(record.error_ids.mapped("codes"), [codes for _values, codes in cases])
        self.assertEqual(record.error_ids.mapped("row_number"), list(range(3, 17)))
        self.assertTrue(all(record.error_ids.mapped("reason")))
        record.action_apply()
        self.assertEqual(len(self.table.item_ids), 1, "The row that was in order is applied")
        self.assertEqual(len(record.error_ids), 14, "And the others are still there")
        back = list(price_table.read_rows(base64.b64decode(record.error_file)))
        self.assertEqual(len(back), 14)

    def test_repeated_row_counts_once_and_contradicting_rows_not_at_all(self):
        record = self._import([self._row(), self._row(), self._row(min_qty=5, price=1), self._row(min_qty=5, price=2)])
        self.assertEqual(self._counts(record), (4, 1, 0, 0, 3))
        self.assertEqual(record.error_ids.mapped("codes"), ["duplicate", "conflict", "conflict"])

    def test_first_and_last_day_of_one_day_prices(self):
        self._import([self._row(valid_from=date(2026, 5, 1), valid_to=date(2026, 5, 1))]).action_apply()
        self.assertEqual(
            [self._price(date=day) for day in ("2026-04-30", "2026-05-01", "2026-05-02")], [100, 80.5, 100]
        )

    def test_number_in_the_code_column_is_the_code(self):
        record = self._import([self._row(product_code=1001.0, price=3)])
        self.assertEqual(self._counts(record), (1, 1, 0, 0, 0))
        record.action_apply()
        self.assertEqual(self.table.item_ids.product_tmpl_id, self.consumable.product_tmpl_id)

    def test_variant_is_priced_alone(self):
        attribute = self.env["product.attribute"].create(
            {"name": "Size", "value_ids": [(0, 0, {"name": "S"}), (0, 0, {"name": "L"})]}
        )
        template = self.env["product.template"].create(
            {
                "name": "Sized",
                "attribute_line_ids": [
                    (0, 0, {"attribute_id": attribute.id, "value_ids": [(6, 0, attribute.value_ids.ids)]})
                ],
            }
        )
        small, large = template.product_variant_ids
        small.default_code, large.default_code = "S-S", "S-L"
        self._import([self._row(product_code="S-S")]).action_apply()
        self.assertRecordValues(self.table.item_ids, [{"applied_on": "0_product_variant", "product_id": small.id}])

    def test_table_changed_since_the_check_is_not_overwritten(self):
        record = self._import([self._row()])
        self._channel_rule(1, segment=self.segment_dealer, min_quantity=1, date_start=datetime(2026, 1, 1))
        with self.assertRaisesRegex(UserError, "Check again"):
            record.action_apply()
        record.action_check()
        self.assertEqual(self._counts(record), (1, 0, 1, 0, 0))
        record.action_apply()
        with self.assertRaises(UserError):
            record.action_apply()

    def test_apply_needs_a_check_and_a_new_file_a_new_one(self):
        record = self._import([self._row()], check=False)
        with self.assertRaises(UserError):
            record.action_apply()
        record.action_check()
        record.file = base64.b64encode(price_table.write_rows([self._row(price=1)]))
        self.assertEqual(record.state, "draft")

    def test_applied_import_is_history(self):
        record = self._import([self._row()])
        record.action_apply()
        self.assertEqual(record.applied_by_id, self.env.user)
        with self.assertRaises(UserError):
            record.unlink()
        with self.assertRaises(UserError):
            record.file = base64.b64encode(price_table.write_rows([]))
        entry = (
            self.env["channel.audit.entry"]
            .sudo()
            .search([("model", "=", "channel.price.import"), ("res_id", "=", record.id)])
        )
        self.assertEqual(entry.action, "price_import.applied")

    def test_files_that_are_no_price_table_are_refused(self):
        record = self._import([self._row()], check=False)
        for content, message in (
            (b"product_code,price", "not an XLSX"),
            (b"PK\x03\x04 broken", "not an XLSX"),
        ):
            record.file = base64.b64encode(content)
            with self.assertRaisesRegex(UserError, message):
                record.action_check()

    def test_price_that_the_file_computes_is_what_the_cell_showed(self):
        target = io.BytesIO()
        book = xlsxwriter.Workbook(target)
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ("Remark", "price", "product_code"))
        sheet.write_string(1, 0, "list price less a fifth")
        sheet.write_formula(1, 1, "=100*0.8", value=80)
        sheet.write_string(1, 2, "DEV-1")
        sheet.write_string(2, 2, "DEV-1")
        sheet.write_formula(2, 1, "=1/0", value="#DIV/0!")
        book.close()
        record = self._import([], check=False)
        record.file = base64.b64encode(target.getvalue())
        record.action_check()
        self.assertEqual(self._counts(record), (2, 1, 0, 0, 1))
        self.assertRecordValues(record.error_ids, [{"row_number": 3, "price": "#DIV/0!", "codes": "price_invalid"}])
        record.action_apply()
        self.assertEqual(self.table.item_ids.fixed_price, 80)

    def test_export_and_import_are_inverse(self):
        self.company.partner_id.tz = "Asia/Shanghai"
        self.table.company_id = self.company
        rows = [
            self._row(),
            self._row(segment_code=None, valid_from=None, valid_to=None),
            self._row(min_qty=2.5, valid_from=datetime(2026, 3, 1, 8, 30)),
            self._row(product_code="1001", segment_code="T-HOSP", price=0.125),
            self._row(product_code="1001", segment_code="T-WEST", price=0, min_qty=0),
        ]
        self._import(rows).action_apply()
        self._channel_rule(segment=self.segment_dealer, compute_price="percentage", percent_price=5)
        exported = [row for _number, row in price_table.read_rows(base64.b64decode(self.table.channel_price_table))]
        self.assertEqual(len(exported), 5, "A discount is no price of a product")
        self.assertCountEqual([row["price"] for row in exported], [80.5, 80.5, 80.5, 0.125, 0])
        self.assertIn(datetime(2026, 3, 1, 8, 30), [row["valid_from"] for row in exported])
        again = self._import(exported)
        self.assertFalse(again.error_ids.mapped("reason"))
        self.assertEqual(self._counts(again), (5, 0, 0, 5, 0))

    def test_thousand_rows_in_seconds(self):
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{n}", default_code=f"P{n}") for n in range(500)]
        )
        rows = [
            self._row(product_code=product.default_code, segment_code=segment)
            for product in products
            for segment in ("T-DEAL", "T-WEST")
        ]
        start = time.perf_counter()
        record = self._import(rows)
        record.action_apply()
        self.env.flush_all()
        self.assertEqual(self._counts(record), (1000, 1000, 0, 0, 0))
        self.assertLess(time.perf_counter() - start, 20)

    def test_number_of_queries_of_a_check_does_not_depend_on_the_number_of_rows(self):
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{n}", default_code=f"P{n}") for n in range(110)]
        )

        def count(chosen):
            record = self._import([self._row(product_code=p.default_code) for p in chosen], check=False)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            record.action_check()
            return self.env.cr.sql_log_count - before

        count(products[:2])
        self.assertLessEqual(count(products[10:]), count(products[:10]) + 3)
