from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..tools.domain import check_domain, read_domain


class ChannelScopeMixin(models.AbstractModel):
    """Where and when a rule holds: in which segments, for which products, between which dates, in which company.

    The model that inherits it is matched as a whole, in SQL: :meth:`_match_lines` for values at hand,
    :meth:`_match_sql` to join on documents. Whether a rule is approved or archived is its model's own concern:
    match only the records that are to hold.
    """

    _name = "channel.scope.mixin"
    _description = "Channel Scope"
    _order = "sequence, id"

    sequence = fields.Integer(default=10, help="Where several apply, the smallest sequence wins.")
    # restrict: a scope that lost its last segment would hold for everybody
    segment_ids = fields.Many2many(
        "channel.segment", string="Segments", ondelete="restrict", help="Empty: all markets."
    )
    product_domain = fields.Char(string="Products", help="The products it holds for. Empty: all products.")
    date_from = fields.Date(string="From", help="The first day. Empty: since ever.")
    date_to = fields.Date(string="To", help="The last day, included. Empty: without end.")
    company_id = fields.Many2one(
        "res.company", index="btree_not_null", help="Holds for this company and its branches. Empty: all companies."
    )

    @api.constrains("date_from", "date_to")
    def _check_scope_dates(self):
        for scope in self:
            if scope.date_from and scope.date_to and scope.date_to < scope.date_from:
                raise ValidationError(
                    self.env._(
                        "%(record)s: To (%(date_to)s) lies before From (%(date_from)s). Choose a later end, or none.",
                        record=scope.display_name,
                        date_from=scope.date_from,
                        date_to=scope.date_to,
                    )
                )

    @api.constrains("product_domain")
    def _check_product_domain(self):
        label = self._fields["product_domain"]._description_string(self.env)
        for text in set(self.mapped("product_domain")):
            check_domain(self._scope_products(), text, label)

    def _match_lines(self, lines):
        """Tell which of these scopes hold for each line.

        One query for the lines and one for each product domain that cannot be answered within it, whatever the
        number of lines and scopes.

        :param lines: list of dicts ``{member_id, customer_id, product_id, date, company_id}`` of ids and a date
            (the document's, not today's). A contact stands for its commercial partner. A missing value is held only
            by scopes that do not ask for it.
        :return: list in the same order of recordsets of ``self``, each sorted by ``(sequence, id)``:
            the first one wins
        """
        matches = [[] for _line in lines]
        if self and lines:
            relation = SQL(
                "(SELECT * FROM unnest(%s::int[], %s::int[], %s::int[], %s::date[], %s::int[]) WITH ORDINALITY"
                " AS line(member_id, customer_id, product_id, date, company_id, line_id))",
                [line.get("member_id") or None for line in lines],
                [line.get("customer_id") or None for line in lines],
                [line.get("product_id") or None for line in lines],
                [fields.Date.to_date(line.get("date")) or None for line in lines],
                [line.get("company_id") or None for line in lines],
            )
            for line_id, scope_id in self.env.execute_query(
                SQL(
                    "SELECT line_id, scope_id FROM %s m ORDER BY line_id, sequence, scope_id", self._match_sql(relation)
                )
            ):
                matches[line_id - 1].append(scope_id)
        return [self.browse(scope_ids).with_prefetch(self._prefetch_ids) for scope_ids in matches]

    def _match_sql(self, lines):
        """Match these scopes against a relation of lines. Access rules do not limit the answer.

        Writes pending in the ORM for scopes, segments, partners and products are flushed here: run the query
        at once. Pending writes on whatever ``lines`` reads are the caller's.

        :param SQL lines: a table or parenthesised select with the columns
            ``line_id, member_id, customer_id, product_id, date, company_id``
        :return: ``SQL`` relation in parentheses with the columns ``line_id, scope_id, sequence``
        """
        # the terms of a rule hold whoever asks
        scopes = self.sudo()
        scopes.flush_recordset(["sequence", "product_domain", "date_from", "date_to", "company_id"])
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        everything, goods = scopes._product_goods()
        return SQL(
            """(
            WITH given AS MATERIALIZED (
                SELECT l.line_id, l.product_id, l.date,
                       member.commercial_partner_id AS member,
                       customer.commercial_partner_id AS customer,
                       string_to_array(company.parent_path, '/') AS companies,
                       dense_rank() OVER (
                           ORDER BY member.commercial_partner_id, customer.commercial_partner_id, company.id
                       ) AS market
                  FROM %(lines)s l
             LEFT JOIN res_partner member ON member.id = l.member_id
             LEFT JOIN res_partner customer ON customer.id = l.customer_id
             LEFT JOIN res_company company ON company.id = l.company_id
            ), goods(domain, product_id) AS MATERIALIZED (%(goods)s),
            held AS MATERIALIZED (%(held)s)
            SELECT given.line_id, scope.id AS scope_id, scope.sequence
              FROM given
              JOIN held ON held.market = given.market
              JOIN %(table)s scope ON scope.id = held.scope_id
             WHERE (scope.date_from IS NULL OR scope.date_from <= given.date)
               AND (scope.date_to IS NULL OR scope.date_to >= given.date)
               AND (scope.product_domain IS NULL
                    OR scope.product_domain = ANY(%(everything)s)
                    OR (scope.product_domain, given.product_id) IN (SELECT domain, product_id FROM goods))
            )""",
            lines=lines,
            goods=goods,
            table=SQL.identifier(self._table),
            held=self._match_markets_sql(
                SQL("(SELECT DISTINCT market, member, customer, companies FROM given)")
            ),
            everything=everything,
        )

    def _match_markets_sql(self, markets, segment_field="segment_ids"):
        """Match these scopes against markets: whom they are for, products and days apart.

        :param SQL markets: a table or parenthesised select with the columns ``market`` (a number), ``member`` and
            ``customer`` (ids of commercial partners, or NULL) and ``companies`` (ids of the company and those above it,
            as text[])
        :param str segment_field: the many2many to the segments; empty, the scope is for all markets
        :return: ``SQL`` select of the columns ``market, scope_id``; flushes what it reads, run it at once
        """
        field = self._fields[segment_field]
        self.sudo().flush_recordset(["company_id", segment_field])
        self.env["channel.segment"].flush_model(["active", "member_all", "customer_all", "company_id"])
        return SQL(
            """SELECT line.market, scope.id AS scope_id
                 FROM %(markets)s line
                 JOIN %(table)s scope
                   ON scope.id = ANY(%(scopes)s)
                  AND (scope.company_id IS NULL OR scope.company_id::text = ANY(line.companies))
                WHERE NOT EXISTS (SELECT FROM %(rel)s r WHERE r.%(rel_scope)s = scope.id)
               UNION
               SELECT pair.market, scope.id
                 FROM (
                    SELECT line.market, line.companies, s.id AS segment_id
                      FROM %(markets)s line
                      JOIN channel_segment s
                        ON s.id IN (SELECT r.%(rel_segment)s FROM %(rel)s r WHERE r.%(rel_scope)s = ANY(%(scopes)s))
                       AND (s.company_id IS NULL OR s.company_id::text = ANY(line.companies))
                       AND %(holds_pair)s
                 ) pair
                 JOIN %(rel)s r ON r.%(rel_segment)s = pair.segment_id
                 JOIN %(table)s scope
                   ON scope.id = r.%(rel_scope)s AND scope.id = ANY(%(scopes)s)
                  AND (scope.company_id IS NULL OR scope.company_id::text = ANY(pair.companies))""",
            markets=markets,
            table=SQL.identifier(self._table),
            scopes=list(self.ids),
            rel=SQL.identifier(field.relation),
            rel_scope=SQL.identifier(field.column1),
            rel_segment=SQL.identifier(field.column2),
            holds_pair=self.env["channel.segment"]._match_sql(
                SQL.identifier("line", "member"), SQL.identifier("line", "customer")
            ),
        )

    def _product_goods(self):
        """Return the texts of product domains that are true, and ``SQL`` of the pairs (text, product) of all others.

        The ``SQL`` reads the relation ``given``.
        """
        return self._products_of_domains(self.mapped("product_domain"), SQL("SELECT product_id FROM given"))

    @api.model
    def _products_of_domains(self, texts, among):
        """Tell which products each of these product domains holds.

        :param texts: domains as text; each distinct one is translated once, empty ones are left out
        :param SQL among: select of the ids of the products to look at
        :return: the texts that are true, and ``SQL`` of the pairs (text, product) of all others
        """
        everything, branches = [], []
        products = self._scope_products()
        for text in sorted({text for text in texts if text}):
            domain = read_domain(text)
            if domain.is_true():
                everything.append(text)
                continue
            branches.append(
                SQL(
                    "SELECT %s::varchar, p.id FROM product_product p"
                    " WHERE p.id IN (%s) AND p.id IN %s",
                    text,
                    among,
                    products._search(domain).subselect(),
                )
            )
        nothing = SQL("SELECT NULL::varchar, NULL::int WHERE FALSE")
        return everything, SQL(" UNION ALL ").join(branches) if branches else nothing

    @api.model
    def _scope_products(self):
        """The recordset that product domains are searched on: the same for every user and language."""
        # terms hold for products whoever asks, also for those sold before they were archived
        return (
            self.env["product.product"]  # pylint: disable=context-overridden
            .with_user(api.SUPERUSER_ID)
            .with_context({"active_test": False})
        )
