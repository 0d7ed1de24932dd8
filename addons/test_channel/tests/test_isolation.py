from datetime import date

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.channel_rebate.tests.common import ChannelRebateCommon

QUIET = ("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model", "odoo.http")

#: Kinds of documents of a member, and what a dealer on the portal may do with its own ones
PORTAL_READS = (
    "order", "order_line", "picking", "invoice", "qualification", "authorization", "contract", "version", "clause",
    "commitment", "balance", "entry",
)  # fmt: skip
PORTAL_NEVER_READS = ("settlement", "settlement_line", "program", "finding", "alert")


class IsolationCommon(ChannelRebateCommon):
    """Two dealers in two regions, with every kind of document each: ``own`` and ``west``."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user_portal_west = new_test_user(
            cls.env,
            login="channel_portal_west",
            groups="base.group_portal",
            company_id=cls.company.id,
            partner_id=cls.env["res.partner"].create({"name": "Buyer West", "parent_id": cls.other_dealer.id}).id,
        )
        cls.user_sales_west = new_test_user(
            cls.env,
            login="channel_sales_west",
            groups="channel_base.group_channel_sales",
            company_id=cls.company.id,
            channel_region_ids=[Command.set(cls.region_west.ids)],
        )
        cls.program = cls._program("ISOLATION", [(0, 10)])
        invoices = {
            member: cls._invoice(amount, "2026-01-10", member=member)
            for member, amount in ((cls.dealer, 1234.5), (cls.other_dealer, 6543.2))
        }
        cls.program.accrue("2026-03-31")
        cls.program.propose_settlements("2026-03-31")
        cls.own = cls._documents(cls.dealer, cls.hospital, cls.contract, invoices[cls.dealer])
        cls.west = cls._documents(cls.other_dealer, cls.hospital_west, cls.contract_west, invoices[cls.other_dealer])

    @classmethod
    def _documents(cls, member, hospital, contract, invoice):
        """:return: ``{kind: record}``; every record belongs to the member"""
        # Odoo shows a delivery on the portal to the very contact that ordered.
        buyer = member.child_ids.user_ids.partner_id
        order = cls._channel_order([(cls.consumable, 3)], partner=buyer, customer=hospital, confirm=True)
        second = cls._channel_version(
            contract,
            # past every document, so that it governs none anew
            valid_from=date(2099, 1, 1),
            purpose=f"Terms of {member.name}",
            clause_ids=cls._channel_clause_commands(f"Clause of {member.name}"),
            commitment_ids=[Command.create({"name": f"Commitment of {member.name}", "period": "year", "amount": 777})],
        )
        balance = cls.env["channel.rebate.balance"].search(
            [("program_id", "=", cls.program.id), ("member_id", "=", member.id)]
        )
        settlement = cls.env["channel.settlement"].search(
            [("program_id", "=", cls.program.id), ("member_id", "=", member.id)]
        )
        authorization = cls.env["channel.authorization"].search([("partner_id", "=", member.id)], limit=1)
        cls.env["channel.alert"]._raise_alerts(
            "test_isolation",
            [{"key": str(member.id), "name": f"Alert of {member.name}", "severity": "info", "record": member,
              "company": cls.company, "region": member.channel_region_id}],
        )  # fmt: skip
        check = cls.env["channel.gate.check"].search([("code", "=", "member_state")])
        finding = cls._finding(member, check)
        return {
            "member": member,
            "order": order,
            "order_line": order.order_line,
            "picking": order.picking_ids,
            "invoice": invoice,
            "qualification": cls.env["channel.qualification"].search([("partner_id", "=", member.id)], limit=1),
            "authorization": authorization,
            "contract": contract,
            "version": second,
            "clause": second.clause_ids,
            "commitment": second.commitment_ids,
            "balance": balance,
            "entry": balance._entries(),
            "settlement": settlement,
            "settlement_line": settlement.line_ids,
            "program": cls.program,
            "alert": cls.env["channel.alert"].search([("source", "=", "test_isolation"), ("key", "=", str(member.id))]),
            "finding": finding,
        }

    @classmethod
    def _finding(cls, member, check):
        """What the gate finds on a quotation, stored by the gate itself."""
        draft = cls._channel_order([(cls.consumable, 1)], partner=member)
        cls._channel_severity(check.code, "warn")
        member.with_user(cls.user_manager).action_channel_suspend(reason="for a finding")
        cls.env["channel.gate"]._check_documents("order", draft)
        member.with_user(cls.user_manager).action_channel_activate()
        cls._channel_severity(check.code, "off")
        return cls.env["channel.gate.finding"].search([("res_model", "=", "sale.order"), ("res_id", "=", draft.id)])

    def assertReads(self, user, record, message=None):
        self.assertTrue(record, message)
        seen = record.with_user(user)
        self.assertEqual(seen.search([("id", "in", record.ids)]).ids, record.ids, message)
        seen.read(["display_name"])

    def assertHidden(self, user, record, message=None):
        """Neither a search, a count, a group, a name search nor a read by number tell of the record."""
        self.assertTrue(record, message)
        seen = record.with_user(user)
        domain = [("id", "in", record.ids)]
        if seen.browse().has_access("read"):
            self.assertFalse(seen.search(domain), message)
            self.assertEqual(seen.search_count(domain), 0, message)
            self.assertEqual(seen._read_group(domain, [], ["__count"]), [(0,)], message)
            self.assertFalse(seen.name_search("", domain), message)
            self.assertFalse(seen.search_read(domain, ["display_name"]), message)
        seen.invalidate_recordset()
        with self.assertRaises(AccessError, msg=message):
            seen.read(["display_name"])


@tagged("post_install", "-at_install")
class TestDealerIsolation(IsolationCommon, HttpCase):
    def _both(self):
        """Each dealer in the other's place: ``user, own documents, foreign documents``."""
        yield self.user_portal, self.own, self.west
        yield self.user_portal_west, self.west, self.own

    @mute_logger(*QUIET)
    def test_records(self):
        for user, own, foreign in self._both():
            for kind in PORTAL_READS:
                with self.subTest(user=user.login, kind=kind):
                    if own[kind].with_user(user).browse().has_access("read"):
                        self.assertReads(user, own[kind], kind)
                    self.assertHidden(user, foreign[kind], kind)
            for kind in PORTAL_NEVER_READS:
                with self.subTest(user=user.login, kind=kind), self.assertRaises(AccessError):
                    own[kind].with_user(user).read(["display_name"])
            with self.subTest(user=user.login, kind="member"):
                self.assertReads(user, own["member"])
                self.assertHidden(user, foreign["member"])

    @mute_logger(*QUIET)
    def test_nothing_is_written(self):
        for user, own, _foreign in self._both():
            for kind in (*PORTAL_READS, *PORTAL_NEVER_READS):
                record = own[kind].with_user(user)
                for operation in ("write", "create", "unlink"):
                    with self.subTest(user=user.login, kind=kind, operation=operation):
                        self.assertFalse(record.has_access(operation))

    @mute_logger(*QUIET)
    def test_public_methods(self):
        """The methods that dealers' systems call answer for the own company only."""
        for user, own, foreign in self._both():
            env = self.env(user=user)
            lines = [{"product_id": self.consumable.id, "quantity": 1}]
            program = self.program.with_user(user)
            calls = {
                "evaluate": lambda d, env=env: env["channel.gate"].evaluate("order", d["member"].id, lines),  # noqa: B023
                "quote": lambda d, env=env: env["channel.pricing"].quote(d["member"].id, lines),  # noqa: B023
                "explain": lambda d, program=program: program.explain(balance=d["balance"].id),
                "statement": lambda d, program=program: program.statement(d["member"].id, "2026-Q1"),
            }
            for name, call in calls.items():
                with self.subTest(user=user.login, method=name):
                    call(own)
                    with self.assertRaises(AccessError):
                        call(foreign)

    # === PAGES === #

    def _urls(self, documents):
        """:return: addresses that show or hand out something of the documents"""
        d = {kind: record.id for kind, record in documents.items() if kind != "entry"}
        return [
            f"/my/orders/{d['order']}",
            f"/my/orders/{d['order']}?report_type=html",
            f"/my/invoices/{d['invoice']}",
            f"/my/invoices/{d['invoice']}?report_type=html",
            f"/my/picking/pdf/{d['picking']}",
            f"/my/channel/authorizations/{d['authorization']}",
            f"/my/channel/authorizations/{d['authorization']}?report_type=html",
            f"/my/channel/contracts/{d['contract']}",
            f"/my/channel/contracts/{d['contract']}/versions/{d['version']}?report_type=html",
            f"/my/channel/rebates/{d['balance']}",
        ]

    def _secrets(self, documents):
        """:return: what would betray the documents on a page"""
        member = documents["member"].name
        # "Test Dealer" begins the name of the other dealer too: names that begin so say nothing
        words = [f"Terms of {member}<", f"Clause of {member}<", f"Commitment of {member}<", "6,543.20", "654.32"]
        if member == self.dealer.name:
            words = [*words[:3], "1,234.50", "123.45"]
        else:
            words.append(member)
        return [
            *words,
            *(documents[kind].name for kind in ("order", "picking", "invoice", "contract")),
            documents["authorization"].number,
            f"LIC-{documents['member'].id}<",
        ]

    def _get(self, url):
        return self.url_open(url, allow_redirects=False)

    @mute_logger(*QUIET)
    def test_own_pages_open(self):
        """The addresses of the tests below are right: they open for whom they are meant."""
        for user, own, _foreign in self._both():
            self.authenticate(user.login, user.login)
            for url in self._urls(own):
                with self.subTest(user=user.login, url=url):
                    self.assertEqual(self._get(url).status_code, 200)

    @mute_logger(*QUIET)
    def test_lists(self):
        for user, own, foreign in self._both():
            self.authenticate(user.login, user.login)
            for url, shown in (
                ("/my/orders", own["order"].name),
                ("/my/invoices", own["invoice"].name),
                ("/my/channel/qualifications", own["qualification"].number),
                ("/my/channel/authorizations", own["authorization"].number),
                ("/my/channel/contracts", own["contract"].name),
                ("/my/channel/rebates", own["balance"].program_id.name),
            ):
                with self.subTest(user=user.login, url=url):
                    page = self._get(url).text
                    self.assertIn(shown, page)
                    for secret in self._secrets(foreign):
                        self.assertNotIn(secret, page)

    @mute_logger(*QUIET)
    def test_guessed_numbers(self):
        for user, own, foreign in self._both():
            self.authenticate(user.login, user.login)
            own_token = own["order"].sudo()._portal_ensure_token()
            pages = self._urls(foreign)
            addresses = [
                *pages,
                # a token opens the document that it was made for, and no other
                *(f"{url}{'&' if '?' in url else '?'}access_token={own_token}" for url in pages),
                f"/my/channel/contracts/{own['contract'].id}/versions/{foreign['version'].id}?report_type=html",
                f"/channel/rebates/{foreign['member'].id}/statement.xlsx",
                f"/report/html/channel_contract.report_contract/{foreign['version'].id}",
                f"/report/html/channel_rebate.report_statement/{foreign['member'].id}",
                f"/report/html/sale.report_saleorder/{foreign['order'].id}",
                f"/web/content/channel.qualification/{foreign['qualification'].id}/number",
            ]
            for url in addresses:
                with self.subTest(user=user.login, url=url):
                    answer = self._get(url)
                    self.assertNotEqual(answer.status_code, 200)
                    for secret in self._secrets(foreign):
                        self.assertNotIn(secret, answer.text)

    def test_statement_is_of_the_own_company(self):
        """Whatever arguments come with the address."""
        for user, own, foreign in self._both():
            self.authenticate(user.login, user.login)
            answer = self._get(
                f"/my/channel/rebates/statement.pdf?date_from=2026-01-01&date_to=2026-03-31&member_id={foreign['member'].id}"
            )
            self.assertEqual(answer.status_code, 200)
            self.assertIn(own["invoice"].name, answer.text)
            for secret in self._secrets(foreign):
                self.assertNotIn(secret, answer.text)

    @mute_logger(*QUIET)
    def test_visitors(self):
        self.authenticate(None, None)
        for url in self._urls(self.own):
            with self.subTest(url=url):
                answer = self._get(url)
                self.assertNotEqual(answer.status_code, 200)
                for secret in self._secrets(self.own):
                    self.assertNotIn(secret, answer.text)

    @mute_logger(*QUIET)
    def test_rpc(self):
        """A dealer's own login, used with a program instead of the pages."""
        for user, own, foreign in self._both():
            self.authenticate(user.login, user.login)
            for kind in ("order", "invoice", "qualification", "authorization", "contract", "balance"):
                for documents, hidden in ((own, False), (foreign, True)):
                    record = documents[kind]
                    params = {
                        "model": record._name,
                        "method": "search_read",
                        "args": [[("id", "=", record.id)], ["display_name"]],
                        "kwargs": {},
                    }
                    with self.subTest(user=user.login, kind=kind, hidden=hidden):
                        rows = self.make_jsonrpc_request("/web/dataset/call_kw", params)
                        self.assertEqual(bool(rows), not hidden)


