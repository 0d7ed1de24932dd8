"""Members as other systems, strangers and the holders of letters meet them: from outside, each with the own rights."""

import base64
import re
import urllib.error
import urllib.parse
import urllib.request
from datetime import date, timedelta
from http.cookiejar import CookieJar
from types import SimpleNamespace

import pytest
from acceptance_clients import Refused
from acceptance_world import TAG, TODAY, iso, read, years_before
from stdnum.cn import uscc

#: The smallest file that is a PDF, without text.
PDF = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"


class Browser:
    """A visitor without an account: cookies and plain HTTP, no redirects followed unless asked for."""

    class _Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_args):
            return None

    def __init__(self, url):
        self.url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), self._Stay)

    def get(self, path):
        return self._open(urllib.request.Request(self._absolute(path)))

    def post(self, path, form, page):
        """Send a form as a browser does: with the token of a page of the same session."""
        token = re.search(r'csrf_token: "([^"]+)"', self.get(page).text)[1]
        data = urllib.parse.urlencode({**form, "csrf_token": token}).encode()
        return self._open(urllib.request.Request(self._absolute(path), data=data))

    def _absolute(self, path):
        return path if path.startswith("http") else f"{self.url}{path}"

    def _open(self, request):
        try:
            answer = self._opener.open(request, timeout=120)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return SimpleNamespace(status=answer.status, headers=answer.headers, text=answer.read().decode())


@pytest.fixture
def visitor(served_demo):
    return Browser(served_demo.url)


# --- An application by another system ---


@pytest.fixture(scope="module")
def application():
    # Fuzhou, Gulou district (350102).
    body = f"91350102MA{int(TAG, 16) % 10**7:07d}"
    number = body + uscc.calc_check_digit(body)
    issued = years_before(TODAY, 1)
    return SimpleNamespace(
        key=f"CRM-{TAG}",
        company={
            "external_id": f"CRM-{TAG}", "name": f"福州三坊医疗器械有限公司 {TAG}", "role": "distributor",
            "vat": number,
            "country": "CN", "state": "福建省", "city": "福州市", "street": "三坊路1号", "contact_name": "林三坊",
            "email": f"{TAG}@applicant.example.com", "device_classes": ["III"], "regions": ["350100"],
            "product_categories": ["Cardiovascular"],
        },
        documents=[
            {"type": "cn_uscc", "number": number, "issue_date": iso(issued)},
            {"type": "cn_trading_licence", "issue_date": iso(issued), "expiry_date": iso(issued + timedelta(days=1800)),
             "number": f"闽榕药监械经营许{issued.year}{int(TAG, 16) % 10**4:04d}号",
             "scope_text": "2017年分类目录：Ⅲ类：03，13"},
        ],
    )


def _with_files(documents):
    file = {"name": "licence.pdf", "content": base64.b64encode(PDF).decode()}
    return [{**document, "files": [file]} for document in documents]


@pytest.fixture(scope="module")
def begun(world, application):
    """Sent without its documents, twice."""
    first = world.json2("sales.east").call("channel.admission", "apply", values=application.company)
    again = world.xml("sales.east").call("channel.admission", "apply", application.company)
    return SimpleNamespace(first=first, again=again)


@pytest.fixture(scope="module")
def handed_in(world, application, begun):
    values = {"external_id": application.key, "documents": _with_files(application.documents)}
    return world.xml("sales.east").call("channel.admission", "apply", values)


@pytest.fixture(scope="module")
def admitted(world, application, handed_in):
    compliance = world.json("compliance")
    [record] = compliance.call("channel.admission", "search", [("reference", "=", handed_in["reference"])])
    with pytest.raises(Refused) as own_work:
        world.json("sales.east").call("channel.admission", "action_approve", [record])
    compliance.call("channel.admission", "action_approve", [record])
    return SimpleNamespace(
        record=record,
        own_work=own_work.value,
        status=world.json2("sales.east").call("channel.admission", "status", reference=application.key),
    )


def test_application_says_what_is_missing(begun):
    assert begun.first["state"] == "draft"
    missing = {(row["code"], row["document"]) for row in begun.first["missing"]}
    assert missing == {("document_missing", "cn_uscc"), ("document_missing", "cn_trading_licence")}
    assert all(row["message"] and row["remedy"] for row in begun.first["missing"])


def test_application_is_taken_once(world, application, begun):
    assert begun.again["reference"] == begun.first["reference"]
    assert world.json("auditor").call(
        "channel.admission", "search_count", [("external_id", "=", application.key)]
    ) == 1


