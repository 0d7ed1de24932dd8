from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.tools import SQL


class ChannelReportCoverage(models.Model):
    """Hospitals served of hospitals addressable: one row per hospital and company.

    A hospital is *served* when a customer invoice posted in the twelve months up to today names
    it as end customer, or as the buyer itself. Coverage of any group of rows is the average of
    ``coverage`` (0 or 100, percent).
    """

    _name = "channel.report.coverage"
    _description = "Channel Coverage"
    _auto = False
    _rec_name = "customer_id"
    _order = "revenue desc, id"

    customer_id = fields.Many2one("res.partner", "Hospital", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    region_id = fields.Many2one("channel.region", readonly=True)
    hospitals = fields.Integer("Addressable Hospitals", readonly=True)
    served = fields.Integer("Served Hospitals", readonly=True)
    coverage = fields.Float("Coverage (%)", readonly=True, aggregator="avg")
    members = fields.Integer("Serving Members", readonly=True, aggregator="max")
    last_invoice_date = fields.Date(readonly=True)
    revenue = fields.Monetary(
        "Revenue (12 months)", readonly=True, help="Untaxed, in the currency of the company."
    )

    _depends = {
        "account.move": [
            "state",
            "move_type",
            "invoice_date",
            "company_id",
            "commercial_partner_id",
            "channel_end_customer_id",
            "amount_untaxed_signed",
        ],
        "res.partner": ["active", "channel_role", "channel_region_id", "commercial_partner_id"],
        "res.company": ["currency_id"],
    }

    @property
    def _table_query(self) -> SQL:
        today = fields.Date.context_today(self)
        return SQL(
            """
            WITH invoiced AS (
                SELECT COALESCE(end_customer.commercial_partner_id, move.commercial_partner_id)
                           AS customer_id,
                       move.company_id,
                       COUNT(DISTINCT move.commercial_partner_id) AS members,
                       MAX(move.invoice_date) AS last_invoice_date,
                       SUM(move.amount_untaxed_signed) AS revenue,
                       BOOL_OR(move.move_type = 'out_invoice') AS served
                  FROM account_move move
             LEFT JOIN res_partner end_customer ON end_customer.id = move.channel_end_customer_id
                 WHERE move.state = 'posted'
                   AND move.move_type IN ('out_invoice', 'out_refund')
                   AND move.invoice_date > %(since)s
                   AND move.invoice_date <= %(today)s
              GROUP BY 1, 2
            )
            SELECT hospital.id::bigint * 10000 + company.id AS id,
                   hospital.id AS customer_id,
                   company.id AS company_id,
                   company.currency_id,
                   hospital.channel_region_id AS region_id,
                   1 AS hospitals,
                   (invoiced.served IS TRUE)::int AS served,
                   CASE WHEN invoiced.served THEN 100.0 ELSE 0.0 END AS coverage,
                   COALESCE(invoiced.members, 0) AS members,
                   invoiced.last_invoice_date,
                   COALESCE(invoiced.revenue, 0) AS revenue
              FROM res_partner hospital
        CROSS JOIN res_company company
         LEFT JOIN invoiced ON invoiced.customer_id = hospital.id
                           AND invoiced.company_id = company.id
             WHERE hospital.channel_role = 'hospital'
               AND hospital.active
               AND hospital.commercial_partner_id = hospital.id
               AND (hospital.company_id IS NULL OR hospital.company_id = company.id)
            """,
            since=today - relativedelta(months=12),
            today=today,
        )
