from odoo.tests import HttpCase, tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
class TestPriceRequestTour(HttpCase, ChannelPricingCommon):
    """Asked for and approved on a phone."""

    browser_size = "390x844"
    touch_enabled = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.device.default_code = "CATH-1"
        cls._channel_rule(100)
        cls._channel_price_limit(80)
        for user in (cls.user_sales, cls.user_manager, cls.user_portal):
            user.password = user.login

    def test_request_and_approval_on_a_phone(self):
        self.start_tour("/odoo/channel-special-prices", "channel_special_price_ask", login=self.user_sales.login)
        request = self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)])
        self.assertRecordValues(
            request,
            [{
                "state": "submitted", "reason": "The hospital has a cheaper offer",
                "submitted_by_id": self.user_sales.id, "is_below_floor": True,
            }],
        )
        self.assertRecordValues(request.line_ids, [{"product_id": self.device.id, "quantity": 10, "price": 75}])
        self.start_tour("/odoo/channel-special-prices", "channel_special_price_approve", login=self.user_manager.login)
        request.invalidate_recordset()
        self.assertEqual((request.state, request.approved_by_id), ("approved", self.user_manager))
        self.assertEqual(request.line_ids.rule_ids.fixed_price, 75)
        self.assertEqual(self._price(), 75)

    def test_asked_for_on_the_portal(self):
        self.start_tour(
            "/my/channel/special-prices", "channel_special_price_portal", login=self.user_portal.login
        )
        request = self.env["channel.price.request"].search([("member_id", "=", self.dealer.id)])
        self.assertRecordValues(request, [{"state": "submitted", "source": "portal"}])
