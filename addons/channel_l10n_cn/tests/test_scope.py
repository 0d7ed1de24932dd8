import csv

from hypothesis import example, given, settings, strategies as st

from odoo import Command
from odoo.tests import TransactionCase, tagged
from odoo.tools import file_open

from ..tools import cn_scope

OLD, NEW = cn_scope.OLD, cn_scope.NEW


def catalogues():
    result = {OLD: {}, NEW: {}}
    with file_open("channel_l10n_cn/data/channel.device.category.csv", "r") as file:
        for row in csv.DictReader(file):
            result[row["scheme"]][row["code"]] = row["name@zh_CN"]
    return result


CATALOGUES = catalogues()
TOP = {OLD: sorted(CATALOGUES[OLD]), NEW: sorted(code for code in CATALOGUES[NEW] if len(code) == 2)}
PRINTED_CLASS = {
    "II": ("Ⅱ类", "II类", "二类", "第二类", "第Ⅱ类", "ⅠⅠ类", "ＩＩ类", "第二类医疗器械", "2类"),
    "III": ("Ⅲ类", "III类", "三类", "第三类", "第Ⅲ类", "ＩＩＩ类", "第三类医疗器械", "3类"),
}
PRINTED_SCHEME = {
    OLD: (
        "2002年分类目录", "2002年版分类目录", "2002版《医疗器械分类目录》",
        "原《分类目录》分类编码区", "旧版", "2002分类",
    ),
    NEW: (
        "2017年分类目录", "2017年版分类目录", "2017版《医疗器械分类目录》",
        "新《分类目录》分类编码区", "新版", "2017分类",
    ),
}
#: What is printed behind a code, and what it makes of the line.
PRINTED_REMARK = (
    ("", {}),
    ("（软性角膜接触镜除外）", {"limit_kind": "except", "limitation": "软性角膜接触镜除外"}),
    ("(仅限助听器)", {"limit_kind": "only", "limitation": "仅限助听器"}),
    ("（***）", {}),
    (" ", {}),
)
PRINTED_REAGENTS = (
    ("6840", "with"),
    ("6840体外诊断试剂", "only"),
    ("6840临床检验分析仪器", "without"),
    ("6840临床检验分析仪器及体外诊断试剂", "with"),
    ("6840临床检验分析仪器及体外诊断试剂（含体外诊断试剂）", "with"),
    ("6840临床检验分析仪器及诊断试剂（诊断试剂除外）", "without"),
    ("6840(不含体外诊断试剂)", "without"),
    ("6840（体外诊断试剂）", "only"),
    ("6840（仅限体外诊断试剂）", "only"),
)


#: Characters of which licences are made, to be thrown together in any order.
SCRAPS = "Ⅱ三类:：；,、()（）68014-~至0123 除外不含体外诊断试剂仅限骨科手术器械2017版年abc*\n"


@st.composite
def item(draw, scheme):
    """``(printed, [expected])`` of one item of a block."""
    if scheme == OLD and draw(st.integers(0, 5)) == 0:
        printed, ivd = draw(st.sampled_from(PRINTED_REAGENTS))
        return printed, [("6840", {"ivd": ivd})]
    if draw(st.integers(0, 7)) == 0:
        first, last = sorted(draw(st.lists(st.sampled_from(TOP[scheme]), min_size=2, max_size=2, unique=True)))
        printed = first + draw(st.sampled_from(("至", "~", "～", "—"))) + last
        return printed, [(code, {}) for code in TOP[scheme] if first <= code <= last]
    code = draw(st.sampled_from(TOP[scheme]))
    if code == "6840":
        return "6840", [("6840", {})]
    named = draw(st.booleans())
    remark, values = draw(st.sampled_from(PRINTED_REMARK))
    return code + (CATALOGUES[scheme][code] if named else "") + remark, [(code, values)]


@st.composite
def printed_scope(draw):
    """``(text, expected lines)``: blocks of catalogues with blocks of classes with items, as licences print them."""
    blocks, expected = [], []
    for scheme in draw(st.sampled_from([(OLD, NEW), (NEW, OLD), (OLD,), (NEW,)])):
        parts = []
        for device_class in draw(st.sampled_from([("III",), ("II",), ("II", "III")])):
            items = draw(st.lists(item(scheme), min_size=1, max_size=8))
            separator = draw(st.sampled_from(("，", ",", "；", ";", "、", ", ", "\n")))
            colon = draw(st.sampled_from(("：", ":")))
            parts.append(
                draw(st.sampled_from(PRINTED_CLASS[device_class])) + colon + separator.join(text for text, _ in items)
            )
            expected += [
                (device_class, scheme, code, values.get("ivd", "with"), values.get("limit_kind", False),
                 values.get("limitation", False))
                for _text, lines in items for code, values in lines
            ]
        blocks.append(
            draw(st.sampled_from(PRINTED_SCHEME[scheme])) + draw(st.sampled_from(("：", ":"))) + "；".join(parts)
        )
    text = draw(st.sampled_from(("；", "。\n", ";\n"))).join(blocks)
    return text + draw(st.sampled_from(("", "***", "。", "以下空白"))), expected


