import base64
import io
from collections import defaultdict
from hashlib import sha256

import openpyxl
from markupsafe import escape
from openpyxl.styles import Font

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools.translate import LazyTranslate

from odoo.addons.channel_base.tools import table_file
from odoo.addons.channel_base.tools.import_plan import ImportColumn, ImportEntry, ImportProblem

from ..models.channel_contract_version_import_mixin import _IMPORTER
from ..tools import pdf_archive

_lt = LazyTranslate(__name__)

NUMBER = ImportColumn("number", _lt("Contract Number"), required=True, example="CT2024-0017",
                      help=_lt("Your own number, as it stands on the paper."))
START = ImportColumn("valid_from", _lt("Valid From"), "date", required=True, example="2026-01-01",
                     help=_lt("A contract with several versions has a row for each, told apart by their first days."))

SHEETS = {
    "contracts": [
        NUMBER,
        ImportColumn("title", _lt("Title"), required=True, example="Distribution of implants in East China"),
        ImportColumn("type", _lt("Contract Type"), "record", resolver="contract_type", example="distribution",
                     help=_lt("Code or name; empty: the first type.")),
        ImportColumn("member", _lt("Member"), "record", required=True, resolver="member", example="M00042",
                     help=_lt("Code, identification number or name.")),
        ImportColumn("owner", _lt("Owner"), "record", resolver="user", example="li.wei",
                     help=_lt("Login or name of the user in charge; empty: whoever imports.")),
        START,
        ImportColumn("valid_to", _lt("Valid To"), "date", example="2026-12-31",
                     help=_lt("Last day; empty: until further notice.")),
        ImportColumn("price_table", _lt("Price Table"), "record", resolver="price_table", field="pricelist_id"),
        ImportColumn("payment_terms", _lt("Payment Terms"), "record", resolver="payment_term",
                     field="payment_term_id", example="30 Days"),
        ImportColumn("renewal", _lt("At the End"), "selection", example="none"),
        ImportColumn("notice_days", _lt("Notice Period (Days)"), "integer", example="60"),
        ImportColumn("language", _lt("Language"), "selection", field="lang", example="zh_CN",
                     help=_lt("Of the contract; empty: the member's.")),
        ImportColumn("purpose", _lt("Subject of the Version")),
        ImportColumn("company_signatory", _lt("Signatory of the Company")),
        ImportColumn("member_signatory", _lt("Signatory of the Member")),
        ImportColumn("signed_on", _lt("Paper Signed on"), "date", example="2025-12-18"),
        ImportColumn("document", _lt("PDF of the Paper"), example="CT2024-0017.pdf",
                     help=_lt("Name of the file in the ZIP; empty: the file named like the contract's number.")),
    ],
    "commitments": [
        NUMBER,
        START._replace(required=False, help=_lt("Of the version, where the contract has several rows.")),
        ImportColumn("subject", _lt("Commitment"), field="name", required=True, example="Implants, all hospitals"),
        ImportColumn("period", _lt("Period"), "selection", required=True, example="year"),
        ImportColumn("amount", _lt("Amount before Tax"), "number", required=True, example="600000"),
        ImportColumn("product_category", _lt("Product Category"), "record", resolver="product_category",
                     field="product_categ_id"),
    ],
    "clauses": [
        NUMBER,
        START._replace(required=False, help=_lt("Of the version, where the contract has several rows.")),
        ImportColumn("clause_title", _lt("Clause"), field="title", required=True, example="Quality"),
        ImportColumn("clause_text", _lt("Text"), example="Records are kept for five years.",
                     help=_lt("A line break begins a new paragraph. Empty: the text of the library.")),
        ImportColumn("clause", _lt("Clause of the Library"), "record", resolver="clause", example="QUAL",
                     help=_lt("Code or title; empty: a clause of this contract only.")),
    ],
}
MODELS = {"commitments": "channel.contract.commitment", "clauses": "channel.contract.clause.line"}
TITLES = {"contracts": _lt("Contracts"), "commitments": _lt("Commitments"), "clauses": _lt("Clauses")}
#: What all rows of one contract must say alike
SHARED = ("title", "type", "member", "owner")
#: Columns that are no terms of a version
OF_CONTRACT = {"number", *SHARED, "signed_on", "document"}


