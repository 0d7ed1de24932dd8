from odoo import api, fields, models

from odoo.addons.channel_base.tools.domain import check_domain


class ChannelRebateComponent(models.Model):
    """One part of a mix or bundle: products, and how much of them a window must hold.

    A line belongs to the first component that its product is in.
    """

    _name = "channel.rebate.component"
    _description = "Component of a Mix"
    _inherit = ["channel.version.line.mixin"]
    _version_field = "version_id"
    _version_key_fields = ("name",)
    _order = "version_id, sequence, id"

    version_id = fields.Many2one("channel.rebate.program.version", required=True, ondelete="cascade", index=True)
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, translate=True)
    product_domain = fields.Char(string="Products", required=True)
    minimum = fields.Float(
        required=True, digits=(16, 6), min_display_digits=2, help="In the target measure, for each window."
    )

    _minimum_positive = models.Constraint("CHECK (minimum > 0)", "The minimum of a component lies above zero.")

    @api.constrains("product_domain")
    def _check_product_domain(self):
        label = self._fields["product_domain"]._description_string(self.env)
        for component in self:
            check_domain(component.version_id._scope_products(), component.product_domain, label)
