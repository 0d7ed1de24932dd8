"""The scope of business (经营范围) that Chinese licences and filings print, read into lines.

Licences list device classes and codes of the classification catalogues of 2002 (68xx) and 2017 (01-22), often both
as two blocks beside each other, with or without names, ranges, remarks in brackets and a word on in-vitro diagnostic
reagents. Spelling varies between the offices that print them: full width and half width, Ⅲ, III, 三 or 第三类.

:func:`parse_scope` reads what it is sure of and gives back everything else with its position. Where a text can be
read in two ways it takes the narrower one and says so, because a scope read too wide lets something be sold that
may not be sold.
"""

import re
import unicodedata
from difflib import SequenceMatcher

OLD, NEW = "cn_2002", "cn_2017"
CLASSES = {
    "I": "I", "II": "II", "III": "III", "一": "I", "二": "II", "三": "III", "1": "I", "2": "II", "3": "III",
}  # fmt: skip
#: Category of 2002 that holds reagents for in-vitro diagnosis, to this day.
IVD_CODE = "6840"
#: From this likeness on, words after a code are taken for its name in another spelling.
NAME_LIKENESS = 0.75

HAN = "一-龥"
ORDINAL = r"第?(?:III|II|I|[一二三123])类?"
CLASS = re.compile(
    rf"(?P<list>(?:{ORDINAL}[、,和及与/]+)*第?(?:III|II|I|[一二三123]))类(?:医疗器械)?(?:产品)?(?:经营)?(?:[:\-]|(?![{HAN}]))?"
    r"|(?P<roman>III|II|I)(?::|-(?=\d))"
)
SCHEME = re.compile(
    r"(?:按照?|依据|根据)?[《<\"“]?(?P<age>2002|2017|原|旧|新)年?版?[》>]?[《<\"“]?(?:医疗器械)?"
    r"(?:分类目录|分类编码|分类|目录)[》>\"”]?(?:\(?版\)?)?(?:分类)?(?:编码|代码|代号)?区?(?:类别)?[》>]?:?"
    r"|(?P<edition>2002|2017|旧|新)年?版:?"
    r"|[《<]?(?:医疗器械)?分类目录[》>]?\(?(?P<after>2002|2017)年?版?\)?[》>]?:?"
)
SPREAD = r"\s*(?P<to>-|~|—|–|−|至|到)\s*"
OLD_CODE = re.compile(rf"(?<!\d)(?P<code>68\d\d)(?:{SPREAD}(?P<last>68\d\d)(?!\d)|-(?P<sub>\d{{1,2}})(?!\d))?(?!\d)")
NEW_CODE = re.compile(
    rf"(?<!\d)(?P<code>\d\d(?:-\d\d){{0,2}})(?!\d)(?:{SPREAD}(?P<last>\d\d)(?![\d-]))?"
)
WHOLE = re.compile(r"(?:全部|所有)(?:(?:的)?(?:类别|品种|目录|产品|医疗器械|范围))*|全目录")
REAGENT = re.compile(r"(?:体外)?诊断试剂")
NOT_REAGENT = re.compile(
    r"(?:以上|均|都)*(?:不含|不包括|不包含|不得经营)(?:体外)?诊断试剂"
    r"|(?:以上|均|都)*除?(?:体外)?诊断试剂(?:均|都)?除外|除(?:体外)?诊断试剂外"
)
EXCLUDING = re.compile(r"除外|不含|不包括|不包含|除了|除[^外]+外|不得")
INCLUDING = re.compile(r"^(?:含|包括|包含)")
RESTRICTING = re.compile(r"仅|只|限")
COLD = re.compile(r"冷藏|冷冻|低温|冷链")
WITHOUT_COLD = re.compile(r"除外|不含|不包括|不包含|不需|无需|除[^外]+外|非|不得|不经营")
#: Words that a remark about reagents may have around the reagents without speaking of anything else.
SMALL_WORDS = re.compile(
    "除外|不含|不包括|不包含|除了|除|外|含|包括|包含|不得经营|仅限|仅|只限|只|限|均|都|以上|于|经营|在内"
)
FILLER = re.compile(r"(?:医疗器械)?经营范围:?|以下空白|以上空白|此栏空白|空白")
SEPARATORS = re.compile(r"[\s,;、。.:：·*＊/|\-~—–_…\"“”]+")
#: Where something new begins, so that words before it end.
BEGINNINGS = (OLD_CODE, NEW_CODE, CLASS, SCHEME, NOT_REAGENT, FILLER)
BRACKETS = {"【": "(", "】": ")", "〔": "(", "〕": ")", "[": "(", "]": ")"}
NAME_END = re.compile(r"[,;。\n(]")


