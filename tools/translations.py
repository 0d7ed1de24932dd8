"""Checks the translation files of all add-ons; run by the environment's Python, since it needs polib."""

import re
import sys
from pathlib import Path

import polib

LANGUAGE = "zh_CN"
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sdrf]|%%|\{\w*\}|\$\{[^}]+\}")


def problems(addon):
    """Yield what is wrong with the translations of one add-on."""
    template = addon / "i18n" / f"{addon.name}.pot"
    translation = addon / "i18n" / f"{LANGUAGE}.po"
    for path in (template, translation):
        if not path.exists():
            yield f"{path}: missing; write it with Odoo's `i18n export`"
            return
    done = {(entry.msgctxt, entry.msgid): entry for entry in polib.pofile(str(translation)) if not entry.obsolete}
    for term in polib.pofile(str(template)):
        entry = done.get((term.msgctxt, term.msgid))
        if entry is None or not entry.msgstr:
            yield f"{translation}: not translated: {term.msgid!r}"
        elif entry.fuzzy:
            yield f"{translation}: fuzzy: {term.msgid!r}"
        elif sorted(_PLACEHOLDER.findall(term.msgid)) != sorted(_PLACEHOLDER.findall(entry.msgstr)):
            yield f"{translation}: other placeholders in the translation of {term.msgid!r}"


def main(folder):
    found = [
        line
        for manifest in sorted(Path(folder).glob("*/__manifest__.py"))
        # What only tests install is read by nobody else.
        if not manifest.parent.name.startswith("test_")
        for line in problems(manifest.parent)
    ]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
