from odoo.tools.sql import column_exists, create_column

TYPES = [
    ("distribution", "Distribution"),
    ("agency", "Agency"),
    ("supply", "Supply to a Hospital"),
    ("service", "Service"),
    ("other", "Other"),
]


def migrate(cr, version):
    """The kinds of contracts become records, made here: every contract has its type when that becomes required."""
    if not version:
        return
    cr.execute("""
        CREATE TABLE IF NOT EXISTS channel_contract_type (
            id serial PRIMARY KEY, name jsonb, code varchar, sequence integer, active boolean, renewal varchar,
            expiring_days integer
        )
    """)
    for place, (code, name) in enumerate(TYPES, 1):
        cr.execute(
            """
            INSERT INTO channel_contract_type (name, code, sequence, active, renewal, expiring_days)
            SELECT jsonb_build_object('en_US', %(name)s::text), %(code)s, %(sequence)s, TRUE, 'none', 90
             WHERE NOT EXISTS (SELECT FROM channel_contract_type WHERE code = %(code)s)
            """,
            {"code": code, "name": name, "sequence": place * 10},
        )
        cr.execute(
            """
            INSERT INTO ir_model_data (module, name, model, res_id, noupdate)
            SELECT 'channel_contract', %(name)s, 'channel.contract.type', id, TRUE
              FROM channel_contract_type WHERE code = %(code)s
            ON CONFLICT DO NOTHING
            """,
            {"code": code, "name": f"contract_type_{code}"},
        )
    if not column_exists(cr, "channel_contract", "type_id"):
        create_column(cr, "channel_contract", "type_id", "int4")
    cr.execute("""
        UPDATE channel_contract contract
           SET type_id = kind.id
          FROM channel_contract_type kind
         WHERE kind.code = contract.contract_type AND contract.type_id IS NULL
    """)