def parse_scope(text, catalogues):
    """Read a printed scope of business.

    :param str text: as printed
    :param dict catalogues: ``{"cn_2002": {code: name}, "cn_2017": {code: name}}``, names in Chinese
    :return: ``{"lines": [...], "rest": [...]}``. A line is ``{device_class, scheme, code, ivd, limitation,
        limit_kind, excluded, remark, start, end, text}``; ``code`` False for all categories, ``ivd`` ``with``,
        ``without`` or ``only``, ``remark`` False or a code of what a person should look at: ``range_or_code``
        (``01-07`` may be a range or a category of level two; read as the category), ``cold_chain`` (the text
        speaks of transport and storage in the cold), ``includes`` (the text names something as included).
        ``rest``: ``{start, end, text}`` of what was not understood. Positions count characters of ``text``.
    """
    return _Reader(text or "", catalogues).parse()


def normalize(text):
    """:return: ``(normalized, origins)``: half width and capital, and for each character its place in ``text``"""
    characters, origins = [], []
    for index, character in enumerate(text):
        for part in unicodedata.normalize("NFKC", character).upper():
            characters.append(BRACKETS.get(part, part))
            origins.append(index)
    return "".join(characters), origins


def _bare(name):
    """A name as it is compared: half width, without brackets, blanks and punctuation."""
    text, _origins = normalize(name)
    return "".join(c for c in text if unicodedata.category(c)[0] in "LN")


