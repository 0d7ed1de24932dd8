from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

EXPIRING_DAYS = 90
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

    #=== BUSINESS METHODS ===#

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
