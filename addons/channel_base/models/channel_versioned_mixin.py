from odoo import fields, models


class ChannelVersionedMixin(models.AbstractModel):
    """A document that keeps its identity while its terms change.

    The model declares ``version_ids``, a one2many to a model that inherits ``channel.version.mixin``.
    """

    _name = "channel.versioned.mixin"
    _description = "Versioned Document"
    _inherit = ["channel.versioned.base.mixin"]

    version_count = fields.Integer(compute="_compute_version_count")

    def _compute_version_count(self):
        counts = self._version_counts()
        for document in self:
            document.version_count = counts.get(document._origin, 0)
