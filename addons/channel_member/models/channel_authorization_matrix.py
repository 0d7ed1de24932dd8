from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .channel_authorization import EXPIRING_DAYS

AXES = ("member", "product")
LIMIT = 40
MAX_LIMIT = 200
MAX_COLUMNS = 400
#: Members who do not trade: they are served, they are not authorised.
SERVED_ROLES = ("hospital", "buying_group")


class ChannelAuthorizationMatrix(models.AbstractModel):
    """Who may sell what where, as a table: members x regions, or product categories x regions.

    Everything is read with the rights of the user: members, hospitals and authorizations that record rules hide are
    not counted, not named, and make no conflict. The number of queries does not depend on the number of rows,
    columns and authorizations.

    Columns are the provinces, and the regions outside of any province (a country without provinces, a sales area that
    holds none); each can be expanded by the regions directly below it.
    """

    _name = "channel.authorization.matrix"
    _description = "Authorization Matrix"

    #=== PUBLIC METHODS ===#

    @api.model
    @api.readonly
    def read_matrix(
        self, axis="member", date=None, expanded_region_ids=None, all_regions=False, search=None, grade_id=None,
        product_categ_id=None, include_drafts=False, offset=0, limit=LIMIT,
    ):
        """Read one page of the matrix.

        :param str axis: what the rows are: ``member``, or ``product`` for product categories
        :param str date: day on which authorizations are judged, ISO 8601; today when not given
        :param list expanded_region_ids: columns after which the regions directly below are shown too
        :param bool all_regions: also the columns in which there is neither an end customer nor an authorization
        :param str search: part of the name, code or tax number of members, of the name of product categories
        :param int grade_id: only members of this tier
        :param int product_categ_id: only authorizations that name a product of this category or below; for the axis
            ``product`` only these rows
        :param bool include_drafts: also authorizations that wait for approval
        :param int offset: rows to skip
        :param int limit: rows of a page, 200 at most
        :return: dict of

            * ``axis``, ``date``, ``total`` (rows of all pages), ``offset``, ``limit``
            * ``rows``: ``[{id, name, detail, products}]``; ``id`` of ``res.partner`` or ``product.category``
              (0: products without one), ``products`` how many goods for sale it holds itself (axis ``product``)
            * ``columns``: ``[{id, name, complete_name, parent_id, expandable, expanded, customers}]``; ``customers``
              counts hospitals in the region and below
            * ``cells``: ``{row id: {column id: cell}}`` (ids as text) without the empty ones. A cell has ``state``
              (``conflict``, ``expiring``, ``exclusive``, ``authorized``, ``draft``, ``gap``), ``whole`` (the whole
              region, and for a category all its products, in one authorization), ``exclusive``, ``expiring`` (the last
              day of all is at most 90 days away), ``conflict``, ``authorizations`` and ``members`` (how many),
              ``date_to`` (last day of the one that ends last; False when it has no end). ``gap``: there are end
              customers and nobody is authorised (axis ``product``)
        :raise AccessError: the user has no position in the channel
        :raise UserError: an argument that cannot be; the message names it
        """
        self._check_reader()
        if axis not in AXES:
            raise UserError(self.env._(
                "Axis %(axis)s of the matrix is not known: use one of %(known)s.", axis=axis, known=", ".join(AXES)
            ))
        date = self._to_date(date)
        offset, limit = max(int(offset or 0), 0), min(max(int(limit or LIMIT), 1), MAX_LIMIT)
        filters = {
            "date": date, "grade_id": grade_id, "product_categ_id": product_categ_id, "include_drafts": include_drafts,
        }
        rows, total = getattr(self, f"_{axis}_rows")(search, grade_id, product_categ_id, offset, limit)
        columns = self._columns(expanded_region_ids or [])
        customers = self._customers_by_column([column["id"] for column in columns])
        cells, touched = self._cells(axis, [row["id"] for row in rows], [column["id"] for column in columns], filters)
        for column in columns:
            column["customers"] = customers.get(column["id"], 0)
        if not all_regions:
            kept = {column["id"] for column in columns if column["customers"] or column["id"] in touched}
            kept |= {column["parent_id"] for column in columns if column["id"] in kept}
            columns = [column for column in columns if column["id"] in kept]
        if axis == "product":
            for row in rows:
                row_cells = cells.setdefault(row["id"], {})
                for column in columns:
                    if column["customers"] and column["id"] not in row_cells:
                        row_cells[column["id"]] = self._cell_values(state="gap")
        return {
            "axis": axis,
            "date": fields.Date.to_string(date),
            "total": total,
            "offset": offset,
            "limit": limit,
            "rows": rows,
            "columns": columns,
            # Text, because XML-RPC knows no other keys.
            "cells": {
                str(row_id): {str(column_id): cell for column_id, cell in of_row.items()}
                for row_id, of_row in cells.items()
            },
        }

    @api.model
    @api.readonly
    def read_cell(
        self, axis, row_id, region_id, date=None, grade_id=None, product_categ_id=None, include_drafts=False,
        offset=0, limit=LIMIT,
    ):
        """Read what stands behind one cell: its authorizations, and the hospitals of the region with who serves them.

        :param str axis: ``member`` or ``product``
        :param int row_id: id of the member or of the product category
        :param int region_id: id of the column's region
        :param int offset: hospitals to skip
        :param int limit: hospitals of a page, 200 at most
        :return: dict of ``row`` and ``region`` (names), ``authorizations``: ``[{id, number, member_id, member,
            date_from, date_to, exclusive, draft, conflict, products, territory}]`` (and those that they conflict with),
            ``customers``: ``[{id, name, detail, served_by: [{id, name, exclusive}]}]`` and ``customer_total``.
            ``served_by`` names every member who may serve the hospital on that day (with the products of the row or of
            the filter)
        :raise AccessError: the user has no position in the channel, or may not read the row
        :raise UserError: row or region does not exist
        """
        self._check_reader()
        if axis not in AXES:
            raise UserError(self.env._(
                "Axis %(axis)s of the matrix is not known: use one of %(known)s.", axis=axis, known=", ".join(AXES)
            ))
        row = self.env["res.partner" if axis == "member" else "product.category"].browse(int(row_id)).exists()
        region = self.env["channel.region"].browse(int(region_id)).exists()
        if not region or not row and (axis == "member" or row_id):
            raise UserError(self.env._(
                "The row or the region of this cell does not exist any more: reload the matrix."
            ))
        row.check_access("read")
        offset, limit = max(int(offset or 0), 0), min(max(int(limit or LIMIT), 1), MAX_LIMIT)
        filters = {
            "date": self._to_date(date), "grade_id": grade_id, "product_categ_id": product_categ_id,
            "include_drafts": include_drafts,
        }
        Partner = self.env["res.partner"]
        domain = [("channel_role", "=", "hospital"), ("channel_region_id", "child_of", region.id)]
        total = Partner.search_count(domain)
        customers = Partner.search(domain, offset=offset, limit=limit, order="complete_name, id")
        served_by = self._served_by(axis, row.id or 0, region.id, customers, filters)
        authorizations = self._cell_authorizations(axis, row.id or 0, region.id, filters)
        conflicts = self._conflicts(axis, [row.id or 0], region.ids, filters).get((row.id or 0, region.id), [])
        # On the axis of members the other side is not among those of the row.
        authorizations |= authorizations.browse(conflicts)
        return {
            "row": row.display_name or self.env._("Without a category"),
            "region": region.complete_name,
            "authorizations": [
                {**self._authorization_values(authorization), "conflict": authorization.id in conflicts}
                for authorization in authorizations
            ],
            "customers": [
                {
                    "id": customer.id,
                    "name": customer.name,
                    "detail": ", ".join(filter(None, (
                        customer.channel_region_id.name, customer.channel_hospital_grade_id.display_name
                    ))),
                    "served_by": served_by.get(customer.id, []),
                }
                for customer in customers
            ],
            "customer_total": total,
        }

    #=== ROWS AND COLUMNS ===#

    def _member_rows(self, search, grade_id, product_categ_id, offset, limit):
        domain = Domain("channel_role", "!=", False) & Domain("channel_role", "not in", SERVED_ROLES)
        domain &= Domain("channel_state", "!=", "terminated")
        if grade_id:
            domain &= Domain("grade_id", "=", grade_id)
        if search:
            domain &= Domain.OR(Domain(name, "ilike", search) for name in ("complete_name", "channel_code", "vat"))
        Partner = self.env["res.partner"]
        members = Partner.search(domain, offset=offset, limit=limit, order="complete_name, id")
        states = dict(Partner._fields["channel_state"]._description_selection(self.env))
        return [
            {
                "id": member.id,
                "name": member.name,
                "detail": " · ".join(filter(None, (
                    member.channel_code,
                    member.grade_id.name,
                    member.channel_state != "active" and states.get(member.channel_state),
                ))),
            }
            for member in members
        ], Partner.search_count(domain)

    def _product_rows(self, search, grade_id, product_categ_id, offset, limit):
        products = Domain("active", "=", True) & Domain("sale_ok", "=", True) & Domain("type", "!=", "service")
        if product_categ_id:
            products &= Domain("categ_id", "child_of", product_categ_id)
        counts = {
            categ.id: count
            for categ, count in self.env["product.product"]._read_group(products, ["categ_id"], ["__count"])
        }
        domain = Domain("id", "in", list(counts))
        if search:
            domain &= Domain("complete_name", "ilike", search)
        Category = self.env["product.category"]
        categories = Category.search(domain, offset=offset, limit=limit, order="complete_name, id")
        total = Category.search_count(domain)
        rows = [
            {
                "id": category.id,
                "name": category.name,
                "detail": category.parent_id.complete_name or "",
                "products": counts[category.id],
            }
            for category in categories
        ]
        if counts.get(False) and not search:
            # What has no category is sold too: the last row of the last page.
            total += 1
            if offset < total <= offset + limit:
                rows.append({
                    "id": 0, "name": self.env._("Without a category"), "detail": "", "products": counts[False],
                })
        return rows, total

    def _columns(self, expanded):
        """The regions that are columns, those below an expanded one directly after it."""
        Region = self.env["channel.region"]
        Region.flush_model(["level", "parent_path", "parent_id", "active"])
        top = [row[0] for row in self.env.execute_query(SQL(
            """
            SELECT region.id
              FROM channel_region region
         LEFT JOIN channel_region parent ON parent.id = region.parent_id
             WHERE region.active
               AND (
                    region.level = 'province'
                    OR NOT EXISTS (
                        SELECT FROM channel_region province
                         WHERE province.active AND province.level = 'province'
                           AND (province.parent_path LIKE region.parent_path || '%%'
                                OR region.parent_path LIKE province.parent_path || '%%')
                    )
                    AND (
                        parent.id IS NULL
                        OR EXISTS (
                            SELECT FROM channel_region province
                             WHERE province.active AND province.level = 'province'
                               AND province.parent_path LIKE parent.parent_path || '%%'
                        )
                    )
               )
            """
        ))]
        # The user's own rights decide which of them are seen.
        shown = Region.search([("id", "in", top)])
        below = Region.search([("parent_id", "in", list(expanded))]) if expanded else Region
        by_parent = below.grouped("parent_id")
        expandable = {
            parent.id for parent, in Region._read_group([("parent_id", "in", (shown | below).ids)], ["parent_id"])
        }
        columns = []

        def add(region):
            inside = by_parent.get(region, Region)
            columns.append({
                "id": region.id,
                "name": region.name,
                "complete_name": region.complete_name,
                "parent_id": region.parent_id.id if region in below else False,
                "expandable": region.id in expandable,
                "expanded": bool(inside),
            })
            for child in inside:
                add(child)

        for region in shown:
            add(region)
        if len(columns) > MAX_COLUMNS:
            raise UserError(self.env._(
                "The matrix has %(count)s columns, at most %(max)s are shown: collapse some regions.",
                count=len(columns), max=MAX_COLUMNS,
            ))
        return columns

    def _customers_by_column(self, column_ids):
        """``{column id: number of hospitals in it and below}``, as far as the user may see them."""
        counts = {
            region.id: count
            for region, count in self.env["res.partner"]._read_group(
                [("channel_role", "=", "hospital"), ("channel_region_id", "!=", False)],
                ["channel_region_id"], ["__count"],
            )
        }
        if not counts or not column_ids:
            return {}
        totals = defaultdict(int)
        for column_id, region_id in self.env.execute_query(SQL(
            """
            SELECT col.id, region.id
              FROM channel_region col
              JOIN channel_region region ON region.parent_path LIKE col.parent_path || '%%'
             WHERE col.id IN %s AND region.id IN %s
            """,
            tuple(column_ids), tuple(counts),
        )):
            totals[column_id] += counts[region_id]
        return totals

    #=== CELLS ===#

    def _cells(self, axis, row_ids, column_ids, filters):
        """:return: ``({row id: {column id: cell}}, ids of the columns in which any authorization holds)``"""
        cells, touched = defaultdict(dict), set()
        if not column_ids:
            return cells, touched
        conflicts = self._conflicts(axis, row_ids, column_ids, filters)
        expiring = fields.Date.add(filters["date"], days=EXPIRING_DAYS)
        for row_id, column_id, whole, exclusive, draft, count, members, endless, date_to in self._cell_rows(
            axis, row_ids, column_ids, filters
        ):
            touched.add(column_id)
            if row_id is None:
                continue
            cell = self._cell_values(
                whole=whole,
                exclusive=exclusive,
                conflict=(row_id, column_id) in conflicts,
                expiring=not draft and not endless and date_to <= expiring,
                authorizations=count,
                members=members,
                date_to=False if endless else fields.Date.to_string(date_to),
            )
            cell["state"] = (
                "conflict" if cell["conflict"]
                else "draft" if draft
                else "expiring" if cell["expiring"]
                else "exclusive" if exclusive
                else "authorized"
            )
            cells[row_id][column_id] = cell
        return cells, touched

    @api.model
    def _cell_values(self, **values):
        return {
            "state": False, "whole": False, "exclusive": False, "expiring": False, "conflict": False,
            "authorizations": 0, "members": 0, "date_to": False, **values,
        }

    def _cell_rows(self, axis, row_ids, column_ids, filters):
        """One SQL row for each cell, and one with the row NULL for each column that any authorization reaches."""
        if axis == "member":
            of_row = SQL("SELECT id AS authorization_id, partner_id AS row_id, TRUE AS whole FROM a")
        else:
            of_row = SQL("SELECT authorization_id, categ_id AS row_id, whole FROM category")
        return self.env.execute_query(SQL(
            """
            %(ctes)s,
            of_row AS (%(of_row)s),
            cell AS (
                SELECT CASE WHEN of_row.row_id = ANY(%(rows)s::int[]) THEN of_row.row_id END AS row_id,
                       territory.column_id, territory.whole AND of_row.whole AS whole,
                       COALESCE(a.exclusive, FALSE) AS exclusive,
                       a.state = 'draft' AS draft, a.id, a.partner_id, a.date_to
                  FROM of_row
                  JOIN a ON a.id = of_row.authorization_id
                  JOIN territory ON territory.authorization_id = a.id
            )
            SELECT row_id, column_id,
                   COALESCE(bool_or(whole) FILTER (WHERE NOT draft), bool_or(whole)),
                   COALESCE(bool_or(exclusive) FILTER (WHERE NOT draft), bool_or(exclusive)),
                   bool_and(draft), count(DISTINCT id), count(DISTINCT partner_id),
                   COALESCE(bool_or(date_to IS NULL) FILTER (WHERE NOT draft), bool_or(date_to IS NULL)),
                   COALESCE(max(date_to) FILTER (WHERE NOT draft), max(date_to))
              FROM cell
          GROUP BY row_id, column_id
            """,
            ctes=self._ctes(column_ids, filters),
            of_row=of_row,
            rows=list(row_ids),
        ))

    def _conflicts(self, axis, row_ids, column_ids, filters):
        """Cells in which authorizations of two unrelated members share product, territory and day, one exclusive.

        :return: ``{(row id, column id): ids of the authorizations on either side}``
        """
        if not row_ids:
            return {}
        Authorization = self.env["channel.authorization"]
        if axis == "member":
            row = SQL("met.partner_id")
            of_page, of_row = SQL("a.partner_id = ANY(%s::int[])", list(row_ids)), SQL("TRUE")
        else:
            row = SQL("met.categ_id")
            of_page, of_row = SQL("TRUE"), SQL("mine.categ_id = ANY(%s::int[])", list(row_ids))
        # Step by step, because the planner cannot know that few pairs are left after the cheap conditions.
        rows = self.env.execute_query(SQL(
            """
            %(ctes)s,
            above(id, ancestor_id) AS (
                SELECT id, channel_parent_id FROM res_partner WHERE channel_parent_id IS NOT NULL
                UNION
                SELECT above.id, partner.channel_parent_id
                  FROM above JOIN res_partner partner ON partner.id = above.ancestor_id
                 WHERE partner.channel_parent_id IS NOT NULL
            ),
            pair AS MATERIALIZED (
                SELECT a.id, a.partner_id, other.id AS other_id, here.column_id,
                       here.whole AS here_whole, there.whole AS there_whole
                  FROM a
                  JOIN territory here ON here.authorization_id = a.id
                  JOIN territory there ON there.column_id = here.column_id
                  JOIN a other
                    ON other.id = there.authorization_id AND other.partner_id != a.partner_id
                   AND other.company_id = a.company_id AND (other.exclusive OR a.exclusive)
                 WHERE %(of_page)s
                   AND NOT EXISTS (
                        SELECT FROM above WHERE above.id = a.partner_id AND above.ancestor_id = other.partner_id
                   )
                   AND NOT EXISTS (
                        SELECT FROM above WHERE above.id = other.partner_id AND above.ancestor_id = a.partner_id
                   )
            ),
            met AS MATERIALIZED (
                SELECT pair.*, mine.categ_id
                  FROM pair
                  JOIN category mine ON mine.authorization_id = pair.id
                  JOIN category theirs ON theirs.authorization_id = pair.other_id AND theirs.categ_id = mine.categ_id
                 WHERE %(of_row)s
                   AND (mine.products IS NULL OR theirs.products IS NULL OR mine.products && theirs.products)
            ),
            -- The regions of those that hold a part of a column; there are none where hospitals are listed.
            extent AS MATERIALIZED (
                SELECT part.id, part.column_id, array_agg(DISTINCT region.id) AS regions
                  FROM (
                        SELECT id, column_id FROM met WHERE NOT here_whole
                         UNION
                        SELECT other_id, column_id FROM met WHERE NOT there_whole
                  ) part
                  JOIN channel_authorization_region_rel rel ON rel.authorization_id = part.id
                  JOIN channel_region allowed ON allowed.id = rel.region_id
                  JOIN reach ON reach.column_id = part.column_id AND reach.inside
                  JOIN channel_region region
                    ON region.id = reach.region_id AND region.parent_path LIKE allowed.parent_path || '%%'
                 WHERE NOT EXISTS (
                        SELECT FROM channel_authorization_customer_rel listed WHERE listed.authorization_id = part.id
                   )
                   AND NOT EXISTS (
                        SELECT FROM channel_authorization_excluded_region_rel without
                          JOIN channel_region left_out ON left_out.id = without.region_id
                         WHERE without.authorization_id = part.id
                           AND region.parent_path LIKE left_out.parent_path || '%%'
                   )
              GROUP BY part.id, part.column_id
            )
            SELECT %(row)s, met.column_id, array_agg(DISTINCT met.id) || array_agg(DISTINCT met.other_id)
              FROM met
              JOIN channel_region col ON col.id = met.column_id
              JOIN a ON a.id = met.id
              JOIN a other ON other.id = met.other_id
         LEFT JOIN extent mine ON mine.id = met.id AND mine.column_id = met.column_id
         LEFT JOIN extent theirs ON theirs.id = met.other_id AND theirs.column_id = met.column_id
             WHERE CASE
                    WHEN (met.here_whole OR mine.regions IS NOT NULL)
                     AND (met.there_whole OR theirs.regions IS NOT NULL)
                    THEN met.here_whole OR met.there_whole OR mine.regions && theirs.regions
                    ELSE EXISTS (
                        SELECT FROM channel_authorization_customer_rel listed
                          JOIN res_partner customer ON customer.id = listed.partner_id
                          JOIN res_partner company ON company.id = customer.commercial_partner_id
                          JOIN channel_region region
                            ON region.id = COALESCE(customer.channel_region_id, company.channel_region_id)
                         WHERE listed.authorization_id IN (met.id, met.other_id)
                           AND region.parent_path LIKE col.parent_path || '%%'
                           AND %(territory_a)s AND %(territory_other)s
                    )
                    END
          GROUP BY %(row)s, met.column_id
            """,
            ctes=self._ctes(column_ids, filters),
            row=row,
            of_page=of_page,
            of_row=of_row,
            territory_a=Authorization._territory_sql(SQL("a"), SQL("customer"), SQL("region")),
            territory_other=Authorization._territory_sql(SQL("other"), SQL("customer"), SQL("region")),
        ))
        return {(row_id, column_id): ids for row_id, column_id, ids in rows}

    def _cell_authorizations(self, axis, row_id, region_id, filters):
        """The authorizations of one cell, those in force first."""
        if axis == "member":
            condition = SQL("a.partner_id = %s", row_id)
        else:
            condition = self._names_category_sql(row_id)
        rows = self.env.execute_query(SQL(
            """
            %(ctes)s
            SELECT a.id
              FROM a
             WHERE EXISTS (SELECT FROM territory WHERE territory.authorization_id = a.id) AND %(condition)s
          ORDER BY a.state = 'draft', a.exclusive DESC NULLS LAST, a.date_to DESC, a.id
            """,
            ctes=self._ctes([region_id], filters),
            condition=condition,
        ))
        return self.env["channel.authorization"].browse(row[0] for row in rows)

    @api.model
    def _members_serving(self, customers, date=None):
        """Members who may serve hospitals with anything on a day, as far as the user may see them.

        :param customers: hospitals of one region
        :return: ``{hospital id: [{id, name, exclusive}]}``
        """
        regions = customers.channel_region_id
        if not regions:
            return {}
        filters = {
            "date": self._to_date(date), "grade_id": None, "product_categ_id": None, "include_drafts": False,
        }
        return self._served_by("member", 0, regions[0].id, customers, filters)

    def _served_by(self, axis, row_id, region_id, customers, filters):
        """``{hospital id: [{id, name, exclusive}]}`` of the members who may serve hospitals, in one query."""
        if not customers:
            return {}
        condition = SQL("TRUE")
        if axis == "product":
            condition = self._names_category_sql(row_id)
        rows = self.env.execute_query(SQL(
            """
            %(ctes)s
            SELECT customer.id, a.partner_id, bool_or(a.exclusive)
              FROM res_partner customer
              JOIN channel_region region ON region.id = customer.channel_region_id
              JOIN a ON a.state != 'draft' AND %(condition)s
              JOIN territory ON territory.authorization_id = a.id
             WHERE customer.id IN %(customers)s AND %(territory)s
          GROUP BY customer.id, a.partner_id
            """,
            ctes=self._ctes([region_id], filters),
            condition=condition,
            customers=tuple(customers.ids),
            territory=self.env["channel.authorization"]._territory_sql(
                SQL("a"), SQL("customer"), SQL("region")
            ),
        ))
        members = self.env["res.partner"].browse(dict.fromkeys(row[1] for row in rows))
        names = dict(zip(members.ids, members.mapped("name"), strict=True)) if members else {}
        served_by = defaultdict(list)
        for customer_id, member_id, exclusive in rows:
            served_by[customer_id].append({
                "id": member_id, "name": names[member_id], "exclusive": bool(exclusive),
            })
        for servers in served_by.values():
            servers.sort(key=lambda server: (axis != "member" or server["id"] != row_id, server["name"]))
        return served_by

    def _names_category_sql(self, categ_id):
        """SQL condition on the relations of :meth:`_ctes`: ``a`` names a product of a category."""
        return SQL(
            "EXISTS (SELECT FROM category WHERE category.authorization_id = a.id AND category.categ_id = %s)", categ_id
        )

    def _authorization_values(self, authorization):
        if authorization.all_products:
            products = self.env._("All products")
        else:
            products = self._names(
                authorization.product_categ_ids.mapped("name")
                + authorization.device_category_ids.mapped("display_name")
                + authorization.product_ids.mapped("display_name")
            )
        territory = self._names((authorization.customer_ids or authorization.region_ids).mapped("display_name"))
        excluded = self._names(
            authorization.excluded_region_ids.mapped("display_name")
            + authorization.excluded_customer_ids.mapped("display_name")
        )
        if excluded:
            territory = self.env._("%(territory)s, except %(excluded)s", territory=territory, excluded=excluded)
        return {
            "id": authorization.id,
            "number": authorization.number,
            "member_id": authorization.partner_id.id,
            "member": authorization.partner_id.name,
            "date_from": fields.Date.to_string(authorization.date_from),
            "date_to": fields.Date.to_string(authorization.date_to) or False,
            "exclusive": authorization.exclusive,
            "draft": authorization.state == "draft",
            "products": products,
            "territory": territory,
        }

    def _names(self, names, shown=3):
        if len(names) > shown:
            return self.env._(
                "%(names)s and %(count)s more", names=", ".join(names[:shown]), count=len(names) - shown
            )
        return ", ".join(names)

    #=== SQL ===#

    def _ctes(self, column_ids, filters):
        """``WITH RECURSIVE`` of the relations that the queries share.

        * ``a``: authorizations that the user may see and that hold on the day (drafts: would hold)
        * ``category(authorization_id, categ_id, whole, products)``: categories of which they name a product, 0 for
          none; ``whole``: all its products; ``products``: which, NULL for those of "All Products"
        * ``territory(authorization_id, column_id, whole)``: columns that they reach; ``whole``: without anything
          left out
        """
        Authorization = self.env["channel.authorization"]
        Authorization._flush_matched()
        self.env["product.template"].flush_model(["sale_ok", "type"])
        domain = Domain("state", "!=", False)
        if filters["grade_id"]:
            domain &= Domain("partner_id.grade_id", "=", filters["grade_id"])
        visible = Authorization._search(domain)
        in_force = Authorization._in_force_sql(SQL("auth"), SQL("%s::date", filters["date"]))
        if filters["include_drafts"]:
            in_force = SQL(
                """(
                    %(in_force)s
                    OR auth.state = 'draft' AND auth.date_from <= %(date)s
                   AND (auth.date_to IS NULL OR auth.date_to >= %(date)s)
                )""",
                in_force=in_force,
                date=filters["date"],
            )
        return SQL(
            """
            WITH RECURSIVE held AS MATERIALIZED (
                SELECT auth.*
                  FROM channel_authorization auth
                 WHERE auth.id IN (%(visible)s) AND %(in_force)s
            ),
            product_of_category AS MATERIALIZED (
                SELECT product.id, template.id AS template_id, COALESCE(template.categ_id, 0) AS categ_id,
                       count(*) OVER (PARTITION BY template.categ_id) AS total
                  FROM product_product product
                  JOIN product_template template ON template.id = product.product_tmpl_id
                 WHERE product.active AND template.sale_ok AND template.type != 'service' AND %(in_category)s
            ),
            category(authorization_id, categ_id, whole, products) AS MATERIALIZED (
                SELECT held.id, categ.categ_id, TRUE, NULL::int[]
                  FROM held
            CROSS JOIN (SELECT DISTINCT categ_id FROM product_of_category) categ
                 WHERE held.all_products
                 UNION ALL
                SELECT named.authorization_id, product.categ_id, count(*) = max(product.total), array_agg(product.id)
                  FROM (%(named)s) named
                  JOIN product_of_category product ON product.id = named.product_id
                  JOIN held ON held.id = named.authorization_id AND held.all_products IS NOT TRUE
              GROUP BY named.authorization_id, product.categ_id
            ),
            a AS MATERIALIZED (SELECT held.* FROM held WHERE %(held)s),
            reach AS MATERIALIZED (
                SELECT region.id AS region_id, col.id AS column_id,
                       col.parent_path LIKE region.parent_path || '%%' AS above,
                       region.parent_path LIKE col.parent_path || '%%' AS inside
                  FROM channel_region region
                  JOIN channel_region col
                    ON col.id IN %(columns)s
                   AND (col.parent_path LIKE region.parent_path || '%%'
                        OR region.parent_path LIKE col.parent_path || '%%')
            ),
            excluded AS MATERIALIZED (
                SELECT rel.authorization_id, reach.column_id, bool_or(reach.above) AS above
                  FROM channel_authorization_excluded_region_rel rel
                  JOIN reach ON reach.region_id = rel.region_id
              GROUP BY rel.authorization_id, reach.column_id
                 UNION ALL
                SELECT rel.authorization_id, reach.column_id, FALSE
                  FROM channel_authorization_excluded_customer_rel rel
                  JOIN res_partner customer ON customer.id = rel.partner_id
                  JOIN res_partner company ON company.id = customer.commercial_partner_id
                  JOIN reach
                    ON reach.region_id = COALESCE(customer.channel_region_id, company.channel_region_id)
                   AND reach.inside
            ),
            reached(authorization_id, column_id, whole) AS (
                SELECT rel.authorization_id, reach.column_id, reach.above
                  FROM channel_authorization_region_rel rel
                  JOIN channel_region allowed ON allowed.id = rel.region_id
                  JOIN reach ON reach.region_id = rel.region_id
                 WHERE NOT EXISTS (
                        SELECT FROM channel_authorization_customer_rel listed
                         WHERE listed.authorization_id = rel.authorization_id
                   )
                   AND NOT EXISTS (
                        SELECT FROM channel_authorization_excluded_region_rel without
                          JOIN channel_region region ON region.id = without.region_id
                         WHERE without.authorization_id = rel.authorization_id
                           AND allowed.parent_path LIKE region.parent_path || '%%'
                   )
                 UNION ALL
                SELECT rel.authorization_id, reach.column_id, FALSE
                  FROM channel_authorization_customer_rel rel
                  JOIN res_partner customer ON customer.id = rel.partner_id
                  JOIN res_partner company ON company.id = customer.commercial_partner_id
                  JOIN channel_region own
                    ON own.id = COALESCE(customer.channel_region_id, company.channel_region_id)
                  JOIN reach ON reach.region_id = own.id AND reach.inside
                 WHERE NOT EXISTS (
                        SELECT FROM channel_authorization_excluded_customer_rel without
                         WHERE without.authorization_id = rel.authorization_id
                           AND without.partner_id IN (customer.id, customer.commercial_partner_id)
                   )
                   AND NOT EXISTS (
                        SELECT FROM channel_authorization_excluded_region_rel without
                          JOIN channel_region region ON region.id = without.region_id
                         WHERE without.authorization_id = rel.authorization_id
                           AND own.parent_path LIKE region.parent_path || '%%'
                   )
            ),
            territory AS MATERIALIZED (
                SELECT reached.authorization_id, reached.column_id,
                       bool_or(reached.whole) AND NOT bool_or(excluded.column_id IS NOT NULL) AS whole
                  FROM reached
                  JOIN a ON a.id = reached.authorization_id
             LEFT JOIN excluded
                    ON excluded.authorization_id = reached.authorization_id
                   AND excluded.column_id = reached.column_id
              GROUP BY reached.authorization_id, reached.column_id
                HAVING NOT COALESCE(bool_or(excluded.above), FALSE)
            )
            """,
            visible=visible.subselect(),
            in_force=in_force,
            in_category=self._in_category_sql(filters["product_categ_id"]),
            named=self._named_products_sql(),
            held=SQL("TRUE") if not filters["product_categ_id"] else SQL(
                "held.id IN (SELECT authorization_id FROM category)"
            ),
            columns=tuple(column_ids),
        )

    @api.model
    def _in_category_sql(self, product_categ_id):
        if not product_categ_id:
            return SQL("TRUE")
        return SQL(
            """
            EXISTS (
                SELECT FROM product_category wanted
                  JOIN product_category own ON own.id = template.categ_id
                 WHERE wanted.id = %s AND own.parent_path LIKE wanted.parent_path || '%%'
            )
            """,
            product_categ_id,
        )

    @api.model
    def _named_products_sql(self):
        """Relation ``(authorization_id, product_id)`` of the products named otherwise than by "All Products".

        The same as ``channel.authorization._products_sql``, as joins, because here all authorizations meet all
        products.
        """
        return SQL(
            """
            SELECT rel.authorization_id, rel.product_id
              FROM channel_authorization_product_rel rel
             UNION
            SELECT rel.authorization_id, product.id
              FROM channel_authorization_product_category_rel rel
              JOIN product_category allowed ON allowed.id = rel.category_id
              JOIN product_category own ON own.parent_path LIKE allowed.parent_path || '%%'
              JOIN product_of_category product ON product.categ_id = own.id
             UNION
            SELECT rel.authorization_id, product.id
              FROM channel_authorization_device_category_rel rel
              JOIN channel_device_category allowed ON allowed.id = rel.category_id
              JOIN channel_device_category own ON own.parent_path LIKE allowed.parent_path || '%%'
              JOIN channel_device_category_product_template_rel own_rel ON own_rel.category_id = own.id
              JOIN product_of_category product ON product.template_id = own_rel.product_tmpl_id
             UNION
            SELECT rel.authorization_id, product.id
              FROM channel_authorization_registration_rel rel
              JOIN channel_registration named ON named.id = rel.registration_id
              JOIN channel_registration issue ON issue.number = named.number
              JOIN channel_registration_product_template_rel own_rel ON own_rel.registration_id = issue.id
              JOIN product_of_category product ON product.template_id = own_rel.product_tmpl_id
            """
        )

    #=== TOOLING ===#

    def _check_reader(self):
        if not self.env.user.has_group("channel_base.group_channel_user"):
            raise AccessError(self.env._("The authorization matrix is for users with a position in the channel."))

    def _to_date(self, date):
        if not date:
            return fields.Date.context_today(self)
        try:
            return fields.Date.to_date(date)
        except ValueError:
            raise UserError(self.env._(
                "Date %s of the matrix is not a date: write it as 2026-12-31.", date
            )) from None
