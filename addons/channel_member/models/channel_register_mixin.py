from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class ChannelRegisterMixin(models.AbstractModel):
    """Something that a register of an authority knows by its number: a document, a certificate, a member.

    The model says what to look up (:meth:`_register_ask`) and what it believes (:meth:`_register_facts`).
    """

    _name = "channel.register.mixin"
    _description = "Verified in a Register"

    channel_register_result = fields.Selection(
        selection=lambda self: self.env["channel.verification"]._fields["result"].selection,
        string="In the Register",
        compute="_compute_channel_register_result",
        search="_search_channel_register_result",
        groups="channel_base.group_channel_user",
        help="What the last look-up in an official list found.",
    )
    channel_register_checked_at = fields.Datetime(
        string="Looked up at",
        compute="_compute_channel_register_result",
        groups="channel_base.group_channel_user",
    )

    #=== COMPUTE METHODS ===#

    def _compute_channel_register_result(self):
        # sudo: who sees the record sees what the register says about it.
        latest = self.env["channel.verification"].sudo()._latest(self._name, self.ids)
        for record in self:
            verification = latest.get(record.id)
            record.channel_register_result = verification.result if verification else False
            record.channel_register_checked_at = verification.last_date if verification else False

    def _search_channel_register_result(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: as in the compute method
        ids = self.env["channel.verification"].sudo()._search_latest(self._name, {v for v in value if v})
        domain = Domain("id", "in", ids)
        if False in value:
            ever = self.env["channel.verification"].sudo()._search_latest(self._name, None)
            domain |= Domain("id", "not in", ever)
        return domain

    #=== ACTION METHODS ===#

    def action_verify_in_register(self):
        """Look these records up in the official lists, keep the answers, and show the newest ones.

        :raise AccessError: the user may not write the records
        :raise UserError: no list is kept for any of them
        """
        self.check_access("write")
        verifications = self._verify_in_register()
        if not verifications:
            raise UserError(self.env._(
                "No official list is kept for %s: import one under Compliance, Official Lists, and say which kinds of "
                "documents it holds.", ", ".join(self.mapped("display_name")[:5]),
            ))
        return verifications._open()

    def action_verifications(self):
        """Open the answers of registers about this record."""
        self.ensure_one()
        self.check_access("read")
        return self.env["channel.verification"].search([
            ("res_model", "=", self._name), ("res_id", "=", self.id)
        ])._open()

    #=== BUSINESS METHODS ===#

    def _verify_in_register(self):
        """Look up and keep the answers, a fixed number of queries for any number of records.

        :return: ``channel.verification``, one for each record of which a list is kept; an answer that is the same as
            the last one is not doubled but confirmed (``last_date``)
        """
        asked = [(record, ask) for record in self if (ask := record._register_ask()) and ask["number"]]
        answers = self.env["channel.register"]._lookup([ask for _record, ask in asked])
        return self.env["channel.verification"]._record_answers([
            (record, ask, answer) for (record, ask), answer in zip(asked, answers, strict=True) if answer
        ])

    #=== HOOKS ===#

    def _register_ask(self):
        """What to look up: ``{"type_id", "number"}`` as :meth:`channel.register._lookup`, None for nothing."""
        return None

    def _register_facts(self):
        """``{fact: value}`` that this record believes; what it does not know is False and not compared.

        ``status`` ``in_force`` says that it is relied on, so that a cancelled entry is a difference.
        """
        return {}

    def _register_member(self):
        """The ``res.partner`` whose region the answer belongs to, empty for everybody's."""
        return self.env["res.partner"]

    def _register_holder_code(self, partner):
        return partner.vat or partner.company_registry or False
