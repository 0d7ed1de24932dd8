#!/usr/bin/env python3
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Make the data files that the add-on loads from the sources in ``data/source``.

    python3 scripts/make_data.py

Standard library only. :func:`files` is a pure function of the sources, so that a test can hold
that what lies in ``data/`` is what the sources say.
"""

import csv
import io
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
SOURCE = DATA / "source"

# The seven sales areas (大区) of the trade and the provinces (GB/T 2260) that each holds.
AREAS = (
    ("north", "North China", "华北", "11 12 13 14 15"),
    ("northeast", "Northeast China", "东北", "21 22 23"),
    ("east", "East China", "华东", "31 32 33 34 35 36 37"),
    ("central", "Central China", "华中", "41 42 43"),
    ("south", "South China", "华南", "44 45 46"),
    ("southwest", "Southwest China", "西南", "50 51 52 53 54"),
    ("northwest", "Northwest China", "西北", "61 62 63 64 65"),
)

# Xml id of Odoo's state for each province. Odoo's own codes are no key to the law's numbers:
# it writes 蒙 and 蜀 where licences write 内 and 川.
STATES = {
    "11": "BJ", "12": "TJ", "13": "HE", "14": "SX", "15": "NM",
    "21": "LN", "22": "JL", "23": "HL",
    "31": "SH", "32": "JS", "33": "ZJ", "34": "AH", "35": "FJ", "36": "JX", "37": "SD",
    "41": "HA", "42": "HB", "43": "HN", "44": "GD", "45": "GX", "46": "HI",
    "50": "CQ", "51": "SC", "52": "GZ", "53": "YN", "54": "XZ",
    "61": "SN", "62": "GS", "63": "QH", "64": "NX", "65": "XJ",
    "71": "TW", "81": "HK", "82": "MO",
}  # fmt: skip

# Provincial units of GB/T 2260 that the source file leaves out. They have trade law of their own,
# so they hang under the country and in none of the areas.
OUTSIDE_AREAS = (
    ("71", "Taiwan", "台湾省", "台湾"),
    ("81", "Hong Kong", "香港特别行政区", "香港"),
    ("82", "Macau", "澳门特别行政区", "澳门\nMacao"),
)

ALIASES = {  # other spellings in use, by code
    "15": "Nei Mongol\nNeimenggu\n内蒙",
    "54": "Xizang",
    "2327": "Da Hinggan Ling\nDaxinganling",
    "1411": "Luliang\nLvliang",
    "1508": "Bayannaoer",
    "1501": "Huhehaote",
    "1506": "Erduosi",
    "2301": "Haerbin",
    "5132": "Aba",
    "5133": "Ganzi\nGarze",
    "5401": "Lasa",
    "5402": "Xigaze\nRikaze",
    "5403": "Changdu",
    "5404": "Linzhi",
    "5406": "Naqu",
    "5425": "Ali",
    "6501": "Urumqi\nWulumuqi",
    "6502": "Kelamayi",
    "6504": "Tulufan",
    "6529": "Akesu",
    "6531": "Kashi",
    "6532": "Hetian",
    "6540": "Yili",
    "6543": "Aletai",
}

# Ends of official names that people leave out, longest first.
LONG_ENDS = {
    "province": ("壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "特别行政区", "省", "市"),
    "prefecture": ("自治州", "地区", "市", "盟"),
    "county": ("自治县", "自治旗", "林区", "特区", "县", "区", "市", "旗"),
}
ENGLISH_ENDS = {"省": "Province", "市": "City", "州": "Prefecture", "地区": "Prefecture", "盟": "League"}
PEOPLES = (
    "土家族 苗族 藏族 羌族 彝族 布依族 侗族 哈尼族 壮族 傣族 白族 景颇族 傈僳族 回族 蒙古族 蒙古 哈萨克 "
    "柯尔克孜 朝鲜族"
).split()

# Classes of the 2002 catalogue. Reagents for in-vitro diagnosis keep 6840 also after 2018.
CATALOGUE_2002 = (
    ("6801", "基础外科手术器械"),
    ("6802", "显微外科手术器械"),
    ("6803", "神经外科手术器械"),
    ("6804", "眼科手术器械"),
    ("6805", "耳鼻喉科手术器械"),
    ("6806", "口腔科手术器械"),
    ("6807", "胸腔心血管外科手术器械"),
    ("6808", "腹部外科手术器械"),
    ("6809", "泌尿肛肠外科手术器械"),
    ("6810", "矫形外科（骨科）手术器械"),
    ("6812", "妇产科用手术器械"),
    ("6813", "计划生育手术器械"),
    ("6815", "注射穿刺器械"),
    ("6816", "烧伤（整形）科手术器械"),
    ("6820", "普通诊察器械"),
    ("6821", "医用电子仪器设备"),
    ("6822", "医用光学器具、仪器及内窥镜设备"),
    ("6823", "医用超声仪器及有关设备"),
    ("6824", "医用激光仪器设备"),
    ("6825", "医用高频仪器设备"),
    ("6826", "物理治疗及康复设备"),
    ("6827", "中医器械"),
    ("6828", "医用磁共振设备"),
    ("6830", "医用X射线设备"),
    ("6831", "医用X射线附属设备及部件"),
    ("6832", "医用高能射线设备"),
    ("6833", "医用核素设备"),
    ("6834", "医用射线防护用品、装置"),
    ("6840", "临床检验分析仪器及体外诊断试剂"),
    ("6841", "医用化验和基础设备器具"),
    ("6845", "体外循环及血液处理设备"),
    ("6846", "植入材料和人工器官"),
    ("6854", "手术室、急救室、诊疗室设备及器具"),
    ("6855", "口腔科设备及器具"),
    ("6856", "病房护理设备及器具"),
    ("6857", "消毒和灭菌设备及器具"),
    ("6858", "医用冷疗、低温、冷藏设备及器具"),
    ("6863", "口腔科材料"),
    ("6864", "医用卫生材料及敷料"),
    ("6865", "医用缝合材料及粘合剂"),
    ("6866", "医用高分子材料及制品"),
    ("6870", "软件"),
    ("6877", "介入器材"),
)

REGION_FIELDS = (
    "id",
    "parent_id/id",
    "level",
    "code",
    "country_id/id",
    "state_id/id",
    "name",
    "name@zh_CN",
    "match_names",
)


def read(name):
    """Rows of a source file as dictionaries."""
    with (SOURCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(header, rows):
    """The text of a csv file."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def short(name, level):
    """The everyday form of a Chinese name, or None: 杭州市 -> 杭州, 恩施土家族苗族自治州 -> 恩施.

    One character alone (赵 of 赵县) is no name to look for in an address.
    """
    for end in LONG_ENDS[level]:
        rest = name.removesuffix(end)
        if rest == name:
            continue
        while end.startswith("自治"):
            people = next((p for p in PEOPLES if rest.endswith(p) and len(rest) - len(p) >= 2), None)
            if not people:
                break
            rest = rest.removesuffix(people)
        return rest if len(rest) > 1 and rest != name else None
    return None


