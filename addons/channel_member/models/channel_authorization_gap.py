from odoo import fields, models
from odoo.tools import SQL


class ChannelAuthorizationGap(models.Model):
    """Where nobody is authorised: one row for each product that needs authorization and each region of the company's
    level (provinces, unless set otherwise) that no authorization covers as a whole.

    Judged today where the current company is; ``channel_gap_date`` in the context names another day,
    ``channel_gap_days`` one that many days ahead. Authorizations of members that are not active do not count, nor do
    those of members below others: they reach no further than the one above.

    Authorizations of one product scope are taken together, and so are products under the same scopes, so that the work
    does not grow with authorizations times products times hospitals.
    """

    _name = "channel.authorization.gap"
    _description = "Authorization Gap"
    _auto = False
    _rec_name = "product_id"
    _order = "region_id, categ_id, product_id"

    product_id = fields.Many2one("product.product", readonly=True)
    product_tmpl_id = fields.Many2one("product.template", string="Product Template", readonly=True)
    categ_id = fields.Many2one("product.category", string="Product Category", readonly=True)
    region_id = fields.Many2one("channel.region", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    coverage = fields.Selection(
        [("none", "Nobody"), ("part", "Parts only")],
        readonly=True,
        help="Parts only: somebody is authorised for regions below, for some hospitals, or for all but some.",
    )
    hospital_count = fields.Integer(string="Hospitals", readonly=True, aggregator="max")
    white_hospital_count = fields.Integer(
        string="White Spots", readonly=True, help="Hospitals in the region for which nobody is authorised."
    )

    @property
    def _table_query(self) -> SQL:
        Authorization = self.env["channel.authorization"]
        Authorization._flush_matched()
        self.env["res.partner"].flush_model(["active", "channel_state"])
        self.env["product.template"].flush_model(["active", "channel_needs_authorization", "company_id"])
        self.env["channel.region"].flush_model(["active", "level"])
        company = self.env.company
        date = fields.Date.to_date(self.env.context.get("channel_gap_date")) or fields.Date.add(
            company._channel_today(), days=int(self.env.context.get("channel_gap_days") or 0)
        )
        return SQL(
            """
            WITH RECURSIVE chain AS (
                SELECT partner.id AS member_id, partner.id AS holder_id, ARRAY[partner.id] AS path
                  FROM res_partner partner
                 WHERE partner.channel_state = 'active'
                   AND EXISTS (SELECT FROM channel_authorization own WHERE own.partner_id = partner.id)
                 UNION ALL
                SELECT chain.member_id, parent.id, chain.path || parent.id
                  FROM chain
            CROSS JOIN LATERAL %(parent)s AS parent
                 WHERE parent.id IS NOT NULL AND NOT parent.id = ANY(chain.path)
            ),
            -- Members that count by themselves: nobody above limits them.
            counted AS MATERIALIZED (
                SELECT chain.member_id
                  FROM chain
                  JOIN res_partner member ON member.id = chain.holder_id
                  JOIN res_company issuer ON issuer.id = %(company)s
              GROUP BY chain.member_id
                HAVING NOT bool_or(chain.holder_id != chain.member_id AND COALESCE(%(limits)s, FALSE))
            ),
            named AS MATERIALIZED (
                SELECT a.id, a.all_products, (
                        SELECT count(*) FROM channel_authorization_customer_rel rel WHERE rel.authorization_id = a.id
                    ) = 0 AS by_region,
                    CASE WHEN a.all_products THEN '*' ELSE concat_ws(
                        '|',
                        (SELECT string_agg('p' || rel.product_id, ',' ORDER BY rel.product_id)
                           FROM channel_authorization_product_rel rel WHERE rel.authorization_id = a.id),
                        (SELECT string_agg('c' || rel.category_id, ',' ORDER BY rel.category_id)
                           FROM channel_authorization_product_category_rel rel WHERE rel.authorization_id = a.id),
                        (SELECT string_agg('d' || rel.category_id, ',' ORDER BY rel.category_id)
                           FROM channel_authorization_device_category_rel rel WHERE rel.authorization_id = a.id),
                        (SELECT string_agg('r' || rel.registration_id, ',' ORDER BY rel.registration_id)
                           FROM channel_authorization_registration_rel rel WHERE rel.authorization_id = a.id)
                    ) END AS scope
                  FROM channel_authorization a
                  JOIN counted ON counted.member_id = a.partner_id
                 WHERE a.company_id = %(company)s AND a.state != 'draft' AND %(in_force)s
            ),
            -- A scope is known by the first of the authorizations that have it.
            held AS MATERIALIZED (
                SELECT id, all_products, by_region, min(id) OVER (PARTITION BY scope) AS scope FROM named
            ),
            ask AS MATERIALIZED (
                SELECT a.*, held.scope
                  FROM held
                  JOIN channel_authorization a ON a.id = held.id
                 WHERE held.id = held.scope
            ),
            %(products)s,
            good AS MATERIALIZED (
                SELECT product.id, template.id AS template_id, template.categ_id
                  FROM product_product product
                  JOIN product_template template ON template.id = product.product_tmpl_id
                 WHERE product.active AND template.active AND template.channel_needs_authorization
                   AND (template.company_id IS NULL OR template.company_id = %(company)s)
            ),
            scope_good AS MATERIALIZED (
                SELECT ask.scope, good.id FROM ask CROSS JOIN good WHERE ask.all_products
                 UNION
                SELECT ask.scope, good.id
                  FROM ask
                  JOIN ask_product ON ask_product.id = ask.id
                  JOIN good ON good.id = ask_product.product_id
            ),
            -- Products under the same scopes are of one class, known by the first of them.
            good_class AS MATERIALIZED (
                SELECT id, min(id) OVER (PARTITION BY scopes) AS class
                  FROM (SELECT id, array_agg(scope ORDER BY scope) AS scopes FROM scope_good GROUP BY id) good
            ),
            class_scope AS MATERIALIZED (
                SELECT id AS class, scope FROM scope_good WHERE id IN (SELECT class FROM good_class)
            ),
            area AS MATERIALIZED (
                SELECT id, parent_path FROM channel_region WHERE level = %(level)s AND active
            ),
            hospital AS MATERIALIZED (
                SELECT customer.id, customer.commercial_partner_id, region.parent_path, area.id AS area_id,
                       (row_number() OVER (PARTITION BY area.id ORDER BY customer.id) - 1)::int AS place,
                       (count(*) OVER (PARTITION BY area.id))::int AS places
                  FROM res_partner customer
                  JOIN channel_region region ON region.id = customer.channel_region_id
            CROSS JOIN LATERAL unnest(string_to_array(rtrim(region.parent_path, '/'), '/')) AS up(id)
                  JOIN area ON area.id = up.id::int
                 WHERE customer.channel_role = 'hospital' AND customer.active
                   AND (customer.company_id IS NULL OR customer.company_id = %(company)s)
            ),
            -- Each hospital with its region and all above it.
            hospital_region AS MATERIALIZED (
                SELECT hospital.id, hospital.area_id, hospital.place, hospital.places, up.id::int AS region_id
                  FROM hospital
            CROSS JOIN LATERAL unnest(string_to_array(rtrim(hospital.parent_path, '/'), '/')) AS up(id)
            ),
            hospital_named AS MATERIALIZED (
                SELECT id AS partner_id, id, area_id, place, places FROM hospital
                 UNION
                SELECT commercial_partner_id, id, area_id, place, places FROM hospital
            ),
            left_out AS MATERIALIZED (
                SELECT rel.authorization_id, hospital_region.id AS hospital_id
                  FROM channel_authorization_excluded_region_rel rel
                  JOIN hospital_region ON hospital_region.region_id = rel.region_id
                 UNION
                SELECT rel.authorization_id, hospital_named.id
                  FROM channel_authorization_excluded_customer_rel rel
                  JOIN hospital_named ON hospital_named.partner_id = rel.partner_id
            ),
            -- Authorizations that reach into an area, and whether they hold all of it.
            reach AS MATERIALIZED (
                SELECT held.id, held.scope, area.id AS area_id,
                       NOT EXISTS (
                            SELECT FROM channel_authorization_excluded_region_rel rel
                              JOIN channel_region excluded ON excluded.id = rel.region_id
                             WHERE rel.authorization_id = held.id
                               AND excluded.parent_path LIKE area.parent_path || '%%'
                       )
                       AND NOT EXISTS (
                            SELECT FROM channel_authorization_excluded_customer_rel rel
                              JOIN res_partner customer ON customer.id = rel.partner_id
                              JOIN channel_region region ON region.id = customer.channel_region_id
                             WHERE rel.authorization_id = held.id
                               AND region.parent_path LIKE area.parent_path || '%%'
                       ) AS whole
                  FROM area
            CROSS JOIN LATERAL unnest(string_to_array(rtrim(area.parent_path, '/'), '/')) AS up(id)
                  JOIN channel_authorization_region_rel rel ON rel.region_id = up.id::int
                  JOIN held ON held.id = rel.authorization_id AND held.by_region
                 WHERE NOT EXISTS (
                            SELECT FROM channel_authorization_excluded_region_rel rel
                              JOIN channel_region excluded ON excluded.id = rel.region_id
                             WHERE rel.authorization_id = held.id
                               AND area.parent_path LIKE excluded.parent_path || '%%'
                       )
                 UNION
                SELECT held.id, held.scope, area.id, FALSE
                  FROM held
                  JOIN channel_authorization_region_rel rel ON rel.authorization_id = held.id
                  JOIN channel_region named ON named.id = rel.region_id
            CROSS JOIN LATERAL unnest(string_to_array(rtrim(named.parent_path, '/'), '/')) AS up(id)
                  JOIN area ON area.id = up.id::int AND area.id != named.id
                 WHERE held.by_region
                 UNION
                SELECT held.id, held.scope, hospital.area_id, FALSE
                  FROM held
                  JOIN channel_authorization_customer_rel rel ON rel.authorization_id = held.id
                  JOIN hospital_named hospital ON hospital.partner_id = rel.partner_id
                 WHERE NOT held.by_region
            ),
            class_area AS MATERIALIZED (
                SELECT class_scope.class, reach.area_id, bool_or(reach.whole) AS whole
                  FROM class_scope JOIN reach USING (scope)
              GROUP BY 1, 2
            ),
            -- Apart, because joined at once the planner would meet all hospitals of an area before it knows the region.
            part_region AS MATERIALIZED (
                SELECT reach.id, reach.scope, reach.area_id, rel.region_id
                  FROM reach
                  JOIN held ON held.id = reach.id AND held.by_region
                  JOIN channel_authorization_region_rel rel ON rel.authorization_id = reach.id
                 WHERE NOT reach.whole
            ),
            -- Hospitals held in areas that are held in parts.
            part AS (
                SELECT part_region.id, part_region.scope, area_id, hospital.id AS hospital_id, hospital.place,
                       hospital.places
                  FROM part_region
                  JOIN hospital_region hospital USING (area_id, region_id)
                 UNION ALL
                SELECT held.id, held.scope, hospital.area_id, hospital.id, hospital.place, hospital.places
                  FROM held
                  JOIN channel_authorization_customer_rel rel ON rel.authorization_id = held.id
                  JOIN hospital_named hospital ON hospital.partner_id = rel.partner_id
                 WHERE NOT held.by_region
            ),
            -- A bit for each hospital of an area, so that the sets of many scopes are united at the cost of numbers.
            scope_part AS MATERIALIZED (
                SELECT part.scope, part.area_id,
                       bit_or(set_bit(repeat('0', part.places)::varbit, part.place, 1)) AS hospitals
                  FROM part
                 WHERE NOT EXISTS (
                        SELECT FROM left_out
                         WHERE left_out.authorization_id = part.id AND left_out.hospital_id = part.hospital_id
                 )
              GROUP BY part.scope, part.area_id
            ),
            class_part AS (
                SELECT class_scope.class, scope_part.area_id,
                       length(replace(bit_or(scope_part.hospitals)::text, '0', '')) AS hospitals
                  FROM class_scope JOIN scope_part USING (scope)
              GROUP BY 1, 2
            ),
            area_hospitals AS (SELECT area_id, count(*) AS hospitals FROM hospital GROUP BY 1)
            SELECT good.id::bigint * 1000000 + area.id AS id,
                   good.id AS product_id,
                   good.template_id AS product_tmpl_id,
                   good.categ_id,
                   area.id AS region_id,
                   %(company)s AS company_id,
                   CASE WHEN class_area.class IS NULL THEN 'none' ELSE 'part' END AS coverage,
                   COALESCE(area_hospitals.hospitals, 0)::int AS hospital_count,
                   (COALESCE(area_hospitals.hospitals, 0) - COALESCE(class_part.hospitals, 0))::int
                       AS white_hospital_count
              FROM good
        CROSS JOIN area
         LEFT JOIN good_class ON good_class.id = good.id
         LEFT JOIN class_area ON class_area.class = good_class.class AND class_area.area_id = area.id
         LEFT JOIN class_part ON class_part.class = good_class.class AND class_part.area_id = area.id
         LEFT JOIN area_hospitals ON area_hospitals.area_id = area.id
             WHERE class_area.whole IS NOT TRUE
            """,
            company=company.id,
            level=company.channel_gap_level,
            parent=Authorization._parent_sql(SQL("chain.holder_id"), SQL("%s::date", date)),
            limits=Authorization._limits_sql(SQL("member"), SQL("issuer")),
            in_force=Authorization._in_force_sql(SQL("a"), SQL("%s::date", date)),
            products=Authorization._ask_products_sql(),
        )
