from datetime import datetime, time
from typing import NamedTuple

import pytz

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.work_table import drop_work_tables, make_work_table, work_table

#: How deep price tables may stand on each other; core refuses circles, this only bounds the work
MAX_CHAIN = 12


class PriceQuestion(NamedTuple):
    """The rules that are looked at: a version of a price table, or a whole table without versions."""

    pricelist: models.BaseModel
    version: models.BaseModel
    company: models.BaseModel
    # Period in which the rules hold, naive UTC; `end` None: until further notice
    start: datetime
    end: datetime | None


class ChannelPriceResolver(models.AbstractModel):
    """All prices of a price table at once, by SQL: which rule wins where, and what it makes.

    Everything stands in temporary relations of the transaction, named ``channel_price_work_<name>``:

    * ``rule``: the rules of the table (and of the tables on which they are based) with ``position``, the order in which
      they are tried, ``period`` in which they hold, ``party`` for whom, and ``own``: of the version that is looked at
    * ``party``: for whom rules are: a segment, a member, an end customer, several of these, or everybody;
      ``holds``: ``(party, other)`` where the rules of ``other`` hold for everybody of ``party`` too
    * ``good``: the products; ``cover``: ``(rule, product)``
    * ``cell``: ``(pricelist, product, party, moment, quantity)`` with the rule that wins and its price

    A cell of a segment is the price of somebody whom this segment (and those that wholly include it) holds. The price
    is core's: fixed, discount or formula, on sales price, cost or another price table, for one of the product's own
    unit. Cells of one rule and of one price stand where something can change: see who asks for them.
    """

    _name = "channel.price.resolver"
    _description = "Prices of a Table by SQL"

    # === QUESTION ===#

    @api.model
    def _question(self, pricelist, version=None):
        """:return: :class:`PriceQuestion`; rules of a table without versions are looked at from now on"""
        company = pricelist.company_id or self.env.company
        version = version or self.env["channel.price.version"]
        if not version:
            return PriceQuestion(pricelist, version, company, fields.Datetime.now(), None)
        return PriceQuestion(
            pricelist,
            version,
            company,
            self._moment_of(company, version.valid_from, time.min),
            version.valid_to and self._moment_of(company, version.valid_to, time.max.replace(microsecond=0)),
        )

    @api.model
    def _moment_of(self, company, day, clock):
        local = pytz.timezone(company._channel_zone()).localize(datetime.combine(day, clock))
        return local.astimezone(pytz.utc).replace(tzinfo=None)

    # === RELATIONS ===#

    @api.model
    def _work(self, name):
        return work_table(name)

    @api.model
    def _make(self, name, query, *indexes):
        make_work_table(self.env.cr, name, query, *indexes)

    @api.model
    def _drop(self, *names):
        drop_work_tables(self.env.cr, *names)

    @api.model
    def _prepare(self, question):
        """Make ``rate``, ``rule``, ``party``, ``holds``, ``good`` and ``cover`` for a question."""
        # Brings the memberships of segments up to date, too
        self.env["channel.segment"]._refresh_pending()
        self.env.flush_all()
        self._make_rates(question)
        self._make_rules(question)
        self._make_parties()
        self._make_goods(question)

    @api.model
    def _make_rates(self, question):
        # pylint: disable-next=no-search-all  # of currencies, of which the world has not many
        currencies = self.env["res.currency"].with_context(active_test=False).search([])
        date = max(question.start.date(), fields.Date.today())
        rates = currencies._get_rates(question.company, date)
        self._make("rate", SQL(
            "SELECT * FROM unnest(%s::int[], %s::numeric[]) AS rate(currency_id, rate)",
            list(rates), list(rates.values()),
        ), "currency_id")

    @api.model
    def _periods_sql(self, question):
        """SQL expressions, each a ``tsrange`` (UTC) in which the rule ``product_pricelist_item`` holds at most."""
        return [SQL("tsrange(product_pricelist_item.date_start, product_pricelist_item.date_end, '[]')")]

    @api.model
    def _own_sql(self, question):
        """SQL condition: the rule ``product_pricelist_item`` is one of those looked at, not only a rival of them."""
        return SQL(
            """(
                product_pricelist_item.pricelist_id = %s
                AND product_pricelist_item.channel_version_id IS NOT DISTINCT FROM %s
                AND product_pricelist_item.channel_request_line_id IS NULL
            )""",
            question.pricelist.id, question.version.id or None,
        )

    @api.model
    def _make_rules(self, question):
        Item = self.env["product.pricelist.item"]
        ordered = Item.sudo()._search([], order=Item._order)
        zone = question.company._channel_zone()
        self._make("rule", SQL(
            """
            WITH RECURSIVE chain(pricelist_id) AS (
                SELECT %(pricelist)s::int
                 UNION
                SELECT rule.base_pricelist_id
                  FROM chain
                  JOIN product_pricelist_item rule ON rule.pricelist_id = chain.pricelist_id
                 WHERE rule.base = 'pricelist' AND rule.compute_price != 'fixed' AND rule.base_pricelist_id IS NOT NULL
            ),
            -- The version that is looked at holds in its period; those of other tables in theirs, once approved
            version AS (
                SELECT version.id,
                       CASE WHEN version.id = %(version)s
                            THEN tsrange(%(start)s, %(end)s, '[]')
                            ELSE tsrange(version.valid_from::timestamp AT TIME ZONE %(zone)s AT TIME ZONE 'UTC',
                                         (version.valid_to + 1)::timestamp AT TIME ZONE %(zone)s AT TIME ZONE 'UTC')
                       END AS period
                  FROM channel_price_version version
                  JOIN chain ON chain.pricelist_id = version.pricelist_id
                 WHERE version.id = %(version)s
                    OR version.state = 'approved' AND version.pricelist_id != %(pricelist)s
            )
            SELECT product_pricelist_item.id,
                   product_pricelist_item.pricelist_id,
                   (%(own)s) AS own,
                   row_number() OVER (ORDER BY %(order)s) AS position,
                   product_pricelist_item.applied_on,
                   product_pricelist_item.product_id,
                   product_pricelist_item.product_tmpl_id,
                   product_pricelist_item.categ_id,
                   COALESCE(product_pricelist_item.channel_segment_id, 0) AS segment_id,
                   COALESCE(product_pricelist_item.channel_member_id, 0) AS member_id,
                   COALESCE(product_pricelist_item.channel_customer_id, 0) AS customer_id,
                   dense_rank() OVER (
                       ORDER BY product_pricelist_item.channel_segment_id, product_pricelist_item.channel_member_id,
                                product_pricelist_item.channel_customer_id
                   )::int AS party,
                   GREATEST(COALESCE(product_pricelist_item.min_quantity, 0), 0) AS min_quantity,
                   (%(periods)s) * COALESCE(version.period, '(,)') * tsrange(%(start)s, %(end)s, '[]') AS period,
                   product_pricelist_item.compute_price,
                   product_pricelist_item.base,
                   product_pricelist_item.base_pricelist_id,
                   product_pricelist_item.fixed_price,
                   product_pricelist_item.percent_price::numeric AS percent_price,
                   CASE WHEN product_pricelist_item.base = 'standard_price'
                        THEN -product_pricelist_item.price_markup ELSE product_pricelist_item.price_discount
                   END AS price_discount,
                   product_pricelist_item.price_round,
                   product_pricelist_item.price_surcharge,
                   product_pricelist_item.price_min_margin,
                   product_pricelist_item.price_max_margin,
                   product_pricelist_item.write_date
              FROM %(ordered)s
              JOIN chain ON chain.pricelist_id = product_pricelist_item.pricelist_id
         LEFT JOIN version ON version.id = product_pricelist_item.channel_version_id
             WHERE product_pricelist_item.channel_version_id IS NULL OR version.id IS NOT NULL
            """,
            pricelist=question.pricelist.id,
            version=question.version.id or None,
            start=question.start,
            end=question.end or None,
            zone=zone,
            own=self._own_sql(question),
            order=ordered.order,
            ordered=ordered.from_clause,
            periods=SQL(" * ").join(self._periods_sql(question)),
        ), "id", "party")

    @api.model
    def _make_parties(self):
        """List the parties of the rules, and tell whose rules hold for whom."""
        self._make("party", SQL(
            """
            SELECT DISTINCT party AS id, segment_id, member_id, customer_id FROM %(rule)s
             UNION ALL
            -- Everybody, also where no rule is for everybody
            SELECT 0, 0, 0, 0
             WHERE NOT EXISTS (SELECT FROM %(rule)s WHERE segment_id = 0 AND member_id = 0 AND customer_id = 0)
            """, rule=self._work("rule"),
        ), "id", "segment_id,member_id,customer_id")
        self._make("within", self._within_sql(), "segment_id,other_id,side")
        self._make("holds", SQL(
            """
            SELECT party.id AS party, other.id AS other
              FROM %(party)s party
        CROSS JOIN LATERAL (VALUES (0), (party.member_id)) AS m(id)
        CROSS JOIN LATERAL (VALUES (0), (party.customer_id)) AS c(id)
              JOIN %(party)s other ON other.member_id = m.id AND other.customer_id = c.id
         LEFT JOIN channel_segment s ON s.id = other.segment_id
             WHERE other.segment_id = 0
                OR other.segment_id = party.segment_id
                OR s.active AND %(member_side)s AND %(customer_side)s
          GROUP BY 1, 2
            """,
            party=self._work("party"),
            member_side=self._side_sql("member"),
            customer_side=self._side_sql("customer"),
        ), "party", "other")

    @api.model
    def _side_sql(self, side):
        """SQL condition: segment ``s`` holds on a side whoever ``party`` stands for."""
        return SQL(
            """(
                s.%(everybody)s
                OR EXISTS (
                    SELECT FROM channel_segment_membership held
                     WHERE held.segment_id = s.id AND held.side = %(side)s AND held.partner_id = party.%(partner)s
                )
                OR EXISTS (
                    SELECT FROM %(within)s within
                     WHERE within.segment_id = party.segment_id AND within.other_id = s.id AND within.side = %(side)s
                )
            )""",
            everybody=SQL.identifier(f"{side}_all"),
            partner=SQL.identifier(f"{side}_id"),
            side=side,
            within=self._work("within"),
        )

    @api.model
    def _within_sql(self):
        """SQL: pairs of segments of which the other holds on one side everybody whom the first one holds there."""
        return SQL(
            """
            WITH held AS MATERIALIZED (
                SELECT held.segment_id, held.side, held.partner_id
                  FROM channel_segment_membership held
                 WHERE held.segment_id IN (SELECT segment_id FROM %(party)s UNION %(further)s)
            ),
            size AS (SELECT segment_id, side, count(*) AS partners FROM held GROUP BY 1, 2)
            SELECT one.segment_id, other.segment_id AS other_id, one.side
              FROM held one
              JOIN held other ON other.partner_id = one.partner_id AND other.side = one.side
              JOIN size ON size.segment_id = one.segment_id AND size.side = one.side
          GROUP BY one.segment_id, other.segment_id, one.side, size.partners
            HAVING count(*) = size.partners
            """,
            party=self._work("party"),
            further=self._further_segments_sql(),
        )

    @api.model
    def _further_segments_sql(self):
        """SQL: ids of segments of which ``within`` is asked too, beside those of rules."""
        return SQL("SELECT 0")

    @api.model
    def _make_goods(self, question):
        Product = self.env["product.product"].with_company(question.company)
        self._make("good", SQL(
            """
            SELECT product_product.id, template.id AS template_id, category.parent_path,
                   COALESCE(template.list_price, 0) + COALESCE(extra.price, 0) AS list_price,
                   COALESCE(owner.currency_id, main.currency_id) AS list_currency_id,
                   COALESCE(%(cost)s, 0)::numeric AS cost,
                   COALESCE(owner.currency_id, company.currency_id) AS cost_currency_id
              FROM product_product
              JOIN product_template template ON template.id = product_product.product_tmpl_id
              JOIN res_company company ON company.id = %(company)s
              JOIN res_company main ON main.id = %(main)s
         LEFT JOIN res_company owner ON owner.id = template.company_id
         LEFT JOIN product_category category ON category.id = template.categ_id
         LEFT JOIN (
                SELECT combination.product_product_id AS product_id, sum(value.price_extra) AS price
                  FROM product_variant_combination combination
                  JOIN product_template_attribute_value value
                    ON value.id = combination.product_template_attribute_value_id
              GROUP BY 1
                ) extra ON extra.product_id = product_product.id
             WHERE product_product.active AND template.active AND template.sale_ok
               AND (template.company_id IS NULL OR template.company_id = %(company)s)
            """,
            cost=Product._field_to_sql("product_product", "standard_price"),
            company=question.company.id,
            main=self.env["res.company"]._get_main_company().id,
        ), "id", "template_id")
        self._make("cover", SQL(
            """
            SELECT rule.id AS rule_id, rule.pricelist_id, rule.own, rule.position, rule.party, rule.min_quantity,
                   rule.period, covered.product_id
              FROM %(rule)s rule
              JOIN (
                    SELECT rule.id, good.id AS product_id
                      FROM %(rule)s rule
                      JOIN %(good)s good ON good.id = rule.product_id
                     WHERE rule.applied_on = '0_product_variant'
                 UNION ALL
                    SELECT rule.id, good.id
                      FROM %(rule)s rule
                      JOIN %(good)s good ON good.template_id = rule.product_tmpl_id
                     WHERE rule.applied_on = '1_product'
                 UNION ALL
                    SELECT rule.id, good.id
                      FROM (SELECT DISTINCT categ_id FROM %(rule)s WHERE applied_on = '2_product_category') AS named
                      JOIN product_category category ON category.id = named.categ_id
                      JOIN %(good)s good ON good.parent_path LIKE category.parent_path || '%%'
                      JOIN %(rule)s rule ON rule.categ_id = named.categ_id AND rule.applied_on = '2_product_category'
                 UNION ALL
                    SELECT rule.id, good.id
                      FROM %(rule)s rule
                CROSS JOIN %(good)s good
                     WHERE rule.applied_on = '3_global'
                   ) covered ON covered.id = rule.id
             WHERE NOT isempty(rule.period)
            """,
            rule=self._work("rule"),
            good=self._work("good"),
        ), "product_id,party")

    # === CELLS ===#

    @api.model
    def _resolve(self, question, points):
        """Make ``cell``: who wins at which point of the table, and the price.

        :param SQL points: ``(product_id, party, moment, quantity)``, each once
        """
        depth = 0
        self._make("point_0", SQL(
            "SELECT %s AS pricelist_id, point.* FROM (%s) AS point", question.pricelist.id, points
        ))
        while True:
            self._make(f"won_{depth}", self._winners_sql(depth))
            chained = SQL("SELECT FROM %s WHERE base_pricelist_id IS NOT NULL", self._work(f"won_{depth}"))
            self.env.cr.execute(SQL("SELECT EXISTS (%s)", chained))
            if not self.env.cr.fetchone()[0] or depth == MAX_CHAIN:
                break
            self._make(f"point_{depth + 1}", SQL(
                """
                SELECT DISTINCT base_pricelist_id AS pricelist_id, product_id, party, moment, quantity
                  FROM %s WHERE base_pricelist_id IS NOT NULL
                """, self._work(f"won_{depth}"),
            ))
            depth += 1
        for level in range(depth, 0, -1):
            self._make(f"cell_{level}", self._prices_sql(level, level < depth))
        self._make("cell", self._prices_sql(0, depth > 0), "product_id,party", "rule_id")
        self._drop(*(f"{name}_{level}" for level in range(depth + 1) for name in ("point", "won", "cell")))

    @api.model
    def _winners_sql(self, depth):
        """SQL: the points of a depth, each with the rule that is tried first there."""
        return SQL(
            """
            SELECT DISTINCT ON (point.pricelist_id, point.product_id, point.party, point.moment, point.quantity)
                   point.*, cover.rule_id, cover.own,
                   CASE WHEN rule.base = 'pricelist' AND rule.compute_price != 'fixed' THEN rule.base_pricelist_id END
                       AS base_pricelist_id
              FROM %(point)s point
         LEFT JOIN (
                   %(holds)s holds
                   JOIN %(cover)s cover ON cover.party = holds.other
                   JOIN %(rule)s rule ON rule.id = cover.rule_id
                   ) ON holds.party = point.party
                    AND cover.product_id = point.product_id
                    AND cover.pricelist_id = point.pricelist_id
                    AND cover.min_quantity <= point.quantity
                    AND cover.period @> point.moment
          ORDER BY point.pricelist_id, point.product_id, point.party, point.moment, point.quantity, cover.position
            """,
            point=self._work(f"point_{depth}"), holds=self._work("holds"), cover=self._work("cover"),
            rule=self._work("rule"),
        )

    @api.model
    def _prices_sql(self, depth, is_chained):
        """SQL: the winners of a depth with their prices, in the currency of the table.

        Without a rule the price is the sales price, as in core.

        :param bool is_chained: whether winners are based on prices of the depth below
        """
        below = SQL(
            """
         LEFT JOIN %(below)s below
                ON (below.pricelist_id, below.product_id, below.party, below.moment, below.quantity)
                 = (won.base_pricelist_id, won.product_id, won.party, won.moment, won.quantity)
         LEFT JOIN product_pricelist below_list ON below_list.id = below.pricelist_id
         LEFT JOIN %(rate)s below_rate ON below_rate.currency_id = below_list.currency_id
            """,
            below=self._work(f"cell_{depth + 1}"), rate=self._work("rate"),
        )
        return SQL(
            """
            SELECT found.pricelist_id, found.product_id, found.party, found.moment, found.quantity, found.rule_id,
                   found.own,
                   CASE found.compute_price
                        WHEN 'fixed' THEN COALESCE(found.fixed_price, 0)
                        WHEN 'percentage' THEN found.base_price * (1 - COALESCE(found.percent_price, 0) / 100)
                        WHEN 'formula' THEN formula.price
                        ELSE found.base_price
                   END AS price
              FROM (
                    SELECT won.*, rule.compute_price, rule.fixed_price, rule.percent_price, rule.price_discount,
                           rule.price_round, rule.price_surcharge, rule.price_min_margin, rule.price_max_margin,
                           CASE WHEN won.base_pricelist_id IS NOT NULL
                                THEN %(below_price)s
                                WHEN rule.base = 'standard_price' AND rule.compute_price != 'fixed'
                                THEN good.cost * own_rate.rate / cost_rate.rate
                                ELSE good.list_price * own_rate.rate / list_rate.rate
                           END AS base_price
                      FROM %(won)s won
                      JOIN %(good)s good ON good.id = won.product_id
                      JOIN product_pricelist pricelist ON pricelist.id = won.pricelist_id
                      JOIN %(rate)s own_rate ON own_rate.currency_id = pricelist.currency_id
                      JOIN %(rate)s list_rate ON list_rate.currency_id = good.list_currency_id
                      JOIN %(rate)s cost_rate ON cost_rate.currency_id = good.cost_currency_id
                 LEFT JOIN %(rule)s rule ON rule.id = won.rule_id
                 %(below)s
                   ) AS found
               -- In the order of core's formula: discount, rounding, fee, margins
CROSS JOIN LATERAL (SELECT found.base_price * (1 - COALESCE(found.price_discount, 0) / 100) AS price) AS discounted
CROSS JOIN LATERAL (
                    SELECT COALESCE(found.price_surcharge, 0)
                           + CASE WHEN found.price_round > 0
                                  THEN round(discounted.price / found.price_round) * found.price_round
                                  ELSE discounted.price END AS price
                   ) AS charged
CROSS JOIN LATERAL (
                    SELECT CASE WHEN found.price_min_margin != 0
                                THEN GREATEST(charged.price, found.base_price + found.price_min_margin)
                                ELSE charged.price END AS price
                   ) AS raised
CROSS JOIN LATERAL (
                    SELECT CASE WHEN found.price_max_margin != 0
                                THEN LEAST(raised.price, found.base_price + found.price_max_margin)
                                ELSE raised.price END AS price
                   ) AS formula
            """,
            won=self._work(f"won_{depth}"), good=self._work("good"), rate=self._work("rate"), rule=self._work("rule"),
            below=below if is_chained else SQL(),
            below_price=SQL("below.price * own_rate.rate / below_rate.rate") if is_chained else SQL("NULL::numeric"),
        )
