from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from odoo.addons.channel_base.models.channel_approval_mixin import _APPROVER
from odoo.addons.channel_base.tools.private_key import PrivateKey
from odoo.addons.channel_base.tools.schema import add_column

from ..tools import RuleBook, break_quantity, in_own_unit, stacking
from .product_pricelist_item_bulk_mixin import NO_PARTY_RANK, NO_SEGMENT_SEQUENCE

# Special prices are tried before everything else that names the same product, contracts (four ranks) included
SPECIAL_RANKS = 8

#: Opens the rules that stand beside the versions of a table to the code that decides about them.
_BESIDE_VERSIONS = PrivateKey("channel_beside_versions")


class ProductPricelistItem(models.Model):
    _name = "product.pricelist.item"
    _inherit = ["product.pricelist.item", "channel.version.line.mixin", "product.pricelist.item.bulk.mixin"]
    # Which rule wins is this order and nothing else: within the same product, category or "everything", first who is
    # named (member and end customer, end customer, member, nobody), then the segment that comes first; then as in core.
    _order = "applied_on, channel_rank, channel_segment_sequence, min_quantity desc, categ_id desc, id desc"
    # The order for which `tools.RuleBook` knows a short way: an add-on that changes `_order` loses it, not the prices.
    _channel_order = _order

    _version_field = "channel_version_id"

    channel_version_id = fields.Many2one(
        comodel_name="channel.price.version",
        string="Version",
        ondelete="cascade",
        index="btree_not_null",
        copy=False,
        help="The rule holds while this version of the price table is in force. Empty: it holds always.",
    )
    channel_member_id = fields.Many2one(
        comodel_name="res.partner",
        string="Member",
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
        help="The price holds only for this member. It is tried before rules that name no member for the same product, "
        "category or all products.",
    )
    channel_customer_id = fields.Many2one(
        comodel_name="res.partner",
        string="End Customer",
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
        help="The price holds only for what is sold to this end customer. It is tried before rules that name a member "
        "only.",
    )
    channel_segment_id = fields.Many2one(
        comodel_name="channel.segment",
        string="Segment",
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
        help="The price holds only for members and end customers of this segment. It is tried before rules "
        "without a segment for the same product, category or all products.",
    )
    channel_request_line_id = fields.Many2one(
        comodel_name="channel.price.request.line",
        string="Special Price",
        ondelete="restrict",
        index="btree_not_null",
        copy=False,
        help="The approved special price that the rule was made of. It is tried before all other rules of the product.",
    )
    channel_exhausted = fields.Boolean(
        string="Used Up",
        compute="_compute_channel_exhausted",
        store=True,
        help="The quantity of the special price is used up: the rule holds for nobody.",
    )
    channel_rank = fields.Integer(
        string="Party Priority",
        compute="_compute_channel_rank",
        store=True,
        aggregator=None,
        help="Technical: the smaller, the earlier the rule is tried.",
    )
    channel_segment_sequence = fields.Integer(
        string="Segment Priority",
        compute="_compute_channel_segment_sequence",
        store=True,
        aggregator=None,
        help="Technical: the smaller, the earlier the rule is tried.",
    )

    # What RuleBook asks for: the rules of one version of a table, for certain parties (does it have any?), about one
    # product or category, the one that is tried first in front.
    _channel_lookup_idx = models.Index(
        "(pricelist_id, COALESCE(channel_version_id, 0), applied_on, COALESCE(channel_member_id, 0),"
        " COALESCE(channel_customer_id, 0), COALESCE(channel_segment_id, 0),"
        " (CASE applied_on WHEN '0_product_variant' THEN product_id WHEN '1_product' THEN product_tmpl_id"
        " WHEN '2_product_category' THEN categ_id ELSE 0 END), channel_rank, min_quantity DESC, id DESC)"
    )
    # All rules of one version about one product or category, for whomever.
    _channel_target_idx = models.Index(
        "(pricelist_id, COALESCE(channel_version_id, 0), applied_on,"
        " (CASE applied_on WHEN '0_product_variant' THEN product_id WHEN '1_product' THEN product_tmpl_id"
        " WHEN '2_product_category' THEN categ_id ELSE 0 END))"
    )

    def _auto_init(self):
        # Rules that exist already name no party and no segment: known without computing each of a million.
        add_column(self.env.cr, self._table, "channel_rank", "int4", NO_PARTY_RANK)
        add_column(self.env.cr, self._table, "channel_segment_sequence", "int4", NO_SEGMENT_SEQUENCE)
        add_column(self.env.cr, self._table, "channel_exhausted", "bool", False)
        return super()._auto_init()

    # === COMPUTE METHODS ===#

    @api.depends("channel_member_id", "channel_customer_id", "channel_request_line_id")
    def _compute_channel_rank(self):
        for item in self:
            item.channel_rank = (
                NO_PARTY_RANK
                - 2 * bool(item.channel_customer_id)
                - bool(item.channel_member_id)
                - SPECIAL_RANKS * bool(item.channel_request_line_id)
            )

    @api.depends("channel_request_line_id.quantity", "channel_request_line_id.used_quantity")
    def _compute_channel_exhausted(self):
        for item in self:
            special = item.channel_request_line_id
            unit = special.product_id.uom_id
            item.channel_exhausted = bool(special) and unit.compare(special.used_quantity, special.quantity) >= 0

    @api.depends("channel_segment_id.sequence")
    def _compute_channel_segment_sequence(self):
        for item in self:
            segment = item.channel_segment_id
            item.channel_segment_sequence = segment.sequence if segment else NO_SEGMENT_SEQUENCE

    # === CONSTRAINT METHODS ===#

    @api.constrains("channel_version_id", "pricelist_id")
    def _check_channel_version_id(self):
        for item in self:
            if item.channel_version_id and item.channel_version_id.pricelist_id != item.pricelist_id:
                raise ValidationError(
                    self.env._(
                        "%(rule)s: %(version)s is a version of another price table than %(table)s.",
                        rule=item.display_name,
                        version=item.channel_version_id.display_name,
                        table=item.pricelist_id.display_name,
                    )
                )

    @api.constrains("channel_member_id", "channel_customer_id")
    def _check_channel_parties(self):
        for partner in self.channel_member_id | self.channel_customer_id:
            if partner.commercial_partner_id != partner:
                raise ValidationError(
                    self.env._(
                        "%(contact)s is a contact of %(company)s: a price rule names the company itself.",
                        contact=partner.display_name,
                        company=partner.commercial_partner_id.display_name,
                    )
                )

    @api.constrains("base_pricelist_id", "base", "compute_price", "pricelist_id")
    def _check_channel_offers(self):
        """A table of offers is not based on a table that it makes offers on: neither price could be told."""
        bases = {
            (rule.pricelist_id, rule.base_pricelist_id)
            for rule in self
            if rule.base == "pricelist" and rule.compute_price != "fixed" and rule.base_pricelist_id
        }
        for table, base in bases:
            if table in base._channel_underlying_tables():
                raise ValidationError(self.env._(
                    "%(table)s cannot be based on %(base)s: prices of that rest on it already, by a base or by offers.",
                    table=table.display_name, base=base.display_name,
                ))

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        Version = self.env["channel.price.version"]
        for vals in vals_list:
            if vals.get("channel_version_id") and not vals.get("pricelist_id"):
                vals["pricelist_id"] = Version.browse(vals["channel_version_id"]).pricelist_id.id
        rules = super().create(vals_list)
        rules._channel_check_by_hand()
        return rules

    def write(self, vals):
        if not set(vals) & {*self._version_terms(), *self._structure_fields()}:
            return super().write(vals)
        self._channel_check_by_hand()
        result = super().write(vals)
        self._channel_check_by_hand()
        return result

    def unlink(self):
        self._channel_check_by_hand()
        return super().unlink()

    # === BUSINESS METHODS ===#

    def _is_applicable_for(self, product, qty_in_product_uom):
        quantity = break_quantity(qty_in_product_uom, self.categ_id.id)
        return super()._is_applicable_for(product, quantity)

    def _compute_price(self, product, quantity, uom, date, currency=None, *, offers_on=None, **kwargs):
        """Core's price, and on it the offers that the price table names.

        :param offers_on: the price table, where no rule of it holds; False: the price without offers
        """
        price = super()._compute_price(product, quantity, uom, date, currency=currency, **kwargs)
        table = offers_on if offers_on is False else self.pricelist_id or offers_on
        # sudo: that a table has versions, and which offers these name, is no secret: it shows in every price
        if not table or not table.sudo().channel_is_versioned:
            return price
        keywords = {key: value for key, value in kwargs.items() if key not in ("rule_book", "rule_quantity")}
        book = kwargs.get("rule_book")
        if book is None or not book.covers(product, date, keywords):
            book = RuleBook(product, date, [(product.id, in_own_unit(product, quantity, uom))], **keywords)
        offers = book.offers(table)
        if not offers:
            return price
        currency = currency or table.currency_id or self.env.company.currency_id
        rules = offers._rules_of(self, product, quantity, uom, book)
        result = offers._combine_on(price, rules, product, quantity, uom, currency, date, rule_book=book, **keywords)
        return float(result.amount) if result and result.applied else price

    def _show_discount(self):
        # A discount has two digits, which would not give the amount that offers leave: such lines show the net price.
        # sudo: as for the price itself
        return super()._show_discount() and not self.sudo().channel_version_id.offer_ids

    def _channel_as_offer(self):
        """What the rule offers on another price: `(kind, value)` of `tools.stacking`; see the table of offers.

        The value of a new price is worked out by who asks.
        """
        self.ensure_one()
        if (self.base or "list_price") == "list_price":
            if self.compute_price == "percentage":
                return stacking.PERCENT, self.percent_price
            plain = not (self.price_round or self.price_min_margin or self.price_max_margin)
            if self.compute_price == "formula" and plain:
                if not self.price_surcharge:
                    return stacking.PERCENT, self.price_discount
                if not self.price_discount:
                    return stacking.AMOUNT, -self.price_surcharge
        return stacking.PRICE, None

    def _channel_beside_versions(self):
        """`self` with leave to make, change and delete rules without a version in a table that has versions.

        Such rules hold always: what decides about them (a special price that was approved) answers for them.
        """
        return _BESIDE_VERSIONS.open(self)

    def _channel_check_by_hand(self):
        """Refuse what only code makes: special prices, and rules outside the versions of a table that has some."""
        if _BESIDE_VERSIONS.opens(self):
            return
        # sudo: whether a table has versions is no secret
        for rule in self.sudo():
            if rule.channel_request_line_id:
                raise UserError(
                    self.env._(
                        "%(rule)s is special price %(reference)s: end that, or ask for another.",
                        rule=rule.name,
                        reference=rule.channel_request_line_id.request_id.name,
                    )
                )
            if rule.pricelist_id.channel_is_versioned and not rule.channel_version_id:
                raise UserError(
                    self.env._(
                        "%(table)s has versions: make a new version of it and change its rules there (%(rule)s).",
                        table=rule.pricelist_id.display_name,
                        rule=rule.name,
                    )
                )

    @api.model
    def _channel_check_kept(self, column, records):
        """Refuse to delete what an approved rule is about: the database would delete the rule with it."""
        # sudo: a rule that the user cannot see is approved all the same
        kept = self.sudo().search(
            [(column, "in", records.ids), ("channel_version_id.state", "in", ("approved", "superseded"))], limit=1
        )
        if kept:
            raise UserError(
                self.env._(
                    "%(record)s has a price in %(version)s, which was approved: archive it instead of deleting it.",
                    record=kept[column].display_name,
                    version=kept.channel_version_id.display_name,
                )
            )

    def _check_version_open(self):
        result = super()._check_version_open()
        # sudo: notes that a draft was edited, by somebody who may edit its rules
        self._channel_rules_edited(self.sudo().channel_version_id)
        return result

    @api.model
    def _channel_rules_edited(self, versions):
        """Note that rules of these drafts were changed: what was worked out about them is no longer true.

        Whoever writes rules by SQL calls it, once for all of them. Writing to the version also keeps others from
        approving it at the same time, unseen rules and all.
        """
        # sudo: as for the last editor; the caller may change the rules
        _APPROVER.open(versions.sudo()).write({"rules_edited_at": fields.Datetime.now(), "preview_at": False})

    def _channel_own_prices(self, moment):
        """What each rule of one product gives for that product, at its own quantity and for its own parties.

        :returns: ``{rule id: price per the product's unit}``; of a product with variants that of the first
        """
        prices = {}
        for (member, customer), rules in self.grouped(
            lambda rule: (rule.channel_member_id, rule.channel_customer_id)
        ).items():
            asked = [
                (rule, rule.product_id or rule.product_tmpl_id.product_variant_id, max(rule.min_quantity, 1.0))
                for rule in rules
            ]
            asked = [(rule, product, quantity) for rule, product, quantity in asked if product]
            parties = {"member": member, "customer": customer}
            book = RuleBook(
                self.env["product.product"].union(*(product for _rule, product, _quantity in asked)),
                moment,
                [(product.id, quantity) for _rule, product, quantity in asked],
                **parties,
            )
            for rule, product, quantity in asked:
                prices[rule.id] = rule._compute_price(
                    product, quantity, product.uom_id, moment, rule.currency_id, rule_book=book, **parties
                )
        return prices

    @api.model
    def _channel_target_sql(self, alias=None):
        """The id of what a rule is about, by its kind; the expression of `_channel_lookup_idx`."""
        return SQL(
            """(CASE %(rule)s.applied_on
                WHEN '0_product_variant' THEN %(rule)s.product_id
                WHEN '1_product' THEN %(rule)s.product_tmpl_id
                WHEN '2_product_category' THEN %(rule)s.categ_id
                ELSE 0 END)""",
            rule=SQL.identifier(alias or self._table),
        )

    @api.model
    def _channel_party_columns(self):
        """Columns by which a rule says for whom it is."""
        return ["channel_segment_id", "channel_member_id", "channel_customer_id"]

    @api.model
    def _channel_key_sql(self, alias):
        """By what a rule is found again in another version, as text: about what, for whom, from which quantity and
        moment on."""
        rule = SQL.identifier(alias)
        return SQL(
            "ROW(%s.applied_on, %s, COALESCE(%s.min_quantity, 0)::float8, %s.date_start, %s)::text",
            rule,
            self._channel_target_sql(alias),
            rule,
            rule,
            SQL(", ").join(SQL.identifier(alias, column) for column in self._channel_party_columns()),
        )

    @api.model
    def _channel_terms_sql(self, alias):
        """What a rule says, as text: its end, and of the many fields of a price those that count for its kind."""

        def column(name):
            return SQL("COALESCE(%s, 0)::float8", SQL.identifier(alias, name))

        rule = SQL.identifier(alias)
        base = SQL(
            "%(rule)s.base, CASE WHEN %(rule)s.base = 'pricelist' THEN %(rule)s.base_pricelist_id END", rule=rule
        )
        formula = ("price_discount", "price_round", "price_surcharge", "price_min_margin", "price_max_margin")
        return SQL(
            """ROW(%(rule)s.date_end, %(rule)s.compute_price, CASE %(rule)s.compute_price
                WHEN 'fixed' THEN ROW(%(fixed)s)::text
                WHEN 'percentage' THEN ROW(%(base)s, %(percent)s)::text
                ELSE ROW(%(base)s, CASE WHEN %(rule)s.base = 'standard_price' THEN %(markup)s END, %(formula)s)::text
                END)::text""",
            rule=rule,
            fixed=column("fixed_price"),
            base=base,
            percent=column("percent_price"),
            markup=column("price_markup"),
            formula=SQL(", ").join(column(name) for name in formula),
        )

    @api.model
    def _channel_copy_rules(self, source, vals):
        """Copy the rules of a domain by one statement, whatever their number.

        Rights are the caller's to check.

        :param Domain source: which rules
        :param dict vals: columns that differ in the copies, as the database has them
        :returns: how many
        """
        self.flush_model()
        vals = {
            **vals,
            "create_uid": self.env.uid,
            "write_uid": self.env.uid,
            "create_date": self.env.cr.now(),
            "write_date": self.env.cr.now(),
        }
        names = [
            name
            for name, field in self._fields.items()
            if field.store and field.column_type and (field.copy or field.compute) and name not in vals and name != "id"
        ]
        query = self.sudo()._search(source, order="id")
        self.env.cr.execute(
            SQL(
                "INSERT INTO product_pricelist_item (%s) %s",
                SQL(", ").join(map(SQL.identifier, [*names, *vals])),
                query.select(
                    *(SQL.identifier(self._table, name) for name in names), *(SQL("%s", v) for v in vals.values())
                ),
            )
        )
        count = self.env.cr.rowcount
        self.invalidate_model()
        return count
