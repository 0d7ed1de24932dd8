"""A dealer's first quarter, told from outside: by three real clients, each person in the own name.

The dealer is new; hospitals, chart of accounts, people and the second dealer are those of the demonstration story.
Each chapter is a fixture that does something and leans on the chapter before it; the tests look at what came of it.

The figures, worked out by hand. Amounts in CNY, two decimals, half away from zero; VAT is l10n_cn's 13 %, added to
the price and rounded on each line.

    list price of the device                                                            1,234.56 a unit
    East China, class III-A hospitals, bronze dealers: 12.5 % off   1,234.56 x 0.875  = 1,080.24 a unit
    the same by the dozen                                           1,080.24 x 12     = 12,962.88 a dozen
    every other hospital: a fixed price                                                 1,200.00 a unit

                                                          untaxed    VAT 13 %               total
    first order    10 units   x  1,080.24             = 10,802.40    1,404.312  ->  1,404.31    12,206.71
    second order    2 dozens  x 12,962.88             = 25,925.76    3,370.3488 ->  3,370.35    29,296.11
    each return     5 units   x  1,080.24             =  5,401.20      702.156  ->    702.16     6,103.36

The rebate: on everything invoiced in a quarter, 0 % below 10,000.00, 1 % from 10,000.00, 3 % from 30,000.00; rounded
once for the quarter. Booked is the difference between what is owed and what is booked.

                              base in the quarter              owed                         booked
    after the first order     10,802.40                        1 %    108.024  ->   108.02    +108.02
    after the second          10,802.40 + 25,925.76 = 36,728.16  3 %  1,101.8448 -> 1,101.84    +993.82
    after the first return    36,728.16 -  5,401.20 = 31,326.96  3 %    939.8088 ->   939.81    -162.03
    after the second return   31,326.96 -  5,401.20 = 25,925.76  1 %    259.2576 ->   259.26    -680.55

939.81 are settled by a credit note before the second return. After it 259.26 are owed and 939.81 settled, so
259.26 - 939.81 = -680.55 are open, which an invoice charges back.
"""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from acceptance_clients import Refused
from acceptance_world import TAG, TODAY, exact, iso, read, years_before
from stdnum.cn import uscc

LIST_PRICE = 1234.56
UNIT_PRICE = Decimal("1080.24")
DOZEN_PRICE = Decimal("12962.88")
OTHER_PRICE = Decimal("1200.0")


# --- What the chapters need: a device, its prices, its lots ---


@pytest.fixture(scope="module")
def device(world):
    """A class III device in stock, ten units of lot A; set up by the administrator, as master data are."""
    admin = world.json("admin")
    product = admin.call("product.product", "create", {
        "name": f"Acceptance balloon catheter {TAG}",
        "default_code": f"ACC-{TAG}",
        "type": "consu",
        "is_storable": True,
        "tracking": "lot",
        "list_price": LIST_PRICE,
        "standard_price": 469.13,
        "invoice_policy": "delivery",
        "channel_device_class": "III",
    })
    template = read(admin, "product.product", product, "product_tmpl_id").product_tmpl_id[0]
    certificate = world.json("manager").call("channel.registration", "create", {
        "type_id": world.ref("channel_l10n_cn.qualification_type_registration"),
        "number": f"国械注准{TODAY.year - 2}303{int(TAG, 16) % 10**4:04d}",
        "device_class": "III",
        "valid_from": iso(years_before(TODAY, 2)),
        "valid_to": iso(TODAY + timedelta(days=900)),
        "product_tmpl_ids": [template],
    })
    world.json("compliance").call("channel.registration", "action_confirm", [certificate])
    device = SimpleNamespace(id=product, dozen=world.ref("uom.product_uom_dozen"))
    device.lots = {"A": _receive(world, product, "A", 10)}
    return device


def _receive(world, product, letter, quantity):
    admin = world.json("admin")
    own = [("company_id", "=", world.ref("base.main_company"))]
    [warehouse] = admin.call("stock.warehouse", "search_read", own, ["lot_stock_id"], limit=1)
    lot = admin.call("stock.lot", "create", {"name": f"{TAG}-{letter}", "product_id": product})
    quant = admin.call(
        "stock.quant",
        "create",
        {
            "product_id": product,
            "lot_id": lot,
            "location_id": warehouse["lot_stock_id"][0],
            "inventory_quantity": quantity,
        },
        context={"inventory_mode": True},
    )
    admin.call("stock.quant", "action_apply_inventory", [quant])
    return lot


@pytest.fixture(scope="module")
def price_table(world, device):
    """Pricing makes a table with two rules for the device: one for a segment of the story, one for everybody."""
    pricing = world.json("pricing")
    [segment] = pricing.call("channel.segment", "search", [("code", "=", "east-3A-bronze")])
    rule = {"applied_on": "0_product_variant", "product_id": device.id}
    table = pricing.call("product.pricelist", "create", {
        "name": f"Acceptance table {TAG}",
        "currency_id": world.ref("base.CNY"),
        "item_ids": [
            (0, 0, {**rule, "compute_price": "formula", "base": "list_price", "price_discount": 12.5,
                    "channel_segment_id": segment}),
            (0, 0, {**rule, "compute_price": "fixed", "fixed_price": float(OTHER_PRICE)}),
        ],
    })
    rules = pricing.call(
        "product.pricelist.item", "search_read", [("pricelist_id", "=", table)], ["channel_segment_id"]
    )
    return SimpleNamespace(
        id=table,
        segment_rule=next(row["id"] for row in rules if row["channel_segment_id"]),
        other_rule=next(row["id"] for row in rules if not row["channel_segment_id"]),
    )


