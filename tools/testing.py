"""`./channel test`: one run of pytest over everything, on a throwaway clone of a prepared database."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from . import browser, environment, odoo_source, postgres
from .common import LOGS, ROOT, say, stop_process
from .databases import Workshop, addons

#: of the process that runs pytest, and of the server that the acceptance tests call
LOG = LOGS / "test.log"
ACCEPTANCE_LOG = LOGS / "acceptance.log"
ACCEPTANCE = ROOT / "tests/acceptance"
WHOLE = ("tests", "addons")


@contextlib.contextmanager
def workshop(test=False):
    """Odoo, the environment and a server, ready to build."""
    source = odoo_source.get()
    environment.get(test)
    with postgres.server() as connection:
        shop = Workshop(source, connection)
        shop.sweep()
        yield shop


def suite(shop):
    """Name of the template for tests: all add-ons of the suite but the story, which tests must not lean on."""
    return shop.template("suite", [name for name in addons() if name != "channel_demo"])


def _absolute(path):
    place, colons, node = path.partition("::")
    return f"{Path(place).resolve()}{colons}{node}"


def _wants_story(paths):
    places = [Path(path.partition("::")[0]) for path in paths]
    return any(place == ACCEPTANCE or ACCEPTANCE in place.parents or place in ACCEPTANCE.parents for place in places)


@contextlib.contextmanager
def _story_meanwhile(paths):
    """Build the story's template on another core while the first tests run."""
    if not (ACCEPTANCE.exists() and _wants_story(paths)):
        yield
        return
    with open(LOGS / "story.log", "w") as out:
        child = subprocess.Popen([sys.executable, str(ROOT / "tools"), "story"], stdout=out, stderr=subprocess.STDOUT,
                                 stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            yield
        finally:
            stop_process(child)


def main(paths, more):
    """:param more: arguments handed to pytest as they are. :return: pytest's exit code"""
    paths = [_absolute(path) for path in paths] or [str(ROOT / name) for name in WHOLE]
    with workshop(test=True) as shop:
        browser.get()
        template = suite(shop)
        LOG.unlink(missing_ok=True)
        with shop.throwaway(template, "run") as database, _story_meanwhile(paths):
            say(f"- Testing; Odoo's log is {LOG.relative_to(ROOT)}")
            # pytest's closing line is the last of all: nothing is said after it.
            return subprocess.call(
                [str(part) for part in (
                    environment.PYTHON, "-m", "pytest", f"--rootdir={ROOT}", "-c", ROOT / "pytest.ini",
                    f"--odoo-config={shop.conf}", f"--odoo-database={database}", "--odoo-http",
                    "--odoo-log-level=info", "--odoo-extra", f"logfile={LOG}", *paths, *more)],
                cwd=ROOT,
                env=shop.environ(CHANNEL_TEST_LOG=str(LOG), CHANNEL_BUILD_LOG=str(shop.log_of(template)),
                                 COLUMNS=os.environ.get("COLUMNS", "100")),
            )
