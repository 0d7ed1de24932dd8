from datetime import date, timedelta

from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestGate(ChannelMemberCommon):
    def _limit_licence(self, **values):
        """Replace the dealer's licence by one with these values."""
        self.licence.with_user(self.user_compliance).action_draft(reason="corrected")
        self.licence.write(values)
        self.licence.with_user(self.user_compliance).action_verify()

    def test_in_order(self):
        """A dealer in good standing orders for a hospital in its territory."""
        self.assertEqual(self._channel_evaluate(customer=self.hospital), [])
        order = self._channel_order(customer=self.hospital, confirm=True)
        self.assertEqual(order.state, "sale")

    # === MEMBER STATE === #

    def test_suspended_member(self):
        self.dealer.with_user(self.user_manager).action_channel_suspend(reason="unpaid")
        order = self._channel_order(customer=self.hospital)
        with self.assertRefused("member_state"):
            order.action_confirm()
        self.dealer.with_user(self.user_compliance).action_channel_activate()
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_suspended_member_delivery(self):
        """The gate asks again at delivery: what was active at the order may be suspended by then."""
        order = self._channel_order([(self.consumable, 2)], customer=self.hospital, confirm=True)
        self.dealer.with_user(self.user_manager).action_channel_suspend(reason="unpaid")
        with self.assertRefused("member_state"):
            self._channel_deliver(order)

    def test_applicant(self):
        applicant = self.env["res.partner"].create(self._channel_member_values("New Dealer", self.region_east))
        self.assertEqual(self._channel_codes(applicant, self.consumable), ["member_state"])

    def test_no_member(self):
        """Partners without a channel role are none of the gate's business."""
        stranger = self.env["res.partner"].create({"name": "Stranger", "is_company": True})
        self.assertEqual(self._channel_evaluate(stranger), [])

    def test_branch_contact(self):
        """What a contact of a member orders, the member answers for."""
        contact = self.env["res.partner"].create({"name": "Branch", "parent_id": self.dealer.id, "type": "delivery"})
        self.assertEqual(self._channel_codes(contact, customer=self.hospital), [])
        self._limit_licence(expiry_date=date(2021, 12, 31))
        order = self._channel_order(partner=contact, customer=self.hospital)
        with self.assertRefused("member_qualification"):
            order.action_confirm()

    # === QUALIFICATIONS === #

    def test_day_of_expiry(self):
        """The day of expiry is the last one in force."""
        self._limit_licence(issue_date=date(2025, 3, 1), expiry_date=date(2026, 6, 30))
        for day, codes in (
            (date(2025, 2, 28), ["member_qualification"]),
            (date(2025, 3, 1), []),
            (date(2026, 6, 30), []),
            (date(2026, 7, 1), ["member_qualification"]),
        ):
            with self.subTest(day=day):
                self.assertEqual(self._channel_codes(customer=self.hospital, day=day), codes)

    def test_message_names_the_expired_document(self):
        self._limit_licence(expiry_date=date(2026, 6, 30))
        finding, = self._channel_evaluate(customer=self.hospital, day=date(2026, 7, 1))
        self.assertIn(self.licence.number, finding["message"])
        self.assertIn("06/30/2026", finding["message"])
        self.assertIn("Test Act, art. 1", finding["remedy"])

    def test_renewal_before_expiry(self):
        self._limit_licence(expiry_date=date(2026, 6, 30))
        self._channel_qualification(self.dealer, issue_date=date(2026, 5, 1), expiry_date=date(2031, 4, 30))
        self.assertEqual(self._channel_codes(customer=self.hospital, day=date(2026, 7, 1)), [])

    def test_renewal_with_gap(self):
        self._limit_licence(expiry_date=date(2026, 6, 30))
        self._channel_qualification(self.dealer, issue_date=date(2026, 8, 1), expiry_date=date(2031, 7, 31))
        self.assertEqual(self._channel_codes(customer=self.hospital, day=date(2026, 7, 15)), ["member_qualification"])
        self.assertEqual(self._channel_codes(customer=self.hospital, day=date(2026, 8, 1)), [])

    def test_unverified_does_not_count(self):
        self._limit_licence(expiry_date=date(2026, 6, 30))
        self._channel_qualification(
            self.dealer, verify=False, issue_date=date(2026, 5, 1), expiry_date=date(2031, 4, 30)
        )
        self.assertEqual(self._channel_codes(customer=self.hospital, day=date(2026, 7, 1)), ["member_qualification"])

    def test_revoked_from_its_day(self):
        self.licence.with_user(self.user_compliance).action_revoke(reason="withdrawn", date=date(2026, 4, 1))
        self.assertEqual(self._channel_codes(customer=self.hospital, day=date(2026, 3, 31)), [])
        self.assertEqual(self._channel_codes(customer=self.hospital, day=date(2026, 4, 1)), ["member_qualification"])

    def test_class_decides(self):
        """Class I needs no licence under this law, nor does what the authority exempts."""
        self._limit_licence(expiry_date=date(2021, 12, 31))
        for device_class, exempt, codes in (
            ("III", False, ["member_qualification"]),
            ("II", False, ["member_qualification"]),
            ("II", True, []),
            ("I", False, []),
            ("none", False, []),
        ):
            with self.subTest(device_class=device_class, exempt=exempt):
                self.device.product_tmpl_id.write(
                    {"channel_device_class": device_class, "channel_licence_exempt": exempt}
                )
                self.assertEqual(self._channel_codes(customer=self.hospital), codes)

    def test_role_and_country_decide(self):
        agent = self.env["res.partner"].create(
            self._channel_member_values("Agent", self.region_east, channel_role="agent")
        )
        foreign = self.env["res.partner"].create(
            self._channel_member_values("Abroad", self.region_east, country_id=self.env.ref("base.be").id)
        )
        same = self.env["res.partner"].create(self._channel_member_values("Here", self.region_east))
        (agent | foreign | same).action_channel_activate()
        self._channel_authorization(agent, self.region_east)
        self._channel_authorization(foreign, self.region_east)
        self._channel_authorization(same, self.region_east)
        self.assertEqual(self._channel_codes(agent), [])
        self.assertEqual(self._channel_codes(foreign), [])
        self.assertEqual(self._channel_codes(same), ["member_qualification"])

    def test_severity_of_the_type(self):
        """A document that is only advised warns and lets the order pass."""
        self.licence_type.severity = "warn"
        self._limit_licence(expiry_date=date(2021, 12, 31))
        finding, = self._channel_evaluate(customer=self.hospital)
        self.assertEqual((finding["code"], finding["severity"]), ("member_qualification_advised", "warn"))
        self.assertEqual(self._channel_order(customer=self.hospital, confirm=True).state, "sale")

    def test_one_finding_for_many_lines(self):
        self._limit_licence(expiry_date=date(2021, 12, 31))
        second = self.device.product_tmpl_id.copy().product_variant_id
        self.assertEqual(
            self._channel_codes(products=self.device | second, customer=self.hospital), ["member_qualification"]
        )

    def test_date_of_the_document(self):
        """An order is judged by its own date, not by today's."""
        self._limit_licence(expiry_date=date(2021, 12, 31))
        order = self._channel_order(customer=self.hospital)
        order.date_order = "2021-12-31 12:00:00"
        self.env["channel.gate"]._check_documents("order", order)
        self.assertFalse(order.channel_finding_ids)
        order.date_order = "2022-01-01 12:00:00"
        self.env["channel.gate"]._check_documents("order", order)
        self.assertEqual(order.channel_finding_ids.check_id.code, "member_qualification")

    # === SCOPE === #

    def test_scope(self):
        for scope, codes in (
            (self.device_category_parent, []),
            (self.device_category, []),
            (self.device_category | self.other_device_category, []),
            (self.other_device_category, ["member_scope"]),
        ):
            with self.subTest(scope=scope.mapped("code")):
                self._limit_licence(scope_ids=self._channel_scope(*scope))
                self.assertEqual(self._channel_codes(customer=self.hospital), codes)

    def test_scope_of_second_document(self):
        """Two documents of one type add up."""
        self._limit_licence(scope_ids=self._channel_scope(self.other_device_category))
        self._channel_qualification(self.dealer, scope_ids=self._channel_scope(self.device_category))
        self.assertEqual(self._channel_codes(customer=self.hospital), [])

    def test_scope_without_category(self):
        """What has no category cannot be checked, so it does not pass a licence that is limited."""
        self.device.product_tmpl_id.channel_category_ids = False
        self.assertEqual(self._channel_codes(customer=self.hospital), [])
        self._limit_licence(scope_ids=self._channel_scope(self.other_device_category))
        finding, = self._channel_evaluate(customer=self.hospital)
        self.assertEqual(finding["code"], "member_scope")
        self.assertIn("no device category", finding["message"])

    def test_scope_excludes_ivd(self):
        self._limit_licence(scope_ids=self._channel_scope(self.device_category, ivd="without"))
        self.assertEqual(self._channel_codes(customer=self.hospital), [])
        self.device.product_tmpl_id.channel_is_ivd = True
        self.assertEqual(self._channel_codes(customer=self.hospital), ["member_scope"])

    def test_scope_and_missing_licence_are_told_apart(self):
        self._limit_licence(
            expiry_date=date(2021, 12, 31), scope_ids=self._channel_scope(self.other_device_category)
        )
        self.assertEqual(self._channel_codes(customer=self.hospital), ["member_qualification"])

    # === AUTHORIZATION === #

    def test_territory_breach(self):
        order = self._channel_order(customer=self.hospital_west)
        with self.assertRefused("member_authorization") as refused:
            order.action_confirm()
        finding, = refused.exception.findings
        self.assertEqual(finding.basis["reason"], "territory")
        self.assertIn(self.authorization.number, finding.message)

    def test_not_authorised(self):
        dealer = self.env["res.partner"].create(self._channel_member_values("Laboratory Dealer", self.region_east))
        dealer.action_channel_activate()
        self._channel_qualification(dealer)
        self._channel_authorization(
            dealer, self.region_east, all_products=False,
            device_category_ids=[Command.set(self.other_device_category.ids)],
        )
        finding, = self._channel_evaluate(dealer, customer=self.hospital)
        self.assertEqual(finding["code"], "member_authorization")
        self.assertIn("is not authorised for", finding["message"])

    def test_authorization_period(self):
        self.authorization.with_user(self.user_manager).action_revoke(reason="replaced", date=date(2020, 1, 1))
        authorization = self._channel_authorization(
            self.dealer, self.region_east, date_from=date(2026, 1, 1), date_to=date(2026, 12, 31)
        )
        for day, codes in (
            (date(2025, 12, 31), ["member_authorization"]),
            (date(2026, 1, 1), []),
            (date(2026, 12, 31), []),
            (date(2027, 1, 1), ["member_authorization"]),
        ):
            with self.subTest(day=day):
                self.assertEqual(self._channel_codes(customer=self.hospital, day=day), codes)
        finding, = self._channel_evaluate(customer=self.hospital, day=date(2027, 1, 1))
        self.assertIn(authorization.number, finding["message"])

    def test_without_end_customer(self):
        """For stock, without an end customer, the territory cannot be judged; product and period still are."""
        self.assertEqual(self._channel_codes(), [])
        self.authorization.with_user(self.user_manager).action_revoke(reason="ended", date=date(2020, 1, 1))
        self.assertEqual(self._channel_codes(), ["member_authorization"])

    def test_hospital_buys_without_authorization(self):
        self.assertEqual(self._channel_codes(self.hospital), [])

    def test_product_needs_authorization(self):
        self.assertTrue(self.device.channel_needs_authorization)
        self.assertFalse(self.consumable.channel_needs_authorization)
        self.assertEqual(self._channel_codes(products=self.consumable, customer=self.hospital_west), [])
        self.consumable.product_tmpl_id.channel_needs_authorization = True
        self.assertEqual(
            self._channel_codes(products=self.consumable, customer=self.hospital_west), ["member_authorization"]
        )

    def test_company_of_the_authorization(self):
        """What one company authorised does not hold for another one's orders."""
        other = self.env["res.company"].sudo().create({"name": "Second Company"})
        self.assertFalse(self.env["channel.authorization"]._match_lines([{
            "member_id": self.dealer.id, "customer_id": self.hospital.id, "product_id": self.device.id,
            "date": date(2026, 1, 1), "company_id": other.id,
        }])[0].covering)

    def test_override(self):
        """A breach passes with the reason of who may let it pass, and the decision stays on record."""
        order = self._channel_order(customer=self.hospital_west)
        action = order.with_user(self.user_manager).action_channel_override()
        wizard = self.env["channel.gate.override"].with_user(self.user_manager).with_context(
            **action["context"]
        ).create({"reason": "one-off, agreed with the western dealer"})
        wizard.action_override()
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.channel_finding_ids.filtered(lambda f: f.state == "overridden").check_id.code,
                         "member_authorization")

    # === SHAPE === #

    def _count_queries(self, orders, lines):
        """Queries of one evaluation of ``orders`` requests with ``lines`` lines each, half of them not in order."""
        categories = (self.other_device_category, self.device_category, self.device_category)
        devices = self.env["product.product"].create([
            self._channel_product_values(
                f"Device {index}",
                channel_device_class="III" if index % 2 else "II",
                channel_category_ids=[Command.set(categories[index % 3].ids)],
            )
            for index in range(lines)
        ])
        documents = self.env["sale.order"]
        for index in range(orders):
            documents |= self._channel_order(
                [(device, 1) for device in devices],
                partner=(self.dealer, self.other_dealer)[index % 2],
                customer=(self.hospital, self.hospital_west)[index % 3 % 2],
                date_order=f"2026-01-{1 + index % 28:02d} 10:00:00",
            )
        self.env.flush_all()
        self.env.invalidate_all()
        requests = documents.sudo()._channel_gate_requests("order")
        self.env["channel.gate"]._run(requests)
        self.env.invalidate_all()
        requests = documents.sudo()._channel_gate_requests("order")
        start = self.env.cr.sql_log_count
        findings = self.env["channel.gate"]._run(requests)
        self.assertTrue(findings)
        return self.env.cr.sql_log_count - start

    def test_shape(self):
        self._limit_licence(expiry_date=date(2026, 1, 3), scope_ids=self._channel_scope(self.device_category))
        few = self._count_queries(2, 5)
        many = self._count_queries(20, 50)
        self.assertLessEqual(many, few + 5, f"{few} queries for 10 lines, {many} for 1000")

    def test_edges_of_today(self):
        """Without a date the gate judges by today in the company's time zone."""
        today = self.company._channel_today()
        self._limit_licence(expiry_date=today)
        self.assertEqual(self._channel_codes(customer=self.hospital), [])
        self._limit_licence(expiry_date=today - timedelta(days=1))
        self.assertEqual(self._channel_codes(customer=self.hospital), ["member_qualification"])

    def test_form(self):
        """The draft on the screen says what will be refused before it is saved."""
        form = Form(self.env["sale.order"])
        form.partner_id = self.dealer
        form.channel_end_customer_id = self.hospital_west
        with form.order_line.new() as line:
            line.product_id = self.device
        self.assertIn("Territory breach", form.channel_gate_banner)
        form.channel_end_customer_id = self.hospital
        self.assertFalse(form.channel_gate_banner)