@pytest.fixture(scope="module")
def hospitals(world):
    """Of the story: two in Fujian (class III-A, class II-A) and one class III-A in Shandong, all in East China."""
    return SimpleNamespace(
        home=world.ref("channel_demo.hospital_350000_000"),
        home_2a=world.ref("channel_demo.hospital_350000_001"),
        elsewhere=world.ref("channel_demo.hospital_370000_000"),
    )


# --- Chapter 1: a dealer is admitted, authorised and under contract; nobody noticed that its licence has run out ---


@pytest.fixture(scope="module")
def dealer(world):
    """The manager enters it, and its documents; Compliance verifies them and admits it."""
    manager, compliance = world.json("manager"), world.json("compliance")
    # Ningde, Jiaocheng district (350902). The letters I, O, S, V and Z are not used in these codes.
    body = f"91350902MA{int(TAG, 16) % 10**7:07d}"
    number = body + uscc.calc_check_digit(body)
    member = manager.call("res.partner", "create", {
        "name": f"宁德霍童医疗器械有限公司 {TAG}",
        "is_company": True,
        "channel_role": "distributor",
        "vat": number,
        "street": "蕉城区霍童路1号",
        "city": "宁德市",
        "state_id": world.ref("base.state_cn_FJ"),
        "country_id": world.ref("base.cn"),
        "grade_id": world.ref("channel_demo.grade_bronze"),
        "email": f"{TAG}@dealer.example.com",
    })
    expired_on = TODAY - timedelta(days=20)
    issued_on = years_before(expired_on, 5)
    licence = f"闽宁药监械经营许{issued_on.year}{int(TAG, 16) % 10**4:04d}号"
    dealer = SimpleNamespace(id=member, uscc=number, licence=licence, expired_on=expired_on)
    dealer.applied = read(manager, "res.partner", member, "channel_state", "channel_code", "channel_region_id")
    types = {
        row["code"]: row["id"]
        for row in manager.call("channel.qualification.type", "search_read", [], ["code"])
    }
    dealer.documents = manager.call("channel.qualification", "create", [
        {"partner_id": member, "type_id": types["cn_uscc"], "number": number, "issue_date": iso(issued_on)},
        {"partner_id": member, "type_id": types["cn_trading_licence"], "number": licence,
         "issue_date": iso(issued_on), "expiry_date": iso(expired_on), "scope_ids": [[0, 0, {"device_class": "III"}]]},
    ])
    with pytest.raises(Refused) as own_work:
        manager.call("channel.qualification", "action_verify", dealer.documents)
    dealer.own_work = own_work.value
    compliance.call("channel.qualification", "action_verify", dealer.documents)
    compliance.call("res.partner", "action_channel_activate", [member], reason="Documents complete and verified")
    return dealer


@pytest.fixture(scope="module")
def authorization(world, dealer):
    """Fujian, all products; written by Compliance, approved by the manager."""
    compliance = world.json("compliance")
    record = compliance.call("channel.authorization", "create", {
        "partner_id": dealer.id,
        "all_products": True,
        "region_ids": [(6, 0, [world.ref("channel_l10n_cn.cn_350000")])],
        "date_from": iso(TODAY - timedelta(days=30)),
        "date_to": iso(TODAY + timedelta(days=335)),
    })
    with pytest.raises(Refused) as own_work:
        compliance.call("channel.authorization", "action_approve", [record])
    world.json("manager").call("channel.authorization", "action_approve", [record])
    return SimpleNamespace(id=record, own_work=own_work.value)


@pytest.fixture(scope="module")
def contract(world, dealer, price_table):
    """With the price table; written by Contract, approved by the manager."""
    writer = world.json("contract")
    record = writer.call("channel.contract", "create", {
        "title": f"Acceptance agreement {TAG}",
        "member_id": dealer.id,
        "version_ids": [(0, 0, {
            "purpose": "First agreement",
            "valid_from": iso(TODAY - timedelta(days=30)),
            "pricelist_id": price_table.id,
            "payment_term_id": world.ref("account.account_payment_term_30days"),
            "clause_ids": [(0, 0, {"sequence": 10, "title": "Prices", "body": "<p>Those of the price table.</p>"})],
        })],
    })
    [version] = read(writer, "channel.contract", record, "version_ids").version_ids
    with pytest.raises(Refused) as own_work:
        writer.call("channel.contract.version", "action_approve", [version])
    world.json("manager").call("channel.contract.version", "action_approve", [version])
    return SimpleNamespace(id=record, version=version, own_work=own_work.value)


def test_dealer_is_admitted(world, dealer, authorization, contract):
    assert dealer.applied.channel_state == "applicant"
    assert dealer.applied.channel_code, "a member gets its code when it is entered"
    # By its address alone: Ningde lies in Fujian.
    assert dealer.applied.channel_region_id[0] in world.json("manager").call(
        "channel.region", "search", [("id", "child_of", world.ref("channel_l10n_cn.cn_350000"))]
    )
    assert dealer.own_work.kind == "AccessError"
    assert authorization.own_work.kind == "UserError"
    assert contract.own_work.kind == "UserError"
    auditor = world.json("auditor")
    assert read(auditor, "res.partner", dealer.id, "channel_state").channel_state == "active"
    documents = read(auditor, "channel.qualification", dealer.documents, "state", "status", "verified_by_id")
    assert [document.state for document in documents] == ["verified", "verified"]
    assert [document.status for document in documents] == ["valid", "expired"]
    assert {document.verified_by_id[0] for document in documents} == {world.json("compliance").uid}
    terms = world.xml("sales.east").call("channel.contract", "terms_at", [contract.id], iso(TODAY))
    assert terms["version_id"] == contract.version
    assert terms["approved_by"] == read(world.json("manager"), "res.users", world.json("manager").uid, "name").name


