from odoo.tools import SQL


def uninstall_hook(env):
    """Drop what the audit journal added to the database beside its tables."""
    env.cr.execute(
        SQL(
            """
        DROP FUNCTION IF EXISTS channel_audit_entry_guard() CASCADE;
        DROP FUNCTION IF EXISTS channel_audit_head_guard() CASCADE;
        """
        )
    )
