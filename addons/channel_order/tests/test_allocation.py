from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ChannelOrderCommon


@tagged("post_install", "-at_install")
class TestAllocation(ChannelOrderCommon):
    """What is short is dealt out by rule or in proportion, shown first, and reserved exactly as it was shown."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls.env["product.product"].create(
            cls._channel_product_values("Short stent", is_storable=True, list_price=10)
        )
        grades = cls.env["res.partner.grade"].create([
            {"name": "Test gold", "sequence": 1}, {"name": "Test silver", "sequence": 2},
        ])
        cls.dealer.grade_id, cls.other_dealer.grade_id = grades[1], grades[0]

    def _stock(self, quantity):
        self.env["stock.quant"]._update_available_quantity(
            self.product, self._channel_warehouse().lot_stock_id, quantity
        )

    def _wants(self, quantity, member=None, day="2026-03-10", product=None, reserve=False):
        order = self._order([(product or self.product, quantity)], member=member)
        move = order.picking_ids.move_ids
        move.date = f"{day} 08:00:00"
        if reserve:
            move._action_assign()
        else:
            move._do_unreserve()
        return move

    def _allocate(self, apply=False, **values):
        allocation = self.env["channel.allocation"].with_user(self.user_manager).create({
            "product_ids": self.product.ids, **values,
        })
        allocation.action_preview()
        if apply:
            allocation.action_apply()
        return allocation

    def _got(self, allocation):
        return {line.move_id: line.allocated for line in allocation.line_ids}

    def test_the_better_tier_comes_first(self):
        silver, gold = self._wants(8), self._wants(8, self.other_dealer)
        self._stock(10)
        allocation = self._allocate()
        self.assertEqual(self._got(allocation), {silver: 2, gold: 8})
        short = allocation.line_ids.filtered("is_short")
        self.assertIn("2 of 8: place 2, 8 of the 10", short.reason)
        self.assertFalse(silver.quantity or gold.quantity, "a preview reserves nothing")

    def test_of_equals_the_earlier_day_and_then_the_older_order(self):
        late, early = self._wants(5, day="2026-03-20"), self._wants(5, day="2026-03-10")
        older, younger = self._wants(5, day="2026-03-25"), self._wants(5, day="2026-03-25")
        older.sale_line_id.order_id.date_order = "2026-01-01 08:00:00"
        younger.sale_line_id.order_id.date_order = "2026-01-02 08:00:00"
        self._stock(17)
        self.assertEqual(self._got(self._allocate()), {early: 5, late: 5, older: 5, younger: 2})

    def test_in_proportion_with_whole_units(self):
        moves = [self._wants(quantity) for quantity in (10, 10, 10)]
        self._stock(20)
        # 6.67 each: 6, and one more to two of the three largest remainders
        got = self._got(self._allocate(method="fair"))
        self.assertEqual(sorted(got.values()), [6, 7, 7])
        self.assertEqual(sum(got.values()), 20)
        self.assertEqual([got[move] for move in moves], [7, 7, 6], "of equals those whose turn comes earlier")

    def test_enough_for_all(self):
        self._wants(3)
        self._wants(4, self.other_dealer)
        self._stock(7)
        for method in ("rules", "fair"):
            allocation = self._allocate(method=method)
            self.assertEqual((allocation.wanted, allocation.allocated, allocation.short_count), (7, 7, 0))

    def test_reserved_as_it_was_shown(self):
        self._stock(10)
        silver, gold = self._wants(8, reserve=True), self._wants(8, self.other_dealer)
        self.assertEqual(silver.quantity, 8, "who came first holds it")
        allocation = self._allocate(apply=True)
        self.assertEqual((gold.quantity, silver.quantity), (8, 2))
        self.assertEqual((gold.state, silver.state), ("assigned", "partially_available"))
        self.assertEqual(self._got(allocation), {gold: 8, silver: 2})
        again = self._allocate(apply=True)
        self.assertEqual(self._got(again), {gold: 8, silver: 2}, "dealt out again it stays")

    def test_in_boxes(self):
        self.product.uom_ids = self.uom_box
        order = self._order([(self.product, 1)], confirm=False)
        order.order_line.write({"product_uom_id": self.uom_box.id, "product_uom_qty": 2})
        order.action_confirm()
        self._stock(12)
        self._allocate(apply=True)
        self.assertEqual(sum(order.picking_ids.move_line_ids.mapped("quantity_product_uom")), 12)

    def test_a_change_after_the_preview_is_refused(self):
        self._stock(10)
        move = self._wants(8)
        allocation = self._allocate()
        self._stock(-5)
        with self.assertRaises(UserError) as caught, self.cr.savepoint():
            allocation.action_apply()
        self.assertIn("Short stent", str(caught.exception))
        self.assertEqual((allocation.state, move.quantity), ("preview", 0))
        allocation.action_preview()
        allocation.action_apply()
        self.assertEqual(move.quantity, 5)
        with self.assertRaises(UserError):
            allocation.action_preview()
        with self.assertRaises(UserError):
            allocation.unlink()

    def test_expired_lots_and_stock_of_others_are_not_dealt_out(self):
        self._channel_lot("OLD", quantity=10, expiration_date="2020-01-01")
        self._channel_lot("GOOD", quantity=3, expiration_date="2099-01-01")
        move = self._wants(8, product=self.device)
        allocation = self._allocate(product_ids=self.device.ids)
        self.assertEqual(self._got(allocation), {move: 3})

    def test_only_what_is_wanted_by_a_day(self):
        soon, later = self._wants(5, day="2026-03-10"), self._wants(5, day="2026-03-11")
        self._stock(20)
        self.assertEqual(self._got(self._allocate(date_to="2026-03-10")), {soon: 5})
        self.assertTrue(later)

    def test_managers_allocate(self):
        self._wants(5)
        self._stock(2)
        with self.assertRaises(AccessError):
            self.env["channel.allocation"].with_user(self.user_sales).create({})
        allocation = self._allocate()
        with self.assertRaises(AccessError):
            allocation.with_user(self.user_sales).action_preview()

    def test_ten_times_the_orders_take_as_many_queries(self):
        counts = []
        self._stock(50)
        for orders in (5, 45):
            for _order in range(orders):
                self._wants(2)
            allocation = self.env["channel.allocation"].create({"product_ids": self.product.ids})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            allocation._write_preview()
            counts.append(self.cr.sql_log_count - before)
            self.assertEqual(len(allocation.line_ids), 5 if orders == 5 else 50)
        self.assertLessEqual(counts[1] - counts[0], 1, counts)
