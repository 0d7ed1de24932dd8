"""Rebates from outside: what adds up, how far the next tier is, an appeal and a statement, and who sees whose.

All of it is of the demonstration story, whose programme QVR pays quarterly on everything that was invoiced.
"""

import uuid
from types import SimpleNamespace

import pytest
from acceptance_clients import Refused
from acceptance_world import TODAY, exact, iso


@pytest.fixture(scope="module")
def own(world):
    """The dealer's own company, and its windows, newest first."""
    [user] = world.json("admin").call("res.users", "search_read", [("login", "=", "dealer")], ["commercial_partner_id"])
    windows = world.xml("dealer").call(
        "channel.rebate.balance", "search_read", [], ["window_start", "window_end", "entitlement", "open_amount"]
    )
    assert windows
    return SimpleNamespace(member=user["commercial_partner_id"][0], windows=windows)


def test_everything_adds_up(world):
    assert world.json("auditor").call("channel.rebate.identity", "check") == []
    with pytest.raises(Refused):
        world.xml("dealer").call("channel.rebate.identity", "check")


def test_how_far_the_next_tier_is(world, own):
    ours = world.json2("finance").call("channel.rebate.program", "progress", member_id=own.member)
    theirs = world.xml("dealer").call("channel.rebate.program", "progress", own.member)
    assert theirs == ours
    current = [row for row in theirs if row["window_end"] >= iso(TODAY)]
    assert current
    for row in current:
        if row["to_go"] is not None:
            assert exact(row["to_go"]) == exact(row["next_from"]) - exact(row["measure"])
        assert row["name"] in row["words"]


def test_an_appeal_sent_twice_is_one(world, own):
    values = {
        "balance_id": own.windows[0]["id"], "reason": "line_missing", "description": "An invoice is missing.",
        "claimed_amount": 12.5,
    }
    key = f"ACC-{uuid.uuid4().hex[:10]}"
    dealer = world.xml("dealer")
    first = dealer.call("channel.dispute", "submit", values, key)
    again = dealer.call("channel.dispute", "submit", {**values, "description": "Sent again"}, key)
    assert again["reference"] == first["reference"]
    assert dealer.call("channel.dispute", "status", key)["state"] == "submitted"
    with pytest.raises(Refused):
        world.xml("dealer2").call("channel.dispute", "status", key)
    with pytest.raises(Refused):
        world.xml("dealer2").call("channel.dispute", "submit", values, key)


def test_a_statement_is_frozen_and_proves_itself(world, own):
    closed = next(row for row in own.windows if row["window_end"] < iso(TODAY))
    period = [closed["window_start"], closed["window_end"]]
    finance = world.json("finance")
    [statement] = finance.call("channel.rebate.statement", "make", [own.member], period)
    assert finance.call("channel.rebate.statement", "make", [own.member], period) == [statement]
    auditor = world.json("auditor")
    assert auditor.call("channel.rebate.statement", "replay", [statement]) == []
    assert auditor.call("channel.rebate.statement", "compare", [statement]) == []
    with pytest.raises(Refused):
        world.xml("dealer").call("channel.rebate.statement", "read", [statement], ["content"])  # a draft
