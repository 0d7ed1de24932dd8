import io
import json
import re
from unittest.mock import patch

import openpyxl

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..tools.order_rows import split_rows
from .ordering_common import ChannelOrderingCommon

URL = "/my/channel/order"


@tagged("post_install", "-at_install")
class TestOrderPortal(HttpCase, ChannelOrderingCommon):
    """The pages on which a dealer orders."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user_west = new_test_user(
            cls.env, "channel_portal_west", groups="base.group_portal", company_id=cls.company.id,
            partner_id=cls.env["res.partner"].create({"name": "West Buyer", "parent_id": cls.other_dealer.id}).id,
        )

    def setUp(self):
        super().setUp()
        self.authenticate("channel_portal", "channel_portal")

    def _post(self, path, files=None, **values):
        page = self.url_open(URL).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
        return self.url_open(f"{URL}/{path}", data={"csrf_token": token, **values}, files=files)

    def _json(self, path, **params):
        answer = self.url_open(
            f"{URL}/{path}", data=json.dumps({"jsonrpc": "2.0", "method": "call", "params": params}),
            headers={"Content-Type": "application/json"},
        ).json()
        self.assertNotIn("error", answer)
        return answer["result"]

    def _cart(self, text="CATH-1 2", customer=None):
        self._post("new", customer_id=str((customer or self.hospital).id))
        cart = self._made(state="draft").sorted("id")[-1:]
        if text:
            self._post(f"{cart.id}/rows", text=text)
        return cart

    # === From the hospital to the order === #

    def test_order_for_a_hospital(self):
        self.assertIn("Test Hospital", self.url_open(URL).text)
        self.assertNotIn("Test Hospital West", self.url_open(URL).text)
        cart = self._cart()
        self.assertRecordValues(cart, [{
            "state": "draft", "partner_id": self.dealer.id, "channel_end_customer_id": self.hospital.id,
            "channel_source": "portal", "amount_total": 200,
        }])
        page = self._post(
            f"{cart.id}/submit", client_order_ref="PO-7", tender_reference="T-1", note="By noon",
            requested_date="2099-12-31",
        )
        self.assertIn("We have received your order", page.text)
        cart.invalidate_recordset()
        self.assertRecordValues(cart, [{
            "state": "sent", "client_order_ref": "PO-7", "channel_tender_reference": "T-1",
            "channel_dealer_note": "By noon", "channel_submitted_by_id": self.user_portal.id,
        }])
        self.assertEqual(str(cart.commitment_date.date()), "2099-12-31")
        self.assertIn(cart.name, self.url_open(URL).text)
        self.assertIn("We have received your order", self._post(f"{cart.id}/submit").text, "pressed twice")
        self.assertNotIn(cart.name, self.url_open("/my/quotes").text, "it is for us to confirm, not for the dealer")

    def test_confirmed_where_the_company_has_it_so(self):
        self.company.channel_portal_confirms = True
        cart = self._cart()
        self.assertIn("Your order is confirmed", self._post(f"{cart.id}/submit").text)
        self.assertEqual(cart.state, "sale")

    def test_for_the_own_stock(self):
        self._post("new", customer_id="")
        self.assertFalse(self._made().channel_end_customer_id)

    def test_another_hospital_than_the_own_ones(self):
        for customer in (self.hospital_west, self.other_dealer, self.user_internal.partner_id):
            self._post("new", customer_id=str(customer.id))
        self._post("new", customer_id="x")
        self.assertFalse(self._made())
        cart = self._cart()
        self._post(f"{cart.id}/customer", customer_id=str(self.hospital_west.id))
        self.assertEqual(cart.channel_end_customer_id, self.hospital)

    def test_another_hospital_has_other_prices(self):
        cart = self._cart(text="GAUZE 1")
        self.assertEqual(cart.amount_total, 9)
        second = self.env["res.partner"].create(self._channel_hospital_values("Test Hospital 2", self.region_city))
        page = self.url_open(f"{URL}?cart={cart.id}")
        self.assertIn(f"{URL}/{cart.id}/customer", page.text)
        self.assertIn("Test Hospital 2", page.text)
        self._post(f"{cart.id}/customer", customer_id=str(second.id))
        cart.invalidate_recordset()
        self.assertRecordValues(cart, [{"channel_end_customer_id": second.id, "amount_total": 10}])

    def test_nothing_is_no_order(self):
        cart = self._cart(text="")
        self.assertIn("There is nothing in the order yet", self._post(f"{cart.id}/submit").text)
        self.assertEqual(cart.state, "draft")

    def test_the_own_number_stands_for_one_order(self):
        self._submit()
        cart = self._cart()
        page = self._post(f"{cart.id}/submit", client_order_ref="PO-1")
        self.assertIn("PO-1 stands on order", page.text)
        self.assertEqual(cart.state, "draft")

    def test_what_is_sold_in_another_pack_by_now(self):
        cart = self._cart()
        self.device.product_tmpl_id.channel_pack_uom_id = self.uom_box
        self.assertIn("whole packs", self._post(f"{cart.id}/submit").text)
        self.assertEqual(cart.state, "draft")

    def test_an_old_cart_has_the_terms_of_today(self):
        cart = self._cart()
        cart.write({"date_order": "2020-01-01 12:00:00", "validity_date": "2020-02-01"})
        self._post(f"{cart.id}/submit")
        cart.invalidate_recordset()
        self.assertEqual(cart.date_order.date(), fields.Date.today())
        self.assertFalse(cart.is_expired)

    def test_a_long_cart_asks_as_often_as_a_short_one(self):
        products = self.env["product.product"].create([
            self._channel_product_values(f"Part {number}", default_code=f"PART-{number}") for number in range(60)
        ])
        products.product_tmpl_id.channel_needs_authorization = False

        def change(count):
            cart = self._cart(text="\n".join(f"PART-{number} 1" for number in range(count)))
            lines = [{"id": line.id, "quantity": "1"} for line in cart.order_line]
            self.assertEqual(len(lines), count)
            lines[0]["quantity"] = "2"
            self._json(f"{cart.id}/cart", lines=lines, typing=True)
            self.env.flush_all()
            lines[0]["quantity"] = "3"
            before = self.env.cr.sql_log_count
            self._json(f"{cart.id}/cart", lines=lines, typing=True)
            return self.env.cr.sql_log_count - before

        short, long = change(6), change(60)
        self.assertLessEqual(long, short + 20)

    def test_a_price_that_changed_meanwhile_is_looked_at_again(self):
        cart = self._cart()
        seen = self._json(f"{cart.id}/cart")["seen"]
        self.table.item_ids.filtered(lambda rule: rule.fixed_price == 100).fixed_price = 110
        self.assertIn("The total is $\N{NO-BREAK SPACE}220.00 now", self._post(f"{cart.id}/submit", seen=seen).text)
        self.assertEqual((cart.state, cart.amount_total), ("draft", 220))
        seen = self._json(f"{cart.id}/cart")["seen"]
        self.assertIn("We have received", self._post(f"{cart.id}/submit", seen=seen).text)

    # === Lists === #

    def test_rows_as_people_write_them(self):
        rows = split_rows(
            "CATH-1 10\nCATH-1\t10\tBox\nCATH-1, 10\n  CATH-1;10;\n\nCODE WITH BLANKS 12\nCATH-1 2 Test Box of 10\n"
            "CATH-1 1,200\nCATH-1"
        )
        self.assertEqual([tuple(row) for row in rows], [
            (1, "CATH-1", "10", ""), (2, "CATH-1", "10", "Box"), (3, "CATH-1", "10", ""), (4, "CATH-1", "10", ""),
            (6, "CODE WITH BLANKS", "12", ""), (7, "CATH-1", "2", "Test Box of 10"), (8, "CATH-1", "1,200", ""),
            (9, "CATH-1", None, ""),
        ])

    def test_pasted_rows_that_are_wrong_stay_with_their_reasons(self):
        cart = self._cart(text="CATH-1 2\nNO-SUCH 3\nGAUZE 4\nWEST-1 1\nGAUZE 1,5\nCATH-1 1")
        self.assertEqual(
            [(line.product_id, line.product_uom_qty) for line in cart.order_line],
            [(self.device, 3), (self.consumable, 4)],
        )
        page = self.url_open(f"{URL}/{cart.id}").text
        for words in ("3 rows could not be taken over", "NO-SUCH\t3", "there is no product", "WEST-1",
                      "is not authorised", "is not a plain number"):
            self.assertIn(words, page)
        self.assertIn("not taken over yet", self._post(f"{cart.id}/submit").text)
        self.assertEqual(cart.state, "draft")
        book = openpyxl.load_workbook(io.BytesIO(self.url_open(f"{URL}/{cart.id}/rejected.xlsx").content))
        rows = list(book.active.iter_rows(values_only=True))
        self.assertEqual([row[0] for row in rows], ["Code", "NO-SUCH", "WEST-1", "GAUZE"])
        self._post(f"{cart.id}/rows", mode="mend", text="CATH-1\t3\nWEST-1\t1")
        cart.invalidate_recordset()
        self.assertEqual(cart.order_line.mapped("product_uom_qty"), [6, 4])
        self.assertEqual([row[1] for row in cart.channel_pending_rows], ["WEST-1"])
        self._post(f"{cart.id}/rows", mode="mend", text="")
        self.assertFalse(cart.channel_pending_rows)

    def test_a_file(self):
        cart = self._cart(text="")
        form = self.url_open(f"{URL}/{cart.id}/form.xlsx").content
        book = openpyxl.load_workbook(io.BytesIO(form))
        sheet = book.active
        headings = [cell.value for cell in sheet[1]]
        codes = [row[0].value for row in sheet.iter_rows(min_row=2)]
        self.assertIn("CATH-1", codes)
        self.assertNotIn("WEST-1", codes)
        sheet.cell(codes.index("CATH-1") + 2, headings.index("Quantity") + 1, 4)
        sheet.append(["NO-SUCH", "", "", None, "", 3])
        target = io.BytesIO()
        book.save(target)
        page = self._post(f"{cart.id}/rows", files=[("file", ("order.xlsx", target.getvalue()))])
        self.assertEqual(cart.order_line.mapped("product_uom_qty"), [4])
        self.assertIn("NO-SUCH", page.text)

    def test_a_csv_file_in_chinese(self):
        cart = self._cart(text="")
        content = "编码,数量,单位\nCATH-1,2,Test Box of 10\n".encode("gb18030")
        self._post(f"{cart.id}/rows", files=[("file", ("order.csv", content))])
        self.assertRecordValues(cart.order_line, [{"product_uom_qty": 2, "product_uom_id": self.uom_box.id}])

    def test_a_file_that_cannot_be_read_leaves_the_cart_and_what_was_pasted(self):
        cart = self._cart()
        for content, words in (
            (b"PK broken", "is broken"), (b"Name,Price\nx,1\n", "must name the columns"), (b"\0\0", "is broken"),
            (b"\xd0\xcf\x11\xe0", "old Excel format"),
        ):
            page = self._post(f"{cart.id}/rows", text="GAUZE 5", files=[("file", ("order.xlsx", content))])
            self.assertIn(words, page.text)
            self.assertIn("GAUZE 5", page.text)
        self.assertEqual(cart.order_line.product_id, self.device)
        self.assertIn("Nothing was pasted", self._post(f"{cart.id}/rows", text=" ").text)

    def test_too_many_lists_lose_nothing(self):
        cart = self._cart(text="")
        with patch.object(self.env.registry["channel.portal.hit"], "_hit", lambda self, kind, address: 60):
            page = self._post(f"{cart.id}/rows", text="GAUZE 6")
        self.assertIn("Too many lists", page.text)
        self.assertIn("GAUZE 6", page.text)

    def test_repeat_an_earlier_order(self):
        earlier = self._order(
            [(self.device, 3), (self.foreign_product, 1)], channel_end_customer_id=self.hospital.id, confirm=False
        )
        earlier.with_context(tracking_disable=True).state = "sent"
        self._post(f"repeat/{earlier.id}")
        cart = self._made()
        self.assertRecordValues(cart, [{"state": "draft", "channel_end_customer_id": self.hospital.id}])
        self.assertRecordValues(cart.order_line, [{"product_id": self.device.id, "product_uom_qty": 3}])
        self.assertEqual([row[1] for row in cart.channel_pending_rows], ["WEST-1"])

    # === While typing === #

    def test_what_is_typed_is_kept_and_answered(self):
        cart = self._cart(text="CATH-1 2\nGAUZE 1")
        device, gauze = cart.order_line
        answer = self._json(
            f"{cart.id}/cart",
            lines=[{"id": device.id, "quantity": "3", "uom_id": self.uom_box.id}, {"id": gauze.id, "quantity": "5"}],
            header={"client_order_ref": "PO-3", "note": "x"}, typing=True,
        )
        self.assertEqual(answer["problems"], [])
        self.assertNotIn("lines", answer, "the fields that somebody types in stay")
        cart.invalidate_recordset()
        self.assertEqual((cart.amount_total, cart.client_order_ref), (3045, "PO-3"))
        self.assertIn("3,045.00", answer["total"])
        self.assertIn("3,000.00", answer["infos"][str(device.id)])
        answer = self._json(f"{cart.id}/cart", lines=[{"id": gauze.id, "quantity": "0"}])
        self.assertNotIn("infos", answer)
        self.assertIn("CATH-1", answer["lines"])
        self.assertNotIn("GAUZE", answer["lines"])
        self.assertFalse(gauze.exists())

    def test_what_cannot_be_taken_over_is_said_and_the_rest_kept(self):
        cart = self._cart()
        self.device.product_tmpl_id.channel_pack_uom_id = self.uom_box
        for quantity, words in (("3", "whole packs"), ("-1", "above 0"), ("x", "plain number")):
            answer = self._json(
                f"{cart.id}/cart", lines=[{"id": cart.order_line.id, "quantity": quantity}], header={"note": quantity}
            )
            self.assertIn(words, answer["problems"][0])
            cart.invalidate_recordset()
            self.assertEqual((cart.order_line.product_uom_qty, cart.channel_dealer_note), (2, quantity))
        answer = self._json(f"{cart.id}/cart", header={"requested_date": "2020-01-01"})
        self.assertIn("Requested date", answer["problems"][0])

    def test_what_the_gate_would_refuse_is_shown_with_the_remedy(self):
        cart = self._cart()
        self.authorization.with_user(self.user_manager).action_revoke("Over")
        answer = self._json(f"{cart.id}/cart")
        self.assertIn('data-code="member_authorization"', answer["lines"])
        self.assertIn("What to do:", answer["lines"])
        self.assertIn("Something is to be settled", answer["total"])
        self.assertIn("waits for our sales office", answer["summary"])

    def test_credit_left(self):
        version = self._channel_version(self.contract, approve=False, valid_from=fields.Date.today())
        version.write({"has_credit_limit": True, "credit_limit": 1000})
        version.with_user(self.user_manager).action_approve()
        cart = self._cart()
        self.assertIn("800.00", self._json(f"{cart.id}/cart")["summary"])

    def test_catalogue_and_adding(self):
        cart = self._cart(text="")
        answer = self._json(f"{cart.id}/catalogue", search="cath")
        self.assertIn("CATH-1", answer["html"])
        self.assertNotIn("GAUZE", answer["html"])
        for params, added in (
            ({"product_id": self.device.id, "quantity": 1, "uom_id": self.uom_unit.id}, 1),
            ({"product_id": self.foreign_product.id}, 0), ({"product_id": "x"}, 0), ({}, 0),
            ({"text": "gauze 3"}, 1), ({"text": "CATH-1"}, 1), ({"text": "NO-SUCH 3"}, 0),
        ):
            with self.subTest(params):
                answer = self._json(f"{cart.id}/add", **params)
                self.assertEqual((answer["added"], bool(answer["problems"])), (added, not added))
        self.assertEqual(
            [(line.product_id, line.product_uom_qty) for line in cart.order_line],
            [(self.device, 2), (self.consumable, 3)],
        )

    # === Whose === #

    def test_carts_of_others_are_not_there(self):
        cart = self._cart()
        name = cart.name
        quotation = self._order([(self.device, 1)], confirm=False)
        self.authenticate("channel_portal_west", "channel_portal_west")
        for path in (f"{cart.id}", f"{cart.id}/form.xlsx", f"{cart.id}/rejected.xlsx", "999999999"):
            page = self.url_open(f"{URL}/{path}")
            self.assertTrue(page.url.rstrip("/").endswith(URL), path)
            self.assertNotIn(name, page.text)
        for path in ("cart", "catalogue", "add"):
            self.assertEqual(self._json(f"{cart.id}/{path}"), {"gone": True})
        for path, values in (
            ("rows", {"text": "CATH-1 9"}), ("submit", {}), ("delete", {}),
            ("customer", {"customer_id": str(self.hospital_west.id)}),
        ):
            self._post(f"{cart.id}/{path}", **values)
        self._post(f"repeat/{cart.id}")
        cart.invalidate_recordset()
        self.assertRecordValues(cart, [
            {"state": "draft", "channel_end_customer_id": self.hospital.id, "amount_total": 200}
        ])
        self.assertFalse(self.env["sale.order"].search([("partner_id", "=", self.other_dealer.id)]))
        # Drafts of our own people are not the dealer's to fill in
        self.authenticate("channel_portal", "channel_portal")
        self.assertEqual(self._json(f"{quotation.id}/cart"), {"gone": True})
        self._post(f"{quotation.id}/delete")
        self.assertEqual(quotation.state, "draft")

    def test_lines_of_others_stay_as_they_are(self):
        cart = self._cart()
        foreign = self._order([(self.device, 1)], member=self.other_dealer, confirm=False).order_line
        self._json(f"{cart.id}/cart", lines=[
            {"id": foreign.id, "quantity": 9}, {"id": "x"}, {}, None, {"id": [1], "quantity": 1},
        ])
        foreign.invalidate_recordset()
        self.assertEqual(foreign.product_uom_qty, 1)

    def test_after_submission_nothing_changes_any_more(self):
        cart = self._cart()
        self._post(f"{cart.id}/submit")
        self.assertEqual(self._json(f"{cart.id}/cart", lines=[{"id": cart.order_line.id, "quantity": 9}]),
                         {"gone": True})
        self._post(f"{cart.id}/delete")
        self._post(f"{cart.id}/rows", text="CATH-1 9")
        cart.invalidate_recordset()
        self.assertRecordValues(cart, [{"state": "sent", "amount_total": 200}])
        with self.assertRaises(AccessError):
            cart.with_user(self.user_portal).write({"client_order_ref": "x"})

    def test_discard(self):
        cart = self._cart()
        self._post(f"{cart.id}/delete")
        self.assertEqual(cart.state, "cancel")

    def test_who_is_no_member_orders_nothing(self):
        user = new_test_user(self.env, "channel_customer", groups="base.group_portal", company_id=self.company.id)
        self.authenticate("channel_customer", "channel_customer")
        self.assertTrue(self.url_open(URL).url.rstrip("/").endswith("/my"))
        self.assertNotIn(f'href="{URL}"', self.url_open("/my").text)
        self.assertFalse(user.partner_id.sale_order_ids)

    # === JSON-2 === #

    def test_a_system_orders_over_json_2(self):
        key = self.env["res.users.apikeys"].with_user(self.user_portal)._generate(
            None, "Ordering", fields.Datetime.add(fields.Datetime.now(), days=1)
        )

        def call(method, **arguments):
            return self.url_open(
                f"/json/2/channel.order/{method}", data=json.dumps(arguments),
                headers={"Content-Type": "application/json", "Authorization": f"bearer {key}"},
            )

        book = call("catalogue", customer_id=self.hospital.id, search="CATH-1").json()
        self.assertEqual([row["code"] for row in book["rows"]], ["CATH-1"])
        checked = call("check", values=self._values()).json()
        first = call("submit", values=self._values(), key="ERP-1").json()
        again = call("submit", values=self._values(), key="ERP-1").json()
        self.assertEqual(first, again)
        self.assertEqual((first["state"], first["amount_total"]), ("submitted", checked["amount_total"]))
        self.assertEqual(call("status", reference="ERP-1").json(), first)
        with mute_logger("odoo.http"):  # refusals over JSON-2 are logged
            refused = call("submit", key="ERP-2", values=self._values(
                client_order_ref="PO-2", lines=[{"default_code": "NO-SUCH", "quantity": 1}]
            ))
        self.assertEqual(refused.status_code, 422)
        self.assertIn("lines[0].default_code", refused.json()["message"])
        self.assertEqual(len(self._made()), 1)
