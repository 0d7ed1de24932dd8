from odoo import api, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL

KEYS = {"balance_id", "entry_id", "settlement_id", "statement_id", "reason", "description", "claimed_amount"}


class ChannelDisputeApiMixin(models.AbstractModel):
    """The public methods of appeals, and what they are given. Inherited by ``channel.dispute``."""

    _name = "channel.dispute.api.mixin"
    _description = "Rebate Appeals: API"

    # === PUBLIC METHODS === #

    @api.model
    def submit(self, values, external_id=None):
        """Appeal against what was calculated.

        Idempotent by ``external_id``: sent again for the same payee it changes nothing and answers what became of it.

        :param dict values: ``balance_id`` (the window, as statements name it), ``entry_id`` (a line of it),
            ``settlement_id``, ``statement_id``, ``reason`` (``line_missing``, ``line_wrong``, ``amount``, ``tier``,
            ``terms``, ``settlement``, ``other``), ``description``, ``claimed_amount`` (currency of the programme; by
            how much the rebate should differ)
        :param str external_id: number of the appeal in the calling system
        :return: as :meth:`status`
        :raise ValidationError: values that cannot be taken over, all of them with field, value and remedy; nothing is
            stored then
        :raise AccessError: a window that the user may not read
        """
        values = dict(values or {})
        problems = []
        balance = self._read_record(values, "balance_id", "channel.rebate.balance", problems)
        if external_id and balance:
            external_id = str(external_id)[:64]
            if known := self._known(balance.sudo().member_id, external_id):
                return known._status()
        vals = self._read_values(values, balance, problems)
        if problems:
            raise ValidationError("\n".join(problems))
        portal = self.env.user._is_portal()
        if not portal:
            self.browse().check_access("create")
        # sudo: payees have no right to write; the window is one that they read, and the values were checked
        disputes = self.sudo() if portal else self
        dispute = disputes.create({**vals, "source": "portal" if portal else "api", "external_id": external_id})
        return dispute.with_env(self.env)._status()

    @api.model
    @api.readonly
    def status(self, reference):
        """What became of an appeal.

        :param str reference: the reference that :meth:`submit` returned, or the external number
        :return: ``{"reference", "external_id", "state", "balance_id", "window", "program", "currency", "claimed",
            "granted", "on_hold", "due_date", "decision", "corrected"}``; ``state`` is ``submitted``, ``review``,
            ``upheld``, ``partly``, ``rejected`` or ``withdrawn``; ``corrected``: whether what was granted is booked
        :raise ValidationError: no appeal that the user may read has this reference
        """
        dispute = self.search(["|", ("name", "=", reference), ("external_id", "=", reference)], limit=1)
        if not dispute:
            raise ValidationError(self.env._(
                "reference: there is no appeal %r. Give the reference that submit() returned.", reference
            ))
        return dispute._status()

    # === TAKING OVER === #

    def _status(self):
        self.ensure_one()
        # sudo: the appeal may be read, as its callers have checked; names of what it is about go with it
        dispute = self.sudo()
        return {
            "reference": dispute.name,
            "external_id": dispute.external_id or None,
            "state": dispute.state,
            "balance_id": dispute.balance_id.id,
            "window": dispute.balance_id._window_name(),
            "program": dispute.program_id.code,
            "currency": dispute.currency_id.name,
            "claimed": dispute.claimed_amount,
            "granted": dispute.granted_amount if dispute.state in ("upheld", "partly") else 0.0,
            "on_hold": dispute.held_amount,
            "due_date": dispute.due_date.isoformat() if dispute.due_date else None,
            "decision": dispute.decision or None,
            "corrected": dispute.correction_id.state == "approved",
        }

    def _known(self, member, external_id):
        """The appeal that a payee's system has sent already by this number."""
        # Two calls at once: the second waits for the first one's end and then finds what it made.
        self.env.cr.execute(SQL(
            "SELECT pg_advisory_xact_lock(hashtext('channel.dispute'), hashtext(%s))", f"{member.id} {external_id}"
        ))
        # sudo: the number is taken, whoever took it; what it says is read with the user's rights
        known = self.sudo().search([("external_id", "=", external_id), ("member_id", "=", member.id)])
        known = known.with_env(self.env)
        known.check_access("read")
        return known

    def _read_record(self, values, key, model, problems):
        records, value = self.env[model], values.get(key)
        if value in (None, False):
            return records
        if isinstance(value, bool) or not isinstance(value, int):
            problems.append(self.env._("%(key)s: expected an id, got %(value)s.", key=key, value=repr(value)))
            return records
        try:
            record = records.search([("id", "=", value)])
        except AccessError:
            record = records
        if not record:
            problems.append(self.env._("%(key)s: there is no %(value)s for you.", key=key, value=value))
        return record

    def _read_values(self, values, balance, problems):
        """Check what :meth:`submit` is given; `problems` is filled with sentences about everything that is wrong."""
        if unknown := values.keys() - KEYS:
            problems.append(self.env._(
                "%(unknown)s: not known. Use: %(known)s.", unknown=", ".join(sorted(unknown)),
                known=", ".join(sorted(KEYS)),
            ))
        if not balance and not values.get("balance_id"):
            problems.append(self.env._("balance_id: it is missing. Give the window, as the statement names it."))
        entry = self._read_record(values, "entry_id", "channel.rebate.entry", problems)
        statement = self._read_record(values, "statement_id", "channel.rebate.statement", problems)
        if statement and balance and statement.member_id != balance.sudo().member_id:
            problems.append(self.env._("statement_id: %s is a statement of another payee.", statement.name))
        settlement = self.env["channel.settlement"]
        if values.get("settlement_id"):
            # sudo: payees do not read settlements; that it is one of the window's payee is checked when it is stored
            found = self.env["channel.settlement"].sudo().browse(values["settlement_id"]).exists()
            if found.member_id == balance.sudo().member_id and found:
                settlement = found
            else:
                problems.append(self.env._("settlement_id: there is no %s for you.", values["settlement_id"]))
        reasons = [key for key, _label in self._fields["reason"].selection]
        if values.get("reason") not in reasons:
            problems.append(self.env._(
                "reason: %(value)s is not known. Use one of: %(known)s.", value=repr(values.get("reason")),
                known=", ".join(reasons),
            ))
        description = str(values.get("description") or "").strip()
        if not description:
            problems.append(self.env._("description: it is empty. Say what is wrong, and what it should be."))
        claimed = values.get("claimed_amount") or 0.0
        if isinstance(claimed, bool) or not isinstance(claimed, (int, float)) or not abs(claimed) < 1e15:
            problems.append(self.env._("claimed_amount: expected a number, got %s.", repr(claimed)))
        return {
            "balance_id": balance.id, "entry_id": entry.id, "settlement_id": settlement.id,
            "statement_id": statement.id, "reason": values.get("reason"), "description": description,
            "claimed_amount": claimed,
        }
