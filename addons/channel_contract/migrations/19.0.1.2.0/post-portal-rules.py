from odoo import SUPERUSER_ID, api

OLD = "state', 'in', ('approved', 'superseded'))"
NEW = "on_portal', '=', True)"


def migrate(cr, version):
    """Members see what is on the portal: what was approved, as before, and drafts that were shared with them.

    The rules belong to the database once they are installed; only those that still read as they were made are changed.
    """
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name in ("contract", "contract_version", "contract_clause_line", "contract_commitment"):
        rule = env.ref(f"channel_contract.channel_{name}_rule_portal", raise_if_not_found=False)
        if rule and OLD in rule.domain_force:
            rule.domain_force = rule.domain_force.replace(OLD, NEW)
