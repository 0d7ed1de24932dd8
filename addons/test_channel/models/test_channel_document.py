from odoo import fields, models


class TestChannelDocument(models.Model):
    """The identity of a versioned document: what never changes about it."""

    _name = "test.channel.document"
    _description = "Test: versioned document"
    _inherit = ["channel.versioned.mixin"]

    name = fields.Char(required=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    version_ids = fields.One2many("test.channel.document.version", "document_id")
