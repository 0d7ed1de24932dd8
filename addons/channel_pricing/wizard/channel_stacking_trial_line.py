from odoo import fields, models

from ..models.channel_stacking_policy import MODES
from ..tools import stacking


class ChannelStackingTrialLine(models.TransientModel):
    _name = "channel.stacking.trial.line"
    _description = "Offer to Try"
    _order = "sequence, id"

    trial_id = fields.Many2one("channel.stacking.trial", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    name = fields.Char()
    kind = fields.Selection(
        [(stacking.PERCENT, "%"), (stacking.AMOUNT, "Amount"), (stacking.PRICE, "New price")],
        default=stacking.PERCENT,
        required=True,
    )
    value = fields.Float(required=True, digits=(16, 4))
    group_id = fields.Many2one("channel.stacking.group")
    mode = fields.Selection(MODES)
    minimum = fields.Float(digits=(16, 2))

    def _stacking_offer(self):
        """:returns: `tools.stacking.Offer`"""
        self.ensure_one()
        return stacking.Offer(
            key=self.id,
            kind=self.kind,
            value=self.value,
            group=self.group_id.code or None,
            mode=self.mode or None,
            minimum=self.minimum or None,
        )
