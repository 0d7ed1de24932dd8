import logging
from collections import defaultdict
from datetime import date as Date, timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools.timeline import Span, changed

#: Field of the partner -> column of the period that keeps its past.
POSITION_FIELDS = {
    "channel_state": "state",
    "channel_role": "role",
    "channel_parent_id": "parent_id",
    "grade_id": "grade_id",
    "channel_region_id": "region_id",
}
COLUMNS = tuple(POSITION_FIELDS.values())
DAY = timedelta(days=1)

_logger = logging.getLogger(__name__)


class Row(NamedTuple):
    """A period as it is in the database."""

    id: int
    start: Date
    end: Date | None
    values: dict
    reason: str | None
    scheduled: bool


class ChannelMemberPeriod(models.Model):
    """What a member was, from one day to another: state, role, place in the hierarchy, tier, region.

    From the day on which a company joined there is exactly one row for each day; the last row has no end. The rows
    follow the partner: every change of its fields, through whatever door of the ORM, ends one row and begins the
    next with the same flush. People do not write here. They correct the past, or decide about the future, by
    ``res.partner._channel_change``; what a correction replaces is kept, archived (``active`` off), as evidence.

    A day is a day of the company in whose name the change is made; the last state of a day counts for all of it.
    """

    _name = "channel.member.period"
    _description = "Period of a Member"
    _order = "partner_id, valid_from desc, id desc"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner", string="Member", required=True, readonly=True, index=True, ondelete="cascade"
    )
    valid_from = fields.Date(required=True, readonly=True, help="First day.")
    valid_to = fields.Date(readonly=True, help="Last day; empty until further notice.")
    state = fields.Selection(
        selection=lambda self: self._partner_selection("channel_state"), readonly=True, help="Empty: not a member."
    )
    role = fields.Selection(
        selection=lambda self: self._partner_selection("channel_role"), readonly=True, help="Empty: not a member."
    )
    # "restrict": what stands in the history of a member is archived, not deleted, so that the past stays true.
    parent_id = fields.Many2one(
        "res.partner", string="Parent Member", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    grade_id = fields.Many2one(
        "res.partner.grade", string="Tier", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    # "set null", as on the partner: the regions of a country leave with its add-on.
    region_id = fields.Many2one("channel.region", readonly=True, index="btree_not_null", ondelete="set null")
    reason = fields.Char(readonly=True, help="Why the period began, where a decision gave a reason.")
    scheduled = fields.Boolean(
        readonly=True, help="Decided ahead: the nightly job brings it to the member on the first day."
    )
    active = fields.Boolean(default=True, readonly=True, help="Off: replaced by a correction; kept as evidence.")
    replaced_at = fields.Datetime(readonly=True, help="When a correction replaced this row.")
    backdated = fields.Boolean(
        compute="_compute_backdated", help="Entered after its first day, by a correction or by taking over old data."
    )

    # Ranges on both columns, so that PostgreSQL's own operator classes do and no extension is needed.
    _no_overlap = models.Constraint(
        "EXCLUDE USING gist (int4range(partner_id, partner_id, '[]') WITH &&, "
        "daterange(valid_from, valid_to, '[]') WITH &&) WHERE (active)",
        "The member has another period on these days: somebody else has just changed it. Reload and decide again.",
    )
    _days_order = models.Constraint(
        "CHECK (valid_to IS NULL OR valid_to >= valid_from)", "A period cannot end before it begins."
    )
    _member_start = models.UniqueIndex("(partner_id, valid_from) WHERE active")
    _member_all = models.Index("(partner_id)")
    _scheduled_start = models.Index("(valid_from) WHERE scheduled AND active")

    @api.model
    def _partner_selection(self, name):
        return self.env["res.partner"]._fields[name]._description_selection(self.env)

    # === COMPUTE METHODS === #

    @api.depends("valid_from", "create_date")
    def _compute_backdated(self):
        company = self.env.company
        for period in self:
            period.backdated = bool(
                period.create_date
                and period.valid_from
                and period.valid_from < company._channel_date(period.create_date)
            )

    @api.depends("partner_id", "valid_from")
    def _compute_display_name(self):
        for period in self:
            period.display_name = f"{period.partner_id.display_name} {fields.Date.to_string(period.valid_from) or ''}"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._check_by_hand()
        return super().create(vals_list)

    def write(self, vals):
        self._check_by_hand()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_by_hand(self):
        self._check_by_hand()

    def _check_by_hand(self):
        if not self.env.su:
            raise UserError(self.env._(
                "The history of a member is written by the decisions about it: use Change from a Date on the member."
            ))

    # === BUSINESS METHODS: QUESTIONS === #

    @api.model
    def _as_of(self, asks):
        """What members were on a day, in one query for any number of questions.

        :param asks: iterable of ``(partner_id, date)``, ids of commercial partners
        :return: ``{(partner_id, date): period}``, an empty recordset where the partner was no member yet; with the
            rights of whoever asks
        """
        asks = list(dict.fromkeys(asks))
        result = dict.fromkeys(asks, self.browse())
        if not asks:
            return result
        rows = self.env.execute_query(SQL(
            """
            SELECT ask.key, period.id
              FROM unnest(%(keys)s::int[], %(partners)s::int[], %(dates)s::date[]) AS ask(key, partner_id, date)
        CROSS JOIN LATERAL %(as_of)s AS period
            """,
            keys=list(range(len(asks))),
            partners=[partner_id for partner_id, _date in asks],
            dates=[date for _partner_id, date in asks],
            as_of=self._as_of_sql(SQL("ask.partner_id"), SQL("ask.date")),
        ))
        prefetch = [period_id for _key, period_id in rows]
        for key, period_id in rows:
            result[asks[key]] = self.browse(period_id).with_prefetch(prefetch)
        return result

    @api.model
    def _as_of_sql(self, member, date):
        """Return the relation of the one period of a member on a day, to be joined by ``JOIN LATERAL ... ON TRUE``.

        Brings the periods up to date first, so run the query in the same transaction and at once.

        :param SQL member: id of the commercial partner
        :param SQL date: the day
        :return: ``SQL``, a subquery in parentheses with all columns of ``channel_member_period``; at most one row
        """
        self._bring_up_to_date()
        return SQL(
            """(SELECT as_of.*
                  FROM channel_member_period as_of
                 WHERE as_of.partner_id = %(member)s AND as_of.active AND as_of.valid_from <= %(date)s
              ORDER BY as_of.valid_from DESC
                 LIMIT 1)""",
            member=member,
            date=date,
        )

    def _bring_up_to_date(self):
        self.env["res.partner"].flush_model(POSITION_FIELDS)
        self.flush_model()

    # === BUSINESS METHODS: KEEPING STEP === #

    @api.model
    def _follow(self, changes_by_partner, reasons=None):
        """Enter what has just been written on partners, as of today. A fixed number of queries.

        Called while partners are being flushed, so it asks the database only.

        :param dict changes_by_partner: ``{partner_id: {column of the period: value}}``
        :param dict reasons: ``{partner_id: reason}``
        """
        rows = self._rows(changes_by_partner)
        newcomers = self._positions([partner_id for partner_id in changes_by_partner if partner_id not in rows])
        today = self.env.company._channel_today()
        wanted = {partner_id: [Span(today, position)] for partner_id, position in newcomers.items()}
        for partner_id, spans in self._timelines(rows).items():
            after = changed(spans, today, changes_by_partner[partner_id])
            if after != spans:
                wanted[partner_id] = after
        self._store(rows, wanted, {
            (partner_id, today): {"reason": reason} for partner_id, reason in (reasons or {}).items()
        })

    @api.model
    def _change(self, partner_ids, changes, date, reason):
        """Enter a change from a day on, before, on or after today.

        :param dict changes: ``{column of the period: value}``, None for nothing
        :return: ``{partner_id: (timeline before, timeline after)}`` of the members whose history it changes
        """
        self._bring_up_to_date()
        # Whoever changes a member at the same time meets on its row: PostgreSQL lets one of the two go on, and Odoo
        # repeats the other on what the first has left. A lock alone would leave no trace for the other's snapshot.
        self.env.execute_query(SQL(
            "UPDATE res_partner SET write_date = write_date WHERE id = ANY(%s) RETURNING id", sorted(partner_ids)
        ))
        rows = self._rows(partner_ids)
        before = self._timelines(rows)
        after = {partner_id: changed(spans, date, changes) for partner_id, spans in before.items()}
        wanted = {partner_id: spans for partner_id, spans in after.items() if spans != before[partner_id]}
        scheduled = date > self.env.company._channel_today()
        self._store(rows, wanted, {
            (partner_id, date): {"reason": reason or None, "scheduled": scheduled} for partner_id in wanted
        })
        return {partner_id: (before[partner_id], spans) for partner_id, spans in wanted.items()}

    @api.model
    def _rows(self, partner_ids):
        """Return ``{partner_id: [Row]}``, sorted by day, of those that are or were members. One query."""
        rows = self.env.execute_query(SQL(
            "SELECT partner_id, id, valid_from, valid_to, reason, scheduled, %s FROM channel_member_period "
            "WHERE partner_id = ANY(%s) AND active ORDER BY partner_id, valid_from",
            SQL(", ").join(SQL.identifier(name) for name in COLUMNS),
            list(partner_ids),
        ))
        result = defaultdict(list)
        for partner_id, row_id, start, end, reason, scheduled, *values in rows:
            values = dict(zip(COLUMNS, values, strict=True))
            result[partner_id].append(Row(row_id, start, end, values, reason, bool(scheduled)))
        return dict(result)

    @api.model
    def _timelines(self, rows):
        return {partner_id: [Span(row.start, row.values) for row in of_one] for partner_id, of_one in rows.items()}

    @api.model
    def _positions(self, partner_ids):
        """Return ``{partner_id: {column: value}}`` of what members are now, partners without a role left out."""
        if not partner_ids:
            return {}
        rows = self.env.execute_query(SQL(
            "SELECT id, %s FROM res_partner WHERE id = ANY(%s) AND channel_role IS NOT NULL",
            SQL(", ").join(SQL.identifier(name) for name in POSITION_FIELDS),
            list(partner_ids),
        ))
        return {partner_id: dict(zip(COLUMNS, values, strict=True)) for partner_id, *values in rows}

    @api.model
    def _store(self, rows, wanted, notes):
        """Make the rows equal to timelines. What said something else about days that are over is archived.

        :param dict rows: ``{partner_id: [Row]}`` as they are
        :param dict wanted: ``{partner_id: [Span]}`` as they shall be; members not named stay as they are
        :param dict notes: ``{(partner_id, start): {"reason": ..., "scheduled": ...}}`` for rows that begin then
        """
        if not wanted:
            return
        today = self.env.company._channel_today()
        archived, deleted, updated, inserted = [], [], [], []
        for partner_id, spans in wanted.items():
            old = {row.start: row for row in rows.get(partner_id, ())}
            ends = [span.start - DAY for span in spans[1:]] + [None]
            new = {span.start: (end, span.values) for span, end in zip(spans, ends, strict=True)}
            for start, row in old.items():
                end, values = new.get(start, (None, None))
                if (row.end, row.values) == (end, values):
                    continue
                if start >= today and values is None:
                    deleted.append(row.id)
                elif start >= today or values == row.values and _from(row.end, end, today - DAY):
                    note = notes.get((partner_id, start), {})
                    updated.append((
                        row.id, end, note.get("reason") or row.reason, note.get("scheduled", row.scheduled), values
                    ))
                else:
                    archived.append(row.id)
                    if values is not None:
                        # The rest of it begins on the same day: its reason still holds.
                        note = {"reason": row.reason, "scheduled": row.scheduled, **notes.get((partner_id, start), {})}
                        inserted.append((partner_id, start, end, note["reason"], note["scheduled"], values))
            for start, (end, values) in new.items():
                if start not in old:
                    note = notes.get((partner_id, start), {})
                    inserted.append((
                        partner_id, start, end, note.get("reason"), note.get("scheduled", False), values
                    ))
        self._store_rows(archived, deleted, updated, inserted)
        self.invalidate_model(flush=False)
        self.env["res.partner"].invalidate_model(["channel_period_ids", "channel_history_ids"], flush=False)

    def _store_rows(self, archived, deleted, updated, inserted):
        """Write what :meth:`_store` has found: at most four statements, those that make room first."""
        cr, now, uid = self.env.cr, fields.Datetime.now(), self.env.uid
        if archived:
            cr.execute(SQL(
                "UPDATE channel_member_period SET active = FALSE, replaced_at = %s, write_date = %s, write_uid = %s "
                "WHERE id = ANY(%s)",
                now, now, uid, archived,
            ))
        if deleted:
            cr.execute(SQL("DELETE FROM channel_member_period WHERE id = ANY(%s)", deleted))
        if updated:
            cr.execute(SQL(
                """
                UPDATE channel_member_period period
                   SET valid_to = new.valid_to, reason = new.reason, scheduled = new.scheduled, %(assignments)s,
                       write_date = %(now)s, write_uid = %(uid)s
                  FROM unnest(%(ids)s::int[], %(ends)s::date[], %(reasons)s::text[], %(scheduled)s::bool[], %(arrays)s)
                    AS new(id, valid_to, reason, scheduled, %(columns)s)
                 WHERE period.id = new.id
                """,
                assignments=SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), SQL.identifier("new", name)) for name in COLUMNS
                ),
                now=now,
                uid=uid,
                ids=[row[0] for row in updated],
                ends=[row[1] for row in updated],
                reasons=[row[2] for row in updated],
                scheduled=[row[3] for row in updated],
                arrays=self._arrays_sql([row[4] for row in updated]),
                columns=SQL(", ").join(SQL.identifier(name) for name in COLUMNS),
            ))
        if inserted:
            cr.execute(SQL(
                """
                INSERT INTO channel_member_period
                       (partner_id, valid_from, valid_to, reason, scheduled, %(columns)s, active,
                        create_date, write_date, create_uid, write_uid)
                SELECT new.*, TRUE, %(now)s, %(now)s, %(uid)s, %(uid)s
                  FROM unnest(%(partners)s::int[], %(starts)s::date[], %(ends)s::date[], %(reasons)s::text[],
                              %(scheduled)s::bool[], %(arrays)s) AS new
                """,
                columns=SQL(", ").join(SQL.identifier(name) for name in COLUMNS),
                now=now,
                uid=uid,
                partners=[row[0] for row in inserted],
                starts=[row[1] for row in inserted],
                ends=[row[2] for row in inserted],
                reasons=[row[3] for row in inserted],
                scheduled=[row[4] for row in inserted],
                arrays=self._arrays_sql([row[5] for row in inserted]),
            ))

    def _arrays_sql(self, values_list):
        """Return one array for each column, as arguments of ``unnest``."""
        return SQL(", ").join(
            SQL("%s::int[]" if self._fields[name].type == "many2one" else "%s::text[]",
                [values[name] for values in values_list])
            for name in COLUMNS
        )

    # === NIGHTLY JOB === #

    @api.model
    def _cron_take_effect(self):
        """Bring decisions whose day has come to the members. Safe to run again: done is done.

        A member that cannot take the change (a new parent that closes a circle) is left as it is, with an alert.
        """
        self._bring_up_to_date()
        today = self.env.company._channel_today()
        due = self.search([("scheduled", "=", True), ("valid_from", "<=", today)], order="valid_from, id")
        current = self._as_of((partner.id, today) for partner in due.partner_id)
        done = failed = 0
        for partner, periods in due.grouped("partner_id").items():
            try:
                with self.env.cr.savepoint():
                    partner._channel_take_effect(current[partner.id, today], periods)
                    done += 1
            except UserError as error:
                failed += 1
                partner._channel_effect_failed(periods, str(error))
        _logger.info("Members: %s scheduled changes took effect, %s could not.", done, failed)
        return done


def _from(end, other_end, day):
    """Whether both ends (None = never) lie on a day or after it."""
    return (end is None or end >= day) and (other_end is None or other_end >= day)
