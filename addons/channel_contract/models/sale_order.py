from odoo import api, fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    channel_contract_version_id = fields.Many2one(
        "channel.contract.version",
        string="Contract Version",
        compute="_compute_channel_contract_version_id",
        store=True,
        # The price list and payment terms of the order follow from it and are precomputed
        precompute=True,
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
        Pricelist = self.env["product.pricelist"]
        drafts = self.filtered(lambda order: order.state == "draft" and order.partner_id)
        for company, orders in drafts.grouped("company_id").items():
            partners = orders.partner_id._origin
            today = Pricelist._channel_contracted(partners, company, company._channel_today())
            own = Pricelist.with_company(company)._channel_own_pricelists(list(today))
            for order in orders:
                # sudo: of the contract only the price list is taken, which the record rules of price lists protect
                pricelist = order.sudo().channel_contract_version_id.pricelist_id
                partner_id = order.partner_id._origin.id
                if pricelist.active:
                    order.pricelist_id = pricelist.id
                elif partner_id in today and order.pricelist_id == today[partner_id]:
                    order.pricelist_id = own.get(partner_id)

    @api.depends("channel_contract_version_id")
    def _compute_payment_term_id(self):
        super()._compute_payment_term_id()
        for order in self:
            # sudo: as above
            payment_term = order.sudo().channel_contract_version_id.payment_term_id
            if payment_term:
                order.payment_term_id = payment_term.id
