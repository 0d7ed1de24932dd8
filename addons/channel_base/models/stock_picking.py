from odoo import api, fields, models


class StockPicking(models.Model):
    _name = "stock.picking"
    _inherit = ["stock.picking", "channel.gate.document.mixin"]

    _channel_gate_operation = "delivery"

    channel_end_customer_id = fields.Many2one(
        "res.partner",
        string="End Customer",
        compute="_compute_channel_end_customer_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        check_company=True,
        help="The hospital for which the goods were ordered.",
    )

    @api.depends("sale_id.channel_end_customer_id")
    def _compute_channel_end_customer_id(self):
        for picking in self:
            # What has left stays as it left.
            if picking.sale_id and picking.state not in ("done", "cancel"):
                picking.channel_end_customer_id = picking.sale_id.channel_end_customer_id
            else:
                picking.channel_end_customer_id = picking.channel_end_customer_id

    # === GATE === #

    def _channel_gate_depends(self):
        return [
            "state",
            "partner_id",
            "channel_end_customer_id",
            "scheduled_date",
            "move_ids.product_id",
            "move_ids.product_uom_qty",
            "move_ids.quantity",
            "move_line_ids.lot_id",
            "move_line_ids.quantity",
        ]

    def _channel_gate_is_pending(self):
        self.ensure_one()
        return self.state not in ("done", "cancel")

    def _channel_gate_requests(self, operation):
        if operation != "delivery":
            return super()._channel_gate_requests(operation)
        return self.move_ids._channel_gate_requests(operation)
