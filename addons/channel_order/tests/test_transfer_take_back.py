from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .test_transfer import ChannelTransferCommon


@tagged("post_install", "-at_install")
class TestTransferTakeBack(ChannelTransferCommon):
    def _take_back(self, transfer, user=None):
        transfer.with_user(user or self.user_manager).action_take_back("The dealer can deliver again")

    def test_whole(self):
        """The new order is cancelled, and the old one is what it was."""
        transfer = self._transfer(approve=True)
        self._take_back(transfer)
        self.assertRecordValues(transfer, [{
            "state": "returned", "take_back_reason": "The dealer can deliver again",
            "taken_back_by_id": self.user_manager.id,
        }])
        self.assertEqual(transfer.new_order_id.state, "cancel")
        self.assertEqual(self._open_moves(transfer.new_order_id), {})
        self.assertRecordValues(self.order.order_line, [
            {"product_uom_qty": 10, "price_unit": 90}, {"product_uom_qty": 20, "price_unit": 10},
        ])
        self.assertEqual(self._open_moves(self.order), {self.device: 10, self.consumable: 20})
        self.assertEqual(transfer.line_ids.mapped("returned_quantity"), [10, 20])

    def test_a_partial_delivery_limits_what_comes_back(self):
        transfer = self._transfer(approve=True)
        new = transfer.new_order_id
        self._deliver(new, {new.order_line[0]: 3})
        self._take_back(transfer)
        self.assertEqual(new.state, "sale")
        self.assertEqual(new.order_line.mapped("product_uom_qty"), [3, 0])
        self.assertEqual(self._open_moves(new), {})
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [7, 20])
        self.assertEqual(self._open_moves(self.order), {self.device: 7, self.consumable: 20})

    def test_what_is_invoiced_does_not_come_back(self):
        self.device.invoice_policy = "order"
        transfer = self._transfer({self.device_line: 4}, approve=True)
        transfer.new_order_id._create_invoices()
        with self.assertRaises(UserError) as catcher:
            self._take_back(transfer)
        self.assertIn("return delivery and a credit note", str(catcher.exception))
        self.assertEqual((transfer.state, self.device_line.product_uom_qty), ("approved", 6))

    def test_of_a_quotation(self):
        """The gate did not let the new order be confirmed: it is cancelled all the same."""
        self._channel_severity("price_floor", "block")
        self._channel_price_limit(99)
        transfer = self._transfer({self.device_line: 4}, approve=True)
        self.assertEqual(transfer.new_order_id.state, "draft")
        self._channel_severity("price_floor", "off")
        self._take_back(transfer)
        self.assertEqual((transfer.new_order_id.state, self.device_line.product_uom_qty), ("cancel", 10))

    def test_new_order_was_cancelled_by_hand(self):
        transfer = self._transfer({self.device_line: 4}, approve=True)
        transfer.new_order_id._action_cancel()
        self._take_back(transfer)
        self.assertEqual(self.device_line.product_uom_qty, 10)

    def test_new_order_was_transferred_further(self):
        """What has gone on to a third party does not come back from the second."""
        transfer = self._transfer({self.device_line: 6}, approve=True)
        further = self._transfer(
            {transfer.new_order_id.order_line: 4}, order=transfer.new_order_id, target_partner_id=self.sub_dealer.id,
            approve=True,
        )
        self._take_back(transfer)
        self.assertEqual(self.device_line.product_uom_qty, 6)
        self.assertEqual(further.new_order_id.order_line.product_uom_qty, 4)
        self._take_back(further)
        self.assertEqual(transfer.new_order_id.order_line.product_uom_qty, 4)

    def test_what_was_added_to_the_new_order_stays(self):
        transfer = self._transfer({self.device_line: 4}, approve=True)
        new = transfer.new_order_id
        new.order_line = [Command.create({"product_id": self.consumable.id, "product_uom_qty": 5})]
        self._take_back(transfer)
        self.assertEqual((new.state, new.order_line.mapped("product_uom_qty")), ("sale", [0, 5]))

    def test_once_only(self):
        transfer = self._transfer({self.device_line: 4}, approve=True)
        self._take_back(transfer)
        with self.assertRaises(UserError):
            self._take_back(transfer)
        self.assertEqual(self.device_line.product_uom_qty, 10)

    def test_the_old_dealer_is_judged_again(self):
        """What comes back is ordered again: not by somebody who may not buy any more."""
        transfer = self._transfer({self.device_line: 4}, approve=True)
        self.dealer._channel_change({"channel_state": "suspended"}, reason="Test")
        with self.assertRefused("member_state"):
            self._take_back(transfer)
        self.assertEqual((transfer.state, self.device_line.product_uom_qty), ("approved", 6))

    def test_cancelled_order_cannot_take_it(self):
        transfer = self._transfer({self.device_line: 4}, approve=True)
        self.order._action_cancel()
        with self.assertRaises(UserError) as catcher:
            self._take_back(transfer)
        self.assertIn(self.order.name, str(catcher.exception))

    def test_by_a_manager_with_a_reason(self):
        transfer = self._transfer({self.device_line: 4}, approve=True)
        with self.assertRaises(AccessError):
            self._take_back(transfer, user=self.user_sales)
        action = transfer.with_user(self.user_manager).action_take_back()
        form = Form(self.env[action["res_model"]].with_user(self.user_manager).with_context(**action["context"]))
        form.reason = "Wrong dealer"
        form.save().action_decide()
        self.assertEqual((transfer.state, transfer.take_back_reason), ("returned", "Wrong dealer"))
        entry = self.env["channel.audit.entry"].sudo().search(
            [("model", "=", transfer._name), ("res_id", "=", transfer.id), ("action", "=", "order.transfer_taken_back")]
        )
        self.assertEqual((entry.user_id, entry.reason), (self.user_manager, "Wrong dealer"))

    def test_drafts_are_cancelled(self):
        transfer = self._transfer()
        transfer.with_user(self.user_sales).action_cancel()
        self.assertEqual((transfer.state, self.device_line.product_uom_qty), ("cancelled", 10))
        with self.assertRaises(UserError):
            self._take_back(transfer)
        transfer.with_user(self.user_sales).action_draft()
        transfer.with_user(self.user_manager).action_approve()
        self.assertEqual(transfer.state, "approved")
