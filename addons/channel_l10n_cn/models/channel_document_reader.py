import re

from odoo import api, models

DATE = re.compile(r"(?<!\d)(\d{4})\s{0,3}年\s{0,3}(\d{1,2})\s{0,3}月\s{0,3}(\d{1,2})\s{0,3}日")
#: 二〇二七年二月二十八日, as some offices print it
DATE_WORDS = re.compile(
    "([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日"
)
DIGITS = {digit: value for value, digits in enumerate(("〇○零", "一", "二", "三", "四", "五", "六", "七", "八", "九"))
          for digit in digits}  # fmt: skip
FOR_EVER = re.compile(r"长\s{0,3}期|永久|不约定期限|无固定期限")

#: The face of licences, as the measures prescribe it (order 54, art. 14; order 53, art. 12; order 47, annex); the
#: wording of older papers beside it.
LABELS = {
    "uscc": ["统一社会信用代码", "社会信用代码", "统一社会信用代码/注册号", "信用代码"],
    "name": ["企业名称", "名称", "单位名称", "机构名称", "注册人名称", "备案人名称", "生产企业名称"],
    "legal_person": ["法定代表人", "法定代表人姓名", "法人代表", "经营者"],
    "person_in_charge": ["企业负责人", "主要负责人", "负责人"],
    "domicile": ["住所", "企业住所", "注册地址", "注册人住所", "备案人注册地址", "主要经营场所", "地址"],
    "place": ["经营场所", "经营地址", "生产地址", "营业场所"],
    "mode": ["经营方式"],
    "scope_text": ["经营范围", "生产范围", "诊疗科目", "宗旨和业务范围", "业务范围"],
    "warehouse": ["库房地址", "仓库地址"],
    "issuer": ["发证部门", "发证机关", "备案部门", "备案机关", "审批部门", "登记机关"],
    "issue_date": ["发证日期", "备案日期", "批准日期", "签发日期", "核准日期"],
    "valid_from": ["生效日期", "有效期自", "有效期起"],
    "period": ["有效期限", "有效期至", "有效期限至", "有效期", "营业期限", "有效期止"],
    "founded": ["成立日期", "注册日期"],
    "product_name": ["产品名称"],
    "model": ["型号、规格", "规格型号", "型号规格"],
    # Read so that they end the value before them.
    "end": ["注册资本", "类型", "副本", "正本", "附件", "其他内容", "备注", "结构及组成", "结构与组成", "适用范围",
            "预期用途", "代理人名称", "代理人住所", "变更记录", "变更情况", "开办资金", "经费来源", "举办单位",
            "经营性质", "服务对象", "床位", "登记号", "证照编号"],
}  # fmt: skip


class ChannelDocumentReader(models.AbstractModel):
    """Chinese licences: the labels that the law has printed on them, and dates with 年月日.

    The titles of what is read: 营业执照 (``cn_uscc``), 医疗器械经营许可证, 第二类医疗器械经营备案凭证,
    医疗器械生产许可证, 医疗器械注册证, 第一类医疗器械备案凭证, 医疗机构执业许可证.
    """

    _inherit = "channel.document.reader"

    # === FIELDS === #

    def _read_fields_cn_uscc(self, text):
        values = self._l10n_cn_read(text, {"number": LABELS["uscc"]})
        values["uscc"] = values.get("number")
        return values

    def _read_fields_cn_trading_licence(self, text):
        return self._l10n_cn_read(text, {"number": ["许可证编号", "经营许可证编号", "编号", "证号"]})

    def _read_fields_cn_trading_filing(self, text):
        return self._l10n_cn_read(text, {"number": ["备案编号", "备案号", "备案凭证编号", "编号"]})

    def _read_fields_cn_production_licence(self, text):
        return self._l10n_cn_read(text, {"number": ["许可证编号", "生产许可证编号", "编号"]})

    def _read_fields_cn_registration(self, text):
        return self._l10n_cn_read(text, {"number": ["注册证编号", "注册证号", "注册号", "编号"]})

    def _read_fields_cn_class1_filing(self, text):
        return self._l10n_cn_read(text, {"number": ["备案号", "备案编号", "备案凭证编号", "编号"]})

    def _read_fields_cn_practice_licence(self, text):
        return self._l10n_cn_read(text, {"number": ["登记号", "许可证编号", "编号"]})

    @api.model
    def _l10n_cn_read(self, text, labels):
        """The labelled values, with the period split into its first and last day.

        The first day of a period is what counts as ``valid_from``; a business licence without one is in force from
        its 成立日期 on.
        """
        own = {label for names in labels.values() for label in names}
        labels = {
            **{field: [name for name in names if name not in own] for field, names in LABELS.items()},
            **labels,
        }
        values = self._read_labelled(text, labels)
        values.pop("end", None)
        period = values.pop("period", "")
        dates = self._read_dates(period)
        if len(dates) > 1:
            values.setdefault("valid_from", dates[0])
        if FOR_EVER.search(period):
            values["no_expiry"] = True
            if dates:
                values.setdefault("valid_from", dates[0])
        elif dates:
            values["expiry_date"] = dates[-1]
        founded = values.pop("founded", False)
        if "issue_date" not in values and "valid_from" not in values and founded:
            values["valid_from"] = founded
        for field in ("name", "legal_person", "person_in_charge", "issuer"):
            if field in values:
                # Names are printed with their letters spread: 张 三, 上 海 市 …
                values[field] = re.sub(r"(?<=[一-龥])[ \u3000]+(?=[一-龥])", "", values[field])
        if "scope_text" in values:
            values["scope_text"] = "\n".join(line.strip() for line in values["scope_text"].splitlines() if line.strip())
        return values

    @api.model
    def _read_dates(self, text):
        found = [(match.start(), *match.groups()) for match in DATE.finditer(text)]
        for match in DATE_WORDS.finditer(text):
            year = int("".join(str(DIGITS[digit]) for digit in match[1]))
            found.append((match.start(), year, self._l10n_cn_number(match[2]), self._l10n_cn_number(match[3])))
        dates = self._read_dates_sorted(found)
        # A document writes its dates in one way: what the labels of other countries look like is asked only then.
        return dates or super()._read_dates(text)

    @api.model
    def _l10n_cn_number(self, words):
        """The number below 100 that Chinese words say: 二十八 is 28."""
        tens, ten, units = words.rpartition("十")
        if not ten:
            return DIGITS.get(words, 0) if len(words) == 1 else 0
        if len(tens) > 1 or len(units) > 1:
            return 0
        return (DIGITS[tens] if tens else 1) * 10 + (DIGITS[units] if units else 0)

    # === HOOKS === #

    def _reader_ocr_languages(self):
        return ["chi_sim", *super()._reader_ocr_languages()]
