from odoo import fields, models


class ChannelPriceBookLine(models.TransientModel):
    _name = "channel.price.book.line"
    _description = "Price of a Price Book"
    _order = "sequence, quantity, id"
    _rec_name = "product_id"

    book_id = fields.Many2one("channel.price.book", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer()
    product_id = fields.Many2one("product.product", required=True, ondelete="cascade")
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    categ_id = fields.Many2one(related="product_id.categ_id")
    quantity = fields.Float(string="From Quantity", digits="Product Unit")
    currency_id = fields.Many2one(related="book_id.currency_id")
    price = fields.Float(min_display_digits="Product Price")
    rule_id = fields.Many2one("product.pricelist.item", ondelete="set null")
    date_end = fields.Datetime(related="rule_id.date_end", string="Valid To")

    def action_explain(self):
        """Why this price?"""
        self.ensure_one()
        book = self.book_id
        moment = self.env["channel.pricing"]._moment(book.date, book.company_id)
        check = self.env["channel.price.check"].create({
            "company_id": book.company_id.id,
            "member_id": book.member_id.id,
            "customer_id": book.customer_id.id,
            "product_id": self.product_id.id,
            "quantity": self.quantity,
            "date": moment,
        })
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Why this price?"),
            "res_model": check._name,
            "res_id": check.id,
            "view_mode": "form",
            "target": "new",
        }
