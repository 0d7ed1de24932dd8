from odoo import api, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_approved_price_version(self):
        self.env["product.pricelist.item"]._channel_check_kept("product_tmpl_id", self)

    @api.model
    def _get_configurator_price(
        self, product_or_template, quantity, date, currency, pricelist, *, channel_member_id=None,
        channel_customer_id=None, **kwargs
    ):
        """The configurators ask before there is an order line: they name the parties of their order.

        :param int channel_member_id: ``res.partner`` who buys
        :param int channel_customer_id: ``res.partner``, the end customer
        """
        parties = self.env["res.partner"].browse(filter(None, (channel_member_id, channel_customer_id)))
        # Whoever may not see a partner may not see its prices either
        parties.check_access("read")
        member, customer = (
            self.env["res.partner"].browse(party_id).commercial_partner_id
            for party_id in (channel_member_id, channel_customer_id)
        )
        return super()._get_configurator_price(
            product_or_template, quantity, date, currency, pricelist, member=member, customer=customer, **kwargs
        )
