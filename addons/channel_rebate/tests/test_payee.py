from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelRebateCommon

END = "2026-12-31"


@tagged("post_install", "-at_install")
class TestRebatePayee(ChannelRebateCommon):
    """Whose lines add up to a tier, and to whom the rebate of each line belongs. Every figure is worked by hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Partner = cls.env["res.partner"]
        cls.group, cls.agent = Partner.create([
            cls._channel_member_values(name, cls.region_city, channel_role=role)
            for name, role in (("Buying group", "buying_group"), ("Agent", "agent"))
        ])
        cls._channel_activate(cls.group | cls.agent)
        cls.team = cls.env["crm.team"].create({"name": "East"})

    @classmethod
    def _place(cls, member, parent, day="2020-01-01"):
        """From this day on the member stands below this parent."""
        member._channel_change({"channel_parent_id": parent.id if parent else False}, date=day, reason="Agreed")

    def _earned(self, program, whole=False):
        """{payee: entitlement} of the year after an incremental run, which a whole run then confirms."""
        program.calculate(END, whole=whole)
        figures = self._figures(program)
        program.calculate(END, whole=True)
        self.assertEqual(self._figures(program), figures, "an incremental run ends where a whole one ends")
        return {
            payee: sum(balance.entitlement for balance in balances)
            for payee, balances in program.balance_ids.grouped("member_id").items()
            if any(balance.entitlement for balance in balances)
        }

    def _figures(self, program):
        program.invalidate_recordset()
        entries = self.env["channel.rebate.entry"].search([("program_id", "=", program.id)])
        return (
            sorted(
                (e.source_id, e.member_id.id, e.pool_id.id, e.earning_amount, e.rebate_amount, e.exclusion or "")
                for e in entries
            ),
            sorted(
                (b.member_id.id, str(b.window_start), b.entitlement, b.base_amount)
                for b in program.balance_ids if b.line_count or b.entitlement
            ),
        )

    # === PARENT === #

    def test_lines_of_a_parent_and_its_members_add_up(self):
        self._place(self.sub_dealer, self.dealer)
        program = self._program("PAR", [(0, 2), (1000, 5)], payee_kind="parent", window_type="year")
        self._invoice(600, "2026-01-10")
        self._invoice(400, "2026-01-11", member=self.sub_dealer)
        self._invoice(300, "2026-01-12", member=self.other_dealer)
        # 600 + 400 reach 1,000: 5 %; the other dealer has no parent and stands for itself: 2 %
        self.assertEqual(self._earned(program), {self.dealer: 50, self.other_dealer: 6})
        self._invoice(0.01, "2026-01-13", member=self.sub_dealer, refund=True)
        # 999.99 lie below: 2 % of it
        self.assertEqual(self._earned(program), {self.dealer: 20, self.other_dealer: 6})

    def test_the_parent_of_the_day(self):
        self._place(self.sub_dealer, self.dealer)
        program = self._program("DAY", [(0, 10)], payee_kind="parent", window_type="year")
        self._invoice(100, "2026-03-31", member=self.sub_dealer)
        self._invoice(100, "2026-04-01", member=self.sub_dealer)
        self.assertEqual(self._earned(program), {self.dealer: 20})
        self._place(self.sub_dealer, self.other_dealer, "2026-04-01")
        self.assertEqual(self._earned(program), {self.dealer: 10, self.other_dealer: 10})

    def test_contribution_goes_to_each_member_for_its_own_lines(self):
        self._place(self.sub_dealer, self.dealer)
        program = self._program(
            "CON", [(0, 2), (1000, 5)], payee_kind="parent", distribution="contribution", window_type="year",
        )
        self._invoice(700.01, "2026-01-10")
        self._invoice([150, 149.99], "2026-01-11", member=self.sub_dealer)
        # together 1,000: 5 % = 50.00; by line 35.0005, 7.5 and 7.4995, rounded along the running total
        self.assertEqual(self._earned(program), {self.dealer: 35, self.sub_dealer: 15})

    # === BUYING GROUP AND AGENT === #

    def test_the_nearest_buying_group_earns(self):
        far = self.env["res.partner"].create(
            self._channel_member_values("Far group", self.region_city, channel_role="buying_group")
        )
        self._channel_activate(far)
        self._place(self.group, far)
        self._place(self.dealer, self.group)
        self._place(self.sub_dealer, self.dealer)
        program = self._program("GRP", [(0, 3)], payee_kind="group", window_type="year")
        self._invoice(100, "2026-01-10")
        self._invoice(200, "2026-01-10", member=self.sub_dealer)
        self._invoice(400, "2026-01-10", member=self.other_dealer)
        # a member without a group earns nothing for anybody
        self.assertEqual(self._earned(program), {self.group: 9})
        lost = self.env["channel.rebate.entry"].search([
            ("program_id", "=", program.id), ("buyer_id", "=", self.other_dealer.id),
        ])
        self.assertEqual(lost.mapped("exclusion"), ["no_payee"])

    def test_shares_of_a_group_add_up_to_the_cent(self):
        self._place(self.dealer, self.group)
        shares = [(self.dealer, 33.333333), (self.other_dealer, 33.333333), (self.group, 33.333334)]
        program = self._program(
            "SHR", [(0, 10)], payee_kind="group", distribution="share", window_type="year",
            share_ids=[Command.create({"partner_id": p.id, "share": s}) for p, s in shares],
        )
        self._invoice([0.55, 100.01, 3.33], "2026-01-10")
        # 10 % of 103.89 = 10.389: 10.39 for all three, in the order of the shares
        earned = self._earned(program)
        self.assertAlmostEqual(sum(earned.values()), 10.39, 2)
        self.assertEqual(set(earned), {self.dealer, self.other_dealer, self.group})
        self.assertTrue(all(abs(amount - 3.463) < 0.01 for amount in earned.values()), earned)
        self._invoice([203.89], "2026-02-10", refund=True)
        # -100 in all: at the first tier's rate, split alike
        earned = self._earned(program)
        self.assertAlmostEqual(sum(earned.values()), -10, 2)
        self.assertTrue(all(abs(amount + 3.333) < 0.01 for amount in earned.values()), earned)

    def test_shares_that_are_no_whole_are_refused(self):
        with self.assertRaises(UserError) as caught:
            self._program(
                "SHX", [(0, 10)], payee_kind="group", distribution="share",
                share_ids=[Command.create({"partner_id": self.dealer.id, "share": 99.99})],
            )
        self.assertIn("make 100 %", str(caught.exception))

    def test_the_agent_above_the_member(self):
        self._place(self.dealer, self.agent)
        program = self._program("AGT", [(0, 3)], purpose="commission", payee_kind="agent", window_type="year")
        self._invoice(100, "2026-01-10")
        self._invoice(50, "2026-01-11", member=self.other_dealer)
        self.assertEqual(self._earned(program), {self.agent: 3})
        self._place(self.dealer, None, "2026-01-10")
        self.assertEqual(self._earned(program), {})

    # === SALESPEOPLE === #

    def test_each_salesperson_for_its_own_documents(self):
        program = self._program(
            "SAL", [(0, 1), (1000, 2)], purpose="commission", payee_kind="salesperson", window_type="year",
        )
        self._invoice(900, "2026-01-10", invoice_user_id=self.user_sales.id)
        self._invoice(1000, "2026-01-10", invoice_user_id=self.user_internal.id, member=self.other_dealer)
        self._invoice(500, "2026-01-10", invoice_user_id=False)
        self.assertEqual(self._earned(program), {self.user_sales.partner_id: 9, self.user_internal.partner_id: 20})
        self._invoice(100, "2026-02-10", invoice_user_id=self.user_sales.id)
        self.assertEqual(self._earned(program), {self.user_sales.partner_id: 20, self.user_internal.partner_id: 20})

    def test_a_team_shares_and_a_second_person_is_credited_on_top(self):
        first, second = self.user_sales.partner_id, self.user_internal.partner_id
        program = self._program(
            "TEAM", [(0, 2)], purpose="commission", payee_kind="team", window_type="year",
            share_ids=[
                Command.create({"partner_id": first.id, "share": 100}),
                Command.create({"partner_id": second.id, "share": 50, "team_id": self.team.id}),
            ],
        )
        self._invoice(1000, "2026-01-10", team_id=self.team.id)
        self._invoice(500, "2026-01-10", team_id=False)
        # 2 % of 1,500 for the first, 2 % of half of 1,000 for the second
        self.assertEqual(self._earned(program), {first: 30, second: 10})

    # === IN WORDS === #

    def test_a_line_of_a_group_is_explained(self):
        self._place(self.sub_dealer, self.dealer)
        program = self._program("WRD", [(0, 2), (1000, 5)], payee_kind="parent", window_type="year")
        self._invoice(600, "2026-01-10")
        self._invoice(400, "2026-01-11", member=self.sub_dealer)
        program.accrue(END)
        entry = self.env["channel.rebate.entry"].search([
            ("program_id", "=", program.id), ("buyer_id", "=", self.sub_dealer.id),
        ])
        words = program.explain(line=entry.id)["words"]
        self.assertTrue(any("5 % of" in sentence and "1,000.00" in sentence for sentence in words), words)
        self.assertTrue(any("from" in sentence and "600.00" in sentence for sentence in words), words)
