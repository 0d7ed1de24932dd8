import json
from contextlib import contextmanager, suppress
from unittest.mock import patch

from odoo import Command, api, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time, tagged, warmup
from odoo.tools import mute_logger

from odoo.addons.channel_base.tests.common import ChannelCommon
from odoo.addons.channel_base.tools.gate import GateRefusal


class GateCase(ChannelCommon):
    """With a check of its own: more than 10 units of a product in one line are not allowed. It counts its runs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.runs = []

        def _check_test_limit(gate, requests):
            cls.runs.append(requests)
            for request in requests:
                for line in request.lines:
                    if line.quantity > 10:
                        yield request.finding(
                            f"{line.quantity:g} of {line.product.name} are more than 10",
                            line=line,
                            basis={"quantity": line.quantity},
                            remedy="Order less.",
                        )

        gate = cls.registry["channel.gate"]
        cls.startClassPatcher(patch.object(gate, "_check_test_limit", _check_test_limit, create=True))
        cls.check = cls.env["channel.gate.check"].create(
            {
                "code": "test_limit",
                "name": "Test limit",
                "law": "Test law, article 10",
                "operation_ids": [Command.set(cls.env["channel.gate.operation"].search([]).ids)],
            }
        )

    def setUp(self):
        super().setUp()
        self.runs.clear()

    @classmethod
    def _findings(cls, document):
        return cls.env["channel.gate.finding"].search(
            [("res_model", "=", document._name), ("res_id", "=", document.id)], order="id"
        )


@tagged("post_install", "-at_install")
class TestGateOrder(GateCase):
    def test_button_refuses_with_code_law_and_remedy(self):
        order = self._channel_order([(self.device, 11), (self.consumable, 2)])
        with self.assertRefused("test_limit") as catcher:
            order.action_confirm()
        message = str(catcher.exception)
        self.assertIn("11 of Test Catheter are more than 10", message)
        self.assertIn("Test law, article 10", message)
        self.assertIn("Order less.", message)
        self.assertEqual(catcher.exception.findings[0].line.product, self.device)
        self.assertEqual(order.state, "draft")
        self.assertFalse(order.picking_ids)

    def test_refusal_that_is_caught_leaves_the_draft(self):
        order = self._channel_order([(self.device, 11)])
        with suppress(UserError):
            order.write({"state": "sale", "client_order_ref": "sneaky"})
        order.invalidate_recordset()
        self.assertEqual(order.state, "draft")
        self.assertFalse(order.client_order_ref)

    def test_every_door_of_the_order(self):
        order = self._channel_order([(self.device, 11)])
        with self.assertRefused("test_limit"):
            order.write({"state": "sale"})
        with self.assertRefused("test_limit"):
            order._validate_order()  # signature and payment on the portal
        with self.assertRefused("test_limit"):
            self._channel_order([(self.device, 11)], state="sale")
        with self.assertRefused("test_limit"):
            order.write({"state": "sale", "partner_id": self.other_dealer.id})
        self.assertEqual((order.state, order.partner_id), ("draft", self.dealer))

    def test_context_cannot_be_used_to_pass(self):
        order = self._channel_order(confirm=True)
        with self.assertRefused("test_limit"):
            order.order_line.with_context(channel_gate_order=True).product_uom_qty = 11

    def test_lines_of_a_confirmed_order(self):
        order = self._channel_order([(self.device, 5), (self.consumable, 2)], confirm=True)
        line = order.order_line[0]
        self.runs.clear()
        with self.assertRefused("test_limit"):
            line.product_uom_qty = 11
        self.assertEqual(line.product_uom_qty, 5)
        with self.assertRefused("test_limit"):
            order.order_line = [Command.create({"product_id": self.consumable.id, "product_uom_qty": 20})]
        with self.assertRefused("test_limit"):
            line.product_uom_id = self.uom_box  # 5 boxes are 50 units
        self.runs.clear()
        line.product_uom_qty = 3  # less is nothing new
        line.price_unit = 101
        line.name = "Another text"
        order.order_line = [Command.create({"display_type": "line_section", "name": "Section"})]
        self.assertFalse(self.runs)
        line.price_unit = 90  # cheaper is
        self.assertEqual(len(self.runs), 1)
        self.assertEqual({gate_line.product for gate_line in self.runs[0][0].lines}, {self.device, self.consumable})
        self.runs.clear()
        line.product_uom_qty = 0  # what is not ordered any more has no price that could have fallen
        self.assertFalse(self.runs)

    def test_header_of_a_confirmed_order_asks_again(self):
        order = self._channel_order(confirm=True)
        self.runs.clear()
        order.channel_end_customer_id = self.hospital
        self.assertEqual(self.runs[0][0].customer, self.hospital)
        self.runs.clear()
        order.write({"state": "sale", "note": "no new decision"})
        self.assertFalse(self.runs)

    def test_batch_is_evaluated_once(self):
        orders = self._channel_order() | self._channel_order(partner=self.other_dealer)
        orders.action_confirm()
        self.assertEqual(len(self.runs), 1)
        self.assertEqual([request.member for request in self.runs[0]], [self.dealer, self.other_dealer])

    def test_batch_message_names_the_document(self):
        orders = self._channel_order([(self.device, 11)]) | self._channel_order([(self.device, 12)])
        with self.assertRefused("test_limit") as catcher:
            orders.action_confirm()
        for order in orders:
            self.assertIn(order.name, str(catcher.exception))

    def test_request_of_an_order(self):
        """Net price per unit of the product: discount, unit of measure, tax included, discount on the whole order."""
        tax = self.env["account.tax"].create(
            {"name": "13% in the price", "amount": 13, "price_include_override": "tax_included"}
        )
        order = self._channel_order(
            customer=self.hospital,
            date_order="2026-03-31 20:00:00",
            order_line=[
                Command.create(
                    {
                        "product_id": self.device.id,
                        "product_uom_qty": 2,
                        "product_uom_id": self.uom_box.id,
                        "price_unit": 900.0,
                        "discount": 10.0,
                    }
                ),
                Command.create(
                    {
                        "product_id": self.consumable.id,
                        "product_uom_qty": 3,
                        "price_unit": 11.3,
                        "tax_ids": [Command.set(tax.ids)],
                    }
                ),
                Command.create({"display_type": "line_note", "name": "Note"}),
                Command.create({"product_id": self.device.id, "product_uom_qty": 0}),
            ],
        )
        self.company.partner_id.tz = "Asia/Shanghai"
        (request,) = order._channel_gate_requests("order")
        self.assertEqual(request.date, fields.Date.to_date("2026-04-01"), "the day in Shanghai")
        self.assertEqual(request.member, self.dealer)
        self.assertEqual(request.customer, self.hospital)
        self.assertEqual(request.currency, order.currency_id)
        self.assertEqual([line.quantity for line in request.lines], [20, 3])
        self.assertAlmostEqual(request.lines[0].price_unit, 81.0)  # 900 - 10 % for a box of 10
        self.assertAlmostEqual(request.lines[1].price_unit, 10.0)  # 11.30 with 13 % tax in it
        # 1,620.00 + 30.00 = 1,650.00; 165.00 less for the whole order is 10 % for each line
        order.order_line = [
            Command.create({"product_id": self.product_a.id, "product_uom_qty": 1, "price_unit": -165.0, "tax_ids": []})
        ]
        (request,) = order._channel_gate_requests("order")
        self.assertAlmostEqual(request.lines[0].price_unit, 72.9)
        self.assertAlmostEqual(request.lines[1].price_unit, 9.0)
        self.assertFalse(order._channel_gate_requests("invoice"))

    def test_odoos_global_discount(self):
        order = self._channel_order([(self.device, 2, 100.0), (self.consumable, 10, 10.0)])
        self.env["sale.order.discount"].create(
            {"sale_order_id": order.id, "discount_type": "so_discount", "discount_percentage": 0.2}
        ).action_apply_discount()
        (request,) = order._channel_gate_requests("order")
        self.assertEqual([line.product for line in request.lines], [self.device, self.consumable])
        self.assertAlmostEqual(request.lines[0].price_unit, 80.0)
        self.assertAlmostEqual(request.lines[1].price_unit, 8.0)

    def test_severity_of_the_company(self):
        order = self._channel_order([(self.device, 11)])
        self._channel_severity("test_limit", "warn")
        order.action_confirm()
        finding = self._findings(order)
        self.assertRecordValues(
            finding,
            [
                {
                    "severity": "warn",
                    "state": "open",
                    "member_id": self.dealer.id,
                    "product_id": self.device.id,
                    "quantity": 11.0,
                    "price_unit": 100.0,
                    "code": "test_limit",
                    "company_id": self.company.id,
                }
            ],
        )
        other = self._channel_order([(self.device, 12)])
        self._channel_severity("test_limit", "off")
        self.runs.clear()
        other.action_confirm()
        self.assertFalse(self.runs, "a check that is off is not run")
        self.assertFalse(self._findings(other))

    def test_severity_is_the_companys_own(self):
        company = self._create_company(name="Other Company")
        self.env["channel.gate.severity"].create(
            {"check_id": self.check.id, "company_id": company.id, "severity": "off"}
        )
        with self.assertRefused("test_limit"):
            self._channel_order([(self.device, 11)]).action_confirm()

    def test_change_of_severity_is_in_the_journal(self):
        def entries():
            return (
                self.env["channel.audit.entry"]
                .sudo()
                .search([("action", "in", ("gate.severity", "gate.check"))], order="id")
            )

        before = entries()
        self._channel_severity("test_limit", "warn")
        self._channel_severity("test_limit", "warn")  # no change, no entry
        self._channel_severity("test_limit", "off")
        self.env["channel.gate.severity"].search([("check_id", "=", self.check.id)]).unlink()
        self.check.with_user(self.user_compliance).severity = "warn"
        self.check.name = "Not a decision"
        new = entries() - before
        self.assertEqual(
            [(json.loads(entry.before)["severity"], json.loads(entry.after)["severity"]) for entry in new],
            [("block", "warn"), ("warn", "off"), ("off", "block"), ("block", "warn")],
        )
        self.assertEqual(new[-1].user_id, self.user_compliance)

    def test_findings_are_replaced_not_deleted(self):
        self._channel_severity("test_limit", "warn")
        order = self._channel_order([(self.device, 11), (self.device, 11), (self.consumable, 12)])
        order.action_confirm()
        findings = self._findings(order)
        self.assertEqual(findings.mapped("quantity"), [11.0, 12.0], "the same fact on two lines is one finding")
        order.order_line[2].product_uom_qty = 2
        order.order_line = [Command.create({"product_id": self.consumable.id, "product_uom_qty": 1})]
        self.assertEqual(findings.mapped("state"), ["open", "resolved"])
        self.assertTrue(findings[1].resolved_at)
        self.assertEqual(self._findings(order), findings)

    def test_check_without_method_is_refused(self):
        with self.assertRaisesRegex(ValidationError, r"_check_nobody_wrote_me\(self, requests\)"):
            self.env["channel.gate.check"].create(
                {
                    "code": "nobody_wrote_me",
                    "name": "x",
                    "operation_ids": [Command.set(self.env.ref("channel_base.gate_operation_order").ids)],
                }
            )
        with self.assertRaisesRegex(ValidationError, "lower case"):
            self.check.code = "Bad code"

    def test_check_whose_method_went_away_closes(self):
        order = self._channel_order()
        with patch.object(self.registry["channel.gate"], "_check_test_limit", None):
            with self.assertRaisesRegex(ValidationError, "_check_test_limit"):
                order.action_confirm()

    def test_sales_user_without_channel_position_is_gated_too(self):
        order = self._channel_order([(self.device, 11)]).with_user(self.user_internal)
        with self.assertRefused("test_limit"):
            order.action_confirm()
        good = self._channel_order([(self.device, 10)]).with_user(self.user_internal)
        good.action_confirm()
        self.assertEqual(good.state, "sale")

    def test_end_customer_goes_along(self):
        order = self._channel_order(customer=self.hospital, confirm=True)
        self.assertEqual(order.picking_ids.channel_end_customer_id, self.hospital)
        other = self._channel_order(confirm=True)
        self.device.invoice_policy = "order"
        invoices = (order | other)._create_invoices()
        self.assertEqual(len(invoices), 2, "orders for different hospitals are not put on one invoice")
        self.assertEqual(invoices.channel_end_customer_id, self.hospital)


@tagged("post_install", "-at_install")
class TestGateDelivery(GateCase):
    def test_expired_lot_does_not_leave(self):
        order = self._channel_order([(self.device, 2)], confirm=True)
        expired = self._channel_lot("L-OLD", quantity=5, expiration_date="2020-01-31 12:00:00")
        with self.assertRefused("lot_expired") as catcher:
            self._channel_deliver(order, lot=expired)
        self.assertIn("L-OLD", str(catcher.exception))

    def test_good_lot_leaves(self):
        order = self._channel_order([(self.device, 2)], confirm=True)
        good = self._channel_lot("L-NEW", quantity=5, expiration_date="2099-01-31 12:00:00")
        self.runs.clear()
        picking = self._channel_deliver(order, lot=good)
        self.assertEqual(picking.state, "done")
        ((request,),) = self.runs
        self.assertEqual((request.record, request.member, request.operation), (picking, self.dealer, "delivery"))
        self.assertEqual([(line.lot, line.quantity, line.price_unit) for line in request.lines], [(good, 2.0, 100.0)])

    def test_last_day_is_the_companys(self):
        """A lot that expires on the 31st leaves on the 31st and not on the 1st, as the company's clock says."""
        self.company.partner_id.tz = "Asia/Shanghai"
        lot = self._channel_lot("L-DAY", quantity=5, expiration_date="2026-03-31 10:00:00")
        order = self._channel_order([(self.device, 1)], confirm=True)
        with freeze_time("2026-03-31 16:30:00"), self.assertRefused("lot_expired"):  # 1 April, 00:30 in Shanghai
            self._channel_deliver(order, lot=lot)
        with freeze_time("2026-03-31 15:30:00"):
            self.assertEqual(self._channel_deliver(order, lot=lot).state, "done")

    def test_delivery_to_the_hospital_is_the_members(self):
        order = self._channel_order([(self.consumable, 2)], customer=self.hospital)
        order.partner_shipping_id = self.hospital
        order.action_confirm()
        self.runs.clear()
        picking = self._channel_deliver(order)
        self.assertEqual(picking.partner_id, self.hospital)
        self.assertEqual(self.runs[0][0].member, self.dealer)
        self.assertEqual(self.runs[0][0].customer, self.hospital)

    def test_move_without_picking(self):
        warehouse = self._channel_warehouse()
        move = self.env["stock.move"].create(
            {
                "product_id": self.consumable.id,
                "product_uom_qty": 11,
                "location_id": warehouse.lot_stock_id.id,
                "location_dest_id": self.env.ref("stock.stock_location_customers").id,
                "partner_id": self.dealer.id,
            }
        )
        move._action_confirm()
        move.write({"quantity": 11, "picked": True})
        with self.assertRefused("test_limit"):
            move._action_done()
        move.invalidate_recordset()
        self.assertNotEqual(move.state, "done", "nothing has moved")
        self.assertFalse(self._findings(move), "a refusal stores nothing in the transaction that it stops")

    def test_returns_and_receipts_are_not_gated(self):
        order = self._channel_order([(self.consumable, 5)], confirm=True)
        picking = self._channel_deliver(order)
        self.runs.clear()
        wizard = self.env["stock.return.picking"].with_context(active_id=picking.id, active_model="stock.picking")
        wizard = wizard.create({})
        wizard.product_return_moves.quantity = 5
        returned = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        returned.move_ids.write({"quantity": 5, "picked": True})
        returned.button_validate()
        self.assertEqual(returned.state, "done")
        self.assertFalse(self.runs)

    def test_more_on_a_delivery_that_has_left(self):
        """A done delivery that is unlocked and given another lot or more goods is asked about again."""
        order = self._channel_order([(self.device, 2)], confirm=True)
        good = self._channel_lot("L-NEW", quantity=50, expiration_date="2099-01-31 12:00:00")
        old = self._channel_lot("L-OLD", quantity=50, expiration_date="2020-01-31 12:00:00")
        picking = self._channel_deliver(order, lot=good)
        picking.is_locked = False
        line = picking.move_line_ids
        with self.assertRefused("lot_expired"):
            line.lot_id = old
        with self.assertRefused("test_limit"):
            line.quantity = 11
        with self.assertRefused("lot_expired"):
            picking.move_ids.move_line_ids = [
                Command.create(
                    {
                        "product_id": self.device.id,
                        "lot_id": old.id,
                        "quantity": 1,
                        "picking_id": picking.id,
                        "location_id": line.location_id.id,
                        "location_dest_id": line.location_dest_id.id,
                    }
                )
            ]
        line.quantity = 1
        self.assertEqual(picking.move_ids.quantity, 1)


