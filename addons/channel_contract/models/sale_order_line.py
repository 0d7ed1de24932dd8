from odoo import api, fields, models

from odoo.addons.channel_base.tools.schema import add_column


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    channel_agreed_version_id = fields.Many2one(
        "channel.contract.version",
        string="Price Agreed in",
        compute="_compute_channel_agreed_version_id",
        store=True,
        copy=False,
        # Sales may sell by contracts that they do not see
        compute_sudo=True,
        index="btree_not_null",
        ondelete="set null",
        help="The contract version in which the price of the line was agreed: a quotation that was sent keeps it.",
    )

    def _auto_init(self):
        # Of lines that exist already nothing is known, and none is priced again for it.
        add_column(self.env.cr, self._table, "channel_agreed_version_id", "int4")
        return super()._auto_init()

    @api.depends(
        "product_id",
        "product_uom_id",
        "product_uom_qty",
        "price_unit",
        "discount",
        "order_id.partner_id",
        "order_id.channel_end_customer_id",
    )
    def _compute_channel_agreed_version_id(self):
        """The contract version whose price rule wins, where the line is sold at its price."""
        for line in self._with_rule_books():
            version = line.pricelist_item_id.channel_contract_version_id
            net = line.price_unit * (1 - (line.discount or 0.0) / 100)
            agreed = version and not line.currency_id.compare_amounts(net, line._get_pricelist_price())
            line.channel_agreed_version_id = version if agreed else False

    def _channel_price_is_agreed(self):
        """A price of a contract too, once the quotation was sent; a draft follows its contract."""
        return super()._channel_price_is_agreed() or bool(self.state == "sent" and self.channel_agreed_version_id)
