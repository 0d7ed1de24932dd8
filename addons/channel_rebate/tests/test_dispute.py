import re
from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, tagged

from .common import ChannelRebateCommon

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF"


class ChannelDisputeCommon(ChannelRebateCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._program("APP", [(0, 10)], name="Volume rebate")
        cls.program.user_id = cls.user_finance
        cls._invoice([600, 400], "2026-01-10")
        cls._invoice(3000, "2026-01-10", member=cls.other_dealer)
        cls.program.accrue("2026-03-31")
        Balance = cls.env["channel.rebate.balance"]
        cls.own = Balance.search([("program_id", "=", cls.program.id), ("member_id", "=", cls.dealer.id)])
        cls.foreign = Balance.search([("program_id", "=", cls.program.id), ("member_id", "=", cls.other_dealer.id)])

    def _submit(self, user=None, external_id=None, **values):
        answer = self.env["channel.dispute"].with_user(user or self.user_portal).submit({
            "balance_id": self.own.id, "reason": "line_missing", "description": "Invoice 17 is missing.",
            "claimed_amount": 40, **values,
        }, external_id)
        return self.env["channel.dispute"].search([("name", "=", answer["reference"])])


@tagged("post_install", "-at_install")
class TestDispute(ChannelDisputeCommon):
    """A payee appeals; the amount is on hold until somebody else decides; what is granted becomes a correction."""

    def test_submitted_held_and_answered(self):
        with freeze_time("2026-04-10"):
            dispute = self._submit()
        self.assertRecordValues(dispute, [{
            "state": "submitted", "source": "portal", "member_id": self.dealer.id, "held_amount": 40,
            "user_id": self.user_finance.id, "due_date": date(2026, 4, 25), "author_id": self.user_portal.id,
        }])
        settlement = self.env["channel.settlement"].browse(
            self.program.propose_settlements("2026-03-31", member_ids=self.dealer.ids)
        )
        self.assertEqual(settlement.amount_total, 60)
        self.assertEqual(dispute.activity_ids.user_id, self.user_finance)

    def test_upheld_becomes_a_correction(self):
        dispute = self._submit()
        finance = dispute.with_user(self.user_finance)
        finance.action_review()
        finance.decision = "Invoice 17 was posted to another company."
        finance.action_grant()
        self.assertEqual((dispute.state, dispute.granted_amount, dispute.held_amount), ("upheld", 40, 0))
        correction = dispute.correction_id
        self.assertRecordValues(correction, [{
            "balance_id": self.own.id, "amount": 40, "origin": dispute.name, "state": "draft",
            "reason": "Invoice 17 was posted to another company.",
        }])
        self.assertEqual(self.own.entitled_amount, 100)
        correction.with_user(self.user_manager).action_approve()
        self.assertEqual((self.own.entitlement, self.own.entitled_amount, self.own.open_amount), (100, 140, 140))
        self.assertTrue(self.env["channel.dispute"].with_user(self.user_portal).status(dispute.name)["corrected"])

    def test_upheld_in_part(self):
        dispute = self._submit().with_user(self.user_finance)
        dispute.write({"granted_amount": 25, "decision": "A part of it."})
        dispute.action_grant()
        self.assertEqual((dispute.state, dispute.correction_id.amount), ("partly", 25))

    def test_rejected_releases_what_was_held(self):
        dispute = self._submit().with_user(self.user_finance)
        dispute.decision = "The invoice was cancelled."
        dispute.action_reject()
        self.assertEqual((dispute.state, dispute.held_amount), ("rejected", 0))
        self.assertFalse(dispute.correction_id)
        self.assertFalse(dispute.activity_ids)
        self.assertIn("The invoice was cancelled.", dispute.message_ids[0].body)

    def test_withdrawn(self):
        dispute = self._submit()
        dispute._withdraw()
        self.assertEqual((dispute.state, dispute.held_amount), ("withdrawn", 0))
        with self.assertRaisesRegex(UserError, "decided already"):
            dispute._withdraw()

    def test_a_decision_says_why(self):
        dispute = self._submit().with_user(self.user_finance)
        with self.assertRaisesRegex(UserError, "say why"):
            dispute.action_reject()

    def test_the_author_does_not_decide(self):
        dispute = self._submit(user=self.user_finance).with_user(self.user_finance)
        dispute.decision = "Mine."
        with self.assertRaisesRegex(UserError, "somebody else"):
            dispute.action_grant()
        dispute.with_user(self.user_manager).action_grant()
        self.assertEqual(dispute.state, "upheld")

    def test_what_is_decided_stays(self):
        dispute = self._submit().with_user(self.user_finance)
        dispute.decision = "No."
        dispute.action_reject()
        for values in ({"decision": "Yes"}, {"granted_amount": 5}):
            with self.assertRaisesRegex(UserError, "stays as it is"):
                dispute.write(values)
        with self.assertRaisesRegex(UserError, "decided already"):
            dispute.action_grant()

    def test_no_more_is_held_than_is_open(self):
        self.assertEqual(self._submit(claimed_amount=5000).held_amount, 100)

    def test_the_line_stays_in_words(self):
        entry = self.own._entries()[:1]
        dispute = self._submit(entry_id=entry.id, reason="line_wrong")
        self.assertTrue(dispute.line_text)
        with self.assertRaises(ValidationError):
            dispute.sudo().entry_id = self.foreign._entries()[:1]

    def test_overdue_raises_an_alert_until_it_is_decided(self):
        with freeze_time("2026-04-10"):
            dispute = self._submit()
        Alert = self.env["channel.alert"]
        domain = [("res_model", "=", "channel.dispute"), ("res_id", "=", dispute.id)]
        with freeze_time("2026-04-25"):
            self.env["channel.dispute"]._cron_overdue()
            self.assertFalse(Alert.search(domain), "the last day is not overdue")
        with freeze_time("2026-04-26"):
            self.env["channel.dispute"]._cron_overdue()
            self.assertTrue(Alert.search(domain))
            self.assertTrue(dispute.is_overdue)
            dispute.with_user(self.user_finance).decision = "No."
            dispute.with_user(self.user_finance).action_reject()
        self.assertNotIn("open", Alert.search(domain).mapped("state"))

    # === API === #

    def test_sent_twice_it_is_made_once(self):
        first = self._submit(external_id="ERP-7")
        self.assertEqual(self._submit(external_id="ERP-7", description="", reason="?"), first)
        status = self.env["channel.dispute"].with_user(self.user_portal).status("ERP-7")
        self.assertEqual((status["state"], status["claimed"], status["on_hold"]), ("submitted", 40, 40))

    def test_everything_that_is_wrong_is_said_at_once(self):
        with self.assertRaises(ValidationError) as catcher:
            self._submit(reason="colour", description=" ", claimed_amount="much", colour="red", entry_id="x")
        for words in ("reason", "description", "claimed_amount", "colour", "entry_id"):
            self.assertIn(words, str(catcher.exception))
        self.assertFalse(self.env["channel.dispute"].search([("member_id", "=", self.dealer.id)]))

    def test_a_dealer_appeals_for_the_own_company_only(self):
        with self.assertRaisesRegex(ValidationError, "balance_id"):
            self._submit(balance_id=self.foreign.id)
        west = self._submit(user=self.user_manager, balance_id=self.foreign.id)
        with self.assertRaisesRegex(ValidationError, "no appeal"):
            self.env["channel.dispute"].with_user(self.user_portal).status(west.name)
        with self.assertRaises(AccessError):
            west.with_user(self.user_portal).read(["description"])
        with self.assertRaises(AccessError):
            self._submit().with_user(self.user_portal).write({"claimed_amount": 5000})
        with self.assertRaisesRegex(ValidationError, "balance_id"):
            self._submit(user=self.user_internal)


@tagged("post_install", "-at_install")
class TestDisputePortal(ChannelDisputeCommon, HttpCase):
    def setUp(self):
        super().setUp()
        self.authenticate("channel_portal", "channel_portal")

    def _post(self, balance=None, files=None, **values):
        url = f"/my/channel/rebates/{(balance or self.own).id}/appeal"
        page = self.url_open(url)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        return self.url_open(url, files=files, data={
            "csrf_token": token and token.group(1), "reason": "tier", "description": "The tier is 12 %.",
            "claimed_amount": "20,50", **values,
        })

    def test_appeal_and_see_what_becomes_of_it(self):
        url = f"/my/channel/rebates/{self.own.id}"
        self.assertIn(f"{url}/appeal", self.url_open(url).text)
        page = self._post(files=[("files", ("contract.pdf", PDF))])
        self.assertIn("We have received your appeal", page.text)
        self.assertIn("contract.pdf", page.text)
        dispute = self.env["channel.dispute"].search([("member_id", "=", self.dealer.id)])
        self.assertRecordValues(dispute, [
            {"reason": "tier", "claimed_amount": 20.5, "source": "portal", "description": "The tier is 12 %."}
        ])
        self.assertIn(dispute.name, self.url_open("/my/channel/appeals").text)
        finance = dispute.with_user(self.user_finance)
        finance.decision = "The contract says 10 %."
        finance.action_reject()
        self.assertIn("The contract says 10 %.", self.url_open(f"/my/channel/appeals/{dispute.id}").text)

    def test_a_line_is_named(self):
        entry = self.own._entries()[:1]
        self._post(entry_id=str(entry.id))
        self.assertEqual(self.env["channel.dispute"].search([("member_id", "=", self.dealer.id)]).entry_id, entry)

    def test_what_is_wrong_is_said_and_what_was_filled_in_stays(self):
        page = self._post(claimed_amount="much")
        self.assertIn("claimed_amount", page.text)
        self.assertIn("The tier is 12 %.", page.text)
        page = self._post(files=[("files", ("x.exe", b"MZ" + bytes(50)))])
        self.assertIn("accepted are", page.text)
        self.assertFalse(self.env["channel.dispute"].search([("member_id", "=", self.dealer.id)]))

    def test_withdraw(self):
        page = self._post()
        dispute = self.env["channel.dispute"].search([("member_id", "=", self.dealer.id)])
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text).group(1)
        page = self.url_open(f"/my/channel/appeals/{dispute.id}/withdraw", data={"csrf_token": token})
        self.assertEqual(dispute.state, "withdrawn")
        self.assertIn("Withdrawn", page.text)

    def test_appeals_of_others_lead_back(self):
        west = self._submit(user=self.user_manager, balance_id=self.foreign.id)
        page = self.url_open(f"/my/channel/appeals/{west.id}")
        self.assertEqual(page.url.rstrip("/").rsplit("/", 1)[-1], "appeals")
        self.assertNotIn(west.name, page.text)
        page = self.url_open(f"/my/channel/rebates/{self.foreign.id}/appeal")
        self.assertNotIn("o_channel_dispute_form", page.text)
