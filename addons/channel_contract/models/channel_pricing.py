from odoo import api, models


class ChannelPricing(models.AbstractModel):
    _inherit = "channel.pricing"

    @api.model
    def _pricelists_of(self, members, date):
        """The price list of the contract version in force on that day goes before the member's own."""
        result = super()._pricelists_of(members, date)
        day = self.env.company._channel_date(date)
        contracted = self.env["product.pricelist"]._channel_contracted(members, self.env.company, day)
        return {member_id: contracted.get(member_id) or pricelist for member_id, pricelist in result.items()}
