from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import date_utils

from .common import ChannelRebateCommon


@tagged("post_install", "-at_install")
class TestProgrammeTour(HttpCase, ChannelRebateCommon):
    """From a template to what it would have cost, and from the accrual to the credit note, in a browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._program("TOUR", [(0, 2)], name="Tour programme")
        # In the quarter that ended last, whatever day it is
        cls.day = date_utils.start_of(fields.Date.today(), "quarter") - timedelta(days=1)
        cls._invoice(900, cls.day - relativedelta(days=3))
        for user in (cls.user_finance, cls.user_manager):
            user.password = user.login

    def test_builder_and_simulation(self):
        self.start_tour("/odoo/channel-rebate-programmes", "channel_rebate_builder", login=self.user_finance.login)
        draft = self.program.version_ids.filtered(lambda version: version.state == "draft")
        self.assertRecordValues(draft, [{"kind": "retroactive", "window_type": "quarter", "payout_cap": 50}])
        self.assertEqual(draft.tier_ids.sorted("lower_bound").mapped("rate"), [4, 2, 3])
        simulation = self.env["channel.rebate.simulation"].search([("version_id", "=", draft.id)])
        self.assertEqual((simulation.amount_before, simulation.amount_after), (18, 36))
        self.assertEqual(str(draft.valid_from), str(fields.Date.today()), "the simulation left the draft as it was")
        self.start_tour("/odoo/channel-rebate-versions", "channel_rebate_approve", login=self.user_manager.login)
        draft.invalidate_recordset()
        self.assertRecordValues(draft, [{"state": "approved", "approved_by_id": self.user_manager.id}])

    def test_accrue_to_settle(self):
        self.start_tour("/odoo/channel-rebate-programmes", "channel_rebate_accrue", login=self.user_finance.login)
        settlement = self.env["channel.settlement"].search([("program_id", "=", self.program.id)])
        self.assertRecordValues(settlement, [{"state": "draft", "amount_total": 18, "member_id": self.dealer.id}])
        self.start_tour("/odoo/channel-settlements", "channel_rebate_settle", login=self.user_manager.login)
        settlement.invalidate_recordset()
        self.assertEqual((settlement.state, settlement.move_id.state), ("approved", "posted"))
        self.assertEqual(self._balance(self.program).open_amount, 0)
        self.assertBooked(self.program, 0)


@tagged("post_install", "-at_install")
class TestProgrammePhone(HttpCase, ChannelRebateCommon):
    """A manager decides about a draft on a phone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_example_and_simulation_on_a_phone(self):
        program = self._program("PHONE", [(0, 2)], name="Phone programme")
        day = date_utils.start_of(fields.Date.today(), "quarter") - timedelta(days=1)
        self._invoice(900, day)
        action = program.with_user(self.user_finance).action_new_version()
        draft = self.env["channel.rebate.program.version"].browse(action["res_id"])
        self.user_manager.password = self.user_manager.login
        self.start_tour(
            f"/odoo/channel-rebate-versions/{draft.id}", "channel_rebate_phone", login=self.user_manager.login
        )
        self.assertRecordValues(draft, [{"state": "approved", "approved_by_id": self.user_manager.id}])
        simulation = self.env["channel.rebate.simulation"].search([("version_id", "=", draft.id)])
        self.assertEqual(simulation.amount_after, 18)
