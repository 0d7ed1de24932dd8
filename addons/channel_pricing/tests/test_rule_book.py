import random
from datetime import datetime
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import SQL

from ..tools import RuleBook
from .common import ChannelPricingCommon

NOW = datetime(2026, 6, 15, 12, 0, 0)


@tagged("post_install", "-at_install")
class TestRuleBook(ChannelPricingCommon):
    """The short way to the rule that wins ends where the long way does, however long the table."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = random.Random(20261122)
        parent = cls.env["product.category"].create({"name": "Zinc"})
        child = cls.env["product.category"].create({"name": "Alloys", "parent_id": parent.id})
        cls.products = cls.env["product.product"].create(
            [
                cls._channel_product_values(
                    f"B{number}", list_price=100 + number, categ_id=(parent, child)[number % 2].id
                )
                for number in range(20)
            ]
        )
        cls.book_table = cls.env["product.pricelist"].create({"name": "Book", "company_id": False})
        cls.segments = cls.env["channel.segment"].create(
            [
                {"name": f"Market {number}", "code": f"MARKET{number}", "sequence": number // 2,
                 "member_domain": f"[('id', '{'=' if number % 3 else '!='}', {cls.dealer.id})]"}
                for number in range(6)
            ]
        )

    def _fill(self, number):
        """`number` rules of all kinds, breaks and markets, two markets with the same priority among them."""
        choose = self.random.choice
        values_list = []
        for index in range(number):
            product = choose(self.products)
            values = {
                "pricelist_id": self.book_table.id,
                "compute_price": "fixed",
                "fixed_price": index + 1,
                "min_quantity": choose([0, 0, 1, 3, 3, 10, 2.5]),
                "channel_segment_id": choose([False, *self.segments.ids]),
                "date_start": choose([False, False, datetime(2026, 1, 1), datetime(2027, 1, 1)]),
                "date_end": choose([False, False, datetime(2026, 12, 31), datetime(2026, 2, 1)]),
            }
            match self.random.randint(0, 5):
                case 0:
                    values |= {"applied_on": "3_global"}
                case 1:
                    values |= {"applied_on": "2_product_category", "categ_id": product.categ_id.id}
                case 2 | 3:
                    values |= {"applied_on": "1_product", "product_tmpl_id": product.product_tmpl_id.id}
                case _:
                    values |= {"applied_on": "0_product_variant", "product_id": product.id}
            # What has ended before it begins is not a rule
            if values["date_start"] and values["date_end"] and values["date_start"] >= values["date_end"]:
                values["date_end"] = False
            values_list.append(values)
        return self.env["product.pricelist.item"].create(values_list)

    def _long_way(self, product, quantity, **parties):
        """As core does: every rule in order, the first that holds; and the one after it."""
        domain = self.book_table._get_applicable_rules_domain(self.products, NOW, **parties)
        rules = self.env["product.pricelist.item"].search(domain)
        return [rule for rule in rules if rule._is_applicable_for(product, quantity)]

    def test_winner_and_runner_up(self):
        self._fill(400)
        found = 0
        for parties in ({"member": self.dealer}, {"member": self.other_dealer}, {}):
            book = RuleBook(self.products, NOW, [(product.id, 3.0) for product in self.products], **parties)
            for product in self.products:
                # The last three were not announced.
                for quantity in (3.0, 1.0, 2.4999999999999996, -1.0):
                    with self.subTest(product=product.name, quantity=quantity, parties=list(parties)):
                        expected = self._long_way(product, quantity, **parties)
                        self.assertEqual(
                            list(book.candidates(self.book_table, product, quantity)), expected[:1]
                        )
                        self.assertEqual(
                            list(book.runner_up(self.book_table, product, quantity)), expected[1:2]
                        )
                        found += len(expected[:2])
        self.assertGreater(found, 300)

    def test_a_float_beside_the_break(self):
        """2.9999999999999996 is not 3, although its first 15 digits are."""
        product = self.products[0]
        rule = self.env["product.pricelist.item"].create({
            "pricelist_id": self.book_table.id, "applied_on": "0_product_variant", "product_id": product.id,
            "min_quantity": 3, "compute_price": "fixed", "fixed_price": 1,
        })
        for quantity, expected in ((3.0, rule), (2.9999999999999996, rule.browse()), (0.1 + 0.2, rule.browse())):
            with self.subTest(quantity=quantity):
                book = RuleBook(self.products, NOW)
                self.assertEqual(book.candidates(self.book_table, product, quantity), expected)

    def test_another_order_of_rules_is_followed(self):
        """Where an add-on orders rules otherwise, all rules of the product are handed over in that order."""
        self._fill(60)
        Item = self.registry["product.pricelist.item"]
        with patch.object(Item, "_order", "applied_on, id"):
            book = RuleBook(self.products, NOW, member=self.dealer)
            for product in self.products:
                expected = self._long_way(product, 3.0, member=self.dealer)
                self.assertEqual(
                    [
                        rule for rule in book.candidates(self.book_table, product, 3.0)
                        if rule._is_applicable_for(product, 3.0)
                    ],
                    expected,
                )
                self.assertEqual(list(book.runner_up(self.book_table, product, 3.0)), expected[1:2])

    def test_queries_do_not_depend_on_the_table_or_the_lines(self):
        def queries(products):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.book_table._compute_price_rule(products, 3.0, date=NOW, member=self.dealer)
            return self.cr.sql_log_count - before

        self._fill(30)
        queries(self.products)  # what is cached for good
        few = queries(self.products[:2])
        self._fill(600)
        self.assertEqual(queries(self.products), few)

    def test_a_long_table_is_never_read_through(self):
        """Also where the planner takes every rule of the table for a match, and there is none of the kind asked for."""
        self.env["product.pricelist.item"].create([
            {"pricelist_id": self.book_table.id, "applied_on": "1_product", "min_quantity": number,
             "product_tmpl_id": self.products[number % 20].product_tmpl_id.id, "fixed_price": number}
            for number in range(2000)
        ])
        self.env.flush_all()
        self.cr.execute("ANALYZE product_pricelist_item")
        asked = []
        execute_query = type(self.env).execute_query

        def listen(env, query):
            asked.append(query)
            return execute_query(env, query)

        with patch.object(type(self.env), "execute_query", listen):
            RuleBook(self.products, NOW, [(product.id, 3.0) for product in self.products]).winners(self.book_table)
        [query] = [query for query in asked if "any_of_parties" in query.code]
        plan = "\n".join(line for (line,) in self.env.execute_query(SQL("EXPLAIN %s", query)))
        self.assertNotIn("Seq Scan on product_pricelist_item rule", plan)

    def test_explanation_of_a_long_table(self):
        """A quote names the rule that wins and the runner-up, and says that there are more."""
        product = self.products[0]
        rules = self.env["product.pricelist.item"].create([
            {"pricelist_id": self.book_table.id, "applied_on": "1_product",
             "product_tmpl_id": product.product_tmpl_id.id, "min_quantity": number, "compute_price": "fixed",
             "fixed_price": 500 - number}
            for number in range(1, 101)
        ])
        self.dealer.property_product_pricelist = self.book_table
        [answer] = self.env["channel.pricing"].quote(
            self.dealer.id, [{"product_id": product.id, "quantity": 50}], date="2026-06-15"
        )
        steps = answer["steps"]
        self.assertEqual(answer["price_unit"], 450)
        self.assertEqual(next(step["rule_id"] for step in steps if step["code"] == "won"), rules[49].id)
        first = next(step for step in steps if step["code"] == "lost")
        self.assertEqual((first["rule_id"], first["reason"]), (rules[48].id, "quantity_break"))
        more = next(step for step in steps if step["code"] == "more")
        self.assertFalse(more["complete"])
