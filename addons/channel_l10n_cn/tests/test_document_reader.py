from odoo.tests import TransactionCase, tagged

from odoo.addons.channel_member.tests import pdf

USCC = "91310101MA1FP0AB32"  # completed with its check character in setUpClass

LICENCE = [
    "医疗器械经营许可证",
    "许可证编号：沪黄药监械经营许20223456号",
    "企业名称：上海康信医疗器械有限公司    统一社会信用代码：{uscc}",
    "法定代表人：张 三              企业负责人：李四",
    "住    所：上海市黄浦区南京东路1号",
    "经营方式：批发",
    "经营场所：上海市黄浦区南京东路1号2楼",
    "库房地址：上海市松江区新桥镇3号",
    "经营范围：Ⅲ类：2002年分类目录：6815注射穿刺器械，6877介入器材",
    "2017年分类目录：03神经和心血管手术器械，14注输、护理和防护器械***",
    "发证部门：上海市黄浦区市场监督管理局",
    "有效期限：自2022年03月01日至2027年02月28日",
    "发证日期：2022年 3 月 1 日",
]
FILING = [
    "第二类医疗器械经营备案凭证",
    "备案编号：鄂汉食药监械经营备2018H006号",
    "企业名称  武汉康信医疗器械有限公司",
    "法定代表人  王五",
    "企业负责人  王五",
    "经营方式  批零兼营",
    "住所  武汉市江汉区",
    "经营范围  II类：6820普通诊察器械",
    "备案部门  武汉市市场监督管理局",
    "备案日期  二〇一八年十二月二十八日",
]
BUSINESS = [
    "营 业 执 照",
    "统一社会信用代码",
    "{uscc}",
    "名 称 上海康信医疗器械有限公司",
    "类 型 有限责任公司(自然人投资或控股)",
    "法定代表人 张三",
    "经 营 范 围 许可项目：第三类医疗器械经营。",
    "注 册 资 本 人民币1000.0000万元整",
    "成 立 日 期 2015年05月06日",
    "营 业 期 限 2015年05月06日 至 长期",
    "住 所 上海市黄浦区南京东路1号",
    "登记机关 黄浦区市场监督管理局",
]
REGISTRATION = [
    "中华人民共和国医疗器械注册证",
    "注册证编号：国械注准20233030123",
    "注册人名称：上海微创器械股份有限公司",
    "注册人住所：上海市浦东新区",
    "生产地址：上海市浦东新区张江路1号",
    "产品名称：冠状动脉支架",
    "型号、规格：见附页",
    "结构及组成：支架与输送系统",
    "审批部门：国家药品监督管理局",
    "批准日期：2023年02月01日",
    "生效日期：2023年02月01日",
    "有效期至：2028年01月31日",
]


@tagged("post_install", "-at_install")
class TestDocumentReader(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        from stdnum.cn import uscc

        cls.uscc = USCC[:17] + uscc.calc_check_digit(USCC)

    def _read(self, code, lines):
        content = pdf.text_pdf([line.format(uscc=self.uscc) for line in lines])
        return self.env["channel.document.reader"]._read(
            content, qualification_type=self.env.ref(f"channel_l10n_cn.qualification_type_{code}")
        )

    def test_trading_licence(self):
        result = self._read("trading_licence", LICENCE)
        self.assertEqual(result["values"], {
            "number": "沪黄药监械经营许20223456号",
            "uscc": self.uscc,
            "name": "上海康信医疗器械有限公司",
            "legal_person": "张三",
            "person_in_charge": "李四",
            "domicile": "上海市黄浦区南京东路1号",
            "mode": "批发",
            "place": "上海市黄浦区南京东路1号2楼",
            "warehouse": "上海市松江区新桥镇3号",
            "scope_text": "Ⅲ类：2002年分类目录：6815注射穿刺器械，6877介入器材\n"
            "2017年分类目录：03神经和心血管手术器械，14注输、护理和防护器械***",
            "issuer": "上海市黄浦区市场监督管理局",
            "issue_date": "2022-03-01",
            "valid_from": "2022-03-01",
            "expiry_date": "2027-02-28",
        })
        self.assertEqual(result["source"], "text_layer")
        self.assertEqual(result["confidence"]["number"], "high")

    def test_trading_filing(self):
        """The label and its value apart by blanks only, as tables come out; the date in words."""
        values = self._read("trading_filing", FILING)["values"]
        self.assertEqual(values["number"], "鄂汉食药监械经营备2018H006号")
        self.assertEqual(values["name"], "武汉康信医疗器械有限公司")
        self.assertEqual(values["issue_date"], "2018-12-28")
        self.assertEqual(values["scope_text"], "II类：6820普通诊察器械")
        self.assertNotIn("expiry_date", values)

    def test_business_licence(self):
        result = self._read("uscc", BUSINESS)
        values = result["values"]
        self.assertEqual(values["number"], self.uscc)
        self.assertEqual(values["uscc"], self.uscc)
        self.assertEqual(values["name"], "上海康信医疗器械有限公司")
        self.assertEqual(values["legal_person"], "张三")
        self.assertEqual(values["valid_from"], "2015-05-06")
        self.assertIs(values["no_expiry"], True)
        self.assertNotIn("expiry_date", values)
        self.assertEqual(values["scope_text"], "许可项目：第三类医疗器械经营。")
        self.assertEqual(result["confidence"]["number"], "high")

    def test_registration(self):
        values = self._read("registration", REGISTRATION)["values"]
        self.assertEqual(values["number"], "国械注准20233030123")
        self.assertEqual(values["name"], "上海微创器械股份有限公司")
        self.assertEqual(values["product_name"], "冠状动脉支架")
        self.assertEqual((values["valid_from"], values["expiry_date"]), ("2023-02-01", "2028-01-31"))

    def test_periods(self):
        read = self.env["channel.document.reader"]._l10n_cn_read
        for printed, expected in (
            ("有效期限：至 2027年02月28日", {"expiry_date": "2027-02-28"}),
            ("有效期限：2027-02-28", {"expiry_date": "2027-02-28"}),
            ("有效期至：二〇二七年二月二十八日", {"expiry_date": "2027-02-28"}),
            ("营业期限：长 期", {"no_expiry": True}),
            ("营业期限：自2010年1月1日至无固定期限", {"no_expiry": True, "valid_from": "2010-01-01"}),
            ("有效期限：2022 年 03 月 01 日 至 2027 年 02 月 28 日",
             {"valid_from": "2022-03-01", "expiry_date": "2027-02-28"}),
            ("有效期限：见附件", {}),
        ):
            with self.subTest(printed=printed):
                self.assertEqual(read(printed, {}), expected)

    def test_dates(self):
        reader = self.env["channel.document.reader"]
        for text, expected in (
            ("二○二六年十月十日", ["2026-10-10"]),
            ("二零二六年一月三十一日", ["2026-01-31"]),
            ("2026年2月30日", []),
            ("二〇二六年十十十月一日", []),
            ("2026.2.3", ["2026-02-03"]),
        ):
            with self.subTest(text=text):
                self.assertEqual(reader._read_dates(text), expected)

    def test_another_document(self):
        """A licence handed in as a filing gives its labels but no number that the type would confirm."""
        result = self._read("trading_filing", LICENCE)
        self.assertNotEqual(result["confidence"].get("number"), "high")
