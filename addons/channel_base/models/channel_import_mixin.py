import base64
import hashlib
import json
import unicodedata
from collections import defaultdict

from psycopg2 import IntegrityError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import split_every
from odoo.tools.translate import LazyTranslate

from ..tools import table_file
from ..tools.import_plan import ImportEntry, ImportPlan, ImportProblem
from ..tools.private_key import PrivateKey

_lt = LazyTranslate(__name__)

#: Rows written within one savepoint: of a batch that is refused, the rows to blame are found by halving it.
BATCH = 500
#: Good rows that the preview shows; the counts tell of all.
PREVIEW = 200
#: Opens the results of the check to the check itself: a client must not say that its file is in order.
_CHECKER = PrivateKey("channel_import_checker")
_RESULTS = frozenset(
    {
        "state",
        "row_count",
        "new_count",
        "changed_count",
        "unchanged_count",
        "error_count",
        "sheet_name",
        "ignored_columns",
        "rejected_file",
        "rejected_name",
        "fingerprint",
    }
)
YES, NO = _lt("Yes"), _lt("No")
TRUE, FALSE = {"true", "yes", "y", "1", "x"}, {"false", "no", "n", "0"}


class ChannelImportMixin(models.AbstractModel):
    """Records from a table (XLSX or CSV), first as a dry run.

    *Check* reads the file and says for every row what applying would do, or every reason why it will not be applied:
    row number, column, what was found, why, and the remedy. It writes nothing. *Apply* does what the check said, or
    refuses when the data has changed since. By ``policy`` it writes only when every row is in order, or the rows that
    are; the others come back as a file with their reasons, to be mended and imported again.

    Importing a file twice changes nothing the second time: rows are found again by :meth:`_import_key`. Blank cells
    leave what is there.

    A model inherits it (a wizard, usually), names :attr:`_import_model` and answers :meth:`_import_columns`,
    :meth:`_import_key`, :meth:`_import_existing`; it may extend :meth:`_import_check` and :meth:`_import_vals`. All of
    them are asked about all rows at once, so that the number of queries does not depend on the number of rows.
    Everything is read and written with the rights of the user.
    """

    _name = "channel.import.mixin"
    _description = "Import from a Table"

    #: Name of the model that rows become.
    _import_model = None

    file = fields.Binary(required=True, attachment=True)
    file_name = fields.Char()
    encoding = fields.Selection(
        [("utf-8", "UTF-8"), ("gb18030", "GB18030 (GBK)"), ("utf-16", "UTF-16"), ("cp1252", "Western European")],
        help="Of a CSV file; empty: found out (UTF-8, else GB18030). Look at the preview when names look wrong.",
    )
    policy = fields.Selection(
        [
            ("clean", "Only when every row is in order"),
            ("good", "Rows in order; give the others back"),
        ],
        string="Apply",
        default="clean",
        required=True,
    )
    state = fields.Selection(
        [("draft", "Draft"), ("checked", "Checked"), ("done", "Applied")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
    )
    row_count = fields.Integer(string="Rows", readonly=True)
    new_count = fields.Integer(string="New", readonly=True)
    changed_count = fields.Integer(string="Changed", readonly=True)
    unchanged_count = fields.Integer(string="Unchanged", readonly=True)
    error_count = fields.Integer(string="Rejected", readonly=True)
    sheet_name = fields.Char(string="Read from", readonly=True, help="Sheet of the workbook, or encoding of the text.")
    ignored_columns = fields.Char(readonly=True, help="Headings of the file that are not read.")
    fingerprint = fields.Char(readonly=True, help="Technical: what the check found that applying would do.")
    problem_ids = fields.One2many(
        "channel.import.line",
        "res_id",
        string="Problems",
        readonly=True,
        domain=lambda self: [("res_model", "=", self._name), ("kind", "=", "problem")],
    )
    preview_ids = fields.One2many(
        "channel.import.line",
        "res_id",
        readonly=True,
        domain=lambda self: [("res_model", "=", self._name), ("kind", "!=", "problem")],
    )
    rejected_file = fields.Binary(
        readonly=True, attachment=True, help="The rejected rows with their reasons, to be mended and imported again."
    )
    rejected_name = fields.Char(readonly=True)
    template_file = fields.Binary(compute="_compute_template_file", help="The columns, and how to fill them in.")

    # === COMPUTE METHODS === #

    def _compute_template_file(self):
        for record in self:
            record.template_file = base64.b64encode(record._template())

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not _CHECKER.opens(self):
            vals_list = [{key: value for key, value in vals.items() if key not in _RESULTS} for vals in vals_list]
            # nor by the default values of a context
            vals_list = [{**vals, "state": "draft"} for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        if _CHECKER.opens(self):
            return super(ChannelImportMixin, _CHECKER.close(self)).write(vals)
        vals = {key: value for key, value in vals.items() if key not in _RESULTS}
        if self._import_inputs() & vals.keys():
            self._require_open()
            vals.update(state="draft", fingerprint=False)
        return super().write(vals)

    # === ACTION METHODS === #

    def action_check(self):
        """Dry run: say what applying would do and which rows cannot be applied, and write none of it.

        :return: the action that shows the result
        :raise UserError: the file as a whole cannot be read
        """
        self.ensure_one()
        self._require_open()
        self._show(self._plan())
        return self._reopen()

    def action_apply(self):
        """Write the rows that are in order, by ``policy`` only when all of them are.

        :return: the action that shows the result
        :raise UserError: not checked, not clean, or the data has changed since the check
        """
        self.ensure_one()
        self._require_open()
        if self.state != "checked":
            raise UserError(self.env._("Check the file first: it shows what will happen."))
        plan = self._plan()
        if plan.fingerprint != self.fingerprint:
            raise UserError(self.env._("The data or your choices have changed since the check. Check again."))
        if plan.problems and self.policy == "clean":
            raise UserError(
                self.env._(
                    "%s rows are not in order: correct the file, or choose to apply the rows that are.",
                    len(plan.rejected),
                )
            )
        savepoint = self.env.cr.savepoint(flush=True)
        with savepoint:
            refused = self._write_all(plan.creates, self._import_create)
            refused += self._write_all(plan.updates, self._import_update)
            refused += self._import_done(plan.creates + plan.updates + plan.unchanged)
            if refused and self.policy == "clean":
                savepoint.rollback()
                self.env.invalidate_all()
        # what only the writing itself found, such as a constraint of another add-on
        plan.problems += refused
        numbers = {problem.row for problem in refused}
        plan.creates = [entry for entry in plan.creates if entry.number not in numbers]
        plan.updates = [entry for entry in plan.updates if entry.number not in numbers]
        done = not (refused and self.policy == "clean")
        self._show(plan, "done" if done else "checked")
        if done:
            self._record_in_journal()
        return self._reopen()

    def action_template(self):
        """Download the template."""
        self.ensure_one()
        return self._download("template_file", f"{self._name.replace('.', '-')}-template.xlsx")

    def action_rejected(self):
        """Download the rejected rows with their reasons."""
        self.ensure_one()
        return self._download("rejected_file", self.rejected_name)

    def _download(self, field, name):
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/{field}/{name}?download=true",
            "target": "download",
        }

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self._description,
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    # === HOOKS === #

    @api.model
    def _import_inputs(self):
        """Return the names of the fields that say what is imported: once they change, the check is void."""
        return {"file", "encoding"}

    def _import_columns(self):
        """Return the list of :class:`ImportColumn` that the file may have."""
        raise UserError(self.env._("%s has no columns.", self._description))

    def _import_key(self, values):
        """Return what makes a row the same record in another file, or None when the row does not say.

        :param dict values: of an :class:`ImportEntry`
        """
        return None

    def _import_existing(self, entries):
        """Return ``{key: recordset}`` of the records that rows name; more than one makes the row ambiguous."""
        return {}

    def _import_check(self, entries):
        """Yield :class:`ImportProblem` (see :meth:`_problem`) for what columns on their own do not show.

        Asked once, about all rows that are in order so far and know their record.
        """
        return ()

    def _import_vals(self, entry):
        """Return the values of a record for one row. For an existing record only differences are written."""
        vals = {}
        for column in self._import_columns():
            if column.name in entry.values:
                value = entry.values[column.name]
                if column.kind == "record":
                    value = value.id
                elif column.kind == "records":
                    value = [fields.Command.set(value.ids)]
                vals[column.field or column.name] = value
        return vals

    def _import_summary(self, entry):
        """Return how the preview names a row."""
        return str(entry.vals.get("name") or entry.key or "")

    def _import_create(self, entries):
        """Create the records of new rows."""
        self.env[self._import_model].create([entry.vals for entry in entries])

    def _import_update(self, entries):
        """Change the records of rows that are known."""
        for entry in entries:
            entry.record.write(entry.vals)

    def _import_done(self, entries):
        """Called after rows have been written, for what ties them together.

        :return: list of :class:`ImportProblem`
        """
        return []

    # === PLAN === #

    def _require_open(self):
        if "done" in self.mapped("state"):
            raise UserError(self.env._("The file has been applied already: start another import."))

    def _plan(self):
        """What applying the file would do, see :class:`ImportPlan`. Reads only."""
        table = self._read_file()
        plan = ImportPlan(table)
        entries = [ImportEntry(number, cells) for number, cells in table.rows]
        plan.problems += self._parse(entries)
        entries = self._without(entries, plan)
        for entry in entries:
            # pylint: disable-next=assignment-from-none  # the default: a row that names nothing
            entry.key = self._import_key(entry.values)
        plan.problems += self._repeated(entries)
        entries = self._without(entries, plan)
        existing = self._import_existing(entries)
        # together, so that what is compared is read for all rows at once
        prefetch = [record_id for found in existing.values() for record_id in found.ids]
        for entry in entries:
            found = existing.get(entry.key)
            if found and len(found) > 1:
                plan.problems.append(
                    self._problem(
                        entry,
                        "",
                        "record_ambiguous",
                        self.env._(
                            "%(count)s records have this key: %(names)s",
                            count=len(found),
                            names=", ".join(found.mapped("display_name")[:3]),
                        ),
                        self.env._("Name it by its code, or merge the records."),
                    )
                )
            entry.record = found.with_prefetch(prefetch) if found else None
        entries = self._without(entries, plan)
        plan.problems += self._missing(entries)
        entries = self._without(entries, plan)
        plan.problems += self._import_check(entries)
        for entry in self._without(entries, plan):
            entry.vals = self._import_vals(entry)
            if not entry.record:
                plan.creates.append(entry)
                continue
            entry.vals = self._differences(entry.record, entry.vals)
            (plan.updates if entry.vals else plan.unchanged).append(entry)
        plan.problems.sort(key=lambda problem: problem.row)
        plan.fingerprint = self._fingerprint_of(plan)
        return plan

    def _missing(self, entries):
        """A row that makes a new record needs what every record has; one that changes a record need not repeat it."""
        required = [column.name for column in self._import_columns() if column.required]
        return [
            self._problem(
                entry,
                name,
                "missing",
                self.env._("is empty"),
                self.env._("A new record needs it: fill in the cell."),
            )
            for entry in entries
            if not entry.record
            for name in required
            if name not in entry.values
        ]

    def _without(self, entries, plan):
        rejected = plan.rejected
        return [entry for entry in entries if entry.number not in rejected]

    def _fingerprint_of(self, plan):
        # Without the policy: it decides whether the plan is applied, not what the plan is, and people choose it when
        # they see the rejected rows.
        digest = json.dumps(
            [
                [entry.vals for entry in plan.creates],
                [(entry.record.id, entry.vals) for entry in plan.updates],
                [entry.number for entry in plan.unchanged],
                sorted(plan.rejected),
            ],
            sort_keys=True,
            default=str,
        )
        return hashlib.sha256(digest.encode()).hexdigest()

    def _differences(self, record, vals):
        """Return the values of ``vals`` that the record does not have yet."""
        different = {}
        for name, value in vals.items():
            field = record._fields[name]
            if field.type == "one2many":
                same = False
            elif field.type == "many2many":
                same = set(record[name].ids) == set(value[0][2])
            elif field.type == "many2one":
                same = record[name].id == (value or False)
            elif field.type in ("float", "monetary"):
                same = abs(record[name] - (value or 0.0)) < 1e-6
            else:
                same = (record[name] or False) == (value or False)
            if not same:
                different[name] = value
        return different

    # === READ === #

    def _read_file(self):
        headings = self._headings()
        content = base64.b64decode(self.with_context(bin_size=False).file or b"")
        try:
            return table_file.read_table(content, headings, self._header_required(), self.encoding)
        except table_file.TableFileError as error:
            raise UserError(self._file_message(error)) from error

    def _header_required(self):
        """Return the names of the columns without which a sheet is not the one that is meant."""
        return [column.name for column in self._import_columns() if column.required]

    def _headings(self):
        """Return ``{spelling: column name}``, in every language that is installed."""
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        headings = {}
        for column in self._import_columns():
            spellings = [column.name, *(self._in_language(column.label, code) for code in (*languages, "en_US"))]
            headings.update(dict.fromkeys(spellings, column.name))
        return headings

    @api.model
    def _in_language(self, label, language):
        return label._translate(language) if hasattr(label, "_translate") else str(label)

    def _label(self, name):
        """Return the heading of a column in the user's language."""
        for column in self._import_columns():
            if column.name == name:
                return self._in_language(column.label, self.env.lang or "en_US")
        return name

    def _file_message(self, error):
        name = self.file_name or self.env._("The file")
        sheets = ", ".join(error.details.get("sheets") or ())
        messages = {
            "no_file": self.env._("%s is empty: 0 bytes. Save it again, or start from the template.", name),
            "too_big": self.env._(
                "%(file)s is larger than %(limit)s MB: split it.",
                file=name,
                limit=error.details.get("limit", 0) // 1024 // 1024,
            ),
            "old_excel": self.env._("%s is in the old Excel format (.xls): save it as .xlsx or as CSV UTF-8.", name),
            "unreadable": self.env._("%s is broken, or neither XLSX nor CSV: save it as .xlsx again.", name),
            "encoding": self.env._(
                "%(file)s is not in encoding %(tried)s: save it as .xlsx or CSV UTF-8, or choose its encoding.",
                file=name,
                tried=", ".join(error.details.get("tried", ())).upper(),
            ),
            "empty": self.env._("%s has no rows: the first row names the columns. Start from the template.", name),
            "too_many": self.env._(
                "%(file)s has more than %(limit)s rows: split it.", file=name, limit=error.details.get("limit")
            ),
        }
        if error.code in messages:
            return messages[error.code]
        missing = ", ".join(self._label(column) for column in error.missing)
        if sheets:
            return self.env._(
                "No sheet of %(file)s (%(sheets)s) has the columns in its first row. Missing: %(missing)s. "
                "Start from the template.",
                file=name,
                sheets=sheets,
                missing=missing,
            )
        return self.env._(
            "The first row of %(file)s must name the columns. Missing: %(missing)s. Start from the template.",
            file=name,
            missing=missing,
        )

    # === PARSE === #

    def _problem(self, entry, column, code, reason, remedy="", value=None):
        """Return an :class:`ImportProblem` of a row."""
        if value is None:
            value = entry.cells.get(column)
        return ImportProblem(entry.number, column, table_file.cell_text(value), code, reason, remedy)

    def _parse(self, entries):
        """Fill in the values of rows: cell by cell, then records by their names, column by column.

        :return: list of :class:`ImportProblem`, all that a row has, not the first only
        """
        problems = []
        for column in self._import_columns():
            parse = getattr(self, f"_parse_{column.kind}")
            for entry in entries:
                cell = entry.cells.get(column.name)
                if table_file.is_blank(cell):
                    continue
                if problem := self._unusable(entry, column, cell):
                    problems.append(problem)
                    continue
                try:
                    entry.values[column.name] = parse(column, cell)
                except ValueError:
                    problems.append(
                        self._problem(entry, column.name, f"{column.kind}_invalid", *self._parse_message(column))
                    )
            if column.resolver:
                problems += self._resolve(column, entries)
        return problems

    def _unusable(self, entry, column, cell):
        if isinstance(cell, table_file.Formula):
            return self._problem(
                entry,
                column.name,
                "formula",
                self.env._("is a formula"),
                self.env._("Copy the column and paste it as values."),
            )
        if isinstance(cell, table_file.CellError):
            return self._problem(
                entry,
                column.name,
                "cell_error",
                self.env._("is an error of the spreadsheet"),
                self.env._("Correct the cell."),
            )
        if (
            isinstance(cell, (int, float))
            and not isinstance(cell, bool)
            and abs(cell) >= table_file.NUMBER_DIGITS
            and column.kind in ("text", "record", "records")
        ):
            return self._problem(
                entry,
                column.name,
                "digits_lost",
                self.env._("is a number of more than 15 digits: the spreadsheet has rounded it"),
                self.env._("Format the column as text, and enter the number again."),
            )
        return None

    def _parse_message(self, column):
        """:return: ``(reason, remedy)``"""
        match column.kind:
            case "date":
                return self.env._("is not a date that has one meaning"), self.env._(
                    "Write it as 2026-03-31, or use a date cell."
                )
            case "selection":
                labels = ", ".join(label for _key, label in self._selection_of(column, self.env.lang))
                return self.env._("is not one of the choices"), self.env._("Choose one of: %s", labels)
            case "boolean":
                return self.env._("is neither yes nor no"), self.env._("Write yes or no.")
            case "integer":
                return self.env._("is not a whole number"), self.env._("Write it in digits, without separators.")
        return self.env._("is not a number"), self.env._("Write it in digits, with a point for decimals.")

    def _parse_text(self, column, cell):
        return table_file.cell_text(cell)

    _parse_record = _parse_text

    def _parse_records(self, column, cell):
        text = table_file.cell_text(cell).replace("；", ";").replace("、", ";").replace("\n", ";")
        return list(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))

    def _parse_number(self, column, cell):
        return table_file.to_number(cell)

    def _parse_integer(self, column, cell):
        number = table_file.to_number(cell)
        if number != int(number):
            raise ValueError(cell)
        return int(number)

    def _parse_date(self, column, cell):
        return table_file.to_date(cell)

    def _parse_boolean(self, column, cell):
        text = table_file.cell_text(cell).casefold()
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        if text in TRUE | {self._in_language(YES, code).casefold() for code in languages}:
            return True
        if text in FALSE | {self._in_language(NO, code).casefold() for code in languages}:
            return False
        raise ValueError(cell)

    def _parse_selection(self, column, cell):
        text = table_file.fold(table_file.cell_text(cell))
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        for language in (self.env.lang, *languages, "en_US"):
            for key, label in self._selection_of(column, language):
                if text in (key.casefold(), table_file.fold(label)):
                    return key
        raise ValueError(cell)

    def _selection_of(self, column, language):
        model = self.env[self._import_model].with_context(lang=language)
        return model._fields[column.field or column.name]._description_selection(model.env)

    def _resolve(self, column, entries):
        """Replace the names of records by the records, for all rows at once."""
        asked = [entry for entry in entries if column.name in entry.values]
        texts = {
            text
            for entry in asked
            for text in (entry.values[column.name] if column.kind == "records" else [entry.values[column.name]])
        }
        if not texts:
            return []
        found = getattr(self, f"_resolve_{column.resolver}")(texts)
        problems = []
        for entry in asked:
            value = entry.values.pop(column.name)
            names = value if column.kind == "records" else [value]
            wrong = [name for name in names if len(found.get(name) or ()) != 1]
            for name in wrong:
                several = found.get(name)
                problems.append(
                    self._problem(
                        entry,
                        column.name,
                        "ambiguous" if several else "unknown",
                        self.env._("stands for %s records", len(several)) if several else self.env._("is not known"),
                        self.env._("Use the code.")
                        if several
                        else self.env._("Use a code or name that exists and that you may see, or enter it first."),
                        value=name,
                    )
                )
            if not wrong:
                records = found[names[0]]
                for name in names[1:]:
                    records |= found[name]
                entry.values[column.name] = records
        return problems

    @api.model
    def _resolve_by(self, model, texts, names, domain=()):
        """Find records by texts: one query for each field, and for each language of a translated one.

        A text that a field earlier in ``names`` knows is not looked for in the next one, so that a code goes before
        a name.

        :param texts: set of texts; case, width and blanks at the ends do not matter
        :param names: names of fields, codes before names
        :param domain: further condition
        :return: ``{text: recordset}``, texts that nothing answers to left out
        """
        Model = self.env[model]
        pending = defaultdict(set)
        for text in texts:
            pending[self._fold(text)].add(text)
        result = {}
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        for name in names:
            open_keys = {key for key in pending if not result.keys() & pending[key]}
            if not open_keys:
                break
            spellings = {text for key in open_keys for text in pending[key]}
            spellings |= {spelling for text in spellings for spelling in (text.upper(), text.lower(), self._fold(text))}
            answers = defaultdict(lambda: Model.browse())
            for language in languages if Model._fields[name].translate else (self.env.lang,):
                localized = Model.with_context(lang=language)
                for record in localized.search([*domain, (name, "in", list(spellings))]):
                    answers[self._fold(record[name])] |= Model.browse(record.id)
            for key in open_keys & answers.keys():
                result.update(dict.fromkeys(pending[key], answers[key]))
        return result

    @api.model
    def _fold(self, text):
        return unicodedata.normalize("NFKC", text or "").casefold().strip()

    def _repeated(self, entries):
        """Reject rows that name the same record: repetitions after the first, and all of those that contradict."""
        by_key = defaultdict(list)
        for entry in entries:
            if entry.key is not None:
                by_key[entry.key].append(entry)
        problems = []
        for same in by_key.values():
            first, *others = same
            if all(other.values == first.values for other in others):
                problems += [
                    self._problem(
                        entry,
                        "",
                        "duplicate",
                        self.env._("is the same as row %s", first.number),
                        self.env._("Delete the row."),
                    )
                    for entry in others
                ]
                continue
            numbers = ", ".join(str(entry.number) for entry in same)
            problems += [
                self._problem(
                    entry,
                    "",
                    "conflict",
                    self.env._("rows %s say different things of the same record", numbers),
                    self.env._("Keep one of them."),
                )
                for entry in same
            ]
        return problems

    # === WRITE === #

    def _write_all(self, entries, write):
        """Write rows in batches, each within a savepoint.

        :return: list of :class:`ImportProblem` for the rows that the models refuse
        """
        problems = []
        for batch in split_every(BATCH, entries, list):
            problems += self._write_batch(batch, write)
        return problems

    def _write_batch(self, entries, write):
        try:
            with self.env.cr.savepoint():
                write(entries)
            return []
        except UserError as error:
            message = str(error)
        except IntegrityError as error:
            message = self.env[self._import_model]._sql_error_to_message(error)
        if len(entries) == 1:
            return [self._problem(entries[0], "", "refused", message)]
        middle = len(entries) // 2
        return self._write_batch(entries[:middle], write) + self._write_batch(entries[middle:], write)

    def _show(self, plan, state="checked"):
        self._lines().unlink()
        rejected = plan.rejected
        name = (self.file_name or "").rsplit(".", 1)[0] or "import"
        _CHECKER.open(self).write(
            {
                "state": state,
                "fingerprint": plan.fingerprint,
                "row_count": len(plan.table.rows),
                "new_count": len(plan.creates),
                "changed_count": len(plan.updates),
                "unchanged_count": len(plan.unchanged),
                "error_count": len(rejected),
                "sheet_name": plan.table.sheet or plan.table.encoding,
                "ignored_columns": ", ".join(plan.table.unknown),
                "rejected_file": base64.b64encode(self._rejected_table(plan)) if rejected else False,
                "rejected_name": f"{name}-rejected.xlsx" if rejected else False,
            }
        )
        self.env["channel.import.line"].create(
            [
                *(self._problem_vals(problem) for problem in plan.problems),
                *(self._preview_vals(entry, "create") for entry in plan.creates[:PREVIEW]),
                *(self._preview_vals(entry, "update") for entry in plan.updates[:PREVIEW]),
            ]
        )
        self.invalidate_recordset(["problem_ids", "preview_ids"])

    def _lines(self):
        return self.env["channel.import.line"].search([("res_model", "=", self._name), ("res_id", "in", self.ids)])

    def _problem_vals(self, problem):
        return {
            "res_model": self._name,
            "res_id": self.id,
            "kind": "problem",
            "row_number": problem.row,
            "column": problem.column and self._label(problem.column),
            "value": problem.value,
            "code": problem.code,
            "reason": problem.reason,
            "remedy": problem.remedy,
        }

    def _preview_vals(self, entry, kind):
        return {
            "res_model": self._name,
            "res_id": self.id,
            "kind": kind,
            "row_number": entry.number,
            "summary": entry.record.display_name if kind == "update" else self._import_summary(entry),
            "changes": kind == "update" and "; ".join(self._change_text(entry, name) for name in entry.vals),
        }

    def _change_text(self, entry, name):
        field = self.env[self._import_model]._fields[name]
        before, after = entry.record[name], entry.vals[name]
        if field.type == "one2many":
            return f"{field._description_string(self.env)}: +{len(after)}"
        if field.relational:
            ids = after[0][2] if field.type == "many2many" else [after] if after else []
            after = ", ".join(self.env[field.comodel_name].browse(ids).mapped("display_name"))
            before = ", ".join(before.mapped("display_name"))
        elif field.type == "selection":
            labels = dict(field._description_selection(self.env))
            before, after = labels.get(before, before), labels.get(after, after)
        return f"{field._description_string(self.env)}: {before or '-'} → {after or '-'}"

    def _rejected_table(self, plan):
        """The rejected rows as they were, with two columns more: why, and what to do."""
        reasons = defaultdict(list)
        for problem in plan.problems:
            label = problem.column and self._label(problem.column)
            reasons[problem.row].append((f"{label}: {problem.reason}" if label else problem.reason, problem.remedy))
        columns = [(name, self._label(name)) for name in plan.table.columns]
        rows = [
            {
                **cells,
                "__reason": "; ".join(reason for reason, _remedy in reasons[number]),
                "__remedy": " ".join(dict.fromkeys(remedy for _reason, remedy in reasons[number] if remedy)),
            }
            for number, cells in plan.table.rows
            if number in reasons
        ]
        return table_file.write_table(
            [*columns, ("__reason", self.env._("Reason")), ("__remedy", self.env._("Remedy"))], rows
        )

    def _template(self):
        """The template: a sheet with the columns, and one that explains them with examples."""
        columns = self._import_columns()
        notes = [
            [
                self.env._("Column"),
                self.env._("Required"),
                self.env._("What to write"),
                self.env._("Example"),
            ]
        ]
        for column in columns:
            text = self._in_language(column.help, self.env.lang or "en_US")
            if column.kind == "selection":
                text = ", ".join(label for _key, label in self._selection_of(column, self.env.lang))
            notes.append(
                [
                    self._label(column.name),
                    self.env._("Yes") if column.required else "",
                    text,
                    column.example,
                ]
            )
        headings = [
            (column.name, f"{self._label(column.name)} *" if column.required else self._label(column.name))
            for column in columns
        ]
        return table_file.write_table(headings, [], notes=(self.env._("How to fill in"), notes))

    def _record_in_journal(self):
        content = base64.b64decode(self.with_context(bin_size=False).file)
        self.env["channel.audit.entry"]._record(
            "import.applied",
            self,
            after={
                "model": self._import_model,
                "file": self.file_name or "",
                "sha256": hashlib.sha256(content).hexdigest(),
                "new": self.new_count,
                "changed": self.changed_count,
                "unchanged": self.unchanged_count,
                "rejected": self.error_count,
            },
        )
