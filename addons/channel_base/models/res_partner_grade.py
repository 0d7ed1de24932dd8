from odoo import api, models


class ResPartnerGrade(models.Model):
    _inherit = "res.partner.grade"

    # segments may reach partners through these records

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        self.env["channel.segment"]._model_changed(self._name)
        return records

    def write(self, vals):
        result = super().write(vals)
        self.env["channel.segment"]._model_changed(self._name)
        return result

    def unlink(self):
        self.env["channel.segment"]._model_changed(self._name)
        return super().unlink()
