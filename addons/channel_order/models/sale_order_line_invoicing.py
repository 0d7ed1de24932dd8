from odoo import api, fields, models

from odoo.addons.channel_base.tools.schema import add_column


class SaleOrderLine(models.Model):
    """Goods are invoiced on order, delivery or acceptance as the contract, else the company, says; services as ever."""

    _inherit = "sale.order.line"

    channel_accepted_qty = fields.Float(
        string="Accepted", digits="Product Unit", compute="_compute_channel_accepted_qty", store=True, copy=False,
        help="What receivers have accepted, in the unit of the line.",
    )

    def _auto_init(self):
        # Nothing was accepted before there were acceptances: nothing is computed for lines that exist
        add_column(self.env.cr, self._table, "channel_accepted_qty", "numeric", 0)
        return super()._auto_init()

    @api.depends(
        "move_ids.move_line_ids.channel_acceptance_line_ids.accepted_quantity",
        "move_ids.move_line_ids.channel_acceptance_line_ids.acceptance_id.accepted_at",
    )
    def _compute_channel_accepted_qty(self):
        # sudo: how much was accepted does not depend on which acceptances the user may read
        lines = self.env["channel.acceptance.line"].sudo()._read_group(
            [("move_line_id.move_id.sale_line_id", "in", self.ids), ("acceptance_id.accepted_at", "!=", False)],
            ["move_line_id", "product_id"], ["accepted_quantity:sum"],
        )
        accepted = {}
        for move_line, product, quantity in lines:
            line = move_line.move_id.sale_line_id
            quantity = product.uom_id._compute_quantity(quantity, line.product_uom_id, round=False)
            accepted[line.id] = accepted.get(line.id, 0.0) + quantity
        for line in self:
            line.channel_accepted_qty = accepted.get(line._origin.id, 0.0)

    def _channel_due(self, rule):
        """What is due to be invoiced in all, in the unit of the line. What was sent back is never due."""
        match rule:
            case "order":
                return self.product_uom_qty
            case "acceptance":
                return min(self.qty_delivered, self.channel_accepted_qty)
            case _:
                return self.qty_delivered

    def _channel_invoice_on(self):
        """:return: ``order``, ``delivery`` or ``acceptance``, None where the product's own rule decides"""
        self.ensure_one()
        if (
            self.product_id.type != "consu" or self.display_type or self.is_downpayment or self.combo_item_id
            or not self.order_id.partner_id.commercial_partner_id.channel_role
        ):
            return None
        # sudo: of the contract only the rule is taken, whoever may read contracts
        version = self.order_id.sudo().channel_contract_version_id
        rule = version.channel_invoice_on or self.order_id.company_id.channel_invoice_on
        return rule if rule and rule != self.product_id.invoice_policy else None

    @api.depends("order_id.channel_contract_version_id", "channel_accepted_qty")
    def _compute_qty_to_invoice(self):
        super()._compute_qty_to_invoice()
        for line in self:
            rule = line.state == "sale" and line._channel_invoice_on()
            if rule:
                due = line._channel_due(rule)
                line.qty_to_invoice = due - line.qty_invoiced

    def _compute_invoice_status(self):
        super()._compute_invoice_status()
        for line in self:
            # What was delivered beyond the order is due by itself then, and nothing to be sold on top
            if line.invoice_status == "upselling" and line._channel_invoice_on() in ("delivery", "acceptance"):
                line.invoice_status = "invoiced"

    def _compute_untaxed_amount_to_invoice(self):
        super()._compute_untaxed_amount_to_invoice()
        for line in self:
            rule = line.state == "sale" and line._channel_invoice_on()
            if rule:
                due = line._channel_due(rule)
                subtotal = line.tax_ids.compute_all(
                    line.price_unit * (1 - (line.discount or 0.0) / 100.0), currency=line.currency_id, quantity=due,
                    product=line.product_id, partner=line.order_id.partner_shipping_id,
                )["total_excluded"]
                line.untaxed_amount_to_invoice = subtotal - line.untaxed_amount_invoiced

    def _compute_amount_to_invoice(self):
        super()._compute_amount_to_invoice()
        for line in self:
            rule = line.product_uom_qty and line._channel_invoice_on()
            if rule:
                due = line._channel_due(rule)
                line.amount_to_invoice = line.price_total / line.product_uom_qty * (due - line.qty_invoiced_posted)
