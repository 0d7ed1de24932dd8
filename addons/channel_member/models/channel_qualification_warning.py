import logging
from collections import Counter

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date

_logger = logging.getLogger(__name__)

SOURCE = "qualification"
#: Days before the expiry at which members are warned, and how severe that is.
DAYS = {"180": "info", "90": "warning", "60": "warning", "30": "critical"}
#: Calendar days before the renewal window closes at which the member is told once more.
LAST_DAYS = 10
#: Narrowest last: which of two steps of the same day is announced.
STEPS = ("180", "90", "60", "30", "renewal", "renewal_last", "renewal_over", "expired")
SEVERITIES = ("info", "warning", "critical")


class ChannelQualificationWarning(models.Model):
    """A step towards the expiry of a document that has been announced, or passed over for a more urgent one.

    The steps are 180, 90, 60 and 30 days before the expiry, the opening of the renewal window, its last days, its
    end, and the expiry itself. Each is announced once for each document and expiry date: as an alert (with the
    activity of its owner) and by mail to the member and the owner. The nightly job looks for steps that are due and
    have no row yet, so it may run twice a day or not at all for a week: of the steps that came due meanwhile the last
    one is announced, the others are marked as passed over.
    """

    _name = "channel.qualification.warning"
    _description = "Warning about the Expiry of a Qualification"
    _order = "create_date desc, id desc"
    _rec_name = "step"

    qualification_id = fields.Many2one("channel.qualification", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="qualification_id.company_id", store=True, index="btree_not_null")
    step = fields.Selection(
        [
            ("180", "180 days"),
            ("90", "90 days"),
            ("60", "60 days"),
            ("30", "30 days"),
            ("renewal", "Renewal opens"),
            ("renewal_last", "Last days of the renewal window"),
            ("renewal_over", "Renewal window over"),
            ("expired", "Expired"),
        ],
        required=True,
    )
    due_date = fields.Date(required=True, help="Day on which the step was reached.")
    expiry_date = fields.Date(required=True, help="Expiry that it was about.")
    result = fields.Selection([("sent", "Announced"), ("skipped", "Passed over")], required=True)
    alert_id = fields.Many2one("channel.alert", index="btree_not_null", ondelete="set null")
    user_id = fields.Many2one("res.users", string="Owner", ondelete="set null")
    member_mailed = fields.Boolean(string="Mail to Member")
    owner_mailed = fields.Boolean(string="Mail to Owner")

    _once = models.UniqueIndex(
        "(qualification_id, step, expiry_date)", "This step has been announced for the document already."
    )

    # === NIGHTLY JOB === #

    @api.model
    def _run(self, company):
        """Announce what is due about the documents of a company, as of today where it is.

        Documents of members without a company of their own are looked after when it is the current company.

        :return: ``{"date": str, "documents": int, "sent": {step: int}, "skipped": int, "mails_to_members": int,
            "mails_to_owners": int, "members_without_address": int, "cleared": int}``: ``documents`` that expire within
            the widest step or have expired, ``cleared`` alerts whose cause is gone
        """
        shared = company == self.env.company
        warnings = self.sudo().with_company(company)  # sudo: members' mails and everybody's alerts
        today = company._channel_today()
        documents = warnings._candidates(company, shared, today)
        cleared = warnings._clear_gone(company, documents, today)
        vals_list = warnings._due_steps(documents, today)
        sent = [vals for vals in vals_list if vals["result"] == "sent"]
        counts = {
            "date": fields.Date.to_string(today),
            "documents": len(documents),
            "sent": dict(Counter(vals["step"] for vals in sent)),
            "skipped": len(vals_list) - len(sent),
            **warnings._announce(sent, today),
            "cleared": cleared,
        }
        warnings.create(vals_list)
        self.env["channel.audit.entry"].with_company(company)._record(
            "qualification.expiry_job", company, after=counts
        )
        _logger.info("Expiring qualifications of company %s: %s", company.id, counts)
        return counts

    def _candidates(self, company, shared, today):
        """Documents of members that expire soon or have expired, and that nothing has taken the place of."""
        Qualification = self.env["channel.qualification"]
        horizon = fields.Date.add(today, days=max(
            max(map(int, DAYS)),
            # Working days are fewer than calendar days: twice as many calendar days hold them, holidays included.
            # pylint: disable-next=no-search-all  # a dozen of types
            2 * max(self.env["channel.qualification.type"].search([]).mapped("renewal_window_days"), default=0),
        ))
        documents = Qualification.search(
            Domain("state", "in", ("verified", "suspended"))
            & Domain("expiry_date", "<=", horizon)
            & Domain("replaced_by_id", "=", False)
            & Domain("partner_id.channel_state", "in", ("active", "suspended"))
            & Domain("company_id", "in", [company.id, *([False] if shared else [])])
        )
        renewed = documents._renewed_ids() | self._superseded_ids(documents, today)
        return documents.filtered(lambda q: q.id not in renewed)

    def _superseded_ids(self, documents, today):
        """Expired documents in whose place another one of the member and type is in force today, gap or not."""
        if not documents.ids:
            return set()
        documents._flush_asked()
        return {row[0] for row in self.env.execute_query(SQL(
            """
            SELECT old.id
              FROM channel_qualification old
             WHERE old.id IN %(ids)s AND old.expiry_date < %(today)s
               AND EXISTS (
                    SELECT FROM channel_qualification q
                     WHERE q.partner_id = old.partner_id AND q.type_id = old.type_id AND %(in_force)s
               )
            """,
            ids=tuple(documents.ids),
            today=today,
            in_force=documents._in_force_sql(SQL("q"), SQL("%s::date", today)),
        ))}

    def _due_steps(self, documents, today):
        """Values of the warnings that are due and have no row yet: the most urgent of a document is sent."""
        known = {
            (warning.qualification_id.id, warning.step, warning.expiry_date)
            for warning in self.search([("qualification_id", "in", documents.ids)])
        }
        vals_list = []
        for document in documents:
            new = [
                (due, STEPS.index(step), step)
                for step, due in self._steps(document)
                if due <= today and (document.id, step, document.expiry_date) not in known
            ]
            for index, (due, _rank, step) in enumerate(sorted(new, reverse=True)):
                vals_list.append({
                    "qualification_id": document.id,
                    "step": step,
                    "due_date": due,
                    "expiry_date": document.expiry_date,
                    "result": "skipped" if index else "sent",
                })
        self._pass_over_older(vals_list, known, documents)
        return vals_list

    def _pass_over_older(self, vals_list, known, documents):
        """Do not announce a step that lies before one announced already, as when a renewal window is made wider."""
        dues = {document.id: dict(self._steps(document)) for document in documents}
        last = {}
        for document_id, step, expiry in known:
            due = dues[document_id].get(step)
            if due and expiry == documents.browse(document_id).expiry_date:
                last[document_id] = max(last.get(document_id, due), due)
        for vals in vals_list:
            if vals["due_date"] < last.get(vals["qualification_id"], vals["due_date"]):
                vals["result"] = "skipped"

    @api.model
    def _steps(self, document):
        """``[(step, day on which it is reached)]`` of a document that expires."""
        expiry = document.expiry_date
        steps = [(days, expiry - relativedelta(days=int(days))) for days in DAYS]
        opens, closes = document.renewal_opens, document.renewal_closes
        if opens:
            steps += [
                ("renewal", opens),
                ("renewal_last", max(opens, closes - relativedelta(days=LAST_DAYS))),
                ("renewal_over", closes + relativedelta(days=1)),
            ]
        return [*steps, ("expired", expiry + relativedelta(days=1))]

    def _announce(self, vals_list, today):
        """Raise the alerts and queue the mails of steps; fills in ``vals_list`` what was done.

        :return: counts of mails
        """
        documents = self.env["channel.qualification"].browse(vals["qualification_id"] for vals in vals_list)
        self._clear_alerts(documents)
        # Owners get a mail of their own about each document: no second one about the activity.
        alerts = self.env["channel.alert"].with_context(mail_activity_quick_update=True)._raise_alerts(SOURCE, [
            self._alert_values(document, vals, today) for document, vals in zip(documents, vals_list, strict=True)
        ])
        members = documents._send_template("channel_member.mail_template_qualification_expiry")
        owned = documents.filtered("responsible_user_id.email")
        if owned:
            self.env.ref("channel_member.mail_template_qualification_expiry_owner").send_mail_batch(owned.ids)
        for document, alert, vals in zip(documents, alerts, vals_list, strict=True):
            vals.update({
                "alert_id": alert.id,
                "user_id": document.responsible_user_id.id,
                "member_mailed": document in members,
                "owner_mailed": document in owned,
            })
        return {
            "mails_to_members": len(members),
            "mails_to_owners": len(owned),
            "members_without_address": len(documents - members),
        }

    def _alert_values(self, document, vals, today):
        names = {
            "document": document.display_name, "member": document.partner_id.name, "days": vals["step"],
            "opens": format_date(self.env, document.renewal_opens), "closes": format_date(
                self.env, document.renewal_closes
            ),
        }
        titles = {
            "renewal": self.env._("The renewal of %(document)s of %(member)s is to be requested now", **names),
            "renewal_last": self.env._(
                "The renewal of %(document)s of %(member)s is to be requested by %(closes)s", **names
            ),
            "renewal_over": self.env._(
                "The time to request the renewal of %(document)s of %(member)s is over", **names
            ),
            "expired": self.env._("%(document)s of %(member)s has expired", **names),
        }
        # The alert is the only open one about the document: never milder than a step that was reached before.
        reached = [step for step, due in self._steps(document) if due <= today]
        return {
            "key": f"{document.id}:{vals['step']}",
            "name": titles.get(vals["step"]) or self.env._(
                "%(document)s of %(member)s expires in %(days)s days or less", **names
            ),
            "severity": max((self._severity(step) for step in reached), key=SEVERITIES.index),
            "record": document,
            "region": document.region_id,
            "company": document.company_id or self.env.company,
            "user": document.responsible_user_id,
            "note": self.env._(
                "Expiry %(expiry)s; renewal to be requested from %(opens)s to %(closes)s.",
                expiry=format_date(self.env, document.expiry_date), **names,
            ) if document.renewal_opens else self.env._(
                "Expiry %s.", format_date(self.env, document.expiry_date)
            ),
        }

    @api.model
    def _severity(self, step):
        return DAYS.get(step, "warning" if step == "renewal" else "critical")

    # === CLEARING === #

    @api.model
    def _clear_alerts(self, documents):
        """Resolve the open alerts about documents; their warnings stay: what was announced is not said again."""
        return self.env["channel.alert"]._clear_alerts(
            SOURCE, [f"{document.id}:{step}" for document in documents for step in STEPS]
        )

    def _clear_gone(self, company, documents, today):
        """Resolve the alerts of a company about steps that are no longer reached: how many there were.

        The document was renewed, left the channel with its member, or its expiry was corrected.
        """
        alerts = self.env["channel.alert"]
        reached = [
            f"{document.id}:{step}" for document in documents for step, due in self._steps(document) if due <= today
        ]
        standing = alerts.search([
            ("source", "=", SOURCE), ("state", "!=", "resolved"), ("company_id", "=", company.id),
            ("key", "not in", reached),
        ])
        return len(alerts._clear_alerts(SOURCE, standing.mapped("key")))
