from datetime import date

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ChannelPricingCommon


@tagged("post_install", "-at_install")
class TestPriceSeverity(ChannelPricingCommon):
    """A company says how severe the quality checks of its price tables are."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Second Company"})
        cls._channel_rule(90, segment=cls.segment_dealer)
        cls._channel_rule(80, segment=cls.segment_dealer)

    def _severity(self, code, severity, company=None):
        return self.env["channel.price.severity"].with_user(self.user_manager).create(
            {"code": code, "severity": severity, "company_id": (company or self.company).id}
        )

    def _overlap(self, company=None):
        quality = self.env["channel.price.quality"].with_company(company or self.company)
        return quality._run(self.table).filtered(lambda issue: issue.code == "overlap")

    def test_as_the_check_says_where_the_company_says_nothing(self):
        self.assertEqual(self._overlap().severity, "block")

    def test_milder_in_one_company_only(self):
        self._severity("overlap", "warn")
        self.assertEqual(self._overlap().severity, "warn")
        self.assertEqual(self._overlap(self.other_company).severity, "block")

    def test_turned_off(self):
        self._severity("overlap", "off")
        self.assertFalse(self._overlap())

    def test_stricter_stops_the_approval(self):
        version = self._channel_price_version(date(2099, 1, 1), approve=False)
        self.env["channel.price.severity"].create({"code": "overlap", "severity": "warn"})
        self.device.standard_price = 1000
        own = self._severity("below_cost", "warn")
        version.with_user(self.user_manager).action_approve()
        stricter = self._channel_price_version(date(2099, 2, 1), approve=False)
        own.severity = "block"
        with self.assertRaisesRegex(UserError, "cannot be approved"):
            stricter.with_user(self.user_manager).action_approve()

    def test_who_weakens_a_check_is_in_the_journal(self):
        row = self._severity("below_floor", "warn")
        row.severity = "off"
        row.severity = "off"
        row.unlink()
        entries = self.env["channel.audit.entry"].search([("action", "=", "price.severity")], order="id")
        self.assertEqual(len(entries), 3)
        for payload, words in zip(entries.mapped("payload"), ('"block"', '"off"', '"off"'), strict=True):
            self.assertIn(words, payload)
            self.assertIn("below_floor", payload)

    @mute_logger("odoo.sql_db")
    def test_once_for_a_company(self):
        self._severity("gap", "off")
        with self.assertRaises(IntegrityError):
            self._severity("gap", "warn")

    def test_managers_decide_and_pricing_reads(self):
        row = self._severity("gap", "off")
        self.assertEqual(row.with_user(self.user_pricing).severity, "off")
        with self.assertRaises(AccessError):
            row.with_user(self.user_pricing).severity = "warn"
        foreign = self.env["channel.price.severity"].create(
            {"code": "gap", "severity": "off", "company_id": self.other_company.id}
        )
        with self.assertRaises(AccessError):
            foreign.with_user(self.user_manager).severity = "warn"
