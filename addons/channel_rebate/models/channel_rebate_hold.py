from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class ChannelRebateHold(models.Model):
    """What is not paid for the time being: an amount of one window, one window, or all of a member under a programme.

    A hold changes nothing about what was earned or accrued; settlements leave the amount out until it is released. What
    has to be charged back is not held.
    """

    _name = "channel.rebate.hold"
    _description = "Rebate on Hold"
    _order = "state, id desc"
    _check_company_auto = True

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    program_id = fields.Many2one(
        "channel.rebate.program", string="Programme", required=True, ondelete="restrict", index=True, check_company=True
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True, precompute=True, index=True)
    currency_id = fields.Many2one(related="program_id.currency_id")
    member_id = fields.Many2one("res.partner", string="Payee", required=True, ondelete="restrict", index=True)
    balance_id = fields.Many2one(
        "channel.rebate.balance", string="Window", ondelete="restrict", index="btree_not_null",
        domain="[('program_id', '=', program_id), ('member_id', '=', member_id)]",
        help="Empty: all windows of the payee under the programme.",
    )
    amount = fields.Monetary(help="So much of what is open in the window; 0: all of it.")
    reason = fields.Char(required=True)
    origin = fields.Char(help="The document for whose sake the amount is held, for example an appeal.")
    state = fields.Selection(
        [("open", "On hold"), ("released", "Released")], required=True, readonly=True, default="open", copy=False
    )
    user_id = fields.Many2one(
        "res.users", string="Held by", required=True, readonly=True, copy=False, default=lambda self: self.env.user
    )
    released_by_id = fields.Many2one("res.users", string="Released by", readonly=True, copy=False)
    released_at = fields.Datetime(string="Released on", readonly=True, copy=False)
    release_reason = fields.Char(readonly=True, copy=False)

    _amount_positive = models.Constraint("CHECK (amount >= 0)", "The amount on hold is 0 (all of it) or more.")

    # === CONSTRAINT METHODS === #

    @api.constrains("program_id", "member_id", "balance_id", "amount")
    def _check_balance_id(self):
        for hold in self:
            balance = hold.balance_id
            if hold.amount and not balance:
                raise ValidationError(self.env._(
                    "Amount: %(amount)s is held of one window: choose it, or leave the amount 0 to hold all windows of "
                    "%(member)s.",
                    amount=hold.currency_id.format(hold.amount), member=hold.member_id.display_name,
                ))
            if balance and (balance.program_id, balance.member_id) != (hold.program_id, hold.member_id):
                raise ValidationError(self.env._(
                    "Window: %(window)s is not one of %(member)s under programme %(program)s.",
                    window=balance.display_name, member=hold.member_id.display_name, program=hold.program_id.code,
                ))

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            company = self.env["channel.rebate.program"].browse(vals.get("program_id")).company_id
            vals["name"] = self.env["ir.sequence"].with_company(company).next_by_code("channel.rebate.hold")
        holds = super().create(vals_list)
        self.env["channel.audit.entry"]._record(
            "rebate.held", holds, after={hold.id: hold._audit_values() for hold in holds}
        )
        return holds

    def write(self, vals):
        kept = {"program_id", "member_id", "balance_id", "amount", "reason"} & vals.keys()
        if kept and any(hold.state != "open" for hold in self):
            raise UserError(self.env._("What was released is history: hold the amount anew."))
        before = {hold.id: hold._audit_values() for hold in self}
        result = super().write(vals)
        if kept:
            self.env["channel.audit.entry"]._record(
                "rebate.hold_changed", self, before=before, after={hold.id: hold._audit_values() for hold in self}
            )
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_held(self):
        if self:
            raise UserError(self.env._("%s is part of the history of a settlement: release it instead.", self[:1].name))

    def _audit_values(self):
        self.ensure_one()
        return {
            "program": self.program_id.code, "member": self.member_id.display_name,
            "window": self.balance_id._window_name() if self.balance_id else None, "amount": self.amount,
            "reason": self.reason, "origin": self.origin or None,
        }

    # === ACTIONS === #

    def action_release(self):
        """Let settlements pay again."""
        return self.release()

    # === PUBLIC METHODS === #

    @api.model
    def hold(self, balance, reason, amount=0.0, origin=None):
        """Keep an amount of one window back from settlements.

        :param balance: ``channel.rebate.balance`` or its id
        :param str reason: told to accountants
        :param float amount: in the currency of the programme; 0: all that is open
        :param str origin: the document for whose sake it is held
        :return: the new record
        """
        balance = self.env["channel.rebate.balance"].browse(balance) if isinstance(balance, int) else balance
        return self.create({
            "program_id": balance.program_id.id, "member_id": balance.member_id.id, "balance_id": balance.id,
            "amount": amount, "reason": reason, "origin": origin,
        })

    def release(self, reason=None):
        """Let settlements pay what is held. Released ones stay as they are."""
        self.check_access("write")
        held = self.filtered(lambda hold: hold.state == "open")
        held.write({
            "state": "released", "released_by_id": self.env.uid, "released_at": fields.Datetime.now(),
            "release_reason": reason,
        })
        self.env["channel.audit.entry"]._record("rebate.released", held, reason=reason)
        return True

    # === BUSINESS METHODS === #

    @api.model
    def _held(self, balances):
        """What settlements leave out of each balance.

        :return: ``{balance id: (amount, holds)}``, amounts at most what is open; balances without a hold are missing
        """
        # sudo: what is held is not paid, also where the user may not see why
        holds = self.sudo().search([
            ("state", "=", "open"), ("program_id", "in", balances.program_id.ids),
            ("member_id", "in", balances.member_id.ids),
        ])
        found = {}
        for balance in balances:
            own = holds.filtered(lambda hold, balance=balance: hold.balance_id == balance or (
                not hold.balance_id
                and (hold.program_id, hold.member_id) == (balance.program_id, balance.member_id)
            ))
            if own:
                there = max(balance.open_amount, 0.0)
                whole = any(not hold.amount for hold in own)
                amount = there if whole else min(sum(own.mapped("amount")), there)
                found[balance.id] = (balance.currency_id.round(amount), own)
        return found
