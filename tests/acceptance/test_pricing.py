"""Prices from outside: versions of the table, limits, special prices, what a dealer is told and what not.

All of it is of the demonstration story. The figures, in CNY, from its price file and its chapter `price_control`:

    HC-020, gold dealers, class III-A hospitals of East China    1,983.52 today, x 1.03 = 2,043.03 in the next version
    HC-002, the same parties                                     1,360.13; floor 1,150.00
    special price of Shanghai Bohua for one hospital             1,190.00 for 60, of which an order took 20
"""

import uuid
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from acceptance_clients import Refused
from acceptance_world import TODAY, exact, iso, read

PLATE_TODAY, PLATE_PLANNED = Decimal("1983.52"), Decimal("2043.03")
BALLOON, FLOOR, SPECIAL = Decimal("1360.13"), Decimal("1150.0"), Decimal("1190.0")


@pytest.fixture(scope="module")
def story(world):
    """Of the story: parties, products, versions."""
    names = ("dealer_D001", "dealer_D003", "hospital_350000_000", "hospital_310000_000",
             "product_HC_002", "product_HC_020", "price_table", "price_version_planned")
    found = SimpleNamespace(**{name: world.ref(f"channel_demo.{name}") for name in names})
    planned = read(world.json("pricing"), "channel.price.version", found.price_version_planned, "valid_from", "state")
    assert planned.state == "approved"
    [user] = world.json("admin").call("res.users", "search_read", [("login", "=", "dealer")], ["commercial_partner_id"])
    found.own = user["commercial_partner_id"][0]
    found.planned_from = date.fromisoformat(planned.valid_from)
    return found


def _quote(client, member, product, customer=None, day=None):
    [answer] = client.call(
        "channel.pricing", "quote", member_id=member, lines=[{"product_id": product}],
        **({"customer_id": customer} if customer else {}), **({"date": iso(day)} if day else {}),
    )
    return answer


def _codes(answer):
    return [step["code"] for step in answer["steps"]]


# --- Versions ---


def test_each_day_has_the_price_of_its_version(world, story):
    def on(day):
        answer = _quote(
            world.json2("manager"), story.dealer_D001, story.product_HC_020, story.hospital_350000_000, day
        )
        [version] = [step for step in answer["steps"] if step["code"] == "version"]
        return exact(answer["price_unit"]), version["number"]

    assert on(TODAY - timedelta(days=200)) == (PLATE_TODAY, 1)
    assert on(TODAY) == (PLATE_TODAY, 1)
    assert on(story.planned_from - timedelta(days=1)) == (PLATE_TODAY, 1)
    assert on(story.planned_from) == (PLATE_PLANNED, 2)
    assert on(story.planned_from + timedelta(days=400)) == (PLATE_PLANNED, 2)


def test_an_approved_version_does_not_change(world, story):
    pricing = world.xml("pricing")
    [rule] = pricing.call(
        "product.pricelist.item", "search", [("channel_version_id", "=", story.price_version_planned)], limit=1
    )
    with pytest.raises(Refused) as refused:
        pricing.call("product.pricelist.item", "write", [rule], {"fixed_price": 1.0})
    assert refused.value.kind == "UserError"
    draft = world.ref("channel_demo.price_version_draft")
    with pytest.raises(Refused) as own_work:
        pricing.call("channel.price.version", "action_approve", [draft])
    assert own_work.value.kind == "UserError"


def test_the_draft_has_findings_that_stop_it(world):
    draft = world.ref("channel_demo.price_version_draft")
    rows = world.json("auditor").call(
        "channel.price.issue", "search_read", [("version_id", "=", draft), ("state", "=", "open")], ["code", "severity"]
    )
    found = {(row["code"], row["severity"]) for row in rows}
    assert {("below_cost", "block"), ("inversion_tier", "warn")} <= found
    with pytest.raises(Refused) as refused:
        world.json("manager").call("channel.price.version", "action_approve", [draft])
    assert refused.value.kind == "UserError"
    assert read(world.json("auditor"), "channel.price.version", draft, "state").state == "draft"


# --- What who is told ---


def test_sales_quotes_without_floors(world, story):
    told = _quote(world.json2("sales.east"), story.dealer_D001, story.product_HC_002, story.hospital_350000_000)
    assert "segments" in _codes(told)
    assert "floor" not in _codes(told)


