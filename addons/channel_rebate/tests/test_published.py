from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestPublishedExamples(ChannelRebateCommon):
    """Calculations that other vendors and standards published, with the results that they print.

    Those that need no other method than retroactive and marginal tiers over a window stand in `test_engine`. Price
    protection (IBM RC24577) needs the stock of a dealer, which this add-on does not know: it is left to the add-on that
    knows it, as a basis of its own.
    """

    def _earned(self, program, day="2026-12-31", member=None):
        """{window: entitlement} of one member"""
        program.calculate(day)
        balances = self.env["channel.rebate.balance"].search(
            [("program_id", "=", program.id), ("member_id", "=", (member or self.dealer).id)]
        )
        return {b._window_name(): b.entitlement for b in balances}

    def _lines(self, program):
        entries = self.env["channel.rebate.entry"].search([("program_id", "=", program.id)], order="date, source_id")
        return entries.mapped("rebate_amount")

    def _figure(self, program, kind, value, member=None, date_from="2025-01-01"):
        figure = self.env["channel.rebate.figure"].create(
            {
                "program_id": program.id,
                "member_id": (member or self.dealer).id,
                "kind": kind,
                "value": value,
                "date_from": date_from,
            }
        )
        figure.with_user(self.user_manager).action_approve()
        return figure

    def test_dynamics_four_methods(self):
        """Microsoft Dynamics 365, Rebate management deals: 10 % up to 1,000, 25 % up to 2,500; value sold 2,000.

        Stepped 350, cumulative 500, rolling 600, total 700.
        """
        expected = {"marginal": 350, "retroactive": 500, "rolling": 600, "total": 700}
        programs = {
            kind: self._program(f"B1-{kind}", [(0, 10), (1000, 25)], kind=kind, scale_end=2500) for kind in expected
        }
        self._invoice([1200, 800], "2026-01-10")
        for kind, amount in expected.items():
            with self.subTest(kind=kind):
                self.assertEqual(self._earned(programs[kind]), {"2026-Q1": amount})
                self.assertEqual(sum(self._lines(programs[kind])), amount)

    def test_dynamics_free_items(self):
        """Same page: quantity 2 for each multiple of 100, 150 ordered: 2 free items, accrued at their value of 7."""
        program = self._program(
            "B2",
            [(0, 2)],
            qualifying_measure="quantity",
            rate_type="lot",
            lot_size=100,
            payout="goods",
            goods_product_id=self.consumable.id,
            goods_value=7,
        )
        move = self._invoice(1, "2026-01-10", post=False)
        move.invoice_line_ids.quantity = 150
        move.action_post()
        self.assertEqual(self._earned(program), {"2026-Q1": 14})
        self.assertEqual(self._balance(program).goods_quantity, 2)

    def test_dynamics_guarantee(self):
        """Same page: 10,000 a quarter are guaranteed; royalties 12,000 and 5,000.

        The second quarter gets 3,000 on top of its 5,000 if what the first one earned above the guarantee is carried
        on, 5,000 if not.
        """
        terms = {"guarantee": 10000, "valid_to": "2026-06-30", "valid_from": "2026-01-01"}
        carried = self._program("B3-C", [(0, 10)], guarantee_carry=True, **terms)
        plain = self._program("B3", [(0, 10)], **terms)
        self._invoice(120000, "2026-02-10")
        self._invoice(50000, "2026-05-10")
        self.assertEqual(self._earned(carried), {"2026-Q1": 12000, "2026-Q2": 8000})
        self.assertEqual(self._earned(plain), {"2026-Q1": 12000, "2026-Q2": 10000})
        self.assertEqual(self._balance(carried, start="2026-04-01").unallocated_amount, 3000)
        self.assertEqual(self._balance(plain, start="2026-04-01").unallocated_amount, 5000)

    def test_dynamics_reduction_principle(self):
        """Dynamics 365, rebate reduction principles (provisions): four deals on one line of 1,000.

        Deal 1: apply no. Deal 2: applied to rebates only, excluded from reducing. Deals 3 and 4: applied to both.
        In the order 1-2-3-4: 100 + 150 + 180 + 180 = 610; 4-3-2-1: 650; 3-2-1-4: 625; 2-4-1-3: 630.
        """
        deals = {
            1: (10, {"reduction_apply": False}),
            2: (15, {"reduction_basis": "rebate", "reduction_exclude": True}),
            3: (20, {}),
            4: (25, {}),
        }
        self._invoice(1000, "2026-01-10")
        for order, total in (((1, 2, 3, 4), 610), ((4, 3, 2, 1), 650), ((3, 2, 1, 4), 625), ((2, 4, 1, 3), 630)):
            combination = self.env["channel.rebate.combination"].create(
                {"name": f"B4 {order}", "method": "reduction", "company_id": self.company.id}
            )
            programs = self.env["channel.rebate.program"].concat(
                *(
                    self._program(
                        f"B4-{order}-{number}",
                        [(0, deals[number][0])],
                        combination_id=combination.id,
                        combination_order=place,
                        **deals[number][1],
                    )
                    for place, number in enumerate(order)
                )
            )
            rows = programs.simulate("2026-01-01", "2026-03-31", purpose="provision")
            with self.subTest(order=order):
                self.assertEqual(sum(row["entitlement"] for row in rows), total)
        # as rebates, in the last order: 150; 25 % of 1,000; 100; 20 % of 1,000 - 250 - 100: the same, since deal 2
        # is first
        programs.calculate("2026-03-31")
        balances = self.env["channel.rebate.balance"].search([("program_id", "in", programs.ids)])
        self.assertEqual(sum(balances.mapped("entitlement")), 630)

    def test_sap_cumulative_months(self):
        """SAP learning, condition contracts: 2 % from 5,000, 4 % from 20,000, cumulative over the months.

        October 3,000: 0. November, 7,000 in all: 140. December, 27,000 in all: 1,080, so 940.
        """
        program = self._program("B5", [(5000, 2), (20000, 4)], window_type="month", accumulation="year")
        for day, amount in (("2026-10-15", 3000), ("2026-11-15", 4000), ("2026-12-15", 20000)):
            self._invoice(amount, day)
        self.assertEqual(self._earned(program), {"2026-10": 0, "2026-11": 140, "2026-12": 940})

    def test_oracle_split_by_transaction(self):
        """Oracle Fusion, step rates 1, 2, 3, 5 % from 0, 1,000, 3,000, 8,000: 2, 3, 20, 14, 30, 95; 164 in all.

        (2,000 are 10 + 20 = 30 and 4,500 are 10 + 40 + 45 = 95: each transaction is cut by itself.)
        """
        program = self._program(
            "B6",
            [(0, 1), (1000, 2), (3000, 3), (8000, 5)],
            kind="marginal",
            accumulation="document",
            window_type="year",
        )
        for day, amount in enumerate([200, 300, 1500, 1200, 2000, 4500], 1):
            self._invoice(amount, f"2026-01-0{day}")
        self.assertEqual(self._earned(program), {"2026": 164})
        self.assertEqual(self._lines(program), [2, 3, 20, 14, 30, 95])

    def test_netsuite_by_line(self):
        """NetSuite, marginal rebate by line: 5 % to 100, 10 % to 350, 15 % to 500; 2 x 30 earn 3, 1 x 200 earns 15."""
        program = self._program(
            "B9", [(0, 5), (100, 10), (350, 15)], kind="marginal", accumulation="line", scale_end=500
        )
        self._invoice([60, 200], "2026-01-10")
        self._earned(program)
        self.assertEqual(self._lines(program), [3, 15])

    def test_phocas(self):
        """Phocas, calculation methods: 5 % to 10,000, 10 % to 50,000, marginal: 6,000, 8,000, 20,000 earn 300, 400,
        1,500.

        Per unit 1 to 100, 2 to 500: 20, 80, 120 units earn 20, 80, 140.
        """
        money = self._program("B10", [(0, 5), (10000, 10)], kind="marginal", window_type="month")
        units = self._program(
            "B10-U",
            [(0, 1), (100, 2)],
            kind="marginal",
            window_type="month",
            qualifying_measure="quantity",
            rate_type="unit",
        )
        for month, (amount, quantity) in enumerate(((6000, 20), (8000, 80), (20000, 120)), 1):
            move = self._invoice(amount / quantity, f"2026-0{month}-10", post=False)
            move.invoice_line_ids.quantity = quantity
            move.action_post()
        self.assertEqual(self._earned(money), {"2026-01": 300, "2026-02": 400, "2026-03": 1500})
        self.assertEqual(self._earned(units), {"2026-01": 20, "2026-02": 80, "2026-03": 140})

    def test_enable_growth(self):
        """Enable, growth: index 110 -> 2 %, 115 -> 3 %, 120 -> 4 %; baseline 2,000,000, actual 2,350,000 (117.5).

        Fully retrospective 70,500; retrospective on the growth 10,500; bands of the baseline 3,500. The baseline comes
        from the lines of the year before.
        """
        terms = {"tier_measure": "growth_index", "window_type": "year", "valid_from": "2026-01-01"}
        tiers = [(110, 2), (115, 3), (120, 4)]
        fully = self._program("B11-F", tiers, **terms)
        growth = self._program("B11-G", tiers, earning_base="growth", **terms)
        bands = self._program("B11-M", tiers, kind="marginal", **terms)
        self._invoice(2000000, "2025-05-10")
        self._invoice(2350000, "2026-05-10")
        self.assertEqual(self._earned(fully), {"2026": 70500})
        self.assertEqual(self._earned(growth), {"2026": 10500})
        self.assertEqual(self._earned(bands), {"2026": 3500})
        balance = self._balance(fully)
        self.assertEqual((balance.reference_amount, balance.tier_value), (2000000, 117.5))

    def test_growth_without_baseline(self):
        """A member without baseline: nothing, the rate for new partners, or growth over the target."""
        terms = {"tier_measure": "growth_index", "window_type": "year", "valid_from": "2026-01-01"}
        nothing = self._program("B0-N", [(110, 2)], **terms)
        new = self._program("B0-P", [(110, 2)], baseline_missing="new_partner", new_partner_rate=1, **terms)
        target = self._program("B0-T", [(110, 2)], baseline_missing="target", target=800, **terms)
        self._invoice(1000, "2026-05-10")
        self.assertEqual([self._earned(p)["2026"] for p in (nothing, new, target)], [0, 10, 20])

    def test_pricefx_single_target(self):
        """Pricefx, single target: target 100,000 pays 1,000; 110,000 earn 1,000, 90,000 earn 0."""
        program = self._program("B12", [(100000, 1000)], kind="fixed")
        self._invoice(110000, "2026-01-10")
        self._invoice(90000, "2026-01-10", member=self.other_dealer)
        self.assertEqual(self._earned(program), {"2026-Q1": 1000})
        self.assertEqual(self._earned(program, member=self.other_dealer), {"2026-Q1": 0})

    def test_ifrs_variable_price(self):
        """IFRS 15 illustrative case (ifrsbuddy): 480 a unit, 432 for all above 600 a year: 48 a unit, retroactive.

        Expected to stay below 600, the first quarter's 75 units are 36,000 of revenue. Expected above, 300 units to
        date
        are 300 x 432 = 129,600, so the second quarter's revenue is 93,600: the rebate at the expected tier is 14,400.
        """
        program = self._program(
            "B15",
            [(0, 0), (600, 48)],
            boundary="upper",
            qualifying_measure="quantity",
            rate_type="unit",
            window_type="year",
        )
        expected = self._program(
            "B15-E", [(0, 48)], qualifying_measure="quantity", rate_type="unit", window_type="year"
        )
        for quantity, day in ((75, "2026-02-10"), (225, "2026-05-10")):
            move = self._invoice(480, day, post=False)
            move.invoice_line_ids.quantity = quantity
            move.action_post()
        self.assertEqual(75 * 480 - self._earned(program, "2026-03-31")["2026"], 36000)
        self.assertEqual(300 * 480 - self._earned(expected)["2026"] - 36000, 93600)

    def test_collection_factor(self):
        """Chinese distributor contract: paid within 15 days 100 %, 16-30 days 80 %, 31-45 days 50 %, later 0.

        10 % of 1,000 each, after tiers and caps: 100, 80, 50, 0, and nothing while unpaid.
        """
        factors = [(15, 100), (30, 80), (45, 50)]
        program = self._program(
            "B18",
            [(0, 10)],
            window_type="year",
            collection_ids=[Command.create({"days": days, "factor": factor}) for days, factor in factors],
        )
        moves = [self._invoice(1000, "2026-01-10") for _paid in range(5)]
        self.assertEqual(self._earned(program), {"2026": 0})
        for move, day in zip(moves, ("2026-01-25", "2026-01-26", "2026-02-24", "2026-02-25"), strict=False):
            self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create(
                {"payment_date": day}
            )._create_payments()
        self.assertEqual(self._earned(program), {"2026": 230})
        self.assertEqual(self._lines(program), [100, 80, 50, 0, 0])

    def test_chargeback_by_formula(self):
        """EmpowerRM, chargeback: list 100, contract 70: 30 a unit."""
        self.consumable.lst_price = 100
        program = self._program(
            "B20", [(0, 100)], qualifying_measure="quantity", earning_measure="formula", earning_formula="list - net"
        )
        move = self._invoice(70, "2026-01-10", post=False)
        move.invoice_line_ids.quantity = 3
        move.action_post()
        self.assertEqual(self._earned(program), {"2026-Q1": 90})

    def test_coop_fund_by_formula(self):
        """Gridcraft, co-op fund: spend 10,000 at 50 %, sales 200,000 at 3 %: min(5,000, 6,000) = 5,000."""
        program = self._program("B21", [], kind="formula", formula="min(variable * 0.5, earning * 0.03)")
        self._figure(program, "variable", 10000)
        self._invoice(200000, "2026-01-10")
        self.assertEqual(self._earned(program), {"2026-Q1": 5000})