def spellings(code, name, english, level, taken=()):
    """Other spellings of a place in addresses, one per line, without the English name itself.

    ``taken``: everyday names that stand for a larger place; an address that says only 海南 means the province, not
    the prefecture in Qinghai. Of counties only cities are known by an everyday name (义乌, but 朝阳区).
    """
    everyday = short(name, level) if level != "county" or name.endswith("市") else None
    found = [name, everyday if everyday not in taken else None]
    plain = english.replace("'", "").replace("ü", "u").replace("Ü", "U").replace("ê", "e")
    found.append(plain)
    for end, word in ENGLISH_ENDS.items():
        if name.endswith(end) and not english.endswith(word):
            found += [f"{english} {word}", f"{plain} {word}"]
    found += ALIASES.get(code, "").split("\n")
    return "\n".join(spelling for spelling in dict.fromkeys(found) if spelling and spelling != english)


def is_pseudo_city(row):
    """市辖区 and 县 under municipalities, 省直辖县级行政区划: entries of the code table, not places."""
    return row["name"] in ("市辖区", "县") or row["name"].endswith("直辖县级行政区划")


def regions():
    """Rows of :data:`REGION_FIELDS`: ``(core, counties)``.

    ``core`` holds the country, areas, provinces, prefectures and those counties that answer to
    their province directly. These (济源, 仙桃, 石河子 and 29 more) keep the level ``county``, which
    is their rank in law, and are always loaded, because no prefecture stands for them. ``counties``
    holds the rest; districts of municipalities hang under the municipality. A prefecture without
    counties (东莞, 中山, 儋州, 嘉峪关) appears in the source as its own county and is not repeated.
    """
    latin = {row["code"]: row["latin"] for row in read("pinyin.csv")}
    core = [("cn", "", "country", "CN", "base.cn", "", "China", "中国", "中华人民共和国\n中国\nP.R. China\nPRC")]
    area_of = {}
    for code, english, chinese, provinces in AREAS:
        core.append((f"cn_area_{code}", "cn", "area", code, "base.cn", "", english, chinese, ""))
        area_of.update(dict.fromkeys(provinces.split(), f"cn_area_{code}"))

    provinces = {entry["code"]: entry["name"] for entry in read("gb2260_provinces.csv")}
    cities = {entry["code"]: entry for entry in read("gb2260_cities.csv")}
    places = {code: city["name"] for code, city in cities.items() if not is_pseudo_city(city)}
    of_province = {short(name, "province"): code for code, name in provinces.items()}
    of_place = set(of_province) | {short(name, "prefecture") for name in places.values()}
    latin_of_places = {latin[code] for code in provinces} | {latin[code] for code in places}

    def row(code, parent, level, province, name):
        english, taken = latin[code], ()
        if level == "prefecture":
            taken = {everyday for everyday, owner in of_province.items() if owner != province}
            if short(name, level) in taken:  # 海南藏族自治州 in Qinghai
                english += " Prefecture"
        elif level == "county":
            taken = of_place
            if english in latin_of_places:  # 大理市 in 大理白族自治州
                english += " City"
        return (
            f"cn_{code:0<6}",
            parent,
            level,
            f"{code:0<6}",
            "base.cn",
            f"base.state_cn_{STATES[province]}",
            english,
            name,
            spellings(code, name, english, level, taken),
        )

    for entry in read("gb2260_provinces.csv"):
        code = entry["code"]
        core.append(row(code, area_of[code], "province", code, entry["name"]))
    for code, english, name, others in OUTSIDE_AREAS:
        core.append(
            (f"cn_{code}0000", "cn", "province", f"{code}0000", "base.cn", f"base.state_cn_{STATES[code]}",
             english, name, f"{name}\n{others}")
        )  # fmt: skip
    for code, name in places.items():
        province = cities[code]["provinceCode"]
        core.append(row(code, f"cn_{province}0000", "prefecture", province, name))
    counties = []
    for entry in read("gb2260_areas.csv"):
        city, province = cities[entry["cityCode"]], entry["provinceCode"]
        if entry["name"] == city["name"]:
            continue
        if not is_pseudo_city(city):
            counties.append(row(entry["code"], f"cn_{city['code']}00", "county", province, entry["name"]))
        elif city["name"].endswith("直辖县级行政区划"):
            core.append(row(entry["code"], f"cn_{province}0000", "county", province, entry["name"]))
        else:
            counties.append(row(entry["code"], f"cn_{province}0000", "county", province, entry["name"]))
    return core, counties


