from contextlib import contextmanager
from unittest.mock import patch

from psycopg2 import IntegrityError
from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.base.tests.common import BaseCommon


class SegmentCommon(BaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Segment = cls.env["channel.segment"]
        cls.Membership = cls.env["channel.segment.membership"]
        cls.tag_gold, cls.tag_hospital = cls.env["res.partner.category"].create(
            [{"name": "Gold Dealers"}, {"name": "Test Hospitals"}]
        )
        cls.gold, cls.silver, cls.hospital = cls.env["res.partner"].create(
            [
                {"name": "Gold", "is_company": True, "category_id": cls.tag_gold.ids},
                {"name": "Silver", "is_company": True},
                {"name": "Hospital", "is_company": True, "category_id": cls.tag_hospital.ids},
            ]
        )
        cls.gold_segment = cls.Segment.create(
            {"name": "Gold", "member_domain": f"[('category_id', 'in', [{cls.tag_gold.id}])]"}
        )

    @classmethod
    def _segment(cls, member_domain=False, customer_domain=False, **values):
        return cls.Segment.create(
            {"name": "Segment", "member_domain": member_domain, "customer_domain": customer_domain, **values}
        )

    @classmethod
    def _rows(cls, segment, side="member"):
        """What is stored, brought up to date as a match does it."""
        cls.Segment._refresh_pending()
        return cls.Membership.search([("segment_id", "=", segment.id), ("side", "=", side)]).partner_id

    def _stored(self, segment):
        """What is stored now, without any refresh."""
        return {
            partner_id
            for (partner_id,) in self.env.execute_query(
                SQL("SELECT partner_id FROM channel_segment_membership WHERE segment_id = %s", segment.id)
            )
        }


@tagged("post_install", "-at_install")
class TestSegment(SegmentCommon):
    # === WHO IS HELD === #

    def test_empty_domain_is_everybody(self):
        segment = self._segment()
        self.assertTrue(segment.member_all and segment.customer_all)
        self.assertFalse(self._rows(segment))
        self.assertEqual(
            segment._match([self.gold.id], [self.hospital.id, False]),
            {(segment.id, self.gold.id, self.hospital.id), (segment.id, self.gold.id, False)},
        )
        segment.member_domain = "[]"
        self.assertTrue(segment.member_all)

    def test_both_sides_must_hold(self):
        segment = self._segment(self.gold_segment.member_domain, f"[('category_id', 'in', [{self.tag_hospital.id}])]")
        self.assertEqual(
            segment._match([self.gold.id, self.silver.id], [self.hospital.id, self.silver.id]),
            {(segment.id, self.gold.id, self.hospital.id)},
        )

    def test_order_without_end_customer(self):
        segment = self._segment(customer_domain=f"[('category_id', 'in', [{self.tag_hospital.id}])]")
        self.assertFalse(segment._match([self.gold.id], [False]))
        self.assertFalse(segment._match([self.gold.id], []))
        self.assertEqual(self.gold_segment._match([self.gold.id], []), {(self.gold_segment.id, self.gold.id, False)})

    def test_only_commercial_partners_are_held(self):
        contact = self.env["res.partner"].create(
            {"name": "Buyer", "parent_id": self.gold.id, "category_id": self.tag_gold.ids}
        )
        self.assertEqual(self._rows(self.gold_segment), self.gold)
        self.assertEqual(
            self.gold_segment._match([contact.id], []),
            {(self.gold_segment.id, contact.id, False)},
            "the contact stands for its company",
        )
        contact.parent_id = False
        self.assertEqual(self._rows(self.gold_segment), self.gold + contact)
        contact.parent_id = self.silver
        self.assertEqual(self._rows(self.gold_segment), self.gold)

    def test_matches_can_be_ordered_by_who_wins(self):
        wide, narrow = self._segment(sequence=20), self._segment(self.gold_segment.member_domain, sequence=5)
        segments = wide + narrow + self.gold_segment
        rank = segments._rank()
        match = sorted(segments._match([self.gold.id], []), key=lambda found: rank[found[0]])
        self.assertEqual([found[0] for found in match], [narrow.id, self.gold_segment.id, wide.id])

    def test_archived_segment_holds_nobody(self):
        self.gold_segment.active = False
        self.assertFalse(self.gold_segment._match([self.gold.id], []))
        self.assertFalse(self._stored(self.gold_segment))
        self.gold_segment.active = True
        self.assertTrue(self.gold_segment._match([self.gold.id], []))

    def test_answer_does_not_depend_on_who_asks(self):
        user = new_test_user(self.env, login="segment_portal", groups="base.group_portal")
        segment = self.gold_segment.with_user(user)
        with self.assertRaises(AccessError):
            segment.check_access("read")
        self.assertTrue(segment._match([self.gold.id], []))

    def test_company(self):
        other = self.env["res.company"].create({"name": "Other company"})
        user = new_test_user(self.env, login="segment_user", groups="channel_base.group_channel_pricing")
        ours, theirs = self._segment(company_id=user.company_id.id), self._segment(company_id=other.id)
        seen = self.Segment.with_user(user).search([("id", "in", (ours + theirs + self.gold_segment).ids)])
        self.assertEqual(seen, ours + self.gold_segment)
        self.assertEqual(theirs.sudo()._match([self.gold.id], []), {(theirs.id, self.gold.id, False)})

    def test_regional_user_sees_memberships_of_own_regions(self):
        east, west = self.env["channel.region"].create([{"name": "East"}, {"name": "West"}])
        self.gold.channel_region_manual_id = east
        self.silver.write({"channel_region_manual_id": west.id, "category_id": self.tag_gold.ids})
        self.assertEqual(self._rows(self.gold_segment), self.gold + self.silver)
        user = new_test_user(self.env, login="segment_sales", groups="channel_base.group_channel_sales")
        user.channel_region_ids = east
        self.assertEqual(self.gold_segment.with_user(user).membership_ids.partner_id, self.gold)
        self.assertEqual(self.gold_segment.with_user(user).member_count, 1)

    def test_code_is_unique_within_a_company(self):
        self._segment(code="G")
        self._segment(code="G", company_id=self.env.company.id)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._segment(code="G")

    def test_counts_and_buttons(self):
        self.assertEqual(self.gold_segment.member_count, 1)
        action = self.gold_segment.action_view_members()
        self.assertEqual(self.env["res.partner"].search(action["domain"]), self.gold)
        everybody = self.env["res.partner"].search(self.gold_segment.action_view_customers()["domain"])
        self.assertEqual(self.gold_segment.customer_count, len(everybody))
        self.assertEqual(everybody, everybody.commercial_partner_id)
        self.silver.category_id = self.tag_gold
        self.gold_segment.invalidate_recordset()
        self.assertEqual(self.gold_segment.member_count, 2)

    # === KEPT TRUE === #

    def test_created_partner(self):
        partner = self.env["res.partner"].create({"name": "New", "category_id": self.tag_gold.ids})
        self.assertIn(partner, self._rows(self.gold_segment))

    def test_changed_tags_from_both_sides(self):
        self.silver.category_id = [Command.link(self.tag_gold.id)]
        self.assertEqual(self._rows(self.gold_segment), self.gold + self.silver)
        self.tag_gold.partner_ids = [Command.unlink(self.silver.id)]
        self.assertEqual(self._rows(self.gold_segment), self.gold)

    def test_deleted_tag(self):
        segment = self._segment("[('category_id', '=', 'Gold Dealers')]")
        self.assertEqual(self._rows(segment), self.gold)
        self.tag_gold.unlink()
        self.assertFalse(self._rows(segment))

    def test_renamed_tag(self):
        segment = self._segment("[('category_id.name', '=', 'Platinum')]")
        self.assertFalse(self._rows(segment))
        self.tag_gold.name = "Platinum"
        self.assertEqual(self._rows(segment), self.gold)

    def test_tag_moved_below_another(self):
        segment = self._segment(f"[('category_id', 'child_of', {self.tag_hospital.id})]")
        self.assertEqual(self._rows(segment), self.hospital)
        self.tag_gold.parent_id = self.tag_hospital
        self.assertEqual(self._rows(segment), self.hospital + self.gold)

    def test_changed_grade(self):
        grade = self.env["res.partner.grade"].create({"name": "Test Grade"})
        segment = self._segment(f"[('grade_id', '=', {grade.id})]")
        self.silver.grade_id = grade
        self.assertEqual(self._rows(segment), self.silver)
        self.silver.grade_id = False
        self.assertFalse(self._rows(segment))

    def test_archived_and_deleted_partner(self):
        self.gold.active = False
        self.assertFalse(self._rows(self.gold_segment))
        self.gold.active = True
        self.assertEqual(self._rows(self.gold_segment), self.gold)
        self.gold.unlink()
        self.assertFalse(self._rows(self.gold_segment))

    def test_region_is_computed_and_still_followed(self):
        """The address is written, the region follows, and with it the segment."""
        country = self.env["res.country"].create({"name": "Testland", "code": "XZ"})
        region = self.env["channel.region"].create({"name": "Testland", "country_id": country.id})
        city = self.env["channel.region"].create({"name": "Testville", "parent_id": region.id})
        segment = self._segment(f"[('channel_region_id', 'child_of', {region.id})]")
        self.silver.write({"country_id": country.id, "city": "Testville"})
        self.assertEqual(self._rows(segment), self.silver)
        segment_city = self._segment(f"[('channel_region_id', '=', {city.id})]")
        self.assertEqual(self._rows(segment_city), self.silver)
        city.name = "Newville"
        self.assertFalse(self._rows(segment_city))
        self.assertEqual(self._rows(segment), self.silver)

    def test_region_moved_in_the_tree(self):
        east, west, city = self.env["channel.region"].create([{"name": name} for name in ("East", "West", "City")])
        city.parent_id = east
        self.silver.channel_region_manual_id = city
        segment = self._segment(f"[('channel_region_id', 'child_of', {east.id})]")
        self.assertEqual(self._rows(segment), self.silver)
        city.parent_id = west
        self.assertFalse(self._rows(segment))

    def test_condition_on_contacts(self):
        segment = self._segment("[('child_ids.city', '=', 'Testville')]")
        contact = self.env["res.partner"].create(
            {"name": "Warehouse", "type": "delivery", "parent_id": self.gold.id, "city": "Testville"}
        )
        self.assertEqual(self._rows(segment), self.gold)
        contact.parent_id = self.silver
        self.assertEqual(self._rows(segment), self.silver)
        contact.city = "Elsewhere"
        self.assertFalse(self._rows(segment))
        contact.city = "Testville"
        self.assertEqual(self._rows(segment), self.silver)
        contact.unlink()
        self.assertFalse(self._rows(segment))

    def test_changed_domain(self):
        self.gold_segment.member_domain = f"[('id', '=', {self.silver.id})]"
        self.assertEqual(self._stored(self.gold_segment), {self.silver.id})
        self.gold_segment.member_domain = False
        self.assertFalse(self._stored(self.gold_segment))
        self.assertTrue(self.gold_segment.member_all)

    def test_changes_are_stored_at_commit_without_a_match(self):
        self.silver.category_id = self.tag_gold
        self.assertEqual(self._stored(self.gold_segment), {self.gold.id})
        self.env.cr.flush()  # what a commit does first
        self.assertEqual(self._stored(self.gold_segment), {self.gold.id, self.silver.id})

    def test_rollback_to_a_savepoint_forgets_nothing(self):
        self.silver.category_id = self.tag_gold
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self._rows(self.gold_segment)
            self.hospital.category_id = self.tag_gold
            raise ZeroDivisionError
        self.assertEqual(self._rows(self.gold_segment), self.gold + self.silver)

    def test_change_of_an_unread_field_costs_nothing(self):
        self._rows(self.gold_segment)
        with patch.object(type(self.Segment), "_refresh") as refresh:
            self.gold.comment = "Nothing that a segment reads"
            self.gold.phone = "1"
            self.env.cr.flush()
            self.Segment._refresh_pending()
        refresh.assert_not_called()

    # === BAD DOMAINS === #

    def assertRefused(self, domain, reason, side="member"):
        field = {"member": "Members", "customer": "End Customers"}[side]
        with self.subTest(domain=domain), self.assertRaises(ValidationError) as catcher:
            self._segment(**{f"{side}_domain": domain})
        message = str(catcher.exception)
        self.assertIn(f"{field}: {domain}", message, "names the field and the value")
        self.assertRegex(message, reason)
        self.assertIn("Choose the condition in the editor", message, "names the remedy")

    def test_bad_domain_is_refused_with_its_reason(self):
        self.assertRefused("[('no_such_field', '=', 1)]", "res.partner has no field 'no_such_field'")
        self.assertRefused("[('category_id.no_such', '=', 1)]", "res.partner.category has no field 'no_such'")
        self.assertRefused("[('name', '=', 'A'", "not a literal")
        self.assertRefused("[('name', '=', __import__('os'))]", "not a literal")
        self.assertRefused("{'name': 'A'}", "a list is expected, not dict")
        self.assertRefused("['&', ('name', '=', 'A')]", ".")
        self.assertRefused("[('name', 'resembles', 'A')]", "Invalid operator")
        self.assertRefused("[('color', '>', 'A')]", ".")
        self.assertRefused("[('contact_address', '=', 'A')]", "not stored and cannot be searched", "customer")

    def test_field_with_a_value_for_each_company_needs_the_company(self):
        domain = "[('barcode', '=', 'X')]"
        self.assertRefused(domain, "barcode has a value for each company")
        segment = self._segment(domain, company_id=self.env.company.id)
        self.silver.barcode = "X"
        self.assertEqual(self._rows(segment), self.silver)
        with self.assertRaises(ValidationError):
            segment.company_id = False

    # === DRIFT === #

    @contextmanager
    def _raised(self):
        alerts = []
        with patch.object(
            type(self.env["channel.alert"]),
            "_raise_alerts",
            lambda _self, source, values: alerts.extend((source, value) for value in values),
        ):
            yield alerts

    def test_nightly_check_reports_and_mends_drift(self):
        segment = self._segment(f"[('id', 'in', {(self.gold + self.silver).ids})]", name="Drifted")
        self.env.cr.execute(
            SQL(
                "UPDATE channel_segment_membership SET partner_id = %s WHERE segment_id = %s AND partner_id = %s",
                self.hospital.id,
                segment.id,
                self.gold.id,
            )
        )
        self.Segment._cron_check_drift()
        self.assertEqual(self._stored(segment), {self.gold.id, self.silver.id})
        alert = self.env["channel.alert"].search(
            [("source", "=", "channel.segment.drift"), ("key", "=", str(segment.id))]
        )
        self.assertEqual(len(alert), 1)
        self.assertEqual(alert.severity, "warning")
        self.assertIn("Drifted", alert.name)
        self.assertIn("1 memberships were missing and 1 were too many", str(alert.note))

    def test_nightly_check_is_silent_when_all_is_true(self):
        self._rows(self.gold_segment)
        with self._raised() as alerts:
            self.Segment._cron_check_drift()
        self.assertFalse(alerts)

    def test_days_passing_are_no_drift(self):
        segment = self._segment("[('create_date', '>', 'today -1d')]")
        self.assertIn(self.gold, self._rows(segment))
        self.env.cr.execute(
            SQL("UPDATE res_partner SET create_date = create_date - interval '9 days' WHERE id = %s", self.gold.id)
        )
        with self._raised() as alerts:
            self.Segment._cron_check_drift()
        self.assertFalse(alerts)
        self.assertNotIn(self.gold, self._rows(segment))

    def test_cron_runs(self):
        with self.enter_registry_test_mode():
            self.env.ref("channel_base.ir_cron_channel_segment_drift").method_direct_trigger()

    # === SHAPE === #

    def _queries(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        start = self.env.cr.sql_log_count
        function()
        return self.env.cr.sql_log_count - start

    def test_match_is_one_query_for_any_number(self):
        segments = self.Segment.create(
            [{"name": f"S{number}", "member_domain": f"[('color', '=', {number})]"} for number in range(20)]
        )
        partners = self.env["res.partner"].create(
            [{"name": f"P{number}", "color": number % 11} for number in range(200)]
        )
        self._rows(self.gold_segment)
        segments._match(partners.ids, [])

        def match(count_segments, count_partners):
            return self._queries(lambda: segments[:count_segments]._match(partners[:count_partners].ids, []))

        self.assertEqual(match(2, 10), 1)
        self.assertEqual(match(20, 200), 1)

    def test_refresh_is_set_based(self):
        for number in range(20):
            self._segment(f"[('color', '=', {number})]")

        def refresh(count):
            self.env["res.partner"].create([{"name": f"P{number}", "color": number % 11} for number in range(count)])
            return self._queries(self.Segment._refresh_pending)

        refresh(5)
        self.assertEqual(refresh(200), refresh(10))


@tagged("post_install", "-at_install")
class TestSegmentConcurrency(SegmentCommon):
    """Two transactions that put the same partner in the same segment: one waits, and is tried again."""

    def test_two_transactions_at_once(self):
        registry = self.env.registry
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            partner = env["res.partner"].create({"name": "Concurrent partner", "is_company": True})
            segment = env["channel.segment"].create(
                {"name": "Concurrent", "member_domain": f"[('id', '=', {partner.id})]"}
            )
            cr.execute("DELETE FROM channel_segment_membership WHERE segment_id = %s", [segment.id])
            partner_id, segment_id = partner.id, segment.id

        def clean():
            with registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                env["channel.segment"].browse(segment_id).unlink()
                env["res.partner"].browse(partner_id).unlink()

        self.addCleanup(clean)
        with registry.cursor() as first, registry.cursor() as second:
            refresh_first, refresh_second = (
                api.Environment(cr, SUPERUSER_ID, {})["channel.segment"].browse(segment_id)._refresh
                for cr in (first, second)
            )
            # both have begun before either has written
            for cr in (first, second):
                cr.execute("SELECT count(*) FROM channel_segment_membership WHERE segment_id = %s", [segment_id])
                self.assertEqual(cr.fetchone()[0], 0)
            self.assertEqual(refresh_first(), {segment_id: (1, 0)})
            first.commit()
            # after this error Odoo's dispatcher tries a request again
            with mute_logger("odoo.sql_db"), self.assertRaises(SerializationFailure):
                refresh_second()
            second.rollback()
            self.assertEqual(refresh_second(), {}, "tried again, it finds the work done")
            second.commit()
        with registry.cursor() as cr:
            cr.execute("SELECT partner_id FROM channel_segment_membership WHERE segment_id = %s", [segment_id])
            self.assertEqual(cr.fetchall(), [(partner_id,)])


@tagged("post_install", "-at_install")
class TestSegmentForm(SegmentCommon, HttpCase):
    def test_condition_is_edited_in_the_editor_and_members_are_listed(self):
        """The form shows the condition as Odoo's editor does, and its button leads to the members."""
        new_test_user(
            self.env,
            login="segment_manager",
            password="segment_manager",
            groups="channel_base.group_channel_manager",
        )
        self.gold.name = "Gold of the segment"
        self.browser_js(
            f"/odoo/channel-segments/{self.gold_segment.id}",
            """
            const wait = (selector, text) => new Promise((resolve, reject) => {
                const start = Date.now();
                const look = () => {
                    const found = [...document.querySelectorAll(selector)].find(
                        (node) => !text || node.textContent.includes(text));
                    if (found) resolve(found);
                    else if (Date.now() - start > 20000) reject(new Error(`${selector} ${text || ""} not found`));
                    else setTimeout(look, 100);
                };
                look();
            });
            (async () => {
                await wait(".o_field_widget[name=member_domain] .o_tree_editor", "Gold Dealers");
                await wait(".o_field_widget[name=customer_domain]");
                (await wait("button[name=action_view_members]", "1")).click();
                await wait(".o_list_view .o_data_row", "Gold of the segment");
                console.log("test successful");
            })().catch((error) => console.error(error.message));
            """,
            login="segment_manager",
            timeout=60,
        )


@tagged("post_install", "-at_install")
class TestSegmentOfAMissingField(SegmentCommon):
    """A domain may name a field of an add-on that is not loaded yet, or was removed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.flush_all()
        # Past the constraint, as the removal of an add-on does it.
        cls.env.cr.execute(
            SQL(
                "UPDATE channel_segment SET member_domain = %s WHERE id = %s",
                "[('field_of_a_removed_addon', '=', 1)]",
                cls.gold_segment.id,
            )
        )
        cls.env.invalidate_all()
        cls.env.registry.clear_cache()
        cls.addClassCleanup(cls.env.registry.clear_cache)
        cls.addClassCleanup(setattr, cls.env.registry, "channel_segments_wait", False)

    def test_partners_can_be_changed_all_the_same(self):
        self.silver.category_id = self.tag_gold
        self.Segment._refresh_pending()

    def test_while_addons_are_loaded_it_keeps_what_it_holds(self):
        with patch.object(self.env.registry, "ready", False):
            self.gold.category_id = False
            self.gold_segment._refresh()
            self.assertEqual(self._stored(self.gold_segment), {self.gold.id})
            # The field has come with a later add-on.
            self.env.cr.execute(
                SQL(
                    "UPDATE channel_segment SET member_domain = %s WHERE id = %s",
                    f"[('category_id', 'in', [{self.tag_gold.id}])]",
                    self.gold_segment.id,
                )
            )
            self.env.invalidate_all()
            self.Segment._register_hook()
            self.assertEqual(self._stored(self.gold_segment), set())

    def test_the_nightly_check_empties_it_and_says_so(self):
        self.Segment._cron_check_drift()
        self.assertEqual(self._stored(self.gold_segment), set())
        alert = self.env["channel.alert"].search([("key", "=", f"unreadable {self.gold_segment.id}")])
        self.assertRecordValues(alert, [{"severity": "critical", "res_id": self.gold_segment.id}])
