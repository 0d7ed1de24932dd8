from odoo import models
from odoo.tools import SQL

from .channel_rebate_engine_reference_mixin import WINDOW


class ChannelRebateEngineLimitMixin(models.AbstractModel):
    """Stage 2c: gates, caps, floors, guarantees of a window; collection factors of a line. The order is fixed."""

    _name = "channel.rebate.engine.limit.mixin"
    _description = "Rebate Engine: Limits"

    def _sql_limited(self, run):
        """-> relation: what each window earns: by its lines (`earned`), and beside them (`beside`)

        Tiers and their caps are behind; here: gate and mix, payout cap, payout floor, minimum claim, guarantee, in
        this order, by the terms that decide for the window. `pays`: whether lines earn at all; `ceiling`: where they
        stop. Amounts that are no rate (`rest`) are spread over the lines by what these are paid on; where returns
        take back half of the sales, or there are no lines, the window earns them beside its lines.
        """
        return SQL(
            """WITH summed AS (
                SELECT p.program_id, p.pool_id, p.window_start, p.window_end, p.unit_id,
                       (array_agg(p.version_id ORDER BY p.decides DESC))[1] AS version_id,
                       sum(p.along + CASE WHEN NOT p.is_whole AND spread.possible THEN p.rest ELSE 0 END)
                     + CASE WHEN sum(p.earning) > 0 AND sum(p.earning_abs) <= 2 * sum(p.earning)
                            THEN COALESCE(sum(p.rest) FILTER (WHERE p.is_whole), 0) ELSE 0 END AS by_lines,
                       sum(p.along + p.rest) AS gross,
                       CASE WHEN sum(p.earning) > 0 AND sum(p.earning_abs) <= 2 * sum(p.earning)
                            THEN sum(p.rest) FILTER (WHERE p.is_whole) / sum(p.earning) END AS window_slope,
                       max(p.guarantee) FILTER (WHERE p.decides) AS guarantee,
                       max(p.total) FILTER (WHERE p.decides) AS total,
                       max(p.target) FILTER (WHERE p.decides) AS target,
                       bool_and(p.is_complete) FILTER (WHERE p.decides) AS is_complete,
                       bool_or(p.lines > 0 OR p.is_standing) AS is_live
                  FROM %(paid)s p
                 CROSS JOIN LATERAL (
                    SELECT p.earning > 0 AND p.earning_abs <= 2 * p.earning AS possible) spread
                 GROUP BY 1, 2, 3, 4, 5
            ),
            gated AS (
                SELECT s.*, t.rounding, t.guarantee_carry, t.line_rounded, NULLIF(t.payout_cap, 0) AS ceiling,
                       t.payout_floor, t.minimum_claim,
                       (COALESCE(t.gate_percent, 0) = 0 OR (s.total >= t.gate_percent / 100 * s.target) IS TRUE)
                       AND (t.mix_mode = 'none' OR s.is_complete) AS opens
                  FROM summed s JOIN %(term)s t ON t.version_id = s.version_id
            ),
            claimed AS (
                SELECT g.*, capped.by_lines AS capped_lines, floored.amount AS payable,
                       g.opens AND (COALESCE(g.minimum_claim, 0) = 0 OR abs(floored.amount) >= g.minimum_claim) AS pays
                  FROM gated g
                 CROSS JOIN LATERAL (
                    SELECT LEAST(g.gross, g.ceiling) AS gross, LEAST(g.by_lines, g.ceiling) AS by_lines
                 ) capped
                 CROSS JOIN LATERAL (
                    SELECT CASE WHEN capped.gross > 0 THEN GREATEST(capped.gross, COALESCE(g.payout_floor, 0))
                                ELSE capped.gross END AS amount
                 ) floored
            ),
            guaranteed AS (
                SELECT c.*, CASE WHEN c.pays THEN c.payable ELSE 0 END AS due,
                       GREATEST(max(c.missing) OVER ahead, 0) AS topped_to
                  FROM (
                    SELECT claimed.*,
                           sum(CASE WHEN is_live THEN COALESCE(guarantee, 0) ELSE 0 END
                               - CASE WHEN pays THEN payable ELSE 0 END) OVER (
                                   PARTITION BY program_id, pool_id, unit_id ORDER BY window_start) AS missing
                      FROM claimed
                  ) c
                WINDOW ahead AS (PARTITION BY c.program_id, c.pool_id, c.unit_id ORDER BY c.window_start)
            ),
            topped AS (
                SELECT g.*,
                       CASE WHEN COALESCE(g.guarantee, 0) = 0 OR NOT g.is_live THEN 0
                            WHEN g.guarantee_carry THEN g.topped_to - COALESCE(lag(g.topped_to) OVER (
                                PARTITION BY g.program_id, g.pool_id, g.unit_id ORDER BY g.window_start), 0)
                            ELSE GREATEST(g.guarantee - g.due, 0) END AS top_up
                  FROM guaranteed g
            )
            SELECT program_id, pool_id, window_start, window_end, unit_id, version_id, gross, due, top_up, guarantee,
                   pays, opens, ceiling, window_slope, total, target, rounding, is_live,
                   CASE WHEN unit_id <> 0 THEN 0
                        WHEN line_rounded THEN %(beside)s
                        ELSE %(whole)s - %(lines)s END AS beside
              FROM topped""",
            paid=run["paid"],
            term=run["term"],
            beside=self._sql_round(
                SQL("(due - CASE WHEN pays THEN capped_lines ELSE 0 END + top_up)"), SQL("rounding")
            ),
            whole=self._sql_round(SQL("(due + top_up)"), SQL("rounding")),
            lines=self._sql_round(SQL("CASE WHEN pays THEN capped_lines ELSE 0 END"), SQL("rounding")),
        )

    def _sql_curves(self, run):
        """-> relation: each part with all that its lines need to know: C(x) = offset + F(x) + extra * x, at most
        `ceiling`

        `v_start`: the running total before the window; `shape`: of the whole window, equal if lines earn as before.
        """
        return SQL(
            """WITH open AS (
                SELECT p.*, l.pays, l.ceiling, t.rounding, t.line_rounded, t.boundary, p.v_end - p.window_earning AS
                    v_start,
                       CASE WHEN NOT p.is_whole AND p.earning > 0 AND p.earning_abs <= 2 * p.earning
                            THEN p.rest / p.earning ELSE 0 END + COALESCE(l.window_slope, 0) AS extra
                  FROM %(paid)s p
                  JOIN %(limited)s l
                    ON l.program_id = p.program_id AND l.pool_id = p.pool_id AND l.window_start = p.window_start
                   AND l.unit_id = p.unit_id
                  JOIN %(term)s t ON t.version_id = p.version_id
            ),
            shaped AS (
                SELECT program_id, version_id, pool_id, window_start, unit_id, term_start, tier_id, tier_ids, lowers,
                       slopes, sums, below, rounding, line_rounded, boundary, v0, v_start,
                       CASE WHEN NOT pays THEN NULL ELSE ceiling END AS ceiling,
                       CASE WHEN NOT pays THEN 0 WHEN slope IS NOT NULL THEN slope + extra
                            WHEN lowers IS NULL THEN extra END AS slope,
                       CASE WHEN pays AND slope IS NULL AND lowers IS NOT NULL THEN extra ELSE 0 END AS extra,
                       CASE WHEN pays THEN along + extra * earning ELSE 0 END AS earned
                  FROM open
            ),
            placed AS (
                SELECT s.*,
                       sum(earned) OVER (
                           PARTITION BY %(window)s ORDER BY term_start, version_id ROWS UNBOUNDED PRECEDING) - earned
                       - (%(curve)s + extra * v0) AS "offset"
                  FROM shaped s
            )
            SELECT program_id, version_id, pool_id, window_start, unit_id, tier_id, tier_ids, lowers, slopes, sums,
                below,
                   slope, extra, "offset", ceiling, rounding, line_rounded, boundary, v_start,
                   md5(string_agg(concat_ws('|', version_id, tier_id, slope, extra, "offset", ceiling, lowers, slopes,
                   sums,
                                            v_start), ';') OVER (
                       PARTITION BY %(window)s ORDER BY term_start, version_id
                       ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) AS shape
              FROM placed""",
            paid=run["paid"],
            limited=run["limited"],
            term=run["term"],
            window=WINDOW,
            curve=self._sql_curve(SQL("s.v0"), "s"),
        )

    def _sql_collection(self, version):
        """-> join and expression of the factor (%) of a source line `s` by the days until its invoice was paid in
        full
        """
        if not version.collection_ids:
            return SQL(""), SQL("NULL::numeric")
        start = SQL("s.invoice_date") if version.collection_from == "invoice" else SQL("s.due_date")
        return (
            SQL(
                """LEFT JOIN LATERAL (
                    SELECT factor FROM channel_rebate_collection
                     WHERE version_id = t.version_id AND s.paid_date - %s <= days
                     ORDER BY days LIMIT 1) collected ON TRUE""",
                start,
            ),
            SQL("COALESCE(collected.factor, 0)"),
        )
