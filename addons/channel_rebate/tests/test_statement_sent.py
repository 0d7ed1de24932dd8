import re

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import ChannelRebateCommon

PERIOD = ["2026-01-01", "2026-03-31"]


class ChannelStatementCommon(ChannelRebateCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = cls._program("STM", [(0, 10)], name="Volume rebate")
        cls._invoice([600, 400], "2026-01-10")
        cls._invoice(3000, "2026-01-10", member=cls.other_dealer)
        cls.program.accrue("2026-03-31")

    def _make(self, member=None):
        Statement = self.env["channel.rebate.statement"]
        return Statement.browse(Statement.with_user(self.user_finance).make((member or self.dealer).ids, PERIOD))

    def _correct(self, amount):
        correction = self.env["channel.rebate.correction"].with_user(self.user_finance).create(
            {"balance_id": self._balance(self.program).id, "amount": amount, "reason": "Agreed"}
        )
        correction.with_user(self.user_manager).action_approve()


@tagged("post_install", "-at_install")
class TestStatementSent(ChannelStatementCommon):
    """The figures of a statement are frozen when it is made; a newer one takes its place and the old one stays."""

    def test_figures_are_frozen(self):
        statement = self._make()
        self.assertRecordValues(statement, [{"member_id": self.dealer.id, "state": "draft"}])
        self.assertIn("100", statement.open_text)
        self._invoice(500, "2026-03-01")
        self.program.accrue("2026-03-31")
        self.assertEqual(statement.content["programs"][0]["open"], 100)
        self.assertEqual(
            [(row["what"], row["before"], row["after"]) for row in statement.compare()],
            [("entitlement", 100, 150), ("open", 100, 150)],
        )
        self.assertEqual(statement.replay(), [])
        with self.assertRaisesRegex(UserError, "frozen"):
            statement.content = {}

    def test_the_same_figures_make_no_second_statement(self):
        self.assertEqual(self._make(), self._make())

    def test_a_newer_one_takes_the_place(self):
        first = self._make()
        self._correct(25)
        second = self._make()
        self.assertEqual((first.state, second.state, second.previous_id), ("replaced", "draft", first))
        self.assertEqual(first.content["programs"][0]["open"], 100)
        self.assertEqual(second.content["programs"][0]["open"], 125)
        self.assertEqual(second.replay(), [])

    def test_every_cent_is_replayed_after_settlement_return_and_correction(self):
        self._settle(self.program, "2026-03-31")
        self._correct(-7.31)
        self._invoice(133.33, "2026-03-20", refund=True)
        self.program.accrue("2026-03-31")
        statement = self._make()
        self.assertEqual(statement.replay(), [])
        self.assertEqual(statement.compare(), [])

    def test_changed_figures_are_found_out(self):
        statement = self._make()
        self.env.cr.execute(
            "UPDATE channel_rebate_statement SET content = jsonb_set(content, '{programs,0,balances,0,open}', '90')"
            " WHERE id = %s", (statement.id,)
        )
        statement.invalidate_recordset()
        problems = statement.replay()
        self.assertEqual(len(problems), 2)
        self.assertIn("not those that were frozen", problems[0])

    @mute_logger("odoo.sql_db")
    def test_one_stands_for_a_payee_and_period(self):
        statement = self._make()
        with self.assertRaises(IntegrityError):
            self.env["channel.rebate.statement"].create({
                "member_id": self.dealer.id, "company_id": statement.company_id.id, "date_from": PERIOD[0],
                "date_to": PERIOD[1], "content": {"programs": []}, "digest": "x",
            })

    def test_sent_with_files_and_answered(self):
        statement = self._make()
        statement.with_user(self.user_finance).action_send()
        self.assertEqual(statement.state, "sent")
        message = statement.message_ids[0]
        names = message.attachment_ids.mapped("name")
        self.assertEqual(sorted(name.rsplit(".", 1)[1] for name in names), ["pdf", "xlsx"])
        self.assertIn(f"/my/channel/statements/{statement.id}", message.body)
        with self.assertRaisesRegex(UserError, "it stays"):
            statement.unlink()
        statement.with_user(self.user_portal).sudo()._confirm("192.0.2.7")
        self.assertRecordValues(statement, [
            {"state": "confirmed", "answered_by_id": self.user_portal.id, "answered_from": "192.0.2.7"}
        ])
        with self.assertRaisesRegex(UserError, "not waiting"):
            statement._confirm()
        actions = self.env["channel.audit.entry"].search(
            [("model", "=", statement._name), ("res_id", "=", statement.id)], order="id"
        ).mapped("action")
        self.assertEqual(
            actions, ["rebate_statement.made", "rebate_statement.sent", "rebate_statement.confirmed"]
        )

    def test_in_batch(self):
        batch = self.env["channel.rebate.statement.batch"].with_user(self.user_finance).create({
            "date_from": PERIOD[0], "date_to": PERIOD[1], "send": True,
        })
        action = batch.action_make()
        statements = self.env["channel.rebate.statement"].search(action["domain"])
        self.assertEqual(statements.member_id, self.dealer | self.other_dealer)
        self.assertEqual(set(statements.mapped("state")), {"sent"})

    def test_who_makes_and_who_reads(self):
        statement = self._make()
        with self.assertRaises(AccessError):
            self.env["channel.rebate.statement"].with_user(self.user_sales).make(self.dealer.ids, PERIOD)
        self.assertTrue(statement.with_user(self.user_manager).name)
        with self.assertRaises(AccessError):
            statement.with_user(self.user_portal).read(["content"])  # a draft
        statement.with_user(self.user_finance).action_send()
        self.assertTrue(statement.with_user(self.user_portal).content)
        foreign = self._make(self.other_dealer)
        foreign.with_user(self.user_finance).action_send()
        with self.assertRaises(AccessError):
            foreign.with_user(self.user_portal).read(["content"])


@tagged("post_install", "-at_install")
class TestStatementPortal(ChannelStatementCommon, HttpCase):
    def setUp(self):
        super().setUp()
        self.statement = self._make()
        self.statement.with_user(self.user_finance).action_send()
        self.authenticate("channel_portal", "channel_portal")

    def _answer(self, **values):
        url = f"/my/channel/statements/{self.statement.id}"
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.url_open(url).text).group(1)
        return self.url_open(f"{url}/answer", data={"csrf_token": token, **values})

    def test_read_and_confirm(self):
        page = self.url_open("/my/channel/statements")
        self.assertIn(self.statement.name, page.text)
        page = self._answer(answer="confirm")
        self.assertIn("Confirmed", page.text)
        self.assertEqual((self.statement.state, self.statement.answered_by_id), ("confirmed", self.user_portal))
        self.assertTrue(self.statement.answered_from)

    def test_dispute_says_what(self):
        page = self._answer(answer="dispute", words=" ")
        self.assertIn("Say what is wrong", page.text)
        self.assertEqual(self.statement.state, "sent")
        self._answer(answer="dispute", words="Invoice 17 is missing.")
        self.assertRecordValues(self.statement, [{"state": "disputed", "answer": "Invoice 17 is missing."}])
        self.assertTrue(self.statement.activity_ids)

    def test_file_is_the_frozen_one(self):
        page = self.url_open(f"/my/channel/statements/{self.statement.id}/file.xlsx")
        self.assertEqual(page.content[:2], b"PK")

    def test_statements_of_others_lead_back(self):
        foreign = self._make(self.other_dealer)
        foreign.with_user(self.user_finance).action_send()
        page = self.url_open(f"/my/channel/statements/{foreign.id}")
        self.assertNotIn(foreign.name, page.text)
        page = self.url_open(f"/my/channel/statements/{foreign.id}/file.xlsx")
        self.assertNotEqual(page.content[:2], b"PK")

    def test_a_dispute_with_amounts_becomes_appeals(self):
        balance = self._balance(self.program)
        page = self._answer(answer="dispute", words="Invoice 17 is missing.", **{f"claim_{balance.id}": "much"})
        self.assertIn("much is no plain number", page.text)
        self.assertIn("Invoice 17 is missing.", page.text, "what was typed is not lost")
        self.assertEqual(self.statement.state, "sent")
        foreign = self.env["channel.rebate.balance"].search([("member_id", "=", self.other_dealer.id)], limit=1)
        page = self._answer(answer="dispute", words="Invoice 17 is missing.", **{
            f"claim_{balance.id}": "12,50", f"claim_{foreign.id or 0}": "99",
        })
        self.assertEqual(self.statement.state, "disputed")
        dispute = self.statement.dispute_ids
        self.assertRecordValues(dispute, [{
            "balance_id": balance.id, "claimed_amount": 12.5, "state": "submitted", "source": "portal",
            "description": "Invoice 17 is missing.", "held_amount": 12.5,
        }])
        self.assertIn(dispute.name, page.text)

    def test_an_appeal_names_a_statement_of_its_own_payee(self):
        foreign = self._make(self.other_dealer)
        with self.assertRaises(ValidationError) as caught:
            self.env["channel.dispute"].submit({
                "balance_id": self._balance(self.program).id, "statement_id": foreign.id, "reason": "other",
                "description": "Wrong", "claimed_amount": 1,
            })
        self.assertIn("of another payee", str(caught.exception))
