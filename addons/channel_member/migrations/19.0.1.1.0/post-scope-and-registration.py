from odoo import SUPERUSER_ID, api
from odoo.tools import SQL
from odoo.tools.sql import column_exists, table_exists


def migrate(cr, version):
    """Scopes become lines, typed registration numbers become certificates.

    * Each device category of a document becomes a line of its own, "without IVD reagents" a property of each line.
      A document that only said "without IVD reagents" gets one line for every category.
    * Each registration number typed on products becomes a draft certificate of those products: nobody said from when
      to when it holds, so somebody enters the dates and somebody else verifies it. Until then the check on
      certificates, which comes with this version, warns in the companies that there are, and blocks in none.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    _scopes(env)
    _certificates(env)


def _scopes(env):
    cr = env.cr
    old_table = table_exists(cr, "channel_qualification_device_category_rel")
    old_column = column_exists(cr, "channel_qualification", "scope_excludes_ivd")
    if not old_table and not old_column:
        return
    ivd = SQL("CASE WHEN q.scope_excludes_ivd THEN 'without' ELSE 'with' END") if old_column else SQL("'with'")
    if old_table:
        cr.execute(SQL(
            """
            INSERT INTO channel_qualification_scope (
                qualification_id, category_id, scheme, ivd, sequence, create_uid, create_date, write_uid, write_date
            )
            SELECT q.id, category.id, category.scheme, %s, 10 * row_number() OVER (
                       PARTITION BY q.id ORDER BY category.scheme, category.code
                   ), q.create_uid, q.create_date, q.write_uid, q.write_date
              FROM channel_qualification_device_category_rel rel
              JOIN channel_qualification q ON q.id = rel.qualification_id
              JOIN channel_device_category category ON category.id = rel.category_id
             WHERE NOT EXISTS (SELECT FROM channel_qualification_scope line WHERE line.qualification_id = q.id)
            """,
            ivd,
        ))
    if old_column:
        cr.execute(SQL(
            """
            INSERT INTO channel_qualification_scope (
                qualification_id, ivd, sequence, create_uid, create_date, write_uid, write_date
            )
            SELECT q.id, 'without', 10, q.create_uid, q.create_date, q.write_uid, q.write_date
              FROM channel_qualification q
             WHERE q.scope_excludes_ivd
               AND NOT EXISTS (SELECT FROM channel_qualification_scope line WHERE line.qualification_id = q.id)
            """
        ))
    env["channel.qualification"].invalidate_model()
    env["channel.qualification.scope"].invalidate_model()


def _certificates(env):
    cr = env.cr
    if not column_exists(cr, "product_template", "channel_registration_number"):
        return
    rows = env.execute_query(SQL(
        """
        SELECT trim(channel_registration_number), channel_device_class, bool_or(COALESCE(channel_is_ivd, FALSE)),
               array_agg(id ORDER BY id)
          FROM product_template
         WHERE trim(COALESCE(channel_registration_number, '')) != '' AND channel_device_class != 'none'
           AND NOT EXISTS (
                SELECT FROM channel_registration_product_template_rel rel
                 WHERE rel.product_tmpl_id = product_template.id
           )
      GROUP BY 1, 2
      ORDER BY 1, 2
        """
    ))
    registrations = env["channel.registration"].create([
        {
            "number": number,
            "device_class": device_class,
            "is_ivd": is_ivd,
            "product_tmpl_ids": [(6, 0, template_ids)],
            "note": "Taken over from the number that was typed on the products. Enter the dates and verify it.",
        }
        for number, device_class, is_ivd, template_ids in rows
    ])
    cr.execute("ALTER TABLE product_template DROP COLUMN channel_registration_number")
    check = env.ref("channel_member.gate_check_product_registration", raise_if_not_found=False)
    if not registrations or not check:
        return
    severities = env["channel.gate.severity"]
    companies = env["res.company"].with_context(active_test=False).search([])
    known = severities.search([("check_id", "=", check.id)]).company_id
    severities.create([
        {"check_id": check.id, "company_id": company.id, "severity": "warn"} for company in companies - known
    ])
