from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestRebateTemplate(ChannelRebateCommon):
    """Each usual programme pays what its description says."""

    def _from_template(self, name, purpose="rebate", approve=True, **terms):
        program = self._program(f"T-{name}", [(0, 1)], approve=False, purpose=purpose, **(
            {"payee_kind": "salesperson"} if purpose == "commission" else {}
        ))
        program.version_ids.unlink()
        choice = self.env["channel.rebate.template.choice"].with_user(self.user_finance).create({
            "program_id": program.id, "template_id": self.env.ref(f"channel_rebate.template_{name}").id,
            "valid_from": "2025-01-01",
        })
        version = self.env["channel.rebate.program.version"].browse(choice.action_make()["res_id"])
        self.assertEqual((version.state, version.program_id), ("draft", program))
        version.write(terms)
        if approve:
            version.with_user(self.user_manager).action_approve()
        return program

    def _earned(self, program, date_to="2026-12-31"):
        program.accrue(date_to)
        return [
            balance.entitlement
            for balance in program.balance_ids.sorted("window_start")
            if balance.entitlement and balance.window_start.year == 2026
        ]

    def _figure(self, program, kind, value):
        figure = self.env["channel.rebate.figure"].with_user(self.user_finance).create({
            "program_id": program.id, "member_id": self.dealer.id, "kind": kind, "value": value,
            "date_from": "2026-01-01",
        })
        figure.with_user(self.user_manager).action_approve()

    def _pay(self, invoice, day):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({"payment_date": day})._create_payments()

    def test_volume_on_everything(self):
        program = self._from_template("volume_retroactive")
        self._invoice(1200000, "2026-01-10")
        self.assertEqual(self._earned(program), [36000])

    def test_volume_by_bands(self):
        program = self._from_template("volume_marginal")
        self._invoice(1200000, "2026-01-10")
        self.assertEqual(self._earned(program), [16000])

    def test_growth(self):
        program = self._from_template("growth")
        self._invoice(1000000, "2025-03-10")
        self._invoice(1100000, "2026-03-10")
        self.assertEqual(self._earned(program), [5000])

    def test_target(self):
        program = self._from_template("target")
        self._invoice(1050000, "2026-01-10")
        self.assertEqual(self._earned(program), [21000])

    def test_market_share(self):
        program = self._from_template("market_share")
        self._figure(program, "market", 1000000)
        self._invoice(600000, "2026-01-10")
        self.assertEqual(self._earned(program), [12000])

    def test_per_unit(self):
        program = self._from_template("per_unit")
        self._invoice([10] * 120, "2026-01-10")
        self.assertEqual(self._earned(program), [960])

    def test_per_lot(self):
        program = self._from_template("per_lot")
        self._invoice([10] * 47, "2026-01-10")
        self.assertEqual(self._earned(program), [200])

    def test_fixed(self):
        program = self._from_template("fixed")
        self._invoice(1200000, "2026-01-10")
        self.assertEqual(self._earned(program), [25000])

    def test_early_payment(self):
        """2 % of 1,000 in full, half of 2 % of 2,000, nothing for what is not paid."""
        program = self._from_template("early_payment")
        self._pay(self._invoice(1000, "2026-01-10"), "2026-02-01")
        self._pay(self._invoice(2000, "2026-01-10"), "2026-03-01")
        self._invoice(4000, "2026-01-10")
        self.assertEqual(self._earned(program), [40])

    def test_paid_only(self):
        program = self._from_template("paid_only")
        self._pay(self._invoice(1000, "2026-01-10"), "2026-02-01")
        self._invoice(4000, "2026-01-10")
        self.assertEqual(self._earned(program), [20])

    def test_guarantee(self):
        """10,000 earned in the first quarter, 3,000 in the second: 10,000 are guaranteed for both."""
        program = self._from_template("guarantee")
        self._invoice(333333.33, "2026-01-10")
        self._invoice(100000, "2026-04-10")
        self.assertEqual(self._earned(program, "2026-06-30"), [10000, 3000])

    def test_guarantee_reached_by_nobody(self):
        program = self._from_template("guarantee")
        self._invoice(100000, "2026-01-10")
        self.assertEqual(self._earned(program, "2026-03-31"), [5000])

    def test_capped(self):
        program = self._from_template("capped")
        self._invoice(1000000, "2026-01-10")
        self.assertEqual(self._earned(program), [20000])

    def test_free_goods(self):
        program = self._from_template("free_goods", goods_product_id=self.consumable.id, goods_value=8)
        self._invoice([10] * 47, "2026-01-10")
        self.assertEqual(self._earned(program), [32])

    def test_mix(self):
        components = [
            Command.create({"name": product.name, "product_domain": f"[('id', '=', {product.id})]", "minimum": 100})
            for product in (self.device, self.consumable)
        ]
        program = self._from_template("mix", component_ids=components)
        self._invoice(1000, "2026-01-10")
        self.assertEqual(self._earned(program), [])
        self._invoice(100, "2026-01-11", product=self.device)
        self.assertEqual(self._earned(program), [11])

    def test_new_hospitals(self):
        program = self._from_template("new_hospital")
        self._invoice(199999.99, "2026-01-10")
        self.assertEqual(self._earned(program), [])
        self._invoice(30000.01, "2026-04-10")
        self.assertEqual(self._earned(program), [10000])

    def test_lump_sum(self):
        program = self._from_template("lump_sum", contract_version_id=self.contract.version_ids.id)
        self.assertEqual(self._earned(program, "2026-06-30"), [9000, 9000])
        self.assertEqual(program.balance_ids.member_id, self.dealer)

    def test_annual_bonus_paid_in_advance(self):
        program = self._from_template("annual_advance")
        program.settles_running = True
        paid = []
        for day, end in (("2026-03-10", "2026-03-31"), ("2026-06-10", "2026-06-30"), ("2026-09-10", "2026-09-30"),
                         ("2026-12-10", "2026-12-31")):
            self._invoice(300000, day)
            settlement = self.env["channel.settlement"].browse(program.propose_settlements(end))
            settlement.with_user(self.user_manager).action_approve()
            paid.append(settlement.amount_total)
        self.assertEqual(paid, [6000, 12000, 9000, 9000])
        self.assertEqual(self._earned(program), [36000])

    def test_commission_of_the_salesperson(self):
        program = self._from_template("commission_sales", purpose="commission")
        self._pay(self._invoice(600000, "2026-01-10", invoice_user_id=self.user_sales.id), "2026-01-20")
        self.assertEqual(self._earned(program), [9000])
        self.assertEqual(program.balance_ids.member_id, self.user_sales.partner_id)

    def _below(self, parent_role):
        """The dealer's company above it, of this role, for years."""
        parent = self.env["res.partner"].create(
            self._channel_member_values("Above", self.region_city, channel_role=parent_role)
        )
        self._channel_activate(parent)
        for member in self.dealer | self.sub_dealer:
            member._channel_change({"channel_parent_id": parent.id}, date="2020-01-01", reason="Agreed")
        return parent

    def test_buying_group(self):
        """1,500,000 together: 2 %, to each member for its own purchases."""
        program = self._from_template("group")
        self._below("buying_group")
        self._invoice(900000, "2026-01-10")
        self._invoice(600000, "2026-01-10", member=self.sub_dealer)
        self.assertEqual(self._earned(program), [18000, 12000])

    def test_commission_of_the_agent(self):
        program = self._from_template("commission_agent", purpose="commission")
        agent = self._below("agent")
        self._invoice(1000, "2026-01-10")
        self.assertEqual(self._earned(program), [30])
        self.assertEqual(program.balance_ids.member_id, agent)

    def test_commission_of_a_team(self):
        shares = [
            Command.create({"partner_id": user.partner_id.id, "share": share})
            for user, share in ((self.user_sales, 60), (self.user_internal, 40))
        ]
        program = self._from_template("commission_team", purpose="commission", share_ids=shares)
        self._pay(self._invoice(1000, "2026-01-10"), "2026-01-20")
        self.assertEqual(sorted(self._earned(program)), [8, 12])

    def test_what_has_to_be_filled_in_is_asked_for(self):
        for name, words in (("free_goods", "Free Product"), ("mix", "Components")):
            with self.subTest(name), self.assertRaisesRegex(UserError, words):
                self._from_template(name)

    def test_every_template_makes_a_draft(self):
        templates = self.env["channel.rebate.template"].search([])
        self.assertGreaterEqual(len(templates), 12)
        for template in templates:
            with self.subTest(template.name):
                name = template.get_external_id()[template.id].removeprefix("channel_rebate.template_")
                program = self._from_template(name, purpose=template.purpose, approve=False)
                self.assertTrue(program.version_ids.tier_ids)

    def test_a_commission_is_no_rebate(self):
        with self.assertRaisesRegex(UserError, "another purpose"):
            self._from_template("commission_sales")

    def test_a_term_that_is_none(self):
        with self.assertRaisesRegex(ValidationError, "no term colour"):
            self.env["channel.rebate.template"].create({"name": "Wrong", "terms": {"colour": "red"}})

    def test_finance_begins_versions_and_sales_does_not(self):
        program = self._program("ACC", [(0, 1)])
        with self.assertRaises(AccessError):
            self.env["channel.rebate.template.choice"].with_user(self.user_sales).create({
                "program_id": program.id, "template_id": self.env.ref("channel_rebate.template_capped").id,
            })
