from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-06-15 04:00:00")
class TestPriceVersionChange(ChannelPricingCommon):
    """What a version changes, rule by rule and in figures, before anybody approves it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule_device = cls._channel_rule(90)
        cls.rule_segment = cls._channel_rule(80, segment=cls.segment_dealer)
        cls.rule_consumable = cls._channel_rule(9, product=cls.consumable)
        category = cls.env["product.category"].create({"name": "Priced"})
        cls.rule_category = cls._channel_rule(
            applied_on="2_product_category", categ_id=category.id, compute_price="percentage",
            percent_price=10,
        )  # fmt: skip

    def _draft(self, **rules):
        return self._channel_price_version(date(2026, 7, 1), approve=False, **rules)

    def _tier(self, condition, reviewer):
        return self.env["tier.definition"].create({
            "name": "Larger changes", "model_id": self.env["ir.model"]._get_id("channel.price.version"),
            "definition_type": "formula", "python_code": condition, "review_type": "individual",
            "reviewer_id": reviewer.id,
        })  # fmt: skip

    def test_difference_by_rule(self):
        draft = self._draft(rule_device=99)
        self._channel_same_rule(draft, self.rule_consumable).unlink()
        self.env["product.pricelist.item"].create({
            "channel_version_id": draft.id, "product_tmpl_id": self.consumable.product_tmpl_id.id, "fixed_price": 8,
            "min_quantity": 5,
        })  # fmt: skip
        draft.action_refresh_preview()
        found = {(change.kind, change.price_before, change.price_after) for change in draft.change_ids}
        self.assertEqual(found, {("changed", 90, 99), ("removed", 9, 0), ("added", 0, 8)})
        self.assertEqual((draft.changed_count, draft.removed_count, draft.added_count), (1, 1, 1))
        self.assertEqual(draft.compared_with_id.number, 1)
        lines = [change for change in draft.difference() if change["path"].startswith("item_ids[")]
        self.assertEqual(len(lines), 3)
        [changed] = [line for line in lines if line["before"] and line["after"]]
        self.assertIn("90", changed["before"])
        self.assertIn("99", changed["after"])

    def test_same_rule_twice_is_compared_twice(self):
        self._channel_rule(88)
        draft = self._draft()
        draft.action_refresh_preview()
        self.assertFalse(draft.change_ids)
        draft.item_ids.filtered(lambda rule: rule.fixed_price == 88).fixed_price = 87
        draft.action_refresh_preview()
        self.assertEqual(draft.change_ids.mapped("price_after"), [87])

    def test_what_does_not_count_for_the_kind_of_price_is_no_change(self):
        draft = self._draft()
        rule = self._channel_same_rule(draft, self.rule_device)
        rule.write({"percent_price": 5, "price_surcharge": 3})
        draft.action_refresh_preview()
        self.assertEqual(draft.changed_count, 0)
        rule.date_end = "2026-12-31"
        draft.action_refresh_preview()
        self.assertEqual((draft.changed_count, draft.largest_increase, draft.largest_decrease), (1, 0, 0))

    def test_figures(self):
        self.device.standard_price, self.consumable.standard_price = 66, 6
        draft = self._draft(rule_device=99, rule_segment=60, rule_consumable=8)
        # Of a whole category: 10 % off becomes 19 % off, one tenth less is paid
        self._channel_same_rule(draft, self.rule_category).percent_price = 19
        draft.action_refresh_preview()
        self.assertAlmostEqual(draft.largest_increase, 10)
        self.assertAlmostEqual(draft.largest_decrease, 25)
        self.assertAlmostEqual(draft.lowest_margin, -10)
        change = draft.change_ids.filtered("categ_id")
        self.assertTrue(change.is_comparable)
        self.assertAlmostEqual(change.change, -10)
        self.assertEqual(draft.incomparable_count, 0)

    def test_price_of_a_formula_is_worked_out_for_its_product(self):
        draft = self._draft()
        self._channel_same_rule(draft, self.rule_device).write(
            {"compute_price": "formula", "base": "list_price", "price_discount": 50, "price_surcharge": 1}
        )
        draft.action_refresh_preview()
        self.assertAlmostEqual(draft.change_ids.price_after, self.device.list_price / 2 + 1)
        self.assertTrue(draft.change_ids.is_comparable)

    def test_formula_of_a_category_in_place_of_a_price_is_not_compared(self):
        draft = self._draft()
        self._channel_same_rule(draft, self.rule_category).write({"compute_price": "fixed", "fixed_price": 5})
        draft.action_refresh_preview()
        self.assertEqual((draft.incomparable_count, draft.largest_decrease), (1, 0))

    def test_figures_without_any_cost(self):
        draft = self._draft(rule_device=99)
        draft.action_refresh_preview()
        self.assertEqual(draft.lowest_margin, 100)

    def test_edited_rules_are_compared_again(self):
        draft = self._draft(rule_device=99)
        draft.action_refresh_preview()
        self.assertTrue(draft.preview_at)
        self._channel_same_rule(draft, self.rule_device).fixed_price = 91
        self.assertFalse(draft.preview_at)
        draft.with_user(self.user_manager).action_approve()
        self.assertEqual((draft.state, draft.change_ids.price_after), ("approved", 91))

    def test_what_was_compared_stays_with_the_approved_version(self):
        version = self._draft(rule_device=99)
        version.with_user(self.user_manager).action_approve()
        entry = self.env["channel.audit.entry"].search(
            [("action", "=", "approval.approved"), ("model", "=", version._name), ("res_id", "=", version.id)]
        )
        self.assertIn('"changed_count":1', entry.after.replace(" ", ""))
        self.assertIn(version._rules_fingerprint()["rules_sha256"], entry.after)
        with self.assertRaisesRegex(UserError, "not a draft"):
            version.action_refresh_preview()
        for values in ({"preview_at": "2026-01-01"}, {"largest_increase": 0.5}, {"added_count": 3}):
            with self.subTest(values), self.assertRaises(UserError):
                version.write(values)

    def test_fingerprint_tells_rules_apart(self):
        draft = self._draft()
        first = self.table.channel_version_ids - draft
        self.assertEqual(draft._rules_fingerprint(), first._rules_fingerprint())
        self._channel_same_rule(draft, self.rule_device).fixed_price = 90.01
        self.assertNotEqual(draft._rules_fingerprint(), first._rules_fingerprint())

    # === Approval ===#

    def test_author_does_not_approve(self):
        self.user_pricing.group_ids += self.env.ref("channel_base.group_channel_manager")
        draft = self._draft(rule_device=99)
        with self.assertRaisesRegex(UserError, "somebody else"):
            draft.with_user(self.user_pricing).action_approve()

    def test_editor_of_a_rule_is_an_author(self):
        self.user_manager.group_ids += self.env.ref("channel_base.group_channel_pricing")
        draft = self._draft()
        self._channel_same_rule(draft, self.rule_device).with_user(self.user_manager).fixed_price = 91
        with self.assertRaisesRegex(UserError, "somebody else"):
            draft.with_user(self.user_manager).action_approve()

    def test_size_of_the_change_decides_who_approves(self):
        self._tier("rec.largest_increase > 5 or rec.largest_decrease > 5", self.user_executive)
        small = self._draft(rule_device=94.5)
        small.with_user(self.user_manager).action_approve()
        self.assertEqual(small.state, "approved")

        large = self._channel_price_version(date(2026, 9, 1), approve=False, rule_device=99.23)
        with self.assertRaisesRegex(UserError, "request the validation"):
            large.with_user(self.user_manager).action_approve()
        reviews = large.with_user(self.user_pricing).request_validation()
        self.assertEqual(len(reviews), 1)
        with self.assertRaisesRegex(UserError, "under validation"):
            self._channel_same_rule(large, self.rule_device).with_user(self.user_pricing).fixed_price = 1
        large.with_user(self.user_executive).action_approve()
        self.assertEqual(large.state, "approved")

    def test_margin_decides_who_approves(self):
        self.device.standard_price = 88
        self._tier("rec.lowest_margin < 10", self.user_executive)
        draft = self._draft(rule_device=97)
        self.assertEqual(len(draft.with_user(self.user_pricing).request_validation()), 1)

    def test_problems_found_keep_a_version_from_being_approved(self):
        Version = type(self.env["channel.price.version"])
        draft = self._draft()
        self.patch(Version, "_quality_problems", lambda self: {self: ["Rule 7 never wins."]})
        with self.assertRaisesRegex(UserError, "Rule 7 never wins"):
            draft.with_user(self.user_manager).action_approve()
        self.assertEqual(draft.state, "draft")

    def test_comparing_takes_the_same_number_of_queries_for_any_number_of_rules(self):
        def queries(number):
            table = self.env["product.pricelist"].create({"name": f"Table {number}", "company_id": False})
            self.env["product.pricelist.item"].create([
                {"pricelist_id": table.id, "product_tmpl_id": self.device.product_tmpl_id.id, "min_quantity": quantity,
                 **({"fixed_price": 50} if quantity % 2 else {"compute_price": "percentage", "percent_price": 5})}
                for quantity in range(number)
            ])  # fmt: skip
            draft = self.env["channel.price.version"].browse(table.action_new_version()["res_id"])
            draft.item_ids.write({"fixed_price": 51, "percent_price": 6})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            draft._refresh_preview()
            self.assertEqual(len(draft.change_ids), number)
            return self.cr.sql_log_count - before

        queries(4)
        self.assertLessEqual(queries(100), queries(10) + 2)

    # === Effect on last year's sales ===#

    def _sell(self, lines, day="2026-03-01", **kwargs):
        order = self._channel_order(lines, **kwargs)
        order.date_order = day
        order.write({"state": "sale"})
        return order

    def test_effect_by_member_and_product(self):
        self._sell([(self.device, 2), (self.consumable, 10)])
        self._sell([(self.device, 3)])
        self._sell([(self.device, 4)], partner=self.other_dealer)
        self._sell([(self.device, 100)], day="2025-06-01")
        self._channel_order([(self.device, 100)])
        draft = self._draft(rule_device=99, rule_segment=70)
        draft.action_refresh_preview()
        found = {
            (line.member_id, line.product_id): (line.quantity, line.amount_before, line.amount_after, line.difference)
            for line in draft.effect_ids
        }
        self.assertEqual(found, {
            (self.dealer, self.device): (5, 400, 350, -50),
            (self.dealer, self.consumable): (10, 90, 90, 0),
            (self.other_dealer, self.device): (4, 360, 396, 36),
        })  # fmt: skip
        self.assertEqual((draft.effect_before, draft.effect_after, draft.effect_difference), (850, 836, -14))

    def test_effect_agrees_with_quotes(self):
        """For each line the prices are those that a quote gives under the one and the other version."""
        self._channel_rule(60, channel_customer_id=self.hospital.id, min_quantity=3)
        sold_to = {self.dealer: (None, self.hospital), self.other_dealer: (None,)}
        for quantity in (1, 3, 12):
            for partner, customers in sold_to.items():
                for customer in customers:
                    self._sell([(self.device, quantity)], partner=partner, customer=customer)
        draft = self._draft(rule_device=99, rule_segment=70)
        draft.action_refresh_preview()
        effect = {line.member_id: (line.amount_before, line.amount_after) for line in draft.effect_ids}
        draft.with_user(self.user_manager).action_approve()
        for partner, customers in sold_to.items():
            expected = tuple(
                sum(
                    quantity * self._price(partner, customer, quantity=quantity, date=day)
                    for quantity in (1, 3, 12) for customer in customers
                )
                for day in ("2026-06-30", "2026-07-01")
            )
            self.assertEqual(effect[partner], expected)

    def test_effect_takes_the_same_number_of_queries_for_any_number_of_lines(self):
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{number}", list_price=number + 1) for number in range(60)]
        )
        draft = self._draft(rule_device=99)

        def queries():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            draft._compute_effect(draft._version_previous())
            return self.cr.sql_log_count - before

        self._sell([(product, 1) for product in products[:5]])
        queries()
        few = queries()
        self._sell([(product, 2) for product in products])
        self.assertLessEqual(queries(), few + 2)
        self.assertEqual(len(draft.effect_ids), 60)
