"""What the gate costs: confirming an order with every check on, against the same confirmation without the gate."""

import time
from unittest.mock import patch

from odoo import Command

SIZES = (1, 10, 100)
REPEATS = 3


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
