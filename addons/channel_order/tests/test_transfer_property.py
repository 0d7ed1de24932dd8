import random

from odoo.tests import tagged

from .test_transfer import ChannelTransferCommon


@tagged("post_install", "-at_install")
class TestTransferProperty(ChannelTransferCommon):
    """Transferred, delivered, invoiced and taken back, in whatever order: no unit is lost or counted twice."""

    def _family(self):
        """:return: the order and every order that came of it"""
        orders = todo = self.order
        while todo := todo.channel_transfer_ids.new_order_id - orders:
            orders |= todo
        return orders

    def _check(self, step):
        orders = self._family()
        living = orders.filtered(lambda order: order.state != "cancel").order_line
        for product, ordered in ((self.device, 10), (self.consumable, 20)):
            lines = living.filtered(lambda line, product=product: line.product_id == product)
            self.assertEqual(sum(lines.mapped("product_uom_qty")), ordered, f"{step}: ordered once")
            self.assertLessEqual(sum(lines.mapped("qty_invoiced")), ordered, f"{step}: invoiced at most once")
            moves = orders.picking_ids.move_ids.filtered(
                lambda move, product=product: move.product_id == product and move.state != "cancel"
            )
            self.assertEqual(sum(moves.mapped("product_uom_qty")), ordered, f"{step}: shipped, or to be shipped, once")
            for line in lines:
                self.assertGreaterEqual(line.product_uom_qty, max(line.qty_delivered, line.qty_invoiced), step)

    def test_any_order(self):
        dealers = self.dealer | self.east_dealer | self.sub_dealer
        self.device.invoice_policy = "order"
        for seed in range(4):
            dice = random.Random(seed)
            with self.subTest(seed=seed):
                self.order = self._order(
                    [(self.device, 10), (self.consumable, 20)], channel_end_customer_id=self.hospital.id
                )
                for step in range(16):
                    what = self._act(dice, dealers)
                    self._check(f"seed {seed}, step {step}: {what}")

    def _act(self, dice, dealers):
        """Do one thing that can be done, by chance. :return: what it was"""
        order = dice.choice(self._family().filtered(lambda order: order.state == "sale"))
        available = order.order_line._channel_transferable()
        done = order.channel_incoming_transfer_ids.filtered(
            lambda transfer: transfer.state == "approved" and any(line._can_come_back() for line in transfer.line_ids)
        )
        choices = {
            "transfer": bool(available),
            "deliver": bool(available),
            "invoice": bool(order.order_line.filtered("qty_to_invoice")),
            "take back": bool(done),
        }
        what = dice.choice([choice for choice, possible in choices.items() if possible] or ["nothing"])
        if what == "transfer":
            quantities = {line: dice.randint(1, int(quantity)) for line, quantity in available.items()}
            self._transfer(
                quantities, order=order, target_partner_id=dice.choice(dealers - order.partner_id).id, approve=True
            )
        elif what == "deliver":
            line = dice.choice(list(available))
            self._deliver(order, {line: dice.randint(1, min(3, int(available[line])))})
        elif what == "invoice":
            for line in order._create_invoices().invoice_line_ids:
                line.quantity = dice.randint(1, min(3, int(line.quantity)))
        elif what == "take back":
            dice.choice(done).with_user(self.user_manager).action_take_back("Test")
        return f"{what} of {order.name}"
