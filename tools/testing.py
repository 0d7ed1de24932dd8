"""`./channel test`: pytest on throwaway clones of a prepared database.

What is named runs as one pytest, whose output is the user's own. The whole suite runs in parts, as many at a time as
the machine has cores, each on a clone and with a log of its own.
"""

import contextlib
import os
import re
import subprocess
import threading
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from . import browser, environment, odoo_source, postgres
from .common import ADDONS, LOGS, ROOT, Fault, say, stop_process
from .databases import Workshop, addons

#: of the server that the acceptance tests call
ACCEPTANCE_LOG = LOGS / "acceptance.log"
ACCEPTANCE = ROOT / "tests/acceptance"
LOG_CHECK = ROOT / "tests/test_log.py"

#: A part of an add-on's tests weighs no more than this, so that no core is left with the longest one at the end.
PART_WEIGHT = 200
#: A browser tour takes as long as so many other tests.
TOUR_WEIGHT = 12
#: A part needs about 1 GB with its browser: more cores than this are of no use on ordinary machines.
MOST_AT_A_TIME = 8

#: pytest's exit code when nothing was selected, as by `-k`
_NOTHING_RUN = 5


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


def main(paths, more):
    """:param more: arguments handed to pytest as they are. :return: the exit code"""
    with workshop(test=True) as shop:
        browser.get()
        template = suite(shop)
        if not paths:
            return _Whole(shop, template, more).run()
        log = log_of("named")
        with shop.throwaway(template, "run") as database:
            say(f"- Testing; Odoo's log is {log.relative_to(ROOT)}")
            # pytest's closing line is the last of all: nothing is said after it.
            args, environ = _pytest(shop, database, "named", [_absolute(path) for path in paths], more)
            return subprocess.call(args, cwd=ROOT, env=environ)


def log_of(part):
    """Odoo's log of one pytest."""
    return LOGS / f"test-{part}.log"


def _absolute(path):
    place, colons, node = path.partition("::")
    return f"{Path(place).resolve()}{colons}{node}"


def _pytest(shop, database, name, paths, more, logs=None):
    """The command and the environment of one pytest.

    :param logs: what `tests/test_log.py` reads besides the log of this pytest
    """
    log = log_of(name)
    log.unlink(missing_ok=True)
    args = [
        environment.PYTHON, "-m", "pytest", f"--rootdir={ROOT}", "-c", ROOT / "pytest.ini",
        f"--odoo-config={shop.conf}", f"--odoo-database={database}", "--odoo-http", "--odoo-log-level=info",
        "--odoo-extra", f"logfile={log}", *paths, *more,
    ]
    environ = shop.environ(CHANNEL_TEST_LOG=os.pathsep.join(map(str, [*(logs or []), log])),
                           COLUMNS=os.environ.get("COLUMNS", "100"))
    return [str(arg) for arg in args], environ


@dataclass
class Part:
    """Test files that one pytest runs."""

    name: str
    paths: list
    weight: int


def weight(path):
    """How long a test file takes, roughly, in tests."""
    text = path.read_text()
    return len(re.findall(r"^ +def test_|^def test_", text, re.MULTILINE)) + TOUR_WEIGHT * text.count("start_tour(")


