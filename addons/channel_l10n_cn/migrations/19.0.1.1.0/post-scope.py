from odoo import SUPERUSER_ID, api
from odoo.tools import SQL

SCOPED = ("trading_licence", "trading_filing", "production_licence")
CERTIFYING = ("registration", "class1_filing")


def migrate(cr, version):
    """Chinese licences need a scope from now on; certificates of products are asked for.

    The types are records that the company may have edited, so that an update does not load them again. Documents of
    these types that were verified without a scope meant "everything" until today: that becomes a line which says
    so, seen on the document and open to be replaced by what is printed, and nobody is stopped by the update itself.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    scoped = env["channel.qualification.type"].browse(
        record.id for name in SCOPED if (record := _type(env, name)) and record.has_scope and not record.scope_parser
    )
    scoped.write({"scope_required": True, "scope_parser": "cn"})
    for name in CERTIFYING:
        if (record := _type(env, name)) and not record.certifies_products:
            record.certifies_products = True
    if not scoped:
        return
    env.flush_all()
    cr.execute(SQL(
        """
        INSERT INTO channel_qualification_scope (
            qualification_id, ivd, sequence, source_text, create_uid, create_date, write_uid, write_date
        )
        SELECT q.id, 'with', 10, 'Before version 19.0.1.1.0: no scope was entered, which meant every category.',
               q.create_uid, q.create_date, q.write_uid, q.write_date
          FROM channel_qualification q
         WHERE q.type_id IN %s
           AND NOT EXISTS (SELECT FROM channel_qualification_scope line WHERE line.qualification_id = q.id)
        """,
        tuple(scoped.ids),
    ))
    env["channel.qualification"].invalidate_model()
    env["channel.qualification.scope"].invalidate_model()


def _type(env, name):
    return env.ref(f"channel_l10n_cn.qualification_type_{name}", raise_if_not_found=False)
