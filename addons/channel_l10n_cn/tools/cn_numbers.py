"""The numbers that Chinese authorities give: how they are written and what they say.

Every ``parse_*`` function takes the number as it was copied from a document and returns its parts as plain JSON
values, ``number`` (canonical spelling) among them, or raises :class:`NumberError` with the code of a reason.
The formats were taken from the laws named at each function and tried on numbers of real documents.
"""

import re
import unicodedata

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as StdnumError

# The characters by which licences name provinces, and the GB/T 2260 code of each. These are not the
# abbreviations in other use: Inner Mongolia is 内 (not 蒙) and Sichuan 川 (not 蜀); 兵 is the Xinjiang
# Production and Construction Corps, whose territory lies in Xinjiang.
PROVINCES = {
    "京": "110000", "津": "120000", "冀": "130000", "晋": "140000", "内": "150000",
    "辽": "210000", "吉": "220000", "黑": "230000",
    "沪": "310000", "苏": "320000", "浙": "330000", "皖": "340000", "闽": "350000", "赣": "360000", "鲁": "370000",
    "豫": "410000", "鄂": "420000", "湘": "430000", "粤": "440000", "桂": "450000", "琼": "460000",
    "渝": "500000", "川": "510000", "黔": "520000", "滇": "530000", "藏": "540000",
    "陕": "610000", "甘": "620000", "青": "630000", "宁": "640000", "新": "650000", "兵": "650000",
}  # fmt: skip
GB2260_PROVINCES = frozenset(PROVINCES.values()) | {"710000", "810000", "820000"}

CATALOGUE_2017 = frozenset(f"{number:02}" for number in range(1, 23))
CATALOGUE_2002 = frozenset(
    (
        "01 02 03 04 05 06 07 08 09 10 12 13 15 16 20 21 22 23 24 25 26 27 28 30 31 32 33 34 40 41 45 46 "
        "54 55 56 57 58 63 64 65 66 70 77"
    ).split()
)
CLASSES = {"1": "I", "2": "II", "3": "III"}
ORIGINS = {"准": "domestic", "进": "import", "许": "hk_mo_tw"}

HAN = "[一-龥]"
AGENCY = "(?:食药监|药监)"
REGISTRATION = re.compile(
    rf"(?P<issuer>{HAN})械注(?P<origin>[准进许])(?P<year>\d{{4}})(?P<device_class>\d)(?P<catalogue>\d{{2}})(?P<serial>\d{{4,}})"
)
REGISTRATION_OLD = re.compile(
    rf"(?P<issuer>{HAN})(?P<city>{HAN}{{0,2}}?){AGENCY}械\((?P<origin>[准进许])\)字(?P<year>\d{{4}})"
    r"第(?P<device_class>\d)(?P<catalogue>\d{2})(?P<serial>\d{3,4})号?(?P<changed>\(更\))?"
)
FILING_CLASS_1 = re.compile(
    rf"(?P<issuer>{HAN})(?P<city>{HAN}{{0,4}})械备(?P<year>\d{{4}})(?P<serial>[0-9A-Z]{{4,}})号?"
)
TRADING = re.compile(
    rf"(?P<issuer>{HAN})(?P<city>{HAN}{{0,3}}?){AGENCY}械经营(?P<kind>许|备)(?:可证|案)?第?"
    r"(?P<year>\d{4})(?P<serial>[0-9A-Z]{3,6})号?"
)
PRODUCTION = re.compile(
    rf"(?P<issuer>{HAN})(?P<city>{HAN}{{0,2}}?){AGENCY}械生产(?P<kind>许|备)(?:可证|案)?第?"
    r"(?P<year>\d{4})(?P<serial>[0-9A-Z]{4,6})号?"
)
NHSA_CODE = re.compile(r"(?P<base>C\d{19})(?P<specification>\d{7})?")
NHSA_INSTITUTION = re.compile(r"H(?P<region_code>\d{6})(?P<serial>\d{5})")

# GB 32100-2015, table 1: department of registration and, within it, type of body.
USCC_DEPARTMENTS = {
    "1": "establishment", "2": "foreign_affairs", "3": "justice", "4": "culture", "5": "civil_affairs",
    "6": "tourism", "7": "religion", "8": "trade_union", "9": "market", "A": "military", "N": "agriculture",
    "Y": "other",
}  # fmt: skip
USCC_TYPES = {
    "11": "government_body", "12": "public_institution", "13": "mass_organisation", "19": "other",
    "51": "association", "52": "private_non_enterprise", "53": "foundation", "59": "other",
    "91": "company", "92": "sole_trader", "93": "farmers_cooperative",
    "A1": "military", "N1": "rural_collective", "N2": "rural_collective", "N3": "rural_collective", "Y1": "other",
}  # fmt: skip
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


