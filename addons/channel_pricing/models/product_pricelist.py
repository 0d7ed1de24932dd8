from datetime import date, datetime

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import RuleBook, in_own_unit

# First day of the version that takes over the rules of a table: rules without a start hold at any time
EVER_SINCE = date(2000, 1, 1)


class ProductPricelist(models.Model):
    _name = "product.pricelist"
    _inherit = ["product.pricelist", "channel.versioned.base.mixin", "channel.price.rules.mixin"]
    _versions_field = "channel_version_ids"

    channel_break_scope = fields.Selection(
        [
            ("line", "Each Line"),
            ("template", "All Variants of the Product"),
            ("category", "All Products of the Category"),
            ("order", "The Whole Order"),
        ],
        string="Quantity Breaks Count",
        required=True,
        default="line",
        tracking=True,
        help="Which lines of an order are added up before the minimum quantity of a rule is looked at. By category: "
        "for a rule of a category all products of it and of those below it, for other rules all products of the same "
        "category. Counted in the unit of the product that is priced.",
    )
    channel_version_ids = fields.One2many("channel.price.version", "pricelist_id", string="Versions")
    channel_is_versioned = fields.Boolean(
        string="Has Versions",
        readonly=True,
        copy=False,
        help="The rules of the table are changed by approved versions only.",
    )
    channel_version_count = fields.Integer(string="Number of Versions", compute="_compute_channel_version_count")

    # === COMPUTE METHODS ===#

    def _compute_channel_version_count(self):
        counts = self._version_counts()
        for pricelist in self:
            pricelist.channel_version_count = counts.get(pricelist._origin, 0)

    # === ACTION METHODS ===#

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
        return Domain("channel_request_line_id", "=", False)

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

    def _rules_subject(self):
        """Of a table with versions, the one in force today."""
        self.ensure_one()
        day = (self.company_id or self.env.company)._channel_today()
        version = self._version_at(day) if self.channel_is_versioned else self.env["channel.price.version"]
        return self, version

    def _channel_underlying_tables(self):
        """The tables on which prices of this one rest, itself first: its bases, and the tables of offers on it."""
        tables = level = self
        while level:
            bases = self.env["product.pricelist.item"]._read_group(
                [("pricelist_id", "in", level.ids), ("base", "=", "pricelist"), ("compute_price", "!=", "fixed")],
                ["base_pricelist_id"],
            )
            # sudo: a table that the user may not read makes a price all the same
            offers = self.env["channel.price.version.offer"].sudo()._read_group(
                [("version_id.pricelist_id", "in", level.ids), ("version_id.state", "!=", "cancelled")],
                ["offer_pricelist_id"],
            )
            level = self.union(*(table for [table] in bases), *(table for [table] in offers)) - tables
            tables += level
        return tables

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

    def _channel_rules_in_force_domain(self, moment, version=None):
        """Rules that hold at a moment, whoever buys: those of the version in force, and those without a version.

        :param version: ``channel.price.version`` to be taken for the one in force
        """
        version = self._channel_version_at(moment) if version is None else version
        return Domain("channel_version_id", "in", [False, *version.ids])

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

    def _get_applicable_rules(
        self, products, date, *, rule_book=None, rule_quantity=None, offers_on=None, **kwargs
    ):
        if self and rule_book is not None and len(products) == 1 and rule_book.covers(products, date, kwargs):
            return rule_book.candidates(self, products, rule_quantity)
        return super()._get_applicable_rules(products, date, **kwargs)

    def _compute_price_rule(
        self, products, quantity, *, currency=None, uom=None, date=False, compute_price=True, rule_book=None,
        rule_quantity=None, offers_on=None, **kwargs
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
                products,
                date,
                [(product.id, in_own_unit(product, quantity, uom)) for product in products],
                basket=rule_book.basket if rule_book else None,
                **kwargs,
            )
        results = {}
        for product in products:
            own_quantity = in_own_unit(product, quantity, uom)
            counted = rule_book.counted(self, product, own_quantity)
            keywords = {
                "currency": currency, "date": date, "rule_book": rule_book, "rule_quantity": counted,
                "offers_on": self, **kwargs,
            }
            if counted is own_quantity:
                results.update(
                    super()._compute_price_rule(product, quantity, uom=uom, compute_price=compute_price, **keywords)
                )
            else:
                results[product.id] = self._channel_counted_price_rule(product, quantity, uom, compute_price, keywords)
        return results

    def _channel_counted_price_rule(self, product, quantity, uom, compute_price, keywords):
        """Price and rule as core's `_compute_price_rule` has them, where the rule is found by another quantity than
        the line's: breaks are counted over several lines.
        """
        counted, currency = keywords["rule_quantity"], keywords["currency"]
        rule = keywords["rule_book"].winner(self, product, counted)
        if not compute_price:
            return 0.0, rule.id
        currency = currency or self.currency_id or self.env.company.currency_id
        price = rule._compute_price(product, quantity, uom or product.uom_id, **{**keywords, "currency": currency})
        return price, rule.id
