from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, format_date, formatLang

#: Kinds whose price is an upper bound.
UPPER = ("ceiling", "award")


class ChannelPriceLimit(models.Model):
    """How low and how high a product may be sold: floor, ceiling of a tender, award of a volume-based procurement.

    Prices are net of all discounts and of tax, per the product's own unit of measure. An award is a ceiling with a
    committed quantity and a term; how far the quantity has come is counted on confirmed orders.

    Floors are known to Pricing, managers and auditors only (record rules); ceilings and awards are public facts.
    """

    _name = "channel.price.limit"
    _description = "Price Limit"
    _inherit = ["channel.limit.mixin"]
    _rec_names_search = ["number", "reference", "product_tmpl_id.name"]
    _check_company_auto = True
    _limit_sequence = "channel.price.limit"
    _limit_ending = "end_limit"

    # Declared again, so that its table of pairs is this add-on's and goes away with it.
    segment_ids = fields.Many2many()
    kind = fields.Selection(
        [("floor", "Floor"), ("ceiling", "Ceiling (Tender)"), ("award", "Award (Volume-Based Procurement)")],
        required=True,
        default="floor",
        tracking=True,
    )
    previous_id = fields.Many2one(
        "channel.price.limit",
        string="Takes the Place of",
        readonly=True,
        index="btree_not_null",
        domain="[('kind', '=', kind)]",
        help="Ends the day before this one begins, when this one is approved.",
    )
    price_base = fields.Selection(
        [("fixed", "Amount"), ("list_price", "% of Sales Price"), ("standard_price", "% of Cost")],
        string="Given as",
        required=True,
        default="fixed",
        tracking=True,
    )
    price = fields.Float(
        string="Net Price",
        min_display_digits="Product Price",
        tracking=True,
        help="Without tax, after all discounts, per the product's own unit of measure.",
    )
    percent = fields.Float(digits=(16, 4), tracking=True, help="110 % of the cost: never less than 10 % above it.")
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id, tracking=True
    )
    reference = fields.Char(
        string="Source", tracking=True, help="Tender, award notice or decision that it rests on, with its number."
    )
    document_ids = fields.Many2many(
        "ir.attachment",
        "channel_price_limit_document_rel",
        "limit_id",
        "attachment_id",
        string="Documents",
        copy=False,
        bypass_search_access=True,
    )

    # Awards
    committed_quantity = fields.Float(
        digits="Product Unit", tracking=True, help="Awarded for the term, in the product's own unit of measure."
    )
    ordered_quantity = fields.Float(
        string="Ordered", digits="Product Unit", compute="_compute_progress", help="On confirmed orders of the term."
    )
    invoiced_quantity = fields.Float(string="Invoiced", digits="Product Unit", compute="_compute_progress")
    open_quantity = fields.Float(
        string="Still to Order", digits="Product Unit", compute="_compute_progress", help="Of what was committed."
    )
    progress = fields.Float(string="Progress (%)", compute="_compute_progress", aggregator=None)

    _price_positive = models.Constraint("CHECK(price >= 0 AND percent >= 0)", "A price limit cannot be negative.")
    _quantity_positive = models.Constraint("CHECK(committed_quantity >= 0)", "A committed quantity cannot be negative.")

    # === COMPUTE METHODS === #

    @api.depends("number", "kind", "product_tmpl_id.name")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for limit in self:
            words = [limit.number or "", kinds.get(limit.kind, ""), limit.product_tmpl_id.name or ""]
            limit.display_name = " · ".join(filter(None, words))

    @api.depends("kind", "committed_quantity", "date_from", "date_to", "ended_on", "product_tmpl_id", "segment_ids")
    def _compute_progress(self):
        awards = self.filtered(lambda limit: limit.kind == "award" and limit._origin)
        quantities = awards._origin._ordered_quantities()
        for limit in self:
            ordered, invoiced = quantities.get(limit._origin.id, (0.0, 0.0))
            limit.ordered_quantity, limit.invoiced_quantity = ordered, invoiced
            limit.open_quantity = max(0.0, limit.committed_quantity - ordered)
            limit.progress = 100 * ordered / limit.committed_quantity if limit.committed_quantity else 0.0

    def _ordered_quantities(self):
        """What was ordered and invoiced within each award, in the products' own units: in one query.

        :return: ``{limit_id: (ordered, invoiced)}``
        """
        limits = self.filtered(lambda limit: limit.date_from and limit.date_to)
        if not limits:
            return {}
        # sudo: how much of an award is used is asked about every region; only sums come back
        limits = limits.sudo()
        limits.flush_recordset(["product_tmpl_id", "ended_on"])
        for model, names in {
            "sale.order.line": ["product_id", "product_uom_id", "product_uom_qty", "qty_invoiced", "company_id"],
            "sale.order": ["state", "date_order", "partner_id", "channel_end_customer_id"],
            "product.product": ["product_tmpl_id"],
            "product.template": ["uom_id"],
            "uom.uom": ["factor"],
        }.items():
            self.env[model].flush_model(names)
        companies = limits.env["res.company"].search([])  # pylint: disable=no-search-all  # of the database
        zones = SQL(
            "(SELECT * FROM unnest(%s::int[], %s::varchar[]) AS zone(company_id, name))",
            companies.ids,
            [company._channel_zone() for company in companies],
        )
        day = SQL("(so.date_order AT TIME ZONE 'UTC' AT TIME ZONE zone.name)::date")
        templates = limits.product_tmpl_id if all(limit.product_tmpl_id for limit in limits) else None
        lines = SQL(
            """(SELECT sol.id AS line_id, so.partner_id AS member_id, so.channel_end_customer_id AS customer_id,
                       sol.product_id, %(day)s AS date, sol.company_id
                  FROM sale_order_line sol
                  JOIN sale_order so ON so.id = sol.order_id
                  JOIN product_product sold ON sold.id = sol.product_id
                  JOIN %(zones)s zone ON zone.company_id = sol.company_id
                 WHERE so.state = 'sale' AND %(products)s
                   -- a day wider, for the time zones
                   AND so.date_order >= %(first)s::date - 1 AND so.date_order < %(last)s::date + 2)""",
            day=day,
            zones=zones,
            products=SQL("sold.product_tmpl_id = ANY(%s)", templates.ids) if templates else SQL("TRUE"),
            first=min(limits.mapped("date_from")),
            last=max(limits.mapped("date_to")),
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT held.id,
                       SUM(sol.product_uom_qty * unit.factor / own.factor),
                       SUM(sol.qty_invoiced * unit.factor / own.factor)
                  FROM %(matched)s matched
                  JOIN channel_price_limit held ON held.id = matched.scope_id
                  JOIN sale_order_line sol ON sol.id = matched.line_id
                  JOIN sale_order so ON so.id = sol.order_id
                  JOIN %(zones)s zone ON zone.company_id = sol.company_id
                  JOIN product_product product ON product.id = sol.product_id
                  JOIN product_template template ON template.id = product.product_tmpl_id
                  JOIN uom_uom own ON own.id = template.uom_id
                  JOIN uom_uom unit ON unit.id = COALESCE(sol.product_uom_id, own.id)
                 WHERE (held.product_tmpl_id IS NULL OR held.product_tmpl_id = template.id)
                   AND (held.ended_on IS NULL OR held.ended_on >= %(day)s)
              GROUP BY held.id
                """,
                matched=limits._match_sql(lines),
                zones=zones,
                day=day,
            )
        )
        return {limit_id: (float(ordered or 0), float(invoiced or 0)) for limit_id, ordered, invoiced in rows}

    # === CONSTRAINT METHODS === #

    @api.constrains("kind", "price_base")
    def _check_price_base(self):
        for limit in self:
            if limit.kind in UPPER and limit.price_base == "standard_price":
                raise ValidationError(
                    self.env._(
                        "Given as: an upper limit that is a part of the cost would tell the cost. "
                        "Give %s as an amount.",
                        limit.display_name,
                    )
                )

    # === APPROVAL === #

    def _approval_terms(self):
        return [
            *super()._approval_terms(), "kind", "price_base", "price", "percent", "currency_id", "reference",
            "committed_quantity", "document_ids",
        ]

    def _approval_before(self):
        super()._approval_before()
        for limit in self:
            amount = limit.price if limit.price_base == "fixed" else limit.percent
            if not amount:
                raise UserError(
                    self.env._("%s: its price is 0. A limit of nothing would allow or forbid everything.", limit.number)
                )
            if limit.kind == "award" and not (limit.date_from and limit.date_to and limit.committed_quantity):
                raise UserError(
                    self.env._(
                        "%s is an award: give its term (From, To) and the committed quantity.", limit.number
                    )
                )

    def _approval_audit_values(self):
        return {
            limit.id: {
                "kind": limit.kind,
                "product": limit.product_tmpl_id.display_name or None,
                "product_domain": limit.product_domain or None,
                "segments": sorted(limit.segment_ids.mapped("code")),
                "given_as": limit.price_base,
                "amount": limit.price if limit.price_base == "fixed" else limit.percent,
                "currency": limit.currency_id.name,
                "committed_quantity": limit.committed_quantity or None,
                "date_from": limit.date_from or None,
                "date_to": limit.date_to or None,
                "source": limit.reference or None,
                "replaces": limit.previous_id.number or None,
            }
            for limit in self
        }

    # === BUSINESS METHODS === #

    def _price_for(self, product, company):
        """The limit's price of a product.

        :return: ``(amount per the product's own unit, its res.currency)``
        """
        self.ensure_one()
        match self.price_base:
            case "list_price":
                return product.lst_price * self.percent / 100, product.currency_id
            case "standard_price":
                product = product.with_company(company)
                return product.standard_price * self.percent / 100, product.cost_currency_id
        return self.price, self.currency_id

    def _in_words(self, amount, currency):
        """The limit in one line: of a floor only for who may read it."""
        self.ensure_one()
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        words = self.env._(
            "%(kind)s %(number)s: %(amount)s",
            kind=kinds[self.kind],
            number=self.number,
            amount=formatLang(self.env, amount, currency_obj=currency, dp="Product Price"),
        )
        if self.date_to:
            words = self.env._("%(limit)s until %(date)s", limit=words, date=format_date(self.env, self.date_to))
        return f"{words} ({self.reference})" if self.reference else words
