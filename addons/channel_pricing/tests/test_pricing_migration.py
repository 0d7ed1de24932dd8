from collections import deque
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from odoo.modules.migration import load_script
from odoo.tests import tagged
from odoo.tools import SQL

from ..models.product_pricelist_item_bulk_mixin import NO_PARTY_RANK, NO_SEGMENT_SEQUENCE
from .common import ChannelPricingCommon

SCRIPT = Path(__file__).parent.parent / "migrations/19.0.1.3.0/post-stacking-policy-rules.py"
BEFORE, AFTER = "[('company_id', 'in', company_ids)]", "[('company_id', 'in', company_ids + [False])]"


@tagged("post_install", "-at_install")
class TestPricingMigration(ChannelPricingCommon):
    """To 19.0.1.3.0: stacking policies for all companies."""

    def _migrate(self, version):
        load_script(str(SCRIPT), "post_stacking_policy_rules").migrate(self.env.cr, version)

    def test_rules_of_policies_let_those_of_all_companies_through(self):
        rules = self.env.ref("channel_pricing.channel_stacking_policy_comp_rule") + self.env.ref(
            "channel_pricing.channel_stacking_policy_line_comp_rule"
        )
        rules.domain_force = BEFORE
        self._migrate("19.0.1.2.0")
        self.assertEqual(rules.mapped("domain_force"), [AFTER, AFTER])

    def test_an_edited_rule_stays(self):
        rule = self.env.ref("channel_pricing.channel_stacking_policy_comp_rule")
        rule.domain_force = "[('company_id', '=', 1)]"
        self._migrate("19.0.1.2.0")
        self.assertEqual(rule.domain_force, "[('company_id', '=', 1)]")

    def test_a_new_database_is_left_alone(self):
        rule = self.env.ref("channel_pricing.channel_stacking_policy_comp_rule")
        rule.domain_force = BEFORE
        self._migrate(None)
        self.assertEqual(rule.domain_force, BEFORE)

    # === Tables that were full before the add-on was installed ===#

    def test_rules_that_exist_are_not_computed_one_by_one(self):
        rules = self._channel_rule(90) + self._channel_rule(80, segment=self.segment_dealer)
        self.env.flush_all()
        columns = ["channel_rank", "channel_segment_sequence", "channel_exhausted"]
        for column in columns:
            self.env.cr.execute(SQL("ALTER TABLE product_pricelist_item DROP COLUMN %s", SQL.identifier(column)))
        Item = self.env["product.pricelist.item"]
        with self.assertNoComputations(Item, columns):
            Item._auto_init()
        self.env.cr.execute(
            "SELECT DISTINCT channel_rank, channel_segment_sequence, channel_exhausted"
            " FROM product_pricelist_item WHERE id IN %s", (rules._ids,)
        )
        self.assertEqual(self.env.cr.fetchall(), [(NO_PARTY_RANK, NO_SEGMENT_SEQUENCE, False)])

    def test_order_lines_that_exist_are_not_priced_again(self):
        order = self._channel_order([(self.device, 1)])
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE sale_order_line DROP COLUMN channel_request_line_id CASCADE")
        Line = self.env["sale.order.line"]
        with self.assertNoComputations(Line, ["channel_request_line_id"]):
            Line._auto_init()
        self.env.cr.execute(
            "SELECT channel_request_line_id FROM sale_order_line WHERE order_id = %s", (order.id,)
        )
        self.assertEqual(self.env.cr.fetchall(), [(None,)])

    @contextmanager
    def assertNoComputations(self, model, names):
        # What the registry does after all models are there is none of this
        with patch.object(self.registry, "_post_init_queue", deque(), create=True):
            yield
        waiting = [name for name in names if self.env.transaction.tocompute.get(model._fields[name])]
        self.assertFalse(waiting, "fields that wait to be computed for rows that exist already")
