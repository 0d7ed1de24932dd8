from datetime import datetime, time

from dateutil.relativedelta import relativedelta
from pytz import timezone

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

EXPIRING_DAYS = 90
#: Days before the expiry at which an alert is raised, the widest first, and how severe it is.
ALERT_STEPS = ((180, "info"), (90, "warning"), (60, "warning"), (30, "critical"))
ALERT_SOURCE = "qualification"
TERMS = {
    "partner_id", "type_id", "number", "issuer", "issue_date", "expiry_date", "document", "document_name",
    "scope_category_ids", "scope_excludes_ivd",
}
DECISION_FIELDS = {"state", "submitted_by_id", "verified_by_id", "verified_at", "revoked_on"}


class ChannelQualification(models.Model):
    """A document that a member holds: its number, its validity and what it allows.

    ``state`` is what people decided (draft, verified, revoked); ``status`` adds what the calendar does to it
    (expiring, expired). Checks use dates, never ``status``: they ask :meth:`_in_force_sql` about the date of a
    document. A verified document does not change: a renewal is a new record, so that the past stays provable.
    """

    _name = "channel.qualification"
    _description = "Qualification"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "partner_id, type_id, expiry_date desc, id desc"
    _rec_names_search = ["number", "partner_id.name", "type_id.name"]
    _check_company_auto = True

    partner_id = fields.Many2one(
        "res.partner",
        string="Member",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('channel_role', '!=', False)]",
        tracking=True,
    )
    company_id = fields.Many2one(related="partner_id.company_id", store=True, index="btree_not_null")
    region_id = fields.Many2one(related="partner_id.channel_region_id", store=True, index="btree_not_null")
    type_id = fields.Many2one(
        "channel.qualification.type", required=True, index=True, ondelete="restrict", tracking=True
    )
    has_scope = fields.Boolean(related="type_id.has_scope")
    number = fields.Char(required=True, index="trigram", tracking=True)
    issuer = fields.Char(help="Authority or body that issued it, as written on the document.")
    issue_date = fields.Date(required=True, tracking=True, help="First day in force.")
    expiry_date = fields.Date(
        compute="_compute_expiry_date",
        store=True,
        readonly=False,
        copy=False,
        index="btree_not_null",
        tracking=True,
        help="Last day in force; empty when it does not expire.",
    )
    document = fields.Binary(attachment=True, help="Stamped copy, best as one PDF.")
    document_name = fields.Char()
    scope_category_ids = fields.Many2many(
        "channel.device.category",
        "channel_qualification_device_category_rel",
        "qualification_id",
        "category_id",
        string="Scope",
        help="Device categories that the document lists, with everything below them; empty for all.",
    )
    scope_excludes_ivd = fields.Boolean(
        string="Without IVD Reagents", help="The document says that in-vitro diagnostic reagents are not included."
    )
    note = fields.Text()
    state = fields.Selection(
        [("draft", "To verify"), ("verified", "Verified"), ("revoked", "Revoked")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    status = fields.Selection(
        [
            ("draft", "To verify"),
            ("valid", "Valid"),
            ("expiring", "Expiring"),
            ("expired", "Expired"),
            ("revoked", "Revoked"),
        ],
        compute="_compute_status",
        search="_search_status",
        help="As of today.",
    )
    days_left = fields.Integer(compute="_compute_status", help="Days until the expiry; negative after it.")
    renewed = fields.Boolean(
        compute="_compute_renewed", help="Another verified document of the same type takes over without a gap."
    )
    submitted_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, help="Who entered or last changed it: somebody else verifies it."
    )
    verified_by_id = fields.Many2one("res.users", readonly=True, copy=False, tracking=True)
    verified_at = fields.Datetime(readonly=True, copy=False)
    revoked_on = fields.Date(readonly=True, copy=False, help="From this day on it is not in force.")

    _dates_order = models.Constraint(
        "CHECK(expiry_date IS NULL OR expiry_date >= issue_date)", "A document cannot expire before it is issued."
    )
    _member_type_idx = models.Index("(partner_id, type_id, expiry_date)")

    #=== COMPUTE METHODS ===#

    @api.depends("type_id", "number")
    def _compute_display_name(self):
        for qualification in self:
            qualification.display_name = " ".join(
                filter(None, (qualification.type_id.name, qualification.number))
            )

    @api.depends("type_id", "issue_date")
    def _compute_expiry_date(self):
        for qualification in self:
            months = qualification.type_id.validity_months
            if months and qualification.issue_date:
                qualification.expiry_date = qualification.issue_date + relativedelta(months=months, days=-1)
            else:
                qualification.expiry_date = qualification.expiry_date

    @api.depends("state", "expiry_date")
    def _compute_status(self):
        today = fields.Date.context_today(self)
        for qualification in self:
            expiry = qualification.expiry_date
            qualification.days_left = (expiry - today).days if expiry else 0
            if qualification.state != "verified":
                qualification.status = qualification.state
            elif expiry and expiry < today:
                qualification.status = "expired"
            elif expiry and qualification.days_left <= EXPIRING_DAYS:
                qualification.status = "expiring"
            else:
                qualification.status = "valid"

    def _search_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        soon = today + relativedelta(days=EXPIRING_DAYS)
        verified = Domain("state", "=", "verified")
        domains = {
            "draft": Domain("state", "=", "draft"),
            "revoked": Domain("state", "=", "revoked"),
            "expired": verified & Domain("expiry_date", "<", today),
            "expiring": verified & Domain("expiry_date", ">=", today) & Domain("expiry_date", "<=", soon),
            "valid": verified & (Domain("expiry_date", "=", False) | Domain("expiry_date", ">", soon)),
        }
        return Domain.OR(domains[status] for status in value if status in domains)

    @api.depends("state", "partner_id", "type_id", "expiry_date")
    def _compute_renewed(self):
        renewed = self._renewed_ids()
        for qualification in self:
            qualification.renewed = qualification.id in renewed

    #=== CONSTRAINT METHODS ===#

    @api.constrains("partner_id")
    def _check_partner_id(self):
        for qualification in self:
            if not qualification.partner_id.channel_role:
                raise ValidationError(self.env._(
                    "%s is not a member of the channel: give it a channel role first.",
                    qualification.partner_id.display_name,
                ))

    @api.constrains("state", "number", "type_id")
    def _check_number(self):
        for qualification in self.filtered(lambda q: q.state == "verified"):
            result = qualification.type_id._validate(qualification.number)
            if not result["valid"]:
                raise ValidationError(self.env._(
                    "Number %(number)s is not valid for %(type)s: %(reason)s Correct it before it is verified.",
                    number=qualification.number,
                    type=qualification.type_id.name,
                    reason=qualification.type_id._validation_message(result),
                ))

    @api.constrains("type_id", "scope_category_ids")
    def _check_scope(self):
        for qualification in self.filtered("scope_category_ids"):
            if not qualification.type_id.has_scope:
                raise ValidationError(self.env._(
                    "%s has no scope of business: leave the scope empty.", qualification.type_id.name
                ))
            schemes = qualification.type_id._scope_schemes()
            others = set(qualification.scope_category_ids.mapped("scheme")) - schemes
            if schemes and others:
                raise ValidationError(self.env._(
                    "The scope of %(type)s is written in catalogue %(schemes)s, not in %(others)s.",
                    type=qualification.type_id.name,
                    schemes=", ".join(sorted(schemes)),
                    others=", ".join(sorted(others)),
                ))

    #=== CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if not self.env.su and DECISION_FIELDS & vals.keys() and vals.get("state", "draft") != "draft":
                raise AccessError(self.env._("A document is entered as a draft and verified by somebody else."))
        vals_list = [{**vals, "submitted_by_id": self.env.uid} for vals in vals_list]
        if not self.env.su:
            # A client must not decide by the default values of its context either.
            vals_list = [{**vals, "state": "draft"} for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and DECISION_FIELDS & vals.keys():
            raise AccessError(self.env._("Use Verify, Revoke or Back to Draft: the state of a document is not edited."))
        if TERMS & vals.keys():
            decided = self.filtered(lambda q: q.state != "draft")
            if decided:
                raise UserError(self.env._(
                    "%s is verified or revoked and does not change. Enter a renewal as a new document, or set it back "
                    "to draft to correct it.", decided[0].display_name,
                ))
            vals = {**vals, "submitted_by_id": self.env.uid}
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_decided(self):
        for qualification in self:
            if qualification.state != "draft":
                raise UserError(self.env._(
                    "%s has been verified and is kept as evidence: revoke it instead.", qualification.display_name
                ))

    #=== ACTION METHODS ===#

    def action_verify(self):
        """Confirm that the documents were seen and are genuine. Compliance, and not who entered them.

        :raise AccessError: the user is not of Compliance
        :raise UserError: a document is not a draft, or the user entered or last changed it
        :raise ValidationError: a number is not valid; the message says why
        """
        self._check_may_decide()
        for qualification in self:
            if qualification.state != "draft":
                raise UserError(self.env._("%s is not waiting for verification.", qualification.display_name))
            if qualification.submitted_by_id == self.env.user and self.env.uid != SUPERUSER_ID:
                raise UserError(self.env._(
                    "%(user)s entered or last changed %(document)s: somebody else verifies it.",
                    user=self.env.user.name,
                    document=qualification.display_name,
                ))
        # sudo: the decision has been checked above; only the decision is written.
        self.sudo().write({"state": "verified", "verified_by_id": self.env.uid, "verified_at": fields.Datetime.now()})
        self.env["channel.audit.entry"]._record(
            "qualification.verified", self, before={"state": "draft"}, after=self._audit_values()
        )
        self._clear_renewed_alerts()
        return True

    def action_revoke(self, reason=None, date=None):
        """Take documents out of force. Compliance.

        :param str reason: why; without it the wizard that asks for it is returned
        :param date: first day that it is not in force any more; today when not given
        """
        if not reason:
            return self.env["channel.member.decision"]._open(self, "revoke_qualification")
        self._check_may_decide()
        for qualification in self:
            if qualification.state != "verified":
                raise UserError(self.env._("%s is not verified.", qualification.display_name))
        date = fields.Date.to_date(date) or fields.Date.context_today(self)
        # sudo: as in action_verify
        self.sudo().write({"state": "revoked", "revoked_on": date})
        self.env["channel.audit.entry"]._record(
            "qualification.revoked", self, reason=reason, before={"state": "verified"},
            after={"state": "revoked", "revoked_on": date},
        )
        return True

    def action_draft(self, reason=None):
        """Set documents back to draft to correct what was entered; they are not in force until verified again.

        :param str reason: why; without it the wizard that asks for it is returned
        """
        if not reason:
            return self.env["channel.member.decision"]._open(self, "reset_qualification")
        self._check_may_decide()
        before = self._audit_values()
        # sudo: as in action_verify
        self.sudo().write({"state": "draft", "verified_by_id": False, "verified_at": False, "revoked_on": False})
        self.env["channel.audit.entry"]._record(
            "qualification.reset", self, reason=reason, before=before, after={"state": "draft"}
        )
        return True

    def action_renew(self):
        """Open a draft that follows this document: same member, type, number and scope, from the day after."""
        self.ensure_one()
        start = self.expiry_date and fields.Date.add(self.expiry_date, days=1)
        renewal = self.copy({"issue_date": start or fields.Date.context_today(self)})
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": renewal.id,
            "view_mode": "form",
        }

    #=== BUSINESS METHODS ===#

    def _check_may_decide(self):
        if not self.env.user.has_group("channel_base.group_channel_compliance"):
            raise AccessError(self.env._("Qualifications are verified and revoked by Channel Compliance."))
        self.check_access("read")

    def _audit_values(self):
        return {
            qualification.id: {
                "state": qualification.state,
                "type": qualification.type_id.code,
                "member": qualification.partner_id.channel_code or qualification.partner_id.name,
                "number": qualification.number,
                "issue_date": qualification.issue_date,
                "expiry_date": qualification.expiry_date or None,
                "scope": sorted(qualification.scope_category_ids.mapped("code")),
            }
            for qualification in self
        }

    @api.model
    def _in_force_sql(self, qualification, date):
        """SQL condition: a qualification is in force on a date; the day of expiry is the last day in force.

        A revoked document was in force until the day before ``revoked_on``: documents of that time are judged as
        they were.

        :param SQL qualification: alias of ``channel_qualification``
        :param SQL date: expression of type date
        """
        return SQL(
            """(
                %(q)s.issue_date <= %(date)s
                AND (%(q)s.expiry_date IS NULL OR %(q)s.expiry_date >= %(date)s)
                AND (%(q)s.state = 'verified' OR %(q)s.state = 'revoked' AND %(q)s.revoked_on > %(date)s)
            )""",
            q=qualification,
            date=date,
        )

    def _in_force(self, date):
        """The qualifications among ``self`` that are in force on ``date``."""
        if not self.ids:
            return self.browse()
        self.flush_model()
        rows = self.env.execute_query(SQL(
            "SELECT q.id FROM channel_qualification q WHERE q.id IN %s AND %s",
            tuple(self.ids), self._in_force_sql(SQL("q"), SQL("%s::date", date)),
        ))
        in_force = {row[0] for row in rows}
        return self.filtered(lambda q: q.id in in_force)

    def _renewed_ids(self):
        """Ids among ``self`` that another verified document of the same member and type follows without a gap."""
        if not self.ids:
            return set()
        self.flush_model()
        rows = self.env.execute_query(SQL(
            """
            SELECT q.id
              FROM channel_qualification q
             WHERE q.id IN %s
               AND q.expiry_date IS NOT NULL
               AND EXISTS (
                    SELECT FROM channel_qualification next
                     WHERE next.partner_id = q.partner_id AND next.type_id = q.type_id AND next.id != q.id
                       AND next.state = 'verified'
                       AND next.issue_date <= q.expiry_date + 1
                       AND (next.expiry_date IS NULL OR next.expiry_date > q.expiry_date)
               )
            """,
            tuple(self.ids),
        ))
        return {row[0] for row in rows}

    @api.model
    def _gaps(self, asks):
        """Mandatory documents that are not in force, in one query for any number of questions.

        :param asks: iterable of ``(member_id, date, device_class)``; a device class is ``I``, ``II`` or ``III``
        :return: ``{(member_id, date, device_class): [(type, last)]}``, questions without a gap left out; ``type`` is
            the ``channel.qualification.type``, ``last`` the member's newest document of it that was ever verified
            (maybe empty). Both with superuser rights.
        """
        asks = list(dict.fromkeys(asks))
        if not asks:
            return {}
        self._flush_asked()
        rows = self.env.execute_query(SQL(
            """
            WITH ask AS (%(asks)s)
            SELECT ask.key, type.id, last.id
              FROM ask
              JOIN res_partner member ON member.id = ask.member_id
              JOIN channel_qualification_type type
                ON type.mandatory AND %(applies)s
         LEFT JOIN LATERAL (
                    SELECT q.id
                      FROM channel_qualification q
                     WHERE q.partner_id = member.id AND q.type_id = type.id AND q.state != 'draft'
                  ORDER BY q.expiry_date DESC NULLS FIRST, q.id DESC
                     LIMIT 1
              ) last ON TRUE
             WHERE NOT EXISTS (
                    SELECT FROM channel_qualification q
                     WHERE q.partner_id = member.id AND q.type_id = type.id AND %(in_force)s
              )
          ORDER BY ask.key, type.sequence, type.code
            """,
            asks=self._asks_sql(asks),
            applies=self.env["channel.qualification.type"]._applies_sql(
                SQL("type"), SQL("member"), SQL("ask.device_class")
            ),
            in_force=self._in_force_sql(SQL("q"), SQL("ask.date")),
        ))
        # sudo: the gate judges by every document, whoever presses the button.
        types = self.env["channel.qualification.type"].sudo().browse(dict.fromkeys(row[1] for row in rows))
        lasts = self.sudo().browse(dict.fromkeys(row[2] for row in rows if row[2]))
        gaps = {}
        for key, type_id, last_id in rows:
            gaps.setdefault(asks[key], []).append((
                types.browse(type_id).with_prefetch(types._ids),
                lasts.browse(last_id and [last_id]).with_prefetch(lasts._ids),
            ))
        return gaps

    @api.model
    def _scope_gaps(self, asks):
        """Products that the scope of business of no document in force covers, in one query for any number of questions.

        Only types whose documents list a scope, and only where at least one document of the type is in force: that
        there is none at all is a matter of :meth:`_gaps`.

        :param asks: iterable of ``(member_id, date, device_class, product_id)``
        :return: ``{ask: [(type, qualifications)]}``: the documents in force whose scope was read, superuser rights
        """
        asks = list(dict.fromkeys(asks))
        if not asks:
            return {}
        self._flush_asked()
        rows = self.env.execute_query(SQL(
            """
            WITH ask AS (%(asks)s)
            SELECT ask.key, type.id, array_agg(q.id ORDER BY q.id)
              FROM ask
              JOIN res_partner member ON member.id = ask.member_id
              JOIN product_product product ON product.id = ask.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
              JOIN channel_qualification_type type
                ON type.mandatory AND type.has_scope AND type.severity = 'block' AND %(applies)s
              JOIN channel_qualification q
                ON q.partner_id = member.id AND q.type_id = type.id AND %(in_force)s
          GROUP BY ask.key, type.id, type.sequence, type.code
            HAVING NOT bool_or(
                NOT (COALESCE(q.scope_excludes_ivd, FALSE) AND COALESCE(template.channel_is_ivd, FALSE))
                AND (
                    NOT EXISTS (
                        SELECT FROM channel_qualification_device_category_rel rel WHERE rel.qualification_id = q.id
                    )
                    OR EXISTS (
                        SELECT FROM channel_qualification_device_category_rel rel
                          JOIN channel_device_category allowed ON allowed.id = rel.category_id
                          JOIN channel_device_category_product_template_rel own_rel
                            ON own_rel.product_tmpl_id = template.id
                          JOIN channel_device_category own ON own.id = own_rel.category_id
                         WHERE rel.qualification_id = q.id
                           AND own.parent_path LIKE allowed.parent_path || '%%'
                    )
                )
            )
          ORDER BY ask.key, type.sequence, type.code
            """,
            asks=self._asks_sql(asks),
            applies=self.env["channel.qualification.type"]._applies_sql(
                SQL("type"), SQL("member"), SQL("ask.device_class")
            ),
            in_force=self._in_force_sql(SQL("q"), SQL("ask.date")),
        ))
        # sudo: as in _gaps
        types = self.env["channel.qualification.type"].sudo().browse(dict.fromkeys(row[1] for row in rows))
        qualifications = self.sudo().browse(dict.fromkeys(q_id for row in rows for q_id in row[2]))
        gaps = {}
        for key, type_id, qualification_ids in rows:
            gaps.setdefault(asks[key], []).append((
                types.browse(type_id).with_prefetch(types._ids),
                qualifications.browse(qualification_ids).with_prefetch(qualifications._ids),
            ))
        return gaps

    #=== ALERTS ===#

    @api.model
    def _cron_alert_expiry(self):
        """Raise alerts about verified documents of members that expire, and clear those whose cause is gone.

        One alert for each step of :data:`ALERT_STEPS` that a document has reached, the narrowest only, and one more
        while its renewal may be requested. Running it again on the same day changes nothing but the count of
        sightings.
        """
        today = fields.Date.context_today(self)
        horizon = fields.Date.add(today, days=max(
            ALERT_STEPS[0][0],
            # Working days are fewer than calendar days: twice as many calendar days hold them, holidays included.
            # pylint: disable-next=no-search-all  # a dozen of types
            2 * max(self.env["channel.qualification.type"].search([]).mapped("renewal_window_days"), default=0),
        ))
        expiring = self.search([
            ("state", "=", "verified"),
            ("expiry_date", "<=", horizon),
            ("partner_id.channel_state", "in", ("active", "suspended")),
        ])
        renewed = expiring._renewed_ids()
        values_list = []
        for qualification in expiring.filtered(lambda q: q.id not in renewed):
            values_list += qualification._expiry_alerts(today)
        alerts = self.env["channel.alert"]
        current = {values["key"] for values in values_list}
        # sudo: the job tidies the alerts of its own source, whoever owns them.
        standing = alerts.sudo().search([("source", "=", ALERT_SOURCE), ("state", "!=", "resolved")]).mapped("key")
        alerts._clear_alerts(ALERT_SOURCE, [key for key in standing if key not in current])
        alerts._raise_alerts(ALERT_SOURCE, values_list)

    def _expiry_alerts(self, today):
        """Values for :meth:`channel.alert._raise_alerts` about one document, as of ``today``."""
        self.ensure_one()
        common = {"record": self, "region": self.region_id, "company": self.company_id or self.env.company}
        names = {"document": self.display_name, "member": self.partner_id.name}
        days_left = (self.expiry_date - today).days
        values_list = []
        if days_left < 0:
            values_list.append({
                **common,
                "key": f"{self.id}:expired",
                "severity": "critical",
                "name": self.env._("%(document)s of %(member)s has expired", **names),
            })
        elif reached := [(days, severity) for days, severity in ALERT_STEPS if days_left <= days]:
            days, severity = reached[-1]
            values_list.append({
                **common,
                "key": f"{self.id}:{days}",
                "severity": severity,
                "name": self.env._(
                    "%(document)s of %(member)s expires in %(days)s days or less", **names, days=days
                ),
            })
        opens, closes = self._renewal_window()
        if opens and opens <= today <= self.expiry_date:
            in_time = today <= closes
            values_list.append({
                **common,
                "key": f"{self.id}:renewal",
                "severity": "warning" if in_time else "critical",
                "name": self.env._("The renewal of %(document)s of %(member)s is to be requested now", **names)
                if in_time
                else self.env._("The time to request the renewal of %(document)s of %(member)s is over", **names),
                "note": self.env._(
                    "Expiry %(expiry)s; renewal to be requested from %(opens)s to %(closes)s.",
                    expiry=format_date(self.env, self.expiry_date),
                    opens=format_date(self.env, opens),
                    closes=format_date(self.env, closes),
                ),
            })
        return values_list

    def _renewal_window(self):
        """First and last day on which the renewal may be requested, ``(False, False)`` when the type sets none.

        Working days are those of the company's working hours without its public holidays.
        """
        self.ensure_one()
        window = self.type_id.renewal_window_days
        if not window or not self.expiry_date:
            return False, False
        return self._days_before_expiry(window), self._days_before_expiry(self.type_id.renewal_deadline_days)

    def _days_before_expiry(self, days):
        if self.type_id.renewal_day_kind == "working" and days:
            calendar = (self.company_id or self.env.company).resource_calendar_id
            start = timezone(calendar.tz or "UTC").localize(datetime.combine(self.expiry_date, time.min))
            moment = calendar and calendar.plan_days(-days, start, compute_leaves=True)
            if moment:
                return moment.date()
        return self.expiry_date - relativedelta(days=days)

    def _clear_renewed_alerts(self):
        """Resolve the alerts about documents that these ones renew, without waiting for the night."""
        older = self.search([
            ("partner_id", "in", self.partner_id.ids),
            ("type_id", "in", self.type_id.ids),
            ("state", "=", "verified"),
        ])
        steps = ["expired", "renewal", *(str(days) for days, _severity in ALERT_STEPS)]
        self.env["channel.alert"]._clear_alerts(
            ALERT_SOURCE, [f"{renewed_id}:{step}" for renewed_id in older._renewed_ids() for step in steps]
        )

    #=== TOOLING ===#

    @api.model
    def _standing(self, members, date):
        """Members whose documents are not in order on ``date``, in one query.

        Judged are the mandatory types that apply to the member: those that every device asks for, and those that
        depend on the class of the device as far as the member has entered one. A member to which only such types
        apply and that has entered none of them misses them too.

        :return: ``{member_id: "missing" or "expiring"}``; ``expiring`` within 90 days and not yet renewed
        """
        if not members.ids:
            return {}
        self._flush_asked()
        return dict(self.env.execute_query(SQL(
            """
            SELECT member.id, CASE WHEN bool_or(until.last IS NULL) THEN 'missing' ELSE 'expiring' END
              FROM res_partner member
              JOIN channel_qualification_type type
                ON type.mandatory AND %(applies)s
        CROSS JOIN LATERAL (
                    SELECT max(COALESCE(q.expiry_date, 'infinity')) FILTER (WHERE %(in_force)s) AS last,
                           count(*) AS entered
                      FROM channel_qualification q
                     WHERE q.partner_id = member.id AND q.type_id = type.id
              ) until
             WHERE member.id IN %(members)s
               AND (
                    until.entered > 0
                    OR NOT (type.device_class_i OR type.device_class_ii OR type.device_class_iii)
                    OR NOT EXISTS (
                        SELECT FROM channel_qualification q
                          JOIN channel_qualification_type other ON other.id = q.type_id
                         WHERE q.partner_id = member.id AND other.mandatory
                    )
               )
               AND (until.last IS NULL OR until.last <= %(date)s::date + %(soon)s::int)
          GROUP BY member.id
            """,
            applies=self.env["channel.qualification.type"]._applies_sql(SQL("type"), SQL("member"), None),
            in_force=self._in_force_sql(SQL("q"), SQL("%s::date", date)),
            members=tuple(members.ids),
            date=date,
            soon=EXPIRING_DAYS,
        )))

    @api.model
    def _asks_sql(self, asks):
        """SQL relation ``(key, member_id, date, device_class, product_id)`` of tuples, ``key`` their index."""
        return SQL(
            """
            SELECT * FROM unnest(%s::int[], %s::int[], %s::date[], %s::varchar[], %s::int[])
                AS ask(key, member_id, date, device_class, product_id)
            """,
            list(range(len(asks))),
            [ask[0] for ask in asks],
            [ask[1] for ask in asks],
            [ask[2] for ask in asks],
            [ask[3] if len(ask) > 3 else None for ask in asks],
        )

    @api.model
    def _flush_asked(self):
        """Write pending changes of all that the questions read."""
        self.flush_model()
        self.env["channel.qualification.type"].flush_model()
        self.env["channel.device.category"].flush_model(["parent_path"])
        self.env["res.partner"].flush_model(["channel_role", "country_id"])
        self.env["product.product"].flush_model(["product_tmpl_id"])
        self.env["product.template"].flush_model(["channel_is_ivd", "channel_category_ids"])
