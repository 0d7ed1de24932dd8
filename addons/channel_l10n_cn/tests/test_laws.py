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
