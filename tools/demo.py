"""`./channel demo`: the story in a database, served."""

import contextlib
import csv
import errno
import signal
import socket
import subprocess
import time
import unicodedata
import urllib.error
import urllib.request

from .common import ADDONS, LOGS, Fault, last_error, say, stop_process
from .databases import addons, hashes

DATABASE = "channel_demo"
LOGINS = ADDONS / "channel_demo/data/logins.csv"


def story_addons():
    """What the demo installs: the story, and with it all that it depends on, and no add-on that is for tests only."""
    return [name for name in addons() if not name.startswith("test_")]


def story(shop, of_today=False):
    """Name of the template that holds the story."""
    return shop.template("story", story_addons(), of_today)


def logins():
    """The story's users: dicts with `role`, `login`, `password`, `what`."""
    if not LOGINS.exists():
        return [{"role": "Administrator", "login": "admin", "password": "admin", "what": "everything"}]
    with open(LOGINS, newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


def prepare(shop, fresh):
    """Make the demo database, or bring it up to date with the add-ons' files."""
    note = shop.state(DATABASE)
    wanted = hashes(story_addons())
    if note == {} and not fresh:
        raise Fault(f"There is a database {DATABASE} that this command did not make: "
                    "rename it, or give --fresh to drop it.")
    if fresh or not note or note["state"] != "whole" or not shop.filestore(DATABASE).exists():
        shop.clone(story(shop, of_today=fresh), DATABASE, state="building")
        shop.mark_whole(DATABASE, kind="demo", addons=wanted)
        return
    known = note.get("addons", {})
    changed = [name for name in wanted if known.get(name) != wanted[name]]
    if note["ground"] != shop.ground:
        update(shop, ["all"], [name for name in wanted if name not in known], wanted)
    elif changed:
        update(shop, [name for name in changed if name in known], [n for n in changed if n not in known], wanted)
    else:
        say("- The demo database is up to date.")


def update(shop, names, new, wanted):
    log = LOGS / "update.log"
    args = ["-u", ",".join(names)] if names else []
    args += ["-i", ",".join(new)] if new else []
    shop.odoo(f"Updating {', '.join([*names, *new])} in {DATABASE}", DATABASE, *args, log=log)
    shop.mark_whole(DATABASE, kind="demo", addons=wanted)


def require_port(host, port):
    """Refuse at once what would fail only after minutes of building."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        code = getattr(error, "errno", None)
        if code == errno.EADDRINUSE:
            raise Fault(f"Port {port} is taken: stop what listens there, or choose another with --port.") from error
        if code == errno.EACCES:
            raise Fault(f"Port {port} is for root only: choose one above 1023 with --port.") from error
        raise Fault(f"Nothing can listen on {host}:{port} ({error}): choose others with --host, --port.") from error


@contextlib.contextmanager
def served(shop, database, port, host="127.0.0.1", log=None, cron=True):
    """Odoo serving one database as a child; the block runs while it does.

    :return: the address
    """
    log = log or LOGS / "serve.log"
    with open(log, "w") as out:
        process = subprocess.Popen(
            [str(part) for part in shop.command(
                "-c", shop.conf, "-d", database, "--db-filter", f"^{database}$", "--http-interface", host,
                "--http-port", port, "--workers", 0, "--max-cron-threads", 1 if cron else 0)],
            stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=shop.environ(), start_new_session=True,
        )
        try:
            shown = "localhost" if host in ("127.0.0.1", "0.0.0.0") else host
            address = f"http://{shown}:{port}"
            _await(process, f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/web/login", log)
            yield address, process
        finally:
            stop_process(process)


def _await(process, address, log):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Fault(f"Odoo ended at once: {last_error(log)} (its log is {log})")
        try:
            # The first page also builds the assets, so that the first visitor does not wait for them.
            with urllib.request.urlopen(address, timeout=120) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            raise Fault(f"Odoo answers {error.code} at {address}: {last_error(log)} (its log is {log})") from error
        except OSError:
            time.sleep(0.3)
    raise Fault(f"Odoo did not answer at {address} within two minutes: its log is {log}.")


def _width(text):
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def show_logins(address):
    """Print the address and who can log in."""
    columns = ("role", "login", "password", "what")
    rows = [dict(zip(columns, columns, strict=True)), *logins()]
    widths = {name: max(_width(row.get(name) or "") for row in rows) for name in columns}
    say(f"\nChannel Suite is at {address}\n")
    for number, row in enumerate(rows):
        cells = [(row.get(name) or "") + " " * (widths[name] - _width(row.get(name) or "")) for name in columns]
        say(("  " + "  ".join(cells)).rstrip())
        if not number:
            say("  " + "  ".join("-" * widths[name] for name in columns))


def serve(shop, host, port):
    """Serve the demo until Ctrl-C or a request to end."""
    def ended(_number, _frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, ended)
    with served(shop, DATABASE, port, host, log=LOGS / "demo.log") as (address, process):
        show_logins(address)
        say(f"\nLog: {LOGS / 'demo.log'}. Ctrl-C stops it; the next ./channel demo starts in seconds.")
        try:
            process.wait()
        except KeyboardInterrupt:
            say("\n- Stopping Odoo and PostgreSQL")
            return 0
    raise Fault(f"Odoo ended by itself: {last_error(LOGS / 'demo.log')} (its log is {LOGS / 'demo.log'})")
