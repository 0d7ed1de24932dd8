from odoo import fields, models


class TestChannelRequest(models.Model):
    """A document with an amount that somebody else approves, then gets paid."""

    _name = "test.channel.request"
    _description = "Test: document to approve"
    _inherit = ["channel.approval.mixin"]

    name = fields.Char(required=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    amount = fields.Float()
    note = fields.Char()
    state = fields.Selection(
        selection_add=[("paid", "Paid"), ("cancelled",)],
        ondelete={"paid": "set default"},
    )

    def _approval_terms(self):
        return ["name", "amount"]
