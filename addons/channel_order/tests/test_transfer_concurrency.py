from psycopg2.errors import SerializationFailure

from odoo import api
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestTransferConcurrency(BaseCase):
    """Two real transactions on one committed order line, removed again at the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())
        with cls.registry.cursor() as cr:
            env = cls._env(cr)
            # Goods without a device class, sold to partners who are dealers by name only: nothing is asked of them
            product = env["product.product"].create({"name": "Concurrency goods", "type": "consu", "list_price": 10})
            dealers = env["res.partner"].create([
                {"name": f"Concurrency dealer {number}", "is_company": True, "channel_role": "distributor"}
                for number in range(3)
            ])
            order = env["sale.order"].create({
                "partner_id": dealers[0].id,
                "order_line": [Command.create({"product_id": product.id, "product_uom_qty": 10})],
            })
            env.flush_all()
            # Confirming needs a warehouse's moves and a member in good standing; here it is only a state
            cr.execute("UPDATE sale_order SET state = 'sale' WHERE id = %s", [order.id])
            cr.execute("UPDATE sale_order_line SET state = 'sale' WHERE order_id = %s", [order.id])
            env.invalidate_all()
            transfers = env["channel.order.transfer"].create([
                {
                    "order_id": order.id, "target_partner_id": dealer.id, "reason": "Concurrency",
                    "line_ids": [Command.create({"order_line_id": order.order_line.id, "quantity": 6})],
                }
                for dealer in dealers[1:]
            ])
            cls.line_id, cls.transfer_ids, cls.order_id = order.order_line.id, transfers.ids, order.id
            cls.made = {
                "channel.order.transfer": transfers.ids,
                "sale.order": order.ids,
                "product.template": product.product_tmpl_id.ids,
                "res.partner": dealers.ids,
            }
        cls.addClassCleanup(cls._remove)

    @classmethod
    def _env(cls, cr):
        return api.Environment(cr, api.SUPERUSER_ID, {})

    @classmethod
    def _remove(cls):
        with cls.registry.cursor() as cr:
            env = cls._env(cr)
            cr.execute("DELETE FROM channel_gate_finding WHERE res_model = 'channel.order.transfer'")
            cr.execute("UPDATE sale_order SET state = 'draft' WHERE id = %s", [cls.order_id])
            for model, ids in cls.made.items():
                env[model].browse(ids).unlink()

    def _transfers(self, *cursors):
        return [
            self._env(cr)["channel.order.transfer"].browse(id_)
            for cr, id_ in zip(cursors, self.transfer_ids, strict=True)
        ]

    def _take(self, transfer):
        """What an approval does with the line, without what the gate and the warehouse make of it."""
        transfer._lock_lines(transfer.line_ids.order_line_id)
        transfer.line_ids._check_open()
        line = transfer.line_ids.order_line_id
        line.with_context(skip_procurement=True)._channel_set_quantities({line: line.product_uom_qty - 6})
        transfer.env.flush_all()

    def _ordered(self):
        with self.registry.cursor() as cr:
            return self._env(cr)["sale.order.line"].browse(self.line_id).product_uom_qty

    def _restore(self):
        with self.registry.cursor() as cr:
            cr.execute("UPDATE sale_order_line SET product_uom_qty = 10 WHERE id = %s", [self.line_id])

    def test_two_managers_approve_at_once(self):
        """While one approval is under way, the other is told so and changes nothing."""
        with self.registry.cursor() as first, self.registry.cursor() as second:
            mine, theirs = self._transfers(first, second)
            # The gate is not what this is about
            mine.env["channel.gate.check"].search([]).active = False
            self.assertEqual(theirs.state, "draft")  # takes the snapshot
            mine._approve()
            mine.env.flush_all()
            self.assertEqual((mine.new_order_id.state, mine.order_id.order_line.product_uom_qty), ("sale", 4))
            with self.assertRaises(UserError) as catcher:
                theirs._approve()
            self.assertIn("Try again in a moment", str(catcher.exception))
            for cr in (first, second):
                cr.rollback()
        self.assertEqual(self._ordered(), 10)

    def test_the_first_is_committed(self):
        """What one was told while the other was at it leaves nothing behind, and what the other did stays."""
        self.addCleanup(self._restore)
        with self.registry.cursor() as first, self.registry.cursor() as second:
            mine, theirs = self._transfers(first, second)
            self._take(mine)
            with self.assertRaises(UserError) as catcher:
                theirs._approval_before()
            self.assertIn(theirs.order_id.name, str(catcher.exception))
            second.rollback()
            first.commit()
        self.assertEqual(self._ordered(), 4)

    def test_one_after_the_other(self):
        """The second looked before the first had committed: it does not go by what it saw, and on the retry that Odoo
        makes it counts what is left. Exactly one of the two moves the line."""
        self.addCleanup(self._restore)
        with self.registry.cursor() as first, self.registry.cursor() as second:
            mine, theirs = self._transfers(first, second)
            self.assertEqual(theirs.line_ids.open_quantity, 10)  # takes the snapshot
            self._take(mine)
            first.commit()
            with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
                theirs._approval_before()
            second.rollback()
            theirs.env.transaction.reset()
            with self.assertRaises(ValidationError) as catcher:
                theirs._approval_before()
            self.assertIn("Enter at most 4", str(catcher.exception))
            second.rollback()
        self.assertEqual(self._ordered(), 4)
