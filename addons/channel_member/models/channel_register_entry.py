from odoo import api, fields, models
from odoo.tools import SQL

from ..tools import register

#: Columns that an import fills, and their types in the database.
COLUMNS = {
    "key": "varchar",
    "number": "varchar",
    "number_key": "varchar",
    "name": "varchar",
    "holder_name": "varchar",
    "holder_code": "varchar",
    "person": "varchar",
    "address": "varchar",
    "issuer": "varchar",
    "date_from": "date",
    "date_to": "date",
    "device_class": "varchar",
    "category_codes": "varchar",
    "scope_text": "text",
    "status": "varchar",
    "version": "varchar",
}


class ChannelRegisterEntry(models.Model):
    """One row of an official list, as the authority wrote it."""

    _name = "channel.register.entry"
    _description = "Entry of an Official List"
    _order = "list_id, number_key, date_from desc nulls last, id desc"
    _rec_name = "number"
    _rec_names_search = ["number", "holder_name", "name"]

    list_id = fields.Many2one("channel.register.list", required=True, index=True, ondelete="cascade")
    key = fields.Char(
        required=True, help="What tells rows of one list apart: the device identifier of a package, else the number."
    )
    number = fields.Char(required=True)
    number_key = fields.Char(required=True, help="The number as it is searched by.")
    name = fields.Char(help="Name of the product, for lists of products.")
    holder_name = fields.Char()
    holder_code = fields.Char(
        string="Holder's Identification Number", help="For example the USCC of a Chinese company."
    )
    person = fields.Char(string="Legal Person")
    address = fields.Char()
    issuer = fields.Char()
    date_from = fields.Date(string="Valid from")
    date_to = fields.Date(string="Valid to")
    device_class = fields.Selection([("I", "Class I"), ("II", "Class II"), ("III", "Class III")])
    category_codes = fields.Char(string="Catalogue Codes")
    scope_text = fields.Text(string="Scope")
    status = fields.Selection(
        [("in_force", "In force"), ("cancelled", "Cancelled"), ("suspended", "Suspended")], default="in_force"
    )
    version = fields.Char(help="Version of the row in the register: a greater one replaces a smaller one.")

    _list_key_uniq = models.UniqueIndex("(list_id, key)", "A list holds one row for each key.")
    _number_idx = models.Index("(number_key, list_id)")
    _holder_idx = models.Index("(holder_code) WHERE holder_code IS NOT NULL")

    #=== BUSINESS METHODS ===#

    @api.model
    def _upsert(self, register_list, rows):
        """Insert rows or replace those of the same key, in one statement. Rows of an older version are left out.

        Written in SQL because a list has a hundred thousand rows and more, of which none has a computed field, a
        default or a follower: the ORM would only be in the way.

        :param register_list: the ``channel.register.list``
        :param rows: dicts with the names of :data:`COLUMNS`; of two with one key the later one counts
        :return: number of rows inserted or replaced
        """
        rows = list({row["key"]: row for row in rows}.values())
        if not rows:
            return 0
        self.flush_model()
        names = list(COLUMNS)
        result = self.env.execute_query(SQL(
            """
            INSERT INTO channel_register_entry (list_id, create_uid, create_date, write_uid, write_date, %(columns)s)
            SELECT %(list_id)s, %(uid)s, now() at time zone 'UTC', %(uid)s, now() at time zone 'UTC', row.*
              FROM unnest(%(values)s) AS row(%(columns)s)
            ON CONFLICT (list_id, key) DO UPDATE SET
                write_uid = excluded.write_uid, write_date = excluded.write_date, %(replace)s
             WHERE COALESCE(excluded.version, '') >= COALESCE(channel_register_entry.version, '')
            RETURNING id
            """,
            list_id=register_list.id,
            uid=self.env.uid,
            columns=SQL(", ").join(SQL.identifier(name) for name in names),
            values=SQL(", ").join(
                SQL("%s::%s[]", [row.get(name) or None for row in rows], SQL(COLUMNS[name])) for name in names
            ),
            replace=SQL(", ").join(
                SQL("%s = excluded.%s", SQL.identifier(name), SQL.identifier(name)) for name in names if name != "key"
            ),
        ))
        self.invalidate_model()
        return len(result)

    @api.model
    def _answers(self, lists, asks):
        """Answers of imported lists, see :class:`ChannelRegister`. Two queries for any number of questions.

        Numbers without a type are those of holders: the answer tells the name that the list has for them.
        Where a number has several rows (renewals, packages), the newest one answers.
        """
        self.flush_model()
        lists.flush_model()
        answers = [self._absent(lists, ask["type_id"]) for ask in asks]
        for by_holder in (False, True):
            indexes = [index for index, ask in enumerate(asks) if (not ask["type_id"]) is by_holder]
            if not indexes or not lists:
                continue
            column = SQL.identifier("entry", "holder_code" if by_holder else "number_key")
            rows = self.env.execute_query(SQL(
                """
                SELECT ask.key, newest.id
                  FROM unnest(%(keys)s::int[], %(numbers)s::varchar[], %(types)s::int[]) AS ask(key, number, type_id)
            CROSS JOIN LATERAL (
                        SELECT entry.id
                          FROM channel_register_entry entry
                          JOIN channel_register_list list ON list.id = entry.list_id
                         WHERE %(column)s = ask.number
                           AND entry.list_id IN %(lists)s
                           AND (ask.type_id IS NULL OR EXISTS (
                                SELECT FROM channel_register_list_type_rel rel
                                 WHERE rel.list_id = list.id AND rel.type_id = ask.type_id
                           ))
                      ORDER BY list.sequence, entry.date_from DESC NULLS LAST, entry.version DESC NULLS LAST,
                               entry.id DESC
                         LIMIT 1
                  ) newest
                """,
                keys=indexes,
                numbers=[asks[index]["number"] for index in indexes],
                types=[asks[index]["type_id"] or None for index in indexes],
                column=column,
                lists=tuple(lists.ids),
            ))
            entries = self.browse([entry_id for _key, entry_id in rows])
            for (index, _id), entry in zip(rows, entries, strict=True):
                answers[index] = {
                    "found": True,
                    "facts": entry._facts(of_company=by_holder),
                    "list_id": entry.list_id.id,
                    "complete": entry.list_id.complete,
                    "scope_text": entry.scope_text,
                }
        return answers

    @api.model
    def _absent(self, lists, type_id):
        """The answer about a number that no list holds: None when no list is kept that could."""
        fitting = lists.filtered(lambda r: type_id in r.type_ids.ids) if type_id else lists
        if not fitting:
            return None
        # No list is one of all companies: a company without any document is in none.
        complete = fitting.filtered("complete") if type_id else fitting.browse()
        return {
            "found": False,
            "facts": {},
            "list_id": (complete or fitting)[:1].id,
            "complete": bool(complete),
            "scope_text": False,
        }

    def _facts(self, of_company=False):
        self.ensure_one()
        if of_company:
            return {"holder_name": self.holder_name, "holder_code": self.holder_code}
        return {
            "name": self.name,
            "holder_name": self.holder_name,
            "holder_code": self.holder_code,
            "date_from": self.date_from,
            "date_to": self.date_to,
            "device_class": self.device_class,
            "status": self.status,
        }

    @api.model
    def _same(self, fact, ours, theirs):
        """Whether two values of a fact say the same: words are compared without width, blanks and punctuation."""
        if fact in ("date_from", "date_to"):
            return fields.Date.to_date(ours or None) == fields.Date.to_date(theirs or None)
        return register.plain(str(ours or "")) == register.plain(str(theirs or ""))
