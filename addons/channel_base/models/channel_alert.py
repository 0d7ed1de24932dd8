from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError

ACTIVITY_TYPE = "channel_base.mail_activity_type_alert"
SEVERITIES = [("info", "Information"), ("warning", "Warning"), ("critical", "Critical")]
_RANK = {severity: rank for rank, (severity, _label) in enumerate(SEVERITIES)}


class ChannelAlert(models.Model):
    """Something that needs a person.

    Raised by a source (a code, such as ``"qualification"``) under a key that says what it is about; while an alert
    of the same source, key and company is open, raising it again refreshes it instead of making a second one.
    """

    _name = "channel.alert"
    _description = "Channel Alert"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "severity_rank desc, first_seen, id"

    name = fields.Char(required=True, tracking=True)
    source = fields.Char(required=True, readonly=True, help="Code of what raised it.")
    key = fields.Char(required=True, readonly=True, help="What it is about.")
    severity = fields.Selection(SEVERITIES, required=True, default="warning", tracking=True)
    severity_rank = fields.Integer(compute="_compute_severity_rank", store=True, aggregator=None)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("acknowledged", "Acknowledged"),
            ("resolved", "Resolved"),
        ],
        required=True,
        default="open",
        readonly=True,
        index=True,
        tracking=True,
        copy=False,
        group_expand=True,
    )
    company_id = fields.Many2one("res.company", index=True, readonly=True)
    user_id = fields.Many2one("res.users", string="Owner", index=True, tracking=True)
    region_id = fields.Many2one("channel.region", index=True, readonly=True)
    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field="res_model", readonly=True)
    res_name = fields.Char(string="Document", compute="_compute_res_name")
    note = fields.Text(readonly=True)
    count = fields.Integer(string="Times Seen", default=1, readonly=True, aggregator=None)
    first_seen = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    last_seen = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    acknowledged_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    acknowledged_at = fields.Datetime(readonly=True, copy=False)
    resolved_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    resolved_at = fields.Datetime(readonly=True, copy=False)
    resolution = fields.Char(readonly=True, copy=False, tracking=True)
    escalation_ids = fields.Many2many(
        "channel.alert.escalation",
        string="Escalations Applied",
        readonly=True,
        copy=False,
    )

    _open_uniq = models.UniqueIndex(
        "(source, key, COALESCE(company_id, 0)) WHERE state != 'resolved'",
        "An alert of this source and key is open already.",
    )
    _document = models.Index("(res_model, res_id)")

    # === COMPUTE === #

    @api.depends("severity")
    def _compute_severity_rank(self):
        for alert in self:
            alert.severity_rank = _RANK[alert.severity]

    @api.depends("res_model", "res_id")
    def _compute_res_name(self):
        for model, alerts in self.grouped("res_model").items():
            if model not in self.env:
                alerts.res_name = False
                continue
            # sudo: the alert names its document also to an owner who may not open it
            documents = self.env[model].sudo().browse(alerts.mapped("res_id")).exists()
            names = {document.id: document.display_name for document in documents}
            for alert in alerts:
                alert.res_name = names.get(alert.res_id, False)

    # === CRUD === #

    def write(self, vals):
        """Users hand an alert over to another owner; the rest is written by its source and its buttons."""
        if not self.env.su:
            by_hand = {name for name in vals if name != "user_id" and not name.startswith(("activity_", "message_"))}
            if by_hand:
                raise UserError(
                    self.env._(
                        "Of an alert only the owner is changed by hand, not: %s. Acknowledge or resolve it instead.",
                        ", ".join(sorted(by_hand)),
                    )
                )
        before = {alert: alert.user_id for alert in self} if "user_id" in vals else {}
        result = super().write(vals)
        handed_over = self.filtered(
            lambda alert: alert in before and alert.user_id != before[alert] and alert.state != "resolved"
        )
        if handed_over:
            # sudo: activities of the former owner are closed by who hands the alert over
            handed_over.sudo().activity_unlink([ACTIVITY_TYPE])
            handed_over._schedule_owner_activity()
        return result

    # === RAISE AND CLEAR === #

    @api.model
    def _raise_alerts(self, source, values_list):
        """Create or refresh alerts: one open alert for each (source, key, company).

        :param str source: code of what raises them
        :param values_list: dicts with ``key`` (text) and ``name``, and optionally ``severity`` (``info``,
            ``warning``, ``critical``; default ``warning``), ``record`` (what it is about), ``company``, ``user``
            (the owner), ``region``, ``note``. Without ``user`` the owner is who is in charge of the region, else who
            the company names for alerts. Without ``company`` the record's, else the current one.
        :return: the alerts, in the order of ``values_list`` (superuser rights)
        """
        # sudo: alerts are raised by jobs and by users who may not write alerts; the values are the caller's code
        Alert = self.sudo()
        now = fields.Datetime.now()
        wanted = {}
        for values in values_list:
            company = self._company_of(values)
            wanted[(str(values["key"]), company.id)] = values, company
        existing = {
            (alert.key, alert.company_id.id): alert
            for alert in Alert.search(
                [
                    ("source", "=", source),
                    ("key", "in", [key for key, _company in wanted]),
                    ("state", "!=", "resolved"),
                ]
            )
        }
        create_list = []
        for place, (values, company) in wanted.items():
            vals = self._prepare_alert_vals(values)
            if alert := existing.get(place):
                alert._refresh(vals, now)
                continue
            create_list.append(
                {
                    **vals,
                    "source": source,
                    "key": place[0],
                    "company_id": company.id,
                    "user_id": self._owner_of(values, company).id,
                    "first_seen": now,
                    "last_seen": now,
                }
            )
        try:
            with self.env.cr.savepoint():
                created = Alert.create(create_list)
        except UniqueViolation as error:
            # Somebody else raised the same alert meanwhile: a retry sees and refreshes it.
            raise ConcurrencyError(f"alerts of source {source} were raised concurrently") from error
        created._schedule_owner_activity()
        existing |= {(alert.key, alert.company_id.id): alert for alert in created}
        return Alert.concat(*(existing[str(values["key"]), self._company_of(values).id] for values in values_list))

    @api.model
    def _company_of(self, values):
        record = values.get("record")
        company = values.get("company")
        if not company and record and "company_id" in record._fields:
            # sudo: only the number of the company is kept
            company = record.sudo().company_id
        return company or self.env.company

    @api.model
    def _prepare_alert_vals(self, values):
        record, region = values.get("record"), values.get("region")
        return {
            "name": values["name"],
            "severity": values.get("severity") or "warning",
            "note": values.get("note") or False,
            "res_model": record._name if record else False,
            "res_id": record.id if record else 0,
            "region_id": region.id if region else False,
        }

    @api.model
    def _owner_of(self, values, company):
        """Return the owner of a new alert: given, in charge of the region, or named by the company."""
        if user := values.get("user"):
            return user
        if region := values.get("region"):
            # sudo: who is in charge, and of which companies, is a fact, whoever raises the alert: people in charge may
            # have companies that this user has not
            in_charge = region.sudo()._people_in_charge().sudo().filtered(
                lambda user: not company or company in user.company_ids
            )
            if in_charge:
                return in_charge[0].sudo(False)
        return company._channel_alert_user()

    def _refresh(self, vals, now):
        """Take over what a new sighting says: seen once more, text and severity as they are now."""
        self.ensure_one()
        changed = {
            name: value
            for name, value in vals.items()
            if self._fields[name].convert_to_cache(value, self) != self._fields[name].convert_to_cache(self[name], self)
        }
        self.write({**changed, "count": self.count + 1, "last_seen": now})

    @api.model
    def _clear_alerts(self, source, keys):
        """Resolve the open alerts of a source whose cause is gone, in all companies.

        :param keys: texts, as they were raised
        """
        # sudo: as in _raise_alerts
        alerts = self.sudo().search(
            [
                ("source", "=", source),
                ("key", "in", [str(key) for key in keys]),
                ("state", "!=", "resolved"),
            ]
        )
        alerts._resolve(self.env._("The cause is gone."))
        return alerts

    # === ACTION === #

    def action_acknowledge(self):
        """Say that somebody takes care: who and when is kept, escalation waits.

        :raise UserError: when an alert is resolved already
        """
        self.check_access("write")
        self._check_not_resolved()
        # sudo: checked above; the fields are readonly for everybody else
        self.filtered(lambda alert: alert.state == "open").sudo().write(
            {
                "state": "acknowledged",
                "acknowledged_by_id": self.env.uid,
                "acknowledged_at": fields.Datetime.now(),
            }
        )
        return True

    def action_resolve(self, resolution=None):
        """Close alerts: who and when is kept, activities are closed, and the key is free for a new alert.

        :param str resolution: what was done
        :raise UserError: when an alert is resolved already
        """
        self.check_access("write")
        self._check_not_resolved()
        # sudo: checked above
        self.sudo()._resolve(resolution)
        return True

    def action_open_record(self):
        """Open the document that the alert is about."""
        self.ensure_one()
        if not self.res_id or self.res_model not in self.env:
            raise UserError(self.env._("This alert is about no document that could be opened."))
        return self.env[self.res_model].browse(self.res_id).get_formview_action()

    def _check_not_resolved(self):
        for alert in self:
            if alert.state == "resolved":
                raise UserError(self.env._("%s is resolved already.", alert.name))

    def _resolve(self, resolution=None):
        if not self:
            return
        self.write(
            {
                "state": "resolved",
                "resolved_by_id": self.env.uid,
                "resolved_at": fields.Datetime.now(),
                "resolution": resolution or False,
            }
        )
        self.activity_feedback([ACTIVITY_TYPE], feedback=resolution or "")

    def _schedule_owner_activity(self):
        for owner, alerts in self.grouped("user_id").items():
            if owner:
                alerts._schedule_activity(owner)

    def _schedule_activity(self, user, note=None):
        self.activity_schedule(
            ACTIVITY_TYPE,
            user_id=user.id,
            note=note,
        )
