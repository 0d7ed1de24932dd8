import pytz

from odoo import api, fields, models
from odoo.tools import SQL


class ResCompany(models.Model):
    _inherit = "res.company"

    channel_alert_user_id = fields.Many2one(
        "res.users",
        string="Owner of Channel Alerts",
        domain="[('share', '=', False), ('company_ids', 'in', id)]",
        help="Owner of alerts that no region has somebody in charge for. Empty: a channel manager of the company.",
    )

    def _channel_date(self, moment):
        """The calendar day of a moment where the company is.

        :param moment: naive UTC ``datetime``
        :return: ``date`` in the time zone of the company's own partner, else of its working hours, else UTC; never of
            the user, because a document has one day, whoever looks at it
        """
        return pytz.utc.localize(moment).astimezone(pytz.timezone(self._channel_zone())).date()

    def _channel_zone(self):
        """:return: name of the time zone by which the company counts its days"""
        self.ensure_one()
        # Superuser: the time zone of the company is no secret, and portal users need the day too.
        company = self.sudo()
        return company.partner_id.tz or company.resource_calendar_id.tz or "UTC"

    def _channel_today(self):
        """:return: today's ``date`` where the company is"""
        return self._channel_date(fields.Datetime.now())

    @api.model
    def _channel_zones_sql(self):
        """:return: SQL relation ``(company_id, name)``: the time zone of each company, for days in SQL as
            :meth:`_channel_date` gives them
        """
        # Superuser: as above.
        companies = self.sudo().search([])  # pylint: disable=no-search-all  # of companies there are not many
        return SQL(
            "(SELECT * FROM unnest(%s::int[], %s::text[]) AS zone (company_id, name))",
            companies.ids,
            [company._channel_zone() for company in companies],
        )

    def _channel_alert_user(self):
        """Return the user who owns the company's alerts when nobody else is named; may be empty."""
        if self.channel_alert_user_id:
            return self.channel_alert_user_id
        # sudo: who manages the channel, whoever raises the alert
        managers = self.env.ref("channel_base.group_channel_manager").sudo().all_user_ids
        return managers.filtered(lambda user: user.active and (not self or self in user.company_ids)).sorted("id")[:1]
