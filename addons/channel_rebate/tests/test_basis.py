from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelRebateCommon

END = "2026-12-31"


@tagged("post_install", "-at_install")
class TestRebateBasis(ChannelRebateCommon):
    """What counts, on which day, in which unit and window. Every figure is worked by hand."""

    def _earned(self, *programs):
        """Entitlement of the dealer in each window of 2026, after an incremental run that a whole run confirms."""
        result = []
        for program in programs:
            program.calculate(END)
            figures = self._figures(program)
            program.calculate(END, whole=True)
            self.assertEqual(self._figures(program), figures, "an incremental run ends where a whole one ends")
            result.append([amount for _window, amount, _base in figures if amount])
        return result if len(programs) > 1 else result[0]

    def _figures(self, program):
        program.invalidate_recordset()
        return [
            (str(balance.window_start), balance.entitlement, balance.base_amount)
            for balance in program.balance_ids.sorted("window_start")
            if balance.member_id == self.dealer and balance.window_start.year == 2026
        ]

    def _order(self, quantity, price, day, **values):
        order = self._channel_order([(self.consumable, quantity, price)], **values)
        order.action_confirm()
        order.date_order = f"{day} 08:00:00"
        return order

    def _move(self, order, quantity, day):
        """Deliver so much of what is open, on that day, and leave the rest open."""
        move = order.picking_ids.move_ids.filtered(lambda m: m.state not in ("done", "cancel"))
        move.write({"quantity": quantity, "picked": True})
        move.picking_id.with_context(skip_backorder=True)._action_done()
        move.date = f"{day} 08:00:00"
        return move

    def _take_back(self, move, quantity, day):
        wizard = self.env["stock.return.picking"].with_context(
            active_id=move.picking_id.id, active_model="stock.picking"
        ).create({"picking_id": move.picking_id.id})
        wizard.product_return_moves.filtered(lambda line: line.move_id == move).quantity = quantity
        picking = wizard._create_return()
        picking.move_ids.write({"quantity": quantity, "picked": True})
        picking._action_done()
        picking.move_ids.date = f"{day} 08:00:00"
        return picking.move_ids

    # === BASES === #

    def test_ordered_counts_what_is_confirmed(self):
        program = self._program("ORD", [(0, 10)], basis="ordered", window_type="month")
        order = self._order(10, 10, "2026-01-31")
        self._order(5, 10, "2026-02-01")
        draft = self._channel_order([(self.consumable, 100, 20)])
        self.assertEqual(draft.state, "draft")
        self.assertEqual(self._earned(program), [10, 5])
        order.order_line.product_uom_qty = 7
        self.assertEqual(self._earned(program), [7, 5])
        order._action_cancel()
        self.assertEqual(self._earned(program), [5])

    def test_delivered_counts_what_has_left_on_its_day(self):
        program = self._program("DLV", [(0, 10)], basis="delivered", window_type="month")
        order = self._order(10, 20, "2026-01-05")
        self.assertEqual(self._earned(program), [])
        first = self._move(order, 4, "2026-01-31")
        self._move(order, 6, "2026-02-01")
        # 4 x 20 in January, 6 x 20 in February
        self.assertEqual(self._earned(program), [8, 12])
        self._take_back(first, 1, "2026-03-02")
        self.assertEqual(self._earned(program), [8, 12, -2])

    def test_a_return_in_the_period_of_its_sale(self):
        program = self._program("RET", [(0, 10)], basis="delivered", window_type="month", returns_policy="sale")
        order = self._order(10, 20, "2026-01-05")
        move = self._move(order, 10, "2026-01-31")
        self._take_back(move, 3, "2026-03-02")
        self.assertEqual(self._earned(program), [14])

    def test_a_credit_note_in_the_period_of_its_sale(self):
        by_return = self._program("CNR", [(0, 10)], window_type="month")
        by_sale = self._program("CNS", [(0, 10)], window_type="month", returns_policy="sale")
        invoice = self._invoice(100, "2026-01-31")
        self.assertEqual(self._earned(by_return, by_sale), [[10], [10]])
        self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=invoice.ids).create(
            {"date": "2026-02-03", "journal_id": invoice.journal_id.id}
        ).refund_moves()
        refund = invoice.reversal_move_ids
        refund.invoice_line_ids.price_unit = 30
        refund.action_post()
        self.assertEqual(self._earned(by_return, by_sale), [[10, -3], [7]])

    def test_paid_counts_when_all_of_it_is_paid(self):
        program = self._program("PAI", [(0, 10)], basis="paid", window_type="month")
        invoice = self._invoice(100, "2026-01-10")
        pay = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids)
        pay.create({"payment_date": "2026-01-31", "amount": 99.99})._create_payments()
        self.assertEqual(self._earned(program), [])
        pay.create({"payment_date": "2026-02-01"})._create_payments()
        self.assertEqual(self._earned(program), [10])
        self.assertEqual(self._figures(program)[0][0], "2026-02-01", "on the day of the last payment")

    def test_boxes_count_as_units(self):
        by_order = self._program(
            "BOX", [(0, 2)], basis="ordered", window_type="year", qualifying_measure="quantity", rate_type="unit",
        )
        in_boxes = self._program(
            "BXS", [(0, 15)], basis="ordered", window_type="year", qualifying_measure="quantity", rate_type="unit",
            qualifying_uom_id=self.uom_box.id,
        )
        order = self._channel_order([(self.device, 3, 1000)])
        order.order_line.product_uom_id = self.uom_box
        order.action_confirm()
        order.date_order = "2026-01-10 08:00:00"
        # 3 boxes of 10: 30 units at 2, or 3 boxes at 15
        self.assertEqual(self._earned(by_order, in_boxes), [[60], [45]])

    def test_an_order_in_another_currency(self):
        currency = self.env["res.currency"].create({
            "name": "XTS", "symbol": "X",
            "rate_ids": [Command.create({"name": "2026-01-01", "rate": 4, "company_id": self.company.id})],
        })
        self.env.user.group_ids += self.env.ref("product.group_product_pricelist")
        pricelist = self.env["product.pricelist"].create({"name": "XTS", "currency_id": currency.id})
        program = self._program("FXO", [(0, 10)], basis="ordered", window_type="year")
        order = self._channel_order([(self.consumable, 10, 40)])
        order.write({"pricelist_id": pricelist.id, "date_order": "2026-01-10 08:00:00"})
        order.action_confirm()
        order.date_order = "2026-01-10 08:00:00"
        self.assertEqual(order.currency_id, currency)
        # 400 XTS are 100 of ours
        self.assertEqual(self._earned(program), [10])

    # === MEASURES === #

    def test_points_decide_the_tier_and_money_is_paid_on(self):
        self.consumable.channel_rebate_points = 2.5
        program = self._program(
            "PTS", [(0, 1), (10, 5)], window_type="year", qualifying_measure="points", earning_measure="amount",
        )
        self._invoice([100, 100, 100], "2026-01-10")
        # 3 units are 7.5 points
        self.assertEqual(self._earned(program), [3])
        self._invoice(100, "2026-01-11")
        # 10 points exactly reach the tier
        self.assertEqual(self._earned(program), [20])
        words = program.balance_ids.explanation
        self.assertIn("10 points", words)

    def test_share_of_all_purchases(self):
        program = self._program("MKT", [(50, 2), (75, 3)], window_type="half", tier_measure="market_share")
        figure = self.env["channel.rebate.figure"].create({
            "program_id": program.id, "member_id": self.dealer.id, "kind": "market", "value": 2000,
            "date_from": "2026-01-01",
        })
        figure.with_user(self.user_manager).action_approve()
        self._invoice(999.99, "2026-01-10")
        self.assertEqual(self._earned(program), [])
        self._invoice(0.01, "2026-06-30")
        self.assertEqual(self._earned(program), [20])
        self._invoice(500, "2026-06-30")
        self.assertEqual(self._earned(program), [45])

    def test_caps_and_the_minimum_claim(self):
        capped = self._program("MCP", [(0, 10)], window_type="year", measure_cap=500)
        minimum = self._program("MIN", [(0, 10)], window_type="year", minimum_claim=50)
        both = self._program("TCP", [(0, 10)], window_type="year", payout_cap=45, payout_floor=20)
        self._invoice(499.9, "2026-01-10")
        self.assertEqual(self._earned(capped, minimum, both), [[49.99], [], [45]])
        self._invoice(0.1, "2026-01-11")
        self.assertEqual(self._earned(capped, minimum, both), [[50], [50], [45]])
        self._invoice(100, "2026-01-12")
        self.assertEqual(self._earned(capped, minimum, both), [[50], [60], [45]])
        self._invoice(500, "2026-01-13", refund=True)
        # 100 are left: 10, which the floor lifts to 20
        self.assertEqual(self._earned(capped, minimum, both), [[10], [], [20]])

    # === WINDOWS AND VERSIONS === #

    def test_a_partial_first_window(self):
        terms = {"valid_from": "2026-02-15", "window_type": "quarter"}
        whole = self._program("PWH", [(0, 1), (900, 3)], **terms)
        prorated = self._program("PRO", [(0, 1), (900, 3)], first_window="prorated", **terms)
        prior = self._program("PRI", [(0, 1), (900, 3)], first_window="prior", **terms)
        self._invoice(450, "2026-02-14")
        self._invoice(449.99, "2026-02-15")
        # 45 of 90 days: half of 900 is 450
        self.assertEqual(self._earned(whole, prorated, prior), [[4.5], [4.5], [4.5]])
        self._invoice(0.01, "2026-03-31")
        # 450 since the first day; 900 with what came before, which is not paid on
        self.assertEqual(self._earned(whole, prorated, prior), [[4.5], [13.5], [13.5]])

    def test_terms_amended_inside_a_window(self):
        as_of = self._program("VAS", [(0, 2)], window_type="quarter")
        latest = self._program("VLA", [(0, 2)], window_type="quarter", version_policy="latest")
        self._invoice(1000, "2026-01-10")
        self._invoice(500, "2026-02-10")
        self._invoice(300, "2026-05-10")
        self.assertEqual(self._earned(as_of, latest), [[30, 6], [30, 6]])
        for program in as_of | latest:
            version = self._version(
                program, [(0, 4)], valid_from="2026-02-01", window_type="quarter",
                version_policy=program.version_ids.version_policy,
            )
            version.with_user(self.user_manager).action_approve()
        # as of the day: 2 % of 1,000 and 4 % of 500; the latest one: 4 % of all of the quarter
        self.assertEqual(self._earned(as_of, latest), [[40, 12], [60, 12]])
