from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

KINDS = [
    ("exclusive", "Exclusive"),
    ("overlap", "Overlap"),
    ("duplicate", "Duplicate"),
    ("parent_exceeded", "More than the member above"),
]
SEVERITIES = [("block", "Blocks"), ("warn", "Warns")]


class AuthorizationConflict(NamedTuple):
    """One thing that stands against an authorization. Recordsets with superuser rights, empty where nothing fits."""

    authorization: models.BaseModel
    other: models.BaseModel
    """The other ``channel.authorization``; of the member above one of those that were compared, if it has any."""
    kind: str
    severity: str
    date_from: object
    """First day on which both hold; ``date``."""
    date_to: object
    """Last such day; ``date``, or None when there is no end."""
    region: models.BaseModel
    """Where, for instance: a ``channel.region``, or"""
    customer: models.BaseModel
    """an end customer."""
    product: models.BaseModel
    """Which product, for instance; empty when the categories meet, or all products do."""
    above: models.BaseModel
    """The member above whose authorizations do not reach as far."""


class ChannelAuthorizationConflict(models.TransientModel):  # pylint: disable=no-wizard-in-models
    """What stands against authorizations, found set-based: two queries for any number of them.

    * ``exclusive``: another member is authorised for the same products, territory and time, and one of the two
      exclusively. Blocks. Members above and below share.
    * ``overlap``: the same, and neither is exclusive. The company says what it means.
    * ``duplicate``: the member holds another one for the same. Warns.
    * ``parent_exceeded``: the member above does not hold all of it. Blocks.

    Products meet when a product is named by both, or a category of one lies in a category of the other, whether there
    are products in it yet or not. Territories meet where a region or an end customer lies in both.

    The records are what :meth:`_open` found at one moment for one user, to look through.
    """

    _name = "channel.authorization.conflict"
    _description = "Authorization Conflict"
    _order = "severity, authorization_id, id"
    _rec_name = "sentence"

    authorization_id = fields.Many2one("channel.authorization", readonly=True, required=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", string="Member", readonly=True)
    other_id = fields.Many2one("channel.authorization", string="Other Authorization", readonly=True, ondelete="cascade")
    kind = fields.Selection(KINDS, readonly=True)
    severity = fields.Selection(SEVERITIES, readonly=True)
    date_from = fields.Date(string="Both From", readonly=True)
    date_to = fields.Date(string="Both To", readonly=True)
    region_id = fields.Many2one("channel.region", readonly=True, help="For instance here.")
    customer_id = fields.Many2one("res.partner", string="End Customer", readonly=True, help="For instance here.")
    product_id = fields.Many2one("product.product", readonly=True, help="For instance this one.")
    sentence = fields.Char(string="Conflict", readonly=True)

    #=== BUSINESS METHODS ===#

    @api.model
    def _open(self, authorizations):
        """Return the action that lists the conflicts of these authorizations, of drafts among themselves too."""
        found = self._find(authorizations, among=True)
        # sudo: the rows are the user's own, and say of authorizations out of reach no more than the form does.
        rows = self.sudo().create([
            {
                "authorization_id": conflict.authorization.id,
                "partner_id": conflict.authorization.partner_id.id,
                "other_id": conflict.other.id,
                "kind": conflict.kind,
                "severity": conflict.severity,
                "date_from": conflict.date_from,
                "date_to": conflict.date_to,
                "region_id": conflict.region.id,
                "customer_id": conflict.customer.id,
                "product_id": conflict.product.id,
                "sentence": sentence,
            }
            for conflict, sentence in zip(found, self._sentences(found), strict=True)
        ])
        return {
            **self.env["ir.actions.actions"]._for_xml_id("channel_member.channel_authorization_conflict_action"),
            "domain": [("id", "in", rows.ids)],
        }

    @api.model
    def _check(self, authorizations):
        """Refuse what blocks, for authorizations that are about to be approved.

        Of two approvals at the same time in one company the second waits for the first, and is then run again
        by the server's own retry, because only a new transaction sees what the first has approved.

        :raise UserError: names every blocking conflict, with the other letter
        """
        self.env.execute_query(SQL(
            """
            UPDATE res_company SET channel_authorization_revision = COALESCE(channel_authorization_revision, 0) + 1
             WHERE id IN (SELECT id FROM res_company WHERE id IN %s ORDER BY id FOR NO KEY UPDATE)
         RETURNING id
            """,
            tuple(authorizations.company_id.ids),
        ))
        blocking = [conflict for conflict in self._find(authorizations) if conflict.severity == "block"]
        if blocking:
            raise UserError("\n".join(self._sentences(blocking)))

    @api.model
    def _find(self, authorizations, among=False):
        """Find all conflicts of these authorizations with those in force, present or future.

        :param bool among: also conflicts of these with each other, whatever their state
        :return: list of :class:`AuthorizationConflict`, blocking ones first
        """
        if not authorizations.ids:
            return []
        found = self._find_overlapping(authorizations, among=among) + self._find_exceeding(authorizations)
        return sorted(found, key=lambda c: (c.severity, c.authorization.id, c.kind != "exclusive", c.other.id))

    @api.model
    def _find_overlapping(self, authorizations, among=False):
        """Find ``exclusive``, ``overlap`` and ``duplicate``, in one query."""
        Authorization = self.env["channel.authorization"]
        Authorization._flush_matched()
        self.env["res.company"].flush_model(["channel_overlap_severity"])
        rows = self.env.execute_query(SQL(
            """
            WITH RECURSIVE above(id, ancestor_id) AS (
                SELECT id, channel_parent_id FROM res_partner WHERE channel_parent_id IS NOT NULL
                 UNION
                SELECT above.id, partner.channel_parent_id
                  FROM above JOIN res_partner partner ON partner.id = above.ancestor_id
                 WHERE partner.channel_parent_id IS NOT NULL
            ),
            ask AS MATERIALIZED (
                SELECT a.*, %(ask_period)s AS period FROM channel_authorization a WHERE a.id IN %(ids)s
            ),
            %(products)s,
            ask_region AS (
                SELECT ask.id, region.id AS region_id, region.parent_path
                  FROM ask
                  JOIN channel_authorization_region_rel rel ON rel.authorization_id = ask.id
                  JOIN channel_region region ON region.id = rel.region_id
                 WHERE NOT EXISTS (
                    SELECT FROM channel_authorization_customer_rel own WHERE own.authorization_id = ask.id
                 )
            ),
            ask_customer AS (
                SELECT ask.id, rel.partner_id, customer.commercial_partner_id,
                       COALESCE(customer.channel_region_id, company.channel_region_id) AS region_id
                  FROM ask
                  JOIN channel_authorization_customer_rel rel ON rel.authorization_id = ask.id
                  JOIN res_partner customer ON customer.id = rel.partner_id
             LEFT JOIN res_partner company ON company.id = customer.commercial_partner_id
            ),
            -- Places in both, before exclusions. Of two regions that meet it is the deeper one.
            place(id, other_id, region_id, customer_id) AS (
                SELECT ask_region.id, rel.authorization_id, ask_region.region_id, NULL::int
                  FROM ask_region
            CROSS JOIN LATERAL unnest(string_to_array(rtrim(ask_region.parent_path, '/'), '/')) AS up(id)
                  JOIN channel_authorization_region_rel rel ON rel.region_id = up.id::int
                 WHERE NOT EXISTS (
                    SELECT FROM channel_authorization_customer_rel own
                     WHERE own.authorization_id = rel.authorization_id
                 )
                 UNION
                SELECT ask_region.id, rel.authorization_id, below.id, NULL
                  FROM ask_region
                  JOIN channel_region below ON below.parent_path LIKE ask_region.parent_path || '%%'
                  JOIN channel_authorization_region_rel rel ON rel.region_id = below.id
                 WHERE NOT EXISTS (
                    SELECT FROM channel_authorization_customer_rel own
                     WHERE own.authorization_id = rel.authorization_id
                 )
                 UNION
                SELECT ask_region.id, rel.authorization_id, NULL, rel.partner_id
                  FROM channel_authorization_customer_rel rel
                  JOIN res_partner customer ON customer.id = rel.partner_id
             LEFT JOIN res_partner company ON company.id = customer.commercial_partner_id
                  JOIN channel_region region
                    ON region.id = COALESCE(customer.channel_region_id, company.channel_region_id)
            CROSS JOIN LATERAL unnest(string_to_array(rtrim(region.parent_path, '/'), '/')) AS up(id)
                  JOIN ask_region ON ask_region.region_id = up.id::int
                 UNION
                SELECT ask_customer.id, rel.authorization_id, NULL, ask_customer.partner_id
                  FROM ask_customer
                  JOIN channel_region region ON region.id = ask_customer.region_id
            CROSS JOIN LATERAL unnest(string_to_array(rtrim(region.parent_path, '/'), '/')) AS up(id)
                  JOIN channel_authorization_region_rel rel ON rel.region_id = up.id::int
                 WHERE NOT EXISTS (
                    SELECT FROM channel_authorization_customer_rel own
                     WHERE own.authorization_id = rel.authorization_id
                 )
                 UNION
                SELECT ask_customer.id, rel.authorization_id, NULL, ask_customer.partner_id
                  FROM ask_customer
            CROSS JOIN LATERAL (VALUES (partner_id), (commercial_partner_id)) AS named(id)
                  JOIN channel_authorization_customer_rel rel ON rel.partner_id = named.id
                 UNION
                SELECT ask_customer.id, rel.authorization_id, NULL, rel.partner_id
                  FROM ask_customer
                  JOIN res_partner customer ON customer.commercial_partner_id = ask_customer.partner_id
                  JOIN channel_authorization_customer_rel rel ON rel.partner_id = customer.id
            ),
            pair AS MATERIALIZED (
                SELECT DISTINCT ON (ask.id, other.id) ask.id, other.id AS other_id, place.region_id, place.customer_id,
                       ask.period * %(other_period)s AS period
                  FROM place
                  JOIN ask ON ask.id = place.id
                  JOIN channel_authorization other ON other.id = place.other_id
             LEFT JOIN res_partner customer ON customer.id = place.customer_id
             LEFT JOIN res_partner company ON company.id = customer.commercial_partner_id
             LEFT JOIN channel_region region
                    ON region.id = COALESCE(place.region_id, customer.channel_region_id, company.channel_region_id)
                 WHERE other.id != ask.id
                   AND other.company_id = ask.company_id
                   AND (other.state != 'draft' OR %(among)s AND other.id IN %(ids)s)
                   AND ask.period && %(other_period)s
                   AND NOT %(ask_excluded)s
                   AND NOT %(other_excluded)s
              ORDER BY ask.id, other.id, place.customer_id NULLS FIRST, place.region_id
            ),
            conflict AS (
                SELECT pair.*,
                       CASE WHEN other.partner_id = ask.partner_id THEN 'duplicate'
                            WHEN other.exclusive OR ask.exclusive THEN 'exclusive'
                            ELSE 'overlap' END AS kind
                  FROM pair
                  JOIN ask ON ask.id = pair.id
                  JOIN channel_authorization other ON other.id = pair.other_id
                 WHERE NOT EXISTS (
                    SELECT FROM above WHERE above.id = ask.partner_id AND above.ancestor_id = other.partner_id
                 )
                   AND NOT EXISTS (
                    SELECT FROM above WHERE above.id = other.partner_id AND above.ancestor_id = ask.partner_id
                 )
                   AND (ask.all_products OR other.all_products OR %(other_meets)s)
            )
            SELECT conflict.id, conflict.other_id, conflict.kind,
                   CASE conflict.kind WHEN 'exclusive' THEN 'block' WHEN 'duplicate' THEN 'warn'
                        ELSE issuer.channel_overlap_severity END,
                   lower(conflict.period), NULLIF(upper(conflict.period), 'infinity') - 1,
                   conflict.region_id, conflict.customer_id,
                   COALESCE(
                        (
                            SELECT min(ask_product.product_id) FROM ask_product
                              JOIN product_product product ON product.id = ask_product.product_id
                              JOIN product_template template ON template.id = product.product_tmpl_id
                             WHERE ask_product.id = conflict.id AND %(other_names)s
                        ),
                        (
                            SELECT min(rel.product_id) FROM channel_authorization_product_rel rel
                             WHERE rel.authorization_id = conflict.other_id AND ask.all_products
                               AND other.all_products IS NOT TRUE
                        )
                   )
              FROM conflict
              JOIN ask ON ask.id = conflict.id
              JOIN channel_authorization other ON other.id = conflict.other_id
              JOIN res_company issuer ON issuer.id = ask.company_id
             WHERE conflict.kind != 'overlap' OR issuer.channel_overlap_severity != 'off'
            """,
            ids=tuple(authorizations.ids),
            among=among,
            products=Authorization._ask_products_sql(),
            ask_period=Authorization._period_sql(SQL("a"), pending=True),
            other_period=Authorization._period_sql(SQL("other"), pending=True),
            ask_excluded=Authorization._excluded_sql(SQL("ask"), SQL("customer"), SQL("region")),
            other_excluded=Authorization._excluded_sql(SQL("other"), SQL("customer"), SQL("region")),
            other_meets=Authorization._ask_meets_sql(SQL("ask"), SQL("other")),
            other_names=Authorization._products_sql(SQL("other"), SQL("product"), SQL("template")),
        ))
        return [self._conflict(*row) for row in rows]

    @api.model
    def _find_exceeding(self, authorizations, date=None):
        """Find ``parent_exceeded``, in one query: what the nearest member above that limits does not hold itself.

        Its authorizations count together. What is compared are the products and categories that the authorization
        names, in each region without regions below that lies in the territory and at each end customer that one of
        the two names, over the whole period.

        :param date: compare on this day only, by the hierarchy of that day. Without, the whole period, by the
            hierarchy of its first day, of today when it has begun; the gate asks again on every day.
        """
        Authorization = self.env["channel.authorization"]
        Authorization._flush_matched()
        if not authorizations.ids:
            return []
        # sudo: the time zone of the company
        records = authorizations.sudo()
        rows = self.env.execute_query(SQL(
            """
            WITH RECURSIVE ask AS MATERIALIZED (
                SELECT a.*, asked.day,
                       CASE WHEN %(date)s::date IS NULL THEN %(ask_period)s
                            ELSE daterange(%(date)s::date, %(date)s::date, '[]') END AS period
                  FROM unnest(%(ids)s::int[], %(days)s::date[]) AS asked(id, day)
                  JOIN channel_authorization a ON a.id = asked.id
            ),
            chain AS (
                SELECT id, day, partner_id AS holder_id, ARRAY[partner_id] AS path FROM ask
                 UNION ALL
                SELECT chain.id, chain.day, parent.id, chain.path || parent.id
                  FROM chain
            CROSS JOIN LATERAL %(parent)s AS parent
                 WHERE parent.id IS NOT NULL AND NOT parent.id = ANY(chain.path)
            ),
            above AS MATERIALIZED (
                SELECT DISTINCT ON (chain.id) chain.id, chain.holder_id
                  FROM chain
                  JOIN ask ON ask.id = chain.id
                  JOIN res_partner member ON member.id = chain.holder_id
                  JOIN res_company issuer ON issuer.id = ask.company_id
                 WHERE cardinality(chain.path) > 1 AND %(limits)s
              ORDER BY chain.id, cardinality(chain.path)
            ),
            held AS MATERIALIZED (
                SELECT above.id, b.id AS other_id, b.all_products, %(held_period)s * ask.period AS period
                  FROM above
                  JOIN ask ON ask.id = above.id
                  JOIN channel_authorization b
                    ON b.partner_id = above.holder_id AND b.company_id = ask.company_id AND b.state != 'draft'
                   AND %(held_period)s && ask.period
            ),
            product_atom(id, product_id, holders) AS (
                %(product_atoms)s
            ),
            place(id, region_id, customer_id) AS (
                SELECT ask.id, leaf.id, NULL::int
                  FROM above
                  JOIN ask ON ask.id = above.id
                  JOIN channel_authorization_region_rel rel ON rel.authorization_id = ask.id
                  JOIN channel_region top ON top.id = rel.region_id
                  JOIN channel_region leaf ON leaf.parent_path LIKE top.parent_path || '%%'
                 WHERE NOT EXISTS (SELECT FROM channel_region child WHERE child.parent_id = leaf.id)
                   AND NOT EXISTS (
                    SELECT FROM channel_authorization_customer_rel own WHERE own.authorization_id = ask.id
                 )
                 UNION
                SELECT ask.id, NULL, rel.partner_id
                  FROM above
                  JOIN ask ON ask.id = above.id
                  JOIN channel_authorization_customer_rel rel ON rel.authorization_id = ask.id
                 UNION
                SELECT held.id, NULL, rel.partner_id
                  FROM held
                  JOIN channel_authorization_excluded_customer_rel rel ON rel.authorization_id = held.other_id
            ),
            territory_atom AS (
                SELECT place.*, ARRAY(
                        SELECT held.other_id
                          FROM held
                          JOIN channel_authorization b ON b.id = held.other_id
                         WHERE held.id = place.id AND %(held_territory)s
                      ORDER BY held.other_id
                    ) AS holders
                  FROM place
                  JOIN ask ON ask.id = place.id
             LEFT JOIN res_partner customer ON customer.id = place.customer_id
             LEFT JOIN res_partner company ON company.id = customer.commercial_partner_id
             LEFT JOIN channel_region region
                    ON region.id = COALESCE(place.region_id, customer.channel_region_id, company.channel_region_id)
                 WHERE CASE WHEN place.region_id IS NULL THEN %(ask_territory)s ELSE NOT %(ask_excluded)s END
            ),
            -- Most products and most places are held by the same authorizations: compare each combination once.
            products AS (SELECT id, holders, min(product_id) AS product_id FROM product_atom GROUP BY id, holders),
            places AS (
                SELECT id, holders, min(region_id) AS region_id, min(customer_id) AS customer_id
                  FROM territory_atom GROUP BY id, holders
            )
            SELECT DISTINCT ON (ask.id) ask.id, (SELECT max(other_id) FROM held WHERE held.id = ask.id),
                   'parent_exceeded', 'block', lower(ask.period), NULLIF(upper(ask.period), 'infinity') - 1,
                   places.region_id, CASE WHEN places.region_id IS NULL THEN places.customer_id END,
                   products.product_id, above.holder_id
              FROM ask
              JOIN above ON above.id = ask.id
              JOIN products ON products.id = ask.id
              JOIN places ON places.id = ask.id
             WHERE NOT COALESCE(
                    (
                        SELECT range_agg(held.period) @> ask.period
                          FROM held
                         WHERE held.id = ask.id
                           AND held.other_id = ANY(products.holders) AND held.other_id = ANY(places.holders)
                    ), FALSE)
          ORDER BY ask.id, cardinality(places.holders), places.region_id, places.customer_id, products.product_id
            """,
            ids=records.ids,
            days=[date or self._day_above(authorization) for authorization in records],
            date=date or None,
            parent=Authorization._parent_sql(SQL("chain.holder_id"), SQL("chain.day")),
            limits=Authorization._limits_sql(SQL("member"), SQL("issuer")),
            ask_period=Authorization._period_sql(SQL("a"), pending=True),
            held_period=Authorization._period_sql(SQL("b")),
            product_atoms=Authorization._product_atoms_sql(),
            held_territory=Authorization._territory_sql(SQL("b"), SQL("customer"), SQL("region")),
            ask_territory=Authorization._territory_sql(SQL("ask"), SQL("customer"), SQL("region")),
            ask_excluded=Authorization._excluded_sql(SQL("ask"), SQL("customer"), SQL("region")),
        ))
        return [self._conflict(*row) for row in rows]

    def _day_above(self, authorization):
        """Whose hierarchy counts for the whole period: that of its first day, of today, or of its last day."""
        today = authorization.company_id._channel_today()
        last_day = authorization.date_to or today
        return max(authorization.date_from, min(today, last_day))

    @api.model
    def _conflict(
        self, authorization_id, other_id, kind, severity, date_from, date_to, region_id, customer_id, product_id,
        above_id=None,
    ):
        # sudo: see _sentences, which decides what the user is told.
        env = self.sudo().env

        def record(model, record_id):
            return env[model].browse(record_id and [record_id])

        return AuthorizationConflict(
            record("channel.authorization", authorization_id),
            record("channel.authorization", other_id),
            kind,
            severity,
            date_from,
            date_to,
            record("channel.region", region_id),
            record("res.partner", customer_id),
            record("product.product", product_id),
            record("res.partner", above_id),
        )

    @api.model
    def _sentences(self, conflicts):
        """Say conflicts in words, in the user's language: a list in the same order.

        The letter in the way is always named; its member only to users who may read the letter (a regional user learns
        that a territory is taken, not by whom in another region).
        """
        others = self.env["channel.authorization"].browse({c.other.id for c in conflicts if c.other})
        readable = set(others.sudo(False)._filtered_access("read").ids)
        return [self._sentence(conflict, conflict.other.id in readable) for conflict in conflicts]

    def _sentence(self, conflict, named):
        where = conflict.customer.display_name or conflict.region.complete_name
        values = {
            "number": conflict.authorization.number,
            "member": conflict.authorization.partner_id.display_name,
            "other": conflict.other.number,
            "other_member": conflict.other.partner_id.display_name if named else self.env._("another member"),
            "what": conflict.product.display_name or self.env._("products"),
            "where": where,
            "from": format_date(self.env, conflict.date_from),
            "to": format_date(self.env, conflict.date_to) if conflict.date_to else self.env._("open end"),
            "above": conflict.above.display_name,
        }
        if conflict.kind == "exclusive":
            return self.env._(
                "%(number)s of %(member)s meets %(other)s of %(other_member)s, and one of them is exclusive: %(what)s, "
                "%(where)s, %(from)s to %(to)s. Exclude the territory, or revoke the other one first.", **values,
            )
        if conflict.kind == "overlap":
            return self.env._(
                "%(number)s of %(member)s overlaps %(other)s of %(other_member)s: %(what)s, %(where)s, %(from)s to "
                "%(to)s.", **values,
            )
        if conflict.kind == "duplicate":
            return self.env._(
                "%(number)s repeats %(other)s of the same member: %(what)s, %(where)s, %(from)s to %(to)s.", **values
            )
        return self.env._(
            "%(number)s of %(member)s goes beyond what %(above)s, the member above, is authorised for: %(what)s, "
            "%(where)s, within %(from)s to %(to)s. Narrow it, or extend the authorization above first.", **values,
        )
