import re
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from freezegun import freeze_time
from lxml import html

from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.mail.tests.common import MockEmail

from . import pdf
from .common import ChannelMemberCommon

LICENCE = [
    "Licence number: TL-4711",
    "Company name: Rata Medical Ltd",
    "Scope of business: T13 Implants of class II and III",
    "Issued by: Device Authority",
    "Valid from: 2024-01-01      Valid until: 2099-12-31",
]
EVIL = "<script>alert(1)</script>'; DROP TABLE res_partner; --{{7*7}}%(x)s"


class AdmissionPortalCommon(ChannelMemberCommon, MockEmail, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admissions = cls.env["channel.admission"]
        # Strangers apply to the company whose pages they see.
        cls.env.ref("base.public_user").sudo().write({
            "company_ids": [Command.link(cls.company.id)], "company_id": cls.company.id,
        })
        cls.env["channel.portal.hit"].sudo().search([]).unlink()

    def _start(self, **values):
        return {
            "name": "Rata Medical Ltd", "role": "distributor", "country_id": self.env.ref("base.nz").id,
            "device_class_iii": "1", "contact_name": "Ana Rata", "email": "ana@rata.example.com", **values,
        }

    def _token(self, page):
        return re.search(r'csrf_token: "([^"]+)"', page.text)[1]

    def _send(self, url, data, files=None, page="/channel/apply/link", redirects=True):
        """Send a form as a browser does: with the token of a page of the same session."""
        data = {**data, "csrf_token": self._token(self.url_open(page))}
        return self.url_open(url, data=data, files=files, allow_redirects=redirects, timeout=60)

    def _apply(self, **values):
        """Begin an application: ``(admission, token)``"""
        response = self._send("/channel/apply", self._start(**values), redirects=False)
        self.assertEqual(response.status_code, 303, response.text[:2000])
        location = urlsplit(response.headers["Location"])
        reference = location.path.rpartition("/")[2]
        return self.admissions.search([("reference", "=", reference)]), parse_qs(location.query)["access_token"][0]

    def _url(self, admission, token, path="", step=None):
        query = f"&step={step}" if step else ""
        return f"/channel/apply/{admission.reference}{path}?access_token={token}{query}"

    def _page(self, admission, token, step=None):
        return self.url_open(self._url(admission, token, step=step))

    def _act(self, admission, token, path, data=None, files=None):
        return self._send(
            f"/channel/apply/{admission.reference}/{path}", {**(data or {}), "access_token": token}, files
        )

    def _upload(self, admission, token, document, content, name="licence.pdf", **values):
        files = [("files", (name, content, "application/octet-stream"))]
        return self._act(admission, token, f"document/{document.id}", values, files)

    def _complete(self, admission, token):
        """Everything that is asked for."""
        document = admission.document_ids.filtered(lambda line: line.type_id == self.licence_type)
        self._upload(
            admission, token, document, pdf.text_pdf(LICENCE), number="TL-4711", issue_date="2024-01-01",
            expiry_date="2099-12-31", holder_name="Rata Medical Ltd", issuer="Device Authority",
            scope_text="T13 Implants of class II and III",
        )
        self._act(admission, token, "company", {
            "vat": "", "legal_person": "Ana Rata", "street": "1 Harbour Street", "city": "Auckland", "phone": "+64 9 1",
        })
        return document

    def _assert_shows(self, page, text, expected=True):
        """The source of the page has, or has not, ``text``; says what the page shows when not."""
        if (text in page.text) != expected:
            main = html.fromstring(page.content).xpath("//main")
            shown = re.sub(r"\s+", " ", main[0].text_content()) if main else page.text
            self.fail(f"{text!r} is {'not ' if expected else ''}in {page.url} ({page.status_code}): {shown[:1500]}")

    def _input(self, page, name):
        """Value of a field of the first form that has it."""
        found = html.fromstring(page.content).xpath(f"//*[@name='{name}']")
        return found[0].get("value") if found[0].tag == "input" else found[0].text or ""


@tagged("post_install", "-at_install")
class TestAdmissionPortal(AdmissionPortalCommon):
    # === THE WAY === #

    def test_whole_way(self):
        """From a stranger's first click to the member with its documents, once returned in between."""
        page = self.url_open("/channel/apply")
        self.assertEqual(page.status_code, 200)
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        with self.mock_mail_gateway():
            admission, token = self._apply()
        self.assertRecordValues(admission, [{
            "state": "draft", "kind": "new", "source": "portal", "name": "Rata Medical Ltd", "role": "distributor",
            "device_class_iii": True, "device_class_ii": False, "email": "ana@rata.example.com", "partner_id": False,
        }])
        self.assertEqual(admission.company_id, self.company)
        mail = self._new_mails
        self.assertEqual(mail.email_to, "ana@rata.example.com")
        self.assertIn(f"/channel/apply/{admission.reference}?access_token={token}", mail.body_html)

        # The checklist, and nothing that the role or the classes do not ask for
        document = admission.document_ids.filtered(lambda line: line.type_id == self.licence_type)
        self.assertTrue(document.mandatory)
        page = self._page(admission, token, "documents")
        self._assert_shows(page, "Test Trading Licence")
        self._assert_shows(page, "Missing")

        # The file is read and proposed, not taken over
        page = self._upload(admission, token, document, pdf.text_pdf(LICENCE), number="", issue_date="")
        self.assertEqual(page.status_code, 200)
        self.assertEqual(self._input(page, "number"), "TL-4711")
        self.assertEqual(self._input(page, "expiry_date"), "2099-12-31")
        self.assertEqual(self._input(page, "scope_text").strip(), "T13 Implants of class II and III")
        self.assertRecordValues(document, [{"number": False, "expiry_date": False, "read_source": "text_layer"}])
        attachment = document.attachment_ids
        self.assertRecordValues(attachment, [{
            "res_model": "channel.admission.document", "res_id": document.id, "public": False, "name": "licence.pdf",
            "mimetype": "application/pdf",
        }])
        page = self._page(admission, token, "review")
        self._assert_shows(page, "Before you can submit")
        self.assertNotIn(f'action="/channel/apply/{admission.reference}/submit"', page.text)

        # Confirmed by the applicant, one value corrected
        self._act(admission, token, f"document/{document.id}", {
            "number": "TL-4711", "issue_date": "2024-01-01", "expiry_date": "2099-12-31",
            "holder_name": "Rata Medical Limited", "issuer": "Device Authority",
            "scope_text": "T13 Implants of class II and III",
        })
        self.assertEqual(document.number, "TL-4711")
        self.assertEqual(str(document.expiry_date), "2099-12-31")
        self.assertTrue(document.read_differs)
        self.assertEqual(
            document._reading_differences(), {"holder_name": ("Rata Medical Limited", "Rata Medical Ltd")}
        )
        self.assertIn("table-warning", document.with_user(self.user_compliance).read_html)

        self._act(admission, token, "company", {
            "legal_person": "Ana Rata", "street": "1 Harbour Street", "city": "Auckland", "phone": "+64 9 1",
            "state": "approved", "risk_score": "0", "partner_id": str(self.dealer.id),
        })
        self.assertRecordValues(admission, [{"legal_person": "Ana Rata", "city": "Auckland", "state": "draft",
                                             "partner_id": False}])

        page = self._act(admission, token, "submit")
        self.assertEqual(page.status_code, 422)
        self.assertEqual(admission.state, "draft")
        page = self._act(admission, token, "submit", {"confirmed": "1"})
        self._assert_shows(page, "Under review")
        self.assertEqual(admission.state, "submitted")
        self.assertEqual(len(admission.submission_ids), 1)
        # Sent again by an impatient finger: nothing happens
        self._act(admission, token, "submit", {"confirmed": "1"})
        self.assertEqual(len(admission.submission_ids), 1)
        # Not editable while it is reviewed
        page = self._act(admission, token, "company", {"city": "Elsewhere"})
        self.assertEqual(page.status_code, 422)
        self.assertEqual(admission.city, "Auckland")
        page = self._upload(admission, token, document, pdf.text_pdf(["other"]))
        self.assertEqual(page.status_code, 422)
        self.assertEqual(document.attachment_ids, attachment)

        # Returned with reasons
        admission.with_user(self.user_compliance).action_return(
            reason="Two things, please.", documents={document.id: "The stamp cannot be seen."}
        )
        page = self._page(admission, token)
        self._assert_shows(page, "Two things, please.")
        self._assert_shows(page, "The stamp cannot be seen.")
        self._act(admission, token, f"document/{document.id}/file/{attachment.id}")
        self.assertFalse(document.attachment_ids)
        self.assertTrue(attachment.exists(), "what was submitted is kept")
        self._upload(admission, token, document, pdf.picture(), name="stamp.jpg")
        self.assertEqual(document.attachment_ids.mimetype, "image/jpeg")
        self.assertEqual(document.number, "TL-4711", "a field that was not sent is left alone")
        page = self._act(admission, token, "submit", {"confirmed": "1"})
        self._assert_shows(page, "Under review")
        self.assertEqual(len(admission.submission_ids), 2)

        # Accepted
        for user in (self.user_compliance, self.user_manager):
            if admission.state == "submitted":
                admission.with_user(user).action_approve()
        page = self._page(admission, token)
        self._assert_shows(page, "Accepted")
        member = admission.partner_id
        self.assertRecordValues(member, [{
            "name": "Rata Medical Ltd", "channel_role": "distributor", "channel_state": "active", "city": "Auckland",
        }])
        self.assertEqual(member.channel_qualification_ids.number, "TL-4711")

    def test_rejected(self):
        admission, token = self._apply()
        self._complete(admission, token)
        self._act(admission, token, "submit", {"confirmed": "1"})
        admission.with_user(self.user_compliance).action_reject("We have <b>enough</b> dealers there.")
        page = self._page(admission, token)
        self._assert_shows(page, "Not accepted")
        self._assert_shows(page, "We have &lt;b&gt;enough&lt;/b&gt; dealers there.")

    def test_asks_what_the_role_requires(self):
        admission, token = self._apply(role="hospital", device_class_iii="")
        self.assertNotIn(self.licence_type, admission.document_ids.type_id)
        page = self._send(
            f"/channel/apply/{admission.reference}/start",
            {**self._start(role="distributor", device_class_ii="1", device_class_iii=""), "access_token": token},
        )
        self._assert_shows(page, "Test Trading Licence")
        self.assertIn(self.licence_type, admission.document_ids.type_id)

    def test_typed_values_survive_an_error(self):
        for values, marked in (
            ({"email": "nobody"}, "email"),
            ({"name": "", "email": "a@b.example.com"}, "name"),
            ({"device_class_iii": ""}, "device_class_iii"),
            ({"country_id": ""}, "country_id"),
            ({"role": ""}, "role"),
        ):
            with self.subTest(marked=marked):
                page = self._send("/channel/apply", self._start(contact_name="Kept Name", **values))
                self.assertEqual(page.status_code, 422)
                self.assertEqual(self._input(page, "contact_name"), "Kept Name")
        self.assertFalse(self.admissions.search([("contact_name", "=", "Kept Name")]))

    def test_crafted_values(self):
        """Values that no form sends are refused without an error of the server."""
        before = self.admissions.search_count([])
        for values in ({"role": "admin"}, {"country_id": "999999999"}, {"country_id": "-1"}, {"country_id": "x"},
                       {"name": "n" * 3000}):
            with self.subTest(values=str(values)[:60]):
                self.assertEqual(self._send("/channel/apply", self._start(**values)).status_code, 422)
        self.assertEqual(self.admissions.search_count([]), before)
        admission, token = self._apply()
        document = admission.document_ids[0]
        for path, values in (
            (f"document/{document.id}", {"expiry_date": "tomorrow"}),
            (f"document/{document.id}", {"issue_date": "2026-02-02", "expiry_date": "2026-01-01"}),
            (f"document/{document.id}", {"number": "1" * 3000}),
            ("company", {"state_id": "999999"}),
            ("company", {"regions_shown": "1", "regions": "nowhere"}),
        ):
            with self.subTest(values=str(values)[:60]):
                self.assertEqual(self._act(admission, token, path, values).status_code, 422)
        self.assertFalse(document.number)

    # === FILES === #

    def test_files_that_are_refused(self):
        self.env["ir.config_parameter"].set_param("channel_member.admission_file_mb", "1")
        admission, token = self._apply()
        document = admission.document_ids[0]
        for name, content in (
            ("licence.pdf", b"<html><script>alert(1)</script></html>"),
            ("licence.pdf", b"MZ\x90\x00\x03" + b"\0" * 200),
            ("picture.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
            ("empty.pdf", b""),
            ("large.pdf", pdf.text_pdf(LICENCE) + b"\0" * (1 << 20)),
        ):
            with self.subTest(name=name, content=content[:20]):
                page = self._upload(admission, token, document, content, name=name, number="N-1")
                self.assertEqual(page.status_code, 422)
                self.assertEqual(self._input(page, "number"), "N-1")
        self.assertFalse(document.attachment_ids)
        with mute_logger("odoo.http", "werkzeug"):
            page = self._upload(admission, token, document, b"%PDF-1.4" + b"\0" * (8 << 20))
        self.assertEqual(page.status_code, 413)

    def test_files_that_cannot_be_read(self):
        """They are taken all the same; the applicant types in what they say."""
        admission, token = self._apply()
        document = admission.document_ids[0]
        for content, error in (
            (pdf.scanned_pdf(), "no_text"), (pdf.encrypted_pdf("x", LICENCE), "encrypted"),
        ):
            page = self._upload(admission, token, document, content)
            self.assertEqual(page.status_code, 200)
            self._assert_shows(page, "nothing could be read from it")
            self.assertRecordValues(document, [{"read_error": error, "read_source": False, "number": False}])
        self.assertEqual(len(document.attachment_ids), 2)

    def test_files_stay_private(self):
        admission, token = self._apply()
        document = admission.document_ids[0]
        self._upload(admission, token, document, pdf.text_pdf(LICENCE), name='x"><b>.pdf')
        attachment = document.attachment_ids
        url = f"/document/{document.id}/file/{attachment.id}"
        file = self.url_open(self._url(admission, token, url))
        self.assertEqual(file.content, attachment.raw)
        self.assertTrue(file.headers["Content-Disposition"].startswith("attachment"))
        self.assertEqual(file.headers["X-Content-Type-Options"], "nosniff")
        other, other_token = self._apply(email="other@example.com")
        with mute_logger("odoo.http"):
            self.assertEqual(self.url_open(f"/web/content/{attachment.id}").status_code, 404)
            self.assertEqual(self.url_open(self._url(admission, other_token, url)).status_code, 404)
            self.assertEqual(self.url_open(self._url(other, other_token, url)).status_code, 404)
            self.assertEqual(self._act(other, other_token, f"document/{document.id}", {"number": "X"}).status_code, 404)
            self.authenticate("channel_portal", "channel_portal")
            self.assertEqual(self.url_open(f"/web/content/{attachment.id}").status_code, 404)
        self.assertFalse(document.number)

    # === WHO MAY NOT === #

    @mute_logger("odoo.http")
    def test_wrong_token(self):
        admission, token = self._apply()
        other, other_token = self._apply(email="other@example.com")
        answers = {
            (response.status_code, re.sub(r"csrf_token: \S+|ADM\S+|NOPE", "", response.text))
            for response in (
                self.url_open(f"/channel/apply/{admission.reference}"),
                self.url_open(f"/channel/apply/{admission.reference}?access_token="),
                self.url_open(f"/channel/apply/{admission.reference}?access_token={token[:-1]}"),
                self.url_open(f"/channel/apply/{admission.reference}?access_token={other_token}"),
                self.url_open(f"/channel/apply/NOPE?access_token={token}"),
                self.url_open(f"/channel/apply/{other.id}?access_token={token}"),
                self.url_open(f"/channel/apply/{'9' * 40}?access_token={token}"),
            )
        }
        self.assertEqual({status for status, _text in answers}, {404})
        for path in ("start", "company", "submit", f"document/{admission.document_ids[0].id}"):
            response = self._act(admission, other_token, path, {"confirmed": "1", **self._start(name="Taken")})
            self.assertEqual(response.status_code, 404)
        self.assertEqual(admission.name, "Rata Medical Ltd")

    @mute_logger("odoo.http")
    def test_csrf(self):
        response = self.url_open("/channel/apply", data=self._start(csrf_token="no"))
        self.assertEqual(response.status_code, 400)
        admission, token = self._apply()
        response = self.url_open(
            f"/channel/apply/{admission.reference}/start", data={**self._start(name="Taken"), "access_token": token}
        )
        self.assertEqual(response.status_code, 400)
        self.assertEqual(admission.name, "Rata Medical Ltd")

    def test_captcha(self):
        """The routes that make something ask Odoo's captcha hook; a refusal leaves nothing behind."""
        asked = []

        def verify(_self, action):
            asked.append(action)

        with patch.object(self.env.registry["ir.http"], "_verify_request_recaptcha_token", verify):
            admission, token = self._apply()
            self._complete(admission, token)
            self._act(admission, token, "submit", {"confirmed": "1"})
        self.assertEqual(asked, ["channel_apply", "channel_apply_submit"])
        page = self.url_open("/channel/apply")
        self.assertTrue(html.fromstring(page.content).xpath("//form[@data-captcha='channel_apply']"))

    def test_does_not_tell_who_is_a_member(self):
        """A number that is a member's looks to the stranger like any other, and to the reviewer like what it is."""
        self.dealer.vat = "49098576"
        texts = []
        for number, name in (("49098576", "Same Number"), ("49091850", "Other Number")):
            admission, token = self._apply(name=name)
            self._complete(admission, token)
            self._act(admission, token, "company", {"vat": number, "city": "Auckland"})
            page = self._page(admission, token, "review")
            texts.append(
                re.sub(r"\s+", " ", html.fromstring(page.content).xpath("//div[@id='wrap']")[0].text_content())
                .replace(admission.reference, "").replace(name, "").replace(number, "")
            )
            self._act(admission, token, "submit", {"confirmed": "1"})
            codes = set(admission.finding_ids.mapped("code"))
            self.assertEqual("duplicate_member" in codes, name == "Same Number")
        self.assertEqual(texts[0], texts[1])
        self.assertNotIn(self.dealer.name, texts[0])

    def test_lost_link(self):
        admission, token = self._apply()
        self.env["channel.portal.hit"].sudo().search([]).unlink()
        with self.mock_mail_gateway():
            known = self._send("/channel/apply/link", {"email": " ANA@rata.example.com "})
            unknown = self._send("/channel/apply/link", {"email": "nobody@example.com"})
        self.assertEqual(
            known.text.replace(self._token(known), ""), unknown.text.replace(self._token(unknown), "")
        )
        self.assertEqual(len(self._new_mails), 1)
        self.assertIn(token, self._new_mails.body_html)
        self.assertNotIn(token, known.text)

    def test_mails_are_limited_per_address(self):
        with self.mock_mail_gateway():
            for _i in range(7):
                self._apply()
        self.assertEqual(len(self._new_mails), 5)

    # === INJECTION === #

    def test_injection(self):
        with self.mock_mail_gateway():
            admission, token = self._apply(name=EVIL, contact_name=EVIL)
        document = admission.document_ids[0]
        self._upload(admission, token, document, pdf.text_pdf([f"Licence number: {EVIL}"]), name=f"{EVIL}.pdf")
        self._act(admission, token, f"document/{document.id}", {"number": EVIL, "holder_name": EVIL})
        self._act(admission, token, "company", {"street": EVIL, "note": EVIL, "city": EVIL})
        self.assertEqual(admission.name, EVIL)
        self.assertEqual(document.number, EVIL)
        for step in ("start", "documents", "company", "review"):
            page = self._page(admission, token, step)
            with self.subTest(step=step):
                self.assertEqual(page.status_code, 200)
                self._assert_shows(page, "&lt;script&gt;alert(1)")
                self._assert_shows(page, "<script>alert(1)", False)
                self._assert_shows(page, "{{7*7}}")
        self.assertNotIn("<script>alert(1)", self._new_mails.body_html)
        self.assertNotIn("<script>", document.with_user(self.user_compliance).read_html or "")
        with mute_logger("odoo.http"):
            for value in ("' OR 1=1 --", "%27%20OR%201=1--", EVIL):
                self.assertEqual(self.url_open(f"/channel/apply/{value}?access_token={value}").status_code, 404)

    # === LIMITS === #

    def test_rate_limit(self):
        self.env["ir.config_parameter"].set_param("channel_member.portal_limit_apply", "2")
        for _i in range(2):
            self._apply()
        before = self.admissions.search_count([])
        response = self._send("/channel/apply", self._start())
        self.assertEqual(response.status_code, 429)
        self.assertIn("Too many requests", response.text)
        self.assertTrue(0 < int(response.headers["Retry-After"]) <= 3601)
        self.assertEqual(self.admissions.search_count([]), before)
        self.env["ir.config_parameter"].set_param("channel_member.portal_limit_apply", "0")
        self._apply()

    @mute_logger("odoo.http")
    def test_rate_limit_of_guesses(self):
        """Wrong links count although their requests fail; right links go on working."""
        admission, token = self._apply()
        counted = []

        # Cursors of tests share one transaction, which a failing request rolls back: the count is kept here instead.
        def hit(_self, kind, address):
            counted.append((kind, address))
            return 0 if len(counted) <= 2 else 60

        with patch.object(self.env.registry["channel.portal.hit"], "_hit", hit):
            responses = [
                self.url_open(f"/channel/apply/{reference}?access_token=guess")
                for reference in (admission.reference, "NOPE", admission.reference, "NOPE")
            ]
            self.assertEqual([response.status_code for response in responses], [404, 404, 429, 429])
            self.assertEqual(responses[2].headers["Retry-After"], "60")
            self.assertEqual(set(counted), {("wrong", "127.0.0.1")})
            self.assertEqual(self._page(admission, token).status_code, 200)
        self.assertEqual(len(counted), 4)

    def test_hits(self):
        Hit = self.env["channel.portal.hit"].sudo()
        self.env["ir.config_parameter"].set_param("channel_member.portal_limit_post", "2")
        with freeze_time("2026-05-04 10:59:30"):
            self.assertEqual([Hit._hit("post", "192.0.2.1") for _i in range(3)], [0, 0, 31])
            self.assertEqual(Hit._hit("post", "192.0.2.2"), 0, "another address")
            self.assertEqual(Hit._hit("upload", "192.0.2.1"), 0, "another kind")
        with freeze_time("2026-05-04 11:00:00"):
            self.assertEqual(Hit._hit("post", "192.0.2.1"), 0, "another hour")
            self.assertEqual(
                [Hit._hit("post", f"2001:db8:1:2::{last}") for last in "abc"], [0, 0, 3601], "one IPv6 network"
            )
            self.assertEqual(Hit._hit("post", "::ffff:192.0.2.1"), 0)
            self.assertEqual(Hit._hit("post", "192.0.2.1"), 3601, "the same client over both protocols")
        self.assertNotIn("192.0.2.1", Hit.search([]).mapped("address"))

    # === LANGUAGE === #

    def test_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        page = self.url_open("/fr/channel/apply")
        self._assert_shows(page, "js_change_lang")
        response = self._send("/fr/channel/apply", self._start(), page="/fr/channel/apply", redirects=False)
        reference = urlsplit(response.headers["Location"]).path.rpartition("/")[2]
        self.assertEqual(self.admissions.search([("reference", "=", reference)]).lang, "fr_FR")


@tagged("post_install", "-at_install")
class TestMemberHome(AdmissionPortalCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user_portal_west = new_test_user(
            cls.env, login="channel_portal_west", groups="base.group_portal", company_id=cls.company.id,
            partner_id=cls.env["res.partner"].create({"name": "Buyer West", "parent_id": cls.other_dealer.id}).id,
        )

    def _change(self):
        """Begin a change of particulars as the dealer: the admission."""
        self.authenticate("channel_portal", "channel_portal")
        page = self._send("/my/channel/change", {}, page="/my/channel/admissions")
        self.assertEqual(page.status_code, 200, page.text[:500])
        return self.admissions.search([("partner_id", "=", self.dealer.id), ("kind", "=", "change")])

    def test_change_of_particulars(self):
        admission = self._change()
        self.assertRecordValues(admission, [{"state": "draft", "source": "portal", "name": self.dealer.name}])
        self.assertEqual(self._change(), admission, "the one that is begun is gone on with")
        page = self._send(
            f"/channel/apply/{admission.reference}/company", {"street": "9 New Road", "city": "Napier"},
            page="/my/channel/admissions",
        )
        self._assert_shows(page, "9 New Road")
        self._assert_shows(page, "What changes")
        self.assertNotEqual(self.dealer.street, "9 New Road")
        page = self._send(
            f"/channel/apply/{admission.reference}/submit", {"confirmed": "1"}, page="/my/channel/admissions"
        )
        self._assert_shows(page, "Under review")
        admission.with_user(self.user_compliance).action_approve()
        self.assertEqual(self.dealer.street, "9 New Road")
        page = self.url_open("/my/channel/admissions")
        self._assert_shows(page, admission.reference)
        self._assert_shows(page, "Approved")

    @mute_logger("odoo.http")
    def test_isolation(self):
        admission = self._change()
        self.authenticate("channel_portal_west", "channel_portal_west")
        self.assertNotIn(admission.reference, self.url_open("/my/channel/admissions").text)
        self.assertNotIn(admission.reference, self.url_open("/my/channel/tasks").text)
        self.assertEqual(self.url_open(f"/channel/apply/{admission.reference}").status_code, 404)
        response = self._send(
            f"/channel/apply/{admission.reference}/company", {"street": "Taken"}, page="/my/channel/admissions"
        )
        self.assertEqual(response.status_code, 404)
        self.assertNotEqual(admission.street, "Taken")
        self.authenticate(None, None)
        self.assertEqual(self.url_open(f"/channel/apply/{admission.reference}").status_code, 404)

    def test_tasks(self):
        self.authenticate("channel_portal", "channel_portal")
        page = self.url_open("/my/channel/tasks")
        self._assert_shows(page, "Nothing waits for you")
        permit = self._channel_qualification(self.dealer, type_id=self.licence_type.copy({
            "name": "Test Fire Permit", "code": "test_fire", "device_class_ii": False,
        }).id, number="FP-1", expiry_date="2021-12-31")
        insurance = self.licence_type.copy({
            "name": "Test Insurance", "code": "test_insurance", "device_class_ii": False, "device_class_iii": False,
        })
        self._change()
        page = self.url_open("/my/channel/tasks")
        cards = [
            re.sub(r"\s+", " ", card.text_content()).strip()
            for card in html.fromstring(page.content).xpath("//div[contains(@class, 'o_channel_task')]")
        ]
        self.assertEqual(len(cards), 3, cards)
        self.assertTrue(cards[0].startswith("Test Fire Permit Expired"), cards)
        self.assertTrue(cards[1].startswith("Test Insurance Missing"), cards)
        self.assertIn("Complete the form and submit it.", cards[2])
        self._assert_shows(page, f"/my/channel/qualifications/{permit.id}/renew")
        self._assert_shows(page, f"/my/channel/qualifications/new?type_id={insurance.id}")
        counters = self.make_jsonrpc_request(
            "/my/counters", {"counters": ["channel_task_count", "channel_admission_count"]}
        )
        self.assertEqual(counters, {"channel_task_count": 3, "channel_admission_count": 1})
        self.authenticate("channel_portal_west", "channel_portal_west")
        page = self.url_open("/my/channel/tasks")
        self._assert_shows(page, "Missing")
        self._assert_shows(page, "Expired", False)
        self._assert_shows(page, "Complete the form", False)

    def test_who_is_no_member(self):
        self.dealer.sudo().channel_state = "terminated"
        self.authenticate("channel_portal", "channel_portal")
        page = self.url_open("/my/channel/admissions")
        self._assert_shows(page, "/my/channel/change", False)
        self._send("/my/channel/change", {}, page="/my")
        self.assertFalse(self.admissions.search([("partner_id", "=", self.dealer.id), ("kind", "=", "change")]))
