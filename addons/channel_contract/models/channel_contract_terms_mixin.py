from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL


class ChannelContractTermsMixin(models.AbstractModel):
    """What a contract says on a day, as the API answers it. Inherited by ``channel.contract``.

    Each key of the answer is an SQL expression, so that thousands of contracts are one query.
    """

    _name = "channel.contract.terms.mixin"
    _description = "Terms of a Contract on a Day"

    # === PUBLIC METHODS ===#

    @api.readonly
    def terms_at(self, date=None, known_on=None):
        """The terms in force on a day, as they are known today or as they were known on another day.

        :param str date: ISO date; None: today, where the contract's company is
        :param str known_on: ISO date; answers as it would have been answered at the end of that day: what was approved,
            signed, replaced, ended, suspended later is not known yet. None: the latest knowledge
        :returns: for one contract its terms, or None when no version is in force; for several a list of these, in
            the order of the contracts. Terms::

                {'contract_id': int, 'contract': str, 'contract_type': str, 'member_id': int, 'member': str,
                 'company_id': int, 'company': str, 'currency': 'CNY', 'known_on': '2026-02-01' | None,
                 'version_id': int, 'version': int, 'valid_from': '2026-01-01', 'valid_to': '2026-12-31' | None,
                 'approved_at': ISO datetime (UTC), 'approved_by': str,
                 'pricelist_id': int | None, 'pricelist': str | None,
                 'payment_term_id': int | None, 'payment_term': str | None,
                 'credit_limit': float | None, 'overdue_days': int | None,
                 'renewal': 'none' | 'agreement' | 'automatic', 'renewal_months': int, 'notice_days': int,
                 'quality': {'form': 'none' | 'clause' | 'agreement', 'note': str | None, 'after_sales': str | None},
                 'clauses': [{'number': int, 'code': str | None, 'title': str, 'body': html}],
                 'commitments': [{'name': str, 'measure': 'amount' | 'quantity', 'amount': float | None,
                                  'quantity': float | None, 'currency': 'CNY', 'period': str, 'anchor': str,
                                  'basis': str, 'tolerance': float, 'product_categ_id': int | None,
                                  'product_tmpl_ids': [int], 'region_id': int | None, 'customer_id': int | None,
                                  'award_reference': str | None}],
                 'service_levels': [{'name': str, 'side': 'company' | 'member', 'comparison': 'max' | 'min',
                                     'target': float, 'unit': str, 'note': str | None}],
                 'authorizations': [{'id': int, 'number': str, 'date_from': str, 'date_to': str | None}],
                 'documents': [{'id': int, 'name': str, 'kind': str | None, 'mimetype': str, 'sha1': str}]}

            Amounts are in ``currency``, before tax, in each period; quantities in the products' own units.
            ``valid_to`` is the end as known. Lines of a version never change, so they are the same whenever known.

        :raises ValidationError: when a date is not an ISO date
        :raises AccessError: for contracts that the user may not read
        """
        self.check_access("read")
        day, known = self._input_day("date", date), self._input_day("known_on", known_on)
        terms = self._terms_rows(day, known)
        answers = [terms.get(contract.id) for contract in self]
        return answers[0] if len(self) == 1 else answers

    # === BUSINESS METHODS ===#

    @api.model
    def _input_day(self, name, value):
        if value is None:
            return None
        try:
            day = fields.Date.to_date(value)
        except (TypeError, ValueError):
            day = None
        if not day:
            raise ValidationError(
                self.env._("%(name)s: %(value)r is not an ISO date such as 2026-03-31.", name=name, value=value)
            )
        return day

    def _terms_rows(self, day=None, known=None):
        """:return: ``{contract_id: terms}`` of those that have terms on the day; one query"""
        if not self.ids:
            return {}
        self.env.flush_all()
        Version = self.env["channel.contract.version"]
        v = SQL.identifier("v")
        now = fields.Datetime.now()
        # Days without a company's time zone need none; the join would cost a question
        zones = SQL("TRUE") if day and not known else SQL("zone.company_id = c.company_id")
        date = SQL("%s::date", day) if day else SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE zone.name)::date", now)
        in_force = Version._in_force_sql(v, SQL("ask.day"))
        if known:
            # The first moment of the day after, where the company is
            moment = SQL("((%s::date + 1)::timestamp AT TIME ZONE zone.name AT TIME ZONE 'UTC')", known)
            in_force = Version._known_in_force_sql(v, SQL("ask.day"), moment)
        terms = self._terms_sql()
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT c.id, jsonb_build_object(%(terms)s, 'known_on', %(known)s::date)
                      FROM channel_contract c
                      JOIN %(zones)s AS zone ON %(zone)s
                     CROSS JOIN LATERAL (SELECT %(date)s AS day) ask
                     CROSS JOIN LATERAL (
                           SELECT v.* FROM channel_contract_version v
                            WHERE v.contract_id = c.id AND %(in_force)s
                            ORDER BY v.approved_at DESC, v.id DESC
                            LIMIT 1
                           ) v
                     CROSS JOIN LATERAL (SELECT %(end)s AS valid_to) ending
                      JOIN res_partner member ON member.id = c.member_id
                      JOIN res_company company ON company.id = c.company_id
                      JOIN res_currency currency ON currency.id = c.currency_id
                     WHERE c.id = ANY(%(contracts)s)
                    """,
                    terms=SQL(", ").join(SQL("%s, %s", SQL("%s::text", key), value) for key, value in terms.items()),
                    known=known or None,
                    zones=SQL("(SELECT)") if day and not known
                    else self.env["res.company"]._channel_zones_sql(),
                    zone=zones,
                    date=date,
                    in_force=in_force,
                    end=Version._known_end_sql(v, moment) if known else SQL("v.valid_to"),
                    contracts=self.ids,
                )
            )
        )

    @api.model
    def _terms_sql(self):
        """The keys of the terms, and what each is.

        An add-on that agrees on more (programmes) adds its keys. In the expressions ``c`` is the contract, ``v`` its
        version, ``member``, ``company`` and ``currency`` the rows that they point to; names must be those of the
        reader's language.

        :return: ``{key: SQL expression that JSON can carry}``
        """

        def name_of(model, column):
            return SQL(
                "(SELECT %s FROM %s AS named WHERE named.id = %s)",
                self.env[model]._field_to_sql("named", "name"),
                SQL.identifier(self.env[model]._table),
                column,
            )

        def rows(columns, relation):
            """A JSON list of the rows of a relation that has its order in ``place``."""
            return SQL(
                "COALESCE((SELECT jsonb_agg(jsonb_build_object(%s) ORDER BY place) FROM (%s) AS line), '[]')",
                SQL(", ").join(SQL("%s::text, line.%s", key, SQL.identifier(key)) for key in columns),
                relation,
            )

        return {
            "contract_id": SQL("c.id"),
            "contract": SQL("c.name"),
            "contract_type": SQL("c.contract_type"),
            "member_id": SQL("member.id"),
            "member": SQL("member.name"),
            "company_id": SQL("company.id"),
            "company": SQL("company.name"),
            "currency": SQL("currency.name"),
            "version_id": SQL("v.id"),
            "version": SQL("v.number"),
            "valid_from": SQL("v.valid_from"),
            "valid_to": SQL("ending.valid_to"),
            "approved_at": SQL("""to_char(v.approved_at, 'YYYY-MM-DD"T"HH24:MI:SS')"""),
            "approved_by": SQL(
                """(SELECT partner.name
                      FROM res_users approver JOIN res_partner partner ON partner.id = approver.partner_id
                     WHERE approver.id = v.approved_by_id)"""
            ),
            "pricelist_id": SQL("v.pricelist_id"),
            "pricelist": name_of("product.pricelist", SQL("v.pricelist_id")),
            "payment_term_id": SQL("v.payment_term_id"),
            "payment_term": name_of("account.payment.term", SQL("v.payment_term_id")),
            "credit_limit": SQL("CASE WHEN v.has_credit_limit THEN COALESCE(v.credit_limit, 0) END"),
            "overdue_days": SQL("CASE WHEN v.stops_overdue THEN COALESCE(v.overdue_days, 0) END"),
            "renewal": SQL("v.renewal"),
            "renewal_months": SQL("COALESCE(v.renewal_months, 0)"),
            "notice_days": SQL("COALESCE(v.notice_days, 0)"),
            "quality": SQL(
                """jsonb_build_object('form', v.quality_form, 'note', v.quality_note,
                                      'after_sales', v.after_sales_side)"""
            ),
            "clauses": rows(
                ("number", "code", "title", "body"),
                SQL(
                    """SELECT place, place AS number, code, title, body FROM (
                           SELECT row_number() OVER (ORDER BY clause.sequence, clause.id) AS place, library.code,
                                  clause.title, COALESCE(clause.frozen_body, clause.body, '') AS body
                             FROM channel_contract_clause_line clause
                             LEFT JOIN channel_clause library ON library.id = clause.clause_id
                            WHERE clause.version_id = v.id AND clause.omitted IS NOT TRUE
                       ) AS printed"""
                ),
            ),
            "commitments": rows(
                (
                    "name", "measure", "amount", "quantity", "currency", "period", "anchor", "basis", "tolerance",
                    "product_categ_id", "product_tmpl_ids", "region_id", "customer_id", "award_reference",
                ),
                SQL(
                    """SELECT row_number() OVER (ORDER BY sequence, id) AS place, name, measure,
                              CASE measure WHEN 'amount' THEN amount END AS amount,
                              CASE measure WHEN 'quantity' THEN quantity END AS quantity,
                              currency.name AS currency, period, anchor, basis, COALESCE(tolerance, 0) AS tolerance,
                              product_categ_id,
                              ARRAY(SELECT product_tmpl_id FROM channel_contract_commitment_product_rel rel
                                     WHERE rel.commitment_id = commitment.id ORDER BY 1) AS product_tmpl_ids,
                              region_id, customer_id, award_reference
                         FROM channel_contract_commitment commitment WHERE commitment.version_id = v.id"""
                ),
            ),
            "service_levels": rows(
                ("name", "side", "comparison", "target", "unit", "note"),
                SQL(
                    """SELECT row_number() OVER (ORDER BY sequence, id) AS place, name, side, comparison, target, unit,
                              note
                         FROM channel_contract_service_level level WHERE level.version_id = v.id"""
                ),
            ),
            "authorizations": rows(
                ("id", "number", "date_from", "date_to"),
                SQL(
                    """SELECT a.id AS place, a.id, a.number, a.date_from, a.date_to
                         FROM channel_authorization a WHERE a.contract_version_id = v.id AND a.state = 'approved'"""
                ),
            ),
            "documents": rows(
                ("id", "name", "kind", "mimetype", "sha1"),
                SQL(
                    """SELECT file.id AS place, file.id, file.name, file.channel_contract_kind AS kind, file.mimetype,
                              file.checksum AS sha1
                         FROM channel_contract_version_document_rel rel
                         JOIN ir_attachment file ON file.id = rel.attachment_id
                        WHERE rel.version_id = v.id"""
                ),
            ),
        }
