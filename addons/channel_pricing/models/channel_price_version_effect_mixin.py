from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import RuleBook

_YEAR = relativedelta(years=1)


class ChannelPriceVersionEffectMixin(models.AbstractModel):
    """What a version would have meant for the sales of the last twelve months, by member and product.

    The confirmed orders of the table are priced once by the version before and once by this one, as of the day on
    which this one begins: all lines by one statement each, each price that differs once.
    """

    _name = "channel.price.version.effect.mixin"
    _description = "Effect of a Price Table Version"

    currency_id = fields.Many2one("res.currency")
    effect_ids = fields.One2many("channel.price.effect", "version_id", string="Effect on Sales", readonly=True)
    effect_before = fields.Monetary(string="Last Year, Version Before", readonly=True, copy=False)
    effect_after = fields.Monetary(string="Last Year, this Version", readonly=True, copy=False)
    effect_difference = fields.Monetary(string="Effect", readonly=True, copy=False)
    effect_percent = fields.Float(string="Effect (%)", digits=(16, 2), readonly=True, copy=False, aggregator=None)

    # === ACTION METHODS ===#

    def action_open_effect(self):
        self.ensure_one()
        self._refresh_preview(stale_only=True)
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_pricing.channel_price_effect_action"),
            "name": self.env._("Effect of %s", self.display_name),
            "domain": [("version_id", "=", self.id)],
        }

    # === BUSINESS METHODS ===#

    @api.model
    def _effect_fields(self):
        return {"effect_ids", "effect_before", "effect_after", "effect_difference", "effect_percent"}

    def _compute_effect(self, before):
        """Write the effect anew.

        :param before: the version to compare with, may be empty
        :returns: values of the sums
        """
        self.ensure_one()
        self.env.flush_all()
        currency = self.pricelist_id.currency_id
        questions = self._effect_questions()
        old, new = (self._effect_prices(questions, version) for version in (before, self))
        columns = list(zip(*questions, strict=True)) or [()] * 8
        self.env.cr.execute(SQL("DELETE FROM channel_price_effect WHERE version_id = %s", self.id))
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO channel_price_effect (
                    version_id, member_id, product_id, quantity, amount_ordered, amount_before, amount_after, difference
                )
                SELECT %(version)s, member_id, product_id, SUM(lines * own_quantity), SUM(ordered),
                       SUM(lines * ROUND(old * quantity, %(digits)s)), SUM(lines * ROUND(new * quantity, %(digits)s)),
                       SUM(lines * ROUND(new * quantity, %(digits)s)) - SUM(lines * ROUND(old * quantity, %(digits)s))
                  FROM unnest(%(members)s::int[], %(products)s::int[], %(quantities)s::numeric[], %(own)s::numeric[],
                              %(lines)s::int[], %(ordered)s::numeric[], %(old)s::numeric[], %(new)s::numeric[])
                    AS asked(member_id, product_id, quantity, own_quantity, lines, ordered, old, new)
              GROUP BY member_id, product_id
                """,
                version=self.id,
                digits=currency.decimal_places,
                members=list(columns[0]),
                products=list(columns[2]),
                quantities=list(columns[4]),
                own=list(columns[5]),
                lines=list(columns[6]),
                ordered=list(columns[7]),
                old=old,
                new=new,
            )
        )
        self.env["channel.price.effect"].invalidate_model()
        [[sum_before, sum_after]] = self.env.execute_query(
            SQL("SELECT SUM(amount_before), SUM(amount_after) FROM channel_price_effect WHERE version_id = %s", self.id)
        )
        sum_before, sum_after = float(sum_before or 0), float(sum_after or 0)
        return {
            "effect_before": sum_before,
            "effect_after": sum_after,
            "effect_difference": sum_after - sum_before,
            "effect_percent": 100 * (sum_after / sum_before - 1) if sum_before else 0.0,
        }

    def _effect_questions(self):
        """The lines of last year's orders by this table, those alike together.

        :returns: ``[(member id, customer id or None, product id, unit id, quantity in that unit,
            quantity in the product's own unit, number of lines, amount ordered)]``
        """
        now = fields.Datetime.now()
        return self.env.execute_query(
            SQL(
                """
                SELECT member.commercial_partner_id, customer.commercial_partner_id, line.product_id,
                       line.product_uom_id, line.product_uom_qty,
                       line.product_uom_qty * unit.factor / own_unit.factor, COUNT(*), SUM(line.price_subtotal)
                  FROM sale_order_line line
                  JOIN sale_order "order" ON "order".id = line.order_id
                  JOIN res_partner member ON member.id = "order".partner_id
             LEFT JOIN res_partner customer ON customer.id = "order".channel_end_customer_id
                  JOIN product_product product ON product.id = line.product_id
                  JOIN product_template template ON template.id = product.product_tmpl_id
                  JOIN uom_uom unit ON unit.id = line.product_uom_id
                  JOIN uom_uom own_unit ON own_unit.id = template.uom_id
                 WHERE "order".pricelist_id = %(table)s AND "order".state = 'sale'
                   AND "order".date_order > %(since)s AND "order".date_order <= %(until)s
                   AND line.display_type IS NULL AND line.product_uom_qty > 0
                   AND line.is_downpayment IS NOT TRUE
              GROUP BY 1, 2, 3, 4, 5, 6
              ORDER BY 1, 2, 3, 4, 5
                """,
                table=self.pricelist_id.id,
                since=now - _YEAR,
                until=now,
            )
        )

    def _effect_prices(self, questions, version):
        """The price of each of `_effect_questions` by the rules of a version, in its unit.

        :param version: of this table; empty: the table without any version's rules
        """
        moment, currency = self._preview_moment(), self.pricelist_id.currency_id
        winners = self._effect_winners(questions, self.pricelist_id, version, moment)
        # sudo: whoever looks at the effect need not see the tables of offers; they make the price all the same
        offers = version.sudo().offer_ids
        offer_winners = {
            offer: self._effect_winners(
                questions, offer.offer_pricelist_id, offer.offer_pricelist_id._channel_version_at(moment), moment
            )
            for offer in offers
        }
        Item, Product = self.env["product.pricelist.item"], self.env["product.product"]
        Uom, Partner = self.env["uom.uom"], self.env["res.partner"]
        products = Product.browse({question[2] for question in questions})
        by_id = dict(zip(products.ids, products, strict=True))
        rules = Item.browse({rule_id for won in (winners, *offer_winners.values()) for rule_id in won.values()})
        by_rule = dict(zip(rules.ids, rules, strict=True))
        known, prices, books = {}, [], {}
        for key, (member_id, customer_id, product_id, uom_id, quantity, *_rest) in enumerate(questions):
            rule = by_rule.get(winners.get(key), Item)
            made = {
                offer: by_rule[won[key]]
                for offer, won in offer_winners.items()
                if key in won and (offer.on_special or not rule.channel_request_line_id)
            }
            asked = (rule.id, product_id, uom_id, *((offer.id, won.id) for offer, won in made.items()))
            if made:
                # Minimums of offers are those of the line
                asked += (quantity,)
            keywords = {}
            if any(one.base == "pricelist" and one.compute_price != "fixed" for one in (rule, *made.values())):
                # Only here do buyer and quantity matter beyond the choice of the rule
                asked += (member_id, customer_id, quantity)
                pair = (member_id, customer_id)
                if pair not in books:
                    parties = {"member": Partner.browse(member_id), "customer": Partner.browse(customer_id or [])}
                    mine = [(other[2], float(other[5])) for other in questions if other[:2] == pair]
                    books[pair] = {
                        **parties,
                        "rule_book": RuleBook(
                            Product.browse({product for product, _quantity in mine}), moment, mine, **parties
                        ),
                    }
                keywords = books[pair]
            if asked not in known:
                line = (by_id[product_id], float(quantity), Uom.browse(uom_id))
                price = rule._compute_price(*line, moment, currency, **{**keywords, "offers_on": False})
                combined = offers._combine_on(price, made, *line, currency, moment, **keywords)
                known[asked] = float(combined.amount) if combined and combined.applied else price
            prices.append(known[asked])
        return prices

    def _effect_winners(self, questions, table, version, moment):
        """The rule of a table that wins for each question, by one statement.

        :returns: ``{position: rule id}``; a question without a rule is missing
        """
        if not questions:
            return {}
        Item = self.env["product.pricelist.item"]
        holding = Item._search(
            Domain("pricelist_id", "=", table.id)
            & table._channel_rules_in_force_domain(moment, version=version)
            & (Domain("date_start", "=", False) | Domain("date_start", "<=", moment))
            & (Domain("date_end", "=", False) | Domain("date_end", ">=", moment)),
            order=Item._order,
        )
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    WITH asked AS (
                        SELECT *
                          FROM unnest(%(keys)s::int[], %(members)s::int[], %(customers)s::int[], %(products)s::int[],
                                      %(quantities)s::numeric[])
                            AS asked(key, member_id, customer_id, product_id, quantity)
                    ),
                    held AS MATERIALIZED (
                        SELECT pair.member_id, COALESCE(pair.customer_id, 0) AS customer_id, s.id AS segment_id
                          FROM (SELECT DISTINCT member_id, customer_id FROM asked) AS pair
                          JOIN channel_segment s ON %(holds)s
                    ),
                    target AS MATERIALIZED (
                        SELECT product.id AS product_id, target.level, target.id
                          FROM product_product product
                          JOIN product_template template ON template.id = product.product_tmpl_id
                     LEFT JOIN product_category category ON category.id = template.categ_id
                    CROSS JOIN LATERAL (
                                SELECT '0_product_variant' AS level, product.id
                                 UNION ALL SELECT '1_product', template.id
                                 UNION ALL SELECT '2_product_category', part::int
                                             FROM string_to_table(category.parent_path, '/') part WHERE part <> ''
                                 UNION ALL SELECT '3_global', 0
                               ) AS target
                         WHERE product.id IN (SELECT product_id FROM asked)
                    )
                    SELECT DISTINCT ON (asked.key) asked.key, product_pricelist_item.id
                      FROM (%(from)s)
                      JOIN target ON target.level = product_pricelist_item.applied_on AND target.id = %(target)s
                      JOIN asked ON asked.product_id = target.product_id
                 LEFT JOIN held ON held.segment_id = product_pricelist_item.channel_segment_id
                       AND held.member_id = asked.member_id AND held.customer_id = COALESCE(asked.customer_id, 0)
                     WHERE %(where)s
                       AND (product_pricelist_item.channel_segment_id IS NULL OR held.segment_id IS NOT NULL)
                       AND COALESCE(product_pricelist_item.channel_member_id, asked.member_id) = asked.member_id
                       AND COALESCE(product_pricelist_item.channel_customer_id, asked.customer_id, 0)
                           = COALESCE(asked.customer_id, 0)
                       AND COALESCE(product_pricelist_item.min_quantity, 0) <= asked.quantity
                  ORDER BY asked.key, %(order)s
                    """,
                    keys=list(range(len(questions))),
                    members=[question[0] for question in questions],
                    customers=[question[1] for question in questions],
                    products=[question[2] for question in questions],
                    quantities=[question[5] for question in questions],
                    holds=self.env["channel.segment"]._match_sql(SQL("pair.member_id"), SQL("pair.customer_id")),
                    **{"from": holding.from_clause},
                    target=Item._channel_target_sql(),
                    where=holding.where_clause,
                    order=holding.order,
                )
            )
        )
