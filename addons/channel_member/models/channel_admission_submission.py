import json

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.channel_base.tools.canonical import canonical_json, digest
from odoo.addons.channel_base.tools.private_key import PrivateKey

_FREEZER = PrivateKey("channel_admission_freezer")


class ChannelAdmissionSubmission(models.Model):
    """What was handed in, frozen: particulars, documents, and the digests of their files. Written once."""

    _name = "channel.admission.submission"
    _description = "Submission of an Admission"
    _order = "number desc, id desc"
    _rec_name = "number"

    admission_id = fields.Many2one(
        "channel.admission", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="admission_id.company_id", store=True, index=True)
    number = fields.Integer(required=True, readonly=True, aggregator=None)
    submitted_at = fields.Datetime(required=True, readonly=True)
    user_id = fields.Many2one("res.users", string="Submitted by", required=True, readonly=True, ondelete="restrict")
    snapshot = fields.Text(required=True, readonly=True, help="Canonical JSON.")
    digest = fields.Char(required=True, readonly=True, help="Of the snapshot.")
    summary = fields.Text(string="Contents", compute="_compute_summary")

    _number_uniq = models.Constraint(
        "unique(admission_id, number)", "The submissions of an admission are numbered one by one."
    )

    #=== COMPUTE METHODS ===#

    @api.depends("snapshot")
    def _compute_summary(self):
        for submission in self:
            submission.summary = json.dumps(json.loads(submission.snapshot or "{}"), indent=2, ensure_ascii=False)

    #=== CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        if not _FREEZER.opens(self):
            raise UserError(self.env._("Submissions are made by submitting an admission, not by hand."))
        return super(ChannelAdmissionSubmission, _FREEZER.close(self)).create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("Submissions are kept as they were handed in: they do not change."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("Submissions are kept as they were handed in: they are not deleted."))

    #=== BUSINESS METHODS ===#

    @api.model
    def _freeze(self, admission):
        """Keep what ``admission`` holds now.

        :return: the submission, with superuser rights
        """
        snapshot = canonical_json(admission._snapshot())
        # sudo: nobody writes submissions; the contents are those of the admission at this moment.
        submissions = self.sudo()
        return _FREEZER.close(_FREEZER.open(submissions).create({
            "admission_id": admission.id,
            "number": max(admission.submission_ids.mapped("number"), default=0) + 1,
            "submitted_at": fields.Datetime.now(),
            "user_id": self.env.uid,
            "snapshot": snapshot,
            "digest": digest(snapshot),
        }))

    @api.model
    def _names_file(self, admission, attachment):
        """Whether a submission of ``admission`` contains this file."""
        # sudo: whether, not what
        return any(
            file["id"] == attachment.id
            for submission in admission.sudo().submission_ids
            for document in json.loads(submission.snapshot)["documents"]
            for file in document["files"]
        )