def device_categories():
    """Rows ``(id, parent_id/id, scheme, code, name)`` of both catalogues, parents first.

    The source gives no names at the second level of the 2017 catalogue: they take the name of
    their first level.
    """
    rows = []
    first = {entry["code"]: entry["name"] for entry in read("nmpa_classification_2017_level1.csv")}
    for code, name in first.items():
        rows.append((f"cn_2017_{code}", "", "cn_2017", code, name))
    third = read("nmpa_classification_2017_level3.csv")
    for code in sorted({entry["l2_code"] for entry in third}):
        rows.append((xml_id(code), f"cn_2017_{code[:2]}", "cn_2017", code, first[code[:2]]))
    # The source lists group 14-01 twice.
    for entry in {entry["l3_code"]: entry for entry in third}.values():
        rows.append((xml_id(entry["l3_code"]), xml_id(entry["l2_code"]), "cn_2017", entry["l3_code"], entry["l3_name"]))
    rows += [(f"cn_2002_{code}", "", "cn_2002", code, name) for code, name in CATALOGUE_2002]
    return rows


def xml_id(code):
    """Xml id of a category of 2017: 13-07-01 -> cn_2017_13_07_01."""
    return "cn_2017_" + code.replace("-", "_")


def files():
    """Return ``{path below data/: text}`` of everything that is made here."""
    core, counties = regions()
    return {
        "cn_regions.csv": table(REGION_FIELDS, core),
        "cn_counties.csv": table(REGION_FIELDS, counties),
        "channel.device.category.csv": table(
            # There are no other names than the Chinese ones; the second time as translation, so that no
            # translator is asked for one.
            ("id", "parent_id/id", "scheme", "code", "name", "name@zh_CN"),
            ((*row, row[-1]) for row in device_categories()),
        ),
    }


def main():
    """Write the files."""
    for name, text in files().items():
        (DATA / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
