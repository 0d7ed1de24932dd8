from contextlib import contextmanager

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.channel_base.tools.gate import GateRefusal

#: Position -> user attribute ``user_<position>``, group ``channel_base.group_channel_<position>``
POSITIONS = (
    "sales",
    "manager",
    "pricing",
    "contract",
    "finance",
    "compliance",
    "executive",
    "auditor",
    "admin",
)


class ChannelCommon(AccountTestInvoicingCommon):
    """A small channel to test with. Add-ons extend it by overriding the ``_channel_*_values`` class methods and
    ``setUpClass``.

    * regions: ``region_east`` (area) > ``region_city``; ``region_west`` (area)
    * partners: ``dealer`` and ``sub_dealer`` in the east, ``other_dealer`` in the west, ``hospital``
    * products: ``device`` (storable, by lot, with expiration dates, 100.00), ``consumable`` (10.00);
      ``uom_box`` = 10 units
    * users: one for each position (``user_sales`` in charge of the east, ``user_manager``, ...), ``user_portal`` of
      the dealer, ``user_internal`` without a position
    """

    @classmethod
    def get_default_groups(cls):
        return (
            super().get_default_groups()
            | cls.quick_ref("channel_base.group_channel_admin")
            | cls.quick_ref("stock.group_stock_manager")
            | cls.quick_ref("stock.group_production_lot")
            | cls.quick_ref("uom.group_uom")
        )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.company.partner_id.tz = "UTC"
        cls._channel_setup_checks()
        cls._channel_setup_regions()
        cls._channel_setup_partners()
        cls._channel_setup_products()
        cls._channel_setup_users()

    def setUp(self):
        super().setUp()
        # Refused attempts are stored after the transaction; the transaction of a test never ends, so that they would
        # be written to the real database when its cursor is closed.
        self.addCleanup(self._channel_forget_refusals)

    @classmethod
    def tearDownClass(cls):
        cls._channel_forget_refusals()
        super().tearDownClass()

    @classmethod
    def _channel_forget_refusals(cls):
        for callbacks in (cls.env.cr.postrollback, cls.env.cr.postcommit):
            callbacks.clear()

    # === SETUP === #

    @classmethod
    def _channel_setup_checks(cls):
        """Leave only the gate checks of the add-on under test and of those that it depends on.

        Tests run with the whole suite installed, and what an add-on higher up asks of an order is not known here.
        """
        addon = cls.__module__.split(".")[2]
        module = cls.env["ir.module.module"].sudo().search([("name", "=", addon)])
        known = set((module | module.upstream_dependencies(exclude_states=("uninstallable",))).mapped("name"))
        checks = cls.env["channel.gate.check"].sudo().search([])
        names = checks.get_external_id()
        checks.filtered(lambda check: names[check.id] and names[check.id].split(".")[0] not in known).active = False

    @classmethod
    def _channel_setup_regions(cls):
        # A country that no localisation of the suite fills, so that codes and addresses do not collide.
        Region = cls.env["channel.region"]
        country = cls.env.ref("base.nz")
        cls.region_east = Region.create(
            {"name": "Test East", "code": "T-EAST", "level": "area", "country_id": country.id}
        )
        cls.region_city = Region.create(
            {"name": "Test City", "code": "T-CITY", "level": "prefecture", "parent_id": cls.region_east.id}
        )
        cls.region_west = Region.create(
            {"name": "Test West", "code": "T-WEST", "level": "area", "country_id": country.id}
        )

    @classmethod
    def _channel_member_values(cls, name, region, **values):
        """:return: values of a partner that buys in the channel; add-ons add what makes it a member in good standing"""
        return {"name": name, "is_company": True, "channel_region_manual_id": region.id, **values}

    @classmethod
    def _channel_hospital_values(cls, name, region, **values):
        """:return: values of an end customer"""
        return {"name": name, "is_company": True, "channel_region_manual_id": region.id, **values}

    @classmethod
    def _channel_setup_partners(cls):
        Partner = cls.env["res.partner"]
        cls.dealer = Partner.create(cls._channel_member_values("Test Dealer", cls.region_city))
        cls.sub_dealer = Partner.create(cls._channel_member_values("Test Sub-dealer", cls.region_city))
        cls.other_dealer = Partner.create(cls._channel_member_values("Test Dealer West", cls.region_west))
        cls.hospital = Partner.create(cls._channel_hospital_values("Test Hospital", cls.region_city))

    @classmethod
    def _channel_product_values(cls, name, **values):
        return {"name": name, "type": "consu", "uom_id": cls.uom_unit.id, "taxes_id": [Command.clear()], **values}

    @classmethod
    def _channel_setup_products(cls):
        cls.uom_box = cls.env["uom.uom"].create(
            {"name": "Test Box of 10", "relative_uom_id": cls.uom_unit.id, "relative_factor": 10.0}
        )
        Product = cls.env["product.product"]
        cls.device = Product.create(
            cls._channel_product_values(
                "Test Catheter",
                is_storable=True,
                tracking="lot",
                use_expiration_date=True,
                list_price=100.0,
                uom_ids=[Command.set(cls.uom_box.ids)],
            )
        )
        cls.consumable = Product.create(cls._channel_product_values("Test Gauze", list_price=10.0))

    @classmethod
    def _channel_setup_users(cls):
        for position in POSITIONS:
            user = new_test_user(
                cls.env,
                login=f"channel_{position}",
                groups=f"channel_base.group_channel_{position}",
                company_id=cls.company.id,
            )
            setattr(cls, f"user_{position}", user)
        cls.user_sales.channel_region_ids = cls.region_east
        cls.user_internal = new_test_user(
            cls.env,
            login="channel_nobody",
            groups="sales_team.group_sale_salesman_all_leads",
            company_id=cls.company.id,
        )
        cls.user_portal = new_test_user(
            cls.env,
            login="channel_portal",
            groups="base.group_portal",
            company_id=cls.company.id,
            partner_id=cls.env["res.partner"].create({"name": "Test Buyer", "parent_id": cls.dealer.id}).id,
        )

    # === DOCUMENTS === #

    @classmethod
    def _channel_order(cls, lines=None, partner=None, customer=None, confirm=False, **values):
        """Make a sales order.

        :param list lines: ``(product, quantity)`` or ``(product, quantity, price)``; one device when left out
        :param partner: the member, ``dealer`` when left out
        :param customer: the end customer, if any
        """
        order = cls.env["sale.order"].create(
            {
                "partner_id": (partner or cls.dealer).id,
                "channel_end_customer_id": customer.id if customer else False,
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            **({"price_unit": price[0]} if price else {}),
                        }
                    )
                    for product, quantity, *price in (lines or [(cls.device, 1)])
                ],
                **values,
            }
        )
        if confirm:
            order.action_confirm()
        return order

    @classmethod
    def _channel_lot(cls, name, product=None, quantity=0.0, **values):
        """Make a lot, with stock on hand in the company's warehouse."""
        product = product or cls.device
        lot = cls.env["stock.lot"].create({"name": name, "product_id": product.id, **values})
        if quantity:
            location = cls._channel_warehouse().lot_stock_id
            cls.env["stock.quant"]._update_available_quantity(product, location, quantity, lot_id=lot)
        return lot

    @classmethod
    def _channel_warehouse(cls):
        return cls.env["stock.warehouse"].search([("company_id", "=", cls.company.id)], limit=1)

    @classmethod
    def _channel_deliver(cls, order, lot=None):
        """Deliver everything open of a confirmed order, from one lot if given.

        :return: the pickings
        """
        pickings = order.picking_ids.filtered(lambda picking: picking.state not in ("done", "cancel"))
        for move in pickings.move_ids:
            values = {"picked": True}
            if lot and move.product_id == lot.product_id:
                move.move_line_ids.unlink()
                values["move_line_ids"] = [
                    Command.create(
                        {
                            "product_id": move.product_id.id,
                            "quantity": move.product_qty,
                            "product_uom_id": move.product_id.uom_id.id,
                            "lot_id": lot.id,
                            "location_id": move.location_id.id,
                            "location_dest_id": move.location_dest_id.id,
                            "picking_id": move.picking_id.id,
                        }
                    )
                ]
            else:
                values["quantity"] = move.product_uom_qty
            move.write(values)
        pickings.with_context(skip_expired=True).button_validate()
        return pickings

    @classmethod
    def _channel_invoice(cls, order, post=True, date=None):
        """Invoice everything ordered, whatever the invoicing policy.

        :return: the invoice
        """
        order.order_line.product_id.invoice_policy = "order"
        invoice = order._create_invoices()
        invoice.invoice_date = date or fields.Date.today()
        if post:
            invoice.action_post()
        return invoice

    # === GATE === #

    @contextmanager
    def assertRefused(self, *codes):
        """The block is refused by the gate, for exactly these checks."""
        with self.assertRaises(GateRefusal) as catcher:
            yield catcher
        self.assertEqual(catcher.exception.codes, set(codes))
        for code in codes:
            self.assertIn(f"[{code}]", str(catcher.exception))

    @classmethod
    def _channel_severity(cls, code, severity):
        """Set how severe a check is in the test's company: ``block``, ``warn`` or ``off``."""
        check = cls.env["channel.gate.check"].search([("code", "=", code)])
        rows = cls.env["channel.gate.severity"]
        row = rows.search([("check_id", "=", check.id), ("company_id", "=", cls.company.id)])
        if row:
            row.severity = severity
        else:
            rows.create({"check_id": check.id, "company_id": cls.company.id, "severity": severity})
