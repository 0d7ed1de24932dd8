from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestContractDiscussion(ChannelContractCommon):
    """A draft is shared with the member, who comments; the owner answers and resolves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.negotiated = cls._channel_contract(
            cls.dealer,
            approve=False,
            contract_values={"user_id": cls.user_sales.id},
            clause_ids=cls._channel_clause_commands("Prices", "Quality"),
        )
        cls.draft = cls.negotiated.version_ids
        cls.prices, cls.quality = cls.draft.clause_ids
        cls.user_portal_west = new_test_user(
            cls.env,
            login="channel_portal_west",
            groups="base.group_portal",
            partner_id=cls.env["res.partner"].create({"name": "West Buyer", "parent_id": cls.other_dealer.id}).id,
        )

    def _share(self):
        self.draft.with_user(self.user_contract).action_share()

    def _say(self, user, body="Why?", line=None, parent=None):
        answer = self.draft.with_user(user).comment(
            body, line_id=line and line.id, parent_id=parent and parent.id
        )
        return self.env["channel.contract.comment"].browse(answer["id"])

    def _notified(self, user):
        return self.env["mail.message"].sudo().search([("partner_ids", "in", user.partner_id.ids)])

    def test_draft_is_seen_by_the_member_while_it_is_shared(self):
        shown = (self.draft, self.negotiated, self.prices)
        for record in shown:
            self.assertFalse(record.with_user(self.user_portal).has_access("read"))
        self._share()
        for record in shown:
            self.assertTrue(record.with_user(self.user_portal).has_access("read"))
            self.assertFalse(record.with_user(self.user_portal_west).has_access("read"))
        self.draft.with_user(self.user_contract).action_unshare()
        for record in shown:
            self.assertFalse(record.with_user(self.user_portal).has_access("read"))

    def test_sharing_tells_the_portal_users_of_the_member_once(self):
        before = self._notified(self.user_portal), self._notified(self.user_portal_west)
        self._share()
        self._share()
        self.assertEqual(len(self._notified(self.user_portal) - before[0]), 1)
        self.assertFalse(self._notified(self.user_portal_west) - before[1])

    def test_cancelled_draft_is_gone_from_the_portal(self):
        self._share()
        self.draft.action_cancel()
        self.assertFalse(self.draft.with_user(self.user_portal).has_access("read"))

    def test_approved_version_is_not_shared_but_seen(self):
        self.draft.with_user(self.user_manager).action_approve()
        self.assertTrue(self.draft.with_user(self.user_portal).has_access("read"))
        with self.assertRaises(UserError):
            self.draft.action_share()

    def test_sharing_makes_nobody_an_author(self):
        self.draft.with_user(self.user_admin).action_share()
        self.assertNotEqual(self.draft.terms_editor_id, self.user_admin)

    def test_question_answer_and_the_last_word(self):
        self._share()
        before = self._notified(self.user_sales)
        question = self._say(self.user_portal, "Why this price?", line=self.prices)
        self.assertRecordValues(
            question,
            [
                {
                    "side": "member",
                    "title": "Prices",
                    "key": self.prices.key,
                    "author_id": self.user_portal.partner_id.id,
                    "last_side": "member",
                    "resolved": False,
                }
            ],
        )
        self.assertIn("Why this price?", (self._notified(self.user_sales) - before).body)
        self.assertEqual(self.draft.open_comment_count, 1)
        before = self._notified(self.user_portal)
        action = question.with_user(self.user_sales).action_answer()
        with Form.from_action(self.env(user=self.user_sales), action) as form:
            self.assertEqual(form.question, "Why this price?")
            form.body = "Costs have risen."
            form.resolve = True
        form.record.action_send()
        self.assertRecordValues(
            question, [{"last_side": "company", "resolved": True, "resolved_by_id": self.user_sales.id}]
        )
        self.assertEqual(question.reply_ids.author_id, self.user_sales.partner_id)
        self.draft.invalidate_recordset(["open_comment_count"])
        self.assertEqual(self.draft.open_comment_count, 0)
        self.assertIn("Costs have risen.", (self._notified(self.user_portal) - before).body)
        self._say(self.user_portal, "By how much?", parent=question.reply_ids)
        self.assertEqual(question.reply_ids.mapped("side"), ["company", "member"], "A thread has one level")
        self.assertFalse(question.resolved, "The member has opened it again")

    def test_comment_on_the_version_as_a_whole(self):
        self._share()
        self.assertFalse(self._say(self.user_portal).title)
        [thread] = self.draft.with_user(self.user_portal).comments()
        self.assertEqual((thread["clause"], thread["side"], thread["answers"]), (None, "member", []))

    def test_thread_stays_with_its_clause_in_the_next_version(self):
        self.draft.with_user(self.user_manager).action_approve()
        self._say(self.user_portal, line=self.quality)
        following = self.env["channel.contract.version"].browse(self.negotiated.action_new_version()["res_id"])
        following.valid_from = date(2030, 1, 1)
        threads = following._threads()
        self.assertEqual(threads.key, following.clause_ids[1].key)

    def test_thread_stays_when_the_clause_is_deleted(self):
        self._share()
        comment = self._say(self.user_portal, line=self.quality)
        self.quality.unlink()
        self.assertEqual((comment.exists().title, comment.line_id.id), ("Quality", False))

    def test_who_speaks_for_the_company(self):
        self._share()
        question = self._say(self.user_portal, line=self.prices)
        for user in (self.user_contract, self.user_sales):
            self._say(user, "Answer", parent=question)
        for user in (self.user_manager, self.user_auditor, self.user_executive):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self._say(user, "Answer", parent=question)
            with self.subTest(user.login), self.assertRaises(AccessError):
                question.with_user(user).resolve()
        with self.assertRaises(AccessError):
            question.with_user(self.user_portal).resolve()
        question.with_user(self.user_contract).resolve()
        question.with_user(self.user_contract).reopen()
        self.assertFalse(question.resolved)

    def test_nobody_writes_comments_otherwise(self):
        self._share()
        comment = self._say(self.user_portal)
        for user in (self.user_portal, self.user_contract, self.user_admin):
            comments = comment.with_user(user)
            for operation in ("write", "create", "unlink"):
                self.assertFalse(comments.has_access(operation), (user.login, operation))
        with self.assertRaises(UserError):
            comment.unlink()

    def test_other_members_neither_read_nor_speak(self):
        self._share()
        comment = self._say(self.user_portal, line=self.prices)
        foreign = self.user_portal_west
        self.assertFalse(comment.with_user(foreign).has_access("read"))
        for method in (
            lambda: self.draft.with_user(foreign).comment("Hello"),
            lambda: self.draft.with_user(foreign).comments(),
            lambda: self.contract_west.version_ids.with_user(foreign).comment("Hello", line_id=self.prices.id),
            lambda: self.contract_west.version_ids.with_user(foreign).comment("Hello", parent_id=comment.id),
        ):
            with self.assertRaises(AccessError):
                method()
        self.assertTrue(self.contract_west.version_ids.with_user(foreign).comment("Hello"))

    def test_comment_is_about_this_version_and_contract(self):
        self.draft.with_user(self.user_manager).action_approve()
        other = self.contract.version_ids.with_user(self.user_portal)
        comment = self._say(self.user_portal)
        with self.assertRaises(UserError):
            other.comment("Mixed up", line_id=self.prices.id)
        with self.assertRaises(UserError):
            other.comment("Mixed up", parent_id=comment.id)

    def test_comment_says_something_and_not_too_much(self):
        self._share()
        for body in ("", "  \n ", False):
            with self.subTest(body), self.assertRaisesRegex(ValidationError, "empty"):
                self._say(self.user_portal, body)
        self._say(self.user_portal, "x" * 4000)
        with self.assertRaisesRegex(ValidationError, "4001"):
            self._say(self.user_portal, "x" * 4001)

    def test_region_keeps_comments_apart(self):
        self.contract_west.version_ids.with_user(self.user_portal_west).comment("Hello")
        found = self.env["channel.contract.comment"].with_user(self.user_sales).search([])
        self.assertNotIn(self.contract_west, found.contract_id)
