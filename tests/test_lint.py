"""The checks of `./channel lint`, and the ones that Odoo has for its own add-ons."""

import pytest

from tools import lint
from tools.common import LOGS

#: The parts of core's `test_lint` that look at add-ons other than core's own.
CORE_TAGS = ",".join(f"/test_lint:{name}" for name in (
    "TestIndex", "TestNaming", "TestLintOverrideSignatures", "RoutesLinter", "TestDunderinit", "TestTestHoles",
    "TestManifests", "TestPoFiles",
))


@pytest.mark.parametrize("name", lint.CHECKS)
def test_lint(name):
    found = lint.CHECKS[name]()
    assert not found, f"{name} found:\n{found}"


def test_core_lint(workshop, suite_template):
    log = LOGS / "core-lint.log"
    with workshop.throwaway(suite_template, "lint") as database:
        workshop.odoo("Core's test_lint", database, "-i", "test_lint", "--test-tags", CORE_TAGS, log=log)
    text = log.read_text()
    assert "test_lint" in text and " tests in " in text, f"test_lint did not run: see {log}"
