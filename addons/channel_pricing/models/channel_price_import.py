import base64
import hashlib
from collections import defaultdict
from datetime import datetime, time

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from odoo.addons.channel_base.tools import table_file

from ..tools import price_table
from .channel_price_file import LAST_SECOND, TERMS

#: Columns of the file that only one kind of rule has
FORMULA_COLUMNS = ("rounding", "surcharge", "min_margin", "max_margin")


class ChannelPriceImport(models.Model):
    """A file of prices on its way into a price table, or into a draft version of one.

    A row is one rule. What it is about, for whom, from which quantity and from when on make its key; a rule with the
    same key is changed, otherwise one is added. What cannot be understood is kept apart with the reason, never guessed.
    The check writes the difference down, line by line; applying writes these lines into the table, by a fixed number
    of statements.
    """

    _name = "channel.price.import"
    _description = "Price Import"
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name", store=True)
    pricelist_id = fields.Many2one(
        "product.pricelist", string="Price Table", required=True, index=True, check_company=True, ondelete="restrict"
    )
    version_id = fields.Many2one(
        "channel.price.version",
        index="btree_not_null",
        check_company=True,
        ondelete="restrict",
        domain="[('pricelist_id', '=', pricelist_id), ('state', '=', 'draft')]",
        help="The draft that takes the prices. Only a price table without versions takes them directly.",
    )
    is_versioned = fields.Boolean(related="pricelist_id.channel_is_versioned")
    company_id = fields.Many2one(related="pricelist_id.company_id", store=True, index="btree_not_null")
    currency_id = fields.Many2one(related="pricelist_id.currency_id")
    file = fields.Binary(required=True, attachment=True)
    file_name = fields.Char()
    mode = fields.Selection(
        [("merge", "Stay"), ("replace", "Are removed")],
        string="Rules not in the File",
        required=True,
        default="merge",
        help="Of rules that a file of this layout could name. Those are removed only when every row of the file is in "
        "order.",
    )
    state = fields.Selection(
        [("draft", "Draft"), ("checked", "Checked"), ("done", "Applied")], default="draft", required=True, copy=False
    )
    row_count = fields.Integer(string="Rows", readonly=True, copy=False)
    new_count = fields.Integer(string="New", readonly=True, copy=False)
    changed_count = fields.Integer(string="Changed", readonly=True, copy=False)
    removed_count = fields.Integer(string="Removed", readonly=True, copy=False)
    unchanged_count = fields.Integer(string="Unchanged", readonly=True, copy=False)
    error_count = fields.Integer(string="Quarantined", readonly=True, copy=False)
    line_ids = fields.One2many("channel.price.import.line", "import_id", string="Changes", copy=False)
    error_ids = fields.One2many("channel.price.import.error", "import_id", string="Quarantined Rows", copy=False)
    error_file = fields.Binary(
        compute="_compute_error_file", help="The quarantined rows with their reasons, to be mended and imported again."
    )
    fingerprint = fields.Char(readonly=True, copy=False, help="Technical: the price table as the check found it.")
    applied_by_id = fields.Many2one("res.users", string="Applied by", readonly=True, copy=False)
    applied_at = fields.Datetime(readonly=True, copy=False)

    # === COMPUTE METHODS ===#

    @api.depends("file_name", "pricelist_id.name")
    def _compute_name(self):
        for record in self:
            record.name = f"{record.pricelist_id.name or ''}: {record.file_name or ''}".strip(": ")

    @api.depends("error_ids")
    def _compute_error_file(self):
        for record in self:
            rows = [
                {**{column: error[column] for column in price_table.COLUMNS}, "reason": error.reason}
                for error in record.error_ids
            ]
            record.error_file = rows and base64.b64encode(price_table.write_rows(rows, extra=("reason",)))

    # === CONSTRAINT METHODS ===#

    @api.constrains("version_id", "pricelist_id")
    def _check_version_id(self):
        for record in self.filtered("version_id"):
            if record.version_id.pricelist_id != record.pricelist_id:
                raise ValidationError(
                    self.env._(
                        "%(version)s is a version of another price table than %(table)s.",
                        version=record.version_id.display_name,
                        table=record.pricelist_id.display_name,
                    )
                )

    # === ONCHANGE METHODS ===#

    @api.onchange("pricelist_id")
    def _onchange_pricelist_id(self):
        for record in self:
            if record.version_id.pricelist_id != record.pricelist_id:
                record.version_id = record.pricelist_id.channel_version_ids.filtered(lambda v: v.state == "draft")[:1]

    # === CRUD METHODS ===#

    def write(self, vals):
        if {"file", "pricelist_id", "version_id", "mode"} & vals.keys():
            if "done" in self.mapped("state"):
                raise UserError(self.env._("An import that has been applied keeps its file and price table."))
            vals = {**vals, "state": "draft", "fingerprint": False}
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        if "done" in self.mapped("state"):
            raise UserError(self.env._("An import that has been applied is part of the price table's history."))

    # === ACTION METHODS ===#

    def action_check(self):
        """Dry run: writes down what applying would do, and sets rows apart that cannot be applied."""
        for record in self:
            record._require_open()
            record._show(record._plan())
        return True

    def action_apply(self):
        """Write the rows that are in order into the price table, or into its draft version.

        :raises UserError: when the rules have changed since the check, so that something else would happen than was
            shown, when the version is not a draft any more, and when rules would be removed while rows are quarantined
        """
        for record in self:
            record._require_open()
            if record.state != "checked":
                raise UserError(self.env._("Check the file first: it shows what will happen."))
            if record.mode == "replace" and record.error_count:
                raise UserError(
                    self.env._(
                        "%(count)s rows are quarantined, and the rules that they may be about would be removed. Mend "
                        "the rows, or let rules that are not in the file stay.",
                        count=record.error_count,
                    )
                )
            Item = self.env["product.pricelist.item"]
            Item._channel_check_target(record.pricelist_id, record.version_id)
            if record._fingerprint() != record.fingerprint:
                raise UserError(self.env._("The rules of the price table have changed since the check. Check again."))
            Item._channel_take_lines(record.pricelist_id, record.version_id, record._lines_sql())
            record.write({"state": "done", "applied_by_id": self.env.uid, "applied_at": fields.Datetime.now()})
            record._record_in_journal()
        return True

    def action_download_errors(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/error_file/quarantined-rows.xlsx?download=true",
            "target": "download",
        }

    def action_open_lines(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_pricing.channel_price_import_line_action"),
            "domain": [("import_id", "=", self.id)],
        }

    def action_open_rules(self):
        self.ensure_one()
        return self.version_id.action_open_rules() if self.version_id else self.pricelist_id.action_channel_open_rules()

    # === BUSINESS METHODS ===#

    def _require_open(self):
        self.ensure_one()
        if self.state == "done":
            raise UserError(self.env._("%s has been applied already.", self.display_name))
        if self.is_versioned and not self.version_id:
            raise UserError(
                self.env._(
                    "%s has versions: choose the draft version that takes the prices, or make one.",
                    self.pricelist_id.display_name,
                )
            )

    def _record_in_journal(self):
        self.env["channel.audit.entry"]._record(
            "price_import.applied",
            self,
            after={
                "pricelist": self.pricelist_id.display_name,
                "version": self.version_id.display_name or None,
                "file": self.file_name,
                "sha256": hashlib.sha256(base64.b64decode(self.with_context(bin_size=False).file)).hexdigest(),
                "new": self.new_count,
                "changed": self.changed_count,
                "removed": self.removed_count,
                "unchanged": self.unchanged_count,
                "quarantined": self.error_count,
            },
        )

    def _fingerprint(self):
        """What the rules are: differs when one was added, changed or removed."""
        self.env.flush_all()
        terms = SQL(", ").join(
            SQL.identifier("rule", name) for name in sorted({name for names in TERMS.values() for name in names})
        )
        self.env.cr.execute(SQL(
            """
            SELECT count(*), sum(hashtextextended(ROW(
                       rule.id, rule.applied_on, rule.product_id, rule.product_tmpl_id, rule.categ_id,
                       rule.min_quantity, rule.date_start, rule.date_end, rule.channel_segment_id,
                       rule.channel_member_id, rule.channel_customer_id, rule.compute_price, %s)::text, 0)::numeric)
              FROM product_pricelist_item rule
             WHERE rule.pricelist_id = %s AND rule.channel_version_id IS NOT DISTINCT FROM %s
            """,
            terms, self.pricelist_id.id, self.version_id.id or None,
        ))
        return "/".join(str(value or 0) for value in self.env.cr.fetchone())

    def _show(self, plan):
        """Write down what the check found."""
        self.error_ids.unlink()
        Line = self.env["channel.price.import.line"]
        Line._replace(self, plan["lines"])
        counts = defaultdict(int)
        for line in plan["lines"]:
            counts[line["kind"]] += 1
        self.write(
            {
                "state": "checked",
                "fingerprint": self._fingerprint(),
                "row_count": plan["rows"],
                "new_count": counts["new"],
                "changed_count": counts["changed"],
                "removed_count": counts["removed"],
                "unchanged_count": plan["unchanged"],
                "error_count": len(plan["errors"]),
            }
        )
        self.env["channel.price.import.error"].create([{"import_id": self.id, **error} for error in plan["errors"]])

    def _lines_sql(self):
        """SQL: the lines as `product.pricelist.item._channel_take_lines` takes them."""
        return SQL(
            """
            SELECT kind, rule_id, applied_on, product_id, product_tmpl_id, categ_id, segment_id, member_id, customer_id,
                   min_quantity, date_start, after
              FROM channel_price_import_line
             WHERE import_id = %s
            """, self.id,
        )

    def _plan(self):
        """What applying the file would do.

        :returns: ``{'rows': int, 'lines': [values of channel.price.import.line], 'unchanged': int, 'errors': [vals]}``
        """
        self.ensure_one()
        layout, rows = self._read()
        records = self._records_by_code(rows)
        entries, errors = [], []
        for number, row in rows:
            values, problems = self._parse_row(row, records)
            if problems:
                errors.append(self._error_vals(number, row, problems))
            else:
                entries.append((number, row, values))
        entries, clashes = self._without_clashes(entries)
        errors += clashes
        File = self.env["channel.price.file"]
        rules = File._rules(self.pricelist_id, self.version_id)
        # Where several stand at the same place, the one that wins comes last
        existing = {rule["key"]: rule for rule in rules}
        lines, unchanged, named = [], 0, set()
        for number, _row, values in entries:
            rule = existing.get(values["key"])
            named.add(values["key"])
            if rule is None:
                lines.append({"kind": "new", "row_number": number, **values})
            elif rule["terms"] == values["terms"]:
                unchanged += 1
            else:
                lines.append(
                    {"kind": "changed", "row_number": number, "rule_id": rule["id"], "before": rule["terms"], **values}
                )
        if self.mode == "replace":
            lines += [
                {"kind": "removed", "rule_id": rule["id"], "before": rule["terms"], **self._place(rule)}
                for rule in rules
                if rule["key"] not in named and File._is_in_layout(rule, layout)
            ]
        errors.sort(key=lambda error: error["row_number"])
        return {"rows": len(rows), "lines": lines, "unchanged": unchanged, "errors": errors}

    @api.model
    def _place(self, rule):
        """Where a rule stands, as columns of a line."""
        return {
            "applied_on": rule["applied_on"],
            "product_id": rule["product_id"],
            "product_tmpl_id": rule["product_tmpl_id"],
            "categ_id": rule["categ_id"],
            "segment_id": rule["channel_segment_id"],
            "member_id": rule["channel_member_id"],
            "customer_id": rule["channel_customer_id"],
            "min_quantity": rule["min_quantity"],
            "date_start": rule["date_start"],
        }

    # === READING ===#

    def _read(self):
        """:return: ``(layout, [(row number, {column: cell value})])``"""
        segments = self.env["channel.segment"].search([("code", "!=", False), *self._company_domain()])
        try:
            layout, rows, unknown = price_table.read_prices(
                base64.b64decode(self.with_context(bin_size=False).file), segments.mapped("code")
            )
        except table_file.TableFileError as error:
            message = {
                "unreadable": self.env._("%s is not an XLSX file.", self.file_name or self.env._("The file")),
                "empty": self.env._("The first sheet of the file is empty."),
                "columns": self.env._(
                    "Columns are missing: %(missing)s. The first row must name the columns: %(columns)s.",
                    missing=", ".join(error.missing),
                    columns=", ".join(price_table.COLUMNS),
                ),
            }[error.code]
            raise UserError(message) from error
        if unknown:
            raise UserError(
                self.env._(
                    "Columns %(columns)s are headed by no code of a segment. Correct them, or remove them from the "
                    "file.",
                    columns=", ".join(unknown),
                )
            )
        return layout, rows

    def _company_domain(self):
        return [("company_id", "in", [False, self.company_id.id])]

    def _records_by_code(self, rows):
        """:return: ``{column: {code: records}}``, one query for each column that the file uses"""
        found = {}
        for column, model, name, domain, names in (
            ("product_code", "product.product", "default_code", self._company_domain(), ["product_tmpl_id"]),
            ("segment_code", "channel.segment", "code", self._company_domain(), []),
            ("member_code", "res.partner", "channel_code", self._company_domain(), []),
            ("customer_code", "res.partner", "channel_code", self._company_domain(), []),
            ("category", "product.category", "complete_name", [], []),
            ("base", "product.pricelist", "name", self._company_domain(), []),
        ):
            codes = {table_file.to_code(row.get(column)) for _number, row in rows} - {""}
            if column == "base":
                codes -= price_table.BASES.keys()
            domain = [(name, "in", list(codes)), *domain]
            found[column] = self.env[model].search_fetch(domain, [name, *names]).grouped(name) if codes else {}
        # How many variants a product has decides on which level its rule stands: read once, for all
        products = self.env["product.product"].union(*found["product_code"].values())
        variants = self.env["product.product"]._read_group(
            [("product_tmpl_id", "in", products.product_tmpl_id.ids)], ["product_tmpl_id"], ["__count"]
        )
        found["variant_counts"] = {template.id: count for template, count in variants}
        found["zone"] = pytz.timezone((self.company_id or self.env.company)._channel_zone())
        found["quantity_digits"] = self.env["decimal.precision"].precision_get("Product Unit")
        return found

    def _parse_row(self, row, records):
        """:returns: ``(values, problems)``: problems are ``(code, words)``; all that a row has, not the first only"""
        problems = []
        place = self._parse_target(row, records, problems)
        segment = self._look_up(row, "segment_code", "segment", records, problems)
        member = self._look_up(row, "member_code", "member", records, problems)
        customer = self._look_up(row, "customer_code", "customer", records, problems)
        min_quantity = round(self._number(row, "min_qty", problems) or 0.0, records["quantity_digits"])
        if min_quantity < 0:
            problems.append(("min_qty_invalid", self.env._("min_qty is negative: %s", row["min_qty"])))
        currency = table_file.to_code(row.get("currency"))
        if currency and currency.upper() != self.currency_id.name:
            problems.append(
                (
                    "currency_mismatch",
                    self.env._(
                        "currency is %(found)s, the price table's is %(expected)s",
                        found=currency,
                        expected=self.currency_id.name,
                    ),
                )
            )
        start = self._moment(row, "valid_from", time.min, records["zone"], problems)
        end = self._moment(row, "valid_to", LAST_SECOND, records["zone"], problems)
        if start and end and start >= end:
            problems.append(("dates_reversed", self.env._("valid_to is before valid_from")))
        terms = self._parse_terms(row, records, problems)
        if problems:
            return None, problems
        values = {
            **place,
            "segment_id": segment.id if segment else None,
            "member_id": member.id if member else None,
            "customer_id": customer.id if customer else None,
            "min_quantity": min_quantity,
            "date_start": start,
        }
        values["key"] = (
            values.pop("target"), values["segment_id"] or 0, values["member_id"] or 0, values["customer_id"] or 0,
            min_quantity, start,
        )
        values["terms"] = self.env["channel.price.file"]._terms({**terms, "date_end": end})
        return values, problems

    def _parse_target(self, row, records, problems):
        """What the rule is about: ``target`` of its key, and the columns of the rule."""
        word = table_file.to_code(row.get("applies_to")).lower()
        level = price_table.APPLIES_TO.get(word)
        if word and not level:
            problems.append(
                (
                    "applies_to_invalid",
                    self.env._(
                        "applies_to is %(found)s, known are %(known)s",
                        found=word,
                        known=", ".join(price_table.APPLIES_TO),
                    ),
                )
            )
            return None
        nothing = {"product_id": None, "product_tmpl_id": None, "categ_id": None}
        for column, levels in (("product_code", (None, "0_product_variant", "1_product")),
                               ("category", ("2_product_category",))):
            if level not in levels and table_file.to_code(row.get(column)):
                problems.append(
                    ("target_ambiguous", self.env._("applies_to is %(word)s, %(column)s must be empty",
                                                    word=word or "product", column=column))
                )
        if level == "3_global":
            return {**nothing, "applied_on": level, "target": ("all", 0)}
        if level == "2_product_category":
            category = self._look_up(row, "category", "category", records, problems, required=True)
            return {**nothing, "applied_on": level, "categ_id": category.id, "target": ("category", category.id)} \
                if category else None
        product = self._look_up(row, "product_code", "product", records, problems, required=True)
        if not product:
            return None
        template_id = product.product_tmpl_id.id
        values = {**nothing, "product_tmpl_id": template_id}
        # As the form does it: a product without variants is named as such, so that one product has its rules on one
        # level, where segments and quantities decide
        single = records["variant_counts"].get(template_id, 1) == 1
        if level == "1_product" and not single:
            return {**values, "applied_on": level, "target": ("template", template_id)}
        if single:
            return {**values, "applied_on": "1_product", "target": ("product", product.id)}
        return {
            **values, "applied_on": "0_product_variant", "product_id": product.id, "target": ("product", product.id)
        }

    def _parse_terms(self, row, records, problems):
        """What the rule makes of a price: values of the rule's fields."""
        word = table_file.to_code(row.get("kind")).lower() or "fixed"
        kind = price_table.KINDS.get(word)
        if not kind:
            problems.append(
                (
                    "kind_invalid",
                    self.env._(
                        "kind is %(found)s, known are %(known)s", found=word, known=", ".join(price_table.KINDS)
                    ),
                )
            )
            return None
        terms = {
            "compute_price": kind, "fixed_price": 0.0, "percent_price": 0.0, "base": "list_price",
            "base_pricelist_id": None, "price_discount": 0.0, "price_round": 0.0, "price_surcharge": 0.0,
            "price_min_margin": 0.0, "price_max_margin": 0.0,
        }
        foreign = {
            "fixed": ("discount", "base", *FORMULA_COLUMNS), "percentage": ("price", *FORMULA_COLUMNS),
            "formula": ("price",),
        }[kind]
        problems += [
            ("column_foreign", self.env._("%(column)s must be empty for kind %(kind)s", column=column, kind=word))
            for column in foreign
            if not table_file.is_blank(row.get(column))
        ]
        if kind == "fixed":
            terms["fixed_price"] = self._required_number(row, "price", problems)
            if terms["fixed_price"] is not None and terms["fixed_price"] < 0:
                problems.append(("price_negative", self.env._("price is negative: %s", row["price"])))
            return terms
        base = table_file.to_code(row.get("base"))
        if base.lower() in price_table.BASES or not base:
            terms["base"] = price_table.BASES.get(base.lower(), "list_price")
        elif table := self._look_up(row, "base", "base", records, problems):
            terms |= {"base": "pricelist", "base_pricelist_id": table.id}
        if kind == "percentage":
            terms["percent_price"] = self._required_number(row, "discount", problems)
            return terms
        numbers = {
            column: self._number(row, column, problems) or 0.0 for column in ("discount", *FORMULA_COLUMNS)
        }
        if numbers["rounding"] < 0:
            problems.append(("rounding_invalid", self.env._("rounding is negative: %s", row["rounding"])))
        if numbers["min_margin"] > numbers["max_margin"]:
            problems.append(("margins_reversed", self.env._("min_margin is above max_margin")))
        terms |= {
            "price_discount": round(numbers["discount"], 2),
            "price_round": numbers["rounding"],
            "price_surcharge": numbers["surcharge"],
            "price_min_margin": numbers["min_margin"],
            "price_max_margin": numbers["max_margin"],
        }
        return terms

    def _look_up(self, row, column, what, records, problems, required=False):
        code = table_file.to_code(row.get(column))
        if not code:
            if required:
                problems.append((f"{what}_missing", self.env._("%s is empty", column)))
            return None
        found = records[column].get(code)
        if not found:
            problems.append(
                (f"{what}_unknown", self.env._("%(column)s %(code)s is not known", column=column, code=code))
            )
            return None
        if len(found) > 1:
            problems.append(
                (
                    f"{what}_ambiguous",
                    self.env._(
                        "%(column)s %(code)s stands for %(count)s records", column=column, code=code, count=len(found)
                    ),
                )
            )
            return None
        return found

    def _number(self, row, column, problems):
        try:
            return table_file.to_number(row.get(column))
        except ValueError:
            problems.append(
                (
                    f"{column}_invalid",
                    self.env._("%(column)s is not a number: %(value)s", column=column, value=row[column]),
                )
            )
            return None

    def _required_number(self, row, column, problems):
        known = len(problems)
        value = self._number(row, column, problems)
        if value is None and len(problems) == known:
            problems.append((f"{column}_missing", self.env._("%s is empty", column)))
        return value

    def _moment(self, row, column, clock, zone, problems):
        """A date is the whole day where the company is, a cell with a time of day that moment."""
        try:
            value = table_file.to_moment(row.get(column))
        except ValueError:
            problems.append(
                (
                    "date_invalid",
                    self.env._("%(column)s is not a date (2026-03-31): %(value)s", column=column, value=row[column]),
                )
            )
            return None
        if value is None:
            return None
        if not isinstance(value, datetime):
            value = datetime.combine(value, clock)
        return zone.localize(value).astimezone(pytz.utc).replace(tzinfo=None, microsecond=0)

    def _without_clashes(self, entries):
        """:returns: ``(entries, errors)``: of rows that say the same the first stays, of those that contradict each
        other none"""
        by_key = defaultdict(list)
        for entry in entries:
            by_key[entry[2]["key"]].append(entry)
        kept, errors = [], []
        for same in by_key.values():
            first, *others = same
            if not others:
                kept.append(first)
            elif all(other[2]["terms"] == first[2]["terms"] for other in others):
                kept.append(first)
                errors += [
                    self._error_vals(number, row, [("duplicate", self.env._("the same as row %s", first[0]))])
                    for number, row, _values in others
                ]
            else:
                numbers = ", ".join(str(number) for number, _row, _values in same)
                words = self.env._(
                    "rows %s give different prices or ends for the same product, parties, quantity and start", numbers
                )
                errors += [self._error_vals(number, row, [("conflict", words)]) for number, row, _values in same]
        return kept, errors

    def _error_vals(self, number, row, problems):
        return {
            "row_number": number,
            **{
                column: value.isoformat(sep=" ") if isinstance(value, datetime) else table_file.to_code(value)
                for column, value in row.items()
            },
            "codes": ",".join(code for code, _words in problems),
            "reason": "; ".join(words for _code, words in problems),
        }
