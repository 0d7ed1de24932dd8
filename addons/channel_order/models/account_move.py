from odoo import api, fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    channel_order_ids = fields.Many2many(
        "sale.order", string="Orders Invoiced", compute="_compute_channel_order_ids", compute_sudo=True,
        groups="sales_team.group_sale_salesman",
    )
    channel_picking_ids = fields.Many2many(
        "stock.picking", string="Deliveries Invoiced", compute="_compute_channel_order_ids", compute_sudo=True,
        groups="stock.group_stock_user", help="Done deliveries and returns of the order lines on the invoice.",
    )

    channel_claim_id = fields.Many2one(
        "channel.claim", string="Claim", readonly=True, copy=False, index="btree_not_null", check_company=True
    )

    @api.depends("invoice_line_ids.sale_line_ids")
    def _compute_channel_order_ids(self):
        for move in self:
            lines = move.invoice_line_ids.sale_line_ids
            move.channel_order_ids = lines.order_id
            move.channel_picking_ids = lines.move_ids.filtered(lambda stock: stock.state == "done").picking_id
