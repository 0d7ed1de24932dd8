from odoo import api, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    # === ONCHANGE METHODS ===#

    @api.onchange("partner_id", "channel_end_customer_id")
    def _onchange_channel_parties(self):
        if self.state in ("draft", "sent") and self.order_line:
            if self.state == "draft":
                self._channel_reprice()
            # A price typed by hand stays until the user asks for the update
            self.show_update_pricelist = True

    # === CRUD METHODS ===#

    def write(self, vals):
        """A draft order follows its parties: lines without a price typed by hand are priced again."""
        if not {"partner_id", "channel_end_customer_id"} & vals.keys():
            return super().write(vals)
        drafts = self.filtered(lambda order: order.state == "draft")
        before = {order.id: order._channel_pricing_kwargs() for order in drafts}
        result = super().write(vals)
        drafts.filtered(
            lambda order: order.state == "draft" and before[order.id] != order._channel_pricing_kwargs()
        )._channel_reprice()
        return result

    # === BUSINESS METHODS ===#

    def _channel_pricing_kwargs(self):
        """The parties on which prices of this order depend, as keywords for the price list's methods."""
        self.ensure_one()
        return {
            "member": self.partner_id.commercial_partner_id,
            "customer": self.channel_end_customer_id.commercial_partner_id,
        }

    def _channel_reprice(self):
        """Price again the lines whose price was not typed by hand.

        As core does when a quantity changes, and unlike its button, which overwrites every price.
        """
        lines = self._get_update_prices_lines().filtered(
            lambda line: not line.currency_id.compare_amounts(line.technical_price_unit, line.price_unit)
        )
        lines.invalidate_recordset(["pricelist_item_id"])
        lines._compute_price_unit()
        lines._compute_discount()

    # === CATALOG ===#

    def _get_product_catalog_order_data(self, products, **kwargs):
        return super()._get_product_catalog_order_data(products, **{**self._channel_pricing_kwargs(), **kwargs})

    def _update_order_line_info(self, product_id, quantity, **kwargs):
        return super()._update_order_line_info(product_id, quantity, **{**self._channel_pricing_kwargs(), **kwargs})
