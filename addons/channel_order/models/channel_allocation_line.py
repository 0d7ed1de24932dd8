from odoo import api, fields, models


class ChannelAllocationLine(models.Model):
    """What one line of an order asks for and gets."""

    _name = "channel.allocation.line"
    _description = "Line of an Allocation"
    _order = "allocation_id, product_id, place, id"
    _rec_name = "product_id"

    allocation_id = fields.Many2one("channel.allocation", required=True, readonly=True, ondelete="cascade", index=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    move_id = fields.Many2one("stock.move", required=True, readonly=True, ondelete="cascade", index=True)
    sale_line_id = fields.Many2one("sale.order.line", string="Order Line", readonly=True, ondelete="cascade")
    order_id = fields.Many2one(related="sale_line_id.order_id")
    product_id = fields.Many2one("product.product", readonly=True, ondelete="cascade")
    member_id = fields.Many2one("res.partner", readonly=True, ondelete="cascade")
    place = fields.Integer(
        readonly=True, help="In the order of the rules, of those who want the product.", aggregator=None
    )
    wanted = fields.Float(digits="Product Unit", readonly=True)
    supply = fields.Float(string="There", digits="Product Unit", readonly=True, aggregator=None)
    before = fields.Float(
        string="Wanted before", digits="Product Unit", readonly=True, aggregator=None,
        help="By those whose turn comes earlier.",
    )
    allocated = fields.Float(digits="Product Unit", readonly=True)
    is_short = fields.Boolean(string="Gets Less", readonly=True)
    move_quantity = fields.Float(string="In the Unit of the Delivery", compute="_compute_move_quantity")
    reason = fields.Char(compute="_compute_reason")

    @api.depends("allocated", "move_id.product_uom")
    def _compute_move_quantity(self):
        for line in self:
            line.move_quantity = line.product_id.uom_id._compute_quantity(
                line.allocated, line.move_id.product_uom, round=False
            )

    @api.depends("place", "wanted", "supply", "before", "allocated")
    def _compute_reason(self):
        for line in self:
            values = {
                "place": line.place, "wanted": f"{line.wanted:g}", "supply": f"{line.supply:g}",
                "before": f"{line.before:g}", "allocated": f"{line.allocated:g}",
            }
            if not line.is_short:
                line.reason = self.env._("All %(wanted)s", **values)
            elif line.allocation_id.method == "fair":
                line.reason = self.env._(
                    "%(allocated)s of %(wanted)s: its part of the %(supply)s that are there", **values
                )
            else:
                line.reason = self.env._(
                    "%(allocated)s of %(wanted)s: place %(place)s, %(before)s of the %(supply)s that are there go to "
                    "those before", **values,
                )
