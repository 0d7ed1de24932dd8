from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

#: Characters of one comment
LIMIT = 4000


class ChannelContractComment(models.Model):
    """What the parties say to each other about a clause, or about a version as a whole, seen by both of them.

    A comment that answers nothing begins a thread, which the company resolves; a member who answers opens it again.
    Comments are made by :meth:`channel.contract.version.comment` and never edited: they are how the words came about.
    """

    _name = "channel.contract.comment"
    _description = "Comment on a Contract"
    _order = "id"

    version_id = fields.Many2one(
        "channel.contract.version", required=True, readonly=True, index=True, ondelete="cascade"
    )
    contract_id = fields.Many2one(related="version_id.contract_id", store=True, index=True)
    member_id = fields.Many2one(related="version_id.member_id", store=True, index=True)
    region_id = fields.Many2one(related="version_id.region_id", store=True, index="btree_not_null")
    company_id = fields.Many2one(related="version_id.company_id", store=True, index=True)
    line_id = fields.Many2one(
        "channel.contract.clause.line", string="Clause", readonly=True, index="btree_not_null", ondelete="set null"
    )
    key = fields.Char(
        readonly=True, index="btree_not_null", help="Of the clause, in every version of the contract. Empty: the whole."
    )
    title = fields.Char(readonly=True, help="Of the clause, when the comment was made.")
    parent_id = fields.Many2one("channel.contract.comment", readonly=True, index="btree_not_null", ondelete="cascade")
    reply_ids = fields.One2many("channel.contract.comment", "parent_id", string="Answers")
    author_id = fields.Many2one("res.partner", required=True, readonly=True, ondelete="restrict")
    side = fields.Selection([("member", "Member"), ("company", "Company")], required=True, readonly=True)
    body = fields.Text(required=True, readonly=True)
    resolved = fields.Boolean(readonly=True, index=True)
    resolved_by_id = fields.Many2one("res.users", readonly=True)
    resolved_at = fields.Datetime(readonly=True)
    last_side = fields.Selection(
        [("member", "Member"), ("company", "Company")],
        string="Last Word",
        compute="_compute_last_side",
        store=True,
        help="Whose comment is the last of the thread.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("title", "contract_id.name", "version_id.number")
    def _compute_display_name(self):
        for comment in self:
            about = comment.title or self.env._("the whole version")
            comment.display_name = f"{comment.contract_id.name} v{comment.version_id.number}: {about}"

    @api.depends("reply_ids.side")
    def _compute_last_side(self):
        for comment in self:
            comment.last_side = (comment + comment.reply_ids)[-1:].side

    # === ACTION METHODS ===#

    def action_answer(self):
        """Open the form in which the company answers."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Answer"),
            "res_model": "channel.contract.answer",
            "view_mode": "form",
            "target": "new",
            "context": {"default_comment_id": (self.parent_id or self).id},
        }

    # === PUBLIC METHODS ===#

    def resolve(self):
        """Close threads: what was asked has been answered, or the text was changed.

        :return: True
        :raise AccessError: for who does not speak for the company about the contract
        """
        return self._set_resolved(True)

    def reopen(self):
        """Open threads again, see :meth:`resolve`."""
        return self._set_resolved(False)

    def _set_resolved(self, resolved):
        self.version_id._check_speaks_for_company()
        threads = self | self.parent_id
        # sudo: who speaks for the company about the contract was just checked; nobody writes comments otherwise
        threads.filtered(lambda comment: not comment.parent_id).sudo().write(
            {
                "resolved": resolved,
                "resolved_by_id": resolved and self.env.uid,
                "resolved_at": resolved and fields.Datetime.now(),
            }
        )
        return True

    # === BUSINESS METHODS ===#

    @api.constrains("body")
    def _check_body(self):
        for comment in self:
            if not comment.body.strip():
                raise ValidationError(self.env._("The comment is empty: write what you want to say."))
            if len(comment.body) > LIMIT:
                raise ValidationError(
                    self.env._(
                        "The comment has %(length)s characters, more than %(limit)s: shorten it, or attach a document.",
                        length=len(comment.body),
                        limit=LIMIT,
                    )
                )

    def _as_json(self):
        """:returns: list of comments as the API gives them, answers within what they answer"""
        return [
            {
                "id": comment.id,
                "version_id": comment.version_id.id,
                "version": comment.version_id.number,
                "line_id": comment.line_id.id or None,
                "clause": comment.title or None,
                # sudo: the name of who spoke
                "author": comment.author_id.sudo().name,
                "side": comment.side,
                "date": comment.create_date.isoformat(timespec="seconds"),
                "body": comment.body,
                "resolved": comment.resolved,
                "answers": comment.reply_ids._as_json(),
            }
            for comment in self
        ]

    def _notify(self):
        """Tell the other side: the owner of the contract, or those of the member who take part in the thread."""
        for comment in self:
            version, contract = comment.version_id, comment.contract_id
            if comment.side == "member":
                partners = (contract.user_id or version.create_uid).partner_id
                url = f"/odoo/channel-contract-versions/{version.id}"
            else:
                thread = comment.parent_id or comment
                talking = (thread + thread.reply_ids).filtered(lambda other: other.side == "member").author_id
                users = self.env["res.users"].search(
                    [("partner_id", "child_of", contract.member_id.id), ("share", "=", True)]
                )
                partners = talking or users.partner_id
                url = version._portal_read_url()
            for partner in partners - comment.author_id:
                said = comment.with_context(lang=partner.lang or self.env.lang)
                version.message_notify(
                    partner_ids=partner.ids,
                    author_id=comment.author_id.id,
                    subject=said.env._("Comment on contract %s", contract.name),
                    body=Markup("<p>%s</p><blockquote>%s</blockquote><p><a href='%s'>%s</a></p>")
                    % (
                        said.env._(
                            "%(author)s about “%(clause)s” of contract %(contract)s:",
                            author=comment.author_id.name,
                            clause=comment.title or said.env._("the whole version"),
                            contract=contract.display_name,
                        ),
                        comment.body,
                        version.get_base_url() + url,
                        said.env._("Read and answer"),
                    ),
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_spoken(self):
        raise UserError(self.env._("Comments are how the words came about: they go only with their draft version."))
