from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column

#: Functions of the database that note changes; their triggers go with them.
NOTES = (
    "channel_rebate_note",
    "channel_rebate_note_payment",
    "channel_rebate_note_channel_segment_membership",
    "channel_rebate_note_res_partner",
    "channel_rebate_note_product_template",
)


def pre_init_hook(env):
    """Lines that exist already have no sales price of their day: nothing is computed for millions of them."""
    for table in ("account_move_line", "sale_order_line"):
        if not column_exists(env.cr, table, "channel_list_price"):
            create_column(env.cr, table, "channel_list_price", "numeric")


def uninstall_hook(env):
    """Without this add-on nobody reads the notes: the triggers must not stop whoever posts an invoice."""
    for function in NOTES:
        env.cr.execute(SQL("DROP FUNCTION IF EXISTS %s() CASCADE", SQL.identifier(function)))
