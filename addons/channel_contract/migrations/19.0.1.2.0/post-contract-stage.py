from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Contracts get their stage, and a timeline that begins with the approvals that are known. Safe to run again."""
    if not version:
        return
    cr.execute("""
        INSERT INTO channel_contract_event
               (contract_id, version_id, kind, date, user_id, moment, create_uid, create_date, write_uid, write_date)
        SELECT v.contract_id, v.id, 'approved', v.approved_at::date, v.approved_by_id, v.approved_at,
               v.approved_by_id, v.approved_at, v.approved_by_id, v.approved_at
          FROM channel_contract_version v
         WHERE v.approved_at IS NOT NULL AND v.approved_by_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM channel_contract_event e WHERE e.version_id = v.id AND e.kind = 'approved')
         ORDER BY v.approved_at, v.id
    """)
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    env["channel.contract"].search([])._update_stages()
