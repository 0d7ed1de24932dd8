"""Contracts from outside: terms of a day, signatures and seals, what verifies them, and who sees which.

All of it is of the demonstration story, chapter `agreements`. Where the machine has no wkhtmltopdf the story has no
contracts for signature: what they would show is left to other machines.
"""

import io
import json
import re
import zipfile
from hashlib import sha256
from types import SimpleNamespace

import pytest
from acceptance_clients import Refused
from acceptance_world import read
from pypdf import PdfReader


@pytest.fixture(scope="module")
def contracts(world):
    return SimpleNamespace(**{
        code: world.ref(f"channel_demo.contract_{code}") for code in ("D001", "D002", "D004", "D005", "D006")
    })


@pytest.fixture(scope="module")
def signed(world, contracts):
    """The sealed version of the story and its file, as the auditor takes them out of the archive."""
    found = world.json("admin").call(
        "ir.model.data", "search_read", [("module", "=", "channel_demo"), ("name", "=", "contract_version_sealed")],
        ["res_id"],
    )
    if not found:
        pytest.skip("the story was told on a machine without wkhtmltopdf")
    answer = world.pages("auditor").get(f"/channel/contract/{contracts.D002}/archive.zip")
    assert answer.status == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    [sealed] = [name for name in archive.namelist() if name.endswith("sealed.pdf")]
    content = archive.read(sealed)
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    return SimpleNamespace(
        version=found[0]["res_id"], archive=archive, content=content, folder=sealed.rpartition("/")[0],
        page=re.search(r"/channel/contract/verify/[\w-]{43}", re.sub(r"\s", "", text))[0],
    )


def test_stages_of_the_story(world, contracts):
    manager = world.json("manager")
    assert read(manager, "channel.contract", contracts.D005, "stage").stage == "expiring"
    assert read(manager, "channel.contract", contracts.D006, "stage").stage == "in_force"


def test_what_an_amendment_changed(world, contracts):
    [first, second] = world.json("contract").call(
        "channel.contract.version", "search", [("contract_id", "=", contracts.D006)], order="number"
    )
    compared = world.json2("contract").call("channel.contract.version", "compare", ids=[second], other_id=first)
    statuses = sorted(clause["status"] for clause in compared["clauses"] if clause["status"] != "same")
    assert statuses == ["changed", "deleted", "inserted"]
    [changed] = [clause for clause in compared["clauses"] if clause["status"] == "changed"]
    assert "<ins" in changed["body"]
    assert "one order" in re.sub(r"<[^>]+>", "", changed["body"])


def test_an_approved_version_does_not_change(world, signed):
    [clause] = world.json("contract").call(
        "channel.contract.clause.line", "search", [("version_id", "=", signed.version)], limit=1
    )
    for model, record, values in (
        ("channel.contract.clause.line", clause, {"body": "<p>Other terms</p>"}),
        ("channel.contract.version", signed.version, {"signature_state": "none"}),
    ):
        with pytest.raises(Refused) as refused:
            world.json("contract").call(model, "write", [record], values)
        assert refused.value.kind == "UserError"


# --- The seal ---


def test_archive_is_what_its_manifest_says(signed):
    archive = signed.archive
    manifest = json.loads(archive.read("manifest.json"))
    listed = {row["file"]: row["sha256"] for row in manifest["files"]}
    assert listed.keys() == set(archive.namelist()) - {"manifest.json"}
    for name, digest in listed.items():
        assert sha256(archive.read(name)).hexdigest() == digest, name
    request = json.loads(archive.read(f"{signed.folder}/request.json"))
    document = archive.read(f"{signed.folder}/document.pdf")
    assert request["document_sha256"] == sha256(document).hexdigest()
    assert request["sealed_sha256"] == sha256(signed.content).hexdigest()
    signatures = json.loads(archive.read(f"{signed.folder}/signatures.json"))
    assert len(signatures) == 2
    for signature in signatures:
        payload = signature["payload"]
        text = payload if isinstance(payload, str) else json.dumps(
            payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        assert signature["digest"] == f"$1${sha256(text.encode()).hexdigest()}"
    assert json.loads(archive.read("journal.json"))["verification"] == "whole"


# --- Who sees what ---


def test_sales_takes_no_archive(world, contracts):
    assert world.pages("sales.east").get(f"/channel/contract/{contracts.D001}/archive.zip").status in (403, 404)
