from odoo import models
from odoo.tools import SQL

from ..tools.terms import GROWTH

#: One window of one pool: the unit in which tiers are reached. `unit_id` is 0, or the document or line by itself.
WINDOW = SQL("program_id, pool_id, window_start, unit_id")


class ChannelRebateEngineReferenceMixin(models.AbstractModel):
    """Stage 2a: what the lines of a window add up to, and what that is compared with."""

    _name = "channel.rebate.engine.reference.mixin"
    _description = "Rebate Engine: Totals and What They Are Compared with"

    def _sql_sums(self, lines):
        """-> select: what these facts add up to in each version, window and unit"""
        return SQL(
            """SELECT program_id, version_id, pool_id, window_start, window_end, unit_id, %s
                 FROM %s f GROUP BY program_id, version_id, pool_id, window_start, window_end, unit_id""",
            self._sql_sums_of_facts(),
            lines,
        )

    def _sql_sums_of_facts(self):
        # Excluded lines earn nothing, so they need no filter; returns are few, so that what they turn round is cheap.
        return SQL(
            """COALESCE(sum(f.qualifying_amount) FILTER (WHERE f.exclusion IS NULL), 0) AS qualifying,
               sum(f.earning_amount) AS earning,
               sum(f.earning_amount)
                   - 2 * COALESCE(sum(f.earning_amount) FILTER (WHERE f.earning_amount < 0), 0) AS earning_abs,
               COALESCE(sum(f.market_amount), 0) AS market,
               COALESCE(sum(f.qualifying_amount) FILTER (WHERE f.exclusion = 'prior'), 0) AS prior,
               count(*) FILTER (WHERE f.exclusion IS NULL) AS lines"""
        )

    def _sql_parts(self, run, sums):
        """-> relation: the sums of each version's lines in each window; also windows that earn without lines

        :param sums: relation of `_sql_sums`
        """
        return SQL(
            """SELECT program_id, version_id, pool_id, window_start, window_end, unit_id,
                      sum(qualifying) AS qualifying, sum(earning) AS earning, sum(earning_abs) AS earning_abs,
                      sum(market) AS market, sum(prior) AS prior, sum(lines)::int AS lines,
                      bool_or(is_standing) AS is_standing
                 FROM (
                    SELECT program_id, version_id, pool_id, window_start, window_end, unit_id, qualifying, earning,
                           earning_abs, market, prior, lines, FALSE AS is_standing
                      FROM %(sums)s summed
                    UNION ALL
                    SELECT program_id, version_id, pool_id, window_start, window_end, 0, 0, 0, 0, 0, 0, 0, TRUE
                      FROM (%(standing)s) standing
                 ) summed
                GROUP BY program_id, version_id, pool_id, window_start, window_end, unit_id""",
            sums=sums,
            standing=self._sql_standing(run),
        )

    def _sql_standing(self, run):
        """-> select of windows that earn with or without lines (guarantees, lump sums) of members who have a right to
        it

        These are the member of the version's contract, the members of its segments that are not for everybody, and
        the payees of approved figures.
        """
        standing = run.versions.filtered(
            lambda v: v.payee_kind == "member"
            and v.accumulation not in ("document", "line")
            and (v.kind == "lump_sum" or v.guarantee or "guarantee" in v.program_id.figure_ids.mapped("kind"))
        )
        if not standing:
            return SQL(
                """SELECT NULL::int AS program_id, NULL::int AS version_id, NULL::int AS pool_id,
                          NULL::date AS window_start, NULL::date AS window_end WHERE FALSE"""
            )
        begin = self._sql_window_start(SQL("day.date"), SQL("t.months"), SQL("t.period_from"))
        end = self._sql_window_end(SQL("day.date"), SQL("t.months"), SQL("t.period_to"))
        return SQL(
            """SELECT DISTINCT t.program_id, t.version_id, pool.pool_id, %(begin)s AS window_start, %(end)s AS
                window_end
                 FROM %(term)s t
                 JOIN (
                    SELECT t.version_id, t.only_member_id AS pool_id FROM %(term)s t WHERE t.only_member_id IS NOT NULL
                    UNION
                    SELECT t.version_id, sm.partner_id
                      FROM %(term)s t
                      JOIN channel_rebate_program_version_channel_segment_rel rel
                        ON rel.channel_rebate_program_version_id = t.version_id
                      JOIN channel_segment s ON s.id = rel.channel_segment_id AND s.active AND NOT s.member_all
                      JOIN channel_segment_membership sm ON sm.segment_id = s.id AND sm.side = 'member'
                      JOIN res_partner member ON member.id = sm.partner_id AND member.channel_role IS NOT NULL
                     WHERE t.only_member_id IS NULL
                    UNION
                    SELECT t.version_id, figure.member_id
                      FROM %(term)s t
                      JOIN channel_rebate_figure figure
                        ON figure.program_id = t.program_id AND figure.kind = 'guarantee' AND figure.state = 'approved'
                 ) pool ON pool.version_id = t.version_id
                CROSS JOIN LATERAL generate_series(
                    t.term_start::timestamp,
                    LEAST(t.term_end, %(date_to)s::date)::timestamp,
                    make_interval(months => 1)) month
                CROSS JOIN LATERAL (
                    SELECT LEAST(month::date, LEAST(t.term_end, %(date_to)s::date)) AS date
                    UNION SELECT LEAST(t.term_end, %(date_to)s::date)) day
                WHERE t.version_id = ANY(%(standing)s)
                  AND day.date >= t.term_start
                  AND day.date >= %(date_from)s::date
                  AND %(in_block)s""",
            in_block=run.in_block(SQL("pool.pool_id")),
            begin=begin,
            end=end,
            term=run["term"],
            date_to=run.date_to,
            date_from=run.date_from or SQL("'-infinity'"),
            standing=list(standing.ids),
        )

    def _sql_measured(self, run, lines):
        """-> relation: parts with the totals of their windows, what these are compared with, and `tier_value`

        `v0`, `v1`: the running total of what is paid on, before and after the part; `q0`, `q1` of what qualifies.
        `decides`: the part whose terms hold for the window as a whole.
        """
        kinds = set(run.programs.figure_ids.filtered(lambda f: f.state == "approved").mapped("kind"))
        versions = run.versions
        return SQL(
            """WITH spanned AS MATERIALIZED (
                SELECT p.*, t.term_start,
                       sum(p.qualifying) OVER win AS window_qualifying,
                       sum(p.earning) OVER win AS window_earning,
                       sum(p.market) OVER win AS window_market,
                       sum(p.prior) OVER win AS window_prior,
                       sum(p.lines) OVER win AS window_lines,
                       row_number() OVER (
                           PARTITION BY %(window)s
                           ORDER BY (p.lines > 0 OR p.is_standing) DESC, t.term_start DESC, p.version_id DESC) = 1
                           AS decides,
                       sum(p.earning) OVER axis AS v1, sum(p.earning) OVER axis - p.earning AS v0,
                       sum(p.qualifying) OVER axis AS q1, sum(p.qualifying) OVER axis - p.qualifying AS q0
                  FROM %(part)s p
                  JOIN %(term)s t ON t.version_id = p.version_id
                WINDOW win AS (PARTITION BY %(window)s),
                       axis AS (
                        PARTITION BY p.program_id, p.pool_id, p.unit_id,
                                     CASE t.accumulation WHEN 'cumulative' THEN '-infinity'::date
                                                         WHEN 'year' THEN date_trunc('year',
                                                             p.window_start::timestamp)::date
                                                         ELSE p.window_start END
                        ORDER BY p.window_start, t.term_start, p.version_id ROWS UNBOUNDED PRECEDING)
            ),
            compared AS MATERIALIZED (
                SELECT s.*,
                       CASE WHEN t.accumulation IN ('cumulative', 'year') THEN max(s.q1) OVER win
                            WHEN t.window_type = 'rolling' THEN rolled.total
                            WHEN t.first_window = 'prior' THEN s.window_qualifying + s.window_prior
                            ELSE s.window_qualifying END AS total,
                       max(s.v1) OVER win AS v_end,
                       %(baseline)s AS raw_baseline,
                       NULLIF(COALESCE(%(target)s, t.target * t_days.part), 0) AS target,
                       CASE WHEN t.lists_market THEN s.window_market ELSE %(market)s END AS market_total,
                       COALESCE(%(guarantee)s, t.guarantee) AS guarantee,
                       COALESCE(%(variable)s, 0) AS variable,
                       mixed.ratio, mixed.is_complete, mixed.sets,
                       t_days.part AS prorate
                  FROM spanned s
                  JOIN %(term)s t ON t.version_id = s.version_id
                  %(rolled)s
                  %(before)s
                  %(mixed)s
                 CROSS JOIN LATERAL (
                    SELECT CASE WHEN t.first_window = 'prorated' THEN
                           (LEAST(s.window_end, t.program_end) - GREATEST(s.window_start, t.program_start) + 1)::numeric
                           / (s.window_end - s.window_start + 1) ELSE 1 END AS part) t_days
                WINDOW win AS (PARTITION BY s.program_id, s.pool_id, s.window_start, s.unit_id)
            )
            SELECT c.*, b.baseline, b.is_new,
                   CASE t.tier_measure
                       WHEN 'total' THEN c.total
                       WHEN 'growth_index' THEN 100 * c.total / b.baseline
                       WHEN 'growth_rate' THEN 100 * c.total / b.baseline - 100
                       WHEN 'growth_amount' THEN c.total - b.baseline
                       WHEN 'achievement' THEN 100 * c.total / c.target
                       WHEN 'market_share' THEN 100 * c.total / NULLIF(GREATEST(c.market_total, 0), 0)
                       WHEN 'mix' THEN 100 * c.ratio END AS tier_value,
                   CASE WHEN t.tier_measure IN ('growth_index', 'growth_rate', 'growth_amount') OR t.earning_base =
                       'growth'
                             THEN b.baseline
                        WHEN t.tier_measure = 'market_share' THEN c.market_total
                        ELSE c.target END AS reference
              FROM compared c
              JOIN %(term)s t ON t.version_id = c.version_id
             CROSS JOIN LATERAL (
                SELECT CASE WHEN c.raw_baseline > 0 THEN c.raw_baseline
                            WHEN t.baseline_missing = 'target' THEN c.target END AS baseline,
                       t.baseline_missing = 'new_partner' AND COALESCE(c.raw_baseline, 0) <= 0
                       AND (t.tier_measure IN ('growth_index', 'growth_rate', 'growth_amount')
                            OR t.earning_base = 'growth') AS is_new) b""",
            part=run["part"],
            term=run["term"],
            window=SQL("p.program_id, p.pool_id, p.window_start, p.unit_id"),
            baseline=SQL(
                "COALESCE(%s, CASE WHEN t.baseline_source <> 'figure' THEN before.total END) + COALESCE(%s, 0)",
                self._sql_figure(kinds, "baseline"),
                self._sql_adjustment(kinds),
            )
            if self._compares(versions)
            else SQL("NULL::numeric"),
            target=self._sql_figure(kinds, "target"),
            market=self._sql_figure(kinds, "market"),
            guarantee=self._sql_figure(kinds, "guarantee"),
            variable=self._sql_figure(kinds, "variable"),
            rolled=self._sql_rolled(run) if "rolling" in versions.mapped("window_type") else SQL(
                "CROSS JOIN (SELECT NULL::numeric AS total) rolled"
            ),
            before=self._sql_before(run) if self._compares(versions) else SQL(
                "CROSS JOIN (SELECT NULL::numeric AS total) before"
            ),
            mixed=self._sql_mixed(run, lines) if versions.component_ids else SQL(
                """CROSS JOIN (SELECT NULL::numeric AS ratio, TRUE AS is_complete, NULL::numeric AS sets) mixed"""
            ),
        )  # fmt: skip

    def _compares(self, versions):
        return any(v.tier_measure in GROWTH or v.earning_base == "growth" or v.kind == "formula" for v in versions)

    def _sql_figure(self, kinds, kind):
        """The figure of the pool that holds for window `s`: of several the one approved last."""
        if kind not in kinds:
            return SQL("NULL::numeric")
        return SQL(
            """(SELECT figure.value FROM channel_rebate_figure figure
                 WHERE figure.program_id = s.program_id AND figure.member_id = s.pool_id AND figure.kind = %s
                   AND figure.state = 'approved' AND figure.date_from <= s.window_end
                   AND (figure.date_to IS NULL OR figure.date_to >= s.window_start)
                 ORDER BY figure.approved_at DESC, figure.id DESC LIMIT 1)""",
            kind,
        )

    def _sql_adjustment(self, kinds):
        if "adjustment" not in kinds:
            return SQL("NULL::numeric")
        return SQL(
            """(SELECT sum(figure.value) FROM channel_rebate_figure figure
                 WHERE figure.program_id = s.program_id AND figure.member_id = s.pool_id AND figure.kind = 'adjustment'
                   AND figure.state = 'approved' AND figure.date_from <= s.window_end
                   AND (figure.date_to IS NULL OR figure.date_to >= s.window_start))"""
        )

    def _sql_rolled(self, run):
        """The total of the months up to the window's."""
        return SQL(
            """LEFT JOIN (
                SELECT later.program_id, later.pool_id, later.unit_id, later.window_start, later.version_id,
                       sum(earlier.qualifying + earlier.prior) AS total
                  FROM %(part)s later
                  JOIN %(term)s t ON t.version_id = later.version_id AND t.window_type = 'rolling'
                  JOIN %(part)s earlier
                    ON earlier.program_id = later.program_id AND earlier.pool_id = later.pool_id
                   AND earlier.unit_id = later.unit_id AND earlier.window_start <= later.window_start
                   AND earlier.window_start > later.window_start - make_interval(months => t.rolling_months)
                 GROUP BY 1, 2, 3, 4, 5
            ) rolled
                ON rolled.program_id = s.program_id AND rolled.pool_id = s.pool_id AND rolled.unit_id = s.unit_id
               AND rolled.window_start = s.window_start AND rolled.version_id = s.version_id""",
            part=run["part"],
            term=run["term"],
        )

    def _sql_before(self, run):
        """What the window of the year before, or the window before, added up to; lines before the first day
        included.
        """
        return SQL(
            """LEFT JOIN (
                SELECT program_id, pool_id, unit_id, window_start, window_end, sum(qualifying + prior) AS total
                  FROM %s GROUP BY 1, 2, 3, 4, 5
            ) before
                ON before.program_id = s.program_id AND before.pool_id = s.pool_id AND before.unit_id = s.unit_id
               AND CASE t.baseline_source
                   WHEN 'year' THEN before.window_start = (s.window_start - interval '1 year')::date
                   WHEN 'previous' THEN before.window_end = s.window_start - 1 END""",
            run["part"],
        )

    def _sql_mixed(self, run, lines):
        """How far the components of a mix are fulfilled, and how many complete sets there are."""
        return SQL(
            """LEFT JOIN (
                SELECT p.program_id, p.pool_id, p.window_start, p.unit_id, p.version_id,
                       min(COALESCE(bought.amount, 0) / component.minimum) AS ratio,
                       bool_and(COALESCE(bought.amount, 0) >= component.minimum) AS is_complete,
                       GREATEST(min(floor(COALESCE(bought.amount, 0) / component.minimum)), 0) AS sets
                  FROM %(part)s p
                  JOIN channel_rebate_component component ON component.version_id = p.version_id
             LEFT JOIN (
                    SELECT program_id, pool_id, window_start, unit_id, component_id, sum(qualifying_amount) AS amount
                      FROM %(lines)s WHERE component_id IS NOT NULL AND exclusion IS NULL
                     GROUP BY 1, 2, 3, 4, 5
                  ) bought
                    ON bought.program_id = p.program_id AND bought.pool_id = p.pool_id
                   AND bought.window_start = p.window_start AND bought.unit_id = p.unit_id
                   AND bought.component_id = component.id
                 GROUP BY 1, 2, 3, 4, 5
            ) mixed
                ON mixed.program_id = s.program_id AND mixed.pool_id = s.pool_id AND mixed.unit_id = s.unit_id
               AND mixed.window_start = s.window_start AND mixed.version_id = s.version_id""",
            part=run["part"],
            lines=lines,
        )
