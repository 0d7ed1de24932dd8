from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import date_utils


class ChannelRebateStatementWizard(models.TransientModel):
    _name = "channel.rebate.statement.wizard"
    _description = "Rebate Statement"

    member_id = fields.Many2one("res.partner", required=True, domain="[('channel_role', '!=', False)]")
    date_from = fields.Date(required=True, default=lambda self: self._default_period()[0])
    date_to = fields.Date(required=True, default=lambda self: self._default_period()[1])

    @api.model
    def _default_period(self):
        """The quarter that ended last: the one that statements are sent for."""
        day = date_utils.start_of(fields.Date.context_today(self), "quarter") - relativedelta(days=1)
        return date_utils.get_quarter(day)

    def _check_period(self):
        if self.date_from > self.date_to:
            raise UserError(
                self.env._(
                    "To (%(to)s) lies before From (%(from)s).",
                    **{
                        "to": self.date_to,
                        "from": self.date_from,
                    },
                )
            )

    def action_pdf(self):
        self.ensure_one()
        self._check_period()
        return self.env.ref("channel_rebate.action_report_rebate_statement").report_action(
            self.member_id,
            data={
                "member_id": self.member_id.commercial_partner_id.id,
                "period": [self.date_from.isoformat(), self.date_to.isoformat()],
            },
        )

    def action_xlsx(self):
        self.ensure_one()
        self._check_period()
        return {
            "type": "ir.actions.act_url",
            "target": "self",
            "url": f"/channel/rebates/{self.member_id.commercial_partner_id.id}/statement.xlsx"
            f"?date_from={self.date_from.isoformat()}&date_to={self.date_to.isoformat()}",
        }
