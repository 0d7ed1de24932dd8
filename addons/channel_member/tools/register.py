"""Numbers and files of official registers: one spelling to search by, and rows out of CSV, XLSX and XML.

Files are read as streams: one row at a time, whatever the size of the file.
"""

import csv
import io
import re
import unicodedata
import zipfile
from datetime import date, datetime

import openpyxl
from lxml import etree

ENCODINGS = ("utf-8-sig", "gb18030")
DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日")
#: What lists write where a document does not expire.
ENDLESS = {"", "-", "--", "/", "长期", "长期有效", "永久", "永久有效", "无固定期限", "none", "never"}
#: Most that a part of a ZIP archive may unpack to: the full UDID database comes in parts of less than 1 GB.
MAX_UNPACKED = 2 * 1024**3


class RegisterFileError(ValueError):
    """A file that is none of the kinds that are read; ``code`` is one of ``kind``, ``empty``, ``encoding``, ``xml``."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def key(number):
    """A number as registers are searched by: half width, capitals, without blanks or marks that do not print."""
    text = unicodedata.normalize("NFKC", number or "").upper()
    text = "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
    return text.replace("〔", "(").replace("〕", ")").replace("[", "(").replace("]", ")")


def plain(text):
    """Words as they are compared: as :func:`key`, without punctuation."""
    return "".join(c for c in key(text) if unicodedata.category(c)[0] in "LN")


def to_date(value):
    """:return: a date, or None where the list says that there is none

    :raise ValueError: neither a date nor a word for "no end"
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = unicodedata.normalize("NFKC", str(value or "")).strip()
    if text.casefold() in ENDLESS:
        return None
    text = re.sub(r"[ T]\d{1,2}:\d{2}.*$", "", text)
    for pattern in DATE_FORMATS:
        try:
            return datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    raise ValueError(text)


def rows(content, filename):
    """Yield ``(line, {header: value})`` of a file, ``line`` as a person counts it (XML: the number of the record).

    :param content: bytes-like object or a binary file
    :param str filename: tells the kind: csv, txt, xlsx, xml, or a zip of those
    :raise RegisterFileError: the file cannot be read
    """
    stream = content if hasattr(content, "read") else io.BytesIO(content)
    kind = (filename or "").rpartition(".")[2].casefold()
    if kind == "zip":
        yield from _zip_rows(stream)
    elif kind in ("csv", "txt"):
        yield from _csv_rows(stream)
    elif kind == "xlsx":
        yield from _xlsx_rows(stream)
    elif kind == "xml":
        yield from _xml_rows(stream)
    else:
        raise RegisterFileError("kind")


def _zip_rows(stream):
    try:
        archive = zipfile.ZipFile(stream)
    except zipfile.BadZipFile:
        raise RegisterFileError("kind") from None
    with archive:
        # Several parts of one day come in one archive, their rows follow each other.
        parts = [info for info in archive.infolist() if not info.is_dir() and not info.filename.endswith(".zip")]
        if any(info.file_size > MAX_UNPACKED for info in parts):
            raise RegisterFileError("kind")
        count = 0
        for info in sorted(parts, key=lambda info: info.filename):
            with archive.open(info) as part:
                # A worksheet needs random access, which a compressed stream does not have.
                source = io.BytesIO(part.read()) if info.filename.casefold().endswith(".xlsx") else part
                for _line, row in rows(source, info.filename):
                    count += 1
                    yield count, row


def _csv_rows(stream):
    sample = stream.read(65536)
    encoding = _encoding(sample)
    head, _newline, _rest = sample.decode(encoding, "ignore").partition("\n")
    delimiter = max(",;\t|", key=head.count)
    # The sample is read again as the head of the stream, which may not be seekable.
    text = io.TextIOWrapper(io.BufferedReader(_Joined(sample, stream)), encoding=encoding, newline="")
    reader = csv.reader(text, delimiter=delimiter)
    try:
        header = next(reader, None)
        if not header:
            raise RegisterFileError("empty")
        header = [name.strip() for name in header]
        for values in reader:
            if any(value.strip() for value in values):
                yield reader.line_num, dict(zip(header, values, strict=False))
    except (UnicodeDecodeError, csv.Error):
        raise RegisterFileError("encoding") from None


def _encoding(sample):
    """The first encoding that reads the sample; a character cut in two at its end does not count."""
    for encoding in ENCODINGS:
        for cut in range(4):
            try:
                sample[:len(sample) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return encoding
    raise RegisterFileError("encoding")


class _Joined(io.RawIOBase):
    """What was read of a stream already, followed by what was not."""

    def __init__(self, head, stream):
        super().__init__()
        self.head, self.stream = head, stream

    def readable(self):
        return True

    def readinto(self, buffer):
        if self.head:
            chunk, self.head = self.head[:len(buffer)], self.head[len(buffer):]
        else:
            chunk = self.stream.read(len(buffer))
        buffer[:len(chunk)] = chunk
        return len(chunk)


def _xlsx_rows(stream):
    try:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        raise RegisterFileError("kind") from None
    try:
        reader = book.worksheets[0].iter_rows(values_only=True)
        header = next(reader, None)
        if not header:
            raise RegisterFileError("empty")
        header = [str(name or "").strip() for name in header]
        for line, values in enumerate(reader, start=2):
            if any(value not in (None, "") for value in values):
                yield line, dict(zip(header, values, strict=False))
    finally:
        book.close()


def _xml_rows(stream):
    """Records of an XML file: elements ``device`` (UDID), else the children of the element below the root.

    Only elements that hold plain text become columns; of those that repeat inside a record the first counts.
    """
    count = 0
    try:
        for _event, element in etree.iterparse(
            stream, events=("end",), tag=("{*}device", "{*}row", "{*}record", "{*}entry"), resolve_entities=False,
            no_network=True, huge_tree=True, load_dtd=False,
        ):
            row = {}
            for child in element.iterdescendants(tag=etree.Element):
                if len(child) == 0:
                    row.setdefault(etree.QName(child).localname, (child.text or "").strip())
            count += 1
            yield count, row
            # What has been read is let go, or the whole file would stay in memory.
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError:
        raise RegisterFileError("xml") from None
