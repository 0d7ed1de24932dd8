from datetime import date, datetime

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged

from .common import ChannelPricingCommon


class PriceGridCommon(ChannelPricingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.device.default_code, cls.consumable.default_code = "T-DEV-1", "T-DEV-2"
        cls.version = cls.env["channel.price.version"].create(
            {"pricelist_id": cls.table.id, "valid_from": date(2026, 7, 1)}
        )
        cls.everybody = cls._channel_rule(100)
        cls.dealer_rule = cls._channel_rule(90, segment=cls.segment_dealer)
        cls.large_rule = cls._channel_rule(80, segment=cls.segment_west, min_quantity=10)

    @classmethod
    def _channel_rule(cls, price=None, product=None, segment=None, **values):
        return super()._channel_rule(price, product, segment, **{"channel_version_id": cls.version.id, **values})

    def _grid(self, user=None):
        return self.env["channel.price.grid"].with_user(user or self.user_pricing)

    def _read(self, user=None, **kwargs):
        return self._grid(user).read_grid(version_id=self.version.id, **{"search": "T-DEV", **kwargs})

    def _cell(self, price, was=None, product=None, segment=None, min_qty=0.0):
        return {
            "product_id": (product or self.device).id, "segment_id": segment.id if segment else 0, "min_qty": min_qty,
            "price": price, "was": was,
        }

    def _write(self, *cells, user=None, **kwargs):
        return self._grid(user).write_cells(list(cells), **{"version_id": self.version.id, **kwargs})


@tagged("post_install", "-at_install")
class TestPriceGrid(PriceGridCommon):
    """Products and quantities x segments: what is read, what is written, and what is refused."""

    def _price_of(self, grid, product, quantity, segment=None):
        cells = grid["cells"].get(f"{product.id}:{quantity}", {})
        return cells.get(str(segment.id if segment else 0), {}).get("price")

    # === READING === #

    def test_rows_are_products_and_quantities_columns_segments(self):
        grid = self._read()
        self.assertEqual(
            [(row["code"], row["min_qty"], row["first"]) for row in grid["rows"]],
            [("T-DEV-1", 0, True), ("T-DEV-1", 10, False), ("T-DEV-2", 0, True)],
        )
        self.assertEqual([column["code"] for column in grid["columns"]], ["", "T-DEAL", "T-WEST"])
        self.assertEqual(
            [self._price_of(grid, self.device, 0), self._price_of(grid, self.device, 0, self.segment_dealer),
             self._price_of(grid, self.device, 10, self.segment_west), self._price_of(grid, self.consumable, 0)],
            [100, 90, 80, None],
        )
        self.assertEqual((grid["total"], grid["editable"], grid["currency"]), (2, True, self.table.currency_id.name))

    def test_pages_filters_and_further_columns(self):
        self.assertEqual([row["code"] for row in self._read(limit=1)["rows"]], ["T-DEV-1", "T-DEV-1"])
        self.assertEqual([row["code"] for row in self._read(limit=1, offset=1)["rows"]], ["T-DEV-2"])
        self.assertEqual([row["code"] for row in self._read(show="unpriced")["rows"]], ["T-DEV-2"])
        self.assertEqual({row["code"] for row in self._read(show="priced")["rows"]}, {"T-DEV-1"})
        category = self.env["product.category"].create({"name": "Of the test"})
        self.consumable.categ_id = category
        self.assertEqual([row["code"] for row in self._read(categ_id=category.id)["rows"]], ["T-DEV-2"])
        columns = self._read(segment_ids=[self.segment_hospital.id])["columns"]
        self.assertIn(self.segment_hospital.id, [column["id"] for column in columns])
        with self.assertRaisesRegex(UserError, "show"):
            self._read(show="nothing")

    def test_rules_of_other_kinds_are_shown(self):
        self._channel_rule(70, segment=self.segment_dealer, date_start=datetime(2026, 8, 1))
        self._channel_rule(60, channel_member_id=self.dealer.id)
        self._channel_rule(product=self.consumable, compute_price="percentage", percent_price=5)
        grid = self._read()
        cell = grid["cells"][f"{self.device.id}:0"][str(self.segment_dealer.id)]
        self.assertEqual((cell["price"], cell["dated"]), (90, 1))
        self.assertEqual(self._price_of(grid, self.device, 0), 100, "the price of one member is none of the grid")
        self.assertEqual(grid["cells"][f"{self.consumable.id}:0"]["0"]["text"], "-5 %")

    def test_findings_of_the_last_check(self):
        self.device.standard_price = 95
        self.assertFalse(self._read(show="issues")["rows"])
        self.version.with_user(self.user_pricing).action_channel_check_quality()
        grid = self._read(show="issues")
        issues = grid["cells"][f"{self.device.id}:0"][str(self.segment_dealer.id)]["issues"]
        self.assertIn(("below_cost", "block"), [(issue["code"], issue["severity"]) for issue in issues])

    # === WRITING === #

    def test_write_changes_adds_and_removes(self):
        result = self._write(
            self._cell(91, 90, segment=self.segment_dealer),
            self._cell(5.125, product=self.consumable, segment=self.segment_hospital),
            self._cell(None, 80, segment=self.segment_west, min_qty=10.0),
            self._cell(100, 100),
        )
        self.assertEqual(result, {"written": 3, "errors": []})
        self.assertEqual(self.dealer_rule.fixed_price, 91)
        self.assertFalse(self.large_rule.exists())
        new = self.version.item_ids - self.everybody - self.dealer_rule
        self.assertRecordValues(new, [{
            "applied_on": "1_product", "product_tmpl_id": self.consumable.product_tmpl_id.id, "fixed_price": 5.125,
            "channel_segment_id": self.segment_hospital.id, "channel_segment_sequence": 10, "min_quantity": 0,
            "create_uid": self.user_pricing.id,
        }])
        self.assertEqual(self.version.terms_editor_id, self.user_pricing, "who edits does not approve")
        entry = self.env["channel.audit.entry"].sudo().search([("action", "=", "price_grid.written")])
        self.assertEqual(entry.res_id, self.version.id)

    def test_one_bad_cell_stops_all(self):
        cases = [
            (self._cell(-0.01, 90, segment=self.segment_dealer), "price_negative"),
            (self._cell("12", 90, segment=self.segment_dealer), "price_invalid"),
            (self._cell(float("nan"), 90, segment=self.segment_dealer), "price_invalid"),
            ({**self._cell(1), "product_id": 2**30}, "product_unknown"),
            ({**self._cell(1), "segment_id": 2**30}, "segment_unknown"),
            (self._cell(1, min_qty=-1.0), "min_qty_invalid"),
            (self._cell(5, product=self.consumable), "repeated"),
        ]
        for cell, code in cases:
            result = self._write(self._cell(4, product=self.consumable), cell)
            self.assertEqual((result["written"], [error["code"] for error in result["errors"]]), (0, [code]))
            self.assertTrue(result["errors"][0]["message"] and result["errors"][0]["remedy"])
        self.assertEqual(len(self.version.item_ids), 3)
        self.assertEqual(self._write(self._cell(0, 90, segment=self.segment_dealer))["written"], 1, "free of charge")

    def test_two_editors_do_not_overwrite_one_another(self):
        mine = self._cell(95, 90, segment=self.segment_dealer)
        theirs = self._cell(92, 90, segment=self.segment_dealer)
        self.assertEqual(self._write(theirs, user=self.user_admin)["written"], 1)
        [error] = self._write(mine, self._cell(7, product=self.consumable))["errors"]
        self.assertEqual((error["code"], error["current"], error["value"]), ("changed", 92, 95))
        self.assertIn("Segment T-DEAL", error["message"])
        self.assertEqual(len(self.version.item_ids), 3, "nothing was written")
        [error] = self._write(self._cell(95, 80, product=self.consumable))["errors"]
        self.assertEqual((error["code"], error["current"]), ("changed", None), "somebody has removed it")
        self.assertEqual(self._write({**mine, "was": 92})["written"], 1)

    def test_formula_is_not_overwritten(self):
        self._channel_rule(product=self.consumable, compute_price="percentage", percent_price=5)
        [error] = self._write(self._cell(9, product=self.consumable))["errors"]
        self.assertEqual(error["code"], "formula")

    def test_price_with_a_period_stays_beside(self):
        dated = self._channel_rule(70, product=self.consumable, date_start=datetime(2026, 8, 1))
        self.assertEqual(self._write(self._cell(9, product=self.consumable))["written"], 1)
        self.assertEqual(dated.fixed_price, 70)

    def test_arguments_of_the_wrong_shape(self):
        strange = [{**self._cell(1), "colour": 2}], [{**self._cell(1), "min_qty": "a"}]
        for cells in ("x", [1], [{"product_id": 1}], *strange):
            with self.assertRaises(UserError):
                self._grid().write_cells(cells, version_id=self.version.id)
        for kwargs in ({}, {"version_id": 2**30}, {"version_id": "1"}):
            with self.assertRaises(UserError):
                self._grid().read_grid(**kwargs)

    # === ACCESS === #

    def test_only_pricing_writes_and_only_drafts(self):
        cell = self._cell(91, 90, segment=self.segment_dealer)
        self.assertFalse(self._read(user=self.user_auditor)["editable"])
        for user in (self.user_sales, self.user_auditor, self.user_executive):
            with self.assertRaises(AccessError):
                self._write(cell, user=user)
        with self.assertRaises(AccessError):
            self._read(user=self.user_sales)
        with self.assertRaises(AccessError):
            self._grid(self.user_internal).read_grid(pricelist_id=self.table.id)
        with self.assertRaises(UserError):
            self._grid().write_cells([cell], pricelist_id=self.table.id)
        self.version.with_user(self.user_manager).action_approve()
        self.assertFalse(self._read()["editable"])
        with self.assertRaisesRegex(UserError, "not a draft"):
            self._write(cell)
        self.assertEqual(self._price_of(self._read(user=self.user_sales), self.device, 0), 100, "approved: Sales reads")

    def test_table_without_versions(self):
        table = self.env["product.pricelist"].create({"name": "Plain", "company_id": False})
        result = self._grid().write_cells([self._cell(9, product=self.consumable)], pricelist_id=table.id)
        self.assertEqual(result["written"], 1)
        self.assertEqual(table.item_ids.fixed_price, 9)
        grid = self._grid().read_grid(pricelist_id=table.id, search="T-DEV")
        self.assertEqual(self._price_of(grid, self.consumable, 0), 9)

    # === SHAPE === #

    def test_number_of_queries_does_not_depend_on_the_number_of_cells(self):
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{n}", default_code=f"T-P{n:03}") for n in range(110)]
        )

        def count(chosen, price, was):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._write(*(self._cell(price, was, product=product) for product in chosen))
            self._read(search="T-P", limit=len(chosen))
            return self.env.cr.sql_log_count - before

        count(products[:1], 1, None)
        self.assertLessEqual(count(products[10:], 2, None), count(products[1:10], 2, None) + 2)
        self.assertLessEqual(count(products[10:], 3, 2), count(products[1:10], 3, 2) + 2)


@tagged("post_install", "-at_install")
class TestPriceGridTour(PriceGridCommon, HttpCase):
    def test_edit_paste_fill_raise_and_save(self):
        # Nothing else in the way of three rows
        (self.env["product.product"].search([("sale_ok", "=", True)]) - self.device - self.consumable).sale_ok = False
        self.start_tour(
            f"/odoo/{self.version.id}/channel-price-version-grid", "channel_price_grid", login=self.user_pricing.login
        )
        self.env.invalidate_all()
        prices = {
            (rule.product_tmpl_id, rule.channel_segment_id, rule.min_quantity): rule.fixed_price
            for rule in self.version.item_ids
        }
        device, consumable = self.device.product_tmpl_id, self.consumable.product_tmpl_id
        nobody = self.env["channel.segment"]
        self.assertEqual(prices, {
            (device, nobody, 0): 110,
            (consumable, nobody, 0): 110,
            (device, self.segment_dealer, 0): 95.5,
            (device, self.segment_west, 0): 70,
            (device, self.segment_west, 10): 60,
        })
