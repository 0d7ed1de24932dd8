from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
class TestStackingPolicy(ChannelPricingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.groups = cls.env["channel.stacking.group"].create(
            [{"name": f"Discounts {code}", "code": code} for code in ("DIS01", "DIS02", "DIS03")]
        )
        cls.policy = cls.env["channel.stacking.policy"].create(
            {
                "name": "Promotions",
                "line_ids": [Command.create({"group_id": group.id, "mode": "compound"}) for group in cls.groups],
            }
        )

    # === API ===#

    def test_combine_meets_the_published_example(self):
        """Microsoft Learn, "Resolving concurrency within price component codes" (Dynamics 365)."""

        def offer(key, kind, value, mode):
            return {"key": key, "kind": kind, "value": value, "group": key[:5], "mode": mode}

        [result] = self.policy.combine([{
            "amount": 1565.0,
            "offers": [
                offer("DIS01-01", "percent", 10, "best"),
                offer("DIS01-02", "percent", 5, "always"),
                offer("DIS02-01", "percent", 10, "compound"),
                offer("DIS02-02", "percent", 8, "always"),
                offer("DIS03-01", "amount", 20, "threshold"),
                offer("DIS03-02", "amount", 10, "always"),
            ],
        }])
        self.assertEqual((result["amount"], result["taken"]), (1080.45, 484.55))
        self.assertEqual(
            [(step["key"], step["taken"], step["amount"]) for step in result["steps"]],
            [
                ("DIS01-01", 156.5, 1408.5),
                ("DIS02-01", 140.85, 1267.65),
                ("DIS03-01", 20.0, 1247.65),
                ("DIS01-02", 62.38, 1185.27),
                ("DIS02-02", 94.82, 1090.45),
                ("DIS03-02", 10.0, 1080.45),
            ],
        )
        self.assertTrue(all(step["message"] for step in result["steps"]))

    def test_every_reason_and_limit_has_words(self):
        self.policy.write({"mode": "best", "cap_percent": 30})
        self.policy.line_ids[0].across = "final"
        offers = [
            {"key": "own cap", "kind": "amount", "value": 9, "cap": 5, "group": "DIS01"},
            {"key": "surcharge", "kind": "percent", "value": -1, "group": "DIS01"},
            {"key": "late", "kind": "percent", "value": 10, "group": "DIS02"},
            {"key": "too little", "kind": "percent", "value": 10, "group": "DIS03", "mode": "always", "minimum": 500},
            {"key": "too dear", "kind": "price", "value": 200, "group": "DIS03", "mode": "always"},
            {"key": "cut", "kind": "percent", "value": 90, "group": "DIS03", "mode": "always"},
            {"key": "nothing left", "kind": "percent", "value": 1, "group": "DIS03", "mode": "always"},
        ]
        [result] = self.policy.combine([{"amount": 100, "offers": offers}])
        self.assertEqual(
            {step["key"]: step["reason"] or step["limited_by"] for step in result["steps"]},
            {
                "own cap": "offer", "surcharge": False, "late": "final", "too little": "minimum",
                "too dear": "no_gain", "cut": "policy", "nothing left": "limit",
            },
        )
        self.assertEqual(result["amount"], 70)
        self.assertTrue(all(step["message"] for step in result["steps"]))

    def test_rounding_is_the_currency_s_unless_the_policy_says_otherwise(self):
        line = {"amount": 0.99, "offers": [{"key": 1, "kind": "percent", "value": 12.5}]}
        self.assertEqual(self.policy.combine([line])[0]["taken"], 0.12)
        self.env.ref("base.JPY").active = True
        self.assertEqual(self.policy.combine([line], currency="JPY")[0]["taken"], 0)
        self.policy.rounding = 0.0001
        self.assertEqual(self.policy.combine([line])[0]["taken"], 0.1238)

    def test_wrong_arguments_are_named(self):
        good = {"key": 1, "kind": "percent", "value": 5}
        for message, lines, currency in (
            ("lines", {}, None),
            ("lines", ["x"], None),
            ("Line 1.*amount", [{}], None),
            ("Line 1.*amount", [{"amount": "5"}], None),
            ("Line 1.*amount", [{"amount": float("nan")}], None),
            ("Line 1.*unknown key price", [{"amount": 5, "price": 3}], None),
            ("Line 1.*offers", [{"amount": 5, "offers": good}], None),
            ("Line 2.*key", [{"amount": 5}, {"amount": 5, "offers": [{**good, "key": None}]}], None),
            ("Line 1.*value", [{"amount": 5, "offers": [{**good, "value": True}]}], None),
            ("Line 1.*kind", [{"amount": 5, "offers": [{**good, "kind": "share"}]}], None),
            ("Line 1.*kind", [{"amount": 5, "offers": [{"key": 1, "value": 5}]}], None),
            ("Line 1.*mode", [{"amount": 5, "offers": [{**good, "mode": "often"}]}], None),
            ("Line 1.*sequence", [{"amount": 5, "offers": [{**good, "sequence": "x"}]}], None),
            ("Line 1.*unknown key rate", [{"amount": 5, "offers": [{**good, "rate": 1}]}], None),
            ("currency", [{"amount": 5}], "QQQ"),
        ):
            with self.subTest(message, lines=lines), self.assertRaisesRegex(ValidationError, message):
                self.policy.combine(lines, currency=currency)
        self.assertEqual(self.policy.combine([]), [])

    # === LIFE ===#

    def test_approved_policy_is_fixed_with_its_groups(self):
        policy = self.policy.with_user(self.user_pricing).copy({"name": "Second"})
        self.assertEqual(policy.line_ids.group_id, self.groups)
        with self.assertRaises(UserError):
            policy.action_approve()
        policy.with_user(self.user_manager).action_approve()
        self.assertEqual(policy.state, "approved")
        for change in (
            lambda: policy.write({"mode": "additive"}),
            lambda: policy.line_ids[0].write({"across": "final"}),
            lambda: policy.line_ids[0].unlink(),
            lambda: policy.unlink(),
        ):
            with self.assertRaises(UserError), self.cr.savepoint():
                change()
        policy.note = "Notes are no terms"
        policy.action_withdraw()
        self.assertEqual(policy.state, "cancelled")

    def test_who_reads_and_who_writes(self):
        salesman = self.policy.with_user(self.user_sales)
        self.assertEqual(salesman.combine([{"amount": 7}])[0]["amount"], 7)
        with self.assertRaises(AccessError):
            salesman.name = "Mine"
        with self.assertRaises(AccessError):
            self.policy.with_user(self.user_portal).combine([{"amount": 7}])
        self.policy.with_user(self.user_pricing).name = "Renamed"

    def test_trial_shows_what_an_offer_does(self):
        trial = self.env["channel.stacking.trial"].with_user(self.user_pricing)
        with Form(trial.with_context(default_policy_id=self.policy.id)) as form:
            form.amount = 200
            with form.line_ids.new() as line:
                line.name = "Spring"
                line.value = 10
            self.assertIn("Spring", form.steps)
            self.assertIn("180.00", form.steps)
