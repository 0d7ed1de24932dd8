import threading

from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, new_test_user, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestOrderConcurrency(BaseCase):
    """The same order is sent twice at the same moment: real transactions, removed at the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())

    def _env(self, cr, uid=SUPERUSER_ID):
        return api.Environment(cr, uid, {})

    def setUp(self):
        super().setUp()
        with self.registry.cursor() as cr:
            env = self._env(cr)
            company = env.ref("base.main_company")
            # A hospital needs no authorization to buy
            member = env["res.partner"].create(
                {"name": "Concurrent Hospital", "is_company": True, "channel_role": "hospital"}
            )
            product = env["product.product"].create({
                "name": "Concurrent Gauze", "default_code": "CONCURRENT-1", "type": "service", "list_price": 10.0,
                "taxes_id": [Command.clear()],
            })
            user = new_test_user(
                env, "channel_concurrent", groups="base.group_portal", company_id=company.id,
                partner_id=env["res.partner"].create({"name": "Concurrent Buyer", "parent_id": member.id}).id,
            )
            self.ids = {
                "member": member.id, "product": product.id, "user": user.id, "contact": user.partner_id.id,
                "template": product.product_tmpl_id.id,
            }
        self.addCleanup(self._remove)

    def _remove(self):
        with self.registry.cursor() as cr:
            env = self._env(cr)
            orders = env["sale.order"].search([("partner_id", "=", self.ids["member"])])
            orders.activity_ids.unlink()
            cr.execute("DELETE FROM channel_gate_finding WHERE member_id = %s", [self.ids["member"]])
            orders._action_cancel()
            orders.unlink()
            env["product.template"].browse(self.ids["template"]).unlink()
            env["res.users"].browse(self.ids["user"]).unlink()
            env["res.partner"].browse([self.ids["contact"], self.ids["member"]]).unlink()

    @mute_logger("odoo.sql_db", "odoo.service.model")  # that one of the two is repeated is what is tested
    def _at_once(self, *arguments):
        start = threading.Barrier(len(arguments), timeout=30)
        results = [None] * len(arguments)

        def submit(number):
            key, reference = arguments[number]
            tries = []

            def attempt():
                orders = self._env(cr, self.ids["user"])["channel.order"]
                orders.env["sale.order"].search_count([])  # takes the snapshot
                if not tries:
                    start.wait()
                tries.append(True)
                return orders.submit({
                    "client_order_ref": reference, "lines": [{"default_code": "CONCURRENT-1", "quantity": 2}],
                }, key)

            with self.registry.cursor() as cr:
                results[number] = retrying(attempt, self._env(cr, self.ids["user"]))

        threads = [threading.Thread(target=submit, args=(number,)) for number in range(len(arguments))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results

    def _count(self):
        with self.registry.cursor() as cr:
            return self._env(cr)["sale.order"].search_count([("partner_id", "=", self.ids["member"])])

    def test_by_key(self):
        one, other = self._at_once(("K-1", None), ("K-1", None))
        self.assertEqual(one, other)
        self.assertEqual(one["state"], "submitted")
        self.assertEqual(self._count(), 1)

    def test_by_the_own_number(self):
        one, other = self._at_once((None, "PO-1"), ("K-9", "PO-1"))
        self.assertEqual(one["reference"], other["reference"])
        self.assertEqual(self._count(), 1)

    def test_two_orders_are_two(self):
        one, other = self._at_once(("K-1", "PO-1"), ("K-2", "PO-2"))
        self.assertNotEqual(one["reference"], other["reference"])
        self.assertEqual(self._count(), 2)
