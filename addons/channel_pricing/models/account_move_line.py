from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _sale_get_invoice_price(self, order):
        """An expense re-invoiced at sales price costs what the same product costs on the order."""
        self.ensure_one()
        if self.product_id.expense_policy != "sales_price":
            return super()._sale_get_invoice_price(order)
        return order.pricelist_id._get_product_price(
            self.product_id,
            1.0,
            uom=self.product_uom_id,
            date=order.date_order,
            **order._channel_pricing_kwargs(),
        )
