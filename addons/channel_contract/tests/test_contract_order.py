from datetime import date, datetime

from odoo.tests import Form, freeze_time, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractOrder(ChannelContractCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._channel_rule(90)
        Table = cls.env["product.pricelist"]
        cls.tables = Table.create(
            [{"name": f"Contract table {n}", "company_id": False, "sequence": 50} for n in (1, 2)]
        )
        for table, price in zip(cls.tables, (50, 40), strict=True):
            cls._channel_rule(price, pricelist_id=table.id)
        cls.payment_term = cls.env.ref("account.account_payment_term_30days")
        cls.contract = cls._channel_contract(
            cls.dealer,
            valid_from=date(2026, 1, 1),
            pricelist_id=cls.tables[0].id,
            payment_term_id=cls.payment_term.id,
        )
        cls.first = cls.contract.version_ids
        cls.second = cls._channel_version(cls.contract, valid_from=date(2026, 7, 1), pricelist_id=cls.tables[1].id)

    def _order_on(self, day, **kwargs):
        return self._channel_order([(self.device, 1)], date_order=datetime.fromisoformat(f"{day} 12:00:00"), **kwargs)

    def test_version_on_the_day_of_the_order_decides_its_prices(self):
        for day, table, price in (
            ("2025-12-31", self.table, 90),
            ("2026-01-01", self.tables[0], 50),
            ("2026-06-30", self.tables[0], 50),
            ("2026-07-01", self.tables[1], 40),
        ):
            with self.subTest(day):
                order = self._order_on(day)
                self.assertEqual(order.pricelist_id, table)
                self.assertEqual(order.order_line.price_unit, price)
                self.assertEqual(self._price(date=day), price, "And the quote of that day says the same")

    def test_order_carries_the_version_that_governs_it(self):
        self.assertEqual(self._order_on("2026-06-30").channel_contract_version_id, self.first)
        self.assertEqual(self._order_on("2026-07-01").channel_contract_version_id, self.second)
        self.assertFalse(self._order_on("2026-07-01", partner=self.hospital).channel_contract_version_id)

    def test_draft_that_moves_to_another_day_takes_the_version_of_that_day(self):
        order = self._order_on("2026-06-30")
        order.date_order = datetime(2026, 7, 1, 12)
        self.assertEqual((order.channel_contract_version_id, order.pricelist_id), (self.second, self.tables[1]))

    def test_confirmed_order_keeps_its_price_list(self):
        order = self._order_on("2026-06-30")
        with freeze_time("2026-07-01 12:00:00"):
            order.action_confirm()
        self.assertEqual(order.pricelist_id, self.tables[0])
        self.assertEqual(order.order_line.price_unit, 50)
        self.assertEqual(order.channel_contract_version_id, self.second, "On the day it was confirmed this one governs")

    def test_payment_terms_are_the_contract_s(self):
        self.assertEqual(self._order_on("2026-06-30").payment_term_id, self.payment_term)

    def test_day_is_the_day_where_the_company_is(self):
        self.company.partner_id.tz = "Asia/Shanghai"
        order = self._channel_order([(self.device, 1)], date_order=datetime(2026, 6, 30, 16, 0))
        self.assertEqual(order.channel_contract_version_id, self.second)

    def test_draft_version_decides_nothing(self):
        self._channel_version(self.contract, approve=False, valid_from=date(2026, 9, 1), pricelist_id=self.table.id)
        self.assertEqual(self._order_on("2026-09-01").pricelist_id, self.tables[1])

    def test_other_member_and_other_company_are_not_governed(self):
        self.assertEqual(self._order_on("2026-07-01", partner=self.other_dealer).pricelist_id, self.table)
        company = self.env["res.company"].create({"name": "Other company"})
        found = self.env["channel.contract"]._versions_in_force([(self.dealer.id, company.id, date(2026, 7, 1))])
        self.assertFalse(found[0])

    def test_contact_of_the_member_is_governed_too(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.dealer.id})
        self.assertEqual(self._order_on("2026-07-01", partner=contact).pricelist_id, self.tables[1])
        with freeze_time("2026-07-01 12:00:00"):
            self.assertEqual(contact.property_product_pricelist, self.tables[1])

    def test_price_list_of_the_partner_is_resolved_and_not_copied(self):
        with freeze_time("2026-06-30 12:00:00"):
            self.dealer.invalidate_recordset()
            self.assertEqual(self.dealer.property_product_pricelist, self.tables[0])
            self.assertFalse(self.dealer.specific_property_product_pricelist)
        with freeze_time("2026-07-01 12:00:00"):
            self.dealer.invalidate_recordset()
            self.assertEqual(self.dealer.property_product_pricelist, self.tables[1])

    def test_contract_that_names_a_price_list_goes_before_one_that_does_not(self):
        self._channel_contract(self.dealer, valid_from=date(2026, 8, 1))
        self.assertEqual(self._order_on("2026-08-02").pricelist_id, self.tables[1])

    def test_archived_contract_does_not_govern(self):
        self.contract.action_archive()
        self.assertEqual(self._order_on("2026-07-01").pricelist_id, self.table)

    def test_form_of_a_new_order_takes_the_contract_s_price_list(self):
        with freeze_time("2026-07-02 12:00:00"), Form(self.env["sale.order"]) as form:
            form.partner_id = self.dealer
            self.assertEqual(form.pricelist_id, self.tables[1])

    def test_salesperson_without_access_to_contracts_gets_the_same_order(self):
        with freeze_time("2026-07-02 12:00:00"):
            order = (
                self.env["sale.order"]
                .with_user(self.user_internal)
                .create({"partner_id": self.dealer.id, "order_line": [(0, 0, {"product_id": self.device.id})]})
            )
        self.assertEqual((order.pricelist_id, order.order_line.price_unit), (self.tables[1], 40))

    def test_number_of_queries_does_not_depend_on_the_number_of_partners(self):
        members = self.env["res.partner"].create(
            [self._channel_member_values(f"M{number}", self.region_city) for number in range(33)]
        )
        for member in members:
            self._channel_contract(member, pricelist_id=self.tables[0].id)

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(some.property_product_pricelist, self.tables[0])
            return self.env.cr.sql_log_count - before

        count(members)
        self.assertLessEqual(count(members[3:]), count(members[:3]) + 1)
