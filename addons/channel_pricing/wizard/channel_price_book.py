import base64

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class ChannelPriceBook(models.TransientModel):
    """All prices of one member, to look at and to take along."""

    _name = "channel.price.book"
    _description = "Price Book"

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    member_id = fields.Many2one(
        "res.partner", domain=[("channel_role", "!=", False), ("parent_id", "=", False)]
    )
    customer_id = fields.Many2one(
        "res.partner", string="End Customer", domain=[("is_company", "=", True), ("parent_id", "=", False)],
        help="For whom it is bought, if the prices may depend on it.",
    )
    date = fields.Date(help="What things cost, did cost or will cost on this day; empty for now.")
    category_id = fields.Many2one("product.category", string="Product Category")
    authorized_only = fields.Boolean(default=True, help="Leave out what the member is not authorised for.")
    line_ids = fields.One2many("channel.price.book.line", "book_id", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    xlsx = fields.Binary(string="Price Book (XLSX)", compute="_compute_xlsx")

    @api.depends("member_id")
    def _compute_display_name(self):
        for book in self:
            name = book.member_id.name
            book.display_name = self.env._("Prices of %s", name) if name else self.env._("Price Book")

    @api.depends("company_id", "member_id", "customer_id", "date", "category_id", "authorized_only")
    def _compute_xlsx(self):
        for record in self:
            day = record.date and fields.Date.to_string(record.date)
            content = self.env["channel.pricing"].with_company(record.company_id)._book_file(
                record._answer(), record.member_id, record.customer_id, day
            )
            record.xlsx = base64.b64encode(content)

    def action_show(self):
        """Fill the lines anew and open them."""
        self.ensure_one()
        book = self._answer()
        self.line_ids.unlink()
        self.currency_id = self.env["res.currency"].search([("name", "=", book["currency"])], limit=1)
        rows = [
            (row["product_id"], price["quantity"], price["price_unit"], price["pricelist_item_id"] or None, number)
            for number, row in enumerate(book["rows"])
            for price in row["prices"]
        ]
        if rows:
            products, quantities, prices, rules, sequences = map(list, zip(*rows, strict=True))
            # By SQL: a book has tens of thousands of lines, which live for an hour
            self.env.execute_query(SQL(
                """
                INSERT INTO channel_price_book_line
                       (book_id, product_id, quantity, price, rule_id, sequence,
                        create_uid, write_uid, create_date, write_date)
                SELECT %s, product_id, quantity, price, rule_id, sequence,
                       %s, %s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
                  FROM unnest(%s::int[], %s::numeric[], %s::float[], %s::int[], %s::int[])
                    AS line(product_id, quantity, price, rule_id, sequence)
             RETURNING id
                """,
                self.id, self.env.uid, self.env.uid, products, quantities, prices, rules, sequences,
            ))
        self.invalidate_recordset(["line_ids"])
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": "channel.price.book.line",
            "view_mode": "list,kanban",
            "domain": [("book_id", "=", self.id)],
            "context": {"create": False, "edit": False},
        }

    def action_download(self):
        self.ensure_one()
        self._check_complete()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/xlsx/prices-{self.member_id.id}.xlsx?download=true",
            "target": "download",
        }

    def _answer(self):
        self.ensure_one()
        self._check_complete()
        return self.env["channel.pricing"].price_book(
            self.member_id.id,
            customer_id=self.customer_id.id or None,
            date=self.date and fields.Date.to_string(self.date) or None,
            company_id=self.company_id.id,
            category_id=self.category_id.id or None,
            authorized_only=self.authorized_only,
        )

    def _check_complete(self):
        if not self.member_id:
            raise UserError(self.env._("Member: choose whose prices you want."))
