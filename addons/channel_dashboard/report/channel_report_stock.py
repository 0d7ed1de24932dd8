from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.tools import SQL


class ChannelReportStock(models.Model):
    """Stock and its turns: one row per storable product and company.

    ``issued_*`` is what left to customers in the twelve months up to today, returns deducted;
    ``stock_*`` is what lies in internal locations now. Values are at the product's cost of
    today, in the company's currency; so turns of any group of rows are
    ``sum(issued_value) / sum(stock_value)``.
    """

    _name = "channel.report.stock"
    _description = "Channel Stock and Turns"
    _auto = False
    _rec_name = "product_id"
    _order = "stock_value desc, id"

    NEAR_EXPIRY_DAYS = 180

    product_id = fields.Many2one("product.product", readonly=True)
    categ_id = fields.Many2one("product.category", "Product Category", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    stock_quantity = fields.Float("Quantity in Stock", readonly=True)
    stock_value = fields.Monetary(readonly=True)
    near_expiry_value = fields.Monetary(
        "Near-Expiry Value",
        readonly=True,
        help="Stock of lots that expire within 180 days, or have expired.",
    )
    issued_quantity = fields.Float("Issued (12 months)", readonly=True)
    issued_value = fields.Monetary("Issued Value (12 months)", readonly=True)
    days_of_stock = fields.Float(
        readonly=True,
        aggregator=False,
        help="How long the stock lasts at the speed of the last twelve months.",
    )

    _depends = {
        "product.product": ["product_tmpl_id", "standard_price", "active"],
        "product.template": ["categ_id", "is_storable"],
        "stock.quant": ["product_id", "location_id", "company_id", "quantity", "lot_id"],
        "stock.lot": ["expiration_date"],
        "stock.move": ["state", "date", "product_id", "company_id", "product_qty"],
        "stock.location": ["usage"],
        "res.company": ["currency_id"],
    }

    @property
    def _table_query(self) -> SQL:
        today = fields.Date.context_today(self)
        return SQL(
            """
            WITH on_hand AS (
                SELECT quant.product_id, quant.company_id,
                       SUM(quant.quantity) AS quantity,
                       SUM(quant.quantity) FILTER (
                           WHERE lot.expiration_date < %(near)s) AS near_expiry
                  FROM stock_quant quant
                  JOIN stock_location location ON location.id = quant.location_id
             LEFT JOIN stock_lot lot ON lot.id = quant.lot_id
                 WHERE location.usage = 'internal'
              GROUP BY 1, 2
            ), issued AS (
                SELECT move.product_id, move.company_id,
                       SUM(CASE WHEN destination.usage = 'customer'
                                THEN move.product_qty ELSE -move.product_qty END) AS quantity
                  FROM stock_move move
                  JOIN stock_location source ON source.id = move.location_id
                  JOIN stock_location destination ON destination.id = move.location_dest_id
                 WHERE move.state = 'done'
                   AND move.date > %(since)s
                   AND (source.usage = 'customer') <> (destination.usage = 'customer')
              GROUP BY 1, 2
            ), cost AS (
                SELECT product.id AS product_id, company.id AS company_id, company.currency_id,
                       template.categ_id,
                       COALESCE(product.standard_price -> company.id::text,
                                to_jsonb(0.0))::float AS unit_cost
                  FROM product_product product
                  JOIN product_template template ON template.id = product.product_tmpl_id
            CROSS JOIN res_company company
                 WHERE template.is_storable AND product.active
                   AND (template.company_id IS NULL OR template.company_id = company.id)
            )
            SELECT cost.product_id::bigint * 10000 + cost.company_id AS id,
                   cost.product_id, cost.categ_id, cost.company_id, cost.currency_id,
                   COALESCE(on_hand.quantity, 0) AS stock_quantity,
                   COALESCE(on_hand.quantity, 0) * cost.unit_cost AS stock_value,
                   COALESCE(on_hand.near_expiry, 0) * cost.unit_cost AS near_expiry_value,
                   COALESCE(issued.quantity, 0) AS issued_quantity,
                   COALESCE(issued.quantity, 0) * cost.unit_cost AS issued_value,
                   on_hand.quantity * 365 / NULLIF(issued.quantity, 0) AS days_of_stock
              FROM cost
         LEFT JOIN on_hand USING (product_id, company_id)
         LEFT JOIN issued USING (product_id, company_id)
             WHERE on_hand.quantity <> 0 OR issued.quantity <> 0
            """,
            near=today + relativedelta(days=self.NEAR_EXPIRY_DAYS),
            since=today - relativedelta(months=12),
        )
