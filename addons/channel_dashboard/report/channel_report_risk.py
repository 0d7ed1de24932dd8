from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.tools import SQL


class ChannelReportRisk(models.Model):
    """What hangs on documents that expire: one row per expiring document and company.

    Only the last document of each type and member counts (an earlier one that was renewed is no
    risk), of members that are active or suspended. ``revenue_at_risk`` is the untaxed revenue of
    the last twelve months with the member, in the currency of the company; it stands on the
    member's document that expires first, so that sums count each member once.
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
    days_left = fields.Integer(
        readonly=True, aggregator="min", help="Days until the expiry; negative after it."
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
        "channel.qualification": ["partner_id", "type_id", "number", "state", "expiry_date"],
        "res.partner": ["active", "channel_state", "channel_region_id", "grade_id", "company_id"],
        "res.company": ["currency_id"],
    }

    @property
    def _table_query(self) -> SQL:
        today = fields.Date.context_today(self)
        return SQL(
            """
            WITH revenue AS (
                SELECT move.commercial_partner_id AS member_id, move.company_id,
                       -SUM(line.balance) AS amount
                  FROM account_move_line line
                  JOIN account_move move ON move.id = line.move_id
                 WHERE move.state = 'posted'
                   AND move.move_type IN ('out_invoice', 'out_refund')
                   AND move.invoice_date > %(since)s
                   AND move.invoice_date <= %(today)s
                   AND line.display_type = 'product'
                   AND line.channel_rebate_role IS NULL
              GROUP BY 1, 2
            ), latest AS (
                SELECT DISTINCT ON (partner_id, type_id) id, partner_id, type_id, number, expiry_date
                  FROM channel_qualification
                 WHERE state = 'verified'
              ORDER BY partner_id, type_id, expiry_date DESC NULLS FIRST, id DESC
            )
            SELECT latest.id::bigint * 10000 + company.id AS id,
                   member.id AS member_id,
                   member.channel_region_id AS region_id,
                   member.grade_id,
                   latest.type_id,
                   latest.number,
                   latest.expiry_date,
                   latest.expiry_date - %(today)s AS days_left,
                   company.id AS company_id,
                   company.currency_id,
                   1 AS documents,
                   CASE WHEN ROW_NUMBER() OVER (
                            PARTITION BY member.id, company.id
                            ORDER BY latest.expiry_date, latest.id) = 1
                        THEN COALESCE(revenue.amount, 0) ELSE 0 END AS revenue_at_risk
              FROM latest
              JOIN res_partner member ON member.id = latest.partner_id
        CROSS JOIN res_company company
         LEFT JOIN revenue ON revenue.member_id = member.id AND revenue.company_id = company.id
             WHERE latest.expiry_date IS NOT NULL
               AND member.active
               AND member.channel_state IN ('active', 'suspended')
               AND (member.company_id IS NULL OR member.company_id = company.id)
            """,
            since=today - relativedelta(months=12),
            today=today,
        )
