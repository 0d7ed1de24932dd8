from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

#: What says whose place is taken by whom, when and for what: fixed once the period has begun.
_FIXED = ("user_id", "deputy_id", "date_from", "model", "company_id")


class ChannelApprovalDeputy(models.Model):
    """Somebody who approves in the place of somebody else, from one day to another, both included.

    A deputy does what the person could do on that day, and no more: not what an author (the deputy, or the person)
    may not approve, and not what the person does as somebody's deputy. Days are those of the document's company.
    """

    _name = "channel.approval.deputy"
    _description = "Deputy of an Approver"
    _order = "date_from desc, id desc"

    user_id = fields.Many2one(
        "res.users",
        string="Approver",
        required=True,
        index=True,
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
        ondelete="restrict",
    )
    deputy_id = fields.Many2one(
        "res.users",
        required=True,
        index=True,
        domain="[('share', '=', False), ('id', '!=', user_id)]",
        ondelete="restrict",
        help="Approves in the place of the approver. Needs a position of the own that may read the documents.",
    )
    date_from = fields.Date(string="From", required=True, default=lambda self: self.env.company._channel_today())
    date_to = fields.Date(string="Until", required=True, help="The last day, included.")
    reason = fields.Char(required=True)
    model = fields.Selection(
        lambda self: self._selection_model(),
        string="Documents",
        help="Empty: all documents. For several kinds, several lines.",
    )
    company_id = fields.Many2one("res.company", help="Empty: documents of all companies.")

    _dates = models.Constraint("CHECK (date_to >= date_from)", "A deputy's period ends before it begins.")
    _other = models.Constraint("CHECK (user_id != deputy_id)", "Nobody is the own deputy.")

    @api.model
    def _selection_model(self):
        """The documents that somebody approves, as users call them."""
        # sudo: names of kinds of documents, which users may not read in ir.model
        IrModel = self.env["ir.model"].sudo()
        names = self.env["tier.definition"]._get_channel_model_names()
        return sorted(((name, IrModel._get(name).name) for name in names), key=lambda pair: pair[1] or "")

    @api.depends("user_id", "deputy_id")
    def _compute_display_name(self):
        for line in self:
            line.display_name = self.env._(
                "%(deputy)s for %(user)s", deputy=line.deputy_id.name, user=line.user_id.name
            )

    # === CRUD === #

    @api.constrains("deputy_id", "user_id")
    def _check_internal(self):
        for line in self:
            # sudo: whether somebody is an employee
            if line.sudo().deputy_id.share:
                raise ValidationError(
                    self.env._("%s is no internal user and cannot be a deputy.", line.deputy_id.name)
                )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        self.env["channel.audit.entry"]._record("deputy.created", lines, after=lines._audit_values())
        lines._refresh_reviews()
        return lines

    def write(self, vals):
        if fixed := set(vals) & set(_FIXED):
            for line in self:
                if line._has_begun() and any(
                    self._fields[name].convert_to_cache(vals[name], line)
                    != self._fields[name].convert_to_cache(line[name], line)
                    for name in fixed
                ):
                    raise UserError(
                        self.env._(
                            "“%(line)s” began on %(date)s: only its last day and its reason can be changed. "
                            "End it and make a new one.",
                            line=line.display_name,
                            date=line.date_from,
                        )
                    )
        before = self._audit_values()
        self._refresh_reviews()
        result = super().write(vals)
        self.env["channel.audit.entry"]._record("deputy.changed", self, before=before, after=self._audit_values())
        self._refresh_reviews()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_begun(self):
        for line in self:
            if line._has_begun():
                raise UserError(
                    self.env._(
                        "“%(line)s” began on %(date)s and stays on record: end it by its last day instead.",
                        line=line.display_name,
                        date=line.date_from,
                    )
                )

    def unlink(self):
        self.env["channel.audit.entry"]._record("deputy.deleted", self, before=self._audit_values())
        return super().unlink()

    def _audit_values(self):
        return {
            line.id: {
                "user": line.user_id.login,
                "deputy": line.deputy_id.login,
                "from": line.date_from,
                "until": line.date_to,
                "reason": line.reason,
                "documents": line.model or None,
                "company": line.company_id.name or None,
            }
            for line in self.sudo()  # sudo: what the journal keeps, whoever may read the users
        }

    def _has_begun(self):
        self.ensure_one()
        return self.date_from <= (self.company_id or self.env.company)._channel_today()

    # === WHO FOR WHOM === #

    @api.model
    def _near(self, domain=()):
        """Return the delegations that may hold today in one time zone or another (superuser rights)."""
        today = fields.Date.today()
        # sudo: who stands in for whom decides what a user may do, whoever asks
        return self.sudo().search(
            [
                ("date_from", "<=", fields.Date.add(today, days=1)),
                ("date_to", ">=", fields.Date.subtract(today, days=1)),
                ("user_id.active", "=", True),
                ("deputy_id.active", "=", True),
                *domain,
            ]
        )

    def _holding(self, model, company):
        """Return those that hold today for the documents of a model and a company."""
        today = company._channel_today()
        return self.filtered(
            lambda line: line.model in (False, model)
            and line.company_id in (line.company_id.browse(), company)
            and line.date_from <= today <= line.date_to
        )

    def _refresh_reviews(self):
        """Bring the reviewers of open reviews in step, where these approvers or deputies are reviewers."""
        # sudo: also reviews of documents that who names a deputy may not read
        users = self.sudo().user_id | self.sudo().deputy_id
        reviews = self.env["tier.review"].sudo().search(
            [
                ("reviewer_ids", "in", users.ids),
                ("status", "in", ("waiting", "pending")),
                ("model", "in", self.env["tier.definition"]._get_channel_model_names()),
            ]
        )
        reviews._recompute_reviewers()
