import base64

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.modules.migration import load_script
from odoo.tests import TransactionCase, tagged
from odoo.tools.misc import file_path

# Two records as the UDID database writes them: a package of another level inside, both catalogue codes.
UDID = """<?xml version="1.0" encoding="UTF-8"?>
<udid version="1.0"><devices>
 <device>
  <zxxsdycpbs>06901234567892</zxxsdycpbs><cpmctymc>药物洗脱冠状动脉支架系统</cpmctymc><spmc/><ggxh>3.0x18</ggxh>
  <flbm>13-07-02</flbm><yflbm>6877</yflbm><qxlb>器械</qxlb><cplb>耗材</cplb>
  <ylqxzcrbarmc>甲医疗器械有限公司</ylqxzcrbarmc><tyshxydm>91330100716105852F</tyshxydm>
  <zczbhhzbapzbh>国械注准20193130166</zczbhhzbapzbh><versionNumber>2</versionNumber><versionStauts>更新</versionStauts>
  <packingList><packing><bzcpbs>16901234567899</bzcpbs><bznhxyjcpbssl>10</bznhxyjcpbssl></packing></packingList>
 </device>
 <device>
  <zxxsdycpbs>06901234567908</zxxsdycpbs><cpmctymc>药物洗脱冠状动脉支架系统</cpmctymc>
  <ylqxzcrbarmc>甲医疗器械有限公司</ylqxzcrbarmc><tyshxydm>91330100716105852F</tyshxydm>
  <zczbhhzbapzbh>国械注准20193130166</zczbhhzbapzbh><versionNumber>1</versionNumber>
 </device>
 <device><zxxsdycpbs>06901234567915</zxxsdycpbs><cpmctymc>无证产品</cpmctymc></device>
</devices></udid>"""
LICENCES = """许可证编号,企业名称,统一社会信用代码,法定代表人,经营范围,发证部门,发证日期,有效期至,状态
粤穗食药监械经营许20171161号,乙医疗器械有限公司,91330100716105852F,张三,Ⅲ类：6877介入器材,广州市市场监督管理局,2024年1月1日,2028-12-31,有效
粤穗食药监械经营许20171162号,丙医疗器械有限公司,,李四,,,2024-01-01,2020-01-01,有效
粤穗食药监械经营许20171163号,丁医疗器械有限公司,,王五,,,2024-01-01,2028-12-31,变更中
"""


