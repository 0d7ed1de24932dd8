from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestRebateSimulation(ChannelRebateCommon):
    """What a draft would have meant for past sales, and nothing of it stays."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._program("SIM", [(0, 2), (1000, 5)])
        cls._invoice(900, "2026-01-10")
        cls._invoice(2000, "2026-05-10", member=cls.other_dealer)
        action = cls.program.with_user(cls.user_finance).action_new_version()
        cls.draft = cls.env["channel.rebate.program.version"].browse(action["res_id"])
        cls.draft.valid_from = "2027-01-01"

    def _simulate(self, user=None, **values):
        simulation = self.env["channel.rebate.simulation"].with_user(user or self.user_finance).create({
            "version_id": self.draft.id, "date_from": "2026-01-01", "date_to": "2026-12-31", **values,
        })
        simulation.action_calculate()
        return simulation

    def test_the_same_terms_change_nothing(self):
        simulation = self._simulate()
        self.assertEqual((simulation.amount_before, simulation.amount_after), (118, 118))
        self.assertEqual((simulation.gainers, simulation.losers), (0, 0))

    def test_who_gains_and_who_loses(self):
        first, second = self.draft.tier_ids.sorted("lower_bound")
        first.rate, second.lower_bound, second.rate = 1, 500, 4
        simulation = self._simulate()
        self.assertRecordValues(simulation.line_ids, [
            {"member_id": self.dealer.id, "amount_before": 18, "amount_after": 36, "difference": 18, "rate": 4},
            {"member_id": self.other_dealer.id, "amount_before": 100, "amount_after": 80, "difference": -20, "rate": 4},
        ])
        self.assertEqual((simulation.gainers, simulation.losers, simulation.difference), (1, 1, -2))

    def test_lower_bounds_and_higher_rates_for_the_time_of_the_calculation(self):
        simulation = self._simulate(bounds_percent=-10, rates_percent=10)
        # 900 reaches 1,000 less a tenth exactly: 5.5 % of 900; 5.5 % of 2,000
        self.assertEqual(simulation.line_ids.mapped("amount_after"), [49.5, 110])
        self.assertEqual(self.draft.tier_ids.sorted("lower_bound").mapped("lower_bound"), [0, 1000])
        self.assertEqual(self.draft.tier_ids.sorted("lower_bound").mapped("rate"), [2, 5])
        self.assertEqual(str(self.draft.valid_from), "2027-01-01")

    def test_one_payee_in_words(self):
        simulation = self._simulate(member_id=self.dealer.id)
        self.assertEqual(simulation.line_ids.member_id, self.dealer)
        self.assertIn("900.00 counted", simulation.line_ids.words)

    def test_by_month_and_payee(self):
        simulation = self._simulate()
        action = simulation.action_analyse()
        self.assertIn("pivot", action["view_mode"])
        groups = self.env[action["res_model"]]._read_group(
            action["domain"], ["window_end:month"], ["amount_after:sum"]
        )
        self.assertEqual([amount for _month, amount in groups], [18, 100])

    def test_terms_that_cannot_be_calculated_say_why(self):
        self.draft.tier_ids.unlink()
        with self.assertRaises(UserError):
            self._simulate()

    def test_an_approved_version_is_not_tried(self):
        simulation = self.env["channel.rebate.simulation"].create({
            "version_id": self.program.version_ids.filtered(lambda v: v.state == "approved").id,
            "date_from": "2026-01-01", "date_to": "2026-12-31",
        })
        with self.assertRaisesRegex(UserError, "new version"):
            simulation.action_calculate()

    def test_sales_does_not_simulate(self):
        with self.assertRaises(AccessError):
            self._simulate(user=self.user_sales)

    def test_manager_simulates_what_finance_drafted(self):
        self.assertEqual(self._simulate(user=self.user_manager).amount_after, 118)
