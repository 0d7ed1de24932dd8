"""The engine on generated invoice lines: full run, incremental run, statement; against a floor.

200 programmes of mixed kinds for 500 members, four of them for each member; invoices are copied in SQL from one that
Odoo posted, 10 lines each, over the members and the days of one year. The floor is one plain `INSERT … SELECT` of as
many entry rows, joined by the same keys, into a table with the same indexes. `LINES` in the environment
bounds the number of lines (1,000,000).
"""

import os
import resource
import time

from odoo.fields import Command
from odoo.tools import SQL

YEAR = "2025"
LINES = int(os.environ.get("LINES", 1_000_000))
LINES_PER_INVOICE = 10
PROGRAMS = 200
#: What the programmes are, in turn.
KINDS = (
    {},
    {"window_type": "month"},
    {"kind": "marginal"},
    {"kind": "marginal", "window_type": "year"},
    {"window_type": "year"},
    {"payout_cap": 5000},
    {"qualifying_measure": "quantity", "rate_type": "unit"},
    {"boundary": "upper", "rounding_point": "line"},
    {"tier_measure": "growth_index", "baseline_source": "previous", "window_type": "month"},
    {"kind": "fixed"},
)


def cases(env):
    template = _setup(env)
    lines = made = 0
    for members, size in ((500, LINES // 10), (500, LINES)):
        _members(env, members)
        programs = _programs(env)
        _multiply(env, template, (size - lines) // LINES_PER_INVOICE, made)
        made += (size - lines) // LINES_PER_INVOICE
        lines = size
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        full = _timed(env, lambda programs=programs: programs.calculate(f"{YEAR}-12-31"))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        floor = _timed(env, lambda: _floor(env))
        yield _row("full run", size, full, "INSERT … SELECT of as many entries", floor)
        yield {
            "case": "memory of the process grew, MB",
            "size": size,
            "ours_s": grown,
            "yardstick": "",
            "yardstick_s": None,
        }
        _multiply(env, template, 1000 // LINES_PER_INVOICE, made, f"{YEAR}-12-31")
        made += 1000 // LINES_PER_INVOICE
        lines += 1000
        again = _timed(env, lambda programs=programs: programs.calculate(f"{YEAR}-12-31"))
        yield _row("incremental run, 1,000 new lines", size, again, "full run", full)
        idle = _timed(env, lambda programs=programs: programs.calculate(f"{YEAR}-12-31"))
        yield _row("nothing changed", size, idle, "full run", full)
        member = env["res.partner"].search([("ref", "=", "BENCH-0")], limit=1)
        statement = _timed(env, lambda member=member: env["channel.rebate.program"].statement(member.id, YEAR))
        yield _row("statement of one member", size, statement, "full run", full)
        env.cr.execute("TRUNCATE channel_rebate_entry")
        env.cr.execute("DELETE FROM channel_rebate_balance")
        env.cr.execute("UPDATE channel_rebate_program SET calculation = NULL, accrued_to = NULL")
        env.invalidate_all()


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
    _members(env, 500)
    product = env["product.product"].create({"name": "Bench device", "type": "consu", "taxes_id": [Command.clear()]})
    template = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": env["res.partner"].search([("ref", "=", "BENCH-0")], limit=1).id,
            "invoice_date": f"{YEAR}-01-01",
            "invoice_line_ids": [
                Command.create({"product_id": product.id, "price_unit": 17.31 + number, "tax_ids": [Command.clear()]})
                for number in range(LINES_PER_INVOICE)
            ],
        }
    )
    template.action_post()
    return template


def _members(env, count):
    known = env["res.partner"].search_count([("ref", "=like", "BENCH-%")])
    env["res.partner"].create(
        [
            {"name": f"Bench member {n}", "ref": f"BENCH-{n % 50}", "is_company": True, "channel_role": "distributor"}
            for n in range(known, count)
        ]
    )


def _programs(env):
    """200 programmes, four for each of 50 groups of members."""
    programs = env["channel.rebate.program"].search([("code", "=like", "BENCH-%")])
    if programs:
        return programs
    accounts = env["account.account"].create(
        [
            {"name": "Bench rebates", "code": "499988", "account_type": "income"},
            {"name": "Bench accrued rebates", "code": "299988", "account_type": "liability_current"},
        ]
    )
    rebate = env["product.product"].create({"name": "Bench rebate", "type": "service"})
    segments = env["channel.segment"].create(
        [
            {"name": f"Bench {n}", "code": f"bench-{n}", "member_domain": f"[('ref', '=', 'BENCH-{n}')]"}
            for n in range(50)
        ]
    )
    programs = env["channel.rebate.program"].create(
        [
            {
                "name": f"Bench {n}",
                "code": f"BENCH-{n}",
                "expense_account_id": accounts[0].id,
                "liability_account_id": accounts[1].id,
                "product_id": rebate.id,
                "version_ids": [
                    Command.create(
                        {
                            "valid_from": f"{YEAR}-01-01",
                            "segment_ids": [Command.set(segments[n % 50].ids)],
                            "tier_ids": [
                                Command.create({"lower_bound": lower, "rate": rate})
                                for lower, rate in ((0, 1), (10_000, 2), (50_000, 3), (100_000, 4))
                            ],
                            **KINDS[n % len(KINDS)],
                        }
                    )
                ],
            }
            for n in range(PROGRAMS)
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
    return programs


def _multiply(env, template, count, offset, day=None):
    """Copy the posted invoice `count` times, over the members and the days of the year (or all on one day)."""
    env.flush_all()
    members = env["res.partner"].search([("ref", "=like", "BENCH-%")]).ids
    date = SQL("%s::date", day) if day else SQL("%s::date + n %% 365", f"{YEAR}-01-01")
    place = {
        "name": SQL("'BENCH/' || n"),
        "sequence_number": SQL("n"),
        "payment_reference": SQL("'BENCH/' || n"),
        "access_token": SQL("NULL"),
        "partner_id": SQL("(%s::int[])[1 + n %% %s]", members, len(members)),
        "commercial_partner_id": SQL("(%s::int[])[1 + n %% %s]", members, len(members)),
        "invoice_date": date,
        "date": date,
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


def _floor(env):
    """As many rows with the same keys and columns, and nothing calculated."""
    env.cr.execute("ANALYZE channel_segment_membership, channel_rebate_program_version_channel_segment_rel")
    env.cr.execute("DROP TABLE IF EXISTS bench_floor")
    env.cr.execute("CREATE TABLE bench_floor (LIKE channel_rebate_entry INCLUDING ALL)")
    env.cr.execute(
        """INSERT INTO bench_floor (program_id, version_id, company_id, currency_id, member_id, pool_id, buyer_id,
                                    basis, source_id, unit_id, move_line_id, product_id, date, window_start, window_end,
                                    qualifying_amount, earning_amount, tier_id, rate, total_after, rebate_amount)
           SELECT v.program_id, v.id, l.company_id, l.currency_id, m.commercial_partner_id, m.commercial_partner_id,
                  m.commercial_partner_id, v.basis, l.id, 0, l.id, l.product_id, m.invoice_date, v.valid_from,
                  m.invoice_date, -l.amount_currency, -l.amount_currency, 1, 1, 0, 0
             FROM account_move_line l
             JOIN account_move m ON m.id = l.move_id AND m.state = 'posted' AND m.move_type = 'out_invoice'
             JOIN channel_segment_membership sm ON sm.partner_id = m.commercial_partner_id AND sm.side = 'member'
             JOIN channel_rebate_program_version_channel_segment_rel rel ON rel.channel_segment_id = sm.segment_id
             JOIN channel_rebate_program_version v ON v.id = rel.channel_rebate_program_version_id
            WHERE l.display_type = 'product'"""
    )
    env.cr.execute("DROP TABLE bench_floor")
