from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleOrder(models.Model):
    _inherit = "sale.order"

    channel_tender_reference = fields.Char(
        string="Tender Reference", tracking=True, help="Number of the tender or award by which the end customer buys."
    )
    channel_transfer_ids = fields.One2many(
        "channel.order.transfer", "order_id", string="Order Transfers", groups="channel_base.group_channel_user"
    )
    channel_incoming_transfer_ids = fields.One2many(
        "channel.order.transfer", "new_order_id", string="Made by Transfer", groups="channel_base.group_channel_user"
    )
    channel_transferred_from_id = fields.Many2one(
        "sale.order", string="Transferred from", readonly=True, copy=False, index="btree_not_null",
        ondelete="restrict", groups="channel_base.group_channel_user",
        help="The order of which this one took over what was not delivered.",
    )
    channel_transfer_count = fields.Integer(
        string="Number of Transfers", compute="_compute_channel_transfer_count",
        groups="channel_base.group_channel_user",
    )

    # === COMPUTE METHODS === #

    @api.depends("channel_transfer_ids", "channel_incoming_transfer_ids")
    def _compute_channel_transfer_count(self):
        for order in self:
            order.channel_transfer_count = len(order.channel_transfer_ids | order.channel_incoming_transfer_ids)

    # === ACTION METHODS === #

    def action_channel_transfer(self):
        """Open a new transfer of what is not delivered yet, with the best proposal filled in.

        :raise UserError: the order is not confirmed, or nothing is left to transfer
        """
        self.ensure_one()
        self._channel_check_transferable()
        if not self.order_line._channel_transferable():
            raise UserError(self.env._(
                "%s: nothing is left to transfer, everything is delivered, being delivered, or invoiced.", self.name
            ))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Order Transfer"),
            "res_model": "channel.order.transfer",
            "view_mode": "form",
            "context": {"default_order_id": self.id},
        }

    def action_channel_view_transfers(self):
        self.ensure_one()
        transfers = self.channel_transfer_ids | self.channel_incoming_transfer_ids
        return transfers._get_records_action(name=self.env._("Order Transfers"))

    # === BUSINESS METHODS === #

    def _channel_check_transferable(self):
        """:raise UserError: the order is in no state in which its quantities can be lowered or raised"""
        states = dict(self._fields["state"]._description_selection(self.env))
        for order in self:
            if order.state != "sale":
                raise UserError(self.env._(
                    "Order %(order)s: its state is “%(state)s”, and only confirmed orders are transferred. Confirm it "
                    "first; of a quotation, change the customer instead.",
                    order=order.name, state=states[order.state],
                ))
            if order.locked:
                raise UserError(self.env._(
                    "Order %s is locked, so that its quantities cannot change. Unlock it first.", order.name
                ))

    @api.model
    def _channel_transfer_kept_fields(self):
        """:return: names of fields that are the same on the order that a transfer makes"""
        return ["channel_end_customer_id", "commitment_date", "client_order_ref", "channel_tender_reference"]

    def _channel_transfer_notes(self):
        """What the dealer of this order is told about its transfers: names and quantities, and no price of the other.

        :return: list of ``{text, lines: [(product, quantity, unit)]}``
        """
        self.ensure_one()
        notes = []
        # sudo: the portal shows the own order; of the other side only its name and the quantities are told
        order = self.sudo()
        for transfer in order.channel_transfer_ids.filtered("new_order_id"):
            notes.append(transfer._portal_note(transfer._portal_text_out()))
        for transfer in order.channel_incoming_transfer_ids:
            notes.append(transfer._portal_note(transfer._portal_text_in()))
        return notes
