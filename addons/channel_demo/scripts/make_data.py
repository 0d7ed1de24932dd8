#!/usr/bin/env python3
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Make ``data/products.csv``, ``data/segments.csv`` and ``data/price_table.xlsx`` of the demonstration.

    python3 scripts/make_data.py

Needs ``xlsxwriter``. Deterministic: the same script makes the same bytes.

``products.csv``: one row for each device of a maker that does not exist.
    ``product_code``, ``name_en``, ``name_zh``, ``group`` (product line), ``device_class`` (I, II, III),
    ``category_2017`` and ``category_2002`` (codes of the two catalogues), ``registration_number``,
    ``gtin`` (14 digits), ``uom_zh`` (unit on the price list), ``units_per_pack``, ``list_price`` and
    ``cost`` (CNY per unit, without tax), ``tracking`` (``lot`` or ``serial``), ``shelf_life_days``, ``is_ivd`` (0 or 1)
``segments.csv``: the markets of the price table, first match wins.
    ``segment_code``, ``name_en``, ``name_zh``, ``area_code`` (of ``channel.region``), ``grades`` (codes of
    ``channel.hospital.grade``, blank separated), ``tier`` (gold, silver, bronze), ``sequence``
``price_table.xlsx``: ``product_code``, ``segment_code`` (empty: every market), ``min_qty``, ``price`` (CNY per unit),
    ``currency``, ``valid_from``, ``valid_to`` (empty: until further notice)
