from odoo import api, models
from odoo.tools import SQL, date_utils

# The day range of a window, as SQL over a day `s.date` and a version `v`.
WINDOW_START = SQL(
    """CASE v.window_type
        WHEN 'month' THEN date_trunc('month', s.date)
        WHEN 'quarter' THEN date_trunc('quarter', s.date)
        WHEN 'half' THEN date_trunc('year', s.date)
            + CASE WHEN extract(month FROM s.date) > 6 THEN interval '6 months' ELSE interval '0' END
        WHEN 'year' THEN date_trunc('year', s.date)
        ELSE v.period_from
    END::date"""
)
WINDOW_END = SQL(
    """CASE v.window_type
        WHEN 'month' THEN date_trunc('month', s.date) + interval '1 month - 1 day'
        WHEN 'quarter' THEN date_trunc('quarter', s.date) + interval '3 months - 1 day'
        WHEN 'half' THEN date_trunc('year', s.date)
            + CASE WHEN extract(month FROM s.date) > 6 THEN interval '12 months - 1 day'
                   ELSE interval '6 months - 1 day' END
        WHEN 'year' THEN date_trunc('year', s.date) + interval '12 months - 1 day'
        ELSE v.period_to
    END::date"""
)
# One window of one payee: the unit in which tiers are reached and rebates are rounded.
KEY = SQL("program_id, member_id, window_start, window_end")
ENTRY_KEY = ("program_id", "basis", "source_id")
ENTRY_VALUES = (
    "version_id",
    "company_id",
    "currency_id",
    "member_id",
    "pool_id",
    "buyer_id",
    "move_line_id",
    "product_id",
    "date",
    "window_start",
    "window_end",
    "qualifying_amount",
    "earning_amount",
    "exclusion",
    "tier_id",
    "rate",
    "rebate_amount",
)
BALANCE_KEY = ("program_id", "member_id", "window_start", "window_end")
BALANCE_VALUES = (
    "company_id",
    "currency_id",
    "version_id",
    "line_count",
    "base_amount",
    "tier_id",
    "tier_rate",
    "entitlement",
)


def columns(names, alias=None):
    return SQL(", ").join(SQL.identifier(alias, name) if alias else SQL.identifier(name) for name in names)