@tagged("post_install", "-at_install")
class TestGateInvoice(GateCase):
    def _order(self, quantity):
        self.check.operation_ids = self.env.ref("channel_base.gate_operation_invoice")
        return self._channel_order([(self.consumable, quantity, 9.0)], customer=self.hospital, confirm=True)

    def test_posting_is_refused(self):
        invoice = self._channel_invoice(self._order(11), post=False, date="2026-05-04")
        with self.assertRefused("test_limit"):
            invoice.action_post()
        with self.assertRefused("test_limit"):
            invoice.with_context(skip_readonly_check=True).write({"state": "posted"})
        self.assertEqual(invoice.state, "draft")

    def test_request_of_an_invoice(self):
        invoice = self._channel_invoice(self._order(2), date="2026-05-04")
        self.assertEqual(invoice.state, "posted")
        ((request,),) = self.runs
        self.assertEqual(request.date, fields.Date.to_date("2026-05-04"))
        self.assertEqual((request.member, request.customer), (self.dealer, self.hospital))
        self.assertEqual([(line.quantity, line.price_unit) for line in request.lines], [(2.0, 9.0)])

    def test_credit_notes_and_bills_are_not_gated(self):
        self.check.operation_ids = self.env.ref("channel_base.gate_operation_invoice")
        for move_type in ("out_refund", "in_invoice"):
            self.init_invoice(move_type, partner=self.dealer, products=self.consumable, post=True)
        self.assertFalse(self.runs)


