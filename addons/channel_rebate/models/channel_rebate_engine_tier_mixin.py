from odoo import api, models
from odoo.tools import SQL

from ..tools.formula import WINDOW_NAMES, compile_formula

#: A part: what one version pays on in one window.
PART = SQL("program_id, version_id, pool_id, window_start, window_end, unit_id")


class ChannelRebateEngineTierMixin(models.AbstractModel):
    """Stage 2b: tiers. SQL over a measured part `m`, its version `t` and a band `b` of it.

    To add a method: extend `_selection_kind` and write `_kind_<code>()`: what one band pays. Unless `_term_flags` says
    that lines earn along a straight line or a curve, what it pays is spread over them by what they are paid on.
    """

    _name = "channel.rebate.engine.tier.mixin"
    _description = "Rebate Engine: Tiers"

    @api.model
    def _selection_kind(self):
        return [
            ("retroactive", self.env._("Retroactive: the rate of the tier reached, on everything")),
            ("marginal", self.env._("Marginal: each tier's rate on the part inside the tier")),
            ("rolling", self.env._("Rolling: each tier reached pays from zero up to its end, all added up")),
            ("total", self.env._("Total: each tier reached pays on everything, all added up")),
            ("interpolated", self.env._("Interpolated: the amount of each tier, in proportion inside the tier")),
            ("fixed", self.env._("Fixed: the amount of the tier reached")),
            ("lump_sum", self.env._("Lump sum: the amount of the tier reached, with or without lines")),
            ("formula", self.env._("Formula over the window")),
        ]

    # === WHAT ONE BAND PAYS === #

    def _kind_retroactive(self):
        return SQL("CASE WHEN b.is_reached AND b.is_in THEN %s ELSE 0 END", self._sql_worth(SQL("m.base")))

    def _kind_marginal(self):
        """Along the running total of what is paid on; where tiers are in another unit, in proportion to it."""
        return SQL("%s * m.per_unit", self._sql_worth(SQL("b.inside")))

    def _kind_rolling(self):
        """From zero up to the end of each tier that is reached."""
        inside = SQL("(LEAST(m.a1, b.upper_m) - LEAST(m.a0, b.upper_m))")
        return SQL("CASE WHEN b.is_reached THEN %s * m.per_unit ELSE 0 END", self._sql_worth(inside))

    def _kind_total(self):
        return SQL("CASE WHEN b.is_reached THEN %s ELSE 0 END", self._sql_worth(SQL("m.base")))

    def _kind_interpolated(self):
        return SQL("COALESCE(b.rate * b.inside / NULLIF(b.upper_m - b.lower_m, 0), 0)")

    def _kind_fixed(self):
        return SQL(
            """CASE WHEN m.decides AND b.is_reached AND (b.is_in OR t.fixed_mode = 'add') THEN b.rate ELSE 0 END"""
        )

    def _kind_lump_sum(self):
        return SQL("%s * m.elapsed", self._kind_fixed())

    def _kind_formula(self):
        return SQL("0")

    def _sql_worth(self, base):
        """What the rate of a band is worth on `base`."""
        return SQL(
            """b.rate * CASE t.rate_type WHEN 'percent' THEN 0.01 * (%(base)s) WHEN 'unit' THEN (%(base)s)
                  ELSE CASE t.lot_rounding WHEN 'floor' THEN trunc((%(base)s) / t.lot_size)
                                           ELSE (%(base)s) / t.lot_size END END""",
            base=base,
        )

    # === BANDS === #

    def _sql_bands(self, run):
        """-> relation `(version_id, tier_id, rate, cap, lower, upper, is_open)`: continuous bands, NULL is unbounded

        `is_open`: the first band reaches below zero, because it begins at zero and the version charges negative totals.
        """
        return SQL(
            """SELECT tier.version_id, tier.id AS tier_id, tier.rate, NULLIF(tier.payout_cap, 0) AS cap,
                      tier.lower_bound AS lower,
                      COALESCE(lead(tier.lower_bound) OVER (PARTITION BY tier.version_id ORDER BY tier.lower_bound),
                               NULLIF(t.scale_end, 0)) AS upper,
                      lead(tier.id) OVER (PARTITION BY tier.version_id ORDER BY tier.lower_bound) IS NULL AS is_last,
                      tier.lower_bound = 0 AND t.negative_policy = 'charge'
                      AND t.kind NOT IN ('fixed', 'lump_sum', 'interpolated') AS is_open
                 FROM channel_rebate_tier tier
                 JOIN %s t ON t.version_id = tier.version_id""",
            run["term"],
        )

    def _sql_banded(self, run):
        """-> relation: each part with each band of its version: whether it is reached, what lies inside, what it pays

        Of a version's part only its own lines are paid on, at the tier that the whole window reaches. What a window
        earns as a whole (on growth, on sets, to date) is paid by the part that decides.
        """
        return SQL(
            """SELECT m.program_id, m.version_id, m.pool_id, m.window_start, m.window_end, m.unit_id,
                      b.tier_id, b.rate, b.lower, b.upper, b.lower_m, b.upper_m, b.is_open, b.is_last, b.cap,
                      b.is_valid, b.is_reached, b.is_in,
                      CASE WHEN t.kind IN ('marginal', 'interpolated') THEN b.inside
                           WHEN NOT b.is_reached THEN 0
                           WHEN t.kind = 'rolling' THEN LEAST(m.a1, b.upper_m) - LEAST(m.a0, b.upper_m)
                           WHEN t.kind = 'total' OR b.is_in THEN m.base ELSE 0 END AS amount,
                      CASE WHEN b.is_valid THEN (%(worth)s) * t.unit_value ELSE 0 END AS rebate
                 FROM %(based)s m
                 JOIN %(term)s t ON t.version_id = m.version_id
                 JOIN %(band)s raw ON raw.version_id = m.version_id
                CROSS JOIN LATERAL (
                    SELECT raw.tier_id, raw.rate, raw.cap, raw.is_open, raw.is_last,
                           raw.lower * m.stretch AS lower, raw.upper * m.stretch AS upper,
                           CASE WHEN raw.is_open THEN LEAST(%(lower_m)s, 0) ELSE %(lower_m)s END AS lower_m,
                           %(upper_m)s AS upper_m,
                           m.tier_value IS NOT NULL AND NOT m.is_new AS is_valid) scaled
                CROSS JOIN LATERAL (
                    SELECT scaled.*,
                           scaled.is_valid AND (
                               scaled.is_open OR m.tier_value > scaled.lower
                               OR (m.tier_value = scaled.lower AND t.boundary = 'lower')) AS is_reached,
                           scaled.upper IS NULL OR m.tier_value < scaled.upper
                           OR (m.tier_value = scaled.upper AND (t.boundary <> 'lower' OR scaled.is_last)) AS is_in,
                           LEAST(GREATEST(m.a1, CASE WHEN NOT scaled.is_open THEN scaled.lower_m END), scaled.upper_m)
                         - LEAST(GREATEST(m.a0, CASE WHEN NOT scaled.is_open THEN scaled.lower_m END), scaled.upper_m)
                           AS inside) b""",
            based=run["based"],
            term=run["term"],
            band=run["band"],
            lower_m=self._sql_on_axis(SQL("raw.lower")),
            upper_m=self._sql_on_axis(SQL("raw.upper")),
            worth=SQL(
                "CASE t.kind %s END",
                SQL(" ").join(
                    SQL("WHEN %s THEN %s", code, getattr(self, f"_kind_{code}")())
                    for code, _label in self._selection_kind()
                ),
            ),
        )

    def _sql_on_axis(self, bound):
        """A bound of the tiers as an amount of the running total: 110 % of a baseline of 200 is 220."""
        return SQL(
            """CASE t.tier_measure
                WHEN 'total' THEN %(bound)s * m.stretch
                WHEN 'growth_index' THEN %(bound)s / 100 * m.baseline
                WHEN 'growth_rate' THEN (1 + %(bound)s / 100) * m.baseline
                WHEN 'growth_amount' THEN m.baseline + %(bound)s * m.stretch
                WHEN 'achievement' THEN %(bound)s / 100 * m.target
                WHEN 'market_share' THEN %(bound)s / 100 * m.market_total
                ELSE %(bound)s END""",
            bound=bound,
        )

    def _sql_based(self, run):
        """-> relation: measured parts with what tiers pay on

        `base`: what is paid on; `a0`, `a1`: the running total along which marginal tiers run; `per_unit`: what is
        paid on
        for one unit of it; `stretch`: bounds of a partial window; `elapsed`: part of the window that is over.
        """
        return SQL(
            """SELECT m.*,
                      CASE t.earning_base
                           WHEN 'growth' THEN CASE WHEN m.decides THEN GREATEST(capped.v_end - m.baseline, 0) ELSE 0 END
                           WHEN 'sets' THEN CASE WHEN m.decides THEN m.sets ELSE 0 END
                           ELSE CASE WHEN NOT to_date.is_so THEN capped.v1 - capped.v0
                                     WHEN m.decides THEN capped.v_end ELSE 0 END END AS base,
                      CASE WHEN t.is_aligned THEN capped.v0 ELSE m.q0 END AS a0,
                      CASE WHEN t.is_aligned THEN capped.v1 ELSE m.q1 END AS a1,
                      CASE WHEN t.is_aligned OR t.kind = 'interpolated' THEN 1
                           ELSE COALESCE((capped.v1 - capped.v0) / NULLIF(m.q1 - m.q0, 0), 0) END AS per_unit,
                      CASE WHEN t.tier_measure IN ('total', 'growth_amount') THEN m.prorate ELSE 1 END AS stretch,
                      CASE WHEN t.straight_line
                           THEN LEAST(GREATEST((LEAST(%(date_to)s::date, t.program_end) - m.window_start + 1)::numeric
                                               / (m.window_end - m.window_start + 1), 0), 1)
                           ELSE 1 END AS elapsed,
                      to_date.is_so AS to_date
                 FROM %(measured)s m
                 JOIN %(term)s t ON t.version_id = m.version_id
                CROSS JOIN LATERAL (
                    SELECT LEAST(m.v0, NULLIF(t.measure_cap, 0)) AS v0, LEAST(m.v1, NULLIF(t.measure_cap, 0)) AS v1,
                           LEAST(m.v_end, NULLIF(t.measure_cap, 0)) AS v_end) capped
                CROSS JOIN LATERAL (
                    SELECT t.accumulation IN ('cumulative', 'year') AND t.kind NOT IN ('marginal', 'interpolated')
                           AS is_so) to_date""",
            measured=run["measured"],
            term=run["term"],
            date_to=run.date_to,
        )

    # === CURVES === #

    def _sql_knots(self, run):
        """-> relation `(part, at, slope, earned, tier_id)`: where the curve of a part bends

        A curve says what the lines up to a running total earn: marginal and interpolated tiers, rolling ones as far as
        they are reached, and rates that stop at a cap. Each band of it earns `slope` from `start` to `stop`.
        """
        return SQL(
            """WITH stretch AS (
                SELECT x.program_id, x.version_id, x.pool_id, x.window_start, x.window_end, x.unit_id, x.tier_id,
                       t.rounding_point, t.rounding, ends.start, s.slope,
                       LEAST(ends.stop, ends.start + x.cap / NULLIF(s.slope, 0), NULLIF(t.measure_cap, 0)) AS stop
                  FROM %(banded)s x
                  JOIN %(term)s t ON t.version_id = x.version_id
                 CROSS JOIN LATERAL (SELECT %(slope)s AS slope) s
                 CROSS JOIN LATERAL (
                    SELECT CASE WHEN t.kind IN ('marginal', 'interpolated') THEN GREATEST(x.lower_m, 0) ELSE 0 END AS
                        start,
                           CASE WHEN t.kind NOT IN ('retroactive', 'total') THEN x.upper_m END AS stop) ends
                 WHERE t.is_curved AND s.slope IS NOT NULL
                   AND CASE WHEN t.kind IN ('marginal', 'interpolated') THEN x.is_valid
                            ELSE x.is_reached AND (x.is_in OR t.kind <> 'retroactive') END
            ),
            bend AS (
                SELECT program_id, version_id, pool_id, window_start, window_end, unit_id, at,
                       sum(slope) AS change, max(tier_id) AS tier_id, max(rounding_point) AS rounding_point,
                       max(rounding) AS rounding
                  FROM (
                    SELECT stretch.*, start AS at FROM stretch WHERE stop IS NULL OR start < stop
                    UNION ALL
                    SELECT program_id, version_id, pool_id, window_start, window_end, unit_id, NULL, rounding_point,
                           rounding, start, -slope, stop, stop
                      FROM stretch WHERE start < stop
                  ) ends
                 GROUP BY 1, 2, 3, 4, 5, 6, 7
            ),
            sloped AS (
                SELECT bend.*, sum(change) OVER along AS slope, lead(at) OVER along - at AS width
                  FROM bend
                WINDOW along AS (PARTITION BY %(part)s ORDER BY at)
            )
            SELECT %(part)s, at, slope, tier_id,
                   COALESCE(sum(CASE WHEN rounding_point = 'tier' THEN %(rounded)s ELSE slope * width END) OVER (
                       PARTITION BY %(part)s ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS earned
              FROM sloped""",
            banded=run["banded"],
            term=run["term"],
            slope=self._sql_slope(SQL("x.rate")),
            part=PART,
            rounded=self._sql_round(SQL("slope * width"), SQL("rounding")),
        )

    def _sql_slope(self, rate):
        """What a rate earns on one more unit of what is paid on; NULL where it earns by leaps."""
        return SQL(
            """CASE WHEN t.kind = 'interpolated' THEN COALESCE(%(rate)s / NULLIF(x.upper_m - x.lower_m, 0), 0)
                    WHEN t.rate_type = 'percent' THEN %(rate)s * 0.01
                    WHEN t.rate_type = 'unit' THEN %(rate)s
                    WHEN t.lot_rounding = 'prorata' THEN %(rate)s / t.lot_size END * t.unit_value""",
            rate=rate,
        )

    def _sql_round(self, amount, rounding):
        """Rounded half up to the currency. What division leaves beyond the tenth digit is no amount."""
        return SQL("round(round(%s, 10) / %s) * %s", amount, rounding, rounding)

    def _sql_curve(self, total, curve, at=None):
        """What the lines up to a running total earn along the curve `curve` (alias), from zero.

        :param at: the tier in which the total lies, where it is known
        """
        column = {name: SQL.identifier(curve, name) for name in ("slope", "below", "lowers", "slopes", "sums")}
        return SQL(
            """CASE WHEN %(slope)s IS NOT NULL THEN %(slope)s * %(total)s
                    WHEN %(total)s < %(lowers)s[1] THEN %(below)s * %(total)s
                    ELSE %(sums)s[%(at)s] + %(slopes)s[%(at)s] * (%(total)s - %(lowers)s[%(at)s]) END""",
            total=total,
            at=at or SQL("width_bucket(%s, %s)", total, column["lowers"]),
            **column,
        )

    # === PARTS === #

    def _sql_same(self, left, right):
        """Condition: two relations speak of the same part."""
        return SQL(" AND ").join(
            SQL("%s = %s", SQL.identifier(left, name), SQL.identifier(right, name))
            for name in ("program_id", "version_id", "pool_id", "window_start", "unit_id")
        )

    def _sql_paid(self, run):
        """-> relation: parts with the tier reached, what tiers pay (`amount`), and how lines earn it

        Lines earn along a straight line (`slope`) or a curve (`lowers`, `slopes`, `sums`). What neither says is `rest`:
        an amount of the part, or where `is_whole` of the window as a whole.
        """
        return SQL(
            """WITH tiers AS (
                SELECT x.program_id, x.version_id, x.pool_id, x.window_start, x.window_end, x.unit_id,
                       (array_agg(x.tier_id ORDER BY x.lower DESC) FILTER (WHERE x.is_reached AND x.is_in))[1] AS
                           tier_id,
                       (array_agg(x.rate ORDER BY x.lower DESC) FILTER (WHERE x.is_reached AND x.is_in))[1] AS
                           tier_rate,
                       sum(CASE WHEN t.rounding_point = 'tier' THEN %(rounded)s ELSE paid.amount END) AS amount,
                       sum(s.slope) FILTER (WHERE x.is_reached AND (x.is_in OR t.kind = 'total')) AS slope,
                       bool_or(x.cap IS NOT NULL AND x.rebate > x.cap) AS is_capped,
                       max(s.slope) FILTER (WHERE x.is_open) AS open_slope
                  FROM %(banded)s x
                  JOIN %(term)s t ON t.version_id = x.version_id
                 CROSS JOIN LATERAL (SELECT LEAST(x.rebate, x.cap) AS amount) paid
                 CROSS JOIN LATERAL (SELECT %(band_slope)s AS slope) s
                 GROUP BY 1, 2, 3, 4, 5, 6
            ),
            knots AS (
                SELECT %(part)s, array_agg(at ORDER BY at) AS lowers, array_agg(slope ORDER BY at) AS slopes,
                       array_agg(earned ORDER BY at) AS sums, array_agg(tier_id ORDER BY at) AS tier_ids
                  FROM %(knot)s GROUP BY 1, 2, 3, 4, 5, 6
            ),
            amounts AS (
                SELECT m.*, tiers.tier_id, tiers.tier_rate,
                       CASE WHEN m.is_new THEN COALESCE(t.new_partner_rate, 0) * 0.01 * (m.v1 - m.v0)
                            WHEN m.to_date
                            THEN tiers.amount - COALESCE(lag(tiers.amount) OVER (
                                PARTITION BY m.program_id, m.pool_id, m.unit_id, m.decides,
                                    CASE t.accumulation WHEN 'year' THEN extract(year FROM m.window_start) END
                                ORDER BY m.window_start), 0)
                            WHEN t.kind = 'formula' THEN CASE WHEN m.decides THEN %(formula)s ELSE 0 END * t.unit_value
                            ELSE COALESCE(tiers.amount, 0) END AS amount,
                       t.earning_base <> 'all' OR t.kind IN ('fixed', 'lump_sum', 'formula') OR m.to_date AS is_whole,
                       CASE WHEN m.is_new THEN COALESCE(t.new_partner_rate, 0) * 0.01
                            WHEN t.is_straight AND NOT COALESCE(tiers.is_capped, FALSE)
                            THEN COALESCE(tiers.slope, 0) END AS slope,
                       CASE WHEN t.kind IN ('retroactive', 'total', 'rolling') THEN knots.slopes[1]
                            ELSE COALESCE(tiers.open_slope, 0) END AS below,
                       knots.lowers, knots.slopes, knots.sums, knots.tier_ids
                  FROM %(based)s m
                  JOIN %(term)s t ON t.version_id = m.version_id
             LEFT JOIN tiers ON %(tiers_of)s
             LEFT JOIN knots ON %(knots_of)s
            )
            SELECT a.*, CASE WHEN a.slope IS NULL AND a.lowers IS NULL THEN a.amount ELSE 0 END AS rest,
                   CASE WHEN a.slope IS NULL AND a.lowers IS NULL THEN 0
                        ELSE %(curve_end)s - (%(curve_start)s) END AS along
              FROM amounts a""",
            banded=run["banded"],
            based=run["based"],
            term=run["term"],
            knot=run["knot"],
            part=PART,
            tiers_of=self._sql_same("m", "tiers"),
            knots_of=self._sql_same("m", "knots"),
            band_slope=self._sql_slope(SQL("x.rate")),
            rounded=self._sql_round(SQL("paid.amount"), SQL("t.rounding")),
            formula=self._sql_formula(run),
            curve_end=self._sql_curve(SQL("a.v1"), "a"),
            curve_start=self._sql_curve(SQL("a.v0"), "a"),
        )

    def _sql_formula(self, run):
        """What the formula of each version says of a window."""
        values = {
            "qualifying": SQL("m.total"),
            "earning": SQL("m.v_end"),
            "lines": SQL("m.window_lines"),
            "baseline": SQL("COALESCE(m.baseline, 0)"),
            "target": SQL("COALESCE(m.target, 0)"),
            "market": SQL("COALESCE(m.market_total, 0)"),
            "guarantee": SQL("COALESCE(m.guarantee, 0)"),
            "variable": SQL("m.variable"),
            "days": SQL("(m.window_end - m.window_start + 1)"),
        }
        versions = run.versions.filtered(lambda v: v.kind == "formula")
        if not versions:
            return SQL("0")
        return SQL(
            "CASE m.version_id %s ELSE 0 END",
            SQL(" ").join(
                SQL("WHEN %s THEN %s", version.id, compile_formula(version.formula, WINDOW_NAMES)(values))
                for version in versions
            ),
        )
