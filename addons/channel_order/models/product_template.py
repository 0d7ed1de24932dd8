from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ProductTemplate(models.Model):
    _inherit = "product.template"

    channel_pack_uom_id = fields.Many2one(
        "uom.uom",
        string="Dealers' Pack",
        domain="['|', ('id', '=', uom_id), ('id', 'in', uom_ids)]",
        ondelete="restrict",
        help="Dealers order whole packs of this only, in whichever unit they write the quantity. Empty: any quantity.",
    )

    @api.constrains("channel_pack_uom_id", "uom_id")
    def _check_channel_pack_uom_id(self):
        for template in self:
            pack = template.channel_pack_uom_id
            if pack and not pack._has_common_reference(template.uom_id):
                raise ValidationError(self.env._(
                    "%(product)s: the pack %(pack)s cannot be converted to %(uom)s, in which it is sold.",
                    product=template.display_name, pack=pack.name, uom=template.uom_id.name,
                ))

    def _channel_pack_quantity(self):
        """:return: how much one pack is in the product's own unit; 0.0 when there is no pack"""
        self.ensure_one()
        if not self.channel_pack_uom_id:
            return 0.0
        return self.channel_pack_uom_id._compute_quantity(1.0, self.uom_id, round=False, raise_if_failure=False)
