def migrate(cr, version):
    """What was called "To verify" was stored as draft; draft now means that it has not been handed in yet."""
    cr.execute("UPDATE channel_qualification SET state = 'to_verify' WHERE state = 'draft'")
