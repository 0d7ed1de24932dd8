from collections import defaultdict
from itertools import combinations
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.channel_base.tools.domain import read_domain

#: What a check may say about a finding, with the type of the column; the rest stays empty
FIGURES = {
    "rule_id": "int",
    "other_rule_id": "int",
    "product_id": "int",
    "segment_id": "int",
    "other_segment_id": "int",
    "reason": "varchar",
    "quantity": "numeric",
    "other_quantity": "numeric",
    "price": "numeric",
    "other_price": "numeric",
    "limit_price": "numeric",
    "percent": "numeric",
    "day": "date",
}


class PriceCheck(NamedTuple):
    """A kind of finding: ``severity`` ``block`` or ``warn`` where the company does not say otherwise, and ``name`` as a
    person reads it."""

    severity: str
    name: str


class ChannelPriceQuality(models.AbstractModel):
    """The quality checks of price tables.

    A check is a method ``_check_<code>(self, question)`` of this model, which returns ``(names, query)``: names out of
    ``FIGURES`` and an ``SQL`` query with these columns, one row for each finding, on the relations of the resolver;
    None when there is nothing to ask. An add-on contributes one by writing it, with its code in :meth:`_checks` and
    its sentence in :meth:`_texts`. The number of queries does not depend on the number of rules.
    """

    _name = "channel.price.quality"
    _inherit = ["channel.price.resolver"]
    _description = "Quality Checks of Price Tables"

    # === REGISTRY ===#

    @api.model
    def _checks(self):
        """``{code: PriceCheck}``. Codes are stable: programs and tests rely on them."""
        return {
            "overlap": PriceCheck("block", self.env._("Overlapping rules")),
            "below_cost": PriceCheck("block", self.env._("Below cost")),
            "below_floor": PriceCheck("block", self.env._("Below floor")),
            "inversion_quantity": PriceCheck("warn", self.env._("Larger quantity pays more")),
            "inversion_tier": PriceCheck("warn", self.env._("Higher tier pays more")),
            "gap": PriceCheck("warn", self.env._("Authorized product without price")),
            "dead": PriceCheck("warn", self.env._("Rule that never wins")),
            "spread": PriceCheck("warn", self.env._("Spread within a segment")),
            "currency_drift": PriceCheck("warn", self.env._("Exchange rate has drifted")),
        }

    @api.model
    def _texts(self):
        """``{code, or code:reason: sentence}`` with the parameters of `channel.price.issue` as ``%(name)s``."""
        return {
            "overlap": self.env._("%(rule)s and %(other_rule)s hold at the same time, with different results."),
            "below_cost": self.env._("%(product)s: %(price)s does not reach cost and minimum margin (%(rule)s)."),
            "below_floor": self.env._("%(product)s: %(price)s lies below the floor (%(rule)s)."),
            "inversion_quantity": self.env._(
                "%(product)s: %(price)s from %(quantity)s on, but %(other_price)s from %(other_quantity)s on."
            ),
            "inversion_tier": self.env._(
                "%(product)s: segment %(segment)s is of the higher tier and pays %(price)s, %(other_segment)s pays "
                "%(other_price)s."
            ),
            "gap": self.env._("%(product)s: members of %(segment)s are authorized for it and have no price."),
            "dead:nobody": self.env._("%(rule)s never wins: segment %(segment)s holds nobody."),
            "dead:product": self.env._("%(rule)s never wins: none of its products is sold any more."),
            "dead:period": self.env._("%(rule)s never wins: its dates lie outside of the version's."),
            "dead:shadowed": self.env._("%(rule)s never wins: %(other_rule)s is tried before it."),
            "spread": self.env._(
                "%(product)s: members of %(segment)s pay from %(other_price)s to %(price)s, %(percent)s %% more."
            ),
            "currency_drift": self.env._(
                "Prices are kept in %(currency)s, whose rate has moved by %(percent)s %% since %(day)s."
            ),
        }

    # === RUN ===#

    @api.model
    def _run(self, pricelist, version=None):
        """Check the rules of a version, or of a whole price table without versions, and store what is found.

        :return: ``channel.price.issue`` that stand now
        """
        question = self._question(pricelist, version)
        self._prepare(question)
        self._make_tiers()
        self._make_dealers()
        self._resolve(question, self._points_sql(question))
        figures = SQL(", ").join(
            SQL("NULL::%s AS %s", SQL(kind), SQL.identifier(name)) for name, kind in FIGURES.items()
        )
        self._make("found", SQL("SELECT NULL::varchar AS code, NULL::varchar AS severity, %s WHERE FALSE", figures))
        for code, severity in self.env["channel.price.severity"]._severities(question.company).items():
            if asked := getattr(self, f"_check_{code}")(question):
                names, query = asked
                self.env.cr.execute(SQL(
                    "INSERT INTO %s (code, severity, %s) SELECT %s, %s, found.* FROM (%s) AS found",
                    self._work("found"), SQL(", ").join(map(SQL.identifier, names)), code, severity, query,
                ))
        issues = self.env["channel.price.issue"]._replace(question, self._work("found"))
        self._drop(
            "rate", "rule", "party", "within", "holds", "good", "cover", "cell", "tier", "dealer", "found"
        )
        return issues

    @api.model
    def _points_sql(self, question):
        """SQL: where a price of the table can change.

        For each product and party of a rule: at the start of the period and of each rule, after the end of each, at
        each quantity. Tiers that are compared with each other share their points. For dealers: one piece, at the start.
        """
        return SQL(
            """
            WITH pair AS MATERIALIZED (
                SELECT DISTINCT product_id, party FROM %(cover)s WHERE own
            ),
            rival AS MATERIALIZED (
                SELECT DISTINCT pair.product_id, pair.party, cover.min_quantity, cover.period
                  FROM (SELECT product_id, party, party AS peer FROM pair
                         UNION ALL
                        SELECT pair.product_id, pair.party, tier.peer
                          FROM pair JOIN (SELECT high AS party, low AS peer FROM %(tier)s
                                           UNION ALL
                                          SELECT low, high FROM %(tier)s) tier ON tier.party = pair.party
                       ) AS pair
                  JOIN %(holds)s holds ON holds.party = pair.peer
                  JOIN %(cover)s cover ON cover.product_id = pair.product_id AND cover.party = holds.other
                 WHERE cover.pricelist_id = %(pricelist)s
            ),
            moment AS (
                SELECT product_id, party, %(start)s::timestamp AS moment FROM pair
                 UNION
                SELECT product_id, party, lower(period) FROM rival
                 UNION
                SELECT product_id, party, upper(period) + CASE WHEN upper_inc(period) THEN interval '1 second'
                                                               ELSE interval '0' END
                  FROM rival
                 WHERE NOT upper_inf(period)
            )
            SELECT product_id, party, moment, quantity.min_quantity AS quantity
              FROM moment
              JOIN (SELECT DISTINCT product_id, party, min_quantity FROM rival) quantity USING (product_id, party)
             WHERE %(end)s::timestamp IS NULL OR moment <= %(end)s
             UNION
            SELECT cover.product_id, dealer.party, %(start)s, 1
              FROM (SELECT DISTINCT party FROM %(dealer)s) dealer
              JOIN %(holds)s holds ON holds.party = dealer.party
              JOIN %(cover)s cover ON cover.party = holds.other
             WHERE cover.own
            """,
            cover=self._work("cover"), tier=self._work("tier"), holds=self._work("holds"), dealer=self._work("dealer"),
            pricelist=question.pricelist.id, start=question.start, end=question.end or None,
        )

    # === TIERS ===#

    @api.model
    def _make_tiers(self):
        """Make ``tier``: ``(high, low)``, parties of segments that differ in nothing but the tier of their members."""
        self.env.cr.execute(SQL(
            "SELECT segment_id, id FROM %s WHERE segment_id != 0 AND member_id = 0 AND customer_id = 0",
            self._work("party"),
        ))
        party_of = dict(self.env.cr.fetchall())
        # sudo: the segments of the table's own rules, whoever asks
        segments = self.env["channel.segment"].sudo().browse(party_of).filtered("active")
        alike = defaultdict(list)
        for segment in segments:
            alike[self._without_tier(segment)].append(segment.id)
        ranges = self._tier_ranges([segment_id for same in alike.values() if len(same) > 1 for segment_id in same])
        pairs = []
        for same in alike.values():
            ranked = sorted((segment_id for segment_id in same if segment_id in ranges), key=ranges.get)
            for high, low in combinations(ranked, 2):
                # The smaller sequence is the higher tier
                if ranges[high][1] < ranges[low][0]:
                    pairs.append((party_of[high], party_of[low]))
        self._make("tier", SQL(
            "SELECT * FROM unnest(%s::int[], %s::int[]) AS tier(high, low)",
            [high for high, _low in pairs], [low for _high, low in pairs],
        ))

    @api.model
    def _without_tier(self, segment):
        """What a segment asks for, apart from the tier."""
        try:
            domain, customers = read_domain(segment.member_domain), read_domain(segment.customer_domain)
        except ValueError:
            return segment.id
        conditions = domain.children if getattr(domain, "OPERATOR", "") == "&" else (domain,)
        others = [
            repr(condition)
            for condition in conditions
            if getattr(condition, "field_expr", "").split(".")[0] != "grade_id"
        ]
        if len(others) == len(conditions):
            return segment.id
        return segment.company_id.id, tuple(sorted(others)), repr(customers)

    @api.model
    def _tier_ranges(self, segment_ids):
        """:return: ``{segment_id: (smallest, greatest sequence of its members' tiers)}`` where all members have one"""
        if not segment_ids:
            return {}
        rows = self.env.execute_query(SQL(
            """
            SELECT held.segment_id, min(grade.sequence), max(grade.sequence)
              FROM channel_segment_membership held
              JOIN res_partner member ON member.id = held.partner_id
         LEFT JOIN res_partner_grade grade ON grade.id = member.grade_id
             WHERE held.segment_id = ANY(%s) AND held.side = 'member'
          GROUP BY held.segment_id
            HAVING bool_and(grade.id IS NOT NULL)
            """, segment_ids,
        ))
        return {segment_id: (smallest, greatest) for segment_id, smallest, greatest in rows}

    # === DEALERS ===#

    @api.model
    def _make_dealers(self):
        """Make ``dealer``: ``(segment_id, partner_id, party)``, of segments whose members may pay different prices.

        A party of its own stands for all members whom the same segments hold; prices for a certain end customer are
        not compared. Members with rules in their own name keep the party of these for the products of these.
        """
        self._make("stack", SQL(
            """
            SELECT held.partner_id, array_agg(held.segment_id ORDER BY held.segment_id) AS segment_ids
              FROM channel_segment_membership held
              JOIN channel_segment s ON s.id = held.segment_id AND s.active AND s.customer_all
              JOIN res_partner member ON member.id = held.partner_id AND member.channel_state = 'active'
             WHERE held.side = 'member'
               AND held.segment_id IN (SELECT segment_id FROM %(party)s WHERE member_id = 0 AND customer_id = 0)
          GROUP BY held.partner_id
            """,
            party=self._work("party"),
        ), "partner_id")
        self._make("dealer", SQL(
            """
            WITH party AS (
                SELECT segment_ids,
                       (SELECT max(id) FROM %(party)s) + row_number() OVER (ORDER BY segment_ids)::int AS id
                  FROM %(stack)s
              GROUP BY segment_ids
            ),
            dealer AS (
                SELECT held.segment_id, stack.partner_id, party.id AS party, own.id AS own_party
                  FROM %(stack)s stack
                  JOIN party USING (segment_ids)
            CROSS JOIN unnest(stack.segment_ids) AS held(segment_id)
             LEFT JOIN %(party)s own
                    ON own.member_id = stack.partner_id AND own.customer_id = 0 AND own.segment_id = 0
            )
            SELECT *
              FROM (SELECT dealer.*,
                           min(party) OVER segment < max(party) OVER segment
                           OR bool_or(own_party IS NOT NULL) OVER segment AS contested
                      FROM dealer
                    WINDOW segment AS (PARTITION BY segment_id)) AS dealer
             WHERE contested
            """,
            party=self._work("party"), stack=self._work("stack"),
        ), "party")
        self.env.cr.execute(SQL(
            """
            INSERT INTO %(holds)s (party, other)
            SELECT DISTINCT dealer.party, party.id
              FROM %(dealer)s dealer
              JOIN %(stack)s stack ON stack.partner_id = dealer.partner_id
              JOIN %(party)s party ON party.member_id = 0 AND party.customer_id = 0
         LEFT JOIN channel_segment s ON s.id = party.segment_id
             WHERE party.segment_id = 0
                OR party.segment_id = ANY(stack.segment_ids)
                OR s.active AND s.member_all AND s.customer_all
            """,
            holds=self._work("holds"), dealer=self._work("dealer"), stack=self._work("stack"),
            party=self._work("party"),
        ))
        # Those with rules of their own are asked for one piece, too
        self.env.cr.execute(SQL(
            """
            INSERT INTO %(dealer)s (segment_id, partner_id, party, own_party)
            SELECT segment_id, partner_id, own_party, own_party FROM %(dealer)s WHERE own_party IS NOT NULL
            """,
            dealer=self._work("dealer"),
        ))
        self._drop("stack")

    # === CHECKS OF RULES ===#

    @api.model
    def _result_sql(self, rule):
        """SQL expression: what a rule makes of a price; equal when two rules make the same of it."""
        return SQL(
            """(
                CASE %(rule)s.compute_price
                    WHEN 'fixed' THEN jsonb_build_array(%(rule)s.fixed_price)
                    WHEN 'percentage' THEN jsonb_build_array(
                        'percentage', %(rule)s.base, %(rule)s.base_pricelist_id, %(rule)s.percent_price)
                    ELSE jsonb_build_array(
                        %(rule)s.compute_price, %(rule)s.base, %(rule)s.base_pricelist_id, %(rule)s.price_discount,
                        %(rule)s.price_round, %(rule)s.price_surcharge, %(rule)s.price_min_margin,
                        %(rule)s.price_max_margin)
                END
            )""",
            rule=rule,
        )

    @api.model
    def _place_sql(self, rule, other):
        """SQL condition: two rules are about the same, for the same party, from the same quantity on."""
        return SQL(
            """(
                (%(rule)s.applied_on, %(rule)s.party, %(rule)s.min_quantity)
                = (%(other)s.applied_on, %(other)s.party, %(other)s.min_quantity)
                AND COALESCE(%(rule)s.product_id, %(rule)s.product_tmpl_id, %(rule)s.categ_id, 0)
                  = COALESCE(%(other)s.product_id, %(other)s.product_tmpl_id, %(other)s.categ_id, 0)
            )""",
            rule=rule, other=other,
        )

    @api.model
    def _check_overlap(self, question):
        """Of rules at the same place the one that is tried first holds: the other was meant to, or is forgotten."""
        return ("rule_id", "other_rule_id", "segment_id", "quantity"), SQL(
            """
            SELECT DISTINCT ON (rule.id) rule.id, other.id, NULLIF(rule.segment_id, 0), rule.min_quantity
              FROM %(rule)s rule
              JOIN %(rule)s other ON %(place)s AND other.position < rule.position
             WHERE rule.own AND other.own AND rule.period && other.period AND NOT isempty(rule.period)
               AND %(result)s IS DISTINCT FROM %(other_result)s
          ORDER BY rule.id, other.position DESC
            """,
            rule=self._work("rule"),
            place=self._place_sql(SQL("rule"), SQL("other")),
            result=self._result_sql(SQL("rule")),
            other_result=self._result_sql(SQL("other")),
        )

    @api.model
    def _check_dead(self, question):
        """Rules that win in no cell, though a cell stands at each point where one of them could begin to win."""
        return ("rule_id", "segment_id", "reason", "other_rule_id", "product_id"), SQL(
            """
            WITH dead AS MATERIALIZED (
                SELECT rule.*,
                       CASE WHEN s.id IS NOT NULL AND (
                                NOT s.active
                                OR NOT s.member_all AND NOT EXISTS (
                                    SELECT FROM channel_segment_membership held
                                     WHERE held.segment_id = s.id AND held.side = 'member')
                                OR NOT s.customer_all AND NOT EXISTS (
                                    SELECT FROM channel_segment_membership held
                                     WHERE held.segment_id = s.id AND held.side = 'customer')
                            ) THEN 'nobody'
                            WHEN isempty(rule.period) THEN 'period'
                            WHEN NOT EXISTS (SELECT FROM %(cover)s cover WHERE cover.rule_id = rule.id) THEN 'product'
                            WHEN NOT EXISTS (SELECT FROM %(cell)s cell WHERE cell.rule_id = rule.id) THEN 'shadowed'
                       END AS reason
                  FROM %(rule)s rule
             LEFT JOIN channel_segment s ON s.id = rule.segment_id
                 WHERE rule.own
            )
            SELECT dead.id, NULLIF(dead.segment_id, 0), dead.reason, winner.rule_id, winner.product_id
              FROM dead
         LEFT JOIN LATERAL (
                    SELECT cell.rule_id, cell.product_id
                      FROM %(cover)s cover
                      JOIN %(cell)s cell
                        ON cell.pricelist_id = dead.pricelist_id AND cell.product_id = cover.product_id
                       AND cell.party = dead.party
                     WHERE cover.rule_id = dead.id AND cell.moment = lower(dead.period)
                       AND cell.quantity = dead.min_quantity
                  ORDER BY cover.product_id
                     LIMIT 1
                   ) winner ON dead.reason = 'shadowed'
                -- What has ended in a table without versions is its history
             WHERE dead.reason IS NOT NULL AND (NOT isempty(dead.period) OR %(versioned)s)
            """,
            rule=self._work("rule"), cover=self._work("cover"), cell=self._work("cell"),
            versioned=bool(question.version),
        )

    # === CHECKS OF PRICES ===#

    @api.model
    def _check_inversion_quantity(self, question):
        return (
            "rule_id", "other_rule_id", "product_id", "segment_id", "quantity", "other_quantity", "price",
            "other_price", "percent",
        ), SQL(
            """
            SELECT DISTINCT ON (step.rule_id, step.less_rule_id)
                   step.rule_id, step.less_rule_id, step.product_id, NULLIF(party.segment_id, 0), step.quantity,
                   step.less_quantity, step.price, step.less_price, (step.price / NULLIF(step.less_price, 0) - 1) * 100
              FROM (SELECT cell.*,
                           lag(rule_id) OVER place AS less_rule_id, lag(own) OVER place AS less_own,
                           lag(price) OVER place AS less_price, lag(quantity) OVER place AS less_quantity
                      FROM %(cell)s cell
                     WHERE pricelist_id = %(pricelist)s AND rule_id IS NOT NULL
                    WINDOW place AS (PARTITION BY product_id, party, moment ORDER BY quantity)) AS step
         LEFT JOIN %(party)s party ON party.id = step.party
             WHERE (step.own OR step.less_own) AND round(step.price, 6) > round(step.less_price, 6)
          ORDER BY step.rule_id, step.less_rule_id, step.price / NULLIF(step.less_price, 0) DESC NULLS FIRST,
                   step.product_id, step.party, step.moment
            """,
            cell=self._work("cell"), party=self._work("party"), pricelist=question.pricelist.id,
        )

    @api.model
    def _check_inversion_tier(self, question):
        return (
            "rule_id", "other_rule_id", "product_id", "segment_id", "other_segment_id", "quantity", "price",
            "other_price", "percent",
        ), SQL(
            """
            SELECT DISTINCT ON (high.rule_id, low.rule_id)
                   high.rule_id, low.rule_id, high.product_id, high_party.segment_id, low_party.segment_id,
                   high.quantity, high.price, low.price, (high.price / NULLIF(low.price, 0) - 1) * 100
              FROM %(tier)s tier
              JOIN %(party)s high_party ON high_party.id = tier.high
              JOIN %(party)s low_party ON low_party.id = tier.low
              JOIN %(cell)s high ON high.party = tier.high
              JOIN %(cell)s low
                ON low.party = tier.low
               AND (low.pricelist_id, low.product_id, low.moment, low.quantity)
                 = (high.pricelist_id, high.product_id, high.moment, high.quantity)
             WHERE high.pricelist_id = %(pricelist)s AND (high.own OR low.own)
               AND round(high.price, 6) > round(low.price, 6)
          ORDER BY high.rule_id, low.rule_id, high.price / NULLIF(low.price, 0) DESC NULLS FIRST, high.product_id,
                   high.quantity, high.moment
            """,
            tier=self._work("tier"), party=self._work("party"), cell=self._work("cell"),
            pricelist=question.pricelist.id,
        )

    @api.model
    def _check_below_cost(self, question):
        """Products without a cost are not judged. Of the variants of a product, the worst one is named."""
        return ("rule_id", "product_id", "segment_id", "quantity", "price", "limit_price", "percent"), SQL(
            """
            SELECT DISTINCT ON (low.rule_id, low.template_id)
                   low.rule_id, low.product_id, NULLIF(party.segment_id, 0), low.quantity, low.price, low.limit_price,
                   (low.price / low.limit_price - 1) * 100
              FROM (SELECT cell.*, good.template_id,
                           good.cost * own_rate.rate / cost_rate.rate * (1 + %(margin)s / 100.0) AS limit_price
                      FROM %(cell)s cell
                      JOIN %(good)s good ON good.id = cell.product_id AND good.cost > 0
                      JOIN %(rate)s cost_rate ON cost_rate.currency_id = good.cost_currency_id
                      JOIN %(rate)s own_rate ON own_rate.currency_id = %(currency)s
                     WHERE cell.pricelist_id = %(pricelist)s AND cell.own) AS low
         LEFT JOIN %(party)s party ON party.id = low.party
             WHERE round(low.price, 6) < round(low.limit_price, 6)
          ORDER BY low.rule_id, low.template_id, low.price / low.limit_price, low.product_id, low.quantity, low.party
            """,
            cell=self._work("cell"), good=self._work("good"), rate=self._work("rate"), party=self._work("party"),
            margin=question.company.channel_price_min_margin, currency=question.pricelist.currency_id.id,
            pricelist=question.pricelist.id,
        )

    @api.model
    def _further_segments_sql(self):
        return SQL("SELECT channel_segment_id FROM channel_price_limit_channel_segment_rel")

    @api.model
    def _check_below_floor(self, question):
        """Prices below the floor that holds for everybody of the party; a tender or award below it takes its place, as
        at the gate. Of the variants of a product, the worst one is named."""
        # sudo: limits bind whoever prices; what they are is said to those who may read it only
        limits = self.env["channel.price.limit"].sudo()
        domains = [
            text for [text] in limits._read_group([("state", "=", "approved")], ["product_domain"]) if text
        ]
        everything, goods = limits._products_of_domains(domains, SQL("SELECT id FROM %s", self._work("good")))
        zone = question.company._channel_zone()
        return ("rule_id", "product_id", "segment_id", "quantity", "price", "limit_price", "percent"), SQL(
            """
            WITH named(domain, product_id) AS MATERIALIZED (%(goods)s),
            bound AS MATERIALIZED (
                SELECT held.*,
                       EXISTS (SELECT FROM channel_price_limit_channel_segment_rel rel
                                WHERE rel.channel_price_limit_id = held.id) AS for_segments
                  FROM channel_price_limit held
                  JOIN res_company company ON company.id = %(company)s
                 WHERE held.state = 'approved'
                   AND (held.company_id IS NULL
                        OR held.company_id::text = ANY(string_to_array(company.parent_path, '/')))
            ),
            about AS MATERIALIZED (
                SELECT bound.id, good.id AS product_id
                  FROM bound
                  JOIN %(good)s good ON bound.product_tmpl_id IS NULL OR good.template_id = bound.product_tmpl_id
                 WHERE bound.product_domain IS NULL
                    OR bound.product_domain = ANY(%(everything)s)
                    OR (bound.product_domain, good.id) IN (SELECT domain, product_id FROM named)
            ),
            of_party AS MATERIALIZED (
                SELECT bound.id, party.id AS party
                  FROM bound
            CROSS JOIN %(party)s party
                 WHERE NOT bound.for_segments
                    OR EXISTS (
                        SELECT FROM channel_price_limit_channel_segment_rel rel
                          JOIN channel_segment s ON s.id = rel.channel_segment_id AND s.active
                         WHERE rel.channel_price_limit_id = bound.id
                           AND (s.id = party.segment_id OR %(member_side)s AND %(customer_side)s))
            ),
            found AS (
                SELECT DISTINCT ON (cell.product_id, cell.party, cell.moment, cell.quantity, bound.kind)
                       cell.*, good.template_id, bound.kind,
                       own_rate.rate * CASE bound.price_base
                            WHEN 'list_price' THEN good.list_price * bound.percent::numeric / 100 / list_rate.rate
                            WHEN 'standard_price' THEN good.cost * bound.percent::numeric / 100 / cost_rate.rate
                            ELSE bound.price::numeric / limit_rate.rate
                       END AS limit_price
                  FROM %(cell)s cell
                  JOIN about ON about.product_id = cell.product_id
                  JOIN of_party ON of_party.id = about.id AND of_party.party = cell.party
                  JOIN bound ON bound.id = about.id
            CROSS JOIN LATERAL (
                        SELECT (cell.moment AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS day
                       ) AS at
                  JOIN %(good)s good ON good.id = cell.product_id
                  JOIN %(rate)s own_rate ON own_rate.currency_id = %(currency)s
                  JOIN %(rate)s list_rate ON list_rate.currency_id = good.list_currency_id
                  JOIN %(rate)s cost_rate ON cost_rate.currency_id = good.cost_currency_id
                  JOIN %(rate)s limit_rate ON limit_rate.currency_id = bound.currency_id
                 WHERE cell.own AND cell.pricelist_id = %(pricelist)s
                   AND (bound.date_from IS NULL OR bound.date_from <= at.day)
                   AND (bound.date_to IS NULL OR bound.date_to >= at.day)
                   AND (bound.ended_on IS NULL OR bound.ended_on >= at.day)
              ORDER BY cell.product_id, cell.party, cell.moment, cell.quantity, bound.kind,
                       bound.sequence, bound.product_tmpl_id IS NULL, bound.id
            ),
            low AS (
                SELECT rule_id, template_id, product_id, party, quantity, moment, price, min(limit_price) AS limit_price
                  FROM found
              GROUP BY rule_id, template_id, product_id, party, quantity, moment, price
                HAVING bool_or(kind = 'floor')
            )
            SELECT DISTINCT ON (low.rule_id, low.template_id)
                   low.rule_id, low.product_id, NULLIF(party.segment_id, 0), low.quantity, low.price, low.limit_price,
                   (low.price / low.limit_price - 1) * 100
              FROM low
         LEFT JOIN %(party)s party ON party.id = low.party
             WHERE round(low.price, 6) < round(low.limit_price, 6)
          ORDER BY low.rule_id, low.template_id, low.price / low.limit_price, low.product_id, low.quantity, low.party
            """,
            goods=goods, everything=everything, company=question.company.id, good=self._work("good"),
            party=self._work("party"), cell=self._work("cell"), rate=self._work("rate"), zone=zone,
            member_side=self._side_sql("member"), customer_side=self._side_sql("customer"),
            currency=question.pricelist.currency_id.id, pricelist=question.pricelist.id,
        )

    @api.model
    def _check_spread(self, question):
        """Prices of one piece for the members of each segment, dearest against cheapest."""
        if question.company.channel_price_spread_percent <= 0:
            return None
        return (
            "rule_id", "other_rule_id", "product_id", "segment_id", "price", "other_price", "percent",
        ), SQL(
            """
            WITH cell AS (
                SELECT cell.*
                  FROM %(cell)s cell
                 WHERE cell.pricelist_id = %(pricelist)s AND cell.moment = %(start)s AND cell.quantity = 1
                   AND cell.rule_id IS NOT NULL
            ),
            -- Whoever has a price of his own for a product does not pay that of his segments
            named AS (
                SELECT dealer.segment_id, dealer.party, cell.product_id, count(*) AS dealers
                  FROM %(dealer)s dealer
                  JOIN cell ON cell.party = dealer.own_party
                 WHERE dealer.party != dealer.own_party
              GROUP BY 1, 2, 3
            ),
            paid AS (
                SELECT dealer.segment_id, cell.product_id, cell.rule_id, cell.own, cell.price
                  FROM (SELECT segment_id, party, count(*) AS dealers FROM %(dealer)s GROUP BY 1, 2) AS dealer
                  JOIN cell ON cell.party = dealer.party
             LEFT JOIN named ON (named.segment_id, named.party, named.product_id)
                              = (dealer.segment_id, dealer.party, cell.product_id)
                 WHERE dealer.dealers > COALESCE(named.dealers, 0)
            ),
            extreme AS (
                SELECT segment_id, product_id,
                       (array_agg(rule_id ORDER BY price DESC, rule_id))[1] AS rule_id,
                       (array_agg(rule_id ORDER BY price, rule_id))[1] AS other_rule_id,
                       max(price) AS price, min(price) AS other_price
                  FROM paid
              GROUP BY 1, 2
                HAVING bool_or(own)
            )
            SELECT rule_id, other_rule_id, product_id, segment_id, price, other_price,
                   (price / NULLIF(other_price, 0) - 1) * 100
              FROM extreme
             WHERE round(price, 6) > round(other_price * (1 + %(limit)s / 100.0), 6)
            """,
            cell=self._work("cell"), dealer=self._work("dealer"), pricelist=question.pricelist.id, start=question.start,
            limit=question.company.channel_price_spread_percent,
        )

    @api.model
    def _check_currency_drift(self, question):
        """Fixed prices of a foreign currency keep their figure while what they are worth moves."""
        limit, currency = question.company.channel_price_drift_percent, question.pricelist.currency_id
        home = question.company.currency_id
        if limit <= 0 or currency == home:
            return None
        self.env.cr.execute(SQL(
            """
            SELECT min(write_date) FROM %s
             WHERE own AND compute_price = 'fixed' AND NOT isempty(period)
            """, self._work("rule"),
        ))
        [oldest] = self.env.cr.fetchone()
        if not oldest:
            return None
        day = question.company._channel_date(question.version.create_date or oldest)
        today = question.company._channel_today()
        Currency = self.env["res.currency"]
        then = Currency._get_conversion_rate(currency, home, question.company, day)
        percent = (Currency._get_conversion_rate(currency, home, question.company, today) / then - 1) * 100
        # Six decimals, so that a rate of exactly the limit is not taken for more by the last bit of a float
        if round(abs(percent), 6) <= limit:
            return None
        return ("percent", "day"), SQL("SELECT %s::numeric, %s::date", percent, day)

    # === GAPS ===#

    @api.model
    def _check_gap(self, question):
        """What members of a segment may buy at the start, by their authorizations, and the table has no price for.

        Asked for the segments that the table names (for all members when it names none), one piece. A rule for a member
        or end customer alone is no price of the segment.
        """
        Authorization = self.env["channel.authorization"]
        Authorization._flush_matched()
        date = max(question.company._channel_date(question.start), question.company._channel_today())
        if question.version:
            date = question.version.valid_from
        return ("product_id", "segment_id"), SQL(
            """
            WITH segment AS MATERIALIZED (
                SELECT party.id AS party, party.segment_id, COALESCE(s.member_all, TRUE) AS member_all,
                       COALESCE(s.customer_all, TRUE) AS customer_all
                  FROM %(party)s party
             LEFT JOIN channel_segment s ON s.id = party.segment_id AND s.active
                 WHERE party.member_id = 0 AND party.customer_id = 0 AND (party.segment_id = 0 OR s.id IS NOT NULL)
                   AND (party.segment_id != 0) = EXISTS (SELECT FROM %(rule)s WHERE own AND segment_id != 0)
                   AND (party.segment_id = 0
                        OR EXISTS (SELECT FROM %(rule)s rule WHERE rule.own AND rule.party = party.id))
            ),
            held AS MATERIALIZED (
                SELECT a.id, a.partner_id, a.all_products, min(a.id) OVER (PARTITION BY scope.scope) AS scope
                  FROM channel_authorization a
                  JOIN res_partner member ON member.id = a.partner_id AND member.channel_state = 'active'
            CROSS JOIN LATERAL (
                        SELECT CASE WHEN a.all_products THEN '*' ELSE concat_ws(
                            '|',
                            (SELECT string_agg('p' || rel.product_id, ',' ORDER BY rel.product_id)
                               FROM channel_authorization_product_rel rel WHERE rel.authorization_id = a.id),
                            (SELECT string_agg('c' || rel.category_id, ',' ORDER BY rel.category_id)
                               FROM channel_authorization_product_category_rel rel WHERE rel.authorization_id = a.id),
                            (SELECT string_agg('d' || rel.category_id, ',' ORDER BY rel.category_id)
                               FROM channel_authorization_device_category_rel rel WHERE rel.authorization_id = a.id),
                            (SELECT string_agg('r' || rel.registration_id, ',' ORDER BY rel.registration_id)
                               FROM channel_authorization_registration_rel rel WHERE rel.authorization_id = a.id)
                        ) END AS scope
                       ) scope
                 WHERE a.company_id = %(company)s AND a.state != 'draft' AND %(in_force)s
            ),
            -- Regions in which a segment has end customers, where it does not have all of them
            place AS MATERIALIZED (
                SELECT DISTINCT segment.party, region.id, region.parent_path
                  FROM segment
                  JOIN channel_segment_membership of_segment
                    ON of_segment.segment_id = segment.segment_id AND of_segment.side = 'customer'
                  JOIN res_partner customer ON customer.id = of_segment.partner_id
                  JOIN channel_region region ON region.id = customer.channel_region_id
                 WHERE NOT segment.customer_all
            ),
            reach AS MATERIALIZED (
                SELECT DISTINCT rel.authorization_id, region.id AS region_id
                  FROM (SELECT DISTINCT id, parent_path FROM place) AS region
            CROSS JOIN LATERAL unnest(string_to_array(rtrim(region.parent_path, '/'), '/')) AS up(id)
                  JOIN channel_authorization_region_rel rel ON rel.region_id = up.id::int
                 WHERE NOT EXISTS (
                        SELECT FROM channel_authorization_excluded_region_rel excluded
                         WHERE excluded.authorization_id = rel.authorization_id
                           AND excluded.region_id::text = ANY(string_to_array(rtrim(region.parent_path, '/'), '/'))
                 )
            ),
            meets AS MATERIALIZED (
                SELECT party, authorization_id FROM place JOIN reach ON reach.region_id = place.id
                 UNION
                SELECT segment.party, rel.authorization_id
                  FROM segment
                  JOIN channel_segment_membership of_segment
                    ON of_segment.segment_id = segment.segment_id AND of_segment.side = 'customer'
                  JOIN channel_authorization_customer_rel rel ON rel.partner_id = of_segment.partner_id
                 WHERE NOT segment.customer_all
            ),
            allowed AS MATERIALIZED (
                SELECT DISTINCT segment.party, held.scope
                  FROM segment
                  JOIN held
                    ON segment.member_all
                    OR EXISTS (
                        SELECT FROM channel_segment_membership of_segment
                         WHERE of_segment.segment_id = segment.segment_id AND of_segment.side = 'member'
                           AND of_segment.partner_id = held.partner_id)
                 WHERE segment.customer_all
                    OR EXISTS (
                        SELECT FROM meets WHERE meets.party = segment.party AND meets.authorization_id = held.id)
            ),
            ask AS MATERIALIZED (
                SELECT a.* FROM channel_authorization a JOIN held ON held.id = a.id WHERE held.scope = held.id
            ),
            %(products)s,
            authorized AS (
                SELECT allowed.party, good.id AS product_id
                  FROM allowed
                  JOIN ask ON ask.id = allowed.scope AND ask.all_products
            CROSS JOIN %(good)s good
                  JOIN product_template template ON template.id = good.template_id
                 WHERE template.channel_needs_authorization
                 UNION
                SELECT allowed.party, ask_product.product_id
                  FROM allowed
                  JOIN ask_product ON ask_product.id = allowed.scope
                  JOIN %(good)s good ON good.id = ask_product.product_id
            ),
            priced AS (
                SELECT holds.party, cover.product_id
                  FROM segment
                  JOIN %(holds)s holds ON holds.party = segment.party
                  JOIN %(cover)s cover ON cover.party = holds.other
                 WHERE cover.pricelist_id = %(pricelist)s AND cover.min_quantity <= 1
                   AND cover.period @> %(start)s::timestamp
            )
            SELECT missing.product_id, NULLIF(segment.segment_id, 0)
              FROM (SELECT party, product_id FROM authorized EXCEPT SELECT party, product_id FROM priced) AS missing
              JOIN segment ON segment.party = missing.party
            """,
            party=self._work("party"), rule=self._work("rule"), good=self._work("good"), holds=self._work("holds"),
            cover=self._work("cover"), company=question.company.id, pricelist=question.pricelist.id,
            start=question.start,
            in_force=Authorization._in_force_sql(SQL("a"), SQL("%s::date", date)),
            products=Authorization._ask_products_sql(),
        )
