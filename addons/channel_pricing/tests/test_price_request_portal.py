import re

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import HttpCase, tagged

from .common import ChannelPricingCommon

URL = "/my/channel/special-prices"
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF"


@tagged("post_install", "-at_install")
class TestPriceRequestApi(ChannelPricingCommon):
    """``channel.price.request.submit`` and ``status``."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.device.default_code = "CATH-1"
        cls._channel_rule(100)
        cls.floor = cls._channel_price_limit(81.37)

    def _values(self, **values):
        return {
            "member_id": self.dealer.id,
            "customer_id": self.hospital.id,
            "date_to": "2099-12-31",
            "reason": "Tender",
            "lines": [{"product_code": "CATH-1", "quantity": 10, "price": 75}],
            **values,
        }

    def _submit(self, user=None, external_id=None, **values):
        requests = self.env["channel.price.request"].with_user(user or self.user_sales)
        return requests.submit(self._values(**values), external_id)

    def test_submitted_and_answered(self):
        answer = self._submit(external_id="ERP-7")
        self.assertEqual(answer["state"], "submitted")
        self.assertEqual(answer["lines"][0]["product_id"], self.device.id)
        request = self.env["channel.price.request"].search([("name", "=", answer["reference"])])
        self.assertEqual((request.source, request.user_id, request.member_id), ("api", self.user_sales, self.dealer))
        request.with_user(self.user_manager).action_approve()
        status = self.env["channel.price.request"].with_user(self.user_sales).status("ERP-7")
        self.assertEqual((status["state"], status["lines"][0]["remaining"]), ("approved", 10))

    def test_sent_twice_it_is_made_once(self):
        first = self._submit(external_id="ERP-7")
        again = self._submit(external_id="ERP-7", lines=[], reason="")
        self.assertEqual(again["reference"], first["reference"])
        other = self._submit(self.user_manager, external_id="ERP-7", member_id=self.other_dealer.id)
        self.assertNotEqual(other["reference"], first["reference"])

    def test_everything_that_is_wrong_is_said_at_once(self):
        with self.assertRaises(ValidationError) as catcher:
            self._submit(
                customer_id=self.sub_dealer.id, date_from="31.3.2026", date_to="2020-01-01", purpose="x", reason="",
                colour="red",
                lines=[
                    {"product_code": "NO", "quantity": 1, "price": 1},
                    {"product_id": self.device.id, "quantity": 0, "price": "9", "tax": 1},
                    {"product_code": "CATH-1", "quantity": 1, "price": 1},
                ],
            )
        text = str(catcher.exception)
        for words in (
            "colour", "customer_id", "date_from", "purpose", "reason", "lines[0]", "lines[1].quantity",
            "lines[1].price", "lines[1].tax", "lines[2]",
        ):
            with self.subTest(words):
                self.assertIn(words, text)
        with self.assertRaisesRegex(ValidationError, "currency"):
            self._submit(currency="QQQ")
        with self.assertRaisesRegex(ValidationError, "date_to"):
            self._submit(date_to="2020-01-01")
        with self.assertRaisesRegex(ValidationError, "reference"):
            self.env["channel.price.request"].status("NO")

    def test_a_draft_waits(self):
        self.assertEqual(self._submit(submit=False)["state"], "draft")

    def test_who_may_ask_for_whom(self):
        with self.assertRaises(AccessError):
            self._submit(self.user_auditor)
        with self.assertRaises(AccessError):
            self._submit(self.user_internal)
        with self.assertRaises(ValidationError):  # not in the own regions
            self._submit(member_id=self.other_dealer.id)

    # === DEALERS ===#

    def test_a_dealer_asks_for_the_own_company_only(self):
        answer = self._submit(self.user_portal, external_id="D-1", member_id=None)
        request = self.env["channel.price.request"].search([("name", "=", answer["reference"])])
        self.assertEqual((request.member_id, request.source), (self.dealer, "portal"))
        self.assertIn(self.user_portal, request._approval_authors())
        for member in (self.other_dealer, self.sub_dealer):
            with self.assertRaises(AccessError):
                self._submit(self.user_portal, member_id=member.id)
        with self.assertRaises(AccessError):
            self._submit(self.env.ref("base.public_user"), member_id=None)

    def test_a_dealer_sees_nothing_of_others_and_no_secret(self):
        own = self._channel_request([(self.device, 10, 75)])
        draft = self._channel_request([(self.device, 10, 70)], approve=False, submit=False)
        west = self._channel_request([(self.device, 10, 75)], member=self.other_dealer, user=self.user_manager)
        requests = self.env["channel.price.request"].with_user(self.user_portal)
        self.assertEqual(requests.search([]), own)
        for record in (draft, west, draft.line_ids, west.line_ids):
            with self.assertRaises(AccessError):
                record.with_user(self.user_portal).read(["display_name"])
        with self.assertRaisesRegex(ValidationError, "reference"):
            requests.status(west.name)
        for record in (own, own.line_ids):
            record = record.with_user(self.user_portal)
            names = [name for name in record.fields_get() if not name.startswith("activity_")]
            self.assertNotIn("81.37", str(record.read(names)))
        for record, name in (
            (own, "reason"), (own, "competitor"), (own, "attachment_ids"), (own, "smallest_margin"),
            (own, "is_below_floor"), (own.line_ids, "floor_price"), (own.line_ids, "cost"), (own.line_ids, "margin"),
            (own.line_ids, "is_below_floor"), (own.line_ids, "competitor_price"),
        ):
            with self.subTest(name), self.assertRaises(AccessError):
                record.with_user(self.user_portal).read([name])
            with self.subTest(name), self.assertRaises(AccessError):
                record.with_user(self.user_portal).search([(name, "!=", False)])
        for record in (own, own.line_ids):
            with self.assertRaises(AccessError):
                record.with_user(self.user_portal).write({"display_name": "x"})
        with self.assertRaises(AccessError):
            own.with_user(self.user_portal).action_end("2026-01-01", "x")
        with self.assertRaises(AccessError):
            own.with_user(self.user_portal).action_take_back()


@tagged("post_install", "-at_install")
class TestPriceRequestPortal(HttpCase, ChannelPricingCommon):
    """The pages of the dealer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.device.default_code = "CATH-1"
        cls._channel_rule(100)
        cls._channel_price_limit(81.37)
        cls.user_portal.password = "channel_portal"

    def setUp(self):
        super().setUp()
        self.authenticate("channel_portal", "channel_portal")

    def _post(self, files=None, **values):
        page = self.url_open(f"{URL}/new").text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
        return self.url_open(
            f"{URL}/new",
            files=files,
            data={
                "csrf_token": token, "date_to": "2099-12-31", "reason": "A tender", "product_0": "CATH-1",
                "quantity_0": "10", "price_0": "75,50", **values,
            },
        )

    def test_ask_and_see(self):
        page = self._post()
        self.assertIn("Waiting for Approval", page.text)
        request = self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)])
        self.assertRecordValues(request, [{"state": "submitted", "source": "portal", "reason": "A tender"}])
        self.assertRecordValues(request.line_ids, [{"product_id": self.device.id, "quantity": 10, "price": 75.5}])
        request.with_user(self.user_manager).action_approve()
        page = self.url_open(page.url)
        self.assertIn("Approved", page.text)
        self.assertIn(request.name, self.url_open(URL).text)
        for text in (page.text, self.url_open(URL).text):
            self.assertNotIn("81.37", text)

    def test_what_is_wrong_is_said_and_what_was_filled_in_stays(self):
        page = self._post(price_0="cheap", product_1="NO-SUCH", price_1="3", quantity_1="1")
        self.assertIn("lines[0].price", page.text)
        self.assertIn("lines[1]", page.text)
        self.assertIn("A tender", page.text)
        self.assertFalse(self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)]))

    # === Many products, and files ===#

    def test_as_many_products_as_wanted(self):
        products = self.env["product.product"].create([
            {"name": f"Part {number}", "default_code": f"PART-{number}"} for number in range(12)
        ])
        rows = {}
        for number, product in enumerate(products, 1):
            rows |= {f"product_{number}": product.default_code, f"price_{number}": "3", f"quantity_{number}": "1"}
        self._post(**rows)
        request = self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)])
        self.assertEqual(request.line_ids.product_id, products | self.device)

    def test_more_rows_without_javascript_keep_what_was_filled_in(self):
        page = self._post(more="1")
        self.assertIn('name="product_5"', page.text)
        self.assertIn('value="CATH-1"', page.text)
        self.assertNotIn("o_channel_error", page.text)
        self.assertFalse(self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)]))

    def test_more_products_than_a_request_takes_are_refused(self):
        rows = {}
        for number in range(1, 101):
            rows |= {f"product_{number}": "CATH-1", f"price_{number}": "3", f"quantity_{number}": "1"}
        self.assertIn("at most 100", self._post(**rows).text)
        self.assertFalse(self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)]))

    def test_files_are_kept_for_the_approvers(self):
        page = self._post(files=[("files", ("offer.pdf", PDF)), ("files", ("table.pdf", PDF + b" "))])
        request = self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)])
        files = self.env["ir.attachment"].search([("res_model", "=", request._name), ("res_id", "=", request.id)])
        self.assertEqual(sorted(files.mapped("name")), ["offer.pdf", "table.pdf"])
        self.assertEqual(files.sorted("name")[0].with_user(self.user_manager).raw, PDF)
        self.assertIn("offer.pdf", page.text)
        answer = self.url_open(f"{page.url.partition('?')[0]}/file/{files[0].id}")
        self.assertEqual(answer.content, files[0].raw)
        self.assertIn("attachment", answer.headers["Content-Disposition"])

    def test_a_file_that_is_not_accepted_leaves_nothing(self):
        for name, content, words in (("offer.exe", b"MZ" + bytes(100), "accepted are"), ("empty.pdf", b"", "is empty")):
            with self.subTest(name):
                self.assertIn(words, self._post(files=[("files", (name, content))]).text)
                self.assertFalse(self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)]))

    def test_too_many_files_leave_nothing(self):
        page = self._post(files=[("files", (f"{number}.pdf", PDF)) for number in range(6)])
        self.assertIn("at most 5", page.text)
        self.assertFalse(self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)]))

    def test_files_of_others_are_not_there(self):
        page = self._post(files=[("files", ("offer.pdf", PDF))])
        request = self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)])
        own = request._portal_files
        self.assertFalse(own(), "the files are those of the dealer's people")
        internal = self.env["ir.attachment"].create(
            {"name": "margin.pdf", "raw": PDF, "res_model": request._name, "res_id": request.id}
        )
        west = self._channel_request([(self.device, 10, 75)], member=self.other_dealer, user=self.user_manager)
        theirs = self.env["ir.attachment"].create(
            {"name": "west.pdf", "raw": PDF, "res_model": west._name, "res_id": west.id}
        )
        self.assertNotIn("margin.pdf", self.url_open(page.url).text)
        for special, file in ((request, internal), (west, theirs), (request, theirs)):
            answer = self.url_open(f"{URL}/{special.id}/file/{file.id}")
            self.assertEqual(answer.url.rstrip("/").rsplit("/", 1)[-1], "special-prices")

    def test_pages_of_others_lead_back(self):
        west = self._channel_request([(self.device, 10, 75)], member=self.other_dealer, user=self.user_manager)
        page = self.url_open(f"{URL}/{west.id}")
        self.assertEqual(page.url.rstrip("/").rsplit("/", 1)[-1], "special-prices")
        self.assertNotIn(west.name, page.text)

    def test_a_known_product_by_name_and_a_known_hospital(self):
        order = self._channel_order([(self.device, 1)], customer=self.hospital)
        page = self.url_open(f"{URL}/new").text
        self.assertIn(self.device.display_name, page)
        self.assertIn(order.channel_end_customer_id.name, page)
        self._post(product_0=self.device.display_name, customer_id=str(self.hospital.id))
        request = self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)])
        self.assertEqual((request.customer_id, request.line_ids.product_id), (self.hospital, self.device))

    def test_a_hospital_that_the_dealer_does_not_know_is_not_taken(self):
        other = self.env["res.partner"].create(self._channel_hospital_values("Other Hospital", self.region_west))
        self._post(customer_id=str(other.id))
        request = self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)])
        self.assertFalse(request.customer_id)
