from odoo import api, models
from odoo.tools import SQL, date_utils


class ChannelRebateEngineWindowMixin(models.AbstractModel):
    """Which version decides on a day, and in which window the day lies."""

    _name = "channel.rebate.engine.window.mixin"
    _description = "Rebate Engine: Windows"

    def _sql_calendar(self, run, days):
        """-> relation `(version_id, date, window_start, window_end, is_prior)`

        One row for each programme and day of `days` that a version decides on. Days before the first version are
        looked at by it, as prior ones: they are compared with, or added up, and earn nothing. Where the latest
        version of a window says that it is for all its lines, it decides instead of the one of the day.
        """
        return SQL(
            """WITH day AS MATERIALIZED (SELECT DISTINCT date FROM %(days)s d WHERE date IS NOT NULL),
            decided AS (
                SELECT t.*, day.date, day.date < t.term_start AS is_prior
                  FROM %(term)s t
                  JOIN day ON day.date >= t.first_day AND day.date <= t.term_end
                 WHERE day.date >= t.term_start
                    OR NOT EXISTS (
                        SELECT FROM %(term)s other
                         WHERE other.program_id = t.program_id AND other.version_id <> t.version_id
                           AND day.date >= CASE WHEN other.term_start < t.term_start
                                                THEN other.first_day ELSE other.term_start END
                           AND day.date <= other.term_end)
            )
            SELECT COALESCE(latest.version_id, d.version_id) AS version_id, d.date, w.window_start, w.window_end,
                   d.is_prior
              FROM decided d
             CROSS JOIN LATERAL (SELECT %(window_start)s AS window_start, %(window_end)s AS window_end) w
              LEFT JOIN %(term)s latest
                ON latest.program_id = d.program_id AND latest.version_policy = 'latest' AND latest.months = d.months
               AND LEAST(w.window_end, %(date_to)s::date) BETWEEN latest.term_start AND latest.term_end
               AND NOT d.is_prior
             WHERE d.months > 0 OR d.date BETWEEN d.period_from AND d.period_to""",
            days=days,
            term=run["term"],
            window_start=self._sql_window_start(SQL("d.date"), SQL("d.months"), SQL("d.period_from")),
            window_end=self._sql_window_end(SQL("d.date"), SQL("d.months"), SQL("d.period_to")),
            date_to=run.date_to,
        )

    def _sql_window_start(self, day, months, period_from):
        """First day of the window of a day, of `months` months (0: the contract period)."""
        return SQL(
            """CASE WHEN %(months)s = 0 THEN %(period_from)s ELSE make_date(
                    extract(year FROM %(day)s)::int,
                    (extract(month FROM %(day)s)::int - 1) / GREATEST(%(months)s, 1) * %(months)s + 1, 1) END""",
            months=months,
            period_from=period_from,
            day=day,
        )

    def _sql_window_end(self, day, months, period_to):
        return SQL(
            """CASE WHEN %(months)s = 0 THEN %(period_to)s
                    ELSE (%(start)s + make_interval(months => %(months)s) - interval '1 day')::date END""",
            months=months,
            period_to=period_to,
            start=self._sql_window_start(day, months, SQL("NULL::date")),
        )

    # === WINDOWS IN WORDS === #

    @api.model
    def _window_name(self, start, end):
        """`2026-03`, `2026-Q1`, `2026-H1`, `2026` for calendar windows, else `2026-02-15 – 2026-11-30`."""
        months = (end.year - start.year) * 12 + end.month - start.month + 1
        if start.day == 1 and end == date_utils.end_of(end, "month") and start.year == end.year:
            if months == 1:
                return f"{start:%Y-%m}"
            if months == 3 and start.month % 3 == 1:
                return f"{start.year}-Q{(start.month + 2) // 3}"
            if months == 6 and start.month in (1, 7):
                return f"{start.year}-H{1 if start.month == 1 else 2}"
            if months == 12:
                return str(start.year)
        return f"{start.isoformat()} – {end.isoformat()}"
