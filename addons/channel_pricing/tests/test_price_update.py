from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-03-10 12:00:00")
class TestPriceUpdate(ChannelPricingCommon):
    """Open quotations keep their prices until somebody decides otherwise."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls._channel_rule(100)
        cls._channel_rule(10, product=cls.consumable)
        cls.request = cls._channel_request([(cls.consumable, 100, 8)])
        cls.order = cls._channel_order([(cls.device, 2), (cls.consumable, 5)])
        cls.order.action_quotation_sent()
        cls.rule.fixed_price = 110

    def _update(self):
        action = self.order.with_user(self.user_sales).action_channel_price_update()
        return self.env["channel.price.update"].with_user(self.user_sales).browse(action["res_id"])

    def _entry(self):
        return self.env["channel.audit.entry"].search(
            [("action", "=", "quotation.repriced"), ("res_id", "=", self.order.id)], order="id desc", limit=1
        )

    def test_a_sent_quotation_keeps_its_prices_and_the_dialog_changes_nothing(self):
        update = self._update()
        self.assertTrue(update.is_promised)
        self.assertRecordValues(
            update.line_ids,
            [{
                "product_id": self.device.id, "price_before": 100, "price_after": 110, "subtotal_before": 200,
                "subtotal_after": 220, "chosen": True, "is_agreed": False,
            }],
        )
        self.order.invalidate_recordset()
        self.assertEqual(self.order.order_line.mapped("price_unit"), [100, 8])
        self.assertFalse(self._entry())

    def test_updating_is_a_decision_in_the_journal(self):
        self._update().action_update()
        self.assertEqual(self.order.order_line.mapped("price_unit"), [110, 8])
        entry = self._entry()
        self.assertIn("110", entry.after)
        self.assertEqual(entry.user_id, self.user_sales)

    def test_only_what_is_ticked_changes(self):
        self._channel_rule(12, product=self.consumable, channel_member_id=self.dealer.id)
        self.order.order_line[1].price_unit = 7
        update = self._update()
        device, gauze = update.line_ids
        self.assertEqual((gauze.is_agreed, gauze.chosen), (True, False))
        device.chosen = False
        with self.assertRaisesRegex(UserError, "tick"):
            update.action_update()
        device.chosen = True
        update.action_update()
        self.assertEqual(self.order.order_line.mapped("price_unit"), [110, 7])

    def test_agreed_prices_are_not_updated_by_core_s_button_either(self):
        self.order.order_line.price_unit = 7
        self.order.with_user(self.user_sales).action_update_prices()
        self.assertEqual(self.order.order_line.mapped("price_unit"), [110, 7])
        self.assertTrue(self._entry())

    def test_a_special_price_that_has_ended_is_agreed_no_more(self):
        self.request.with_user(self.user_manager).action_end("2026-03-09", "Test")
        self.assertEqual(self._update().line_ids.mapped("price_after"), [110, 10])

    def test_another_member_has_no_part_in_it(self):
        draft = self._channel_order([(self.consumable, 5)])
        self.assertTrue(draft.order_line.channel_request_line_id)
        draft.partner_id = self.other_dealer
        self.assertEqual(draft.order_line.price_unit, 10)
        self.assertFalse(draft.order_line.channel_request_line_id)

    def test_confirming_after_the_last_day_is_noted(self):
        def codes():
            _requests, findings = self.env["channel.gate"]._evaluate_documents("order", self.order)
            return [finding.code for finding in findings if finding.code == "price_validity"]

        self.order.validity_date = date(2026, 3, 10)
        self.assertFalse(codes())
        with freeze_time("2026-03-11 08:00:00"):
            self.assertEqual(codes(), ["price_validity"])
            self.order.action_confirm()
            self.assertEqual(codes(), ["price_validity"])

    def test_who_may_not_write_the_quotation_does_not_update(self):
        with self.assertRaises(AccessError):
            self.order.with_user(self.user_auditor).action_channel_price_update()
        self.order.action_confirm()
        update = self.env["channel.price.update"].create({"order_id": self.order.id})
        with self.assertRaisesRegex(UserError, "not a quotation"):
            update.action_update()