def test_numbers_are_validated(world, dealer):
    def validate(code, number):
        return world.json2("sales.east").call("channel.qualification.type", "validate", code=code, number=number)

    answer = validate("cn_uscc", dealer.uscc)
    assert (answer["valid"], answer["parsed"]["number"]) == (True, dealer.uscc)
    wrong = "0" if dealer.uscc[-1] != "0" else "1"
    answer = validate("cn_uscc", dealer.uscc[:-1] + wrong)
    assert (answer["valid"], answer["reason"]) == (False, "check_digit")
    answer = validate("cn_uscc", dealer.uscc[:-1])
    assert (answer["valid"], answer["reason"]) == (False, "length")

    answer = validate("cn_trading_licence", dealer.licence)
    assert answer["valid"]
    assert answer["parsed"]["province_code"] == "350000"  # 闽 is Fujian
    # A filing (备) is another document than a licence (许).
    answer = validate("cn_trading_licence", dealer.licence.replace("许", "备"))
    assert (answer["valid"], answer["reason"]) == (False, "cn_kind")

    # 国械注准 2020 3 13 9102: domestic, first registered in 2020, class III, catalogue 13, serial 9102.
    answer = validate("cn_registration", "国械注准20203139102")
    assert answer["valid"]
    assert (answer["parsed"]["year"], answer["parsed"]["device_class"]) == (2020, "III")
    with pytest.raises(Refused, match="no_such_code") as refusal:
        validate("no_such_code", "1")
    assert refusal.value.kind == "UserError"


# --- Chapter 2: an order is refused ---


@pytest.fixture(scope="module")
def order(world, dealer, authorization, contract, device, hospitals):
    """A quotation by sales, not yet confirmed: ten units for the class III-A hospital in Fujian."""
    return _order(world, dealer, device, hospitals.home, quantity=10)


def _order(world, dealer, device, hospital, quantity, uom=None):
    return world.json("sales.east").call("sale.order", "create", {
        "partner_id": dealer.id,
        "channel_end_customer_id": hospital,
        "order_line": [(0, 0, {
            "product_id": device.id,
            "product_uom_qty": quantity,
            **({"product_uom_id": uom} if uom else {}),
        })],
    })


@pytest.fixture(scope="module")
def refusal(world, dealer, order, device, hospitals):
    """What the gate says beforehand over JSON-2, and then to two clients that try all the same."""
    foretold = world.json2("sales.east").call(
        "channel.gate", "evaluate", operation="order", member_id=dealer.id, customer_id=hospitals.home,
        lines=[{"product_id": device.id, "quantity": 10}],
    )
    said = []
    for client in (world.json("sales.east"), world.xml("sales.east")):
        with pytest.raises(Refused) as refused:
            client.call("sale.order", "action_confirm", [order])
        said.append(refused.value)
    return SimpleNamespace(foretold=foretold, said=said)


def test_order_without_licence_is_refused(world, dealer, order, refusal):
    [finding] = refusal.foretold
    assert (finding["code"], finding["severity"]) == ("member_qualification", "block")
    assert dealer.licence in finding["message"]
    assert finding["law"]
    for refused in refusal.said:
        assert str(refused).startswith("[member_qualification] ")
        assert finding["message"] in str(refused)
    assert read(world.json("sales.east"), "sale.order", order, "state").state == "draft"


def test_refusal_is_on_record(world, dealer, order, refusal, device):
    """The attempts were rolled back; that they were made was not."""
    [finding] = world.json("compliance").call(
        "channel.gate.finding", "search_read",
        [("res_model", "=", "sale.order"), ("res_id", "=", order), ("code", "=", "member_qualification")],
        ["state", "severity", "attempt_count", "member_id", "user_id", "attempt"],
    )
    assert (finding["state"], finding["severity"]) == ("refused", "block")
    assert finding["attempt_count"] == len(refusal.said) == 2
    assert finding["member_id"][0] == dealer.id
    assert finding["user_id"][0] == world.json("sales.east").uid
    entries = world.json("auditor").call(
        "channel.audit.entry", "search_read",
        [("action", "=", "gate.refused"), ("model", "=", "channel.gate.finding"), ("res_id", "=", finding["id"])],
        ["user_id", "after"],
    )
    assert len(entries) == 2
    assert {entry["user_id"][0] for entry in entries} == {world.json("sales.east").uid}


# --- Chapter 3: the licence is renewed, the same order confirmed, at the price that was quoted ---


@pytest.fixture(scope="module")
def renewal(world, dealer, refusal):
    """Entered by the manager from the old licence, verified by Compliance."""
    manager = world.json("manager")
    old = next(
        document["id"] for document in manager.call("channel.qualification", "read", dealer.documents, ["number"])
        if document["number"] == dealer.licence
    )
    record = manager.call("channel.qualification", "action_renew", [old])["res_id"]
    world.json("compliance").call("channel.qualification", "action_verify", [record])
    return record


