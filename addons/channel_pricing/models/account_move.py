from odoo import api, models


class AccountMove(models.Model):
    _inherit = "account.move"

    # === ONCHANGE METHODS ===#

    @api.onchange("partner_id", "channel_end_customer_id", "invoice_date")
    def _onchange_channel_parties(self):
        self.invoice_line_ids._channel_reprice()

    # === BUSINESS METHODS ===#

    def _channel_pricing_kwargs(self):
        """The parties on which prices of this invoice depend, as keywords for the price list's methods."""
        self.ensure_one()
        return {
            "member": self.commercial_partner_id,
            "customer": self.channel_end_customer_id.commercial_partner_id,
        }

    def _channel_price_moment(self):
        """The moment whose prices hold: noon of the invoice's day, now while it has none."""
        self.ensure_one()
        return self.env["channel.pricing"]._moment(self.invoice_date, self.company_id or self.env.company)
