from odoo import api, fields, models


class ChannelRebateSimulationLine(models.TransientModel):
    """One payee and window of a simulation."""

    _name = "channel.rebate.simulation.line"
    _description = "Window of a Rebate Simulation"
    _order = "window_start, difference desc, id"

    simulation_id = fields.Many2one("channel.rebate.simulation", required=True, index=True, ondelete="cascade")
    currency_id = fields.Many2one(related="simulation_id.currency_id")
    member_id = fields.Many2one("res.partner", string="Payee", required=True, ondelete="cascade")
    window_start = fields.Date()
    window_end = fields.Date()
    base = fields.Float(digits=(16, 2), help="What is paid on, by the draft.")
    tier_from = fields.Float(string="Tier from", digits=(16, 6), min_display_digits=2, aggregator=None)
    rate = fields.Float(string="Rate (%)", digits=(16, 6), min_display_digits=2, aggregator="avg")
    amount_before = fields.Monetary(string="Terms in Force")
    amount_after = fields.Monetary(string="Draft")
    difference = fields.Monetary(compute="_compute_difference", store=True)
    words = fields.Char(string="Calculation", compute="_compute_words")

    @api.depends("amount_before", "amount_after")
    def _compute_difference(self):
        for line in self:
            line.difference = line.amount_after - line.amount_before

    @api.depends("base", "tier_from", "rate", "amount_after")
    def _compute_words(self):
        engine = self.env["channel.rebate.engine"]
        for line in self:
            line.words = self.env._(
                "%(window)s: %(base)s counted, tier from %(tier)s at %(rate)s: %(amount)s",
                window=engine._window_name(line.window_start, line.window_end) if line.window_start else "",
                base=f"{line.base:,.2f}", tier=f"{line.tier_from:,.2f}", rate=f"{line.rate:g}",
                amount=line.currency_id.format(line.amount_after),
            )
