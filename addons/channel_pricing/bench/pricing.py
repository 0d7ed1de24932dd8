"""What a price costs: 200 products against tables of 100 to 1,000,000 rules, beside core on the same rules.

Two kinds of tables. ``plain``: no rule names a segment, so that core gives the same answer, which is asserted before
anything is timed. ``segments``: every rule names one of 500 markets, of which the buyer is in ten; core has no such
thing, so the yardstick is the suite itself with 10,000 rules.
"""

import time
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from odoo import Command, fields
from odoo.tools import SQL

from odoo.addons.channel_pricing.models.product_pricelist_item import NO_PARTY_RANK, NO_SEGMENT_SEQUENCE
from odoo.addons.product.models.product_pricelist import ProductPricelist
from odoo.addons.product.models.product_pricelist_item import ProductPricelistItem

LINES = 200
SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
#: Core walks through every rule for every product: past this size it is not waited for.
CORE_LIMIT = 100_000
ORDER_CORE_LIMIT = 100_000
SEGMENTS, MATCHING = 500, 10
REPEATS = 3


@contextmanager
def _core(env):
    """Core's own methods and order of rules."""
    methods = ("_compute_price_rule", "_get_applicable_rules", "_get_applicable_rules_domain")
    with ExitStack() as stack:
        for name in methods:
            stack.enter_context(
                patch.object(env.registry["product.pricelist"], name, getattr(ProductPricelist, name))
            )
        stack.enter_context(
            patch.object(env.registry["product.pricelist.item"], "_order", ProductPricelistItem._order)
        )
        yield


def _seconds(env, action, repeats=REPEATS):
    """Best of a few runs from an empty cache, in a transaction that is not kept."""
    best, result = None, None
    for _again in range(repeats):
        with env.cr.savepoint(flush=False) as savepoint:
            env.flush_all()
            env.invalidate_all()
            start = time.perf_counter()
            result = action()
            env.flush_all()
            spent = time.perf_counter() - start
            best = spent if best is None else min(best, spent)
            savepoint.rollback()
            env.invalidate_all()
    return best, result


def _rules(env, pricelist, templates, number, segments=None):
    """`number` rules in one statement: a product each in turn, with breaks of quantity and periods.

    A tenth of them has ended, a tenth has not begun; the breaks run from 0 up, so that the rule that wins is seldom
    the first in order.
    """
    env.cr.execute(SQL(
        """
        INSERT INTO product_pricelist_item (
            pricelist_id, company_id, currency_id, applied_on, base, compute_price, product_tmpl_id, min_quantity,
            fixed_price, percent_price, date_start, date_end, display_applied_on, channel_segment_id,
            channel_segment_sequence, channel_rank
        )
        SELECT %(pricelist)s, NULL, %(currency)s, '1_product', 'list_price',
               CASE WHEN n %% 7 = 0 THEN 'percentage' ELSE 'fixed' END,
               (%(templates)s::int[])[1 + n %% %(products)s], (n / %(products)s) %% 997,
               10 + n %% 89, 5 + n %% 20,
               CASE WHEN n %% 10 = 3 THEN '2199-01-01'::timestamp END,
               CASE WHEN n %% 10 = 6 THEN '2001-01-01'::timestamp END,
               '1_product', segment.id, COALESCE(segment.sequence, %(no_segment)s), %(no_party)s
          FROM generate_series(0, %(number)s - 1) n
     LEFT JOIN channel_segment segment
            ON segment.id = (%(segments)s::int[])[1 + (n / %(products)s) %% %(markets)s]
        """,
        pricelist=pricelist.id,
        currency=pricelist.currency_id.id,
        templates=templates.ids,
        products=len(templates),
        number=number,
        segments=segments.ids if segments else [0],
        markets=len(segments) if segments else 1,
        no_segment=NO_SEGMENT_SEQUENCE,
        no_party=NO_PARTY_RANK,
    ))
    env.cr.execute("ANALYZE product_pricelist_item")
    env.invalidate_all()


def _world(env):
    china = env.ref("base.cn")
    member = env["res.partner"].create({"name": "Bench Medical", "is_company": True, "country_id": china.id})
    products = env["product.product"].create([
        {"name": f"Bench article {number}", "default_code": f"BENCH{number}", "list_price": 100.0 + number}
        for number in range(LINES)
    ])
    return member, products


def _order(env, member, products, pricelist):
    return env["sale.order"].create({
        "partner_id": member.id,
        "pricelist_id": pricelist.id,
        "order_line": [Command.create({"product_id": product.id, "product_uom_qty": 3}) for product in products],
    })


def cases(env):
    """Yield one row for each kind of table, size and question."""
    member, products = _world(env)
    templates = products.product_tmpl_id
    now = fields.Datetime.now()
    for size in SIZES:
        with env.cr.savepoint(flush=False) as savepoint:
            table = env["product.pricelist"].create({"name": f"Bench {size}", "company_id": False})
            member.property_product_pricelist = table
            _rules(env, table, templates, size)

            def rule(table=table):
                return table._compute_price_rule(products, 3.0, date=now, member=member)

            def quote():
                return env["channel.pricing"].quote(
                    member.id, [{"product_id": product.id, "quantity": 3.0} for product in products], explain=False
                )

            def order(table=table):
                return _order(env, member, products, table).amount_untaxed

            core_rule = core_order = None
            if size <= CORE_LIMIT:
                with _core(env):
                    core_rule, expected = _seconds(
                        env, lambda table=table: table._compute_price_rule(products, 3.0, date=now), repeats=1
                    )
                assert rule() == expected, "the suite and core disagree"
            if size <= ORDER_CORE_LIMIT:
                with _core(env), patch.object(
                    env.registry["sale.order.line"], "_with_rule_books", lambda lines: lines
                ):
                    core_order, core_amount = _seconds(env, order, repeats=1)
                assert order() == core_amount, "the suite and core disagree"
            for case, action, yardstick, yardstick_s in (
                ("rule and price of 200 products", rule, "core's _compute_price_rule", core_rule),
                ("quote of 200 lines", quote, "core's _compute_price_rule", core_rule),
                ("order of 200 lines", order, "core's order", core_order),
            ):
                action()  # caches of groups, currencies and units are filled before the clock runs
                ours, _result = _seconds(env, action)
                yield {
                    "case": case, "size": size, "ours_s": ours, "yardstick": yardstick if yardstick_s else "",
                    "yardstick_s": yardstick_s,
                }
            savepoint.rollback()
            env.invalidate_all()

    segments = env["channel.segment"].create([
        {
            "name": f"Bench market {number}", "code": f"BENCH{number}",
            "member_domain": f"[('id', '{'=' if number % (SEGMENTS // MATCHING) == 0 else '!='}', {member.id})]",
            "sequence": number,
        }
        for number in range(SEGMENTS)
    ])
    yardstick_s = None
    for size in (10_000, 100_000, 1_000_000):
        with env.cr.savepoint(flush=False) as savepoint:
            table = env["product.pricelist"].create({"name": f"Bench markets {size}", "company_id": False})
            member.property_product_pricelist = table
            _rules(env, table, templates, size, segments)

            def quote():
                return env["channel.pricing"].quote(
                    member.id, [{"product_id": product.id, "quantity": 3.0} for product in products], explain=False
                )

            quote()
            ours, _result = _seconds(env, quote)
            yardstick_s = yardstick_s or ours
            yield {
                "case": "quote of 200 lines, 500 markets", "size": size, "ours_s": ours,
                "yardstick": "the same with 10,000 rules", "yardstick_s": yardstick_s,
            }
            savepoint.rollback()
            env.invalidate_all()
