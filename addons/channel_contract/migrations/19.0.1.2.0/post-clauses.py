from odoo import SUPERUSER_ID, api
from odoo.tools import SQL
from odoo.tools.sql import column_exists

TABLE = "channel_clause"


def migrate(cr, version):
    """The text of a clause moves into its first version, one text for each language; lines know where they came from.

    * Each clause of the library gets version 1, in force from the day on which the clause was made, with a text for
      each language that is installed and translated (the others fall back to English as before).
    * "Only for type" becomes a list of types.
    * Lines of one contract with the same clause, or the same title, get one key. What was approved is frozen as it
      reads.
    """
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    if column_exists(cr, TABLE, "body"):
        _texts(env)
    if column_exists(cr, TABLE, "contract_type"):
        _types(env)
    _lines(env)


def _texts(env):
    cr = env.cr
    cr.execute(SQL(
        """
        INSERT INTO channel_clause_version (
            clause_id, company_id, number, valid_from, state, approved_by_id, approved_at, create_uid, create_date,
            write_uid, write_date
        )
        SELECT id, company_id, 1, create_date::date, 'approved', write_uid, write_date, create_uid, create_date,
               write_uid, write_date
          FROM channel_clause clause
         WHERE NOT EXISTS (SELECT FROM channel_clause_version version WHERE version.clause_id = clause.id)
        """
    ))
    installed = [code for code, _name in env["res.lang"].get_installed()]
    cr.execute(SQL(
        """
        INSERT INTO channel_clause_text (
            version_id, clause_id, lang, rank, level, title, body, create_uid, create_date, write_uid, write_date
        )
        SELECT version.id, clause.id, body.key, 0, 1,
               COALESCE(clause.name ->> body.key, clause.name ->> 'en_US', clause.code, '-'), body.value,
               clause.create_uid, clause.create_date, clause.write_uid, clause.write_date
          FROM channel_clause clause
          JOIN channel_clause_version version ON version.clause_id = clause.id AND version.number = 1
          JOIN LATERAL jsonb_each_text(clause.body) body ON body.key = ANY(%s) AND body.value IS NOT NULL
         WHERE NOT EXISTS (SELECT FROM channel_clause_text text WHERE text.version_id = version.id)
        """,
        installed,
    ))


def _types(env):
    env.cr.execute(SQL(
        """
        INSERT INTO channel_clause_channel_contract_type_rel (channel_clause_id, channel_contract_type_id)
        SELECT clause.id, kind.id
          FROM channel_clause clause
          JOIN channel_contract_type kind ON kind.code = clause.contract_type
            ON CONFLICT DO NOTHING
        """
    ))


def _lines(env):
    cr = env.cr
    # Lines of approved versions get what they did not have before; no word of them changes
    cr.execute("SELECT set_config('channel.version_door', txid_current()::text, true)")
    cr.execute(SQL(
        """
        UPDATE channel_contract_clause_line line SET mandatory = clause.mandatory
          FROM channel_clause clause
         WHERE clause.id = line.clause_id
        """
    ))
    cr.execute(SQL(
        """
        WITH keyed AS (
            SELECT line.id, md5(concat_ws('/', version.contract_id, COALESCE(line.clause_id::text, line.title),
                       row_number() OVER (
                           PARTITION BY line.version_id, COALESCE(line.clause_id::text, line.title)
                               ORDER BY line.sequence, line.id
                       ))) AS key
              FROM channel_contract_clause_line line
              JOIN channel_contract_version version ON version.id = line.version_id
             WHERE line.text_id IS NULL
        )
        UPDATE channel_contract_clause_line line SET key = keyed.key FROM keyed WHERE keyed.id = line.id
        """
    ))
    cr.execute(SQL(
        """
        UPDATE channel_contract_clause_line line SET frozen_body = line.body
          FROM channel_contract_version version
         WHERE version.id = line.version_id AND version.state IN ('approved', 'superseded')
           AND line.frozen_body IS NULL
        """
    ))
    cr.execute(SQL(
        """
        UPDATE channel_contract_clause_line line SET text_id = text.id
          FROM channel_contract_version version, channel_clause_text text
          JOIN channel_clause_version library ON library.id = text.version_id AND library.number = 1
         WHERE version.id = line.version_id AND line.clause_id = text.clause_id AND text.rank = 0
           AND text.lang = version.lang AND line.text_id IS NULL
        """
    ))
    env.invalidate_all()
    lines = env["channel.contract.clause.line"].search([])
    for name in ("deviation", "deviation_level"):
        env.add_to_compute(lines._fields[name], lines)
    versions = lines.version_id
    env.add_to_compute(versions._fields["deviation_level"], versions)
    env.flush_all()
    cr.execute("SELECT set_config('channel.version_door', '', true)")
