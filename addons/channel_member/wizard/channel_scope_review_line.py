from odoo import api, fields, models
from odoo.fields import Command

from .channel_scope_review import LINE_FIELDS


class ChannelScopeReviewLine(models.TransientModel):
    """One line as it was read, to be corrected before it goes on the document."""

    _name = "channel.scope.review.line"
    _description = "Line of a Review of a Printed Scope"

    review_id = fields.Many2one("channel.scope.review", required=True, ondelete="cascade", index=True)
    sequence = fields.Integer(default=10)
    device_class = fields.Selection(selection=lambda self: self._of_scope("device_class"))
    category_id = fields.Many2one("channel.device.category", help="Empty for every category of the class.")
    scheme = fields.Char(
        string="Catalogue", compute="_compute_scheme", store=True, readonly=False, precompute=True
    )
    excluded_category_ids = fields.Many2many(
        "channel.device.category", "channel_scope_review_line_excluded_rel", "line_id", "category_id",
        string="Except Categories",
    )
    ivd = fields.Selection(selection=lambda self: self._of_scope("ivd"), default="with", required=True)
    limitation = fields.Char()
    limit_kind = fields.Selection(selection=lambda self: self._of_scope("limit_kind"), string="Limited to")
    source_text = fields.Char(string="As Printed")
    remark = fields.Char(readonly=True, help="Why a person should look at this line.")

    @api.model
    def _of_scope(self, name):
        return self.env["channel.qualification.scope"]._fields[name].selection

    @api.depends("category_id")
    def _compute_scheme(self):
        for line in self:
            line.scheme = line.category_id.scheme or line.scheme

    def _scope_values(self):
        """Values of a ``channel.qualification.scope``."""
        self.ensure_one()
        values = {}
        for name in LINE_FIELDS:
            field, value = self._fields[name], self[name]
            if field.type == "many2many":
                value = [Command.set(value.ids)]
            elif field.type == "many2one":
                value = value.id
            values[name] = value
        return values
