from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """What was approved before gets the digest of its text, whose code is printed on it from now on.

    Nobody's signature was asked then: all versions stay in force as they were.
    """
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    approved = env["channel.contract.version"].search(
        [("state", "in", ("approved", "superseded")), ("text_sha256", "=", False)]
    )
    for start in range(0, len(approved), 500):
        approved[start : start + 500]._freeze_text()
        env.flush_all()
        env.invalidate_all()
