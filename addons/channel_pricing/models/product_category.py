from odoo import api, models


class ProductCategory(models.Model):
    _inherit = "product.category"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_approved_price_version(self):
        self.env["product.pricelist.item"]._channel_check_kept("categ_id", self)