class ChannelContractImport(models.TransientModel):
    """Contracts that exist on paper, from a workbook and a ZIP with their PDFs.

    The sheet of contracts has a row for each version. Commitments and clauses stand in sheets of their own, by the
    number of the contract; they are read for versions that are new. A version is applied with all that belongs to it,
    or not at all. Everything enters as draft: somebody else approves it. A version with the PDF of its paper counts as
    signed when it is approved, and its clauses need not be complete.
    """

    _name = "channel.contract.import"
    _description = "Import of Contracts"
    _inherit = "channel.member.import.mixin"
    _import_model = "channel.contract.version"

    archive = fields.Binary(string="ZIP of PDFs", attachment=True, help="The papers, named like their contracts.")
    archive_name = fields.Char()
    unmatched_files = fields.Text(readonly=True, help="Files of the ZIP that no row names.")

    def _import_inputs(self):
        return super()._import_inputs() | {"archive"}

    # === COLUMNS ===#

    def _import_columns(self):
        return SHEETS[self._sheet()]

    def _sheet(self):
        return self.env.context.get("channel_import_sheet", "contracts")

    def _selection_of(self, column, language):
        model = self.env[MODELS.get(self._sheet(), self._import_model)].with_context(lang=language)
        return model._fields[column.field or column.name]._description_selection(model.env)

    def _resolve_contract_type(self, texts):
        return self._resolve_by("channel.contract.type", texts, ("code", "name"))

    def _resolve_price_table(self, texts):
        return self._resolve_by(
            "product.pricelist", texts, ("name",), [("company_id", "in", (False, self.env.company.id))]
        )

    def _resolve_payment_term(self, texts):
        return self._resolve_by(
            "account.payment.term", texts, ("name",), [("company_id", "in", (False, self.env.company.id))]
        )

    def _resolve_user(self, texts):
        return self._resolve_by("res.users", texts, ("login", "name"), [("share", "=", False)])

    def _resolve_clause(self, texts):
        return self._resolve_by("channel.clause", texts, ("code", "name"))

    # === IDENTITY ===#

    def _import_key(self, values):
        if "number" not in values or "valid_from" not in values:
            return None
        return self._fold(values["number"]), values["valid_from"]

    def _import_existing(self, entries):
        contracts = self._known_contracts(entries)
        versions = self.env["channel.contract.version"].search(
            [("contract_id", "in", contracts.ids), ("state", "!=", "cancelled")]
        )
        found = defaultdict(versions.browse)
        for version in versions:
            found[self._fold(version.contract_id.name), version.valid_from] |= version
        # of one that was superseded on the day on which it began, the other is meant
        return {
            key: same.filtered(lambda version: version.state != "superseded") or same for key, same in found.items()
        }

    def _known_contracts(self, entries):
        numbers = {entry.values["number"] for entry in entries if "number" in entry.values}
        found = self._resolve_by("channel.contract", numbers, ("name",), [("company_id", "=", self.env.company.id)])
        return self.env["channel.contract"].union(*found.values())

    # === CHECK ===#

    def _import_check(self, entries):
        contracts = {self._fold(contract.name): contract for contract in self._known_contracts(entries)}
        files = self._files()
        problems = self._check_lines(entries)
        by_number = defaultdict(list)
        for entry in entries:
            by_number[self._fold(entry.values["number"])].append(entry)
        for number, same in by_number.items():
            for entry in same:
                problems += self._check_contract(entry, contracts.get(number), same[0])
                problems += self._check_version(entry)
                problems += self._check_document(entry, files)
        return problems

    def _check_contract(self, entry, contract, first):
        values = entry.values
        for name in SHARED:
            if name in values and name in first.values and values[name] != first.values[name]:
                yield self._problem(
                    entry, name, "conflict", self.env._("is not what row %s says of the same contract", first.number),
                    self.env._("Say the same in all rows of a contract."),
                )
        if not contract:
            return
        for name, known in (("member", contract.member_id), ("type", contract.type_id)):
            if name in values and values[name] != known:
                yield self._problem(
                    entry, name, "other_contract",
                    self.env._("is not what the contract with this number says: %s", known.display_name),
                    self.env._("Correct the row, or give the contract another number."),
                )

    def _check_version(self, entry):
        values, record = entry.values, entry.record
        if values.get("valid_to") and values["valid_to"] < values["valid_from"]:
            yield self._problem(
                entry, "valid_to", "dates_reversed", self.env._("lies before the first day"),
                self.env._("Correct one of the two dates."),
            )
        if values.get("notice_days", 0) < 0:
            yield self._problem(
                entry, "notice_days", "negative", self.env._("is negative"), self.env._("Write 0 or more days.")
            )
        if record and record.state != "draft" and self._differences(record, self._version_vals(entry)):
            yield self._problem(
                entry, "valid_from", "decided", self.env._("names a version that is approved and does not change"),
                self.env._("Import what was agreed later as another version, with its own first day."),
            )

    def _check_document(self, entry, files):
        """Find the PDF of the row; what is named must be there, a file named like the contract is taken if it is."""
        named = entry.values.get("document")
        file = files.get(pdf_archive.key(named or entry.values["number"].replace("/", "-")))
        if named and not file:
            yield self._problem(
                entry, "document", "no_file", self.env._("is not in the ZIP"),
                self.env._("Add the file, or correct its name."),
            )
        elif file and not file.is_pdf:
            yield self._problem(
                entry, "document", "no_pdf", self.env._("is no PDF"),
                self.env._("Save the paper as PDF."), value=file.name,
            )
        elif file:
            entry.values["file"] = file
        elif entry.values.get("signed_on") and not entry.record:
            yield self._problem(
                entry, "signed_on", "no_file", self.env._("says that a paper was signed, but there is no PDF of it"),
                self.env._("Add the PDF to the ZIP, or leave the day empty."),
            )

    # === COMMITMENTS AND CLAUSES ===#

    def _check_lines(self, entries):
        """Read the sheets of lines into ``values`` of the versions that they belong to.

        :returns: list of problems, each with the row of the version: it is not applied without its lines
        """
        problems = []
        versions = defaultdict(list)
        for entry in entries:
            versions[self._fold(entry.values["number"])].append(entry)
        for name in MODELS:
            sheet = self.with_context(channel_import_sheet=name)
            lines = sheet._read_lines()
            faults = defaultdict(list)
            for problem in sheet._parse(lines):
                faults[problem.row].append(problem)
            for problem in sheet._missing([line for line in lines if line.number not in faults]):
                faults[problem.row].append(problem)
            for line in lines:
                number = self._fold(table_file.cell_text(line.cells.get("number")))
                start = line.values.get("valid_from")
                owners = [e for e in versions[number] if not start or e.values["valid_from"] == start]
                if len(owners) > 1:
                    faults[line.number].append(
                        sheet._problem(line, "valid_from", "ambiguous", self.env._("does not say of which version"),
                                       self.env._("Fill in the first day of the version."))
                    )
                elif not owners and versions[number]:
                    owners = versions[number]
                    faults[line.number].append(
                        sheet._problem(line, "valid_from", "unknown", self.env._("is the first day of no version"),
                                       self.env._("Use the first day of a row of the contract."))
                    )
                for owner in owners:
                    owner.values.setdefault(name, []).append(line)
                    problems += [sheet._as_problem_of(owner, problem) for problem in faults[line.number]]
        return problems

    def _read_lines(self):
        """:returns: the rows of the sheet that the context names; none where the workbook has no such sheet"""
        content = base64.b64decode(self.with_context(bin_size=False).file or b"")
        if not content.startswith(b"PK"):
            return []
        try:
            table = table_file.read_table(content, self._headings(), self._header_required())
        except table_file.TableFileError as error:
            if error.code in ("columns", "empty"):
                return []
            raise UserError(self._file_message(error)) from error
        entries = [ImportEntry(number, cells) for number, cells in table.rows]
        known = {self._fold(number) for number in self._numbers_of_contracts()}
        lost = [entry for entry in entries if self._fold(table_file.cell_text(entry.cells.get("number"))) not in known]
        if lost:
            raise UserError(
                self.env._(
                    "Sheet %(sheet)s: rows %(rows)s name contracts that the sheet of contracts does not have. Correct "
                    "their numbers, or add the contracts.",
                    sheet=table.sheet,
                    rows=", ".join(str(entry.number) for entry in lost[:10]),
                )
            )
        return entries

    def _numbers_of_contracts(self):
        """All of them, also of rows that are rejected."""
        main = self.with_context(channel_import_sheet="contracts")
        return {table_file.cell_text(cells.get("number")) for _number, cells in main._read_file().rows}

    def _as_problem_of(self, owner, problem):
        """A problem of a line, told as one of the version: sheet, row and column of the line are in the reason."""
        label = self._label(problem.column) if problem.column else ""
        reason = self.env._(
            "sheet %(sheet)s, row %(row)s, %(column)s “%(value)s”: %(reason)s",
            sheet=self._in_language(TITLES[self._sheet()], self.env.lang or "en_US"),
            row=problem.row,
            column=label,
            value=problem.value,
            reason=problem.reason,
        )
        return ImportProblem(owner.number, "", "", problem.code, reason, problem.remedy)

    # === VALUES ===#

    def _import_vals(self, entry):
        vals = self._version_vals(entry)
        if entry.record:
            return vals
        values, file = entry.values, entry.values.get("file")
        vals["contract"] = {
            "name": values["number"],
            "title": values["title"],
            "member_id": values["member"].id,
            "company_id": self.env.company.id,
            **({"type_id": values["type"].id} if "type" in values else {}),
            **({"user_id": values["owner"].id} if "owner" in values else {}),
        }
        vals["commitment_ids"] = [
            Command.create(
                {
                    "sequence": 10 * place,
                    "name": line.values["subject"],
                    "period": line.values["period"],
                    "amount": line.values["amount"],
                    "product_categ_id": line.values.get("product_category", self.env["product.category"]).id,
                }
            )
            for place, line in enumerate(values.get("commitments", ()), 1)
        ]
        vals["clause_ids"] = [
            Command.create({**self._clause_vals(line, vals.get("lang")), "sequence": 10 * place})
            for place, line in enumerate(values.get("clauses", ()), 1)
        ]
        if file:
            vals["document"] = {"name": file.name, "sha256": sha256(file.content).hexdigest()}
            vals["paper_signed_on"] = values.get("signed_on")
        return vals

    def _version_vals(self, entry):
        vals = {}
        for column in SHEETS["contracts"]:
            if column.name in entry.values and column.name not in OF_CONTRACT:
                value = entry.values[column.name]
                vals[column.field or column.name] = value.id if column.kind == "record" else value
        return vals

    def _clause_vals(self, line, lang):
        clause = line.values.get("clause", self.env["channel.clause"])
        text = line.values.get("clause_text")
        vals = {"title": line.values["clause_title"], "clause_id": clause.id}
        if clause and clause.id in clause._in_force():
            [standard] = clause._prepare_clause_line_vals(lang or self.env.lang or "en_US")
            vals = {**standard, **vals}
        if text:
            paragraphs = [paragraph.strip() for paragraph in text.splitlines() if paragraph.strip()]
            vals["body"] = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
        return vals

    def _import_summary(self, entry):
        values = entry.values
        parts = [values["number"], values["title"], values["member"].display_name]
        for name in MODELS:
            if values.get(name):
                title = self._in_language(TITLES[name], self.env.lang or "en_US")
                parts.append(f"{title}: {len(values[name])}")
        if values.get("file"):
            parts.append(values["file"].name)
        return " · ".join(parts)

    # === WRITE ===#

    def _import_create(self, entries):
        Version = _IMPORTER.open(self.env["channel.contract.version"].with_context(tracking_disable=True))
        contracts = {self._fold(contract.name): contract for contract in self._known_contracts(entries)}
        missing = {
            self._fold(entry.values["number"]): entry.vals["contract"]
            for entry in reversed(entries)
            if self._fold(entry.values["number"]) not in contracts
        }
        created = self.env["channel.contract"].with_context(tracking_disable=True).create(list(missing.values()))
        contracts.update(zip(missing, created, strict=True))
        # the numbers of versions follow their days
        ordered = sorted(entries, key=lambda entry: entry.values["valid_from"])
        versions = Version.create(
            [
                {
                    **{name: value for name, value in entry.vals.items() if name not in ("contract", "document")},
                    "contract_id": contracts[self._fold(entry.values["number"])].id,
                    "imported": bool(entry.values.get("file")),
                }
                for entry in ordered
            ]
        )
        self._attach(zip(versions, ordered, strict=True))

    def _attach(self, pairs):
        """Attach the papers to their versions."""
        pairs = [(version, entry.values["file"]) for version, entry in pairs if entry.values.get("file")]
        attachments = self.env["ir.attachment"].create(
            [
                {
                    "name": file.name,
                    "raw": file.content,
                    "mimetype": "application/pdf",
                    "res_model": version._name,
                    "res_id": version.id,
                }
                for version, file in pairs
            ]
        )
        for (version, _file), attachment in zip(pairs, attachments, strict=True):
            version.document_ids = attachment

    # === ARCHIVE ===#

    def _files(self):
        content = base64.b64decode(self.with_context(bin_size=False).archive or b"")
        if not content:
            return {}
        try:
            return pdf_archive.read_archive(content)
        except pdf_archive.ArchiveError as error:
            raise UserError(self._archive_message(error)) from error

    def _archive_message(self, error):
        archive = self.archive_name or self.env._("The ZIP")
        match error.code:
            case "encrypted":
                return self.env._("%(zip)s has a password (%(file)s): pack it without.", zip=archive, file=error.name)
            case "too_many":
                return self.env._("%(zip)s has more than %(n)s files: split it.", zip=archive, n=pdf_archive.MAX_FILES)
            case "too_big":
                return self.env._(
                    "%(zip)s is too large (%(file)s): %(one)s MB for one file, %(all)s MB unpacked for all. Split it.",
                    zip=archive,
                    file=error.name,
                    one=pdf_archive.MAX_FILE // 1024 // 1024,
                    all=pdf_archive.MAX_TOTAL // 1024 // 1024,
                )
            case "twice":
                return self.env._(
                    "%(zip)s has two files named %(file)s: rename one of them.", zip=archive, file=error.name
                )
        return self.env._("%s is broken, or no ZIP: pack the PDFs again.", archive)

    def _show(self, plan, state="checked"):
        super()._show(plan, state)
        used = {
            pdf_archive.key(cells.get("document") or str(cells.get("number") or "").replace("/", "-"))
            for _number, cells in plan.table.rows
        }
        unmatched = [file.name for name, file in self._files().items() if name not in used]
        self.unmatched_files = "\n".join(unmatched)

    # === TEMPLATE ===#

    def _template(self):
        """And the sheets of commitments and clauses."""
        book = openpyxl.load_workbook(io.BytesIO(super()._template()))
        for name in MODELS:
            sheet = self.with_context(channel_import_sheet=name)
            page = book.create_sheet(str(sheet._in_language(TITLES[name], self.env.lang or "en_US"))[:31])
            for place, column in enumerate(sheet._import_columns(), 1):
                heading = sheet._label(column.name)
                cell = page.cell(1, place, f"{heading} *" if column.required else heading)
                cell.font = Font(bold=True)
                page.column_dimensions[cell.column_letter].width = 22
        target = io.BytesIO()
        book.save(target)
        return target.getvalue()
