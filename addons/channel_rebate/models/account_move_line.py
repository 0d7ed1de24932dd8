from odoo import api, fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    # Both fields are copied on purpose. What counts as booked or settled is read from posted journal
    # items, so the reversal (or the duplicate) of a rebate document must carry the same link with it:
    # otherwise a reversed credit note would still count as paid, and would enter the rebate base.
    channel_rebate_balance_id = fields.Many2one(
        "channel.rebate.balance",
        string="Rebate Balance",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    channel_rebate_role = fields.Selection(
        [
            ("accrual", "Rebate accrual"),
            ("expense", "Rebate expense"),
            ("settlement", "Rebate settlement"),
        ],
        string="Rebate Role",
        readonly=True,
        index="btree_not_null",
        help="What this journal item is for a rebate programme. Items with a role never enter a rebate base.",
    )

    channel_list_price = fields.Float(
        string="Sales Price of the Product",
        digits="Product Price",
        compute="_compute_channel_list_price",
        store=True,
        precompute=True,
        help="Of one unit of the product, in company currency, when the product was chosen: "
        "rebates on the list price do not follow later price changes.",
    )

    @api.depends("product_id")
    def _compute_channel_list_price(self):
        for line in self:
            is_sale = line.product_id and line.move_id.is_sale_document()
            line.channel_list_price = line.product_id.lst_price if is_sale else False

    def _channel_gate_matters(self):
        # A rebate document moves no goods: the gate has nothing to ask about it.
        return not self.channel_rebate_role and super()._channel_gate_matters()
