import base64
import calendar
import re

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from .channel_account_statement_content_mixin import FLOWS


class ChannelAccountStatement(models.Model):
    """A statement of account as it was made: who owes what and why, frozen, sent, confirmed or disputed line by line.

    Its figures are kept with their digest. A newer statement of the same dealer and period takes its place, unless the
    dealer has confirmed it: then it is locked, by a trigger of the database also against who bypasses Odoo, and what is
    posted into its period later is told by the statement that follows.
    """

    _name = "channel.account.statement"
    _description = "Statement of Account"
    _inherit = [
        "channel.frozen.mixin", "channel.account.statement.content.mixin", "channel.account.statement.match.mixin",
        "portal.mixin", "mail.thread", "mail.activity.mixin",
    ]
    _order = "date_to desc, id desc"
    _mail_post_access = "read"

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    member_id = fields.Many2one("res.partner", string="Dealer", required=True, readonly=True, index=True)
    date_from = fields.Date(required=True, readonly=True)
    date_to = fields.Date(required=True, readonly=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("sent", "Sent"),
            ("confirmed", "Confirmed"),
            ("disputed", "Disputed"),
            ("replaced", "Replaced"),
        ],
        required=True, readonly=True, default="draft", copy=False, tracking=True, index=True,
    )
    previous_id = fields.Many2one(
        "channel.account.statement", string="In the Place of", readonly=True, copy=False, ondelete="restrict",
        index="btree_not_null",
    )
    sent_at = fields.Datetime(string="Sent on", readonly=True, copy=False)
    answered_at = fields.Datetime(string="Answered on", readonly=True, copy=False)
    answered_by_id = fields.Many2one("res.users", string="Answered by", readonly=True, copy=False)
    answered_from = fields.Char(string="Answered from", readonly=True, copy=False, help="Network address.")
    answer = fields.Text(readonly=True, copy=False, help="What the dealer says against it.")
    closing_text = fields.Char(string="Closing Balance", compute="_compute_closing_text")
    content_html = fields.Html(string="Figures", compute="_compute_content_html", sanitize=False)
    difference_ids = fields.One2many("channel.account.difference", "statement_id", string="Differences")
    open_difference_count = fields.Integer(string="Open Differences", compute="_compute_open_difference_count")
    match_ids = fields.One2many("channel.account.match", "statement_id", string="Compared with Files")

    _once = models.UniqueIndex(
        "(member_id, company_id, date_from, date_to) WHERE state IN ('draft', 'sent', 'confirmed', 'disputed')",
        "There is a statement of account of this dealer and period already.",
    )

    def init(self):
        """Create the guard that keeps figures and confirmations also from who bypasses Odoo (idempotent)."""
        self.env.cr.execute(SQL(
            """
            CREATE OR REPLACE FUNCTION channel_account_statement_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    IF OLD.state = 'draft' THEN
                        RETURN OLD;
                    END IF;
                ELSIF (OLD.content, OLD.digest, OLD.date_from, OLD.date_to, OLD.company_id, OLD.made_at)
                    IS NOT DISTINCT FROM
                    (NEW.content, NEW.digest, NEW.date_from, NEW.date_to, NEW.company_id, NEW.made_at)
                    AND (OLD.state <> 'confirmed' OR
                        (OLD.name, OLD.state, OLD.sent_at, OLD.answered_at, OLD.answered_by_id, OLD.answered_from)
                        IS NOT DISTINCT FROM
                        (NEW.name, NEW.state, NEW.sent_at, NEW.answered_at, NEW.answered_by_id, NEW.answered_from))
                THEN
                    RETURN NEW;
                END IF;
                RAISE EXCEPTION USING
                    MESSAGE = 'Statement of account ' || OLD.name || ' is locked: ' || TG_OP || ' is refused.',
                    ERRCODE = 'restrict_violation';
            END $guard$;
            CREATE OR REPLACE TRIGGER channel_account_statement_guard
                BEFORE UPDATE OR DELETE ON channel_account_statement
                FOR EACH ROW EXECUTE FUNCTION channel_account_statement_guard();
            """
        ))

    # === COMPUTE METHODS === #

    @api.depends("name", "member_id")
    def _compute_display_name(self):
        for statement in self:
            statement.display_name = " · ".join(filter(None, (statement.name, statement.member_id.name)))

    @api.depends("content")
    def _compute_closing_text(self):
        currencies = self._currencies()
        for statement in self:
            statement.closing_text = ", ".join(
                currencies[row["currency"]].format(row["closing"])
                for row in (statement.content or {}).get("currencies", [])
            )

    @api.depends("content")
    @api.depends_context("lang")
    def _compute_content_html(self):
        for statement in self:
            statement.content_html = statement.content and self.env["ir.qweb"]._render(
                "channel_order.account_statement_content", statement._content_values()
            )

    @api.depends("difference_ids.state")
    def _compute_open_difference_count(self):
        counts = dict(self.env["channel.account.difference"]._read_group(
            [("statement_id", "in", self.ids), ("state", "=", "open")], ["statement_id"], ["__count"]
        ))
        for statement in self:
            statement.open_difference_count = counts.get(statement, 0)

    def _compute_access_url(self):
        super()._compute_access_url()
        for statement in self:
            statement.access_url = f"/my/channel/account/{statement.id}"

    # === CRUD === #

    def write(self, vals):
        locked = {"name", "state", "sent_at", "answered_at", "answered_by_id", "answered_from", "answer"}
        if locked & vals.keys() and any(statement.state == "confirmed" for statement in self):
            raise UserError(self.env._("A confirmed statement is locked."))
        return super().write(vals)

    def _frozen_fields(self):
        return super()._frozen_fields() | {"member_id", "company_id", "date_from", "date_to"}

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        for statement in self:
            if statement.state != "draft":
                raise UserError(self.env._("%s was sent: it stays.", statement.display_name))

    # === PUBLIC METHODS === #

    @api.model
    def make(self, member_ids, period):
        """Freeze the statements of account of dealers for a period, one for each of the user's companies.

        A statement of the same dealer and period that stands is replaced by the new one, unless its figures are the
        same or the dealer has confirmed it: then it is answered itself.

        :param list member_ids: ``res.partner``
        :param period: ``"2026-03"``, or first and last day as ``["2026-03-01", "2026-03-31"]``
        :return: ids of the statements, drafts where they are new; dealers without anything are left out
        :raises AccessError: the user may not make statements, or does not see the dealer
        """
        self.browse().check_access("create")
        date_from, date_to = self._period(period)
        members = self.env["res.partner"].browse(member_ids).commercial_partner_id
        members.check_access("read")
        made = self.browse()
        for member in members:
            for company in self.env.companies:
                content = self._content(member, company, date_from, date_to)
                if content["currencies"] or content["sections"]:
                    made |= self._freeze(member, company, date_from, date_to, content)
        return made.ids

    @api.readonly
    def compare(self):
        """What has changed since the statement was made.

        :return: list of dicts ``{"section", "document", "currency", "before", "after", "difference"}``, the section
            ``balance`` with the figure as document; empty when a new statement would say the same
        """
        self.ensure_one()
        self.check_access("read")
        now = self._content(self.member_id, self.company_id, self.date_from, self.date_to)

        def figures(content):
            return {
                **{
                    ("balance", name, name, row["currency"]): row[name]
                    for row in content["currencies"] for name in ("opening", "late", "closing")
                },
                **{
                    (section["code"], line["key"], line["document"], line["currency"]): line["amount"]
                    for section in content["sections"] for line in section["lines"]
                },
            }

        before, after = figures(self.content), figures(now)
        return [
            {
                "section": key[0], "document": key[2], "currency": key[3], "before": before.get(key, 0.0),
                "after": after.get(key, 0.0), "difference": round(after.get(key, 0.0) - before.get(key, 0.0), 6),
            }
            for key in sorted(before.keys() | after.keys()) if before.get(key, 0.0) != after.get(key, 0.0)
        ]

    @api.readonly
    def replay(self):
        """Prove a statement from its own figures.

        :return: list of sentences about what does not hold; empty when the figures are those that were frozen, the
            lines add up to the figures of each currency, and these to the closing balance
        """
        self.ensure_one()
        self.check_access("read")
        problems = self._frozen_problems()
        currencies = self._currencies()
        lines = {section["code"]: section["lines"] for section in self.content["sections"]}
        for row in self.content["currencies"]:
            currency = currencies[row["currency"]]
            for flow in FLOWS:
                total = sum(line["amount"] for line in lines.get(flow, []) if line["currency"] == row["currency"])
                if currency.compare_amounts(total, row[flow]):
                    problems.append(self.env._(
                        "%(section)s in %(currency)s: the lines do not add up.",
                        section=self._section_titles()[flow], currency=currency.name,
                    ))
            if currency.compare_amounts(
                row["opening"] + row["late"] + sum(row[flow] for flow in FLOWS), row["closing"]
            ):
                problems.append(self.env._("%s: the closing balance does not follow.", currency.name))
        return problems

    # === ACTIONS === #

    def action_send(self):
        """Attach PDF and XLSX, send them with a link, and wait for the dealer's answer.

        A disputed statement is sent again when all its differences are solved and its figures were right.
        """
        self.check_access("write")
        template = self.env.ref("channel_order.mail_template_account_statement")
        for statement in self:
            if statement.state not in ("draft", "sent", "disputed"):
                raise UserError(self.env._("%s is confirmed or replaced: make a new one.", statement.display_name))
            if statement.state == "disputed" and statement.open_difference_count:
                raise UserError(self.env._(
                    "%s: solve its differences first, or make a new one.", statement.display_name
                ))
            statement.message_post_with_source(
                template, subtype_xmlid="mail.mt_comment", partner_ids=statement.member_id.ids,
                attachment_ids=statement._files().ids,
            )
            statement.write({"state": "sent", "sent_at": fields.Datetime.now()})
        self.env["channel.audit.entry"]._record(
            "account_statement.sent", self, after={s.id: {"digest": s.digest} for s in self}
        )
        return True

    def action_compare(self):
        """Show what has changed since, and whether the statement still proves itself."""
        self.ensure_one()
        lines = [*self.replay(), *(
            self.env._(
                "%(document)s: %(before)s then, %(after)s now (%(currency)s)", document=row["document"],
                before=f"{row['before']:,.2f}", after=f"{row['after']:,.2f}", currency=row["currency"],
            )
            for row in self.compare()
        )]
        return {
            "type": "ir.actions.client", "tag": "display_notification",
            "params": {
                "title": self.display_name, "sticky": bool(lines), "type": "warning" if lines else "success",
                "message": "\n".join(lines) or self.env._("The figures hold, and nothing has changed since."),
            },
        }

    def action_compare_file(self):
        """Open the form in which the dealer's own ledger is compared with the statement, and kept."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "name": self.env._("Compare with Dealer's Ledger"), "view_mode": "form",
            "res_model": "channel.account.match", "context": {"default_statement_id": self.id},
        }

    def action_differences(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_order.channel_account_difference_action"),
            "domain": [("statement_id", "=", self.id)], "context": {},
        }

    # === BUSINESS METHODS === #

    @api.model
    def _period(self, period):
        if isinstance(period, str):
            found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", period)
            if not found:
                raise UserError(self.env._("Period %s: write 2026-03, or the first and the last day.", period))
            year, month = map(int, found.groups())
            period = [f"{period}-01", f"{period}-{calendar.monthrange(year, month)[1]}"]
        date_from, date_to = (fields.Date.to_date(day) for day in period)
        if date_from > date_to:
            raise UserError(self.env._("To (%(to)s) lies before From (%(start)s).", to=date_to, start=date_from))
        return date_from, date_to

    def _freeze(self, member, company, date_from, date_to, content):
        content_digest = self._frozen_digest(content)
        standing = self.search([
            ("member_id", "=", member.id), ("company_id", "=", company.id), ("date_from", "=", date_from),
            ("date_to", "=", date_to), ("state", "!=", "replaced"),
        ], limit=1)
        if standing and (standing.digest == content_digest or standing.state == "confirmed"):
            return standing
        if standing:
            standing.write({"state": "replaced"})
            # What was open in it is either gone or said again by the new one
            standing.difference_ids._solve(self.env._("A new statement takes the place of %s.", standing.name))
            standing.flush_recordset()
        statement = self.create({
            "name": self.env["ir.sequence"].with_company(company).next_by_code("channel.account.statement"),
            "company_id": company.id, "member_id": member.id, "date_from": date_from, "date_to": date_to,
            "content": content, "digest": content_digest, "previous_id": standing.id,
        })
        self.env["channel.audit.entry"]._record(
            "account_statement.made", statement, after={statement.id: {"digest": content_digest}}
        )
        return statement

    def _currencies(self):
        """:return: ``{name: currency}`` of what the statements are in, also of those that are not used any more"""
        names = set()
        for statement in self:
            content = statement.content or {"currencies": [], "sections": []}
            names.update(row["currency"] for row in content["currencies"])
            names.update(line["currency"] for section in content["sections"] for line in section["lines"])
        currencies = self.env["res.currency"].with_context(active_test=False).search([("name", "in", list(names))])
        return {currency.name: currency for currency in currencies}

    def _content_values(self):
        """What the templates of form, portal and report are given."""
        self.ensure_one()
        return {
            "statement": self, "content": self.content, "currencies": self._currencies(),
            "titles": self._section_titles(), "day": fields.Date.to_date,
        }

    def _line(self, key):
        """:return: the line of the statement with this key, or None"""
        return next(
            (line for section in self.content["sections"] for line in section["lines"] if line["key"] == key), None
        )

    def _files(self):
        """PDF and XLSX of the frozen figures, as attachments; made once."""
        self.ensure_one()
        Attachment = self.env["ir.attachment"]
        found = Attachment.search([
            ("res_model", "=", self._name), ("res_id", "=", self.id), ("name", "like", f"{self._file_name()}.%"),
        ])
        return found or Attachment.create([
            {
                "name": f"{self._file_name()}.{kind}", "res_model": self._name, "res_id": self.id,
                "mimetype": mimetype, "datas": base64.b64encode(self._file(kind)),
            }
            for kind, mimetype in (
                ("pdf", "application/pdf"),
                ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            )
        ])

    def _file_name(self):
        return f"{self.name.replace('/', '-')} {self.date_from} {self.date_to}"

    def _file(self, kind):
        """:return: bytes of the statement as ``pdf`` or ``xlsx``, from the frozen figures"""
        self.ensure_one()
        if kind == "xlsx":
            lang = self.member_id.lang or self.env.lang
            return self.env["report.channel_order.report_account_statement"]._xlsx(self.with_context(lang=lang))
        # sudo: a dealer may not read reports; the caller has checked that it may read the statement
        content, _type = self.env["ir.actions.report"].sudo()._render_qweb_pdf(
            "channel_order.report_account_statement", self.ids
        )
        return content

    def _confirm(self, address=None):
        """The dealer agrees. Needs superuser rights, as dealers may not write; the caller has checked whose it is."""
        self._answered("confirmed", address)
        self.difference_ids._solve(self.env._("The dealer has confirmed the statement."))

    def _dispute(self, reasons, words=None, address=None):
        """The dealer does not agree; as :meth:`_confirm`. Each line becomes a difference and a task.

        :param dict reasons: ``{key of a line: what is wrong with it}``
        :param str words: what is wrong with the whole
        """
        words = (words or "").strip()
        reasons = {key: text.strip() for key, text in reasons.items() if (text or "").strip() and self._line(key)}
        if not words and not reasons:
            raise UserError(self.env._("Say what is wrong with a line, or with the statement."))
        self._answered("disputed", address, words or "\n".join(
            f"{self._line(key)['document']}: {text}" for key, text in reasons.items()
        ))
        vals_list = [
            {
                "statement_id": self.id, "kind": "dispute", "line_key": key, "document": line["document"],
                "currency_id": self._currencies()[line["currency"]].id, "ours": line["amount"], "reason": text,
            }
            for key, text in reasons.items()
            for line in [self._line(key)]
        ]
        if words:
            vals_list.append({"statement_id": self.id, "kind": "dispute", "reason": words})
        self.env["channel.account.difference"].create(vals_list)

    def _answered(self, state, address, words=None):
        self.ensure_one()
        if self.state != "sent":
            raise UserError(self.env._("%s is not waiting for an answer.", self.name))
        self.write({
            "state": state, "answered_at": fields.Datetime.now(), "answered_by_id": self.env.uid,
            "answered_from": address, "answer": words,
        })
        self.env["channel.audit.entry"]._record(
            f"account_statement.{state}", self, reason=words,
            after={self.id: {"digest": self.digest, "address": address}},
        )
        body = self.env._("Confirmed by %s", self.env.user.name) if state == "confirmed" else words
        self.message_post(body=body, subtype_xmlid="mail.mt_comment")

    def _period_words(self):
        return f"{format_date(self.env, self.date_from)} – {format_date(self.env, self.date_to)}"
