"""Where Odoo 19 itself comes from."""

import os
import re
from pathlib import Path

from . import apt
from .common import STATE, Fault, locked, remove_tree, require_disk, text_hash

#: From Debian's unstable suite: Odoo, and the packages that its web assets are links into.
FROM_UNSTABLE = (
    "odoo-19", "libjs-jquery", "libjs-underscore", "libjs-jquery-form",
    "fonts-roboto-unhinted", "fonts-montserrat", "fonts-inconsolata", "fonts-ocr-b",
)
#: Odoo links to the file names of Font Awesome 4.7; unstable has version 7.
FROM_STABLE = ("fonts-font-awesome",)
STABLE, UNSTABLE = "bookworm", "sid"

#: Debian leaves this file out (background blur in video calls); a bundle that names it would not build.
LEFT_OUT = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"

_OFFLINE = "connect and run the same command again, or set ODOO_HOME to an Odoo 19 that you have."


class Source:
    """An Odoo 19: `path` goes on Python's path, `addons` are folders for Odoo's addons_path."""

    def __init__(self, path):
        self.path = path
        self.addons = [path / "odoo/addons"]
        # A source checkout keeps most add-ons beside the package. A Debian tree has such a folder too, but it holds
        # fragments only: there the whole set is inside the package.
        if not (path / "odoo/addons/sale/__manifest__.py").exists():
            self.addons.append(path / "addons")
        self.key = text_hash((path / "odoo/release.py").read_text(), self._package())

    def _package(self):
        stamp = self.path.parents[3] / "STAMP" if len(self.path.parents) > 3 else None
        return stamp.read_text() if stamp and stamp.exists() else self.path


def _checked(path, origin):
    release = path / "odoo/release.py"
    if not release.exists():
        raise Fault(f"{origin} is {path}, which holds no odoo/release.py: name the folder of an Odoo 19 checkout "
                    "or unpacked release.")
    found = re.search(r"^version_info = \((\d+), *(\d+)", release.read_text(), re.MULTILINE)
    if not found or found.groups() != ("19", "0"):
        version = ".".join(found.groups()) if found else "unknown"
        raise Fault(f"{origin} is {path}, an Odoo of version {version}: this suite needs Odoo 19.0.")
    return Source(path)


def get():
    """The user's own Odoo when ODOO_HOME names one, else Debian's package unpacked into the state folder."""
    home = os.environ.get("ODOO_HOME")
    if home:
        base = Path(home).expanduser().resolve()
        for path in (base, base / "usr/lib/python3/dist-packages"):
            if (path / "odoo/release.py").exists():
                return _checked(path, "ODOO_HOME")
        return _checked(base, "ODOO_HOME")
    prefix = STATE / "odoo"
    python_path = prefix / "usr/lib/python3/dist-packages"
    with locked("odoo"):
        if not (prefix / "STAMP").exists():
            _download(prefix)
    return _checked(python_path, "The unpacked package")


def _download(prefix):
    if not apt.supported():
        raise Fault("This system is no Debian with apt, from which Odoo would be fetched: set ODOO_HOME to an "
                    "Odoo 19 that you have, or use `docker compose up`.")
    require_disk()
    work = apt.scratch("odoo")
    source = apt.PrivateApt(work / "apt", [UNSTABLE, STABLE])
    source.update(_OFFLINE)
    wanted = [f"{name}/{UNSTABLE}" for name in FROM_UNSTABLE] + [f"{name}/{STABLE}" for name in FROM_STABLE]
    debs = source.download("Fetching Odoo 19 (130 MB)", "odoo", wanted, _OFFLINE)
    tree = work / "tree"
    apt.unpack(debs, tree, "Unpacking Odoo 19")
    blur = tree / "usr/lib/python3/dist-packages/odoo/addons" / LEFT_OUT
    if not blur.exists():
        blur.parent.mkdir(parents=True, exist_ok=True)
        blur.write_text("/* Not part of Debian's package: background blur in video calls. */\n")
    (tree / "STAMP").write_text("".join(f"{deb.name}\n" for deb in debs))
    # The stamp is inside, and the tree appears under its name in one step: half of it is never mistaken for it.
    remove_tree(prefix)
    tree.rename(prefix)
    remove_tree(work)