def parts():
    """All test files of the repository but the check of the logs, in parts; what takes longest comes first."""
    found = []
    for addon in addons():
        files = sorted((ADDONS / addon / "tests").glob("**/test_*.py"), key=lambda path: (-weight(path), path))
        bins = [Part(addon, [], 0) for _bin in range(-(-sum(map(weight, files)) // PART_WEIGHT))]
        for path in files:
            lightest = min(bins, key=lambda part: part.weight)
            lightest.paths.append(path)
            lightest.weight += weight(path)
        for number, part in enumerate(bins, 1):
            if len(bins) > 1:
                part.name = f"{addon}-{number}"
        found += bins
    own = [path for path in sorted((ROOT / "tests").glob("test_*.py")) if path != LOG_CHECK]
    # Each file of its own here builds or removes databases, which takes longer than the number of its tests says.
    found.append(Part("repository", own, 2 * PART_WEIGHT))
    if ACCEPTANCE.exists():
        # It builds the story first: nothing takes longer.
        found.append(Part("acceptance", [ACCEPTANCE], 4 * PART_WEIGHT))
    return sorted(found, key=lambda part: (-part.weight, part.name))


def at_a_time():
    """How many parts run at once.

    :raise Fault: when CHANNEL_JOBS is no whole number above 0
    """
    wanted = os.environ.get("CHANNEL_JOBS")
    if not wanted:
        return min(os.cpu_count() or 1, MOST_AT_A_TIME)
    if not wanted.isdecimal() or not int(wanted):
        raise Fault(f"CHANNEL_JOBS is {wanted!r}: give the number of tests' parts to run at a time, such as 2.")
    return int(wanted)


class _Whole:
    """One run of the whole suite."""

    def __init__(self, shop, template, more):
        self.shop, self.template, self.more = shop, template, list(more)
        self.stopped = threading.Event()
        self.running = set()
        self.passed = self.failed = self.skipped = 0
        self.code = 0

    def run(self):
        todo = parts()
        ACCEPTANCE_LOG.unlink(missing_ok=True)
        say(f"- Testing in {len(todo)} parts, {at_a_time()} at a time; the logs are .channel/log/test-*.log")
        with ThreadPoolExecutor(at_a_time()) as pool:
            try:
                for done in as_completed([pool.submit(self._part, part) for part in todo]):
                    done.result()
            except BaseException:
                self._stop()
                raise
        if not self.stopped.is_set():
            self._part(Part("log", [LOG_CHECK], 0), logs=[log_of(part.name) for part in todo])
        if not self.passed + self.failed + self.skipped:
            say("No test ran.")
            return _NOTHING_RUN
        # The closing line is the last of all: nothing is said after it.
        say(f"\n{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return self.code

    def _stop(self):
        self.stopped.set()
        for process in list(self.running):
            stop_process(process)

    def _part(self, part, logs=None):
        """Run one part to its end, say how it went, and add up."""
        if self.stopped.is_set():
            return
        output, report = LOGS / f"test-{part.name}.out", LOGS / f"test-{part.name}.xml"
        report.unlink(missing_ok=True)
        with self.shop.throwaway(self.template, f"run_{part.name.replace('-', '_')}") as database, \
                open(output, "w") as out:
            args, environ = _pytest(self.shop, database, part.name, part.paths,
                                    [f"--junit-xml={report}", "-o", f"cache_dir={LOGS.parent / 'pytest' / part.name}",
                                     *self.more], logs)
            process = subprocess.Popen(args, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, start_new_session=True)
            self.running.add(process)
            try:
                code = process.wait()
            finally:
                stop_process(process)
                self.running.discard(process)
        if not self.stopped.is_set():
            self._count(part, code, report, output.read_text(errors="replace"))

    def _count(self, part, code, report, text):
        last = (text.strip().splitlines() or ["no output"])[-1].strip("= ")
        bad = code not in (0, _NOTHING_RUN)
        # One write for each part, so that parts which end together do not mix their lines.
        say(f"{text.rstrip()}\n- {part.name} FAILED: {last}" if bad else f"- {part.name}: {last}")
        ran, failed, skipped = _tally(report)
        self.passed += ran - failed - skipped
        # A pytest that failed without a failed test, as by a fault while collecting, is a failure all the same.
        self.failed += failed or int(bad)
        self.skipped += skipped
        if bad:
            self.code = 1
            if {"-x", "--exitfirst"} & set(self.more):
                self._stop()


def _tally(report):
    """:return: (tests run, failed, skipped) of a JUnit report; zeros when there is none"""
    if not report.exists():
        return 0, 0, 0
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314  (pytest's own report)

    def count(*kinds):
        return sum(any(case.find(kind) is not None for kind in kinds) for case in cases)

    return len(cases), count("failure", "error"), count("skipped")


