from datetime import timedelta
from xmlrpc.client import dumps

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestAuthorizationMatrix(ChannelMemberCommon):
    """Who may sell what where, as a table."""

    def _read(self, user=None, **kwargs):
        return self.env["channel.authorization.matrix"].with_user(user or self.user_manager).read_matrix(
            **{"limit": 200, **kwargs}
        )

    def _states(self, matrix, row):
        """``{region name: state}`` of one row, regions of the tests only."""
        names = {str(column["id"]): column["name"] for column in matrix["columns"]}
        return {
            names[column_id]: cell["state"] for column_id, cell in matrix["cells"].get(str(row.id or 0), {}).items()
            if names.get(column_id, "").startswith("Test ")
        }

    def _cell(self, matrix, row, region):
        return matrix["cells"].get(str(row.id), {}).get(str(region.id))

    def _province(self, name="Test Province", parent=None):
        return self.env["channel.region"].create({
            "name": name, "code": name, "level": "province", "parent_id": (parent or self.region_east).id,
        })

    # === CELLS === #

    def test_members_by_regions(self):
        matrix = self._read()
        self.assertEqual(matrix["axis"], "member")
        self.assertEqual(self._states(matrix, self.dealer), {"Test East": "authorized"})
        self.assertEqual(self._states(matrix, self.other_dealer), {"Test West": "authorized"})
        self.assertNotIn(self.hospital.id, [row["id"] for row in matrix["rows"]], "hospitals do not trade")
        columns = {column["id"]: column for column in matrix["columns"]}
        self.assertEqual(columns[self.region_east.id]["customers"], 1)
        self.assertTrue(columns[self.region_east.id]["expandable"])
        self.assertNotIn(self.region_city.id, columns)

    def test_expanded(self):
        matrix = self._read(expanded_region_ids=[self.region_east.id])
        ids = [column["id"] for column in matrix["columns"]]
        self.assertEqual(ids.index(self.region_city.id), ids.index(self.region_east.id) + 1)
        self.assertEqual(self._states(matrix, self.dealer), {"Test East": "authorized", "Test City": "authorized"})

    def test_provinces_are_columns(self):
        province = self._province()
        self.region_city.parent_id = province
        ids = [column["id"] for column in self._read(all_regions=True)["columns"]]
        self.assertIn(province.id, ids)
        self.assertNotIn(self.region_east.id, ids, "the area above provinces is none")
        self.assertTrue(self._cell(self._read(), self.dealer, province)["whole"])

    def test_a_part_only(self):
        agent = self._member("Agent")
        self._channel_authorization(agent, self.region_city)
        cell = self._cell(self._read(), agent, self.region_east)
        self.assertEqual((cell["state"], cell["whole"]), ("authorized", False))
        listed = self._member("Listed")
        self._channel_authorization(listed, customer_ids=[Command.set(self.hospital.ids)])
        matrix = self._read(expanded_region_ids=[self.region_east.id])
        self.assertEqual(self._states(matrix, listed), {"Test East": "authorized", "Test City": "authorized"})
        self.assertFalse(self._cell(matrix, listed, self.region_city)["whole"])

    def test_excluded(self):
        agent = self._member("Agent")
        self._channel_authorization(
            agent, self.region_east | self.region_west,
            excluded_region_ids=[Command.set((self.region_city | self.region_west).ids)],
        )
        matrix = self._read(expanded_region_ids=[self.region_east.id])
        self.assertEqual(self._states(matrix, agent), {"Test East": "authorized"})
        self.assertFalse(self._cell(matrix, agent, self.region_east)["whole"])
        without = self._member("Without a hospital")
        self._channel_authorization(
            without, self.region_east, excluded_customer_ids=[Command.set(self.hospital.ids)]
        )
        self.assertFalse(self._cell(self._read(), without, self.region_east)["whole"])

    def _member(self, name, **values):
        member = self.env["res.partner"].create(self._channel_member_values(name, self.region_east, **values))
        self._channel_qualification(member)
        return member

    def test_dates(self):
        today = fields.Date.today()
        agent = self._member("Agent")
        self._channel_authorization(
            agent, self.region_east, date_from=today - timedelta(days=10), date_to=today + timedelta(days=90)
        )
        day = fields.Date.to_string
        self.assertEqual(self._states(self._read(), agent), {"Test East": "expiring"})
        self.assertEqual(
            self._cell(self._read(), agent, self.region_east)["date_to"], day(today + timedelta(days=90))
        )
        for date, expected in (
            (today - timedelta(days=11), {}),
            (today - timedelta(days=10), {"Test East": "authorized"}),
            (today + timedelta(days=90), {"Test East": "expiring"}),
            (today + timedelta(days=91), {}),
        ):
            self.assertEqual(self._states(self._read(date=day(date)), agent), expected, date)
        self._channel_authorization(agent, self.region_east, date_to=today + timedelta(days=91))
        self.assertEqual(self._states(self._read(), agent), {"Test East": "authorized"}, "the last one counts")

    def test_revoked(self):
        self.authorization.with_user(self.user_manager).action_revoke(reason="ended")
        self.assertEqual(self._states(self._read(), self.dealer), {})

    def test_drafts(self):
        agent = self._member("Agent")
        self._channel_authorization(agent, self.region_east, approve=False)
        self.assertEqual(self._states(self._read(), agent), {})
        self.assertEqual(self._states(self._read(include_drafts=True), agent), {"Test East": "draft"})

    def test_exclusive(self):
        province = self._province(parent=self.region_west)
        agent = self._member("Agent")
        self._channel_authorization(
            agent, province, exclusive=True, all_products=False, product_ids=[Command.set(self.consumable.ids)],
            approve=False, date_from=fields.Date.today(),
        )
        self.authorization_west.with_user(self.user_manager).action_revoke(reason="makes room")
        draft = self.env["channel.authorization"].search([("partner_id", "=", agent.id)])
        draft.with_user(self.user_manager).action_approve()
        self.assertEqual(self._cell(self._read(), agent, province)["state"], "exclusive")

    def test_conflict(self):
        """A draft for what another one holds exclusively is shown before it is approved; related members share."""
        self.env.cr.execute("UPDATE channel_authorization SET exclusive = TRUE WHERE id = %s", [self.authorization.id])
        self.env.invalidate_all()
        self.assertEqual(self._states(self._read(), self.dealer), {"Test East": "exclusive"}, "its sub-dealer shares")
        agent = self._member("Agent")
        draft = self._channel_authorization(agent, self.region_city, approve=False)
        matrix = self._read(include_drafts=True, expanded_region_ids=[self.region_east.id])
        for member in (agent, self.dealer):
            self.assertEqual(self._states(matrix, member), {"Test East": "conflict", "Test City": "conflict"})
        self.assertEqual(self._states(self._read(), self.dealer), {"Test East": "exclusive"})
        cell = self.env["channel.authorization.matrix"].with_user(self.user_manager).read_cell(
            "member", agent.id, self.region_east.id, include_drafts=True
        )
        self.assertEqual({
            values["id"]: values["conflict"] for values in cell["authorizations"]
        }, {draft.id: True, self.authorization.id: True})
        draft.write({"all_products": False, "product_ids": [Command.set(self.consumable.ids)]})
        self.env.cr.execute(
            "UPDATE channel_authorization SET all_products = FALSE WHERE id = %s", [self.authorization.id]
        )
        self.env.cr.execute(
            "INSERT INTO channel_authorization_product_rel VALUES (%s, %s)", [self.authorization.id, self.device.id]
        )
        self.env.invalidate_all()
        matrix = self._read(include_drafts=True)
        self.assertEqual(self._states(matrix, agent), {"Test East": "draft"}, "other products are no conflict")

    # === PRODUCTS === #

    def test_products_by_regions(self):
        category, gap = self.env["product.category"].create([{"name": "Test Stents"}, {"name": "Test Nobody's"}])
        self.device.categ_id = category
        self.consumable.categ_id = gap
        for authorization in self.env["channel.authorization"].search([("company_id", "=", self.company.id)]):
            authorization.with_user(self.user_manager).action_revoke(reason="makes room")
        self._channel_authorization(
            self.other_dealer, self.region_west, all_products=False,
            product_categ_ids=[Command.set(category.ids)], date_from=fields.Date.today(),
        )
        matrix = self._read(axis="product")
        self.assertEqual(self._states(matrix, category), {"Test East": "gap", "Test West": "authorized"})
        self.assertEqual(self._states(matrix, gap), {"Test East": "gap", "Test West": "gap"})
        self.assertEqual(self._cell(matrix, category, self.region_west)["members"], 1)
        self.assertTrue(self._cell(matrix, category, self.region_west)["whole"])
        other = self.env["product.product"].create(self._channel_product_values("Other Stent", categ_id=category.id))
        self.assertTrue(self._cell(self._read(axis="product"), category, self.region_west)["whole"])
        self._channel_authorization(
            self.dealer, self.region_east, all_products=False, product_ids=[Command.set(other.ids)]
        )
        self.assertFalse(self._cell(self._read(axis="product"), category, self.region_east)["whole"])
        self.assertEqual(
            [row["id"] for row in self._read(axis="product", product_categ_id=category.id)["rows"]], category.ids
        )

    def test_filter_by_category(self):
        category = self.env["product.category"].create({"name": "Test Stents"})
        self.device.categ_id = category
        agent = self._member("Agent")
        self._channel_authorization(
            agent, self.region_east, all_products=False, product_ids=[Command.set(self.consumable.ids)]
        )
        self.assertEqual(self._states(self._read(), agent), {"Test East": "authorized"})
        self.assertEqual(self._states(self._read(product_categ_id=category.id), agent), {})
        self.assertEqual(
            self._states(self._read(product_categ_id=category.id), self.dealer), {"Test East": "authorized"}
        )

    def test_same_products_as_the_gate(self):
        """The joins of the matrix name the products that the condition of the gate names."""
        category = self.env["product.category"].create({"name": "Test Stents"})
        self.device.categ_id = category
        agent = self._member("Agent")
        for values in (
            {"product_ids": [Command.set(self.consumable.ids)]},
            {"product_categ_ids": [Command.set(category.ids)]},
            {"device_category_ids": [Command.set(self.device_category_parent.ids)]},
            {"device_category_ids": [Command.set(self.other_device_category.ids)]},
            {"registration_ids": [Command.set(self._channel_registration(number="TEST-REG-MATRIX").ids)]},
        ):
            self._channel_authorization(agent, self.region_east, all_products=False, **values)
        Authorization = self.env["channel.authorization"]
        Authorization._flush_matched()
        products = (self.device | self.consumable).ids
        by_condition = self.env.execute_query(SQL(
            """
            SELECT a.id, product.id
              FROM channel_authorization a
        CROSS JOIN product_product product
              JOIN product_template template ON template.id = product.product_tmpl_id
             WHERE a.partner_id = %s AND product.id IN %s AND %s
          ORDER BY a.id, product.id
            """,
            agent.id, tuple(products),
            Authorization._products_sql(SQL("a"), SQL("product"), SQL("template")),
        ))
        by_joins = self.env.execute_query(SQL(
            """
            WITH product_of_category AS (
                SELECT product.id, template.id AS template_id, template.categ_id
                  FROM product_product product JOIN product_template template ON template.id = product.product_tmpl_id
            )
            SELECT named.authorization_id, named.product_id
              FROM (%s) named
              JOIN channel_authorization a ON a.id = named.authorization_id
             WHERE a.partner_id = %s AND named.product_id IN %s
          ORDER BY 1, 2
            """,
            self.env["channel.authorization.matrix"]._named_products_sql(), agent.id, tuple(products),
        ))
        self.assertEqual(by_joins, by_condition)
        self.assertEqual(len({authorization_id for authorization_id, _product in by_joins}), 4)

    # === DRILL === #

    def test_cell(self):
        matrix = self.env["channel.authorization.matrix"].with_user(self.user_manager)
        cell = matrix.read_cell("member", self.sub_dealer.id, self.region_east.id)
        self.assertEqual(cell["region"], self.region_east.complete_name)
        self.assertEqual([values["member"] for values in cell["authorizations"]], [self.sub_dealer.name])
        self.assertEqual(cell["customer_total"], 1)
        self.assertEqual(
            [server["name"] for server in cell["customers"][0]["served_by"]],
            [self.sub_dealer.name, self.dealer.name],
            "the member of the row first",
        )
        cell = matrix.read_cell("product", self.device.categ_id.id, self.region_west.id)
        self.assertEqual([values["id"] for values in cell["authorizations"]], self.authorization_west.ids)
        self.assertEqual([customer["id"] for customer in cell["customers"]], self.hospital_west.ids)

    def test_who_serves_agrees_with_the_gate(self):
        today = fields.Date.today()
        cell = self.env["channel.authorization.matrix"].read_cell("member", self.dealer.id, self.region_east.id)
        servers = {server["id"] for server in cell["customers"][0]["served_by"]}
        dealers = self.dealer | self.sub_dealer | self.other_dealer
        matches = self.env["channel.authorization"]._match_lines([
            {
                "member_id": member.id, "customer_id": self.hospital.id, "product_id": self.device.id, "date": today,
                "company_id": self.company.id,
            }
            for member in dealers
        ])
        self.assertEqual(
            servers, {member.id for member, match in zip(dealers, matches, strict=True) if match.covering}
        )

    def test_gone(self):
        matrix = self.env["channel.authorization.matrix"].with_user(self.user_manager)
        with self.assertRaisesRegex(UserError, "reload"):
            matrix.read_cell("member", self.dealer.id, 0)

    # === FILTERS AND PAGES === #

    def test_search_and_tier(self):
        grade = self.env["res.partner.grade"].create({"name": "Test Gold"})
        self.other_dealer.grade_id = grade
        self.assertEqual([row["id"] for row in self._read(search="Dealer West")["rows"]], self.other_dealer.ids)
        self.assertEqual(
            [row["id"] for row in self._read(search=self.dealer.channel_code)["rows"]], self.dealer.ids
        )
        self.assertEqual([row["id"] for row in self._read(grade_id=grade.id)["rows"]], self.other_dealer.ids)
        matrix = self._read(axis="product", grade_id=grade.id)
        self.assertEqual(
            self._states(matrix, self.device.categ_id), {"Test East": "gap", "Test West": "authorized"}
        )

    def test_pages(self):
        everybody = [row["id"] for row in self._read()["rows"]]
        paged = []
        for offset in range(0, len(everybody), 2):
            matrix = self._read(offset=offset, limit=2)
            self.assertEqual(matrix["total"], len(everybody))
            paged += [row["id"] for row in matrix["rows"]]
        self.assertEqual(paged, everybody)

    def test_every_protocol(self):
        """What is read goes through XML-RPC too: text as keys, nothing that cannot be written."""
        cell = self.env["channel.authorization.matrix"].read_cell("member", self.dealer.id, self.region_east.id)
        for answer in (self._read(), self._read(axis="product"), cell):
            self.assertTrue(dumps((answer,), allow_none=True))

    def test_arguments(self):
        for kwargs, message in (({"axis": "hospital"}, "hospital"), ({"date": "tomorrow"}, "tomorrow")):
            with self.assertRaisesRegex(UserError, message):
                self._read(**kwargs)

    # === RIGHTS === #

    def test_regional_user(self):
        """Sales of the east does not learn of the west: no row, no cell, no hospital, no conflict."""
        matrix = self._read(self.user_sales)
        rows = [row["id"] for row in matrix["rows"]]
        self.assertIn(self.dealer.id, rows)
        self.assertNotIn(self.other_dealer.id, rows)
        self.assertEqual(self._states(matrix, self.dealer), {"Test East": "authorized"})
        self.assertNotIn(
            self.region_west.id, [column["id"] for column in matrix["columns"]], "neither customer nor authorization"
        )
        self._channel_authorization(self.other_dealer, self.region_east)
        cell = self.env["channel.authorization.matrix"].with_user(self.user_sales).read_cell(
            "product", self.device.categ_id.id, self.region_east.id
        )
        self.assertNotIn(self.other_dealer.name, str(cell))
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            self.env["channel.authorization.matrix"].with_user(self.user_sales).read_cell(
                "member", self.other_dealer.id, self.region_west.id
            )

    def test_companies(self):
        other = self.env["res.company"].sudo().create({"name": "Second Company"})
        agent = self._member("Agent")
        self._channel_authorization(agent, self.region_east, approve=False, company_id=other.id)
        self.assertEqual(self._states(self._read(include_drafts=True), agent), {})

    def test_positions(self):
        for position in ("auditor", "executive", "compliance", "contract", "finance", "pricing"):
            matrix = self._read(getattr(self, f"user_{position}"))
            self.assertEqual(self._states(matrix, self.other_dealer), {"Test West": "authorized"}, position)
        for user in (self.user_portal, self.user_internal):
            with self.assertRaises(AccessError):
                self._read(user)
            with self.assertRaises(AccessError):
                self.env["channel.authorization.matrix"].with_user(user).read_cell(
                    "member", self.dealer.id, self.region_east.id
                )

    # === SHAPE === #

    def test_shape(self):
        """50 members with their authorizations are read by as many queries as 5, on both axes, and so is a cell."""
        members = self.env["res.partner"].create([
            self._channel_member_values(f"Member {index:02}", self.region_east) for index in range(50)
        ])
        regions = self.region_east | self.region_city
        self.env["channel.authorization"].create([
            {
                "partner_id": member.id, "company_id": self.company.id, "date_from": "2020-01-01",
                "all_products": index % 2 == 0, "region_ids": [Command.set(regions[index % 2].ids)],
                "product_ids": [Command.set(self.device.ids)],
            }
            for index, member in enumerate(members)
        ])
        matrix = self.env["channel.authorization.matrix"].with_user(self.user_sales)

        def count(method, *args, **kwargs):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            result = method(*args, include_drafts=True, **kwargs)
            return self.env.cr.sql_log_count - start, result

        for axis in ("member", "product"):
            count(matrix.read_matrix, axis=axis, limit=5)  # what is cached for good
            few, _result = count(matrix.read_matrix, axis=axis, limit=5)
            many, result = count(matrix.read_matrix, axis=axis, limit=200)
            self.assertLessEqual(many, few + 1, axis)
            self.assertLessEqual(many, 45, axis)
        self.assertTrue(result["rows"])
        self.env["res.partner"].create([
            self._channel_hospital_values(f"Hospital {index:02}", self.region_city) for index in range(30)
        ])
        categ_id = self.device.categ_id.id
        few, _result = count(matrix.read_cell, "product", categ_id, self.region_city.id, limit=3)
        many, result = count(matrix.read_cell, "product", categ_id, self.region_city.id, limit=31)
        self.assertEqual(len(result["customers"]), 31)
        self.assertLessEqual(many, few + 1)
