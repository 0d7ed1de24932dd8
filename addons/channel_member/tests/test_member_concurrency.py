import threading
from datetime import date

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

LATE = date(2026, 1, 1)


@tagged("post_install", "-at_install")
class TestMemberConcurrency(BaseCase):
    """Two people decide about one member at the same moment: real transactions, committed, removed at the end.

    Each decision runs as a request of Odoo does, repeated when PostgreSQL lets only one of two go on.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())

    def setUp(self):
        super().setUp()
        with self.registry.cursor() as cr:
            env = self._env(cr)
            member = env["res.partner"].create({
                "name": "Concurrent Dealer", "is_company": True, "channel_role": "distributor",
            })
            grades = env["res.partner.grade"].create([{"name": "Concurrent A"}, {"name": "Concurrent B"}])
            self.member_id, self.grade_ids = member.id, grades.ids
            cr.execute("SELECT COALESCE(max(id), 0) FROM channel_audit_entry")
            self.first_entry = cr.fetchone()[0]
        self.addCleanup(self._remove)

    def _env(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {})

    def _remove(self):
        """Take out what was committed, the entries of the journal too: they are about a member that never was."""
        with self.registry.cursor() as cr:
            env = self._env(cr)
            cr.execute("ALTER TABLE channel_audit_entry DISABLE TRIGGER USER")
            cr.execute(
                "DELETE FROM channel_audit_entry WHERE id > %s AND seq IS NULL AND model = 'res.partner' "
                "AND res_id = %s", [self.first_entry, self.member_id],
            )
            cr.execute("ALTER TABLE channel_audit_entry ENABLE TRIGGER USER")
            member = env["res.partner"].browse(self.member_id)
            env.cr.execute("UPDATE res_partner SET channel_state = 'applicant' WHERE id = %s", [member.id])
            member.invalidate_recordset()
            member.unlink()
            env["res.partner.grade"].browse(self.grade_ids).unlink()

    @mute_logger("odoo.sql_db", "odoo.service.model")  # that one of the two is repeated is what is tested
    def _at_once(self, *decisions):
        """Run decisions in threads that have all read before the first one writes.

        :return: one of ``"decided"``, ``"nothing"`` (no change), or the message of the refusal, for each
        """
        start = threading.Barrier(len(decisions), timeout=30)
        results = [None] * len(decisions)

        def run(number, decide):
            tries = []

            def attempt():
                member = self._env(cr)["res.partner"].browse(self.member_id)
                member.read(["channel_state", "grade_id"])
                if not tries:
                    start.wait()
                tries.append(True)
                return "decided" if decide(member) else "nothing"

            try:
                with self.registry.cursor() as cr:
                    try:
                        results[number] = retrying(attempt, self._env(cr))
                    except UserError as error:
                        results[number] = str(error)
            except Exception as error:
                results[number] = repr(error)

        threads = [
            threading.Thread(target=run, args=(number, decide), daemon=True) for number, decide in enumerate(decisions)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results

    def _entries(self, cr, action):
        return self._env(cr)["channel.audit.entry"].search([
            ("id", ">", self.first_entry), ("model", "=", "res.partner"), ("res_id", "=", self.member_id),
            ("action", "=", action),
        ])

    def _periods(self, cr):
        return self._env(cr)["channel.member.period"].search(
            [("partner_id", "=", self.member_id)], order="valid_from"
        )

    def test_two_activate(self):
        """One admits, the other reads that it has been done; one entry in the journal."""
        results = self._at_once(*[lambda member: member.action_channel_activate(reason="seen")] * 2)
        self.assertEqual(results.count("decided"), 1, results)
        self.assertEqual(sum("cannot become" in result for result in results), 1, results)
        with self.registry.cursor() as cr:
            self.assertEqual(len(self._entries(cr, "member.active")), 1)
            self.assertEqual(self._periods(cr).mapped("state"), ["active"])

    def test_one_activates_one_terminates(self):
        """Opposite decisions follow each other: the second one sees the first."""
        results = self._at_once(
            lambda member: member.action_channel_activate(reason="seen"),
            lambda member: member.action_channel_terminate(reason="forged"),
        )
        with self.registry.cursor() as cr:
            periods = self._periods(cr)
            self.assertEqual(len(periods), 1)
            self.assertFalse(periods.valid_to)
            # terminated before: it cannot be activated; activated before: it is terminated after all
            self.assertEqual(periods.state, "terminated")
            self.assertEqual(len(self._entries(cr, "member.terminated")), 1, results)
            self.assertEqual(
                len(self._entries(cr, "member.active")) + sum("cannot become" in result for result in results), 1
            )

    def test_two_change_the_past(self):
        """The same correction of the past, twice at once: one decision, one entry, no overlap."""
        def decide(member):
            return member._channel_change({"grade_id": self.grade_ids[0]}, date=LATE, reason="agreed")

        results = self._at_once(decide, decide)
        self.assertEqual(sorted(results), ["decided", "nothing"])
        with self.registry.cursor() as cr:
            self.assertEqual(len(self._entries(cr, "member.changed")), 1)
            self.assertOneRowForEachDay(self._periods(cr))

    def test_two_change_the_past_differently(self):
        """Two corrections of one day: both are decisions, the later one sees the earlier one, nothing overlaps."""
        results = self._at_once(*[
            lambda member, grade_id=grade_id: member._channel_change({"grade_id": grade_id}, date=LATE, reason="agreed")
            for grade_id in self.grade_ids
        ])
        self.assertEqual(results, ["decided", "decided"])
        with self.registry.cursor() as cr:
            periods = self._periods(cr)
            self.assertOneRowForEachDay(periods)
            last = self._entries(cr, "member.changed")[0]
            self.assertIn(f'"grade_id":{periods[0].grade_id.id}', last.after)
            self.assertNotIn('"grade_id":null', last.before)

    def assertOneRowForEachDay(self, periods):
        for earlier, later in zip(periods, periods[1:], strict=False):
            self.assertEqual((later.valid_from - earlier.valid_to).days, 1)
        self.assertFalse(periods[-1].valid_to)
