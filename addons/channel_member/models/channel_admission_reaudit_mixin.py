from odoo import api, fields, models
from odoo.tools import format_date

from ..tools.admission import ACTIVITY_TYPE, OPEN_STATES, REAUDIT_ALERT


class ChannelAdmissionReauditMixin(models.AbstractModel):
    """Re-audits by the calendar: opened every night, given to a reviewer, announced when overdue.

    Inherited by ``channel.admission``. Which members are due says ``channel.reaudit.rule``.
    """

    _name = "channel.admission.reaudit.mixin"
    _description = "Periodic Re-audit"

    @api.model
    def _cron_open_reaudits(self):
        """Open the re-audits that are due and raise alerts about those overdue. Running it again changes nothing."""
        self.env["channel.reaudit.rule"]._open_due()
        self._alert_overdue()

    def _remind_reviewer(self):
        """Give a re-audit opened by the calendar to who is in charge of the member's region."""
        self.ensure_one()
        reviewer = self._choose_reviewer()
        if reviewer:
            self.reviewer_id = reviewer
            self.activity_schedule(
                ACTIVITY_TYPE,
                user_id=reviewer.id,
                date_deadline=self.due_date,
                summary=self.env._("Re-audit of %s", self.partner_id.name),
            )

    @api.model
    def _alert_overdue(self):
        """One alert for each open re-audit whose day has passed; the alerts of others are closed."""
        today = fields.Date.context_today(self)
        # sudo: the job looks at the members of every region and tidies the alerts of its own source.
        overdue = self.sudo().search([
            ("kind", "=", "reaudit"), ("state", "in", OPEN_STATES), ("due_date", "<", today),
        ])
        keys = {str(admission.id) for admission in overdue}
        alerts = self.env["channel.alert"].sudo()
        standing = alerts.search([("source", "=", REAUDIT_ALERT), ("state", "!=", "resolved")]).mapped("key")
        alerts._clear_alerts(REAUDIT_ALERT, [key for key in standing if key not in keys])
        alerts._raise_alerts(REAUDIT_ALERT, [
            {
                "key": str(admission.id),
                "name": self.env._(
                    "The re-audit of %(member)s was due on %(date)s",
                    member=admission.partner_id.name,
                    date=format_date(self.env, admission.due_date),
                ),
                "severity": "warning",
                "record": admission,
                "company": admission.company_id,
                "user": admission.reviewer_id,
                "region": admission.region_id,
            }
            for admission in overdue
        ])
