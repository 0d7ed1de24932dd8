from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestMemberMerge(ChannelMemberCommon):
    """Two contacts turn out to be one company."""

    def _merge(self, partners, into=None):
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(partners.ids, into, extra_checks=False)

    def test_an_admitted_member_is_merged_into_no_other(self):
        with self.assertRaisesRegex(UserError, "Terminate it"):
            self._merge(self.dealer + self.other_dealer, self.dealer)
        self.assertTrue(self.other_dealer.exists())

    def test_a_contact_is_merged_into_a_member(self):
        contact = self.env["res.partner"].create({"name": "Test Dealer, written otherwise", "is_company": True})
        self._merge(self.dealer + contact)
        self.assertFalse(contact.exists())
        self.assertEqual(self.dealer.channel_state, "active")
