import base64
import io
import random

import openpyxl

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged

from .common import ChannelPricingCommon

SEED = 20261125


class PriceBookCase(ChannelPricingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Only the products of this test are sold
        cls.env["product.template"].search([("id", "not in", (cls.device | cls.consumable).product_tmpl_id.ids)]).write(
            {"sale_ok": False}
        )
        (cls.device | cls.consumable).write({"sale_ok": True})
        cls.device.default_code, cls.consumable.default_code = "A-DEVICE", "B-GAUZE"
        cls._channel_rule(90)
        cls._channel_rule(80, segment=cls.segment_dealer)
        cls._channel_rule(75, segment=cls.segment_dealer, min_quantity=10)
        cls._channel_rule(60, segment=cls.segment_hospital)

    def _book(self, member=None, customer=None, env=None, **kwargs):
        return (env or self.env)["channel.pricing"].price_book(
            (member or self.dealer).id, customer_id=customer.id if customer else None, **kwargs
        )

    def _prices(self, book, product=None):
        [row] = [row for row in book["rows"] if row["product_id"] == (product or self.device).id]
        return [(price["quantity"], price["price_unit"]) for price in row["prices"]]


@tagged("post_install", "-at_install")
class TestPriceBook(PriceBookCase):
    # === PRICES ===#

    def test_prices_with_their_quantity_breaks(self):
        self.assertEqual(self._prices(self._book()), [(1, 80), (10, 75)])
        self.assertEqual(self._prices(self._book(self.other_dealer)), [(1, 90)])
        self.assertEqual(self._prices(self._book(), self.consumable), [(1, 10)])

    def test_break_at_which_nothing_changes_is_no_row(self):
        # The hospital's price comes before the dealer's, whatever the quantity
        self.assertEqual(self._prices(self._book(customer=self.hospital)), [(1, 60)])

    def test_break_of_a_table_on_which_another_rests(self):
        base = self.env["product.pricelist"].create({"name": "Base", "company_id": False})
        self.env["product.pricelist.item"].create([
            {"pricelist_id": base.id, "product_tmpl_id": self.consumable.product_tmpl_id.id, "fixed_price": 8},
            {"pricelist_id": base.id, "product_tmpl_id": self.consumable.product_tmpl_id.id, "fixed_price": 6,
             "min_quantity": 100},
        ])
        self._channel_rule(
            product=self.consumable, compute_price="percentage", percent_price=50, base="pricelist",
            base_pricelist_id=base.id,
        )
        self.assertEqual(self._prices(self._book(), self.consumable), [(1, 4), (100, 3)])

    def test_book_of_a_day_to_come(self):
        self._channel_rule(50, segment=self.segment_dealer, min_quantity=10, date_start="2090-01-01 00:00:00")
        self.assertEqual(self._prices(self._book(date="2089-12-31")), [(1, 80), (10, 75)])
        self.assertEqual(self._prices(self._book(date="2090-01-02")), [(1, 80), (10, 50)])

    def test_book_agrees_with_quotes_for_random_tables(self):
        chance = random.Random(SEED)
        categories = self.env["product.category"].create([{"name": "A"}, {"name": "B"}])
        products = self.env["product.product"].create([
            self._channel_product_values(
                f"P{number}", list_price=chance.randint(1, 500), standard_price=chance.randint(1, 300),
                categ_id=chance.choice(categories).id,
            )
            for number in range(30)
        ])
        base = self.env["product.pricelist"].create({"name": "Base", "company_id": False})
        for table in (base, self.table):
            self.env["product.pricelist.item"].create([
                {
                    "pricelist_id": table.id,
                    **chance.choice([
                        {"applied_on": "3_global"},
                        {"applied_on": "2_product_category", "categ_id": chance.choice(categories).id},
                        {"applied_on": "1_product", "product_tmpl_id": chance.choice(products).product_tmpl_id.id},
                    ]),
                    **chance.choice([
                        {"compute_price": "fixed", "fixed_price": chance.randint(1, 400)},
                        {"compute_price": "percentage", "percent_price": chance.randint(0, 60)},
                        {"compute_price": "formula", "price_discount": 10, "price_surcharge": chance.randint(0, 9)},
                    ] + [{"compute_price": "percentage", "percent_price": 5, "base": "pricelist",
                          "base_pricelist_id": base.id}] * (table == self.table)),
                    "min_quantity": chance.choice([0, 0, 1, 2, 5, 12]),
                    "channel_segment_id": chance.choice([False, self.segment_dealer.id, self.segment_west.id]),
                }
                for _number in range(60)
            ])
        book = self._book(authorized_only=False, product_ids=products.ids)
        self.assertEqual(len(book["rows"]), 30)
        quantities = (1, 2, 4, 5, 11, 12, 100)
        for row in book["rows"]:
            quoted = self.env["channel.pricing"].quote(
                self.dealer.id, [{"product_id": row["product_id"], "quantity": q} for q in quantities], explain=False
            )
            for quantity, answer in zip(quantities, quoted, strict=True):
                price = [price for price in row["prices"] if price["quantity"] <= quantity][-1]
                self.assertEqual(price["price_unit"], answer["price_unit"], f"{row['name']} x {quantity}")

    # === PRODUCTS ===#

    def test_only_what_the_member_is_authorised_for(self):
        def names(**kwargs):
            return [row["code"] for row in self._book(**kwargs)["rows"]]

        self.assertEqual(names(), ["A-DEVICE", "B-GAUZE"])
        # The dealer's territory is the east
        self.assertEqual(names(customer=self.hospital_west), ["B-GAUZE"])
        self.assertEqual(names(customer=self.hospital_west, authorized_only=False), ["A-DEVICE", "B-GAUZE"])
        # Hospitals need no authorization
        self.assertEqual(names(member=self.hospital_west), ["A-DEVICE", "B-GAUZE"])
        self._channel_severity("member_authorization", "off")
        self.assertEqual(names(customer=self.hospital_west), ["A-DEVICE", "B-GAUZE"])

    def test_search_category_and_pages(self):
        self.assertEqual([row["code"] for row in self._book(search="gauz")["rows"]], ["B-GAUZE"])
        self.assertEqual([row["code"] for row in self._book(search="a-dev")["rows"]], ["A-DEVICE"])
        category = self.env["product.category"].create({"name": "Only"})
        self.consumable.categ_id = category
        self.assertEqual([row["code"] for row in self._book(category_id=category.id)["rows"]], ["B-GAUZE"])
        page = self._book(offset=1, limit=1)
        self.assertEqual(([row["code"] for row in page["rows"]], page["total"]), (["B-GAUZE"], 2))
        self.assertEqual(self._book(limit=0)["rows"], [])

    def test_wrong_arguments_are_named(self):
        for message, arguments in (
            ("offset", {"offset": -1}),
            ("offset", {"offset": None}),
            ("limit", {"limit": "5"}),
            ("product_ids", {"product_ids": "all"}),
            ("product_ids", {"product_ids": ["1"]}),
            ("category_id", {"category_id": "x"}),
            ("date", {"date": "31/03/2026"}),
        ):
            with self.subTest(arguments=arguments), self.assertRaisesRegex(ValidationError, message):
                self._book(**arguments)

    # === ACCESS ===#

    def test_who_may_ask(self):
        portal = self.env(user=self.user_portal)
        self.assertEqual(self._prices(self._book(env=portal)), [(1, 80), (10, 75)])
        # A portal user cannot leave authorizations out of account
        codes = [row["code"] for row in self._book(
            env=portal, customer=self.hospital_west, authorized_only=False)["rows"]]
        self.assertEqual(codes, ["B-GAUZE"])
        for user, member in (
            (self.user_portal, self.other_dealer),
            (self.user_portal, self.sub_dealer),
            (self.user_sales, self.other_dealer),
            (self.user_internal, self.dealer),
        ):
            with self.subTest(user=user.login, member=member.name), self.assertRaises(AccessError):
                self._book(member, env=self.env(user=user))

    # === SHAPE ===#

    def test_number_of_queries_does_not_depend_on_the_number_of_products(self):
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{number}", list_price=number + 1, channel_device_class="III")
             for number in range(110)]
        )
        base = self.env["product.pricelist"].create({"name": "Base", "company_id": False})
        self.env["product.pricelist.item"].create([
            {"pricelist_id": table.id, "product_tmpl_id": product.product_tmpl_id.id, "min_quantity": quantity,
             "compute_price": "percentage", "percent_price": quantity + 5,
             **({"base": "pricelist", "base_pricelist_id": base.id} if table == self.table else {})}
            for product in products for table in (base, self.table) for quantity in (0, 10)
        ])

        def count(products):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._book(product_ids=products.ids)
            return self.env.cr.sql_log_count - before

        count(products[:1])
        self.assertLessEqual(count(products[10:]), count(products[:10]) + 3)

    # === WIZARD AND FILE ===#

    def _wizard(self, user=None, **values):
        return self.env["channel.price.book"].with_user(user or self.user_sales).create(
            {"member_id": self.dealer.id, **values}
        )

    def test_wizard_fills_a_list_of_prices(self):
        wizard = self._wizard()
        action = wizard.action_show()
        wizard.action_show()
        lines = self.env[action["res_model"]].with_user(self.user_sales).search(action["domain"])
        self.assertRecordValues(lines, [
            {"product_id": self.device.id, "quantity": 1, "price": 80},
            {"product_id": self.device.id, "quantity": 10, "price": 75},
            {"product_id": self.consumable.id, "quantity": 1, "price": 10},
        ])
        self.assertEqual(lines.currency_id, self.table.currency_id)
        explained = lines[1].action_explain()
        check = self.env[explained["res_model"]].browse(explained["res_id"])
        self.assertEqual((check.price, check.create_uid), (75, self.user_sales))
        # Nobody else's, who may not see the member
        self.assertFalse(self.env[action["res_model"]].with_user(self.user_manager).search(action["domain"]))
        with self.assertRaises(AccessError):
            wizard.with_user(self.user_manager).read(["xlsx"])

    def test_wizard_needs_a_member_within_reach(self):
        with self.assertRaisesRegex(UserError, "Member"):
            self._wizard(member_id=False).action_show()
        with self.assertRaises(AccessError):
            self._wizard(member_id=self.other_dealer.id).action_show()

    def test_file_has_a_row_for_each_price(self):
        self.device.name = "=1+1"
        self._channel_rule(70, segment=self.segment_dealer, min_quantity=20, date_end="2099-06-30 12:00:00")
        wizard = self._wizard(date=fields.Date.to_date("2026-12-01"), customer_id=False)
        content = base64.b64decode(wizard.xlsx)
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        self.assertIn(self.dealer.name, rows[0][0])
        self.assertIn("2026-12-01", rows[0][0])
        self.assertEqual(len(rows[2]), 7)
        self.assertEqual([row[:6] for row in rows[3:]], [
            ["A-DEVICE", "=1+1", self.uom_unit.name, 1, 80, "USD"],
            ["A-DEVICE", "=1+1", self.uom_unit.name, 10, 75, "USD"],
            ["A-DEVICE", "=1+1", self.uom_unit.name, 20, 70, "USD"],
            ["B-GAUZE", "Test Gauze", self.uom_unit.name, 1, 10, "USD"],
        ])
        self.assertEqual(rows[5][6].date().isoformat(), "2099-06-30")
        # Text, not a formula
        self.assertEqual(sheet["B4"].data_type, "s")


