from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .channel_approval_mixin import _APPROVER

_DAY = relativedelta(days=1)


#: Arguments of the trigger: how the row leads to its version, then the terms, or the version's table and column.
_GUARD_FUNCTION = SQL("""
    CREATE OR REPLACE FUNCTION channel_version_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
    DECLARE
        old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
        new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
        closed boolean;
        term text;
    BEGIN
        IF current_setting('channel.version_door', true) = txid_current()::text THEN
            RETURN COALESCE(NEW, OLD);
        END IF;
        IF TG_ARGV[0] = 'version' THEN
            IF old_row->>'state' NOT IN ('approved', 'superseded') THEN
                RETURN COALESCE(NEW, OLD);
            END IF;
            IF TG_OP = 'UPDATE' THEN
                FOREACH term IN ARRAY TG_ARGV[1:] LOOP
                    IF old_row->term IS DISTINCT FROM new_row->term THEN
                        RAISE EXCEPTION USING
                            MESSAGE = 'Approved versions are not changed: ' || term || ' of ' || TG_TABLE_NAME || ' '
                                      || (old_row->>'id') || ' is fixed.',
                            ERRCODE = 'restrict_violation', HINT = 'Make a new version.';
                    END IF;
                END LOOP;
                IF (old_row->>'state' IS NOT DISTINCT FROM new_row->>'state'
                    OR old_row->>'state' = 'approved' AND new_row->>'state' IN ('superseded', 'cancelled'))
                   AND COALESCE(new_row->>'valid_to', 'infinity')::date
                       <= COALESCE(old_row->>'valid_to', 'infinity')::date
                THEN
                    RETURN NEW;
                END IF;
            END IF;
        ELSE
            EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE id IN ($1, $2) '
                           'AND state IN (''approved'', ''superseded''))', TG_ARGV[1])
               INTO closed
              USING (old_row->>TG_ARGV[2])::int, (new_row->>TG_ARGV[2])::int;
            IF NOT closed THEN
                RETURN COALESCE(NEW, OLD);
            END IF;
            IF TG_ARGV[0] = 'line' AND TG_OP = 'UPDATE'
               AND old_row->TG_ARGV[2] IS NOT DISTINCT FROM new_row->TG_ARGV[2]
            THEN
                closed := FALSE;
                FOREACH term IN ARRAY TG_ARGV[3:] LOOP
                    closed := closed OR old_row->term IS DISTINCT FROM new_row->term;
                END LOOP;
                IF NOT closed THEN
                    RETURN NEW;
                END IF;
            END IF;
        END IF;
        RAISE EXCEPTION USING
            MESSAGE = 'Approved versions are not changed: ' || TG_OP || ' of ' || TG_TABLE_NAME || ' is refused.',
            ERRCODE = 'restrict_violation', HINT = 'Make a new version.';
    END $guard$
""".replace("%", "%%"))


def create_guard(cr, table, kind, arguments):
    """Put the guard of versions on a table: on its versions, on lines of versions, or on links of many2many terms."""
    cr.execute(
        SQL(
            """
            CREATE OR REPLACE TRIGGER channel_version_guard BEFORE %(events)s ON %(table)s
            FOR EACH ROW EXECUTE FUNCTION channel_version_guard(%(arguments)s)
            """,
            events=SQL("UPDATE OR DELETE") if kind == "version" else SQL("INSERT OR UPDATE OR DELETE"),
            table=SQL.identifier(table),
            arguments=SQL(", ").join(SQL("%s", argument) for argument in (kind, *arguments)),
        )
    )


def channel_version_overlap(identity_field, condition=None):
    """Return the constraint that keeps approved versions of one document from overlapping.

    Declare it on the model of the versions: ``_version_overlap = channel_version_overlap("contract_id")``.
    Ranges on both columns, so that PostgreSQL's own operator classes do and no extension is needed.

    :param str condition: SQL, when not every approved version counts: what :meth:`_version_standing_domain` adds
    """
    condition = f" AND ({condition})" if condition else ""
    return models.Constraint(
        f"EXCLUDE USING gist (int4range({identity_field}, {identity_field}, '[]') WITH &&, "
        f"daterange(valid_from, valid_to, '[]') WITH &&) WHERE (((state)::text = 'approved'::text){condition})",
        "Another approved version is in force in this period: end it first, or choose other dates.",
    )


