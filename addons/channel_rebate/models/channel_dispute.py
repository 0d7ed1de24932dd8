from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

#: States in which nothing is decided yet
OPEN_STATES = ("submitted", "review")
DECIDED_STATES = ("upheld", "partly", "rejected")


class ChannelDispute(models.Model):
    """An appeal of a payee against what was calculated: a line, a window, or a settlement of it.

    Until it is decided the amount in dispute is on hold. It is decided by somebody else than who raised it; what is
    granted becomes a correction (``channel.rebate.correction``), which is approved, accrued and settled like any other.
    The calculation itself never changes. Both sides keep the history: the payee on the portal, we here.
    """

    _name = "channel.dispute"
    _description = "Rebate Appeal"
    _inherit = ["portal.mixin", "mail.thread", "mail.activity.mixin", "channel.dispute.api.mixin",
                "channel.portal.files.mixin"]
    _order = "id desc"
    _check_company_auto = True
    _mail_post_access = "read"

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    balance_id = fields.Many2one(
        "channel.rebate.balance", string="Window", required=True, ondelete="restrict", index=True, check_company=True
    )
    program_id = fields.Many2one(related="balance_id.program_id", store=True, precompute=True, index=True)
    company_id = fields.Many2one(related="balance_id.company_id", store=True, precompute=True, index=True)
    currency_id = fields.Many2one(related="balance_id.currency_id")
    member_id = fields.Many2one(
        related="balance_id.member_id", string="Payee", store=True, precompute=True, index=True
    )
    entry_id = fields.Many2one(
        "channel.rebate.entry", string="Line", ondelete="set null", index="btree_not_null",
        domain="[('member_id', '=', member_id), ('program_id', '=', program_id)]",
    )
    line_text = fields.Char(string="Line in Words", readonly=True, copy=False, help="As it was when it was appealed.")
    settlement_id = fields.Many2one(
        "channel.settlement", ondelete="restrict", index="btree_not_null", check_company=True,
        domain="[('member_id', '=', member_id), ('program_id', '=', program_id)]",
    )
    statement_id = fields.Many2one(
        "channel.rebate.statement", ondelete="restrict", index="btree_not_null", check_company=True,
        domain="[('member_id', '=', member_id)]", help="The statement that the payee does not agree with.",
    )
    reason = fields.Selection(
        [
            ("line_missing", "A line is missing"),
            ("line_wrong", "A line counts that should not"),
            ("amount", "An amount is wrong"),
            ("tier", "The tier is wrong"),
            ("terms", "The terms are not those agreed"),
            ("settlement", "The settlement is wrong"),
            ("other", "Other"),
        ],
        required=True, tracking=True,
    )
    description = fields.Text(required=True, help="What is wrong, and what it should be.")
    claimed_amount = fields.Monetary(
        string="Claimed", tracking=True, help="By how much the rebate should differ; negative: less."
    )
    held_amount = fields.Monetary(string="On Hold", compute="_compute_held_amount")
    hold_id = fields.Many2one("channel.rebate.hold", readonly=True, copy=False, check_company=True)
    state = fields.Selection(
        [
            ("submitted", "Submitted"),
            ("review", "In review"),
            ("upheld", "Upheld"),
            ("partly", "Partly upheld"),
            ("rejected", "Rejected"),
            ("withdrawn", "Withdrawn"),
        ],
        required=True, readonly=True, default="submitted", copy=False, tracking=True, index=True,
    )
    source = fields.Selection(
        [("manual", "Entered by us"), ("portal", "Portal"), ("api", "API")], readonly=True, default="manual", copy=False
    )
    external_id = fields.Char(
        string="External Number", readonly=True, copy=False, index="btree_not_null",
        help="Number of the appeal in the system that sent it.",
    )
    author_id = fields.Many2one(
        "res.users", string="Raised by", required=True, readonly=True, copy=False, default=lambda self: self.env.user
    )
    user_id = fields.Many2one(
        "res.users", string="Responsible", tracking=True, compute="_compute_user_id", store=True, readonly=False,
        precompute=True, domain="[('share', '=', False)]",
    )
    due_date = fields.Date(
        compute="_compute_due_date", store=True, readonly=False, precompute=True, tracking=True,
        help="By when it is to be decided.",
    )
    is_overdue = fields.Boolean(compute="_compute_is_overdue", search="_search_is_overdue")
    granted_amount = fields.Monetary(string="Granted", tracking=True)
    decision = fields.Text(help="The payee reads it.")
    decided_by_id = fields.Many2one("res.users", string="Decided by", readonly=True, copy=False)
    decided_at = fields.Datetime(string="Decided on", readonly=True, copy=False)
    correction_id = fields.Many2one(
        "channel.rebate.correction", readonly=True, copy=False, check_company=True
    )

    _external_once = models.UniqueIndex(
        "(member_id, external_id) WHERE external_id IS NOT NULL", "This appeal was sent already."
    )

    # === COMPUTE METHODS === #

    @api.depends("hold_id.state", "hold_id.amount")
    def _compute_held_amount(self):
        for dispute in self:
            # sudo: that its amount is on hold is told to the payee
            hold = dispute.sudo().hold_id
            dispute.held_amount = hold.amount if hold.state == "open" else 0.0

    @api.depends("balance_id")
    def _compute_user_id(self):
        for dispute in self:
            # sudo: a dealer does not see the programme, whose owner looks after its appeals
            dispute.user_id = dispute.balance_id.sudo().program_id.user_id

    @api.depends("balance_id")
    def _compute_due_date(self):
        for dispute in self:
            # sudo: a term of the company, no secret
            company = dispute.sudo().balance_id.company_id or self.env.company
            dispute.due_date = company._channel_today() + timedelta(days=company.channel_dispute_days)

    @api.depends("state", "due_date")
    def _compute_is_overdue(self):
        today = fields.Date.context_today(self)
        for dispute in self:
            dispute.is_overdue = bool(
                dispute.state in OPEN_STATES and dispute.due_date and dispute.due_date < today
            )

    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        return [("state", "in", OPEN_STATES), ("due_date", "<", today)]

    def _compute_access_url(self):
        super()._compute_access_url()
        for dispute in self:
            dispute.access_url = f"/my/channel/appeals/{dispute.id}"

    # === CONSTRAINT METHODS === #

    @api.constrains("statement_id", "balance_id")
    def _check_statement(self):
        for dispute in self.filtered("statement_id"):
            if dispute.statement_id.member_id != dispute.member_id:
                raise ValidationError(self.env._(
                    "Statement: %(statement)s is not one of %(member)s. Choose one of this payee.",
                    statement=dispute.statement_id.name, member=dispute.member_id.display_name,
                ))

    @api.constrains("entry_id", "settlement_id", "balance_id")
    def _check_belongs(self):
        for dispute in self:
            balance, entry, settlement = dispute.balance_id, dispute.entry_id, dispute.settlement_id
            if entry and (entry.program_id, entry.member_id) != (balance.program_id, balance.member_id):
                raise ValidationError(self.env._(
                    "Line: %s is no line of the payee under this programme. Choose one of the window.",
                    entry.display_name,
                ))
            if settlement and (settlement.program_id, settlement.member_id) != (balance.program_id, balance.member_id):
                raise ValidationError(self.env._(
                    "Settlement: %s is not one of the payee under this programme.", settlement.display_name
                ))

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        Balance = self.env["channel.rebate.balance"]
        for vals in vals_list:
            # sudo: the company of the window, for the number
            company = Balance.sudo().browse(vals.get("balance_id")).company_id
            vals["name"] = self.env["ir.sequence"].sudo().with_company(company).next_by_code("channel.dispute")
        disputes = super().create(vals_list)
        for dispute in disputes:
            dispute._begin()
        return disputes

    def write(self, vals):
        fixed = {"balance_id", "entry_id", "settlement_id", "claimed_amount", "granted_amount", "decision"}
        if fixed & vals.keys():
            for dispute in self:
                if dispute.state not in OPEN_STATES:
                    raise UserError(self.env._(
                        "%s is decided: it stays as it is. Raise another appeal about what is new.", dispute.name
                    ))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_history(self):
        if self:
            raise UserError(self.env._("%s is part of the history of a rebate: withdraw it instead.", self[:1].name))

    # === ACTIONS === #

    def action_review(self):
        """Take it into review."""
        self.check_access("write")
        for dispute in self.filtered(lambda d: d.state == "submitted"):
            dispute.state = "review"
        return True

    def action_grant(self):
        """Decide for the payee: wholly when nothing is typed or all of the claim, else in part."""
        for dispute in self:
            dispute._check_undecided()
            granted = dispute.granted_amount or dispute.claimed_amount
            if dispute.currency_id.is_zero(granted):
                raise UserError(self.env._(
                    "Granted: say by how much the rebate of %s differs, or reject the appeal.", dispute.name
                ))
            dispute.granted_amount = granted
            whole = not dispute.currency_id.compare_amounts(granted, dispute.claimed_amount)
            dispute._decide("upheld" if whole else "partly")
            dispute.correction_id = self.env["channel.rebate.correction"].create({
                "balance_id": dispute.balance_id.id, "amount": granted, "reason": dispute.decision,
                "origin": dispute.name,
            })
        return True

    def action_reject(self):
        """Decide against the payee."""
        for dispute in self:
            dispute._decide("rejected")
        return True

    def action_withdraw(self):
        """Take it back. Nothing is on hold for it any more."""
        self.check_access("write")
        self._withdraw()
        return True

    def action_view_correction(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "res_model": "channel.rebate.correction", "view_mode": "form",
            "res_id": self.correction_id.id,
        }

    # === BUSINESS METHODS === #

    def _begin(self):
        """Keep the line in words, hold the amount, and note it in the journal."""
        # sudo: whoever appeals may not write holds or the journal; what is held is the payee's own
        dispute = self.sudo()
        if dispute.entry_id:
            dispute.line_text = dispute.entry_id.display_name
        balance = dispute.balance_id
        held = min(abs(dispute.claimed_amount), max(balance.open_amount, 0.0))
        if not dispute.currency_id.is_zero(held):
            dispute.hold_id = self.env["channel.rebate.hold"].sudo().hold(
                balance, self.env._("Appeal %s", dispute.name), dispute.currency_id.round(held), dispute.name
            )
        if dispute.user_id:
            dispute.activity_schedule(
                "mail.mail_activity_data_todo", dispute.due_date, summary=self.env._("Decide appeal %s", dispute.name),
                user_id=dispute.user_id.id,
            )
        self.env["channel.audit.entry"]._record(
            "dispute.submitted", dispute,
            after={dispute.id: {
                "program": dispute.program_id.code, "member": dispute.member_id.display_name,
                "window": balance._window_name(), "reason": dispute.reason, "claimed": dispute.claimed_amount,
                "entitlement": balance.entitlement,
            }},
        )

    def _decide(self, state):
        self.ensure_one()
        self.check_access("write")
        self._check_undecided()
        if self.env.user in (self.author_id, self.create_uid) and not self.env.su:
            raise UserError(self.env._("%s is decided by somebody else than who raised it.", self.name))
        if not (self.decision or "").strip():
            raise UserError(self.env._("Decision: say why %s is decided so; the payee reads it.", self.name))
        self.write({"state": state, "decided_by_id": self.env.uid, "decided_at": fields.Datetime.now()})
        self._end()
        self.env["channel.audit.entry"]._record(
            "dispute.decided", self, reason=self.decision,
            after={self.id: {"state": state, "granted": self.granted_amount if state != "rejected" else 0.0}},
        )
        self.message_post(
            body=self.env._("%(state)s: %(decision)s", state=self._state_words(), decision=self.decision),
            subtype_xmlid="mail.mt_comment", partner_ids=self.author_id.partner_id.ids,
        )

    def _check_undecided(self):
        if self.state not in OPEN_STATES:
            raise UserError(self.env._("%s is decided already.", self.name))

    def _withdraw(self):
        for dispute in self:
            if dispute.state not in OPEN_STATES:
                raise UserError(self.env._("%s is decided already: it cannot be withdrawn.", dispute.name))
            dispute.state = "withdrawn"
            dispute._end()
            self.env["channel.audit.entry"]._record("dispute.withdrawn", dispute)

    def _end(self):
        """Nothing is on hold for it, and nobody is waited for."""
        # sudo: who decides or withdraws need not be who releases holds otherwise
        self.sudo().hold_id.release(self.env._("Appeal %(name)s: %(state)s", name=self.name, state=self._state_words()))
        self.sudo().activity_ids.action_feedback()
        self.env["channel.alert"].sudo()._clear_alerts("channel_dispute", [self._alert_key()])

    def _state_words(self):
        return dict(self._fields["state"]._description_selection(self.env))[self.state]

    @api.model
    def _cron_overdue(self):
        """Raise an alert for each appeal that should have been decided; its decision takes it back."""
        # sudo: of all companies, as a scheduled action
        overdue = self.sudo().search([("is_overdue", "=", True)])
        self.env["channel.alert"]._raise_alerts("channel_dispute", [
            {
                "key": dispute._alert_key(),
                "name": self.env._(
                    "Appeal %(name)s of %(member)s was to be decided by %(date)s",
                    name=dispute.name, member=dispute.member_id.name, date=format_date(self.env, dispute.due_date),
                ),
                "severity": "warning",
                "record": dispute,
                "company": dispute.company_id,
                "user": dispute.user_id,
            }
            for dispute in overdue
        ])

    def _alert_key(self):
        return f"overdue-{self.id}"
