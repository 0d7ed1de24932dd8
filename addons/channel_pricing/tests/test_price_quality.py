import random
from datetime import date, datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import SQL

from .common import ChannelPricingCommon

NOW = datetime(2026, 6, 15, 12, 0, 0)


class PriceQualityCommon(ChannelPricingCommon):
    """A version of ``table`` from 2026-07-01 on; :meth:`_found` checks it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.version = cls.env["channel.price.version"].create(
            {"pricelist_id": cls.table.id, "valid_from": date(2026, 7, 1)}
        )
        # Nobody is authorised, unless a test says so: what has no price is found by its own test
        (cls.authorization | cls.authorization_west).with_user(cls.user_manager).action_revoke(
            reason="Not of this test", date=date(2026, 1, 1)
        )

    @classmethod
    def _channel_rule(cls, price=None, product=None, segment=None, **values):
        return super()._channel_rule(price, product, segment, **{"channel_version_id": cls.version.id, **values})

    def _run(self):
        return self.env["channel.price.quality"]._run(self.table, self.version)

    def _found(self, code):
        return self._run().filtered(lambda issue: issue.code == code)


@tagged("post_install", "-at_install")
class TestPriceQuality(PriceQualityCommon):
    """Each check with a table that has the fault, and one just at the edge that has not."""

    # === OVERLAP === #

    def test_overlap_of_rules_with_different_results(self):
        older = self._channel_rule(90, segment=self.segment_dealer)
        newer = self._channel_rule(80, segment=self.segment_dealer)
        issue = self._found("overlap")
        self.assertRecordValues(
            issue,
            [{"rule_id": older.id, "other_rule_id": newer.id, "severity": "block", "state": "open",
              "segment_id": self.segment_dealer.id}],
        )
        self.assertIn("90", issue.message)
        newer.fixed_price = 90
        self.assertFalse(self._found("overlap"), "twice the same is no contradiction")

    def test_overlap_needs_the_same_place(self):
        self._channel_rule(90, segment=self.segment_dealer)
        self._channel_rule(80, segment=self.segment_hospital)
        self._channel_rule(80, segment=self.segment_dealer, min_quantity=2)
        self._channel_rule(80, product=self.consumable, segment=self.segment_dealer)
        self._channel_rule(80, channel_member_id=self.dealer.id)
        self._channel_rule(80, channel_customer_id=self.hospital.id)
        self._channel_rule(80)
        self.assertFalse(self._found("overlap"))

    def test_overlap_from_the_second_on_which_both_hold(self):
        self._channel_rule(90, date_end=datetime(2026, 8, 31, 23, 59, 59))
        second = self._channel_rule(80, date_start=datetime(2026, 9, 1))
        self.assertFalse(self._found("overlap"), "one ends the second before the other starts")
        second.date_start = datetime(2026, 8, 31, 23, 59, 59)
        self.assertEqual(len(self._found("overlap")), 1)

    def test_overlap_before_the_version_does_not_count(self):
        self._channel_rule(90, date_end=datetime(2026, 6, 30, 23, 59, 59))
        self._channel_rule(80)
        self.assertFalse(self._found("overlap"))

    def test_overlap_of_formulas(self):
        self._channel_rule(compute_price="percentage", percent_price=10)
        other = self._channel_rule(compute_price="formula", price_discount=10)
        self.assertEqual(len(self._found("overlap")), 1, "shown in another way: somebody meant another one")
        other.write({"compute_price": "percentage", "percent_price": 10})
        self.assertFalse(self._found("overlap"))

    # === DEAD RULES === #

    def test_dead_because_a_rule_at_the_same_place_is_tried_first(self):
        older = self._channel_rule(90)
        newer = self._channel_rule(90)
        self.assertRecordValues(
            self._found("dead"), [{"rule_id": older.id, "other_rule_id": newer.id, "reason": "shadowed"}]
        )
        newer.date_start = datetime(2026, 7, 1, 0, 0, 1)
        self.assertFalse(self._found("dead"), "the older one wins for a second")

    def test_dead_because_of_two_rules_together(self):
        category = self._channel_rule(
            90, applied_on="2_product_category", product_tmpl_id=False, categ_id=self.env["product.category"].create(
                {"name": "Of its own"}
            ).id,
        )
        (self.device | self.consumable).categ_id = category.categ_id
        self._channel_rule(80)
        own = self._channel_rule(70, product=self.consumable, date_start=datetime(2026, 7, 2))
        self.assertFalse(self._found("dead"), "the consumable has no price of its own on the first day")
        own.date_start = False
        self.assertEqual(self._found("dead").rule_id, category)
        own.min_quantity = 2
        self.assertFalse(self._found("dead"), "one piece of the consumable")

    def test_dead_behind_a_segment_that_holds_more(self):
        wide = self._channel_segment("T-WIDE", 5)
        wide.member_domain = repr([("id", "in", (self.dealer | self.other_dealer).ids)])
        narrow = self._channel_rule(80, segment=self.segment_dealer)
        self._channel_rule(90, segment=wide)
        self.assertEqual(self._found("dead").rule_id, narrow)
        wide.member_domain = repr([("id", "in", self.other_dealer.ids)])
        self.assertFalse(self._found("dead"))

    def test_dead_segment_that_holds_nobody(self):
        rule = self._channel_rule(80, segment=self.segment_dealer)
        self.assertFalse(self._found("dead"))
        self.segment_dealer.member_domain = repr([("id", "=", 0)])
        self.assertRecordValues(self._found("dead"), [{"rule_id": rule.id, "reason": "nobody"}])

    def test_dead_products_and_dates(self):
        sold = self._channel_rule(80)
        dated = self._channel_rule(80, product=self.consumable, date_end=datetime(2026, 6, 30, 23, 59, 59))
        self.assertRecordValues(self._found("dead"), [{"rule_id": dated.id, "reason": "period"}])
        dated.date_end = datetime(2026, 7, 1)
        self.assertFalse(self._found("dead"), "the first second of the version")
        self.device.product_tmpl_id.sale_ok = False
        self.assertRecordValues(self._found("dead"), [{"rule_id": sold.id, "reason": "product"}])

    def test_what_is_over_in_a_table_without_versions_is_history(self):
        table = self.env["product.pricelist"].create({"name": "Plain", "company_id": False})
        values = {"pricelist_id": table.id, "product_tmpl_id": self.device.product_tmpl_id.id, "fixed_price": 5}
        ended, current = self.env["product.pricelist.item"].create(
            [{**values, "date_end": fields.Datetime.now() - timedelta(days=1)}, values]
        )
        issues = self.env["channel.price.quality"]._run(table)
        self.assertFalse(issues.filtered(lambda issue: issue.rule_id in ended | current))

    # === INVERSIONS === #

    def test_larger_quantity_pays_more(self):
        small = self._channel_rule(90)
        large = self._channel_rule(90.01, min_quantity=10)
        issue = self._found("inversion_quantity")
        self.assertRecordValues(
            issue,
            [{"rule_id": large.id, "other_rule_id": small.id, "product_id": self.device.id, "quantity": 10,
              "price": 90.01, "other_price": 90, "severity": "warn"}],
        )
        large.fixed_price = 90
        self.assertFalse(self._found("inversion_quantity"), "the same price is no inversion")

    def test_larger_quantity_falls_out_of_the_segment(self):
        """A rule of the variant for everybody wins over one of the product for the segment, from its quantity on."""
        self._channel_rule(70, segment=self.segment_dealer)
        everybody = self._channel_rule(
            80, applied_on="0_product_variant", product_id=self.device.id, min_quantity=5
        )
        self.assertEqual(self._found("inversion_quantity").rule_id, everybody)
        everybody.fixed_price = 70
        self.assertFalse(self._found("inversion_quantity"))

    def _tiers(self):
        """Segments of gold and silver dealers in the east, and a silver one of others."""
        gold, silver = self.env["res.partner.grade"].create(
            [{"name": "Test Gold", "sequence": 1}, {"name": "Test Silver", "sequence": 2}]
        )
        (self.dealer | self.other_dealer).grade_id = gold
        self.sub_dealer.grade_id = silver
        east = [("channel_region_id", "child_of", self.region_east.id)]
        segments = [self._channel_segment(code, 1) for code in ("T-GOLD", "T-SILVER")]
        for segment, grade in zip(segments, (gold, silver), strict=True):
            segment.member_domain = repr([("grade_id", "=", grade.id), *east])
        return segments

    def test_higher_tier_pays_more(self):
        gold, silver = self._tiers()
        high = self._channel_rule(81, segment=gold)
        low = self._channel_rule(80, segment=silver)
        self.assertRecordValues(
            self._found("inversion_tier"),
            [{"rule_id": high.id, "other_rule_id": low.id, "segment_id": gold.id, "other_segment_id": silver.id,
              "price": 81, "other_price": 80, "percent": 1.25}],
        )
        high.fixed_price = 80
        self.assertFalse(self._found("inversion_tier"))
        self._channel_rule(70, segment=silver, min_quantity=5)
        self.assertEqual(self._found("inversion_tier").quantity, 5, "gold has no price of its own from 5 on")

    def test_tiers_are_compared_where_all_else_is_equal(self):
        gold, silver = self._tiers()
        self._channel_rule(90, segment=gold)
        self._channel_rule(80, segment=silver)
        self.assertTrue(self._found("inversion_tier"))
        silver.customer_domain = repr([("id", "=", self.hospital.id)])
        self.assertFalse(self._found("inversion_tier"), "for certain end customers only")
        silver.customer_domain = False
        silver.member_domain = repr([("grade_id", "=", self.sub_dealer.grade_id.id)])
        self.assertFalse(self._found("inversion_tier"), "in every region")

    # === COST === #

    def test_below_cost(self):
        self.device.standard_price = 80
        rule = self._channel_rule(79.99)
        issue = self._found("below_cost")
        self.assertRecordValues(
            issue, [{"rule_id": rule.id, "product_id": self.device.id, "price": 79.99, "severity": "block"}]
        )
        self.assertEqual(issue.limit_price, 80)
        rule.fixed_price = 80
        self.assertFalse(self._found("below_cost"))
        self.company.channel_price_min_margin = 25
        self.assertTrue(self._found("below_cost"))
        rule.fixed_price = 100
        self.assertFalse(self._found("below_cost"), "cost and a quarter, exactly")

    def test_below_cost_where_the_rule_wins_only(self):
        self.device.standard_price, self.consumable.standard_price = 60, 6
        everything = self._channel_rule(
            applied_on="3_global", product_tmpl_id=False, compute_price="percentage", percent_price=50
        )
        ours = self.device | self.consumable
        self.assertEqual(self._found("below_cost").product_id & ours, ours)
        self._channel_rule(60)
        self.assertEqual(self._found("below_cost").product_id & ours, self.consumable)
        everything.percent_price = 40
        self.assertFalse(self._found("below_cost").product_id & ours)

    def test_below_cost_in_another_currency(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": euro.id, "company_id": self.company.id, "name": date(2026, 1, 1), "rate": 0.5}
        )
        self.device.standard_price = 80
        self.table.currency_id = euro
        rule = self._channel_rule(39.99)
        self.assertEqual(self._found("below_cost").limit_price, 40)
        rule.fixed_price = 40
        self.assertFalse(self._found("below_cost"))

    # === FLOOR === #

    def _floor(self, price, **values):
        limit = self.env["channel.price.limit"].create(
            {"kind": "floor", "price": price, "date_from": date(2026, 7, 1),
             "product_tmpl_id": self.device.product_tmpl_id.id, **values}
        )
        limit.with_user(self.user_manager).action_approve()
        return limit

    def test_below_floor(self):
        self._floor(80)
        rule = self._channel_rule(79.99)
        issue = self._found("below_floor")
        self.assertRecordValues(
            issue, [{"rule_id": rule.id, "product_id": self.device.id, "price": 79.99, "severity": "block"}]
        )
        self.assertEqual(issue.limit_price, 80)
        self.assertNotIn("80.00", issue.message, "the floor itself is told to who may read it only")
        rule.fixed_price = 80
        self.assertFalse(self._found("below_floor"))

    def test_floor_of_a_segment(self):
        self._floor(80, segment_ids=[Command.set(self.segment_dealer.ids)])
        self._channel_rule(70, segment=self.segment_west)
        self._channel_rule(75)
        self.assertFalse(self._found("below_floor"), "for the west, and for whom no segment holds")
        dealers = self._channel_rule(79, segment=self.segment_dealer)
        named = self._channel_rule(78, channel_member_id=self.dealer.id)
        self.assertEqual(self._found("below_floor").rule_id, dealers | named)

    def test_floor_in_its_days_and_of_products(self):
        self._floor(80, date_from=date(2026, 9, 1))
        self._channel_rule(70, date_end=datetime(2026, 8, 31, 23, 59, 59))
        later = self._channel_rule(79, date_start=datetime(2026, 9, 1))
        self.assertEqual(self._found("below_floor").rule_id, later)
        self._floor(6, product_tmpl_id=False, product_domain=repr([("id", "=", self.consumable.id)]))
        cheap = self._channel_rule(5, product=self.consumable)
        self.assertEqual(self._found("below_floor").rule_id, later | cheap)

    def test_award_below_the_floor_takes_its_place(self):
        self._floor(80)
        rule = self._channel_rule(60)
        self.assertTrue(self._found("below_floor"))
        self._floor(60, kind="ceiling", reference="T-1")
        self.assertFalse(self._found("below_floor"))
        rule.fixed_price = 59
        self.assertTrue(self._found("below_floor"))

    # === SPREAD === #

    def test_spread_across_the_dealers_of_a_segment(self):
        both = self._channel_segment("T-BOTH", 90)
        both.member_domain = repr([("id", "in", (self.dealer | self.other_dealer).ids)])
        self.company.channel_price_spread_percent = 20
        general = self._channel_rule(120.01, segment=both)
        own = self._channel_rule(100, segment=self.segment_dealer)
        issue = self._found("spread")
        self.assertRecordValues(
            issue,
            [{"rule_id": general.id, "other_rule_id": own.id, "segment_id": both.id, "product_id": self.device.id,
              "price": 120.01, "other_price": 100}],
        )
        general.fixed_price = 120
        self.assertFalse(self._found("spread"), "20 % exactly")
        self.company.channel_price_spread_percent = 19.99
        self.assertTrue(self._found("spread"))
        self.company.channel_price_spread_percent = 0
        self.assertFalse(self._found("spread"), "switched off")

    def test_spread_by_a_price_of_one_member(self):
        self.segment_dealer.member_domain = repr([("id", "in", (self.dealer | self.sub_dealer).ids)])
        self._channel_rule(130, segment=self.segment_dealer)
        self.assertFalse(self._found("spread"))
        special = self._channel_rule(100, channel_member_id=self.sub_dealer.id)
        self.assertEqual(self._found("spread").other_rule_id, special)
        self._channel_rule(101, channel_member_id=self.dealer.id)
        self.assertFalse(self._found("spread"), "nobody pays the price of the segment any more")

    # === CURRENCY === #

    def test_currency_drift_since_the_version_was_made(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        made = self.company._channel_date(self.version.create_date)
        self.env["res.currency.rate"].create([
            {"currency_id": euro.id, "company_id": self.company.id, "name": made, "rate": 0.5},
            {"currency_id": euro.id, "company_id": self.company.id, "name": made + timedelta(days=10), "rate": 0.4},
        ])
        self.table.currency_id = euro
        self._channel_rule(50)
        self.company.channel_price_drift_percent = 24.99
        with freeze_time(made + timedelta(days=9)):
            self.assertFalse(self._found("currency_drift"))
        with freeze_time(made + timedelta(days=10)):
            issue = self._found("currency_drift")
            self.assertRecordValues(issue, [{"percent": 25, "day": made}])
            self.company.channel_price_drift_percent = 25
            self.assertFalse(self._found("currency_drift"), "25 % exactly")
            self.company.channel_price_drift_percent = 0
            self.assertFalse(self._found("currency_drift"), "switched off")

    # === GAPS === #

    def test_gap_of_an_authorized_product(self):
        self._channel_rule(5, product=self.consumable, segment=self.segment_dealer)
        self.assertFalse(self._found("gap"), "nobody is authorised")
        authorization = self._channel_authorization(self.dealer, self.region_east)
        issue = self._found("gap")
        self.assertRecordValues(issue, [{"product_id": self.device.id, "segment_id": self.segment_dealer.id}])
        rule = self._channel_rule(90, min_quantity=2)
        self.assertTrue(self._found("gap"), "one piece has no price")
        rule.min_quantity = 1
        self.assertFalse(self._found("gap"), "the price for everybody is theirs too")
        rule.channel_member_id = self.dealer
        self.assertTrue(self._found("gap"), "a price of one member is none of the segment")
        authorization.with_user(self.user_manager).action_revoke(reason="ended", date=date(2026, 7, 1))
        self.assertFalse(self._found("gap"), "revoked on the first day of the version")

    def test_gap_where_the_authorization_reaches_an_end_customer_of_the_segment(self):
        self._channel_rule(5, product=self.consumable, segment=self.segment_hospital)
        self._channel_authorization(self.dealer, self.region_west)
        self.assertFalse(self._found("gap"), "the hospital is in the east")
        self._channel_authorization(self.dealer, self.region_city)
        self.assertEqual(self._found("gap").segment_id, self.segment_hospital)

    def test_gap_by_product_and_by_list_of_hospitals(self):
        self._channel_rule(5, product=self.env["product.product"].create(
            self._channel_product_values("Other")), segment=self.segment_hospital)
        self._channel_authorization(
            self.dealer, all_products=False, product_ids=[Command.set(self.consumable.ids)],
            customer_ids=[Command.set(self.hospital.ids)],
        )
        self.assertEqual(self._found("gap").product_id, self.consumable)

    def test_gap_of_a_table_for_everybody(self):
        self._channel_authorization(self.other_dealer, self.region_west)
        rule = self._channel_rule(5, product=self.consumable)
        self.assertRecordValues(self._found("gap"), [{"product_id": self.device.id, "segment_id": False}])
        rule.write({"applied_on": "3_global"})
        self.assertFalse(self._found("gap"))

    # === FINDINGS === #

    def test_finding_stays_the_same_while_its_figures_do(self):
        self._channel_rule(90)
        newer = self._channel_rule(80)
        issue = self._found("overlap")
        issue.with_user(self.user_pricing).action_accept(reason="Agreed for July")
        self.assertEqual(self._found("overlap"), issue)
        self.assertRecordValues(
            issue, [{"state": "accepted", "accept_reason": "Agreed for July", "accepted_by_id": self.user_pricing.id}]
        )
        newer.unlink()
        self.assertFalse(self._found("overlap").exists())

    def test_blocking_findings_stop_the_approval_until_accepted(self):
        self.device.standard_price = 80
        self._channel_rule(70)
        version = self.version.with_user(self.user_manager)
        with self.assertRaisesRegex(UserError, "does not reach cost"):
            version.action_approve()
        self.assertEqual(self.version.state, "draft")
        issue = self._found("below_cost")
        issue.with_user(self.user_pricing).action_accept(reason="Launch price")
        version.action_approve()
        self.assertEqual(self.version.state, "approved")
        entry = self.env["channel.audit.entry"].sudo().search(
            [("action", "=", "price.findings_accepted"), ("res_id", "=", self.version.id)]
        )
        self.assertEqual((entry.reason, entry.user_id), ("Launch price", self.user_pricing))
        with self.assertRaises(UserError):
            issue.with_user(self.user_pricing).action_accept(reason="Again")

    def test_who_accepts_does_not_approve(self):
        self.device.standard_price = 80
        self._channel_rule(70)
        self._found("below_cost").with_user(self.user_manager).action_accept(reason="Launch price")
        with self.assertRaisesRegex(UserError, "somebody else"):
            self.version.with_user(self.user_manager).action_approve()

    def test_warnings_do_not_stop_the_approval(self):
        self._channel_rule(90)
        self._channel_rule(95, min_quantity=10)
        self.version.with_user(self.user_manager).action_approve()
        self.assertEqual(self.version.state, "approved")

    def test_message_in_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self._channel_rule(90)
        self._channel_rule(1234.5, min_quantity=10)
        issue = self._found("inversion_quantity")
        self.assertIn("1,234.50", issue.message)
        self.assertIn("234,50", issue.with_context(lang="fr_FR").message)

    # === ACCESS === #

    def test_pricing_checks_and_sales_sees_nothing(self):
        self.device.standard_price = 80
        self._channel_rule(70)
        action = self.version.with_user(self.user_pricing).action_channel_check_quality()
        issue = self.env["channel.price.issue"].search(action["domain"])
        self.assertTrue(issue.with_user(self.user_auditor).message)
        for user in (self.user_sales, self.user_executive, self.user_portal):
            with self.assertRaises(AccessError):
                issue.with_user(user).read(["message"])
        with self.assertRaises(AccessError):
            self.version.with_user(self.user_sales).action_channel_check_quality()
        with self.assertRaises(AccessError):
            issue.with_user(self.user_auditor).action_accept(reason="No")
        with self.assertRaises(AccessError):
            issue.with_user(self.user_pricing).write({"state": "accepted"})

    # === SHAPE === #

    def test_number_of_queries_does_not_depend_on_the_number_of_rules(self):
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{n}", standard_price=1) for n in range(110)]
        )

        def count(chosen):
            self.version.item_ids.unlink()
            self.env["product.pricelist.item"].create([
                {"pricelist_id": self.table.id, "channel_version_id": self.version.id, "fixed_price": 10 + quantity,
                 "min_quantity": quantity, "product_tmpl_id": product.product_tmpl_id.id,
                 "channel_segment_id": segment.id}
                for product in chosen for quantity in (0, 5) for segment in (self.segment_dealer, self.segment_west)
            ])
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._run()
            return self.env.cr.sql_log_count - before

        count(products[:1])
        self.assertEqual(count(products[10:]), count(products[:10]))


@tagged("post_install", "-at_install")
class TestPriceResolver(PriceQualityCommon):
    """The prices that SQL finds are those of core, rule and amount, for random tables."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = random.Random(20261125)
        cls.categories = cls.env["product.category"].create([{"name": "A"}, {"name": "B"}])
        cls.categories += cls.env["product.category"].create({"name": "A1", "parent_id": cls.categories[0].id})
        attribute = cls.env["product.attribute"].create(
            {"name": "Size", "value_ids": [Command.create({"name": name}) for name in "SL"]}
        )
        sized = cls.env["product.template"].create({
            "name": "Sized", "list_price": 77, "categ_id": cls.categories[2].id,
            "attribute_line_ids": [
                Command.create({"attribute_id": attribute.id, "value_ids": [Command.set(attribute.value_ids.ids)]})
            ],
        })
        sized.attribute_line_ids.product_template_value_ids[1].price_extra = 5.5
        cls.products = sized.product_variant_ids + cls.env["product.product"].create([
            cls._channel_product_values(
                f"P{number}", list_price=cls.random.randint(1, 500), standard_price=cls.random.randint(1, 300),
                categ_id=cls.random.choice(cls.categories).id,
            )
            for number in range(6)
        ])
        euro = cls.env.ref("base.EUR")
        euro.active = True
        cls.env["res.currency.rate"].create(
            {"currency_id": euro.id, "company_id": cls.company.id, "name": date(2020, 1, 1), "rate": 0.8}
        )
        cls.base_table, cls.deep_table = cls.env["product.pricelist"].create([
            {"name": "Base", "company_id": False},
            {"name": "Deep", "company_id": False, "currency_id": euro.id},
        ])
        cls.env["product.pricelist.item"].create(
            [cls._random_rule(cls.deep_table) for _number in range(12)]
            + [cls._random_rule(cls.base_table, cls.deep_table) for _number in range(12)]
        )

    @classmethod
    def _random_rule(cls, table, base=None, **values):
        choose = cls.random
        start = choose.choice([False, NOW + timedelta(days=choose.randint(-20, 60))])
        segments = cls.segment_hospital | cls.segment_dealer | cls.segment_west
        values |= {
            "pricelist_id": table.id,
            "min_quantity": choose.choice([0, 0, 1, 2.5, 10]),
            "date_start": start,
            "date_end": choose.choice([False, (start or NOW) + timedelta(days=choose.randint(1, 40))]),
            "compute_price": choose.choice(["fixed", "percentage", "formula"]),
            "fixed_price": choose.randint(1, 500),
            "percent_price": choose.randint(-10, 60),
            "price_discount": choose.randint(-10, 60),
            "price_surcharge": choose.choice([0, 1.5, -2]),
            "price_round": choose.choice([0, 0.5, 5]),
            "price_min_margin": choose.choice([0, 0, -10]),
            "price_max_margin": choose.choice([0, 0, 20]),
            "channel_segment_id": choose.choice([False, *segments.ids]),
            "channel_member_id": choose.choice([False, False, cls.dealer.id]),
            "channel_customer_id": choose.choice([False, False, False, cls.hospital.id]),
        }
        if values["price_min_margin"] > values["price_max_margin"]:
            values["price_min_margin"] = 0
        if values["compute_price"] == "formula":
            values["base"] = choose.choice(["list_price", "standard_price"])
        if base and values["compute_price"] != "fixed" and choose.random() < 0.4:
            values |= {"base": "pricelist", "base_pricelist_id": base.id}
        match choose.randint(0, 3):
            case 0:
                product = choose.choice(cls.products)
                values |= {"product_id": product.id, "applied_on": "0_product_variant"}
            case 1:
                values |= {"product_tmpl_id": choose.choice(cls.products).product_tmpl_id.id}
            case 2:
                values |= {"categ_id": choose.choice(cls.categories).id, "applied_on": "2_product_category"}
        return values

    def test_prices_are_core_s(self):
        Quality = self.env["channel.price.quality"]
        moments = [datetime(2026, 7, 1) + timedelta(days=self.random.randint(0, 60)) for _number in range(4)]
        cases = 0
        for _table in range(4):
            self.version.item_ids.unlink()
            self.env["product.pricelist.item"].create([
                self._random_rule(self.table, self.base_table, channel_version_id=self.version.id)
                for _number in range(40)
            ])
            # So that each of these parties is known, though its rule never wins
            for parties in ({}, {"channel_member_id": self.dealer.id, "channel_customer_id": self.hospital.id}):
                self._channel_rule(1, applied_on="3_global", min_quantity=99, **parties)
            question = Quality._question(self.table, self.version)
            Quality._prepare(question)
            Quality._resolve(question, SQL(
                """
                SELECT good.id AS product_id, party.id AS party, moment, quantity
                  FROM channel_price_work_good good, channel_price_work_party party,
                       unnest(%s::timestamp[]) AS moment, unnest('{0,1,2.5,10}'::numeric[]) AS quantity
                 WHERE good.id = ANY(%s)
                """, moments, self.products.ids,
            ))
            self.env.cr.execute(SQL(
                """
                SELECT party.member_id, cell.moment, cell.quantity, cell.product_id, cell.price, cell.rule_id
                  FROM channel_price_work_cell cell
                  JOIN channel_price_work_party party ON party.id = cell.party
                 WHERE party.segment_id = 0
                   AND (party.member_id, party.customer_id) IN ((0, 0), (%s, %s))
                """, self.dealer.id, self.hospital.id,
            ))
            found = {(bool(member), moment, float(quantity), product): (price, rule)
                     for member, moment, quantity, product, price, rule in self.env.cr.fetchall()}
            self.env.cr.execute("UPDATE channel_price_version SET state = 'approved' WHERE id = %s", [self.version.id])
            self.env.invalidate_all()
            for named in (False, True):
                parties = {"member": self.dealer, "customer": self.hospital} if named else {}
                for moment in moments:
                    for quantity in (0.0, 1.0, 2.5, 10.0):
                        prices = self.table._compute_price_rule(self.products, quantity, date=moment, **parties)
                        for product_id, (price, rule_id) in prices.items():
                            found_price, found_rule = found[named, moment, quantity, product_id]
                            self.assertEqual(found_rule or False, rule_id)
                            self.assertAlmostEqual(float(found_price), price, 6)
                            cases += 1
            self.env.cr.execute("UPDATE channel_price_version SET state = 'draft' WHERE id = %s", [self.version.id])
            self.env.invalidate_all()
        self.assertGreater(cases, 500)
