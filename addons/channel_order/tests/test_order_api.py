from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .ordering_common import ChannelOrderingCommon


@tagged("post_install", "-at_install")
class TestOrderApi(ChannelOrderingCommon):
    """``channel.order``: catalogue, check, submit, status and cancel."""

    # === Submitting === #

    def test_a_dealer_orders(self):
        day = fields.Date.to_string(fields.Date.today() + timedelta(days=20))
        answer = self._submit(requested_date=day, tender_reference="T-9", note="By noon")
        order = self._made()
        self.assertRecordValues(order, [{
            "name": answer["reference"], "state": "sent", "partner_id": self.dealer.id,
            "channel_end_customer_id": self.hospital.id, "client_order_ref": "PO-1", "channel_order_key": "K-1",
            "channel_tender_reference": "T-9", "channel_dealer_note": "By noon", "channel_source": "api",
            "channel_submitted_by_id": self.user_portal.id, "require_signature": False, "require_payment": False,
        }])
        self.assertRecordValues(order.order_line, [
            {"product_id": self.device.id, "product_uom_qty": 2, "product_uom_id": self.uom_box.id, "price_unit": 1000},
            {"product_id": self.consumable.id, "product_uom_qty": 5, "product_uom_id": self.uom_unit.id,
             "price_unit": 9},
        ])
        self.assertEqual(order.amount_total, 2045)
        self.assertEqual((answer["state"], answer["amount_total"]), ("submitted", 2045))
        self.assertEqual((answer["requested_date"], answer["customer_id"]), (day, self.hospital.id))
        self.assertEqual([line["subtotal"] for line in answer["lines"]], [2000, 45])
        self.assertEqual(self.Orders.with_user(self.user_portal).status("PO-1"), answer)

    def test_the_same_order_twice_is_one(self):
        first = self._submit()
        for again in (
            self._submit(),
            self._submit(lines=[{"default_code": "NO-SUCH"}]),
            self._submit(key="K-2"),
            self._submit(client_order_ref="PO-2"),
        ):
            self.assertEqual(again, first)
        self.assertEqual(len(self._made()), 1)
        other = self._submit(key="K-2", client_order_ref="PO-2")
        self.assertNotEqual(other["reference"], first["reference"])

    def test_a_cancelled_order_is_sent_anew_by_another_key_only(self):
        first = self._submit(submit=False)
        self.Orders.with_user(self.user_portal).cancel(first["reference"])
        for key in ("K-1", None):
            self.assertEqual(self._submit(key=key)["state"], "cancelled")
        again = self._submit(key="K-2")
        self.assertEqual(again["state"], "submitted")
        self.assertNotEqual(again["reference"], first["reference"])
        self.assertEqual(self._submit(key="K-3"), again)

    def test_the_same_number_of_another_member_is_another_order(self):
        first = self._submit()
        other = self._submit(
            user=self.user_manager, member_id=self.other_dealer.id, customer_id=self.hospital_west.id
        )
        self.assertNotEqual(other["reference"], first["reference"])

    def test_everything_that_is_wrong_is_said_at_once(self):
        with self.assertRaises(ValidationError) as catcher:
            self._submit(
                colour="red", requested_date="31.3.2099", customer_id=self.hospital_west.id, client_order_ref="x" * 65,
                submit="yes",
                lines=[
                    {"default_code": "NO-SUCH", "quantity": 1},
                    {"default_code": "CATH-1", "quantity": "1,000"},
                    {"default_code": "CATH-1", "quantity": 1, "uom": "Pallet"},
                    {"default_code": "WEST-1", "quantity": 1},
                    {"quantity": 1},
                    {"default_code": "CATH-1", "quantity": -1, "tax": 1},
                    {"product_id": "7", "quantity": 1},
                ],
            )
        text = str(catcher.exception)
        for words in (
            "colour: not known", "requested_date: '31.3.2099'", "customer_id: there is no end customer",
            "client_order_ref: it has 65 characters", "submit: 'yes'", "lines[0].default_code: there is no product "
            "'NO-SUCH'", "lines[1].quantity: '1,000' is not a plain number", "lines[2].uom: ", "Test Box of 10",
            "lines[3].default_code: Test Stent West", "lines[4].product_id: no product is named",
            "lines[5].tax", "lines[5].quantity: -1", "lines[6].product_id",
        ):
            with self.subTest(words):
                self.assertIn(words.replace("Test Stent West", "[WEST-1] Test Stent West"), text)
        self.assertFalse(self._made())

    def test_empty_and_senseless_input(self):
        for values in (None, [], {}, {"lines": []}, {"lines": "CATH-1 1"}, {"lines": [1]}):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.Orders.with_user(self.user_portal).submit(values)
        for key in ("", "x" * 65, [], True):
            with self.subTest(key), self.assertRaises(ValidationError):
                self._submit(key=key)
        with self.assertRaises(ValidationError):
            self._submit(requested_date="2020-01-01")
        self.assertFalse(self._made())

    def test_not_authorised(self):
        with self.assertRaises(ValidationError) as catcher:
            self._submit(lines=[{"product_id": self.foreign_product.id, "quantity": 1}])
        self.assertIn("your company is not authorised for it for Test Hospital", str(catcher.exception))

    def test_whole_packs_only(self):
        self.device.product_tmpl_id.channel_pack_uom_id = self.uom_box
        for quantity, uom, choices in ((3, self.uom_unit, "10 Units"), (25, self.uom_unit, "20 or 30 Units"),
                                       (0.5, self.uom_box, "1 Test Box of 10")):
            with self.subTest(quantity), self.assertRaises(ValidationError) as catcher:
                self._submit(lines=[{"default_code": "CATH-1", "quantity": quantity, "uom_id": uom.id}])
            self.assertIn(f"Order {choices}.", str(catcher.exception))
        answer = self._submit(lines=[{"default_code": "CATH-1", "quantity": 20}])
        self.assertEqual(answer["amount_total"], 2000)

    def test_a_pack_that_is_scanned_is_ordered_in_packs(self):
        self.env["product.uom"].create(
            {"product_id": self.device.id, "uom_id": self.uom_box.id, "barcode": "16901234567899"}
        )
        answer = self._submit(lines=[
            {"barcode": "16901234567899", "quantity": 1}, {"barcode": "6901234567892", "quantity": 1},
            {"code": "cath-1", "quantity": 1},
        ])
        self.assertEqual(
            [(line["uom_id"], line["subtotal"]) for line in answer["lines"]],
            [(self.uom_box.id, 1000), (self.uom_unit.id, 100), (self.uom_unit.id, 100)],
        )

    def test_a_draft_waits_and_can_be_cancelled(self):
        orders = self.Orders.with_user(self.user_portal)
        answer = self._submit(submit=False)
        self.assertEqual(answer["state"], "draft")
        self.assertEqual(orders.cancel(answer["reference"])["state"], "cancelled")
        self.assertEqual(orders.cancel("K-1")["state"], "cancelled")
        submitted = self._submit(key="K-2", client_order_ref="PO-2")
        with self.assertRaises(UserError):
            orders.cancel(submitted["reference"])
        with self.assertRaises(ValidationError):
            orders.cancel("NO-SUCH")

    # === Confirming === #

    def test_it_waits_for_the_sales_office(self):
        self.dealer.user_id = self.user_sales
        self._submit()
        order = self._made()
        self.assertEqual(order.activity_ids.user_id, self.user_sales)
        self.assertEqual(order.activity_ids.summary, "Confirm the order of Test Dealer")
        order.with_user(self.user_manager).action_confirm()
        self.assertFalse(order.activity_ids, "nobody is asked for what is done")
        self.assertEqual(self.Orders.with_user(self.user_portal).status("K-1")["state"], "confirmed")

    def test_a_dealer_confirms_where_the_company_has_it_so(self):
        self.company.channel_portal_confirms = True
        self.assertEqual(self._submit()["state"], "confirmed")
        self.assertFalse(self._made().activity_ids)

    def test_what_the_gate_blocks_waits_with_its_reason(self):
        self.company.channel_portal_confirms = True
        self.dealer.user_id = self.user_sales
        self._channel_severity("contract_credit", "block")
        version = self._channel_version(self.contract, approve=False, valid_from=fields.Date.today())
        version.write({"has_credit_limit": True, "credit_limit": 1000})
        version.with_user(self.user_manager).action_approve()
        answer = self._submit()
        self.assertEqual((answer["state"], answer["blocks"]), ("submitted", True))
        self.assertEqual([finding["code"] for finding in answer["findings"]], ["contract_credit"])
        self.assertEqual(answer["credit"], {
            "currency": self.company.currency_id.name, "limit": 1000, "owed": 0, "order": 2045, "left": -1045,
        })
        self.assertIn("credit", str(self._made().activity_ids.note))

    def test_a_signature_does_not_pass_by_the_sales_office(self):
        self.company.portal_confirmation_sign = True
        self._submit()
        self.assertFalse(self._made()._has_to_be_signed())

    # === Who === #

    def test_a_dealer_orders_for_the_own_company_only(self):
        for member in (self.other_dealer, self.sub_dealer):
            with self.subTest(member.name), self.assertRaises(AccessError):
                self._submit(member_id=member.id)
        self.assertEqual(self._submit(member_id=self.dealer.id)["member_id"], self.dealer.id)
        for user in (self.env.ref("base.public_user"), self.user_auditor):
            with self.subTest(user), self.assertRaises(AccessError):
                self._submit(user=user, member_id=self.dealer.id, key="K-3", client_order_ref="PO-3")

    def test_our_own_people_need_the_rights_of_sales(self):
        answer = self._submit(user=self.user_sales, member_id=self.dealer.id)
        self.assertEqual(self._made().channel_submitted_by_id, self.user_sales)
        self.assertEqual(answer["state"], "submitted")
        with self.assertRaises(ValidationError):  # not in the own regions
            self._submit(user=self.user_sales, key="W", client_order_ref="W", member_id=self.other_dealer.id)

    def test_orders_of_others_are_not_there(self):
        west = self._submit(user=self.user_manager, member_id=self.other_dealer.id, customer_id=self.hospital_west.id)
        own = self._order([(self.device, 1)], confirm=False)
        orders = self.Orders.with_user(self.user_portal)
        for reference in (west["reference"], own.name, "", None, {}):
            with self.subTest(reference), self.assertRaises(ValidationError):
                orders.status(reference)
            with self.subTest(reference), self.assertRaises(ValidationError):
                orders.cancel(reference)

    def test_another_company(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        with self.assertRaises(AccessError):
            self.Orders.with_user(self.user_portal).with_context(allowed_company_ids=other.ids).submit(
                self._values(), "K-1"
            )
        self.foreign_product.write({"company_id": other.id})
        with self.assertRaises(ValidationError) as catcher:
            self._submit(lines=[{"default_code": "WEST-1", "quantity": 1}])
        self.assertIn("there is no product 'WEST-1'", str(catcher.exception))

    # === Checking === #

    def test_check_says_what_would_become_of_it_and_stores_nothing(self):
        before = self.env["sale.order"].search_count([])
        answer = self.Orders.with_user(self.user_portal).check(self._values(lines=[
            {"default_code": "GAUZE", "quantity": 5}, {"product_id": self.foreign_product.id, "quantity": 1},
        ]))
        self.assertEqual((answer["amount_total"], answer["blocks"]), (95, True))
        [finding] = answer["findings"]
        self.assertEqual((finding["code"], finding["line"]), ("member_authorization", 1))
        self.assertTrue(finding["remedy"])
        self.assertEqual([line["findings"] for line in answer["lines"]], [[], [finding]])
        self.assertEqual([line["price_unit"] for line in answer["lines"]], [9, 50])
        self.assertIsNone(answer["credit"])
        self.assertEqual(self.env["sale.order"].search_count([]), before)

    def test_check_and_order_come_to_the_same(self):
        checked = self.Orders.with_user(self.user_portal).check(self._values())
        told = self.Orders.with_user(self.user_sales).check(self._values(member_id=self.dealer.id))
        self.assertEqual(told, checked, "a salesperson is told the same")
        made = self._submit()
        for name in ("amount_untaxed", "amount_tax", "amount_total", "currency", "findings", "credit"):
            self.assertEqual(checked[name], made[name], name)

    # === Catalogue === #

    def _catalogue(self, user=None, **values):
        return self.Orders.with_user(user or self.user_portal).catalogue(customer_id=self.hospital.id, **values)

    def test_what_the_dealer_may_buy_for_the_hospital(self):
        book = self._catalogue()
        rows = {row["code"]: row for row in book["rows"]}
        self.assertIn("CATH-1", rows)
        self.assertNotIn("WEST-1", rows)
        self.assertEqual(rows["GAUZE"]["price_unit"], 9)
        self.assertEqual(rows["CATH-1"]["barcode"], "6901234567892")
        self.assertEqual(rows["CATH-1"]["packs"], [
            {"uom_id": self.uom_unit.id, "uom": "Units", "quantity": 1},
            {"uom_id": self.uom_box.id, "uom": "Test Box of 10", "quantity": 10},
        ])
        sales = self.Orders.with_user(self.user_sales).catalogue(self.dealer.id, self.hospital.id)
        self.assertEqual(sales, book, "a salesperson is told the same")
        west = self.Orders.with_user(self.user_manager).catalogue(self.other_dealer.id, self.hospital_west.id)
        self.assertIn("WEST-1", [row["code"] for row in west["rows"]])

    def test_search_and_pages(self):
        self.assertEqual([row["code"] for row in self._catalogue(search="cath-1")["rows"]], ["CATH-1"])
        self.assertEqual(self._catalogue(search="NO-SUCH")["rows"], [])
        everything = self._catalogue()
        page = self._catalogue(offset=1, limit=1)
        self.assertEqual((page["total"], page["rows"]), (everything["total"], everything["rows"][1:2]))
        for name, value in (("limit", -1), ("offset", "1"), ("limit", True)):
            with self.subTest(name), self.assertRaises(ValidationError):
                self._catalogue(**{name: value})

    def test_prices_of_whole_packs(self):
        self.device.product_tmpl_id.channel_pack_uom_id = self.uom_box
        [row] = self._catalogue(search="CATH-1")["rows"]
        self.assertEqual((row["uom_id"], row["price_unit"]), (self.uom_box.id, 1000))

    def test_stock_in_words_and_as_a_number_where_the_company_shows_it(self):
        def stock():
            [row] = self._catalogue(search="CATH-1")["rows"]
            return row["stock"]

        self.device.sale_delay = 7
        self.assertEqual(stock(), {"level": "none", "text": "Not in stock, about 7 days", "days": 7})
        self._channel_lot("L1", quantity=4, expiration_date="2099-12-31")
        self.assertEqual((stock()["level"], stock()["text"]), ("low", "Few left"))
        self._channel_lot("L2", quantity=40, expiration_date="2099-12-31")
        self.assertEqual(stock()["level"], "in_stock")
        self.assertNotIn("quantity", stock())
        self.device.product_tmpl_id.channel_pack_uom_id = self.uom_box
        self.company.channel_portal_shows_stock = True
        self.assertEqual(stock()["quantity"], 44)
        [line] = self.Orders.with_user(self.user_portal).check(
            self._values(lines=[{"default_code": "CATH-1", "quantity": 5, "uom": "Test Box of 10"}])
        )["lines"]
        self.assertEqual(line["stock"]["level"], "partly")

    def test_whose_catalogue(self):
        with self.assertRaises(AccessError):
            self._catalogue(member_id=self.other_dealer.id)
        with self.assertRaises(AccessError):
            self._catalogue(user=self.env.ref("base.public_user"))
        with self.assertRaises(AccessError):
            self._catalogue(user=self.user_internal, member_id=self.dealer.id)
        with self.assertRaises(ValidationError):
            self.Orders.with_user(self.user_portal).catalogue(customer_id=self.hospital_west.id)

    def test_hospitals_of_the_territory(self):
        orders = self.Orders.sudo()
        Partner = self.env["res.partner"]
        self.assertEqual(Partner.search(orders._hospitals_domain(self.dealer)), self.hospital)
        self._channel_severity("member_authorization", "off")
        self.assertIn(self.hospital_west, Partner.search(orders._hospitals_domain(self.dealer)))

    # === Shape === #

    def _many(self, count):
        products = self.env["product.product"].create([
            self._channel_product_values(
                f"Part {number}", default_code=f"PART-{count}-{number:03}", list_price=3.0, is_storable=True
            )
            for number in range(count)
        ])
        self.authorization.with_user(self.user_manager).action_revoke("Widened")
        self.authorization = self._channel_authorization(self.dealer, self.region_east)
        return products

    def _queries(self, call):
        self.env.flush_all()
        self.env.invalidate_all()
        call()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        call()
        return self.env.cr.sql_log_count - before

    def test_a_catalogue_of_100_products_asks_as_often_as_one_of_10(self):
        self._many(100)
        few = self._queries(lambda: self._catalogue(search="PART", limit=10))
        many = self._queries(lambda: self._catalogue(search="PART", limit=100))
        self.assertLessEqual(many, few + 5)

    def test_checking_100_lines_asks_as_often_as_10(self):
        products = self._many(100)
        orders = self.Orders.with_user(self.user_portal)

        def check(count):
            return self._queries(lambda: orders.check(self._values(lines=[
                {"product_id": product.id, "quantity": 1} for product in products[:count]
            ])))

        few = check(10)
        many = check(100)
        self.assertLessEqual(many, few + 10)
