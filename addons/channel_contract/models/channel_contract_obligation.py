from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from odoo.addons.channel_base.tools.private_key import PrivateKey

ALERT = "contract_obligation"
ACTIVITY_TYPE = "channel_contract.mail_activity_type_obligation"
#: Stages of contracts that bind nobody yet.
PREPARING = ("draft", "review", "approval", "signature")
#: Months from one to the next.
MONTHS = {"monthly": 1, "quarterly": 3, "half_yearly": 6, "yearly": 12}
#: Opens what follows from decisions and from the calendar to the code that writes it.
_SETTLER = PrivateKey("channel_contract_obligation_settler")


class ChannelContractObligation(models.Model):
    """Something that one side of a contract has to do by a day: deliver documents, be audited, review prices.

    The rows of a recurring one follow each other at equal distance from the first day, so that what is due at the end
    of a month stays at its end. The next one is made when one is settled or its day has passed, as long as the contract
    lasts. Settled ones are never edited.
    """

    _name = "channel.contract.obligation"
    _description = "Obligation of a Contract"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date_due, id"
    # The owner, who may not write contracts, puts the proof into the chatter
    _mail_post_access = "read"

    contract_id = fields.Many2one("channel.contract", required=True, index=True, ondelete="cascade")
    member_id = fields.Many2one(related="contract_id.member_id", store=True, index=True)
    region_id = fields.Many2one(related="contract_id.region_id", store=True, index="btree_not_null")
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)
    name = fields.Char(required=True, tracking=True)
    kind = fields.Selection(
        [
            ("documents", "Deliver Documents"),
            ("audit", "Audit"),
            ("renewal", "Renewal"),
            ("price_review", "Price Review"),
            ("other", "Other"),
        ],
        required=True,
        default="documents",
    )
    side = fields.Selection(
        [("company", "The Company"), ("member", "The Member")],
        string="To Be Done by",
        required=True,
        default="company",
        help="What the member has to do is shown to it on the portal.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Owner",
        compute="_compute_user_id",
        store=True,
        readonly=False,
        precompute=True,
        index="btree_not_null",
        domain="[('share', '=', False)]",
        tracking=True,
        help="Of the company: sees to it that it is done, whichever side has to do it.",
    )
    date_due = fields.Date(
        string="Due on", required=True, index=True, tracking=True, help="The last day on which it is done in time."
    )
    recurrence = fields.Selection(
        [
            ("none", "Once"),
            ("monthly", "Monthly"),
            ("quarterly", "Quarterly"),
            ("half_yearly", "Half-yearly"),
            ("yearly", "Yearly"),
        ],
        required=True,
        default="none",
        tracking=True,
    )
    reminder_days = fields.Integer(default=14, aggregator=None, help="Days before its day on which the owner is told.")
    description = fields.Text(help="What exactly is to be done; the member reads it too where it is the one to do it.")
    state = fields.Selection(
        [("open", "Open"), ("done", "Done"), ("waived", "Waived")],
        required=True,
        default="open",
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    status = fields.Selection(
        [("open", "Open"), ("overdue", "Overdue"), ("done", "Done"), ("waived", "Waived")],
        compute="_compute_status",
        search="_search_status",
        help="Overdue from the day after its day on, where the company is.",
    )
    done_on = fields.Date(readonly=True, copy=False)
    done_late = fields.Boolean(compute="_compute_done_late", store=True, help="Done after its day.")
    settled_by_id = fields.Many2one("res.users", string="Done by", readonly=True, copy=False, ondelete="restrict")
    waive_reason = fields.Char(readonly=True, copy=False, groups="base.group_user")
    attachment_ids = fields.Many2many(
        "ir.attachment",
        "channel_contract_obligation_attachment_rel",
        "obligation_id",
        "attachment_id",
        string="Proof",
        copy=False,
        groups="base.group_user",
    )
    may_settle = fields.Boolean(compute="_compute_may_settle")
    series_start = fields.Date(readonly=True, copy=False, help="The day of the first of a series.")
    place = fields.Integer(
        default=0, readonly=True, copy=False, aggregator=None, help="Within the series, the first one is 0."
    )
    previous_id = fields.Many2one(
        "channel.contract.obligation", readonly=True, copy=False, index="btree_not_null", ondelete="set null"
    )
    reminded_on = fields.Date(readonly=True, copy=False)
    alerted_on = fields.Date(readonly=True, copy=False)

    _reminder_positive = models.Constraint("CHECK (reminder_days >= 0)", "Days of reminder cannot be below 0.")
    _previous_uniq = models.UniqueIndex(
        "(previous_id) WHERE previous_id IS NOT NULL", "The next one of the series is there already."
    )
    _calendar = models.Index("(date_due) WHERE state = 'open'")

    # === COMPUTE METHODS ===#

    @api.depends("contract_id")
    def _compute_user_id(self):
        for obligation in self:
            obligation.user_id = obligation.user_id or obligation.contract_id.user_id

    @api.depends("state", "date_due", "company_id")
    def _compute_status(self):
        for obligation in self:
            # sudo: the day of the company is no secret, the portal shows what is overdue
            today = (obligation.sudo().company_id or self.env.company)._channel_today()
            late = obligation.state == "open" and obligation.date_due and obligation.date_due < today
            obligation.status = "overdue" if late else obligation.state

    def _search_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = self._late_domain()
        domains = {
            "open": Domain("state", "=", "open") & ~late,
            "overdue": Domain("state", "=", "open") & late,
            "done": Domain("state", "=", "done"),
            "waived": Domain("state", "=", "waived"),
        }
        return Domain.OR(domains[status] for status in value if status in domains)

    @api.model
    def _late_domain(self):
        # sudo: as above; companies that share a day share a condition
        # pylint: disable-next=no-search-all  # of companies, each with its own day
        companies = self.env["res.company"].sudo().search([])
        return Domain.OR(
            Domain("company_id", "in", group.ids) & Domain("date_due", "<", today)
            for today, group in companies.grouped(lambda company: company._channel_today()).items()
        )

    @api.depends("done_on", "date_due")
    def _compute_done_late(self):
        for obligation in self:
            obligation.done_late = bool(obligation.done_on and obligation.done_on > obligation.date_due)

    @api.depends_context("uid")
    @api.depends("user_id", "state")
    def _compute_may_settle(self):
        may_write = self.has_access("write") if self.ids else False
        for obligation in self:
            obligation.may_settle = obligation.state == "open" and (may_write or obligation.user_id == self.env.user)

    # === CRUD METHODS ===#

    @api.model
    def _derived_fields(self):
        """:return: the set of the fields that follow from decisions and the calendar, and are not typed"""
        return {
            "state", "done_on", "settled_by_id", "waive_reason", "series_start", "place", "previous_id", "reminded_on",
            "alerted_on",
        }

    @api.model_create_multi
    def create(self, vals_list):
        if not _SETTLER.opens(self):
            for vals in vals_list:
                self._check_not_typed({name for name in vals if vals[name] and vals[name] != "open"})
            vals_list = [{**vals, "series_start": vals.get("date_due")} for vals in vals_list]
        return super(ChannelContractObligation, _SETTLER.close(self)).create(vals_list)

    def write(self, vals):
        """What has been settled stays as it was; a new day of an open one is told about anew."""
        if _SETTLER.opens(self):
            return super(ChannelContractObligation, _SETTLER.close(self)).write(vals)
        self._check_not_typed(set(vals))
        typed = {name for name in vals if not name.startswith(("message_", "activity_"))} - {"attachment_ids"}
        if typed:
            for obligation in self:
                if obligation.state != "open":
                    raise UserError(
                        self.env._(
                            "%s is settled: it is not changed any more. Open it again first.", obligation.display_name
                        )
                    )
        if "contract_id" in vals and any(obligation.contract_id.id != vals["contract_id"] for obligation in self):
            raise UserError(self.env._("The contract of an obligation cannot be changed: make another obligation."))
        before = {row: (row.date_due, row.user_id) for row in self}
        result = super().write(vals)
        # Another day or another owner: whoever was told before is told no more
        told = self.filtered(lambda row: (row.date_due, row.user_id) != before[row])
        if told:
            told._forget_told()
        # The first one moves the series; later ones move alone
        for first in told.filtered(lambda row: not row.place and row.series_start != row.date_due):
            _SETTLER.open(first).write({"series_start": first.date_due})
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_settled(self):
        for obligation in self:
            if obligation.state != "open":
                raise UserError(
                    self.env._("%s is settled: it shows what was done and cannot be deleted.", obligation.display_name)
                )
        self._forget_told()

    def _check_not_typed(self, names):
        typed = sorted(names & self._derived_fields())
        if typed:
            raise UserError(
                self.env._(
                    "%(fields)s of an obligation cannot be typed: mark it done, waive it or open it again.",
                    fields=", ".join(self._fields[name]._description_string(self.env) for name in typed),
                )
            )

    # === ACTION METHODS ===#

    def action_ask_waive(self):
        return self.env["channel.contract.decision"]._open(self, "waive")

    def action_ask_reopen(self):
        return self.env["channel.contract.decision"]._open(self, "reopen")

    def action_done(self, date=None):
        """Say that obligations have been met; the next one of a series follows.

        :param str date: ISO date on which it was done, not in the future; today where the company is when left out
        :return: ``True``
        :raise AccessError: unless the user writes contracts or is the owner
        :raise UserError: when one is settled already, or the date lies in the future
        """
        self._check_may_settle()
        for obligation in self:
            today = obligation.company_id._channel_today()
            day = obligation._input_day(date) or today
            if day > today:
                raise UserError(
                    self.env._(
                        "date: %(name)s cannot be done on %(date)s, that day has not come yet.",
                        name=obligation.display_name,
                        date=format_date(self.env, day),
                    )
                )
            obligation._settle({"state": "done", "done_on": day})
        return self._settled("obligation.done", self.env._("Done"))

    def action_waive(self, reason):
        """Do without obligations; the next one of a series follows.

        :param str reason: why; required, kept in the journal
        :return: ``True``
        :raise AccessError: unless the user writes contracts
        :raise UserError: no reason, or one is settled already
        """
        reason = self._check_reason(reason)
        self._check_open()
        self._settle({"state": "waived", "waive_reason": reason})
        return self._settled("obligation.waived", reason, reason)

    def action_reopen(self, reason):
        """Take back that obligations were done or waived.

        :param str reason: why; required, kept in the journal
        :return: ``True``
        :raise AccessError: unless the user writes contracts
        :raise UserError: no reason, or one is open
        """
        reason = self._check_reason(reason)
        for obligation in self:
            if obligation.state == "open":
                raise UserError(self.env._("%s is open already.", obligation.display_name))
        before = {row.id: {"state": row.state, "done_on": row.done_on, "reason": row.waive_reason} for row in self}
        _SETTLER.open(self).write(
            {"state": "open", "done_on": False, "settled_by_id": False, "waive_reason": False, "reminded_on": False,
             "alerted_on": False}
        )
        self.env["channel.audit.entry"]._record(
            "obligation.reopened", self, reason=reason, before=before, after={"state": "open"}
        )
        return True

    # === BUSINESS METHODS ===#

    def _check_may_settle(self):
        self.check_access("read")
        foreign = self.filtered(lambda obligation: obligation.user_id != self.env.user)
        if foreign and not foreign.has_access("write"):
            raise AccessError(
                self.env._(
                    "%s: only its owner and who writes contracts mark it done.", foreign[0].display_name
                )
            )
        self._check_open()

    def _check_open(self):
        for obligation in self:
            if obligation.state != "open":
                raise UserError(self.env._("%s is settled already.", obligation.display_name))

    def _check_reason(self, reason):
        self.check_access("write")
        if not isinstance(reason, str) or not reason.strip():
            raise UserError(self.env._("Reason: say why, it is kept in the audit journal."))
        return reason.strip()

    def _input_day(self, date):
        try:
            return fields.Date.to_date(date)
        except (TypeError, ValueError) as error:
            raise ValidationError(self.env._("date: %r is not an ISO date such as 2026-03-31.", date)) from error

    def _settle(self, values):
        # sudo: who may settle was checked by the caller; owners may not write contracts
        _SETTLER.open(self.sudo()).write({**values, "settled_by_id": self.env.uid})

    def _settled(self, action, feedback, reason=None):
        self.env["channel.audit.entry"]._record(
            action,
            self,
            reason=reason,
            after={
                row.id: {"contract": row.contract_id.name, "due": row.date_due, "done": row.done_on or None}
                for row in self
            },
        )
        self.env["channel.alert"]._clear_alerts(ALERT, self.ids)
        # sudo: as above; whoever settles closes the owner's activity
        self.sudo().activity_feedback([ACTIVITY_TYPE], feedback=feedback)
        self.sudo()._make_next(self.ids)
        return True

    def _forget_told(self):
        """The day has changed or the obligation goes: close what was told about it."""
        self.env["channel.alert"]._clear_alerts(ALERT, self.ids)
        # sudo: who may write the obligation closes the activity of its owner
        self.sudo().activity_unlink([ACTIVITY_TYPE])
        _SETTLER.open(self).write({"reminded_on": False, "alerted_on": False})

    # === CALENDAR ===#

    @api.model
    def _run_calendar(self):
        """Make what comes next, remind owners, raise alerts for what is overdue. Nightly; idempotent."""
        # sudo: the job looks at the contracts of every company
        obligations = self.sudo()
        while obligations._make_next():
            # A job that stood still finds several of a series to follow one another
            pass
        obligations._remind()
        obligations._alert_overdue()

    @api.model
    def _make_next(self, only=None):
        """Make the next one of each series whose last one is settled or whose day has passed.

        One query and one creation for any number.

        :param list only: ids of last ones to look at; None: all
        :return: those made
        """
        rows = self._next_rows(only)
        return _SETTLER.open(self).create(
            [
                {
                    "contract_id": last.contract_id.id,
                    "name": last.name,
                    "kind": last.kind,
                    "side": last.side,
                    "user_id": last.user_id.id,
                    "recurrence": last.recurrence,
                    "reminder_days": last.reminder_days,
                    "description": last.description,
                    "date_due": due,
                    "series_start": last.series_start,
                    "place": last.place + 1,
                    "previous_id": last.id,
                }
                for last, due in rows
            ]
        )

    @api.model
    def _next_rows(self, only):
        """:return: list of ``(the last one of a series, day of the next one)``"""
        self._flush_calendar()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT o.id, next.due
                  FROM channel_contract_obligation o
                  JOIN channel_contract c ON c.id = o.contract_id AND c.active
                  JOIN %(days)s ON day.company_id = c.company_id
                  JOIN %(months)s AS step (recurrence, months) ON step.recurrence = o.recurrence
                 CROSS JOIN LATERAL (SELECT (o.series_start + (o.place + 1) * step.months * interval '1 month')::date
                                            AS due) next
                 WHERE (o.state <> 'open' OR o.date_due < day.today) AND %(only)s
                   AND NOT EXISTS (SELECT FROM channel_contract_obligation later WHERE later.previous_id = o.id)
                   AND next.due <= LEAST(c.terminated_on,
                                         (SELECT max(COALESCE(v.valid_to, 'infinity'::date))
                                            FROM channel_contract_version v
                                           WHERE v.contract_id = c.id AND %(stands)s))
                   AND EXISTS (SELECT FROM channel_contract_version v WHERE v.contract_id = c.id AND %(stands)s)
                 ORDER BY o.id
                   FOR NO KEY UPDATE OF o
                """,
                days=self._days_sql(),
                months=SQL("(SELECT * FROM unnest(%s::text[], %s::int[]))", list(MONTHS), list(MONTHS.values())),
                only=SQL("TRUE") if only is None else SQL("o.id = ANY(%s)", list(only)),
                stands=self.env["channel.contract.version"]._standing_sql(SQL.identifier("v")),
            )
        )
        lasts = self.browse([last_id for last_id, _due in rows])
        return list(zip(lasts, [due for _last_id, due in rows], strict=True))

    @api.model
    def _remind(self):
        """Give owners an activity for what comes near, once for each obligation and day."""
        self._flush_calendar()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT o.id
                  FROM channel_contract_obligation o
                  JOIN channel_contract c ON c.id = o.contract_id AND c.active
                  JOIN %s ON day.company_id = c.company_id
                 WHERE o.state = 'open' AND o.reminded_on IS NULL AND o.date_due - o.reminder_days <= day.today
                   AND c.stage <> ALL(%s)
                 ORDER BY o.id
                """,
                self._days_sql(),
                list(PREPARING),
            )
        )
        due = self.browse([obligation_id for (obligation_id,) in rows])
        kind = self.env.ref(ACTIVITY_TYPE)
        model_id = self.env["ir.model"]._get_id(self._name)
        self.env["mail.activity"].create(
            [
                {
                    "activity_type_id": kind.id,
                    "res_model_id": model_id,
                    "res_id": obligation.id,
                    "user_id": (obligation.user_id or obligation.company_id._channel_alert_user()).id,
                    "date_deadline": obligation.date_due,
                    # closed when it is settled
                    "automated": True,
                    "summary": self.env._(
                        "%(name)s of %(contract)s", name=obligation.name, contract=obligation.contract_id.display_name
                    ),
                }
                for obligation in due
            ]
        )
        for company, obligations in due.grouped("company_id").items():
            _SETTLER.open(obligations).write({"reminded_on": company._channel_today()})
        return due

    @api.model
    def _alert_overdue(self):
        """Raise an alert for each that has become overdue, once; those settled meanwhile were cleared then."""
        late = self.search(
            Domain("status", "=", "overdue")
            & Domain("alerted_on", "=", False)
            & Domain("contract_id.active", "=", True)
            & Domain("contract_id.stage", "not in", PREPARING)
        )
        self.env["channel.alert"]._raise_alerts(
            ALERT,
            [
                {
                    "key": str(obligation.id),
                    "name": self.env._(
                        "%(contract)s: %(name)s is overdue",
                        contract=obligation.contract_id.display_name,
                        name=obligation.name,
                    ),
                    "severity": "warning",
                    "record": obligation,
                    "company": obligation.company_id,
                    "user": obligation.user_id,
                    "region": obligation.region_id,
                    "note": self.env._(
                        "Due on %(date)s, to be done by: %(side)s.",
                        date=format_date(self.env, obligation.date_due),
                        side=dict(self._fields["side"]._description_selection(self.env))[obligation.side],
                    ),
                }
                for obligation in late
            ],
        )
        for company, obligations in late.grouped("company_id").items():
            _SETTLER.open(obligations).write({"alerted_on": company._channel_today()})
        return late

    @api.model
    def _days_sql(self):
        """:return: SQL relation ``day (company_id, today)``"""
        # sudo: the day of a company is no secret
        # pylint: disable-next=no-search-all  # of companies, each with its own day
        companies = self.env["res.company"].sudo().search([])
        return SQL(
            "unnest(%s::int[], %s::date[]) AS day (company_id, today)",
            companies.ids,
            [company._channel_today() for company in companies],
        )

    @api.model
    def _flush_calendar(self):
        self.flush_model()
        self.env["channel.contract"].flush_model(["active", "stage", "company_id", "terminated_on"])
        self.env["channel.contract.version"]._flush_in_force()
