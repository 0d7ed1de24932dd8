from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date

ALERT = "contract_commitment"


class ChannelContractPerformance(models.Model):
    """Commitments against what was ordered, delivered and invoiced: a row for each commitment and period.

    Read from the documents each time, so it is never out of date. What counts are the documents of the contract's
    member with the contract's company, by their own day, of the products and end customers that the commitment names,
    whether or not another contract of the same member governs them. Amounts are before tax, in the contract's currency:
    a document in another one counts at the company's rate of its day. Credit notes and returns count against.

    The forecast is the linear run rate: what was achieved, divided by the days that have passed, times the days of the
    period. It knows no season.
    """

    _name = "channel.contract.performance"
    _description = "Performance of Contracts"
    _auto = False
    _order = "period_start desc, contract_id, commitment_id"
    _rec_name = "commitment_id"

    commitment_id = fields.Many2one("channel.contract.commitment", readonly=True)
    version_id = fields.Many2one("channel.contract.version", readonly=True)
    contract_id = fields.Many2one("channel.contract", readonly=True)
    member_id = fields.Many2one("res.partner", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    region_id = fields.Many2one("channel.region", string="Region of the Member", readonly=True)
    user_id = fields.Many2one("res.users", string="Owner", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    measure = fields.Selection([("amount", "Amount"), ("quantity", "Quantity")], readonly=True)
    basis = fields.Selection(
        lambda self: self.env["channel.contract.commitment"]._selection_basis(), string="Counts", readonly=True
    )
    period_start = fields.Date(readonly=True, help="First day of the period under this version.")
    period_end = fields.Date(readonly=True, help="Last day of the period under this version.")
    target = fields.Float(readonly=True, help="Committed; of a period that is covered in part, by days.")
    ordered = fields.Float(readonly=True)
    delivered = fields.Float(readonly=True)
    invoiced = fields.Float(readonly=True)
    achieved = fields.Float(readonly=True, help="What counts against the commitment.")
    progress = fields.Float(string="Achieved (%)", readonly=True, aggregator="avg")
    forecast = fields.Float(readonly=True, help="At the end of the period, at the pace of its days so far.")
    shortfall = fields.Float(readonly=True, help="Committed less what is achieved, or forecast while the period lasts.")
    status = fields.Selection(
        [
            ("future", "Not begun"),
            ("on_track", "On track"),
            ("behind", "Behind"),
            ("met", "Met"),
            ("missed", "Missed"),
        ],
        readonly=True,
        help="Behind and missed: beyond the tolerance.",
    )

    # === QUERY ===#

    @property
    def _table_query(self):
        return self._query()

    @api.model
    def _query(self, commitments=None, through=None):
        """:return: SQL of all rows

        :param list commitments: ids to which it keeps; None: all of approved versions
        :param through: only periods that have begun by this day
        """
        Version = self.env["channel.contract.version"]
        self._flush_sources()
        today = SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE zone.name)::date", fields.Datetime.now())
        sources = self._sources()
        bases = [key for key, _label in self.env["channel.contract.commitment"]._selection_basis() if key in sources]
        return SQL(
            """
            WITH term AS (
                SELECT k.*, v.contract_id, v.member_id, v.company_id, v.region_id AS member_region_id, v.valid_from,
                       LEAST(v.valid_to, day.today + 366) AS until, v.valid_to, day.today, c.currency_id, c.user_id,
                       company.currency_id AS company_currency_id, region.parent_path AS region_path,
                       categ.parent_path AS categ_path,
                       (SELECT min(first.valid_from) FROM channel_contract_version first
                         WHERE first.contract_id = v.contract_id AND %(first_stands)s) AS contract_start
                  FROM channel_contract_commitment k
                  JOIN channel_contract_version v ON v.id = k.version_id
                  JOIN channel_contract c ON c.id = v.contract_id AND c.active
                  JOIN res_company company ON company.id = v.company_id
                  JOIN %(zones)s AS zone ON zone.company_id = v.company_id
                 CROSS JOIN LATERAL (SELECT %(today)s AS today) day
                  LEFT JOIN channel_region region ON region.id = k.region_id
                  LEFT JOIN product_category categ ON categ.id = k.product_categ_id
                 WHERE %(stands)s AND %(chosen)s
            ),
            period AS (
                SELECT term.*, whole.first AS whole_start, whole.last AS whole_end,
                       GREATEST(whole.first, valid_from) AS period_start,
                       LEAST(whole.last, valid_to) AS period_end
                  FROM term
                 CROSS JOIN LATERAL (
                       SELECT start::date AS first,
                              CASE term.period WHEN 'term' THEN term.valid_to
                                   ELSE (start + step.length)::date - 1 END AS last
                         FROM (SELECT CASE term.period WHEN 'month' THEN interval '1 month'
                                           WHEN 'quarter' THEN interval '3 months'
                                           WHEN 'half' THEN interval '6 months' ELSE interval '1 year' END AS length,
                                      CASE WHEN term.period = 'term' THEN valid_from
                                           WHEN term.anchor = 'contract' THEN contract_start
                                           WHEN term.period = 'half' THEN make_date(
                                                extract(year FROM valid_from)::int,
                                                CASE WHEN extract(month FROM valid_from) > 6 THEN 7 ELSE 1 END, 1)
                                           ELSE date_trunc(term.period, valid_from) END::timestamp AS origin
                              ) step
                        CROSS JOIN LATERAL generate_series(
                              0, CASE WHEN term.period = 'term' THEN 0
                                      -- never more periods than months from the origin to the end
                                      ELSE (extract(year FROM age(until, origin)) * 12
                                            + extract(month FROM age(until, origin)) + 1)::int END
                              ) AS place
                        CROSS JOIN LATERAL (SELECT origin + place * step.length AS start) begin
                        WHERE start <= until
                       ) whole
                 WHERE whole.last IS NULL OR whole.last >= valid_from
            ),
            asked AS (
                SELECT * FROM period WHERE period_end IS NOT NULL AND period_start <= period_end AND %(through)s
            ),
            fact AS (
                SELECT asked.id AS commitment_id, asked.period_start,
                       %(sums)s
                  FROM asked
                  JOIN (%(union)s) AS doc
                    ON doc.company_id = asked.company_id AND doc.member_id = asked.member_id
                   AND doc.day BETWEEN asked.period_start AND asked.period_end
                  JOIN product_product product ON product.id = doc.product_id
                  JOIN product_template template ON template.id = product.product_tmpl_id
                  LEFT JOIN product_category category ON category.id = template.categ_id
                  LEFT JOIN res_partner customer ON customer.id = COALESCE(doc.customer_id, doc.member_id)
                  LEFT JOIN channel_region place ON place.id = customer.channel_region_id
                 WHERE (asked.categ_path IS NULL OR category.parent_path LIKE asked.categ_path || '%%')
                   AND (asked.region_path IS NULL OR place.parent_path LIKE asked.region_path || '%%')
                   AND (asked.customer_id IS NULL OR doc.customer_id = asked.customer_id)
                   AND (NOT EXISTS (SELECT FROM channel_contract_commitment_product_rel rel
                                     WHERE rel.commitment_id = asked.id)
                        OR EXISTS (SELECT FROM channel_contract_commitment_product_rel rel
                                    WHERE rel.commitment_id = asked.id AND rel.product_tmpl_id = template.id))
                 GROUP BY asked.id, asked.period_start
            ),
            counted AS (
                SELECT asked.*, %(columns)s,
                       CASE asked.basis %(achieved)s ELSE 0 END AS achieved,
                       COALESCE(CASE asked.measure WHEN 'amount' THEN asked.amount ELSE asked.quantity::numeric END, 0)
                       * CASE WHEN asked.period = 'term' THEN 1
                              ELSE (asked.period_end - asked.period_start + 1)::numeric
                                   / (asked.whole_end - asked.whole_start + 1) END AS target
                  FROM asked
                  LEFT JOIN fact ON fact.commitment_id = asked.id AND fact.period_start = asked.period_start
            ),
            foreseen AS (
                SELECT counted.*,
                       CASE WHEN today > period_end THEN achieved
                            WHEN today >= period_start
                            THEN achieved * (period_end - period_start + 1) / (today - period_start + 1) END AS forecast
                  FROM counted
            )
            SELECT ('x' || substr(md5(foreseen.id || ':' || period_start), 1, 8))::bit(32)::int & 2147483647 AS id,
                   foreseen.id AS commitment_id, version_id, contract_id, member_id, company_id,
                   member_region_id AS region_id, user_id, currency_id, measure, basis, period_start, period_end,
                   target, ordered, delivered, invoiced, achieved, forecast,
                   CASE WHEN target > 0 THEN round(100 * achieved / target, 2) END AS progress,
                   GREATEST(target - COALESCE(forecast, 0), 0) AS shortfall,
                   CASE WHEN today < period_start THEN 'future'
                        WHEN achieved >= target THEN 'met'
                        WHEN today > period_end
                        THEN CASE WHEN achieved >= target * (1 - COALESCE(tolerance, 0)::numeric / 100) THEN 'met'
                                  ELSE 'missed' END
                        WHEN forecast >= target * (1 - COALESCE(tolerance, 0)::numeric / 100) THEN 'on_track'
                        ELSE 'behind' END AS status
              FROM foreseen
            """,
            first_stands=Version._standing_sql(SQL.identifier("first")),
            zones=self.env["res.company"]._channel_zones_sql(),
            today=today,
            stands=Version._standing_sql(SQL.identifier("v")),
            chosen=SQL("TRUE") if commitments is None else SQL("k.id = ANY(%s)", list(commitments)),
            through=SQL("period_start <= %s::date", through) if through else SQL("TRUE"),
            sums=SQL(", ").join(
                SQL(
                    """COALESCE(sum(CASE asked.measure WHEN 'quantity' THEN doc.quantity
                                         ELSE CASE WHEN doc.currency_id = asked.currency_id THEN doc.amount
                                                   WHEN asked.currency_id = asked.company_currency_id
                                                   THEN doc.company_amount
                                                   ELSE doc.company_amount * %s END END)
                                FILTER (WHERE doc.basis = %s), 0)::numeric AS %s""",
                    self._rate_sql(),
                    basis,
                    SQL.identifier(basis),
                )
                for basis in bases
            ),
            union=SQL(" UNION ALL ").join(
                SQL("SELECT %s::text AS basis, source.* FROM (%s) AS source", basis, sources[basis]) for basis in bases
            ),
            columns=SQL(", ").join(
                SQL("COALESCE(fact.%s, 0) AS %s", SQL.identifier(basis), SQL.identifier(basis)) for basis in bases
            ),
            achieved=SQL(" ").join(
                SQL("WHEN %s THEN COALESCE(fact.%s, 0)", basis, SQL.identifier(basis)) for basis in bases
            ),
        )

    @api.model
    def _rate_sql(self):
        """:return: SQL of the rate from the company's currency to the contract's, on the document's day"""
        return SQL(
            """COALESCE((SELECT rate.rate FROM res_currency_rate rate
                          WHERE rate.currency_id = asked.currency_id AND rate.name <= doc.day
                            AND (rate.company_id IS NULL OR rate.company_id = asked.company_id)
                          ORDER BY rate.company_id NULLS LAST, rate.name DESC LIMIT 1), 1)"""
        )

    @api.model
    def _sources(self):
        """What can be held against commitments.

        :return: ``{basis: SQL select of (company_id, member_id, customer_id, product_id, day, quantity, amount,
            company_amount, currency_id)}``: ``member_id`` and ``customer_id`` commercial partners, ``day`` where the
            company is, ``quantity`` in the product's own unit, ``amount`` before tax in ``currency_id``,
            ``company_amount`` in the company's currency
        """
        zones = self.env["res.company"]._channel_zones_sql()
        return {
            "ordered": SQL(
                """
                SELECT o.company_id, member.commercial_partner_id AS member_id,
                       customer.commercial_partner_id AS customer_id, l.product_id,
                       (o.date_order AT TIME ZONE 'UTC' AT TIME ZONE zone.name)::date AS day,
                       l.product_uom_qty * unit.factor / own.factor AS quantity, l.price_subtotal AS amount,
                       l.price_subtotal / COALESCE(NULLIF(o.currency_rate, 0), 1) AS company_amount, o.currency_id
                  FROM sale_order_line l
                  JOIN sale_order o ON o.id = l.order_id AND o.state = 'sale'
                  JOIN res_partner member ON member.id = o.partner_id
                  LEFT JOIN res_partner customer ON customer.id = o.channel_end_customer_id
                  JOIN product_product p ON p.id = l.product_id
                  JOIN product_template t ON t.id = p.product_tmpl_id
                  JOIN uom_uom unit ON unit.id = l.product_uom_id
                  JOIN uom_uom own ON own.id = t.uom_id
                  JOIN %s AS zone ON zone.company_id = o.company_id
                 WHERE l.display_type IS NULL
                """,
                zones,
            ),
            "delivered": SQL(
                """
                SELECT m.company_id, member.commercial_partner_id, customer.commercial_partner_id, m.product_id,
                       (m.date AT TIME ZONE 'UTC' AT TIME ZONE zone.name)::date,
                       goods.quantity, goods.quantity * price.amount,
                       goods.quantity * price.amount / COALESCE(NULLIF(o.currency_rate, 0), 1), o.currency_id
                  FROM stock_move m
                  JOIN stock_location source ON source.id = m.location_id
                  JOIN stock_location target ON target.id = m.location_dest_id
                  JOIN sale_order_line l ON l.id = m.sale_line_id
                  JOIN sale_order o ON o.id = l.order_id
                  JOIN res_partner member ON member.id = o.partner_id
                  LEFT JOIN res_partner customer ON customer.id = o.channel_end_customer_id
                  JOIN product_product p ON p.id = m.product_id
                  JOIN product_template t ON t.id = p.product_tmpl_id
                  JOIN uom_uom moved ON moved.id = m.product_uom
                  JOIN uom_uom own ON own.id = t.uom_id
                  JOIN uom_uom unit ON unit.id = l.product_uom_id
                  JOIN %s AS zone ON zone.company_id = m.company_id
                 CROSS JOIN LATERAL (
                       SELECT m.quantity * moved.factor / own.factor
                              * CASE WHEN target.usage = 'customer' THEN 1 ELSE -1 END AS quantity) goods
                 CROSS JOIN LATERAL (
                       SELECT COALESCE(l.price_subtotal / NULLIF(l.product_uom_qty * unit.factor / own.factor, 0), 0)
                              AS amount) price
                 WHERE m.state = 'done' AND (source.usage = 'customer') <> (target.usage = 'customer')
                """,
                zones,
            ),
            "invoiced": SQL(
                """
                SELECT l.company_id, m.commercial_partner_id, customer.commercial_partner_id, l.product_id,
                       m.invoice_date,
                       l.quantity * unit.factor / own.factor * CASE m.move_type WHEN 'out_refund' THEN -1 ELSE 1 END,
                       -l.amount_currency, -l.balance, m.currency_id
                  FROM account_move_line l
                  JOIN account_move m ON m.id = l.move_id AND m.state = 'posted'
                   AND m.move_type IN ('out_invoice', 'out_receipt', 'out_refund')
                  LEFT JOIN res_partner customer ON customer.id = m.channel_end_customer_id
                  JOIN product_product p ON p.id = l.product_id
                  JOIN product_template t ON t.id = p.product_tmpl_id
                  JOIN uom_uom unit ON unit.id = l.product_uom_id
                  JOIN uom_uom own ON own.id = t.uom_id
                 WHERE l.display_type = 'product'
                """
            ),
        }

    @api.model
    def _flush_sources(self):
        """Write what the query reads and the ORM still holds."""
        for model in (
            "channel.contract", "channel.contract.version", "channel.contract.commitment", "channel.region",
            "product.category", "product.template", "product.product", "res.partner", "res.currency.rate", "sale.order",
            "sale.order.line", "stock.move", "account.move", "account.move.line",
        ):
            self.env[model].flush_model()

    # === BUSINESS METHODS ===#

    @api.model
    def _rows_of(self, commitments, through=None):
        """:return: list of dicts of the rows of these commitments, oldest period first; one query"""
        if not commitments:
            return []
        return self.env.execute_query_dict(
            SQL(
                "SELECT * FROM (%s) AS row ORDER BY period_start, commitment_id",
                self._query(commitments.ids, through=through),
            )
        )

    @api.model
    def _alert_shortfalls(self):
        """Alert for each commitment that is behind or was missed in the last ninety days; clear the others. Nightly."""
        # sudo: the job looks at the contracts of every company and tidies the alerts of its own source
        today = fields.Date.today()
        rows = self.sudo().search(
            Domain("status", "=", "behind")
            | Domain("status", "=", "missed") & Domain("period_end", ">=", fields.Date.subtract(today, days=90))
        )
        alerts = self.env["channel.alert"].sudo()
        keys = {row: f"{row.commitment_id.id}:{row.period_start}" for row in rows}
        standing = alerts.search([("source", "=", ALERT), ("state", "!=", "resolved")]).mapped("key")
        alerts._clear_alerts(ALERT, [key for key in standing if key not in set(keys.values())])
        alerts._raise_alerts(
            ALERT,
            [
                {
                    "key": key,
                    "name": self.env._("%(contract)s: %(commitment)s missed", **row._words())
                    if row.status == "missed"
                    else self.env._("%(contract)s: %(commitment)s falls short", **row._words()),
                    "severity": "warning",
                    "record": row.contract_id,
                    "company": row.company_id,
                    "user": row.user_id,
                    "region": row.region_id,
                    "note": self.env._(
                        "Committed from %(start)s to %(end)s: %(target)s. Achieved: %(achieved)s. At this pace: "
                        "%(forecast)s.",
                        **row._words(),
                    ),
                }
                for row, key in keys.items()
            ],
        )

    def _words(self):
        self.ensure_one()
        digits = 2 if self.measure == "amount" else 0
        return {
            "contract": self.contract_id.display_name,
            "commitment": self.commitment_id.name,
            "start": format_date(self.env, self.period_start),
            "end": format_date(self.env, self.period_end),
            **{name: f"{self[name]:,.{digits}f}" for name in ("target", "achieved", "forecast")},
        }
