import base64
from datetime import date

from lxml import html

from odoo.exceptions import AccessError
from odoo.http import Request
from odoo.tests import HttpCase, freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

from .common import ChannelMemberCommon

URL = "/my/channel/qualifications"
PDF = b"%PDF-1.4 stamped copy"
FILE = ("a.pdf", PDF, "application/pdf")
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestPortalQualification(ChannelMemberCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.region_east.user_ids = cls.user_sales
        cls.user_portal_west = new_test_user(
            cls.env, login="channel_portal_west", groups="base.group_portal", company_id=cls.company.id,
            partner_id=cls.env["res.partner"].create({"name": "Buyer West", "parent_id": cls.other_dealer.id}).id,
        )
        cls.gln = cls.env.ref("channel_member.qualification_type_gln")
        cls.gln.portal_upload = True
        cls.theirs = cls._channel_qualification(
            cls.other_dealer, number="WEST-1", type_id=cls.licence_type.id, issue_date=date(2021, 1, 1),
            document=base64.b64encode(b"%PDF-1.4 theirs"), document_name="theirs.pdf",
        )

    def setUp(self):
        super().setUp()
        self.authenticate("channel_portal", "channel_portal")

    def _post(self, url, file=("licence.pdf", PDF, "application/pdf"), **values):
        return self.url_open(
            url, data={"csrf_token": Request.csrf_token(self), **values}, files={"document": file} if file else None,
        )

    def _renewal(self, **values):
        return {
            "type_id": self.licence_type.id, "number": " LIC-NEW ", "issuer": "Authority",
            "issue_date": "2026-06-01", "expiry_date": "2099-12-31", **values,
        }

    def _error(self, page):
        errors = html.fromstring(page.text).xpath("//*[contains(@class, 'o_channel_error')]")
        return errors[0].text_content().strip() if errors else ""

    def _newest(self, member=None):
        return self.env["channel.qualification"].search(
            [("partner_id", "=", (member or self.dealer).id)], order="id desc", limit=1
        )

    # === PAGES === #

    def test_list_says_what_is_missing(self):
        page = self.url_open(URL)
        self.assertIn(self.licence.number, page.text)
        self.assertNotIn("Missing: orders", page.text)
        self.assertNotIn("WEST-1", page.text)
        self.licence.with_user(self.user_compliance).action_revoke(reason="x")
        page = self.url_open(URL)
        self.assertIn("Missing: orders", page.text)
        self.assertIn(f"{URL}/new?type_id={self.licence_type.id}", page.text)
        self.assertIn("Test Act, art. 1", page.text)

    def test_detail(self):
        page = self.url_open(f"{URL}/{self.licence.id}")
        self.assertIn(self.licence.number, page.text)
        self.assertIn(f"{URL}/{self.licence.id}/renew", page.text)
        self.licence.with_user(self.user_compliance).action_suspend(reason="Inspection of the warehouse")
        self.assertIn("Inspection of the warehouse", self.url_open(f"{URL}/{self.licence.id}").text)

    def test_status_as_the_dealer(self):
        """Dealers search and read the status of their own documents, suspended ones too, without the suspensions."""
        self.licence.with_user(self.user_compliance).action_suspend(reason="Inspection of the warehouse")
        documents = self.env["channel.qualification"].with_user(self.user_portal)
        own = [("partner_id", "=", self.dealer.id), ("type_id", "=", self.licence_type.id)]
        self.assertEqual(documents.search([("status", "=", "suspended")]), self.licence)
        self.assertEqual(documents.search([("status", "=", "suspended")]).mapped("status"), ["suspended"])
        self.assertNotIn(self.licence, documents.search([*own, ("status", "in", ("valid", "expiring"))]))
        self.assertIn(self.licence, documents.search([*own, ("status", "!=", "replaced")]))
        self.theirs.with_user(self.user_compliance).action_suspend(reason="x")
        self.assertEqual(documents.search([("status", "=", "suspended")]), self.licence, "the own company's only")
        with self.assertRaises(AccessError):
            documents.env["channel.qualification.suspension"].search([])

    # === HANDING IN === #

    @freeze_time("2026-06-01")
    def test_renewal(self):
        """The file arrives, the document waits for verification, and who is in charge has an activity."""
        form = self.url_open(f"{URL}/{self.licence.id}/renew")
        self.assertIn("10 MB", form.text)
        page = self._post(f"{URL}/{self.licence.id}/renew", **self._renewal())
        self.assertIn("waits for verification", page.text)
        renewal = self._newest()
        self.assertRecordValues(renewal, [{
            "partner_id": self.dealer.id, "type_id": self.licence_type.id, "previous_id": self.licence.id,
            "number": "LIC-NEW", "issuer": "Authority", "issue_date": date(2026, 6, 1),
            "expiry_date": date(2099, 12, 31), "state": "to_verify", "document_name": "licence.pdf",
            "submitted_by_id": self.user_portal.id,
        }])
        self.assertEqual(base64.b64decode(renewal.document), PDF)
        self.assertEqual(renewal.activity_ids.user_id, self.user_sales)
        self.assertEqual(self.licence.status, "valid", "it is in force until the renewal is verified")
        # A second renewal of the same licence is not offered, and not taken.
        self.assertNotIn("/renew", self.url_open(f"{URL}/{self.licence.id}").text)
        self._post(f"{URL}/{self.licence.id}/renew", **self._renewal(number="LIC-3"))
        self.assertEqual(self._newest(), renewal)
        renewal.with_user(self.user_compliance).action_verify()
        self.assertEqual(self.licence.replaced_by_id, renewal)
        page = self.url_open(URL)
        self.assertNotIn(f"{URL}/{self.licence.id}\"", page.text)
        self.assertIn(f"{URL}/{self.licence.id}\"", self.url_open(f"{URL}?filterby=all").text)
        self.assertIn("Replaced", self.url_open(f"{URL}/{renewal.id}").text)

    @freeze_time("2026-06-01")
    def test_first_document(self):
        page = self._post(
            f"{URL}/new", file=("gln.png", PNG, "image/png"),
            **self._renewal(type_id=self.gln.id, number="7300010000001", expiry_date=""),
        )
        self.assertIn("waits for verification", page.text)
        self.assertRecordValues(self._newest(), [{
            "type_id": self.gln.id, "number": "7300010000001", "expiry_date": False, "state": "to_verify",
        }])
        again = self._post(f"{URL}/new", **self._renewal(type_id=self.gln.id, number="7300010000001", expiry_date=""))
        self.assertIn("has been handed in already", self._error(again))

    @freeze_time("2026-06-01")
    def test_refused_with_reason(self):
        """Each wrong field is named, what was typed stays, and nothing is made."""
        before = self._newest()
        self.env["ir.config_parameter"].sudo().set_param("channel_member.upload_max_mb", "0.001")
        for values, file, message in (
            ({"number": "7300010000002"}, FILE, "check digit"),
            ({"number": ""}, FILE, "The number is empty"),
            ({"issue_date": ""}, FILE, "First day in force: fill it in"),
            ({"issue_date": "31/12/2026"}, FILE, "31/12/2026 is no date"),
            ({"expiry_date": "2026-05-01"}, FILE, "before the first day"),
            ({"issue_date": "2020-01-01", "expiry_date": "2026-05-31"}, FILE, "expired on"),
            ({"type_id": ""}, FILE, "Kind of document: choose one"),
            ({"type_id": "999999999"}, FILE, "Kind of document: choose one"),
            ({}, None, "choose the file"),
            ({}, ("a.pdf", b"", "application/pdf"), "a.pdf is empty"),
            ({}, ("big.pdf", PDF + b"x" * 1100, "application/pdf"), "at most 0.001 MB"),
            ({}, ("page.pdf", b"<html><script>alert(1)</script></html>", "application/pdf"), "accepted are PDF"),
            ({}, ("run.pdf", b"MZ\x90\x00\x03", "application/pdf"), "accepted are PDF"),
        ):
            with self.subTest(message=message, values=values):
                page = self._post(f"{URL}/new", file=file, **{
                    **self._renewal(type_id=self.gln.id, number="7300010000001", expiry_date=""), **values,
                })
                self.assertEqual(page.status_code, 200)
                self.assertIn(message, self._error(page))
                self.assertIn('value="Authority"', page.text)
        self.assertEqual(self._newest(), before)

    def test_limits_are_parameters(self):
        parameters = self.env["ir.config_parameter"].sudo()
        limits = self.env["channel.qualification"]._upload_limits()
        self.assertEqual(limits["max_bytes"], 10 * 1024 * 1024)
        parameters.set_param("channel_member.upload_max_mb", "2.5")
        parameters.set_param("channel_member.upload_types", "application/pdf")
        limits = self.env["channel.qualification"]._upload_limits()
        self.assertEqual((limits["max_mb"], limits["kinds"]), ("2.5", "PDF"))
        parameters.set_param("channel_member.upload_max_mb", "much")
        self.assertEqual(self.env["channel.qualification"]._upload_limits()["max_mb"], "10")

    def test_number_is_checked_at_once(self):
        ask = {"type_id": self.gln.id, "number": "7300010000002"}
        answer = self.make_jsonrpc_request(f"{URL}/check_number", ask)
        self.assertFalse(answer["valid"])
        self.assertIn("check digit", answer["message"])
        answer = self.make_jsonrpc_request(f"{URL}/check_number", {**ask, "number": "7300010000001"})
        self.assertTrue(answer["valid"])

    @freeze_time("2026-06-01")
    def test_returned_and_corrected(self):
        self._post(f"{URL}/{self.licence.id}/renew", **self._renewal())
        renewal = self._newest()
        renewal.with_user(self.user_compliance).action_reject(reason="The second page is missing")
        page = self.url_open(f"{URL}/{renewal.id}")
        self.assertIn("The second page is missing", page.text)
        self.assertIn("Returned", self.url_open(URL).text)
        # The number is corrected, the file kept.
        page = self._post(f"{URL}/{renewal.id}/correct", file=None, **self._renewal(number="LIC-CORRECTED"))
        self.assertIn("waits for verification", page.text)
        self.assertRecordValues(renewal, [{
            "number": "LIC-CORRECTED", "state": "to_verify", "return_reason": False, "document_name": "licence.pdf",
        }])
        self.assertEqual(self._newest(), renewal)
        self._post(f"{URL}/{renewal.id}/withdraw", file=None)
        self.assertEqual(renewal.state, "draft")
        self.assertIn("/correct", self.url_open(f"{URL}/{renewal.id}").text)

    # === OTHERS' DOCUMENTS === #

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.http", "odoo.addons.base.models.ir_model")
    def test_guessed_ids(self):
        """No page, no file and no form of another member's document, whatever the address."""
        count = self.env["channel.qualification"].search_count([])
        for path in ("", "/renew", "/correct"):
            page = self.url_open(f"{URL}/{self.theirs.id}{path}")
            self.assertTrue(page.url.endswith(URL), page.url)
            self.assertNotIn("WEST-1", page.text)
        for path in ("renew", "correct", "withdraw"):
            self._post(f"{URL}/{self.theirs.id}/{path}", **self._renewal())
        self.assertEqual(self.env["channel.qualification"].search_count([]), count)
        self.assertEqual((self.theirs.state, self.theirs.replaced_by_id.id), ("verified", False))
        file = self.env["ir.attachment"].sudo().search([
            ("res_model", "=", "channel.qualification"), ("res_id", "=", self.theirs.id),
            ("res_field", "=", "document"),
        ])
        for url in (
            f"/web/content/{file.id}", f"/web/content/channel.qualification/{self.theirs.id}/document",
            f"/web/image/channel.qualification/{self.theirs.id}/document", f"/web/content/{file.id}?download=true",
        ):
            self.assertNotIn(b"theirs", self.url_open(url).content, url)
        self.authenticate("channel_portal_west", "channel_portal_west")
        own = self.url_open(f"/web/content/channel.qualification/{self.theirs.id}/document")
        self.assertEqual(own.content, b"%PDF-1.4 theirs")

    def test_crafted_values(self):
        """A form that names another member, a state or a decided document changes nothing but what it may."""
        self._post(f"{URL}/new", **self._renewal(
            type_id=self.gln.id, number="7300010000001", expiry_date="", partner_id=self.other_dealer.id,
            state="verified", verified_by_id=self.user_compliance.id, previous_id=self.theirs.id,
        ))
        self.assertRecordValues(self._newest(), [{
            "partner_id": self.dealer.id, "state": "to_verify", "verified_by_id": False, "previous_id": False,
        }])
        self.assertEqual(self._newest(self.other_dealer), self.theirs)
        # A verified document is not corrected, an entry of somebody else's draft not either.
        self._post(f"{URL}/{self.licence.id}/correct", **self._renewal())
        self.assertNotEqual(self.licence.number, "LIC-NEW")
        drafted = self._channel_qualification(self.dealer, verify=False, number="OURS")
        self._post(f"{URL}/{drafted.id}/correct", **self._renewal())
        self.assertEqual((drafted.number, drafted.state), ("OURS", "draft"))

    def test_token_is_needed(self):
        before = self._newest()
        with mute_logger("odoo.http"):
            page = self.url_open(f"{URL}/new", data=self._renewal(), files={"document": ("a.pdf", PDF)})
        self.assertEqual(page.status_code, 400)
        self.assertEqual(self._newest(), before)

    def test_strangers(self):
        self.authenticate(None, None)
        for path in ("", "/new", f"/{self.licence.id}", f"/{self.licence.id}/renew"):
            self.assertIn("/web/login", self.url_open(f"{URL}{path}").url)

    def test_who_is_no_member_hands_in_nothing(self):
        new_test_user(
            self.env, login="channel_portal_none", groups="base.group_portal", company_id=self.company.id,
            partner_id=self.env["res.partner"].create({"name": "Nobody"}).id,
        )
        self.authenticate("channel_portal_none", "channel_portal_none")
        page = self.url_open(URL)
        self.assertNotIn("Hand in a document", page.text)
        self.assertTrue(self.url_open(f"{URL}/new").url.endswith(URL))
