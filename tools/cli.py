"""The command's arguments and exit codes."""

import argparse
import errno
import os
import subprocess
import sys
import traceback

from . import benchmark, demo, lint, testing
from .common import LOGS, ROOT, Fault, disk_fault, require_writable, say
from .databases import addons, hashes

_DESCRIPTION = """\
Channel Suite on Odoo 19, from a fresh checkout on Debian 12 or 13, as root or not.

Everything fetched or built goes into the folder .channel of the checkout: remove it to start anew.
"""

_ENVIRONMENT = """\
environment:
  ODOO_HOME            an Odoo 19 that you have (checkout or unpacked release), used instead of the download
  PGHOST, PGPORT, PGUSER, PGPASSWORD
                       a PostgreSQL that you run, used instead of the embedded one; so is the connection in the
                       configuration file that ODOO_RC names, when it names a db_host
  CHANNEL_PYTHON       the Python to use (3.11, 3.12 or 3.13)
  CHANNEL_NO_BROWSER   1 = run the tests without browser tours and PDF documents
  CHANNEL_JOBS         how many parts of the whole test run at a time (one for each core)
"""


def _parser():
    parser = argparse.ArgumentParser(prog="./channel", description=_DESCRIPTION, epilog=_ENVIRONMENT,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = commands.add_parser("demo", help="build the demonstration database and serve it")
    one.add_argument("--port", type=int, default=8069, help="port to serve on (8069)")
    one.add_argument("--host", default="127.0.0.1",
                     help="address to serve on (127.0.0.1)")
    one.add_argument("--fresh", action="store_true", help="drop the demonstration database and build it anew")
    one.add_argument("--no-serve", action="store_true", help="build only")

    one = commands.add_parser("test", help="run all tests, tours and lint, or those in the paths given",
                              description="Further options, such as -k, -x or -s, are handed to pytest.")
    one.add_argument("paths", nargs="*", help="files or folders, also file.py::Class::test")

    one = commands.add_parser("bench", help="time the suite against a yardstick")
    one.add_argument("names", nargs="*", metavar="NAME", help="which (all)")
    one.add_argument("--json", action="store_true", help="print JSON")
    one.add_argument("--list", action="store_true", help="only say which there are")

    one = commands.add_parser("shell", help="Odoo's shell on the demonstration database",
                              description="Such as: echo 'print(env[\"channel.audit\"].verify())' | ./channel shell")
    one.add_argument("--database", default=demo.DATABASE)

    one = commands.add_parser("update", help="update add-ons in the demonstration database")
    one.add_argument("modules", nargs="+", metavar="MODULE", help="add-ons, or all")

    one = commands.add_parser("lint", help="ruff, pylint-odoo, XML and translation files")
    one.add_argument("checks", nargs="*", metavar="CHECK", help=f"which of {', '.join(lint.CHECKS)} (all)")
    return parser


def _demo(args):
    if not args.no_serve:
        demo.require_port(args.host, args.port)
    with testing.workshop() as shop:
        demo.prepare(shop, args.fresh)
        if not args.no_serve:
            return demo.serve(shop, args.host, args.port)
        say(f"- The database {demo.DATABASE} is ready; ./channel demo serves it.")
    return 0


def _shell(args):
    with testing.workshop() as shop:
        if shop.state(args.database) is None:
            raise Fault(f"There is no database {args.database}: run ./channel demo --no-serve first.")
        # The terminal is the shell's own, so that its line editing works.
        return subprocess.call(
            [str(part) for part in shop.command("shell", "-c", shop.conf, "-d", args.database, "--no-http",
                                                "--log-level", "warn")], env=shop.environ())


def _update(args):
    unknown = [name for name in args.modules if name != "all" and name not in addons()]
    if unknown:
        raise Fault(f"The suite has no add-on {unknown[0]}: choose from {', '.join(addons())}, or all.")
    with testing.workshop() as shop:
        note = shop.state(demo.DATABASE)
        if not note:
            raise Fault(f"There is no database {demo.DATABASE}: run ./channel demo --no-serve first.")
        now = hashes(demo.story_addons())
        known = note.get("addons", {})
        done = {name: value for name, value in now.items() if "all" in args.modules or name in args.modules}
        names = [name for name in args.modules if name == "all" or name in known]
        new = [name for name in args.modules if name != "all" and name not in known]
        demo.update(shop, names, new, {**known, **done})
    return 0


def _bench(args):
    if args.list:
        say("\n".join(benchmark.benches()) or "There is no bench yet.")
        return 0
    return benchmark.main(args.names, args.json)


def _run(args, more):
    if more and args.command != "test":
        raise Fault(f"./channel {args.command} does not know {more[0]}: see ./channel {args.command} --help.")
    require_writable()
    if args.command == "lint":
        unknown = [name for name in args.checks if name not in lint.CHECKS]
        if unknown:
            raise Fault(f"There is no check {unknown[0]}: choose from {', '.join(lint.CHECKS)}.")
    if args.command == "test":
        return testing.main(args.paths, more)
    return {"demo": _demo, "bench": _bench, "shell": _shell, "update": _update,
            "lint": lambda args: lint.main(args.checks)}[args.command](args)


def _split(arguments):
    """Arguments of ours, and those that `test` hands to pytest: the options from the first one on, and their values."""
    if arguments[:1] == ["test"]:
        for number, argument in enumerate(arguments[1:], 1):
            if argument.startswith("-") and argument not in ("-h", "--help"):
                return arguments[:number], arguments[number:]
    return arguments, []


def main(arguments=None):
    """:return: the exit code. What the user can mend is told in one sentence, without a traceback."""
    arguments, more = _split(sys.argv[1:] if arguments is None else arguments)
    args = _parser().parse_args(arguments)
    try:
        return _run(args, more)
    except Fault as fault:
        sys.stderr.write(f"channel: {fault}\n")
    except KeyboardInterrupt:
        sys.stderr.write("channel: stopped; the same command goes on where it was.\n")
        return 130
    except OSError as error:
        if error.errno == errno.ENOSPC:
            sys.stderr.write(f"channel: {disk_fault()}\n")
        else:
            sys.stderr.write(f"channel: {error.strerror or error} ({error.filename or 'no file'}): "
                             f"mend that and run the same command again.\n")
            _remember()
    except Exception as error:  # noqa: BLE001  (the last line of defence: the user gets a sentence)
        _remember()
        sys.stderr.write(f"channel: this is a fault of the command itself ({error!r}): report it with "
                         f"{(LOGS / 'crash.log').relative_to(ROOT)}.\n")
    return 1


def _remember():
    if LOGS.exists() and os.access(LOGS, os.W_OK):
        (LOGS / "crash.log").write_text(traceback.format_exc())
