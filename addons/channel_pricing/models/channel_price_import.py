import base64
import hashlib
import json
from collections import defaultdict
from datetime import datetime, time

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_compare

from odoo.addons.channel_base.tools import table_file

from ..tools import price_table

DIGITS = 6  # Prices and quantities that agree to so many decimals are the same


class ChannelPriceImport(models.Model):
    """A file of prices on its way into a price table.

    A row is one price: of a product (by its code), for a segment or for everybody, from a quantity on, in a period.
    These four make its key; a rule of the table with the same key is changed, otherwise one is added. Rules that
    the file does not name stay. What cannot be understood is kept apart with the reason, never guessed.
    """

    _name = "channel.price.import"
    _description = "Price Import"
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(compute="_compute_name", store=True)
    pricelist_id = fields.Many2one(
        "product.pricelist", string="Price Table", required=True, index=True, check_company=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="pricelist_id.company_id", store=True, index="btree_not_null")
    currency_id = fields.Many2one(related="pricelist_id.currency_id")
    file = fields.Binary(required=True, attachment=True)
    file_name = fields.Char()
    state = fields.Selection(
        [("draft", "Draft"), ("checked", "Checked"), ("done", "Applied")], default="draft", required=True, copy=False
    )
    row_count = fields.Integer(string="Rows", readonly=True, copy=False)
    new_count = fields.Integer(string="New", readonly=True, copy=False)
    changed_count = fields.Integer(string="Changed", readonly=True, copy=False)
    unchanged_count = fields.Integer(string="Unchanged", readonly=True, copy=False)
    error_count = fields.Integer(string="Quarantined", readonly=True, copy=False)
    error_ids = fields.One2many("channel.price.import.error", "import_id", string="Quarantined Rows", copy=False)
    error_file = fields.Binary(
        compute="_compute_error_file", help="The quarantined rows with their reasons, to be mended and imported again."
    )
    fingerprint = fields.Char(readonly=True, copy=False, help="Technical: what the check found that applying would do.")
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

    # === CRUD METHODS ===#

    def write(self, vals):
        if {"file", "pricelist_id"} & vals.keys():
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
        """Dry run: counts what applying would do, and sets rows apart that cannot be applied."""
        for record in self:
            record._require_open()
            record._show(record._plan())
        return True

    def action_apply(self):
        """Write the rows that are in order into the price table.

        :raises UserError: when the price table has changed since the check, so that something else would happen than
            was shown
        """
        for record in self:
            record._require_open()
            if record.state != "checked":
                raise UserError(self.env._("Check the file first: it shows what will happen."))
            plan = record._plan()
            if plan["fingerprint"] != record.fingerprint:
                raise UserError(
                    self.env._("The price table, its products or segments have changed since the check. Check again.")
                )
            self.env["product.pricelist.item"].create(plan["creates"])
            for item, vals in plan["changes"]:
                item.write(vals)
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

    def action_open_rules(self):
        self.ensure_one()
        return self.pricelist_id.action_channel_open_rules()

    # === BUSINESS METHODS ===#

    def _require_open(self):
        self.ensure_one()
        if self.state == "done":
            raise UserError(self.env._("%s has been applied already.", self.display_name))

    def _record_in_journal(self):
        self.env["channel.audit.entry"]._record(
            "price_import.applied",
            self,
            after={
                "pricelist": self.pricelist_id.display_name,
                "file": self.file_name,
                "sha256": hashlib.sha256(base64.b64decode(self.with_context(bin_size=False).file)).hexdigest(),
                "new": self.new_count,
                "changed": self.changed_count,
                "unchanged": self.unchanged_count,
                "quarantined": self.error_count,
            },
        )

    def _show(self, plan):
        self.error_ids.unlink()
        self.write(
            {
                "state": "checked",
                "fingerprint": plan["fingerprint"],
                "row_count": plan["rows"],
                "new_count": len(plan["creates"]),
                "changed_count": len(plan["changes"]),
                "unchanged_count": plan["unchanged"],
                "error_count": len(plan["errors"]),
            }
        )
        self.env["channel.price.import.error"].create([{"import_id": self.id, **error} for error in plan["errors"]])

    def _plan(self):
        """What applying the file would do.

        :returns: ``{'rows': int, 'creates': [vals], 'changes': [(rule, vals)], 'unchanged': int, 'errors': [vals],
            'fingerprint': str}``
        """
        self.ensure_one()
        rows = self._read()
        products, segments = self._products_by_code(rows), self._segments_by_code(rows)
        entries, errors = [], []
        for number, row in rows:
            values, problems = self._parse_row(row, products, segments)
            if problems:
                errors.append(self._error_vals(number, row, problems))
            else:
                entries.append((number, row, values))
        entries, clashes = self._without_clashes(entries)
        errors += clashes
        existing = self.pricelist_id._channel_rules_by_key()
        creates, changes, unchanged = [], [], 0
        for _number, _row, values in entries:
            rule = existing.get(self._key(values))
            if rule is None:
                creates.append(self._create_vals(values))
            elif vals := self._change_vals(rule, values):
                changes.append((rule, vals))
            else:
                unchanged += 1
        errors.sort(key=lambda error: error["row_number"])
        digest = json.dumps(
            [creates, [(rule.id, vals) for rule, vals in changes], unchanged, [e["row_number"] for e in errors]],
            sort_keys=True,
            default=str,
        )
        return {
            "rows": len(rows),
            "creates": creates,
            "changes": changes,
            "unchanged": unchanged,
            "errors": errors,
            "fingerprint": hashlib.sha256(digest.encode()).hexdigest(),
        }

    def _read(self):
        try:
            return price_table.read_rows(base64.b64decode(self.with_context(bin_size=False).file))
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

    def _products_by_code(self, rows):
        codes = {table_file.to_code(row.get("product_code")) for _number, row in rows} - {""}
        products = self.env["product.product"].search(
            [("default_code", "in", list(codes)), ("company_id", "in", [False, self.company_id.id])]
        )
        products.fetch(["default_code", "product_tmpl_id"])
        return products.grouped("default_code")

    def _segments_by_code(self, rows):
        codes = {table_file.to_code(row.get("segment_code")) for _number, row in rows} - {""}
        return (
            self.env["channel.segment"]
            .search([("code", "in", list(codes)), ("company_id", "in", [False, self.company_id.id])])
            .grouped("code")
        )

    def _parse_row(self, row, products, segments):
        """:returns: ``(values, problems)``: problems are ``(code, words)``; all that a row has, not the first only"""
        problems = []
        values = {
            "product": self._look_up(row, "product_code", "product", products, problems),
            "segment": self._look_up(row, "segment_code", "segment", segments, problems),
            "price": self._number(row, "price", problems),
            "min_qty": self._number(row, "min_qty", problems) or 0.0,
        }
        codes = {code for code, _words in problems}
        if values["product"] is None and not codes & {"product_unknown", "product_ambiguous"}:
            problems.append(("product_missing", self.env._("product_code is empty")))
        if values["price"] is None and "price_invalid" not in codes:
            problems.append(("price_missing", self.env._("price is empty")))
        elif values["price"] is not None and values["price"] < 0:
            problems.append(("price_negative", self.env._("price is negative: %s", row["price"])))
        if values["min_qty"] < 0:
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
        values["date_start"] = self._moment(row, "valid_from", time.min, problems)
        values["date_end"] = self._moment(row, "valid_to", time(23, 59, 59), problems)
        if values["date_start"] and values["date_end"] and values["date_start"] >= values["date_end"]:
            problems.append(("dates_reversed", self.env._("valid_to is before valid_from")))
        return values, problems

    def _look_up(self, row, column, what, records_by_code, problems):
        code = table_file.to_code(row.get(column))
        if not code:
            return None
        found = records_by_code.get(code)
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

    def _moment(self, row, column, clock, problems):
        """A date is the whole day in the price table's time zone, a cell with a time of day that moment."""
        try:
            value = table_file.to_moment(row.get(column))
        except ValueError:
            problems.append(
                (
                    "date_invalid",
                    self.env._("%(column)s is not a date (2026-03-31): %(value)s", column=column, value=row[column]),
                )
            )
            return False
        if value is None:
            return False
        if not isinstance(value, datetime):
            value = datetime.combine(value, clock)
        zone = pytz.timezone(self.pricelist_id._channel_time_zone())
        return zone.localize(value).astimezone(pytz.utc).replace(tzinfo=None, microsecond=0)

    def _key(self, values):
        return (
            values["product"].id,
            values["segment"].id if values["segment"] else False,
            round(values["min_qty"], DIGITS),
            values["date_start"] or False,
        )

    def _without_clashes(self, entries):
        """Set apart rows with the same key: repetitions after the first, and all of those that contradict."""
        by_key = defaultdict(list)
        for entry in entries:
            by_key[self._key(entry[2])].append(entry)
        kept, errors = [], []
        for same in by_key.values():
            first, *others = same
            contents = {(round(values["price"], DIGITS), values["date_end"]) for _number, _row, values in same}
            if len(contents) == 1:
                kept.append(first)
                errors += [
                    self._error_vals(number, row, [("duplicate", self.env._("the same as row %s", first[0]))])
                    for number, row, _values in others
                ]
            else:
                numbers = ", ".join(str(number) for number, _row, _values in same)
                errors += [
                    self._error_vals(
                        number,
                        row,
                        [
                            (
                                "conflict",
                                self.env._(
                                    "rows %s give different prices or ends for the same product, segment, "
                                    "quantity and start",
                                    numbers,
                                ),
                            )
                        ],
                    )
                    for number, row, _values in same
                ]
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

    def _create_vals(self, values):
        product = values["product"]
        # As the form does it: a product without variants is named as such, so that one product has its rules on one
        # level, where segments and quantities decide
        single = len(product.product_tmpl_id.product_variant_ids) == 1
        return {
            "pricelist_id": self.pricelist_id.id,
            "applied_on": "1_product" if single else "0_product_variant",
            "display_applied_on": "1_product",
            "product_tmpl_id": product.product_tmpl_id.id,
            "product_id": False if single else product.id,
            "channel_segment_id": values["segment"].id if values["segment"] else False,
            "min_quantity": values["min_qty"],
            "compute_price": "fixed",
            "fixed_price": values["price"],
            "date_start": values["date_start"],
            "date_end": values["date_end"],
        }

    def _change_vals(self, rule, values):
        vals = {}
        if float_compare(rule.fixed_price, values["price"], precision_digits=DIGITS):
            vals["fixed_price"] = values["price"]
        if rule.date_end != values["date_end"]:
            vals["date_end"] = values["date_end"]
        return vals