class ChannelRebateEngine(models.AbstractModel):
    """The calculation: a pure function, in SQL, from source lines and approved versions to entries and balances.

    Three stages, each a method that returns a SQL relation, so that writing (`_refresh`) and
    simulating read the very same text:

    1. `_sql_entries`: the lines of a *basis* that a version of a programme looks at, with window and converted amount;
    2. `_sql_rated`: what each line contributes under the *kind* of its version, and its share of the rounded total;
    3. `_sql_totals`: the sums for each programme, member and window.

    To add a basis: extend `_selection_basis` and write `_basis_<code>(companies, date_from, date_to)`.
    To add a kind: extend `_selection_kind` and write `_kind_<code>(run)` and `_bands_<code>()`.
    """

    _name = "channel.rebate.engine"
    _description = "Rebate Engine"

    # === REGISTRY === #

    @api.model
    def _selection_basis(self):
        return [("invoiced", self.env._("Invoiced amount, net of tax"))]

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

    @api.model
    def _selection_exclusion(self):
        return [
            ("scope", self.env._("Outside the products of the programme")),
            ("market", self.env._("Outside the market of the programme")),
            ("excluded", self.env._("Product is excluded")),
            ("freight", self.env._("Freight does not count")),
            ("rebate_document", self.env._("Rebate document")),
            ("combination", self.env._("Covered by another programme")),
            ("no_payee", self.env._("Nobody to earn it: no buying group, agent, salesperson or share")),
        ]

    # === STAGE 1: SOURCE LINES AND SCOPE === #

    def _basis_invoiced(self, companies, date_from, date_to):
        """Posted lines of customer invoices and credit notes of channel members.

        -> relation `(source_id, move_line_id, company_id, member_id, customer_id, product_id, date, currency_id,
        amount_currency, amount_company, is_rebate)`; amounts net of tax, positive for sales, negative for returns:
        a return counts in the period of the return.
        """
        return SQL(
            """SELECT aml.id AS source_id, aml.id AS move_line_id, aml.company_id,
                      am.commercial_partner_id AS member_id, am.channel_end_customer_id AS customer_id,
                      aml.product_id, am.invoice_date AS date, aml.currency_id,
                      -aml.amount_currency AS amount_currency, -aml.balance AS amount_company,
                      aml.channel_rebate_role IS NOT NULL AS is_rebate
                 FROM account_move_line aml
                 JOIN account_move am ON am.id = aml.move_id
                 JOIN res_partner member ON member.id = am.commercial_partner_id AND member.channel_role IS NOT NULL
                WHERE am.state = 'posted'
                  AND am.move_type IN ('out_invoice', 'out_refund')
                  AND aml.display_type = 'product'
                  AND am.company_id = ANY(%s)
                  AND am.invoice_date >= %s
                  AND am.invoice_date <= %s""",
            list(companies.ids),
            date_from,
            date_to,
        )

    def _sql_amount(self):
        """The net amount of source line `s` in the currency of programme `p`, at the rate of the line's day.

        Amounts that Odoo already holds in that currency are taken as they are booked; a third currency is converted
        and rounded line by line, as `res.currency._convert` does.
        """
        rate = SQL(
            """COALESCE(
                (SELECT r.rate FROM res_currency_rate r
                  WHERE r.currency_id = p.currency_id AND r.name <= s.date
                    AND (r.company_id IS NULL OR r.company_id = split_part(c.parent_path, '/', 1)::int)
                  ORDER BY r.company_id, r.name DESC LIMIT 1),
                (SELECT r.rate FROM res_currency_rate r
                  WHERE r.currency_id = p.currency_id
                    AND (r.company_id IS NULL OR r.company_id = split_part(c.parent_path, '/', 1)::int)
                  ORDER BY r.company_id, r.name LIMIT 1),
                1.0)"""
        )
        own_rate = SQL(
            """COALESCE(
                (SELECT r.rate FROM res_currency_rate r
                  WHERE r.currency_id = c.currency_id AND r.name <= s.date
                    AND (r.company_id IS NULL OR r.company_id = split_part(c.parent_path, '/', 1)::int)
                  ORDER BY r.company_id, r.name DESC LIMIT 1),
                (SELECT r.rate FROM res_currency_rate r
                  WHERE r.currency_id = c.currency_id
                    AND (r.company_id IS NULL OR r.company_id = split_part(c.parent_path, '/', 1)::int)
                  ORDER BY r.company_id, r.name LIMIT 1),
                1.0)"""
        )
        return SQL(
            """CASE WHEN s.currency_id = p.currency_id THEN s.amount_currency
                    WHEN c.currency_id = p.currency_id THEN s.amount_company
                    ELSE round(s.amount_company * %s / %s / cur.rounding) * cur.rounding
               END""",
            rate,
            own_rate,
        )

    def _sql_entries(self, programs, date_from, date_to):
        """The lines that the approved versions of `programs` look at, dated between two days (SQL or date).

        -> relation of the columns of `channel.rebate.entry` without the result. A line inside the scope counts; a line
        of the same member and window outside the scope, or on a rebate document, is there with its reason and zero.

        Segments say who belongs to them today. A line that counted under a version therefore keeps counting under
        it, although its member has left the segment since; a new version decides anew.
        """
        versions = programs.version_ids.filtered(lambda v: v._is_in_force())
        if not versions:
            return SQL(
                """SELECT NULL::varchar AS basis, NULL::int AS source_id, NULL::int AS move_line_id,
                          NULL::int AS program_id, NULL::int AS version_id, NULL::int AS company_id,
                          NULL::int AS currency_id, NULL::int AS member_id,
                          NULL::int AS pool_id, NULL::int AS buyer_id, NULL::int AS product_id, NULL::date AS date,
                          NULL::date AS window_start, NULL::date AS window_end, NULL::numeric AS qualifying_amount,
                          NULL::numeric AS earning_amount, NULL::varchar AS exclusion WHERE FALSE"""
            )
        return SQL(" UNION ALL ").join(
            self._sql_entries_of_basis(basis, group, date_from, date_to)
            for basis, group in versions.grouped("basis").items()
        )

    def _sql_entries_of_basis(self, basis, versions, date_from, date_to):
        # Lines before the first day or after the last day of all versions match none of them.
        first_day = min(versions.mapped("valid_from"))
        if date_from:
            first_day = max(first_day, date_from)
        source = getattr(self, f"_basis_{basis}")(versions.company_id, first_day, date_to)
        lines = SQL("(SELECT source_id AS line_id, member_id, customer_id, product_id, date, company_id FROM source)")
        return SQL(
            """SELECT * FROM (
                WITH source AS MATERIALIZED (%(source)s),
                matched AS MATERIALIZED (
                    SELECT line_id, scope_id FROM %(matched)s AS m
                    UNION
                    SELECT e.source_id, e.version_id
                      FROM channel_rebate_entry e
                      JOIN source s ON s.source_id = e.source_id AND s.member_id = e.member_id
                                   AND s.product_id IS NOT DISTINCT FROM e.product_id
                      JOIN channel_rebate_program_version v ON v.id = e.version_id
                     WHERE e.basis = %(basis)s AND e.version_id = ANY(%(versions)s) AND e.exclusion IS NULL
                       AND s.date >= v.valid_from AND (v.valid_to IS NULL OR s.date <= v.valid_to)
                ),
                term AS (
                    SELECT v.id AS version_id, v.program_id, v.valid_from, v.valid_to, v.window_type, v.period_from,
                           v.period_to, contract.member_id AS only_member_id
                      FROM channel_rebate_program_version v
                      LEFT JOIN channel_contract_version contract ON contract.id = v.contract_version_id
                     WHERE v.id = ANY(%(versions)s)
                ),
                counted AS (
                    SELECT s.*, v.version_id, v.program_id, v.valid_from, v.valid_to,
                           %(window_start)s AS window_start, %(window_end)s AS window_end
                      FROM matched m
                      JOIN source s ON s.source_id = m.line_id
                      JOIN term v ON v.version_id = m.scope_id
                     WHERE (v.window_type <> 'contract' OR s.date BETWEEN v.period_from AND v.period_to)
                       AND (v.only_member_id IS NULL OR v.only_member_id = s.member_id)
                ),
                participant AS (
                    SELECT DISTINCT company_id, member_id, program_id, version_id, window_start, window_end,
                           GREATEST(window_start, valid_from) AS first_day, LEAST(window_end, valid_to) AS last_day
                      FROM counted
                     WHERE NOT is_rebate
                ),
                seen AS (
                    SELECT source_id, version_id, program_id, window_start, window_end,
                           CASE WHEN is_rebate THEN 'rebate_document' END AS exclusion
                      FROM counted
                    UNION ALL
                    SELECT s.source_id, w.version_id, w.program_id, w.window_start, w.window_end,
                           CASE WHEN s.is_rebate THEN 'rebate_document' ELSE 'scope' END
                      FROM participant w
                      JOIN source s ON s.company_id = w.company_id AND s.member_id = w.member_id
                                   AND s.date BETWEEN w.first_day AND w.last_day
                     WHERE NOT EXISTS (
                        SELECT FROM matched m WHERE m.line_id = s.source_id AND m.scope_id = w.version_id)
                )
                SELECT %(basis)s::varchar AS basis, s.source_id, s.move_line_id, e.program_id, e.version_id,
                       s.company_id, p.currency_id, s.member_id, s.member_id AS pool_id,
                       s.member_id AS buyer_id, s.product_id, s.date, e.window_start, e.window_end,
                       CASE WHEN e.exclusion IS NULL THEN a.amount ELSE 0 END AS qualifying_amount,
                       CASE WHEN e.exclusion IS NULL THEN a.amount ELSE 0 END AS earning_amount,
                       e.exclusion::varchar AS exclusion
                  FROM seen e
                  JOIN source s ON s.source_id = e.source_id
                  JOIN channel_rebate_program p ON p.id = e.program_id
                  JOIN res_company c ON c.id = s.company_id
                  JOIN res_currency cur ON cur.id = p.currency_id
                 CROSS JOIN LATERAL (SELECT %(amount)s AS amount) a
            ) AS entries_of_basis""",
            source=source,
            matched=versions._match_sql(lines),
            versions=list(versions.ids),
            window_start=WINDOW_START,
            window_end=WINDOW_END,
            basis=basis,
            amount=self._sql_amount(),
        )

    # === STAGE 2: TIERS === #

    def _sql_band(self):
        """-> relation `(version_id, tier_id, rate, lower, upper)`: continuous bands; NULL is unbounded.

        The first band reaches below zero when it begins at zero and the version charges negative totals back.
        """
        return SQL(
            """SELECT t.version_id, t.id AS tier_id, t.rate,
                      CASE WHEN t.lower_bound = 0 AND v.negative_policy = 'charge' THEN NULL ELSE t.lower_bound END
                          AS lower,
                      lead(t.lower_bound) OVER (PARTITION BY t.version_id ORDER BY t.lower_bound) AS upper
                 FROM channel_rebate_tier t
                 JOIN channel_rebate_program_version v ON v.id = t.version_id"""
        )

    def _sql_in_band(self, measure, version="v", band="b"):
        """SQL condition: `measure` lies in the band; a bound belongs to the upper band unless the version says so."""
        lower, upper = SQL.identifier(band, "lower"), SQL.identifier(band, "upper")
        boundary = SQL.identifier(version, "boundary")
        return SQL(
            """(%(lower)s IS NULL OR %(measure)s > %(lower)s OR (%(measure)s = %(lower)s AND %(boundary)s = 'lower'))
               AND (%(upper)s IS NULL OR %(measure)s < %(upper)s
                    OR (%(measure)s = %(upper)s AND %(boundary)s = 'upper'))
            """,
            lower=lower,
            upper=upper,
            measure=measure,
            boundary=boundary,
        )

    def _kind_retroactive(self, run):
        """r_k x V: the rate of the highest tier that the whole window's measure lies in, on every line."""
        return SQL(
            """SELECT run.*, b.tier_id, b.rate, run.earning_amount * COALESCE(b.rate, 0) * 0.01 AS contribution
                 FROM %(run)s run
                 JOIN channel_rebate_program_version v ON v.id = run.version_id AND v.kind = 'retroactive'
                 LEFT JOIN band b ON b.version_id = run.version_id AND %(in_band)s""",
            run=run,
            in_band=self._sql_in_band(SQL("run.measure")),
        )

    def _kind_marginal(self, run):
        """Sum of r_i x the part of V inside band i: a line earns what it moves the running total (by day, then id)."""
        return SQL(
            """SELECT run.*, b.tier_id,
                      CASE WHEN run.earning_amount <> 0
                           THEN round(earned.amount * 100 / run.earning_amount, 6) END AS rate,
                      earned.amount AS contribution
                 FROM %(run)s run
                 JOIN channel_rebate_program_version v ON v.id = run.version_id AND v.kind = 'marginal'
                 LEFT JOIN band b ON b.version_id = run.version_id AND %(in_band)s
                CROSS JOIN LATERAL (
                    SELECT COALESCE(sum(x.rate * 0.01 * (
                               LEAST(GREATEST(run.total_after, x.lower), x.upper)
                             - LEAST(GREATEST(run.total_before, x.lower), x.upper))), 0) AS amount
                      FROM band x WHERE x.version_id = run.version_id
                ) earned""",
            run=run,
            in_band=self._sql_in_band(SQL("run.total_after")),
        )

    def _sql_rated(self, entries):
        """-> `entries` with `(tier_id, rate, rebate_amount)`.

        The rebate of a window is rounded once, to the currency of the programme. Each line's share is its exact
        contribution rounded down, and the units that are missing to the rounded total go to the largest remainders.
        """
        kinds = ["retroactive", "marginal"]
        rated = SQL(" UNION ALL ").join(getattr(self, f"_kind_{code}")(SQL("run")) for code in kinds)
        return SQL(
            """SELECT * FROM (
                WITH entry AS MATERIALIZED (%(entries)s),
                band AS MATERIALIZED (%(band)s),
                run AS MATERIALIZED (
                    SELECT entry.*,
                           sum(qualifying_amount) OVER (PARTITION BY %(key)s) AS measure,
                           sum(earning_amount) OVER seq AS total_after,
                           sum(earning_amount) OVER seq - earning_amount AS total_before
                      FROM entry
                    WINDOW seq AS (PARTITION BY %(key)s ORDER BY date, source_id ROWS UNBOUNDED PRECEDING)
                ),
                rated AS (%(rated)s),
                unit AS (
                    SELECT rated.*, cur.rounding,
                           floor(contribution / cur.rounding) AS whole,
                           contribution / cur.rounding - floor(contribution / cur.rounding) AS rest
                      FROM rated JOIN res_currency cur ON cur.id = rated.currency_id
                ),
                share AS (
                    SELECT unit.*,
                           round(sum(contribution / rounding) OVER win) - sum(whole) OVER win AS missing,
                           row_number() OVER (PARTITION BY %(key)s ORDER BY rest DESC, date, source_id) AS place
                      FROM unit
                    WINDOW win AS (PARTITION BY %(key)s)
                )
                SELECT %(entry_columns)s, (whole + CASE WHEN place <= missing THEN 1 ELSE 0 END) * rounding
                           AS rebate_amount
                  FROM share
            ) AS rated_entries""",
            entries=entries,
            band=self._sql_band(),
            key=KEY,
            rated=rated,
            entry_columns=columns(ENTRY_KEY + tuple(name for name in ENTRY_VALUES if name != "rebate_amount")),
        )

    # === STAGE 3: TOTALS === #

    def _sql_totals(self, entries):
        """-> relation of BALANCE_KEY and BALANCE_VALUES: what `entries` (rated) add up to in each window."""
        return SQL(
            """SELECT e.program_id, e.member_id, e.window_start, e.window_end, e.company_id, e.currency_id,
                      (array_agg(e.version_id ORDER BY e.exclusion NULLS FIRST, e.date DESC, e.source_id DESC))[1]
                          AS version_id,
                      count(*) FILTER (WHERE e.exclusion IS NULL) AS line_count,
                      sum(e.earning_amount) AS base_amount,
                      tier.id AS tier_id, tier.rate AS tier_rate,
                      sum(e.rebate_amount) AS entitlement
                 FROM (
                    SELECT x.*, first_value(x.tier_id) OVER (
                        PARTITION BY %(key)s ORDER BY x.exclusion NULLS FIRST, x.date DESC, x.source_id DESC
                      ) AS last_tier_id
                      FROM %(entries)s x
                 ) e
                 LEFT JOIN channel_rebate_tier tier ON tier.id = e.last_tier_id
                GROUP BY e.program_id, e.member_id, e.window_start, e.window_end, e.company_id, e.currency_id,
                         tier.id, tier.rate""",
            key=KEY,
            entries=entries,
        )

    # === WRITING === #

    def _refresh(self, programs, date_to):
        """Bring entries and balances of `programs` in line with the posted lines up to `date_to`.

        `date_to` is a SQL expression or a date. Rows that are right already are not touched, so a second run
        writes nothing. A balance that lost its lines stays, with nothing earned, as long as anything points to it.
        """
        self.env.flush_all()
        program_ids = list(programs.ids)
        changed = SQL(" OR ").join(
            SQL("entry.%(c)s IS DISTINCT FROM EXCLUDED.%(c)s", c=SQL.identifier(name)) for name in ENTRY_VALUES
        )
        self.env.execute_query(
            SQL(
                """WITH fresh AS MATERIALIZED (%(rated)s),
                gone AS (
                    DELETE FROM channel_rebate_entry e
                     WHERE e.program_id = ANY(%(programs)s)
                       AND NOT EXISTS (
                        SELECT FROM fresh f WHERE f.program_id = e.program_id AND f.basis = e.basis
                                              AND f.source_id = e.source_id)
                ),
                put AS (
                    INSERT INTO channel_rebate_entry AS entry (%(names)s)
                    SELECT %(names)s FROM fresh
                    ON CONFLICT (source_id, program_id, basis, member_id) DO UPDATE SET %(assign)s WHERE %(changed)s
                )
                SELECT 1""",
                rated=self._sql_rated(self._sql_entries(programs, None, date_to)),
                programs=program_ids,
                names=columns(ENTRY_KEY + ENTRY_VALUES),
                assign=self._sql_assign(ENTRY_VALUES),
                changed=changed,
            )
        )
        entries = SQL("(SELECT * FROM channel_rebate_entry WHERE program_id = ANY(%s))", program_ids)
        changed = SQL(" OR ").join(
            SQL("balance.%(c)s IS DISTINCT FROM EXCLUDED.%(c)s", c=SQL.identifier(name)) for name in BALANCE_VALUES
        )
        self.env.execute_query(
            SQL(
                """WITH total AS MATERIALIZED (%(totals)s),
                gone AS (
                    UPDATE channel_rebate_balance b
                       SET line_count = 0, base_amount = 0, entitlement = 0, tier_id = NULL, tier_rate = 0,
                           open_amount = -b.settled_amount,
                           write_uid = %(uid)s, write_date = now() AT TIME ZONE 'UTC'
                     WHERE b.program_id = ANY(%(programs)s)
                       AND (b.line_count <> 0 OR b.entitlement <> 0 OR b.base_amount <> 0)
                       AND NOT EXISTS (
                        SELECT FROM total t WHERE t.program_id = b.program_id AND t.member_id = b.member_id
                                              AND t.window_start = b.window_start AND t.window_end = b.window_end)
                ),
                put AS (
                    INSERT INTO channel_rebate_balance AS balance
                        (%(names)s, accrued_amount, settled_amount, open_amount,
                         create_uid, create_date, write_uid, write_date)
                    SELECT %(names)s, 0, 0, entitlement,
                           %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                      FROM total
                    ON CONFLICT (program_id, member_id, window_start, window_end) DO UPDATE
                       SET %(assign)s, open_amount = EXCLUDED.entitlement - balance.settled_amount,
                           write_uid = EXCLUDED.write_uid, write_date = EXCLUDED.write_date
                     WHERE %(changed)s
                )
                SELECT 1""",
                totals=self._sql_totals(entries),
                programs=program_ids,
                uid=self.env.uid,
                names=columns(BALANCE_KEY + BALANCE_VALUES),
                assign=self._sql_assign(BALANCE_VALUES),
                changed=changed,
            )
        )
        self.env["channel.rebate.entry"].invalidate_model()
        self.env["channel.rebate.balance"].invalidate_model()

    def _sql_assign(self, names):
        return SQL(", ").join(SQL("%(c)s = EXCLUDED.%(c)s", c=SQL.identifier(name)) for name in names)

    # === EXPLAINING === #

    def _bands_retroactive(self):
        """The part of `part.earned` that band `b` pays on: all of it in the tier reached, nothing elsewhere."""
        return SQL("CASE WHEN %s THEN part.earned ELSE 0 END", self._sql_in_band(SQL("part.measure")))

    def _bands_marginal(self):
        """The part between the running totals before and after the version's lines that lies inside band `b`."""
        return SQL(
            """LEAST(GREATEST(part.total_after, b.lower), b.upper)
             - LEAST(GREATEST(part.total_before, b.lower), b.upper)"""
        )

    def _explain_bands(self, balance):
        """-> list of dicts, one for each version and tier of the window, in order.

        Keys: version_id, kind, boundary, earned (base of the version), measure (of the window), tier_id, lower (0 when
        unbounded), upper (None when open), rate (%), reached (bool), amount (base inside the tier), rebate (exact).
        """
        kinds = ["retroactive", "marginal"]
        amount = SQL(
            "CASE v.kind %s END",
            SQL(" ").join(SQL("WHEN %s THEN (%s)", code, getattr(self, f"_bands_{code}")()) for code in kinds),
        )
        self.env["channel.rebate.entry"].flush_model()
        return self.env.execute_query_dict(
            SQL(
                """WITH band AS (%(band)s),
                per_version AS (
                    SELECT e.version_id, sum(e.earning_amount) AS earned, sum(e.qualifying_amount) AS qualifying
                      FROM channel_rebate_entry e
                     WHERE e.program_id = %(program)s AND e.member_id = %(member)s
                       AND e.window_start = %(start)s AND e.window_end = %(end)s AND e.exclusion IS NULL
                     GROUP BY e.version_id
                ),
                part AS (
                    SELECT x.version_id, x.earned, sum(x.qualifying) OVER () AS measure,
                           sum(x.earned) OVER seq AS total_after, sum(x.earned) OVER seq - x.earned AS total_before
                      FROM per_version x JOIN channel_rebate_program_version v ON v.id = x.version_id
                    WINDOW seq AS (ORDER BY v.valid_from, v.id ROWS UNBOUNDED PRECEDING)
                )
                SELECT part.version_id, v.kind, v.boundary, part.earned, part.measure, b.tier_id,
                       COALESCE(b.lower, 0) AS lower, b.upper, b.rate,
                       (b.lower IS NULL OR part.measure > b.lower
                        OR (part.measure = b.lower AND v.boundary = 'lower')) AS reached,
                       a.amount, a.amount * b.rate * 0.01 AS rebate
                  FROM part
                  JOIN channel_rebate_program_version v ON v.id = part.version_id
                  JOIN band b ON b.version_id = part.version_id
                 CROSS JOIN LATERAL (SELECT %(amount)s AS amount) a
                 ORDER BY v.valid_from, v.id, b.lower NULLS FIRST""",
                band=self._sql_band(),
                program=balance.program_id.id,
                member=balance.member_id.id,
                start=balance.window_start,
                end=balance.window_end,
                amount=amount,
            )
        )

    def _explain_entry(self, entry):
        """-> the line as a dict, with the running total of its window before and after it (by day, then source id)."""
        ((before,),) = self.env.execute_query(
            SQL(
                """SELECT COALESCE(sum(earning_amount), 0) FROM channel_rebate_entry
                    WHERE program_id = %s AND member_id = %s AND window_start = %s AND window_end = %s
                      AND (date, source_id) < (%s, %s)""",
                entry.program_id.id,
                entry.member_id.id,
                entry.window_start,
                entry.window_end,
                entry.date,
                entry.source_id,
            )
        )
        (line,) = entry._to_json()
        return {
            "entry_id": line["entry_id"],
            "document": line["document"],
            "product": line["product"],
            "date": line["date"],
            "amount": line["earning"],
            "excluded": line["excluded"],
            "total_before": float(before),
            "total_after": entry.currency_id.round(float(before) + entry.earning_amount),
            "rate": line["rate"],
            "rebate": line["rebate"],
        }

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
