from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.tools import date_utils


class ChannelAccountStatementBatch(models.TransientModel):
    """Make the statements of account of many dealers at once."""

    _name = "channel.account.statement.batch"
    _description = "Statements of Account of a Period"

    date_from = fields.Date(required=True, default=lambda self: self._default_period()[0])
    date_to = fields.Date(required=True, default=lambda self: self._default_period()[1])
    member_ids = fields.Many2many(
        "res.partner", string="Dealers", domain="[('channel_role', '!=', False), ('parent_id', '=', False)]",
        help="Empty: all members of the channel with an order or a balance.",
    )
    send = fields.Boolean(string="Send Them at Once")

    def _default_period(self):
        """The month that ended last."""
        day = date_utils.start_of(fields.Date.context_today(self), "month") - relativedelta(days=1)
        return date_utils.get_month(day)

    def action_make(self):
        """Make them, and list them."""
        self.ensure_one()
        members = self.member_ids or self.env["res.partner"].search([
            ("channel_role", "!=", False), ("commercial_partner_id", "!=", False), ("parent_id", "=", False),
        ])
        Statement = self.env["channel.account.statement"]
        statements = Statement.browse(Statement.make(members.ids, [self.date_from, self.date_to]))
        if self.send:
            statements.filtered(lambda statement: statement.state == "draft").action_send()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_order.channel_account_statement_action"),
            "domain": [("id", "in", statements.ids)], "context": {},
        }
