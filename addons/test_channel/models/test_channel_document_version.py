from odoo import fields, models

from odoo.addons.channel_base.models.channel_version_mixin import (
    channel_version_overlap,
)


class TestChannelDocumentVersion(models.Model):
    """The terms of a document over a period."""

    _name = "test.channel.document.version"
    _description = "Test: version of a document"
    _inherit = ["channel.version.mixin"]
    _version_identity = "document_id"
    _version_line_fields = ("line_ids",)

    document_id = fields.Many2one("test.channel.document", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="document_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    rate = fields.Float()
    kind = fields.Selection([("flat", "Flat"), ("tiered", "Tiered")], default="flat")
    partner_ids = fields.Many2many("res.partner", string="Partners")
    remark = fields.Char(help="Not a term: may change after the approval.")
    line_ids = fields.One2many("test.channel.document.line", "version_id", copy=True, string="Lines")

    _version_overlap = channel_version_overlap("document_id")

    def _version_terms(self):
        return ["rate", "kind", "partner_ids"]