"""

import csv
import datetime
import io
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import xlsxwriter

DATA = Path(__file__).resolve().parent.parent / "data"

# English name, Chinese name, class, category 2017, category 2002, unit, units per pack, list price, tracking,
# shelf life in days. Grouped by product line. Codes are of the real catalogues, everything else is invented.
PRODUCTS = {
    "Cardiovascular": (
        ("Drug-eluting coronary stent", "药物洗脱冠脉支架", "III", "13-07-02", "6846", "套", 1, 7800, "serial", 720),
        ("PTCA balloon catheter", "PTCA球囊扩张导管", "III", "03-13-06", "6877", "根", 1, 1680, "lot", 1095),
        ("Non-compliant balloon", "非顺应性球囊扩张导管", "III", "03-13-06", "6877", "根", 1, 1980, "lot", 1095),
        ("Cutting balloon catheter", "切割球囊导管", "III", "03-13-07", "6877", "根", 1, 4600, "lot", 730),
        ("Coronary guide wire", "冠状动脉导丝", "III", "03-13-16", "6877", "根", 1, 780, "lot", 1095),
        ("Hydrophilic angiographic catheter", "亲水涂层造影导管", "III", "03-13-01", "6877", "根", 1, 260, "lot", 1095),
        ("Guiding catheter", "导引导管", "III", "03-13-02", "6877", "根", 1, 690, "lot", 1095),
        ("Introducer sheath set", "导管鞘套装", "III", "03-13-14", "6877", "套", 5, 240, "lot", 1095),
        ("Thrombus aspiration catheter", "血栓抽吸导管", "III", "03-13-10", "6877", "根", 1, 3200, "lot", 730),
        ("Microcatheter", "微导管", "III", "03-13-26", "6877", "根", 1, 2950, "lot", 730),
        ("Balloon inflation device", "球囊充压装置", "II", "03-13-17", "6866", "套", 5, 320, "lot", 1095),
        ("Distal embolic protection device", "远端保护器", "III", "03-13-23", "6877", "套", 1, 9200, "lot", 730),
        ("Vena cava filter", "腔静脉滤器", "III", "13-07-03", "6877", "套", 1, 11500, "serial", 1095),
        ("Septal occluder", "心脏封堵器", "III", "13-07-07", "6846", "套", 1, 14800, "serial", 1095),
        ("Dual-chamber pacemaker", "双腔植入式心脏起搏器", "III", "12-01-01", "6821", "台", 1, 32000, "serial", 540),
    ),
    "Neurovascular": (
        ("Detachable embolisation coil", "可解脱弹簧圈", "III", "13-06-08", "6877", "根", 1, 6900, "lot", 1095),
        ("Flow diverter stent", "血流导向密网支架", "III", "13-06-11", "6877", "套", 1, 98000, "serial", 730),
        ("Dural repair patch", "硬脑膜补片", "III", "13-06-04", "6846", "片", 1, 3800, "lot", 1095),
        ("Titanium aneurysm clip", "钛合金动脉瘤夹", "III", "13-06-05", "6846", "枚", 1, 2600, "lot", 1825),
    ),
    "Orthopaedics": (
        ("Locking bone plate", "锁定接骨板", "III", "13-01-01", "6846", "块", 1, 2450, "lot", 1825),
        ("Cortical bone screw", "皮质骨螺钉", "III", "13-01-06", "6846", "枚", 10, 180, "lot", 1825),
        ("Intramedullary nail", "髓内钉", "III", "13-01-04", "6846", "套", 1, 4200, "lot", 1825),
        ("Pedicle screw system", "椎弓根螺钉系统", "III", "13-03-03", "6846", "套", 1, 5600, "lot", 1825),
        ("PEEK interbody cage", "聚醚醚酮椎间融合器", "III", "13-03-04", "6846", "枚", 1, 4800, "lot", 1825),
        ("Total hip prosthesis", "髋关节假体", "III", "13-04-01", "6846", "套", 1, 9800, "serial", 1825),
        ("Total knee prosthesis", "膝关节假体", "III", "13-04-02", "6846", "套", 1, 8900, "serial", 1825),
        ("Suture anchor", "带线锚钉", "III", "13-02-01", "6846", "枚", 1, 2100, "lot", 1460),
        ("Acrylic bone cement", "丙烯酸树脂骨水泥", "III", "13-05-01", "6865", "袋", 1, 880, "lot", 730),
        ("External fixator", "外固定支架", "II", "04-13-02", "6810", "套", 1, 3600, "lot", 1825),
    ),
    "Surgery": (
        ("Linear cutting stapler", "直线型切割吻合器", "II", "02-13-01", "6808", "把", 1, 1580, "lot", 1095),
        ("Stapler reload", "吻合器钉仓", "II", "02-13-01", "6808", "个", 6, 690, "lot", 1095),
        ("Absorbable suture", "可吸收缝合线", "III", "02-13-06", "6865", "包", 12, 38, "lot", 1095),
        ("Non-absorbable suture", "不可吸收缝合线", "II", "02-13-07", "6865", "包", 12, 16, "lot", 1825),
        ("Bladeless trocar", "无刀穿刺器", "II", "02-12-01", "6808", "套", 5, 260, "lot", 1095),
        ("Absorbable haemostat", "可吸收止血材料", "III", "14-08-01", "6864", "片", 5, 420, "lot", 730),
        ("Hernia mesh", "疝修补补片", "III", "13-09-04", "6846", "片", 1, 1950, "lot", 1095),
        ("Surgical scissors", "手术剪", "I", "02-03-01", "6801", "把", 1, 95, "lot", 3650),
        ("Haemostatic forceps", "止血钳", "I", "02-04-06", "6801", "把", 1, 78, "lot", 3650),
    ),
    "Dialysis and Transfusion": (
        ("High-flux dialyser", "高通量血液透析器", "III", "10-04-01", "6845", "支", 24, 128, "lot", 1095),
        ("Haemoperfusion cartridge", "血液灌流器", "III", "10-04-02", "6845", "支", 12, 460, "lot", 730),
        ("Blood bag", "一次性使用血袋", "III", "10-02-01", "6866", "套", 20, 32, "lot", 730),
        ("Transfusion set", "一次性使用输血器", "III", "10-02-04", "6866", "套", 50, 9, "lot", 1095),
    ),
    "Ward and Anaesthesia": (
        ("Sterile syringe with needle", "一次性使用无菌注射器", "III", "14-01-02", "6815", "支", 100, 1, "lot", 1825),
        ("Tracheal tube, cuffed", "带套囊气管插管", "II", "08-06-03", "6866", "根", 10, 46, "lot", 1095),
        ("Laryngeal mask", "喉罩", "II", "08-06-05", "6866", "个", 10, 88, "lot", 1095),
        ("Breathing circuit filter", "呼吸系统过滤器", "II", "08-05-03", "6866", "个", 50, 18, "lot", 1095),
        ("Foley catheter", "导尿管", "II", "14-05-03", "6866", "根", 10, 22, "lot", 1095),
        ("Negative pressure drainage set", "负压引流器", "II", "14-06-03", "6866", "套", 10, 135, "lot", 1095),
        ("Non-woven wound dressing", "非织造布敷料", "II", "14-09-02", "6864", "片", 50, 6, "lot", 1095),
        ("Tongue depressor", "压舌板", "I", "07-01-01", "6820", "支", 100, 1, "lot", 1825),
    ),
    "Equipment": (
        ("Patient monitor", "多参数病人监护仪", "III", "07-04-01", "6821", "台", 1, 26800, "serial", 0),
        ("Twelve-lead electrocardiograph", "十二导心电图机", "II", "07-03-01", "6821", "台", 1, 9800, "serial", 0),
        ("Pulse oximeter", "脉搏血氧仪", "II", "07-03-05", "6821", "台", 1, 1650, "serial", 0),
        ("High-frequency electrosurgical unit", "高频手术设备", "III", "01-03-01", "6825", "台", 1, 48000, "serial", 0),
    ),
    "Laboratory": (
        ("Biochemistry analyser", "全自动生化分析仪", "II", "22-02-01", "6840", "台", 1, 168000, "serial", 0),
        ("Blood cell analyser", "血细胞分析仪", "II", "22-01-02", "6840", "台", 1, 56000, "serial", 0),
        ("Troponin I assay kit", "肌钙蛋白I测定试剂盒", "II", "", "6840", "盒", 1, 1250, "lot", 365),
        ("HBsAg assay kit", "乙型肝炎病毒表面抗原检测试剂盒", "III", "", "6840", "盒", 1, 980, "lot", 365),
        ("Glucose test strips", "血糖试纸", "II", "", "6840", "盒", 1, 68, "lot", 540),
    ),
    "Ophthalmology": (
        ("Foldable intraocular lens", "折叠式人工晶状体", "III", "16-07-01", "6822", "枚", 1, 2300, "serial", 1095),
        ("Ophthalmic viscoelastic", "眼用粘弹剂", "III", "16-07-04", "6822", "支", 1, 260, "lot", 730),
    ),
}  # fmt: skip

AREAS = (  # code, English, Chinese, price level in per mille of the list price
    ("east", "East China", "华东", 1000),
    ("north", "North China", "华北", 1010),
    ("central", "Central China", "华中", 985),
    ("southwest", "Southwest China", "西南", 970),
)
HOSPITALS = (  # code, English, Chinese, grades, per mille
    ("3A", "class III-A hospitals", "三级甲等医院", "3S 3A", 880),
    ("3B", "other class III hospitals", "其他三级医院", "3B 3C 3", 900),
    ("2A", "class II hospitals", "二级医院", "2A 2B 2C 2", 920),
)
TIERS = (  # code, English, Chinese, per mille
    ("gold", "gold dealers", "金牌经销商", 920),
    ("silver", "silver dealers", "银牌经销商", 950),
    ("bronze", "bronze dealers", "铜牌经销商", 975),
)
# Quantity breaks: from this many packs on, per mille of the price of the market.
BREAKS = ((1, 1000), (10, 970), (50, 940))
ANYWHERE = 990  # price where no market fits, per mille of the list price: above every market
LAST_YEAR = 1040  # prices of 2024, per mille of today's
COST = {"I": 450, "II": 420, "III": 380}  # per mille of the list price
# Invented serials begin with 9; the authorities' numbers of a year and category stay below.
FIRST_SERIAL = 9101
GS1_DEMONSTRATION = "0952" + "1470"  # indicator 0, prefix 952 for demonstrations, invented company

PRODUCT_FIELDS = (
    "product_code",
    "name_en",
    "name_zh",
    "group",
    "device_class",
    "category_2017",
    "category_2002",
    "registration_number",
    "gtin",
    "uom_zh",
    "units_per_pack",
    "list_price",
    "cost",
    "tracking",
    "shelf_life_days",
    "is_ivd",
)
PRICE_FIELDS = ("product_code", "segment_code", "min_qty", "price", "currency", "valid_from", "valid_to")


def gtin(number):
    """GTIN-14 of the demonstration range with its check digit (modulo 10, weights 3 and 1 from the right)."""
    body = f"{GS1_DEMONSTRATION}{number:05}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return f"{body}{-total % 10}"


def registration(number, device_class, category_2017, category_2002):
    """A number in the form of SAMR order 47; class I devices have a filing. Reagents keep 40, see the law."""
    year, serial = 2019 + number % 6, FIRST_SERIAL + number
    if device_class == "I":
        return f"浙杭械备{year}{serial}"
    catalogue = category_2017[:2] or category_2002[2:]
    digit = {"II": 2, "III": 3}[device_class]
    return f"{'国' if device_class == 'III' else '浙'}械注准{year}{digit}{catalogue}{serial}"


def share(amount, *per_mille):
    """``amount`` times each of ``per_mille`` thousandths, to the cent (half up)."""
    amount = Decimal(amount)
    for part in per_mille:
        amount = amount * part / 1000
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def products():
    """Dictionaries with :data:`PRODUCT_FIELDS`, numbers as ``Decimal`` and ``int``."""
    rows = []
    for group, devices in PRODUCTS.items():
        for name, chinese, device_class, new, old, unit, pack, price, tracking, shelf_life in devices:
            number = len(rows) + 1
            rows.append({
                "product_code": f"HC-{number:03}",
                "name_en": name,
                "name_zh": chinese,
                "group": group,
                "device_class": device_class,
                "category_2017": new,
                "category_2002": old,
                "registration_number": registration(number, device_class, new, old),
                "gtin": gtin(number),
                "uom_zh": unit,
                "units_per_pack": pack,
                "list_price": share(price, 1000),
                "cost": share(price, COST[device_class]),
                "tracking": tracking,
                "shelf_life_days": shelf_life,
                "is_ivd": int(not new),
            })
    return rows


def segments():
    """Rows of ``segments.csv``."""
    rows = []
    for area, area_name, area_chinese, _level in AREAS:
        for hospital, hospital_name, hospital_chinese, grades, _discount in HOSPITALS:
            for tier, tier_name, tier_chinese, _tier_discount in TIERS:
                rows.append((
                    f"{area}-{hospital}-{tier}",
                    f"{area_name}, {hospital_name}, {tier_name}",
                    f"{area_chinese}·{hospital_chinese}·{tier_chinese}",
                    area,
                    grades,
                    tier,
                    10 * (len(rows) + 1),
                ))
    return rows


def prices():
    """Rows of :data:`PRICE_FIELDS`. In every market a larger quantity and a higher tier never cost more."""
    rows = []
    today, last_year = datetime.date(2025, 1, 1), (datetime.date(2024, 1, 1), datetime.date(2024, 12, 31))
    for product in products():
        code, price, pack = product["product_code"], product["list_price"], product["units_per_pack"]
        rows.append((code, "", 1, share(price, ANYWHERE), "CNY", today, None))
        for area, _name, _chinese, level in AREAS:
            for hospital, _name, _chinese, _grades, discount in HOSPITALS:
                for tier, _name, _chinese, tier_discount in TIERS:
                    segment = f"{area}-{hospital}-{tier}"
                    level_price = share(price, level, discount, tier_discount)
                    if product["group"] == "Cardiovascular" and tier == "gold":
                        rows.append((code, segment, 1, share(level_price, LAST_YEAR), "CNY", *last_year))
                    # Disposables are bought by the pack: what comes in packs of ten and more has quantity breaks.
                    for packs, part in BREAKS if pack >= 10 else BREAKS[:1]:
                        quantity = packs * pack if packs > 1 else 1
                        rows.append((code, segment, quantity, share(level_price, part), "CNY", today, None))
    return rows


def table(header, rows):
    """The text of a csv file."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def workbook(rows):
    """The bytes of the price table."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    # The time of making would make each file different.
    book.set_properties({"title": "Channel price table", "created": datetime.datetime(2025, 1, 1)})
    sheet = book.add_worksheet("prices")
    bold = book.add_format({"bold": True})
    money = book.add_format({"num_format": "#,##0.00"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(0, 0, PRICE_FIELDS, bold)
    for number, (code, segment, quantity, price, currency, start, end) in enumerate(rows, start=1):
        sheet.write_string(number, 0, code)
        sheet.write_string(number, 1, segment)
        sheet.write_number(number, 2, quantity)
        sheet.write_number(number, 3, float(price), money)
        sheet.write_string(number, 4, currency)
        sheet.write_datetime(number, 5, datetime.datetime.combine(start, datetime.time()), day)
        if end:
            sheet.write_datetime(number, 6, datetime.datetime.combine(end, datetime.time()), day)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(rows), len(PRICE_FIELDS) - 1)
    sheet.set_column(0, 6, 16)
    book.close()
    return buffer.getvalue()


def files():
    """Return ``{path below data/: bytes}``."""
    return {
        "products.csv": table(
            PRODUCT_FIELDS, ([row[name] for name in PRODUCT_FIELDS] for row in products())
        ).encode(),
        "segments.csv": table(
            ("segment_code", "name_en", "name_zh", "area_code", "grades", "tier", "sequence"), segments()
        ).encode(),
        "price_table.xlsx": workbook(prices()),
    }


def main():
    """Write the files."""
    for name, content in files().items():
        (DATA / name).write_bytes(content)


if __name__ == "__main__":
    main()
