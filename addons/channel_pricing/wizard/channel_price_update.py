from odoo import api, fields, models
from odoo.exceptions import UserError


class ChannelPriceUpdate(models.TransientModel):
    """What updating the prices of a quotation would change, before it does: the lines to change are chosen.

    A quotation that was sent keeps its prices until somebody decides otherwise, here. Lines whose price was agreed
    (special price, contract) are not chosen unless somebody ticks them.
    """

    _name = "channel.price.update"
    _description = "Update Prices of a Quotation"

    order_id = fields.Many2one("sale.order", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="order_id.currency_id")
    validity_date = fields.Date(related="order_id.validity_date")
    is_promised = fields.Boolean(
        compute="_compute_is_promised", help="The quotation was sent and is still valid: its prices were promised."
    )
    line_ids = fields.One2many("channel.price.update.line", "update_id", string="Prices that Change")

    @api.depends("order_id")
    def _compute_is_promised(self):
        for wizard in self:
            order = wizard.order_id
            wizard.is_promised = order.state == "sent" and not order.is_expired

    @api.model
    def _preview(self, order):
        """What each line costs now and by the price table: done, looked at, and taken back."""
        lines = order.order_line
        before = {line: (line.price_unit, line.discount, line.price_subtotal) for line in lines}
        agreed = lines.filtered(lambda line: line._channel_price_is_agreed())
        with self.env.cr.savepoint() as savepoint:
            order.with_context(channel_price_update_lines=lines.ids)._recompute_prices()
            after = {line: (line.price_unit, line.discount, line.price_subtotal) for line in lines.exists()}
            savepoint.rollback()
        return [
            {
                "order_line_id": line.id,
                "chosen": line not in agreed,
                "is_agreed": line in agreed,
                "price_before": before[line][0],
                "discount_before": before[line][1],
                "subtotal_before": before[line][2],
                "price_after": after[line][0],
                "discount_after": after[line][1],
                "subtotal_after": after[line][2],
            }
            for line in lines
            if line in after and after[line] != before[line]
        ]

    def action_update(self):
        """Reprice the lines that are ticked."""
        self.ensure_one()
        order = self.order_id
        order.check_access("write")
        if order.state not in ("draft", "sent"):
            raise UserError(self.env._("%s is not a quotation any more.", order.display_name))
        chosen = self.line_ids.filtered("chosen").order_line_id
        if not chosen:
            raise UserError(self.env._("Prices that Change: tick the lines to update, or discard."))
        reason = self.env._("Updated by decision")
        order._channel_update_prices(chosen, reason)
        order.message_post(body=self.env._("Prices of %s lines updated by decision.", len(chosen)))
        return {"type": "ir.actions.act_window_close"}
