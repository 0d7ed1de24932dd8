from odoo.tools.sql import column_exists, create_column, drop_constraint

#: Columns of entries that referred to other tables: derived rows are kept without foreign keys now.
REFERENCES = (
    "program_id", "version_id", "company_id", "currency_id", "member_id", "move_line_id", "product_id", "tier_id",
)  # fmt: skip


def migrate(cr, version):
    """Entries lose foreign keys and indexes, and get what the new engine asks for; lines get an empty sales price."""
    for table in ("account_move_line", "sale_order_line"):
        if not column_exists(cr, table, "channel_list_price"):
            create_column(cr, table, "channel_list_price", "numeric")
    for column in REFERENCES:
        drop_constraint(cr, "channel_rebate_entry", f"channel_rebate_entry_{column}_fkey")
    cr.execute(
        """DROP INDEX IF EXISTS channel_rebate_entry__version_id_index, channel_rebate_entry__member_id_index,
                                channel_rebate_entry__move_line_id_index, channel_rebate_entry_source_unique,
                                channel_rebate_entry_window"""
    )
    for column in ("pool_id", "buyer_id"):
        if not column_exists(cr, "channel_rebate_entry", column):
            create_column(cr, "channel_rebate_entry", column, "int4")
            cr.execute(f"UPDATE channel_rebate_entry SET {column} = member_id")
    if not column_exists(cr, "channel_rebate_entry", "unit_id"):
        create_column(cr, "channel_rebate_entry", "unit_id", "int4")
        cr.execute("UPDATE channel_rebate_entry SET unit_id = 0")
    if not column_exists(cr, "channel_rebate_balance", "pool_id"):
        create_column(cr, "channel_rebate_balance", "pool_id", "int4")
        cr.execute("UPDATE channel_rebate_balance SET pool_id = member_id")
    # Who earns is a term now; "the member that bought" was the only choice.
    cr.execute("ALTER TABLE channel_rebate_program DROP COLUMN IF EXISTS payee")
