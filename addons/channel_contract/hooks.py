from odoo.tools import SQL


def uninstall_hook(env):
    """Drop what keeps signatures as they were given, beside their tables."""
    env.cr.execute(
        SQL(
            """
        DROP FUNCTION IF EXISTS channel_contract_signature_guard() CASCADE;
        DROP FUNCTION IF EXISTS channel_contract_signature_request_guard() CASCADE;
        """
        )
    )
