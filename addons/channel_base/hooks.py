from odoo.tools import SQL


def uninstall_hook(env):
    """Drop what the audit journal and the guard of versions added to the database beside their tables."""
    env.cr.execute(
        SQL(
            """
        DROP FUNCTION IF EXISTS channel_audit_entry_guard() CASCADE;
        DROP FUNCTION IF EXISTS channel_audit_head_guard() CASCADE;
        DROP FUNCTION IF EXISTS channel_version_guard() CASCADE;
        """
        )
    )
