from datetime import date, datetime

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import ChannelPricingCommon


class ChannelPriceOffersCommon(ChannelPricingCommon):
    """The table sells the device at 1,565.00; tables of offers come on top of it by versions."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule_device = cls._channel_rule(1565)
        cls.groups = cls.env["channel.stacking.group"].create(
            [{"name": f"Discounts {code}", "code": code} for code in ("DIS01", "DIS02", "DIS03")]
        )
        cls.policy = cls._channel_policy("Promotions", line_ids=[
            Command.create({"group_id": group.id, "mode": "compound"}) for group in cls.groups
        ])

    @classmethod
    def _channel_policy(cls, name, approve=True, **values):
        policy = cls.env["channel.stacking.policy"].with_user(cls.user_pricing).create(
            {"name": name, "company_id": False, **values}
        )
        if approve:
            policy.with_user(cls.user_manager).action_approve()
        return policy.with_env(cls.env)

    @classmethod
    def _channel_offers(cls, name, *rules, **values):
        """A table of offers with rules; by default of every product."""
        return cls.env["product.pricelist"].create({
            "name": name, "currency_id": cls.company.currency_id.id, "company_id": False, "sequence": 50,
            "item_ids": [Command.create(rule) for rule in rules], **values,
        })

    @classmethod
    def _percent(cls, value, **values):
        return {"compute_price": "percentage", "percent_price": value, **values}

    @classmethod
    def _off(cls, amount, **values):
        """So much off: a formula on the sales price with a negative fee."""
        return {"compute_price": "formula", "price_surcharge": -amount, **values}

    @classmethod
    def _channel_version_with(cls, offers, valid_from=date(2026, 6, 1), policy=None, approve=True, table=None):
        """The next version of the table with these offers.

        :param offers: ``[(table of offers, values)]``
        """
        version = cls._channel_price_version(valid_from, approve=False, table=table).with_user(cls.user_pricing)
        version.write({
            "stacking_policy_id": (cls.policy if policy is None else policy).id,
            "offer_ids": [
                Command.clear(),
                *(
                    Command.create({"offer_pricelist_id": table.id, "sequence": place, **values})
                    for place, (table, values) in enumerate(offers, 1)
                ),
            ],
        })
        if approve:
            version.with_user(cls.user_manager).action_approve()
        return version.with_env(cls.env)

    @classmethod
    def _channel_published_offers(cls):
        """Microsoft Learn, "Resolving concurrency within price component codes" (Dynamics 365 unified pricing)."""
        return [
            (cls._channel_offers(name, rule), {"group_id": cls.groups[group].id, "mode": mode})
            for name, rule, group, mode in (
                ("DIS01-01", cls._percent(10), 0, "best"),
                ("DIS01-02", cls._percent(5), 0, "always"),
                ("DIS02-01", cls._percent(10), 1, "compound"),
                ("DIS02-02", cls._percent(8), 1, "always"),
                ("DIS03-01", cls._off(20), 2, "threshold"),
                ("DIS03-02", cls._off(10), 2, "always"),
            )
        ]


@tagged("post_install", "-at_install")
@freeze_time("2026-06-15 04:00:00")
class TestPriceOffers(ChannelPriceOffersCommon):
    """Offers count on the price of a table as its version and its policy say."""

    # === PUBLISHED EXAMPLES ===#

    def test_published_example_on_every_caller(self):
        version = self._channel_version_with(self._channel_published_offers())
        order = self._channel_order([(self.device, 3)])
        line = order.order_line
        self.assertEqual((line.price_unit, line.discount, line.price_subtotal), (1080.45, 0, 3241.35))
        self.assertEqual(line.pricelist_item_id.channel_version_id, version)
        quoted = self._quote(quantity=3)
        self.assertEqual(quoted["price_unit"], 1080.45)
        self.assertEqual(order._get_product_catalog_order_data(self.device)[self.device.id]["price"], 1080.45)
        self.assertEqual(self.table._get_product_price(self.device, 3, member=self.dealer), 1080.45)
        book = self.env["channel.pricing"].price_book(self.dealer.id, product_ids=self.device.ids)
        self.assertEqual([price["price_unit"] for price in book["rows"][0]["prices"]], [1080.45])
        check = self.env["channel.price.check"].create(
            {"member_id": self.dealer.id, "product_id": self.device.id, "quantity": 1}
        )
        self.assertEqual(check.price, 1080.45)
        order.action_confirm()
        self.assertEqual((line.price_unit, line.channel_table_price), (1080.45, 1080.45))
        invoice = order._create_invoices()
        self.assertEqual(invoice.invoice_line_ids.price_unit, 1080.45)

    def test_published_compound_behaviour(self):
        """Microsoft Learn, "Pricing settings": 10 % and 20 % off 100 leave 72, or 70 of the original price."""
        self.rule_device.fixed_price = 100
        offers = [(self._channel_offers(f"{value} %", self._percent(value)), {}) for value in (10, 20)]
        for month, (basis, price) in enumerate((("remainder", 72), ("original", 70)), 1):
            policy = self._channel_policy(basis, mode="compound", basis=basis)
            self._channel_version_with(offers, date(2026, month, 1), policy)
            self.assertEqual(self._price(date=f"2026-0{month}-15"), price)

    def test_steps_tell_each_offer(self):
        self._channel_version_with(self._channel_published_offers())
        steps = self._quote()["steps"]
        told = [(step["message"].split(":")[0], step["amount"]) for step in steps if step["code"] == "offer"]
        self.assertEqual(told, [
            ("DIS01-01", 1408.5), ("DIS02-01", 1267.65), ("DIS03-01", 1247.65), ("DIS01-02", 1185.27),
            ("DIS02-02", 1090.45), ("DIS03-02", 1080.45),
        ])
        self.assertIn("Promotions", next(step["message"] for step in steps if step["code"] == "policy"))
        amounts = [step["amount"] for step in steps if step.get("amount") is not None and step["code"] != "price"]
        self.assertEqual(amounts[-1], 1080.45)

    def test_offer_that_does_not_count_is_told_first(self):
        best = self._channel_policy("Best", mode="best")
        self._channel_version_with([
            (self._channel_offers(name, self._percent(value)), {}) for name, value in (("Ten", 10), ("Twenty", 20))
        ], policy=best)
        steps = [step for step in self._quote()["steps"] if step["code"] in ("offer", "offer_lost")]
        self.assertEqual([step["code"] for step in steps], ["offer_lost", "offer"])
        self.assertIn("Ten", steps[0]["message"])
        self.assertNotIn("amount", steps[0])
        self.assertEqual(steps[1]["amount"], 1252)

    # === What a rule offers ===#

    def _price_with(self, rule, **values):
        offers = self._channel_offers("Offers", rule)
        self._channel_version_with([(offers, values)], policy=self._channel_policy("Compound", mode="compound"))
        return self._price()

    def test_fixed_price_is_offered_if_lower(self):
        self.assertEqual(self._price_with({"compute_price": "fixed", "fixed_price": 1500}), 1500)

    def test_fixed_price_above_the_price_takes_nothing(self):
        self.assertEqual(self._price_with({"compute_price": "fixed", "fixed_price": 1600}), 1565)

    def test_formula_of_two_parts_is_a_price(self):
        self.device.list_price = 1600
        self.assertEqual(
            self._price_with({"compute_price": "formula", "price_discount": 10, "price_surcharge": -5}), 1435
        )

    def test_price_based_on_cost(self):
        self.device.standard_price = 1000
        rule = {"compute_price": "formula", "base": "standard_price", "price_markup": 20}
        self.assertEqual(self._price_with(rule), 1200)

    def test_offer_of_another_product_does_not_count(self):
        rule = self._percent(10, applied_on="1_product", product_tmpl_id=self.consumable.product_tmpl_id.id)
        self.assertEqual(self._price_with(rule), 1565)

    def test_offer_ends_with_its_rule(self):
        rule = self._percent(10, date_end=datetime(2026, 6, 20, 16))
        self.assertEqual(self._price_with(rule), 1408.5)
        self.assertEqual(self._price(date="2026-06-20 16:00:00"), 1408.5)
        self.assertEqual(self._price(date="2026-06-20 16:00:01"), 1565)

    def test_offer_for_a_segment(self):
        rule = self._percent(10, channel_segment_id=self.segment_dealer.id)
        self.assertEqual(self._price_with(rule), 1408.5)
        self.assertEqual(self._price(self.other_dealer), 1565)

    def test_offer_of_a_quantity(self):
        self._price_with(self._percent(10, min_quantity=5))
        self.assertEqual((self._price(quantity=4), self._price(quantity=5)), (1565, 1408.5))

    def test_minimum_is_reached_by_the_line(self):
        self.assertEqual(self._price_with(self._percent(10), minimum=3130), 1565)
        self.assertEqual(self._price(quantity=2), 1408.5)

    def test_cap_is_per_unit_priced(self):
        self._price_with(self._percent(10), cap=100)
        self.assertEqual(self._price(), 1465)
        dozen = self.env.ref("uom.product_uom_dozen")
        [answer] = self.env["channel.pricing"].quote(
            self.dealer.id, [{"product_id": self.device.id, "quantity": 1, "uom_id": dozen.id}]
        )
        self.assertEqual(answer["price_unit"], 12 * 1465)

    def test_offer_in_another_currency(self):
        currency = self.env["res.currency"].create({"name": "TOF", "symbol": "T", "rounding": 0.01})
        self.env["res.currency.rate"].create({"currency_id": currency.id, "rate": 2, "name": "2020-01-01"})
        offers = self._channel_offers("Foreign", self._off(20), currency_id=currency.id)
        self._channel_version_with([(offers, {})])
        self.assertEqual(self._price(), 1555)

    def test_product_without_a_rule_gets_offers_on_its_sales_price(self):
        self.consumable.list_price = 50
        self._price_with(self._percent(10))
        self.assertEqual(self._price(product=self.consumable), 45)
        order = self._channel_order([(self.consumable, 1)])
        self.assertEqual((order.order_line.price_unit, order.order_line.pricelist_item_id.id), (45, False))

    def test_table_based_on_it_takes_the_price_with_offers(self):
        self._price_with(self._percent(10))
        based = self._channel_offers(
            "Based", self._percent(50, base="pricelist", base_pricelist_id=self.table.id)
        )
        self.assertEqual(based._get_product_price(self.device, 1, member=self.dealer), 704.25)

    def test_lines_show_the_net_price(self):
        """A discount of two digits would not give the amount to the cent."""
        self.env.user.group_ids += self.env.ref("sale.group_discount_per_so_line")
        self.device.list_price = 1565
        self.rule_device.write({"compute_price": "percentage", "percent_price": 7})
        self._price_with(self._percent(10))
        line = self._channel_order([(self.device, 1)]).order_line
        self.assertEqual((line.price_unit, line.discount), (1309.9, 0))

    # === Special prices ===#

    def test_special_price_stands_alone(self):
        self._price_with(self._percent(10))
        self._channel_request([(self.device, 5, 1450)])
        self.assertEqual(self._price(), 1450)

    def test_offer_on_special_prices(self):
        self._price_with(self._percent(10), on_special=True)
        self._channel_request([(self.device, 5, 1450)])
        self.assertEqual(self._price(), 1305)

    # === Versions ===#

    def test_past_and_future_keep_their_offers(self):
        ten, twenty = (self._channel_offers(f"{value}", self._percent(value)) for value in (10, 20))
        self._channel_version_with([(ten, {})], date(2026, 6, 1))
        self._channel_version_with([(twenty, {})], date(2026, 7, 1))
        prices = [self._price(date=day) for day in ("2026-05-31", "2026-06-01", "2026-06-30", "2026-07-01")]
        self.assertEqual(prices, [1565, 1408.5, 1408.5, 1252])

    def test_draft_takes_the_offers_over_and_tells_the_difference(self):
        ten, twenty = (self._channel_offers(f"{value} off", self._percent(value)) for value in (10, 20))
        self._channel_version_with([(ten, {"minimum": 100})])
        draft = self._channel_price_version(date(2026, 7, 1), approve=False)
        self.assertEqual(draft.stacking_policy_id, self.policy)
        self.assertEqual((draft.offer_ids.offer_pricelist_id, draft.offer_ids.minimum), (ten, 100))
        draft.offer_ids = [Command.create({"offer_pricelist_id": twenty.id})]
        draft.offer_ids[0].minimum = 200
        changes = {change["label"]: (change["before"], change["after"]) for change in draft.difference()}
        self.assertTrue(any("20 off" in label for label in changes), changes)
        self.assertIn((100.0, 200.0), changes.values())

    def test_approved_offers_are_fixed(self):
        version = self._channel_version_with([(self._channel_offers("Ten", self._percent(10)), {})])
        with self.assertRaisesRegex(UserError, "not a draft any more"):
            version.offer_ids.minimum = 5
        with self.assertRaisesRegex(UserError, "not a draft any more"):
            version.stacking_policy_id = False
        with self.assertRaisesRegex(UserError, "not a draft any more"):
            version.offer_ids.unlink()

    def test_a_change_of_offers_takes_the_comparison_back(self):
        draft = self._channel_version_with([(self._channel_offers("Ten", self._percent(10)), {})], approve=False)
        draft.action_refresh_preview()
        self.assertTrue(draft.preview_at)
        draft.offer_ids.minimum = 5
        self.assertFalse(draft.preview_at)
        draft.action_refresh_preview()
        draft.stacking_policy_id = self._channel_policy("Other")
        self.assertFalse(draft.preview_at)

    def test_effect_counts_offers(self):
        order = self._channel_order([(self.device, 2)])
        order.action_confirm()
        order.date_order = datetime(2026, 5, 1)
        draft = self._channel_version_with([(self._channel_offers("Ten", self._percent(10)), {})], approve=False)
        draft.action_refresh_preview()
        self.assertEqual((draft.effect_before, draft.effect_after), (3130, 2817))

    def test_journal_keeps_what_was_approved(self):
        version = self._channel_version_with([(self._channel_offers("Ten", self._percent(10)), {"minimum": 30})])
        entry = self.env["channel.audit.entry"].search([("model", "=", version._name), ("res_id", "=", version.id)])
        text = str(entry.mapped("payload"))
        self.assertIn("Promotions", text)
        self.assertIn("Ten", text)

    # === Policies ===#

    def test_offers_need_an_approved_policy(self):
        offers = [(self._channel_offers("Ten", self._percent(10)), {})]
        with self.assertRaisesRegex(UserError, "no stacking policy"):
            self._channel_version_with(offers, policy=self.env["channel.stacking.policy"])
        with self.assertRaisesRegex(UserError, "not approved"):
            self._channel_version_with(offers, policy=self._channel_policy("Draft", approve=False))

    def test_policy_in_use_stays(self):
        version = self._channel_version_with([(self._channel_offers("Ten", self._percent(10)), {})])
        with self.assertRaisesRegex(UserError, "Test Table"):
            self.policy.action_withdraw()
        self.company.channel_stacking_policy_id = other = self._channel_policy("Default")
        with self.assertRaisesRegex(UserError, self.company.name):
            other.action_withdraw()
        self.assertEqual(self._channel_price_version(date(2026, 8, 1), approve=False).stacking_policy_id, self.policy)
        self._channel_version_with([], date(2026, 6, 10))
        self.assertEqual(version.valid_to, date(2026, 6, 9))
        self.policy.action_withdraw()
        self.assertEqual(self.policy.state, "cancelled")

    def test_new_versions_get_the_policy_of_the_company(self):
        self.company.channel_stacking_policy_id = self.policy
        version = self.env["channel.price.version"].create({"pricelist_id": self.table.id, "valid_from": "2026-07-01"})
        self.assertEqual(version.stacking_policy_id, self.policy)

    # === What cannot be ===#

    def test_offers_do_not_rest_on_what_they_are_offered_on(self):
        based = self._channel_offers("Based", self._percent(50, base="pricelist", base_pricelist_id=self.table.id))
        with self.assertRaisesRegex(ValidationError, "rest on that table"):
            self._channel_version_with([(based, {})], approve=False)
        plain = self._channel_offers("Plain", self._percent(10))
        self._channel_version_with([(plain, {})])
        with self.assertRaisesRegex(ValidationError, "cannot be based on"):
            plain.item_ids.write({"base": "pricelist", "base_pricelist_id": self.table.id})

    def test_a_table_is_not_offered_on_itself(self):
        with self.assertRaisesRegex(ValidationError, "rest on that table"):
            self._channel_version_with([(self.table, {})], approve=False)

    @mute_logger("odoo.sql_db")
    def test_a_table_of_offers_is_named_once(self):
        offers = self._channel_offers("Ten", self._percent(10))
        with self.assertRaises(IntegrityError):
            self._channel_version_with([(offers, {}), (offers, {})], approve=False)

    # === Access ===#

    def test_pricing_edits_offers_and_sales_reads_approved_ones(self):
        offers = self._channel_offers("Ten", self._percent(10))
        version = self._channel_price_version(date(2026, 7, 1), approve=False)
        with Form(version.with_user(self.user_pricing)) as form:
            form.stacking_policy_id = self.policy
            with form.offer_ids.new() as line:
                line.offer_pricelist_id = offers
        offer = version.offer_ids
        with self.assertRaises(AccessError):
            offer.with_user(self.user_sales).read(["minimum"])
        version.with_user(self.user_manager).action_approve()
        self.assertEqual(offer.with_user(self.user_sales).read(["minimum"])[0]["minimum"], 0)
        draft = self._channel_price_version(date(2026, 8, 1), approve=False)
        with self.assertRaises(AccessError):
            self.env["channel.price.version.offer"].with_user(self.user_sales).create(
                {"version_id": draft.id, "offer_pricelist_id": self._channel_offers("Twenty").id}
            )

    def test_salesperson_and_dealer_pay_the_same(self):
        self._price_with(self._percent(10))
        order = self._channel_order([(self.device, 1)]).with_user(self.user_sales)
        order.order_line.price_unit = 1
        order._recompute_prices()
        self.assertEqual(order.order_line.price_unit, 1408.5)
        portal = self.env["channel.pricing"].with_user(self.user_portal)
        [answer] = portal.quote(self.dealer.id, [{"product_id": self.device.id, "quantity": 1}])
        self.assertEqual(answer["price_unit"], 1408.5)
        told = [step["message"] for step in answer["steps"] if step["code"] == "offer"]
        self.assertEqual(len(told), 1)
        self.assertIn("Offers: 10 % of", told[0])

    # === Number of queries ===#

    def test_queries_do_not_grow_with_the_lines(self):
        self._channel_version_with(self._channel_published_offers())
        products = self.env["product.product"].create([
            {"name": f"Offered {number}", "list_price": 1565} for number in range(100)
        ])

        def count(lines):
            self.env.invalidate_all()
            asked = [{"product_id": product.id, "quantity": 1} for product in products[:lines]]
            before = self.env.cr.sql_log_count
            answers = self.env["channel.pricing"].quote(self.dealer.id, asked, explain=False)
            self.assertEqual({answer["price_unit"] for answer in answers}, {1080.45})
            return self.env.cr.sql_log_count - before

        count(1)
        self.assertLessEqual(count(100), count(10) + 2)