def read(text):
    result = cn_scope.parse_scope(text, CATALOGUES)
    lines = [
        (line["device_class"], line["scheme"], line["code"], line["ivd"], line["limit_kind"], line["limitation"])
        for line in result["lines"]
    ]
    return lines, [part["text"] for part in result["rest"]]


def plain(device_class, scheme, *codes):
    return [(device_class, scheme, code, "with", False, False) for code in codes]


@tagged("post_install", "-at_install")
class TestScopeParser(TransactionCase):
    """What licences print, and what is read from it."""

    # === PROPERTIES === #

    @settings(max_examples=300, deadline=None)
    @given(printed_scope())
    def test_what_is_printed_is_read(self, printed):
        text, expected = printed
        lines, rest = read(text)
        self.assertEqual(rest, [], text)
        self.assertEqual(lines, expected, text)

    @settings(max_examples=300, deadline=None)
    @given(st.text(alphabet=st.sampled_from(SCRAPS), max_size=60))
    @example("((((")
    @example("6801-")
    @example("Ⅲ")
    def test_nothing_is_dropped(self, text):
        """Whatever the text: no error, and each letter and digit lies in a line, in the rest, or is structure."""
        result = cn_scope.parse_scope(text, CATALOGUES)
        for part in result["lines"] + result["rest"]:
            self.assertEqual(text[part["start"]:part["end"]], part["text"])
            self.assertTrue(part["text"])
        ends = [part["end"] for part in result["rest"]]
        for before, part in zip(ends, result["rest"][1:], strict=False):
            self.assertLessEqual(before, part["start"])
        for line in result["lines"]:
            if line["code"]:
                self.assertIn(line["code"], CATALOGUES[line["scheme"]])
            self.assertEqual(bool(line["limitation"]), bool(line["limit_kind"]))

    @settings(max_examples=200, deadline=None)
    @given(printed_scope(), st.sampled_from(("心脏瓣膜", "ABC", "9999", "零售", "2020")), st.booleans())
    def test_foreign_words_end_in_the_rest(self, printed, words, in_front):
        text, expected = printed
        text = f"{words}；{text}" if in_front else f"{text}；{words}"
        lines, rest = read(text)
        self.assertEqual(rest, [words], text)
        self.assertEqual(lines, expected, text)

    # === TEXTS AS PRINTED === #

    def test_names_between_codes(self):
        self.assertEqual(
            read("Ⅲ类:6801基础外科手术器械,6803神经外科手术器械,6821…(体外诊断试剂除外)"),
            ([("III", OLD, code, "without", False, False) for code in ("6801", "6803", "6821")], []),
        )

    def test_two_catalogues(self):
        lines, rest = read(
            "2002年分类目录：Ⅲ类：6804，6822（软性角膜接触镜除外）；2017年分类目录：III类：01,02,03-14,22"
        )
        self.assertEqual(lines, [
            *plain("III", OLD, "6804"), ("III", OLD, "6822", "with", "except", "软性角膜接触镜除外"),
            *plain("III", NEW, "01", "02", "03-14", "22"),
        ])
        self.assertEqual(rest, [])

    def test_reagents_beside_the_codes_of_2017(self):
        lines, _rest = read("2017年分类目录：Ⅲ类：14,22,6840体外诊断试剂（需低温冷藏运输贮存）***")
        self.assertEqual(lines, [*plain("III", NEW, "14", "22"), ("III", OLD, "6840", "only", False, False)])
        lines, _rest = read("新版：Ⅲ类：14，体外诊断试剂")
        self.assertEqual(lines, [*plain("III", NEW, "14"), ("III", OLD, "6840", "only", False, False)])

    def test_cold_chain_excluded(self):
        lines, rest = read("Ⅲ类：6840体外诊断试剂（不含需低温冷藏运输贮存的体外诊断试剂）")
        self.assertEqual(lines, [("III", OLD, "6840", "only", "except", "不含需低温冷藏运输贮存的体外诊断试剂")])
        self.assertEqual(rest, [])

    def test_statement_for_the_block_and_for_everything(self):
        lines, _rest = read("Ⅱ类：6840；Ⅲ类：6840，6815，不含体外诊断试剂")
        self.assertEqual([line[3] for line in lines], ["with", "without", "without"])
        lines, _rest = read("Ⅱ类：6840；Ⅲ类：6840，6815；以上均不含体外诊断试剂")
        self.assertEqual({line[3] for line in lines}, {"without"})

    def test_contradiction_covers_nothing(self):
        lines, _rest = read("Ⅲ类：6840体外诊断试剂，不含体外诊断试剂")
        self.assertEqual(lines, [("III", OLD, "6840", "only", "only", "体外诊断试剂除外")])

    def test_names_without_codes(self):
        lines, rest = read("三类：医用高分子材料及制品、注射穿刺器械、骨科手术器械、心脏瓣膜")
        self.assertEqual(lines, [*plain("III", OLD, "6866", "6815"), *plain("III", NEW, "04")])
        self.assertEqual(rest, ["心脏瓣膜"])

    def test_names_with_separators_and_brackets(self):
        lines, rest = read(
            "6822医用光学仪器、器具及内窥镜设备，6834医用射线防护用品、装置，6810矫形外科(骨科)手术器械；14注输、护理和防护器械"
        )
        self.assertEqual([line[2] for line in lines], ["6822", "6834", "6810", "14"])
        self.assertEqual(({line[4] for line in lines}, rest), ({False}, []))

    def test_other_words_limit_the_category(self):
        """"6846 hearing aids" is not the whole of 6846: covered are products that somebody names."""
        lines, _rest = read("Ⅲ类：6846助听器，6822-1植入体内的眼科光学器具，6866医用高分子材料及制品(一次性使用输液器)")
        self.assertEqual([line[2:] for line in lines], [
            ("6846", "with", "only", "助听器"),
            ("6822", "with", "only", "6822-1植入体内的眼科光学器具"),
            ("6866", "with", "only", "一次性使用输液器"),
        ])

    def test_excluded_codes(self):
        result = cn_scope.parse_scope("2017年分类目录：Ⅲ类：16眼科器械（16-06,16-07除外）", CATALOGUES)
        self.assertEqual([(line["code"], line["excluded"]) for line in result["lines"]], [("16", ["16-06", "16-07"])])

    def test_range_or_code(self):
        """"01-07" is a category of level two and may be a range: the narrower one is taken, and it is said."""
        line, = cn_scope.parse_scope("2017年分类目录：Ⅲ类：01-07", CATALOGUES)["lines"]
        self.assertEqual((line["code"], line["remark"]), ("01-07", "range_or_code"))
        name = CATALOGUES[NEW]["01-07"]
        line, = cn_scope.parse_scope(f"2017年分类目录：Ⅲ类：01-07{name}", CATALOGUES)["lines"]
        self.assertEqual((line["code"], line["remark"]), ("01-07", False))
        lines, _rest = read("2017年分类目录：Ⅲ类：01-22")
        self.assertEqual([line[2] for line in lines], TOP[NEW])

    def test_several_classes(self):
        lines, _rest = read("Ⅱ、Ⅲ类：6801；第二、三类：6803；Ⅲ-6815注射穿刺器械、Ⅲ-6866医用高分子材料及制品")
        self.assertEqual([line[:3] for line in lines], [
            ("II", OLD, "6801"), ("III", OLD, "6801"), ("II", OLD, "6803"), ("III", OLD, "6803"),
            ("III", OLD, "6815"), ("III", OLD, "6866"),
        ])

    def test_everything(self):
        self.assertEqual(read("Ⅲ类：全部"), ([("III", False, False, "with", False, False)], []))
        self.assertEqual(
            read("2017年分类目录：Ⅲ类：全部类别（体外诊断试剂除外）"),
            ([("III", NEW, False, "without", False, False)], []),
        )

    def test_trading_mode_is_not_guessed(self):
        self.assertEqual(read("零售：Ⅲ类：6822"), (plain("III", OLD, "6822"), ["零售"]))

    def test_unknown_codes(self):
        lines, rest = read("Ⅲ类：6801，6899，23，2002年分类目录：Ⅲ类：01")
        self.assertEqual((lines, rest), (plain("III", OLD, "6801"), ["6899", "23", "01"]))

    def test_positions_count_the_printed_text(self):
        text = "  第Ⅲ类： 6801 基础外科手术器械 ；心脏瓣膜 "
        result = cn_scope.parse_scope(text, CATALOGUES)
        self.assertEqual(result["lines"][0]["text"], "6801 基础外科手术器械")
        self.assertEqual(result["rest"], [{"start": text.index("心"), "end": text.index("膜") + 1, "text": "心脏瓣膜"}])


