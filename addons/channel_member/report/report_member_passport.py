from odoo import api, fields, models
from odoo.tools import format_date


class ReportMemberPassport(models.AbstractModel):
    """Values of the PDF: the sections of each member, read with the rights of who prints it."""

    _name = "report.channel_member.report_member_passport"
    _description = "Member Passport Report"

    @api.model
    def _get_report_values(self, docids, data=None):
        passport = self.env["channel.member.passport"]
        members = self.env["res.partner"].browse(docids)
        return {
            "doc_ids": docids,
            "doc_model": "res.partner",
            "docs": members,
            "sections_of": {member.id: passport._sections(passport._member(member.id)) for member in members},
            "printed_on": format_date(self.env, fields.Date.context_today(self)),
            "screen": False,
        }