@tagged("post_install", "-at_install")
class TestGateOnTheDay(ChannelMemberCommon):
    """The member is judged as of the document's date; an invoice for what has not been judged at delivery."""

    def _change(self, state, day):
        self.dealer.with_user(self.user_manager)._channel_change({"channel_state": state}, date=day, reason="test")

    def test_state_of_the_day(self):
        self._change("suspended", date(2026, 3, 1))
        self._change("active", date(2026, 4, 1))
        for day, codes in (
            (date(1999, 12, 31), ["member_state"]),
            (date(2026, 2, 28), []),
            (date(2026, 3, 1), ["member_state"]),
            (date(2026, 3, 31), ["member_state"]),
            (date(2026, 4, 1), []),
        ):
            with self.subTest(day=day):
                self.assertEqual(self._channel_codes(products=self.consumable, customer=self.hospital, day=day), codes)

    def test_message_says_what_differs_today(self):
        self._change("suspended", date(2026, 3, 1))
        self._change("active", date(2026, 4, 1))
        finding, = self._channel_evaluate(products=self.consumable, day=date(2026, 3, 5))
        self.assertIn("on 03/05/2026: Suspended; today it is: Active", finding["message"])
        before, = self._channel_evaluate(products=self.consumable, day=date(1999, 1, 1))
        self.assertIn("was not a member of the channel on 01/01/1999", before["message"])

    def test_decided_ahead(self):
        """The gate goes by the history: what is decided for a day holds on that day, whether or not the job has run."""
        day = self.company._channel_today() + timedelta(days=10)
        self._change("suspended", day)
        self.assertEqual(self.dealer.channel_state, "active")
        self.assertEqual(self._channel_codes(products=self.consumable, day=day - timedelta(days=1)), [])
        self.assertEqual(self._channel_codes(products=self.consumable, day=day), ["member_state"])

    def test_invoice_of_what_has_left(self):
        """Judged as it left: a suspension since then does not keep it from being billed."""
        order = self._channel_order([(self.consumable, 2)], customer=self.hospital, confirm=True)
        self._channel_deliver(order)
        self._change("suspended", self.company._channel_today())
        invoice = self._channel_invoice(order)
        self.assertEqual(invoice.state, "posted")
        self.assertFalse(invoice.channel_finding_ids)

    def test_invoice_before_delivery(self):
        """What has not left is judged when it is billed."""
        order = self._channel_order([(self.consumable, 2)], customer=self.hospital, confirm=True)
        self._change("suspended", self.company._channel_today())
        with self.assertRefused("member_state"):
            self._channel_invoice(order)

    def test_invoice_of_more_than_has_left(self):
        """Delivered goods cover one invoice: a second one for the same line bills what has not left."""
        order = self._channel_order([(self.consumable, 2)], customer=self.hospital, confirm=True)
        self._channel_deliver(order)
        self._channel_invoice(order)
        order.order_line.product_uom_qty = 3
        self._change("suspended", self.company._channel_today())
        with self.assertRefused("member_state"):
            self._channel_invoice(order)

    def test_direct_invoice(self):
        """An invoice without order and delivery is judged whole, by its own date."""
        self.licence.with_user(self.user_compliance).action_revoke(reason="withdrawn", date=date(2026, 4, 1))
        invoice = self.env["account.move"].create({
            "move_type": "out_invoice",
            "partner_id": self.dealer.id,
            "channel_end_customer_id": self.hospital.id,
            "invoice_date": date(2026, 4, 1),
            "invoice_line_ids": [Command.create({"product_id": self.device.id, "quantity": 1, "price_unit": 10.0})],
        })
        with self.assertRefused("member_qualification"):
            invoice.action_post()
        invoice.invoice_date = date(2026, 3, 31)
        invoice.action_post()
        self.assertEqual(invoice.state, "posted")

    def test_direct_invoice_outside_of_the_territory(self):
        invoice = self.env["account.move"].create({
            "move_type": "out_invoice",
            "partner_id": self.dealer.id,
            "channel_end_customer_id": self.hospital_west.id,
            "invoice_date": date(2026, 3, 31),
            "invoice_line_ids": [Command.create({"product_id": self.device.id, "quantity": 1, "price_unit": 10.0})],
        })
        with self.assertRefused("member_authorization"):
            invoice.action_post()

    def test_shape_of_invoices(self):
        """Delivered lines cost a fixed number of queries, however many there are."""
        def count(lines):
            products = self.env["product.product"].create([
                self._channel_product_values(f"Shape {lines} {number}") for number in range(lines)
            ])
            order = self._channel_order([(product, 1) for product in products], customer=self.hospital, confirm=True)
            invoice = self._channel_invoice(order, post=False)
            self.env.flush_all()
            for _again in range(2):
                self.env.invalidate_all()
                requests = invoice.sudo()._channel_gate_requests("invoice")
                start = self.env.cr.sql_log_count
                invoice.invalidate_recordset()
                self.env["channel.gate"]._run(invoice.sudo()._channel_gate_requests("invoice"))
            self.assertEqual(len(requests[0].lines), lines)
            return self.env.cr.sql_log_count - start

        few = count(5)
        self.assertLessEqual(count(50), few + 3)