class NumberError(ValueError):
    """A number that no authority can have given; ``reason`` is a code for machines."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def normalize(number):
    """Full-width to half-width, no blanks (visible or not), capital letters: how people type one number alike."""
    text = unicodedata.normalize("NFKC", number or "")
    text = "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
    return text.upper().replace("〔", "(").replace("〕", ")").replace("[", "(").replace("]", ")")


def parse_uscc(number):
    """统一社会信用代码, GB 32100-2015: department, type, region, organisation code, check character.

    Codes of military, rural and other bodies begin with A, N or Y. python-stdnum refuses them because it wants
    eight leading digits, so their check character is computed here with its alphabet and weights.
    """
    number = normalize(number).replace("-", "")
    if len(number) != 18:
        raise NumberError("length")
    if set(number) & set("IOSVZ"):
        raise NumberError("cn_alphabet")
    if not re.fullmatch(r"[1-9ANY][0-9A-HJ-NP-RTUWXY]\d{6}[0-9A-HJ-NP-RTUWXY]{10}", number):
        raise NumberError("format")
    if number[0] not in USCC_DEPARTMENTS:
        raise NumberError("component")
    if number[:2].isdigit():
        try:
            uscc.validate(number)
        except StdnumError as error:
            raise NumberError("check_digit") from error
    elif uscc.calc_check_digit(number) != number[-1]:
        raise NumberError("check_digit")
    if f"{number[2:4]}0000" not in GB2260_PROVINCES | {"100000"}:  # 100000: registered with the State itself
        raise NumberError("cn_region")
    warnings = []
    if number[:2] not in USCC_TYPES:
        warnings.append("unknown_type")
    if not _organisation_code_fits(number[8:17]):
        warnings.append("organisation_code_check")
    return {
        "number": number,
        "department": USCC_DEPARTMENTS[number[0]],
        "type": USCC_TYPES.get(number[:2], "other"),
        "region_code": number[2:8],
        "province_code": f"{number[2:4]}0000",
        "organisation_code": number[8:17],
        "check_digit": number[17],
        "warnings": warnings,
    }


def _organisation_code_fits(code):
    """Check character of the organisation code inside (GB 11714-1997): weights, modulo 11, X for 10."""
    total = sum(int(character, 36) * weight for character, weight in zip(code, ORGANISATION_WEIGHTS, strict=False))
    return code[8] == "0123456789X0"[11 - total % 11]


def parse_registration(number, this_year):
    """医疗器械注册证, SAMR order 47 (2021) art. 115; before October 2014 the older form with 食药监.

    The year is that of the first registration: it stays on renewal, so that the number never tells the expiry.
    """
    number = normalize(number)
    match, scheme, years = REGISTRATION.fullmatch(number), "2014", range(2014, this_year + 1)
    if not match:
        match, scheme, years = REGISTRATION_OLD.fullmatch(number), "pre_2014", range(2000, 2016)
    if not match:
        raise NumberError("cn_kind" if FILING_CLASS_1.fullmatch(number) else "format")
    parts = _issued(match, years)
    device_class, state = CLASSES.get(parts["device_class"]), parts["province_code"] is None
    if device_class is None or scheme == "2014" and device_class == "I":
        raise NumberError("cn_class")
    origin, catalogue = ORIGINS[parts["origin"]], parts["catalogue"]
    if not state and (device_class == "III" or origin != "domestic"):
        raise NumberError("cn_level")
    # The catalogue of 2017 came into use in August 2018. Until the end of that year a 22 may be 6822 or 22, so
    # both are given and the product decides; reagents keep 40 (6840) to this day.
    candidates = []
    if scheme == "2014" and catalogue in CATALOGUE_2017:
        candidates.append({"scheme": "cn_2017", "code": catalogue})
    if catalogue in CATALOGUE_2002 and (parts["year"] < 2019 or not candidates):
        candidates.append({"scheme": "cn_2002", "code": f"68{catalogue}"})
    if not candidates:
        raise NumberError("cn_catalogue")
    warnings = []
    if scheme == "pre_2014":
        warnings.append("historical")
    elif state and device_class == "II" and origin == "domestic":
        warnings.append("state_class_ii")
    return {
        **parts,
        "number": number,
        "scheme": scheme,
        "level": "state" if state else "province",
        "device_class": device_class,
        "origin": origin,
        "categories": candidates,
        "ivd": catalogue == "40",
        "changed": bool(parts.pop("changed", None)),
        "warnings": warnings,
    }


def parse_class1_filing(number, this_year):
    """第一类医疗器械备案, SAMR order 47 (2021) art. 116: does not expire. 国 is written on imports."""
    number = normalize(number)
    match = FILING_CLASS_1.fullmatch(number)
    if not match:
        raise NumberError("cn_kind" if REGISTRATION.fullmatch(number) else "format")
    parts = _issued(match, range(2014, this_year + 1))
    return {
        **parts,
        "number": number,
        "device_class": "I",
        "origin": "domestic" if parts["province_code"] else "import",
        "warnings": [],
    }


def parse_trading(number, kind, this_year):
    """医疗器械经营许可证 (``kind`` 许, class III) or 第二类医疗器械经营备案凭证 (``kind`` 备), SAMR order 54 (2022)."""
    return _parse_licence(TRADING, number, kind, this_year)


def parse_production(number, this_year, kind="许"):
    """医疗器械生产许可证 (``kind`` 许, classes II and III) or 第一类医疗器械生产备案 (备), SAMR order 53 (2022).

    Numbers from 2000 on are in use.
    """
    return _parse_licence(PRODUCTION, number, kind, this_year)


def _parse_licence(pattern, number, kind, this_year):
    number = normalize(number)
    match = pattern.fullmatch(number)
    if not match:
        others = (TRADING, PRODUCTION, REGISTRATION, REGISTRATION_OLD, FILING_CLASS_1)
        raise NumberError("cn_kind" if any(other.fullmatch(number) for other in others) else "format")
    if match["kind"] != kind:
        raise NumberError("cn_kind")
    parts = _issued(match, range(2000, this_year + 1))
    del parts["kind"]
    return {**parts, "number": number, "warnings": []}


def _issued(match, years):
    """Parts that all these numbers share: who issued it and when.

    ``year`` becomes an int, ``issuer`` stays as written, ``province_code`` is the issuer's GB/T 2260 code or None
    for the State, ``city`` the characters that follow the province, "" for none.
    """
    parts = match.groupdict()
    issuer = parts["issuer"]
    if issuer != "国" and issuer not in PROVINCES:
        raise NumberError("cn_province")
    parts["province_code"] = PROVINCES.get(issuer)
    parts["city"] = parts.get("city") or ""
    parts["year"] = int(parts["year"])
    if parts["year"] not in years:
        raise NumberError("cn_year")
    return parts


def parse_fapiao(number, this_year):
    """数电发票: twenty digits, two of the year, two of the tax bureau, one of the channel, fifteen of the serial.

    The bureau is that of a province or of a city with a plan of its own; which code stands for which is not published
    as a list, so that it is given back and not judged. The first of these numbers were drawn in December 2021.
    """
    number = normalize(number)
    if not re.fullmatch(r"\d{20}", number):
        raise NumberError("format" if len(number) == 20 else "length")
    if not 2021 <= 2000 + int(number[:2]) <= this_year:
        raise NumberError("cn_year")
    return {
        "number": number, "year": 2000 + int(number[:2]), "bureau": number[2:4], "channel": number[4],
        "serial": number[5:], "warnings": [],
    }


def parse_nhsa_code(number):
    """医保医用耗材代码: C and 19 digits for the kind, seven more for the specification."""
    number = normalize(number)
    match = NHSA_CODE.fullmatch(number)
    if not match:
        raise NumberError("format" if len(number) in (20, 27) else "length")
    return {**match.groupdict(), "number": number, "warnings": []}


def parse_nhsa_institution(number):
    """医保定点医疗机构编码: H, GB/T 2260 code of the county, five digits."""
    number = normalize(number)
    match = NHSA_INSTITUTION.fullmatch(number)
    if not match:
        raise NumberError("format" if len(number) == 12 else "length")
    region = match["region_code"]
    if f"{region[:2]}0000" not in GB2260_PROVINCES:
        raise NumberError("cn_region")
    return {**match.groupdict(), "province_code": f"{region[:2]}0000", "number": number, "warnings": []}
