from odoo import models

from ..tools.gate import GateLine


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _channel_gate_is_discount(self):
        """:return: whether this line only makes others cheaper"""
        self.ensure_one()
        return bool(
            self.price_unit < 0
            or self.sale_line_ids.filtered(lambda line: line._is_discount_line() or line._is_global_discount())
        )

    def _channel_gate_matters(self):
        """:return: whether goods or services are invoiced by this line"""
        self.ensure_one()
        return bool(
            self.product_id
            and self.display_type == "product"
            and not self.is_downpayment
            and self.quantity > 0
            and not self._channel_gate_is_discount()
        )

    def _channel_gate_amount(self):
        """:return: the amount net of the line's discount, without tax, unrounded, in the invoice's currency"""
        self.ensure_one()
        if not any(self.tax_ids.flatten_taxes_hierarchy().mapped("price_include")):
            return self.price_unit * (1 - (self.discount or 0.0) / 100) * self.quantity
        company = self.company_id or self.env.company
        base_line = self.move_id._prepare_product_base_line_for_taxes_computation(self)
        self.env["account.tax"]._add_tax_details_in_base_line(base_line, company, rounding_method="round_globally")
        return base_line["tax_details"]["raw_total_excluded_currency"]

    def _channel_gate_delivered(self):
        """How much of what these lines bill has left the warehouse and is billed by no other posted invoice.

        :return: ``{line: quantity in the product's own unit of measure}``; lines without a delivery left out
        """
        left, result = {}, {}
        for line in self:
            missing = line.product_uom_id._compute_quantity(
                line.quantity, line.product_id.uom_id, round=False, raise_if_failure=False
            )
            for order_line in line.sale_line_ids._origin:
                if order_line.qty_delivered_method != "stock_move":
                    continue
                if order_line not in left:
                    left[order_line] = order_line.product_uom_id._compute_quantity(
                        order_line.qty_delivered - order_line._channel_gate_billed(except_move=line.move_id._origin),
                        line.product_id.uom_id,
                        round=False,
                        raise_if_failure=False,
                    )
                taken = max(0.0, min(left[order_line], missing))
                left[order_line] -= taken
                missing -= taken
                result[line] = result.get(line, 0.0) + taken
        return result

    def _channel_gate_lines(self):
        """:return: list of ``GateLine`` of one invoice, discounts on the whole invoice spread over its lines"""
        amounts = {line: line._channel_gate_amount() for line in self if line._channel_gate_matters()}
        discount = sum(
            line._channel_gate_amount()
            for line in self
            if line.display_type == "product" and not line.is_downpayment and line._channel_gate_is_discount()
        )
        gross = sum(amounts.values())
        share = max(0.0, 1 + discount / gross) if gross else 1.0
        delivered = self.browse().union(*amounts)._channel_gate_delivered()
        result = []
        for line, amount in amounts.items():
            quantity = line.quantity
            if line.product_uom_id and line.product_uom_id != line.product_id.uom_id:
                quantity = line.product_uom_id._compute_quantity(
                    quantity, line.product_id.uom_id, round=False, raise_if_failure=False
                )
            result.append(
                GateLine(
                    key=line.id,
                    product=line.product_id,
                    quantity=quantity,
                    price_unit=amount * share / quantity if quantity else None,
                    record=line,
                    delivered=delivered.get(line, 0.0),
                )
            )
        return result
