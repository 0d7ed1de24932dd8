"""What an add-on and the repository must have, and that requirements and manifests name the same things."""

import ast
import re
import subprocess
from importlib.metadata import distribution, packages_distributions

import pytest

from tools import databases, environment
from tools.common import ROOT

SUITE = databases.addons()
SHIPPED = [name for name in SUITE if not name.startswith("test_")]
_PIN = re.compile(r"([A-Za-z0-9._-]+)==(\S+)")


def pins(path):
    """`{normalised name: version}` of a requirements file whose every line is a pin or a comment."""
    found = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pin = _PIN.fullmatch(line.strip())
            assert pin, f"{path.name}: {line!r} is no exact pin"
            found[normal(pin[1])] = pin[2]
    return found


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("addon", SUITE)
def test_manifest(addon):
    manifest = databases.manifest(addon)
    assert re.fullmatch(r"19\.0\.\d+\.\d+\.\d+", manifest["version"])
    assert manifest["license"] == "AGPL-3"
    assert manifest["author"] == "Channel Suite contributors"
    assert manifest["summary"]


@pytest.mark.parametrize("addon", SUITE)
def test_manifest_names_every_python_package(addon):
    """What an add-on imports is Python's, Odoo's own requirement, of the suite, or named in the manifest."""
    named = set(databases.manifest(addon).get("external_dependencies", {}).get("python", []))
    ours = set(pins(environment.RUNTIME[0]))
    for package in named:
        providers = {normal(name) for name in packages_distributions().get(package, [package])}
        assert providers & ours, f"{addon} needs {package}, which requirements.txt does not pin"


@pytest.mark.parametrize("addon", SUITE)
def test_layout(addon):
    folder = ROOT / "addons" / addon
    assert 'build-backend = "whool.buildapi"' in (folder / "pyproject.toml").read_text()
    wanted = ["static/description/icon.png", "readme/DESCRIPTION.md"]
    if addon in SHIPPED:
        wanted += ["tests/__init__.py", f"i18n/{addon}.pot", "i18n/zh_CN.po", "readme/USAGE.md", "readme/ROADMAP.md"]
    missing = [name for name in wanted if not (folder / name).is_file()]
    assert not missing, f"{addon} lacks {', '.join(missing)}"


def test_oca_requirements_are_what_the_manifests_need():
    """Every OCA add-on that the suite depends on is pinned, with what it needs in turn, and no other."""
    folder = environment.VENV
    found = {path.parent.name: path for path in folder.glob("lib/python3*/site-packages/odoo/addons/*/__manifest__.py")}
    needed, todo = set(), databases.foreign(SUITE)
    while todo:
        name = todo.pop()
        if name in found and name not in needed:
            needed.add(name)
            todo += eval(found[name].read_text()).get("depends", [])  # noqa: S307
    assert {normal(f"odoo-addon-{name}") for name in needed} == set(pins(environment.OCA))


def test_pins_are_what_is_installed():
    for path in (*environment.RUNTIME, environment.OCA, environment.TEST):
        for name, version in pins(path).items():
            assert distribution(name).version == version, f"{path.name}: {name}"


def test_pins_agree_between_files():
    everything = {}
    for path in (*environment.RUNTIME, environment.TEST):
        for name, version in pins(path).items():
            assert everything.setdefault(name, version) == version, f"{name} has two pins"


def test_nothing_is_left_for_later():
    """No stub stands in the add-ons: the words by which one would be known are put together here."""
    words = "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error"))
    found = subprocess.run(["git", "grep", "-nIwE", words, "--", "addons", "tools", "tests", "docs"], cwd=ROOT,
                           capture_output=True, text=True, check=False)
    assert found.returncode in (0, 1), found.stderr
    assert not found.stdout, found.stdout


@pytest.mark.parametrize("name", ["LICENSE", "README.md", "README.zh-CN.md", "CHANGELOG.md", "CONTRIBUTING.md",
                                  "docs/architecture.md", "docs/operations.md"])
def test_documents(name):
    assert (ROOT / name).stat().st_size > 400


def _tests(path):
    """Node ids of the tests of a file, as pytest writes them after the file's name."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield from (f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef))


def test_gsp_map():
    """Every test that the map of China's GSP names exists, and each of the ten points names some."""
    text = (ROOT / "docs/gsp.md").read_text()
    points = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert [point.split(".")[0] for point in points] == [str(number) for number in range(1, 11)]
    for point in points:
        named = re.findall(r"`((?:addons|tests)/\S+?\.py)::(\S+?)`", point)
        assert named, f"point {point.splitlines()[0]} names no test"
        for name, test in named:
            path = ROOT / name
            assert path.is_file(), f"docs/gsp.md names {name}, which is not there"
            assert test in set(_tests(path)), f"docs/gsp.md names {name}::{test}, which is not there"
