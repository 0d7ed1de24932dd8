import re
from datetime import date, timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged

from .common import ChannelOrderCommon

NOW = "2026-03-02 08:00:00"


class ChannelAcceptanceCommon(ChannelOrderCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.device.write({"barcode": "06901234567892", "default_code": "HC-1"})
        cls.lot_a = cls._channel_lot("LOT-A", quantity=50, expiration_date="2028-01-31")
        cls.lot_b = cls._channel_lot("LOT-B", quantity=50, expiration_date="2028-02-29")

    @classmethod
    def _delivered(cls, member=None, **values):
        """The acceptance of a delivery of 6 devices of lot A and 4 of lot B, shipped at NOW."""
        order = cls._order([(cls.device, 10)], member=member, channel_end_customer_id=cls.hospital.id, **values)
        with freeze_time(NOW):
            move = order.picking_ids.move_ids
            move.move_line_ids.unlink()
            for lot, quantity in ((cls.lot_a, 6), (cls.lot_b, 4)):
                cls.env["stock.move.line"].create({
                    "move_id": move.id, "picking_id": move.picking_id.id, "product_id": cls.device.id, "lot_id": lot.id,
                    "quantity": quantity, "location_id": move.location_id.id, "picked": True,
                    "location_dest_id": move.location_dest_id.id,
                })
            move.picked = True
            move.picking_id._action_done()
        return cls.env["channel.acceptance"].search([("picking_id", "=", move.picking_id.id)])

    def _line(self, acceptance, lot):
        return acceptance.line_ids.filtered(lambda line: line.lot_id == lot)


@tagged("post_install", "-at_install")
class TestAcceptance(ChannelAcceptanceCommon):
    """A delivery waits for its receiver, who accepts it line by line, once."""

    def test_a_delivery_to_a_member_waits_for_its_receiver(self):
        acceptance = self._delivered()
        self.assertRecordValues(acceptance, [{
            "state": "waiting", "member_id": self.dealer.id, "end_customer_id": self.hospital.id,
            "due_date": date(2026, 3, 9), "by_silence": False,
        }])
        self.assertEqual([(line.lot_id, line.quantity) for line in acceptance.line_ids],
                         [(self.lot_a, 6), (self.lot_b, 4)])

    def test_customers_outside_the_channel_are_not_asked(self):
        stranger = self.env["res.partner"].create({"name": "Somebody"})
        order = self._order([(self.consumable, 1)], member=stranger)
        self._channel_deliver(order)
        self.assertFalse(self.env["channel.acceptance"].search([("sale_id", "=", order.id)]))

    def test_arrival_then_everything_accepted(self):
        acceptance = self._delivered().with_user(self.user_portal)
        self.assertEqual(acceptance.arrive()["state"], "arrived")
        with self.assertRaises(UserError):
            acceptance.arrive()
        status = acceptance.accept(signed_by="Li Wei")
        self.assertEqual((status["state"], status["signed_by"]), ("accepted", "Li Wei"))
        self.assertEqual([line["accepted"] for line in status["lines"]], [6, 4])

    def test_less_than_delivered_needs_a_reason(self):
        acceptance = self._delivered()
        short = self._line(acceptance, self.lot_b)
        with self.assertRaises(ValidationError) as caught, self.cr.savepoint():
            acceptance.accept([{"line_id": short.id, "accepted": 3}])
        self.assertIn("3.0 of 4.0", str(caught.exception))
        self.assertEqual((acceptance.state, short.accepted_quantity), ("waiting", 0), "nothing is half written")
        acceptance.accept([{"line_id": short.id, "accepted": 3, "reason": "damaged", "note": "Box crushed"}])
        self.assertRecordValues(acceptance, [{"state": "differs"}])
        self.assertRecordValues(short, [{"accepted_quantity": 3, "refused_quantity": 1, "reason": "damaged"}])
        self.assertTrue(acceptance.activity_ids, "somebody is told")

    def test_more_than_delivered(self):
        acceptance = self._delivered()
        line = self._line(acceptance, self.lot_a)
        for reason in (None, "damaged"):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                acceptance.accept([{"line_id": line.id, "accepted": 7, "reason": reason}])
        acceptance.accept([{"line_id": line.id, "accepted": 7, "reason": "over"}])
        self.assertEqual(line.refused_quantity, -1)

    def test_another_lot_and_what_looks_wrong(self):
        acceptance = self._delivered()
        line = self._line(acceptance, self.lot_a)
        for answer in ({"lot": "LOT-X"}, {"intact": False}):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                acceptance.accept([{"line_id": line.id, **answer}])
        acceptance.accept([{"line_id": line.id, "lot": "LOT-X", "reason": "wrong_lot", "accepted": 0}])
        self.assertRecordValues(line, [{"read_lot": "LOT-X", "refused_quantity": 6}])

    def test_signed_once(self):
        acceptance = self._delivered()
        acceptance.accept(external_id="R-1")
        self.assertEqual(acceptance.accept(external_id="R-1")["state"], "accepted", "sent twice is one")
        with self.assertRaises(UserError):
            acceptance.accept(external_id="R-2")
        with self.assertRaises(UserError), self.cr.savepoint():
            acceptance.line_ids[0].accepted_quantity = 1
        with self.assertRaises(UserError):
            acceptance.unlink()

    def test_bad_values_are_all_named(self):
        acceptance = self._delivered()
        line = acceptance.line_ids[0]
        with self.assertRaises(ValidationError) as caught:
            acceptance.accept([
                {"line_id": 0}, {"line_id": line.id, "accepted": "six"}, {"line_id": line.id, "reason": "ugly"},
                {"line_id": line.id, "colour": "red"}, {"line_id": line.id, "accepted": -1},
            ])
        for words in ("line_id 0", "'six' is no number", "'ugly' is not known", "expected a dict", "below 0"):
            self.assertIn(words, str(caught.exception))

    # === SILENCE === #

    def test_silence_is_acceptance_where_the_contract_says_so(self):
        version = self.contract.version_ids
        self._channel_version(
            self.contract, valid_from="2026-03-01", has_acceptance_terms=True, acceptance_days=3, silence_accepts=True,
        )
        acceptance, other = self._delivered(), self._delivered(self.other_dealer)
        self.assertEqual((acceptance.due_date, acceptance.by_silence), (date(2026, 3, 5), True))
        self.assertEqual(other.due_date, date(2026, 3, 9))
        self.assertTrue(version)
        with freeze_time("2026-03-05 12:00:00"):
            self.env["channel.acceptance"]._cron_due()
            self.assertEqual(acceptance.state, "waiting", "the last day is still the receiver's")
        with freeze_time("2026-03-06 12:00:00"):
            self.env["channel.acceptance"]._cron_due()
        self.assertRecordValues(acceptance, [{"state": "accepted", "was_silent": True}])
        self.assertEqual(other.state, "waiting")

    def test_no_answer_in_time_raises_an_alert(self):
        acceptance = self._delivered()
        domain = [("source", "=", "channel_acceptance"), ("state", "!=", "done")]
        with freeze_time("2026-03-10 12:00:00"):
            self.assertTrue(acceptance.is_overdue)
            self.assertIn(acceptance, acceptance.search([("is_overdue", "=", True)]))
            self.env["channel.acceptance"]._cron_due()
            self.env["channel.acceptance"]._cron_due()
            alert = self.env["channel.alert"].search(domain)
            self.assertEqual(len(alert), 1)
            acceptance.accept()
        alert.invalidate_recordset()
        self.assertFalse(self.env["channel.alert"].search([*domain, ("id", "=", alert.id), ("state", "=", "open")]))

    def test_silence_needs_days(self):
        with self.assertRaises(ValidationError):
            self._channel_version(
                self.contract, approve=False, valid_from="2026-03-01", has_acceptance_terms=True, silence_accepts=True,
            )

    # === SCANNING === #

    def test_a_label_finds_its_line(self):
        acceptance = self._delivered().with_user(self.user_portal)
        line = self._line(acceptance.sudo(), self.lot_b)
        found = acceptance.scan("(01)06901234567892(17)280229(10)LOT-B")
        self.assertEqual((found["line_id"], found["code"], found["lot"]), (line.id, "found", "LOT-B"))
        self.assertEqual(acceptance.scan("(01)06901234567892(10)LOT-X")["code"], "wrong_lot")
        self.assertEqual(acceptance.scan("HC-1")["code"], "found")
        self.assertEqual(acceptance.scan("(01)06909999999995")["code"], "unknown")
        with freeze_time("2028-03-01"):
            self.assertEqual(acceptance.scan("(01)06901234567892(17)280229(10)LOT-B")["code"], "expired")

    # === INVOICING === #

    def test_invoiced_on_acceptance(self):
        self.company.channel_invoice_on = "acceptance"
        acceptance = self._delivered()
        line = acceptance.sale_id.order_line
        self.assertRecordValues(line, [{"qty_delivered": 10, "qty_to_invoice": 0, "invoice_status": "no"}])
        short = self._line(acceptance, self.lot_b)
        acceptance.accept([{"line_id": short.id, "accepted": 3, "reason": "damaged"}])
        self.assertRecordValues(line, [
            {"channel_accepted_qty": 9, "qty_to_invoice": 9, "invoice_status": "to invoice"}
        ])
        invoice = acceptance.sale_id._create_invoices()
        self.assertEqual(invoice.invoice_line_ids.quantity, 9)
        self.assertEqual((line.qty_to_invoice, line.invoice_status), (0, "no"))

    def test_a_contract_may_say_so_for_one_dealer(self):
        self._channel_version(self.contract, valid_from="2021-01-01", channel_invoice_on="acceptance")
        acceptance, other = self._delivered(), self._delivered(self.other_dealer)
        self.device.invoice_policy = "delivery"
        self.assertEqual(acceptance.sale_id.order_line.qty_to_invoice, 0)
        self.assertEqual(other.sale_id.order_line.qty_to_invoice, 10)

    # === WHO === #

    def test_the_receiver_and_nobody_else(self):
        acceptance, foreign = self._delivered(), self._delivered(self.other_dealer)
        Acceptance = self.env["channel.acceptance"].with_user(self.user_portal)
        self.assertEqual([row["id"] for row in Acceptance.pending()], [acceptance.id])
        with self.assertRaises(AccessError):
            foreign.with_user(self.user_portal).accept()
        with self.assertRaises(AccessError):
            acceptance.with_user(self.user_portal).write({"state": "accepted"})
        with self.assertRaises(AccessError):
            acceptance.with_user(self.user_finance).accept()
        nurse = new_test_user(self.env, login="nurse", groups="base.group_portal")
        nurse.partner_id.parent_id = self.hospital
        self.assertEqual(
            {row["id"] for row in Acceptance.with_user(nurse).pending()}, {acceptance.id, foreign.id},
            "the hospital receives both",
        )

    def test_sales_of_the_region_answers_in_the_name_of_the_receiver(self):
        acceptance, foreign = self._delivered(), self._delivered(self.other_dealer)
        acceptance.with_user(self.user_sales).action_accept_all()
        self.assertEqual(acceptance.signed_by, self.user_sales.name)
        with self.assertRaises(AccessError):
            foreign.with_user(self.user_sales).action_accept_all()

    # === NUMBERS === #

    def test_ten_times_the_lines_take_as_many_queries(self):
        counts = []
        for lines in (5, 50):
            order = self._order([(self.consumable, 1)] * lines)
            picking = order.picking_ids
            picking.move_ids.write({"quantity": 1, "picked": True})
            picking._action_done()
            acceptance = self.env["channel.acceptance"].search([("picking_id", "=", picking.id)])
            self.assertEqual(len(acceptance.line_ids), lines)
            acceptance.picking_id.flush_recordset()
            self.env.cr.execute("DELETE FROM channel_acceptance WHERE id = %s", [acceptance.id])
            self.env.invalidate_all()
            before = self.cr.sql_statement_count if hasattr(self.cr, "sql_statement_count") else self.cr.sql_log_count
            self.env["channel.acceptance"]._make(picking)
            self.env.flush_all()
            after = self.cr.sql_statement_count if hasattr(self.cr, "sql_statement_count") else self.cr.sql_log_count
            counts.append(after - before)
        self.assertLessEqual(counts[1] - counts[0], 3, counts)


@tagged("post_install", "-at_install")
class TestAcceptancePortal(ChannelAcceptanceCommon, HttpCase):
    """Pages of the receiver."""

    def test_pages_and_guessed_ids(self):
        acceptance, foreign = self._delivered(), self._delivered(self.other_dealer)
        self.authenticate("channel_portal", "channel_portal")
        page = self.url_open("/my/channel/acceptances")
        self.assertIn(acceptance.picking_id.name, page.text)
        self.assertNotIn(foreign.picking_id.name, page.text)
        for path in ("", "/sheet"):
            page = self.url_open(f"/my/channel/acceptances/{foreign.id}{path}")
            self.assertNotIn(foreign.picking_id.name, page.text)

    def test_what_was_typed_is_not_lost(self):
        acceptance = self._delivered()
        line = acceptance.line_ids[0]
        self.authenticate("channel_portal", "channel_portal")
        url = f"/my/channel/acceptances/{acceptance.id}"
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.url_open(url).text).group(1)
        page = self.url_open(f"{url}/accept", data={
            "csrf_token": token, f"accepted_{line.id}": "5,5", f"note_{line.id}": "Half is wet", "signed_by": "Li Wei",
        })
        self.assertIn("say why not all", page.text)
        self.assertIn("Half is wet", page.text)
        self.assertEqual(acceptance.state, "waiting")

    def test_the_signed_sheet(self):
        acceptance = self._delivered()
        acceptance.accept(signed_by="Li Wei")
        html = self.env["ir.actions.report"]._render_qweb_html("channel_order.report_acceptance", acceptance.ids)[0]
        for words in (b"Li Wei", b"LOT-A", b"LOT-B", acceptance.name.encode()):
            self.assertIn(words, html)


@tagged("post_install", "-at_install")
class TestAcceptanceTour(ChannelAcceptanceCommon, HttpCase):
    """A dealer accepts a delivery with one difference on a phone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_accept_on_a_phone(self):
        acceptance = self._delivered()
        self.assertEqual(acceptance.due_date - timedelta(days=7), date(2026, 3, 2))
        self.start_tour(
            f"/my/channel/acceptances/{acceptance.id}", "channel_order_acceptance", login=self.user_portal.login
        )
        acceptance.invalidate_recordset()
        self.assertRecordValues(acceptance, [{
            "state": "differs", "signed_by": "Li Wei", "accepted_by_id": self.user_portal.id,
            "arrived_by_id": self.user_portal.id,
        }])
        self.assertRecordValues(self._line(acceptance, self.lot_b), [
            {"accepted_quantity": 3, "reason": "damaged", "read_lot": "LOT-B"}
        ])
        self.assertEqual(self._line(acceptance, self.lot_a).accepted_quantity, 6)
