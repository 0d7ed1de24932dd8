import threading
from datetime import date, timedelta

from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from odoo.addons.channel_base.tools.gate import GateRefusal


@tagged("post_install", "-at_install")
class TestPriceRequestConcurrency(BaseCase):
    """Two orders for the last units of a special price at the same moment: real transactions, removed at the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())

    def _env(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {})

    def setUp(self):
        super().setUp()
        with self.registry.cursor() as cr:
            env = self._env(cr)
            company = env.ref("base.main_company")
            # A buyer without a role in the channel: no check but those on prices concerns it
            table = env["product.pricelist"].create({"name": "Concurrent Table", "company_id": company.id})
            member = env["res.partner"].create(
                {"name": "Concurrent Buyer", "is_company": True, "specific_property_product_pricelist": table.id}
            )
            product = env["product.product"].create(
                {"name": "Concurrent Gauze", "list_price": 10.0, "taxes_id": [Command.clear()]}
            )
            request = env["channel.price.request"].create(
                {
                    "member_id": member.id, "company_id": company.id, "reason": "Test",
                    "date_from": date.today() - timedelta(days=1),
                    "line_ids": [Command.create({"product_id": product.id, "quantity": 10, "price": 8})],
                }
            )
            request.action_submit()
            request._approve()
            orders = env["sale.order"].create(
                [
                    {
                        "partner_id": member.id, "company_id": company.id,
                        "order_line": [Command.create({"product_id": product.id, "product_uom_qty": 6})],
                    }
                    for _number in range(2)
                ]
            )
            self.assertEqual(orders.order_line.mapped("price_unit"), [8, 8])
            self.ids = {
                "member": member.id, "product": product.id, "request": request.id, "orders": orders.ids,
                "template": product.product_tmpl_id.id, "table": table.id,
            }
        self.addCleanup(self._remove)

    def _remove(self):
        with self.registry.cursor() as cr:
            env = self._env(cr)
            orders = env["sale.order"].browse(self.ids["orders"])
            request = env["channel.price.request"].browse(self.ids["request"])
            cr.execute("ALTER TABLE channel_audit_entry DISABLE TRIGGER USER")
            cr.execute(
                "DELETE FROM channel_audit_entry WHERE seq IS NULL AND (model = 'channel.price.request' AND res_id = %s"
                " OR model = 'channel.gate.finding')",
                [request.id],
            )
            cr.execute("ALTER TABLE channel_audit_entry ENABLE TRIGGER USER")
            orders._action_cancel()
            env["stock.picking"].search([("sale_id", "in", orders.ids)]).unlink()
            cr.execute("DELETE FROM channel_gate_finding WHERE member_id = %s", [self.ids["member"]])
            orders.unlink()
            request.line_ids.rule_ids._channel_beside_versions().unlink()
            cr.execute("DELETE FROM channel_price_request_line WHERE request_id = %s", [request.id])
            request.activity_ids.unlink()
            request.message_ids.unlink()
            cr.execute("DELETE FROM channel_price_request WHERE id = %s", [request.id])
            env.invalidate_all()
            env["product.template"].browse(self.ids["template"]).unlink()
            env["res.partner"].browse(self.ids["member"]).unlink()
            env["product.pricelist"].browse(self.ids["table"]).unlink()

    @mute_logger("odoo.sql_db", "odoo.service.model")  # that one of the two is repeated is what is tested
    def test_two_orders_at_once_do_not_take_more_than_there_is(self):
        start = threading.Barrier(2, timeout=30)
        results = [None, None]

        def confirm(number):
            tries = []

            def attempt():
                env = self._env(cr)
                order = env["sale.order"].browse(self.ids["orders"][number])
                special = env["channel.price.request"].browse(self.ids["request"]).line_ids
                self.assertEqual(special.remaining_quantity, 10 if not tries else 4)  # takes the snapshot
                if not tries:
                    start.wait()
                tries.append(True)
                order.action_confirm()
                return "confirmed"

            try:
                with self.registry.cursor() as cr:
                    results[number] = retrying(attempt, self._env(cr))
            except GateRefusal as error:
                results[number] = str(error)

        threads = [threading.Thread(target=confirm, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(results.count("confirmed"), 1, results)
        refused = next(result for result in results if result != "confirmed")
        self.assertIn("[special_price_quantity]", refused)
        self.assertIn("4 left of 10", refused)
        with self.registry.cursor() as cr:
            special = self._env(cr)["channel.price.request"].browse(self.ids["request"]).line_ids
            self.assertEqual((special.used_quantity, special.remaining_quantity), (6, 4))
