"""What tests need beside Python: chromium for tours, wkhtmltopdf for PDF documents, pdfsig to check sealed ones.

What the machine has is used. What it lacks is unpacked from Debian's packages into the state folder, with the libraries
that they need: no root, and nothing of the machine is changed.
"""

import os
import shutil

from . import apt
from .common import STATE, Fault, locked, remove_tree, require_disk, say

BROWSERS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
PREFIX = STATE / "browser"

#: Runs a program of the unpacked packages with their own libraries, fonts and data.
_WRAPPER = """#!/bin/sh
root={prefix}/tree
lib=$root/usr/lib/$(uname -m)-linux-gnu
export LD_LIBRARY_PATH="$lib:$lib/nss:$lib/pulseaudio:$root/lib/$(uname -m)-linux-gnu"
export FONTCONFIG_FILE={prefix}/fonts.conf XDG_DATA_DIRS="$root/usr/share:/usr/share"
export QT_PLUGIN_PATH="$lib/qt5/plugins" QT_QPA_PLATFORM=offscreen
exec "$root/{program}" "$@"
"""

_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{prefix}/tree/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{prefix}/fonts-cache</cachedir>
  <include ignore_missing="yes">{prefix}/tree/etc/fonts/conf.d</include>
  <include ignore_missing="yes">/etc/fonts/conf.d</include>
</fontconfig>
"""


#: Debian's packages: the programs by which we know that the machine has one, the one that we take, where it lies
PACKAGES = {
    "chromium": (BROWSERS, "chromium", "usr/lib/chromium/chromium"),
    "wkhtmltopdf": (("wkhtmltopdf",), "wkhtmltopdf", "usr/bin/wkhtmltopdf"),
    "poppler-utils": (("pdfsig",), "pdfsig", "usr/bin/pdfsig"),
}
#: What tests go without where Debian has no such package any more, as version 13 has no wkhtmltopdf.
OPTIONAL = {
    "wkhtmltopdf": "tests of PDF documents are left to the machines that have it",
    "poppler-utils": "seals of documents are checked by one program only",
}


def _lacking(path):
    """Which packages' programs are not found on `path`."""
    return [name for name, (programs, _program, _place) in PACKAGES.items()
            if not any(shutil.which(program, path=path) for program in programs)]


def get():
    """Make sure that browser tours and PDF documents can be tested.

    :raise Fault: when there is no browser and none can be had, unless CHANNEL_NO_BROWSER says to go without
    """
    if os.environ.get("CHANNEL_NO_BROWSER") == "1":
        say("- Browser tours are left out, because CHANNEL_NO_BROWSER is 1.")
        return
    with locked("browser"):
        # All that the machine lacks, also when only one of them is missing from what was unpacked before.
        lacking = _lacking(os.environ.get("PATH", os.defpath))
        unpacked = {*_lacking(str(PREFIX / "bin"))} ^ {*PACKAGES}
        if {*lacking} <= unpacked | _without():
            return
        if not apt.supported():
            raise Fault(f"The tests need {' and '.join(lacking)}: install it, or set CHANNEL_NO_BROWSER=1 to leave the "
                        "tours out.")
        _unpack(lacking)


def _without():
    """What this Debian was found not to have."""
    note = PREFIX / "without"
    return set(note.read_text().split()) if note.exists() else set()


def _unpack(missing):
    offline = "connect and run the same command again, or install chromium and wkhtmltopdf yourself."
    require_disk()
    work = apt.scratch("browser")
    source = apt.PrivateApt(work / "apt")
    source.update(offline)
    wanted = [name for name in missing if source.candidate(name)]
    if "chromium" in missing and "chromium" not in wanted:
        raise Fault("The tests need chromium, which this machine's package sources do not have: install a browser, "
                    "or set CHANNEL_NO_BROWSER=1 to leave the tours out.")
    without = [name for name in missing if name not in wanted]
    for name in without:
        say(f"  This Debian has no {name}: {OPTIONAL[name]}.")
    if wanted:
        debs = source.download_missing(f"Fetching {' and '.join(wanted)}", "browser",
                                       [*wanted, "fonts-dejavu-core", "fonts-wqy-microhei"], offline)
        apt.unpack(debs, work / "tree", f"Unpacking {' and '.join(wanted)}")
    (work / "bin").mkdir()
    for name in wanted:
        _programs, program, place = PACKAGES[name]
        wrapper = work / "bin" / program
        wrapper.write_text(_WRAPPER.format(prefix=PREFIX, program=place))
        wrapper.chmod(0o755)
    (work / "without").write_text(" ".join(without))
    (work / "fonts.conf").write_text(_FONTS.format(prefix=PREFIX))
    remove_tree(work / "apt")
    remove_tree(PREFIX)
    work.rename(PREFIX)