@pytest.fixture(scope="module")
def confirmed(world, order, renewal):
    world.json("sales.east").call("sale.order", "action_confirm", [order])
    return order


def _quote(world, dealer, hospital, product, uom=None):
    [answer] = world.json2("sales.east").call(
        "channel.pricing", "quote", member_id=dealer.id, customer_id=hospital,
        lines=[{"product_id": product, "quantity": 10, **({"uom_id": uom} if uom else {})}],
    )
    return answer


def test_renewal_follows_the_old_licence(world, dealer, renewal):
    document = read(world.json("auditor"), "channel.qualification", renewal, "number", "issue_date", "state", "status")
    assert document.number == dealer.licence  # a renewed licence keeps its number
    assert document.issue_date == iso(dealer.expired_on + timedelta(days=1))
    assert (document.state, document.status) == ("verified", "valid")


def test_order_confirms_at_the_quoted_price(world, dealer, confirmed, device, hospitals, price_table):
    sales = world.json("sales.east")
    order = read(
        sales, "sale.order", confirmed,
        "state", "order_line", "pricelist_id", "amount_untaxed", "amount_tax", "amount_total", "currency_id",
    )
    assert order.state == "sale"
    assert order.pricelist_id[0] == price_table.id  # by contract; nobody chose it on the order
    assert order.currency_id[1] == "CNY"
    line = read(sales, "sale.order.line", order.order_line[0], "price_unit", "discount", "price_subtotal")
    quoted = _quote(world, dealer, hospitals.home, device.id)
    # 1,234.56 less 12.5 %
    assert exact(line.price_unit) == exact(quoted["price_unit"]) == UNIT_PRICE
    assert line.discount == 0
    assert quoted["pricelist_item_id"] == price_table.segment_rule
    assert quoted["currency"] == "CNY"
    assert [step["code"] for step in quoted["steps"] if step["code"] in ("won", "price")] == ["won", "price"]
    # 10 x 1,080.24; 13 % of it
    assert exact(order.amount_untaxed) == exact(line.price_subtotal) == Decimal("10802.4")
    assert exact(order.amount_tax) == Decimal("1404.31")
    assert exact(order.amount_total) == Decimal("12206.71")


def test_price_depends_on_hospital_and_unit(world, dealer, contract, device, hospitals, price_table):
    other = _quote(world, dealer, hospitals.home_2a, device.id)
    assert (exact(other["price_unit"]), other["pricelist_item_id"]) == (OTHER_PRICE, price_table.other_rule)
    dozen = _quote(world, dealer, hospitals.home, device.id, uom=device.dozen)
    assert exact(dozen["price_unit"]) == DOZEN_PRICE


def test_territory_breach_is_refused(world, dealer, confirmed, device, hospitals):
    breach = _order(world, dealer, device, hospitals.elsewhere, quantity=10)
    [finding] = world.json2("sales.east").call(
        "channel.gate", "evaluate", operation="order", member_id=dealer.id, customer_id=hospitals.elsewhere,
        lines=[{"product_id": device.id, "quantity": 10}],
    )
    assert (finding["code"], finding["line"]) == ("member_authorization", 0)
    with pytest.raises(Refused, match=r"^\[member_authorization\] "):
        world.xml("sales.east").call("sale.order", "action_confirm", [breach])
    stored = world.json("compliance").call(
        "channel.gate.finding", "search_read",
        [("res_model", "=", "sale.order"), ("res_id", "=", breach), ("state", "=", "refused")],
        ["code", "basis", "customer_id", "product_id"],
    )
    assert [row["code"] for row in stored] == ["member_authorization"]
    assert stored[0]["basis"]["reason"] == "territory"
    assert (stored[0]["customer_id"][0], stored[0]["product_id"][0]) == (hospitals.elsewhere, device.id)


# --- Chapter 4: delivered by lot, invoiced, posted ---


def _deliver(world, order):
    """:return: ids of the deliveries, done by the warehouse"""
    warehouse = world.json("warehouse")
    pickings = read(world.json("sales.east"), "sale.order", order, "picking_ids").picking_ids
    warehouse.call("stock.picking", "action_assign", pickings)
    assert warehouse.call("stock.picking", "button_validate", pickings) is True
    return pickings


