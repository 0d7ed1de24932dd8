from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    channel_transfer_line_id = fields.Many2one(
        "channel.order.transfer.line", string="Transferred by", readonly=True, copy=False, index="btree_not_null",
        ondelete="restrict", groups="channel_base.group_channel_user",
        help="The line of the transfer that made this one.",
    )

    def _channel_transferable(self):
        """What may still go to somebody else: ordered, and neither delivered, nor leaving, nor invoiced.

        What a picking that is not validated yet has picked is leaving: the warehouse has it in its hands.

        :return: ``{line: quantity in its unit}``, lines with nothing left out
        """
        result = {}
        for line in self:
            if not line._channel_gate_matters() or line.combo_item_id or line.product_type == "combo":
                continue
            quantity = line._channel_untouched()
            if line.product_uom_id.compare(quantity, 0) > 0:
                result[line] = quantity
        return result

    def _channel_untouched(self):
        """:return: the quantity of which nothing was delivered, picked or invoiced, in the unit of the line"""
        self.ensure_one()
        moves, _returns = self._get_outgoing_incoming_moves()
        leaving = sum(
            move.product_uom._compute_quantity(move.quantity, self.product_uom_id, rounding_method="HALF-UP")
            for move in moves
            if move.picked and move.state not in ("done", "cancel")
        )
        taken = max(self.qty_delivered + leaving, self.qty_invoiced)
        return max(0.0, self.product_uom_id.round(self.product_uom_qty - taken))

    def _channel_set_quantities(self, quantities):
        """Give lines other quantities at the price that was agreed: a break of the price table is for who orders, not
        for who transfers. Moves of the warehouse follow as Odoo has them follow. Lines with the same quantity are
        written at once.

        :param quantities: ``{line: quantity}``
        """
        names = ("price_unit", "technical_price_unit", "discount", "pricelist_item_id")
        prices = [self._fields[name] for name in names]
        with self.env.protecting(prices, self):
            for quantity, lines in self.grouped(quantities.get).items():
                lines.write({"product_uom_qty": quantity})
