from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestRebateAccrual(ChannelRebateCommon):
    def test_entry(self):
        """500 earned: rebate account debited, accrued rebate account credited, the member on both, in the journal."""
        program = self._program("ENTRY", [(0, 25)])
        self._invoice(2000, "2026-01-10")
        program.accrue("2026-02-28")
        move = self._balance(program).booking_ids.move_id
        self.assertRecordValues(
            move, [{"state": "posted", "journal_id": program.journal_id.id, "date": move.date.replace(month=2, day=28)}]
        )
        self.assertRecordValues(
            move.line_ids.sorted("balance"),
            [
                {"account_id": self.accrued_account.id, "balance": -500, "partner_id": self.dealer.id},
                {"account_id": self.rebate_account.id, "balance": 500, "partner_id": self.dealer.id},
            ],
        )

    def test_twice_books_once(self):
        """A second run books nothing and writes no row."""
        program = self._program("TWICE", [(0, 10)])
        self._invoice([100, 200, 300], "2026-01-10")
        first = program.accrue("2026-03-31")
        self.assertEqual([row["booked"] for row in first], [60])
        entries = self._xmins("channel_rebate_entry", program)
        moves = self.env["account.move"].search_count([])
        second = program.accrue("2026-03-31")
        self.assertEqual([row["booked"] for row in second], [0])
        self.assertEqual(self._xmins("channel_rebate_entry", program), entries)
        self.assertEqual(self.env["account.move"].search_count([]), moves)
        self.assertBooked(program, 60)

    def _xmins(self, table, program):
        """The physical places of the rows: an update, even to the same values, would move them."""
        self.env.flush_all()
        self.env.cr.execute(f"SELECT ctid::text, id FROM {table} WHERE program_id = %s ORDER BY id", [program.id])
        return self.env.cr.fetchall()

    def test_difference(self):
        """1,000 at 10 %: 100. Then 500 more reach 20 %: 300, so 200 are booked. A credit note of 700: 80, so -220."""
        program = self._program("DIFF", [(0, 10), (1500, 20)])
        self._invoice(1000, "2026-01-10")
        self.assertEqual(program.accrue("2026-01-31")[0]["booked"], 100)
        self._invoice(500, "2026-02-10")
        self.assertEqual(program.accrue("2026-02-28")[0]["booked"], 200)
        self._invoice(700, "2026-03-10", refund=True)
        self.assertEqual(program.accrue("2026-03-31")[0]["booked"], -220)
        self.assertBooked(program, 80)

    def test_invoice_reset_to_draft(self):
        """An invoice that is not posted any more takes its rebate with it."""
        program = self._program("DRAFT", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        late = self._invoice(500, "2026-01-20")
        program.accrue("2026-03-31")
        late.button_draft()
        (row,) = program.accrue("2026-03-31")
        self.assertEqual((row["base"], row["booked"]), (1000, -50))
        self.env["account.move"].search(
            [("partner_id", "=", self.dealer.id), ("move_type", "=", "out_invoice")]
        ).filtered(lambda move: move.state == "posted").button_draft()
        (row,) = program.accrue("2026-03-31")
        self.assertEqual((row["base"], row["entitlement"], row["accrued"], row["booked"]), (0, 0, 0, -100))

    def test_accrual_entry_reversed_by_hand(self):
        """What is booked is read from the books: a reversed accrual entry is booked again."""
        program = self._program("REV", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        program.accrue("2026-01-31")
        move = self._balance(program).booking_ids.move_id
        move._reverse_moves([{"date": move.date}], cancel=True)
        self.assertEqual(self._balance(program).accrued_amount, 0)
        self.assertEqual(program.accrue("2026-01-31")[0]["booked"], 100)
        self.assertBooked(program, 100)

    def test_earlier_day_takes_nothing_back(self):
        program = self._program("EARLY", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        self._invoice(1000, "2026-02-10")
        program.accrue("2026-02-28")
        (row,) = program.accrue("2026-01-31")
        self.assertEqual((row["entitlement"], row["booked"]), (200, 0))

    def test_lines_after_the_day_wait(self):
        program = self._program("LATER", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        self._invoice(1000, "2026-02-10")
        self.assertEqual(program.accrue("2026-01-31")[0]["entitlement"], 100)

    def test_dates_of_windows(self):
        """Each month's accrual is dated on its last day, the running month's on the day of the run."""
        program = self._program("DAYS", [(0, 10)], window_type="month")
        for day in ("2026-01-10", "2026-02-10", "2026-03-10"):
            self._invoice(1000, day)
        program.accrue("2026-03-15")
        moves = self.env["channel.rebate.balance"].search([("program_id", "=", program.id)]).booking_ids.move_id
        self.assertEqual(sorted(move.date.isoformat() for move in moves), ["2026-01-31", "2026-02-28", "2026-03-15"])

    def test_lock_date(self):
        """A late difference of a locked month goes to the first open day, and its entry says so."""
        program = self._program("LOCK", [(0, 10)], window_type="month")
        self._invoice(1000, "2026-01-10")
        program.accrue("2026-01-31")
        self._invoice(500, "2026-01-20")
        self.company.fiscalyear_lock_date = "2026-02-28"
        (row,) = program.accrue("2026-03-10")
        self.assertEqual(row["booked"], 50)
        late = self._balance(program).booking_ids.move_id.sorted("date")[-1]
        self.assertEqual(late.date.isoformat(), "2026-03-01")
        self.assertIn("locked", late.ref)

    def test_query_shape(self):
        """100 invoice lines cost as many queries as 10."""

        def count(code, lines, member):
            program = self._program(code, [(0, 5), (1000, 10)])
            self._invoice([10.0] * lines, "2026-01-10", member=member)
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            program.accrue("2026-01-31")
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        count("SHAPE-0", 1, self.sub_dealer)  # warms caches
        few = count("SHAPE-1", 10, self.dealer)
        many = count("SHAPE-2", 100, self.other_dealer)
        # every programme sees the lines of the earlier ones' members too: more members, as many queries
        self.assertLessEqual(many, few + 15)

    def test_lines_per_query_same_members(self):
        """With members and windows fixed, ten times the lines cost not one query more."""
        program = self._program("SHAPE", [(0, 5)])
        counts = []
        for lines in (10, 10, 100):
            self._invoice([10.0] * lines, "2026-01-10")
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            program.accrue("2026-01-31")
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - start)
        self.assertEqual(counts[2], counts[1])

    @freeze_time("2026-02-01 02:00:00")
    def test_cron(self):
        """The nightly job accrues up to yesterday; a programme that fails raises an alert and stops nobody."""
        broken = self._program("A-BROKEN", [(0, 10)])
        program = self._program("CRON", [(0, 10)])
        self._invoice(1000, "2026-01-31")
        self._invoice(1000, "2026-02-01")
        self.rebate_account_2 = self.rebate_account.copy({"code": "409977"})
        broken.expense_account_id = self.rebate_account_2
        self.rebate_account_2.active = False
        self.env.flush_all()
        with self.enter_registry_test_mode(), mute_logger("odoo.sql_db"):
            self.env.ref("channel_rebate.ir_cron_rebate_accrual").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(self._balance(program).entitlement, 100)
        self.assertBooked(program, 100)
        alert = self.env["channel.alert"].search([("key", "=", f"accrue-{broken.id}")])
        self.assertEqual(alert.severity, "critical")
        self.assertBooked(broken, 0)

    def test_jobs(self):
        """A job for each programme, combined ones together; done, they have booked; asked twice, they are one."""
        combination = self.env["channel.rebate.combination"].create({"name": "Both", "method": "best"})
        alone = self._program("ALONE", [(0, 10)])
        both = self._program("BOTH1", [(0, 10)], combination_id=combination.id)
        both += self._program("BOTH2", [(0, 20)], combination_id=combination.id)
        self._invoice(1000, "2026-01-10")
        with trap_jobs() as trap:
            (alone + both).accrue_in_jobs("2026-03-31")
            (alone + both).accrue_in_jobs("2026-03-31")
            trap.assert_jobs_count(2)
            trap.perform_enqueued_jobs()
        self.assertBooked(alone, 100)
        self.assertBooked(both[1], 200)
        self.assertBooked(both[0], 0)

    def test_jobs_of_blocks(self):
        """Two blocks of members calculate, then one job books; what cannot be split is one job."""
        program = self._program("SPLIT", [(0, 10)])
        shared = self._program(
            "SHARED", [(0, 10)], distribution="share",
            share_ids=[Command.create({"partner_id": self.dealer.id, "share": 100})],
        )
        self._invoice(1000, "2026-01-10")
        self._invoice(500, "2026-01-10", member=self.other_dealer)
        with trap_jobs() as trap:
            self.assertEqual(len((program + shared).accrue_in_jobs("2026-03-31", blocks=2)), 4)
            trap.assert_jobs_count(2, only=program._job_calculate)
            trap.assert_jobs_count(4)  # and one for each programme that books
            trap.perform_enqueued_jobs()
        self.assertBooked(program, 150)
        self.assertBooked(shared, 150)
        with self.assertRaisesRegex(ValidationError, "between 1 and 1,000"):
            program.accrue_in_jobs("2026-03-31", blocks=0)

    def test_refusals(self):
        program = self._program("FIXED", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        program.accrue("2026-01-31")
        with self.assertRaisesRegex(UserError, "fixed"):
            program.currency_id = self.setup_other_currency("EUR")
        with self.assertRaisesRegex(ValidationError, "current liability"):
            program.liability_account_id = self.rebate_account
        with self.assertRaisesRegex(UserError, "no tier"):
            self._version(program, [], valid_from="2027-01-01").with_user(self.user_manager).action_approve()
        with self.assertRaises(UserError):
            program.version_ids.tier_ids.rate = 50
        with self.assertRaises(ValidationError):
            program.simulate("2026-02-01", "2026-01-01")
