from datetime import date, datetime

from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.base.tests.common import BaseCommon


@tagged("post_install", "-at_install")
class TestScope(BaseCommon):
    """Which rules hold for a line of a document. A scope without conditions holds everywhere."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Scope = cls.env["test.channel.scope"]
        cls.company = cls.env.company
        cls.branch = cls.env["res.company"].create({"name": "Branch", "parent_id": cls.company.id})
        cls.other_company = cls.env["res.company"].create({"name": "Other company"})
        cls.gold, cls.silver, cls.hospital, cls.clinic = cls.env["res.partner"].create(
            [
                {"name": name, "is_company": True, "ref": ref}
                for name, ref in (
                    ("Gold", "SCOPE-GOLD"),
                    ("Silver", "SCOPE-SILVER"),
                    ("Hospital", "SCOPE-HOSPITAL"),
                    ("Clinic", "SCOPE-CLINIC"),
                )
            ]
        )
        cls.stents, cls.gauze = cls.env["product.category"].create([{"name": "Stents"}, {"name": "Gauze"}])
        cls.coated = cls.env["product.category"].create({"name": "Coated", "parent_id": cls.stents.id})
        cls.stent, cls.gauze_product = cls.env["product.product"].create(
            [{"name": "Stent", "categ_id": cls.coated.id}, {"name": "Gauze", "categ_id": cls.gauze.id}]
        )
        cls.gold_market = cls._segment("Gold dealers", member_domain="[('ref', '=', 'SCOPE-GOLD')]")
        cls.hospital_market = cls._segment("Hospitals", customer_domain="[('ref', '=', 'SCOPE-HOSPITAL')]")
        cls.everything = cls._scope("Everything")

    @classmethod
    def _segment(cls, name, **values):
        return cls.env["channel.segment"].create({"name": name, **values})

    @classmethod
    def _scope(cls, name, **values):
        if segments := values.pop("segments", None):
            values["segment_ids"] = [Command.set(segments.ids)]
        return cls.Scope.create({"name": name, **values})

    def _line(self, **values):
        return {
            "member_id": self.gold.id,
            "customer_id": False,
            "product_id": self.stent.id,
            "date": date(2026, 3, 15),
            "company_id": self.company.id,
            **values,
        }

    def _holds(self, scope, **values):
        return scope in scope._match_lines([self._line(**values)])[0]

    # === SEGMENTS === #

    def test_without_conditions_it_holds_everywhere(self):
        self.assertTrue(self._holds(self.everything))
        self.assertTrue(self._holds(self.everything, company_id=self.other_company.id, customer_id=self.clinic.id))

    def test_holds_in_its_segments(self):
        scope = self._scope("Gold", segments=self.gold_market)
        self.assertTrue(self._holds(scope))
        self.assertFalse(self._holds(scope, member_id=self.silver.id))
        scope = self._scope("Gold or hospital", segments=self.gold_market + self.hospital_market)
        self.assertTrue(self._holds(scope, member_id=self.silver.id, customer_id=self.hospital.id))
        self.assertFalse(self._holds(scope, member_id=self.silver.id, customer_id=self.clinic.id))

    def test_segment_of_end_customers_does_not_hold_orders_without_one(self):
        scope = self._scope("Hospitals", segments=self.hospital_market)
        self.assertTrue(self._holds(scope, customer_id=self.hospital.id))
        self.assertFalse(self._holds(scope))

    def test_contact_stands_for_its_company(self):
        contact, department = self.env["res.partner"].create(
            [
                {"name": "Buyer", "parent_id": self.gold.id},
                {"name": "Cardiology", "parent_id": self.hospital.id, "type": "delivery"},
            ]
        )
        scope = self._scope(
            "Both",
            segments=self._segment(
                "Gold to hospital",
                member_domain="[('ref', '=', 'SCOPE-GOLD')]",
                customer_domain="[('ref', '=', 'SCOPE-HOSPITAL')]",
            ),
        )
        self.assertTrue(self._holds(scope, member_id=contact.id, customer_id=department.id))

    def test_partner_changed_a_moment_ago(self):
        scope = self._scope("Gold", segments=self.gold_market)
        self.silver.ref = "SCOPE-GOLD"
        self.gold.ref = False
        self.assertTrue(self._holds(scope, member_id=self.silver.id))
        self.assertFalse(self._holds(scope))

    def test_archived_segment_holds_nobody(self):
        """Above all, a scope whose segments are archived does not begin to hold for everybody."""
        scope = self._scope("Gold", segments=self.gold_market)
        self.gold_market.active = False
        self.assertFalse(self._holds(scope))
        self.assertFalse(self._holds(scope, member_id=self.silver.id))

    def test_segment_in_use_cannot_be_deleted(self):
        self._scope("Gold", segments=self.gold_market)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.gold_market.unlink()

    # === PRODUCTS === #

    def test_holds_for_its_products(self):
        scope = self._scope("Stents", product_domain=f"[('categ_id', 'child_of', {self.stents.id})]")
        self.assertTrue(self._holds(scope))
        self.assertFalse(self._holds(scope, product_id=self.gauze_product.id))
        self.assertFalse(self._holds(scope, product_id=False))

    def test_empty_list_is_all_products(self):
        self.assertTrue(self._holds(self._scope("All", product_domain="[]")))

    def test_no_products(self):
        self.assertFalse(self._holds(self._scope("None", product_domain="[(0, '=', 1)]")))

    def test_archived_product_is_still_matched(self):
        scope = self._scope("Stents", product_domain=f"[('categ_id', 'child_of', {self.stents.id})]")
        self.stent.active = False
        self.assertTrue(self._holds(scope))

    def test_product_changed_a_moment_ago(self):
        scope = self._scope("Stents", product_domain=f"[('categ_id', 'child_of', {self.stents.id})]")
        self.stent.categ_id = self.gauze
        self.assertFalse(self._holds(scope))

    def test_bad_product_domain_is_refused_with_its_reason(self):
        with self.assertRaisesRegex(ValidationError, "Products: .*has no field 'no_such_field'"):
            self._scope("Bad", product_domain="[('no_such_field', '=', 1)]")
        with self.assertRaisesRegex(ValidationError, "standard_price has a value for each company"):
            self._scope("Cost", product_domain="[('standard_price', '>', 1)]")

    # === DATES === #

    def test_first_and_last_day_are_included(self):
        scope = self._scope("March", date_from="2026-03-01", date_to="2026-03-31")
        for day, holds in (
            (date(2026, 2, 28), False),
            (date(2026, 3, 1), True),
            (date(2026, 3, 31), True),
            (date(2026, 4, 1), False),
        ):
            with self.subTest(day=day):
                self.assertEqual(self._holds(scope, date=day), holds)
        self.assertTrue(self._holds(scope, date="2026-03-31"))
        self.assertTrue(self._holds(scope, date=datetime(2026, 3, 31, 23, 59)))

    def test_open_ended(self):
        self.assertTrue(self._holds(self._scope("Since", date_from="2026-03-15")))
        self.assertFalse(self._holds(self._scope("Until", date_to="2026-03-14")))

    def test_line_without_a_date_is_held_by_undated_scopes_only(self):
        self.assertTrue(self._holds(self.everything, date=False))
        self.assertFalse(self._holds(self._scope("Since", date_from="2000-01-01"), date=False))

    def test_end_before_start_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "lies before"):
            self._scope("Backwards", date_from="2026-03-02", date_to="2026-03-01")

    # === COMPANY === #

    def test_company_and_its_branches(self):
        scope = self._scope("Ours", company_id=self.company.id)
        self.assertTrue(self._holds(scope))
        self.assertTrue(self._holds(scope, company_id=self.branch.id))
        self.assertFalse(self._holds(scope, company_id=self.other_company.id))
        self.assertFalse(self._holds(scope, company_id=False))
        self.assertFalse(self._holds(self._scope("Branch", company_id=self.branch.id)))

    def test_segment_of_another_company_does_not_count(self):
        self.gold_market.company_id = self.other_company
        scope = self._scope("Gold", segments=self.gold_market)
        self.assertFalse(self._holds(scope))
        self.assertTrue(self._holds(scope, company_id=self.other_company.id))

    # === ORDER, FORM, SHAPE === #

    def test_smallest_sequence_first_then_the_older(self):
        late, first, again = (
            self._scope(name, sequence=sequence) for name, sequence in (("c", 20), ("a", 1), ("b", 20))
        )
        scopes = again + late + first
        self.assertEqual(scopes._match_lines([self._line()])[0], first + late + again)
        self.assertEqual(scopes._match_lines([self._line()])[0].ids, [first.id, late.id, again.id])

    def test_answers_come_in_the_order_of_the_lines(self):
        stents = self._scope("Stents", product_domain=f"[('categ_id', 'child_of', {self.stents.id})]")
        gold = self._scope("Gold", segments=self.gold_market)
        lines = [
            self._line(member_id=self.silver.id, product_id=self.gauze_product.id),
            self._line(),
            self._line(member_id=self.silver.id),
            self._line(),
        ]
        self.assertEqual(
            [scopes.mapped("name") for scopes in (stents + gold)._match_lines(lines)],
            [[], ["Stents", "Gold"], ["Stents"], ["Stents", "Gold"]],
        )

    def test_nothing_in_nothing_out(self):
        self.assertEqual(self.everything._match_lines([]), [])
        self.assertEqual(self.Scope._match_lines([self._line()]), [self.Scope])

    def test_as_a_relation_to_join_on(self):
        gold = self._scope("Gold", segments=self.gold_market, sequence=3)
        lines = SQL(
            "(SELECT p.id AS line_id, p.id AS member_id, NULL::int AS customer_id, %s AS product_id,"
            " %s::date AS date, %s AS company_id FROM res_partner p WHERE p.id IN %s)",
            self.stent.id,
            date(2026, 3, 15),
            self.company.id,
            (self.gold.id, self.silver.id),
        )
        rows = self.env.execute_query(SQL("SELECT line_id, scope_id, sequence FROM %s m", gold._match_sql(lines)))
        self.assertEqual(rows, [(self.gold.id, gold.id, 3)])

    def _queries(self, lines, scopes):
        domains = [f"[('categ_id', 'child_of', {self.stents.id})]", f"[('categ_id', '=', {self.gauze.id})]", False]
        records = self.Scope.create(
            [
                {
                    "name": f"Scope {number}",
                    "segment_ids": [Command.set((self.gold_market + self.hospital_market)[number % 2].ids)],
                    "product_domain": domains[number % 3],
                }
                for number in range(scopes)
            ]
        )
        values = [
            self._line(member_id=(self.gold, self.silver)[number % 2].id, customer_id=self.hospital.id)
            for number in range(lines)
        ]
        self.env.flush_all()
        self.env.invalidate_all()
        start = self.env.cr.sql_log_count
        matches = records._match_lines(values)
        count = self.env.cr.sql_log_count - start
        self.assertTrue(all(matches))
        return count

    def test_number_of_queries_does_not_depend_on_lines_and_scopes(self):
        self._queries(1, 1)
        base = self._queries(10, 10)
        self.assertEqual(self._queries(1000, 10), base)
        self.assertEqual(self._queries(10, 100), base)
        self.assertEqual(self._queries(1000, 100), base)
        self.assertLess(base, 10)
