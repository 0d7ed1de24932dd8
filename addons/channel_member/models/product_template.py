from odoo import api, fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    channel_device_class = fields.Selection(
        [("none", "Not a device"), ("I", "Class I"), ("II", "Class II"), ("III", "Class III")],
        string="Device Class",
        default="none",
        required=True,
        index=True,
        help="Risk class under the device law of the market. What is no device needs no licence of the buyer.",
    )
    channel_category_ids = fields.Many2many(
        "channel.device.category",
        "channel_device_category_product_template_rel",
        "product_tmpl_id",
        "category_id",
        string="Device Categories",
        help="Category in each catalogue in use: a licence covers the product when one of them is in its scope.",
    )
    channel_registration_number = fields.Char(string="Registration Number", index="trigram")
    channel_is_ivd = fields.Boolean(
        string="IVD Reagent",
        help="In-vitro diagnostic reagent: some licences exclude them although they hold the category.",
    )
    channel_licence_exempt = fields.Boolean(
        string="Exempt from Trading Licence",
        help="Listed by the authority as free of trading licence or filing: a member's qualifications are not checked "
        "for this product.",
    )
    channel_needs_authorization = fields.Boolean(
        string="Needs Authorization",
        compute="_compute_channel_needs_authorization",
        store=True,
        readonly=False,
        help="A member may buy it only under an authorization that covers the product, the territory and the date.",
    )

    @api.depends("channel_device_class")
    def _compute_channel_needs_authorization(self):
        for template in self:
            template.channel_needs_authorization = template.channel_device_class not in (False, "none")
