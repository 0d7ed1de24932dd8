from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.channel_base.models.channel_approval_mixin import _APPROVER
from odoo.addons.channel_base.models.channel_version_mixin import channel_version_overlap

from .channel_contract_type import RENEWALS


class ChannelContractVersion(models.Model):
    """The terms of a contract over a period. Approved ones are in force by their dates, and never edited."""

    _name = "channel.contract.version"
    _description = "Contract Version"
    _inherit = [
        "channel.contract.version.review.mixin",
        "channel.contract.version.renewal.mixin",
        "channel.contract.version.import.mixin",
        "channel.contract.version.clauses.mixin",
        "channel.contract.version.comparison.mixin",
        "channel.contract.version.discussion.mixin",
        "channel.contract.version.document.mixin",
        "channel.contract.version.amendment.mixin",
        "channel.contract.version.accrual.mixin",
        "channel.contract.version.knowledge.mixin",
        "channel.contract.version.terms.mixin",
        "channel.contract.version.archive.mixin",
        "channel.contract.version.signature.mixin",
        "channel.version.mixin",
    ]
    _check_company_auto = True
    _version_identity = "contract_id"
    _version_guarded = True
    _version_line_fields = ("clause_ids", "commitment_ids", "service_level_ids")
    # First in the header: on a phone only the first button shows without a tap
    _tier_validation_buttons_xpath = "/form/header/*[1]"

    contract_id = fields.Many2one("channel.contract", required=True, index=True, ondelete="cascade")
    member_id = fields.Many2one(related="contract_id.member_id", store=True, index=True)
    region_id = fields.Many2one(related="contract_id.region_id", store=True, index="btree_not_null")
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="contract_id.currency_id")
    type_id = fields.Many2one(related="contract_id.type_id")
    contract_type = fields.Selection(related="contract_id.contract_type")
    purpose = fields.Char(help="Why this version: what it agrees, or changes.")
    pricelist_id = fields.Many2one(
        "product.pricelist",
        string="Price Table",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
        help="Orders of the member are priced by it while this version is in force. Empty: the contract says nothing "
        "about prices, and the member's own price list applies.",
    )
    payment_term_id = fields.Many2one(
        "account.payment.term",
        string="Payment Terms",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
    )
    renewal = fields.Selection(
        RENEWALS,
        string="At the End",
        required=True,
        default="none",
        tracking=True,
    )
    notice_days = fields.Integer(
        string="Notice Period (Days)", tracking=True, aggregator=None, help="Before the end, to renew or to terminate."
    )
    company_signatory = fields.Char(
        string="Signatory of the Company", help="Name and function, printed below the text."
    )
    member_signatory = fields.Char(string="Signatory of the Member", help="Name and function, printed below the text.")
    clause_ids = fields.One2many("channel.contract.clause.line", "version_id", string="Clauses", copy=True)
    commitment_ids = fields.One2many("channel.contract.commitment", "version_id", string="Commitments", copy=True)
    authorization_ids = fields.One2many("channel.authorization", "contract_version_id", string="Authorizations")
    document_ids = fields.Many2many(
        "ir.attachment",
        "channel_contract_version_document_rel",
        "version_id",
        "attachment_id",
        string="Documents",
        copy=False,
        bypass_search_access=True,
    )
    timeline = fields.Selection(
        [
            ("draft", "Draft"),
            ("unsigned", "Not signed"),
            ("future", "Not yet in force"),
            ("in_force", "In force"),
            ("ended", "Ended"),
            ("superseded", "Superseded"),
            ("cancelled", "Cancelled"),
        ],
        string="As of Today",
        compute="_compute_timeline",
    )

    _version_overlap = channel_version_overlap(
        "contract_id", "(signature_state)::text = ANY (ARRAY['none'::text, 'signed'::text])"
    )
    _notice_days_positive = models.Constraint("CHECK (notice_days >= 0)", "A notice period cannot be negative.")
    _governing_idx = models.Index("(member_id, company_id, valid_from) WHERE state = 'approved'")

    # === COMPUTE METHODS ===#

    @api.depends("state", "signature_state", "valid_from", "valid_to")
    def _compute_timeline(self):
        today = fields.Date.context_today(self)
        for version in self:
            if version.state != "approved":
                version.timeline = version.state
            elif not version._stands():
                version.timeline = "unsigned"
            elif version.valid_from > today:
                version.timeline = "future"
            else:
                version.timeline = "in_force" if version._covers(today) else "ended"

    # === IN FORCE ===#

    @api.model
    def _in_force_sql(self, version, date):
        """The one answer to what is in force: what stands, within its period, and not suspended.

        :param SQL version: alias of ``channel_contract_version``
        :param SQL date: a day
        :return: SQL condition; call :meth:`_flush_in_force` first
        """
        return SQL(
            """(%(stands)s AND %(v)s.valid_from <= %(date)s AND (%(v)s.valid_to IS NULL OR %(v)s.valid_to >= %(date)s)
                AND NOT EXISTS (SELECT FROM channel_contract_suspension suspension
                                 WHERE suspension.contract_id = %(v)s.contract_id
                                   AND suspension.date_from <= %(date)s
                                   AND (suspension.lifted_on IS NULL OR suspension.lifted_on > %(date)s)))""",
            stands=self._standing_sql(version),
            v=version,
            date=date,
        )

    @api.model
    def _flush_in_force(self):
        self.flush_model(
            [
                "state", "signature_state", "valid_from", "valid_to", "contract_id", "member_id", "company_id",
                "pricelist_id",
            ]
        )
        self.env["channel.contract.suspension"].flush_model(["contract_id", "date_from", "lifted_on"])

    @api.model
    def _phase_sql(self, version):
        """:return: SQL of how far a draft has come: 1 drafted, 2 in internal review, 3 waiting for its approval"""
        return SQL(
            """(CASE WHEN EXISTS (SELECT FROM tier_review r
                                   WHERE r.model = 'channel.contract.version' AND r.res_id = %(v)s.id
                                     AND r.status = 'rejected') THEN 1
                     WHEN %(v)s.submitted_at IS NOT NULL
                       OR EXISTS (SELECT FROM tier_review r
                                   WHERE r.model = 'channel.contract.version' AND r.res_id = %(v)s.id) THEN 3
                     WHEN EXISTS (SELECT FROM channel_contract_version_reading_rel reading
                                   WHERE reading.version_id = %(v)s.id) THEN 2
                     ELSE 1 END)""",
            v=version,
        )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        versions = super().create(vals_list)
        versions.contract_id._check_not_terminated()
        versions._log_event("drafted")
        versions.contract_id._update_stages()
        return versions

    def write(self, vals):
        kind = {"approved": "approved", "cancelled": "cancelled", "superseded": "superseded"}.get(vals.get("state"))
        moved = self.filtered(lambda version: kind and version.state != vals["state"])
        result = super().write(vals)
        moved._log_event(kind)
        self._remember_end(vals)
        if vals.get("state") == "approved" or vals.get("signature_state") == "signed":
            self.filtered(lambda version: version._stands())._govern_documents()
        if self._stage_fields() & vals.keys():
            self.contract_id._update_stages()
        return result

    def unlink(self):
        contracts = self.contract_id
        result = super().unlink()
        contracts.exists()._update_stages()
        return result

    def _log_event(self, kind, **values):
        """Append a line of this kind to the timelines of the contracts of these versions."""
        self.env["channel.contract.event"]._log(
            [
                {"contract_id": version.contract_id.id, "version_id": version.id, "kind": kind, **values}
                for version in self
            ]
        )

    @api.model
    def _stage_fields(self):
        """:return: the set of the fields from which the contract's stage follows"""
        return super()._stage_fields() | {
            "state", "signature_state", "valid_from", "valid_to", "notice_days", "renewal",
        }

    # === ACTION METHODS ===#

    def action_copy_authorizations(self):
        """Draft the authorizations of the version before this one again, for this version's term."""
        self.ensure_one()
        if self.state != "draft":
            raise UserError(self.env._("%s is not a draft any more.", self.display_name))
        previous = self._version_previous().authorization_ids.filtered(lambda a: a.state == "approved")
        if not previous:
            raise UserError(self.env._("The version before has no approved authorization."))
        for authorization in previous:
            authorization.copy(
                {
                    "contract_version_id": self.id,
                    "date_from": self.valid_from,
                    "date_to": self.valid_to,
                }
            )
        return True

    def action_print(self):
        return self.env.ref("channel_contract.channel_contract_report").report_action(self)

    def _get_report_base_filename(self):
        """Name of the file when the portal prints the version."""
        self.ensure_one()
        return f"{self.contract_id.name} v{self.number}"

    # === APPROVAL ===#

    def _approval_before(self):
        self.contract_id._check_not_terminated()
        return super()._approval_before()

    def _approval_step(self, step):
        result = super()._approval_step(step)
        kind = {"requested": "requested", "restarted": "returned", "rejected": "returned"}.get(step)
        if kind:
            self._log_event(kind)
        if step in ("requested", "restarted"):
            _APPROVER.open(self).write({"submitted_at": step == "requested" and fields.Datetime.now()})
        self.contract_id._update_stages()
        return result

    def _approval_done(self):
        result = super()._approval_done()
        # Which price list a member has may be another one from now on
        self.env["res.partner"].invalidate_model(["property_product_pricelist"])
        return result

    def _version_end(self, date, reason=None):
        result = super()._version_end(date, reason)
        self.env["res.partner"].invalidate_model(["property_product_pricelist"])
        return result

    # === BUSINESS METHODS ===#

    def _covers(self, day):
        """Whether a day lies in the version's period, first and last day included."""
        self.ensure_one()
        return self.valid_from <= day and (not self.valid_to or day <= self.valid_to)