@tagged("post_install", "-at_install")
class TestRegionIsolation(IsolationCommon):
    KINDS = tuple(kind for kind in ("member", *PORTAL_READS, *PORTAL_NEVER_READS) if kind != "program")

    @mute_logger(*QUIET)
    def test_records(self):
        for user, own, foreign in (
            (self.user_sales, self.own, self.west),
            (self.user_sales_west, self.west, self.own),
        ):
            self.assertTrue(user.channel_is_regional)
            for kind in self.KINDS:
                with self.subTest(user=user.login, kind=kind):
                    self.assertReads(user, own[kind], kind)
                    self.assertHidden(user, foreign[kind], kind)

    @mute_logger(*QUIET)
    def test_public_methods(self):
        for user, own, foreign in (
            (self.user_sales, self.own, self.west),
            (self.user_sales_west, self.west, self.own),
        ):
            env = self.env(user=user)
            lines = [{"product_id": self.consumable.id, "quantity": 1}]
            program = self.program.with_user(user)
            calls = {
                "evaluate": lambda d, env=env: env["channel.gate"].evaluate("order", d["member"].id, lines),  # noqa: B023
                "quote": lambda d, env=env: env["channel.pricing"].quote(d["member"].id, lines),  # noqa: B023
                "explain": lambda d, program=program: program.explain(balance=d["balance"].id),
                "statement": lambda d, program=program: program.statement(d["member"].id, "2026-Q1"),
            }
            for name, call in calls.items():
                with self.subTest(user=user.login, method=name):
                    call(own)
                    with self.assertRaises(AccessError):
                        call(foreign)

    def test_the_manager_sees_both(self):
        for documents in (self.own, self.west):
            for kind in self.KINDS:
                with self.subTest(kind=kind):
                    self.assertReads(self.user_manager, documents[kind], kind)

    @mute_logger(*QUIET)
    def test_nobody_in_charge_sees_nothing(self):
        self.user_sales.channel_region_ids = False
        # Alerts that were addressed to somebody stay with that person.
        self.own["alert"].user_id = False
        for kind in self.KINDS:
            with self.subTest(kind=kind):
                self.assertHidden(self.user_sales, self.own[kind], kind)