class _Reader:
    """One reading of one text. ``at`` walks over the normalized text; ``known`` marks what was understood."""

    def __init__(self, text, catalogues):
        self.text = text
        self.norm, self.origins = normalize(text)
        self.known = [False] * len(self.norm)
        self.catalogues = {scheme: catalogues.get(scheme, {}) for scheme in (OLD, NEW)}
        self.by_name = {
            scheme: sorted(
                ((_spelling(name), code) for code, name in names.items() if "-" not in code),
                key=lambda pair: -len(pair[0]),
            )
            for scheme, names in self.catalogues.items()
        }
        self.at = 0
        self.scheme = None
        self.classes = [False]
        self.group = []  # lines since the last class or catalogue was named
        self.lines = []

    # === RESULT === #

    def parse(self):
        while self.at < len(self.norm):
            for step in (
                self._skip, self._read_scheme, self._read_class, self._read_old_code, self._read_new_code,
                self._read_statement, self._read_bracket, self._read_reagent, self._read_whole, self._read_name,
            ):
                if step():
                    break
            else:
                self.at += 1
        for line in self.lines:
            start, end = line.pop("span")
            line["start"], line["end"] = self._outer(start, end)
            line["text"] = self.text[line["start"]:line["end"]]
        return {"lines": self.lines, "rest": self._rest()}

    def _rest(self):
        """Runs that were not understood, from their first to their last letter or digit.

        Punctuation inside a run stays in it, so that it reads as it was printed.
        """
        unknown = [False] * len(self.text)
        for index, character in enumerate(self.norm):
            if not self.known[index] and unicodedata.category(character)[0] in "LN":
                unknown[self.origins[index]] = True
        understood = {self.origins[index] for index, known in enumerate(self.known) if known}
        rest, start, end = [], None, None
        for index, is_unknown in enumerate([*unknown, False]):
            if is_unknown:
                start, end = (index if start is None else start), index + 1
            elif start is not None and (index >= len(self.text) or index in understood):
                rest.append({"start": start, "end": end, "text": self.text[start:end]})
                start = None
        return rest

    def _outer(self, start, end):
        return self.origins[start], self.origins[end - 1] + 1

    def _take(self, end):
        for index in range(self.at, end):
            self.known[index] = True
        self.at = end
        return True

    def _match(self, pattern):
        return pattern.match(self.norm, self.at)

    # === WHAT STRUCTURES THE TEXT === #

    def _skip(self):
        for pattern in (FILLER, SEPARATORS):
            if match := self._match(pattern):
                return self._take(match.end())
        return False

    def _read_scheme(self):
        match = self._match(SCHEME)
        if not match:
            return False
        age = match["age"] or match["edition"] or match["after"]
        self.scheme = OLD if age in ("2002", "原", "旧") else NEW
        self.group = []
        return self._take(match.end())

    def _read_class(self):
        match = self._match(CLASS)
        if not match:
            return False
        found = re.findall(r"III|II|I|[一二三123]", match["list"] or match["roman"])
        self.classes = list(dict.fromkeys(CLASSES[name] for name in found))
        self.group = []
        return self._take(match.end())

    # === ITEMS === #

    def _add(self, scheme, code, start, **values):
        """One line for each class that was named; they share their words."""
        added = []
        for device_class in self.classes:
            line = {
                "device_class": device_class, "scheme": scheme, "code": code, "ivd": "with", "limitation": False,
                "limit_kind": False, "excluded": [], "remark": False, "span": (start, self.at), **values,
            }
            self.lines.append(line)
            self.group.append(line)
            added.append(line)
        return added

    def _read_old_code(self):
        """68xx is a code of 2002 in whatever block it stands: reagents keep 6840 beside the codes of 2017."""
        match = self._match(OLD_CODE)
        names = self.catalogues[OLD]
        if not match or match["code"] not in names or match["last"] and match["last"] not in names:
            return False
        start = self.at
        self._take(match.end())
        if match["last"]:
            codes = [code for code in sorted(names) if match["code"] <= code <= match["last"]]
            added = [line for code in codes for line in self._add(OLD, code, start)]
            self._qualify(added, OLD, None, start)
            return True
        added = self._add(OLD, match["code"], start)
        if match["sub"]:
            # The second level of 2002 was never put in order: the words after the code say what is meant.
            end = self._end_of_words()
            self._limit(added, "only", self.norm[start:end].strip())
            self._take(end)
        self._qualify(added, OLD, match["code"], start, named=bool(match["sub"]))
        return True

    def _read_new_code(self):
        match = self._match(NEW_CODE) if self.scheme != OLD else None
        names = self.catalogues[NEW]
        if not match:
            return False
        start, code, last = self.at, match["code"], match["last"]
        first, _hyphen, second = code.partition("-")
        remark = False
        if last:
            if not (len(code) == 2 and code in names and last in names and code < last):
                # "14-02-06" and the like end before the spread; anything else is no range.
                last, end = None, match.end("code")
            else:
                end = match.end()
        else:
            end = match.end("code")
        if not last and len(second) == 2 and first in names and second in names and first < second:
            if code not in names:
                code, last = first, second
            else:
                remark = "range_or_code"
        if not last and code not in names:
            return False
        self._take(end)
        if last:
            codes = [name for name in sorted(names) if len(name) == 2 and code <= name <= last]
            self._qualify([line for name in codes for line in self._add(NEW, name, start)], NEW, None, start)
            return True
        self._qualify(self._add(NEW, code, start, remark=remark), NEW, code, start)
        return True

    def _read_reagent(self):
        """Reagents named without a code are those of 6840, in either catalogue."""
        match = self._match(REAGENT)
        if not match or IVD_CODE not in self.catalogues[OLD]:
            return False
        start = self.at
        self._take(match.end())
        self._qualify(self._add(OLD, IVD_CODE, start, ivd="only"), OLD, IVD_CODE, start, named=True)
        return True

    def _read_whole(self):
        match = self._match(WHOLE)
        if not match or self.classes == [False] and self.scheme is None:
            return False
        start = self.at
        self._take(match.end())
        self._qualify(self._add(self.scheme or False, False, start), None, None, start)
        return True

    def _read_name(self):
        """An official name without its code; names that both catalogues have need to stand in a block of one."""
        hits = {
            (scheme, code): end
            for scheme in ([self.scheme] if self.scheme else (OLD, NEW))
            for spelling, code in self.by_name[scheme]
            if (end := self._spelled(spelling))
        }
        if not hits:
            return False
        longest = max(hits.values())
        hits = [key for key, end in hits.items() if end == longest]
        if len(hits) > 1 or re.match(rf"[{HAN}]", self.norm[longest:longest + 1]):
            return False
        start, (scheme, code) = self.at, hits[0]
        self._take(longest)
        added = self._add(scheme, code, start)
        if code == IVD_CODE and scheme == OLD:
            for line in added:
                line["ivd"] = _reagents_of(self.norm[start:self.at]) or "with"
        self._qualify(added, scheme, code, start, named=True)
        return True

    # === WHAT FOLLOWS AN ITEM === #

    def _qualify(self, lines, scheme, code, start, named=False):
        """Read name and brackets behind an item."""
        if code and not named:
            self._read_name_of(lines, scheme, code)
        while True:
            at = self.at
            while self.at < len(self.norm) and self.norm[self.at].isspace():
                self.at += 1
            content = self._bracket()
            if content is None:
                self.at = at
                break
            inside, end = content
            self._read_remark(lines, scheme, code, inside)
            self._take(end)
        for line in lines:
            line["span"] = (start, self.at)

    def _read_name_of(self, lines, scheme, code):
        at = self.at
        while self.at < len(self.norm) and (self.norm[self.at].isspace() or self.norm[self.at] == ":"):
            self.at += 1
        officials = self._officials(scheme, code)
        if self.at >= len(self.norm) or any(self._match(pattern) for pattern in BEGINNINGS):
            self.at = at
            return
        if end := max(self._spelled(_spelling(official)) for official in officials):
            words = self.norm[self.at:end]
            self._take(end)
            # A name that goes on is another one, or a narrower one.
            more = self.norm[self.at:self._end_of_words(stop="、")]
            if _bare(more):
                words = self._take_words(lines, officials, words)
        else:
            words = self._take_words(lines, officials, "")
            if not words:
                self.at = at
                return
        if scheme == OLD and code == IVD_CODE and (ivd := _reagents_of(words)):
            for line in lines:
                line["ivd"] = ivd
                if line["limit_kind"] == "only" and _bare(line["limitation"]) == _bare(words):
                    line.update(limitation=False, limit_kind=False)
        for line in lines:
            if line["remark"] == "range_or_code":
                # Its own name stands beside it: it is the category.
                line["remark"] = False if _alike(words, *officials) else line["remark"]

    def _officials(self, scheme, code):
        """The name of a category, alone and behind the name of the category above, as many licences print it."""
        names = self.catalogues[scheme]
        above = names.get(code.rpartition("-")[0])
        return [names[code], *(f"{above}{joint}{names[code]}" for joint in ("", "-", ":") if above)]

    def _take_words(self, lines, officials, before):
        """Take the words at ``at`` as a name of the category where they are like it, else as what limits it."""
        start = self.at
        for stop in ("", "、"):
            end = self._end_of_words(stop=stop)
            words = before + self.norm[start:end]
            if _alike(words, *officials):
                self._take(end)
                return words
        end = self._end_of_words(stop="、")
        words = (before + self.norm[start:end]).strip()
        if not _bare(words):
            return ""
        self._take(end)
        self._limit(lines, "only", words)
        return words

    def _end_of_words(self, stop=""):
        """Where the words at ``at`` end: at a separator, or where a code, a class or a catalogue begins."""
        index = self.at
        while index < len(self.norm):
            character = self.norm[index]
            if NAME_END.match(character) or character in stop:
                break
            if index > self.at and not self.norm[index - 1].isdigit() and any(
                pattern.match(self.norm, index) for pattern in BEGINNINGS
            ):
                break
            index += 1
        while index > self.at and self.norm[index - 1] in "、,; \t":
            index -= 1
        return index

    def _bracket(self):
        """:return: ``(content, end)`` of the bracket that opens at ``at``, None when none does or it never closes"""
        if self.norm[self.at:self.at + 1] != "(":
            return None
        depth = 0
        for index in range(self.at, len(self.norm)):
            depth += {"(": 1, ")": -1}.get(self.norm[index], 0)
            if not depth:
                return self.norm[self.at + 1:index], index + 1
        return None

    def _read_remark(self, lines, scheme, code, content):
        """What a bracket behind an item says about it."""
        content = content.strip()
        officials = self._officials(scheme, code) if scheme and code else []
        if COLD.search(content):
            self._read_cold(lines, code, content)
        elif self._read_reagent_remark(lines, scheme, code, content):
            return
        elif EXCLUDING.search(content):
            codes = self._only_codes(scheme, content)
            if codes:
                for line in lines:
                    line["excluded"] = sorted({*line["excluded"], *codes})
            else:
                self._limit(lines, "except", content)
        elif RESTRICTING.search(content):
            self._limit(lines, "only", content)
        elif INCLUDING.search(content):
            for line in lines:
                line["remark"] = line["remark"] or "includes"
        elif _alike(content, *officials):
            if code == IVD_CODE and scheme == OLD and (ivd := _reagents_of(content)):
                for line in lines:
                    line["ivd"] = ivd
        elif _bare(content):
            self._limit(lines, "only", content)

    def _read_cold(self, lines, code, content):
        if WITHOUT_COLD.search(content):
            self._limit(lines, "except", content)
            return
        for line in lines:
            line["remark"] = line["remark"] or "cold_chain"
            if code == IVD_CODE and line["ivd"] == "with" and REAGENT.match(content):
                line["ivd"] = "only"

    def _read_reagent_remark(self, lines, scheme, code, content):
        """:return: whether the remark speaks of reagents and of nothing else, and so has been read"""
        if not REAGENT.search(content) or _more_than_reagents(content):
            return False
        if EXCLUDING.search(content):
            # Beside another code it can only mean the block: reagents are in none but 6840.
            self._without_reagents(lines if code == IVD_CODE and scheme == OLD else self.group)
            return True
        if INCLUDING.search(content) or code == IVD_CODE:
            for line in lines:
                line["ivd"] = "with" if INCLUDING.search(content) else "only"
            return True
        return False

    def _only_codes(self, scheme, content):
        """Codes of a remark that says nothing but that these categories are taken out, else nothing."""
        pattern = {OLD: OLD_CODE, NEW: NEW_CODE}.get(scheme)
        if not pattern:
            return []
        codes, names = [], self.catalogues[scheme]
        left = EXCLUDING.sub("", content)
        for match in pattern.finditer(left):
            if match.group() not in names:
                return []
            codes.append(match.group())
        for code in codes:
            left = left.replace(code, "").replace(_spelling(names[code]), "")
        return [] if _bare(left).strip("除外") else codes

    def _without_reagents(self, lines):
        for line in lines:
            if line["ivd"] == "only":
                # It says two things at once: nothing is covered until somebody has looked.
                line.update(limitation="体外诊断试剂除外", limit_kind="only")
            else:
                line["ivd"] = "without"

    def _limit(self, lines, kind, words):
        for line in lines:
            line["limitation"] = "; ".join(filter(None, (line["limitation"], words)))
            line["limit_kind"] = "only" if "only" in (kind, line["limit_kind"]) else kind

    # === WHAT STANDS ALONE === #

    def _read_statement(self):
        """"Without reagents" as an item of its own holds for its block; with 以上 or 均 for all that stands before."""
        match = self._match(NOT_REAGENT)
        if not match or not self.lines:
            return False
        self._without_reagents(self.lines if re.match("以上|均|都", match.group()) else self.group)
        return self._take(match.end())

    def _read_bracket(self):
        """A bracket that stands alone is understood when it speaks of reagents, or holds nothing but stars."""
        content = self._bracket()
        if content is None:
            return False
        inside, end = content
        if not inside.strip("*. "):
            return self._take(end)
        match = NOT_REAGENT.fullmatch(inside.strip())
        if match and self.lines:
            self._without_reagents(self.lines if re.match("以上|均|都", inside.strip()) else self.group)
            return self._take(end)
        # Its content is read like the text around it: a block may stand in brackets.
        return self._take(self.at + 1)

    # === NAMES === #

    def _spelled(self, spelling):
        """:return: where ``spelling`` ends when it stands at ``at``, blanks between its characters allowed, else 0"""
        index = self.at
        for character in spelling:
            while index < len(self.norm) and self.norm[index] in " \t" and index > self.at:
                index += 1
            if index >= len(self.norm) or self.norm[index] != character:
                return 0
            index += 1
        return index


def _spelling(name):
    return "".join(normalize(name)[0].split())


def _alike(words, *officials):
    """Whether words are one of the official names, or a spelling of it that means the same."""
    ours = _bare(words)
    return bool(ours) and any(
        ours == theirs or SequenceMatcher(None, ours, theirs, False).ratio() >= NAME_LIKENESS
        for theirs in map(_bare, officials)
    )


def _reagents_of(words):
    """What the printed name of 6840 says: instruments and reagents, one of them, or None when it says neither."""
    reagents, instruments = bool(REAGENT.search(words)), "分析仪器" in words or "检验仪器" in words
    if reagents and instruments:
        return "with"
    if reagents:
        return "only"
    return "without" if instruments else None


def _more_than_reagents(content):
    """Whether a remark about reagents speaks of something else too."""
    left = REAGENT.sub("", content)
    return bool(_bare(SMALL_WORDS.sub("", left)))
