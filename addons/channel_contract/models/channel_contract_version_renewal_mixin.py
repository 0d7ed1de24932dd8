from dateutil.relativedelta import relativedelta

from odoo import api, fields, models

from odoo.addons.channel_base.models.channel_approval_mixin import _APPROVER
from odoo.addons.channel_base.tools.private_key import PrivateKey

#: Lets a version that follows by itself do without what a new agreement needs: signatures, new mandatory clauses.
_RENEWER = PrivateKey("channel_contract_renewer")


class ChannelContractVersionRenewalMixin(models.AbstractModel):
    """The version that follows another at its end. Inherited by ``channel.contract.version``."""

    _name = "channel.contract.version.renewal.mixin"
    _description = "Renewal of a Contract Version"

    renewal_months = fields.Integer(
        string="Renewed by (Months)", tracking=True, aggregator=None, help="0: by as long as this version lasts."
    )
    renewal_of_id = fields.Many2one(
        "channel.contract.version",
        string="Renewal of",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )

    _renewal_months_positive = models.Constraint(
        "CHECK (renewal_months >= 0)", "A renewal cannot be shorter than nothing."
    )

    @api.model
    def _approval_technical_fields(self):
        return super()._approval_technical_fields() | {"renewal_of_id"}

    @api.model
    def _approval_protected_fields(self):
        return [*super()._approval_protected_fields(), "renewal_of_id"]

    def _check_clauses(self):
        """What follows by itself was agreed before a clause of the library became mandatory."""
        return None if _RENEWER.opens(self) else super()._check_clauses()

    def _renewal_period(self):
        """:return: ``(first day, last day)`` of the term that follows this version's"""
        self.ensure_one()
        start = fields.Date.add(self.valid_to, days=1)
        length = relativedelta(start, self.valid_from)
        months = self.renewal_months or (length.years * 12 + length.months if not length.days else 0)
        if months:
            return start, start + relativedelta(months=months, days=-1)
        return start, start + (self.valid_to - self.valid_from)

    def _renewal_draft(self, contract=None):
        """Draft the version that follows this one, with the same terms and lines, in this contract or another."""
        self.ensure_one()
        start, end = self._renewal_period()
        draft = self.copy(
            {
                "contract_id": (contract or self.contract_id).id,
                "valid_from": start,
                "valid_to": end,
                "purpose": self.env._("Renewal of %s", self.display_name),
            }
        )
        _APPROVER.open(draft).write({"renewal_of_id": self.id})
        return draft

    def _renew_automatically(self):
        """Let the next term follow, and the authorizations that rest on this version with it.

        :raise UserError: when the next version cannot be approved
        """
        self.ensure_one()
        draft = self._renewal_draft()
        _RENEWER.open(draft)._approve()
        reason = self.env._("Renewed by itself, as agreed in %s", self.display_name)
        self.env["channel.audit.entry"]._record(
            "contract.renewed",
            self.contract_id,
            reason=reason,
            after={"valid_from": draft.valid_from, "valid_to": draft.valid_to},
        )
        draft._log_event("renewed", date=draft.valid_from, note=reason)
        self._renew_authorizations(draft)
        return draft

    def _renew_authorizations(self, version):
        """What was authorised until the end of this version goes on in the one that follows by itself."""
        ending = self.authorization_ids.filtered(
            lambda authorization: authorization.state == "approved"
            and (not authorization.date_to or authorization.date_to >= self.valid_to)
        )
        for authorization in ending:
            authorization.copy(
                {
                    "contract_version_id": version.id,
                    "date_from": version.valid_from,
                    "date_to": version.valid_to if authorization.date_to else False,
                }
            )._approve()

    def _renew_by_agreement(self):
        """Open the draft that is to be agreed, and give it to the contract's owner."""
        self.ensure_one()
        draft = self._renewal_draft()
        contract = self.contract_id
        contract.activity_schedule(
            "channel_contract.mail_activity_type_contract",
            user_id=(contract.user_id or contract.company_id._channel_alert_user()).id,
            date_deadline=fields.Date.subtract(self.valid_to, days=self.notice_days),
            summary=self.env._("Renewal to be agreed: %s", draft.display_name),
        )
        return draft
