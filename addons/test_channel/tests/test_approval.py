from lxml import etree

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.channel_base.tests.common import ChannelCommon


class ApprovalCommon(ChannelCommon):
    """Requests that Pricing writes, and tiers for them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Request = cls.env["test.channel.request"].with_user(cls.user_pricing)
        cls.Entry = cls.env["channel.audit.entry"].sudo()
        cls.model = cls.env["ir.model"]._get("test.channel.request")

    @classmethod
    def _tier(cls, group, amount, sequence, **values):
        return (
            cls.env["tier.definition"]
            .sudo()
            .create(
                {
                    "name": group.title(),
                    "model_id": cls.model.id,
                    "review_type": "group",
                    "reviewer_group_id": cls.env.ref(f"channel_base.group_channel_{group}").id,
                    "definition_domain": f"[('amount', '>', {amount})]",
                    "sequence": sequence,
                    "approve_sequence": True,
                    **values,
                }
            )
        )

    def _tiers(self, **values):
        self._tier("compliance", 100, 30, **values)
        self._tier("finance", 1000, 20, **values)

    def _request(self, amount=5000, **values):
        return self.Request.create({"name": "Request", "amount": amount, **values})

    def _actions(self, document):
        return (
            self.Entry.search([("model", "=", document._name), ("res_id", "=", document.id)])
            .sorted("id")
            .mapped("action")
        )

    def _refused(self, call, pattern=None, error=UserError):
        with self.assertRaisesRegex(error, pattern or ""), self.env.cr.savepoint():
            call()


@tagged("post_install", "-at_install")
class TestApproval(ApprovalCommon):
    # === WITHOUT TIERS === #

    def test_second_person_of_the_group(self):
        request = self._request()
        self._refused(request.action_approve, "author")
        self._refused(request.with_user(self.user_finance).action_approve, "group")
        self.assertFalse(request.can_approve)
        self.assertFalse(request.with_user(self.user_finance).can_approve)
        self.assertTrue(request.with_user(self.user_manager).can_approve)
        request.with_user(self.user_manager).action_approve()
        self.assertEqual(request.state, "approved")
        self.assertEqual(request.approved_by_id, self.user_manager)
        self.assertEqual(self._actions(request), ["approval.approved"])
        self._refused(request.with_user(self.user_admin).action_approve, "Approved")

    def test_last_editor_is_an_author(self):
        request = self._request()
        request.with_user(self.user_manager).amount = 7
        self._refused(request.with_user(self.user_manager).action_approve, "author")
        request.with_user(self.user_manager).note = "not a term"
        request.amount = 8
        request.with_user(self.user_manager).note = "not a term either"
        request.with_user(self.user_manager).action_approve()
        self.assertEqual(request.state, "approved")

    def test_superuser_rights_do_not_make_an_approver(self):
        request = self._request()
        self._refused(request.sudo().action_approve, "author")
        self._refused(request.with_user(self.user_sales).sudo().action_approve, "group")

    def test_state_by_hand(self):
        request = self._request()
        for user in (self.user_pricing, self.user_manager, self.user_admin):
            own = request.with_user(user).with_context(skip_validation_check=True, channel_approver=True)
            for state in ("approved", "paid"):
                self._refused(lambda own=own, state=state: own.write({"state": state}))
            for name in ("approved_by_id", "terms_editor_id", "approval_requested_by_id"):
                self._refused(lambda own=own, name=name: own.write({name: self.user_sales.id}))
        self._refused(lambda: self._request(state="approved"))
        self._refused(lambda: self._request(terms_editor_id=self.user_sales.id))
        self._refused(lambda: self.Request.with_context(default_state="paid").create({"name": "x"}))
        request.write({"state": "cancelled"})
        self._refused(lambda: request.write({"state": "approved"}))
        request.write({"state": "draft"})
        request.with_user(self.user_manager).action_approve()
        self._refused(lambda: request.write({"amount": 1}), "Amount")
        self._refused(request.unlink)
        request.write({"state": "paid"})
        self.assertEqual(request.state, "paid")

    # === WITH TIERS === #

    def test_levels_by_amount(self):
        self._tiers()
        self.assertFalse(self._request(50).need_validation)
        small, large = self._request(500), self._request(5000)
        (small | large).request_validation()
        self.assertEqual(small.review_ids.mapped("name"), ["Compliance"])
        self.assertEqual(
            large.review_ids.sorted("sequence").mapped("name"),
            ["Compliance", "Finance"],
        )
        self.assertEqual(
            large.review_ids.sorted("sequence").mapped("status"),
            ["pending", "waiting"],
        )

    def test_last_review_approves_at_once(self):
        self._tiers()
        request = self._request()
        self._refused(request.with_user(self.user_manager).action_approve, "request")
        request.request_validation()
        self._refused(request.with_user(self.user_manager).action_approve, "Compliance")
        self._refused(request.with_user(self.user_finance).action_approve)
        request.with_user(self.user_compliance).validate_tier()
        self.assertEqual(request.state, "draft")
        request.with_user(self.user_finance).validate_tier()
        self.assertEqual(request.state, "approved")
        self.assertEqual(request.approved_by_id, self.user_finance)
        self.assertEqual(
            self._actions(request),
            [
                "approval.requested",
                "approval.validated",
                "approval.validated",
                "approval.approved",
            ],
        )

    def test_approver_without_write_access(self):
        """A reviewer needs no write access to the document; the approval writes for them."""
        self.env["ir.model.access"].search([("model_id", "=", self.model.id)]).sudo().write({"perm_write": False})
        self.env["ir.model.access"].sudo().create(
            {
                "name": "pricing",
                "model_id": self.model.id,
                "group_id": self.env.ref("channel_base.group_channel_pricing").id,
                "perm_read": True,
                "perm_write": True,
                "perm_create": True,
            }
        )
        self._tier("finance", 100, 20)
        request = self._request()
        request.request_validation()
        self.assertFalse(request.with_user(self.user_finance).has_access("write"))
        request.with_user(self.user_finance).action_approve()
        self.assertEqual(request.state, "approved")

    def test_author_is_no_reviewer(self):
        self._tier("pricing", 100, 20)
        self.user_manager.sudo().group_ids += self.env.ref("channel_base.group_channel_pricing")
        request = self._request()
        request.request_validation()
        review = request.review_ids
        self.assertIn(self.user_manager, review.reviewer_ids)
        self.assertNotIn(self.user_pricing, review.reviewer_ids)
        self.assertFalse(request.can_review)
        self._refused(lambda: review.write({"status": "approved"}), "author")
        self.assertTrue(request.with_user(self.user_manager).can_review)
        request.with_user(self.user_manager).validate_tier()
        self.assertEqual(request.state, "approved")

    def test_requester_is_no_reviewer(self):
        self._tier("finance", 100, 20)
        self.user_manager.sudo().group_ids += self.env.ref("channel_base.group_channel_finance")
        request = self._request()
        request.with_user(self.user_finance).request_validation()
        self.assertEqual(request.approval_requested_by_id, self.user_finance)
        self._refused(request.with_user(self.user_finance).action_approve, "author")

    def test_only_reviewer_is_the_author(self):
        definition = self._tier(
            "pricing",
            100,
            20,
            review_type="individual",
            reviewer_group_id=False,
            reviewer_id=self.user_pricing.id,
        )
        self._refused(self._request().request_validation, definition.name)

    def test_editing_reviewer_stops_being_one(self):
        self._tier("finance", 100, 20, allow_write_for_reviewer=True)
        request = self._request()
        request.request_validation()
        self.assertIn(self.user_finance, request.review_ids.reviewer_ids)
        request.with_user(self.user_finance).amount = 4000
        self.assertNotIn(self.user_finance, request.review_ids.reviewer_ids)
        self._refused(lambda: request.review_ids.with_user(self.user_finance).write({"status": "approved"}))

    def test_terms_are_locked_under_validation(self):
        self._tiers()
        request = self._request()
        request.request_validation()
        for context in ({}, {"skip_validation_check": True}):
            self._refused(
                lambda context=context: request.with_context(**context).write({"amount": 1}),
                error=ValidationError,
            )
        request.restart_validation()
        request.amount = 50
        self.assertEqual(self._actions(request)[-1], "approval.restarted")

    def test_reviews_over_rpc(self):
        """Everybody has write access to reviews; the rules hold all the same."""
        self._tiers()
        request = self._request()
        request.request_validation()
        first, second = request.review_ids.sorted("sequence")
        for context in ({}, {"channel_approver": True}):
            as_user = {
                user: (first | second).with_user(user).with_context(**context)
                for user in (self.user_sales, self.user_finance, self.user_admin)
            }
            for reviews in as_user.values():
                for vals in (
                    {"reviewer_ids": [(4, self.user_sales.id)]},
                    {"status": "pending"},
                    {"status": "cancel"},
                    {"sequence": 0},
                    {"definition_id": False},
                    {"res_id": 0},
                    {"done_by": self.user_admin.id},
                ):
                    self._refused(lambda reviews=reviews, vals=vals: reviews.write(vals))
                self._refused(reviews.unlink)
            self._refused(lambda as_user=as_user: as_user[self.user_sales].write({"status": "approved"}))
            self._refused(
                lambda as_user=as_user: as_user[self.user_finance][1].write({"status": "approved"}),
                "turn",
            )
            self._refused(
                lambda context=context: (
                    self.env["tier.review"]
                    .with_user(self.user_sales)
                    .with_context(default_model=request._name, **context)
                    .create({"res_id": request.id, "status": "approved"})
                )
            )
        self.assertEqual(first.status, "pending")
        # A reviewer, in order, by a plain write: that is a decision, in the reviewer's own name.
        first.with_user(self.user_compliance).write({"status": "approved", "done_by": self.user_admin.id})
        self.assertEqual(first.done_by, self.user_compliance)
        self.assertEqual(request.state, "draft")

    def test_out_of_order_by_the_comment_wizard(self):
        self._tiers()
        request = self._request()
        request.request_validation()
        second = request.review_ids.sorted("sequence")[1]
        wizard = (
            self.env["comment.wizard"]
            .with_user(self.user_finance)
            .create(
                {
                    "res_model": request._name,
                    "res_id": request.id,
                    "review_ids": [(6, 0, second.ids)],
                    "validate_reject": "validate",
                    "comment": "Me first",
                }
            )
        )
        self._refused(wizard.add_comment, "turn")

    def test_reject_with_comment_and_restart(self):
        self._tiers(has_comment=True)
        request = self._request()
        request.request_validation()
        reviewed = request.with_user(self.user_compliance)
        action = reviewed.reject_tier()
        self.assertEqual(action["res_model"], "comment.wizard")
        self.env["comment.wizard"].with_user(self.user_compliance).with_context(**action["context"]).create(
            {"comment": "Too much"}
        ).add_comment()
        self.assertEqual(request.validation_status, "rejected")
        self.assertEqual(request.state, "draft")
        entry = self.Entry.search(
            [("model", "=", request._name), ("action", "=", "approval.rejected")],
            limit=1,
        )
        self.assertEqual((entry.reason, entry.user_id), ("Too much", self.user_compliance))
        self._refused(request.with_user(self.user_finance).action_approve)
        request.restart_validation()
        request.amount = 900
        request.request_validation()
        action = reviewed.action_approve()
        self.env["comment.wizard"].with_user(self.user_compliance).with_context(**action["context"]).create(
            {"comment": "Better"}
        ).add_comment()
        self.assertEqual(request.state, "approved")
        self.assertEqual(
            self._actions(request),
            [
                "approval.requested",
                "approval.rejected",
                "approval.restarted",
                "approval.requested",
                "approval.validated",
                "approval.approved",
            ],
        )

    def test_comment_of_a_stranger(self):
        self._tiers()
        request = self._request()
        request.request_validation()
        self._refused(lambda: request.review_ids.with_user(self.user_sales).write({"comment": "x"}))

    # === WHERE IT SHOWS === #

    def test_models_can_have_tiers(self):
        names = self.env["tier.definition"]._get_tier_validation_model_names()
        self.assertIn("test.channel.request", names)
        self.assertIn("test.channel.document.version", names)
        self.assertNotIn("channel.approval.mixin", names)
        self.assertNotIn("channel.version.mixin", names)
        self.assertEqual(len(names), len(set(names)))

    def test_form_has_buttons_and_reviews(self):
        view = (
            self.env["ir.ui.view"]
            .sudo()
            .create(
                {
                    "name": "test.channel.request.form",
                    "model": "test.channel.request",
                    "arch": """
                    <form>
                        <header><field name="state" widget="statusbar"/></header>
                        <sheet><group><field name="name"/><field name="amount"/></group></sheet>
                    </form>""",
                }
            )
        )
        arch = etree.fromstring(self.Request.get_view(view.id, "form")["arch"])
        for button in (
            "action_approve",
            "request_validation",
            "restart_validation",
            "validate_tier",
            "reject_tier",
        ):
            self.assertEqual(len(arch.xpath(f"//button[@name='{button}']")), 1, button)
        self.assertTrue(arch.xpath("//field[@name='review_ids'][@widget]"))

    def test_systray_and_my_approvals(self):
        self._tiers()
        request = self._request()
        request.request_validation()
        rows = self.env["res.users"].with_user(self.user_compliance).review_user_count()
        self.assertEqual(
            [(row["model"], row["pending_count"]) for row in rows],
            [("test.channel.request", 1)],
        )
        action = self.env.ref("channel_base.tier_review_action_mine")
        self.assertEqual(action.view_mode, "list,kanban")
        Review = self.env["tier.review"].with_user(self.user_compliance)
        mine = Review.search(
            [
                ("reviewer_ids", "=", self.user_compliance.id),
                ("status", "=", "pending"),
                ("can_review", "=", True),
            ]
        )
        self.assertEqual(mine.mapped("document_name"), ["Request"])
        self.assertEqual(mine.action_open_document()["res_id"], request.id)

    def test_portal_reads_no_reviews_of_the_channel(self):
        Review = self.env["tier.review"]
        channel, other = Review.sudo().create(
            [{"model": name, "res_id": 1} for name in ("channel.alert", "res.partner")]
        )
        seen = Review.with_user(self.user_portal).search([("id", "in", (channel | other).ids)])
        self.assertEqual(seen, other)