class ChannelVersionMixin(models.AbstractModel):
    """The terms of a document over a period of time.

    The model names the many2one to its document in :attr:`_version_identity`, its one2many fields that are
    terms in :attr:`_version_line_fields`, and declares ``channel_version_overlap``.

    Drafts can be edited. Approving makes room: the version before ends the day before this one starts; when
    this one starts on or before the start of the version that it was made from, it wholly replaces it
    (``superseded``); a version that is already approved for later stays, and this one ends the day before it.
    From then on no term, line, date or state of it can be written through the ORM.
    """

    _name = "channel.version.mixin"
    _description = "Version of a Document"
    _inherit = ["channel.approval.mixin"]
    _order = "number desc, id desc"

    #: Name of the many2one to the document.
    _version_identity = None
    #: Names of the one2many fields that are terms; their models inherit ``channel.version.line.mixin``.
    _version_line_fields = ()
    #: Whether the database itself refuses changes of what was approved, see :meth:`_guard_versions`.
    _version_guarded = False

    number = fields.Integer(string="Version", readonly=True, copy=False, aggregator=None)
    previous_number = fields.Integer(string="Made from Version", readonly=True, copy=False, aggregator=None)
    valid_from = fields.Date(required=True, tracking=True)
    valid_to = fields.Date(tracking=True, copy=False, help="Empty: until further notice.")
    state = fields.Selection(
        selection_add=[("superseded", "Superseded"), ("cancelled",)],
        ondelete={"superseded": "set default"},
    )
    difference_html = fields.Html(string="Changes", compute="_compute_difference_html", sanitize=False)

    _valid_period = models.Constraint(
        "CHECK (valid_to IS NULL OR valid_to >= valid_from)",
        "A version cannot end before it starts.",
    )

    def init(self):
        super().init()
        if self._version_guarded and self._auto and not self._abstract:
            self._guard_versions()

    def _guard_versions(self):
        """Have the database refuse changes of approved versions also to who bypasses Odoo. Idempotent.

        Of an approved version no term changes, its end only comes earlier, its state only becomes superseded, and it
        is not deleted; the same holds for the rows of its many2many terms. A migration that must correct such rows
        opens the door for its own transaction::

            SELECT set_config('channel.version_door', txid_current()::text, true)

        Who owns the tables can drop the triggers: what protects against that is the audit journal, which keeps the
        terms of every approval in a chain.
        """
        terms = [
            name
            for name in [*self._version_terms(), self._version_identity, "valid_from", "number", "approved_by_id",
                         "approved_at"]
            if self._fields[name].column_type and self._fields[name].store
        ]
        self.env.cr.execute(_GUARD_FUNCTION)
        create_guard(self.env.cr, self._table, "version", sorted({*terms} - {"valid_to"}))
        for name in self._version_terms():
            field = self._fields[name]
            if field.type == "many2many" and field.store:
                create_guard(self.env.cr, field.relation, "link", [self._table, field.column1])

    # === COMPUTE === #

    @api.depends("number")
    def _compute_display_name(self):
        for version in self:
            identity = version[self._version_identity].display_name or ""
            version.display_name = f"{identity} v{version.number}" if version.number else identity

    def _compute_difference_html(self):
        for version in self:
            version.difference_html = version._difference_html()

    # === HOOKS === #

    def _version_terms(self):
        """Return the names of the fields that are terms (without lines).

        By default every stored field that is neither technical nor a one2many.
        """
        technical = self._approval_technical_fields() | {self._version_identity}
        return [
            name
            for name, field in self._fields.items()
            if field.store
            and name not in technical
            and field.type != "one2many"
            and not (field.compute and field.readonly)
        ]

    @api.model
    def _version_standing_domain(self):
        """Return the domain of the versions that count on the days of their period: by default the approved ones.

        A model whose versions need something more after their approval (a signature) narrows it, says so in
        ``channel_version_overlap``, answers :meth:`_version_stands_when_approved`, and calls :meth:`_make_room` just
        before that has happened.
        """
        return Domain("state", "=", "approved")

    def _version_stands_when_approved(self):
        """Return whether this version counts from its approval on, and makes room then."""
        return True

    def _approval_terms(self):
        return [
            self._version_identity,
            "valid_from",
            "valid_to",
            *self._version_terms(),
            *self._version_line_fields,
        ]

    @api.model
    def _approval_protected_fields(self):
        return [
            *super()._approval_protected_fields(),
            "number",
            "previous_number",
        ]

    @api.model
    def _approval_technical_fields(self):
        return super()._approval_technical_fields() | (
            self.env["channel.version.mixin"]._fields.keys() - {"valid_from", "valid_to"}
        )

    def _approval_audit_values(self):
        return {version.id: version._version_snapshot() for version in self}

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        versions = super().create(vals_list)
        versions._number()
        return versions

    def write(self, vals):
        identity = self._version_identity
        if identity in vals and any(version[identity].id != vals[identity] for version in self):
            raise UserError(self.env._("A version cannot move to another document: make a new version there."))
        return super().write(vals)

    def _check_state_by_hand(self, vals):
        """By hand only a draft can be cancelled; everything else is the approval's."""
        state = vals.get(self._state_field)
        for version in self:
            if (
                state
                and state != version.state
                and (version.state not in self._state_from or state != self._cancel_state)
            ):
                raise UserError(self._message_not_by_hand(version))

    def _number(self):
        """Give new versions the next number of their document, and remember what they were made from."""
        documents = self[self._version_identity]
        documents.flush_recordset()
        self.flush_recordset()
        # Two users who make a version at the same time take numbers one after the other.
        self.env.cr.execute(
            SQL(
                "SELECT id FROM %s WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                SQL.identifier(documents._table),
                documents.ids,
            )
        )
        # sudo: numbers count all versions, also those that the user cannot see
        last = dict(
            self.sudo()._read_group(
                [(self._version_identity, "in", documents.ids)],
                [self._version_identity],
                ["number:max"],
            )
        )
        base = self.sudo()._version_base(documents)
        for version in self.sorted("id"):
            document = version[self._version_identity]
            number = (last.get(document) or 0) + 1
            last[document] = number
            _APPROVER.open(version).write(
                {
                    "number": number,
                    "previous_number": base[document.id].number,
                }
            )

    # === VERSIONS === #

    @api.model
    def _version_base(self, documents):
        """Return ``{document_id: version}``: what a new version is made from.

        The one in force today, else the approved one that starts last, else an empty version.
        """
        base = documents._versions_at(fields.Date.context_today(self))
        without = [document_id for document_id, version in base.items() if not version]
        if without:
            for version in self.search(
                [(self._version_identity, "in", without), ("state", "=", "approved")],
                order="valid_from",
            ):
                base[version[self._version_identity].id] = version
        return base

    def _version_copy(self):
        """Return a draft with the same terms and lines, from today or the day after this version's start."""
        self.ensure_one()
        draft = self.copy({"valid_from": max(fields.Date.context_today(self), self.valid_from + _DAY)})
        self._version_copy_lines(draft)
        return draft

    def _version_copy_lines(self, draft):
        """Give a draft that was just copied from this version the lines that Odoo does not copy by itself.

        A model with very many lines overrides it.
        """
        for name in self._version_line_fields:
            field = self._fields[name]
            if not field.copy:
                for line in self[name]:
                    line.copy({field.inverse_name: draft.id})

    def _version_previous(self):
        """Return the version that this one follows: the one it was made from, or an empty one."""
        self.ensure_one()
        identity = self._version_identity
        if not self[identity].ids:
            return self.browse()
        candidates = self.search(
            [
                (identity, "=", self[identity].id),
                ("state", "in", ("approved", "superseded")),
                ("id", "!=", self._origin.id),
                ("number", "<", self.number) if self.number else ("number", ">", 0),
            ],
            order="number desc",
        )
        return candidates.filtered(lambda v: v.number == self.previous_number) or candidates[:1]

    def _approval_before(self):
        result = super()._approval_before()
        # What is still to be written of the lines must not meet the guard of approved versions
        for name in self._version_line_fields:
            self[name].flush_recordset()
        for version in self:
            if version._version_stands_when_approved():
                version._make_room()
        return result

    def _make_room(self):
        """End, replace or keep the other approved versions of the document, as the class says."""
        self.ensure_one()
        identity = self._version_identity
        self.env.cr.execute(
            SQL(
                "SELECT id FROM %s WHERE id = %s FOR NO KEY UPDATE",
                SQL.identifier(self[identity]._table),
                self[identity].id,
            )
        )
        others = self.search(
            self._version_standing_domain() & Domain(identity, "=", self[identity].id) & Domain("id", "!=", self.id),
            order="valid_from",
        )
        start = self.valid_from
        replaced = others.filtered(lambda v: v.valid_from == start)
        replaced |= (self._version_previous() & others).filtered(lambda v: v.valid_from >= start)
        kept = others - replaced
        later = kept.filtered(lambda v: v.valid_from > start)[:1]
        if later and not self.valid_to:
            _APPROVER.open(self).write({"valid_to": later.valid_from - _DAY})
        elif later and self.valid_to >= later.valid_from:
            raise UserError(
                self.env._(
                    "%(version)s cannot be valid until %(end)s: %(later)s is approved from %(start)s. "
                    "End it before that day, or leave its end empty.",
                    version=self.display_name,
                    end=self.valid_to,
                    later=later.display_name,
                    start=later.valid_from,
                )
            )
        earlier = kept.filtered(lambda v: v.valid_from < start and (not v.valid_to or v.valid_to >= start))
        Entry = self.env["channel.audit.entry"]
        reason = self.env._("Followed by %s", self.display_name)
        if replaced:
            _APPROVER.open(replaced).write({"state": "superseded"})
            Entry._record("version.superseded", replaced, reason=reason)
        if earlier:
            before = {version.id: {"valid_to": version.valid_to or None} for version in earlier}
            _APPROVER.open(earlier).write({"valid_to": start - _DAY})
            Entry._record(
                "version.ended",
                earlier,
                reason=reason,
                before=before,
                after={"valid_to": start - _DAY},
            )
        # The database checks each row as it is written: the others first, then this one.
        (replaced | earlier | self).flush_recordset()

    def _version_end(self, date, reason=None):
        """End an approved version early, for example when the document is terminated.

        :param date: last day of validity, not before the start and not after the present end
        """
        for version in self:
            if version.state != "approved" or (version.valid_to and version.valid_to < date):
                raise UserError(
                    self.env._(
                        "%(version)s cannot end on %(date)s: "
                        "only an approved version ends, and only earlier than it does.",
                        version=version.display_name,
                        date=date,
                    )
                )
        before = {version.id: {"valid_to": version.valid_to or None} for version in self}
        _APPROVER.open(self).write({"valid_to": date})
        self.env["channel.audit.entry"]._record(
            "version.ended", self, reason=reason, before=before, after={"valid_to": date}
        )

    def action_cancel(self):
        """Cancel drafts."""
        self.write({"state": self._cancel_state})
        return True

    # === DIFFERENCE === #

    def difference(self):
        """Return what this version changes against the version that it was made from.

        :return: a list, in the order of the form, of ``{"path", "label", "before", "after"}``; ``path`` is the
            technical name (``"rate"``, ``"line_ids[Stent].price"``), ``label`` the translated one, ``before`` and
            ``after`` are texts, numbers, booleans, lists of names, or ``None``. Empty for a first version.
        """
        self.ensure_one()
        return self._difference_from(self._version_previous(), self._version_line_fields)

    def _difference_from(self, previous, line_fields):
        """Return what this version changes against any other one of its model, as :meth:`difference` does.

        :param line_fields: names of the one2many fields that are compared too
        """
        self.ensure_one()
        if not previous:
            return []
        changes = []
        for name in ["valid_from", "valid_to", *self._version_terms()]:
            if name not in self._fields or any(change["path"] == name for change in changes):
                continue
            before, after = previous._readable(name), self._readable(name)
            if name == "valid_to" and previous.valid_to == self.valid_from - _DAY:
                # The version before ends there because this one starts: that is no change of its terms.
                before = None
            if before != after:
                changes.append(
                    {
                        "path": name,
                        "label": self._label(name),
                        "before": before,
                        "after": after,
                    }
                )
        for name in line_fields:
            changes += self._line_difference(name, previous[name], self[name])
        return changes

    def _line_difference(self, name, old_lines, new_lines):
        label = self._label(name)
        old, new = old_lines._by_key(), new_lines._by_key()
        changes = []
        for key in [*old, *(key for key in new if key not in old)]:
            before, after = old.get(key), new.get(key)
            if before and after:
                for field in after._version_terms():
                    was, is_now = before._readable(field), after._readable(field)
                    if was != is_now:
                        changes.append(
                            {
                                "path": f"{name}[{key}].{field}",
                                "label": f"{label}: {key}: {after._label(field)}",
                                "before": was,
                                "after": is_now,
                            }
                        )
            else:
                changes.append(
                    {
                        "path": f"{name}[{key}]",
                        "label": f"{label}: {key}",
                        "before": before._summary() if before else None,
                        "after": after._summary() if after else None,
                    }
                )
        return changes

    def _version_snapshot(self):
        """Return all terms and lines as a dict that can be written as JSON."""
        self.ensure_one()
        snapshot = {
            name: self._readable(name) for name in self._approval_terms() if name not in self._version_line_fields
        }
        for name in self._version_line_fields:
            snapshot[name] = [{field: line._readable(field) for field in line._version_terms()} for line in self[name]]
        return {"number": self.number, **snapshot}

    def _readable(self, name):
        return _readable(self, name)

    def _label(self, name):
        return self._fields[name]._description_string(self.env)

    def _difference_html(self):
        """Return the difference as a table for the form; empty when there is none."""
        if not self.number:
            return Markup()
        changes = self.difference()
        if not changes:
            return Markup()
        rows = Markup().join(
            Markup("<tr><td>%s</td><td class='text-muted'><del>%s</del></td><td>%s</td></tr>")
            % (change["label"], _text(change["before"]), _text(change["after"]))
            for change in changes
        )
        return Markup(
            "<div class='table-responsive'><table class='table table-sm'>"
            "<thead><tr><th>%s</th><th>%s</th><th>%s</th></tr></thead><tbody>%s</tbody></table></div>"
        ) % (self.env._("Term"), self.env._("Before"), self.env._("After"), rows)


def _readable(record, name):
    """Return a field's value as a person reads it and JSON can carry it."""
    field = record._fields[name]
    value = record[name]
    if field.type == "many2one":
        # sudo: a name only, of what the reader's own document points to
        return value.sudo().display_name or None
    if field.relational:
        return sorted(value.sudo().mapped("display_name"))
    if field.type == "selection":
        return dict(field._description_selection(record.env)).get(value)
    if field.type in ("date", "datetime"):
        return value.isoformat() if value else None
    if field.type == "boolean":
        return value
    if field.type in ("integer", "float", "monetary"):
        return value
    if field.type == "binary":
        return bool(value)
    return (str(value) or None) if value else None


def _text(value):
    match value:
        case None:
            return ""
        case list():
            return ", ".join(str(item) for item in value)
        case bool():
            return "✓" if value else "✗"
    return str(value)
