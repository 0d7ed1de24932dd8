from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestWorkedExample(ChannelRebateCommon):
    """Who edits terms sees what they would have paid a payee in its last window, before anything is saved."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        freezer = freeze_time("2026-07-10")
        freezer.start()
        cls.addClassCleanup(freezer.stop)
        cls.program = cls._program("EXA", [(0, 2), (1000, 5)], window_type="quarter")
        cls._invoice(900, "2026-02-10")
        cls._invoice(1500, "2026-05-10")
        cls._invoice(800, "2026-07-02")
        cls._invoice(7000, "2026-05-11", member=cls.other_dealer)
        action = cls.program.with_user(cls.user_finance).action_new_version()
        cls.draft = cls.env["channel.rebate.program.version"].browse(action["res_id"])
        cls.draft.valid_from = "2027-01-01"

    def _example(self, changes=None, member=None, draft=None, user=None):
        draft = (self.draft if draft is None else draft).with_user(user or self.user_finance)
        return draft.worked_example(changes, (member or self.dealer).id)

    def test_the_last_window_that_is_over(self):
        example = self._example()
        # 5 % of 1,500 in the second quarter; the third one runs
        self.assertEqual((example["window"], example["entitlement"], example["before"]), ("2026-Q2", 75, 75))
        self.assertIn("The terms in force pay the same", example["result"])
        self.assertIn("1,500.00", example["words"][0])
        self.assertTrue(any("5 % of" in words and "75.00" in words for words in example["words"]))

    def test_terms_that_are_not_saved(self):
        first, second = self.draft.tier_ids.sorted("lower_bound")
        example = self._example({"tier_ids": [
            Command.update(first.id, {"rate": 3}), Command.update(second.id, {"lower_bound": 1500.01}),
        ]})
        self.assertEqual(example["entitlement"], 45)
        self.assertIn("30.00 less", example["result"])
        self.assertEqual((first.rate, second.lower_bound, str(self.draft.valid_from)), (2, 1000, "2027-01-01"))
        self.assertEqual(self._example({"kind": "marginal"})["entitlement"], 45)  # 2 % of 1,000 + 5 % of 500
        self.assertIn("The cap took", " ".join(self._example({"payout_cap": 50})["words"]))
        self.assertEqual(self.draft.payout_cap, 0)

    def test_a_version_that_is_not_saved_yet(self):
        empty = self.env["channel.rebate.program.version"]
        changes = {
            "program_id": self._program("NEW", [], approve=False).id, "valid_from": "2027-01-01",
            "window_type": "half", "kind": "retroactive",
            "tier_ids": [Command.create({"lower_bound": 0, "rate": 1})],
        }
        example = self._example(changes, draft=empty)
        self.assertIsNone(example["note"])
        self.assertEqual((example["window"], example["entitlement"], example["before"]), ("2026-H1", 24, None))
        self.assertFalse(empty.search([("program_id", "=", changes["program_id"]), ("window_type", "=", "half")]))

    def test_growth_is_compared_with_lines_before_the_window(self):
        self._invoice(1000, "2025-05-10")
        example = self._example({
            "tier_measure": "growth_rate", "baseline_source": "year", "valid_to": False,
            "tier_ids": [Command.clear(), Command.create({"lower_bound": 50, "rate": 4})],
        })
        # 1,500 after 1,000 a year before: grown by 50 % exactly
        self.assertEqual(example["entitlement"], 60)

    def test_another_payee_earns_nothing_here(self):
        self.assertEqual(self._example(member=self.other_dealer)["entitlement"], 350)
        example = self._example(member=self.sub_dealer)
        self.assertIsNone(example["result"])
        self.assertIn("Nothing of", example["note"])

    def test_what_is_missing_is_told(self):
        self.assertIn("there is no tier", self._example({"tier_ids": [Command.clear()]})["note"])
        self.assertIn("two tiers begin", self._example(
            {"tier_ids": [Command.create({"lower_bound": 1000, "rate": 9})]}
        )["note"])
        self.assertIn("Method", self._example({"kind": False})["note"])
        shares = {"payee_kind": "group", "distribution": "share", "share_ids": [Command.create({"share": 100})]}
        self.assertIn("is filled in", self._example(shares)["note"])
        self.assertIn("Choose a payee", self.draft.worked_example({}, False)["note"])

    def test_who_may_ask(self):
        self.assertEqual(self._example(user=self.user_manager)["entitlement"], 75)
        for user in (self.user_sales, self.user_portal):
            with self.assertRaises(AccessError):
                self._example(user=user)
        with self.assertRaises(UserError):
            self._example({"no_such_term": 1})
        # What is no term cannot be changed by the way
        self._example({"state": "approved"})
        self.assertEqual(self.draft.state, "draft")

    def test_the_payee_that_is_proposed(self):
        self.program.calculate()
        self.assertEqual(self.draft.example_member_id, self.other_dealer)
        self.draft.contract_version_id = self.contract.version_ids
        self.assertEqual(self.draft.example_member_id, self.dealer)
        other = self._program("FRESH", [(0, 1)], approve=False).version_ids
        self.assertEqual(other.example_member_id, self.dealer)  # who bought last
