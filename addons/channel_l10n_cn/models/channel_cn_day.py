from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import ormcache

MONDAY_TO_FRIDAY = range(5)


class ChannelCnDay(models.Model):
    """A day on which China works or rests otherwise than the weekday says.

    The General Office of the State Council announces public holidays each November for the next year, and with
    them the Saturdays and Sundays that are worked instead (调休). Odoo's working schedules know days off but no
    Saturday that is worked once, so that legal time limits in working days are counted here. A year without any
    record counts plain weekdays.
    """

    _name = "channel.cn.day"
    _description = "Working Day or Holiday of China"
    _order = "date desc"
    _rec_name = "date"

    date = fields.Date(required=True)
    name = fields.Char(string="Holiday", required=True, translate=True)
    is_working = fields.Boolean(string="Worked", help="A Saturday or Sunday that is worked for a holiday.")

    _date_uniq = models.UniqueIndex("(date)", "This day is in the list already.")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    # === BUSINESS METHODS === #

    @api.model
    def _working_days_before(self, date, count):
        """Return the day that lies ``count`` working days before ``date``; ``date`` itself is not counted.

        Asks the database at most once, and then never until a day of the list changes.

        :param datetime.date date: for example the last day in force of a licence
        :param int count: number of working days, 0 or more
        :rtype: datetime.date
        """
        special = self._special_days()
        while count > 0:
            date -= timedelta(days=1)
            count -= special.get(date, date.weekday() in MONDAY_TO_FRIDAY)
        return date

    @api.model
    @ormcache()
    def _special_days(self):
        """``{date: worked}`` of the whole list, about 36 days a year."""
        # sudo: the calendar of a country is no secret, and every user may see when a licence must be renewed.
        return {day.date: day.is_working for day in self.sudo().search([])}