def test_wrong_values_are_named(world, application):
    """All of them at once, and nothing is stored."""
    wrong = {
        **application.company, "external_id": f"WRONG-{TAG}", "country": "XX", "device_classes": ["IV"],
        "email": "nowhere", "colour": "blue",
    }
    for client, named in ((world.json2("sales.east"), {"values": wrong}), (world.xml("sales.east"), None)):
        with pytest.raises(Refused) as refused:
            if named:
                client.call("channel.admission", "apply", **named)
            else:
                client.call("channel.admission", "apply", wrong)
        said = str(refused.value)
        assert refused.value.kind in ("AdmissionError", "UserError")
        for field, value in (("country", "XX"), ("device_classes", "IV"), ("email", "nowhere"), ("colour", "colour")):
            assert f"{field}:" in said
            assert value in said
    assert not world.json("auditor").call(
        "channel.admission", "search_count", [("external_id", "=", f"WRONG-{TAG}")]
    )


def test_wrong_document_is_named(world, application, begun):
    values = {
        "external_id": application.key,
        "documents": [{"type": "cn_uscc", "files": [{"name": "a.exe", "content": base64.b64encode(b"MZ").decode()}]}],
    }
    with pytest.raises(Refused, match=r"cn_uscc\.files: .*a\.exe"):
        world.json2("sales.east").call("channel.admission", "apply", values=values)
    values["documents"] = [{"type": "no_such_type"}]
    with pytest.raises(Refused, match=r"type: .*no_such_type"):
        world.json2("sales.east").call("channel.admission", "apply", values=values)


def test_application_is_handed_in_when_complete(world, begun, handed_in):
    assert handed_in["reference"] == begun.first["reference"]
    assert (handed_in["state"], handed_in["missing"]) == ("submitted", [])


def test_applicant_becomes_a_member(world, application, admitted):
    """Nobody keys anything in: the approval made member, documents, authorization and portal user."""
    assert admitted.own_work.kind in ("AccessError", "UserError")
    status = admitted.status
    assert (status["state"], status["progress"]) == ("approved", 100)
    assert "token" not in status
    auditor = world.json("auditor")
    [member] = auditor.call(
        "res.partner", "search_read", [("channel_code", "=", status["member"])],
        ["name", "vat", "channel_state", "channel_qualification_ids", "channel_authorization_ids", "child_ids"],
    )
    assert (member["name"], member["vat"]) == (application.company["name"], application.company["vat"])
    assert member["channel_state"] == "active"
    documents = read(auditor, "channel.qualification", member["channel_qualification_ids"], "number", "state")
    assert {document.number for document in documents} == {row["number"] for row in application.documents}
    assert {document.state for document in documents} == {"verified"}
    [authorization] = read(
        auditor, "channel.authorization", member["channel_authorization_ids"], "state", "region_ids",
        "product_categ_ids",
    )
    assert authorization.state == "approved"
    assert authorization.region_ids == [world.ref("channel_l10n_cn.cn_350100")]
    users = world.json("admin").call("res.users", "search_read", [("partner_id", "in", member["child_ids"])], ["share"])
    assert [user["share"] for user in users] == [True]


def test_sent_again_after_the_decision_changes_nothing(world, application, admitted):
    values = {**application.company, "name": "Somebody else"}
    answer = world.json2("sales.east").call("channel.admission", "apply", values=values)
    assert (answer["reference"], answer["state"]) == (admitted.status["reference"], "approved")
    assert read(world.json("auditor"), "channel.admission", admitted.record, "name").name == application.company["name"]


def test_who_may_apply_and_ask(world, application, begun):
    """Sales of the region and the auditor may ask; sales of another region do not find it; dealers may neither."""
    for login in ("sales.east", "auditor"):
        status = world.json(login).call("channel.admission", "status", application.key)
        assert status["reference"] == begun.first["reference"]
    for login in ("sales.north", "dealer"):
        with pytest.raises(Refused, match="there is no admission"):
            world.json(login).call("channel.admission", "status", application.key)
    with pytest.raises(Refused) as refused:
        world.json("warehouse").call("channel.admission", "status", application.key)
    assert refused.value.kind == "AccessError"
    for login in ("auditor", "dealer", "warehouse"):
        with pytest.raises(Refused) as refused:
            world.json(login).call("channel.admission", "apply", {"name": "X", "external_id": f"NO-{TAG}"})
        assert refused.value.kind == "AccessError", login


