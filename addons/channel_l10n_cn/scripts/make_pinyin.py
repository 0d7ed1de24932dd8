#!/usr/bin/env python3
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Write ``data/source/pinyin.csv``: one Latin spelling for each GB/T 2260 code.

Run by hand when the GB/T 2260 sources change; needs ``pypinyin`` (``pip install pypinyin``), which
nothing else in this add-on does. A character read in two ways and the places that English calls by
a name of their own language are corrected below, because no dictionary knows them.
"""

import csv
import re
from pathlib import Path

from pypinyin import lazy_pinyin, load_phrases_dict, load_single_dict

SOURCE = Path(__file__).resolve().parent.parent / "data" / "source"

# Place names whose characters are read otherwise than in common words.
READINGS = {
    "长子": "zhang zi",
    "朝阳": "chao yang",
    "漯河": "luo he",
    "重庆": "chong qing",
    "闵行": "min hang",
    "成都": "cheng du",
    "新都": "xin du",
    "信都": "xin du",
    "武都": "wu du",
    "商都": "shang du",
    "江都": "jiang du",
    "三都": "san du",
    "曾都": "zeng du",
    "天长": "tian chang",
    "子长": "zi chang",
    "延长": "yan chang",
    "南乐": "nan le",
    "民乐": "min le",
    "乌什": "wu shi",
    "乐亭": "lao ting",
    "乐清": "yue qing",
    "乐陵": "lao ling",
    "涡阳": "guo yang",
    "蔚县": "yu xian",
    "尉犁": "yu li",
    "歙县": "she xian",
    "枞阳": "zong yang",
    "浚县": "xun xian",
    "莘县": "shen xian",
    "单县": "shan xian",
    "铅山": "yan shan",
    "中牟": "zhong mu",
    "牟平": "mu ping",
    "牟定": "mou ding",
    "东阿": "dong e",
    "洪洞": "hong tong",
    "繁峙": "fan shi",
    "监利": "jian li",
    "犍为": "qian wei",
    "荥阳": "xing yang",
    "荥经": "ying jing",
    "泌阳": "bi yang",
    "渑池": "mian chi",
    "番禺": "pan yu",
    "大埔": "da bu",
    "黄陂": "huang pi",
    "盱眙": "xu yi",
    "莎车": "sha che",
    "巴音郭楞": "ba yin guo leng",
    "筠连": "jun lian",
    "峄城": "yi cheng",
    "六合": "lu he",
    "六枝": "liu zhi",
    "丽水": "li shui",
    "台州": "tai zhou",
    "珲春": "hun chun",
    "桦甸": "hua dian",
    "磐石": "pan shi",
    "侯马": "hou ma",
    "闽侯": "min hou",
    "厦门": "xia men",
    "柏乡": "bai xiang",
    "宿松": "su song",
    "尉氏": "wei shi",
    "陆河": "lu he",
    "穆棱": "mu ling",
    "石柱": "shi zhu",
    "阿城": "a cheng",
    "嵊泗": "sheng si",
    "行唐": "xing tang",
    "阳朔": "yang shuo",
    "覃塘": "qin tang",
    "什邡": "shi fang",
    "红河": "hong he",
    "邵东": "shao dong",
    "平舆": "ping yu",
    "堆龙德庆": "dui long de qing",
    "那曲": "na qu",
    "曲松": "qu song",
    "会东": "hui dong",
    "会理": "hui li",
    "会泽": "hui ze",
    "会昌": "hui chang",
    "会同": "hui tong",
    "会宁": "hui ning",
}

# The reading that these characters have in a place name unless READINGS says otherwise.
SINGLE = {"长": "cháng", "都": "dū", "乐": "lè", "什": "shí", "勐": "měng", "陂": "pí"}

# The English name of places that are not called by the pinyin of their characters. The key is
# the code, since 海南 and 东方 stand for several places.
NAMES = {
    "15": "Inner Mongolia",
    "54": "Tibet",
    "61": "Shaanxi",
    "1404": "Changzhi",
    "1411": "Lüliang",
    "1501": "Hohhot",
    "1506": "Ordos",
    "1507": "Hulunbuir",
    "1508": "Bayannur",
    "1509": "Ulanqab",
    "1522": "Hinggan",
    "1525": "Xilingol",
    "1529": "Alxa",
    "2301": "Harbin",
    "2302": "Qiqihar",
    "2327": "Daxing'anling",
    "5132": "Ngawa",
    "5133": "Garzê",
    "5401": "Lhasa",
    "5402": "Shigatse",
    "5403": "Qamdo",
    "5404": "Nyingchi",
    "5405": "Shannan",
    "5406": "Nagqu",
    "5425": "Ngari",
    "6326": "Golog",
    "6327": "Yushu",
    "6501": "Ürümqi",
    "6502": "Karamay",
    "6504": "Turpan",
    "6505": "Hami",
    "6523": "Changji",
    "6527": "Bortala",
    "6528": "Bayingolin",
    "6529": "Aksu",
    "6530": "Kizilsu",
    "6531": "Kashgar",
    "6532": "Hotan",
    "6540": "Ili",
    "6542": "Tacheng",
    "6543": "Altay",
}

PEOPLES = (
    "蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 拉祜 水 东乡 纳西 景颇 "
    "柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 "
    "京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺 各"
).split()
KINDS = (  # longest first; how English says what kind of place it is, for counties only
    ("高新技术产业开发区", "High-tech Zone"),
    ("经济技术开发区", "Economic and Technological Development Zone"),
    ("经济开发区", "Economic Development Zone"),
    ("风景名胜区", "Scenic Area"),
    ("管理区管委会", "Management Area"),
    ("管理区", "Management Area"),
    ("行政委员会", "Administrative Committee"),
    ("工业园区", "Industrial Park"),
    ("回族区", "Hui District"),
    ("达斡尔族区", "Daur District"),
    ("自治州", ""),
    ("自治县", "Autonomous County"),
    ("自治旗", "Autonomous Banner"),
    ("自治区", ""),
    ("林区", "Forestry District"),
    ("特区", "Special District"),
    ("矿区", "Mining District"),
    ("地区", ""),
    ("新区", "New Area"),
    ("市", ""),
    ("县", "County"),
    ("区", "District"),
    ("旗", "Banner"),
    ("盟", ""),
    ("省", ""),
)


def stem(name):
    """Return ``(stem, kind)``: the name without the words that say what kind of place it is.

    ``积石山保安族东乡族撒拉族自治县`` -> ``("积石山", "Autonomous County")``.
    """
    for suffix, kind in KINDS:
        rest = name.removesuffix(suffix)
        if rest == name or len(rest) < 2 and suffix in ("新区", "矿区", "林区", "特区"):
            continue
        if "自治" in suffix:
            peoples = "|".join(sorted((p + "族" for p in PEOPLES), key=len, reverse=True))
            bare = re.sub(f"({peoples})+$", "", rest)
            if not bare:  # the place is called after its people: 东乡族自治县
                bare = rest.removesuffix("族")
            if suffix == "自治区":
                bare = re.sub("(维吾尔|壮族|回族)$", "", bare)
            else:
                bare = re.sub("(?<=.)(蒙古|哈萨克|柯尔克孜|塔吉克|锡伯)$", "", bare)
            rest = bare
        return rest, kind
    return name, ""


def latin(text):
    """Return the pinyin of ``text`` as one capitalised word, with the apostrophe of GB/T 16159."""
    word = ""
    for syllable in lazy_pinyin(text):
        word += "'" + syllable if word and syllable[0] in "aeo" else syllable
    return word.replace("v", "ü").capitalize()


def main():
    """Read the three GB/T 2260 files and write ``pinyin.csv`` (``code``, ``latin``)."""
    load_single_dict({ord(character): reading for character, reading in SINGLE.items()})
    load_phrases_dict({k: [[s] for s in v.split()] for k, v in READINGS.items()})
    rows = []
    for level in ("provinces", "cities", "areas"):
        with (SOURCE / f"gb2260_{level}.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                bare, kind = stem(row["name"])
                name = NAMES.get(row["code"]) or latin(bare if len(bare) > 1 else row["name"])
                if level == "areas" and kind and len(bare) > 1:
                    name = f"{name} {kind}"
                elif level == "areas" and len(bare) == 1:  # 赵县: Zhaoxian is how it is written
                    name = latin(row["name"])
                rows.append((row["code"], name))
    with (SOURCE / "pinyin.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("code", "latin"))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
