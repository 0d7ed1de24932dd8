from odoo import api, fields, models


class ChannelPriceCheck(models.TransientModel):
    """What a product costs a member, and why; or why a line of an order costs what it does."""

    _name = "channel.price.check"
    _description = "Price Check"

    order_line_id = fields.Many2one("sale.order.line", readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    member_id = fields.Many2one(
        "res.partner", domain=[("channel_role", "!=", False), ("parent_id", "=", False)]
    )
    customer_id = fields.Many2one(
        "res.partner", string="End Customer", domain=[("is_company", "=", True), ("parent_id", "=", False)],
        help="For whom it is bought, if the price may depend on it.",
    )
    product_id = fields.Many2one(
        "product.product", domain=[("sale_ok", "=", True), ("type", "!=", "combo")],
    )
    quantity = fields.Float(default=1.0, digits="Product Unit")
    uom_id = fields.Many2one(
        "uom.uom", string="Unit", compute="_compute_uom_id", store=True, readonly=False, precompute=True,
        domain="[('id', 'in', allowed_uom_ids)]",
    )
    allowed_uom_ids = fields.Many2many("uom.uom", compute="_compute_allowed_uom_ids")
    date = fields.Datetime(default=fields.Datetime.now, help="What it costs, did cost or will cost at this moment.")
    currency_id = fields.Many2one("res.currency", compute="_compute_price")
    price = fields.Float(compute="_compute_price", min_display_digits="Product Price")
    steps = fields.Html(string="Why", compute="_compute_price", sanitize=False)

    @api.depends("product_id")
    def _compute_display_name(self):
        for check in self:
            check.display_name = check.product_id.display_name or self.env._("Price Check")

    @api.depends("product_id")
    def _compute_uom_id(self):
        for check in self:
            check.uom_id = check.product_id.uom_id

    @api.depends("product_id")
    def _compute_allowed_uom_ids(self):
        for check in self:
            check.allowed_uom_ids = check.product_id.uom_id | check.product_id.uom_ids

    @api.depends("order_line_id", "company_id", "member_id", "customer_id", "product_id", "quantity", "uom_id", "date")
    def _compute_price(self):
        for check in self:
            currency, price, steps = check._answer()
            check.currency_id, check.price = currency, price
            check.steps = steps and self.env["ir.qweb"]._render("channel_pricing.price_steps", {"steps": steps})

    def _answer(self):
        """:returns: ``(currency, price, steps)``; no steps while something is missing"""
        self.ensure_one()
        if line := self.order_line_id:
            steps = line._channel_explain_price()
            return line.currency_id, steps[-1]["amount"], steps
        if not (self.member_id and self.product_id and self.uom_id and self.quantity > 0):
            return self.env["res.currency"], 0.0, []
        [answer] = self.env["channel.pricing"].quote(
            self.member_id.id,
            [{"product_id": self.product_id.id, "quantity": self.quantity, "uom_id": self.uom_id.id}],
            customer_id=self.customer_id.id or None,
            date=self.date,
            company_id=self.company_id.id,
        )
        currency = self.env["res.currency"].search([("name", "=", answer["currency"])], limit=1)
        return currency, answer["price_unit"], answer["steps"]
