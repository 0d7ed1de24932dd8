"""What the gate costs: confirming an order with every check on, against the same confirmation without the gate;
and all checks of one order in a large channel against the same order in a small one."""

import time
from datetime import date
from unittest.mock import patch

from odoo import Command
from odoo.tools import SQL

SIZES = (1, 10, 100)
REPEATS = 3
#: Lines of the order that is judged in channels of different size.
LINES = 200
#: Tables that grow with the channel.
GROWN = (
    "res_partner", "channel_member_period", "channel_member_key", "channel_qualification", "channel_contract",
    "channel_contract_version", "channel_authorization", "channel_authorization_region_rel",
    "channel_authorization_product_rel",
)
#: (members, authorizations): the yardstick first.
CHANNELS = ((1_000, 10_000), (10_000, 100_000))


def _order(env, partner, products):
    return env["sale.order"].create({
        "partner_id": partner.id,
        "order_line": [Command.create({"product_id": product.id, "product_uom_qty": 2}) for product in products],
    })


def _seconds(env, partner, products):
    """Best of a few confirmations, each of an order of its own, in a transaction that is not kept."""
    best = None
    for _again in range(REPEATS):
        with env.cr.savepoint(flush=False) as savepoint:
            order = _order(env, partner, products)
            env.flush_all()
            env.invalidate_all()
            start = time.perf_counter()
            order.action_confirm()
            env.flush_all()
            spent = time.perf_counter() - start
            best = spent if best is None else min(best, spent)
            savepoint.rollback()
            env.invalidate_all()
    return best


def cases(env):
    """Yield one row per number of order lines.

    The checks warn instead of blocking, so that all of their work is done and the order is confirmed.
    """
    china = env.ref("base.cn")
    partner = env["res.partner"].create({"name": "Bench Medical", "is_company": True, "country_id": china.id})
    products = env["product.product"].create([
        {"name": f"Bench article {number}", "type": "consu", "is_storable": True, "list_price": 10.0}
        for number in range(max(SIZES))
    ])
    severities = env["channel.gate.severity"]
    for check in env["channel.gate.check"].search([]):
        known = severities.search([("check_id", "=", check.id), ("company_id", "=", env.company.id)])
        (known or severities.create({"check_id": check.id, "company_id": env.company.id})).severity = "warn"
    gate = type(env["channel.gate"])
    for size in SIZES:
        _seconds(env, partner, products[:1])  # caches of views, groups and currencies are filled before the clock runs
        ours = _seconds(env, partner, products[:size])
        with patch.object(gate, "_enforce", lambda self, operation, documents: []):
            core = _seconds(env, partner, products[:size])
        yield {
            "case": "confirm an order", "size": size, "ours_s": ours,
            "yardstick": "the same without the gate", "yardstick_s": core,
        }
    yield from _channel_cases(env)


def _channel_cases(env):
    """Yield one row: all checks of an order of 200 lines in the larger channel, against the smaller one.

    The order, its member and its products are the same; around them, members with their history, qualifications,
    contracts and authorizations are copied by SQL until the channel is large enough. Nothing is found on the order,
    so that the whole of every check's question is asked.
    """
    order, source = _standing(env)
    members = authorizations = 0
    seconds = {}
    for channel in CHANNELS:
        _populate(env, source, (members, authorizations), channel)
        members, authorizations = channel
        seconds[channel], queries = _judge(env, order)
    (few, few_authorizations), (many, many_authorizations) = CHANNELS
    yield {
        "case": f"all checks of an order, {many:,} members, {many_authorizations:,} authorizations",
        "size": LINES, "ours_s": seconds[CHANNELS[1]], "queries": queries,
        "yardstick": f"{few:,} members, {few_authorizations:,} authorizations",
        "yardstick_s": seconds[CHANNELS[0]],
    }


