from datetime import date as Date

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import format_amount, format_date, format_datetime, formatLang

#: Positions that may see what a member buys; the others see the passport without amounts.
AMOUNT_GROUPS = (
    "channel_base.group_channel_sales",
    "channel_base.group_channel_finance",
    "channel_base.group_channel_executive",
    "channel_base.group_channel_auditor",
)
#: Lines shown of a table; the heading says how many there are.
SHOWN = 20
MONTHS = 12
BADGES = {
    "active": "success", "applicant": "info", "suspended": "warning", "terminated": "danger",
    "valid": "success", "expiring": "warning", "expired": "danger", "revoked": "danger", "replaced": "secondary",
    "draft": "secondary", "to_verify": "info", "future": "info",
    "ok": "success", "incomplete": "info", "missing": "danger",
    "approved": "success", "in_force": "success", "submitted": "info", "returned": "warning", "rejected": "danger",
    "low": "success", "medium": "warning", "high": "danger",
    "block": "danger", "warn": "warning", "critical": "danger", "warning": "warning", "info": "info",
}


class ChannelMemberPassport(models.AbstractModel):
    """Everything about one member on one page: on the screen and, from the same template, as a PDF.

    An add-on higher up adds its part by extending :meth:`_passport_sections`. Each section reads with the rights of
    the user and is left out when the user may not read what it is made of.
    """

    _name = "channel.member.passport"
    _description = "Member Passport"

    #=== PUBLIC METHODS ===#

    @api.model
    @api.readonly
    def read_passport(self, partner_id):
        """Read the passport of one member as data.

        :param int partner_id: the member
        :return: ``{id, name, code, sections}``; a section is as :meth:`_section` says, dates and amounts written as
            the user reads them
        :raise AccessError: the user has no position in the channel, or may not see this member
        :raise UserError: the partner is no member of the channel
        """
        member = self._member(partner_id)
        return {
            "id": member.id,
            "name": member.name,
            "code": member.channel_code or False,
            "sections": self._sections(member),
        }

    @api.model
    @api.readonly
    def render_passport(self, partner_id):
        """Read the passport of one member as a page.

        :param int partner_id: the member
        :return: ``{id, name, html}``; elements that stand for a record carry ``data-model`` and ``data-id``
        :raise AccessError: as :meth:`read_passport`
        :raise UserError: as :meth:`read_passport`
        """
        member = self._member(partner_id)
        html = self.env["ir.qweb"]._render(
            "channel_member.member_passport_content",
            {
                "doc": member,
                "sections": self._sections(member),
                "printed_on": self._date(fields.Date.context_today(self)),
                "screen": True,
            },
        )
        return {"id": member.id, "name": member.display_name, "html": html}

    def _member(self, partner_id):
        if not self.env.user.has_group("channel_base.group_channel_user"):
            raise AccessError(self.env._("The passport of a member is for users with a position in the channel."))
        partner = self.env["res.partner"].browse(int(partner_id)).exists().commercial_partner_id
        partner.check_access("read")
        if not partner.channel_role:
            raise UserError(self.env._(
                "%s is not a member of the channel: give it a channel role first.", partner.display_name or partner_id
            ))
        return partner

    def _sections(self, member):
        return sorted(self._passport_sections(member), key=lambda section: section["sequence"])

    #=== SECTIONS ===#

    @api.model
    def _passport_sections(self, member):
        """Parts of the passport of one member, in any order: extend it to add one.

        :param member: one ``res.partner`` with a channel role, with the rights of the user
        :return: list of sections, made by :meth:`_section`
        """
        sections = [self._section_identity(member), self._section_state(member)]
        if self.env["channel.member.period"].has_access("read"):
            sections.append(self._section_timeline(member))
        if self._may_see_amounts() and self.env["channel.tier.review.line"].has_access("read"):
            sections.append(self._section_tier(member))
        if self.env["channel.qualification"].has_access("read"):
            sections.append(self._section_qualifications(member))
            if self.env["channel.qualification.scope"].has_access("read"):
                sections.append(self._section_scope(member))
        if self.env["channel.authorization"].has_access("read"):
            sections.append(self._section_authorizations(member))
        if self._may_see_amounts() and self.env["sale.order"].has_access("read"):
            sections.append(self._section_turnover(member))
        if self.env["channel.admission"].has_access("read"):
            sections.append(self._section_admissions(member))
        if self.env["channel.gate.finding"].has_access("read"):
            sections.append(self._section_findings(member))
        if self.env["channel.alert"].has_access("read"):
            sections.append(self._section_alerts(member))
        if member.channel_role == "hospital" and self.env["channel.authorization"].has_access("read"):
            sections.append(self._section_served_by(member))
        sections.append(self._section_people(member))
        if member.channel_member_count:
            sections.append(self._section_members_below(member))
        if self.env["channel.audit.entry"].has_access("read"):
            sections.append(self._section_audit(member))
        return sections

    @api.model
    def _section(
        self, key, title, sequence, facts=(), columns=(), numbers=(), rows=(), total=None, empty=None, icon="fa-file-o",
    ):
        """One part of the passport.

        :param str key: unique among the sections
        :param str title: heading
        :param int sequence: place on the page
        :param facts: ``(label, cell)`` pairs, empty ones are left out
        :param columns: headings of the table
        :param numbers: positions of the columns that hold numbers
        :param rows: lists of cells (see :meth:`_cell`) or texts
        :param int total: how many rows there are when fewer are given
        :param str empty: what to say when there is no row
        :return: dict of ``key, title, icon, sequence, facts, columns, rows, total, empty``
        """
        rows = [[cell if isinstance(cell, dict) else self._cell(cell) for cell in row] for row in rows]
        return {
            "key": key,
            "title": title,
            "icon": icon,
            "sequence": sequence,
            "facts": [
                {"label": label, **(value if isinstance(value, dict) else self._cell(value))}
                for label, value in facts
                if (value["text"] if isinstance(value, dict) else value)
            ],
            "columns": [
                {"label": label, "number": position in numbers} for position, label in enumerate(columns)
            ],
            "rows": rows,
            "total": len(rows) if total is None else total,
            "empty": empty or False,
        }

    @api.model
    def _cell(self, text, record=None, badge=None):
        """A text, maybe a link to a record, maybe a badge of a bootstrap colour."""
        return {
            "text": "" if text is None or text is False else str(text),
            "model": record._name if record else False,
            "id": record.id if record else False,
            "badge": badge or False,
        }

    def _state_cell(self, record, name):
        """The label of a selection, as a badge."""
        value = record[name]
        label = dict(record._fields[name]._description_selection(self.env)).get(value, "")
        return self._cell(label, badge=value and BADGES.get(value, "secondary"))

    def _section_identity(self, member):
        roles = dict(member._fields["channel_role"]._description_selection(self.env))
        kinds = dict(member._fields["channel_hospital_kind"]._description_selection(self.env))
        return self._section("identity", self.env._("Identity"), 10, icon="fa-id-card-o", facts=[
            (self.env._("Member code"), member.channel_code),
            (self.env._("Role"), roles.get(member.channel_role)),
            (self.env._("Tax number"), member.vat),
            (self.env._("Address"), ", ".join(filter(None, (
                line.strip(" ,") for line in (member._display_address(without_company=True) or "").split("\n")
            )))),
            (self.env._("Region"), member.channel_region_id.complete_name),
            (self.env._("Phone"), member.phone),
            (self.env._("Email"), member.email),
            (self.env._("Website"), member.website),
            (self.env._("Hospital grade"), member.channel_hospital_grade_id.display_name),
            (self.env._("Hospital kind"), kinds.get(member.channel_hospital_kind)),
            (self.env._("Beds"), member.channel_hospital_beds),
            (self.env._("Salesperson"), member.user_id.name),
            (self.env._("Parent member"), self._cell(member.channel_parent_id.name, member.channel_parent_id)),
        ])

    def _section_state(self, member):
        return self._section("state", self.env._("State and Tier"), 20, icon="fa-flag-o", facts=[
            (self.env._("State"), self._state_cell(member, "channel_state")),
            (self.env._("Since"), self._date(member.channel_state_date)),
            (self.env._("Reason"), member.channel_state_reason),
            (self.env._("Member since"), self._date(member.channel_active_since)),
            (self.env._("Tier"), member.grade_id.name),
            (self.env._("Documents"), self._state_cell(member, "channel_compliance_status")),
            (self.env._("Next expiry"), self._date(member.channel_next_expiry)),
            (self.env._("Open findings"), self._cell(
                member.channel_finding_count, badge=member.channel_finding_count and "danger"
            )),
        ])

    def _section_timeline(self, member):
        Period = self.env["channel.member.period"]
        domain = [("partner_id", "=", member.id)]
        periods = Period.search(domain, order="valid_from DESC, id DESC", limit=SHOWN)
        return self._section(
            "timeline", self.env._("Timeline"), 25, icon="fa-history",
            columns=[
                self.env._("Period"), self.env._("State"), self.env._("Role"), self.env._("Tier"),
                self.env._("Region"), self.env._("Parent member"), self.env._("Reason"),
            ],
            rows=[
                [
                    self._period(period.valid_from, period.valid_to),
                    self._state_cell(period, "state"),
                    dict(Period._fields["role"]._description_selection(self.env)).get(period.role),
                    period.grade_id.name,
                    period.region_id.display_name,
                    period.parent_id.name,
                    period.reason,
                ]
                for period in periods
            ],
            total=Period.search_count(domain),
            empty=self.env._("Its history begins with its admission."),
        )

    def _section_tier(self, member):
        """Scores of the tier reviews; what they rest on are amounts, so they are for who sees amounts."""
        Line = self.env["channel.tier.review.line"]
        domain = [("partner_id", "=", member.id), ("state", "!=", "cancelled")]
        lines = Line.search(domain, order="id DESC", limit=5)
        return self._section(
            "tier", self.env._("Tier and Score"), 27, icon="fa-trophy",
            columns=[
                self.env._("Review"), self.env._("Points"), self.env._("Tier before"), self.env._("Tier"),
                self.env._("State"),
            ],
            numbers=[1],
            rows=[
                [
                    self._cell(line.review_id.display_name, line.review_id),
                    formatLang(self.env, line.points, digits=2),
                    line.current_grade_id.name,
                    line.grade_id.name,
                    self._state_cell(line, "state"),
                ]
                for line in lines
            ],
            total=Line.search_count(domain),
            empty=self.env._("No tier review has scored it yet."),
        )

    def _section_scope(self, member):
        lines = self.env["channel.qualification.scope"].search([
            ("qualification_id.partner_id", "=", member.id), ("qualification_id.state", "=", "verified"),
        ], order="qualification_id, sequence, id")
        scope_of = lines.grouped("qualification_id")
        return self._section(
            "scope", self.env._("Scope of Business"), 35, icon="fa-list-ul",
            columns=[self.env._("Document"), self.env._("Scope")],
            rows=[
                [
                    self._cell(qualification.display_name, qualification),
                    self._names(scope.mapped("display_name"), shown=60),
                ]
                for qualification, scope in scope_of.items()
                if qualification.status in ("valid", "expiring")
            ],
            empty=self.env._("No document in force lists a scope."),
        )

    def _section_qualifications(self, member):
        qualifications = self.env["channel.qualification"].search(
            [("partner_id", "=", member.id)], order="expiry_date DESC, id DESC"
        )
        # What is in force and what is missing first, the history after it.
        order = {"expired": 0, "suspended": 1, "expiring": 2, "valid": 3, "to_verify": 4, "draft": 5}
        qualifications = qualifications.sorted(lambda q: (order.get(q.status, 9), q.expiry_date or Date.max))
        return self._section(
            "qualifications", self.env._("Documents"), 30, icon="fa-certificate",
            columns=[
                self.env._("Document"), self.env._("Number"), self.env._("In force"), self.env._("Days left"),
                self.env._("Status"),
            ],
            numbers=[3],
            rows=[
                [
                    self._cell(qualification.type_id.name, qualification),
                    qualification.number,
                    self._period(qualification.issue_date, qualification.expiry_date),
                    qualification.days_left if qualification.expiry_date else "",
                    self._state_cell(qualification, "status"),
                ]
                for qualification in qualifications[:SHOWN]
            ],
            total=len(qualifications),
            empty=self.env._("No document has been entered."),
        )

    def _section_authorizations(self, member):
        matrix = self.env["channel.authorization.matrix"]
        authorizations = self.env["channel.authorization"].search([("partner_id", "=", member.id)])
        order = {"valid": 0, "expiring": 0, "future": 1, "draft": 2}
        authorizations = authorizations.sorted(lambda a: (order.get(a.status, 9), -a.id))
        rows = []
        for authorization in authorizations[:SHOWN]:
            values = matrix._authorization_values(authorization)
            rows.append([
                self._cell(authorization.number, authorization),
                values["products"],
                values["territory"],
                self._period(authorization.date_from, authorization.date_to),
                self.env._("Exclusive") if authorization.exclusive else "",
                self._state_cell(authorization, "status"),
            ])
        return self._section(
            "authorizations", self.env._("Authorizations"), 40, icon="fa-map-o",
            columns=[
                self.env._("Number"), self.env._("Products"), self.env._("Territory"), self.env._("Period"),
                self.env._("Exclusive"), self.env._("Status"),
            ],
            rows=rows,
            total=len(authorizations),
            empty=self.env._("Not authorised for anything."),
        )

    def _section_served_by(self, member):
        servers = self.env["channel.authorization.matrix"]._members_serving(member).get(member.id, [])
        Partner = self.env["res.partner"]
        return self._section(
            "served_by", self.env._("Served By"), 45, icon="fa-truck",
            columns=[self.env._("Member"), self.env._("Exclusive")],
            rows=[
                [
                    self._cell(server["name"], Partner.browse(server["id"])),
                    self.env._("Exclusive") if server["exclusive"] else "",
                ]
                for server in servers[:SHOWN]
            ],
            total=len(servers),
            empty=self.env._("Nobody is authorized to serve it today."),
        )

    def _section_turnover(self, member):
        """Orders and invoices of the last 12 months in the current company, net of taxes, in its currency."""
        company = self.env.company
        currency = company.currency_id
        today = fields.Date.context_today(self)
        start = today.replace(day=1) - relativedelta(months=MONTHS - 1)
        months = [start + relativedelta(months=index) for index in range(MONTHS)]
        ordered, counts = dict.fromkeys(months, 0.0), dict.fromkeys(months, 0)
        for month, order_currency, amount, count in self.env["sale.order"]._read_group(
            [
                ("partner_id", "child_of", member.id), ("company_id", "=", company.id), ("state", "=", "sale"),
                ("date_order", ">=", start),
            ],
            ["date_order:month", "currency_id"],
            ["amount_untaxed:sum", "__count"],
        ):
            month = fields.Date.to_date(month)
            if month in ordered:
                ordered[month] += order_currency._convert(amount, currency, company, month)
                counts[month] += count
        invoiced = None
        if self.env["account.move"].has_access("read"):
            invoiced = dict.fromkeys(months, 0.0)
            for month, amount in self.env["account.move"]._read_group(
                [
                    ("commercial_partner_id", "=", member.id), ("company_id", "=", company.id),
                    ("move_type", "in", ("out_invoice", "out_refund")), ("state", "=", "posted"),
                    ("invoice_date", ">=", start),
                ],
                ["invoice_date:month"],
                ["amount_untaxed_signed:sum"],
            ):
                if month in invoiced:
                    invoiced[month] += amount
        facts = [
            (self.env._("Orders"), sum(counts.values())),
            (self.env._("Ordered"), self._amount(sum(ordered.values()), currency)),
        ]
        columns = [self.env._("Month"), self.env._("Orders"), self.env._("Ordered")]
        if invoiced is not None:
            facts.append((self.env._("Invoiced"), self._amount(sum(invoiced.values()), currency)))
            columns.append(self.env._("Invoiced"))
        return self._section(
            "turnover", self.env._("Orders and Invoices, 12 Months"), 60, icon="fa-line-chart",
            facts=facts,
            columns=columns,
            numbers=[1, 2, 3],
            rows=[
                [
                    format_date(self.env, month, date_format="MMM yyyy"),
                    counts[month],
                    self._amount(ordered[month], currency),
                    *([self._amount(invoiced[month], currency)] if invoiced is not None else []),
                ]
                for month in reversed(months)
                if counts[month] or ordered[month] or invoiced and invoiced[month]
            ],
            empty=self.env._("Nothing ordered in the last 12 months."),
        )

    def _section_admissions(self, member):
        Admission = self.env["channel.admission"]
        admissions = Admission.search([("partner_id", "=", member.id)], order="id DESC")
        kinds = dict(Admission._fields["kind"]._description_selection(self.env))
        return self._section(
            "admissions", self.env._("Admissions and Re-audits"), 65, icon="fa-sign-in",
            columns=[
                self.env._("Reference"), self.env._("Kind"), self.env._("Submitted"), self.env._("Risk"),
                self.env._("State"),
            ],
            rows=[
                [
                    self._cell(admission.reference or admission.display_name, admission),
                    kinds.get(admission.kind),
                    self._date(admission.submitted_at),
                    self._state_cell(admission, "risk_level"),
                    self._state_cell(admission, "state"),
                ]
                for admission in admissions[:SHOWN]
            ],
            total=len(admissions),
            empty=self.env._("It was admitted without an application."),
        )

    def _section_findings(self, member):
        Finding = self.env["channel.gate.finding"]
        domain = [("member_id", "=", member.id), ("state", "in", ("open", "refused"))]
        findings = Finding.search(domain, order="evaluated_at DESC, id DESC", limit=SHOWN)
        return self._section(
            "findings", self.env._("Gate: Open and Refused"), 70, icon="fa-ban",
            columns=[
                self.env._("Document"), self.env._("Finding"), self.env._("State"), self.env._("Severity"),
                self.env._("Date"),
            ],
            rows=[
                [
                    self._cell(finding.document_name or self.env._("Not saved"), finding),
                    finding.message,
                    dict(Finding._fields["state"]._description_selection(self.env))[finding.state],
                    self._state_cell(finding, "severity"),
                    self._date(finding.evaluated_at),
                ]
                for finding in findings
            ],
            total=Finding.search_count(domain),
            empty=self.env._("The gate holds nothing against this member."),
        )

    def _section_alerts(self, member):
        Alert = self.env["channel.alert"]
        domain = self._of_member(member) & Domain("state", "!=", "resolved")
        alerts = Alert.search(domain, order="severity_rank DESC, last_seen DESC, id DESC", limit=SHOWN)
        return self._section(
            "alerts", self.env._("Open Alerts"), 75, icon="fa-bell-o",
            columns=[self.env._("Alert"), self.env._("Severity"), self.env._("Owner"), self.env._("Since")],
            rows=[
                [
                    self._cell(alert.name, alert),
                    self._state_cell(alert, "severity"),
                    alert.user_id.name,
                    self._date(alert.first_seen),
                ]
                for alert in alerts
            ],
            total=Alert.search_count(domain),
            empty=self.env._("No open alert."),
        )

    def _section_people(self, member):
        domain = [("id", "child_of", member.id), ("is_company", "=", False)]
        people = self.env["res.partner"].search(domain, order="name, id", limit=SHOWN)
        # sudo: that a contact has an account on the portal is no secret for who may see the contact.
        users = self.env["res.users"].sudo().search([("partner_id", "in", people.ids), ("share", "=", True)])
        portal = users.grouped("partner_id")
        return self._section(
            "people", self.env._("People"), 80, icon="fa-users",
            columns=[
                self.env._("Name"), self.env._("Position"), self.env._("Phone"), self.env._("Email"),
                self.env._("Portal"),
            ],
            rows=[
                [
                    self._cell(person.name or person.display_name, person),
                    person.function,
                    person.phone,
                    person.email,
                    self._cell(self.env._("Portal user"), badge="info") if portal.get(person.sudo()) else "",
                ]
                for person in people
            ],
            total=self.env["res.partner"].search_count(domain),
            empty=self.env._("No contact has been entered."),
        )

    def _section_members_below(self, member):
        below = self.env["res.partner"].search([("channel_parent_id", "=", member.id)], order="complete_name, id")
        return self._section(
            "members_below", self.env._("Members Below"), 85, icon="fa-sitemap",
            columns=[
                self.env._("Member"), self.env._("Code"), self.env._("Region"), self.env._("Documents"),
                self.env._("State"),
            ],
            rows=[
                [
                    self._cell(partner.name, partner),
                    partner.channel_code,
                    partner.channel_region_id.display_name,
                    self._state_cell(partner, "channel_compliance_status"),
                    self._state_cell(partner, "channel_state"),
                ]
                for partner in below[:SHOWN]
            ],
            total=len(below),
        )

    def _section_audit(self, member):
        Entry = self.env["channel.audit.entry"]
        domain = self._of_member(member, model_field="model")
        entries = Entry.search(domain, order="date DESC, id DESC", limit=SHOWN)
        return self._section(
            "audit", self.env._("Audit Journal"), 90, icon="fa-book",
            columns=[
                self.env._("Date"), self.env._("User"), self.env._("Action"), self.env._("Document"),
                self.env._("Reason"),
            ],
            rows=[
                [
                    self._cell(format_datetime(self.env, entry.date, dt_format="short"), entry),
                    entry.user_id.name,
                    entry.action,
                    entry.res_name,
                    entry.reason,
                ]
                for entry in entries
            ],
            total=Entry.search_count(domain),
            empty=self.env._("Nothing has been decided about this member yet."),
        )

    #=== TOOLING ===#

    def _of_member(self, member, model_field="res_model"):
        """Domain of what points to the member or to one of its documents by model and id."""
        domain = Domain(model_field, "=", "res.partner") & Domain("res_id", "=", member.id)
        for name in self._passport_models():
            if self.env[name].has_access("read"):
                documents = self.env[name].search([("partner_id", "=", member.id)])
                domain |= Domain(model_field, "=", name) & Domain("res_id", "in", documents.ids)
        return domain

    @api.model
    def _passport_models(self):
        """Models with a ``partner_id`` whose alerts and journal entries belong to the member."""
        return ["channel.qualification", "channel.authorization"]

    def _may_see_amounts(self):
        return any(self.env.user.has_group(group) for group in AMOUNT_GROUPS)

    def _names(self, names, shown=3):
        return self.env["channel.authorization.matrix"]._names(names, shown=shown)

    def _date(self, date):
        return format_date(self.env, date) if date else ""

    def _period(self, start, end):
        if end:
            return self.env._("%(start)s to %(end)s", start=self._date(start), end=self._date(end))
        return self.env._("from %s on", self._date(start))

    def _amount(self, amount, currency):
        return format_amount(self.env, amount, currency)