def _invoice(world, order):
    """Drafted by sales, dated and posted by Finance. :return: id of the invoice"""
    sales, finance = world.json("sales.east"), world.json("finance")
    context = {"active_model": "sale.order", "active_ids": [order], "active_id": order}
    wizard = sales.call(
        "sale.advance.payment.inv", "create", {"advance_payment_method": "delivered"}, context=context
    )
    sales.call("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
    [invoice] = finance.call("account.move", "search", [("line_ids.sale_line_ids.order_id", "=", order)])
    finance.call("account.move", "write", [invoice], {"invoice_date": iso(TODAY)})
    finance.call("account.move", "action_post", [invoice])
    return invoice


def _return(world, invoice, quantity):
    """Finance credits some units of an invoice. :return: id of the credit note"""
    finance = world.json("finance")
    [journal] = finance.call("account.move", "read", [invoice], ["journal_id"])
    wizard = finance.call(
        "account.move.reversal", "create",
        {"reason": "Returned unopened", "journal_id": journal["journal_id"][0], "date": iso(TODAY)},
        context={"active_model": "account.move", "active_ids": [invoice]},
    )
    refund = finance.call("account.move.reversal", "refund_moves", [wizard])["res_id"]
    [line] = read(finance, "account.move", refund, "invoice_line_ids").invoice_line_ids
    finance.call("account.move", "write", [refund], {
        "invoice_date": iso(TODAY), "invoice_line_ids": [(1, line, {"quantity": quantity})],
    })
    finance.call("account.move", "action_post", [refund])
    return refund


def _amounts(world, move):
    """:return: (state, untaxed, tax, total) of an invoice or a credit note"""
    move = read(world.json("finance"), "account.move", move, "state", "amount_untaxed", "amount_tax", "amount_total")
    return move.state, exact(move.amount_untaxed), exact(move.amount_tax), exact(move.amount_total)


@pytest.fixture(scope="module")
def first_sale(world, confirmed):
    return SimpleNamespace(order=confirmed, pickings=_deliver(world, confirmed), invoice=_invoice(world, confirmed))


def test_delivered_by_lot(world, first_sale, device, hospitals):
    warehouse = world.json("warehouse")
    [picking] = read(warehouse, "stock.picking", first_sale.pickings, "state", "channel_end_customer_id")
    assert (picking.state, picking.channel_end_customer_id[0]) == ("done", hospitals.home)
    lines = warehouse.call(
        "stock.move.line", "search_read", [("picking_id", "in", first_sale.pickings)], ["lot_id", "quantity"]
    )
    assert [(line["lot_id"][0], line["quantity"]) for line in lines] == [(device.lots["A"], 10.0)]


def test_invoiced(world, first_sale, hospitals):
    assert _amounts(world, first_sale.invoice) == (
        "posted", Decimal("10802.4"), Decimal("1404.31"), Decimal("12206.71")
    )
    end_customer = read(world.json("finance"), "account.move", first_sale.invoice, "channel_end_customer_id")
    assert end_customer.channel_end_customer_id[0] == hospitals.home


# --- Chapter 5: a rebate accrues, is lowered by a return, settled, and charged back after another ---


@pytest.fixture(scope="module")
def program(world, dealer):
    """Quarterly and retroactive, for this dealer alone. Written by Finance, approved by the manager."""
    finance, manager = world.json("finance"), world.json("manager")
    segment = manager.call("channel.segment", "create", {
        "name": f"Acceptance {TAG}", "code": f"acc-{TAG}", "member_domain": repr([("id", "=", dealer.id)]),
    })
    # Booked on the accounts, and with the product, of the story's own quarterly programme.
    accounting = ("expense_account_id", "liability_account_id", "product_id")
    model = read(finance, "channel.rebate.program", world.ref("channel_demo.program_QVR"), *accounting)
    expense, liability, product = (getattr(model, name)[0] for name in accounting)
    record = finance.call("channel.rebate.program", "create", {
        "name": f"Acceptance rebate {TAG}",
        "code": f"ACC{TAG}",
        "expense_account_id": expense,
        "liability_account_id": liability,
        "product_id": product,
        "version_ids": [(0, 0, {
            "valid_from": iso(TODAY - timedelta(days=30)),
            "window_type": "quarter",
            "kind": "retroactive",
            "segment_ids": [(6, 0, [segment])],
            "tier_ids": [
                (0, 0, {"lower_bound": 0.0, "rate": 0.0}),
                (0, 0, {"lower_bound": 10000.0, "rate": 1.0}),
                (0, 0, {"lower_bound": 30000.0, "rate": 3.0}),
            ],
        })],
    })
    versions = read(finance, "channel.rebate.program", record, "version_ids").version_ids
    manager.call("channel.rebate.program.version", "action_approve", versions)
    return SimpleNamespace(id=record, code=f"ACC{TAG}", expense=expense, liability=liability)


def _accrue(world, program):
    [balance] = world.json("finance").call("channel.rebate.program", "accrue", [program.id], iso(TODAY))
    return balance


def _bookings(world, program):
    """:return: the programme's accrual entries in their order: {account id: (debit, credit)}"""
    lines = world.json("finance").call(
        "account.move.line", "search_read",
        [("channel_rebate_balance_id.program_id", "=", program.id), ("move_id.move_type", "=", "entry")],
        ["move_id", "account_id", "debit", "credit", "parent_state", "partner_id"], order="move_id, id",
    )
    assert {line["parent_state"] for line in lines} <= {"posted"}
    entries = {}
    for line in lines:
        entries.setdefault(line["move_id"][0], {})[line["account_id"][0]] = exact(line["debit"]), exact(line["credit"])
    return [entries[move] for move in sorted(entries)]


def _statement(world, login, dealer, program, period):
    """:return: the programme's part of a statement, read over XML-RPC"""
    statement = world.xml(login).call("channel.rebate.program", "statement", [], dealer.id, period)
    [part] = [part for part in statement["programs"] if part["program_id"] == program.id]
    return part


def _sums(part):
    return {key: exact(part[key]) for key in ("entitlement", "accrued", "settled", "open")}


QUARTER = f"{TODAY.year}-Q{(TODAY.month + 2) // 3}"


@pytest.fixture(scope="module")
def first_accrual(world, program, first_sale):
    balance = _accrue(world, program)
    again = _accrue(world, program)
    return SimpleNamespace(balance=balance, again=again, bookings=_bookings(world, program))


@pytest.fixture(scope="module")
def second_sale(world, first_accrual, dealer, device, hospitals):
    """Two dozens from lot B for the same hospital."""
    device.lots["B"] = _receive(world, device.id, "B", 24)
    order = _order(world, dealer, device, hospitals.home, quantity=2, uom=device.dozen)
    world.json("sales.east").call("sale.order", "action_confirm", [order])
    return SimpleNamespace(order=order, pickings=_deliver(world, order), invoice=_invoice(world, order))


@pytest.fixture(scope="module")
def second_accrual(world, program, second_sale):
    return SimpleNamespace(balance=_accrue(world, program), bookings=_bookings(world, program))


@pytest.fixture(scope="module")
def first_return(world, program, first_sale, second_accrual):
    refund = _return(world, first_sale.invoice, 5)
    return SimpleNamespace(refund=refund, balance=_accrue(world, program), bookings=_bookings(world, program))


@pytest.fixture(scope="module")
def settlement(world, program, first_return):
    """Proposed by Finance, for a quarter that has not ended; approved by the manager."""
    finance = world.json("finance")
    [record] = finance.call("channel.rebate.program", "propose_settlements", [program.id], iso(TODAY), interim=True)
    with pytest.raises(Refused) as own_work:
        finance.call("channel.settlement", "action_approve", [record])
    untouched = read(finance, "channel.settlement", record, "state", "move_id")
    world.json("manager").call("channel.settlement", "action_approve", [record])
    move = read(finance, "channel.settlement", record, "move_id").move_id[0]
    return SimpleNamespace(id=record, own_work=own_work.value, untouched=untouched, move=move)


@pytest.fixture(scope="module")
def settled_statement(world, dealer, program, settlement):
    return _statement(world, "finance", dealer, program, QUARTER)


@pytest.fixture(scope="module")
def explained(world, program, first_return, settlement):
    """Each entry of the quarter explained, before anything changes again."""
    finance = world.json("finance")
    entries = finance.call(
        "channel.rebate.entry", "search_read", [("program_id", "=", program.id)], ["rebate_amount"], order="id"
    )
    return {
        entry["id"]: (
            exact(entry["rebate_amount"]),
            finance.call("channel.rebate.program", "explain", [program.id], line=entry["id"]),
        )
        for entry in entries
    }


@pytest.fixture(scope="module")
def late_return(world, program, first_sale, settled_statement, explained, dealer):
    refund = _return(world, first_sale.invoice, 5)
    return SimpleNamespace(
        refund=refund,
        balance=_accrue(world, program),
        bookings=_bookings(world, program),
        statement=_statement(world, "finance", dealer, program, QUARTER),
    )


@pytest.fixture(scope="module")
def charge_back(world, program, late_return):
    finance = world.json("finance")
    [record] = finance.call("channel.rebate.program", "propose_settlements", [program.id], iso(TODAY), interim=True)
    world.json("manager").call("channel.settlement", "action_approve", [record])
    return read(finance, "channel.settlement", record, "direction", "amount_total", "move_id")


def test_first_order_reaches_the_first_tier(world, program, first_accrual):
    balance = first_accrual.balance
    assert (balance["window"], balance["currency"], balance["lines"]) == (QUARTER, "CNY", 1)
    assert exact(balance["base"]) == Decimal("10802.4")
    assert exact(balance["rate"]) == Decimal("1.0")
    # 1 % of 10,802.40 = 108.024
    assert exact(balance["entitlement"]) == exact(balance["booked"]) == Decimal("108.02")
    assert first_accrual.bookings == [{
        program.expense: (Decimal("108.02"), Decimal("0.0")),
        program.liability: (Decimal("0.0"), Decimal("108.02")),
    }]


def test_accruing_again_books_nothing(first_accrual):
    assert exact(first_accrual.again["booked"]) == Decimal("0.0")
    assert exact(first_accrual.again["accrued"]) == Decimal("108.02")
    assert len(first_accrual.bookings) == 1


def test_second_order_by_the_dozen(world, second_sale, device):
    # 2 x 12,962.88; 13 % of it
    assert _amounts(world, second_sale.invoice) == (
        "posted", Decimal("25925.76"), Decimal("3370.35"), Decimal("29296.11")
    )
    lines = world.json("warehouse").call(
        "stock.move.line", "search_read", [("picking_id", "in", second_sale.pickings)],
        ["lot_id", "quantity_product_uom"],
    )
    assert [(line["lot_id"][0], line["quantity_product_uom"]) for line in lines] == [(device.lots["B"], 24.0)]


def test_second_order_lifts_the_tier(program, second_accrual):
    balance = second_accrual.balance
    # 10,802.40 + 25,925.76; 3 % of all of it = 1,101.8448; 1,101.84 - 108.02 is new
    assert exact(balance["base"]) == Decimal("36728.16")
    assert exact(balance["rate"]) == Decimal("3.0")
    assert exact(balance["entitlement"]) == exact(balance["accrued"]) == Decimal("1101.84")
    assert exact(balance["booked"]) == Decimal("993.82")
    assert second_accrual.bookings[1:] == [{
        program.expense: (Decimal("993.82"), Decimal("0.0")),
        program.liability: (Decimal("0.0"), Decimal("993.82")),
    }]


def test_return_lowers_the_accrual(world, program, first_return):
    assert _amounts(world, first_return.refund) == ("posted", Decimal("5401.2"), Decimal("702.16"), Decimal("6103.36"))
    balance = first_return.balance
    # 36,728.16 - 5,401.20; 3 % = 939.8088; 1,101.84 - 939.81 = 162.03 too much
    assert exact(balance["base"]) == Decimal("31326.96")
    assert exact(balance["entitlement"]) == Decimal("939.81")
    assert exact(balance["booked"]) == Decimal("-162.03")
    assert first_return.bookings[2:] == [{
        program.expense: (Decimal("0.0"), Decimal("162.03")),
        program.liability: (Decimal("162.03"), Decimal("0.0")),
    }]


def test_settled_by_a_credit_note(world, dealer, settlement):
    assert settlement.own_work.kind == "UserError"
    assert (settlement.untouched.state, settlement.untouched.move_id) == ("draft", False)
    # The product of rebates carries no VAT here.
    assert _amounts(world, settlement.move) == ("posted", Decimal("939.81"), Decimal("0.0"), Decimal("939.81"))
    move = read(world.json("finance"), "account.move", settlement.move, "move_type", "partner_id", "invoice_line_ids")
    assert (move.move_type, move.partner_id[0]) == ("out_refund", dealer.id)
    # The note itself earns no rebate and the balance knows it: see the statement.
    assert len(move.invoice_line_ids) == 1


def test_statement(settled_statement, settlement):
    sums = _sums(settled_statement)
    assert sums == {
        "entitlement": Decimal("939.81"),
        "accrued": Decimal("939.81"),
        "settled": Decimal("939.81"),
        "open": Decimal("0.0"),
    }
    assert settled_statement["currency"] == "CNY"
    assert [exact(line["earning"]) for line in settled_statement["lines"]] == [
        Decimal("10802.4"), Decimal("25925.76"), Decimal("-5401.2")
    ]
    assert [exact(row["amount"]) for row in settled_statement["settlements"]] == [Decimal("939.81")]


def test_explained_tier_by_tier(explained):
    assert len(explained) == 3
    for _share, answer in explained.values():
        tiers = [
            (exact(step["tier_from"]), exact(step["rate"]), step["reached"], exact(step["amount"]),
             round(exact(step["rebate"]), 4))
            for step in answer["steps"]
        ]
        zero = Decimal("0.0")
        # Retroactive: the tier that is reached pays on everything, those below it on nothing.
        assert tiers == [
            (Decimal("0.0"), Decimal("0.0"), True, zero, zero),
            (Decimal("10000.0"), Decimal("1.0"), True, zero, zero),
            (Decimal("30000.0"), Decimal("3.0"), True, Decimal("31326.96"), Decimal("939.8088")),
        ]
        assert answer["words"]
    # The lines' shares add up to the rebate of the quarter, to the cent.
    assert sum(share for share, _answer in explained.values()) == Decimal("939.81")
    assert {exact(answer["line"]["amount"]) for _share, answer in explained.values()} == {
        Decimal("10802.4"), Decimal("25925.76"), Decimal("-5401.2")
    }


def test_return_after_settlement_is_owed_back(program, late_return):
    # Back below 30,000.00: 1 % of 25,925.76 = 259.2576
    assert exact(late_return.balance["base"]) == Decimal("25925.76")
    assert exact(late_return.balance["booked"]) == Decimal("-680.55")
    assert late_return.bookings[3:] == [{
        program.expense: (Decimal("0.0"), Decimal("680.55")),
        program.liability: (Decimal("680.55"), Decimal("0.0")),
    }]
    sums = _sums(late_return.statement)
    assert sums == {
        "entitlement": Decimal("259.26"),
        "accrued": Decimal("259.26"),
        "settled": Decimal("939.81"),
        "open": Decimal("-680.55"),
    }
    assert sums["settled"] + sums["open"] == sums["entitlement"]


def test_charged_back_by_an_invoice(world, dealer, program, charge_back):
    assert (charge_back.direction, exact(charge_back.amount_total)) == ("charge", Decimal("-680.55"))
    assert _amounts(world, charge_back.move_id[0]) == (
        "posted", Decimal("680.55"), Decimal("0.0"), Decimal("680.55")
    )
    assert _sums(_statement(world, "auditor", dealer, program, QUARTER)) == {
        "entitlement": Decimal("259.26"),
        "accrued": Decimal("259.26"),
        "settled": Decimal("259.26"),
        "open": Decimal("0.0"),
    }
    # What is owed is what the accrued rebate account holds for this dealer: nothing.
    lines = world.json("finance").call(
        "account.move.line", "search_read",
        [("account_id", "=", program.liability), ("partner_id", "=", dealer.id), ("parent_state", "=", "posted")],
        ["balance"],
    )
    assert sum(exact(line["balance"]) for line in lines) == 0


# --- Chapter 6: who sees what ---


@pytest.fixture(scope="module")
def parties(world):
    """The two dealers with portal logins, and one document of each kind of the second."""
    first, second = world.ref("channel_demo.dealer_D001"), world.ref("channel_demo.dealer_D004")
    auditor = world.json("auditor")

    def any_of(model, field):
        [found] = auditor.call(model, "search", [(field, "=", second)], limit=1)
        return found

    return SimpleNamespace(first=first, second=second, foreign={
        "sale.order": any_of("sale.order", "partner_id"),
        "channel.contract": any_of("channel.contract", "member_id"),
        "channel.rebate.balance": any_of("channel.rebate.balance", "member_id"),
        "channel.qualification": any_of("channel.qualification", "partner_id"),
        "channel.authorization": any_of("channel.authorization", "partner_id"),
        "account.move": any_of("account.move", "partner_id"),
    })


MEMBER_FIELDS = {
    "sale.order": "partner_id",
    "channel.contract": "member_id",
    "channel.rebate.balance": "member_id",
    "channel.qualification": "partner_id",
    "channel.authorization": "partner_id",
    "account.move": "partner_id",
}


@pytest.mark.parametrize("model", MEMBER_FIELDS)
def test_dealer_reads_the_own_documents_only(world, parties, model):
    dealer, field = world.xml("dealer"), MEMBER_FIELDS[model]
    owners = {row[field][0] for row in dealer.call(model, "search_read", [], [field])}
    assert owners == {parties.first}
    with pytest.raises(Refused) as refused:
        dealer.call(model, "read", [parties.foreign[model]], [field])
    assert refused.value.kind == "AccessError"
    with pytest.raises(Refused) as refused:
        dealer.call(model, "write", [parties.foreign[model]], {field: parties.first})
    assert refused.value.kind == "AccessError"


def test_dealer_asks_for_itself_only(world, parties, device, hospitals):
    dealer = world.xml("dealer")
    lines = [{"product_id": device.id, "quantity": 1}]
    questions = [
        ("channel.pricing", "quote", lambda member: (member, lines)),
        ("channel.gate", "evaluate", lambda member: ("order", member, lines)),
        ("channel.rebate.program", "statement", lambda member: ([], member, str(TODAY.year))),
    ]
    for model, method, arguments in questions:
        assert dealer.call(model, method, *arguments(parties.first)) is not None
        with pytest.raises(Refused) as refused:
            dealer.call(model, method, *arguments(parties.second))
        assert refused.value.kind == "AccessError", (model, method)
    with pytest.raises(Refused) as refused:
        dealer.call("channel.contract", "terms_at", [parties.foreign["channel.contract"]])
    assert refused.value.kind == "AccessError"


def test_sales_sees_the_own_region_only(world, parties, dealer, first_sale):
    north, east = world.json("sales.north"), world.json("sales.east")
    members = [("id", "in", [parties.first, parties.second, dealer.id])]
    assert set(east.call("res.partner", "search", members)) == {parties.first, dealer.id}
    assert set(north.call("res.partner", "search", members)) == {parties.second}
    for model, record in (
        ("res.partner", dealer.id),
        ("sale.order", first_sale.order),
        ("channel.qualification", dealer.documents[0]),
    ):
        with pytest.raises(Refused) as refused:
            north.call(model, "read", [record], ["display_name"])
        assert refused.value.kind == "AccessError", model


def test_auditor_reads_and_changes_nothing(world, dealer, contract, first_sale, settlement):
    auditor = world.json("auditor")
    # Values that are no terms: those of an approved document are refused to everybody, for another reason.
    attempts = {
        "res.partner": (dealer.id, "comment"),
        "channel.qualification": (dealer.documents[0], "note"),
        "channel.contract": (contract.id, "title"),
        "sale.order": (first_sale.order, "client_order_ref"),
        "account.move": (first_sale.invoice, "ref"),
        "channel.settlement": (settlement.id, "note"),
    }
    for model in (*attempts, "channel.authorization", "channel.rebate.program", "channel.audit.entry"):
        assert auditor.call(model, "search_count", []) > 0, model
        for operation in ("create", "write", "unlink"):
            assert auditor.call(model, "has_access", [], operation) is False, (model, operation)
    for model, (record, name) in attempts.items():
        before = read(auditor, model, record, name)
        with pytest.raises(Refused) as refused:
            auditor.call(model, "write", [record], {name: "changed"})
        assert refused.value.kind == "AccessError", model
        assert read(auditor, model, record, name) == before


# --- Chapter 7: the past, and the journal ---


def test_terms_of_the_past(world):
    """The story amended this contract: from the day of its second version on, 45 days to pay instead of 30."""
    contract = world.ref("channel_demo.contract_D001")
    auditor = world.json("auditor")
    [first, second] = auditor.call(
        "channel.contract.version", "search_read", [("contract_id", "=", contract), ("state", "=", "approved")],
        ["valid_from", "valid_to"], order="valid_from",
    )
    amended = date.fromisoformat(second["valid_from"])
    day_before = amended - timedelta(days=1)
    assert first["valid_to"] == iso(day_before)

    def terms_at(day):
        return world.json2("auditor").call("channel.contract", "terms_at", ids=[contract], date=iso(day))

    before, after = terms_at(day_before), terms_at(amended)
    assert (before["version"], before["valid_to"]) == (1, iso(day_before))
    assert (after["version"], after["valid_from"], after["valid_to"]) == (2, iso(amended), None)
    assert before["payment_term_id"] == world.ref("account.account_payment_term_30days")
    assert after["payment_term_id"] == world.ref("account.account_payment_term_45days")
    assert before["pricelist_id"] == after["pricelist_id"]
    assert terms_at(date.fromisoformat(first["valid_from"]) - timedelta(days=1)) is None


def test_journal_is_whole(world, refusal, charge_back):
    """After all of it, sealed and not: no entry is missing, changed or out of its place."""
    auditor = world.json("auditor")
    assert world.json2("auditor").call("channel.audit", "verify") is None
    world.json("admin").call("ir.cron", "method_direct_trigger", [world.ref("channel_base.ir_cron_audit_seal")])
    assert auditor.call("channel.audit.entry", "search_count", [("seq", "=", False)]) == 0
    assert world.json2("auditor").call("channel.audit", "verify") is None
    assert auditor.call("channel.audit", "verify") is None
