from odoo import api, fields, models

from odoo.addons.channel_base.tools.schema import add_column


class StockLot(models.Model):
    _inherit = "stock.lot"

    channel_hold_ids = fields.One2many("channel.lot.hold", "lot_id", string="Holds")
    channel_is_held = fields.Boolean(
        string="On Hold", compute="_compute_channel_is_held", store=True, help="Neither reserved nor delivered."
    )

    def _auto_init(self):
        # Nothing was held before there were holds
        add_column(self.env.cr, self._table, "channel_is_held", "bool", False)
        return super()._auto_init()

    @api.depends("channel_hold_ids.state")
    def _compute_channel_is_held(self):
        # sudo: whether a lot is held does not depend on which holds the user may read
        held = self.env["channel.lot.hold"].sudo().search([("lot_id", "in", self.ids), ("state", "=", "held")]).lot_id
        for lot in self:
            lot.channel_is_held = lot._origin in held

    def _channel_whereabouts(self):
        """-> dict of what is in warehouses, and what has left for customers"""
        self.ensure_one()
        # sudo: a recall concerns all of a lot, wherever it is; who may hold lots may know where they went
        quants = self.env["stock.quant"].sudo().search([
            ("lot_id", "=", self.id), ("location_id.usage", "=", "internal"),
        ])
        # sudo: as above
        lines = self.env["stock.move.line"].sudo().search([
            ("lot_id", "=", self.id), ("state", "=", "done"), ("location_dest_id.usage", "=", "customer"),
        ], order="date desc, id desc")
        return {
            "lot_id": self.id, "lot": self.name, "on_hand": sum(quants.mapped("quantity")),
            "delivered": [
                {
                    "delivery": line.picking_id.name, "partner": line.picking_id.partner_id.display_name,
                    "quantity": line.quantity_product_uom, "date": line.date.isoformat(),
                }
                for line in lines
            ],
        }
