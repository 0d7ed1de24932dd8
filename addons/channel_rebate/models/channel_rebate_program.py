import logging
import re
from datetime import date, timedelta

import psycopg2
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.channel_base.tools.schema import add_column
from odoo.addons.queue_job.delay import group
from odoo.addons.queue_job.exception import RetryableJobError

from .channel_settlement_document_mixin import FORMS

_logger = logging.getLogger(__name__)


class ChannelRebateProgram(models.Model):
    """What a company promises its members for what they buy: the identity of the programme and its accounts.

    The terms (window, tiers, scope) are in versions. Public methods are the API; amounts in what they return are
    numbers in the currency of the programme, days are ISO strings, all of it is plain JSON.
    """

    _name = "channel.rebate.program"
    _description = "Rebate Programme"
    _inherit = [
        "channel.versioned.mixin", "channel.rebate.program.booking.mixin", "mail.thread", "mail.activity.mixin",
        "analytic.mixin",
    ]
    _order = "code, id"
    _rec_names_search = ["name", "code"]
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    code = fields.Char(required=True, copy=False, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(
        "res.currency",
        string="Programme Currency",
        required=True,
        compute="_compute_currency_id",
        store=True,
        readonly=False,
        precompute=True,
        help="Tiers, rebates and settlements are in this currency. "
        "Invoices in another one count at the rate of their invoice date.",
    )
    purpose = fields.Selection(
        [
            ("rebate", "Rebate: to members for what they buy"),
            ("commission", "Commission: to people for what they sell"),
        ],
        required=True,
        default="rebate",
        tracking=True,
    )
    user_id = fields.Many2one(
        "res.users", string="Owner", default=lambda self: self.env.user, tracking=True, domain=[("share", "=", False)]
    )
    version_ids = fields.One2many("channel.rebate.program.version", "program_id", string="Versions", copy=False)
    figure_ids = fields.One2many("channel.rebate.figure", "program_id", string="Figures", copy=False)

    # Accounting
    journal_id = fields.Many2one(
        "account.journal",
        string="Accrual Journal",
        required=True,
        check_company=True,
        domain="[('type', '=', 'general')]",
        compute="_compute_accounting",
        store=True,
        readonly=False,
        precompute=True,
    )
    settlement_journal_id = fields.Many2one(
        "account.journal",
        required=True,
        check_company=True,
        domain="[('type', '=', 'sale')]",
        compute="_compute_accounting",
        store=True,
        readonly=False,
        precompute=True,
        help="Journal of the credit notes.",
    )
    settlement_form = fields.Selection(
        FORMS,
        required=True,
        compute="_compute_settlement_form",
        store=True,
        readonly=False,
        precompute=True,
        help="How settlements of the programme reach the payee, unless a settlement says otherwise.",
    )
    settles_running = fields.Boolean(
        string="Pay in Advance", tracking=True,
        help="Settlements also pay what windows that have not ended have earned so far; what the end brings is settled "
        "by the difference.",
    )
    bill_journal_id = fields.Many2one(
        "account.journal",
        string="Journal of Bills",
        check_company=True,
        domain="[('type', '=', 'purchase')]",
        help="For settlements that are bills of the payee, such as commissions.",
    )
    payment_journal_id = fields.Many2one(
        "account.journal",
        string="Journal of Payments",
        check_company=True,
        domain="[('type', '=', 'bank')]",
        help="The bank account from which settlements are paid.",
    )
    expense_account_id = fields.Many2one(
        "account.account",
        string="Rebate Account",
        required=True,
        check_company=True,
        ondelete="restrict",
        domain="[('account_type', 'in', ('income', 'income_other', 'expense', 'expense_direct_cost'))]",
        help="Debited by accruals: a contra-revenue account (reduction of revenue) or an expense account.",
    )
    liability_account_id = fields.Many2one(
        "account.account",
        string="Accrued Rebate Account",
        required=True,
        check_company=True,
        ondelete="restrict",
        domain="[('account_type', '=', 'liability_current')]",
        help="Credited by accruals and cleared by credit notes: what is owed to members and not yet settled.",
    )
    product_id = fields.Many2one(
        "product.product",
        string="Credit Note Product",
        required=True,
        check_company=True,
        ondelete="restrict",
        domain="[('type', '=', 'service')]",
        help="Product of the credit note lines; its customer taxes are those of the credit note.",
    )

    # Results
    accrued_to = fields.Date(
        string="Accrued up to", readonly=True, copy=False, help="Lines dated later have not been looked at yet."
    )
    run_count = fields.Integer(string="Runs", readonly=True, copy=False)
    calculation = fields.Json(readonly=True, copy=False, help="What the last run has seen: see the engine.")
    balance_ids = fields.One2many("channel.rebate.balance", "program_id", string="Balances")
    entitlement = fields.Monetary(compute="_compute_amounts", help="Earned, and corrections of it.")
    settled_amount = fields.Monetary(string="Settled", compute="_compute_amounts")
    open_amount = fields.Monetary(string="Open", compute="_compute_amounts")

    _code_unique = models.UniqueIndex("(code, company_id)", "Another programme of this company has this code.")

    def _auto_init(self):
        # What was settled before there were forms was settled by credit notes.
        add_column(self.env.cr, self._table, "settlement_form", "varchar", "credit_note")
        return super()._auto_init()

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_currency_id(self):
        for program in self:
            program.currency_id = program.company_id.currency_id

    @api.depends("company_id")
    def _compute_accounting(self):
        for company, programs in self.grouped("company_id").items():
            journals = self.env["account.journal"].search(
                [*self.env["account.journal"]._check_company_domain(company), ("type", "in", ("general", "sale"))]
            )
            programs.journal_id = journals.filtered(lambda j: j.type == "general")[:1]
            programs.settlement_journal_id = journals.filtered(lambda j: j.type == "sale")[:1]

    @api.depends("purpose")
    def _compute_settlement_form(self):
        for program in self:
            program.settlement_form = "bill" if program.purpose == "commission" else "credit_note"

    def _compute_amounts(self):
        sums = {
            program.id: amounts
            for program, *amounts in self.env["channel.rebate.balance"]._read_group(
                [("program_id", "in", self.ids)],
                ["program_id"],
                ["entitlement:sum", "correction_amount:sum", "settled_amount:sum", "open_amount:sum"],
            )
        }
        for program in self:
            earned, corrections, settled, open_amount = sums.get(program.id, (0.0, 0.0, 0.0, 0.0))
            program.entitlement = program.currency_id.round(earned + corrections)
            program.settled_amount, program.open_amount = settled, open_amount

    @api.depends("code", "name")
    def _compute_display_name(self):
        for program in self:
            program.display_name = f"[{program.code}] {program.name}" if program.code else program.name

    # === CONSTRAINT METHODS === #

    @api.constrains("liability_account_id", "currency_id")
    def _check_liability_account(self):
        for program in self:
            if program.liability_account_id.account_type != "liability_current":
                raise ValidationError(
                    self.env._(
                        "Accrued rebate account %(account)s of programme %(program)s is of type “%(type)s”: choose a "
                        "current liability, because a credit note cannot use a payable or receivable account.",
                        account=program.liability_account_id.display_name,
                        program=program.code,
                        type=program.liability_account_id.account_type,
                    )
                )

    def write(self, vals):
        fixed = {"currency_id", "company_id", "purpose"} & vals.keys()
        if fixed:
            for program in self.filtered("balance_ids"):
                if any(program._fields[name].convert_to_write(program[name], program) != vals[name] for name in fixed):
                    raise UserError(
                        self.env._(
                            "Programme %s has balances already, so its company, currency and purpose are fixed. "
                            "Make a new programme instead.",
                            program.code,
                        )
                    )
        return super().write(vals)

    # === ACTIONS === #

    def action_from_template(self):
        """Open the choice of the usual programmes."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "name": self.env._("New Version from a Template"), "target": "new",
            "res_model": "channel.rebate.template.choice", "view_mode": "form", "views": [(False, "form")],
            "context": {"default_program_id": self.id},
        }

    def action_accrue(self):
        """Accrue up to today and show the balances."""
        self.accrue()
        return self.action_view_balances()

    def action_view_balances(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("channel_rebate.channel_rebate_balance_action")
        return {**action, "domain": [("program_id", "in", self.ids)], "context": {}}

    def action_view_entries(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("channel_rebate.channel_rebate_entry_action")
        return {**action, "domain": [("program_id", "in", self.ids)], "context": {}}

    def action_view_moves(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move.line",
            "view_mode": "list,form",
            "domain": [("channel_rebate_balance_id.program_id", "in", self.ids)],
            "name": self.env._("Journal Items"),
        }

    def action_propose_settlements(self):
        """Draft settlements for all windows with something open that have ended, or run and are paid in advance."""
        settlements = self.propose_settlements(fields.Date.context_today(self) - timedelta(days=1))
        return self.env["channel.settlement"].browse(settlements)._action_show()

    # === PUBLIC METHODS === #

    def accrue(self, date_to=None):
        """Book the difference between what members are entitled to and what is booked.

        Recomputes entries and balances from all posted lines dated up to `date_to`, then posts one journal entry for
        each programme and accounting day: rebate account to accrued rebate account, a pair of items for each
        balance that differs, with the member as partner. Running it again books nothing. A `date_to` before the
        last run's counts as the last run's: nothing is un-accrued because somebody asks about an earlier day (use
        `simulate`). An entry is dated on the last day of its window, or `date_to` if that is earlier; in a locked
        period, on the first open day, and its reference says so.

        :param date_to: ISO day or date, today if none
        :return: balances of the programmes, a list of dicts (keys as in `simulate`) with `booked`: what this
            run posted on the balance. Without records, all programmes of the current companies are accrued.
        :raises LockError: another run works on one of the programmes; nothing was done, try again later
        """
        programs = self or self.search([("company_id", "in", self.env.companies.ids)])
        programs.check_access("write")
        date_to = fields.Date.to_date(date_to) or fields.Date.context_today(self)
        programs = programs._with_combined()
        programs._begin_run()
        programs._recompute_balances(date_to)
        booked = programs._book()
        balances = self.env["channel.rebate.balance"].search([("program_id", "in", programs.ids)])
        return [{**row, "booked": booked.get(row["balance_id"], 0.0)} for row in balances._to_json()]

    def calculate(self, date_to=None, whole=False):
        """Bring entries and balances in line with the source lines, without booking anything.

        :param date_to: ISO day or date, today if none; a day before that of the last run counts as that day
        :param bool whole: look at every line again, not only at what changed since the last run
        :return: dict `programs` (ids) and `date_to`
        :raises LockError: another run works on one of the programmes; nothing was done, try again later
        """
        programs = self or self.search([("company_id", "in", self.env.companies.ids)])
        programs.check_access("write")
        date_to = fields.Date.to_date(date_to) or fields.Date.context_today(self)
        programs = programs._with_combined()
        programs._begin_run()
        if whole:
            programs.calculation = False
        programs._recompute_balances(date_to)
        return {"programs": programs.ids, "date_to": date_to.isoformat()}

    def accrue_in_jobs(self, date_to=None, blocks=1):
        """Accrue on as many processes as there are job runners: a job for each programme, or those that are combined.

        Each job is a transaction of its own: one that fails, or is killed, has done nothing and is done again, and none
        waits for another. Asked twice for one day, the jobs that wait already are not doubled.

        :param date_to: ISO day or date, today if none
        :param int blocks: into how many blocks of members each programme is split: a job for each of them calculates,
            and when all are done another one books. Programmes that are combined, or divide what a pool earns among
            others, are not split.
        :return: uuids of the jobs
        :raises ValidationError: `blocks` is not between 1 and 1,000
        """
        if not 1 <= blocks <= 1000:
            raise ValidationError(self.env._("accrue_in_jobs: blocks %s is not between 1 and 1,000.", blocks))
        programs = self or self.search([("company_id", "in", self.env.companies.ids)])
        programs.check_access("write")
        date_to = fields.Date.to_date(date_to) or fields.Date.context_today(self)
        jobs = []
        engine = self.env["channel.rebate.engine"]
        for together in engine._combined(programs._with_combined()):
            key = f"rebate-accrue-{','.join(map(str, sorted(together.ids)))}-{date_to}"
            name = self.env._("Accrue rebates: %s", ", ".join(together.mapped("code")))
            if blocks > 1 and engine._can_split(together):
                jobs += together._accrue_in_blocks(str(date_to), blocks, key, name)
                continue
            jobs.append(together.with_delay(identity_key=key, description=name)._job_accrue(str(date_to)).uuid)
        return jobs

    def _accrue_in_blocks(self, date_to, blocks, key, name):
        """-> uuids of the jobs that calculate one block of members each, and of the one that waits for all of them"""
        engine = self.env["channel.rebate.engine"]
        # what the blocks share is brought up to date once, before them
        self.env["channel.segment"]._refresh_pending()
        engine._refresh_goods(self)
        calculate = [
            self.delayable(identity_key=f"{key}-{number}-{blocks}", description=f"{name} ({number + 1}/{blocks})")
            ._job_calculate(date_to, number, blocks)
            for number in range(blocks)
        ]
        book = self.delayable(identity_key=key, description=name)._job_accrue(date_to)
        group(*calculate).on_done(book).delay()
        return [delayable._generated_job.uuid for delayable in (*calculate, book)]

    def _job_calculate(self, date_to, number, blocks):
        """See :meth:`accrue_in_jobs`. Entries and balances of one block of members."""
        try:
            self._begin_block(number, blocks)
        except LockError as error:
            raise RetryableJobError(str(error)) from error
        date_to = fields.Date.to_date(date_to)
        limit = max([date_to, *(day for day in self.mapped("accrued_to") if day)])
        self.env["channel.rebate.engine"]._refresh(self, limit, block=(number, blocks))

    def _begin_block(self, number, blocks):
        """Take one block of members of the programmes for this transaction.

        Guarantee: nobody else works on the block, and nobody on the programmes as a whole; other blocks go on. A block
        that another transaction finished after this one took its snapshot fails to serialise and is retried.

        :raises LockError: somebody does; nothing was done
        """
        ids = list(self.ids)
        shared = self.env.execute_query(
            SQL("SELECT id FROM channel_rebate_program WHERE id = ANY(%s) FOR SHARE SKIP LOCKED", ids)
        )
        taken = self.env.execute_query(
            SQL(
                """SELECT bool_and(pg_try_advisory_xact_lock(hashtext('channel_rebate_block'),
                                                             hashtext(concat_ws('/', id, %s, %s))))
                     FROM unnest(%s::int[]) id""",
                number,
                blocks,
                ids,
            )
        )
        if len(shared) != len(ids) or not taken[0][0]:
            raise LockError(self.env._("Another run works on programme %s.", ", ".join(self.mapped("code"))))

    def _job_accrue(self, date_to):
        """See :meth:`accrue_in_jobs`. A programme that is worked on elsewhere is tried again later."""
        try:
            self.accrue(date_to)
        except LockError as error:
            raise RetryableJobError(str(error)) from error

    @api.readonly
    def simulate(self, date_from, date_to, version_ids=None, purpose="rebate"):
        """Calculate what the lines dated between two days earn, without writing anything.

        :param date_from: ISO day or date, included
        :param date_to: ISO day or date, included
        :param version_ids: draft versions to try: each makes room for itself among the approved versions of its
            programme as its approval would
        :param purpose: `rebate`, or `provision`: by which terms of the reduction principle programmes are reduced
        :return: list of dicts, one for each programme, member and window with a line in the range: `program_id`,
            `program` (code), `member_id`, `member`, `version_id`, `version` (number), `window`, `window_start`,
            `window_end`, `currency`, `lines`, `base`, `tier_id`, `tier_from`, `rate` (%), `entitlement`, and what the
            books hold of that window today: `balance_id` (or None), `accrued`, `settled`, `open`
        """
        programs = self or self.search([("company_id", "in", self.env.companies.ids)])
        programs.check_access("read")
        date_from, date_to = fields.Date.to_date(date_from), fields.Date.to_date(date_to)
        if not date_from or not date_to or date_from > date_to:
            raise ValidationError(
                self.env._("simulate: date_from %(a)s must not be after date_to %(b)s.", a=date_from, b=date_to)
            )
        # A simulation shows amounts of all members of a programme, so it is not for who sees some of them only.
        if self.env.user.channel_is_regional or not self.env["channel.rebate.balance"].has_access("read"):
            raise AccessError(
                self.env._("A simulation shows all members of a programme: it needs access to all regions.")
            )
        versions = programs._with_combined().version_ids.filtered(
            lambda v: v._is_in_force() or v.id in (version_ids or [])
        )
        rows = self.env["channel.rebate.engine"]._simulate(versions, date_from, date_to, purpose)
        return programs._simulated_to_json([row for row in rows if row["program_id"] in programs._ids])

    @api.readonly
    def explain(self, line=None, balance=None):
        """Explain a rebate tier by tier.

        :param int line: id of a `channel.rebate.entry`: explains the line and the window it is in
        :param int balance: id of a `channel.rebate.balance`: explains the window
        :return: dict with the balance (keys as `simulate`), `steps` (list of dicts: `version`, `kind`, `tier_from`,
            `tier_to` (None = open), `rate` in %, `reached`, `amount` inside the tier, `rebate` before rounding),
            `words` (list of sentences in the user's language) and, for a line, `line` (keys `entry_id`, `document`,
            `product`, `date`, `amount`, `excluded` code or None, `total_before`, `total_after`, `rate`, `rebate`)
        :raises AccessError: the line belongs to a member that the user may not see
        """
        if line:
            entry = self.env["channel.rebate.entry"].browse(line).exists()
            if not entry:
                raise ValidationError(self.env._("explain: there is no rebate entry %s.", line))
            entry.check_access("read")
            record = entry.balance_id
        else:
            entry = self.env["channel.rebate.entry"]
            record = self.env["channel.rebate.balance"].browse(balance).exists()
        if not record:
            raise ValidationError(self.env._("explain: there is no rebate balance %s.", balance or line))
        record.check_access("read")
        # sudo: access to the balance was checked; the reader (a member on the portal) may know the terms it was
        # calculated under although he cannot read programmes.
        return record.sudo()._explain(entry.sudo())

    @api.readonly
    def statement(self, member_id, period):
        """What a member earned, was booked, was paid, and has open, for each programme and line.

        :param int member_id: member (`res.partner`)
        :param period: `'2026-03'`, `'2026-Q1'`, `'2026-H1'`, `'2026'`, or `[from, to]` (ISO days, both included)
        :return: dict `member_id`, `member`, `date_from`, `date_to`, `programs`: list of dicts `program_id`, `code`,
            `name`, `company`, `currency`, `entitlement`, `correction`, `accrued`, `settled`, `open`,
            `corrections` (list of dicts `reference`, `date`, `window`, `reason`, `amount`),
            `balances` (keys as `simulate`, and `correction`: every window that overlaps the period, whole, to date),
            `lines` (list of dicts for the lines of these windows dated in the period: `entry_id`, `date`, `document`,
            `product`, `window`, `qualifying`, `earning`, `excluded` (code or None), `rate`, `rebate`),
            `settlements` (list of dicts `document`, `date`, `window`, `amount`)
        :raises ValidationError: no such member, or a period that cannot be read
        :raises AccessError: the user may not see the member's balances
        """
        date_from, date_to = self._period(period)
        member = self.env["res.partner"].browse(member_id).exists()
        if not member:
            raise ValidationError(self.env._("statement: there is no member %s.", member_id))
        member.check_access("read")
        member = member.commercial_partner_id
        domain = Domain("member_id", "=", member.id) & Domain("window_start", "<=", date_to)
        domain &= Domain("window_end", ">=", date_from)
        if self:
            domain &= Domain("program_id", "in", self.ids)
        balances = self.env["channel.rebate.balance"].search(domain, order="program_id, window_start")
        balances.check_access("read")
        # sudo: the balances were found with the user's own rights, what follows only describes them.
        return balances.sudo()._statement(member.sudo(), date_from, date_to)

    @api.model
    @api.readonly
    def progress(self, member_id, date=None):
        """How far a member's windows are on the way to their next tiers, as of the last run.

        :param int member_id: member (`res.partner`); a portal user's own company
        :param date: ISO day; today when missing
        :return: list of dicts, one for each programme whose window holds the day: `program_id`, `program` (code),
            `name`, `balance_id`, `window`, `window_end`, `currency`, `in_money` (whether the measure is money),
            `measure`, `entitlement`, `rate` (of the tier reached), `next_from`, `next_rate`, `to_go` (all None where no
            tier is ahead or nobody can say in advance), `brings` (more rebate at the next bound; None where the method
            does not tell), `projected_measure`, `projected_rate`, `projected_entitlement` (if sales go on as they did),
            `words`
        :raises ValidationError: no such member, or a day that cannot be read
        :raises AccessError: the user may not see the member's balances
        """
        try:
            date = fields.Date.to_date(date) or fields.Date.context_today(self)
        except ValueError:
            raise ValidationError(self.env._("progress: date %r is no ISO day (2026-03-31).", date)) from None
        member = self.env["res.partner"].browse(member_id).exists()
        if not member:
            raise ValidationError(self.env._("progress: there is no member %s.", member_id))
        member.check_access("read")
        balances = self.env["channel.rebate.balance"]._current(member, date)
        # sudo: the balances were found with the user's own rights; terms of their versions go with them
        balances = balances.sudo()
        return [
            {**progress, "words": balance._progress_words(progress)}
            for balance, progress in zip(balances, balances._progress(date), strict=True)
        ]

    def propose_write_offs(self, date=None):
        """Draft corrections that write off what nobody has claimed: a correction of the open amount, to be approved.

        What is on hold, or in a settlement that is drafted, is left alone.

        :param date: the day that is looked at; today when missing
        :return: ids of the new ``channel.rebate.correction`` records
        """
        self.check_access("write")
        date = fields.Date.to_date(date) or fields.Date.context_today(self)
        found = self.env["channel.rebate.correction"]
        for program in self.filtered("write_off_months"):
            balances = self.env["channel.rebate.balance"].search([
                ("program_id", "=", program.id), ("open_amount", ">", 0),
                ("window_end", "<=", date - relativedelta(months=program.write_off_months)),
            ])
            balances -= self.env["channel.settlement.line"].search([
                ("balance_id", "in", balances.ids), ("settlement_id.state", "=", "draft"),
            ]).balance_id
            balances -= found.search([("balance_id", "in", balances.ids), ("state", "=", "draft")]).balance_id
            held = self.env["channel.rebate.hold"]._held(balances)
            found |= found.create([
                {
                    "balance_id": balance.id,
                    "amount": -balance.open_amount,
                    "reason": self.env._("Not claimed within %s months after the window", program.write_off_months),
                    "account_id": program.write_off_account_id.id,
                }
                for balance in balances
                if balance.id not in held and not balance.currency_id.is_zero(balance.open_amount)
            ])
        return found.ids

    def action_propose_write_offs(self):
        """Draft them and list them."""
        corrections = self.propose_write_offs()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_rebate.channel_rebate_correction_action"),
            "domain": [("id", "in", corrections)], "context": {},
        }

    def propose_settlements(self, date_to=None, member_ids=None, interim=None):
        """Draft settlements of what is open: one for each programme and member.

        :param date_to: windows that end on or before this day (today if none)
        :param member_ids: only these members
        :param bool interim: whether also windows that begin on or before `date_to` and have not ended yet; as each
            programme says ("Pay in Advance") if not given
        :return: ids of the new `channel.settlement` records; none where nothing is open or a draft exists already
        """
        self.check_access("write")
        date_to = fields.Date.to_date(date_to) or fields.Date.context_today(self)
        domain = Domain.OR(
            Domain("program_id", "in", programs.ids) & Domain("window_start" if runs else "window_end", "<=", date_to)
            for runs, programs in self.grouped(lambda p: p.settles_running if interim is None else interim).items()
        )
        if member_ids:
            domain &= Domain("member_id", "in", member_ids)
        self.accrue(date_to)
        return self.env["channel.settlement"]._propose(self.env["channel.rebate.balance"].search(domain)).ids

    # === BUSINESS METHODS === #

    def _begin_run(self):
        """Take the programmes for this transaction.

        Guarantee: of two transactions that begin a run on one programme, the later either finds the row locked
        (LockError) or, if the earlier has committed since the later took its snapshot, fails to serialise and is
        retried by Odoo with a fresh one. The increment makes the row differ, which is what PostgreSQL needs to notice.
        """
        self.lock_for_update(allow_referencing=True)
        self.flush_recordset(["run_count"])
        self.env.cr.execute(
            SQL("UPDATE channel_rebate_program SET run_count = COALESCE(run_count, 0) + 1 WHERE id = ANY(%s)",
                list(self.ids))
        )
        self.invalidate_recordset(["run_count"], flush=False)

    def _recompute_balances(self, date_to):
        """Bring entries and balances in line with the lines dated up to `date_to`, or the last run's day if later."""
        engine = self.env["channel.rebate.engine"]
        known = self._with_combined()
        known.fetch(["accrued_to"])
        for together in engine._combined(known):
            limit = max([date_to, *(day for day in together.mapped("accrued_to") if day)])
            together.filtered(lambda p, limit=limit: p.accrued_to != limit).accrued_to = limit
        for limit, programs in known.grouped("accrued_to").items():
            engine._refresh(programs, limit)

    def _with_combined(self):
        """:return: these programmes, and those that combinations connect them with: one is not known without the
        other
        """
        found, programs = self.browse(), self
        while programs != found:
            found = programs
            programs |= programs.version_ids.combination_id.version_ids.program_id
        return found

    def _simulated_to_json(self, rows):
        programs = {p.id: p for p in self}
        members = self.env["res.partner"].browse({row["member_id"] for row in rows})
        names = {member.id: member.name for member in members}
        versions = self.env["channel.rebate.program.version"].browse({row["version_id"] for row in rows})
        numbers = {version.id: version.number for version in versions}
        tiers = self.env["channel.rebate.tier"].browse({row["tier_id"] for row in rows if row["tier_id"]})
        bounds = {tier.id: tier.lower_bound for tier in tiers}
        held = {
            (b.program_id.id, b.member_id.id, b.window_start, b.window_end): b
            for b in self.env["channel.rebate.balance"].search([("program_id", "in", self.ids)])
        }
        empty = self.env["channel.rebate.balance"]
        result = []
        for row in sorted(rows, key=lambda r: (r["window_start"], r["program_id"], r["member_id"], r["window_end"])):
            program = programs[row["program_id"]]
            balance = held.get((program.id, row["member_id"], row["window_start"], row["window_end"]), empty)
            result.append(
                {
                    "balance_id": balance.id or None,
                    "program_id": program.id,
                    "program": program.code,
                    "member_id": row["member_id"],
                    "member": names[row["member_id"]],
                    "version_id": row["version_id"],
                    "version": numbers[row["version_id"]],
                    "window": self.env["channel.rebate.engine"]._window_name(row["window_start"], row["window_end"]),
                    "window_start": row["window_start"].isoformat(),
                    "window_end": row["window_end"].isoformat(),
                    "currency": program.currency_id.name,
                    "lines": row["line_count"],
                    "base": float(row["base_amount"]),
                    "tier_id": row["tier_id"] or None,
                    "tier_from": bounds.get(row["tier_id"]),
                    "rate": float(row["tier_rate"] or 0),
                    "entitlement": float(row["entitlement"]),
                    "accrued": balance.accrued_amount,
                    "settled": balance.settled_amount,
                    "open": balance.open_amount,
                }
            )
        return result

    @api.model
    def _period(self, period):
        """-> (first day, last day) of `'2026'`, `'2026-H1'`, `'2026-Q3'`, `'2026-07'` or `[from, to]`."""
        if isinstance(period, (list, tuple)) and len(period) == 2:
            first, last = (fields.Date.to_date(day) for day in period)
            if first and last and first <= last:
                return first, last
        match = re.fullmatch(r"(\d{4})(?:-(?:Q([1-4])|H([12])|(0[1-9]|1[0-2])))?", str(period))
        if not match:
            raise ValidationError(
                self.env._(
                    "Period %s cannot be read: give '2026', '2026-H1', '2026-Q3', '2026-07', "
                    "or [first day, last day] as ISO dates.",
                    period,
                )
            )
        year, quarter, half, month = match.groups()
        if month:
            start, months = int(month), 1
        elif quarter:
            start, months = int(quarter) * 3 - 2, 3
        elif half:
            start, months = int(half) * 6 - 5, 6
        else:
            start, months = 1, 12
        first = date(int(year), start, 1)
        return first, first + relativedelta(months=months, days=-1)

    @api.model
    def _forget_old_calculations(self):
        """Programmes that did not run for a month look at every line when they do: changes need not be kept for
        them.
        """
        before = fields.Date.today() - timedelta(days=30)
        self.env.execute_query(
            SQL(
                """UPDATE channel_rebate_program SET calculation = NULL
                    WHERE (calculation->>'day')::date < %s RETURNING id""",
                before,
            )
        )
        self.invalidate_model(["calculation"])

    # === CRON === #

    @api.model
    def _cron_accrue(self):
        """Accrue every programme that has ever been approved up to yesterday, each in a transaction of its own.

        A programme that fails keeps nothing of this night, raises an alert, and does not stop the others.
        """
        programs = self.search([("version_ids.state", "=", "approved")], order="company_id, id")
        yesterday = fields.Date.context_today(self) - timedelta(days=1)
        self.env["ir.cron"]._commit_progress(remaining=len(programs))
        for program in programs:
            program = program.with_company(program.company_id)[0]
            key = f"accrue-{program.id}"
            try:
                program.accrue(yesterday)
            except LockError:
                # Somebody accrues it right now: it is being done.
                self.env.cr.rollback()
            except (UserError, psycopg2.Error) as error:
                self.env.cr.rollback()
                _logger.info("Rebate programme %s could not be accrued: %s", program.id, error)
                self.env["channel.alert"]._raise_alerts(
                    "channel_rebate",
                    [
                        {
                            "key": key,
                            "name": self.env._("Rebate programme %s could not be accrued", program.code),
                            "severity": "critical",
                            "record": program,
                            "company": program.company_id,
                            "user": program.user_id,
                            "note": str(error),
                        }
                    ],
                )
            else:
                self.env["channel.alert"]._clear_alerts("channel_rebate", [key])
            if not self.env["ir.cron"]._commit_progress(processed=1):
                break
