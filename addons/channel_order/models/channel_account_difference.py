from odoo import api, fields, models
from odoo.exceptions import UserError


class ChannelAccountDifference(models.Model):
    """What the dealer's books say otherwise than a statement of account, and how it was settled: a task."""

    _name = "channel.account.difference"
    _description = "Difference of a Statement of Account"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "state, id desc"

    statement_id = fields.Many2one(
        "channel.account.statement", required=True, readonly=True, ondelete="cascade", index=True
    )
    match_id = fields.Many2one(
        "channel.account.match", string="Comparison", readonly=True, ondelete="cascade", index="btree_not_null"
    )
    company_id = fields.Many2one(related="statement_id.company_id", store=True, precompute=True)
    member_id = fields.Many2one(related="statement_id.member_id", string="Dealer", store=True, precompute=True)
    kind = fields.Selection(
        [("dispute", "Disputed by the Dealer"), ("match", "Found in the Dealer's Ledger")], required=True, readonly=True
    )
    result = fields.Selection(
        [
            ("different", "Another amount"),
            ("dated", "Another date"),
            ("ours", "Only in the statement"),
            ("theirs", "Only in the dealer's ledger"),
        ],
        readonly=True,
    )
    line_key = fields.Char(readonly=True)
    document = fields.Char(readonly=True)
    their_document = fields.Char(string="Dealer's Document", readonly=True)
    their_date = fields.Date(string="Dealer's Date", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    ours = fields.Monetary(string="Amount in the Statement", readonly=True)
    theirs = fields.Monetary(string="Dealer's Amount", readonly=True)
    difference = fields.Monetary(readonly=True, help="Dealer less statement.")
    reason = fields.Text(readonly=True, help="In the dealer's words.")
    state = fields.Selection(
        [("open", "Open"), ("solved", "Solved")], required=True, readonly=True, default="open", index=True,
        tracking=True,
    )
    solution = fields.Text(help="What was found and done. The dealer reads it on the portal.")
    solved_at = fields.Datetime(readonly=True)
    solved_by_id = fields.Many2one("res.users", string="Solved by", readonly=True)

    @api.depends("document", "their_document", "statement_id")
    def _compute_display_name(self):
        for difference in self:
            difference.display_name = " · ".join(filter(None, (
                difference.statement_id.name, difference.document or difference.their_document
            )))

    @api.model_create_multi
    def create(self, vals_list):
        differences = super().create(vals_list)
        for difference in differences:
            # sudo: only who made the statement is asked for; dealers make differences and see no other users
            accountant = difference.statement_id.sudo().create_uid
            difference.activity_schedule(
                "mail.mail_activity_data_todo", user_id=accountant.id, note=difference.reason,
                summary=self.env._(
                    "%(member)s: %(document)s differs", member=difference.member_id.name,
                    document=difference.document or difference.their_document or difference.statement_id.name,
                ),
            )
        return differences

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        if any(difference.statement_id.state != "draft" for difference in self):
            raise UserError(self.env._("Differences stay with their statement: solve them."))

    def action_solve(self):
        """Close the task. What was found and done has been written down."""
        self.check_access("write")
        for difference in self.filtered(lambda difference: difference.state == "open"):
            if not (difference.solution or "").strip():
                raise UserError(self.env._("%s: write down the solution first.", difference.display_name))
            difference._solve(difference.solution.strip())
        return True

    def _solve(self, solution):
        """Close those that are open."""
        found = self.filtered(lambda difference: difference.state == "open")
        if not found:
            return
        found.write({
            "state": "solved", "solution": solution, "solved_at": fields.Datetime.now(), "solved_by_id": self.env.uid,
        })
        found.activity_feedback(["mail.mail_activity_data_todo"], feedback=solution)
        self.env["channel.audit.entry"]._record("account_difference.solved", found, reason=solution)
