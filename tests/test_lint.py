"""The checks of `./channel lint`, and the ones that Odoo has for its own add-ons."""

import contextlib
import re

import pytest

from tools import lint
from tools.common import LOGS, STATE, Fault

#: The parts of core's `test_lint` that look at the add-ons of others too, and need nothing but Python.
CORE_TAGS = ",".join(
    f"/test_lint:{name}"
    for name in (
        "TestConflictMarkers",
        "TestDunderinit",
        "TestIndex",
        "TestLintOverrideSignatures",
        "TestNaming",
        "TestOnchangeDomains",
        "TestTestHoles",
        "ManifestLinter",
        "RoutesLinter",
    )
)

#: Inverse fields that need no index of their own, with the index that serves them (core's check has such a list too).
INDEXED_OTHERWISE = {
    "channel.gate.finding.res_id": "_document_fact_uniq starts with (res_model, res_id), and is asked with both",
    "channel.rebate.balance.program_id": "first of _window_unique",
    "channel.segment.membership.segment_id": "first of _segment_side_partner_uniq",
}

#: OCA's queue has channels too.
_OF_QUEUE = re.compile(r"queue[._]job")
_FAILURE = re.compile(r"ERROR \S+ odoo\.addons\.test_lint\S*: (?:FAIL|ERROR): (.+)")
_NEXT = re.compile(r"\d{4}-\d\d-\d\d \d\d:")


def failures(text):
    """`{test: lines}` of what core's checks say about the suite; what they say about OCA's add-ons is not ours."""
    found, name = {}, None
    # The path of the state folder holds the suite's name, and OCA's add-ons lie in it.
    for line in text.replace(str(STATE), "").splitlines():
        failure = _FAILURE.search(line)
        if failure or _NEXT.match(line):
            name = failure and failure[1]
        elif name and "channel" in line and not _OF_QUEUE.search(line) and (
            line.partition(" ")[0] not in INDEXED_OTHERWISE
        ):
            found.setdefault(name, []).append(line)
    return found


@pytest.mark.parametrize("name", lint.CHECKS)
def test_lint(name):
    found = lint.CHECKS[name]()
    assert not found, f"{name} found:\n{found}"


def test_core_lint(workshop, suite_template):
    log = LOGS / "core-lint.log"
    with workshop.throwaway(suite_template, "lint") as database, contextlib.suppress(Fault):
        # It ends with a fault when a check fails for whatever add-on; which one is read from the log.
        workshop.odoo("Core's test_lint", database, "-i", "test_lint", "--test-tags", CORE_TAGS, log=log)
    text = log.read_text()
    assert re.search(r"\d+ failed, \d+ error\(s\) of (?!0 )\d+ tests", text), f"test_lint did not run: see {log}"
    found = failures(text)
    assert not found, "\n".join(f"{name}: {line}" for name, lines in found.items() for line in lines)


def test_core_lint_is_read():
    """The reader above sees what core's checks write, so that it cannot pass for want of understanding."""
    stamp = "2026-01-02 03:04:05,678 9"
    text = "\n".join([
        f"{stamp} ERROR db odoo.addons.test_lint.tests.test_index: FAIL: TestIndex.test_x",
        "AssertionError: The following fields should be indexed",
        "channel.gate.finding.res_id (inverse of sale.order.channel_finding_ids)",
        "channel.alert.user_id (inverse of res.users.channel_alert_ids)",
        f"{stamp} INFO db odoo.modules.loading: Module channel_base loaded",
        f"{stamp} ERROR db odoo.addons.test_lint.tests.test_test_holes: FAIL: TestTestHoles.test_check_tests",
        f"AssertionError: none found in {STATE}/venv/lib/odoo/addons/base_tier_validation",
        "queue.job.function.channel_id (inverse of queue.job.channel.job_function_ids)",
    ])
    assert failures(text) == {"TestIndex.test_x": ["channel.alert.user_id (inverse of res.users.channel_alert_ids)"]}
