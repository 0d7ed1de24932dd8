"""Databases: built from add-ons, kept per hash of what they were built from, cloned in a second.

A database's comment says what it is. It is written last, so that a build that was cut off is known as such; it is not
copied by a clone, and it goes away with the database.
"""

import contextlib
import datetime
import json
import os
import re
import shutil
from pathlib import Path

from . import environment
from .common import (
    ADDONS,
    LOGS,
    ROOT,
    STATE,
    Fault,
    locked,
    remove_tree,
    require_disk,
    run,
    text_hash,
    tree_hash,
)

DATA = STATE / "data"
LANGUAGES = ("en_US", "zh_CN")
MARK = "channel-suite "

#: What is no part of a built database: tests run from the files, and texts and pictures are not loaded.
NOT_BUILT = ("tests", "readme", "static/description", "pyproject.toml", "migrations")

_LOADING = re.compile(r"Loading module (\S+) \((\d+)/(\d+)\)")
_STORY = re.compile(r" INFO \S+ odoo\.addons\.channel_demo\S*: (.+?)\s*$")
_LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \d+ (WARNING|ERROR|CRITICAL) (.*)")


def manifest(addon):
    return eval((ADDONS / addon / "__manifest__.py").read_text(), {"__builtins__": {}})  # noqa: S307


def addons():
    """Names of the suite's add-ons."""
    return sorted(path.parent.name for path in ADDONS.glob("*/__manifest__.py"))


def closure(names):
    """These add-ons and all of the suite that they depend on."""
    todo, seen, own = list(names), set(), set(addons())
    while todo:
        name = todo.pop()
        if name in own and name not in seen:
            seen.add(name)
            todo += manifest(name).get("depends", [])
    return sorted(seen)


def foreign(names):
    """What these add-ons need from core and OCA."""
    own = set(addons())
    return sorted({need for name in closure(names) for need in manifest(name).get("depends", [])} - own)


def hashes(names):
    """`{add-on: hash of its files}` for these add-ons and what they need of the suite."""
    return {name: tree_hash(ADDONS / name, NOT_BUILT) for name in closure(names)}