def _judge(env, order):
    """Return the best time of a few evaluations, each from an empty cache, and the number of queries."""
    best, queries = None, 0
    for _again in range(3 * REPEATS):
        env.flush_all()
        env.invalidate_all()
        requests = order._channel_gate_requests("order")
        count, start = env.cr.sql_log_count, time.perf_counter()
        findings = env["channel.gate"]._run(requests)
        spent = time.perf_counter() - start
        queries = env.cr.sql_log_count - count
        best = spent if best is None else min(best, spent)
        refused = [finding.message for finding in findings if finding.severity == "block"]
        if refused:
            raise AssertionError(f"The order of the bench is not in good standing: {refused[:3]}")
    return best, queries


def _standing(env):
    """Return ``(order, source)``: an order of a dealer in good standing, and what is copied to make others like it."""
    country, day = env.ref("base.nz"), date(2020, 1, 1)
    region = env["channel.region"].create({"name": "Bench region", "code": "BENCH", "country_id": country.id})
    category = env["channel.device.category"].create({"scheme": "bench", "code": "B1", "name": "Bench devices"})
    roles = env["ir.model.fields.selection"].search([
        ("field_id.model", "=", "res.partner"), ("field_id.name", "=", "channel_role"), ("value", "=", "distributor"),
    ])
    licence = env["channel.qualification.type"].create({
        "name": "Bench licence", "code": "bench_licence", "country_id": country.id, "mandatory": True,
        "role_ids": [Command.set(roles.ids)], "device_class_iii": True,
    })
    values = {"is_company": True, "country_id": country.id, "channel_region_manual_id": region.id}
    dealer, hospital = env["res.partner"].create([
        {**values, "name": "Bench dealer", "channel_role": "distributor", "channel_legal_person": "Bench person"},
        {**values, "name": "Bench hospital", "channel_role": "hospital"},
    ])
    (dealer | hospital).action_channel_activate()
    (dealer | hospital)._channel_change({"channel_state": "active"}, date=day, reason="Bench")
    products = env["product.product"].create([
        {"name": f"Bench device {number}", "type": "consu", "is_storable": True, "list_price": 10.0,
         "channel_device_class": "III", "channel_category_ids": [Command.set(category.ids)]}
        for number in range(LINES)
    ])
    qualification = env["channel.qualification"].create({
        "partner_id": dealer.id, "type_id": licence.id, "number": "BENCH", "issue_date": day,
        "expiry_date": date(2099, 12, 31),
    })
    authorization = env["channel.authorization"].create({
        "partner_id": dealer.id, "date_from": day, "all_products": True, "region_ids": [Command.set(region.ids)],
    })
    contract = env["channel.contract"].create({"title": "Bench", "member_id": dealer.id})
    version = env["channel.contract.version"].create({"contract_id": contract.id, "valid_from": day})
    env.flush_all()
    # Decided as if somebody else had: the bench has one user, and an author does not approve.
    for table, state in (
        ("channel_qualification", "verified"), ("channel_authorization", "approved"),
        ("channel_contract_version", "approved"),
    ):
        record = {"channel_qualification": qualification, "channel_authorization": authorization}.get(table, version)
        env.cr.execute(SQL("UPDATE %s SET state = %s WHERE id = %s", SQL.identifier(table), state, record.id))
    # The cases before have set every check to "warn": here the checks' own severities count.
    env["channel.gate.severity"].search([("company_id", "=", env.company.id)]).unlink()
    env.invalidate_all()
    order = _order(env, dealer, products)
    order.channel_end_customer_id = hospital
    return order, {
        "res_partner": dealer, "channel_qualification": qualification, "channel_authorization": authorization,
        "channel_contract": contract, "channel_contract_version": version, "products": products, "region": region,
    }


