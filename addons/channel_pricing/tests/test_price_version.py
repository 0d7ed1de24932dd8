from datetime import date, datetime

from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-06-15 04:00:00")
class TestPriceVersion(ChannelPricingCommon):
    """The rules of a table change by versions: approved, in force by their days, and never edited again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule_device = cls._channel_rule(90)
        cls.rule_segment = cls._channel_rule(80, segment=cls.segment_dealer)
        cls.rule_consumable = cls._channel_rule(9, product=cls.consumable)

    def _price_on(self, day, **kwargs):
        return self._price(self.other_dealer, date=day, **kwargs)

    # === A table comes under versions ===#

    def test_table_without_versions_stays_as_it_is(self):
        self.assertFalse(self.table.channel_is_versioned)
        self.rule_device.fixed_price = 91
        self.assertEqual(self._price_on("2026-06-15"), 91)
        self.rule_device.unlink()
        self.assertEqual(self._price_on("2026-06-15"), self.device.list_price)

    def test_first_version_takes_the_rules_over(self):
        before = {day: self._price_on(day) for day in ("2026-06-15", "2027-01-01")}
        rules = self.table.item_ids
        draft = self._channel_price_version(date(2026, 7, 1), approve=False)
        first = self.table.channel_version_ids - draft
        self.assertEqual((first.number, first.state, first.item_ids), (1, "approved", rules))
        self.assertEqual((draft.number, draft.previous_number, draft.state), (2, 1, "draft"))
        self.assertEqual(sorted(draft.item_ids.mapped("fixed_price")), sorted(rules.mapped("fixed_price")))
        self.assertFalse(draft.item_ids & rules)
        self.assertEqual({day: self._price_on(day) for day in before}, before)
        entry = self.env["channel.audit.entry"].search([("action", "=", "price_version.adopted")], limit=1)
        self.assertEqual(entry.res_id, first.id)

    def test_prices_of_the_past_stay_when_a_table_comes_under_versions(self):
        self.rule_device.date_start = datetime(2019, 3, 1)
        self._channel_price_version(date(2026, 7, 1), rule_device=85)
        self.assertEqual(self._price_on("2019-06-01"), 90)
        self.assertEqual(self._price_on("2019-02-01"), self.device.list_price)
        self.assertEqual(self._price_on("2001-01-01", product=self.consumable), 9)

    def test_version_made_by_hand_takes_the_rules_over_too(self):
        version = self.env["channel.price.version"].create({"pricelist_id": self.table.id, "valid_from": "2026-07-01"})
        self.assertEqual((version.number, version.rule_count), (2, 0))
        self.assertEqual(self._price_on("2026-06-15"), 90)

    def test_table_without_rules_begins_with_version_1(self):
        table = self.env["product.pricelist"].create({"name": "Empty", "company_id": False})
        action = table.action_new_version()
        self.assertNotIn("res_id", action)
        version = self.env["channel.price.version"].create({"pricelist_id": table.id, "valid_from": "2026-01-01"})
        self.assertEqual(version.number, 1)

    def test_copy_has_all_that_a_rule_says(self):
        category = self.env["product.category"].create({"name": "Priced"})
        rules = self.env["product.pricelist.item"].create([
            {"pricelist_id": self.table.id, "applied_on": "2_product_category", "categ_id": category.id,
             "compute_price": "formula", "base": "standard_price", "price_markup": 12.5, "price_round": 0.5,
             "price_surcharge": 1, "price_min_margin": 2, "price_max_margin": 30, "min_quantity": 3},
            {"pricelist_id": self.table.id, "compute_price": "percentage", "percent_price": 7,
             "channel_member_id": self.dealer.id, "channel_customer_id": self.hospital.id,
             "date_start": "2026-01-01", "date_end": "2026-12-31"},
        ])  # fmt: skip
        draft = self._channel_price_version(date(2026, 7, 1), approve=False)
        technical = {"id", "create_uid", "create_date", "write_uid", "write_date", "channel_version_id"}
        names = [name for name, field in rules._fields.items() if field.store and name not in technical]
        for rule in rules:
            copy = self._channel_same_rule(draft, rule)
            self.assertEqual(copy.read(names)[0] | {"id": 0}, rule.read(names)[0] | {"id": 0})

    def test_copy_of_the_rules_is_one_statement(self):
        def queries(number):
            table = self.env["product.pricelist"].create({"name": f"Table {number}", "company_id": False})
            self.env["product.pricelist.item"].create([
                {"pricelist_id": table.id, "product_tmpl_id": self.device.product_tmpl_id.id, "min_quantity": quantity,
                 "fixed_price": 50}
                for quantity in range(number)
            ])  # fmt: skip
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            table.action_new_version()
            self.env.flush_all()
            return self.cr.sql_log_count - before

        queries(1)
        self.assertEqual(queries(100), queries(10))

    def test_copy_of_a_table_begins_with_the_rules_in_force(self):
        self._channel_price_version(date(2026, 6, 1), rule_device=85)
        self._channel_price_version(date(2026, 9, 1), rule_device=80)
        copy = self.table.copy()
        self.assertFalse(copy.channel_is_versioned)
        self.assertEqual(sorted(copy.item_ids.mapped("fixed_price")), [9, 80, 85])

    # === By date ===#

    def test_planned_version_takes_effect_on_its_day_and_the_past_keeps_its_answers(self):
        self._channel_price_version(date(2026, 7, 1), rule_device=85)
        self._channel_price_version(date(2026, 9, 1), rule_device=70)
        for day, price in (
            ("2026-06-15", 90), ("2026-06-30", 90), ("2026-07-01", 85), ("2026-08-31", 85), ("2026-09-01", 70),
            ("2030-01-01", 70),
        ):  # fmt: skip
            with self.subTest(day):
                self.assertEqual(self._price_on(day), price)

    def test_day_is_the_company_s(self):
        self.company.partner_id.tz = "Asia/Shanghai"
        self._channel_price_version(date(2026, 7, 1), rule_device=85)
        self.assertEqual(self._price_on("2026-06-30 15:59:59"), 90)
        self.assertEqual(self._price_on("2026-06-30 16:00:00"), 85)

    def test_order_has_the_price_of_its_day(self):
        self._channel_price_version(date(2026, 7, 1), rule_device=85)
        order = self._channel_order([(self.device, 1)], partner=self.other_dealer)
        self.assertEqual(order.order_line.price_unit, 90)
        order.date_order = datetime(2026, 7, 2, 8)
        order.action_update_prices()
        self.assertEqual(order.order_line.price_unit, 85)

    def test_draft_prices_nothing(self):
        draft = self._channel_price_version(date(2026, 6, 1), approve=False, rule_device=1)
        self.assertEqual(self._price_on("2026-06-15"), 90)
        draft.action_cancel()
        self.assertEqual(self._price_on("2026-06-15"), 90)

    def test_version_that_ends_leaves_the_sales_price(self):
        draft = self._channel_price_version(date(2026, 7, 1), approve=False, rule_device=85)
        draft.valid_to = date(2026, 7, 31)
        draft.with_user(self.user_manager).action_approve()
        self.assertEqual(self._price_on("2026-07-31"), 85)
        self.assertEqual(self._price_on("2026-08-01"), self.device.list_price)

    def test_chained_table_follows_the_versions_of_its_base(self):
        self._channel_price_version(date(2026, 7, 1), rule_device=85)
        chained = self.env["product.pricelist"].create({"name": "Chained", "company_id": False})
        self.env["product.pricelist.item"].create({
            "pricelist_id": chained.id, "compute_price": "percentage", "percent_price": 10, "base": "pricelist",
            "base_pricelist_id": self.table.id,
        })  # fmt: skip
        for moment, price in ((datetime(2026, 6, 30, 4), 81), (datetime(2026, 7, 1, 4), 76.5)):
            self.assertAlmostEqual(chained._get_product_price(self.device, 1, date=moment), price)

    def test_explanation_names_rules_of_the_version_in_force_only(self):
        self._channel_price_version(date(2026, 7, 1), rule_device=85)
        steps = self._quote(date="2026-07-01")["steps"]
        [version] = [step for step in steps if step["code"] == "version"]
        self.assertEqual((version["number"], version["valid_from"]), (2, "2026-07-01"))
        rules = self.env["product.pricelist.item"].browse([step["rule_id"] for step in steps if "rule_id" in step])
        self.assertEqual(rules.channel_version_id.number, 2)

    # === Locks ===#

    def test_approved_rules_are_locked_through_every_door(self):
        version = self._channel_price_version(date(2026, 7, 1))
        other = self._channel_price_version(date(2026, 9, 1), approve=False)
        rule = self._channel_same_rule(version, self.rule_device)
        free = self._channel_same_rule(other, self.rule_device)
        values = {"channel_version_id": version.id, "pricelist_id": self.table.id, "fixed_price": 1}
        doors = {
            "write": lambda: rule.write({"fixed_price": 1}),
            "create": lambda: self.env["product.pricelist.item"].create(values),
            "unlink": lambda: rule.unlink(),
            "move out": lambda: rule.write({"channel_version_id": other.id}),
            "move in": lambda: free.write({"channel_version_id": version.id}),
            "take out": lambda: rule.write({"channel_version_id": False}),
            "by the version": lambda: version.write({"item_ids": [Command.delete(rule.id)]}),
            "by the table": lambda: self.table.write({"item_ids": [Command.update(rule.id, {"fixed_price": 1})]}),
            "by the product": lambda: self.consumable.product_tmpl_id.unlink(),
            "by the variant": lambda: self.consumable.unlink(),
            "delete the version": lambda: version.unlink(),
            "delete the table": lambda: self.table.unlink(),
            "superuser": lambda: rule.sudo().write({"fixed_price": 1}),
        }
        for name, door in doors.items():
            with self.subTest(name), self.assertRaises(UserError), self.cr.savepoint():
                door()
        self.assertEqual(self._price_on("2026-07-01"), 90)

    def test_category_of_an_approved_rule_stays(self):
        category = self.env["product.category"].create({"name": "Priced"})
        self.env["product.pricelist.item"].create(
            {"pricelist_id": self.table.id, "applied_on": "2_product_category", "categ_id": category.id}
        )
        self._channel_price_version(date(2026, 7, 1))
        with self.assertRaisesRegex(UserError, "archive it"):
            category.unlink()

    def test_rules_outside_the_versions_are_refused_by_hand(self):
        self._channel_price_version(date(2026, 7, 1))
        with self.assertRaisesRegex(UserError, "make a new version"):
            self._channel_rule(1)
        # What merely claims to be the key does not open
        with self.assertRaisesRegex(UserError, "make a new version"):
            self.env["product.pricelist.item"].with_context(channel_beside_versions=True).create(
                {"pricelist_id": self.table.id, "fixed_price": 1}
            )

    def test_rule_beside_the_versions_holds_always(self):
        self._channel_price_version(date(2026, 7, 1))
        rule = self.env["product.pricelist.item"]._channel_beside_versions().create({
            "pricelist_id": self.table.id, "product_tmpl_id": self.device.product_tmpl_id.id, "fixed_price": 60,
            "channel_member_id": self.other_dealer.id,
        })  # fmt: skip
        for day in ("2026-06-15", "2026-07-01", "2030-01-01"):
            self.assertEqual(self._price_on(day), 60)
        rule = rule.with_env(self.env)
        with self.assertRaisesRegex(UserError, "make a new version"):
            rule.fixed_price = 1
        with self.assertRaisesRegex(UserError, "make a new version"):
            rule.unlink()
        rule._channel_beside_versions().write({"fixed_price": 61})
        self.assertEqual(self._price_on("2026-07-01"), 61)

    def test_rule_belongs_to_the_table_of_its_version(self):
        draft = self._channel_price_version(date(2026, 7, 1), approve=False)
        other = self.env["product.pricelist"].create({"name": "Other", "company_id": False})
        with self.assertRaisesRegex(ValidationError, "another price table"):
            self.env["product.pricelist.item"].create({"pricelist_id": other.id, "channel_version_id": draft.id})
        rule = self.env["product.pricelist.item"].create({"channel_version_id": draft.id})
        self.assertEqual(rule.pricelist_id, self.table)

    # === Parties ===#

    def test_who_is_named_more_closely_wins(self):
        for values, price in (
            ({"channel_member_id": self.dealer.id}, 70),
            ({"channel_customer_id": self.hospital.id}, 60),
            ({"channel_customer_id": self.hospital.id, "channel_member_id": self.dealer.id}, 50),
        ):
            self._channel_rule(price, **values)
        # A larger break of somebody who is named less closely does not matter
        self._channel_rule(10, min_quantity=5)
        self.assertEqual(self._price(self.dealer, self.hospital, quantity=5), 50)
        self.assertEqual(self._price(self.dealer, quantity=5), 70)
        self.assertEqual(self._price(self.other_dealer, self.hospital, quantity=5), 60)
        self.assertEqual(self._price(self.other_dealer, quantity=5), 10)
        self.assertEqual(self._price(self.other_dealer), 90)

    def test_rule_names_the_company_not_a_contact(self):
        contact = self.env["res.partner"].create({"name": "Contact", "parent_id": self.dealer.id})
        with self.assertRaisesRegex(ValidationError, "the company itself"):
            self._channel_rule(1, channel_member_id=contact.id)
        self._channel_rule(70, channel_member_id=self.dealer.id)
        self.assertEqual(self._price(contact), 70)

    def test_reasons_why_parties_lost(self):
        self._channel_rule(70, channel_member_id=self.other_dealer.id)
        self._channel_rule(60, channel_customer_id=self.hospital.id)
        self._channel_rule(65, channel_member_id=self.dealer.id)
        reasons = {step["reason"] for step in self._quote(self.dealer)["steps"] if step["code"] == "lost"}
        self.assertEqual(reasons, {"member", "customer", "party_priority"})
