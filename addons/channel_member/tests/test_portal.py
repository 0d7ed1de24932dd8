import base64

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestPortal(ChannelMemberCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user_portal_west = new_test_user(
            cls.env, login="channel_portal_west", groups="base.group_portal", company_id=cls.company.id,
            partner_id=cls.env["res.partner"].create({"name": "Buyer West", "parent_id": cls.other_dealer.id}).id,
        )
        cls.with_file = cls._channel_qualification(
            cls.dealer, verify=False, document=base64.b64encode(b"%PDF-1.4 licence of the dealer"),
            document_name="licence.pdf",
        )
        cls.draft = cls._channel_authorization(cls.dealer, cls.region_east, approve=False)

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_two_dealers(self):
        """Each sees its own documents and authorizations, reads them, and changes nothing."""
        for user, own, foreign in (
            (self.user_portal, self.dealer, self.other_dealer),
            (self.user_portal_west, self.other_dealer, self.dealer),
        ):
            for model in ("channel.qualification", "channel.authorization"):
                records = self.env[model].with_user(user)
                with self.subTest(user=user.login, model=model):
                    self.assertEqual(records.search([]).partner_id, own)
                    theirs = self.env[model].search([("partner_id", "=", foreign.id)])
                    self.assertTrue(theirs)
                    with self.assertRaises(AccessError):
                        theirs.with_user(user).read(["number"])
                    mine = records.search([])
                    self.assertTrue(mine.read(["number", "status"]))
                    for refused in (
                        lambda mine=mine: mine.write({"note": "x"}),
                        lambda mine=mine: mine.unlink(),
                        lambda mine=mine: mine[0].copy(),
                        lambda records=records, foreign=foreign: records.create({"partner_id": foreign.id}),
                    ):
                        with self.assertRaises(UserError):
                            refused()

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_decisions_are_closed(self):
        for call in (
            lambda: self.with_file.with_user(self.user_portal).action_verify(),
            lambda: self.dealer.with_user(self.user_portal).action_channel_activate(),
            lambda: self.licence.with_user(self.user_portal).action_revoke(reason="x"),
            lambda: self.authorization.with_user(self.user_portal).action_revoke(reason="x"),
        ):
            with self.assertRaises(AccessError):
                call()

    def test_drafts_of_authorizations_are_hidden(self):
        self.assertNotIn(
            self.draft.id, self.env["channel.authorization"].with_user(self.user_portal).search([]).ids
        )

    # === PAGES === #

    def test_pages(self):
        self.authenticate("channel_portal", "channel_portal")
        page = self.url_open("/my/channel/qualifications")
        self.assertEqual(page.status_code, 200)
        self.assertIn(self.licence.number, page.text)
        self.assertIn("licence.pdf", page.text)
        self.assertNotIn(f"LIC-{self.other_dealer.id}<", page.text)
        page = self.url_open("/my/channel/authorizations")
        self.assertIn(self.authorization.number, page.text)
        self.assertNotIn(self.draft.number, page.text)
        self.assertNotIn(self.authorization_west.number, page.text)
        page = self.url_open(f"/my/channel/authorizations/{self.authorization.id}")
        self.assertIn("Test East", page.text)
        page = self.url_open(f"/my/channel/authorizations/{self.authorization.id}?report_type=html")
        self.assertIn("Letter of Authorization", page.text)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_foreign_pages(self):
        self.authenticate("channel_portal", "channel_portal")
        page = self.url_open(f"/my/channel/authorizations/{self.authorization_west.id}")
        self.assertTrue(page.url.endswith("/my"))
        self.assertNotIn(self.authorization_west.number, page.text)

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.http")
    def test_files(self):
        url = f"/web/content/channel.qualification/{self.with_file.id}/document"
        self.authenticate("channel_portal", "channel_portal")
        self.assertEqual(self.url_open(url).content, b"%PDF-1.4 licence of the dealer")
        self.authenticate("channel_portal_west", "channel_portal_west")
        self.assertNotIn(b"licence of the dealer", self.url_open(url).content)

    def test_counters(self):
        self.authenticate("channel_portal", "channel_portal")
        self.assertIn("/my/channel/qualifications", self.url_open("/my").text)
        counters = self.make_jsonrpc_request(
            "/my/counters", {"counters": ["channel_qualification_count", "channel_authorization_count"]}
        )
        self.assertEqual(counters["channel_qualification_count"], 2)
        self.assertEqual(counters["channel_authorization_count"], 1)
