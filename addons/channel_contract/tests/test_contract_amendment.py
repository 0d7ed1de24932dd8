from datetime import date

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractAmendment(ChannelContractCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls.env["res.partner"].create(cls._channel_member_values("Test New Dealer", cls.region_city))
        cls._channel_activate(cls.member, date(2020, 1, 1))
        cls._channel_qualification(cls.member)
        cls._channel_authorization(cls.member, cls.region_east)
        with freeze_time("2026-01-01 12:00:00"):
            cls.agreed = cls._channel_contract(cls.member, valid_from=date(2026, 1, 1))
        cls.first = cls.agreed.version_ids
        cls.orders = cls.env["sale.order"]
        for day in ("2026-02-28", "2026-03-01"):
            with freeze_time(f"{day} 12:00:00"):
                cls.orders += cls._channel_order(partner=cls.member, customer=cls.hospital, confirm=True)

    def _amend(self, day, **values):
        return self._channel_version(self.agreed, approve=False, valid_from=date.fromisoformat(day), **values)

    def test_for_the_future_nothing_is_recomputed(self):
        with freeze_time("2026-03-10 12:00:00"):
            draft = self._amend("2026-03-10")
            self.assertEqual((draft.backdated_days, draft.recompute_count), (0, 0))
            draft.with_user(self.user_manager).action_approve()
        self.assertEqual(self.orders.channel_contract_version_id, self.first)

    def test_for_the_past_it_shows_and_needs_two_levels_and_governs_from_its_first_day(self):
        with freeze_time("2026-03-10 12:00:00"):
            draft = self._amend("2026-03-01")
            self.assertEqual((draft.backdated_days, draft.recompute_count), (9, 1))
            [row] = draft._recompute_preview()[draft.id]
            self.assertEqual((row["id"], row["before"]), (self.orders[1].id, f"{self.agreed.name} v1"))
            self.assertIn(self.orders[1].name, draft.recompute_html)
            with self.assertRaises(UserError):
                draft.with_user(self.user_manager).action_approve()
            draft.action_submit()
            draft.with_user(self.user_manager).action_approve()
            self.assertEqual(draft.state, "draft", "The executive has not approved")
            draft.with_user(self.user_executive).action_approve()
        self.assertEqual(draft.state, "approved")
        self.assertEqual(
            [order.channel_contract_version_id for order in self.orders], [self.first, draft],
            "From its first day, and not the day before",
        )
        self.assertEqual((draft.backdated_days, draft.recompute_count), (9, 0))
        entry = self.env["channel.audit.entry"].sudo().search(
            [("action", "=", "contract.recomputed"), ("res_id", "=", draft.id)]
        )
        self.assertIn(self.orders[1].name, entry.before)

    def test_fields_for_rules_of_approval(self):
        draft = self._amend(
            "2099-01-01",
            commitment_ids=[
                Command.create({"name": "A", "amount": 100, "period": "quarter"}),
                Command.create({"name": "B", "amount": 50, "period": "term"}),
                Command.create({"name": "C", "measure": "quantity", "quantity": 9}),
            ],
        )
        self.assertEqual((draft.committed_amount, draft.is_exclusive), (450, False))
        self._channel_authorization(
            self.member, self.region_east, approve=False, exclusive=True, contract_version_id=draft.id
        )
        self.assertTrue(draft.is_exclusive)
