"""A WARNING in Odoo's log is a fault: when the suite is installed, when it is tested, when it is served."""

import os
from pathlib import Path

import pytest

from tools import databases, demo, testing

#: Lines that do not come from the suite and that it cannot avoid, each with the reason why it is harmless.
HARMLESS = (
    # Debian's wkhtmltopdf is built without patched Qt; no report of the suite needs what it leaves out.
    "is not support using unpatched qt",
)


def _faults(log):
    return [
        f"{level} {line}" for level, line in databases.faults_in(log)
        if not any(text in line for text in HARMLESS)
    ]


def test_build_log(workshop, suite_template):
    found = _faults(workshop.log_of(suite_template))
    assert not found, "building the database wrote:\n" + "\n".join(found)


def test_base_log(workshop):
    found = _faults(workshop.log_of(workshop.base()))
    assert not found, "installing core and OCA add-ons wrote:\n" + "\n".join(found)


def test_run_log():
    log = os.environ.get("CHANNEL_TEST_LOG")
    if not log:
        pytest.skip("only ./channel test writes the log of the run")
    found = _faults(Path(log))
    assert not found, "this run wrote:\n" + "\n".join(found)


@pytest.mark.skipif(not testing.ACCEPTANCE.exists(), reason="no test serves the story")
def test_served_log(workshop, served_demo):
    found = _faults(workshop.log_of(demo.story(workshop))) + _faults(testing.ACCEPTANCE_LOG)
    assert not found, "building or serving the story wrote:\n" + "\n".join(found)
