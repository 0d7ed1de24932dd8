from datetime import date
from unittest.mock import patch

from odoo import fields
from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.channel_contract.tests.common import ChannelContractCommon
from odoo.addons.channel_member.tests.common import ChannelMemberCommon
from odoo.addons.channel_rebate.tests.common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestManagerTour(ChannelContractCommon, HttpCase):
    """The channel manager admits a dealer, approves its contract and authorization, and confirms its first order."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Partner = cls.env["res.partner"]
        cls.applicant = Partner.create(cls._channel_member_values("Tour Dealer", cls.region_city))
        cls.incomplete = Partner.create(cls._channel_member_values("Tour Incomplete", cls.region_city))
        cls.applicant_licence = cls._channel_qualification(cls.applicant)
        contract = cls.env["channel.contract"].with_user(cls.user_contract)
        cls.applicant_contract = contract.create({"title": "Tour agreement", "member_id": cls.applicant.id})
        cls.version = (
            cls.env["channel.contract.version"]
            .with_user(cls.user_contract)
            .create(
                {
                    "contract_id": cls.applicant_contract.id,
                    "valid_from": date(2020, 1, 1),
                    "purpose": "First terms",
                }
            )
        )
        cls.applicant_authorization = (
            cls.env["channel.authorization"]
            .with_user(cls.user_contract)
            .create(
                {
                    "partner_id": cls.applicant.id,
                    "company_id": cls.company.id,
                    "date_from": date(2020, 1, 1),
                    "all_products": True,
                    "region_ids": [Command.set(cls.region_east.ids)],
                }
            )
        )
        cls.order = (
            cls.env["sale.order"]
            .with_user(cls.user_sales)
            .create(
                {
                    "partner_id": cls.applicant.id,
                    "channel_end_customer_id": cls.hospital.id,
                    "user_id": cls.user_manager.id,
                    "order_line": [Command.create({"product_id": cls.device.id, "product_uom_qty": 2})],
                }
            )
        )

    def _entries(self, record, action):
        """:return: who is written in the journal as having done `action` with the record"""
        domain = [("model", "=", record._name), ("res_id", "=", record.id), ("action", "=", action)]
        return self.env["channel.audit.entry"].sudo().search(domain).user_id

    @mute_logger("odoo.http")  # the refusal
    def test_manager(self):
        self.assertEqual(self.applicant.channel_state, "applicant")
        self.start_tour("/odoo", "channel_manager", login="channel_manager", timeout=180)

        today = fields.Date.today()
        self.assertRecordValues(
            self.applicant, [{"channel_state": "active", "channel_state_date": today, "channel_active_since": today}]
        )
        self.assertEqual(self.incomplete.channel_state, "applicant")
        self.assertEqual(self._entries(self.applicant, "member.active"), self.user_manager)

        self.assertRecordValues(self.version, [{"state": "approved", "approved_by_id": self.user_manager.id}])
        self.assertTrue(self.version.approved_at)
        self.assertEqual(self.applicant_contract.state, "in_force")
        self.assertEqual(self._entries(self.version, "approval.approved"), self.user_manager)
        self.assertEqual(self.applicant_authorization.state, "approved")
        self.assertEqual(self._entries(self.applicant_authorization, "approval.approved"), self.user_manager)

        self.assertEqual(self.order.state, "sale")
        self.assertEqual(self.order.picking_ids.channel_end_customer_id, self.hospital)
        finding = self.order.channel_finding_ids
        self.assertRecordValues(
            finding,
            [
                {
                    "code": "member_authorization",
                    "severity": "block",
                    "state": "resolved",
                    "attempt_count": 1,
                    "user_id": self.user_manager.id,
                    "member_id": self.applicant.id,
                }
            ],
        )
        self.assertEqual(self._entries(finding, "gate.refused"), self.user_manager)


@tagged("post_install", "-at_install")
class TestPortalTour(ChannelRebateCommon, HttpCase):
    """A dealer with a telephone."""

    browser_size = "390x844"
    touch_enabled = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The class above switches the gate off for its own tests; here it is what the test is about.
        cls.env["channel.gate.severity"].search([("company_id", "=", cls.company.id)]).unlink()
        cls.implant_type = cls.licence_type.copy(
            {"name": "Test Implant Licence", "code": "test_implant", "device_class_iii": False}
        )
        cls._channel_qualification(
            cls.dealer, type_id=cls.implant_type.id, number="IMP-1", expiry_date=date(2021, 12, 31)
        )
        cls.implant = cls.env["product.product"].create(cls._channel_product_values("Test Implant", list_price=500.0))
        cls.implant.product_tmpl_id.write(
            {"channel_device_class": "II", "channel_category_ids": [Command.set(cls.device_category.ids)]}
        )
        cls.program = cls._program("TOUR", [(0, 10), (1000, 25)], kind="marginal", name="Tour volume rebate")
        cls._invoice([1200, 800], "2026-01-10")
        cls.program.accrue("2026-03-31")

    def _quotation(self, name, product):
        order = self._channel_order(
            [(product, 1)],
            customer=self.hospital,
            name=name,
            require_signature=True,
            require_payment=False,
        )
        order.action_quotation_sent()
        return order

    def test_reads_its_own_documents(self):
        self.start_tour("/my", "channel_portal", login="channel_portal", timeout=120)

    def test_signs_a_quotation(self):
        order = self._quotation("TOUR-GOOD", self.device)
        self.start_tour("/my/quotes", "channel_portal_sign", login="channel_portal", timeout=120)
        self.assertRecordValues(order, [{"state": "sale", "signed_by": "Wang Fang"}])
        self.assertTrue(order.signature)
        self.assertTrue(order.signed_on)
        self.assertTrue(order.picking_ids)
        self.assertFalse(order.channel_finding_ids)

    @mute_logger("odoo.http")  # the refusal
    def test_is_refused_with_the_reason(self):
        order = self._quotation("TOUR-EXPIRED", self.implant)
        self.start_tour("/my/quotes", "channel_portal_refused", login="channel_portal", timeout=120)
        self.assertRecordValues(order, [{"state": "sent", "signed_by": False, "signature": False}])
        self.assertFalse(order.picking_ids)
        finding = order.channel_finding_ids
        self.assertRecordValues(
            finding,
            [
                {
                    "code": "member_qualification",
                    "severity": "block",
                    "state": "refused",
                    "attempt_count": 1,
                    "member_id": self.dealer.id,
                    "customer_id": self.hospital.id,
                }
            ],
        )


@tagged("post_install", "-at_install")
class TestApplyTour(ChannelMemberCommon, HttpCase):
    """A stranger with a telephone applies, and what its licence says is filled in."""

    browser_size = "390x844"
    touch_enabled = True

    def test_applies(self):
        public = self.env.ref("base.public_user").sudo()
        public.write({"company_ids": [Command.link(self.company.id)], "company_id": self.company.id})
        before = self.env["channel.admission"].search([])
        self.start_tour("/channel/apply", "channel_apply", timeout=180)
        admission = self.env["channel.admission"].search([]) - before
        self.assertRecordValues(
            admission,
            [
                {
                    "state": "submitted",
                    "source": "portal",
                    "name": "Rata Medical Ltd",
                    "role": "distributor",
                    "country_id": self.env.ref("base.nz").id,
                    "device_class_i": False,
                    "device_class_iii": True,
                    "city": "Auckland",
                    "partner_id": False,
                }
            ],
        )
        document = admission.document_ids.filtered(lambda line: line.type_id == self.licence_type)
        self.assertRecordValues(
            document,
            [
                {
                    "number": "TL-4711",
                    "holder_name": "Rata Medical Ltd",
                    "issuer": "Device Authority",
                    "issue_date": date(2024, 1, 1),
                    "expiry_date": date(2099, 12, 31),
                    "scope_text": "T13 Implants III",
                    "read_source": "text_layer",
                    "read_differs": False,
                }
            ],
        )
        self.assertEqual(document.attachment_ids.mimetype, "application/pdf")
        self.assertEqual(len(admission.submission_ids), 1)


@tagged("post_install", "-at_install")
class TestScreenTours(ChannelContractCommon, HttpCase):
    """Matrix and passport on the manager's desk."""

    def test_matrix(self):
        before = self.env["channel.authorization"].search([])
        self.start_tour("/odoo", "channel_matrix", login="channel_manager", timeout=120)
        authorization = self.env["channel.authorization"].search([]) - before
        self.assertRecordValues(
            authorization,
            [
                {
                    "partner_id": self.sub_dealer.id,
                    "region_ids": self.region_west.ids,
                    "all_products": True,
                    "state": "draft",
                    "create_uid": self.user_manager.id,
                }
            ],
        )

    def test_passport(self):
        printed = []

        def render(report, report_ref, res_ids=None, data=None):
            printed.append((report_ref, list(res_ids), report.env.user))
            return b"%PDF-1.4", "pdf"

        Report = type(self.env["ir.actions.report"])
        with (
            patch.object(Report, "_render_qweb_pdf", render),
            patch.object(Report, "get_wkhtmltopdf_state", lambda report: "ok"),
        ):
            self.start_tour("/odoo/channel-members", "channel_passport", login="channel_manager", timeout=120)
        self.assertEqual(
            printed, [("channel_member.report_member_passport", self.other_dealer.ids, self.user_manager)]
        )


@tagged("post_install", "-at_install")
class TestPhoneTour(ChannelContractCommon, HttpCase):
    """Compliance with a telephone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_verify(self):
        document = self._channel_qualification(self.dealer, verify=False, number="TOUR-LICENCE")
        if document.state == "draft":
            document.action_submit()
        self.start_tour(
            "/odoo/channel-qualifications", "channel_verify_on_phone", login="channel_compliance", timeout=120
        )
        self.assertRecordValues(document, [{"state": "verified", "verified_by_id": self.user_compliance.id}])
        self.assertTrue(document.verified_at)


@tagged("post_install", "-at_install")
class TestImportTour(ChannelMemberCommon, HttpCase):
    """The manager imports members from a table with bad rows."""

    def test_import(self):
        Partner = self.env["res.partner"]
        before = Partner.search([])
        self.start_tour("/odoo", "channel_import_members", login="channel_manager", timeout=120)
        self.assertRecordValues(
            Partner.search([]) - before,
            [
                {
                    "name": "Tour Import Ltd",
                    "channel_role": "distributor",
                    "channel_state": "applicant",
                    "email": "office@import.example.com",
                    "create_uid": self.user_manager.id,
                }
            ],
        )
