from odoo.tests import HttpCase, tagged

from .account_common import ChannelAccountCommon


class ChannelAccountTourCommon(ChannelAccountCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._bill(1000, "2025-01-05", due="2025-01-20")


@tagged("post_install", "-at_install")
class TestAccountTour(HttpCase, ChannelAccountTourCommon):
    """The accountant makes and sends a statement in a browser."""

    def test_make_and_send(self):
        self.start_tour("/odoo/channel-account-statement-batch", "channel_account_send", login=self.user_finance.login)
        statement = self.env["channel.account.statement"].search([("member_id", "=", self.dealer.id)])
        self.assertRecordValues(statement, [{"state": "sent", "create_uid": self.user_finance.id}])
        self.assertEqual(str(statement.date_from), "2025-01-01")
        self.assertEqual(statement.content["currencies"][0]["closing"], 1000)


@tagged("post_install", "-at_install")
class TestAccountPhoneTour(HttpCase, ChannelAccountTourCommon):
    """The dealer answers on a phone: disputes a line, and confirms when it was explained."""

    browser_size = "390x844"
    touch_enabled = True

    def test_dispute_and_confirm(self):
        statement = self._send()
        self.start_tour("/my/channel/account", "channel_account_dispute", login=self.user_portal.login)
        self.env.invalidate_all()
        self.assertRecordValues(statement, [{"state": "disputed", "answered_by_id": self.user_portal.id}])
        difference = statement.difference_ids
        self.assertRecordValues(difference, [{"ours": 1000, "reason": "Price as agreed", "state": "open"}])
        difference.solution = "It is the agreed price of January"
        difference.with_user(self.user_finance).action_solve()
        statement.with_user(self.user_finance).action_send()
        self.start_tour("/my/channel/account", "channel_account_confirm", login=self.user_portal.login)
        self.env.invalidate_all()
        self.assertRecordValues(statement, [{"state": "confirmed", "answered_by_id": self.user_portal.id}])
