from odoo import api, models


class ChannelPricing(models.AbstractModel):
    _inherit = "channel.pricing"

    @api.model
    def _pricelists_of(self, members, date):
        """The price list of the contract version in force on that day goes before the member's own."""
        Pricelist = self.env["product.pricelist"]
        company = self.env.company
        today = Pricelist._channel_contracted(members, company, company._channel_today())
        contracted = Pricelist._channel_contracted(members, company, company._channel_date(date))
        own = Pricelist._channel_own_pricelists(members.ids)
        # What holds today by contract is no answer for another day
        return {
            member_id: contracted.get(member_id) or (own.get(member_id, Pricelist) if member_id in today else pricelist)
            for member_id, pricelist in super()._pricelists_of(members, date).items()
        }
