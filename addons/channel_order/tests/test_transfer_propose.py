from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .test_transfer import ChannelTransferCommon


@tagged("post_install", "-at_install")
class TestTransferPropose(ChannelTransferCommon):
    """To whom an order could go, by rule, and why."""

    def _propose(self, *args, user=None, **kwargs):
        return self.env["channel.order.transfer"].with_user(user or self.user_sales).propose(
            self.order.id, *args, **kwargs
        )

    def test_dealers_authorised_for_the_hospital(self):
        targets = self._propose(["dealer"])
        self.assertEqual(
            [target["partner_id"] for target in targets], (self.east_dealer | self.sub_dealer).ids,
            "the order's own dealer is none, nor one authorised in the west",
        )
        target = targets[0]
        self.assertEqual(
            {key: target[key] for key in ("kind", "name", "covered", "asked")},
            {"kind": "dealer", "name": "Test Dealer East", "covered": 2, "asked": 2},
        )
        self.assertEqual(target["lines"], [
            {"order_line_id": self.device_line.id, "quantity": 10, "covered": True},
            {"order_line_id": self.gauze_line.id, "quantity": 20, "covered": True},
        ])
        self.assertIn(self.authorization_east.number, target["reason"])
        self.assertIn(self.hospital.name, target["reason"])

    def test_not_whom_the_gate_would_refuse(self):
        self.env["channel.qualification"].search([("partner_id", "=", self.east_dealer.id)]).with_user(
            self.user_compliance
        ).action_revoke("Test")
        names = [target["name"] for target in self._propose(["dealer"])]
        self.assertNotIn("Test Dealer East", names)
        self.assertIn("Test Sub-dealer", names)

    def test_authorised_for_some_of_the_products(self):
        """Who covers more comes first; who covers part is told as such."""
        self.authorization_east.with_user(self.user_manager).action_revoke("Test")
        self._channel_authorization(
            self.east_dealer, self.region_east, all_products=False, product_ids=[Command.set(self.device.ids)]
        )
        self.consumable.channel_needs_authorization = True
        self.assertEqual(
            [(target["name"], target["covered"]) for target in self._propose(["dealer"])],
            [("Test Sub-dealer", 2), ("Test Dealer East", 1)],
        )

    def test_without_end_customer_the_region_of_the_dealer_counts(self):
        self.order.channel_end_customer_id = False
        names = [target["name"] for target in self._propose(["dealer"])]
        self.assertEqual(names, ["Test Dealer East", "Test Sub-dealer"])

    def test_warehouses_with_free_stock(self):
        south, north = self.env["stock.warehouse"].create([
            {"name": "Test South", "code": "TSOU"}, {"name": "Test North", "code": "TNOR"},
        ])
        lot = self._channel_lot("LOT-S", expiration_date="2099-12-31")
        self.env["stock.quant"]._update_available_quantity(self.device, south.lot_stock_id, 10, lot_id=lot)
        self.env["stock.quant"]._update_available_quantity(self.device, north.lot_stock_id, 9, lot_id=lot)
        (target,) = self._propose(["warehouse"])
        self.assertEqual((target["warehouse_id"], target["covered"]), (south.id, 1))
        self.assertIn(self.device.display_name, target["reason"])
        both = self._propose(["warehouse"], [{"order_line_id": self.device_line.id, "quantity": 9}])
        self.assertEqual({target["warehouse_id"] for target in both}, {south.id, north.id})

    def test_companies_that_may_sell_and_have_it(self):
        company = self.env["res.company"].create({"name": "Test Platform"})
        self.user_sales.company_ids |= company
        self.env.user.company_ids |= company
        (target,) = self._propose(["company"], user=self.user_sales)
        self.assertEqual(target["covered"], 1, "gauze is not stocked and needs no authorization, catheters need both")
        authorization = self.env["channel.authorization"].create({
            "partner_id": self.dealer.id, "company_id": company.id, "date_from": "2020-01-01", "all_products": True,
            "region_ids": [Command.set(self.region_east.ids)],
        })
        authorization.sudo()._approve()
        (target,) = self._propose(["company"], user=self.user_sales)
        self.assertEqual((target["company_id"], target["covered"]), (company.id, 1), "authorised, and not in stock")
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        lot = self._channel_lot("LOT-P", expiration_date="2099-12-31")
        self.env["stock.quant"]._update_available_quantity(self.device, warehouse.lot_stock_id, 10, lot_id=lot)
        (target,) = self._propose(["company"], user=self.user_sales)
        self.assertEqual(target["covered"], 2)
        self.assertIn(authorization.number, target["reason"])

    def test_the_button_opens_the_best_proposal(self):
        """A new transfer with everything that is not delivered, and the dealer whom the rule has found."""
        self._deliver(self.order, {self.device_line: 3})
        action = self.order.with_user(self.user_sales).action_channel_transfer()
        form = Form(self.env[action["res_model"]].with_user(self.user_sales).with_context(**action["context"]))
        self.assertEqual((form.kind, form.target_partner_id), ("dealer", self.east_dealer))
        self.assertIn("Test Sub-dealer", form.proposal_html)
        form.reason = "No stock"
        transfer = form.save()
        self.assertEqual(transfer.line_ids.mapped("quantity"), [7, 20])
        self.assertEqual(transfer.state, "draft")

    def test_whom_the_user_may_not_see_is_not_named(self):
        self.region_other = self.env["channel.region"].create(
            {"name": "Elsewhere", "code": "T-ELSE", "level": "area", "country_id": self.env.ref("base.nz").id}
        )
        self.east_dealer.channel_region_manual_id = self.region_other
        self.assertNotIn("Test Dealer East", [target["name"] for target in self._propose(["dealer"])])
        self.assertIn(
            "Test Dealer East", [target["name"] for target in self._propose(["dealer"], user=self.user_manager)]
        )

    def test_input(self):
        Transfer = self.env["channel.order.transfer"].with_user(self.user_sales)
        for order_id in ("x", True, 0):
            with self.assertRaises(ValidationError):
                Transfer.propose(order_id)
        with self.assertRaises(ValidationError):
            self._propose(["planet"])
        for lines in (
            [{"order_line_id": 0, "quantity": 1}],
            [{"order_line_id": self.device_line.id, "quantity": 11}],
            [{"order_line_id": self.device_line.id, "quantity": -1}],
            [{"order_line_id": self.device_line.id}],
            ["x"],
        ):
            with self.assertRaises(ValidationError):
                self._propose(lines=lines)
        with self.assertRaises(UserError):
            Transfer.propose(self._order([(self.device, 1)], confirm=False).id)
        for user in (self.user_portal, self.user_internal):
            with self.assertRaises(AccessError):
                self._propose(user=user)

    def test_everything_delivered(self):
        self._deliver(self.order, {self.device_line: 10, self.gauze_line: 20})
        self.assertEqual(self._propose(), [])
        with self.assertRaises(UserError):
            self.order.action_channel_transfer()

    def test_query_shape(self):
        """Ten lines and a hundred ask the database as often: the proposal, and what is checked before the approval."""
        products = self.env["product.product"].create([
            self._channel_product_values(f"Test Part {number}", list_price=10, is_storable=True)
            for number in range(100)
        ])
        orders = {
            size: self._order([(product, 5) for product in products[:size]], channel_end_customer_id=self.hospital.id)
            for size in (10, 100)
        }
        transfers = {size: self._transfer(order=order) for size, order in orders.items()}
        Transfer = self.env["channel.order.transfer"].with_user(self.user_manager)

        def count(call, size):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            call(size)
            return self.env.cr.sql_log_count - start

        for call in (
            lambda size: Transfer.propose(orders[size].id),
            lambda size: transfers[size].sudo()._approval_before(),
            lambda size: orders[size].order_line._channel_transferable(),
        ):
            count(call, 10)  # what is asked once for each process is not counted
            with self.subTest(call=call):
                self.assertLessEqual(count(call, 100), count(call, 10) + 6)
