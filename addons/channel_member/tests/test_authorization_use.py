from datetime import date, datetime
from random import Random
from threading import Barrier, Thread
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import api
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, HttpCase, freeze_time, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestAuthorizationBelow(ChannelMemberCommon):
    """What a member holds below another, at the gate."""

    def _reason(self, member=None, day=None):
        findings = self.env["channel.authorization"]._match_lines([{
            "member_id": (member or self.sub_dealer).id, "customer_id": self.hospital.id, "product_id": self.device.id,
            "date": day or date(2026, 1, 1), "company_id": self.company.id,
        }])
        return findings[0]

    def test_revocation_above_takes_effect_below(self):
        below = self.sub_dealer.channel_authorization_ids
        self.authorization.with_user(self.user_manager).action_revoke(reason="breach", date=date(2026, 5, 1))
        self.assertEqual(self._reason(day=date(2026, 4, 30)).covering, below, "the past stays as it was")
        match = self._reason(day=date(2026, 5, 1))
        self.assertFalse(match.covering)
        self.assertEqual((match.unsupported, match.above), (below, self.dealer))
        self.assertEqual(below.state, "approved", "nothing is decided in the member's own record")
        codes = self._channel_codes(self.sub_dealer, customer=self.hospital, day=date(2026, 5, 1))
        self.assertIn("member_authorization", codes)
        message = next(
            finding["message"]
            for finding in self._channel_evaluate(self.sub_dealer, customer=self.hospital, day=date(2026, 5, 1))
            if finding["code"] == "member_authorization"
        )
        self.assertIn(f"rests on {self.dealer.name}", message)

    def test_only_as_far_as_above(self):
        """An authorization that was approved while it was wider covers no more than the one above today."""
        self.authorization.with_user(self.user_manager).action_revoke(reason="narrowed", date=date(2026, 5, 1))
        self._channel_authorization(
            self.dealer, self.region_east, date_from=date(2026, 5, 1), all_products=False,
            product_ids=[Command.set(self.device.ids)],
        )
        self.assertTrue(self._reason(day=date(2026, 5, 1)).covering)
        self.consumable.channel_needs_authorization = True
        match, = self.env["channel.authorization"]._match_lines([{
            "member_id": self.sub_dealer.id, "customer_id": self.hospital.id, "product_id": self.consumable.id,
            "date": date(2026, 5, 1), "company_id": self.company.id,
        }])
        self.assertEqual(match.above, self.dealer)

    def test_hierarchy_of_the_day(self):
        """A move to another member above is dated: before it the old one counts, from it on the new one."""
        self.sub_dealer._channel_change(
            {"channel_parent_id": self.other_dealer.id}, date=date(2026, 3, 1), reason="moved"
        )
        self.assertTrue(self._reason(day=date(2026, 2, 28)).covering)
        match = self._reason(day=date(2026, 3, 1))
        self.assertEqual(match.above, self.other_dealer, "authorised in the west only")

    def test_setting_and_roles(self):
        self.dealer.channel_role = "agent"
        self.authorization.with_user(self.user_manager).action_revoke(reason="x", date=date(2020, 1, 1))
        self.assertEqual(self._reason().above, self.dealer)
        self.company.channel_agent_limits = False
        self.assertTrue(self._reason().covering)
        self.dealer.channel_role = "importer"
        self.company.channel_agent_limits = True
        self.assertTrue(self._reason().covering)

    def test_shape(self):
        """One query for lines of members with and without somebody above."""
        lines = [
            {"member_id": member.id, "customer_id": customer.id, "product_id": self.device.id,
             "date": date(2026, 1 + i % 12, 1), "company_id": self.company.id}
            for i in range(100) for member in (self.sub_dealer, self.dealer) for customer in (self.hospital, False)
            if customer
        ]
        self.env["channel.authorization"]._match_lines(lines)
        self.env.flush_all()
        start = self.env.cr.sql_log_count
        self.env["channel.authorization"]._match_lines(lines)
        self.assertEqual(self.env.cr.sql_log_count - start, 1)


