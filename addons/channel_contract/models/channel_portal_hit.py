from odoo import api, models

#: Requests per network address and hour on the pages about signatures.
LIMITS = {
    "contract_code": 5,  # codes mailed, per e-mail address
    "contract_sign": 200,  # forms sent while signing
    "contract_verify": 60,  # files and tokens verified
    "contract_callback": 600,  # messages of providers
}


# pylint: disable-next=no-wizard-in-models  # no dialog, as the model it extends
class ChannelPortalHit(models.TransientModel):
    _inherit = "channel.portal.hit"

    @api.model
    def _limits(self):
        return {**super()._limits(), **LIMITS}
