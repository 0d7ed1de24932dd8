from freezegun import freeze_time

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-02-14 04:00:00")
class TestRebateProgress(ChannelRebateCommon):
    """How far a window is on its way to the next tier, and what that tier brings. 45 of 90 days have passed."""

    def _progress(self, tiers=((0, 2), (1000, 5), (5000, 8)), amount=800, member=None, user=None, **values):
        program = self._program("PROG", list(tiers), **values)
        if amount:
            self._invoice(amount, "2026-01-10", member=member)
        program.accrue("2026-02-14")
        return self.env["channel.rebate.program"].with_user(user or self.env.user).progress(
            (member or self.dealer).id, "2026-02-14"
        )

    def assertTold(self, told, **expected):
        self.assertEqual({key: told[key] for key in expected}, expected)

    def test_on_everything(self):
        """16 earned on 800; at 1,000 everything earns 5 %: 50, which is 34 more."""
        [told] = self._progress()
        self.assertTold(
            told, measure=800, entitlement=16, rate=2, next_from=1000, next_rate=5, to_go=200, brings=34,
            projected_measure=1600, projected_rate=5, projected_entitlement=80,
        )
        self.assertIn("200.00 to go", told["words"])

    def test_by_bands(self):
        [told] = self._progress(kind="marginal")
        self.assertTold(told, to_go=200, brings=4, projected_entitlement=50)

    def test_amounts_of_tiers(self):
        [told] = self._progress(tiers=[(0, 0), (1000, 100)], kind="fixed")
        self.assertTold(told, to_go=200, brings=100, projected_entitlement=100)

    def test_exactly_on_the_bound(self):
        """The higher tier begins at its bound; where the bound must be exceeded it is still ahead."""
        [told] = self._progress(amount=1000)
        self.assertTold(told, rate=5, next_from=5000, to_go=4000)

    def test_bound_that_must_be_exceeded(self):
        [told] = self._progress(amount=1000, boundary="strict")
        self.assertTold(told, rate=2, next_from=1000, to_go=0)

    def test_highest_tier(self):
        [told] = self._progress(amount=6000)
        self.assertTold(told, rate=8, next_from=None, to_go=None, brings=None)
        self.assertIn("highest tier", told["words"])

    def test_cap_bounds_what_is_ahead(self):
        [told] = self._progress(payout_cap=40)
        self.assertTold(told, brings=24, projected_entitlement=40)

    def test_target(self):
        [told] = self._progress(tiers=[(0, 0), (100, 2)], tier_measure="achievement", target=1000)
        self.assertTold(told, next_from=1000, to_go=200, brings=None)

    def test_units(self):
        [told] = self._progress(
            tiers=[(0, 1), (10, 2)], amount=[5] * 4, qualifying_measure="quantity", rate_type="unit"
        )
        self.assertTold(told, in_money=False, measure=4, to_go=6, brings=None)
        self.assertIn("6 to go", told["words"])

    def test_no_window_of_the_day(self):
        self._progress()
        self.assertEqual(self.env["channel.rebate.program"].progress(self.dealer.id, "2027-01-01"), [])

    def test_the_order_counts_in(self):
        self._progress()
        order = self._channel_order([(self.consumable, 1, 150)])
        self.assertIn("50.00 to go", order.with_user(self.user_finance).channel_rebate_progress)
        order.action_confirm()
        order.invalidate_recordset(["channel_rebate_progress"])
        self.assertFalse(order.with_user(self.user_finance).channel_rebate_progress)

    def test_a_dealer_asks_about_the_own_company_only(self):
        [told] = self._progress(user=self.user_portal)
        self.assertEqual(told["to_go"], 200)
        self._invoice(900, "2026-01-10", member=self.other_dealer)
        with self.assertRaises(AccessError):
            self.env["channel.rebate.program"].with_user(self.user_portal).progress(self.other_dealer.id)

    def test_what_cannot_be_read(self):
        Program = self.env["channel.rebate.program"]
        with self.assertRaisesRegex(ValidationError, "no member"):
            Program.progress(999999999)
        with self.assertRaisesRegex(ValidationError, "no ISO day"):
            Program.progress(self.dealer.id, "yesterday")