@tagged("post_install", "-at_install")
class TestGateOverride(GateCase):
    def setUp(self):
        super().setUp()
        self.order = self._channel_order([(self.device, 11)])

    def _wizard(self, user, order=None):
        order = (order or self.order).with_user(user)
        action = order.action_channel_override()
        wizard = self.env["channel.gate.override"].with_user(user).with_context(**action["context"])
        return wizard.create({"reason": "The committee decided on 3 May."})

    def test_override_lets_the_same_fact_pass(self):
        entries = self.env["channel.audit.entry"].sudo().search_count([("action", "=", "gate.overridden")])
        self._wizard(self.user_compliance).action_override()
        self.order.action_confirm()
        self.assertEqual(self.order.state, "sale")
        finding = self._findings(self.order)
        self.assertRecordValues(
            finding,
            [
                {
                    "state": "overridden",
                    "override_user_id": self.user_compliance.id,
                    "override_reason": "The committee decided on 3 May.",
                }
            ],
        )
        entry = self.env["channel.audit.entry"].sudo().search([("action", "=", "gate.overridden")])
        self.assertEqual(len(entry), entries + 1)
        self.assertEqual(entry[-1:].reason, "The committee decided on 3 May.")
        self.assertIn("Allowed by override", self._channel_order_banner_of_override())

    def _channel_order_banner_of_override(self):
        """A second draft with the same fact, overridden and not yet confirmed."""
        order = self._channel_order([(self.device, 11)])
        self._wizard(self.user_compliance, order).action_override()
        return order.channel_gate_banner

    def test_changed_fact_asks_again(self):
        self._wizard(self.user_compliance).action_override()
        self.order.order_line.product_uom_qty = 12
        with self.assertRefused("test_limit"):
            self.order.action_confirm()
        self.order.order_line.product_uom_qty = 11
        self.order.action_confirm()

    def test_override_holds_for_one_document(self):
        self._wizard(self.user_compliance).action_override()
        with self.assertRefused("test_limit"):
            self._channel_order([(self.device, 11)]).action_confirm()

    def test_only_the_position_named_by_the_check(self):
        with self.assertRaisesRegex(AccessError, "test_limit"):
            self._wizard(self.user_manager).action_override()
        self.check.override_group_id = self.env.ref("channel_base.group_channel_manager")
        self._wizard(self.user_manager).action_override()
        self.order.action_confirm()

    def test_author_never_overrides(self):
        own = self._channel_order([(self.device, 11)], user_id=self.user_admin.id)
        with self.assertRaisesRegex(AccessError, "own document"):
            self._wizard(self.user_admin, own).action_override()
        with self.assertRaisesRegex(AccessError, "own document"):
            self._wizard(self.env.user).action_override()

    def test_reason_is_required(self):
        wizard = self._wizard(self.user_compliance)
        wizard.reason = "  "
        with self.assertRaisesRegex(UserError, "Reason"):
            wizard.action_override()

    def test_warnings_and_unknown_documents_need_none(self):
        self._channel_severity("test_limit", "warn")
        self.env["channel.gate"]._check_documents("order", self.order)
        with self.assertRaisesRegex(UserError, "nothing to override"):
            self._findings(self.order).with_user(self.user_compliance).action_override("because")

    def test_nobody_writes_findings_by_hand(self):
        self.env["channel.gate"]._check_documents("order", self.order)
        finding = self._findings(self.order)
        values = finding.copy_data()[0]
        for user in (self.user_admin, self.user_compliance, self.user_sales, self.user_portal):
            with self.assertRaises(AccessError), self.cr.savepoint():
                finding.with_user(user).write({"state": "overridden", "override_user_id": user.id})
            with self.assertRaises(AccessError), self.cr.savepoint():
                finding.with_user(user).create(values)
            with self.assertRaises(AccessError), self.cr.savepoint():
                finding.with_user(user).unlink()
        with self.assertRaises(AccessError):
            finding.with_user(self.user_portal).action_override("mine")


