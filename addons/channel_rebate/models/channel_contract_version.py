from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ChannelContractVersion(models.Model):
    _inherit = "channel.contract.version"

    rebate_payee_ids = fields.Many2many(
        "res.partner", "channel_contract_version_rebate_payee_rel", "version_id", "partner_id",
        string="Other Payees of Rebates", ondelete="restrict", domain="[('is_company', '=', True)]",
        help="Companies beside the member to which its rebates may be paid. Who is not named here is paid nothing.",
    )

    @api.constrains("rebate_payee_ids")
    def _check_rebate_payees(self):
        for version in self:
            if person := version.rebate_payee_ids.filtered(lambda p: not p.is_company)[:1]:
                raise ValidationError(self.env._(
                    "Other Payees of Rebates: %s is a person. Choose a company that books them.",
                    person.display_name,
                ))
