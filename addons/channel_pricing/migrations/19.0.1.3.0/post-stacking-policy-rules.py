from odoo import SUPERUSER_ID, api

BEFORE = "[('company_id', 'in', company_ids)]"
AFTER = "[('company_id', 'in', company_ids + [False])]"


def migrate(cr, version):
    """Stacking policies may be for all companies: their record rules let these through, unless they were edited."""
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name in ("channel_stacking_policy_comp_rule", "channel_stacking_policy_line_comp_rule"):
        rule = env.ref(f"channel_pricing.{name}", raise_if_not_found=False)
        if rule and rule.domain_force == BEFORE:
            rule.domain_force = AFTER
