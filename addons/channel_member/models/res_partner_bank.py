from odoo import api, models


class ResPartnerBank(models.Model):
    """Accounts are signs of identity: see ``channel.member.key``."""

    _inherit = "res.partner.bank"

    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create(vals_list)
        accounts._channel_holders_changed()
        return accounts

    def write(self, vals):
        if vals.keys().isdisjoint({"acc_number", "partner_id", "active"}):
            return super().write(vals)
        self._channel_holders_changed()
        result = super().write(vals)
        self._channel_holders_changed()
        return result

    def unlink(self):
        self._channel_holders_changed()
        return super().unlink()

    def _channel_holders_changed(self):
        # sudo: only notes which members are to be compared again; nothing of the accounts is told
        self.env["channel.member.key"].sudo()._members_changed(self.sudo().partner_id.commercial_partner_id.ids)
