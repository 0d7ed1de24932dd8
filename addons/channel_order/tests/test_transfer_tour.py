from odoo.tests import HttpCase, tagged

from .test_transfer import ChannelTransferCommon


@tagged("post_install", "-at_install")
class TestTransferTour(HttpCase, ChannelTransferCommon):
    """From the button of the order to the approved transfer, in a browser."""

    def test_transfer(self):
        self.start_tour(
            f"/odoo/action-sale.action_orders/{self.order.id}", "channel_order_transfer_draft",
            login=self.user_sales.login,
        )
        transfer = self.env["channel.order.transfer"].search([("order_id", "=", self.order.id)])
        self.assertRecordValues(transfer, [{
            "state": "draft", "kind": "dealer", "target_partner_id": self.east_dealer.id,
            "reason": "No stock before the operation", "create_uid": self.user_sales.id,
        }])
        self.assertEqual(transfer.line_ids.mapped("quantity"), [4, 20])
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [10, 20], "nothing moves before the approval")

        self.start_tour(
            "/odoo/channel-order-transfers", "channel_order_transfer_approve", login=self.user_manager.login
        )
        self.env.invalidate_all()
        self.assertRecordValues(transfer, [{"state": "approved", "approved_by_id": self.user_manager.id}])
        self.assertRecordValues(transfer.new_order_id, [{"state": "sale", "partner_id": self.east_dealer.id}])
        self.assertEqual(transfer.new_order_id.order_line.mapped("product_uom_qty"), [4, 20])
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [6, 0])
