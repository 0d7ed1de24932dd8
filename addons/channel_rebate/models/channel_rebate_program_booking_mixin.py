from datetime import timedelta

from odoo import fields, models
from odoo.fields import Command
from odoo.tools import SQL, format_date


class ChannelRebateProgramBookingMixin(models.AbstractModel):
    """How much is accrued when, on which accounts, and when it is taken back."""

    _name = "channel.rebate.program.booking.mixin"
    _description = "Rebate Programme: Booking"

    accrual_mode = fields.Selection(
        [
            ("actual", "Tier reached to date"),
            ("expected", "Tier expected at the end of the window"),
            ("fixed", "Fixed rate"),
        ],
        string="Accrued at",
        required=True,
        default="actual",
        tracking=True,
        help="Of windows that have not ended. What they earned is booked when they end, by the difference.",
    )
    accrual_rate = fields.Float(
        string="Accrual Rate (%)", digits=(16, 6), min_display_digits=2,
        help="Of what is paid on, until the window ends.",
    )
    write_off_months = fields.Integer(
        string="Unclaimed after Months",
        help="What is still open so many months after its window ended can be written off. 0: never.",
    )
    reverses_accruals = fields.Boolean(
        string="Reverse at Month End", tracking=True,
        help="What is accrued for windows that have not ended is reversed on the first day of the next month, or on "
        "the last day of the window if that is earlier, and booked anew.",
    )
    write_off_account_id = fields.Many2one(
        "account.account",
        check_company=True,
        ondelete="restrict",
        domain="[('internal_group', 'in', ('income', 'expense'))]",
        help="Where what is written off is credited. Empty: the rebate account.",
    )

    # === BOOKING === #

    def _book(self):
        """Post the differences between what is to be accrued and what is booked. -> `{balance id: amount posted now}`

        To be accrued is what was earned, with its corrections; of windows that have not ended what the programme says.
        """
        self._reverse_running()
        self.env["channel.rebate.balance"].flush_model(["correction_amount", "accrued_amount"])
        targets = self._accrual_targets()
        unbooked = self.env["channel.rebate.balance"].browse(
            id_
            for (id_,) in self.env.execute_query(
                SQL(
                    """SELECT id FROM channel_rebate_balance
                        WHERE program_id = ANY(%s)
                          AND (entitlement + correction_amount <> accrued_amount OR id = ANY(%s))
                        ORDER BY id""",
                    list(self.ids),
                    list(targets),
                )
            )
        )
        differences = {
            b.id: b.currency_id.round(targets.get(b.id, b.entitled_amount) - b.accrued_amount) for b in unbooked
        }
        unbooked = unbooked.filtered(lambda b: not b.currency_id.is_zero(differences[b.id]))
        differences = {balance.id: differences[balance.id] for balance in unbooked}
        if not unbooked:
            return {}
        open_days = {}
        for program in self:
            for day in {min(b.window_end, program.accrued_to) for b in unbooked if b.program_id == program}:
                open_days[program, day] = program._first_open_day(day)

        def accounting_day(balance):
            day = min(balance.window_end, balance.program_id.accrued_to)
            open_day = open_days[balance.program_id, day]
            return balance.program_id, open_day, open_day != day, balance._reverse_on()

        accounts = self._correction_accounts(unbooked)
        moves = self.env["account.move"].create(
            [
                {
                    **program._prepare_accrual_vals(day, is_late, balances, differences, accounts),
                    "channel_rebate_reverse_on": reverse_on,
                }
                for (program, day, is_late, reverse_on), balances in unbooked.grouped(accounting_day).items()
            ]
        )
        moves._post(soft=False)
        return differences

    def _reverse_running(self):
        """Take back what was accrued for windows that ran, on the day on which the programme wants that done.

        What is to be accrued is booked anew right after: a month that is closed shows its own accrual, and the next one
        begins with its reversal.
        """
        for program in self.filtered("accrued_to"):
            moves = self.env["account.move"].search([
                ("channel_rebate_reverse_on", "<=", program.accrued_to),
                ("company_id", "=", program.company_id.id),
                ("line_ids.channel_rebate_balance_id.program_id", "=", program.id),
                ("state", "=", "posted"),
            ])
            due = moves.filtered(lambda m: not m.reversal_move_ids.filtered(lambda r: r.state == "posted"))
            if due:
                due._reverse_moves([
                    {
                        "date": program._first_open_day(move.channel_rebate_reverse_on),
                        "ref": self.env._("Reversal of %s", move.ref),
                    }
                    for move in due
                ]).with_context(validate_analytic=False)._post(soft=False)
            moves.channel_rebate_reverse_on = False

    def _correction_accounts(self, balances):
        """What of the bookings of balances belongs to another account than the rebate account

        :return: ``{balance id: {account: amount still to book there}}``
        """
        # sudo: the sums must not depend on which records the current user may see
        agreed = self.env["channel.rebate.correction"].sudo()._read_group(
            [("balance_id", "in", balances.ids), ("state", "=", "approved"), ("account_id", "!=", False)],
            ["balance_id", "account_id"], ["amount:sum"],
        )
        result = {}
        for balance, account, amount in agreed:
            if account != balance.program_id.expense_account_id:
                result.setdefault(balance.id, {})[account] = amount
        # sudo: as above
        booked = self.env["account.move.line"].sudo()._read_group(
            [
                ("channel_rebate_balance_id", "in", list(result)), ("channel_rebate_role", "=", "expense"),
                ("parent_state", "=", "posted"),
            ],
            ["channel_rebate_balance_id", "account_id"], ["amount_currency:sum"],
        )
        for balance, account, amount in booked:
            if account in result[balance.id]:
                result[balance.id][account] -= amount
        return result

    def _accrual_targets(self):
        """What is to be accrued for windows that have not ended, of programmes that do not accrue what is reached.

        :return: ``{balance id: amount}``
        """
        targets = {}
        for program in self.filtered(lambda p: p.accrual_mode != "actual" and p.accrued_to):
            balances = self.env["channel.rebate.balance"].search([
                ("program_id", "=", program.id), ("window_end", ">", program.accrued_to),
            ])
            for balance in balances:
                rate = program.accrual_rate
                if program.accrual_mode == "expected":
                    [progress] = balance._progress(program.accrued_to)
                    if progress["projected_entitlement"] is None:
                        # Nobody can say in advance what such a method pays: what is reached is accrued.
                        continue
                    days = (balance.window_end - balance.window_start).days + 1
                    passed = (program.accrued_to - balance.window_start).days + 1
                    amount = progress["projected_entitlement"] * passed / days
                else:
                    amount = balance.base_amount * rate / 100
                targets[balance.id] = balance.currency_id.round(amount + balance.correction_amount)
        return targets

    def _first_open_day(self, day):
        """The first day from `day` on that no lock date of the company covers."""
        self.ensure_one()
        while locks := self.company_id._get_violated_lock_dates(day, False, self.journal_id):
            day = locks[-1][0] + timedelta(days=1)
        return day

    def _prepare_accrual_vals(self, day, is_late, balances, differences, accounts):
        self.ensure_one()
        reference = self.env._("Rebate accrual %(program)s, %(day)s", program=self.code, day=format_date(self.env, day))
        if is_late:
            reference = self.env._("%s (late difference: its own period is locked)", reference)
        company_currency = self.company_id.currency_id
        lines = []
        for balance in balances:
            amount = differences[balance.id]
            expenses = {account: part for account, part in accounts.get(balance.id, {}).items()
                        if not self.currency_id.is_zero(part)}
            rest = self.currency_id.round(amount - sum(expenses.values()))
            if rest or not expenses:
                expenses[self.expense_account_id] = rest
            label = self.env._("Rebate %(program)s %(window)s", program=self.code, window=balance._window_name())
            items = [("expense", account, part) for account, part in expenses.items()]
            items.append(("accrual", self.liability_account_id, -amount))
            booked = 0.0
            for role, account, part in items:
                # The last item takes what rounding of the others left, so that the entry balances
                value = (
                    self.currency_id._convert(part, company_currency, self.company_id, day)
                    if role == "expense" else -booked
                )
                booked = company_currency.round(booked + value)
                lines.append(
                    Command.create(
                        {
                            "name": label,
                            "account_id": account.id,
                            "partner_id": balance.member_id.id,
                            "currency_id": self.currency_id.id,
                            "amount_currency": part,
                            "balance": value,
                            "channel_rebate_role": role,
                            "channel_rebate_balance_id": balance.id,
                            "analytic_distribution": self.analytic_distribution if role == "expense" else False,
                        }
                    )
                )
        return {
            "move_type": "entry",
            "journal_id": self.journal_id.id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "date": day,
            "ref": reference,
            "line_ids": lines,
        }
