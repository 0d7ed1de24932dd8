import base64

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class ChannelRebateStatement(models.Model):
    """A statement as it was made: the figures of one payee and period, frozen, sent, confirmed or disputed.

    The figures are those of ``channel.rebate.program.statement`` at the moment in which it was made. They are kept as
    they are with their digest, so that whatever happens later the same document can be shown again; what has changed
    since is told by :meth:`compare`. A newer statement of the same payee and period takes its place, and it stays.
    """

    _name = "channel.rebate.statement"
    _description = "Rebate Statement Sent"
    _inherit = [
        "channel.frozen.mixin", "channel.rebate.statement.match.mixin", "channel.rebate.statement.replay.mixin",
        "portal.mixin", "mail.thread", "mail.activity.mixin",
    ]
    _order = "date_to desc, id desc"
    _mail_post_access = "read"

    name = fields.Char(
        string="Number", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    member_id = fields.Many2one("res.partner", string="Payee", required=True, readonly=True, index=True)
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
        "channel.rebate.statement", string="In the Place of", readonly=True, copy=False, ondelete="restrict"
    )
    sent_at = fields.Datetime(string="Sent on", readonly=True, copy=False)
    answered_at = fields.Datetime(string="Answered on", readonly=True, copy=False)
    answered_by_id = fields.Many2one("res.users", string="Answered by", readonly=True, copy=False)
    answered_from = fields.Char(string="Answered from", readonly=True, copy=False, help="Network address.")
    answer = fields.Text(readonly=True, copy=False, help="What the payee says against it.")
    open_text = fields.Char(string="Open", compute="_compute_open_text")
    dispute_ids = fields.One2many("channel.dispute", "statement_id", string="Appeals")
    match_ids = fields.One2many("channel.rebate.statement.match", "statement_id", string="Compared with Files")

    _once = models.UniqueIndex(
        "(member_id, company_id, date_from, date_to) WHERE state IN ('draft', 'sent', 'confirmed', 'disputed')",
        "There is a statement of this payee and period already.",
    )

    # === COMPUTE METHODS === #

    @api.depends("name", "member_id")
    def _compute_display_name(self):
        for statement in self:
            statement.display_name = " · ".join(filter(None, (statement.name, statement.member_id.name)))

    @api.depends("content")
    def _compute_open_text(self):
        currencies = {currency.name: currency for currency in self.env["res.currency"].search([])}
        for statement in self:
            sums = {}
            for program in (statement.content or {}).get("programs", []):
                sums[program["currency"]] = sums.get(program["currency"], 0.0) + program["open"]
            statement.open_text = ", ".join(
                currencies[name].format(amount) if name in currencies else f"{amount:,.2f} {name}"
                for name, amount in sums.items()
            )

    def _compute_access_url(self):
        super()._compute_access_url()
        for statement in self:
            statement.access_url = f"/my/channel/statements/{statement.id}"

    # === CRUD === #

    def write(self, vals):
        kept = {"sources", "sources_digest"} & vals.keys()
        # sudo: whether they are there already, whoever writes
        if kept and any(self.sudo().mapped("sources_digest")):
            raise UserError(self.env._("The figures of a statement are frozen: make a new one."))
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
        """Freeze the statements of members for a period; those of a programme's companies apart.

        A statement of the same payee and period that stands is replaced by the new one, unless its figures are the
        same: then it is answered itself.

        :param list member_ids: ``res.partner``
        :param period: as ``channel.rebate.program.statement``
        :return: ids of the statements, drafts where they are new; payees without anything are left out
        :raises AccessError: as ``channel.rebate.program.statement``
        """
        self.browse().check_access("create")
        Program = self.env["channel.rebate.program"]
        made = self.browse()
        for member in self.env["res.partner"].browse(member_ids).commercial_partner_id:
            for company in self.env.companies:
                programs = Program.search([("company_id", "=", company.id)])
                content = programs.statement(member.id, period) if programs else {"programs": []}
                if content["programs"]:
                    made |= self._freeze(member, company, content)
        return made.ids

    def compare(self):
        """What has changed since the statement was made.

        :return: list of dicts ``{"program", "window", "what" ("entitlement", "correction", "settled" or "open"),
            "before", "after", "difference"}``; empty when a new statement would say the same
        """
        self.ensure_one()
        self.check_access("read")
        programs = self.env["channel.rebate.program"].search([("company_id", "=", self.company_id.id)])
        now = programs.statement(self.member_id.id, [self.date_from, self.date_to])

        def figures(content):
            return {
                (program["code"], balance["window"], what): balance.get(what, 0.0)
                for program in content["programs"] for balance in program["balances"]
                for what in ("entitlement", "correction", "settled", "open")
            }

        before, after = figures(self.content), figures(now)
        return [
            {
                "program": code, "window": window, "what": what, "before": before.get(key, 0.0),
                "after": after.get(key, 0.0), "difference": round(after.get(key, 0.0) - before.get(key, 0.0), 6),
            }
            for key in sorted(before.keys() | after.keys())
            for code, window, what in [key]
            if before.get(key, 0.0) != after.get(key, 0.0)
        ]

    # === ACTIONS === #

    def action_send(self):
        """Attach PDF and XLSX, send them with a link, and wait for the payee's answer."""
        self.check_access("write")
        template = self.env.ref("channel_rebate.mail_template_statement")
        for statement in self:
            if statement.state not in ("draft", "sent"):
                raise UserError(self.env._(
                    "%s is answered or replaced: make a new one.", statement.display_name
                ))
            files = statement._files()
            statement.message_post_with_source(
                template, subtype_xmlid="mail.mt_comment", partner_ids=statement.member_id.ids,
                attachment_ids=files.ids,
            )
            statement.write({"state": "sent", "sent_at": fields.Datetime.now()})
        self.env["channel.audit.entry"]._record(
            "rebate_statement.sent", self, after={s.id: {"digest": s.digest} for s in self}
        )
        return True

    def action_compare(self):
        """Show what has changed since, and whether the statement still proves itself."""
        self.ensure_one()
        lines = [*self.replay(), *(
            self.env._(
                "%(program)s %(window)s, %(what)s: %(before)s then, %(after)s now",
                program=row["program"], window=row["window"], what=row["what"], before=f"{row['before']:,.2f}",
                after=f"{row['after']:,.2f}",
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
        """Open the form in which the payee's file is compared with the statement, and kept."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "name": self.env._("Compare with Payee's File"), "view_mode": "form",
            "res_model": "channel.rebate.statement.match", "context": {"default_statement_id": self.id},
        }

    # === BUSINESS METHODS === #

    def _freeze(self, member, company, content):
        content_digest = self._frozen_digest(content)
        domain = [("member_id", "=", member.id), ("company_id", "=", company.id),
                  ("date_from", "=", content["date_from"]), ("date_to", "=", content["date_to"])]
        standing = self.search([*domain, ("state", "!=", "replaced")], limit=1)
        if standing.digest == content_digest:
            return standing
        if standing:
            standing.write({"state": "replaced"})
            standing.flush_recordset()
        statement = self.create({
            "name": self.env["ir.sequence"].with_company(company).next_by_code("channel.rebate.statement"),
            "company_id": company.id, "member_id": member.id, "date_from": content["date_from"],
            "date_to": content["date_to"], "content": content, "digest": content_digest, "previous_id": standing.id,
        })
        # sudo: who makes statements may not write what they are proved by
        statement.sudo()._keep_sources()
        self.env["channel.audit.entry"]._record(
            "rebate_statement.made", statement,
            after={statement.id: {"digest": content_digest, "sources": statement.sudo().sources_digest}},
        )
        return statement

    def _files(self):
        """PDF and XLSX of the frozen figures, as attachments; made once."""
        self.ensure_one()
        Attachment = self.env["ir.attachment"]
        found = Attachment.search([
            ("res_model", "=", self._name), ("res_id", "=", self.id), ("name", "like", f"{self._file_name()}.%"),
        ])
        if found:
            return found
        return Attachment.create([
            {
                "name": f"{self._file_name()}.{kind}", "res_model": self._name, "res_id": self.id, "mimetype": mimetype,
                "datas": base64.b64encode(self._file(kind)),
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
            return self.env["report.channel_rebate.report_statement"]._statement_xlsx(self.content)
        # sudo: a payee may not read reports; the template is given the frozen figures and nothing else
        content, _type = self.env["ir.actions.report"].sudo()._render_qweb_pdf(
            "channel_rebate.report_statement", self.member_id.ids,
            data={"member_id": self.member_id.id, "statement": self.content},
        )
        return content

    def _confirm(self, address=None):
        """The payee agrees. Needs superuser rights, as payees may not write; the caller has checked whose it is."""
        self._answered("confirmed", address)

    def _dispute(self, words, address=None, claims=None):
        """The payee does not agree; as :meth:`_confirm`.

        :param dict claims: ``{balance id: amount}`` of windows of the statement: by how much their rebates should
            differ. Each becomes an appeal.
        """
        if not (words or "").strip():
            raise UserError(self.env._("Say what is wrong with the statement."))
        self._answered("disputed", address, words.strip())
        windows = {b["balance_id"] for program in self.content["programs"] for b in program["balances"]}
        self.env["channel.dispute"].create([
            {
                "statement_id": self.id, "balance_id": balance, "claimed_amount": amount, "reason": "other",
                "description": words.strip(), "source": "portal" if self.env.user._is_portal() else "manual",
            }
            for balance, amount in (claims or {}).items() if balance in windows and amount
        ])

    def _answered(self, state, address, words=None):
        self.ensure_one()
        if self.state != "sent":
            raise UserError(self.env._("%s is not waiting for an answer.", self.name))
        self.write({
            "state": state, "answered_at": fields.Datetime.now(), "answered_by_id": self.env.uid,
            "answered_from": address, "answer": words,
        })
        self.env["channel.audit.entry"]._record(
            f"rebate_statement.{state}", self, reason=words,
            after={self.id: {"digest": self.digest, "address": address}},
        )
        body = self.env._("Confirmed by %s", self.env.user.name) if state == "confirmed" else words
        self.message_post(body=body, subtype_xmlid="mail.mt_comment")
        if state == "disputed":
            owner = self.member_id.user_id or self.create_uid
            self.activity_schedule(
                "mail.mail_activity_data_todo", user_id=owner.id,
                summary=self.env._("%(member)s disputes %(name)s", member=self.member_id.name, name=self.name),
            )

    def _period_words(self):
        return f"{format_date(self.env, self.date_from)} – {format_date(self.env, self.date_to)}"
