from odoo import models


class ChannelQualification(models.Model):
    _inherit = "channel.qualification"

    def _days_before_expiry(self, days):
        """Count the working days of Chinese law by China's public calendar, not by a company's working hours."""
        qualification_type = self.type_id
        if qualification_type.renewal_day_kind == "working" and qualification_type.country_id.code == "CN":
            return self.env["channel.cn.day"]._working_days_before(self.expiry_date, days)
        return super()._days_before_expiry(days)
