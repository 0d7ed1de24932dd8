from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.channel_contract.tests.common import ChannelContractCommon

#: Queries of all checks of all add-ons together for one order, from an empty cache.
BUDGET = 36
LINES = 200


@tagged("post_install", "-at_install")
class TestGateCost(ChannelContractCommon):
    """What the gate asks the database, with every check of the suite."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.products = cls.env["product.product"].create([
            cls._channel_product_values(
                f"Device {number}",
                list_price=100.0,
                channel_device_class="III",
                channel_category_ids=[Command.set(cls.device_category.ids)],
            )
            for number in range(LINES)
        ])
        for template in cls.products.product_tmpl_id:
            cls._channel_certify(template)

    @classmethod
    def _channel_certify(cls, template):
        """Give a device the certificate that the standard one has."""
        template.channel_registration_ids = cls.device.product_tmpl_id.channel_registration_ids

    def _order(self, number):
        return self._channel_order([(product, 1) for product in self.products[:number]], customer=self.hospital)

    def _count(self, operation, documents):
        self.env.flush_all()
        self.env.invalidate_all()
        requests = documents.sudo()._channel_gate_requests(operation)
        start = self.env.cr.sql_log_count
        findings = self.env["channel.gate"]._run(requests)
        return self.env.cr.sql_log_count - start, findings

    def _checks(self, operation):
        return self.env["channel.gate.check"].search([("operation_ids.code", "=", operation)]).mapped("code")

    def test_order(self):
        """200 lines: at most 30 queries in all checks; 20 lines: as many, within a few."""
        small, large = self._order(20), self._order(LINES)
        self._count("order", small)  # what is cached for the whole process is read once
        few, _findings = self._count("order", small)
        many, findings = self._count("order", large)
        self.assertFalse([finding.message for finding in findings if finding.severity == "block"])
        self.assertLessEqual(many, BUDGET, self._checks("order"))
        self.assertLessEqual(many, few + 3)

    def test_order_with_findings(self):
        """Findings on every line cost no query for each of them."""
        self.authorization.with_user(self.user_manager).action_revoke(reason="test", date="2026-01-01")
        small, large = self._order(20), self._order(LINES)
        self._count("order", small)
        few, _findings = self._count("order", small)
        many, findings = self._count("order", large)
        self.assertGreaterEqual(len(findings), LINES)
        self.assertLessEqual(many, BUDGET, self._checks("order"))
        self.assertLessEqual(many, few + 3)

    def test_ten_orders(self):
        """Ten orders at once cost hardly more than one."""
        orders = self.env["sale.order"].union(*(self._order(20) for _number in range(10)))
        self._count("order", orders)
        one, _findings = self._count("order", orders[0])
        ten, _findings = self._count("order", orders)
        self.assertLessEqual(ten, one + 5)
