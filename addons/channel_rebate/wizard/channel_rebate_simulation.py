from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import date_utils


class ChannelRebateSimulation(models.TransientModel):
    """What a draft version would have cost, against the terms in force, on the sales of a past period.

    The draft is taken for the terms of the whole period, with its bounds and rates moved if wanted; nothing of that is
    kept. Who wins and who loses is told payee by payee and window by window.
    """

    _name = "channel.rebate.simulation"
    _description = "Rebate Simulation"

    version_id = fields.Many2one(
        "channel.rebate.program.version", string="Draft Version", required=True, ondelete="cascade",
        domain="[('state', '=', 'draft')]",
    )
    program_id = fields.Many2one(related="version_id.program_id")
    currency_id = fields.Many2one(related="version_id.currency_id")
    member_id = fields.Many2one(
        "res.partner", string="Payee", help="Only of this one, with the calculation in words. Empty: of all."
    )
    date_from = fields.Date(required=True, default=lambda self: self._default_period()[0])
    date_to = fields.Date(required=True, default=lambda self: self._default_period()[1])
    bounds_percent = fields.Float(
        string="Move Bounds by (%)", digits=(16, 2), help="10: each tier begins a tenth higher; -10: a tenth lower."
    )
    rates_percent = fields.Float(
        string="Change Rates by (%)", digits=(16, 2), help="10: a rate of 2 % becomes 2.2 %."
    )
    line_ids = fields.One2many("channel.rebate.simulation.line", "simulation_id", string="Windows", readonly=True)
    calculated = fields.Boolean(readonly=True)
    amount_before = fields.Monetary(string="Terms in Force", compute="_compute_totals")
    amount_after = fields.Monetary(string="Draft", compute="_compute_totals")
    difference = fields.Monetary(compute="_compute_totals")
    gainers = fields.Integer(string="Payees that Gain", compute="_compute_totals")
    losers = fields.Integer(string="Payees that Lose", compute="_compute_totals")

    @api.model
    def _default_period(self):
        """The last twelve months that are over."""
        last = date_utils.start_of(fields.Date.context_today(self), "month") - relativedelta(days=1)
        return last + relativedelta(days=1) - relativedelta(years=1), last

    @api.depends("line_ids.amount_before", "line_ids.amount_after")
    def _compute_totals(self):
        for simulation in self:
            lines, currency = simulation.line_ids, simulation.currency_id
            simulation.amount_before = sum(lines.mapped("amount_before"))
            simulation.amount_after = sum(lines.mapped("amount_after"))
            simulation.difference = simulation.amount_after - simulation.amount_before
            signs = [
                currency.compare_amounts(sum(group.mapped("difference")), 0)
                for group in lines.grouped("member_id").values()
            ]
            simulation.gainers = sum(sign > 0 for sign in signs)
            simulation.losers = sum(sign < 0 for sign in signs)

    # === ACTIONS === #

    def action_calculate(self):
        """Calculate anew, and stay in the dialog."""
        self.ensure_one()
        self._calculate()
        return {
            "type": "ir.actions.act_window", "name": self.env._("Simulation"), "res_model": self._name,
            "res_id": self.id, "view_mode": "form", "views": [(False, "form")], "target": "new",
        }

    def action_analyse(self):
        """Open the windows as a pivot: by payee, by month, by tier."""
        self.ensure_one()
        if not self.calculated:
            self._calculate()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_rebate.channel_rebate_simulation_line_action"),
            "domain": [("simulation_id", "=", self.id)],
        }

    # === BUSINESS METHODS === #

    def _calculate(self):
        version, program = self.version_id, self.program_id
        if version.state != "draft":
            raise UserError(self.env._("%s is not a draft: make a new version and try that.", version.display_name))
        if self.date_from > self.date_to:
            raise UserError(
                self.env._("To (%(to)s) lies before From (%(start)s).", to=self.date_to, start=self.date_from)
            )
        if problems := list(version._problems()):
            raise UserError("\n".join(problems))
        before = program.simulate(self.date_from, self.date_to)
        after = self._simulate_draft()
        rows = {}
        for amount, found in (("amount_before", before), ("amount_after", after)):
            for row in found:
                if self.member_id and row["member_id"] != self.member_id.commercial_partner_id.id:
                    continue
                key = (row["member_id"], row["window_start"], row["window_end"])
                values = rows.setdefault(key, {
                    "member_id": row["member_id"], "window_start": row["window_start"], "window_end": row["window_end"],
                })
                values[amount] = row["entitlement"]
                if amount == "amount_after" or "base" not in values:
                    values |= {"base": row["base"], "tier_from": row["tier_from"] or 0.0, "rate": row["rate"]}
        self.write({
            "line_ids": [Command.clear(), *(Command.create(rows[key]) for key in sorted(rows))], "calculated": True,
        })

    def _simulate_draft(self):
        """The rows of `channel.rebate.program.simulate`, as if the draft had held in the whole period.

        It is changed for the time of the calculation and changed back by the database, also when that fails.
        """
        # sudo: who may simulate need not be who edits the draft; nothing of this stays
        version = self.version_id.sudo()
        with self.env.cr.savepoint() as savepoint:
            version.write({"valid_from": self.date_from, "valid_to": False})
            for tier in version.tier_ids:
                tier.write({
                    "lower_bound": tier.lower_bound * (1 + self.bounds_percent / 100),
                    "rate": tier.rate * (1 + self.rates_percent / 100),
                })
            self.env.flush_all()
            try:
                return self.program_id.simulate(self.date_from, self.date_to, version_ids=version.ids)
            finally:
                self.env.flush_all()
                savepoint.rollback()
                self.env.invalidate_all(flush=False)
