import base64
import io
import random
from collections import Counter
from datetime import date, datetime

import openpyxl
import xlsxwriter

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
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
        back = price_table.read_prices(base64.b64decode(record.error_file))[1]
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

    def test_day_in_the_file_is_the_day_of_the_company(self):
        self.company.partner_id.tz = "Asia/Shanghai"
        self.table.company_id = self.company
        self._import([self._row(), self._row(min_qty=2.5, valid_from=datetime(2026, 3, 1, 8, 30))]).action_apply()
        self.assertEqual(
            self.table.item_ids.sorted("min_quantity").mapped("date_start"),
            [datetime(2025, 12, 31, 16), datetime(2026, 3, 1, 0, 30)],
        )
        exported = self._exported(self.table.channel_price_table)
        self.assertEqual(
            [row["valid_from"].isoformat() for row in exported], ["2026-01-01T00:00:00", "2026-03-01T08:30:00"]
        )

    def _exported(self, content):
        _layout, rows, _unknown = price_table.read_prices(base64.b64decode(content))
        return [row for _number, row in rows]

    def test_thousand_rows(self):
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{n}", default_code=f"P{n}") for n in range(500)]
        )
        rows = [
            self._row(product_code=product.default_code, segment_code=segment)
            for product in products
            for segment in ("T-DEAL", "T-WEST")
        ]
        record = self._import(rows)
        record.action_apply()
        self.assertEqual(self._counts(record), (1000, 1000, 0, 0, 0))

    def test_number_of_queries_of_a_check_does_not_depend_on_the_number_of_rows(self):
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{n}", default_code=f"P{n}") for n in range(110)]
        )

        def count(chosen, price):
            record = self._import([self._row(product_code=p.default_code, price=price) for p in chosen], check=False)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            record.action_check()
            record.action_apply()
            return self.env.cr.sql_log_count - before

        count(products[:2], 1)
        self.assertLessEqual(count(products[10:], 2), count(products[:10], 2) + 3, "new prices")
        self.assertLessEqual(count(products[10:], 3), count(products[:10], 3) + 3, "changed ones")


