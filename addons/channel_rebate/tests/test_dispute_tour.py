from odoo.tests import HttpCase, tagged

from .test_dispute import ChannelDisputeCommon


@tagged("post_install", "-at_install")
class TestDisputeTour(ChannelDisputeCommon, HttpCase):
    """A dealer appeals against a line on a phone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_appeal_on_a_phone(self):
        self.start_tour("/my/channel/rebates?year=2026", "channel_rebate_appeal", login=self.user_portal.login)
        dispute = self.env["channel.dispute"].search([("member_id", "=", self.dealer.id)])
        self.assertRecordValues(dispute, [{
            "state": "submitted", "source": "portal", "reason": "line_wrong", "claimed_amount": 20.5,
            "held_amount": 20.5, "balance_id": self.own.id, "author_id": self.user_portal.id,
        }])
        self.assertIn(dispute.entry_id, self.own._entries())
