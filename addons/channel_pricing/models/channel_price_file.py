from datetime import time

import pytz

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import price_table

#: What a rule makes of a price, by kind; the other fields of the rule are left over from other kinds
TERMS = {
    "fixed": ("fixed_price",),
    "percentage": ("base", "base_pricelist_id", "percent_price"),
    "formula": (
        "base", "base_pricelist_id", "price_discount", "price_round", "price_surcharge", "price_min_margin",
        "price_max_margin",
    ),
}
#: Decimals to which prices are compared
DIGITS = 6
LAST_SECOND = time(23, 59, 59)


class ChannelPriceFile(models.AbstractModel):
    """Price tables as rows: read from the rules by one query, whatever their number.

    A **rule** is a dict of the rule's columns with

    * ``key``: ``(target, segment_id, member_id, customer_id, min_quantity, date_start)``: where it stands. ``target``
      is ``("product", id)`` for one product, ``("template", id)`` for all variants of one that has several,
      ``("category", id)``, or ``("all", 0)``
    * ``terms``: ``{field: value}``: what it makes of a price, and until when
    """

    _name = "channel.price.file"
    _description = "Price Tables in Files"

    @api.model
    def _rules(self, pricelist, version=None, domain=Domain.TRUE):
        """The rules of a version, or those of a price table that belong to no version, in the order of a file.

        :param Domain domain: further condition on the rules
        :return: list of dicts; where several stand at the same place, the one that wins comes last
        """
        Item = self.env["product.pricelist.item"]
        pricelist.check_access("read")
        # Whoever may not see prices of members of other regions gets a file without them
        readable = Item._search(
            Domain("pricelist_id", "=", pricelist.id)
            & Domain("channel_version_id", "=", version.id if version else False)
            & domain
        )
        self.env.flush_all()
        self.env.cr.execute(SQL(
            """
            -- The list first, then each rule by its key: where many rules were just written the planner takes the list
            -- for one row, and would else read the table again for each of them.
            WITH shown (id) AS MATERIALIZED %s
            SELECT rule.id, rule.applied_on, rule.product_id, rule.product_tmpl_id, rule.categ_id,
                   rule.min_quantity::float8, rule.date_start, rule.date_end, rule.channel_segment_id,
                   rule.channel_member_id, rule.channel_customer_id, rule.compute_price, rule.fixed_price::float8,
                   rule.percent_price, rule.base, rule.base_pricelist_id, rule.price_discount::float8,
                   rule.price_round::float8,
                   rule.price_surcharge::float8, rule.price_min_margin::float8, rule.price_max_margin::float8,
                   CASE WHEN rule.applied_on = '0_product_variant' THEN rule.product_id
                        WHEN variants.count = 1 THEN variants.first_id END AS only_product_id,
                   CASE WHEN rule.applied_on = '0_product_variant' THEN product.default_code ELSE variants.code END
                       AS product_code,
                   segment.code AS segment_code, member.channel_code AS member_code,
                   customer.channel_code AS customer_code, category.complete_name AS category,
                   base_list.name AS base_name
              FROM shown
              JOIN product_pricelist_item rule ON rule.id = shown.id
         LEFT JOIN product_product product ON product.id = rule.product_id
         LEFT JOIN LATERAL (
                    SELECT count(*) AS count, min(id) AS first_id, min(NULLIF(default_code, '')) AS code
                      FROM product_product
                     WHERE product_tmpl_id = rule.product_tmpl_id AND active
                   ) variants ON rule.applied_on = '1_product'
         LEFT JOIN channel_segment segment ON segment.id = rule.channel_segment_id
         LEFT JOIN res_partner member ON member.id = rule.channel_member_id
         LEFT JOIN res_partner customer ON customer.id = rule.channel_customer_id
         LEFT JOIN product_category category ON category.id = rule.categ_id
         LEFT JOIN product_pricelist base_list ON base_list.id = rule.base_pricelist_id
             -- Special prices belong to their requests, no file touches them
             WHERE rule.channel_request_line_id IS NULL
          ORDER BY product_code, segment.code NULLS FIRST, rule.min_quantity, rule.id
            """,
            readable.subselect(),
        ))
        names = [column.name for column in self.env.cr.description]
        return [self._as_rule(dict(zip(names, row, strict=True))) for row in self.env.cr.fetchall()]

    @api.model
    def _as_rule(self, rule):
        match rule["applied_on"]:
            case "0_product_variant" | "1_product" if rule["only_product_id"]:
                target = ("product", rule["only_product_id"])
            case "0_product_variant" | "1_product":
                target = ("template", rule["product_tmpl_id"])
            case "2_product_category":
                target = ("category", rule["categ_id"])
            case _:
                target = ("all", 0)
        rule["key"] = (
            target, rule["channel_segment_id"] or 0, rule["channel_member_id"] or 0, rule["channel_customer_id"] or 0,
            round(rule["min_quantity"] or 0.0, DIGITS), rule["date_start"],
        )
        rule["terms"] = self._terms(rule)
        return rule

    @api.model
    def _terms(self, values):
        """What ``values`` of a rule make of a price, and until when; equal where two rules say the same."""
        terms = {"compute_price": values["compute_price"], "date_end": values["date_end"]}
        for name in TERMS[values["compute_price"]]:
            value = values[name]
            terms[name] = round(value or 0.0, DIGITS) if name not in ("base", "base_pricelist_id") else value or None
        if terms.get("base") != "pricelist":
            terms.pop("base_pricelist_id", None)
        return terms

    # === FILES ===#

    @api.model
    def _export(self, pricelist, version=None, layout="rows"):
        """:param str layout: ``rows`` or ``grid``, see `tools.price_table`
        :return: XLSX file
        :rtype: bytes
        """
        rules = [rule for rule in self._rules(pricelist, version) if self._is_in_layout(rule, layout)]
        if layout == "grid":
            return self._grid(rules)
        zone = pytz.timezone((pricelist.company_id or self.env.company)._channel_zone())
        currency = pricelist.currency_id.name
        return price_table.write_rows([self._row(rule, zone, currency) for rule in rules])

    @api.model
    def _left_out(self, pricelist, version=None, layout="rows"):
        """:return: number of rules that a file of this layout cannot name"""
        return sum(not self._is_in_layout(rule, layout) for rule in self._rules(pricelist, version))

    @api.model
    def _is_in_layout(self, rule, layout):
        return self._is_named(rule) and (layout == "rows" or self._is_cell(rule))

    @api.model
    def _is_named(self, rule):
        """Whether all that the rule is about has a code."""
        return all((
            rule["applied_on"] not in ("0_product_variant", "1_product") or rule["product_code"],
            not rule["channel_segment_id"] or rule["segment_code"],
            not rule["channel_member_id"] or rule["member_code"],
            not rule["channel_customer_id"] or rule["customer_code"],
        ))

    @api.model
    def _is_cell(self, rule):
        """Whether the rule is a cell of a grid: one price of one product, always, for a segment or everybody."""
        return rule["compute_price"] == "fixed" and rule["key"][0][0] == "product" and not (
            rule["channel_member_id"] or rule["channel_customer_id"] or rule["date_start"] or rule["date_end"]
        )

    @api.model
    def _row(self, rule, zone, currency):
        """A rule as a row of `tools.price_table`."""

        def local(moment, whole_day):
            if not moment:
                return None
            value = pytz.utc.localize(moment).astimezone(zone).replace(tzinfo=None)
            return value.date() if value.time() == whole_day else value

        row = {
            "segment_code": rule["segment_code"],
            "member_code": rule["member_code"],
            "customer_code": rule["customer_code"],
            "min_qty": rule["key"][4],
            "valid_from": local(rule["date_start"], time.min),
            "valid_to": local(rule["date_end"], LAST_SECOND),
        }
        match rule["key"][0][0]:
            case "product":
                row["product_code"] = rule["product_code"]
            case "template":
                row |= {"product_code": rule["product_code"], "applies_to": "product"}
            case "category":
                row |= {"category": rule["category"], "applies_to": "category"}
            case _:
                row["applies_to"] = "all"
        terms = rule["terms"]
        if terms["compute_price"] == "fixed":
            return {**row, "price": terms["fixed_price"], "currency": currency}
        bases = {value: word for word, value in price_table.BASES.items()}
        row["base"] = self._base_name(rule["base_name"]) if terms["base"] == "pricelist" else bases[terms["base"]]
        if terms["compute_price"] == "percentage":
            return {**row, "kind": "discount", "discount": terms["percent_price"]}
        return {
            **row,
            "kind": "formula",
            "discount": terms["price_discount"],
            "rounding": terms["price_round"] or None,
            "surcharge": terms["price_surcharge"] or None,
            "min_margin": terms["price_min_margin"] or None,
            "max_margin": terms["price_max_margin"] or None,
        }

    @api.model
    def _base_name(self, names):
        """The name of a price table in the user's language, out of its column."""
        return names.get(self.env.lang or "en_US") or names.get("en_US")

    @api.model
    def _grid(self, rules):
        segment_codes = sorted({rule["segment_code"] for rule in rules if rule["segment_code"]})
        products = self.env["product.product"].browse({rule["key"][0][1] for rule in rules})
        name_of = dict(zip(products.ids, products.mapped("name"), strict=True)) if products else {}
        rows = {}
        for rule in rules:
            product_id, min_quantity = rule["key"][0][1], rule["key"][4]
            row = rows.setdefault((rule["product_code"], product_id, min_quantity), {
                "product_code": rule["product_code"], "product_name": name_of[product_id], "min_qty": min_quantity,
            })
            # Of two at the same place the one that wins comes last
            row[rule["segment_code"] or price_table.EVERYBODY] = rule["fixed_price"]
        return price_table.write_grid([price_table.EVERYBODY, *segment_codes], [rows[key] for key in sorted(rows)])
