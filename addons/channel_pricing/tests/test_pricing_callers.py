"""The same price wherever it is asked for: one test for each caller."""

import json

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.http import Request
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import ChannelPricingCommon


class CallerCase(ChannelPricingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._channel_rule(90)
        cls._channel_rule(80, segment=cls.segment_dealer)
        cls._channel_rule(60, segment=cls.segment_hospital)
        cls._channel_rule(55, segment=cls.segment_hospital, min_quantity=10)
        #: What `device` costs the dealer for the hospital, by quantity
        cls.prices = {1: 60, 10: 55}


@tagged("post_install", "-at_install")
class TestPricingCallers(CallerCase):
    # === INVOICE LINE MADE BY HAND ===#

    def _invoice_form(self, partner=None, customer=None, move_type="out_invoice"):
        form = Form(self.env["account.move"].with_context(default_move_type=move_type))
        form.partner_id = partner or self.dealer
        if customer is not None:
            form.channel_end_customer_id = customer
        return form

    def test_invoice_line_follows_quantity_and_parties_until_a_price_is_typed(self):
        form = self._invoice_form()
        with form.invoice_line_ids.new() as line:
            line.product_id = self.device
            self.assertEqual(line.price_unit, 80)
        form.channel_end_customer_id = self.hospital
        with form.invoice_line_ids.edit(0) as line:
            self.assertEqual(line.price_unit, self.prices[1])
            line.quantity = 10
            self.assertEqual(line.price_unit, self.prices[10])
            line.price_unit = 42
            line.quantity = 1
            self.assertEqual(line.price_unit, 42)
        form.channel_end_customer_id = self.env["res.partner"]
        invoice = form.save()
        self.assertEqual(invoice.invoice_line_ids.price_unit, 42)

    def test_invoice_line_made_by_code(self):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.dealer.id,
                "channel_end_customer_id": self.hospital.id,
                "invoice_line_ids": [
                    Command.create({"product_id": self.device.id, "quantity": 10}),
                    Command.create({"product_id": self.device.id, "product_uom_id": self.uom_box.id}),
                    Command.create({"product_id": self.device.id, "price_unit": 1}),
                ],
            }
        )
        box = self.uom_box._compute_quantity(1, self.uom_unit)
        self.assertEqual(
            invoice.invoice_line_ids.mapped("price_unit"),
            [self.prices[10], self._price(customer=self.hospital, quantity=box) * box, 1],
        )

    def test_invoice_has_the_prices_of_its_day(self):
        self._channel_rule(50, segment=self.segment_hospital, min_quantity=1, date_start="2026-07-01 00:00:00")
        for day, price in (("2026-06-30", 60), ("2026-07-01", 50)):
            with self.subTest(day=day):
                form = self._invoice_form(customer=self.hospital)
                form.invoice_date = fields.Date.to_date(day)
                with form.invoice_line_ids.new() as line:
                    line.product_id = self.device
                    self.assertEqual(line.price_unit, price)

    def test_invoice_in_another_currency_has_the_same_price_converted(self):
        currency = self.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        form = self._invoice_form(customer=self.hospital)
        form.currency_id = currency
        with form.invoice_line_ids.new() as line:
            line.product_id = self.device
            self.assertEqual(line.price_unit, 2 * self.prices[1])

    def test_invoice_of_an_order_keeps_the_order_s_price(self):
        order = self._channel_order([(self.consumable, 1)], customer=self.hospital)
        order.order_line.price_unit = 7.77
        line = self.env["account.move.line"].new(
            {**order.order_line._prepare_invoice_line(), "move_id": self.env["account.move"].new(
                {"move_type": "out_invoice", "partner_id": self.dealer.id}
            )}
        )
        self.assertEqual(line.price_unit, 7.77)
        self.assertFalse(line._channel_is_from_table())

    def test_whoever_is_no_member_and_whatever_is_no_sale_is_core_s(self):
        stranger = self.env["res.partner"].create({"name": "Stranger", "is_company": True})
        for partner, move_type, price in (
            (stranger, "out_invoice", self.device.list_price),
            (self.dealer, "in_invoice", self.device.standard_price),
        ):
            with self.subTest(move_type=move_type):
                form = self._invoice_form(partner, move_type=move_type)
                with form.invoice_line_ids.new() as line:
                    line.product_id = self.device
                    self.assertEqual(line.price_unit, price)

    def test_number_of_queries_of_an_invoice_does_not_depend_on_its_lines(self):
        products = self.env["product.product"].create(
            [self._channel_product_values(f"P{number}", list_price=number + 1) for number in range(110)]
        )
        self.env["product.pricelist.item"].create(
            [
                {"pricelist_id": self.table.id, "product_tmpl_id": product.product_tmpl_id.id, "fixed_price": 3}
                for product in products
            ]
        )

        def count(products):
            invoice = self.env["account.move"].new(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.dealer.id,
                    "invoice_line_ids": [
                        Command.create({"product_id": product.id, "product_uom_id": self.uom_unit.id})
                        for product in products
                    ],
                }
            )
            lines = invoice.invoice_line_ids
            lines.mapped("display_type")
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.assertEqual({price for _line, price in lines._channel_prices()}, {3})
            return self.env.cr.sql_log_count - before

        count(products[:1])
        self.assertLessEqual(count(products[10:]), count(products[:10]) + 4)

    # === QUOTATION TEMPLATE ===#

    def test_lines_of_a_quotation_template(self):
        self.env.user.group_ids += self.env.ref("sale_management.group_sale_order_template")
        template = self.env["sale.order.template"].create(
            {
                "name": "Starter set",
                "sale_order_template_line_ids": [
                    Command.create({"product_id": self.device.id, "product_uom_qty": 10}),
                    Command.create({"display_type": "line_section", "name": "Options", "is_optional": True}),
                    Command.create({"product_id": self.device.id}),
                ],
            }
        )
        form = Form(self.env["sale.order"])
        form.partner_id = self.dealer
        form.channel_end_customer_id = self.hospital
        form.sale_order_template_id = template
        order = form.save()
        lines = order.order_line.filtered("product_id")
        self.assertEqual(lines.mapped("price_unit"), [self.prices[10], self.prices[1]])

    # === PRINTED PRICE LIST ===#

    def _report(self, env=None, **data):
        report = (env or self.env)["report.product.report_pricelist"]
        data = {
            "pricelist_id": self.table.id, "active_model": "product.product", "active_ids": self.device.ids,
            "quantities": [1, 10], **data,
        }
        return report._get_report_data(data), report.get_html(data)

    def test_printed_price_list_of_a_member(self):
        for member, customer, prices in (
            ("", "", {1: 90, 10: 90}),
            (self.dealer.id, "", {1: 80, 10: 80}),
            (str(self.dealer.id), str(self.hospital.id), self.prices),
        ):
            with self.subTest(member=member, customer=customer):
                values, html = self._report(channel_member_id=member, channel_customer_id=customer)
                self.assertEqual(values["products"][0]["price"], prices)
                self.assertEqual(self.dealer.name in html, bool(member))

    def test_printed_price_list_of_a_member_out_of_reach(self):
        self.env["ir.rule"].create(
            {
                "name": "Out of reach",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": repr([("id", "!=", self.dealer.id)]),
            }
        )
        with self.assertRaises(AccessError):
            self._report(self.env(user=self.user_sales), channel_member_id=self.dealer.id)

    # === CONTEXT ===#

    def test_context_names_the_parties_where_core_passes_no_keywords(self):
        table = self.table.with_context(**self.table._channel_context(self.dealer, self.hospital))
        self.assertEqual(table._get_product_price(self.device, 1), self.prices[1])
        self.assertEqual(self.table._get_product_price(self.device, 1), 90)
        # Keywords say more
        empty = self.env["res.partner"]
        self.assertEqual(table._get_product_price(self.device, 1, member=empty, customer=empty), 90)

    def test_contextual_price_of_a_product(self):
        device = self.device.with_context(
            pricelist=self.table.id, **self.table._channel_context(self.dealer, self.hospital)
        )
        self.assertEqual(device._get_contextual_price(), self.prices[1])


