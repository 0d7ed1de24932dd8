from odoo import api, fields, models

from odoo.addons.channel_base.models.channel_version_mixin import channel_version_overlap


class ChannelPriceVersion(models.Model):
    """The rules of a price table over a period. Approved ones are in force by their dates, and never edited."""

    _name = "channel.price.version"
    _description = "Price Table Version"
    _inherit = ["channel.version.mixin"]
    _check_company_auto = True
    _version_identity = "pricelist_id"
    _version_line_fields = ("item_ids",)
    # First in the header: on a phone only the first button shows without a tap
    _tier_validation_buttons_xpath = "/form/header/*[1]"

    pricelist_id = fields.Many2one(
        "product.pricelist",
        string="Price Table",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
    )
    company_id = fields.Many2one(related="pricelist_id.company_id", store=True, index="btree_not_null")
    currency_id = fields.Many2one(related="pricelist_id.currency_id")
    purpose = fields.Char(help="Why this version: what it changes.")
    item_ids = fields.One2many("product.pricelist.item", "channel_version_id", string="Rules")
    rule_count = fields.Integer(string="Number of Rules", compute="_compute_rule_count")

    _version_overlap = channel_version_overlap("pricelist_id")

    # === COMPUTE METHODS ===#

    def _compute_rule_count(self):
        counts = dict(
            self.env["product.pricelist.item"]._read_group(
                [("channel_version_id", "in", self.ids)], ["channel_version_id"], ["__count"]
            )
        )
        for version in self:
            version.rule_count = counts.get(version._origin, 0)

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        versions = super().create(vals_list)
        versions.pricelist_id.filtered(lambda table: not table.channel_is_versioned).channel_is_versioned = True
        return versions

    # === ACTION METHODS ===#

    def action_open_rules(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_pricing.channel_price_rule_action"),
            "name": self.display_name,
            "domain": [("channel_version_id", "=", self.id)],
            "context": {"default_pricelist_id": self.pricelist_id.id, "default_channel_version_id": self.id},
        }

    # === APPROVAL ===#

    def _quality_problems(self):
        """What is wrong with the rules of these versions, as texts; asked before they are approved.

        :returns: ``{version: [text]}``; a version without problems may be missing
        """
        return {}
