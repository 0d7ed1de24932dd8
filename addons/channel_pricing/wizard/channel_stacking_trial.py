from odoo import api, fields, models

from ..tools import stacking


class ChannelStackingTrial(models.TransientModel):
    """Offers and an amount to try a policy with, before it is approved."""

    _name = "channel.stacking.trial"
    _description = "Trial of a Stacking Policy"

    policy_id = fields.Many2one("channel.stacking.policy", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="policy_id.currency_id")
    amount = fields.Monetary(default=100.0, required=True)
    line_ids = fields.One2many("channel.stacking.trial.line", "trial_id", string="Offers")
    steps = fields.Html(compute="_compute_steps", sanitize=False)

    @api.depends("policy_id", "amount", "line_ids.kind", "line_ids.value", "line_ids.group_id", "line_ids.mode",
                 "line_ids.name", "line_ids.sequence", "line_ids.minimum")
    def _compute_steps(self):
        for trial in self:
            policy, currency = trial.policy_id, trial.currency_id
            offers = trial.line_ids.sorted("sequence")
            names = {offer.id: offer.name or self.env._("Offer %s", place) for place, offer in enumerate(offers, 1)}
            [result] = policy._stack(
                [stacking.Line(trial.amount, tuple(offer._stacking_offer() for offer in offers))], currency
            )
            trial.steps = self.env["ir.qweb"]._render("channel_pricing.price_steps", {
                "steps": [policy._step_words(step, currency, names) for step in result.steps],
                "result": float(result.amount),
                "currency": currency,
            })
