from odoo.tests import HttpCase, tagged

from .ordering_common import ChannelOrderingCommon


@tagged("post_install", "-at_install")
class TestOrderTour(HttpCase, ChannelOrderingCommon):
    """A dealer orders on a phone, from a pasted list, for a hospital."""

    browser_size = "390x844"
    touch_enabled = True

    def test_order_on_a_phone(self):
        self._channel_lot("L1", quantity=100, expiration_date="2099-12-31")
        self.start_tour("/my/channel/order", "channel_order_by_list", login=self.user_portal.login)
        order = self._made()
        self.assertRecordValues(order, [{
            "state": "sent", "channel_end_customer_id": self.hospital.id, "client_order_ref": "PO-PHONE",
            "channel_submitted_by_id": self.user_portal.id, "channel_source": "portal", "amount_total": 1154,
            "channel_pending_rows": False,
        }])
        self.assertRecordValues(order.order_line, [
            {"product_id": self.device.id, "product_uom_qty": 11},
            {"product_id": self.consumable.id, "product_uom_qty": 6},
        ])
