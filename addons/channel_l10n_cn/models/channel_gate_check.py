from odoo import api, models

# The Chinese law behind checks that hold in every country: one line in English and one in Chinese, added below
# what the check says itself. Each begins with the country, since a check serves companies of several.
LAWS = {
    "channel_base.gate_check_lot_expired": (
        "China: Good Supply Practice for devices (NMPA notice 2023 No. 153), art. 51 (6), 76, 87; "
        "Device Regulation (State Council order 739), art. 86 (3).",
        "中国：《医疗器械经营质量管理规范》（国家药监局公告2023年第153号）第五十一条第六项、第七十六条、第八十七条；"
        "《医疗器械监督管理条例》（国务院令第739号）第八十六条第三项。",
    ),
    "channel_member.gate_check_member_qualification": (
        "China: Good Supply Practice for devices (NMPA notice 2023 No. 153), art. 51 (4), 81, 82; "
        "Device Regulation (State Council order 739), art. 45, 84; "
        "Measures for Device Trading (SAMR order 54), art. 66.",
        "中国：《医疗器械经营质量管理规范》（国家药监局公告2023年第153号）第五十一条第四项、第八十一条、第八十二条；"
        "《医疗器械监督管理条例》（国务院令第739号）第四十五条、第八十四条；"
        "《医疗器械经营监督管理办法》（市场监管总局令第54号）第六十六条。",
    ),
    "channel_member.gate_check_member_scope": (
        "China: Good Supply Practice for devices (NMPA notice 2023 No. 153), art. 82; "
        "Measures for Device Trading (SAMR order 54), art. 66 (1).",
        "中国：《医疗器械经营质量管理规范》（国家药监局公告2023年第153号）第八十二条；"
        "《医疗器械经营监督管理办法》（市场监管总局令第54号）第六十六条第一项。",
    ),
    "channel_member.gate_check_product_registration": (
        "China: Device Regulation (State Council order 739), art. 55, 86; "
        "Measures for Registration and Filing (SAMR order 47), art. 112; "
        "Good Supply Practice for devices (NMPA notice 2023 No. 153), art. 54, 57.",
        "中国：《医疗器械监督管理条例》（国务院令第739号）第五十五条、第八十六条；"
        "《医疗器械注册与备案管理办法》（市场监管总局令第47号）第一百一十二条；"
        "《医疗器械经营质量管理规范》（国家药监局公告2023年第153号）第五十四条、第五十七条。",
    ),
    "channel_member.gate_check_product_registration_stock": (
        "China: Measures for Registration and Filing (SAMR order 47), art. 112: made while the certificate was valid.",
        "中国：《医疗器械注册与备案管理办法》（市场监管总局令第47号）第一百一十二条：注册证有效期内生产。",
    ),
    "channel_member.gate_check_member_authorization": (
        "China: Good Supply Practice for devices (NMPA notice 2023 No. 153), art. 79; "
        "Measures for Device Trading (SAMR order 54), art. 36. The territory itself is a matter of the contract.",
        "中国：《医疗器械经营质量管理规范》（国家药监局公告2023年第153号）第七十九条；"
        "《医疗器械经营监督管理办法》（市场监管总局令第54号）第三十六条。区域范围由合同约定。",
    ),
}


class ChannelGateCheck(models.Model):
    _inherit = "channel.gate.check"

    @api.model
    def _l10n_cn_quote_laws(self):
        """Add the Chinese law to the checks of the add-ons below, once, in English and Chinese.

        The checks belong to those add-ons; a record in a data file would replace their text for good and in one
        language only. Runs at each update, since theirs may bring the plain text back.
        """
        self._l10n_cn_edit_laws(lambda lines, quote: lines if quote in lines else [*lines, quote])

    @api.model
    def _l10n_cn_forget_laws(self):
        """Undo :meth:`_l10n_cn_quote_laws`; what others wrote stays."""
        self._l10n_cn_edit_laws(lambda lines, quote: [line for line in lines if line != quote])

    @api.model
    def _l10n_cn_edit_laws(self, edit):
        installed = {code for code, _name in self.env["res.lang"].get_installed()}
        for xml_id, quotes in LAWS.items():
            check = self.env.ref(xml_id, raise_if_not_found=False)
            # English first: a language without a text of its own shows the English one.
            for lang, quote in zip(("en_US", "zh_CN"), quotes, strict=True):
                if not check or lang not in installed:
                    continue
                check = check.with_context(lang=lang)
                others = set(quotes) - {quote}
                before = (check.law or "").splitlines()
                after = edit([line for line in before if line not in others], quote)
                if after != before:
                    check.law = "\n".join(after) or False
