from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

#: Written by the transfer itself
OUTCOME = {"new_line_id", "returned_quantity"}


class ChannelOrderTransferLine(models.Model):
    """How much of one order line goes to the other party."""

    _name = "channel.order.transfer.line"
    _description = "Order Transfer Line"
    _order = "transfer_id, id"
    _rec_name = "product_id"

    transfer_id = fields.Many2one("channel.order.transfer", required=True, ondelete="cascade", index=True)
    order_line_id = fields.Many2one(
        "sale.order.line", required=True, ondelete="restrict", index=True,
        # Its name tells the number and the reference of the other side's order
        groups="base.group_user",
    )
    product_id = fields.Many2one(
        "product.product", related="order_line_id.product_id", store=True, precompute=True, index=True
    )
    product_uom_id = fields.Many2one("uom.uom", related="order_line_id.product_uom_id", string="Unit")
    ordered_quantity = fields.Float(
        related="order_line_id.product_uom_qty", string="Ordered", groups="base.group_user"
    )
    open_quantity = fields.Float(
        string="Can Be Moved", compute="_compute_open_quantity", digits="Product Unit", groups="base.group_user",
        # Who sees the transfer from its other side need not see the order
        compute_sudo=True,
        help="Ordered, less what is delivered, picked for delivery, or invoiced.",
    )
    quantity = fields.Float(
        digits="Product Unit", required=True, compute="_compute_quantity", store=True, readonly=False, precompute=True,
        help="How much goes to the other party, in the unit of the order line.",
    )
    new_line_id = fields.Many2one(
        "sale.order.line", string="New Order Line", readonly=True, copy=False, ondelete="restrict",
        index="btree_not_null", groups="base.group_user",
    )
    returned_quantity = fields.Float(
        string="Taken Back", digits="Product Unit", readonly=True, copy=False,
        help="What came back to the order because the transfer was taken back.",
    )

    _quantity_positive = models.Constraint(
        "CHECK(quantity > 0)",
        "Quantity: what is transferred must be more than nothing. Delete lines that stay with the order.",
    )
    _order_line_once = models.UniqueIndex(
        "(transfer_id, order_line_id)", "An order line stands in a transfer once: its quantity would be moved twice."
    )

    # === COMPUTE METHODS === #

    @api.depends("order_line_id")
    def _compute_open_quantity(self):
        # What is neither delivered nor invoiced depends on the warehouse and the accountant: asked each time it is read
        open_quantities = self.order_line_id._channel_transferable()
        for line in self:
            line.open_quantity = open_quantities.get(line.order_line_id, 0.0)

    @api.depends("order_line_id")
    def _compute_quantity(self):
        for line in self:
            line.quantity = line.quantity or line.open_quantity

    # === CONSTRAINT METHODS === #

    @api.constrains("order_line_id", "quantity", "transfer_id")
    def _check_quantity(self):
        for line in self:
            transfer = line.transfer_id
            if line.order_line_id.order_id != transfer.order_id:
                raise ValidationError(self.env._(
                    "Order Line: “%(line)s” belongs to order %(other)s, and the transfer is of %(order)s. Choose a "
                    "line of that order.",
                    line=line.order_line_id.name, other=line.order_line_id.order_id.name, order=transfer.order_id.name,
                ))
        self.filtered(lambda line: line.transfer_id.state == "draft")._check_open()

    def _check_open(self):
        """:raise ValidationError: more would be moved than is there to be moved"""
        open_quantities = self.order_line_id._channel_transferable()
        for line in self:
            available = open_quantities.get(line.order_line_id, 0.0)
            source = line.order_line_id
            if source.product_uom_id.compare(line.quantity, available) > 0:
                raise ValidationError(self.env._(
                    "Quantity of %(product)s: %(quantity)s cannot be transferred, %(available)s %(uom)s can. Of order "
                    "%(order)s, %(ordered)s are ordered now, %(delivered)s delivered, %(invoiced)s invoiced; the rest "
                    "was transferred before or is being picked. Enter at most %(available)s, or delete the line.",
                    product=source.product_id.display_name, quantity=f"{line.quantity:g}",
                    available=f"{available:g}", uom=source.product_uom_id.name, order=source.order_id.name,
                    ordered=f"{source.product_uom_qty:g}", delivered=f"{source.qty_delivered:g}",
                    invoiced=f"{source.qty_invoiced:g}",
                ))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_outcome(vals)
        lines = super().create(vals_list)
        lines._terms_touched()
        return lines

    def write(self, vals):
        self._check_outcome(vals)
        if vals.keys() - OUTCOME:
            self._terms_touched()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_approved(self):
        self._terms_touched()

    @api.model
    def _check_outcome(self, vals):
        if OUTCOME & vals.keys() and not self.env.su:
            raise UserError(self.env._("What became of a transferred line is written by the transfer itself."))

    def _terms_touched(self):
        """Lines are terms of their transfer: who changes them is an author of it, and only drafts change."""
        for transfer in self.transfer_id:
            if transfer.state != "draft":
                raise UserError(self.env._(
                    "%s is not a draft any more: its lines cannot be changed.", transfer.display_name
                ))
        self.transfer_id.write({"line_ids": []})

    # === BUSINESS METHODS === #

    def _came_over(self):
        """:return: what went over and did not come back, in the unit of the line"""
        self.ensure_one()
        return self.quantity - self.returned_quantity

    def _can_come_back(self):
        """:return: how much of the line can still come back, in the unit of the source line: what the other order has
        neither delivered nor invoiced, and at most what went over"""
        self.ensure_one()
        new, source = self.new_line_id, self.order_line_id
        if not new or new.product_id != source.product_id:
            return 0.0
        untouched = new.product_uom_id._compute_quantity(
            new._channel_untouched(), source.product_uom_id, rounding_method="DOWN", raise_if_failure=False
        )
        return max(0.0, min(self._came_over(), untouched))