class Workshop:
    """Builds and clones databases on one server with one Odoo."""

    def __init__(self, source, connection):
        self.source, self.connection = source, connection
        #: Changes when Odoo, a requirement, or the place of the files changes.
        self.ground = text_hash(ROOT, source.key, environment.key())
        self.conf = STATE / "odoo.conf"
        self._write_conf()

    def _write_conf(self):
        options = {
            **self.connection.options(),
            "addons_path": ",".join(str(path) for path in (*self.source.addons, ADDONS)),
            "data_dir": DATA, "list_db": False, "http_interface": "127.0.0.1", "max_cron_threads": 0,
            "limit_time_real": 0, "limit_time_cpu": 3600, "limit_memory_soft": 0, "limit_memory_hard": 0,
        }
        text = "[options]\n" + "".join(f"{name} = {value}\n" for name, value in options.items())
        if not self.conf.exists() or self.conf.read_text() != text:
            part = self.conf.with_suffix(".part")
            # It holds the database password.
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                out.write(text)
            part.rename(self.conf)

    # === Odoo =======================================================================================================

    def command(self, *args):
        return [environment.PYTHON, "-m", "odoo", *args]

    def environ(self, **more):
        return environment.for_odoo(self.source, **self.connection.environ(), **more)

    def odoo(self, what, database, *args, log, http=False):
        """Run the Odoo server to its end on one database.

        :raise Fault: when it fails, or when an add-on was not loaded although Odoo went on
        """
        def watch(line):
            found = _LOADING.search(line)
            if found:
                return f"{found[1]} ({found[2]}/{found[3]})"
            # The story is the longest step of its build, and says itself how far it is.
            found = _STORY.search(line)
            return found and found[1]

        run(self.command("-c", self.conf, "-d", database, "--stop-after-init", *([] if http else ["--no-http"]),
                         *args), what, log, env=self.environ(), watch=watch, cwd=STATE)

    # === databases ==================================================================================================

    def state(self, name):
        """None when there is no such database, else what its comment says (`{}` for a foreign one)."""
        rows = self.connection.sql(
            "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = :'name'",
            name=name)
        if not rows:
            return None
        note = rows[0][0]
        return json.loads(note[len(MARK):]) if note.startswith(MARK) else {}

    def _note(self, name, **note):
        self.connection.sql("""COMMENT ON DATABASE :"name" IS :'note'""", name=name,
                            note=MARK + json.dumps({**note, "root": str(ROOT)}))

    def filestore(self, name):
        return DATA / "filestore" / name

    def whole(self, name):
        note = self.state(name)
        return bool(note and note.get("state") == "whole" and self.filestore(name).exists())

    def drop(self, name):
        self.connection.sql("""DROP DATABASE IF EXISTS :"name" WITH (FORCE)""", name=name)
        remove_tree(self.filestore(name))

    def clone(self, template, name, **note):
        """A copy of a database with its files. The note marks it as unfinished unless it says otherwise."""
        self.drop(name)
        self.connection.sql("""CREATE DATABASE :"name" TEMPLATE :"template" """, name=name, template=template)
        self._note(name, **{"state": "clone", "pid": os.getpid(), **note})
        if self.filestore(template).exists():
            shutil.copytree(self.filestore(template), self.filestore(name))
        else:
            self.filestore(name).mkdir(parents=True)

    @contextlib.contextmanager
    def throwaway(self, template, kind):
        """A clone that lives as long as the block."""
        name = f"channel_{kind}_{os.getpid()}"
        self.clone(template, name)
        try:
            yield name
        finally:
            self.drop(name)

    def sweep(self):
        """Drop what killed commands left behind."""
        for name, note in self._ours():
            if note.get("state") == "clone" and not Path(f"/proc/{note.get('pid', 0)}").exists():
                self.drop(name)

    def _ours(self):
        for name, comment in self.connection.sql(
                "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database "
                "WHERE shobj_description(oid, 'pg_database') LIKE :'mark'", mark=MARK + "%"):
            note = json.loads(comment[len(MARK):])
            if note.get("root") == str(ROOT):
                yield name, note

    def _forget(self, kind, keep):
        """Templates of one kind that were built from something else are of no use any more."""
        for name, note in list(self._ours()):
            if note.get("kind") == kind and name != keep:
                self.drop(name)

    # === builds =====================================================================================================

    def log_of(self, name):
        return LOGS / f"build-{name}.log"

    def base(self):
        """The template with what the suite needs from core and OCA, and both languages: it changes seldom."""
        needs = foreign(addons())
        name = f"channel_base_{text_hash(self.ground, *needs, *LANGUAGES)}"
        with locked(name):
            if not self.whole(name):
                require_disk()
                # Odoo makes the database itself, with the extensions that it wants.
                self.drop(name)
                self.odoo("Building the database of Odoo and OCA add-ons", name, "-i", ",".join(needs),
                          "--load-language", ",".join(LANGUAGES), log=self.log_of(name))
                self._finish(name, kind="base")
        return name

    def template(self, kind, names, of_today=False):
        """A template with these add-ons of the suite, kept until one of their files changes.

        :param of_today: build it again when it is of another day, for data that count back from the day of the build
        """
        parts = hashes(names)
        name = f"channel_{kind}_{text_hash(self.ground, *foreign(names), json.dumps(parts))}"
        with locked(name):
            if not self.whole(name) or (of_today and self.state(name)["built"] != str(datetime.date.today())):
                base = self.base()
                self.clone(base, name, state="building")
                self.odoo(f"Installing {', '.join(names)}" if len(names) < 4 else "Installing the suite", name, "-i",
                          ",".join(names), log=self.log_of(name))
                self._finish(name, kind=kind, addons=parts)
        return name

    def _finish(self, name, **note):
        require_installed(self.log_of(name))
        self.filestore(name).mkdir(parents=True, exist_ok=True)
        self.mark_whole(name, **note)
        self._forget(note["kind"], name)

    def mark_whole(self, name, **note):
        """Say in the database's comment that it is complete, and of what it was made."""
        self._note(name, state="whole", ground=self.ground, built=str(datetime.date.today()), **note)


def require_installed(log):
    """Odoo reports some failed installs in its log only and still ends with success."""
    for level, line in faults_in(log):
        if level != "WARNING":
            raise Fault(f"Odoo built the database with an error: {line[:300]} "
                        f"(the whole log is {log.relative_to(ROOT)})")


def faults_in(log):
    """Yield `(level, text)` for each line of an Odoo log at WARNING or above."""
    with open(log, errors="replace") as lines:
        for line in lines:
            found = _LOG_LINE.match(line)
            if found:
                yield found[1], found[2].strip()


