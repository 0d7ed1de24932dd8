"""Fixtures for tests from outside Odoo's process, and the order of the run."""

import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools import demo, testing  # noqa: E402  (the path must be set first)


@dataclass
class Served:
    """A served Odoo with the story, for clients outside its process."""

    url: str
    db: str
    #: rows of the story's table of logins: dicts with `role`, `login`, `password`, `what`
    logins: list = field(repr=False)
    port: int

    def login(self, role):
        """:return: ``(login, password)`` of the first user of this role"""
        for row in self.logins:
            if row["role"] == role:
                return row["login"], row["password"]
        raise KeyError(f"no login of role {role!r}; there are {sorted({row['role'] for row in self.logins})}")


@pytest.fixture(scope="session")
def workshop():
    """Odoo, its environment and a database server, as `./channel` has them."""
    with testing.workshop(test=True) as shop:
        yield shop


@pytest.fixture(scope="session")
def suite_template(workshop):
    """Name of the database template that has every add-on but the story."""
    return testing.suite(workshop)


@pytest.fixture(scope="session")
def served_demo(workshop):
    """The story's database, cloned for this run and served by an Odoo of its own, as `./channel demo` serves it."""
    template = demo.story(workshop)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (
        workshop.throwaway(template, "acceptance") as database,
        demo.served(workshop, database, port, log=testing.ACCEPTANCE_LOG, cron=False) as (_address, _process),
    ):
        yield Served(f"http://127.0.0.1:{port}", database, demo.logins(), port)


#: Within one pytest: quick checks of the files first, so that they fail first; the log last, when all that writes to it
#: has run.
_ORDER = ("tests/test_", "addons/", "tests/acceptance/", "tests/test_lifecycle", "tests/test_log")


def _rank(item):
    place = Path(item.fspath).relative_to(ROOT).as_posix()
    return max((rank for rank, start in enumerate(_ORDER) if place.startswith(start)), default=1)


def pytest_collection_modifyitems(items):
    items.sort(key=_rank)
