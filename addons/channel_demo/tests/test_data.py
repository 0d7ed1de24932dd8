import csv
import io
from collections import defaultdict
from importlib import import_module

import openpyxl

from odoo.tests import TransactionCase, tagged
from odoo.tools import file_open

from ..models.channel_demo_story import CHAPTERS


@tagged("post_install", "-at_install")
class TestDemoData(TransactionCase):
    """The story's files, read without telling the story."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.products = cls._rows("products.csv")
        cls.segments = cls._rows("segments.csv")
        with file_open("channel_demo/data/price_table.xlsx", "rb") as file:
            sheet = openpyxl.load_workbook(io.BytesIO(file.read()), read_only=True).active
            header, *rows = sheet.iter_rows(values_only=True)
        cls.prices = [dict(zip(header, row, strict=True)) for row in rows]

    @classmethod
    def _rows(cls, name):
        with file_open(f"channel_demo/data/{name}", "r") as file:
            return list(csv.DictReader(file))

    def test_numbers_of_the_catalogue_are_well_formed(self):
        validate = self.env["channel.qualification.type"].validate
        for product in self.products:
            code = product["product_code"]
            self.assertTrue(validate("gtin", product["gtin"])["valid"], f"{code}: {product['gtin']}")
            if product["device_class"] in ("II", "III"):
                number = product["registration_number"]
                self.assertTrue(validate("cn_registration", number)["valid"], f"{code}: {number}")
            # In-vitro diagnostic reagents keep the class 6840 of 2002: the catalogue of 2017 has none for them.
            scheme = "cn_2002" if product["is_ivd"] == "1" else "cn_2017"
            category = product["category_2002" if product["is_ivd"] == "1" else "category_2017"]
            self.assertTrue(
                self.env["channel.device.category"].search_count([("scheme", "=", scheme), ("code", "=", category)]),
                f"{code}: there is no category {category} of {scheme}",
            )

    def test_price_table_names_what_exists(self):
        self.assertGreater(len(self.prices), 1000)
        products = {product["product_code"] for product in self.products}
        segments = {segment["segment_code"] for segment in self.segments} | {None, ""}
        self.assertLessEqual({row["product_code"] for row in self.prices}, products)
        self.assertLessEqual({row["segment_code"] for row in self.prices}, segments)

    def test_a_larger_quantity_never_costs_more(self):
        ladders = defaultdict(list)
        for row in self.prices:
            key = row["product_code"], row["segment_code"], row["valid_from"], row["valid_to"]
            ladders[key].append((row["min_qty"] or 0, row["price"]))
        for key, ladder in ladders.items():
            prices = [price for _quantity, price in sorted(ladder)]
            self.assertEqual(prices, sorted(prices, reverse=True), key)

    def test_every_segment_is_an_area_a_grade_and_a_tier(self):
        grades = set(self.env["channel.hospital.grade"].search([]).mapped("code"))
        for segment in self.segments:
            self.env.ref(f"channel_l10n_cn.cn_area_{segment['area_code']}")
            self.assertLessEqual(set(segment["grades"].split()), grades, segment["segment_code"])
            self.assertIn(segment["tier"], ("gold", "silver", "bronze"))

    def test_every_chapter_can_be_told_and_every_login_has_a_password(self):
        for chapter in CHAPTERS:
            self.assertTrue(callable(import_module(f"odoo.addons.channel_demo.story.{chapter}").run))
        for row in self._rows("logins.csv"):
            self.assertTrue(row["role"] and row["login"] and row["password"] and row["what"], row)
