from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestRebateEngine(ChannelRebateCommon):
    """Published examples (their source is quoted) and the edges of the definitions, worked by hand."""

    # === PUBLISHED EXAMPLES === #

    def test_dynamics_retroactive(self):
        """Microsoft Dynamics 365, Rebate management deals: 10 % up to 1,000, 25 % up to 2,500, value sold 2,000.

        Cumulative (retroactive): 2,000 lies in the second line, 25 % x 2,000 = 500.
        """
        program = self._program("D365-R", [(0, 10), (1000, 25)])
        self._invoice([1200, 800], "2026-01-10")
        (balance,) = program.accrue("2026-03-31")
        self.assertEqual(balance["base"], 2000)
        self.assertEqual(balance["rate"], 25)
        self.assertEqual(balance["entitlement"], 500)
        self.assertEqual(balance["booked"], 500)

    def test_dynamics_marginal(self):
        """Same page, stepped (marginal): 10 % x 1,000 + 25 % x 1,000 = 350."""
        program = self._program("D365-M", [(0, 10), (1000, 25)], kind="marginal")
        self._invoice([1200, 800], "2026-01-10")
        (balance,) = program.accrue("2026-03-31")
        self.assertEqual(balance["entitlement"], 350)
        entries = self.env["channel.rebate.entry"].search([("program_id", "=", program.id)], order="source_id")
        # the first line fills 1,000 at 10 % and 200 at 25 %; the second lies wholly in the second tier
        self.assertEqual(entries.mapped("rebate_amount"), [150, 200])
        self.assertEqual(entries.mapped("rate"), [12.5, 25])

    def test_sap_interim(self):
        """SAP learning, condition contracts: October to December, minimum 5,000, 2 % from 5,000, 4 % from 20,000.

        October 3,000: 0. With November 7,000 in all: 2 % = 140, paid. 27,000 in all: 4 % = 1,080, so 940 remain.
        """
        program = self._program("SAP", [(5000, 2), (20000, 4)], window_type="quarter")
        self._invoice(3000, "2026-10-15")
        (balance,) = program.accrue("2026-10-31")
        self.assertEqual((balance["entitlement"], balance["booked"]), (0, 0))
        self._invoice(4000, "2026-11-15")
        settlement = self._settle(program, "2026-11-30", interim=True)
        self.assertEqual(settlement.amount_total, 140)
        self._invoice(20000, "2026-12-15")
        (balance,) = program.accrue("2026-12-31")
        self.assertEqual(balance["entitlement"], 1080)
        self.assertEqual((balance["settled"], balance["open"], balance["booked"]), (140, 940, 940))
        self.assertEqual(self._settle(program, "2026-12-31").amount_total, 940)

    def test_oracle_running_total(self):
        """The tiers and transactions of Oracle Fusion's step rates, on the running total: 1, 2, 3, 5 % from
        0, 1,000, 3,000, 8,000. (Oracle prints 2, 3, 20, 14, 30, 95: each transaction cut into steps by itself.)
        """
        program = self._program("ORA", [(0, 1), (1000, 2), (3000, 3), (8000, 5)], kind="marginal", window_type="year")
        for day, amount in enumerate([200, 300, 1500, 1200, 2000, 4500], 1):
            self._invoice(amount, f"2026-01-0{day}")
        program.accrue("2026-12-31")
        entries = self.env["channel.rebate.entry"].search([("program_id", "=", program.id)], order="date")
        # running totals 200, 500, 2,000, 3,200, 5,200, 9,700
        # 2; 3; 500 x 1 % + 1,000 x 2 %; 1,000 x 2 % + 200 x 3 %; 2,000 x 3 %; 2,800 x 3 % + 1,700 x 5 %
        self.assertEqual(entries.mapped("rebate_amount"), [2, 3, 25, 26, 60, 169])

    def test_oracle_boundary(self):
        """Oracle, equal tier values: 0-25k 1 %, -50k 2 %, -75k 3 %, -100k 4 %; exactly 50,000 pays 3 %."""
        tiers = [(0, 1), (25000, 2), (50000, 3), (75000, 4)]
        program = self._program("B7", tiers)
        below = self._program("B7-UP", tiers, boundary="upper")
        self._invoice(50000, "2026-02-01")
        (balance,) = program.accrue("2026-03-31")
        self.assertEqual((balance["rate"], balance["entitlement"]), (3, 1500))
        # with the bound to be exceeded the same amount stays in the tier below
        (balance,) = below.accrue("2026-03-31")
        self.assertEqual((balance["rate"], balance["entitlement"]), (2, 1000))

    def test_boundary_has_no_gap(self):
        """49,999.99 is in the tier below 50,000, 50,000.00 in the one above; nothing lies between."""
        program = self._program("GAP", [(0, 2), (50000, 3)], window_type="month")
        self._invoice(49999.99, "2026-01-01")
        self._invoice(50000.00, "2026-02-01")
        program.accrue("2026-02-28")
        self.assertEqual(self._balance(program, start="2026-01-01").entitlement, 1000)  # 999.9998
        self.assertEqual(self._balance(program, start="2026-02-01").entitlement, 1500)

    def test_jd_edwards(self):
        """JD Edwards, rebate accrual adjustment: 2 % over 100,000, 3 % over 200,000, retroactive.

        After 50,000 the rebate is 0; with 100,000 and 100,000 more, 3 % x 250,000 = 7,500.
        """
        program = self._program("JDE", [(100000, 2), (200000, 3)], window_type="year")
        self._invoice(50000, "2026-01-10")
        (balance,) = program.accrue("2026-01-31")
        self.assertEqual(balance["entitlement"], 0)
        self._invoice(100000, "2026-02-10")
        self._invoice(100000, "2026-03-10")
        (balance,) = program.accrue("2026-03-31")
        self.assertEqual(balance["entitlement"], 7500)

    def test_adempiere_credit_notes(self):
        """ADempiere issue 1628: invoices 1,000, credit notes 200, 4 %: 4 % x 800 = 32."""
        program = self._program("B13", [(0, 4)])
        self._invoice(1000, "2026-01-10")
        self._invoice(200, "2026-01-20", refund=True)
        (balance,) = program.accrue("2026-03-31")
        self.assertEqual((balance["base"], balance["entitlement"]), (800, 32))

    def test_guanjiapo(self):
        """管家婆 返利方案: 0-5,000 2 %, -10,000 3 %, above 5 %, marginal: 5,000 earns 100, 30,000 earns 1,250.

        30,000: 2 % x 5,000 + 3 % x 5,000 + 5 % x 20,000 = 100 + 150 + 1,000.
        """
        program = self._program("B16", [(0, 2), (5000, 3), (10000, 5)], kind="marginal")
        self._invoice(5000, "2026-01-10")
        self._invoice(30000, "2026-01-10", member=self.other_dealer)
        program.accrue("2026-03-31")
        self.assertEqual(self._balance(program, self.dealer).entitlement, 100)
        self.assertEqual(self._balance(program, self.other_dealer).entitlement, 1250)

    def test_net_of_what_was_paid(self):
        """Chinese trade, net of what was paid: cumulative purchases 800,000 at 1 %: F1 = 8,000.

        1,700,000 at 2 %: F2 = 1,700,000 x 2 % - 8,000 = 26,000.
        """
        program = self._program("B17", [(0, 1), (1000000, 2)], window_type="year")
        self._invoice(800000, "2026-02-10")
        self.assertEqual(self._settle(program, "2026-03-31", interim=True).amount_total, 8000)
        self._invoice(900000, "2026-05-10")
        self.assertEqual(self._settle(program, "2026-06-30", interim=True).amount_total, 26000)

    # === EDGES === #

    def test_shares_add_up(self):
        """Three lines of 0.10 at 5 %: each earns 0.005, the window 0.015, rounded half up 0.02 (cents).

        A line gets what it moves the rounded total by: 0.005 -> 0.01, 0.010 -> 0.01, 0.015 -> 0.02. A line that comes
        last
        changes none before it.
        """
        program = self._program("SHARE", [(0, 5)])
        self._invoice([0.10, 0.10, 0.10], "2026-01-10")
        (balance,) = program.accrue("2026-03-31")
        self.assertEqual(balance["entitlement"], 0.02)
        entries = self.env["channel.rebate.entry"].search([("program_id", "=", program.id)], order="source_id")
        self.assertEqual(entries.mapped("rebate_amount"), [0.01, 0.0, 0.01])

    def test_negative_window(self):
        """Returns of 500 more than sales. With a tier from zero at 4 %: -20 charged back; else nothing."""
        charge = self._program("NEG-C", [(0, 4), (1000, 6)])
        nothing = self._program("NEG-Z", [(0, 4), (1000, 6)], negative_policy="zero")
        minimum = self._program("NEG-M", [(100, 4)])
        marginal = self._program("NEG-S", [(0, 4), (1000, 6)], kind="marginal")
        self._invoice(100, "2026-01-10")
        self._invoice(600, "2026-01-20", refund=True)
        programs = charge + nothing + minimum + marginal
        programs.accrue("2026-03-31")
        self.assertEqual([self._balance(p).entitlement for p in programs], [-20, 0, 0, -20])
        self.assertBooked(charge, -20)

    def test_windows(self):
        """The last and first days of windows, and the next window begins again at zero."""
        days = ["2026-03-31", "2026-04-01", "2026-06-30", "2026-07-01", "2026-12-31"]
        for day in days:
            self._invoice(100, day)
        expected = {
            "month": ["2026-03", "2026-04", "2026-06", "2026-07", "2026-12"],
            "quarter": ["2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"],
            "half": ["2026-H1", "2026-H2"],
            "year": ["2026"],
        }
        for window_type, windows in expected.items():
            program = self._program(f"W-{window_type}", [(0, 1)], window_type=window_type)
            rows = program.accrue("2026-12-31")
            self.assertEqual(sorted(row["window"] for row in rows), windows)
            self.assertEqual(sum(row["base"] for row in rows), 500)

    def test_contract_window(self):
        """A contract period from 15 February to 14 August; lines outside do not count."""
        program = self._program(
            "W-C",
            [(0, 1)],
            window_type="contract",
            valid_from="2026-02-15",
            period_from="2026-02-15",
            period_to="2026-08-14",
        )
        for day in ("2026-02-14", "2026-02-15", "2026-08-14", "2026-08-15"):
            self._invoice(100, day)
        (row,) = program.accrue("2026-12-31")
        self.assertEqual((row["window_start"], row["window_end"], row["base"]), ("2026-02-15", "2026-08-14", 200))

    def test_scope(self):
        """Products outside the domain are there with their reason and zero; other members are not there at all."""
        gold = self.env["channel.segment"].create(
            {"name": "East", "code": "T-REB", "member_domain": f"[('id', '=', {self.dealer.id})]"}
        )
        program = self._program(
            "SCOPE", [(0, 10)], segment_ids=gold.ids, product_domain=f"[('id', '=', {self.device.id})]"
        )
        self._invoice(1000, "2026-01-10", product=self.device)
        self._invoice(500, "2026-01-11", product=self.consumable)
        self._invoice(700, "2026-01-10", member=self.other_dealer, product=self.device)
        (row,) = program.accrue("2026-03-31")
        self.assertEqual((row["member_id"], row["base"], row["lines"]), (self.dealer.id, 1000, 1))
        entries = self.env["channel.rebate.entry"].search([("program_id", "=", program.id)], order="date")
        self.assertRecordValues(
            entries,
            [
                {"earning_amount": 1000, "rebate_amount": 100, "exclusion": False},
                {"earning_amount": 0, "rebate_amount": 0, "exclusion": "scope"},
            ],
        )

    def test_member_leaves_segment(self):
        """What counted keeps counting when the member leaves the segment; what comes later does not."""
        gold = self.env["channel.segment"].create(
            {"name": "Gold", "code": "T-GOLD", "member_domain": "[('ref', '=', 'GOLD')]"}
        )
        self.dealer.ref = "GOLD"
        program = self._program("LEAVE", [(0, 10)], segment_ids=gold.ids, window_type="month")
        self._invoice(1000, "2026-01-10")
        program.accrue("2026-01-31")
        self.dealer.ref = "SILVER"
        self._invoice(500, "2026-02-10")
        rows = program.accrue("2026-02-28")
        self.assertEqual([(r["window"], r["entitlement"], r["booked"]) for r in rows], [("2026-01", 100, 0)])

    def test_version_change_inside_window(self):
        """10 % from January, 20 % from 15 February; quarter; 1,000 before and 500 after: 100 + 100.

        The whole quarter's 1,500 decides the tier of both; a tier of 50 % from 1,500 in the second version pays on its
        own 500 only: 100 + 250.
        """
        program = self._program("VER", [(0, 10)])
        self._invoice(1000, "2026-01-10")
        self._invoice(500, "2026-02-20")
        (row,) = program.accrue("2026-03-31")
        self.assertEqual(row["entitlement"], 150)
        second = self._version(program, [(0, 20), (1500, 50)], valid_from="2026-02-15")
        second.with_user(self.user_manager).action_approve()
        (row,) = program.accrue("2026-03-31")
        self.assertEqual((row["entitlement"], row["booked"], row["version"]), (350, 200, 2))
        # amended backwards: the third version replaces the second, from the same day
        third = self._version(program, [(0, 0)], valid_from="2026-02-15")
        third.with_user(self.user_manager).action_approve()
        (row,) = program.accrue("2026-03-31")
        self.assertEqual((row["entitlement"], row["booked"]), (100, -250))

    def test_version_change_marginal(self):
        """Marginal bands go on across versions: 800 at 10 %, then 400 of which 200 fill the first band at 20 %.

        Second version: 20 % to 1,000, 30 % above: 80 + 40 + 60 = 180.
        """
        program = self._program("VERM", [(0, 10), (1000, 15)], kind="marginal")
        second = self._version(program, [(0, 20), (1000, 30)], valid_from="2026-02-15", kind="marginal")
        second.with_user(self.user_manager).action_approve()
        self._invoice(800, "2026-01-10")
        self._invoice(400, "2026-02-20")
        (row,) = program.accrue("2026-03-31")
        self.assertEqual(row["entitlement"], 180)
        explanation = program.explain(balance=row["balance_id"])
        self.assertEqual(
            [(s["version"], s["amount"], s["rebate"]) for s in explanation["steps"]],
            [(1, 800, 80), (1, 0, 0), (2, 200, 40), (2, 200, 60)],
        )

    def test_currencies(self):
        """Programme in company currency (USD), invoice in a currency at 2 for 1 USD: 1,000 count as 500.

        And a programme in that currency takes the 1,000 as they are, and an invoice of 300 USD as 600.
        """
        foreign = self.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        own = self._program("CUR", [(0, 10)])
        other = self._program("CUR-F", [(0, 10)], currency_id=foreign.id)
        self._invoice(1000, "2026-01-10", currency_id=foreign.id)
        self._invoice(300, "2026-01-11")
        (row,) = own.accrue("2026-03-31")
        self.assertEqual((row["base"], row["entitlement"]), (800, 80))
        (row,) = other.accrue("2026-03-31")
        self.assertEqual((row["base"], row["entitlement"], row["currency"]), (1600, 160, "EUR"))
        items = self._balance(other).booking_ids.filtered(lambda line: line.channel_rebate_role == "accrual")
        self.assertEqual((items.amount_currency, items.balance), (-160, -80))

    def test_third_currency_at_invoice_date(self):
        """Programme in a third currency: the rate of the invoice date, 3 for 1 in January and 4 for 1 in February."""
        invoiced = self.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        third = self.setup_other_currency("CAD", rates=[("2026-01-01", 3.0), ("2026-02-01", 4.0)])
        program = self._program("CUR3", [(0, 10)], currency_id=third.id)
        self._invoice(100, "2026-01-31", currency_id=invoiced.id)  # 50 USD = 150
        self._invoice(100, "2026-02-01", currency_id=invoiced.id)  # 50 USD = 200
        (row,) = program.accrue("2026-03-31")
        self.assertEqual((row["base"], row["entitlement"]), (350, 35))

    def test_companies_do_not_mix(self):
        """The same member buys from two companies: each programme sees its own company's invoices."""
        other = self.setup_other_company(name="Second Company")
        data = other["company"]
        self.user_manager.company_ids += data
        program = self._program("CO1", [(0, 10)])
        Account = self.env["account.account"].with_company(data)
        second = self._program(
            "CO2",
            [(0, 10)],
            company_id=data.id,
            expense_account_id=Account.create(
                {"name": "R", "code": "409901", "account_type": "income", "company_ids": data.ids}
            ).id,
            liability_account_id=Account.create(
                {"name": "L", "code": "229901", "account_type": "liability_current", "company_ids": data.ids}
            ).id,
        )
        self._invoice(1000, "2026-01-10")
        self._invoice(300, "2026-01-10", company_id=data.id, journal_id=other["default_journal_sale"].id)
        rows = (program + second).with_context(allowed_company_ids=(self.company + data).ids).accrue("2026-03-31")
        self.assertEqual({r["program"]: r["base"] for r in rows}, {"CO1": 1000, "CO2": 300})

    def test_partners_without_role_earn_nothing(self):
        """A customer that is no channel member has no rebate, even in a programme for everybody."""
        program = self._program("ROLE", [(0, 10)])
        customer = self.env["res.partner"].create({"name": "Passer-by", "is_company": True})
        self._invoice(1000, "2026-01-10", member=customer)
        self.assertEqual(program.accrue("2026-03-31"), [])

    def test_contact_counts_for_its_company(self):
        """An invoice to a contact counts for the company: the tier is reached by both together."""
        program = self._program("CONTACT", [(0, 1), (1500, 2)])
        contact = self.env["res.partner"].create({"name": "Store", "parent_id": self.dealer.id})
        self._invoice(1000, "2026-01-10")
        self._invoice(500, "2026-01-11", member=contact)
        (row,) = program.accrue("2026-03-31")
        self.assertEqual((row["member_id"], row["entitlement"]), (self.dealer.id, 30))

    def test_simulate_writes_nothing(self):
        """A simulation gives the figures of an accrual and leaves no trace."""
        program = self._program("SIM", [(0, 10), (1000, 25)])
        self._invoice([1200, 800], "2026-01-10")
        (row,) = program.simulate("2026-01-01", "2026-03-31")
        self.assertEqual((row["entitlement"], row["accrued"], row["balance_id"]), (500, 0, None))
        self.assertFalse(self.env["channel.rebate.entry"].search([("program_id", "=", program.id)]))
        self.assertFalse(self.env["channel.rebate.balance"].search([("program_id", "=", program.id)]))
        (booked,) = program.accrue("2026-03-31")
        self.assertEqual(
            {key: row[key] for key in row if key not in ("balance_id", "accrued", "open")},
            {key: booked[key] for key in row if key not in ("balance_id", "accrued", "open")},
        )

    def test_explain(self):
        """2,000 in two lines, 25 % from 1,000: the tier below is passed, the line of 800 takes 1,200 to 2,000."""
        program = self._program("EXP", [(0, 10), (1000, 25), (5000, 30)])
        move = self._invoice([1200, 800], "2026-01-10")
        (row,) = program.accrue("2026-03-31")
        entry = self.env["channel.rebate.entry"].search([("move_line_id", "=", move.invoice_line_ids[1].id)])
        explanation = program.explain(entry.id)
        self.assertEqual(
            [
                (s["tier_from"], s["tier_to"], s["rate"], s["reached"], s["amount"], s["rebate"])
                for s in explanation["steps"]
            ],
            [(0, 1000, 10, True, 0, 0), (1000, 5000, 25, True, 2000, 500), (5000, None, 30, False, 0, 0)],
        )
        self.assertEqual(explanation["balance_id"], row["balance_id"])
        line = explanation["line"]
        self.assertEqual((line["total_before"], line["total_after"], line["rebate"]), (1200, 2000, 200))
        words = " ".join(explanation["words"])
        self.assertIn("25 %", words)
        self.assertIn("3,000.00", words)  # what is missing to the next tier
        self.assertEqual(program.explain(balance=row["balance_id"])["steps"], explanation["steps"])

    def _words(self, program, member=None):
        return program.explain(balance=self._balance(program, member).id)["words"]

    def test_explain_limits(self):
        """Each limit says what it took or added, in amounts that add up to the rebate."""
        self._invoice([1200, 800], "2026-01-10")
        programs = {
            code: self._program(code, [(0, 10)], window_type="quarter", **terms)
            for code, terms in {
                "CAP": {"payout_cap": 150},
                "FLOOR": {"payout_floor": 250},
                "CLAIM": {"minimum_claim": 201},
                "GUARANTEED": {"guarantee": 260},
                "EXCEEDED": {"guarantee": 200},
                "MEASURE": {"measure_cap": 1500},
                "GATE": {"target": 2500, "gate_percent": 90},
                "OPEN": {"target": 2500, "gate_percent": 80},
                "PLAIN": {},
            }.items()
        }
        expected = {
            "CAP": "The cap took $ 50.00: $ 200.00 was earned, a window pays $ 150.00 at most.",
            "FLOOR": "The floor added $ 50.00: a window that earns anything pays $ 250.00 at least.",
            "CLAIM": "$ 200.00 is less than the minimum claim of $ 201.00: nothing is paid.",
            "GUARANTEED": "The guarantee of $ 260.00 added $ 60.00 to the $ 200.00 that was earned.",
            "EXCEEDED": "The guarantee of $ 200.00 added nothing: more was earned.",
            "MEASURE": "Paid on $ 1,500.00 at most: $ 500.00 beyond it earns nothing.",
            "GATE": "The gate is closed: $ 2,000.00 is 80 % of the target of $ 2,500.00, 90 % is asked for. "
            "$ 200.00 is not paid.",
        }
        rebates = {"CAP": 150, "FLOOR": 250, "CLAIM": 0, "GUARANTEED": 260, "MEASURE": 150, "GATE": 0}
        for code, program in programs.items():
            program.calculate("2026-03-31")
            with self.subTest(code):
                words = [text.replace("\N{NO-BREAK SPACE}", " ") for text in self._words(program)]
                limits = [text for text in words if text in expected.values()]
                self.assertEqual(limits, [expected[code]] if code in expected else [])
                self.assertEqual(self._balance(program).entitlement, rebates.get(code, 200))

    def test_explain_limit_of_a_tier(self):
        """The second tier would pay 10 % of 1,000 and is capped at 60."""
        program = self._program("TIERCAP", [(0, 5), (1000, 10)], kind="marginal", approve=False)
        program.version_ids.tier_ids[1].payout_cap = 60
        program.version_ids.with_user(self.user_manager).action_approve()
        self._invoice(2000, "2026-01-10")
        program.calculate("2026-03-31")
        words = " ".join(self._words(program)).replace("\N{NO-BREAK SPACE}", " ")
        self.assertIn("The tier from $ 1,000.00 pays $ 60.00 at most: $ 40.00 less than its rate.", words)
        self.assertEqual(self._balance(program).entitlement, 110)

    def test_explain_days_to_pay(self):
        """Paid after 15 days, where 10 earn the whole rebate and 20 half of it."""
        program = self._program("LATE", [(0, 10)], basis="paid", collection_ids=[
            Command.create({"days": 10, "factor": 100}), Command.create({"days": 20, "factor": 50}),
        ])
        move = self._invoice(1000, "2026-01-01")
        wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids)
        wizard.create({"payment_date": "2026-01-16"})._create_payments()
        program.calculate("2026-03-31")
        balance = self._balance(program)
        self.assertEqual(balance.entitlement, 50)
        words = " ".join(program.explain(balance._entries().id)["words"]).replace("\N{NO-BREAK SPACE}", " ")
        self.assertIn("Days to pay: the collection factor took $ 50.00.", words)
        self.assertIn("Days to pay: 50 % of what the line earned is paid.", words)

    def test_explain_best(self):
        """A line that two programmes grant something on is paid by the better one; the other says so."""
        combination = self.env["channel.rebate.combination"].create({"name": "Autumn", "method": "best"})
        low, high = (
            self._program(f"BEST-{rate}", [(0, rate)], combination_id=combination.id, combination_order=place)
            for place, rate in enumerate((3, 5))
        )
        self._invoice(1000, "2026-01-10")
        (low | high).calculate("2026-03-31")
        words = " ".join(low.explain(self._balance(low)._entries().id)["words"]).replace("\N{NO-BREAK SPACE}", " ")
        self.assertIn("$ 30.00 is granted by another programme of the combination “Autumn”, which grants more.", words)
        self.assertIn("This programme would grant $ 30.00", words)
        self.assertNotIn("Autumn", " ".join(self._words(high)))
