import base64
from itertools import islice

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import register

BATCH = 5000
#: Bad rows that are kept with their values; more are only counted.
MAX_KEPT = 10000


class ChannelRegisterImport(models.Model):
    """A file of an authority on its way into an official list: checked first, then imported, and kept as a record.

    The file is read as a stream in blocks of :data:`BATCH` rows. Rows that cannot be read are put aside with the
    reason (``channel.register.import.row``); they never stop the others, and none is dropped silently.
    """

    _name = "channel.register.import"
    _description = "Import of an Official List"
    _order = "id desc"
    _rec_name = "file_name"

    list_id = fields.Many2one("channel.register.list", required=True, index=True, ondelete="cascade")
    file = fields.Binary(attachment=True, required=True, help="CSV, XLSX, XML, or a ZIP archive of those.")
    file_name = fields.Char(required=True)
    as_of = fields.Date(
        string="As of", required=True, default=fields.Date.context_today, help="Date of the file, as published."
    )
    replace = fields.Boolean(
        string="Replace the List",
        help="The file is the whole list: entries that are not in it are removed. Without it, rows are added to the "
        "list and replace those of the same key.",
    )
    state = fields.Selection(
        [("draft", "New"), ("checked", "Checked"), ("done", "Imported")], default="draft", required=True, readonly=True,
        copy=False,
    )
    row_count = fields.Integer(string="Rows Read", readonly=True, copy=False)
    good_count = fields.Integer(string="Good Rows", readonly=True, copy=False)
    bad_count = fields.Integer(string="Bad Rows", readonly=True, copy=False)
    stored_count = fields.Integer(
        string="Rows Stored", readonly=True, copy=False, help="Added or replaced; older versions are left out."
    )
    columns_ignored = fields.Char(string="Columns Not Used", readonly=True, copy=False)
    row_ids = fields.One2many("channel.register.import.row", "import_id", string="Rows Put Aside", readonly=True)

    #=== CRUD METHODS ===#

    def write(self, vals):
        if {"file", "file_name", "list_id", "as_of", "replace"} & vals.keys():
            if any(record.state == "done" for record in self):
                raise UserError(self.env._("An import that is done is not changed: make a new one."))
            vals = {**vals, "state": "draft"}
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        if any(record.state == "done" for record in self):
            raise UserError(self.env._("An import that is done is kept: it says where the entries come from."))

    #=== ACTION METHODS ===#

    def action_check(self):
        """Dry run: read the whole file, count, and put aside what is wrong; the list does not change."""
        for record in self:
            record._run(store=False)
        return True

    def action_import(self):
        """Read the file into the list.

        :raise UserError: the file cannot be read, has no column with a number, or no good row
        """
        for record in self:
            if record.state == "done":
                raise UserError(self.env._("This file is imported already."))
            record._run(store=True)
        return True

    #=== BUSINESS METHODS ===#

    def _run(self, store):
        self.ensure_one()
        self.check_access("write")
        # sudo: entries and rows put aside are written by imports only; the right to import was checked above.
        entries = self.env["channel.register.entry"].sudo()
        self.sudo().row_ids.unlink()
        if store and self.replace:
            self.list_id.sudo().entry_ids.unlink()
        counts = {"row_count": 0, "good_count": 0, "bad_count": 0, "stored_count": 0}
        names, ignored = {}, set()
        stream = register.rows(base64.b64decode(self.file or b""), self.file_name)
        reader = self._reader()
        try:
            while block := list(islice(stream, BATCH)):
                good, bad = [], []
                for line, row in block:
                    for header in row.keys() - names.keys() - ignored:
                        field = reader["columns"].get(register.plain(header))
                        if field:
                            names[header] = field
                        else:
                            ignored.add(header)
                    values, problem = self._read_row(self._by_field(row, names), reader)
                    if problem:
                        bad.append((line, problem, row))
                    else:
                        good.append(values)
                if not {"number", "holder_code"} & set(names.values()):
                    raise UserError(self.env._(
                        "File %(file)s has no column with a number. Columns found: %(columns)s. Name it for example "
                        "\"number\".", file=self.file_name, columns=", ".join(sorted(filter(None, ignored))) or "-",
                    ))
                counts["row_count"] += len(block)
                counts["good_count"] += len(good)
                self._put_aside(bad, MAX_KEPT - counts["bad_count"])
                counts["bad_count"] += len(bad)
                if store:
                    counts["stored_count"] += entries._upsert(self.list_id, good)
        except register.RegisterFileError as error:
            raise UserError(self._file_problem(error.code)) from None
        if not counts["row_count"]:
            raise UserError(self._file_problem("empty"))
        if store and not counts["good_count"]:
            raise UserError(self.env._("File %s has no row that can be imported.", self.file_name))
        # sudo: as above; the counts are not for editing
        self.sudo().write({
            **counts,
            "columns_ignored": ", ".join(sorted(filter(None, ignored)))[:1000] or False,
            "state": "done" if store else "checked",
        })
        if store:
            self._imported()

    def _imported(self):
        register_list = self.list_id
        # sudo: as in _run
        register_list.sudo().write({
            "as_of": max(filter(None, (register_list.as_of, self.as_of))), "imported_at": fields.Datetime.now()
        })
        self.env["channel.audit.entry"]._record("register.imported", self, after={
            self.id: {
                "list": register_list.name, "file": self.file_name, "as_of": self.as_of, "rows": self.good_count,
                "bad": self.bad_count,
            }
        })
        if register_list.auto_verify:
            self.env.ref("channel_member.ir_cron_register_verify")._trigger()

    def _put_aside(self, bad, room):
        # sudo: as in _run
        self.env["channel.register.import.row"].sudo().create([
            {
                "import_id": self.id,
                "line": line,
                "reason": reason,
                "message": message,
                "values": {header: str(value) for header, value in row.items() if value not in (None, "")},
            }
            for line, (reason, message), row in bad[:max(room, 0)]
        ])

    @api.model
    def _reader(self):
        """What is looked up for every row, made once."""
        return {
            "columns": {
                register.plain(header): field for field, headers in self._columns().items() for header in headers
            },
            "words": {
                field: {register.plain(word): value for value, words in of_field.items() for word in words}
                for field, of_field in self._words().items()
            },
        }

    @api.model
    def _by_field(self, row, names):
        """``{field: value}`` of a row; of several columns for one field the first filled one counts.

        Catalogue codes are kept of all: authorities write those of each catalogue into a column of its own.
        """
        fields_of_row = {}
        for header, value in row.items():
            field = names.get(header)
            if not field or value in (None, ""):
                continue
            if field == "category_codes" and field in fields_of_row:
                fields_of_row[field] = f"{fields_of_row[field]}, {value}"
            else:
                fields_of_row.setdefault(field, value)
        return fields_of_row

    @api.model
    def _read_row(self, row, reader):
        """:return: ``(values of an entry, None)`` or ``(None, (reason, message))``, see :meth:`_reasons`"""
        values = {}
        for field, value in row.items():
            if field in ("date_from", "date_to"):
                try:
                    values[field] = register.to_date(value)
                except ValueError:
                    return None, ("date", self.env._(
                        "%(field)s: %(value)s is no date; write it as 2026-12-31.",
                        field=self._label(field), value=value,
                    ))
                continue
            text = str(value if value is not None else "").strip()
            words = reader["words"].get(field)
            if words is None:
                values[field] = text
            elif text:
                if register.plain(text) not in words:
                    return None, (field, self.env._(
                        "%(field)s: %(value)s is not known; known are %(known)s.",
                        field=self._label(field), value=text, known=", ".join(sorted(words)),
                    ))
                values[field] = words[register.plain(text)]
        number = values.get("number")
        if not number:
            return None, ("number", self.env._("The row has no number."))
        if values.get("date_from") and values.get("date_to") and values["date_to"] < values["date_from"]:
            return None, ("order", self.env._("The row expires before it begins."))
        values["number_key"] = register.key(number)
        values["key"] = register.key(values.get("key")) or values["number_key"]
        values["holder_code"] = register.key(values.get("holder_code"))
        if values.get("version", "").isdigit():
            # Compared as text, so that 10 must come after 9.
            values["version"] = values["version"].zfill(10)
        values.setdefault("status", "in_force")
        return values, None

    @api.model
    def _label(self, field):
        return self.env["channel.register.entry"]._fields[field]._description_string(self.env)

    def _file_problem(self, code):
        return {
            "kind": self.env._("%s is none of the files that can be read: CSV, XLSX, XML, or a ZIP of those.",
                               self.file_name),
            "empty": self.env._("%s has no rows.", self.file_name),
            "encoding": self.env._("%s cannot be read: save it as UTF-8 or GB 18030.", self.file_name),
            "xml": self.env._("%s is broken: it is no well-formed XML.", self.file_name),
        }[code]

    #=== HOOKS ===#

    @api.model
    def _columns(self):
        """``{field of an entry: [header]}``; headers are compared without case, blanks and punctuation.

        An add-on of a country adds the headers of its authorities.
        """
        return {
            "key": ["key", "primary di", "di"],
            "number": ["number", "licence number", "license number", "registration number", "certificate number"],
            "name": ["name", "product name", "device name"],
            "holder_name": ["holder", "holder name", "company", "company name", "registrant", "manufacturer"],
            "holder_code": ["holder code", "company code", "uscc", "vat", "registration code", "srn"],
            "person": ["person", "legal person", "legal representative"],
            "address": ["address", "domicile"],
            "issuer": ["issuer", "authority"],
            "date_from": ["date from", "valid from", "issue date", "approval date"],
            "date_to": ["date to", "valid to", "valid until", "expiry", "expiry date"],
            "device_class": ["class", "device class", "risk class"],
            "category_codes": ["category", "categories", "classification code"],
            "scope_text": ["scope", "scope of business", "business scope"],
            "status": ["status", "state"],
            "version": ["version", "version number"],
        }

    @api.model
    def _words(self):
        """``{field: {value: [word]}}`` of the fields that hold one of a few values."""
        return {
            "device_class": {
                "I": ["I", "1", "class I"], "II": ["II", "2", "class II"], "III": ["III", "3", "class III"],
            },
            "status": {
                "in_force": ["in_force", "in force", "valid", "active", "current"],
                "cancelled": ["cancelled", "canceled", "revoked", "withdrawn"],
                "suspended": ["suspended"],
            },
        }
