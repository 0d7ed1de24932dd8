from odoo import api, models

from ..tools.gate import GateLine
from .sale_order import ORDER_IS_EVALUATED


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.context.get("channel_gate_order") is ORDER_IS_EVALUATED:
            return super().create(vals_list)
        orders = self.env["sale.order"].browse(
            {vals["order_id"] for vals in vals_list if vals.get("order_id") and not vals.get("display_type")}
        )
        if not any(order.state == "sale" for order in orders):
            return super().create(vals_list)
        with self.env.cr.savepoint():
            lines = super().create(vals_list)
            asked = lines.filtered(lambda line: line.state == "sale" and line._channel_gate_matters())
            self.env["channel.gate"]._enforce("order", asked.order_id)
        return lines

    def write(self, vals):
        """A line that is raised, made cheaper or given another product after the order was confirmed is asked about
        as if it were ordered now: the whole order, once."""
        if (
            self.env.context.get("channel_gate_order") is ORDER_IS_EVALUATED
            or not self._channel_gate_fields() & vals.keys()
        ):
            return super().write(vals)
        confirmed = self.filtered(lambda line: line.state == "sale")
        if not confirmed:
            return super().write(vals)
        before = {line: line._channel_gate_extent() for line in confirmed}
        with self.env.cr.savepoint():
            result = super().write(vals)
            grown = confirmed.filtered(lambda line: line._channel_gate_has_grown(before[line]))
            self.env["channel.gate"]._enforce("order", grown.order_id)
        return result

    # === GATE === #

    @api.model
    def _channel_gate_fields(self):
        """:return: set of the fields that make up what the gate is asked"""
        return {"product_id", "product_uom_qty", "product_uom_id", "price_unit", "discount", "tax_ids"}

    def _channel_gate_billed(self, except_move):
        """:return: the quantity that posted invoices less credit notes bill, this one left out; in the unit of the line
        """
        self.ensure_one()
        billed = 0.0
        for line in self.invoice_lines:
            move = line.move_id
            if move == except_move or move.state != "posted" or not line.product_uom_id:
                continue
            quantity = line.product_uom_id._compute_quantity(
                line.quantity, self.product_uom_id, round=False, raise_if_failure=False
            )
            billed -= quantity * move.direction_sign
        return billed

    def _channel_gate_matters(self):
        """:return: whether goods or services are ordered by this line; sections, notes, down payments, discounts
        and what is taken back are not"""
        self.ensure_one()
        return bool(
            self.product_id
            and not self.display_type
            and not self.is_downpayment
            and self.product_uom_qty > 0
            and not self._channel_gate_is_discount()
        )

    def _channel_gate_is_discount(self):
        """:return: whether this line only makes others cheaper: Odoo's global discount, or any negative price"""
        self.ensure_one()
        return bool(self._is_discount_line() or self._is_global_discount() or self.price_unit < 0)

    def _channel_gate_extent(self):
        """:return: ``(product, quantity in its unit, net price)`` to compare a line with itself"""
        self.ensure_one()
        quantity = self._channel_gate_quantity()
        amount = self._channel_gate_amount()
        return self.product_id, quantity, amount / quantity if quantity else 0.0

    def _channel_gate_has_grown(self, before):
        self.ensure_one()
        product, quantity, price = before
        now_product, now_quantity, now_price = self._channel_gate_extent()
        if not now_product or self.display_type or now_product.uom_id.is_zero(now_quantity):
            # Of a line that orders nothing any more, nothing has become cheaper
            return False
        return (
            now_product != product
            or now_product.uom_id.compare(now_quantity, quantity) > 0
            or self.currency_id.compare_amounts(now_price, price) < 0
        )

    def _channel_gate_quantity(self):
        """:return: the quantity in the product's own unit, unrounded"""
        self.ensure_one()
        product = self.product_id
        if not self.product_uom_id or self.product_uom_id == product.uom_id:
            return self.product_uom_qty
        return self.product_uom_id._compute_quantity(
            self.product_uom_qty, product.uom_id, round=False, raise_if_failure=False
        )

    def _channel_gate_amount(self):
        """:return: the line's amount net of its discount, without tax, unrounded, in the order's currency.

        Unrounded, because a price just at its floor must not be refused for the rounding of a subtotal.
        """
        self.ensure_one()
        if not any(self.tax_ids.flatten_taxes_hierarchy().mapped("price_include")):
            return self.price_unit * (1 - (self.discount or 0.0) / 100) * self.product_uom_qty
        company = self.company_id or self.env.company
        base_line = self._prepare_base_line_for_taxes_computation()
        self.env["account.tax"]._add_tax_details_in_base_line(base_line, company, rounding_method="round_globally")
        return base_line["tax_details"]["raw_total_excluded_currency"]

    def _channel_gate_lines(self):
        """:return: list of ``GateLine`` of one order, discounts on the whole order spread over its lines"""
        amounts = {line: line._channel_gate_amount() for line in self if line._channel_gate_matters()}
        discount = sum(
            line._channel_gate_amount()
            for line in self
            if not line.display_type and not line.is_downpayment and line._channel_gate_is_discount()
        )
        gross = sum(amounts.values())
        share = max(0.0, 1 + discount / gross) if gross else 1.0
        result = []
        for line, amount in amounts.items():
            quantity = line._channel_gate_quantity()
            result.append(
                GateLine(
                    key=line.id,
                    product=line.product_id,
                    quantity=quantity,
                    price_unit=amount * share / quantity if quantity else None,
                    record=line,
                )
            )
        return result
