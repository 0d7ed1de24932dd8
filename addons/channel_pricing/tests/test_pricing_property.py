import random
from contextlib import ExitStack
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.product.models.product_pricelist import ProductPricelist
from odoo.addons.product.models.product_pricelist_item import ProductPricelistItem

from .common import ChannelPricingCommon

SEED = 20261122
NOW = datetime(2026, 6, 15, 12, 0, 0)


@tagged("post_install", "-at_install")
class TestPricingProperty(ChannelPricingCommon):
    """Where no rule names a segment, the price is core's: rule, amount and all, for random tables."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = random.Random(SEED)
        Category = cls.env["product.category"]
        cls.categories = Category.create([{"name": "A"}, {"name": "B"}])
        cls.categories += Category.create([{"name": f"A{n}", "parent_id": cls.categories[0].id} for n in range(3)])
        cls.products = cls.env["product.product"].create(
            [
                cls._channel_product_values(
                    f"P{number}",
                    list_price=cls.random.randint(1, 500),
                    standard_price=cls.random.randint(1, 300),
                    categ_id=cls.random.choice(cls.categories).id,
                )
                for number in range(25)
            ]
        )
        attribute = cls.env["product.attribute"].create(
            {"name": "Size", "value_ids": [(0, 0, {"name": name}) for name in "SML"]}
        )
        template = cls.env["product.template"].create(
            {
                "name": "With variants",
                "list_price": 77,
                "categ_id": cls.categories[2].id,
                "attribute_line_ids": [
                    (0, 0, {"attribute_id": attribute.id, "value_ids": [(6, 0, attribute.value_ids.ids)]})
                ],
            }
        )
        cls.products += template.product_variant_ids
        cls.base_table = cls.env["product.pricelist"].create({"name": "Base", "company_id": False})
        cls.env["product.pricelist.item"].create(
            [cls._random_rule(cls.base_table, chained=False) for _number in range(40)]
        )

    @classmethod
    def _random_rule(cls, table, chained=True):
        choose = cls.random
        start = choose.choice([False, NOW + timedelta(days=choose.randint(-20, 20))])
        values = {
            "pricelist_id": table.id,
            "min_quantity": choose.choice([0, 0, 0, 2, 5, 5, 10, 2.5]),
            "date_start": start,
            "date_end": choose.choice([False, (start or NOW) + timedelta(days=choose.randint(1, 20))]),
            "compute_price": choose.choice(["fixed", "percentage", "formula"]),
            "fixed_price": choose.randint(1, 500),
            "percent_price": choose.randint(-10, 60),
            "price_discount": choose.randint(-10, 60),
            "price_surcharge": choose.choice([0, 1.5, -2]),
            "price_round": choose.choice([0, 0.5, 5]),
        }
        if values["compute_price"] == "formula":
            values["base"] = choose.choice(["list_price", "standard_price"])
        if chained and values["compute_price"] != "fixed" and choose.random() < 0.3:
            values |= {"base": "pricelist", "base_pricelist_id": cls.base_table.id}
        match choose.randint(0, 3):
            case 0:
                values |= {"product_id": choose.choice(cls.products).id}
            case 1:
                values |= {"product_tmpl_id": choose.choice(cls.products).product_tmpl_id.id}
            case 2:
                values |= {"categ_id": choose.choice(cls.categories).id, "applied_on": "2_product_category"}
        return values

    def _core_price_rule(self, table, *args, **kwargs):
        """What core computes with its own methods and order, through chained tables too."""
        core = ("_compute_price_rule", "_get_applicable_rules", "_get_applicable_rules_domain")
        with ExitStack() as stack:
            for name in core:
                stack.enter_context(patch.object(self.registry[table._name], name, getattr(ProductPricelist, name)))
            stack.enter_context(
                patch.object(self.registry["product.pricelist.item"], "_order", ProductPricelistItem._order)
            )
            return table._compute_price_rule(*args, **kwargs)

    def test_without_segments_every_price_is_core_s(self):
        cases = 0
        for _table in range(8):
            table = self.env["product.pricelist"].create({"name": "Random", "company_id": False})
            self.env["product.pricelist.item"].create(
                [self._random_rule(table) for _number in range(self.random.randint(1, 60))]
            )
            for quantity in (1, 2.5, 7, 10):
                uom = self.random.choice([self.uom_unit, self.uom_box])
                date = NOW + timedelta(days=self.random.randint(-25, 25))
                expected = self._core_price_rule(table, self.products, quantity, uom=uom, date=date)
                for parties in (
                    {},
                    {"member": self.dealer, "customer": self.hospital},
                    {"member": self.other_dealer, "customer": self.env["res.partner"]},
                ):
                    found = table._compute_price_rule(self.products, quantity, uom=uom, date=date, **parties)
                    self.assertEqual(found, expected)
                    cases += len(found)
        self.assertGreater(cases, 2000)

    def test_templates_are_priced_as_core_does(self):
        table = self.env["product.pricelist"].create({"name": "Random", "company_id": False})
        self.env["product.pricelist.item"].create([self._random_rule(table) for _number in range(80)])
        templates = self.products.product_tmpl_id
        for quantity in (1, 5):
            self.assertEqual(
                table._compute_price_rule(templates, quantity, date=NOW, member=self.dealer),
                self._core_price_rule(table, templates, quantity, date=NOW),
            )

    def test_with_segments_rules_of_others_make_no_difference(self):
        """A random table to which rules of the west are added: the east pays what it paid."""
        table = self.env["product.pricelist"].create({"name": "Random", "company_id": False})
        self.env["product.pricelist.item"].create([self._random_rule(table) for _number in range(40)])
        parties = {"member": self.dealer, "customer": self.hospital}
        before = table._compute_price_rule(self.products, 5, date=NOW, **parties)
        west = self.env["product.pricelist.item"].create(
            [{**self._random_rule(table), "channel_segment_id": self.segment_west.id} for _number in range(40)]
        )
        self.assertEqual(table._compute_price_rule(self.products, 5, date=NOW, **parties), before)
        theirs = table._compute_price_rule(self.products, 5, date=NOW, member=self.other_dealer)
        self.assertTrue({rule_id for _price, rule_id in theirs.values()} & set(west.ids))

    def _read_plainly(self, table, rules, product, quantity, date, parties, segments):
        """The order as the documentation states it, in plain Python over all rules."""
        member, customer = parties.get("member"), parties.get("customer")
        path = [int(part) for part in product.categ_id.parent_path.split("/") if part]

        def about(rule):
            return {
                "0_product_variant": rule.product_id == product,
                "1_product": rule.product_tmpl_id == product.product_tmpl_id,
                "2_product_category": rule.categ_id.id in path,
                "3_global": True,
            }[rule.applied_on]

        holding = [
            rule
            for rule in rules
            if about(rule)
            and (not rule.channel_member_id or rule.channel_member_id == member)
            and (not rule.channel_customer_id or rule.channel_customer_id == customer)
            and (not rule.channel_segment_id or rule.channel_segment_id in segments)
            and (not rule.date_start or rule.date_start <= date)
            and (not rule.date_end or rule.date_end >= date)
            and (not rule.min_quantity or quantity >= rule.min_quantity)
        ]
        named = {(True, True): 0, (False, True): 1, (True, False): 2, (False, False): 3}
        categories = {
            category: position
            for position, category in enumerate(self.env["product.category"].search([], order="complete_name desc"))
        }
        return min(
            holding,
            key=lambda rule: (
                rule.applied_on,
                named[bool(rule.channel_member_id), bool(rule.channel_customer_id)],
                (0, rule.channel_segment_id.sequence) if rule.channel_segment_id else (1, 0),
                -rule.min_quantity,
                # An empty category comes first in descending order
                categories.get(rule.categ_id, -1),
                -rule.id,
            ),
            default=rules.browse(),
        )

    def test_with_parties_and_segments_the_stated_order_holds(self):
        choose = self.random.choice
        cases = named = 0
        for _table in range(4):
            table = self.env["product.pricelist"].create({"name": "Random", "company_id": False})
            rules = self.env["product.pricelist.item"].create([
                {
                    **self._random_rule(table),
                    "channel_member_id": choose([False, False, self.dealer.id, self.other_dealer.id]),
                    "channel_customer_id": choose([False, False, False, self.hospital.id]),
                    "channel_segment_id": choose(
                        [False, False, self.segment_hospital.id, self.segment_dealer.id, self.segment_west.id]
                    ),
                }
                for _number in range(150)
            ])  # fmt: skip
            date = NOW + timedelta(days=self.random.randint(-10, 10))
            for quantity in (1, 5, 10):
                for parties in (
                    {},
                    {"member": self.dealer, "customer": self.hospital},
                    {"member": self.dealer, "customer": self.env["res.partner"]},
                    {"member": self.other_dealer, "customer": self.hospital},
                ):
                    segments = self.env["channel.pricing"]._segments_of(parties.get("member"), parties.get("customer"))
                    found = table._compute_price_rule(
                        self.products, quantity, date=date, compute_price=False, **parties
                    )
                    for product in self.products:
                        expected = self._read_plainly(table, rules, product, quantity, date, parties, segments)
                        self.assertEqual(found[product.id][1], expected.id)
                        cases += 1
                        named += bool(expected.channel_member_id or expected.channel_customer_id)
        self.assertGreater(cases, 1000)
        self.assertGreater(named, 200)
