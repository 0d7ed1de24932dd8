from odoo import fields, models


class TestChannelDocumentLine(models.Model):
    """One term among many of a version."""

    _name = "test.channel.document.line"
    _description = "Test: line of a version"
    _inherit = ["channel.version.line.mixin"]
    _version_field = "version_id"
    _version_key_fields = ("product_id",)

    version_id = fields.Many2one("test.channel.document.version", required=True, index=True, ondelete="cascade")
    product_id = fields.Many2one("product.product")
    price = fields.Float()
