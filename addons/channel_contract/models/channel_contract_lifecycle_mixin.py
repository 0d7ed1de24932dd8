from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from odoo.addons.channel_base.models.channel_approval_mixin import _APPROVER

from .channel_contract_stage_mixin import _STAGE

#: Who announced the end of a contract that would have renewed itself, or ended it early.
SIDES = [("company", "The Company"), ("member", "The Member"), ("both", "Both")]


class ChannelContractLifecycleMixin(models.AbstractModel):
    """Decisions about a contract as a whole: suspension, termination, notice. Inherited by ``channel.contract``.

    Each takes a reason and a day, is written to the journal and to the timeline, and holds from its day on for every
    question that is asked of the contract: what is in force, prices, authorizations, gate.
    """

    _name = "channel.contract.lifecycle.mixin"
    _description = "Suspension and Termination of a Contract"

    suspension_ids = fields.One2many("channel.contract.suspension", "contract_id", string="Suspensions", readonly=True)
    is_suspended = fields.Boolean(compute="_compute_is_suspended", help="Today, where the company is.")
    terminated_on = fields.Date(
        string="Terminated on", readonly=True, copy=False, tracking=True, help="The last day in force."
    )
    termination_reason = fields.Char(readonly=True, copy=False, tracking=True)
    termination_side = fields.Selection(SIDES, string="Terminated by", readonly=True, copy=False)
    notice_given_on = fields.Date(
        string="Notice Given on", readonly=True, copy=False, tracking=True, help="It will not renew itself any more."
    )
    notice_reason = fields.Char(readonly=True, copy=False)
    notice_side = fields.Selection(SIDES, string="Notice Given by", readonly=True, copy=False)

    # === COMPUTE METHODS ===#

    @api.depends("suspension_ids.date_from", "suspension_ids.lifted_on")
    def _compute_is_suspended(self):
        for contract in self:
            today = (contract.company_id or self.env.company)._channel_today()
            contract.is_suspended = bool(contract._suspension_on(today))

    def _suspension_on(self, day):
        """The suspension that covers a day, or an empty one."""
        # sudo: whether a contract is suspended is the same for everybody who sees it
        return self.sudo().suspension_ids.filtered(
            lambda row: row.date_from <= day and (not row.lifted_on or row.lifted_on > day)
        )

    @api.model
    def _protected_fields(self):
        return super()._protected_fields() | {
            "terminated_on", "termination_reason", "termination_side", "notice_given_on", "notice_reason",
            "notice_side",
        }

    # === ACTION METHODS ===#

    def action_ask_suspend(self):
        return self.env["channel.contract.decision"]._open(self, "suspend")

    def action_ask_resume(self):
        return self.env["channel.contract.decision"]._open(self, "resume")

    def action_ask_terminate(self):
        return self.env["channel.contract.decision"]._open(self, "terminate")

    def action_ask_notice(self):
        return self.env["channel.contract.decision"]._open(self, "notice")

    def action_suspend(self, reason, date=None):
        """Take contracts out of force for a time.

        :param str reason: why; required, kept in the journal
        :param str date: ISO date of the first day not in force; today where the company is when left out
        :return: ``True``
        :raise UserError: when a contract is not in force on that day, or something was done under it since
        """
        reason = self._check_decision(reason)
        for contract in self:
            day = contract._decision_day(date)
            if contract._suspension_on(day) or not contract._version_at(day):
                raise UserError(
                    self.env._(
                        "%(contract)s cannot be suspended on %(date)s: it is not in force on that day.",
                        contract=contract.display_name,
                        date=format_date(self.env, day),
                    )
                )
            contract._check_nothing_accrued_from(day)
            # sudo: rows of suspensions are written by this decision only, which was checked above
            self.env["channel.contract.suspension"].sudo().create(
                {
                    "contract_id": contract.id,
                    "date_from": day,
                    "reason": reason,
                    "suspended_by_id": self.env.uid,
                }
            )
            contract._decided("suspended", reason, day)
        return True

    def action_resume(self, reason, date=None):
        """Put suspended contracts in force again.

        :param str reason: why; required
        :param str date: ISO date of the first day in force again; today when left out
        :return: ``True``
        """
        reason = self._check_decision(reason)
        for contract in self:
            day = contract._decision_day(date)
            # sudo: as above
            row = contract.sudo().suspension_ids.filtered(lambda row: not row.lifted_on)
            if not row or day < row.date_from:
                raise UserError(
                    self.env._("%(contract)s is not suspended on %(date)s.",
                        contract=contract.display_name, date=format_date(self.env, day))
                )
            row.write({"lifted_on": day, "lift_reason": reason, "lifted_by_id": self.env.uid})
            contract._decided("resumed", reason, day)
        return True

    def action_terminate(self, reason, date=None, side="company"):
        """End contracts early, for good: versions in force end on that day, later ones and drafts are dropped.

        :param str reason: why; required
        :param str date: ISO date of the last day in force; today when left out
        :param str side: who ends it: ``company``, ``member`` or ``both``
        :return: ``True``
        :raise UserError: when a contract does not reach that day, or something was done under it later
        """
        reason = self._check_decision(reason, side)
        for contract in self:
            day = contract._decision_day(date)
            if contract.terminated_on:
                raise UserError(
                    self.env._(
                        "%(contract)s was terminated on %(date)s already.",
                        contract=contract.display_name,
                        date=format_date(self.env, contract.terminated_on),
                    )
                )
            contract._end_versions(day, reason)
            _STAGE.open(contract.sudo()).write(
                {"terminated_on": day, "termination_reason": reason, "termination_side": side}
            )
            contract._decided("terminated", reason, day, after={"side": side})
        return True

    def action_give_notice(self, reason, date=None, side="company"):
        """Say that contracts will not renew themselves at their end.

        :param str reason: why; required
        :param str date: ISO date of the notice; today when left out
        :param str side: who gives notice: ``company``, ``member`` or ``both``
        :return: ``True``
        :raise UserError: when a contract does not renew itself, or the notice comes too late
        """
        reason = self._check_decision(reason, side)
        for contract in self:
            day = contract._decision_day(date)
            version = contract._last_version()
            if not version or version.renewal != "automatic" or not version.valid_to or contract.terminated_on:
                raise UserError(
                    self.env._("%s does not renew itself: there is nothing to give notice of.", contract.display_name)
                )
            last = fields.Date.subtract(version.valid_to, days=version.notice_days)
            if day > last:
                raise UserError(
                    self.env._(
                        "The notice comes too late: %(contract)s ends on %(end)s, and notice had to be given by "
                        "%(last)s. Terminate it, or agree on its end in a new version.",
                        contract=contract.display_name,
                        end=format_date(self.env, version.valid_to),
                        last=format_date(self.env, last),
                    )
                )
            # sudo: written by this decision only, checked above
            _STAGE.open(contract.sudo()).write(
                {"notice_given_on": day, "notice_reason": reason, "notice_side": side}
            )
            contract._decided("notice", reason, day, after={"side": side})
        return True

    # === BUSINESS METHODS ===#

    def _check_decision(self, reason, side=None):
        """Whoever writes contracts decides about them, and says why."""
        self.check_access("write")
        if not isinstance(reason, str) or not reason.strip():
            raise UserError(self.env._("Reason: say why, it is kept in the audit journal."))
        if side and side not in dict(SIDES):
            raise ValidationError(
                self.env._("side: %(value)s is not known. Use one of: %(known)s.",
                    value=repr(side), known=", ".join(dict(SIDES)))
            )
        return reason.strip()

    def _decision_day(self, date):
        self.ensure_one()
        if not date:
            return self.company_id._channel_today()
        try:
            return fields.Date.to_date(date)
        except (TypeError, ValueError) as error:
            raise ValidationError(self.env._("date: %r is not an ISO date such as 2026-03-31.", date)) from error

    def _end_versions(self, day, reason):
        """End what is in force on a day, and drop what would come later."""
        self.ensure_one()
        # sudo: all versions end, also those that the user may not see; the right to decide was checked
        versions = self.sudo().version_ids
        running = versions.filtered(lambda version: version._stands() and version._covers(day))
        if not running:
            raise UserError(
                self.env._(
                    "%(contract)s cannot be terminated on %(date)s: no version of it reaches that day.",
                    contract=self.display_name,
                    date=format_date(self.env, day),
                )
            )
        self._check_nothing_accrued_from(fields.Date.add(day, days=1))
        versions.filtered(lambda version: version.state == "draft").action_cancel()
        unsigned = versions.filtered(lambda version: version.state == "approved" and not version._stands())
        unsigned._end_unsigned("superseded", reason)
        later = versions.filtered(lambda version: version._stands() and version.valid_from > day)
        if later:
            _APPROVER.open(later).write({"state": "superseded"})
        self.env["channel.audit.entry"]._record("version.superseded", unsigned + later, reason=reason)
        running._version_end(day, reason)

    def _decided(self, kind, reason, day, after=None):
        """Write a decision to the journal and the timeline, and let the stage follow."""
        self.env["channel.audit.entry"]._record(
            f"contract.{kind}", self, reason=reason, after={"date": day, **(after or {})}
        )
        self.env["channel.contract.event"]._log(
            [{"contract_id": contract.id, "kind": kind, "date": day, "note": reason} for contract in self]
        )
        self._update_stages()
        self.env["res.partner"].invalidate_model(["property_product_pricelist"])

    def _check_nothing_accrued_from(self, day):
        """Refuse to take away a day of the past on which something was done under the contract."""
        self.ensure_one()
        if day > self.company_id._channel_today():
            return
        # sudo: what was done under the contract counts, also what the user may not see
        accrued = self.sudo().version_ids._accrued_on(since=day)
        if accrued:
            raise UserError(
                self.env._(
                    "%(contract)s cannot end before %(date)s: %(reason)s. Choose a later day, or agree on the change "
                    "in a new version, whose approval shows what it recomputes.",
                    contract=self.display_name,
                    date=format_date(self.env, day),
                    reason=next(iter(accrued.values())),
                )
            )

    def _last_version(self):
        """The standing version that ends last, or an empty one."""
        self.ensure_one()
        # sudo: when a contract ends is the same for everybody who sees it
        standing = self.sudo().version_ids.filtered(lambda version: version._stands())
        return standing.sorted("valid_from")[-1:]
