"""Allocation of short stock: 1,000 open orders of 20 lines, shown in one pass and reserved.

One order of 20 lines is confirmed by Odoo and copied in SQL, with its delivery, over 200 members. There is stock for
two thirds of what is asked for. The yardstick is Odoo's own reservation of the same deliveries, first come, first
served, on a tenth of the orders: all of them would take it many minutes. `ORDERS` in the environment bounds the number
of orders (1,000).
"""

import os
import time

from odoo.fields import Command
from odoo.tools import SQL

ORDERS = int(os.environ.get("ORDERS", 1_000))
LINES = 20
WANTED = 3


def cases(env):
    env["channel.gate.check"].search([]).severity = "off"
    warehouse = env["stock.warehouse"].search([("company_id", "=", env.company.id)], limit=1)
    products = env["product.product"].create([
        {"name": f"Bench device {n}", "type": "consu", "is_storable": True} for n in range(LINES)
    ])
    members = env["res.partner"].create([
        {"name": f"Bench member {n}", "is_company": True, "channel_role": "distributor"} for n in range(200)
    ])
    order = env["sale.order"].create({
        "partner_id": members[0].id,
        "order_line": [Command.create({"product_id": p.id, "product_uom_qty": WANTED}) for p in products],
    })
    order.action_confirm()
    order.picking_ids.move_ids._do_unreserve()
    few = max(ORDERS // 10, 1)
    _multiply(env, order, members, 1, few - 1)
    _stock(env, warehouse, products, few)
    moves = env["stock.move"].search([("product_id", "in", products.ids), ("state", "=", "confirmed")])
    with env.cr.savepoint() as savepoint:
        core = _timed(env, moves._action_assign)
        savepoint.rollback()
    shown = {}
    for method in ("rules", "fair"):
        allocation = env["channel.allocation"].create({"product_ids": products.ids, "method": method})
        shown[method] = _timed(env, allocation.action_preview)
        yield _row(f"shown, {method}", len(moves), shown[method], "core reserves the same deliveries", core)
    with env.cr.savepoint() as savepoint:
        reserved = _timed(env, allocation.action_apply)
        for line in allocation.line_ids:
            assert line.move_id.quantity == line.allocated, "not reserved as it was shown"
        savepoint.rollback()
    yield _row("reserved as shown", len(moves), reserved, "core reserves the same deliveries", core)

    _multiply(env, order, members, few, ORDERS - 1)
    _stock(env, warehouse, products, ORDERS - few)
    for method in ("rules", "fair"):
        allocation = env["channel.allocation"].create({"product_ids": products.ids, "method": method})
        many = _timed(env, allocation.action_preview)
        yield _row(f"shown, {method}", len(allocation.line_ids), many, f"shown, {len(moves)} lines", shown[method])


def _stock(env, warehouse, products, orders):
    for product in products:
        env["stock.quant"]._update_available_quantity(product, warehouse.lot_stock_id, orders * WANTED * 2 // 3)
    env.flush_all()
    env.cr.execute("ANALYZE stock_move, sale_order, sale_order_line, stock_picking, stock_quant")


def _row(case, size, ours, yardstick, seconds):
    return {"case": case, "size": size, "ours_s": ours, "yardstick": yardstick, "yardstick_s": seconds}


def _timed(env, function):
    env.flush_all()
    env.invalidate_all()
    start = time.perf_counter()
    function()
    env.flush_all()
    return round(time.perf_counter() - start, 3)


def _multiply(env, order, members, first, last):
    """Copy a confirmed order with its delivery, over the members: copies number `first` to `last`."""
    env.flush_all()
    # Ids of copies lie far beyond those there are, and within what an int holds
    step = 2_000_000
    number = SQL("n.n")
    copies = (
        ("sale_order", SQL("t.id = %s", order.id), {
            "id": SQL("t.id + %s * %s", step, number),
            "name": SQL("'BENCH/' || %s", number),
            "partner_id": SQL("(%s::int[])[1 + %s %% %s]", members.ids, number, len(members)),
            "date_order": SQL("t.date_order + %s * interval '1 minute'", number),
            "access_token": SQL("NULL"), "procurement_group_id": SQL("NULL"),
        }),
        ("sale_order_line", SQL("t.order_id = %s", order.id), {
            "id": SQL("t.id + %s * %s", step, number), "order_id": SQL("t.order_id + %s * %s", step, number),
        }),
        ("stock_picking", SQL("t.id = ANY(%s)", order.picking_ids.ids), {
            "id": SQL("t.id + %s * %s", step, number), "name": SQL("'BENCH/OUT/' || %s", number),
            "sale_id": SQL("t.sale_id + %s * %s", step, number),
        }),
        ("stock_move", SQL("t.picking_id = ANY(%s)", order.picking_ids.ids), {
            "id": SQL("t.id + %s * %s", step, number), "picking_id": SQL("t.picking_id + %s * %s", step, number),
            "sale_line_id": SQL("t.sale_line_id + %s * %s", step, number),
        }),
    )
    for table, condition, values in copies:
        names = [row[0] for row in env.execute_query(SQL(
            """SELECT column_name FROM information_schema.columns
                WHERE table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position""", table,
        ))]
        env.cr.execute(SQL(
            "INSERT INTO %s (%s) SELECT %s FROM %s t CROSS JOIN generate_series(%s, %s) n(n) WHERE %s",
            SQL.identifier(table), SQL(", ").join(SQL.identifier(name) for name in names),
            SQL(", ").join(values.get(name, SQL.identifier("t", name)) for name in names),
            SQL.identifier(table), first, last, condition,
        ))
    env.invalidate_all()
