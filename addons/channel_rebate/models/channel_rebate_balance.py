from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import date_utils, format_date

from odoo.addons.channel_base.tools.schema import add_column

from .channel_rebate_version_tier_mixin import AMOUNTS


def _strings(line):
    return {"document": line["document"] or "", "product": line["product"] or ""}


class ChannelRebateBalance(models.Model):
    """What one member earned under one programme in one window, what was booked, paid, and is open.

    The entitlement is a function of posted lines and approved versions. What was accrued and settled is read
    from posted journal items, never typed in, so that a reversed or deleted document corrects the balance by itself.
    The database refuses a row in which settled + open differs from what was earned and the corrections of it.
    """

    _name = "channel.rebate.balance"
    _description = "Rebate Balance"
    _inherit = ["portal.mixin", "channel.rebate.balance.progress.mixin"]
    _order = "window_start desc, program_id, member_id, id"
    _check_company_auto = True

    program_id = fields.Many2one(
        "channel.rebate.program",
        string="Programme",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    version_id = fields.Many2one(
        "channel.rebate.program.version",
        readonly=True,
        ondelete="set null",
        help="The latest version that a line of the window was calculated under.",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    member_id = fields.Many2one(
        "res.partner", string="Payee", required=True, readonly=True, index=True, ondelete="restrict"
    )
    pool_id = fields.Many2one(
        "res.partner",
        string="Earned Together by",
        readonly=True,
        ondelete="restrict",
        help="Whose lines add up to the tier: the payee itself, its parent or its buying group.",
    )
    window_start = fields.Date(required=True, readonly=True)
    window_end = fields.Date(required=True, readonly=True)
    window = fields.Char(compute="_compute_window")
    line_count = fields.Integer(string="Lines Counted", readonly=True)
    base_amount = fields.Float(
        string="Base",
        digits=(16, 6),
        min_display_digits=2,
        readonly=True,
        help="What is paid on: all lines counted, less returns, in the earning measure.",
    )
    qualifying_amount = fields.Float(
        string="Total",
        digits=(16, 6),
        min_display_digits=2,
        readonly=True,
        aggregator=None,
        help="What counts towards the tier, of all whose lines add up to it, in the target measure.",
    )
    reference_amount = fields.Float(
        string="Compared with",
        digits=(16, 6),
        min_display_digits=2,
        readonly=True,
        aggregator=None,
        help="Baseline, target or size of the market that the total is compared with.",
    )
    tier_value = fields.Float(
        string="Measured",
        digits=(16, 6),
        min_display_digits=2,
        readonly=True,
        aggregator=None,
        help="What the bounds of the tiers are compared with: the total, or per cent of what it is compared with.",
    )
    tier_id = fields.Many2one("channel.rebate.tier", string="Tier Reached", readonly=True, ondelete="set null")
    tier_rate = fields.Float(
        digits=(16, 6), min_display_digits=2, readonly=True, aggregator=None
    )
    goods_quantity = fields.Float(
        string="Free Units", digits=(16, 6), min_display_digits=0, readonly=True, help="Earned to date, in free goods."
    )
    unallocated_amount = fields.Monetary(
        string="Earned without Lines",
        readonly=True,
        help="Part of the entitlement that no line earned: a guarantee or a lump sum of a window without lines.",
    )
    shape = fields.Char(
        readonly=True, help="Of the curve along which lines earn: equal if earlier lines earn as before."
    )
    entitlement = fields.Monetary(readonly=True, help="Rebate earned to date, rounded once for the window.")
    correction_ids = fields.One2many("channel.rebate.correction", "balance_id", string="Correction Documents")
    correction_amount = fields.Monetary(
        string="Corrections",
        compute="_compute_booked",
        store=True,
        help="Agreed differences to what was earned, approved ones.",
    )
    entitled_amount = fields.Monetary(
        string="Entitled", compute="_compute_entitled_amount", help="What was earned, and the corrections of it."
    )
    booking_ids = fields.One2many("account.move.line", "channel_rebate_balance_id", string="Journal Items")
    accrued_amount = fields.Monetary(
        string="Accrued",
        compute="_compute_booked",
        store=True,
        help="Posted by accrual entries to date (before settlement).",
    )
    settled_amount = fields.Monetary(
        string="Settled", compute="_compute_booked", store=True, help="Posted by credit notes, less claw-backs."
    )
    open_amount = fields.Monetary(
        string="Open", compute="_compute_booked", store=True, help="Earned and corrections, less settled."
    )
    explanation = fields.Text(compute="_compute_explanation")
    is_closed = fields.Boolean(string="Window Ended", compute="_compute_is_closed", search="_search_is_closed")

    _window_unique = models.UniqueIndex("(program_id, member_id, window_start, window_end)")
    _identity = models.Constraint(
        "CHECK (settled_amount + open_amount = entitlement + correction_amount)",
        "Settled plus open must equal what was earned and the corrections of it.",
    )

    def _auto_init(self):
        # Nothing was corrected before there were corrections.
        add_column(self.env.cr, self._table, "correction_amount", "numeric", 0)
        return super()._auto_init()

    # === COMPUTE METHODS === #

    @api.depends(
        "booking_ids.channel_rebate_role",
        "booking_ids.amount_currency",
        "booking_ids.parent_state",
        "booking_ids.currency_id",
        "correction_ids.state",
        "correction_ids.amount",
    )
    def _compute_booked(self):
        booked = dict.fromkeys(self.ids, (0.0, 0.0))
        # sudo: the sums must not depend on which journal items the current user may see.
        groups = (
            self.env["account.move.line"]
            .sudo()
            ._read_group(
                [
                    ("channel_rebate_balance_id", "in", self.ids),
                    ("channel_rebate_role", "in", ("accrual", "settlement")),
                    ("parent_state", "=", "posted"),
                ],
                ["channel_rebate_balance_id", "channel_rebate_role"],
                ["amount_currency:sum"],
            )
        )
        for balance, role, amount in groups:
            accrued, settled = booked[balance.id]
            booked[balance.id] = (accrued - amount, settled) if role == "accrual" else (accrued, settled + amount)
        # sudo: as above
        corrections = dict(
            self.env["channel.rebate.correction"].sudo()._read_group(
                [("balance_id", "in", self.ids), ("state", "=", "approved")], ["balance_id"], ["amount:sum"]
            )
        )
        for balance in self:
            accrued, settled = booked.get(balance.id, (0.0, 0.0))
            balance.correction_amount = balance.currency_id.round(corrections.get(balance.sudo()._origin, 0.0))
            balance.accrued_amount = balance.currency_id.round(accrued)
            balance.settled_amount = balance.currency_id.round(settled)
            balance.open_amount = balance.currency_id.round(
                balance.entitlement + balance.correction_amount - balance.settled_amount
            )

    @api.depends("entitlement", "correction_amount")
    def _compute_entitled_amount(self):
        for balance in self:
            balance.entitled_amount = balance.currency_id.round(balance.entitlement + balance.correction_amount)

    @api.depends("window_start", "window_end")
    def _compute_window(self):
        for balance in self:
            balance.window = balance._window_name()

    @api.depends_context("lang")
    def _compute_explanation(self):
        for balance in self:
            # sudo: whoever may read the balance may know how it was calculated
            words = balance.sudo()._explain(self.env["channel.rebate.entry"].sudo())["words"]
            balance.explanation = "\n".join(words)

    def _compute_is_closed(self):
        today = fields.Date.context_today(self)
        for balance in self:
            balance.is_closed = balance.window_end < today

    def _search_is_closed(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        return Domain.OR(Domain("window_end", "<" if closed else ">=", today) for closed in value)

    @api.depends("program_id", "member_id", "window_start", "window_end")
    def _compute_display_name(self):
        # sudo: a member on the portal may not read programmes; the code of one that it earns from is no secret to it.
        for balance in self.sudo():
            balance.display_name = f"{balance.program_id.code} · {balance._window_name()} · {balance.member_id.name}"

    def _compute_access_url(self):
        result = super()._compute_access_url()
        for balance in self:
            balance.access_url = f"/my/channel/rebates/{balance.id}"
        return result

    # === ACTIONS === #

    def action_view_entries(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("channel_rebate.channel_rebate_entry_action")
        return {**action, "domain": self._entries_domain(), "context": {}}

    def action_view_bookings(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move.line",
            "view_mode": "list,form",
            "domain": [("channel_rebate_balance_id", "=", self.id)],
            "name": self.env._("Journal Items"),
        }

    def action_statement(self):
        """Open the statement wizard for the member and the time that the selected balances span."""
        members = self.member_id
        action = self.env["ir.actions.act_window"]._for_xml_id("channel_rebate.channel_rebate_statement_wizard_action")
        return {
            **action,
            "context": {
                "default_member_id": members[:1].id,
                "default_date_from": min(self.mapped("window_start")),
                "default_date_to": max(self.mapped("window_end")),
            },
        }

    def action_settle(self):
        """Draft settlements for what is open in the selected balances, one for each programme and member."""
        settlements = self.env["channel.settlement"]._propose(self)
        return settlements._action_show()

    def action_hold(self):
        """Open the form by which an amount of the window is kept back."""
        self.ensure_one()
        return self._action_new("channel.rebate.hold", {
            "default_program_id": self.program_id.id, "default_member_id": self.member_id.id,
            "default_balance_id": self.id,
        })

    def action_correct(self):
        """Open the form of an agreed difference."""
        self.ensure_one()
        return self._action_new("channel.rebate.correction", {"default_balance_id": self.id})

    def _action_new(self, model, defaults):
        return {
            "type": "ir.actions.act_window", "res_model": model, "view_mode": "form", "views": [(False, "form")],
            "context": defaults,
        }

    # === BUSINESS METHODS === #

    def _window_name(self):
        """The window in the words of the calendar: `2026-03`, `2026-Q1`, `2026-H1`, `2026`, or both days."""
        self.ensure_one()
        return self.env["channel.rebate.engine"]._window_name(self.window_start, self.window_end)

    def _entries_domain(self):
        return Domain.OR(
            [
                ("program_id", "=", balance.program_id.id),
                ("member_id", "=", balance.member_id.id),
                ("window_start", "=", balance.window_start),
                ("window_end", "=", balance.window_end),
            ]
            for balance in self
        )

    def _entries(self):
        return self.env["channel.rebate.entry"].search(self._entries_domain())

    def _reverse_on(self):
        """-> the day on which what is accrued now for this window is taken back; False for never"""
        self.ensure_one()
        program = self.program_id
        if not program.reverses_accruals or self.window_end <= program.accrued_to:
            return False
        return min(self.window_end, date_utils.end_of(program.accrued_to, "month") + relativedelta(days=1))

    # === EXPLAINING === #

    def _explain(self, entry):
        """See :meth:`channel.rebate.program.explain`. `entry`: a `channel.rebate.entry` of this balance, or empty."""
        self.ensure_one()
        engine = self.env["channel.rebate.engine"]
        bands = engine._explain_bands(self)
        versions = {v.id: v for v in self.env["channel.rebate.program.version"].browse(b["version_id"] for b in bands)}
        steps = [
            {
                "version_id": band["version_id"],
                "version": versions[band["version_id"]].number,
                "kind": band["kind"],
                "tier_id": band["tier_id"],
                "tier_from": float(band["lower"]),
                "tier_to": None if band["upper"] is None else float(band["upper"]),
                "rate": float(band["rate"]),
                "reached": band["reached"],
                "amount": float(band["amount"]),
                "rebate": float(band["rebate"]),
            }
            for band in bands
        ]
        result = {**self._to_json()[0], "steps": steps, "words": self._explain_words(bands)}
        if entry:
            line = engine._explain_entry(entry)
            result["line"] = line
            result["words"] += self._explain_line_words(entry, line)
        return result

    def _explain_words(self, bands):
        money = self.currency_id.format
        return [
            *self._explain_window_words(bands),
            self.env._(
                "Rebate, rounded once for the window: %(entitlement)s. Settled so far: %(settled)s. Open: %(open)s.",
                entitlement=money(self.entitlement),
                settled=money(self.settled_amount),
                open=money(self.open_amount),
            ),
        ]

    def _explain_window_words(self, bands, window=None):
        """-> list of sentences: what counted, what each tier pays, what limits made of it

        :param bands: result of ``_explain_bands`` of the engine
        :param window: of the engine, where the window is not written
        """
        money = self.currency_id.format
        words = [
            self.env._(
                "%(program)s, %(window)s: lines that count: %(count)s, %(base)s in all, less returns.",
                program=self.program_id.name,
                window=self._window_name(),
                count=self.line_count,
                base=self.version_id._earned_words(self.base_amount),
            )
        ]
        several = len({band["version_id"] for band in bands}) > 1
        said = None
        for band in bands:
            version = self.env["channel.rebate.program.version"].browse(band["version_id"])
            if several and said != version:
                said = version
                words.append(
                    self.env._(
                        "Version %(number)s (from %(day)s), on %(earned)s:",
                        number=version.number,
                        day=format_date(self.env, version.valid_from),
                        earned=version._earned_words(band["earned"]),
                    )
                )
            words.append(self._explain_band_words(version, band, money(band["rebate"])))
        following = next(
            (band for band in bands if not band["reached"] and band["version_id"] == self.version_id.id), None
        )
        if following and following["measure"] is None:
            words.append(self.env._("There is nothing to compare it with: no tier is reached."))
        elif following and following["lower"] > following["measure"]:
            words.append(
                self.env._(
                    "%(distance)s more reach the tier of %(rate)s.",
                    distance=self.version_id._bound_words(following["lower"] - following["measure"]),
                    rate=self.version_id._rate_words(following["rate"]),
                )
            )
        return words + self.env["channel.rebate.engine"]._explain_limit_words(self, bands, window)

    def _explain_band_words(self, version, band, rebate):
        """-> sentence: what one tier of a version pays"""
        values = {
            "rate": version._rate_words(band["rate"]),
            "lower": version._bound_words(band["lower"]),
            "upper": version._bound_words(band["upper"]) if band["upper"] is not None else "",
            "amount": version._earned_words(band["amount"]),
            "rebate": rebate,
        }
        if version.kind == "formula":
            return self.env._("By the formula: %(rebate)s.", **values)
        if version.kind in AMOUNTS and (band["reached"] or band["rebate"]):
            if band["upper"] is None:
                return self.env._("Tier from %(lower)s pays %(rate)s: %(rebate)s here.", **values)
            return self.env._("Tier from %(lower)s to %(upper)s pays %(rate)s: %(rebate)s here.", **values)
        if band["amount"]:
            if band["upper"] is None:
                return self.env._("Tier from %(lower)s: %(rate)s of %(amount)s = %(rebate)s.", **values)
            return self.env._("Tier from %(lower)s to %(upper)s: %(rate)s of %(amount)s = %(rebate)s.", **values)
        if band["reached"]:
            return self.env._("Tier from %(lower)s at %(rate)s: passed, a higher tier pays on everything.", **values)
        return self.env._("Tier from %(lower)s at %(rate)s: not reached.", **values)

    def _explain_line_words(self, entry, line):
        money = self.currency_id.format
        if entry.exclusion:
            reason = dict(entry._fields["exclusion"]._description_selection(self.env))[entry.exclusion]
            return [self.env._("%(document)s, %(product)s: not counted. %(reason)s.", reason=reason, **_strings(line))]
        words = self.env._(
            "%(document)s, %(product)s, %(day)s: %(amount)s counted and took the total from %(before)s to %(after)s.",
            day=format_date(self.env, entry.date),
            amount=entry.version_id._earned_words(entry.earning_amount),
            before=entry.version_id._earned_words(line["total_before"]),
            after=entry.version_id._earned_words(line["total_after"]),
            **_strings(line),
        )
        share = self.env._(
            "Its share of the rebate: %(rebate)s (%(rate)s %%).",
            rebate=money(entry.rebate_amount),
            rate=f"{entry.rate:.6f}".rstrip("0").rstrip("."),
        )
        return [words, share, *self.env["channel.rebate.engine"]._explain_line_limit_words(entry)]

    def _statement(self, member, date_from, date_to):
        """See :meth:`channel.rebate.program.statement`. `self`: the member's balances, by programme and window."""
        entries = self.env["channel.rebate.entry"]
        if self:
            entries = entries.search(
                self._entries_domain() & Domain("date", ">=", date_from) & Domain("date", "<=", date_to),
                order="program_id, window_start, date, source_id",
            )
        settlements = self.env["account.move.line"].search(
            [
                ("channel_rebate_balance_id", "in", self.ids),
                ("channel_rebate_role", "=", "settlement"),
                ("parent_state", "=", "posted"),
            ],
            order="date, id",
        )
        lines_of = entries.grouped("program_id")
        paid_by = settlements.grouped(lambda line: line.channel_rebate_balance_id.program_id)
        programs = []
        for program, balances in self.grouped("program_id").items():
            currency = program.currency_id
            programs.append(
                {
                    "program_id": program.id,
                    "code": program.code,
                    "name": program.name,
                    "company": program.company_id.name,
                    "currency": currency.name,
                    **{
                        key: currency.round(sum(balances.mapped(name)))
                        for key, name in (
                            ("entitlement", "entitlement"),
                            ("correction", "correction_amount"),
                            ("accrued", "accrued_amount"),
                            ("settled", "settled_amount"),
                            ("open", "open_amount"),
                        )
                    },
                    "balances": balances._to_json(),
                    "corrections": [
                        {
                            "reference": correction.name,
                            "date": fields.Date.to_string(correction.approved_at),
                            "window": correction.balance_id._window_name(),
                            "reason": correction.reason,
                            "amount": correction.amount,
                        }
                        for correction in balances.correction_ids.filtered(lambda c: c.state == "approved")
                    ],
                    "lines": lines_of.get(program, entries.browse())._to_json(),
                    "settlements": [
                        {
                            "document": line.move_id.name,
                            "date": line.date.isoformat(),
                            "window": line.channel_rebate_balance_id._window_name(),
                            "amount": line.amount_currency,
                        }
                        for line in paid_by.get(program, settlements.browse())
                    ],
                }
            )
        return {
            "member_id": member.id,
            "member": member.name,
            "date_from": date_from.isoformat(),
            "date_to": date_to.isoformat(),
            "programs": programs,
        }

    def _to_json(self):
        """-> list of dicts, one for each balance; amounts are numbers in `currency`, days are ISO strings."""
        return [
            {
                "balance_id": balance.id,
                "program_id": balance.program_id.id,
                "program": balance.program_id.code,
                "member_id": balance.member_id.id,
                "member": balance.member_id.name,
                "version_id": balance.version_id.id,
                "version": balance.version_id.number,
                "window": balance._window_name(),
                "window_start": balance.window_start.isoformat(),
                "window_end": balance.window_end.isoformat(),
                "currency": balance.currency_id.name,
                "lines": balance.line_count,
                "base": balance.base_amount,
                "tier_id": balance.tier_id.id,
                "tier_from": balance.tier_id.lower_bound if balance.tier_id else None,
                "rate": balance.tier_rate,
                "entitlement": balance.entitlement,
                "correction": balance.correction_amount,
                "unallocated": balance.unallocated_amount,
                "accrued": balance.accrued_amount,
                "settled": balance.settled_amount,
                "open": balance.open_amount,
            }
            for balance in self
        ]
