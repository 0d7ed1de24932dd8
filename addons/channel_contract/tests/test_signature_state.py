from datetime import date

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from odoo.addons.channel_contract.tools.signature import SIGNER

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-06-15 12:00:00")
class TestSignatureState(ChannelContractCommon):
    """An approved version whose contract asks for signatures is not in force before it is signed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.contract.version_ids
        cls.contract.signature_required = True
        cls.second = cls._channel_version(cls.contract, valid_from=date(2026, 6, 1))

    def _in_force(self, day, member=None):
        member = member or self.dealer
        return self.env["channel.contract"]._versions_in_force([(member.id, self.company.id, day)])[0]

    def _sign(self, version):
        version._make_room()
        SIGNER.open(version).write({"signature_state": "signed"})

    def test_what_was_approved_before_keeps_what_held_then(self):
        self.assertEqual(self.first.signature_state, "none")
        self.assertEqual(self.second.signature_state, "pending")

    def test_the_version_before_goes_on_until_the_next_one_is_signed(self):
        self.assertEqual(self._in_force(date(2026, 6, 15)), self.first)
        self.assertFalse(self.first.valid_to)
        self.assertEqual(self.contract._version_at(date(2026, 6, 15)), self.first)
        self.assertEqual(self.contract.terms_at("2026-06-15")["version"], 1)
        self._sign(self.second)
        self.assertEqual(self._in_force(date(2026, 6, 15)), self.second)
        self.assertEqual(self._in_force(date(2026, 5, 31)), self.first)
        self.assertEqual(self.first.valid_to, date(2026, 5, 31))
        self.assertEqual(self.contract.terms_at("2026-06-15")["version"], 2)

    def test_a_first_version_that_is_not_signed_is_none(self):
        member = self.env["res.partner"].create(self._channel_member_values("Test New Dealer", self.region_city))
        contract = self._channel_contract(member, contract_values={"signature_required": True})
        self.assertFalse(self._in_force(date(2026, 6, 15), member))
        self.assertEqual((contract.state, contract.version_ids.timeline), ("draft", "unsigned"))
        self.assertFalse(self.env["channel.contract"].search([("id", "=", contract.id), ("state", "=", "in_force")]))
        self.assertIn("contract_in_force", self._channel_codes(member, customer=self.hospital))
        self._sign(contract.version_ids)
        self.assertNotIn("contract_in_force", self._channel_codes(member, customer=self.hospital))
        self.assertEqual(self._in_force(date(2026, 6, 15), member), contract.version_ids)
        self.assertEqual((contract.state, contract.version_ids.timeline), ("in_force", "in_force"))

    def test_authorizations_wait_for_the_signature_of_what_they_rest_on(self):
        authorization = self._channel_authorization(
            self.dealer, self.region_west, contract_version_id=self.second.id, date_from=date(2026, 1, 1)
        )
        line = {
            "member_id": self.dealer.id,
            "customer_id": self.env["res.partner"]
            .create(self._channel_hospital_values("Hospital in the West", self.region_west))
            .id,
            "product_id": self.device.id,
            "date": date(2026, 6, 15),
            "company_id": self.company.id,
        }

        def covering(**values):
            return self.env["channel.authorization"]._match_lines([{**line, **values}])[0].covering

        self.assertNotIn(authorization, covering())
        self.assertEqual(authorization.status, "future")
        self.assertIn(authorization, authorization.search([("status", "=", "future")]))
        self._sign(self.second)
        self.assertIn(authorization, covering())
        self.assertNotIn(authorization, covering(date=date(2026, 5, 31)))
        authorization.invalidate_recordset(["status"])
        self.assertEqual(authorization.status, "valid")
        self.assertIn(authorization, authorization.search([("status", "=", "valid")]))

    def test_the_state_is_not_written_by_hand(self):
        for state in ("signed", "none", False):
            with self.subTest(state), self.assertRaises(UserError):
                self.second.write({"signature_state": state})
        with self.assertRaises(UserError):
            self.second.with_context(channel_contract_signer=True).write({"signature_state": "signed"})
        with self.assertRaises(UserError):
            self.env["channel.contract.version"].create(
                {"contract_id": self.contract.id, "valid_from": date(2027, 1, 1), "signature_state": "signed"}
            )

    def test_in_force_is_one_query_for_any_number_of_questions(self):
        days = [date(2026, 1 + number % 12, 1) for number in range(100)]

        def queries(number):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.env["channel.contract"]._versions_in_force(
                [(self.dealer.id, self.company.id, day) for day in days[:number]]
            )
            return self.env.cr.sql_log_count - start

        queries(1)  # what is cached is cached
        self.assertEqual(queries(100), queries(10))
