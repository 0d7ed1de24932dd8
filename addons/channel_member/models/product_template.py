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
    channel_registration_ids = fields.Many2many(
        "channel.registration",
        "channel_registration_product_template_rel",
        "product_tmpl_id",
        "registration_id",
        string="Registration Certificates",
        copy=False,
        readonly=True,
        groups="base.group_user",
        help="Certificates name their products; the gate asks for the one in force.",
    )
    channel_registration_id = fields.Many2one(
        "channel.registration",
        string="Registration Certificate",
        compute="_compute_channel_registration_id",
        groups="base.group_user",
        help="The certificate in force today, else the newest one.",
    )
    channel_registration_number = fields.Char(
        string="Registration Number",
        compute="_compute_channel_registration_id",
        search="_search_channel_registration_number",
    )
    channel_registration_status = fields.Selection(
        selection=lambda self: self.env["channel.registration"]._fields["status"].selection,
        string="Registration Status",
        compute="_compute_channel_registration_id",
    )
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

    @api.depends(
        "channel_registration_ids.number", "channel_registration_ids.state", "channel_registration_ids.valid_from",
        "channel_registration_ids.valid_to", "channel_registration_ids.cancelled_on",
    )
    def _compute_channel_registration_id(self):
        # sudo: number and status of a certificate are printed on every package; who sees the product may know them.
        for template in self:
            registration = template.sudo().channel_registration_ids._foremost()
            template.channel_registration_id = registration.sudo(self.env.su)
            template.channel_registration_number = registration.number
            template.channel_registration_status = registration.status

    def _search_channel_registration_number(self, operator, value):
        # sudo: as in the compute method
        return [("channel_registration_ids", "in", self.env["channel.registration"].sudo()._search(
            [("number", operator, value)]
        ))] if operator in ("in", "like", "ilike", "=like", "=ilike") else NotImplemented

    @api.depends("channel_device_class")
    def _compute_channel_needs_authorization(self):
        for template in self:
            template.channel_needs_authorization = template.channel_device_class not in (False, "none")
