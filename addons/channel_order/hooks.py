from odoo.tools import SQL

#: Functions of the database that lock what was confirmed; their triggers go with them.
GUARDS = ("channel_account_statement_guard",)


def uninstall_hook(env):
    for function in GUARDS:
        env.cr.execute(SQL("DROP FUNCTION IF EXISTS %s() CASCADE", SQL.identifier(function)))
