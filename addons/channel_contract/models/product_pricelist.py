from odoo import api, models
from odoo.fields import Domain


class ProductPricelist(models.Model):
    _inherit = "product.pricelist"

    @api.model
    def _get_partner_pricelist_multi(self, partner_ids):
        """The contract in force today decides, resolved when asked and not copied to the partner."""
        result = self._channel_own_pricelists(partner_ids)
        if not self.env["res.groups"]._is_feature_enabled("product.group_product_pricelist"):
            return result
        partners = self.env["res.partner"].browse([partner_id for partner_id in partner_ids if partner_id])
        company = self.env.company
        result.update(self._channel_contracted(partners, company, company._channel_today()))
        return result

    @api.model
    def _channel_own_pricelists(self, partner_ids):
        """Price lists of partners as they are without any contract: ``{partner_id: product.pricelist}``."""
        # pylint: disable-next=super-method-mismatch  # that method above asks this one, and adds the contracts
        return super()._get_partner_pricelist_multi(partner_ids)

    @api.model
    def _channel_contracted(self, partners, company, day):
        """Price lists by contract.

        :param partners: ``res.partner``; a contact or address has its company's
        :returns: ``{partner_id: product.pricelist}`` for those whose contract in force names one
        """
        # sudo: which price list a contract names is what an order of the member costs; nothing else is read, and
        # the record rules of price lists still hold for what is returned.
        partners_sudo = partners.sudo()
        members = {partner.id: (partner.commercial_partner_id or partner).id for partner in partners_sudo}
        answers = (
            self.env["channel.contract"]
            .sudo()
            ._versions_in_force([(member_id, company.id, day) for member_id in members.values()])
        )
        return {
            partner_id: self.browse(versions[0].pricelist_id.id)
            for partner_id, versions in zip(members, answers, strict=True)
            if versions and versions[0].pricelist_id.active
        }

    def _channel_rules_in_force_domain(self, moment, version=None):
        """Rules of a contract hold while their version of it is in force."""
        day = self._channel_day(moment)
        in_force = (
            self.env["channel.contract.version"]._version_standing_domain()
            & Domain("valid_from", "<=", day)
            & (Domain("valid_to", "=", False) | Domain("valid_to", ">=", day))
            & Domain("contract_id", "any!", Domain("active", "=", True))
            & Domain("company_id", "=", self.env.company.id)
        )
        # any!: whoever asks for a price need not see the contract by which it was agreed
        return super()._channel_rules_in_force_domain(moment, version) & (
            Domain("channel_contract_version_id", "=", False) | Domain("channel_contract_version_id", "any!", in_force)
        )
