"""A WARNING in Odoo's log is a fault: when the suite is installed, when it is tested, when it is served."""

import os
from pathlib import Path

import pytest

from tools import databases, demo, testing

#: Lines that do not come from the suite and that it cannot avoid, each with the reason why it is harmless.
HARMLESS = (
    # Debian's wkhtmltopdf is built without patched Qt; no report of the suite needs what it leaves out.
    "is not support using unpatched qt",
    # Core's own look at a broken upload, which a test makes on purpose, on a machine without libmagic.
    "odoo.tools.mimetypes.guess_mimetype: Sub-checker",
)

#: Of a served Odoo only, and only as a WARNING: what the acceptance tests make it say on purpose.
PROVOKED = (
    " odoo.http: ",  # a refusal that was answered to a client; what was not meant to be refused fails its test
    " odoo.addons.rpc.controllers.",  # Odoo 19 calls JSON-RPC and XML-RPC deprecated at each call; partners use both
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
    logs = [Path(log) for log in os.environ.get("CHANNEL_TEST_LOG", "").split(os.pathsep) if log]
    if not logs:
        pytest.skip("only ./channel test writes the logs of the run")
    found = [f"{log.name}: {fault}" for log in logs if log.exists() for fault in _faults(log)]
    assert not found, "this run wrote:\n" + "\n".join(found)


def test_served_log(workshop):
    if not testing.ACCEPTANCE_LOG.exists():
        pytest.skip("only the acceptance tests write the log of a served story")
    served = [
        line for line in _faults(testing.ACCEPTANCE_LOG)
        if not (line.startswith("WARNING ") and any(text in line for text in PROVOKED))
    ]
    found = _faults(workshop.log_of(demo.story(workshop))) + served
    assert not found, "building or serving the story wrote:\n" + "\n".join(found)
