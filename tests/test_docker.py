"""The compose file and the image: well-formed, naming only what exists, and installing what the native way installs."""

import re
import shutil
import subprocess

import pytest
import yaml

from tools import databases, demo, environment
from tools.common import ROOT

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "docker/Dockerfile"
SERVE = ROOT / "docker/serve.sh"


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load(COMPOSE.read_text())["services"]


def instructions():
    """The Dockerfile's instructions as pairs, lines that go on put together, comments left out."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def default(value):
    """What compose makes of ``${NAME:-default}`` when the environment has no NAME."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


def test_services(services):
    assert set(services) == {"db", "odoo"}
    assert re.fullmatch(r"postgres:\d+", default(services["db"]["image"]))
    assert services["odoo"]["build"] == {"context": ".", "dockerfile": "docker/Dockerfile"}
    assert services["odoo"]["depends_on"] == {"db": {"condition": "service_healthy"}}


def test_health(services):
    for name, service in services.items():
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
        assert service["healthcheck"]["retries"], name
    assert "/web/health" in services["odoo"]["healthcheck"]["test"][-1]


def test_data_is_in_named_volumes(services):
    named = set(yaml.safe_load(COMPOSE.read_text())["volumes"])
    used = {volume.partition(":")[0] for service in services.values() for volume in service["volumes"]}
    assert used == named
    assert all(volume.partition(":")[2].startswith("/") for s in services.values() for volume in s["volumes"])


def test_one_password_and_no_secret(services):
    database, odoo = services["db"]["environment"], services["odoo"]["environment"]
    assert database["POSTGRES_PASSWORD"] == odoo["PASSWORD"] == "${CHANNEL_DB_PASSWORD:-odoo}"
    assert database["POSTGRES_USER"] == odoo["USER"] != "postgres"


def test_only_the_local_machine_reaches_it_by_default(services):
    [port] = services["odoo"]["ports"]
    assert default(port) == "127.0.0.1:8069:8069"
    assert "ports" not in services["db"]


def test_same_modules_and_languages_as_the_native_way(services):
    settings = {name: default(value) for name, value in services["odoo"]["environment"].items()}
    assert settings["CHANNEL_DATABASE"] == demo.DATABASE
    assert settings["CHANNEL_LANGUAGES"].split(",") == list(databases.LANGUAGES)
    asked = settings["CHANNEL_MODULES"].split(",")
    assert set(asked) <= set(databases.addons())
    assert databases.closure(asked) == databases.closure(demo.story_addons())


def test_image_has_the_same_requirements():
    assert instructions()[0] == ("FROM", "odoo:19")
    installed = {
        name
        for word, rest in instructions()
        if word == "RUN"
        for name in re.findall(r"requirements[\w-]*\.txt", rest)
    }
    # The image has a PostgreSQL beside it; all else is what `./channel` installs.
    native = {path.name for path in (*environment.RUNTIME, environment.OCA)} - {"requirements-postgres.txt"}
    assert installed == native
    run = " ".join(rest for word, rest in instructions() if word == "RUN")
    assert re.search(r"--no-deps -r \S+requirements-oca\.txt", run), "OCA's add-ons would pull another Odoo"


def test_what_is_copied_exists_and_is_in_the_context():
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    for word, rest in instructions():
        if word == "COPY":
            *sources, _target = [part for part in rest.split() if not part.startswith("--")]
            for source in sources:
                assert (ROOT / source).exists(), source
                assert f"!{source.split('/')[0]}" in ignore, f"{source} is not in the build context"


def test_entry_point():
    assert SERVE.stat().st_mode & 0o111, "not executable"
    assert subprocess.run([shutil.which("bash"), "-n", str(SERVE)], check=False).returncode == 0
    text = SERVE.read_text()
    for module in re.findall(r"\bchannel_\w+", text):
        assert module == demo.DATABASE or (ROOT / "addons" / module).is_dir(), module
    assert str(demo.LOGINS.relative_to(ROOT / "addons")) in text
    assert demo.LOGINS.exists()
