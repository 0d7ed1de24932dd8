from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import freeze_time, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractConditions(ChannelContractCommon):
    """Credit, quality, service levels, commitments and what a type starts with."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.member = cls.env["res.partner"].create(cls._channel_member_values("Test New Dealer", cls.region_city))
        cls.type = cls.env.ref("channel_contract.contract_type_distribution")

    def test_first_version_starts_with_the_terms_of_its_type(self):
        self.type.write({"term_months": 12, "renewal": "automatic", "renewal_months": 6, "notice_days": 60})
        contract = self.env["channel.contract"].create({"title": "New", "member_id": self.member.id})
        with freeze_time("2026-02-10 12:00:00"):
            contract.action_new_version()
        self.assertRecordValues(
            contract.version_ids,
            [
                {
                    "valid_from": date(2026, 2, 10),
                    "valid_to": date(2027, 2, 9),
                    "renewal": "automatic",
                    "renewal_months": 6,
                    "notice_days": 60,
                }
            ],
        )

    def test_type_is_given_by_its_code_too(self):
        contract = self.env["channel.contract"].create(
            {"title": "New", "member_id": self.member.id, "contract_type": "agency"}
        )
        self.assertEqual(contract.type_id, self.env.ref("channel_contract.contract_type_agency"))
        contract.contract_type = "service"
        self.assertEqual(contract.type_id, self.env.ref("channel_contract.contract_type_service"))
        with self.assertRaisesRegex(ValidationError, "distribution"):
            contract.contract_type = "unknown"

    def test_quality_responsibility_is_agreed_where_the_type_asks(self):
        self.type.quality_required = True
        version = self._channel_contract(self.member, approve=False).version_ids
        with self.assertRaisesRegex(UserError, "quality"):
            version.with_user(self.user_manager).action_approve()
        version.quality_form = "agreement"
        with self.assertRaisesRegex(UserError, "Quality Agreement"):
            version.with_user(self.user_manager).action_approve()
        version.document_ids = self.env["ir.attachment"].create(
            {"name": "quality.pdf", "raw": b"x", "channel_contract_kind": "quality"}
        )
        version.with_user(self.user_manager).action_approve()
        self.assertEqual(version.state, "approved")
        with self.assertRaises(UserError):
            version.document_ids.channel_contract_kind = "annex"

    def test_these_terms_are_locked_compared_and_copied(self):
        contract = self._channel_contract(
            self.member,
            has_credit_limit=True,
            credit_limit=1000,
            service_level_ids=[Command.create({"name": "Delivery", "target": 5, "unit": "working days"})],
            commitment_ids=[
                Command.create(
                    {
                        "name": "Volume of the award",
                        "measure": "quantity",
                        "quantity": 40,
                        "period": "half",
                        "anchor": "contract",
                        "customer_id": self.hospital.id,
                        "product_tmpl_ids": [Command.link(self.device.product_tmpl_id.id)],
                        "is_tender_volume": True,
                        "award_reference": "HQ-2026-1",
                    }
                )
            ],
        )
        version = contract.version_ids
        for write in (
            lambda: version.write({"credit_limit": 5}),
            lambda: version.write({"quality_form": "clause"}),
            lambda: version.service_level_ids.write({"target": 9}),
            lambda: version.commitment_ids.write({"quantity": 1}),
            lambda: version.commitment_ids.write({"product_tmpl_ids": [Command.clear()]}),
        ):
            with self.assertRaises(UserError):
                write()
        draft = self.env["channel.contract.version"].browse(contract.action_new_version()["res_id"])
        self.assertEqual(draft.commitment_ids.product_tmpl_ids, self.device.product_tmpl_id)
        self.assertFalse([change for change in draft.difference() if not change["path"].startswith("valid_")])
        draft.service_level_ids.target = 3
        draft.credit_limit = 2000
        self.assertEqual(
            {change["path"]: (change["before"], change["after"]) for change in draft.difference()}.items()
            & {("credit_limit", (1000.0, 2000.0)), ("service_level_ids[Delivery].target", (5.0, 3.0))},
            {("credit_limit", (1000.0, 2000.0)), ("service_level_ids[Delivery].target", (5.0, 3.0))},
        )

    def test_commitments_are_above_zero_in_what_they_measure(self):
        for values in (
            {"measure": "amount", "amount": 0, "quantity": 5},
            {"measure": "quantity", "amount": 5, "quantity": 0},
            {"measure": "quantity", "quantity": -1},
        ):
            with self.subTest(values), self.assertRaisesRegex(ValidationError, "Stents"):
                self._channel_contract(self.member, commitment_ids=[Command.create({"name": "Stents", **values})])

    def test_dealer_reads_the_own_service_levels_only(self):
        level = [Command.create({"name": "Delivery", "target": 5, "unit": "working days"})]
        own = self._channel_contract(self.dealer, service_level_ids=level).version_ids.service_level_ids
        foreign = self._channel_contract(self.other_dealer, service_level_ids=level).version_ids.service_level_ids
        draft = self._channel_contract(self.dealer, approve=False, service_level_ids=level)
        user = self.user_portal
        self.assertEqual(self.env["channel.contract.service.level"].with_user(user).search([]), own)
        for levels in (foreign, draft.version_ids.service_level_ids):
            with self.assertRaises(AccessError):
                levels.with_user(user).read(["name"])
        with self.assertRaises(AccessError):
            foreign.with_user(self.user_sales).read(["name"])
