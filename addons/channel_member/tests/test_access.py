from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import ChannelMemberCommon

OPERATIONS = ("read", "write", "create", "unlink")

#: model -> position -> operations allowed by access lines (not by rules); positions not named may only read
ALLOWED = {
    "channel.qualification.type": {"compliance": "rwcu", "admin": "rwcu"},
    "channel.device.category": {"compliance": "rwcu", "admin": "rwcu"},
    "channel.hospital.grade": {"admin": "rwcu"},
    "channel.qualification": {"sales": "rwcu", "manager": "rwcu", "compliance": "rwcu", "admin": "rwcu"},
    "channel.authorization": {
        "sales": "rwcu", "manager": "rwcu", "contract": "rwcu", "compliance": "rwcu", "admin": "rwcu",
    },
}
POSITIONS = ("sales", "manager", "pricing", "contract", "finance", "compliance", "executive", "auditor", "admin")


@tagged("post_install", "-at_install")
class TestAccess(ChannelMemberCommon):
    def test_matrix(self):
        """Every position x every model x every operation."""
        for model, by_position in ALLOWED.items():
            for position in POSITIONS:
                records = self.env[model].with_user(getattr(self, f"user_{position}"))
                allowed = by_position.get(position, "r")
                for operation in OPERATIONS:
                    with self.subTest(model=model, position=position, operation=operation):
                        self.assertEqual(records.has_access(operation), operation[0] in allowed)

    def test_without_position(self):
        for model in ("channel.qualification", "channel.authorization", "channel.qualification.type"):
            self.assertFalse(self.env[model].with_user(self.user_internal).has_access("read"), model)

    # === REGIONS === #

    def _documents(self, dealer):
        order = self._channel_order(partner=dealer, confirm=True)
        invoice = self._channel_invoice(order)
        return [order, order.order_line, order.picking_ids, invoice, invoice.line_ids, dealer,
                dealer.channel_qualification_ids, dealer.channel_authorization_ids]

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_regional_user(self):
        """A regional user sees members and documents of the own regions and below, and nobody else's."""
        own, foreign = self._documents(self.dealer), self._documents(self.other_dealer)
        for records in own:
            with self.subTest(model=records._name):
                records.with_user(self.user_sales).check_access("read")
                self.assertEqual(records.with_user(self.user_sales).search([("id", "in", records.ids)]), records)
        for records in foreign:
            with self.subTest(model=records._name):
                self.assertFalse(records.with_user(self.user_sales).search([("id", "in", records.ids)]))
                with self.assertRaises(AccessError):
                    records.with_user(self.user_sales).check_access("read")
                with self.assertRaises(AccessError):
                    records.with_user(self.user_sales).check_access("write")

    def test_manager_sees_all_regions(self):
        for records in self._documents(self.dealer) + self._documents(self.other_dealer):
            self.assertEqual(records.with_user(self.user_manager).search([("id", "in", records.ids)]), records)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_other_groups_do_not_open_the_region(self):
        """Global rules: a regional user who is also a sales manager of Odoo stays in the region."""
        user = new_test_user(
            self.env, login="regional_and_more",
            groups="channel_base.group_channel_sales,sales_team.group_sale_manager,account.group_account_invoice,"
            "stock.group_stock_manager",
            company_id=self.company.id,
        )
        user.channel_region_ids = self.region_east
        for records in self._documents(self.other_dealer):
            with self.subTest(model=records._name):
                self.assertFalse(records.with_user(user).search([("id", "in", records.ids)]))

    def test_regional_user_keeps_the_rest(self):
        """Partners who are no members, and documents with them or with nobody, are not regional."""
        stranger = self.env["res.partner"].create({"name": "Stranger", "is_company": True})
        order = self._channel_order([(self.consumable, 1)], partner=stranger)
        for records in (stranger, order, order.order_line, self.company.partner_id, self.user_sales.partner_id):
            records.with_user(self.user_sales).check_access("read")
        transfer = self.env["stock.picking"].create({"picking_type_id": self._channel_warehouse().int_type_id.id})
        user = new_test_user(
            self.env, login="regional_stock", groups="channel_base.group_channel_sales,stock.group_stock_user",
            company_id=self.company.id,
        )
        transfer.with_user(user).check_access("read")

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_rules_follow_the_user_and_the_member(self):
        """Who gets a region, and who moves into it, is seen from then on."""
        self.assertFalse(self.other_dealer.with_user(self.user_sales).has_access("read"))
        self.user_sales.channel_region_ids = self.region_west
        self.assertTrue(self.other_dealer.with_user(self.user_sales).has_access("read"))
        self.assertFalse(self.dealer.with_user(self.user_sales).has_access("read"))
        self.dealer.channel_region_manual_id = self.region_west
        self.assertTrue(self.dealer.with_user(self.user_sales).has_access("read"))
        self.user_sales.channel_region_ids = False
        self.assertFalse(self.dealer.with_user(self.user_sales).has_access("read"))

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_sales_orders_in_the_region(self):
        """The least privileged who may: Sales enters and confirms an order of a member of the own region."""
        order = self.env["sale.order"].with_user(self.user_sales).create({
            "partner_id": self.dealer.id,
            "channel_end_customer_id": self.hospital.id,
            "order_line": [Command.create({"product_id": self.device.id, "product_uom_qty": 1})],
        })
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        with self.assertRaises(AccessError):
            self.env["sale.order"].with_user(self.user_sales).create({"partner_id": self.other_dealer.id})

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_bank_accounts(self):
        """Bank accounts of members are for accounting; those of others stay as they were."""
        banks = self.env["res.partner.bank"].sudo()
        of_member = banks.create({"acc_number": "MEMBER-1", "partner_id": self.dealer.id})
        own = banks.create({"acc_number": "OWN-1", "partner_id": self.company.partner_id.id})
        for user, sees in (
            (self.user_sales, own), (self.user_manager, own), (self.user_compliance, own),
            (self.user_finance, own | of_member), (self.user_auditor, own | of_member),
        ):
            with self.subTest(user=user.login):
                self.assertEqual(banks.with_user(user).search([("id", "in", (own | of_member).ids)], order="id"),
                                 (own | of_member) & sees if sees == own else of_member | own)

    # === COMPANIES === #

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_companies(self):
        other = self.env["res.company"].sudo().create({"name": "Second Company"})
        foreign = self.authorization.sudo().copy({"company_id": other.id})
        self.assertFalse(foreign.with_user(self.user_manager).has_access("read"))
        self.assertTrue(self.authorization.with_user(self.user_manager).has_access("read"))

    # === FIELDS === #

    def test_identity_document_of_the_representative(self):
        for position, may in (("sales", True), ("compliance", True), ("executive", False), ("finance", False)):
            fields_seen = self.env["channel.authorization"].with_user(getattr(self, f"user_{position}")).fields_get()
            self.assertEqual("representative_identity" in fields_seen, may, position)
