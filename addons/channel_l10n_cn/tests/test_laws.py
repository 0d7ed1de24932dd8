from odoo.tests import TransactionCase, tagged

from ..hooks import uninstall_hook
from ..models.channel_gate_check import LAWS


@tagged("post_install", "-at_install")
class TestLaws(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("zh_CN")
        cls.checks = cls.env["channel.gate.check"]
        cls.checks._l10n_cn_quote_laws()

    def test_checks_quote_the_law_in_both_languages(self):
        for xml_id, (english, chinese) in LAWS.items():
            check = self.env.ref(xml_id)
            self.assertIn(english, check.with_context(lang="en_US").law)
            self.assertNotIn(chinese, check.with_context(lang="en_US").law)
            self.assertIn(chinese, check.with_context(lang="zh_CN").law)
            self.assertNotIn(english, check.with_context(lang="zh_CN").law)
            # The text of the add-on that brings the check stays in front.
            self.assertFalse(check.with_context(lang="en_US").law.startswith(english))

    def test_a_dealer_without_licence_is_stopped_with_the_law(self):
        dealer = self.env["res.partner"].create({
            "name": "Dealer",
            "is_company": True,
            "country_id": self.env.ref("base.cn").id,
            "channel_role": "distributor",
            "channel_state": "active",
        })
        stent = self.env["product.product"].create({
            "name": "Stent",
            "channel_device_class": "III",
            "channel_category_ids": [(6, 0, self.env.ref("channel_l10n_cn.cn_2017_13_07_02").ids)],
            "channel_needs_authorization": False,
        })
        lines = [{"product_id": stent.id, "quantity": 1}]

        def missing():
            return [
                finding
                for finding in self.env["channel.gate"].evaluate("order", dealer.id, lines, date="2026-05-04")
                if finding["code"] == "member_qualification"
            ]

        findings = missing()
        self.assertEqual({finding["severity"] for finding in findings}, {"block"})
        self.assertTrue(any("Device Trading Licence" in finding["message"] for finding in findings), findings)
        for finding in findings:
            self.assertIn("China: Good Supply Practice for devices", finding["law"])
        for name, number, months in (
            ("uscc", "91330100716105852F", 0),
            ("trading_licence", "粤穗食药监械经营许20171161号", 60),
        ):
            kind = self.env.ref(f"channel_l10n_cn.qualification_type_{name}")
            self.assertEqual(kind.validity_months, months)
            self.env["channel.qualification"].create({
                "partner_id": dealer.id,
                "type_id": kind.id,
                "number": number,
                "issue_date": "2024-01-01",
                "state": "verified",
            })
        self.assertEqual(missing(), [])

    def test_quoting_twice_changes_nothing(self):
        before = {xml_id: self.env.ref(xml_id).law for xml_id in LAWS}
        self.checks._l10n_cn_quote_laws()
        self.assertEqual({xml_id: self.env.ref(xml_id).law for xml_id in LAWS}, before)

    def test_uninstalling_takes_the_quotations_back_and_nothing_else(self):
        check = self.env.ref("channel_base.gate_check_lot_expired").with_context(lang="en_US")
        check.law += "\nOur own rule 7."
        uninstall_hook(self.env)
        self.assertNotIn("China:", check.law)
        self.assertIn("Our own rule 7.", check.law)
        self.assertNotIn("中国：", check.with_context(lang="zh_CN").law)
