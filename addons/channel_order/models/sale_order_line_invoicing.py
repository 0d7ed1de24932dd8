from odoo import api, models


class SaleOrderLine(models.Model):
    """Goods are invoiced on order or on delivery as the contract, else the company, says; services as ever."""

    _inherit = "sale.order.line"

    def _channel_invoice_on(self):
        """:return: ``order`` or ``delivery`` where the rule differs from the product's own, None where it decides"""
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

    @api.depends("order_id.channel_contract_version_id")
    def _compute_qty_to_invoice(self):
        super()._compute_qty_to_invoice()
        for line in self:
            rule = line.state == "sale" and line._channel_invoice_on()
            if rule:
                due = line.product_uom_qty if rule == "order" else line.qty_delivered
                line.qty_to_invoice = due - line.qty_invoiced

    def _compute_invoice_status(self):
        super()._compute_invoice_status()
        for line in self:
            # What was delivered beyond the order is due by itself then, and nothing to be sold on top
            if line.invoice_status == "upselling" and line._channel_invoice_on() == "delivery":
                line.invoice_status = "invoiced"

    def _compute_untaxed_amount_to_invoice(self):
        super()._compute_untaxed_amount_to_invoice()
        for line in self:
            rule = line.state == "sale" and line._channel_invoice_on()
            if rule:
                due = line.product_uom_qty if rule == "order" else line.qty_delivered
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
                due = line.product_uom_qty if rule == "order" else line.qty_delivered
                line.amount_to_invoice = line.price_total / line.product_uom_qty * (due - line.qty_invoiced_posted)
