from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.channel_base.models.channel_approval_mixin import _APPROVER

ACTIVITY_TYPE = "channel_contract.mail_activity_type_review"


class ChannelContractVersionReviewMixin(models.AbstractModel):
    """How a draft comes to its approval: colleagues read it, then it is submitted.

    Inherited by ``channel.contract.version``. A review decides nothing: who was asked reads, comments in the chatter
    and says that it is done. A submitted draft waits for the reviewers of its tiers, or for whoever approves without.
    """

    _name = "channel.contract.version.review.mixin"
    _description = "Internal Review of a Contract Version"

    reader_ids = fields.Many2many(
        "res.users",
        "channel_contract_version_reader_rel",
        "version_id",
        "user_id",
        string="Readers",
        copy=False,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Colleagues who read the draft before it is submitted for approval.",
    )
    reading_ids = fields.Many2many(
        "res.users",
        "channel_contract_version_reading_rel",
        "version_id",
        "user_id",
        string="Still Reading",
        copy=False,
        readonly=True,
    )
    submitted_at = fields.Datetime(string="Submitted on", readonly=True, copy=False)
    phase = fields.Selection(
        [("draft", "Draft"), ("review", "Internal Review"), ("approval", "Approval")],
        compute="_compute_phase",
        help="How far a draft has come.",
    )
    is_reading = fields.Boolean(compute="_compute_is_reading", help="The user was asked to read the draft.")

    # === COMPUTE METHODS ===#

    @api.depends("state", "reading_ids", "submitted_at", "review_ids.status")
    def _compute_phase(self):
        for version in self:
            if version.state != "draft":
                version.phase = False
            elif version.validation_status == "rejected":
                version.phase = "draft"
            elif version.submitted_at or version.review_ids:
                version.phase = "approval"
            else:
                version.phase = "review" if version.reading_ids else "draft"

    @api.depends_context("uid")
    @api.depends("reading_ids")
    def _compute_is_reading(self):
        for version in self:
            version.is_reading = self.env.user in version.reading_ids

    @api.model
    def _approval_technical_fields(self):
        return super()._approval_technical_fields() | {"reader_ids", "reading_ids", "submitted_at"}

    @api.model
    def _approval_protected_fields(self):
        return [*super()._approval_protected_fields(), "reading_ids", "submitted_at"]

    @api.model
    def _stage_fields(self):
        return {"reading_ids", "submitted_at"}

    # === ACTION METHODS ===#

    def action_request_review(self):
        """Ask the readers of drafts to read them.

        :return: ``True``
        :raise UserError: for what is no draft any more, is submitted, or names no readers
        """
        self.check_access("write")
        self._check_being_drafted()
        for version in self:
            if not version.reader_ids:
                raise UserError(self.env._("Readers of %s: name who is to read it first.", version.display_name))
            version._log_event("review", note=", ".join(version.reader_ids.mapped("name")))
            _APPROVER.open(version).write({"reading_ids": [fields.Command.set(version.reader_ids.ids)]})
            for reader in version.reader_ids:
                version.activity_schedule(
                    ACTIVITY_TYPE, user_id=reader.id, summary=self.env._("Please read %s", version.display_name)
                )
        return True

    def action_read(self, comment=None):
        """Say that one has read a draft that one was asked to read.

        :param str comment: what there is to say about it, if anything
        :return: ``True``
        """
        self.check_access("read")
        user = self.env.user
        for version in self:
            if user not in version.reading_ids:
                raise UserError(self.env._("%s does not wait for you to read it.", version.display_name))
            # sudo: a reader writes nothing of the version, only that it was read
            reading = version.sudo()
            version._log_event("reviewed", note=comment or False)
            _APPROVER.open(reading).write({"reading_ids": [fields.Command.unlink(user.id)]})
            reading.activity_feedback([ACTIVITY_TYPE], user_id=user.id, feedback=comment or "")
        return True

    def action_submit(self):
        """Submit drafts for approval: to the reviewers of the tiers that match, else to whoever may approve.

        :return: ``True``
        :raise UserError: for what is no draft any more or submitted already
        """
        self.check_access("write")
        self._check_being_drafted()
        for version in self:
            version._close_review()
            if version.need_validation:
                version.request_validation()
                continue
            version._log_event("requested")
            _APPROVER.open(version).write(
                {"submitted_at": fields.Datetime.now(), "approval_requested_by_id": self.env.uid}
            )
            approver = version.company_id._channel_alert_user()
            if approver and approver not in version._approval_authors():
                version.activity_schedule(
                    ACTIVITY_TYPE, user_id=approver.id, summary=self.env._("To approve: %s", version.display_name)
                )
        return True

    def action_return(self):
        """Take drafts back from review or approval.

        :return: ``True``
        """
        self.check_access("write")
        for version in self.filtered(lambda version: version.state == "draft"):
            version._close_review()
            if version.review_ids:
                version.restart_validation()
            else:
                version._log_event("returned")
                _APPROVER.open(version).write({"submitted_at": False})
        return True

    # === BUSINESS METHODS ===#

    def _check_being_drafted(self):
        for version in self:
            if version.phase not in ("draft", "review"):
                raise UserError(
                    self.env._("%s is not being drafted: it is submitted, or decided already.", version.display_name)
                )

    def _close_review(self):
        # sudo: activities of the readers are closed by who goes on without them
        self.sudo().activity_unlink([ACTIVITY_TYPE])
        reading = self.filtered("reading_ids")
        if reading:
            _APPROVER.open(reading).write({"reading_ids": [fields.Command.clear()]})

    def _approval_done(self):
        self._close_review()
        return super()._approval_done()
