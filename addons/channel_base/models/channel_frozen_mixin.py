from odoo import fields, models
from odoo.exceptions import UserError

from ..tools.canonical import canonical_json, digest


class ChannelFrozenMixin(models.AbstractModel):
    """A document whose figures are kept as they were when it was made, with the digest by which they prove it."""

    _name = "channel.frozen.mixin"
    _description = "Frozen Figures"

    made_at = fields.Datetime(string="Figures of", required=True, readonly=True, default=fields.Datetime.now)
    content = fields.Json(required=True, readonly=True, copy=False)
    digest = fields.Char(required=True, readonly=True, copy=False, help="Of the figures, when they were frozen.")

    def write(self, vals):
        if self._frozen_fields() & vals.keys():
            raise UserError(self.env._("The figures of a statement are frozen: make a new one."))
        return super().write(vals)

    def _frozen_fields(self):
        """:return: set of the names of fields that are never written again"""
        return {"made_at", "content", "digest"}

    def _frozen_digest(self, content):
        return digest(canonical_json(content))

    def _frozen_problems(self):
        """:return: list of sentences; empty when the figures are those that were frozen"""
        self.ensure_one()
        if self._frozen_digest(self.content) == self.digest:
            return []
        return [self.env._("The figures are not those that were frozen.")]