@tagged("post_install", "-at_install")
class TestCompanyIsolation(IsolationCommon):
    """Two houses sell to one dealer; who works in one of them sees nothing of what the other agreed with it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second_data = cls.setup_other_company(name="Second house")
        cls.second = cls.second_data["company"]
        cls.user_second = new_test_user(
            cls.env,
            login="channel_second",
            groups="channel_base.group_channel_admin",
            company_id=cls.second.id,
            company_ids=[Command.set(cls.second.ids)],
        )
        contract = cls.env["channel.contract"].create(
            {"title": "Second agreement", "member_id": cls.dealer.id, "company_id": cls.second.id, "user_id": False}
        )
        order = cls.env["sale.order"].create(
            {
                "company_id": cls.second.id,
                "partner_id": cls.dealer.id,
                "order_line": [Command.create({"product_id": cls.consumable.id, "product_uom_qty": 1})],
            }
        )
        cls.env["channel.alert"]._raise_alerts(
            "test_second",
            [{"key": "1", "name": "Of the second house", "severity": "info", "record": order, "company": cls.second}],
        )
        cls.documents = {
            "order": order,
            "contract": contract,
            "version": cls.env["channel.contract.version"].create(
                {"contract_id": contract.id, "valid_from": date(2020, 1, 1)}
            ),
            "authorization": cls._channel_authorization(
                cls.dealer, cls.region_east, approve=False, company_id=cls.second.id
            ),
            "program": cls.env["channel.rebate.program"].create(
                {
                    "name": "Programme of the second house",
                    "code": "SECOND",
                    "company_id": cls.second.id,
                    "currency_id": cls.second.currency_id.id,
                    "product_id": cls.rebate_product.id,
                    "expense_account_id": cls.second_data["default_account_revenue"].id,
                    "liability_account_id": cls.env["account.account"]
                    .with_company(cls.second)
                    .create({"name": "Accrued rebates", "code": "229900", "account_type": "liability_current"})
                    .id,
                }
            ),
            "alert": cls.env["channel.alert"].search([("source", "=", "test_second")]),
        }

    @mute_logger(*QUIET)
    def test_second_house_is_hidden(self):
        for kind, record in self.documents.items():
            with self.subTest(kind=kind):
                self.assertReads(self.user_second, record, kind)
                for user in (self.user_manager, self.user_finance, self.user_auditor, self.user_admin):
                    self.assertHidden(user, record, f"{kind}: {user.login}")

    @mute_logger(*QUIET)
    def test_first_house_is_hidden(self):
        for kind in TestRegionIsolation.KINDS:
            # The dealer and its licences are common to both houses.
            if kind not in ("member", "qualification"):
                with self.subTest(kind=kind):
                    self.assertHidden(self.user_second, self.own[kind], kind)

    @mute_logger(*QUIET)
    def test_common_member(self):
        self.assertReads(self.user_second, self.dealer)
        self.assertReads(self.user_second, self.own["qualification"])
