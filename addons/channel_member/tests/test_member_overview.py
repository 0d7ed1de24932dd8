from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestMemberOverview(ChannelMemberCommon):
    """What lists and cards say about members, and to whom they say nothing."""

    def _applicant(self, name, role="distributor", **values):
        return self.env["res.partner"].create(
            self._channel_member_values(name, self.region_east, channel_role=role, **values)
        )

    def _ask_of_hospitals(self):
        """Make a licence mandatory for hospitals, as China does."""
        hospital = self.env["ir.model.fields.selection"].sudo().search([
            ("field_id.model", "=", "res.partner"), ("field_id.name", "=", "channel_role"), ("value", "=", "hospital"),
        ])
        return self.licence_type.sudo().copy({
            "name": "Test Practice Licence", "code": "test_practice", "device_class_ii": False,
            "device_class_iii": False, "has_scope": False, "role_ids": hospital.ids,
        })

    # === DOCUMENTS === #

    def test_nothing_is_asked(self):
        """No badge for those for whom no document is mandatory: neither red nor green."""
        self.assertFalse(self.hospital.channel_compliance_status)
        self.assertFalse(self._applicant("Maker", role="manufacturer").channel_compliance_status)
        self.assertFalse(self.env["res.partner"].create({"name": "Stranger"}).channel_compliance_status)

    def test_hospital_that_never_applied(self):
        practice = self._ask_of_hospitals()
        entered = self._applicant("Entered as an end customer", role="hospital")
        self.assertFalse(entered.channel_compliance_status, "nobody asked it for anything")
        self.assertEqual(self.hospital.channel_compliance_status, "missing", "it is admitted, and may buy itself")
        self._channel_qualification(
            entered, verify=False, type_id=practice.id, number="PRACTICE-1",
        )
        entered.invalidate_recordset()
        self.assertEqual(entered.channel_compliance_status, "incomplete", "it has begun to hand in documents")

    def test_applicants_are_not_red(self):
        applicant = self._applicant("Applicant")
        self.assertEqual(applicant.channel_compliance_status, "incomplete")
        self._channel_qualification(applicant)
        applicant.invalidate_recordset()
        self.assertEqual(applicant.channel_compliance_status, "ok")

    def test_terminated_members_are_asked_for_nothing(self):
        self.licence.with_user(self.user_compliance).action_revoke(reason="withdrawn")
        self.dealer.invalidate_recordset()
        self.assertEqual(self.dealer.channel_compliance_status, "missing")
        self.sub_dealer.channel_parent_id = False
        self.dealer.with_user(self.user_manager).action_channel_terminate(reason="left")
        self.assertFalse(self.dealer.channel_compliance_status)

    def test_search_by_documents(self):
        applicant = self._applicant("Applicant")
        self.licence.with_user(self.user_compliance).action_revoke(reason="withdrawn")
        everybody = self.members | applicant
        found = {
            status: self.env["res.partner"].search(
                [("id", "in", everybody.ids), ("channel_compliance_status", "=", status)]
            )
            for status in ("ok", "missing", "incomplete", "expiring", False)
        }
        self.assertEqual(found["ok"], self.sub_dealer | self.other_dealer)
        self.assertEqual(found["missing"], self.dealer)
        self.assertEqual(found["incomplete"], applicant)
        self.assertFalse(found["expiring"])
        self.assertEqual(found[False], self.hospital | self.hospital_west)

    # === EXPIRY === #

    def test_next_expiry(self):
        self.assertEqual(self.dealer.channel_next_expiry, self.licence.expiry_date)
        applicant = self._applicant("Applicant")
        self.assertFalse(applicant.channel_next_expiry)
        today = fields.Date.today()
        for days in (20, 50):
            self._channel_qualification(
                applicant, number=f"N-{days}", expiry_date=today + timedelta(days=days),
                type_id=self.licence_type.copy({"code": f"test_{days}"}).id,
            )
        applicant.invalidate_recordset()
        self.assertEqual(applicant.channel_next_expiry, today + timedelta(days=20))

    def test_renewed_documents_do_not_count(self):
        today = fields.Date.today()
        applicant = self._applicant("Applicant")
        self._channel_qualification(applicant, expiry_date=today + timedelta(days=10))
        self._channel_qualification(applicant, number="NEXT", expiry_date=today + timedelta(days=400))
        applicant.invalidate_recordset()
        self.assertEqual(applicant.channel_next_expiry, today + timedelta(days=400))

    def test_search_by_expiry(self):
        """The filters of the list: within 30, 60 and 90 days, the last day included."""
        today = fields.Date.today()
        members = self.env["res.partner"]
        for days in (-1, 30, 31, 90):
            member = self._applicant(f"Expires {days}")
            self._channel_qualification(member, expiry_date=today + timedelta(days=days))
            members |= member
        for horizon, expected in (("today", 0), ("today +30d", 2), ("today +60d", 3), ("today +90d", 4)):
            operator = "<" if horizon == "today" else "<="
            found = self.env["res.partner"].search(
                [("id", "in", members.ids), ("channel_next_expiry", operator, horizon)], order="id"
            )
            self.assertEqual(found, members[: expected or 1], horizon)

    # === FINDINGS === #

    def test_open_findings(self):
        self.assertFalse(self.dealer.channel_finding_count)
        self.authorization.with_user(self.user_manager).action_revoke(reason="ended")
        order = self._channel_order(customer=self.hospital)
        self.env["channel.gate"]._check_documents("order", order)
        self.dealer.invalidate_recordset()
        self.assertGreater(self.dealer.channel_finding_count, 0)
        action = self.dealer.action_channel_findings()
        self.assertEqual(
            self.env[action["res_model"]].search_count(action["domain"]), self.dealer.channel_finding_count
        )
        for user in (self.user_auditor, self.user_compliance):
            self.assertEqual(
                self.dealer.with_user(user).channel_finding_count, self.dealer.channel_finding_count
            )

    # === SHAPE === #

    def test_shape(self):
        """Cards of 5 and of 50 members ask the same number of questions."""
        def count(members):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            members.web_read({
                "channel_compliance_status": {}, "channel_next_expiry": {}, "channel_finding_count": {},
            })
            return self.env.cr.sql_log_count - start

        members = self.env["res.partner"].create([
            self._channel_member_values(f"Member {index}", self.region_east) for index in range(50)
        ])
        for member in members[::5]:
            self._channel_qualification(member, expiry_date=fields.Date.today())
        few = count(members[:5])
        self.assertLessEqual(count(members), few + 2)