@tagged("post_install", "-at_install")
class TestScope(TransactionCase):
    """Licences of dealers in China, and what they let pass."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.china = cls.env.ref("base.cn")
        cls.licence_type = cls.env.ref("channel_l10n_cn.qualification_type_trading_licence")
        cls.dealer = cls.env["res.partner"].create({
            "name": "Dealer", "is_company": True, "country_id": cls.china.id, "channel_role": "distributor",
        })
        cls.licence = cls.env["channel.qualification"].create({
            "partner_id": cls.dealer.id,
            "type_id": cls.licence_type.id,
            "number": "粤穗食药监械经营许20171161号",
            "issue_date": "2024-01-01",
        })

    def _covers(self, *codes, device_class="III", is_ivd=False):
        """Whether the licence, verified, lets a product with these categories pass."""
        product = self.env["product.product"].create({
            "name": "Device",
            "channel_device_class": device_class,
            "channel_category_ids": [Command.set([
                self.env.ref(f"channel_l10n_cn.{OLD if code.startswith('68') else NEW}_{code.replace('-', '_')}").id
                for code in codes
            ])],
            "channel_is_ivd": is_ivd,
        })
        ask = (self.dealer.id, self.licence.issue_date, device_class, product.id)
        return ask not in self.env["channel.qualification"]._scope_gaps([ask])

    def _scope(self, text):
        self.licence._apply_scope_text(text)
        self.licence.with_user(self.env.ref("base.user_root")).action_verify()

    def test_catalogues_hold_every_code(self):
        """The 22 categories of 2017, the 43 of 2002."""
        counts = dict(self.env["channel.device.category"]._read_group(
            [("parent_id", "=", False), ("scheme", "in", (OLD, NEW))], ["scheme"], ["__count"]
        ))
        self.assertEqual(counts, {OLD: 43, NEW: 22})

    def test_types_want_a_scope(self):
        for name in ("trading_licence", "trading_filing", "production_licence"):
            kind = self.env.ref(f"channel_l10n_cn.qualification_type_{name}")
            self.assertRecordValues(kind, [{"scope_required": True, "scope_parser": "cn", "has_scope": True}])
        self.assertTrue(self.licence.scope_missing)
        self.licence.with_user(self.env.ref("base.user_root")).action_verify()
        self.assertFalse(self._covers("13-07"))

    def test_both_blocks_are_alternatives(self):
        self._scope("2002年分类目录：Ⅲ类：6877介入器材；2017年分类目录：Ⅲ类：03神经和心血管手术器械")
        self.assertFalse(self.licence.scope_unparsed)
        self.assertTrue(self._covers("6877", "13-07"), "by the catalogue of 2002")
        self.assertTrue(self._covers("6846", "03-13"), "by the catalogue of 2017, everything below 03")
        self.assertFalse(self._covers("6846", "13-07"))
        self.assertFalse(self._covers())

    def test_reagents(self):
        self._scope("Ⅲ类：6840临床检验分析仪器及体外诊断试剂（体外诊断试剂除外）")
        self.assertTrue(self._covers("6840"))
        self.assertFalse(self._covers("6840", is_ivd=True))

    def test_class_of_the_line(self):
        self.licence_type.device_class_ii = True
        self._scope("Ⅲ类：6815")
        self.assertTrue(self._covers("6815"))
        self.assertFalse(self._covers("6815", device_class="II"))

    def test_unread_words_are_kept(self):
        self._scope("Ⅲ类：6815；零售：心脏瓣膜")
        self.assertEqual(self.licence.scope_unparsed, "零售\n心脏瓣膜")
        self.assertEqual(self.licence.scope_text, "Ⅲ类：6815；零售：心脏瓣膜")

    def test_api(self):
        result = self.env["channel.qualification.type"].parse_scope("cn_trading_licence", "Ⅲ类：6815；01-07，心脏瓣膜")
        self.assertEqual([(line["code"], line["name"]) for line in result["lines"]], [
            ("6815", "注射穿刺器械"), ("01-07", self.env.ref("channel_l10n_cn.cn_2017_01_07").name),
        ])
        self.assertIn("range", result["lines"][1]["remark"])
        self.assertEqual([part["text"] for part in result["rest"]], ["心脏瓣膜"])

    def test_a_category_that_is_gone_is_not_dropped(self):
        self.env.ref("channel_l10n_cn.cn_2002_6815").active = False
        self.licence._apply_scope_text("Ⅲ类：6815，6866")
        self.assertEqual(self.licence.scope_ids.category_id.code, "6866")
        self.assertEqual(self.licence.scope_unparsed, "6815")