# --- An application by a stranger, in a browser ---


def test_stranger_begins_an_application(world, visitor, served_demo):
    page = visitor.get("/channel/apply")
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    name = f"莆田木兰医疗器械有限公司 {TAG}"
    form = {
        "name": name, "role": "distributor", "country_id": world.ref("base.cn"), "device_class_iii": "1",
        "contact_name": "兰木", "email": f"mulan.{TAG}@applicant.example.com",
    }
    # What a stranger must not decide is not taken from the form.
    begun = visitor.post("/channel/apply", {**form, "state": "approved", "grade_id": "1"}, page="/channel/apply")
    assert begun.status == 303, begun.text[:2000]
    link = begun.headers["Location"]
    [draft] = world.json("auditor").call(
        "channel.admission", "search_read", [("name", "=", name)], ["reference", "state", "source", "grade_id"]
    )
    assert (draft["state"], draft["source"], draft["grade_id"]) == ("draft", "portal", False)
    assert f"/channel/apply/{draft['reference']}?" in link
    # The link opens it, for another browser too; nothing else does.
    stranger = Browser(served_demo.url)
    opened = stranger.get(link)
    assert opened.status == 200
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["access_token"][0]
    path = f"/channel/apply/{draft['reference']}"
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
    for address in (path, f"{path}?access_token={wrong}", f"/channel/apply/NO-SUCH-{TAG}?access_token={token}"):
        assert stranger.get(address).status == 404, address
    # Incomplete, it is not handed in.
    visitor.post(f"{path}/submit", {"access_token": token, "confirmed": "1"}, page=link)
    assert read(world.json("auditor"), "channel.admission", draft["id"], "state").state == "draft"


# --- A letter, checked by whoever holds it ---


def _verify_page(world, visitor, xmlid):
    [row] = world.json("admin").call(
        "channel.authorization", "read", [world.ref(xmlid)], ["verification_token", "number"]
    )
    return row["number"], visitor.get(f"/channel/verify/{row['verification_token']}")


def test_letters_are_verified_by_their_token(world, visitor):
    number, page = _verify_page(world, visitor, "channel_demo.authorization_expiring")
    assert page.status == 200
    assert number in page.text
    assert "o_verify_valid" in page.text
    assert "noindex" in page.headers["X-Robots-Tag"]
    # Valid or not is all that is told: neither territory nor products.
    assert "Liaoning" not in page.text
    assert "辽宁" not in page.text
    number, page = _verify_page(world, visitor, "channel_demo.authorization_revoked")
    assert number in page.text
    assert "o_verify_revoked" in page.text
    for token in ("A" * 43, "short", "A" * 42 + "%"):
        page = visitor.get(f"/channel/verify/{urllib.parse.quote(token)}")
        assert page.status == 404, token
        assert "o_verify_" not in page.text


def test_tokens_are_read_by_nobody_of_the_channel(world):
    for login in ("compliance", "manager", "auditor", "dealer"):
        with pytest.raises(Refused) as refused:
            world.json(login).call(
                "channel.authorization", "search_read", [], ["verification_token"], limit=1
            )
        assert refused.value.kind == "AccessError", login


# --- The gate by the day: members, lots, products ---


def _codes(world, member, product, day=None, operation="order", customer=None, **line):
    found = world.json2("sales.east").call(
        "channel.gate", "evaluate", operation=operation, member_id=member, customer_id=customer,
        lines=[{"product_id": product, "quantity": 1, **line}], **({"date": iso(day)} if day else {}),
    )
    return {finding["code"]: finding for finding in found}


@pytest.fixture(scope="module")
def stocked(world):
    """A device of the story that is tracked by lot, and the first and last day of its certificate."""
    product = world.ref("channel_demo.product_HC_002")
    auditor = world.json("auditor")
    template = read(auditor, "product.product", product, "product_tmpl_id").product_tmpl_id[0]
    [certificate] = auditor.call(
        "channel.registration", "search_read", [("product_tmpl_ids", "in", [template]), ("state", "=", "valid")],
        ["number", "valid_from", "valid_to"],
    )
    return SimpleNamespace(
        id=product, number=certificate["number"], since=date.fromisoformat(certificate["valid_from"]),
        until=date.fromisoformat(certificate["valid_to"]),
    )


