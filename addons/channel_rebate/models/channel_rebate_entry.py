from odoo import api, fields, models

from ..tools.fields import LooseMany2one


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

    program_id = LooseMany2one("channel.rebate.program", string="Programme", required=True, readonly=True)
    version_id = LooseMany2one("channel.rebate.program.version", required=True, readonly=True)
    balance_id = fields.Many2one("channel.rebate.balance", compute="_compute_balance_id", search="_search_balance_id")
    company_id = LooseMany2one("res.company", required=True, readonly=True)
    currency_id = LooseMany2one("res.currency", required=True, readonly=True, string="Programme Currency")
    member_id = LooseMany2one(
        "res.partner", string="Payee", required=True, readonly=True, help="To whom the rebate of the line belongs."
    )
    pool_id = LooseMany2one(
        "res.partner", string="Earned Together by", required=True, readonly=True, help="Whose lines add up to a tier."
    )
    buyer_id = LooseMany2one("res.partner", string="Buyer", required=True, readonly=True)
    basis = fields.Selection(selection="_selection_basis", required=True, readonly=True)
    source_id = fields.Integer(
        required=True, readonly=True, help="Id of the source line in the table of the basis.", aggregator=None
    )
    unit_id = fields.Integer(
        readonly=True,
        aggregator=None,
        help="Document or line that is a tier's unit by itself; 0 where the lines of the window add up.",
    )
    move_line_id = LooseMany2one("account.move.line", readonly=True, string="Source Line")
    move_id = fields.Many2one("account.move", related="move_line_id.move_id", string="Document")
    product_id = LooseMany2one("product.product", readonly=True)
    component_id = LooseMany2one("channel.rebate.component", readonly=True)
    date = fields.Date(required=True, readonly=True, help="Day that puts the line into a window.")
    window_start = fields.Date(required=True, readonly=True)
    window_end = fields.Date(required=True, readonly=True)
    qualifying_amount = fields.Float(
        string="Counts towards the Tier",
        digits=(16, 6),
        min_display_digits=2,
        readonly=True,
        help="In the target measure; negative for returns.",
    )
    earning_amount = fields.Float(
        string="Is Paid on",
        digits=(16, 6),
        min_display_digits=2,
        readonly=True,
        help="In the earning measure; negative for returns.",
    )
    market_amount = fields.Float(
        string="Purchases of the Category", digits=(16, 6), min_display_digits=2, readonly=True
    )
    exclusion = fields.Selection(
        selection="_selection_exclusion", string="Why Not Counted", readonly=True
    )
    collection_factor = fields.Float(
        string="Collection Factor (%)",
        digits=(16, 6),
        min_display_digits=0,
        readonly=True,
        aggregator=None,
        help="By the days until the invoice was paid. Empty: the terms have none.",
    )
    tier_id = LooseMany2one("channel.rebate.tier", readonly=True)
    rate = fields.Float(
        string="Rate (%)",
        digits=(16, 6),
        min_display_digits=2,
        readonly=True,
        aggregator=None,
        help="Effective rate on this line: rebate for 100 of what is paid on.",
    )
    total_after = fields.Float(
        string="Running Total",
        digits=(16, 6),
        min_display_digits=2,
        readonly=True,
        aggregator=None,
        help="What is paid on up to this line, in its window (or unit), by day.",
    )
    share = fields.Float(digits=(16, 6), readonly=True, aggregator=None, help="Part of the line that is the payee's.")
    share_before = fields.Float(
        digits=(16, 6), readonly=True, aggregator=None, help="Parts of the payees before this one."
    )
    forgone_amount = fields.Monetary(
        string="Granted Elsewhere",
        readonly=True,
        help="What this programme would have granted, had not another one of a best combination granted more.",
    )
    rebate_amount = fields.Monetary(
        readonly=True,
        help="What this line earns. The lines of a window add up to its rebate, to the cent.",
    )

    # No foreign keys: they cost more than the rows. What the rows point to is kept by the documents themselves, and a
    # source line that is deleted takes its entries with it at the next run.
    _source_unique = models.UniqueIndex("(source_id, program_id, basis, member_id)")
    _window = models.Index("(program_id, pool_id, window_start, unit_id, date, source_id)")

    @api.model
    def _selection_exclusion(self):
        return self.env["channel.rebate.engine"]._selection_exclusion()

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
