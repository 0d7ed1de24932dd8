from odoo.fields import Command

from .common import ChannelOrderCommon


class ChannelOrderingCommon(ChannelOrderCommon):
    """The dealer may buy everything in the east, at the prices of ``table``:

    * ``device`` (CATH-1): 100 each, sold by the unit or the box of ten, by the box at least once a test says so
    * ``consumable`` (GAUZE): 10 each, ``hospital`` pays 9
    * ``foreign_product`` (WEST-1) is only for who is authorised for it, which the dealer is not
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.channel_portal_confirms = False
        cls.device.write({"default_code": "CATH-1", "barcode": "6901234567892"})
        cls.consumable.write({"default_code": "GAUZE"})
        cls.authorization.with_user(cls.user_manager).action_revoke("Narrowed for the tests")
        cls.authorization = cls._channel_authorization(
            cls.dealer, cls.region_east, all_products=False,
            product_ids=[Command.set((cls.device | cls.consumable).ids)],
        )
        cls.foreign_product = cls.env["product.product"].create(
            cls._channel_product_values("Test Stent West", default_code="WEST-1", list_price=50.0)
        )
        cls.foreign_product.product_tmpl_id.channel_needs_authorization = True
        cls._channel_rule(100)
        cls._channel_rule(10, cls.consumable)
        cls._channel_rule(9, cls.consumable, cls.segment_hospital)
        cls._channel_severity("member_authorization", "block")
        cls.Orders = cls.env["channel.order"]

    def _values(self, **values):
        return {
            "customer_id": self.hospital.id,
            "client_order_ref": "PO-1",
            "lines": [
                {"default_code": "CATH-1", "quantity": 2, "uom": "Test Box of 10"},
                {"default_code": "GAUZE", "quantity": 5},
            ],
            **values,
        }

    def _submit(self, key="K-1", user=None, **values):
        return self.Orders.with_user(user or self.user_portal).submit(self._values(**values), key)

    def _made(self, **domain):
        return self.env["sale.order"].search([
            ("partner_id", "=", self.dealer.id), ("channel_source", "!=", False),
            *((name, "=", value) for name, value in domain.items()),
        ])
