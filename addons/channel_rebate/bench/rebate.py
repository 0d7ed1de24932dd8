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
AGREEMENTS = int(os.environ.get("AGREEMENTS", 5_000))
COMMISSION_LINES = 20_000
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
    small, day = LINES // 10, f"{YEAR}-12-31"
    programs = _programs(env)
    members = _members(env, 500)
    made = _multiply(env, template, members, small // LINES_PER_INVOICE)
    little, floor = _full_run(env, programs), _timed(env, _floor)
    yield _row("full run, 500 members", small, little, "INSERT … SELECT of as many entries", floor)
    _forget(env)

    crowd = _members(env, 5000)
    _spread(env, crowd)
    crowded = _full_run(env, programs)
    yield _row("10 times the members", small, crowded, "full run, 500 members", little)
    _forget(env)
    crowd[500:].write({"ref": "NONE"})
    env["channel.segment"]._refresh_pending()
    _spread(env, members)

    made = _multiply(env, template, members, (LINES - small) // LINES_PER_INVOICE, made)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # other work on the machine comes and goes: the floor is the mean of one before and one after
    floor = _timed(env, _floor)
    full = _full_run(env, programs)
    floor = round((floor + _timed(env, _floor)) / 2, 3)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    yield _row("full run, 500 members", LINES, full, "INSERT … SELECT of as many entries", floor)
    yield _row("10 times the lines", LINES, full, f"full run, {small} lines", little)
    yield _row("memory of the process grew by MB", LINES, grown, "", None)
    made = _multiply(env, template, members, 1000 // LINES_PER_INVOICE, made, day)
    again = _timed(env, lambda env: programs.calculate(day))
    yield _row("incremental run, 1,000 new lines", LINES, again, "full run", full)
    yield _row("nothing changed", LINES, _timed(env, lambda env: programs.calculate(day)), "full run", full)
    member = members[0]
    statement = _timed(env, lambda env: env["channel.rebate.program"].statement(member.id, YEAR))
    yield _row("statement of one member", LINES, statement, "full run", full)


def _full_run(env, programs):
    # who belongs to which segment follows from new members, not from lines
    env["channel.segment"]._refresh_pending()
    seconds = _timed(env, lambda env: programs.calculate(f"{YEAR}-12-31"))
    # as autovacuum does on a server that is not all in one transaction
    env.cr.execute("ANALYZE channel_rebate_entry, channel_rebate_balance")
    return seconds


def _forget(env):
    """As if nothing had been calculated yet."""
    env.cr.execute("TRUNCATE channel_rebate_entry CASCADE")
    env.cr.execute("DELETE FROM channel_rebate_balance")
    env.cr.execute("UPDATE channel_rebate_program SET calculation = NULL, accrued_to = NULL")
    env.invalidate_all()


def _row(case, size, ours, yardstick, seconds):
    return {"case": case, "size": size, "ours_s": ours, "yardstick": yardstick, "yardstick_s": seconds}


def _timed(env, function):
    env.flush_all()
    env.invalidate_all()
    start = time.perf_counter()
    function(env)
    env.flush_all()
    return round(time.perf_counter() - start, 3)


def _setup(env):
    company = env.company
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company=company, install_demo=False)
    env["channel.gate.check"].search([]).severity = "off"
    product = env["product.product"].create({"name": "Bench device", "type": "consu", "taxes_id": [Command.clear()]})
    template = env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": _members(env, 500)[0].id,
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
    """The first `count` members, made as far as they are not there."""
    known = env["res.partner"].search([("name", "=like", "Bench member %"), ("is_company", "=", True)], order="id")
    made = env["res.partner"].create(
        [
            {"name": f"Bench member {n}", "ref": f"BENCH-{n % 50}", "is_company": True, "channel_role": "distributor"}
            for n in range(len(known), count)
        ]
    )
    return (known + made)[:count]


def _programs(env):
    """200 programmes, four for each of 50 groups of members."""
    accounts = _accounts(env)
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
    _approve(env, programs)
    return programs


def _accounts(env):
    return env["account.account"].create(
        [
            {"name": "Bench rebates", "code": "499988", "account_type": "income"},
            {"name": "Bench accrued rebates", "code": "299988", "account_type": "liability_current"},
        ]
    )


def _approve(env, programs):
    """By somebody else than their author."""
    approver = env["res.users"].search([("login", "=", "bench_rebate_approver")])
    if not approver:
        approver = env["res.users"].create(
            {
                "name": "Bench approver",
                "login": "bench_rebate_approver",
                "group_ids": [Command.set([env.ref("channel_base.group_channel_manager").id])],
            }
        )
    programs.version_ids.with_user(approver).action_approve()


def _multiply(env, template, members, count, offset=0, day=None):
    """Copy the posted invoice `count` times, over the members and the days of the year (or all on one day).

    :return: how many copies there are now
    """
    env.flush_all()
    date = SQL("%s::date", day) if day else SQL("%s::date + n %% 365", f"{YEAR}-01-01")
    place = {
        "name": SQL("'BENCH/' || n"),
        "sequence_number": SQL("n"),
        "payment_reference": SQL("'BENCH/' || n"),
        "access_token": SQL("NULL"),
        "partner_id": SQL("(%s::int[])[1 + n %% %s]", members.ids, len(members)),
        "commercial_partner_id": SQL("(%s::int[])[1 + n %% %s]", members.ids, len(members)),
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
    return offset + count


def _spread(env, members):
    """Hand the invoices out again, over these members."""
    env.execute_query(
        SQL(
            """UPDATE account_move SET partner_id = member, commercial_partner_id = member
                 FROM (SELECT id, (%s::int[])[1 + sequence_number %% %s] AS member
                         FROM account_move WHERE name LIKE 'BENCH/%%') given
                WHERE given.id = account_move.id RETURNING 1""",
            members.ids,
            len(members),
        )
    )
    env.cr.execute("ANALYZE account_move")
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
    env.cr.execute("SET LOCAL work_mem = '128MB'; SET LOCAL jit = off")
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


# === OCA ADD-ONS ON THEIR OWN CASES === #


def yardsticks(env):
    """Against OCA's agreement_rebate and account_commission_oca, on the cases that they know, to the same cents.

    Runs in a database in which the add-ons of `rebate.txt` are installed too. The suite keeps a row for each line; they
    keep none.
    """
    yield from _against_agreements(env)
    yield from _against_commissions(env)


def _against_agreements(env):
    """5,000 agreements of five product rules each; the suite says it in five programmes for the same 5,000 members."""
    template = _setup(env)
    members = _members(env, AGREEMENTS)
    products = env["product.product"].create(
        [{"name": f"Bench product {n}", "type": "consu", "taxes_id": [Command.clear()]} for n in range(5)]
    )
    for number, line in enumerate(template.invoice_line_ids):
        env.cr.execute(
            "UPDATE account_move_line SET product_id = %s WHERE id = %s", [products[number % 5].id, line.id]
        )
    lines = 20 * AGREEMENTS
    _multiply(env, template, members, lines // LINES_PER_INVOICE)
    kind = env["agreement.type"].create({"name": "Bench", "domain": "sale", "is_rebate": True})
    agreements = env["agreement"].create(
        [
            {
                "code": f"BENCH-{number}",
                "name": f"Bench {number}",
                "partner_id": member.id,
                "agreement_type_id": kind.id,
                "domain": "sale",
                "start_date": f"{YEAR}-01-01",
                "end_date": f"{YEAR}-12-31",
                "rebate_type": "line",
                "rebate_line_ids": [
                    Command.create(
                        {
                            "rebate_target": "product",
                            "rebate_product_ids": [Command.set(product.ids)],
                            "rebate_discount": place + 1,
                        }
                    )
                    for place, product in enumerate(products)
                ],
            }
            for number, member in enumerate(members)
        ]
    )
    wizard = env["agreement.settlement.create.wiz"].create(
        {
            "date_from": f"{YEAR}-01-01",
            "date_to": f"{YEAR}-12-31",
            "domain": "sale",
            "agreement_ids": [Command.set(agreements.ids)],
        }
    )
    theirs = _timed(env, lambda env: wizard.action_create_settlement())
    programs = _rebate_programs(
        env,
        [
            {
                "window_type": "year",
                "product_domain": f"[('id', '=', {product.id})]",
                "tier_ids": [Command.create({"lower_bound": 0, "rate": place + 1})],
            }
            for place, product in enumerate(products)
        ],
    )
    ours = _timed(env, lambda env: programs.calculate(f"{YEAR}-12-31"))
    paid = dict(
        env.execute_query(
            SQL(
                """SELECT s.partner_id, sum(l.amount_rebate)::numeric(16, 2) FROM agreement_rebate_settlement s
                     JOIN agreement_rebate_settlement_line l ON l.settlement_id = s.id GROUP BY s.partner_id"""
            )
        )
    )
    earned = dict(
        env.execute_query(
            SQL(
                """SELECT member_id, sum(entitlement) FROM channel_rebate_balance
                    WHERE program_id = ANY(%s) GROUP BY member_id""",
                programs.ids,
            )
        )
    )
    if len(paid) != AGREEMENTS or paid != earned:
        raise AssertionError(f"agreement_rebate grants {sum(paid.values())}, the suite {sum(earned.values())}")
    yield _row(f"{AGREEMENTS} agreements of 5 rules, every line traced", lines, ours, "OCA agreement_rebate", theirs)
    _forget(env)
    env.cr.execute("UPDATE account_move SET state = 'draft' WHERE name LIKE 'BENCH/%'")
    env.cr.execute("UPDATE account_move_line SET parent_state = 'draft' WHERE move_name LIKE 'BENCH/%'")


def _against_commissions(env):
    """One agent at five percent."""
    template = env["account.move"].search([("state", "=", "posted"), ("move_type", "=", "out_invoice")], limit=1)
    seller = env["res.users"].create(
        {"name": "Bench seller", "login": "bench_seller", "group_ids": [Command.set(env.ref("base.group_user").ids)]}
    )
    commission = env["commission"].create({"name": "Bench", "commission_type": "fixed", "fix_qty": 5})
    seller.partner_id.write({"agent": True, "commission_id": commission.id, "settlement": "annual"})
    env.flush_all()
    env.cr.execute("UPDATE account_move SET invoice_user_id = %s WHERE id = %s", [seller.id, template.id])
    _multiply(env, template, _members(env, 500), COMMISSION_LINES // LINES_PER_INVOICE, 2 * AGREEMENTS + 1)
    moves = env["account.move"].search([("invoice_user_id", "=", seller.id)])
    moves.partner_id.commission_agent_ids = seller.partner_id
    wizard = env["commission.make.settle"].create(
        {
            "date_to": f"{int(YEAR) + 1}-01-01",
            "settlement_type": "sale_invoice",
            "agent_ids": [Command.set(seller.partner_id.ids)],
        }
    )
    # the suite goes from posted invoices to what is paid; OCA computes the lines first, then settles them
    computed = _timed(env, lambda env: moves.recompute_lines_agents())
    settled_in = _timed(env, lambda env: wizard.action_settle())
    (program,) = _rebate_programs(
        env,
        [
            {
                "window_type": "year",
                "payee_kind": "salesperson",
                "rounding_point": "line",
                "tier_ids": [Command.create({"lower_bound": 0, "rate": 5})],
            }
        ],
        purpose="commission",
    )
    ours = _timed(env, lambda env: program.calculate(f"{YEAR}-12-31"))
    ((settled,),) = env.execute_query(SQL("SELECT sum(settled_amount)::numeric(16, 2) FROM commission_settlement_line"))
    ((earned,),) = env.execute_query(
        SQL(
            "SELECT sum(entitlement) FROM channel_rebate_balance WHERE program_id = %s AND member_id = %s",
            program.id,
            seller.partner_id.id,
        )
    )
    if settled != earned:
        raise AssertionError(f"account_commission_oca pays {settled}, the suite {earned}")
    theirs = "OCA account_commission_oca"
    yield _row("commission of one salesperson", COMMISSION_LINES, ours, f"{theirs}: lines and settlement",
               round(computed + settled_in, 3))
    yield _row("commission of one salesperson", COMMISSION_LINES, ours, f"{theirs}: settlement alone", settled_in)


def _rebate_programs(env, terms, **values):
    """Approved programmes, one for each dict of terms."""
    accounts = env["account.account"].search([("code", "in", ("499988", "299988"))], order="code desc")
    if not accounts:
        accounts = _accounts(env)
    programs = env["channel.rebate.program"].create(
        [
            {
                "name": f"Bench {number}",
                "code": f"OCA-{values.get('purpose', 'rebate')}-{number}",
                "expense_account_id": accounts[0].id,
                "liability_account_id": accounts[1].id,
                "product_id": env["product.product"].create({"name": "Bench rebate", "type": "service"}).id,
                "version_ids": [Command.create({"valid_from": f"{YEAR}-01-01", **version})],
                **values,
            }
            for number, version in enumerate(terms)
        ]
    )
    _approve(env, programs)
    return programs
