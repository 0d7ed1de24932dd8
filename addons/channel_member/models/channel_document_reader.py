import io
import json
import logging
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from odoo import api, models
from odoo.tools import find_in_path, str2bool
from odoo.tools.mimetypes import guess_mimetype

from .. import tools

_logger = logging.getLogger(__name__)

PDF_SCRIPT = Path(tools.__file__).with_name("pdf_text.py")
#: Memory that reading one PDF may take; pypdf itself refuses streams above 75 MB.
PDF_MEGABYTES = 768
#: Text beyond this is not looked at: a licence has one page.
MAX_CHARACTERS = 40_000
#: Pixels of a photo that is handed to OCR at most (a telephone makes 12 to 50 million).
MAX_PIXELS = 64_000_000
#: How many words of a text are tried as the number of the document.
MAX_CANDIDATES = 400
#: Longest value of one line that is taken over, and longest text of several lines.
MAX_LINE = 200
MAX_BLOCK = 8_000

IMAGE_TYPES = {"image/jpeg", "image/png", "image/webp"}
MONTHS = {
    name: index
    for index, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
            "september sep sept", "october oct", "november nov", "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
DATE_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
DATE_EUROPE = re.compile(r"(?<!\d)(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)")
DATE_DAY_MONTH = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?\.? {1,3}([A-Za-z]{3,9})\.?,? {1,3}(\d{4})(?!\d)")
DATE_MONTH_DAY = re.compile(r"([A-Za-z]{3,9})\.? {1,3}(\d{1,2})(?:st|nd|rd|th)?,? {1,3}(\d{4})(?!\d)")


class ChannelDocumentReader(models.AbstractModel):
    """Read licences and certificates, to prefill what the holder then confirms. Nothing is decided by what is read.

    A *reader* turns a file into text: a method ``_reader_<key>(self, content, mimetype)`` of this model that gets
    bytes and returns ``{"text": str, "pages": int, "error": False or code}``, or None when the file is not for it.
    :meth:`_readers` names them in the order in which they are asked; the first that finds text wins.

    A *field method* turns text into fields: ``_read_fields_<code>(self, text)``, ``code`` being that of the
    qualification type, returns ``{field: str}``, as written on the document. A country's add-on adds both kinds by
    writing them. Fields have common names, whatever the country: ``number``, ``uscc`` (the holder's identification
    number), ``name`` (of the holder), ``legal_person``, ``person_in_charge``, ``domicile``, ``place``, ``mode``,
    ``scope_text``, ``warehouse``, ``issuer``, ``issue_date``, ``valid_from``, ``expiry_date``, ``no_expiry``,
    ``product_name``, ``model``.
    """

    _name = "channel.document.reader"
    _description = "Document Reader"

    # === BUSINESS METHODS === #

    @api.model
    def _read(self, content, qualification_type=None):
        """Read one file that nobody has vouched for.

        :param content: bytes, or an ``ir.attachment``
        :param qualification_type: the kind of document that it should be; without it only general labels are read
        :return: dict of

            * ``values``: ``{field: str}``; dates as ``YYYY-MM-DD``, ``no_expiry`` True
            * ``confidence``: ``{field: code}``: ``high`` (the format or check digit of the number confirms it),
              ``medium`` (stands behind its label in the text layer), ``low`` (recognised from a picture)
            * ``source``: ``text_layer``, ``ocr`` (or another reader's key), False when there was no text
            * ``text``: what was read, at most 40,000 characters
            * ``pages``: number of pages of the file
            * ``error``: False, or ``format``, ``size``, ``encrypted``, ``broken``, ``timeout``, ``empty``, ``no_text``
            * ``message``: a sentence for a person about the error, else False

        Never raises on what is in the file.
        """
        content = content.raw if isinstance(content, models.BaseModel) else content
        result = {
            "values": {}, "confidence": {}, "source": False, "text": "", "pages": 0, "error": False, "message": False,
        }  # fmt: skip
        found = self._read_text(content or b"")
        result.update(found)
        if result["text"]:
            try:
                result["values"], result["confidence"] = self._read_fields(
                    result["text"], qualification_type, result["source"]
                )
            except Exception:  # noqa: BLE001
                # A pattern that stumbles over a stranger's file must not stop the upload.
                _logger.info("The fields of a document could not be read", exc_info=True)
                result["error"] = "broken"
        result["message"] = result["error"] and self._read_errors().get(result["error"], result["error"])
        return result

    @api.model
    def _read_text(self, content):
        """:return: ``text``, ``source``, ``pages`` and ``error`` of :meth:`_read`"""
        if not content:
            return {"error": "empty"}
        if len(content) > self._reader_param("reader_max_mb", 20) << 20:
            return {"error": "size"}
        mimetype = guess_mimetype(content)
        if mimetype != "application/pdf" and mimetype not in IMAGE_TYPES:
            return {"error": "format"}
        found = {"error": "no_text"}
        for key in self._readers():
            result = getattr(self, f"_reader_{key}")(content, mimetype)
            if not result:
                continue
            # A NUL cannot be stored, and is what a broken font gives for a character it does not know.
            text = result["text"].replace("\x00", "").encode("utf-8", "ignore").decode()[:MAX_CHARACTERS]
            if text.strip():
                return {"text": text, "source": key, "pages": result["pages"], "error": False}
            found = {"pages": result["pages"], "error": result["error"] or "no_text"}
        return found

    @api.model
    def _read_fields(self, text, qualification_type, source):
        """:return: ``values`` and ``confidence`` of :meth:`_read`"""
        code = qualification_type.code if qualification_type else ""
        method = getattr(self, f"_read_fields_{code}", None) or self._read_fields_default
        raw = {field: value for field, value in method(text).items() if value}
        values = {}
        for field, value in raw.items():
            if field in ("issue_date", "valid_from", "expiry_date"):
                value = self._read_date(value)
            elif field != "no_expiry":
                value = value.strip()[: MAX_BLOCK if field == "scope_text" else MAX_LINE]
            if value:
                values[field] = value
        level = "medium" if source == "text_layer" else "low"
        confidence = dict.fromkeys(values, level)
        if qualification_type:
            number = self._read_number(text, values.get("number"), qualification_type)
            if number:
                values["number"] = number
                confidence["number"] = "high" if source == "text_layer" else "low"
        return values, confidence

    @api.model
    def _read_number(self, text, labelled, qualification_type):
        """The number in its canonical spelling when its type can tell one: the labelled one, else any word."""
        if not (qualification_type.validator or qualification_type.number_format):
            return False
        words = re.split(r"[\s,;:，；：、|]+", text, maxsplit=MAX_CANDIDATES)[:MAX_CANDIDATES]
        for candidate in filter(None, [labelled, *words, *(word.strip("()（）[].。") for word in words)]):
            if 4 <= len(candidate) <= 60:
                result = qualification_type._validate(candidate)
                if result["valid"]:
                    return result["parsed"]["number"]
        return False

    # === READERS === #

    @api.model
    def _readers(self):
        """Keys of the readers, in the order in which they are asked."""
        return ["text_layer", "ocr"]

    @api.model
    def _reader_text_layer(self, content, mimetype):
        """The text that a PDF itself contains, by pypdf, in a process of its own."""
        if mimetype != "application/pdf":
            return None
        seconds = self._reader_param("reader_seconds", 10)
        command = [
            sys.executable, "-I", str(PDF_SCRIPT), str(self._reader_param("reader_max_pages", 10)),
            str(MAX_CHARACTERS), str(seconds), str(PDF_MEGABYTES), *sys.path,
        ]  # fmt: skip
        output, error = self._reader_run(command, content, seconds)
        if error:
            return {"text": "", "pages": 0, "error": error}
        try:
            result = json.loads(output)
        except ValueError:
            return {"text": "", "pages": 0, "error": "broken"}
        return {"text": result["text"], "pages": result["pages"], "error": result["error"] or False}

    @api.model
    def _reader_ocr(self, content, mimetype):
        """Photos, by the program tesseract where it is installed and the parameter ``channel_member.reader_ocr`` set.

        A scan inside a PDF is not recognised: it would have to be drawn first.
        """
        if mimetype not in IMAGE_TYPES or not str2bool(self._reader_get_param("reader_ocr") or "", False):
            return None
        try:
            program = find_in_path("tesseract")
        except OSError:
            return None
        try:
            with Image.open(io.BytesIO(content)) as image:  # reads the header only
                width, height = image.size
        except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
            return {"text": "", "pages": 0, "error": "broken"}
        if width * height > MAX_PIXELS:
            return {"text": "", "pages": 1, "error": "size"}
        output, error = self._reader_run(
            [program, "stdin", "stdout", "-l", "+".join(self._reader_ocr_languages())],
            content,
            self._reader_param("reader_ocr_seconds", 30),
        )
        return {"text": (output or b"").decode("utf-8", "replace"), "pages": 1, "error": error}

    @api.model
    def _reader_ocr_languages(self):
        """Names of tesseract's language files, the most likely first."""
        return ["eng"]

    @api.model
    def _reader_run(self, command, content, seconds):
        """Run a program on a file: ``(output, error code or False)``. No shell, no file, an empty environment."""
        try:
            done = subprocess.run(  # noqa: S603 (fixed program, the file is its input)
                command, input=content, capture_output=True, timeout=seconds, check=False, env={"PATH": ""}
            )
        except subprocess.TimeoutExpired:
            return None, "timeout"
        except OSError:
            _logger.warning("%s could not be started to read a document", command[0], exc_info=True)
            return None, "broken"
        if done.returncode:
            _logger.info("A document could not be read (%s): %s", done.returncode, done.stderr[-300:])
            # A negative code is the signal by which the operating system ended it: a limit was reached.
            return None, "timeout" if done.returncode < 0 else "broken"
        return done.stdout, False

    # === FIELDS === #

    @api.model
    def _read_fields_default(self, text):
        """English labels, as international certificates have them."""
        return self._read_labelled(text, {
            "number": ["certificate number", "certificate no", "licence number", "licence no", "license number",
                       "license no", "registration number", "registration no", "registration id", "number", "no"],
            "name": ["name of the company", "company name", "legal name", "name of holder", "holder", "issued to",
                     "manufacturer", "organisation", "organization"],
            "domicile": ["registered office", "registered address", "address"],
            "scope_text": ["scope of certification", "scope of business", "scope"],
            "issuer": ["issuing authority", "issuing body", "issued by", "notified body", "certification body"],
            "issue_date": ["date of issue", "issue date", "issued on", "first issued"],
            "valid_from": ["valid from", "effective date", "in force from"],
            "expiry_date": ["date of expiry", "expiry date", "expiration date", "valid until", "valid to", "expires on",
                            "expires"],
        })  # fmt: skip

    @api.model
    def _read_labelled(self, text, labels, blocks=("scope_text",)):
        """The values that stand behind labels.

        A label begins a line or follows a blank, and ends with a colon or a blank; its letters may be spread. Its
        value runs to the end of the line (of the next line when the label stands alone), or to the next label for
        the fields in ``blocks``.

        :param labels: ``{field: [label]}``; of a field that stands there twice the first value counts
        :return: ``{field: str}``
        """
        fields_by_label = {
            "".join(label.split()).casefold(): field for field, names in labels.items() for label in names
        }
        gap = "[ \t\u3000]{0,4}"
        alternatives = "|".join(
            gap.join(re.escape(letter) for letter in label) for label in sorted(fields_by_label, key=len, reverse=True)
        )
        pattern = re.compile(
            rf"(?:^|(?<=[\s\u3000]))({alternatives})\.?[ \t\u3000]{{0,20}}(?:[:：]|(?=[\s\u3000])|$)",
            re.IGNORECASE | re.MULTILINE,
        )
        matches = list(pattern.finditer(text))
        values = {}
        ends = [*(match.start() for match in matches[1:]), len(text)]
        for match, end in zip(matches, ends, strict=False):  # without a match there is one end too many
            field = fields_by_label["".join(match[1].split()).casefold()]
            value = text[match.end(): end]
            if field not in blocks:
                value = next((line.strip() for line in value.splitlines() if line.strip()), "")
            if value.strip() and field not in values:
                values[field] = value.strip()
        return values

    @api.model
    def _read_date(self, text):
        """The first date in ``text`` as ``YYYY-MM-DD``, or False. 03/04/2026 tells no date and is not guessed."""
        return next(iter(self._read_dates(text)), False)

    @api.model
    def _read_dates(self, text):
        """All dates in ``text`` in their order, as ``YYYY-MM-DD``."""
        found = []
        for match in DATE_ISO.finditer(text):
            found.append((match.start(), match[1], match[2], match[3]))
        for match in DATE_EUROPE.finditer(text):
            found.append((match.start(), match[3], match[2], match[1]))
        for match in DATE_DAY_MONTH.finditer(text):
            found.append((match.start(), match[3], MONTHS.get(match[2].lower(), 0), match[1]))
        for match in DATE_MONTH_DAY.finditer(text):
            found.append((match.start(), match[3], MONTHS.get(match[1].lower(), 0), match[2]))
        return self._read_dates_sorted(found)

    @api.model
    def _read_dates_sorted(self, found):
        """``[(position, year, month, day)]`` as dates in the order of their positions; what is no date is left out."""
        dates = []
        for _position, year, month, day in sorted(found, key=lambda entry: entry[0]):
            try:
                dates.append(date(int(year), int(month), int(day)).isoformat())
            except ValueError:
                continue
        return dates

    # === HOOKS === #

    def _read_errors(self):
        """``{code: sentence}`` of why a file could not be read."""
        return {
            "format": self.env._("The file is neither a PDF nor a picture (JPEG, PNG, WebP)."),
            "size": self.env._("The file is too large to be read."),
            "encrypted": self.env._("The file is protected by a password."),
            "broken": self.env._("The file is damaged and could not be read."),
            "timeout": self.env._("Reading the file took too long."),
            "empty": self.env._("The file is empty."),
            "no_text": self.env._("The file is a picture without text: please type in what it says."),
        }

    # === TOOLING === #

    @api.model
    def _reader_get_param(self, name):
        # sudo: limits of the program, no secret; a visitor's upload obeys them too.
        return self.env["ir.config_parameter"].sudo().get_param(f"channel_member.{name}")

    @api.model
    def _reader_param(self, name, default):
        """A positive whole number from the parameters; the default when it is none."""
        value = self._reader_get_param(name) or ""
        return int(value) if value.isdecimal() and int(value) else default