@tagged("post_install", "-at_install")
class TestPricingCallersHttp(CallerCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = new_test_user(
            cls.env, "caller_seller", groups="base.group_user,sales_team.group_sale_salesman_all_leads",
            company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)],
        )

    def _rpc(self, route, **params):
        return self.make_jsonrpc_request(route, params)

    def _configurator(self, route, product=None, **params):
        return self._rpc(
            f"/sale/product_configurator/{route}",
            **{
                "product_template_id": (product or self.device).product_tmpl_id.id, "quantity": 1, "ptav_ids": [],
                "currency_id": self.table.currency_id.id, "so_date": "2026-06-15 12:00:00",
                "product_uom_id": self.uom_unit.id, "company_id": self.company.id, "pricelist_id": self.table.id,
                "channel_member_id": self.dealer.id, "channel_customer_id": self.hospital.id, **params,
            },
        )

    def test_configurator_before_the_line_is_saved(self):
        self.authenticate("caller_seller", "caller_seller")
        self.consumable.product_tmpl_id.optional_product_ids = self.device.product_tmpl_id
        for quantity, price in self.prices.items():
            with self.subTest(quantity=quantity):
                values = self._configurator("get_values", quantity=quantity)
                self.assertEqual(values["products"][0]["price"], price)
                self.assertEqual(self._configurator("update_combination", quantity=quantity)["price"], price)
        [optional] = self._configurator("get_values", self.consumable)["optional_products"]
        self.assertEqual(optional["price"], self.prices[1])
        [optional] = self._configurator("get_optional_products", self.consumable, parent_ptav_ids=[])
        self.assertEqual(optional["price"], self.prices[1])
        values = self._configurator("get_values", channel_member_id=None, channel_customer_id=None)
        self.assertEqual(values["products"][0]["price"], 90)

    def test_combo_configurator(self):
        self.authenticate("caller_seller", "caller_seller")
        combo = self.env["product.combo"].create(
            {"name": "Set", "combo_item_ids": [Command.create({"product_id": self.consumable.id})]}
        )
        product = self.env["product.product"].create(
            {"name": "Set", "type": "combo", "list_price": 200, "combo_ids": [Command.link(combo.id)]}
        )
        self._channel_rule(150, product=product, segment=self.segment_hospital)
        params = {
            "product_tmpl_id": product.product_tmpl_id.id, "quantity": 1, "date": "2026-06-15 12:00:00",
            "currency_id": self.table.currency_id.id, "company_id": self.company.id, "pricelist_id": self.table.id,
            "channel_member_id": self.dealer.id, "channel_customer_id": self.hospital.id,
        }
        self.assertEqual(self._rpc("/sale/combo_configurator/get_price", **params), 150)
        self.assertEqual(self._rpc("/sale/combo_configurator/get_data", **params)["price"], 150)

    @mute_logger("odoo.http")
    def test_portal_user_learns_no_price_of_another_member_from_the_configurator(self):
        self.authenticate(self.user_portal.login, self.user_portal.login)
        for member in (self.other_dealer, self.dealer):
            answer = self.url_open(
                "/sale/product_configurator/get_values", json={"params": {
                    "product_template_id": self.device.product_tmpl_id.id, "quantity": 1,
                    "currency_id": self.table.currency_id.id, "so_date": "2026-06-15 12:00:00",
                    "pricelist_id": self.table.id, "channel_member_id": member.id,
                }},
            ).json()
            self.assertIn("error", answer)
            self.assertNotIn("price", answer.get("result", {}))

    def test_catalogue(self):
        self.authenticate("caller_seller", "caller_seller")
        order = self._channel_order([(self.consumable, 1)], customer=self.hospital)
        info = self._rpc(
            "/product/catalog/order_lines_info", res_model="sale.order", order_id=order.id, product_ids=self.device.ids,
            child_field="order_line",
        )
        self.assertEqual(info[str(self.device.id)]["price"], self.prices[1])
        for quantity, price in ((1, self.prices[1]), (10, self.prices[10]), (0, self.prices[1]), (0, self.prices[1])):
            with self.subTest(quantity=quantity):
                answer = self._rpc(
                    "/product/catalog/update_order_line_info", res_model="sale.order", order_id=order.id,
                    product_id=self.device.id, quantity=quantity, child_field="order_line",
                )
                self.assertEqual(answer["price"] if isinstance(answer, dict) else answer, price)

    def test_optional_line_on_the_portal(self):
        order = self._channel_order([(self.consumable, 1)], customer=self.hospital)
        order.write({
            "state": "sent",
            "order_line": [
                Command.create(
                    {"display_type": "line_section", "name": "Options", "is_optional": True, "sequence": 90}
                ),
                Command.create({"product_id": self.device.id, "product_uom_qty": 0, "sequence": 91}),
            ],
        })
        line = order.order_line.filtered(lambda line: line.product_id == self.device)
        self.authenticate(None, None)
        for quantity in (1, 10):
            self._rpc(
                f"/my/orders/{order.id}/update_line_dict", line_id=line.id, input_quantity=quantity,
                access_token=order._portal_ensure_token(),
            )
            self.assertEqual((line.product_uom_qty, line.price_unit), (quantity, self.prices[quantity]))

    def test_price_list_exported_to_a_spreadsheet(self):
        self.authenticate("caller_seller", "caller_seller")
        data = {
            "pricelist_id": self.table.id, "active_model": "product.product", "active_ids": self.device.ids,
            "quantities": [1, 10], "channel_member_id": self.dealer.id, "channel_customer_id": self.hospital.id,
        }
        answer = self.url_open(
            "/product/export/pricelist/", data={
                "report_data": json.dumps(data), "export_format": "csv", "csrf_token": Request.csrf_token(self),
            },
        )
        self.assertIn("60.0,55.0", answer.text)
