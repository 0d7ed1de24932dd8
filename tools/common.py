"""What every part of the command shares: places, faults, locks, hashes, and running programs with progress."""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDONS = ROOT / "addons"
STATE = ROOT / ".channel"
LOGS = STATE / "log"

#: What a build needs at its peak, in bytes: Odoo unpacked, the wheels, three databases.
DISK_NEEDED = 4 * 1024**3

_NETWORK = re.compile(
    r"Temporary failure (in name resolution|resolving)|Could not resolve|Name or service not known"
    r"|Failed to establish a new connection|Network is unreachable|Could not connect to|Connection timed out"
    r"|Cannot initiate the connection|NewConnectionError|NameResolutionError|No route to host"
)
#: What usually says it best, best first: the end of a traceback, a program's own complaint, an error in Odoo's log.
_ERROR_LINES = (
    re.compile(r"^[\w.]+(Error|Exception|Violation|Refusal|UndefinedTable|UndefinedColumn): "),
    re.compile(r"^(E: |ERROR: |error: |FATAL|initdb: error)|\b(ERROR|CRITICAL|FATAL)\b"),
)


class Fault(Exception):
    """A failure that the user can mend. The text is one sentence that says what to do."""


def say(text=""):
    """Print at once, also when the output is a pipe."""
    print(text, flush=True)  # noqa: T201


def disk_fault(place=STATE):
    return Fault(
        f"The disk that holds {place} is full: free at least {DISK_NEEDED // 1024**3} GB and run the same "
        "command again; it goes on where it stopped."
    )


def require_disk(needed=DISK_NEEDED):
    """Refuse early what would fail half way for want of room."""
    free = shutil.disk_usage(ROOT).free
    if free < needed:
        raise Fault(
            f"Only {free / 1024**3:.1f} GB are free where {ROOT} lies: free at least "
            f"{needed / 1024**3:.0f} GB and run the same command again."
        )


def require_writable():
    """The state folder can be made and written."""
    try:
        STATE.mkdir(exist_ok=True)
        LOGS.mkdir(exist_ok=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise disk_fault() from error
        raise Fault(f"{STATE} cannot be written ({error.strerror}): use a checkout of your own.") from error
    if not os.access(STATE, os.W_OK) or not os.access(LOGS, os.W_OK):
        raise Fault(f"{STATE} belongs to another user: use a checkout of your own, or run as that user.")


@contextlib.contextmanager
def locked(name):
    """Hold a lock of this checkout, so that two commands at once do not build the same thing."""
    folder = STATE / "lock"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / name, "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"  waiting for another ./channel that works on the same thing ({name})")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def text_hash(*parts):
    """Short stable hash of texts; a name for what was built from them."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:12]


def tree_hash(folder, skip=()):
    """Hash of the names and contents of all files below `folder`, byte code left out.

    `skip`: folder names, or `parent/name` pairs, that do not count.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        pairs = {"/".join(pair) for pair in zip(parts, parts[1:], strict=False)}
        if "__pycache__" in parts or not path.is_file() or pairs & set(skip) or set(parts) & set(skip):
            continue
        digest.update("/".join(parts).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def last_error(log):
    """The line of a log that most likely says what went wrong."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()[-400:] if line.strip()]
    for wanted in _ERROR_LINES:
        for line in reversed(lines):
            if wanted.search(line):
                return line[:300]
    return lines[-1][:300] if lines else "no output"


def explain(log, what, offline):
    """The fault for a program that failed, from what it wrote.

    :param offline: what to do when the network is to blame
    """
    text = log.read_text(errors="replace")
    if "No space left on device" in text:
        return disk_fault()
    if _NETWORK.search(text):
        return Fault(f"{what} needs the network, which did not answer: {offline}")
    return Fault(f"{what} failed: {last_error(log)} (the whole output is in {log.relative_to(ROOT)})")


class Progress:
    """One line for one long step: what is done, how far it is, how long it took."""

    def __init__(self, what):
        self.what = what
        self.detail = ""
        self.start = time.monotonic()
        self.terminal = sys.stdout.isatty()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self):
        if not self.terminal:
            say(f"- {self.what} ...")
        self._thread.start()
        return self

    def __exit__(self, kind, value, traceback):
        self._done.set()
        self._thread.join()
        if self.terminal:
            sys.stdout.write("\r\033[K")
        if kind is None:
            say(f"- {self.what}: done in {self._seconds()} s")

    def _seconds(self):
        return round(time.monotonic() - self.start)

    def _tick(self):
        # A terminal gets a line that rewrites itself, a log file a line now and then.
        pause = 0.5 if self.terminal else 20
        while not self._done.wait(pause):
            line = f"{self.what} ... {self._seconds()} s {self.detail}"
            if self.terminal:
                width = shutil.get_terminal_size().columns - 1
                sys.stdout.write("\r\033[K" + f"- {line}"[:width])
                sys.stdout.flush()
            else:
                say(f"  {line}")


def stop_process(process, patience=20):
    """End a child that leads its own session: politely first."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def run(args, what, log, *, env=None, cwd=None, watch=None, offline="connect and run the same command again.",
        user=None, stdin=None):
    """Run a program to its end, its output in the file `log`, with progress.

    :param watch: called with each line of the output; what it returns is shown as the detail
    :param user: system user (uid, gid) to run as, for who is root
    :raise Fault: when it cannot be started or its exit code is not zero
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    more = {"user": user[0], "group": user[1], "extra_groups": []} if user else {}
    with Progress(what) as progress, open(log, "w", errors="replace") as out:
        try:
            # A session of its own: Ctrl-C reaches us alone, and we end the child in order.
            process = subprocess.Popen(
                [str(arg) for arg in args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                errors="replace", env=env, cwd=cwd, start_new_session=True,
                stdin=stdin or subprocess.DEVNULL, **more,
            )
        except FileNotFoundError as error:
            raise Fault(f"{what} needs the program {error.filename}, which this system does not have: "
                        "install it and run the same command again.") from error
        try:
            for line in process.stdout:
                out.write(line)
                if watch:
                    progress.detail = watch(line) or progress.detail
            process.wait()
        except BaseException:
            stop_process(process)
            raise
    if process.returncode:
        raise explain(log, what, offline)


def remove_tree(path):
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