@tagged("post_install", "-at_install")
class TestPricePortal(PriceBookCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._channel_order([(cls.device, 1)], customer=cls.hospital)
        cls.order.state = "sent"
        cls.other_order = cls._channel_order([(cls.device, 1)], partner=cls.other_dealer)
        cls.other_order.state = "sent"

    def setUp(self):
        super().setUp()
        self.authenticate(self.user_portal.login, self.user_portal.login)

    def _page(self, url):
        answer = self.url_open(url)
        self.assertEqual(answer.status_code, 200)
        return answer

    def test_prices_of_the_own_company(self):
        page = self._page("/my/prices").text
        for text in ("A-DEVICE", "80.00", "75.00", "B-GAUZE", self.hospital.name):
            self.assertIn(text, page)
        for text in ("90.00", "60.00", self.hospital_west.name, "T-DEAL"):
            self.assertNotIn(text, page)

    def test_price_for_an_end_customer_of_the_own_orders(self):
        page = self._page(f"/my/prices?customer_id={self.hospital.id}&search=device").text
        self.assertIn("60.00", page)
        self.assertNotIn("B-GAUZE", page)

    def test_end_customer_by_a_guessed_id_is_nobody(self):
        for guessed in (self.hospital_west.id, self.other_dealer.id, 2**31, "x", "-1"):
            with self.subTest(guessed=guessed):
                page = self._page(f"/my/prices?customer_id={guessed}").text
                self.assertIn("80.00", page)
                self.assertNotIn(self.hospital_west.name, page)
                self.assertNotIn(self.other_dealer.name, page)

    def test_arguments_that_make_no_sense_are_left_out(self):
        for query in ("date=31.12.2026", "date=2026-13-01", "quantity=nan", "quantity=-3", "quantity=x", "page=9"):
            with self.subTest(query=query):
                self.assertIn("80.00", self._page(f"/my/prices/{self.device.id}?{query}").text)
        self.assertIn("A-DEVICE", self._page("/my/prices/page/99?search=device").text)

    def test_check_of_one_price(self):
        page = self._page(f"/my/prices/{self.device.id}?quantity=12").text
        self.assertIn("75.00", page)
        self.assertIn('data-code="won"', page)
        self.assertNotIn('data-code="lost"', page)

    def test_product_that_is_none_of_the_own(self):
        self.device.sale_ok = False
        for guessed in (self.device.id, 2**30):
            with self.subTest(guessed=guessed):
                page = self._page(f"/my/prices/{guessed}")
                self.assertTrue(page.url.endswith("/my/prices"))

    def test_download(self):
        answer = self._page(f"/my/prices/download?customer_id={self.hospital.id}")
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        self.assertEqual([cell.value for cell in sheet[4]][:5], ["A-DEVICE", "Test Catheter", "Units", 1, 60])

    def test_why_this_price_on_the_own_order(self):
        self.assertIn("Why this price?", self._page(self.order.access_url).text)
        page = self._page(f"/my/orders/{self.order.id}/price/{self.order.order_line.id}").text
        self.assertIn("60.00", page)
        self.assertIn('data-code="net"', page)
        self.assertNotIn("90.00", page)
        self.assertNotIn("T-HOSP", page)

    def test_lines_by_guessed_ids_are_refused(self):
        own, other = self.order, self.other_order
        for order, line, back in (
            (other.id, other.order_line.id, "/my"),
            (own.id, other.order_line.id, own.access_url),
            (own.id, 2**30, own.access_url),
        ):
            with self.subTest(order=order, line=line):
                page = self._page(f"/my/orders/{order}/price/{line}")
                self.assertNotIn("o_channel_price_steps", page.text)
                self.assertIn(back, page.url)

    def test_whoever_is_no_member_has_no_prices(self):
        new_test_user(self.env, "price_stranger", groups="base.group_portal")
        self.authenticate("price_stranger", "price_stranger")
        self.assertTrue(self._page("/my/prices").url.endswith("/my"))
        self.assertTrue(self._page(f"/my/prices/{self.device.id}").url.endswith("/my"))
        self.assertTrue(self._page("/my/prices/download").url.endswith("/my"))
        self.authenticate(None, None)
        self.assertIn("/web/login", self._page("/my/prices").url)


@tagged("post_install", "-at_install")
class TestPricePhone(PriceBookCase, HttpCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_price_check_on_a_phone(self):
        self.start_tour("/odoo/channel-price-check", "channel_price_check", login=self.user_sales.login)
        check = self.env["channel.price.check"].with_user(self.user_sales).search([])
        self.assertRecordValues(check, [
            {"member_id": self.dealer.id, "product_id": self.device.id, "quantity": 12, "price": 75}
        ])

    def test_prices_on_the_portal(self):
        order = self._channel_order([(self.device, 1)], customer=self.hospital)
        order.order_line.price_unit = 61
        self.start_tour("/my/prices", "channel_portal_prices", login=self.user_portal.login)
        # Looking at prices changes nothing
        self.assertEqual(order.order_line.price_unit, 61)
