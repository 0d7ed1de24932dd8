import random

from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelRebateCommon

TIERS = [(0, 2), (1000, 3.5), (5000, 5)]
#: One programme for each family of methods whose windows, lines or neighbours depend on each other.
PROGRAMS = {
    "RETRO": {},
    "MARGINAL": {"kind": "marginal", "window_type": "year"},
    "CAPPED": {"payout_cap": 60, "measure_cap": 4000},
    "FIXED": {"kind": "fixed", "window_type": "month"},
    "GROWTH": {"tier_measure": "growth_index", "baseline_source": "previous", "window_type": "month"},
    "TODATE": {"accumulation": "year", "window_type": "month"},
    "ROLLING": {"window_type": "rolling", "rolling_months": 2},
    "DOCUMENT": {"kind": "marginal", "accumulation": "document"},
    "LINE": {"kind": "marginal", "accumulation": "line"},
    "PAID": {"basis": "paid"},
    "COLLECT": {"collection_ids": [Command.create({"days": 20, "factor": 50})]},
    "SALE": {"returns_policy": "sale", "window_type": "month"},
    "GUARANTEE": {"guarantee": 100, "guarantee_carry": True, "window_type": "month"},
}


@tagged("post_install", "-at_install")
class TestIncremental(ChannelRebateCommon):
    """A run that looks at what changed ends where one that looks at everything ends, after every step."""

    def _figures(self, programs):
        entries = self.env["channel.rebate.entry"].search([("program_id", "in", programs.ids)])
        balances = self.env["channel.rebate.balance"].search([("program_id", "in", programs.ids)])
        return (
            {
                (e.program_id.code, e.source_id, e.member_id.id): (
                    str(e.date),
                    str(e.window_start),
                    e.earning_amount,
                    e.exclusion,
                    e.tier_id.id,
                    e.rate,
                    e.total_after,
                    e.rebate_amount,
                    e.forgone_amount,
                )
                for e in entries
            },
            {
                (b.program_id.code, b.member_id.id, str(b.window_start)): (
                    b.line_count,
                    b.base_amount,
                    b.qualifying_amount,
                    b.tier_value,
                    b.tier_id.id,
                    b.unallocated_amount,
                    b.entitlement,
                )
                for b in balances
                if b.line_count or b.entitlement
            },
        )

    def assertSame(self, stepwise, programs):
        """The figures now are those of `stepwise`; shows only what differs."""
        whole = self._figures(programs)
        for before, after in zip(stepwise, whole, strict=True):
            keys = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
            self.assertEqual({k: before.get(k) for k in keys}, {k: after.get(k) for k in keys})

    def _step(self, rng, moves):
        """Post, return, take back to draft, delete, or pay an invoice."""
        choice = rng.choice(["post", "post", "post", "refund", "draft", "pay", "pay"])
        posted = [
            m for m in moves if m.state == "posted" and m.move_type == "out_invoice" and m.payment_state == "not_paid"
        ]
        if choice in ("post", "refund") or not posted:
            moves.append(
                self._invoice(
                    [rng.randrange(1, 200000) / 100 for _line in range(rng.randrange(1, 4))],
                    f"2026-0{rng.randrange(1, 5)}-{rng.randrange(1, 29):02}",
                    member=rng.choice(self.dealer + self.other_dealer),
                )
            )
        if choice == "refund" and posted:
            moves.append(rng.choice(posted)._reverse_moves([{"invoice_date": "2026-04-20", "date": "2026-04-20"}]))
            moves[-1].action_post()
        elif choice == "draft" and posted:
            move = rng.choice(posted)
            move.button_draft()
            if rng.random() < 0.5:
                moves.remove(move)
                move.unlink()
            else:
                move.invoice_line_ids[0].price_unit += 100
                move.action_post()
        elif choice == "pay" and posted:
            move = rng.choice(posted)
            wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids)
            wizard.create({"payment_date": move.invoice_date.replace(day=28)})._create_payments()

    def test_any_sequence(self):
        programs = self.env["channel.rebate.program"].concat(
            *(self._program(code, TIERS, **{"valid_from": "2026-02-01", **terms}) for code, terms in PROGRAMS.items())
        )
        programs |= self._program(
            "SHARED",
            TIERS,
            valid_from="2026-02-01",
            distribution="share",
            share_ids=[
                Command.create({"partner_id": member.id, "share": share})
                for member, share in ((self.dealer, 60), (self.other_dealer, 40))
            ],
        )
        rng = random.Random(20260101)
        moves = []
        for step in range(15):
            self._step(rng, moves)
            if step % 2:
                continue
            programs.calculate("2026-02-28" if step < 6 else "2026-06-30")
            stepwise = self._figures(programs)
            programs.calculate("2026-02-28" if step < 6 else "2026-06-30", whole=True)
            with self.subTest(step=step):
                self.assertSame(stepwise, programs)
        # and built at once, from nothing
        self.env.cr.execute("DELETE FROM channel_rebate_entry WHERE program_id = ANY(%s)", [programs.ids])
        self.env.cr.execute("UPDATE channel_rebate_balance SET shape = NULL WHERE program_id = ANY(%s)", [programs.ids])
        self.env.invalidate_all()
        programs.calculate("2026-06-30", whole=True)
        self.assertSame(stepwise, programs)

    def test_combined_programmes(self):
        """Compound, exclusive and best programmes follow each other's changes."""
        programs = self.env["channel.rebate.program"]
        for method in ("compound", "exclusive", "best"):
            combination = self.env["channel.rebate.combination"].create({"name": method, "method": method})
            for place, tiers in enumerate(([(0, 2), (3000, 6)], [(0, 3), (4000, 4)])):
                programs |= self._program(
                    f"{method}-{place}",
                    tiers,
                    combination_id=combination.id,
                    combination_order=place,
                    product_domain=f"[('id', '=', {self.device.id})]" if (method, place) == ("exclusive", 0) else False,
                )
        rng = random.Random(5)
        for step in range(6):
            self._invoice(
                rng.randrange(50000, 200000) / 100,
                f"2026-0{rng.randrange(1, 4)}-10",
                product=rng.choice(self.device + self.consumable),
            )
            programs.calculate("2026-03-31")
            stepwise = self._figures(programs)
            programs.calculate("2026-03-31", whole=True)
            with self.subTest(step=step):
                self.assertSame(stepwise, programs)
        # no line is paid twice by a best or an exclusive combination
        for method in ("exclusive", "best"):
            paid = self.env["channel.rebate.entry"].search(
                [("program_id.code", "like", f"{method}-"), ("rebate_amount", "!=", 0)]
            )
            self.assertEqual(len(paid), len(set(paid.mapped("source_id"))))

    def test_blocks_of_members(self):
        """Calculated in three blocks of members, from nothing and after changes, and then as a whole: the same."""
        programs = self.env["channel.rebate.program"].concat(
            *(self._program(code, TIERS, **{"valid_from": "2026-02-01", **terms}) for code, terms in PROGRAMS.items())
        )
        members = self.dealer + self.other_dealer
        members += self.env["res.partner"].create(
            [{"name": f"Member {n}", "is_company": True, "channel_role": "distributor"} for n in range(3)]
        )
        rng = random.Random(7)
        for step in range(4):
            for member in members:
                for _invoice in range(2):
                    self._invoice(
                        [rng.randrange(1, 200000) / 100 for _line in range(2)],
                        f"2026-0{rng.randrange(1, 5)}-{rng.randrange(1, 29):02}",
                        member=member,
                    )
            self.env.flush_all()
            for number in rng.sample(range(3), 3):
                programs._job_calculate("2026-06-30", number, 3)
            blocks = self._figures(programs)
            self.assertEqual(
                self.env["channel.rebate.block"].search_count([("program_id", "in", programs.ids)]), 3 * len(programs)
            )
            with self.subTest(step=step):
                # the programme takes over what its blocks have seen: it writes nothing
                self.env.cr.execute("SELECT md5(string_agg(ctid::text, ',' ORDER BY id)) FROM channel_rebate_entry")
                before = self.env.cr.fetchall()
                programs.calculate("2026-06-30")
                self.assertSame(blocks, programs)
                self.assertFalse(self.env["channel.rebate.block"].search([("program_id", "in", programs.ids)]))
                self.env.cr.execute("SELECT md5(string_agg(ctid::text, ',' ORDER BY id)) FROM channel_rebate_entry")
                self.assertEqual(self.env.cr.fetchall(), before)
                programs.calculate("2026-06-30", whole=True)
                self.assertSame(blocks, programs)
        # a block alone does not speak for the programme
        self._invoice(1234.5, "2026-03-03", member=members[0])
        programs._job_calculate("2026-06-30", members[1].id % 3, 3)
        programs.calculate("2026-06-30")
        stepwise = self._figures(programs)
        programs.calculate("2026-06-30", whole=True)
        self.assertSame(stepwise, programs)

    def test_nothing_changed_writes_nothing(self):
        program = self._program("IDLE", TIERS, window_type="year")
        self._invoice([100, 2000], "2026-01-10")
        program.calculate("2026-03-31")
        places = "SELECT ctid::text FROM channel_rebate_entry WHERE program_id = %s ORDER BY id"
        self.env.cr.execute(places, [program.id])
        before = self.env.cr.fetchall()
        program.calculate("2026-03-31")
        self.env.cr.execute(places, [program.id])
        self.assertEqual(self.env.cr.fetchall(), before)
        # a line that comes last, in the same tier, moves no other
        self._invoice(50, "2026-03-20")
        program.calculate("2026-03-31")
        self.env.cr.execute(places, [program.id])
        self.assertEqual(self.env.cr.fetchall()[:2], before)
