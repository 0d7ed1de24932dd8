from odoo import api, fields, models


class ChannelRebateEntry(models.Model):
    """One programme looking at one source line: what it counted for and what it earned, or why not.

    Rows are derived: the engine rewrites them from posted lines and approved versions
    (:meth:`channel.rebate.program.accrue`). Nobody edits them, therefore no access right grants more than reading.
    """

    _name = "channel.rebate.entry"
    _description = "Rebate Entry"
    _order = "date, source_id, id"
    _rec_name = "move_line_id"
    _log_access = False

    program_id = fields.Many2one(
        "channel.rebate.program", string="Programme", required=True, readonly=True, ondelete="cascade"
    )
    version_id = fields.Many2one(
        "channel.rebate.program.version", required=True, readonly=True, ondelete="cascade", index=True
    )
    balance_id = fields.Many2one("channel.rebate.balance", compute="_compute_balance_id", search="_search_balance_id")
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True, string="Programme Currency")
    member_id = fields.Many2one("res.partner", required=True, readonly=True, index=True)
    basis = fields.Selection(selection="_selection_basis", required=True, readonly=True)
    source_id = fields.Integer(
        required=True, readonly=True, help="Id of the source line in the table of the basis.", aggregator=None
    )
    move_line_id = fields.Many2one(
        "account.move.line", readonly=True, index="btree_not_null", ondelete="cascade", string="Source Line"
    )
    move_id = fields.Many2one("account.move", related="move_line_id.move_id", string="Document")
    product_id = fields.Many2one("product.product", readonly=True, ondelete="restrict")
    date = fields.Date(required=True, readonly=True, help="Day that puts the line into a window: the invoice date.")
    window_start = fields.Date(required=True, readonly=True)
    window_end = fields.Date(required=True, readonly=True)
    qualifying_amount = fields.Monetary(
        readonly=True, help="Counts towards the tier; net of tax, negative for returns, in programme currency."
    )
    earning_amount = fields.Monetary(
        readonly=True, help="Is multiplied by the rate; net of tax, negative for returns, in programme currency."
    )
    exclusion = fields.Selection(
        [
            ("scope", "Outside the products or the market of the programme"),
            ("rebate_document", "Rebate document"),
        ],
        string="Why Not Counted",
        readonly=True,
    )
    tier_id = fields.Many2one("channel.rebate.tier", readonly=True, ondelete="set null")
    rate = fields.Float(
        string="Rate (%)",
        digits=(16, 6),
        min_display_digits=2,
        readonly=True,
        aggregator=None,
        help="Effective rate on this line.",
    )
    rebate_amount = fields.Monetary(
        readonly=True,
        help="Share of this line in the rounded rebate of its window. Shares add up to the rebate of the window.",
    )

    _source_unique = models.UniqueIndex("(program_id, basis, source_id)")
    _window = models.Index("(program_id, member_id, window_start, window_end)")

    @api.model
    def _selection_basis(self):
        return self.env["channel.rebate.engine"]._selection_basis()

    def _compute_balance_id(self):
        keys = {(e.program_id.id, e.member_id.id, e.window_start, e.window_end) for e in self}
        balances = self.env["channel.rebate.balance"].search(
            [("program_id", "in", [k[0] for k in keys]), ("member_id", "in", [k[1] for k in keys])]
        )
        by_key = {(b.program_id.id, b.member_id.id, b.window_start, b.window_end): b for b in balances}
        for entry in self:
            entry.balance_id = by_key.get(
                (entry.program_id.id, entry.member_id.id, entry.window_start, entry.window_end), False
            )

    def _search_balance_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        return [("id", "in", self.env["channel.rebate.balance"].browse(value)._entries().ids)]

    def _to_json(self):
        """-> list of dicts, one for each line; amounts are numbers in programme currency, days are ISO strings."""
        engine = self.env["channel.rebate.engine"]
        return [
            {
                "entry_id": entry.id,
                "date": entry.date.isoformat(),
                "document": entry.move_id.name or None,
                "product": entry.product_id.display_name or None,
                "window": engine._window_name(entry.window_start, entry.window_end),
                "qualifying": entry.qualifying_amount,
                "earning": entry.earning_amount,
                "excluded": entry.exclusion or None,
                "rate": entry.rate,
                "rebate": entry.rebate_amount,
            }
            for entry in self
        ]
