"""Unique device identifiers as carriers hold them: GS1, HIBC and MA. Pure functions, no database.

Sources: GS1 General Specifications (application identifiers, FNC1, day 00 as the last day of the month); ANSI/HIBC 2.6
(primary and secondary data, check character modulo 43); NMPA rules of device identification (MA codes, whose check
characters cannot be relied on since codes are drawn from the agency).
"""

import calendar
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

from stdnum import ean

GS = "\x1d"
#: What scanners send in front of the data to name the symbology: GS1-128, DataMatrix, QR, DataBar
_SYMBOLOGY = re.compile(r"^\](?:C1|d2|Q3|e0|J1)")
#: How a separator is shown where control characters are not
_SHOWN = re.compile(r"<GS>|\{GS\}|\\x1d|␝|<FNC1>|\{FNC1\}", re.IGNORECASE)
_MA = re.compile(r"^(MA\.\d{3}\.M\w\.[0-9A-Z]{6}\.[0-9A-Za-z]{8})((?:\.[SMPLDEVC][^.]+)*)$")
#: Application identifiers have two, three or four digits by how they begin (GS1 General Specifications, 3.2)
_IDENTIFIER = re.compile(
    r"0[0-4]|1\d|2[0-2]|30|37|9\d|(?:23|24|25|40|41|42|71)\d|(?:3[1-69]|43|70|8\d)\d{2}", re.ASCII
)
#: Characters of an element, identifier and value, where its length is predefined; all others end with a separator (GS1
#: General Specifications, figure 7.8.5-2)
_PREDEFINED = {
    "00": 20, "01": 16, "02": 16, "03": 16, "04": 18, **{str(number): 8 for number in range(11, 20)}, "20": 4,
    **{str(number): 10 for number in range(31, 37)}, "41": 16,
}
_DATED = {"11": "made", "17": "expiry"}
_NAMED = {"10": "lot", "21": "serial"}
#: An identifier that may stand inside a value whose end was lost
_INSIDE = re.compile(r"(?<=.)(?:(?:1[17])\d{6}|(?:10|21)[!-~]{2,})$")
_HIBC_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"


@dataclass
class Udi:
    """
    :param agency: ``GS1``, ``HIBC``, ``MA``; None when the carrier is none of these
    :param di: device identifier; of GS1 the GTIN of 14 digits
    :param warnings: ``[(code, what it is about)]``; codes are ``unknown``, ``check``, ``fnc1``, ``date``, ``rest`` and
        ``no_di``
    """

    agency: str | None = None
    di: str | None = None
    lot: str | None = None
    serial: str | None = None
    made: date | None = None
    expiry: date | None = None
    warnings: list = field(default_factory=list)

    def warn(self, code, about=""):
        self.warnings.append((code, about))


def parse(text):
    """:param str text: what a scanner sent, or what stands beside the code
    :return: :class:`Udi`; what cannot be read is told by warnings, never guessed
    """
    text = _SHOWN.sub(GS, text.strip())
    gs1 = _SYMBOLOGY.sub("", text)
    if text.startswith("MA."):
        return _parse_ma(text)
    if text.startswith("+") or re.match(r"^\*\+.*\*$", text):
        return _parse_hibc(text.strip("*"))
    if re.match(r"^https?://", text):
        return _parse_link(text)
    if gs1 != text or text.startswith(("(", GS)) or re.match(r"^(?:01\d{14}|\d{14}$|\d{13}$|\d{8}$)", text):
        return _parse_gs1(gs1)
    udi = Udi()
    udi.warn("unknown", text[:40])
    return udi


# === GS1 === #


def _parse_gs1(text):
    udi = Udi("GS1")
    if re.fullmatch(r"\d{8}|\d{13}|\d{14}", text):
        _take(udi, "01", text.zfill(14))
    elif text.startswith("("):
        # As it stands beside the code: parentheses end each value
        for identifier, value in re.findall(r"\((\d{2,4})\)([^(]*)", text):
            _take(udi, identifier, value.strip().strip(GS))
    else:
        _read_elements(udi, text.lstrip(GS))
    if not udi.di:
        udi.warn("no_di")
    return udi


def _read_elements(udi, text):
    separated = GS in text
    while text:
        found = _IDENTIFIER.match(text)
        if not found:
            udi.warn("rest", text[:20])
            return
        identifier, text = found[0], text[found.end():]
        if whole := _PREDEFINED.get(identifier[:2]):
            length = whole - len(identifier)
            value, text = text[:length], text[length:].lstrip(GS)
            if len(value) < length:
                udi.warn("rest", f"({identifier}) {value}")
                return
        else:
            value, _end, text = text.partition(GS)
            # Lots and serial numbers have at most 20 characters; where nothing ends them they may have swallowed more
            if identifier in _NAMED and (len(value) > 20 or (not separated and _INSIDE.search(value))):
                udi.warn("fnc1", f"({identifier}) {value}")
        _take(udi, identifier, value)


def _take(udi, identifier, value):
    if identifier == "01":
        udi.di = value
        if not re.fullmatch(r"\d{14}", value) or not ean.is_valid(value):
            udi.warn("check", value)
    elif identifier in _DATED:
        _take_date(udi, _DATED[identifier], value, _six_digits)
    elif identifier in _NAMED and value:
        setattr(udi, _NAMED[identifier], value)


