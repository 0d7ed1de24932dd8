from odoo import fields, models

from ..tools.gate import GateLine, GateRequest


class StockMove(models.Model):
    _inherit = "stock.move"

    def _action_done(self, cancel_backorder=False):
        """The gate stands here because every delivery ends in this method, with or without a picking.

        The goods are judged as they leave, lot by lot, after Odoo has settled what leaves and what stays for a
        backorder. Within a savepoint, so that a caller who catches the refusal is left with nothing moved.
        """
        if not any(move._channel_gate_is_delivery() for move in self):
            return super()._action_done(cancel_backorder=cancel_backorder)
        with self.env.cr.savepoint():
            done = super()._action_done(cancel_backorder=cancel_backorder)
            delivered = done.filtered(lambda move: move.state == "done" and move._channel_gate_is_delivery())
            # The other moves of the same pickings, so that the findings stored are those of the whole document.
            self.env["channel.gate"]._enforce("delivery", delivered | delivered.picking_id.move_ids)
        return done

    # === GATE === #

    def _channel_gate_is_delivery(self):
        """:return: whether the goods leave for a customer: from stock, or straight from a supplier"""
        self.ensure_one()
        return self.location_dest_id.usage == "customer" and self.location_id.usage != "customer"

    def _channel_gate_requests(self, operation):
        """One request for each document and sales order; the member is who ordered, not where the goods go.

        :return: list of ``GateRequest``, their record is the picking, or the move when it has none
        """
        if operation != "delivery":
            return []
        groups = {}
        for move in self:
            if move.state != "cancel" and move._channel_gate_is_delivery():
                key = (move.picking_id or move, move.sale_line_id.order_id)
                groups.setdefault(key, []).append(move)
        result = []
        for (record, order), moves in groups.items():
            moves = self.browse().union(*moves) if len(moves) > 1 else moves[0]
            partner = order.partner_id or moves.picking_id.partner_id or moves.partner_id[:1]
            customer = moves.picking_id.channel_end_customer_id or order.channel_end_customer_id
            company = moves.company_id[:1] or self.env.company
            result.append(
                GateRequest(
                    operation=operation,
                    company=company,
                    date=moves._channel_gate_date(company),
                    member=partner.commercial_partner_id,
                    customer=customer.commercial_partner_id,
                    lines=[line for move in moves for line in move._channel_gate_lines()],
                    record=record,
                    currency=order.currency_id or company.currency_id,
                )
            )
        return result

    def _channel_gate_date(self, company):
        """:return: the day on which the goods left; for those still here the planned day, or today when that is past"""
        done = [move.date for move in self if move.state == "done"]
        if done:
            return company._channel_date(max(done))
        return company._channel_date(max([fields.Datetime.now(), *(move.date for move in self if move.date)]))

    def _channel_gate_lines(self):
        """:return: list of ``GateLine``: one for each lot that leaves, one for what has no lot assigned yet"""
        self.ensure_one()
        product = self.product_id
        price = self.sale_line_id._channel_gate_extent()[2] if self.sale_line_id else None
        lines, assigned = [], 0.0
        for move_line in self.move_line_ids:
            quantity = move_line.product_uom_id._compute_quantity(
                move_line.quantity, product.uom_id, round=False, raise_if_failure=False
            )
            if quantity <= 0:
                continue
            assigned += quantity
            lines.append(
                GateLine(
                    key=move_line.id,
                    product=product,
                    quantity=quantity,
                    price_unit=price,
                    lot=move_line.lot_id or None,
                    record=move_line,
                )
            )
        missing = self.product_qty - assigned
        if self.state != "done" and product and product.uom_id.compare(missing, 0.0) > 0:
            lines.append(GateLine(key=self.id, product=product, quantity=missing, price_unit=price, record=self))
        return lines
