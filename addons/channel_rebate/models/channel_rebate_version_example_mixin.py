from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools import date_utils

from ..tools.terms import MONTHS, window_start

#: How many windows before today are looked through for one with sales
WINDOWS_BACK = 2
READERS = "channel_base.group_channel_finance,channel_base.group_channel_manager"


class ChannelRebateVersionExampleMixin(models.AbstractModel):
    """What a draft would have paid one payee in its last window: shown in the form while it is edited."""

    _name = "channel.rebate.version.example.mixin"
    _description = "Rebate Terms: Worked Example"

    example_member_id = fields.Many2one(
        "res.partner", string="Example", compute="_compute_example_member_id", readonly=False, store=False,
        groups=READERS, help="Whose last window is calculated here.",
    )

    @api.depends("program_id", "contract_version_id")
    def _compute_example_member_id(self):
        """The payee of the contract, or else the one for whom most was paid lately."""
        program_ids = self.program_id._origin.ids
        Balance = self.env["channel.rebate.balance"]
        since = fields.Date.context_today(self) - relativedelta(years=2)
        largest = {}
        for program, member, _base in Balance._read_group(
            [("program_id", "in", program_ids), ("window_end", ">=", since)],
            ["program_id", "member_id"], ["base_amount:sum"], order="base_amount:sum",
        ):
            largest[program] = member
        for version in self:
            agreed = version.contract_version_id.contract_id.member_id
            version.example_member_id = agreed or largest.get(version.program_id._origin) or version._example_buyer()

    def _example_buyer(self):
        """Who bought last, where the programme has earned nothing for anybody yet."""
        self.ensure_one()
        if self.program_id.purpose == "commission":
            return self.env.user.partner_id.browse()
        move = self.env["account.move"].search(
            [
                ("move_type", "=", "out_invoice"), ("state", "=", "posted"),
                ("company_id", "=", self.company_id.id),
                ("commercial_partner_id.channel_role", "!=", False),
            ],
            order="invoice_date desc, id desc", limit=1,
        )
        return move.commercial_partner_id

    def worked_example(self, changes=None, member_id=None):
        """What a draft would have paid one payee in its last window with sales, against the terms in force.

        Writes nothing; a draft that is not saved yet is an empty recordset with all its values in ``changes``.

        :param dict changes: terms as they stand in the form, in the format of ``web_save``; others are left as they are
        :param int member_id: the payee
        :return: dict ``result`` (sentence, or None), ``words`` (list of sentences: the calculation), ``note`` (why
            there is no result, or None), and of the window ``window``, ``entitlement``, ``before`` (terms in
            force; None without any) in the currency ``currency``
        :raises AccessError: it is for who writes or approves programmes
        """
        if not any(self.env.user.has_group(group) for group in READERS.split(",")) or self.env.user.channel_is_regional:
            raise AccessError(self.env._("A worked example is for who writes or approves programmes, of all regions."))
        self.check_access("read")
        unknown = set(changes or {}) - set(self._fields)
        if unknown:
            raise UserError(self.env._("worked_example: changes has unknown fields: %s.", ", ".join(sorted(unknown))))
        member = self.env["res.partner"].browse(member_id or []).exists()
        member.check_access("read")
        terms = set(self._approval_terms())
        changes = {name: value for name, value in (changes or {}).items() if name in terms}
        blank = {
            "result": None, "words": [], "note": None, "window": None, "entitlement": None, "before": None,
            "currency": None,
        }
        if not member:
            return {**blank, "note": self.env._("Choose a payee to see what these terms would have paid it.")}
        try:
            return {**blank, **self._example_figures(member, changes)}
        except UserError as error:
            return {**blank, "note": str(error)}

    def _example_figures(self, member, changes):
        """Calculate as if the draft had held, and let the database forget it. -> part of what `worked_example` gives"""
        engine, today = self.env["channel.rebate.engine"], fields.Date.context_today(self)
        # sudo: who looks at a draft need not be who edits it, and only terms are changed; nothing of this stays
        drafts = self.sudo().with_context(tracking_disable=True)
        with self.env.cr.savepoint() as savepoint:
            try:
                if problem := drafts._example_incomplete(changes):
                    return {"note": problem}
                # Asked of a record in memory: what the database refuses is an error in its log, and here only early
                if problems := list(drafts.new(changes, origin=drafts or None)._problems()):
                    return {"note": " ".join(problems)}
                draft = drafts or drafts.create(changes)
                if drafts and changes:
                    draft.write(changes)
                start, end = draft._example_period(today)
                draft.write({"valid_from": start, "valid_to": False})
                self.env.flush_all()
                program = draft.program_id
                standing = program._with_combined().version_ids.filtered(lambda v: v._is_in_force()) - draft

                def windows(versions):
                    rows = engine._simulate(versions, start, end, pools=(member.id,))
                    return {row["window_start"]: row for row in rows if row["program_id"] == program.id}

                found = [row for row in windows(standing | draft).values() if row["line_count"] or row["entitlement"]]
                if not found:
                    return {"note": self.env._(
                        "Nothing of %s counts under these terms in its last windows.", member.display_name
                    )}
                # The newest one that is over, or else the one that runs
                row = max(found, key=lambda row: (row["window_end"] < today, row["window_start"]))
                before = None
                if standing.filtered(lambda v: v.program_id == program):
                    held = windows(standing).get(row["window_start"])
                    before = float(held["entitlement"]) if held else 0.0
                Balance = self.env["channel.rebate.balance"].sudo()
                balance = Balance.new({name: value for name, value in row.items() if name in Balance._fields})
                window = engine.sudo()._drafted_window(balance, start)
                bands = engine.sudo()._explain_bands(balance, window=window)
                name = engine._window_name(row["window_start"], row["window_end"])
                entitlement = float(row["entitlement"])
                return {
                    "result": self._example_words(member, name, entitlement, before, program.currency_id),
                    "words": balance._explain_window_words(bands, window),
                    "window": name, "entitlement": entitlement, "before": before, "currency": program.currency_id.name,
                }
            finally:
                savepoint.rollback()

    def _example_words(self, member, window, amount, before, currency):
        result = self.env._(
            "%(member)s would have earned %(amount)s in %(window)s.",
            member=member.display_name, amount=currency.format(amount), window=window,
        )
        if before is None:
            return result
        values = {"before": currency.format(before), "difference": currency.format(abs(amount - before))}
        match currency.compare_amounts(amount, before):
            case 0:
                words = self.env._("The terms in force pay the same.")
            case 1:
                words = self.env._("The terms in force pay %(before)s: that is %(difference)s more.", **values)
            case _:
                words = self.env._("The terms in force pay %(before)s: that is %(difference)s less.", **values)
        return f"{result} {words}"

    def _example_incomplete(self, changes):
        """-> sentence when the database would refuse the changes because something is not entered yet, or None"""
        def missing(model, values, is_new):
            return next((
                field for name, field in model._fields.items()
                if field.required and field.store and not (field.compute or field.related)
                and field.type not in ("boolean", "one2many", "integer", "float", "monetary")
                and (name in values and values[name] in (False, None, "")
                     or is_new and name not in values and not field.default
                     and name != getattr(model, "_version_field", None))
            ), None)

        found = missing(self, changes, not self)
        for name in self._version_line_fields:
            lines = self.env[self._fields[name].comodel_name]
            for command in changes.get(name) or []:
                if not found and command[0] in (Command.CREATE, Command.UPDATE):
                    found = missing(lines, command[2], command[0] == Command.CREATE)
        return found and self.env._(
            "What these terms would have paid is shown once “%s” is filled in.",
            found._description_string(self.env),
        )

    def _example_period(self, today):
        """-> first and last day that are looked through"""
        months = MONTHS[self.window_type]
        if not months:
            return self.period_from, self.period_to
        start = window_start(today, months)
        return (
            start - relativedelta(months=months * WINDOWS_BACK),
            date_utils.subtract(start + relativedelta(months=months), days=1),
        )