@tagged("post_install", "-at_install")
class TestRevocation(ChannelMemberCommon):
    def test_midnight_of_the_company(self):
        """Revoked at 00:30 of May 2 in Shanghai, which is May 1 in UTC: orders of May 2 are refused, of May 1 not."""
        self.company.partner_id.tz = "Asia/Shanghai"
        self.user_manager.tz = "America/New_York"
        for moment, first_day in (
            ("2026-05-01 15:59:59", date(2026, 5, 1)), ("2026-05-01 16:00:00", date(2026, 5, 2)),
        ):
            with self.subTest(moment=moment), freeze_time(moment), self.env.cr.savepoint() as savepoint:
                order = self._channel_order(customer=self.hospital, date_order=datetime.fromisoformat(moment))
                before = self._channel_order(
                    customer=self.hospital, date_order=datetime.fromisoformat("2026-04-30 15:59:59")
                )
                self.assertEqual(self.authorization.status, "valid")
                self.authorization.with_user(self.user_manager).action_revoke(reason="breach")
                self.assertEqual(self.authorization.revoked_on, first_day)
                self.assertEqual(self.authorization.status, "revoked")
                with self.assertRefused("member_authorization"):
                    order.action_confirm()
                # Confirmed with the date that it has; the button would set the moment.
                before.write({"state": "sale"})
                self.assertEqual(before.state, "sale", "the order's own date counts")
                savepoint.rollback()

    def test_revocation_from_a_later_day(self):
        with freeze_time("2026-05-01"):
            self.authorization.with_user(self.user_manager).action_revoke(reason="notice", date=date(2026, 6, 1))
            self.assertEqual(self.authorization.status, "expiring")
            found = self.authorization.search([("status", "=", "expiring"), ("id", "=", self.authorization.id)])
            self.assertEqual(found, self.authorization)
        with freeze_time("2026-06-01"):
            self.authorization.invalidate_recordset(["status"])
            self.assertEqual(self.authorization.status, "revoked")
            self.assertTrue(self.authorization.search(
                [("status", "=", "revoked"), ("id", "=", self.authorization.id)]
            ))


@tagged("post_install", "-at_install")
class TestVerification(ChannelMemberCommon, HttpCase):
    def _get(self, authorization):
        self.env.flush_all()
        return self.url_open(f"/channel/verify/{authorization.sudo().verification_token}")

    def test_token(self):
        tokens = self.env["channel.authorization"].sudo().search([]).mapped("verification_token")
        self.assertEqual(len(tokens), len(set(tokens)))
        self.assertTrue(all(len(token) == 43 for token in tokens))
        self.assertNotEqual(
            self.authorization.copy().sudo().verification_token, self.authorization.sudo().verification_token
        )
        for user in (self.user_manager, self.user_auditor, self.user_portal):
            with self.assertRaises(AccessError):
                self.authorization.with_user(user).read(["verification_token"])

    def test_page(self):
        self.env["res.partner"].create({"name": "Agent Smith", "parent_id": self.dealer.id})
        response = self._get(self.authorization)
        self.assertEqual(response.status_code, 200)
        self.assertIn("o_verify_valid", response.text)
        for shown in (self.authorization.number, self.dealer.name, self.company.name):
            self.assertIn(shown, response.text)
        for hidden in (self.region_east.name, self.device.name, self.dealer.channel_code):
            self.assertNotIn(hidden, response.text)
        self.assertIn("noindex", response.headers["X-Robots-Tag"])
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertIn("width=device-width", response.text)

    def test_nothing_to_find(self):
        """A wrong token, one of another shape, and that of a draft: the same answer."""
        draft = self._channel_authorization(self.dealer, self.region_east, approve=False)
        bodies = set()
        for token in ("x" * 43, "short", "%25", draft.sudo().verification_token):
            response = self.url_open(f"/channel/verify/{token}")
            self.assertEqual(response.status_code, 404)
            self.assertIn("There is no letter at this address", response.text)
            bodies.add(response.text.split("<main>")[1].split("</main>")[0])
        self.assertEqual(len(bodies), 1)

    def _status(self, authorization):
        return self.env["channel.authorization"].with_user(self.env.ref("base.public_user"))._verify(
            authorization.sudo().verification_token
        )["status"]

    def test_statuses(self):
        authorization = self._channel_authorization(
            self.other_dealer, self.region_west, date_from=date(2026, 3, 1), date_to=date(2026, 8, 31)
        )
        for day, status in (
            ("2026-02-28", "future"), ("2026-03-01", "valid"), ("2026-08-31", "valid"), ("2026-09-01", "expired"),
        ):
            with self.subTest(day=day), freeze_time(day):
                self.env.invalidate_all()
                self.assertEqual(self._status(authorization), status)
        with freeze_time("2026-05-01"):
            self.other_dealer.with_user(self.user_manager).action_channel_suspend(reason="unpaid")
            self.assertEqual(self._status(authorization), "suspended")
            self.other_dealer.with_user(self.user_manager).action_channel_activate()
            self.assertEqual(self._status(authorization), "valid")
            authorization.with_user(self.user_manager).action_revoke(reason="breach")
            self.assertEqual(self._status(authorization), "revoked")

    def test_letter_below_a_revoked_one(self):
        below = self.sub_dealer.channel_authorization_ids
        self.assertEqual(self._status(below), "valid")
        self.authorization.with_user(self.user_manager).action_revoke(reason="breach")
        self.assertEqual(self._status(below), "suspended")
        self.assertIn("Not valid at present", self._get(below).text)


