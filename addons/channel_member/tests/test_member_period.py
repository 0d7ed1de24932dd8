import importlib.util
from datetime import date, timedelta
from pathlib import Path

from freezegun import freeze_time
from hypothesis import HealthCheck, given, settings, strategies as st
from psycopg2.errors import ExclusionViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import SQL, mute_logger

from ..tools.timeline import Span, at, changed
from .common import ChannelMemberCommon

DAY = timedelta(days=1)
TODAY = date(2026, 6, 15)
STATES = ["applicant", "active", "suspended", "terminated"]
DAYS = st.integers(min_value=-40, max_value=40).map(lambda offset: TODAY + offset * DAY)


class NaivePast:
    """A member's past as one value for each day and field: slow, obvious, and what the periods are compared with."""

    FIRST, LAST = TODAY - 60 * DAY, TODAY + 60 * DAY

    def __init__(self, joined, values):
        self.days = {
            self.FIRST + number * DAY: dict(values) if self.FIRST + number * DAY >= joined else None
            for number in range((self.LAST - self.FIRST).days + 1)
        }

    def change(self, day, field, value):
        joined = min(other for other, values in self.days.items() if values)
        if day < joined:
            first = dict(self.days[joined])
            for number in range((joined - day).days):
                self.days[day + number * DAY] = {**first, field: value}
            return
        before = {other: values and values[field] for other, values in self.days.items()}
        while day <= self.LAST:
            self.days[day][field] = value
            day += DAY
            if day <= self.LAST and before[day] != before[day - DAY]:
                break