@tagged("post_install", "-at_install")
class TestPriceImportVersion(ChannelPricingCommon):
    """Files of draft versions, rules of every kind, and what is compared with what."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.device.default_code, cls.consumable.default_code = "DEV-1", "1001"
        attribute = cls.env["product.attribute"].create(
            {"name": "Size", "value_ids": [Command.create({"name": name}) for name in "SL"]}
        )
        cls.sized = cls.env["product.template"].create({
            "name": "Sized",
            "attribute_line_ids": [
                Command.create({"attribute_id": attribute.id, "value_ids": [Command.set(attribute.value_ids.ids)]})
            ],
        })
        cls.small, cls.large = cls.sized.product_variant_ids
        cls.small.default_code, cls.large.default_code = "S-S", "S-L"
        cls.category = cls.env["product.category"].create({"name": "Of the test"})
        cls.base_table = cls.env["product.pricelist"].create({"name": "The base", "company_id": False})
        cls.version = cls.env["channel.price.version"].create(
            {"pricelist_id": cls.table.id, "valid_from": date(2026, 7, 1)}
        )

    def _rule(self, **values):
        return self.env["product.pricelist.item"].create(
            {"pricelist_id": self.table.id, "channel_version_id": self.version.id, **values}
        )

    def _import(self, content, user=None, **values):
        record = self.env["channel.price.import"].with_user(user or self.user_pricing).create({
            "pricelist_id": self.table.id, "version_id": self.version.id, "file_name": "prices.xlsx",
            "file": content if isinstance(content, bytes) else base64.b64encode(price_table.write_rows(content)),
            **values,
        })
        record.action_check()
        return record

    def _counts(self, record):
        return tuple(record[f"{name}_count"] for name in ("new", "changed", "removed", "unchanged", "error"))

    def _snapshot(self):
        names = [
            "applied_on", "display_applied_on", "product_id", "product_tmpl_id", "categ_id", "channel_segment_id",
            "channel_member_id", "channel_customer_id", "channel_rank", "channel_segment_sequence", "company_id",
            "currency_id", "min_quantity", "date_start", "date_end", "compute_price", "fixed_price", "percent_price",
            "base", "base_pricelist_id", "price_discount", "price_markup", "price_round", "price_surcharge",
            "price_min_margin", "price_max_margin",
        ]
        return Counter(repr([rule[name] or False for name in names]) for rule in self.version.item_ids)

    def _random_rules(self, choose, count):
        targets = [
            {"product_tmpl_id": self.device.product_tmpl_id.id},
            {"product_tmpl_id": self.consumable.product_tmpl_id.id},
            {"product_tmpl_id": self.sized.id},
            {"product_id": self.small.id, "applied_on": "0_product_variant"},
            {
                "categ_id": self.category.id, "applied_on": "2_product_category",
                "display_applied_on": "2_product_category",
            },
            {"applied_on": "3_global"},
        ]
        for number in range(count):
            kind = choose.choice(["fixed", "percentage", "formula"])
            terms = {
                "fixed": {"fixed_price": choose.choice([0, 80.5, 0.125, 1234567.891])},
                "percentage": {"percent_price": choose.choice([0, 12.5, -3])},
                "formula": {
                    "price_discount": choose.choice([0, 7.25, -20]), "price_round": choose.choice([0, 0.05]),
                    "price_surcharge": choose.choice([0, -0.01]), "price_min_margin": choose.choice([0, -5]),
                    "price_max_margin": choose.choice([0, 9]),
                },
            }[kind]
            if kind != "fixed":
                terms |= choose.choice([
                    {"base": "list_price"}, {"base": "standard_price"},
                    {"base": "pricelist", "base_pricelist_id": self.base_table.id},
                ])
            self._rule(
                **choose.choice(targets), **terms, compute_price=kind,
                # Each stands at a place of its own
                min_quantity=number / 2,
                channel_segment_id=choose.choice([False, self.segment_dealer.id, self.segment_west.id]),
                channel_member_id=choose.choice([False, False, self.dealer.id]),
                channel_customer_id=choose.choice([False, False, self.hospital.id]),
                date_start=choose.choice([False, datetime(2026, 7, 5), datetime(2026, 7, 5, 3, 4, 5)]),
                date_end=choose.choice([False, datetime(2026, 9, 30, 23, 59, 59), datetime(2026, 9, 30, 12)]),
            )

    def test_what_goes_out_comes_in_unchanged(self):
        choose = random.Random(20261125)
        self._random_rules(choose, 60)
        before, content = self._snapshot(), self.version.channel_price_table
        record = self._import(content, mode="replace")
        self.assertFalse(record.error_ids.mapped("reason"))
        self.assertEqual(self._counts(record), (0, 0, 0, 60, 0))
        self.version.item_ids.unlink()
        record = self._import(content)
        self.assertEqual(self._counts(record), (60, 0, 0, 0, 0))
        record.action_apply()
        after = self._snapshot()
        self.assertEqual((after - before, before - after), (Counter(), Counter()), "every rule is what it was")
        self.env["product.pricelist.item"].invalidate_model()
        for name in ("channel_rank", "channel_segment_sequence", "company_id", "currency_id", "price_markup"):
            rules = self.version.item_ids
            stored = rules.mapped(name)
            self.env.add_to_compute(rules._fields[name], rules)
            self.assertEqual(rules.mapped(name), stored, f"{name} is what the model computes")

    def test_grid_goes_out_and_comes_in(self):
        device = {"product_tmpl_id": self.device.product_tmpl_id.id}
        self._rule(**device, fixed_price=90, channel_segment_id=self.segment_dealer.id)
        self._rule(**device, fixed_price=100)
        self._rule(**device, fixed_price=80, min_quantity=10)
        self._rule(product_id=self.small.id, fixed_price=5, channel_segment_id=self.segment_west.id)
        kept = self._rule(applied_on="3_global", compute_price="percentage", percent_price=3)
        content = self.version.channel_price_grid
        self.assertEqual(self._counts(self._import(content, mode="replace")), (0, 0, 0, 4, 0))
        grid = openpyxl.load_workbook(io.BytesIO(base64.b64decode(content)))
        sheet = grid.active
        self.assertEqual(
            [[cell.value for cell in row] for row in sheet],
            [["product_code", "product_name", "min_qty", "everybody", "T-DEAL", "T-WEST"],
             ["DEV-1", "Test Catheter", 0, 100, 90, None],
             ["DEV-1", "Test Catheter", 10, 80, None, None],
             ["S-S", "Sized", 0, None, None, 5]],
        )
        sheet["E2"], sheet["F3"], sheet["F4"] = 91, 79, None
        target = io.BytesIO()
        grid.save(target)
        edited = base64.b64encode(target.getvalue())
        self.assertEqual(self._counts(self._import(edited)), (1, 1, 0, 2, 0), "an emptied cell stays")
        record = self._import(edited, mode="replace")
        self.assertEqual(self._counts(record), (1, 1, 1, 2, 0), "or is removed, and a discount is no cell")
        lines = {line.kind: (line.before_words, line.after_words, line.percent) for line in record.line_ids}
        self.assertEqual(lines["changed"][:2], ("$\xa090.00", "$\xa091.00"))
        self.assertAlmostEqual(lines["changed"][2], 100 / 90)
        self.assertEqual((lines["new"][0], lines["removed"][1]), (False, False))
        record.action_apply()
        self.assertEqual(sorted(self.version.item_ids.mapped("fixed_price")), [0, 79, 80, 91, 100])
        self.assertIn(kept, self.version.item_ids)

    def test_grid_with_a_column_that_is_no_segment(self):
        content = price_table.write_grid(["T-DEAL", "T-OTHER"], [{"product_code": "DEV-1", "T-DEAL": 1, "T-OTHER": 2}])
        with self.assertRaisesRegex(UserError, "T-OTHER"):
            self._import(base64.b64encode(content))

    def test_rows_in_error_keep_rules_from_being_removed(self):
        rule = self._rule(product_tmpl_id=self.device.product_tmpl_id.id, fixed_price=90)
        record = self._import([{"product_code": "DEV-1", "price": "ninety"}], mode="replace")
        self.assertEqual(self._counts(record), (0, 0, 1, 0, 1))
        with self.assertRaisesRegex(UserError, "quarantined"):
            record.action_apply()
        record = self._import([{"product_code": "1001", "price": 9}], mode="replace")
        record.action_apply()
        self.assertFalse(rule.exists())
        self.assertEqual(self.version.item_ids.fixed_price, 9)

    def test_rows_of_other_kinds_in_error(self):
        cases = [
            ({"kind": "gift"}, "kind_invalid"),
            ({"kind": "discount"}, "column_foreign,discount_missing"),
            ({"kind": "discount", "price": None, "discount": "a"}, "discount_invalid"),
            ({"kind": "discount", "price": None, "discount": 1, "base": "No such"}, "base_unknown"),
            ({"kind": "formula", "price": None, "min_margin": 2, "max_margin": 1}, "margins_reversed"),
            ({"rounding": 1}, "column_foreign"),
            ({"applies_to": "cupboard"}, "applies_to_invalid"),
            ({"applies_to": "all"}, "target_ambiguous"),
            ({"applies_to": "category", "product_code": None}, "category_missing"),
            ({"applies_to": "category", "product_code": None, "category": "No such"}, "category_unknown"),
            ({"member_code": "no one"}, "member_unknown"),
            ({"customer_code": "no one"}, "customer_unknown"),
        ]
        record = self._import([{"product_code": "DEV-1", "price": 1, **values} for values, _codes in cases])
        self.assertEqual(record.error_ids.mapped("codes"), [codes for _values, codes in cases])
        back = price_table.read_prices(base64.b64decode(record.error_file))[1]
        self.assertEqual(back[6][1]["applies_to"], "cupboard")

    def test_quantity_is_kept_to_the_digits_of_a_quantity(self):
        rows = [{"product_code": "DEV-1", "price": 1, "min_qty": 2.555}]
        self._import(rows).action_apply()
        self.assertEqual(self._counts(self._import(rows)), (0, 0, 0, 1, 0))

    def test_only_a_draft_version_takes_prices(self):
        record = self._import([{"product_code": "DEV-1", "price": 1}])
        plain = self.env["channel.price.import"].create(
            {"pricelist_id": self.table.id, "file": base64.b64encode(price_table.write_rows([]))}
        )
        with self.assertRaisesRegex(UserError, "choose the draft version"):
            plain.action_check()
        with self.assertRaises(ValidationError):
            record.pricelist_id = self.base_table
        self.version.with_user(self.user_manager).action_approve()
        with self.assertRaisesRegex(UserError, "not a draft"):
            record.action_apply()
        with self.assertRaisesRegex(UserError, "not a draft"):
            self.version.action_channel_import_prices()

    def test_importing_makes_the_user_an_author_of_the_version(self):
        record = self._import([{"product_code": "DEV-1", "price": 1}], user=self.user_admin)
        record.action_apply()
        self.assertEqual(self.version.terms_editor_id, self.user_admin)

    def test_sales_does_not_import(self):
        with self.assertRaises(AccessError):
            self._import([{"product_code": "DEV-1", "price": 1}], user=self.user_sales)
        record = self._import([{"product_code": "DEV-1", "price": 1}])
        with self.assertRaises(AccessError):
            record.line_ids.with_user(self.user_sales).read(["after"])
        with self.assertRaises(AccessError):
            record.with_user(self.user_auditor).action_apply()

    def test_rules_without_a_code_are_counted_and_stay(self):
        self.consumable.default_code = False
        self._rule(product_tmpl_id=self.consumable.product_tmpl_id.id, fixed_price=1)
        self._rule(product_tmpl_id=self.device.product_tmpl_id.id, fixed_price=2)
        action = self.version.action_channel_export_prices()
        self.assertEqual(action["tag"], "display_notification")
        self.assertIn("1 rules", action["params"]["message"])
        record = self._import(self.version.channel_price_table, mode="replace")
        self.assertEqual(self._counts(record), (0, 0, 0, 1, 0))