@tagged("post_install", "-at_install")
class TestGateBanner(GateCase):
    def test_banner_says_what_confirming_would_say(self):
        order = self._channel_order([(self.device, 11)])
        self.assertIn("This will be refused", order.channel_gate_banner)
        self.assertIn("11 of Test Catheter", order.channel_gate_banner)
        self.assertFalse(self._findings(order), "looking stores nothing")
        order.order_line.product_uom_qty = 10
        self.assertFalse(order.channel_gate_banner)
        self._channel_severity("test_limit", "warn")
        order.order_line.product_uom_qty = 11
        self.assertIn("Please note", order.channel_gate_banner)
        self.assertNotIn("refused", order.channel_gate_banner)
        order.action_confirm()
        self.assertFalse(order.channel_gate_banner, "nothing lies ahead of a confirmed order")
        self.assertEqual(order.channel_finding_count, 1)

    def test_banner_on_an_unsaved_form(self):
        form = Form(self.env["sale.order"].with_user(self.user_manager))
        self.assertFalse(form.channel_gate_banner)
        form.partner_id = self.dealer
        with form.order_line.new() as line:
            line.product_id = self.device
            line.product_uom_qty = 11
        self.assertIn("11 of Test Catheter", form.channel_gate_banner)
        with form.order_line.edit(0) as line:
            line.product_uom_qty = 9
        self.assertFalse(form.channel_gate_banner)

    def test_banner_never_raises(self):
        order = self._channel_order()

        def broken(gate, requests):
            gate.env.cr.execute("SELECT no_such_column FROM res_users")

        with (
            patch.object(self.registry["channel.gate"], "_check_test_limit", broken),
            mute_logger("odoo.sql_db", "odoo.addons.channel_base.models.channel_gate_document_mixin"),
        ):
            self.assertFalse(order.channel_gate_banner)
        self.assertTrue(order.exists(), "the transaction still works")

    def test_banner_of_picking_and_invoice(self):
        self._channel_severity("test_limit", "warn")
        order = self._channel_order([(self.consumable, 11)], confirm=True)
        self.assertIn("11 of Test Gauze", order.picking_ids.channel_gate_banner)
        invoice = self._channel_invoice(order, post=False)
        self.assertIn("11 of Test Gauze", invoice.channel_gate_banner)
        bill = self.init_invoice("in_invoice", partner=self.dealer, products=self.consumable)
        self.assertFalse(bill.channel_gate_banner)

    def test_overridable_only_for_who_may(self):
        order = self._channel_order([(self.device, 11)])
        self.assertTrue(order.with_user(self.user_admin).channel_gate_overridable)
        self.assertFalse(order.with_user(self.user_manager).channel_gate_overridable)
        order.user_id = self.user_admin
        self.assertFalse(order.with_user(self.user_admin).channel_gate_overridable, "not on the own document")

    def test_smart_button(self):
        order = self._channel_order([(self.device, 11)])
        action = order.with_user(self.user_manager).action_channel_findings()
        findings = self.env["channel.gate.finding"].search(action["domain"])
        self.assertEqual(findings.mapped("state"), ["open"])
        self.assertEqual(findings.action_open_document()["res_id"], order.id)


