import json

from odoo import api, fields, models
from odoo.tools import SQL, format_datetime, formatLang
from odoo.tools.json import json_default

#: Columns of a line that are written by the check, with their types
COLUMNS = {
    "kind": "varchar", "row_number": "int", "rule_id": "int", "applied_on": "varchar", "product_id": "int",
    "product_tmpl_id": "int", "categ_id": "int", "segment_id": "int", "member_id": "int", "customer_id": "int",
    "min_quantity": "numeric", "date_start": "timestamp", "before": "jsonb", "after": "jsonb", "percent": "float8",
}


class ChannelPriceImportLine(models.Model):
    """One rule that an import adds, changes or removes: where it stands, before and after.

    Written by the check in one statement, read by the one that applies it.
    """

    _name = "channel.price.import.line"
    _description = "Change of a Price Import"
    _order = "kind, row_number, id"
    _log_access = False

    import_id = fields.Many2one("channel.price.import", required=True, index=True, readonly=True, ondelete="cascade")
    kind = fields.Selection(
        [("new", "New"), ("changed", "Changed"), ("removed", "Removed")], required=True, readonly=True
    )
    row_number = fields.Integer(string="Row", readonly=True, aggregator=None)
    rule_id = fields.Many2one("product.pricelist.item", readonly=True, index="btree_not_null", ondelete="set null")
    applied_on = fields.Selection(
        selection=lambda self: (
            self.env["product.pricelist.item"]._fields["applied_on"]._description_selection(self.env)
        ),
        string="Level",
        readonly=True,
    )
    product_id = fields.Many2one("product.product", string="Variant", readonly=True, ondelete="cascade")
    product_tmpl_id = fields.Many2one("product.template", string="Product", readonly=True, ondelete="cascade")
    categ_id = fields.Many2one("product.category", string="Category", readonly=True, ondelete="cascade")
    segment_id = fields.Many2one("channel.segment", readonly=True, ondelete="cascade")
    member_id = fields.Many2one("res.partner", readonly=True, ondelete="cascade")
    customer_id = fields.Many2one("res.partner", string="End Customer", readonly=True, ondelete="cascade")
    min_quantity = fields.Float(string="Min. Quantity", digits="Product Unit", readonly=True, aggregator=None)
    date_start = fields.Datetime(string="From", readonly=True)
    before = fields.Json(string="Terms Before", readonly=True)
    after = fields.Json(string="Terms After", readonly=True)
    percent = fields.Float(string="Change (%)", digits=(16, 2), readonly=True, aggregator="avg")
    subject = fields.Char(compute="_compute_words", string="Applied On")
    before_words = fields.Char(string="Before", compute="_compute_words")
    after_words = fields.Char(string="After", compute="_compute_words")

    # === COMPUTE METHODS ===#

    @api.depends("before", "after", "applied_on", "product_id", "product_tmpl_id", "categ_id")
    @api.depends_context("lang")
    def _compute_words(self):
        for line in self:
            subject = line.product_id or line.product_tmpl_id or line.categ_id
            line.subject = subject.display_name or self.env._("All products")
            line.before_words = line._words(line.before)
            line.after_words = line._words(line.after)

    def _words(self, terms):
        """What a rule makes of a price, as a person reads it."""
        if not terms:
            return False
        Item = self.env["product.pricelist.item"]
        values = {name: value for name, value in terms.items() if name in Item._fields and name != "date_end"}
        rule = Item.new({
            **values,
            "pricelist_id": self.import_id.pricelist_id.id,
            "price_markup": -(terms.get("price_discount") or 0),
        })
        if terms["compute_price"] == "fixed":
            words = formatLang(
                self.env, terms["fixed_price"], currency_obj=self.import_id.currency_id, dp="Product Price"
            )
        else:
            words = rule.price
        if terms["date_end"]:
            end = fields.Datetime.to_datetime(terms["date_end"])
            words = self.env._("%(price)s, until %(end)s", price=words, end=format_datetime(self.env, end))
        return words

    # === BUSINESS METHODS ===#

    @api.model
    def _replace(self, record, lines):
        """Make ``lines`` the lines of an import; in one statement, because there may be a hundred thousand.

        :param lines: list of dicts by ``COLUMNS``; ``terms`` for ``after``
        """
        self.flush_model()
        self.env.cr.execute(SQL("DELETE FROM channel_price_import_line WHERE import_id = %s", record.id))
        data = json.dumps(
            [
                {
                    **{name: line.get(name) for name in COLUMNS},
                    "after": line.get("terms"),
                    "percent": self._percent(line.get("before"), line.get("terms")),
                }
                for line in lines
            ],
            default=json_default,
        )
        columns = SQL(", ").join(map(SQL.identifier, COLUMNS))
        self.env.cr.execute(SQL(
            """
            INSERT INTO channel_price_import_line (import_id, %s)
            SELECT %s, %s FROM jsonb_to_recordset(%s) AS line(%s)
            """,
            columns, record.id,
            # An empty object of the list is JSON's null, not the database's
            SQL(", ").join(
                SQL("NULLIF(%s, 'null')", SQL.identifier(name)) if kind == "jsonb" else SQL.identifier(name)
                for name, kind in COLUMNS.items()
            ),
            data,
            SQL(", ").join(SQL("%s %s", SQL.identifier(name), SQL(kind)) for name, kind in COLUMNS.items()),
        ))
        self.invalidate_model()
        record.invalidate_recordset(["line_ids"])

    @api.model
    def _percent(self, before, after):
        """How much a fixed price has changed, in percent; None where there is nothing to compare."""
        if not (before and after and before["compute_price"] == after["compute_price"] == "fixed"):
            return None
        if not before["fixed_price"]:
            return None
        return (after["fixed_price"] / before["fixed_price"] - 1) * 100
