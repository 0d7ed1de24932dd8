from freezegun import freeze_time
from stdnum.cn import uscc

from odoo.tests import new_test_user, tagged

from odoo.addons.channel_base.tests.common import ChannelCommon

PDF = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
USCC = "91330100716105852F"
SCOPE = "三类：2017年分类目录：13"


@tagged("post_install", "-at_install")
@freeze_time("2026-03-02")
class TestAdmissionInChina(ChannelCommon):
    """A dealer of Hangzhou applies with a business licence and a trading licence, as they are printed."""

    @classmethod
    def _channel_setup_users(cls):
        super()._channel_setup_users()
        cls.other_compliance = new_test_user(
            cls.env, login="cn_compliance", groups="channel_base.group_channel_compliance", company_id=cls.company.id
        )

    def _application(self, licence=None, business=None, **values):
        public = self.env.ref("base.public_user")
        admission = self.env["channel.admission"].with_user(public).sudo()._portal_save({
            "company_id": self.company.id, "name": "杭州某某医疗器械有限公司", "role": "distributor", "vat": USCC,
            "country": "CN", "state": "浙江省", "city": "杭州市", "street": "文一路1号", "contact_name": "李某",
            "email": "li@dealer.example", "device_classes": ["III"], **values,
        })
        files = [{"name": "扫描件.pdf", "content": PDF}]
        admission._portal_add_document("cn_uscc", files, **{
            "number": USCC, "issue_date": "2000-01-01", "holder_name": "杭州某某医疗器械有限公司", **(business or {}),
        })
        admission._portal_add_document("cn_trading_licence", files, **{
            "number": "浙杭药监械经营许20220123号", "issue_date": "2022-05-01", "expiry_date": "2027-04-30",
            "holder_name": "杭州某某医疗器械有限公司", "scope_text": SCOPE, **(licence or {}),
        })
        return admission.with_user(self.env.user).sudo(False)

    def _codes(self, admission):
        return sorted(set(admission.finding_ids.mapped("code")))

    def test_requirements(self):
        def mandatory(role, *classes):
            return {
                entry["code"]
                for entry in self.env["channel.admission"]._portal_requirements(role, self.env.ref("base.cn"), classes)
                if entry["mandatory"]
            }

        self.assertEqual(mandatory("distributor", "III"), {"cn_uscc", "cn_trading_licence"})
        self.assertEqual(mandatory("distributor", "II", "III"), {"cn_uscc", "cn_trading_licence", "cn_trading_filing"})
        self.assertEqual(mandatory("distributor", "I"), {"cn_uscc"})
        self.assertEqual(mandatory("hospital"), {"cn_uscc", "cn_practice_licence"})

    def test_correct_documents_need_no_keying(self):
        admission = self._application()
        self.assertEqual(self._codes(admission), [])
        admission._submit()
        admission.with_user(self.user_compliance).action_approve()
        member = admission.partner_id
        self.assertEqual((admission.state, member.channel_state, member.vat), ("approved", "active", USCC))
        self.assertEqual(set(member.channel_qualification_ids.mapped("state")), {"verified"})
        self.assertEqual(member.channel_qualification_ids.scope_ids.category_id.code, "13")
        stent = self.env["product.product"].create({
            "name": "支架", "channel_device_class": "III", "channel_needs_authorization": False,
            "channel_category_ids": [(6, 0, self.env.ref("channel_l10n_cn.cn_2017_13_07_02").ids)],
        })
        found = self.env["channel.gate"].evaluate("order", member.id, [{"product_id": stent.id, "quantity": 1}])
        self.assertFalse(
            {"member_state", "member_qualification", "member_scope"} & {finding["code"] for finding in found}, found
        )

    def test_wrong_numbers(self):
        admission = self._application(vat="91330100716105825F", business={"number": "91330100716105825F"})
        self.assertLessEqual({"vat_invalid", "document_number"}, set(self._codes(admission)))
        finding = admission.finding_ids.filtered(lambda f: f.code == "document_number")
        self.assertIn("check digit", finding.message)
        admission = self._application(licence={"number": "蒙杭药监械经营许20220123号"})
        self.assertIn("内", admission.finding_ids.filtered(lambda f: f.code == "document_number").message)

    def test_number_of_another_company(self):
        admission = self._application(vat="91110000802100433B")
        self.assertIn("document_number_vat", self._codes(admission))

    def test_number_of_another_province(self):
        admission = self._application(state="广东省", city="广州市")
        finding = admission.finding_ids.filtered(lambda f: f.code == "vat_region")
        self.assertEqual(
            sorted(finding.document_id.type_id.mapped("code")), ["cn_trading_licence", "cn_uscc"]
        )
        self.assertFalse(finding.filtered(lambda f: f.severity != "warn"), "companies move, and keep their numbers")

    def test_scope_that_does_not_cover_the_classes(self):
        admission = self._application(licence={"scope_text": "二类：2017年分类目录：13"})
        self.assertIn("scope_class", self._codes(admission))
        admission = self._application(licence={"scope_text": ""})
        self.assertIn("scope_missing", self._codes(admission))
        admission = self._application(licence={"scope_text": SCOPE + "；以及其他一切"})
        self.assertIn("scope_unparsed", self._codes(admission))

    def test_renewal_window(self):
        """90 to 30 working days before the expiry."""
        admission = self._application(licence={"expiry_date": "2026-06-01"})
        self.assertLessEqual({"document_renewal"}, set(self._codes(admission)))
        admission = self._application(licence={"expiry_date": "2026-12-01"})
        self.assertNotIn("document_renewal", self._codes(admission))

    def test_military_hospital(self):
        number = self._military()
        admission = self.env["channel.admission"].create({
            "name": "某军医院", "role": "hospital", "vat": number, "country_id": self.env.ref("base.cn").id,
        })
        self.assertNotIn("vat_invalid", self._codes(admission))

    def _military(self):
        """A number that begins with a letter, with its check character."""
        body = "A1330100716105852"
        return body + uscc.calc_check_digit(body)
