from odoo import models


class StockMove(models.Model):
    _inherit = "stock.move"

    def _update_reserved_quantity(self, need, location_id, lot_id=None, package_id=None, owner_id=None, strict=True):
        # What is held is not reserved for customers; it still moves inside, to quarantine or destruction
        if self.location_dest_id.usage == "customer":
            self = self.with_context(channel_skip_held=True)
        return super()._update_reserved_quantity(
            need, location_id, lot_id=lot_id, package_id=package_id, owner_id=owner_id, strict=strict
        )
