from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ChannelDeviceCategory(models.Model):
    """Regulatory category of medical devices (a node of an authority's classification catalogue).

    Several catalogues may be in use side by side (``scheme``): a licence that was issued under an
    old one stays valid, so a product carries its category in each.
    """

    _name = "channel.device.category"
    _description = "Device Category"
    _parent_store = True
    _rec_name = "complete_name"
    _rec_names_search = ["code", "complete_name"]
    _order = "scheme, code, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="Code in the catalogue, for example 13 or 13-07.")
    complete_name = fields.Char(compute="_compute_complete_name", recursive=True, search="_search_complete_name")
    scheme = fields.Char(
        required=True,
        help="Catalogue that the code belongs to, for example cn_2017 or cn_2002.",
    )
    parent_id = fields.Many2one("channel.device.category", index=True, ondelete="restrict")
    parent_path = fields.Char(index=True)
    child_ids = fields.One2many("channel.device.category", "parent_id", string="Sub-Categories")
    active = fields.Boolean(default=True)

    _scheme_code_uniq = models.Constraint(
        "unique(scheme, code)", "The code of a device category must be unique in its catalogue."
    )

    #=== COMPUTE METHODS ===#

    @api.depends("code", "name")
    def _compute_complete_name(self):
        for category in self:
            category.complete_name = f"{category.code or ''} {category.name or ''}".strip()

    def _search_complete_name(self, operator, value):
        if operator not in ("in", "ilike", "like", "=ilike", "=like"):
            return NotImplemented
        return ["|", ("code", operator, value), ("name", operator, value)]

    #=== CONSTRAINT METHODS ===#

    @api.constrains("parent_id")
    def _check_parent_id(self):
        if self._has_cycle():
            raise ValidationError(self.env._("A device category cannot be its own ancestor."))

    @api.constrains("parent_id", "scheme")
    def _check_scheme(self):
        for category in self:
            if category.parent_id and category.parent_id.scheme != category.scheme:
                raise ValidationError(self.env._(
                    "Device category %(category)s belongs to catalogue %(scheme)s and its parent to %(parent_scheme)s; "
                    "a catalogue is one tree, choose a parent from the same one.",
                    category=category.complete_name,
                    scheme=category.scheme,
                    parent_scheme=category.parent_id.scheme,
                ))