@tagged("post_install", "-at_install")
class TestGateQueries(GateCase):
    def _queries(self, run):
        self.env.flush_all()
        self.env.invalidate_all()
        start = self.cr.sql_log_count
        run()
        return self.cr.sql_log_count - start

    @warmup
    def test_lines_cost_no_queries(self):
        self._channel_severity("test_limit", "warn")

        def run(size):
            order = self._channel_order([(self.device, 11)] * (size // 2) + [(self.consumable, 1)] * (size // 2))
            return self._queries(lambda: self.env["channel.gate"]._check_documents("order", order))

        run(2)
        ten, hundred = run(10), run(100)
        self.assertLessEqual(hundred, ten + 3, f"10 lines: {ten} queries, 100 lines: {hundred}")

    @warmup
    def test_orders_cost_no_queries(self):
        def run(size):
            orders = self.env["sale.order"].union(*(self._channel_order() for _number in range(size)))
            return self._queries(lambda: self.env["channel.gate"]._check_documents("order", orders))

        run(1)
        one, twenty = run(1), run(20)
        self.assertLessEqual(twenty, one + 3, f"1 order: {one} queries, 20 orders: {twenty}")

    @warmup
    def test_lots_cost_no_queries(self):
        def run(size):
            lots = [
                self._channel_lot(f"Q{size}-{number}", expiration_date="2020-01-01 00:00:00") for number in range(size)
            ]
            lines = [{"product_id": self.device.id, "quantity": 1, "lot_id": lot.id} for lot in lots]
            return self._queries(lambda: self.env["channel.gate"].evaluate("delivery", self.dealer.id, lines))

        run(1)
        ten, hundred = run(10), run(100)
        self.assertLessEqual(hundred, ten + 2, f"10 lots: {ten} queries, 100 lots: {hundred}")


@tagged("post_install", "-at_install")
class TestGateEvaluate(GateCase):
    def _evaluate(self, user=None, operation="order", member=None, lines=None, **kwargs):
        gate = self.env["channel.gate"].with_user(user or self.user_manager)
        if lines is None:
            lines = [{"product_id": self.device.id, "quantity": 11}]
        return gate.evaluate(operation, (member or self.dealer).id, lines, **kwargs)

    def test_answer(self):
        self.assertEqual(
            self._evaluate(lines=[{"product_id": self.device.id, "quantity": quantity} for quantity in (1, 11.0)]),
            [
                {
                    "code": "test_limit",
                    "severity": "block",
                    "message": "11 of Test Catheter are more than 10",
                    "line": 1,
                    "law": "Test law, article 10",
                    "remedy": "Order less.",
                }
            ],
        )
        self.assertFalse(self._evaluate(lines=[]))

    def test_date_is_the_one_asked_about(self):
        lot = self._channel_lot("L", expiration_date="2026-06-30 12:00:00")
        lines = [{"product_id": self.device.id, "quantity": 1, "lot_id": lot.id}]
        self.assertFalse(self._evaluate(operation="delivery", lines=lines, date="2026-06-30"))
        answer = self._evaluate(operation="delivery", lines=lines, date="2026-07-01")
        self.assertEqual([finding["code"] for finding in answer], ["lot_expired"])

    def test_wrong_input_is_named(self):
        line = {"product_id": self.device.id, "quantity": 1}
        for kwargs, message in (
            ({"operation": "dance"}, r"operation: 'dance'.*delivery"),
            ({"lines": "x"}, r"lines: a list"),
            ({"lines": [{**line, "colour": 1}]}, r"lines\[0\]: colour"),
            ({"lines": [line, {"product_id": self.device.id}]}, r"lines\[1\].quantity: None"),
            ({"lines": [{**line, "price_unit": "9"}]}, r"lines\[0\].price_unit: '9'"),
            ({"lines": [{**line, "product_id": 0}]}, r"lines\[0\].product_id: 0"),
            ({"lines": [{**line, "product_id": 2**31 - 1}]}, r"lines\[0\].product_id: .*2147483647"),
            ({"lines": [{**line, "lot_id": 2**31 - 1}]}, r"lines\[0\].lot_id"),
            ({"customer_id": 2**31 - 1}, r"customer_id"),
            ({"date": "31.12.2026"}, r"date: '31.12.2026'.*YYYY-MM-DD"),
        ):
            with self.subTest(**kwargs), self.assertRaisesRegex(ValidationError, message):
                self._evaluate(**kwargs)

    def test_who_may_ask(self):
        with self.assertRaises(AccessError):
            self._evaluate(user=self.user_internal)
        self.assertEqual(len(self._evaluate(user=self.user_portal)), 1)
        with self.assertRaises(AccessError):
            self._evaluate(user=self.user_portal, member=self.other_dealer)
        self.assertEqual(len(self._evaluate(user=self.user_sales)), 1)

    def test_reads_only(self):
        gate = self.registry["channel.gate"]
        self.assertTrue(gate.evaluate._readonly)


@tagged("post_install", "-at_install")
class TestGateRefusedAttempt(GateCase):
    def _attempts(self):
        return self.env["channel.gate.finding"].search([("code", "=", "test_limit")], order="id")

    @contextmanager
    def _other_transaction(self):
        """A transaction of its own that must end in a refusal. Not by ``assertRaises``, which would roll back to a
        savepoint of this test what is stored after that transaction."""
        try:
            with self.registry.cursor() as cr:
                yield api.Environment(cr, self.user_manager.id, {})
        except GateRefusal:
            return
        self.fail("The gate let it pass")

    def test_attempt_outlives_the_rollback(self):
        """A second transaction on the same registry, as a server runs it: refused, rolled back, recorded."""
        order = self._channel_order([(self.device, 11)], customer=self.hospital)
        with self.enter_registry_test_mode():
            for _time in range(2):
                with self._other_transaction() as env:
                    env["sale.order"].browse(order.id).action_confirm()
        self.env.invalidate_all()
        attempt = self._attempts()
        self.assertRecordValues(
            attempt,
            [
                {
                    "state": "refused",
                    "res_model": "sale.order",
                    "res_id": order.id,
                    "document_name": order.name,
                    "attempt_count": 2,
                    "user_id": self.user_manager.id,
                    "customer_id": self.hospital.id,
                }
            ],
        )
        self.assertIn("11 × ", attempt.attempt_text)
        self.assertIn("Test Hospital", attempt.attempt_text)
        entries = (
            self.env["channel.audit.entry"]
            .sudo()
            .search([("action", "=", "gate.refused"), ("res_id", "=", attempt.id)])
        )
        self.assertEqual(len(entries), 2)
        # and the document is confirmed after all when the fact has gone
        order.order_line.product_uom_qty = 10
        order.action_confirm()
        self.assertEqual(attempt.state, "resolved")
        self.assertEqual(attempt.attempt_count, 2)

    def test_attempt_on_a_document_that_was_never_saved(self):
        with self.enter_registry_test_mode():
            with self._other_transaction() as env:
                env["sale.order"].create(
                    {
                        "partner_id": self.dealer.id,
                        "state": "sale",
                        "order_line": [Command.create({"product_id": self.device.id, "product_uom_qty": 12})],
                    }
                )
        self.env.invalidate_all()
        attempt = self._attempts()
        self.assertEqual((attempt.state, attempt.res_id, attempt.member_id), ("refused", 0, self.dealer))
        self.assertIn("12 × ", attempt.attempt_text)
        with self.assertRaisesRegex(UserError, "never saved"):
            attempt.action_open_document()

    def test_attempt_that_a_caller_swallowed(self):
        """The refusal is caught and the transaction committed: recorded by the commit."""
        order = self._channel_order([(self.device, 11)])
        with self.assertRefused("test_limit"):
            order.action_confirm()
        with self.enter_registry_test_mode():
            self.cr.postcommit.run()
        self.env.invalidate_all()
        self.assertEqual(self._attempts().mapped("attempt_count"), [1])
        with self.enter_registry_test_mode():
            self.cr.postrollback.run()
        self.env.invalidate_all()
        self.assertEqual(self._attempts().mapped("attempt_count"), [1], "recorded once, whichever way it ended")

    def test_failure_to_record_does_not_hide_the_refusal(self):
        order = self._channel_order([(self.device, 11)])
        broken = patch.object(
            self.registry["channel.gate.finding"], "_record_refusals", side_effect=ValueError("disk full")
        )
        logger = "odoo.addons.channel_base.models.channel_gate"
        with broken, self.assertLogs(logger, "ERROR") as logs, self.enter_registry_test_mode():
            with self._other_transaction() as env:
                env["sale.order"].browse(order.id).action_confirm()
        self.assertIn("could not be stored", logs.output[0])