class PeriodCase(ChannelMemberCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.grades = cls.env["res.partner.grade"].create([{"name": "Silver Test"}, {"name": "Gold Test"}])
        cls.silver, cls.gold = cls.grades

    def _member(self, name="Period Member", **values):
        # Numbers are no matter here; where base_vat is installed it would check them.
        return self.env["res.partner"].with_context(no_vat_validation=True).create(
            self._channel_member_values(name, self.region_east, **values)
        )

    def _periods(self, member, active=True):
        self.env.flush_all()
        return self.env["channel.member.period"].with_context(active_test=False).search(
            [("partner_id", "=", member.id), ("active", "=", active)], order="valid_from, id"
        )

    def _on(self, member, day):
        return self.env["channel.member.period"]._as_of([(member.id, day)])[member.id, day]

    def _take_effect(self):
        """The nightly job, which runs as superuser."""
        return self.env["channel.member.period"].sudo()._cron_take_effect()

    def assertGapless(self, member):
        """Exactly one row for each day from the first one on."""
        periods = self._periods(member)
        for earlier, later in zip(periods, periods[1:], strict=False):
            self.assertEqual(earlier.valid_to + DAY, later.valid_from, periods.mapped("display_name"))
        self.assertFalse(periods[-1].valid_to)


@tagged("post_install", "-at_install")
class TestMemberPeriod(PeriodCase):

    # === KEEPING STEP === #

    def test_life(self):
        """Each change of state, role, parent, tier and region ends one row and begins the next."""
        with freeze_time("2026-01-10 12:00:00"):
            member = self._member()
            self.env.flush_all()
        with freeze_time("2026-01-20 12:00:00"):
            member.action_channel_activate(reason="documents seen")
            self.env.flush_all()
        with freeze_time("2026-02-01 12:00:00"):
            member.write({"channel_parent_id": self.dealer.id, "grade_id": self.gold.id})
            self.env.flush_all()
        with freeze_time("2026-03-01 12:00:00"):
            member.channel_region_manual_id = self.region_west
            member.channel_role = "agent"
            self.env.flush_all()
        periods = self._periods(member)
        self.assertEqual(
            [(p.valid_from, p.valid_to, p.state, p.role, p.parent_id, p.grade_id, p.region_id) for p in periods],
            [
                (date(2026, 1, 10), date(2026, 1, 19), "applicant", "distributor",
                 self.env["res.partner"], self.grades.browse(), self.region_east),
                (date(2026, 1, 20), date(2026, 1, 31), "active", "distributor",
                 self.env["res.partner"], self.grades.browse(), self.region_east),
                (date(2026, 2, 1), date(2026, 2, 28), "active", "distributor",
                 self.dealer, self.gold, self.region_east),
                (date(2026, 3, 1), False, "active", "agent", self.dealer, self.gold, self.region_west),
            ],
        )
        self.assertEqual(periods[1].reason, "documents seen")

    def test_one_row_for_a_day(self):
        """What changes back and forth on one day leaves one row, with the last word."""
        with freeze_time("2026-01-10 12:00:00"):
            member = self._member()
            member.action_channel_activate()
            member.action_channel_suspend(reason="one")
            member.action_channel_activate(reason="two")
        self.assertEqual(self._periods(member).mapped("state"), ["active"])
        with freeze_time("2026-01-11 12:00:00"):
            member.grade_id = self.gold
            self.env.flush_all()
            member.grade_id = False
            self.env.flush_all()
        self.assertEqual(len(self._periods(member)), 1, "nothing is different from the day before")
        self.assertFalse(self._periods(member).valid_to)

    def test_region_by_address_and_by_the_tree(self):
        """A region that follows the address follows into the history too."""
        with freeze_time("2026-01-10 12:00:00"):
            member = self._member(channel_region_manual_id=False)
            self.env.flush_all()
        with freeze_time("2026-02-10 12:00:00"):
            member.channel_region_manual_id = self.region_west
            self.env.flush_all()
        self.assertEqual(self._on(member, date(2026, 2, 9)).region_id, self._periods(member)[0].region_id)
        self.assertEqual(self._on(member, date(2026, 2, 10)).region_id, self.region_west)

    def test_leaving_and_strangers(self):
        """Who gives its role up has no state from then on; who never had one has no history."""
        with freeze_time("2026-01-10 12:00:00"):
            member = self._member()
            self.env.flush_all()
        with freeze_time("2026-01-12 12:00:00"):
            member.channel_role = False
            self.env.flush_all()
        self.assertEqual(self._on(member, date(2026, 1, 11)).state, "applicant")
        self.assertFalse(self._on(member, date(2026, 1, 12)).state)
        stranger = self.env["res.partner"].create({"name": "Stranger", "grade_id": self.gold.id})
        self.assertFalse(self._periods(stranger))

    def test_shape_of_joining(self):
        """A thousand companies join with a fixed number of statements for their history."""
        def count(number):
            vals_list = [self._channel_member_values(f"Bulk {number} {n}", self.region_east) for n in range(number)]
            partners = self.env["res.partner"].create([{**vals, "channel_role": False} for vals in vals_list])
            self.env.flush_all()
            changes = {partner.id: {} for partner in partners}
            self.env.cr.execute(
                "UPDATE res_partner SET channel_role = 'agent', channel_state = 'applicant' WHERE id = ANY(%s)",
                [partners.ids],
            )
            start = self.env.cr.sql_log_count
            self.env["channel.member.period"]._follow(changes)
            return self.env.cr.sql_log_count - start

        count(1)
        self.assertEqual(count(10), count(200))

    # === QUESTIONS === #

    def test_as_of(self):
        with freeze_time("2026-01-10 12:00:00"):
            member = self._member()
            self.env.flush_all()
        with freeze_time("2026-01-20 12:00:00"):
            member.action_channel_activate()
        asks = [(member.id, date(2026, 1, day)) for day in (9, 10, 19, 20)] + [(self.dealer.id, date(2001, 1, 1))]
        self.env["channel.member.period"]._as_of(asks)
        self.env.invalidate_all()
        start = self.env.cr.sql_log_count
        answers = self.env["channel.member.period"]._as_of(asks)
        self.assertEqual(self.env.cr.sql_log_count - start, 1)
        self.assertEqual([answers[ask].state for ask in asks], [False, "applicant", "applicant", "active", "active"])

    def test_as_of_sql(self):
        """The relation joins to anything that has a member and a day."""
        rows = self.env.execute_query(SQL(
            "SELECT p.id, period.state FROM res_partner p JOIN LATERAL %s AS period ON TRUE WHERE p.id = ANY(%s) "
            "ORDER BY p.id",
            self.env["channel.member.period"]._as_of_sql(SQL("p.id"), SQL("%s::date", date(2010, 1, 1))),
            self.members.ids,
        ))
        self.assertEqual(rows, [(member.id, "active") for member in self.members.sorted("id")])

    # === DECISIONS FROM A DAY === #

    @freeze_time("2026-06-15 12:00:00")
    def test_past_is_corrected(self):
        """The correction holds until the day on which something else was decided; what it replaces is kept."""
        member = self._member()
        member.action_channel_activate()
        member._channel_change({"channel_state": "active"}, date=date(2026, 1, 1), reason="paper file")
        member._channel_change({"channel_state": "suspended"}, date=date(2026, 5, 1), reason="unpaid")
        self.assertEqual(
            (member.channel_state, member.channel_state_date, member.channel_active_since),
            ("suspended", date(2026, 5, 1), date(2026, 1, 1)),
        )
        changed = member._channel_change({"channel_state": "terminated"}, date=date(2026, 3, 1), reason="fraud")
        self.assertEqual(changed, member)
        self.assertEqual(
            [(p.valid_from, p.state) for p in self._periods(member)],
            [(date(2026, 1, 1), "active"), (date(2026, 3, 1), "terminated"), (date(2026, 5, 1), "suspended")],
        )
        self.assertEqual(member.channel_state, "suspended", "May was decided by itself")
        replaced = self._periods(member, active=False)
        self.assertEqual(
            [(p.valid_from, p.valid_to, p.state) for p in replaced if p.valid_to],
            [(date(2026, 1, 1), date(2026, 4, 30), "active")],
        )
        self.assertTrue(all(replaced.mapped("replaced_at")))
        self.assertTrue(all(self._periods(member).mapped("backdated")))

    def test_audit_entry(self):
        member = self.dealer.with_user(self.user_compliance)
        member._channel_change({"grade_id": self.gold.id}, date=date(2026, 1, 5), reason="agreed by letter")
        entry = self.env["channel.audit.entry"].sudo().search([
            ("model", "=", "res.partner"), ("res_id", "=", member.id), ("action", "=", "member.changed"),
            ("user_id", "=", self.user_compliance.id),
        ])
        self.assertEqual(entry.reason, "agreed by letter")
        self.assertEqual(entry.before, '{"date":"2026-01-05","grade_id":null}')
        self.assertEqual(entry.after, f'{{"date":"2026-01-05","grade_id":{self.gold.id}}}')
        self.assertEqual(self.dealer.grade_id, self.gold, "nothing was decided since")

    def test_nothing_to_change(self):
        """A decision that changes nothing is none: no entry, and whoever calls is told."""
        entries = self.env["channel.audit.entry"].sudo().search_count([])
        self.assertFalse(self.dealer._channel_change({"channel_state": "active"}, reason="again"))
        self.assertEqual(self.env["channel.audit.entry"].sudo().search_count([]), entries)

    def test_ahead(self):
        """A later day is in the history at once, and on the member when its day has come."""
        with freeze_time("2026-06-15 12:00:00"):
            self.dealer._channel_change({"grade_id": self.gold.id}, date=date(2026, 7, 1), reason="tier of the year")
            self.dealer._channel_change({"channel_state": "suspended"}, date=date(2026, 7, 1), reason="licence ends")
            self._take_effect()
            self.assertFalse(self.dealer.grade_id)
            self.assertEqual(self._on(self.dealer, date(2026, 7, 1)).grade_id, self.gold)
            # what is decided meanwhile stays decided
            self.dealer.channel_parent_id = self.other_dealer
            self.env.flush_all()
        with freeze_time("2026-07-03 03:00:00"):
            self._take_effect()
            self.assertEqual(self.dealer.grade_id, self.gold)
            self.assertEqual(
                (self.dealer.channel_state, self.dealer.channel_state_date, self.dealer.channel_state_reason),
                ("suspended", date(2026, 7, 1), "licence ends"),
            )
            self.assertEqual(self.dealer.channel_parent_id, self.other_dealer)
            before = self._periods(self.dealer).ids
            self.assertEqual(self._take_effect(), 0, "done is done")
            self.assertEqual(self._periods(self.dealer).ids, before)
        self.assertGapless(self.dealer)

    def test_effect_that_cannot_be(self):
        """A parent that closes a circle meanwhile leaves the member as it is, with an alert; others take effect."""
        with freeze_time("2026-06-15 12:00:00"):
            self.other_dealer._channel_change({"channel_parent_id": self.dealer.id}, date=date(2026, 7, 1), reason="x")
            self.hospital._channel_change({"grade_id": self.gold.id}, date=date(2026, 7, 1), reason="y")
            self.dealer.channel_parent_id = self.other_dealer
            self.env.flush_all()
        with freeze_time("2026-07-01 03:00:00"):
            self._take_effect()
            self.assertEqual(self.hospital.grade_id, self.gold)
            self.assertFalse(self.other_dealer.channel_parent_id)
            alert = self.env["channel.alert"].sudo().search([("source", "=", "member_change")])
            self.assertEqual(alert.res_id, self.other_dealer.id)
            self.dealer.channel_parent_id = False
            self._take_effect()
        self.assertEqual(self.other_dealer.channel_parent_id, self.dealer)
        self.assertNotIn(alert.state, ("open", "new"))

    def test_who_may_change(self):
        for user in (self.user_sales, self.user_contract, self.user_auditor, self.user_internal):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.dealer.with_user(user)._channel_change({"channel_state": "suspended"}, reason="x")
        with self.assertRaises(AccessError):
            self.dealer.with_user(self.user_compliance)._channel_change(
                {"channel_state": "terminated"}, date="2026-01-01", reason="x"
            )
        self.assertEqual(self.dealer.channel_state, "active")

    def test_wrong_changes(self):
        member = self.dealer.with_user(self.user_manager)
        for values, error, words in (
            ({"name": "New"}, ValidationError, "name cannot be changed"),
            ({}, ValidationError, "Nothing cannot be changed"),
            ({"channel_state": "asleep"}, ValidationError, "asleep is not one of"),
            ({"channel_state": False}, ValidationError, "is not one of"),
            ({"channel_parent_id": self.sub_dealer.id}, ValidationError, "above itself"),
            ({"channel_parent_id": self.env.user.partner_id.id}, ValidationError, "no channel role"),
        ):
            with self.subTest(values=values), self.assertRaisesRegex(error, words):
                member._channel_change(values, date="2026-01-01", reason="x")
        with self.assertRaisesRegex(UserError, "Reason"):
            member._channel_change({"channel_state": "suspended"}, date="2026-01-01")
        with self.assertRaisesRegex(UserError, "not a member"):
            self.env.user.partner_id.with_user(self.user_manager)._channel_change(
                {"channel_state": "active"}, reason="x"
            )

    def test_not_by_hand(self):
        period = self._periods(self.dealer)[:1]
        for user in (self.user_manager, self.user_compliance, self.user_admin):
            with self.subTest(user=user.login):
                with self.assertRaises(UserError):
                    period.with_user(user).write({"state": "terminated"})
                with self.assertRaises(UserError):
                    period.with_user(user).unlink()
                with self.assertRaises(UserError):
                    period.with_user(user).create({"partner_id": self.dealer.id, "valid_from": "2026-01-01"})

    def test_overlap_is_refused_by_the_database(self):
        with self.assertRaises(ExclusionViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self.env.cr.execute(
                "INSERT INTO channel_member_period (partner_id, valid_from, active) VALUES (%s, '2026-01-01', TRUE)",
                [self.dealer.id],
            )

    def test_regions_of_a_salesperson(self):
        """The history is seen by whoever sees the member."""
        visible = self.env["channel.member.period"].with_user(self.user_sales).search([]).partner_id
        self.assertIn(self.dealer, visible)
        self.assertNotIn(self.other_dealer, visible)

    def test_wizard(self):
        action = self.dealer.with_user(self.user_manager).action_channel_change()
        form = Form(self.env[action["res_model"]].with_user(self.user_manager).with_context(**action["context"]))
        form.particular = "grade_id"
        form.grade_id = self.silver
        form.date = date(2026, 2, 1)
        form.reason = "as agreed"
        wizard = form.save()
        self.assertTrue(wizard.backdated)
        wizard.action_change()
        self.assertEqual(self._on(self.dealer, date(2026, 2, 1)).grade_id, self.silver)
        self.assertFalse(self._on(self.dealer, date(2026, 1, 31)).grade_id)
        with self.assertRaisesRegex(UserError, "already says"):
            wizard.action_change()

    def test_form_shows_what_was_replaced(self):
        """The page of the member form lists corrections too, and nobody can edit it there."""
        self.dealer._channel_change({"channel_state": "suspended"}, date="2026-01-01", reason="x")
        read = self.dealer.with_user(self.user_compliance).web_read({
            "channel_history_ids": {"fields": {"active": {}}}, "channel_period_ids": {"fields": {"active": {}}},
        })
        self.assertIn(False, [row["active"] for row in read[0]["channel_history_ids"]])
        self.assertNotIn(False, [row["active"] for row in read[0]["channel_period_ids"]])

    # === PROPERTIES === #

    @settings(
        max_examples=30, deadline=None, database=None, derandomize=True,
        suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
    )
    @given(st.lists(
        st.tuples(
            DAYS,
            st.one_of(
                st.tuples(st.just("state"), st.sampled_from(STATES)),
                st.tuples(st.just("grade_id"), st.sampled_from([None, 0, 1])),
            ),
        ),
        max_size=8,
    ))
    def test_any_changes_leave_one_row_for_each_day(self, changes):
        """Any sequence of dated changes: one row for each day, and each day says what a naive replay says."""
        fields = {"state": "channel_state", "grade_id": "grade_id"}
        with self.env.cr.savepoint() as savepoint, freeze_time(f"{TODAY} 12:00:00"):
            member = self._member()
            self.env.flush_all()
            naive = NaivePast(TODAY, {"state": "applicant", "grade_id": None})
            for day, (field, value) in changes:
                if field == "grade_id" and value is not None:
                    value = self.grades[value].id
                member._channel_change({fields[field]: value}, date=day, reason="property")
                naive.change(day, field, value)
            self.assertGapless(member)
            asks = [(member.id, day) for day in naive.days]
            answers = self.env["channel.member.period"]._as_of(asks)
            for (day, expected), ask in zip(naive.days.items(), asks, strict=True):
                period = answers[ask]
                self.assertEqual(
                    period and {"state": period.state, "grade_id": period.grade_id.id or None} or None, expected, day
                )
            self.assertEqual(member.channel_state, naive.days[TODAY]["state"])
            self.assertEqual(member.grade_id.id or None, naive.days[TODAY]["grade_id"])
            savepoint.rollback()
            self.env.invalidate_all(flush=False)

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(DAYS, st.lists(st.tuples(DAYS, st.sampled_from("ab"), st.integers(0, 2)), max_size=12))
    def test_rule_of_the_timeline(self, joined, changes):
        """The rule by itself, with many more sequences: equal to the replay, sorted, no two equal neighbours."""
        joined = max(joined, NaivePast.FIRST)
        naive = NaivePast(joined, {"a": 0, "b": 0})
        timeline = [Span(joined, {"a": 0, "b": 0})]
        for day, field, value in changes:
            timeline = changed(timeline, day, {field: value})
            naive.change(day, field, value)
        self.assertEqual([at(timeline, day) for day in naive.days], list(naive.days.values()))
        starts = [span.start for span in timeline]
        self.assertEqual(starts, sorted(set(starts)))
        for one, other in zip(timeline, timeline[1:], strict=False):
            self.assertNotEqual(one.values, other.values)


@tagged("post_install", "-at_install")
class TestMemberPeriodMigration(PeriodCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        path = Path(__file__).parents[1] / "migrations/19.0.1.1.0/post-member-period.py"
        spec = importlib.util.spec_from_file_location("post_member_period", path)
        cls.script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(cls.script)

    def _migrate(self):
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM channel_member_period")
        self.env.cr.execute("DELETE FROM channel_member_key")
        self.env.invalidate_all()
        self.script.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def test_history_from_the_journal(self):
        with freeze_time("2026-01-10 12:00:00"):
            member = self._member(channel_legal_person="Migrated")
            self.env.flush_all()
        with freeze_time("2026-01-20 12:00:00"):
            member.action_channel_activate(reason="documents seen")
        with freeze_time("2026-03-01 12:00:00"):
            member.action_channel_suspend(reason="unpaid")
        self.env.flush_all()
        self.env.cr.execute("UPDATE res_partner SET create_date = '2026-01-10 12:00:00' WHERE id = %s", [member.id])
        self._migrate()
        self.assertEqual(
            [(p.valid_from, p.valid_to, p.state) for p in self._periods(member)],
            [
                (date(2026, 1, 10), date(2026, 1, 19), "applicant"),
                (date(2026, 1, 20), date(2026, 2, 28), "active"),
                (date(2026, 3, 1), False, "suspended"),
            ],
        )
        self.assertEqual(self._periods(member)[-1].reason, "unpaid")
        self.assertEqual(self._periods(member)[-1].region_id, self.region_east)
        keys = self.env["channel.member.key"].search([("partner_id", "=", member.id)])
        self.assertIn("legal_person", keys.mapped("kind"))

    def test_history_without_a_journal(self):
        """What stands on the member, else the day on which it was entered."""
        applicant, active, suspended = (self._member(name) for name in ("One", "Two", "Three"))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET create_date = '2026-01-10 12:00:00' WHERE id = ANY(%s)",
            [(applicant | active | suspended).ids],
        )
        self.env.cr.execute(
            "UPDATE res_partner SET channel_state = 'active', channel_active_since = '2025-05-01', "
            "channel_state_date = '2025-05-01' WHERE id = %s", [active.id],
        )
        self.env.cr.execute(
            "UPDATE res_partner SET channel_state = 'suspended', channel_active_since = '2026-02-01', "
            "channel_state_date = '2026-04-01' WHERE id = %s", [suspended.id],
        )
        self._migrate()
        rows = {
            member: [(p.valid_from, p.state) for p in self._periods(member)]
            for member in (applicant, active, suspended)
        }
        self.assertEqual(rows, {
            applicant: [(date(2026, 1, 10), "applicant")],
            active: [(date(2025, 5, 1), "active")],
            suspended: [
                (date(2026, 1, 10), "applicant"), (date(2026, 2, 1), "active"), (date(2026, 4, 1), "suspended"),
            ],
        })
        self.assertGapless(suspended)
        before = self.env["channel.member.period"].search_count([])
        self.script.migrate(self.env.cr, "19.0.1.0.0")
        self.assertEqual(self.env["channel.member.period"].search_count([]), before, "safe to run again")

    def test_checks_at_invoice(self):
        """Checks that a company has edited keep their edits and judge invoices from now on."""
        order = self.env.ref("channel_base.gate_operation_order")
        check = self.env.ref("channel_member.gate_check_member_state")
        check.operation_ids = order
        self._migrate()
        self.assertEqual(check.operation_ids, order | self.env.ref("channel_base.gate_operation_invoice"))

    def test_fresh_database(self):
        """Nothing to take over where nothing was before."""
        before = self._periods(self.dealer).ids
        self.script.migrate(self.env.cr, None)
        self.assertEqual(self._periods(self.dealer).ids, before)
