from odoo import api, fields, models


class ChannelAlertEscalation(models.Model):
    """Who is told when an alert of a severity stays open for longer than so many hours."""

    _name = "channel.alert.escalation"
    _description = "Alert Escalation"
    _order = "severity, hours, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    severity = fields.Selection(
        [("info", "Information"), ("warning", "Warning"), ("critical", "Critical")],
        required=True,
        default="critical",
    )
    hours = fields.Float(string="After (hours)", required=True, default=24.0, aggregator=None)
    acknowledged = fields.Boolean(
        string="Also When Acknowledged",
        help="Escalate also what somebody has acknowledged and not resolved.",
    )
    user_id = fields.Many2one("res.users", string="To User")
    group_id = fields.Many2one("res.groups", string="To Everybody in Group")
    company_id = fields.Many2one("res.company", help="Empty: all companies.")

    _hours_positive = models.Constraint("CHECK (hours >= 0)", "An escalation cannot come before the alert.")
    _target = models.Constraint(
        "CHECK (user_id IS NOT NULL OR group_id IS NOT NULL)",
        "Name the user or the group that an escalation goes to.",
    )

    @api.model
    def _cron_escalate(self):
        """Apply each rule once to each alert that is old enough; running it again changes nothing."""
        for rule in self.search([("active", "=", True)]):
            rule._escalate()
        # Also here, so that it is seen when the sealing job itself stands still.
        self.env["channel.audit.entry"]._check_unsealed_age()

    def _escalate(self):
        self.ensure_one()
        limit = fields.Datetime.subtract(fields.Datetime.now(), hours=self.hours)
        states = ("open", "acknowledged") if self.acknowledged else ("open",)
        alerts = self.env["channel.alert"].search(
            [
                ("state", "in", states),
                ("severity", "=", self.severity),
                ("first_seen", "<=", limit),
                ("escalation_ids", "not in", self.ids),
                *([("company_id", "=", self.company_id.id)] if self.company_id else []),
            ]
        )
        for company, company_alerts in alerts.grouped("company_id").items():
            users = self._targets(company)
            for user in users:
                company_alerts._schedule_activity(user, note=self.env._("Escalated: %s", self.name))
            company_alerts._message_log_batch(
                bodies={
                    alert.id: self.env._(
                        "Escalated to %(users)s: %(rule)s",
                        users=", ".join(users.mapped("name")),
                        rule=self.name,
                    )
                    for alert in company_alerts
                }
            )
        alerts.write({"escalation_ids": [fields.Command.link(self.id)]})
        return alerts

    def _targets(self, company):
        """Return the users whom the rule tells about alerts of a company."""
        users = self.user_id | self.group_id.all_user_ids
        return users.filtered(
            lambda user: user.active and not user.share and (not company or company in user.company_ids)
        )
