import base64
from datetime import date, datetime, time

import pytz

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import RuleBook, in_own_unit, price_table

# First day of the version that takes over the rules of a table: rules without a start hold at any time
EVER_SINCE = date(2000, 1, 1)


class ProductPricelist(models.Model):
    _name = "product.pricelist"
    _inherit = ["product.pricelist", "channel.versioned.base.mixin"]
    _versions_field = "channel_version_ids"

    channel_version_ids = fields.One2many("channel.price.version", "pricelist_id", string="Versions")
    channel_is_versioned = fields.Boolean(
        string="Has Versions",
        readonly=True,
        copy=False,
        help="The rules of the table are changed by approved versions only.",
    )
    channel_version_count = fields.Integer(string="Number of Versions", compute="_compute_channel_version_count")

    channel_price_table = fields.Binary(
        string="Price Table (XLSX)",
        compute="_compute_channel_price_table",
        help="The fixed prices of single products, in the columns that an import reads. Rules of categories, discounts "
        "and formulas are no single prices and stay out.",
    )

    # === COMPUTE METHODS ===#

    def _compute_channel_price_table(self):
        for pricelist in self:
            pricelist.channel_price_table = base64.b64encode(price_table.write_rows(pricelist._channel_rows()))

    def _compute_channel_version_count(self):
        counts = self._version_counts()
        for pricelist in self:
            pricelist.channel_version_count = counts.get(pricelist._origin, 0)

    # === ACTION METHODS ===#

    def action_channel_export_prices(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/channel_price_table/prices-{self.id}.xlsx?download=true",
            "target": "download",
        }

    def action_channel_import_prices(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import Prices"),
            "res_model": "channel.price.import",
            "view_mode": "form",
            "context": {"default_pricelist_id": self.id},
        }

    def action_new_version(self):
        """Open a draft with the rules in force, to be changed and approved; see the kernel's method."""
        self.ensure_one()
        self._channel_adopt_rules()
        return super().action_new_version()

    def action_channel_open_versions(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_pricing.channel_price_version_action"),
            "domain": [("pricelist_id", "=", self.id)],
            "context": {"default_pricelist_id": self.id},
        }

    def action_channel_open_rules(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_pricing.channel_price_rule_action"),
            "domain": [("pricelist_id", "=", self.id)],
            "context": {"default_pricelist_id": self.id},
        }

    # === CRUD METHODS ===#

    def copy_data(self, default=None):
        """The copy of a table with versions has none: it begins with the rules in force today."""
        vals_list = super().copy_data(default)
        for pricelist, vals in zip(self, vals_list, strict=True):
            if pricelist.channel_is_versioned:
                vals.pop("item_ids", None)
        return vals_list

    def copy(self, default=None):
        copies = super().copy(default)
        Item = self.env["product.pricelist.item"]
        for pricelist, copy in zip(self, copies, strict=True):
            if pricelist.channel_is_versioned:
                Item.check_access("create")
                Item._channel_copy_rules(
                    Domain("pricelist_id", "=", pricelist.id)
                    & pricelist._channel_rules_in_force_domain(fields.Datetime.now())
                    & pricelist._channel_table_rules_domain(),
                    {"pricelist_id": copy.id, "channel_version_id": None},
                )
        return copies

    # === BUSINESS METHODS ===#

    @api.model
    def _channel_table_rules_domain(self):
        """Rules that are part of the table, not of a decision that stands beside it (special prices)."""
        return Domain.TRUE

    def _channel_adopt_rules(self):
        """Put tables under versions. The rules that they have become version 1, in force since ever.

        Nothing changes about any price, of today or of the past, so that nobody has to approve it; the journal notes
        who did it.
        """
        Version, Item = self.env["channel.price.version"], self.env["product.pricelist.item"]
        for pricelist in self.filtered(lambda table: not table.channel_is_versioned):
            pricelist.channel_is_versioned = True
            rules = Domain("pricelist_id", "=", pricelist.id) & pricelist._channel_table_rules_domain()
            # sudo: all rules, also those of members whom the user does not see
            if not Item.sudo().search_count(rules, limit=1):
                continue
            version = Version._adopted(pricelist, EVER_SINCE)
            Item.flush_model()
            self.env.cr.execute(
                SQL(
                    "UPDATE product_pricelist_item SET channel_version_id = %s WHERE id IN %s",
                    version.id,
                    Item.sudo()._search(rules).subselect(),
                )
            )
            self.env.invalidate_all()
            self.env["channel.audit.entry"]._record(
                "price_version.adopted", version, after=version._rules_fingerprint()
            )

    def _channel_time_zone(self):
        """In which a date without time of day is meant."""
        self.ensure_one()
        return self.company_id.partner_id.tz or self.env.user.tz or "UTC"

    def _channel_single_price_rules(self):
        """The rules that are one price of one product, with that product: ``[(rule, product)]``."""
        self.ensure_one()
        rules = self.env["product.pricelist.item"].search(
            [
                ("pricelist_id", "=", self.id),
                ("compute_price", "=", "fixed"),
                ("applied_on", "in", ["0_product_variant", "1_product"]),
                ("channel_request_line_id", "=", False),
            ],
        )
        pairs = []
        for rule in rules:
            variants = rule.product_tmpl_id.product_variant_ids
            product = rule.product_id if rule.applied_on == "0_product_variant" else variants
            if len(product) == 1:
                pairs.append((rule, product))
        return pairs

    def _channel_rules_by_key(self):
        """Which rule a row of a price file is about: ``{(product, segment, min. quantity, start): rule}``.

        Of several with the same key the one that wins, as in the rules' order.
        """
        found = {}
        for rule, product in self._channel_single_price_rules():
            key = (product.id, rule.channel_segment_id.id, round(rule.min_quantity, 6), rule.date_start)
            found.setdefault(key, rule)
        return found

    def _channel_rows(self):
        """The table as rows of `tools.price_table`; products without a code have no row."""
        zone = pytz.timezone(self._channel_time_zone())

        def local(moment, whole_day):
            if not moment:
                return None
            value = pytz.utc.localize(moment).astimezone(zone).replace(tzinfo=None)
            return value.date() if value.time() == whole_day else value

        rows = [
            {
                "product_code": product.default_code,
                "segment_code": rule.channel_segment_id.code,
                "min_qty": rule.min_quantity,
                "price": rule.fixed_price,
                "currency": self.currency_id.name,
                "valid_from": local(rule.date_start, time.min),
                "valid_to": local(rule.date_end, time(23, 59, 59)),
            }
            for rule, product in self._channel_single_price_rules()
            if product.default_code
        ]
        return sorted(rows, key=lambda row: (row["product_code"], row["segment_code"] or "", row["min_qty"]))

    @api.model
    def _channel_context(self, member, customer):
        """`self.env.context` for callers of core that ask for prices but pass no keywords.

        Which parties a price is for travels in keywords wherever core hands them on; only where it does not, here.
        """
        return {"channel_member_id": member.id, "channel_customer_id": customer.id}

    def _channel_parties(self):
        """The parties named by `_channel_context`, as keywords."""
        Partner = self.env["res.partner"]
        return {
            keyword: Partner.browse(self.env.context[key]).commercial_partner_id
            for keyword, key in (("member", "channel_member_id"), ("customer", "channel_customer_id"))
            if self.env.context.get(key)
        }

    def _channel_day(self, moment):
        """The day on which the table's versions are asked for at a moment (naive UTC; a date is that day)."""
        self.ensure_one()
        if not isinstance(moment, datetime):
            return moment
        return (self.company_id or self.env.company)._channel_date(moment)

    def _channel_version_at(self, moment):
        """The version whose rules hold at a moment, with superuser rights; none for a table without versions."""
        self.ensure_one()
        # sudo: which version is in force decides the price, also for those who may not read versions
        pricelist = self.sudo()
        if not pricelist.channel_is_versioned:
            return pricelist.channel_version_ids.browse()
        return pricelist._version_at(self._channel_day(moment))

    def _channel_rules_in_force_domain(self, moment):
        """Rules that hold at a moment, whoever buys: those of the version in force, and those without a version."""
        return Domain("channel_version_id", "in", [False, *self._channel_version_at(moment).ids])

    def _get_applicable_rules_domain(
        self, products, date, *, member=None, customer=None, special_prices=True, **kwargs
    ):
        """Rules in force that name this pair, one of its segments, or nobody.

        :param member: ``res.partner`` that buys; none: only rules without a segment
        :param customer: ``res.partner``, the end customer; none: only segments open to every end customer
        :param bool special_prices: False leaves special prices out: what would it cost without
        """
        domain = super()._get_applicable_rules_domain(
            products=products, date=date, member=member, customer=customer, **kwargs
        )
        special = Domain("channel_exhausted", "=", False)
        if not special_prices:
            special = Domain("channel_request_line_id", "=", False)
        return (
            Domain(domain)
            & self._channel_rules_in_force_domain(date)
            & self.env["channel.pricing"]._rules_of_parties_domain(member, customer)
            & special
        )

    def _get_applicable_rules(self, products, date, *, rule_book=None, rule_quantity=None, **kwargs):
        if self and rule_book is not None and len(products) == 1 and rule_book.covers(products, date, kwargs):
            return rule_book.candidates(self, products, rule_quantity)
        return super()._get_applicable_rules(products, date, **kwargs)

    def _compute_price_rule(
        self, products, quantity, *, currency=None, uom=None, date=False, compute_price=True, rule_book=None,
        rule_quantity=None, **kwargs
    ):
        """Hand core one product at a time with the rule that wins for it, all of them found by one query."""
        if not (self and products):
            return super()._compute_price_rule(
                products, quantity, currency=currency, uom=uom, date=date, compute_price=compute_price, **kwargs
            )
        date = date or fields.Datetime.now()
        kwargs = {**self._channel_parties(), **kwargs}
        if rule_book is None or not rule_book.covers(products, date, kwargs):
            rule_book = RuleBook(
                products, date, [(product.id, in_own_unit(product, quantity, uom)) for product in products], **kwargs
            )
        results = {}
        for product in products:
            results.update(
                super()._compute_price_rule(
                    product,
                    quantity,
                    currency=currency,
                    uom=uom,
                    date=date,
                    compute_price=compute_price,
                    rule_book=rule_book,
                    rule_quantity=in_own_unit(product, quantity, uom),
                    **kwargs,
                )
            )
        return results
