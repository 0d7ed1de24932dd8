"""What keeps prices in order: the table in versions, limits, special prices, and a sale that went too low.

The imported prices become version 1. The version of the coming quarter is approved already, that of the quarter
after is being drafted and has findings. All amounts, award notices and competitors are invented.
"""

from dateutil.relativedelta import relativedelta

from odoo import Command

from odoo.addons.channel_base.tools.gate import GateRefusal

from . import calendar
from .common import name_record, ref

# In the planned version these are dearer than today.
DEARER_GROUP = "Orthopaedics"
DEARER = 1.03


def run(env):
    _planned_version(env)
    _limits(env)
    _stacking(env)
    _special_prices(env)
    _below_floor(env)
    _draft_with_findings(env)


def quarter_start(after):
    """First day of the quarter that comes ``after`` quarters after today's."""
    today = calendar.today()
    return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1) + relativedelta(months=3 * after)


def _new_version(env, purpose, start):
    """Pricing opens a draft: the rules of the version in force."""
    table = ref(env, "price_table").with_user(ref(env, "user_pricing"))
    version = table.env["channel.price.version"].browse(table.action_new_version()["res_id"])
    version.write({"purpose": purpose, "valid_from": start})
    return version


def _rules(version, products, segments):
    """Today's rules of a draft for products and for segments by the beginnings of their codes."""
    return version.env["product.pricelist.item"].search([
        ("channel_version_id", "=", version.id),
        ("product_tmpl_id", "in", products.product_tmpl_id.ids),
        ("channel_segment_id.code", "=like", f"{segments}%"),
        ("date_end", "=", False),
    ])


def _planned_version(env):
    version = _new_version(env, "Orthopaedics in East China up by 3 %, as announced", quarter_start(1))
    products = env["product.product"].search([("categ_id.name", "=", DEARER_GROUP)])
    for rule in _rules(version, products, "east-"):
        rule.fixed_price = rule.currency_id.round(rule.fixed_price * DEARER)
    version.with_user(ref(env, "user_manager")).action_approve()
    name_record(env, "price_version_planned", version.sudo())


def _limits(env):
    """A floor that Pricing, managers and auditors know, and the award of a volume-based procurement."""
    limits = env["channel.price.limit"].with_user(ref(env, "user_pricing")).create([
        {
            "kind": "floor",
            "product_tmpl_id": ref(env, "product_HC_002").product_tmpl_id.id,
            "price": 1150.0,
            "date_from": calendar.first_day(),
            "note": "Below this the balloon catheter does not earn its logistics.",
        },
        {
            "kind": "award",
            "product_tmpl_id": ref(env, "product_HC_003").product_tmpl_id.id,
            "segment_ids": [Command.set(
                env["channel.segment"].search([("code", "in", ("east-3A-gold", "east-3A-silver"))]).ids
            )],
            "price": 1680.0,
            "committed_quantity": 600.0,
            "date_from": calendar.first_day(),
            "date_to": calendar.first_day() + relativedelta(years=2, days=-1),
            "reference": f"Award notice DEMO-VBP-{calendar.first_day().year}-07 (invented)",
        },
    ])
    limits.with_user(ref(env, "user_manager")).action_approve()
    for name, limit in zip(("floor", "award"), limits, strict=True):
        name_record(env, f"price_limit_{name}", limit.sudo())


def _stacking(env):
    """How a tier's discount, a launch offer and a season's promotion go together."""
    pricing = ref(env, "user_pricing")
    groups = env["channel.stacking.group"].with_user(pricing).create([
        {"name": "Discounts by tier", "code": "tier"},
        {"name": "Promotions of a season", "code": "season"},
    ])
    policy = env["channel.stacking.policy"].with_user(pricing).create({
        "name": "Tier first, then the best promotion",
        "mode": "best",
        "cap_percent": 25.0,
        "line_ids": [Command.create({"sequence": 10 * place, "group_id": group.id})
                     for place, group in enumerate(groups, start=1)],
        "note": "Percentages are of what is left; all together take no more than a quarter.",
    })
    policy.with_user(ref(env, "user_manager")).action_approve()
    name_record(env, "stacking_policy", policy.sudo())


def _special_prices(env):
    """One that an order has taken from, one that a dealer asked for and that waits."""
    sales, manager = ref(env, "user_sales_east"), ref(env, "user_manager")
    balloon = ref(env, "product_HC_002")
    today = calendar.today()
    asked = env["channel.price.request"].with_user(sales).submit(
        {
            "member_id": ref(env, "dealer_D003").id,
            "customer_id": ref(env, "hospital_310000_000").id,
            "date_to": (today + relativedelta(months=3)).isoformat(),
            "purpose": "competition",
            "competitor": "Invented Vascular Ltd.",
            "reason": "The hospital has an offer at 1,195.00 for sixty pieces; with this we keep its laboratory.",
            "lines": [{"product_id": balloon.id, "quantity": 60, "price": 1190.0, "competitor_price": 1195.0}],
        },
        external_id="CRM-DEMO-2041",
    )
    request = env["channel.price.request"].search([("name", "=", asked["reference"])])
    request.with_user(manager).action_approve()
    name_record(env, "price_request_approved", request)
    order = env["sale.order"].with_user(sales).create({
        "partner_id": ref(env, "dealer_D003").id,
        "channel_end_customer_id": ref(env, "hospital_310000_000").id,
        "order_line": [Command.create({"product_id": balloon.id, "product_uom_qty": 20})],
    })
    order.action_confirm()
    name_record(env, "order_special_price", order.sudo())
    asked = env["channel.price.request"].with_user(ref(env, "user_dealer")).submit(
        {
            "customer_id": ref(env, "hospital_350000_000").id,
            "date_to": (today + relativedelta(months=2)).isoformat(),
            "purpose": "volume",
            "reason": "The hospital would take its need of half a year at once.",
            "lines": [{"product_id": balloon.id, "quantity": 100, "price": 1120.0}],
        },
        external_id="PORTAL-DEMO-7",
    )
    request = env["channel.price.request"].search([("name", "=", asked["reference"])])
    name_record(env, "price_request_waiting", request)


def _below_floor(env):
    """A salesperson types a price that the gate does not let pass; the quotation and the finding stay."""
    sales = ref(env, "user_sales_east")
    order = env["sale.order"].with_user(sales).create({
        "partner_id": ref(env, "dealer_D001").id,
        "channel_end_customer_id": ref(env, "hospital_350000_000").id,
        "order_line": [Command.create({
            "product_id": ref(env, "product_HC_002").id, "product_uom_qty": 30, "price_unit": 990.0,
        })],
    })
    name_record(env, "order_below_floor", order.sudo())
    env.flush_all()
    try:
        with env.cr.savepoint():
            order.action_confirm()
    except GateRefusal:
        return
    raise AssertionError("The gate let a price below the floor pass: the story does not hold any more.")


def _draft_with_findings(env):
    """Gold dealers dearer than bronze ones, and a slip of the keyboard: what the checks are for."""
    version = _new_version(env, "Balloon catheters anew (being drafted)", quarter_start(2))
    name_record(env, "price_version_draft", version.sudo())
    balloons = ref(env, "product_HC_002") | ref(env, "product_HC_003")
    for rule in _rules(version, balloons, "north-3A-gold"):
        rule.fixed_price = rule.currency_id.round(rule.fixed_price * 1.25)
    for rule in _rules(version, ref(env, "product_HC_003"), "central-2A-silver"):
        rule.fixed_price = rule.currency_id.round(rule.fixed_price / 10)
    version.action_channel_check_quality()
