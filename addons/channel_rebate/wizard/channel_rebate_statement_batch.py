from odoo import api, fields, models
from odoo.exceptions import UserError


class ChannelRebateStatementBatch(models.TransientModel):
    """Make the statements of many payees at once."""

    _name = "channel.rebate.statement.batch"
    _description = "Rebate Statements of a Period"

    date_from = fields.Date(required=True, default=lambda self: self._default_period()[0])
    date_to = fields.Date(required=True, default=lambda self: self._default_period()[1])
    member_ids = fields.Many2many(
        "res.partner", string="Payees", domain="[('channel_rebate_balance_ids', '!=', False)]",
        help="Empty: all with a window in the period.",
    )
    send = fields.Boolean(string="Send Them at Once")

    @api.model
    def _default_period(self):
        return self.env["channel.rebate.statement.wizard"]._default_period()

    def action_make(self):
        """Make them, and list them."""
        self.ensure_one()
        if self.date_from > self.date_to:
            raise UserError(
                self.env._("To (%(to)s) lies before From (%(start)s).", to=self.date_to, start=self.date_from)
            )
        members = self.member_ids or self.env["channel.rebate.balance"].search([
            ("window_start", "<=", self.date_to), ("window_end", ">=", self.date_from),
        ]).member_id
        Statement = self.env["channel.rebate.statement"]
        statements = Statement.browse(Statement.make(members.ids, [self.date_from, self.date_to]))
        if self.send:
            statements.filtered(lambda statement: statement.state == "draft").action_send()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_rebate.channel_rebate_statement_action"),
            "domain": [("id", "in", statements.ids)], "context": {},
        }
