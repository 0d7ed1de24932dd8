from odoo import api, fields, models
from odoo.exceptions import UserError


class ChannelContractVersionTermsMixin(models.AbstractModel):
    """Terms of credit, quality and service. Inherited by ``channel.contract.version``."""

    _name = "channel.contract.version.terms.mixin"
    _description = "Credit, Quality and Service of a Contract Version"

    # Of the contract; named here for the amounts below
    currency_id = fields.Many2one("res.currency")
    has_credit_limit = fields.Boolean(string="Credit Limit", tracking=True)
    credit_limit = fields.Monetary(
        string="Amount of the Credit",
        tracking=True,
        help="What may be owed at any time, in the contract's currency: open receivables and orders not yet invoiced.",
    )
    stops_overdue = fields.Boolean(
        string="Stop When Overdue", tracking=True, help="Orders are stopped while something is owed for too long."
    )
    overdue_days = fields.Integer(
        string="Days of Grace", tracking=True, aggregator=None, help="After the due date, before orders are stopped."
    )
    quality_form = fields.Selection(
        [
            ("none", "Not agreed"),
            ("clause", "Clause of this contract"),
            ("agreement", "Separate quality agreement"),
        ],
        string="Quality Responsibility",
        required=True,
        default="none",
        tracking=True,
        help="Where the parties have agreed who answers for the quality of the goods.",
    )
    quality_note = fields.Text(
        string="Who Answers for What",
        help="Documents handed over, storage and transport, complaints, recalls, adverse events.",
    )
    after_sales_side = fields.Selection(
        [("company", "The Company"), ("member", "The Member"), ("third", "A Third Party")],
        string="After-sales Service by",
        tracking=True,
    )
    service_level_ids = fields.One2many(
        "channel.contract.service.level", "version_id", string="Service Levels", copy=True
    )

    _credit_limit_positive = models.Constraint(
        "CHECK (credit_limit >= 0 AND overdue_days >= 0)", "A credit limit and days of grace cannot be negative."
    )

    @api.model
    def _type_terms(self, kind, start):
        """:return: values of a version with which a contract of type ``kind`` starts on the day ``start``"""
        return {
            "valid_to": kind.term_months
            and fields.Date.subtract(fields.Date.add(start, months=kind.term_months), days=1),
            "renewal": kind.renewal,
            "renewal_months": kind.renewal_months,
            "notice_days": kind.notice_days,
        }

    def _approval_before(self):
        """Where the type asks for it, the responsibility for quality is agreed."""
        for version in self.filtered("type_id.quality_required"):
            if version.quality_form == "none":
                raise UserError(
                    self.env._(
                        "%(version)s does not say who answers for the quality of the goods, which contracts of type "
                        "%(type)s must: name the clause or the quality agreement under Quality Responsibility.",
                        version=version.display_name,
                        type=version.type_id.name,
                    )
                )
            if version.quality_form == "agreement" and "quality" not in version.document_ids.mapped(
                "channel_contract_kind"
            ):
                raise UserError(
                    self.env._(
                        "%s rests on a separate quality agreement: add it to the documents, as a document of kind "
                        "Quality Agreement.",
                        version.display_name,
                    )
                )
        return super()._approval_before()
