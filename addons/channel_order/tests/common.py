from odoo.fields import Command

from odoo.addons.channel_contract.tests.common import ChannelContractCommon


class ChannelOrderCommon(ChannelContractCommon):
    """Orders of dealers for hospitals. What the gate asks about a sale is off, unless a test puts it back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for check in cls.env["channel.gate.check"].search([]):
            cls._channel_severity(check.code, "off")

    @classmethod
    def _order(cls, lines, member=None, confirm=True, **values):
        """:param lines: pairs ``(product, quantity)``. :return: ``sale.order`` of a member, the dealer unless given"""
        order = cls.env["sale.order"].create({
            "partner_id": (member or cls.dealer).id,
            "order_line": [
                Command.create({"product_id": product.id, "product_uom_qty": quantity}) for product, quantity in lines
            ],
            **values,
        })
        if confirm:
            order.action_confirm()
        return order
