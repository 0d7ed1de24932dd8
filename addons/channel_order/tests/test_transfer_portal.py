from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from .test_transfer import ChannelTransferCommon


@tagged("post_install", "-at_install")
class TestTransferPortal(HttpCase, ChannelTransferCommon):
    """Both dealers see on their own order what was transferred, and no price of the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user_east = new_test_user(
            cls.env, "channel_portal_east", groups="base.group_portal", company_id=cls.company.id,
            partner_id=cls.env["res.partner"].create({"name": "East Buyer", "parent_id": cls.east_dealer.id}).id,
        )
        cls.user_west = new_test_user(
            cls.env, "channel_portal_west", groups="base.group_portal", company_id=cls.company.id,
            partner_id=cls.env["res.partner"].create({"name": "West Buyer", "parent_id": cls.other_dealer.id}).id,
        )
        cls.transfer = cls._transfer({cls.device_line: 4}, approve=True)
        cls.new = cls.transfer.new_order_id

    def _page(self, user, order):
        self.authenticate(user.login, user.login)
        return self.url_open(f"/my/orders/{order.id}")

    def test_the_old_dealer(self):
        page = self._page(self.user_portal, self.order).text
        self.assertIn("transferred to Test Dealer East", page)
        self.assertIn("Test Catheter: 4", page)
        self.assertNotIn(self.new.name, page)
        self.assertNotIn("95.00", page)

    def test_the_new_dealer(self):
        page = self._page(self.user_east, self.new).text
        self.assertIn("transferred to you from Test Dealer", page)
        self.assertNotIn(f">{self.order.name}<", page)
        self.assertNotIn("90.00", page)
        self.assertNotIn("The dealer cannot deliver", page)

    def test_taken_back(self):
        self.transfer.with_user(self.user_manager).action_take_back("Again")
        page = self._page(self.user_portal, self.order).text
        self.assertIn("A transfer of this order was taken back", page)

    def test_warehouse_names_the_own_order(self):
        warehouse = self.env["stock.warehouse"].create({"name": "Test South", "code": "TSOU"})
        transfer = self._transfer(
            {self.device_line: 2}, kind="warehouse", target_warehouse_id=warehouse.id, approve=True
        )
        self.assertIn(transfer.new_order_id.name, self._page(self.user_portal, self.order).text)
        self.assertIn(self.order.name, self._page(self.user_portal, transfer.new_order_id).text)

    def test_over_the_api(self):
        """A client outside asks to whom an order could go, on a connection that may only read."""
        key = self.env["res.users.apikeys"].with_user(self.user_manager)._generate(
            "rpc", "Test", fields.Datetime.now() + timedelta(days=1)
        )
        answer = self.url_open(
            "/json/2/channel.order.transfer/propose",
            json={"order_id": self.order.id, "kinds": ["dealer"]},
            headers={"Authorization": f"bearer {key}"},
        )
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(
            [(target["name"], target["covered"]) for target in answer.json()],
            [("Test Dealer East", 2), ("Test Sub-dealer", 2)],
        )

    def test_guessed_ids(self):
        for user, order in ((self.user_portal, self.new), (self.user_east, self.order), (self.user_west, self.new)):
            page = self._page(user, order)
            self.assertNotIn(order.name, page.text)
        Transfer = self.env["channel.order.transfer"]
        draft = self._transfer({self.device_line: 1})
        for user in (self.user_portal, self.user_east):
            mine = Transfer.with_user(user).search([])
            self.assertEqual(mine, self.transfer)
            self.assertEqual(mine.line_ids.mapped("quantity"), [4])
            for name in ("reason", "order_id", "new_order_id"):
                with self.assertRaises(AccessError):
                    mine.read([name])
            with self.assertRaises(AccessError):
                mine.line_ids.read(["order_line_id"])
            with self.assertRaises(AccessError):
                draft.with_user(user).read(["name"])
            with self.assertRaises(AccessError):
                mine.action_take_back("Mine")
        self.assertFalse(Transfer.with_user(self.user_west).search([]))
        self.assertFalse(self.env["channel.order.transfer.line"].with_user(self.user_west).search([]))
        with self.assertRaises(AccessError):
            self.order.with_user(self.user_portal).read(["channel_transfer_ids"])
        with self.assertRaises(AccessError):
            self.new.with_user(self.user_east).read(["channel_transferred_from_id"])
