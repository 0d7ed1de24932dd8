from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.channel_base.tests.common import POSITIONS

from .common import ChannelOrderCommon


class ChannelTransferCommon(ChannelOrderCommon):
    """A confirmed order of the dealer for the hospital in the east: 10 catheters and 20 pieces of gauze.

    ``east_dealer`` is authorised for the same hospital; ``other_dealer`` is authorised in the west only.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.east_dealer = cls.env["res.partner"].create(cls._channel_member_values("Test Dealer East", cls.region_city))
        cls._channel_activate(cls.east_dealer)
        cls._channel_qualification(cls.east_dealer)
        cls.authorization_east = cls._channel_authorization(cls.east_dealer, cls.region_east)
        cls._channel_contract(cls.east_dealer)
        cls._channel_rule(90, segment=cls.segment_dealer)
        cls.segment_east = cls._channel_segment("T-EAST", 40, cls.east_dealer)
        cls._channel_rule(95, segment=cls.segment_east)
        cls.lot = cls._channel_lot("LOT-T", quantity=100)
        for code in ("member_state", "member_qualification", "member_scope", "member_authorization"):
            cls._channel_severity(code, "block")
        cls.order = cls._order(
            [(cls.device, 10), (cls.consumable, 20)],
            channel_end_customer_id=cls.hospital.id, client_order_ref="PO-7", channel_tender_reference="TENDER-1",
            commitment_date="2030-01-31 10:00:00",
        )
        cls.device_line, cls.gauze_line = cls.order.order_line

    @classmethod
    def _transfer(cls, quantities=None, order=None, user=None, approve=False, **values):
        """:param quantities: ``{order line: quantity}``; all that is open when left out"""
        if not {"kind", "target_partner_id"} & values.keys():
            values["target_partner_id"] = cls.east_dealer.id
        if quantities is not None:
            values["line_ids"] = [
                Command.create({"order_line_id": line.id, "quantity": quantity})
                for line, quantity in quantities.items()
            ]
        transfer = cls.env["channel.order.transfer"].with_user(user or cls.user_sales).create({
            "order_id": (order or cls.order).id, "reason": "The dealer cannot deliver", **values,
        })
        if approve:
            transfer.with_user(cls.user_manager).action_approve()
        return transfer.with_env(cls.env)

    @classmethod
    def _deliver(cls, order, quantities):
        """Deliver part of an order; the rest stays open."""
        picking = order.picking_ids.filtered(lambda picking: picking.state not in ("done", "cancel"))
        for line, quantity in quantities.items():
            move = picking.move_ids.filtered(lambda move, line=line: move.sale_line_id == line)
            move.move_line_ids.unlink()
            move.write({
                "move_line_ids": [Command.create({
                    "product_id": move.product_id.id, "quantity": quantity, "picking_id": picking.id,
                    "product_uom_id": move.product_uom.id, "location_id": move.location_id.id,
                    "location_dest_id": move.location_dest_id.id,
                    "lot_id": cls.lot.id if move.product_id == cls.device else False,
                })],
                "picked": True,
            })
        picking.move_ids.filtered(lambda move: move.sale_line_id not in quantities).picked = False
        picking.with_context(skip_backorder=True, skip_expired=True).button_validate()

    def _open_moves(self, order):
        """:return: ``{product: quantity}`` that the warehouse has still to deliver"""
        moves = order.picking_ids.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
        return {
            product: sum(group.mapped("product_uom_qty")) for product, group in moves.grouped("product_id").items()
        }


@tagged("post_install", "-at_install")
class TestTransfer(ChannelTransferCommon):
    def test_whole_order(self):
        """Everything goes to the other dealer, with what the order says about whom it is for; nothing ships twice."""
        transfer = self._transfer(approve=True)
        new = transfer.new_order_id
        self.assertRecordValues(new, [{
            "state": "sale", "partner_id": self.east_dealer.id, "channel_end_customer_id": self.hospital.id,
            "client_order_ref": "PO-7", "channel_tender_reference": "TENDER-1", "origin": self.order.name,
            "commitment_date": self.order.commitment_date, "channel_transferred_from_id": self.order.id,
        }])
        self.assertRecordValues(new.order_line, [
            {"product_id": self.device.id, "product_uom_qty": 10},
            {"product_id": self.consumable.id, "product_uom_qty": 20},
        ])
        self.assertEqual(new.order_line.channel_transfer_line_id, transfer.line_ids)
        self.assertEqual(transfer.line_ids.new_line_id, new.order_line)
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [0, 0])
        self.assertEqual(self._open_moves(self.order), {})
        self.assertEqual(self._open_moves(new), {self.device: 10, self.consumable: 20})
        self.assertEqual(self.order.channel_transfer_ids, transfer)
        self.assertEqual((self.order | new).mapped("channel_transfer_count"), [1, 1])

    def test_part_of_it(self):
        transfer = self._transfer({self.device_line: 4}, approve=True)
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [6, 20])
        self.assertEqual(self._open_moves(self.order), {self.device: 6, self.consumable: 20})
        self.assertEqual(self._open_moves(transfer.new_order_id), {self.device: 4})

    def test_the_new_party_pays_its_own_price(self):
        """And the old one goes on paying what was agreed, whatever breaks by quantity its table has."""
        self._channel_rule(80, segment=self.segment_dealer, min_quantity=10)
        order = self._order([(self.device, 10)], channel_end_customer_id=self.hospital.id)
        self.assertEqual(order.order_line.price_unit, 80)
        transfer = self._transfer({order.order_line: 4}, order=order, approve=True)
        self.assertEqual(transfer.new_order_id.order_line.price_unit, 95)
        self.assertRecordValues(order.order_line, [{"product_uom_qty": 6, "price_unit": 80, "discount": 0}])

    def test_after_partial_delivery(self):
        """What was delivered stays; what the warehouse has in its hands stays too."""
        self._deliver(self.order, {self.device_line: 3})
        self.assertEqual(self.device_line.qty_delivered, 3)
        with self.assertRaises(ValidationError):
            self._transfer({self.device_line: 8})
        move = self.order.picking_ids.move_ids.filtered(
            lambda move: move.state not in ("done", "cancel") and move.product_id == self.consumable
        )
        move.write({"quantity": 5, "picked": True})
        transfer = self._transfer(approve=True)
        self.assertEqual(transfer.line_ids.mapped("quantity"), [7, 15])
        self.assertEqual(self.order.order_line.mapped("product_uom_qty"), [3, 5])
        self.assertEqual(self._open_moves(self.order), {self.consumable: 5})
        self.assertEqual(self._open_moves(transfer.new_order_id), {self.device: 7, self.consumable: 15})

    def test_what_is_invoiced_stays(self):
        """Paid in advance, or about to be: a draft invoice counts too."""
        self.device.invoice_policy = "order"
        invoice = self.order._create_invoices()
        invoice.invoice_line_ids.quantity = 6
        self.assertEqual(self._transfer().line_ids.mapped("quantity"), [4, 14])

    def test_quantities_are_counted_again_at_the_approval(self):
        transfer = self._transfer()
        self._deliver(self.order, {self.device_line: 1})
        with self.assertRaises(ValidationError) as catcher:
            transfer.with_user(self.user_manager).action_approve()
        self.assertIn(self.device.display_name, str(catcher.exception))
        self.assertIn("Enter at most 9", str(catcher.exception))
        self.assertEqual((transfer.state, self.device_line.product_uom_qty), ("draft", 10))

    def test_two_drafts_of_one_line(self):
        first, second = self._transfer({self.device_line: 6}), self._transfer({self.device_line: 6})
        first.with_user(self.user_manager).action_approve()
        with self.assertRaises(ValidationError):
            second.with_user(self.user_manager).action_approve()
        second.line_ids.quantity = 4
        second.with_user(self.user_admin).action_approve()
        self.assertEqual(self.device_line.product_uom_qty, 0)

    def test_boxes(self):
        order = self._order([], confirm=False, order_line=[
            Command.create({"product_id": self.device.id, "product_uom_qty": 3, "product_uom_id": self.uom_box.id}),
        ])
        order.action_confirm()
        transfer = self._transfer({order.order_line: 1}, order=order, approve=True)
        self.assertRecordValues(transfer.new_order_id.order_line, [
            {"product_uom_qty": 1, "product_uom_id": self.uom_box.id}
        ])
        self.assertEqual(self._open_moves(order), {self.device: 20})
        self.assertEqual(self._open_moves(transfer.new_order_id), {self.device: 10})

    # Gate

    def test_dealer_without_authorization(self):
        """Nothing moves when the new dealer may not sell there."""
        transfer = self._transfer(target_partner_id=self.other_dealer.id)
        self.assertIn("Territory breach", transfer.with_user(self.user_sales).channel_gate_banner)
        with self.assertRefused("member_authorization"):
            transfer.with_user(self.user_manager).action_approve()
        self.assertEqual((transfer.state, self.device_line.product_uom_qty), ("draft", 10))
        self.assertFalse(transfer.new_order_id)

    def test_override(self):
        """Whom the check names may let it pass, with a reason; the new order waits for the same."""
        transfer = self._transfer({self.device_line: 4}, target_partner_id=self.other_dealer.id)
        action = transfer.with_user(self.user_manager).action_channel_override()
        findings = self.env["channel.gate.finding"].browse(action["context"]["default_finding_ids"])
        self.assertEqual(findings.mapped("code"), ["member_authorization"])
        findings.with_user(self.user_manager).action_override("Emergency")
        transfer.with_user(self.user_admin).action_approve()
        self.assertEqual((transfer.state, transfer.new_order_id.state), ("approved", "draft"))
        self.assertEqual(transfer.new_order_id.channel_finding_ids.mapped("code"), ["member_authorization"])

    def test_suspended_dealer(self):
        self.east_dealer._channel_change({"channel_state": "suspended"}, reason="Test")
        with self.assertRefused("member_state"):
            self._transfer(approve=True)

    def test_what_only_the_order_is_refused_for(self):
        """The transfer is done; the new order waits as a quotation that says why."""
        self._channel_severity("price_floor", "block")
        self._channel_price_limit(99)
        transfer = self._transfer(approve=True)
        new = transfer.new_order_id
        self.assertEqual((transfer.state, new.state), ("approved", "draft"))
        self.assertIn("price_floor", new.channel_finding_ids.mapped("code"))
        self.assertEqual(self.device_line.product_uom_qty, 0)
        self.assertIn("price_floor", new.message_ids.mapped("body")[0])

    def test_the_old_dealer_is_not_judged(self):
        """That it must not be supplied any more is a reason to transfer, not one to refuse it."""
        self.dealer._channel_change({"channel_state": "suspended"}, reason="Test")
        self.assertEqual(self._transfer(approve=True).new_order_id.state, "sale")

    # Warehouse and company

    def test_warehouse(self):
        """Same dealer, same deal: only who delivers changes."""
        self.device_line.price_unit = 88
        warehouse = self.env["stock.warehouse"].create({"name": "Test South", "code": "TSOU"})
        transfer = self._transfer(
            {self.device_line: 4}, kind="warehouse", target_warehouse_id=warehouse.id, approve=True
        )
        new = transfer.new_order_id
        self.assertRecordValues(new, [{
            "state": "sale", "partner_id": self.dealer.id, "warehouse_id": warehouse.id,
            "partner_shipping_id": self.order.partner_shipping_id.id, "pricelist_id": self.order.pricelist_id.id,
        }])
        self.assertEqual(new.order_line.price_unit, 88)
        self.assertEqual(new.picking_ids.picking_type_id.warehouse_id, warehouse)
        self.assertEqual(self._open_moves(self.order)[self.device], 6)

    def test_what_is_picked_for_a_delivery_in_two_steps(self):
        """Goods that wait at the output have not left yet: they go back on the shelf, and only the rest is shipped."""
        self.order.warehouse_id.delivery_steps = "pick_ship"
        order = self._order([(self.consumable, 10)])
        pick = order.picking_ids
        pick.move_ids.write({"quantity": 10, "picked": True})
        pick.button_validate()
        line = order.order_line
        transfer = self._transfer({line: 4}, order=order, approve=True)
        self.assertEqual(line.product_uom_qty, 6)
        shipped = order.picking_ids.move_ids.filtered(
            lambda move: move.location_dest_id.usage == "customer" and move.state != "cancel"
        )
        self.assertEqual(sum(shipped.mapped("product_uom_qty")), 6)
        self.assertEqual(transfer.new_order_id.order_line.product_uom_qty, 4)

    def test_company(self):
        company = self._other_company()
        transfer = self._transfer(kind="company", target_company_id=company.id, approve=True)
        new = transfer.new_order_id
        self.assertRecordValues(new, [{
            "state": "sale", "partner_id": self.dealer.id, "company_id": company.id,
            "channel_end_customer_id": self.hospital.id,
        }])
        self.assertEqual(new.warehouse_id.company_id, company)
        self.assertEqual(new.picking_ids.company_id, company)
        self.assertEqual(self._open_moves(self.order), {})

    def test_company_that_may_not_sell_it(self):
        company = self._other_company()
        self.consumable.company_id = self.company
        with self.assertRaises(ValidationError) as catcher:
            self._transfer(kind="company", target_company_id=company.id)
        self.assertIn(self.consumable.display_name, str(catcher.exception))

    def _other_company(self):
        company = self.env["res.company"].create({"name": "Test Platform", "currency_id": self.company.currency_id.id})
        self.env.user.company_ids |= company
        self.env["channel.authorization"].create({
            "partner_id": self.dealer.id, "company_id": company.id, "date_from": "2020-01-01", "all_products": True,
            "region_ids": [Command.set(self.region_east.ids)],
        }).with_user(self.user_manager).sudo()._approve()
        for check in self.env["channel.gate.check"].search([("code", "not like", "member_")]):
            self.env["channel.gate.severity"].create(
                {"check_id": check.id, "company_id": company.id, "severity": "off"}
            )
        return company

    # Who

    def test_the_author_does_not_approve(self):
        transfer = self._transfer(user=self.user_manager)
        with self.assertRaises(UserError):
            transfer.with_user(self.user_manager).action_approve()
        transfer.with_user(self.user_admin).action_approve()
        self.assertEqual(transfer.state, "approved")

    def test_who_changes_a_line_is_an_author(self):
        transfer = self._transfer()
        transfer.line_ids[0].with_user(self.user_manager).quantity = 1
        with self.assertRaises(UserError):
            transfer.with_user(self.user_manager).action_approve()

    def test_approved_is_kept(self):
        transfer = self._transfer(approve=True).with_user(self.user_manager)
        for change in (
            lambda: transfer.line_ids[0].write({"quantity": 1}),
            lambda: transfer.line_ids[0].unlink(),
            lambda: transfer.write({"kind": "warehouse"}),
            lambda: transfer.write({"state": "returned"}),
            lambda: transfer.write({"new_order_id": self.order.id}),
            lambda: transfer.line_ids[0].write({"returned_quantity": 1}),
            transfer.action_cancel,
            transfer.unlink,
        ):
            with self.assertRaises(UserError):
                change()

    def test_sales_sees_both_sides_of_own_regions(self):
        transfer = self._transfer()
        west = new_test_user(
            self.env, "channel_sales_west", groups="channel_base.group_channel_sales", company_id=self.company.id
        )
        west.channel_region_ids = self.region_west
        Transfer = self.env["channel.order.transfer"]
        self.assertFalse(Transfer.with_user(west).search([("id", "=", transfer.id)]))
        transfer.target_partner_id = self.other_dealer
        self.assertTrue(Transfer.with_user(west).search([("id", "=", transfer.id)]))
        self.assertTrue(Transfer.with_user(self.user_sales).search([("id", "=", transfer.id)]))
        with self.assertRaises(AccessError):
            self._transfer(user=west)
        self.env.invalidate_all()
        form = Form(transfer.with_user(west))
        self.assertEqual(form.line_ids.edit(0).open_quantity, 10, "the document is shown, though not the other's order")
        with self.assertRaises(AccessError):
            self.order.with_user(west).read(["name"])

    def test_every_position_reads_it(self):
        """Drafts too, where what can be moved is counted; who has no position opens the orders as before."""
        draft, done = self._transfer({self.device_line: 1}), self._transfer({self.device_line: 4}, approve=True)
        for position in POSITIONS:
            user = getattr(self, f"user_{position}")
            for transfer in (draft, done):
                with self.subTest(position=position, transfer=transfer.state):
                    self.env.invalidate_all()
                    form = Form(transfer.with_user(user))
                    self.assertEqual(len(form.line_ids), 1)
                    self.assertEqual(self.order.with_user(user).channel_transfer_count, 2)
        Form(self.order.with_user(self.user_internal))

    def test_other_companies_do_not_see_it(self):
        transfer = self._transfer()
        company = self._other_company()
        other = new_test_user(
            self.env, "channel_other_company", groups="channel_base.group_channel_manager", company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        Transfer = self.env["channel.order.transfer"].with_user(other)
        self.assertFalse(Transfer.search([("id", "=", transfer.id)]))
        transfer.write({"kind": "company", "target_company_id": company.id})
        self.assertTrue(Transfer.search([("id", "=", transfer.id)]))
        self.env.invalidate_all()
        self.assertEqual(len(Form(Transfer.browse(transfer.id)).line_ids), 2)
        transfer.with_user(self.user_manager).action_approve()
        self.env.invalidate_all()
        Form(Transfer.browse(transfer.id))
        Form(transfer.new_order_id.with_user(other))

    def test_journal_and_messages(self):
        transfer = self._transfer({self.device_line: 4}, approve=True)
        entries = self.env["channel.audit.entry"].sudo().search(
            [("model", "=", transfer._name), ("res_id", "=", transfer.id)]
        )
        self.assertEqual(set(entries.mapped("action")), {"approval.approved", "order.transferred"})
        entry = entries.filtered(lambda entry: entry.action == "order.transferred")
        self.assertEqual((entry.user_id, entry.reason), (self.user_manager, "The dealer cannot deliver"))
        self.assertIn(transfer.new_order_id.name, entry.after)
        for order, other in ((self.order, transfer.new_order_id), (transfer.new_order_id, self.order)):
            note = order.message_ids.filtered(lambda message, other=other: other.name in (message.body or ""))
            self.assertTrue(note)
            self.assertTrue(all(note.mapped("subtype_id.internal")), "the portal does not show the other's order")

    # Input

    def test_what_makes_no_sense(self):
        draft = self._order([(self.device, 1)], confirm=False)
        line = draft.order_line
        warehouse = self.order.warehouse_id
        for values in (
            {"target_partner_id": False},
            {"target_partner_id": self.dealer.id},
            {"target_partner_id": self.hospital.id},
            {"kind": "warehouse"},
            {"kind": "warehouse", "target_warehouse_id": warehouse.id},
            {"kind": "company", "target_company_id": self.company.id},
            {"quantities": {self.device_line: 11}},
            {"quantities": {line: 1}},
            {"order": draft},
        ):
            with self.assertRaises(UserError), self.cr.savepoint():
                self._transfer(**values)

    def test_only_the_target_of_the_kind(self):
        """Nobody else is on the document: who is on it sees it."""
        warehouse = self.env["stock.warehouse"].create({"name": "Test South", "code": "TSOU"})
        transfer = self._transfer()
        transfer.write({"kind": "warehouse", "target_warehouse_id": warehouse.id})
        self.assertFalse(transfer.target_partner_id)
        with self.assertRaises(ValidationError):
            transfer.target_partner_id = self.east_dealer

    def test_locked_order(self):
        self.order.locked = True
        with self.assertRaises(UserError) as catcher:
            self.order.action_channel_transfer()
        self.assertIn("Unlock it", str(catcher.exception))

    def test_dates(self):
        self.assertEqual(self._transfer().date, fields.Date.today())
