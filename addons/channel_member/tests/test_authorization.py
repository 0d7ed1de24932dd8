import re
from datetime import date

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestAuthorization(ChannelMemberCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A member with nothing yet, and a hospital for each place.
        cls.candidate = cls.env["res.partner"].create(cls._channel_member_values("Candidate", cls.region_east))
        cls.candidate.action_channel_activate()
        cls.hospital_east = cls.env["res.partner"].create(
            cls._channel_hospital_values("Hospital East", cls.region_east)
        )

    def _line(self, customer=None, product=None, day=date(2026, 1, 1), member=None):
        return {
            "member_id": (member or self.candidate).id,
            "customer_id": customer.id if customer else False,
            "product_id": (product or self.device).id,
            "date": day,
            "company_id": self.company.id,
        }

    def _covers(self, *args, **kwargs):
        return bool(self.env["channel.authorization"]._match_lines([self._line(*args, **kwargs)])[0].covering)

    # === APPROVAL === #

    def test_author_does_not_approve(self):
        draft = self._channel_authorization(self.candidate, self.region_east, approve=False)
        draft.with_user(self.user_manager).note = "edited"
        with self.assertRaisesRegex(UserError, "somebody else approves"):
            draft.with_user(self.user_manager).action_approve()
        with self.assertRaises(UserError):
            draft.with_user(self.user_contract).action_approve()
        self.assertFalse(self._covers(self.hospital))
        draft.with_user(self.user_admin).action_approve()
        self.assertTrue(self._covers(self.hospital))

    def test_state_is_not_written(self):
        draft = self._channel_authorization(self.candidate, self.region_east, approve=False)
        for user in (self.user_manager, self.user_admin):
            for state in ("approved", "cancelled", "draft"):
                with self.subTest(user=user.login, state=state), self.assertRaises(UserError):
                    draft.with_user(user).write({"state": state})
                with self.subTest(user=user.login, state=state), self.assertRaises(UserError):
                    self.authorization.with_user(user).write({"state": state})

    def test_approved_does_not_change(self):
        for values in (
            {"all_products": False}, {"region_ids": [Command.link(self.region_west.id)]}, {"date_to": date(2030, 1, 1)},
            {"partner_id": self.candidate.id}, {"exclusive": True},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                self.authorization.with_user(self.user_admin).write(values)
        with self.assertRaisesRegex(UserError, "kept as evidence"):
            self.authorization.unlink()

    def test_incomplete(self):
        with self.assertRaisesRegex(UserError, "names no product"):
            self._channel_authorization(self.candidate, self.region_east, all_products=False)
        with self.assertRaisesRegex(UserError, "names no territory"):
            self._channel_authorization(self.candidate)
        with self.assertRaisesRegex(ValidationError, "not a member"):
            self._channel_authorization(self.env["res.partner"].create({"name": "Stranger"}), self.region_east)
        with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"):
            self._channel_authorization(self.candidate, self.region_east, date_to=date(2019, 1, 1))

    def test_revoke(self):
        authorization = self._channel_authorization(self.candidate, self.region_east)
        with self.assertRaises(AccessError):
            authorization.with_user(self.user_contract).action_revoke(reason="x")
        authorization.with_user(self.user_compliance).action_revoke(reason="breach", date=date(2026, 5, 1))
        self.assertEqual(authorization.status, "revoked")
        self.assertTrue(self._covers(self.hospital, day=date(2026, 4, 30)))
        self.assertFalse(self._covers(self.hospital, day=date(2026, 5, 1)))
        entry = self.env["channel.audit.entry"].sudo().search([
            ("model", "=", authorization._name),
            ("res_id", "=", authorization.id),
            ("action", "=", "authorization.revoked"),
        ])
        self.assertEqual((entry.reason, entry.user_id), ("breach", self.user_compliance))

    # === MATCHING === #

    def test_products(self):
        category = self.env["product.category"].create({"name": "Devices"})
        below = self.env["product.category"].create({"name": "Catheters", "parent_id": category.id})
        self.device.categ_id = below
        for values, covered in (
            ({"product_ids": [Command.set(self.device.ids)]}, True),
            ({"product_ids": [Command.set(self.consumable.ids)]}, False),
            ({"product_categ_ids": [Command.set(category.ids)]}, True),
            ({"product_categ_ids": [Command.set(below.ids)]}, True),
            ({"device_category_ids": [Command.set(self.device_category_parent.ids)]}, True),
            ({"device_category_ids": [Command.set(self.other_device_category.ids)]}, False),
            ({
                "device_category_ids": [Command.set(self.other_device_category.ids)],
                "product_ids": [Command.set(self.device.ids)],
            }, True),
        ):
            with self.subTest(values=values), self.env.cr.savepoint() as savepoint:
                self._channel_authorization(self.candidate, self.region_east, all_products=False, **values)
                self.assertEqual(self._covers(self.hospital), covered)
                savepoint.rollback()

    def test_territory(self):
        """(regions, customers, excluded regions, excluded customers) -> hospitals in reach."""
        east, city, west = self.region_east, self.region_city, self.region_west
        none = self.env["channel.region"]
        nobody = self.env["res.partner"]
        hospitals = self.hospital | self.hospital_east | self.hospital_west  # in the city, in the east, in the west
        for regions, customers, excluded, barred, reach in (
            (east, nobody, none, nobody, self.hospital | self.hospital_east),
            (city, nobody, none, nobody, self.hospital),
            (east | west, nobody, none, nobody, hospitals),
            (east, nobody, city, nobody, self.hospital_east),
            (east, nobody, none, self.hospital_east, self.hospital),
            (none, self.hospital_west, none, nobody, self.hospital_west),
            (east, self.hospital, none, nobody, self.hospital),
        ):
            with self.subTest(regions=regions.mapped("name"), reach=reach.mapped("name")), \
                    self.env.cr.savepoint() as savepoint:
                self._channel_authorization(
                    self.candidate, regions,
                    customer_ids=[Command.set(customers.ids)],
                    excluded_region_ids=[Command.set(excluded.ids)],
                    excluded_customer_ids=[Command.set(barred.ids)],
                )
                matches = self.env["channel.authorization"]._match_lines([self._line(h) for h in hospitals])
                self.assertEqual(
                    nobody.union(*(h for h, match in zip(hospitals, matches, strict=True) if match.covering)), reach
                )
                savepoint.rollback()

    def test_department_of_a_hospital(self):
        """A ward orders: its hospital's place and name count."""
        self._channel_authorization(self.candidate, customer_ids=[Command.set(self.hospital.ids)])
        ward = self.env["res.partner"].create({"name": "Ward 3", "parent_id": self.hospital.id, "type": "delivery"})
        self.assertTrue(self._covers(ward))

    def test_elsewhere_and_outdated(self):
        west = self._channel_authorization(self.candidate, self.region_west)
        past = self._channel_authorization(self.candidate, self.region_east, date_to=date(2021, 12, 31))
        match, = self.env["channel.authorization"]._match_lines([self._line(self.hospital)])
        self.assertFalse(match.covering)
        self.assertEqual(match.elsewhere, west)
        self.assertEqual(match.outdated, past)

    def test_order_of_lines(self):
        """Answers come in the order of the questions, also when one has none."""
        authorization = self._channel_authorization(self.candidate, self.region_east)
        matches = self.env["channel.authorization"]._match_lines([
            self._line(self.hospital_west), self._line(self.hospital), self._line(self.hospital, member=self.hospital),
        ])
        self.assertEqual([match.covering for match in matches], [
            authorization.browse(), authorization, authorization.browse(),
        ])
        self.assertEqual(self.env["channel.authorization"]._match_lines([]), [])

    def test_shape(self):
        def count(number):
            lines = [
                self._line(customer, day=date(2026, 1 + i % 12, 1), member=self.dealer)
                for i in range(number // 2)
                for customer in (self.hospital, self.hospital_west)
            ]
            self.env.flush_all()
            start = self.env.cr.sql_log_count
            self.env["channel.authorization"]._match_lines(lines)
            return self.env.cr.sql_log_count - start

        self.assertEqual(count(10), 1)
        self.assertEqual(count(1000), 1)

    # === EXCLUSIVITY === #

    def test_exclusive(self):
        """Nobody else is authorised where somebody is exclusively, whoever came first."""
        city_only = {"all_products": False, "product_ids": [Command.set(self.device.ids)]}
        with self.assertRaisesRegex(UserError, "exclusive"):
            self._channel_authorization(self.candidate, self.region_city, exclusive=True, **city_only)
        self._channel_authorization(
            self.candidate, self.region_west, exclusive=True, all_products=False,
            product_ids=[Command.set(self.consumable.ids)], date_from=date(2010, 1, 1), date_to=date(2019, 12, 31),
        )

    def test_exclusive_shared_with_members_below(self):
        self.authorization.with_user(self.user_manager).action_revoke(reason="replaced")
        exclusive = self._channel_authorization(self.dealer, self.region_east, exclusive=True)
        self.assertEqual(exclusive.state, "approved", "the sub-dealer sells in its dealer's territory")
        with self.assertRaisesRegex(UserError, "exclusive"):
            self._channel_authorization(self.candidate, self.region_city)
        self._channel_authorization(self.candidate, self.region_west)
        with self.assertRaisesRegex(UserError, "exclusive"):
            self._channel_authorization(self.candidate, customer_ids=[Command.set(self.hospital.ids)])
        self._channel_authorization(
            self.candidate, self.region_east, excluded_region_ids=[Command.set(self.region_east.ids)]
        )

    # === LETTER === #

    def test_letter(self):
        contact = self.env["res.partner"].create({"name": "Agent Smith", "parent_id": self.candidate.id})
        authorization = self._channel_authorization(
            self.candidate, self.region_east, all_products=False, product_ids=[Command.set(self.device.ids)],
            date_to=date(2030, 12, 31), representative_id=contact.id, representative_identity="ID-4242421234",
            user_id=self.user_sales.id,
            excluded_customer_ids=[Command.set(self.hospital.ids)], note="Storage at 2-8 degrees",
        )
        text = self._letter(authorization)
        for part in (
            authorization.number, "Candidate", self.company.name, self.registration.number, "Test East", "Agent Smith",
            "ID-4242421234", self.user_sales.name, "data:image/svg+xml",
            "12/31/2030", "Except", "Test Hospital", "Storage at 2-8 degrees",
        ):
            self.assertIn(part, text)
        self.assertNotIn("no longer valid", text)
        self.assertIn(authorization._verification_url(), text)
        on_screen = self._letter(authorization, report_type="html")
        self.assertIn("…1234", on_screen)
        self.assertNotIn("ID-4242421234", on_screen, "the whole number is in the printed letter only")
        others = self._letter(authorization.with_user(self.user_executive))
        self.assertIn("Agent Smith", others)
        self.assertNotIn("1234", others.replace(authorization._verification_url(), ""),
                         "who may not read the number does not print it")
        authorization.with_user(self.user_manager).action_revoke(reason="x")
        self.assertIn("no longer valid", self._letter(authorization))

    def _letter(self, authorization, report_type="pdf"):
        html, _type = self.env["ir.actions.report"].with_user(authorization.env.user)._render_qweb_html(
            "channel_member.report_authorization", authorization.ids, data={"report_type": report_type}
        )
        return re.sub(r'src="data:[^"]*base64,[^"]*"', lambda match: match[0][:30], html.decode())

    def test_letter_of_certificates(self):
        """The products of a certificate are listed, and those of its renewal."""
        authorization = self._channel_authorization(
            self.candidate, self.region_east, all_products=False,
            registration_ids=[Command.set(self.registration.ids)],
        )
        self.assertEqual(authorization._letter_products(), self.device)
        self.assertIn(self.device.name, self._letter(authorization))

    def test_product_filter(self):
        """The filter chooses once: products that match later are not authorised."""
        draft = self._channel_authorization(
            self.candidate, self.region_east, approve=False, all_products=False,
            product_domain=f"[('id', '=', {self.device.id})]",
        )
        draft.action_add_products()
        self.assertEqual(draft.product_ids, self.device)
        draft.product_domain = "[('id', '=', 0)]"
        with self.assertRaisesRegex(UserError, "finds no product"):
            draft.action_add_products()
        with self.assertRaisesRegex(ValidationError, "Product Filter"):
            draft.product_domain = "nonsense"