@tagged("post_install", "-at_install")
class TestMemberPassport(ChannelMemberCommon):
    """Everything about one member, as far as the reader may know it."""

    def _passport(self, user, member=None):
        passport = self.env["channel.member.passport"].with_user(user).read_passport((member or self.dealer).id)
        self.assertEqual(passport["id"], (member or self.dealer).id)
        return {section["key"]: section for section in passport["sections"]}

    def _texts(self, section):
        return [[cell["text"] for cell in row] for row in section["rows"]]

    def _facts(self, section):
        return {fact["label"]: fact["text"] for fact in section["facts"]}

    def test_sections(self):
        sections = self._passport(self.user_admin)
        for key in (
            "identity", "state", "qualifications", "authorizations", "turnover", "findings", "alerts", "people",
            "members_below", "audit",
        ):
            self.assertIn(key, sections)
        self.assertEqual(self._facts(sections["identity"])["Member code"], self.dealer.channel_code)
        self.assertEqual(self._facts(sections["state"])["State"], "Active")
        self.assertIn(self.licence.number, self._texts(sections["qualifications"])[0])
        self.assertIn(self.authorization.number, self._texts(sections["authorizations"])[0])
        self.assertEqual(self._texts(sections["people"])[0][0], self.user_portal.partner_id.name)
        self.assertEqual(self._texts(sections["people"])[0][-1], "Portal user")
        self.assertEqual(self._texts(sections["members_below"])[0][0], self.sub_dealer.name)

    def test_turnover(self):
        order = self._channel_order([(self.device, 3, 100.0)], customer=self.hospital, confirm=True)
        sections = self._passport(self.user_finance)
        facts = self._facts(sections["turnover"])
        self.assertEqual(facts["Orders"], "1")
        self.assertIn("300", facts["Ordered"])
        self._channel_invoice(order)
        facts = self._facts(self._passport(self.user_finance)["turnover"])
        self.assertIn("300", facts["Invoiced"])
        quiet = self._passport(self.user_finance, self.other_dealer)["turnover"]
        self.assertFalse(quiet["rows"])
        self.assertTrue(quiet["empty"])

    def test_who_sees_amounts(self):
        for position, sees in (
            ("sales", True), ("manager", True), ("finance", True), ("executive", True), ("auditor", True),
            ("admin", True), ("compliance", False), ("contract", False), ("pricing", False),
        ):
            sections = self._passport(getattr(self, f"user_{position}"))
            self.assertEqual("turnover" in sections, sees, position)

    def test_who_sees_the_journal(self):
        for position, sees in (("auditor", True), ("compliance", True), ("admin", True), ("sales", False)):
            self.assertEqual("audit" in self._passport(getattr(self, f"user_{position}")), sees, position)
        self.assertTrue(
            any("member.active" in row for row in self._texts(self._passport(self.user_auditor)["audit"]))
        )

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_refused(self):
        passport = self.env["channel.member.passport"]
        for user in (self.user_portal, self.user_internal):
            for method in ("read_passport", "render_passport"):
                with self.assertRaises(AccessError):
                    getattr(passport.with_user(user), method)(self.dealer.id)
        with self.assertRaises(AccessError):
            passport.with_user(self.user_sales).read_passport(self.other_dealer.id)
        with self.assertRaises(AccessError):
            self.env["report.channel_member.report_member_passport"].with_user(self.user_sales)._get_report_values(
                self.other_dealer.ids
            )
        with self.assertRaisesRegex(UserError, "not a member"):
            passport.with_user(self.user_admin).read_passport(self.company.partner_id.id)

    def test_page(self):
        """What members write is text on the page, not code of it."""
        self.dealer.name = "<script>alert('x')</script> & Sons"
        page = self.env["channel.member.passport"].with_user(self.user_admin).render_passport(self.dealer.id)
        html = str(page["html"])
        self.assertNotIn("<script>", html)
        self.assertIn("&lt;script&gt;", html)
        self.assertIn(f'data-model="channel.qualification" data-id="{self.licence.id}"', html)

    def test_pdf(self):
        action = self.dealer.action_channel_passport_print()
        self.assertEqual(action["report_name"], "channel_member.report_member_passport")
        html = self.env["ir.actions.report"].with_user(self.user_manager)._render_qweb_html(
            "channel_member.report_member_passport", (self.dealer | self.sub_dealer).ids
        )[0].decode()
        self.assertIn(self.licence.number, html)
        self.assertIn(self.sub_dealer.name, html)
        self.assertNotIn("data-model", html, "a printed page has no links")

    def test_hospital(self):
        sections = self._passport(self.user_manager, self.hospital)
        self.assertCountEqual(
            [row[0] for row in self._texts(sections["served_by"])], [self.dealer.name, self.sub_dealer.name]
        )

    def test_shape(self):
        """Twenty documents and more cost as many questions as one."""
        def count(member):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.env["channel.member.passport"].read_passport(member.id)
            return self.env.cr.sql_log_count - start

        count(self.dealer)  # what is cached for good
        few = count(self.dealer)
        for index in range(15):
            self._channel_qualification(self.dealer, number=f"MORE-{index}")
            self._channel_authorization(self.dealer, self.region_city, date_to="2099-01-01")
            self.env["res.partner"].create({"name": f"Clerk {index}", "parent_id": self.dealer.id})
        self.assertLessEqual(count(self.dealer), few + 3)
