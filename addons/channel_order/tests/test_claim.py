from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .test_acceptance import ChannelAcceptanceCommon


@tagged("post_install", "-at_install")
class TestClaim(ChannelAcceptanceCommon):
    """What was refused, or comes back, is decided by somebody else, and carried out once by Odoo's own documents."""

    def _refused(self, quantity=1, reason="damaged", invoiced=True):
        """An accepted delivery of 10, of which so many of lot B were refused; the order invoiced at 100 each."""
        self.device.invoice_policy = "order"
        acceptance = self._delivered()
        if invoiced:
            self._channel_invoice(acceptance.sale_id, date="2026-03-03")
        line = self._line(acceptance, self.lot_b)
        acceptance.accept([{"line_id": line.id, "accepted": 4 - quantity, "reason": reason}])
        return acceptance

    def _decide(self, claim, decision, **values):
        claim.with_user(self.user_sales).write({"decision": decision, **values})
        claim.with_user(self.user_manager).action_approve()
        return claim

    def _return(self, acceptance, quantity, line=None, **values):
        return self.env["channel.claim"].with_user(self.user_sales).create({
            "acceptance_id": acceptance.id, "kind": "return",
            "line_ids": [Command.create({
                "acceptance_line_id": (line or acceptance.line_ids[0]).id, "quantity": quantity, "reason": "other",
            })],
            **values,
        })

    def test_a_difference_becomes_a_claim(self):
        acceptance = self._refused(2)
        claim = acceptance.claim_ids
        self.assertRecordValues(claim, [{"kind": "difference", "state": "draft", "member_id": self.dealer.id}])
        self.assertRecordValues(claim.line_ids, [{"quantity": 2, "reason": "damaged", "lot_id": self.lot_b.id}])
        over = self._delivered()
        over.accept([{"line_id": over.line_ids[0].id, "accepted": 7, "reason": "over"}])
        self.assertFalse(over.claim_ids, "who received more claims nothing")

    def test_credited_at_the_price_of_the_invoice(self):
        acceptance = self._refused(2)
        invoice = acceptance.sale_id.invoice_ids
        price = invoice.invoice_line_ids.price_unit
        claim = self._decide(acceptance.claim_ids, "credit")
        refund = claim.refund_ids
        self.assertRecordValues(refund, [{
            "move_type": "out_refund", "state": "posted", "reversed_entry_id": invoice.id,
            "amount_untaxed": 2 * price, "partner_id": invoice.partner_id.id,
        }])
        self.assertEqual(acceptance.sale_id.order_line.qty_invoiced, 8)
        self.assertFalse(claim.return_id)

    def test_what_is_not_invoiced_is_not_credited(self):
        acceptance = self._refused(2, invoiced=False)
        self.assertFalse(self._decide(acceptance.claim_ids, "credit").refund_ids)

    def test_taken_back_by_lot_and_credited(self):
        acceptance = self._refused(3)
        claim = self._decide(acceptance.claim_ids, "take_back")
        back = claim.return_id
        self.assertRecordValues(back.move_ids, [{
            "product_id": self.device.id, "product_uom_qty": 3,
            "location_id": acceptance.picking_id.location_dest_id.id,
        }])
        self.assertEqual(sum(claim.refund_ids.invoice_line_ids.mapped("quantity")), 3)

    def test_replaced(self):
        acceptance = self._refused(1)
        before = acceptance.sale_id.picking_ids
        claim = self._decide(acceptance.claim_ids, "replace")
        new = acceptance.sale_id.picking_ids - before
        self.assertIn(claim.return_id, new)
        replacement = new - claim.return_id
        self.assertEqual((replacement.picking_type_code, replacement.move_ids.product_uom_qty), ("outgoing", 1))
        self.assertFalse(claim.refund_ids)

    def test_rejected_with_a_reason(self):
        acceptance = self._refused(1)
        with self.assertRaises(UserError), self.cr.savepoint():
            self._decide(acceptance.claim_ids, "reject")
        claim = self._decide(acceptance.claim_ids, "reject", answer="It left whole, as the photo shows.")
        self.assertFalse(claim.return_id or claim.refund_ids)
        # What was rejected may be claimed again, with better proof
        line = self._line(acceptance, self.lot_b)
        self.env["channel.claim"].create({
            "acceptance_id": acceptance.id, "kind": "difference",
            "line_ids": [Command.create({"acceptance_line_id": line.id, "quantity": 1, "reason": "damaged"})],
        })

    def test_somebody_else_decides_and_says_what(self):
        acceptance = self._refused(1)
        with self.assertRaises(UserError), self.cr.savepoint():
            acceptance.claim_ids.with_user(self.user_manager).action_approve()
        claim = self._return(acceptance, 1)
        claim.decision = "credit"
        self.user_sales.group_ids += self.env.ref("channel_base.group_channel_manager")
        with self.assertRaises(UserError), self.cr.savepoint():
            claim.with_user(self.user_sales).action_approve()

    def test_nothing_is_claimed_twice(self):
        acceptance = self._refused(1)
        line = self._line(acceptance, self.lot_b)
        with self.assertRaises(ValidationError) as caught, self.cr.savepoint():
            self._return(acceptance, 4, line)
        self.assertIn("3.0 were accepted", str(caught.exception))
        self._return(acceptance, 2, line)
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self._return(acceptance, 2, line)
        self._return(acceptance, 1, line)
        with self.assertRaises(ValidationError), self.cr.savepoint():
            acceptance.claim_ids.filtered(lambda c: c.kind == "difference").line_ids.quantity = 2

    def test_decided_once(self):
        acceptance = self._refused(1)
        claim = self._decide(acceptance.claim_ids, "credit")
        for change in (
            lambda: claim.with_user(self.user_manager).action_approve(),
            lambda: claim.line_ids.write({"quantity": 0.5}),
            lambda: claim.line_ids.unlink(),
            lambda: claim.unlink(),
        ):
            with self.assertRaises(UserError), self.cr.savepoint():
                change()
        self.assertEqual(len(claim.refund_ids), 1)

    def test_the_last_day_of_the_return_window(self):
        self.company.channel_return_days = 30
        acceptance = self._delivered()
        with freeze_time("2026-03-05 09:00:00"):
            acceptance.accept()
        with freeze_time("2026-04-04 09:00:00"):
            self.assertEqual(self._return(acceptance, 1).state, "draft")
        with freeze_time("2026-04-05 09:00:00"), self.assertRaises(ValidationError) as caught, self.cr.savepoint():
            self._return(acceptance, 1)
        self.assertIn("within 30 days", str(caught.exception))

    def test_two_decisions_about_one_delivery(self):
        acceptance = self._refused(1)
        line = self._line(acceptance, self.lot_a)
        first, second = self._return(acceptance, 3, line), self._return(acceptance, 3, line)
        for claim in first | second:
            self._decide(claim, "take_back")
        returned = (first.return_id | second.return_id).move_ids
        self.assertEqual(sum(returned.mapped("product_uom_qty")), 6)
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self._return(acceptance, 1, line)

    def test_the_statement_of_account_tells_what_is_claimed(self):
        acceptance = self._refused(2, invoiced=False)
        ids = self.env["channel.account.statement"].with_user(self.user_finance).make(self.dealer.ids, "2026-03")
        statement = self.env["channel.account.statement"].browse(ids)
        sections = {section["code"]: section["lines"] for section in statement.content["sections"]}
        price = acceptance.sale_id.order_line.price_total / 10
        self.assertEqual(
            [(line["document"], line["amount"]) for line in sections["claims"]],
            [(acceptance.claim_ids.name, -2 * price)],
        )
        self.assertEqual(statement.replay(), [])
