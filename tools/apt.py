"""Debian packages without root and without touching the machine: apt's own client with private folders."""

import os
import shutil
import subprocess
from pathlib import Path

from .common import LOGS, STATE, Fault, remove_tree, run

#: The archive's keys, as Debian 12 (.gpg) and later releases (.pgp) name the file.
KEYRINGS = [Path("/usr/share/keyrings/debian-archive-keyring" + end) for end in (".gpg", ".pgp")]


def supported():
    """This machine is a Debian whose apt can be asked."""
    try:
        release = Path("/etc/os-release").read_text()
    except OSError:
        return False
    return "\nID=debian\n" in f"\n{release}\n" and bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))


def mirror():
    """Address of the Debian archive that this machine is configured to use."""
    answer = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"],
        capture_output=True, text=True, check=False,
    )
    for line in answer.stdout.splitlines():
        address, _space, release = line.partition(" ")
        # Security and updates are repositories of their own, with only a part of the packages.
        if "-" not in release and "security" not in address:
            return address
    raise Fault("apt has no Debian mirror configured: add one to /etc/apt/sources.list, "
                "or set ODOO_HOME to an Odoo 19 that you have.")


class PrivateApt:
    """apt with its lists, cache and archives in a folder of ours.

    Signatures are always checked: Debian's archive keyring, which every Debian 12 and later brings, knows the keys that
    sign the unstable suite too, so there is no reason ever to mark a source as trusted.
    """

    def __init__(self, folder, suites=None):
        """:param suites: suites to read from the machine's mirror; None = the machine's own sources."""
        self.folder = folder
        self.archives = folder / "archives"
        for path in (folder / "lists/partial", self.archives / "partial"):
            path.mkdir(parents=True, exist_ok=True)
        self.options = [
            "-o", f"Dir::State::Lists={folder / 'lists'}",
            "-o", f"Dir::Cache::Archives={self.archives}",
            "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
            "-o", "Acquire::Languages=none", "-o", "Debug::NoLocking=1",
            # A mirror may be a snapshot, as companies and build farms keep them: its lists carry a date that is over.
            # They are signed all the same, and at worst bring an Odoo 19.0 that is some weeks old.
            "-o", "Acquire::Check-Valid-Until=false",
        ]
        if os.geteuid() == 0:
            # As root apt would download as a user who may not be able to enter our folder.
            self.options += ["-o", "APT::Sandbox::User=root"]
        if suites:
            keyring = next((path for path in KEYRINGS if path.exists()), None)
            signed = f"[signed-by={keyring}] " if keyring else ""
            address = mirror()
            (folder / "sources.list").write_text("".join(f"deb {signed}{address} {s} main\n" for s in suites))
            self.options += [
                "-o", f"Dir::Etc::SourceList={folder / 'sources.list'}", "-o", "Dir::Etc::SourceParts=/dev/null",
            ]

    def _run(self, what, name, *args, offline):
        run(["apt-get", *self.options, *args], what, LOGS / f"apt-{name}.log", cwd=self.archives,
            watch=lambda line: line.strip()[:60] if line.startswith("Get:") else None, offline=offline,
            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"})

    def update(self, offline):
        try:
            self._run("Reading the package lists", "update", "update", "--error-on=any", offline=offline)
        except Fault as fault:
            if "NO_PUBKEY" in str(fault) or "not signed" in str(fault):
                raise Fault("Debian's keyring on this machine is too old to check the package lists: run "
                            "`apt install --only-upgrade debian-archive-keyring`.") from fault
            raise

    def download(self, what, name, packages, offline):
        """Fetch exactly these packages (`name/suite`), without what they depend on."""
        self._run(what, name, "download", *packages, offline=offline)
        return sorted(self.archives.glob("*.deb"))

    def download_missing(self, what, name, packages, offline):
        """Fetch these packages and whatever they need that this machine does not have; install nothing."""
        self._run(what, name, "install", "--yes", "--no-install-recommends", "--download-only", *packages,
                  offline=offline)
        return sorted(self.archives.glob("*.deb"))

    def candidate(self, package):
        answer = subprocess.run(["apt-cache", *self.options, "policy", package], capture_output=True, text=True,
                                check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
        return "Candidate:" in answer.stdout and "Candidate: (none)" not in answer.stdout


def unpack(debs, prefix, what):
    """Unpack packages into `prefix`; run none of their scripts."""
    script = 'prefix=$1; shift; for deb in "$@"; do echo "$deb"; dpkg-deb -x "$deb" "$prefix" || exit; done'
    prefix.mkdir(parents=True, exist_ok=True)
    run(["sh", "-c", script, "unpack", prefix, *debs], what, LOGS / "unpack.log",
        watch=lambda line: Path(line.strip()).name.split("_")[0])


def scratch(name):
    """An empty folder for one download."""
    folder = STATE / f"{name}.part"
    remove_tree(folder)
    folder.mkdir(parents=True)
    return folder
