from odoo import api, models
from odoo.tools import SQL

from .channel_rebate_engine_basis_mixin import SOURCE_COLUMNS
from .channel_rebate_engine_measure_mixin import MEASURE_TERMS

#: What a line is to a programme: identity, place and measures. Facts are kept; results follow from those of a window.
FACT_KEY = ("source_id", "program_id", "basis", "member_id")
FACT_VALUES = (
    "version_id",
    "company_id",
    "currency_id",
    "pool_id",
    "buyer_id",
    "unit_id",
    "move_line_id",
    "product_id",
    "component_id",
    "date",
    "window_start",
    "window_end",
    "qualifying_amount",
    "earning_amount",
    "market_amount",
    "exclusion",
    "collection_factor",
    "share",
    "share_before",
)
#: What follows for a line from its window.
RESULTS = ("tier_id", "rate", "total_after", "rebate_amount")
#: Lines outside the scope that are shown to a member that is named by the programme, and to nobody else.
OUTSIDE = ("scope", "market")


class ChannelRebateEngineScopeMixin(models.AbstractModel):
    """Stage 1: which lines each version looks at, and what they are to it (facts)."""

    _name = "channel.rebate.engine.scope.mixin"
    _description = "Rebate Engine: Scope"

    @api.model
    def _selection_exclusion(self):
        return [
            ("scope", self.env._("Outside the products of the programme")),
            ("market", self.env._("Outside the market of the programme")),
            ("excluded", self.env._("Product is excluded")),
            ("freight", self.env._("Freight does not count")),
            ("prior", self.env._("Before the first day: compared with or added up only")),
            ("rebate_document", self.env._("Rebate document")),
            ("combination", self.env._("Covered by another programme")),
            ("no_payee", self.env._("Nobody to earn it: no buying group, agent, salesperson or share")),
        ]

    # === SOURCES AND MARKETS === #

    def _add_sources(self, run):
        """Add the relations `source_<basis>`, and `market`: the pairs of member and end customer in them."""
        for basis, versions in run.versions.grouped("basis").items():
            companies = self.env["res.company"].search([("id", "child_of", versions.company_id.ids)])
            columns = self._source_columns(versions)
            terms = [term for term in run.terms if term.version.basis == basis]
            conditions = [
                SQL("s.date <= %s", run.date_to),
                SQL("s.date >= %s", min(t.first_day for t in terms)),
            ]
            if run.buyers:
                conditions.append(SQL("s.buyer_id = ANY(%s)", run.buyers))
            if run.changed:
                conditions.append(run.among_changed(SQL("s.source_id")))
                conditions.append(SQL("s.source_id IN (SELECT source_id FROM %s WHERE basis = %s)", run.changed, basis))
            run.add(
                f"source_{basis}",
                SQL(
                    "SELECT s.* FROM (%s) s WHERE %s",
                    self._basis(basis, companies, columns),
                    SQL(" AND ").join(conditions),
                ),
            )
        run.add("market", self._sql_markets(run))
        run.add("held", self._sql_held(run))

    def _source_columns(self, versions):
        """-> names of the source columns that any of the versions reads, in order"""
        wanted = {
            "source_id", "move_line_id", "document_id", "company_id", "buyer_id", "customer_id", "product_id", "date",
            "is_rebate",
        }  # fmt: skip
        for version in versions:
            wanted |= self._measure_columns(version) | self._payee_columns(version)
            wanted |= {"sale_date"} if version.returns_policy == "sale" else set()
            wanted |= {"paid_date", "invoice_date", "due_date"} if version.collection_ids else set()
        return [name for name in SOURCE_COLUMNS if name in wanted]

    def _sql_markets(self, run):
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        return SQL(
            """SELECT row_number() OVER ()::int AS market, pair.*, pair.buyer_id AS member,
                      customer.commercial_partner_id AS customer,
                      string_to_array(company.parent_path, '/') AS companies
                 FROM (%s) pair
                 JOIN res_company company ON company.id = pair.company_id
            LEFT JOIN res_partner customer ON customer.id = pair.customer_id""",
            SQL(" UNION ").join(
                SQL("SELECT DISTINCT buyer_id, customer_id, company_id FROM %s", run[f"source_{basis}"])
                for basis in run.versions.grouped("basis")
            ),
        )

    def _sql_held(self, run):
        """-> relation `(market, version_id, in_target, in_earning, is_named)`: markets that a version holds

        `is_named`: the version names the member, by a segment that is not for everybody, or by its contract. Markets of
        such a member are there although the version does not hold them.
        """
        versions = run.versions
        apart = versions.filtered("earning_segment_ids")
        return SQL(
            """SELECT h.market, h.scope_id AS version_id, bool_or(h.in_target) AS in_target,
                      bool_or(h.in_earning OR (h.in_target AND NOT h.scope_id = ANY(%(apart)s))) AS in_earning,
                      bool_or(h.is_named) OR bool_or(t.only_member_id IS NOT NULL) AS is_named
                 FROM (
                    SELECT market, scope_id, TRUE AS in_target, FALSE AS in_earning, FALSE AS is_named
                      FROM (%(target)s) target
                    UNION ALL
                    SELECT market, scope_id, FALSE, TRUE, FALSE FROM (%(earning)s) earning
                    UNION ALL
                    SELECT m.market, rel.channel_rebate_program_version_id, FALSE, FALSE, TRUE
                      FROM %(market)s m
                      JOIN channel_segment_membership sm ON sm.side = 'member' AND sm.partner_id = m.member
                      JOIN channel_segment s ON s.id = sm.segment_id AND s.active AND NOT s.member_all
                      JOIN channel_rebate_program_version_channel_segment_rel rel ON rel.channel_segment_id = s.id
                     WHERE rel.channel_rebate_program_version_id = ANY(%(versions)s)
                 ) h
                 JOIN %(term)s t ON t.version_id = h.scope_id
                 JOIN %(market)s m ON m.market = h.market
                WHERE (t.only_member_id IS NULL OR t.only_member_id = m.member)
                  AND t.company_id::text = ANY(m.companies)
                GROUP BY h.market, h.scope_id""",
            apart=list(apart.ids),
            target=versions._match_markets_sql(run["market"]),
            earning=apart._match_markets_sql(run["market"], "earning_segment_ids"),
            market=run["market"],
            versions=list(versions.ids),
            term=run["term"],
        )

    # === PRODUCTS === #

    def _sql_goods(self, versions):
        """-> select `(version_id, product_id, in_target, in_earning, is_excluded, in_market, component_id)`

        The products that the lists of these versions name; a list that is empty, or true, names none.
        """
        lists = [
            (version.id, role, None, version[name])
            for version in versions
            for role, name in (
                ("target", "product_domain"),
                ("earning", "earning_product_domain"),
                ("excluded", "excluded_product_domain"),
                ("market", "market_product_domain"),
            )
            if version[name]
        ]
        lists += [(c.version_id.id, "component", c.id, c.product_domain) for c in versions.component_ids]
        everything, listed = versions._products_of_domains(
            [text for *_rest, text in lists], SQL("SELECT id FROM product_product")
        )
        whole = SQL(
            "SELECT text, p.id FROM unnest(%s::varchar[]) text CROSS JOIN product_product p", everything
        )
        return SQL(
            """SELECT list.version_id, item.product_id,
                      bool_or(list.role = 'target') AS in_target,
                      bool_or(list.role = 'earning') AS in_earning,
                      bool_or(list.role = 'excluded') AS is_excluded,
                      bool_or(list.role = 'market') AS in_market,
                      (array_agg(component.id ORDER BY component.sequence, component.id)
                        FILTER (WHERE component.id IS NOT NULL))[1] AS component_id
                 FROM unnest(%(versions)s::int[], %(roles)s::varchar[], %(components)s::int[], %(texts)s::varchar[])
                      list(version_id, role, component_id, text)
                 JOIN (%(listed)s UNION ALL %(whole)s) item(text, product_id) ON item.text = list.text
            LEFT JOIN channel_rebate_component component ON component.id = list.component_id
                GROUP BY list.version_id, item.product_id""",
            versions=[row[0] for row in lists],
            roles=[row[1] for row in lists],
            components=[row[2] for row in lists],
            texts=[row[3] for row in lists],
            listed=listed,
            whole=whole,
        )

    # === FACTS === #

    def _sql_facts(self, run, goods, earlier):
        """-> relation of FACT_KEY and FACT_VALUES: what each line is to each version that looks at it

        Versions that measure alike share one branch, so that a line is not asked twice how it is measured.

        :param goods: relation of `_sql_goods`
        :param earlier: relation of what earlier programmes of a combination did, or None: see the combination mixin
        """

        def alike(version):
            return (
                *(version[name] for name in MEASURE_TERMS),
                version.payee_kind,
                version.distribution,
                version.program_id.currency_id,
                version.collection_from if version.collection_ids else False,
                version.combination_id.method if earlier else False,
            )

        return SQL(" UNION ALL ").join(
            self._sql_facts_alike(run, versions, goods, earlier) for versions in run.versions.grouped(alike).values()
        )

    def _sql_facts_alike(self, run, versions, goods, earlier):
        first = versions[0]
        payee_join, pool, member, weight, share, share_before = self._sql_payee(run, first)
        qualifying, earning = self._sql_measures(first, run.date_to)
        combination_join, is_covered, earning = self._sql_combined(run, first, earning, earlier)
        factor_join, factor = self._sql_collection(first)
        outside = SQL("FALSE")
        if run.remembers:
            # evaluated only for lines that are out of the scope
            outside = SQL(
                """EXISTS (SELECT FROM channel_rebate_entry known
                            WHERE known.source_id = s.source_id AND known.program_id = t.program_id
                              AND known.basis = %s AND known.version_id = t.version_id
                              AND known.buyer_id = s.buyer_id AND known.product_id IS NOT DISTINCT FROM s.product_id
                              AND known.exclusion IS NULL)""",
                first.basis,
            )
        return SQL(
            # first what lines are sorted and joined by: PostgreSQL finds columns faster that stand before those of
            # varying length
            """SELECT t.program_id, COALESCE(payee.pool_id, s.buyer_id) AS pool_id, w.window_start,
                      CASE t.accumulation WHEN 'line' THEN s.source_id WHEN 'document' THEN s.document_id ELSE 0 END
                          AS unit_id,
                      w.date, s.source_id, t.version_id, COALESCE(payee.member_id, s.buyer_id) AS member_id,
                      s.buyer_id, w.window_end, t.company_id, t.currency_id, s.move_line_id, s.product_id,
                      goods.component_id, %(basis)s::varchar AS basis,
                      CASE WHEN why.exclusion IS NULL AND scope.in_target OR why.exclusion = 'prior'
                           THEN measure.qualifying * payee.weight ELSE 0 END AS qualifying_amount,
                      CASE WHEN why.exclusion IS NULL AND scope.in_earning
                           THEN measure.earning * payee.weight ELSE 0 END AS earning_amount,
                      CASE WHEN t.lists_market AND goods.in_market AND NOT s.is_rebate AND NOT w.is_prior
                           THEN measure.qualifying * payee.weight END AS market_amount,
                      why.exclusion::varchar AS exclusion,
                      CASE WHEN why.exclusion IS NULL THEN %(factor)s END AS collection_factor,
                      payee.share, payee.share_before
                 FROM %(source)s s
                 JOIN %(market)s m
                   ON m.buyer_id = s.buyer_id AND m.customer_id = s.customer_id AND m.company_id = s.company_id
                 JOIN %(held)s h ON h.market = m.market AND h.version_id = ANY(%(versions)s)
                 JOIN %(term)s t ON t.version_id = h.version_id
                 JOIN %(calendar)s w ON w.version_id = h.version_id AND w.date = %(day)s
            LEFT JOIN %(goods)s goods ON goods.version_id = h.version_id AND goods.product_id = s.product_id
                 %(joins)s
                 %(payee_join)s
                 %(combination_join)s
                 %(factor_join)s
           CROSS JOIN LATERAL (SELECT %(pool)s AS pool_id, %(member)s AS member_id, %(weight)s AS weight,
                                      %(share)s AS share, %(share_before)s AS share_before) payee
           CROSS JOIN LATERAL (
                SELECT NOT t.lists_target OR COALESCE(goods.in_target, FALSE) AS target_product,
                       CASE WHEN t.lists_earning THEN COALESCE(goods.in_earning, FALSE)
                            ELSE NOT t.lists_target OR COALESCE(goods.in_target, FALSE) END AS earning_product
           ) product_list
           CROSS JOIN LATERAL (
                SELECT h.in_target AND product_list.target_product AND NOT (%(is_freight)s AND NOT t.qualifying_freight)
                           AS in_target,
                       h.in_earning AND product_list.earning_product AND NOT (%(is_freight)s AND NOT
                       (%(earns_freight)s))
                           AS in_earning
           ) place_in
           CROSS JOIN LATERAL (SELECT CASE
                WHEN s.is_rebate THEN 'rebate_document'
                WHEN COALESCE(goods.is_excluded, FALSE) THEN 'excluded'
                WHEN NOT (place_in.in_target OR place_in.in_earning) THEN
                    CASE WHEN %(outside)s THEN NULL
                         WHEN NOT (h.in_target OR h.in_earning) THEN 'market'
                         WHEN NOT (product_list.target_product OR product_list.earning_product) THEN 'scope'
                         WHEN %(is_freight)s THEN 'freight' ELSE 'scope' END
                WHEN %(is_covered)s THEN 'combination'
                WHEN payee.member_id IS NULL THEN 'no_payee'
                WHEN w.is_prior THEN 'prior' END AS exclusion
           ) why
           CROSS JOIN LATERAL (
                SELECT place_in.in_target OR remembered.is_remembered AS in_target,
                       place_in.in_earning OR (remembered.is_remembered AND NOT t.has_earning_scope) AS in_earning
                  FROM (SELECT why.exclusion IS NULL AND NOT (place_in.in_target OR place_in.in_earning)
                               AS is_remembered) remembered
           ) scope
           CROSS JOIN LATERAL (SELECT %(qualifying)s AS qualifying, %(earning)s AS earning) measure
                WHERE (why.exclusion IS NULL OR why.exclusion NOT IN ('scope', 'market')
                       OR (h.is_named OR t.lists_market AND goods.in_market) AND NOT w.is_prior)
                  AND %(in_block)s""",
            in_block=run.in_block(SQL("COALESCE(payee.pool_id, s.buyer_id)")),
            basis=first.basis,
            source=run[f"source_{first.basis}"],
            market=run["market"],
            held=run["held"],
            versions=list(versions.ids),
            term=run["term"],
            calendar=run["calendar"],
            day=SQL("COALESCE(s.sale_date, s.date)") if first.returns_policy == "sale" else SQL("s.date"),
            goods=goods,
            joins=self._sql_fact_joins(first),
            payee_join=payee_join,
            combination_join=combination_join,
            factor_join=factor_join,
            pool=pool,
            member=member,
            weight=weight,
            share=share,
            share_before=share_before,
            is_freight=self._sql_is_freight(first),
            earns_freight=SQL("t.qualifying_freight" if first.earning_measure == "same" else "t.earning_freight"),
            outside=outside,
            is_covered=is_covered,
            qualifying=qualifying,
            earning=earning,
            factor=factor,
        )

    def _cares_for_freight(self, version):
        return not version.qualifying_freight or (version.earning_measure != "same" and not version.earning_freight)

    def _sql_is_freight(self, version):
        return SQL("COALESCE(template.channel_is_freight, FALSE)") if self._cares_for_freight(version) else SQL("FALSE")

    def _sql_fact_joins(self, version):
        """The tables that measuring a line reads beside the source; only those that these terms ask for."""
        joins = [
            SQL(
                """JOIN channel_rebate_program p ON p.id = t.program_id
                   JOIN res_company c ON c.id = s.company_id
                   JOIN res_currency cur ON cur.id = p.currency_id"""
            )
        ]
        measures = {version[f"{side}_measure"] for side in self._measure_sides(version)}
        by_unit = any(
            version[f"{side}_measure"] == "quantity" and version[f"{side}_uom_id"]
            for side in self._measure_sides(version)
        )
        if self._cares_for_freight(version) or measures & {"points", "formula"} or by_unit:
            joins.append(
                SQL(
                    """LEFT JOIN product_product product ON product.id = s.product_id
                       LEFT JOIN product_template template ON template.id = product.product_tmpl_id"""
                )
            )
        if by_unit:
            joins.append(SQL("LEFT JOIN uom_uom unit ON unit.id = template.uom_id"))
        return SQL(" ").join(joins)
