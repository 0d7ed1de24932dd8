from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings, strategies as st

from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tests import Form, tagged

from .common import ChannelMemberCommon

FAR = date(2099, 1, 1)


class ConflictCommon(ChannelMemberCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Where nobody is authorised yet.
        cls.region_north = cls.env["channel.region"].create(
            {"name": "Test North", "code": "T-NORTH", "level": "area", "country_id": cls.env.ref("base.nz").id}
        )
        cls.candidate = cls._member("Candidate")
        cls.rival = cls._member("Rival")
        cls.conflict = cls.env["channel.authorization.conflict"]

    @classmethod
    def _member(cls, name, region=None, **values):
        member = cls.env["res.partner"].create(cls._channel_member_values(name, region or cls.region_east, **values))
        cls._channel_activate(member)
        return member

    def _draft(self, partner, region=None, **values):
        return self._channel_authorization(partner, region, approve=False, **values)

    def _products(self, products):
        return {"all_products": False, "product_ids": [Command.set(products.ids)]}

    def _kinds(self, draft):
        return {(conflict.other, conflict.kind, conflict.severity) for conflict in self.conflict._find(draft)}


@tagged("post_install", "-at_install")
class TestAuthorizationConflict(ConflictCommon):
    # === KINDS === #

    def test_overlap_warns(self):
        other = self._channel_authorization(self.rival, self.region_east, **self._products(self.consumable))
        draft = self._draft(self.candidate, self.region_city, **self._products(self.consumable))
        conflicts = [c for c in self.conflict._find(draft) if c.other == other]
        self.assertEqual(
            [(c.kind, c.severity, c.region, c.product, c.date_from, c.date_to) for c in conflicts],
            [("overlap", "warn", self.region_city, self.consumable, date(2020, 1, 1), None)],
        )
        self.assertEqual(draft.conflict_level, "warn")
        self.assertIn(other.number, str(draft.conflict_html))
        draft.with_user(self.user_manager).action_approve()
        self.assertEqual(draft.state, "approved", "a warning does not stop the approval")

    def test_company_says_what_an_overlap_means(self):
        other = self._channel_authorization(self.rival, self.region_north)
        draft = self._draft(self.candidate, self.region_north)
        self.company.channel_overlap_severity = "off"
        self.assertFalse(self._kinds(draft))
        self.company.channel_overlap_severity = "block"
        with self.assertRaisesRegex(UserError, other.number):
            draft.with_user(self.user_manager).action_approve()

    def test_exclusive_blocks_both_ways(self):
        other = self._channel_authorization(self.rival, self.region_city, **self._products(self.consumable))
        draft = self._draft(self.candidate, self.region_east, exclusive=True, **self._products(self.consumable))
        self.assertIn((other, "exclusive", "block"), self._kinds(draft))
        with self.assertRaisesRegex(UserError, f"{other.number} of Rival"):
            draft.with_user(self.user_manager).action_approve()
        self.assertEqual(draft.state, "draft")

    def test_form_shows_before_anybody_approves(self):
        other = self._channel_authorization(self.rival, self.region_city)
        draft = self._draft(self.candidate, self.region_east, exclusive=True)
        form = Form(draft.with_user(self.user_manager))
        self.assertEqual(form.conflict_level, "block")
        self.assertIn(other.number, str(form.conflict_html))
        draft.excluded_region_ids = self.region_city
        self.authorization.with_user(self.user_manager).action_revoke(reason="x", date=date(2020, 1, 1))
        for authorization in self.sub_dealer.channel_authorization_ids:
            authorization.with_user(self.user_manager).action_revoke(reason="x", date=date(2020, 1, 1))
        draft.invalidate_recordset()
        self.assertFalse(draft.conflict_level)

    def test_duplicate(self):
        own = self._channel_authorization(self.candidate, self.region_north, **self._products(self.consumable))
        draft = self._draft(
            self.candidate, self.region_north, exclusive=True, date_from=date(2026, 1, 1), date_to=date(2026, 12, 31),
            **self._products(self.device | self.consumable),
        )
        self.assertIn((own, "duplicate", "warn"), self._kinds(draft))
        conflict = next(c for c in self.conflict._find(draft) if c.other == own)
        self.assertEqual((conflict.date_from, conflict.date_to), (date(2026, 1, 1), date(2026, 12, 31)))

    def test_periods_that_touch(self):
        """The last day of one is the first of the other: they meet; the day after: they do not."""
        other = self._channel_authorization(self.rival, self.region_north, exclusive=True, date_to=date(2026, 6, 30),
                                            **self._products(self.consumable))
        values = {"all_products": False, "product_ids": [Command.set(self.consumable.ids)]}
        met = self._draft(self.candidate, self.region_north, date_from=date(2026, 6, 30), **values)
        after = self._draft(self.candidate, self.region_north, date_from=date(2026, 7, 1), **values)
        self.assertIn((other, "exclusive", "block"), self._kinds(met))
        self.assertNotIn(other, {found[0] for found in self._kinds(after)})
        other.with_user(self.user_manager).action_revoke(reason="x", date=date(2026, 6, 30))
        self.assertNotIn(other, {found[0] for found in self._kinds(met)}, "not in force any more on that day")
        earlier = self._draft(self.candidate, self.region_north, date_from=date(2026, 6, 29), **values)
        self.assertIn((other, "exclusive", "block"), self._kinds(earlier), "revoked, but still in force on that day")

    def test_categories_without_products(self):
        """Two exclusive authorizations for a line that has no product yet."""
        line = self.env["product.category"].create({"name": "New line"})
        below = self.env["product.category"].create({"name": "Stents", "parent_id": line.id})
        other = self._channel_authorization(
            self.rival, self.region_north, exclusive=True, all_products=False, product_categ_ids=[Command.set(line.ids)]
        )
        draft = self._draft(
            self.candidate, self.region_north, all_products=False, product_categ_ids=[Command.set(below.ids)]
        )
        self.assertIn((other, "exclusive", "block"), self._kinds(draft))

    def test_registration_certificates(self):
        """By the number: a product of a renewal is meant too."""
        other = self._channel_authorization(
            self.rival, self.region_north, exclusive=True, all_products=False,
            registration_ids=[Command.set(self.registration.ids)],
        )
        draft = self._draft(self.candidate, self.region_north, **self._products(self.device))
        self.assertIn((other, "exclusive", "block"), self._kinds(draft))
        renewed = self._channel_registration(
            self.consumable, confirm=False, number=self.registration.number, valid_from=date(2025, 1, 1)
        )
        draft.product_ids = self.consumable
        self.assertIn((other, "exclusive", "block"), self._kinds(draft))
        renewed.unlink()
        self.assertNotIn(other, {found[0] for found in self._kinds(draft)})

    def test_members_above_and_below_share(self):
        self.authorization.with_user(self.user_manager).action_revoke(reason="replaced", date=date(2020, 1, 1))
        draft = self._draft(self.dealer, self.region_east, exclusive=True)
        self.assertNotIn("exclusive", {kind for _other, kind, _severity in self._kinds(draft)})
        self.sub_dealer.channel_parent_id = False
        self.assertIn("exclusive", {kind for _other, kind, _severity in self._kinds(draft)})

    def test_batch(self):
        """Drafts are compared with each other too; the list is the user's own."""
        drafts = self._draft(self.candidate, self.region_north, exclusive=True, **self._products(self.consumable))
        drafts |= self._draft(self.rival, self.region_north, **self._products(self.consumable))
        self.assertFalse(any(c.other in drafts for c in self.conflict._find(drafts)))
        action = drafts.with_user(self.user_manager).action_show_conflicts()
        rows = self.conflict.with_user(self.user_manager).search(action["domain"])
        pairs = {(row.authorization_id, row.other_id) for row in rows if row.other_id in drafts}
        self.assertEqual(pairs, {(drafts[0], drafts[1]), (drafts[1], drafts[0])})
        self.assertFalse(self.conflict.with_user(self.user_compliance).search(action["domain"]))

    def test_regional_user_learns_no_names(self):
        """A territory is taken; by whom in another region is not said."""
        stranger = self._member("Stranger in the West", self.region_west)
        other = self._channel_authorization(stranger, self.region_north, exclusive=True)
        draft = self._draft(self.candidate, self.region_north)
        text = str(draft.with_user(self.user_sales).conflict_html)
        self.assertIn(other.number, text)
        self.assertNotIn("Stranger", text)
        draft.invalidate_recordset()
        self.assertIn("Stranger", str(draft.with_user(self.user_manager).conflict_html))

    # === MEMBER ABOVE === #

    def test_more_than_the_member_above(self):
        """On each axis: products, territory, period."""
        self.authorization.with_user(self.user_manager).action_revoke(reason="narrowed", date=date(2020, 1, 1))
        self._channel_authorization(
            self.dealer, self.region_east, date_to=date(2026, 12, 31), excluded_customer_ids=[
                Command.set(self.hospital.ids)
            ], **self._products(self.device),
        )
        inside = {"date_to": date(2026, 12, 31), "excluded_customer_ids": [Command.set(self.hospital.ids)],
                  **self._products(self.device)}
        for values, exceeded in (
            (inside, False),
            ({**inside, "date_from": date(2026, 12, 31)}, False),
            ({**inside, **self._products(self.device | self.consumable)}, True),
            ({**inside, "all_products": True}, True),
            ({**inside, "region_ids": [Command.set((self.region_east | self.region_west).ids)]}, True),
            ({**inside, "excluded_customer_ids": []}, True),
            ({**inside, "customer_ids": [Command.set(self.hospital_west.ids)], "region_ids": []}, True),
            ({**inside, "date_to": date(2027, 1, 1)}, True),
            ({**inside, "date_to": False}, True),
            ({**inside, "date_from": date(2019, 12, 31)}, True),
        ):
            draft = self._draft(self.sub_dealer, self.region_east, **values)
            with self.subTest(values=values):
                found = self.conflict._find_exceeding(draft)
                self.assertEqual(bool(found), exceeded)
                self.assertEqual([c.above for c in found], [self.dealer] if exceeded else [])
            if exceeded:
                with self.assertRaisesRegex(UserError, "goes beyond what Test Dealer"):
                    draft.with_user(self.user_manager).action_approve()

    def test_several_above_count_together(self):
        """Two authorizations side by side, in territory and in time, hold what neither holds alone."""
        self.authorization.with_user(self.user_manager).action_revoke(reason="split", date=date(2020, 1, 1))
        self._channel_authorization(self.dealer, self.region_city, date_to=date(2026, 6, 30))
        draft = self._draft(self.sub_dealer, self.region_east, date_to=date(2026, 12, 31))
        self.assertTrue(self.conflict._find_exceeding(draft))
        self._channel_authorization(self.dealer, self.region_east, date_from=date(2026, 7, 1))
        # The city is the only place without regions below it in the east.
        self.assertFalse(self.conflict._find_exceeding(draft))

    def test_the_top_is_not_limited(self):
        lonely = self._member("New Dealer")
        self.assertFalse(self.conflict._find_exceeding(self._draft(lonely, self.region_west)))
        for role, limits in (("manufacturer", False), ("importer", False), ("distributor", True), ("agent", True)):
            above = self._member(role, channel_role=role)
            below = self._member(f"below {role}", channel_parent_id=above.id)
            draft = self._draft(below, self.region_west)
            with self.subTest(role=role):
                self.assertEqual(bool(self.conflict._find_exceeding(draft)), limits)
        self.company.channel_agent_limits = False
        self.assertFalse(self.conflict._find_exceeding(draft))

    def test_nearest_that_limits(self):
        """An importer between two dealers does not hide the one above."""
        importer = self._member("Importer", channel_role="importer", channel_parent_id=self.dealer.id)
        below = self._member("Below", channel_parent_id=importer.id)
        self.assertFalse(self.conflict._find_exceeding(self._draft(below, self.region_city)))
        found = self.conflict._find_exceeding(self._draft(below, self.region_west))
        self.assertEqual(found[0].above, self.dealer)

    # === SHAPE === #

    def test_shape(self):
        """As many queries for one as for ten thousand others, and for one as for a hundred drafts."""
        drafts = self.env["channel.authorization"].create([
            {
                "partner_id": self.candidate.id,
                "company_id": self.company.id,
                "date_from": date(2026, 1, 1),
                "product_ids": [Command.set(self.device.ids)],
                "customer_ids": [Command.set(self.hospital.ids)],
            }
            for _i in range(100)
        ])

        def count(records):
            self.env.flush_all()
            start = self.env.cr.sql_log_count
            found = self.conflict._find(records)
            return self.env.cr.sql_log_count - start, len(found)

        count(drafts[:1])  # what is read once in a transaction
        few, found_by_one = count(drafts[:1])
        many, _found = count(drafts)
        self.assertEqual(few, many)
        # 10,000 more, of the rival in the west for the device: in nobody's way.
        self.env.cr.execute(
            """
            WITH made AS (
                INSERT INTO channel_authorization (partner_id, company_id, state, date_from, number, verification_token)
                SELECT %s, %s, 'approved', '2026-01-01', 'BULK' || i, 'BULK' || i FROM generate_series(1, 10000) i
             RETURNING id
            ), regions AS (
                INSERT INTO channel_authorization_region_rel (authorization_id, region_id) SELECT id, %s FROM made
            )
            INSERT INTO channel_authorization_product_rel (authorization_id, product_id) SELECT id, %s FROM made
            """,
            (self.rival.id, self.company.id, self.region_west.id, self.device.id),
        )
        self.assertEqual(count(drafts[:1]), (few, found_by_one))


DAYS = [date(2026, 1, 1) + timedelta(days=offset) for offset in range(6)]


@tagged("post_install", "-at_install")
class TestAuthorizationProperties(ConflictCommon):
    """The conditions in SQL against a model in Python that walks trees and lists days one by one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Region, Category = cls.env["channel.region"], cls.env["product.category"]
        cls.district = Region.create({"name": "District", "code": "T-DIST", "parent_id": cls.region_city.id})
        cls.town = Region.create({"name": "Town", "code": "T-TOWN", "parent_id": cls.region_east.id})
        cls.regions = cls.region_east | cls.region_city | cls.district | cls.town | cls.region_west
        hospitals = cls.env["res.partner"].create([
            cls._channel_hospital_values(f"Hospital {region.name}", region) for region in cls.regions
        ])
        ward = cls.env["res.partner"].create({"name": "Ward", "parent_id": hospitals[0].id, "type": "delivery"})
        cls.customers = hospitals | ward
        top = Category.create({"name": "Top"})
        middle = Category.create({"name": "Middle", "parent_id": top.id})
        cls.categories = top | middle | Category.create({"name": "Empty", "parent_id": top.id})
        cls.products = cls.device | cls.consumable | cls.env["product.product"].create(
            cls._channel_product_values("Third")
        )
        cls.device.categ_id, cls.consumable.categ_id = middle, top
        cls.below = cls._member("Below", channel_parent_id=cls.candidate.id)

    @staticmethod
    def _sets(count):
        return st.sets(st.integers(0, count - 1), max_size=2)

    @classmethod
    def _terms(cls):
        return st.fixed_dictionaries({
            "region_ids": cls._sets(5),
            "customer_ids": st.one_of(st.just(set()), cls._sets(6)),
            "excluded_region_ids": st.one_of(st.just(set()), cls._sets(5)),
            "excluded_customer_ids": st.one_of(st.just(set()), cls._sets(6)),
            "all_products": st.sampled_from([False, False, True]),
            "product_ids": cls._sets(3),
            "product_categ_ids": st.one_of(st.just(set()), cls._sets(3)),
            "date_from": st.integers(0, 5),
            "days": st.one_of(st.none(), st.integers(0, 3)),
            "revoked": st.one_of(st.none(), st.none(), st.integers(0, 5)),
        })

    POOLS = {
        "region_ids": "regions", "excluded_region_ids": "regions", "customer_ids": "customers",
        "excluded_customer_ids": "customers", "product_ids": "products", "product_categ_ids": "categories",
    }

    def _make(self, terms, partner, state="approved"):
        """Write an authorization as decided, past the approval: what is tested is what the conditions read."""
        values = {
            name: [Command.set([getattr(self, pool)[i].id for i in terms[name]])] for name, pool in self.POOLS.items()
        }
        authorization = self.env["channel.authorization"].create({
            **values,
            "partner_id": partner.id,
            "company_id": self.company.id,
            "all_products": terms["all_products"],
            "date_from": DAYS[terms["date_from"]],
            "date_to": terms["days"] is not None and DAYS[terms["date_from"]] + timedelta(days=terms["days"]),
        })
        self.env.flush_all()
        revoked = None if terms["revoked"] is None or state == "draft" else DAYS[terms["revoked"]]
        self.env.cr.execute(
            "UPDATE channel_authorization SET state = %s, revoked_on = %s WHERE id = %s",
            ("cancelled" if revoked else state, revoked, authorization.id),
        )
        authorization.invalidate_recordset()
        return authorization

    # === THE MODEL === #

    def _up(self, record):
        while record:
            yield record
            record = record.parent_id

    def _runs(self, authorization, day):
        return (
            authorization.date_from <= day
            and (not authorization.date_to or day <= authorization.date_to)
            and (authorization.state != "cancelled" or day < authorization.revoked_on)
        )

    def _holds_region(self, authorization, region):
        up = set(self._up(region))
        return (
            not authorization.customer_ids
            and any(named in up for named in authorization.region_ids)
            and not any(named in up for named in authorization.excluded_region_ids)
        )

    def _holds_customer(self, authorization, customer):
        names = customer | customer.commercial_partner_id
        region = customer.channel_region_id or customer.commercial_partner_id.channel_region_id
        up = set(self._up(region))
        if authorization.customer_ids:
            held = bool(names & authorization.customer_ids)
        else:
            held = any(named in up for named in authorization.region_ids)
        return held and not (names & authorization.excluded_customer_ids) and not any(
            named in up for named in authorization.excluded_region_ids
        )

    def _names(self, authorization, product):
        return (
            authorization.all_products
            or product in authorization.product_ids
            or any(category in authorization.product_categ_ids for category in self._up(product.categ_id))
        )

    def _meet(self, one, other):
        days = [day for day in [*DAYS, DAYS[-1] + timedelta(days=5), FAR]
                if self._runs(one, day) and self._runs(other, day)]
        place = any(
            self._holds_region(one, region) and self._holds_region(other, region) for region in self.regions
        ) or any(
            self._holds_customer(one, customer) and self._holds_customer(other, customer) for customer in self.customers
        )
        product = any(self._names(one, p) and self._names(other, p) for p in self.products)
        if one.all_products or other.all_products:
            product = True
        for first in one.product_categ_ids:
            for second in other.product_categ_ids:
                product = product or first in self._up(second) or second in self._up(first)
        return bool(days) and place and product

    # === PROPERTIES === #

    def _each(self, check):
        """Run one example in a savepoint of its own."""
        with self.env.cr.savepoint() as savepoint:
            check()
            savepoint.rollback()
        self.env.invalidate_all(flush=False)

    def test_overlap(self):
        @settings(max_examples=60, deadline=None, database=None, derandomize=True,
                  suppress_health_check=list(HealthCheck))
        @given(st.lists(self._terms(), min_size=4, max_size=4))
        def check(terms):
            def example():
                made = self.env["channel.authorization"]
                for i, values in enumerate(terms):
                    made |= self._make(values, self.rival if i % 2 else self.candidate)
                found = {
                    (c.authorization.id, c.other.id) for c in self.conflict._find_overlapping(made) if c.other in made
                }
                expected = {(a.id, b.id) for a in made for b in made if a != b and self._meet(a, b)}
                self.assertEqual(found, expected)
                everything["met"] += len(expected)

            self._each(example)

        everything = {"met": 0}
        check()
        self.assertGreater(everything["met"], 20, "the examples must have both answers")

    def test_lines(self):
        """Who is covered where, on each day, and on the days beside the first and the last."""
        @settings(max_examples=40, deadline=None, database=None, derandomize=True,
                  suppress_health_check=list(HealthCheck))
        @given(self._terms())
        def check(terms):
            def example():
                made = self._make(terms, self.candidate)
                lines = [
                    (customer, product, day)
                    for customer in self.customers for product in self.products
                    for day in [DAYS[0] - timedelta(days=1), *DAYS, DAYS[-1] + timedelta(days=1), FAR]
                ]
                matches = made._match_lines([
                    {"member_id": self.candidate.id, "customer_id": customer.id, "product_id": product.id, "date": day,
                     "company_id": self.company.id}
                    for customer, product, day in lines
                ])
                for (customer, product, day), match in zip(lines, matches, strict=True):
                    covered = (
                        self._runs(made, day) and self._holds_customer(made, customer) and self._names(made, product)
                    )
                    self.assertEqual(bool(match.covering), covered, (customer.name, product.name, day))
                for day in (*DAYS, FAR):
                    self.assertEqual(made._status_on(day) in ("valid", "expiring"), self._runs(made, day))
                    self.assertEqual(
                        bool(made.search(Domain("id", "=", made.id) & made._status_domain(["valid", "expiring"], day))),
                        self._runs(made, day),
                    )

            self._each(example)

        check()

    def test_exceeding(self):
        """A draft below, against two authorizations above, day by day and place by place."""
        @settings(max_examples=60, deadline=None, database=None, derandomize=True,
                  suppress_health_check=list(HealthCheck))
        @given(self._terms(), st.lists(self._terms(), min_size=1, max_size=2))
        def check(terms, above_terms):
            def example():
                draft = self._make({**terms, "days": terms["days"] or 0}, self.below, state="draft")
                above = self.env["channel.authorization"]
                for values in above_terms:
                    # Wide enough that some hold all of it.
                    above |= self._make({**values, "date_from": 0, "days": None}, self.candidate)
                found = bool(self.conflict._find_exceeding(draft))
                self.assertEqual(found, self._exceeds(draft, above))
                answers.add(found)

            self._each(example)

        answers = set()
        check()
        self.assertEqual(answers, {True, False}, "the examples must have both answers")

    def _exceeds(self, draft, above):
        leaves = self.regions.filtered(lambda r: not r.child_ids)
        places = [(self._holds_region, leaf) for leaf in leaves if self._holds_region(draft, leaf)]
        customers = self.customers if draft.customer_ids else above.excluded_customer_ids
        places += [(self._holds_customer, c) for c in customers if self._holds_customer(draft, c)]
        if draft.customer_ids:
            # Who is not named, but belongs to who is, is held with it.
            places = [(holds, c) for holds, c in places if c in draft.customer_ids or c in above.excluded_customer_ids]
        if draft.all_products:
            atoms = [lambda a: a.all_products]
        else:
            atoms = [lambda a, p=p: self._names(a, p) for p in draft.product_ids]
            atoms += [
                lambda a, c=c: a.all_products or any(up in a.product_categ_ids for up in self._up(c))
                for c in draft.product_categ_ids
            ]
        days = [day for day in [*DAYS, *(DAYS[-1] + timedelta(days=i) for i in range(1, 6))] if self._runs(draft, day)]
        return any(
            not any(self._runs(a, day) and holds(a, place) and atom(a) for a in above)
            for day in days for holds, place in places for atom in atoms
        )
