from odoo import api, fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    channel_contract_version_id = fields.Many2one(
        "channel.contract.version",
        string="Contract Version",
        compute="_compute_channel_contract_version_id",
        store=True,
        index="btree_not_null",
        ondelete="restrict",
        # Sales may order for members whose contracts they do not see
        compute_sudo=True,
        help="The version in force on the order's date. It governs the order: its price table is the order's.",
    )

    @api.depends("partner_id", "company_id", "date_order")
    def _compute_channel_contract_version_id(self):
        orders = self.filtered(lambda order: order.partner_id and order.company_id)
        (self - orders).channel_contract_version_id = False
        answers = self.env["channel.contract"]._versions_in_force(
            [
                (
                    order.partner_id.commercial_partner_id.id,
                    order.company_id.id,
                    order.company_id._channel_date(order.date_order or fields.Datetime.now()),
                )
                for order in orders
            ]
        )
        for order, versions in zip(orders, answers, strict=True):
            order.channel_contract_version_id = versions[:1]

    @api.depends("channel_contract_version_id")
    def _compute_pricelist_id(self):
        """By the contract on the order's date, where core takes what holds today."""
        super()._compute_pricelist_id()
        for order in self:
            if order.state != "draft" or not order.partner_id:
                continue
            # sudo: of the contract only the price list is taken, which the record rules of price lists protect
            pricelist = order.sudo().channel_contract_version_id.pricelist_id
            if pricelist.active:
                order.pricelist_id = pricelist.id

    @api.depends("channel_contract_version_id")
    def _compute_payment_term_id(self):
        super()._compute_payment_term_id()
        for order in self:
            # sudo: as above
            payment_term = order.sudo().channel_contract_version_id.payment_term_id
            if payment_term:
                order.payment_term_id = payment_term.id
