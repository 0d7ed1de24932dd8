from odoo import api, models


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        """Goods added to a delivery that has left are asked about as if they left now."""
        moves = self.env["stock.move"].browse({vals["move_id"] for vals in vals_list if vals.get("move_id")})
        pickings = self.env["stock.picking"].browse(
            {vals["picking_id"] for vals in vals_list if vals.get("picking_id")}
        )
        if not any(record.state == "done" for records in (moves, pickings) for record in records):
            return super().create(vals_list)
        with self.env.cr.savepoint():
            lines = super().create(vals_list)
            lines._channel_gate_enforce()
        return lines

    def write(self, vals):
        """A lot exchanged or a quantity raised on a delivery that has left is asked about as if it left now."""
        if not self._channel_gate_fields() & vals.keys():
            return super().write(vals)
        before = {line: line._channel_gate_extent() for line in self if line._channel_gate_has_left()}
        if not before:
            return super().write(vals)
        with self.env.cr.savepoint():
            result = super().write(vals)
            self.browse().union(
                *(line for line in before if line._channel_gate_has_grown(before[line]))
            )._channel_gate_enforce()
        return result

    # === GATE === #

    @api.model
    def _channel_gate_fields(self):
        """:return: set of the fields that make up what the gate is asked"""
        return {"lot_id", "quant_id", "quantity", "product_uom_id", "move_id", "picking_id"}

    def _channel_gate_has_left(self):
        self.ensure_one()
        return self.move_id.state == "done" and self.move_id._channel_gate_is_delivery()

    def _channel_gate_extent(self):
        """:return: ``(lot, quantity in the product's unit)`` to compare a line with itself"""
        self.ensure_one()
        return self.lot_id, self.product_uom_id._compute_quantity(
            self.quantity, self.product_id.uom_id, round=False, raise_if_failure=False
        )

    def _channel_gate_has_grown(self, before):
        self.ensure_one()
        lot, quantity = before
        now_lot, now_quantity = self._channel_gate_extent()
        return now_lot != lot or self.product_id.uom_id.compare(now_quantity, quantity) > 0

    def _channel_gate_enforce(self):
        moves = self.filtered(lambda line: line._channel_gate_has_left()).move_id
        self.env["channel.gate"]._enforce("delivery", moves | moves.picking_id.move_ids)