def test_member_is_judged_as_of_the_day(world, stocked):
    """The story admits its dealers two months before its year begins: before that day they were none."""
    dealer = world.ref("channel_demo.dealer_D001")
    periods = world.json("sales.east").call(
        "channel.member.period", "search_read", [("partner_id", "=", dealer), ("state", "=", "active")],
        ["valid_from", "valid_to"], order="valid_from",
    )
    since = date.fromisoformat(periods[0]["valid_from"])
    assert since < TODAY
    assert periods[-1]["valid_to"] is False
    before = _codes(world, dealer, stocked.id, since - timedelta(days=1))
    assert before["member_state"]["severity"] == "block"
    for day in (since, TODAY):
        assert "member_state" not in _codes(world, dealer, stocked.id, day)


def test_suspended_document_counts_from_its_day(world):
    """The filing of this dealer has been suspended for nine days in the story: class II stops, class III does not."""
    dealer = world.ref("channel_demo.dealer_D008")
    auditor = world.json("auditor")
    [suspension] = auditor.call(
        "channel.qualification.suspension", "search_read", [("qualification_id.partner_id", "=", dealer)], ["date_from"]
    )
    start = date.fromisoformat(suspension["date_from"])
    devices = {
        row["channel_device_class"]: row["id"]
        for row in auditor.call(
            "product.product", "search_read", [("default_code", "like", "HC-")], ["channel_device_class"]
        )
    }
    evaluate = world.json2("manager").call
    found = {
        (device_class, day): {
            finding["code"] for finding in evaluate(
                "channel.gate", "evaluate", operation="order", member_id=dealer, date=iso(day),
                lines=[{"product_id": product, "quantity": 1}],
            )
        }
        for device_class, product in devices.items() for day in (start - timedelta(days=1), start)
    }
    assert "member_qualification" in found["II", start]
    assert "member_qualification" not in found["II", start - timedelta(days=1)]
    assert "member_qualification" not in found["III", start]


def test_lot_is_legal_by_the_day_it_was_made(world, stocked):
    """GSP and article 112: what was made while the certificate was valid stays legal, and nothing else is."""
    dealer, customer = world.ref("channel_demo.dealer_D001"), world.ref("channel_demo.hospital_350000_000")
    days = {
        "before": stocked.since - timedelta(days=1), "first": stocked.since, "last": stocked.until,
        "after": stocked.until + timedelta(days=1),
    }
    admin = world.json("admin")
    lots = {
        name: admin.call("stock.lot", "create", {
            "name": f"{TAG}-{name}", "product_id": stocked.id, "channel_production_date": iso(day),
        })
        for name, day in days.items()
    }
    found = {
        name: _codes(
            world, dealer, stocked.id, stocked.until + timedelta(days=30), "delivery", customer, lot_id=lot
        ).get("product_registration")
        for name, lot in lots.items()
    }
    assert found["first"] is None
    assert found["last"] is None, "its certificate has expired since: it stays legal"
    for name in ("before", "after"):
        assert (found[name]["severity"], found[name]["line"]) == ("block", 0)
        assert found[name]["law"]


def test_sub_dealer_may_not_more_than_its_dealer(world, stocked):
    """Named for cardiovascular devices in Fuzhou: nothing else, and nowhere else, although its dealer may do both."""
    sub, home = world.ref("channel_demo.dealer_D011"), world.ref("channel_demo.hospital_350000_000")
    assert "member_authorization" not in _codes(world, sub, stocked.id, customer=home)
    [surgical] = world.json("auditor").call(
        "product.product", "search", [("default_code", "like", "HC-"), ("categ_id.name", "=", "Surgery")], limit=1
    )
    assert _codes(world, sub, surgical, customer=home)["member_authorization"]["severity"] == "block"
    elsewhere = world.ref("channel_demo.hospital_370000_000")
    assert _codes(world, sub, stocked.id, customer=elsewhere)["member_authorization"]["severity"] == "block"


