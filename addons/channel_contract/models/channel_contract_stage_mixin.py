from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.channel_base.tools.private_key import PrivateKey

STAGES = [
    ("draft", "Draft"),
    ("review", "Internal Review"),
    ("approval", "Approval"),
    ("signature", "Out for Signature"),
    ("signed", "Signed"),
    ("in_force", "In Force"),
    ("suspended", "Suspended"),
    ("expiring", "Expiring"),
    ("renewed", "Renewed"),
    ("terminated", "Terminated"),
    ("expired", "Expired"),
]
#: Stages in which the contract has begun and not ended.
RUNNING = ("in_force", "suspended", "expiring")
#: Opens the stage to the code that derives it.
_STAGE = PrivateKey("channel_contract_stage")


class ChannelContractStageMixin(models.AbstractModel):
    """Where a contract stands. Inherited by ``channel.contract``.

    The stage is a function of versions, reviews, signatures, suspensions and the day; it is stored, so that lists can
    be grouped and searched by it, and brought up to date by :meth:`_update_stages`: at each event and every night.
    What is in force on a day is asked of the versions themselves and never of the stage.
    """

    _name = "channel.contract.stage.mixin"
    _description = "Stage of a Contract"

    stage = fields.Selection(
        STAGES,
        required=True,
        readonly=True,
        copy=False,
        default="draft",
        index=True,
        group_expand=True,
        help="Follows from versions, approvals, signatures, suspensions and the day.",
    )
    stage_since = fields.Date(readonly=True, copy=False, help="The day from which the contract stands where it stands.")
    event_ids = fields.One2many("channel.contract.event", "contract_id", string="Timeline", readonly=True)

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        if not _STAGE.opens(self):
            for vals in vals_list:
                self._check_protected_fields(vals)
        return super(ChannelContractStageMixin, _STAGE.close(self)).create(vals_list)

    def write(self, vals):
        if not _STAGE.opens(self):
            self._check_protected_fields(vals)
        return super(ChannelContractStageMixin, _STAGE.close(self)).write(vals)

    @api.model
    def _protected_fields(self):
        """:return: the set of the fields that follow from events and decisions, and are not typed"""
        return {"stage", "stage_since"}

    def _check_protected_fields(self, vals):
        typed = [name for name in sorted(self._protected_fields()) if vals.get(name)]
        if typed:
            raise UserError(
                self.env._(
                    "%(fields)s of a contract cannot be typed: they follow from versions, decisions and dates.",
                    fields=", ".join(self._fields[name]._description_string(self.env) for name in typed),
                )
            )

    # === BUSINESS METHODS ===#

    @api.model
    def _cron_contracts(self):
        """What the calendar does to contracts, every night. Running it again changes nothing."""
        # sudo: the job looks at the contracts of every company
        self.sudo()._renew_due()
        # pylint: disable-next=no-search-all  # one set-based question about every contract
        self.sudo().with_context(active_test=False).search([])._update_stages()
        self.env["channel.contract.performance"]._alert_shortfalls()
        self.env["channel.contract.obligation"]._run_calendar()

    def _update_stages(self):
        """Bring the stage of these contracts in step with what it follows from, and note changes in the timeline.

        Two queries for any number of contracts, and one write for each stage that some of them come to.

        :return: the contracts whose stage has changed
        """
        # sudo: where a contract stands does not depend on who looks
        contracts = self.sudo()
        changed = contracts.browse()
        events = []
        by_place = {}
        for contract_id, old, old_since, today, stage, since in contracts._stage_rows():
            if stage == old:
                continue
            if since is None or (old in RUNNING and stage in RUNNING and since <= (old_since or since)):
                since = today
            by_place.setdefault((stage, since), []).append(contract_id)
            events.append({"contract_id": contract_id, "kind": "stage", "stage": stage, "date": since})
        for (stage, since), contract_ids in by_place.items():
            moved = contracts.browse(contract_ids)
            _STAGE.open(moved).write({"stage": stage, "stage_since": since})
            changed += moved
        if events:
            self.env["channel.contract.event"]._log(events)
        return changed

    def _stage_rows(self):
        """:return: ``[(contract_id, stage stored, since when, today, stage that follows, its first day or None)]``"""
        if not self.ids:
            return []
        companies = self.company_id
        self._flush_stage()
        return self.env.execute_query(
            SQL(
                """
                SELECT c.id, c.stage, c.stage_since, day.today, stage.code, stage.since
                  FROM channel_contract c
                  JOIN unnest(%(companies)s::int[], %(days)s::date[]) AS day (company_id, today)
                    ON day.company_id = c.company_id
                  LEFT JOIN channel_contract_type kind ON kind.id = c.type_id
                 CROSS JOIN LATERAL (%(facts)s) AS fact
                 CROSS JOIN LATERAL (%(stage)s) AS stage
                 WHERE c.id = ANY(%(contracts)s)
                 ORDER BY c.id
                """,
                companies=companies.ids,
                days=[company._channel_today() for company in companies],
                contracts=self.ids,
                facts=self._stage_facts_sql(),
                stage=self._stage_sql(),
            )
        )

    def _flush_stage(self):
        self.env["channel.contract"].flush_model(
            ["stage", "stage_since", "company_id", "type_id", "terminated_on", "notice_given_on", "predecessor_id"]
        )
        self.env["channel.contract.type"].flush_model(["expiring_days"])
        self.env["channel.contract.version"]._flush_in_force()
        self.env["channel.contract.version"].flush_model(["notice_days", "renewal", "submitted_at", "reading_ids"])
        self.env["tier.review"].flush_model(["model", "res_id", "status"])

    @api.model
    def _stage_facts_sql(self):
        """:return: SQL of one row about the versions of contract ``c`` of kind ``kind`` on ``day.today``"""
        Version = self.env["channel.contract.version"]
        version = SQL.identifier("v")
        return SQL(
            """
            SELECT max(v.valid_from) FILTER (WHERE %(stands)s AND v.valid_from <= day.today
                                             AND (v.valid_to IS NULL OR v.valid_to >= day.today)) AS begun,
                   bool_or(%(stands)s AND v.valid_from > day.today) AS to_come,
                   bool_or(%(waiting)s AND (v.valid_to IS NULL OR v.valid_to >= day.today)) AS unsigned,
                   max(COALESCE(v.valid_to, 'infinity'::date)) FILTER (WHERE %(stands)s) AS last_day,
                   max(%(ahead)s) FILTER (WHERE %(stands)s) AS notice,
                   max(%(phase)s) FILTER (WHERE v.state = 'draft') AS phase,
                   (array_agg(v.renewal ORDER BY v.valid_from DESC) FILTER (WHERE %(stands)s))[1] AS renewal,
                   (SELECT s.date_from FROM channel_contract_suspension s
                     WHERE s.contract_id = c.id AND s.date_from <= day.today
                       AND (s.lifted_on IS NULL OR s.lifted_on > day.today)) AS suspended,
                   (SELECT max(s.lifted_on) FROM channel_contract_suspension s
                     WHERE s.contract_id = c.id AND s.lifted_on <= day.today) AS resumed,
                   EXISTS (SELECT FROM channel_contract successor
                             JOIN channel_contract_version succeeding ON succeeding.contract_id = successor.id
                            WHERE successor.predecessor_id = c.id AND %(succeeds)s) AS succeeded
              FROM channel_contract_version v
             WHERE v.contract_id = c.id
            """,
            stands=Version._standing_sql(version),
            succeeds=Version._standing_sql(SQL.identifier("succeeding")),
            waiting=Version._unsigned_sql(version),
            ahead=SQL("GREATEST(COALESCE(kind.expiring_days, 0), COALESCE(v.notice_days, 0))"),
            phase=Version._phase_sql(version),
        )

    @api.model
    def _stage_sql(self):
        """:return: SQL of one row ``(code, since)`` from ``fact``, ``c`` and ``day``"""
        return SQL(
            """
            SELECT * FROM (VALUES
                ('terminated', c.terminated_on < day.today, c.terminated_on + 1),
                ('suspended', fact.begun IS NOT NULL AND fact.suspended IS NOT NULL, fact.suspended),
                ('expiring', fact.begun IS NOT NULL AND NOT fact.to_come AND NOT fact.succeeded
                             AND (fact.renewal <> 'automatic' OR c.notice_given_on IS NOT NULL)
                             AND fact.last_day - fact.notice <= day.today,
                    GREATEST(fact.begun, fact.last_day - fact.notice)),
                ('in_force', fact.begun IS NOT NULL, GREATEST(fact.begun, fact.resumed)),
                ('signed', fact.to_come, NULL),
                ('signature', fact.unsigned, NULL),
                ('renewed', fact.last_day < day.today AND fact.succeeded, fact.last_day + 1),
                ('expired', fact.last_day < day.today, fact.last_day + 1),
                ('approval', fact.phase = 3, NULL),
                ('review', fact.phase = 2, NULL),
                ('draft', TRUE, NULL)
            ) AS candidate (code, holds, since)
             WHERE holds
             LIMIT 1
            """
        )