def test_a_dealer_is_told_the_same_price_and_less_about_it(world, story):
    ours = _quote(world.json2("manager"), story.own, story.product_HC_002)
    theirs = _quote(world.xml("dealer"), story.own, story.product_HC_002)
    assert exact(theirs["price_unit"]) == exact(ours["price_unit"])
    assert {"won", "segments"} <= set(_codes(ours))
    assert set(_codes(theirs)) <= {"pricelist", "won", "no_rule", "offer", "price"}
    other = next(partner for partner in (story.dealer_D001, story.dealer_D003) if partner != story.own)
    with pytest.raises(Refused):
        _quote(world.xml("dealer"), other, story.product_HC_002)


def test_the_pages_of_a_dealer_show_the_price_of_the_quote(world, story):
    price = exact(_quote(world.xml("dealer"), story.own, story.product_HC_002)["price_unit"])
    pages = world.pages("dealer")
    answer = pages.get("/my/prices?search=HC-002")
    if answer.status in (301, 302, 303):
        answer = pages.get(answer.headers["Location"].removeprefix(pages.url))
    assert answer.status == 200
    assert "HC-002" in answer.text
    assert f"{price:,.2f}" in answer.text


# --- Special prices ---


def test_a_request_sent_twice_is_one(world, story):
    values = {
        "lines": [{"product_id": story.product_HC_002, "quantity": 5, "price": 1100.0}],
        "customer_id": story.hospital_310000_000, "reason": "Competitor offers less", "competitor": "Other Maker",
        "date_to": iso(TODAY + timedelta(days=30)), "submit": False,
    }
    key = f"ACC-{TODAY:%Y%m%d}-{uuid.uuid4().hex[:8]}"
    dealer = world.xml("dealer")
    first = dealer.call("channel.price.request", "submit", values, key)
    again = dealer.call("channel.price.request", "submit", {**values, "reason": "Sent again"}, key)
    assert again["reference"] == first["reference"]
    assert dealer.call("channel.price.request", "status", key)["state"] == first["state"]
    found = world.json("auditor").call(
        "channel.price.request", "search_count", [("external_id", "=", key)]
    )
    assert found == 1


def test_special_price_and_its_counter(world, story):
    status = world.json2("sales.east").call("channel.price.request", "status", reference="CRM-DEMO-2041")
    assert (status["state"], status["member_id"]) == ("approved", story.dealer_D003)
    [line] = status["lines"]
    assert (line["quantity"], line["used"], line["remaining"]) == (60, 20, 40)
    order = read(world.json("manager"), "sale.order", world.ref("channel_demo.order_special_price"),
                 "state", "order_line")
    sold = read(world.json("manager"), "sale.order.line", order.order_line[0], "price_unit", "product_uom_qty")
    assert (order.state, exact(sold.price_unit), sold.product_uom_qty) == ("sale", SPECIAL, 20)
    # For this hospital only.
    ask = world.json2("manager"), story.dealer_D003, story.product_HC_002
    there = _quote(*ask, story.hospital_310000_000)
    assert exact(there["price_unit"]) == SPECIAL
    assert "special_price" in _codes(there)
    assert exact(_quote(*ask)["price_unit"]) > SPECIAL


# --- Limits ---


def test_sale_below_the_floor_is_on_record(world):
    order = world.ref("channel_demo.order_below_floor")
    sales, auditor = world.xml("sales.east"), world.json("auditor")
    assert read(auditor, "sale.order", order, "state").state == "draft"
    with pytest.raises(Refused) as refused:
        sales.call("sale.order", "action_confirm", [order])
    assert "HC-002" in str(refused.value)
    assert "1,150" not in str(refused.value)
    found = auditor.call(
        "channel.gate.finding", "search_read", [("code", "=", "price_floor"), ("severity", "=", "block")], ["message"]
    )
    assert found
    assert not any("1,150" in row["message"] for row in found)


def test_offers_combine_as_the_policy_says(world):
    """10 % off 1,000 leave 900, the better promotion would take 20 % of it: 180; both may take 250 together."""
    policy = world.ref("channel_demo.stacking_policy")
    tier = {"key": "gold", "kind": "percent", "value": 10, "group": "tier"}
    spring = {"key": "spring", "kind": "percent", "value": 5, "group": "season"}
    fair = {"key": "fair", "kind": "percent", "value": 20, "group": "season"}
    both, capped = world.json2("sales.east").call("channel.stacking.policy", "combine", ids=[policy], lines=[
        {"amount": 1000.0, "offers": [spring, tier]},
        {"amount": 1000.0, "offers": [spring, tier, fair]},
    ])
    assert (exact(both["amount"]), exact(both["taken"])) == (Decimal("855.0"), Decimal("145.0"))
    assert exact(capped["amount"]) == Decimal("750.0")
    lost = {step["key"]: step["reason"] for step in capped["steps"] if step["code"] == "offer_lost"}
    assert lost == {"spring": "best"}
