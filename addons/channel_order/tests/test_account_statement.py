import io

import openpyxl
from psycopg2.errors import RestrictViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .account_common import ChannelAccountCommon


@tagged("post_install", "-at_install")
class TestAccountStatement(ChannelAccountCommon):
    """Who owes what and why: frozen, equal to the ledger, locked once the dealer has confirmed it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._bill(70, "2024-12-20")
        cls.first = cls._bill(1000, "2025-01-05", due="2025-01-20")
        cls._bill(200, "2025-01-10", refund=True)
        cls._pay(300, "2025-01-15", invoice=cls.first)
        cls._bill(50, "2025-01-20", currency=cls.foreign)
        cls._bill(9, "2025-02-01")

    def test_the_balance_follows_and_is_the_ledger_s(self):
        statement = self._make()
        self.assertEqual(statement.content["currencies"], [
            {"currency": "EUR", "opening": 0, "late": 0, "invoices": 50, "credits": 0, "payments": 0, "other": 0,
             "closing": 50, "overdue": 50},
            {"currency": "USD", "opening": 70, "late": 0, "invoices": 1000, "credits": -200, "payments": -300,
             "other": 0, "closing": 570, "overdue": 770},
        ])
        self.assertEqual(self._ledger("2025-01-31"), {"EUR": 50, "USD": 570})
        self.assertEqual(statement.replay(), [])
        self.assertEqual(statement.compare(), [])

    def test_open_items_with_due_date_and_days_overdue(self):
        statement = self._make()
        lines = {line["document"]: line for line in self._lines(statement, "open")}
        line = lines[self.first.name]
        self.assertEqual((line["amount"], line["due"], line["overdue"]), (700, "2025-01-20", 11))
        self._pay(700, "2025-02-03", invoice=self.first)
        self.assertEqual(statement.compare(), [], "a later payment changes no earlier month")
        february = self._make("2025-02")
        self.assertNotIn(self.first.name, [line["document"] for line in self._lines(february, "open")])

    def test_what_is_ordered_and_what_is_delivered(self):
        order = self._order([(self.consumable, 10)], date_order="2025-01-03 08:00:00")
        order.date_order = "2025-01-03 08:00:00"
        statement = self._make()
        line = self._lines(statement, "orders")[0]
        self.assertEqual((line["document"], line["amount"]), (order.name, order.amount_total))
        self.assertIn(self.contract.name, line["contract"])
        move = order.picking_ids.move_ids
        move.write({"quantity": 4, "picked": True})
        order.picking_ids.with_context(skip_backorder=True).button_validate()
        statement = self._make()
        price = order.amount_total / 10
        self.assertEqual([line["amount"] for line in self._lines(statement, "orders")], [round(6 * price, 2)])
        delivered = self._lines(statement, "deliveries")
        self.assertEqual([line["amount"] for line in delivered], [round(4 * price, 2)])
        self.assertIn(move.picking_id.name, delivered[0]["document"])
        invoice = order._create_invoices()
        invoice.invoice_date = "2025-01-25"
        invoice.action_post()
        line = next(x for x in self._lines(self._make(), "invoices") if x["document"] == invoice.name)
        self.assertEqual(line["orders"], order.name)
        self.assertTrue(line["contract"])
        self.assertEqual(invoice.channel_order_ids, order)
        self.assertEqual(invoice.channel_picking_ids, move.picking_id)

    def test_what_waits_for_its_receiver(self):
        order = self._order([(self.consumable, 10)])
        order.picking_ids.move_ids.write({"quantity": 4, "picked": True})
        order.picking_ids.with_context(skip_backorder=True).button_validate()
        acceptance = self.env["channel.acceptance"].search([("sale_id", "=", order.id)])
        today = self.company._channel_today()
        period = [today.replace(day=1), today]
        line = self._lines(self._make(period), "acceptances")[0]
        self.assertEqual((line["document"], line["orders"]), (acceptance.name, order.name))
        self.assertEqual(line["amount"], round(order.amount_total * 0.4, 2))
        acceptance.accept([{"line_id": acceptance.line_ids.id, "accepted": 3, "reason": "damaged"}])
        self.assertEqual([line["amount"] for line in self._lines(self._make(period), "acceptances")],
                         [round(order.amount_total * 0.1, 2)])

    def test_frozen_and_replaced(self):
        first = self._make()
        self.assertEqual(self._make(), first, "the same figures make no second statement")
        self._bill(1, "2025-01-31")
        self.assertEqual([(row["document"], row["difference"]) for row in first.compare()
                          if row["section"] in ("balance", "invoices")][0], ("closing", 1))
        with self.assertRaisesRegex(UserError, "frozen"):
            first.content = {}
        second = self._make()
        self.assertEqual((first.state, second.state, second.previous_id), ("replaced", "draft", first))
        self.assertEqual((first.replay(), second.replay()), ([], []))

    def test_changed_figures_are_found_out(self):
        statement = self._make()
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE channel_account_statement DISABLE TRIGGER channel_account_statement_guard")
        self.env.cr.execute(
            "UPDATE channel_account_statement SET content = jsonb_set(content, '{currencies,1,closing}', '90')"
            " WHERE id = %s", (statement.id,)
        )
        statement.invalidate_recordset()
        self.assertEqual(len(statement.replay()), 2)

    def test_sent_and_confirmed_is_locked(self):
        statement = self._send()
        names = statement.message_ids[0].attachment_ids.mapped("name")
        self.assertEqual(sorted(name.rsplit(".", 1)[1] for name in names), ["pdf", "xlsx"])
        self.assertIn(f"/my/channel/account/{statement.id}", statement.message_ids[0].body)
        statement.with_user(self.user_portal).sudo()._confirm("192.0.2.7")
        self.assertRecordValues(statement, [
            {"state": "confirmed", "answered_by_id": self.user_portal.id, "answered_from": "192.0.2.7"}
        ])
        with self.assertRaises(UserError):
            statement.state = "sent"
        with self.assertRaises(UserError):
            statement.unlink()
        self.env.flush_all()
        for query in ("UPDATE channel_account_statement SET state = 'draft' WHERE id = %s",
                      "UPDATE channel_account_statement SET content = '{}' WHERE id = %s",
                      "DELETE FROM channel_account_statement WHERE id = %s"):
            with self.assertRaises(RestrictViolation), mute_logger("odoo.sql_db"), self.cr.savepoint():
                self.cr.execute(query, [statement.id])
        actions = self.env["channel.audit.entry"].search(
            [("model", "=", statement._name), ("res_id", "=", statement.id)], order="id"
        ).mapped("action")
        self.assertEqual(actions, [
            "account_statement.made", "account_statement.sent", "account_statement.confirmed"
        ])

    def test_what_is_posted_later_into_a_confirmed_month(self):
        january = self._send()
        january._confirm()
        self._bill(31, "2025-01-31")
        self.assertEqual(self._make(), january, "a confirmed statement stands")
        february = self._make("2025-02")
        row = february.content["currencies"][1]
        self.assertEqual((february.content["previous"], row["opening"], row["late"], row["closing"]),
                         (january.name, 570, 31, 610))
        self.assertEqual(february.replay(), [])

    def test_disputed_lines_become_tasks(self):
        statement = self._send()
        key = self._lines(statement, "invoices")[0]["key"]
        with self.assertRaises(UserError):
            statement._dispute({key: " ", "entry_0": "Of nobody"})
        statement.with_user(self.user_portal).sudo()._dispute({key: "Never received"})
        difference = statement.difference_ids
        self.assertRecordValues(difference, [{
            "state": "open", "kind": "dispute", "line_key": key, "ours": 1000, "reason": "Never received",
        }])
        self.assertEqual(difference.activity_ids.user_id, self.user_finance)
        finance = difference.with_user(self.user_finance)
        with self.assertRaises(UserError):
            finance.action_solve()
        with self.assertRaises(UserError):
            statement.with_user(self.user_finance).action_send()
        finance.solution = "The delivery slip is signed"
        finance.action_solve()
        self.assertRecordValues(difference, [{"state": "solved", "solved_by_id": self.user_finance.id}])
        self.assertFalse(difference.activity_ids)
        statement.with_user(self.user_finance).action_send()
        self.assertEqual(statement.state, "sent", "the figures were right: asked again")

    def test_in_batch(self):
        self._bill(5, "2025-01-07", member=self.other_dealer)
        action = self.env["channel.account.statement.batch"].with_user(self.user_finance).create({
            "date_from": "2025-01-01", "date_to": "2025-01-31", "send": True,
        }).action_make()
        statements = self.env["channel.account.statement"].search(action["domain"])
        self.assertEqual(statements.member_id, self.dealer | self.other_dealer)
        self.assertEqual(set(statements.mapped("state")), {"sent"})

    def test_workbook(self):
        statement = self._make()
        book = openpyxl.load_workbook(io.BytesIO(statement._file("xlsx")))
        rows = list(book.worksheets[0].iter_rows(min_row=6, values_only=True))
        self.assertEqual([(row[0], row[7]) for row in rows], [("EUR", 50), ("USD", 570)])
        self.assertIn(self.first.name, [row[2] for row in book.worksheets[1].iter_rows(min_row=6, values_only=True)])

    def test_who_makes_and_who_reads(self):
        statement = self._make()
        for user in (self.user_sales, self.user_manager, self.user_portal):
            with self.assertRaises(AccessError):
                self._make("2025-02", user=user)
        with self.assertRaises(AccessError):
            statement.with_user(self.user_portal).read(["content"])  # a draft
        statement.with_user(self.user_finance).action_send()
        self.assertTrue(statement.with_user(self.user_portal).content)
        self._bill(5, "2025-01-07", member=self.other_dealer)
        west = self._send(member=self.other_dealer)
        for user in (self.user_portal, self.user_sales):
            with self.assertRaises(AccessError):
                west.with_user(user).read(["content"])

    def test_period(self):
        Statement = self.env["channel.account.statement"]
        self.assertEqual([str(day) for day in Statement._period("2024-02")], ["2024-02-01", "2024-02-29"])
        for wrong in ("2024-13", "2024", ["2024-02-01", "2024-01-01"]):
            with self.assertRaises(UserError):
                Statement._period(wrong)

    def test_the_number_of_queries_does_not_grow_with_the_lines(self):
        def queries():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["channel.account.statement"].with_user(self.user_finance).make(self.dealer.ids, "2025-03")
            return self.env.cr.sql_log_count - before

        for _number in range(3):
            self._bill(10, "2025-03-05")
        queries()
        self._bill(1, "2025-03-06")
        few = queries()
        for _number in range(30):
            self._bill(10, "2025-03-05")
        self.assertLessEqual(queries(), few + 3)


@tagged("post_install", "-at_install")
class TestInvoiceOn(ChannelAccountCommon):
    """Goods are invoiced on order or on delivery: the contract says it, else the company, else the product."""

    def _state(self, order):
        order.env.flush_all()
        return order.order_line.qty_to_invoice, order.invoice_status

    def test_the_company_s_rule(self):
        self.consumable.invoice_policy = "delivery"
        self.company.channel_invoice_on = "order"
        order = self._order([(self.consumable, 10)])
        self.assertEqual(self._state(order), (10, "to invoice"))
        self.assertAlmostEqual(order.order_line.untaxed_amount_to_invoice, order.order_line.price_subtotal)
        self.assertAlmostEqual(order.order_line.amount_to_invoice, order.order_line.price_total)

    def test_the_contract_comes_first(self):
        self.consumable.invoice_policy = "order"
        self.company.channel_invoice_on = "order"
        contract = self.contract_west
        self._channel_version(contract, valid_from="2021-01-01", channel_invoice_on="delivery")
        order = self._order([(self.consumable, 10)], member=self.other_dealer)
        self.assertEqual(self._state(order), (0, "no"))
        order.picking_ids.move_ids.write({"quantity": 4, "picked": True})
        order.picking_ids.with_context(skip_backorder=True).button_validate()
        self.assertEqual(self._state(order), (4, "to invoice"))
        invoice = order._create_invoices()
        self.assertEqual(invoice.invoice_line_ids.quantity, 4)
        self.assertEqual(self._state(order), (0, "no"))

    def test_others_are_invoiced_as_the_product_has_it(self):
        self.consumable.invoice_policy = "order"
        self.company.channel_invoice_on = "delivery"
        stranger = self.env["res.partner"].create({"name": "No member"})
        self.assertEqual(self._state(self._order([(self.consumable, 2)], member=stranger)), (2, "to invoice"))