@tagged("post_install", "-at_install")
class TestSalesperson(ChannelMemberCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller, cls.other_seller = cls.user_sales, cls.user_manager

    def _order(self, user, **values):
        return self._channel_order(customer=self.hospital, user_id=user.id if user else False, **values)

    def _in_charge(self, user):
        self.authorization.with_user(self.user_manager).action_revoke(reason="x", date=date(2020, 1, 1))
        return self._channel_authorization(self.dealer, self.region_east, user_id=user.id)

    def test_anybody_unless_somebody_is_named(self):
        self._order(self.other_seller).action_confirm()
        authorization = self._in_charge(self.seller)
        order = self._order(self.other_seller)
        with self.assertRefused("member_salesperson") as catcher:
            order.action_confirm()
        self.assertIn(authorization.number, str(catcher.exception))
        self.assertIn(self.seller.name, str(catcher.exception))
        order.user_id = self.seller
        order.action_confirm()
        with self.assertRefused("member_salesperson"):
            self._order(None).action_confirm()
        self._channel_authorization(self.dealer, self.region_city)
        self._order(self.other_seller).action_confirm()

    def test_orders_that_nobody_took(self):
        self._in_charge(self.seller)
        self.assertEqual(self._channel_codes(customer=self.hospital), [], "asked without an order")
        order = self._order(None)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET create_uid = %s WHERE id = %s", (self.user_portal.id, order.id)
        )
        order.invalidate_recordset()
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_written_authority(self):
        self._order(self.seller).action_confirm()
        self.company.channel_salesperson_authority = True
        order = self._order(self.seller)
        with self.assertRefused("member_salesperson"):
            order.action_confirm()
        category = self.env["product.category"].create({"name": "Devices"})
        self.device.categ_id = self.env["product.category"].create({"name": "Catheters", "parent_id": category.id})
        Authority = self.env["channel.salesperson.authority"]
        values = {
            "user_id": self.seller.id, "company_id": self.company.id, "product_categ_ids": [Command.set(category.ids)],
            "region_ids": [Command.set(self.region_east.ids)], "date_from": date(2026, 5, 1),
            "date_to": date(2026, 5, 31),
        }
        authority = Authority.create(values)
        line = {
            "user_id": self.seller.id, "customer_id": self.hospital.id, "product_id": self.device.id,
            "date": date(2026, 5, 1), "company_id": self.company.id,
        }
        self.assertEqual(Authority._unauthorised([line]), {0}, "a draft is no authority")
        authority.with_user(self.user_manager).action_approve()
        for change, held in (
            ({}, True), ({"date": date(2026, 5, 31)}, True), ({"date": date(2026, 4, 30)}, False),
            ({"date": date(2026, 6, 1)}, False), ({"customer_id": self.hospital_west.id}, False),
            ({"customer_id": False}, True), ({"user_id": self.other_seller.id}, False),
            ({"product_id": self.consumable.id}, False),
        ):
            with self.subTest(change=change):
                self.assertEqual(Authority._unauthorised([{**line, **change}]), set() if held else {0})
        with self.assertRefused("member_salesperson"):
            order.action_confirm()
        with freeze_time("2026-05-31 12:00:00"):
            order.action_confirm()
        self.assertEqual(order.state, "sale")
        with freeze_time("2026-05-20"):
            authority.with_user(self.user_compliance).action_revoke()
        self.assertFalse(Authority._unauthorised([{**line, "date": date(2026, 5, 19)}]))
        self.assertTrue(Authority._unauthorised([{**line, "date": date(2026, 5, 20)}]))

    def test_authority_is_decided_by_others(self):
        Authority = self.env["channel.salesperson.authority"]
        own = Authority.create({"user_id": self.user_manager.id, "company_id": self.company.id, "all_products": True})
        with self.assertRaisesRegex(UserError, "own authority"):
            own.with_user(self.user_manager).action_approve()
        own.with_user(self.user_admin).action_approve()
        with self.assertRaises(UserError):
            own.with_user(self.user_compliance).write({"date_to": date(2030, 1, 1)})
        with self.assertRaises(AccessError):
            own.with_user(self.user_compliance).write({"state": "draft"})
        with self.assertRaises(UserError):
            own.unlink()
        with self.assertRaises(AccessError):
            own.with_user(self.user_sales).action_revoke()
        empty = Authority.create({"user_id": self.user_sales.id, "company_id": self.company.id})
        with self.assertRaisesRegex(UserError, "names no product"):
            empty.with_user(self.user_manager).action_approve()

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_access(self):
        Authority = self.env["channel.salesperson.authority"]
        mine = Authority.create({
            "user_id": self.user_sales.id, "company_id": self.company.id, "all_products": True, "identity_number": "I1",
        })
        theirs = Authority.create({"user_id": self.user_manager.id, "company_id": self.company.id})
        self.assertEqual(
            Authority.with_user(self.user_sales).search([("id", "in", (mine | theirs).ids)]), mine,
            "a regional user sees the own ones",
        )
        for user in (self.user_sales, self.user_auditor):
            with self.assertRaises(AccessError):
                mine.with_user(user).write({"all_products": False})
            with self.assertRaises(AccessError):
                mine.with_user(user).read(["identity_number"])