def test_tier_holds_from_its_day(world):
    """The story's yearly review takes effect on the first day of this month: until then the past stays as it was."""
    auditor = world.json("auditor")
    review = read(auditor, "channel.tier.review", world.ref("channel_demo.tier_review_year"), "state", "effective_date")
    interim = read(auditor, "channel.tier.review", world.ref("channel_demo.tier_review_interim"), "state", "line_ids")
    assert (review.state, interim.state) == ("approved", "draft")
    assert interim.line_ids
    lines = auditor.call(
        "channel.tier.review.line", "search_read",
        [("review_id", "=", world.ref("channel_demo.tier_review_year"))],
        ["partner_id", "current_grade_id", "grade_id", "direction"],
    )
    changed = [line for line in lines if line["direction"] in ("up", "down")]
    assert 0 < len(changed) < len(lines)
    start = date.fromisoformat(review.effective_date)

    def grade(line, day):
        [period] = auditor.call(
            "channel.member.period", "search_read",
            [("partner_id", "=", line["partner_id"][0]), ("valid_from", "<=", iso(day)),
             "|", ("valid_to", "=", False), ("valid_to", ">=", iso(day))], ["grade_id"],
        )
        return period["grade_id"]

    for line in lines:
        assert grade(line, start - timedelta(days=1)) == line["current_grade_id"]
        assert grade(line, start) == line["grade_id"]
    with pytest.raises(Refused):
        world.json("compliance").call(
            "channel.tier.review", "action_approve", [world.ref("channel_demo.tier_review_interim")]
        )


def test_applications_of_the_story(world):
    """In every state; what stands against one says so by itself, and who may only read decides nothing."""
    cities = ("nanjing", "suzhou", "hefei", "ningbo", "zhengzhou")
    records = {city: world.ref(f"channel_demo.admission_{city}") for city in cities}
    auditor = world.json("auditor")
    states = {
        city: read(auditor, "channel.admission", record, "state").state for city, record in records.items()
    }
    assert states == {
        "nanjing": "draft", "suzhou": "submitted", "hefei": "returned", "ningbo": "approved", "zhengzhou": "rejected",
    }
    risky = read(auditor, "channel.admission", records["suzhou"], "risk_level", "finding_ids")
    assert risky.risk_level == "high"
    findings = read(auditor, "channel.admission.finding", risky.finding_ids, "code", "message", "remedy")
    assert {"register_mismatch", "shared_legal_person", "document_expires_90"} <= {row.code for row in findings}
    assert all(row.message and row.remedy for row in findings)
    accepted = read(auditor, "channel.admission", records["ningbo"], "partner_id", "document_ids")
    documents = read(auditor, "channel.admission.document", accepted.document_ids, "read_source", "number")
    assert [document.read_source for document in documents if document.number] == ["text_layer"] * 2
    assert read(auditor, "res.partner", accepted.partner_id[0], "channel_state").channel_state == "active"
    [reaudit] = auditor.call(
        "channel.admission", "search_read", [("kind", "=", "reaudit")], ["partner_id", "state", "source"]
    )
    assert reaudit["partner_id"][0] == world.ref("channel_demo.dealer_D006")
    assert (reaudit["state"], reaudit["source"]) == ("draft", "calendar")
    for login in ("sales.east", "auditor"):
        with pytest.raises(Refused):
            world.json(login).call("channel.admission", "action_approve", [records["suzhou"]])
    # High risk: the approval of Compliance is a step and not the decision.
    world.json("compliance").call("channel.admission", "action_approve", [records["suzhou"]])
    waiting = read(auditor, "channel.admission", records["suzhou"], "state", "partner_id")
    assert (waiting.state, waiting.partner_id) == ("submitted", False)
    # Nobody was written to.
    assert not world.json("admin").call(
        "mail.mail", "search_count", [("model", "=", "channel.admission"), ("res_id", "in", list(records.values()))]
    )


def test_refusals_of_the_story_are_those_it_tells(world):
    orders = [world.ref("channel_demo.order_lapsed"), world.ref("channel_demo.order_breach")]
    found = world.json("compliance").call(
        "channel.gate.finding", "search_read",
        [("res_model", "=", "sale.order"), ("res_id", "in", orders), ("state", "=", "refused")], ["res_id", "code"],
        order="res_id",
    )
    assert [(row["res_id"], row["code"]) for row in found] == [
        (orders[0], "member_qualification"), (orders[1], "member_authorization")
    ]


# --- Who may see whom ---


def _matrix(client, **named):
    answer = client.call("channel.authorization.matrix", "read_matrix", **named)
    return answer, {row["name"]: str(row["id"]) for row in answer["rows"]}


