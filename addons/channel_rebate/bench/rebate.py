"""Accrual of posted invoice lines, against the floor: one plain INSERT ... SELECT of as many entry rows.

Four programmes look at every line (two retroactive, two marginal), so that n lines make 4 n entries. Invoices are
copied in SQL from one that Odoo posted: 10 lines each, over the members and the days of one year.
"""

import time

from odoo.fields import Command
from odoo.tools import SQL

YEAR = "2025"
MEMBERS = 200
LINES_PER_INVOICE = 10


def cases(env):
    programs, template = _setup(env)
    lines = 0
    for size in (10_000, 100_000):
        _multiply(env, template, (size - lines) // LINES_PER_INVOICE, lines // LINES_PER_INVOICE)
        lines = size
        full = _timed(env, lambda: programs.accrue(f"{YEAR}-12-31"))
        floor = _timed(env, lambda size=size: _floor(env, programs))
        yield _row("full run with bookings", size, full, "INSERT … SELECT of the entries", floor)
        again = _timed(env, lambda: programs.accrue(f"{YEAR}-12-31"))
        yield _row("second run, nothing changed", size, again, "full run", full)
        member = env["channel.rebate.balance"].search([("program_id", "in", programs.ids)], limit=1).member_id
        statement = _timed(env, lambda member=member: env["channel.rebate.program"].statement(member.id, YEAR))
        yield _row("statement of one member", size, statement, "full run", full)


def _row(case, size, ours, yardstick, seconds):
    return {"case": case, "size": size, "ours_s": ours, "yardstick": yardstick, "yardstick_s": seconds}


def _timed(env, function):
    env.flush_all()
    env.invalidate_all()
    start = time.perf_counter()
    function()
    env.flush_all()
    return round(time.perf_counter() - start, 3)


def _setup(env):
    company = env.company
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company=company, install_demo=False)
    env["channel.gate.check"].search([]).severity = "off"
    accounts = env["account.account"].create(
        [
            {"name": "Bench rebates", "code": "499988", "account_type": "income"},
            {"name": "Bench accrued rebates", "code": "299988", "account_type": "liability_current"},
        ]
    )
    rebate, product = env["product.product"].create(
        [
            {"name": "Bench rebate", "type": "service"},
            {"name": "Bench device", "type": "consu", "taxes_id": [Command.clear()]},
        ]
    )
    env["res.partner"].create(
        [
            {"name": f"Bench member {number}", "ref": "BENCH", "is_company": True, "channel_role": "distributor"}
            for number in range(MEMBERS)
        ]
    )
    segment = env["channel.segment"].create(
        {"name": "Bench", "code": "bench-rebate", "member_domain": "[('ref', '=', 'BENCH')]"}
    )
    programs = env["channel.rebate.program"].create(
        [
            {
                "name": f"Bench {kind} {window}",
                "code": f"BENCH-{kind}-{window}",
                "expense_account_id": accounts[0].id,
                "liability_account_id": accounts[1].id,
                "product_id": rebate.id,
                "version_ids": [
                    Command.create(
                        {
                            "valid_from": f"{YEAR}-01-01",
                            "kind": kind,
                            "window_type": window,
                            "segment_ids": [Command.set(segment.ids)],
                            "tier_ids": [
                                Command.create({"lower_bound": lower, "rate": rate})
                                for lower, rate in ((0, 1), (10_000, 2), (50_000, 3), (100_000, 4))
                            ],
                        }
                    )
                ],
            }
            for kind in ("retroactive", "marginal")
            for window in ("quarter", "year")
        ]
    )
    approver = env["res.users"].create(
        {
            "name": "Bench approver",
            "login": "bench_rebate_approver",
            "group_ids": [Command.set([env.ref("channel_base.group_channel_manager").id])],
        }
    )
    programs.version_ids.with_user(approver).action_approve()
    template = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": env["res.partner"].search([("ref", "=", "BENCH")], limit=1).id,
            "invoice_date": f"{YEAR}-01-01",
            "invoice_line_ids": [
                Command.create({"product_id": product.id, "price_unit": 17.31 + number, "tax_ids": [Command.clear()]})
                for number in range(LINES_PER_INVOICE)
            ],
        }
    )
    template.action_post()
    return programs, template


