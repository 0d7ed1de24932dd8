from odoo import models
from odoo.exceptions import UserError


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """A company that was admitted is merged into no other: its history, contracts and rebates are evidence.

        Said before anything is moved; core would find it out at the end, or stumble over the history on the way.
        """
        partners = self.env["res.partner"].browse(partner_ids).exists()
        admitted = partners.filtered(lambda partner: partner.channel_state and partner.channel_state != "applicant")
        if len(partners) > 1 and (gone := admitted - (dst_partner or admitted[:1])):
            raise UserError(self.env._(
                "%(member)s has been a member of the channel: its records are kept and it is not merged into another "
                "contact. Terminate it, and go on with the other one.",
                member=gone[:1].display_name,
            ))
        return super()._merge(partner_ids, dst_partner or admitted[:1] or None, extra_checks=extra_checks)
