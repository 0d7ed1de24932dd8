from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class ChannelContractVersionDiscussionMixin(models.AbstractModel):
    """What the member sees of a contract version, and what the parties say about it to each other.

    Inherited by ``channel.contract.version``. A version that has been approved is on the portal; a draft is once
    somebody shares it, so that the member can comment before anything is decided.
    """

    _name = "channel.contract.version.discussion.mixin"
    _description = "Discussion of a Contract Version"

    shared_at = fields.Datetime(string="Shared with Member on", readonly=True, copy=False)
    on_portal = fields.Boolean(
        compute="_compute_on_portal",
        store=True,
        help="The member sees it: approved, or a draft that was shared. Record rules go by it.",
    )
    comment_ids = fields.One2many("channel.contract.comment", "version_id", string="Comments", readonly=True)
    thread_ids = fields.One2many(
        "channel.contract.comment", "version_id", string="Threads", readonly=True, domain=[("parent_id", "=", False)]
    )
    open_comment_count = fields.Integer(string="Open Comments", compute="_compute_open_comment_count")

    # === COMPUTE METHODS ===#

    @api.depends("state", "shared_at")
    def _compute_on_portal(self):
        for version in self:
            version.on_portal = version.state in ("approved", "superseded") or bool(
                version.state == "draft" and version.shared_at
            )

    @api.depends("comment_ids.resolved")
    def _compute_open_comment_count(self):
        counts = dict(
            self.env["channel.contract.comment"]._read_group(
                [("version_id", "in", self.ids), ("parent_id", "=", False), ("resolved", "=", False)],
                ["version_id"],
                ["__count"],
            )
        )
        for version in self:
            version.open_comment_count = counts.get(version._origin, 0)

    @api.model
    def _approval_technical_fields(self):
        return super()._approval_technical_fields() | {"shared_at", "on_portal"}

    # === ACTION METHODS ===#

    def action_share(self):
        """Show drafts to the member on the portal, and tell its portal users."""
        self.check_access("write")
        for version in self:
            if version.state != "draft":
                raise UserError(self.env._("%s is no draft: the member sees it anyhow.", version.display_name))
        shared = self.filtered(lambda version: not version.shared_at)
        shared.shared_at = fields.Datetime.now()
        for version in shared:
            version._notify_shared()
        return True

    def action_unshare(self):
        """Take drafts off the portal again."""
        self.check_access("write")
        self.shared_at = False
        return True

    def action_open_comments(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_contract.channel_contract_comment_action"),
            "domain": [("contract_id", "=", self.contract_id.id), ("parent_id", "=", False)],
            "context": {},
        }

    # === PUBLIC METHODS ===#

    def comment(self, body, line_id=None, parent_id=None):
        """Say something about a clause, or about the version as a whole, to the other side.

        :param str body: plain text, 4000 characters at most
        :param int line_id: the clause (``channel.contract.clause.line`` of this version); None: the version
        :param int parent_id: the comment that is answered
        :returns: the comment as :meth:`comments` has it
        :raise AccessError: for versions that the user may not read, and for users of the company who neither own the
            contract nor have the position Contract
        :raise UserError: the clause or the comment is not of this version or contract
        :raise ValidationError: empty, or too long
        """
        self.ensure_one()
        self.check_access("read")
        side = self._side_of_user()
        line = self.env["channel.contract.clause.line"].browse(line_id or ())
        parent = self.env["channel.contract.comment"].browse(parent_id or ())
        if line:
            line.check_access("read")
        if parent:
            parent.check_access("read")
            parent = parent.parent_id or parent
        if line and line.version_id != self or parent and parent.contract_id != self.contract_id:
            raise UserError(
                self.env._("What you comment on is not part of %s: open the contract again.", self.display_name)
            )
        # sudo: whoever reads a version may comment on it; author and side are set here, the rest was just checked
        comment = (
            self.env["channel.contract.comment"]
            .sudo()
            .create(
                {
                    "version_id": self.id,
                    "line_id": (line or parent.line_id).id,
                    "key": line.key or parent.key,
                    "title": line.title or parent.title,
                    "parent_id": parent.id,
                    "author_id": self.env.user.partner_id.id,
                    "side": side,
                    "body": (body or "").strip(),
                }
            )
        )
        if parent.resolved and side == "member":
            # sudo: an answer reopens the comment it answers, which its author need not own
            parent.sudo().write({"resolved": False, "resolved_by_id": False, "resolved_at": False})
        comment._notify()
        return comment._as_json()[0]

    @api.readonly
    def comments(self):
        """What has been said about the contract so far, also about other versions of it.

        :returns: list of threads, the oldest first: ``[{'id': int, 'version_id': int, 'version': int,
            'line_id': int | None, 'clause': str | None, 'author': str, 'side': 'member' | 'company',
            'date': ISO datetime (UTC), 'body': str, 'resolved': bool, 'answers': [the same]}]``
        """
        self.ensure_one()
        self.check_access("read")
        return self._threads()._as_json()

    # === BUSINESS METHODS ===#

    def _threads(self):
        return self.env["channel.contract.comment"].search(
            [("contract_id", "=", self.contract_id.id), ("parent_id", "=", False)]
        )

    def _side_of_user(self):
        """:returns: ``member`` for portal users, whom the record rules let in; ``company`` for who may speak for it"""
        if self.env.user.share:
            return "member"
        self._check_speaks_for_company()
        return "company"

    def _check_speaks_for_company(self):
        self.check_access("read")
        if self.env.user.has_group("channel_base.group_channel_contract"):
            return
        for version in self:
            if version.contract_id.user_id != self.env.user:
                raise AccessError(
                    self.env._(
                        "Comments on %s are answered by the owner of the contract or by the position Contract.",
                        version.display_name,
                    )
                )

    def _portal_progress(self):
        """How far the commitments of the version are kept, in the period of today or the last one before it.

        :return: ``{commitment_id: {achieved, target, percent, bar, color, status, period_start, period_end}}``, texts
            to show; empty while the version does not stand
        """
        # sudo: the commitments of a version that the member reads, held against the member's own documents
        versions = self.sudo().filtered(lambda version: version._stands())
        performance = versions.env["channel.contract.performance"]
        lines = {line.id: line for line in versions.commitment_ids}
        statuses = dict(performance._fields["status"]._description_selection(self.env))
        progress = {}
        today = self.company_id._channel_today() if self else None
        # Oldest period first: what is kept is the last one that has begun
        for row in performance._rows_of(versions.commitment_ids, through=today):
            line = lines[row["commitment_id"]]
            percent = float(row["progress"] or 0)
            progress[line.id] = {
                "achieved": line._value_text(row["achieved"]),
                "target": line._value_text(row["target"]),
                "percent": round(percent),
                "bar": max(0, min(100, round(percent))),
                "color": {"missed": "bg-danger", "behind": "bg-warning", "met": "bg-success"}.get(
                    row["status"], "bg-primary"
                ),
                "status": statuses[row["status"]],
                "period_start": row["period_start"],
                "period_end": row["period_end"],
            }
        return progress

    def _portal_read_url(self):
        self.ensure_one()
        return f"/my/channel/contracts/{self.contract_id.id}/versions/{self.id}/read"

    def _notify_shared(self):
        # sudo: the portal users of the member
        partners = (
            self.env["res.users"]
            .sudo()
            .search([("partner_id", "child_of", self.member_id.id), ("share", "=", True)])
            .partner_id
        )
        for partner in partners:
            version = self.with_context(lang=partner.lang or self.env.lang)
            version.message_notify(
                partner_ids=partner.ids,
                subject=version.env._("Draft of contract %s", self.contract_id.name),
                body=version.env._(
                    "A draft of contract %(contract)s is ready for you to read and to comment on: %(url)s",
                    contract=self.contract_id.display_name,
                    url=self.get_base_url() + self._portal_read_url(),
                ),
            )