def _multiply(env, template, count, offset):
    """Copy the posted invoice `count` times, over the members and the days of the year."""
    env.flush_all()
    members = env["res.partner"].search([("ref", "=", "BENCH")]).ids
    place = {
        "name": SQL("'BENCH/' || n"),
        "sequence_number": SQL("n"),
        "payment_reference": SQL("'BENCH/' || n"),
        "access_token": SQL("NULL"),
        "partner_id": SQL("(%s::int[])[1 + n %% %s]", members, len(members)),
        "commercial_partner_id": SQL("(%s::int[])[1 + n %% %s]", members, len(members)),
        "invoice_date": SQL("%s::date + n %% 365", f"{YEAR}-01-01"),
        "date": SQL("%s::date + n %% 365", f"{YEAR}-01-01"),
    }
    moves = _columns(env, "account_move")
    first = env.execute_query(
        SQL(
            """WITH copied AS (
                INSERT INTO account_move (%s)
                SELECT %s FROM account_move t CROSS JOIN generate_series(%s, %s) n WHERE t.id = %s RETURNING id)
            SELECT min(id), max(id) FROM copied""",
            SQL(", ").join(SQL.identifier(name) for name in moves),
            SQL(", ").join(place.get(name, SQL.identifier("t", name)) for name in moves),
            offset + 1,
            offset + count,
            template.id,
        )
    )[0]
    of_move = {
        name: SQL.identifier("m", source)
        for name, source in (
            ("move_id", "id"),
            ("move_name", "name"),
            ("partner_id", "partner_id"),
            ("date", "date"),
            ("invoice_date", "invoice_date"),
        )
    }
    lines = _columns(env, "account_move_line")
    env.execute_query(
        SQL(
            """INSERT INTO account_move_line (%s)
            SELECT %s FROM account_move_line t JOIN account_move m ON m.id BETWEEN %s AND %s
             WHERE t.move_id = %s RETURNING 1""",
            SQL(", ").join(SQL.identifier(name) for name in lines),
            SQL(", ").join(of_move.get(name, SQL.identifier("t", name)) for name in lines),
            *first,
            template.id,
        )
    )
    env.cr.execute("ANALYZE account_move, account_move_line")
    env.invalidate_all()


def _columns(env, table):
    return [
        name
        for (name,) in env.execute_query(
            SQL(
                """SELECT column_name FROM information_schema.columns
                    WHERE table_name = %s AND column_name <> 'id' AND is_generated = 'NEVER'""",
                table,
            )
        )
    ]


def _floor(env, programs):
    """As many rows with the same keys, and nothing calculated."""
    env.cr.execute("DROP TABLE IF EXISTS bench_floor")
    env.cr.execute("CREATE TEMP TABLE bench_floor (LIKE channel_rebate_entry INCLUDING INDEXES)")
    env.execute_query(
        SQL(
            """INSERT INTO bench_floor (id, program_id, version_id, company_id, currency_id, member_id, basis,
                                        source_id, move_line_id, product_id, date, window_start, window_end,
                                        qualifying_amount, earning_amount, tier_id, rate, rebate_amount)
               SELECT row_number() OVER (), p.id, v.id, l.company_id, p.currency_id, m.commercial_partner_id, v.basis,
                      l.id, l.id, l.product_id, m.invoice_date, v.valid_from, v.valid_from, -l.amount_currency,
                      -l.amount_currency, NULL, 0, 0
                 FROM account_move_line l
                 JOIN account_move m ON m.id = l.move_id AND m.state = 'posted' AND m.move_type = 'out_invoice'
                 JOIN channel_rebate_program p ON p.company_id = l.company_id AND p.id = ANY(%s)
                 JOIN channel_rebate_program_version v ON v.program_id = p.id AND v.valid_from <= m.invoice_date
                WHERE l.display_type = 'product' RETURNING 1""",
            list(programs.ids),
        )
    )
