from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import ChannelMemberCommon


@freeze_time("2026-06-15 08:00:00")
@tagged("post_install", "-at_install")
class TestRegistration(ChannelMemberCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate_type = cls.env["channel.qualification.type"].create({
            "name": "Test Certificate",
            "code": "test_certificate",
            "certifies_products": True,
            "device_class_ii": True,
            "device_class_iii": True,
            "number_format": r"[A-Z-]+\d+",
            "validity_months": 60,
        })
        cls.template = cls.device.product_tmpl_id

    def _replace(self, **values):
        """Let the device have one certificate with these values."""
        self.registration.with_user(self.user_compliance).action_draft(reason="corrected")
        self.registration.write(values)
        self.registration.with_user(self.user_compliance).action_confirm()

    def _gap(self, day, made=None, country=None):
        ask = (self.template.id, self.company.id, day, made, country)
        return self.env["channel.registration"]._gaps([ask]).get(ask, (None, None))[0]

    def _codes(self, **kwargs):
        return [code for code in self._channel_codes(customer=self.hospital, **kwargs) if "registration" in code]

    def _stock(self, made, quantity=10.0, name="LOT-R"):
        return self._channel_lot(name, quantity=quantity, channel_production_date=made)

    # === LIFE === #

    def test_somebody_else_verifies(self):
        draft = self._channel_registration(confirm=False, number="N-1")
        for user in (self.user_sales, self.user_manager, self.user_auditor):
            with self.assertRaises(AccessError):
                draft.with_user(user).action_confirm()
        draft.with_user(self.user_compliance).name = "Stent"
        with self.assertRaisesRegex(UserError, "somebody else"):
            draft.with_user(self.user_compliance).action_confirm()
        draft.with_user(self.user_manager).name = "Stent system"
        draft.with_user(self.user_compliance).action_confirm()
        self.assertRecordValues(draft, [{"state": "valid", "confirmed_by_id": self.user_compliance.id}])
        for values in ({"number": "N-2"}, {"valid_to": False}, {"product_tmpl_ids": [Command.clear()]}):
            with self.assertRaisesRegex(UserError, "does not change"):
                draft.write(values)
        with self.assertRaisesRegex(UserError, "kept as evidence"):
            draft.unlink()
        self.assertEqual(
            self.env["channel.audit.entry"].sudo().search([("action", "=", "registration.verified")], limit=1).res_id,
            draft.id,
        )

    def test_state_is_not_written(self):
        draft = self._channel_registration(confirm=False, number="N-1")
        with self.assertRaises(AccessError):
            draft.with_user(self.user_compliance).write({"state": "valid"})
        with self.assertRaises(AccessError):
            self.env["channel.registration"].with_user(self.user_manager).create(
                {"number": "N-9", "device_class": "II", "state": "valid"}
            )
        sly = draft.with_user(self.user_manager).with_context(default_state="valid").copy({"number": "N-3"})
        self.assertEqual(sly.state, "draft")

    def test_number_and_class_must_fit(self):
        draft = self._channel_registration(confirm=False, number="wrong", type_id=self.certificate_type.id)
        with self.assertRaisesRegex(ValidationError, "not valid for Test Certificate"), self.env.cr.savepoint():
            draft.with_user(self.user_compliance).action_confirm()
        draft.write({"number": "N-77", "device_class": "II"})
        with self.assertRaisesRegex(ValidationError, "is entered as Class III"), self.env.cr.savepoint():
            draft.with_user(self.user_compliance).action_confirm()
        draft.device_class = "III"
        draft.with_user(self.user_compliance).action_confirm()

    def test_dates_are_needed(self):
        draft = self._channel_registration(confirm=False, number="N-1", valid_from=False)
        with self.assertRaisesRegex(UserError, "first day in force"):
            draft.with_user(self.user_compliance).action_confirm()

    def test_renewal_keeps_the_number(self):
        self._replace(type_id=self.certificate_type.id, number="N-1", valid_to=date(2026, 12, 31))
        renewal = self.env["channel.registration"].browse(self.registration.action_renew()["res_id"])
        self.assertRecordValues(renewal, [{
            "number": "N-1", "state": "draft", "valid_from": date(2027, 1, 1), "valid_to": date(2031, 12, 31),
            "product_tmpl_ids": self.template.ids,
        }])
        self.assertEqual(self.registration.state, "valid")

    def test_status(self):
        today = date(2026, 6, 15)
        cases = {
            "valid": (date(2024, 1, 1), date(2029, 1, 1)),
            "expiring": (date(2024, 1, 1), date(2026, 12, 12)),
            "expired": (date(2020, 1, 1), date(2026, 6, 14)),
            "upcoming": (date(2026, 6, 16), date(2031, 6, 15)),
        }
        made = {
            status: self._channel_registration(number=f"S-{status}", valid_from=start, valid_to=end)
            for status, (start, end) in cases.items()
        }
        made["expiring"] |= self._channel_registration(number="S-1", valid_from=today, valid_to=today)
        made["cancelled"] = self._channel_registration(number="S-2")
        made["cancelled"].with_user(self.user_compliance).action_cancel(reason="withdrawn")
        made["draft"] = self._channel_registration(number="S-3", confirm=False)
        everything = self.env["channel.registration"].union(*made.values())
        for status, records in made.items():
            with self.subTest(status=status):
                self.assertEqual(set(records.mapped("status")), {status})
                self.assertEqual(
                    set(everything.search([("status", "=", status), ("id", "in", everything.ids)]).ids),
                    set(records.ids),
                )

    def test_alerts(self):
        """One alert for each certificate, more severe as the day comes nearer, and none once it is renewed."""
        def alerts():
            self.env["channel.registration"]._cron_alert_expiry()
            return self.env["channel.alert"].search([("source", "=", "registration"), ("state", "!=", "resolved")])

        self.assertFalse(alerts())
        self._replace(valid_to=date(2026, 12, 12))
        alert = alerts()
        self.assertEqual((alert.res_id, alert.severity), (self.registration.id, "info"))
        self.assertEqual(alerts(), alert)
        for today, severity in (("2026-09-13", "warning"), ("2026-11-12", "critical"), ("2026-12-13", "critical")):
            with freeze_time(f"{today} 08:00:00"):
                self.assertEqual(alerts().mapped("severity"), [severity])
        self.assertEqual(len(alerts()), 1)
        renewal = self.env["channel.registration"].browse(self.registration.action_renew()["res_id"])
        self.assertEqual(len(alerts()), 1, "a renewal that nobody has verified")
        renewal.with_user(self.user_compliance).action_confirm()
        self.assertFalse(alerts())

    # === ON THE PRODUCT === #

    def test_product_shows_the_certificate_in_force(self):
        self.assertEqual(self.template.channel_registration_number, self.registration.number)
        self.assertEqual(self.template.channel_registration_status, "valid")
        self._replace(valid_to=date(2026, 6, 14))
        self.assertEqual(self.template.channel_registration_status, "expired")
        newer = self._channel_registration(number="NEW-1", valid_from=date(2026, 6, 15))
        self.template.invalidate_recordset()
        self.assertEqual(self.template.channel_registration_id, newer)
        self.assertEqual(self.template.with_user(self.user_sales).channel_registration_number, "NEW-1")
        found = self.env["product.template"].search([("channel_registration_number", "ilike", "new-1")])
        self.assertEqual(found, self.template)

    # === GAPS === #

    def test_edges(self):
        self._replace(valid_from=date(2024, 3, 1), valid_to=date(2026, 2, 28))
        for day, reason in (
            (date(2024, 2, 29), "later"), (date(2024, 3, 1), None), (date(2026, 2, 28), None),
            (date(2026, 3, 1), "unknown"),
        ):
            with self.subTest(day=day):
                self.assertEqual(self._gap(day), reason)

    def test_made_while_valid_stays_lawful(self):
        """SAMR order 47, art. 112: what counts is the day of production."""
        self._replace(valid_from=date(2021, 1, 1), valid_to=date(2025, 12, 31))
        day = date(2026, 6, 1)
        for made, reason in (
            (date(2021, 1, 1), None), (date(2025, 12, 31), None), (date(2026, 1, 1), "outside"),
            (date(2020, 12, 31), "outside"), (None, "unknown"),
        ):
            with self.subTest(made=made):
                self.assertEqual(self._gap(day, made), reason)

    def test_gap_between_two_certificates(self):
        self._replace(valid_from=date(2021, 1, 1), valid_to=date(2025, 12, 31))
        self._channel_registration(number="R-2", valid_from=date(2026, 3, 1))
        self.assertIsNone(self._gap(date(2026, 6, 1), date(2025, 12, 31)))
        self.assertEqual(self._gap(date(2026, 6, 1), date(2026, 2, 1)), "outside")
        self.assertIsNone(self._gap(date(2026, 6, 1), date(2026, 3, 1)))
        self.assertIsNone(self._gap(date(2026, 6, 1)))

    def test_cancelled_blocks_from_its_day_on(self):
        self.registration.with_user(self.user_compliance).action_cancel(reason="withdrawn", date=date(2026, 4, 1))
        self.assertIsNone(self._gap(date(2026, 3, 31)))
        self.assertEqual(self._gap(date(2026, 4, 1)), "cancelled")
        self.assertEqual(self._gap(date(2026, 4, 1), date(2024, 1, 1)), "cancelled", "made while it was valid")
        self._channel_registration(number="R-2", valid_from=date(2026, 5, 1))
        self.assertIsNone(self._gap(date(2026, 5, 1)))

    def test_draft_does_not_count(self):
        self.registration.with_user(self.user_compliance).action_draft(reason="wrong holder")
        self.assertEqual(self._gap(date(2026, 6, 1)), "none")

    def test_class_country_and_type_decide(self):
        self.registration.with_user(self.user_compliance).action_draft(reason="x")
        day = date(2026, 6, 1)
        for device_class, reason in (("III", "none"), ("II", "none"), ("I", None), ("none", None)):
            self.template.channel_device_class = device_class
            self.assertEqual(self._gap(day), reason, device_class)
        self.template.channel_device_class = "III"
        own = self.company.country_id
        abroad = self.env.ref("base.be") if own != self.env.ref("base.be") else self.env.ref("base.fr")
        self.assertIsNone(self._gap(day, country=abroad.id), "what is exported is under another law")
        self.certificate_type.country_id = abroad
        self.assertIsNone(self._gap(day))
        self.certificate_type.country_id = own
        self.assertEqual(self._gap(day), "none")
        self.certificate_type.active = False
        self.assertIsNone(self._gap(day))

    # === GATE === #

    def _set_buyers_country(self):
        self.dealer.country_id = self.company.country_id

    def test_order(self):
        self._set_buyers_country()
        self.assertEqual(self._codes(), [])
        self.registration.with_user(self.user_compliance).action_draft(reason="x")
        finding, = [f for f in self._channel_evaluate(customer=self.hospital) if f["code"] == "product_registration"]
        self.assertEqual(finding["severity"], "block")
        self.assertIn("no verified registration certificate", finding["message"])

    def test_order_of_an_expired_certificate(self):
        """Goods in stock that were made in time may still be ordered, with a warning; without them nothing may."""
        self._set_buyers_country()
        self._replace(valid_to=date(2026, 5, 31))
        self.assertEqual(self._codes(), ["product_registration"])
        lot = self._stock(made=date(2026, 6, 2))
        self.assertEqual(self._codes(), ["product_registration"], "made too late")
        lot.channel_production_date = date(2026, 5, 31)
        finding, = [f for f in self._channel_evaluate(customer=self.hospital) if "registration" in f["code"]]
        self.assertEqual((finding["code"], finding["severity"]), ("product_registration_stock", "warn"))
        self.registration.with_user(self.user_compliance).action_cancel(reason="withdrawn")
        self.assertEqual(self._codes(), ["product_registration"], "cancelled: no stock is lawful")

    def test_delivery_judges_by_lot(self):
        self._set_buyers_country()
        self._replace(valid_to=date(2026, 5, 31))
        lot = self._stock(made=date(2026, 5, 1), name="LOT-MADE-IN-TIME")
        order = self._channel_order([(self.device, 2)], customer=self.hospital, confirm=True)
        lot.channel_production_date = False
        with self.assertRefused("product_registration") as refused:
            self._channel_deliver(order, lot=lot)
        finding, = refused.exception.findings
        self.assertIn("production date", finding.remedy)
        lot.channel_production_date = date(2026, 6, 1)
        with self.assertRefused("product_registration"):
            self._channel_deliver(order, lot=lot)
        lot.channel_production_date = date(2026, 5, 31)
        self._channel_deliver(order, lot=lot)
        self.assertEqual(order.order_line.qty_delivered, 2)
        # What has left was judged then; its invoice is not stopped by a certificate that ran out.
        self.assertEqual(self._channel_invoice(order).state, "posted")

    def test_direct_invoice(self):
        self._set_buyers_country()
        self.registration.with_user(self.user_compliance).action_cancel(reason="withdrawn")
        invoice = self.env["account.move"].create({
            "move_type": "out_invoice",
            "partner_id": self.dealer.id,
            "invoice_line_ids": [Command.create({"product_id": self.device.id, "quantity": 1, "price_unit": 5})],
        })
        with self.assertRefused("product_registration"):
            invoice.action_post()

    def test_shape(self):
        self.registration.with_user(self.user_compliance).action_draft(reason="x")

        def count(number):
            templates = self.env["product.template"].create([
                {"name": f"D{index}", "channel_device_class": "III"} for index in range(number)
            ])
            asks = [(template.id, self.company.id, date(2026, 6, 1), None, None) for template in templates]
            self.env.flush_all()
            start = self.env.cr.sql_log_count
            self.assertEqual(len(self.env["channel.registration"]._gaps(asks)), number)
            self.env["channel.registration"]._lawful_stock([ask[:3] for ask in asks])
            return self.env.cr.sql_log_count - start

        self.assertEqual(count(10), count(200))

    # === RIGHTS === #

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_rights(self):
        for user in (self.user_sales, self.user_finance, self.user_auditor, self.user_executive):
            with self.subTest(user=user.login):
                self.assertTrue(self.registration.with_user(user).number)
                with self.assertRaises(AccessError):
                    self.env["channel.registration"].with_user(user).create({"number": "X-1", "device_class": "II"})
        self.assertFalse(self.env["channel.registration"].with_user(self.user_portal).has_access("read"))
