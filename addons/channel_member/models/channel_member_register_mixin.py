from odoo import models


class ChannelMemberRegisterMixin(models.AbstractModel):
    """A member is known to registers by its identification number; the lists of licences tell its name."""

    _name = "channel.member.register.mixin"
    _description = "Member Verified in a Register"
    _inherit = ["channel.register.mixin"]

    def _register_ask(self):
        self.ensure_one()
        number = self._register_holder_code(self)
        return {"type_id": False, "number": number} if self.channel_role and number else None

    def _register_facts(self):
        self.ensure_one()
        return {"holder_name": self.name}

    def _register_member(self):
        return self
