from odoo import api, models
from odoo.tools import SQL

#: Days before the expiry from which a document counts as expiring.
EXPIRING_DAYS = 90


class ChannelQualificationQuestionsMixin(models.AbstractModel):
    """What others ask of the documents of members: in force on a day, missing, covering a product, soon to expire.

    Each question is one query for any number of members, days and products. Inherited by ``channel.qualification``.
    """

    _name = "channel.qualification.questions.mixin"
    _description = "Questions about Qualifications"

    @api.model
    def _in_force_sql(self, qualification, date):
        """SQL condition: a qualification is in force on a date; the day of expiry is the last day in force.

        A revoked document was in force until the day before ``revoked_on``, a replaced one until the day before its
        successor's first, a suspended one outside the days of its suspensions: documents of that time are judged as
        they were. Callers flush ``channel.qualification`` and ``channel.qualification.suspension`` before.

        :param SQL qualification: alias of ``channel_qualification``
        :param SQL date: expression of type date
        """
        return SQL(
            """(
                %(q)s.issue_date <= %(date)s
                AND (%(q)s.expiry_date IS NULL OR %(q)s.expiry_date >= %(date)s)
                AND (%(q)s.replaced_on IS NULL OR %(q)s.replaced_on > %(date)s)
                AND (
                    %(q)s.state IN ('verified', 'suspended')
                    OR %(q)s.state = 'revoked' AND %(q)s.revoked_on > %(date)s
                )
                AND NOT EXISTS (
                    SELECT FROM channel_qualification_suspension pause
                     WHERE pause.qualification_id = %(q)s.id
                       AND pause.date_from <= %(date)s
                       AND (pause.lifted_on IS NULL OR pause.lifted_on > %(date)s)
                )
            )""",
            q=qualification,
            date=date,
        )

    def _in_force(self, date):
        """The qualifications among ``self`` that are in force on ``date``."""
        if not self.ids:
            return self.browse()
        self._flush_asked()
        rows = self.env.execute_query(SQL(
            "SELECT q.id FROM channel_qualification q WHERE q.id IN %s AND %s",
            tuple(self.ids), self._in_force_sql(SQL("q"), SQL("%s::date", date)),
        ))
        in_force = {row[0] for row in rows}
        return self.filtered(lambda q: q.id in in_force)

    def _renewed_ids(self):
        """Ids among ``self`` that another verified document of the same member and type follows without a gap."""
        if not self.ids:
            return set()
        self.flush_model()
        rows = self.env.execute_query(SQL(
            """
            SELECT q.id
              FROM channel_qualification q
             WHERE q.id IN %s
               AND q.expiry_date IS NOT NULL
               AND (
                    q.replaced_on <= q.expiry_date + 1
                    OR EXISTS (
                        SELECT FROM channel_qualification next
                         WHERE next.partner_id = q.partner_id AND next.type_id = q.type_id AND next.id != q.id
                           AND next.state = 'verified'
                           AND next.issue_date <= q.expiry_date + 1
                           -- LEAST passes over what is not set.
                           AND COALESCE(LEAST(next.expiry_date, next.replaced_on - 1), 'infinity') > q.expiry_date
                    )
               )
            """,
            tuple(self.ids),
        ))
        return {row[0] for row in rows}

    @api.model
    def _gaps(self, asks):
        """Mandatory documents that are not in force, in one query for any number of questions.

        :param asks: iterable of ``(member_id, date, device_class)``; a device class is ``I``, ``II`` or ``III``
        :return: ``{(member_id, date, device_class): [(type, last)]}``, questions without a gap left out; ``type`` is
            the ``channel.qualification.type``, ``last`` the member's newest document of it that was ever verified
            (maybe empty). Both with superuser rights.
        """
        asks = list(dict.fromkeys(asks))
        if not asks:
            return {}
        self._flush_asked()
        rows = self.env.execute_query(SQL(
            """
            WITH ask AS (%(asks)s)
            SELECT ask.key, type.id, last.id
              FROM ask
              JOIN res_partner member ON member.id = ask.member_id
              JOIN channel_qualification_type type
                ON type.mandatory AND %(applies)s
         LEFT JOIN LATERAL (
                    SELECT q.id
                      FROM channel_qualification q
                     WHERE q.partner_id = member.id AND q.type_id = type.id AND q.state NOT IN ('draft', 'to_verify')
                  ORDER BY q.expiry_date DESC NULLS FIRST, q.id DESC
                     LIMIT 1
              ) last ON TRUE
             WHERE NOT EXISTS (
                    SELECT FROM channel_qualification q
                     WHERE q.partner_id = member.id AND q.type_id = type.id AND %(in_force)s
              )
          ORDER BY ask.key, type.sequence, type.code
            """,
            asks=self._asks_sql(asks),
            applies=self.env["channel.qualification.type"]._applies_sql(
                SQL("type"), SQL("member"), SQL("ask.device_class")
            ),
            in_force=self._in_force_sql(SQL("q"), SQL("ask.date")),
        ))
        # sudo: the gate judges by every document, whoever presses the button.
        types = self.env["channel.qualification.type"].sudo().browse(dict.fromkeys(row[1] for row in rows))
        lasts = self.sudo().browse(dict.fromkeys(row[2] for row in rows if row[2]))
        gaps = {}
        for key, type_id, last_id in rows:
            gaps.setdefault(asks[key], []).append((
                types.browse(type_id).with_prefetch(types._ids),
                lasts.browse(last_id and [last_id]).with_prefetch(lasts._ids),
            ))
        return gaps

    @api.model
    def _scope_gaps(self, asks):
        """Products that the scope of business of no document in force covers, in one query for any number of questions.

        Only types whose documents list a scope, and only where at least one document of the type is in force: that
        there is none at all is a matter of :meth:`_gaps`.

        :param asks: iterable of ``(member_id, date, device_class, product_id)``
        :return: ``{ask: [(type, qualifications)]}``: the documents in force whose scope was read, superuser rights
        """
        asks = list(dict.fromkeys(asks))
        if not asks:
            return {}
        self._flush_asked()
        rows = self.env.execute_query(SQL(
            """
            WITH ask AS (%(asks)s)
            SELECT ask.key, type.id, array_agg(q.id ORDER BY q.id)
              FROM ask
              JOIN res_partner member ON member.id = ask.member_id
              JOIN product_product product ON product.id = ask.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
              JOIN channel_qualification_type type
                ON type.mandatory AND type.has_scope AND type.severity = 'block' AND %(applies)s
              JOIN channel_qualification q
                ON q.partner_id = member.id AND q.type_id = type.id AND %(in_force)s
          GROUP BY ask.key, type.id, type.sequence, type.code
            HAVING NOT bool_or(
                EXISTS (
                    SELECT FROM channel_qualification_scope scope
                     WHERE scope.qualification_id = q.id AND %(covers)s
                )
                OR NOT COALESCE(type.scope_required, FALSE) AND NOT EXISTS (
                    SELECT FROM channel_qualification_scope scope WHERE scope.qualification_id = q.id
                )
            )
          ORDER BY ask.key, type.sequence, type.code
            """,
            asks=self._asks_sql(asks),
            applies=self.env["channel.qualification.type"]._applies_sql(
                SQL("type"), SQL("member"), SQL("ask.device_class")
            ),
            in_force=self._in_force_sql(SQL("q"), SQL("ask.date")),
            covers=self.env["channel.qualification.scope"]._covers_sql(SQL("scope"), SQL("template")),
        ))
        # sudo: as in _gaps
        types = self.env["channel.qualification.type"].sudo().browse(dict.fromkeys(row[1] for row in rows))
        qualifications = self.sudo().browse(dict.fromkeys(q_id for row in rows for q_id in row[2]))
        gaps = {}
        for key, type_id, qualification_ids in rows:
            gaps.setdefault(asks[key], []).append((
                types.browse(type_id).with_prefetch(types._ids),
                qualifications.browse(qualification_ids).with_prefetch(qualifications._ids),
            ))
        return gaps

    @api.model
    def _standing(self, members, date):
        """Members whose documents are not in order on ``date``, in one query.

        Judged are the mandatory types that apply to the member: those that every device asks for, and those that
        depend on the class of the device as far as the member has entered one. A member to which only such types
        apply and that has entered none of them misses them too.

        :return: ``{member_id: "missing" or "expiring"}``; ``expiring`` within 90 days and not yet renewed
        """
        standing = {}
        for member_id, _type_id, standing_of_type in self._shortcomings(members, date):
            if standing.get(member_id) != "missing":
                standing[member_id] = standing_of_type
        return standing

    @api.model
    def _missing_types(self, members, date):
        """``{member_id: types}`` of which members have no document in force on ``date``, as in :meth:`_standing`."""
        missing = {}
        for member_id, type_id, standing in self._shortcomings(members, date):
            if standing == "missing":
                missing.setdefault(member_id, []).append(type_id)
        types = self.env["channel.qualification.type"]
        return {member_id: types.browse(type_ids) for member_id, type_ids in missing.items()}

    @api.model
    def _shortcomings(self, members, date):
        """Rows ``(member_id, type_id, "missing" or "expiring")`` of :meth:`_standing`."""
        if not members.ids:
            return []
        self._flush_asked()
        return self.env.execute_query(SQL(
            """
            SELECT member.id, type.id, CASE WHEN until.last IS NULL THEN 'missing' ELSE 'expiring' END
              FROM res_partner member
              JOIN channel_qualification_type type
                ON type.mandatory AND %(applies)s
        CROSS JOIN LATERAL (
                    SELECT max(COALESCE(q.expiry_date, 'infinity')) FILTER (WHERE %(in_force)s) AS last,
                           count(*) AS entered
                      FROM channel_qualification q
                     WHERE q.partner_id = member.id AND q.type_id = type.id
              ) until
             WHERE member.id IN %(members)s
               AND (
                    until.entered > 0
                    OR NOT (type.device_class_i OR type.device_class_ii OR type.device_class_iii)
                    OR NOT EXISTS (
                        SELECT FROM channel_qualification q
                          JOIN channel_qualification_type other ON other.id = q.type_id
                         WHERE q.partner_id = member.id AND other.mandatory
                    )
               )
               AND (until.last IS NULL OR until.last <= %(date)s::date + %(soon)s::int)
          ORDER BY member.id, type.sequence, type.code, type.id
            """,
            applies=self.env["channel.qualification.type"]._applies_sql(SQL("type"), SQL("member"), None),
            in_force=self._in_force_sql(SQL("q"), SQL("%s::date", date)),
            members=tuple(members.ids),
            date=date,
            soon=EXPIRING_DAYS,
        ))

    @api.model
    def _asks_sql(self, asks):
        """SQL relation ``(key, member_id, date, device_class, product_id)`` of tuples, ``key`` their index."""
        return SQL(
            """
            SELECT * FROM unnest(%s::int[], %s::int[], %s::date[], %s::varchar[], %s::int[])
                AS ask(key, member_id, date, device_class, product_id)
            """,
            list(range(len(asks))),
            [ask[0] for ask in asks],
            [ask[1] for ask in asks],
            [ask[2] for ask in asks],
            [ask[3] if len(ask) > 3 else None for ask in asks],
        )

    @api.model
    def _flush_asked(self):
        """Write pending changes of all that the questions read."""
        self.flush_model()
        self.env["channel.qualification.suspension"].flush_model()
        self.env["channel.qualification.type"].flush_model()
        self.env["channel.device.category"].flush_model(["parent_path"])
        self.env["res.partner"].flush_model(["channel_role", "country_id"])
        self.env["product.product"].flush_model(["product_tmpl_id"])
        self.env["product.template"].flush_model(["channel_device_class", "channel_is_ivd", "channel_category_ids"])
        self.env["channel.qualification.scope"].flush_model()
