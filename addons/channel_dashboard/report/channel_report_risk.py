from odoo import fields, models
from odoo.tools import SQL


class ChannelReportRisk(models.Model):
    """What hangs on documents that expire, or are suspended or revoked: one row per document and company.

    One document of each type and member counts, of members that are active or suspended: of those that no other one
    has replaced or follows without a gap, the one in force today; without any, the one that is valid longest. It is
    judged by midnight of the company. ``revenue_at_risk`` is the untaxed revenue of the last twelve months with the
    member, in the currency of the company; it stands on the member's document that ends first, so that sums count
    each member once.
    """

    _name = "channel.report.risk"
    _description = "Documents at Risk"
    _auto = False
    _rec_name = "number"
    _order = "days_left, id"

    member_id = fields.Many2one("res.partner", readonly=True)
    region_id = fields.Many2one("channel.region", readonly=True)
    grade_id = fields.Many2one("res.partner.grade", "Member Tier", readonly=True)
    type_id = fields.Many2one("channel.qualification.type", "Document Type", readonly=True)
    number = fields.Char(readonly=True)
    expiry_date = fields.Date(readonly=True)
    status = fields.Selection(
        [
            ("valid", "Valid"),
            ("expired", "Expired"),
            ("suspended", "Suspended"),
            ("revoked", "Revoked"),
        ],
        readonly=True,
    )
    days_left = fields.Integer(
        readonly=True, aggregator="min",
        help="Days until the expiry; negative after it, and 0 at most while the document is suspended or revoked.",
    )
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    documents = fields.Integer(readonly=True)
    revenue_at_risk = fields.Monetary(readonly=True)

    _depends = {
        "account.move": [
            "state",
            "move_type",
            "invoice_date",
            "company_id",
            "commercial_partner_id",
        ],
        "account.move.line": ["move_id", "balance", "display_type", "channel_rebate_role"],
        "channel.qualification": [
            "partner_id",
            "type_id",
            "company_id",
            "number",
            "state",
            "active",
            "issue_date",
            "expiry_date",
            "replaced_on",
            "revoked_on",
        ],
        "channel.qualification.suspension": ["qualification_id", "date_from", "lifted_on"],
        "res.partner": ["active", "channel_state", "channel_region_id", "grade_id", "company_id"],
        "res.company": ["currency_id"],
    }

    @property
    def _table_query(self) -> SQL:
        # sudo: every company's time zone; rules decide which rows are seen.
        # pylint: disable-next=no-search-all  # companies of the database
        companies = self.env["res.company"].sudo().search([])
        return SQL(
            """
            WITH company AS (
                SELECT day.id, day.today, res_company.currency_id
                  FROM unnest(%(companies)s::int[], %(todays)s::date[]) AS day(id, today)
                  JOIN res_company ON res_company.id = day.id
            ), revenue AS (
                SELECT move.commercial_partner_id AS member_id, move.company_id,
                       -SUM(line.balance) AS amount
                  FROM account_move_line line
                  JOIN account_move move ON move.id = line.move_id
                  JOIN company ON company.id = move.company_id
                 WHERE move.state = 'posted'
                   AND move.move_type IN ('out_invoice', 'out_refund')
                   AND move.invoice_date > company.today - INTERVAL '12 months'
                   AND move.invoice_date <= company.today
                   AND line.display_type = 'product'
                   AND line.channel_rebate_role IS NULL
              GROUP BY 1, 2
            ), document AS (
                SELECT q.id, q.partner_id, q.type_id, q.number, q.expiry_date, q.active,
                       company.id AS company_id, company.today, company.currency_id,
                       %(in_force)s AS in_force,
                       CASE WHEN q.revoked_on <= company.today THEN 'revoked'
                            WHEN q.expiry_date < company.today THEN 'expired'
                            WHEN EXISTS (
                                SELECT FROM channel_qualification_suspension pause
                                 WHERE pause.qualification_id = q.id
                                   AND pause.date_from <= company.today
                                   AND (pause.lifted_on IS NULL OR pause.lifted_on > company.today)
                            ) THEN 'suspended'
                            ELSE 'valid' END AS status
                  FROM channel_qualification q
                  JOIN company ON q.company_id IS NULL OR q.company_id = company.id
                 WHERE q.state NOT IN ('draft', 'to_verify')
                   AND (q.replaced_on IS NULL OR q.replaced_on > company.today)
                   AND NOT (
                        q.expiry_date IS NOT NULL
                        AND EXISTS (
                            SELECT FROM channel_qualification next
                             WHERE next.partner_id = q.partner_id AND next.type_id = q.type_id AND next.id != q.id
                               AND (next.company_id IS NULL OR next.company_id = company.id)
                               AND next.state = 'verified'
                               AND next.issue_date <= q.expiry_date + 1
                               -- LEAST passes over what is not set.
                               AND COALESCE(LEAST(next.expiry_date, next.replaced_on - 1), 'infinity') > q.expiry_date
                        )
                   )
            ), latest AS (
                SELECT DISTINCT ON (company_id, partner_id, type_id) *,
                       CASE WHEN status IN ('suspended', 'revoked') THEN LEAST(expiry_date - today, 0)
                            ELSE expiry_date - today END AS days_left
                  FROM document
                 WHERE active OR in_force
              ORDER BY company_id, partner_id, type_id, in_force DESC, status = 'revoked',
                       expiry_date DESC NULLS FIRST, id DESC
            )
            SELECT latest.id::bigint * 10000 + latest.company_id AS id,
                   member.id AS member_id,
                   member.channel_region_id AS region_id,
                   member.grade_id,
                   latest.type_id,
                   latest.number,
                   latest.expiry_date,
                   latest.status,
                   latest.days_left,
                   latest.company_id,
                   latest.currency_id,
                   1 AS documents,
                   CASE WHEN ROW_NUMBER() OVER (
                            PARTITION BY member.id, latest.company_id
                            ORDER BY latest.days_left, latest.id) = 1
                        THEN COALESCE(revenue.amount, 0) ELSE 0 END AS revenue_at_risk
              FROM latest
              JOIN res_partner member ON member.id = latest.partner_id
         LEFT JOIN revenue ON revenue.member_id = member.id AND revenue.company_id = latest.company_id
             WHERE latest.days_left IS NOT NULL
               AND member.active
               AND member.channel_state IN ('active', 'suspended')
               AND (member.company_id IS NULL OR member.company_id = latest.company_id)
            """,
            companies=companies.ids,
            todays=[company._channel_today() for company in companies],
            in_force=self.env["channel.qualification"]._in_force_sql(SQL("q"), SQL("company.today")),
        )