def test_matrix_shows_the_own_region(world):
    members = {
        code: str(world.ref(f"channel_demo.dealer_{code}")) for code in ("D001", "D002", "D004", "D005", "D008")
    }
    rows = {
        login: {str(row["id"]) for row in _matrix(world.json2(login))[0]["rows"]}
        for login in ("sales.east", "sales.north", "auditor")
    }
    assert {members["D001"], members["D002"]} <= rows["sales.east"]
    assert not {members["D004"], members["D005"], members["D008"]} & rows["sales.east"]
    assert {members["D004"], members["D008"]} <= rows["sales.north"]
    assert not {members["D001"], members["D002"], members["D005"]} & rows["sales.north"]
    assert set(members.values()) <= rows["auditor"]
    for login in ("dealer", "warehouse"):
        with pytest.raises(Refused) as refused:
            world.json(login).call("channel.authorization.matrix", "read_matrix")
        assert refused.value.kind == "AccessError", login


def test_matrix_tells_kinds_of_authorizations(world):
    region = {
        code: world.ref(f"channel_l10n_cn.cn_{code}") for code in ("430000", "420000", "210000", "130000", "330000")
    }
    areas = [
        row["parent_id"][0] for row in world.json("auditor").call(
            "channel.region", "read", list(region.values()), ["parent_id"]
        )
    ]

    def cell(member, code, day=None):
        answer = world.json2("auditor").call(
            "channel.authorization.matrix", "read_matrix", expanded_region_ids=areas, limit=200,
            **({"date": iso(day)} if day else {}),
        )
        row = str(world.ref(f"channel_demo.dealer_{member}"))
        return answer["cells"].get(row, {}).get(str(region[code]))

    assert (cell("D005", "430000")["state"], cell("D005", "430000")["exclusive"]) == ("exclusive", True)
    assert cell("D005", "420000")["state"] == "authorized"
    assert cell("D002", "210000")["state"] == "expiring"
    assert cell("D003", "330000")["members"] == 1
    revoked = date.fromisoformat(
        world.json("auditor").call(
            "channel.authorization", "read", [world.ref("channel_demo.authorization_revoked")], ["revoked_on"]
        )[0]["revoked_on"]
    )
    assert cell("D008", "130000") is None
    assert cell("D008", "130000", revoked) is None
    assert cell("D008", "130000", revoked - timedelta(days=1))["authorizations"] == 1


def test_passport_is_read_by_who_may_read_the_member(world):
    dealer = world.ref("channel_demo.dealer_D001")
    for login in ("sales.east", "auditor"):
        passport = world.json2(login).call("channel.member.passport", "read_passport", partner_id=dealer)
        assert (passport["id"], passport["code"]) == (dealer, "D001")
        assert passport["sections"]
    for login in ("sales.north", "warehouse", "dealer2"):
        with pytest.raises(Refused) as refused:
            world.json(login).call("channel.member.passport", "read_passport", dealer)
        assert refused.value.kind == "AccessError", login


def test_salespersons_authority_is_seen_by_its_holder(world):
    record = world.ref("channel_demo.authority_sales_east")
    assert world.json("sales.east").call("channel.salesperson.authority", "search", []) == [record]
    assert world.json("sales.north").call("channel.salesperson.authority", "search", []) == []
    held = read(world.json("compliance"), "channel.salesperson.authority", record, "identity_number", "state")
    assert (held.identity_number, held.state) == ("DEMO-ID-0001", "approved")
    for login in ("sales.east", "auditor"):
        with pytest.raises(Refused) as refused:
            read(world.json(login), "channel.salesperson.authority", record, "identity_number")
        assert refused.value.kind == "AccessError", login
    with pytest.raises(Refused) as refused:
        world.json("sales.east").call("channel.salesperson.authority", "create", {"all_products": True})
    assert refused.value.kind == "AccessError"


def test_register_tells_what_differs(world):
    """The story's list has another last day for one licence; who imports it is Compliance, who reads it the channel."""
    answers = world.json("auditor").call(
        "channel.verification", "search_read", [("res_model", "=", "channel.qualification")],
        ["partner_id", "result", "difference_text"],
    )
    differs = [row for row in answers if row["result"] == "mismatch"]
    assert [row["partner_id"][0] for row in differs] == [world.ref("channel_demo.dealer_D005")]
    assert differs[0]["difference_text"]
    assert len(answers) == 5
    # Answers belong to the region of their member.
    seen = world.json("sales.east").call("channel.verification", "search_read", [], ["partner_id"])
    assert world.ref("channel_demo.dealer_D005") not in {row["partner_id"][0] for row in seen if row["partner_id"]}
    with pytest.raises(Refused) as refused:
        world.json("sales.east").call("channel.register.list", "create", {"name": "x"})
    assert refused.value.kind == "AccessError"
