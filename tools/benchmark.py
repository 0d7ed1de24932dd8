"""`./channel bench`: times the suite against a yardstick, on a throwaway clone of the test database.

A bench is a file `addons/*/bench/NAME.py` or `tools/bench/NAME.py` with a function `cases(env)` that yields dicts:
`case`, `size` (number of lines, documents or members), `ours_s`, `yardstick` (what it is measured against),
`yardstick_s`; times in seconds. It runs in Odoo's shell, as superuser, and nothing of it is kept.

A file `NAME.txt` beside it lists add-ons from PyPI that are yardsticks: they are installed for the bench only, into a
clone of their own, and `yardsticks(env)` of the bench yields more rows there.
"""

import json
import subprocess

from . import environment
from .common import ADDONS, LOGS, ROOT, STATE, Fault, Progress, explain, remove_tree, run, say
from .databases import require_installed
from .testing import suite, workshop

COLUMNS = ("case", "size", "ours_s", "yardstick", "yardstick_s", "ratio")

#: Fed to Odoo's shell. Results come in a file, since Odoo's shell writes to its output too.
_SCRIPT = """
import importlib.util, json
spec = importlib.util.spec_from_file_location("bench", {path!r})
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)
rows = []
for row in bench.{function}(env):
    row["ratio"] = round(row["ours_s"] / row["yardstick_s"], 4) if row["yardstick_s"] else None
    rows.append(row)
with open({result!r}, "w") as out:
    json.dump(rows, out)
env.cr.rollback()
"""


def benches():
    """`{name: file}` of all benches there are."""
    files = [*ADDONS.glob("*/bench/*.py"), *(ROOT / "tools/bench").glob("*.py")]
    return {path.stem: path for path in sorted(files) if path.stem != "__init__"}


def _run(shop, database, name, path, function="cases", more_addons=None):
    """The rows of one function of a bench.

    :param more_addons: folder of add-ons that are installed in the database first
    """
    log = LOGS / f"bench-{name}-{function}.log"
    result = log.with_suffix(".json")
    result.unlink(missing_ok=True)
    options = ["-c", shop.conf, "-d", database, "--no-http"]
    if more_addons:
        options.append(f"--addons-path={','.join(str(p) for p in (*shop.source.addons, ADDONS, more_addons))}")
        install = LOGS / f"bench-{name}-install.log"
        modules = ",".join(sorted(folder.parent.name for folder in more_addons.glob("*/__manifest__.py")))
        shop.odoo(f"Installing {modules}", database, "-i", modules, options[-1], log=install)
        require_installed(install)
    with open(log, "w") as out, Progress(f"Bench {name}, {function}"):
        answer = subprocess.run(
            [str(part) for part in shop.command("shell", *options)],
            input=_SCRIPT.format(path=str(path), result=str(result), function=function), text=True, stdout=out,
            stderr=subprocess.STDOUT, env=shop.environ(PYTHONPATH=f"{shop.source.path}:{ROOT}"), check=False,
        )
    if answer.returncode or not result.exists():
        raise explain(log, f"The bench {name}", "")
    return json.loads(result.read_text())


def _foreign(name, requirements):
    """The folder of the add-ons that a bench measures against, or None: without them it still measures the suite."""
    folder = STATE / "bench" / name
    remove_tree(folder)
    try:
        run([environment.PYTHON, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-deps",
             "--target", folder, "-r", requirements],
            f"Installing the yardsticks of {name}", LOGS / f"bench-{name}-pip.log", env=environment.clean())
    except Fault as fault:
        say(f"The yardsticks of {name} are missing: {fault}")
        return None
    return folder / "odoo/addons"


def table(rows):
    """The rows as text, columns aligned."""
    def cell(value):
        return f"{value:.3f}" if isinstance(value, float) else str("" if value is None else value)

    lines = [[name for name in COLUMNS], *([cell(row.get(name)) for name in COLUMNS] for row in rows)]
    widths = [max(len(line[number]) for line in lines) for number in range(len(COLUMNS))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
                     for line in lines)


def main(names, as_json):
    known = benches()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Fault(f"There is no bench {unknown[0]}: choose from {', '.join(known) or 'none yet'}.")
    environment.get(test=True)
    results = {}
    with workshop(test=True) as shop:
        template = suite(shop)
        for name in names or known:
            with shop.throwaway(template, "bench") as database:
                results[name] = _run(shop, database, name, known[name])
            requirements = known[name].with_suffix(".txt")
            more = requirements.exists() and _foreign(name, requirements)
            if more:
                with shop.throwaway(template, "bench") as database:
                    results[name] += _run(shop, database, name, known[name], "yardsticks", more)
    if as_json:
        say(json.dumps(results, indent=2, ensure_ascii=False))
    else:
        for name, rows in results.items():
            say(f"\n{name}\n{table(rows)}")
    return 0
