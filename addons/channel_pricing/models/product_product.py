from odoo import api, models


class ProductProduct(models.Model):
    _inherit = "product.product"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_approved_price_version(self):
        self.env["product.pricelist.item"]._channel_check_kept("product_id", self)
