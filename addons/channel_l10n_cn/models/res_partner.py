from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _channel_vat_problem(self):
        """Judge Chinese numbers as social credit codes, those of military and rural bodies included.

        python-stdnum does not know the latter, so that no military hospital could be admitted.
        """
        if not self.vat or self.country_id.code != "CN":
            return super()._channel_vat_problem()
        types = self.env["channel.qualification.type"]
        result = types._validate_cn_uscc(self.vat)
        if result["valid"]:
            return False
        return self.env._(
            "%(vat)s is no unified social credit code: %(reason)s",
            vat=self.vat,
            reason=types._validation_message(result),
        )
