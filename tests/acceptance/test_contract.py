"""Contracts from outside: terms of a day, signatures and seals, what verifies them, and who sees which.

All of it is of the demonstration story, chapter `agreements`. Where the machine has no wkhtmltopdf the story has no
contracts for signature: what they would show is left to other machines.
"""

import io
import json
import re
import zipfile
from datetime import timedelta
from hashlib import sha256
from types import SimpleNamespace

import pytest
from acceptance_clients import Refused
from acceptance_world import TODAY, iso, read
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
        page=re.search(r"/channel/contract/verify/[\w-]+", re.sub(r"\s", "", text))[0],
    )


# --- Terms ---


def test_terms_of_yesterday_and_of_today(world, contracts, signed):
    """The story's next agreement with Jinan was signed on the day on which the story was told."""
    version = read(world.json("auditor"), "channel.contract.version", signed.version, "valid_from", "signature_state")
    assert version.signature_state == "signed"

    def terms(client, day):
        return client.call("channel.contract", "terms_at", ids=[contracts.D002], date=day)

    first_day = version.valid_from
    before = terms(world.json2("finance"), iso(TODAY.fromisoformat(first_day) - timedelta(days=1)))
    after = terms(world.json2("finance"), first_day)
    assert (before["version"], before["credit_limit"], before["quality"]["form"]) == (1, None, "none")
    assert (after["version"], after["credit_limit"], after["quality"]["form"]) == (2, 2000000.0, "clause")
    assert [line["name"] for line in after["commitments"]] == [
        "All devices", "Cardiovascular devices", "Volume of the tender"
    ]
    codes = [clause["code"] for clause in after["clauses"]]
    assert codes == ["APPOINT", "PRICE", "PAY", "COMMIT", "QUALITY", "TRACE", "COMPLY", "TERM", "LAW"]
    # Variables are filled in.
    assert "Channel price table" in after["clauses"][1]["body"]
    assert not any("{{" in clause["body"] for clause in after["clauses"])


def test_what_waits_for_signatures_holds_nowhere(world):
    found = world.json("admin").call(
        "ir.model.data", "search_read", [("module", "=", "channel_demo"), ("name", "=", "contract_key_D004")],
        ["res_id"],
    )
    if not found:
        pytest.skip("the story was told on a machine without wkhtmltopdf")
    contract = found[0]["res_id"]
    assert read(world.json("manager"), "channel.contract", contract, "stage").stage == "signature"
    assert world.json2("manager").call("channel.contract", "terms_at", ids=[contract]) is None
    # Whose turn it is finds the link on the own page; the other dealer does not even find the page.
    page = world.pages("dealer2").get(f"/my/channel/contracts/{contract}")
    assert page.status == 200
    link = re.search(r"/channel/contract/sign/[\w-]+", page.text)[0]
    assert world.pages("dealer2").get(link).status == 200
    assert world.pages("dealer").get(f"/my/channel/contracts/{contract}").status == 303


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


def test_visitor_verifies_the_sealed_file(world, signed):
    visitor = world.pages()
    known = visitor.get(signed.page)
    assert known.status == 200
    assert "o_verify_known" in known.text

    def verdict(page, content):
        answer = visitor.post(page, {}, page=page, file=content)
        return re.search(r"o_verify_(\w+)", answer.text)[1]

    assert verdict(signed.page, signed.content) == "valid"
    assert verdict("/channel/contract/verify", signed.content) == "valid"
    # One byte is another one.
    place = len(signed.content) // 2
    changed = signed.content[:place] + bytes([signed.content[place] ^ 1]) + signed.content[place + 1:]
    assert verdict(signed.page, changed) == "changed"
    assert verdict("/channel/contract/verify", changed) == "unknown"
    assert visitor.get(signed.page[:-4] + "AAAA").status == 404


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


def test_a_dealer_guesses_in_vain(world, contracts):
    pages, client = world.pages("dealer"), world.xml("dealer")
    assert pages.get(f"/my/channel/contracts/{contracts.D001}").status == 200
    [version] = world.json("manager").call(
        "channel.contract.version", "search", [("contract_id", "=", contracts.D004)], limit=1
    )
    for path in (
        f"/my/channel/contracts/{contracts.D004}",
        f"/my/channel/contracts/{contracts.D004}/versions/{version}",
        f"/my/channel/contracts/{contracts.D001}/versions/{version}",
        f"/my/channel/contracts/{contracts.D001}/versions/{version}/read",
        f"/channel/contract/{contracts.D001}/archive.zip",
        f"/channel/contract/{contracts.D004}/archive.zip",
    ):
        assert pages.get(path).status in (303, 403, 404), path
    for model, method, arguments in (
        ("channel.contract", "terms_at", ([contracts.D004],)),
        ("channel.contract.version", "read", ([version], ["purpose"])),
        ("channel.contract.version", "compare", ([version], version)),
        ("channel.contract.version", "comment", ([version], "Ours?")),
    ):
        with pytest.raises(Refused) as refused:
            client.call(model, method, *arguments)
        assert refused.value.kind == "AccessError", method


def test_sales_takes_no_archive(world, contracts):
    assert world.pages("sales.east").get(f"/channel/contract/{contracts.D001}/archive.zip").status in (403, 404)
