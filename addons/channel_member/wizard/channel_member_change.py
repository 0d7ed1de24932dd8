from odoo import api, fields, models
from odoo.exceptions import UserError

#: Field of the wizard -> field of the member.
FIELDS = {
    "state": "channel_state",
    "role": "channel_role",
    "parent_id": "channel_parent_id",
    "grade_id": "grade_id",
    "region_id": "channel_region_manual_id",
}


class ChannelMemberChange(models.TransientModel):
    """Changes one particular of a member from a day on: a correction of the past, or a decision ahead."""

    _name = "channel.member.change"
    _description = "Change of a Member from a Date"

    partner_id = fields.Many2one("res.partner", string="Member", required=True, readonly=True)
    particular = fields.Selection(
        [
            ("state", "State"),
            ("role", "Role"),
            ("parent_id", "Parent Member"),
            ("grade_id", "Tier"),
            ("region_id", "Region"),
        ],
        required=True,
        default="state",
    )
    date = fields.Date(
        string="From", required=True, default=lambda self: self.env.company._channel_today(),
        help="First day. A day that is over corrects the past; a later one takes effect by the nightly job.",
    )
    state = fields.Selection(selection=lambda self: self._selection("channel_state"))
    role = fields.Selection(selection=lambda self: self._selection("channel_role"))
    parent_id = fields.Many2one("res.partner", string="Parent Member", domain="[('channel_role', '!=', False)]")
    grade_id = fields.Many2one("res.partner.grade", string="Tier")
    region_id = fields.Many2one("channel.region", help="Empty: the region that the address names.")
    reason = fields.Char(required=True)
    backdated = fields.Boolean(compute="_compute_backdated")

    @api.model
    def _selection(self, name):
        return self.env["res.partner"]._fields[name]._description_selection(self.env)

    @api.depends("date")
    def _compute_backdated(self):
        today = self.env.company._channel_today()
        for wizard in self:
            wizard.backdated = bool(wizard.date and wizard.date < today)

    def action_change(self):
        """Make the change with the rights of the user."""
        self.ensure_one()
        value = self[self.particular]
        changed = self.partner_id._channel_change(
            {FIELDS[self.particular]: value.id if isinstance(value, models.BaseModel) else value},
            date=self.date,
            reason=self.reason,
        )
        if not changed:
            raise UserError(self.env._("This is what the history already says: nothing to change."))
        return {"type": "ir.actions.act_window_close"}
