"""Two texts word by word, by :mod:`difflib`: first by sentences, then by words within those that differ, so that a long
clause of which one word has changed costs little and reads well."""

import re
from difflib import SequenceMatcher
from typing import NamedTuple

from lxml import html
from lxml.etree import ParserError
from markupsafe import Markup, escape

#: Elements that begin a line of their own
_BLOCKS = frozenset(
    "address article aside blockquote dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav "
    "ol p pre section table tbody tfoot thead tr ul".split()
)
#: A word with the blanks after it. Chinese is written without blanks: each character is a word, a numeral is one.
_WORD = re.compile(
    r"(?P<text>\n|[零〇一二两三四五六七八九十百千万亿]+|[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    r"|\{\{.*?\}\}|[^\W\u2e80-\u9fff\uf900-\ufaff]+(?:[.,'’/-]\w+)*%?|[^\s])(?P<space>[^\S\n]*)"
)
_SENTENCE_ENDS = frozenset("\n。；！？.;!?")


class Word(NamedTuple):
    text: str
    space: str


def plain_lines(markup):
    """The text of a piece of HTML, a line for each paragraph, list item or table row, blanks collapsed.

    What is compared is what is said, not how it is laid out.
    """
    if not markup:
        return ""
    try:
        root = html.fragment_fromstring(str(markup), create_parent="div")
    except ParserError:
        return ""
    parts = []

    def walk(element):
        if not isinstance(element.tag, str):
            return
        block = element.tag in _BLOCKS
        if block or element.tag == "br":
            parts.append("\n")
        elif element.tag in ("td", "th") and parts and parts[-1] != "\n":
            parts.append(" | ")
        if element.tag == "li":
            parts.append("• ")
        parts.append(re.sub(r"\s+", " ", element.text or ""))
        for child in element:
            walk(child)
            parts.append(re.sub(r"\s+", " ", child.tail or ""))
        if block:
            parts.append("\n")

    walk(root)
    lines = (line.strip(" |") for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


def words(markup):
    """The words of a piece of HTML, to tell whether two say the same."""
    return [match["text"] for match in _WORD.finditer(plain_lines(markup)) if match["text"] != "\n"]


def word_diff(before, after):
    """Two pieces of HTML compared.

    :returns: :class:`markupsafe.Markup` of paragraphs in which ``<del>`` is only in the first and ``<ins>`` only in the
        second
    """
    return Markup().join(
        Markup("<p>%s</p>") % paragraph for paragraph in _paragraphs(_pieces(plain_lines(before), plain_lines(after)))
    )


def line_diff(before, after):
    """Two texts of one line, not HTML, compared in the same way."""
    return Markup(" ").join(_paragraphs(_pieces(before or "", after or "")))


def _pieces(before, after):
    """:returns: list of ``(tag or None, words)``"""
    old, new = _sentences(before), _sentences(after)
    pieces = []
    for tag, i1, i2, j1, j2 in _opcodes(old, new, key=lambda sentence: tuple(word.text for word in sentence)):
        old_words = [word for sentence in old[i1:i2] for word in sentence]
        new_words = [word for sentence in new[j1:j2] for word in sentence]
        if tag == "equal":
            pieces.append((None, new_words))
            continue
        for inner, k1, k2, m1, m2 in _opcodes(old_words, new_words, key=lambda word: word.text):
            if inner == "equal":
                pieces.append((None, new_words[m1:m2]))
                continue
            pieces += [("del", old_words[k1:k2]), ("ins", new_words[m1:m2])]
    return pieces


def _opcodes(old, new, key):
    return SequenceMatcher(None, [key(item) for item in old], [key(item) for item in new], autojunk=False).get_opcodes()


def _sentences(text):
    """The words of a text as lists, a sentence or line each."""
    sentences = [[]]
    for match in _WORD.finditer(text):
        sentences[-1].append(Word(match["text"], match["space"]))
        if match["text"] in _SENTENCE_ENDS:
            sentences.append([])
    return [sentence for sentence in sentences if sentence]


def _paragraphs(pieces):
    """:returns: list of Markup; a line break ends a paragraph, and what was inserted or deleted goes on in the next"""
    paragraphs = [[]]
    for tag, run in pieces:
        text = "".join(word.text if word.text == "\n" else word.text + word.space for word in run)
        for place, line in enumerate(text.split("\n")):
            if place:
                paragraphs.append([])
            if line:
                paragraphs[-1].append(Markup("<%s>%s</%s>") % (Markup(tag), line, Markup(tag)) if tag else escape(line))
    return [Markup().join(parts) for parts in paragraphs if parts]
