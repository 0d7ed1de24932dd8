from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ChannelContractCommitment(models.Model):
    """What the member undertakes to buy in each period, in the contract's currency, before tax."""

    _name = "channel.contract.commitment"
    _description = "Commitment of a Contract Version"
    _inherit = ["channel.version.line.mixin"]
    _order = "version_id, sequence, id"
    _version_field = "version_id"
    _version_key_fields = ("name",)

    version_id = fields.Many2one("channel.contract.version", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    name = fields.Char(string="Subject", required=True)
    period = fields.Selection(
        [("month", "Month"), ("quarter", "Quarter"), ("year", "Year"), ("term", "Whole Term")],
        required=True,
        default="year",
    )
    product_categ_id = fields.Many2one("product.category", string="Product Category", help="Empty: all products.")
    amount = fields.Monetary(required=True, help="Before tax, in each period.")
    currency_id = fields.Many2one(related="version_id.currency_id")

    @api.constrains("amount")
    def _check_amount(self):
        for commitment in self:
            if commitment.amount <= 0:
                raise ValidationError(
                    self.env._(
                        "Commitment %(name)s: the amount must be above 0, it is %(amount)s.",
                        name=commitment.name,
                        amount=commitment.amount,
                    )
                )
