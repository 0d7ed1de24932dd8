"""`./channel lint`: each check answers the text of what it found; empty is well."""

import os
import subprocess
import xml.etree.ElementTree as ElementTree

from . import environment
from .common import ADDONS, ROOT, say
from .databases import addons


def _output(*args):
    answer = subprocess.run([str(arg) for arg in args], cwd=ROOT, capture_output=True, text=True, check=False,
                            env={**environment.clean(), "NO_COLOR": "1"})
    if answer.returncode:
        return (answer.stdout + answer.stderr).strip() or f"{args[0]} ended with {answer.returncode}"
    return ""


def ruff():
    return _output(environment.tool("ruff"), "check", "--quiet", "--no-cache", ".")


def pylint():
    """pylint-odoo, the messages that block."""
    return _output(environment.tool("pylint"), "--rcfile=.pylintrc-mandatory", "--output-format=text",
                   f"--jobs={min(4, os.cpu_count() or 1)}", *(f"addons/{name}" for name in addons()))


def xml():
    """Every XML file is well-formed."""
    found = []
    for path in sorted(ADDONS.rglob("*.xml")):
        try:
            ElementTree.parse(path)
        except ElementTree.ParseError as error:
            found.append(f"{path.relative_to(ROOT)}: {error}")
    return "\n".join(found)


def translations():
    """Every add-on has a template and a complete Chinese translation whose placeholders agree."""
    return _output(environment.PYTHON, ROOT / "tools/translations.py", ADDONS)


CHECKS = {"ruff": ruff, "pylint": pylint, "xml": xml, "translations": translations}


def main(names):
    """Run these checks, or all. :return: 1 when one of them found something"""
    environment.get(test=True)
    bad = 0
    for name in names or CHECKS:
        text = CHECKS[name]()
        say(f"- {name}: {'found' if text else 'well'}")
        if text:
            say(text)
            bad = 1
    return bad