@tagged("post_install", "-at_install")
class TestAuthorizationGap(ChannelMemberCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.channel_gap_level = "area"
        cls.hospital_east = cls.env["res.partner"].create(
            cls._channel_hospital_values("Hospital East", cls.region_east)
        )
        cls.gap = cls.env["channel.authorization.gap"].with_company(cls.company)

    def _gaps(self, product=None, **context):
        self.env.flush_all()
        self.env.invalidate_all()
        gaps = self.gap.with_context(**context).search([
            ("product_id", "=", (product or self.device).id),
            ("region_id", "in", (self.region_east | self.region_west).ids),
        ])
        return {gap.region_id: (gap.coverage, gap.hospital_count, gap.white_hospital_count) for gap in gaps}

    def _replace(self, **values):
        for authorization in (self.authorization | self.sub_dealer.channel_authorization_ids).filtered(
            lambda a: a.state == "approved"
        ):
            authorization.with_user(self.user_manager).action_revoke(reason="x", date=date(2020, 1, 1))
        if values:
            return self._channel_authorization(self.dealer, **values)
        return None

    def test_whole_parts_and_nobody(self):
        self.assertEqual(self._gaps(), {})
        self._replace()
        self.assertEqual(self._gaps(), {self.region_east: ("none", 2, 2)})
        self._replace(region=self.region_city)
        self.assertEqual(self._gaps(), {self.region_east: ("part", 2, 1)})
        self._channel_authorization(self.other_dealer, customer_ids=[Command.set(self.hospital_east.ids)])
        self.assertEqual(self._gaps(), {self.region_east: ("part", 2, 0)}, "nobody for hospitals to come")

    def test_exclusions(self):
        self._replace(region=self.region_east, excluded_customer_ids=[Command.set(self.hospital.ids)])
        self.assertEqual(self._gaps(), {self.region_east: ("part", 2, 1)})
        self._channel_authorization(self.other_dealer, self.region_city)
        self.assertEqual(self._gaps(), {self.region_east: ("part", 2, 0)})

    def test_products(self):
        other = self.env["product.product"].create(
            self._channel_product_values("Other device", channel_device_class="III")
        )
        self._replace(region=self.region_east, all_products=False, product_ids=[Command.set(self.device.ids)])
        self.assertEqual(self._gaps(), {})
        self.assertEqual(self._gaps(other), {self.region_east: ("none", 2, 2)})
        self.assertEqual(self._gaps(self.consumable), {}, "needs no authorization")

    def test_dates(self):
        self._replace(region=self.region_east, date_to=date(2026, 6, 30))
        self.assertEqual(self._gaps(channel_gap_date="2026-06-30"), {})
        self.assertEqual(self._gaps(channel_gap_date="2026-07-01"), {self.region_east: ("none", 2, 2)})
        with freeze_time("2026-06-01"):
            self.assertEqual(self._gaps(), {})
            self.assertEqual(self._gaps(channel_gap_days=30), {self.region_east: ("none", 2, 2)})

    def test_members_that_do_not_count(self):
        """Below others, and not active."""
        self.authorization.with_user(self.user_manager).action_revoke(reason="x", date=date(2020, 1, 1))
        self.assertEqual(self._gaps(), {self.region_east: ("none", 2, 2)}, "the sub-dealer rests on its dealer")
        self.other_dealer.with_user(self.user_manager).action_channel_suspend(reason="unpaid")
        self.assertEqual(self._gaps()[self.region_west], ("none", 1, 1))

    def test_equals_the_plain_reading(self):
        """Random authorizations, judged one by one in Python: the same rows and numbers."""
        self._replace()
        self.authorization_west.with_user(self.user_manager).action_revoke(reason="x", date=date(2020, 1, 1))
        random = Random(20)
        above, below = self.env["product.category"].create([{"name": "Gap above"}, {"name": "Gap below"}])
        below.parent_id = above
        products = self.device | self.env["product.product"].create([
            self._channel_product_values(f"Gap {n}", channel_device_class="III", categ_id=categ.id)
            for n, categ in enumerate((above, below, below))
        ])
        areas = self.region_east | self.region_west
        towns = self.env["channel.region"].create([
            {"name": f"Gap town {n}", "code": f"GAP-{n}", "parent_id": areas[n % 2].id} for n in range(4)
        ])
        hospitals = self.hospital | self.hospital_east | self.hospital_west | self.env["res.partner"].create([
            self._channel_hospital_values(f"Gap hospital {n}", town) for n, town in enumerate(towns + towns)
        ])
        for round_number in range(8):
            with self.subTest(round=round_number), self.env.cr.savepoint() as savepoint:
                held = [
                    self._channel_authorization(
                        random.choice([self.dealer, self.other_dealer]),
                        region=random.choice(areas + towns + self.region_city),
                        all_products=scope == "all",
                        product_ids=[Command.set(products[random.randrange(4)].ids if scope == "product" else [])],
                        product_categ_ids=[Command.set(random.choice([above, below]).ids if scope == "categ" else [])],
                        customer_ids=[Command.set(random.choice([[], [], random.sample(hospitals.ids, 2)]))],
                        excluded_region_ids=[Command.set(random.choice([[], [], random.choice(towns).ids]))],
                        excluded_customer_ids=[Command.set(random.choice([[], [], random.choice(hospitals).ids]))],
                    )
                    for scope in random.choices(["all", "product", "categ"], k=random.randrange(1, 7))
                ]
                for product in products:
                    self.assertEqual(self._gaps(product), self._plain_gaps(product, held, areas, hospitals))
                savepoint.rollback()
                self.env.invalidate_all()

    def _plain_gaps(self, product, held, areas, hospitals):
        def inside(record, above):
            return bool(record) and record.parent_path.startswith(above.parent_path)

        held = [
            a for a in held
            if a.all_products or product in a.product_ids
            or any(inside(product.categ_id, categ) for categ in a.product_categ_ids)
        ]
        gaps = {}
        for area in areas:
            here = hospitals.filtered(lambda h, area=area: inside(h.channel_region_id, area))
            coverage, served = "none", self.env["res.partner"]
            for a in held:
                left_out = here.filtered(
                    lambda h, a=a: h in a.excluded_customer_ids
                    or any(inside(h.channel_region_id, r) for r in a.excluded_region_ids)
                )
                if a.customer_ids:
                    served |= (a.customer_ids & here) - left_out
                    if a.customer_ids & here:
                        coverage = "part"
                    continue
                whole = any(inside(area, r) for r in a.region_ids)
                if whole and not any(inside(r, area) for r in a.excluded_region_ids) and not (
                    a.excluded_customer_ids & here
                ):
                    break
                served |= here.filtered(
                    lambda h, a=a: any(inside(h.channel_region_id, r) for r in a.region_ids)
                ) - left_out
                if whole or any(inside(r, area) for r in a.region_ids):
                    coverage = "part"
            else:
                gaps[area] = (coverage, len(here), len(here - served))
        return gaps

    def test_rights(self):
        for authorization in self.authorization | self.authorization_west | self.sub_dealer.channel_authorization_ids:
            authorization.with_user(self.user_manager).action_revoke(reason="x", date=date(2020, 1, 1))
        gaps = self.gap.with_user(self.user_sales).search([("product_id", "=", self.device.id)])
        self.assertEqual(gaps.region_id, self.region_east)
        gaps = self.gap.with_user(self.user_manager).search([("product_id", "=", self.device.id)])
        self.assertLessEqual(self.region_east | self.region_west, gaps.region_id)
        with self.assertRaises(AccessError):
            self.gap.with_user(self.user_internal).search([])
        grouped = self.gap.with_user(self.user_manager)._read_group(
            [("region_id", "in", self.region_east.ids)], ["region_id", "categ_id"], ["__count"]
        )
        self.assertTrue(grouped)


@tagged("post_install", "-at_install")
class TestTwoApprovers(BaseCase):
    """Real transactions on committed records, removed again at the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())
        # What is decided here must not stay in the journal of the database, which nobody can delete from.
        recording = patch.object(cls.registry["channel.audit.entry"], "_record", lambda self, *args, **kwargs: self)
        recording.start()
        cls.addClassCleanup(recording.stop)
        with cls.registry.cursor() as cr:
            env = cls._env(cr)
            region = env["channel.region"].create({"name": "Two Approvers", "code": "T-TWO", "level": "area"})
            members = env["res.partner"].create([
                {"name": f"Two Approvers {i}", "is_company": True, "channel_role": "distributor"} for i in range(2)
            ])
            cls.region_ids, cls.member_ids, cls.ids = region.ids, members.ids, []
        cls.addClassCleanup(cls._remove)

    def setUp(self):
        super().setUp()
        with self.registry.cursor() as cr:
            drafts = self._env(cr)["channel.authorization"].create([
                {
                    "partner_id": member_id, "all_products": True, "exclusive": True,
                    "region_ids": [Command.set(self.region_ids)], "number": f"TWO/{self._testMethodName}/{member_id}",
                }
                for member_id in self.member_ids
            ])
            self.one, self.other = drafts.ids
            self.ids.extend(drafts.ids)
        self.addCleanup(self._revoke)

    @classmethod
    def _env(cls, cr):
        return api.Environment(cr, api.SUPERUSER_ID, {})

    def _revoke(self):
        with self.registry.cursor() as cr:
            cr.execute(
                "UPDATE channel_authorization SET state = 'cancelled', revoked_on = '2000-01-01' WHERE id IN %s",
                (tuple(self.ids),),
            )

    @classmethod
    def _remove(cls):
        with cls.registry.cursor() as cr:
            env = cls._env(cr)
            cr.execute("UPDATE channel_authorization SET state = 'draft' WHERE id IN %s", (tuple(cls.ids),))
            env["channel.authorization"].browse(cls.ids).unlink()
            env["res.partner"].browse(cls.member_ids).unlink()
            env["channel.region"].browse(cls.region_ids).unlink()

    def _approve(self, env, authorization_id):
        env["channel.authorization"].browse(authorization_id)._approve()

    def test_old_snapshot(self):
        """Who looked before the other approved cannot approve on what was seen, and is told once it looks again."""
        with self.registry.cursor() as first, self.registry.cursor() as second:
            env = self._env(second)
            env["channel.authorization"].browse(self.other).read(["state"])  # takes the snapshot
            self._approve(self._env(first), self.one)
            first.commit()
            with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
                self._approve(env, self.other)
            second.rollback()
            env.transaction.reset()
            with self.assertRaisesRegex(UserError, f"TWO/{self._testMethodName}/{self.member_ids[0]}"):
                self._approve(env, self.other)
            second.rollback()

    def test_at_the_same_time(self):
        """Two threads, each as the server runs a request: exactly one wins."""
        barrier, outcomes = Barrier(2), {}

        def run(authorization_id):
            with self.registry.cursor() as cr:
                env = self._env(cr)
                first = [True]

                def approve():
                    env["channel.authorization"].browse(authorization_id).read(["state"])
                    if first.pop() if first else False:
                        barrier.wait(20)
                    self._approve(env, authorization_id)

                try:
                    retrying(approve, env)
                    outcomes[authorization_id] = "approved"
                except UserError as error:
                    outcomes[authorization_id] = str(error)

        with mute_logger("odoo.sql_db", "odoo.service.model"):
            threads = [Thread(target=run, args=(authorization_id,)) for authorization_id in (self.one, self.other)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        refused = [text for text in outcomes.values() if text != "approved"]
        self.assertEqual((len(outcomes), len(refused)), (2, 1), outcomes)
        self.assertIn("exclusive", refused[0])
        with self.registry.cursor() as cr:
            states = self._env(cr)["channel.authorization"].browse([self.one, self.other]).mapped("state")
        self.assertEqual(sorted(states), ["approved", "draft"])
