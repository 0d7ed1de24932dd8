from odoo.tests import HttpCase, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractDiscussionTour(ChannelContractCommon, HttpCase):
    """On a telephone: the dealer reads a shared draft and comments on a clause, the owner answers."""

    browser_size = "390x844"
    touch_enabled = True

    def test_dealer_comments_and_owner_answers(self):
        # the only one, so that the first link of the list is it
        (self.contract | self.contract_sub | self.contract_west).active = False
        contract = self._channel_contract(
            self.dealer,
            approve=False,
            contract_values={"title": "Distribution of implants", "user_id": self.user_contract.id},
            lang="en_US",
            clause_ids=self._channel_clause_commands("Prices", "Quality"),
        )
        version = contract.version_ids
        version.with_user(self.user_contract).action_share()
        self.start_tour("/my/channel/contracts", "channel_contract_read_and_comment", login="channel_portal")
        comment = version.comment_ids
        self.assertRecordValues(
            comment,
            [
                {
                    "body": "The prices are too high.",
                    "side": "member",
                    "line_id": version.clause_ids[0].id,
                    "author_id": self.user_portal.partner_id.id,
                }
            ],
        )
        self.start_tour("/odoo/channel-contract-comments", "channel_contract_answer", login=self.user_contract.login)
        self.assertRecordValues(
            comment.reply_ids,
            [{"body": "We take 2 % off.", "side": "company", "author_id": self.user_contract.partner_id.id}],
        )
        self.assertTrue(comment.resolved)
