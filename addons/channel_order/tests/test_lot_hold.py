from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import ChannelOrderCommon


@tagged("post_install", "-at_install")
class TestLotHold(ChannelOrderCommon):
    """A lot that is recalled, in doubt or expired is neither reserved nor delivered until somebody else releases it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lot = cls._channel_lot("LOT-1", quantity=5, expiration_date="2099-01-31")
        cls.other = cls._channel_lot("LOT-2", quantity=5, expiration_date="2099-02-28")

    def _hold(self, lot=None, reason="recall", user=None):
        Hold = self.env["channel.lot.hold"].with_user(user or self.user_compliance)
        return Hold.hold((lot or self.lot).ids, reason, "R-2026-1")

    def test_not_reserved(self):
        self._hold()
        order = self._order([(self.device, 8)])
        order.picking_ids.action_assign()
        self.assertEqual(order.picking_ids.move_line_ids.lot_id, self.other)
        self.assertEqual(order.picking_ids.move_ids.quantity, 5)
        # What is held still moves inside, to quarantine
        move = self.env["stock.move"].create({
            "product_id": self.device.id, "product_uom_qty": 10,
            "location_id": self._channel_warehouse().lot_stock_id.id,
            "location_dest_id": self.env["stock.location"].create({
                "name": "Quarantine", "usage": "internal", "company_id": self.company.id,
            }).id,
        })
        order.picking_ids.do_unreserve()
        move._action_confirm()
        move._action_assign()
        self.assertEqual(move.quantity, 10)

    def test_not_delivered(self):
        self._channel_severity("lot_hold", "block")
        order = self._order([(self.device, 2)])
        self._hold()
        with self.assertRefused("lot_hold") as caught, self.cr.savepoint():
            self._channel_deliver(order, self.lot)
        self.assertIn("LOT-1", str(caught.exception))
        self.assertIn("R-2026-1", str(caught.exception))
        self._channel_deliver(order, self.other)
        self.assertEqual(order.picking_ids.state, "done")

    def test_released_by_somebody_else_with_a_reason(self):
        self._hold()
        hold = self.lot.channel_hold_ids
        self.assertTrue(self.lot.channel_is_held)
        hold.release_note = "The maker withdrew the recall"
        for user, error in ((self.user_compliance, UserError), (self.user_manager, AccessError)):
            with self.assertRaises(error), self.cr.savepoint():
                hold.with_user(user).action_release()
        colleague = self.user_compliance.copy({"login": "colleague", "name": "Colleague"})
        hold.release_note = False
        with self.assertRaises(UserError), self.cr.savepoint():
            hold.with_user(colleague).action_release()
        hold.release_note = "The maker withdrew the recall"
        hold.with_user(colleague).action_release()
        self.assertFalse(self.lot.channel_is_held)
        self._hold()
        self.assertTrue(self.lot.channel_is_held, "it may be held again")

    def test_a_recall_says_where_the_lot_is(self):
        order = self._order([(self.device, 2)])
        self._channel_deliver(order, self.lot)
        [where] = self._hold()
        self.assertEqual((where["lot"], where["on_hand"]), ("LOT-1", 3))
        self.assertEqual(
            [(row["partner"], row["quantity"]) for row in where["delivered"]], [(self.dealer.display_name, 2)]
        )
        self.assertEqual(len(self._hold()), 1)
        self.assertEqual(len(self.lot.channel_hold_ids), 1, "held once")

    def test_bad_input(self):
        Hold = self.env["channel.lot.hold"].with_user(self.user_compliance)
        for arguments in (([0], "recall", "R"), ([], "recall", "R"), (self.lot.ids, "mood", "R"),
                          (self.lot.ids, "recall", " ")):
            with self.assertRaises(ValidationError):
                Hold.hold(*arguments)
        with self.assertRaises(AccessError):
            self._hold(user=self.user_sales)
        self._hold()
        with self.assertRaises(UserError):
            self.lot.channel_hold_ids.unlink()

    def test_what_has_expired_is_held_by_itself(self):
        Hold = self.env["channel.lot.hold"]
        self.lot.expiration_date = "2026-03-01 00:00:00"
        with freeze_time("2026-02-28 23:00:00"):
            Hold._cron_expired()
            self.assertFalse(self.lot.channel_is_held, "not before its day")
        with freeze_time("2026-03-01 01:00:00"):
            Hold._cron_expired()
            Hold._cron_expired()
        hold = self.lot.channel_hold_ids
        self.assertRecordValues(hold, [{"reason": "expired", "state": "held"}])
        self.assertTrue(self.env["channel.alert"].search([("source", "=", "channel_lot_hold")]))
        with self.assertRaises(UserError):
            hold.with_user(self.user_compliance).action_release()
        self.lot.expiration_date = "2099-03-01 00:00:00"
        Hold._cron_expired()
        self.assertEqual((hold.state, self.lot.channel_is_held), ("released", False))
        self.assertTrue(self.other.exists())

    def test_held_lots_are_not_allocated(self):
        self._hold()
        order = self._order([(self.device, 8)])
        order.picking_ids.do_unreserve()
        allocation = self.env["channel.allocation"].create({"product_ids": self.device.ids})
        allocation.action_preview()
        self.assertEqual(allocation.line_ids.allocated, 5)
        allocation.action_apply()
        self.assertEqual(order.picking_ids.move_line_ids.lot_id, self.other)
