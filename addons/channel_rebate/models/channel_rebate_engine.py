from dataclasses import replace

from odoo import models
from odoo.tools import SQL

from ..tools.relations import CommonTables, TemporaryTables, room_to_work
from ..tools.terms import MONTHS, Run, Term, first_day
from .channel_rebate_engine_scope_mixin import FACT_KEY, FACT_VALUES, RESULTS

BALANCE_KEY = ("program_id", "member_id", "window_start", "window_end")
BALANCE_VALUES = (
    "company_id",
    "currency_id",
    "version_id",
    "pool_id",
    "line_count",
    "base_amount",
    "qualifying_amount",
    "reference_amount",
    "tier_value",
    "tier_id",
    "tier_rate",
    "goods_quantity",
    "unallocated_amount",
    "shape",
    "entitlement",
)


def columns(names, alias=None):
    return SQL(", ").join(SQL.identifier(alias, name) if alias else SQL.identifier(name) for name in names)


class ChannelRebateEngine(models.AbstractModel):
    """The calculation: a pure function, in SQL, from source lines and approved versions to entries and balances.

    Three stages, each a chain of relations. Writing keeps them as temporary tables, simulating as the parts of one
    statement, from the very same text:

    1. *Facts* (mixins `basis`, `scope`, `measure`, `payee`, `window`): what each line is to each version that looks
    at it.
    2. *Windows* (`reference`, `tier`, `limit`): what lines add up to, what that is compared with, which tiers are
    reached,
       what the window earns, and along which curve its lines earn it.
    3. *Lines* (here): what each line moves the curve of its window by; and *balances*: what belongs to each payee.

    `combination` says in which order programmes that share lines are calculated, `change` which lines have to be looked
    at again, `explain` puts it into words.
    """

    _name = "channel.rebate.engine"
    _description = "Rebate Engine"
    _inherit = [
        "channel.rebate.engine.basis.mixin",
        "channel.rebate.engine.scope.mixin",
        "channel.rebate.engine.measure.mixin",
        "channel.rebate.engine.payee.mixin",
        "channel.rebate.engine.window.mixin",
        "channel.rebate.engine.reference.mixin",
        "channel.rebate.engine.tier.mixin",
        "channel.rebate.engine.limit.mixin",
        "channel.rebate.engine.combination.mixin",
        "channel.rebate.engine.change.mixin",
        "channel.rebate.engine.explain.mixin",
    ]

    # === TERMS === #

    def _terms(self, versions):
        """-> list of Term: the days on which each version decides. Drafts make room for themselves as approval
        would.
        """
        self._read_ahead(versions.program_id)
        terms = []
        for program, group in versions.grouped("program_id").items():
            drafts = group.filtered(lambda v: not v._is_in_force()).sorted("valid_from")
            standing = program.version_ids.filtered(lambda v: v._is_in_force()) - drafts
            starts = [draft.valid_from for draft in drafts]
            found = []
            for version in (standing | drafts).sorted("valid_from"):
                end = version.valid_to or None
                for start in starts:
                    if version not in drafts and version.valid_from < start and (not end or end >= start):
                        end = start - self._ONE_DAY
                if version not in drafts and version.valid_from in starts:
                    continue  # replaced by the draft
                found.append((version, version.valid_from, end))
            for position, (version, start, end) in enumerate(found):
                terms.append(Term(version, start, end, start if position else first_day(version, start)))
        return terms

    def _read_ahead(self, programs):
        """Read the terms of all versions at once; they are asked one by one afterwards."""
        versions = programs.version_ids
        versions.fetch([name for name, field in versions._fields.items() if field.store and field.column_type])
        for name, field in versions._fields.items():
            if field.type in ("one2many", "many2many") and field.comodel_name.startswith("channel."):
                versions.mapped(name)

    def _sql_terms(self, terms):
        """-> relation of versions: their columns, and what the stages ask of them"""
        versions = [term.version for term in terms]
        flags = [self._term_flags(version) for version in versions]
        return SQL(
            """SELECT v.*, given.*, p.currency_id, cur.rounding, contract.member_id AS only_member_id,
                      min(given.term_start) OVER (PARTITION BY v.program_id) AS program_start,
                      max(given.term_end) OVER (PARTITION BY v.program_id) AS program_end
                 FROM unnest(%(ids)s::int[], %(starts)s::date[], %(ends)s::date[], %(first)s::date[], %(months)s::int[],
                             %(aligned)s::bool[], %(straight)s::bool[], %(curved)s::bool[], %(line_rounded)s::bool[],
                             %(target)s::bool[], %(earning)s::bool[], %(market)s::bool[], %(scope)s::bool[],
                             %(value)s::numeric[])
                      given(version_id, term_start, term_end, first_day, months, is_aligned, is_straight, is_curved,
                            line_rounded, lists_target, lists_earning, lists_market, has_earning_scope, unit_value)
                 JOIN channel_rebate_program_version v ON v.id = given.version_id
                 JOIN channel_rebate_program p ON p.id = v.program_id
                 JOIN res_currency cur ON cur.id = p.currency_id
            LEFT JOIN channel_contract_version agreed ON agreed.id = v.contract_version_id
            LEFT JOIN channel_contract contract ON contract.id = agreed.contract_id""",
            ids=[version.id for version in versions],
            starts=[term.start for term in terms],
            ends=[term.end or "9999-12-31" for term in terms],
            first=[term.first_day for term in terms],
            months=[MONTHS[version.window_type] for version in versions],
            **{
                name: [flag[name] for flag in flags]
                for name in (
                    "aligned", "straight", "curved", "line_rounded", "target", "earning", "market", "scope", "value"
                )
            },
        )  # fmt: skip

    def _term_flags(self, version):
        """-> dict of what follows from the terms of one version"""
        leaps = version.rate_type == "lot" and version.lot_rounding == "floor"
        to_date = version.accumulation in ("cumulative", "year")
        on_all = version.earning_base == "all"
        same_measure = version.earning_measure in ("same", version.qualifying_measure)
        same_unit = same_measure and (
            version.earning_measure == "same"
            or version.earning_measure not in ("quantity", "formula")
            or (version.earning_measure == "quantity" and version.earning_uom_id == version.qualifying_uom_id)
        )
        cuts = version.kind in ("marginal", "interpolated")
        rated = version.kind in ("retroactive", "total") and on_all and not leaps and not to_date
        return {
            # tiers and what is paid on are in one unit: tiers cut what is paid on
            "aligned": same_unit,
            # lines earn along a straight line, or along a curve: see `_sql_paid`
            "straight": rated and not version.measure_cap,
            "curved": bool(
                (rated and version.measure_cap)
                or (cuts and same_unit and on_all and not (leaps and version.kind == "marginal"))
                or (
                    version.kind == "rolling"
                    and same_unit
                    and on_all
                    and not leaps
                    and not to_date
                    and version.rounding_point != "tier"
                )
            ),
            "line_rounded": version.rounding_point == "line"
            or bool(version.collection_ids)
            or version.distribution == "contribution",
            "target": bool(version.product_domain),
            "earning": bool(version.earning_product_domain),
            "market": bool(version.market_product_domain),
            "scope": bool(version.earning_product_domain or version.earning_segment_ids),
            "value": version.goods_value if version.payout == "goods" else 1.0,
        }

    # === CHAINS === #

    def _add_facts(self, run, goods=None, entries=None):
        """Stage 1: add the relation `fact`, and those that it reads.

        :param goods: relation of `_sql_goods`; made if not given
        :param entries: relation of rated lines, in which a later round of combined programmes finds the earlier ones'
        """
        run.add("term", self._sql_terms(run.terms), key=["version_id"])
        earlier = None
        if entries and self._waits(run.versions):
            earlier = run.add("earlier", self._sql_earlier(run, entries), key=["program_id", "source_id"])
        kinds = set(run.versions.mapped("payee_kind")) & {"parent", "group", "agent"}
        if kinds:
            run.add("place", self._sql_places(kinds), key=["buyer_id"])
        self._add_sources(run)
        days = SQL(" UNION ").join(
            SQL("SELECT date FROM %s", run[f"source_{basis}"])
            if not any(v.returns_policy == "sale" for v in versions)
            else SQL("SELECT date FROM %(s)s UNION SELECT sale_date FROM %(s)s", s=run[f"source_{basis}"])
            for basis, versions in run.versions.grouped("basis").items()
        )
        run.add("calendar", self._sql_calendar(run, SQL("(%s)", days)), key=["version_id", "date"])
        if goods is None:
            goods = run.add("goods", self._sql_goods(run.versions), key=["version_id", "product_id"])
        return run.add("fact", self._sql_facts(run, goods, earlier))

    def _add_windows(self, run, lines, sums=None):
        """Stage 2: add the relations `limited` and `curve` for the windows of these lines, and those that they read.

        :param sums: relation of `_sql_sums` of the lines, where it is there already
        """
        run.add("part", self._sql_parts(run, sums or SQL("(%s)", self._sql_sums(lines))))
        run.add("band", self._sql_bands(run), key=["version_id"])
        run.add("measured", self._sql_measured(run, lines))
        run.add("based", self._sql_based(run))
        run.add("banded", self._sql_banded(run))
        run.add("knot", self._sql_knots(run))
        run.add("paid", self._sql_paid(run))
        run.add("limited", self._sql_limited(run))
        run.add("curve", self._sql_curves(run), key=["program_id", "pool_id", "window_start", "unit_id", "version_id"])
        run.add("decided", self._sql_decided(run), key=["program_id", "pool_id", "window_start"])

    # === STAGE 3: LINES === #

    def _sql_rated(self, run, lines, start=None, kept=()):
        """-> select of facts with RESULTS: each line earns what it moves the curve of its window by

        Lines come by day, then by id. Curves are rounded at both ends of a line, so that the lines of a window add up
        to
        its rebate, and a line that comes last changes no other.

        :param start: relation `(… window, carried)` when `lines` begin inside their windows: the running total before
        :param kept: names of other columns of `lines` to select too
        """
        carried_join, carried = SQL(""), SQL("c.v_start")
        if start:
            carried = SQL("COALESCE(begun.carried, c.v_start)")
            carried_join = SQL(
                """LEFT JOIN %s begun ON begun.program_id = f.program_id AND begun.pool_id = f.pool_id
                    AND begun.window_start = f.window_start AND begun.unit_id = f.unit_id""",
                start,
            )
        split = any(version.distribution == "share" for version in run.versions)
        return SQL(
            """SELECT %(facts)s,
                      CASE WHEN x.exclusion IS NULL THEN %(tier)s END AS tier_id,
                      CASE WHEN x.earning_amount = 0 THEN NULL
                           WHEN x.slope IS NOT NULL AND x.ceiling IS NULL THEN round(x.slope * 100, 6)
                           ELSE round((x.earned_after - x.earned_before) * 100 / x.step, 6) END AS rate,
                      x.after AS total_after,
                      %(rebate)s AS rebate_amount%(kept)s
                 FROM (
                    -- what is earned is calculated once for each line: OFFSET keeps the planner from repeating it
                    SELECT x.*, %(earned_after)s AS earned_after, %(earned_before)s AS earned_before
                      FROM (
                    SELECT run.*, run.after - run.step AS before, %(at_after)s AS at_after, %(at_before)s AS at_before
                      FROM (
                        -- lines are sorted before they meet their curves, which are wide
                        SELECT f.*, c.tier_id, c.tier_ids, c.lowers, c.slopes, c.sums, c.below, c.slope, c.extra,
                            c."offset",
                               c.ceiling, c.rounding, c.line_rounded, c.boundary, %(carried)s + f.moved AS after,
                               COALESCE(f.earning_amount / f.share, f.earning_amount) AS step
                          FROM (
                            SELECT f.*, sum(f.earning_amount) OVER (
                                       PARTITION BY f.program_id, f.pool_id, f.window_start, f.unit_id
                                       ORDER BY f.date, f.source_id %(frame)s) AS moved
                              FROM %(lines)s f) f
                          JOIN %(curve)s c
                            ON c.program_id = f.program_id AND c.pool_id = f.pool_id AND c.window_start = f.window_start
                           AND c.unit_id = f.unit_id AND c.version_id = f.version_id
                          %(carried_join)s
                      ) run OFFSET 0
                      ) x OFFSET 0
                 ) x""",
            facts=columns(FACT_KEY + FACT_VALUES, "x"),
            kept=SQL(", %s", columns(kept, "x")) if kept else SQL(""),
            tier=self._sql_line_tier(),
            rebate=self._sql_line_rebate(run, split),
            at_after=self._sql_place(SQL("run.after"), SQL("run")),
            at_before=self._sql_place(SQL("(run.after - run.step)"), SQL("run")),
            earned_after=self._sql_earned(SQL("x.after"), SQL("x.at_after")),
            earned_before=self._sql_earned(SQL("x.before"), SQL("x.at_before")),
            carried=carried,
            carried_join=carried_join,
            # the payees of one line share its place
            frame=SQL("") if split else SQL("ROWS UNBOUNDED PRECEDING"),
            lines=lines,
            curve=run["curve"],
        )

    def _sql_place(self, total, curve):
        """The tier in which a running total lies on a curve; NULL on a straight line, and 0 below the first tier."""
        return SQL(
            "CASE WHEN %(curve)s.lowers IS NOT NULL THEN width_bucket(%(total)s, %(curve)s.lowers) END",
            curve=curve, total=total,
        )

    def _sql_earned(self, total, at):
        """What the window has earned when its running total is `total`. A straight line has nothing extra."""
        return SQL(
            """LEAST(CASE WHEN x.slope IS NOT NULL THEN x."offset" + x.slope * %(total)s
                          ELSE x."offset" + x.extra * %(total)s + %(curve)s END, x.ceiling)""",
            total=total,
            curve=self._sql_curve(total, "x", at),
        )

    def _sql_line_rebate(self, run, split):
        """What a line earns, rounded."""
        units = set(run.programs.currency_id.mapped("rounding"))
        digits = next((digits for digits in range(9) if units == {10**-digits}), None)

        def rounded(amount):
            if digits is not None:
                # the same, without a division for each line
                return SQL("round(round(%s, 10), %s)", amount, digits)
            return self._sql_round(amount, SQL("x.rounding"))

        after, before = SQL("x.earned_after"), SQL("x.earned_before")
        moved = SQL("%s - %s", rounded(after), rounded(before))
        if split:
            # between the sums of the shares up to this payee and before it, so that the parts of a line are exact too
            upper = SQL("(x.share_before + x.share)")
            moved = SQL(
                "CASE WHEN x.share IS NULL THEN %s ELSE (%s - %s) - (%s - %s) END",
                moved,
                rounded(SQL("%s * %s", upper, after)),
                rounded(SQL("x.share_before * %s", after)),
                rounded(SQL("%s * %s", upper, before)),
                rounded(SQL("x.share_before * %s", before)),
            )
        by_line = rounded(
            SQL("(%s - %s) * COALESCE(x.share, 1) * COALESCE(x.collection_factor, 100) / 100", after, before)
        )
        return SQL("CASE WHEN x.earning_amount = 0 THEN 0 WHEN x.line_rounded THEN %s ELSE %s END", by_line, moved)

    def _sql_line_tier(self):
        """The tier that a line ends in, where tiers cut the running total; else that of the window."""
        return SQL(
            """CASE WHEN x.tier_ids IS NULL THEN x.tier_id
                    ELSE x.tier_ids[GREATEST(x.at_after
                        - CASE WHEN x.boundary <> 'lower' AND x.after = x.lowers[x.at_after] THEN 1 ELSE 0 END, 1)]
                     END"""
        )

    # === STAGE 3: BALANCES === #

    def _sql_decided(self, run):
        """-> select: each window with the part whose terms hold for it as a whole, and the shape of its curve"""
        return SQL(
            """SELECT DISTINCT ON (p.program_id, p.pool_id, p.window_start)
                      p.program_id, p.pool_id, p.window_start, p.version_id, p.unit_id, p.total, p.reference,
                      p.tier_value, p.tier_id, p.tier_rate, c.shape
                 FROM %(paid)s p
                 JOIN %(curve)s c
                   ON c.program_id = p.program_id AND c.pool_id = p.pool_id AND c.window_start = p.window_start
                  AND c.unit_id = p.unit_id AND c.version_id = p.version_id
                WHERE p.decides
                ORDER BY p.program_id, p.pool_id, p.window_start, p.unit_id""",
            paid=run["paid"],
            curve=run["curve"],
        )

    def _sql_earned_by_lines(self, entries):
        """-> select of what these rated lines come to for each payee and window: `lines`, `base`, `rebate`"""
        return SQL(
            """SELECT program_id, member_id, pool_id, window_start, window_end,
                      count(*) AS lines, sum(earning_amount) AS base, sum(rebate_amount) AS rebate
                 FROM %s e
                WHERE exclusion IS NULL
                GROUP BY program_id, member_id, pool_id, window_start, window_end""",
            entries,
        )

    def _sql_totals(self, run, by_lines):
        """-> select of BALANCE_KEY and BALANCE_VALUES: what lines, and windows beside them, come to for each payee

        :param by_lines: select of `_sql_earned_by_lines`, of all lines of each payee and window
        """
        return SQL(
            """WITH earned AS (
                SELECT program_id, member_id, pool_id, window_start, window_end, lines, base, rebate, 0 AS beside
                  FROM (%(by_lines)s) e
                UNION ALL
                SELECT l.program_id, COALESCE(share.partner_id, l.pool_id), l.pool_id, l.window_start, l.window_end,
                    0, 0, 0,
                       CASE WHEN share.partner_id IS NULL THEN l.beside
                            ELSE %(upper)s - %(lower)s END
                  FROM %(limited)s l
                  JOIN %(term)s t ON t.version_id = l.version_id
             LEFT JOIN (
                    SELECT version_id, partner_id, share / 100 AS share,
                           (sum(share) OVER (PARTITION BY version_id ORDER BY id) - share) / 100 AS share_before
                      FROM channel_rebate_share) share
                    ON share.version_id = l.version_id AND t.distribution = 'share'
                 WHERE l.is_live AND (l.beside <> 0 OR l.guarantee <> 0 OR t.kind = 'lump_sum')
            )
            SELECT e.program_id, e.member_id, e.window_start, e.window_end, t.company_id, t.currency_id, d.version_id,
                   d.pool_id, e.lines::int AS line_count, e.base AS base_amount,
                   CASE WHEN d.unit_id = 0 THEN d.total END AS qualifying_amount,
                   CASE WHEN d.unit_id = 0 THEN d.reference END AS reference_amount,
                   CASE WHEN d.unit_id = 0 THEN d.tier_value END AS tier_value,
                   CASE WHEN d.unit_id = 0 THEN d.tier_id END AS tier_id,
                   CASE WHEN d.unit_id = 0 THEN d.tier_rate END AS tier_rate,
                   CASE WHEN t.payout = 'goods' THEN round((e.rebate + e.beside) / NULLIF(t.unit_value, 0), 6) END
                       AS goods_quantity,
                   e.beside AS unallocated_amount,
                   CASE WHEN d.unit_id = 0 AND d.pool_id = e.member_id THEN d.shape END AS shape,
                   e.rebate + e.beside AS entitlement
              FROM (
                SELECT program_id, member_id, window_start, window_end, max(pool_id) AS pool_id, sum(lines) AS lines,
                       sum(base) AS base, sum(rebate) AS rebate, sum(beside) AS beside
                  FROM earned
                 GROUP BY program_id, member_id, window_start, window_end
              ) e
              JOIN %(decided)s d
                ON d.program_id = e.program_id AND d.pool_id = e.pool_id AND d.window_start = e.window_start
              JOIN %(term)s t ON t.version_id = d.version_id""",
            decided=run["decided"],
            limited=run["limited"],
            term=run["term"],
            by_lines=by_lines,
            upper=self._sql_round(SQL("(share.share_before + share.share) * l.beside"), SQL("l.rounding")),
            lower=self._sql_round(SQL("share.share_before * l.beside"), SQL("l.rounding")),
        )

    # === SIMULATING === #

    def _simulate(self, versions, date_from, date_to, purpose="rebate", pools=None):
        """-> list of dicts (BALANCE_KEY and BALANCE_VALUES): what the lines between two days earn, without writing

        :param pools: ids of the only partners to look at; None for all
        """
        runs, best = self._simulated(versions, date_from, date_to, purpose, pools)
        if not runs:
            return []
        return self.env.execute_query_dict(
            runs[0].tables.query(
                SQL(" UNION ALL ").join(
                    SQL(
                        "SELECT * FROM (%s) total",
                        self._sql_totals(run, self._sql_earned_by_lines(best or run["rated"])),
                    )
                    for run in runs
                )
            )
        )

    def _simulated(self, versions, date_from, date_to, purpose="rebate", pools=None):
        """-> list of Run, one for each round, with all relations up to `rated`, and that of combinations or None

        Earlier lines are compared with, where the terms ask for it, and earn nothing.
        """
        self.env.flush_all()
        terms = [term for term in self._terms(versions) if not term.end or term.end >= date_from]
        first = {term.version.program_id: term for term in reversed(terms)}
        terms = [
            replace(term, start=start, first_day=first_day(term.version, start))
            if term is first[term.version.program_id] else term
            for term in terms
            for start in [max(term.start, date_from)]
        ]
        tables, runs = CommonTables(), []
        for number, round_terms in enumerate(self._rounds(terms)):
            run = Run(
                round_terms, date_to, tables, date_from=date_from, purpose=purpose, pools=pools, prefix=f"{number}_"
            )
            facts = self._add_facts(run, entries=self._sql_union([earlier["rated"] for earlier in runs]))
            self._add_windows(run, facts)
            run.add("rated", self._sql_rated(run, facts))
            runs.append(run)
        return runs, self._sql_best_of(tables, [run["rated"] for run in runs], terms)

    def _sql_best_of(self, tables, rated_rounds, terms):
        if not any(term.version.combination_id.method == "best" for term in terms):
            return None
        ranked = tables.add("ranked", self._sql_best(self._sql_union(rated_rounds)))
        kept = [name for name in (*FACT_KEY, *FACT_VALUES, *RESULTS) if name != "rebate_amount"]
        return tables.add(
            "best",
            SQL(
                "SELECT %s, CASE WHEN place > 1 THEN 0 ELSE rebate_amount END AS rebate_amount FROM %s",
                columns(kept),
                ranked,
            ),
        )

    def _sql_union(self, relations):
        if not relations:
            return None
        return SQL("(%s)", SQL(" UNION ALL ").join(SQL("SELECT * FROM %s", r) for r in relations))

    # === WRITING === #

    def _refresh(self, programs, date_to, whole=False, block=None):
        """Bring entries and balances of `programs` in line with the source lines dated up to `date_to`.

        Only what changed since the last run is looked at again: see the change mixin. Rows that are right already
        are not touched, so a second run writes nothing. A balance that lost its lines stays, with nothing earned, as
        long as anything points to it.

        :param bool whole: look at every line, whatever changed
        :param block: (number, count): only the pools whose id leaves `number` when divided by `count`; see `_can_split`
        """
        self.env.flush_all()
        with room_to_work(self.env.cr):
            tables = TemporaryTables(self.env.cr)
            for plan in self._plans(programs, date_to, whole, block):
                self._carry_out(plan, date_to, tables)
            tables.close()
        self.env["channel.rebate.entry"].invalidate_model()
        self.env["channel.rebate.balance"].invalidate_model()

    def _carry_out(self, plan, date_to, tables):
        """Calculate programmes that have the same past: see `_plans`."""
        terms = self._terms(plan.programs.version_ids.filtered(lambda v: v._is_in_force()))
        for round_terms in self._rounds(terms):
            run = Run(
                round_terms,
                date_to,
                tables,
                changed=plan.changed,
                has_few=plan.has_few,
                block=plan.block,
                remembers=plan.has_entries,
            )
            if plan.is_bulk:
                self._write_all(run)
            else:
                self._write_changes(run, plan)
        self._remember(plan, date_to)

    def _write_all(self, run):
        """The first run: rows are written once, with their results, in the order of their windows."""
        facts = self._add_facts(run, SQL.identifier("channel_rebate_goods"), SQL.identifier("channel_rebate_entry"))
        self._add_windows(run, facts)
        self.env.cr.execute(
            SQL(
                "INSERT INTO channel_rebate_entry (%s) %s",
                columns(FACT_KEY + FACT_VALUES + RESULTS),
                self._sql_rated(run, facts),
            )
        )
        if "best" in run.versions.combination_id.mapped("method"):
            self._settle_best(run, SQL("SELECT DISTINCT basis, source_id FROM %s", facts))
        programs = list(run.programs.ids)
        entries = SQL(
            "(SELECT * FROM channel_rebate_entry WHERE program_id = ANY(%s) AND %s)",
            programs,
            run.in_block(SQL("pool_id")),
        )
        self._write_balances(
            run,
            self._sql_earned_by_lines(entries),
            SQL("b.program_id = ANY(%s) AND %s", programs, run.in_block(SQL("COALESCE(b.pool_id, b.member_id)"))),
        )

    def _write_balances(self, run, by_lines, touched):
        """Bring balances in line with their entries.

        :param by_lines: select of what all entries of the payees and windows concerned come to
        :param touched: condition over `channel_rebate_balance b`: those that may have lost their lines
        """
        changed = SQL(" OR ").join(
            SQL("balance.%(c)s IS DISTINCT FROM EXCLUDED.%(c)s", c=SQL.identifier(name)) for name in BALANCE_VALUES
        )
        self.env.cr.execute(
            SQL(
                """WITH total AS MATERIALIZED (%(totals)s),
                gone AS (
                    UPDATE channel_rebate_balance b
                       SET line_count = 0, base_amount = 0, qualifying_amount = 0, entitlement = 0,
                           unallocated_amount = 0, goods_quantity = NULL, tier_id = NULL, tier_rate = NULL,
                           tier_value = NULL, shape = NULL, open_amount = b.correction_amount - b.settled_amount,
                           write_uid = %(uid)s, write_date = now() AT TIME ZONE 'UTC'
                     WHERE %(touched)s
                       AND (b.line_count <> 0 OR b.entitlement <> 0 OR b.base_amount <> 0 OR b.shape IS NOT NULL)
                       AND NOT EXISTS (
                        SELECT FROM total t WHERE t.program_id = b.program_id AND t.member_id = b.member_id
                                              AND t.window_start = b.window_start AND t.window_end = b.window_end)
                )
                INSERT INTO channel_rebate_balance AS balance
                    (%(names)s, accrued_amount, settled_amount, correction_amount, open_amount,
                     create_uid, create_date, write_uid, write_date)
                SELECT %(names)s, 0, 0, 0, entitlement,
                       %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                  FROM total
                ON CONFLICT (program_id, member_id, window_start, window_end) DO UPDATE
                   SET %(assign)s,
                       open_amount = EXCLUDED.entitlement + balance.correction_amount - balance.settled_amount,
                       write_uid = EXCLUDED.write_uid, write_date = EXCLUDED.write_date
                 WHERE %(changed)s""",
                totals=self._sql_totals(run, by_lines),
                touched=touched,
                uid=self.env.uid,
                names=columns(BALANCE_KEY + BALANCE_VALUES),
                assign=self._sql_assign(BALANCE_VALUES),
                changed=changed,
            )
        )

    def _sql_assign(self, names):
        return SQL(", ").join(SQL("%(c)s = EXCLUDED.%(c)s", c=SQL.identifier(name)) for name in names)
