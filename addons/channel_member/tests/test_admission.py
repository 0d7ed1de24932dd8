import base64
import json
from datetime import date, timedelta

from freezegun import freeze_time
from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.channel_member.tools.admission import AdmissionError

from .common import ChannelMemberCommon

PDF = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
TODAY = date(2026, 3, 2)


class AdmissionCommon(ChannelMemberCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Admission = cls.env["channel.admission"]
        cls.country = cls.env.ref("base.nz")
        cls.category = cls.env["product.category"].create({"name": "Test Implants"})
        cls.device.categ_id = cls.category
        # Those who decide beside the ones of the common class.
        cls.user_compliance_2, cls.user_compliance_3 = (
            new_test_user(
                cls.env, login=f"channel_compliance_{number}", groups="channel_base.group_channel_compliance",
                company_id=cls.company.id,
            )
            for number in (2, 3)
        )
        cls.licence_type.write({"scope_parser": "codes", "scope_scheme": "test"})
        cls.company.write({"channel_admission_medium_score": 20, "channel_admission_high_score": 50})

    @classmethod
    def _values(cls, **values):
        return {
            "name": "Fine Devices Ltd",
            "role": "distributor",
            "country": "NZ",
            "city": "Wellington",
            "street": "1 Test Street",
            "contact_name": "Ann Smith",
            "email": "ann@fine-devices.example",
            "device_classes": ["II", "III"],
            "regions": [cls.region_east.code],
            "product_categories": [cls.category.complete_name],
            "bank_account": "NZ-0042-7",
            "bank_name": "Test Bank",
            **values,
        }

    @classmethod
    def _document_values(cls, **values):
        return {
            "number": "LIC-42",
            "issue_date": "2025-01-01",
            "expiry_date": "2099-12-31",
            "holder_name": "Fine Devices Ltd",
            "issuer": "Test Authority",
            "scope_text": "T13",
            **values,
        }

    @classmethod
    def _application(cls, document=None, submit=False, **values):
        """An application as the portal makes it: by nobody of us."""
        public = cls.env.ref("base.public_user")
        admission = cls.Admission.with_user(public).sudo()._portal_save(
            cls._values(company_id=cls.company.id, **values)
        )
        if document is not False:
            admission._portal_add_document(
                "test_licence", [{"name": "licence.pdf", "content": PDF}], **cls._document_values(**(document or {}))
            )
        if submit:
            admission._submit()
        return admission.with_user(cls.env.user).sudo(False)

    def _codes(self, admission):
        return sorted(admission.finding_ids.filtered(lambda f: f.state == "open").mapped("code"))

    def _approve(self, admission, *users):
        for user in users:
            admission.with_user(user).action_approve()

    @classmethod
    def _actions(cls, record):
        return (
            cls.env["channel.audit.entry"].sudo()
            .search([("model", "=", record._name), ("res_id", "=", record.id)], order="id").mapped("action")
        )


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestAdmission(AdmissionCommon):

    #=== THE WHOLE WAY ===#

    def test_correct_application_needs_no_keying(self):
        admission = self._application(submit=True)
        self.assertEqual(admission.state, "submitted")
        self.assertEqual(admission.risk_level, "low", self._codes(admission))
        self.assertFalse(admission.partner_id, "no partner before the acceptance")
        self._approve(admission, self.user_compliance)
        self.assertEqual(admission.state, "approved")
        member = admission.partner_id
        self.assertRecordValues(member, [{
            "name": "Fine Devices Ltd", "channel_role": "distributor", "channel_state": "active",
            "city": "Wellington", "is_company": True, "country_id": self.country.id, "channel_risk_level": "low",
        }])
        contact = member.child_ids
        self.assertRecordValues(contact, [{"name": "Ann Smith", "email": "ann@fine-devices.example"}])
        self.assertTrue(contact.user_ids._is_portal())
        self.assertEqual(member.bank_ids.sanitized_acc_number, "NZ00427")
        qualification = member.channel_qualification_ids
        self.assertRecordValues(qualification, [{
            "number": "LIC-42", "state": "verified", "verified_by_id": self.user_compliance.id,
            "issue_date": date(2025, 1, 1), "expiry_date": date(2099, 12, 31), "document_name": "licence.pdf",
        }])
        self.assertEqual(base64.b64decode(qualification.document), PDF)
        self.assertNotIn(self.user_compliance, qualification.author_ids)
        authorization = member.channel_authorization_ids
        self.assertRecordValues(authorization, [{
            "state": "approved", "approved_by_id": self.user_compliance.id, "company_id": self.company.id,
        }])
        self.assertEqual(authorization.product_categ_ids, self.category)
        self.assertEqual(authorization.region_ids, self.region_east)
        order = self._channel_order([(self.device, 1)], partner=member, customer=self.hospital, confirm=True)
        self.assertEqual(order.state, "sale")
        self.assertEqual(
            self._actions(admission),
            ["admission.submitted", "approval.requested", "approval.validated", "approval.approved"],
        )
        self.assertIn("member.active", self._actions(member))
        self.assertEqual(member.channel_next_audit_date, date(2028, 3, 2))

    def test_mail_at_each_step(self):
        admission = self._application(submit=True)
        mails = self.env["mail.mail"].search(
            [("model", "=", "channel.admission"), ("res_id", "=", admission.id)], order="id desc", limit=1
        )
        self.assertEqual(mails.email_to, "ann@fine-devices.example")
        self.assertIn(admission.sudo().access_token, mails.body_html)
        admission.with_user(self.user_compliance).action_return("Send the second page.")
        mails = self.env["mail.mail"].search(
            [("model", "=", "channel.admission"), ("res_id", "=", admission.id)], order="id desc", limit=1
        )
        self.assertIn("Send the second page.", mails.body_html)

    #=== CHECKLIST AND CHECKS ===#

    def test_checklist_follows_the_applicant(self):
        admission = self._application(document=False)
        self.assertEqual(admission.document_ids.filtered("mandatory").type_id, self.licence_type)
        self.assertIn("document_missing", self._codes(admission))
        admission.write({"device_class_ii": False, "device_class_iii": False, "device_class_i": True})
        self.assertNotIn(self.licence_type, admission.document_ids.type_id)
        self.assertNotIn("document_missing", self._codes(admission))
        admission.device_class_iii = True
        self.assertIn(self.licence_type, admission.document_ids.type_id)
        admission.role = "hospital"
        self.assertNotIn(self.licence_type, admission.document_ids.type_id)

    def test_filled_documents_stay_when_not_asked_for(self):
        admission = self._application()
        admission.role = "hospital"
        document = admission.document_ids.filtered(lambda d: d.type_id == self.licence_type)
        self.assertRecordValues(document, [{"mandatory": False, "listed": False, "number": "LIC-42"}])
        admission.role = "distributor"
        self.assertRecordValues(document, [{"mandatory": True, "listed": True}])

    def test_requirements_before_anything_is_stored(self):
        requirements = self.Admission._portal_requirements("distributor", self.country, ["III"])
        mine = [entry for entry in requirements if entry["code"] == "test_licence"]
        self.assertEqual([entry["mandatory"] for entry in mine], [True])
        codes = [entry["code"] for entry in self.Admission._portal_requirements("distributor", self.country.id, ["I"])]
        self.assertNotIn("test_licence", codes)
        codes = [entry["code"] for entry in self.Admission._portal_requirements("hospital", self.country, [])]
        self.assertNotIn("test_licence", codes)

    def test_expiry_findings(self):
        for days, codes in (
            (-1, ["document_expired"]),
            (0, ["document_expires_30"]),
            (30, ["document_expires_30"]),
            (31, ["document_expires_90"]),
            (90, ["document_expires_90"]),
            (91, []),
        ):
            with self.subTest(days=days):
                admission = self._application(
                    document={"expiry_date": fields.Date.to_string(TODAY + timedelta(days=days))}
                )
                self.assertEqual([c for c in self._codes(admission) if c.startswith("document_exp")], codes)
                admission.action_cancel()

    def test_findings_about_documents(self):
        self.licence_type.write({"number_format": r"LIC-\d+", "validator": "regex", "scope_required": True})
        admission = self._application(document={
            "number": "nonsense", "holder_name": "Somebody Else", "issue_date": "2026-04-01", "scope_text": "",
        })
        self.assertEqual(
            set(self._codes(admission)) & {"document_number", "document_name", "document_future", "scope_missing"},
            {"document_number", "document_name", "document_future", "scope_missing"},
        )
        finding = admission.finding_ids.filtered(lambda f: f.code == "document_number")
        self.assertIn("nonsense", finding.message)
        self.assertIn("not written as", finding.message, "the reason of the validator")
        self.assertTrue(finding.remedy)
        self.assertEqual(admission.risk_level, "high")

    def test_names_are_compared_as_people_do(self):
        admission = self._application(document={"holder_name": "fine  DEVICES (Ltd)"})
        self.assertNotIn("document_name", self._codes(admission))

    def test_scope_is_compared_with_the_classes(self):
        check = type(self.env["channel.qualification.type"])
        text = "anything"

        def parse(this, value):
            line = {
                "device_class": "II", "scheme": False, "code": False, "ivd": "with", "limitation": False,
                "limit_kind": False, "excluded": [], "remark": False, "start": 0, "end": 3, "text": value,
            }
            return {"lines": [line], "rest": [], "values": []}

        self.patch(check, "_parse_scope", parse)
        admission = self._application(document={"scope_text": text})
        finding = admission.finding_ids.filtered(lambda f: f.code == "scope_class")
        self.assertIn("III", finding.message)
        admission.device_class_iii = False
        self.assertNotIn("scope_class", self._codes(admission))

    def test_duplicates_are_found_at_once(self):
        self.other_dealer.vat = "49-098-576"
        admission = self._application(vat="49-098-576")
        self.assertIn("duplicate_member", self._codes(admission))
        self.assertIn(self.other_dealer.channel_code, admission.similar_names)
        self.assertEqual(admission.risk_level, "high")
        other = self._application(vat="49-098-576")
        self.assertIn("open_admission", self._codes(other))
        admission.action_link_similar()
        self.assertEqual(admission.partner_id, self.other_dealer)
        self.assertNotIn("duplicate_member", self._codes(admission))

    def test_former_member(self):
        self.other_dealer.vat = "49-098-576"
        self.other_dealer.with_user(self.user_manager).action_channel_terminate("Resold outside its territory")
        admission = self._application(vat="49-098-576")
        self.assertIn("former_member", self._codes(admission))
        self.assertNotIn("duplicate_member", self._codes(admission))

    def test_invalid_identification_number(self):
        admission = self._application(vat="49-098-577")
        self.assertIn("vat_invalid", self._codes(admission))
        with self.assertRaises(AdmissionError) as catcher:
            admission._submit()
        self.assertIn("vat", [error["field"] for error in catcher.exception.errors])

    def test_shared_account_person_and_address(self):
        self.env["res.partner.bank"].create({"partner_id": self.other_dealer.id, "acc_number": "NZ 0042-7"})
        self.other_dealer.write({
            "channel_legal_person": "Mr Shell", "street": "1 TEST street", "city": "Wellington",
        })
        admission = self._application(legal_person="Mr Shell")
        self.assertLessEqual({"shared_bank", "shared_legal_person", "shared_address"}, set(self._codes(admission)))
        finding = admission.finding_ids.filtered(lambda f: f.code == "shared_bank")
        self.assertFalse(finding.for_applicant, "what it shares with others is not told to the applicant")
        self.assertNotIn("shared_bank", [entry["code"] for entry in admission._applicant_findings()])

    def test_email_of_another_user(self):
        admission = self._application(email=self.user_portal.login + "@x.example")
        self.assertNotIn("email_taken", self._codes(admission))
        self.user_portal.login = "taken@x.example"
        admission.email = "Taken@x.example"
        self.assertIn("email_taken", self._codes(admission))
        self.assertNotIn("email_taken", [entry["code"] for entry in admission._applicant_findings()])

    def test_exclusive_territory(self):
        self._channel_authorization(
            self.other_dealer, self.region_west, all_products=False, exclusive=True,
            product_categ_ids=[Command.set(self.category.ids)],
        )
        admission = self._application(regions=[self.region_west.code])
        self.assertIn("territory_exclusive", self._codes(admission))
        admission.region_ids = self.region_city
        self.assertNotIn("territory_exclusive", self._codes(admission))

    def test_score_does_not_depend_on_the_order_of_documents(self):
        types = self.env["channel.qualification.type"].create([
            {
                "name": f"Paper {index}", "code": f"test_paper_{index}", "country_id": self.country.id,
                "mandatory": True, "sequence": index,
            }
            for index in range(4)
        ])
        values = [
            {"number": "1", "issue_date": "2025-01-01", "expiry_date": "2026-03-05"},
            {"number": "2", "issue_date": "2025-01-01", "holder_name": "Other"},
            {"number": "3", "issue_date": "2027-01-01"},
            {"number": "4"},
        ]
        results = set()
        for order in ((0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)):
            admission = self._application()
            for index in order:
                admission._portal_add_document(types[index], [{"name": "x.pdf", "content": PDF}], **values[index])
            results.add((admission.risk_score, tuple(self._codes(admission))))
            admission.action_cancel()
        self.assertEqual(len(results), 1)
        self.assertGreater(next(iter(results))[0], 0)

    def test_checks_are_set_based(self):
        def count(number):
            admissions = self.Admission.create([
                {
                    "name": f"Applicant {number} {index}", "vat": f"V{number}-{index}", "role": "distributor",
                    "country_id": self.country.id, "email": f"a{index}@b{number}.example", "contact_name": "A",
                    "device_class_iii": True, "street": f"{index}", "city": "Wellington", "bank_account": f"B{index}",
                    "legal_person": f"P{index}", "product_categ_ids": [Command.set(self.category.ids)],
                    "region_ids": [Command.set(self.region_east.ids)],
                }
                for index in range(number)
            ])
            admissions.document_ids.write({"number": "1", "issue_date": "2025-01-01", "expiry_date": "2026-03-15"})
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.env["channel.admission.check"].sudo()._run(admissions)
            return self.env.cr.sql_log_count - start

        count(1)
        few, many = count(10), count(100)
        self.assertLessEqual(many, few + 4, f"{few} queries for 10, {many} for 100")

    def test_finding_kept_while_its_cause_lasts(self):
        admission = self._application(document={"holder_name": "Somebody Else"})
        finding = admission.finding_ids.filtered(lambda f: f.code == "document_name")
        admission.action_check()
        self.assertIn(finding, admission.finding_ids)
        admission.document_ids.filtered("number").holder_name = "Fine Devices Ltd"
        self.assertFalse(finding.exists())

    #=== TRANSITIONS ===#

    def test_states_change_by_methods_only(self):
        admission = self._application()
        for state in ("submitted", "returned", "approved", "rejected", "cancelled"):
            with self.subTest(state=state), self.assertRaises(UserError), self.env.cr.savepoint():
                admission.with_user(self.user_compliance).write({"state": state})
            with self.subTest(create=state), self.assertRaises(UserError), self.env.cr.savepoint():
                self.Admission.with_user(self.user_compliance).create({"name": "X", "state": state})
        entered = self.Admission.with_user(self.user_compliance).with_context(default_state="submitted").create(
            {"name": "X"}
        )
        self.assertEqual(entered.state, "draft")
        for vals in ({"submitted_at": "2026-01-01"}, {"editor_ids": [Command.clear()]}, {"source": "api"}):
            with self.subTest(vals=vals), self.assertRaises(AccessError), self.env.cr.savepoint():
                admission.with_user(self.user_compliance).write(vals)

    def test_draft_with_gaps_is_not_submitted(self):
        admission = self._application(document=False, email=False)
        with self.assertRaises(AdmissionError) as catcher:
            admission._submit()
        self.assertEqual({error["field"] for error in catcher.exception.errors}, {"email", "test_licence"})
        self.assertEqual(admission.state, "draft")
        self.assertFalse(admission.submission_ids)

    def test_draft_is_not_approved(self):
        admission = self._application()
        with self.assertRaisesRegex(UserError, "waits for the applicant"):
            admission.with_user(self.user_compliance).action_approve()
        self.assertFalse(admission.need_validation)
        with self.assertRaises(UserError):
            admission.with_user(self.user_compliance).action_reject("no")
        with self.assertRaises(UserError):
            admission.with_user(self.user_compliance).action_return("no")

    def test_submitted_is_closed_for_the_applicant(self):
        admission = self._application(submit=True)
        applicant = admission.with_user(self.env.ref("base.public_user")).sudo()
        with self.assertRaises(UserError):
            applicant._portal_save({"city": "Auckland"})
        with self.assertRaises(UserError):
            applicant._portal_add_document("test_licence", [], number="X")
        with self.assertRaises(UserError):
            applicant._submit()

    def test_return_and_submit_again_keeps_history(self):
        admission = self._application(submit=True)
        first = admission.submission_ids
        document = admission.document_ids.filtered("number")
        admission.with_user(self.user_compliance).action_return(
            "See below", documents={document.id: "The copy cannot be read."}
        )
        self.assertEqual(admission.state, "returned")
        self.assertFalse(admission.review_ids)
        self.assertEqual(document.return_reason, "The copy cannot be read.")
        applicant = admission.with_user(self.env.ref("base.public_user")).sudo()
        applicant._portal_save({"city": "Auckland"})
        applicant._portal_add_document("test_licence", [{"name": "better.pdf", "content": PDF + b"\n"}])
        applicant._submit()
        self.assertFalse(document.return_reason)
        self.assertFalse(admission.return_reason)
        self.assertEqual(sorted(admission.submission_ids.mapped("number")), [1, 2])
        old, new = (json.loads(submission.snapshot) for submission in (first, admission.submission_ids - first))
        self.assertEqual((old["city"], new["city"]), ("Wellington", "Auckland"))
        files = [
            [file["name"] for line in snapshot["documents"] for file in line["files"]] for snapshot in (old, new)
        ]
        self.assertEqual(files, [["licence.pdf"], ["licence.pdf", "better.pdf"]])
        self.assertNotIn("0042-7", first.snapshot, "account numbers are masked")
        self.assertEqual(
            [action for action in self._actions(admission) if action.startswith("admission.")],
            ["admission.submitted", "admission.returned", "admission.submitted"],
        )
        for change in (
            lambda: first.sudo().write({"snapshot": "{}"}),
            lambda: first.sudo().unlink(),
            lambda: first.sudo().copy(),
        ):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                change()

    def test_reject_and_reopen(self):
        admission = self._application(submit=True)
        with self.assertRaises(AccessError):
            admission.with_user(self.user_sales).action_reject("no")
        admission.with_user(self.user_compliance).action_reject("No dealer is wanted here.")
        self.assertRecordValues(admission, [{"state": "rejected", "decision_reason": "No dealer is wanted here."}])
        self.assertFalse(admission.partner_id)
        with self.assertRaises(UserError):
            admission.with_user(self.user_compliance_2).action_approve()
        with self.assertRaises(UserError):
            admission.with_user(self.user_compliance).write({"city": "X"})
        admission.with_user(self.user_compliance).action_reopen("A mistake of ours")
        self.assertEqual(admission.state, "returned")
        admission._submit()
        self._approve(admission, self.user_compliance)
        self.assertEqual(admission.state, "approved")

    def test_cancel(self):
        admission = self._application(submit=True)
        admission.with_user(self.user_compliance).action_cancel("Withdrawn by letter")
        self.assertEqual(admission.state, "cancelled")
        self.assertFalse(admission.review_ids)
        with self.assertRaises(UserError):
            admission.action_cancel()

    def test_deletion(self):
        draft = self._application()
        draft.with_user(self.user_compliance).unlink()
        submitted = self._application(submit=True)
        with self.assertRaises(UserError):
            submitted.with_user(self.user_compliance).unlink()
        submitted.with_user(self.user_compliance).action_return("x")
        with self.assertRaises(UserError):
            submitted.with_user(self.user_compliance).unlink()

    #=== APPROVAL ===#

    def test_tiers_by_risk(self):
        admission = self._application(submit=True, document={"holder_name": "Somebody Else"}, legal_person="Mr Shell")
        self.assertEqual(admission.risk_level, "low")
        self.assertEqual(len(admission.review_ids), 1)
        admission.with_user(self.user_compliance).action_return("x")
        self.other_dealer.channel_legal_person = "Mr Shell"
        admission._submit()
        self.assertEqual((admission.risk_level, len(admission.review_ids)), ("medium", 2))
        with self.assertRaises(UserError):
            admission.with_user(self.user_manager).action_approve()
        self._approve(admission, self.user_compliance)
        self.assertEqual(admission.state, "submitted")
        self._approve(admission, self.user_manager)
        self.assertEqual(admission.state, "approved")
        self.assertEqual(admission.partner_id.channel_qualification_ids.verified_by_id, self.user_compliance)

    def test_high_risk_ends_with_the_executive(self):
        self.other_dealer.vat = "49-098-576"
        admission = self._application(submit=True, vat="49-098-576")
        self.assertEqual((admission.risk_level, len(admission.review_ids)), ("high", 3))
        self._approve(admission, self.user_compliance, self.user_manager)
        self.assertEqual(admission.state, "submitted")
        self._approve(admission, self.user_executive)
        self.assertEqual((admission.state, admission.partner_id.channel_state), ("approved", "active"))

    def test_editor_is_an_author(self):
        admission = self._application(submit=True)
        admission.with_user(self.user_compliance).restart_validation()
        admission.with_user(self.user_compliance).city = "Auckland"
        admission.with_user(self.user_compliance_2).request_validation()
        with self.assertRaisesRegex(UserError, "author"):
            admission.with_user(self.user_compliance).action_approve()
        with self.assertRaisesRegex(UserError, "author"):
            admission.with_user(self.user_compliance_2).action_approve()
        self._approve(admission, self.user_compliance_3)
        self.assertEqual(admission.state, "approved")

    def test_editor_of_a_document_is_an_author(self):
        admission = self._application(submit=True)
        document = admission.document_ids.filtered("number")
        with self.assertRaisesRegex(UserError, "under validation"):
            document.with_user(self.user_compliance).issuer = "X"
        admission.with_user(self.user_compliance_2).restart_validation()
        document.with_user(self.user_compliance).issuer = "X"
        admission.with_user(self.user_compliance_2).request_validation()
        self.assertIn(self.user_compliance, admission._approval_authors())

    def test_who_accepts_a_finding_does_not_approve(self):
        admission = self._application(submit=True, document={"holder_name": "Somebody Else"})
        score = admission.risk_score
        finding = admission.finding_ids.filtered(lambda f: f.code == "document_name")
        with self.assertRaises(AccessError):
            finding.with_user(self.user_sales).action_accept("fine")
        finding.with_user(self.user_compliance).action_accept("Former name of the company, seen in the register")
        self.assertEqual(admission.risk_score, score - finding.weight)
        with self.assertRaisesRegex(UserError, "author"):
            admission.with_user(self.user_compliance).action_approve()
        admission.action_check()
        self.assertEqual(finding.state, "accepted", "it stays accepted while nothing has changed")
        self._approve(admission, self.user_compliance_2)

    def test_blocking_findings_are_not_accepted_and_stop_the_approval(self):
        admission = self._application(submit=True)
        self.licence_type.write({"number_format": r"X-\d+", "validator": "regex"})
        admission.action_check()
        finding = admission.finding_ids.filtered(lambda f: f.code == "document_number")
        with self.assertRaisesRegex(UserError, "blocks"):
            finding.with_user(self.user_compliance).action_accept("fine")
        with self.assertRaisesRegex(UserError, "document_number"):
            admission.with_user(self.user_compliance).action_approve()
        self.assertFalse(admission.with_user(self.user_compliance).can_approve)

    def test_what_happened_meanwhile_is_seen_at_the_approval(self):
        admission = self._application(submit=True, vat="49-098-576")
        self.assertEqual(admission.risk_level, "low")
        self.other_dealer.vat = "49-098-576"
        with self.assertRaisesRegex(UserError, "Restart the validation"), self.env.cr.savepoint():
            admission.with_user(self.user_compliance).action_approve()
        with freeze_time("2100-01-01"), self.assertRaisesRegex(UserError, "document_expired"):
            admission.with_user(self.user_compliance).action_approve()

    def test_reviewer_of_the_region(self):
        admission = self._application(submit=True)
        self.assertEqual(admission.region_id, self.region_east)
        self.assertEqual(admission.reviewer_id, self.user_sales)
        self.assertEqual(admission.activity_ids.user_id, self.user_sales)
        self._approve(admission, self.user_compliance)
        self.assertFalse(admission.activity_ids)

    def test_draft_authorization_by_rule(self):
        self.company.channel_admission_authorization = "draft"
        admission = self._application(submit=True)
        self._approve(admission, self.user_compliance)
        self.assertEqual(admission.partner_id.channel_authorization_ids.state, "draft")
        self.company.channel_admission_authorization = "none"
        admission = self._application(submit=True, email="b@b.example", bank_account="1", street="2")
        self._approve(admission, self.user_compliance)
        self.assertFalse(admission.partner_id.channel_authorization_ids)

    def test_existing_partner_becomes_the_member(self):
        prospect = self.env["res.partner"].create({
            "name": "Fine Devices", "is_company": True, "vat": "49-098-576", "website": "https://fine.example",
        })
        admission = self._application(vat="49-098-576")
        self.assertIn("known_partner", self._codes(admission))
        admission.with_user(self.user_manager).action_link_similar()
        admission._submit()
        self._approve(admission, self.user_compliance)
        self.assertEqual(admission.partner_id, prospect)
        self.assertRecordValues(prospect, [{
            "name": "Fine Devices Ltd", "channel_state": "active", "website": "https://fine.example",
        }])

    def test_former_member_is_readmitted(self):
        self.other_dealer.vat = "49-098-576"
        self.other_dealer.with_user(self.user_manager).action_channel_terminate("x")
        admission = self._application(vat="49-098-576", name="Test Dealer West")
        admission.partner_id = self.other_dealer
        admission._submit()
        for user in (self.user_compliance, self.user_manager, self.user_executive):
            if admission.state == "submitted":
                self._approve(admission, user)
        self.assertEqual((admission.state, self.other_dealer.channel_state), ("approved", "active"))

    #=== FILES ===#

    def test_files_are_checked_in_the_model(self):
        admission = self._application(document=False)
        for content, pattern in ((b"", "empty"), (b"MZ\x90\x00" + b"\x00" * 60, "type"), (b"<html></html>", "type")):
            with self.subTest(content=content), self.assertRaisesRegex(AdmissionError, pattern):
                admission._portal_add_document("test_licence", [{"name": "x.pdf", "content": content}])
        self.env["ir.config_parameter"].sudo().set_param("channel_member.admission_file_mb", "1")
        with self.assertRaisesRegex(AdmissionError, "too large"):
            admission._portal_add_document("test_licence", [{"name": "x.pdf", "content": PDF + b" " * 2**20}])
        with self.assertRaisesRegex(AdmissionError, "too many"):
            admission._portal_add_document(
                "test_licence", [{"name": f"{n}.pdf", "content": PDF + b" " * n} for n in range(11)]
            )
        line = admission.document_ids.filtered(lambda d: d.type_id == self.licence_type)
        page = self.env["ir.attachment"].create({"name": "page.html", "raw": b"<html></html>"})
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            line.attachment_ids = page
        self.assertFalse(line.attachment_ids)

    def test_same_file_is_kept_once(self):
        admission = self._application()
        admission._portal_add_document("test_licence", [{"name": "again.pdf", "content": PDF}])
        self.assertEqual(len(admission.document_ids.attachment_ids), 1)

    def test_linking_a_file_does_not_open_it(self):
        secret = self.env["ir.attachment"].create({
            "name": "secret.pdf", "raw": PDF, "res_model": "res.company", "res_id": self.company.id,
        })
        hidden = self.env["ir.attachment"].create({"name": "hidden.pdf", "raw": PDF})
        admission = self._application()
        document = admission.document_ids.filtered("number").with_user(self.user_sales)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            document.attachment_ids = [Command.link(hidden.id)]
        own = self.env["ir.attachment"].with_user(self.user_sales).create({"name": "own.pdf", "raw": PDF + b" "})
        document.attachment_ids = [Command.link(own.id)]
        self.assertEqual((own.res_model, own.res_id), (document._name, document.id))
        self.assertEqual(own.with_user(self.user_compliance).name, "own.pdf")
        self.assertEqual(secret.res_model, "res.company")

    #=== API ===#

    def _api_values(self, **values):
        return {
            **self._values(),
            "external_id": "CRM-1",
            "documents": [{
                "type": "test_licence",
                **self._document_values(),
                "files": [{"name": "licence.pdf", "content": base64.b64encode(PDF).decode()}],
            }],
            **values,
        }

    def test_api_apply_and_status(self):
        api = self.Admission.with_user(self.user_sales)
        result = api.apply(self._api_values())
        self.assertEqual((result["state"], result["missing"]), ("submitted", []))
        json.dumps(result)
        admission = self.Admission.search([("reference", "=", result["reference"])])
        self.assertEqual(admission.sudo().access_token, result["token"])
        self.assertEqual(admission.source, "api")
        status = api.status(result["reference"])
        self.assertNotIn("token", status)
        self.assertEqual((status["state"], status["progress"], status["member"]), ("submitted", 100, False))
        self._approve(admission, self.user_compliance)
        self.assertEqual(api.status("CRM-1")["member"], admission.partner_id.channel_code)

    def test_api_is_idempotent(self):
        api = self.Admission.with_user(self.user_sales)
        first = api.apply(self._api_values(documents=[]))
        self.assertEqual(first["state"], "draft")
        self.assertEqual([entry["code"] for entry in first["missing"]], ["document_missing"])
        second = api.apply(self._api_values(city="Auckland"))
        self.assertEqual((second["reference"], second["state"]), (first["reference"], "submitted"))
        third = api.apply(self._api_values(city="Dunedin"))
        self.assertEqual((third["reference"], third["state"]), (first["reference"], "submitted"))
        admission = self.Admission.search([("external_id", "=", "CRM-1")])
        self.assertEqual((len(admission), admission.city), (1, "Auckland"))
        self.assertEqual(len(admission.submission_ids), 1)

    def test_api_errors_name_field_value_and_remedy(self):
        api = self.Admission.with_user(self.user_sales)
        with self.assertRaises(AdmissionError) as catcher:
            api.apply({
                "name": "X" * 300, "role": "wizard", "country": "XX", "email": "nobody", "device_classes": ["IV"],
                "regions": ["nowhere"], "hospitals": [self.dealer.id], "colour": "red",
            })
        errors = {error["field"]: error for error in catcher.exception.errors}
        self.assertEqual(
            set(errors),
            {"name", "role", "country", "email", "device_classes", "regions", "hospitals", "colour"},
        )
        for error in errors.values():
            self.assertTrue(error["message"] and error["remedy"])
        self.assertEqual(errors["regions"]["value"], "nowhere")
        self.assertFalse(self.Admission.search([("create_uid", "=", self.user_sales.id)]))
        for document, field in (
            ({"type": "nothing"}, "type"),
            ({"type": "test_licence", "issue_date": "soon"}, "issue_date"),
            ({"type": "test_licence", "files": [{"name": "x", "content": "%%%"}]}, "files"),
            ({"type": "test_licence", "issue_date": "2026-01-01", "expiry_date": "2025-01-01"}, "expiry_date"),
        ):
            with self.subTest(document=document), self.assertRaises(AdmissionError) as catcher, (
                self.env.cr.savepoint()
            ):
                api.apply(self._api_values(external_id=str(document), documents=[document]))
            self.assertEqual([error["field"] for error in catcher.exception.errors], [field])

    def test_api_access(self):
        for user in (self.user_portal, self.user_internal, self.user_executive):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.Admission.with_user(user).apply(self._api_values())
        with self.assertRaises(UserError):
            self.Admission.with_user(self.user_sales).status("nothing")

    def test_progress(self):
        admission = self._application(document=False, contact_name=False)
        progress = admission._progress()
        json.dumps(progress)
        self.assertLess(progress["percent"], 100)
        self.assertEqual(
            [step["key"] for step in progress["steps"]], ["particulars", "documents", "submitted", "decided"]
        )
        self.assertEqual({entry["code"] for entry in progress["missing"]}, {"field_missing", "document_missing"})
        admission.contact_name = "Ann"
        admission._portal_add_document(
            "test_licence", [{"name": "x.pdf", "content": PDF}], **self._document_values()
        )
        self.assertEqual(admission._progress()["percent"], 100)

    #=== ACCESS ===#

    def test_regional_users(self):
        east, west = self._application(), self._application(regions=[self.region_west.code])
        self.assertEqual(west.region_id, self.region_west)
        visible = self.Admission.with_user(self.user_sales).search([("id", "in", (east | west).ids)])
        self.assertEqual(visible, east)
        for record in (west, west.document_ids[:1], west.finding_ids[:1]):
            if record:
                with self.assertRaises(AccessError):
                    record.with_user(self.user_sales).read(["display_name"])
        entered = self.Admission.with_user(self.user_sales).create({"name": "No address yet", "country_id": False})
        self.assertTrue(entered.name)

    def test_portal_sees_its_own(self):
        own = self.Admission.create({"kind": "change", "partner_id": self.dealer.id})
        other = self._application()
        portal = self.Admission.with_user(self.user_portal)
        self.assertEqual(portal.search([]), own)
        self.assertEqual(portal.browse(own.id).name, "Test Dealer")
        with self.assertRaises(AccessError):
            portal.browse(other.id).read(["name"])
        with self.assertRaises(AccessError):
            portal.browse(own.id).write({"name": "X"})
        with self.assertRaises(AccessError):
            portal.browse(own.id).read(["risk_score"])
        with self.assertRaises(AccessError):
            portal.env["channel.admission.finding"].search([])
        with self.assertRaises(AccessError):
            portal.create({"name": "X"})

    def test_token_and_account_are_not_read(self):
        admission = self._application()
        for user in (self.user_sales, self.user_compliance, self.user_admin):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                admission.with_user(user).read(["access_token"])
        with self.assertRaises(AccessError):
            admission.with_user(self.user_sales).read(["bank_account"])
        self.assertEqual(admission.with_user(self.user_compliance).bank_account, "NZ-0042-7")

    def test_other_companies(self):
        other = self.setup_other_company()["company"] if hasattr(self, "setup_other_company") else False
        admission = self._application()
        admission_other = self.Admission.sudo().with_company(other).create({"name": "X", "company_id": other.id})
        found = self.Admission.with_user(self.user_compliance).search(
            [("id", "in", (admission | admission_other).ids)]
        )
        self.assertEqual(found, admission)

    def test_form(self):
        with Form(self.Admission.with_user(self.user_sales)) as form:
            form.name = "Typed In Ltd"
            form.country_id = self.country
            form.city = "Wellington"
            form.region_ids.add(self.region_east)
            form.device_class_iii = True
        admission = form.record
        self.assertIn(self.licence_type, admission.document_ids.type_id)
        with Form(admission) as form, form.document_ids.edit(0) as line:
            line.number = "LIC-1"
        self.assertIn("LIC-1", admission.document_ids.mapped("number"))
        with Form(self.Admission.with_user(self.user_sales)) as form:
            form.kind = "change"
            form.partner_id = self.dealer
            self.assertEqual(form.name, "Test Dealer")
        self.assertEqual(form.record._difference(), [])
        self.assertIn("nothing_changed", self._codes(form.record))

    @mute_logger("odoo.models.unlink")
    def test_decision_wizard(self):
        admission = self._application(submit=True)
        action = admission.with_user(self.user_compliance).action_return()
        wizard = self.env["channel.admission.decision"].with_user(self.user_compliance).with_context(
            **action["context"]
        ).create({})
        self.assertEqual(wizard.line_ids.document_id, admission.document_ids)
        with self.assertRaises(UserError):
            wizard.action_decide()
        wizard.line_ids[0].reason = "Not readable"
        wizard.action_decide()
        self.assertEqual(admission.state, "returned")
        self.assertEqual(wizard.line_ids[0].document_id.return_reason, "Not readable")


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestAdmissionOfMembers(AdmissionCommon):
    """Changes of particulars and re-audits."""

    #=== CHANGE ===#

    def test_change_before_and_after(self):
        self.dealer.write({"street": "Old Street 1", "website": "https://old.example"})
        admission = self.Admission.with_user(self.user_sales).create({"kind": "change", "partner_id": self.dealer.id})
        self.assertEqual((admission.name, admission.street), ("Test Dealer", "Old Street 1"))
        self.assertEqual(admission._difference(), [])
        self.assertIn("nothing_changed", self._codes(admission))
        admission.write({"name": "New Dealer", "street": "New Street 2"})
        self.assertNotIn("nothing_changed", self._codes(admission))
        self.assertEqual(
            [(change["field"], change["before"], change["after"]) for change in admission._difference()],
            [("name", "Test Dealer", "New Dealer"), ("street", "Old Street 1", "New Street 2")],
        )
        self.assertIn("<del>Old Street 1</del>", str(admission.difference_html))
        admission.write({"contact_name": "A", "email": "a@dealer.example"})
        admission._submit()
        self.assertEqual(self.dealer.name, "Test Dealer", "nothing is written before the approval")
        # Meanwhile another field moves on; it is not taken back.
        self.dealer.website = "https://new.example"
        self._approve(admission, self.user_compliance)
        self.assertRecordValues(self.dealer, [{
            "name": "New Dealer", "street": "New Street 2", "website": "https://new.example",
        }])
        self.assertIn("member.changed", self._actions(self.dealer))
        self.assertIn("Old Street 1", str(admission.difference_html), "the view stays what it was")

    def test_change_written_directly_stays_closed(self):
        with self.assertRaises(AccessError):
            self.dealer.with_user(self.user_sales).vat = "49-098-576"
        with self.assertRaises(AccessError):
            self.Admission.with_user(self.user_sales).create({
                "kind": "change", "partner_id": self.dealer.id, "before_values": {"name": "X"},
            })

    def test_change_of_a_stranger(self):
        prospect = self.env["res.partner"].create({"name": "Prospect", "is_company": True})
        with self.assertRaises(ValidationError):
            self.Admission.create({"kind": "change", "partner_id": prospect.id})

    def test_renewed_document_becomes_a_new_version(self):
        admission = self.Admission.create({"kind": "change", "partner_id": self.dealer.id})
        line = admission.document_ids.filtered(lambda d: d.type_id == self.licence_type)
        self.assertRecordValues(line, [{"number": self.licence.number, "qualification_id": self.licence.id}])
        admission._portal_add_document(
            "test_licence", [{"name": "new.pdf", "content": PDF}], issue_date="2026-01-01", expiry_date="2031-12-31",
        )
        admission.write({"contact_name": "A", "email": "a@dealer.example"})
        admission._submit()
        self._approve(admission, self.user_compliance)
        renewed = line.qualification_id
        self.assertNotEqual(renewed, self.licence)
        self.assertRecordValues(renewed, [{
            "state": "verified", "previous_id": self.licence.id, "expiry_date": date(2031, 12, 31),
        }])

    def test_bank_account_of_a_change_is_masked(self):
        admission = self.Admission.with_user(self.user_compliance).create({
            "kind": "change", "partner_id": self.dealer.id, "bank_account": "NZ-SECRET-1234",
            "contact_name": "A", "email": "a@dealer.example",
        })
        html = str(admission.with_user(self.user_sales).difference_html)
        self.assertIn("1234", html)
        self.assertNotIn("SECRET", html)
        admission._submit()
        self._approve(admission, self.user_compliance_2)
        self.assertIn("NZSECRET1234", self.dealer.bank_ids.mapped("sanitized_acc_number"))

    #=== RE-AUDIT ===#

    def _due_member(self, **values):
        self.members.channel_next_audit_date = date(2030, 1, 1)
        self.dealer.write({"channel_next_audit_date": date(2026, 3, 20), "channel_risk_level": "medium", **values})

    def _job(self):
        self.Admission.sudo()._cron_open_reaudits()
        return self.Admission.search([("kind", "=", "reaudit"), ("partner_id", "=", self.dealer.id)])

    def test_reaudits_open_once(self):
        self._due_member()
        admission = self._job()
        self.assertRecordValues(admission, [{
            "due_date": date(2026, 3, 20), "name": "Test Dealer", "state": "draft", "source": "calendar",
            "reviewer_id": self.user_sales.id,
        }])
        self.assertEqual(admission.activity_ids.date_deadline, date(2026, 3, 20))
        self.assertEqual(self._job(), admission, "running it again opens nothing")
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self.Admission.create({"kind": "reaudit", "partner_id": self.dealer.id})

    def test_reaudit_not_yet_due(self):
        self._due_member(channel_next_audit_date=date(2026, 4, 2))
        self.assertFalse(self._job())
        with freeze_time("2026-03-03"):
            self.assertTrue(self._job())

    def test_reaudit_plans_the_next_one(self):
        self._due_member()
        admission = self._job()
        admission.write({"contact_name": "A", "email": "a@dealer.example"})
        admission.with_user(self.user_sales)._submit()
        self._approve(admission, self.user_compliance)
        self.assertEqual(admission.state, "approved", self._codes(admission))
        self.assertEqual(admission.risk_level, "low")
        self.assertEqual(self.dealer.channel_next_audit_date, date(2028, 3, 2))
        self.assertEqual(self.dealer.channel_risk_level, "low")
        self.assertEqual(self.dealer.channel_state, "active")

    def test_reaudit_may_suspend(self):
        self._due_member()
        admission = self._job()
        admission.write({"contact_name": "A", "email": "a@dealer.example", "outcome": "suspend"})
        admission.with_user(self.user_sales)._submit()
        self._approve(admission, self.user_compliance)
        self.assertEqual(self.dealer.channel_state, "suspended")

    def test_overdue_alert(self):
        self._due_member()
        admission = self._job()
        self.assertFalse(self.env["channel.alert"].search(
            [("source", "=", "admission_reaudit"), ("key", "=", str(admission.id))]
        ))
        with freeze_time("2026-03-21"):
            self._job()
            alerts = self.env["channel.alert"].search(
                [("source", "=", "admission_reaudit"), ("key", "=", str(admission.id))]
            )
            self.assertEqual(alerts.state, "open")
            self._job()
            admission.with_user(self.user_compliance).action_cancel("Not needed")
            self.Admission.sudo()._alert_overdue()
        self.assertEqual(alerts.state, "resolved")

    def test_rules(self):
        rules = self.env["channel.reaudit.rule"]
        rules.search([]).active = False
        self.assertFalse(rules._next_date(self.dealer, "low"))
        grade = self.env["res.partner.grade"].create({"name": "Test Gold"})
        rules.create([
            {"name": "gold", "sequence": 1, "grade_ids": [Command.set(grade.ids)], "months": 36},
            {"name": "high", "sequence": 2, "risk_level": "high", "months": 3},
            {"name": "hospital", "sequence": 3, "role": "hospital", "months": 60},
            {"name": "rest", "sequence": 4, "months": 12},
        ])
        self.assertEqual(rules._next_date(self.dealer, "high"), date(2026, 6, 2))
        self.assertEqual(rules._next_date(self.dealer, "low"), date(2027, 3, 2))
        self.assertEqual(rules._next_date(self.hospital, "low"), date(2031, 3, 2))
        self.dealer.grade_id = grade
        self.assertEqual(rules._next_date(self.dealer, "high"), date(2029, 3, 2))

    def test_members_without_a_day_get_one(self):
        self.members.channel_next_audit_date = False
        self.dealer.sudo().write({"channel_active_since": date(2020, 1, 1), "channel_risk_level": "low"})
        admission = self._job()
        self.assertEqual(admission.due_date, date(2022, 1, 1))
        self.assertFalse(self.hospital.channel_next_audit_date, "hospitals are not audited unless a rule names them")
