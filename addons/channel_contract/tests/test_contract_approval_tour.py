from datetime import date

from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractApprovalTour(ChannelContractCommon, HttpCase):
    """On a telephone: drafted, read, submitted and approved, each by whose turn it is."""

    browser_size = "390x844"
    touch_enabled = True

    def test_draft_review_approval(self):
        # cards of other contracts are not what the tour is about
        (self.contract | self.contract_sub | self.contract_west).active = False
        contract = self.env["channel.contract"].with_user(self.user_contract).create(
            {"title": "Pocket agreement", "member_id": self.dealer.id}
        )
        version = self.env["channel.contract.version"].with_user(self.user_contract).create(
            {
                "contract_id": contract.id,
                "purpose": "First terms",
                "valid_from": date(2020, 1, 1),
                "reader_ids": [Command.set(self.user_compliance.ids)],
            }
        )
        steps = [
            ("review", self.user_contract, "review"),
            ("read", self.user_compliance, "draft"),  # the last reader has read it
            ("submit", self.user_contract, "approval"),
            ("approve", self.user_manager, "in_force"),
        ]
        stages = []
        for step, user, _stage in steps:
            self.start_tour("/odoo/channel-contracts", f"channel_contract_pocket_{step}", login=user.login)
            self.env.invalidate_all()
            stages.append((step, user, contract.stage))
        self.assertEqual(stages, steps)
        self.assertRecordValues(
            version,
            [
                {
                    "state": "approved",
                    "approved_by_id": self.user_manager.id,
                    "approval_requested_by_id": self.user_contract.id,
                    "reading_ids": [],
                }
            ],
        )
        entries = self.env["channel.audit.entry"].sudo().search(
            [("model", "=", version._name), ("res_id", "=", version.id), ("action", "=", "approval.approved")]
        )
        self.assertEqual(entries.user_id, self.user_manager)
