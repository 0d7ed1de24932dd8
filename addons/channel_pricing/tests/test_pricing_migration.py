from pathlib import Path

from odoo.modules.migration import load_script
from odoo.tests import tagged

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
