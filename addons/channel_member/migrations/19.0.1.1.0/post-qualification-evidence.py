def migrate(cr, version):
    """Fill in what qualifications and their types know since this version.

    * who entered a document: until now the last editor only was kept
    * evidence: what is verified or revoked, or was once by the journal
    * warnings: a step whose alert stands has been announced, so that the first night does not announce it again
    * identifiers are not handed in by members
    """
    cr.execute("""
        INSERT INTO channel_qualification_author_rel (qualification_id, user_id)
        SELECT id, submitted_by_id FROM channel_qualification WHERE submitted_by_id IS NOT NULL
        ON CONFLICT DO NOTHING
    """)
    cr.execute("""
        UPDATE channel_qualification q
           SET is_evidence = TRUE
         WHERE is_evidence IS NOT TRUE
           AND (
                state NOT IN ('draft', 'to_verify')
                OR EXISTS (
                    SELECT FROM channel_audit_entry entry
                     WHERE entry.model = 'channel.qualification' AND entry.res_id = q.id
                       AND entry.action = 'qualification.verified'
                )
           )
    """)
    cr.execute("""
        INSERT INTO channel_qualification_warning
               (qualification_id, company_id, step, due_date, expiry_date, result, alert_id, user_id, create_date)
        SELECT q.id, q.company_id, split_part(alert.key, ':', 2), alert.first_seen::date, q.expiry_date, 'sent',
               alert.id, alert.user_id, alert.first_seen
          FROM channel_alert alert
          JOIN channel_qualification q ON q.id::text = split_part(alert.key, ':', 1)
         WHERE alert.source = 'qualification'
           AND q.expiry_date IS NOT NULL
           AND split_part(alert.key, ':', 2) IN ('180', '90', '60', '30', 'renewal', 'expired')
      ORDER BY alert.id DESC
        ON CONFLICT DO NOTHING
    """)
    cr.execute("""
        UPDATE channel_qualification_type SET portal_upload = FALSE WHERE code IN ('gln', 'gtin', 'eu_srn')
    """)
