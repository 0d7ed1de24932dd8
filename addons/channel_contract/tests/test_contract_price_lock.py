from odoo.tests import tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractPriceLock(ChannelContractCommon):
    """A price that was agreed in a contract is not updated on a quotation that was sent, unless somebody ticks it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._channel_rule(100)
        cls.rule = cls._channel_rule(70, channel_contract_version_id=cls.contract.version_ids.id)
        cls.order = cls._channel_order([(cls.device, 1)])

    def _preview(self):
        return self.env["channel.price.update"]._preview(self.order)

    def test_a_sent_quotation_keeps_the_contract_s_price(self):
        line = self.order.order_line
        self.assertEqual((line.price_unit, line.channel_agreed_version_id), (70, self.contract.version_ids))
        self.order.action_quotation_sent()
        self.rule.fixed_price = 75
        self.order.action_update_prices()
        self.assertEqual(line.price_unit, 70)
        [change] = self._preview()
        self.assertEqual((change["price_after"], change["is_agreed"], change["chosen"]), (75, True, False))

    def test_a_draft_follows_its_contract(self):
        self.rule.fixed_price = 75
        self.order.action_update_prices()
        self.assertEqual(self.order.order_line.price_unit, 75)

    def test_a_price_typed_by_hand_was_not_agreed(self):
        self.order.order_line.price_unit = 60
        self.assertFalse(self.order.order_line.channel_agreed_version_id)