@tagged("post_install", "-at_install")
class TestRegistration(TransactionCase):
    """Certificates as SAMR order 47 numbers them, and the lists that authorities publish."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.china = cls.env.ref("base.cn")
        cls.type = cls.env.ref("channel_l10n_cn.qualification_type_registration")
        cls.root = cls.env.ref("base.user_root")
        cls.stent = cls.env["product.template"].create({
            "name": "Stent",
            "channel_device_class": "III",
            "channel_category_ids": [Command.set(cls.env.ref("channel_l10n_cn.cn_2017_13_07_02").ids)],
        })

    def _certificate(self, number="国械注准20193130166", device_class="III", **values):
        return self.env["channel.registration"].create({
            "type_id": self.type.id, "number": number, "device_class": device_class, "valid_from": "2024-01-01",
            "valid_to": "2028-12-31", "product_tmpl_ids": [Command.set(self.stent.ids)], **values,
        })

    # === NUMBER AND CERTIFICATE === #

    def test_class_is_the_digit_in_the_number(self):
        self._certificate().with_user(self.root).action_confirm()
        self.stent.channel_device_class = "II"
        wrong = self._certificate(device_class="II", valid_from="2029-01-01", valid_to=False)
        with self.assertRaisesRegex(ValidationError, "is of a device of Class III"):
            wrong.with_user(self.root).action_confirm()

    def test_reagents_keep_40(self):
        reagent = self._certificate("国械注准20233400253")
        with self.assertRaisesRegex(ValidationError, "is of a reagent"), self.env.cr.savepoint():
            reagent.with_user(self.root).action_confirm()
        reagent.is_ivd = True
        reagent.with_user(self.root).action_confirm()

    def test_wrong_number(self):
        with self.assertRaisesRegex(ValidationError, "must begin with 国"):
            self._certificate("浙械注准20193130166").with_user(self.root).action_confirm()

    def test_filing_of_class_one(self):
        self.stent.channel_device_class = "I"
        filing = self._certificate(
            "浙杭械备20200101", "I", type_id=self.env.ref("channel_l10n_cn.qualification_type_class1_filing").id,
            valid_to=False,
        )
        filing.with_user(self.root).action_confirm()
        self.assertEqual(filing.status, "valid")

    def test_companies_in_china_need_it_and_others_do_not(self):
        day, company = "2026-05-04", self.env["res.company"].create({"name": "Seller", "country_id": self.china.id})
        abroad = self.env["res.company"].create({"name": "Abroad", "country_id": self.env.ref("base.de").id})
        registrations = self.env["channel.registration"]

        def gap(seller, buyer=None):
            ask = (self.stent.id, seller.id, day, None, buyer)
            return registrations._gaps([ask]).get(ask, (None,))[0]

        self.assertEqual(gap(company), "none")
        self.assertEqual(gap(company, self.china.id), "none")
        self.assertIsNone(gap(company, self.env.ref("base.sg").id), "exported")
        self.assertIsNone(gap(abroad))
        for device_class, reason in (("I", "none"), ("II", "none"), ("none", None)):
            self.stent.channel_device_class = device_class
            self.assertEqual(gap(company), reason)

    # === LISTS === #

    def _import(self, types, content, name):
        register_list = self.env["channel.register.list"].create({
            "name": "List", "type_ids": [Command.set(types.ids)], "auto_verify": False,
        })
        record = self.env["channel.register.import"].create({
            "list_id": register_list.id, "file": base64.b64encode(content), "file_name": name, "as_of": "2026-05-01",
        })
        record.action_import()
        return record

    def test_udid(self):
        record = self._import(self.type, UDID.encode(), "UDID_DAY_UPDATE_20260501.xml")
        self.assertRecordValues(record, [{"row_count": 3, "good_count": 2, "bad_count": 1}])
        self.assertEqual(record.row_ids.reason, "number")
        self.assertRecordValues(record.list_id.entry_ids.sorted("key")[0], [{
            "key": "06901234567892",
            "number": "国械注准20193130166",
            "name": "药物洗脱冠状动脉支架系统",
            "holder_name": "甲医疗器械有限公司",
            "holder_code": "91330100716105852F",
            "category_codes": "13-07-02, 6877",
        }])
        certificate = self._certificate(name="药物洗脱冠状动脉支架系统", holder_name="甲医疗器械 有限公司")
        self.assertEqual(certificate._verify_in_register().result, "match")
        certificate.holder_name = "乙医疗器械有限公司"
        self.assertEqual([d["fact"] for d in certificate._verify_in_register().differences], ["holder_name"])

    def test_licences(self):
        for encoding in ("utf-8-sig", "gb18030"):
            kind = self.env.ref("channel_l10n_cn.qualification_type_trading_licence")
            record = self._import(kind, LICENCES.encode(encoding), "licences.csv")
            self.assertEqual(
                [(row.line, row.reason) for row in record.row_ids], [(3, "order"), (4, "status")], encoding
            )
            entry = record.list_id.entry_ids
            self.assertEqual(str(entry.date_from), "2024-01-01")
            self.assertEqual((entry.person, entry.scope_text, entry.status), ("张三", "Ⅲ类：6877介入器材", "in_force"))
            record.list_id.active = False
        record.list_id.active = True
        dealer = self.env["res.partner"].create({
            "name": "乙医疗器械有限公司", "is_company": True, "country_id": self.china.id,
            "channel_role": "distributor", "vat": "91330100716105852F",
        })
        licence = self.env["channel.qualification"].create({
            "partner_id": dealer.id, "type_id": kind.id, "number": "粤穗食药监械经营许20171161号 ",
            "issue_date": "2024-01-01", "expiry_date": "2028-12-31",
        })
        self.assertEqual(licence._verify_in_register().result, "match")
        self.assertEqual(dealer._verify_in_register().result, "match")

    # === UPDATE === #

    def test_migration(self):
        """Licences without a scope meant everything: they say so from now on, and go on passing."""
        kind = self.env.ref("channel_l10n_cn.qualification_type_trading_licence")
        dealer = self.env["res.partner"].create({
            "name": "Dealer", "is_company": True, "country_id": self.china.id, "channel_role": "distributor",
        })
        licence = self.env["channel.qualification"].create({
            "partner_id": dealer.id, "type_id": kind.id, "number": "粤穗食药监械经营许20171161号",
            "issue_date": "2024-01-01",
        })
        licence.with_user(self.root).action_verify()
        kind.write({"scope_required": False, "scope_parser": False})
        self.type.certifies_products = False
        path = file_path("channel_l10n_cn/migrations/19.0.1.1.0/post-scope.py")
        for _run in range(2):
            self.env.flush_all()
            load_script(path, "post_scope").migrate(self.env.cr, "19.0.1.0.0")
            self.env.invalidate_all()
        self.assertRecordValues(kind, [{"scope_required": True, "scope_parser": "cn"}])
        self.assertTrue(self.type.certifies_products)
        self.assertEqual(len(licence.scope_ids), 1)
        self.assertIn("no scope was entered", licence.scope_ids.source_text)
        product = self.stent.product_variant_id
        ask = (dealer.id, licence.issue_date, "III", product.id)
        self.assertFalse(self.env["channel.qualification"]._scope_gaps([ask]))
