from datetime import date

from odoo.tests import tagged

from ..tools.identity import address_key, compared, number_key
from .common import ChannelMemberCommon


@tagged("post_install", "-at_install")
class TestMemberKey(ChannelMemberCommon):
    """Members that share a number, an account, an address or a legal person."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "no_vat_validation": True})
        cls.twin = cls.env["res.partner"].create(cls._channel_member_values("Twin Dealer", cls.region_east))
        cls._channel_activate(cls.twin)
        cls.bank = cls.env["res.partner.bank"]

    def _findings(self, member=None, day=None):
        return [
            finding
            for finding in self._channel_evaluate(member or self.dealer, self.consumable, self.hospital, day=day)
            if finding["code"] == "member_duplicate"
        ]

    def test_normalised(self):
        """Width, case, spaces and punctuation are no difference; "none" is no number."""
        self.assertEqual(compared("上海市　黄浦区，人民路１２号"), compared("上海市黄浦区 人民路12号"))
        self.assertEqual(number_key("6222 0212-3456"), "622202123456")
        for none in ("", None, "/", "N/A", "00000000"):
            self.assertFalse(number_key(none))
        self.assertFalse(address_key(1, "Shanghai", "", None))
        self.assertNotEqual(address_key(1, "Shanghai", "Road 1"), address_key(1, "Beijing", "Road 1"))

    def test_nothing_in_common(self):
        self.assertEqual(self._findings(), [])

    def test_each_sign(self):
        country = self.env.ref("base.nz").id
        for kind, ours, theirs in (
            ("identification number", {"vat": "49-098-576"}, {"vat": "49098576"}),
            (
                "address",
                {"street": "１２ Main St.", "city": "Auckland", "country_id": country},
                {"street": "12 main st", "city": "AUCKLAND", "country_id": country},
            ),
            ("legal person", {"channel_legal_person": "王 伟"}, {"channel_legal_person": "王伟"}),
        ):
            with self.subTest(kind=kind):
                self.dealer.write(ours)
                self.twin.write(theirs)
                finding, = self._findings()
                self.assertEqual(finding["severity"], "warn")
                self.assertIn(kind, finding["message"])
                self.assertIn(self.twin.channel_code, finding["message"])
                self.assertNotIn(self.twin.name, finding["message"], "who orders need not know who else is there")
                self.assertEqual(len(self._findings(self.twin)), 1)
                self.twin.write(dict.fromkeys(theirs, False) | {"country_id": country})
                self.assertEqual(self._findings(), [], "it has changed in the meantime")

    def test_bank_account(self):
        """Accounts of contacts count for their company; archived ones do not; only digests are kept."""
        contact = self.env["res.partner"].create({"name": "Cashier", "parent_id": self.twin.id})
        self.bank.create({"partner_id": self.dealer.id, "acc_number": "6222 0212 3456 7890"})
        account = self.bank.create({"partner_id": contact.id, "acc_number": "6222021234567890"})
        finding, = self._findings()
        self.assertIn("bank account", finding["message"])
        stored = self.env["channel.member.key"].search([("kind", "=", "bank")]).mapped("value")
        self.assertNotIn("6222021234567890", "".join(stored))
        account.active = False
        self.assertEqual(self._findings(), [])
        account.active = True
        self.assertEqual(len(self._findings()), 1)
        account.unlink()
        self.assertEqual(self._findings(), [])

    def test_shell_of_an_excluded_member(self):
        """What was excluded does not come back under another name: judged by its state on the document's day."""
        (self.dealer | self.twin).write({"channel_legal_person": "李四"})
        self.twin._channel_change({"channel_state": "suspended"}, date=date(2026, 2, 1), reason="inspection")
        self.twin._channel_change({"channel_state": "terminated"}, date=date(2026, 3, 1), reason="fraud")
        for day, words in (
            (date(2026, 1, 31), "shares with member"),
            (date(2026, 2, 1), "shares with the suspended member"),
            (date(2026, 3, 1), "shares with the terminated member"),
        ):
            with self.subTest(day=day):
                finding, = self._findings(day=day)
                self.assertIn(words, finding["message"])

    def test_excluded_ones_are_told_first(self):
        """Of many, three are told, and those that were excluded before the others."""
        others = self.env["res.partner"].create([
            self._channel_member_values(f"Other {number}", self.region_west) for number in range(5)
        ])
        others.action_channel_activate()
        (self.dealer | others).write({"channel_legal_person": "张三"})
        others[4].action_channel_terminate(reason="fraud")
        findings = self._findings()
        self.assertEqual(len(findings), 3)
        self.assertIn(others[4].channel_code, findings[0]["message"])

    def test_only_members(self):
        """Suppliers and customers outside of the channel are compared with nobody."""
        stranger = self.env["res.partner"].create({"name": "Stranger", "is_company": True, "vat": "49-098-576"})
        self.dealer.vat = "49-098-576"
        self.assertEqual(self._findings(), [])
        stranger.channel_role = "agent"
        self.assertEqual(len(self._findings()), 1)
        stranger.channel_role = False
        self.assertEqual(self._findings(), [])

    def test_shape(self):
        """One query for any number of members, once nothing has changed."""
        members = self.env["res.partner"].create([
            self._channel_member_values(f"Many {number}", self.region_east, channel_legal_person=f"P{number // 3}")
            for number in range(60)
        ])
        keys = self.env["channel.member.key"]
        asks = [(member.id, date(2026, 1, 1)) for member in members]
        self.assertEqual(len(keys._twins(asks)), 60)

        def count(number):
            start = self.env.cr.sql_log_count
            keys._twins(asks[:number])
            return self.env.cr.sql_log_count - start

        self.assertEqual((count(3), count(60)), (1, 1))

    def test_refresh_finds_what_went_by(self):
        """Keys made from nothing, as after an import past the ORM, equal those that were kept in step."""
        (self.dealer | self.twin).write({"channel_legal_person": "王五", "vat": "49-098-576", "street": "Road 1"})
        keys = self.env["channel.member.key"]
        keys._refresh_pending()

        def rows():
            return sorted((key.partner_id.id, key.kind, key.value) for key in keys.search([]))

        kept = rows()
        self.assertTrue(kept)
        self.env.cr.execute("DELETE FROM channel_member_key")
        keys.invalidate_model(flush=False)
        keys.sudo()._refresh()
        self.assertEqual(rows(), kept)