def _populate(env, source, there, wanted):
    """Add members like the dealer of the order, with their share of authorizations, by SQL.

    :param there: (members, authorizations) already added
    :param wanted: how many there shall be
    """
    start, first_authorization = there
    members, authorizations = wanted[0] - start, wanted[1] - first_authorization
    env.flush_all()
    dealer, day = source["res_partner"], date(2020, 1, 1)
    partner_ids = _copies(env, dealer, members, {
        "name": SQL("'Bench member ' || n.number"),
        "complete_name": SQL("'Bench member ' || n.number"),
        "channel_code": SQL("'BENCH-' || n.number"),
        "channel_legal_person": SQL("'Bench person ' || n.number"),
        "vat": SQL("'BENCH' || n.number"),
        "street": SQL("'Bench road ' || n.number"),
        "commercial_partner_id": SQL("n.id"),
    }, start)
    env["channel.member.period"]._store_rows([], [], [], [
        (partner_id, day, None, "Bench", False, {
            "state": "active", "role": "distributor", "parent_id": None, "grade_id": None,
            "region_id": source["region"].id,
        })
        for partner_id in partner_ids
    ])
    env["channel.member.key"]._refresh(partner_ids)
    number = SQL("'BENCH-' || n.number")
    partner = SQL("(%s::int[])[1 + n.number - %s]", partner_ids, start)
    _copies(env, source["channel_qualification"], members, {"partner_id": partner, "number": number}, start)
    contract_ids = _copies(env, source["channel_contract"], members, {"member_id": partner, "name": number}, start)
    _copies(env, source["channel_contract_version"], members, {
        "contract_id": SQL("(%s::int[])[1 + n.number - %s]", contract_ids, start),
        "member_id": partner,
    }, start)
    authorization_ids = _copies(env, source["channel_authorization"], authorizations, {
        "partner_id": SQL("(%s::int[])[1 + (n.number - %s) %% %s]", partner_ids, first_authorization, members),
        "number": number,
        "all_products": SQL("FALSE"),
    }, first_authorization)
    env.cr.execute(SQL(
        "INSERT INTO channel_authorization_region_rel (authorization_id, region_id) SELECT unnest(%s::int[]), %s",
        authorization_ids, source["region"].id,
    ))
    env.cr.execute(SQL(
        "INSERT INTO channel_authorization_product_rel (authorization_id, product_id) "
        "SELECT id, (%s::int[])[1 + place %% %s] FROM unnest(%s::int[]) WITH ORDINALITY AS made(id, place)",
        source["products"].ids, len(source["products"]), authorization_ids,
    ))
    env.invalidate_all()
    # table by table: those that databases share would be locked for whoever else analyzes, until the bench ends
    env.cr.execute(SQL("ANALYZE %s", SQL(", ").join(SQL.identifier(name) for name in GROWN)))


def _copies(env, record, count, overrides, start):
    """Copy the row of a record and return the new ids.

    :param dict overrides: ``{column: SQL}`` over ``n.id`` and ``n.number``, which counts from ``start``
    """
    table = record._table
    env.cr.execute(
        "SELECT a.attname FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 "
        "AND NOT a.attisdropped AND a.attname != 'id'", [table],
    )
    columns = [name for [name] in env.cr.fetchall()]
    # what is unique by chance is not copied
    unique = {name: SQL("md5(random()::text)") for name in columns if name.endswith("token")}
    values = {name: SQL.identifier("source", name) for name in columns} | unique | {
        name: value for name, value in overrides.items() if name in columns
    }
    return [row_id for [row_id] in env.execute_query(SQL(
        """
        INSERT INTO %(table)s (id, %(columns)s)
        SELECT n.id, %(values)s
          FROM (SELECT nextval(pg_get_serial_sequence(%(name)s, 'id'))::int AS id, number
                  FROM generate_series(%(first)s, %(last)s) AS number) n
    CROSS JOIN %(table)s source
         WHERE source.id = %(source)s
        RETURNING id
        """,
        table=SQL.identifier(table),
        name=table,
        columns=SQL(", ").join(SQL.identifier(name) for name in values),
        values=SQL(", ").join(values.values()),
        first=start,
        last=start + count - 1,
        source=record.id,
    ))]
