import random
from datetime import date, timedelta

from odoo.tests import tagged

from .account_common import ChannelAccountCommon

SEED, EVENTS = 7, 170


@tagged("post_install", "-at_install")
class TestAccountProperty(ChannelAccountCommon):
    """After whatever a year brings, the months chain, and the last closing is the ledger's to the cent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.consumable.invoice_policy = "delivery"

    def test_a_random_year(self):
        self.rng = random.Random(SEED)
        self.orders = self.env["sale.order"]
        done = {}
        for number in sorted(self.rng.sample(range(365 * 10), EVENTS)):
            self.today = date(2025, 1, 1) + timedelta(days=number // 10)
            name, event = self.rng.choice([
                ("order", self._event_order), ("delivery", self._event_delivery), ("delivery", self._event_delivery),
                ("return", self._event_return), ("order invoice", self._event_order_invoice),
                ("order invoice", self._event_order_invoice), ("invoice", self._event_invoice),
                ("credit", self._event_credit), ("payment", self._event_payment), ("payment", self._event_payment),
            ])
            if event() is not False:
                done[name] = done.get(name, 0) + 1
        self.assertEqual(len(done), 7, done)
        self.assertGreaterEqual(sum(done.values()), 150, done)

        closing, statements = {}, []
        for month in range(1, 13):
            statement = self._make(f"2025-{month:02}")
            for row in statement.content["currencies"]:
                self.assertEqual(row["opening"], closing.get(row["currency"], 0.0), statement.date_from)
                self.assertEqual(row["late"], 0)
                opened = sum(line["amount"] for line in self._lines(statement, "open")
                             if line["currency"] == row["currency"])
                self.assertAlmostEqual(opened, row["closing"], 2, "open items add up to the closing balance")
            closing = {row["currency"]: row["closing"] for row in statement.content["currencies"]}
            ledger = {name: total for name, total in self._ledger(statement.date_to).items() if total}
            self.assertEqual({name: total for name, total in closing.items() if total}, ledger)
            self.assertEqual(statement.replay(), [])
            statement.with_user(self.user_finance).write({"state": "sent"})
            statement._confirm()
            statements.append(statement)
        self.assertEqual(len(closing), 2, "both currencies were used")
        for statement in statements:
            self.assertEqual((statement.replay(), [
                row for row in statement.compare() if row["section"] not in ("orders", "deliveries", "acceptances")
            ]), ([], []))

    def _event_order(self):
        order = self._order([(self.consumable, self.rng.randint(2, 20))])
        order.order_line.price_unit = self.rng.randint(100, 99999) / 100
        order.date_order = f"{self.today} 08:00:00"
        self.orders |= order

    def _event_delivery(self):
        moves = self.orders.picking_ids.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
        if not moves:
            return self._event_order()
        move = self.rng.choice(moves)
        move.write({"quantity": self.rng.randint(1, int(move.product_uom_qty)), "picked": True})
        move.picking_id.with_context(skip_backorder=True).button_validate()

    def _event_return(self):
        moves = self.orders.picking_ids.move_ids.filtered(
            lambda move: move.state == "done" and move.location_dest_id.usage == "customer"
            and not move.returned_move_ids
        )
        if not moves:
            return False
        move = self.rng.choice(moves)
        wizard = self.env["stock.return.picking"].with_context(
            active_id=move.picking_id.id, active_ids=move.picking_id.ids, active_model="stock.picking"
        ).create({})
        wizard.product_return_moves.write({"quantity": self.rng.randint(1, int(move.quantity)), "to_refund": True})
        picking = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        for returned in picking.move_ids:
            returned.write({"quantity": returned.product_uom_qty, "picked": True})
        picking.button_validate()

    def _event_order_invoice(self):
        orders = self.orders.filtered(lambda order: order.invoice_status == "to invoice")
        if not orders:
            return self._event_invoice()
        move = self.rng.choice(orders)._create_invoices(final=True)
        move.write({"invoice_date": self.today, "date": self.today})
        move.action_post()

    def _event_invoice(self):
        self._bill(self.rng.randint(1, 999999) / 100, self.today, currency=self.rng.choice([None, self.foreign]),
                   due=self.today + timedelta(days=self.rng.choice([0, 30, 60])))

    def _invoices(self):
        return self.env["account.move"].search([
            ("partner_id", "=", self.dealer.id), ("move_type", "=", "out_invoice"), ("state", "=", "posted"),
            ("amount_residual", ">", 0), ("date", "<=", self.today), ("date", ">=", "2025-01-01"),
        ])

    def _event_credit(self):
        invoices = self._invoices()
        if not invoices:
            return self._event_invoice()
        invoice = self.rng.choice(invoices)
        amount = round(invoice.amount_residual * self.rng.random() + 0.01, 2)
        refund = self._bill(min(amount, invoice.amount_residual), self.today, currency=invoice.currency_id, refund=True)
        if self.rng.random() < 0.7:
            (refund.line_ids + invoice.line_ids).filtered(
                lambda line: line.account_id.account_type == "asset_receivable"
            ).reconcile()

    def _event_payment(self):
        invoices = self._invoices()
        if not invoices:
            return self._event_invoice()
        invoice = self.rng.choice(invoices)
        amount = max(round(invoice.amount_residual * self.rng.choice([0.3, 1, 1.2]), 2), 0.01)
        self._pay(amount, self.today, currency=invoice.currency_id, invoice=self.rng.choice([invoice, None, invoice]))
