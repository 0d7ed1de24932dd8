from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, frozendict, ormcache, split_every

from ..tools.domain import check_domain, domain_hops, is_relative_in_time, read_domain

SIDES = ("member", "customer")
# a partner is held by a segment as the commercial entity, and while it is active
PARTNER_FIELDS = frozenset({"active", "parent_id", "is_company", "commercial_partner_id"})
# domains per statement: bounds the planner's work, not the number of partners
REFRESH_BATCH = 100
# key of the cursor's hooks under which changes wait
PENDING = "channel.segment.pending"


class SegmentSources(NamedTuple):
    """What the domains of all segments read."""

    # fields of res.partner: the partner itself must be looked at again
    own: frozenset
    # {field of res.partner: segment ids}: read on another partner (parent, contacts): the segments must
    remote: frozendict
    # {other model: segment ids}: reached through a relation (tags, grades, regions): the segments must
    models: frozendict


class ChannelSegment(models.Model):
    """A named market: a condition on the member and one on the end customer, both on ``res.partner``.

    Matching is a join on :class:`ChannelSegmentMembership`. The memberships are true

    * for partners created, changed or archived in this transaction: before the next match and at commit;
    * for a changed domain: at once;
    * for a change of tags, grades or regions themselves: like a change of partners;
    * for everything else that a domain can reach (a country renamed, days passing): every night, by
      :meth:`_cron_check_drift`.
    """

    _name = "channel.segment"
    _description = "Channel Segment"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(help="Unique within the company.")
    sequence = fields.Integer(
        default=10,
        help="Where several segments hold the same pair of member and end customer, the smallest sequence wins.",
    )
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index="btree_not_null", help="Empty: the segment serves all companies.")
    member_domain = fields.Char(
        string="Members",
        help="The members of this market. Matched against companies, not their contacts. Empty: everybody.",
    )
    customer_domain = fields.Char(
        string="End Customers",
        help="The end customers of this market. Matched against companies, not their contacts. "
        "Empty: everybody, and orders without an end customer.",
    )
    member_all = fields.Boolean(string="Every Member", compute="_compute_member_all", store=True, precompute=True)
    customer_all = fields.Boolean(
        string="Every End Customer", compute="_compute_customer_all", store=True, precompute=True
    )
    membership_ids = fields.One2many("channel.segment.membership", "segment_id", string="Memberships", readonly=True)
    member_count = fields.Integer(compute="_compute_counts")
    customer_count = fields.Integer(string="End Customer Count", compute="_compute_counts")

    _code_company_uniq = models.UniqueIndex(
        "(code, COALESCE(company_id, 0)) WHERE code IS NOT NULL",
        "Another segment of this company has the same code. Codes are unique within a company.",
    )

    # === COMPUTE METHODS === #

    @api.depends("member_domain")
    def _compute_member_all(self):
        for segment in self:
            segment.member_all = segment._holds_everybody("member")

    @api.depends("customer_domain")
    def _compute_customer_all(self):
        for segment in self:
            segment.customer_all = segment._holds_everybody("customer")

    @api.depends("membership_ids", "member_all", "customer_all", "active")
    def _compute_counts(self):
        self._refresh_pending()
        counts = {
            (segment.id, side): count
            for segment, side, count in self.env["channel.segment.membership"]._read_group(
                [("segment_id", "in", self.ids)], ["segment_id", "side"], ["__count"]
            )
        }
        everybody = None
        for segment in self:
            for side in SIDES:
                if segment[f"{side}_all"]:
                    if everybody is None:
                        everybody = self.env["res.partner"].search_count(self._commercial_domain())
                    segment[f"{side}_count"] = everybody
                else:
                    segment[f"{side}_count"] = counts.get((segment._origin.id, side), 0)

    # === CONSTRAINTS === #

    @api.constrains("member_domain", "customer_domain", "company_id")
    def _check_domains(self):
        for segment in self:
            for side in SIDES:
                fname = f"{side}_domain"
                check_domain(
                    segment._partners(),
                    segment[fname],
                    self._fields[fname]._description_string(self.env),
                    company_bound=bool(segment.company_id),
                )

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        segments = super().create(vals_list)
        segments._definition_changed()
        return segments

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(("member_domain", "customer_domain", "active", "company_id")):
            self._definition_changed()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result

    # === ACTIONS === #

    def action_view_members(self):
        """Open the partners that the member side holds."""
        return self._action_view_side("member", self.env._("Members"))

    def action_view_customers(self):
        """Open the partners that the end customer side holds."""
        return self._action_view_side("customer", self.env._("End Customers"))

    def _action_view_side(self, side, name):
        self.ensure_one()
        self._refresh_pending()
        if self[f"{side}_all"]:
            domain = self._commercial_domain()
        else:
            domain = [("channel_membership_ids", "any", [("segment_id", "=", self.id), ("side", "=", side)])]
        return {
            "type": "ir.actions.act_window",
            "name": f"{self.display_name}: {name}",
            "res_model": "res.partner",
            "view_mode": "list,kanban,form",
            "domain": domain,
        }

    # === BUSINESS METHODS: MATCHING === #

    def _match(self, member_ids, customer_ids=()):
        """Tell which of these segments hold which pairs of member and end customer. One query.

        Access rules do not limit the answer: a price does not depend on who asks for it.

        :param member_ids: ids of members; a contact stands for its commercial partner
        :param customer_ids: ids of end customers, combined with every member. Without any (or with ``False``
            among them) also the pair without an end customer, which only a segment for every end customer holds.
        :return: set of ``(segment_id, member_id, customer_id)`` with the ids as given; ``customer_id`` is ``False``
            for no end customer. Sort by :meth:`_rank` of the segment to see which one wins.
        """
        if not self or not member_ids:
            return set()
        customers = [customer_id or None for customer_id in customer_ids] or [None]
        condition = self._match_sql(SQL.identifier("pair", "member"), SQL.identifier("pair", "customer"))
        rows = self.env.execute_query(
            SQL(
                """
                SELECT s.id, pair.member_id, pair.customer_id
                  FROM (SELECT m.id AS member_id, c.id AS customer_id,
                               mp.commercial_partner_id AS member, cp.commercial_partner_id AS customer
                          FROM unnest(%(members)s::int[]) m(id)
                          JOIN res_partner mp ON mp.id = m.id
                    CROSS JOIN unnest(%(customers)s::int[]) c(id)
                     LEFT JOIN res_partner cp ON cp.id = c.id) pair
                  JOIN channel_segment s ON s.id = ANY(%(segments)s) AND %(condition)s
                """,
                members=list(member_ids),
                customers=customers,
                segments=list(self.ids),
                condition=condition,
            )
        )
        return {(segment_id, member_id, customer_id or False) for segment_id, member_id, customer_id in rows}

    @api.model
    def _match_sql(self, member, customer):
        """Return the condition "segment ``s`` holds this pair" for a query that has ``channel_segment s``.

        Brings the memberships up to date first, so run the query in the same transaction and at once.

        :param SQL member: id of the member's commercial partner
        :param SQL customer: id of the end customer's commercial partner, or NULL
        :return: ``SQL`` condition, false for an archived segment
        """
        self._refresh_pending()
        return SQL(
            """(s.active AND (s.member_all OR EXISTS (
                    SELECT FROM channel_segment_membership sm
                     WHERE sm.segment_id = s.id AND sm.side = 'member' AND sm.partner_id = %(member)s))
                AND (s.customer_all OR EXISTS (
                    SELECT FROM channel_segment_membership sc
                     WHERE sc.segment_id = s.id AND sc.side = 'customer' AND sc.partner_id = %(customer)s)))""",
            member=member,
            customer=customer,
        )

    def _rank(self):
        """Return ``{segment id: position}``, 0 for the segment that wins over all others of ``self``."""
        return {
            segment.id: position
            for position, segment in enumerate(self.sorted(lambda segment: (segment.sequence, segment.id)))
        }

    # === BUSINESS METHODS: MEMBERSHIPS === #

    def _refresh(self, partners=None):
        """Make the memberships of these segments equal to what their domains say now.

        One statement for up to ``REFRESH_BATCH`` segments, whatever the number of partners. Two transactions that
        add the same row at once end as a serialization failure for one of them, which Odoo tries again.

        :param partners: look at these partners only; ``None`` for all
        :return: ``{segment id: (rows added, rows removed)}``, segments without a change left out
        """
        changes = {}
        if not self or (partners is not None and not partners):
            return changes
        # memberships follow from the domains alone, whoever triggers the refresh
        segments = self.sudo().with_context(active_test=False)
        segments.flush_recordset()
        for batch in split_every(REFRESH_BATCH, segments.ids, segments.browse):
            batch._refresh_batch(partners, changes)
        if changes:
            self.env["channel.segment.membership"].invalidate_model()
            self.invalidate_model(["membership_ids", "member_count", "customer_count"], flush=False)
            self.env["res.partner"].invalidate_model(["channel_membership_ids"], flush=False)
        return changes

    def _refresh_batch(self, partners, changes):
        only = SQL("TRUE") if partners is None else SQL("p.id = ANY(%s)", list(partners.ids))
        self.env["res.partner"].flush_model(["active", "commercial_partner_id"])
        wanted = []
        unreadable = self.filtered(lambda segment: not segment._is_readable())
        if not self.env.registry.ready:
            # While add-ons are being loaded a domain may name a field that comes with a later one: what the segment
            # holds stays, and _register_hook looks again. Afterwards such a segment holds nobody.
            self -= unreadable
        for segment in self.filtered("active") - unreadable:
            for side in SIDES:
                if segment[f"{side}_all"]:
                    continue
                query = segment._partners()._search(segment._domain(side))
                wanted.append(
                    SQL(
                        "SELECT %s::int AS segment_id, %s::varchar AS side, p.id AS partner_id FROM res_partner p "
                        "WHERE p.active AND p.commercial_partner_id = p.id AND %s AND p.id IN %s",
                        segment.id,
                        side,
                        only,
                        query.subselect(),
                    )
                )
        nothing = SQL("SELECT NULL::int, NULL::varchar, NULL::int WHERE FALSE")
        rows = self.env.execute_query(
            SQL(
                """
                WITH wanted(segment_id, side, partner_id) AS MATERIALIZED (%(wanted)s),
                     removed AS (
                        DELETE FROM channel_segment_membership m
                         WHERE m.segment_id = ANY(%(segments)s)
                           AND %(only)s
                           AND NOT EXISTS (
                                SELECT FROM wanted
                                 WHERE wanted.segment_id = m.segment_id
                                   AND wanted.side = m.side
                                   AND wanted.partner_id = m.partner_id)
                     RETURNING m.segment_id),
                     added AS (
                        INSERT INTO channel_segment_membership (segment_id, side, partner_id)
                        SELECT segment_id, side, partner_id FROM wanted
                            ON CONFLICT DO NOTHING
                     RETURNING segment_id)
                SELECT segment_id, sum(added), sum(removed)
                  FROM (SELECT segment_id, 1 AS added, 0 AS removed FROM added
                         UNION ALL SELECT segment_id, 0, 1 FROM removed) change
              GROUP BY segment_id
                """,
                wanted=SQL(" UNION ALL ").join(wanted) if wanted else nothing,
                segments=list(self.ids),
                only=SQL("TRUE") if partners is None else SQL("m.partner_id = ANY(%s)", list(partners.ids)),
            )
        )
        changes.update((segment_id, (added, removed)) for segment_id, added, removed in rows)

    @api.model
    def _refresh_pending(self):
        """Bring the memberships up to date with what this transaction changed."""
        sources = self._sources()
        if sources.own or sources.remote:
            # changes announce themselves when they reach the database
            self.env["res.partner"].sudo().flush_model([*sources.own, *sources.remote])
        if pending := self.env.cr.precommit.data.get(PENDING):
            partner_ids, segment_ids = set(pending["partners"]), set(pending["segments"])
            pending["partners"].clear()
            pending["segments"].clear()
            self._refresh_changed(partner_ids, segment_ids)

    @api.model
    def _refresh_before_commit(self):
        # forgotten before the work, so that what later hooks change is noted anew
        pending = self.env.cr.precommit.data.pop(PENDING)
        self._refresh_changed(pending["partners"], pending["segments"])

    @api.model
    def _refresh_changed(self, partner_ids, segment_ids):
        # every segment is kept, also those of other companies
        segments = self.sudo().with_context(active_test=False)
        whole = segments.browse(segment_ids).exists()
        whole._refresh()
        if partner_ids:
            with_domain = segments.search(
                [("active", "=", True), "|", ("member_all", "=", False), ("customer_all", "=", False)]
            )
            (with_domain - whole)._refresh(self.env["res.partner"].sudo().browse(partner_ids))

    @api.model
    def _cron_check_drift(self):
        """Compute all memberships anew, mend what differs and raise an alert that says how much did.

        Segments whose domain speaks of days relative to today change by themselves: they are renewed
        without an alert.
        """
        self._refresh_pending()
        segments = self.with_context(active_test=False).search(Domain.TRUE)
        changes = segments._refresh()
        alerts = []
        for segment in segments:
            if segment.active and not segment._is_readable():
                alerts.append(
                    {
                        "key": f"unreadable {segment.id}",
                        "name": self.env._("Segment %s cannot be read and holds nobody", segment.display_name),
                        "severity": "critical",
                        "record": segment,
                        "company": segment.company_id or self.env.company,
                        "note": self.env._(
                            "Its conditions name a field that no longer exists, because the add-on of the field "
                            "has been removed. Change the conditions, or archive the segment."
                        ),
                    }
                )
                continue
            if segment.id not in changes or segment._is_relative_in_time():
                continue
            added, removed = changes[segment.id]
            alerts.append(
                {
                    "key": str(segment.id),
                    "name": self.env._("Segment %s had drifted from its conditions", segment.display_name),
                    "severity": "warning",
                    "record": segment,
                    "company": segment.company_id or self.env.company,
                    "note": self.env._(
                        "%(missing)s memberships were missing and %(surplus)s were too many. They have been mended. "
                        "Prices and programmes matched since the last check may have used the wrong segment.",
                        missing=added,
                        surplus=removed,
                    ),
                }
            )
        if alerts:
            self.env["channel.alert"]._raise_alerts("channel.segment.drift", alerts)

    # === TOOLING === #

    def _partners(self):
        """The recordset that this segment's domains are searched on: the same for every user, language and company."""
        # a segment holds partners that the user who triggers the refresh may not see
        partners = (
            self.env["res.partner"]  # pylint: disable=context-overridden
            .with_user(api.SUPERUSER_ID)
            .with_context({"active_test": False})
        )
        return partners.with_company(self.company_id) if self.company_id else partners

    def _domain(self, side):
        return read_domain(self[f"{side}_domain"])

    def _is_readable(self):
        """Whether every field that the domains name exists in the registry as it is now.

        It need not: the add-on of the field may have been removed, or not be loaded yet.
        """
        self.ensure_one()
        try:
            for side in SIDES:
                for _hop in domain_hops(self._partners(), self._domain(side)):
                    pass
        except ValueError:
            if not self.env.registry.ready:
                self.env.registry.channel_segments_wait = True
            return False
        return True

    def _register_hook(self):
        super()._register_hook()
        registry = self.env.registry
        if getattr(registry, "channel_segments_wait", False):
            registry.channel_segments_wait = False
            registry.clear_cache()
            # every segment is kept, also those of other companies
            self.sudo().with_context(active_test=False).search([("active", "=", True)])._refresh()

    def _holds_everybody(self, side):
        try:
            return self._domain(side).is_true()
        except ValueError:
            # refused by the constraint, with its reason
            return False

    @api.model
    def _commercial_domain(self):
        """Those of whom ``commercial_partner_id = id`` holds, as Odoo computes it."""
        return [("active", "=", True), "|", ("parent_id", "=", False), ("is_company", "=", True)]

    def _is_relative_in_time(self):
        self.ensure_one()
        return any(is_relative_in_time(self._partners(), self._domain(side)) for side in SIDES)

    def _definition_changed(self):
        self.env.registry.clear_cache()
        self._refresh()
        # A partner changed by a transaction that is still open is seen by neither side: have both checked again.
        # The trigger runs with the rights of the scheduler; it discloses nothing.
        if cron := self.env.ref("channel_base.ir_cron_channel_segment_drift", raise_if_not_found=False):
            cron.sudo()._trigger()

    @api.model
    @ormcache()
    def _sources(self):
        """What the domains of all active segments read, as :class:`SegmentSources`; kept until a segment changes."""
        own, remote, model_names = set(), defaultdict(set), defaultdict(set)
        # what must be watched does not depend on who writes
        for segment in self.sudo().with_context(active_test=False).search([("active", "=", True)]):
            if not segment._is_readable():
                continue
            partners = segment._partners()
            for side in SIDES:
                domain = Domain.TRUE if segment[f"{side}_all"] else segment._domain(side)
                if not domain.is_true():
                    own |= PARTNER_FIELDS
                for hop in domain_hops(partners, domain):
                    segment._add_sources(hop, own, remote, model_names)
        return SegmentSources(
            frozenset(own),
            frozendict({name: tuple(ids) for name, ids in remote.items()}),
            frozendict({name: tuple(ids) for name, ids in model_names.items()}),
        )

    def _add_sources(self, hop, own, remote, model_names):
        pool = self.env.registry
        names = {hop.field.name}
        if not hop.field.store:
            # a search method reads what the field is computed from; deeper paths are left to the nightly check
            names = {path.split(".")[0] for path in pool.field_depends.get(hop.field, ())}
        if hop.field.model_name != "res.partner":
            model_names[hop.field.model_name].add(self.id)
        elif hop.is_first:
            own.update(names)
        else:
            for name in names:
                remote[name].add(self.id)
        if hop.field.name == "id" and hop.operator in ("child_of", "parent_of"):
            remote[self.env[hop.field.model_name]._parent_name].add(self.id)
        if hop.field.relational:
            comodel = hop.field.comodel_name
            # the other side of a relation changes it as well, and a tree its branches
            inverses = [field.name for field in pool.field_inverses[hop.field]]
            if hop.operator in ("child_of", "parent_of"):
                inverses.append(self.env[comodel]._parent_name)
            if comodel == "res.partner":
                for name in inverses:
                    remote[name].add(self.id)
                if hop.is_leaf and isinstance(hop.value, str):
                    remote["name"].add(self.id)
            else:
                model_names[comodel].add(self.id)

    @api.model
    def _pending(self):
        """The partners and segments to look at again, ``{"partners": set, "segments": set}``.

        Kept with the cursor: run before commit and before each savepoint, forgotten by a rollback together
        with the changes that caused it.
        """
        precommit = self.env.cr.precommit
        pending = precommit.data.get(PENDING)
        if pending is None:
            pending = precommit.data[PENDING] = {"partners": set(), "segments": set()}
            # memberships follow from the domains alone, not from the language or company of who changed a partner
            keeper = self.browse().sudo().with_context({})  # pylint: disable=context-overridden
            precommit.add(keeper._refresh_before_commit)
        return pending

    @api.model
    def _partners_changed(self, partners, fnames, created=False):
        """Take note that these fields of these partners have changed; cheap when no segment reads them."""
        sources = self._sources()
        fnames = set(fnames)
        if created and sources.own or not sources.own.isdisjoint(fnames):
            self._pending()["partners"].update(partners.ids)
        if segment_ids := {segment_id for name in fnames for segment_id in sources.remote.get(name, ())}:
            self._pending()["segments"].update(segment_ids)

    @api.model
    def _partners_deleted(self):
        """Take note that partners were deleted: their own rows go with them, but others may be held for their sake."""
        if segment_ids := {segment_id for ids in self._sources().remote.values() for segment_id in ids}:
            self._pending()["segments"].update(segment_ids)

    @api.model
    def _model_changed(self, model_name):
        """Take note that records of a model through which domains reach (tags, grades, regions) have changed."""
        if segment_ids := self._sources().models.get(model_name):
            self._pending()["segments"].update(segment_ids)
