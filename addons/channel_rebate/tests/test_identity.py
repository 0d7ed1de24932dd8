import random
from decimal import Decimal

from psycopg2.errors import CheckViolation

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ChannelRebateCommon

TIERS = [(0, 2), (1000, 3.5), (5000, 5)]


def retroactive(total):
    """Independent of the engine: exact decimals, straight from REBATES.md A.1. Returns at the first tier's rate."""
    rate = next((rate for lower, rate in reversed(TIERS) if total >= lower), TIERS[0][1])
    return total * Decimal(str(rate)) / 100


def marginal(total):
    if total < 0:
        return total * Decimal(str(TIERS[0][1])) / 100
    uppers = [lower for lower, _rate in TIERS[1:]] + [Decimal("Infinity")]
    return sum(
        Decimal(str(rate)) / 100 * max(Decimal(0), min(total, upper) - lower)
        for (lower, rate), upper in zip(TIERS, uppers, strict=True)
    )


@tagged("post_install", "-at_install")
class TestRebateIdentity(ChannelRebateCommon):
    """Settled + open = entitled, after every step of any sequence of postings, returns, runs and settlements."""

    def _check(self, program, formula, posted):
        for member in self.dealer + self.other_dealer:
            for month in (1, 2):
                amounts = [a for m, start, a in posted if (m, start) == (member, month)]
                balance = self.env["channel.rebate.balance"].search(
                    [
                        ("program_id", "=", program.id),
                        ("member_id", "=", member.id),
                        ("window_start", "=", f"2026-0{month}-01"),
                    ]
                )
                if not amounts:
                    self.assertFalse(balance)
                    continue
                total = sum(amounts, Decimal(0))
                expected = formula(total).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
                self.assertEqual(Decimal(f"{balance.base_amount:.2f}"), total)
                self.assertEqual(Decimal(f"{balance.entitlement:.2f}"), expected, f"{formula.__name__}({total})")
                shares = sum(Decimal(f"{e.rebate_amount:.2f}") for e in balance._entries())
                self.assertEqual(shares, expected)
                # what the member was really credited, from its documents
                lines = self.env["account.move.line"].search(
                    [
                        ("channel_rebate_balance_id", "=", balance.id),
                        ("move_type", "in", ("out_invoice", "out_refund")),
                        ("parent_state", "=", "posted"),
                    ]
                )
                paid = sum((Decimal(f"{line.amount_currency:.2f}") for line in lines), Decimal(0))
                self.assertEqual(Decimal(f"{balance.settled_amount:.2f}"), paid)
                self.assertEqual(Decimal(f"{balance.open_amount:.2f}"), expected - paid)
                self.assertEqual(Decimal(f"{balance.accrued_amount:.2f}"), expected)

    def test_random_sequences(self):
        # what is posted for the first programme counts for the second too
        posted = []
        for seed, (kind, formula) in enumerate((("retroactive", retroactive), ("marginal", marginal)), 20260101):
            rng = random.Random(seed)
            program = self._program(f"RND-{kind}", TIERS, kind=kind, window_type="month")
            for step in range(14):
                member = rng.choice(self.dealer + self.other_dealer)
                month = rng.choice((1, 2))
                amounts = [rng.randrange(1, 300000) / 100 for _line in range(rng.randrange(1, 4))]
                refund = rng.random() < 0.4
                self._invoice(amounts, f"2026-0{month}-{rng.randrange(1, 29):02}", member=member, refund=refund)
                sign = -1 if refund else 1
                posted += [(member, month, sign * Decimal(f"{amount:.2f}")) for amount in amounts]
                if step % 4 == 3:
                    self._settle(program, "2026-02-28")
                else:
                    program.accrue("2026-02-28")
                with self.subTest(kind=kind, seed=seed, step=step):
                    self._check(program, formula, posted)

    def test_database_refuses_a_broken_identity(self):
        program = self._program("BROKEN", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        program.accrue("2026-03-31")
        with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"), self.cr.savepoint():
            self.env.cr.execute(
                "UPDATE channel_rebate_balance SET open_amount = 1 WHERE id = %s", [self._balance(program).id]
            )

    def test_full_recomputation_is_the_same(self):
        """Entries and balances built step by step equal those built at once."""
        stepwise = self._program("STEP", TIERS, kind="marginal")
        at_once = self._program("ONCE", TIERS, kind="marginal")
        rng = random.Random(7)
        for _step in range(8):
            self._invoice(
                [rng.randrange(1, 200000) / 100 for _line in range(3)],
                f"2026-0{rng.randrange(1, 4)}-{rng.randrange(1, 29):02}",
                refund=rng.random() < 0.3,
            )
            stepwise.accrue("2026-03-31")
        at_once.accrue("2026-03-31")

        def figures(program):
            entries = self.env["channel.rebate.entry"].search([("program_id", "=", program.id)], order="source_id")
            balance = self._balance(program)
            return (
                [(e.source_id, e.earning_amount, e.rate, e.rebate_amount) for e in entries],
                (balance.base_amount, balance.entitlement, balance.accrued_amount, balance.line_count),
            )

        self.assertEqual(figures(stepwise), figures(at_once))
