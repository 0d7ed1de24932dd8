from odoo import fields, models
from odoo.tools import SQL


class ChannelPriceConsistency(models.Model):
    """Where confirmed orders were sold at another price than the price table gave, and who allowed it.

    One row for each order line whose net price (after the line's discount) differs from the table price kept when the
    order was confirmed. Lines confirmed before table prices were kept are not in it: what the table said is not known.
    """

    _name = "channel.price.consistency"
    _description = "Price Consistency"
    _auto = False
    _rec_name = "order_id"
    _order = "date desc, id desc"

    order_id = fields.Many2one("sale.order", readonly=True)
    line_id = fields.Many2one("sale.order.line", string="Order Line", readonly=True)
    date = fields.Datetime(string="Order Date", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", string="Order Currency", readonly=True)
    company_currency_id = fields.Many2one("res.currency", readonly=True)
    member_id = fields.Many2one("res.partner", readonly=True)
    customer_id = fields.Many2one("res.partner", string="End Customer", readonly=True)
    region_id = fields.Many2one("channel.region", readonly=True)
    salesperson_id = fields.Many2one("res.users", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    categ_id = fields.Many2one("product.category", string="Product Category", readonly=True)
    pricelist_id = fields.Many2one("product.pricelist", string="Price Table", readonly=True)
    version_id = fields.Many2one("channel.price.version", readonly=True)
    quantity = fields.Float(digits="Product Unit", readonly=True, help="In the unit of the order line.")
    table_price = fields.Float(min_display_digits="Product Price", readonly=True, aggregator="avg")
    order_price = fields.Float(
        min_display_digits="Product Price", readonly=True, aggregator="avg", help="Net of the discount of the line."
    )
    difference = fields.Float(
        string="Difference per Unit", min_display_digits="Product Price", readonly=True, aggregator="avg"
    )
    percent = fields.Float(string="Difference (%)", digits=(16, 2), readonly=True, aggregator="avg")
    amount = fields.Monetary(
        string="Difference", currency_field="company_currency_id", readonly=True,
        help="For the whole line, in the currency of the company. Below 0: sold cheaper than the table says.",
    )
    allowed_by = fields.Selection(
        [("special", "Special price"), ("override", "Override of the gate"), ("manual", "Entered by hand")],
        readonly=True,
    )
    allowed_user_id = fields.Many2one("res.users", string="Allowed by User", readonly=True)
    reason = fields.Char(readonly=True)

    _depends = {
        "sale.order": [
            "state", "date_order", "company_id", "currency_id", "currency_rate", "partner_id", "user_id",
            "pricelist_id", "channel_end_customer_id",
        ],
        "sale.order.line": [
            "order_id", "product_id", "product_uom_qty", "price_unit", "discount", "channel_table_price",
            "channel_table_date", "channel_price_version_id", "channel_price_user_id", "channel_request_line_id",
        ],
        "channel.gate.finding": [
            "res_model", "res_id", "state", "code", "product_id", "override_user_id", "override_at", "override_reason",
        ],
        "channel.price.request": ["approved_by_id", "reason"],
        "channel.price.request.line": ["request_id"],
        "product.product": ["product_tmpl_id"],
        "product.template": ["categ_id"],
        "res.partner": ["commercial_partner_id", "channel_region_id"],
    }

    @property
    def _table_query(self) -> SQL:
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    def _net(self):
        """SQL: the net price of the line."""
        return SQL("(line.price_unit * (1 - COALESCE(line.discount, 0) / 100.0))::numeric")

    def _select(self) -> SQL:
        return SQL(
            """
            SELECT line.id AS id, so.id AS order_id, line.id AS line_id, so.date_order AS date, so.company_id,
                   so.currency_id, company.currency_id AS company_currency_id,
                   member.id AS member_id, so.channel_end_customer_id AS customer_id,
                   member.channel_region_id AS region_id, so.user_id AS salesperson_id,
                   line.product_id, template.categ_id, so.pricelist_id, line.channel_price_version_id AS version_id,
                   line.product_uom_qty AS quantity, line.channel_table_price AS table_price, %(net)s AS order_price,
                   %(net)s - line.channel_table_price::numeric AS difference,
                   (%(net)s / NULLIF(line.channel_table_price, 0)::numeric - 1) * 100 AS percent,
                   round(
                       ((%(net)s - line.channel_table_price::numeric) * line.product_uom_qty
                       / COALESCE(NULLIF(so.currency_rate, 0), 1))::numeric,
                       home.decimal_places
                   ) AS amount,
                   CASE WHEN line.channel_request_line_id IS NOT NULL THEN 'special'
                        WHEN finding.override_user_id IS NOT NULL THEN 'override'
                        ELSE 'manual'
                   END AS allowed_by,
                   CASE WHEN line.channel_request_line_id IS NOT NULL THEN request.approved_by_id
                        ELSE COALESCE(finding.override_user_id, line.channel_price_user_id, line.create_uid)
                   END AS allowed_user_id,
                   CASE WHEN line.channel_request_line_id IS NOT NULL THEN request.reason
                        ELSE finding.override_reason
                   END AS reason
            """,
            net=self._net(),
        )

    def _from(self) -> SQL:
        return SQL(
            """
              FROM sale_order_line line
              JOIN sale_order so ON so.id = line.order_id
              JOIN res_company company ON company.id = so.company_id
              JOIN res_currency home ON home.id = company.currency_id
              JOIN res_currency currency ON currency.id = so.currency_id
              JOIN res_partner buyer ON buyer.id = so.partner_id
              JOIN res_partner member ON member.id = buyer.commercial_partner_id
              JOIN product_product product ON product.id = line.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
         LEFT JOIN channel_price_request_line request_line ON request_line.id = line.channel_request_line_id
         LEFT JOIN channel_price_request request ON request.id = request_line.request_id
         LEFT JOIN LATERAL (
                    SELECT override_user_id, override_reason
                      FROM channel_gate_finding
                     WHERE res_model = 'sale.order' AND res_id = so.id AND state = 'overridden'
                       AND product_id = line.product_id AND code LIKE 'price_%%'
                  ORDER BY override_at DESC
                     LIMIT 1
                   ) finding ON TRUE
            """
        )

    def _where(self) -> SQL:
        return SQL(
            """
             WHERE so.state = 'sale' AND line.channel_table_date IS NOT NULL
               -- As currencies compare: what rounds to nothing is no difference
               AND round((%s - line.channel_table_price::numeric) / currency.rounding) != 0
            """,
            self._net(),
        )

    def action_open_order(self):
        self.ensure_one()
        return self.order_id._get_records_action()
