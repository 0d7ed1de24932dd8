from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Contracts get their stage, and a timeline that begins with what the journal knows. Safe to run again.

    Approvals stand on the versions; replacements and ends that were brought forward are in the journal, so that what
    was known of a version on an earlier day can be told of the past too.
    """
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
    cr.execute("""
        INSERT INTO channel_contract_event
               (contract_id, version_id, kind, date, note, user_id, moment, create_uid, create_date, write_uid,
                write_date)
        SELECT v.contract_id, v.id, change.kind, change.date, entry.reason, entry.user_id, entry.date, entry.user_id,
               entry.date, entry.user_id, entry.date
          FROM channel_audit_entry entry
          JOIN channel_contract_version v ON v.id = entry.res_id
         CROSS JOIN LATERAL (
               SELECT CASE entry.action WHEN 'version.ended' THEN 'ended' ELSE 'superseded' END AS kind,
                      COALESCE((entry.after::jsonb ->> 'valid_to')::date, entry.date::date) AS date
               ) change
         WHERE entry.model = 'channel.contract.version' AND entry.action IN ('version.ended', 'version.superseded')
           AND NOT EXISTS (SELECT FROM channel_contract_event e
                            WHERE e.version_id = v.id AND e.kind = change.kind AND e.moment = entry.date)
         ORDER BY entry.date, entry.id
    """)
    cr.execute("""
        UPDATE channel_contract_version v
           SET agreed_valid_to = COALESCE(
               (SELECT NULLIF(entry.before::jsonb ->> 'valid_to', '')::date FROM channel_audit_entry entry
                 WHERE entry.model = 'channel.contract.version' AND entry.res_id = v.id
                   AND entry.action = 'version.ended'
                 ORDER BY entry.id LIMIT 1),
               CASE WHEN NOT EXISTS (SELECT FROM channel_audit_entry entry
                                      WHERE entry.model = 'channel.contract.version' AND entry.res_id = v.id
                                        AND entry.action = 'version.ended') THEN v.valid_to END)
         WHERE v.state IN ('approved', 'superseded') AND v.agreed_valid_to IS NULL
    """)
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    env["channel.contract"].search([])._update_stages()
