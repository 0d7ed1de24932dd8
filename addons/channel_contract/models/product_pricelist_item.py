from odoo import api, fields, models
from odoo.exceptions import ValidationError

# Rules of a contract are tried before all others: four ranks of parties before those without a contract
CONTRACT_RANKS = 4


class ProductPricelistItem(models.Model):
    _inherit = "product.pricelist.item"

    channel_contract_version_id = fields.Many2one(
        comodel_name="channel.contract.version",
        string="Contract Version",
        ondelete="restrict",
        index="btree_not_null",
        help="The price was agreed there: it holds for the contract's member while this version is in force, and is "
        "tried before all prices without a contract for the same product, category or all products.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("channel_contract_version_id")
    def _compute_channel_rank(self):
        super()._compute_channel_rank()
        for item in self.filtered("channel_contract_version_id"):
            item.channel_rank -= CONTRACT_RANKS

    # === CONSTRAINT METHODS ===#

    @api.constrains("channel_contract_version_id", "channel_member_id")
    def _check_channel_contract_version_id(self):
        for item in self:
            # sudo: which member a contract is with is said by the rule itself
            member = item.channel_contract_version_id.sudo().member_id.commercial_partner_id
            if member and item.channel_member_id != member:
                raise ValidationError(
                    self.env._(
                        "%(contract)s is a contract with %(member)s: its price rules are for that member.",
                        # sudo: the number of the contract behind a price, not its terms
                        contract=item.channel_contract_version_id.sudo().display_name,
                        member=member.display_name,
                    )
                )

    # === ONCHANGE METHODS ===#

    @api.onchange("channel_contract_version_id")
    def _onchange_channel_contract_version_id(self):
        for item in self.filtered("channel_contract_version_id"):
            item.channel_member_id = item.channel_contract_version_id.member_id.commercial_partner_id

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        Version = self.env["channel.contract.version"]
        for vals in vals_list:
            if vals.get("channel_contract_version_id") and not vals.get("channel_member_id"):
                # sudo: as above
                version = Version.sudo().browse(vals["channel_contract_version_id"])
                vals["channel_member_id"] = version.member_id.commercial_partner_id.id
        return super().create(vals_list)

    # === BUSINESS METHODS ===#

    @api.model
    def _channel_party_columns(self):
        return [*super()._channel_party_columns(), "channel_contract_version_id"]
