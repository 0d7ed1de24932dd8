import json
import math

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .channel_price_file import DIGITS

#: Products of a page
LIMIT = 80
MAX_LIMIT = 500
#: Cells of one call
MAX_CELLS = 50_000
FILTERS = ("all", "priced", "unpriced", "issues")
CELL_KEYS = {"product_id", "segment_id", "min_qty", "price", "was"}


class ChannelPriceGrid(models.AbstractModel):
    """A price table as a grid: products and their minimum quantities x segments.

    A cell is the fixed price of one product for one segment (0: for everybody), without a period and for no member or
    end customer alone. Rules of other kinds are shown, and are changed in the list of rules.
    """

    _name = "channel.price.grid"
    _description = "Price Grid"

    # === PUBLIC METHODS ===#

    @api.model
    @api.readonly
    def read_grid(
        self, version_id=None, pricelist_id=None, search=None, categ_id=None, show="all", segment_ids=None, offset=0,
        limit=LIMIT,
    ):
        """Read one page of the grid of a version, or of a price table without versions.

        :param int version_id: ``channel.price.version``
        :param int pricelist_id: ``product.pricelist``, when no version is named
        :param str search: part of the code or name of products
        :param int categ_id: only products of this category or below
        :param str show: ``all`` products, ``priced`` or ``unpriced`` in this grid, or those with open findings
            (``issues``)
        :param list segment_ids: further columns, beside those of segments that have a cell
        :param int offset: products to skip
        :param int limit: products of a page, 500 at most
        :return: dict of

            * ``pricelist_id``, ``version_id`` (or False), ``name``, ``currency``, ``editable``
            * ``total`` (products of all pages), ``offset``, ``limit``
            * ``columns``: ``[{id, name, code}]``, ``id`` of ``channel.segment``; the first, 0, is for everybody
            * ``rows``: ``[{product_id, code, name, category, uom, min_qty, first}]``; a product has a row for each of
              its minimum quantities (of its own unit), ``first`` is the first of them
            * ``cells``: ``{"<product_id>:<min_qty>": {"<segment_id>": cell}}`` without the empty ones; a cell has
              ``price`` (currency of the table; None where the rule is no fixed price), ``text`` (what such a rule
              says), ``dated`` (how many rules with a period stand there too) and ``issues``
              (``[{code, severity, message}]``)
        :raise AccessError: the user may not read price rules, or has no position in the channel
        :raise UserError: an argument that cannot be; the message names it
        """
        pricelist, version = self._subject(version_id, pricelist_id)
        if show not in FILTERS:
            raise UserError(
                self.env._("show: %(show)s is not known, use one of %(known)s.", show=show, known=", ".join(FILTERS))
            )
        offset, limit = max(int(offset or 0), 0), min(max(int(limit or LIMIT), 1), MAX_LIMIT)
        domain = self._product_domain(pricelist, version, search, categ_id, show)
        Product = self.env["product.product"]
        products = Product.search_fetch(
            domain, ["default_code", "name", "categ_id", "uom_id"], offset=offset, limit=limit,
            order="default_code, id",
        )
        rules = self._rules(pricelist, version, products)
        columns = self._columns(pricelist, version, segment_ids or [])
        issues = self._issues(pricelist, version, [rule["id"] for rule in rules])
        cells, quantities = {}, {product.id: set() for product in products}
        for rule in rules:
            (_kind, product_id), segment_id, *_parties, min_quantity, _start = rule["key"]
            quantities[product_id].add(min_quantity)
            cell = cells.setdefault(f"{product_id}:{self._digits(min_quantity)}", {}).setdefault(
                str(segment_id), {"price": None, "text": "", "dated": 0, "issues": []}
            )
            cell["issues"] += issues.get(rule["id"], [])
            if rule["date_start"] or rule["date_end"]:
                cell["dated"] += 1
            elif rule["compute_price"] == "fixed":
                cell["price"], cell["text"] = rule["fixed_price"], ""
            else:
                cell["price"], cell["text"] = None, self._words(rule)
        rows = [
            {
                "product_id": product.id,
                "code": product.default_code or "",
                "name": product.name,
                "category": product.categ_id.name or "",
                "uom": product.uom_id.name,
                "min_qty": min_quantity,
                "first": number == 0,
            }
            for product in products
            for number, min_quantity in enumerate(sorted(quantities[product.id]) or [0.0])
        ]
        return {
            "pricelist_id": pricelist.id,
            "version_id": version.id or False,
            "name": (version or pricelist).display_name,
            "currency": pricelist.currency_id.name,
            "editable": self._is_editable(pricelist, version),
            "total": Product.search_count(domain),
            "offset": offset,
            "limit": limit,
            "columns": columns,
            "rows": rows,
            "cells": cells,
        }

    @api.model
    def write_cells(self, cells, version_id=None, pricelist_id=None):
        """Write cells: all of them, or none when one of them cannot be.

        :param list cells: ``[{'product_id': int, 'segment_id': int or 0, 'min_qty': float, 'price': float or None,
            'was': float or None}]``; ``price`` None removes the price, ``was`` is the price that the caller has read:
            when somebody else has changed it meanwhile, nothing is written
        :param int version_id: a draft ``channel.price.version``
        :param int pricelist_id: a ``product.pricelist`` without versions, when no version is named
        :return: ``{'written': int, 'errors': [{'product_id', 'segment_id', 'min_qty', 'code', 'value', 'message',
            'remedy', 'current'}]}``; with errors ``written`` is 0. Codes: ``product_unknown``, ``segment_unknown``,
            ``price_invalid``, ``price_negative``, ``min_qty_invalid``, ``repeated``, ``changed`` (``current`` is the
            price of now), ``formula``
        :raise AccessError: the user may not change price rules
        :raise UserError: the version is no open draft, or an argument is of the wrong shape
        """
        pricelist, version = self._subject(version_id, pricelist_id)
        Item = self.env["product.pricelist.item"]
        self._check_shape(cells)
        Item._channel_check_target(pricelist, version)
        products, segments = self._named(pricelist, cells)
        standing = {}
        for rule in self._rules(pricelist, version, products):
            if not (rule["date_start"] or rule["date_end"]):
                standing[rule["key"]] = rule
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        errors, lines, seen = [], [], set()
        variants = self._variant_counts(products)
        for cell in cells:
            place = (cell["product_id"], cell["segment_id"] or 0, cell["min_qty"])
            problem = self._cell_problem(cell, products, segments) or (
                place in seen and ("repeated", self.env._("the cell is given twice"), self.env._("Give it once."))
            )
            seen.add(place)
            if problem:
                errors.append(self._error(cell, *problem, products=products, segments=segments))
                continue
            key = (
                ("product", cell["product_id"]), cell["segment_id"] or 0, 0, 0, round(cell["min_qty"], digits), None
            )
            rule = standing.get(key)
            problem = self._conflict(cell, rule)
            if problem:
                current = rule["fixed_price"] if rule else None
                errors.append(
                    self._error(cell, *problem, products=products, segments=segments, current=current)
                )
            elif line := self._line(cell, key, rule, products, variants):
                lines.append(line)
        if errors:
            return {"written": 0, "errors": errors}
        if lines:
            Item._channel_take_lines(pricelist, version, self._lines_sql(lines))
            self.env["channel.audit.entry"]._record(
                "price_grid.written", version or pricelist, after={"cells": len(lines)}
            )
        return {"written": len(lines), "errors": []}

    # === WHAT IS ASKED ===#

    @api.model
    def _subject(self, version_id, pricelist_id):
        if not self.env.su and not self.env.user.has_group("channel_base.group_channel_user"):
            raise AccessError(self.env._("The price grid is for users with a position in the channel."))
        for argument, value in (("version_id", version_id), ("pricelist_id", pricelist_id)):
            if value and (isinstance(value, bool) or not isinstance(value, int)):
                raise UserError(
                    self.env._("%(argument)s must be an id, got %(value)r.", argument=argument, value=value)
                )
        version = self.env["channel.price.version"].browse(version_id or []).exists()
        pricelist = version.pricelist_id or self.env["product.pricelist"].browse(pricelist_id or []).exists()
        if (version_id and not version) or not pricelist:
            raise UserError(
                self.env._(
                    "There is no version %(version)s or price table %(table)s: name one that exists.",
                    version=version_id, table=pricelist_id,
                )
            )
        (version or pricelist).check_access("read")
        return pricelist, version

    @api.model
    def _is_editable(self, pricelist, version):
        return self.env["product.pricelist.item"].has_access("write") and (
            version.state == "draft" and not version.review_ids if version else not pricelist.channel_is_versioned
        )

    @api.model
    def _product_domain(self, pricelist, version, search, categ_id, show):
        domain = Domain([
            ("sale_ok", "=", True), ("company_id", "in", [False, (pricelist.company_id or self.env.company).id])
        ])
        if search:
            domain &= Domain("default_code", "ilike", search) | Domain("name", "ilike", search)
        if categ_id:
            domain &= Domain("categ_id", "child_of", int(categ_id))
        Item = self.env["product.pricelist.item"]
        cells = self._cell_domain(pricelist, version)
        priced = Domain("id", "in", Item._search(cells & Domain("applied_on", "=", "0_product_variant")).subselect(
            "product_id")) | Domain("product_tmpl_id", "in", Item._search(
                cells & Domain("applied_on", "=", "1_product")).subselect("product_tmpl_id"))
        if show == "priced":
            domain &= priced
        elif show == "unpriced":
            domain &= ~priced
        elif show == "issues":
            issues = self.env["channel.price.issue"].search([
                ("pricelist_id", "=", pricelist.id), ("version_id", "=", version.id or False), ("state", "=", "open"),
            ])
            rules = issues.rule_id
            domain &= Domain("id", "in", (issues.product_id | rules.product_id).ids) | Domain(
                "product_tmpl_id", "in", rules.product_tmpl_id.ids
            )
        return domain

    @api.model
    def _cell_domain(self, pricelist, version):
        """Rules that may stand in a cell, whatever their kind and period."""
        return Domain([
            ("pricelist_id", "=", pricelist.id), ("channel_version_id", "=", version.id or False),
            ("channel_member_id", "=", False), ("channel_customer_id", "=", False),
            ("channel_request_line_id", "=", False),
        ])

    @api.model
    def _rules(self, pricelist, version, products):
        """Rules that stand in cells of these products, as `channel.price.file._rules` gives them; of a product with
        variants those of each variant."""
        domain = self._cell_domain(pricelist, version) & (
            Domain("applied_on", "=", "0_product_variant") & Domain("product_id", "in", products.ids)
            | Domain("applied_on", "=", "1_product") & Domain("product_tmpl_id", "in", products.product_tmpl_id.ids)
        )
        rules = self.env["channel.price.file"]._rules(pricelist, version, domain)
        asked = set(products.ids)
        return [rule for rule in rules if rule["key"][0][0] == "product" and rule["key"][0][1] in asked]

    @api.model
    def _columns(self, pricelist, version, segment_ids):
        Item = self.env["product.pricelist.item"]
        used = Item._read_group(
            self._cell_domain(pricelist, version)
            & Domain("applied_on", "in", ["0_product_variant", "1_product"])
            & Domain("channel_segment_id", "!=", False),
            ["channel_segment_id"],
        )
        ids = {segment.id for [segment] in used} | {int(segment_id) for segment_id in segment_ids}
        segments = self.env["channel.segment"].search([("id", "in", list(ids))])
        return [
            {"id": 0, "name": self.env._("Everybody"), "code": ""},
            *({"id": segment.id, "name": segment.name, "code": segment.code or ""} for segment in segments),
        ]

    @api.model
    def _issues(self, pricelist, version, rule_ids):
        """:return: ``{rule id: [{code, severity, message}]}``, for who may read them"""
        Issue = self.env["channel.price.issue"]
        if not rule_ids or not Issue.has_access("read"):
            return {}
        issues = Issue.search([
            ("pricelist_id", "=", pricelist.id), ("version_id", "=", version.id or False), ("state", "=", "open"),
            ("rule_id", "in", rule_ids),
        ])
        return {
            rule.id: [
                {"code": issue.code, "severity": issue.severity, "message": issue.message} for issue in of_rule
            ]
            for rule, of_rule in issues.grouped("rule_id").items()
        }

    @api.model
    def _digits(self, quantity):
        """A quantity as JavaScript writes it."""
        return repr(int(quantity)) if quantity == int(quantity) else repr(quantity)

    @api.model
    def _words(self, rule):
        if rule["compute_price"] == "percentage":
            return f"-{rule['percent_price']:g} %" if rule["percent_price"] >= 0 else f"+{-rule['percent_price']:g} %"
        return self.env._("Formula")

    # === WHAT IS WRITTEN ===#

    @api.model
    def _check_shape(self, cells):
        """Refuse what no cell of any grid could be."""
        if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
            raise UserError(self.env._("cells: expected a list of {'product_id': …, 'segment_id': …, 'price': …}."))
        if len(cells) > MAX_CELLS:
            raise UserError(
                self.env._("cells: %(count)s are too many, write %(limit)s at most.", count=len(cells), limit=MAX_CELLS)
            )
        for number, cell in enumerate(cells, 1):
            if unknown := cell.keys() - CELL_KEYS:
                raise UserError(
                    self.env._(
                        "Cell %(number)s: unknown key %(key)s; known are %(known)s.",
                        number=number, key=", ".join(sorted(unknown)), known=", ".join(sorted(CELL_KEYS)),
                    )
                )
            if missing := CELL_KEYS - cell.keys():
                raise UserError(
                    self.env._("Cell %(number)s: %(key)s is missing.", number=number, key=", ".join(sorted(missing)))
                )
            for key in ("product_id", "segment_id"):
                value = cell[key] or 0
                if isinstance(value, bool) or not isinstance(value, int):
                    raise UserError(
                        self.env._("Cell %(number)s: %(key)s must be an id, got %(value)r.",
                                   number=number, key=key, value=value)
                    )
            if not self._is_number(cell["min_qty"]):
                raise UserError(
                    self.env._("Cell %(number)s: min_qty must be a number, got %(value)r.",
                               number=number, value=cell["min_qty"])
                )

    @api.model
    def _is_number(self, value):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)

    @api.model
    def _named(self, pricelist, cells):
        company = [("company_id", "in", [False, (pricelist.company_id or self.env.company).id])]
        products = self.env["product.product"].search_fetch(
            [("id", "in", list({cell["product_id"] for cell in cells})), *company],
            ["default_code", "name", "product_tmpl_id"],
        )
        segments = self.env["channel.segment"].search_fetch(
            [("id", "in", list({cell["segment_id"] for cell in cells if cell["segment_id"]})), *company], ["name"]
        )
        return products, segments

    @api.model
    def _variant_counts(self, products):
        counts = self.env["product.product"]._read_group(
            [("product_tmpl_id", "in", products.product_tmpl_id.ids)], ["product_tmpl_id"], ["__count"]
        )
        return {template.id: count for template, count in counts}

    @api.model
    def _cell_problem(self, cell, products, segments):
        """:return: ``(code, message, remedy)`` or None"""
        if cell["product_id"] not in products._ids:
            return (
                "product_unknown",
                self.env._("there is no such product in this company"),
                self.env._("Read the grid again."),
            )
        if cell["segment_id"] and cell["segment_id"] not in segments._ids:
            return (
                "segment_unknown",
                self.env._("there is no such segment in this company"),
                self.env._("Read the grid again."),
            )
        if cell["min_qty"] < 0:
            return (
                "min_qty_invalid", self.env._("the quantity is negative"), self.env._("Enter a quantity of 0 or more.")
            )
        if cell["price"] is None:
            return None
        if not self._is_number(cell["price"]):
            return (
                "price_invalid",
                self.env._("%s is not a number", cell["price"]),
                self.env._("Enter a number, or empty the cell."),
            )
        if cell["price"] < 0:
            return (
                "price_negative",
                self.env._("%s is negative", cell["price"]),
                self.env._("Enter a price of 0 or more, or empty the cell."),
            )
        return None

    @api.model
    def _conflict(self, cell, rule):
        """:return: ``(code, message, remedy)`` when the cell is not as the caller has read it"""
        if rule and rule["compute_price"] != "fixed":
            return (
                "formula",
                self.env._("the rule there is a discount or a formula"),
                self.env._("Change it in the list of rules."),
            )
        current = rule["fixed_price"] if rule else None
        was = cell["was"]
        same = current is None and was is None or (
            current is not None and self._is_number(was) and round(current - was, DIGITS) == 0
        )
        if same:
            return None
        found = self.env._("nothing") if rule is None else current
        return (
            "changed",
            self.env._("somebody else has changed it meanwhile to %s", found),
            self.env._("Read the grid again, and decide which of both prices holds."),
        )

    @api.model
    def _error(self, cell, code, message, remedy, products, segments, current=None):
        product = products.filtered(lambda p: p.id == cell["product_id"])
        segment = segments.filtered(lambda s: s.id == cell["segment_id"])
        name = product.display_name or cell["product_id"]
        column = segment.name or (cell["segment_id"] or self.env._("Everybody"))
        return {
            "product_id": cell["product_id"],
            "segment_id": cell["segment_id"] or 0,
            "min_qty": cell["min_qty"],
            "code": code,
            "value": cell["price"],
            "message": self.env._(
                "%(product)s, %(segment)s, from %(quantity)s: %(problem)s",
                product=name, segment=column, quantity=f"{cell['min_qty']:g}", problem=message,
            ),
            "remedy": remedy,
            "current": current,
        }

    @api.model
    def _line(self, cell, key, rule, products, variants):
        """The change as a line of `_channel_take_lines`, None when there is none."""
        price = cell["price"]
        if price is None:
            return {"kind": "removed", "rule_id": rule["id"]} if rule else None
        if rule and round(rule["fixed_price"] - price, DIGITS) == 0:
            return None
        terms = {"compute_price": "fixed", "fixed_price": round(price, DIGITS), "date_end": None}
        if rule:
            return {"kind": "changed", "rule_id": rule["id"], "after": terms}
        product = products.browse(cell["product_id"])
        single = variants.get(product.product_tmpl_id.id, 1) == 1
        return {
            "kind": "new",
            "applied_on": "1_product" if single else "0_product_variant",
            "product_id": None if single else product.id,
            "product_tmpl_id": product.product_tmpl_id.id,
            "segment_id": key[1] or None,
            "min_quantity": key[4],
            "after": terms,
        }

    @api.model
    def _lines_sql(self, lines):
        return SQL(
            """
            SELECT *
              FROM jsonb_to_recordset(%s) AS line(
                    kind varchar, rule_id int, applied_on varchar, product_id int, product_tmpl_id int, categ_id int,
                    segment_id int, member_id int, customer_id int, min_quantity numeric, date_start timestamp,
                    after jsonb)
            """, json.dumps(lines),
        )