def _parse_link(text):
    """GS1 Digital Link: identifiers in the path and in the query."""
    udi, parts = Udi("GS1"), urlsplit(text)
    path = [unquote(part) for part in parts.path.split("/") if part]
    if "01" not in path:
        udi = Udi()
        udi.warn("unknown", text[:40])
        return udi
    path = path[path.index("01"):]
    for identifier, value in [*zip(path[::2], path[1::2], strict=False), *parse_qsl(parts.query)]:
        _take(udi, identifier, value.zfill(14) if identifier == "01" else value)
    return udi


# === MA === #


def _parse_ma(text):
    found = _MA.match(text)
    if not found:
        udi = Udi("MA")
        udi.warn("unknown", text[:40])
        return udi
    udi = Udi("MA", di=found[1])
    for part in found[2].split(".")[1:]:
        kind, value = part[0], part[1:]
        if kind == "L":
            udi.lot = value
        elif kind == "S":
            udi.serial = value
        elif kind in "MP":
            _take_date(udi, "made", value, _six_digits)
        elif kind in "EV" and not udi.expiry:
            _take_date(udi, "expiry", value, _six_digits)
    return udi


# === HIBC === #


def _parse_hibc(text):
    udi = Udi("HIBC")
    data, check = text[:-1], text[-1:]
    if any(character not in _HIBC_CHARACTERS for character in text) or not check:
        udi.warn("unknown", text[:40])
        return udi
    if _HIBC_CHARACTERS[sum(map(_HIBC_CHARACTERS.index, data)) % 43] != check:
        udi.warn("check", text)
    primary, *secondary = data[1:].split("/")
    if re.fullmatch(r"[A-Z][0-9A-Z]{3}[0-9A-Z]{1,18}[0-9]", primary):
        udi.di = primary
    elif re.match(r"^(?:\$|\d)", primary):
        # A secondary code of its own
        secondary.insert(0, primary)
        udi.warn("no_di")
    else:
        udi.warn("unknown", primary[:40])
    for part in secondary:
        _take_secondary(udi, part)
    return udi


def _take_secondary(udi, part):
    if dated := re.fullmatch(r"(14|16)D(\d{8})", part):
        _take_date(udi, "expiry" if dated[1] == "14" else "made", dated[2], _eight_digits)
    elif part.startswith("S"):
        udi.serial = part[1:]
    elif part.startswith("$"):
        has_date, is_serial, value = part.startswith("$$"), "+" in part[:3], part.lstrip("$").removeprefix("+")
        if has_date:
            value = _take_hibc_date(udi, value)
        if value:
            setattr(udi, "serial" if is_serial else "lot", value)
    elif julian := re.fullmatch(r"(\d{5})(.*)", part):
        _take_date(udi, "expiry", julian[1], _julian)
        udi.lot = julian[2] or udi.lot
    elif not part.startswith("Q"):
        udi.warn("rest", part[:20])


def _take_hibc_date(udi, value):
    """Take the date in front of a lot or serial number. -> what is left"""
    if quantity := re.match(r"^(?:8\d{2}|9\d{5})", value):
        value = value[quantity.end():]
    for flag, length, reader in (
        ("2", 6, _month_day_year), ("3", 6, _six_digits), ("4", 8, _six_digits), ("5", 5, _julian), ("6", 7, _julian),
    ):
        if value.startswith(flag):
            _take_date(udi, "expiry", value[1:1 + length][: 5 if reader is _julian else 6], reader)
            return value[1 + length:]
    if value.startswith("7"):
        return value[1:]
    if re.match(r"^\d{4}", value):
        _take_date(udi, "expiry", value[:4], _month_year)
        return value[4:]
    return value


# === DATES === #


def _take_date(udi, name, value, reader):
    try:
        setattr(udi, name, reader(value))
    except (ValueError, IndexError):
        udi.warn("date", value)


def _whole(year, month, day):
    """Day 0 is the last one of its month."""
    return date(year, month, day or calendar.monthrange(year, month)[1])


def _century(year):
    """The year that lies at most 50 years ahead and 49 behind, as GS1 has it."""
    this = date.today().year
    full = this - this % 100 + year
    if full - this > 50:
        return full - 100
    return full + 100 if this - full > 49 else full


def _six_digits(value):
    if not re.fullmatch(r"\d{6}", value):
        return _eight_digits(value)
    return _whole(_century(int(value[:2])), int(value[2:4]), int(value[4:6]))


def _eight_digits(value):
    if not re.fullmatch(r"\d{8}", value):
        raise ValueError(value)
    return _whole(int(value[:4]), int(value[4:6]), int(value[6:]))


def _month_day_year(value):
    return _whole(_century(int(value[4:6])), int(value[:2]), int(value[2:4]))


def _month_year(value):
    return _whole(_century(int(value[2:4])), int(value[:2]), 0)


def _julian(value):
    year, day = _century(int(value[:2])), int(value[2:5])
    if not 1 <= day <= 365 + calendar.isleap(year):
        raise ValueError(value)
    return date(year, 1, 1) + timedelta(days=day - 1)
